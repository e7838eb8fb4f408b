//! Items that follow each other, as one message of several statements.
//!
//! The server stops at the first statement that fails: a Commit behind a guard that failed never runs. Each statement has one
//! result, in their order, so that it is known which item an answer belongs to; statements that could have several (CALL) are
//! not joined. Values stand in the text as constants.
//!
//! Of a user's statements those are joined that change rows within the flight's transaction. Everything must be as if each had
//! been sent alone. So the server is asked behind each for its warnings, which it keeps of the last one only; a statement that
//! asks how many rows the one before it changed goes alone, and so does that one; nothing is joined whose end the server could
//! see elsewhere, or that ends well when it is killed.

use limosa_sql::Engine;

use super::diagnostics;
use super::error;
use super::flight::{BEGIN, COMMIT, ROLLBACK};
use super::markers::{self, Filled, Marked};
use super::reply::ServerError;
use super::value;
use crate::{DbError, Item, Value};

/// Bytes of the longest joined message. Longer texts cost more to copy than a wait saves.
const LONGEST: usize = 1 << 20;

/// Bytes of the longest statement of a user's that is joined, for the same reason.
const LONGEST_SCRIPT: usize = 1 << 14;

/// Between two statements; one of a user's may end with a comment.
const SEPARATOR: &str = "\n;\n";

/// Verbs of a user's statements that are joined. None can commit, none can change how the next one is read, and none can have
/// several results.
const ROWS: [&str; 4] = ["delete", "insert", "replace", "update"];

/// Functions that end well when they are killed, so that a message would go on behind them.
const WAITING: [&str; 4] = ["sleep", "get_lock", "wait", "benchmark"];

/// Statements that give exactly one result. Not among them: CALL, EXECUTE, and blocks.
const ONE_RESULT: [&str; 21] = [
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
    "show",
    "start",
    "truncate",
    "unlock",
    "update",
];

/// Items whose statements go out in one message.
pub(super) struct Joined {
    longest: usize,
    /// What is pushed next runs in a transaction of the flight's.
    bracketed: bool,
    pub(super) sql: String,
    pub(super) members: Vec<Member>,
}

/// One of the items.
pub(super) struct Member {
    pub(super) item: Item,
    pub(super) statements: Vec<Statement>,
    /// The last of the statements asks for the warnings of the one before it.
    listens: bool,
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
    /// For messages of at most so many bytes; `bracketed` where a transaction of the flight's is open.
    pub(super) fn new(longest: usize, bracketed: bool) -> Joined {
        Joined { longest: longest.min(LONGEST), bracketed, sql: String::new(), members: Vec::new() }
    }

    /// Takes an item in, or gives it back where it cannot be joined or has no room.
    pub(super) fn push(&mut self, item: Item) -> Result<(), Box<Item>> {
        let Some(texts) = self.texts(&item) else { return Err(Box::new(item)) };
        let length: usize = texts.iter().map(|text| text.sql.len() + SEPARATOR.len()).sum();
        let reserve = 2 * (diagnostics::READ.len() + SEPARATOR.len());
        if texts.is_empty() || self.sql.len() + length + reserve > self.longest {
            return Err(Box::new(item));
        }
        self.listen();
        let statements = texts.into_iter().map(|text| self.append(text)).collect();
        match item {
            Item::Begin | Item::BeginGuarded | Item::BeginAhead => self.bracketed = true,
            Item::Commit | Item::Rollback => self.bracketed = false,
            _ => {}
        }
        self.members.push(Member { item, statements, listens: false });
        Ok(())
    }

    /// Asks for the warnings of the last item, where it is a user's.
    pub(super) fn listen(&mut self) {
        if self.members.last().is_some_and(|last| matches!(last.item, Item::Script(_)) && !last.listens) {
            let asked = self.append(Text::fixed(diagnostics::READ));
            if let Some(last) = self.members.last_mut() {
                last.statements.push(asked);
                last.listens = true;
            }
        }
    }

    /// Gives back the last item, where it is a user's and others stay.
    pub(super) fn take_last_script(&mut self) -> Option<Item> {
        if self.members.len() < 2 {
            return None;
        }
        let last = self.members.pop_if(|last| matches!(last.item, Item::Script(_)))?;
        let begin = last.statements.first().map_or(0, |statement| statement.begin);
        self.sql.truncate(begin.saturating_sub(SEPARATOR.len()));
        Some(last.item)
    }

    fn append(&mut self, Text { sql, offset, constants }: Text) -> Statement {
        if !self.sql.is_empty() {
            self.sql.push_str(SEPARATOR);
        }
        let statement = Statement { begin: self.sql.len(), length: sql.len(), offset, constants };
        self.sql.push_str(&sql);
        statement
    }

    /// Itself, or the only item where joining saves nothing.
    pub(super) fn split_single(mut self) -> Result<Joined, Box<Item>> {
        match &self.members[..] {
            [only] if only.statements.len() == 1 => {}
            _ => return Ok(self),
        }
        self.members.pop().map_or_else(|| Ok(Joined::new(self.longest, false)), |member| Err(Box::new(member.item)))
    }

    /// What the server says about one of the statements, with the place in the text of its item.
    pub(super) fn error(&self, statement: &Statement, said: ServerError) -> DbError {
        let (own, behind) = self.sql[statement.begin..].split_at(statement.length);
        let mut error = error::of_joined(said, own, behind);
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
            Item::Begin | Item::BeginGuarded | Item::BeginAhead => Some(vec![Text::fixed(BEGIN)]),
            Item::Commit => Some(vec![Text::fixed(COMMIT)]),
            Item::Rollback => Some(vec![Text::fixed(ROLLBACK)]),
            Item::Control(sql) => self.split(sql, &ONE_RESULT),
            Item::Bound { sql, parameters } | Item::Seldom { sql, parameters, .. } => {
                let length = |value: &Value| if let Value::Text(text) = value { text.len() } else { 0 };
                let known: usize = parameters.iter().map(length).sum();
                if known > self.longest {
                    return None;
                }
                let mut texts = self.split(sql, &ONE_RESULT)?;
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
            Item::Script(sql) => {
                // What stands in a comment for certain versions is the server's to read.
                let plain =
                    self.bracketed && sql.len() <= LONGEST_SCRIPT && !sql.contains("/*!") && !sql.contains("/*M!");
                let lower = sql.to_ascii_lowercase();
                if !plain
                    || diagnostics::asks_for_counts(sql)
                    || WAITING.iter().any(|function| lower.contains(function))
                {
                    return None;
                }
                // One that was delimited otherwise may hold several, which the server would refuse.
                self.split(sql, &ROWS).filter(|texts| texts.len() == 1)
            }
            Item::Await | Item::CopyStart(_) | Item::CopyData(_) | Item::CopyEnd => None,
        }
    }

    fn split(&self, sql: &str, verbs: &[&str]) -> Option<Vec<Text>> {
        // Where a backslash escapes a quote depends on the session's mode, and so would the end of the statement.
        if sql.len() > self.longest || sql.contains('\\') {
            return None;
        }
        let pieces = limosa_sql::split(Engine::Mysql, "", sql.as_bytes()).ok()?;
        let statements = pieces.iter().filter(|piece| !piece.statement().is_empty());
        let joinable = |sql: &str| {
            let word = sql.split(|letter: char| !letter.is_ascii_alphabetic()).next().unwrap_or_default();
            verbs.iter().any(|verb| word.eq_ignore_ascii_case(verb))
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
