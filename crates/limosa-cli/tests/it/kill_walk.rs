//! `kill -9` at every step: what the next run finds, it finishes, cleans up, or explains.

use limosa_testkit::{Folder, binary::Output};

use super::stage::{assert_sound, limosa, number, run, seen, sqlite};

/// Runs a command until it is done. Where it asks a person, answers as the database shows and goes on.
///
/// `took_effect` says of a statement `MIGRATION:NUMBER` whether its effect stands.
fn finish(folder: &Folder, url: &str, words: &[&str], took_effect: &dyn Fn(&str) -> bool) -> Result<Ending, String> {
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

struct Ending {
    asked: usize,
}

/// The argument of a ready command.
fn offered(output: &Output, command: &str) -> Result<String, String> {
    let rest = output.stderr.split(command).nth(1);
    let word = rest.and_then(|rest| rest.split_whitespace().next());
    word.map(str::to_owned).ok_or_else(|| format!("no ready command {command:?}\n{output}"))
}

#[cfg(feature = "postgres")]
mod postgres {
    use limosa_testkit::proxy::{Cut, Ending as CutEnding, Side};
    use limosa_testkit::{Proxy, TestDatabase};

    use super::super::stage::{for_each, server};
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
            .file(
                "migrations/004_pay.sql",
                "-- Transaction: none\ncall pay();\n-- limosa:rollback\ncall refund();\n",
            )
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
        (select string_agg(state || version, ',' order by version) from limosa.schema_migrations), \
        (select count(*) from limosa.audit_log where operation = 'apply' and outcome = 'done'))";

    const BEFORE: &str = "select concat_ws(' ', \
        (select count(*) from pg_class where relnamespace = 'public'::regnamespace), \
        (select count(*) from pg_type where typnamespace = 'public'::regnamespace), \
        (select count(*) from pg_proc where pronamespace = 'public'::regnamespace))";

    /// A place to die: the number of a message of one side.
    #[derive(Debug, Clone)]
    struct Place {
        side: Side,
        number: usize,
        what: String,
    }

    /// The places of a whole run: after each message that makes the server do something, and every so many of the others.
    fn places(proxy: &Proxy) -> Vec<Place> {
        let every = number("LIMOSA_TEST_WALK_EVERY", 7);
        let mut counts = [0, 0];
        let mut places = Vec::new();
        for message in proxy.messages() {
            let count = &mut counts[message.side as usize];
            *count += 1;
            let acts = match message.side {
                Side::Client => "QES!".contains(message.kind),
                Side::Server => "C".contains(message.kind),
            };
            if acts || *count % every == 0 {
                let what = format!("{} {}", message.kind, message.text);
                places.push(Place { side: message.side, number: *count, what });
            }
        }
        places
    }

    /// Runs a command through a proxy that stands still at a place, and kills it there. False where it came to its end.
    fn die(folder: &Folder, database: &TestDatabase, proxy: &Proxy, words: &[&str], place: &Place) -> Result<bool, String> {
        let cut = match place.side {
            Side::Client => Cut::after(place.side, place.number),
            Side::Server => Cut::before(place.side, place.number),
        };
        proxy.set_quiet(std::time::Duration::ZERO);
        proxy.cut(cut.ending(CutEnding::Hang));
        let mut running = limosa(folder, &proxy.url(database), words).spawn().unwrap();
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
            (true, None) | (false, Some(0)) => Ok(stood),
            _ => Err(format!("it ended by itself\n{output}")),
        }
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
        assert_eq!(
            expected,
            "3 calm,storm 1 1 orders_notetrue applied001,applied002,applied003,applied004,applied 5"
        );
        let places = places(&proxy);
        let asked = std::sync::atomic::AtomicUsize::new(0);
        for_each(&places, |place| {
            let database = server.create_database().unwrap();
            let proxy = Proxy::start(server).unwrap();
            die(&folder, &database, &proxy, &["migrate"], place)?;
            let took_effect = |_: &str| server::value(&database, "select count(*) from payments") == "1";
            let ending = finish(&folder, &database.url(), &["migrate"], &took_effect)?;
            asked.fetch_add(ending.asked, std::sync::atomic::Ordering::Relaxed);
            let found = server::value(&database, MIGRATED);
            if found != expected {
                return Err(format!("{found}, not {expected}"));
            }
            sound(&folder, &database)
        });
        let asked = asked.into_inner();
        println!("{} places, {asked} times a person was asked", places.len());
        assert!(places.len() > 50 && asked > 0);
    }

    fn sound(folder: &Folder, database: &TestDatabase) -> Result<(), String> {
        for words in [&["validate"][..], &["audit", "verify"]] {
            let output = limosa(folder, &database.url(), words).run().unwrap();
            if output.code != Some(0) {
                return Err(format!("{words:?}\n{output}"));
            }
        }
        Ok(())
    }

    #[test]
    fn rollback_on_postgres_dies_at_every_message() {
        let folder = folder();
        let server = server::newest();
        let template = server.create_database().unwrap();
        let before = server::value(&template, BEFORE);
        let _ = run(&folder, &template.url(), &["migrate"], 0);
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
            die(&folder, &database, &proxy, &words, place)?;
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
            sound(&folder, &database)
        });
        println!("{} places", places.len());
        assert!(places.len() > 50);
    }

    fn rollback(database: &TestDatabase) -> [&str; 5] {
        ["rollback", "--to", "0", "--allow-data-loss", database.name()]
    }
}
