//! Backups before a run and by themselves, and the way back to them.

use std::path::Path;

use limosa::{MigrateOptions, Migrator, Progress, RollbackOptions, Selection, Stop};
use limosa_testkit::{Folder, mysql, postgres};

use crate::answers::{done, failed, labels, migrate, quiet, refusal};
use crate::place::{Home, Place, homes, mysql_homes};

fn table(name: &str) -> String {
    format!("create table {name} (id int);\n-- limosa:rollback\ndrop table {name};\n")
}

/// Homes whose server has its client tools, which backups need.
pub(crate) fn with_tools() -> Vec<Home> {
    let mut homes: Vec<Home> = homes().into_iter().filter(Home::is_sqlite).collect();
    let version = postgres::versions()
        .unwrap()
        .into_iter()
        .rfind(|version| ["pg_dump", "pg_restore", "psql"].iter().all(|name| version.program(name).is_some()))
        .expect("a PostgreSQL with its client tools is needed; run the tests with `cargo xtask test`");
    let database = postgres::shared(&version).unwrap().create_database().unwrap();
    homes.push(Home::at(Folder::new(), Place::Postgres(database)));
    // The newest is a MariaDB, and comes with its programs.
    homes.extend(mysql_homes().pop());
    homes
}

/// A migrator that finds the tools.
pub(crate) fn tooled(home: &Home) -> Migrator {
    home.with(|it| {
        let mut paths: Vec<_> = postgres::versions().unwrap().iter().map(|version| version.bin().to_owned()).collect();
        let dump = mysql::newest().unwrap().program("mariadb-dump").unwrap();
        paths.push(dump.parent().unwrap().to_owned());
        let path = std::env::join_paths(paths).unwrap().into_string().unwrap();
        it.variables.insert("PATH".to_owned(), path);
    })
}

fn with_backup() -> MigrateOptions {
    MigrateOptions { backup: true, ..MigrateOptions::default() }
}

fn backups(home: &Home) -> Vec<String> {
    home.folder.files().into_iter().filter(|name| name.starts_with("backups/test")).collect()
}

#[tokio::test]
async fn a_backup_before_a_run_brings_everything_back() {
    for home in with_tools() {
        let migrator = tooled(&home);
        home.file("001_a.sql", &table("a"));
        done(migrate(&migrator).await);
        home.execute("insert into a values (7)");
        let recorded = || home.count(&format!("select count(*) from {}", home.table("audit_log")));
        let before = recorded();
        home.file("002_b.sql", "drop table a; create table b (id int);");
        let answer = done(migrator.migrate(&with_backup(), &quiet, Stop::new()).await);
        let path = answer.backup.unwrap();
        assert_eq!(backups(&home).len(), 1);
        assert!(Path::new(&path).is_file());
        // Where nothing is to be run, no backup is made.
        let nothing = done(migrator.migrate(&with_backup(), &quiet, Stop::new()).await);
        assert_eq!((nothing.outcome, nothing.backup, backups(&home).len()), ("nothing_to_do", None, 1));

        let name = home.database();
        refusal(
            migrator.restore(None, None, &quiet, Stop::new()).await,
            4,
            &["LIM-U004", "restore needs consent", &name],
        );
        refusal(migrator.restore(None, Some("other"), &quiet, Stop::new()).await, 4, &["(you named 'other')"]);
        let mut protected = migrator.configuration().clone();
        protected.protected = true;
        let refused = Migrator::new(protected).restore(None, Some(&name), &quiet, Stop::new()).await;
        refusal(refused, 4, &["LIM-U003", "restore is refused"]);
        assert_eq!(home.tables(), ["b"]);

        let answer = migrator.restore(None, Some(&name), &quiet, Stop::new()).await.unwrap();
        assert_eq!(answer.done, [format!("restored from {path}")]);
        assert_eq!((home.tables(), home.rows("select id from a")), (vec!["a".to_owned()], vec!["7".to_owned()]));
        assert_eq!(home.ledger(), ["1|applied"]);
        let newest = migrator.history(1).await.unwrap().operations.remove(0);
        assert_eq!((newest.operation.as_str(), newest.outcome.as_str()), ("restore", "done"));
        assert_eq!(migrator.audit_verify(&[]).await.unwrap().exit_code, 0);
        assert!(recorded() > before, "the restore is recorded in what it brought back");
        // It goes on from there.
        assert_eq!(labels(&done(migrate(&migrator).await)), ["002"]);
    }
}

