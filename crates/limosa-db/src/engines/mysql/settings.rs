//! Settings of a session that a script may have changed, so that they never reach the next script.
//!
//! COM_RESET_CONNECTION would do it in one wait, but it also lets go of the locks of GET_LOCK, on MariaDB and on MySQL, and
//! such a lock is what keeps other runners away. So each setting is compared and put back by name.
//!
//! Stays: temporary tables that a procedure made (no server before MariaDB 11.2 lists them), the values of user variables
//! that were there before, and on MySQL all user variables where the user may not read `performance_schema`; they end with
//! the session.

use std::collections::{BTreeMap, BTreeSet};

use limosa_sql::Engine;

use super::cancel::undisturbed;
use super::statements;
use super::traces::Traces;
use super::wire::{Failure, Wire};
use crate::{DbError, DbErrorKind};

/// What moves by itself, or is another name of something else.
const MOVING: [&str; 5] = ["timestamp", "rand_seed1", "rand_seed2", "pseudo_thread_id", "identity"];

/// What says something of the statement before, and is no setting of a script's.
const OF_THE_LAST_STATEMENT: [&str; 6] =
    ["last_insert_id", "insert_id", "error_count", "warning_count", "in_transaction", "last_gtid"];

/// Errors that say that a name is no setting of a session: unknown, read-only, global, or not in a session of this kind.
const NO_SETTING: [&str; 4] = ["1193 ", "1238 ", "1229 ", "3085 "];

/// More rows than there are: a LIMIT counts before the `sql_select_limit` of a script.
const LIMIT: &str = "limit 1000000";

/// A setting's value.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Setting {
    value: Option<String>,
    /// Written without quotes.
    number: bool,
}

/// The settings of a session at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    values: BTreeMap<String, Setting>,
    database: Option<String>,
    role: Option<String>,
    user_variables: BTreeSet<String>,
}

/// Reads the settings as they are.
pub(super) async fn read(wire: &mut Wire, mariadb: bool) -> Result<Settings, DbError> {
    let variables = if mariadb {
        "select 'v', lower(variable_name), session_value, variable_type from information_schema.system_variables \
         where variable_scope in ('SESSION', 'SESSION ONLY') and read_only = 'NO'"
    } else {
        "select 'v', variable_name, variable_value, '' from performance_schema.session_variables"
    };
    let sql = format!(
        "{variables} union all select 'd', '', database(), '' union all select 'r', '', current_role(), '' {LIMIT}"
    );
    let answer = statements::text(wire, &sql).await.map_err(Failure::into_error)?;
    let mut settings =
        Settings { values: BTreeMap::new(), database: None, role: None, user_variables: BTreeSet::new() };
    for row in &answer.rows {
        let value = row.text(2);
        match row.text(0).as_deref() {
            Some("d") => settings.database = value,
            Some("r") => settings.role = value.filter(|role| !role.is_empty() && role != "NONE"),
            _ => {
                let name = row.text(1).unwrap_or_default();
                // Without types a value that looks like a number is one: MySQL knows no text setting that looks so.
                let number = match row.text(3).as_deref() {
                    Some("") | None => value.as_ref().is_some_and(|value| value.parse::<f64>().is_ok()),
                    Some(kind) => kind.contains("INT") || kind == "DOUBLE",
                };
                if !MOVING.contains(&name.as_str()) && is_plain(&name) {
                    settings.values.insert(name, Setting { value, number });
                }
            }
        }
    }
    settings.user_variables = user_variables(wire, mariadb).await;
    Ok(settings)
}

/// Names of the session's user variables that have a value; none where they cannot be read.
async fn user_variables(wire: &mut Wire, mariadb: bool) -> BTreeSet<String> {
    let sql = if mariadb {
        format!("select variable_name from information_schema.user_variables where variable_value is not null {LIMIT}")
    } else {
        format!(
            "select variable_name from performance_schema.user_variables_by_thread \
             where thread_id = (select thread_id from performance_schema.threads where processlist_id = connection_id()) \
             and variable_value is not null {LIMIT}"
        )
    };
    let answer = statements::text(wire, &sql).await;
    let rows = answer.map(|answer| answer.rows).unwrap_or_default();
    rows.iter().filter_map(|row| row.text(0)).collect()
}

/// Names come from the server and are spliced: letters, digits, `_` and `.` only.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
}

impl Settings {
    /// Puts the settings back. `unsettable` are names that turned out to be no settings of a session.
    pub(super) async fn restore(
        &self,
        wire: &mut Wire,
        mariadb: bool,
        traces: &mut Traces,
        unsettable: &mut BTreeSet<String>,
    ) -> Result<(), DbError> {
        if wire.in_transaction() {
            return Err(DbError::new(
                DbErrorKind::Statement,
                "the settings of the session cannot be put back while a transaction is open",
            )
            .hint("end the transaction first"));
        }
        // What is locked keeps the rest from being read.
        undisturbed(wire, "unlock tables").await?;
        // What could disturb the reading itself.
        let limit = if mariadb { "max_statement_time" } else { "max_execution_time" };
        undisturbed(
            wire,
            &format!(
                "set names utf8mb4, autocommit = 1, session sql_select_limit = default, session sql_big_selects = default, \
                 session {limit} = default, timestamp = default"
            ),
        )
        .await?;
        // COMMIT ends what SET TRANSACTION has said of the next transaction.
        undisturbed(wire, "commit and no chain no release").await?;
        let now = read(wire, mariadb).await?;
        if now.role != self.role {
            self.put_back_role(wire, mariadb).await?;
        }
        let changed = self.put_back_values(wire, &now, unsettable).await?;
        let nulls = self.nulls(&now.user_variables);
        if !nulls.is_empty() {
            wire.command(format!("set {}", nulls.join(", "))).await?;
        }
        traces.remove(wire).await?;
        if now.database != self.database
            && let Some(database) = &self.database
        {
            wire.command(format!("use {}", Engine::Mysql.quote_identifier(database))).await?;
            // Where the script was elsewhere, its temporary tables are too.
            traces.remove(wire).await?;
        }
        traces.clear();
        if changed {
            let then = read(wire, mariadb).await?;
            if let Some((name, _)) = self.differing(&then, unsettable).next() {
                return Err(stuck(name, None));
            }
        }
        Ok(())
    }

