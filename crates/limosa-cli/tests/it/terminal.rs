//! On a terminal: questions are asked. `script` of util-linux gives the command a terminal of its own.

use std::io::Write;
use std::process::{Command, Stdio};

use limosa_testkit::Folder;

/// Runs a command on a terminal and types what it is to read; None where this machine has no `script` that can.
fn on_a_terminal(folder: &Folder, words: &str, typed: &str) -> Option<(i32, String)> {
    let line = format!("{} {words}", super::LIMOSA);
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--echo", "never", "--command", &line, "/dev/null"]);
    command
        .current_dir(folder.path())
        .env("LIMOSA_DATABASE", "sqlite:app.db")
        .env("TERM", "xterm")
        .env_remove("NO_COLOR");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    let mut stdin = child.stdin.take()?;
    stdin.write_all(typed.as_bytes()).ok()?;
    let output = child.wait_with_output().ok()?;
    drop(stdin);
    let text = String::from_utf8_lossy(&output.stdout).replace('\r', "");
    // Another `script` than that of util-linux refuses these options before it runs anything.
    (text.contains("limosa") || text.contains("database")).then(|| (output.status.code().unwrap_or(-1), text))
}

fn shop() -> Folder {
    let folder = Folder::new().file(
        "migrations/001_users.sql",
        "create table users (id integer primary key);\n-- limosa:rollback\ndrop table users;\n",
    );
    let output = limosa_testkit::Limosa::new(super::LIMOSA)
        .in_folder(folder.path())
        .args(["migrate", "--database", "sqlite:app.db"])
        .run()
        .unwrap();
    let _ = output.assert_code(0);
    folder
}

#[test]
fn the_name_of_the_database_is_asked_for() {
    let folder = shop();
    let Some((code, text)) = on_a_terminal(&folder, "rollback", "other.db\n") else { return };
    assert_eq!(code, 4, "{text}");
    assert!(text.contains("type the name of the database") && text.contains("you named 'other.db'"), "{text}");
    let (code, text) = on_a_terminal(&folder, "rollback", "\n").unwrap();
    assert!(code == 4 && text.contains("nothing was typed"), "{text}");
    let (code, text) = on_a_terminal(&folder, "rollback", "app.db\n").unwrap();
    assert!(code == 0 && text.contains("1 migration taken back"), "{text}");
}

#[test]
fn which_of_several_formats_is_meant_is_asked_once() {
    let folder = Folder::new()
        .file(
            "migrations/00001_users.sql",
            "-- +goose Up\ncreate table users (id integer);\n-- +goose Down\ndrop table users;\n",
        )
        .file(
            "migrations/00002_more.sql",
            "-- +goose Up\ncreate table more (id integer);\n-- +goose Down\ndrop table more;\n",
        )
        .file("migrations/V1__other.sql", "create table other (id integer);\n")
        .file("migrations/V2__others.sql", "create table others (id integer);\n")
        .file("migrations/V3__third.sql", "create table third (id integer);\n");
    // Nothing typed, or the end: as where nobody can be asked.
    for typed in ["\n", "\u{4}"] {
        let Some((code, text)) = on_a_terminal(&folder, "migrate", typed) else { return };
        assert!(code == 2 && text.contains("LIM-F043") && text.contains("--format goose or --format flyway"), "{text}");
        assert!(text.contains("  goose   2 files, such as migrations/00001_users.sql\n"), "{text}");
        assert!(text.contains("  flyway  3 files, such as migrations/V1__other.sql\n"), "{text}");
    }
    for words in ["migrate --output json", "migrate --yes"] {
        let (code, text) = on_a_terminal(&folder, words, "goose\n").unwrap();
        assert!(code == 2 && text.contains("LIM-F043") && !text.contains("is meant?"), "{text}");
    }
    for words in ["status", "plan", "doctor", "health --output text", "migrate", "validate"] {
        let (code, text) = on_a_terminal(&folder, words, "oracle\nGoose\n").unwrap();
        assert!(text.contains("'oracle' is none of them: goose, flyway"), "{words}: {text}");
        assert!(text.contains("to be asked no more: --format goose"), "{words}: {text}");
        assert!(!text.contains("LIM-F043"), "{words}: {text}");
        assert!(matches!((words, code), ("status" | "plan", 0 | 1) | (_, 0)), "{words}: {code} {text}");
    }
    let (code, text) = on_a_terminal(&folder, "migrate", "goose\n").unwrap();
    assert!(code == 0 && text.contains("nothing to do"), "{text}");
    let (_, text) = on_a_terminal(&folder, "status", "flyway\n").unwrap();
    assert!(text.contains("third"), "{text}");
    // Nothing is dropped before it is known what is to be run.
    let (code, text) = on_a_terminal(&folder, "reset --allow-data-loss app.db", "\n").unwrap();
    assert!(code == 2 && text.contains("LIM-F043") && !text.contains("emptied"), "{text}");
    let (code, text) = on_a_terminal(&folder, "reset --allow-data-loss app.db", "goose\n").unwrap();
    assert!(code == 0 && text.contains("2 migrations applied"), "{text}");
}

#[test]
fn a_terminal_has_colours_and_a_moving_line_that_is_gone_at_the_end() {
    let folder = shop();
    folder.write("migrations/002_more.sql", "create table more (id integer);\nselect 1;\n");
    let Some((code, text)) = on_a_terminal(&folder, "migrate", "") else { return };
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("\u{1b}[32mdone: 1 migration applied"), "{text:?}");
    assert!(text.contains("002 more ... "), "{text:?}");
}

#[test]
fn a_backup_and_a_restore_move_a_line_on_a_terminal_and_only_there() {
    let folder = shop();
    let Some((code, text)) = on_a_terminal(&folder, "backup", "") else { return };
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("backup: ") && text.contains("backup backups/app-"), "{text:?}");
    let (code, text) = on_a_terminal(&folder, "restore --allow-data-loss app.db", "").unwrap();
    assert!(code == 0 && text.contains("restore: ") && text.contains("restored from"), "{text:?}");
    // What is taken for an answer, or goes to a log, has no such line.
    let output = limosa_testkit::Limosa::new(super::LIMOSA)
        .in_folder(folder.path())
        .args(["backup", "--database", "sqlite:app.db"])
        .run()
        .unwrap()
        .assert_code(0);
    assert!(output.stdout.starts_with("backup backups/app-") && output.stdout.lines().count() == 1, "{output}");
    assert!(!output.stderr.contains("backup: "), "{output}");
}
