//! Servers whose SQL mode, charset or names of tables are unusual: the ledger is written and read rightly, its guards hold.

use limosa::{MigrateOptions, Repair, Selection, StatusOptions, Stop};
use limosa_testkit::mysql::ServerOptions;

use super::{home_of, home_on, own_server, shared};
use crate::answers::{back, done, failed, labels, migrate, quiet, states};
use crate::place::Home;

const MODES: &[&str] = &[
    "",
    "ANSI",
    "ANSI_QUOTES",
    "NO_BACKSLASH_ESCAPES",
    "ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT",
    "ORACLE",
    "MSSQL",
    "MAXDB",
    "TRADITIONAL",
    "EMPTY_STRING_IS_NULL",
    "IGNORE_SPACE,HIGH_NOT_PRECEDENCE",
    "PAD_CHAR_TO_FULL_LENGTH",
    "NO_AUTO_VALUE_ON_ZERO,REAL_AS_FLOAT,NO_UNSIGNED_SUBTRACTION",
    "SIMULTANEOUS_ASSIGNMENT",
    "TIME_ROUND_FRACTIONAL",
    "NO_KEY_OPTIONS,NO_TABLE_OPTIONS,NO_FIELD_OPTIONS",
    "ONLY_FULL_GROUP_BY,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO",
];

const ODD: &str = "O'Brien \\ \\' \"x\" `y` 🐦 größe";

fn odd(home: &Home) -> limosa::Migrator {
    home.with(|it| {
        it.project = ODD.to_owned();
        it.actor = ODD.to_owned();
        it.values.all.insert("odd".to_owned(), "it is \\ \\n \"odd\" 🐦".to_owned());
    })
}

/// Statements that mean the same in each mode.
fn files(home: &Home) {
    home.file(
        "001_it's \"odd\" `x` 🐦.sql",
        "create table t (n int primary key, c varchar(80));\n-- limosa:rollback\ndrop table t;\n",
    );
    home.file(
        "002_rows.sql",
        "insert into t values (1, '${odd}');\ninsert into t values (2, 'größe 🐦');\n\
         -- limosa:rollback\ndelete from t where c <> '\\ 🐦 ${odd}' and n < 3;\n",
    );
    home.file(
        "003_both.sql",
        "alter table t add column d int;\nupdate t set d = n;\ncreate view w as select 'x\"y' as d;\n\
         -- limosa:rollback\ndrop view w;\nalter table t drop column d;\n",
    );
    home.file("R__it's `x` 🐦.sql", "create or replace view v as select n from t;\n");
}

/// What every mode must keep.
async fn keeps(home: &Home, mode: &str) {
    let migrator = odd(home);
    files(home);
    let answer = done(migrate(&migrator).await);
    assert!(labels(&answer).ends_with(&["001", "002", "003", "R"]), "{mode}");
    assert_eq!(home.rows("select count(*), sum(d), hex(max(c) = 'größe 🐦') from t").len(), 1);
    let status = migrator.status(StatusOptions::default()).await.unwrap();
    assert_eq!(status.changes[status.changes.len() - 4].name, "it's \"odd\" `x` 🐦", "{mode}");
    assert_eq!(migrator.validate().await.unwrap().exit_code, 0, "{mode}");
    assert_eq!(migrator.audit_verify(&[]).await.unwrap().exit_code, 0, "{mode}");
    assert_eq!(home.rows("select distinct actor from limosa_audit_log"), [ODD], "{mode}");
    let plan = home.rows("select rollback_sql from limosa_schema_migrations where identity = '2'");
    assert!(plan[0].contains("'\\ 🐦 ${odd}'"), "{mode}: {plan:?}");

    // A lease that another has taken meanwhile.
    home.file("004_lost.sql", "insert into t (n) values (4);\nupdate limosa_lease set epoch = epoch + 1;\n");
    failed(&migrate(&migrator).await, 3, &["LIM-R008"]);
    assert_eq!(home.rows("select count(*) from t where n = 4"), ["0"], "{mode}: nothing of it stands");
    home.file(
        "004_lost.sql",
        "create table u (n int);\nupdate limosa_lease set epoch = epoch + 1;\ninsert into u values (1);\n",
    );
    failed(&migrate(&migrator).await, 3, &["LIM-R008"]);
    assert_eq!(home.rows("select count(*) from u"), ["0"], "{mode}");
    home.file(
        "004_lost.sql",
        "create table u (n int);\ninsert into u values (2);\n-- limosa:rollback\ndrop table u;\n",
    );
    assert_eq!(labels(&done(migrate(&migrator).await)), ["004"], "{mode}");
    assert_eq!(home.rows("select n from u"), ["2"], "{mode}");

    let consent = home.database();
    done(back(&migrator, Selection::Steps(4), Some(&consent)).await);
    assert_eq!(migrator.audit_verify(&[]).await.unwrap().exit_code, 0, "{mode}");
    let mut found = states(&migrator.status(StatusOptions::default()).await.unwrap());
    found.retain(|state| state != "0 applied");
    assert_eq!(found, ["1 pending", "2 pending", "3 pending", "4 pending", "R:it's `x` 🐦 applied"], "{mode}");
    let view = limosa::Identity::new("R:it's `x` 🐦");
    migrator.repair(&Repair::MarkNotApplied(view), false, &quiet, Stop::new()).await.unwrap();
    migrator.clean(Some(&consent), false, &quiet, Stop::new()).await.unwrap();
    assert!(home.tables().is_empty(), "{mode}");
}

