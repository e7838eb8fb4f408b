//! `kill -9` at every step: what the next run finds, it finishes, cleans up, or explains.

use limosa_testkit::binary::Output;
use limosa_testkit::proxy::{Cut, Ending as CutEnding, Side};
use limosa_testkit::{Folder, Proxy};

use super::stage::{for_each, limosa, number, run, sound};

/// Runs a command until it is done. Where it asks a person, answers as the database shows and goes on.
///
/// `took_effect` says of a statement `MIGRATION:NUMBER` whether its effect stands.
pub(crate) fn finish(
    folder: &Folder,
    url: &str,
    words: &[&str],
    took_effect: &dyn Fn(&str) -> bool,
) -> Result<Ending, String> {
    let mut asked = 0;
    for _ in 0..8 {
        let output = limosa(folder, url, words).run().map_err(|error| error.to_string())?;
        match output.code {
            Some(0) => return Ok(Ending { asked }),
            Some(4) if output.stderr.contains("LIM-R021") => {
                asked += 1;
                let done = offered(&output, "limosa repair --mark-done ")?;
                let again = offered(&output, "limosa repair --retry ")?;
                let choice = if took_effect(&done) { ["--mark-done", &done] } else { ["--retry", &again] };
                let repaired = limosa(folder, url, &["repair", choice[0], choice[1]]).run();
                let repaired = repaired.map_err(|error| error.to_string())?;
                if repaired.code != Some(0) {
                    return Err(format!("the suggested command failed\n{output}{repaired}"));
                }
            }
            _ => return Err(format!("neither done nor explained\n{output}")),
        }
    }
    Err("it asks for ever".to_owned())
}

pub(crate) struct Ending {
    asked: usize,
}

/// The argument of a ready command.
fn offered(output: &Output, command: &str) -> Result<String, String> {
    let rest = output.stderr.split(command).nth(1);
    let word = rest.and_then(|rest| rest.split_whitespace().next());
    word.map(str::to_owned).ok_or_else(|| format!("no ready command {command:?}\n{output}"))
}

/// A place to die: the number of a message of one side.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    side: Side,
    number: usize,
    #[expect(dead_code, reason = "shown where a walk fails")]
    what: String,
}

impl Place {
    pub(crate) fn new(side: Side, number: usize, what: String) -> Self {
        Self { side, number, what }
    }
}

