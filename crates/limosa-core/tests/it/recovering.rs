//! What one look at the catalogue proves about a statement that was begun and not seen to end.

use limosa_core::{After, Before, IndexState, Recovery, recover};
use limosa_sql::{Engine, classify};

fn index(name: &str, oid: i64, valid: bool) -> IndexState {
    IndexState { schema: "public".to_owned(), name: name.to_owned(), oid, valid, reachable: true }
}

fn verdict(sql: &str, before: Option<&Before>, after: &After) -> String {
    match recover(&classify(Engine::Postgres, sql), false, before, after) {
        Recovery::Done { .. } => "done".to_owned(),
        Recovery::Retry { .. } => "retry".to_owned(),
        Recovery::DropAndRetry { indexes, beyond } => {
            assert!(beyond.is_empty());
            let names: Vec<&str> = indexes.iter().map(|index| index.name.as_str()).collect();
            format!("drop {}", names.join(" "))
        }
        Recovery::FinalizeDetach => "finalize".to_owned(),
        Recovery::StillRunning => "running".to_owned(),
        Recovery::Ask { reason } => format!("ask: {reason}"),
    }
}

fn seen(indexes: &[IndexState]) -> After {
    After { indexes: indexes.to_vec(), ..After::default() }
}

#[test]
fn indexes_tell_how_far_their_statement_came() {
    let none = Before { table: Some(9), ..Before::default() };
    let old = Before { table: Some(9), indexes: vec![index("i", 1, true)], ..Before::default() };
    let unseen = Before::default();
    let doubt = "ask: its table was not found in the catalogue when it began";
    let create = "create index concurrently i on t (a)";
    let nameless = "create index concurrently on t (a)";
    let lenient = "create index concurrently if not exists i on t (a)";
    let drop = "drop index concurrently i";
    let rebuild = "reindex index concurrently i";
    let building = After { building: vec![2], ..seen(&[index("i", 2, false)]) };
    for (sql, before, after, wanted) in [
        (create, &none, seen(&[]), "retry"),
        (create, &none, seen(&[index("i", 2, true)]), "done"),
        (create, &none, seen(&[index("i", 2, false)]), "drop i"),
        (create, &none, building.clone(), "running"),
        (create, &none, seen(&[index("other", 3, false)]), "retry"),
        // The one that was there before is not ours, however invalid.
        (
            create,
            &Before { indexes: vec![index("i", 1, false)], ..none.clone() },
            seen(&[index("i", 1, false)]),
            "retry",
        ),
        (nameless, &none, seen(&[index("t_a_idx", 2, true)]), "done"),
        (nameless, &none, seen(&[index("t_a_idx", 2, false)]), "drop t_a_idx"),
        (
            nameless,
            &none,
            seen(&[index("x", 2, true), index("y", 3, true)]),
            "ask: several new indexes stand on the table: x, y",
        ),
        (lenient, &old, seen(&[index("i", 1, true)]), "done"),
        (drop, &old, seen(&[]), "done"),
        (drop, &old, seen(&[index("i", 1, false)]), "retry"),
        (drop, &none, seen(&[]), "retry"),
        (create, &unseen, seen(&[]), doubt),
        (rebuild, &unseen, seen(&[]), doubt),
        ("reindex schema concurrently s", &unseen, seen(&[]), "retry"),
        (rebuild, &old, seen(&[index("i", 1, true)]), "retry"),
        (rebuild, &old, seen(&[index("i", 1, true), index("i_ccnew", 2, false)]), "drop i_ccnew"),
        // Once they have changed places, the index that was there before is the one to go.
        (rebuild, &old, seen(&[index("i", 2, true), index("i_ccold", 1, false)]), "drop i_ccold"),
        (
            rebuild,
            &Before { indexes: vec![index("i_ccnew", 1, false)], ..none.clone() },
            seen(&[index("i_ccnew", 1, false), index("i_ccnew1", 2, false), index("j_ccnew", 3, false)]),
            "drop i_ccnew1 j_ccnew",
        ),
    ] {
        assert_eq!(verdict(sql, Some(before), &after), wanted, "{sql} {before:?} {after:?}");
    }
}

