//! Changes of which more is known than the name of their file says: a list of another tool names them, or one file holds several.

use limosa_core::{Checksum, Markers};
use limosa_sql::{Diagnostic, EndDelimiter};

use super::names::FileRole;
use super::wishes::Wishes;

/// A change of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is for.
    pub role: FileRole,
    /// Where in the file it stands; None where it is all of it.
    pub part: Option<FilePart>,
    /// What is known of it besides.
    pub(crate) wishes: Wishes,
    /// What is to be said of it where it is read. With an error it is not run.
    pub(crate) problems: Vec<Diagnostic>,
}

/// A part of a file: whole lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePart {
    /// Offset of the first byte.
    pub start: u64,
    /// Offset behind the last one.
    pub end: u64,
    /// The line that it begins on, from 1.
    pub line: u64,
    /// The file as it was when it was taken apart.
    pub checksum: Checksum,
    /// What tells the sections of the part apart.
    pub markers: Markers,
    /// What ends statements besides `;` in what leads up.
    pub delimiter: Option<EndDelimiter>,
    /// The same for what leads back.
    pub back_delimiter: Option<EndDelimiter>,
    /// What leads back, where that is what another part of the file does: its text, and the line that it begins on.
    pub back_of_other: Option<(String, u64)>,
}

impl FilePart {
    /// Lines of the file above the part.
    pub(crate) fn lines_above(&self) -> u64 {
        self.line.saturating_sub(1)
    }
}
