//! What is refused before anything is dropped, and how a failure in the middle is told.

use std::collections::BTreeMap;
use std::fs;
use std::future::pending;
use std::path::Path;
use std::time::Duration;

use limosa_db::DbErrorKind;
use limosa_db::backup::Standing;
use limosa_db::backup::mysql::{MysqlTools, backup, restore};
use limosa_db::engines::mysql::Flavor;
use limosa_testkit::MysqlServer;
use limosa_testkit::mysql::ServerOptions;

use super::{Setting, fresh, names, newest, number, rows, silent};

#[tokio::test]
async fn a_dump_that_does_not_fit_changes_nothing() {
    let (_, database, setting) = fresh();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    database
        .execute("create table t (n int); create view v as select n from t; insert into t values (1), (2)")
        .unwrap();
    backup(&setting.tools(), &path("b.sql"), pending(), silent).await.unwrap();
    database.execute("insert into t values (3); create table later (n int)").unwrap();
    let whole = fs::read_to_string(path("b.sql")).unwrap();
    let last = whole.trim_end().rfind('\n').unwrap();
    let changed = |from: &str, to: &str| whole.replacen(from, to, 1);
    let version = "-- Server version\t";
    for (name, text, kind, words) in [
        ("half.sql", whole[..whole.len() * 2 / 3].to_owned(), DbErrorKind::Statement, "cut off"),
        ("no_end.sql", whole[..last].to_owned(), DbErrorKind::Statement, "cut off"),
        ("more.sql", format!("{whole}DROP TABLE t;\n"), DbErrorKind::Statement, "cut off"),
        ("junk.sql", "x".repeat(5_000), DbErrorKind::Statement, "no dump"),
        ("empty.sql", String::new(), DbErrorKind::Statement, "no dump"),
        (
            "other.sql",
            changed("DROP TABLE", "USE `mysql`;\nDROP TABLE"),
            DbErrorKind::Configuration,
            "names a database itself, `mysql`",
        ),
        (
            "newer.sql",
            changed(version, &format!("{version}99.1.2-MariaDB\n-- ")),
            DbErrorKind::Configuration,
            "made from version 99.1.2",
        ),
        (
            "mysql.sql",
            changed(version, &format!("{version}8.0.36\n-- ")),
            DbErrorKind::Configuration,
            "made from a MySQL server",
        ),
    ] {
        fs::write(path(name), text).unwrap();
        let failure = restore(&setting.tools(), &path(name), pending(), silent).await.unwrap_err();
        let error = &failure.error;
        assert_eq!((failure.standing, error.kind), (Standing::Unchanged, kind), "{name}: {error:?}");
        assert!(error.message.contains(words) && error.hint.is_some(), "{name}: {error:?}");
    }
    let failure = restore(&setting.tools(), &path("none.sql"), pending(), silent).await.unwrap_err();
    assert_eq!((failure.standing, failure.error.kind), (Standing::Unchanged, DbErrorKind::DatabaseMissing));
    assert_eq!(
        rows(&database, "select count(*) from t, later right join (select 1) x on true"),
        [[Some("3".to_owned())]]
    );
    restore(&setting.tools(), &path("b.sql"), pending(), silent).await.unwrap();
    assert_eq!(rows(&database, "select n from v"), [[Some("1".to_owned())], [Some("2".to_owned())]]);
}

