//! The chain that makes tampering with the audit log visible.
//!
//! `hash = sha256(previous_hash LF project LF sequence LF at LF actor LF operation LF identity LF outcome LF detail)`,
//! lower-case hexadecimal, every field with `\` written as `\\` and LF as `\n`, so that no two rows give the same text.
//! The server computes the same over one locked head row; this module checks it. The first row's previous hash is empty.

use sha2::{Digest, Sha256};

use crate::checksum::hex;
use crate::{AuditHead, AuditRow};

/// What is wrong with a chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// A number is missing, repeated or out of order.
    #[error("row {found} stands where row {expected} must stand: a row was removed or inserted")]
    Gap {
        /// The number that must stand there.
        expected: i64,
        /// The number that stands there.
        found: i64,
    },
    /// The row does not continue the one before.
    #[error("row {sequence} does not continue the row before it: that row was changed or replaced")]
    Broken {
        /// The row.
        sequence: i64,
    },
    /// The row's own content was changed.
    #[error("row {sequence} was changed after it was written")]
    Changed {
        /// The row.
        sequence: i64,
    },
    /// The log ends before an anchored head.
    #[error("the log ends at row {last}, but row {anchored} is anchored: rows were removed from its end")]
    CutOff {
        /// The last row that exists.
        last: i64,
        /// The row of the anchor.
        anchored: i64,
    },
    /// The row of an anchor has another hash.
    #[error("row {sequence} has another hash than its anchor: the log was rewritten")]
    AnchorDiffers {
        /// The row.
        sequence: i64,
    },
    /// The head row does not name the last row.
    #[error("the head names row {head}, the log ends at row {last}")]
    HeadDiffers {
        /// What the head names.
        head: i64,
        /// The last row.
        last: i64,
    },
}

fn hashed_text(field: &str) -> String {
    field.replace('\\', "\\\\").replace('\n', "\\n")
}

/// What is hashed of a row beside the hash before it, its sequence and its time, which the server gives: the text between the
/// hash before it and the sequence, and the text behind the time. `fields` are actor, operation, identity (empty for none),
/// outcome and detail.
pub fn hashed_around(project: &str, fields: [&str; 5]) -> (String, String) {
    let behind = fields.iter().flat_map(|field| ["\n".to_owned(), hashed_text(field)]).collect();
    (format!("\n{}\n", hashed_text(project)), behind)
}

/// The hash of a row, from its content and the hash before it.
pub fn row_hash(project: &str, row: &AuditRow) -> String {
    let mut hasher = Sha256::new();
    hasher.update(row.previous_hash.as_bytes());
    let identity = row.identity.as_deref().unwrap_or_default();
    let (before, behind) = hashed_around(project, [&row.actor, &row.operation, identity, &row.outcome, &row.detail]);
    hasher.update(format!("{before}{}\n{}{behind}", row.sequence, hashed_text(&row.at)));
    hex(&hasher.finalize())
}

/// Checks rows one by one, so that a long log needs no memory.
pub struct ChainCheck<'a> {
    project: &'a str,
    anchors: &'a [AuditHead],
    last: AuditHead,
}

impl<'a> ChainCheck<'a> {
    /// A check that starts before the first row.
    pub fn new(project: &'a str, anchors: &'a [AuditHead]) -> Self {
        ChainCheck { project, anchors, last: AuditHead { sequence: 0, hash: String::new() } }
    }

