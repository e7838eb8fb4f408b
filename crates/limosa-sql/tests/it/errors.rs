//! What is wrong with scripts, and where.

use std::collections::BTreeSet;

use limosa_sql::{Engine, Splitter, codes};

use crate::show;

struct Case {
    engine: Engine,
    text: &'static [u8],
    code: &'static str,
    /// Line and column; none for the whole file.
    place: Option<(u64, u64)>,
    /// A part of message, help or the shown line.
    says: &'static str,
}

const fn postgres(text: &'static str, code: &'static str, line: u64, column: u64, says: &'static str) -> Case {
    Case { engine: Engine::Postgres, text: text.as_bytes(), code, place: Some((line, column)), says }
}

const fn sqlite(text: &'static str, code: &'static str, line: u64, column: u64, says: &'static str) -> Case {
    Case { engine: Engine::Sqlite, text: text.as_bytes(), code, place: Some((line, column)), says }
}

const fn mysql(text: &'static str, code: &'static str, line: u64, column: u64, says: &'static str) -> Case {
    Case { engine: Engine::Mysql, text: text.as_bytes(), code, place: Some((line, column)), says }
}

const fn bytes(text: &'static [u8], code: &'static str, place: Option<(u64, u64)>, says: &'static str) -> Case {
    Case { engine: Engine::Postgres, text, code, place, says }
}

