//! What an address, the `MYSQL_*` variables, option files and defaults mean together. What stands in the address counts
//! before what stands in a variable, and that before what stands in a file.

mod disk;
mod keywords;
mod option_file;
#[cfg(test)]
mod tests;
mod typed;
mod url;

use std::collections::BTreeMap;
use std::path::PathBuf;

use self::keywords::KEYWORDS;
use crate::network::address::ENCODE;
use crate::{ConnectOptions, DbError, DbErrorKind, Notice};

pub(super) use self::disk::{Disk, Files};
pub(super) use self::typed::{Parameters, Place, Roots, SslMode, Tls};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    Address,
    Variable(&'static str),
    File(PathBuf),
}

/// A value and where it came from.
#[derive(Clone)]
struct Given {
    value: String,
    source: Source,
}

/// Every parameter that was given, by name.
struct Settings {
    given: BTreeMap<&'static str, Given>,
    /// What is to be said about the files.
    notices: Vec<Notice>,
}

impl Settings {
    /// Reads the address first and fills the gaps from the environment, and what is left from the option files.
    fn read(options: &ConnectOptions, disk: &dyn Disk) -> Result<Settings, DbError> {
        let Some(rest) = url::after_scheme(options.database.expose()) else {
            return Err(malformed("the database is not a URL that begins with mysql:// or mariadb://"));
        };
        let mut given = BTreeMap::new();
        let mut secret_before = false;
        for (name, value) in url::parse(rest)? {
            let Some(keyword) = keywords::find(&name) else {
                return Err(unknown(&name, secret_before));
            };
            secret_before |= keyword.name == "password";
            given.insert(keyword.name, Given { value, source: Source::Address });
        }
        for keyword in KEYWORDS {
            let Some(variable) = keyword.variable else { continue };
            let Some(value) = options.environment.get(variable).filter(|value| !value.is_empty()) else { continue };
            given
                .entry(keyword.name)
                .or_insert_with(|| Given { value: value.clone(), source: Source::Variable(variable) });
        }
        let mut settings = Settings { given, notices: Vec::new() };
        settings.read_files(options, disk)?;
        for keyword in KEYWORDS {
            if let (Some(hint), Some(given)) = (keyword.refusal, settings.given.get(keyword.name))
                && !matches!(given.source, Source::File(_))
            {
                let message = format!("limosa does not follow {}", settings.place(keyword.name));
                return Err(malformed(&message).hint(hint));
            }
        }
        Ok(settings)
    }

    fn read_files(&mut self, options: &ConnectOptions, disk: &dyn Disk) -> Result<(), DbError> {
        let only = self.get("defaults-file").map(PathBuf::from);
        let extra = self.get("defaults-extra-file").map(PathBuf::from);
        if self.truth("no-defaults")?.unwrap_or(false) {
            return Ok(());
        }
        let files = option_file::files(options.home.as_deref(), only, extra);
        let read = option_file::read(&files, disk)?;
        self.notices = read.notices;
        for option in read.options {
            let source = Source::File(option.file);
            self.given.entry(option.keyword).or_insert(Given { value: option.value, source });
        }
        Ok(())
    }

    /// A value that was given and is not empty.
    fn get(&self, name: &str) -> Option<&str> {
        self.given.get(name).map(|given| given.value.as_str()).filter(|value| !value.is_empty())
    }

    /// True where the address itself says it.
    fn in_address(&self, name: &str) -> bool {
        self.get(name).is_some() && self.given.get(name).is_some_and(|given| given.source == Source::Address)
    }

    /// The parameter in words: its name, or the variable or file that set it.
    fn place(&self, name: &str) -> String {
        match self.given.get(name).map(|given| &given.source) {
            Some(Source::Variable(variable)) => format!("the variable {variable}"),
            Some(Source::File(path)) => format!("the option {name} in {}", path.display()),
            _ => format!("the connection parameter {name}"),
        }
    }

    /// Reads one of a few words, in capitals or not.
    fn choice<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Result<Option<T>, DbError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        if let Some((_, meaning)) = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(value)) {
            return Ok(Some(*meaning));
        }
        let list: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let message = format!("{} has the value {value:?}", self.place(name));
        Err(malformed(&message).hint(format!("it may be {}", list.join(", "))))
    }

    /// Reads yes or no; a name without a value is yes.
    fn truth(&self, name: &str) -> Result<Option<bool>, DbError> {
        if self.given.get(name).is_some_and(|given| given.value.is_empty()) {
            return Ok(Some(true));
        }
        let words = [("1", true), ("0", false), ("true", true), ("false", false), ("on", true), ("off", false)];
        self.choice(name, &words)
    }

    /// Reads a whole number.
    fn number(&self, name: &str) -> Result<Option<u64>, DbError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match value.trim().parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(malformed(&format!("{} is not a whole number", self.place(name)))),
        }
    }
}

/// A name that is no parameter. After a password it may be a part of it, and is not shown.
fn unknown(name: &str, secret_before: bool) -> DbError {
    let advice = keywords::advice(name);
    if secret_before && advice.is_none() {
        return malformed("the database URL has an unknown parameter behind the password").hint(ENCODE);
    }
    let error = malformed(&format!("unknown connection parameter {name:?}"));
    error.hint(advice.unwrap_or_else(|| {
        "the parameters are those of the mysql client: socket, ssl-mode, ssl-ca, connect-timeout, ...".to_owned()
    }))
}

fn malformed(message: &str) -> DbError {
    DbError::new(DbErrorKind::Configuration, message)
}
