//! Builds an outline while a script streams past.

mod groups;
mod leftovers;
mod own;
mod sharing;

use limosa_sql::{
    Class, Dialect, Effect, Engine, Piece, PieceKind, Position, TransactionRule, VariableLines, carried,
    in_usual_marks, mentions_literal, placeholders, placeholders_in_data, sets_for_transaction, stays_in_session,
    table_use,
};

use crate::change::TransactionWish;
use crate::outline::{GroupMode, LeftOut, LeftOutReason, Lifted, Outline, OutlineError, Remark, Shape};
use groups::Groups;
use leftovers::Leftovers;
use own::Own;
pub use own::ToolTransaction;
use sharing::Sharings;

/// Builds an [`Outline`] piece by piece; holds no text.
pub struct Outliner {
    dialect: Dialect,
    engine: Engine,
    wish: TransactionWish,
    outline: Outline,
    groups: Groups,
    /// The file's own open transaction.
    own: Option<Own>,
    /// Enum values added in the open group; None for one that only its placeholder names.
    added_values: Vec<Option<String>>,
    last_statement_commits: bool,
    /// The next statement shares no transaction with those before it.
    begins_group: bool,
    /// Placeholders are replaced in data of COPY, too.
    searches_data: bool,
    /// Own transactions seen.
    own_count: u64,
    first_begins: bool,
    first_calls: bool,
    /// MySQL: in one of them a statement may commit, and nobody knows.
    own_may_commit: bool,
    /// MySQL: the file says when to commit by `autocommit`.
    sets_autocommit: bool,
    /// What the tool that the script was written for lets it do with the transaction around it.
    around: Option<ToolTransaction>,
    /// Statements that destroy data, and other remarkable ones.
    losses: u64,
    other_remarks: u64,
    /// The table in which the tool that the script was written for keeps its record.
    ledger_table: Option<String>,
    /// PostgreSQL: what its session holds by now.
    leftovers: Leftovers,
    sharings: Sharings,
    error: Option<OutlineError>,
}

impl Outliner {
    /// An outliner for one script.
    pub fn new(dialect: impl Into<Dialect>, wish: TransactionWish) -> Self {
        let dialect = dialect.into();
        let marks = dialect.marks();
        let marks = (!marks.are_usual()).then(|| Box::new(marks));
        Outliner {
            dialect,
            engine: dialect.engine(),
            wish,
            outline: Shape { marks, foreign_keys: dialect.foreign_keys(), ..Shape::default() }.into(),
            groups: Groups::default(),
            own: None,
            added_values: Vec::new(),
            last_statement_commits: false,
            begins_group: false,
            searches_data: false,
            own_count: 0,
            first_begins: false,
            first_calls: false,
            own_may_commit: false,
            sets_autocommit: false,
            around: None,
            losses: 0,
            other_remarks: 0,
            ledger_table: None,
            leftovers: Leftovers::default(),
            sharings: Sharings::default(),
            error: None,
        }
    }

    /// The header is only known once the leading comments were read; it may be set before the first statement. Later it holds for
    /// the statements that follow.
    pub fn set_wish(&mut self, wish: TransactionWish) {
        self.wish = wish;
    }

    /// The script was written for a tool that has a transaction around it.
    pub fn surround(&mut self, around: ToolTransaction) {
        self.around = Some(around);
    }

    /// The tool that the script was written for keeps its record in a table of this name.
    pub fn watch_ledger(&mut self, table: &str) {
        self.ledger_table = Some(table.to_owned());
    }

    /// The tool that the script was written for replaces placeholders in data of COPY, too.
    pub fn search_data(&mut self) {
        self.searches_data = true;
    }

    /// In these lines of the script variables are replaced as goose does, and placeholders nowhere.
    pub fn read_variables(&mut self, lines: &VariableLines) {
        if self.outline.variables != *lines {
            if self.outline.variables.is_empty() {
                self.outline.placeholders.clear();
            }
            self.outline.variables = lines.clone();
        }
    }

    /// Names of session settings that what was added changes, also where the script cannot run as it stands.
    pub fn settings(&self) -> &[String] {
        &self.outline.settings
    }

    /// The next statement shares no transaction with those before it.
    pub fn begin_group(&mut self) {
        self.begins_group = true;
    }

    /// Adds the next piece.
    pub fn add(&mut self, piece: &Piece) {
        let PieceKind::Statement(class) = &piece.kind else {
            self.outline.copies |= matches!(piece.kind, PieceKind::CopyData | PieceKind::CopyEnd);
            if self.searches_data && piece.kind == PieceKind::CopyData {
                self.replaced_in_data(piece);
            }
            // The splitter makes no statement of SET autocommit.
            self.sets_autocommit |= piece.kind == PieceKind::Meta && says_autocommit(&piece.text);
            return;
        };
        self.outline.statements += 1;
        let number = self.outline.statements;
        self.first_calls |= number == 1 && class.verb == "CALL";
        let statement = in_usual_marks(self.dialect, piece.statement());
        self.remark(number, piece, class, &statement);
        if let (Some(table), None) = (&self.ledger_table, &self.outline.ledger_use) {
            self.outline.ledger_use = table_use(self.engine, class, &statement, table);
        }
        self.replaced(piece);
        if let Err(error) = self.group(number, piece, class) {
            self.error.get_or_insert(error);
        }
    }

