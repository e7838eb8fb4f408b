//! Changes of which more is known than the name of their file says: a list of another tool names them, or one file holds several.

use limosa_core::{Checksum, Direction, Markers, SectionMask};
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
    /// What leads back, where that is what another change does.
    pub back_of_other: Option<OtherBack>,
    /// Where that stands in another file, as long as it was not read: [`Entry::with_back_in`].
    pub back_elsewhere: Option<OtherPart>,
}

/// What leads back, taken from what another change does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherBack {
    /// The file that holds it.
    pub file: String,
    /// The line of that file that it begins on, from 1.
    pub line: u64,
    /// What leads up there.
    pub text: String,
}

/// A part of another file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherPart {
    /// The file.
    pub file: String,
    /// Offset of the first byte.
    pub start: u64,
    /// Offset behind the last one.
    pub end: u64,
    /// The line that it begins on, from 1.
    pub line: u64,
}

impl Entry {
    /// The file that holds what leads back, where that is another one and was not read.
    pub fn back_elsewhere(&self) -> Option<&str> {
        self.part.as_ref()?.back_elsewhere.as_ref().map(|other| other.file.as_str())
    }

    /// The same with what leads back; `bytes` are those of the file that holds it.
    #[must_use]
    pub fn with_back_in(mut self, bytes: &[u8]) -> Entry {
        if let Some(part) = &mut self.part
            && let Some(OtherPart { file, start, end, line }) = part.back_elsewhere.take()
        {
            let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
            let bytes = bytes.get(at(start)..at(end)).unwrap_or_default();
            let text = section(bytes, part.markers, Direction::Apply);
            part.back_of_other = Some(OtherBack { file, line, text });
        }
        self
    }
}

/// What leads in this direction in a part of a file, with its lines.
pub(crate) fn section(part: &[u8], markers: Markers, direction: Direction) -> String {
    let (mut mask, mut masked) = (SectionMask::new(markers, direction), Vec::new());
    mask.feed(part, &mut masked);
    mask.finish(&mut masked);
    String::from_utf8_lossy(&masked).into_owned()
}

impl FilePart {
    /// Lines of the file above the part.
    pub(crate) fn lines_above(&self) -> u64 {
        self.line.saturating_sub(1)
    }
}
