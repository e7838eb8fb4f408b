//! What is asked and set right after connecting, in one wait.

use limosa_sql::Engine;

use super::answer::{self, Answer};
use super::wire::{Event, Wire};
use crate::{DbError, Notice, Row, ServerFacts, Value};

/// How often the server looks whether the client is still there, while a statement runs.
const CHECK_INTERVAL: &str = "10s";

/// What was learnt.
pub(super) struct Learnt {
    pub(super) facts: ServerFacts,
    /// On a hot standby.
    pub(super) standby: bool,
    /// Sessions may only read by default.
    pub(super) default_read_only: bool,
    pub(super) notices: Vec<Notice>,
}

/// What a session is set to where it is its own, not a pooler's.
#[derive(Debug, Clone, Default)]
pub(super) struct Defaults {
    pub(super) role: Option<String>,
    pub(super) read_only: bool,
}

/// Asks for the facts, and sets the defaults on the server only if it is the process that gave the cancel key.
pub(super) async fn learn(
    wire: &mut Wire,
    process: Option<i64>,
    defaults: &Defaults,
    host: &str,
) -> Result<Learnt, DbError> {
    let ask = "select current_setting('server_version'), current_setting('server_version_num')::int8, \
         current_database()::text, session_user::text, pg_is_in_recovery(), \
         current_setting('transaction_read_only')::bool, pg_backend_pid()::int8, current_setting('search_path'), \
         current_schema()::text"
        .to_owned();
    let process = process.unwrap_or(0);
    wire.send(answer::bound(wire.client(), 0, ask, Vec::new())).await;
    let check = format!(
        "select set_config('{CHECK_CLIENT}', $2, false) \
         where pg_backend_pid() = $1 and current_setting('{CHECK_CLIENT}', true) = '0'"
    );
    let mut settings = vec![(check, vec![Value::Integer(process), CHECK_INTERVAL.into()])];
    settings.extend(default_settings(defaults, Some(process)));
    for (number, (sql, parameters)) in (1..).zip(settings) {
        wire.send(answer::bound(wire.client(), number, sql, parameters)).await;
    }
    let answers = collect(wire).await?;
    read(answers, process, defaults, host)
}

/// Not set where the user has set it, nor where the server does not know it. Some systems refuse it: that is no error.
const CHECK_CLIENT: &str = "client_connection_check_interval";

/// Role and read-only as statements of the session's own; `process` makes them depend on the server's process.
pub(super) fn default_settings(defaults: &Defaults, process: Option<i64>) -> Vec<(String, Vec<Value>)> {
    let mut settings = Vec::new();
    let mut set = |name: &str, value: &str| {
        let sql = format!("select set_config('{name}', $2, false) where $1 is null or pg_backend_pid() = $1");
        let process = process.map_or(Value::Null, Value::Integer);
        settings.push((sql.replace("$1", "$1::int8"), vec![process, value.into()]));
    };
    if defaults.read_only {
        set("default_transaction_read_only", "on");
    }
    if let Some(role) = &defaults.role {
        set("role", role);
    }
    settings
}

#[derive(Default)]
struct Answers {
    rows: Vec<Row>,
    checks_client: bool,
    notices: Vec<Notice>,
}

/// All answers; the second, the client check, may fail.
async fn collect(wire: &mut Wire) -> Result<Answers, DbError> {
    let mut answers = Answers::default();
    let mut failure = None;
    while let Some(event) = wire.next().await {
        match event {
            Event::Notice(notice) => answers.notices.push(notice),
            Event::Answer(Answer { item: 0, outcome: Ok(reply), .. }) => answers.rows = reply.rows,
            Event::Answer(Answer { item: 1, outcome: Ok(reply), .. }) => answers.checks_client = !reply.rows.is_empty(),
            Event::Answer(Answer { item: 1, outcome: Err(error), .. }) if error.code.is_some() => {}
            Event::Answer(Answer { outcome: Err(error), .. }) => {
                failure.get_or_insert(error);
            }
            Event::Answer(_) => {}
        }
    }
    match failure {
        Some(error) => Err(wire.explain(error)),
        None => Ok(answers),
    }
}

fn read(answers: Answers, process: i64, defaults: &Defaults, host: &str) -> Result<Learnt, DbError> {
    let Some(row) = answers.rows.first() else {
        return Err(super::error::connection_lost("the server did not say what it is"));
    };
    let version = row.text(0).unwrap_or_default();
    let standby = row.boolean(4);
    let default_read_only = row.boolean(5);
    let facts = ServerFacts {
        dialect: Engine::Postgres.into(),
        version: version.split_whitespace().next().unwrap_or_default().to_owned(),
        version_number: row.integer(1).and_then(|number| u32::try_from(number).ok()).unwrap_or_default(),
        database: row.text(2).unwrap_or_default(),
        host: host.to_owned(),
        user: row.text(3).unwrap_or_default(),
        read_only: standby || default_read_only || defaults.read_only,
        pooled: row.integer(6) != Some(process),
        backend: row.integer(6).map(|process| process.to_string()),
        search_path: row.text(7),
        current_schema: row.text(8),
        settings: answers
            .checks_client
            .then(|| (CHECK_CLIENT.to_owned(), CHECK_INTERVAL.to_owned()))
            .into_iter()
            .collect(),
    };
    Ok(Learnt { facts, standby, default_read_only, notices: answers.notices })
}
