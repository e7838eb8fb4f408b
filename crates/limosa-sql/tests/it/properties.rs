//! What holds for every script, also for nonsense. `PROPTEST_CASES` sets how long these tests run.

use limosa_sql::{Engine, carried, classify, expand, mentions_literal, placeholders, split};
use proptest::prelude::*;

use crate::show::{cut, hold_together};

/// Parts that scripts are made of; joined at random they are nonsense that comes near to sense.
const PARTS: &[&str] = &[
    "select",
    " ",
    "\n",
    "\r",
    "\r\n",
    ";",
    ";;",
    "'",
    "''",
    "\"",
    "`",
    "[",
    "]",
    "$$",
    "$a$",
    "$",
    "$1",
    "a$",
    "${x}",
    "${",
    "}",
    "${a--b:literal}",
    "--",
    "-",
    "/*",
    "*/",
    "/",
    "*",
    "(",
    ")",
    "\\",
    "\\.",
    "\\.\n",
    "\n\\.\n",
    "\\restrict k\n",
    "e'",
    "E'\\'",
    "U&'",
    "U&\"",
    "u",
    "&",
    "N'",
    "x'ab'",
    "b'",
    "create",
    " function ",
    " or replace ",
    " procedure ",
    " trigger ",
    " temp ",
    " begin ",
    " atomic ",
    " end",
    "; end",
    "case ",
    " t.end ",
    "copy t from stdin;\n",
    "copy ",
    " from ",
    " stdin ",
    "1",
    "1e",
    "é",
    "\u{feff}",
    "\u{1F600}",
    "\0",
    "set standard_conforming_strings = off;",
    "set ",
    "with a as (delete from t) ",
    "select 1;\n",
    "explain ",
    "alter table t drop column c",
    ", ",
    ".",
    ".read x\n",
    "@",
    ":a",
    "::",
    "#",
    "/*!",
    "/*!50001 ",
    "/*M!100100 ",
    "/*!999999",
    "*/;",
    "--x",
    "-- ",
    "--\t",
    "\ndelimiter //\n",
    "\nDELIMITER ;\n",
    "delimiter $$\n",
    "delimiter",
    "//",
    "set sql_mode = 'ansi_quotes';",
    "set sql_mode = 'no_backslash_escapes';",
    "set sql_mode = 'oracle';",
    "set @a = @@sql_mode, sql_mode = @a;",
    "set autocommit = 0;",
    " begin not atomic ",
    " if ",
    " then ",
    " else ",
    " loop ",
    " while ",
    " do ",
    " repeat ",
    " until ",
    " end if;",
    " end repeat",
    " declare continue handler for not found ",
    " returns int ",
    " for each row ",
    " event ",
    " event e do ",
    " as ",
    "()",
    "l:",
    "@a",
    "@'",
    "@@x",
    "\\N",
    "\"",
    "\"\"",
    "use x",
    "alter table t ",
    "add ",
    "drop ",
    "column ",
    "partition ",
    "rename ",
    " to ",
    "create table t ",
    "create user ",
    "index i ",
    " on t",
    "primary key ",
    "constraint ",
    "@@global.",
    "set ",
    "global ",
    "names ",
    "=",
    ":=",
    "into @a",
    "last_insert_id()",
    "source x",
    "2a",
    "0x",
];

fn script() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        20 => proptest::sample::select(PARTS).prop_map(|part| part.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 1..3),
    ];
    proptest::collection::vec(part, 0..24).prop_map(|parts| parts.concat())
}

