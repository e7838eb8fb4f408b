//! Connections that break at every message, answers that are lost, servers that stop: the next run finishes or explains.

use limosa::{Configuration, Identity, Progress, Repair, RollbackOptions, Secret, Selection};
use limosa_testkit::proxy::{Cut, Ending, Message, Side};
use limosa_testkit::{PostgresServer, Proxy, ServerOptions, TestDatabase, eventually, postgres};

use crate::place::{Home, Place, error_text, newest_postgres};
use crate::running::{Running, exit, says, well};

/// Three migrations in a schema of the attempt's own, the second outside of a transaction.
fn files(home: &Home) {
    home.file(
        "0001_rows.sql",
        "create schema ${own};\ncreate table ${own}.log (n int);\ninsert into ${own}.log values (1);\n",
    );
    home.file(
        "0002_index.sql",
        "create index concurrently log_n on ${own}.log (n);\ninsert into ${own}.log values (2);\n",
    );
    home.file(
        "0003_copy.sql",
        "begin;\nset search_path = ${own};\ncopy log from stdin;\n3\n\\.\ninsert into log values (4);\ncommit;\n",
    );
}

/// One attempt of many in the same database: a schema and a ledger of its own.
#[derive(Clone)]
struct Attempt {
    own: String,
    configuration: Configuration,
}

impl Attempt {
    fn new(home: &Home, name: String) -> Attempt {
        let mut configuration = home.configuration();
        configuration.ledger_schema = format!("ledger_{name}");
        configuration.values.all.insert("own".to_owned(), name.clone());
        Attempt { own: name, configuration }
    }

    fn through(&self, home: &Home, proxy: &Proxy) -> Configuration {
        Configuration { database: Secret::new(proxy.url(home.database_handle())), ..self.configuration.clone() }
    }

    fn ledger(&self, home: &Home) -> Vec<String> {
        let table = format!("{}.schema_migrations", self.configuration.ledger_schema);
        if home.rows(&format!("select 1 where to_regclass('{table}') is not null")).is_empty() {
            return Vec::new();
        }
        home.rows(&format!("select identity, state from {table} order by rank"))
    }

    #[track_caller]
    fn assert_whole(&self, home: &Home, what: &str) {
        let own = &self.own;
        assert_eq!(self.ledger(home), ["1|applied", "2|applied", "3|applied"], "{what}");
        assert_eq!(
            home.rows(&format!("select n from {own}.log order by n")),
            ["1", "2", "3", "4"],
            "{what}: exactly once"
        );
        assert_eq!(
            home.rows(&format!("select indisvalid::text from pg_index where indrelid = '{own}.log'::regclass")),
            ["true"],
            "{what}"
        );
        assert_eq!(
            home.value(&format!("select count(*) from {}.journal", self.configuration.ledger_schema)),
            "0",
            "{what}"
        );
    }
}

fn proxy_to(database: &TestDatabase) -> Proxy {
    let proxy = Proxy::start(std::net::SocketAddr::from(([127, 0, 0, 1], database.port()))).expect("a proxy");
    proxy.set_quiet(std::time::Duration::ZERO);
    proxy
}

fn through(home: &Home, proxy: &Proxy) -> Configuration {
    let mut configuration = home.configuration();
    configuration.database = Secret::new(proxy.url(home.database_handle()));
    configuration
}

/// Runs with a cut, then over a direct connection to the end. False where the run ended before the cut.
async fn survives(home: &Home, proxy: &Proxy, attempt: &Attempt, cut: Cut, what: &str) -> bool {
    proxy.reset();
    proxy.cut(cut);
    let first = Running::migrate(attempt.through(home, proxy)).end().await;
    let ours = "select 1 from pg_stat_activity where datname = current_database() and application_name = 'limosa'";
    eventually("the server has noticed", || home.rows(ours).is_empty());
    let told = error_text(&first);
    if let Ok(answer) = &first {
        let ledger = attempt.ledger(home);
        for step in &answer.steps {
            let applied = ledger.contains(&format!("{}|applied", step.identity));
            assert_eq!(
                step.state == "done",
                applied,
                "{what}: {} is {}, ledger {ledger:?}: {told}",
                step.identity,
                step.state
            );
        }
    }
    let second = Running::migrate(attempt.configuration.clone()).end().await;
    assert_eq!(exit(&second), 0, "{what}: after '{told}' came: {}", error_text(&second));
    attempt.assert_whole(home, what);
    let migrator = limosa::Migrator::new(attempt.configuration.clone());
    assert_eq!(migrator.audit_verify(&[]).await.unwrap().exit_code, 0, "{what}");
    proxy.cuts_done() == 1
}

