//! A file that stopped half-way goes on with the values of placeholders that its first half had, or not at all.

use limosa::{Migrator, Repair, RollbackOptions, Selection, Stop};
use limosa_core::Identity;

use crate::answers::{done, failed, migrate, quiet};
use crate::place::{Home, all_homes};

const BROKEN: &str = "-- Transaction: none\ninsert into t values ('${shade}');\ninsert into t values ('${tone}');\n\
                      insert into nosuch values ('${shade}');\n";
const MENDED: &str = "-- Transaction: none\ninsert into t values ('${shade}');\ninsert into t values ('${tone}');\n\
                      insert into t values ('${shade}${later}');\n";

fn with(home: &Home, values: &[(&str, &str)], secret: &[&str]) -> Migrator {
    home.with(|it| {
        it.values.all = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        it.values.secret = secret.iter().map(|name| (*name).to_owned()).collect();
    })
}

const THEN: [(&str, &str); 3] = [("shade", "azure"), ("tone", "light"), ("later", "1")];
const NOW: [(&str, &str); 3] = [("shade", "olive"), ("tone", "light"), ("later", "2")];

async fn half_done(home: &Home, secret: &[&str]) {
    home.execute("create table t (n varchar(40))");
    home.file("0001_rows.sql", BROKEN);
    failed(&migrate(&with(home, &THEN, secret)).await, 3, &["nosuch"]);
    home.file("0001_rows.sql", MENDED);
}

fn rows(home: &Home) -> Vec<String> {
    home.rows("select n from t order by n")
}

#[tokio::test]
async fn another_value_in_the_first_half_stops_it() {
    for home in all_homes() {
        half_done(&home, &[]).await;
        let answer = migrate(&with(&home, &NOW, &[])).await;
        let said =
            failed(&answer, 4, &["LIM-P036", "0001_rows.sql", "one of the placeholders shade, tone", "--accept 1"]);
        assert!(!said.contains("azure") && !said.contains("olive"), "{said}");
        assert_eq!(rows(&home), ["azure", "light"]);
        // One that has no value any more has another one.
        failed(&migrate(&with(&home, &NOW[1..], &[])).await, 4, &["LIM-P036", "shade"]);
        // What only the rest has may be another.
        let values = [THEN[0], THEN[1], NOW[2]];
        done(migrate(&with(&home, &values, &[])).await);
        assert_eq!(rows(&home), ["azure", "azure2", "light"]);
    }
}

#[tokio::test]
async fn a_person_may_say_that_the_rest_takes_the_new_value() {
    for home in all_homes() {
        half_done(&home, &[]).await;
        let migrator = with(&home, &NOW, &[]);
        failed(&migrate(&migrator).await, 4, &["LIM-P036"]);
        migrator.repair(&Repair::Accept(Identity::new("1")), false, &quiet, Stop::new()).await.unwrap();
        done(migrate(&migrator).await);
        assert_eq!(rows(&home), ["azure", "light", "olive2"]);
    }
}

#[tokio::test]
async fn a_person_may_say_the_same_of_an_edited_first_half() {
    for home in all_homes() {
        half_done(&home, &[]).await;
        home.file("0001_rows.sql", &MENDED.replace("values ('${tone}')", "select '${tone}'"));
        let migrator = with(&home, &THEN, &[]);
        failed(&migrate(&migrator).await, 4, &["LIM-P006", "limosa repair --accept 1"]);
        let accept = Repair::Accept(Identity::new("1"));
        migrator.repair(&accept, false, &quiet, Stop::new()).await.unwrap();
        done(migrate(&migrator).await);
        assert_eq!(rows(&home), ["azure", "azure1", "light"]);
    }
    for home in all_homes() {
        half_done(&home, &[]).await;
        home.file("0001_rows.sql", "-- Transaction: none\ninsert into t values ('${shade}');\n");
        let migrator = with(&home, &THEN, &[]);
        let accept = Repair::Accept(Identity::new("1"));
        let failure = migrator.repair(&accept, false, &quiet, Stop::new()).await.unwrap_err();
        assert!(failure.to_string().contains("2 statements of"), "{failure}");
        assert_eq!(failure.diagnostics[0].code, "LIM-U167");
    }
}

