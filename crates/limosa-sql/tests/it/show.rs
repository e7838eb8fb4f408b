//! Cuts scripts in several ways and shows the pieces as short texts.

use limosa_sql::{Diagnostic, Engine, Piece, PieceKind, Position, Splitter};

/// Cuts a script that is fed in chunks of `chunk` bytes.
pub(crate) fn cut(engine: Engine, text: &[u8], chunk: usize) -> (Vec<Piece>, Option<Box<Diagnostic>>) {
    let mut splitter = Splitter::new(engine, "file.sql");
    let mut pieces = Vec::new();
    let mut chunks = text.chunks(chunk.max(1));
    loop {
        match splitter.next_piece() {
            Ok(Some(piece)) => pieces.push(piece),
            Ok(None) => match chunks.next() {
                Some(chunk) => splitter.feed(chunk),
                None => {
                    splitter.finish();
                    loop {
                        match splitter.next_piece() {
                            Ok(Some(piece)) => pieces.push(piece),
                            Ok(None) => return (pieces, None),
                            Err(error) => return (pieces, Some(error)),
                        }
                    }
                }
            },
            Err(error) => {
                let again = splitter.next_piece().expect_err("an error stays");
                assert_eq!(again, error);
                return (pieces, Some(error));
            }
        }
    }
}

/// Cuts a script in all ways, and requires that they agree and that the pieces hold together.
pub(crate) fn cut_all_ways(engine: Engine, text: &[u8]) -> (Vec<Piece>, Option<Box<Diagnostic>>) {
    let whole = cut(engine, text, text.len());
    for chunk in [1, 2, 3, 5, 16, 61] {
        let parts = cut(engine, text, chunk);
        assert_eq!(parts, whole, "chunks of {chunk} bytes: {}", String::from_utf8_lossy(text));
    }
    hold_together(text, &whole.0, whole.1.is_none());
    whole
}

/// The pieces are the script, in order, each at its place.
pub(crate) fn hold_together(text: &[u8], pieces: &[Piece], complete: bool) {
    let joined: Vec<u8> = pieces.iter().flat_map(|piece| piece.text.clone()).collect();
    assert!(text.starts_with(&joined));
    if complete {
        assert_eq!(joined.len(), text.len());
    }
    let mut offset = 0;
    for piece in pieces {
        assert_eq!(piece.span.start, offset);
        assert_eq!(piece.span.len(), piece.text.len() as u64);
        assert!(!piece.text.is_empty());
        offset = piece.span.end;
        let before = &text[..piece.body_start() as usize];
        if let Ok(before) = std::str::from_utf8(before)
            && !before.ends_with('\r')
        {
            assert_eq!(piece.position, Position::START.after(before), "{piece:?}");
        }
    }
}

/// Short texts for pieces: a statement is its text, others are named.
pub(crate) fn show(pieces: &[Piece]) -> Vec<String> {
    let text = |piece: &Piece| String::from_utf8_lossy(&piece.text).into_owned();
    pieces
        .iter()
        .map(|piece| match &piece.kind {
            PieceKind::Statement(_) => piece.statement().to_owned(),
            PieceKind::CopyData => format!("DATA {}", text(piece)),
            PieceKind::CopyEnd => format!("DATA END {}", text(piece)),
            PieceKind::Meta => format!("META {}", text(piece)),
            PieceKind::Blank => format!("BLANK {}", text(piece)),
        })
        .collect()
}

/// Requires that a script falls into these pieces, however it is fed.
pub(crate) fn check(engine: Engine, text: &[u8], expected: &[&str]) {
    let (pieces, error) = cut_all_ways(engine, text);
    assert_eq!(error, None, "{}", String::from_utf8_lossy(text));
    assert_eq!(show(&pieces), expected, "{}", String::from_utf8_lossy(text));
}

/// Requires an error, however the script is fed; gives `code line:column length message`.
pub(crate) fn error(engine: Engine, text: &[u8]) -> Box<Diagnostic> {
    let (pieces, error) = cut_all_ways(engine, text);
    error.unwrap_or_else(|| panic!("no error, but {:?}", show(&pieces)))
}
