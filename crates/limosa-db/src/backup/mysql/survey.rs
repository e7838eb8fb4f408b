//! What stands in the database, and what the user may do there, asked through the client program.

use std::collections::BTreeMap;

use limosa_sql::Engine;
use serde_json::Value;

use super::rights::Rights;
use crate::engines::mysql::Flavor;
use crate::{DbError, DbErrorKind};

/// Lines of JSON, then variables, then grants. Objects that an own row of `information_schema.engines` calls without
/// transactions have `transactional` 0.
const ASK: &str = "\
SELECT JSON_OBJECT('kind', 'session', 'name', DATABASE(), 'user', CURRENT_USER(), 'packet', @@max_allowed_packet, \
    'character_set', @@character_set_database, 'collation', @@collation_database);
SELECT JSON_OBJECT('kind', t.TABLE_TYPE, 'name', t.TABLE_NAME, 'engine', t.ENGINE, \
    'transactional', (SELECT COUNT(*) FROM information_schema.ENGINES e WHERE e.ENGINE = t.ENGINE AND e.TRANSACTIONS = 'YES')) \
    FROM information_schema.TABLES t WHERE t.TABLE_SCHEMA = DATABASE() ORDER BY t.TABLE_NAME;
SELECT JSON_OBJECT('kind', ROUTINE_TYPE, 'name', ROUTINE_NAME, 'definer', DEFINER) \
    FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE() ORDER BY ROUTINE_NAME, ROUTINE_TYPE;
SELECT JSON_OBJECT('kind', 'EVENT', 'name', EVENT_NAME, 'definer', DEFINER) \
    FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE() ORDER BY EVENT_NAME;
SELECT JSON_OBJECT('kind', 'TRIGGER', 'name', TRIGGER_NAME, 'definer', DEFINER) \
    FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE() ORDER BY TRIGGER_NAME;
SELECT JSON_OBJECT('kind', 'VIEW OF', 'name', TABLE_NAME, 'definer', DEFINER) \
    FROM information_schema.VIEWS WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME;
SHOW GLOBAL VARIABLES WHERE Variable_name IN ('log_bin', 'log_bin_trust_function_creators');
";

/// MariaDB shows what active roles give; MySQL only where they are named.
const MARIADB_GRANTS: &str = "SHOW GRANTS;\n";
const MYSQL_GRANTS: &str = "\
SET @limosa_grants = IF(CURRENT_ROLE() = 'NONE', 'SHOW GRANTS', \
    CONCAT('SHOW GRANTS FOR CURRENT_USER() USING ', CURRENT_ROLE()));
PREPARE limosa_grants FROM @limosa_grants;
EXECUTE limosa_grants;
";

/// Settings that the texts of SHOW depend on, and how names are read.
const PLAIN: &str = "SET SESSION sql_mode = '', sql_quote_show_create = 1;\n";

/// Takes on a role.
pub(super) fn set_role(role: Option<&str>) -> String {
    role.map(|role| format!("SET ROLE {};\n", Engine::Mysql.quote_identifier(role))).unwrap_or_default()
}

/// What the client is to run.
pub(super) fn questions(flavor: Flavor, role: Option<&str>) -> String {
    let grants = match flavor {
        Flavor::MariaDb => MARIADB_GRANTS,
        Flavor::Mysql => MYSQL_GRANTS,
    };
    format!("{PLAIN}{}{ASK}{grants}", set_role(role))
}

/// Something in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) kind: Kind,
    pub(super) name: String,
    /// The storage engine of a table.
    pub(super) engine: Option<String>,
    /// False for a table whose engine has no transactions.
    pub(super) transactional: bool,
    /// With whose rights it runs, or may run.
    pub(super) definer: Option<String>,
}

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Table,
    VersionedTable,
    Sequence,
    View,
    Function,
    Procedure,
    Package,
    PackageBody,
    Event,
    Trigger,
}

impl Kind {
    fn read(word: &str) -> Option<Kind> {
        Some(match word {
            "BASE TABLE" => Kind::Table,
            "SYSTEM VERSIONED" => Kind::VersionedTable,
            "SEQUENCE" => Kind::Sequence,
            "VIEW" => Kind::View,
            "FUNCTION" => Kind::Function,
            "PROCEDURE" => Kind::Procedure,
            "PACKAGE" => Kind::Package,
            "PACKAGE BODY" => Kind::PackageBody,
            "EVENT" => Kind::Event,
            "TRIGGER" => Kind::Trigger,
            _ => return None,
        })
    }

