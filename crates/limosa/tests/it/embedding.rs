//! Applications that run their own migrations: files that are compiled in, migrations in Rust, the builder, start-up, scratch
//! databases.

use std::sync::Mutex;

use limosa::{
    CodeError, Connection, Embedded, MigrateOptions, Migrator, Progress, RustMigration, Scratch, Selection, Stop,
};

use crate::answers::{back, done, failed, labels, migrate, quiet, refused};
use crate::place::{Home, all_homes, homes, newest_postgres, sqlite};

const FILES: [(&str, &str); 3] = [
    (
        "001_posts.sql",
        "create table posts (id integer primary key, title varchar(80));\ninsert into posts values (1, 'A b'), (2, 'C');\n",
    ),
    ("002_slug.sql", "alter table posts add slug varchar(80);\n"),
    ("R__view.sql", "create view titles as select title from posts;\n"),
];

fn embedded(home: &Home, code: Vec<RustMigration>) -> Migrator {
    home.with(|it| {
        it.embedded = Some(Embedded::new(FILES));
        it.code = code;
    })
}

async fn slugs(mut connection: Connection<'_>) -> Result<(), CodeError> {
    let sqlite = connection.engine() == limosa::Engine::Sqlite;
    let update =
        if sqlite { "update posts set slug = ?1 where id = ?2" } else { "update posts set slug = $1 where id = $2" };
    for row in connection.query("select id, title from posts order by id", &[]).await? {
        let slug = row.text(1).unwrap_or_default().to_lowercase().replace(' ', "-");
        connection.query(update, &[slug.into(), row.integer(0).unwrap_or_default().into()]).await?;
    }
    assert_eq!(connection.execute("update posts set title = title").await?, 2);
    Ok(())
}

fn fills(declared: &str) -> RustMigration {
    let migration = RustMigration::from_fn("003", "fill slugs", declared, |connection| Box::pin(slugs(connection)));
    migration.unwrap().with_rollback("update posts set slug = null;")
}

#[tokio::test]
async fn code_runs_among_files_and_is_taken_back() {
    for home in all_homes() {
        let migrator = embedded(&home, vec![fills("1")]);
        let answer = done(migrate(&migrator).await);
        assert_eq!(labels(&answer), ["001", "002", "003", "R"]);
        assert_eq!(home.rows("select slug from posts order by id"), ["a-b", "c"]);
        assert_eq!(done(migrate(&migrator).await).outcome, "nothing_to_do");
        assert_eq!(migrator.audit_verify(&[]).await.unwrap().exit_code, 0);
        let summary = migrator.summary().await.unwrap();
        assert_eq!(
            (summary.current.as_deref(), summary.applied, summary.pending, summary.total),
            (Some("003"), 4, 0, 4)
        );
        assert!(
            summary.to_string().ends_with("is at version 003 (fill slugs), 4 of 4 applied, 0 pending"),
            "{summary}"
        );

        let other = embedded(&home, vec![fills("2")]);
        failed(&migrate(&other).await, 1, &["LIM-P001", "code 003 fill slugs was changed after it was applied"]);

        let consent = home.database();
        done(back(&migrator, Selection::One(crate::answers::id("3")), Some(&consent)).await);
        assert_eq!(home.rows("select count(*) from posts where slug is null"), ["2"]);
        // Without its code the change is one that nobody knows.
        done(migrate(&migrator).await);
        let without = embedded(&home, Vec::new());
        let answer = done(migrate(&without).await);
        assert!(answer.notices.iter().any(|notice| notice.code == "LIM-P002"), "{:?}", answer.notices);
    }
}

fn breaks(how: &'static str) -> RustMigration {
    let migration = RustMigration::from_fn("003", "breaks", "1", move |mut connection| {
        Box::pin(async move {
            connection.execute("update posts set title = 'broken'").await?;
            match how {
                "panics" => panic!("out of ideas"),
                "says" => return Err("no luck today".into()),
                "swallows" => _ = connection.execute("insert into nosuch values (1)").await,
                "commits" => _ = connection.execute("commit").await?,
                _ => _ = connection.execute("insert into nosuch values (1)").await?,
            }
            Ok(())
        })
    });
    migration.unwrap()
}

#[tokio::test]
async fn code_that_breaks_leaves_nothing() {
    for home in all_homes() {
        for (how, wanted) in [
            ("panics", "it panicked: out of ideas"),
            ("says", "code 003 breaks: no luck today"),
            ("fails", "nosuch"),
            // Whoever goes on behind an error goes on in no transaction, and the ledger refuses.
            ("swallows", ""),
            ("commits", ""),
        ] {
            let result = migrate(&embedded(&home, vec![breaks(how)])).await;
            failed(&result, 3, &[wanted]);
            if how != "commits" {
                assert_eq!(home.rows("select count(*) from posts where title = 'broken'"), ["0"], "{how}");
            }
            assert!(!home.ledger().iter().any(|row| row.starts_with("3|")), "{how}: {:?}", home.ledger());
        }
        home.execute("update posts set title = 'A b' where id = 1");
        home.execute("update posts set title = 'C' where id = 2");
        done(migrate(&embedded(&home, vec![fills("1")])).await);
    }
}

