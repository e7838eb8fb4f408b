//! What the server said, kept for the report: the first thousand of each step, the others only counted.

use std::collections::BTreeMap;

use limosa_db::Notice;

/// How many of one step are kept. Each was told as an event when it came.
const KEPT: usize = 1000;

/// Notices by step, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    steps: BTreeMap<usize, Said>,
}

#[derive(Debug, Default)]
struct Said {
    kept: Vec<Notice>,
    more: u64,
}

impl Notices {
    /// Adds one of a step.
    pub(crate) fn push(&mut self, (step, notice): (usize, Notice)) {
        let said = self.steps.entry(step).or_default();
        if said.kept.len() < KEPT {
            said.kept.push(notice);
        } else {
            said.more += 1;
        }
    }

    /// Takes over all of another, which is empty afterwards.
    pub(crate) fn append(&mut self, others: &mut Notices) {
        for (step, said) in std::mem::take(&mut others.steps) {
            for notice in said.kept {
                self.push((step, notice));
            }
            self.steps.entry(step).or_default().more += said.more;
        }
    }

    /// These, and others behind them.
    pub(crate) fn followed_by(mut self, mut others: Notices) -> Notices {
        self.append(&mut others);
        self
    }

    /// Those of a step; the last one says how many more there were.
    pub(crate) fn of(&self, step: usize) -> Vec<Notice> {
        let Some(said) = self.steps.get(&step) else { return Vec::new() };
        let mut all = said.kept.clone();
        if said.more > 0 {
            all.push(Notice {
                severity: "INFO".to_owned(),
                message: format!("{} more notices were not kept", said.more),
                detail: None,
                hint: None,
                code: None,
            });
        }
        all
    }
}
