//! Folders that are named by a pattern of one's own, such as `V{version}.{name}.{direction}.sql` or `{version}/{direction}.sql`.

use limosa_core::Version;

use super::Format;
use super::native::{FileRole, RollbackTarget, is_sql, spoken, unclear};
use crate::codes;

/// The line of the format table.
pub const FORMAT: Format = Format {
    name: "pattern",
    description: "a naming of one's own, which the setting 'pattern' says: V{version}.{name}.{direction}.sql",
    votes: |_| 0,
    sign: None,
};

/// How files are named, as somebody wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    written: String,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// Digits, joined by dots or underscores; the letter that ends it is no part of it.
    Version(Option<char>),
    Name,
    Direction,
}

/// Why a pattern is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPattern {
    /// No part of the name is the version.
    #[error("it has no {{version}}, so that nothing tells the order")]
    NoVersion,
    /// A part stands there twice.
    #[error("{0} stands there twice")]
    Repeated(&'static str),
    /// A part that is none.
    #[error("{{{0}}} is none of {{version}}, {{name}} and {{direction}}")]
    Unknown(String),
    /// A brace without its other one.
    #[error("a brace is not closed, or not opened")]
    Brace,
    /// Nothing stands between two parts, so that none can tell where one ends.
    #[error("two parts stand side by side, so that nothing tells where the first one ends")]
    Touching,
    /// It does not end like a file of SQL.
    #[error("it does not end with .sql")]
    NoSql,
    /// It names a place outside of the folder of migrations.
    #[error("it begins with '/', or holds an empty folder, '.', '..' or '\\'")]
    Place,
}

/// What a file name says.
#[derive(Default)]
struct Found<'n> {
    version: Option<&'n str>,
    /// What is left of the text where the version begins.
    from_version: usize,
    name: Option<&'n str>,
    is_down: bool,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`BadPattern`].
    pub fn parse(written: &str) -> Result<Pattern, BadPattern> {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut rest = written;
        while !rest.is_empty() {
            let Some(at) = rest.find(['{', '}']) else {
                pieces.push(Piece::Text(rest.to_owned()));
                break;
            };
            if at > 0 {
                pieces.push(Piece::Text(rest[..at].to_owned()));
            }
            let inside = rest[at..].strip_prefix('{').ok_or(BadPattern::Brace)?;
            let (word, behind) = inside.split_once('}').ok_or(BadPattern::Brace)?;
            let (piece, shown) = match word {
                "version" => (Piece::Version(behind.chars().next()), "{version}"),
                "name" => (Piece::Name, "{name}"),
                "direction" => (Piece::Direction, "{direction}"),
                _ => return Err(BadPattern::Unknown(word.to_owned())),
            };
            let is_same = |other: &Piece| std::mem::discriminant(other) == std::mem::discriminant(&piece);
            if pieces.iter().any(is_same) {
                return Err(BadPattern::Repeated(shown));
            }
            if pieces.last().is_some_and(|last| !matches!(last, Piece::Text(_))) {
                return Err(BadPattern::Touching);
            }
            pieces.push(piece);
            rest = behind;
        }
        if !pieces.iter().any(|piece| matches!(piece, Piece::Version(_))) {
            return Err(BadPattern::NoVersion);
        }
        if !written.ends_with(".sql") {
            return Err(BadPattern::NoSql);
        }
        if written.contains('\\') || written.split('/').any(|folder| ["", ".", ".."].contains(&folder)) {
            return Err(BadPattern::Place);
        }
        Ok(Pattern { written: written.to_owned(), pieces })
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// How many folders a file stands below that of the migrations.
    pub(crate) fn depth(&self) -> usize {
        self.written.matches('/').count()
    }

    /// True where ways back are files of their own.
    pub(crate) fn has_directions(&self) -> bool {
        self.pieces.contains(&Piece::Direction)
    }

    /// Says what a file is for. Both `/` and `\` separate folders.
    pub fn classify(&self, path: &str) -> FileRole {
        let path_parts: Vec<&str> = path.split(['/', '\\']).collect();
        let Some(file) = path_parts.last().filter(|file| !file.starts_with('.')) else { return FileRole::Ignored };
        if ["migration_config.yaml", "migration_config.yml"].contains(file) {
            return FileRole::Config;
        }
        if !is_sql(file) {
            return FileRole::Ignored;
        }
        let own = path_parts.len().saturating_sub(self.depth() + 1);
        let tail = path_parts[own..].join("/");
        let understood = fit(&self.pieces, &tail).and_then(|found| {
            let label = found.version?;
            Some((Version::parse(label).ok()?, label, found.name, found.is_down))
        });
        match understood {
            Some((version, _, _, true)) => FileRole::Rollback { of: RollbackTarget::Version(version), beside: None },
            Some((version, label, name, false)) => {
                let name = name.map(spoken).filter(|name| !name.is_empty()).unwrap_or_else(|| label.to_owned());
                FileRole::Versioned { version, label: label.into(), name: name.into() }
            }
            None => {
                let message =
                    format!("the name {file} does not fit the pattern {}; the file is left out", self.written);
                let help = format!(
                    "expected {}; rename the file, move it elsewhere, or correct the setting 'pattern'",
                    self.filled("1", "title", "up")
                );
                unclear(codes::UNCLEAR_NAME, path, message, help)
            }
        }
    }

    /// Where the version stands in a path; None where the path does not fit.
    pub(crate) fn written_version(&self, path: &str) -> Option<std::ops::Range<usize>> {
        // Folders are told apart by one byte, whichever it is.
        let path = path.replace('\\', "/");
        let starts = path.match_indices('/').map(|(at, _)| at + 1).rev().chain([0]);
        let found = fit(&self.pieces, &path[starts.into_iter().nth(self.depth())?..])?;
        let start = path.len() - found.from_version;
        found.version.map(|version| start..start + version.len())
    }

    /// The name of a file.
    pub(crate) fn filled(&self, version: &str, words: &str, direction: &str) -> String {
        self.pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.as_str(),
                Piece::Version(_) => version,
                Piece::Name => words,
                Piece::Direction => direction,
            })
            .collect()
    }
}

