//! Changes, ledgers and surroundings, written as short as a test reads.

use std::sync::Arc;

use std::collections::{BTreeMap, HashMap};

use limosa_core::{
    AppliedRow, Change, Checksum, Direction, Failure, Headers, Identity, JournalRow, Kind, LedgerView, Limits,
    OutOfOrder, Outline, Outliner, Policy, Rollback, RowState, Script, Shared, StoredRollback, Surroundings,
    TransactionWish, Version,
};
use limosa_sql::{Diagnostic, Dialect, Engine, Position, Span, Splitter};

/// The outline of a text on PostgreSQL.
pub(crate) fn outline(text: &str) -> Outline {
    outline_of(Engine::Postgres, text, TransactionWish::Auto).unwrap()
}

pub(crate) fn outline_of(
    dialect: impl Into<Dialect>,
    text: &str,
    wish: TransactionWish,
) -> Result<Outline, limosa_core::OutlineError> {
    let dialect = dialect.into();
    let mut splitter = Splitter::new(dialect, "test.sql");
    splitter.feed(text.as_bytes());
    splitter.finish();
    let mut outliner = Outliner::new(dialect, wish);
    while let Some(piece) = splitter.next_piece().unwrap() {
        outliner.add(&piece);
    }
    outliner.finish()
}

/// A change: `R:name` makes a repeatable, anything else is a version.
pub(crate) fn change(identity: &str, up: &str) -> Change {
    let (kind, label) = match identity.strip_prefix("R:") {
        Some(_) => (Kind::Repeatable, "R".to_owned()),
        None => (Kind::Versioned(Version::parse(identity).unwrap()), identity.to_owned()),
    };
    let identity = match &kind {
        Kind::Versioned(version) => Identity::of_version(version),
        Kind::Repeatable => Identity::new(identity),
    };
    Change {
        name: format!("name of {identity}").into(),
        script: Shared::from(Script {
            file: format!("m/{label}_{}.sql", identity.as_str().replace(':', "_")).into(),
            span: Span::new(0, up.len() as u64),
            start: Position::START,
            file_checksum: Checksum::of(format!("file {up}").as_bytes()),
            up_checksum: Checksum::of(up.as_bytes()),
            outline: outline(up).into(),
        }),
        identity,
        is_baseline: false,
        is_code: false,
        is_program: false,
        is_unread: false,
        kind,
        label: label.into(),
        proof: None,
        refusals: Default::default(),
        rollback: None,
        headers: Headers::default().into(),
        depends_on: Vec::new().into(),
    }
}

/// More of a change, for chaining.
pub(crate) trait With: Sized {
    fn stands_for_all(self) -> Self;
    fn back(self, text: &str) -> Self;
    fn needs(self, identity: &str) -> Self;
    fn only_in(self, environment: &str) -> Self;
    fn only_on(self, engine: Engine) -> Self;
    fn extension(self, name: &str) -> Self;
}

impl With for Change {
    fn stands_for_all(mut self) -> Self {
        let Kind::Versioned(version) = &self.kind else { return self };
        self.identity = Identity::of_baseline(version);
        self.label = format!("B{}", self.label).into();
        self.is_baseline = true;
        self
    }
    fn back(mut self, text: &str) -> Self {
        self.rollback = Some(Arc::new(Rollback {
            file: format!("{} (back)", self.script.file).into(),
            start: Position { line: 7, column: 1 },
            text: text.to_owned(),
            outline: outline(text).into(),
            own_time_outs: None,
        }));
        self
    }
    fn needs(mut self, identity: &str) -> Self {
        self.depends_on.push(Identity::new(identity));
        self
    }
    fn only_in(mut self, environment: &str) -> Self {
        self.headers.environments.push(environment.to_owned());
        self
    }
    fn only_on(mut self, engine: Engine) -> Self {
        self.headers.engines.push(engine);
        self
    }
    fn extension(mut self, name: &str) -> Self {
        self.headers.requires_extension.push(name.to_owned());
        self
    }
}

