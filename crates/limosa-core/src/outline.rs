//! What a script will do, without its text: statements counted, transactions decided, remarkable statements named.

use limosa_sql::{
    Class, Effect, Engine, Loss, Piece, PieceKind, Position, TransactionRule, carried, mentions_literal, placeholders,
};
use serde::{Deserialize, Serialize};

use crate::change::TransactionWish;

/// A script in short.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Outline {
    /// Number of statements; a COPY with its data is one.
    pub statements: u64,
    /// Bytes of the up part.
    pub bytes: u64,
    /// How the statements are grouped for commit, in order.
    pub groups: Vec<Group>,
    /// Statements worth naming in a plan: those that cannot run inside a transaction, that control one, that destroy data.
    pub remarkable: Vec<Remark>,
    /// Names of session settings that the script changes; MySQL: also its variables, as `@name`, and the names of temporary
    /// tables, which outlive their transaction too.
    pub settings: Vec<String>,
    /// True where the script holds data for COPY.
    pub copies: bool,
    /// Placeholders that it uses, each where it occurs first.
    pub placeholders: Vec<(String, Position)>,
    /// SQLite: pragmas that have no effect inside a transaction; limosa runs them around it.
    pub lifted: Vec<Lifted>,
    /// True where values are added to enum types; what comes later in the same transaction may not use them.
    pub adds_enum_value: bool,
    /// The file's own leading BEGIN and trailing COMMIT, which are not sent, because our transaction takes their place.
    pub wrapped: bool,
}

impl Outline {
    /// True where all statements and the ledger row commit together.
    pub fn is_atomic(&self) -> bool {
        self.groups.len() <= 1 && self.groups.iter().all(|group| group.mode == GroupMode::Transaction)
    }

    /// What the script destroys for good.
    pub fn losses(&self) -> impl Iterator<Item = (&Remark, &Loss)> {
        self.remarkable.iter().filter_map(|remark| remark.class.loss.as_ref().map(|loss| (remark, loss)))
    }

    /// The mode in which a statement (from 1) runs, and whether it begins and ends its group.
    pub fn place_of(&self, statement: u64) -> Option<(&Group, bool, bool)> {
        let group = self.groups.iter().find(|group| statement >= group.first && statement <= group.last)?;
        Some((group, statement == group.first, statement == group.last))
    }
}

/// MySQL: what a statement that sets nothing leaves in the session all the same.
fn left_in_session(class: &Class, statement: &str) -> Vec<String> {
    let at_variables =
        statement.contains('@') && (statement.contains(":=") || ["SET", "SELECT"].contains(&&*class.verb));
    if at_variables || class.verb == "CREATE TEMPORARY TABLE" {
        let found = carried(Engine::Mysql, statement);
        let tables = found.makes_temporary_tables.into_iter().map(|table| table.name);
        return found.sets_variables.into_iter().map(|name| format!("@{name}")).chain(tables).collect();
    }
    Vec::new()
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
    #[error("{verb} cannot run inside a transaction, but the header asks for one")]
    CannotRunInside {
        /// The statement.
        verb: String,
        /// Where it stands.
        position: Position,
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
            | OutlineError::InsideOwn { position, .. } => *position,
        }
    }
}

/// Builds an [`Outline`] piece by piece; holds no text.
pub struct Outliner {
    engine: Engine,
    wish: TransactionWish,
    outline: Outline,
    /// Where the file's own open transaction began, and its first statement.
    own: Option<(u64, Position)>,
    /// Enum values added in the open group; None for one that only its placeholder names.
    added_values: Vec<Option<String>>,
    last_statement_commits: bool,
    /// Own transactions seen.
    own_count: u64,
    first_begins: bool,
    /// Statements that destroy data, and other remarkable ones.
    losses: u64,
    other_remarks: u64,
    error: Option<OutlineError>,
}

impl Outliner {
    /// An outliner for one script.
    pub fn new(engine: Engine, wish: TransactionWish) -> Self {
        Outliner {
            engine,
            wish,
            outline: Outline::default(),
            own: None,
            added_values: Vec::new(),
            last_statement_commits: false,
            own_count: 0,
            first_begins: false,
            losses: 0,
            other_remarks: 0,
            error: None,
        }
    }

    /// The header is only known once the leading comments were read; it may be set before the first statement.
    pub fn set_wish(&mut self, wish: TransactionWish) {
        self.wish = wish;
    }

    /// Adds the next piece.
    pub fn add(&mut self, piece: &Piece) {
        self.outline.bytes += piece.span.len();
        let PieceKind::Statement(class) = &piece.kind else {
            self.outline.copies |= matches!(piece.kind, PieceKind::CopyData | PieceKind::CopyEnd);
            return;
        };
        self.outline.statements += 1;
        let number = self.outline.statements;
        self.remark(number, piece, class);
        for (name, offset) in placeholders(self.engine, piece.statement()) {
            if !self.outline.placeholders.iter().any(|(known, _)| *known == name) {
                let position = piece.position.after(piece.statement().get(..offset).unwrap_or_default());
                self.outline.placeholders.push((name, position));
            }
        }
        if let Err(error) = self.group(number, piece, class) {
            self.error.get_or_insert(error);
        }
    }

