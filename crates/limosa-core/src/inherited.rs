//! What one step finds in the session that steps before it left there.

use limosa_sql::Engine;
use serde::Serialize;

use crate::Outline;

/// What steps before one of a plan leave in the session, where the tool that they were written for lets it reach this one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Inherited {
    /// Names of session settings in lower case, in the order in which they were changed first.
    pub settings: Vec<String>,
    /// PostgreSQL: those of them that files before it have set for their transaction, where the tool has one for all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locals: Vec<String>,
    /// More than `settings` names; see [`crate::Shape::unseen`].
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unseen: bool,
    /// What the tool puts back before the file.
    #[serde(skip_serializing_if = "PutsBack::is_nothing")]
    pub puts_back: PutsBack,
}

/// What a tool that runs all files in one session puts back before each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PutsBack {
    /// Nothing.
    #[default]
    Nothing,
    /// PostgreSQL: the search path and the role; MySQL: the database, all user variables, `foreign_key_checks` and `sql_safe_updates`
    /// (Flyway: `doRestoreOriginalState` and `changeCurrentSchemaTo` of its connections).
    PathRoleAndVariables,
}

impl PutsBack {
    fn is_nothing(&self) -> bool {
        *self == PutsBack::Nothing
    }

    /// True for a setting, by its name in lower case, that does not reach the next file.
    pub fn covers(self, engine: Engine, name: &str) -> bool {
        match (self, engine) {
            (PutsBack::PathRoleAndVariables, Engine::Postgres) => {
                ["search_path", "role", "session_authorization"].contains(&name)
            }
            (PutsBack::PathRoleAndVariables, Engine::Mysql) => {
                name.starts_with('@') || ["foreign_key_checks", "sql_safe_updates"].contains(&name)
            }
            _ => false,
        }
    }
}

impl Inherited {
    pub(crate) fn add<'a>(&mut self, settings: impl Iterator<Item = &'a String>, unseen: bool) {
        for name in settings {
            if !self.settings.contains(name) {
                self.settings.push(name.clone());
            }
        }
        self.unseen |= unseen;
    }

    /// True where all that a script sets for its transaction is to reach the next one.
    pub(crate) fn holds_locals_of(&self, outline: &Outline) -> bool {
        outline.local_settings.iter().all(|name| self.locals.contains(name))
    }
}
