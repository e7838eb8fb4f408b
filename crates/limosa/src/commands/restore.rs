//! `backup` and `restore` as commands of their own.

use std::path::Path;

use serde_json::json;

use super::held::{Edit, under_lock};
use crate::backup::Subject;
use crate::event::Listener;
use crate::opened::{Purpose, open};
use crate::report::{DoneAnswer, SCHEMA_VERSION};
use crate::{Exit, Failure, Migrator, backup};

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
        Ok(DoneAnswer {
            schema_version: SCHEMA_VERSION,
            command: "backup",
            exit_code: Exit::Done.into(),
            target: Some(target),
            done: vec![made?],
            would: Vec::new(),
            notices: Vec::new(),
            audit_head: None,
        })
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
        let folder = &self.configuration.backup_directory;
        let from = match from {
            Some(from) => from.to_owned(),
            None => backup::found(folder).pop().ok_or_else(|| {
                Failure::usage(
                    "LIM-U061",
                    format!("no backup is in {}", folder.display()),
                    "name one: limosa restore FILE",
                )
            })?,
        };
        let mut opened = open(&self.configuration, Purpose::Write).await?;
        let database = opened.target.database.clone();
        self.configuration.refuse_without_consent("restore", "--allow-data-loss", &database, consent)?;
        listener.progress(crate::Progress::Target(opened.target.clone()));
        backup::bring_back(&Subject::of(&opened), &from, listener).await?;
        opened.close().await;
        // The ledger is the one of the backup now; the restore itself is recorded in it.
        opened = open(&self.configuration, Purpose::Write).await?;
        let said = from.display().to_string();
        let written = under_lock(&mut opened, listener, |_, _, _| {
            Ok(Edit { items: Vec::new(), audit: vec![("restore", None, json!({"from": said}))] })
        })
        .await?;
        let target = opened.target.clone();
        opened.close().await;
        Ok(DoneAnswer {
            schema_version: SCHEMA_VERSION,
            command: "restore",
            exit_code: Exit::Done.into(),
            target: Some(target),
            done: vec![format!("restored from {}", from.display())],
            would: Vec::new(),
            notices: written.notices,
            audit_head: written.head,
        })
    }
}
