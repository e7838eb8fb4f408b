//! Which change people mean.

use limosa_core::{
    AppliedRow, Change, Identity, Kind, LedgerView, State, Version, assess, find_identity, find_version, newest_version,
};

use crate::build::{Ledger, around, change};

/// A change that is known by its whole name.
fn named(label: &str, version: Version, file: &str) -> Change {
    let mut change = change("1", file);
    change.identity = Identity::of_version(&version);
    change.kind = Kind::Versioned(version);
    change.label = label.into();
    change.script.file = file.into();
    change
}

fn text(name: &str) -> Change {
    let label = name.split('_').next().unwrap();
    named(label, Version::of_name(name), &format!("m/{name}/migration.sql"))
}

fn numbered(name: &str) -> Change {
    let label = name.split('_').next().unwrap();
    named(label, Version::parse(label).unwrap().named(name), &format!("m/{name}"))
}

fn version(text: &str) -> Version {
    Version::parse_or_name(text).unwrap()
}

fn found(changes: &[Change], rows: &[AppliedRow], written: &str) -> String {
    match find_version(changes, rows, &version(written)) {
        Ok(version) => version.to_string(),
        Err(problem) => format!("{}: {}", problem.code, problem.message),
    }
}

#[test]
fn versions_and_names_are_found() {
    let numbers = [change("001", ""), change("2", "")];
    let texts = [text("2024_a"), text("2024_b"), text("20240301_c")];
    let numbered = [numbered("1_a.sql"), numbered("2_b.sql"), numbered("2_c.sql")];
    let rows = Ledger::new().applied(&text("2025_gone")).0.rows;
    for (changes, written, expected) in [
        (&numbers[..], "1", "1"),
        (&numbers, "7", "7"),
        (&numbers, "0", "0"),
        (&numbers, "001_1", "1.1"),
        (&numbers, "2_2.sql", "2"),
        (&numbers, "banana", "LIM-P019: no migration has the version or name banana; nothing was run"),
        (&texts, "2024_a", "2024_a"),
        (&texts, "m/2024_b/", "2024_b"),
        (&texts, "20240301", "20240301_c"),
        (&texts, "2024", "LIM-P021: 2024 may mean 2 migrations: 2024_a, 2024_b"),
        (&texts, "2025", "2025_gone"),
        (&texts, "0", ""),
        (&numbered, "1", "1_a.sql"),
        (&numbered, "01", "1_a.sql"),
        (&numbered, "2_c", "2_c.sql"),
        (&numbered, "2", "LIM-P021: 2 may mean 2 migrations: 2_b.sql, 2_c.sql"),
        (&numbered, "3", "LIM-P019: no migration has the version or name 3; nothing was run"),
    ] {
        assert_eq!(found(changes, &rows, written), expected, "{written}");
    }
    let identity = |changes: &[Change], written: &str| {
        find_identity(changes, &rows, &Identity::new(written))
            .map_or_else(|problem| problem.code.to_owned(), |it| it.to_string())
    };
    for (changes, written, expected) in [
        (&numbers[..], "2", "2"),
        (&numbers, "R:x", "R:x"),
        (&numbers, "2_2", "2"),
        (&texts, "20240301", "20240301_c"),
        (&texts, "2025", "2025_gone"),
        (&texts, "2024", "LIM-P021"),
        (&numbered, "2_b", "2_b.sql"),
        (&numbered, "9", "9"),
    ] {
        assert_eq!(identity(changes, written), expected, "{written}");
    }
}

#[test]
fn names_come_late_as_numbers_do() {
    let state = |changes: &[Change], ledger: &LedgerView| {
        assess(changes, ledger, &around()).iter().map(|line| line.state).collect::<Vec<_>>()
    };
    let texts = [text("2024_a"), text("2024_b"), text("2024_c")];
    let ledger = Ledger::new().applied(&texts[1]).0;
    assert_eq!(newest_version(&texts, &ledger), Some(Version::of_name("2024_b")));
    assert_eq!(state(&texts, &ledger), [State::OutOfOrder, State::Applied, State::Pending]);
    // Where the file is gone, the row says the same.
    assert_eq!(newest_version(&texts[2..], &ledger), Some(Version::of_name("2024_b")));
    let numbered = [numbered("1_a.sql"), numbered("1_b.sql"), numbered("10_c.sql")];
    let ledger = Ledger::new().applied(&numbered[1]).0;
    assert_eq!(state(&numbered, &ledger), [State::OutOfOrder, State::Applied, State::Pending]);
    let mut late = change("1", "");
    late.headers.may_come_late = true;
    let changes = [late, change("2", "")];
    let ledger = Ledger::new().applied(&changes[1]).0;
    assert_eq!(state(&changes, &ledger), [State::Pending, State::Applied]);
}
