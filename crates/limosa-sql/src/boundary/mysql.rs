//! Statements of MySQL and MariaDB. Semicolons inside the bodies of stored programs belong to the statement, and the
//! client needs a DELIMITER to see that; here the blocks are followed instead.
//!
//! What is a block follows from the place alone (`sp_proc_stmt` in sql_yacc.yy): BEGIN, IF, CASE, LOOP, WHILE, REPEAT and
//! FOR open one where a statement of a body begins, and only there; END closes one where a statement would begin, or
//! behind the condition of UNTIL. Elsewhere the same words are functions, expressions and names.

use super::Hanging;
use super::mysql_head::Head;
use crate::lexer::{Kind, Token};

/// What the next token stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Place {
    /// The first word of the statement.
    #[default]
    First,
    /// BEGIN came first: a transaction, or NOT ATOMIC follows.
    Begin,
    /// SET came first; `SET STATEMENT ... FOR` of MariaDB has another statement behind it.
    Set,
    SetStatement,
    /// What stands before the body of a stored program.
    Head(Head),
    /// A statement of a body begins.
    Start,
    /// Behind its first word, which a `:` would make a label.
    Named {
        /// It is the first word of the whole statement.
        outermost: bool,
    },
    /// Between IF and THEN, CASE and THEN, WHILE and DO, UNTIL and END.
    Condition,
    Declare,
    /// Behind CONTINUE, EXIT or UNDO, up to FOR.
    Handler,
    /// What a handler is for.
    HandledCondition,
    /// Behind that: a comma, or its statement.
    HandledNext,
    /// Behind END.
    End,
    /// Where only semicolons matter.
    Plain,
    /// Where only a delimiter matters.
    Opaque,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    Begin,
    If,
    Case,
    Loop,
    While,
    Repeat,
    For,
}

impl Block {
    fn opened_by(word: &[u8]) -> Option<Block> {
        let blocks = [
            ("begin", Block::Begin),
            ("if", Block::If),
            ("case", Block::Case),
            ("loop", Block::Loop),
            ("while", Block::While),
            ("repeat", Block::Repeat),
            ("for", Block::For),
        ];
        blocks.into_iter().find(|(key, _)| is(word, key)).map(|(_, block)| block)
    }

    /// The word that opens it, and what closes it.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Block::Begin => ("BEGIN", "END"),
            Block::If => ("IF", "END IF"),
            Block::Case => ("CASE", "END CASE"),
            Block::Loop => ("LOOP", "END LOOP"),
            Block::While => ("WHILE", "END WHILE"),
            Block::Repeat => ("REPEAT", "UNTIL ... END REPEAT"),
            Block::For => ("FOR", "END FOR"),
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct MysqlBoundary {
    pub(super) place: Place,
    /// Open blocks, and where they were opened.
    blocks: Vec<(Block, usize)>,
    /// The block that END took off just now.
    ended: Option<(Block, usize)>,
    /// The first block that was closed by the END of another kind.
    suspect: Option<(Block, usize)>,
    /// CASE expressions that are open in a condition.
    cases: u32,
    /// The token before ends an operand, so that a word may follow that is no name.
    operand: bool,
    /// The token before is a dot: a name follows.
    dotted: bool,
    /// Inside of a comment that holds SQL.
    executable: bool,
    /// Where the statement begins.
    first: usize,
    oracle: bool,
}

pub(super) fn is(word: &[u8], key: &str) -> bool {
    word.eq_ignore_ascii_case(key.as_bytes())
}

fn is_any(word: &[u8], keys: &[&str]) -> bool {
    keys.iter().any(|key| is(word, key))
}

impl MysqlBoundary {
    pub(super) fn reset(&mut self) {
        let mut blocks = std::mem::take(&mut self.blocks);
        blocks.clear();
        *self = MysqlBoundary { blocks, oracle: self.oracle, ..MysqlBoundary::default() };
    }

