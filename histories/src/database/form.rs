//! The form of one table: columns, types, defaults, keys, indexes and sequences, whoever made it.

use std::process::Command;

use anyhow::{Result, bail, ensure};

use super::{Database, run, schema};

impl Database {
    /// The form of a table, which may name its schema on PostgreSQL; names and words as the engine gives them, in any capitals.
    pub(crate) fn form_of(&self, table: &str) -> Result<Vec<String>> {
        let lines = match self {
            Database::Postgres { database, bin, .. } => {
                let mut dump = self.psql(bin, "pg_dump");
                dump.args(["--schema-only", "--table", table]);
                schema(&run(&mut dump)?, database.name())
            }
            Database::Mariadb { database, .. } => {
                let mut dump = self.mariadb("mariadb-dump");
                dump.args(["--no-data", "--skip-comments"]).arg(table);
                let lines = schema(&run(&mut dump)?, database.name());
                lines.iter().map(|line| without_counter(line)).collect()
            }
            Database::Sqlite { folder } => {
                let mut shell = Command::new("sqlite3");
                shell
                    .args(["-batch", "-bail"])
                    .arg(folder.path().join("history.db"))
                    .arg(SQLITE.replace("TABLE", table));
                // The text of the statement is kept with its capitals and blanks.
                run(&mut shell)?.lines().map(str::to_lowercase).collect()
            }
        };
        ensure!(!lines.is_empty(), "there is no table {table}");
        Ok(lines)
    }
}

/// SQLite keeps the text of the statement, in which nothing but these words says more than its own tables tell.
const SQLITE: &str = "select 'column', name, type, \"notnull\", dflt_value, pk, hidden from pragma_table_xinfo('TABLE');
select 'key', \"table\", \"from\", \"to\", on_update, on_delete from pragma_foreign_key_list('TABLE');
select 'index', replace(list.name, 'sqlite_autoindex_', ''), list.\"unique\", list.origin, list.partial, info.name, info.\"desc\", info.coll
  from pragma_index_list('TABLE') list, pragma_index_xinfo(list.name) info where info.key order by list.name, info.seqno;
select word from (select 'autoincrement' as word union all select 'without rowid' union all select 'strict' union all select 'check')
  where (select sql from sqlite_schema where name = 'TABLE' collate nocase and type = 'table') like '%' || word || '%';";

/// A line of MariaDB's dump without the number that the next row gets.
fn without_counter(line: &str) -> String {
    let Some((before, behind)) = line.split_once(" AUTO_INCREMENT=") else { return line.to_owned() };
    format!("{before}{}", behind.trim_start_matches(|digit: char| digit.is_ascii_digit()))
}

/// Fails with the lines of which each side has others.
pub(crate) fn same(tool: &[String], limosa: &[String]) -> Result<()> {
    let but = |these: &[String], those: &[String]| {
        let others: Vec<&str> = these.iter().filter(|line| !those.contains(line)).map(|line| line.trim()).collect();
        others.join("\n    ")
    };
    if tool != limosa {
        bail!("the tool has\n    {}\n  limosa has\n    {}", but(tool, limosa), but(limosa, tool));
    }
    Ok(())
}
