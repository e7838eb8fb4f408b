//! What is taken over, and what is refused.

use limosa::{AdoptOptions, ForeignTool, Layout, LayoutChoice, MigrateOptions, StatusOptions, Stop};

use super::tools::{EVERYWHERE, Tool, migrated, text, tool};
use super::{adopt, adopt_with, go_back, verdicts};
use crate::answers::{done, failed, labels, migrate, quiet, refusal, words};
use crate::place::{Home, all_homes, newest_postgres, sqlite};

fn dry_run() -> AdoptOptions {
    AdoptOptions { dry_run: true, ..AdoptOptions::default() }
}

fn accepting() -> AdoptOptions {
    AdoptOptions { accept_diverged: true, ..AdoptOptions::default() }
}

#[tokio::test]
async fn each_tool_is_taken_over_on_every_engine() {
    for tool in EVERYWHERE {
        for home in all_homes() {
            migrated(&home, tool);
            failed(&home.migrate().await, 4, &["LIM-P020", "takes it over, file by file"]);
            let shown = adopt_with(&home, &dry_run()).await.unwrap();
            assert_eq!((shown.outcome, shown.exit_code), ("would", 0), "{}: {}", tool.word, words(&shown.errors));
            assert!(!home.tables().iter().any(|table| table.contains("lease")), "nothing is written");

            let answer = adopt(&home).await.unwrap();
            assert_eq!(answer.outcome, "done", "{}: {}", tool.word, words(&answer.errors));
            let found: Vec<&str> = answer.migrations.iter().map(|line| line.verdict).collect();
            assert_eq!(found, [tool.verdict, tool.verdict, "pending"], "{}", tool.word);
            assert!(answer.table.ends_with(tool.table), "{}", answer.table);
            assert_eq!(answer.audit_head.as_ref().map(|head| head.sequence), Some(2), "{}", tool.word);
            assert_eq!(labels(&done(home.migrate().await)).len(), 1, "{}", tool.word);

            let status = home.migrator().status(StatusOptions::default()).await.unwrap();
            let adopted = status.adopted.unwrap();
            assert_eq!(ForeignTool::of_word(tool.word).unwrap().name(), adopted.tool);
            assert_eq!((adopted.migrations, adopted.by.as_str()), (2, "tester@here"));
            let again = adopt(&home).await.unwrap();
            assert_eq!((again.outcome, again.exit_code), ("nothing_to_do", 0));
            assert_eq!(again.adopted.map(|line| line.at), Some(adopted.at));
            assert_eq!(home.migrator().audit_verify(&[]).await.unwrap().exit_code, 0);
        }
    }
}

#[tokio::test]
async fn a_database_that_is_not_there_has_no_ledger_to_look_for() {
    let home = sqlite();
    home.file("001_a.sql", "create table a (n int);");
    for options in [dry_run(), AdoptOptions::default()] {
        refusal(adopt_with(&home, &options).await, 3, &["LIM-D004", "test.db"]);
    }
}

#[tokio::test]
async fn what_the_other_tool_applies_afterwards_does_not_run_twice() {
    for tool in EVERYWHERE {
        for home in all_homes() {
            migrated(&home, tool);
            adopt(&home).await.unwrap();
            // Somebody lets the other tool go on.
            home.execute("create table c (n int)");
            home.execute(&(tool.next)(&home));
            failed(
                &home.migrate().await,
                4,
                &["LIM-P020", " since this database was taken over from it", "limosa adopt"],
            );
            let answer = adopt(&home).await.unwrap();
            assert_eq!(answer.outcome, "done", "{}: {}", tool.word, words(&answer.errors));
            let found: Vec<&str> = answer.migrations.iter().map(|line| line.verdict).collect();
            assert_eq!(found, [tool.verdict], "{}", tool.word);
            assert_eq!(done(home.migrate().await).outcome, "nothing_to_do");
            let again = adopt(&home).await.unwrap();
            assert_eq!((again.outcome, again.adopted.map(|line| line.migrations)), ("nothing_to_do", Some(3)));
        }
    }
}

