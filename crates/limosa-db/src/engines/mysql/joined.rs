//! limosa's own items that follow each other, as one message of several statements.
//!
//! The server stops at the first statement that fails: a Commit behind a guard that failed never runs. Each statement has one
//! result, in their order, so that it is known which item an answer belongs to; statements that could have several (CALL) are
//! not joined. Values stand in the text as constants.

use limosa_sql::Engine;

use super::error;
use super::flight::{BEGIN, COMMIT, ROLLBACK};
use super::markers::{self, Filled, Marked};
use super::reply::ServerError;
use super::value;
use crate::{DbError, Item, Value};

/// Bytes of the longest joined message. Longer texts cost more to copy than a wait saves.
const LONGEST: usize = 1 << 20;

/// Between two statements.
const SEPARATOR: &str = ";\n";

/// Statements that give exactly one result. Not among them: CALL, EXECUTE, and blocks.
const ONE_RESULT: [&str; 20] = [
    "alter",
    "commit",
    "create",
    "delete",
    "do",
    "drop",
    "grant",
    "insert",
    "lock",
    "release",
    "rename",
    "replace",
    "rollback",
    "savepoint",
    "select",
    "set",
    "start",
    "truncate",
    "unlock",
    "update",
];

/// Items whose statements go out in one message.
pub(super) struct Joined {
    longest: usize,
    pub(super) sql: String,
    pub(super) members: Vec<Member>,
}

/// One of the items.
pub(super) struct Member {
    pub(super) item: Item,
    pub(super) statements: Vec<Statement>,
}

/// One of the statements of an item.
pub(super) struct Statement {
    /// Where it begins in the message.
    begin: usize,
    /// Bytes of it in the message.
    length: usize,
    /// Where it begins in the text of its item.
    offset: usize,
    constants: Option<(Marked, Filled)>,
}

impl Joined {
    /// For messages of at most so many bytes.
    pub(super) fn new(longest: usize) -> Joined {
        Joined { longest: longest.min(LONGEST), sql: String::new(), members: Vec::new() }
    }

    /// Takes an item in, or gives it back where it cannot be joined or has no room.
    pub(super) fn push(&mut self, item: Item) -> Result<(), Box<Item>> {
        let Some(texts) = self.texts(&item) else { return Err(Box::new(item)) };
        let length: usize = texts.iter().map(|text| text.sql.len() + SEPARATOR.len()).sum();
        if texts.is_empty() || self.sql.len() + length > self.longest {
            return Err(Box::new(item));
        }
        let mut statements = Vec::with_capacity(texts.len());
        for Text { sql, offset, constants } in texts {
            if !self.sql.is_empty() {
                self.sql.push_str(SEPARATOR);
            }
            statements.push(Statement { begin: self.sql.len(), length: sql.len(), offset, constants });
            self.sql.push_str(&sql);
        }
        self.members.push(Member { item, statements });
        Ok(())
    }

    /// Itself, or the only item where joining saves nothing.
    pub(super) fn split_single(mut self) -> Result<Joined, Box<Item>> {
        match &self.members[..] {
            [only] if only.statements.len() == 1 => {}
            _ => return Ok(self),
        }
        self.members.pop().map_or_else(|| Ok(Joined::new(self.longest)), |member| Err(Box::new(member.item)))
    }

    /// What the server says about one of the statements, with the place in the text of its item.
    pub(super) fn error(&self, statement: &Statement, said: ServerError) -> DbError {
        let own = statement.begin..statement.begin + statement.length;
        // The server quotes the rest of the message, not only that of the statement.
        let mut error = error::of_statement(said.clone(), &self.sql[own.start..]);
        if error.position.is_none_or(|position| position >= statement.length) {
            let alone = error::of_statement(said, &self.sql[own]).position;
            error.position = alone.or(error.position.map(|_| statement.length));
        }
        error.position = error.position.map(|position| {
            let position = match &statement.constants {
                Some((marked, filled)) => filled.original(marked, position),
                None => position,
            };
            statement.offset + position
        });
        error
    }

    /// The statements of an item; None where it cannot be joined.
    fn texts(&self, item: &Item) -> Option<Vec<Text>> {
        match item {
            Item::Begin => Some(vec![Text::fixed(BEGIN)]),
            Item::Commit => Some(vec![Text::fixed(COMMIT)]),
            Item::Rollback => Some(vec![Text::fixed(ROLLBACK)]),
            Item::Control(sql) => self.split(sql),
            Item::Bound { sql, parameters } => {
                let length = |value: &Value| if let Value::Text(text) = value { text.len() } else { 0 };
                let known: usize = parameters.iter().map(length).sum();
                if known > self.longest {
                    return None;
                }
                let mut texts = self.split(sql)?;
                // More than one is the server's to refuse.
                let [text] = &mut texts[..] else { return None };
                if !parameters.is_empty() {
                    let marked = markers::mark(&text.sql, parameters.len()).ok()?;
                    let constants: Vec<String> = parameters.iter().map(value::constant).collect();
                    let filled = marked.fill(&constants);
                    text.sql.clone_from(&filled.sql);
                    text.constants = Some((marked, filled));
                }
                Some(texts)
            }
            Item::Script(_) | Item::CopyStart(_) | Item::CopyData(_) | Item::CopyEnd => None,
        }
    }

    fn split(&self, sql: &str) -> Option<Vec<Text>> {
        // Where a backslash escapes a quote depends on the session's mode, and so would the end of the statement.
        if sql.len() > self.longest || sql.contains('\\') {
            return None;
        }
        let pieces = limosa_sql::split(Engine::Mysql, "", sql.as_bytes()).ok()?;
        let statements = pieces.iter().filter(|piece| !piece.statement().is_empty());
        let joinable = |sql: &str| {
            let word = sql.split(|letter: char| !letter.is_ascii_alphabetic()).next().unwrap_or_default();
            ONE_RESULT.iter().any(|verb| word.eq_ignore_ascii_case(verb))
        };
        statements
            .map(|piece| {
                let offset = usize::try_from(piece.body_start()).ok()?;
                let sql = piece.statement();
                joinable(sql).then(|| Text { sql: sql.to_owned(), offset, constants: None })
            })
            .collect()
    }
}

/// A statement before it has a place in the message.
struct Text {
    sql: String,
    offset: usize,
    constants: Option<(Marked, Filled)>,
}

impl Text {
    fn fixed(sql: &str) -> Text {
        Text { sql: sql.to_owned(), offset: 0, constants: None }
    }
}
