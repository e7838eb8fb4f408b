//! `flyway.initSql`: what each session of Flyway's begins with, as far as it sets something.

use limosa_sql::{Diagnostic, Dialect, Engine, PieceKind, Splitter};

use super::Section;
use super::given::Place;
use crate::settings::codes;
use crate::settings::layer::SessionSettings;

/// What it sets.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct InitSql {
    /// Settings of PostgreSQL's in lower case, and their values as the server takes them with the login.
    settings: Vec<(String, String)>,
    /// Whose rights the session takes on.
    role: Option<String>,
}

/// Settings whose values are lists of names.
const LISTS: &[&str] = &["search_path", "temp_tablespaces", "session_preload_libraries", "local_preload_libraries"];

/// What belongs to the transaction in which it is set, or cannot be given with the login.
const NOT_WITH_LOGIN: &[&str] = &["session_authorization", "transaction_isolation", "transaction_read_only"];

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    /// Between double quotes.
    Name(String),
    /// Between single quotes.
    Text(String),
    Sign(char),
}

impl Section<'_> {
    /// What sessions begin with; the default schema stands first in their search path.
    pub(super) fn init_sql(&mut self, text: &str, engine: Engine, schema: Option<&str>, place: &Place) {
        let read = match engine {
            Engine::Mysql => of_mysql(text).map(|settings| InitSql { settings, role: None }),
            Engine::Sqlite => of_sqlite(text).map(|settings| InitSql { settings, role: None }),
            _ => of_postgres(text),
        };
        let init = match read {
            Ok(init) => init,
            Err(statement) => {
                let message = format!("of flyway.initSql this cannot be had here: {statement}");
                let problem = Diagnostic::error(codes::FLYWAY_UNSUPPORTED, message);
                let may = match engine {
                    Engine::Sqlite => "PRAGMA foreign_keys",
                    Engine::Mysql => "SET name = value, but for sql_mode, which decides how scripts are read",
                    _ => "SET ROLE name, SET name = value",
                };
                let help = format!("it may set what holds for the session: {may}; the rest: a callback beforeMigrate");
                self.push(problem.help(help), place);
                return;
            }
        };
        if let Some(role) = init.role {
            self.set("role", &[role], place);
        }
        let mut settings = Vec::new();
        for (name, mut value) in init.settings {
            let own = match (engine, name.as_str()) {
                // Where limosa sets its own for each transaction, that one would count.
                (Engine::Postgres, "lock_timeout" | "statement_timeout") => Some((name.as_str(), duration(&value))),
                (Engine::Mysql, "lock_wait_timeout" | "innodb_lock_wait_timeout") => {
                    Some(("lock_timeout", format!("{value}s")))
                }
                (Engine::Sqlite, _) => Some(("sqlite.foreign_keys", value.clone())),
                _ => None,
            };
            if let Some((key, value)) = own {
                self.set(key, &[value], place);
                continue;
            }
            if let Some(schema) = schema.filter(|schema| name == "search_path" && !schema.contains("${")) {
                let first = Engine::Postgres.quote_identifier(schema);
                if !matches!(value.split(',').next(), Some(begins) if begins == first || begins == schema) {
                    value = format!("{first},{value}");
                }
            }
            settings.push((name, value));
        }
        let (label, words) = (place.label(), place.words());
        self.layer.session_settings = Some(SessionSettings { engine, settings, label, words });
    }
}

/// What it sets on PostgreSQL.
///
/// # Errors
/// The first statement that does more than to set something for the session, by its number and its first word: what is behind that may be a
/// secret.
fn of_postgres(text: &str) -> Result<InitSql, String> {
    let mut found = InitSql::default();
    each(Engine::Postgres, text, |statement| take(statement, &mut found))?;
    Ok(found)
}

/// What it sets on MySQL and MariaDB: names, and values as SQL. The same errors.
fn of_mysql(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut found = Vec::new();
    each(Engine::Mysql, text, |statement| take_mysql(statement, &mut found))?;
    Ok(found)
}