    fn remark(&mut self, number: u64, piece: &Piece, class: &Class) {
        let lifted = match &class.effect {
            Effect::LiftedPragma { name } => std::slice::from_ref(name),
            effect => effect.session_settings(),
        };
        let left = if self.engine == Engine::Mysql { left_in_session(class, piece.statement()) } else { Vec::new() };
        for name in lifted.iter().chain(&left) {
            if !self.outline.settings.contains(name) {
                self.outline.settings.push(name.clone());
            }
        }
        if let Effect::LiftedPragma { name } = &class.effect
            && self.engine == Engine::Sqlite
        {
            self.outline.lifted.push(Lifted {
                statement: number,
                name: name.clone(),
                text: piece.statement().to_owned(),
            });
        }
        self.outline.copies |= class.effect == Effect::CopyFromStdin;
        // A file of a million DELETEs has a million losses; the first thousand tell the story. Other remarks take no place
        // from them.
        let seen = match (&class.loss, class.transaction) {
            (Some(_), _) => &mut self.losses,
            (None, TransactionRule::Either) => return,
            (None, _) => &mut self.other_remarks,
        };
        *seen += 1;
        if *seen <= 1000 {
            self.outline.remarkable.push(Remark { statement: number, position: piece.position, class: class.clone() });
        }
    }

    fn group(&mut self, number: u64, piece: &Piece, class: &Class) -> Result<(), OutlineError> {
        let position = piece.position;
        self.last_statement_commits = false;
        if class.verb == "PREPARE TRANSACTION" || class.verb.ends_with(" AND CHAIN") {
            return Err(OutlineError::LeavesBehind { verb: class.verb.clone(), position });
        }
        match class.transaction {
            TransactionRule::Begins => {
                if self.own.is_some() {
                    return Err(OutlineError::NestedBegin { position });
                }
                self.first_begins |= number == 1;
                self.own = Some((number, position));
                self.own_count += 1;
                self.push(number, GroupMode::Own);
                return Ok(());
            }
            TransactionRule::Commits | TransactionRule::RollsBack => {
                if self.own.take().is_none() {
                    return Err(OutlineError::EndsNothing { verb: class.verb.clone(), position });
                }
                self.last_statement_commits = class.transaction == TransactionRule::Commits;
                self.extend(number);
                return Ok(());
            }
            _ => {}
        }
        if self.own.is_some() {
            if class.transaction == TransactionRule::Outside && !matches!(class.effect, Effect::LiftedPragma { .. }) {
                return Err(OutlineError::InsideOwn { verb: class.verb.clone(), position });
            }
            self.extend(number);
            self.note_types(class);
            return Ok(());
        }
        if class.transaction == TransactionRule::Outside && !self.lifted(class) {
            if self.wish == TransactionWish::Always {
                return Err(OutlineError::CannotRunInside { verb: class.verb.clone(), position });
            }
            self.join_or_push(number, GroupMode::Alone);
            return Ok(());
        }
        if self.wish == TransactionWish::None {
            self.join_or_push(number, GroupMode::Alone);
            return Ok(());
        }
        if self.uses_added_value(piece) {
            self.push(number, GroupMode::Transaction);
        } else {
            self.join_or_push(number, GroupMode::Transaction);
        }
        self.note_types(class);
        Ok(())
    }

    /// Pragmas that limosa moves out of the transaction by itself.
    fn lifted(&self, class: &Class) -> bool {
        self.engine == Engine::Sqlite && matches!(&class.effect, Effect::LiftedPragma { .. })
    }

    fn note_types(&mut self, class: &Class) {
        // Also where the type was made in the same transaction: only PostgreSQL 17 and newer let its values be used at once.
        if !adds_enum_value(class) {
            return;
        }
        self.added_values.push(match &class.effect {
            Effect::AddsEnumValue { value, .. } => Some(value.clone()),
            _ => None,
        });
        self.outline.adds_enum_value = true;
    }

    fn uses_added_value(&self, piece: &Piece) -> bool {
        // To name a value as the neighbour of a new one is allowed.
        if self.added_values.is_empty() || piece.class().is_some_and(adds_enum_value) {
            return false;
        }
        let mentions = |value: &String| mentions_literal(self.engine, piece.statement(), value);
        self.added_values.iter().any(|value| value.as_ref().is_none_or(mentions))
    }

    fn join_or_push(&mut self, number: u64, mode: GroupMode) {
        match self.outline.groups.last() {
            Some(group) if group.mode == mode => self.extend(number),
            _ => self.push(number, mode),
        }
    }

    fn push(&mut self, number: u64, mode: GroupMode) {
        self.added_values.clear();
        self.outline.groups.push(Group { first: number, last: number, mode });
    }

    fn extend(&mut self, number: u64) {
        if let Some(group) = self.outline.groups.last_mut() {
            group.last = number;
        }
    }

    /// The outline of all pieces added.
    ///
    /// # Errors
    /// The first statement that makes the file impossible to run as a whole.
    pub fn finish(mut self) -> Result<Outline, OutlineError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        if let Some((_, position)) = self.own {
            return Err(OutlineError::LeftOpen { position });
        }
        let whole = self.outline.groups.len() == 1 && self.first_begins && self.own_count == 1;
        if whole && self.last_statement_commits && self.wish != TransactionWish::None {
            self.outline.wrapped = true;
            self.outline.groups[0].mode = GroupMode::Transaction;
        }
        self.outline.settle_pragmas(self.engine);
        Ok(self.outline)
    }
}

fn adds_enum_value(class: &Class) -> bool {
    class.verb == "ALTER TYPE ADD VALUE"
}
