//! Values of placeholders that count as a part of a repeatable's text, as its tool has it.

use limosa_core::{Change, CountedValues, ForeignTool, Kind};
use limosa_formats::checksums::{PutIn, record_with_values};
use limosa_run::file_name_value;
use limosa_sql::PlaceholderMarks;

use crate::files::Loaded;
use crate::opened::Opened;
use crate::{Failure, builtins};

/// The values that Flyway would put into a script.
pub(crate) fn put_in<'o>(opened: &'o Opened<'_>, marks: PlaceholderMarks, change: &Change) -> PutIn<'o> {
    let values = PutIn::new(marks, &opened.values.all);
    match file_name_value(&change.script.file, marks) {
        Some((name, value)) => values.with(&name, value),
        None => values,
    }
}

/// True for what this tool keeps a checksum of that is of the text with values.
pub(crate) fn count_for(tool: ForeignTool, change: &Change) -> bool {
    tool == ForeignTool::Flyway
        && change.kind == Kind::Repeatable
        && !change.headers.placeholders_off
        && !change.is_code
}

/// What the tool would record of such a change; None where it is none, or where its tool would not take it.
pub(crate) fn recorded(opened: &Opened<'_>, tool: ForeignTool, change: &Change, bytes: &[u8]) -> Option<String> {
    let marks = opened.marks();
    count_for(tool, change).then(|| record_with_values(bytes, &put_in(opened, marks, change)).ok()).flatten()
}

/// Gives each repeatable whose values count the checksum that covers them.
///
/// # Errors
/// A file that cannot be read.
pub(crate) fn count(opened: &Opened<'_>, loaded: &mut Loaded) -> Result<(), Failure> {
    if !loaded.layout.counts_values() {
        return Ok(());
    }
    let marks = loaded.layout.placeholder_marks();
    for change in &mut loaded.changes {
        let counts = change.kind == Kind::Repeatable && !change.headers.placeholders_off;
        if !counts || change.is_code || change.is_unread {
            continue;
        }
        let bytes = opened.scripts().read(&change.script.file)?;
        let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let text = String::from_utf8_lossy(&bytes[at(change.script.span.start)..at(change.script.span.end)]);
        count_those_in(&text, &put_in(opened, marks, change), marks, change);
    }
    Ok(())
}

fn count_those_in(text: &str, values: &PutIn<'_>, marks: PlaceholderMarks, change: &mut Change) {
    let [timestamp, file_name] = [builtins::TIMESTAMP, "filename"].map(|name| marks.built_in(name));
    let names = values.names(text);
    let runs_always = names.iter().any(|name| name.eq_ignore_ascii_case(&timestamp));
    let of: Vec<(&str, Option<&str>)> = names
        .into_iter()
        // What is always the same, and what is never the same, tell nothing of a change.
        .filter(|name| !name.eq_ignore_ascii_case(&timestamp) && !name.eq_ignore_ascii_case(&file_name))
        .filter(|name| values.value(name).is_some() || may_be_a_name(name))
        .map(|name| match name.rsplit_once(':') {
            Some((base, _)) if values.value(name).is_none() => (base, values.value(base)),
            _ => (name, values.value(name)),
        })
        .collect();
    if of.is_empty() && !runs_always {
        return;
    }
    let text_checksum = change.script.up_checksum.clone();
    let folded: Vec<(String, Option<&str>)> = of.iter().map(|(name, value)| (name.to_lowercase(), *value)).collect();
    change.script.up_checksum = text_checksum.with_values(folded.iter().map(|(name, value)| (name.as_str(), *value)));
    let names = of.iter().map(|(name, value)| ((*name).to_owned(), value.is_some())).collect();
    change.headers.counted_values = Some(Box::new(CountedValues { text_checksum, names, runs_always }));
}

/// False for what stays as it stands, such as `${ a }`.
fn may_be_a_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b':'))
}