/// Runs a command through a proxy that stands still at a place, and kills it there. False where it came to its end.
pub(crate) fn die(folder: &Folder, url: &str, proxy: &Proxy, words: &[&str], place: &Place) -> Result<bool, String> {
    let cut = match place.side {
        Side::Client => Cut::after(place.side, place.number),
        Side::Server => Cut::before(place.side, place.number),
    };
    proxy.set_quiet(std::time::Duration::ZERO);
    proxy.cut(cut.ending(CutEnding::Hang));
    let mut running = limosa(folder, url, words).spawn().unwrap();
    while proxy.cuts_done() == 0 && running.is_running().unwrap() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    let stood = proxy.cuts_done() > 0;
    if stood {
        running.kill_hard().unwrap();
    }
    let output = running.wait().unwrap();
    // Now the server hears of the end, after all that came before.
    proxy.resume();
    match (stood, output.code) {
        // Its farewell needs no answer, so that it may be gone before it is killed.
        (true, None | Some(0)) | (false, Some(0)) => Ok(stood),
        _ => Err(format!("it ended by itself\n{output}")),
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use limosa_testkit::TestDatabase;

    use super::super::stage::server;
    use super::*;

    fn folder() -> Folder {
        Folder::new()
            .file(
                "migrations/001_orders.sql",
                "create type mood as enum ('calm');\n\
                 create table orders (id integer primary key, note text);\n\
                 insert into orders select n, 'first' from generate_series(1, 3) n;\n\
                 create table moods (mood mood);\n\
                 create table payments (id integer);\n\
                 create table views_made (id integer);\n\
                 create procedure pay() language plpgsql as $$ begin insert into payments values (1); commit; end $$;\n\
                 create procedure refund() language plpgsql as $$ begin delete from payments; commit; end $$;\n\
                 -- limosa:rollback\n\
                 drop procedure refund();\ndrop procedure pay();\n\
                 drop table views_made;\ndrop table payments;\ndrop table moods;\ndrop table orders;\ndrop type mood;\n",
            )
            .file(
                "migrations/002_index.sql",
                "create index concurrently orders_note on orders (note);\n\
                 vacuum orders;\n\
                 -- limosa:rollback\n\
                 drop index concurrently orders_note;\n",
            )
            .file(
                "migrations/003_storm.sql",
                "insert into moods values ('calm');\n\
                 alter type mood add value if not exists 'storm';\n\
                 insert into moods values ('storm');\n\
                 -- limosa:rollback\n\
                 delete from moods;\n",
            )
            .file("migrations/004_pay.sql", "-- Transaction: none\ncall pay();\n")
            .file("migrations/004_pay.rollback.sql", "-- Transaction: none\ncall refund();\n")
            .file(
                "migrations/R__overview.sql",
                "create or replace view overview as select count(*) from orders;\n\
                 insert into views_made values (1);\n\
                 -- limosa:rollback\n\
                 drop view overview;\ndelete from views_made;\n",
            )
    }

    const MIGRATED: &str = "select concat_ws(' ', \
        (select count(*) from orders), (select string_agg(mood::text, ',') from moods), \
        (select count(*) from payments), (select count(*) from views_made), \
        (select string_agg(relname || indisvalid, ',') from pg_index join pg_class on oid = indexrelid \
         where indrelid = 'orders'::regclass and not indisprimary), \
        (select string_agg(state || coalesce(version, ''), ',' order by version) from limosa.schema_migrations), \
        (select count(*) from limosa.audit_log where operation = 'apply' and outcome = 'done'))";

    const BEFORE: &str = "select concat_ws(' ', \
        (select count(*) from pg_class where relnamespace = 'public'::regnamespace), \
        (select count(*) from pg_type where typnamespace = 'public'::regnamespace), \
        (select count(*) from pg_proc where pronamespace = 'public'::regnamespace))";

    /// The places of a whole run: after each message that makes the server do or commit something, after some of the others,
    /// and before some of the server's answers, which the client never hears.
    fn places(proxy: &Proxy) -> Vec<Place> {
        let every = number("LIMOSA_TEST_WALK_EVERY", 40);
        let mut counts = [0, 0];
        let mut answers = 0;
        let mut places = Vec::new();
        for message in proxy.messages() {
            let count = &mut counts[message.side as usize];
            *count += 1;
            let chosen = match (message.side, message.kind) {
                (Side::Client, 'Q' | 'S') => true,
                (Side::Client, _) => *count % every == 0,
                (Side::Server, 'C') => {
                    answers += 1;
                    answers % (every / 3).max(1) == 0
                }
                (Side::Server, _) => false,
            };
            if chosen {
                let what = format!("{} {}", message.kind, message.text);
                places.push(Place::new(message.side, *count, what));
            }
        }
        places
    }

    #[test]
    fn migrate_on_postgres_dies_at_every_message() {
        let folder = folder();
        let server = server::newest();
        let database = server.create_database().unwrap();
        let proxy = Proxy::start(server).unwrap();
        proxy.set_quiet(std::time::Duration::ZERO);
        let _ = run(&folder, &proxy.url(&database), &["migrate"], 0);
        let expected = server::value(&database, MIGRATED);
        assert_eq!(expected, "3 calm,storm 1 1 orders_notetrue applied001,applied002,applied003,applied004,applied 5");
        let places = places(&proxy);
        let asked = std::sync::atomic::AtomicUsize::new(0);
        for_each(&places, |place| {
            let database = server.create_database().unwrap();
            let proxy = Proxy::start(server).unwrap();
            die(&folder, &proxy.url(&database), &proxy, &["migrate"], place)?;
            let took_effect = |_: &str| server::value(&database, "select count(*) from payments") == "1";
            let ending = finish(&folder, &database.url(), &["migrate"], &took_effect)?;
            asked.fetch_add(ending.asked, std::sync::atomic::Ordering::Relaxed);
            let found = server::value(&database, MIGRATED);
            if found != expected {
                return Err(format!("{found}, not {expected}"));
            }
            sound(&folder, &database.url())
        });
        let asked = asked.into_inner();
        println!("{} places, {asked} times a person was asked", places.len());
        assert!(places.len() > 50 && asked > 0);
    }

    #[test]
    fn rollback_on_postgres_dies_at_every_message() {
        let folder = folder();
        let server = server::newest();
        let template = server.create_database().unwrap();
        let before = server::value(&template, BEFORE);
        let _ = run(&folder, &template.url(), &["migrate"], 0);
        // Repeatables have no version to go below.
        let consent = ["rollback", "R:overview", "--allow-data-loss", template.name()];
        let _ = run(&folder, &template.url(), &consent, 0);
        let fresh = |number: usize| {
            let name = format!("{}_{number}", template.name());
            server.execute("postgres", &format!("create database {name} template {}", template.name())).unwrap();
            server.database(&name)
        };
        let database = fresh(0);
        let proxy = Proxy::start(server).unwrap();
        proxy.set_quiet(std::time::Duration::ZERO);
        let _ = run(&folder, &proxy.url(&database), &rollback(&database), 0);
        assert_eq!(server::value(&database, BEFORE), before);
        let places = places(&proxy);
        let count = std::sync::atomic::AtomicUsize::new(1);
        for_each(&places, |place| {
            let database = fresh(count.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
            let proxy = Proxy::start(server).unwrap();
            let words = rollback(&database);
            die(&folder, &proxy.url(&database), &proxy, &words, place)?;
            let took_effect = |_: &str| server::value(&database, "select count(*) from payments") == "0";
            finish(&folder, &database.url(), &words, &took_effect)?;
            let found = server::value(&database, BEFORE);
            let ledger = server::value(
                &database,
                "select concat_ws(' ', (select count(*) from limosa.schema_migrations), \
                 (select count(*) from limosa.audit_log where operation = 'revert' and outcome = 'done'))",
            );
            if (found.as_str(), ledger.as_str()) != (before.as_str(), "0 5") {
                return Err(format!("objects {found}, not {before}; ledger rows and reverts {ledger}"));
            }
            sound(&folder, &database.url())
        });
        println!("{} places", places.len());
        assert!(places.len() > 50);
    }

    fn rollback(database: &TestDatabase) -> [&str; 5] {
        ["rollback", "--to", "0", "--allow-data-loss", database.name()]
    }
}

mod sqlite {
    use std::thread::sleep;
    use std::time::{Duration, Instant};

    use rusqlite::Connection;

    use super::super::stage::{seen, sqlite};
    use super::*;

    const URL: &str = "sqlite:app.db";

    /// A statement that takes some milliseconds.
    const SLOW: &str = "insert into slow with recursive n(x) as (select 1 union all select x + 1 from n where x < 30000) \
                        select count(*) from n;\n";

    fn folder() -> Folder {
        let none = "-- Transaction: none\n";
        Folder::new()
            .file(
                "migrations/001_orders.sql",
                format!(
                    "create table slow (n);\ncreate table orders (id integer primary key, note text);\n\
                     {SLOW}insert into orders values (1, 'a'), (2, 'b'), (3, 'c');\ncreate table made (id);\n\
                     -- limosa:rollback\ndrop table made;\ndrop table orders;\ndrop table slow;\n"
                ),
            )
            .file(
                "migrations/002_alone.sql",
                format!("{none}insert into orders values (4, 'd');\nvacuum;\n{SLOW}create index orders_note on orders (note);\n"),
            )
            .file(
                "migrations/002_alone.rollback.sql",
                format!("{none}drop index orders_note;\ndelete from slow where rowid > 1;\ndelete from orders where id = 4;\n"),
            )
            .file(
                "migrations/003_own.sql",
                format!(
                    "begin;\ninsert into made values (1);\n{SLOW}commit;\nbegin;\ninsert into made values (2);\ncommit;\n\
                     -- limosa:rollback\ndelete from made where id = 1;\ndelete from made where id = 2;\n"
                ),
            )
            .file(
                "migrations/R__overview.sql",
                "drop view if exists overview;\ncreate view overview as select count(*) from orders;\ninsert into made values (3);\n\
                 -- limosa:rollback\ndrop view overview;\ndelete from made where id = 3;\n",
            )
    }

    const MIGRATED: &str = "select (select count(*) from orders) || ' ' || (select group_concat(id) from (select id from made order by id)) \
        || ' ' || (select count(*) from slow) || ' ' || (select count(*) from sqlite_schema where name in ('orders_note', 'overview')) \
        || ' ' || (select group_concat(state || coalesce(version, '')) from limosa_schema_migrations) \
        || ' ' || (select count(*) from limosa_audit_log where operation = 'apply' and outcome = 'done')";
    const EXPECTED: &str = "4 1,2,3 3 2 applied001,applied002,applied003,applied 4";

    const REVERTED: &str = "select (select count(*) from sqlite_schema where name not like '%limosa%' and name not like 'sqlite%') \
        || ' ' || (select count(*) from limosa_schema_migrations) \
        || ' ' || (select count(*) from limosa_audit_log where operation = 'revert' and outcome = 'done')";

    /// Repeatables have no version to go below.
    fn migrate_and_drop_the_view(folder: &Folder) {
        let _ = run(folder, URL, &["migrate"], 0);
        let _ = run(folder, URL, &["rollback", "R:overview", "--allow-data-loss", "app.db"], 0);
    }

    fn rollback() -> [&'static str; 5] {
        ["rollback", "--to", "0", "--allow-data-loss", "app.db"]
    }

    /// Whether the effect of a statement of 002 stands, forward or back.
    fn took_effect(folder: &Folder, statement: &str, back: bool) -> bool {
        let database = sqlite(&folder.join("app.db"));
        let forward = match statement {
            "2:1" if back => "select count(*) from sqlite_schema where name = 'orders_note'",
            "2:2" if back => "select count(*) > 1 from slow",
            "2:3" if back => "select count(*) from orders where id = 4",
            "2:1" => "select count(*) from orders where id = 4",
            "2:3" => "select count(*) > 1 from slow",
            "2:4" => "select count(*) from sqlite_schema where name = 'orders_note'",
            _ => "select 0",
        };
        (seen(&database, forward) == "1") != back
    }

    /// After the death: the command again, to its end, and what must stand then.
    fn again(folder: &Folder, back: bool) -> Result<Ending, String> {
        let words = if back { &rollback()[..] } else { &["migrate"][..] };
        let ending = finish(folder, URL, words, &|statement| took_effect(folder, statement, back))?;
        let database = sqlite(&folder.join("app.db"));
        let (found, expected) = match back {
            true => (seen(&database, REVERTED), "0 0 4"),
            false => (seen(&database, MIGRATED), EXPECTED),
        };
        if found != expected {
            return Err(format!("{found}, not {expected}"));
        }
        if seen(&database, "pragma integrity_check") != "ok" {
            return Err("the file is damaged".to_owned());
        }
        sound(folder, URL)?;
        Ok(ending)
    }

    #[test]
    fn at_many_moments() {
        let steps = u32::try_from(number("LIMOSA_TEST_LADDER", 16)).unwrap();
        for back in [false, true] {
            let template = folder();
            let words = if back { &rollback()[..] } else { &["migrate"][..] };
            if back {
                migrate_and_drop_the_view(&template);
            }
            let before = std::fs::read(template.join("app.db")).ok();
            let began = Instant::now();
            let _ = run(&template, URL, words, 0);
            let whole = began.elapsed();
            let delays: Vec<Duration> = (0..steps).map(|step| whole * step / steps).collect();
            for_each(&delays, |delay| {
                let folder = folder();
                if let Some(before) = &before {
                    folder.write("app.db", before);
                }
                let mut running = limosa(&folder, URL, words).spawn().unwrap();
                let began = Instant::now();
                while began.elapsed() < *delay && running.is_running().unwrap() {
                    sleep(Duration::from_micros(200));
                }
                running.kill_hard().unwrap_or_default();
                let _ = running.wait().unwrap();
                again(&folder, back).map(drop)
            });
        }
    }

    /// Makes the `number`-th write into limosa's tables last for ever.
    fn trap(database: &Connection, number: usize) {
        database.execute_batch("create table trap_count (n); insert into trap_count values (0);").unwrap();
        for table in ["schema_migrations", "audit_log", "journal", "lease", "audit_head"] {
            for event in ["insert", "update", "delete"] {
                database
                    .execute_batch(&format!(
                        "create trigger trap_{table}_{event} after {event} on limosa_{table} begin \
                           update trap_count set n = n + 1; \
                           insert into trap_count with recursive hang(x) as (select 1 from trap_count where n = {number} \
                             union all select x + 1 from hang where x < 1000000000000) select x from hang where x < 0; \
                         end;"
                    ))
                    .unwrap();
            }
        }
    }

    fn untrap(database: &Connection) {
        let names = seen(database, "select name from sqlite_schema where type = 'trigger' and name like 'trap%'");
        for name in names.split(' ').filter(|name| !name.is_empty()) {
            database.execute_batch(&format!("drop trigger {name}")).unwrap();
        }
        database.execute_batch("drop table trap_count").unwrap();
    }

    /// True once it sits in the trap: the write lock stays with it, and its count stands still.
    fn sits(database: &Connection) -> bool {
        database.busy_timeout(Duration::ZERO).unwrap();
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(100) {
            if database.execute_batch("begin immediate; rollback").is_ok() {
                return false;
            }
            sleep(Duration::from_millis(5));
        }
        true
    }

    #[test]
    fn at_every_write_into_the_ledger() {
        for back in [false, true] {
            let template = folder();
            let words = if back { &rollback()[..] } else { &["migrate"][..] };
            if back {
                migrate_and_drop_the_view(&template);
            } else {
                let ledger = run(&template, URL, &["init", "--print-ledger-sql"], 0).stdout;
                sqlite(&template.join("app.db")).execute_batch(&ledger).unwrap();
            }
            let before = std::fs::read(template.join("app.db")).unwrap();
            trap(&sqlite(&template.join("app.db")), 0);
            run(&template, URL, words, 0);
            let writes: usize = seen(&sqlite(&template.join("app.db")), "select n from trap_count").parse().unwrap();
            assert!(writes > 15, "{writes}");
            let numbers: Vec<usize> = (1..=writes).collect();
            let asked = std::sync::atomic::AtomicUsize::new(0);
            for_each(&numbers, |number| {
                let folder = folder();
                folder.write("app.db", &before);
                let database = sqlite(&folder.join("app.db"));
                trap(&database, *number);
                let mut running = limosa(&folder, URL, words).spawn().unwrap();
                while running.is_running().unwrap() && !sits(&database) {}
                if !running.is_running().unwrap() {
                    return Err(format!("it did not fall into the trap\n{}", running.wait().unwrap()));
                }
                running.kill_hard().unwrap();
                let _ = running.wait().unwrap();
                database.busy_timeout(Duration::from_secs(5)).unwrap();
                untrap(&database);
                drop(database);
                let ending = again(&folder, back)?;
                asked.fetch_add(ending.asked, std::sync::atomic::Ordering::Relaxed);
                Ok(())
            });
            println!("{writes} writes, {} times a person was asked", asked.into_inner());
        }
    }
}
