//! Backup and restore of PostgreSQL databases, by the tools of servers that have them.

use std::collections::BTreeMap;
use std::fs;
use std::future::{pending, ready};
use std::path::{Path, PathBuf};
use std::time::Duration;

use limosa_db::backup::Standing;
use limosa_db::backup::postgres::{PostgresTools, backup, restore};
use limosa_db::{DbErrorKind, Secret};
use limosa_testkit::{PostgresServer, PostgresVersion, ServerOptions, TestDatabase, postgres};

/// Hears of the progress.
fn silent(_: u64) {}

/// What a test gives to the tools.
struct Setting {
    environment: BTreeMap<String, String>,
    connection: Vec<(String, Secret)>,
    server_version: u32,
}

impl Setting {
    fn new(version: &PostgresVersion, database: &TestDatabase, password: Option<&str>) -> Setting {
        let path = version.bin().display().to_string();
        let port = database.port().to_string();
        let mut connection: Vec<(String, Secret)> =
            [("PGHOST", "127.0.0.1"), ("PGPORT", &port), ("PGUSER", "postgres"), ("PGDATABASE", database.name())]
                .map(|(name, value)| (name.to_owned(), Secret::new(value)))
                .into();
        connection.extend(password.map(|password| ("PGPASSWORD".to_owned(), Secret::new(password))));
        Setting {
            environment: BTreeMap::from([
                ("PATH".to_owned(), path),
                // What the process's own environment says is not to be heard.
                ("PGDATABASE".to_owned(), "elsewhere".to_owned()),
                ("PGPASSWORD".to_owned(), "wrong".to_owned()),
            ]),
            connection,
            server_version: version.major() * 10_000,
        }
    }

    fn tools(&self) -> PostgresTools<'_> {
        PostgresTools {
            folder: None,
            environment: &self.environment,
            connection: &self.connection,
            role: None,
            server_version: self.server_version,
            lock_timeout: Duration::from_secs(120),
        }
    }
}

/// The newest server here whose package has the client tools. `cargo xtask test` sees to one.
fn with_tools() -> PostgresVersion {
    let mut versions = postgres::versions().unwrap();
    versions.retain(|version| ["pg_dump", "pg_restore", "psql"].iter().all(|name| version.program(name).is_some()));
    versions
        .pop()
        .expect("a PostgreSQL with pg_dump, pg_restore and psql is needed; run the tests with `cargo xtask test`")
}

fn fresh() -> (PostgresVersion, TestDatabase) {
    let version = with_tools();
    let database = postgres::shared(&version).unwrap().create_database().unwrap();
    (version, database)
}

const BEFORE: &str = "
    create schema app;
    create type app.mood as enum ('glad', 'sad');
    create table app.parent (id bigint generated always as identity primary key, name text not null, mood app.mood);
    create table child (id serial primary key, parent bigint references app.parent (id) on delete cascade);
    create table parted (n int) partition by range (n);
    create table parted_1 partition of parted for values from (0) to (10);
    create function app.twice(n int) returns int language sql as 'select n * 2';
    create aggregate app.total(int) (sfunc = int4pl, stype = int4, initcond = '0');
    create view summary as select p.mood, count(*) from app.parent p group by p.mood;
    create materialized view frozen as select app.twice(21) as n;
    create procedure app.nothing() language plpgsql as 'begin end';
    create domain positive as int check (value > 0);
    create type pair as (a int, b positive);
    create extension if not exists pg_trgm with schema app;
    create index on app.parent using gin (name app.gin_trgm_ops);
    insert into app.parent (name, mood) select 'näme; ' || n, 'glad' from generate_series(1, 1000) n;
    insert into child (parent) select id from app.parent;
    insert into parted select n from generate_series(0, 9) n;
    select lo_from_bytea(4711, 'large');
";

/// What stands in the way of `pg_restore --clean` alone.
const MIGRATION: &str = "
    alter type app.mood add value 'mixed';
    create schema later;
    create type later.colour as enum ('red');
    create table later.grandchild (id int primary key, parent bigint references app.parent (id), colour later.colour);
    create table \"odd \"\" name\" (p bigint references app.parent (id));
    create view later.seen as select * from summary;
    create function later.f(app.mood, variadic later.colour[]) returns app.mood language sql as 'select $1';
    alter table child add column extra later.colour default 'red';
    alter table app.parent rename to elders;
    drop function app.twice cascade;
    delete from child where id > 500;
    update app.elders set mood = 'sad';
    create sequence later.numbers;
    create table parted_2 partition of parted for values from (10) to (20);
";