const CASES: &[Case] = &[
    bytes(b"select 1;\nselect 'a\xE9b';", codes::NOT_UTF8, Some((2, 10)), "0xE9"),
    bytes(b"select '\xC3", codes::NOT_UTF8, Some((1, 9)), "0xC3"),
    bytes(b"-- \xFF\nselect 1", codes::NOT_UTF8, Some((1, 4)), "must be UTF-8"),
    bytes(b"select 1; -- caf\xE9", codes::NOT_UTF8, Some((1, 17)), "select 1; -- caf\u{fffd}"),
    bytes(b"\xFF\xFEs\0e\0l\0", codes::WIDE_ENCODING, None, "iconv"),
    bytes(b"\xFE\xFF\0s\0e", codes::WIDE_ENCODING, None, "UTF-16 (big-endian)"),
    bytes(b"s\0e\0l\0e\0c\0t\0", codes::WIDE_ENCODING, None, "UTF-16 (little-endian)"),
    bytes(b"select 1;\nselect \0 2;", codes::NUL_BYTE, Some((2, 8)), "NUL"),
    bytes(b"select '\0';", codes::NUL_BYTE, Some((1, 9)), "remove it"),
    bytes(b"PGDMP\x01\x0f\0", codes::NOT_A_SCRIPT, None, "pg_restore"),
    bytes(b"SQLite format 3\0\x10\0", codes::NOT_A_SCRIPT, None, "SQLite database"),
    bytes(b"\x1f\x8b\x08\0", codes::NOT_A_SCRIPT, None, "gunzip"),
    bytes(b"\x89PNG\r\n\x1a\n\0\0", codes::NOT_UTF8, Some((1, 1)), "0x89"),
    postgres("select 1;\n select 'abc;\nselect 2;", codes::OPEN_STRING, 2, 9, " select 'abc;"),
    postgres("select E'\\';", codes::OPEN_STRING, 1, 8, "never closed"),
    postgres("select 'a\n''", codes::OPEN_STRING, 1, 8, "select 'a"),
    postgres("select \"abc;", codes::OPEN_IDENTIFIER, 1, 8, "identifier"),
    postgres("do $x$ begin; $X$;", codes::OPEN_DOLLAR_QUOTE, 1, 4, "close it with $x$"),
    postgres("select 1; /* a /* b */", codes::OPEN_COMMENT, 1, 11, "nests"),
    postgres("select 1 + /*", codes::OPEN_COMMENT, 1, 12, "*/"),
    postgres("insert into t values (1, (2);\nselect 1;", codes::OPEN_PARENTHESIS, 1, 22, "never closed"),
    postgres("é (", codes::OPEN_PARENTHESIS, 1, 3, "é ("),
    postgres("create function f() returns int\nbegin atomic select 1;", codes::OPEN_BODY, 2, 1, "END;"),
    postgres("create function f() begin atomic select 1 end; select 2;", codes::OPEN_BODY, 1, 21, "BEGIN ATOMIC"),
    postgres("-- c\ncopy t from stdin;\n1\n2\n", codes::OPEN_COPY_DATA, 2, 1, "copy t from stdin;"),
    postgres("copy t from stdin;", codes::OPEN_COPY_DATA, 1, 1, "\\."),
    postgres("copy t from stdin", codes::OPEN_COPY_DATA, 1, 1, "\\."),
    postgres("copy t from stdin;\n1\n\\.x", codes::OPEN_COPY_DATA, 1, 1, "is missing"),
    postgres("copy t from stdin; select 1;\n", codes::TEXT_BEFORE_COPY_DATA, 1, 20, "behind the line"),
    postgres("\\i other.sql\n", codes::PSQL_COMMAND, 1, 1, "R__name.sql"),
    postgres("\\ir other.sql\n", codes::PSQL_COMMAND, 1, 1, "`\\ir`"),
    postgres("select 1;\n  \\copy t from 'x'\n", codes::PSQL_COMMAND, 2, 3, "COPY ... FROM stdin"),
    postgres("\\set x 1\n", codes::PSQL_COMMAND, 1, 1, "placeholder"),
    postgres("\\c other\n", codes::PSQL_COMMAND, 1, 1, "--database"),
    postgres("\\connect other\n", codes::PSQL_COMMAND, 1, 1, "--database"),
    postgres("select 'x' \\gexec\n", codes::PSQL_COMMAND, 1, 12, "EXECUTE"),
    postgres("select 1 \\g\n", codes::PSQL_COMMAND, 1, 10, "end the statement with ;"),
    postgres("\\echo hi", codes::PSQL_COMMAND, 1, 1, "RAISE NOTICE"),
    postgres("\\timing on", codes::PSQL_COMMAND, 1, 1, "remove it"),
    postgres("\\pset x", codes::PSQL_COMMAND, 1, 1, "remove it"),
    postgres("\\x", codes::PSQL_COMMAND, 1, 1, "remove it"),
    postgres("\\dt+ x", codes::PSQL_COMMAND, 1, 1, "`\\dt+`"),
    postgres("\\! rm x", codes::PSQL_COMMAND, 1, 1, "never runs programs"),
    postgres("\\if true", codes::PSQL_COMMAND, 1, 1, "headers"),
    postgres("\\unheard_of", codes::PSQL_COMMAND, 1, 1, "only psql"),
    postgres("select 1\n\\restrict x\n", codes::PSQL_COMMAND, 2, 1, "inside a statement"),
    postgres("select 1 \\; select 2;", codes::PSQL_COMMAND, 1, 10, "without the backslash"),
    postgres("select 1;\n\\.\n", codes::STRAY_BACKSLASH, 2, 1, "no COPY"),
    postgres("select \\ 1;", codes::STRAY_BACKSLASH, 1, 8, "backslash"),
    postgres("select 1;\n\u{feff}select 2;", codes::INNER_BYTE_ORDER_MARK, 2, 1, "joining"),
    bytes(b"select $\xEF\xBB\xBF\x80 ;", codes::INNER_BYTE_ORDER_MARK, Some((1, 9)), "name"),
    sqlite("select 1;\n.read x.sql\n", codes::SQLITE_COMMAND, 2, 1, "R__name.sql"),
    sqlite(".mode csv", codes::SQLITE_COMMAND, 1, 1, "`.mode`"),
    sqlite(".bail on", codes::SQLITE_COMMAND, 1, 1, "first error"),
    sqlite(".import a b", codes::SQLITE_COMMAND, 1, 1, "INSERT"),
    sqlite("select [abc;", codes::OPEN_IDENTIFIER, 1, 8, "close it with ]"),
    sqlite("select `abc;", codes::OPEN_IDENTIFIER, 1, 8, "same quote"),
    sqlite("select 'abc;", codes::OPEN_STRING, 1, 8, "never closed"),
    sqlite("create trigger g after insert on t\n begin select 1 end; select 2;", codes::OPEN_BODY, 2, 2, "trigger"),
    sqlite("-- a\rcreate table t (a);\rselect 1;", codes::COMMENT_SWALLOWS, 1, 1, "line feeds"),
    mysql("select 1;\nselect 'it\\'s;", codes::OPEN_STRING, 2, 8, "NO_BACKSLASH_ESCAPES"),
    mysql("select \"abc;", codes::OPEN_STRING, 1, 8, "same quote"),
    mysql("set sql_mode = 'ansi_quotes'; select \"abc\\\";\nselect 'it;", codes::OPEN_STRING, 2, 8, "never closed"),
    mysql("select `abc;", codes::OPEN_IDENTIFIER, 1, 8, "same quote"),
    mysql("select @'a", codes::OPEN_STRING, 1, 9, "same quote"),
    mysql("select 1; /* a /* b ", codes::OPEN_COMMENT, 1, 11, "close it with */"),
    mysql("select 1;\n/*!40101 set a = 1;\n", codes::OPEN_COMMENT, 2, 1, "SQL is run"),
    mysql("delimiter //\nselect 1 /*! + 1 // \n", codes::OPEN_COMMENT, 2, 10, "SQL is run"),
    mysql(
        "create procedure p()\nbegin\n  if a then\n    select 1;\nend;\nselect 2;",
        codes::OPEN_BODY,
        3,
        3,
        "IF opens here is never closed with END IF",
    ),
    mysql("create procedure p() begin select 1; select 2;", codes::OPEN_BODY, 1, 22, "never closed with END"),
    mysql(
        "create procedure p() begin repeat select 1; end; select 2;",
        codes::OPEN_BODY,
        1,
        28,
        "UNTIL ... END REPEAT",
    ),
    mysql("create procedure p() begin begin select 1; end if; select 2;", codes::OPEN_BODY, 1, 28, "BEGIN opens"),
    mysql("begin not atomic while a do select 1; end while;", codes::OPEN_BODY, 1, 1, "END;"),
    mysql("select 1;\nsource other.sql", codes::MYSQL_COMMAND, 2, 1, "R__name.sql"),
    mysql("SOURCE other.sql;", codes::MYSQL_COMMAND, 1, 1, "`SOURCE`"),
    mysql("\\. other.sql\n", codes::MYSQL_COMMAND, 1, 1, "R__name.sql"),
    mysql("select 1\\G\n", codes::MYSQL_COMMAND, 1, 9, "end the statement with ;"),
    mysql("select 1 \\g", codes::MYSQL_COMMAND, 1, 10, "end the statement with ;"),
    mysql("system rm x\n", codes::MYSQL_COMMAND, 1, 1, "never runs programs"),
    mysql("\\! rm x", codes::MYSQL_COMMAND, 1, 1, "never runs programs"),
    mysql("tee out.txt\nselect 1;", codes::MYSQL_COMMAND, 1, 1, "never writes files"),
    mysql("\\T out.txt", codes::MYSQL_COMMAND, 1, 1, "never writes files"),
    mysql("pager less\n", codes::MYSQL_COMMAND, 1, 1, "never writes files"),
    mysql("connect db", codes::MYSQL_COMMAND, 1, 1, "--database"),
    mysql("\\u db\n", codes::MYSQL_COMMAND, 1, 1, "USE"),
    mysql("prompt x>", codes::MYSQL_COMMAND, 1, 1, "screen"),
    mysql("\\W", codes::MYSQL_COMMAND, 1, 1, "screen"),
    mysql("charset utf8mb4", codes::MYSQL_COMMAND, 1, 1, "UTF-8"),
    mysql("exit", codes::MYSQL_COMMAND, 1, 1, "end of its file"),
    mysql("select 1 \\c\n;", codes::MYSQL_COMMAND, 1, 10, "should not run"),
    mysql("\\d //\n", codes::MYSQL_COMMAND, 1, 1, "DELIMITER"),
    mysql("\\- x", codes::MYSQL_COMMAND, 1, 1, "commands of the client"),
    mysql("\\~ x", codes::MYSQL_COMMAND, 1, 1, "DELIMITER alone"),
    mysql("select \\", codes::STRAY_BACKSLASH, 1, 8, "put the text into quotes"),
    mysql("use shop\ncreate table t (a int);", codes::MYSQL_COMMAND, 2, 1, "USE shop is not ended"),
    mysql("select 1;\n delimiter\nselect 2;", codes::BAD_DELIMITER, 2, 2, "DELIMITER //"),
    mysql("DELIMITER$$\n", codes::BAD_DELIMITER, 1, 1, "followed by no delimiter"),
    mysql("DELIMITER;\n", codes::BAD_DELIMITER, 1, 1, "followed by no delimiter"),
    mysql("delimiter \\\\\n", codes::BAD_DELIMITER, 1, 1, "backslash"),
    mysql("delimiter 1234567890123456\n", codes::BAD_DELIMITER, 1, 1, "15 bytes"),
    mysql("delimiter // create procedure p() select 1 //\n", codes::BAD_DELIMITER, 1, 1, "next line"),
    mysql(
        "delimiter //\ncreate procedure p() begin select 1; end\ndelimiter ;\nselect 1;",
        codes::BAD_DELIMITER,
        3,
        1,
        "is not ended",
    ),
    mysql("create package p as x int; end;", codes::NEEDS_DELIMITER, 1, 1, "DELIMITER //"),
    mysql("select 1;\n create or replace package body p as x int; end;", codes::NEEDS_DELIMITER, 2, 2, "packages"),
    mysql("create procedure p(x in int) as begin null; end;", codes::NEEDS_DELIMITER, 1, 1, "Oracle"),
    mysql("set sql_mode = 'oracle'; begin null; end;", codes::NEEDS_DELIMITER, 1, 26, "Oracle"),
    mysql("load data local infile 'x' into table t;", codes::LOCAL_FILE, 1, 1, "INSERT"),
    mysql("load xml low_priority local infile 'x' into table t;", codes::LOCAL_FILE, 1, 1, "LOAD XML LOCAL"),
    mysql("set autocommit = 0, foreign_key_checks = 0;", codes::AUTOCOMMIT_WITH_OTHERS, 1, 1, "SET of their own"),
    mysql("set @a = 1, autocommit = 0;", codes::AUTOCOMMIT_WITH_OTHERS, 1, 1, "not sent"),
    mysql("# a\rcreate table t (a int);\rselect 1;", codes::COMMENT_SWALLOWS, 1, 1, "MySQL ends comments"),
    mysql("select 1;\n\u{feff}select 2;", codes::INNER_BYTE_ORDER_MARK, 2, 1, "where MySQL takes it for a name"),
    Case {
        engine: Engine::Mysql,
        text: b"insert into t values (_binary '\xFF');",
        code: codes::NOT_UTF8,
        place: Some((1, 32)),
        says: "--hex-blob",
    },
    Case {
        engine: Engine::Mysql,
        text: b"select '\0';",
        code: codes::NUL_BYTE,
        place: Some((1, 9)),
        says: "remove it",
    },
];

