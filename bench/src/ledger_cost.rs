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
    let mut taken: Vec<Vec<Cost>> = vec![Vec::new(); MODES.len()];
    for round in 0..rounds {
        for step in 0..MODES.len() {
            let at = (round + step) % MODES.len();
            let (name, form, reading) = MODES[at];
            let database = server.create_database()?;
            database.execute(CREATE)?;
            server.execute("postgres", "CHECKPOINT")?;
            let cost = runtime.block_on(run(&database, form, reading, &all)).context(name)?;
            check(&database, form, count).context(name)?;
            taken[at].push(cost);
            server.execute("postgres", &format!("DROP DATABASE \"{}\" WITH (FORCE)", database.name()))?;
        }
    }
    Ok(table(&taken, count, rounds))
}

/// What all migrations of one run took.
#[derive(Clone, Copy)]
struct Cost {
    wall: Duration,
    /// Of the server's process for this connection alone.
    server: Duration,
}

fn table(taken: &[Vec<Cost>], count: usize, rounds: usize) -> String {
    let each = |time: Duration| time.as_secs_f64() * 1e6 / count as f64;
    let spread = |times: Vec<Duration>| {
        let (least, most) = (times.iter().min().copied(), times.iter().max().copied());
        let middle = median(times).unwrap_or_default();
        let text = format!(
            "{:.0} ({:.0}-{:.0})",
            each(middle),
            each(least.unwrap_or_default()),
            each(most.unwrap_or_default())
        );
        (each(middle), text)
    };
    let columns = |costs: &[Cost]| {
        let wall = spread(costs.iter().map(|cost| cost.wall).collect());
        let server = spread(costs.iter().map(|cost| cost.server).collect());
        (wall, server)
    };
    let Some(((base_wall, _), (base_server, _))) = taken.first().map(|costs| columns(costs)) else {
        return String::new();
    };
    let mut text = format!(
        "\n### Ledger on PostgreSQL, {count} migrations, {rounds} rounds, us per migration\n\n\
         | written | wall, median (min-max) | more than (a) | server CPU, median (min-max) | more than (a) |\n\
         |---|---|---|---|---|\n"
    );
    for ((name, ..), costs) in MODES.iter().zip(taken) {
        let ((wall, walls), (server, servers)) = columns(costs);
        let _ =
            writeln!(text, "| {name} | {walls} | {:.0} | {servers} | {:.0} |", wall - base_wall, server - base_server);
    }
    text
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

/// All migrations, one wait each; the cost of the loop alone.
async fn run(database: &TestDatabase, form: Form, reading: Reading, all: &[Migration]) -> Result<Cost> {
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
    let backend: i32 = client.query_one("select pg_backend_pid()", &[]).await?.try_get(0)?;
    let before = running_time(backend)?;
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
    let cost = Cost { wall: start.elapsed(), server: running_time(backend)?.saturating_sub(before) };
    drop(sender);
    drop(client);
    driver.await??;
    Ok(cost)
}

/// How long a process has run on a processor; Linux counts it in nanoseconds.
fn running_time(process: i32) -> Result<Duration> {
    let file = format!("/proc/{process}/schedstat");
    let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
    let first = text.split_whitespace().next().with_context(|| format!("{file} is empty"))?;
    Ok(Duration::from_nanos(first.parse()?))
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