    /// Notes what is replaced in data of COPY.
    fn replaced_in_data(&mut self, piece: &Piece) {
        for (name, line) in placeholders_in_data(self.dialect, &piece.text) {
            let position = Position { line: piece.position.line + line, column: 1 };
            self.outline.use_placeholder(name, position);
            self.outline.replaces_in_data = true;
        }
    }

    /// Notes what is replaced in a statement.
    fn replaced(&mut self, piece: &Piece) {
        let statement = piece.statement();
        let position = |offset| piece.position.after(statement.get(..offset).unwrap_or_default());
        if self.outline.variables.is_empty() {
            for (name, offset) in placeholders(self.dialect, statement) {
                self.outline.use_placeholder(name, position(offset));
            }
            return;
        }
        for variable in self.outline.variables.variables(self.engine, statement, piece.position.line) {
            let position = position(variable.offset);
            for name in &variable.names {
                self.outline.use_placeholder(name.clone(), position);
            }
            self.outline.use_expression(variable, position);
        }
    }

    /// Notes what is worth naming of a statement, whose placeholders are written as `${name}` in `statement`.
    fn remark(&mut self, number: u64, piece: &Piece, class: &Class, statement: &str) {
        let lifted = match &class.effect {
            Effect::LiftedPragma { name } => std::slice::from_ref(name),
            _ => &[],
        };
        let mysql = self.engine == Engine::Mysql;
        let left = if mysql { left_in_session(class, statement) } else { Vec::new() };
        self.outline.unseen |= match self.engine {
            Engine::Mysql => !is_plain(class),
            Engine::Sqlite => stays_in_session(statement, class),
            _ => false,
        };
        if self.engine == Engine::Postgres {
            self.leftovers.add(class, statement, piece.position);
            self.sharings.add(class, statement);
        }
        if self.engine == Engine::Postgres && sets_for_transaction(class, statement) {
            for name in class.effect.session_settings() {
                if !self.outline.local_settings.contains(name) {
                    self.outline.local_settings.push(name.clone());
                }
            }
        }
        self.outline.runs_code |=
            self.engine == Engine::Postgres && ["SELECT", "DO", "CALL", "EXECUTE"].contains(&class.verb.as_str());
        for name in class.effect.session_settings().iter().chain(lifted).chain(&left) {
            if !self.outline.settings.contains(name) {
                self.outline.settings.push(name.clone());
            }
        }
        if let Effect::LiftedPragma { name } = &class.effect
            && self.engine == Engine::Sqlite
        {
            self.outline.lifted.push(Lifted {
                statement: number,
                line: piece.position.line,
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
        let begins_group = std::mem::take(&mut self.begins_group);
        if self.engine == Engine::Mysql && self.is_left_out(number, piece, class)? {
            return Ok(());
        }
        if class.verb == "PREPARE TRANSACTION" || class.verb.ends_with(" AND CHAIN") {
            return Err(OutlineError::LeavesBehind { verb: class.verb.clone(), position });
        }
        match class.transaction {
            TransactionRule::Begins => return self.begin(number, piece, class),
            TransactionRule::Commits if self.own.is_none() && self.ends_tools(class) => {
                self.end_tools(number, piece, class);
                return Ok(());
            }
            TransactionRule::Commits | TransactionRule::RollsBack => return self.end(number, piece, class),
            _ => {}
        }
        if self.own.is_some() {
            self.note_types(class);
            return self.inside_own(number, piece, class);
        }
        // With the header the file answers for what it calls.
        let answered = self.wish == TransactionWish::Always && self.engine == Engine::Mysql && own::may_commit(class);
        if class.transaction == TransactionRule::Outside && !self.lifted(class) && !answered {
            if self.wish == TransactionWish::Always {
                return Err(self.cannot_run_inside(piece, class));
            }
            self.join_or_push(number, GroupMode::Alone);
            return Ok(());
        }
        if self.wish == TransactionWish::None {
            self.join_or_push(number, GroupMode::Alone);
            return Ok(());
        }
        if begins_group || self.uses_added_value(piece) {
            self.push(number, GroupMode::Transaction);
        } else {
            self.join_or_push(number, GroupMode::Transaction);
        }
        self.note_types(class);
        Ok(())
    }

    fn cannot_run_inside(&self, piece: &Piece, class: &Class) -> OutlineError {
        let commits = self.engine == Engine::Mysql;
        OutlineError::CannotRunInside { verb: class.verb.clone(), position: piece.position, commits }
    }

    /// Statements of MySQL that limosa does not send, or refuses though the server would take them.
    fn is_left_out(&mut self, number: u64, piece: &Piece, class: &Class) -> Result<bool, OutlineError> {
        let (verb, position) = (class.verb.clone(), piece.position);
        match verb.as_str() {
            "LOCK TABLES" | "LOCK TABLE" | "UNLOCK TABLES" | "UNLOCK TABLE" => {
                self.leave_out(number, piece, class, LeftOutReason::LocksLedger);
                match &mut self.own {
                    Some(own) => own.note(number),
                    None => self.groups.attach(number),
                }
                Ok(true)
            }
            "FLUSH TABLES WITH READ LOCK" => Err(OutlineError::LocksLedger { verb, position }),
            "SET TRANSACTION" => Err(OutlineError::NextTransaction { position }),
            "XA START" | "XA BEGIN" | "XA END" | "XA PREPARE" => Err(OutlineError::LeavesBehind { verb, position }),
            _ if verb.ends_with(" RELEASE") => Err(OutlineError::Disconnects { verb, position }),
            "COMMIT" if self.own.is_none() && self.sets_autocommit => {
                self.leave_out(number, piece, class, LeftOutReason::Implicit);
                self.groups.attach(number);
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    fn leave_out(&mut self, number: u64, piece: &Piece, class: &Class, why: LeftOutReason) {
        let left = LeftOut { statement: number, position: piece.position, verb: class.verb.clone(), why };
        self.outline.left_out.push(left);
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
            Effect::AddsEnumValue { value, .. } => Some(value.to_string()),
            _ => None,
        });
        self.outline.adds_enum_value = true;
    }

    fn uses_added_value(&self, piece: &Piece) -> bool {
        // To name a value as the neighbour of a new one is allowed.
        if self.added_values.is_empty() || piece.class().is_some_and(adds_enum_value) {
            return false;
        }
        let statement = in_usual_marks(self.dialect, piece.statement());
        let mentions = |value: &String| mentions_literal(self.engine, &statement, value);
        self.added_values.iter().any(|value| value.as_ref().is_none_or(mentions))
    }

    fn join_or_push(&mut self, number: u64, mode: GroupMode) {
        if self.groups.join_or_push(number, mode) {
            self.added_values.clear();
        }
    }

    fn push(&mut self, number: u64, mode: GroupMode) {
        self.added_values.clear();
        self.groups.push(number, mode);
    }

    /// The outline of all pieces added.
    ///
    /// # Errors
    /// The first statement that makes the file impossible to run as a whole.
    pub fn finish(mut self) -> Result<Outline, OutlineError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        match self.own.take() {
            Some(own) if self.is_held() => self.dissolve(own, LeftOutReason::OfTool),
            Some(own) => return Err(OutlineError::LeftOpen { position: own.position }),
            None => {}
        }
        let is_lone_call = self.is_lone_call();
        self.outline.groups = self.groups.finish().into();
        self.outline.left_out.sort_by_key(|left| left.statement);
        let whole = match self.outline.groups.as_slice() {
            [group] => group.mode == GroupMode::Own && self.first_begins && self.own_count == 1,
            _ => false,
        };
        if let ([group], true) = (self.outline.groups.as_mut_slice(), is_lone_call) {
            group.mode = GroupMode::Alone;
        }
        let known = !self.own_may_commit || self.wish == TransactionWish::Always;
        if whole && known && self.last_statement_commits && self.wish != TransactionWish::None {
            self.outline.wrapped = true;
            self.outline.groups[0].mode = GroupMode::Transaction;
        }
        self.outline.session_bound = self.leftovers.first().map(Box::new);
        if self.engine == Engine::Postgres {
            self.sharings.finish(&mut self.outline);
        }
        self.outline.settle_pragmas(self.engine);
        self.outline.shrink();
        Ok(self.outline)
    }
}

fn says_autocommit(text: &[u8]) -> bool {
    const NAME: &[u8] = b"autocommit";
    text.windows(NAME.len()).any(|part| part.eq_ignore_ascii_case(NAME))
}

fn adds_enum_value(class: &Class) -> bool {
    class.verb == "ALTER TYPE ADD VALUE"
}

/// MySQL: true for verbs that leave nothing in the session which their words do not name.
fn is_plain(class: &Class) -> bool {
    const PLAIN: [&str; 18] = [
        "ALTER", "ANALYZE", "BEGIN", "CHECK", "COMMIT", "CREATE", "DELETE", "DROP", "GRANT", "INSERT", "OPTIMIZE",
        "RENAME", "REPLACE", "REVOKE", "SELECT", "SET", "TRUNCATE", "UPDATE",
    ];
    let word = class.verb.split(' ').next().unwrap_or_default();
    class.verb != "BEGIN NOT ATOMIC" && PLAIN.contains(&word)
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
