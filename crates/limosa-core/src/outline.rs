//! What a script will do, without its text: statements counted, transactions decided, remarkable statements named.

use limosa_sql::{
    Class, Dialect, EndDelimiter, Engine, Expanded, ForeignKeys, FoundVariable, Loss, PlaceholderMarks, Position,
    TableUse, Telltale, UnknownPlaceholder, VariableLines, expand,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::{Deref, DerefMut};
use thin_vec::ThinVec;

use crate::{Alike, Markers, Shared};

/// A script in short.
///
/// Most scripts of a folder are of a few shapes, which are held once ([`Outline::share_shape`]); what they name stands by itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outline {
    /// Statements worth naming in a plan: those that cannot run inside a transaction, that control one, that destroy data.
    pub remarkable: ThinVec<Remark>,
    /// PostgreSQL: tables that it makes or adds rows to, where it [`Shares`] a transaction.
    pub tables: ThinVec<Touched>,
    shape: Shared<Shape>,
}

impl Deref for Outline {
    type Target = Shape;

    fn deref(&self) -> &Shape {
        &self.shape
    }
}

impl DerefMut for Outline {
    fn deref_mut(&mut self) -> &mut Shape {
        &mut self.shape
    }
}

impl From<Shape> for Outline {
    fn from(shape: Shape) -> Self {
        Outline { remarkable: ThinVec::new(), tables: ThinVec::new(), shape: shape.into() }
    }
}

/// What scripts have in common that hold other names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shape {
    /// Where sections of its file are told apart by these markers: it is what those hold that lead up.
    pub markers: Option<Markers>,
    /// Number of statements; a COPY with its data is one.
    pub statements: u64,
    /// How the statements are grouped for commit, in order.
    pub groups: ThinVec<Group>,
    /// Names of session settings that the script changes.
    pub settings: ThinVec<String>,
    /// It leaves more in the session than `settings` names. MySQL: it runs something of which its words do not say what that is
    /// (`CALL`, `EXECUTE`); SQLite: attached databases, temporary objects.
    pub unseen: bool,
    /// PostgreSQL: names of those that it sets for its transaction alone (`SET LOCAL`).
    pub local_settings: ThinVec<String>,
    /// PostgreSQL: the first of its statements that leaves something in its session besides settings, where nothing takes that away.
    pub session_bound: Option<Box<SessionBound>>,
    /// PostgreSQL: what of it may share a transaction with other scripts in a database that nobody uses.
    pub shares: Shares,
    /// PostgreSQL: tables may hold any number of rows behind it.
    pub brings_rows: bool,
    /// PostgreSQL: what it speaks of that could tell whether scripts share a transaction.
    pub telltale: Telltale,
    /// PostgreSQL: it runs blocks, procedures or functions, of which its words do not say what they do.
    pub runs_code: bool,
    /// True where the script holds data for COPY.
    pub copies: bool,
    /// Data of COPY has placeholders, which are replaced in it, too.
    pub replaces_in_data: bool,
    /// Placeholders that it uses, each where it occurs first.
    pub placeholders: ThinVec<(String, Position)>,
    /// Lines in which variables are replaced as goose does; where there are any, placeholders are in no others.
    pub variables: VariableLines,
    /// The variables in those lines, each where it occurs first as it is written.
    pub expressions: ThinVec<Expression>,
    /// SQLite: pragmas that have no effect inside a transaction; limosa runs them around it.
    pub lifted: ThinVec<Lifted>,
    /// True where values are added to enum types; what comes later in the same transaction may not use them.
    pub adds_enum_value: bool,
    /// The file's own leading BEGIN and trailing COMMIT, which are not sent, because our transaction takes their place.
    pub wrapped: bool,
    /// MySQL: statements that are not sent, each with its reason, in order. They count as statements, and stand in a group.
    pub left_out: ThinVec<LeftOut>,
    /// What it wants first of the table in which the tool that it was written for keeps its record.
    pub ledger_use: Option<TableUse>,
    /// What ends its statements besides `;`, where the tool that it was written for is told so.
    pub end_delimiter: Option<Box<EndDelimiter>>,
    /// How its placeholders are written, where that is not `${name}`.
    pub marks: Option<Box<PlaceholderMarks>>,
    /// SQLite: whether its session enforces foreign keys when it begins.
    pub foreign_keys: ForeignKeys,
    /// SQLite: it would switch foreign keys on, and does not, for [`ForeignKeys::IgnoredThroughout`].
    pub switches_in_vain: bool,
    /// SQLite: whether its last pragma outside of its own transactions leaves foreign keys enforced; None where it has none.
    pub leaves_foreign_keys: Option<bool>,
}

