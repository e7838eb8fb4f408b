//! Where statements of PostgreSQL end, by the server's scanner and grammar.

use limosa_sql::{Engine, split};
use pg_query::protobuf::Token;
use proptest::prelude::*;

use crate::scripts::{Grammar, script};

/// Statements with all that can hide a semicolon.
pub(crate) static GRAMMAR: Grammar = Grammar {
    statements: &[
        "select 1",
        "select S , I from I where I = S",
        "( select S ) union all ( select 1 )",
        "select I . end , I . begin , case when I then 1 else case 2 when 3 then 4 end end as end from I",
        "select 1 end",
        "select begin atomic from I",
        "insert into I ( I , I ) values ( S , 1 ) , ( S , - 2 ) returning *",
        "with I as ( delete from I returning * ) insert into I select * from I",
        "update I set I = S where I <> S",
        "delete from only I where I = $1",
        "merge into I using I as u on true when matched then delete when not matched then insert values ( 1 )",
        "create table if not exists I . I ( I int default 1 , begin text check ( I > S ) )",
        "create schema I create table I ( I int ) create view I as select S create index I on I ( I )",
        "create unique index concurrently if not exists I on only I . I using gin ( I )",
        "create index on I ( ( I || S ) )",
        "drop index concurrently if exists I . I",
        "drop index I , I cascade",
        "drop table if exists I , I . I cascade",
        "truncate table only I , I restart identity",
        "reindex ( verbose , concurrently ) index I",
        "reindex table concurrently I . I",
        "reindex schema I",
        "reindex database",
        "vacuum ( full , analyze ) I",
        "vacuum",
        "analyze verbose I",
        "cluster",
        "cluster I using I",
        "alter table only I . I add I int default S , drop column if exists I , drop I cascade",
        "alter table I detach partition I . I concurrently",
        "alter table I alter I drop not null , drop constraint I",
        "alter type I . I add value if not exists S before S",
        "create type I as enum ( S , S )",
        "create domain I as text check ( value <> S )",
        "create database I",
        "drop database if exists I with ( force )",
        "create tablespace I location S",
        "alter database I set tablespace I",
        "alter system set I = S",
        "create subscription I connection S publication I with ( create_slot = false )",
        "create subscription I connection S publication I",
        "drop subscription I",
        "copy I . I ( I , I ) to stdout with ( format csv )",
        "copy ( select S ) to stdout",
        "copy I from 'x'",
        "begin",
        "begin isolation level serializable",
        "start transaction read only",
        "commit",
        "commit and chain",
        "commit prepared S",
        "end work",
        "rollback",
        "abort",
        "rollback to savepoint I",
        "rollback prepared S",
        "savepoint I",
        "release savepoint I",
        "prepare transaction S",
        "prepare I as select S",
        "set I = S",
        "set local I . I to S , S",
        "set session authorization I",
        "set time zone S",
        "set names S",
        "set transaction read only",
        "reset all",
        "reset I",
        "discard all",
        "discard plans",
        "select pg_catalog.set_config ( S , S , false )",
        "do S",
        "do language I S",
        "call I ( S , 1 )",
        "explain ( analyze , verbose ) delete from I",
        "explain select S",
        "comment on table I . I is S",
        "grant select on I to I",
        "create function I ( I int default 1 ) returns int language I as S",
        "create or replace function I . I ( ) returns begin language sql begin atomic select 1 ; select S as end ; end",
        "create function begin . atomic ( I int ) returns int begin atomic select case when I then 1 end ; return I ; end",
        "create procedure I ( ) language sql set I to begin , atomic begin atomic ; ; insert into I values ( S ) ; end",
        "create function I ( ) returns int begin atomic create function I ( ) returns int begin atomic select 1 ; end ; select 2 end ; end",
        "create function I ( ) returns int return case when true then 1 end",
        "create rule I as on insert to I do also ( select S ; delete from I ; )",
        "create rule I as on update to I where I > 1 do instead ( insert into I values ( 1 ) ; select ( 1 ) )",
        "create rule I as on delete to I do instead nothing",
        "create trigger I after insert on I for each row execute function I ( S )",
        "create view I as select I from I where I ~ S",
        "refresh materialized view concurrently I",
        "notify I , S",
        "lock table I in share mode",
    ],
    strings: &[
        "'x'",
        "';'",
        "'a''b;'",
        "'\\'",
        "'--'",
        "'/*'",
        "E'\\''",
        "e'\\\\'",
        "E'a\\';'\n '\\';'",
        "'a' -- c\n ';'",
        "'$$'",
        "$$;$$",
        "$a$ $$ ; $b$ ' $a$",
        "$é$;$é$",
        "$_1$$$$_1$",
        "$$'$$",
        "$$/*$$",
        "''",
    ],
    names: &[
        "a",
        "b1",
        "a$b$",
        "c$$",
        "_x",
        "é",
        "\"a;\"",
        "\"b\"\"'\"",
        "\"/*\"",
        "\"--\"",
        "\"$$\"",
        "end_at",
        "atomic",
        "begin",
        "\"end\"",
        "\"A\"",
        "Abc",
        "u",
        "e",
        "x",
        "U&\"d\\0061;\"",
    ],
    blanks: &[
        " ",
        "\n",
        "\r\n",
        "\r",
        "\t",
        "\x0C",
        " -- c ; '\n",
        "/**/",
        "/* ; */",
        "/* /* ' */ ; */",
        "/* $$ */",
        "--\n",
        "/***/",
        " /*/ ; /**/ */ ",
        "/*//*;*/*/",
    ],
};

