//! The directive of a rollback section within a statement that was never ended.

use limosa_sql::{Engine, Piece, PieceKind, Position, Span, Splitter};

use super::Body;
use crate::formats::native::section::{
    Cut, Directive, SectionStart, directive, heading_after, inside_statement, unknown_directive,
};

/// Codes of the splitter for what is open at the end, strings and comments apart.
const INSIDE_STATEMENT: &[&str] = &[limosa_sql::codes::OPEN_PARENTHESIS, limosa_sql::codes::OPEN_BODY];

impl Body {
    /// Looks for the directive inside a statement that was never ended with `;`. `number` is the line that the piece
    /// begins on. What came before the directive is added to the outline.
    pub(super) fn section_inside(&mut self, piece: &Piece, number: u64) -> Option<SectionStart> {
        let statement = piece.statement();
        let mut from = 0;
        while let Some(found) = statement[from..].find("limosa:") {
            let at = from + found;
            from = at + 1;
            let start = statement[..at].rfind(['\n', '\r']).map_or(0, |at| at + 1);
            let end = statement[at..].find(['\n', '\r']).map_or(statement.len(), |end| at + end);
            let line = &statement[start..end];
            let marks: &[&str] = if self.dialect.engine() == Engine::Mysql { &["--", "#"] } else { &["--"] };
            let bare = line.trim_start();
            let Some(mark) = marks.iter().find(|mark| bare.starts_with(**mark)).filter(|_| start > 0) else { continue };
            let text = &bare[mark.len()..];
            let Some(directive) = directive(text) else { continue };
            let head = piece.text.get(..piece.body.0 + start).unwrap_or_default();
            let place = Position { line: number, column: 1 }.after(&String::from_utf8_lossy(head));
            match (self.cut(piece, start), directive) {
                (Cut::InsideText, _) => {}
                (_, Directive::Unknown(word)) => {
                    let indent = line.len() - line.trim_start().len();
                    self.diagnostics.push(unknown_directive(&self.path, place.line, indent, mark, text, &word));
                }
                (Cut::Whole(part), Directive::Rollback) => {
                    let start = SectionStart { offset: part.span.end, line: place.line };
                    let heading = heading_after(&part, number, self.dialect.engine());
                    self.statement(&part);
                    return Some(heading.unwrap_or(start));
                }
                (Cut::InsideStatement(verb), Directive::Rollback) => {
                    self.fail(inside_statement(&self.path, place, line, &verb));
                    return None;
                }
            }
        }
        None
    }

    /// Ends a statement at `end`, an offset within it.
    fn cut(&self, piece: &Piece, end: usize) -> Cut {
        let mut splitter = Splitter::new(self.dialect, &self.path);
        splitter.feed(&piece.statement().as_bytes()[..end]);
        splitter.finish();
        match splitter.next_piece() {
            Ok(Some(part)) if matches!(part.kind, PieceKind::Statement(_)) => {
                let end = piece.body.0 + end;
                Cut::Whole(Piece {
                    kind: part.kind,
                    span: Span::new(piece.span.start, piece.span.start + end as u64),
                    text: piece.text[..end].to_vec(),
                    body: (piece.body.0 + part.body.0, piece.body.0 + part.body.1),
                    position: piece.position,
                })
            }
            Ok(_) => Cut::InsideText,
            Err(diagnostic) if INSIDE_STATEMENT.contains(&diagnostic.code) => {
                let verb = piece.class().map_or_else(String::new, |class| class.verb.clone());
                Cut::InsideStatement(verb)
            }
            Err(_) => Cut::InsideText,
        }
    }
}