/// What it sets on SQLite: whether foreign keys are enforced. The same errors.
fn of_sqlite(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut found = Vec::new();
    each(Engine::Sqlite, text, |statement| {
        let tokens = tokens(statement)?;
        let [Token::Word(pragma), Token::Word(name), Token::Sign('='), Token::Word(value)] = &tokens[..] else {
            return None;
        };
        let is_on = match value.as_str() {
            "on" | "true" | "yes" | "1" => "on",
            "off" | "false" | "no" | "0" => "off",
            _ => return None,
        };
        (pragma == "pragma" && name == "foreign_keys").then(|| found.push((name.clone(), is_on.to_owned())))
    })?;
    Ok(found)
}

fn each(engine: Engine, text: &str, mut take: impl FnMut(&str) -> Option<()>) -> Result<(), String> {
    let mut splitter = Splitter::new(Dialect::from(engine), "initSql");
    splitter.feed(text.as_bytes());
    splitter.finish();
    let mut number = 0;
    while let Some(piece) = splitter.next_piece().map_err(|_| "a quote that stands open".to_owned())? {
        let statement = piece.statement();
        if statement.is_empty() {
            continue;
        }
        number += 1;
        let is_taken = matches!(piece.kind, PieceKind::Statement(_)) && take(statement).is_some();
        if !is_taken {
            let word = statement.split(|letter: char| !letter.is_alphabetic()).next().unwrap_or_default();
            let word = if word.is_empty() { String::new() } else { format!(", {word} ...") };
            return Err(format!("its statement {number}{word}"));
        }
    }
    Ok(())
}

/// One statement of MySQL's; None where it is no SET for the session.
fn take_mysql(statement: &str, found: &mut Vec<(String, String)>) -> Option<()> {
    let tokens = tokens(statement)?;
    let [Token::Word(set), rest @ ..] = tokens.as_slice() else { return None };
    if set != "set" {
        return None;
    }
    // limosa speaks nothing else.
    if let [Token::Word(names), Token::Word(encoding) | Token::Text(encoding)] = rest
        && names == "names"
    {
        return (encoding == "utf8mb4").then_some(());
    }
    for one in rest.split(|token| *token == Token::Sign(',')) {
        let one = match one {
            [Token::Word(scope), rest @ ..] if matches!(scope.as_str(), "session" | "local") => rest,
            other => other,
        };
        let [Token::Word(name), Token::Sign('='), value] = one else { return None };
        let name = name.strip_prefix("@@session.").or_else(|| name.strip_prefix("@@local.")).unwrap_or(name);
        let is_plain = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'_';
        if !name.bytes().all(is_plain) || name == "sql_mode" || name == "global" {
            return None;
        }
        let value = match value {
            Token::Word(word) if word.bytes().all(|letter| is_plain(letter) || matches!(letter, b'.' | b'-')) => {
                word.clone()
            }
            Token::Text(text) => Engine::Mysql.quote_literal(text),
            _ => return None,
        };
        found.push((name.to_owned(), value));
    }
    Some(())
}

/// One statement; None where it is no SET for the session.
fn take(statement: &str, found: &mut InitSql) -> Option<()> {
    let tokens = tokens(statement)?;
    let is = |token: &Token, word: &str| matches!(token, Token::Word(text) if text == word);
    let [set, rest @ ..] = tokens.as_slice() else { return None };
    if !is(set, "set") {
        return None;
    }
    let rest = rest.strip_prefix(&[Token::Word("session".to_owned())][..]).unwrap_or(rest);
    let (name, values) = match rest {
        [role, value] if is(role, "role") => ("role".to_owned(), std::slice::from_ref(value)),
        [time, zone, value] if is(time, "time") && is(zone, "zone") => {
            ("timezone".to_owned(), std::slice::from_ref(value))
        }
        [Token::Word(name), to, values @ ..] if *to == Token::Sign('=') || is(to, "to") => (name.clone(), values),
        _ => return None,
    };
    let value = value_of(&name, values)?;
    let is_plain = |letter: u8| letter.is_ascii_alphanumeric() || matches!(letter, b'_' | b'.');
    match name.as_str() {
        _ if !name.bytes().all(is_plain) => return None,
        _ if NOT_WITH_LOGIN.contains(&name.as_str()) => return None,
        "role" => found.role = Some(value).filter(|role| role != "none"),
        _ => found.settings.push((name, value)),
    }
    Some(())
}

