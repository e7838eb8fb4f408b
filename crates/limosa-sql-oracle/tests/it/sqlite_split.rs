//! Where statements of SQLite end, by the library itself.

use limosa_sql::{Engine, PieceKind, split};
use proptest::prelude::*;
use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::{Batch, Connection};

use crate::scripts::{Grammar, script};

/// Statements that a database with the tables of [`database`] prepares.
static GRAMMAR: Grammar = Grammar {
    statements: &[
        "select S , I from t where I = S",
        "select 1 as end , begin from ( select 1 as begin )",
        "insert into t ( a , [c;] , `d``;` ) values ( S , case when 1 then S else 2 end , x'3b' )",
        "insert or replace into t ( I ) values ( S )",
        "update t set I = S where I = ?1 or I = :n or I = $x or I = $x(;)",
        "with x as ( select S ) delete from t where I in ( select * from x )",
        "create table if not exists u ( I text default S , [x;y] int check ( 1 ) )",
        "create view if not exists v as select I from t",
        "create trigger g after insert on t begin select S ; end",
        "create temp trigger if not exists begin before update of I on t when new . I > case S when 1 then 2 end begin update t set I = case when S then 1 end where I = S ; insert into t ( I ) values ( S ) ; end",
        "create temporary trigger [g;] after delete on t for each row begin select 1 as end ; select case 1 when 2 then 3 end ; delete from t ; end",
        "explain create trigger g after insert on t begin select S ; select 1 ; end",
        "explain query plan create trigger g after insert on t begin select S ; select 1 ; end",
        "pragma user_version = 3",
        "begin",
        "begin immediate transaction",
        "end",
        "commit",
        "savepoint I",
        "analyze",
        "reindex t",
        "explain select S",
        "values ( S ) , ( 2 )",
        "drop table if exists I",
    ],
    strings: &["'x'", "';'", "'a''b;'", "'\\'", "'--'", "'/*'", "'$$'", "x'3b'", "''", "'\n'"],
    names: &["a", "\"b;\"", "[c;]", "`d``;`", "A", "\"a\"", "end", "begin"],
    blanks: &[
        " ",
        "\n",
        "\r\n",
        "\t",
        "\x0C",
        " -- c ; '\n",
        "/**/",
        "/* ; */",
        "/* /* ' */",
        "--\n",
        "/***/",
        "\u{feff}",
    ],
};

fn database() -> Connection {
    let connection = Connection::open_in_memory().expect("SQLite opens");
    let tables =
        "create table t (a, \"b;\", [c;], `d``;`, \"end\", \"begin\"); insert into t values (1, 2, 3, 4, 5, 6);";
    connection.execute_batch(tables).expect("the tables are made");
    connection
}

/// The statements by the library; none where it refuses one of them.
fn by_library(connection: &Connection, text: &str) -> Option<Vec<String>> {
    let mut batch = Batch::new(connection, text);
    let mut found = Vec::new();
    loop {
        match batch.next() {
            Ok(Some(statement)) => found.push(statement.expanded_sql()?),
            Ok(None) => return Some(found),
            Err(_) => return None,
        }
    }
}

/// The statements by ours.
fn ours(text: &str) -> Vec<String> {
    let pieces =
        split(Engine::Sqlite, "file.sql", text.as_bytes()).unwrap_or_else(|error| panic!("{text:?}: {error:?}"));
    let statements = pieces.iter().filter(|piece| matches!(piece.kind, PieceKind::Statement(_)));
    statements.map(|piece| piece.statement().to_owned()).collect()
}

/// Requires that the library takes each of our statements alone for the same statement.
fn compare(text: &str) -> bool {
    let connection = database();
    let Some(theirs) = by_library(&connection, text) else { return false };
    let ours = ours(text);
    assert_eq!(ours.len(), theirs.len(), "{text:?}\nours: {ours:#?}\ntheirs: {theirs:#?}");
    for (our, their) in ours.iter().zip(&theirs) {
        let alone = by_library(&connection, our).unwrap_or_else(|| panic!("alone it is wrong: {our:?}"));
        assert_eq!(alone.len(), 1, "{our:?}");
        let trimmed = their.trim_end_matches(';');
        assert!(trimmed.contains(alone[0].trim_end_matches(';').trim_end()), "{text:?}\n{our:?}\n{their:?}");
    }
    true
}

#[test]
fn written_scripts() {
    for text in [
        "",
        ";;",
        "select 1",
        "select 1;; select 2 -- end",
        "select 1 /* never closed ;",
        "create trigger g after insert on t begin select 1; select case 1 when 2 then 3 end; end; select 2",
        "create temp trigger if not exists begin before delete on t begin select 1 as end; end; select 3",
        "select [;], `;`, \";\" from (select 1 as [;], 2 as `;`); select 2",
        "\u{feff}select 1; \u{feff} select 2;",
        "select 'a\\'; select $x(;); select @y; select 1",
        "begin; select 1; end; select 2",
    ] {
        assert!(compare(text), "SQLite refuses {text:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_scripts_split_as_the_library_says(text in script(&GRAMMAR)) {
        compare(&text);
    }
}

/// Each template must be good SQL, or the comparison is empty.
#[test]
fn templates_are_accepted() {
    for template in GRAMMAR.statements {
        let tokens = template.split(' ').map(|token| match token {
            "S" => "'s'",
            "I" => "a",
            token => token,
        });
        let text = tokens.collect::<Vec<_>>().join(" ");
        assert!(compare(&text), "{text}");
    }
}
