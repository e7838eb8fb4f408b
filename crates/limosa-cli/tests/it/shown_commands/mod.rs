//! What README and the how-tos show is run as it stands there.
//!
//! A document is played from top to bottom in an empty folder. A shell block (fenced as `sh`, or indented and beginning with a
//! command) is run; a `text` block right behind it must be found in its output, where `...` stands for anything. Addresses of
//! servers are replaced by databases of private servers of that kind; port 6432 means through PgBouncer. YAML is parsed.
//! Comments that a reader does not see say the rest, on a line of their own before the block:
//!
//! - `<!-- file: migrations/001_users.sql -->`: the block is written into that file
//! - `<!-- exit: 3 -->`: its last command ends with this code; all others end with 0
//! - `<!-- database: goose.sql -->`: before its first command the database at LIMOSA_DATABASE gets what that dump in `databases` holds: what
//!   the real tool has left there. `cargo xtask fixtures -- --pages` makes these dumps; a reader has such a database
//! - `<!-- not run: needs a cluster -->`: it is not run; what it says of limosa must still be a command that exists
//! - `<!-- new folder -->`: what follows begins in an empty folder, with empty databases

mod places;
mod play;
mod wording;

use std::collections::BTreeSet;

use limosa_testkit::blocks;
use limosa_testkit::documents::root;

/// A test for each document that is played.
macro_rules! played {
    ($($test:ident: $name:literal,)*) => {
        const PLAYED: &[&str] = &[$($name),*];

        $(
            #[test]
            fn $test() {
                play_document($name);
            }
        )*
    };
}

played! {
    the_readme: "README.md",
    install: "docs/install.md",
    the_first_migration: "docs/how-to/first-migration.md",
    from_psql: "docs/how-to/from-psql.md",
    adopting: "docs/how-to/adopting.md",
    leaving: "docs/how-to/leaving.md",
    from_flyway: "docs/coming-from/flyway.md",
    from_up_and_down_files: "docs/coming-from/up-and-down-files.md",
    from_goose: "docs/coming-from/goose.md",
    from_dbmate: "docs/coming-from/dbmate.md",
    from_sql_migrate: "docs/coming-from/sql-migrate.md",
    from_node_pg_migrate: "docs/coming-from/node-pg-migrate.md",
    from_sqlx: "docs/coming-from/sqlx.md",
    from_diesel: "docs/coming-from/diesel.md",
    from_refinery: "docs/coming-from/refinery.md",
    from_prisma: "docs/coming-from/prisma.md",
    from_drizzle: "docs/coming-from/drizzle.md",
    from_sqitch: "docs/coming-from/sqitch.md",
    from_liquibase: "docs/coming-from/liquibase.md",
    from_numbered_sql: "docs/coming-from/numbered-sql.md",
    own_names: "docs/how-to/own-names.md",
    in_ci: "docs/how-to/ci.md",
    on_branches: "docs/how-to/branches.md",
    in_kubernetes: "docs/how-to/kubernetes.md",
    through_pgbouncer: "docs/how-to/pgbouncer.md",
    recovery: "docs/how-to/recovery.md",
    embedding: "docs/how-to/embedding.md",
}

fn play_document(name: &str) {
    let text = std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let ran = play::document(name, &blocks::parts(&text));
    assert!(ran > 0 || text.contains("<!-- not run:"), "{name} shows no command");
}

/// What stands in a folder of the repository.
fn found(folder: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(root().join(folder)).unwrap();
    entries.map(|entry| format!("{folder}/{}", entry.unwrap().file_name().display())).collect()
}

#[test]
fn every_how_to_is_played() {
    let played = PLAYED.iter().filter(|name| name.starts_with("docs/how-to/")).map(|name| (*name).to_owned()).collect();
    assert_eq!(found("docs/how-to"), played);
}

#[test]
fn every_command_of_coming_from_another_tool_is_run() {
    for name in found("docs/coming-from") {
        let text = std::fs::read_to_string(root().join(&name)).unwrap();
        let has_commands = text.contains("```sh\n");
        assert!(!has_commands || PLAYED.contains(&name.as_str()), "{name} is not played");
        assert!(!text.contains("<!-- not run"), "{name} has a block that is not run");
    }
}

#[test]
fn every_dump_is_what_a_page_begins_with() {
    let dumps: BTreeSet<String> = PLAYED
        .iter()
        .flat_map(|name| blocks::parts(&std::fs::read_to_string(root().join(name)).unwrap()))
        .filter_map(|part| match part {
            blocks::Part::Block(block) => block.database,
            _ => None,
        })
        .map(|name| format!("{}/{name}", play::DATABASES))
        .collect();
    assert_eq!(found(play::DATABASES), dumps);
}

#[test]
fn commands_named_in_a_sentence_exist() {
    let mut wrong = Vec::new();
    let mut open = vec![root().join("docs"), root().join("README.md"), root().join("CHANGELOG.md")];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "md") {
            let text = std::fs::read_to_string(&path).unwrap();
            let spans = blocks::spans(&text).into_iter();
            wrong.extend(spans.filter_map(|span| Some(format!("{}: {}", path.display(), wording::problem(&span)?))));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