    pub(super) fn is_calm(&self) -> bool {
        matches!(self.place, Place::Plain | Place::Opaque)
    }

    pub(super) fn shift(&mut self, count: usize) {
        let known = self.ended.iter_mut().chain(&mut self.suspect);
        self.blocks.iter_mut().chain(known).for_each(|(_, at)| *at = at.saturating_sub(count));
        self.first = self.first.saturating_sub(count);
    }

    pub(super) fn hanging(&self) -> Option<Hanging> {
        let open = self.blocks.last()?;
        let (block, at) = self.suspect.unwrap_or(*open);
        let (opens, closes) = block.words();
        Some(Hanging::Block(at, opens, closes))
    }

    pub(super) fn opaque(&self) -> Option<usize> {
        (self.place == Place::Opaque).then_some(self.first)
    }

    pub(super) fn set_oracle(&mut self, oracle: bool) {
        self.oracle = oracle;
    }

    #[inline]
    pub(super) fn take(&mut self, token: Token, text: &[u8]) -> bool {
        match token.kind {
            Kind::Opening => self.executable = true,
            Kind::Closing => self.executable = false,
            Kind::Symbol(b';') => return self.semicolon(),
            _ if self.is_calm() => {}
            _ => {
                self.token(token, &text[token.start..token.end]);
                self.dotted = token.kind == Kind::Symbol(b'.');
            }
        }
        false
    }

    fn semicolon(&mut self) -> bool {
        (self.operand, self.dotted, self.cases) = (false, false, 0);
        self.behind_end(None);
        if self.blocks.is_empty() {
            // A comment that holds SQL is one statement with what stands around it.
            return !self.executable && self.place != Place::Opaque;
        }
        self.place = Place::Start;
        false
    }

    fn token(&mut self, token: Token, text: &[u8]) {
        // Quoted names are never key words, nor is what follows a dot.
        let word = if token.kind == Kind::Word && !self.dotted { Some(text) } else { None };
        match self.place {
            Place::First | Place::Start => self.start(token, word),
            Place::Begin => {
                self.place = match word {
                    Some(word) if is(word, "not") => Place::Begin,
                    Some(word) if is(word, "atomic") => {
                        self.blocks.push((Block::Begin, self.first));
                        Place::Start
                    }
                    _ => Place::Plain,
                };
            }
            Place::Set => {
                let goes_on = word.is_some_and(|word| is(word, "statement"));
                self.place = if goes_on { Place::SetStatement } else { Place::Plain };
            }
            Place::SetStatement => {
                if word.is_some_and(|word| is(word, "for")) {
                    self.place = Place::First;
                }
            }
            Place::Head(head) => {
                self.place = head.next(token, word);
                // The head is over, and this token belongs to the body.
                if self.place == Place::Start && !head.ends_itself() {
                    self.start(token, word);
                }
            }
            Place::Named { outermost } => {
                self.place = match token.kind {
                    Kind::Symbol(b':') if outermost => Place::First,
                    Kind::Symbol(b':') => Place::Start,
                    _ => Place::Plain,
                };
            }
            Place::Condition => self.condition(token, word),
            Place::Declare => {
                let handles = word.is_some_and(|word| is_any(word, &["continue", "exit", "undo"]));
                self.place = if handles { Place::Handler } else { Place::Plain };
            }
            Place::Handler => {
                if word.is_some_and(|word| is(word, "for")) {
                    self.place = Place::HandledCondition;
                }
            }
            Place::HandledCondition => {
                let goes_on = word.is_some_and(|word| is_any(word, &["sqlstate", "value", "not"]));
                self.place = if goes_on { Place::HandledCondition } else { Place::HandledNext };
            }
            Place::HandledNext if token.kind == Kind::Symbol(b',') => self.place = Place::HandledCondition,
            Place::HandledNext => self.start(token, word),
            Place::End => {
                self.behind_end(word);
                self.place = Place::Plain;
            }
            Place::Plain | Place::Opaque => {}
        }
    }

