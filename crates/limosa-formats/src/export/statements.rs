//! The statements of a script, written so that a tool finds the same ones.

use limosa_core::ForeignTool;
use limosa_sql::{Dialect, Piece, PieceKind, Splitter};

/// Why a script cannot be written for a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// It holds data for COPY.
    CopyData,
    /// It cannot be read.
    Unreadable,
    /// The tool would find other statements in it: a line of it looks like a marker of that tool's.
    ReadsOtherwise,
}

impl Unfit {
    /// The reason in words.
    pub fn words(self) -> &'static str {
        match self {
            Unfit::CopyData => "it holds data for COPY, which the tool cannot send",
            Unfit::Unreadable => "it cannot be split into statements",
            Unfit::ReadsOtherwise => "the tool would find other statements in it: a line looks like one of its markers",
        }
    }
}

/// The statements of a script, without comments around them and terminators; data for COPY stands among them.
///
/// # Errors
/// A script that cannot be read.
pub fn statements_of(dialect: Dialect, text: &[u8]) -> Result<Vec<String>, Unfit> {
    let mut statements = Vec::new();
    each(dialect, text, &mut |piece| match &piece.kind {
        PieceKind::Statement(_) => statements.push(piece.statement().to_owned()),
        PieceKind::CopyData => statements.push(String::from_utf8_lossy(&piece.text).into_owned()),
        PieceKind::CopyEnd | PieceKind::Meta | PieceKind::Blank => {}
    })?;
    Ok(statements)
}

fn each(dialect: Dialect, text: &[u8], visit: &mut dyn FnMut(&Piece)) -> Result<(), Unfit> {
    let mut splitter = Splitter::new(dialect, "exported");
    splitter.feed(text);
    splitter.finish();
    while let Some(piece) = splitter.next_piece().map_err(|_| Unfit::Unreadable)? {
        visit(&piece);
    }
    Ok(())
}

/// The script as the tool has to be given it.
pub(super) fn rewritten(tool: ForeignTool, dialect: Dialect, text: &str) -> Result<String, Unfit> {
    let text = text.trim_start_matches('\u{feff}');
    if tool == ForeignTool::Flyway {
        // It reads what limosa reads, DELIMITER and data for COPY too.
        return Ok(text.to_owned());
    }
    let (mut out, mut has_data) = (String::with_capacity(text.len()), false);
    each(dialect, text.as_bytes(), &mut |piece| match &piece.kind {
        PieceKind::Statement(_) => statement(tool, piece, &mut out),
        PieceKind::Blank => blank(tool, &String::from_utf8_lossy(&piece.text), &mut out),
        PieceKind::CopyData | PieceKind::CopyEnd => has_data = true,
        // The mysql client's DELIMITER: servers find the end of a routine by themselves.
        PieceKind::Meta => {}
    })?;
    if has_data { Err(Unfit::CopyData) } else { Ok(out) }
}

fn statement(tool: ForeignTool, piece: &Piece, out: &mut String) {
    let text = |from: usize, to: usize| String::from_utf8_lossy(&piece.text[from..to]).into_owned();
    let (before, behind) = (text(0, piece.body.0), text(piece.body.1, piece.text.len()));
    let body = piece.statement();
    if tool != ForeignTool::Goose {
        out.push_str(&before);
        out.push_str(body);
        // Another terminator is the client's affair, as is none at the end of a file.
        match behind.trim_end().ends_with(';') {
            true => out.push_str(&behind),
            false => out.push_str(";\n"),
        }
        return;
    }
    // It ends a statement at a line that ends with a semicolon.
    if body.contains(';') || before.contains("/*") {
        let comments = if before.contains("/*") { 0 } else { before.len() };
        out.push_str(&before[..comments]);
        begin_line(out);
        out.push_str("-- +goose StatementBegin\n");
        out.push_str(before[comments..].trim_start());
        out.push_str(body);
        out.push_str(";\n-- +goose StatementEnd\n");
    } else {
        if !before.starts_with(['\n', '\r']) {
            begin_line(out);
        }
        out.push_str(&before);
        out.push_str(body);
        out.push_str(";\n");
    }
}

fn blank(tool: ForeignTool, text: &str, out: &mut String) {
    if tool == ForeignTool::Goose && text.contains("/*") {
        // A comment of several lines could end a statement that is none.
        begin_line(out);
        text.lines().for_each(|line| out.push_str(&format!("-- {line}\n")));
        return;
    }
    // An empty statement is one that some servers refuse.
    match text.trim().chars().all(|letter| letter == ';') {
        true => out.push_str(&text.replace(';', "")),
        false => out.push_str(text),
    }
}

fn begin_line(out: &mut String) {
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
}
