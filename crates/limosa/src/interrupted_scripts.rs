//! Scripts that were interrupted: do the statements that ran stand unchanged?

use std::collections::HashMap;
use std::io::Read;

use limosa_core::{
    AppliedRow, Change, Direction, Identity, LedgerView, Outline, Outliner, RowState, Script, StatementHasher,
    StoredRollback, TransactionWish, statement_hash,
};
use limosa_run::{Files, Masked};
use limosa_sql::{Diagnostic, Dialect, Label, PieceKind, Splitter, VariableLines, split};

use crate::files::Loaded;
use crate::opened::Opened;
use crate::{Exit, Failure};

/// Per interrupted change, whether its first statements are the ones that ran.
pub(crate) async fn unchanged(
    opened: &mut Opened<'_>,
    changes: &[Change],
    view: &LedgerView,
) -> Result<HashMap<Identity, bool>, Failure> {
    let mut answers = HashMap::new();
    for row in view.journal.iter().filter(|row| row.direction == Direction::Apply) {
        let Some(change) = changes.iter().find(|change| change.identity == row.identity) else { continue };
        let script = &change.script;
        let text = text_of(opened, script)?;
        let splitter = splitter_of(opened, script);
        let found = hash_of_first(splitter, &script.file, text, row.done.unsigned_abs())?;
        answers.insert(row.identity.clone(), found.as_deref() == Some(row.done_hash.as_str()));
    }
    Ok(answers)
}

/// What leads up.
fn text_of(opened: &Opened<'_>, script: &Script) -> Result<Box<dyn Read>, Failure> {
    let mut file = opened.scripts().open(&script.file).map_err(|error| unreadable(script, &error))?;
    let above = std::io::copy(&mut file.by_ref().take(script.span.start), &mut std::io::sink());
    above.map_err(|error| unreadable(script, &error))?;
    let text = file.take(script.span.len());
    Ok(match script.markers {
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
pub(crate) fn unchanged_back(
    dialect: Dialect,
    stored: &HashMap<Identity, StoredRollback>,
    changes: Option<&[Change]>,
    view: &LedgerView,
) -> HashMap<Identity, bool> {
    let text_of = |identity: &Identity| match changes {
        Some(changes) => {
            let change = changes.iter().find(|change| change.identity == *identity)?;
            change.rollback.as_ref().map(|rollback| (rollback.file.as_str(), rollback.text.as_str(), &rollback.outline))
        }
        None => {
            stored.get(identity).map(|rollback| (rollback.file.as_str(), rollback.text.as_str(), &rollback.outline))
        }
    };
    view.journal
        .iter()
        .filter(|row| row.direction == Direction::Revert)
        .filter_map(|row| {
            let (file, text, outline) = text_of(&row.identity)?;
            let splitter = Splitter::new(dialect.with_marks(outline.marks()), file);
            let found = hash_of_first(splitter, file, text.as_bytes(), row.done.unsigned_abs()).ok()?;
            Some((row.identity.clone(), found.as_deref() == Some(row.done_hash.as_str())))
        })
        .collect()
}

/// The hash over the first statements; None where there are fewer.
fn hash_of_first(
    mut splitter: Splitter,
    file: &str,
    mut text: impl Read,
    count: u64,
) -> Result<Option<String>, Failure> {
    let mut hasher = StatementHasher::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut seen = 0;
    let mut ended = false;
    while seen < count {
        match splitter.next_piece().map_err(|problem| Failure::new(Exit::Usage, *problem))? {
            Some(piece) if matches!(piece.kind, PieceKind::Statement(_)) => {
                hasher.add(&statement_hash(piece.statement()));
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
    Ok(Some(hasher.value().to_owned()))
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
