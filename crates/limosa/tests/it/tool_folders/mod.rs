//! Folders of other tools whose order or identity stands in names, read in place.

mod auto_rollback;
mod bare_commit;
mod diesel;
mod drizzle;
mod flyway_session;
mod foreign_keys;
mod liquibase;
mod liquibase_again;
mod liquibase_comments;
mod liquibase_conditions;
mod liquibase_delimiters;
mod liquibase_failing;
mod liquibase_line_ends;
mod liquibase_modelled;
mod liquibase_preconditions;
mod liquibase_settings;
mod one_transaction;
mod own_table;
mod pattern;
mod prisma;
mod programs;
mod refinery;
mod session_settings;
mod shared_session;
mod sqitch;
mod sqlx;

use std::time::Duration;

use limosa::{
    Configuration, Embedded, Failure, Layout, LayoutChoice, NewKind, Numbering, RustMigration, Template,
    TemplateDetails, Version,
};

use crate::answers::{done, labels, migrate, quiet, refusal};
use crate::place::{Home, sqlite};

/// 2024-01-31 12:00:00 UTC.
const NOW: Duration = Duration::from_secs(1_706_702_400);

impl Home {
    /// What `new` writes, without the folder.
    fn new_files(&self, title: &str) -> Result<Vec<String>, Failure> {
        let answer = self.migrator().new_migration(title, NewKind::Versioned, Numbering::Auto, NOW)?;
        let folder = format!("{}/", self.folder.join("migrations").display());
        Ok(answer.done.iter().map(|file| file.strip_prefix(&folder).unwrap_or(file).to_owned()).collect())
    }

    async fn baseline(&self, to: &str) -> Result<limosa::report::DoneAnswer, Failure> {
        let to = Version::parse_or_name(to).unwrap();
        self.migrator().baseline(&to, false, &quiet, limosa::Stop::new()).await
    }
}

/// As `--to` takes it.
fn to(text: &str) -> limosa::MigrateOptions {
    limosa::MigrateOptions { to: Some(Version::parse_or_name(text).unwrap()), ..limosa::MigrateOptions::default() }
}

fn code(version: &str) -> RustMigration {
    RustMigration::from_fn(version, "in code", "1", |_| Box::pin(async { Ok(()) })).unwrap()
}

#[tokio::test]
async fn folders_are_compiled_in_and_code_runs_among_their_names() {
    const JOURNAL: [&str; 2] = [
        r#"{"entries": [{"when": 1, "tag": "0000_a"}]}"#,
        r#"{"entries": [{"when": 1, "tag": "0000_a"}, {"when": 2, "tag": "0001_b"}]}"#,
    ];
    let (first, second) = ("create table a (n integer);", "create table b (n integer);");
    let prisma = [("20240131120000_a/migration.sql", first), ("20240131120002_b/migration.sql", second)];
    let drizzle = [("meta/_journal.json", JOURNAL[0]), ("0000_a.sql", first)];
    let later = [("meta/_journal.json", JOURNAL[1]), ("0000_a.sql", first), ("0001_b.sql", second)];
    for (files, more, ran) in [
        (&prisma[..1], &prisma[..], [vec!["20240131120000", "20240131120001"], vec!["20240131120002"]]),
        (&drizzle, &later, [vec!["0000", "20240131120001"], vec!["0001"]]),
    ] {
        let home = sqlite();
        for (files, ran) in [files, more].into_iter().zip(ran) {
            let migrator = home.with(|it: &mut Configuration| {
                it.embedded = Some(Embedded::new(files.iter().copied()));
                it.code = vec![code("20240131120001")];
            });
            assert_eq!(labels(&done(migrate(&migrator).await)), ran);
        }
        assert_eq!(home.tables(), ["a", "b"]);
    }
}

#[tokio::test]
async fn a_probe_asks_for_a_name() {
    let home = sqlite();
    home.file("20240131120000_a/migration.sql", "create table a (n integer);");
    done(home.migrate().await);
    for (name, ok) in [("20240131120000_a", true), ("20240131120000_b", false)] {
        let answer = home.migrator().ready(Some(&Version::of_name(name))).await.unwrap();
        assert_eq!(answer.ok, ok, "{:?}", answer.reason);
    }
}

#[tokio::test]
async fn seeds_are_limosas_own_whatever_the_migrations_are() {
    let home = sqlite();
    home.file("20240131120000_a/up.sql", "create table a (n integer);");
    home.folder.write("seeds/001_rows.sql", "insert into a values (7);");
    let migrator = home.with(|it| it.layout = LayoutChoice::Given(Layout::Diesel));
    done(migrate(&migrator).await);
    done(migrator.seed(&home.folder.join("seeds"), false, &quiet, limosa::Stop::new()).await);
    assert_eq!(home.rows("select n from a"), ["7"]);
}

#[tokio::test]
async fn changes_in_several_steps_are_written_as_the_tool_names_files() {
    for (first, expected) in [
        ("20240101000000_users/up.sql", "2024-01-31-120001-0000_add_phone_backfill/up.sql"),
        ("20240101000000_users/migration.sql", "20240131120001_add_phone_backfill/migration.sql"),
        ("V1__users.sql", "V3__add_phone_backfill.sql"),
    ] {
        let home = sqlite();
        home.folder.write("refinery.toml", "");
        home.file(first, "create table users (id integer primary key); insert into users values (1);");
        let text = |text: &str| Some(text.to_owned());
        let details = TemplateDetails {
            table: text("users"),
            column: text("phone"),
            data_type: text("VARCHAR(40)"),
            value: text("'none'"),
            ..TemplateDetails::default()
        };
        let new = || {
            home.migrator().new_from_template("add phone", Template::AddColumn, &details, None, Numbering::Auto, NOW)
        };
        let files = new().unwrap().done;
        assert!(files.iter().any(|file| file.ends_with(expected)), "{files:?}");
        refusal(new(), 2, &["LIM-U055"]);
        assert_eq!(
            done(home.migrate().await).steps.len(),
            files.iter().filter(|file| !file.ends_with("down.sql")).count() + 1
        );
        assert_eq!(home.rows("select phone from users"), ["none"]);
    }
}
