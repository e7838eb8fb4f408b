//! The audit log: what it holds, that it cannot be changed unseen, anchors.

use limosa::{AuditHead, Repair, Secret, Selection, Stop};

use crate::answers::{done, failed, findings, id, migrate, quiet, refusal, steps, to, version};
use crate::place::{Home, all_homes, homes};

fn table(name: &str) -> String {
    format!("create table {name} (id int);\n-- limosa:rollback\ndrop table {name};\n")
}

/// A history of many kinds of operations; failures among them.
async fn eventful(home: &Home) {
    home.file("001_a.sql", &table("a"));
    home.file("002_b.sql", &table("b"));
    home.migrator().baseline(&version("1"), false, &quiet, Stop::new()).await.unwrap();
    home.repair(Repair::MarkNotApplied(id("1"))).await.unwrap();
    done(home.migrate().await);
    home.file("003_c.sql", "insert into nowhere values ('back\\\\slash', 'line\nbreak', 'Grüße 🦤');");
    failed(&home.migrate().await, 3, &["nowhere"]);
    home.file("003_c.sql", &table("c"));
    done(home.migrate().await);
    done(home.rollback(Selection::Steps(2)).await);
    home.repair(Repair::MarkApplied(id("2"))).await.unwrap();
    home.folder.write("seeds/001_s.sql", "insert into a values (1);");
    done(home.migrator().seed(&home.folder.join("seeds"), false, &quiet, Stop::new()).await);
}

async fn verify(home: &Home, heads: &[AuditHead]) -> (u8, String) {
    let answer = home.migrator().audit_verify(heads).await.unwrap();
    (answer.exit_code, findings(&answer))
}

fn head(home: &Home) -> AuditHead {
    let row = home.rows(&format!("select sequence, hash from {}", home.table("audit_head"))).remove(0);
    let (sequence, hash) = row.split_once('|').unwrap();
    AuditHead { sequence: sequence.parse().unwrap(), hash: hash.to_owned() }
}

#[tokio::test]
async fn a_run_names_the_head_that_its_last_statement_outside_of_transactions_left() {
    for home in homes() {
        home.file("001_a.sql", &format!("-- Transaction: none\n{}", table("a")));
        home.file("002_b.sql", "create table b (id int);\nvacuum;\n-- limosa:rollback\nvacuum;\ndrop table b;\n");
        for _ in ["001", "002"] {
            let answer = done(home.migrator().migrate(&steps(1), &quiet, Stop::new()).await);
            assert_eq!(answer.audit_head, Some(head(&home)));
        }
        assert_eq!(done(home.rollback(Selection::Steps(1)).await).audit_head, Some(head(&home)));
    }
}

#[tokio::test]
async fn the_chain_holds_after_many_kinds_of_operations() {
    for home in all_homes() {
        eventful(&home).await;
        let (exit, text) = verify(&home, &[]).await;
        assert_eq!(exit, 0, "{text}");
        let history = home.migrator().history(100).await.unwrap();
        let told: Vec<String> = history
            .operations
            .iter()
            .rev()
            .map(|row| format!("{} {} {}", row.operation, row.identity.as_deref().unwrap_or("-"), row.outcome))
            .collect();
        assert_eq!(
            told,
            [
                "baseline 1 done",
                "repair 1 done",
                "apply 1 done",
                "apply 2 done",
                "apply 3 failed",
                "apply 3 done",
                "revert 3 done",
                "revert 2 done",
                "repair 2 done",
                "apply seed:1 done"
            ]
        );
        let failure = history.operations.iter().find(|row| row.outcome == "failed").unwrap();
        assert!(failure.detail["error"].as_str().unwrap().contains("nowhere"), "{failure:?}");
        assert_eq!(failure.actor, "tester@here");
        assert_eq!(history.operations[0].sequence, head(&home).sequence);
        assert_eq!(home.migrator().history(3).await.unwrap().operations.len(), 3);
    }
}

