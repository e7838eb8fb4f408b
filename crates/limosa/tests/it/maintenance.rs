//! Emptying, seeding, backing up, bringing back, and the looks that monitors and administrators take.

use std::path::Path;

use limosa::{MigrateOptions, Migrator, Progress, RollbackOptions, Secret, Selection, Stop, ledger_script};
use limosa_testkit::{Folder, postgres};

use crate::answers::{back, done, failed, findings, id, labels, migrate, quiet, refusal, steps, version};
use crate::dry_run::snapshot;
use crate::place::{Home, Place, homes};

fn table(name: &str) -> String {
    format!("create table {name} (id int);\n-- limosa:rollback\ndrop table {name};\n")
}

#[tokio::test]
async fn clean_empties_the_database_and_the_ledger_forgets() {
    for home in homes() {
        home.file("001_a.sql", &table("a"));
        home.file("002_b.sql", "create table limosa_birds (id int primary key, a int references limosa_birds (id));");
        done(home.migrate().await);
        home.folder.write("seeds/001_s.sql", "insert into a values (1);");
        done(home.migrator().seed(&home.folder.join("seeds"), false, &quiet, Stop::new()).await);
        // Made by others, and in each other's way.
        home.execute("create table \"odd \"\"name\" (id int); create view v as select id from a; create view w as select id from v");
        if home.is_sqlite() {
            home.execute(
                "create virtual table words using fts5(text); insert into words values ('x'); \
                 create trigger t after insert on a begin select 1; end; create table auto (id integer primary key autoincrement);\
                 insert into auto default values;",
            );
        }
        let name = home.database();
        let migrator = home.migrator();
        let before = snapshot(&home);
        for wrong in [None, Some(""), Some("other")] {
            refusal(migrator.clean(wrong, false, &quiet).await, 4, &["LIM-U004", "clean needs consent", &name]);
        }
        let protected = home.with(|it| it.protected = true);
        refusal(protected.clean(Some(&name), false, &quiet).await, 4, &["LIM-U003", "clean is refused"]);
        refusal(protected.clean(Some(&name), true, &quiet).await, 4, &["LIM-U003"]);
        assert_eq!(snapshot(&home), before);
        let tried = migrator.clean(None, true, &quiet).await.unwrap();
        assert!(
            tried.would.iter().any(|line| line.starts_with("drop table") && line.contains("odd")),
            "{:?}",
            tried.would
        );
        assert_eq!(snapshot(&home), before);

        let answer = migrator.clean(Some(&name), false, &quiet).await.unwrap();
        assert_eq!(answer.done, tried.would);
        assert!(home.tables().is_empty(), "{:?}", home.tables());
        assert_eq!(home.ledger(), Vec::<String>::new());
        assert_eq!(migrator.audit_verify(&[]).await.unwrap().exit_code, 0);
        let history = migrator.history(1).await.unwrap();
        assert_eq!(history.operations[0].operation, "clean");
        assert_eq!(labels(&done(home.migrate().await)), ["001", "002"]);
        done(migrator.seed(&home.folder.join("seeds"), false, &quiet, Stop::new()).await);
        assert_eq!(home.count("select count(*) from a"), 1);
        // Twice is no harm.
        migrator.clean(Some(&name), false, &quiet).await.unwrap();
        assert!(migrator.clean(Some(&name), false, &quiet).await.unwrap().done.is_empty());
    }
}

