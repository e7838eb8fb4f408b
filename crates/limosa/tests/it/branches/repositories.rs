//! Checkouts of every kind, and what cannot be compared.

use limosa::Migrator;
use limosa_testkit::{Folder, Repository};

use super::{against, configuration, parted, said};
use crate::answers::refusal;

const ONE: (&str, &str) = ("migrations/001_a.sql", "select 1;");
const TWO: (&str, &str) = ("migrations/002_b.sql", "select 2;");

#[tokio::test]
async fn bad_references_are_told() {
    let repository = parted(&[ONE], &[TWO], &[]);
    for (reference, words) in [
        ("nowhere", &["LIM-U132", "'nowhere'", "git fetch --all"][..]),
        ("origin/main", &["LIM-U132", "git fetch origin main"]),
        ("--output=x", &["LIM-U132", "is no branch"]),
        ("", &["LIM-U132"]),
        ("a\nb", &["LIM-U132"]),
        ("HEAD:migrations", &["LIM-U132"]),
        ("main main", &["LIM-U132"]),
    ] {
        refusal(against(&repository, reference).await, 2, words);
    }
    assert!(!repository.folder().join("x").exists());
    let commit = repository.git(&["rev-parse", "main"]);
    for reference in [commit.as_str(), &commit[..8], "main~0", "refs/heads/main"] {
        assert_eq!(against(&repository, reference).await.unwrap().exit_code, 0, "{reference}");
    }
}

#[tokio::test]
async fn places_without_history_are_told() {
    let empty = Repository::new();
    empty.write(&[ONE]);
    refusal(against(&empty, "main").await, 2, &["LIM-U132", "no commit yet"]);
    // Two checkouts at once.
    let [one, other] = [parted(&[ONE], &[], &[]), parted(&[ONE], &[], &[])];
    let mut both = configuration(&one);
    both.directories.push(other.folder().join("migrations"));
    refusal(Migrator::new(both).validate_against("main").await, 2, &["LIM-U131", "outside of the checkout"]);
    // No folder on any side.
    let without = parted(&[("README.md", "x")], &[], &[]);
    refusal(against(&without, "main").await, 2, &["LIM-F900"]);
    // Histories that have nothing in common.
    one.git(&["checkout", "--quiet", "--orphan", "new"]);
    one.commit(&[("migrations/004_x.sql", "select 4;")]);
    refusal(against(&one, "main").await, 2, &["LIM-U133", "no commit in common"]);
}

#[tokio::test]
async fn a_shallow_clone_says_how_to_get_the_rest() {
    let source = parted(&[ONE], &[TWO], &[("migrations/003_c.sql", "select 3;")]);
    let clone = Repository::clone_of(&source, &["--depth=1", "--no-single-branch", "--branch=work"]);
    refusal(against(&clone, "origin/main").await, 2, &["LIM-U133", "shallow", "git fetch --unshallow"]);
    let narrow = Repository::clone_of(&source, &["--depth=1", "--branch=work"]);
    refusal(against(&narrow, "origin/main").await, 2, &["LIM-U132", "git fetch origin main", "--unshallow"]);
    clone.git(&["fetch", "--quiet", "--unshallow"]);
    assert_eq!(against(&clone, "origin/main").await.unwrap().exit_code, 0);
}

#[tokio::test]
async fn submodules_and_links_are_told() {
    let inner = parted(&[("001_a.sql", "select 1;")], &[], &[]);
    let outer = Repository::new();
    outer.commit(&[("README.md", "x")]);
    let source = format!("file://{}", inner.folder().path().display());
    outer.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &source, "migrations"]);
    outer.commit(&[]);
    refusal(against(&outer, "main").await, 2, &["LIM-U131", "submodule"]);

    let repository = parted(&[ONE, ("elsewhere/002_b.sql", "select 2;")], &[], &[]);
    #[cfg(unix)]
    std::os::unix::fs::symlink("../elsewhere/002_b.sql", super::path(&repository, "002_b.sql")).unwrap();
    repository.commit(&[]);
    repository.git(&["tag", "linked"]);
    let answer = against(&repository, "linked").await.unwrap();
    assert!(said(&repository, &answer).starts_with("0\nLIM-U135 W 002_b.sql is a symbolic link at"), "{answer:?}");
}

#[tokio::test]
async fn checkouts_of_every_shape_are_read() {
    let repository = parted(&[ONE], &[TWO], &[("migrations/003_ü ß.sql", "select 3;")]);
    // From hooks git says where it is, and may say it so that it is wrong elsewhere; a worktree has its own HEAD.
    let tree = Folder::new();
    let place = tree.join("tree");
    repository.git(&["worktree", "add", "--quiet", "--detach", place.to_str().unwrap(), "work"]);
    let mut configuration = configuration(&repository);
    configuration.directories = vec![place.join("migrations")];
    let answer = Migrator::new(configuration.clone()).validate_against("main").await.unwrap();
    assert_eq!((answer.exit_code, answer.against.unwrap().added), (0, 1));
    // A folder that is the root, one in another, and one that is gone here.
    let root = parted(&[("001_a.sql", "select 1;")], &[("deep/er/002_b.sql", "select 2;")], &[]);
    configuration.directories = vec![root.folder().path().to_owned()];
    assert_eq!(Migrator::new(configuration.clone()).validate_against("main").await.unwrap().exit_code, 0);
    configuration.directories = vec![repository.folder().join("migrations")];
    repository.git(&["rm", "-r", "--quiet", "migrations"]);
    let answer = Migrator::new(configuration).validate_against("main").await.unwrap();
    assert!(said(&repository, &answer).contains("LIM-P025 E 001_a.sql is gone here"), "{answer:?}");
}
