//! What a user may not see is not left out in silence, and what a user may not make is told before anything is dropped.

use std::fs;
use std::future::pending;

use limosa_db::DbErrorKind;
use limosa_db::backup::Standing;
use limosa_db::backup::mysql::{MysqlTools, backup, restore};
use limosa_testkit::MysqlServer;
use limosa_testkit::mysql::ServerOptions;

use super::{Setting, fresh, names, newest, rows, silent};

#[tokio::test]
async fn a_backup_that_would_lack_what_is_hidden_is_refused() {
    let (server, database, _) = fresh();
    let name = database.name();
    let user = format!("{name}_r");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("b.sql");
    server.create_user(&user, "pw", &[&format!("select, show view, event on {name}.*")]).unwrap();
    database
        .execute("create table t (n int); create trigger tr after insert on t for each row set @x = 1; create procedure p() select 1")
        .unwrap();
    let version = newest();
    let setting = Setting::new(&version, &database.url_for(&user, "pw"));
    let error = backup(&setting.tools(), &file, pending(), silent).await.unwrap_err();
    assert_eq!(error.kind, DbErrorKind::PermissionDenied);
    assert_eq!(
        error.message,
        format!("{user}@% lacks TRIGGER, EXECUTE on `{name}`.*: what is hidden would be missing from the backup")
    );
    let grant = format!("GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, EXECUTE ON `{name}`.* TO `{user}`@`%`");
    assert!(error.hint.as_ref().unwrap().contains(&grant), "{error:?}");
    assert_eq!(names(folder.path()), [""; 0]);
    // What it says helps, by a role that is the user's default as well.
    server
        .execute(
            name,
            &format!("create role {name}_b; {}", grant.replace(&format!("`{user}`@`%`"), &format!("{name}_b"))),
        )
        .unwrap();
    server.execute(name, &format!("grant {name}_b to {user}")).unwrap();
    let role = format!("{name}_b");
    let tools = MysqlTools { role: Some(&role), ..setting.tools() };
    let error = backup(&tools, &file, pending(), silent).await.unwrap_err();
    let default = format!("SET DEFAULT ROLE `{role}` FOR `{user}`@`%`");
    assert!(error.hint.as_ref().unwrap().ends_with(&default), "{error:?}");
    server.execute(name, &default).unwrap();
    let error = backup(&setting.tools(), &file, pending(), silent).await.unwrap_err();
    // The text of somebody else's routine is hidden all the same.
    assert_eq!(error.kind, DbErrorKind::PermissionDenied, "{error:?}");
    assert!(error.hint.as_ref().unwrap().contains("GRANT SELECT ON mysql.proc"), "{error:?}");
    server.execute(name, &format!("grant select on mysql.proc to {user}")).unwrap();
    let report = backup(&tools, &file, pending(), silent).await.unwrap();
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("trigger tr after insert") && text.contains("PROCEDURE `p`"), "{text}");
    let [warning] = &report.warnings[..] else { panic!("{report:?}") };
    assert!(warning.message.contains("root@localhost (procedure p)"), "{warning:?}");
}