    /// The first token of a statement.
    fn start(&mut self, token: Token, word: Option<&[u8]>) {
        let outermost = self.place == Place::First;
        if outermost && self.blocks.is_empty() {
            self.first = token.start;
        }
        self.place = Place::Plain;
        let Some(word) = word else {
            if token.kind == Kind::QuotedName {
                self.place = Place::Named { outermost };
            }
            return;
        };
        if outermost && self.oracle && is_any(word, &["begin", "declare"]) {
            self.place = Place::Opaque;
            return;
        }
        if outermost && is(word, "begin") {
            self.place = Place::Begin;
            return;
        }
        if let Some(block) = Block::opened_by(word) {
            self.blocks.push((block, token.start));
            self.begin_condition();
            if matches!(block, Block::Begin | Block::Loop | Block::Repeat) {
                self.place = Place::Start;
            }
            return;
        }
        let inside = self.blocks.last().map(|(block, _)| *block);
        match inside {
            Some(_) if is(word, "end") => self.end(),
            Some(Block::If | Block::Case) if is(word, "else") => self.place = Place::Start,
            Some(Block::If) if is(word, "elseif") => self.begin_condition(),
            Some(Block::Case) if is(word, "when") => self.begin_condition(),
            Some(Block::Repeat) if is(word, "until") => self.begin_condition(),
            Some(_) if is(word, "declare") => self.place = Place::Declare,
            _ if outermost && is(word, "set") => self.place = Place::Set,
            _ if is(word, "create") => self.place = Place::Head(Head::create(self.oracle)),
            _ if is(word, "alter") => self.place = Place::Head(Head::alter()),
            _ => self.place = Place::Named { outermost },
        }
    }

    fn begin_condition(&mut self) {
        self.place = Place::Condition;
        (self.operand, self.cases) = (false, 0);
    }

    /// A token of a condition. END and DO may be names where an operand can stand.
    fn condition(&mut self, token: Token, word: Option<&[u8]>) {
        let operand = std::mem::replace(&mut self.operand, ends_operand(token, word));
        let Some(word) = word else { return };
        if is(word, "case") {
            self.cases += 1;
            return;
        }
        if self.cases > 0 {
            self.cases -= u32::from(operand && is(word, "end"));
            return;
        }
        match self.blocks.last().map(|(block, _)| *block) {
            Some(Block::If | Block::Case) if is(word, "then") => self.place = Place::Start,
            Some(Block::While | Block::For) if operand && is(word, "do") => self.place = Place::Start,
            Some(Block::Repeat) if operand && is(word, "end") => self.end(),
            _ => {}
        }
    }

    fn end(&mut self) {
        self.ended = self.blocks.pop();
        self.place = Place::End;
    }

    /// Compares what END took off with the word behind it: END IF closes an IF. A word that was forgotten would else show as
    /// another block that stays open.
    fn behind_end(&mut self, word: Option<&[u8]>) {
        let Some(ended) = self.ended.take() else { return };
        let named = word.and_then(Block::opened_by).unwrap_or(Block::Begin);
        if named != ended.0 {
            self.suspect.get_or_insert(ended);
        }
    }
}

/// True where an operator or the end of the expression may follow.
fn ends_operand(token: Token, word: Option<&[u8]>) -> bool {
    const OPERATORS: &[&str] = &[
        "when", "then", "else", "case", "and", "or", "xor", "not", "div", "mod", "like", "rlike", "regexp", "between",
        "in", "is", "binary", "interval", "escape", "select", "distinct", "where", "from", "by", "having", "on",
        "using", "limit", "reverse", "collate",
    ];
    match token.kind {
        Kind::Symbol(symbol) => symbol == b')',
        Kind::Word => !word.is_some_and(|word| is_any(word, OPERATORS)),
        _ => true,
    }
}
