//! `ready` and `health`: for starting applications and for monitors. They write nothing and take no lock.

use std::time::Instant;

use limosa_core::{LedgerView, RowState, State, Version};

use super::migrate::millis;
use super::status::{assess_as_it_stands, living_runner, runner};

use crate::opened::{Opened, Purpose, open};
use crate::reading::read_and_open;
use crate::report::{HealthAnswer, SCHEMA_VERSION};
use crate::{Exit, Failure, Migrator};

impl Migrator {
    /// Whether the database is at least at a version, and nothing is half done. What a runner that lives is at is not half done: with a
    /// version, what is applied answers. Reads no files.
    ///
    /// # Errors
    /// Where the database cannot be asked.
    pub async fn ready(&self, at_least: Option<&Version>) -> Result<HealthAnswer, Failure> {
        let began = Instant::now();
        let mut opened = open(&self.configuration, Purpose::Probe).await?;
        let view = opened.look().await;
        let answer = view.map(|view| {
            let reason = not_ready(&view, at_least, living_runner(&view, self.configuration.lease).is_some());
            answer("ready", &opened, &view, reason, began)
        });
        opened.close().await;
        answer
    }

    /// Whether all is well. A database that cannot be asked is an answer too.
    pub async fn health(&self) -> HealthAnswer {
        let began = Instant::now();
        match self.look_at_health(began).await {
            Ok(answer) => answer,
            Err(failure) => HealthAnswer {
                schema_version: SCHEMA_VERSION,
                command: "health",
                exit_code: failure.exit.into(),
                ok: false,
                reason: failure.diagnostics.first().map(|diagnostic| diagnostic.message.clone()),
                target: None,
                version: None,
                pending: None,
                troubled: None,
                runner: None,
                elapsed_ms: millis(began),
            },
        }
    }

    async fn look_at_health(&self, began: Instant) -> Result<HealthAnswer, Failure> {
        let (loaded, mut opened) = read_and_open(&self.configuration, Purpose::Probe, |_| Ok(())).await?;
        let looked = async {
            let view = opened.look().await?;
            let around = opened.surroundings(loaded.needs_extensions(&view)).await?;
            Ok::<_, Failure>((view, around))
        }
        .await;
        let answer = looked.map(|(view, around)| {
            let assessed = assess_as_it_stands(&loaded.changes, &view, &around);
            let is_run_now = living_runner(&view, self.configuration.lease).is_some();
            let troubled: Vec<&limosa_core::Assessed<'_>> = assessed
                .iter()
                .filter(|line| match line.state {
                    State::Partial | State::Reverting => !is_run_now,
                    state => matches!(state, State::Changed | State::Failed),
                })
                .collect();
            let reason = troubled.first().map(|line| {
                let why = line.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
                format!("{} is {}{why}", line.identity, line.state.title())
            });
            let mut answer = answer("health", &opened, &view, reason, began);
            answer.pending = Some(assessed.iter().filter(|line| line.state.is_pending()).count());
            answer.troubled = Some(troubled.len());
            answer
        });
        opened.close().await;
        answer
    }
}

fn newest(view: &LedgerView) -> Option<Version> {
    view.rows
        .iter()
        .filter(|row| matches!(row.state, RowState::Applied | RowState::Baseline))
        .filter_map(|row| Version::parse(row.version.as_deref()?).ok())
        .max()
}

fn not_ready(view: &LedgerView, at_least: Option<&Version>, is_run_now: bool) -> Option<String> {
    if !view.exists {
        return Some("no migration was ever run here".to_owned());
    }
    let is_begun = |row: &&limosa_core::AppliedRow| matches!(row.state, RowState::Partial | RowState::Reverting);
    let mut begun = view.rows.iter().filter(is_begun).filter(|row| !view.stands_untouched(&row.identity));
    if let Some(row) = begun.next().filter(|_| !is_run_now || at_least.is_none()) {
        let how = if is_run_now { "is being run" } else { "is half done" };
        return Some(format!("{} ({}) {how}", row.identity, row.name));
    }
    let Some(wanted) = at_least else {
        let is_empty = view.rows.iter().all(|row| !matches!(row.state, RowState::Applied | RowState::Baseline));
        return is_empty.then(|| "no migration is applied".to_owned());
    };
    if let Some(name) = wanted.name() {
        // No file is read here: a name is asked for as the ledger has it.
        let stands = |row: &&limosa_core::AppliedRow| matches!(row.state, RowState::Applied | RowState::Baseline);
        let is_applied = view.rows.iter().filter(stands).any(|row| row.identity.as_str() == name);
        return (!is_applied).then(|| format!("{name} is not applied"));
    }
    match newest(view) {
        Some(version) if version >= *wanted => None,
        Some(version) => Some(format!("the database is at version {version}, {wanted} is needed")),
        None => Some(format!("no version is applied, {wanted} is needed")),
    }
}

fn answer(
    command: &'static str,
    opened: &Opened<'_>,
    view: &LedgerView,
    reason: Option<String>,
    began: Instant,
) -> HealthAnswer {
    let exit = if reason.is_none() { Exit::Done } else { Exit::No };
    HealthAnswer {
        schema_version: SCHEMA_VERSION,
        command,
        exit_code: exit.into(),
        ok: reason.is_none(),
        reason,
        target: Some(opened.target.clone()),
        version: newest(view).map(|version| version.to_string()),
        pending: None,
        troubled: None,
        runner: runner(view, opened.configuration.lease),
        elapsed_ms: millis(began),
    }
}
