//! Scripts that were interrupted: do the statements that ran stand unchanged?

use std::collections::HashMap;
use std::io::Read;

use limosa_core::{
    AppliedRow, Change, Direction, FirstPart, Identity, JournalRow, LedgerView, Outline, Outliner, RowState, Script,
    StatementHasher, StoredRollback, TransactionWish,
};
use limosa_run::{Counting, Files, Masked, OwnValues};
use limosa_sql::{Diagnostic, Dialect, Label, PieceKind, Splitter, VariableLines, split};

use crate::files::Loaded;
use crate::opened::Opened;
use crate::{Exit, Failure};

/// Per interrupted change, how its first statements compare with the ones that ran.
pub(crate) fn first_parts(
    opened: &Opened<'_>,
    changes: &[Change],
    view: &LedgerView,
) -> Result<HashMap<Identity, FirstPart>, Failure> {
    let mut answers = HashMap::new();
    for row in view.journal.iter().filter(|row| row.direction == Direction::Apply) {
        let Some(change) = changes.iter().find(|change| change.identity == row.identity) else { continue };
        answers.insert(row.identity.clone(), compared(row, hashed(opened, change, row.done.unsigned_abs())?));
    }
    Ok(answers)
}

fn compared(row: &JournalRow, found: Option<Hashed>) -> FirstPart {
    let recorded = StatementHasher::resume(&row.done_hash);
    found.map_or(FirstPart::OtherText, |found| found.hasher.compared_with(&recorded, found.placeholders))
}

/// The first statements of a change as its file stands now; None where there are fewer.
pub(crate) fn hashed(opened: &Opened<'_>, change: &Change, count: u64) -> Result<Option<Hashed>, Failure> {
    let script = &change.script;
    let text = text_of(opened, script)?;
    let counting = Counting {
        engine: opened.dialect().engine(),
        outline: &script.outline,
        placeholders_off: change.headers.placeholders_off,
        own: OwnValues { file: Some(&script.file), recorded: None },
        values: &opened.values,
    };
    hash_of_first(splitter_of(opened, script), &script.file, text, count, &counting)
}

/// What leads up.
fn text_of(opened: &Opened<'_>, script: &Script) -> Result<Box<dyn Read>, Failure> {
    let mut file = opened.scripts().open(&script.file).map_err(|error| unreadable(script, &error))?;
    let above = std::io::copy(&mut file.by_ref().take(script.span.start), &mut std::io::sink());
    above.map_err(|error| unreadable(script, &error))?;
    let text = file.take(script.span.len());
    Ok(match script.outline.markers {
        Some(markers) => Box::new(Masked::new(text, markers)),
        None => Box::new(text),
    })
}

fn unreadable(script: &Script, error: &std::io::Error) -> Failure {
    Failure::usage("LIM-F900", format!("{} cannot be read: {error}", script.file), "look at the file system")
}

fn splitter_of(opened: &Opened<'_>, script: &Script) -> Splitter {
    let delimiter = script.outline.end_delimiter.as_deref();
    let dialect = opened.dialect().with_marks(script.outline.marks());
    Splitter::new(dialect, &script.file).with_delimiter(delimiter)
}

/// Per interrupted change of a folder whose files share a session: what those before it in the same run set for the session, by name, and it
/// does not set anew before anything else runs of it. Sections that lead back are read as well: where they set something else, too much is said to be lost.
pub(crate) fn set_before(
    opened: &Opened<'_>,
    loaded: &Loaded,
    view: &LedgerView,
) -> Result<HashMap<Identity, Vec<String>>, Failure> {
    let mut all = HashMap::new();
    if loaded.shared_session().is_none() {
        return Ok(all);
    }
    for interrupted in view.rows.iter().filter(|row| row.state == RowState::Partial && row.plan_digest.is_some()) {
        let is_before = |row: &&AppliedRow| row.plan_digest == interrupted.plan_digest && row.rank < interrupted.rank;
        let mut names = Vec::new();
        for row in view.rows.iter().filter(is_before) {
            let Some(change) = loaded.changes.iter().find(|change| change.identity == row.identity) else { continue };
            settings_of(opened, &change.script, &mut names)?;
        }
        if let Some(change) = loaded.changes.iter().find(|change| change.identity == interrupted.identity) {
            let done = interrupted.statements_done.unsigned_abs();
            let own = set_anew(opened, &change.script, done)?;
            names.retain(|name| !own.contains(name));
        }
        all.insert(interrupted.identity.clone(), names);
    }
    Ok(all)
}

/// What a script that goes on behind so many statements sets before anything else: what those that are done set is sent again.
fn set_anew(opened: &Opened<'_>, script: &Script, done: u64) -> Result<Vec<String>, Failure> {
    let mut bytes = Vec::new();
    text_of(opened, script)?.read_to_end(&mut bytes).map_err(|error| unreadable(script, &error))?;
    let mut splitter = splitter_of(opened, script);
    splitter.feed(&bytes);
    splitter.finish();
    let mut names = Vec::new();
    let mut number = 0;
    while let Ok(Some(piece)) = splitter.next_piece() {
        if !matches!(piece.kind, PieceKind::Statement(_)) {
            continue;
        }
        number += 1;
        let mut outliner = Outliner::new(opened.dialect(), TransactionWish::default());
        outliner.add(&piece);
        if number > done && outliner.settings().is_empty() {
            break;
        }
        names.extend_from_slice(outliner.settings());
    }
    Ok(names)
}