#[tokio::test]
async fn clean_takes_all_kinds_of_objects_and_leaves_extensions() {
    for home in homes().into_iter().filter(|home| !home.is_sqlite()) {
        home.file("001_a.sql", &table("a"));
        done(home.migrate().await);
        let role = format!("owner_of_{}", home.database());
        home.execute(&format!(
            "create role {role}; create schema theirs authorization {role}; create table theirs.t (id serial primary key); \
             create schema tools; create extension pg_trgm with schema tools; create extension btree_gin; \
             create table tools.own (id int, word text); create index on tools.own using gin (word tools.gin_trgm_ops); \
             create type mood as enum ('glad'); create domain positive as int check (value > 0); create type pair as (a int, b positive); \
             create type span_of_floats as range (subtype = float8); create sequence loose; \
             create function twice(n int, out m int) language sql as 'select n * 2'; create procedure nothing(inout a mood) language sql as 'select a'; \
             create aggregate total(int) (sfunc = int4pl, stype = int4, initcond = '0'); \
             create function watch() returns trigger language plpgsql as 'begin return new; end'; \
             create trigger t before insert on a for each row execute function watch(); \
             create table parted (n int) partition by range (n); create table parted_1 partition of parted for values from (0) to (9); \
             create materialized view frozen as select twice(1) m; create collation words (locale = 'C'); \
             create publication everything for all tables; create table ident (id int generated always as identity, m mood, p pair)"
        ));
        let answer = home.migrator().clean(Some(&home.database()), false, &quiet).await.unwrap();
        assert!(answer.done.iter().any(|line| line == "drop schema theirs"), "{:?}", answer.done);
        assert!(!answer.done.iter().any(|line| line.contains("schema tools") || line.contains("schema public")));
        assert!(home.tables().is_empty(), "{:?}", home.tables());
        let extensions = home.rows("select extname::text from pg_extension order by 1");
        assert_eq!(extensions, ["btree_gin", "pg_trgm", "plpgsql"]);
        assert_eq!(home.count("select count(*) from pg_namespace where nspname = 'theirs'"), 0);
        let left = home.rows(
            "select 'routine', p.proname::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'public' \
             and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e') \
             union all select 'type', t.typname::text from pg_type t join pg_namespace n on n.oid = t.typnamespace \
             where n.nspname in ('public', 'tools') and not exists (select from pg_depend d where d.objid = t.oid and d.deptype in ('e', 'i')) \
             union all select 'relation', c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'public' \
             union all select 'collation', collname::text from pg_collation where collnamespace = 'public'::regnamespace \
             union all select 'publication', pubname::text from pg_publication",
        );
        assert_eq!(left, Vec::<String>::new());
        // The extension still works, and the schema's owner is who it was.
        assert_eq!(home.rows("select tools.similarity('a', 'a')"), ["1"]);
        assert_eq!(home.rows("select nspowner::regrole::text from pg_namespace where nspname = 'tools'"), ["postgres"]);
    }
}

#[tokio::test]
async fn a_ledger_in_public_survives_a_clean() {
    for home in homes() {
        let name = if home.is_sqlite() { "ledger" } else { "public" };
        let migrator = home.with(|it| it.ledger_schema = name.to_owned());
        home.file("001_a.sql", &table("a"));
        done(migrate(&migrator).await);
        migrator.clean(Some(&home.database()), false, &quiet).await.unwrap();
        assert!(!home.tables().contains(&"a".to_owned()));
        assert_eq!(migrator.history(10).await.unwrap().operations.len(), 2);
        assert_eq!(labels(&done(migrate(&migrator).await)), ["001"]);
    }
}

#[tokio::test]
async fn clean_refuses_where_another_project_lives() {
    for home in homes() {
        home.file("001_a.sql", &table("a"));
        done(home.migrate().await);
        home.folder.write("wiki/001_b.sql", table("b"));
        let wiki = home.with(|it| {
            it.project = "wiki".to_owned();
            it.directories = vec![home.folder.join("wiki")];
        });
        done(migrate(&wiki).await);
        let before = snapshot(&home);
        for dry_run in [true, false] {
            let refused = home.migrator().clean(Some(&home.database()), dry_run, &quiet).await;
            refusal(refused, 4, &["LIM-U070", "what other projects made here: wiki", "--to 0"]);
        }
        assert_eq!(snapshot(&home), before);
        done(back(&wiki, Selection::To(version("0")), Some(&home.database())).await);
        home.migrator().clean(Some(&home.database()), false, &quiet).await.unwrap();
        assert!(home.tables().is_empty());
    }
}

