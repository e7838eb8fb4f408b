//! Databases that another tool has migrated: nothing of it runs a second time by accident.

use limosa::{AdoptOptions, ForeignTool, StatusOptions, Stop, Version};

use crate::answers::{done, failed, labels, migrate, quiet, refusal, words};
use crate::place::{Home, all_homes, newest_postgres};

fn files(home: &Home) {
    home.file("001_a.sql", "create table a (n int);");
    home.file("002_b.sql", "create table b (n int);");
}

/// A table of golang-migrate's with one version.
fn migrated(home: &Home) {
    home.execute("create table a (n int)");
    home.execute("create table schema_migrations (version bigint not null primary key, dirty boolean not null)");
    home.execute("insert into schema_migrations values (1, false)");
}

#[tokio::test]
async fn the_first_migrate_stops_and_says_how_to_go_on() {
    for home in all_homes() {
        files(&home);
        migrated(&home);
        let wanted = [
            "LIM-P020",
            "golang-migrate has migrated this database (table schema_migrations, newest: 1)",
            "limosa baseline --to VERSION",
            "--ignore-other-ledgers",
        ];
        failed(&home.migrate().await, 4, &wanted);
        assert_eq!(home.tables(), ["a", "schema_migrations"], "nothing was run");
        let status = home.migrator().status(StatusOptions::default()).await.unwrap();
        assert!(words(&status.notices).contains("LIM-P020"), "{:?}", status.notices);

        let baseline = home.migrator().baseline(&Version::parse("1").unwrap(), false, &quiet, Stop::new()).await;
        assert_eq!(baseline.unwrap().exit_code, 0);
        assert_eq!(labels(&done(home.migrate().await)), ["002"]);
        let status = home.migrator().status(StatusOptions::default()).await.unwrap();
        assert!(!words(&status.notices).contains("LIM-P020"), "{:?}", status.notices);
    }
}

#[tokio::test]
async fn what_another_tool_left_half_done_is_told() {
    for home in all_homes() {
        files(&home);
        migrated(&home);
        home.execute("update schema_migrations set dirty = true");
        failed(&home.migrate().await, 4, &["newest: 1; it calls that version dirty)", "mend that first; then: "]);
        let before = home.tables();
        for dry_run in [true, false] {
            refusal(baseline(&home.migrator(), dry_run).await, 4, &["LIM-U113", "migrate force 1", "limosa baseline"]);
        }
        assert_eq!(home.tables(), before);
        // Said to be another one's, it is nobody's business here.
        let alone = home.with(|it| it.ignore_other_ledgers = true);
        assert_eq!(baseline(&alone, false).await.expect("it is let alone").exit_code, 0);
    }
}

async fn baseline(migrator: &limosa::Migrator, dry_run: bool) -> Result<limosa::report::DoneAnswer, limosa::Failure> {
    migrator.baseline(&Version::parse("1").expect("a version"), dry_run, &quiet, Stop::new()).await
}

#[tokio::test]
async fn one_of_several_that_is_half_done_is_counted_as_applied_by_nobody() {
    for home in all_homes() {
        files(&home);
        migrated(&home);
        home.execute("create table gorp_migrations (id varchar(255) not null primary key, applied_at varchar(30))");
        home.execute("insert into gorp_migrations values ('001_a.sql', 'now')");
        home.execute("update schema_migrations set dirty = true");
        refusal(baseline(&home.migrator(), false).await, 4, &["LIM-U113", "migrate force 1"]);
        home.execute("update schema_migrations set dirty = false");
        assert_eq!(baseline(&home.migrator(), false).await.expect("nothing is half done").exit_code, 0);
    }
}

#[tokio::test]
async fn what_becomes_half_done_while_the_lock_is_waited_for_is_seen() {
    for home in all_homes() {
        files(&home);
        migrated(&home);
        let fails = |told: limosa::Progress| {
            if let limosa::Progress::Target(_) = told {
                home.execute("update schema_migrations set dirty = true");
            }
        };
        let to = Version::parse("1").expect("a version");
        refusal(home.migrator().baseline(&to, false, &fails, Stop::new()).await, 4, &["LIM-U113", "migrate force 1"]);
        assert!(home.ledger().is_empty());
    }
}