#[tokio::test]
async fn secrets_and_built_in_values_do_not_count() {
    for home in all_homes() {
        half_done(&home, &["shade"]).await;
        // Nothing that could be tried out is in the ledger: the same with any secret.
        let journal = home.table("journal");
        let hash = home.value(&format!("select done_hash from {journal}"));
        let (_, values) = hash.split_once('+').unwrap();
        let mut expected = limosa_core::StatementHasher::new();
        for (text, sent) in [("shade", "shade"), ("tone", "light")] {
            let written = format!("insert into t values ('${{{text}}}')");
            expected.add(&limosa_core::hash_with_values(&written, &format!("insert into t values ('{sent}')")));
        }
        assert_eq!(expected.value().split_once('+').unwrap().1, values);
        done(migrate(&with(&home, &NOW, &["shade"])).await);
        assert_eq!(rows(&home), ["azure", "light", "olive2"]);
    }
    for home in all_homes() {
        home.execute("create table t (n varchar(40))");
        let file =
            "-- Transaction: none\ninsert into t values ('${flyway:timestamp}');\ninsert into t values (${n});\n";
        home.file("0001_rows.sql", file);
        failed(&migrate(&with(&home, &[("n", "nosuch(")], &[])).await, 3, &[]);
        std::thread::sleep(std::time::Duration::from_millis(1100));
        done(migrate(&with(&home, &[("n", "1")], &[])).await);
    }
}

#[tokio::test]
async fn a_journal_from_before_values_counted_goes_on() {
    for home in all_homes() {
        half_done(&home, &[]).await;
        let journal = home.table("journal");
        home.execute(&format!("update {journal} set done_hash = substr(done_hash, 1, 64)"));
        done(migrate(&with(&home, &NOW, &[])).await);
        assert_eq!(rows(&home), ["azure", "light", "olive2"]);
    }
}

#[tokio::test]
async fn a_way_back_goes_on_with_its_values_as_well() {
    for home in all_homes() {
        home.execute("create table t (n varchar(40))");
        let commits = if home.is_mysql() { "create table made (n int)" } else { "vacuum" };
        let back = |last: &str| {
            format!(
                "select 1;\n-- limosa:rollback\ninsert into t values ('${{shade}}');\n{commits};\ninsert into {last} values \
                 ('end');\n"
            )
        };
        home.file("0001_rows.sql", &back("nosuch"));
        done(migrate(&with(&home, &THEN, &[])).await);
        let options = RollbackOptions { selection: Selection::Steps(1), use_file: true, consent: None, backup: false };
        let answer = with(&home, &THEN, &[]).rollback(&options, &quiet, Stop::new()).await;
        failed(&answer, 3, &["nosuch"]);
        home.file("0001_rows.sql", &back("t"));
        let answer = with(&home, &NOW, &[]).rollback(&options, &quiet, Stop::new()).await;
        failed(&answer, 4, &["LIM-P036", "way back of 1", "the placeholder shade"]);
        assert_eq!(rows(&home), ["azure"]);
        done(with(&home, &THEN, &[]).rollback(&options, &quiet, Stop::new()).await);
        assert_eq!(rows(&home), ["azure", "end"]);
    }
}

#[tokio::test]
async fn the_variables_of_goose_count_too() {
    for home in all_homes() {
        home.execute("create table t (n varchar(40))");
        let text = |table: &str| {
            format!(
                "-- +goose NO TRANSACTION\n-- +goose ENVSUB ON\n-- +goose Up\ninsert into t values ('${{SHADE}}');\ninsert into {table} values ('b');\n"
            )
        };
        home.file("00001_rows.sql", &text("nosuch"));
        failed(&migrate(&with(&home, &[("SHADE", "azure")], &[])).await, 3, &["nosuch"]);
        home.file("00001_rows.sql", &text("t"));
        let answer = migrate(&with(&home, &[("SHADE", "olive")], &[])).await;
        failed(&answer, 4, &["LIM-P036", "the placeholder SHADE"]);
        done(migrate(&with(&home, &[("SHADE", "azure")], &[])).await);
        assert_eq!(rows(&home), ["azure", "b"]);
    }
}
