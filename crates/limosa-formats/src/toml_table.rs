//! Settings in TOML that other tools keep beside their migrations: values with their places. The only module of this crate that
//! knows the TOML parser's errors.

use limosa_sql::{Diagnostic, Label, Position};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::codes;

/// The longest line that is shown.
const LONGEST_LINE: usize = 300;

/// A file as a table.
pub(crate) struct TomlTable<'t> {
    path: &'t str,
    text: &'t str,
    table: DeTable<'t>,
}

impl<'t> TomlTable<'t> {
    /// Reads the file at `path`; a byte-order mark is left out.
    ///
    /// # Errors
    /// What is not UTF-8 or no TOML, with its place.
    pub(crate) fn read(path: &'t str, bytes: &'t [u8]) -> Result<TomlTable<'t>, Box<Diagnostic>> {
        let Ok(text) = std::str::from_utf8(bytes) else {
            let problem = Diagnostic::error(codes::BROKEN_TOOL_FILE, format!("{path} is not UTF-8"));
            return Err(Box::new(problem.at(Label::file(path)).help("save it as UTF-8")));
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        match DeTable::parse(text) {
            Ok(table) => Ok(TomlTable { path, text, table: table.into_inner() }),
            Err(error) => {
                let message = format!("{path} is not TOML: {}", error.message());
                let label = error.span().map_or_else(|| Label::file(path), |span| label(path, text, span.start));
                let help = "see https://toml.io for the format; texts stand in quotes";
                Err(Box::new(Diagnostic::error(codes::BROKEN_TOOL_FILE, message).at(label).help(help)))
            }
        }
    }

    /// The value below these keys.
    pub(crate) fn get(&self, keys: &[&str]) -> Option<&Spanned<DeValue<'t>>> {
        let (first, rest) = keys.split_first()?;
        let mut value = self.table.get(*first)?;
        for key in rest {
            value = value.get_ref().as_table()?.get(*key)?;
        }
        Some(value)
    }

    /// The text below these keys; None where nothing stands there.
    ///
    /// # Errors
    /// A value that is no text.
    pub(crate) fn text(&self, keys: &[&str]) -> Result<Option<&str>, Box<Diagnostic>> {
        let Some(value) = self.get(keys) else { return Ok(None) };
        match value.get_ref().as_str() {
            Some(text) => Ok(Some(text)),
            None => Err(Box::new(self.wrong(value, &format!("{} is no text", keys.join(".")), "write it in quotes"))),
        }
    }

    /// An error at the place of a value.
    pub(crate) fn wrong(&self, value: &Spanned<DeValue<'t>>, message: &str, help: &str) -> Diagnostic {
        let label = label(self.path, self.text, value.span().start);
        Diagnostic::error(codes::BROKEN_TOOL_FILE, message).at(label).help(help)
    }

    /// The place of a value.
    pub(crate) fn label(&self, value: &Spanned<DeValue<'t>>) -> Label {
        label(self.path, self.text, value.span().start)
    }
}

fn label(path: &str, text: &str, offset: usize) -> Label {
    let offset = (0..=offset.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let start = text[..offset].rfind(['\n', '\r']).map_or(0, |at| at + 1);
    let line: String = text[start..].lines().next().unwrap_or_default().chars().take(LONGEST_LINE).collect();
    Label::place(path, Position::START.after(&text[..offset])).line(line)
}
