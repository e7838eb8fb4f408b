//! SQLite: journal, integrity, foreign keys, the file.

use super::{Checks, one};
use crate::Failure;
use crate::opened::Opened;

pub(super) async fn look(opened: &mut Opened<'_>, checks: &mut Checks) -> Result<(), Failure> {
    let journal = one(opened, "pragma journal_mode", &[]).await?.text(0).unwrap_or_default();
    checks.note("journal mode", journal);
    let health = one(opened, "pragma quick_check(1)", &[]).await?.text(0).unwrap_or_default();
    match health.as_str() {
        "ok" => checks.ok("integrity", "quick_check finds nothing"),
        _ => checks.bad("integrity", health, "restore a backup: limosa restore"),
    }
    let violations =
        opened.session.query("select distinct \"table\" from pragma_foreign_key_check limit 10", &[]).await?;
    let tables: Vec<String> = violations.iter().filter_map(|row| row.text(0)).collect();
    match tables.is_empty() {
        true => checks.ok("foreign keys", "all point somewhere"),
        false => checks.warn(
            "foreign keys",
            format!("rows of {} point nowhere", tables.join(", ")),
            "see: pragma foreign_key_check",
        ),
    }
    let path = &opened.target.database;
    match std::fs::metadata(path) {
        Ok(found) if found.permissions().readonly() => {
            checks.bad(
                "writable",
                format!("{path} is read-only"),
                "give the user that runs limosa the right to write it",
            );
        }
        Ok(found) => checks.ok("writable", format!("{path}, {} bytes", found.len())),
        Err(_) if path == ":memory:" => checks.note("writable", "a database in memory"),
        Err(_) => checks.note("file", format!("{path} does not exist yet; the first migrate makes it")),
    }
    Ok(())
}
