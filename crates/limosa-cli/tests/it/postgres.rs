//! What only a server does: it says things, it keeps people waiting, and its databases may not exist.

use limosa_testkit::binary::Output;
use limosa_testkit::{Folder, Limosa, TestDatabase, postgres};

fn database() -> TestDatabase {
    let newest = postgres::tested().unwrap().into_iter().next_back().unwrap();
    postgres::shared(&newest).unwrap().create_database().unwrap()
}

fn limosa(folder: &Folder, url: &str, words: &[&str]) -> Limosa {
    Limosa::new(super::LIMOSA)
        .in_folder(folder.path())
        .env("LIMOSA_DATABASE", url)
        .env("LIMOSA_ACTOR", "tester")
        .args(words)
}

fn run(folder: &Folder, url: &str, words: &[&str], code: i32) -> Output {
    limosa(folder, url, words).run().unwrap().assert_code(code)
}

#[test]
fn a_database_that_does_not_exist_is_made_where_that_is_wanted() {
    let folder = Folder::new().file("migrations/001_a.sql", "create table a (id integer);\n");
    let database = database();
    let missing = format!("{}_missing", database.name());
    let url = database.url().replace(database.name(), &missing);
    let refused = run(&folder, &url, &["migrate"], 3);
    assert!(refused.stderr.contains("LIM-D004") && refused.stderr.contains("--create-database"), "{refused}");
    let read = run(&folder, &url, &["status"], 3);
    assert!(read.stderr.contains("LIM-D004") && !read.stderr.contains("make it?"), "{read}");
    let made = run(&folder, &url, &["migrate", "--create-database"], 0);
    assert!(made.stderr.contains("made the database") && made.stdout.contains("done: 1 migration"), "{made}");
    let again = run(&folder, &url, &["migrate", "--create-database"], 0);
    assert!(again.stdout.contains("nothing to do") && !again.stderr.contains("made"), "{again}");
}

#[test]
fn a_plain_yes_makes_it_too() {
    let folder = Folder::new().file("migrations/001_a.sql", "create table a (id integer);\n");
    let database = database();
    let url = database.url().replace(database.name(), &format!("{}_yes", database.name()));
    let made = run(&folder, &url, &["migrate", "--yes"], 0);
    assert!(made.stderr.contains("made the database"), "{made}");
}

#[test]
fn notices_are_shown_and_the_target_is_named() {
    let folder = Folder::new().file(
        "migrations/001_a.sql",
        "drop table if exists never_was;\ndo $$ begin raise warning 'mind the gap'; end $$;\n",
    );
    let database = database();
    let output = run(&folder, &database.url(), &["migrate"], 0);
    assert!(output.stderr.contains("001: NOTICE: table \"never_was\" does not exist, skipping"), "{output}");
    assert!(output.stderr.contains("001: WARNING: mind the gap"), "{output}");
    let target = format!("target: database {} at ", database.name());
    assert!(output.stderr.starts_with(&target) && output.stderr.contains("PostgreSQL"), "{output}");
}

#[test]
fn detail_and_hint_of_the_server_stand_below_the_place() {
    let folder = Folder::new().file(
        "migrations/001_a.sql",
        "create table users (id integer primary key, name text);\ninsert into users values (1), (2);\n\
         insert into users (id) values (2);\n",
    );
    let database = database();
    let output = run(&folder, &database.url(), &["migrate"], 3);
    assert!(output.stderr.contains("--> migrations/001_a.sql:3:1"), "{output}");
    assert!(output.stderr.contains("= detail: Key (id)=(2) already exists."), "{output}");
    folder.write("migrations/001_a.sql", "create table users (id integer, name text);\nselect nam from users;\n");
    let output = run(&folder, &database.url(), &["migrate"], 3);
    assert!(output.stderr.contains("--> migrations/001_a.sql:2:8"), "{output}");
    assert!(output.stderr.contains("2 | select nam from users;\n  |        ^^^ here"), "{output}");
    assert!(output.stderr.contains("= hint: "), "{output}");
}

/// A second file waits to alter the table, which an open transaction of the session reads.
fn somebody_reads_the_table() -> (Folder, TestDatabase, postgres::Session) {
    let folder = Folder::new()
        .file("migrations/001_a.sql", "create table orders (id integer);\n")
        .file("migrations/002_b.sql", "alter table orders add column name text;\n");
    let database = database();
    run(&folder, &database.url(), &["migrate", "--to", "1"], 0);
    let other = database.session().unwrap();
    other.query("begin; lock table orders in access share mode").unwrap();
    (folder, database, other)
}

