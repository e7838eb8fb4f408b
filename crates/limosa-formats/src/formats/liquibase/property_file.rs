//! A file of properties, as Java reads it (`java.util.Properties.load`): lines `name=value`, in Latin 1.

/// The names and values in order. The last one of a name counts with Java, so that it is the only one here.
pub(super) fn read(bytes: &[u8]) -> Vec<(String, String)> {
    let text: String = bytes.iter().map(|&byte| char::from(byte)).collect();
    let mut found: Vec<(String, String)> = Vec::new();
    let mut lines = text.split(['\n', '\r']);
    while let Some(line) = lines.next() {
        let mut line = line.trim_start_matches(is_blank).to_owned();
        if line.is_empty() || line.starts_with(['#', '!']) {
            continue;
        }
        while is_continued(&line) {
            line.pop();
            // Between CR and LF there is no line.
            let next = lines.by_ref().find(|next| !next.is_empty());
            line.push_str(next.unwrap_or_default().trim_start_matches(is_blank));
        }
        let (name, value) = pair(&line);
        found.retain(|(known, _)| *known != name);
        found.push((name, value));
    }
    found
}

fn is_blank(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\u{c}')
}

/// True where an odd number of backslashes ends a line.
fn is_continued(line: &str) -> bool {
    line.chars().rev().take_while(|letter| *letter == '\\').count() % 2 == 1
}

/// The name ends at the first `=`, `:` or blank that no backslash stands before.
fn pair(line: &str) -> (String, String) {
    let mut is_escaped = false;
    let ends = |letter: char| {
        let ends = !is_escaped && (matches!(letter, '=' | ':') || is_blank(letter));
        is_escaped = letter == '\\' && !is_escaped;
        ends
    };
    let end = line.find(ends).unwrap_or(line.len());
    let behind = line[end..].trim_start_matches(is_blank);
    let value = behind.strip_prefix(['=', ':']).unwrap_or(behind).trim_start_matches(is_blank);
    (unescaped(&line[..end]), unescaped(value))
}

fn unescaped(text: &str) -> String {
    let mut words: Vec<u16> = Vec::with_capacity(text.len());
    let mut letters = text.chars();
    let mut buffer = [0; 2];
    while let Some(letter) = letters.next() {
        let letter = match (letter, letter == '\\') {
            (_, true) => match letters.next() {
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some('f') => '\u{c}',
                Some('u') => {
                    let digits: String = letters.by_ref().take(4).collect();
                    // Java refuses what is no number there.
                    words.extend(u16::from_str_radix(&digits, 16).ok());
                    continue;
                }
                Some(other) => other,
                None => continue,
            },
            (letter, false) => letter,
        };
        words.extend(letter.encode_utf16(&mut buffer).iter());
    }
    String::from_utf16_lossy(&words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_java_reads_them() {
        for (text, expected) in [
            ("# c\n! d\n\n  x = a b  \n", "x|a b  "),
            ("y:c\\td\\\n   e\nz w\\ k = 1", "y|c\tde z|w k = 1"),
            ("z\\=q=2\r\nw", "z=q|2 w|"),
            ("a=1\\\r\n 2\r\nb=3", "a|12 b|3"),
            ("x=a\nx=b\nX=c", "x|b X|c"),
            ("u=\\u00e9\\u4e2d\\ud83d\\ude00", "u|é中😀"),
            ("back=a\\\\\nnext=b", "back|a\\ next|b"),
            ("=v", "|v"),
            ("", ""),
        ] {
            let shown = read(text.as_bytes()).into_iter().map(|(name, value)| format!("{name}|{value}"));
            assert_eq!(shown.collect::<Vec<_>>().join(" "), expected, "{text:?}");
        }
        assert_eq!(read(b"e=\xe9"), [("e".to_owned(), "é".to_owned())]);
    }
}
