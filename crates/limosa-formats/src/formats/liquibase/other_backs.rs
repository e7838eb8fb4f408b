//! Ways back that are what another change does: `--rollback changesetId:1 changesetAuthor:ann changesetPath:a.sql`.
//!
//! Liquibase 4.33, `AbstractFormattedChangeLogParser.configureRollbackChangeSet`: the path is that of the file where none is written, and the
//! change that is meant stands above, in the same file or in one that was included before.

use limosa_core::{Direction, Markers};

use super::changesets::{ChangeSet, WayBack, way_back};
use super::patterns::plain;
use crate::native::section;

/// What leads back, taken from a change of the same file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OtherBack {
    /// The place of that change among those of the file.
    pub(super) at: usize,
    /// What it does, with the lines of its part of the file.
    pub(super) text: String,
}

/// A change of another file, as it is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Elsewhere {
    pub(super) path: String,
    pub(super) id: String,
    pub(super) author: String,
}

/// What a way back names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meant {
    /// It is SQL, or nothing is to be done.
    Nothing,
    /// A change of the same file.
    Here(OtherBack),
    /// A change of another file.
    Elsewhere(Elsewhere),
    /// Liquibase refuses the file: in words.
    Wrong(String),
}

/// True where the word stands in a text that names another change.
pub(super) fn may_name_any(text: &[u8]) -> bool {
    const MARK: &[u8] = b"changesetid";
    // Its last letters are rare.
    let is_it = |word: &[u8]| word.ends_with(b"d") | word.ends_with(b"D") && word.eq_ignore_ascii_case(MARK);
    text.windows(MARK.len()).any(is_it)
}

/// Looks at the way back of the last of these changes, the parts of the file at `path`.
pub(super) fn named(path: &str, bytes: &[u8], changes: &[ChangeSet]) -> Meant {
    let Some((last, above)) = changes.split_last() else { return Meant::Nothing };
    let part = last.part_of(bytes);
    if !may_name_any(part) {
        return Meant::Nothing;
    }
    let back = section(part, Markers::Liquibase, Direction::Revert).replace(['\r', '\n'], "");
    if way_back(&back) != WayBack::OtherChange {
        return Meant::Nothing;
    }
    let (Some(id), Some(author)) = (plain(&back, "changesetId"), plain(&back, "changesetAuthor")) else {
        return Meant::Wrong("a way back that names another change needs changesetId and changesetAuthor".to_owned());
    };
    let is_it = |named: &str| {
        let path = path.replace('\\', "/");
        path == named || path.ends_with(&format!("/{named}"))
    };
    if let Some(named) = plain(&back, "changesetPath").filter(|named| !is_it(named)) {
        let (path, id, author) = (named.to_owned(), id.to_owned(), author.to_owned());
        return Meant::Elsewhere(Elsewhere { path, id, author });
    }
    let is_meant = |change: &ChangeSet| change.named.id == id && change.named.author == author;
    match above.iter().position(is_meant) {
        Some(at) => {
            let text = section(above[at].part_of(bytes), Markers::Liquibase, Direction::Apply);
            Meant::Here(OtherBack { at, text })
        }
        None => Meant::Wrong(format!("the way back names the change {id} of {author}, which does not stand above it")),
    }
}