/// A value, or several that are separated by commas.
fn value_of(name: &str, tokens: &[Token]) -> Option<String> {
    let is_list = LISTS.contains(&name);
    let mut values = Vec::new();
    for part in tokens.split(|token| *token == Token::Sign(',')) {
        let [one] = part else { return None };
        values.push(match one {
            Token::Word(word) if word == "default" => return None,
            Token::Word(word) => word.clone(),
            Token::Name(text) | Token::Text(text) if is_list => Engine::Postgres.quote_identifier(text),
            Token::Name(text) | Token::Text(text) => text.clone(),
            Token::Sign(_) => return None,
        });
    }
    Some(values.join(","))
}

/// The words of a statement, in lower case where they stand without quotes; None where it holds anything else than words, quotes, `=` and commas.
fn tokens(statement: &str) -> Option<Vec<Token>> {
    let mut found = Vec::new();
    let mut rest = statement.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_of_word = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '.' | '+' | '-' | '@');
        rest = match first {
            '\'' | '"' => {
                let (text, behind) = quoted(&rest[1..], first)?;
                found.push(if first == '"' { Token::Name(text) } else { Token::Text(text) });
                behind
            }
            '=' | ',' => {
                found.push(Token::Sign(first));
                &rest[1..]
            }
            _ if is_of_word(first) => {
                let length = rest.find(|letter| !is_of_word(letter)).unwrap_or(rest.len());
                let (word, behind) = rest.split_at(length);
                // A comment, and `E'...'`, whose backslashes count.
                if word.contains("--") || behind.starts_with(['\'', '"']) {
                    return None;
                }
                found.push(Token::Word(word.to_lowercase()));
                behind
            }
            _ => return None,
        };
        rest = rest.trim_start();
    }
    Some(found)
}

/// What stands up to the closing quote, and what is behind it; a quote within stands twice.
fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut found = String::new();
    let mut rest = text;
    loop {
        let (part, behind) = rest.split_once(quote)?;
        found.push_str(part);
        match behind.strip_prefix(quote) {
            Some(more) => {
                found.push(quote);
                rest = more;
            }
            None => return Some((found, behind)),
        }
    }
}

