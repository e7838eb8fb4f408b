//! Heads of the audit log, kept outside of the database: what stands before an anchored head cannot be changed unseen.

use std::io::Write;
use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use limosa_core::AuditHead;
use limosa_sql::Diagnostic;
use sha2::Sha256;

use crate::Configuration;

/// What ends the line of a head that a restore has made.
const RESTORED: &str = "restored";

/// Why a head is anchored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Something was done.
    Work,
    /// A backup was brought back: heads from this number on, anchored before, are void. Only limosa's restore says so, so that
    /// rows cut off in the database alone stay visible.
    Restore,
}

/// One line of an anchor file: `project sequence hash [hmac] [restored]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Anchor {
    pub(crate) project: String,
    pub(crate) head: AuditHead,
    /// True where the line has an HMAC and it is right; None where it has none or no key is known.
    pub(crate) authentic: Option<bool>,
}

fn code(key: &str, project: &str, head: &AuditHead, reason: Reason) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else { return String::new() };
    mac.update(format!("{project}\n{}\n{}", head.sequence, head.hash).as_bytes());
    if reason == Reason::Restore {
        mac.update(b"\nrestored");
    }
    limosa_core::hex(&mac.finalize().into_bytes())
}

/// Appends the head to the anchor file, where one is configured. A failure is a warning: the run itself stands.
pub(crate) fn append(configuration: &Configuration, head: Option<&AuditHead>, notices: &mut Vec<Diagnostic>) {
    append_for(Reason::Work, configuration, head, notices);
}

/// As [`append`], for any reason.
pub(crate) fn append_for(
    reason: Reason,
    configuration: &Configuration,
    head: Option<&AuditHead>,
    notices: &mut Vec<Diagnostic>,
) {
    let (Some(path), Some(head)) = (&configuration.anchor_file, head) else { return };
    let mut line = format!("{} {} {}", configuration.project, head.sequence, head.hash);
    if let Some(key) = &configuration.anchor_key {
        line.push(' ');
        line.push_str(&code(key.expose(), &configuration.project, head, reason));
    }
    if reason == Reason::Restore {
        line.push(' ');
        line.push_str(RESTORED);
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

/// Reads an anchor file; lines of other projects are left out, and heads that a restore has made void.
pub(crate) fn read(path: &Path, project: &str, key: Option<&str>) -> std::io::Result<Vec<Anchor>> {
    let text = std::fs::read_to_string(path)?;
    let mut anchors: Vec<Anchor> = Vec::new();
    for line in text.lines() {
        let Some((anchor, reason)) = anchor(line, key).filter(|(anchor, _)| anchor.project == project) else {
            continue;
        };
        if reason == Reason::Restore && anchor.authentic != Some(false) {
            anchors.retain(|earlier| earlier.head.sequence < anchor.head.sequence || earlier.authentic == Some(false));
        }
        anchors.push(anchor);
    }
    Ok(anchors)
}

fn anchor(line: &str, key: Option<&str>) -> Option<(Anchor, Reason)> {
    let mut words: Vec<&str> = line.split(' ').collect();
    let reason = if words.last() == Some(&RESTORED) { Reason::Restore } else { Reason::Work };
    if reason == Reason::Restore {
        words.pop();
    }
    // Read from its end: a project's name may hold blanks.
    let codes = words.iter().rev().take_while(|word| is_hash(word)).count().min(2);
    let hash_at = words.len() - codes;
    let sequence = words.get(hash_at.checked_sub(1)?).filter(|_| codes > 0)?.parse().ok()?;
    let project = words[..hash_at - 1].join(" ");
    let head = AuditHead { sequence, hash: words[hash_at].to_owned() };
    let authentic = match (words.get(hash_at + 1), key) {
        (Some(found), Some(key)) => Some(**found == code(key, &project, &head, reason)),
        (None, Some(_)) => Some(false),
        (_, None) => None,
    };
    Some((Anchor { project, head, authentic }, reason))
}

/// True for SHA-256 in hexadecimal digits, which both hashes and codes are.
fn is_hash(word: &str) -> bool {
    word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}