    /// Puts back the database, user variables, and the checks that Flyway puts back before each file.
    pub(super) async fn restore_between_files(&self, wire: &mut Wire, mariadb: bool) -> Result<(), DbError> {
        let now = user_variables(wire, mariadb).await;
        let nulls = self.nulls(&now);
        let checks = ["foreign_key_checks", "sql_safe_updates"].into_iter().filter_map(|name| {
            let value = self.values.get(name)?.written();
            Some(format!("session {name} = {value}"))
        });
        let all: Vec<String> = checks.chain(nulls).collect();
        if !all.is_empty() {
            wire.command(format!("set {}", all.join(", "))).await?;
        }
        match &self.database {
            Some(database) => wire.command(format!("use {}", Engine::Mysql.quote_identifier(database))).await.map(drop),
            None => Ok(()),
        }
    }

    /// What differs now, as statements that set it.
    pub(super) async fn changed_since(&self, wire: &mut Wire, mariadb: bool) -> Result<Vec<String>, DbError> {
        let now = read(wire, mariadb).await?;
        let of_the_last_statement = OF_THE_LAST_STATEMENT.map(str::to_owned).into();
        let differing = now.differing(self, &of_the_last_statement);
        let mut set: Vec<String> =
            differing.map(|(name, setting)| format!("session {name} = {}", setting.written())).collect();
        for name in now.user_variables.difference(&self.user_variables) {
            let variable = format!("@{}", Engine::Mysql.quote_identifier(name));
            let answer =
                statements::text(wire, &format!("select {variable} {LIMIT}")).await.map_err(Failure::into_error)?;
            if let Some(value) = answer.rows.first().and_then(|row| row.text(0)) {
                set.push(format!("{variable} = {}", Engine::Mysql.quote_literal(&value)));
            }
        }
        let database = now.database.filter(|database| Some(database) != self.database.as_ref());
        let moves = database.map(|database| format!("use {}", Engine::Mysql.quote_identifier(&database)));
        let sets = (!set.is_empty()).then(|| format!("set {}", set.join(", ")));
        Ok(sets.into_iter().chain(moves).collect())
    }

    /// What takes the user variables away that were not there.
    fn nulls(&self, now: &BTreeSet<String>) -> Vec<String> {
        let made = now.difference(&self.user_variables);
        made.map(|name| format!("@{} = null", Engine::Mysql.quote_identifier(name))).collect()
    }

    fn differing<'a>(
        &'a self,
        now: &'a Settings,
        unsettable: &'a BTreeSet<String>,
    ) -> impl Iterator<Item = (&'a str, &'a Setting)> {
        self.values
            .iter()
            .filter(|(name, setting)| now.values.get(*name).is_some_and(|now| now.value != setting.value))
            .filter(|(name, _)| !unsettable.contains(*name))
            .map(|(name, setting)| (name.as_str(), setting))
    }

    /// True where something had changed.
    async fn put_back_values(
        &self,
        wire: &mut Wire,
        now: &Settings,
        unsettable: &mut BTreeSet<String>,
    ) -> Result<bool, DbError> {
        let differing: Vec<(String, String)> = self
            .differing(now, unsettable)
            .map(|(name, setting)| (name.to_owned(), format!("session {name} = {}", setting.written())))
            .collect();
        if differing.is_empty() {
            return Ok(false);
        }
        let all: Vec<&str> = differing.iter().map(|(_, assignment)| assignment.as_str()).collect();
        if wire.command(format!("set {}", all.join(", "))).await.is_ok() {
            return Ok(true);
        }
        // One of them is refused, and with it all: one by one, to find it.
        for (name, assignment) in &differing {
            match wire.command(format!("set {assignment}")).await {
                Ok(_) => {}
                Err(error) if is_no_setting(&error) => {
                    unsettable.insert(name.clone());
                }
                Err(error) if wire.is_lost() => return Err(error),
                Err(error) => return Err(stuck(name, Some(&error))),
            }
        }
        Ok(true)
    }

    async fn put_back_role(&self, wire: &mut Wire, mariadb: bool) -> Result<(), DbError> {
        let role = match &self.role {
            None => "none".to_owned(),
            // MySQL gives a list that is quoted already.
            Some(role) if mariadb => Engine::Mysql.quote_identifier(role),
            Some(role) => role.clone(),
        };
        wire.command(format!("set role {role}")).await.map(drop)
    }
}

impl Setting {
    fn written(&self) -> String {
        match &self.value {
            None => "null".to_owned(),
            Some(value) if self.number => value.clone(),
            Some(value) => Engine::Mysql.quote_literal(value),
        }
    }
}

fn is_no_setting(error: &DbError) -> bool {
    error.code.as_ref().is_some_and(|code| NO_SETTING.iter().any(|number| code.starts_with(number)))
}

fn stuck(name: &str, error: Option<&DbError>) -> DbError {
    let why = error.map(|error| format!(": {error}")).unwrap_or_default();
    DbError::new(DbErrorKind::Statement, format!("the setting {name} could not be put back{why}"))
        .hint(format!("take {name} out of the script, or let the script set it back itself"))
}