#[tokio::test]
async fn the_newest_backup_of_this_database_is_taken() {
    for home in with_tools() {
        let migrator = tooled(&home);
        home.file("001_a.sql", &table("a"));
        done(migrate(&migrator).await);
        for number in 1..=3 {
            migrator.backup(&quiet, Stop::new()).await.unwrap();
            home.execute(&format!("insert into a values ({number})"));
        }
        assert_eq!(backups(&home).len(), 3);
        // Of another database, and something else altogether.
        home.folder.write("backups/zzz-29990101000000.db", "no backup of ours");
        home.folder.write("backups/zzz-29990101000000.dump", "no backup of ours");
        home.folder.write("backups/README", "");
        migrator.restore(None, Some(&home.database()), &quiet, Stop::new()).await.unwrap();
        assert_eq!(home.rows("select id from a order by 1"), ["1", "2"]);
        let first = home.folder.join(&backups(&home)[0]);
        migrator.restore(Some(&first), Some(&home.database()), &quiet, Stop::new()).await.unwrap();
        assert_eq!(home.count("select count(*) from a"), 0);

        // What is no backup changes nothing.
        let log = format!("select count(*) from {}", home.table("audit_log"));
        let state = || (home.tables(), home.ledger(), home.count(&log), home.count("select count(*) from a"));
        let before = state();
        let junk = home.folder.write("junk", "junk");
        for from in [junk, home.folder.join("nowhere")] {
            refusal(
                migrator.restore(Some(&from), Some(&home.database()), &quiet, Stop::new()).await,
                3,
                &["nothing was changed"],
            );
        }
        let none = home.with(|it| it.backup_directory = home.folder.join("empty"));
        refusal(
            none.restore(None, Some(&home.database()), &quiet, Stop::new()).await,
            2,
            &["LIM-U061", "no backup of"],
        );
        assert_eq!(state(), before);
        assert_eq!(done(migrate(&migrator).await).outcome, "nothing_to_do", "the lock is free");
    }
}

#[tokio::test]
async fn a_rollback_may_be_backed_up_too() {
    for home in with_tools() {
        let migrator = tooled(&home);
        home.file("001_a.sql", &table("a"));
        done(migrate(&migrator).await);
        home.execute("insert into a values (1)");
        let options = RollbackOptions {
            selection: Selection::Steps(1),
            use_file: false,
            consent: Some(home.database()),
            backup: true,
        };
        let answer = done(migrator.rollback(&options, &quiet, Stop::new()).await);
        assert!(home.tables().is_empty());
        let from = answer.backup.unwrap();
        migrator.restore(Some(Path::new(&from)), Some(&home.database()), &quiet, Stop::new()).await.unwrap();
        assert_eq!(home.count("select count(*) from a"), 1);
    }
}

#[tokio::test]
async fn a_failed_backup_stops_the_run() {
    for home in homes() {
        home.file("001_a.sql", &table("a"));
        home.folder.write("file", "");
        // The folder's path is a file.
        let mut configuration = tooled(&home).configuration().clone();
        configuration.backup_directory = home.folder.join("file/backups");
        if home.is_sqlite() {
            home.execute("create table users_own (n int)");
        }
        let migrator = Migrator::new(configuration.clone());
        failed(
            &migrator.migrate(&with_backup(), &quiet, Stop::new()).await,
            2,
            &["LIM-U060", "cannot be made", "--backup-dir"],
        );
        assert!(!home.tables().contains(&"a".to_owned()));
        if !home.is_sqlite() {
            // No tool is found.
            configuration.backup_directory = home.folder.join("backups");
            configuration.variables.clear();
            let migrator = Migrator::new(configuration);
            failed(
                &migrator.migrate(&with_backup(), &quiet, Stop::new()).await,
                2,
                &["the backup failed, so nothing was run", "pg_dump", "install the PostgreSQL"],
            );
            assert!(home.tables().is_empty());
        }
        assert!(backups(&home).is_empty());
        assert!(!home.states().await.contains(&"1 applied".to_owned()));
    }
}

#[tokio::test]
async fn a_backup_tells_of_itself() {
    for home in with_tools() {
        home.file("001_a.sql", &table("a"));
        done(migrate(&tooled(&home)).await);
        let notes = std::sync::Mutex::new(Vec::new());
        let listener = |progress| {
            if let Progress::Note(line) = progress {
                notes.lock().unwrap().push(line);
            }
        };
        let answer = tooled(&home).backup(&listener, Stop::new()).await.unwrap();
        assert_eq!(notes.into_inner().unwrap(), [format!("backup to {}", answer.done[0])]);
        assert_eq!(home.states().await, ["1 applied"]);
    }
}

