//! Whether a statement mentions a string constant.

use limosa_sql::{Engine, mentions_literal};

#[test]
fn constants_are_found_where_they_are_meant() {
    let cases: &[(&str, bool)] = &[
        ("select 'new'", true),
        ("select N'new'", true),
        ("select e'n\\x65w'", true),
        ("select 'ne'\n'w'", true),
        ("select E'n'\n'\\145w'", true),
        ("update t set state = 'new' where a = 'b'", true),
        ("select '{old,new}'::state[]", true),
        ("select '(1,new)'::t", true),
        ("select '[\"new\"]'::jsonb", true),
        ("create function f() returns state as $$ select 'new'::state $$ language sql", true),
        ("do $a$ begin execute format($$ select %L $$, 'new'); end $a$", true),
        ("copy t from stdin", true),
        ("select 'a new one'", false),
        ("select new, \"new\" from t -- 'new'", false),
        ("select 'newer', '{newer,renew}'", false),
        ("select /* 'new' */ 1", false),
        ("select 'ne' 'w'", false),
        ("do $a$ begin perform new.id; end $a$", false),
        ("copy t to stdout", false),
    ];
    for (statement, expected) in cases {
        assert_eq!(mentions_literal(Engine::Postgres, statement, "new"), *expected, "{statement}");
    }
    assert!(mentions_literal(Engine::Sqlite, "select \"new\"", "new"));
    assert!(!mentions_literal(Engine::Sqlite, "select new", "new"));
    assert!(mentions_literal(Engine::Postgres, "select 'it''s'", "it's"));
}