#[tokio::test]
async fn a_neighbour_is_let_alone_where_that_is_said() {
    for home in all_homes() {
        home.file("001_b.sql", "create table b (n int);");
        migrated(&home);
        let migrator = home.with(|it| it.ignore_other_ledgers = true);
        assert_eq!(labels(&done(migrate(&migrator).await)), ["001"]);
        // From then on there is a record.
        home.file("002_c.sql", "create table c (n int);");
        assert_eq!(labels(&done(home.migrate().await)), ["002"]);
    }
}

#[tokio::test]
async fn tables_that_tell_nothing_are_no_history() {
    for home in all_homes() {
        files(&home);
        home.execute("create table flyway_schema_history (installed_rank int, version varchar(50), success int)");
        home.execute("create table goose_db_version (id int, version_id bigint, is_applied int)");
        home.execute("insert into goose_db_version values (1, 0, 1)");
        home.execute("create table alembic_version (note varchar(9))");
        home.execute("insert into alembic_version values ('mine')");
        assert_eq!(labels(&done(home.migrate().await)), ["001", "002"]);
    }
}

#[tokio::test]
async fn each_tool_is_recognised() {
    let tables = [
        (
            "Flyway",
            "flyway_schema_history (installed_rank int, version text, success boolean)",
            "(1, '1.1', true), (2, null, true)",
        ),
        (
            "Liquibase",
            "databasechangelog (id text, author text, filename text, orderexecuted int, md5sum text)",
            "('init', 'ann', 'a.sql', 1, 'x')",
        ),
        ("dbmate or Rails", "schema_migrations (version varchar)", "('20240101')"),
        ("goose", "goose_db_version (id int, version_id bigint, is_applied boolean)", "(1, 0, true), (2, 7, true)"),
        ("sqlx", "_sqlx_migrations (version bigint, checksum bytea)", "(7, 'x')"),
        ("refinery", "refinery_schema_history (version int4, checksum text)", "(7, 'x')"),
        ("diesel", "__diesel_schema_migrations (version varchar, run_on timestamp)", "('7', now())"),
        ("Prisma", "_prisma_migrations (migration_name text, started_at timestamptz)", "('7_a', now())"),
        ("drizzle", "drizzle.__drizzle_migrations (hash text, created_at bigint)", "('x', 7)"),
        ("sql-migrate", "gorp_migrations (id text, applied_at timestamptz)", "('7-a.sql', now())"),
        ("node-pg-migrate", "pgmigrations (id int, name text, run_on timestamp)", "(1, '7_a', now())"),
        ("Knex", "knex_migrations (id int, name text, batch int)", "(1, '7_a.js', 1)"),
        ("Alembic", "alembic_version (version_num varchar)", "('7ae')"),
        ("Django", "django_migrations (id int, app text, name text)", "(1, 'x', '0001')"),
        ("Sqitch", "sqitch.changes (change_id text, change text, committed_at timestamptz)", "('x', '7a', now())"),
    ];
    for (tool, table, row) in tables {
        let home = newest_postgres();
        files(&home);
        if let Some((schema, _)) = table.split(' ').next().and_then(|name| name.split_once('.')) {
            home.execute(&format!("create schema {schema}"));
        }
        home.execute(&format!("create table {table}"));
        home.execute(&format!("insert into {} values {row}", table.split(' ').next().unwrap()));
        failed(&home.migrate().await, 4, &["LIM-P020", &format!("{tool} has migrated this database")]);
    }
}

#[tokio::test]
async fn a_table_that_may_not_be_read_stops_as_well_and_one_that_is_locked_is_not_waited_for() {
    let home = newest_postgres();
    files(&home);
    migrated(&home);
    home.execute("drop table a");
    let blocker = home.database_handle().session().unwrap();
    blocker.execute("begin; lock table schema_migrations").unwrap();
    failed(&home.migrate().await, 3, &["lock timeout"]);
    blocker.execute("rollback").unwrap();

    let role = home.database();
    home.execute(&format!("create role \"{role}_blind\"; grant create on database \"{role}\" to \"{role}_blind\""));
    home.execute(&format!("grant create, usage on schema public to \"{role}_blind\""));
    let blind = home.with(|it| it.role = Some(format!("{role}_blind")));
    failed(&migrate(&blind).await, 4, &["LIM-P020", "golang-migrate", "may not be read"]);
    let blind = home.with(|it| {
        it.role = Some(format!("{role}_blind"));
        it.ignore_other_ledgers = true;
    });
    assert_eq!(labels(&done(migrate(&blind).await)), ["001", "002"]);
    let clean_up = format!("drop owned by \"{role}_blind\"; drop role \"{role}_blind\"");
    home.execute(&clean_up);
}

