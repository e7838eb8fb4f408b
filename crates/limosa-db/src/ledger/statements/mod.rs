//! Every statement that touches the ledger, once, with a column per engine.
//!
//! Parameters are written `$n`; where an engine has no column of its own it takes the PostgreSQL text. SQLite reads `$n`
//! as `?n`; the session of MySQL puts `?` in their place. Times are the server's: RFC 3339 in UTC with milliseconds.
//!
//! On MySQL a guard fails by a subquery of two rows: unlike a NULL it does so whatever `sql_mode` a script has set.

use std::fmt::Write;

mod audit;
mod changes;
mod glance;
mod journal;
mod lease;
mod several;
mod tables;

use limosa_sql::Engine;

use super::LedgerNames;
pub use audit::*;
pub use changes::*;
pub use glance::*;
pub use journal::*;
pub use lease::*;
pub use several::*;
pub use tables::*;

/// One statement in the forms of the engines.
#[derive(Debug, Clone, Copy)]
pub struct Statement {
    postgres: &'static str,
    sqlite: &'static str,
    mysql: &'static str,
}

impl Statement {
    /// The text for an engine, with the names of the tables.
    pub fn render(&self, names: &LedgerNames) -> String {
        match names.engine {
            Engine::Sqlite => names.fill(&self.sqlite.replace('$', "?")),
            Engine::Mysql => names.fill(self.mysql),
            _ => names.fill(self.postgres),
        }
    }
}

impl Statement {
    /// The text for a list of so many parameters in the place of `(...)`, the first of which is `$2`.
    pub fn render_for(&self, names: &LedgerNames, count: usize) -> String {
        let sign = if names.engine == Engine::Sqlite { '?' } else { '$' };
        let list: Vec<String> = (2..count + 2).map(|number| format!("{sign}{number}")).collect();
        self.render(names).replace("(...)", &format!("({})", list.join(", ")))
    }
}

impl Statement {
    /// The text for PostgreSQL with some parameters written out, and the others numbered anew: `written` holds, by the numbers of the
    /// parameters, the constant of each that is one of them.
    pub(super) fn render_written(&self, names: &LedgerNames, written: &[Option<String>]) -> String {
        let constants: usize = written.iter().flatten().map(String::len).sum();
        let mut text = String::with_capacity(self.postgres.len() + constants + 256);
        let mut pieces = self.postgres.split('$');
        names.fill_into(pieces.next().unwrap_or_default(), &mut text);
        for piece in pieces {
            let digits = piece.len() - piece.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
            let number: usize = piece[..digits].parse().unwrap_or_default();
            let before = &written[..written.len().min(number.saturating_sub(1))];
            let constant = number.checked_sub(1).and_then(|at| written.get(at)?.as_deref());
            match constant {
                Some(constant) => text.push_str(constant),
                None => {
                    // Writing to a text cannot fail.
                    let _ = write!(text, "${}", number - before.iter().flatten().count());
                }
            }
            names.fill_into(&piece[digits..], &mut text);
        }
        text
    }
}

const fn all(sql: &'static str) -> Statement {
    Statement { postgres: sql, sqlite: sql, mysql: sql }
}

/// A statement that only PostgreSQL is sent.
const fn postgres_only(sql: &'static str) -> Statement {
    Statement { postgres: sql, sqlite: "select 1", mysql: "select 1" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_that_are_written_out_leave_no_gap() {
        let statement = all("select $1, $2 from {lease} where a = $3 and b = $1 and c = $12");
        let names = LedgerNames::new(Engine::Postgres, "$1");
        let written: Vec<_> =
            (1..=12).map(|number| (number == 1 || number == 3).then(|| format!("'{{lease}} ${number}'"))).collect();
        assert_eq!(
            statement.render_written(&names, &written),
            "select '{lease} $1', $1 from \"$1\".\"lease\" where a = '{lease} $3' and b = '{lease} $1' and c = $10"
        );
        assert_eq!(statement.render_written(&names, &[]), statement.render(&names));
    }
}
