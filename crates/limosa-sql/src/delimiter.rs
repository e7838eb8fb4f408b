//! What ends statements besides `;`, where another tool's file says so.

mod expression;

use serde::{Deserialize, Serialize};

use crate::{Diagnostic, Dialect, PieceKind, Splitter};

/// A text that ends statements, outside of strings, quoted names and comments. `;` ends them all the same where it stands between two.
///
/// It is written as Liquibase takes its attribute `endDelimiter` (Liquibase 4.33, `StringUtil.isDelimiter`): a text, or a regular
/// expression of texts behind blanks, such as `\nGO`, `\n/\s*\n`, `\n(GO|/)`. Capitals make no difference.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EndDelimiter {
    text: String,
    /// It counts as the first of its line only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    begins_line: bool,
    /// It counts where nothing but blanks follows on its line.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    ends_line: bool,
    /// Blanks may stand before it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_indented: bool,
    /// A blank or a line end stands before it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    behind_blank: bool,
    /// Other texts that end statements as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    others: Vec<EndDelimiter>,
}

/// Whether a delimiter stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    No,
    /// More text is needed.
    Unknown,
    /// It does, and has so many bytes.
    Here(usize),
}

impl EndDelimiter {
    /// Reads what an attribute says; None where `;` alone ends statements.
    ///
    /// # Errors
    /// A regular expression of another kind.
    pub fn read(written: &str) -> Result<Option<EndDelimiter>, NotPlain> {
        if is_literal(written) {
            // A slash elsewhere divides.
            let begins_line = written == "/";
            let literal = EndDelimiter { text: written.to_owned(), begins_line, ..EndDelimiter::default() };
            return Ok(Some(literal).filter(|delimiter| delimiter.text != ";"));
        }
        let ways = expression::read(written).ok_or(NotPlain)?;
        Ok(EndDelimiter::any_of(ways.into_iter().map(|way| EndDelimiter {
            text: way.text,
            begins_line: way.begins_line,
            ends_line: way.ends_line,
            is_indented: way.is_indented,
            behind_blank: true,
            others: Vec::new(),
        })))
    }

    /// A text that stands for itself, wherever it stands.
    pub fn of_text(text: &str) -> EndDelimiter {
        EndDelimiter { text: text.to_owned(), ..EndDelimiter::default() }
    }

    /// What ends statements where Liquibase is told nothing: `GO` and `/`, each as the first of its line.
    pub fn of_lines() -> EndDelimiter {
        let of = |text: &str| EndDelimiter { text: text.to_owned(), begins_line: true, ..EndDelimiter::default() };
        EndDelimiter { others: vec![of("/")], ..of("GO") }
    }

    /// True where [`EndDelimiter::of_lines`] may end something in a line.
    pub fn is_of_lines(line: &str) -> bool {
        let is_go =
            line.get(..2).is_some_and(|word| word.eq_ignore_ascii_case("go")) && !line[2..].starts_with(is_of_word);
        is_go || (line.starts_with('/') && !line.starts_with("/*"))
    }

    fn any_of(all: impl Iterator<Item = EndDelimiter>) -> Option<EndDelimiter> {
        let mut all = all;
        let first = all.next()?;
        Some(EndDelimiter { others: all.collect(), ..first })
    }

    /// The same, for a text in which blanks stand where each line began otherwise.
    #[must_use]
    pub fn behind_blanks(self) -> EndDelimiter {
        let others = self.others.into_iter().map(EndDelimiter::behind_blanks).collect();
        EndDelimiter { is_indented: true, others, ..self }
    }

    /// The first text, without the conditions under which it counts. Others stand behind blanks or line ends only.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// True for `GO` and its like, which are no part of a longer word.
    fn is_word(&self) -> bool {
        self.text.starts_with(is_of_word) || self.text.ends_with(is_of_word)
    }

    fn ends_with_slash(&self) -> bool {
        self.text.ends_with('/')
    }