/// A folder of goose's, whose first migration has run.
fn migrated_by_goose(home: &Home, table: &str) {
    home.file("1_a.sql", "-- +goose Up\ncreate table a (n int);\n");
    home.file("2_b.sql", "-- +goose Up\ncreate table b (n int);\n");
    home.execute("create table a (n int)");
    let columns = "(id int, version_id bigint, is_applied boolean, tstamp timestamp null)";
    home.execute(&format!("create table {table} {columns}"));
    home.execute(&format!("insert into {table} values (1, 0, true, null), (2, 1, true, null)"));
}

#[tokio::test]
async fn a_table_of_an_unknown_form_is_told_where_the_files_are_of_its_tool() {
    for home in all_homes() {
        migrated_by_goose(&home, "goose_db_version");
        home.execute("alter table goose_db_version rename column version_id to vid");
        let wanted =
            ["LIM-P020", "goose_db_version", "a form that this limosa does not know", "--ignore-other-ledgers"];
        failed(&home.migrate().await, 4, &wanted);
        let status = home.migrator().status(StatusOptions::default()).await.unwrap();
        assert!(words(&status.notices).contains("a form that this limosa does not know"), "{:?}", status.notices);
        for from in [None, Some(ForeignTool::Goose)] {
            let options = AdoptOptions { from, ..AdoptOptions::default() };
            let answer = home.migrator().adopt(&options, &quiet, Stop::new()).await;
            refusal(answer, 2, &["LIM-U110", "goose_db_version", "has not the columns of goose", "vid"]);
        }
        // An empty one says nothing.
        home.execute("delete from goose_db_version");
        home.execute("drop table a");
        assert_eq!(labels(&done(home.migrate().await)), ["1", "2"]);
    }
}

#[tokio::test]
async fn a_column_of_another_type_is_told() {
    let home = newest_postgres();
    migrated_by_goose(&home, "goose_db_version");
    home.execute("alter table goose_db_version alter version_id type text");
    failed(&home.migrate().await, 4, &["LIM-P020", "a form that this limosa does not know", "text > integer"]);
    let answer = home.migrator().adopt(&AdoptOptions::default(), &quiet, Stop::new()).await;
    refusal(answer, 2, &["LIM-U110", "goose_db_version", "a form that this limosa does not know", "text > integer"]);
}

#[tokio::test]
async fn an_unrelated_table_of_a_known_name_stops_nobody() {
    for home in all_homes() {
        files(&home);
        home.execute("create table schema_migrations (filename varchar(20), ran_at varchar(20))");
        home.execute("insert into schema_migrations values ('1.py', 'today')");
        home.execute("create table goose_db_version (vid int)");
        home.execute("insert into goose_db_version values (1)");
        assert_eq!(labels(&done(home.migrate().await)), ["001", "002"]);
    }
}

#[tokio::test]
async fn a_table_that_may_not_be_read_is_told_with_the_rights() {
    for (table, rights) in [
        ("goose_db_version", &["grant select on \"public\".\"goose_db_version\" to "][..]),
        ("app.ran", &["grant usage on schema \"app\" to ", "; grant select on \"app\".\"ran\" to "]),
    ] {
        let home = newest_postgres();
        home.execute("create schema app");
        migrated_by_goose(&home, table);
        let role = format!("{}_ann", home.database());
        home.execute(&format!(
            "create role \"{role}\"; grant create on database \"{}\" to \"{role}\"",
            home.database()
        ));
        home.execute(&format!("grant create, usage on schema public to \"{role}\""));
        let ann = home.with(|it| {
            it.role = Some(role.clone());
            it.tool_table = Some(table.to_owned()).filter(|table| table.contains('.'));
        });
        let wanted = [&["LIM-P020", table, "may not be read", "--ignore-other-ledgers"], rights].concat();
        failed(&migrate(&ann).await, 4, &wanted);
        let status = ann.status(StatusOptions::default()).await.unwrap();
        assert!(words(&status.notices).contains("may not be read"), "{:?}", status.notices);
        let answer = ann.adopt(&AdoptOptions::default(), &quiet, Stop::new()).await;
        refusal(answer, 3, &[&["LIM-U118"], rights].concat());
        home.execute(&format!("drop owned by \"{role}\"; drop role \"{role}\""));
    }
}
