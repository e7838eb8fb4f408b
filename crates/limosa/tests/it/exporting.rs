//! The project in the form of another tool, and back again.

use std::path::{Path, PathBuf};

use limosa::report::ExportAnswer;
use limosa::{
    AdoptOptions, Configuration, ExportOptions, Failure, ForeignTool, Layout, LayoutChoice, MigrateOptions, Migrator,
    Selection, Stop,
};

use crate::answers::{back, done, quiet, refusal, words};
use crate::place::{Home, all_homes, newest_postgres, sqlite};

const TOOLS: [(&str, &str); 5] =
    [("flyway", "flyway"), ("golang-migrate", "up-down"), ("goose", "goose"), ("dbmate", "dbmate"), ("sqlx", "sqlx")];

fn options(word: &str, out: &Path) -> ExportOptions {
    ExportOptions { to: ForeignTool::of_word(word).unwrap(), out: out.to_owned(), write_ledger: false, dry_run: false }
}

async fn export(home: &Home, options: &ExportOptions) -> Result<ExportAnswer, Failure> {
    home.migrator().export(options, &quiet, Stop::new()).await
}

/// A reader of what was exported, whose ledger is another one.
fn reader(of: &Configuration, out: &Path, format: &str) -> Configuration {
    let layout = match format {
        "up-down" => Layout::UpDown,
        format => Layout::of_format(format).unwrap(),
    };
    Configuration {
        directories: vec![out.join("migrations")],
        layout: LayoutChoice::Given(layout),
        ledger_schema: "after_export".to_owned(),
        project: "after".to_owned(),
        ..of.clone()
    }
}

/// `verb excerpt` of each statement, migration by migration, repeatables apart.
async fn statements(configuration: &Configuration) -> Vec<(String, Vec<String>)> {
    let migrator = Migrator::new(configuration.clone());
    let plan = migrator.plan(&MigrateOptions::default()).await.unwrap_or_else(|failure| panic!("{failure:?}"));
    let lines = plan.steps.into_iter().filter(|step| step.version != "R").map(|step| {
        let statements = step.statements.into_iter().map(|it| format!("{} {}", it.verb, it.excerpt)).collect();
        (step.name.into(), statements)
    });
    lines.collect()
}

fn examples() -> Vec<(&'static str, Vec<PathBuf>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let all = |folders: &[&str]| folders.iter().map(|folder| root.join(folder)).collect();
    vec![
        ("market", all(&["market/src/infra/migrations", "market/src/infra/idempotency/migrations"])),
        ("warehouse", all(&["warehouse/migrations"])),
        ("event-store", all(&["event-store/src/main/resources/db/migration"])),
        ("articles", all(&["articles/drizzle/migrations"])),
    ]
}

#[tokio::test]
async fn exported_examples_hold_the_same_statements() {
    let mut exported_ones = 0;
    for home in [newest_postgres(), sqlite()] {
        for (example, folders) in examples() {
            let mut configuration = home.configuration();
            configuration.directories = folders;
            configuration.ignore_other_ledgers = true;
            configuration.values.all.insert("application_user".to_owned(), "app".to_owned());
            if Migrator::new(configuration.clone()).plan(&MigrateOptions::default()).await.is_err() {
                // It is written for another engine.
                continue;
            }
            let source = statements(&configuration).await;
            if source.is_empty() {
                continue;
            }
            exported_ones += 1;
            for (word, format) in TOOLS {
                let out = home.folder.join(&format!("{example}-{word}"));
                let migrator = Migrator::new(configuration.clone());
                migrator.export(&options(word, &out), &quiet, Stop::new()).await.unwrap_or_else(|failure| {
                    panic!("{example} to {word}: {failure:?}");
                });
                let mut read = reader(&configuration, &out, format);
                if word != "flyway" {
                    read.values.all.clear();
                }
                let exported = statements(&read).await;
                let only = |all: &[(String, Vec<String>)]| all.iter().map(|(_, it)| it.clone()).collect::<Vec<_>>();
                assert_eq!(only(&exported).len(), only(&source).len(), "{example} to {word}");
                for (one, other) in only(&exported).into_iter().zip(only(&source)) {
                    assert_eq!(one.len(), other.len(), "{example} to {word}");
                    // Where a value was put in, the words are others.
                    for (one, other) in one.iter().zip(&other).filter(|(_, other)| !other.contains("${")) {
                        assert_eq!(one, other, "{example} to {word}");
                    }
                }
            }
        }
    }
    assert!(exported_ones >= 6, "{exported_ones}");
}