#[tokio::test]
async fn reset_begins_anew() {
    for home in homes() {
        home.file("001_a.sql", &table("a"));
        done(home.migrate().await);
        home.execute("insert into a values (1); create table stray (id int)");
        let options = MigrateOptions::default();
        let migrator = home.migrator();
        refusal(migrator.reset(None, &options, &quiet, Stop::new()).await, 4, &["LIM-U004"]);
        assert_eq!(home.tables(), ["a", "stray"]);
        let protected = home.with(|it| it.protected = true);
        refusal(protected.reset(Some(&home.database()), &options, &quiet, Stop::new()).await, 4, &["LIM-U003"]);
        let answer = done(migrator.reset(Some(&home.database()), &options, &quiet, Stop::new()).await);
        assert_eq!(labels(&answer), ["001"]);
        assert_eq!((home.tables(), home.count("select count(*) from a")), (vec!["a".to_owned()], 0));
        assert_eq!(migrator.audit_verify(&[]).await.unwrap().exit_code, 0);
    }
}

#[tokio::test]
async fn seeds_run_once_and_again_when_they_change() {
    for home in homes() {
        home.file("001_a.sql", &table("a"));
        done(home.migrate().await);
        let folder = home.folder.join("seeds");
        home.folder.write("seeds/001_one.sql", "insert into a values (1);");
        home.folder.write("seeds/002_two.sql", "-- Depends-on: 001_one\ninsert into a values (${n});");
        let migrator = home.with(|it| it.values.all = [("n".to_owned(), "2".to_owned())].into());
        let seed = async |again: bool| migrator.seed(&folder, again, &quiet, Stop::new()).await;
        let answer = done(seed(false).await);
        assert_eq!((answer.command, labels(&answer)), ("seed", vec!["001", "002"]));
        assert_eq!(done(seed(false).await).outcome, "nothing_to_do");
        home.folder.write("seeds/002_two.sql", "-- Depends-on: 001_one\ninsert into a values (${n} + 1);");
        assert_eq!(labels(&done(seed(false).await)), ["002"]);
        assert_eq!(home.rows("select id from a order by 1"), ["1", "2", "3"]);
        assert_eq!(labels(&done(seed(true).await)), ["001", "002"]);
        assert_eq!(home.rows("select id from a order by 1"), ["1", "1", "2", "3", "3"]);

        // Migrations and seeds are apart.
        assert_eq!(home.states().await, ["1 applied"]);
        assert_eq!(migrator.validate().await.unwrap().exit_code, 0);
        home.folder.remove("seeds/001_one.sql");
        home.folder.write("seeds/002_two.sql", "insert into a values (${n} + 1);");
        let answer = done(seed(false).await);
        assert!(answer.notices.is_empty(), "{:?}", answer.notices);
        done(home.rollback(Selection::Steps(9)).await);
        assert!(home.tables().is_empty());

        // Errors are the seed's.
        let text = failed(&seed(true).await, 3, &["statement 1 of 1, INSERT"]);
        assert!(text.contains("002_two.sql"), "{text}");
        let protected = home.with(|it| it.protected = true);
        refusal(protected.seed(&folder, false, &quiet, Stop::new()).await, 4, &["LIM-U003", "seed is refused"]);
        refusal(
            migrator.seed(&home.folder.join("nowhere"), false, &quiet, Stop::new()).await,
            2,
            &["LIM-F900", "nowhere"],
        );
    }
}

/// Homes whose server has its client tools, which backups need.
fn with_tools() -> Vec<Home> {
    let mut homes: Vec<Home> = homes().into_iter().filter(Home::is_sqlite).collect();
    let version = postgres::versions()
        .unwrap()
        .into_iter()
        .rfind(|version| ["pg_dump", "pg_restore", "psql"].iter().all(|name| version.program(name).is_some()))
        .expect("a PostgreSQL with its client tools is needed; run the tests with `cargo xtask test`");
    let database = postgres::shared(&version).unwrap().create_database().unwrap();
    let events = std::sync::Mutex::new(Vec::new());
    homes.push(Home { folder: Folder::new(), place: Place::Postgres(database), events });
    homes
}

