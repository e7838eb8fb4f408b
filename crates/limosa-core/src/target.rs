//! Which change people mean: by its version, by its whole name, or by the name of its file or folder.

use limosa_sql::{Diagnostic, Label};

use crate::assess::{any_version, version_of};
use crate::{AppliedRow, Change, Identity, Version};

/// What may be meant.
struct Known<'a> {
    identity: &'a Identity,
    /// The version as the file name or the ledger has it.
    written: &'a str,
    version: Version,
    file: Option<&'a str>,
}

/// The version that is meant by what somebody wrote after `--to`: that of a change, or of a row of the ledger whose file is gone.
/// A number that nobody knows is given back where versions are numbers; it may serve as a limit.
///
/// # Errors
/// A name that nobody knows, and a version that several changes have.
pub fn find_version(changes: &[Change], rows: &[AppliedRow], written: &Version) -> Result<Version, Box<Diagnostic>> {
    let by_names = any_version(changes).is_some_and(|version| version.name().is_some());
    if !by_names && written.name().is_none() {
        return Ok(written.clone());
    }
    if written.is_nothing() {
        return Ok(Version::of_name(""));
    }
    match &found(changes, rows, &written.to_string())[..] {
        [only] => Ok(only.version.clone()),
        [] => {
            let message = format!("no migration has the version or name {written}; nothing was run");
            Err(Box::new(Diagnostic::error("LIM-P019", message).help("limosa status shows them all")))
        }
        several => Err(ambiguous(&written.to_string(), several)),
    }
}

/// The identity that is meant by what somebody wrote; that text itself where nobody knows it.
///
/// # Errors
/// A version that several changes have.
pub fn find_identity(changes: &[Change], rows: &[AppliedRow], written: &Identity) -> Result<Identity, Box<Diagnostic>> {
    let is_known =
        changes.iter().any(|change| change.identity == *written) || rows.iter().any(|row| row.identity == *written);
    if is_known {
        return Ok(written.clone());
    }
    match &found(changes, rows, written.as_str())[..] {
        [] => Ok(written.clone()),
        [only] => Ok(only.identity.clone()),
        several => Err(ambiguous(written.as_str(), several)),
    }
}

/// Changes that a text may mean, each once: by their identity, else by their version, else by their file.
fn found<'a>(changes: &'a [Change], rows: &'a [AppliedRow], text: &str) -> Vec<Known<'a>> {
    let alike = any_version(changes);
    let mut known: Vec<Known<'a>> = changes
        .iter()
        .filter_map(|change| {
            let (identity, written) = (&change.identity, change.label.as_str());
            let file = Some(change.script.file.as_str());
            Some(Known { identity, written, version: version_of(change)?.clone(), file })
        })
        .collect();
    let gone = rows.iter().filter(|row| !changes.iter().any(|change| change.identity == row.identity));
    known.extend(gone.filter_map(|row| {
        let (identity, written) = (&row.identity, row.version.as_deref()?);
        let version = match alike {
            Some(alike) => alike.read_alike(written, identity.as_str())?,
            None => Version::parse(written).ok()?,
        };
        Some(Known { identity, written, version, file: None })
    }));
    let number = Version::parse(text).ok();
    let is = |other: &str| other == text || (number.is_some() && Version::parse(other).ok() == number);
    let by = |test: &dyn Fn(&Known<'a>) -> bool| known.iter().any(test);
    let by_identity = |one: &Known<'a>| is(one.identity.as_str());
    let by_version = |one: &Known<'a>| is(one.written);
    let by_file = |one: &Known<'a>| one.file.is_some_and(|file| is_named(file, text));
    let test: &dyn Fn(&Known<'a>) -> bool = if by(&by_identity) {
        &by_identity
    } else if by(&by_version) {
        &by_version
    } else {
        &by_file
    };
    known.into_iter().filter(|one| test(one)).collect()
}

/// True where a path ends with this name: of the file, with its ending or without, or of the folder that holds it alone.
fn is_named(path: &str, name: &str) -> bool {
    let separators = ['/', '\\'];
    let name = name.trim_end_matches(separators).rsplit(separators).next().unwrap_or(name);
    let mut parts = path.rsplit(separators);
    let file = parts.next().unwrap_or(path);
    // `001_a.up.sql` is named by `001_a`, too.
    let stems = [file.strip_suffix(".sql"), file.strip_suffix(".up.sql")];
    file == name || stems.contains(&Some(name)) || parts.next() == Some(name)
}

fn ambiguous(written: &str, several: &[Known<'_>]) -> Box<Diagnostic> {
    const SHOWN: usize = 5;
    let names: Vec<&str> = several.iter().take(SHOWN).map(|one| one.identity.as_str()).collect();
    let more = if several.len() > SHOWN { format!(" and {} more", several.len() - SHOWN) } else { String::new() };
    let message = format!("{written} may mean {} migrations: {}{more}", several.len(), names.join(", "));
    let mut diagnostic = Diagnostic::error("LIM-P021", message).help("write the whole name of the one that is meant");
    diagnostic.labels.extend(several.iter().take(SHOWN).filter_map(|one| one.file).map(Label::file));
    Box::new(diagnostic)
}
