//! Servers and users that refuse: read-only, no rights, wrong words, nobody there, too large, full.

use limosa::{Configuration, MigrateOptions, Migrator, Secret, Stop, ledger_script};
use limosa_testkit::mysql::ServerOptions;

use super::{home, home_on, own_server, shared};
use crate::answers::{done, failed, migrate, quiet, refusal};
use crate::place::Home;
use crate::running::Running;

/// A user of the test's own, and its address.
fn user(home: &Home, rights: &[&str]) -> (String, Configuration) {
    let name = format!("u_{}", home.database());
    home.execute(&format!("create user '{name}'@'%' identified by 'x'"));
    for right in rights {
        home.execute(&format!("grant {right} to '{name}'@'%'"));
    }
    let mut configuration = home.configuration();
    configuration.database = Secret::new(home.mysql().url_for(&name, "x"));
    (name, configuration)
}

#[tokio::test]
async fn without_rights_it_says_which_are_missing() {
    let home = home();
    home.file("001_a.sql", "create table a (n int);\n");
    let (name, configuration) = user(&home, &[&format!("select on {}.*", home.database())]);
    let text = failed(&migrate(&Migrator::new(configuration.clone())).await, 3, &["1142", "CREATE"]);
    assert!(text.contains("init --print-ledger-sql"), "{text}");
    assert!(home.tables().is_empty());

    // The ledger stands, the file may not do what it wants.
    done(home.migrate().await);
    home.execute(&format!("grant select, insert, update, delete on {}.* to '{name}'@'%'", home.database()));
    home.file("002_b.sql", "insert into a values (1);\nalter table a add column m int;\n");
    failed(
        &migrate(&Migrator::new(configuration.clone())).await,
        3,
        &["1142", "ALTER", "002_b.sql:2:1", "the user lacks a right; grant it (SHOW GRANTS"],
    );
    home.execute(&format!("grant alter, create on {}.* to '{name}'@'%'", home.database()));
    done(migrate(&Migrator::new(configuration)).await);
    assert_eq!(home.rows("select n from a"), ["1"]);
    home.assert_sound().await;
}

#[tokio::test]
async fn the_table_of_another_tool_that_may_not_be_read_is_told_with_the_right() {
    // With a right to some of its columns, and with none to any: then the catalogue hides them.
    for right in ["create, insert", "create"] {
        let home = home();
        home.file("1_a.sql", "-- +goose Up\ncreate table a (n int);\n");
        home.execute("create table goose_db_version (id int, version_id bigint, is_applied boolean, tstamp timestamp)");
        home.execute("insert into goose_db_version values (1, 0, true, null), (2, 1, true, null)");
        let (name, configuration) = user(&home, &[&format!("{right} on {}.*", home.database())]);
        let migrator = Migrator::new(configuration);
        let wanted =
            ["LIM-P020", "goose", "may not be read", &format!("grant select on `goose_db_version` to '{name}'@")];
        failed(&migrate(&migrator).await, 4, &wanted);
        let answer = migrator.adopt(&limosa::AdoptOptions::default(), &quiet, Stop::new()).await;
        let shown = refusal(answer, 3, &["LIM-U118", &format!("grant select on `goose_db_version` to '{name}'@'%'")]);
        assert!(!shown.contains(&format!("'{name}@")), "{shown}");
        // As it is said, it is enough.
        home.execute(&format!("grant select on goose_db_version to '{name}'@'%'"));
        failed(&migrate(&migrator).await, 4, &["goose has migrated this database"]);
    }
}

#[tokio::test]
async fn a_ledger_that_an_administrator_made_is_enough_with_the_grants_that_are_said() {
    let home = home();
    let (name, configuration) = user(&home, &[&format!("create on {}.*", home.database())]);
    let script = ledger_script(&configuration, None).unwrap();
    assert!(script.contains("TO 'limosa_runner'@'%'"), "{script}");
    crate::dry_run::by_hand(&home, &script.replace("limosa_runner", &name));
    let migrator = Migrator::new(configuration);
    home.file("001_a.sql", "create table a (n int);\n");
    done(migrate(&migrator).await);
    home.execute(&format!("grant insert, select on {}.a to '{name}'@'%'", home.database()));
    home.file("002_rows.sql", "insert into a values (1);\n");
    done(migrate(&migrator).await);
    assert_eq!(migrator.audit_verify(&[]).await.unwrap().exit_code, 0);
    assert_eq!(migrator.validate().await.unwrap().exit_code, 0);
}