#[tokio::test]
async fn every_tampering_is_found() {
    for home in all_homes() {
        eventful(&home).await;
        let anchor = head(&home);
        let log = home.table("audit_log");
        let heads = home.table("audit_head");
        // Each is tried alone, on a copy that is brought back.
        home.execute(&format!("create table copy_of_log as select * from {log}"));
        home.execute(&format!("create table copy_of_head as select * from {heads}"));
        let shift = format!(
            "update {log} set sequence = -sequence where sequence >= 5; update {log} set sequence = 1 - sequence where sequence < 0"
        );
        let forged = "project, 5, at, actor, operation, identity, outcome, detail, previous_hash, hash";
        for (what, sql, wanted) in [
            ("actor", format!("update {log} set actor = 'eve' where sequence = 3"), "row 3 was changed"),
            (
                "time",
                format!("update {log} set at = '2001-01-01T00:00:00.000Z' where sequence = 3"),
                "row 3 was changed",
            ),
            (
                "outcome",
                format!("update {log} set outcome = 'done' where outcome = 'failed'"),
                "was changed after it was written",
            ),
            ("detail", format!("update {log} set detail = '{{}}' where sequence = 4"), "row 4 was changed"),
            ("identity", format!("update {log} set identity = null where sequence = 4"), "row 4 was changed"),
            ("hash", format!("update {log} set hash = '0' where sequence = 4"), "row 4 was changed"),
            ("previous hash", format!("update {log} set previous_hash = '' where sequence = 4"), "row 4 was changed"),
            ("delete", format!("delete from {log} where sequence = 4"), "row 5 stands where row 4 must stand"),
            ("delete the first", format!("delete from {log} where sequence = 1"), "row 2 stands where row 1"),
            ("delete all", format!("delete from {log}"), "the log ends at row 0"),
            (
                "delete all and the head",
                format!("delete from {log}; delete from {heads}"),
                "the log ends at row 0, but row",
            ),
            (
                "insert",
                format!("{shift}; insert into {log} select {forged} from {log} where sequence = 4"),
                "row 5 was changed",
            ),
            (
                "reorder",
                format!(
                    "update {log} set sequence = -1 where sequence = 4; update {log} set sequence = 4 where sequence = 5; \
                     update {log} set sequence = 5 where sequence = -1"
                ),
                "row 4 was changed",
            ),
            ("cut", format!("delete from {log} where sequence > 6"), "the log ends at row 6"),
            (
                "cut, and the head with it",
                format!(
                    "delete from {log} where sequence > 6; update {heads} set sequence = 6, \
                     hash = (select hash from {log} where sequence = 6)"
                ),
                "the log ends at row 6, but row",
            ),
            ("head", format!("update {heads} set sequence = sequence + 1"), "the head names row"),
            ("head's hash", format!("update {heads} set hash = 'x'"), "the head names row"),
        ] {
            home.execute(&sql);
            let (exit, text) = verify(&home, std::slice::from_ref(&anchor)).await;
            assert_eq!(exit, 1, "{what}");
            assert!(text.contains("LIM-U013") && text.contains(wanted), "{what}: {text}");
            home.execute(&format!(
                "delete from {log}; insert into {log} select * from copy_of_log; \
                 delete from {heads}; insert into {heads} select * from copy_of_head"
            ));
            assert_eq!(verify(&home, std::slice::from_ref(&anchor)).await.0, 0, "{what}, brought back");
        }
        // A log that was cut with its head is whole without an anchor: that is what anchors are for.
        home.execute(&format!(
            "delete from {log} where sequence > 6; update {heads} set sequence = 6, hash = (select hash from {log} where sequence = 6)"
        ));
        assert_eq!(verify(&home, &[]).await.0, 0);
        let other = AuditHead { sequence: 6, hash: "0".repeat(64) };
        let (exit, text) = verify(&home, &[other]).await;
        assert!(exit == 1 && text.contains("row 6 has another hash than its anchor"), "{text}");
    }
}

/// The server's hash is what `limosa_core::row_hash` says, whatever the texts hold.
#[tokio::test]
async fn the_server_hashes_as_the_checker_does() {
    let odd = [
        "plain",
        "back\\slash",
        "two\\\\",
        "a\\n is not a line",
        "line\nbreak\n",
        "\r\n",
        "Grüße, 日本, 🦤",
        "'quotes\" and $1 ?1 %s",
        "tab\tand \u{1}",
    ];
    for home in all_homes() {
        for (at, text) in odd.iter().enumerate() {
            home.file(&format!("{}_x.sql", at + 1), "select 1;");
            let strange = |it: &mut limosa::Configuration| {
                it.actor = format!("{text}@host");
                it.project = format!("project {text}");
            };
            let migrator = home.with(strange);
            done(migrate(&migrator).await);
            // A failure puts the server's words, and so any text, into the detail.
            let name = text.replace('"', "\"\"");
            home.folder.write("odd/1_f.sql", format!("select 1 from \"{name}\";"));
            let failing = home.with(|it| {
                strange(it);
                it.directories = vec![home.folder.join("odd")];
                it.out_of_order = limosa::OutOfOrder::Allow;
                it.project.push_str(" too");
            });
            failed(&migrate(&failing).await, 3, &["LIM-R002"]);
            for migrator in [&migrator, &failing] {
                let answer = migrator.audit_verify(&[]).await.unwrap();
                assert_eq!(answer.exit_code, 0, "{text:?}: {}", findings(&answer));
            }
        }
    }
}

