//! What a file's headers and its folder's configuration ask for, before they are joined.

use limosa_core::{Guard, Headers, TransactionWish};
use limosa_sql::{Engine, Label};

/// A migration that another one depends on, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) text: String,
    pub(crate) label: Label,
    /// It stands in a file of another tool, and may mean nothing.
    pub(crate) may_be_prose: bool,
}

/// One source's wishes; None means that it says nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Wishes {
    pub(crate) purpose: Option<String>,
    pub(crate) phase: Option<String>,
    pub(crate) checklist: Option<String>,
    pub(crate) depends_on: Vec<Reference>,
    pub(crate) transaction: Option<TransactionWish>,
    pub(crate) lock_timeout: Option<u64>,
    pub(crate) statement_timeout: Option<u64>,
    pub(crate) environments: Option<Vec<String>>,
    pub(crate) engines: Option<Vec<Engine>>,
    pub(crate) requires_extension: Option<Vec<String>>,
    pub(crate) tags: Option<Vec<String>>,
    pub(crate) data_loss_allowed: Option<bool>,
    pub(crate) placeholders_off: Option<bool>,
    pub(crate) left_out: Option<String>,
    pub(crate) guard: Option<Box<Guard>>,
}

impl Wishes {
    /// Takes over what only `weaker` says. Dependencies are added up: one that is lost does more harm than one too many.
    pub(crate) fn or(mut self, weaker: &Wishes) -> Wishes {
        fn fill<T: Clone>(mine: &mut Option<T>, theirs: &Option<T>) {
            if mine.is_none() {
                mine.clone_from(theirs);
            }
        }
        fill(&mut self.purpose, &weaker.purpose);
        fill(&mut self.phase, &weaker.phase);
        fill(&mut self.checklist, &weaker.checklist);
        fill(&mut self.transaction, &weaker.transaction);
        fill(&mut self.lock_timeout, &weaker.lock_timeout);
        fill(&mut self.statement_timeout, &weaker.statement_timeout);
        fill(&mut self.environments, &weaker.environments);
        fill(&mut self.engines, &weaker.engines);
        fill(&mut self.requires_extension, &weaker.requires_extension);
        fill(&mut self.tags, &weaker.tags);
        fill(&mut self.data_loss_allowed, &weaker.data_loss_allowed);
        fill(&mut self.placeholders_off, &weaker.placeholders_off);
        fill(&mut self.left_out, &weaker.left_out);
        fill(&mut self.guard, &weaker.guard);
        self.depends_on.extend(weaker.depends_on.iter().cloned());
        self
    }

    /// They stand in a file of another tool: what is no migration is prose.
    pub(crate) fn may_be_prose(&mut self) {
        self.depends_on.iter_mut().for_each(|reference| reference.may_be_prose = true);
    }

    /// The wishes as the core knows them.
    pub(crate) fn headers(&self) -> Headers {
        Headers {
            purpose: self.purpose.clone(),
            phase: self.phase.clone(),
            checklist: self.checklist.clone(),
            depends_on: self.depends_on.iter().map(|reference| reference.text.clone()).collect(),
            transaction: self.transaction.unwrap_or_default(),
            lock_timeout: self.lock_timeout,
            statement_timeout: self.statement_timeout,
            environments: self.environments.iter().flatten().cloned().collect(),
            engines: self.engines.iter().flatten().cloned().collect(),
            requires_extension: self.requires_extension.iter().flatten().cloned().collect(),
            tags: self.tags.iter().flatten().cloned().collect(),
            data_loss_allowed: self.data_loss_allowed.unwrap_or_default(),
            placeholders_off: self.placeholders_off.unwrap_or_default(),
            placeholders_on: self.placeholders_off == Some(false),
            left_out: self.left_out.clone(),
            may_come_late: false,
            place: None,
            made_at: None,
            runs_always: false,
            guard: self.guard.clone(),
            counted_values: None,
        }
    }

    /// True where the file is meant for this engine.
    pub(crate) fn wants(&self, engine: Engine) -> bool {
        self.engines.as_ref().is_none_or(|engines| engines.is_empty() || engines.contains(&engine))
    }
}
