//! Placeholders that are written otherwise than `${name}`: their marks may look like anything, a comment or the delimiter of a string.

use super::bytes::Class;
use super::found::{Found, between, placeholder, psql_variable};
use super::{Kind, Lexer, Step};
use crate::PlaceholderMarks;

impl Lexer {
    /// Says how placeholders are written.
    pub(crate) fn set_marks(&mut self, marks: PlaceholderMarks) {
        self.marks = (!marks.are_usual()).then_some(marks);
    }

    /// Whether a placeholder stands at `at`.
    #[inline]
    pub(super) fn placeholder_at(&self, text: &[u8], at: usize, last: bool) -> Found {
        match &self.marks {
            None => placeholder(&text[at..], last),
            Some(marks) if marks.are_psql() => psql_variable(text, at, last),
            Some(marks) => between(marks, &text[at..], last),
        }
    }

    /// The placeholder with marks of its own that begins here, before anything else is looked for; None where there is none.
    #[inline]
    pub(super) fn marked(&mut self, text: &[u8], last: bool) -> Option<Step> {
        self.marks.as_ref()?;
        match self.placeholder_at(text, self.at, last) {
            Found::Yes(length) => {
                self.joint = None;
                self.fresh = false;
                Some(self.emit(Kind::Placeholder, self.at + length))
            }
            Found::More => Some(Step::More),
            Found::No => None,
        }
    }

    /// Goes to the end of a name, or to where a placeholder may begin in it.
    #[inline]
    pub(super) fn pass_word(&mut self, text: &[u8]) {
        let Some(marks) = self.marks else { return self.skip(text, Class::continues_name) };
        let (first, classes) = (marks.prefix_bytes()[0], self.classes);
        let ends = |&byte: &u8| byte == first || !classes[byte as usize].continues_name();
        let run = text[self.at..].iter().position(ends);
        self.at = run.map_or(text.len(), |run| self.at + run);
    }

    /// True where nothing but the engine's own rules says where tokens begin.
    pub(super) fn is_calm(&self) -> bool {
        self.end_delimiter.is_none() && self.marks.is_none()
    }
}
