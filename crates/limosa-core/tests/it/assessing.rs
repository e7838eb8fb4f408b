//! The state of each change.

use limosa_core::{
    Change, Kind, LedgerView, RowState, State, Surroundings, Version, assess, assess_up_to, newest_version,
    not_applicable,
};
use limosa_sql::Engine;

use crate::build::{Ledger, With, around, change};

fn states(changes: &[Change], ledger: &LedgerView, around: &Surroundings) -> Vec<(String, State, String)> {
    assess(changes, ledger, around)
        .into_iter()
        .map(|line| (line.identity.to_string(), line.state, line.reason.unwrap_or_default()))
        .collect()
}

fn state(change: &Change, ledger: Ledger) -> (State, String) {
    let found = states(std::slice::from_ref(change), &ledger.0, &around()).remove(0);
    (found.1, found.2)
}

#[test]
fn every_row_state_has_its_state() {
    let versioned = change("3", "select 1; select 2;");
    let repeatable = change("R:views", "select 1;");
    let edited = |of: &Change| {
        let mut edited = change(of.identity.as_str(), "select 99;");
        edited.label.clone_from(&of.label);
        edited
    };
    for (what, ledger, wanted, reason) in [
        ("new", Ledger::new(), State::Pending, ""),
        ("applied", Ledger::new().applied(&versioned), State::Applied, ""),
        ("baseline", Ledger::new().row(&versioned, RowState::Baseline), State::Baseline, ""),
        ("partial", Ledger::new().row(&versioned, RowState::Partial), State::Partial, "1 of 2 statements ran"),
        ("reverting", Ledger::new().row(&versioned, RowState::Reverting), State::Reverting, "was interrupted"),
        ("failed", Ledger::new().failed(&versioned, "no such table"), State::Failed, "no such table"),
        ("changed", Ledger::new().applied(&edited(&versioned)), State::Changed, "applied as"),
        (
            "changed since its baseline",
            Ledger::new().row(&edited(&versioned), RowState::Baseline),
            State::Changed,
            "applied as",
        ),
        // What is half done is not judged by its text: that is the journal's task.
        (
            "partial and changed",
            Ledger::new().row(&edited(&versioned), RowState::Partial),
            State::Partial,
            "statements ran",
        ),
        ("late", Ledger::new().applied(&change("4", "")), State::OutOfOrder, "version 4 was applied before it"),
        (
            "late and failed",
            Ledger::new().applied(&change("4", "")).failed(&versioned, "x"),
            State::OutOfOrder,
            "version 4",
        ),
        ("skipped before", Ledger::new().applied(&change("4", "")).skipped(&versioned), State::Pending, ""),
        (
            "skipped before, then failed",
            Ledger::new().applied(&change("4", "")).skipped(&versioned).failed(&versioned, "x"),
            State::Failed,
            "x",
        ),
        (
            "late behind half a change",
            Ledger::new().row(&change("4", ""), RowState::Partial),
            State::OutOfOrder,
            "version 4",
        ),
        ("not late behind a repeatable", Ledger::new().applied(&repeatable), State::Pending, ""),
    ] {
        let found = state(&versioned, ledger);
        assert_eq!(found.0, wanted, "{what}");
        assert!(found.1.contains(reason), "{what}: {}", found.1);
    }
    assert_eq!(state(&repeatable, Ledger::new().applied(&edited(&repeatable))).0, State::Outdated);
    assert_eq!(state(&repeatable, Ledger::new().applied(&change("9", ""))).0, State::Pending);
    assert_eq!(state(&repeatable, Ledger::new().applied(&repeatable)).0, State::Applied);
}

#[test]
fn only_the_up_part_counts_as_a_change() {
    let mut same = change("1", "select 1;");
    let ledger = Ledger::new().applied(&same);
    same.script.file_checksum = limosa_core::Checksum::of(b"another rollback section");
    assert_eq!(state(&same, ledger).0, State::Applied);
}

#[test]
fn rows_without_a_file_come_last_in_the_order_of_their_application() {
    let (one, two, three, four) = (change("1", "a"), change("2", "b"), change("3", "c"), change("4", "d"));
    let ledger = Ledger::new()
        .applied(&three)
        .row(&two, RowState::Partial)
        .row(&one, RowState::Reverting)
        .row(&four, RowState::Baseline);
    let found = states(&[change("9", "")], &ledger.0, &around());
    let short: Vec<(&str, State)> = found.iter().map(|(identity, state, _)| (identity.as_str(), *state)).collect();
    assert_eq!(
        short,
        [
            ("9", State::Pending),
            ("3", State::Missing),
            ("2", State::Partial),
            ("1", State::Reverting),
            ("4", State::Missing)
        ]
    );
    assert!(found[2].2.contains("no file defines it"), "{}", found[2].2);
}