#[tokio::test]
async fn what_both_have_applied_or_has_no_file_is_taken_note_of() {
    let home = newest_postgres();
    migrated(&home, tool("goose"));
    adopt(&home).await.unwrap();
    done(home.migrate().await);
    home.execute("insert into goose_db_version (version_id, is_applied) values (3, true), (77, true)");
    home.file("100_d.sql", "create table d (n int);");
    failed(&home.migrate().await, 4, &["LIM-P020", "goose has applied 3, 77 since"]);
    let answer = adopt(&home).await.unwrap();
    assert_eq!(
        (answer.outcome, verdicts(&answer)),
        ("done", vec!["pending 100 d".to_owned(), "missing 77 : no file defines it".to_owned()])
    );
    assert_eq!(labels(&done(home.migrate().await)), ["100"]);
    assert_eq!(adopt(&home).await.unwrap().outcome, "nothing_to_do");
}

#[tokio::test]
async fn a_file_that_was_changed_since_is_refused_unless_it_is_accepted() {
    for home in all_homes() {
        migrated(&home, tool("sqlx"));
        home.file("000002_b.up.sql", "create table b (n bigint);\n");
        let answer = adopt(&home).await.unwrap();
        assert_eq!((answer.outcome, answer.exit_code), ("refused", 4));
        let said = words(&answer.errors);
        assert!(said.contains("LIM-U114") && said.contains("000002_b.up.sql"), "{said}");
        assert_eq!(verdicts(&answer)[1], "diverged 000002 b: the file is not the one that sqlx has applied");
        failed(&home.migrate().await, 4, &["LIM-P020"]);
        let answer = adopt_with(&home, &accepting()).await.unwrap();
        assert_eq!((answer.outcome, answer.counts.diverged), ("done", 1));
        assert_eq!(labels(&done(home.migrate().await)), ["000003"]);
        let detail = format!("select detail from {} where sequence = 2", home.table("audit_log"));
        assert!(home.rows(&detail)[0].contains("\"diverged\""), "{:?}", home.rows(&detail));
    }
}

#[tokio::test]
async fn line_endings_and_a_mark_are_no_change() {
    let home = sqlite();
    migrated(&home, tool("sqlx"));
    home.file("000001_a.up.sql", "create table a (n int);\r\n");
    home.file("000002_b.up.sql", &format!("\u{feff}{}", text(2)));
    let answer = adopt(&home).await.unwrap();
    assert_eq!(
        verdicts(&answer)[..2],
        [
            "verified 000001 a: the same but for its line endings",
            "verified 000002 b: the same but for a byte-order mark"
        ]
    );
}

#[tokio::test]
async fn what_has_no_file_and_what_was_passed_over_are_told() {
    let home = newest_postgres();
    migrated(&home, tool("goose"));
    home.execute("insert into goose_db_version (version_id, is_applied) values (7, true), (20, true)");
    home.file("005_late.sql", "create table late (n int);");
    home.file("030_new.sql", "create table new (n int);");
    let answer = adopt(&home).await.unwrap();
    assert_eq!(
        verdicts(&answer),
        [
            "stamped 001 a",
            "stamped 002 b",
            "unknown 003 c: goose has not applied it, and has applied later ones",
            "unknown 005 late: goose has not applied it, and has applied later ones",
            "pending 030 new",
            "missing 7 : no file defines it",
            "missing 20 : no file defines it",
        ]
    );
    let said = words(&answer.notices);
    assert!(said.contains("LIM-U120 goose has applied what has no file here: 7, 20"), "{said}");
    assert!(said.contains("LIM-U121 goose has not applied 003, 005"), "{said}");
    assert_eq!(home.ledger(), ["1|baseline", "2|baseline"], "in the order in which they were applied");
}

