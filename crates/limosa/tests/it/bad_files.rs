//! Files that cannot be run: a clear message, the right exit code, nothing changed.

use std::os::unix::fs::symlink;

use limosa::{MigrateOptions, StatusOptions};

use crate::answers::{done, failed, findings, labels, migrate, refusal, words};
use crate::place::{Home, homes};

/// A home with one good file that has not run yet, so that anything that runs would show.
fn with_good() -> Vec<Home> {
    let homes = homes();
    for home in &homes {
        home.file("001_good.sql", "create table good (id int);\n");
    }
    homes
}

/// Nothing ran, no ledger was made, and `validate` says the same.
#[track_caller]
fn untouched(home: &Home) {
    if home.is_sqlite() {
        assert!(!std::path::Path::new(&home.database()).exists());
    } else {
        assert!(home.tables().is_empty());
        assert_eq!(home.count("select count(*) from pg_namespace where nspname = 'limosa'"), 0);
    }
}

/// The file is refused by everything that would run it, and shown by what looks.
async fn refused(home: &Home, wanted: &[&str]) {
    let text = failed(&home.migrate().await, 2, wanted);
    refusal(home.migrator().plan(&MigrateOptions::default()).await, 2, wanted);
    let found = home.migrator().validate().await.unwrap();
    assert_eq!(found.exit_code, 1);
    for wanted in wanted {
        assert!(findings(&found).contains(wanted), "{wanted}: {}", findings(&found));
    }
    let status = home.migrator().status(StatusOptions::default()).await.unwrap();
    assert!(words(&status.notices).contains(wanted[0]), "{}", words(&status.notices));
    assert!(!text.contains('\0'));
    untouched(home);
}

#[tokio::test]
async fn bytes_that_are_no_script() {
    let utf16: Vec<u8> = "create table a ();".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked: Vec<u8> = [0xFF, 0xFE].into_iter().chain(utf16.clone()).collect();
    for (bytes, wanted) in [
        (marked, vec!["LIM-S002", "UTF-16", "002_bad.sql"]),
        (utf16, vec!["LIM-S002", "UTF-16"]),
        (b"create table a (id int);\n-- \xE9t\xE9\n".to_vec(), vec!["LIM-S001", "002_bad.sql:2:4"]),
        (b"select 'a\0b';".to_vec(), vec!["LIM-S003", "002_bad.sql:1:10"]),
        (b"\x7FELF\x02\x01\x01\x00junk".to_vec(), vec!["LIM-S004", "a program"]),
        (b"\x1F\x8B\x08\x00junk".to_vec(), vec!["LIM-S004", "gunzip"]),
        (b"PGDMP\x01\x0E\x00junk".to_vec(), vec!["LIM-S004", "pg_restore"]),
        (b"SQLite format 3\0junk".to_vec(), vec!["LIM-S004", ".dump"]),
        ((128..=255u8).collect(), vec!["LIM-S001", "002_bad.sql:1:1"]),
    ] {
        for home in with_good() {
            home.folder.write("migrations/002_bad.sql", &bytes);
            refused(&home, &wanted).await;
        }
    }
}

#[tokio::test]
async fn what_is_never_closed() {
    for (text, wanted) in [
        ("select 1;\nselect 'open;\n", vec!["LIM-S005", "002_bad.sql:2:8"]),
        ("select \"open;\n", vec!["LIM-S006", "002_bad.sql:1:8"]),
    ] {
        for home in with_good() {
            home.file("002_bad.sql", text);
            refused(&home, &wanted).await;
        }
    }
    for (text, wanted) in [
        ("do $body$ begin end;\n", vec!["LIM-S007", "$body$"]),
        ("select 1; /* /* open */\n", vec!["LIM-S008"]),
        ("select (1;\n", vec!["LIM-S009"]),
        ("create table a (id int);\ncopy a from stdin;\n1\n2\n", vec!["LIM-S011", "\\."]),
    ] {
        for home in with_good().into_iter().filter(|home| !home.is_sqlite()) {
            home.file("002_bad.sql", text);
            refused(&home, &wanted).await;
        }
    }
    for home in with_good().into_iter().filter(Home::is_sqlite) {
        home.file("002_bad.sql", "create trigger t after insert on good begin select 1;\n");
        refused(&home, &["LIM-S010"]).await;
    }
}

#[tokio::test]
async fn commands_of_shells() {
    for home in with_good() {
        let (text, code) =
            if home.is_sqlite() { (".read other.sql\n", "LIM-S015") } else { ("\\i other.sql\n", "LIM-S013") };
        home.file("002_bad.sql", text);
        refused(&home, &[code, "002_bad.sql:1:1"]).await;
        if home.is_sqlite() {
            continue;
        }
        for text in
            ["\\set x 1\n", "\\c other\n", "\\! rm -rf x\n", "\\copy a from 'x'\n", "select 1 \\gexec\n", "\\.\n"]
        {
            home.file("002_bad.sql", text);
            let said = failed(&home.migrate().await, 2, &["002_bad.sql:1:"]);
            assert!(said.contains("LIM-S013") || said.contains("LIM-S014"), "{text}: {said}");
            untouched(&home);
        }
        // What pg_dump writes today is read over.
        home.file("002_bad.sql", "\\restrict abc\nselect 1;\n\\unrestrict abc\n");
        assert_eq!(labels(&done(home.migrate().await)), ["001", "002"]);
    }
}