fn settings_of(opened: &Opened<'_>, script: &Script, names: &mut Vec<String>) -> Result<(), Failure> {
    let mut text = Vec::new();
    let read = opened.scripts().open(&script.file).and_then(|mut file| file.read_to_end(&mut text));
    read.map_err(|error| unreadable(script, &error))?;
    let dialect = opened.dialect().with_marks(script.outline.marks());
    let mut outliner = Outliner::new(dialect, TransactionWish::default());
    split(dialect, &script.file, &text).unwrap_or_default().iter().for_each(|piece| outliner.add(piece));
    for name in outliner.settings() {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    Ok(())
}

/// The same for ways back: the text that will run is the file's where that was asked for, else the recorded one.
pub(crate) fn first_parts_back(
    opened: &Opened<'_>,
    stored: &HashMap<Identity, StoredRollback>,
    changes: Option<&[Change]>,
    view: &LedgerView,
) -> HashMap<Identity, FirstPart> {
    let engine = opened.dialect().engine();
    let values = &opened.values;
    let part_of = |row: &JournalRow| {
        let (file, text, counting) = match changes {
            Some(changes) => {
                let change = changes.iter().find(|change| change.identity == row.identity)?;
                let back = change.rollback.as_ref()?;
                let placeholders_off = change.headers.placeholders_off;
                let outline = &back.outline;
                let counting = Counting { engine, outline, placeholders_off, own: OwnValues::default(), values };
                (&back.file, &back.text, counting)
            }
            None => {
                let back = stored.get(&row.identity)?;
                let (outline, placeholders_off) = (&back.outline, back.placeholders_off);
                let own = OwnValues { file: None, recorded: Some(&back.values) };
                let counting = Counting { engine, outline, placeholders_off, own, values };
                (&back.file, &back.text, counting)
            }
        };
        let splitter = Splitter::new(opened.dialect().with_marks(counting.outline.marks()), file);
        let found = hash_of_first(splitter, file, text.as_bytes(), row.done.unsigned_abs(), &counting).ok()?;
        Some((row.identity.clone(), compared(row, found)))
    };
    view.journal.iter().filter(|row| row.direction == Direction::Revert).filter_map(part_of).collect()
}

/// Statements of a script as they are now.
pub(crate) struct Hashed {
    /// What the journal knows them by.
    pub(crate) hasher: StatementHasher,
    /// The placeholders in them whose values count, each once.
    placeholders: Vec<String>,
}

/// The first statements of a text; None where there are fewer.
fn hash_of_first(
    mut splitter: Splitter,
    file: &str,
    mut text: impl Read,
    count: u64,
    counting: &Counting<'_>,
) -> Result<Option<Hashed>, Failure> {
    let mut hashed = Hashed { hasher: StatementHasher::new(), placeholders: Vec::new() };
    let mut buffer = vec![0; 64 * 1024];
    let mut seen = 0;
    let mut ended = false;
    while seen < count {
        match splitter.next_piece().map_err(|problem| Failure::new(Exit::Usage, *problem))? {
            Some(piece) if matches!(piece.kind, PieceKind::Statement(_)) => {
                let Hashed { hasher, placeholders } = &mut hashed;
                hasher.add(&counting.hash(piece.statement(), piece.position.line, |name| {
                    if !placeholders.iter().any(|known| known == name) {
                        placeholders.push(name.to_owned());
                    }
                }));
                seen += 1;
            }
            Some(_) => {}
            None if ended => return Ok(None),
            None => {
                let read = text.read(&mut buffer).map_err(|error| {
                    Failure::usage("LIM-F900", format!("{file} cannot be read: {error}"), "look at the file system")
                })?;
                splitter.feed(&buffer[..read]);
                if read == 0 {
                    splitter.finish();
                    ended = true;
                }
            }
        }
    }
    Ok(Some(hashed))
}

/// The outline of a text.
pub(crate) fn outline(
    dialect: Dialect,
    file: &str,
    text: &str,
    wish: TransactionWish,
    variables: &VariableLines,
) -> Result<Outline, Failure> {
    let mut splitter = Splitter::new(dialect, file);
    splitter.feed(text.as_bytes());
    splitter.finish();
    let mut outliner = Outliner::new(dialect, wish);
    outliner.read_variables(variables);
    while let Some(piece) = splitter.next_piece().map_err(|problem| Failure::new(Exit::Usage, *problem))? {
        outliner.add(&piece);
    }
    outliner.finish().map_err(|error| {
        let label = Label::place(file, error.position());
        Failure::new(Exit::Usage, Diagnostic::error("LIM-F901", error.to_string()).at(label))
    })
}
