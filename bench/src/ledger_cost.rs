//! What the record of a migration costs on PostgreSQL: no ledger, its row, and two forms of the audit chain.
//!
//! Every migration is one transaction, all of whose messages are sent before the first answer is waited for, over one
//! connection. Only what stands between the migration's statements and COMMIT differs.

use std::fmt::Write;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, try_join_all};
use limosa_testkit::{PostgresServer, TestDatabase};
use sha2::{Digest, Sha256};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, NoTls, Statement};

use crate::ledger_sql::{APPEND_BY_CLIENT, APPEND_BY_SERVER, BEFORE_ROW, CREATE, FENCE, RESET, WRITE_ROW};
use crate::report::median;
use crate::workload::{Engine, Migration, migrations};

const PROJECT: &str = "bench";
const DETAIL: &str = r#"{"name":"create jobs","checksum":"sha256:0f6c1d0b9a","statements":1,"plan":"9c1d","run":"r1"}"#;

/// What is written beside the migration, each form with all of those before it but the other chain.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    Nothing,
    Row,
    ChainByClient,
    ChainByServer,
    /// The chain by the server, and all else that limosa sends: settings, lease, rights.
    Guarded,
}

/// Whether the server reads the ledger's statements each time or once.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    EachTime,
    Once,
}

const MODES: [(&str, Form, Reading); 9] = [
    ("(a) no ledger", Form::Nothing, Reading::EachTime),
    ("(b) row", Form::Row, Reading::EachTime),
    ("(c) row, chain by the client", Form::ChainByClient, Reading::EachTime),
    ("(d) row, chain by the server", Form::ChainByServer, Reading::EachTime),
    ("(e) as (d), with settings, lease, rights", Form::Guarded, Reading::EachTime),
    ("(b) row, prepared", Form::Row, Reading::Once),
    ("(c) row, chain by the client, prepared", Form::ChainByClient, Reading::Once),
    ("(d) row, chain by the server, prepared", Form::ChainByServer, Reading::Once),
    ("(e) as (d), prepared", Form::Guarded, Reading::Once),
];

/// Measures all modes, order rotated per round, a fresh database each; a Markdown table.
pub(crate) fn measure(server: &PostgresServer, count: usize, rounds: usize) -> Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let all = migrations(Engine::Postgres, count);
    let mut taken: Vec<Vec<Duration>> = vec![Vec::new(); MODES.len()];
    for round in 0..rounds {
        for step in 0..MODES.len() {
            let at = (round + step) % MODES.len();
            let (name, form, reading) = MODES[at];
            let database = server.create_database()?;
            database.execute(CREATE)?;
            server.execute("postgres", "CHECKPOINT")?;
            let time = runtime.block_on(run(&database, form, reading, &all)).context(name)?;
            check(&database, form, count).context(name)?;
            taken[at].push(time);
            server.execute("postgres", &format!("DROP DATABASE \"{}\" WITH (FORCE)", database.name()))?;
        }
    }
    let each = |time: Duration| time.as_secs_f64() * 1e6 / count as f64;
    let base = median(taken[0].clone()).unwrap_or_default();
    let mut text = format!(
        "\n### Ledger on PostgreSQL, {count} migrations, {rounds} rounds\n\n\
         | written | us per migration, median (min-max) | more than (a), us | x (a) |\n|---|---|---|---|\n"
    );
    for ((name, ..), times) in MODES.iter().zip(&taken) {
        let middle = median(times.clone()).unwrap_or_default();
        let least = times.iter().min().copied().unwrap_or_default();
        let most = times.iter().max().copied().unwrap_or_default();
        let _ = writeln!(
            text,
            "| {name} | {:.0} ({:.0}-{:.0}) | {:.0} | {:.2} |",
            each(middle),
            each(least),
            each(most),
            each(middle) - each(base),
            middle.as_secs_f64() / base.as_secs_f64()
        );
    }
    Ok(text)
}

type Parameter = (Box<dyn ToSql + Sync + Send>, Type);

fn text(value: &str) -> Parameter {
    (Box::new(value.to_owned()), Type::TEXT)
}

fn number(value: i64) -> Parameter {
    (Box::new(value), Type::INT8)
}

fn nothing() -> Parameter {
    (Box::new(None::<String>), Type::TEXT)
}

/// The end of the audit chain as the client knows it.
struct Head {
    sequence: i64,
    hash: String,
}

/// A statement with parameters, read by the server each time or once.
struct Sender<'a> {
    client: &'a Client,
    prepared: Vec<(&'static str, Statement)>,
}

impl Sender<'_> {
    async fn prepare(&mut self, sql: &'static str, parameters: &[Parameter]) -> Result<()> {
        let types: Vec<Type> = parameters.iter().map(|parameter| parameter.1.clone()).collect();
        self.prepared.push((sql, self.client.prepare_typed(sql, &types).await?));
        Ok(())
    }

    fn plain<'s>(&'s self, sql: &'s str) -> BoxFuture<'s, Result<()>> {
        async move { Ok(self.client.batch_execute(sql).await?) }.boxed()
    }

    fn bound<'s>(&'s self, sql: &'static str, parameters: Vec<Parameter>) -> BoxFuture<'s, Result<()>> {
        let statement = self.prepared.iter().find(|prepared| prepared.0 == sql).map(|prepared| &prepared.1);
        async move {
            if let Some(statement) = statement {
                let values: Vec<&(dyn ToSql + Sync)> =
                    parameters.iter().map(|(value, _)| value.as_ref() as _).collect();
                self.client.query(statement, &values).await?;
            } else {
                let values: Vec<(&(dyn ToSql + Sync), Type)> =
                    parameters.iter().map(|(value, kind)| (value.as_ref() as _, kind.clone())).collect();
                self.client.query_typed(sql, &values).await?;
            }
            Ok(())
        }
        .boxed()
    }
}

