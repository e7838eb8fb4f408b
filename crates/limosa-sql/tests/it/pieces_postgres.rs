//! Where statements of PostgreSQL begin and end.

use limosa_sql::{Engine, Position};

use crate::show::{self, cut_all_ways};

fn check(text: &str, expected: &[&str]) {
    show::check(Engine::Postgres, text.as_bytes(), expected);
}

/// Requires that the script is these statements and nothing else that matters.
fn statements(text: &str, expected: &[&str]) {
    let (pieces, error) = cut_all_ways(Engine::Postgres, text.as_bytes());
    assert_eq!(error, None, "{text}");
    let found: Vec<_> = pieces.iter().map(|piece| piece.statement()).filter(|text| !text.is_empty()).collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn plain_statements() {
    check("", &[]);
    check("select 1", &["select 1"]);
    check("select 1;", &["select 1"]);
    check("select 1;select 2;", &["select 1", "select 2"]);
    check("select 1; -- one\nselect 2 -- two\n;\n", &["select 1", "select 2", "BLANK \n"]);
    check("select 1 /* a */ ; /* b */", &["select 1", "BLANK  /* b */"]);
    check(";;", &["BLANK ;", "BLANK ;"]);
    check("; -- x\n;select 1", &["BLANK ;", "BLANK  -- x\n;", "select 1"]);
    check("-- only a comment", &["BLANK -- only a comment"]);
    check("  \n\t ", &["BLANK   \n\t "]);
    check("select 1 -- the end\n", &["select 1"]);
}

#[test]
fn line_ends_and_marks() {
    check("\u{feff}select 1;", &["select 1"]);
    check("\u{feff}", &["BLANK \u{feff}"]);
    check("\u{feff}-- c\nselect 1", &["select 1"]);
    check("-- c\rselect 1;\r-- d\r\nselect 2;\r\n", &["select 1", "select 2", "BLANK \r\n"]);
    let (pieces, _) = cut_all_ways(Engine::Postgres, "\u{feff}select 1;\r\n\r  é select 2".as_bytes());
    assert_eq!(pieces[0].position, Position { line: 1, column: 1 });
    assert_eq!(pieces[1].position, Position { line: 3, column: 3 });
}

#[test]
fn comments_nest() {
    statements("/* a /* b; */ ; */ select 1; select /*;*/ 2;", &["select 1", "select /*;*/ 2"]);
    statements("/**/select 1;/***/select 2;/*/**/*/select 3", &["select 1", "select 2", "select 3"]);
    statements("select 1 /*/ ; */ + 1; select 2", &["select 1 /*/ ; */ + 1", "select 2"]);
    statements("select 2 --;\n; select 3+--;\n1", &["select 2", "select 3+--;\n1"]);
    statements("select 4*/**/5; select 1 -/*;*/ 1", &["select 4*/**/5", "select 1 -/*;*/ 1"]);
    statements(
        "select '/*'; select '*/'; select '--'; select 1",
        &["select '/*'", "select '*/'", "select '--'", "select 1"],
    );
}

#[test]
fn strings() {
    statements("select ';'; select 2", &["select ';'", "select 2"]);
    statements("select 'it''s;'; select 2", &["select 'it''s;'", "select 2"]);
    statements(r"select 'a\'; select 2", &[r"select 'a\'", "select 2"]);
    statements(r"select E'\';'; select 2", &[r"select E'\';'", "select 2"]);
    statements(r"select e'\\'; select 2", &[r"select e'\\'", "select 2"]);
    statements(r"select E'a''\';b'; select 2", &[r"select E'a''\';b'", "select 2"]);
    statements(r"select U&'d\0061;\'; select 2", &[r"select U&'d\0061;\'", "select 2"]);
    statements(r#"select U&"d;\" from t; select 2"#, &[r#"select U&"d;\" from t"#, "select 2"]);
    statements(r"select B'1;', X'f;', n'\;'; select 2", &[r"select B'1;', X'f;', n'\;'", "select 2"]);
    statements(r#"select "a;""b"; select 2"#, &[r#"select "a;""b""#, "select 2"]);
    // The prefix must be a word of its own.
    statements(r"select type'\'; select 2", &[r"select type'\'", "select 2"]);
    statements(r"select ae'\'; select 2", &[r"select ae'\'", "select 2"]);
}

#[test]
fn strings_go_on_behind_a_line_break() {
    // The second part is read as the first one.
    statements("select E'a'\n'\\';'; select 2", &["select E'a'\n'\\';'", "select 2"]);
    statements("select E'a' -- c\n  '\\';'; select 2", &["select E'a' -- c\n  '\\';'", "select 2"]);
    statements("select E'a' '\\'; select 2", &["select E'a' '\\'", "select 2"]);
    statements("select E'a' /*\n*/ '\\'; select 2", &["select E'a' /*\n*/ '\\'", "select 2"]);
    statements("select E'a', \n'\\'; select 2", &["select E'a', \n'\\'", "select 2"]);
    statements("select 'a'\n'\\'; select 2", &["select 'a'\n'\\'", "select 2"]);
}

#[test]
fn backslashes_where_strings_do_not_conform() {
    let off = "set standard_conforming_strings = off";
    let tail = r"select 'a\';b'; select 2";
    for set in [
        off,
        "SET SESSION standard_conforming_strings TO 'off'",
        "set local standard_conforming_strings to false",
        "select pg_catalog.set_config('standard_conforming_strings', 'off', false)",
    ] {
        statements(&format!("{set}; {tail}"), &[set, r"select 'a\';b'", "select 2"]);
    }
    let on = r"select 'a\'; select 2";
    for reset in
        ["set standard_conforming_strings = on", "reset standard_conforming_strings", "reset all", "discard all"]
    {
        statements(&format!("{off}; {reset}; {on}"), &[off, reset, r"select 'a\'", "select 2"]);
    }
    let local = "set local standard_conforming_strings = off";
    statements(&format!("{local}; commit; {on}"), &[local, "commit", r"select 'a\'", "select 2"]);
    statements(&format!("{off}; commit; {tail}"), &[off, "commit", r"select 'a\';b'", "select 2"]);
    // The setting counts from the next statement on, and U& strings never have such escapes.
    statements(&format!(r"{off}; select U&'\'; select 1"), &[off, r"select U&'\'", "select 1"]);
    statements(
        r"select 'standard_conforming_strings = off'; select '\'",
        &["select 'standard_conforming_strings = off'", r"select '\'"],
    );
}

#[test]
fn dollar_quotes() {
    statements("select $$;$$; select 2", &["select $$;$$", "select 2"]);
    statements("select $a$;$$;$b$;$a$; select 2", &["select $a$;$$;$b$;$a$", "select 2"]);
    statements("select $a$ $a $A$ a$ $a$; select 2", &["select $a$ $a $A$ a$ $a$", "select 2"]);
    statements("select $$a$b$$; select 2", &["select $$a$b$$", "select 2"]);
    statements("select $é1$;$é1$; select 2", &["select $é1$;$é1$", "select 2"]);
    // Directly behind a key word it belongs to the word.
    statements("select 1 as a$$;select 2 as b$$;", &["select 1 as a$$", "select 2 as b$$"]);
    statements("select a$b$ from t; select c$b$ from t;", &["select a$b$ from t", "select c$b$ from t"]);
    statements("do $$ begin perform 1; end $$; select 1", &["do $$ begin perform 1; end $$", "select 1"]);
    statements("do language plpgsql$$;$$; select 1;$$", &["do language plpgsql$$", "$$; select 1;$$"]);
    statements("select $1; select $2$$;$$; select $3", &["select $1", "select $2$$;$$", "select $3"]);
    statements("select \"a\"$$;$$; select 2", &["select \"a\"$$;$$", "select 2"]);
    statements("select $ ; select 2", &["select $", "select 2"]);
    statements("select $1a$;$1a$; select 2", &["select $1a$", "$1a$", "select 2"]);
    statements("select 1$$;$$", &["select 1$$;$$"]);
    statements("select $abc; select '$abc$;'", &["select $abc", "select '$abc$;'"]);
    statements(
        "create function f() returns int as $f$ begin if a then return 1; end if; end; $f$ language plpgsql; select 1",
        &[
            "create function f() returns int as $f$ begin if a then return 1; end if; end; $f$ language plpgsql",
            "select 1",
        ],
    );
}

#[test]
fn atomic_bodies() {
    let simple = "create function f() returns int begin atomic select 1; select 2; end";
    statements(&format!("{simple}; select 3"), &[simple, "select 3"]);
    for body in [
        "select case when a then 1 else 2 end from t;",
        "select case when a then 1 end; select case b when 1 then case c when 2 then 3 end end;",
        "select t.end from t;",
        "select 1 as end;",
        "select 1 end;",
        "select end_at, \"end\" from t; select 'end;';",
        "insert into t (begin, atomic) values (1, 2); select begin atomic from t;",
        "select begin from t; select t.begin, atomic from t;",
        ";; select 1;",
        "/* end; */ select 1; -- end;\n",
        "select (select 1); select (1);",
        "return 1;",
        "create function g() returns int begin atomic select 1; end;",
        "create or replace procedure g() begin atomic; ;; end; select 2;",
        "",
    ] {
        for head in [
            "create function f() returns int begin atomic",
            "CREATE OR REPLACE FUNCTION atomic(begin int default 1) RETURNS begin LANGUAGE sql BEGIN /* x */ ATOMIC",
            "create procedure begin.atomic() language sql set x to begin, atomic Begin\n--;\nAtomic",
        ] {
            let text = format!("{head} {body} end");
            statements(&format!("{text}; select 3"), &[&text, "select 3"]);
            statements(&text, &[&text]);
        }
    }
}

#[test]
fn nothing_else_opens_a_body() {
    statements("begin; select 1; end; select 2", &["begin", "select 1", "end", "select 2"]);
    statements("select begin atomic from t; select 1", &["select begin atomic from t", "select 1"]);
    statements("create table begin (atomic int); select 1", &["create table begin (atomic int)", "select 1"]);
    statements(
        "create view v as select begin atomic from t; select 1",
        &["create view v as select begin atomic from t", "select 1"],
    );
    statements(
        "create function f() returns atomic as 'begin atomic' language sql; select 1;",
        &["create function f() returns atomic as 'begin atomic' language sql", "select 1"],
    );
    statements(
        "create function is_atomic() returns int return 1; select 1",
        &["create function is_atomic() returns int return 1", "select 1"],
    );
    statements(
        "alter function begin() owner to atomic; select 1",
        &["alter function begin() owner to atomic", "select 1"],
    );
}

#[test]
fn parentheses() {
    statements(
        "create rule r as on insert to t do (select 1; select 2); select 3",
        &["create rule r as on insert to t do (select 1; select 2)", "select 3"],
    );
    statements(
        "create rule r as on update to t do instead (select (1); select 2;); select 3",
        &["create rule r as on update to t do instead (select (1); select 2;)", "select 3"],
    );
    statements("select 1); select 2", &["select 1)", "select 2"]);
    statements("select )(; ) ; select 2", &["select )(; )", "select 2"]);
    statements(
        "select ')' || \"(\" /* ( */ ; select 2",
        &["select ')' || \"(\" /* ( */", "select 2"].map(|text| text.trim_end_matches(" /* ( */")),
    );
    let schema = "create schema s create table t (id int) create view v as select 1 create index on t (id)";
    statements(&format!("{schema}; select 1"), &[schema, "select 1"]);
}

#[test]
fn copy_data() {
    check(
        "copy t from stdin;\n1\ta;b\n2\t'\n\\.\nselect 1;",
        &["copy t from stdin", "DATA 1\ta;b\n2\t'\n", "DATA END \\.\n", "select 1"],
    );
    check(
        "copy t (a, b) FROM STDIN WITH (format csv) ; -- data\n\\.\n",
        &["copy t (a, b) FROM STDIN WITH (format csv)", "DATA END \\.\n"],
    );
    check(
        "-- c\ncopy s.\"T;\" from stdin;\r\n1\r\n\\.\r\n\r\nselect 1",
        &["copy s.\"T;\" from stdin", "DATA 1\r\n", "DATA END \\.\r\n", "select 1"],
    );
    check("copy t from stdin;\n1\n\\.", &["copy t from stdin", "DATA 1\n", "DATA END \\."]);
    check("copy t from stdin;\n1\r\n\\.\r", &["copy t from stdin", "DATA 1\r\n", "DATA END \\.\r"]);
    check(
        "copy t from stdin;\n\\.x\n x\\.\n\\\\.\n\\.\n",
        &["copy t from stdin", "DATA \\.x\n x\\.\n\\\\.\n", "DATA END \\.\n"],
    );
    // Old line ends throughout.
    check(
        "copy t from stdin;\r1\r2\r\\.\rselect 1;\r",
        &["copy t from stdin", "DATA 1\r2\r", "DATA END \\.\r", "select 1", "BLANK \r"],
    );
    // A carriage return in a field is no line end elsewhere.
    check(
        "copy t from stdin csv;\n\"a\r\\.\rb\"\n\\.\n",
        &["copy t from stdin csv", "DATA \"a\r\\.\rb\"\n", "DATA END \\.\n"],
    );
    show::check(
        Engine::Postgres,
        b"copy t from stdin;\n\xFF\0\n\\.\nselect 1",
        &["copy t from stdin", "DATA \u{fffd}\0\n", "DATA END \\.\n", "select 1"],
    );
    // No data follows these.
    statements("copy t to stdout; select 1", &["copy t to stdout", "select 1"]);
    statements(
        "copy t from '/srv/x'; copy t from program 'stdin'; select 1",
        &["copy t from '/srv/x'", "copy t from program 'stdin'", "select 1"],
    );
    statements("copy (select 1 from stdin) to stdout; select 1", &["copy (select 1 from stdin) to stdout", "select 1"]);
    check("copy binary from stdin;\n\\.\n", &["copy binary from stdin", "DATA END \\.\n"]);
    check("copy binary t from stdin;\n\\.\n", &["copy binary t from stdin", "DATA END \\.\n"]);
}

#[test]
fn copy_data_comes_in_chunks_of_whole_lines() {
    let line = "x".repeat(999) + "\n";
    let long = "y".repeat(200_000) + "\n";
    let data = line.repeat(70) + &long + &line.repeat(3);
    let text = format!("copy t from stdin;\n{data}\\.\nselect 1");
    for chunk in [1000, 4096, 65_536, text.len()] {
        let (pieces, error) = show::cut(Engine::Postgres, text.as_bytes(), chunk);
        assert_eq!(error, None);
        show::hold_together(text.as_bytes(), &pieces, true);
        let lengths: Vec<_> = pieces.iter().map(|piece| piece.text.len()).collect();
        assert_eq!(lengths, [19, 65_000, 5_000, 200_001, 3_000, 3, 8]);
    }
}

#[test]
fn long_comments_come_in_parts() {
    let comment = format!("/* {} /* é */ {} */", "é;'".repeat(60_000), "-- \n".repeat(20_000));
    let line = format!("--{}\n", "é'".repeat(50_000));
    let blank = " \n".repeat(100_000);
    let word = "select ".to_owned() + &"a".repeat(200_000);
    let text = format!("{comment}{line}{blank}{word};{line}");
    let mut seen = None;
    for chunk in [997, 65_536, text.len()] {
        let (pieces, error) = show::cut(Engine::Postgres, text.as_bytes(), chunk);
        assert_eq!(error, None);
        show::hold_together(text.as_bytes(), &pieces, true);
        let statements: Vec<_> = pieces.iter().filter(|piece| piece.class().is_some()).collect();
        assert_eq!(statements.len(), 1);
        assert_eq!(statements[0].statement(), word);
        assert!(pieces.iter().all(|piece| piece.class().is_some() || piece.text.len() <= 65_540));
        assert!(pieces.iter().all(|piece| std::str::from_utf8(&piece.text).is_ok()));
        assert_eq!(*seen.get_or_insert(pieces.clone()), pieces);
    }
}

#[test]
fn accepted_commands_of_psql() {
    check(
        "\\restrict abc\n\nselect 1;\n\\unrestrict abc\n",
        &["META \\restrict abc\n", "select 1", "META \n\\unrestrict abc\n"],
    );
    check(
        "-- c\r\n\\restrict a;b'\r\nselect 1;\\unrestrict",
        &["META -- c\r\n\\restrict a;b'\r\n", "select 1", "META \\unrestrict"],
    );
}

#[test]
fn placeholders_are_tokens() {
    statements("select ${a--b}; select 2", &["select ${a--b}", "select 2"]);
    statements(
        "create table ${s}.t_${x}(a int); select $${;}$$",
        &["create table ${s}.t_${x}(a int)", "select $${;}$$"],
    );
    statements("select ${a--b; \n c}; select 2", &["select ${a--b; \n c}", "select 2"]);
    statements(
        "select t_${a--b}; select $${\"a\": 1; }$$; select 3",
        &["select t_${a--b}", "select $${\"a\": 1; }$$", "select 3"],
    );
}
