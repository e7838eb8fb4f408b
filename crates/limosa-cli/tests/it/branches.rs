//! Branches of git's as somebody meets them who types commands.

use std::os::unix::fs::symlink;

use limosa_testkit::binary::Output;
use limosa_testkit::{Folder, Limosa, Repository};

use crate::LIMOSA;

fn limosa(folder: &Folder, words: &[&str]) -> Limosa {
    Limosa::new(LIMOSA).in_folder(folder.path()).args(words)
}

#[track_caller]
fn run(repository: &Repository, words: &[&str], code: i32) -> Output {
    limosa(repository.folder(), words).run().unwrap().assert_code(code)
}

/// `main` with 001 and 002, and a branch `work` with 001 and another 002.
fn clashing() -> Repository {
    let repository = Repository::new();
    repository.commit(&[("migrations/001_a.sql", "create table a (n int);\n")]);
    repository.git(&["branch", "work"]);
    repository.commit(&[("migrations/002_b.sql", "create table b (n int);\n")]);
    repository.git(&["checkout", "--quiet", "work"]);
    repository.commit(&[("migrations/002_c.sql", "create table c (n int);\n")]);
    repository
}

#[test]
fn a_clash_is_told_mended_and_gone() {
    let repository = clashing();
    let validate = ["validate", "--against", "main"];
    let output = run(&repository, &validate, 1);
    for wanted in ["LIM-P022", "migrations/002_c.sql has the version 2, and so has migrations/002_b.sql in main"] {
        assert!(output.stdout.contains(wanted), "{output}");
    }
    let json = run(&repository, &[&validate[..], &["--output", "json"]].concat(), 1);
    let answer: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((&answer["command"], &answer["exit_code"]), (&"validate".into(), &1.into()));
    assert_eq!(answer["findings"][0]["labels"][0]["file"], "migrations/002_c.sql");
    assert_eq!((&answer["against"]["reference"], &answer["against"]["added"]), (&"main".into(), &1.into()));
    assert!(answer["target"].is_null());

    let dry = run(&repository, &["new", "--renumber", "--against", "main", "--dry-run"], 0);
    assert_eq!(dry.stdout, "would rename: migrations/002_c.sql -> migrations/003_c.sql\n");
    let done = run(&repository, &["new", "--renumber", "migrations/002_c.sql", "--against", "main"], 0);
    assert_eq!(done.stdout, "migrations/002_c.sql -> migrations/003_c.sql\n");
    let output = run(&repository, &validate, 0);
    let base = repository.git(&["merge-base", "HEAD", "main"]);
    assert!(output.stdout.ends_with(&format!("1 file added since {}, and it is not late\n", &base[..7])), "{output}");
    let again = run(&repository, &["new", "--renumber", "--against", "main"], 0);
    assert!(again.stderr.contains("LIM-U057") && again.stdout.is_empty(), "{again}");
}

#[test]
fn a_database_is_looked_at_unless_somebody_says_not_to() {
    let repository = clashing();
    let url = ["--database", "sqlite:app.db"];
    run(&repository, &[&["migrate"][..], &url].concat(), 0);
    let refused = run(&repository, &[&["new", "--renumber", "--against", "main"][..], &url].concat(), 2);
    assert!(refused.stderr.contains("LIM-U056") && refused.stderr.contains("--files-only"), "{refused}");
    let both = run(&repository, &[&["validate", "--against", "main~1"][..], &url].concat(), 0);
    assert!(both.stdout.contains("valid: files and ledger agree; 1 file added since"), "{both}");
    // So is one that cannot be reached: it says what needs none.
    let away = run(&repository, &["validate", "--against", "main", "--database", "postgres://127.0.0.1:1/x"], 3);
    assert!(away.stderr.contains("look at files alone: --files-only"), "{away}");
    // A secret that is not there is not needed.
    repository.write(&[("limosa.toml", "database = \"env:NOT_SET_HERE\"\n")]);
    run(&repository, &["validate", "--against", "main"], 2);
    run(&repository, &["validate", "--against", "main", "--files-only"], 1);
    run(&repository, &["new", "--renumber", "--against", "main", "--files-only"], 0);
    let alone = run(&repository, &["validate", "--files-only"], 0);
    assert!(
        alone.stdout.contains("ok  migrations read  2") && alone.stdout.contains("no database was asked"),
        "{alone}"
    );
    let unnamed = limosa(repository.folder(), &["validate", "--config", "/dev/null"]).run().unwrap().assert_code(2);
    assert!(
        unnamed.stderr.contains("LIM-U094") && unnamed.stderr.contains("look at files alone: --files-only"),
        "{unnamed}"
    );
    run(&repository, &["new", "--renumber", "--repeatable"], 2);
    run(&repository, &["new"], 2);
}

#[test]
fn git_that_is_not_there_is_told() {
    let repository = clashing();
    let empty = Folder::new();
    for words in [&["validate", "--against", "main"][..], &["new", "--renumber"]] {
        let output = limosa(repository.folder(), words).env("PATH", empty.path()).run().unwrap().assert_code(2);
        assert!(output.stderr.contains("LIM-U130") && output.stderr.contains("install git"), "{output}");
    }
}

#[test]
fn a_folder_in_no_checkout_is_told() {
    let folder = Folder::new().file("migrations/001_a.sql", "select 1;");
    // Whatever stands above the folder for temporary files.
    let ceiling = folder.path().parent().unwrap().to_owned();
    let call = limosa(&folder, &["validate", "--against", "main"]).env("GIT_CEILING_DIRECTORIES", ceiling);
    let output = call.run().unwrap().assert_code(2);
    assert!(output.stderr.contains("LIM-U131") && output.stderr.contains("in no checkout"), "{output}");
}

#[test]
fn hooks_of_git_and_folders_below_are_no_hindrance() {
    let repository = clashing();
    repository.write(&[("below/README.md", "")]);
    let below = repository.folder().join("below");
    // What git tells a hook holds at the root of the checkout alone.
    let call = limosa(repository.folder(), &["validate", "--against", "main", "--dir", "../migrations"]);
    let call = call.in_folder(&below).env("GIT_DIR", ".git").env("GIT_INDEX_FILE", ".git/index");
    let output = call.run().unwrap().assert_code(1);
    assert!(output.stdout.contains("LIM-P022"), "{output}");
    // The folder may be a link to where the files are.
    symlink(repository.folder().join("migrations"), repository.folder().join("linked")).unwrap();
    let output = run(&repository, &["validate", "--against", "main", "--dir", "linked"], 1);
    assert!(output.stdout.contains("linked/002_c.sql has the version 2"), "{output}");
}

#[test]
fn names_of_branches_are_no_options_and_no_commands() {
    let repository = clashing();
    repository.git(&["branch", "x;touch${IFS}hit", "main"]);
    let output = run(&repository, &["validate", "--against", "x;touch${IFS}hit"], 1);
    assert!(output.stdout.contains("--against 'x;touch${IFS}hit'"), "{output}");
    let output = run(&repository, &["validate", "--against=--exec-path"], 2);
    assert!(output.stderr.contains("LIM-U132"), "{output}");
}
