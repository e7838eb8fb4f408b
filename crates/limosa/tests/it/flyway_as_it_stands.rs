//! What people do in folders of Flyway's, and what Flyway makes of it.

use limosa::Selection;

use crate::answers::{back, done, failed, id, labels, migrate};
use crate::place::{Home, all_homes, newest_postgres, sqlite};

#[tokio::test]
async fn a_newer_baseline_does_not_bring_back_what_the_one_that_ran_stood_for() {
    for home in all_homes() {
        home.file("V1__init.sql", "drop table if exists customer;\ncreate table customer (id integer);\n");
        home.file("V2__name.sql", "alter table customer add name varchar(9);\n");
        home.file("B2__base.sql", "create table customer (id integer, name varchar(9));\n");
        home.file("V3__other.sql", "create table other (n integer);\n");
        assert_eq!(labels(&done(home.migrate().await)), ["B2", "3"]);
        home.execute("insert into customer (id) values (1)");
        std::fs::remove_file(home.folder.join("migrations/B2__base.sql")).unwrap();
        home.file(
            "B3__base.sql",
            "create table customer (id integer, name varchar(9));\ncreate table other (n integer);\n",
        );
        home.file("V4__more.sql", "create table more (n integer);\n");
        assert_eq!(labels(&done(home.migrate().await)), ["4"]);
        assert_eq!(home.rows("select id from customer"), ["1"]);
        let findings = format!("{:?}", home.migrator().validate().await.unwrap().findings);
        assert!(findings.contains("stands for all versions up to 2") && !findings.contains("forget"), "{findings}");
    }
}

#[tokio::test]
async fn settings_beside_a_way_back_are_read() {
    let home = newest_postgres();
    home.file("V1__a.sql", "create table a (n integer);\ncreate index a_n on a (n);\n");
    home.file("U1__a.sql", "drop index concurrently a_n;\ndrop table a;\n");
    home.file("U1__a.sql.conf", "executeInTransaction=false\n");
    home.file("V9__gone.sql.conf", "executeInTransaction=false\n");
    let answer = done(home.migrate().await);
    let told = format!("{:?}", answer.notices);
    assert!(
        told.contains("LIM-F026") && told.contains("V9__gone.sql, whose settings these are, is not here"),
        "{told}"
    );
    done(home.rollback(Selection::One(id("1"))).await);
    assert!(home.rows("select 1 from pg_tables where tablename = 'a'").is_empty());
    // A procedure that commits runs outside of a transaction alone.
    home.file(
        "V2__b.sql",
        "create table b (n int);\ncreate procedure p() language plpgsql as 'begin delete from b; commit; end';\n",
    );
    home.file("U2__b.sql", "call p();\nselect 1;\n");
    home.file("U2__b.sql.conf", "executeInTransaction=false\n");
    done(home.migrate().await);
    done(home.rollback(Selection::One(id("2"))).await);
    for name in ["V2__b.sql", "U2__b.sql", "U2__b.sql.conf"] {
        std::fs::remove_file(home.folder.join("migrations").join(name)).unwrap();
    }
    // Of an applied migration the way back is not read again.
    done(home.migrate().await);
    assert_eq!(done(home.migrate().await).outcome, "nothing_to_do");
    for refused in ["placeholderReplacement=false\n", "shouldExecute=false\n"] {
        let home = sqlite();
        home.file("V1__a.sql", "create table a (n integer);\n");
        home.file("U1__a.sql", "drop table a;\n");
        home.file("U1__a.sql.conf", refused);
        failed(&home.migrate().await, 2, &["LIM-F031", "a way back cannot have the setting"]);
        // The one that is wrong is told, and no other.
        home.file("U1__a.sql.conf", &format!("{refused}executeInTransaction=false\n"));
        assert_eq!(home.migrate().await.unwrap_err().diagnostics.len(), 1);
    }
}

#[tokio::test]
async fn a_blank_at_the_head_of_a_repeatable_puts_it_first() {
    let home = sqlite();
    home.file("R__a_report.sql", "create view if not exists report as select n from base;\n");
    home.file("R__zz_base.sql", "create view if not exists other as select 2 as n;\n");
    home.file("R___zz_base.sql", "create view if not exists base as select 1 as n;\n");
    let answer = done(home.migrate().await);
    let names: Vec<&str> = answer.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(names, [" zz base", "a report", "zz base"]);
    assert_eq!(done(home.migrate().await).outcome, "nothing_to_do");
}