#[tokio::test]
async fn a_server_that_is_read_only_says_so() {
    let server = own_server(&ServerOptions::new());
    let home = home_on(&server);
    home.file("001_a.sql", "create table a (n int);\n");
    done(home.migrate().await);
    let (_, configuration) = user(&home, &[&format!("all on {}.*", home.database())]);
    server.execute("mysql", "set global read_only = on").unwrap();
    home.file("002_b.sql", "create table b (n int);\n");
    let migrator = Migrator::new(configuration);
    let text = crate::answers::said(&migrate(&migrator).await).1;
    assert!(text.contains("read-only") || text.contains("read_only"), "{text}");
    assert_eq!(migrator.status(limosa::StatusOptions::default()).await.unwrap().pending, 1);
    assert_eq!(migrator.validate().await.unwrap().exit_code, 0);
    assert_eq!(home.tables(), ["a"]);
    server.execute("mysql", "set global read_only = off").unwrap();
    done(migrate(&migrator).await);
}

#[tokio::test]
async fn addresses_that_lead_nowhere() {
    let home = home();
    home.file("001_a.sql", "create table a (n int);\n");
    let at = |url: String| home.with(|it| it.database = Secret::new(url));
    let database = home.mysql();
    let text = refusal(migrate(&at(database.url_for("tester", "wrong"))).await, 3, &["1045"]);
    assert!(!text.contains("wrong"), "no secret: {text}");
    let free = limosa_testkit::free_port().unwrap();
    refusal(migrate(&at(database.url_on_port(free))).await, 3, &["LIM-D002", &free.to_string()]);
    let missing = database.url().replace(database.name(), "no_such_database");
    refusal(migrate(&at(missing)).await, 3, &["no_such_database", "1049", "create"]);
    refusal(migrate(&at("mysql://tester@nosuchhost.invalid/x".to_owned())).await, 3, &["nosuchhost.invalid"]);
    assert!(home.tables().is_empty());
}

#[tokio::test]
async fn a_statement_that_the_server_finds_too_large() {
    let server = own_server(&ServerOptions::new().max_allowed_packet(1024 * 1024));
    let home = home_on(&server);
    let long = "x".repeat(1024 * 1024);
    home.file("001_a.sql", &format!("create table a (c longtext);\ninsert into a values ('{long}');\n"));
    let text = failed(&home.migrate().await, 3, &["max_allowed_packet", "001_a.sql:2:1"]);
    assert!(text.len() < 2000, "{}", text.len());
    home.file("001_a.sql", "create table a (c longtext);\ninsert into a values ('short');\n");
    done(home.migrate().await);
    home.assert_sound().await;
}

#[tokio::test]
async fn a_disk_that_is_full() {
    let server = own_server(&ServerOptions::new().durable().disk(96 << 20));
    let home = home_on(&server);
    home.file("001_a.sql", "create table a (n int primary key, c longtext);\ninsert into a values (0, 'before');\n");
    done(home.migrate().await);
    home.file(
        "002_fill.sql",
        "create table early (n int);\ninsert into a select seq, repeat('x', 100000) from seq_1_to_5000;\ncreate table behind (n int);\n",
    );
    let result = Running::migrate(home.configuration()).end().await;
    assert_eq!(crate::running::exit(&result), 3);
    // The server gives an error, or dies.
    crate::running::says(&result, &["002_fill.sql"]);
    server.resize_disk(2 << 30).unwrap();
    server.kill_hard().unwrap();
    server.start_again().unwrap();
    home.file(
        "002_fill.sql",
        "create table early (n int);\ninsert into a select seq, repeat('x', 100000) from seq_1_to_50;\ncreate table behind (n int);\n",
    );
    done(home.migrate().await);
    assert_eq!(home.rows("select count(*) from a"), ["51"]);
    home.assert_sound().await;
}

#[tokio::test]
async fn clean_takes_everything() {
    let home = home_on(shared());
    home.file("001_a.sql", "create table a (n int);\n");
    done(home.migrate().await);
    home.execute(
        "create table p (id int primary key, c int); create table c (id int primary key, p int references p (id)); \
         alter table p add constraint p_c foreign key (c) references c (id); create view v as select 1 as n; create view w as select n from v; \
         create procedure r() select 1; create function f() returns int deterministic return 1; \
         create event e on schedule every 1 year do select 1; create sequence s; \
         create trigger g before insert on p for each row set new.c = 1; create table `odd``name;` (n int); \
         create table old (n int) engine = MyISAM; create table versions (n int) with system versioning; \
         create table parts (n int) partition by hash (n) partitions 3",
    );
    let consent = home.database();
    home.migrator().clean(Some(&consent), true, &quiet, Stop::new()).await.unwrap();
    assert!(home.tables().len() > 5);
    home.migrator().clean(Some(&consent), false, &quiet, Stop::new()).await.unwrap();
    assert!(home.tables().is_empty(), "{:?}", home.tables());
    assert_eq!(
        home.rows(
            "select (select count(*) from information_schema.routines where routine_schema = database()) + \
             (select count(*) from information_schema.events where event_schema = database())"
        ),
        ["0"]
    );
    done(home.migrate_with(&MigrateOptions::default()).await);
}
