//! Where statements of SQLite begin and end.

use limosa_sql::Engine;

use crate::show::{self, cut_all_ways};

fn statements(text: &str, expected: &[&str]) {
    let (pieces, error) = cut_all_ways(Engine::Sqlite, text.as_bytes());
    assert_eq!(error, None, "{text}");
    let found: Vec<_> = pieces.iter().map(|piece| piece.statement()).filter(|text| !text.is_empty()).collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn quotes() {
    statements(
        "select ';'; select \";\"; select `;`; select [;]; select x'3b';",
        &["select ';'", "select \";\"", "select `;`", "select [;]", "select x'3b'"],
    );
    statements("select 'it''s;', \"a\"\";\", `b``;`; select 2", &["select 'it''s;', \"a\"\";\", `b``;`", "select 2"]);
    statements(r"select 'a\'; select [a;[b]; select 3", &[r"select 'a\'", "select [a;[b]", "select 3"]);
    statements("select $$;$$; select 2", &["select $$", "$$", "select 2"]);
    statements("select e'\\'; select 'a'\n'b;'", &["select e'\\'", "select 'a'\n'b;'"]);
    statements(
        "select :a, @b, $c, ?1, #d; select $x(;); select 3",
        &["select :a, @b, $c, ?1, #d", "select $x(;)", "select 3"],
    );
}

#[test]
fn comments() {
    statements("/* a /* b; */ select 1; select 2 -- ;\n; select 3", &["select 1", "select 2", "select 3"]);
    show::check(Engine::Sqlite, b"select 1; /* never closed; ", &["select 1", "BLANK  /* never closed; "]);
    statements("select 1 /* never closed; ", &["select 1"]);
    show::check(Engine::Sqlite, b"select 1; -- end\r\r\n", &["select 1", "BLANK  -- end\r\r\n"]);
    show::check(Engine::Sqlite, "\u{feff}select 1;\u{feff} select 2".as_bytes(), &["select 1", "select 2"]);
}

#[test]
fn parentheses_do_not_matter() {
    statements("select (1; select 2); select 3", &["select (1", "select 2)", "select 3"]);
}

#[test]
fn triggers() {
    for body in [
        "begin update t set a = 1; end",
        "begin update t set a = 1; insert into u values (new.a); select 1; delete from v; end",
        "begin update t set a = case when b then 1 else case c when 2 then 3 end end; end",
        "when case when new.a then 1 else 0 end begin select case 1 when 2 then 3 end; end",
        "when new.begin > 1 begin select 1; END",
        "begin select \"end\", [end], `end`, 'end;' from t; select 1 as end; select t.end from t; end",
        "begin select 1; /* end; */ select 2; -- end;\n end",
        "for each row begin select 1; /* x */ end -- y\n",
        "begin select raise(abort, 'no;'); end",
    ] {
        for head in [
            "create trigger g after insert on t",
            "CREATE TEMP TRIGGER IF NOT EXISTS \"begin\" BEFORE UPDATE OF a ON t",
            "create temporary trigger begin instead of delete on end",
            "explain create trigger g after insert on t",
            "explain query plan create trigger g after insert on t",
        ] {
            let text = format!("{head} {body}");
            statements(&format!("{text}; select 3"), &[text.trim_end().trim_end_matches(" -- y"), "select 3"]);
            statements(&text, &[text.trim_end().trim_end_matches(" -- y")]);
        }
    }
}

#[test]
fn nothing_else_is_a_trigger() {
    statements("begin; select 1; end; select 2", &["begin", "select 1", "end", "select 2"]);
    statements("create table trigger (begin, end); select 1;", &["create table trigger (begin, end)", "select 1"]);
    statements(
        "drop trigger g; select begin from t; select 1;",
        &["drop trigger g", "select begin from t", "select 1"],
    );
    statements("create trigger broken; select 1", &["create trigger broken", "select 1"]);
}
