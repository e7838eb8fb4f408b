//! How the files of a project are named and configured: one format for all its folders.

use limosa_core::Version;
use limosa_sql::Diagnostic;

use crate::flyway::{self, Naming};
use crate::formats::{detect, up_down};
use crate::native::{self, Config, FileRole};

/// A format with what it needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Layout {
    /// limosa's own.
    #[default]
    Native,
    /// Flyway's.
    Flyway(Naming),
    /// A file up and a file down for each version.
    UpDown,
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
                Some(format) if format.name == up_down::FORMAT.name => Layout::UpDown,
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
            Layout::UpDown => up_down::classify(path),
        }
    }

    /// A version as this format compares it: in Flyway `1` and `1.0` are the same.
    pub fn compared(&self, version: &Version) -> Version {
        match self {
            Layout::Native | Layout::UpDown => version.clone(),
            Layout::Flyway(_) => version.without_trailing_zeros(),
        }
    }

    /// True where `${name}` is a placeholder, and not text.
    pub fn has_placeholders(&self) -> bool {
        !matches!(self, Layout::UpDown)
    }

    /// True where `${Name}` and `${name}` are one placeholder.
    pub fn folds_placeholders(&self) -> bool {
        matches!(self, Layout::Flyway(_))
    }

    /// The name of a new migration's file, from its version and the words that describe it, joined by `_`.
    pub fn versioned_name(&self, version: &str, words: &str) -> String {
        match self {
            Layout::Native => format!("{version}_{words}.sql"),
            Layout::UpDown => format!("{version}_{words}.up.sql"),
            Layout::Flyway(naming) => {
                format!("{}{version}{}{words}{}", naming.versioned, naming.separator, naming.suffix())
            }
        }
    }

    /// The name of the file for the way back of a new migration; None where it is a section of the same file.
    pub fn way_back_name(&self, version: &str, words: &str) -> Option<String> {
        matches!(self, Layout::UpDown).then(|| format!("{version}_{words}.down.sql"))
    }

    /// The name of a new repeatable's file; None where there are no repeatables.
    pub fn repeatable_name(&self, words: &str) -> Option<String> {
        match self {
            Layout::Native => Some(format!("R__{words}.sql")),
            Layout::Flyway(naming) => {
                Some(format!("{}{}{words}{}", naming.repeatable, naming.separator, naming.suffix()))
            }
            Layout::UpDown => None,
        }
    }

    /// How many digits the first version of an empty folder has.
    pub fn first_width(&self) -> usize {
        match self {
            Layout::Native => 3,
            Layout::Flyway(_) => 1,
            Layout::UpDown => 6,
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
            Layout::Native | Layout::UpDown => Config::read(path, bytes),
            Layout::Flyway(_) => flyway::read_script_settings(path, bytes, value_of),
        }
    }
}