/// All that a person would call the database's content.
fn content(database: &TestDatabase) -> Vec<Vec<Option<String>>> {
    let lists = [
        "select relkind::text, oid::regclass::text from pg_class where relnamespace in \
         (select oid from pg_namespace where nspname in ('app', 'public', 'later')) order by 1, 2",
        "select oid::regprocedure::text from pg_proc where pronamespace in \
         (select oid from pg_namespace where nspname in ('app', 'public', 'later')) order by 1",
        "select nspname::text from pg_namespace where nspname not like 'pg\\_%' order by 1",
        "select enumlabel::text from pg_enum order by enumsortorder",
        "select extname::text from pg_extension order by 1",
        "select count(*), count(distinct name), min(mood::text), max(id) from app.parent",
        "select count(*), sum(parent) from child",
        "select n, app.twice(n) from frozen",
        "select encode(lo_get(4711), 'escape')",
        "select mood::text, count from summary",
    ];
    lists.iter().flat_map(|sql| database.query(sql).unwrap()).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn there_and_back() {
    let (version, database) = fresh();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("b.dump");
    database.execute(BEFORE).unwrap();
    let before = content(&database);
    let setting = Setting::new(&version, &database, None);
    let report = backup(&setting.tools(), &file, pending(), silent).await.unwrap();
    assert_eq!(report.bytes, fs::metadata(&file).unwrap().len());
    assert_eq!(names(folder.path()), ["b.dump"]);
    for _ in 0..2 {
        database.execute(MIGRATION).unwrap();
        restore(&setting.tools(), &file, pending(), silent).await.unwrap();
        assert_eq!(content(&database), before);
    }
    // Into an empty database, and with a role.
    let other = postgres::shared(&version).unwrap().create_database().unwrap();
    let setting = Setting::new(&version, &other, None);
    let tools = PostgresTools { role: Some("postgres"), ..setting.tools() };
    restore(&tools, &file, pending(), silent).await.unwrap();
    assert_eq!(content(&other), before);
    let error = backup(&tools, &file, pending(), silent).await.unwrap_err();
    assert_eq!(error.kind, DbErrorKind::Configuration);
    assert!(error.message.ends_with("b.dump exists already"), "{error}");
}

#[tokio::test]
async fn a_restore_that_fails_changes_nothing() {
    let (version, database) = fresh();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    database.execute(BEFORE).unwrap();
    let setting = Setting::new(&version, &database, None);
    backup(&setting.tools(), &path("b.dump"), pending(), silent).await.unwrap();
    database.execute("insert into parted values (5)").unwrap();
    let before = content(&database);
    let whole = fs::read(path("b.dump")).unwrap();
    fs::write(path("half.dump"), &whole[..whole.len() * 2 / 3]).unwrap();
    fs::write(path("junk.dump"), "x".repeat(5_000)).unwrap();
    for (name, kind) in [
        ("half.dump", DbErrorKind::Statement),
        ("junk.dump", DbErrorKind::Statement),
        ("none.dump", DbErrorKind::DatabaseMissing),
    ] {
        let error = restore(&setting.tools(), &path(name), pending(), silent).await.unwrap_err().error;
        assert_eq!(error.kind, kind, "{error:?}");
        assert!(error.hint.is_some() && (error.detail.is_some() || name == "none.dump"), "{error:?}");
        assert_eq!(content(&database), before, "{name}");
    }
    assert_eq!(database.query("select count(*) from parted").unwrap(), [[Some("11".to_owned())]]);
    // A role that does not own everything is stopped by the server.
    database.execute("create role backup_stranger").unwrap();
    let tools = PostgresTools { role: Some("backup_stranger"), ..setting.tools() };
    let error = restore(&tools, &path("b.dump"), pending(), silent).await.unwrap_err().error;
    assert_eq!(error.kind, DbErrorKind::PermissionDenied);
    assert_eq!(content(&database), before);
}

#[tokio::test]
async fn locks_of_others_and_cancelling() {
    let (version, database) = fresh();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    database.execute("create table t (n int); insert into t values (1)").unwrap();
    let setting = Setting::new(&version, &database, None);
    backup(&setting.tools(), &path("b.dump"), pending(), silent).await.unwrap();
    let holder = database.session().unwrap();
    holder.execute("begin; lock table t in access exclusive mode").unwrap();
    let hasty = PostgresTools { lock_timeout: Duration::from_millis(20), ..setting.tools() };
    let error = backup(&hasty, &path("c.dump"), pending(), silent).await.unwrap_err();
    assert_eq!(error.kind, DbErrorKind::LockTimeout, "{error:?}");
    let error = restore(&hasty, &path("b.dump"), pending(), silent).await.unwrap_err().error;
    assert_eq!(error.kind, DbErrorKind::LockTimeout, "{error:?}");
    let waiting =
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()";
    let until_it_waits = || async {
        while database.query(waiting).unwrap() != [[Some("1".to_owned())]] {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let error = backup(&setting.tools(), &path("c.dump"), until_it_waits(), silent).await.unwrap_err();
    assert_eq!(error.kind, DbErrorKind::Cancelled);
    // The server has nothing left of it, though nobody closed the connection in its place.
    let nobody_waits = || database.query(waiting).unwrap() == [[Some("0".to_owned())]];
    limosa_testkit::eventually("nobody waits", nobody_waits);
    let error = restore(&setting.tools(), &path("b.dump"), until_it_waits(), silent).await.unwrap_err();
    assert_eq!((error.error.kind, error.standing), (DbErrorKind::Cancelled, Standing::Unchanged), "{error:?}");
    limosa_testkit::eventually("nobody waits", nobody_waits);
    let error = backup(&setting.tools(), &path("c.dump"), ready(()), silent).await.map(drop);
    assert!(error.is_err());
    drop(holder);
    assert_eq!(names(folder.path()), ["b.dump"]);
    assert_eq!(database.query("select n from t").unwrap(), [[Some("1".to_owned())]]);
}

#[tokio::test]
async fn a_password_goes_by_the_environment_only() {
    let version = with_tools();
    let server = PostgresServer::start_with(&version, &ServerOptions::new().scram_password("canary'1")).unwrap();
    let database = server.create_database().unwrap();
    database.execute("create table t (n int)").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let setting = Setting::new(&version, &database, Some("canary'1"));
    let shown = format!("{:?}", setting.tools());
    assert!(!shown.contains("canary"), "{shown}");
    backup(&setting.tools(), &path("b.dump"), pending(), silent).await.unwrap();
    restore(&setting.tools(), &path("b.dump"), pending(), silent).await.unwrap();
    for password in [Some("canary'2"), None] {
        let setting = Setting::new(&version, &database, password);
        let errors = [
            backup(&setting.tools(), &path("c.dump"), pending(), silent).await.unwrap_err(),
            restore(&setting.tools(), &path("b.dump"), pending(), silent).await.unwrap_err().error,
        ];
        for error in errors {
            assert_eq!(error.kind, DbErrorKind::Authentication, "{error:?}");
            assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        }
    }
    if cfg!(target_os = "linux") {
        let holder = database.session().unwrap();
        holder.execute("begin; lock table t in access exclusive mode").unwrap();
        let seen = async {
            loop {
                let found = command_lines().into_iter().find(|line| line.contains("d.dump.partial"));
                if let Some(line) = found {
                    assert!(line.contains("--format=custom") && !line.contains("canary"), "{line}");
                    break;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let error = backup(&setting.tools(), &path("d.dump"), seen, silent).await.unwrap_err();
        assert_eq!(error.kind, DbErrorKind::Cancelled);
    }
    server.stop().unwrap();
    let error = backup(&setting.tools(), &path("c.dump"), pending(), silent).await.unwrap_err();
    assert_eq!(error.kind, DbErrorKind::CannotConnect, "{error:?}");
    assert_eq!(names(folder.path()), ["b.dump"]);
}

fn command_lines() -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let lines = processes.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " ")).collect()
}

#[cfg(unix)]
#[tokio::test]
async fn tools_are_chosen_by_version() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let fake = |name: &str, version: &str| {
        let bin = folder.path().join(name);
        fs::create_dir(&bin).unwrap();
        let script = format!(
            "#!/bin/sh\n[ \"$1\" = --version ] && echo 'pg_dump (PostgreSQL) {version}' && exit\n\
                              echo \"ran {name} with $PGDATABASE$PGFAKE\" >&2\nexit 1\n"
        );
        fs::write(bin.join("pg_dump"), script).unwrap();
        fs::set_permissions(bin.join("pg_dump"), fs::Permissions::from_mode(0o755)).unwrap();
        bin
    };
    let bins =
        [fake("old", "13.9"), fake("new", "17beta1"), fake("newer", "18.1 (Debian 18.1-1)"), fake("same", "15.2")];
    let connection = [("PGDATABASE".to_owned(), Secret::new("mine"))];
    let run = async |paths: &[&Path], folder: Option<&Path>| {
        let path = std::env::join_paths(paths).unwrap().into_string().unwrap();
        let environment = BTreeMap::from([("PATH".to_owned(), path), ("PGFAKE".to_owned(), "leaked".to_owned())]);
        let tools = PostgresTools {
            folder,
            environment: &environment,
            connection: &connection,
            role: None,
            server_version: 150_018,
            lock_timeout: Duration::ZERO,
        };
        let to = bins[0].join("never.dump");
        let error = backup(&tools, &to, pending(), silent).await.unwrap_err();
        error.detail.unwrap_or(error.message)
    };
    let [old, new, newer, same] = bins.each_ref().map(PathBuf::as_path);
    assert_eq!(run(&[old, newer, new, same], None).await, "ran same with mine");
    assert_eq!(run(&[old, newer, new], None).await, "ran newer with mine");
    assert_eq!(run(&[old, new], None).await, "ran new with mine");
    assert_eq!(run(&[same], Some(new)).await, "ran new with mine");
    let too_old =
        format!("{}/pg_dump has version 13.9, the server has 15.18: pg_dump must not be older", old.display());
    assert_eq!(run(&[old], None).await, too_old);
    assert_eq!(run(&[same], Some(old)).await, too_old);
    assert_eq!(run(&[folder.path()], None).await, "no pg_dump that runs was found in PATH");
    let none = format!("no pg_dump that runs is in {}", folder.path().display());
    assert_eq!(run(&[same], Some(folder.path())).await, none);
    assert_eq!(names(old), ["pg_dump"], "no file was left behind");
}