    /// Checks the next row.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn add(&mut self, row: &AuditRow) -> Result<(), ChainError> {
        let expected = self.last.sequence + 1;
        if row.sequence != expected {
            return Err(ChainError::Gap { expected, found: row.sequence });
        }
        if row_hash(self.project, row) != row.hash {
            return Err(ChainError::Changed { sequence: row.sequence });
        }
        if row.previous_hash != self.last.hash {
            return Err(ChainError::Broken { sequence: row.sequence });
        }
        if self.anchors.iter().any(|anchor| anchor.sequence == row.sequence && anchor.hash != row.hash) {
            return Err(ChainError::AnchorDiffers { sequence: row.sequence });
        }
        self.last = AuditHead { sequence: row.sequence, hash: row.hash.clone() };
        Ok(())
    }

    /// Ends the check; gives the last row and how many rows stand after the last anchor.
    ///
    /// # Errors
    /// A log that is shorter than an anchor or does not reach its head.
    pub fn finish(self, head: Option<&AuditHead>) -> Result<(AuditHead, i64), ChainError> {
        let anchored = self.anchors.iter().map(|anchor| anchor.sequence).max().unwrap_or(0);
        if anchored > self.last.sequence {
            return Err(ChainError::CutOff { last: self.last.sequence, anchored });
        }
        let named = head.map_or(0, |head| head.sequence);
        if named != self.last.sequence || head.is_some_and(|head| head.hash != self.last.hash) {
            return Err(ChainError::HeadDiffers { head: named, last: self.last.sequence });
        }
        let unanchored = self.last.sequence - anchored;
        Ok((self.last, unanchored))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(count: i64) -> Vec<AuditRow> {
        let mut previous = String::new();
        (1..=count)
            .map(|sequence| {
                let mut row = AuditRow {
                    sequence,
                    at: "2026-01-01T00:00:00.000Z".into(),
                    actor: "ada@host".into(),
                    operation: "apply".into(),
                    identity: Some(sequence.to_string()),
                    outcome: "done".into(),
                    detail: "{\"a\":\"x\\ny\"}".into(),
                    previous_hash: previous.clone(),
                    hash: String::new(),
                };
                row.hash = row_hash("p", &row);
                previous = row.hash.clone();
                row
            })
            .collect()
    }

    fn check(rows: &[AuditRow], anchors: &[AuditHead]) -> Result<(AuditHead, i64), ChainError> {
        let head = rows.last().map(|row| AuditHead { sequence: row.sequence, hash: row.hash.clone() });
        let mut check = ChainCheck::new("p", anchors);
        for row in rows {
            check.add(row)?;
        }
        check.finish(head.as_ref())
    }

    #[test]
    fn every_kind_of_tampering_is_found() {
        let rows = chain(5);
        let anchor = AuditHead { sequence: 3, hash: rows[2].hash.clone() };
        assert_eq!(check(&rows, std::slice::from_ref(&anchor)).unwrap().1, 2);

        let mut changed = rows.clone();
        changed[1].actor = "eve@host".into();
        assert_eq!(check(&changed, &[]), Err(ChainError::Changed { sequence: 2 }));

        let mut rehashed = changed.clone();
        rehashed[1].hash = row_hash("p", &rehashed[1]);
        assert_eq!(check(&rehashed, &[]), Err(ChainError::Broken { sequence: 3 }));

        let mut removed = rows.clone();
        removed.remove(1);
        assert_eq!(check(&removed, &[]), Err(ChainError::Gap { expected: 2, found: 3 }));

        assert_eq!(check(&rows[..2], std::slice::from_ref(&anchor)), Err(ChainError::CutOff { last: 2, anchored: 3 }));

        let mut rewritten = rows.clone();
        let mut previous = String::new();
        for row in &mut rewritten {
            row.actor = "eve@host".into();
            row.previous_hash = previous;
            row.hash = row_hash("p", row);
            previous = row.hash.clone();
        }
        assert_eq!(check(&rewritten, &[anchor]), Err(ChainError::AnchorDiffers { sequence: 3 }));
    }

    #[test]
    fn fields_cannot_flow_into_each_other() {
        let mut one = chain(1).remove(0);
        let mut two = one.clone();
        one.actor = "a\nb".into();
        one.operation = "c".into();
        two.actor = "a".into();
        two.operation = "b\nc".into();
        assert_ne!(row_hash("p", &one), row_hash("p", &two));
    }
}
