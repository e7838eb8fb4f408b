//! What leads up in a file, and whether the tool opens a transaction around it. Knows nothing of limosa's readers.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::projects::{Engine, Format};

/// What a shell is given for one file.
pub(crate) struct Script {
    pub(crate) sql: String,
    /// One transaction is opened around it.
    pub(crate) in_transaction: bool,
}

/// What leads up in a file.
///
/// # Errors
/// The file cannot be read.
pub(crate) fn read(path: &Path, format: Format, engine: Engine) -> Result<Script> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let text = String::from_utf8_lossy(&bytes).trim_start_matches('\u{feff}').to_owned();
    let text = text.replace("\r\n", "\n");
    let (sql, asked) = match format {
        Format::Goose => (section(&text, "+goose"), !text.contains("+goose NO TRANSACTION")),
        Format::SqlMigrate => (section(&text, "+migrate"), !text.contains("+migrate Up notransaction")),
        Format::Dbmate => (section(&text, "migrate:"), !is_outside(&text)),
        Format::Sqlx => (text.clone(), !text.starts_with("-- no-transaction")),
        Format::Diesel => {
            let settings = fs::read_to_string(path.with_file_name("metadata.toml")).unwrap_or_default();
            (text.clone(), !settings.replace(' ', "").contains("run_in_transaction=false"))
        }
        // MySQL takes two dashes for a comment only where a blank follows.
        Format::Drizzle => (text.replace("--> statement-breakpoint", "\n"), true),
        // What the driver for MariaDB asks for at the login: it stays in routines and triggers.
        Format::Flyway if engine == Engine::Mariadb => {
            (format!("set session sql_mode = concat(@@sql_mode, ',IGNORE_SPACE');\n{text}"), true)
        }
        Format::Flyway | Format::Refinery => (text.clone(), true),
        Format::Prisma | Format::UpDown => (text.clone(), engine == Engine::Postgres),
    };
    // All of it would be one statement to a server that is sent the text, where a shell sends one after the other.
    let alone = sql.to_ascii_lowercase().contains("concurrently");
    Ok(Script { in_transaction: asked && !alone && !(engine == Engine::Sqlite && begins(&sql)), sql })
}

/// What stands below the marks of the way up, without these marks.
fn section(text: &str, mark: &str) -> String {
    let mut leads_up = false;
    let mut found = String::new();
    for line in text.lines() {
        // A mark that is indented is none.
        let comment = line.strip_prefix("--").map(str::trim_start);
        let Some(word) = comment.and_then(|comment| comment.strip_prefix(mark)) else {
            if leads_up {
                found.push_str(line);
                found.push('\n');
            }
            continue;
        };
        match word.split_whitespace().next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "up" => leads_up = true,
            "down" => leads_up = false,
            _ => {}
        }
    }
    found
}

/// dbmate: the way up says that it wants no transaction.
fn is_outside(text: &str) -> bool {
    text.lines().any(|line| line.contains("migrate:up") && line.contains("transaction:false"))
}

/// The script begins a transaction before it ends one.
fn begins(sql: &str) -> bool {
    let is = |line: &str, word: &str| {
        let line = line.trim().to_ascii_uppercase();
        line.strip_prefix(word).is_some_and(|rest| [";", " TRANSACTION;", " IMMEDIATE;"].contains(&rest))
    };
    sql.lines().find(|line| is(line, "BEGIN") || is(line, "COMMIT")).is_some_and(|line| is(line, "BEGIN"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_way_up_is_left() {
        let text = "-- +goose Up\n-- +goose StatementBegin\na;\n-- +goose StatementEnd\n-- +goose Down\nb;\n";
        assert_eq!(section(text, "+goose"), "a;\n");
        assert_eq!(section("--migrate:up\na;\n-- migrate:down\nb;\n-- migrate:up\nc;", "migrate:"), "a;\nc;\n");
    }

    #[test]
    fn a_transaction_of_the_file_s_own_is_seen() {
        assert!(begins("PRAGMA a;\nBEGIN TRANSACTION;\nCOMMIT;"));
        assert!(!begins("COMMIT TRANSACTION;\nBEGIN TRANSACTION;\n"));
        assert!(!begins("create trigger a begin\nselect 1;\nend;"));
    }
}
