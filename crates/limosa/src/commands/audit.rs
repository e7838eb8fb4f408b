//! `audit verify`: whether any row of the audit log was changed, removed or inserted.

use limosa_core::{AuditHead, ChainCheck, ChainError};
use limosa_db::Value;
use limosa_db::ledger::{audit_row, statements as sql};
use limosa_sql::Diagnostic;

use crate::opened::{Opened, Purpose, open};
use crate::report::{CheckLine, FindingsAnswer, SCHEMA_VERSION};
use crate::{Exit, Failure, Migrator, anchor};

/// Rows that are read at once.
const PAGE: i64 = 1000;

impl Migrator {
    /// Checks the chain of the audit log, against anchored heads where there are some. Writes nothing.
    ///
    /// # Errors
    /// Where log or anchors cannot be read.
    pub async fn audit_verify(&self, heads: &[AuditHead]) -> Result<FindingsAnswer, Failure> {
        let mut opened = open(&self.configuration, Purpose::Read).await?;
        let answer = verify(&mut opened, heads).await;
        opened.close().await;
        answer
    }
}

async fn verify(opened: &mut Opened<'_>, heads: &[AuditHead]) -> Result<FindingsAnswer, Failure> {
    let configuration = opened.configuration;
    let mut findings = Vec::new();
    let mut anchors = heads.to_vec();
    if let Some(path) = &configuration.anchor_file {
        let key = configuration.anchor_key.as_ref().map(|key| key.expose());
        let read = anchor::read(path, &configuration.project, key).map_err(|error| {
            Failure::usage(
                "LIM-U011",
                format!("the anchors in {} cannot be read: {error}", path.display()),
                "check audit.anchor_file",
            )
        })?;
        for anchor in read {
            if anchor.authentic == Some(false) {
                let message = format!(
                    "the anchor of row {} is not authentic: its HMAC is missing or wrong",
                    anchor.head.sequence
                );
                findings.push(
                    Diagnostic::error("LIM-U012", message).help("somebody wrote to the anchor file without the key"),
                );
            } else {
                anchors.push(anchor.head);
            }
        }
    }
    // While the log is read, a run may append to it: then the head has moved, and all is read again.
    let mut verdict = chain(opened, &anchors).await?;
    for _ in 0..5 {
        if !matches!(verdict, Err(ChainError::HeadDiffers { .. })) {
            break;
        }
        verdict = chain(opened, &anchors).await?;
    }
    let mut checks = Vec::new();
    match verdict {
        Ok((head, unanchored)) => {
            checks.push(line("rows", "ok", head.sequence.to_string()));
            checks.push(line("head", "ok", format!("{} {}", head.sequence, head.hash)));
            let word = if unanchored > 0 { "note" } else { "ok" };
            checks.push(line(
                "unanchored",
                word,
                format!("{unanchored} rows after the last anchor could be rewritten unseen"),
            ));
        }
        Err(error) => {
            findings
                .push(Diagnostic::error("LIM-U013", error.to_string()).help("compare with a backup of the database"));
        }
    }
    let exit = if findings.is_empty() { Exit::Done } else { Exit::No };
    Ok(FindingsAnswer {
        schema_version: SCHEMA_VERSION,
        command: "audit verify",
        exit_code: exit.into(),
        target: Some(opened.target.clone()),
        against: None,
        findings,
        checks,
    })
}

/// Reads the whole log once.
async fn chain(
    opened: &mut Opened<'_>,
    anchors: &[AuditHead],
) -> Result<Result<(AuditHead, i64), ChainError>, Failure> {
    let view = opened.look().await?;
    let mut check = ChainCheck::new(&opened.configuration.project, anchors);
    let mut last = 0;
    let mut more = view.exists;
    while more {
        let page = opened.ledger.bound(&sql::AUDIT_PAGE, vec![Value::Integer(last), Value::Integer(PAGE)]);
        let ledger = opened.ledger.clone();
        let rows = ledger.transact(opened.session.as_mut(), vec![page]).await?.pop().unwrap_or_default();
        for row in &rows {
            let row = audit_row(row);
            last = row.sequence;
            if let Err(error) = check.add(&row) {
                return Ok(Err(error));
            }
        }
        more = rows.len() >= usize::try_from(PAGE).unwrap_or(usize::MAX);
    }
    Ok(check.finish(view.head.as_ref()))
}

fn line(name: &str, result: &'static str, seen: String) -> CheckLine {
    CheckLine { name: name.to_owned(), result, seen }
}