#[tokio::test]
async fn anchors_are_appended_and_checked() {
    for home in all_homes() {
        let file = home.folder.join("anchors");
        let anchored = home.with(|it| {
            it.anchor_file = Some(file.clone());
            it.anchor_key = Some(Secret::new("the key"));
        });
        home.file("001_a.sql", &table("a"));
        home.file("002_b.sql", &table("b"));
        let missing = anchored.audit_verify(&[]).await;
        refusal(missing, 2, &["LIM-U011", "cannot be read"]);
        let answer = anchored.migrate(&to("1"), &quiet, Stop::new()).await.unwrap();
        done(migrate(&anchored).await);
        let text = home.folder.read("anchors");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2);
        let words: Vec<&str> = lines[0].split(' ').collect();
        assert_eq!((words[0], words[1], words[2]), ("default", "1", answer.audit_head.unwrap().hash.as_str()));
        assert_eq!(words[3].len(), 64);
        let verified = anchored.audit_verify(&[]).await.unwrap();
        assert_eq!(verified.exit_code, 0);
        assert!(verified.checks.iter().any(|check| check.seen.starts_with("0 rows after the last anchor")));
        assert!(!format!("{verified:?}{text}").contains("the key"));

        // Without anchors the newer rows are called so.
        done(home.rollback(Selection::Steps(1)).await);
        let verified = anchored.audit_verify(&[]).await.unwrap();
        assert_eq!(verified.exit_code, 0);
        assert!(verified.checks.iter().any(|check| check.result == "note" && check.seen.starts_with("1 rows after")));

        // A line without the key's mark is not believed, nor one of another key; other projects' lines are their affair.
        let forged = format!("{text}wiki 99 00\ndefault 2 {}\n", "0".repeat(64));
        home.folder.write("anchors", &forged);
        let found = anchored.audit_verify(&[]).await.unwrap();
        assert_eq!(found.exit_code, 1);
        assert!(findings(&found).contains("the anchor of row 2 is not authentic"), "{}", findings(&found));
        home.folder.write("anchors", &text);
        let other = home.with(|it| {
            it.anchor_file = Some(file.clone());
            it.anchor_key = Some(Secret::new("another key"));
        });
        assert_eq!(other.audit_verify(&[]).await.unwrap().exit_code, 1);
        // Without the key the lines still count as anchors.
        let keyless = home.with(|it| it.anchor_file = Some(file.clone()));
        assert_eq!(keyless.audit_verify(&[]).await.unwrap().exit_code, 0);

        // A whole history that was written anew is found by its anchors.
        let (log, heads) = (home.table("audit_log"), home.table("audit_head"));
        home.execute(&format!(
            "delete from {log}; delete from {heads}; delete from {}",
            home.table("schema_migrations")
        ));
        home.execute("drop table a");
        done(home.migrate().await);
        let found = anchored.audit_verify(&[]).await.unwrap();
        assert!(findings(&found).contains("row 1 has another hash than its anchor"), "{}", findings(&found));
    }
}

#[tokio::test]
async fn every_command_that_records_appends_its_anchor() {
    for home in all_homes() {
        let migrator = home.with(|it| it.anchor_file = Some(home.folder.join("anchors")));
        home.file("001_a.sql", &table("a"));
        home.file("002_b.sql", &table("b"));
        migrator.baseline(&version("1"), false, &quiet, Stop::new()).await.unwrap();
        migrator.repair(&Repair::MarkNotApplied(id("1")), false, &quiet, Stop::new()).await.unwrap();
        done(migrate(&migrator).await);
        home.folder.write("seeds/001_s.sql", "insert into a values (1);");
        done(migrator.seed(&home.folder.join("seeds"), false, &quiet, Stop::new()).await);
        done(crate::answers::back(&migrator, Selection::Steps(1), Some(&home.database())).await);
        migrator.clean(Some(&home.database()), false, &quiet, Stop::new()).await.unwrap();
        let text = home.folder.read("anchors");
        let numbers: Vec<&str> = text.lines().map(|line| line.split(' ').nth(1).unwrap()).collect();
        assert_eq!(numbers, ["1", "2", "4", "5", "6", "7"]);
        assert_eq!(migrator.audit_verify(&[]).await.unwrap().exit_code, 0);
    }
}

#[tokio::test]
async fn an_anchor_that_cannot_be_written_is_a_warning_with_the_line() {
    for home in all_homes() {
        home.file("001_a.sql", &table("a"));
        home.folder.write("file", "");
        let migrator = home.with(|it| it.anchor_file = Some(home.folder.join("file/anchors")));
        let answer = done(migrate(&migrator).await);
        assert_eq!(answer.notices[0].code, "LIM-U010");
        assert!(answer.notices[0].help.as_ref().unwrap().contains(&answer.audit_head.unwrap().hash));
    }
}
