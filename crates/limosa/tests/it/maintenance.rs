//! Emptying a database, beginning anew, and seeds.

use limosa::{MigrateOptions, Selection, Stop};

use crate::answers::{back, done, failed, labels, migrate, quiet, refusal, version};
use crate::dry_run::snapshot;
use crate::place::{all_homes, homes};

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
            refusal(
                migrator.clean(wrong, false, &quiet, Stop::new()).await,
                4,
                &["LIM-U004", "clean needs consent", &name],
            );
        }
        let protected = home.with(|it| it.protected = true);
        refusal(protected.clean(Some(&name), false, &quiet, Stop::new()).await, 4, &["LIM-U003", "clean is refused"]);
        refusal(protected.clean(Some(&name), true, &quiet, Stop::new()).await, 4, &["LIM-U003"]);
        assert_eq!(snapshot(&home), before);
        let tried = migrator.clean(None, true, &quiet, Stop::new()).await.unwrap();
        assert!(
            tried.would.iter().any(|line| line.starts_with("drop table") && line.contains("odd")),
            "{:?}",
            tried.would
        );
        assert_eq!(snapshot(&home), before);

        let answer = migrator.clean(Some(&name), false, &quiet, Stop::new()).await.unwrap();
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
        migrator.clean(Some(&name), false, &quiet, Stop::new()).await.unwrap();
        assert!(migrator.clean(Some(&name), false, &quiet, Stop::new()).await.unwrap().done.is_empty());
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
        let answer = home.migrator().clean(Some(&home.database()), false, &quiet, Stop::new()).await.unwrap();
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
    for home in all_homes() {
        let name = if home.is_sqlite() { "ledger" } else { "public" };
        let migrator = home.with(|it| it.ledger_schema = name.to_owned());
        home.file("001_a.sql", &table("a"));
        done(migrate(&migrator).await);
        migrator.clean(Some(&home.database()), false, &quiet, Stop::new()).await.unwrap();
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
            let refused = home.migrator().clean(Some(&home.database()), dry_run, &quiet, Stop::new()).await;
            refusal(refused, 4, &["LIM-U070", "what other projects made here: wiki", "--to 0"]);
        }
        assert_eq!(snapshot(&home), before);
        done(back(&wiki, Selection::To(version("0")), Some(&home.database())).await);
        home.migrator().clean(Some(&home.database()), false, &quiet, Stop::new()).await.unwrap();
        assert!(home.tables().is_empty());
    }
}

#[tokio::test]
async fn reset_begins_anew() {
    for home in all_homes() {
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
    for home in all_homes() {
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
