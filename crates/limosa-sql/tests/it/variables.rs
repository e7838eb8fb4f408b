//! Variables as goose replaces them. What is expected was seen of goose 3.30.

use std::collections::BTreeMap;

use limosa_sql::{Engine, Splitter, UnknownPlaceholder, VariableLines, expand, variable_fault, variable_value};

const ENGINES: [Engine; 3] = [Engine::Postgres, Engine::Sqlite, Engine::Mysql];

fn values() -> BTreeMap<String, String> {
    [("A", "value"), ("B", "second"), ("E", ""), ("Q", "it's"), ("W", "höhe")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

fn all() -> VariableLines {
    let mut lines = VariableLines::default();
    lines.begin(1);
    lines
}

fn check(engine: Engine, statement: &str, expected: &str) {
    let expanded = all().expand(engine, statement, 1, &values());
    assert_eq!(expanded.map(|expanded| expanded.text), Ok(expected.to_owned()), "{engine:?}: {statement}");
}

#[test]
fn each_form_gives_what_it_gives_in_goose() {
    for (written, expected) in [
        ("${A}", "value"),
        ("$A", "value"),
        ("$A$B", "valuesecond"),
        ("x$A-y", "xvalue-y"),
        ("${NO:-x}", "x"),
        ("${NO:-}", ""),
        ("${E:-x}", "x"),
        ("${A:-x}", "value"),
        ("${E-x}", ""),
        ("${NO-x}", "x"),
        ("${A-x}", "value"),
        ("${E?must be set}", ""),
        ("${A?must be set}", "value"),
        ("${A:?must be set}", "value"),
        ("${A:1}", "alue"),
        ("${A:1:2}", "al"),
        ("${A: -2}", "ue"),
        ("${A:+2}", "lue"),
        ("${A:1:-1}", "alu"),
        ("${A:9}", ""),
        ("${A: -9:2}", "va"),
        ("${A:1:9}", "alue"),
        ("${A:3:-3}", ""),
        ("${NO:-${B}}", "second"),
        ("${NO:-${NO2:-deep}}", "deep"),
        ("${NO:-a$B-c}", "asecond-c"),
        ("${NO:-x;y}", "x;y"),
        ("${NO:-\"q\"}", "\"q\""),
        ("${NO:-{x}}", "{x}"),
        (r"${NO:-a\}b}", r"a\b}"),
        ("$$5", "$5"),
        (r"\$5", "$5"),
        (r"\\x", r"\\x"),
        (r"\\$A", r"\\value"),
        ("$(x)", "$(x)"),
        ("${Q:literal}", "'it''s'"),
        ("${W:2}", ""),
    ] {
        assert_eq!(variable_fault(written), None, "{written}");
        for engine in ENGINES {
            // As goose sees it: a line of which nobody knows what is a string.
            if written != "${W:2}" && written != "${Q:literal}" {
                check(engine, &format!("select '{written}'"), &format!("select '{expected}'"));
            }
        }
    }
}

#[test]
fn what_goose_refuses_has_a_place() {
    for (line, offset, length) in [
        ("a $5", 2, 2),
        ("é $_a", 3, 2),
        ("'x$'", 2, 2),
        ("${A", 0, 3),
        ("${A:-x", 0, 6),
        ("${A!x}", 0, 6),
        ("${ A}", 0, 3),
        ("${A:x}", 0, 6),
        ("${A:1:2:3}", 0, 10),
        ("a ${A:-$1}", 7, 2),
    ] {
        let found = variable_fault(line).map(|fault| (fault.offset, fault.length));
        assert_eq!(found, Some((offset, length)), "{line}");
    }
    assert_eq!(variable_fault("costs 5$"), None);
}

#[test]
fn what_needs_a_value_and_has_none() {
    let unknown = |name: &str, offset, message: Option<&str>| {
        Err(UnknownPlaceholder { name: name.to_owned(), offset, message: message.map(str::to_owned) })
    };
    for (statement, expected) in [
        ("select ${NO}", unknown("NO", 7, None)),
        ("select $NO", unknown("NO", 7, None)),
        ("select ${NO:1:2}", unknown("NO", 7, None)),
        ("select ${NO:-$NO2}", unknown("NO2", 7, None)),
        ("select ${NO?set $B}", unknown("NO", 7, Some("set second"))),
        ("select ${NO:?}", unknown("NO", 7, Some(""))),
        ("select ${E:?is empty}", unknown("E", 7, Some("is empty"))),
        ("select ${W:2}", unknown("W", 7, Some("bytes 2 to 5 of its value cut a letter in two"))),
    ] {
        let found = all().expand(Engine::Sqlite, statement, 1, &values()).map(|expanded| expanded.text);
        assert_eq!(found, expected, "{statement}");
    }
}

#[test]
fn other_lines_and_comments_stay_as_they_are() {
    let mut lines = VariableLines::default();
    lines.begin(11);
    lines.end(13);
    lines.begin(14);
    lines.end(14);
    let statement = "create function f() as $$\n  $A -- ${NO}\n  /* $NO */ $$5\n$$, ${A}";
    let expanded = lines.expand(Engine::Sqlite, statement, 10, &values()).unwrap();
    assert_eq!(expanded.text, "create function f() as $$\n  value -- ${NO}\n  /* $NO */ $5\n$$, ${A}");
    assert_eq!(expanded.used, ["A"]);
    let origin = |text: &str| expanded.original_offset(expanded.text.find(text).unwrap());
    assert_eq!(
        ["value", " -- ", "$5", "5\n"].map(origin),
        ["$A", " -- ", "$$5", "5\n"].map(|text| statement.find(text).unwrap())
    );
}

#[test]
fn a_string_in_dollars_is_read_as_the_server_reads_it() {
    let statement = "do \\$x\\$ begin $A; y := ${NO:-';'}; end \\$x\\$; select ${NO:-a;b'c}, 2;";
    for chunk in [1, 3, 1000] {
        let mut splitter = Splitter::new(Engine::Postgres, "a.sql");
        let mut found = Vec::new();
        for part in statement.as_bytes().chunks(chunk) {
            splitter.feed(part);
        }
        splitter.finish();
        while let Some(piece) = splitter.next_piece().unwrap() {
            found.extend(piece.class().map(|_| piece.statement().to_owned()));
        }
        assert_eq!(found.len(), 2, "{found:?}");
        check(Engine::Postgres, &found[0], "do $x$ begin value; y := ';'; end $x$");
        check(Engine::Postgres, &found[1], "select a;b'c, 2");
    }
    for (statement, found) in [
        ("do \\$\\$ begin end \\$\\$", None),
        ("do $$$$ begin", Some(3)),
        ("do $$ begin end $$", Some(3)),
        ("select '$$', $$", None),
        ("select $A$ x $A$", Some(7)),
    ] {
        let misread = all().misread(Engine::Postgres, statement, 1).map(|fault| fault.offset);
        assert_eq!(misread, found, "{statement}");
        assert_eq!(VariableLines::default().misread(Engine::Postgres, statement, 1), None);
        assert_eq!(all().misread(Engine::Sqlite, statement, 1), None);
    }
    let mut below = VariableLines::default();
    below.begin(2);
    let statement = "do $$ begin\n $A;\n end $$";
    assert_eq!(below.misread(Engine::Postgres, statement, 1).map(|fault| fault.offset), statement.rfind("$$"));
}

#[test]
fn variables_tell_the_names_that_they_read() {
    let found = all().variables(Engine::Postgres, "select $A, ${B:-${C:1}} -- $D", 1);
    let found: Vec<_> = found
        .iter()
        .map(|one| (one.written.as_str(), one.names.join(" "), one.is_plain, one.is_cut, one.offset))
        .collect();
    assert_eq!(found, [("$A", "A".to_owned(), true, false, 7), ("${B:-${C:1}}", "B C".to_owned(), false, true, 11)]);
    // What was recorded for one as it is written counts.
    let recorded = BTreeMap::from([("${A:-x}".to_owned(), "then".to_owned()), ("A".to_owned(), "now".to_owned())]);
    assert_eq!(variable_value(Engine::Postgres, "${A:-x}", &recorded), Ok("then".to_owned()));
    assert_eq!(variable_value(Engine::Postgres, "${A-x}", &recorded), Ok("now".to_owned()));
    // Where no file says so, none of it is read.
    assert!(expand(Engine::Postgres, "select '${A:-x}', '$A'", &BTreeMap::new()).is_ok());
}
