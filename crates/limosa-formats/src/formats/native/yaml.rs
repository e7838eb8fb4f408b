//! YAML as a tree with places, texts as written. The only module that knows the YAML parser.

use limosa_sql::Position;
use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, ScanError, Span};

/// Deeper nesting is refused; a configuration has four levels.
const DEPTH_LIMIT: usize = 32;

/// A value with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) position: Position,
    pub(crate) value: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// Nothing was written (`key:`, `~`, `null`).
    Null,
    /// A text, number or truth value, as written: `001` stays `001`.
    Scalar(String),
    Sequence(Vec<Node>),
    Mapping(Vec<Entry>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) position: Position,
    pub(crate) value: Node,
}

/// What is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) message: String,
    pub(crate) position: Option<Position>,
}

/// Reads one document; None where there is none.
pub(crate) fn parse(text: &str) -> Result<Option<Node>, Broken> {
    let mut reader = Reader { parser: Parser::new_from_str(text) };
    let mut root = None;
    loop {
        match reader.next()? {
            (Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd, _) => {}
            (Event::StreamEnd, _) => return Ok(root),
            (_, span) if root.is_some() => return Err(broken("a second document; only one is read", span)),
            (event, span) => root = Some(reader.node(event, span, 0)?),
        }
    }
}

struct Reader<'a> {
    parser: Parser<'a, serde_saphyr::granit_parser::StrInput<'a>>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), Broken> {
        match self.parser.next_event() {
            None => Ok((Event::StreamEnd, Span::default())),
            Some(Ok((event, span))) => Ok((event, span)),
            Some(Err(error)) => Err(failed(&error)),
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, Broken> {
        if depth > DEPTH_LIMIT {
            return Err(broken("nested too deeply", span));
        }
        let value = match event {
            Event::Scalar(text, style, ..) => scalar(&text, style),
            Event::SequenceStart(..) => self.sequence(depth)?,
            Event::MappingStart(..) => self.mapping(depth)?,
            Event::Alias(_) => return Err(broken("aliases (*name) are not read; write the value out", span)),
            _ => return Err(broken("a value was expected", span)),
        };
        Ok(Node { position: place(span), value })
    }

    fn sequence(&mut self, depth: usize) -> Result<Value, Broken> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::Sequence(items)),
                (event, span) => items.push(self.node(event, span, depth + 1)?),
            }
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Value, Broken> {
        let mut entries = Vec::new();
        loop {
            let (key, position) = match self.next()? {
                (Event::MappingEnd, _) => return Ok(Value::Mapping(entries)),
                (Event::Scalar(text, ..), span) => (text.into_owned(), place(span)),
                (_, span) => return Err(broken("a key must be a plain word", span)),
            };
            let (event, span) = self.next()?;
            entries.push(Entry { key, position, value: self.node(event, span, depth + 1)? });
        }
    }
}

fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style == ScalarStyle::Plain && matches!(text, "" | "~" | "null" | "Null" | "NULL") {
        return Value::Null;
    }
    Value::Scalar(text.to_owned())
}

fn place(span: Span) -> Position {
    Position { line: span.start.line() as u64, column: span.start.col() as u64 + 1 }
}

fn broken(message: &str, span: Span) -> Broken {
    Broken { message: message.to_owned(), position: Some(place(span)) }
}

fn failed(error: &ScanError) -> Broken {
    let marker = error.marker();
    let position = Position { line: marker.line() as u64, column: marker.col() as u64 + 1 };
    Broken { message: error.info(), position: Some(position) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: u64, column: u64) -> Position {
        Position { line, column }
    }

    #[test]
    fn texts_stay_as_written() {
        let node = parse("a: 010\nb: [\"1\", off]\nc:\n  - d: ~\n").unwrap().unwrap();
        let Value::Mapping(entries) = node.value else { panic!() };
        assert_eq!((entries[0].key.as_str(), entries[0].position), ("a", at(1, 1)));
        assert_eq!(entries[0].value, Node { position: at(1, 4), value: Value::Scalar("010".to_owned()) });
        let Value::Sequence(items) = &entries[1].value.value else { panic!() };
        assert_eq!(items[1], Node { position: at(2, 10), value: Value::Scalar("off".to_owned()) });
        let Value::Sequence(items) = &entries[2].value.value else { panic!() };
        let Value::Mapping(inner) = &items[0].value else { panic!() };
        assert_eq!((inner[0].position, &inner[0].value.value), (at(4, 5), &Value::Null));
    }

    #[test]
    fn empty_and_comment_only_documents_are_nothing() {
        for text in ["", "\n", "# nothing\n"] {
            assert_eq!(parse(text), Ok(None), "{text:?}");
        }
    }

    #[test]
    fn what_is_not_read_is_named() {
        for (text, line, word) in [
            ("a: [1", 1, "bracket"),
            ("a: &x 1\nb: *x\n", 2, "alias"),
            ("a: 1\n---\nb: 1\n", 3, "second"),
            ("? [1]\n: 2\n", 1, "key"),
            (&format!("{}{}", "[".repeat(100), "]".repeat(100)), 1, "deep"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.message.contains(word), "{text:?}: {error:?}");
            assert_eq!(error.position.map(|position| position.line), Some(line), "{text:?}: {error:?}");
        }
    }
}