#[tokio::test]
async fn the_ledger_does_not_depend_on_the_sql_mode() {
    let server = own_server(&ServerOptions::new());
    for mode in MODES {
        server.execute("mysql", &format!("set global sql_mode = '{mode}'")).unwrap();
        let home = home_on(&server);
        keeps(&home, mode).await;
    }
}

#[tokio::test]
async fn files_are_read_by_the_mode_of_the_server() {
    let server = own_server(&ServerOptions::new());
    server.execute("mysql", "set global sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES'").unwrap();
    let home = home_on(&server);
    // Read as usual, these have other statements, or none that ends.
    home.file(
        "001_t.sql",
        "create table \"t\" (s varchar(20) primary key);\ninsert into \"t\" values ('\\');\ninsert into \"t\" values (';\\');\n\
         insert into \"nosuch\" values ('\\');\n-- limosa:rollback\ninsert into \"t\" values ('-\\');\ndrop table \"t\";\n",
    );
    home.file("002_u.sql", "insert into t values ('a\\');\ninsert into t values ('b\\');\n-- limosa:rollback\ndelete from \"t\" where s = 'b\\';\n");
    failed(&home.migrate().await, 3, &["1146", "001_t.sql:4:1", "statements 1 to 1 of 4"]);
    home.execute("create table nosuch (s varchar(20))");
    assert_eq!(labels(&done(home.migrate().await)), ["001", "002"]);
    assert_eq!(home.rows("select s from t order by s"), [";\\", "a\\", "b\\", "\\"]);
    let script = home.migrator().plan_script(&MigrateOptions::default()).await.unwrap();
    assert!(!script.contains("nosuch"), "{script}");
    home.file("003_set.sql", "set sql_mode = '';\ninsert into t values ('c\\'', \"');\n");
    failed(&home.migrate().await, 2, &["003_set.sql"]);
    home.file("003_set.sql", "set sql_mode = '';\ninsert into t values (\"c\\\"\");\nset sql_mode = default;\ninsert into t values ('d\\');\n\
         -- limosa:rollback\ndelete from \"t\" where s = 'd\\';\n");
    done(home.migrate().await);
    assert_eq!(home.rows("select s from t where s like 'c%' or s like 'd%' order by s"), ["c\"", "d\\"]);
    let consent = home.database();
    done(back(&home.migrator(), Selection::Steps(3), Some(&consent)).await);
    assert!(!home.tables().contains(&"t".to_owned()));
    // A file that is wrong in each mode is named even where no server answers.
    home.file("004_bad.sql", "insert into t values ('never closed);\n");
    let nowhere = home.with(|it| it.database = limosa::Secret::new("mysql://127.0.0.1:1/nowhere"));
    failed(&migrate(&nowhere).await, 2, &["004_bad.sql"]);
}

#[tokio::test]
async fn the_ledger_does_not_depend_on_the_charset_of_the_database() {
    for charset in
        ["latin1", "ascii", "utf8mb3", "ucs2", "utf8mb4 collate utf8mb4_bin", "latin1 collate latin1_german2_ci"]
    {
        let home = home_on(shared());
        home.execute(&format!("alter database {} character set {charset}", home.database()));
        // The table of the file itself must hold what it writes.
        home.file("000_charset.sql", &format!("alter database {} character set utf8mb4", home.database()));
        keeps(&home, charset).await;
    }
}

#[tokio::test]
async fn identities_differ_by_their_capitals_and_accents() {
    let home = home_on(shared());
    home.execute(&format!("alter database {} character set latin1 collate latin1_swedish_ci", home.database()));
    for name in ["R__a.sql", "R__A.sql", "R__ä.sql"] {
        home.file(name, &format!("insert into seen values ('{name}');\n"));
    }
    home.file("001_seen.sql", "create table if not exists seen (name varchar(20)) character set utf8mb4;\n");
    done(home.migrate().await);
    assert_eq!(home.rows("select count(*) from seen"), ["3"]);
    assert_eq!(
        home.rows("select identity from limosa_schema_migrations order by identity"),
        ["1", "R:A", "R:a", "R:ä"]
    );
    home.file("R__A.sql", "insert into seen values ('again');\n");
    let answer = done(home.migrate().await);
    assert_eq!(answer.steps.iter().map(|step| step.identity.as_str()).collect::<Vec<_>>(), ["R:A"]);
    for project in ["b", "B"] {
        let other = home.with(|it| it.project = project.to_owned());
        assert_eq!(done(migrate(&other).await).outcome, "done", "{project}");
    }
    home.assert_sound().await;
}

#[tokio::test]
async fn names_of_tables_may_be_stored_in_small_letters() {
    let server = own_server(&ServerOptions::new().setting("lower_case_table_names", "1"));
    let home = home_of(server.create_database().unwrap());
    let migrator = home.with(|it| it.ledger_schema = "Ledger".to_owned());
    home.file("001_a.sql", "create table Customers (Id int primary key, Name varchar(20));\n");
    home.file("002_b.sql", "alter table CUSTOMERS add column Age int;\ninsert into customers values (1, 'a', 2);\n");
    done(migrate(&migrator).await);
    assert_eq!(done(migrate(&migrator).await).outcome, "nothing_to_do");
    assert_eq!(migrator.audit_verify(&[]).await.unwrap().exit_code, 0);
    let script = migrator.plan_script(&MigrateOptions::default()).await.unwrap();
    assert!(!script.contains("CUSTOMERS"), "{script}");
}
