//! Regular expressions that end statements, as far as they are texts behind blanks.
//!
//! Liquibase 4.33 (`StringUtil.isDelimiter`) matches the expression, with blanks before it where that is its first alternative, against a
//! word or sign and the blanks before that. What asks for more than blanks, a text and its end can never match there.

/// Alternatives at most; groups within groups multiply.
const MOST: usize = 32;

/// One way to end a statement.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Way {
    pub(super) text: String,
    /// A line end stands before it.
    pub(super) begins_line: bool,
    /// Blanks may stand between the line end and it.
    pub(super) is_indented: bool,
    /// Blanks or line ends stand before it.
    has_blanks: bool,
    /// A line end stands behind it.
    pub(super) ends_line: bool,
}

/// A part of an alternative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Letter(char),
    /// Blanks: whether a line end is among those that must stand there, and whether others than line ends may.
    Blanks {
        ends_line: bool,
        may_indent: bool,
    },
    /// What stands for no letter: `$`, `\b`.
    Nothing,
}

/// The ways that an expression knows, without `;`. None where it asks for something else.
pub(super) fn read(written: &str) -> Option<Vec<Way>> {
    // Capitals make no difference anyway.
    let written = written.strip_prefix("(?i)").unwrap_or(written);
    let mut reader = Reader { rest: written };
    let alternatives = reader.alternatives()?;
    if !reader.rest.is_empty() {
        return None;
    }
    let first = alternatives.first()?.len();
    let mut ways = Vec::new();
    for (at, parts) in alternatives.concat().into_iter().enumerate() {
        let way = way(&parts)?;
        // Blanks may stand before the first alternative alone, and nothing ends a statement without any.
        if (at < first || way.has_blanks) && way.text != ";" {
            merge(&mut ways, way);
        }
    }
    Some(ways)
}

/// A line that the file ends with has no end of its own.
fn merge(ways: &mut Vec<Way>, way: Way) {
    let is_same = |known: &&mut Way| known.text.eq_ignore_ascii_case(&way.text) && known.begins_line == way.begins_line;
    match ways.iter_mut().find(is_same) {
        Some(known) => {
            known.ends_line &= way.ends_line;
            known.is_indented |= way.is_indented;
        }
        None => ways.push(way),
    }
}

/// Blanks, letters, blanks.
fn way(parts: &[Part]) -> Option<Way> {
    let is_letter = |part: &Part| matches!(part, Part::Letter(_));
    let (start, end) = (parts.iter().position(is_letter)?, parts.iter().rposition(is_letter)? + 1);
    let mut way = Way { has_blanks: start > 0, ..Way::default() };
    for part in &parts[..start] {
        match part {
            Part::Blanks { ends_line, may_indent } => {
                way.begins_line |= ends_line;
                way.is_indented |= way.begins_line && *may_indent;
            }
            Part::Letter(_) | Part::Nothing => return None,
        }
    }
    for part in &parts[start..end] {
        let Part::Letter(letter) = part else { return None };
        way.text.push(*letter);
    }
    way.ends_line = parts[end..].iter().any(|part| matches!(part, Part::Blanks { ends_line: true, .. }));
    Some(way)
}