/// Runs one statement as version 003.
fn says(statement: &'static str) -> RustMigration {
    let migration = RustMigration::from_fn("003", "says", "1", move |mut connection| {
        Box::pin(async move {
            connection.execute("insert into posts (id, title) values (77, 'x')").await?;
            connection.execute(statement).await.map(drop).map_err(Into::into)
        })
    });
    migration.unwrap()
}

#[tokio::test]
async fn what_no_transaction_takes_is_refused_in_code() {
    for home in all_homes() {
        let statements: &[&str] = match home.is_mysql() {
            true => &["alter table posts add other int", "call something()", "commit"],
            // Wherever they stand in a text: limosa's own transaction ends with them, or they meet none.
            false => &[
                "vacuum",
                "rollback",
                "begin",
                "; commit",
                "insert into posts values (78, 'y'); commit; insert into posts values (79, 'z'); select 1/0",
                "insert into posts values (78, ';'); -- commit\n end; insert into posts values (79, 'z')",
                "insert into posts values (78, 'y'); commit; insert into posts values (79, 'z",
            ],
        };
        for statement in statements {
            let result = migrate(&embedded(&home, vec![says(statement)])).await;
            let why = if statement.ends_with("'z") { "never closed" } else { "cannot be part of a migration in Rust" };
            failed(&result, 3, &["LIM-R015", why]);
            assert_eq!(home.rows("select count(*) from posts where id >= 77"), ["0"], "{statement}");
        }
    }
}

#[tokio::test]
async fn a_text_of_several_statements_runs_in_the_transaction() {
    let trigger = "create trigger t after insert on posts begin insert into other values (new.id); select 1; end; \
                   insert into posts values (78, 'a; commit;'); update other set n = n + 1;";
    let function = "create function f() returns int language sql as $$ select 1; /* ; commit; */ $$; \
                    insert into posts values (78, 'a; commit;'); create table other as select 79 as n;";
    for home in homes() {
        let more = if home.is_sqlite() { trigger } else { function };
        let files = [FILES[0], ("002_other.sql", "create table other (n int);")];
        let files = if home.is_sqlite() { files.to_vec() } else { vec![FILES[0]] };
        let migrator = home.with(|it| {
            it.embedded = Some(Embedded::new(files.iter().copied()));
            it.code = vec![says(more)];
        });
        done(migrate(&migrator).await);
        assert_eq!(home.rows("select n from other"), ["79"]);
        assert_eq!(home.rows("select title from posts where id = 78"), ["a; commit;"]);
    }
}

#[tokio::test]
async fn settings_of_code_end_with_it() {
    for home in all_homes() {
        let (set, mode) = match (home.is_mysql(), home.is_sqlite()) {
            (true, _) => {
                ("set sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'", "@@session.sql_mode like '%NO_BACKSLASH%'")
            }
            (_, true) => {
                ("pragma recursive_triggers = on", "(select recursive_triggers = 1 from pragma_recursive_triggers)")
            }
            _ => ("set search_path = pg_catalog", "current_setting('search_path') = 'pg_catalog'"),
        };
        let after = format!("create table mode as select case when {mode} then 'kept' else 'gone' end as m;");
        let after: &'static str = after.leak();
        let migrator = home.with(|it| {
            it.embedded = Some(Embedded::new([FILES[0], ("004_mode.sql", after)]));
            it.code = vec![says(set)];
        });
        assert_eq!(labels(&done(migrate(&migrator).await)), ["001", "003", "004"]);
        assert_eq!(home.rows("select m from mode"), ["gone"]);
        assert_eq!(migrator.audit_verify(&[]).await.unwrap().exit_code, 0);
    }
}

