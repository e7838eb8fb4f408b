//! Liquibase: each change is verified by its checksum, and given back as Liquibase would have written it. The checksums are those that
//! Liquibase 4.33.0 made of these changes.

use super::{adopt, go_back, verdicts};
use crate::answers::{done, labels, words};
use crate::place::{Home, all_homes};

const FIRST: &str = "--liquibase formatted sql\n\n--changeset ann:1\n--comment: the first\ncreate table a (n integer);\n--rollback drop table a;\n";
const SECOND: &str = "--changeset ann:2\ninsert into a\n  values (1);\n";
const MADE: [&str; 2] = ["9:d84bc65b36aa8a8303bb1c7bd0825d50", "9:45cafeec32d4f625d26172383407a133"];

/// As Liquibase leaves it that was given the folder above.
fn migrated(home: &Home) {
    home.execute(&format!(
        "create table databasechangelog (id varchar(255) not null, author varchar(255) not null, filename varchar(255) not null, \
         dateexecuted timestamp not null, orderexecuted int not null, exectype varchar(10) not null, md5sum varchar(35), \
         description varchar(255), comments varchar(255), tag varchar(255), liquibase varchar(20), contexts varchar(255), \
         labels varchar(255), deployment_id varchar(10)); \
         insert into databasechangelog values ('1', 'ann', 'db/a.sql', current_timestamp, 1, 'EXECUTED', '{}', 'sql', 'the first', null, \
         '4.33.0', null, null, '5681086217'), ('log', 'ann', 'db/a.sql', current_timestamp, 2, 'RERAN', '9:00', 'sql', '', null, '4.33.0', \
         null, null, '5681086217'); create table a (n integer)",
        MADE[0]
    ));
}

#[tokio::test]
async fn changes_are_verified_and_given_back() {
    for home in all_homes() {
        let always = "--changeset ann:log runAlways:true\nselect 1;\n";
        home.file("a.sql", &format!("{FIRST}{SECOND}{always}"));
        migrated(&home);
        let answer = adopt(&home).await.unwrap();
        assert_eq!(
            verdicts(&answer),
            [
                "verified 0001 1",
                "pending 0002 2",
                "pending R a.sql::log::ann: its text was changed since it ran: it runs again"
            ],
            "{}",
            words(&answer.errors)
        );
        assert!(answer.notices.is_empty(), "{}", words(&answer.notices));
        assert_eq!(labels(&done(home.migrate().await)), ["0002", "R"]);
        go_back(&home).await.unwrap();
        assert_eq!(home.rows("select exectype from databasechangelog where id = 'log'"), ["RERAN"]);
        let row = "select concat(id, '|', author, '|', filename, '|', orderexecuted, '|', exectype, '|', md5sum, '|', description, '|', comments, '|', \
                   liquibase, '|', coalesce(contexts, '-'), '|', coalesce(labels, '-'), '|', length(deployment_id)) from databasechangelog where id = '2'";
        assert_eq!(home.rows(row), [format!("2|ann|db/a.sql|3|EXECUTED|{}|sql||4.33.0|-|-|10", MADE[1])]);
        let again = adopt(&home).await.unwrap();
        assert_eq!(verdicts(&again), ["verified 0001 1", "verified 0002 2", "verified R a.sql::log::ann"]);
        assert_eq!(labels(&done(home.migrate().await)), ["R"], "it runs with each run");
    }
}

#[tokio::test]
async fn a_changed_text_has_diverged_unless_it_is_allowed() {
    for home in all_homes() {
        migrated(&home);
        let changed = FIRST.replace("integer", "bigint");
        home.file("a.sql", &changed);
        let answer = adopt(&home).await.unwrap();
        assert_eq!(answer.exit_code, 4);
        let said = words(&answer.errors);
        assert!(said.contains("LIM-U114") && said.contains("a.sql"), "{said}");
        home.file("a.sql", &changed.replace("--comment", "--validCheckSum: ANY\n--comment"));
        let verified = "verified 0001 1: the same but for what validCheckSum allows";
        assert_eq!(
            verdicts(&adopt(&home).await.unwrap()),
            [verified, "missing db/a.sql::log::ann log: no file defines it"]
        );
    }
}

#[tokio::test]
async fn old_rules_are_known_or_say_so() {
    for (recorded, expected) in [
        ("8:2c21cb1c52d22f7ebd9cc2376c838691", "verified 0001 1"),
        (
            "7:2c21cb1c52d22f7ebd9cc2376c838691",
            "stamped 0001 1: a Liquibase before 3.5 made its checksum, by a rule that is not known here",
        ),
    ] {
        let home = crate::place::sqlite();
        migrated(&home);
        home.execute(&format!("update databasechangelog set md5sum = '{recorded}' where id = '1'"));
        home.file("a.sql", FIRST);
        assert_eq!(verdicts(&adopt(&home).await.unwrap())[0], expected);
    }
}