impl Outline {
    /// Gives back memory that is not used: a folder may hold a hundred thousand scripts, most with a single entry in each list.
    pub(crate) fn shrink(&mut self) {
        self.groups.shrink_to_fit();
        self.remarkable.shrink_to_fit();
        self.settings.shrink_to_fit();
        self.local_settings.shrink_to_fit();
        self.placeholders.shrink_to_fit();
        self.expressions.shrink_to_fit();
        self.lifted.shrink_to_fit();
        self.left_out.shrink_to_fit();
    }

    /// Lets its shape be one with that of a script that was seen lately, where the two are alike.
    pub fn share_shape(&mut self, seen: &mut Alike<Shape>) {
        seen.share(&mut self.shape);
    }

    /// How its placeholders are written.
    pub fn marks(&self) -> PlaceholderMarks {
        self.marks.as_deref().copied().unwrap_or_default()
    }

    /// A statement of the script that begins on this line of it, with values in the place of what is replaced.
    ///
    /// # Errors
    /// The first placeholder, or variable, that needs a value and has none.
    pub fn expand(
        &self,
        engine: Engine,
        statement: &str,
        line: u64,
        values: &BTreeMap<String, String>,
    ) -> Result<Expanded, UnknownPlaceholder> {
        if self.variables.is_empty() {
            return expand(Dialect::from(engine).with_marks(self.marks()), statement, values);
        }
        self.variables.expand(engine, statement, line, values)
    }

    pub(crate) fn use_placeholder(&mut self, name: String, position: Position) {
        if !self.placeholders.iter().any(|(known, _)| *known == name) {
            self.placeholders.push((name, position));
        }
    }

    pub(crate) fn use_expression(&mut self, found: FoundVariable, position: Position) {
        if self.expressions.iter().any(|known| known.written == found.written) {
            return;
        }
        let FoundVariable { written, names, is_plain, is_cut, .. } = found;
        self.expressions.push(Expression { written, names, is_plain, is_cut, position });
    }

    /// The outline of a text that begins so many lines below the one that it was read from.
    #[must_use]
    pub fn below(mut self, lines: u64) -> Outline {
        let shape = &mut *self.shape;
        let remarks = self.remarkable.iter_mut().map(|remark| &mut remark.position);
        let placeholders = shape.placeholders.iter_mut().map(|(_, position)| position);
        let left_out = shape.left_out.iter_mut().map(|left| &mut left.position);
        let expressions = shape.expressions.iter_mut().map(|expression| &mut expression.position);
        let bound = shape.session_bound.iter_mut().map(|bound| &mut bound.position);
        remarks
            .chain(bound)
            .chain(placeholders)
            .chain(expressions)
            .chain(left_out)
            .for_each(|position| position.line += lines);
        self
    }

    /// The outline of a script that leaves nothing behind, for what it does is taken back: a transaction of its own around all of it
    /// becomes ours, whether it ends with COMMIT or ROLLBACK. None where it cannot be in one transaction.
    #[must_use]
    pub fn as_proof(mut self) -> Option<Outline> {
        let whole = Group { first: 1, last: self.statements, mode: GroupMode::Own };
        if self.groups == [whole] {
            self.groups[0].mode = GroupMode::Transaction;
            self.wrapped = true;
        }
        self.is_atomic().then_some(self)
    }

    /// True where the script may leave settings in the session.
    pub fn may_set(&self) -> bool {
        self.unseen || !self.settings.is_empty()
    }

    /// PostgreSQL: true where the script may put all settings back to those with which the session began.
    pub fn may_reset_all(&self) -> bool {
        self.runs_code || self.settings.iter().any(|name| name == "all")
    }

    /// True where all statements and the ledger row commit together.
    pub fn is_atomic(&self) -> bool {
        self.groups.len() <= 1 && self.groups.iter().all(|group| group.mode == GroupMode::Transaction)
    }

