//! `backup` and `restore` as commands of their own.

use std::path::{Path, PathBuf};

use limosa_run::Stop;
use limosa_sql::Diagnostic;
use serde_json::json;

use super::held::{self, Edit, Written, under_lock};
use crate::backup::{Before, Subject};
use crate::event::{Listener, Progress, Told};
use crate::opened::{Opened, Purpose, open, open_unless};
use crate::report::{DoneAnswer, Target};
use crate::telling::told;
use crate::{Failure, Migrator, backup};

impl Migrator {
    /// Makes a backup.
    ///
    /// # Errors
    /// Whatever stands in its way, and a signal to stop; no file is left then.
    pub async fn backup(&self, listener: &dyn Listener, stop: Stop) -> Result<DoneAnswer, Failure> {
        told(&self.configuration, "backup", listener, self.copy_out(listener, stop)).await
    }

    async fn copy_out(&self, listener: &dyn Listener, stop: Stop) -> Result<DoneAnswer, Failure> {
        let mut opened = open_unless(&stop, &self.configuration, Purpose::Change).await?;
        if let Some(failure) = opened.look().await.err().filter(Failure::is_unfinished) {
            opened.close().await;
            return Err(failure);
        }
        let made = backup::make(&Subject::of(&opened), listener, &stop, Before::Nothing).await;
        let target = opened.target.clone();
        opened.close().await;
        Ok(DoneAnswer { done: vec![made?], ..DoneAnswer::new("backup", Some(&target)) })
    }

    /// Brings the database back to a backup; the newest of the folder where none is named. Everything since then is lost.
    ///
    /// # Errors
    /// Where the environment is protected, consent is missing, or the backup is no whole backup, and a signal to stop. The
    /// words say what stands: mostly that nothing was changed.
    pub async fn restore(
        &self,
        from: Option<&Path>,
        consent: Option<&str>,
        listener: &dyn Listener,
        stop: Stop,
    ) -> Result<DoneAnswer, Failure> {
        told(&self.configuration, "restore", listener, self.bring_back(from, consent, listener, stop)).await
    }

    async fn bring_back(
        &self,
        from: Option<&Path>,
        consent: Option<&str>,
        listener: &dyn Listener,
        stop: Stop,
    ) -> Result<DoneAnswer, Failure> {
        self.configuration.refuse_protected("restore")?;
        let mut looked = open(&self.configuration, Purpose::Read).await?;
        let (ledger_exists, is_unfinished) = match looked.look().await {
            Err(failure) if failure.is_unfinished() => (Ok(false), true),
            view => (view.map(|view| view.exists), false),
        };
        let begun = begin(&looked, from, consent, listener);
        let (subject, is_there) = (Subject::of(&looked), looked.is_there());
        looked.close().await;
        let from = begun?;
        if is_unfinished {
            let mut opened = open_unless(&stop, &self.configuration, Purpose::Change).await?;
            let restored = match held::take_unfinished(&mut opened).await {
                Ok(()) => backup::bring_back(&subject, &from, listener, &stop).await,
                Err(failure) => Err(failure),
            };
            opened.close().await;
            restored?;
        } else if is_there && ledger_exists? {
            let mut opened = open_unless(&stop, &self.configuration, Purpose::Change).await?;
            let restored = replace(&mut opened, &subject, &from, listener, &stop).await;
            opened.close().await;
            restored?;
        } else {
            backup::bring_back(&subject, &from, listener, &stop).await?;
        }
        let (target, written) = self.record_restore(&from, listener, stop).await.map_err(|mut failure| {
            let message = format!("the database is restored from {}; only its record is missing", from.display());
            let help = "the audit log does not say that it was restored; everything else is as the backup has it";
            failure.diagnostics.push(Diagnostic::warning("LIM-U062", message).help(help));
            failure
        })?;
        let answer = DoneAnswer::new("restore", Some(&target));
        Ok(written.answer(answer, vec![format!("restored from {}", from.display())]))
    }

    /// The ledger is the one of the backup now; the restore itself is recorded in it.
    async fn record_restore(
        &self,
        from: &Path,
        listener: &dyn Listener,
        stop: Stop,
    ) -> Result<(Target, Written), Failure> {
        // A signal that came while the database was replaced came too late to stop that, so its record is written too; one
        // that comes now ends a wait.
        let stop = if stop.is_asked() { Stop::new() } else { stop };
        let mut opened = open_unless(&stop, &self.configuration, Purpose::Write).await?;
        let said = from.display().to_string();
        let written = under_lock(&mut opened, listener, &stop, |_, _, _| {
            Ok(Edit { items: Vec::new(), audit: vec![("restore", None, json!({"from": said}))] })
        })
        .await;
        let target = opened.target.clone();
        opened.close().await;
        Ok((target, written?))
    }
}

/// What must hold before anything is touched; gives the backup.
fn begin(
    opened: &Opened<'_>,
    from: Option<&Path>,
    consent: Option<&str>,
    listener: &dyn Listener,
) -> Result<PathBuf, Failure> {
    let subject = Subject::of(opened);
    let from = match from {
        Some(from) => from.to_owned(),
        None => backup::newest(&subject).ok_or_else(|| {
            let folder = opened.configuration.backup_directory.display();
            let message = format!("no backup of {} is in {folder}", opened.target.database);
            Failure::usage("LIM-U061", message, "name one: limosa restore FILE")
        })?,
    };
    let database = opened.target.database.clone();
    opened.configuration.refuse_without_consent("restore", "--allow-data-loss", &database, consent)?;
    listener.progress(Progress::Target(opened.target.clone()));
    Ok(from)
}

/// Replaces the database while no other runner is at work.
async fn replace(
    opened: &mut Opened<'_>,
    subject: &Subject<'_>,
    from: &Path,
    listener: &dyn Listener,
    stop: &Stop,
) -> Result<(), Failure> {
    let events = Told(listener);
    let view = opened.look().await?;
    if !view.exists {
        return backup::bring_back(subject, from, listener, stop).await;
    }
    let held = held::take(opened, &events, stop.clone(), &view).await?;
    let restored = backup::bring_back(subject, from, listener, stop).await;
    // Where it went well, the lease is the one of the backup; the lock itself goes with the session.
    held::give_back(opened, held.epoch).await;
    restored
}
