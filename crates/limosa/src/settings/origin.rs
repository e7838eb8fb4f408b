//! Where a value came from.

use std::fmt;

/// The place that gave a value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// Nobody gave it.
    Default,
    /// A line of the configuration file.
    File {
        /// The file as the user would name it.
        file: String,
        /// The line, from 1.
        line: u64,
        /// The section `[environments.NAME]`; None at the top.
        environment: Option<String>,
    },
    /// A line of an env file.
    EnvFile {
        /// The file as the user named it.
        file: String,
        /// The line, from 1.
        line: u64,
        /// The variable.
        variable: String,
    },
    /// A variable of the process.
    Variable(String),
    /// A flag, with its dashes.
    Flag(&'static str),
    /// The chosen database is the one of a protected environment, whatever way it was chosen.
    SameDatabase {
        /// The protected environment.
        environment: String,
        /// What protects it.
        origin: Box<Origin>,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => formatter.write_str("default"),
            Origin::File { file, line, environment: None } => write!(formatter, "{file}:{line}"),
            Origin::File { file, line, environment: Some(name) } => {
                write!(formatter, "{file}:{line} [environments.{name}]")
            }
            Origin::EnvFile { file, line, variable } => write!(formatter, "{file}:{line} {variable}"),
            Origin::Variable(name) => write!(formatter, "variable {name}"),
            Origin::Flag(flag) => write!(formatter, "flag {flag}"),
            Origin::SameDatabase { environment, origin } => {
                write!(formatter, "{origin}: it is the database of the environment {environment}")
            }
        }
    }
}
