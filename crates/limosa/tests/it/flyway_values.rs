//! Values of placeholders are a part of the text of Flyway's repeatables: they run again where one changed, and their checksums are Flyway's.

use limosa::{AdoptOptions, GoBackOptions, MigrateOptions, Migrator, StatusOptions, Stop};

use crate::adopt::tools::{migrated, tool};
use crate::adopt::verdicts;
use crate::answers::{done, failed, labels, migrate, quiet, states, words};
use crate::place::{Home, all_homes, sqlite};

/// With these values of placeholders.
fn with(home: &Home, values: &[(&str, &str)]) -> Migrator {
    home.with(|it| {
        it.values.all = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    })
}

/// The same, as secrets.
fn secretly(home: &Home, values: &[(&str, &str)]) -> Migrator {
    home.with(|it| {
        it.values.all = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        it.values.secret = values.iter().map(|(name, _)| (*name).to_owned()).collect();
    })
}

async fn reasons(migrator: &Migrator) -> Vec<String> {
    let status = migrator.status(StatusOptions::default()).await.unwrap();
    status.changes.iter().filter_map(|change| Some(format!("{}: {}", change.name, change.reason.as_ref()?))).collect()
}

/// Names of what ran.
async fn ran(migrator: &Migrator) -> Vec<String> {
    done(migrate(migrator).await).steps.iter().map(|step| step.name.to_string()).collect()
}

async fn take_over(migrator: &Migrator, keep: bool) -> Vec<String> {
    let options = AdoptOptions { keep, ..AdoptOptions::default() };
    let answer = migrator.adopt(&options, &quiet, Stop::new()).await.unwrap();
    assert_eq!(answer.outcome, "done", "{}", words(&answer.errors));
    verdicts(&answer).into_iter().filter(|line| line.contains(" R ")).collect()
}

/// Checksums in Flyway's table, of this script.
fn recorded(home: &Home, script: &str) -> Vec<String> {
    home.rows(&format!(
        "select checksum from flyway_schema_history where script = '{script}' and success order by installed_rank"
    ))
}

fn has_run(home: &Home, rank: u32, name: &str, crc: &str) {
    home.execute(&format!(
        "insert into flyway_schema_history (installed_rank, version, description, type, script, checksum, installed_by, execution_time, \
         success) values ({rank}, null, '{name}', 'SQL', 'R__{name}.sql', {crc}, 'app', 0, true)"
    ));
}

#[tokio::test]
async fn a_repeatable_runs_again_where_a_value_in_it_changed() {
    for home in all_homes() {
        home.file("V1__a.sql", "create table a (n integer, p varchar(40));\n");
        home.file("R__code.sql", "insert into a values (1, '${P}');\n");
        home.file("R__comment.sql", "-- ${p}\ninsert into a values (2, '');\n");
        home.file("R__other.sql", "insert into a values (3, '${q}');\n");
        home.file("R__plain.sql", "insert into a values (4, '');\n");
        home.file("R__file.sql", "insert into a values (5, '${flyway:filename} ${flyway:environment}');\n");
        let first = with(&home, &[("p", "1"), ("q", "1")]);
        assert_eq!(labels(&done(migrate(&first).await)).len(), 6);
        assert_eq!(done(migrate(&first).await).outcome, "nothing_to_do");
        let second = with(&home, &[("p", "2"), ("q", "1")]);
        let expected =
            ["code: the value of its placeholder P changed", "comment: the value of its placeholder p changed"];
        assert_eq!(reasons(&second).await, expected);
        let plan = second.plan(&MigrateOptions::default()).await.unwrap();
        let because: Vec<Option<&str>> = plan.steps.iter().map(|step| step.because.as_deref()).collect();
        assert_eq!(
            because,
            [Some("the value of its placeholder P changed"), Some("the value of its placeholder p changed")]
        );
        assert_eq!(ran(&second).await, ["code", "comment"]);
        assert_eq!(home.rows("select p from a where n = 1 order by p"), ["1", "2"]);
        assert_eq!(done(migrate(&second).await).outcome, "nothing_to_do");
        // Names go by their checksum only where they run once.
        let lazy = home.with(|it| {
            it.verify_applied = false;
            it.values.all = [("p", "3"), ("q", "1")].map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        });
        assert_eq!(ran(&lazy).await, ["code", "comment"]);
        failed(&migrate(&with(&home, &[("q", "1")])).await, 2, &["LIM-R012", "R__code.sql"]);
    }
}

