//! `--output json`: exactly one document on standard output, whatever the end.

use limosa_testkit::{Folder, Limosa};
use serde_json::Value;

fn shop() -> Folder {
    Folder::new()
        .file(
            "migrations/001_users.sql",
            "create table users (id integer primary key);\n-- limosa:rollback\ndrop table users;\n",
        )
        .file("migrations/002_names.sql", "alter table users add column name text;\n")
        .file("seeds/001_people.sql", "insert or ignore into users (id) values (1);\n")
}

fn run(folder: &Folder, line: &str, code: i32) -> Value {
    let output = Limosa::new(super::LIMOSA)
        .in_folder(folder.path())
        .env("LIMOSA_DATABASE", "sqlite:app.db")
        .args(line.split(' '))
        .args(["--output", "json"])
        .run()
        .unwrap();
    assert_eq!(output.code, Some(code), "limosa {line}\n{output}");
    let json: Value =
        serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("limosa {line}: {error}\n{output}"));
    assert_eq!(json["schema_version"], 1, "limosa {line}\n{output}");
    assert_eq!(json["exit_code"], code, "limosa {line}\n{output}");
    let command = json["command"].as_str().unwrap_or_default();
    assert!(line.starts_with(command) && !command.is_empty(), "limosa {line} answers as '{command}'");
    json
}

#[test]
fn every_command_answers_with_one_document() {
    let folder = shop();
    run(&folder, "init", 0);
    run(&folder, "new third", 0);
    folder.write("migrations/003_third.sql", "create table third (id integer);\n");
    run(&folder, "init --print-ledger-sql", 0);
    run(&folder, "plan --sql", 0);
    assert_eq!(run(&folder, "plan", 0)["steps"].as_array().unwrap().len(), 3);
    run(&folder, "status --fail-on-pending", 1);
    let done = run(&folder, "migrate", 0);
    assert_eq!(done["outcome"], "done");
    assert_eq!(done["audit_head"]["hash"].as_str().unwrap().len(), 64);
    assert_eq!(run(&folder, "status", 0)["changes"][0]["state"], "applied");
    run(&folder, "history", 0);
    run(&folder, "validate", 0);
    run(&folder, "doctor", 0);
    run(&folder, "ready --at-least 3", 0);
    run(&folder, "ready --at-least 4", 1);
    run(&folder, "health", 0);
    run(&folder, "audit verify", 0);
    run(&folder, "config explain", 0);
    assert_eq!(run(&folder, "explain r002", 0)["codes"][0]["code"], "LIM-R002");
    run(&folder, "explain LIM-X999", 2);
    run(&folder, "repair", 0);
    run(&folder, "seed", 0);
    run(&folder, "backup", 0);
    run(&folder, "restore", 4);
    run(&folder, "restore --allow-data-loss app.db", 0);
    run(&folder, "clean --dry-run", 0);
    run(&folder, "reset --allow-data-loss app.db", 0);
    run(&folder, "clean --allow-data-loss app.db", 0);
    run(&folder, "baseline --to 2", 0);
    run(&folder, "completion bash", 0);
    run(&folder, "man migrate", 0);
}

#[test]
fn failures_are_documents_too() {
    let folder = shop();
    let wrong = run(&folder, "migrate --database sqlite:no/such/folder/app.db", 3);
    assert!(wrong["error"]["message"].as_str().is_some_and(|message| !message.is_empty()), "{wrong}");
    let unknown = run(&folder, "migrate --bogus", 2);
    assert!(unknown["error"]["message"].as_str().unwrap().contains("--bogus"), "{unknown}");
    let missing = run(&folder, "status --dir nowhere", 2);
    assert_eq!(missing["error"]["code"], "LIM-F900");
    folder.write("migrations/003_bad.sql", "create table x (id integer);\ninsert into y values (1);\n");
    let failed = run(&folder, "migrate", 3);
    assert_eq!(failed["outcome"], "stopped");
    assert_eq!(failed["error"]["labels"][0]["position"]["line"], 2, "{failed}");
    assert_eq!(failed["steps"].as_array().unwrap().len(), 3);
}

#[test]
fn health_is_json_without_being_asked_and_an_unreachable_database_is_an_answer() {
    let folder = shop();
    let url = format!("postgres://nobody@127.0.0.1:{}/x", limosa_testkit::free_port().unwrap());
    let output = Limosa::new(super::LIMOSA)
        .in_folder(folder.path())
        .args(["health", "--database", &url])
        .run()
        .unwrap()
        .assert_code(3);
    let json: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!((&json["ok"], &json["exit_code"]), (&Value::Bool(false), &Value::from(3)));
    assert!(!json["reason"].as_str().unwrap().is_empty());
}