#[test]
fn what_only_a_superuser_may_drop_stays_and_stops_nothing() {
    let beyond = IndexState { reachable: false, ..index("pg_toast_7_index_ccnew", 3, false) };
    let before = Before { table: Some(9), ..Before::default() };
    let class = classify(Engine::Postgres, "reindex table concurrently t");
    let ours = index("i_ccnew", 2, false);
    assert_eq!(
        recover(&class, false, Some(&before), &seen(&[ours.clone(), beyond.clone()])),
        Recovery::DropAndRetry { indexes: vec![ours], beyond: vec![beyond.clone()] }
    );
    let Recovery::Retry { proof } = recover(&class, false, Some(&before), &seen(&[beyond])) else { panic!("retry") };
    assert_eq!(proof, "it left public.pg_toast_7_index_ccnew invalid, which only a superuser may drop");
}

#[test]
fn databases_and_partitions_prove_themselves() {
    let was = |existed| Before { existed: Some(existed), table: Some(8), partition: Some(9), ..Before::default() };
    let is = |exists| After { exists: Some(exists), ..After::default() };
    for (sql, before, after, wanted) in [
        ("create database d", was(false), is(true), "done"),
        ("create database d", was(false), is(false), "retry"),
        ("create database d", was(true), is(true), "ask: d was there before the statement began"),
        ("drop database d", was(true), is(false), "done"),
        ("drop database d", was(true), is(true), "retry"),
        ("alter table p detach partition c concurrently", was(true), is(false), "done"),
        ("alter table p detach partition c concurrently", was(true), is(true), "retry"),
    ] {
        assert_eq!(verdict(sql, Some(&before), &after), wanted, "{sql}");
    }
    let unseen = Before { existed: Some(false), ..Before::default() };
    assert!(verdict("alter table p detach partition c concurrently", Some(&unseen), &is(false)).starts_with("ask"));
    let pending = After { detach_pending: true, ..is(true) };
    assert_eq!(verdict("alter table p detach partition c concurrently", Some(&was(true)), &pending), "finalize");
}

#[test]
fn what_proves_nothing_asks_and_what_harms_nothing_runs_again() {
    for (sql, wanted) in [
        ("vacuum t", "retry"),
        ("set lock_timeout = 1", "retry"),
        ("alter system set work_mem = '1MB'", "retry"),
        ("insert into t values (1)", "ask: nothing in the catalogue proves whether this INSERT took effect"),
        ("call refresh()", "ask: nothing in the catalogue proves whether this CALL took effect"),
    ] {
        assert_eq!(verdict(sql, Some(&Before::default()), &After::default()), wanted, "{sql}");
        assert_eq!(verdict(sql, None, &After::default()), wanted, "{sql}");
    }
    assert!(verdict("create index concurrently i on t (a)", None, &After::default()).starts_with("ask"));
}

#[test]
fn a_living_backend_comes_before_a_wish_and_a_wish_before_doubt() {
    let alive = After { backend_alive: true, ..After::default() };
    let class = classify(Engine::Postgres, "insert into t values (1)");
    assert_eq!(recover(&class, true, None, &alive), Recovery::StillRunning);
    assert!(matches!(recover(&class, true, None, &After::default()), Recovery::Retry { .. }));
}

mod objects {
    use limosa_core::{Image, ObjectState};
    use limosa_sql::{
        AfterState, Class, Effect, ObjectKind, PartChange, PartState, QualifiedName, SchemaChange, SchemaObject,
        TablePart,
    };

    use super::*;

    fn object(name: &str) -> SchemaObject {
        SchemaObject {
            kind: ObjectKind::Table,
            name: QualifiedName { schema: Some("d".to_owned()), name: name.to_owned() },
        }
    }

    fn change(name: &str, after: AfterState) -> SchemaChange {
        let mut object = object(name);
        // As a file writes it; what was looked up knows the database.
        object.name.schema = None;
        SchemaChange { object, after }
    }

    fn created(if_not_exists: bool, or_replace: bool) -> AfterState {
        AfterState::Exists { if_not_exists, or_replace, from_query: false }
    }

    fn renamed(name: &str) -> AfterState {
        AfterState::RenamedTo { name: QualifiedName { schema: None, name: name.to_owned() }, if_exists: false }
    }

    fn part(part: TablePart, name: &str, change: PartState) -> PartChange {
        PartChange { part, name: (!name.is_empty()).then(|| name.to_owned()), change, conditional: false }
    }

