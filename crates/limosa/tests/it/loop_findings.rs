//! What a run keeps in order around a file: pragmas after its commit, its own transactions, encodings, rights, the lease.

use limosa::{Event, MigrateOptions, Migrator, Progress, RollbackOptions, Selection, Stop};

use crate::place::{Home, newest_postgres, sqlite};
use crate::running::{exit, postgres_homes, says, well};

/// True for the event that a step has ended well.
fn ended(progress: &Progress, version: &str) -> bool {
    matches!(progress, Progress::Run(Event::StepDone { label, .. }) if label == version)
}

#[tokio::test]
async fn a_pragma_that_fails_after_the_commit_does_not_run_the_file_again() {
    let home = sqlite();
    home.file("0001_counter.sql", "create table counter (n int);");
    well(&home.migrate().await);
    home.execute("pragma journal_mode = wal;");
    home.file(
        "0002_count.sql",
        "pragma journal_mode = wal;\ninsert into counter values (1);\npragma journal_mode = delete;\n",
    );
    let reader = rusqlite::Connection::open(home.database()).expect("opens");
    reader.execute_batch("begin; select * from counter;").expect("a read transaction");

    let result = home.migrate().await;
    let answer = well(&result);
    assert_eq!((answer.steps[0].state, answer.steps[0].attempts), ("done", 1));
    let said = &answer.steps[0].notices;
    assert!(said.iter().any(|notice| notice.message.contains("pragma journal_mode = delete")), "{said:?}");
    drop(reader);
    assert_eq!(home.rows("select count(*) from counter"), ["1"]);
    assert_eq!(home.ledger(), ["1|applied", "2|applied"]);
}

#[tokio::test]
async fn a_pragma_around_a_file_has_its_placeholders() {
    let home = sqlite();
    home.file("0001_mode.sql", "pragma journal_mode = ${mode};\ncreate table t (n int);\n");
    let mut configuration = home.configuration();
    configuration.values.all.insert("mode".to_owned(), "wal".to_owned());
    let result = Migrator::new(configuration).migrate(&MigrateOptions::default(), &|_: Progress| {}, Stop::new()).await;
    well(&result);
    assert_eq!(home.rows("pragma journal_mode"), ["wal"]);
}

#[tokio::test]
async fn a_file_of_several_transactions_sets_the_isolation_of_each() {
    for home in postgres_homes() {
        home.file("0001_t.sql", "create table seen (isolation text);");
        home.file(
            "0002_two.sql",
            "begin;\nset transaction isolation level serializable;\ninsert into seen values (current_setting('transaction_isolation'));\ncommit;\n\
             begin;\nset transaction isolation level repeatable read;\nset transaction read write;\n\
             insert into seen values (current_setting('transaction_isolation'));\ncommit;\n\
             begin;\nset transaction isolation level serializable;\ncommit;\n",
        );
        well(&home.migrate().await);
        assert_eq!(home.rows("select isolation from seen"), ["serializable", "repeatable read"]);
        assert_eq!(home.ledger(), ["1|applied", "2|applied"]);
    }
}

#[tokio::test]
async fn an_encoding_that_a_file_sets_is_not_that_of_the_ledger() {
    for home in postgres_homes() {
        let back = "-- limosa:rollback\ndrop table";
        home.file(
            "0001_whole.sql",
            &format!("set client_encoding = 'latin1';\ncreate table a (n int);\n{back} a; -- caf\u{e9}\n"),
        );
        home.file(
            "0002_parts.sql",
            &format!(
                "set names 'latin1';\ncreate table b (n int);\ncommit;\nbegin;\ninsert into b select length('\u{e9}');\ncommit;\n{back} b; -- caf\u{e9}\n"
            )
            .replacen("set names", "begin;\nset names", 1),
        );
        let mut configuration = home.configuration();
        configuration.project = "caf\u{e9}".to_owned();
        let result =
            Migrator::new(configuration).migrate(&MigrateOptions::default(), &|_: Progress| {}, Stop::new()).await;
        well(&result);
        let sql =
            "select rollback_sql like '%caf\u{e9}%', project = 'caf\u{e9}' from limosa.schema_migrations order by rank";
        assert_eq!(home.rows(sql), ["t|t", "t|t"]);
        // The file's own statements go on in the encoding that it set.
        assert_eq!(home.rows("select n from b"), ["2"]);
    }
}

#[tokio::test]
async fn a_role_without_plpgsql_migrates_and_the_server_goes_on_looking_for_the_client() {
    for home in postgres_homes() {
        let role = format!("{}_plain", home.database());
        home.execute(&format!(
            "create role {role} login; revoke usage on language plpgsql from public; \
             grant create on database {} to {role}; create schema {role} authorization {role}",
            home.database()
        ));
        home.file(
            "0001_seen.sql",
            "create table seen as select current_setting('client_connection_check_interval') as value;",
        );
        home.file("0002_again.sql", "set work_mem = '5MB';\ninsert into seen values ('5');\n");
        home.file("0003_still.sql", "insert into seen select current_setting('client_connection_check_interval');");
        let mut configuration = home.configuration();
        configuration.database = limosa::Secret::new(home.database_handle().url_for(&role, "unused"));
        let run = || async {
            Migrator::new(configuration.clone())
                .migrate(&MigrateOptions::default(), &|_: Progress| {}, Stop::new())
                .await
        };
        let result = run().await;
        assert_eq!(well(&result).steps.len(), 3);
        assert_eq!(home.rows(&format!("select value from {role}.seen")), ["10s", "5", "10s"]);
        assert_eq!(well(&run().await).outcome, "nothing_to_do");
        home.execute(&format!("drop owned by {role} cascade; drop role {role}"));
    }
}

