//! Migrations in the form of another tool: names of files, markers, what runs outside of transactions.
//!
//! What each tool reads is told in its file under `formats`; here it is written. Whatever is written is read back, and must give the
//! same statements.

mod names;
mod statements;

use limosa_core::{Direction, ForeignTool, Markers, SectionMask};
use limosa_sql::Dialect;

pub use names::{Names, named, slug};
pub use statements::{Unfit, statements_of};

/// The tools that files can be written for.
pub const TARGETS: [ForeignTool; 5] =
    [ForeignTool::Flyway, ForeignTool::GolangMigrate, ForeignTool::Goose, ForeignTool::Dbmate, ForeignTool::Sqlx];

/// One direction of a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way<'t> {
    /// The SQL, with values put in where the target has no placeholders.
    pub text: &'t str,
    /// It does not run in one transaction.
    pub is_outside: bool,
}

/// A file of the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub text: String,
}

/// Writes a migration for a tool: one file, or two.
///
/// # Errors
/// What the tool cannot run.
pub fn written(
    tool: ForeignTool,
    dialect: Dialect,
    names: &Names,
    up: Way<'_>,
    down: Option<Way<'_>>,
) -> Result<Vec<Written>, Unfit> {
    let rewritten = |way: &Way<'_>| statements::rewritten(tool, dialect, way.text);
    let (up_text, down_text) = (rewritten(&up)?, down.as_ref().map(rewritten).transpose()?);
    let mut files = Vec::new();
    match tool {
        ForeignTool::Goose => {
            let mut text = String::new();
            if up.is_outside || down.is_some_and(|down| down.is_outside) {
                text.push_str("-- +goose NO TRANSACTION\n");
            }
            section(&mut text, "-- +goose Up\n", &up_text);
            if let Some(down) = &down_text {
                section(&mut text, "\n-- +goose Down\n", down);
            }
            files.push(Written { name: names.up.clone(), text });
        }
        ForeignTool::Dbmate => {
            let marker = |word: &str, way: &Way<'_>| {
                format!("-- migrate:{word}{}\n", if way.is_outside { " transaction:false" } else { "" })
            };
            let mut text = String::new();
            section(&mut text, &marker("up", &up), &up_text);
            if let (Some(way), Some(down)) = (&down, &down_text) {
                section(&mut text, &format!("\n{}", marker("down", way)), down);
            }
            files.push(Written { name: names.up.clone(), text });
        }
        _ => {
            // The first bytes of a file say so.
            let head =
                |way: &Way<'_>| if tool == ForeignTool::Sqlx && way.is_outside { "-- no-transaction\n" } else { "" };
            files.push(Written { name: names.up.clone(), text: format!("{}{up_text}", head(&up)) });
            if let (Some(way), Some(text), Some(name)) = (&down, &down_text, &names.down) {
                files.push(Written { name: name.clone(), text: format!("{}{text}", head(way)) });
            }
        }
    }
    let held = |way: Option<&Way<'_>>| way.map_or(Ok(Vec::new()), |way| statements_of(dialect, way.text.as_bytes()));
    let is_same = held(Some(&up))? == read_back(tool, dialect, &files, Direction::Apply)?
        && held(down.as_ref())? == read_back(tool, dialect, &files, Direction::Revert)?;
    if is_same { Ok(files) } else { Err(Unfit::ReadsOtherwise) }
}

fn section(text: &mut String, marker: &str, sql: &str) {
    text.push_str(marker);
    text.push_str(sql.trim_matches(|letter| matches!(letter, '\n' | '\r')));
    text.push('\n');
}

