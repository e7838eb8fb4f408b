//! Placeholders in statements.

use std::collections::BTreeMap;

use limosa_sql::{Engine, UnknownPlaceholder, expand, placeholders};

fn values() -> BTreeMap<String, String> {
    [("a", "one"), ("b.c-d", "it's \"x\""), ("empty", ""), ("a--b", "dash")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

fn check(engine: Engine, statement: &str, expected: &str) {
    let expanded = expand(engine, statement, &values()).expect("all have values");
    assert_eq!(expanded.text, expected, "{statement}");
    // A second look finds the same names.
    let mut names: Vec<_> = placeholders(engine, statement).into_iter().map(|(name, _)| name).collect();
    names.dedup();
    let mut used = expanded.used.clone();
    used.dedup();
    names.sort();
    names.dedup();
    used.sort();
    assert_eq!(names, used, "{statement}");
}

#[test]
fn replaced_everywhere_but_in_comments() {
    for engine in [Engine::Postgres, Engine::Sqlite] {
        check(engine, "select ${a}", "select one");
        check(engine, "select ${a}${a}", "select oneone");
        check(engine, "select '${a}', \"${a}\"", "select 'one', \"one\"");
        check(engine, "select t_${a}_x.y", "select t_one_x.y");
        check(engine, "select a$${a}", "select a$one");
        check(engine, "${a:identifier} ${a:literal}", "\"one\" 'one'");
        check(engine, "${b.c-d:identifier} ${b.c-d:literal}", "\"it's \"\"x\"\"\" 'it''s \"x\"'");
        check(engine, "a${empty}b", "ab");
        check(engine, "select 1 -- ${no}\n/* ${no} */ + ${a}", "select 1 -- ${no}\n/* ${no} */ + one");
        check(engine, "select ${a--b}, 2", "select dash, 2");
        check(engine, "select '-- ${a}'", "select '-- one'");
        check(engine, "select 'US$${a}'", "select 'US$one'");
        check(
            engine,
            "select '${}', '${1}', '${ a }', '${a', $a, {a}",
            "select '${}', '${1}', '${ a }', '${a', $a, {a}",
        );
    }
}

#[test]
fn mysql_has_quotes_and_comments_of_its_own() {
    let check = |statement, expected| check(Engine::Mysql, statement, expected);
    check("select ${a}, '${a}', \"${a}\", `${a}`, t_${a}_x, @${a}", "select one, 'one', \"one\", `one`, t_one_x, @one");
    check("${a:identifier} ${a:literal} ${b.c-d:identifier}", "`one` 'one' `it's \"x\"`");
    check(
        "select 1 # ${no}\n -- ${no}\n /* ${no} */ /*+ ${no} */ + ${a}",
        "select 1 # ${no}\n -- ${no}\n /* ${no} */ /*+ ${no} */ + one",
    );
    check("/*!50000 select ${a} */ /*! + '${a}' */", "/*!50000 select one */ /*! + 'one' */");
    check("select 1--${a}", "select 1--one");
    check(r"select 'it\'s ${a}' -- ${no}", r"select 'it\'s one' -- ${no}");
    // The reading that closes all strings is the right one.
    check(r"select 'a\', '${a}' # ${no}", r"select 'a\', 'one' # ${no}");
    check(
        "create procedure p() begin select '${a}'; # ${no}\n end",
        "create procedure p() begin select 'one'; # ${no}\n end",
    );
}

#[test]
fn dollar_quotes_stay_whole() {
    let check = |statement, expected| check(Engine::Postgres, statement, expected);
    check("select $${a}$$", "select $${a}$$");
    check("select $${\"a\": \"${a}\"}$$", "select $${\"a\": \"one\"}$$");
    check("select $j${a}$j$, ${a}", "select $j${a}$j$, one");
    check("do $f$ begin raise '${a}'; -- ${a}\n end $f$", "do $f$ begin raise 'one'; -- one\n end $f$");
    check("do $f$ execute $${a}$$; ${a} $f$", "do $f$ execute $${a}$$; one $f$");
    check("do $f$ execute $j${a}$j$; x_${a}_${a} $f$", "do $f$ execute $j${a}$j$; x_one_one $f$");
    check("do $f$ select 'US$${a}' $f$", "do $f$ select 'US$one' $f$");
    check("do $f$ select a$b${a} $f$", "do $f$ select a$bone $f$");
    check(r"select E'\'${a}' -- ${no}", r"select E'\'one' -- ${no}");
    check(r"select 'a\'${a}' /* ${no} */, '${a}'", r"select 'a\'one' /* ${no} */, 'one'");
}

#[test]
fn offsets_lead_back() {
    let expanded = expand(Engine::Postgres, "ab ${a} c ${a}${empty}d", &values()).unwrap();
    assert_eq!(expanded.text, "ab one c oned");
    let offsets: Vec<_> = (0..=expanded.text.len()).map(|offset| expanded.original_offset(offset)).collect();
    assert_eq!(offsets, [0, 1, 2, 3, 3, 3, 7, 8, 9, 10, 10, 10, 22, 23]);
    assert_eq!(expanded.used, ["a", "empty"]);
    let same = expand(Engine::Postgres, "select 1", &values()).unwrap();
    assert_eq!((same.original_offset(5), same.map.len()), (5, 0));
}

#[test]
fn what_has_no_value_is_named() {
    let unknown = |statement: &str| expand(Engine::Postgres, statement, &values()).unwrap_err();
    let expected = |name: &str, offset| UnknownPlaceholder { name: name.to_owned(), offset, message: None };
    assert_eq!(unknown("select ${a}, ${nope}, ${other}"), expected("nope", 13));
    assert_eq!(unknown("select é'${nope}'"), expected("nope", 10));
    assert_eq!(unknown("select ${a:number}"), expected("a:number", 7));
    assert_eq!(
        placeholders(Engine::Postgres, "select ${x:literal}, ${y}"),
        [("x".to_owned(), 7), ("y".to_owned(), 21)]
    );
}
