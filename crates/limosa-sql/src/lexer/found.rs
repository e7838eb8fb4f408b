//! Placeholders as tokens, so that what looks like a comment inside of one is none.

use crate::PlaceholderMarks;

/// The longest text from `${` to `}` that is taken for a placeholder, in bytes.
const PLACEHOLDER_LIMIT: usize = 256;

/// Whether a text begins with a placeholder.
pub(super) enum Found {
    /// Yes, with this length.
    Yes(usize),
    No,
    /// More text is needed to know.
    More,
}

impl Found {
    /// What another look finds where this one found nothing.
    pub(super) fn or_else(self, look: impl FnOnce() -> Found) -> Found {
        match self {
            Found::No => look(),
            found => found,
        }
    }
}

/// Looks for `${name}` or `${name:form}` at the start of `text`, or for a variable of goose's: `${name:-default}` and its like.
pub(super) fn placeholder(text: &[u8], last: bool) -> Found {
    match plain(text, last) {
        Found::No => variable(text, last),
        found => found,
    }
}

/// Looks for a name between these marks at the start of `text`.
pub(super) fn between(marks: &PlaceholderMarks, text: &[u8], last: bool) -> Found {
    let (prefix, suffix) = (marks.prefix_bytes(), marks.suffix_bytes());
    let Some(inner) = text.strip_prefix(prefix) else {
        return if !last && prefix.starts_with(text) { Found::More } else { Found::No };
    };
    let inner = &inner[..inner.len().min(PLACEHOLDER_LIMIT)];
    let Some(end) = inner.windows(suffix.len()).position(|window| window == suffix) else {
        return if last || inner.len() == PLACEHOLDER_LIMIT { Found::No } else { Found::More };
    };
    match std::str::from_utf8(&inner[..end]) {
        Ok(name) if marks.is_name(name) => Found::Yes(prefix.len() + end + suffix.len()),
        _ => Found::No,
    }
}

/// Looks for a variable of psql's at `at` (`psqlscan.l`): `:name`, `:'name'`, `:"name"`. A colon behind another one is a part of `::`. A name that
/// begins with a digit is the end of a slice, whatever psql would make of a variable called so.
pub(super) fn psql_variable(text: &[u8], at: usize, last: bool) -> Found {
    if text.get(at) != Some(&b':') || (at > 0 && text[at - 1] == b':') {
        return Found::No;
    }
    let ends_here = if last { Found::No } else { Found::More };
    let Some(first) = text.get(at + 1) else { return ends_here };
    let quote = Some(*first).filter(|byte| matches!(byte, b'\'' | b'"'));
    let name = at + 1 + usize::from(quote.is_some());
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || !byte.is_ascii();
    let length = text[name..].iter().take(PLACEHOLDER_LIMIT).take_while(|byte| is_of_name(byte)).count();
    let Some(behind) = text.get(name + length) else {
        return match (quote, last && length > 0 && !text[name].is_ascii_digit()) {
            (None, true) => Found::Yes(name + length - at),
            _ => ends_here,
        };
    };
    let is_closed = quote.is_none_or(|quote| *behind == quote);
    match length > 0 && is_closed && !text[name].is_ascii_digit() {
        true => Found::Yes(name + length + usize::from(quote.is_some()) - at),
        false => Found::No,
    }
}

/// `${name`, a sign of what becomes of its value, and anything up to the brace that ends it, on one line. No text of SQL holds that.
fn variable(text: &[u8], last: bool) -> Found {
    let Some(inner) = text.strip_prefix(b"${") else { return Found::No };
    let name =
        inner.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_' || !byte.is_ascii()).count();
    let sign = inner.get(name);
    if name == 0 || !sign.is_none_or(|sign| matches!(sign, b':' | b'-' | b'?')) {
        return Found::No;
    }
    let mut open = 1;
    let mut before = 0;
    for (at, &byte) in text.iter().enumerate().take(PLACEHOLDER_LIMIT).skip(2) {
        match byte {
            b'\n' | b'\r' => return Found::No,
            b'{' if before == b'$' => open += 1,
            b'}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Found::Yes(at + 1);
        }
        before = byte;
    }
    if last || text.len() >= PLACEHOLDER_LIMIT { Found::No } else { Found::More }
}

fn plain(text: &[u8], last: bool) -> Found {
    let mut after_colon = None;
    for (at, &byte) in text.iter().enumerate().take(PLACEHOLDER_LIMIT) {
        let fits = match (at, after_colon) {
            (0, _) => byte == b'$',
            (1, _) => byte == b'{',
            (2, _) => byte.is_ascii_alphabetic() || byte == b'_',
            (_, None) if byte == b'}' => return Found::Yes(at + 1),
            (_, Some(0)) => byte.is_ascii_alphabetic(),
            (_, Some(_)) if byte == b'}' => return Found::Yes(at + 1),
            (_, Some(_)) => byte.is_ascii_alphabetic(),
            (_, None) => byte == b':' || byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'),
        };
        if !fits {
            return Found::No;
        }
        after_colon = match after_colon {
            None if byte == b':' => Some(0),
            Some(letters) => Some(letters + 1),
            None => None,
        };
    }
    if last || text.len() >= PLACEHOLDER_LIMIT { Found::No } else { Found::More }
}