#[tokio::test]
async fn transactions_that_do_not_close() {
    for home in with_good() {
        for (text, wanted) in [
            ("begin;\nselect 1;\n", ["LIM-F015", "still open at the end of the file", "002_bad.sql:1:1"]),
            (
                "select 1;\ncommit;\n",
                ["LIM-F015", "COMMIT ends a transaction that this file did not begin", "002_bad.sql:2:1"],
            ),
            ("begin;\nbegin;\ncommit;\n", ["LIM-F015", "BEGIN inside a transaction", "002_bad.sql:2:1"]),
            ("begin;\nvacuum;\ncommit;\n", ["LIM-F015", "VACUUM cannot run inside a transaction", "002_bad.sql:2:1"]),
            (
                "-- Transaction: always\nselect 1;\nvacuum;\n",
                ["LIM-F015", "the header asks for one", "002_bad.sql:3:1"],
            ),
        ] {
            home.file("002_bad.sql", text);
            refused(&home, &wanted).await;
        }
    }
}

#[tokio::test]
async fn identities_dependencies_and_headers() {
    for home in with_good() {
        for (files, wanted) in [
            (
                vec![("02_one.sql", "select 1;"), ("002_two.sql", "select 2;")],
                vec!["LIM-F016", "02_one.sql", "002_two.sql", "both have the version 2"],
            ),
            (
                vec![("sub/R__v.sql", "select 1;"), ("R__v.sql", "select 2;")],
                vec!["LIM-F016", "both have the name R:v", "rename one of them"],
            ),
            (
                vec![
                    ("002_a.sql", "-- Depends-on: 4\nselect 1;"),
                    ("003_b.sql", "-- Depends-on: 2\nselect 1;"),
                    ("004_c.sql", "-- Depends-on: 3\nselect 1;"),
                ],
                vec!["LIM-F021", "depend on each other", "002_a.sql:1:", "003_b.sql:1:", "004_c.sql:1:"],
            ),
            (vec![("002_a.sql", "-- Depends-on: 2\nselect 1;")], vec!["LIM-F021", "002_a.sql depends on itself"]),
            (
                vec![("002_a.sql", "-- Depends-on: 001_god\nselect 1;")],
                vec!["LIM-F020", "depends on 001_god, which does not exist", "did you mean 001_good?"],
            ),
            (
                vec![("002_a.sql", "-- Depends-on: R:v\nselect 1;"), ("R__v.sql", "select 1;")],
                vec!["LIM-F022", "runs once and depends on"],
            ),
            (vec![("002_a.sql", "-- Lock-timeout: soon\nselect 1;")], vec!["LIM-F004", "002_a.sql:1:"]),
            (vec![("002_a.sql", "-- Engines: oracle\nselect 1;")], vec!["LIM-F004", "oracle"]),
            (vec![("migration_config.yaml", "a: [b")], vec!["LIM-F023"]),
            (
                vec![("002_a.sql", "select 1;\n-- limosa:rollback\nselect 2;"), ("002_a.rollback.sql", "select 3;")],
                vec!["LIM-F017", "has two ways back"],
            ),
        ] {
            for (name, text) in &files {
                home.file(name, text);
            }
            refused(&home, &wanted).await;
            for (name, _) in &files {
                home.folder.remove(&format!("migrations/{name}"));
            }
        }
        assert_eq!(labels(&done(home.migrate().await)), ["001"]);
    }
}

#[tokio::test]
async fn all_problems_of_all_files_are_told_at_once() {
    for home in with_good() {
        home.file("002_a.sql", "select 'open");
        home.file("003_b.sql", "-- Lock-timeout: soon\nselect 1;");
        home.file("004_c.sql", "-- Depends-on: nothing\nselect 1;");
        failed(&home.migrate().await, 2, &["LIM-S005", "LIM-F004", "LIM-F020"]);
        untouched(&home);
    }
}

#[tokio::test]
async fn what_is_only_worth_a_word() {
    for home in with_good() {
        home.file("002_empty.sql", "");
        home.file("003_comment.sql", "-- only a comment\n/* and another */\n;;\n");
        home.file("004_header.sql", "-- Lock-timeuot: 3s\nselect 1;\n");
        home.file("notes.sql", "select 1;");
        home.file("V5__flyway.sql", "select 1;");
        home.file("006_x.down.sql", "drop table good;");
        home.file("README.md", "not SQL");
        home.file("005_orphan.rollback.sql", "select 1;");
        let answer = done(home.migrate().await);
        assert_eq!(labels(&answer), ["001", "002", "003", "004"]);
        let text = words(&answer.notices);
        for wanted in [
            "LIM-F008 this migration holds no statement\n[002_empty.sql]",
            "[003_comment.sql]",
            "LIM-F003",
            "Lock-timeout",
            "LIM-F001",
            "notes.sql",
            "LIM-F002",
            "Flyway",
            "006_x.down.sql",
            "LIM-F018",
        ] {
            assert!(text.contains(wanted), "{wanted}: {text}");
        }
        assert!(!text.contains("README"));
        assert_eq!(done(home.migrate().await).outcome, "nothing_to_do");
        assert_eq!(home.migrator().validate().await.unwrap().exit_code, 0);
    }
}

