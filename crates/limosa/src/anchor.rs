//! Heads of the audit log, kept outside of the database: what stands before an anchored head cannot be changed unseen.

use std::io::Write;
use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use limosa_core::AuditHead;
use limosa_sql::Diagnostic;
use sha2::Sha256;

use crate::Configuration;

/// One line of an anchor file: `project sequence hash [hmac]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Anchor {
    pub(crate) project: String,
    pub(crate) head: AuditHead,
    /// True where the line has an HMAC and it is right; None where it has none or no key is known.
    pub(crate) authentic: Option<bool>,
}

fn code(key: &str, project: &str, head: &AuditHead) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else { return String::new() };
    mac.update(format!("{project}\n{}\n{}", head.sequence, head.hash).as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Appends the head to the anchor file, where one is configured. A failure is a warning: the run itself stands.
pub(crate) fn append(configuration: &Configuration, head: Option<&AuditHead>, notices: &mut Vec<Diagnostic>) {
    let (Some(path), Some(head)) = (&configuration.anchor_file, head) else { return };
    let mut line = format!("{} {} {}", configuration.project, head.sequence, head.hash);
    if let Some(key) = &configuration.anchor_key {
        line.push(' ');
        line.push_str(&code(key.expose(), &configuration.project, head));
    }
    line.push('\n');
    let written = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .and_then(|mut file| file.write_all(line.as_bytes()).and_then(|()| file.sync_data()));
    if let Err(error) = written {
        let message = format!("the audit head could not be appended to {}: {error}", path.display());
        notices.push(Diagnostic::warning("LIM-U010", message).help(format!("append it by hand: {}", line.trim())));
    }
}

/// Reads an anchor file; lines of other projects are left out.
pub(crate) fn read(path: &Path, project: &str, key: Option<&str>) -> std::io::Result<Vec<Anchor>> {
    let text = std::fs::read_to_string(path)?;
    Ok(text
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let (named, sequence, hash) = (words.next()?, words.next()?.parse().ok()?, words.next()?);
            let head = AuditHead { sequence, hash: hash.to_owned() };
            let authentic = match (words.next(), key) {
                (Some(found), Some(key)) => Some(found == code(key, named, &head)),
                (None, Some(_)) => Some(false),
                (_, None) => None,
            };
            (named == project).then(|| Anchor { project: named.to_owned(), head, authentic })
        })
        .collect())
}