#[tokio::test]
async fn what_was_passed_over_does_not_run_where_all_later_ones_have_no_file() {
    for home in all_homes() {
        migrated(&home, tool("goose"));
        home.execute("delete from goose_db_version where version_id = 2");
        home.execute("insert into goose_db_version (version_id, is_applied) values (9, true)");
        home.execute("drop table b");
        let answer = adopt(&home).await.unwrap();
        let found: Vec<&str> = answer.migrations.iter().map(|line| line.verdict).collect();
        assert_eq!(found, ["stamped", "unknown", "unknown", "missing"]);
        failed(&home.migrate().await, 1, &["LIM-P005", "002_b.sql comes late", "version 9"]);
        home.file("010_d.sql", "create table d (n int);");
        failed(&home.migrate().await, 1, &["LIM-P005", "003_c.sql comes late"]);
        let allowing = home.with(|it| it.out_of_order = limosa::OutOfOrder::Allow);
        let answer = allowing.migrate(&MigrateOptions::default(), &crate::answers::quiet, limosa::Stop::new()).await;
        assert_eq!(labels(&done(answer)), ["002", "003", "010"]);
        // Given back, it counts no longer.
        go_back(&home).await.unwrap();
        home.execute("delete from goose_db_version");
        ["a", "b", "c", "d"].iter().for_each(|table| home.execute(&format!("drop table {table}")));
        assert_eq!(labels(&done(home.migrate().await)), ["001", "002", "003", "010"]);
    }
}