#[tokio::test]
async fn a_restore_voids_the_anchors_of_what_it_replaced_and_no_others() {
    for home in with_tools() {
        for key in [None, Some("the key")] {
            let mut configuration = tooled(&home).configuration().clone();
            configuration.project = format!("my shop {}", key.unwrap_or("open"));
            configuration.anchor_file = Some(home.folder.join(&format!("anchors {}", key.unwrap_or("open"))));
            configuration.anchor_key = key.map(limosa::Secret::new);
            let migrator = Migrator::new(configuration);
            home.file("001_a.sql", &table("a"));
            done(migrate(&migrator).await);
            let saved = migrator.backup(&quiet, Stop::new()).await.unwrap().done.remove(0);
            home.file("002_b.sql", &table("b"));
            home.file("003_c.sql", &table("c"));
            done(migrate(&migrator).await);
            let restored =
                migrator.restore(Some(Path::new(&saved)), Some(&home.database()), &quiet, Stop::new()).await.unwrap();
            assert_eq!(restored.audit_head.unwrap().sequence, 2);
            let anchors = home.folder.read(&format!("anchors {}", key.unwrap_or("open")));
            let lines: Vec<&str> = anchors.lines().collect();
            assert_eq!(lines.len(), 3, "{anchors}");
            assert!(lines[2].ends_with(" restored"), "{anchors}");
            assert_eq!(migrator.audit_verify(&[]).await.unwrap().exit_code, 0, "{anchors}");
            done(migrate(&migrator).await);
            assert_eq!(migrator.audit_verify(&[]).await.unwrap().exit_code, 0);

            // Rows that are cut off without a restore stay visible, and so do those before it.
            let name = format!("anchors {}", key.unwrap_or("open"));
            home.folder.write(&name, anchors.replace(" restored", ""));
            assert_eq!(migrator.audit_verify(&[]).await.unwrap().exit_code, 1);
            home.folder.write(&name, &anchors);
            home.execute(&format!(
                "update {} set actor = 'eve' where sequence = 1 and project like 'my shop%'",
                home.table("audit_log")
            ));
            assert_eq!(migrator.audit_verify(&[]).await.unwrap().exit_code, 1);
            home.execute("drop table a; drop table b; drop table c");
            for ledger in ["schema_migrations", "audit_log", "audit_head"] {
                home.execute(&format!("delete from {}", home.table(ledger)));
            }
            home.folder.remove("migrations/002_b.sql");
            home.folder.remove("migrations/003_c.sql");
        }
    }
}

#[tokio::test]
async fn mysql_goes_there_and_back() {
    let home = mysql_homes().pop().unwrap();
    let migrator = tooled(&home);
    home.execute("create table a (id int primary key); create table m (id int) engine = MyISAM");
    home.file("001_a.sql", "insert into a values (1);\n-- limosa:rollback\ndelete from a where id = 1;\n");
    done(migrate(&migrator).await);
    home.file("002_a.sql", "insert into a values (2);");
    let notes = std::sync::Mutex::new(Vec::new());
    let listener = |progress| {
        if let Progress::Note(line) = progress {
            notes.lock().unwrap().push(line);
        }
    };
    let answer = done(migrator.migrate(&with_backup(), &listener, Stop::new()).await);
    let path = answer.backup.unwrap();
    assert!(path.ends_with(".sql"), "{path}");
    let notes = notes.into_inner().unwrap();
    let warned = notes.iter().any(|note| note.starts_with("warning: the rows of m (MyISAM) are not of one moment"));
    assert!(warned, "{notes:?}");
    assert_eq!(home.ledger(), ["1|applied", "2|applied"]);
    home.execute("create table later (id int)");

    // What is no backup changes nothing; what fails in the middle says so.
    let name = home.database();
    let text = std::fs::read_to_string(&path).unwrap();
    let bad = home.folder.join("bad.sql");
    std::fs::write(&bad, &text[..text.len() / 2]).unwrap();
    refusal(
        migrator.restore(Some(&bad), Some(&name), &quiet, Stop::new()).await,
        3,
        &["nothing was changed", "is cut off"],
    );
    assert_eq!(
        (home.tables(), home.rows("select id from a")),
        (vec!["a".into(), "later".into(), "m".into()], vec!["1".into(), "2".into()])
    );
    std::fs::write(&bad, text.replacen("INSERT INTO `limosa_audit_log`", "NO SUCH STATEMENT", 1)).unwrap();
    let words = ["neither what it was nor the backup", "at line", "restore the same backup again"];
    refusal(migrator.restore(Some(&bad), Some(&name), &quiet, Stop::new()).await, 4, &words);

    let answer = migrator.restore(None, Some(&name), &quiet, Stop::new()).await.unwrap();
    assert_eq!(answer.done, [format!("restored from {path}")]);
    assert_eq!((home.tables(), home.rows("select id from a")), (vec!["a".into(), "m".into()], vec!["1".into()]));
    assert_eq!(home.ledger(), ["1|applied"]);
    assert_eq!(migrator.audit_verify(&[]).await.unwrap().exit_code, 0);
    // It goes on from there.
    assert_eq!(labels(&done(migrate(&migrator).await)), ["002"]);

    let mut without = tooled(&home).configuration().clone();
    without.variables.insert("PATH".to_owned(), String::new());
    home.file("003_a.sql", "insert into a values (3);");
    let answer = Migrator::new(without).migrate(&with_backup(), &quiet, Stop::new()).await;
    failed(&answer, 2, &["the backup failed, so nothing was run", "mariadb-dump", "apt-get install mariadb-client"]);
    assert_eq!(home.rows("select count(*) from a"), ["2"]);
}
