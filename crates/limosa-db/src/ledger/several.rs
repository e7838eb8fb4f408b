//! The rows of several changes that one transaction does.

use limosa_core::hashed_around;
use serde_json::json;

use super::{AuditEntry, Ledger, RowEntry, statements as sql};
use crate::{Item, Value};

/// Rows that one transaction will write at its end, as texts that the server reads: there may be many, and each is held once.
#[derive(Debug, Default)]
pub struct Several {
    /// How many there are.
    count: usize,
    /// Who, plan digest, epoch and mark, which are those of the first.
    of_run: Vec<Value>,
    /// Actor, operation and outcome, which are those of the first.
    of_log: Vec<Value>,
    /// The rows as a JSON array without its end.
    rows: String,
    /// What is hashed of each entry before its sequence. The project alone decides about it.
    before: String,
    identities: Array,
    details: Array,
    behind: Array,
}

impl Several {
    /// True before the first.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl Ledger {
    /// PostgreSQL: notes the rows of a change that will be done, behind those of changes that the transaction does before it. The
    /// ledger has no row of it, its rank is known, and how long it takes is not asked yet.
    pub fn note(&self, several: &mut Several, row: &RowEntry, entry: &AuditEntry) {
        let identity = entry.identity.clone().unwrap_or_default();
        let fields = [entry.actor.as_str(), &entry.operation, &identity, entry.outcome, &entry.detail];
        let (before, behind) = hashed_around(&self.project, fields);
        if several.is_empty() {
            several.of_run = vec![
                Value::Text(row.applied_by.clone()),
                Value::optional(row.plan_digest.clone()),
                Value::Integer(row.epoch),
                Value::Text(row.step_mark.clone()),
            ];
            several.of_log = vec![
                Value::Text(entry.actor.clone()),
                Value::Text(entry.operation.clone()),
                Value::from(entry.outcome),
            ];
            several.before = before;
        }
        several.count += 1;
        let told = json!({
            "n": several.count, "i": row.identity, "v": row.version, "t": row.name, "c": row.checksum, "u": row.up_checksum,
            "s": row.total, "k": row.rank, "r": row.rollback, "o": row.rollback_origin, "w": row.rollback_values,
            "d": row.depends_on,
        });
        several.rows.push(if several.count == 1 { '[' } else { ',' });
        several.rows.push_str(&told.to_string());
        several.identities.push(&identity);
        several.details.push(&entry.detail);
        several.behind.push(&behind);
    }

    /// PostgreSQL: adds the rows that were noted, with the milliseconds that each took, and chains them into the audit log; the last
    /// item gives sequence and hash. At least one must have been noted.
    pub fn add_several(&self, several: Several, took_ms: &[i64]) -> [Item; 2] {
        let Several { of_run, of_log, mut rows, before, identities, details, behind, .. } = several;
        rows.push(']');
        let mut took = Array::default();
        took_ms.iter().for_each(|took_ms| took.push(&took_ms.to_string()));
        let rows = [Value::Text(rows), Value::Text(took.finish())];
        let arrays = [identities, details, behind].map(|array| Value::Text(array.finish()));
        let before = [Value::Text(before)];
        [
            self.bound(&sql::ADD_ROWS, rows.into_iter().chain(of_run).collect()),
            self.bound(&sql::APPEND_AUDITS, of_log.into_iter().chain(before).chain(arrays).collect()),
        ]
    }
}

/// Texts as PostgreSQL writes an array of them: <https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO>.
#[derive(Debug, Default)]
struct Array(String);

impl Array {
    fn push(&mut self, text: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.0.push('"');
        for letter in text.chars() {
            if matches!(letter, '"' | '\\') {
                self.0.push('\\');
            }
            self.0.push(letter);
        }
        self.0.push('"');
    }

    fn finish(mut self) -> String {
        if self.0.is_empty() {
            self.0.push('{');
        }
        self.0.push('}');
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Array;

    #[test]
    fn arrays_are_written_so_that_nothing_in_a_text_ends_it() {
        let of = |texts: &[&str]| {
            let mut array = Array::default();
            texts.iter().for_each(|text| array.push(text));
            array.finish()
        };
        assert_eq!(of(&[]), "{}");
        assert_eq!(of(&["a", "", "null"]), r#"{"a","","null"}"#);
        assert_eq!(of(&[r#"say "a,b}" \n"#, "x\ny"]), "{\"say \\\"a,b}\\\" \\\\n\",\"x\ny\"}");
    }
}
