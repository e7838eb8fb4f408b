//! As much of XML as changelogs need: the elements below the root, with their attributes, texts and lines. Comments and declarations are
//! passed over.

/// An element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Element {
    /// Its name without the prefix of a namespace.
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    /// What stands between its ends, and in no element below it.
    pub(super) text: String,
    pub(super) line: u64,
    /// How many elements stand around it; 0 for the root.
    pub(super) depth: usize,
}

impl Element {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The elements in order. The error: the line on which something is not closed.
pub(super) fn elements(text: &str) -> Result<Vec<Element>, u64> {
    let mut found: Vec<Element> = Vec::new();
    // Those that are not closed yet.
    let mut open_ones: Vec<usize> = Vec::new();
    let (mut at, mut line) = (0, 1);
    while let Some(start) = text[at..].find('<').map(|found| at + found) {
        line += newlines(&text[at..start]);
        let within = |found: &mut Vec<Element>, open_ones: &[usize], text: &str| {
            if let Some(element) = open_ones.last().and_then(|at| found.get_mut(*at)) {
                element.text.push_str(text);
            }
        };
        within(&mut found, &open_ones, &unescaped(&text[at..start]));
        let rest = &text[start..];
        let (open, close) = match rest {
            _ if rest.starts_with("<!--") => (4, "-->"),
            _ if rest.starts_with("<![CDATA[") => (9, "]]>"),
            _ if rest.starts_with("<?") => (2, "?>"),
            _ => (1, ">"),
        };
        let length = match open {
            1 => tag_length(rest).ok_or(line)?,
            _ => rest[open..].find(close).map(|found| open + found + close.len()).ok_or(line)?,
        };
        let tag = &rest[..length];
        if let Some(verbatim) = tag.strip_prefix("<![CDATA[").and_then(|tag| tag.strip_suffix("]]>")) {
            within(&mut found, &open_ones, verbatim);
        } else if open == 1 && !tag.starts_with("<!") {
            let inner = &tag[1..tag.len() - 1];
            if inner.starts_with('/') {
                open_ones.pop().ok_or(line)?;
            } else {
                let is_empty = inner.ends_with('/');
                found.push(element(inner.trim_end_matches('/'), line, open_ones.len()));
                if !is_empty {
                    open_ones.push(found.len() - 1);
                }
            }
        }
        line += newlines(tag);
        at = start + length;
    }
    if open_ones.is_empty() { Ok(found) } else { Err(line) }
}

fn newlines(text: &str) -> u64 {
    text.bytes().filter(|&byte| byte == b'\n').count() as u64
}

/// Up to the `>` that stands in no value.
fn tag_length(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate() {
        match quote {
            Some(open) if byte == open => quote = None,
            None if byte == b'"' || byte == b'\'' => quote = Some(byte),
            None if byte == b'>' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn element(inner: &str, line: u64, depth: usize) -> Element {
    let end = inner.find(char::is_whitespace).unwrap_or(inner.len());
    let (name, mut rest) = inner.split_at(end);
    let mut attributes = Vec::new();
    while let Some((name, behind)) = rest.split_once('=') {
        let behind = behind.trim_start();
        let Some(quote) = behind.chars().next().filter(|letter| ['"', '\''].contains(letter)) else { break };
        let Some((value, more)) = behind[1..].split_once(quote) else { break };
        attributes.push((name.trim().to_owned(), unescaped(value)));
        rest = more;
    }
    let name = name.rsplit(':').next().unwrap_or(name).to_owned();
    Element { name, attributes, text: String::new(), line, depth }
}

fn unescaped(value: &str) -> String {
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")]
        .iter()
        .fold(value.to_owned(), |value, (escaped, plain)| value.replace(escaped, plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_have_lines_and_attributes() {
        let text = "<?xml version=\"1.0\"?>\n<!-- <include file=\"no\"/> -->\n<databaseChangeLog\n  xmlns=\"http://x/\">\n\
                    <include file='a &amp; b.sql'\n relativeToChangelogFile=\"true\"/>\n<lb:changeSet id=\"1\" author=\"a>b\">\
                    <sql><![CDATA[ a < b ]]></sql></lb:changeSet>\n</databaseChangeLog>\n";
        let found = elements(text).unwrap();
        let shown: Vec<(&str, u64, usize)> =
            found.iter().map(|element| (element.name.as_str(), element.line, element.depth)).collect();
        assert_eq!(shown, [("databaseChangeLog", 3, 0), ("include", 5, 1), ("changeSet", 7, 1), ("sql", 7, 2)]);
        assert_eq!(found[3].text, " a < b ");
        assert_eq!((found[1].get("file"), found[2].get("author")), (Some("a & b.sql"), Some("a>b")));
        let mixed = elements("<a> 1 &lt; <b>x</b>2<!-- no --><![CDATA[ &lt; ]]></a>").unwrap();
        assert_eq!((mixed[0].text.as_str(), mixed[1].text.as_str()), (" 1 < 2 &lt; ", "x"));
        for (text, line) in [("<a>\n", 1), ("<a>\n<b\n", 2), ("</a>", 1), ("<!-- \n", 1)] {
            assert_eq!(elements(text), Err(line), "{text}");
        }
    }
}