#[tokio::test]
async fn a_statement_that_is_too_long_for_the_server_is_told_at_both_ends() {
    let version = newest();
    let server = MysqlServer::start_with(&version, &ServerOptions::new().max_allowed_packet(2 << 20)).unwrap();
    let database = server.create_database().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("b.sql");
    // In the dump each byte is two digits.
    database.execute("create table t (b longblob); insert into t values (repeat(unhex('00'), 1500000))").unwrap();
    let setting = Setting::new(&version, &database.url());
    let report = backup(&setting.tools(), &file, pending(), silent).await.unwrap();
    let [warning] = &report.warnings[..] else { panic!("{report:?}") };
    assert!(warning.message.contains("max_allowed_packet"), "{warning:?}");
    database.execute("create table later (n int)").unwrap();
    let failure = restore(&setting.tools(), &file, pending(), silent).await.unwrap_err();
    assert_eq!((failure.standing, failure.error.kind), (Standing::Unchanged, DbErrorKind::Statement));
    assert!(
        failure.error.hint.as_ref().unwrap().contains("SET GLOBAL max_allowed_packet = 3 * 1024 * 1024"),
        "{failure:?}"
    );
    assert_eq!(rows(&database, "show tables").len(), 2);
    server.execute(database.name(), "set global max_allowed_packet = 3 * 1024 * 1024").unwrap();
    restore(&setting.tools(), &file, pending(), silent).await.unwrap();
    assert_eq!(rows(&database, "show tables").len(), 1);
}

#[tokio::test]
async fn a_failure_in_the_middle_says_where_and_a_second_try_begins_anew() {
    let (_, database, setting) = fresh();
    let folder = tempfile::tempdir().unwrap();
    let [good, bad] = ["good.sql", "bad.sql"].map(|name| folder.path().join(name));
    database.execute("create table a (n int); create table b (n int primary key); insert into b values (1)").unwrap();
    backup(&setting.tools(), &good, pending(), silent).await.unwrap();
    let text = fs::read_to_string(&good).unwrap();
    let broken = text.replacen("(1);", "(1, 2);", 1);
    assert_ne!(broken, text);
    fs::write(&bad, &broken).unwrap();
    database.execute("create table later (n int)").unwrap();
    let failure = restore(&setting.tools(), &bad, pending(), silent).await.unwrap_err();
    assert_eq!((failure.standing, failure.error.kind), (Standing::Partial, DbErrorKind::Statement), "{failure:?}");
    // The client names the line at which the statement begins.
    let line = 1 + broken.lines().position(|line| line.starts_with("INSERT INTO `b`")).unwrap();
    let expected = format!("at line {line} of {} of {}", broken.lines().count(), bad.display());
    assert!(failure.error.message.ends_with(&expected), "{failure:?}: {expected}");
    assert!(failure.error.hint.as_ref().unwrap().contains("restore the same backup again"), "{failure:?}");
    assert!(failure.error.detail.as_ref().unwrap().starts_with("ERROR 1136 (21S01)"), "{failure:?}");
    restore(&setting.tools(), &good, pending(), silent).await.unwrap();
    assert_eq!(rows(&database, "show tables"), [[Some("a".to_owned())], [Some("b".to_owned())]]);
    assert_eq!(rows(&database, "select n from b"), [[Some("1".to_owned())]]);
}