#[tokio::test]
async fn one_that_holds_the_time_runs_with_each_run() {
    for home in all_homes() {
        home.file("V1__a.sql", "create table a (n integer);\n");
        home.file("R__each.sql", "-- ${flyway:timestamp}\ninsert into a values (1);\n");
        done(home.migrate().await);
        assert_eq!(reasons(&home.migrator()).await, ["each: a placeholder in it is the time: it runs with each run"]);
        assert_eq!(ran(&home.migrator()).await, ["each"]);
        let plan = home.migrator().plan(&MigrateOptions::default()).await.unwrap().digest;
        let options = MigrateOptions { expected_plan: Some(plan), ..MigrateOptions::default() };
        assert_eq!(done(home.migrate_with(&options).await).steps.len(), 1);
        assert_eq!(home.count("select count(*) from a"), 3);
        // Where nothing is replaced it is a comment like any other.
        home.file("R__each.sql.conf", "placeholderReplacement=false");
        assert_eq!(ran(&home.migrator()).await, ["each"]);
        assert_eq!(done(home.migrate().await).outcome, "nothing_to_do");
    }
}

#[tokio::test]
async fn what_an_older_limosa_has_recorded_does_not_run_without_need() {
    let home = sqlite();
    home.file("V1__a.sql", "create table a (n integer);\n");
    home.file("R__v.sql", "select '${p}';\n");
    home.file("R__each.sql", "select '${flyway:timestamp}';\n");
    // It took the checksum of the text alone, as one whose placeholders are off is known by today.
    let old = home.with(|it| it.replace_placeholders = false);
    done(migrate(&old).await);
    let migrator = with(&home, &[("p", "1")]);
    let status = migrator.status(StatusOptions::default()).await.unwrap();
    assert_eq!(states(&status), ["1 applied", "R:each outdated", "R:v applied"]);
    assert_eq!(ran(&migrator).await, ["each"]);
    // From its next run on values count.
    home.file("R__v.sql", "select '${p}', 1;\n");
    assert_eq!(ran(&migrator).await, ["each", "v"]);
    assert_eq!(ran(&with(&home, &[("p", "2")])).await, ["each", "v"]);
}

#[tokio::test]
async fn a_secret_is_neither_shown_nor_stored() {
    for home in all_homes() {
        home.file("V1__a.sql", "create table a (n varchar(80));\n");
        home.file("R__v.sql", "-- ${pw}\ninsert into a values ('x');\n");
        home.file("R__w.sql", "${pw}");
        assert_eq!(ran(&secretly(&home, &[("pw", "select 471100004711")])).await, ["a", "v", "w"]);
        let rotated = secretly(&home, &[("pw", "select 471100004712")]);
        let plan = rotated.plan(&MigrateOptions::default()).await.unwrap();
        let shown = format!("{plan:?} {:?}", reasons(&rotated).await);
        assert!(shown.contains("the value of its placeholder pw changed") && !shown.contains("47110000"), "{shown}");
        assert_eq!(ran(&rotated).await, ["v", "w"]);
        // By sha256sum.
        let alone = "f6df69792bbd52f3e1b854a74cf46b40fe3ff38989c5ce5e7674001f162af789";
        let ledger = home.table("schema_migrations");
        let sums = home.rows(&format!("select up_checksum from {ledger} where version is null"));
        assert!(sums.len() == 2 && !sums.iter().any(|sum| sum.contains(alone)), "{sums:?}");
        let audit = home.rows(&format!("select detail from {}", home.table("audit_log"))).join(" ");
        assert!(!audit.contains("47110000"), "{audit}");
    }
}

