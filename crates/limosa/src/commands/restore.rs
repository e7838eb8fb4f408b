//! `backup` and `restore` as commands of their own.

use std::path::{Path, PathBuf};

use limosa_run::Stop;
use serde_json::json;

use super::held::{self, Edit, under_lock};
use crate::backup::Subject;
use crate::event::{Listener, Progress};
use crate::opened::{Opened, Purpose, open};
use crate::report::DoneAnswer;
use crate::{Failure, Migrator, backup};

impl Migrator {
    /// Makes a backup.
    ///
    /// # Errors
    /// Whatever stands in its way.
    pub async fn backup(&self, listener: &dyn Listener) -> Result<DoneAnswer, Failure> {
        let opened = open(&self.configuration, Purpose::Change).await?;
        let made = backup::make(&Subject::of(&opened), listener).await;
        let target = opened.target.clone();
        opened.close().await;
        Ok(DoneAnswer { done: vec![made?], ..DoneAnswer::new("backup", Some(&target)) })
    }

    /// Brings the database back to a backup; the newest of the folder where none is named. Everything since then is lost.
    ///
    /// # Errors
    /// Where the environment is protected, consent is missing, or the backup is no whole backup. Nothing was changed then.
    pub async fn restore(
        &self,
        from: Option<&Path>,
        consent: Option<&str>,
        listener: &dyn Listener,
    ) -> Result<DoneAnswer, Failure> {
        self.configuration.refuse_protected("restore")?;
        let looked = open(&self.configuration, Purpose::Read).await?;
        let begun = begin(&looked, from, consent, listener);
        let (subject, is_there) = (Subject::of(&looked), looked.is_there());
        looked.close().await;
        let from = begun?;
        if is_there {
            let mut opened = open(&self.configuration, Purpose::Change).await?;
            let restored = replace(&mut opened, &subject, &from, listener).await;
            opened.close().await;
            restored?;
        } else {
            backup::bring_back(&subject, &from, listener).await?;
        }
        // The ledger is the one of the backup now; the restore itself is recorded in it.
        let mut opened = open(&self.configuration, Purpose::Write).await?;
        let said = from.display().to_string();
        let written = under_lock(&mut opened, listener, |_, _, _| {
            Ok(Edit { items: Vec::new(), audit: vec![("restore", None, json!({"from": said}))] })
        })
        .await?;
        let target = opened.target.clone();
        opened.close().await;
        let answer = DoneAnswer::new("restore", Some(&target));
        Ok(written.answer(answer, vec![format!("restored from {}", from.display())]))
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
) -> Result<(), Failure> {
    let view = opened.look().await?;
    if !view.exists {
        return backup::bring_back(subject, from, listener).await;
    }
    let events = |event| listener.progress(Progress::Run(event));
    let held = held::take(opened, &events, Stop::new(), &view).await?;
    let restored = backup::bring_back(subject, from, listener).await;
    // Where it went well, the lease is the one of the backup; the lock itself goes with the session.
    held::give_back(opened, held.epoch).await;
    restored
}