    /// Looks whether it stands at `at`. `is_first`: nothing stands before it. `last`: no more text will come.
    pub(crate) fn stands_at(&self, text: &[u8], at: usize, is_first: bool, last: bool) -> Standing {
        let mut standing = self.one_stands_at(text, at, is_first, last);
        for other in &self.others {
            match (standing, other.stands_at(text, at, is_first, last)) {
                (Standing::Here(_), _) => break,
                (Standing::No, found) | (_, found @ Standing::Here(_)) => standing = found,
                (Standing::Unknown, _) => {}
            }
        }
        standing
    }

    fn one_stands_at(&self, text: &[u8], at: usize, is_first: bool, last: bool) -> Standing {
        let (own, rest) = (self.text.as_bytes(), text.get(at..).unwrap_or_default());
        let shared = own.len().min(rest.len());
        if own.is_empty() || !own[..shared].eq_ignore_ascii_case(&rest[..shared]) {
            return Standing::No;
        }
        let before = at.checked_sub(1).and_then(|before| text.get(before)).copied();
        let blanks = |byte: &&u8| self.is_indented && matches!(byte, b' ' | b'\t');
        let solid = text.get(..at).unwrap_or_default().iter().rev().find(|byte| !blanks(byte));
        let begins_line = is_first || matches!(solid, None | Some(b'\n' | b'\r'));
        let within_word = self.is_word() && before.is_some_and(|byte| is_of_word(char::from(byte)));
        let is_apart = is_first || before.is_none_or(|byte| byte.is_ascii_whitespace());
        if (self.begins_line && !begins_line) || (self.behind_blank && !is_apart) || within_word {
            return Standing::No;
        }
        if shared < own.len() {
            return if last { Standing::No } else { Standing::Unknown };
        }
        let behind = &rest[own.len()..];
        let next = match self.ends_line {
            true => behind.iter().find(|byte| !matches!(byte, b' ' | b'\t')),
            false => behind.first(),
        };
        match next {
            None if last => Standing::Here(own.len()),
            None if self.ends_line || self.is_word() || self.ends_with_slash() => Standing::Unknown,
            // A comment begins here.
            Some(b'*') if self.ends_with_slash() => Standing::No,
            Some(byte) if self.ends_line && !matches!(byte, b'\n' | b'\r') => Standing::No,
            Some(byte) if self.is_word() && is_of_word(char::from(*byte)) => Standing::No,
            _ => Standing::Here(own.len()),
        }
    }

    /// The same script with `;` where the delimiter stands. Lines, and what stands on each, stay where they are.
    ///
    /// # Errors
    /// What is wrong with the script.
    pub fn replaced(&self, dialect: Dialect, file: &str, text: &str) -> Result<String, Box<Diagnostic>> {
        let mut splitter = Splitter::new(dialect, file).with_delimiter(Some(self));
        splitter.feed(text.as_bytes());
        splitter.finish();
        let mut replaced = String::with_capacity(text.len());
        while let Some(piece) = splitter.next_piece()? {
            let written = String::from_utf8_lossy(&piece.text);
            let stands = |text: &String| {
                let start = written.len().checked_sub(text.len()).filter(|at| written.is_char_boundary(*at))?;
                let is_it = written[start..].eq_ignore_ascii_case(text);
                let is_alone = written[..start].trim().is_empty();
                let ends = is_alone || matches!(piece.kind, PieceKind::Statement(_)) && start >= piece.body.1;
                (is_it && ends).then_some(start)
            };
            match std::iter::once(self).chain(&self.others).find_map(|one| stands(&one.text)) {
                Some(start) => {
                    replaced.push_str(&written[..start]);
                    replaced.push(';');
                    replaced.extend(written[start..].chars().skip(1).map(|_| ' '));
                }
                None => replaced.push_str(&written),
            }
        }
        Ok(replaced)
    }
}

/// A regular expression that is more than a text at the end of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotPlain;

fn is_of_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_' || !letter.is_ascii()
}