#[test]
fn each_mistake_has_its_code_its_place_and_advice() {
    for case in CASES {
        let text = String::from_utf8_lossy(case.text);
        let error = show::error(case.engine, case.text);
        let label = &error.labels[0];
        assert_eq!(error.code, case.code, "{text}: {error:?}");
        assert_eq!(label.position.map(|place| (place.line, place.column)), case.place, "{text}: {error:?}");
        assert_eq!(label.file, "file.sql");
        assert!(error.is_error() && error.help.is_some(), "{text}: {error:?}");
        let line = label.line_text.clone().unwrap_or_default();
        let shown = format!("{}\n{}\n{line}", error.message, error.help.clone().unwrap_or_default());
        assert!(shown.contains(case.says), "{text}: {shown}");
        if let Some((_, column)) = case.place {
            assert!(line.chars().count() as u64 >= column, "{text}: {line}");
        }
    }
}

#[test]
fn each_code_is_tested() {
    let tested: BTreeSet<_> = CASES.iter().map(|case| case.code).chain([codes::STATEMENT_TOO_LARGE]).collect();
    let known: BTreeSet<_> = codes::TABLE.iter().map(|(code, _)| *code).collect();
    assert_eq!(tested, known);
}

#[test]
fn statements_that_are_too_long_are_refused() {
    let text = format!("select 1;\nselect '{}';", "x".repeat(500));
    for chunk in [1, 100, 1000] {
        let mut splitter = Splitter::new(Engine::Postgres, "file.sql").with_statement_limit(400);
        for part in text.as_bytes().chunks(chunk) {
            splitter.feed(part);
        }
        splitter.finish();
        assert_eq!(splitter.next_piece().unwrap().unwrap().statement(), "select 1");
        let error = splitter.next_piece().unwrap_err();
        assert_eq!(error.code, codes::STATEMENT_TOO_LARGE);
        assert_eq!(error.labels[0].position.map(|place| place.line), Some(2));
    }
}

#[test]
fn an_open_comment_is_marked_where_it_began_however_long_it_is() {
    let text = format!("select 1; /* {}", "abc\n".repeat(100_000));
    for chunk in [1000, text.len()] {
        let (_, error) = show::cut(Engine::Postgres, text.as_bytes(), chunk);
        let label = &error.unwrap().labels[0];
        assert_eq!(label.position.map(|place| (place.line, place.column)), Some((1, 11)));
        assert_eq!(label.line_text.as_deref(), Some("select 1; /* abc"));
    }
}

#[test]
fn long_lines_are_not_shown() {
    let text = format!("select '{}', 'b", "x".repeat(3000));
    let error = show::error(Engine::Postgres, text.as_bytes());
    assert_eq!(error.labels[0].line_text, None);
    let text = format!("select 'b, {}", "x".repeat(3000));
    let error = show::error(Engine::Postgres, text.as_bytes());
    assert_eq!(error.labels[0].line_text.as_ref().map(|line| line.chars().count()), Some(400));
}