#[tokio::test]
async fn a_placeholder_of_a_way_back_needs_its_value_before_anything_runs() {
    let home = sqlite();
    home.file("V1__a.sql", "create table a (n integer);\n");
    home.file("U1__a.sql", "drop table ${zz};\n");
    failed(&home.migrate().await, 2, &["LIM-R012", "${zz}", "U1__a.sql"]);
    let findings = home.migrator().validate().await.unwrap();
    assert_eq!(findings.exit_code, 1);
    assert!(format!("{:?}", findings.findings).contains("${zz}"), "{:?}", findings.findings);
    home.file("U1__a.sql", "drop table a;\n");
    home.file("V2__b.sql", "create table b as select '${flyway:usr}' as u;\n");
    failed(&home.migrate().await, 2, &["Flyway gives no value to ${flyway:usr}", "flyway:user"]);
}

/// The text of what stopped a run, and the callback that it owes.
async fn stopped(home: &Home) -> (String, Option<&'static str>) {
    let answer = home.migrate().await.unwrap();
    (format!("{:?}", answer.error), answer.owed_callback)
}

#[tokio::test]
async fn a_callback_that_will_not_run_again_says_so() {
    for (file, owed) in [
        ("afterMigrateApplied__grants.sql", Some("afterMigrateApplied")),
        // It is part of the transaction.
        ("afterEachMigrate__x.sql", None),
        ("afterMigrate__x.sql", None),
        ("beforeMigrate__x.sql", None),
    ] {
        let home = sqlite();
        home.file("V1__a.sql", "create table a (n integer);\n");
        home.file(file, "insert into nosuch values (1);\n");
        let (error, found) = stopped(&home).await;
        assert_eq!(found, owed, "{file}");
        assert_eq!(error.contains("is to be done by hand"), owed.is_some(), "{error}");
    }
    let home = newest_postgres();
    home.file("V1__a.sql", "create table a (n integer);\n");
    done(home.migrate().await);
    home.file("V2__b.sql", "create index concurrently on a (n);\n");
    home.file("afterEachMigrate__x.sql", "insert into nosuch values (1);\n");
    let (error, found) = stopped(&home).await;
    assert_eq!(found, Some("afterEachMigrate"));
    assert!(error.contains("the migration is applied, and stands") && error.contains("done by hand"), "{error}");
}

#[tokio::test]
async fn what_a_failed_statement_may_have_left_is_not_called_rolled_back() {
    let home = newest_postgres();
    home.file("V1__a.sql", "create table t (a integer);\ninsert into t values (1), (1);\n");
    home.file("V2__b.sql", "create unique index concurrently t_a on t (a);\n");
    let answer = home.migrate().await.unwrap();
    let states: Vec<&str> = answer.steps.iter().map(|step| step.state).collect();
    assert_eq!(states, ["done", "partial"]);
    assert_eq!(home.rows("select indisvalid from pg_index where indexrelid = 't_a'::regclass"), ["f"]);
    home.execute("delete from t");
    done(home.migrate().await);
    // One that names nothing leaves nothing.
    home.file("V3__c.sql", "create index concurrently on nosuch (a);\n");
    let answer = home.migrate().await.unwrap();
    assert_eq!(answer.steps[0].state, "rolled_back");
}

#[tokio::test]
async fn placeholders_in_data_of_copy_are_replaced() {
    let home = newest_postgres();
    let text =
        "create table items (id int, txt text);\nCOPY items (id, txt) FROM stdin;\n1\t${s}\n2\t-- ${s}, ${ s }\n\\.\n";
    home.file("V1__items.sql", text);
    failed(&home.migrate().await, 2, &["LIM-R012", "${s}", "V1__items.sql:3"]);
    let mut configuration = home.configuration();
    configuration.values.all.insert("s".to_owned(), "va".to_owned());
    let migrator = limosa::Migrator::new(configuration.clone());
    let script = migrator.plan_script(&Default::default()).await.unwrap();
    assert!(script.contains("1\tva\n2\t-- va, ${ s }\n"), "{script}");
    let answer = migrator.migrate(&Default::default(), &crate::answers::quiet, limosa::Stop::new()).await;
    done(answer);
    assert_eq!(home.rows("select id, txt from items order by id"), ["1|va", "2|-- va, ${ s }"]);
    // Data are data where the files are not Flyway's.
    let home = newest_postgres();
    home.file("1_items.sql", text);
    done(home.migrate().await);
    assert_eq!(home.rows("select txt from items where id = 1"), ["${s}"]);
}

