//! The rows of other tools against changes.

use limosa_core::{
    Agreement, Change, ForeignRow, ForeignState, ForeignTool, Identity, Unfiled, Version, compare, spelled,
};

use crate::build::{With, change};

fn row(key: &str) -> ForeignRow {
    ForeignRow { key: key.to_owned(), version: Some(key.to_owned()), ..ForeignRow::default() }
}

fn recorded(key: &str, checksum: &str) -> ForeignRow {
    ForeignRow { checksum: Some(checksum.to_owned()), ..row(key) }
}

/// `verdict label-or-key`, in order; a file agrees with the checksum `same`.
fn verdicts(tool: ForeignTool, rows: &[ForeignRow], changes: &[Change]) -> Vec<String> {
    let mut agreement = |_: &Change, row: &ForeignRow| match row.checksum.as_deref() {
        Some("same") => Agreement::Same,
        Some("nearly") => Agreement::SameBut("its line endings"),
        _ => Agreement::Different,
    };
    let compared = compare(tool, rows, changes, &Version::without_trailing_zeros, &|_| None, &mut agreement);
    let named = |line: &limosa_core::Compared<'_>| {
        let name = line.change.map(|it| it.label.to_string()).or(line.row.map(|row| row.key.clone()));
        format!("{} {}", line.verdict.as_str(), name.unwrap_or_default())
    };
    compared.iter().map(named).collect()
}

#[test]
fn each_version_has_its_verdict() {
    let changes: Vec<Change> = ["1", "2", "3", "4", "5"].iter().map(|it| change(it, "select 1")).collect();
    let rows = [recorded("1", "same"), recorded("2", "nearly"), recorded("4", "other"), row("002.5")];
    assert_eq!(
        verdicts(ForeignTool::Sqlx, &rows, &changes),
        ["verified 1", "verified 2", "unknown 3", "diverged 4", "pending 5", "missing 002.5"]
    );
    assert_eq!(verdicts(ForeignTool::Goose, &[row("002"), row("1.0")], &changes)[..2], ["stamped 1", "stamped 2"]);
    assert_eq!(verdicts(ForeignTool::Goose, &[], &changes[..1]), ["pending 1"]);
}

#[test]
fn one_row_stands_for_all_versions_up_to_its_own() {
    let changes: Vec<Change> = ["1", "2", "3"].iter().map(|it| change(it, "select 1")).collect();
    let up_to = |key: &str| ForeignRow { state: ForeignState::UpTo, ..row(key) };
    let tool = ForeignTool::GolangMigrate;
    assert_eq!(verdicts(tool, &[up_to("2")], &changes), ["stamped 1", "stamped 2", "pending 3"]);
    // Its own file is gone; those before it stand.
    assert_eq!(verdicts(tool, &[up_to("9")], &changes), ["stamped 1", "stamped 2", "stamped 3", "missing 9"]);
    // That one failed, or was cut off; those before it stand all the same.
    let dirty = |key: &str| ForeignRow { state: ForeignState::HalfDone, ..row(key) };
    assert_eq!(verdicts(tool, &[dirty("2")], &changes), ["stamped 1", "half_done 2", "pending 3"]);
    assert_eq!(verdicts(tool, &[dirty("9")], &changes), ["stamped 1", "stamped 2", "stamped 3", "missing 9"]);
    assert_eq!(verdicts(tool, &[dirty("-1")], &changes), ["pending 1", "pending 2", "pending 3", "missing -1"]);
    let rows = [recorded("1", "same"), ForeignRow { state: ForeignState::HalfDone, ..recorded("3", "same") }];
    assert_eq!(verdicts(ForeignTool::Sqlx, &rows, &changes), ["verified 1", "unknown 2", "half_done 3"]);
    // A baseline of Flyway's, and its file.
    let mut with_baseline = vec![change("2", "select 1").stands_for_all()];
    with_baseline.extend(changes);
    let rows = [up_to("2"), recorded("3", "same")];
    assert_eq!(
        verdicts(ForeignTool::Flyway, &rows, &with_baseline),
        ["stamped B2", "stamped 1", "stamped 2", "verified 3"]
    );
    // One that the tool has not used is for an empty database only.
    assert_eq!(verdicts(ForeignTool::Flyway, &rows[1..], &with_baseline[..1]), ["missing 3"]);
}

#[test]
fn names_and_hashes_are_known_again() {
    let changes = [change("1", "a"), change("2", "b"), change("3", "c")];
    let named = |key: &str| ForeignRow { version: None, ..row(key) };
    // Files are called `1_1.sql` and so on.
    assert_eq!(
        verdicts(ForeignTool::NodePgMigrate, &[named("1_1"), named("2_two")], &changes),
        ["stamped 1", "pending 2", "pending 3", "missing 2_two"]
    );
    assert_eq!(
        verdicts(ForeignTool::Liquibase, &[ForeignRow { file: Some("db/2_2.sql".to_owned()), ..named("x") }], &changes),
        ["unknown 1", "stamped 2", "pending 3"]
    );
    // Liquibase names the change within the file, and may count its path from another folder.
    let called = ["db/a.sql::1::ann", "db/a.sql::2::ann", "b.sql::1::ann"];
    let parts: Vec<Change> = called
        .iter()
        .zip(&changes)
        .map(|(name, change)| {
            let mut change = Change { identity: Identity::new(*name), ..change.clone() };
            change.headers.may_come_late = true;
            change
        })
        .collect();
    assert_eq!(
        verdicts(
            ForeignTool::Liquibase,
            &[
                recorded("a.sql::2::ann", "same"),
                recorded("src/b.sql::1::ann", "other"),
                recorded("c.sql::1::ann", "same")
            ],
            &parts
        ),
        ["pending 1", "verified 2", "diverged 3", "missing c.sql::1::ann"]
    );
    let hash = |change: &Change| change.script.file_checksum.digits();
    let hashed = |hash: &str| ForeignRow { version: Some("1700000000000".to_owned()), ..recorded(hash, hash) };
    let rows = [hashed(&hash(&changes[0])), hashed("another")];
    // The order tells which file was changed.
    assert_eq!(verdicts(ForeignTool::Drizzle, &rows, &changes), ["diverged 1", "diverged 2", "pending 3"]);
}