    /// What the script destroys for good.
    pub fn losses(&self) -> impl Iterator<Item = (&Remark, &Loss)> {
        self.remarkable.iter().filter_map(|remark| remark.class.loss.as_ref().map(|loss| (remark, loss)))
    }

    /// False for statements (from 1) that are counted and not sent: the file's own BEGIN and COMMIT in the place of ours, and
    /// those that are left out.
    pub fn sends(&self, statement: u64) -> bool {
        let wrapper = self.wrapped && (statement == 1 || statement == self.statements);
        !wrapper && self.left_out.binary_search_by_key(&statement, |left| left.statement).is_err()
    }

    /// The mode in which a statement (from 1) runs, and whether it begins and ends its group.
    pub fn place_of(&self, statement: u64) -> Option<(&Group, bool, bool)> {
        let group = self.groups.iter().find(|group| statement >= group.first && statement <= group.last)?;
        Some((group, statement == group.first, statement == group.last))
    }
}

/// What of a script may share a transaction with other scripts so that nobody can tell the difference, see [`limosa_sql::sharing`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shares {
    /// It stands alone.
    #[default]
    Nothing,
    /// It makes, changes and drops objects.
    Objects,
    /// It adds rows that it holds itself, besides.
    Rows,
    /// It drops objects, and looks at no rows.
    Drops,
    /// It deletes rows, besides.
    Deletes,
}

impl Shares {
    /// Bytes of the texts that share a transaction. A script that is larger stands alone, and may bring any number of rows.
    pub const MOST_BYTES: u64 = 64 << 10;
}

/// A table that a script makes, or adds rows to, by a hash of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Touched(u64);

impl Touched {
    const MADE: u64 = 1;

    /// A table that is made.
    pub fn made(name: &str) -> Touched {
        Touched(Touched::filled(name).0 | Touched::MADE)
    }

    /// A table to which rows are added.
    pub fn filled(name: &str) -> Touched {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        Touched(hasher.finish() & !Touched::MADE)
    }

    /// True for one that is made.
    pub fn is_made(self) -> bool {
        self.0 & Touched::MADE != 0
    }

    /// The same table, made.
    #[must_use]
    pub fn as_made(self) -> Touched {
        Touched(self.0 | Touched::MADE)
    }
}

/// A statement that leaves something in its session: a temporary table, an advisory lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionBound {
    /// Its leading words.
    pub verb: String,
    /// Where it stands in the file.
    pub position: Position,
}

/// A statement that is not sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Number of the statement, from 1.
    pub statement: u64,
    /// Where it stands in the file.
    pub position: Position,
    /// Its leading words.
    pub verb: String,
    /// Why.
    pub why: LeftOutReason,
}

/// Why a statement is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftOutReason {
    /// BEGIN or COMMIT of a transaction that holds statements which commit by themselves: the server would have ended it at
    /// the first of them. What can share a transaction shares one of limosa's.
    HoldsNothing,
    /// COMMIT where the file only switched `autocommit` off: limosa decides about transactions.
    Implicit,
    /// LOCK TABLES and UNLOCK TABLES: while they hold, limosa could not write its ledger.
    LocksLedger,
    /// COMMIT of the transaction that another tool holds open around the file, or BEGIN of the one that it is left with.
    OfTool,
}

impl LeftOutReason {
    /// The reason for people, to be read behind the statement's name.
    pub fn words(self) -> &'static str {
        match self {
            LeftOutReason::HoldsNothing => {
                "is left out: statements of this transaction commit by themselves on MySQL, so that it holds nothing together"
            }
            LeftOutReason::Implicit => "is left out: limosa decides about transactions, and ignores autocommit",
            LeftOutReason::LocksLedger => "is left out: while it holds, limosa could not write its ledger",
            LeftOutReason::OfTool => {
                "is left out: the tool that the file was written for has a transaction around it, and limosa ends its own here"
            }
        }
    }
}

/// A pragma that is run outside the transaction of its script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifted {
    /// Number of the statement, from 1.
    pub statement: u64,
    /// The pragma in lower case.
    pub name: String,
    /// The statement as written.
    pub text: String,
    /// The line that it begins on.
    #[serde(skip)]
    pub line: u64,
}

/// A variable of goose's in a script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expression {
    /// As it is written: `${NAME:-default}`.
    pub written: String,
    /// Names that it may read.
    pub names: Vec<String>,
    /// True where it stands for the value of its name as it is.
    pub is_plain: bool,
    /// True where it stands for a part of a value.
    pub is_cut: bool,
    /// Where it occurs first.
    pub position: Position,
}

