//! drizzle-kit's folders, before and from 1.0.

use limosa::{Repair, StatusOptions};

use super::to;
use crate::answers::{done, failed, id, labels, refusal, states, words};
use crate::place::{Home, Place, all_homes, sqlite};

fn journal(home: &Home, tags: &[&str]) {
    let dialect = match home.place {
        Place::Sqlite(_) => "sqlite",
        Place::Postgres(_) => "postgresql",
        Place::Mysql(_) => "mysql",
    };
    let entry = |(index, tag): (usize, &&str)| {
        format!(
            r#"{{"idx": {index}, "version": "7", "when": {}, "tag": "{tag}", "breakpoints": true}}"#,
            1_700_000_000_000 + index
        )
    };
    let entries: Vec<String> = tags.iter().enumerate().map(entry).collect();
    let text = format!(
        "{{\n  \"version\": \"7\",\n  \"dialect\": \"{dialect}\",\n  \"entries\": [\n{}\n  ]\n}}",
        entries.join(",\n")
    );
    home.file("meta/_journal.json", &text);
    home.file("meta/0000_snapshot.json", "{}");
}

const CREATE: &str = "create table users (id integer, note varchar(40));--> statement-breakpoint\r\n\
                      create table orders (id integer);\n--> statement-breakpoint\ncreate table items (id integer)";

#[tokio::test]
async fn the_journal_says_what_runs_and_in_which_order() {
    for home in all_homes() {
        // Two branches made a migration of the same number; whoever merged them put this one first.
        journal(&home, &["0000_init", "0001_zebra", "0001_apple"]);
        home.file("0000_init.sql", CREATE);
        home.file("0001_zebra.sql", "insert into users values (1, '${text}');");
        home.file("0001_apple.sql", "update users set note = 'changed';");
        home.file("0002_not_listed.sql", "create table not_listed (id integer);");
        home.file("relations.ts", "");
        let answer = done(home.migrate_with(&to("0001_zebra")).await);
        assert_eq!(labels(&answer), ["0000", "0001"]);
        assert_eq!(home.rows("select note from users"), ["${text}"], "no placeholder");
        let answer = done(home.migrate().await);
        assert_eq!(home.ledger(), ["0000_init|applied", "0001_zebra|applied", "0001_apple|applied"]);
        assert_eq!(home.tables(), ["items", "orders", "users"]);
        assert!(words(&answer.notices).contains("0002_not_listed.sql does not stand in meta/_journal.json"));
        failed(&home.migrate_with(&to("0001")).await, 2, &["LIM-P021"]);

        // A migration that another merge puts before what ran comes late.
        journal(&home, &["0000_init", "0002_not_listed", "0001_zebra", "0001_apple"]);
        failed(&home.migrate().await, 1, &["LIM-P005", "0001_apple was applied before it"]);
    }
}

#[tokio::test]
async fn a_journal_that_does_not_fit_its_folder_runs_nothing() {
    let home = sqlite();
    journal(&home, &["0000_init", "0001_gone"]);
    home.file("0000_init.sql", CREATE);
    failed(
        &home.migrate().await,
        2,
        &["LIM-F037", "the journal lists 0001_gone, and there is no 0001_gone.sql", "_journal.json"],
    );
    home.file("meta/_journal.json", "{\n  \"entries\": [\n    {\"idx\": 0, \"when\": 17");
    failed(&home.migrate().await, 2, &["LIM-F035", "_journal.json:3:"]);
    home.file("meta/_journal.json", "{\"dialect\": \"postgresql\", \"entries\": []}");
    failed(&home.migrate().await, 2, &["LIM-F036", "for postgresql, and the database is SQLite"]);
    assert_eq!(home.tables(), [""; 0]);
}

#[tokio::test]
async fn folders_of_1_0_have_no_journal() {
    for home in all_homes() {
        home.file("20240131120000_init/migration.sql", CREATE);
        home.file("20240131120000_init/snapshot.json", "{}");
        home.file("20240131120001_fill/migration.sql", "insert into users values (1, '${text}');");
        home.file("20240131120001_fill/snapshot.json", "{}");
        assert_eq!(labels(&done(home.migrate().await)), ["20240131120000", "20240131120001"]);
        assert_eq!(home.tables(), ["items", "orders", "users"]);
        let status = home.migrator().status(StatusOptions::default()).await.unwrap();
        assert_eq!(states(&status), ["20240131120000_init applied", "20240131120001_fill applied"]);
    }
}

#[tokio::test]
async fn a_folder_that_was_written_anew_does_not_run_again() {
    for home in all_homes() {
        journal(&home, &["0000_init", "0001_fill"]);
        home.file("0000_init.sql", CREATE);
        home.file("0001_fill.sql", "insert into users values (1, 'one');");
        done(home.migrate().await);
        // A migration that was renamed, and then all of them, as drizzle-kit up has it.
        journal(&home, &["0000_init", "0001_people"]);
        home.folder.remove("migrations/0001_fill.sql");
        home.file("0001_people.sql", "insert into users values (1, 'one');");
        failed(&home.migrate().await, 4, &["LIM-P037", "0001_people.sql holds what was applied as 0001_fill"]);
        home.repair(Repair::MarkApplied(id("0001_people"))).await.unwrap();
        assert!(done(home.migrate().await).steps.is_empty());

        for gone in ["meta/_journal.json", "meta/0000_snapshot.json", "0000_init.sql", "0001_people.sql"] {
            home.folder.remove(&format!("migrations/{gone}"));
        }
        home.file("20231114221320_init/migration.sql", CREATE);
        home.file("20231114221320_people/migration.sql", "insert into users values (1, 'one');");
        let said = failed(&home.migrate().await, 4, &["LIM-P037", "applied as 0000_init"]);
        assert!(said.contains("applied as 0001_"), "{said}");
        assert_eq!(home.rows("select count(*) from users"), ["1"]);
    }
}

#[test]
fn new_migrations_are_drizzle_kits_own() {
    let home = sqlite();
    journal(&home, &["0000_init"]);
    home.file("0000_init.sql", CREATE);
    refusal(home.new_files("x"), 2, &["only drizzle-kit can write", "drizzle-kit generate --custom"]);
}

#[tokio::test]
async fn a_breakpoint_ends_a_statement_with_and_without_a_semicolon() {
    for home in all_homes() {
        journal(&home, &["0000_a"]);
        home.file(
            "0000_a.sql",
            "create table a (n integer)\n--> statement-breakpoint\ncreate table b (n integer)--> statement-breakpoint\n\
             insert into a values (1); insert into a values (2);\n--> statement-breakpoint\ninsert into b select 7 where 1 > 0 -- why\n\
             --> statement-breakpoint\n",
        );
        done(home.migrate().await);
        assert_eq!(home.rows("select n from a union all select n from b order by 1"), ["1", "2", "7"]);
        assert!(done(home.migrate().await).steps.is_empty());
    }
}