fn engine() -> impl Strategy<Value = Engine> {
    proptest::sample::select(Engine::ALL)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pieces_are_the_script_whatever_the_chunks(engine in engine(), text in script(), chunk in 1_usize..40) {
        let whole = cut(engine, &text, text.len());
        hold_together(&text, &whole.0, whole.1.is_none());
        prop_assert_eq!(&cut(engine, &text, 1), &whole);
        prop_assert_eq!(&cut(engine, &text, chunk), &whole);
    }

    #[test]
    fn any_bytes_end_well(engine in engine(), text in any::<Vec<u8>>()) {
        let (pieces, error) = cut(engine, &text, 3);
        hold_together(&text, &pieces, error.is_none());
    }

    #[test]
    fn any_text_is_looked_at_without_harm(engine in engine(), text in script()) {
        let text = String::from_utf8_lossy(&text);
        let found = carried(engine, &text);
        prop_assert!(found.sets_variables.len() + found.reads_variables.len() <= text.len());
        let class = classify(engine, &text);
        let stored = serde_json::to_string(&class).unwrap();
        prop_assert_eq!(serde_json::from_str::<limosa_sql::Class>(&stored).unwrap(), class);
    }

    #[test]
    fn a_statement_cut_again_is_itself(engine in engine(), text in script()) {
        // Where an earlier statement decides how a later one is read, it cannot stand for itself.
        let settings = [&b"standard_conforming_strings"[..], b"sql_mode", b"delimiter", b"DELIMITER"];
        let alone = !settings.iter().any(|name| text.windows(name.len()).any(|part| part == *name));
        for piece in cut(engine, &text, text.len()).0 {
            let Some(class) = piece.class() else { continue };
            // `1--;` ends with two signs, and `1--` with a comment.
            let cut_off = engine == Engine::Mysql && piece.statement().ends_with("--");
            if class.effect == limosa_sql::Effect::CopyFromStdin || !alone || cut_off {
                continue;
            }
            let again = split(engine, "again.sql", piece.statement().as_bytes()).unwrap();
            prop_assert_eq!(again.len(), 1);
            prop_assert_eq!(again[0].statement(), piece.statement());
            prop_assert_eq!(again[0].class(), Some(class));
            prop_assert_eq!(&classify(engine, piece.statement()), class);
        }
    }

    #[test]
    fn placeholders_are_replaced_and_mapped_back(engine in engine(), text in script(), value in "[a-z;'\"$é]{0,5}") {
        let Ok(text) = String::from_utf8(text) else { return Ok(()) };
        let found = placeholders(engine, &text);
        let values = found.iter().map(|(name, _)| (name.clone(), value.clone())).collect();
        let expanded = match expand(engine, &text, &values) {
            Ok(expanded) => expanded,
            Err(unknown) => {
                // `${select:a}` is a name with a form that is not known.
                prop_assert!(unknown.name.contains(':'));
                return Ok(());
            }
        };
        prop_assert_eq!(expanded.map.is_empty(), found.is_empty());
        prop_assert_eq!(expanded.original_offset(expanded.text.len()), text.len());
        let mut last = 0;
        for (offset, character) in expanded.text.char_indices() {
            let original = expanded.original_offset(offset);
            prop_assert!(original >= last);
            last = original;
            let replaced = found.iter().any(|(_, start)| *start == original);
            prop_assert!(replaced || text[original..].starts_with(character));
        }
        let unknown = expand(engine, &text, &Default::default());
        prop_assert_eq!(unknown.err().map(|unknown| unknown.offset), found.first().map(|(_, offset)| *offset));
    }

    #[test]
    fn a_constant_is_found_in_every_form(value in "[a-z'\\\\]{1,6}") {
        let escaped = value.replace('\'', "''");
        let unicode: String = value.chars().map(|character| format!("\\{:04X}", character as u32)).collect();
        let octal: String = value.chars().map(|character| format!("\\{:03o}", character as u32)).collect();
        for statement in [
            format!("select '{escaped}'"),
            format!("select E'{octal}'"),
            format!("select U&'{unicode}'"),
            format!("select U&'{}' uescape '!'", unicode.replace('\\', "!")),
            format!("select $q${value}$q$"),
            format!("do $q$ begin perform '{escaped}'; end $q$"),
            format!("do $q$ begin execute $r$ select '{escaped}' $r$; end $q$"),
            format!("do $q$ begin execute 'select ''{}'''; end $q$", escaped.replace('\'', "''")),
            Engine::Postgres.quote_literal(&value),
        ] {
            prop_assert!(mentions_literal(Engine::Postgres, &statement, &value), "{}", statement);
        }
        prop_assert!(!mentions_literal(Engine::Postgres, "select 'QQ', $$QQ$$, E'QQ'", &value));
    }
}