#[test]
fn a_change_is_called_as_its_tool_would() {
    let file = |path: &str| {
        let mut change = change("1", "select 1");
        change.script.file = path.into();
        change
    };
    let key = |tool: ForeignTool, path: &str| spelled(tool, &file(path), None).map(|row| row.key);
    for (tool, path, expected) in [
        (ForeignTool::Goose, "m/00001_a.sql", Some("1")),
        (ForeignTool::Dbmate, "m/20240101_a.sql", Some("20240101")),
        (ForeignTool::Diesel, "m/2024-01-02-030405_a/up.sql", Some("20240102030405")),
        (ForeignTool::Prisma, "m/20240102030405_a/migration.sql", Some("20240102030405_a")),
        (ForeignTool::NodePgMigrate, "m/17_a.sql", Some("17_a")),
        (ForeignTool::SqlMigrate, "m/1_a.sql", Some("1_a.sql")),
        (ForeignTool::Liquibase, "m/1_a.sql", None),
    ] {
        assert_eq!(key(tool, path).as_deref(), expected, "{path}");
    }
    let mut of_liquibase = change("R:view", "select 1");
    of_liquibase.identity = Identity::new("R:db/a.sql::1:2::ann b");
    let row = spelled(ForeignTool::Liquibase, &of_liquibase, None).unwrap();
    assert_eq!((row.key.as_str(), row.name.as_deref()), ("db/a.sql::1:2::ann b", Some("1:2")));
    assert_eq!((row.file.as_deref(), row.more.get("author").map(String::as_str)), (Some("db/a.sql"), Some("ann b")));
    let refinery = spelled(ForeignTool::Refinery, &file("m/V1__two_words.sql"), None).unwrap();
    assert_eq!((refinery.key.as_str(), refinery.name.as_deref()), ("1", Some("two_words")));
    let view = change("R:view", "select 1");
    assert_eq!(spelled(ForeignTool::Goose, &view, None), None);
    assert_eq!(spelled(ForeignTool::Flyway, &view, None).and_then(|row| row.version), None);
}

/// What would count as applied of these changes, by rows that had no file while `there` were the files.
fn turned_up(tool: ForeignTool, rows: &[ForeignRow], there: &[Change], changes: &[Change]) -> Vec<String> {
    let compared = |version: &Version| version.without_trailing_zeros();
    let lines = compare(tool, rows, there, &compared, &|_| None, &mut |_, _| Agreement::Same);
    let Some(unfiled) = Unfiled::of(tool, &lines, None) else { return Vec::new() };
    // As it is kept.
    let kept = serde_json::to_string(&unfiled).unwrap();
    assert_eq!(serde_json::from_str::<Unfiled>(&kept).unwrap(), unfiled, "{kept}");
    let mut found: Vec<String> = unfiled.identities(changes, &[]).iter().map(ToString::to_string).collect();
    found.sort();
    let again = Unfiled { counted: found.iter().cloned().collect(), ..unfiled };
    assert!(again.identities(changes, &[]).is_empty());
    found
}

#[test]
fn files_that_turn_up_are_those_that_had_none() {
    let changes: Vec<Change> = ["1", "2", "3", "4", "5"].iter().map(|it| change(it, it)).collect();
    let up_to = |key: &str| ForeignRow { state: ForeignState::UpTo, ..row(key) };
    let hash = |of: &Change| {
        let checksum = of.script.file_checksum.digits();
        ForeignRow { version: None, ..recorded(&checksum, &checksum) }
    };
    let (goose, drizzle) = (ForeignTool::Goose, ForeignTool::Drizzle);
    for (tool, rows, there, expected) in [
        (goose, vec![row("1"), row("003")], &changes[..2], &["3"][..]),
        (goose, vec![row("1"), row("2")], &changes[..2], &[]),
        (ForeignTool::Flyway, vec![row("1"), row("4.0")], &changes[..1], &["4"]),
        // One row for all: what was passed over below what had files is not known.
        (ForeignTool::GolangMigrate, vec![up_to("4")], &changes[..2], &["3", "4"]),
        (ForeignTool::GolangMigrate, vec![up_to("4")], &changes[3..4], &[]),
        (ForeignTool::GolangMigrate, vec![up_to("9")], &changes[2..4], &["5"]),
        (ForeignTool::Flyway, vec![up_to("2"), row("3")], &changes[2..3], &["1", "2"]),
        // Hashes are no order: a new file is no old one that was changed.
        (drizzle, vec![hash(&changes[0]), hash(&changes[3])], &changes[..1], &["4"]),
        (drizzle, vec![hash(&changes[0]), hash(&change("9", "gone"))], &changes[..1], &[]),
    ] {
        let found = turned_up(tool, &rows, there, &changes);
        let found: Vec<&str> =
            found.iter().map(String::as_str).filter(|it| !there.iter().any(|of| of.label == *it)).collect();
        assert_eq!(found, expected, "{} {rows:?}", tool.name());
    }
}
