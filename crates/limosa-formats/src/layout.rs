//! How the files of a project are named and configured: one format for all its folders.

use limosa_core::Version;
use limosa_sql::Diagnostic;

use crate::flyway::{self, Naming};
use crate::formats::detect;
use crate::native::{self, Config, FileRole};

/// A format with what it needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Layout {
    /// limosa's own.
    #[default]
    Native,
    /// Flyway's.
    Flyway(Naming),
}

/// Which layout is meant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LayoutChoice {
    /// The one that the names of the files speak for; limosa's own where none does.
    #[default]
    Auto,
    /// This one.
    Given(Layout),
}

impl LayoutChoice {
    /// The layout for files with these paths.
    pub fn settle(&self, paths: &[&str]) -> Layout {
        match self {
            LayoutChoice::Given(layout) => layout.clone(),
            LayoutChoice::Auto => match detect(paths) {
                Some(format) if format.name == flyway::FORMAT.name => Layout::Flyway(Naming::default()),
                _ => Layout::Native,
            },
        }
    }
}

impl Layout {
    /// What a file is for, by its path.
    pub fn classify(&self, path: &str) -> FileRole {
        match self {
            Layout::Native => native::classify(path),
            Layout::Flyway(naming) => naming.classify(path),
        }
    }

    /// A version as this format compares it: in Flyway `1` and `1.0` are the same.
    pub fn compared(&self, version: &Version) -> Version {
        match self {
            Layout::Native => version.clone(),
            Layout::Flyway(_) => version.without_trailing_zeros(),
        }
    }

    /// True where `${Name}` and `${name}` are one placeholder.
    pub fn folds_placeholders(&self) -> bool {
        matches!(self, Layout::Flyway(_))
    }

    /// The name of a new migration's file, from its version and the words that describe it, joined by `_`.
    pub fn versioned_name(&self, version: &str, words: &str) -> String {
        match self {
            Layout::Native => format!("{version}_{words}.sql"),
            Layout::Flyway(naming) => {
                format!("{}{version}{}{words}{}", naming.versioned, naming.separator, naming.suffix())
            }
        }
    }

    /// The name of a new repeatable's file.
    pub fn repeatable_name(&self, words: &str) -> String {
        match self {
            Layout::Native => format!("R__{words}.sql"),
            Layout::Flyway(naming) => format!("{}{}{words}{}", naming.repeatable, naming.separator, naming.suffix()),
        }
    }

    /// How many digits the first version of an empty folder has.
    pub fn first_width(&self) -> usize {
        match self {
            Layout::Native => 3,
            Layout::Flyway(_) => 1,
        }
    }

    /// Reads a file whose role is [`FileRole::Config`]. `value_of` gives the values of placeholders.
    pub fn read_config(
        &self,
        path: &str,
        bytes: &[u8],
        value_of: &dyn Fn(&str) -> Option<String>,
    ) -> (Option<Config>, Vec<Diagnostic>) {
        match self {
            Layout::Native => Config::read(path, bytes),
            Layout::Flyway(_) => flyway::read_script_settings(path, bytes, value_of),
        }
    }
}