#[tokio::test]
async fn variables_of_goose_are_written_as_what_they_stand_for() {
    for (word, _) in TOOLS {
        let home = sqlite();
        home.file(
            "1_a.sql",
            "-- +goose Up\n-- +goose ENVSUB ON\ncreate table ${NAME:-things} (n text default '\\$5');\n-- +goose ENVSUB OFF\n\
             insert into things values ('${NAME} $$');\n-- +goose Down\n-- +goose ENVSUB ON\ndrop table ${NAME:-things};\n",
        );
        let out = home.folder.join("out");
        let answer = export(&home, &options(word, &out)).await.unwrap_or_else(|failure| panic!("{word}: {failure:?}"));
        let texts: Vec<String> = std::fs::read_dir(out.join("migrations"))
            .unwrap()
            .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
            .collect();
        let text = texts.join("\n");
        for words in ["create table things (n text default '$5');", "values ('${NAME} $$')", "drop table things;"] {
            assert!(text.contains(words), "{word}: {text}");
        }
        assert_eq!(text.contains("placeholderReplacement=false"), word == "flyway", "{word}: {text}");
        assert!(!text.contains("ENVSUB") && answer.migrations.len() == 1, "{word}: {text}");
    }
}

#[tokio::test]
async fn the_ledger_says_that_nothing_is_pending() {
    for (word, format) in TOOLS {
        for home in all_homes() {
            home.file("001_a.sql", "create table a (n int);\n");
            home.file("001_a.rollback.sql", "drop table a;");
            home.file("002_b.sql", "create table b (n int);\ninsert into b values (1);\n");
            done(home.migrate().await);
            home.file("003_c.sql", "create table c (n int);\n");
            let out = home.folder.join("out");
            let answer = export(&home, &ExportOptions { write_ledger: true, ..options(word, &out) }).await;
            let answer = answer.unwrap_or_else(|failure| panic!("{word}: {failure:?}"));
            assert!(answer.ledger_written);
            let applied: Vec<bool> = answer.migrations.iter().map(|line| line.applied).collect();
            assert_eq!(applied, [true, true, false], "{word}");

            let next = Migrator::new(reader(&home.configuration(), &out, format));
            let adopted = next
                .adopt(
                    &AdoptOptions { from: ForeignTool::of_word(word), ..AdoptOptions::default() },
                    &quiet,
                    Stop::new(),
                )
                .await;
            let adopted = adopted.unwrap_or_else(|failure| panic!("{word}: {failure:?}"));
            assert_eq!(adopted.outcome, "done", "{word}: {}", words(&adopted.errors));
            let verdicts: Vec<&str> = adopted.migrations.iter().map(|line| line.verdict).collect();
            let known = if matches!(word, "flyway" | "sqlx") { "verified" } else { "stamped" };
            assert_eq!(verdicts, [known, known, "pending"], "{word}");
            assert_eq!(done(crate::answers::migrate(&next).await).steps.len(), 1, "{word}");

            // A second time the table is there.
            let again = ExportOptions { write_ledger: true, ..options(word, &home.folder.join("again")) };
            refusal(export(&home, &again).await, 4, &["LIM-U145", "is there already"]);
            assert!(!home.folder.join("again").exists(), "nothing is written then");
            assert_eq!(home.migrator().audit_verify(&[]).await.unwrap().exit_code, 0);
        }
    }
}

#[tokio::test]
async fn the_script_of_the_ledger_does_the_same() {
    for (word, _) in TOOLS {
        for home in crate::running::postgres_homes().into_iter().chain([sqlite()]) {
            home.file("001_a.sql", "create table a (n int);\n");
            done(home.migrate().await);
            let out = home.folder.join("out");
            let answer = export(&home, &options(word, &out)).await.unwrap();
            home.execute(&std::fs::read_to_string(out.join("ledger.sql")).unwrap());
            let rows = if word == "goose" { "2" } else { "1" };
            assert_eq!(home.rows(&format!("select count(*) from {}", answer.table)), [rows], "{word}");
        }
    }
}