/// The statements by the server's grammar, as ranges; none where it takes the script for wrong.
fn by_grammar(text: &str) -> Option<Vec<(usize, usize)>> {
    let statements = pg_query::split_with_parser(text).ok()?;
    let start = |part: &str| part.as_ptr() as usize - text.as_ptr() as usize;
    Some(statements.into_iter().map(|part| (start(part), start(part) + part.len())).collect())
}

/// The statements by ours.
fn ours(text: &str) -> Option<Vec<(usize, usize)>> {
    let pieces = split(Engine::Postgres, "file.sql", text.as_bytes()).ok()?;
    let ranges = pieces.iter().filter(|piece| piece.class().is_some()).map(|piece| {
        let start = piece.body_start() as usize;
        (start, start + piece.statement().len())
    });
    Some(ranges.collect())
}

/// Requires that each of our statements is one of the server's, less blanks at its ends.
fn agree(text: &str, ours: &[(usize, usize)], theirs: &[(usize, usize)]) {
    let shown =
        |ranges: &[(usize, usize)]| ranges.iter().map(|range| text[range.0..range.1].to_owned()).collect::<Vec<_>>();
    let agrees = ours.len() == theirs.len()
        && ours.iter().zip(theirs).all(|(our, their)| {
            let blank = |part: &str| pg_query::scan(part).is_ok_and(|result| result.tokens.iter().all(is_comment));
            their.0 <= our.0 && our.1 <= their.1 && blank(&text[their.0..our.0]) && blank(&text[our.1..their.1])
        });
    assert!(agrees, "{text:?}\nours:   {:#?}\ntheirs: {:#?}", shown(ours), shown(theirs));
}

fn is_comment(token: &pg_query::protobuf::ScanToken) -> bool {
    matches!(token.token(), Token::SqlComment | Token::CComment)
}

#[test]
fn written_scripts() {
    let scripts = [
        "select 1; select 2",
        "create function is_atomic() returns int begin atomic select 1; end; select 2;",
        "create function f(a int) returns int begin atomic select t.end from t; select 1 as end; select 1 end; end; select 2;",
        "create or replace procedure p() begin atomic end; select 2",
        "create function f() returns begin begin /* x */ atomic select 1; end; select 2",
        "create table begin (atomic int); select begin atomic from begin; commit; end; select 1",
        "create rule r as on insert to t do (select 1; select ')'; select \"(\"); select 2",
        "select a$b$, $1, c$$ from t; select $$;$$; select $1$$;$$",
        "select E'a'\n'\\';'; select 'a'\n'\\'; select 3",
        "select U&'\\' ; select U&\"d\\0061\" uescape '!'; select N'\\'; select 1",
        "do $$ begin perform 1; end $$; select 1",
        "\u{0C}select\u{0B}1;\u{0B}select 2",
    ];
    for text in scripts {
        let ours = ours(text).unwrap_or_else(|| panic!("we refuse {text}"));
        // Not everything here parses by the grammar; then the scanner must agree at least.
        match by_grammar(text) {
            Some(theirs) => agree(text, &ours, &theirs),
            None => assert_eq!(semicolons(text).map(|all| all.len()), Some(text_semicolons(text)), "{text}"),
        }
    }
}