#[tokio::test]
async fn on_sqlite_a_run_whose_lease_was_taken_stops_before_its_next_step() {
    let home = sqlite();
    home.file("0001_counter.sql", "create table counter (n int);");
    well(&home.migrate().await);
    // A way back that sets nothing would be on its way before the one before it is told to be done.
    home.file(
        "0002_back.sql",
        "select 1;\n-- limosa:rollback\npragma cache_size = 77;\ninsert into counter values (1);\n",
    );
    home.file("0003_back.sql", "select 1;\n-- limosa:rollback\ninsert into counter values (3);\n");
    well(&home.migrate().await);

    // Another runner takes over between two steps, and takes the second one back itself.
    let other = |progress: Progress| {
        if ended(&progress, "0003") {
            home.execute(
                "update limosa_lease set epoch = epoch + 1, holder = 'another'; \
                 delete from limosa_schema_migrations where identity = '2'; insert into counter values (2);",
            );
        }
    };
    let options = RollbackOptions {
        selection: Selection::Steps(2),
        use_file: false,
        consent: Some(home.database()),
        backup: false,
    };
    let result = Migrator::new(home.configuration()).rollback(&options, &other, Stop::new()).await;
    assert_eq!(exit(&result), 3);
    says(&result, &["LIM-R008"]);
    assert_eq!(home.rows("select n from counter order by n"), ["2", "3"]);
    assert_eq!(home.ledger(), ["1|applied"]);
}

#[tokio::test]
async fn on_sqlite_each_step_is_a_sign_of_life() {
    // A file that sets nothing would be on its way before the first is told to be done.
    for (second, transactions) in
        [("pragma cache_size = 77;\nselect 1;", 1), ("begin;\nselect 1;\ncommit;\nbegin;\nselect 2;\ncommit;\n", 2)]
    {
        let home = sqlite();
        home.file("0001_one.sql", "select 1;");
        home.file("0002_two.sql", second);
        let silence = |progress: Progress| {
            if ended(&progress, "0001") {
                home.execute("update limosa_lease set heartbeat_at = '2001-01-01T00:00:00.000Z'");
            }
        };
        let result =
            Migrator::new(home.configuration()).migrate(&MigrateOptions::default(), &silence, Stop::new()).await;
        well(&result);
        let heard = home.rows("select heartbeat_at > '2001-01-02' from limosa_lease");
        assert_eq!(heard, ["1"], "{transactions} transactions");
    }
}

async fn noisy(home: &Home, count: usize, text: &str) -> Vec<String> {
    home.file("0001_noisy.sql", text);
    let result = home.migrate().await;
    let notices: Vec<String> = well(&result).steps[0].notices.iter().map(|notice| notice.message.clone()).collect();
    assert_eq!(notices.len(), count);
    notices
}

#[tokio::test]
async fn of_many_notices_the_first_thousand_are_kept_and_the_others_counted() {
    let loud = |from: usize, to: usize| {
        format!("do $$ begin for n in {from}..{to} loop raise notice 'number %', n; end loop; end $$;\n")
    };
    let notices = noisy(&newest_postgres(), 1001, &loud(1, 2500)).await;
    assert_eq!((notices[0].as_str(), notices[999].as_str()), ("number 1", "number 1000"));
    assert!(notices[1000].contains("1500 more"), "{}", notices[1000]);

    let parts = format!("begin;\n{}commit;\nbegin;\n{}commit;\n", loud(1, 700), loud(701, 1700));
    let notices = noisy(&newest_postgres(), 1001, &parts).await;
    assert_eq!(notices[999], "number 1000");
    assert!(notices[1000].contains("700 more"), "{}", notices[1000]);

    noisy(&newest_postgres(), 1000, &loud(1, 1000)).await;
}

#[tokio::test]
async fn a_loss_behind_a_thousand_other_remarkable_statements_is_seen() {
    let home = newest_postgres();
    home.file("0001_t.sql", "create table t (n int);");
    well(&home.migrate().await);
    home.file("0002_many.sql", &format!("{}drop table t;\n", "begin;\ncommit;\n".repeat(700)));
    let plan = home.migrator().plan(&MigrateOptions::default()).await.expect("a plan");
    assert_eq!(plan.steps[0].losses.len(), 1, "{:?}", plan.steps[0].losses);
}

#[tokio::test]
async fn a_secret_set_again_by_a_resumed_file_is_in_no_error() {
    let home = newest_postgres();
    home.file(
        "0001_secret.sql",
        "-- Transaction: none\nset search_path = public;\nselect set_config('statement_timeout', '${secret}', false);\ncreate table t (n int);\nselect 1 / 0;\n",
    );
    let run = |value: &str| {
        let mut configuration = home.configuration();
        configuration.values.all.insert("secret".to_owned(), value.to_owned());
        configuration.values.secret = [String::from("secret")].into();
        async move { Migrator::new(configuration).migrate(&MigrateOptions::default(), &|_: Progress| {}, Stop::new()).await }
    };
    says(&run("12345").await, &["division by zero"]);
    // The server repeats the value that it refuses.
    let result = run("hunter2").await;
    says(&result, &["statement_timeout", "***"]);
    assert!(!crate::place::error_text(&result).contains("hunter2"));
}