#[tokio::test]
async fn servers_of_mysql_are_told_what_sessions_begin_with() {
    for home in crate::place::mysql_homes() {
        home.file("V1__a.sql", "create table seen as select @@time_zone as zone;\nset time_zone = '+05:00';\n");
        home.file("V2__b.sql", "insert into seen select @@time_zone;\n");
        let mut configuration = home.configuration();
        configuration.session_settings = vec![("time_zone".to_owned(), "'+02:00'".to_owned())];
        let migrator = limosa::Migrator::new(configuration);
        done(migrator.migrate(&Default::default(), &crate::answers::quiet, limosa::Stop::new()).await);
        assert_eq!(home.rows("select zone from seen order by zone"), ["+02:00", "+05:00"]);
    }
}

#[tokio::test]
async fn migrations_in_java_stand_in_the_package_beside_the_resources() {
    let home = sqlite();
    let write = |file: &str, text: &str| {
        let path = home.folder.join("src/main").join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("resources/db/migration/V1__a.sql", "create table a (n integer);\n");
    write("resources/db/migration/V3__c.sql", "create table c (n integer);\n");
    write("java/db/migration/Helper.java", "class Helper {}\n");
    // A build takes no scripts from there, and so Flyway finds none.
    write("java/db/migration/V2__b.sql", "create table b (n integer);\n");
    let project = home.with(|it| {
        it.directories = vec![home.folder.join("src/main/resources/db/migration")];
        it.layout = limosa::LayoutChoice::Given(limosa::Layout::Flyway(limosa::FlywayNaming::default()));
    });
    assert_eq!(labels(&done(migrate(&project).await)), ["1", "3"]);
    for (language, ending) in [("java", "java"), ("kotlin", "kt")] {
        let file = format!("{language}/db/migration/V4__Fill.{ending}");
        write(&file, "");
        failed(&migrate(&project).await, 4, &["LIM-F034", "is a migration in Java"]);
        std::fs::remove_file(home.folder.join("src/main").join(file)).unwrap();
    }
    assert_eq!(done(migrate(&project).await).outcome, "nothing_to_do");
}

#[tokio::test]
async fn what_a_way_back_destroys_in_a_block_needs_consent() {
    let home = newest_postgres();
    home.file("V1__a.sql", "create table a (n integer);\ninsert into a values (1);\n");
    home.file("U1__a.sql", "do $$ begin drop table if exists a; end $$;\n");
    done(home.migrate().await);
    failed(&back(&home.migrator(), Selection::One(id("1")), None).await, 4, &["LIM-P016", "table a (1)"]);
    assert_eq!(home.rows("select n::text from a"), ["1"]);
    done(back(&home.migrator(), Selection::One(id("1")), Some(&home.database())).await);
}

#[tokio::test]
async fn the_next_step_is_that_of_the_file_which_is_wrong() {
    let home = sqlite();
    home.file("V1__a.sql", "create table a (n integer);\n");
    home.file("U1__a.sql", "select 1;\n");
    home.file("afterConnect.sql", "pragma foreign_keys = on;\n");
    let told = format!("{:?}", done(home.migrate().await).notices);
    assert!(told.contains("afterConnect.sql is a callback") && told.contains("flyway.initSql"), "{told}");
    home.file("afterEachUndo.sql", "select * from nowhere;\n");
    let answer = back(&home.migrator(), Selection::One(id("1")), None).await.unwrap();
    let next = answer.next("limosa rollback").unwrap();
    assert!(next.contains("afterEachUndo.sql, then run limosa rollback again"), "{next}");
    std::fs::remove_file(home.folder.join("migrations/afterEachUndo.sql")).unwrap();
    done(back(&home.migrator(), Selection::One(id("1")), None).await);
}
