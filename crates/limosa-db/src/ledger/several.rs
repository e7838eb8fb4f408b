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
    /// What the first says for all: who, plan digest, epoch and mark where rows come, the mark where they go.
    of_run: Vec<Value>,
    /// Actor, operation and outcome, which are those of the first.
    of_log: Vec<Value>,
    /// The rows as a JSON array without its end; of those that go, their identities.
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

    fn rows(&mut self) -> Value {
        let mut rows = std::mem::take(&mut self.rows);
        rows.push(']');
        Value::Text(rows)
    }
}

impl Ledger {
    /// PostgreSQL: notes the rows of a change that will be done, behind those of changes that the transaction does before it. The
    /// ledger has no row of it, its rank is known, and how long it takes is not asked yet.
    pub fn note(&self, several: &mut Several, row: &RowEntry, entry: &AuditEntry) {
        if several.is_empty() {
            several.of_run = vec![
                Value::Text(row.applied_by.clone()),
                Value::optional(row.plan_digest.clone()),
                Value::Integer(row.epoch),
                Value::Text(row.step_mark.clone()),
            ];
        }
        let told = json!({
            "n": several.count + 1, "i": row.identity, "v": row.version, "t": row.name, "c": row.checksum, "u": row.up_checksum,
            "s": row.total, "k": row.rank, "r": row.rollback, "o": row.rollback_origin, "w": row.rollback_values,
            "d": row.depends_on,
        });
        self.log(several, &told, entry);
    }

    /// PostgreSQL: notes that the row of a change goes when it has been taken back, behind those of changes that the transaction takes back
    /// before it. The mark is that of the transaction.
    pub fn note_taken(&self, several: &mut Several, mark: &str, entry: &AuditEntry) {
        if several.is_empty() {
            several.of_run = vec![Value::from(mark)];
        }
        self.log(several, &json!(entry.identity), entry);
    }

    /// Notes what one more change writes.
    fn log(&self, several: &mut Several, row: &serde_json::Value, entry: &AuditEntry) {
        let identity = entry.identity.clone().unwrap_or_default();
        let fields = [entry.actor.as_str(), &entry.operation, &identity, entry.outcome, &entry.detail];
        let (before, behind) = hashed_around(&self.project, fields);
        if several.is_empty() {
            several.of_log = vec![
                Value::Text(entry.actor.clone()),
                Value::Text(entry.operation.clone()),
                Value::from(entry.outcome),
            ];
            several.before = before;
        }
        several.rows.push(if several.is_empty() { '[' } else { ',' });
        several.rows.push_str(&row.to_string());
        several.count += 1;
        several.identities.push(&identity);
        several.details.push(&entry.detail);
        several.behind.push(&behind);
    }

    /// PostgreSQL: adds the rows that were noted, with the milliseconds that each took, and chains them into the audit log; the last
    /// item gives sequence and hash. At least one must have been noted.
    pub fn add_several(&self, mut several: Several, took_ms: &[i64]) -> [Item; 2] {
        let mut took = Array::default();
        took_ms.iter().for_each(|took_ms| took.push(&took_ms.to_string()));
        let rows = [several.rows(), Value::Text(took.finish())];
        let parameters = rows.into_iter().chain(std::mem::take(&mut several.of_run)).collect();
        [self.bound(&sql::ADD_ROWS, parameters), self.append_several(several)]
    }

    /// PostgreSQL: takes the rows away that were noted, as [`Ledger::add_several`] adds them.
    pub fn take_several(&self, mut several: Several) -> [Item; 2] {
        let rows = several.rows();
        let parameters = std::mem::take(&mut several.of_run).into_iter().chain([rows]).collect();
        [self.bound(&sql::TAKE_ROWS, parameters), self.append_several(several)]
    }

    fn append_several(&self, several: Several) -> Item {
        let Several { of_log, before, identities, details, behind, .. } = several;
        let arrays = [identities, details, behind].map(|array| Value::Text(array.finish()));
        let before = [Value::Text(before)];
        self.bound(&sql::APPEND_AUDITS, of_log.into_iter().chain(before).chain(arrays).collect())
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