/// True where a text stands for itself, whether or not it is read as a regular expression.
fn is_literal(text: &str) -> bool {
    let mut letters = text.chars();
    let Some(first) = letters.next() else { return false };
    let is_repeated = letters.all(|letter| letter == first) && !first.is_whitespace() && first != '\\';
    let is_plain =
        |letter: char| !letter.is_whitespace() && !letter.is_control() && !"\\[](){}*+?.^|$".contains(letter);
    is_repeated || text.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Engine, split};

    #[test]
    fn attributes_are_texts_or_lines() {
        for (written, expected) in [
            (";", Ok(None)),
            ("/", Ok(Some(("/", true, false)))),
            ("//", Ok(Some(("//", false, false)))),
            ("$$", Ok(Some(("$$", false, false)))),
            ("||", Ok(Some(("||", false, false)))),
            ("GO", Ok(Some(("GO", false, false)))),
            ("\\nGO", Ok(Some(("GO", true, false)))),
            ("\\n/", Ok(Some(("/", true, false)))),
            ("\\n/$", Ok(Some(("/", true, false)))),
            ("\\r?\\n/\\s*\\n", Ok(Some(("/", true, true)))),
            ("\\n/|\\nGO", Ok(Some(("/", true, false)))),
            ("[;]", Ok(None)),
            ("\\bGO\\b", Err(NotPlain)),
            ("", Err(NotPlain)),
        ] {
            let read = EndDelimiter::read(written);
            let shown = read.as_ref().map(|it| it.as_ref().map(|it| (it.text.as_str(), it.begins_line, it.ends_line)));
            assert_eq!(shown, expected.as_ref().map(|it| *it), "{written}");
        }
    }

    const ALL: [Engine; 3] = [Engine::Postgres, Engine::Mysql, Engine::Sqlite];

    #[test]
    fn statements_end_where_it_stands_outside_of_quotes() {
        for (written, text, expected) in [
            ("//", "a b// c\n //d", &["a b", "c", "d"][..]),
            ("//", "select '//', \"//\" /* // */ from t -- //\n//\nb", &["select '//', \"//\" /* // */ from t", "b"]),
            ("//", "a;b;//\n//c", &["a", "b", "c"]),
            ("$$", "select 1 end$$ select 2$$", &["select 1 end", "select 2"]),
            ("#", "a # b #", &["a", "b"]),
            ("/", "a / b\n/\nc\n /d\n/", &["a / b", "c\n /d"]),
            ("\\n/", "a\r\n/\r\nb", &["a", "b"]),
            ("\\n/\\n", "a\n/ b\n/ \nc\n/", &["a\n/ b", "c"]),
            ("\\n\\s*GO", "a\n\t go\nb go", &["a", "b go"]),
            ("(/|go)", "a/2\n/\nb GO c\n-go", &["a/2", "b", "c\n-go"]),
            ("\\n/|\\nGO", "a\n/\nb\ngo\nc / d", &["a", "b", "c / d"]),
            ("\\$\\$", "a\n$$ b", &["a", "b"]),
            ("GO", "a\ngo\nb category GO c gone", &["a", "b category", "c gone"]),
            ("\\nGO", "a go b\ngo\nc\nGO", &["a go b", "c"]),
        ] {
            let delimiter = EndDelimiter::read(written).unwrap().unwrap();
            for engine in ALL {
                for chunk in [1, 2, 3, 1000] {
                    let mut splitter = Splitter::new(engine, "a.sql").with_delimiter(Some(&delimiter));
                    let mut found = Vec::new();
                    let mut take = |splitter: &mut Splitter| {
                        while let Some(piece) = splitter.next_piece().unwrap() {
                            if matches!(piece.kind, PieceKind::Statement(_)) {
                                found.push(piece.statement().to_owned());
                            }
                        }
                    };
                    for part in text.as_bytes().chunks(chunk) {
                        splitter.feed(part);
                        take(&mut splitter);
                    }
                    splitter.finish();
                    take(&mut splitter);
                    assert_eq!(found, expected, "{written} {engine:?} in chunks of {chunk}: {text}");
                }
            }
        }
    }

    #[test]
    fn a_comment_in_its_place_is_no_slash() {
        let text = "select 1\n/\n/* a */\nselect 2\n/\n/*b*/ select 3";
        let delimiters = [
            EndDelimiter::of_lines(),
            EndDelimiter::read("/").unwrap().unwrap(),
            EndDelimiter::read("\\n/").unwrap().unwrap(),
        ];
        for delimiter in delimiters {
            for chunk in [1, 100] {
                let mut splitter = Splitter::new(Engine::Postgres, "a.sql").with_delimiter(Some(&delimiter));
                let mut found = Vec::new();
                for part in text.as_bytes().chunks(chunk) {
                    splitter.feed(part);
                    while let Some(piece) = splitter.next_piece().unwrap() {
                        found.push(piece);
                    }
                }
                splitter.finish();
                while let Some(piece) = splitter.next_piece().unwrap() {
                    found.push(piece);
                }
                let statements = found.iter().filter(|piece| matches!(piece.kind, PieceKind::Statement(_)));
                let statements: Vec<&str> = statements.map(|piece| piece.statement()).collect();
                assert_eq!(statements, ["select 1", "select 2", "select 3"], "{delimiter:?} in chunks of {chunk}");
            }
        }
    }

    #[test]
    fn lines_end_statements_where_nothing_is_said() {
        let text = "select 'GO'\nGO\na / 2\n  go\n/\ngo_on /* x */\n";
        for engine in ALL {
            let delimiter = EndDelimiter::of_lines();
            let mut splitter = Splitter::new(engine, "a.sql").with_delimiter(Some(&delimiter));
            splitter.feed(text.as_bytes());
            splitter.finish();
            let mut found = Vec::new();
            while let Some(piece) = splitter.next_piece().unwrap() {
                if matches!(piece.kind, PieceKind::Statement(_)) {
                    found.push(piece.statement().to_owned());
                }
            }
            assert_eq!(found, ["select 'GO'", "a / 2\n  go", "go_on"], "{engine:?}");
            let replaced = delimiter.replaced(engine.into(), "a.sql", text).unwrap();
            assert_eq!(replaced, "select 'GO'\n; \na / 2\n  go\n;\ngo_on /* x */\n");
        }
        for (line, expected) in [
            ("GO\r\n", true),
            ("go;", true),
            ("/\n", true),
            ("/ 2", true),
            ("/* x */", false),
            (" GO", false),
            ("going", false),
            ("g", false),
            ("gö", false),
        ] {
            assert_eq!(EndDelimiter::is_of_lines(line), expected, "{line}");
        }
    }

    #[test]
    fn bodies_keep_their_semicolons() {
        for (engine, text) in [
            (Engine::Mysql, "create procedure p() begin select 1; select 2; end;\n//\ncall p()//"),
            (Engine::Mysql, "create procedure p() begin select 1; select 2; end //\ncall p()"),
            (Engine::Sqlite, "create trigger r after insert on t begin select 1; select 2; end;\n//\ncall p()//"),
            (Engine::Postgres, "create function f() returns int as $$ select 1; $$ language sql;\n//\ncall p()//"),
        ] {
            let delimiter = EndDelimiter::read("//").unwrap().unwrap();
            let replaced = delimiter.replaced(engine.into(), "a.sql", text).unwrap();
            assert_eq!(replaced, text.replace("//", "; "));
            let pieces = split(engine, "a.sql", replaced.as_bytes()).unwrap();
            let statements = pieces.iter().filter(|piece| matches!(piece.kind, PieceKind::Statement(_)));
            assert_eq!(statements.count(), 2, "{text}");
        }
        let delimiter = EndDelimiter::read("\\nGO").unwrap().unwrap().behind_blanks();
        assert_eq!(delimiter.replaced(Engine::Sqlite.into(), "a.sql", "  a\n  GO\n b go").unwrap(), "  a\n  ; \n b go");
        let delimiter = EndDelimiter::read("//").unwrap().unwrap();
        let text = "-- see http://a\nselect '//'\n// -- end //\n";
        let replaced = delimiter.replaced(Engine::Sqlite.into(), "a.sql", text).unwrap();
        assert_eq!(replaced, "-- see http://a\nselect '//'\n;  -- end //\n");
    }
}
