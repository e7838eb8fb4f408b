//! The rows of several changes that one transaction does.

use limosa_core::hashed_around;
use serde_json::json;

use super::{AuditEntry, Ledger, RowEntry, statements as sql};
use crate::{Item, Value};

impl Ledger {
    /// PostgreSQL: adds the rows of changes that are done, in the order in which the transaction did them; none for none. The ledger
    /// has no row of any, their ranks are known, and the run and the transaction of all are those of the first.
    pub fn add_rows(&self, rows: &[RowEntry]) -> Option<Item> {
        let first = rows.first()?;
        let told = rows.iter().map(|row| {
            json!({
                "i": row.identity, "v": row.version, "t": row.name, "c": row.checksum, "u": row.up_checksum, "s": row.total,
                "k": row.rank, "m": row.execution_ms, "r": row.rollback, "o": row.rollback_origin, "w": row.rollback_values,
                "d": row.depends_on,
            })
        });
        let values = vec![
            Value::Text(serde_json::Value::from_iter(told).to_string()),
            Value::Text(first.applied_by.clone()),
            Value::optional(first.plan_digest.clone()),
            Value::Integer(first.epoch),
            Value::Text(first.step_mark.clone()),
        ];
        Some(self.bound(&sql::ADD_ROWS, values))
    }

    /// PostgreSQL: as [`Ledger::audit`], for several entries whose actor, operation and outcome are those of the first; none for none.
    pub fn audit_several(&self, entries: &[AuditEntry]) -> Option<Item> {
        let first = entries.first()?;
        let identity = |entry: &AuditEntry| entry.identity.clone().unwrap_or_default();
        let hashed = entries.iter().map(|entry| {
            let fields = [first.actor.as_str(), &first.operation, &identity(entry), first.outcome, &entry.detail];
            hashed_around(&self.project, fields)
        });
        let (before, behind): (Vec<String>, Vec<String>) = hashed.unzip();
        let values = vec![
            Value::Text(first.actor.clone()),
            Value::Text(first.operation.clone()),
            Value::from(first.outcome),
            // The project alone decides about it.
            Value::optional(before.into_iter().next()),
            Value::Text(array(entries.iter().map(identity))),
            Value::Text(array(entries.iter().map(|entry| entry.detail.clone()))),
            Value::Text(array(behind.into_iter())),
        ];
        Some(self.bound(&sql::APPEND_AUDITS, values))
    }
}

/// Texts as PostgreSQL writes an array of them: <https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO>.
fn array(texts: impl Iterator<Item = String>) -> String {
    let mut array = String::from("{");
    for text in texts {
        if array.len() > 1 {
            array.push(',');
        }
        array.push('"');
        for letter in text.chars() {
            if matches!(letter, '"' | '\\') {
                array.push('\\');
            }
            array.push(letter);
        }
        array.push('"');
    }
    array.push('}');
    array
}

#[cfg(test)]
mod tests {
    use super::array;

    #[test]
    fn arrays_are_written_so_that_nothing_in_a_text_ends_it() {
        let of = |texts: &[&str]| array(texts.iter().map(ToString::to_string));
        assert_eq!(of(&[]), "{}");
        assert_eq!(of(&["a", "", "null"]), r#"{"a","","null"}"#);
        assert_eq!(of(&[r#"say "a,b}" \n"#, "x\ny"]), "{\"say \\\"a,b}\\\" \\\\n\",\"x\ny\"}");
    }
}