/// A ledger that is made row by row.
#[derive(Default)]
pub(crate) struct Ledger(pub(crate) LedgerView);

impl Ledger {
    pub(crate) fn new() -> Self {
        Ledger(LedgerView { exists: true, version: Some(1), ..LedgerView::default() })
    }

    /// A row that says that this change was applied as it stands.
    pub(crate) fn applied(self, change: &Change) -> Self {
        self.row(change, RowState::Applied)
    }

    pub(crate) fn row(mut self, change: &Change, state: RowState) -> Self {
        let statements = change.script.outline.statements.cast_signed();
        let half = matches!(state, RowState::Partial | RowState::Reverting);
        self.0.rows.push(AppliedRow {
            identity: change.identity.clone(),
            version: matches!(change.kind, Kind::Versioned(_)).then(|| change.label.to_string()),
            name: change.name.to_string(),
            file_checksum: change.script.file_checksum.clone(),
            up_checksum: change.script.up_checksum.clone(),
            state,
            statements_done: if half { 1 } else { statements },
            statements_total: statements,
            rank: self.0.rows.len() as i64 + 1,
            applied_at: "2026-01-01T00:00:00.000Z".to_owned(),
            applied_by: "ada@host".to_owned(),
            execution_ms: 1,
            has_rollback: change.rollback.is_some(),
            plan_digest: None,
            depends_on: change.depends_on.to_vec(),
        });
        self
    }

    pub(crate) fn journal(mut self, change: &Change, direction: Direction, done: i64) -> Self {
        self.0.journal.push(JournalRow {
            identity: change.identity.clone(),
            direction,
            done,
            done_hash: String::new(),
            current: None,
            backend: None,
        });
        self
    }

    pub(crate) fn failed(mut self, change: &Change, message: &str) -> Self {
        self.0.failures.push(Failure {
            identity: change.identity.clone(),
            at: "2026-01-01T00:00:00.000Z".to_owned(),
            message: message.to_owned(),
        });
        self
    }

    pub(crate) fn skipped(mut self, change: &Change) -> Self {
        self.0.skipped.insert(change.identity.clone());
        self
    }
}

pub(crate) fn around() -> Surroundings {
    Surroundings {
        engine: Engine::Postgres,
        database: "shop".to_owned(),
        host: "db:5432".to_owned(),
        environment: Some("staging".to_owned()),
        available_extensions: Some(vec!["citext".to_owned()]),
        transactions_only: false,
    }
}

pub(crate) fn policy() -> Policy {
    Policy {
        project: "shop".to_owned(),
        out_of_order: OutOfOrder::Refuse,
        single_transaction: false,
        limits: Limits { lock_timeout_ms: 3000, lock_retries: 10, statement_timeout_ms: 0 },
        protected: false,
        values: BTreeMap::new(),
    }
}

/// The ways back that a ledger would hold for these changes.
pub(crate) fn recorded(changes: &[&Change]) -> HashMap<Identity, StoredRollback> {
    changes
        .iter()
        .filter_map(|change| {
            let rollback = change.rollback.as_ref()?;
            let stored = StoredRollback {
                text: rollback.text.clone(),
                file: format!("recorded rollback of {}", change.identity).into(),
                position: rollback.start,
                outline: rollback.outline.clone(),
                time_outs: rollback.time_outs(),
                values: BTreeMap::new(),
                placeholders_off: false,
            };
            Some((change.identity.clone(), stored))
        })
        .collect()
}

/// Codes in order, for comparing refusals.
pub(crate) fn codes(problems: &[Diagnostic]) -> Vec<&'static str> {
    problems.iter().map(|problem| problem.code).collect()
}

/// Message and help of all problems.
pub(crate) fn words(problems: &[Diagnostic]) -> String {
    problems
        .iter()
        .map(|problem| format!("{}\n{}\n", problem.message, problem.help.as_deref().unwrap_or_default()))
        .collect()
}
