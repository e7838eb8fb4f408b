//! Liquibase's changes that run again: each at its place in the changelog, when its text changed (`runOnChange`) or with each run
//! (`runAlways`).

use limosa::{MigrateOptions, StatusOptions};

use crate::answers::{done, labels, states};
use crate::place::{all_homes, sqlite};

/// As Liquibase 4.33 runs it: what stands behind a change sees what that has done.
fn text(first: u64, last: &str) -> String {
    format!(
        "--liquibase formatted sql\n--changeset a:t\ncreate table t (n integer, seen integer);\n\
         --changeset a:v runOnChange:true\ninsert into t values ({first}, null);\n\
         --changeset a:log runAlways:true\ninsert into t select -1, count(*) from t;\n\
         --changeset a:3\ninsert into t select 3, max(n) from t;\n{last}"
    )
}

#[tokio::test]
async fn what_runs_again_runs_at_its_place() {
    for home in all_homes() {
        home.file("a.sql", &text(10, ""));
        assert_eq!(labels(&done(home.migrate().await)), ["0001", "R", "R", "0004"]);
        assert_eq!(home.rows("select seen from t where n = 3"), ["10"]);
        assert_eq!(home.rows("select seen from t where n = -1"), ["1"]);

        // Where the text changed, too; what is new behind it sees what it did.
        home.file("a.sql", &text(20, "--changeset a:5\ninsert into t select 5, max(n) from t;\n"));
        let status = home.migrator().status(StatusOptions::default()).await.unwrap();
        let shown = [
            "a.sql::t::a applied",
            "R:a.sql::v::a outdated",
            "R:a.sql::log::a applied",
            "a.sql::3::a applied",
            "a.sql::5::a pending",
        ];
        assert_eq!(states(&status), shown);
        assert_eq!(labels(&done(home.migrate().await)), ["R", "R", "0005"]);
        assert_eq!(home.rows("select seen from t where n = 5"), ["20"]);
        assert_eq!(home.rows("select seen from t where n = -1 order by seen"), ["1", "4"]);

        // Where nothing changed, what runs always does, and nothing waits for it.
        assert_eq!(labels(&done(home.migrate().await)), ["R"]);
        assert_eq!(home.rows("select count(*) from t where n = -1"), ["3"]);
        let status = home.migrator().status(StatusOptions::default()).await.unwrap();
        assert_eq!(status.changes.iter().filter(|change| change.state.is_pending()).count(), 0);
        assert_eq!(home.migrator().audit_verify(&[]).await.unwrap().exit_code, 0);
    }
}

#[tokio::test]
async fn a_limit_counts_them_where_they_stand() {
    let home = sqlite();
    home.file("a.sql", &text(10, ""));
    let to = |name: &str| MigrateOptions { to: Some(limosa::Version::of_name(name)), ..MigrateOptions::default() };
    assert_eq!(labels(&done(home.migrate_with(&to("a.sql::t::a")).await)), ["0001"]);
    let steps = MigrateOptions { steps: Some(2), ..MigrateOptions::default() };
    assert_eq!(labels(&done(home.migrate_with(&steps).await)), ["R", "R"]);
    assert_eq!(labels(&done(home.migrate_with(&to("a.sql::3::a")).await)), ["R", "0004"]);
    assert_eq!(labels(&done(home.migrate_with(&to("a.sql::t::a")).await)), [""; 0]);
}

#[tokio::test]
async fn a_baseline_counts_those_above_it() {
    let home = sqlite();
    home.file("a.sql", &text(10, ""));
    home.execute("create table t (n integer, seen integer)");
    home.baseline("a.sql::3::a").await.unwrap();
    assert_eq!(labels(&done(home.migrate().await)), ["R"]);
    assert_eq!(home.rows("select n from t"), ["-1"]);
    let plan = home.migrator().plan(&MigrateOptions::default()).await.unwrap();
    assert_eq!(plan.steps.len(), 1);
}