/// All migrations, one wait each; the time of the loop alone.
async fn run(database: &TestDatabase, form: Form, reading: Reading, all: &[Migration]) -> Result<Duration> {
    // Over TCP, as a client would; the test kit's own configuration takes the socket.
    let mut config = Config::new();
    config.host("127.0.0.1").port(database.port()).user("postgres").dbname(database.name());
    let (client, connection) = config.connect(NoTls).await?;
    let driver = tokio::spawn(connection);
    let mut sender = Sender { client: &client, prepared: Vec::new() };
    let mut head = Head { sequence: 0, hash: String::new() };
    if reading == Reading::Once {
        let any =
            Migration { number: 0, name: String::new(), up: String::new(), down: String::new(), is_function: false };
        sender.prepare(FENCE, &fence()).await?;
        sender.prepare(WRITE_ROW, &row(&any)).await?;
        let mut spare = Head { sequence: 0, hash: String::new() };
        sender.prepare(APPEND_BY_CLIENT, &by_client(&any, &mut spare)).await?;
        sender.prepare(APPEND_BY_SERVER, &by_server(&any)).await?;
    }
    let start = Instant::now();
    for migration in all {
        let mut flight = vec![sender.plain("BEGIN")];
        if form == Form::Guarded {
            flight.push(sender.plain(RESET));
            flight.push(sender.bound(FENCE, fence()));
        } else if form >= Form::Row {
            // The row's guard reads it.
            flight.push(sender.plain("SET LOCAL limosa.step = 'mark'"));
        }
        flight.push(sender.plain(&migration.up));
        if form == Form::Guarded {
            flight.push(sender.plain("set constraints all immediate"));
            flight.push(sender.plain(BEFORE_ROW));
        }
        if form >= Form::Row {
            flight.push(sender.bound(WRITE_ROW, row(migration)));
        }
        match form {
            Form::Nothing | Form::Row => {}
            Form::ChainByClient => flight.push(sender.bound(APPEND_BY_CLIENT, by_client(migration, &mut head))),
            Form::ChainByServer | Form::Guarded => flight.push(sender.bound(APPEND_BY_SERVER, by_server(migration))),
        }
        flight.push(sender.plain("COMMIT"));
        // Each is sent when it is first polled, and all are polled in turn before any answer can arrive.
        try_join_all(flight).await.with_context(|| format!("migration {}", migration.number))?;
    }
    let taken = start.elapsed();
    drop(sender);
    drop(client);
    driver.await??;
    Ok(taken)
}

fn fence() -> Vec<Parameter> {
    vec![text(PROJECT), number(1), text("mark"), text("3000"), text("0")]
}

fn row(migration: &Migration) -> Vec<Parameter> {
    let checksum = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let version = migration.version();
    vec![
        text(PROJECT),
        text(&version),
        text(&version),
        text(&migration.name),
        text(checksum),
        text(checksum),
        text("applied"),
        number(1),
        number(1),
        text("somebody"),
        number(0),
        text(&migration.down),
        text(r#"{"file":"migrations/00001_create_item_1.sql","line":10,"column":1}"#),
        nothing(),
        text("[]"),
        text(checksum),
        number(1),
        text("mark"),
    ]
}

fn by_server(migration: &Migration) -> Vec<Parameter> {
    vec![text(PROJECT), text("somebody"), text("apply"), text(&migration.version()), text("done"), text(DETAIL)]
}

fn by_client(migration: &Migration, head: &mut Head) -> Vec<Parameter> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let at = format!("{}.{:06}", now.as_secs(), now.subsec_micros());
    let sequence = head.sequence + 1;
    let identity = migration.version();
    let fields = [PROJECT, &sequence.to_string(), &at, "somebody", "apply", &identity, "done", DETAIL];
    let hash = chained(&head.hash, &fields);
    let previous = std::mem::replace(&mut head.hash, hash);
    head.sequence = sequence;
    let mut parameters = by_server(migration);
    parameters.extend([number(sequence), text(&at), text(&previous), text(&head.hash)]);
    parameters
}

/// The hash of an audit row, as limosa defines it.
fn chained(previous: &str, fields: &[&str]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(previous.as_bytes());
    for field in fields {
        hasher.update(b"\n");
        hasher.update(field.replace('\\', "\\\\").replace('\n', "\\n").as_bytes());
    }
    hasher.finalize().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

/// Looks whether everything was written, and computes the chain again.
fn check(database: &TestDatabase, form: Form, count: usize) -> Result<()> {
    let rows = database.query("select count(*) from limosa.schema_migrations")?;
    let wanted = if form >= Form::Row { count } else { 0 };
    ensure!(rows == [[Some(wanted.to_string())]], "{rows:?} rows in place of {wanted}");
    let log = database.query(
        "select previous_hash, project, sequence, at, actor, operation, identity, outcome, detail, hash \
         from limosa.audit_log order by sequence",
    )?;
    let wanted = if form >= Form::ChainByClient { count } else { 0 };
    ensure!(log.len() == wanted, "{} audit rows in place of {wanted}", log.len());
    let mut hash = String::new();
    for entry in &log {
        let fields: Vec<&str> = entry.iter().map(|field| field.as_deref().unwrap_or_default()).collect();
        hash = chained(&hash, &fields[1..9]);
        ensure!(fields[9] == hash, "the chain breaks at row {}", fields[2]);
    }
    let head = database.query("select hash from limosa.audit_head")?;
    ensure!(head == [[Some(hash)]], "the head names another row");
    Ok(())
}
