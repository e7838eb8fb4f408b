//! Placeholders that are written otherwise than `${name}`.

use std::collections::BTreeMap;

use limosa_sql::{Dialect, Engine, PieceKind, PlaceholderMarks, expand, in_usual_marks, placeholders, split};

fn dialect(engine: Engine, prefix: &str, suffix: &str) -> Dialect {
    Dialect::from(engine).with_marks(PlaceholderMarks::new(prefix, suffix, ":").expect("marks"))
}

fn values() -> BTreeMap<String, String> {
    [("a", "one"), ("b.c-d", "it's"), ("e", ""), ("flyway:user", "me")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

/// The statements of a script with their values, apart by `|`.
fn run(dialect: Dialect, script: &str) -> String {
    let pieces = split(dialect, "a.sql", script.as_bytes()).expect("it can be split");
    let statements = pieces.iter().filter(|piece| matches!(piece.kind, PieceKind::Statement(_)));
    let expanded = statements.map(|piece| expand(dialect, piece.statement(), &values()).expect("all have values").text);
    expanded.collect::<Vec<_>>().join("|")
}

#[test]
fn any_marks_are_replaced_where_the_usual_ones_are() {
    for engine in Engine::ALL.iter().copied() {
        for (prefix, suffix, script, expected) in [
            ("#[", "]", "select '#[a]'; select #[a];", "select 'one'|select one"),
            ("#[", "]", "create table t_#[a]_x (n int);", "create table t_one_x (n int)"),
            (
                "#[",
                "]",
                "select '${a} ${nope}', '#[ a ]', '#[1]', '#[x'",
                "select '${a} ${nope}', '#[ a ]', '#[1]', '#[x'",
            ),
            ("#[", "]", "select 1 -- #[a]\n/* #[a] */ + 1, '#[e]'", "select 1 -- #[a]\n/* #[a] */ + 1, ''"),
            ("#[", "]", "select '#[x#[a]]', '##[a]'", "select '#[xone]', '#one'"),
            ("#[", "]", "select #[b.c-d:literal], '#[flyway:user]'", "select 'it''s', 'me'"),
            ("$(", ")", "select $(a), '$(a)' from t where (1 = 1)", "select one, 'one' from t where (1 = 1)"),
            ("@@", "@@", "select @@a@@, x@@a@@y", "select one, xoney"),
            ("{{", "}}", "select '{\"a\": 1} {{a}}'", "select '{\"a\": 1} one'"),
            ("__", "__", "select t__a__x, __a__, a__b, _a_", "select tonex, one, a__b, _a_"),
            ("xx", "yy", "select t_xxayy, xxayy, xxx", "select t_one, one, xxx"),
            ("%", "%", "select 7 % 4 % 2, %a%, '%a%'", "select 7 % 4 % 2, one, 'one'"),
            (":", ":", "select :a:, 1", "select one, 1"),
            ("<", ">", "select <a> where 1 <2 and 3> 2", "select one where 1 <2 and 3> 2"),
            // What looks like the beginning of a comment is none where a name stands behind it.
            ("--", "--", "select --a--, 1 -- and this\n;", "select one, 1"),
            ("/*", "*/", "select /*a*/ /* why; not */;", "select one"),
            // Neither has a semicolon between the marks, and so on.
            (";;", ";;", "select ;;a;;; select 2", "select one|select 2"),
            ("$", "$", "select $a$, '$a$'", "select one, 'one'"),
            ("<<begin:", ":end>>", "select <<begin:a:end>>", "select one"),
        ] {
            let dialect = dialect(engine, prefix, suffix);
            let found = run(dialect, script);
            // The comment behind a statement is none of its own.
            assert_eq!(found.trim_end_matches(" /* why; not */"), expected, "{engine:?} {prefix} {script}");
        }
    }
    let strings = dialect(Engine::Postgres, "#[", "]");
    assert_eq!(run(strings, "do $$ #[a]; $$; select $x$#[a]$x$"), "do $$ one; $$|select $x$one$x$");
    let dollars = dialect(Engine::Postgres, "$", "$");
    assert_eq!(run(dollars, "select $$ $a$ ; $$; select $1"), "select $$ one ; $$|select $1");
}

#[test]
fn scripts_are_cut_alike_wherever_the_text_at_hand_ends() {
    for engine in Engine::ALL.iter().copied() {
        for (prefix, suffix) in [("#[", "]"), ("--", "--"), ("__", "__"), ("$(", ")"), ("$", "$")] {
            let dialect = dialect(engine, prefix, suffix);
            let script = "select PaS, 'PaS' from tPaSx; -- end\nselect PnopeS; select 'P'".replace('P', prefix);
            let script = script.replace('S', suffix);
            let whole: Vec<_> = split(dialect, "a.sql", script.as_bytes()).unwrap();
            let mut splitter = limosa_sql::Splitter::new(dialect, "a.sql");
            let mut pieces = Vec::new();
            for byte in script.as_bytes() {
                splitter.feed(&[*byte]);
                while let Some(piece) = splitter.next_piece().unwrap() {
                    pieces.push(piece);
                }
            }
            splitter.finish();
            while let Some(piece) = splitter.next_piece().unwrap() {
                pieces.push(piece);
            }
            let texts =
                |pieces: &[limosa_sql::Piece]| pieces.iter().map(|piece| piece.text.clone()).collect::<Vec<_>>();
            assert_eq!(texts(&pieces), texts(&whole), "{engine:?} {prefix}");
        }
    }
}

#[test]
fn what_a_statement_does_is_seen_through_them() {
    for (prefix, suffix, statement) in [
        ("#[", "]", "drop table #[a]"),
        ("--", "--", "drop table --a--"),
        ("@@", "@@", "drop table @@a@@"),
        ("$", "$", "drop table $a$"),
    ] {
        for engine in Engine::ALL.iter().copied() {
            let dialect = dialect(engine, prefix, suffix);
            assert_eq!(in_usual_marks(dialect, statement), "drop table ${a}");
            let usual = split(engine, "a.sql", b"drop table ${a}").unwrap();
            let pieces = split(dialect, "a.sql", statement.as_bytes()).unwrap();
            assert_eq!(pieces[0].class(), usual[0].class(), "{engine:?} {statement}");
            assert_eq!(placeholders(dialect, statement), [("a".to_owned(), "drop table ".len())]);
        }
    }
}

#[test]
fn one_without_a_value_is_named() {
    let dialect = dialect(Engine::Sqlite, "#[", "]");
    let unknown = expand(dialect, "select 1, #[nope]", &values()).unwrap_err();
    assert_eq!((unknown.name.as_str(), unknown.offset), ("nope", 10));
    let expanded = expand(dialect, "select #[a], x", &values()).unwrap();
    assert_eq!(expanded.original_offset(expanded.text.find('x').unwrap()), "select #[a], ".len());
    let separator = Dialect::from(Engine::Sqlite).with_marks(PlaceholderMarks::new("${", "}", "/").unwrap());
    assert_eq!(placeholders(separator, "select ${flyway/user}, ${other/x}"), [("flyway/user".to_owned(), 7)]);
}