/// A migrator that finds the tools.
fn tooled(home: &Home) -> Migrator {
    home.with(|it| {
        let paths: Vec<_> = postgres::versions().unwrap().iter().map(|version| version.bin().to_owned()).collect();
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
        let before = snapshot(&home);
        home.file("002_b.sql", "drop table a; create table b (id int);");
        let answer = done(migrator.migrate(&with_backup(), &quiet, Stop::new()).await);
        let path = answer.backup.unwrap();
        assert_eq!(backups(&home).len(), 1);
        assert!(Path::new(&path).is_file());
        // Where nothing is to be run, no backup is made.
        let nothing = done(migrator.migrate(&with_backup(), &quiet, Stop::new()).await);
        assert_eq!((nothing.outcome, nothing.backup, backups(&home).len()), ("nothing_to_do", None, 1));

        let name = home.database();
        refusal(migrator.restore(None, None, &quiet).await, 4, &["LIM-U004", "restore needs consent", &name]);
        refusal(migrator.restore(None, Some("other"), &quiet).await, 4, &["(you named 'other')"]);
        let mut protected = migrator.configuration().clone();
        protected.protected = true;
        let refused = Migrator::new(protected).restore(None, Some(&name), &quiet).await;
        refusal(refused, 4, &["LIM-U003", "restore is refused"]);
        assert_eq!(home.tables(), ["b"]);

        let answer = migrator.restore(None, Some(&name), &quiet).await.unwrap();
        assert_eq!(answer.done, [format!("restored from {path}")]);
        assert_eq!((home.tables(), home.rows("select id from a")), (vec!["a".to_owned()], vec!["7".to_owned()]));
        assert_eq!(home.ledger(), ["1|applied"]);
        let newest = migrator.history(1).await.unwrap().operations.remove(0);
        assert_eq!((newest.operation.as_str(), newest.outcome.as_str()), ("restore", "done"));
        assert_eq!(migrator.audit_verify(&[]).await.unwrap().exit_code, 0);
        assert!(snapshot(&home).len() > before.len());
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
            migrator.backup(&quiet).await.unwrap();
            home.execute(&format!("insert into a values ({number})"));
        }
        assert_eq!(backups(&home).len(), 3);
        // Of another database, and something else altogether.
        home.folder.write("backups/zzz-29990101000000.db", "no backup of ours");
        home.folder.write("backups/zzz-29990101000000.dump", "no backup of ours");
        home.folder.write("backups/README", "");
        migrator.restore(None, Some(&home.database()), &quiet).await.unwrap();
        assert_eq!(home.rows("select id from a order by 1"), ["1", "2"]);
        let first = home.folder.join(&backups(&home)[0]);
        migrator.restore(Some(&first), Some(&home.database()), &quiet).await.unwrap();
        assert_eq!(home.count("select count(*) from a"), 0);

        // What is no backup changes nothing.
        let log = format!("select count(*) from {}", home.table("audit_log"));
        let state = || (home.tables(), home.ledger(), home.count(&log), home.count("select count(*) from a"));
        let before = state();
        let junk = home.folder.write("junk", "junk");
        for from in [junk, home.folder.join("nowhere")] {
            refusal(migrator.restore(Some(&from), Some(&home.database()), &quiet).await, 3, &["nothing was changed"]);
        }
        let none = home.with(|it| it.backup_directory = home.folder.join("empty"));
        refusal(none.restore(None, Some(&home.database()), &quiet).await, 2, &["LIM-U061", "no backup of"]);
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
        migrator.restore(Some(Path::new(&from)), Some(&home.database()), &quiet).await.unwrap();
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
async fn ready_answers_for_applications_that_start() {
    for home in homes() {
        home.file("001_a.sql", &table("a"));
        home.file("9_b.sql", &table("b"));
        home.file("010_c.sql", "-- Transaction: none\ncreate table c (id int);\nselect * from nowhere;\n");
        if home.is_sqlite() {
            refusal(home.migrator().ready(None).await, 3, &["does not exist"]);
            home.execute("create table users_own (n int)");
        }
        let ready = async |at_least: Option<&str>| {
            let at_least = at_least.map(version);
            let answer = home.migrator().ready(at_least.as_ref()).await.unwrap();
            (answer.exit_code, answer.ok, answer.reason.unwrap_or_default(), answer.version.unwrap_or_default())
        };
        let no = |reason: &str, at: &str| (1, false, reason.to_owned(), at.to_owned());
        assert_eq!(ready(None).await, no("no migration was ever run here", ""));
        done(home.migrate_with(&steps(2)).await);
        assert_eq!(ready(None).await, (0, true, String::new(), "9".to_owned()));
        for below in ["0", "1", "09", "9"] {
            assert!(ready(Some(below)).await.1, "{below}");
        }
        for above in ["9.1", "10", "20240101000000"] {
            let wanted = format!("the database is at version 9, {above} is needed");
            assert_eq!(ready(Some(above)).await, no(&wanted, "9"));
        }
        // Files do not matter to it.
        home.file("001_a.sql", "broken '");
        assert!(ready(Some("9")).await.1);
        home.file("001_a.sql", &table("a"));
        failed(&home.migrate().await, 3, &["nowhere"]);
        assert_eq!(ready(Some("9")).await, no("10 (c) is half done", "9"));
    }
}

#[tokio::test]
async fn health_is_an_answer_whatever_happens() {
    for home in homes() {
        home.file("001_a.sql", &table("a"));
        done(home.migrate().await);
        home.file("002_b.sql", &table("b"));
        let well = home.migrator().health().await;
        assert_eq!((well.exit_code, well.ok, well.pending, well.troubled), (0, true, Some(1), Some(0)));
        assert_eq!(well.version.as_deref(), Some("1"));
        home.file("001_a.sql", &table("other"));
        let changed = home.migrator().health().await;
        assert_eq!((changed.exit_code, changed.ok, changed.troubled), (1, false, Some(1)));
        assert!(changed.reason.unwrap().contains("1 is changed"));

        let nowhere = if home.is_sqlite() {
            format!("sqlite:{}", home.folder.join("no/such/folder.db").display())
        } else {
            format!("postgres://postgres@127.0.0.1:{}/x", limosa_testkit::free_port().unwrap())
        };
        let unreachable = home.with(|it| it.database = Secret::new(nowhere)).health().await;
        assert_eq!((unreachable.exit_code, unreachable.ok, unreachable.target.is_none()), (3, false, true));
        assert!(unreachable.reason.is_some());
        let broken = home.with(|it| it.directories = vec![home.folder.join("nowhere")]).health().await;
        assert_eq!((broken.exit_code, broken.ok), (2, false));
    }
}

async fn doctor(migrator: &Migrator) -> (u8, String, Vec<String>) {
    let answer = migrator.doctor().await.unwrap();
    let lines = answer.checks.iter().map(|line| format!("{} {}: {}", line.result, line.name, line.seen)).collect();
    (answer.exit_code, findings(&answer), lines)
}

#[tokio::test]
async fn doctor_finds_nothing_where_all_is_well() {
    for home in homes() {
        home.file("001_a.sql", &table("a"));
        let (exit, text, lines) = doctor(&home.migrator()).await;
        assert_eq!((exit, text.as_str()), (0, ""), "{lines:?}");
        assert!(lines.iter().any(|line| line.starts_with("note ledger: not made yet")), "{lines:?}");
        done(home.migrate().await);
        let (exit, text, lines) = doctor(&home.migrator()).await;
        assert_eq!((exit, text.as_str()), (0, ""), "{lines:?}");
        assert!(
            lines.contains(&"ok lock: free".to_owned()) && lines.contains(&"ok files: 1 changes read".to_owned()),
            "{lines:?}"
        );
    }
}

#[tokio::test]
async fn doctor_finds_what_was_planted() {
    for home in homes() {
        home.file("001_a.sql", &table("a"));
        done(home.migrate().await);
        if home.is_sqlite() {
            home.execute(
                "pragma foreign_keys = off; create table p (id integer primary key); \
                 create table c (p int references p (id)); insert into c values (7);",
            );
            let (exit, text, _) = doctor(&home.migrator()).await;
            assert!(exit == 0 && text.contains("rows of c point nowhere"), "{text}");
        } else {
            home.execute("insert into a values (1), (1)");
            let Place::Postgres(database) = &home.place else { unreachable!() };
            let session = database.session().unwrap();
            assert!(session.execute("create unique index concurrently broken on a (id)").is_err());
            let (exit, text, _) = doctor(&home.migrator()).await;
            assert!(exit == 0 && text.contains("invalid indexes: broken"), "{text}");
        }
        home.file("002_b.sql", "-- Requires-extension: no_such_extension\nselect 1;");
        home.file("003_c.sql", "select 'open");
        let (exit, text, lines) = doctor(&home.migrator()).await;
        assert_eq!(exit, 1);
        assert!(text.contains("extension no_such_extension is not available"), "{text}");
        assert!(text.contains("files: 1 errors") && text.contains("limosa validate"), "{text}");
        assert!(lines.iter().any(|line| line.starts_with("error files")), "{lines:?}");
        home.folder.remove("migrations/003_c.sql");
        home.file("004_d.sql", "-- Transaction: none\ncreate table d (id int);\nselect * from nowhere;\n");
        failed(&home.migrate().await, 3, &["nowhere"]);
        let (_, text, _) = doctor(&home.migrator()).await;
        assert!(text.contains("interrupted: 4") && text.contains("limosa repair"), "{text}");
    }
}

#[tokio::test]
async fn doctor_says_which_rights_are_missing_and_the_script_gives_them() {
    for home in homes() {
        let Place::Postgres(database) = &home.place else { continue };
        let role = format!("runner_of_{}", database.name());
        home.execute(&format!(
            "create role {role} login password 'x'; revoke create on schema public from public; \
             create schema app authorization {role}; alter role {role} set search_path = app"
        ));
        let runner = home.with(|it| {
            it.database = Secret::new(database.url_for(&role, "x"));
            it.role = None;
        });
        home.file("001_a.sql", &table("app.a"));
        home.file("002_b.sql", "create index concurrently i on app.a (id);\n-- limosa:rollback\ndrop index app.i;\n");
        let (exit, text, lines) = doctor(&runner).await;
        assert_eq!(exit, 1);
        assert!(
            text.contains("the ledger does not stand and cannot be made") && text.contains("--print-ledger-sql"),
            "{text}"
        );
        assert!(lines.iter().any(|line| line.contains(&format!("GRANT pg_read_all_stats TO \"{role}\""))), "{lines:?}");
        failed(&migrate(&runner).await, 3, &["permission denied", "--print-ledger-sql"]);

        let mut configuration = runner.configuration().clone();
        configuration.role = Some(role.clone());
        home.execute(&ledger_script(&configuration, None).unwrap());
        let (exit, text, _) = doctor(&runner).await;
        assert_eq!(exit, 0, "{text}");
        assert_eq!(labels(&done(migrate(&runner).await)), ["001", "002"]);
        done(back(&runner, Selection::Steps(1), Some(database.name())).await);
        runner.repair(&limosa::Repair::MarkApplied(id("2")), false, &quiet).await.unwrap();
        assert_eq!(runner.audit_verify(&[]).await.unwrap().exit_code, 0);
        // The log can be appended to, and nothing else.
        let Err(error) = (database_as(database, &role)).execute("update limosa.audit_log set actor = 'eve'") else {
            panic!("the audit log can be changed");
        };
        assert!(error.to_string().contains("permission denied"), "{error}");

        home.execute(&format!("revoke insert on all tables in schema limosa from {role}"));
        let (exit, text, _) = doctor(&runner).await;
        assert!(exit == 1 && text.contains("the ledger stands but cannot be written"), "{text}");
    }
}

/// A session of another role.
fn database_as(database: &limosa_testkit::TestDatabase, role: &str) -> postgres::Session {
    let session = database.session().unwrap();
    session.execute(&format!("set role {role}")).unwrap();
    session
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
        let answer = tooled(&home).backup(&listener).await.unwrap();
        assert_eq!(notes.into_inner().unwrap(), [format!("backup to {}", answer.done[0])]);
        assert_eq!(home.states().await, ["1 applied"]);
    }
}