/// Consecutive statements that commit together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// First statement, from 1.
    pub first: u64,
    /// Last statement.
    pub last: u64,
    /// How they commit.
    pub mode: GroupMode,
}

/// How a group commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupMode {
    /// In a transaction that limosa opens and commits.
    Transaction,
    /// Each statement by itself, outside any transaction.
    Alone,
    /// The file's own BEGIN to COMMIT (or ROLLBACK), sent as written.
    Own,
}

/// A statement worth naming.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// Number of the statement, from 1.
    pub statement: u64,
    /// Where it stands in the file.
    pub position: Position,
    /// What it is.
    pub class: Class,
}

/// What cannot be run at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutlineError {
    /// The file begins a transaction and does not end it.
    #[error("the transaction that begins here is still open at the end of the file")]
    LeftOpen {
        /// Where it begins.
        position: Position,
    },
    /// COMMIT or ROLLBACK without BEGIN.
    #[error("{verb} ends a transaction that this file did not begin")]
    EndsNothing {
        /// The statement.
        verb: String,
        /// Where it stands.
        position: Position,
    },
    /// The header asks for one transaction, a statement forbids it.
    #[error("{}, but the header asks for one", outside(verb, *commits))]
    CannotRunInside {
        /// The statement.
        verb: String,
        /// Where it stands.
        position: Position,
        /// MySQL: the server takes it, and commits.
        commits: bool,
    },
    /// BEGIN inside a transaction that the file began already.
    #[error("BEGIN inside a transaction that the file began already")]
    NestedBegin {
        /// Where it stands.
        position: Position,
    },
    /// PREPARE TRANSACTION, COMMIT AND CHAIN: a transaction would be left to itself, or begun where nobody sees it.
    #[error(
        "{verb} leaves a transaction behind that no migration ends; write COMMIT, and BEGIN where another is wanted"
    )]
    LeavesBehind {
        /// The statement.
        verb: String,
        /// Where it stands.
        position: Position,
    },
    /// A statement that cannot run inside stands between the file's own BEGIN and COMMIT.
    #[error("{verb} cannot run inside a transaction, and the file's own BEGIN stands before it")]
    InsideOwn {
        /// The statement.
        verb: String,
        /// Where it stands.
        position: Position,
    },
    /// MySQL: the file means to take back what has been committed.
    #[error("the file's own transaction ends with {ends}, but on MySQL {verb} commits, and nothing takes that back")]
    CommittedBeforeRollback {
        /// The statement that commits.
        verb: String,
        /// Where it stands.
        position: Position,
        /// The statement that ends the transaction.
        ends: String,
    },
    /// MySQL: COMMIT RELEASE.
    #[error("{verb} closes the connection, which limosa still needs")]
    Disconnects {
        /// The statement.
        verb: String,
        /// Where it stands.
        position: Position,
    },
    /// MySQL: SET TRANSACTION without a scope.
    #[error("SET TRANSACTION is for the next transaction only, and that is one of limosa's")]
    NextTransaction {
        /// Where it stands.
        position: Position,
    },
    /// MySQL: a lock that keeps limosa from its ledger.
    #[error("{verb} keeps everyone from writing, limosa and its ledger too")]
    LocksLedger {
        /// The statement.
        verb: String,
        /// Where it stands.
        position: Position,
    },
}

fn outside(verb: &str, commits: bool) -> String {
    match commits {
        true => format!("on MySQL {verb} commits by itself, and ends the transaction that it runs in"),
        false => format!("{verb} cannot run inside a transaction"),
    }
}

impl OutlineError {
    /// Where the problem stands.
    pub fn position(&self) -> Position {
        match self {
            OutlineError::LeftOpen { position }
            | OutlineError::EndsNothing { position, .. }
            | OutlineError::CannotRunInside { position, .. }
            | OutlineError::NestedBegin { position }
            | OutlineError::LeavesBehind { position, .. }
            | OutlineError::InsideOwn { position, .. }
            | OutlineError::CommittedBeforeRollback { position, .. }
            | OutlineError::Disconnects { position, .. }
            | OutlineError::NextTransaction { position }
            | OutlineError::LocksLedger { position, .. } => *position,
        }
    }
}
