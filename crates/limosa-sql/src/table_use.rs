//! How a statement stands to one table: whether the table must be there, or comes with it.

use serde::{Deserialize, Serialize};

use crate::lexer::{Kind, Lexer, Reading, Step, Token};
use crate::search::find_either;
use crate::{Class, Engine};

/// What a statement wants of a table that it names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "table", rename_all = "snake_case")]
pub enum TableUse {
    /// It fails where the table is missing.
    Needs {
        /// The schema or database that it names before the table, unquoted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        schema: Option<String>,
    },
    /// It makes a table or view of that name.
    Makes,
}

/// How deep code within dollar quotes is looked into.
const DEPTH: usize = 4;

/// How a statement stands to the table of this name, by its words: comments and string constants do not count, the body of a
/// routine does. None where it does not name the table, or says itself that the table may be missing (`DROP TABLE IF EXISTS`).
pub fn table_use(engine: Engine, class: &Class, statement: &str, table: &str) -> Option<TableUse> {
    if !mentions(statement.as_bytes(), table.as_bytes()) {
        return None;
    }
    let is_code = class.verb.starts_with("DO") || class.verb.contains("FUNCTION") || class.verb.contains("PROCEDURE");
    let found = named(engine, statement, table, if is_code { DEPTH } else { 0 })?;
    let is_object = class.object.as_deref().is_some_and(|object| is_name(engine, last_part(object), table));
    let is_of_table = class.verb.split(' ').any(|word| word == "TABLE" || word == "VIEW");
    match class.verb.split(' ').next() {
        Some("CREATE") if is_object && is_of_table => Some(TableUse::Makes),
        Some("DROP" | "ALTER") if found.is_behind_if_exists => None,
        _ => Some(TableUse::Needs { schema: found.schema }),
    }
}

/// True where the name stands anywhere in the text, in whatever capitals.
fn mentions(text: &[u8], name: &[u8]) -> bool {
    let Some(first) = name.first() else { return false };
    let (lower, upper) = (first.to_ascii_lowercase(), first.to_ascii_uppercase());
    let mut at = 0;
    while let Some(found) = find_either(text, at, lower, upper) {
        if text.get(found..found + name.len()).is_some_and(|part| part.eq_ignore_ascii_case(name)) {
            return true;
        }
        at = found + 1;
    }
    false
}

/// Where a statement names the table first.
struct Named {
    schema: Option<String>,
    is_behind_if_exists: bool,
}

fn named(engine: Engine, text: &str, table: &str, depth: usize) -> Option<Named> {
    let mut lexer = Lexer::new(engine, Reading::of(engine));
    // The two tokens before, and whether IF EXISTS came by.
    let (mut before, mut is_behind_if_exists): ([Option<Token>; 2], bool) = ([None, None], false);
    let written = |token: Token| text.get(token.start..token.end).unwrap_or_default();
    while let Step::Token(token) = lexer.next(text.as_bytes(), true) {
        if token.kind.is_blank() || token.kind.is_executable_mark() {
            continue;
        }
        match token.kind {
            Kind::Word | Kind::QuotedName if is_name(engine, written(token), table) => {
                let schema = match before {
                    [Some(schema), Some(dot)] if dot.kind == Kind::Symbol(b'.') => {
                        Some(bare(written(schema)).to_owned())
                    }
                    _ => None,
                };
                return Some(Named { schema, is_behind_if_exists });
            }
            Kind::Word if written(token).eq_ignore_ascii_case("EXISTS") => {
                is_behind_if_exists |= before[1].is_some_and(|word| written(word).eq_ignore_ascii_case("IF"));
            }
            Kind::DollarText(length) if depth > 0 => {
                let body = written(token);
                let body = body.get(length..body.len().saturating_sub(length)).unwrap_or_default();
                if let Some(found) = named(engine, body, table, depth - 1) {
                    return Some(Named { is_behind_if_exists: false, ..found });
                }
            }
            _ => {}
        }
        before = [before[1], Some(token)];
    }
    None
}

/// True where a name, quoted or not, is that of the table.
fn is_name(engine: Engine, written: &str, table: &str) -> bool {
    let name = bare(written);
    // Only PostgreSQL tells capitals apart, and only in quotes.
    if engine == Engine::Postgres && name.len() < written.len() {
        name == table
    } else {
        name.eq_ignore_ascii_case(table)
    }
}

fn bare(written: &str) -> &str {
    written.trim_matches(['"', '`', '[', ']'])
}

fn last_part(object: &str) -> &str {
    object.rsplit('.').next().unwrap_or(object).trim()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PieceKind, Splitter};

    fn told(engine: Engine, statement: &str, table: &str) -> String {
        let mut splitter = Splitter::new(engine, "a.sql");
        splitter.feed(statement.as_bytes());
        splitter.finish();
        let piece = splitter.next_piece().unwrap().unwrap();
        let PieceKind::Statement(class) = &piece.kind else { panic!("{statement}") };
        match table_use(engine, class, piece.statement(), table) {
            None => "-".to_owned(),
            Some(TableUse::Makes) => "makes".to_owned(),
            Some(TableUse::Needs { schema: None }) => "needs".to_owned(),
            Some(TableUse::Needs { schema: Some(schema) }) => format!("needs in {schema}"),
        }
    }

    #[test]
    fn uses_are_told_by_words_and_not_by_texts() {
        use Engine::{Mysql, Postgres, Sqlite};
        for (engine, statement, expected) in [
            (Postgres, "grant select on schema_migrations to web", "needs"),
            (Postgres, "grant select on public.\"schema_migrations\" to web", "needs in public"),
            (Postgres, "grant select on \"Schema_Migrations\" to web", "-"),
            (Postgres, "comment on table t is 'as schema_migrations'", "-"),
            (Postgres, "select 1 -- schema_migrations", "-"),
            (Postgres, "comment on table App.SCHEMA_MIGRATIONS is 'x'", "needs in App"),
            (Postgres, "create trigger a after insert on schema_migrations execute function f()", "needs"),
            (Postgres, "create table schema_migrations (version bigint)", "makes"),
            (Postgres, "create table if not exists public.schema_migrations (version bigint)", "makes"),
            (Postgres, "create table copy (like schema_migrations)", "needs"),
            (Postgres, "create view v as select * from schema_migrations", "needs"),
            (Postgres, "drop table if exists schema_migrations", "-"),
            (Postgres, "drop table schema_migrations", "needs"),
            (Postgres, "alter table if exists schema_migrations owner to web", "-"),
            (Postgres, "alter table schema_migrations drop column if exists note", "needs"),
            (Postgres, "create table schema_migrations_old (n int)", "-"),
            (Postgres, "do $$ begin delete from schema_migrations; end $$", "needs"),
            (Postgres, "select $$schema_migrations$$", "-"),
            (Mysql, "alter table `schema_migrations` engine = InnoDB", "needs"),
            (Mysql, "insert into shop.schema_migrations values (1)", "needs in shop"),
            (Sqlite, "create index i on [schema_migrations] (version)", "needs"),
            (Sqlite, "insert into t values ('schema_migrations')", "-"),
        ] {
            assert_eq!(told(engine, statement, "schema_migrations"), expected, "{statement}");
        }
    }
}