/// Fits a text to pieces, each taking as much as it may.
fn fit<'n>(pieces: &[Piece], text: &'n str) -> Option<Found<'n>> {
    let Some((piece, others)) = pieces.split_first() else { return text.is_empty().then(Found::default) };
    match piece {
        Piece::Text(written) => fit(others, text.strip_prefix(written.as_str())?),
        Piece::Direction => ["up", "down"].into_iter().find_map(|word| {
            let found = fit(others, text.strip_prefix(word)?)?;
            Some(Found { is_down: word == "down", ..found })
        }),
        Piece::Version(end) => {
            let is_part =
                |letter: char| letter.is_ascii_digit() || (['.', '_'].contains(&letter) && *end != Some(letter));
            let longest = text.find(|letter: char| !is_part(letter)).unwrap_or(text.len());
            (1..=longest).rev().find_map(|length| {
                Version::parse(&text[..length]).ok()?;
                let found = fit(others, &text[length..])?;
                Some(Found { version: Some(&text[..length]), from_version: text.len(), ..found })
            })
        }
        Piece::Name => {
            let longest = text.find('/').unwrap_or(text.len());
            let ends = (1..=longest).rev().filter(|length| text.is_char_boundary(*length));
            ends.into_iter().find_map(|length| {
                let found = fit(others, &text[length..])?;
                Some(Found { name: Some(&text[..length]), ..found })
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(pattern: &str, path: &str) -> String {
        match Pattern::parse(pattern).unwrap().classify(path) {
            FileRole::Versioned { version, label, name } => format!("up {version} {label} '{name}'"),
            FileRole::Rollback { of: RollbackTarget::Version(version), beside: None } => format!("down {version}"),
            FileRole::Unclear(problem) => problem.code.to_owned(),
            FileRole::Config => "config".to_owned(),
            FileRole::Ignored => "ignored".to_owned(),
            role => format!("{role:?}"),
        }
    }

    #[test]
    fn names_are_read_by_the_pattern() {
        for (pattern, path, expected) in [
            ("V{version}.{name}.{direction}.sql", "m/V7.create_users.up.sql", "up 7 7 'create users'"),
            ("V{version}.{name}.{direction}.sql", "m/V7.a.b.down.sql", "down 7"),
            ("V{version}.{name}.{direction}.sql", "m/V7.a.sql", "LIM-F001"),
            ("V{version}.{name}.{direction}.sql", "m/V7..up.sql", "LIM-F001"),
            ("{version}-{name}.sql", "m/1.2_3-a_b.sql", "up 1.2.3 1.2_3 'a b'"),
            ("{version}_{name}.sql", "m/2024_01_x.sql", "up 2024 2024 '01 x'"),
            ("{version}/{direction}.sql", "m/012/up.sql", "up 12 012 '012'"),
            ("{version}/{direction}.sql", "m\\012\\down.sql", "down 12"),
            ("{version}/{direction}.sql", "up.sql", "LIM-F001"),
            ("{version}_{name}/{direction}.sql", "m/12_make it/up.sql", "up 12 12 'make it'"),
            ("{version}_{name}/{direction}.sql", "m/12_a/sideways.sql", "LIM-F001"),
            ("{direction}/{version}.sql", "m/down/3.sql", "down 3"),
            ("{name}@{version}.sql", "m/ünïcode@3.sql", "up 3 3 'ünïcode'"),
            ("{version}.sql", "m/3.sql", "up 3 3 '3'"),
            ("{version}.sql", "m/README.md", "ignored"),
            ("{version}.sql", "m/.3.sql", "ignored"),
            ("{version}.sql", "m/migration_config.yaml", "config"),
        ] {
            assert_eq!(said(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn a_pattern_that_tells_nothing_is_refused() {
        for (pattern, expected) in [
            ("{name}.sql", "it has no {version}, so that nothing tells the order"),
            ("", "it has no {version}, so that nothing tells the order"),
            ("{version}{name}.sql", "two parts stand side by side, so that nothing tells where the first one ends"),
            ("{version}_{version}.sql", "{version} stands there twice"),
            ("{version}_{title}.sql", "{title} is none of {version}, {name} and {direction}"),
            ("{version.sql", "a brace is not closed, or not opened"),
            ("version}.sql", "a brace is not closed, or not opened"),
            ("{version}.txt", "it does not end with .sql"),
            ("/{version}.sql", "it begins with '/', or holds an empty folder, '.', '..' or '\\'"),
            ("../{version}.sql", "it begins with '/', or holds an empty folder, '.', '..' or '\\'"),
        ] {
            assert_eq!(Pattern::parse(pattern).unwrap_err().to_string(), expected, "{pattern}");
        }
    }

    #[test]
    fn new_names_fit_their_pattern() {
        for written in ["V{version}.{name}.{direction}.sql", "{version}/{direction}.sql", "{version}_{name}.sql"] {
            let pattern = Pattern::parse(written).unwrap();
            assert!(matches!(pattern.classify(&pattern.filled("004", "add_x", "up")), FileRole::Versioned { .. }));
        }
    }
}