#[tokio::test]
async fn a_version_that_is_dirty_is_half_done_and_those_before_it_are_applied() {
    for home in all_homes() {
        migrated(&home, tool("golang-migrate"));
        home.file("000004_d.up.sql", "create table d (n int);");
        assert_eq!(home.migrator().doctor().await.unwrap().exit_code, 0);
        home.execute("update schema_migrations set version = 3, dirty = true");
        let answer = adopt_with(&home, &dry_run()).await.unwrap();
        assert_eq!(
            verdicts(&answer),
            ["stamped 000001 a", "stamped 000002 b", "half_done 000003 c", "pending 000004 d"]
        );
        assert_eq!((answer.counts.stamped, answer.counts.half_done), (2, 1));
        assert!(words(&answer.errors).contains("LIM-U113"), "{}", words(&answer.errors));
        assert!(!words(&answer.notices).contains("LIM-U121"), "{}", words(&answer.notices));
        let doctor = home.migrator().doctor().await.unwrap();
        let found = crate::answers::findings(&doctor);
        assert!(doctor.exit_code == 1 && found.contains("calls version 3 dirty"), "{found}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_statements_that_ran_does_not_hinder_taking_over() {
    for home in all_homes() {
        migrated(&home, tool("golang-migrate"));
        home.file("000002_b.up.sql", "begin;\nbegin;\ncreate table b (n int);\ncommit;\n");
        home.file("000003_c.up.sql", "begin;\nbegin;\ncreate table c (n int);\ncommit;\n");
        let proving = AdoptOptions { prove: Some(limosa::ProveOn::ThisServer), ..dry_run() };
        refusal(adopt_with(&home, &proving).await, 2, &["LIM-F015", "000002_b.up.sql"]);
        let answer = adopt(&home).await.unwrap();
        assert_eq!((answer.outcome, answer.counts.stamped), ("done", 2), "{}", words(&answer.errors));
        assert!(words(&answer.notices).contains("LIM-F015"), "{}", words(&answer.notices));
        let status = home.migrator().status(StatusOptions::default()).await.unwrap();
        assert_eq!(status.exit_code, 2, "000003 would run");
        // It stays an error of what would run.
        let said = failed(&home.migrate().await, 2, &["LIM-F015", "000003_c.up.sql"]);
        assert!(!said.contains("000002_b"), "{said}");
        home.file("000003_c.up.sql", &text(3));
        assert_eq!(home.migrator().status(StatusOptions::default()).await.unwrap().exit_code, 0);
        assert_eq!(home.migrator().plan(&MigrateOptions::default()).await.unwrap().exit_code, 0);
        assert_eq!(labels(&done(home.migrate().await)), ["000003"]);
        go_back(&home).await.unwrap();
    }
}

#[tokio::test]
async fn statements_that_ran_do_not_hinder_a_baseline() {
    for home in all_homes() {
        home.file("000001_a.up.sql", "begin;\nbegin;\ncreate table a (n int);\ncommit;\n");
        home.file("000001_a.down.sql", "drop table a;\ncommit;\ndrop table more;\n");
        home.file("000002_b.up.sql", &text(2));
        let to = limosa::Version::parse("1").unwrap();
        home.migrator().baseline(&to, false, &crate::answers::quiet, limosa::Stop::new()).await.unwrap();
        assert_eq!(labels(&done(home.migrate().await)), ["000002"]);
    }
}

#[tokio::test]
async fn a_folder_of_other_files_is_refused() {
    let home = sqlite();
    migrated(&home, tool("goose"));
    for name in ["001_a.sql", "002_b.sql", "003_c.sql"] {
        std::fs::remove_file(home.folder.join("migrations").join(name)).unwrap();
    }
    home.file("900_x.sql", "select 1;");
    let answer = adopt(&home).await.unwrap();
    let said = words(&answer.errors);
    assert_eq!(answer.exit_code, 2, "{said}");
    assert!(said.contains("LIM-U115 none of the migrations that goose has on record has a file here: 1, 2"), "{said}");
}

#[tokio::test]
async fn what_is_half_done_is_refused_with_the_next_step() {
    let cases: [(&str, &str, &str); 4] = [
        ("golang-migrate", "update schema_migrations set dirty = true", "migrate force 2"),
        ("sqlx", "update _sqlx_migrations set success = false where version = 2", "delete from"),
        ("flyway", "update flyway_schema_history set success = false where version = '2'", "flyway repair"),
        (
            "prisma",
            "update _prisma_migrations set finished_at = null where id = '3'",
            "prisma migrate resolve --applied 20240102000000_b",
        ),
    ];
    for (word, sql, next) in cases {
        for home in all_homes() {
            migrated(&home, tool(word));
            home.execute(sql);
            let answer = adopt(&home).await.unwrap();
            let said = words(&answer.errors);
            assert_eq!((answer.outcome, answer.exit_code), ("refused", 4), "{word}");
            assert!(
                said.contains("LIM-U113") && said.contains(next) && said.contains("after that: limosa adopt"),
                "{said}"
            );
        }
    }
}

#[tokio::test]
async fn an_index_that_is_not_valid_is_half_done() {
    let home = newest_postgres();
    migrated(&home, tool("goose"));
    home.execute("insert into a values (1), (1)");
    assert!(home.refuses("create unique index concurrently doubled on a (n)"));
    let answer = adopt(&home).await.unwrap();
    let said = words(&answer.errors);
    assert!(said.contains("the index public.doubled is INVALID"), "{said}");
    assert!(said.contains("drop index concurrently public.doubled"), "{said}");
    home.execute("drop index doubled");
    assert_eq!(adopt(&home).await.unwrap().outcome, "done");
}

#[tokio::test]
async fn a_lock_of_liquibase_that_was_never_given_back_is_half_done() {
    let home = newest_postgres();
    home.file("001_a.sql", &text(1));
    home.execute(
        "create table databasechangelog (id varchar(255) not null, author varchar(255) not null, filename varchar(255) not null, \
         dateexecuted timestamp not null, orderexecuted int not null, exectype varchar(10) not null, md5sum varchar(35)); \
         insert into databasechangelog values ('1', 'me', 'db/001_a.sql', now(), 1, 'EXECUTED', '9:abc'), \
         ('2', 'me', 'db/001_a.sql', now(), 2, 'EXECUTED', '9:def'); \
         create table databasechangeloglock (id int primary key, locked boolean not null, lockgranted timestamp, \
         lockedby varchar(255)); insert into databasechangeloglock values (1, true, now(), 'pod-7')",
    );
    let said = words(&adopt(&home).await.unwrap().errors);
    assert!(said.contains("Liquibase's lock is held by pod-7") && said.contains("liquibase release-locks"), "{said}");
    home.execute("update databasechangeloglock set locked = false");
    let answer = adopt(&home).await.unwrap();
    assert_eq!(verdicts(&answer), ["stamped 001 a: its checksum is not one of the file"]);
}

#[tokio::test]
async fn flyways_baselines_ways_back_and_repeatables_are_understood() {
    for home in all_homes() {
        migrated(&home, tool("flyway"));
        home.file("V0.5__old.sql", "create table old (n int);");
        home.file("R__seen.sql", "select 1;\n");
        home.file("R__changed.sql", "select 2;\n");
        home.file("R__valued.sql", "select '${who}';\n");
        // CRC-32 of "select 1;", of "select 0;", of "select 'me';".
        let row = |rank: u32, version: &str, name: &str, kind: &str, crc: &str| {
            home.execute(&format!(
                "insert into flyway_schema_history (installed_rank, version, description, type, script, checksum, installed_by, \
                 execution_time, success) values ({rank}, {version}, '{name}', '{kind}', 'x', {crc}, 'app', 0, true)"
            ));
        };
        row(3, "null", "seen", "SQL", "-690524359");
        row(4, "null", "changed", "SQL", "-808690056");
        row(5, "null", "valued", "SQL", "171792146");
        row(6, "'3'", "c", "SQL", "1");
        row(7, "'3'", "c", "UNDO_SQL", "null");
        row(8, "'0.9'", "<< Flyway Baseline >>", "BASELINE", "null");
        let migrator = home.with(|it| {
            it.values.all.insert("who".to_owned(), "me".to_owned());
        });
        let answer =
            migrator.adopt(&AdoptOptions::default(), &crate::answers::quiet, limosa::Stop::new()).await.unwrap();
        assert_eq!(
            verdicts(&answer),
            [
                "stamped 0.5 old: Flyway has a baseline up to 0.9",
                "verified 1 a",
                "verified 2 b",
                "pending 3 c",
                "pending R changed: its text was changed since it ran: it runs again",
                "verified R seen",
                "verified R valued",
                "missing 0.9 << Flyway Baseline >>: no file defines it",
            ],
            "{}",
            words(&answer.errors)
        );
    }
}

#[tokio::test]
async fn several_tools_must_be_chosen_from() {
    for home in all_homes() {
        migrated(&home, tool("goose"));
        home.execute(&(tool("diesel").create)(&home));
        // A table without rows says nothing.
        assert_eq!(adopt_with(&home, &dry_run()).await.unwrap().tool, "goose");
        home.execute(&(tool("diesel").rows)(&home));
        let wanted = ["LIM-U111", "--from goose --ledger-table", "--from diesel --ledger-table"];
        refusal(adopt(&home).await, 2, &wanted);
        let options = AdoptOptions { from: Some(ForeignTool::Goose), ..AdoptOptions::default() };
        assert_eq!(adopt_with(&home, &options).await.unwrap().tool, "goose");
    }
}

fn named(table: &str, from: Option<ForeignTool>) -> AdoptOptions {
    AdoptOptions { from, ledger_table: Some(table.to_owned()), ..AdoptOptions::default() }
}

#[tokio::test]
async fn a_table_of_another_name_is_named() {
    for home in all_homes() {
        migrated(&home, tool("flyway"));
        home.execute("alter table flyway_schema_history rename to schema_version");
        refusal(adopt(&home).await, 2, &["LIM-U110", "--ledger-table"]);
        refusal(adopt_with(&home, &named("nosuch", None)).await, 2, &["LIM-U110", "nosuch"]);
        let wrong = named("schema_version", Some(ForeignTool::Goose));
        refusal(adopt_with(&home, &wrong).await, 2, &["has not the columns of goose"]);
        assert_eq!(adopt_with(&home, &named("schema_version", None)).await.unwrap().tool, "Flyway");
    }
    let home = newest_postgres();
    migrated(&home, tool("golang-migrate"));
    home.execute("create schema ops; alter table schema_migrations set schema ops");
    refusal(adopt(&home).await, 2, &["LIM-U110"]);
    let answer = adopt_with(&home, &named("ops.schema_migrations", None)).await.unwrap();
    assert_eq!((answer.outcome, answer.table.as_str()), ("done", "ops.schema_migrations"));
}

#[tokio::test]
async fn a_table_that_may_not_be_read_is_named_with_the_right() {
    let home = newest_postgres();
    migrated(&home, tool("goose"));
    let role = format!("{}_blind", home.database());
    home.execute(&format!("create role \"{role}\""));
    let blind = home.with(|it| it.role = Some(role.clone()));
    let answer = blind.adopt(&dry_run(), &crate::answers::quiet, limosa::Stop::new()).await;
    refusal(
        answer,
        3,
        &[
            "LIM-U118",
            "public.goose_db_version",
            &format!("grant select on \"public\".\"goose_db_version\" to \"{role}\""),
        ],
    );
    home.execute(&format!("drop role \"{role}\""));
}

#[tokio::test]
async fn what_limosa_has_migrated_is_not_taken_over() {
    let home: Home = sqlite();
    home.file("001_a.sql", &text(1));
    done(home.migrate().await);
    home.execute(&(tool("goose").create)(&home));
    home.execute(&(tool("goose").rows)(&home));
    refusal(adopt(&home).await, 4, &["LIM-U119", "limosa repair --mark-applied"]);
}

#[tokio::test]
async fn what_the_tool_has_applied_as_a_program_is_taken_over() {
    let home = newest_postgres();
    migrated(&home, tool("node-pg-migrate"));
    home.file("000_first.js", "exports.up = () => {};");
    home.execute(
        "insert into pgmigrations (name, run_on) values ('000_first', '2020-01-01'), ('000_gone', '2020-01-01')",
    );
    let migrator = home.with(|it| it.layout = LayoutChoice::Given(Layout::NodePgMigrate));
    let answer = migrator.adopt(&AdoptOptions::default(), &quiet, Stop::new()).await.unwrap();
    let said = words(&answer.notices);
    assert!(said.contains("LIM-U120 node-pg-migrate has applied what has no file here: 000_gone"), "{said}");
    let told = verdicts(&answer);
    assert!(told.iter().any(|line| line.contains("stamped") && line.contains("first")), "{told:?}");
}

#[tokio::test]
async fn files_that_may_be_of_the_tool_whose_ledger_is_here_are_said_to_be() {
    let plain = |number: usize| format!("{number:03}_x.sql");
    let reversible = tool("sqlx").file;
    for (file, read_as) in [(plain as fn(usize) -> String, "native"), (reversible, "up_down")] {
        let home = sqlite();
        migrated(&home, &Tool { file, ..*tool("sqlx") });
        std::fs::remove_file(home.folder.join("sqlx.toml")).unwrap();
        let told = format!(
            "LIM-U159 the files are read as {read_as}, and the ledger of sqlx is here (table _sqlx_migrations)"
        );
        let status = words(&home.migrator().status(StatusOptions::default()).await.unwrap().notices);
        assert!(status.contains(&told) && status.contains("--format sqlx"), "{status}");
        let shown = words(&adopt_with(&home, &dry_run()).await.unwrap().notices);
        assert!(shown.contains(&told), "{shown}");
        // Nobody takes over by guessing, and nothing goes on as another format than it was taken over as.
        let refused = adopt_with(&home, &AdoptOptions::default()).await.unwrap();
        assert!(words(&refused.errors).contains("LIM-U159"), "{refused:?}");
        let as_theirs = home.with(|it| it.layout = LayoutChoice::Given(Layout::of_format("sqlx").unwrap()));
        let taken = as_theirs.adopt(&AdoptOptions::default(), &quiet, Stop::new()).await.unwrap();
        assert_eq!(taken.outcome, "done", "{}", words(&taken.errors));
        failed(&home.migrate().await, 4, &["LIM-U159", "was taken over from sqlx", "--format sqlx", read_as]);
        done(migrate(&as_theirs).await);
        let said = home.with(|it| it.layout = LayoutChoice::Given(Layout::of_format(read_as).unwrap()));
        let status = words(&said.status(StatusOptions::default()).await.unwrap().notices);
        assert!(!status.contains("LIM-U159"), "{status}");
    }
}

#[tokio::test]
async fn each_table_of_a_tool_is_a_project_of_its_own() {
    let goose = |home: &Home, table: &str| {
        home.execute(&format!(
            "create table {table} (id integer primary key, version_id bigint not null, is_applied boolean not null, tstamp timestamp \
             default current_timestamp)"
        ));
        home.execute(&format!("insert into {table} (id, version_id, is_applied) values (1, 0, true), (2, 1, true)"));
    };
    for home in all_homes() {
        for table in ["a_goose", "b_goose"] {
            goose(&home, table);
        }
        home.file("1_a.sql", "-- +goose Up\nselect 1;\n");
        let of = |table: &str, project: &str| {
            home.with(|it| {
                it.tool_table = Some(table.to_owned());
                it.project = project.to_owned();
            })
        };
        let one = of("a_goose", "default");
        assert_eq!(one.adopt(&AdoptOptions::default(), &quiet, Stop::new()).await.unwrap().outcome, "done");
        done(migrate(&one).await);
        let other = of("b_goose", "default");
        let wanted = ["LIM-U180", "a_goose)", "b_goose", "--project NAME"];
        failed(&migrate(&other).await, 4, &wanted);
        let failure = other.adopt(&AdoptOptions::default(), &quiet, Stop::new()).await.unwrap_err();
        assert!(failure.to_string().contains("b_goose"), "{failure}");
        let status = words(&other.status(StatusOptions::default()).await.unwrap().notices);
        assert!(status.contains("LIM-U180"), "{status}");
        let apart = of("b_goose", "b");
        assert_eq!(apart.adopt(&AdoptOptions::default(), &quiet, Stop::new()).await.unwrap().outcome, "done");
        done(migrate(&apart).await);
        // A name that nobody has made a table of tells of nothing.
        done(migrate(&of("c_goose", "default")).await);
    }
}

#[tokio::test]
async fn each_tenant_with_a_schema_is_a_project_of_its_own() {
    let home = newest_postgres();
    home.file("1_a.up.sql", "create table t (n int);\n");
    home.file("2_b.up.sql", "create table u (n int);\n");
    for schema in ["ta", "tb"] {
        home.execute(&format!(
            "create schema {schema}; create table {schema}.t (n int); create table {schema}.schema_migrations (version bigint not null primary \
             key, dirty boolean not null); insert into {schema}.schema_migrations values (1, false)"
        ));
    }
    let of = |schema: &str, project: &str| {
        home.with(|it| {
            let separator = if it.database.expose().contains('?') { '&' } else { '?' };
            it.database =
                limosa::Secret::new(format!("{}{separator}options=-csearch_path%3D{schema}", it.database.expose()));
            it.project = project.to_owned();
        })
    };
    let one = of("ta", "default");
    assert_eq!(one.adopt(&AdoptOptions::default(), &quiet, Stop::new()).await.unwrap().outcome, "done");
    done(migrate(&one).await);
    let two = of("tb", "default");
    failed(&migrate(&two).await, 4, &["LIM-U180", "ta.schema_migrations"]);
    let apart = of("tb", "tb");
    assert_eq!(apart.adopt(&AdoptOptions::default(), &quiet, Stop::new()).await.unwrap().outcome, "done");
    done(migrate(&apart).await);
    assert_eq!(home.rows("select schemaname from pg_tables where tablename = 'u' order by 1"), ["ta", "tb"]);
}

#[tokio::test]
async fn who_goes_on_needs_no_right_on_the_schema_that_was_taken_over() {
    let home = newest_postgres();
    home.file("1_a.sql", "-- +goose Up\nselect 1;\n");
    home.execute(
        "create schema old; create table old.goose_db_version (id integer primary key, version_id bigint not null, is_applied boolean \
         not null, tstamp timestamp default now()); insert into old.goose_db_version (id, version_id, is_applied) values (1, 1, true)",
    );
    let from = AdoptOptions { ledger_table: Some("old.goose_db_version".to_owned()), ..AdoptOptions::default() };
    let answer = adopt_with(&home, &from).await.unwrap();
    assert_eq!(answer.outcome, "done", "{}", words(&answer.errors));
    let role = format!("{}_weak", home.database());
    home.execute(&format!(
        "create role {role}; grant usage, create on schema limosa, public to {role}; grant all on all tables in schema limosa to {role}; \
         grant all on all sequences in schema limosa to {role}"
    ));
    home.file("2_b.sql", "-- +goose Up\ncreate table b (n int);\n");
    done(migrate(&home.with(|it| it.role = Some(role))).await);
    // The one that goose would take by itself is another one.
    home.execute("create table goose_db_version as select * from old.goose_db_version");
    failed(&home.migrate().await, 4, &["LIM-U180", "old.goose_db_version"]);
}
