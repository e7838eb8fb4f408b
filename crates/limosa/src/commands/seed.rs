//! `seed`: data for development and tests. Each file runs once, and again when it changes; the ledger remembers it apart
//! from migrations.

use std::path::Path;
use std::time::Instant;

use limosa_core::{Action, Change, Identity, Kind, MigrateAsk, RowState, SEED_PREFIX, Surroundings, decide_migrate};
use limosa_formats::{Layout, LayoutChoice};
use limosa_run::{Stop, conduct};
use limosa_sql::Diagnostic;

use super::{held, migrate};
use crate::event::{Listener, Progress, Told};
use crate::files::Loaded;
use crate::opened::{Opened, Purpose};
use crate::reading::read_these_and_open;
use crate::report::RunAnswer;
use crate::telling::told;
use crate::{Configuration, Failure, Migrator, enum_values};

impl Migrator {
    /// Runs the seeds of a folder that are new or changed; all of them where `again`.
    ///
    /// # Errors
    /// Where the environment is protected, or nothing could be begun.
    pub async fn seed(
        &self,
        folder: &Path,
        again: bool,
        listener: &dyn Listener,
        stop: Stop,
    ) -> Result<RunAnswer, Failure> {
        told(&self.configuration, "seed", listener, self.plant(folder, again, listener, stop)).await
    }

    async fn plant(
        &self,
        folder: &Path,
        again: bool,
        listener: &dyn Listener,
        stop: Stop,
    ) -> Result<RunAnswer, Failure> {
        self.configuration.refuse_protected("seed")?;
        let folders = [folder.to_owned()];
        // Seeds are files on disk, whatever the application has compiled in.
        // They are limosa's own as well, whatever tool the migrations come from.
        let layout = match &self.configuration.layout {
            LayoutChoice::Given(Layout::Flyway(_)) | LayoutChoice::Auto => self.configuration.layout.clone(),
            LayoutChoice::Given(_) => LayoutChoice::Given(Layout::Native),
        };
        let configuration = Configuration { embedded: None, code: Vec::new(), layout, ..self.configuration.clone() };
        let (mut loaded, mut opened) =
            read_these_and_open(&configuration, &folders, Purpose::Write, Loaded::refuse_errors).await?;
        for change in &mut loaded.changes {
            as_seed(change);
        }
        let answer = run(&mut opened, &loaded.changes, again, listener, stop).await;
        opened.close().await;
        let mut answer = answer?;
        answer.notices.extend(loaded.diagnostics);
        if loaded.changes.is_empty() {
            let message = format!("{} holds no seed", folder.display());
            answer
                .notices
                .push(Diagnostic::warning("LIM-U071", message).help("name a seed like a migration: 001_people.sql"));
        }
        Ok(answer)
    }
}

/// A seed is a repeatable with a name of its own kind.
fn as_seed(change: &mut Change) {
    change.identity = Identity::new(format!("{SEED_PREFIX}{}", change.identity));
    change.kind = Kind::Repeatable;
    change.rollback = None;
    // Seeds are limosa's own: their text alone counts.
    if let Some(counted) = change.headers.counted_values.take() {
        change.script.up_checksum = counted.text_checksum;
    }
    for needed in &mut change.depends_on {
        *needed = Identity::new(format!("{SEED_PREFIX}{needed}"));
    }
}

async fn run(
    opened: &mut Opened<'_>,
    seeds: &[Change],
    again: bool,
    listener: &dyn Listener,
    stop: Stop,
) -> Result<RunAnswer, Failure> {
    let began = Instant::now();
    let view = opened.look().await?;
    let around: Surroundings = opened.surroundings(false).await?;
    listener.progress(Progress::Target(opened.target.clone()));
    let events = Told(listener);
    let held = held::take(opened, &events, stop.clone(), &view).await?;
    // Seeds are weighed against seeds only: migrations are neither missing nor pending here.
    let mut view = held.view;
    view.rows = std::mem::take(&mut view.seeds);
    if again {
        // One that was interrupted goes on from where it stands, asked again or not.
        view.rows.retain(|row| row.state == RowState::Partial);
    }
    let policy = opened.policy();
    let decided = enum_values::decide_knowing(opened, |enum_values| {
        let ask = MigrateAsk { enum_values, ..MigrateAsk::default() };
        decide_migrate(seeds, &view, &ask, &policy, &around).map_err(Failure::refused)
    });
    let result = match decided {
        Ok(mut plan) => {
            plan.skipped.clear();
            // A seed whose file is gone is nobody's concern.
            plan.notices.clear();
            for step in &mut plan.steps {
                if again && step.action == Action::Apply {
                    step.action = Action::Reapply;
                    step.adds_row = false;
                }
            }
            let (session, context) = opened.run_parts(&events, stop);
            let report = conduct(session.as_mut(), &context, &plan, held.epoch).await;
            Ok((plan, report))
        }
        Err(failure) => Err(failure),
    };
    held::give_back(opened, held.epoch).await;
    let (plan, report) = result?;
    let is_empty = plan.is_empty();
    let mut answer = migrate::answer(opened, "seed", plan, report, began);
    if is_empty {
        answer.outcome = "nothing_to_do";
        return Ok(answer);
    }
    crate::anchor::append(opened.configuration, answer.audit_head.as_ref(), &mut answer.notices);
    Ok(answer)
}