#[tokio::test]
async fn what_ran_again_or_counted_is_given_back_as_such() {
    for home in all_homes() {
        migrated(&home);
        home.execute("delete from databasechangelog where id = 'log'");
        let again = |value: u64| {
            let counted = "--changeset ann:c\n--preconditions onFail:MARK_RAN\n--precondition-sql-check expectedResult:1 select 0\nselect 1;\n";
            format!("{FIRST}{counted}--changeset ann:again runOnChange:true\ninsert into a values ({value});\n")
        };
        home.file("a.sql", &again(1));
        adopt(&home).await.unwrap();
        done(home.migrate().await);
        go_back(&home).await.unwrap();
        adopt(&home).await.unwrap();
        home.file("a.sql", &again(2));
        done(home.migrate().await);
        go_back(&home).await.unwrap();
        let rows = "select concat(id, '|', orderexecuted, '|', exectype) from databasechangelog order by orderexecuted";
        assert_eq!(home.rows(rows), ["1|1|EXECUTED", "c|2|MARK_RAN", "again|3|RERAN"]);
        assert_eq!(home.rows("select n from a order by n"), ["1", "2"]);
        let answer = adopt(&home).await.unwrap();
        assert_eq!((answer.counts.verified, answer.counts.pending), (3, 0), "{:?}", verdicts(&answer));
    }
}

/// Rows as Liquibase 4.33.0 has written them, but for the checksums.
#[tokio::test]
async fn logical_paths_contexts_and_labels_are_given_back_as_liquibase_writes_them() {
    for home in all_homes() {
        home.file(
            "changelog.yaml",
            "databaseChangeLog:\n- logicalFilePath: root/logical.yaml\n- contextFilter: Root or test\n\
             - include: {file: a.sql, contextFilter: 'Test, prod', labels: 'Inc, b'}\n- include: {file: b.sql}\n- include: {file: raw.sql}\n",
        );
        let a = "--changeset ann:1 context:\"Test  or  X\" labels:\"Zed, alpha,  B\"\nselect 1;\n--changeset ann:2\nselect 2;\n";
        home.file("a.sql", &format!("--liquibase formatted sql\n{a}"));
        let b = "--changeset ann:1 logicalFilePath:own/y.sql context:test\nselect 3;\n";
        home.file("b.sql", &format!("--liquibase formatted sql logicalFilePath:file/b.sql\n{b}"));
        home.file("raw.sql", "select 4;");
        migrated(&home);
        home.execute("delete from databasechangelog");
        home.execute(
            "insert into databasechangelog values ('2', 'ann', 'db/a.sql', current_timestamp, 1, 'EXECUTED', null, 'sql', '', null, \
             '4.33.0', null, null, '5681086217')",
        );
        // It ran before the changelog had a logical path, and counts as Liquibase lets it count.
        let in_test = home.with(|it| it.environment = Some("test".to_owned()));
        let options = limosa::AdoptOptions::default();
        let answer = in_test.adopt(&options, &crate::answers::quiet, limosa::Stop::new()).await.unwrap();
        assert!(verdicts(&answer).contains(&"stamped 0002 2".to_owned()), "{:?}", verdicts(&answer));
        done(in_test.migrate(&limosa::MigrateOptions::default(), &crate::answers::quiet, limosa::Stop::new()).await);
        assert_eq!(
            home.ledger(),
            [
                "root/logical.yaml::2::ann|baseline",
                "root/logical.yaml::1::ann|applied",
                "file/b.sql::1::ann|applied",
                "raw.sql::raw::includeAll|applied"
            ]
        );
        let back = limosa::GoBackOptions::default();
        in_test.adopt_undo(back, &crate::answers::quiet, limosa::Stop::new()).await.unwrap();
        let rows = "select concat(filename, '|', id, '|', coalesce(contexts, '-'), '|', coalesce(labels, '-')) from databasechangelog \
                    order by orderexecuted";
        assert_eq!(
            home.rows(rows),
            [
                "db/a.sql|2|-|-",
                "root/logical.yaml|1|(Test, prod) AND (Root or test) AND (Test  or  X)|inc,b,zed,alpha,b",
                "file/b.sql|1|(Root or test) AND test|-",
                "raw.sql|raw|(Root or test)|-"
            ]
        );
    }
}

/// The list is what a person approves: nothing in it is called pending that never runs.
#[tokio::test]
async fn what_does_not_apply_here_is_not_pending() {
    for home in all_homes() {
        let elsewhere =
            "--changeset ann:3 dbms:oracle\nselect 1 from dual;\n--changeset ann:4 ignore:true\nselect 1;\n";
        home.file("a.sql", &format!("{FIRST}{SECOND}{elsewhere}"));
        migrated(&home);
        let answer = adopt(&home).await.unwrap();
        assert_eq!(
            verdicts(&answer),
            [
                "verified 0001 1",
                "pending 0002 2",
                "not_applicable 0003 3: for dbms oracle only",
                "not_applicable 0004 4: it says ignore:true",
                "missing db/a.sql::log::ann log: no file defines it"
            ]
        );
        assert_eq!((answer.counts.pending, answer.counts.not_applicable), (1, 2));
        assert_eq!(labels(&done(home.migrate().await)), ["0002"]);
    }
}
