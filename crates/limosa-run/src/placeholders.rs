//! Values in the place of placeholders, and of goose's variables, when a script runs.

use std::borrow::Cow;
use std::collections::BTreeMap;

use limosa_core::{Lifted, Outline, Step, Work};
use limosa_sql::{Diagnostic, Dialect, Engine, Expanded, Label, PlaceholderMarks, UnknownPlaceholder, expand_data};

use crate::Context;
use crate::reader::Numbered;

/// A statement with the values of its placeholders.
pub(crate) fn expand_statement(
    step: &Step,
    origin: &str,
    statement: &Numbered,
    engine: Engine,
    context: &Context<'_>,
) -> Result<Expanded, Box<Diagnostic>> {
    expand_text(step, statement.piece.statement(), statement.piece.position.line, engine, context)
        .map_err(|unknown| unknown_value(step, &unknown, statement.label(origin, unknown.offset), context))
}

fn unknown_value(step: &Step, unknown: &UnknownPlaceholder, label: Label, context: &Context<'_>) -> Box<Diagnostic> {
    let known: Vec<String> = context.values.all.keys().cloned().collect();
    Box::new(unknown_placeholder(unknown, step.outline.marks(), label, &known))
}

/// Data of COPY with the values of its placeholders, where the tool of the script replaces them there.
pub(crate) fn expand_copied(
    step: &Step,
    data: Vec<u8>,
    engine: Engine,
    context: &Context<'_>,
) -> Result<Vec<u8>, Box<Diagnostic>> {
    if step.placeholders_off || !step.outline.replaces_in_data {
        return Ok(data);
    }
    own_values(step)
        .expand_data(&step.outline, engine, &data, &context.values.all)
        .map_err(|unknown| unknown_value(step, &unknown, Label::file(step.work.origin()), context))
}

/// A pragma that is run outside of its script, with the values of its placeholders.
pub(crate) fn expand_lifted(
    step: &Step,
    lifted: &Lifted,
    engine: Engine,
    context: &Context<'_>,
) -> Result<String, Box<Diagnostic>> {
    let file = step.work.origin();
    expand_text(step, &lifted.text, lifted.line, engine, context)
        .map(|expanded| expanded.text)
        .map_err(|unknown| unknown_value(step, &unknown, Label::file(file), context))
}

/// A part of what is asked before a step, with the values of its placeholders. No format that asks has goose's variables.
pub(crate) fn expand_asked(
    step: &Step,
    text: &str,
    engine: Engine,
    context: &Context<'_>,
) -> Result<String, UnknownPlaceholder> {
    expand_text(step, text, 1, engine, context).map(|expanded| expanded.text)
}

/// The built-in placeholder that has another value in each script.
const FILE_NAME: &str = "filename";

/// The placeholder that names the file of a script, with its value.
pub fn file_name_value(file: &str, marks: PlaceholderMarks) -> Option<(String, String)> {
    let name = file.rsplit(['/', '\\']).next()?;
    Some((marks.built_in(FILE_NAME), name.to_owned()))
}

/// The text begins on this line of the script.
fn expand_text(
    step: &Step,
    text: &str,
    line: u64,
    engine: Engine,
    context: &Context<'_>,
) -> Result<Expanded, UnknownPlaceholder> {
    if step.placeholders_off {
        return Ok(Expanded { text: text.to_owned(), map: Vec::new(), used: Vec::new() });
    }
    own_values(step).expand(&step.outline, engine, text, line, &context.values.all)
}

/// Those of a step.
pub fn own_values(step: &Step) -> OwnValues<'_> {
    match &step.work {
        Work::File(script) => OwnValues { file: Some(&script.file), recorded: None },
        Work::Text(text) => OwnValues { file: None, recorded: Some(&text.values) },
        Work::Code(_) => OwnValues::default(),
    }
}

/// Values that a script has of its own, besides those of the run.
#[derive(Debug, Clone, Copy, Default)]
pub struct OwnValues<'a> {
    /// Its file; None for a text that was recorded.
    pub file: Option<&'a str>,
    /// Those that were recorded with it, which win over the others.
    pub recorded: Option<&'a BTreeMap<String, String>>,
}

impl OwnValues<'_> {
    /// The text that begins on this line of the script, with these values and `others`.
    ///
    /// # Errors
    /// The first placeholder that needs a value and has none.
    pub fn expand(
        &self,
        outline: &Outline,
        engine: Engine,
        text: &str,
        line: u64,
        others: &BTreeMap<String, String>,
    ) -> Result<Expanded, UnknownPlaceholder> {
        outline.expand(engine, text, line, &self.merged(outline, text.contains(FILE_NAME), others))
    }

    /// Data of COPY with these values and `others`.
    ///
    /// # Errors
    /// The first placeholder without a value.
    pub fn expand_data(
        &self,
        outline: &Outline,
        engine: Engine,
        data: &[u8],
        others: &BTreeMap<String, String>,
    ) -> Result<Vec<u8>, UnknownPlaceholder> {
        expand_data(Dialect::from(engine).with_marks(outline.marks()), data, &self.merged(outline, true, others))
    }

    fn merged<'v>(
        &self,
        outline: &Outline,
        names_file: bool,
        others: &'v BTreeMap<String, String>,
    ) -> Cow<'v, BTreeMap<String, String>> {
        let of_file = self.file.filter(|_| names_file).and_then(|file| file_name_value(file, outline.marks()));
        let recorded = self.recorded.filter(|recorded| !recorded.is_empty());
        if of_file.is_none() && recorded.is_none() {
            return Cow::Borrowed(others);
        }
        let mut merged = others.clone();
        merged.extend(of_file);
        merged.extend(recorded.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())));
        Cow::Owned(merged)
    }
}

/// The error for a placeholder without a value, or in a form that is not known.
pub fn unknown_placeholder(
    unknown: &UnknownPlaceholder,
    marks: PlaceholderMarks,
    label: Label,
    known: &[String],
) -> Diagnostic {
    let name = &unknown.name;
    let written = marks.written(name);
    if let Some(message) = &unknown.message {
        let said = if message.is_empty() { "not set" } else { message.as_str() };
        return Diagnostic::error("LIM-R012", format!("the variable {name} has no value that fits: {said}"))
            .at(label.text("needs another value"))
            .help(format!(
                "give it one: --placeholder {name}=..., LIMOSA_PLACEHOLDER_{name}, or [placeholders] in limosa.toml"
            ));
    }
    if let Some((base, form)) = name.split_once(':') {
        let [plain, identifier, literal] =
            ["", ":identifier", ":literal"].map(|form| marks.written(&format!("{base}{form}")));
        return Diagnostic::error(
            "LIM-R012",
            format!("the placeholder {written} has a form that is not known: {form}"),
        )
        .at(label.text("unknown form"))
        .help(format!(
            "write {plain}, {identifier} or {literal}; or leave such text alone with a header '-- Placeholders: off'"
        ));
    }
    let known = if known.is_empty() { "none is set".to_owned() } else { format!("known: {}", known.join(", ")) };
    Diagnostic::error("LIM-R012", format!("the placeholder {written} has no value"))
        .at(label.text("no value"))
        .help(format!(
            "give it one: --placeholder {name}=..., or [placeholders] in limosa.toml ({known}); or leave such text alone with a header '-- Placeholders: off'"
        ))
}
