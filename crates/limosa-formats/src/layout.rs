//! How the files of a project are named and configured: one format for all its folders.

use limosa_core::{Markers, Version};
use limosa_sql::Diagnostic;

use crate::flyway::{self, Naming};
use crate::formats::{dbmate, goose, up_down};
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
    /// goose's: sections in one file.
    Goose,
    /// dbmate's: sections in one file.
    Dbmate,
}

/// Which layout is meant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LayoutChoice {
    /// The one that the names of the files speak for, or their first lines; limosa's own where nothing does.
    #[default]
    Auto,
    /// This one.
    Given(Layout),
}

impl Layout {
    /// The layout of files with these markers; None where there is none of them.
    pub(crate) fn of_markers(markers: Markers) -> Option<Layout> {
        match markers {
            Markers::Goose => Some(Layout::Goose),
            Markers::Dbmate => Some(Layout::Dbmate),
            Markers::SqlMigrate | Markers::NodePgMigrate => None,
        }
    }

    /// The markers that tell the sections of a file apart; None where files have no sections of another tool.
    pub fn markers(&self) -> Option<Markers> {
        match self {
            Layout::Goose => Some(Markers::Goose),
            Layout::Dbmate => Some(Markers::Dbmate),
            Layout::Native | Layout::Flyway(_) | Layout::UpDown => None,
        }
    }

    /// The name of the format, as users write it after `--format`.
    pub fn name(&self) -> &'static str {
        match self {
            Layout::Native => native::FORMAT.name,
            Layout::Flyway(_) => flyway::FORMAT.name,
            Layout::UpDown => up_down::FORMAT.name,
            Layout::Goose => goose::FORMAT.name,
            Layout::Dbmate => dbmate::FORMAT.name,
        }
    }

    /// What is to be said of the files together, by their names.
    pub fn check<'a>(&self, files: impl Iterator<Item = (&'a str, &'a FileRole)>) -> Option<Diagnostic> {
        match self {
            Layout::Dbmate => dbmate::other_order(files),
            _ => None,
        }
    }

    /// What a file is for, by its path.
    pub fn classify(&self, path: &str) -> FileRole {
        match self {
            Layout::Native => native::classify(path),
            Layout::Flyway(naming) => naming.classify(path),
            Layout::UpDown => up_down::classify(path),
            Layout::Goose => goose::classify(path),
            Layout::Dbmate => dbmate::classify(path),
        }
    }

    /// A version as this format compares it: in Flyway `1` and `1.0` are the same.
    pub fn compared(&self, version: &Version) -> Version {
        match self {
            Layout::Flyway(_) => version.without_trailing_zeros(),
            Layout::Native | Layout::UpDown | Layout::Goose | Layout::Dbmate => version.clone(),
        }
    }

    /// True where `${name}` is a placeholder, and not text; in goose's files where they say so.
    pub fn has_placeholders(&self) -> bool {
        !matches!(self, Layout::UpDown | Layout::Dbmate)
    }

    /// True where `${Name}` and `${name}` are one placeholder.
    pub fn folds_placeholders(&self) -> bool {
        matches!(self, Layout::Flyway(_) | Layout::Goose)
    }

    /// The name of a new migration's file, from its version and the words that describe it, joined by `_`.
    pub fn versioned_name(&self, version: &str, words: &str) -> String {
        match self {
            Layout::Native | Layout::Goose | Layout::Dbmate => format!("{version}_{words}.sql"),
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
            Layout::UpDown | Layout::Goose | Layout::Dbmate => None,
        }
    }

    /// How many digits the first version of an empty folder has.
    pub fn first_width(&self) -> usize {
        match self {
            Layout::Native => 3,
            Layout::Flyway(_) => 1,
            Layout::UpDown => 6,
            Layout::Goose | Layout::Dbmate => 5,
        }
    }

    /// True where the first version of an empty folder is a time.
    pub fn begins_with_time(&self) -> bool {
        matches!(self, Layout::Dbmate)
    }

    /// Reads a file whose role is [`FileRole::Config`]. `value_of` gives the values of placeholders.
    pub fn read_config(
        &self,
        path: &str,
        bytes: &[u8],
        value_of: &dyn Fn(&str) -> Option<String>,
    ) -> (Option<Config>, Vec<Diagnostic>) {
        match self {
            Layout::Flyway(_) => flyway::read_script_settings(path, bytes, value_of),
            Layout::Native | Layout::UpDown | Layout::Goose | Layout::Dbmate => Config::read(path, bytes),
        }
    }
}