    /// `name: column column=type #index !foreign_key ...`, or `name` alone where it does not exist.
    fn states(text: &str) -> Vec<ObjectState> {
        text.split(';')
            .filter(|table| !table.is_empty())
            .map(|table| {
                let (name, columns) = table.split_once(':').map_or((table, None), |(name, rest)| (name, Some(rest)));
                let image = columns.map(|columns| {
                    let lines: Vec<String> = columns
                        .split_whitespace()
                        .map(|word| match (word.strip_prefix('#'), word.strip_prefix('!')) {
                            (Some(index), _) => format!("  KEY `{index}` (`a`)"),
                            (_, Some(key)) => format!("  CONSTRAINT `{key}` FOREIGN KEY (`a`) REFERENCES `r` (`a`)"),
                            _ => {
                                let (name, kind) = word.split_once('=').unwrap_or((word, "int"));
                                format!("  `{name}` {kind}")
                            }
                        })
                        .collect();
                    Image::of_table(&format!("CREATE TABLE `{name}` (\n{}\n) ENGINE=InnoDB", lines.join(",\n")))
                });
                ObjectState { object: object(name.trim()), image, empty: None }
            })
            .collect()
    }

    fn verdict(changes: Vec<SchemaChange>, before: &str, now: &str) -> &'static str {
        let class = Class { effect: Effect::ChangesSchema { changes }, ..Class::default() };
        let before = Before { objects: states(before), ..Before::default() };
        let after = After { objects: states(now), ..After::default() };
        match recover(&class, false, Some(&before), &after) {
            Recovery::Done { .. } => "done",
            Recovery::Retry { .. } => "retry",
            Recovery::Ask { .. } => "ask",
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn creating_and_dropping() {
        use AfterState::Gone;
        for (after, before, now, expected) in [
            (created(false, false), "t", "t:a", "done"),
            (created(false, false), "t", "t", "retry"),
            (created(false, false), "t:a", "t:a", "retry"),
            (created(false, false), "t:a", "t:a b", "ask"),
            (created(false, false), "t:a", "t", "ask"),
            (created(true, false), "t:a", "t:a", "retry"),
            (created(true, false), "t", "t:a", "done"),
            (created(false, true), "t:a", "t:a b", "done"),
            // It may hold rows that were written since.
            (created(false, true), "t:a", "t:a", "ask"),
            (created(false, true), "t", "t", "retry"),
            (created(false, true), "t", "t:a", "done"),
            (created(false, false), "", "", "ask"),
            (Gone { if_exists: false }, "t:a", "t", "done"),
            (Gone { if_exists: false }, "t:a", "t:a", "retry"),
            (Gone { if_exists: false }, "t:a", "t:b", "ask"),
            (Gone { if_exists: false }, "t", "t", "retry"),
            (Gone { if_exists: true }, "t:a", "t", "retry"),
            (Gone { if_exists: true }, "t", "t", "retry"),
            (AfterState::Unknown, "t:a", "t:a", "ask"),
        ] {
            assert_eq!(verdict(vec![change("t", after.clone())], before, now), expected, "{after:?} {before} -> {now}");
        }
    }

    #[test]
    fn what_is_replaced_by_its_like_is_told_by_its_rows_or_not_at_all() {
        let verdict = |kind: ObjectKind, empty| {
            let mut change = change("t", created(false, true));
            change.object.kind = kind;
            let mut object = object("t");
            object.kind = kind;
            let class = Class { effect: Effect::ChangesSchema { changes: vec![change] }, ..Class::default() };
            let states = vec![ObjectState { object, image: Some(Image::of_text("create ... t")), empty }];
            let before = Before { objects: states.clone(), ..Before::default() };
            let after = After { objects: states, ..After::default() };
            matches!(recover(&class, false, Some(&before), &after), Recovery::Retry { .. })
        };
        assert!(verdict(ObjectKind::Table, Some(true)));
        assert!(!verdict(ObjectKind::Table, Some(false)));
        for kind in [ObjectKind::Table, ObjectKind::Sequence, ObjectKind::Database, ObjectKind::User] {
            assert!(!verdict(kind, None), "{kind:?}");
        }
        for kind in [ObjectKind::View, ObjectKind::Procedure, ObjectKind::Trigger, ObjectKind::Event] {
            assert!(verdict(kind, None), "{kind:?}");
        }
    }

    #[test]
    fn dropping_several_is_done_or_not_or_a_question() {
        let drops = || ["t", "u"].map(|name| change(name, AfterState::Gone { if_exists: false })).to_vec();
        assert_eq!(verdict(drops(), "t:a;u:a", "t;u"), "done");
        assert_eq!(verdict(drops(), "t:a;u:a", "t:a;u:a"), "retry");
        assert_eq!(verdict(drops(), "t:a;u:a", "t;u:a"), "ask");
    }

    #[test]
    fn altering_is_told_by_the_parts_that_it_names() {
        use PartState::{Appears, Changes, Disappears};
        use TablePart::{Column, Constraint, Index};
        let replaced = || vec![part(Column, "a", Disappears), part(Column, "A", Appears)];
        for (parts, before, now, expected) in [
            (vec![part(Column, "b", Appears)], "t:a", "t:a b", "done"),
            (vec![part(Column, "B", Appears)], "t:a", "t:a b", "done"),
            (vec![part(Column, "b", Appears)], "t:a", "t:a", "retry"),
            // What others did meanwhile does not matter.
            (vec![part(Column, "b", Appears)], "t:a", "t:a c", "retry"),
            (vec![part(Column, "b", Appears)], "t:a", "t:a b c #i", "done"),
            (vec![part(Column, "a", Changes)], "t:a", "t:a=bigint", "done"),
            (vec![part(Column, "a", Changes)], "t:a", "t:a", "retry"),
            (vec![part(Column, "a", Disappears), part(Column, "b", Appears)], "t:a", "t:b", "done"),
            (vec![part(Column, "c", Disappears), part(Column, "b", Appears)], "t:a c", "t:a c b", "ask"),
            (vec![part(Index, "", Appears)], "t:a #i", "t:a #i #a_2", "done"),
            (vec![part(Index, "", Appears)], "t:a #i", "t:a #i", "retry"),
            (vec![part(Index, "i", Disappears)], "t:a #i", "t:a", "done"),
            // The index of a foreign key stays when the key goes, and may be there before it comes.
            (vec![part(Constraint, "f", Disappears)], "t:a #f !f", "t:a #f", "done"),
            (vec![part(Constraint, "f", Disappears)], "t:a #f !f", "t:a #f !f", "retry"),
            (vec![part(Constraint, "f", Appears)], "t:a #f", "t:a #f !f", "done"),
            (vec![part(Constraint, "f", Appears)], "t:a #f", "t:a #f", "retry"),
            (vec![part(Constraint, "u", Disappears)], "t:a #u", "t:a", "done"),
            // One column replaced by another of its name.
            (replaced(), "t:a", "t:a=bigint", "done"),
            (replaced(), "t:a", "t:a", "ask"),
            // Another part of the statement tells.
            ([replaced(), vec![part(Column, "b", Appears)]].concat(), "t:a", "t:a b", "done"),
            ([replaced(), vec![part(Column, "b", Appears)]].concat(), "t:a", "t:a", "retry"),
            (replaced(), "t:b", "t:b", "retry"),
            (replaced(), "t:b", "t:b a", "ask"),
            (vec![part(TablePart::Option, "", Changes)], "t:a", "t:a", "retry"),
            (vec![], "t:a", "t:a", "ask"),
            (vec![part(Column, "b", Appears)], "t:a", "t", "ask"),
            (vec![part(Column, "b", Appears)], "t", "t", "retry"),
        ] {
            let changes = vec![change("t", AfterState::Altered { parts: parts.clone(), if_exists: false })];
            assert_eq!(verdict(changes, before, now), expected, "{parts:?} {before} -> {now}");
        }
    }

    #[test]
    fn names_may_trade_places() {
        let swap = || vec![change("t", renamed("t_old")), change("t_new", renamed("t"))];
        assert_eq!(verdict(swap(), "t:a;t_old;t_new:a b", "t:a b;t_old:a;t_new"), "done");
        assert_eq!(verdict(swap(), "t:a;t_old;t_new:a", "t:a;t_old:a;t_new"), "done");
        assert_eq!(verdict(swap(), "t:a;t_old;t_new:a b", "t:a;t_old;t_new:a b"), "retry");
        assert_eq!(verdict(swap(), "t:a;t_old;t_new:a b", "t;t_old:a;t_new:a b"), "ask");
        let circle = || vec![change("t", renamed("x")), change("u", renamed("t")), change("x", renamed("u"))];
        assert_eq!(verdict(circle(), "t:a;x;u:b", "t:b;x;u:a"), "done");
        assert_eq!(verdict(circle(), "t:a;x;u:a", "t:a;x;u:a"), "ask");
        assert_eq!(verdict(vec![change("t", renamed("u"))], "t;u", "t;u"), "ask");
    }
}