#[tokio::test]
async fn a_folder_of_which_nothing_is_read_is_not_up_to_date() {
    for home in homes() {
        for number in 10..30 {
            home.file(&format!("{number}_t.revert.sql"), "create table t (n int);");
        }
        let wanted = ["LIM-F033", "none of the 20 files with SQL has a name that is read", "up and down files"];
        refused(&home, &wanted).await;
        let status = home.migrator().status(StatusOptions { fail_on_pending: true }).await.unwrap();
        assert_eq!((status.exit_code, status.pending), (2, 0), "what cannot be run is not up to date");
        home.file("09_read.sql", "create table t (n int);");
        let told = words(&done(home.migrate().await).notices);
        assert!(told.contains("17 more files") && told.matches("LIM-F002").count() == 4, "{told}");
    }
}

#[tokio::test]
async fn folders_and_files_that_cannot_be_read() {
    for home in with_good() {
        let nowhere =
            home.with(|it| it.directories = vec![home.folder.join("migrations"), home.folder.join("nowhere")]);
        failed(&migrate(&nowhere).await, 2, &["LIM-F900", "nowhere cannot be read", "--dir", "limosa new"]);
        // Where other tools have theirs.
        home.folder.write("src/main/resources/db/migration/V1__a.sql", "select 1;\n");
        home.folder.write("prisma/schema.prisma", "");
        let wanted = ["migrations may stand in ", "src/main/resources/db/migration: say --dir "];
        let said = failed(&migrate(&nowhere).await, 2, &wanted);
        assert!(!said.contains("prisma"), "{said}");
        home.folder.write("sqitch.plan", "");
        let said = failed(&migrate(&nowhere).await, 2, &["say --dir "]);
        assert!(!said.contains("resources"), "{said}");
        let file = home.with(|it| it.directories = vec![home.folder.join("migrations/001_good.sql")]);
        failed(&migrate(&file).await, 2, &["LIM-F900", "001_good.sql cannot be read"]);
        // A link that leads nowhere is a file that cannot be read; so is a folder named like a script left alone.
        symlink(home.folder.join("gone.sql"), home.folder.join("migrations/002_link.sql")).unwrap();
        failed(&home.migrate().await, 2, &["LIM-F900", "002_link.sql cannot be read"]);
        untouched(&home);
        std::fs::remove_file(home.folder.join("migrations/002_link.sql")).unwrap();
        home.folder.write("migrations/003_folder.sql/004_inside.sql", "select 1;");
        symlink(home.folder.join("migrations"), home.folder.join("migrations/loop")).unwrap();
        failed(&home.migrate().await, 2, &["LIM-F016"]);
        std::fs::remove_file(home.folder.join("migrations/loop")).unwrap();
        assert_eq!(labels(&done(home.migrate().await)), ["001", "004"]);
        let empty = home.with(|it| {
            std::fs::create_dir(home.folder.join("empty")).unwrap();
            it.directories = vec![home.folder.join("empty")];
        });
        let answer = done(migrate(&empty).await);
        assert_eq!(answer.outcome, "nothing_to_do");
    }
}

#[tokio::test]
async fn a_statement_that_fails_leaves_nothing_of_its_file() {
    for home in with_good() {
        let mut text = String::from("create table t (id int primary key);\n");
        for number in 1..=48 {
            text.push_str(&format!("insert into t values ({});\n", if number == 36 { 7 } else { number }));
        }
        text.push_str("drop table good;\n");
        home.file("002_fifty.sql", &text);
        let said = failed(&home.migrate().await, 3, &["statement 37 of 50, INSERT", "002_fifty.sql:37:1"]);
        assert!(said.to_lowercase().contains("unique"), "{said}");
        assert_eq!((home.tables(), home.ledger()), (vec!["good".to_owned()], vec!["1|applied".to_owned()]));
    }
}

#[tokio::test]
async fn a_file_that_is_broken_after_it_was_applied() {
    for home in with_good() {
        home.file("002_more.sql", "create table more (id int);\n-- limosa:rollback\ndrop table more;\n");
        done(home.migrate().await);
        home.file("002_more.sql", "create table more (id 'open);\n");
        failed(&home.migrate().await, 2, &["LIM-S005", "002_more.sql"]);
        // Taking back needs no file.
        done(home.rollback(limosa::Selection::Steps(1)).await);
        assert_eq!(home.tables(), ["good"]);
    }
}