#[test]
fn what_does_not_apply_here_says_why() {
    let nowhere = Surroundings { environment: None, ..around() };
    let unasked = Surroundings { available_extensions: None, ..around() };
    for (change, around, reason) in [
        (change("1", "").only_on(Engine::Sqlite), around(), Some("for SQLite only")),
        (change("1", "").only_on(Engine::Postgres), around(), None),
        (change("1", "").only_on(Engine::Sqlite).only_on(Engine::Postgres), around(), None),
        (change("1", "").only_in("production"), around(), Some("for environment production only, this is staging")),
        (change("1", "").only_in("production").only_in("staging"), around(), None),
        (change("1", "").only_in("production"), nowhere, Some("for environment production only, none is chosen")),
        (change("1", "").extension("citext"), around(), None),
        (change("1", "").extension("postgis"), around(), Some("extension postgis is not available on this server")),
        (change("1", "").extension("postgis"), unasked, None),
    ] {
        assert_eq!(not_applicable(&change, &around).as_deref(), reason, "{:?}", change.headers);
        let ledger = Ledger::new().applied(&self::change("7", "")).skipped(&change);
        let found = states(std::slice::from_ref(&change), &ledger.0, &around);
        assert_eq!(found[0].1 == State::NotApplicable, reason.is_some());
        // What was applied is applied, whatever its headers say now.
        let applied = Ledger::new().applied(&change);
        assert_eq!(states(std::slice::from_ref(&change), &applied.0, &around)[0].1, State::Applied);
    }
}

#[test]
fn states_have_titles_and_pending_ones_run() {
    let all = [
        (State::Pending, "pending", true),
        (State::OutOfOrder, "out of order", true),
        (State::Applied, "applied", false),
        (State::Baseline, "baseline", false),
        (State::Changed, "changed", false),
        (State::Missing, "missing", false),
        (State::Outdated, "outdated", true),
        (State::Partial, "partial", true),
        (State::Reverting, "reverting", false),
        (State::Failed, "failed", true),
        (State::NotApplicable, "not applicable", false),
    ];
    for (state, title, pending) in all {
        assert_eq!((state.title(), state.is_pending()), (title, pending));
    }
}

#[test]
fn the_newest_version_is_the_largest_number() {
    let ledger = Ledger::new().applied(&change("9", "")).applied(&change("010", "")).applied(&change("R:x", ""));
    assert_eq!(newest_version(&[], &ledger.0).unwrap().to_string(), "10");
    assert_eq!(newest_version(&[], &LedgerView::default()), None);
    // What another tool had applied, of which no file was there.
    let elsewhere = |newest: &str| LedgerView { newest_elsewhere: Some(newest.to_owned()), ..ledger.0.clone() };
    for (newest, expected) in [("11", "11"), ("9", "10"), ("b", "10")] {
        assert_eq!(newest_version(&[change("3", "")], &elsewhere(newest)).unwrap().to_string(), expected);
    }
    assert_eq!(newest_version(&[], &elsewhere("11")).unwrap().to_string(), "11");
    let names = Change { kind: Kind::Versioned(Version::of_name("a")), ..change("1", "") };
    assert_eq!(
        newest_version(&[names], &LedgerView { newest_elsewhere: Some("b".to_owned()), ..LedgerView::default() }),
        None
    );
}

#[test]
fn a_baseline_stands_for_versions_that_never_ran() {
    let (one, two, three) = (change("1", "a"), change("2", "b"), change("3", "c"));
    let base = change("2", "ab").stands_for_all();
    let older = change("1", "a").stands_for_all();
    let all = [one.clone(), older, two, base.clone(), three];
    let short = |ledger: &LedgerView, to: Option<&str>| -> Vec<String> {
        let to = to.map(|to| Version::parse(to).unwrap());
        assess_up_to(&all, ledger, &around(), to.as_ref())
            .into_iter()
            .map(|line| format!("{} {:?}", line.identity, line.state))
            .collect()
    };
    let fresh = ["1 NotApplicable", "B:1 NotApplicable", "2 NotApplicable", "B:2 Pending", "3 Pending"];
    assert_eq!(short(&Ledger::new().0, None), fresh);
    let below = ["1 NotApplicable", "B:1 Pending", "2 Pending", "B:2 NotApplicable", "3 Pending"];
    assert_eq!(short(&Ledger::new().0, Some("1")), below);
    let grown = ["1 Applied", "B:1 NotApplicable", "2 Pending", "B:2 NotApplicable", "3 Pending"];
    assert_eq!(short(&Ledger::new().applied(&one).0, None), grown);
    let based = ["1 NotApplicable", "B:1 NotApplicable", "2 NotApplicable", "B:2 Applied", "3 Pending"];
    assert_eq!(short(&Ledger::new().applied(&base).0, None), based);
}

#[test]
fn a_baseline_that_ran_stands_for_them_when_its_file_is_gone() {
    let base = change("2", "ab").stands_for_all();
    let newer = change("3", "abc").stands_for_all();
    let all = [change("1", "a"), change("2", "b"), newer, change("3", "c"), change("4", "d")];
    let ledger = Ledger::new().applied(&base);
    let states: Vec<String> = assess(&all, &ledger.0, &around())
        .into_iter()
        .map(|line| format!("{} {:?} {}", line.identity, line.state, line.reason.unwrap_or_default()))
        .collect();
    assert_eq!(
        states,
        [
            "1 NotApplicable B2 stands for it",
            "2 NotApplicable B2 stands for it",
            "B:3 NotApplicable the database began with B2",
            "3 Pending ",
            "4 Pending ",
            "B:2 Missing applied, but no file defines it any more",
        ]
    );
}