    /// The kind in running text.
    pub(super) fn word(self) -> &'static str {
        match self {
            Kind::Table | Kind::VersionedTable => "table",
            Kind::Sequence => "sequence",
            Kind::View => "view",
            Kind::Function => "function",
            Kind::Procedure => "procedure",
            Kind::Package | Kind::PackageBody => "package",
            Kind::Event => "event",
            Kind::Trigger => "trigger",
        }
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Survey {
    /// The user's account, as definers are written: `u@%`.
    pub(super) user: String,
    pub(super) database: String,
    /// Bytes of the longest statement that the server takes.
    pub(super) packet: u64,
    pub(super) character_set: String,
    pub(super) collation: String,
    /// True where the server looks hard at functions and triggers, for the sake of its binary log.
    pub(super) guards_binary_log: bool,
    /// All but the mark.
    pub(super) objects: Vec<Object>,
    /// The mark of a restore that did not end stands.
    pub(super) is_unfinished: bool,
    pub(super) rights: Rights,
}

impl Survey {
    /// The mark of this name is no object of the database's own.
    pub(super) fn without_mark(mut self, name: &str) -> Survey {
        let before = self.objects.len();
        self.objects.retain(|object| !object.name.eq_ignore_ascii_case(name));
        self.is_unfinished = self.objects.len() < before;
        self
    }

    /// Reads what the client wrote.
    ///
    /// # Errors
    /// Where the answer is not what was asked for.
    pub(super) fn read(text: &str) -> Result<Survey, DbError> {
        let strange =
            |what: &str| DbError::new(DbErrorKind::Statement, format!("the client program answered strangely: {what}"));
        let (mut session, mut objects, mut view_definers) = (None, Vec::new(), BTreeMap::new());
        let (mut logs, mut trusts) = (false, false);
        for line in text.lines() {
            if line.starts_with('{') {
                let value: Value = serde_json::from_str(line).map_err(|error| strange(&error.to_string()))?;
                let word = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
                let kind = word("kind").unwrap_or_default();
                if kind == "session" {
                    session = Some(value);
                } else if let ("VIEW OF", Some(name), Some(definer)) = (kind.as_str(), word("name"), word("definer")) {
                    view_definers.insert(name, definer);
                } else if let (Some(kind), Some(name)) = (Kind::read(&kind), word("name")) {
                    let transactional = number(&value, "transactional") != Some(0);
                    objects.push(Object {
                        kind,
                        name,
                        engine: word("engine"),
                        transactional,
                        definer: word("definer"),
                    });
                }
            } else if let Some((name, value)) = line.split_once('\t') {
                let on = value.eq_ignore_ascii_case("ON") || value == "1";
                logs |= on && name == "log_bin";
                trusts |= on && name == "log_bin_trust_function_creators";
            }
        }
        // A view is listed among the tables, and once more with its definer.
        for view in objects.iter_mut().filter(|object: &&mut Object| object.kind == Kind::View) {
            view.definer = view_definers.remove(&view.name);
        }
        let session = session.ok_or_else(|| strange("it did not say who is connected"))?;
        let word = |name: &str| session.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let database = word("name");
        Ok(Survey {
            user: word("user"),
            packet: number(&session, "packet").unwrap_or(u64::MAX),
            character_set: word("character_set"),
            collation: word("collation"),
            guards_binary_log: logs && !trusts,
            rights: Rights::read(text.lines(), &database),
            objects,
            is_unfinished: false,
            database,
        })
    }

    /// The objects of these kinds.
    pub(super) fn of<'s>(&'s self, kinds: &'s [Kind]) -> impl Iterator<Item = &'s Object> {
        self.objects.iter().filter(|object| kinds.contains(&object.kind))
    }
}

/// A number, which some servers write as a text.
fn number(value: &Value, name: &str) -> Option<u64> {
    let value = value.get(name)?;
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read() {
        let text = "{\"kind\": \"session\", \"name\": \"d\", \"user\": \"u@%\", \"packet\": 16777216, \"character_set\": \"utf8mb4\", \
             \"collation\": \"utf8mb4_general_ci\"}\n\
             {\"kind\": \"BASE TABLE\", \"name\": \"a\\n`b\", \"engine\": \"MyISAM\", \"transactional\": \"0\"}\n\
             {\"kind\": \"VIEW\", \"name\": \"v\", \"engine\": null, \"transactional\": 0}\n\
             {\"kind\": \"VIEW OF\", \"name\": \"v\", \"definer\": \"root@localhost\"}\n\
             log_bin\tON\nlog_bin_trust_function_creators\tOFF\n\
             GRANT ALL PRIVILEGES ON `d`.* TO `u`@`%`\n";
        let survey = Survey::read(text).unwrap();
        assert_eq!((survey.user.as_str(), survey.packet, survey.guards_binary_log), ("u@%", 16_777_216, true));
        assert!(survey.rights.has("TRIGGER"));
        let table = Object {
            kind: Kind::Table,
            name: "a\n`b".to_owned(),
            engine: Some("MyISAM".to_owned()),
            transactional: false,
            definer: None,
        };
        let view = Object {
            kind: Kind::View,
            name: "v".to_owned(),
            engine: None,
            transactional: false,
            definer: Some("root@localhost".to_owned()),
        };
        assert_eq!(survey.objects, [table, view]);
        assert!(Survey::read("").is_err());
        assert!(Survey::read("{\"kind\": \n").is_err());
    }
}