struct Reader<'e> {
    rest: &'e str,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let letter = self.rest.chars().next()?;
        self.rest = &self.rest[letter.len_utf8()..];
        Some(letter)
    }

    fn takes(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Up to the end or the end of the group: for each alternative what it may be.
    fn alternatives(&mut self) -> Option<Vec<Vec<Vec<Part>>>> {
        let mut found = vec![self.alternative()?];
        while self.takes("|") {
            found.push(self.alternative()?);
        }
        Some(found)
    }

    fn alternative(&mut self) -> Option<Vec<Vec<Part>>> {
        let mut found: Vec<Vec<Part>> = vec![Vec::new()];
        while !self.rest.is_empty() && !self.rest.starts_with(['|', ')']) {
            let choices = self.choices()?;
            if found.len() * choices.len() > MOST {
                return None;
            }
            let joined = found.iter().flat_map(|before| choices.iter().map(move |after| [&before[..], after].concat()));
            found = joined.collect();
        }
        Some(found)
    }

    /// What may stand at one place.
    fn choices(&mut self) -> Option<Vec<Vec<Part>>> {
        let letter = self.next()?;
        let choices = match letter {
            '(' => {
                let _ = self.takes("?:");
                let inner = self.alternatives()?.concat();
                return (self.takes(")") && !self.is_repeated()).then_some(inner);
            }
            '[' => self.class()?,
            '\\' => vec![self.escaped()?],
            '$' => vec![Part::Nothing],
            '*' | '+' | '?' | '{' | '}' | '^' | '.' | ']' | ')' => return None,
            letter if letter.is_whitespace() || letter.is_control() => return None,
            letter => vec![Part::Letter(letter)],
        };
        let blanks = choices.iter().filter_map(|part| match part {
            Part::Blanks { ends_line, may_indent } => Some((*ends_line, *may_indent)),
            _ => None,
        });
        let blanks: Vec<(bool, bool)> = blanks.collect();
        if blanks.len() < choices.len() {
            return (blanks.is_empty() && !self.is_repeated())
                .then(|| choices.iter().map(|part| vec![*part]).collect());
        }
        let is_optional = self.rest.starts_with(['*', '?']);
        if self.is_repeated() {
            self.next();
        }
        let ends_line = !is_optional && blanks.iter().all(|(ends_line, _)| *ends_line);
        let may_indent = blanks.iter().any(|(_, may_indent)| *may_indent);
        Some(vec![vec![Part::Blanks { ends_line, may_indent }]])
    }

    fn is_repeated(&self) -> bool {
        self.rest.starts_with(['*', '+', '?', '{'])
    }

    fn escaped(&mut self) -> Option<Part> {
        Some(match self.next()? {
            'n' => Part::Blanks { ends_line: true, may_indent: false },
            'r' => Part::Blanks { ends_line: false, may_indent: false },
            's' | 't' => Part::Blanks { ends_line: false, may_indent: true },
            'b' => Part::Nothing,
            letter if letter.is_ascii_alphanumeric() => return None,
            letter => Part::Letter(letter),
        })
    }

    /// The letters between `[` and `]`.
    fn class(&mut self) -> Option<Vec<Part>> {
        let mut found = Vec::new();
        loop {
            match self.next()? {
                ']' if !found.is_empty() => return Some(found),
                '[' | ']' | '^' | '-' | '&' => return None,
                '\\' => found.push(self.escaped().filter(|part| *part != Part::Nothing)?),
                letter => found.push(Part::Letter(letter)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each way with `^` where it begins a line, `^ ` where blanks may stand there, and `$` where nothing follows.
    fn shown(written: &str) -> Option<String> {
        let shown = |way: &Way| {
            let before = match (way.begins_line, way.is_indented) {
                (true, true) => "^ ",
                (true, false) => "^",
                _ => "",
            };
            format!("{before}{}{}", way.text, if way.ends_line { "$" } else { "" })
        };
        Some(read(written)?.iter().map(shown).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn expressions_are_texts_behind_blanks() {
        for (written, expected) in [
            ("\\nGO", Some("^GO")),
            ("\\n+GO", Some("^GO")),
            ("\\n*GO", Some("GO")),
            ("\\n\\s*GO", Some("^ GO")),
            ("\\s*\\nGO", Some("^GO")),
            ("[\\s\\n]*GO", Some("GO")),
            ("[\\r\\n]+GO", Some("GO")),
            ("(?i)\\nGO\\b", Some("^GO")),
            ("\\r?\\n/\\s*\\n", Some("^/$")),
            ("\\n/$", Some("^/")),
            ("\\n/\\s*\\n|\\n/\\s*$", Some("^/")),
            ("\\n/|\\nGO", Some("^/ ^GO")),
            ("\\n(GO|/)", Some("^GO ^/")),
            ("(\\n/|;|\\nGO)$", Some("^/ ^GO")),
            ("(?:GO|/)", Some("GO /")),
            ("[;/]", Some("/")),
            ("\\n[/@]", Some("^/ ^@")),
            ("\\/", Some("/")),
            ("\\$\\$", Some("$$")),
            ("\\*\\*", Some("**")),
            // What can never match there.
            (";|GO", Some("")),
            ("GO|/", Some("GO")),
            (";|\\nGO", Some("^GO")),
            // What asks for more.
            ("^GO$", None),
            (".*GO", None),
            ("G+O", None),
            ("\\w+", None),
            ("[a-z]", None),
            ("[^;]", None),
            ("(GO", None),
            ("GO)", None),
            ("(GO)?", None),
            ("GO\\sON", None),
            ("GO{2}", None),
            ("\\n", None),
            ("\\", None),
            ("[", None),
            ("(a|b)(c|d)(e|f)(g|h)(i|j)(k|l)", None),
        ] {
            assert_eq!(shown(written).as_deref(), expected, "{written}");
        }
    }
}