/// Where the scanner sees semicolons outside parentheses.
fn semicolons(text: &str) -> Option<Vec<usize>> {
    let mut depth = 0_usize;
    let mut found = Vec::new();
    for token in pg_query::scan(text).ok()?.tokens {
        match token.token() {
            Token::Ascii40 => depth += 1,
            Token::Ascii41 => depth = depth.saturating_sub(1),
            Token::Ascii59 if depth == 0 => found.push(token.start as usize),
            _ => {}
        }
    }
    Some(found)
}

/// Number of semicolons that end pieces by ours.
fn text_semicolons(text: &str) -> usize {
    let pieces = split(Engine::Postgres, "file.sql", text.as_bytes()).expect("this is accepted");
    pieces.iter().filter(|piece| piece.text.ends_with(b";")).count()
}

/// Parts of nonsense that comes near to sense; no bodies of routines, which the scanner does not know.
const PARTS: &[&str] = &[
    "select", " ", "\n", "\r", ";", ";;", "'", "''", "\"", "$$", "$a$", "$", "$1", "a$", "--", "-", "/*", "*/", "/",
    "*", "(", ")", "e'", "E'\\'", "\\'", "U&'", "U&\"", "u", "&", "N'", "x'ab'", "b'", " begin ", " end", "é", "1",
    ".", "+", "@", "$b", "{", "}", "x", "_",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_scripts_split_as_the_grammar_says(text in script(&GRAMMAR)) {
        let ours = ours(&text).unwrap_or_else(|| panic!("we refuse {text:?}"));
        if let Some(theirs) = by_grammar(&text) {
            agree(&text, &ours, &theirs);
        }
    }

    #[test]
    fn nonsense_splits_as_the_scanner_says(parts in proptest::collection::vec(proptest::sample::select(PARTS), 0..24)) {
        let text = parts.concat();
        let Some(theirs) = semicolons(&text) else { return Ok(()) };
        let Ok(pieces) = split(Engine::Postgres, "file.sql", text.as_bytes()) else { return Ok(()) };
        let mut last = pieces.iter().map(|piece| piece.span.end as usize).collect::<Vec<_>>();
        // The last piece may have no semicolon.
        last.retain(|end| theirs.contains(&(end - 1)));
        prop_assert_eq!(&last, &theirs.iter().map(|at| at + 1).collect::<Vec<_>>(), "{:?}", text);
        let without = pieces.iter().filter(|piece| !theirs.contains(&(piece.span.end as usize - 1))).count();
        prop_assert!(without <= 1, "{:?}", text);
    }

    #[test]
    fn what_the_scanner_refuses_as_open_we_refuse(parts in proptest::collection::vec(proptest::sample::select(PARTS), 0..24)) {
        let text = parts.concat();
        let refused = matches!(pg_query::scan(&text), Err(error) if error.to_string().contains("unterminated"));
        if refused {
            prop_assert!(split(Engine::Postgres, "file.sql", text.as_bytes()).is_err(), "{:?}", text);
        }
    }
}

/// How much of what the templates give is accepted by the grammar: the comparison must not be empty.
#[test]
fn most_templates_parse() {
    let plain = |template: &str| {
        let tokens = template.split(' ').map(|token| match token {
            "S" => "'s'",
            "I" => "i",
            token => token,
        });
        tokens.collect::<Vec<_>>().join(" ")
    };
    let wrong: Vec<_> =
        GRAMMAR.statements.iter().map(|text| plain(text)).filter(|text| by_grammar(text).is_none()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