#[tokio::test]
async fn adopt_tells_whether_text_or_values_changed_since() {
    for home in all_homes() {
        migrated(&home, tool("flyway"));
        // Of "select '1';", and of some other time.
        home.file("R__same.sql", "select '${p}';\n");
        home.file("R__text.sql", "select '${p}', 'new';\n");
        home.file("R__value.sql", "select '${q}';\n");
        home.file("R__each.sql", "-- ${flyway:timestamp}\nselect 1;\n");
        has_run(&home, 3, "same", "-2122587249");
        has_run(&home, 4, "text", "-2122587249");
        has_run(&home, 5, "value", "-2122587249");
        has_run(&home, 6, "each", "-716766863");
        let migrator = with(&home, &[("p", "1"), ("q", "2")]);
        let again = "its text or a value in it was changed since it ran: it runs again";
        assert_eq!(
            take_over(&migrator, false).await,
            [
                format!("pending R each: {again}"),
                "verified R same".to_owned(),
                format!("pending R text: {again}"),
                format!("pending R value: {again}"),
            ]
        );
        assert_eq!(ran(&migrator).await, ["c", "each", "text", "value"]);
        assert_eq!(ran(&migrator).await, ["each"]);
        assert_eq!(ran(&with(&home, &[("p", "9"), ("q", "2")])).await, ["each", "same", "text"]);
    }
}

#[tokio::test]
async fn a_value_that_is_not_given_is_told() {
    let home = sqlite();
    migrated(&home, tool("flyway"));
    home.file("R__same.sql", "select '${p}';\n");
    has_run(&home, 3, "same", "-2122587249");
    let lines = take_over(&home.migrator(), false).await;
    assert!(
        lines[0].starts_with("stamped R same: ") && lines[0].ends_with("a placeholder in it has none here"),
        "{lines:?}"
    );
}

#[tokio::test]
async fn flyways_table_gets_the_checksum_that_flyway_would_record() {
    for home in all_homes() {
        migrated(&home, tool("flyway"));
        home.file("R__v.sql", "select '${p}';\n");
        let migrator = with(&home, &[("p", "1")]);
        take_over(&migrator, true).await;
        assert_eq!(ran(&migrator).await, ["c", "v"]);
        assert_eq!(recorded(&home, "R__v.sql"), ["-2122587249"]);
        let given_back = migrator.adopt_undo(GoBackOptions::default(), &quiet, Stop::new()).await.unwrap();
        assert!(!given_back.done.iter().any(|line| line.starts_with("tell ")), "{:?}", given_back.done);
        assert_eq!(recorded(&home, "R__v.sql"), ["-2122587249"]);
    }
}

#[tokio::test]
async fn the_way_back_tells_flyway_its_own_checksum() {
    for home in all_homes() {
        migrated(&home, tool("flyway"));
        home.file("R__v.sql", "select '${p}';\n");
        // What limosa wrote of the text alone, which stops Flyway.
        has_run(&home, 3, "w", "1923498793");
        home.file("R__w.sql", "select '${p}';\n");
        let migrator = with(&home, &[("p", "1")]);
        take_over(&migrator, false).await;
        assert_eq!(ran(&migrator).await, ["c", "v"]);
        assert_eq!(ran(&with(&home, &[("p", "2")])).await, ["v", "w"]);
        assert_eq!(ran(&migrator).await, ["v", "w"]);
        migrator.adopt_undo(GoBackOptions::default(), &quiet, Stop::new()).await.unwrap();
        assert_eq!(recorded(&home, "R__v.sql"), ["-2122587249"]);
        assert_eq!(recorded(&home, "R__w.sql"), ["1923498793", "-2122587249"]);
    }
}