/// Whether a cut before this message is tried in each run of the tests. What lies between the parts of one request and of
/// one answer differs little: a quarter of it is tried, all of it where LIMOSA_TEST_EVERY_MESSAGE is set.
fn is_tried(number: usize, message: &Message) -> bool {
    let telling = match message.side {
        Side::Client => "!QScd".contains(message.kind),
        Side::Server => "CEG".contains(message.kind),
    };
    telling || number.is_multiple_of(4) || std::env::var_os("LIMOSA_TEST_EVERY_MESSAGE").is_some()
}

async fn cut_everywhere(side: Side) {
    let home = newest_postgres();
    files(&home);
    let proxy = proxy_to(home.database_handle());
    let calm = Attempt::new(&home, "calm".to_owned());
    well(&Running::migrate(calm.through(&home, &proxy)).end().await);
    calm.assert_whole(&home, "undisturbed");
    let messages: Vec<Message> = proxy.messages().into_iter().filter(|message| message.side == side).collect();
    assert!(messages.len() > 150, "{} messages", messages.len());
    let mut tried = 0;
    let mut done = 0;
    for (number, message) in (1..).zip(&messages).filter(|(number, message)| is_tried(*number, message)) {
        let text: String = message.text.chars().take(60).collect();
        let what = format!("{side:?} {number} of {}: {} {text}", messages.len(), message.kind);
        let ending = if number % 2 == 0 { Ending::Close } else { Ending::Reset };
        let attempt = Attempt::new(&home, format!("try_{number}"));
        tried += 1;
        done += usize::from(survives(&home, &proxy, &attempt, Cut::before(side, number).ending(ending), &what).await);
    }
    // A run may take a message or two less than the one that was counted.
    assert!(done + 3 >= tried, "{done} of {tried} messages were cut");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_cut_before_any_message_of_the_client() {
    cut_everywhere(Side::Client).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_cut_before_any_message_of_the_server() {
    cut_everywhere(Side::Server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_cut_before_any_answer_to_a_rollback() {
    let home = newest_postgres();
    home.file("0001_rows.sql", "create table ${own}.log (n int);\n-- limosa:rollback\ndrop table ${own}.log;\n");
    home.file(
        "0002_index.sql",
        "create index concurrently log_n on ${own}.log (n);\n\
         -- limosa:rollback\ninsert into ${own}.trace values (2);\ndrop index concurrently ${own}.log_n;\ninsert into ${own}.trace values (22);\n",
    );
    home.file(
        "0003_row.sql",
        "insert into ${own}.log values (3);\n-- limosa:rollback\ninsert into ${own}.trace values (3);\n",
    );
    let proxy = proxy_to(home.database_handle());
    let options = RollbackOptions {
        selection: Selection::To(limosa::Version::parse("0").unwrap()),
        use_file: false,
        consent: Some(home.database()),
        backup: false,
    };
    let ready = async |name: String| {
        home.execute(&format!("create schema {name}; create table {name}.trace (n int)"));
        let attempt = Attempt::new(&home, name);
        well(&Running::migrate(attempt.configuration.clone()).end().await);
        attempt
    };
    let calm = ready("calm".to_owned()).await;
    proxy.reset();
    well(&Running::rollback(calm.through(&home, &proxy), options.clone()).end().await);
    let messages: Vec<Message> = proxy.messages().into_iter().filter(|message| message.side == Side::Server).collect();
    for (number, message) in (1..).zip(&messages).filter(|(_, message)| message.kind == 'C') {
        let attempt = ready(format!("try_{number}")).await;
        proxy.reset();
        proxy.cut(Cut::before(Side::Server, number));
        let first = Running::rollback(attempt.through(&home, &proxy), options.clone()).end().await;
        let ours = "select 1 from pg_stat_activity where datname = current_database() and application_name = 'limosa'";
        eventually("the server has noticed", || home.rows(ours).is_empty());
        let what = format!("{number} {}: {}", message.text, error_text(&first));
        if let Ok(answer) = &first {
            let ledger = attempt.ledger(&home);
            for step in &answer.steps {
                let stands = ledger.iter().any(|row| row.starts_with(&format!("{}|", step.identity)));
                assert_eq!(
                    step.state == "done",
                    !stands,
                    "{what}: {} is {}, ledger {ledger:?}",
                    step.identity,
                    step.state
                );
            }
        }
        let second = Running::rollback(attempt.configuration.clone(), options.clone()).end().await;
        assert_eq!(exit(&second), 0, "{what}: then {}", error_text(&second));
        assert_eq!(attempt.ledger(&home), Vec::<String>::new(), "{what}");
        let own = &attempt.own;
        assert_eq!(
            home.rows(&format!("select n from {own}.trace order by n")),
            ["2", "3", "22"],
            "{what}: exactly once"
        );
        assert!(home.rows(&format!("select 1 where to_regclass('{own}.log') is not null")).is_empty(), "{what}");
        assert_eq!(home.value(&format!("select count(*) from {}.journal", attempt.configuration.ledger_schema)), "0");
    }
}

/// The numbers, among the server's messages, of its answers to the COMMITs of transactions that made a table.
fn answers_to_commits(messages: &[Message]) -> Vec<usize> {
    let mut made = false;
    let mut found = Vec::new();
    for (number, message) in (1..).zip(messages.iter().filter(|message| message.side == Side::Server)) {
        match (message.kind, message.text.as_str()) {
            ('C', "CREATE TABLE") => made = true,
            ('C', "COMMIT") if std::mem::take(&mut made) => found.push(number),
            _ => {}
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_to_commit_is_settled_by_the_ledger() {
    // What sets something waits for the answer to the commit before it.
    const SECOND: &str = "set lock_timeout = '2s';\ncreate table b (n int);";
    let home = newest_postgres();
    home.file("0001_a.sql", "create table a (n int);");
    home.file("0002_b.sql", SECOND);
    let proxy = proxy_to(home.database_handle());
    well(&Running::migrate(through(&home, &proxy)).end().await);
    let commits = answers_to_commits(&proxy.messages());
    let [_, first, second] = commits[..] else { panic!("the ledger and two migrations commit: {commits:?}") };

    let home = newest_postgres();
    home.file("0001_a.sql", "create table a (n int);");
    home.file("0002_b.sql", SECOND);
    let proxy = proxy_to(home.database_handle());
    proxy.cut(Cut::before(Side::Server, first));
    let result = Running::migrate(through(&home, &proxy)).end().await;
    assert_eq!(exit(&result), 3);
    says(&result, &["LIM-R006", "0001 is committed: the ledger says so", "run again for what is left"]);
    assert_eq!(result.as_ref().unwrap().steps[0].state, "done");
    assert_eq!(home.ledger(), ["1|applied"]);
    well(&home.migrate().await);

    // Nothing is left behind the last one: the run is done.
    let home = newest_postgres();
    home.file("0001_a.sql", "create table a (n int);");
    home.file("0002_b.sql", SECOND);
    let proxy = proxy_to(home.database_handle());
    proxy.cut(Cut::before(Side::Server, second).ending(Ending::Reset));
    let result = Running::migrate(through(&home, &proxy)).end().await;
    let answer = well(&result);
    assert_eq!(answer.steps[1].state, "done");
    assert!(answer.steps[1].notices[0].message.contains("the ledger says that it is committed"));
    assert_eq!(home.ledger(), ["1|applied", "2|applied"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_never_arrived_is_told_as_rolled_back() {
    let home = newest_postgres();
    home.file("0001_a.sql", "create table a (n int);\nselect pg_sleep(600);");
    let proxy = proxy_to(home.database_handle());
    let run = Running::migrate(through(&home, &proxy));
    let backend = home.backend_running("select pg_sleep");
    home.terminate(backend);
    let result = run.end().await;
    says(&result, &["nothing of 0001 stands: the ledger says so"]);
    assert_eq!(result.as_ref().unwrap().steps[0].state, "rolled_back");
    assert_eq!(home.tables(), Vec::<String>::new());
}

fn own_server() -> (PostgresServer, Home) {
    let server = PostgresServer::start_with(&postgres::newest().unwrap(), &ServerOptions::new()).expect("a server");
    let database = server.create_database().expect("a database");
    let mut home = newest_postgres();
    home.place = Place::Postgres(database);
    (server, home)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_restarts_in_the_middle() {
    let (server, home) = own_server();
    home.file("0001_a.sql", "create table a (n int);");
    home.file("0002_b.sql", "create table b (n int);\nselect pg_sleep(600);");
    let run = home.start();
    home.backend_running("select pg_sleep");
    server.restart().expect("it starts again");
    let result = run.end().await;
    assert_eq!(exit(&result), 3);
    says(&result, &["LIM-R006", "nothing of 0002 stands"]);
    home.file("0002_b.sql", "create table b (n int);");
    well(&home.migrate().await);
    assert_eq!(home.tables(), ["a", "b"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_crashes_while_an_index_is_built() {
    let (server, home) = own_server();
    home.execute("create table t (n int); insert into t values (1)");
    let holder = home.database_handle().session().unwrap();
    holder.execute("begin; insert into t values (2)").unwrap();
    home.file(
        "0001_index.sql",
        "create table a (n int);\ncreate index concurrently t_n on t (n);\ncreate table b (n int);",
    );
    let run = home.start();
    let backend = home.backend_running("create index concurrently");
    let waiting = format!("select 1 from pg_stat_activity where pid = {backend} and wait_event_type = 'Lock'");
    eventually("it waits", || !home.rows(&waiting).is_empty());
    server.stop_immediate().expect("it stops");
    server.start_again().expect("it recovers");
    let result = run.end().await;
    assert_eq!(exit(&result), 3);
    says(&result, &["LIM-R006", "in the middle of 0001", "statements 1 to 1 are committed"]);
    well(&home.migrate().await);
    assert_eq!(home.value("select indisvalid::text from pg_index where indrelid = 't'::regclass"), "true");
    assert_eq!(home.tables(), ["a", "b", "t"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_swallows_everything_is_found_by_the_server() {
    let home = newest_postgres();
    home.file("0001_none.sql", "-- Transaction: none\ncreate table a (n int);\nselect pg_sleep(600);\n");
    let proxy = proxy_to(home.database_handle());
    let run = Running::migrate(through(&home, &proxy));
    let backend = home.backend_running("select pg_sleep");
    run.kill().await;
    let gone = format!("select 1 from pg_stat_activity where pid = {backend}");
    eventually("the server notices that its client is gone", || home.rows(&gone).is_empty());
    let result = home.migrate().await;
    assert_eq!(exit(&result), 4);
    says(&result, &["LIM-R021", "statement 2 of 0001 (SELECT)"]);
    home.migrator()
        .repair(&Repair::MarkDone(Identity::new("1"), 2), false, &|_: Progress| {}, limosa::Stop::new())
        .await
        .unwrap();
    well(&home.migrate().await);
}

#[tokio::test]
async fn a_step_whose_connection_was_lost_stands_in_the_log() {
    let home = crate::place::newest_postgres();
    home.file("001_a.sql", "create table a (n integer);\n");
    home.file("002_b.sql", "create table b (n integer);\nselect pg_terminate_backend(pg_backend_pid());\n");
    let answer = home.migrate().await.unwrap();
    assert_eq!(answer.steps[1].state, "rolled_back", "{answer:?}");
    assert_eq!(answer.error.as_ref().map(|error| error.code), Some("LIM-R006"));
    let log = "select identity || ' ' || outcome from limosa.audit_log order by sequence";
    assert_eq!(home.rows(log), ["1 done", "2 failed"]);
    assert_eq!(answer.audit_head.map(|head| head.sequence), Some(2));
    assert_eq!(home.migrator().audit_verify(&[]).await.unwrap().exit_code, 0);
}
