//! What is told of files where no database is asked.

use limosa::report::FindingsAnswer;
use limosa::{Configuration, Migrator};
use limosa_testkit::Folder;

/// A migrator of the folder `migrations`; `database` is an address that nobody is to speak with.
fn migrator(folder: &Folder, database: &str) -> Migrator {
    let directories = vec![folder.path().join("migrations")];
    Migrator::new(Configuration { directories, ..Configuration::new(database) }).of_files()
}

fn codes(answer: &FindingsAnswer) -> Vec<String> {
    let letter = |finding: &limosa::Diagnostic| if finding.is_error() { 'E' } else { 'W' };
    answer.findings.iter().map(|finding| format!("{} {}", finding.code, letter(finding))).collect()
}

#[tokio::test]
async fn files_are_read_for_the_engine_that_is_named_and_else_for_all() {
    const NOBODY: &str = "postgres://nobody@127.0.0.1:1/nothing";
    for (files, database, expected) in [
        (&[("1_a.sql", "create table a (n int);"), ("2_b.sql", "create table b (n int);")][..], "", &[][..]),
        (&[("1_a.sql", "select 1;"), ("1_b.sql", "select 2;")], "", &["LIM-F016 E"]),
        // For one engine alone.
        (
            &[("1_a.sql", "-- Engines: mysql\nselect 1;"), ("1_b.sql", "-- Engines: mysql\nselect 2;")],
            "",
            &["LIM-F016 E"],
        ),
        (&[("1_a.sql", "-- Depends-on: 9\nselect 1;")], "", &["LIM-F020 E"]),
        (&[("1_a.sql", "-- Transaction: nonsense\nselect 1;")], "", &["LIM-F004 E"]),
        (&[("1_a.sql", "select 'never closed;")], "", &["LIM-S005 E"]),
        (&[("1_a.sql", "select $$ it's $$;")], "", &[]),
        (&[("1_a.sql", "select $$ it's $$;")], NOBODY, &[]),
        (&[("1_a.sql", "select $$ it's $$;")], "mysql://nobody@127.0.0.1:1/nothing", &["LIM-S005 E"]),
        (
            &[
                ("1_a.sql", "-- +goose Up\nselect 1;\n"),
                ("2_b.sql", "select 2;\n"),
                ("c.sql", "-- +goose Up\nselect 3;\n"),
                ("00004_d.go", ""),
            ],
            "",
            &["LIM-F038 E", "LIM-F001 W", "LIM-F034 W"],
        ),
    ] {
        let folder =
            files.iter().fold(Folder::new(), |folder, (name, text)| folder.file(&format!("migrations/{name}"), text));
        let answer = migrator(&folder, database).validate_files().await.unwrap();
        assert_eq!(codes(&answer), expected, "{files:?} {database} {answer:?}");
        assert_eq!(answer.exit_code, u8::from(expected.iter().any(|code| code.ends_with('E'))));
        assert!(answer.target.is_none() && answer.checks.len() == 1);
    }
    let failure = migrator(&Folder::new(), "").validate_files().await.unwrap_err();
    assert_eq!(u8::from(failure.exit), 2, "{failure}");
}

#[tokio::test]
async fn what_its_tool_would_pass_over_is_told_beside_another_branch_too() {
    let goose = "-- +goose Up\nselect 1;\n";
    let repository = crate::branches::parted(
        &[("migrations/00001_a.sql", goose)],
        &[],
        &[("migrations/00002_b.sql", "select 2;\n"), ("migrations/c.sql", goose)],
    );
    let answer = crate::branches::against(&repository, "main").await.unwrap();
    assert_eq!((answer.exit_code, codes(&answer)), (1, vec!["LIM-F038 E".to_owned(), "LIM-F001 W".to_owned()]));
}