#[tokio::test]
async fn a_broken_view_fails_the_backup_and_no_file_is_left() {
    let (_, database, setting) = fresh();
    let folder = tempfile::tempdir().unwrap();
    database.execute("create table t (n int); create view v as select n from t; drop table t").unwrap();
    let error = backup(&setting.tools(), &folder.path().join("b.sql"), pending(), silent).await.unwrap_err();
    assert_eq!(error.code.as_deref(), Some("1356"), "{error:?}");
    assert!(
        error.detail.as_ref().unwrap().contains('v') && error.hint.as_ref().unwrap().contains("mend the view"),
        "{error:?}"
    );
    assert_eq!(names(folder.path()), [""; 0]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_full_disk_leaves_no_file() {
    let (_, database, setting) = fresh();
    database.execute("create table t (t longtext); insert into t values (repeat('x', 3000000))").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let real = newest().program("mariadb-dump").unwrap();
    // A file of the program's must not grow beyond a limit; its signal is ignored so that writing fails instead.
    let limited = format!("#!/bin/sh\ntrap '' XFSZ; ulimit -f 1000; exec {} \"$@\"\n", real.display());
    let bin = folder.path().join("bin");
    fs::create_dir(&bin).unwrap();
    program(&bin.join("mariadb-dump"), &limited);
    std::os::unix::fs::symlink(newest().program("mariadb").unwrap(), bin.join("mariadb")).unwrap();
    let backups = folder.path().join("backups");
    fs::create_dir(&backups).unwrap();
    let tools = MysqlTools { folder: Some(&bin), ..setting.tools() };
    let error = backup(&tools, &backups.join("b.sql"), pending(), silent).await.unwrap_err();
    assert_eq!(error.kind, DbErrorKind::Resources, "{error:?}");
    assert_eq!(names(&backups), [""; 0]);
    // Where the tests may mount, a disk that is full.
    let mount =
        std::process::Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(&backups).output();
    if mount.is_ok_and(|output| output.status.success()) {
        let error = backup(&setting.tools(), &backups.join("b.sql"), pending(), silent).await.map(drop);
        let left = names(&backups);
        std::process::Command::new("umount").arg("-l").arg(&backups).output().unwrap();
        assert_eq!(error.unwrap_err().kind, DbErrorKind::Resources);
        assert_eq!(left, [""; 0]);
    }
}

#[cfg(unix)]
fn program(path: &Path, script: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, script).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn programs_are_chosen_by_flavor_and_version() {
    let folder = tempfile::tempdir().unwrap();
    let fake = |bin: &str, name: &str, version: &str| {
        let bin = folder.path().join(bin);
        fs::create_dir_all(&bin).unwrap();
        let script = format!(
            "#!/bin/sh\n[ \"$1\" = --version ] && echo '{version}' && exit\necho \"mysql: ran {} with $MYSQL_PWD$FAKE\" >&2\nexit 1\n",
            bin.display()
        );
        program(&bin.join(name), &script);
        bin
    };
    let maria = |bin: &str, version: &str| {
        let said = format!("Ver 10.19 Distrib {version}-MariaDB, for x");
        fake(bin, "mariadb-dump", &said);
        fake(bin, "mariadb", &said)
    };
    let mysql = |bin: &str, version: &str| {
        let said = format!("mysqldump  Ver {version} for Linux on x86_64 (MySQL Community Server - GPL)");
        fake(bin, "mysqldump", &said);
        fake(bin, "mysql", &said)
    };
    let (old, same, newer) = (maria("old", "10.6.22"), maria("same", "10.11.2"), maria("newer", "11.4.5"));
    let (my80, my84) = (mysql("my80", "8.0.36"), mysql("my84", "8.4.6"));
    // MariaDB's programs under MySQL's names.
    let said = "mysqldump  Ver 10.19 Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)";
    fake("disguised", "mysqldump", said);
    let disguised = fake("disguised", "mysql", said);
    let url = "mysql://u@127.0.0.1:1/d";
    let setting = Setting::new(&newest(), url);
    let to = folder.path().join("never.sql");
    let run = async |paths: &[&Path], flavor: Flavor, server_version: u32| {
        let path = std::env::join_paths(paths).unwrap().into_string().unwrap();
        let environment = BTreeMap::from([
            ("PATH".to_owned(), path),
            ("MYSQL_PWD".to_owned(), "leaked".to_owned()),
            ("FAKE".to_owned(), "!".to_owned()),
        ]);
        let tools = MysqlTools { environment: &environment, flavor, server_version, ..setting.tools() };
        let error = backup(&tools, &to, pending(), silent).await.unwrap_err();
        let hint = error.hint.clone().unwrap_or_default();
        (error.detail.unwrap_or(error.message), hint)
    };
    let ran = |bin: &Path| format!("mysql: ran {} with !", bin.display());
    let mariadb = (Flavor::MariaDb, 101_119);
    for (paths, (flavor, version), expected) in [
        (&[&*old, &*newer, &*same][..], mariadb, ran(&same)),
        (&[&*old, &*my80, &*newer], mariadb, ran(&newer)),
        (&[&*disguised], mariadb, ran(&disguised)),
        (
            &[&*old],
            mariadb,
            format!(
                "{}/mariadb-dump has version 10.6.22, the server is MariaDB 10.11.19: mariadb-dump must not be older",
                old.display()
            ),
        ),
        (
            &[&*my84],
            mariadb,
            format!(
                "{}/mysqldump is MySQL's (8.4.6), the server is MariaDB 10.11.19: it needs its own",
                my84.display()
            ),
        ),
        (&[&*disguised, &*my84, &*my80], (Flavor::Mysql, 80_031), ran(&my80)),
        (&[&*disguised, &*my84], (Flavor::Mysql, 80_031), ran(&my84)),
        (
            &[&*my80],
            (Flavor::Mysql, 80_401),
            format!(
                "{}/mysqldump has version 8.0.36, the server is MySQL 8.4.1: mysqldump must not be older",
                my80.display()
            ),
        ),
        (
            &[&*disguised],
            (Flavor::Mysql, 80_031),
            format!(
                "{}/mysqldump is MariaDB's (10.11.19), the server is MySQL 8.0.31: it needs its own",
                disguised.display()
            ),
        ),
        (&[folder.path()], mariadb, "no mariadb-dump or mysqldump that runs was found in PATH".to_owned()),
    ] {
        let (said, hint) = run(paths, flavor, version).await;
        assert_eq!(said, expected);
        if expected.starts_with("no ") || expected.contains("server is") {
            let package = if flavor == Flavor::MariaDb {
                "apt-get install mariadb-client"
            } else {
                "apt-get install mysql-client"
            };
            assert!(hint.contains(package), "{hint}");
        }
    }
    assert!(!to.exists());
    let tools = MysqlTools { folder: Some(folder.path()), ..setting.tools() };
    let failure = restore(&tools, &old.join("mariadb"), pending(), silent).await.unwrap_err();
    assert_eq!((failure.standing, failure.error.kind), (Standing::Unchanged, DbErrorKind::Configuration));
}

#[tokio::test]
async fn a_password_goes_through_a_pipe_only() {
    let version = newest();
    let password = "canary'1\"#\\ ;x";
    let server = MysqlServer::start(&version).unwrap();
    let database = server.create_database().unwrap();
    server.create_user("secretive", password, &["all privileges on *.*"]).unwrap();
    database.execute("create table t (n int)").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let encoded = "canary%271%22%23%5C%20;x";
    let setting = Setting::new(&version, &database.url_for("secretive", encoded));
    assert_eq!(setting.server_version, number(&version));
    let shown = format!("{:?}", setting.tools());
    assert!(!shown.contains("canary"), "{shown}");
    backup(&setting.tools(), &path("b.sql"), pending(), silent).await.unwrap();
    restore(&setting.tools(), &path("b.sql"), pending(), silent).await.unwrap();
    for password in ["canary2", ""] {
        let setting = Setting::new(&version, &database.url_for("secretive", password));
        let errors = [
            backup(&setting.tools(), &path("c.sql"), pending(), silent).await.unwrap_err(),
            restore(&setting.tools(), &path("b.sql"), pending(), silent).await.unwrap_err().error,
        ];
        for error in errors {
            assert_eq!(error.kind, DbErrorKind::Authentication, "{error:?}");
            assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        }
    }
    if cfg!(target_os = "linux") {
        let holder = database.session().unwrap();
        holder.execute("lock table t write").unwrap();
        let name = database.name().to_owned();
        let seen = async {
            loop {
                let found =
                    command_lines().into_iter().find(|line| line.contains("--hex-blob") && line.contains(&name));
                if let Some(line) = found {
                    assert!(line.contains("--defaults-file=") && !line.contains("canary"), "{line}");
                    break;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let error = backup(&setting.tools(), &path("d.sql"), seen, silent).await.unwrap_err();
        assert_eq!(error.kind, DbErrorKind::Cancelled);
    }
    server.stop().unwrap();
    let error = backup(&setting.tools(), &path("c.sql"), pending(), silent).await.unwrap_err();
    assert_eq!(error.kind, DbErrorKind::CannotConnect, "{error:?}");
    assert_eq!(names(folder.path()), ["b.sql"]);
}

fn command_lines() -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let lines = processes.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " ")).collect()
}