/// A time of PostgreSQL's, in milliseconds where it has no unit, as limosa's settings have it.
fn duration(value: &str) -> String {
    let value = value.trim().to_lowercase();
    match value.strip_suffix("min") {
        Some(minutes) => format!("{}m", minutes.trim_end()),
        None if value.trim_start_matches('0').is_empty() => "off".to_owned(),
        None if value.bytes().all(|byte| byte.is_ascii_digit()) => format!("{value}ms"),
        None => value.replace(' ', ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_as_the_server_reads_them() {
        for (text, expected) in [
            ("SET search_path TO app, Public, \"My S\", 'x''y'", "search_path=app,public,\"My S\",\"x'y\""),
            (
                "set session statement_timeout = '5min'; SET LOCK_TIMEOUT=3000;",
                "statement_timeout=5min|lock_timeout=3000",
            ),
            ("SET TIME ZONE 'Europe/Berlin'", "timezone=Europe/Berlin"),
            ("SET DateStyle = ISO, MDY", "datestyle=iso,mdy"),
            ("set app.tenant = 'a b'", "app.tenant=a b"),
            ("SET extra_float_digits TO -1", "extra_float_digits=-1"),
            ("SET ROLE \"Owner\"", "role Owner"),
            ("set role to app_owner;\nset work_mem = '64MB'", "work_mem=64MB|role app_owner"),
            ("SET ROLE none", ""),
            ("", ""),
            (" ; ", ""),
        ] {
            let found = of_postgres(text).unwrap_or_else(|statement| panic!("{text}: {statement}"));
            let mut shown: Vec<String> = found.settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
            shown.extend(found.role.map(|role| format!("role {role}")));
            assert_eq!(shown.join("|"), expected, "{text}");
        }
    }

    #[test]
    fn what_servers_of_mysql_are_told_is_read() {
        for (text, expected) in [
            (
                "SET time_zone = '+00:00', SESSION foreign_key_checks=0; SET NAMES utf8mb4",
                "time_zone='+00:00'|foreign_key_checks=0",
            ),
            ("set @@session.group_concat_max_len = 100000;", "group_concat_max_len=100000"),
            ("SET NAMES 'utf8mb4'", ""),
            ("SET sql_mode = 'ANSI_QUOTES'", "its statement 1, SET ..."),
            ("SET time_zone = 'x'; SET GLOBAL max_connections = 9", "its statement 2, SET ..."),
            ("SET @@global.a = 1", "its statement 1, SET ..."),
            ("SET @own = 1", "its statement 1, SET ..."),
            ("SET a = (select 1)", "its statement 1, SET ..."),
            ("SET NAMES latin1", "its statement 1, SET ..."),
            ("USE other", "its statement 1, USE ..."),
        ] {
            let found = of_mysql(text).map(|settings| {
                let shown = settings.iter().map(|(name, value)| format!("{name}={value}"));
                shown.collect::<Vec<_>>().join("|")
            });
            assert_eq!(found.unwrap_or_else(|statement| statement), expected, "{text}");
        }
    }

    #[test]
    fn foreign_keys_are_what_sqlite_is_told() {
        for (text, expected) in [
            ("PRAGMA foreign_keys = ON;", "on"),
            ("pragma foreign_keys=0", "off"),
            ("PRAGMA journal_mode = WAL", "its statement 1, PRAGMA ..."),
            ("PRAGMA foreign_keys", "its statement 1, PRAGMA ..."),
        ] {
            let found = of_sqlite(text).map(|settings| settings[0].1.clone());
            assert_eq!(found.unwrap_or_else(|statement| statement), expected, "{text}");
        }
    }

    #[test]
    fn times_have_units() {
        for (value, expected) in
            [("3000", "3000ms"), ("0", "off"), ("5s", "5s"), ("2 min", "2m"), ("500MS", "500ms"), ("1h", "1h")]
        {
            assert_eq!(duration(value), expected, "{value}");
        }
    }

    #[test]
    fn whatever_else_is_named() {
        for (text, number, word) in [
            ("SET a.b = 1; ; -- and\n SELECT set_config('a.b', '2', false)", 2, "SELECT"),
            ("SET LOCAL work_mem = '1MB'", 1, "SET"),
            ("SET work_mem TO DEFAULT", 1, "SET"),
            ("SET SESSION AUTHORIZATION x", 1, "SET"),
            ("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", 1, "SET"),
            ("SET work_mem = E'1\\x4d'", 1, "SET"),
            ("SET a.b = (1)", 1, "SET"),
            ("SET a.b =", 1, "SET"),
            ("SET @mode = 1", 1, "SET"),
            ("SET a-b = 1", 1, "SET"),
            ("SET \u{e9}.a = 1", 1, "SET"),
            ("ALTER ROLE x PASSWORD 'secret'", 1, "ALTER"),
        ] {
            assert_eq!(of_postgres(text).unwrap_err(), format!("its statement {number}, {word} ..."), "{text}");
        }
        assert_eq!(of_postgres("\u{1};SET").unwrap_err(), "its statement 1");
        assert_eq!(of_postgres("SET a.b = 'x").unwrap_err(), "a quote that stands open");
    }
}
