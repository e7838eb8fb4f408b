//! What the journal knows a statement by: its text, and the values in it.

use std::collections::BTreeMap;

use limosa_core::{Outline, Step, hash_with_values, statement_hash};
use limosa_sql::{Engine, Expanded, UnknownPlaceholder};

use crate::placeholders::{OwnValues, own_values};
use crate::reader::Numbered;
use crate::{Context, Values};

/// What stands around the statements of a script and decides what is put into them.
pub struct Counting<'a> {
    /// The server.
    pub engine: Engine,
    /// Of the script.
    pub outline: &'a Outline,
    /// True where placeholders stay as they stand.
    pub placeholders_off: bool,
    /// Values that the script has of its own.
    pub own: OwnValues<'a>,
    /// The others.
    pub values: &'a Values,
}

impl Counting<'_> {
    /// The hash of the statement that begins on this line of its script, over its text and over what values make of it. Secrets and built-in
    /// placeholders stand in it by their names: the first could be found out by trying, and the second differ from run to run. Gives
    /// the names of the placeholders that count to `note`.
    pub fn hash(&self, statement: &str, line: u64, mut note: impl FnMut(&str)) -> String {
        let outline = self.outline;
        if self.placeholders_off || (outline.placeholders.is_empty() && outline.expressions.is_empty()) {
            return statement_hash(statement);
        }
        match self.expand(statement, line, &self.values.all) {
            Ok(expanded) if expanded.used.is_empty() => statement_hash(statement),
            Ok(expanded) if expanded.used.iter().all(|name| self.counts(name)) => {
                expanded.used.iter().for_each(|name| note(name));
                hash_with_values(statement, &expanded.text)
            }
            Ok(expanded) => {
                expanded.used.iter().filter(|name| self.counts(name)).for_each(|name| note(name));
                let by_name = |(name, value): (&String, &String)| {
                    let shown = if self.counts(name) { value } else { name };
                    (name.clone(), shown.clone())
                };
                let shown = self.values.all.iter().map(by_name).collect();
                self.expand(statement, line, &shown)
                    .map_or_else(|_| statement_hash(statement), |expanded| hash_with_values(statement, &expanded.text))
            }
            // It had one when it ran.
            Err(unknown) => {
                note(&unknown.name);
                hash_with_values(statement, "")
            }
        }
    }

    fn expand(
        &self,
        statement: &str,
        line: u64,
        values: &BTreeMap<String, String>,
    ) -> Result<Expanded, UnknownPlaceholder> {
        self.own.expand(self.outline, self.engine, statement, line, values)
    }

    fn counts(&self, name: &str) -> bool {
        let built_in = self.outline.marks().built_in("");
        let is_built_in = name.get(..built_in.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(&built_in));
        !is_built_in && !self.values.secret.contains(name)
    }
}

/// The same of a statement of a step.
pub(crate) fn hash_of(step: &Step, statement: &Numbered, engine: Engine, context: &Context<'_>) -> String {
    let counting = Counting {
        engine,
        outline: &step.outline,
        placeholders_off: step.placeholders_off,
        own: own_values(step),
        values: &context.values,
    };
    counting.hash(statement.piece.statement(), statement.piece.position.line, |_| {})
}
