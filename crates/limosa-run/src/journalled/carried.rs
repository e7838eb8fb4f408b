//! What a script left in a connection that is gone: a script that goes on may not need it.
//!
//! Settings are sent again. Temporary tables, variables, prepared statements and the last automatic number are lost: going on
//! without them would be wrong, or silently do nothing.

use std::collections::BTreeMap;

use limosa_core::Step;
use limosa_sql::{Carried, Diagnostic, carried};

use super::problem;
use crate::Outcome;
use crate::attempt::Failure;
use crate::conduct::Run;
use crate::reader::{Numbered, Part, ScriptReader};

/// What statements that ran left behind, each with the number of the last one that did.
#[derive(Debug, Default)]
pub(super) struct Lost {
    tables: BTreeMap<String, u64>,
    variables: BTreeMap<String, u64>,
    prepared: BTreeMap<String, u64>,
    automatic_number: Option<u64>,
    /// A routine ran, which may have made a temporary table or set a variable of any name.
    routine: Option<u64>,
}

impl Lost {
    /// A statement that ran, and is not run again.
    pub(super) fn note(&mut self, number: u64, found: &Carried) {
        self.keep(number, found);
        self.routine = found.runs_others.then_some(number).or(self.routine);
    }

    fn keep(&mut self, number: u64, found: &Carried) {
        self.forget(found);
        self.tables.extend(found.makes_temporary_tables.iter().map(|table| (table.name.to_lowercase(), number)));
        self.variables.extend(found.sets_variables.iter().map(|name| (name.clone(), number)));
        self.prepared.extend(found.prepares.iter().map(|name| (name.clone(), number)));
        if found.inserts {
            self.automatic_number = Some(number);
        }
    }

    fn forget(&mut self, found: &Carried) {
        for table in found.drops_temporary_tables.iter().chain(&found.makes_temporary_tables) {
            self.tables.remove(&table.name.to_lowercase());
        }
        for name in &found.sets_variables {
            self.variables.remove(name);
        }
        for name in &found.prepares {
            self.prepared.remove(name);
        }
        if found.inserts {
            self.automatic_number = None;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tables.is_empty()
            && self.variables.is_empty()
            && self.prepared.is_empty()
            && self.automatic_number.is_none()
            && self.routine.is_none()
    }

    /// What a statement that is still to come needs of it, in words, and the number of the statement that made it. What it makes
    /// anew is not lost any more.
    fn needed_by(&mut self, found: &Carried) -> Option<(String, u64)> {
        let needed = self.look(found);
        self.forget(found);
        needed
    }

    fn look(&self, found: &Carried) -> Option<(String, u64)> {
        let makes = |table: &str| found.makes_temporary_tables.iter().any(|made| made.name.to_lowercase() == table);
        let used = |table: &str| found.mentions(table) && !makes(table);
        if let Some((table, number)) = self.tables.iter().find(|(table, _)| used(table)) {
            return Some((format!("the temporary table {table}"), *number));
        }
        if let Some(found) = pick(&self.variables, &found.reads_variables) {
            return Some((format!("the variable @{}", found.0), found.1));
        }
        if let Some(found) = pick(&self.prepared, &found.executes) {
            return Some((format!("the prepared statement {}", found.0), found.1));
        }
        if found.uses_last_insert_id
            && let Some(number) = self.automatic_number
        {
            return Some(("the last automatic number".to_owned(), number));
        }
        let routine = self.routine?;
        let name = found.reads_variables.first()?;
        Some((format!("the variable @{name}, which a routine may have set"), routine))
    }
}

fn pick(kept: &BTreeMap<String, u64>, wanted: &[String]) -> Option<(String, u64)> {
    wanted.iter().find_map(|name| kept.get(name).map(|number| (name.clone(), *number)))
}

/// Proves that nothing behind the first `done` statements needs what is lost.
pub(super) fn prove_unneeded(run: &Run<'_>, step: &Step, done: u64, mut lost: Lost) -> Result<(), Failure> {
    if lost.is_empty() {
        return Ok(());
    }
    let mut reader = ScriptReader::open(step, run.dialect, run.context.files).map_err(problem)?;
    while let Some(part) = reader.next().map_err(problem)? {
        let Part::Statement(statement) = part else { continue };
        if statement.number <= done {
            continue;
        }
        let found = carried(run.engine, statement.piece.statement());
        // It would fail, which says enough; DROP TABLE would drop another table of the same name.
        if statement.class().verb.starts_with("DROP TEMPORARY") {
            lost.forget(&found);
            continue;
        }
        if let Some((what, made_by)) = lost.needed_by(&found) {
            return Err(Failure::Unsettled(Box::new(ask(step, reader.origin(), &statement, &what, made_by, done))));
        }
    }
    Ok(())
}

fn ask(step: &Step, origin: &str, statement: &Numbered, what: &str, made_by: u64, done: u64) -> Outcome {
    let (number, label, next) = (statement.number, &step.label, done + 1);
    let message = format!(
        "{label} cannot go on by itself: statement {number} needs {what}, which statement {made_by} made in a connection that is gone"
    );
    Outcome::NeedsPerson(Box::new(
        Diagnostic::error("LIM-R022", message)
            .at(statement.label(origin, 0).text("needs it"))
            .help(format!(
                "statements 1 to {done} are committed. Either\n  make it again in the file, from statement {next} on (that part may be edited), and run again, or\n  \
                 finish the file by hand, and then:   limosa repair --mark-applied {id}\n  undo it by hand, and then:           limosa repair --mark-not-applied {id}",
                id = step.identity
            )),
    ))
}