#[tokio::test]
async fn definers_of_others_are_told_before_anything_is_dropped() {
    let (server, database, setting) = fresh();
    let name = database.name();
    let (user, version) = (format!("{name}_u"), newest());
    server.create_user(&user, "pw", &[&format!("all privileges on {name}.*")]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let [foreign, own] = ["foreign.sql", "own.sql"].map(|name| folder.path().join(name));
    let session = database.session_for(&user, "pw").unwrap();
    session.execute("create table t (n int)").unwrap();
    session.execute("create view v as select n from t").unwrap();
    session.execute("create procedure p() select 1").unwrap();
    session.execute("create trigger tr after insert on t for each row set @x = 1").unwrap();
    session.execute("create event e on schedule every 1 day disable do select 1").unwrap();
    let limited = Setting::new(&version, &database.url_for(&user, "pw"));
    assert_eq!(backup(&limited.tools(), &own, pending(), silent).await.unwrap().warnings, []);
    // A user may restore what is the user's own.
    restore(&limited.tools(), &own, pending(), silent).await.unwrap();
    database.execute("create or replace definer = 'nobody'@'%' view v as select n from t").unwrap();
    backup(&setting.tools(), &foreign, pending(), silent).await.unwrap();
    database.execute("create table later (n int)").unwrap();
    let failure = restore(&limited.tools(), &foreign, pending(), silent).await.unwrap_err();
    assert_eq!(
        (failure.standing, failure.error.kind),
        (Standing::Unchanged, DbErrorKind::PermissionDenied),
        "{failure:?}"
    );
    assert!(failure.error.message.contains(&format!("of nobody@%, and {user}@%")), "{failure:?}");
    let hint = failure.error.hint.unwrap();
    let grant = format!("GRANT SET USER ON *.* TO `{user}`@`%`");
    assert!(hint.contains(&grant), "{hint}");
    assert_eq!(rows(&database, "show tables").len(), 3);
    server.execute(name, &grant).unwrap();
    restore(&limited.tools(), &foreign, pending(), silent).await.unwrap();
    let definer = "select definer from information_schema.views where table_schema = database()";
    assert_eq!(rows(&database, definer), [[Some("nobody@%".to_owned())]]);
}

#[tokio::test]
async fn rights_that_lack_are_told_before_anything_is_dropped() {
    let (server, database, setting) = fresh();
    let name = database.name();
    let (user, version) = (format!("{name}_w"), newest());
    server.create_user(&user, "pw", &[&format!("select, insert, create, drop, references on {name}.*")]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("b.sql");
    database
        .execute("create table t (n int primary key); create table u (n int, foreign key (n) references t (n)); create procedure p() select 1")
        .unwrap();
    backup(&setting.tools(), &file, pending(), silent).await.unwrap();
    let limited = Setting::new(&version, &database.url_for(&user, "pw"));
    let failure = restore(&limited.tools(), &file, pending(), silent).await.unwrap_err();
    assert_eq!((failure.standing, failure.error.kind), (Standing::Unchanged, DbErrorKind::PermissionDenied));
    let lacking = format!("{user}@% lacks ALTER, CREATE ROUTINE, ALTER ROUTINE on `{name}`.*");
    assert!(failure.error.message.starts_with(&lacking), "{failure:?}");
    assert_eq!(rows(&database, "show tables").len(), 2);
    // By a role that is taken on.
    server
        .execute(
            name,
            &format!(
                "create role {name}_all; grant all privileges on {name}.* to {name}_all; grant {name}_all to {user}"
            ),
        )
        .unwrap();
    let role = format!("{name}_all");
    let tools = MysqlTools { role: Some(&role), ..limited.tools() };
    database.execute("drop procedure p; create definer = current_role procedure p() select 1").unwrap_or_else(|_| {
        database.execute(&format!("create definer = '{user}'@'%' procedure p() select 1")).unwrap();
    });
    fs::remove_file(&file).unwrap();
    backup(&setting.tools(), &file, pending(), silent).await.unwrap();
    restore(&tools, &file, pending(), silent).await.unwrap();
    assert_eq!(rows(&database, "show tables").len(), 2);
}

#[tokio::test]
async fn a_server_that_guards_its_binary_log_is_known_before() {
    let version = newest();
    let options = ServerOptions::new().setting("log_bin", "binary").setting("server_id", "1");
    let server = MysqlServer::start_with(&version, &options).unwrap();
    let database = server.create_database().unwrap();
    let name = database.name();
    server.create_user("limited", "pw", &[&format!("all privileges on {name}.*")]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("b.sql");
    server.execute(name, "set global log_bin_trust_function_creators = 1").unwrap();
    let session = database.session_for("limited", "pw").unwrap();
    session.execute("create table t (n int)").unwrap();
    session.execute("create function f() returns double return rand()").unwrap();
    let setting = Setting::new(&version, &database.url_for("limited", "pw"));
    backup(&setting.tools(), &file, pending(), silent).await.unwrap();
    server.execute(name, "set global log_bin_trust_function_creators = 0").unwrap();
    let failure = restore(&setting.tools(), &file, pending(), silent).await.unwrap_err();
    assert_eq!(
        (failure.standing, failure.error.kind),
        (Standing::Unchanged, DbErrorKind::PermissionDenied),
        "{failure:?}"
    );
    assert!(failure.error.hint.as_ref().unwrap().contains("log_bin_trust_function_creators = 1"), "{failure:?}");
    server.execute(name, "set global log_bin_trust_function_creators = 1").unwrap();
    restore(&setting.tools(), &file, pending(), silent).await.unwrap();
    server.execute(name, "set global log_bin_trust_function_creators = 0").unwrap();
    // One that says what it does is taken from a user with SUPER, and from no other.
    database
        .execute(&format!(
            "drop function f; create definer = limited function {name}.f() returns int deterministic return 1"
        ))
        .unwrap();
    fs::remove_file(&file).unwrap();
    backup(&setting.tools(), &file, pending(), silent).await.unwrap();
    let failure = restore(&setting.tools(), &file, pending(), silent).await.unwrap_err();
    assert_eq!(
        (failure.standing, failure.error.kind),
        (Standing::Unchanged, DbErrorKind::PermissionDenied),
        "{failure:?}"
    );
    server.execute(name, "grant super on *.* to limited").unwrap();
    restore(&setting.tools(), &file, pending(), silent).await.unwrap();
}