#[tokio::test]
async fn code_that_waited_for_a_lock_has_nothing_to_mend() {
    let home = newest_postgres();
    done(migrate(&embedded(&home, Vec::new())).await);
    let (other, connection) = tokio_postgres::connect(&home.url(), tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    other.batch_execute("begin; lock table posts").await.unwrap();
    let migrator = home.with(|it| {
        it.embedded = Some(Embedded::new(FILES));
        it.code = vec![says("select 1")];
        it.limits.lock_timeout_ms = 100;
    });
    let text = failed(
        &migrate(&migrator).await,
        3,
        &["LIM-R003 code 003 says: ", "lock timeout", "somebody else holds a lock"],
    );
    assert!(text.contains("rolled back; run again") && !text.contains("mend"), "{text}");
    other.batch_execute("rollback").await.unwrap();
    done(migrate(&migrator).await);
}

#[tokio::test]
async fn the_builder_refuses_what_does_not_fit() {
    let files = || Embedded::new(FILES);
    let begin = || Migrator::builder("sqlite:nowhere.db");
    for (builder, wanted) in [
        (begin(), "there are no migrations"),
        (Migrator::builder("sqlite::memory:").embedded(files()), "gone when a call ends"),
        (Migrator::builder("sqlite://:memory:").embedded(files()), "gone when a call ends"),
        (Migrator::builder("SQLite3::memory:").embedded(files()), "gone when a call ends"),
        (begin().embedded(files()).folder("m"), "come from folders and are compiled in, too"),
        (Migrator::builder("nonsense:x").embedded(files()), "LIM-U100"),
        (begin().embedded(files()).project(" "), "the project has no name"),
        (begin().embedded(Embedded::new([FILES[0], FILES[0]])), "compiled in have the name 001_posts.sql"),
        (begin().code(fills("1")).code(fills("2")), "two migrations in Rust have the version 3"),
        (begin().code(fills("1")).single_transaction(true), "cannot share a single transaction"),
    ] {
        let (exit, text) = refused(&builder.build().err().unwrap());
        assert_eq!(exit, 2);
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    let twice = begin().embedded(Embedded::new([("003_x.sql", "select 1;")])).code(fills("1")).build().unwrap();
    let (exit, text) = refused(&twice.run_at_startup().await.unwrap_err());
    assert_eq!(exit, 2);
    assert!(text.contains("LIM-F016"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_instances_start_at_once() {
    for home in homes() {
        let mut starting = Vec::new();
        for _ in 0..50 {
            let migrator = embedded(&home, vec![fills("1")]);
            starting.push(tokio::spawn(async move { migrator.run_at_startup().await }));
        }
        for instance in starting {
            let summary = instance.await.unwrap().unwrap();
            assert_eq!((summary.applied, summary.pending), (4, 0));
        }
        let runs = format!("select count(*) from {} where outcome = 'done'", home.table("audit_log"));
        assert_eq!(home.rows(&runs), ["4"], "each once");
    }
}

#[tokio::test]
async fn seeds_are_files_on_disk_whatever_is_compiled_in() {
    let home = sqlite();
    let migrator = embedded(&home, vec![fills("1")]);
    done(migrate(&migrator).await);
    home.folder.write("seeds/001_more.sql", "insert into posts (id, title) values (9, 'Seeded');");
    let answer = done(migrator.seed(&home.folder.join("seeds"), false, &quiet, Stop::new()).await);
    assert_eq!(answer.steps.len(), 1, "{:?}", answer.steps);
    assert_eq!(home.rows("select title from posts where id = 9"), ["Seeded"]);
}

#[tokio::test]
async fn failures_of_a_start_are_errors() {
    let home = sqlite();
    let (exit, text) = refused(&embedded(&home, vec![breaks("says")]).run_at_startup().await.unwrap_err());
    assert_eq!(exit, 3);
    assert!(text.contains("LIM-R015"), "{text}");
    let summary = embedded(&home, vec![fills("1")]).summary().await.unwrap();
    assert_eq!((summary.current.as_deref(), summary.pending), (Some("002"), 2));
}

#[tokio::test]
async fn a_failure_says_what_stands_and_what_to_do() {
    for home in homes() {
        let broken = ("003_broken.sql", "create table other (n int);\ninsert into nosuch values (1);\n");
        let migrator = home.with(|it| it.embedded = Some(Embedded::new([FILES[0], FILES[1], broken])));
        let failure = migrator.run_at_startup().await.unwrap_err();
        let error = &failure.diagnostics[0];
        assert_eq!((error.code, error.labels[0].file.as_str()), ("LIM-R002", "003_broken.sql"));
        assert!(error.message.contains("statement 2 of 2"), "{error:?}");
        let said = "stands: 001 posts\nstands: 002 slug\nnot kept: 003 broken: rolled back, nothing of it stands\n\
                    next: mend 003_broken.sql, then run the application again";
        assert!(error.help.as_deref().unwrap().ends_with(said), "{error:?}");
    }
}

#[tokio::test]
async fn a_start_tells_its_warnings() {
    let home = sqlite();
    let files = [FILES[0], ("02_slug", "select 1;"), ("_003_c.sql", "create table c (n int);")];
    // One database by two names, as behind a pooler that renames it.
    home.execute("create table before (n int)");
    let other = home.folder.join("other.db");
    std::os::unix::fs::symlink(home.database(), &other).unwrap();
    let migrator = home.with(|it| {
        it.embedded = Some(Embedded::new(files));
        it.direct_url = Some(limosa::Secret::new(format!("sqlite:{}", other.display())));
    });
    let told = Mutex::new(Vec::new());
    let listener = |progress| {
        if let Progress::Notice(notice) = progress {
            told.lock().unwrap().push(notice.code);
        }
    };
    let summary = migrator.run_at_startup_telling(&listener, Stop::new()).await.unwrap();
    let codes: Vec<&str> = summary.notices.iter().map(|notice| notice.code).collect();
    assert_eq!(codes, ["LIM-C016", "LIM-F001"], "{summary}");
    assert_eq!(*told.lock().unwrap(), codes);
    assert!(summary.to_string().contains("; [LIM-C016] `database` leads to "), "{summary}");
    assert!(summary.to_string().contains("; [LIM-F001] "), "{summary}");
}

#[tokio::test]
async fn an_older_release_says_how_far_the_database_is() {
    for home in all_homes() {
        let with = |files: &[(&'static str, &'static str)]| {
            home.with(|it| it.embedded = Some(Embedded::new(files.iter().copied())))
        };
        with(&FILES[..2]).run_at_startup().await.unwrap();
        let summary = with(&FILES[..1]).run_at_startup().await.unwrap();
        assert_eq!((summary.current.as_deref(), summary.description.as_deref()), (Some("002"), Some("slug")));
        assert_eq!((summary.applied, summary.total, summary.pending, summary.ahead), (2, 2, 0, 1));
        let said = "is at version 002 (slug), 2 of 2 applied, 0 pending, 1 newer than this application; [LIM-P002] ";
        assert!(summary.to_string().contains(said), "{summary}");
        // A file that is gone is not one that comes.
        let later = ("003_later.sql", "insert into posts (id, title) values (5, 'E');");
        let summary = with(&[FILES[1], later]).run_at_startup().await.unwrap();
        assert_eq!((summary.current.as_deref(), summary.applied, summary.ahead), (Some("003"), 3, 0));
        assert!(!summary.to_string().contains("newer"), "{summary}");
    }
}

#[tokio::test]
async fn scratch_databases_are_migrated_step_by_step() {
    for home in all_homes() {
        let application = Migrator::builder(home.url()).embedded(Embedded::new(FILES)).code(fills("1"));
        let scratch = Scratch::on(&home.url()).await.unwrap();
        scratch.migrate_to(&application, "002").await.unwrap();
        scratch.execute("insert into posts (id, title) values (3, 'New one')").await.unwrap();
        let result = scratch.migrate(&application).await;
        let (_, text) = refused(&result.unwrap_err());
        assert!(text.contains("it panicked"), "the code counts two rows: {text}");
        scratch.execute("delete from posts where id = 2").await.unwrap();
        scratch.migrate(&application).await.unwrap();
        let slugs = scratch.query("select slug from posts order by id").await.unwrap();
        assert_eq!(slugs.iter().filter_map(|row| row.text(0)).collect::<Vec<_>>(), ["a-b", "new-one"]);
        assert!(!scratch.url().expose().contains(&home.database()) || home.is_sqlite());
        scratch.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_plan_shows_code_and_no_statements() {
    let home = newest_postgres();
    let migrator = embedded(&home, vec![fills("1")]);
    let plan = migrator.plan(&MigrateOptions::default()).await.unwrap();
    let step = &plan.steps[2];
    assert_eq!((step.version.as_str(), step.statements_total), ("003", 0));
    let consent = home.database();
    let tried = migrator.dry_run(&MigrateOptions::default(), Some(&consent), &quiet, Stop::new()).await.unwrap();
    let executed = tried.executed.unwrap();
    assert!(executed.not_tried.iter().any(|line| line.reason.contains("code")), "{executed:?}");
    let script = migrator.plan_script(&MigrateOptions::default()).await;
    let (_, text) = refused(&script.unwrap_err());
    assert!(text.contains("code 003 fill slugs"), "{text}");
}

/// The example for applications, as it stands.
#[path = "../../examples/startup.rs"]
#[expect(dead_code, reason = "its main is for the command line")]
mod startup;

#[tokio::test]
async fn the_example_starts() {
    for home in all_homes() {
        let migrator = startup::migrator(&home.url()).unwrap();
        assert_eq!(migrator.run_at_startup().await.unwrap().current.as_deref(), Some("003"));
        assert_eq!(home.rows("select slug from posts order by id"), ["the-first-post", "another-one"]);
        let version = limosa::Version::parse("3").unwrap();
        assert_eq!(migrator.ready(Some(&version)).await.unwrap().exit_code, 0);
    }
}
