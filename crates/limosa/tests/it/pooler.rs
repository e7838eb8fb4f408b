//! Behind a pooler in transaction mode: transactional migrations run by SET LOCAL alone, others go past it or are refused.

use std::time::Duration;

use limosa::{
    CallbackEvent, CodeError, Configuration, Connection, Embedded, Event, RustCallback, RustMigration, Secret,
};
use limosa_testkit::{PgBouncer, PoolMode, eventually, postgres};

use crate::place::{Home, newest_postgres};
use crate::running::{Running, exit, says, well};

pub(crate) fn bouncer(_home: &Home, size: &str) -> PgBouncer {
    in_mode(PoolMode::Transaction, &[("default_pool_size", size)])
}

fn in_mode(mode: PoolMode, settings: &[(&str, &str)]) -> PgBouncer {
    let server = postgres::shared(&postgres::newest().unwrap()).unwrap();
    PgBouncer::start_with(server, mode, settings).expect("pgbouncer starts")
}

pub(crate) fn pooled(home: &Home, bouncer: &PgBouncer) -> Configuration {
    let mut configuration = home.configuration();
    configuration.database = Secret::new(bouncer.url(home.database_handle()));
    configuration
}

/// What another client sees that gets the same connection to the server.
async fn seen_by_another(home: &Home, bouncer: &PgBouncer) -> Vec<String> {
    let url = bouncer.url(home.database_handle());
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.expect("connects");
    tokio::spawn(connection);
    let sql = "select name || '=' || setting from pg_settings where source in ('session', 'client') \
               and name not in ('application_name', 'client_encoding', 'DateStyle', 'TimeZone', 'standard_conforming_strings', 'extra_float_digits') \
               union all select 'user=' || current_user || ' ' || session_user \
               union all select 'mark=' || coalesce(current_setting('limosa.step', true), '') \
               union all select 'path=' || current_setting('search_path') order by 1";
    let rows = client.simple_query(sql).await.expect("rows");
    rows.iter()
        .filter_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactional_migrations_run_and_leave_no_setting_behind() {
    let home = newest_postgres();
    // One connection to the server, so that whatever is left on it is seen.
    let bouncer = bouncer(&home, "1");
    let role = format!("{}_owner", home.database());
    home.execute(&format!(
        "create role {role}; create schema elsewhere; grant all on schema elsewhere, public to {role}"
    ));
    let clean = seen_by_another(&home, &bouncer).await;

    home.file("0001_plain.sql", "create table a (n int); insert into a values (1);");
    home.file(
        "0002_settings.sql",
        &format!("set search_path = elsewhere;\nset statement_timeout = '77s';\nset work_mem = '9MB';\nset role {role};\ncreate table b (n int);\nselect set_config('my.own', 'x', false);\n"),
    );
    home.file("0003_begin.sql", "begin;\ncreate table c as select current_setting('search_path') as path;\ncommit;");
    let result = Running::migrate(pooled(&home, &bouncer)).end().await;
    well(&result);
    assert_eq!(home.rows("select schemaname || '.' || tablename from pg_tables where schemaname in ('public', 'elsewhere') order by 1"), ["elsewhere.b", "public.a", "public.c"]);
    assert_eq!(home.value("select path from c"), "\"$user\", public");
    assert_eq!(home.ledger().len(), 3);
    assert_eq!(seen_by_another(&home, &bouncer).await, clean);
    // Other tests take theirs on the same server.
    let held = "select count(*) from pg_locks where locktype = 'advisory' \
                and database = (select oid from pg_database where datname = current_database())";
    assert_eq!(home.value(held), "0");

    // A migration that fails leaves nothing either.
    home.file(
        "0004_fails.sql",
        "set search_path = elsewhere;\nset work_mem = '9MB';\ncreate table d (n int);\nselect 1/0;",
    );
    let result = Running::migrate(pooled(&home, &bouncer)).end().await;
    assert_eq!(exit(&result), 3);
    says(&result, &["22012", "0004_fails.sql:4:"]);
    assert_eq!(seen_by_another(&home, &bouncer).await, clean);
    assert_eq!(home.value("select coalesce(holder, 'free') from limosa.lease"), "free");
    assert_eq!(home.migrator().audit_verify(&[]).await.unwrap().exit_code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_tool_sets_for_its_session_holds_for_its_transactions_alone() {
    let home = newest_postgres();
    home.execute(&format!("alter database \"{}\" set timezone = 'America/New_York'", home.database()));
    let bouncer = bouncer(&home, "1");
    // PgBouncer itself puts time zones back, and this not.
    let digits = async || {
        let url = bouncer.url(home.database_handle());
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.expect("connects");
        tokio::spawn(connection);
        let row = client.query_one("select current_setting('extra_float_digits')", &[]).await.expect("a row");
        row.get::<_, String>(0)
    };
    let before = digits().await;
    assert_ne!(before, "2");
    home.file("1_a.sql", "create table seen as select current_setting('timezone') as zone;");
    home.file("2_b.sql", "reset all; insert into seen select current_setting('timezone');");
    let mut configuration = pooled(&home, &bouncer);
    configuration.layout = limosa::LayoutChoice::Given(limosa::Layout::of_format("sqlx").unwrap());
    let result = Running::migrate(configuration).end().await;
    let answer = result.as_ref().unwrap();
    well(&result);
    assert!(!crate::answers::words(&answer.notices).contains("SET LOCAL"), "{answer:?}");
    assert_eq!(home.rows("select zone from seen"), ["UTC", "UTC"]);
    assert_eq!(digits().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_is_taken_on_for_each_transaction() {
    let home = newest_postgres();
    let bouncer = bouncer(&home, "1");
    let role = format!("{}_owner", home.database());
    home.execute(&format!(
        "create role {role}; grant create on database {} to {role}; grant all on schema public to {role}",
        home.database()
    ));
    let clean = seen_by_another(&home, &bouncer).await;
    home.file("0001_plain.sql", "create table a (n int);");
    home.file("0002_role.sql", "set role postgres; create table b (n int);");
    home.file("0003_plain.sql", "create table c (n int);");
    let mut configuration = pooled(&home, &bouncer);
    configuration.role = Some(role.clone());
    well(&Running::migrate(configuration).end().await);
    let owners =
        home.rows("select tablename || ' ' || tableowner from pg_tables where schemaname in ('public') order by 1");
    assert_eq!(owners, [format!("a {role}"), "b postgres".to_owned(), format!("c {role}")]);
    assert_eq!(home.rows("select distinct tableowner::text from pg_tables where schemaname = 'limosa'"), [role]);
    assert_eq!(seen_by_another(&home, &bouncer).await, clean);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_needs_a_direct_connection_is_refused_before_anything_runs() {
    let home = newest_postgres();
    let bouncer = bouncer(&home, "3");
    home.file("0001_table.sql", "create table t (n int);");
    home.file("0002_index.sql", "create index concurrently t_n on t (n);");
    let result = Running::migrate(pooled(&home, &bouncer)).end().await;
    assert_eq!(exit(&result), 2);
    says(&result, &["LIM-P008", "0002_index.sql:1:1", "direct_url"]);
    assert_eq!(home.tables(), Vec::<String>::new());
    assert!(home.rows("select 1 from pg_namespace where nspname = 'limosa'").is_empty());

    let mut configuration = pooled(&home, &bouncer);
    configuration.direct_url = Some(Secret::new(home.url()));
    // What is said of the pooler's address is not said of the way past it.
    configuration.pooled = Some(true);
    well(&Running::migrate(configuration).end().await);
    assert_eq!(home.ledger(), ["1|applied", "2|applied"]);
    assert_eq!(home.value("select indisvalid::text from pg_index where indexrelid = 't_n'::regclass"), "true");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_path_that_a_pooler_does_not_take_is_said() {
    let home = newest_postgres();
    let bouncer = bouncer(&home, "3");
    home.file("0001_table.sql", "create table t (n int);");
    let mut configuration = pooled(&home, &bouncer);
    let within = format!("{}?options=-csearch_path%3Dapp", configuration.database.expose());
    configuration.database = Secret::new(within);
    let result = Running::migrate(configuration).end().await;
    says(&result, &["unsupported startup parameter: options", "default schema", "the address of the server itself"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_runners_behind_a_pooler_apply_each_migration_once() {
    let home = newest_postgres();
    let bouncer = bouncer(&home, "5");
    for number in 1..=3 {
        home.file(&format!("000{number}_once.sql"), &format!("create table t{number} (n int);"));
    }
    let mut configuration = pooled(&home, &bouncer);
    configuration.lock_wait = Duration::from_secs(120);
    // Some go past the pooler: both kinds heed the same lease.
    let runs: Vec<Running> = (0..12)
        .map(|number| {
            let mut own = configuration.clone();
            if number % 3 == 0 {
                own.database = Secret::new(home.url());
            }
            Running::migrate(own)
        })
        .collect();
    let mut done = 0;
    for run in runs {
        done += well(&run.end().await).steps.len();
    }
    assert_eq!(done, 3);
    assert_eq!(home.migrator().audit_verify(&[]).await.unwrap().exit_code, 0);
}

/// A pooled runner in the pause between two attempts at a statement that a session blocks.
pub(crate) async fn pausing(
    home: &Home,
    configuration: &Configuration,
) -> (Running, limosa_testkit::postgres::Session) {
    home.execute("create table busy (n int)");
    let blocker = home.database_handle().session().unwrap();
    blocker.execute("begin; lock table busy").unwrap();
    home.file("0001_alter.sql", "create table a (n int);\nalter table busy add column m int;");
    let mut patient = configuration.clone();
    patient.limits.lock_timeout_ms = 50;
    patient.limits.lock_retries = 1000;
    let run = Running::migrate(patient);
    run.wait_for("it pauses", |event| matches!(event, Event::Retrying { attempt: 7, .. }));
    (run, blocker)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooled_runner_that_is_gone_is_replaced_when_its_lease_has_run_out() {
    let home = newest_postgres();
    let bouncer = bouncer(&home, "3");
    let mut configuration = pooled(&home, &bouncer);
    configuration.lease = Duration::from_secs(2);
    let (first, blocker) = pausing(&home, &configuration).await;
    first.kill().await;
    blocker.execute("rollback").unwrap();

    let mut hasty = configuration.clone();
    hasty.lock_wait = Duration::ZERO;
    hasty.lease = Duration::from_secs(3600);
    let result = Running::migrate(hasty).end().await;
    assert_eq!(exit(&result), 4);
    says(&result, &["LIM-R001", "tester@here"]);
    // Nobody can look whether it lives: its silence decides.
    let result = Running::migrate(configuration).end().await;
    well(&result);
    assert_eq!(home.ledger(), ["1|applied"]);
    assert_eq!(home.value("select epoch from limosa.lease"), "2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooled_runner_that_was_replaced_commits_nothing() {
    let home = newest_postgres();
    let bouncer = bouncer(&home, "3");
    let configuration = pooled(&home, &bouncer);
    let (first, blocker) = pausing(&home, &configuration).await;
    let thief = home.database_handle().session().unwrap();
    thief.execute("update limosa.lease set epoch = epoch + 1, holder = 'thief'").unwrap();
    blocker.execute("rollback").unwrap();
    let result = first.end().await;
    assert_eq!(exit(&result), 3);
    says(&result, &["LIM-R008"]);
    assert_eq!(home.tables(), ["busy"]);
    assert_eq!(home.ledger(), Vec::<String>::new());
    assert_eq!(home.value("select holder from limosa.lease"), "thief");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooled_runner_that_lasts_shows_signs_of_life() {
    let home = newest_postgres();
    let bouncer = bouncer(&home, "3");
    let mut configuration = pooled(&home, &bouncer);
    configuration.lease = Duration::from_secs(3);
    let (first, blocker) = pausing(&home, &configuration).await;
    let beat = "select (heartbeat_at > since)::text from limosa.lease";
    eventually("a heartbeat comes", || home.value(beat) == "true");
    let second = Running::migrate(Configuration { lock_wait: Duration::from_secs(6), ..configuration });
    assert_eq!(exit(&second.end().await), 4, "longer than the lease, and still held");
    blocker.execute("rollback").unwrap();
    well(&first.end().await);
}

/// What a file leaves in a session reaches whoever gets it next: rows of the application would go into a temporary table.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_stay_in_the_session_is_refused_before_anything_runs() {
    let home = newest_postgres();
    let bouncer = bouncer(&home, "1");
    let clean = seen_by_another(&home, &bouncer).await;
    home.file("0001_table.sql", "create table orders (n int);");
    for (statement, place) in [
        ("create temp table orders (n int);", "0002_x.sql:2:1"),
        ("select pg_advisory_lock(42);", "0002_x.sql:2:1"),
        ("prepare p as select 1;", "0002_x.sql:2:1"),
        ("listen events;", "0002_x.sql:2:1"),
        ("declare c cursor with hold for select 1;", "0002_x.sql:2:1"),
    ] {
        home.file("0002_x.sql", &format!("select 1;\n{statement}\n"));
        let result = Running::migrate(pooled(&home, &bouncer)).end().await;
        assert_eq!(exit(&result), 2, "{statement}");
        says(&result, &["LIM-P008", place, "leaves something in the session", "direct_url"]);
        assert_eq!(home.tables(), Vec::<String>::new(), "{statement}");
    }
    let tidy = "create temp table a (n int) on commit drop; create temp table b (n int); drop table b; \
                select pg_advisory_xact_lock(42); prepare p as select 1; deallocate p; select pg_advisory_lock(1); \
                select pg_advisory_unlock(1);";
    home.file("0002_x.sql", &format!("{tidy}\n-- limosa:rollback\ncreate temp table back (n int);\n"));
    well(&Running::migrate(pooled(&home, &bouncer)).end().await);
    assert_eq!(seen_by_another(&home, &bouncer).await, clean);
    let migrator = limosa::Migrator::new(pooled(&home, &bouncer));
    let consent = home.database();
    let result = crate::answers::back(&migrator, limosa::Selection::Steps(1), Some(&consent)).await;
    says(&result, &["LIM-P008", "leaves something in the session"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_path_that_a_pooler_drops_in_silence_is_said() {
    let home = newest_postgres();
    home.execute("create schema tenant");
    home.file("0001_table.sql", "create table t (n int);");
    let bouncer = in_mode(PoolMode::Transaction, &[("ignore_startup_parameters", "extra_float_digits,options")]);
    let mut configuration = pooled(&home, &bouncer);
    configuration.database = Secret::new(format!("{}?options=-csearch_path%3Dtenant", configuration.database.expose()));
    let result = Running::migrate(configuration.clone()).end().await;
    assert_eq!(exit(&result), 2);
    says(&result, &["the pooler has dropped the option search_path", "direct_url"]);
    assert_eq!(home.tables(), Vec::<String>::new());
    configuration.direct_url = Some(Secret::new(format!("{}?options=-csearch_path%3Dtenant", home.url())));
    well(&Running::migrate(configuration).end().await);
    assert_eq!(home.rows("select schemaname::text from pg_tables where tablename = 't'"), ["tenant"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooler_in_statement_mode_is_named() {
    let home = newest_postgres();
    home.file("0001_table.sql", "create table t (n int);");
    let bouncer = in_mode(PoolMode::Statement, &[]);
    let result = Running::migrate(pooled(&home, &bouncer)).end().await;
    says(&result, &["statement pooling mode", "give the address of the server itself"]);
    assert_eq!(exit(&result), 2);
}

/// From here a pooler in session mode looks like the other, until somebody says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooler_in_session_mode_is_like_none_where_that_is_said() {
    let home = newest_postgres();
    home.file("0001_table.sql", "create table t (n int);\ncreate index concurrently t_n on t (n);");
    let bouncer = in_mode(PoolMode::Session, &[]);
    let mut configuration = pooled(&home, &bouncer);
    says(&Running::migrate(configuration.clone()).end().await, &["LIM-P008", "--pooled no"]);
    configuration.pooled = Some(false);
    well(&Running::migrate(configuration).end().await);
}

async fn sets_all(mut connection: Connection<'_>, sets: &str) -> Result<(), CodeError> {
    connection.execute(sets).await?;
    connection.query("select set_config('my.own', 'x', false)", &[]).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn code_leaves_no_setting_behind() {
    let home = newest_postgres();
    let bouncer = bouncer(&home, "1");
    let role = format!("{}_owner", home.database());
    home.execute(&format!("create role {role}; grant all on schema public to {role}"));
    let clean = seen_by_another(&home, &bouncer).await;
    let sets: &'static str = format!(
        "set search_path = pg_catalog; set statement_timeout = '77s'; set default_transaction_read_only = on; set role {role}"
    )
    .leak();
    let mut configuration = pooled(&home, &bouncer);
    configuration.embedded = Some(Embedded::new([("001_a.sql", "create table a (n int);")]));

    let mut with_code = configuration.clone();
    with_code.code = vec![RustMigration::from_fn("002", "sets", "1", move |it| Box::pin(sets_all(it, sets))).unwrap()];
    well(&Running::migrate(with_code).end().await);
    assert_eq!(home.ledger().len(), 2);
    assert_eq!(seen_by_another(&home, &bouncer).await, clean);

    for event in [CallbackEvent::BeforeMigrate, CallbackEvent::AfterMigrate] {
        configuration.hooks.push(RustCallback::from_fn(event, "sets", move |it| Box::pin(sets_all(it, sets))));
    }
    well(&Running::migrate(configuration).end().await);
    assert_eq!(seen_by_another(&home, &bouncer).await, clean);
    assert_eq!(home.migrator().audit_verify(&[]).await.unwrap().exit_code, 0);
}
