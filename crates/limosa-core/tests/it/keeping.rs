//! The ledger of another tool that is kept beside limosa's.

use std::collections::BTreeMap;

use limosa_core::{AppliedRow, Change, ForeignRow, ForeignTool, Keeping};

use crate::build::{Ledger, change};

fn rows(changes: &[Change], applied: &[usize]) -> Vec<AppliedRow> {
    let all = applied.iter().fold(Ledger::new(), |ledger, at| ledger.applied(&changes[*at - 1]));
    all.0.rows
}

fn theirs(keys: &[&str]) -> Vec<ForeignRow> {
    keys.iter().map(|key| ForeignRow { key: (*key).to_owned(), ..ForeignRow::default() }).collect()
}

#[test]
fn what_only_one_of_them_has_is_found() {
    let changes = [change("1", "a"), change("2", "b"), change("3", "c"), change("R:v", "d")];
    let (keys, missing) = (BTreeMap::from([("1".to_owned(), String::new())]), vec!["77".to_owned()]);
    let keeping = Keeping::new(ForeignTool::Goose, &changes, &keys, &missing);
    for (ours, there, only_there, only_here) in [
        (&[2, 3, 4][..], &["2", "3"][..], &[][..], &[][..]),
        (&[2], &["2", "3", "77"], &["3"], &[]),
        (&[2, 3], &["2"], &[], &["3"]),
        // The tool counts it as applied without a row of its own.
        (&[1, 2], &["2"], &[], &[]),
        (&[2], &["4"], &["4"], &["2"]),
    ] {
        let found = keeping.disagreement(&rows(&changes, ours), &theirs(there));
        assert_eq!((found.only_there, found.only_here), (owned(only_there), owned(only_here)), "{ours:?} {there:?}");
    }
}

fn owned(keys: &[&str]) -> Vec<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}

#[test]
fn one_row_says_the_newest_version_before_which_nothing_is_missing() {
    let changes = [change("1", "a"), change("2", "b"), change("4", "c"), change("7", "d")];
    let (keys, missing) = (BTreeMap::new(), vec!["3".to_owned()]);
    let keeping = Keeping::new(ForeignTool::GolangMigrate, &changes, &keys, &missing);
    for (ours, expected) in [
        (&[][..], None),
        (&[1], Some("1")),
        (&[2], None),
        // What had no file when the database was taken over stands by itself.
        (&[1, 2], Some("3")),
        (&[1, 2, 4], Some("3")),
        (&[1, 2, 3, 4], Some("7")),
    ] {
        assert_eq!(keeping.up_to(&rows(&changes, ours), &[], &[]).map(|row| row.key).as_deref(), expected, "{ours:?}");
    }
    for (ours, there, only_there, only_here) in [
        (&[1, 2][..], &["3"][..], &[][..], &[][..]),
        (&[1, 2], &["4"], &["4"], &[]),
        (&[1, 2, 3], &["3"], &[], &["4"]),
        (&[1, 2, 3], &[], &[], &["4"]),
        // A file that came late: the tool has passed it over.
        (&[1, 2, 4], &["7"], &[], &[]),
    ] {
        let found = keeping.disagreement(&rows(&changes, ours), &theirs(there));
        assert_eq!((found.only_there, found.only_here), (owned(only_there), owned(only_here)), "{ours:?} {there:?}");
    }
}

/// A file that comes late is below what the row says: the row is not put back for it.
#[test]
fn one_row_is_not_put_back_below_what_it_has_passed_over() {
    let changes = [change("1", "a"), change("2", "b"), change("4", "c"), change("7", "d")];
    let missing = vec!["3".to_owned()];
    for (taken_over, ours, there, taken_back, expected) in [
        (&["1", "4"][..], &[1, 3][..], &["4"][..], &[][..], Some("4")),
        (&["1", "4"], &[1, 3, 4], &["4"], &[], Some("7")),
        (&["1", "4"], &[1, 3, 4], &["7"], &[], Some("7")),
        // What is taken back, now or before, is a gap as ever.
        (&["1", "4"], &[1, 3], &["7"], &["7"], Some("4")),
        (&["1", "4"], &[1, 4], &["7"], &[], Some("3")),
        (&["1", "4"], &[1], &["4"], &[], Some("3")),
        // Nobody here has run what it says.
        (&["1"], &[1, 3], &["7"], &[], Some("1")),
        (&["1", "4"], &[3], &["4"], &[], None),
        (&["1", "2"], &[1, 2], &["3"], &[], Some("3")),
        (&[], &[], &["3"], &[], Some("3")),
        (&[], &[1], &[], &[], Some("1")),
    ] {
        let keys = taken_over.iter().map(|key| ((*key).to_owned(), (*key).to_owned())).collect();
        let keeping = Keeping::new(ForeignTool::GolangMigrate, &changes, &keys, &missing);
        let gone: Vec<limosa_core::Identity> = taken_back.iter().map(|it| limosa_core::Identity::new(*it)).collect();
        let row = keeping.up_to(&rows(&changes, ours), &theirs(there), &gone);
        assert_eq!(row.map(|row| row.key).as_deref(), expected, "{ours:?} {there:?} {taken_back:?}");
    }
}