#[test]
fn who_stands_in_the_way_is_named() {
    let (folder, database, other) = somebody_reads_the_table();
    let running = limosa(&folder, &database.url(), &["migrate", "--lock-timeout", "2s"]).spawn().unwrap();
    running.wait_for_text("in the way: process ");
    running.wait_for_text("002: attempt 2 of ");
    other.query("commit").unwrap();
    let output = running.wait().unwrap().assert_code(0);
    assert!(output.stderr.contains("idle in transaction") && output.stderr.contains("lock table orders"), "{output}");
    assert!(output.stdout.contains("done: 1 migration applied"), "{output}");
}

#[test]
fn who_stands_in_the_way_is_an_event_and_a_number() {
    let (folder, database, other) = somebody_reads_the_table();
    let words = ["migrate", "--lock-timeout", "2s", "--log-format", "json", "--metrics-file", "limosa.prom"];
    let running = limosa(&folder, &database.url(), &words).spawn().unwrap();
    running.wait_for_text("\"event\":\"waiting\"");
    running.wait_for_text("\"event\":\"retrying\"");
    other.query("commit").unwrap();
    let output = running.wait().unwrap().assert_code(0);
    let events: Vec<serde_json::Value> =
        output.stderr.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect();
    let of = |name: &str| events.iter().filter(|event| event["event"] == name).collect::<Vec<_>>();
    let waiting = of("waiting");
    let blocker = &waiting[0]["blockers"][0];
    assert_eq!((&waiting[0]["version"], &waiting[0]["statement"]), (&"002".into(), &1.into()), "{output}");
    assert_eq!(blocker["pid"], other.pid(), "{output}");
    assert_eq!(blocker["state"], "idle in transaction", "{output}");
    assert!(blocker["query"].as_str().unwrap().contains("lock table orders"), "{output}");
    assert_eq!(of("retrying")[0]["attempt"], 2, "{output}");
    assert_eq!(of("migration_done").len(), 1, "{output}");
    assert_eq!(of("run_ended")[0]["outcome"], "done", "{output}");
    assert!(events.iter().all(|event| event["schema_version"] == 1 && event["at"].is_string()), "{output}");
    // Each attempt tells the start of its statement again.
    assert_eq!(of("statement_started").len(), of("retrying").len() + 1, "{output}");
    let metrics = folder.read("limosa.prom");
    let value = |name: &str| {
        let line = metrics.lines().find(|line| line.starts_with(&format!("{name}{{"))).unwrap();
        assert!(line.contains(&format!("database=\"{}\"", database.name())), "{line}");
        line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()
    };
    assert!(value("limosa_waits_total") >= 1.0 && value("limosa_retries_total") >= 1.0, "{metrics}");
    assert_eq!((value("limosa_migrations_applied"), value("limosa_run_exit_code")), (1.0, 0.0), "{metrics}");
}

#[test]
fn statements_that_were_sent_ahead_begin_one_behind_the_other() {
    let script = "create table a (id integer);\ninsert into a select generate_series(1, 7);\ncopy a from stdin;\n8\n9\n\\.\nselect 1;\n";
    let folder = Folder::new().file("migrations/001_a.sql", script);
    let output = run(&folder, &database().url(), &["migrate", "--log-format", "json"], 0);
    let told: Vec<String> = output
        .stderr
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|event| event["event"].as_str().unwrap().starts_with("statement_"))
        .map(|event| {
            let name = event["event"].as_str().unwrap().trim_start_matches("statement_").to_owned();
            format!("{name} {} {} {}", event["statement"], event["verb"].as_str().unwrap(), event["rows"])
        })
        .collect();
    let expected = [
        "started 1 CREATE TABLE null",
        "done 1 CREATE TABLE null",
        "started 2 INSERT null",
        "done 2 INSERT 7",
        "started 3 COPY null",
        "done 3 COPY 2",
        "started 4 SELECT null",
        "done 4 SELECT null",
    ];
    assert_eq!(told, expected, "{output}");
}

#[test]
fn wrong_passwords_and_unreachable_servers_are_told_without_the_password() {
    let folder = Folder::new().file("migrations/001_a.sql", "select 1;\n");
    let database = database();
    let port = limosa_testkit::free_port().unwrap();
    for url in [
        format!("postgres://nobody:CANARY-s3cr3t@127.0.0.1:{port}/shop"),
        database.url_for("nobody_here", "CANARY-s3cr3t"),
    ] {
        for words in [&["migrate"][..], &["status", "--output", "json"], &["doctor", "-v"], &["config", "explain"]] {
            let output = limosa(&folder, &url, words).run().unwrap();
            assert!(!output.to_string().contains("CANARY"), "{output}");
            assert!(matches!(output.code, Some(0 | 3)), "{output}");
        }
    }
}