/// The statements of files of a tool's, as limosa's own reader of its format finds them.
fn read_back(
    tool: ForeignTool,
    dialect: Dialect,
    files: &[Written],
    direction: Direction,
) -> Result<Vec<String>, Unfit> {
    let markers = match tool {
        ForeignTool::Goose => Some(Markers::Goose),
        ForeignTool::Dbmate => Some(Markers::Dbmate),
        _ => None,
    };
    match markers {
        Some(markers) => {
            let mut bytes = Vec::new();
            let mut mask = SectionMask::new(markers, direction);
            for file in files {
                mask.feed(file.text.as_bytes(), &mut bytes);
            }
            mask.finish(&mut bytes);
            statements_of(dialect, &bytes)
        }
        None => {
            let at = usize::from(direction == Direction::Revert);
            files.get(at).map_or(Ok(Vec::new()), |file| statements_of(dialect, file.text.as_bytes()))
        }
    }
}

#[cfg(test)]
mod tests {
    use limosa_sql::Engine;

    use super::*;

    fn all(tool: ForeignTool, up: &str, down: Option<&str>, is_outside: bool) -> Result<Vec<(String, String)>, Unfit> {
        let names = named(tool, "007", "add a_thing/", down.is_some());
        let way = |text| Way { text, is_outside };
        let files = written(tool, Dialect::from(Engine::Postgres), &names, way(up), down.map(way))?;
        Ok(files.into_iter().map(|file| (file.name, file.text)).collect())
    }

    #[test]
    fn each_tool_has_its_names_and_markers() {
        let files = |tool| all(tool, "create table a (n int);\n", Some("drop table a;"), true).unwrap();
        let pair = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        assert_eq!(
            files(ForeignTool::Goose),
            [pair(
                "007_add_a_thing_.sql",
                "-- +goose NO TRANSACTION\n-- +goose Up\ncreate table a (n int);\n\n-- +goose Down\ndrop table a;\n"
            )]
        );
        assert_eq!(
            files(ForeignTool::Dbmate),
            [pair(
                "007_add_a_thing_.sql",
                "-- migrate:up transaction:false\ncreate table a (n int);\n\n-- migrate:down transaction:false\ndrop table a;\n"
            )]
        );
        assert_eq!(
            files(ForeignTool::Sqlx),
            [
                pair("007_add_a_thing_.up.sql", "-- no-transaction\ncreate table a (n int);\n"),
                pair("007_add_a_thing_.down.sql", "-- no-transaction\ndrop table a;")
            ]
        );
        assert_eq!(
            files(ForeignTool::GolangMigrate),
            [
                pair("007_add_a_thing_.up.sql", "create table a (n int);\n"),
                pair("007_add_a_thing_.down.sql", "drop table a;")
            ]
        );
        assert_eq!(
            files(ForeignTool::Flyway),
            [
                pair("V007__add_a_thing_.sql", "create table a (n int);\n"),
                pair("U007__add_a_thing_.sql", "drop table a;")
            ]
        );
    }

    #[test]
    fn goose_is_told_where_statements_end() {
        let text = "\u{feff}-- why; not\ncreate function f() returns int language sql as $$ select 1; $$;select 2;\n\
                    /* a;\n b */ select 3 -- end;\n;\nselect ';';\n-- last\n";
        let files = all(ForeignTool::Goose, text, None, false).unwrap();
        assert_eq!(
            files[0].1,
            "-- +goose Up\n-- why; not\n-- +goose StatementBegin\n\
             create function f() returns int language sql as $$ select 1; $$;\n-- +goose StatementEnd\nselect 2;\n\
             -- +goose StatementBegin\n/* a;\n b */ select 3;\n-- +goose StatementEnd\n\n\
             -- +goose StatementBegin\nselect ';';\n-- +goose StatementEnd\n\n-- last\n"
        );
    }

    #[test]
    fn what_a_tool_would_read_otherwise_is_refused() {
        let data = "create table a (n int);\ncopy a from stdin;\n1\n\\.\n";
        assert_eq!(all(ForeignTool::Goose, data, None, false), Err(Unfit::CopyData));
        assert!(all(ForeignTool::Flyway, data, None, false).is_ok());
        let marked = "select 1;\n-- migrate:down\nselect 2;\n";
        assert_eq!(all(ForeignTool::Dbmate, marked, None, false), Err(Unfit::ReadsOtherwise));
        assert!(all(ForeignTool::Goose, marked, None, false).is_ok());
    }
}
