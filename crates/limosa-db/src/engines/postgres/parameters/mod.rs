//! What a connection string, the `PG*` variables and libpq's defaults mean together.

mod hosts;
mod key_value;
mod keywords;
#[cfg(test)]
mod tests;
mod typed;
mod url;

use std::collections::BTreeMap;

use self::keywords::KEYWORDS;
use crate::{ConnectOptions, DbError, DbErrorKind, Secret};

pub(super) use self::hosts::{HostName, Place, socket_in};
pub(super) use self::typed::{NamedFile, Parameters, Roots, SessionKind, SslMode, Tls};

/// A value and where it came from.
#[derive(Clone)]
struct Given {
    value: String,
    variable: Option<&'static str>,
}

/// What a client program of PostgreSQL's own needs in its environment to connect as the options say.
pub(super) fn variables(options: &ConnectOptions) -> Result<Vec<(String, Secret)>, DbError> {
    let settings = Settings::read(options)?;
    let parameters = Parameters::read(options, &|path| path.exists())?;
    let mut variables: BTreeMap<&str, String> = KEYWORDS
        .iter()
        .filter_map(|keyword| Some((keyword.variable?, settings.get(keyword.name)?.to_owned())))
        .collect();
    variables.insert("PGUSER", parameters.user.clone());
    variables.insert("PGDATABASE", parameters.database.clone());
    if let Some(place) = parameters.places.first() {
        variables.entry("PGHOST").or_insert_with(|| place.host.shown());
        variables.entry("PGPORT").or_insert_with(|| place.port.to_string());
    }
    if let Some(home) = &options.home {
        variables.entry("HOME").or_insert_with(|| home.display().to_string());
    }
    Ok(variables.into_iter().map(|(name, value)| (name.to_owned(), Secret::new(value))).collect())
}

/// Every parameter that was given, by name.
struct Settings {
    given: BTreeMap<&'static str, Given>,
}

impl Settings {
    /// Reads the string first and fills the gaps from the environment.
    fn read(options: &ConnectOptions) -> Result<Settings, DbError> {
        let text = options.database.expose();
        let pairs = match url::after_scheme(text) {
            Some(rest) => url::parse(rest)?,
            None => key_value::parse(text)?,
        };
        let mut given = BTreeMap::new();
        let mut secret_before = false;
        for (name, value) in pairs {
            let Some(keyword) = keywords::find(&name) else {
                return Err(unknown(&name, secret_before));
            };
            secret_before |= keyword.name == "password";
            given.insert(keyword.name, Given { value, variable: None });
        }
        for keyword in KEYWORDS {
            let Some(variable) = keyword.variable else { continue };
            let Some(value) = options.environment.get(variable).filter(|value| !value.is_empty()) else { continue };
            if !given.contains_key(keyword.name) {
                given.insert(keyword.name, Given { value: value.clone(), variable: Some(variable) });
            }
        }
        let settings = Settings { given };
        for keyword in KEYWORDS {
            if let (Some(hint), Some(_)) = (keyword.refusal, settings.get(keyword.name)) {
                let message = format!("limosa does not follow {}", settings.place(keyword.name));
                return Err(malformed(&message).hint(hint));
            }
        }
        Ok(settings)
    }

    /// A value that was given and is not empty; libpq takes an empty one as none.
    fn get(&self, name: &str) -> Option<&str> {
        self.given.get(name).map(|given| given.value.as_str()).filter(|value| !value.is_empty())
    }

    /// The parameter in words: its name, or the variable that set it.
    fn place(&self, name: &str) -> String {
        match self.given.get(name).and_then(|given| given.variable) {
            Some(variable) => format!("the variable {variable}"),
            None => format!("the connection parameter {name}"),
        }
    }

    /// Reads one of a few words.
    fn choice<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Result<Option<T>, DbError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == value) {
            return Ok(Some(*meaning));
        }
        let list: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let message = format!("{} has the value {value:?}", self.place(name));
        Err(malformed(&message).hint(format!("it may be {}", list.join(", "))))
    }

    /// Reads a whole number.
    fn number(&self, name: &str) -> Result<Option<i64>, DbError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match value.trim().parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(malformed(&format!("{} is not a whole number", self.place(name)))),
        }
    }

    /// Refuses a parameter whose value asks for what limosa cannot do.
    fn refuse(&self, name: &str, hint: &str) -> DbError {
        let value = self.get(name).unwrap_or_default();
        malformed(&format!("{} asks for {value:?}, which limosa does not support", self.place(name))).hint(hint)
    }
}

/// A name that is no parameter. After a password it may be a part of it, and is not shown.
fn unknown(name: &str, secret_before: bool) -> DbError {
    let advice = keywords::advice(name);
    if secret_before && advice.is_none() {
        return malformed("the connection string has an unknown parameter behind the password")
            .hint("a password with blanks stands in single quotes, password='...'");
    }
    let error = malformed(&format!("unknown connection parameter {name:?}"));
    error.hint(
        advice
            .unwrap_or_else(|| "the parameters are those of libpq: host, port, dbname, user, sslmode, ...".to_owned()),
    )
}

fn malformed(message: &str) -> DbError {
    DbError::new(DbErrorKind::Configuration, message)
}
