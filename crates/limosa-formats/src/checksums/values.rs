//! Flyway's way of putting values into a text, which the checksums of its repeatables are of: placeholders everywhere, comments and
//! dollar-quoted strings among it, by names in any case (Flyway, `PlaceholderReplacingReader.java`). No other text may stand between the marks.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use limosa_sql::PlaceholderMarks;

/// Values of placeholders, and how these are written.
#[derive(Debug, Clone)]
pub struct PutIn<'v> {
    marks: PlaceholderMarks,
    values: &'v BTreeMap<String, String>,
    /// The same by names in small letters.
    folded: HashMap<String, &'v str>,
    /// Those of the script alone, which win; in small letters.
    own: HashMap<String, String>,
}

/// What keeps values out of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotPutIn {
    /// No value has this name.
    NoValue(String),
    /// A placeholder is never closed.
    Unclosed,
    /// The file is no UTF-8.
    NoText,
}

impl<'v> PutIn<'v> {
    /// These values, for placeholders that are written so.
    pub fn new(marks: PlaceholderMarks, values: &'v BTreeMap<String, String>) -> PutIn<'v> {
        let folded = values.iter().map(|(name, value)| (name.to_lowercase(), value.as_str())).collect();
        PutIn { marks, values, folded, own: HashMap::new() }
    }

    /// With a value that one script has.
    #[must_use]
    pub fn with(mut self, name: &str, value: String) -> PutIn<'v> {
        self.own.insert(name.to_lowercase(), value);
        self
    }

    /// The value of a name; where it is given in several spellings, that of the same one goes first.
    pub fn value(&self, name: &str) -> Option<&str> {
        let folded = name.to_lowercase();
        let own = self.own.get(&folded).map(String::as_str);
        let same = || self.values.get(name).map(String::as_str);
        own.or_else(same).or_else(|| self.folded.get(&folded).copied())
    }

    /// The text with all values.
    ///
    /// # Errors
    /// Where Flyway stops: the first placeholder without a value, one that is never closed.
    pub fn put_in(&self, text: &str) -> Result<String, NotPutIn> {
        let (mut whole, mut done) = (String::with_capacity(text.len()), 0);
        let (all, is_closed) = found(self.marks, text);
        for (place, name) in all {
            let value = self.value(name).ok_or_else(|| NotPutIn::NoValue(name.to_owned()))?;
            whole.push_str(&text[done..place.start]);
            whole.push_str(value);
            done = place.end;
        }
        whole.push_str(&text[done..]);
        if is_closed { Ok(whole) } else { Err(NotPutIn::Unclosed) }
    }

    /// The names in a text, each once whatever its case, as far as they are closed.
    pub fn names<'t>(&self, text: &'t str) -> Vec<&'t str> {
        let mut names: Vec<&str> = Vec::new();
        for (_, name) in found(self.marks, text).0 {
            if !names.iter().any(|known| known.to_lowercase() == name.to_lowercase()) {
                names.push(name);
            }
        }
        names
    }
}

/// Each placeholder with its name, and whether all of them are closed. A letter that looks like the beginning of a mark and is none takes those before it along, so that
/// `$${name}` is none.
fn found(marks: PlaceholderMarks, text: &str) -> (Vec<(Range<usize>, &str)>, bool) {
    let (prefix, suffix) = (marks.prefix(), marks.suffix());
    let (mut all, mut at) = (Vec::new(), 0);
    let Some(first) = prefix.chars().next() else { return (all, true) };
    while let Some(ahead) = text[at..].find(first) {
        at += ahead;
        let begin = at;
        if text[at..].starts_with(prefix) {
            let inside = at + prefix.len();
            let Some(length) = text[inside..].find(suffix) else { return (all, false) };
            at = inside + length + suffix.len();
            all.push((begin..at, &text[inside..inside + length]));
            continue;
        }
        let alike = text[at..].chars().zip(prefix.chars()).take_while(|(one, other)| one == other).count();
        at += text[at..].chars().take(alike + 1).map(char::len_utf8).sum::<usize>();
    }
    (all, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> BTreeMap<String, String> {
        let pairs =
            [("p", "1"), ("Name", "Me"), ("empty", ""), ("flyway:user", "app"), ("NAME", "ME"), ("lines", "a\nb")];
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    #[test]
    fn as_flyways_reader_does() {
        let values = values();
        let put_in = PutIn::new(PlaceholderMarks::default(), &values).with("flyway:filename", "R__v.sql".to_owned());
        for (text, expected) in [
            ("select ${p};", "select 1;"),
            ("-- ${P} ${flyway:USER}\n/* ${p} */ $$${p}$$", "-- 1 app\n/* 1 */ $$1$$"),
            ("$$ ${p} $$", "$$ 1 $$"),
            ("$${p}", "$${p}"),
            ("$$${p}", "$$1"),
            ("$a${p}$", "$a1$"),
            ("${Name} ${NAME}", "Me ME"),
            ("${empty}${p}${empty}", "1"),
            ("${FLYWAY:filename}", "R__v.sql"),
            ("\u{e4}$\u{e4}${p}\u{e4}", "\u{e4}$\u{e4}1\u{e4}"),
            ("$", "$"),
            ("", ""),
            ("none", "none"),
        ] {
            assert_eq!(put_in.put_in(text).as_deref(), Ok(expected), "{text}");
        }
        for (text, expected) in [
            ("${q}", NotPutIn::NoValue("q".to_owned())),
            ("-- ${q} ${p}", NotPutIn::NoValue("q".to_owned())),
            ("${ p }", NotPutIn::NoValue(" p ".to_owned())),
            ("${p:literal}", NotPutIn::NoValue("p:literal".to_owned())),
            ("${a${p}}", NotPutIn::NoValue("a${p".to_owned())),
            ("${}", NotPutIn::NoValue(String::new())),
            ("${p", NotPutIn::Unclosed),
            ("${p} ${", NotPutIn::Unclosed),
        ] {
            assert_eq!(put_in.put_in(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn with_other_marks() {
        let values = BTreeMap::from([("p".to_owned(), "1".to_owned())]);
        let of = |prefix: &str, suffix: &str, text: &str| {
            let marks = PlaceholderMarks::new(prefix, suffix, ":").expect("marks");
            PutIn::new(marks, &values).put_in(text)
        };
        assert_eq!(of("#[", "]", "#[p] ${p} ##[p]"), Ok("1 ${p} ##[p]".to_owned()));
        assert_eq!(of("%", "%", "%p%%p%"), Ok("11".to_owned()));
        assert_eq!(of("<<[", "]>>", "<<[p]>> <<<[p]>> <a<[p"), Ok("1 <<<[p]>> <a<[p".to_owned()));
    }

    #[test]
    fn names_are_told_once() {
        let values = values();
        let put_in = PutIn::new(PlaceholderMarks::default(), &values);
        assert_eq!(put_in.names("${p} -- ${q} ${P}\n${a b} ${"), ["p", "q", "a b"]);
        assert_eq!(put_in.names("$${p} ${"), [] as [&str; 0]);
        let marks = PlaceholderMarks::new("%", "%", ":").expect("marks");
        assert_eq!(PutIn::new(marks, &values).names("%p% 5 %"), ["p"]);
    }
}
