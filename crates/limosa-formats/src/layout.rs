//! How the files of a project are named and configured: one format for all its folders.

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