#[tokio::test]
async fn what_the_tool_cannot_hold_is_listed_and_kept() {
    let home = newest_postgres();
    home.file("001_a.sql", "-- Depends-on:\n-- Tags: core\n-- Lock-timeout: 3s\ncreate table a (n int);\n");
    home.file("001_a.rollback.sql", "drop table a;");
    home.file(
        "002_b.sql",
        "-- Depends-on: 001\n-- Transaction: none\ncreate index concurrently a_n on a (n);\nselect '${who}';\n",
    );
    home.file("003_lite.sql", "-- Engines: sqlite\ncreate table lite (n int);\n");
    home.file("R__view.sql", "create or replace view v as select n from a;");
    let migrator = home.with(|configuration| {
        configuration.values.all.insert("who".to_owned(), "me".to_owned());
    });
    done(crate::answers::migrate(&migrator).await);
    home.file("001_a.rollback.sql", "drop table if exists a;");
    let out = home.folder.join("out");
    let answer = migrator.export(&options("goose", &out), &quiet, Stop::new()).await.unwrap();
    let lines: Vec<String> = answer.left.iter().map(|left| format!("{}: {}", left.what, left.why)).collect();
    for part in [
        "003 lite: it does not apply here",
        "R view: it is repeatable",
        "001 a: goose sets no time-outs",
        "001 a: goose knows no tags: core",
        "001 a: the way back that was recorded",
        "002 b: goose knows no dependencies: 1",
        "audit log: ",
        "placeholders who: ",
    ] {
        assert!(lines.iter().any(|line| line.starts_with(part)), "{part}: {lines:#?}");
    }
    let second = std::fs::read_to_string(out.join("migrations/002_b.sql")).unwrap();
    assert!(second.starts_with("-- +goose NO TRANSACTION\n-- +goose Up\n"), "{second}");
    assert!(second.contains("select 'me';") && second.contains("-- Depends-on: 001\n"), "{second}");
    let sidecar = std::fs::read_to_string(out.join("limosa-export.json")).unwrap();
    let sidecar: serde_json::Value = serde_json::from_str(&sidecar).unwrap();
    assert_eq!(sidecar["migrations"][0]["recorded_way_back"], "drop table a;");
    assert_eq!(sidecar["migrations"][3]["text"], "create or replace view v as select n from a;");
    assert_eq!(sidecar["left"].as_array().unwrap().len(), answer.left.len());
}

#[tokio::test]
async fn nothing_is_written_over_and_no_secret_is_written() {
    let home = sqlite();
    home.file("001_a.sql", "create table a (n text default '${token}');\n");
    refusal(export(&home, &options("goose", &home.folder.join("migrations"))).await, 2, &["LIM-U142"]);
    let secret = home.with(|configuration| {
        configuration.values.all.insert("token".to_owned(), "hunter2".to_owned());
        configuration.values.secret.insert("token".to_owned());
    });
    let out = home.folder.join("out");
    refusal(
        secret.export(&options("goose", &out), &quiet, Stop::new()).await,
        2,
        &["LIM-U143", "${token}", "001_a.sql"],
    );
    assert!(!out.exists());
    secret.export(&options("flyway", &out), &quiet, Stop::new()).await.unwrap();
    for file in ["migrations/V001__a.sql", "limosa-export.json", "ledger.sql"] {
        assert!(!std::fs::read_to_string(out.join(file)).unwrap().contains("hunter2"), "{file}");
    }
    let looking = ExportOptions { dry_run: true, ..options("flyway", &home.folder.join("looked")) };
    assert_eq!(secret.export(&looking, &quiet, Stop::new()).await.unwrap().outcome, "would");
    assert!(!home.folder.join("looked").exists());
}

#[tokio::test]
async fn data_for_copy_is_for_flyway_only_and_what_is_half_done_is_refused() {
    let home = newest_postgres();
    home.file("001_a.sql", "create table a (n int);\ncopy a from stdin;\n1\n\\.\n");
    for (word, _) in TOOLS {
        let result = export(&home, &options(word, &home.folder.join(word))).await;
        match word {
            "flyway" => assert_eq!(result.unwrap().outcome, "done"),
            _ => drop(refusal(result, 2, &["LIM-U143", "data for COPY"])),
        }
    }
    home.file("001_a.sql", "-- Transaction: none\ncreate table a (n int);\nselect wrong;\n");
    home.migrate().await.unwrap();
    refusal(export(&home, &options("goose", &home.folder.join("half"))).await, 4, &["LIM-U143", "half done"]);
}

#[tokio::test]
async fn versions_that_the_tool_cannot_hold_are_numbered_anew() {
    let home = sqlite();
    home.file("1.1_a.sql", "create table a (n int);\n");
    home.file("1.2_b.sql", "create table b (n int);\n");
    home.file("10_c.sql", "create table c (n int);\n");
    done(home.migrate().await);
    let consent = home.database();
    let _ = back(&home.migrator(), Selection::Steps(1), Some(&consent)).await;
    let versions =
        |answer: &ExportAnswer| answer.migrations.iter().map(|line| line.version.clone()).collect::<Vec<_>>();
    let goose = export(&home, &options("goose", &home.folder.join("goose"))).await.unwrap();
    assert_eq!(versions(&goose), ["0001", "0002", "0003"]);
    assert!(goose.left.iter().any(|left| left.why.contains("numbered anew")), "{:?}", goose.left);
    let flyway = export(&home, &options("flyway", &home.folder.join("flyway"))).await.unwrap();
    assert_eq!(versions(&flyway), ["1.1", "1.2", "10"]);
    let dbmate = sqlite();
    dbmate.file("7_a.sql", "create table a (n int);\n");
    dbmate.file("12_b.sql", "create table b (n int);\n");
    let answer = export(&dbmate, &options("dbmate", &dbmate.folder.join("out"))).await.unwrap();
    assert_eq!(versions(&answer), ["07", "12"]);
}
