//! The commands that the READMEs of the examples show, in a copy of the example's folder, with its settings file.

use std::fs;
use std::path::Path;

use limosa_testkit::binary::Output;
use limosa_testkit::{Folder, Limosa, TestDatabase, postgres};

fn copy(example: &str) -> Folder {
    let folder = Folder::new();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(example);
    copy_into(&folder, &from, &from);
    folder
}

fn copy_into(folder: &Folder, root: &Path, from: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            copy_into(folder, root, &path);
        } else {
            folder.write(path.strip_prefix(root).unwrap().to_str().unwrap(), fs::read(&path).unwrap());
        }
    }
}

fn database() -> TestDatabase {
    let newest = postgres::tested().unwrap().into_iter().next_back().unwrap();
    postgres::shared(&newest).unwrap().create_database().unwrap()
}

/// The indented lines of a README that call limosa, without what is remarked behind them.
fn commands(folder: &Folder) -> Vec<String> {
    let readme = folder.read("README.md");
    let calls = readme.lines().filter_map(|line| line.strip_prefix("    limosa "));
    calls.map(|call| call.split('#').next().unwrap_or_default().trim().to_owned()).collect()
}

/// Runs what the README shows; where it names a database on a server, the test's own is meant.
fn follow_the_readme(example: &str, expected: usize) {
    let (folder, database) = (copy(example), database());
    let address = format!("postgres://localhost/{example}");
    let calls = commands(&folder);
    assert_eq!(calls.len(), expected, "{calls:?}");
    for call in calls {
        let words = call.split_whitespace().map(|word| match word {
            word if word == address => database.url(),
            word if word == example => database.name().to_owned(),
            word => word.to_owned(),
        });
        let limosa = Limosa::new(super::LIMOSA).in_folder(folder.path()).env("LIMOSA_DATABASE", database.url());
        let output = limosa.args(words).run().unwrap();
        assert_eq!(output.code, Some(0), "{call}\n{output}");
    }
}

#[test]
fn the_readme_of_the_warehouse_can_be_followed() {
    follow_the_readme("warehouse", 5);
}

#[test]
fn the_readme_of_the_market_can_be_followed() {
    follow_the_readme("market", 4);
}

#[test]
fn the_readme_of_the_articles_can_be_followed() {
    follow_the_readme("articles", 5);
}

#[test]
fn a_market_that_was_filled_by_hand_goes_on_from_there() {
    let (folder, database) = (copy("market"), database());
    for file in ["001_create_jobs.sql", "002_create_core_schema.sql"] {
        database.execute(&folder.read(&format!("src/infra/migrations/{file}"))).unwrap();
    }
    let limosa = |words: &[&str], code: i32| -> Output {
        let limosa = Limosa::new(super::LIMOSA).in_folder(folder.path());
        let limosa = ["NEON_DATABASE_URL", "PRODUCTION_DATABASE_URL"]
            .into_iter()
            .fold(limosa, |limosa, name| limosa.env(name, database.url()));
        limosa.args(words).run().unwrap().assert_code(code)
    };
    limosa(&["baseline", "--to", "002", "--environment", "staging"], 0);
    let migrated = limosa(&["migrate", "--environment", "staging"], 0);
    assert!(migrated.stdout.contains("4 migrations applied"), "{migrated}");
    limosa(&["status", "--fail-on-pending", "--environment", "staging"], 0);

    let back = ["rollback", "--to", "4", "--environment", "production", "--allow-data-loss", database.name()];
    let refused = limosa(&back, 4);
    assert!(refused.stderr.contains("protected"), "{refused}");
}
