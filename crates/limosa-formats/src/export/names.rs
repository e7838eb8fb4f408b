//! The names of files, as each tool wants them.

use limosa_core::ForeignTool;

/// The names of a migration's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// Of the file up, or of the only one.
    pub up: String,
    /// Of the file down, where there is one.
    pub down: Option<String>,
}

/// The files of a migration; `is_reversible` says whether it has a way back.
pub fn named(tool: ForeignTool, version: &str, name: &str, is_reversible: bool) -> Names {
    let title = slug(name);
    let pair = |up: String, down: String| Names { up, down: is_reversible.then_some(down) };
    match tool {
        ForeignTool::Flyway => pair(format!("V{version}__{title}.sql"), format!("U{version}__{title}.sql")),
        ForeignTool::GolangMigrate | ForeignTool::Sqlx => {
            pair(format!("{version}_{title}.up.sql"), format!("{version}_{title}.down.sql"))
        }
        _ => Names { up: format!("{version}_{title}.sql"), down: None },
    }
}

/// A description as a part of a name: letters, digits, and `_` for all else.
pub fn slug(name: &str) -> String {
    let slug: String = name
        .chars()
        .map(|letter| if letter.is_alphanumeric() || matches!(letter, '-' | '.') { letter } else { '_' })
        .collect();
    if slug.is_empty() { "migration".to_owned() } else { slug }
}
