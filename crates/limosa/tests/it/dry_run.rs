//! Looking and trying: what only looks writes nothing, a script by hand does the same, a tried run leaves no trace.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use limosa::{MigrateOptions, Migrator, Repair, RollbackOptions, Selection, StatusOptions, Stop};
use limosa_testkit::{PostgresServer, ServerOptions, postgres};

use crate::answers::{done, findings, id, labels, migrate, quiet, refusal, states, version};
use crate::place::{Home, Place, all_homes, homes, sqlite};

fn table(name: &str) -> String {
    format!("create table {name} (id int);\n-- limosa:rollback\ndrop table {name};\n")
}

/// Everything that a database holds, limosa's tables included.
pub(crate) fn snapshot(home: &Home) -> String {
    let mut lines = Vec::new();
    if home.is_sqlite() {
        lines.extend(home.rows("select type, name, sql from sqlite_schema order by name, type"));
        for table in
            home.rows("select name from sqlite_schema where type = 'table' and name <> 'sqlite_sequence' order by 1")
        {
            lines.push(format!("-- {table}"));
            let mut rows = home.rows(&format!("select * from \"{}\"", table.replace('"', "\"\"")));
            rows.sort();
            lines.extend(rows);
        }
        return lines.join("\n");
    }
    lines.extend(home.rows(
        "select n.nspname::text, c.relname::text, c.relkind::text from pg_class c join pg_namespace n on n.oid = c.relnamespace \
         where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' order by 1, 2",
    ));
    lines.extend(home.rows(
        "select schemaname::text, tablename::text, query_to_xml(format('select * from %I.%I t order by t::text', schemaname, tablename), \
         true, false, '')::text from pg_tables where schemaname !~ '^pg_' and schemaname <> 'information_schema' order by 1, 2",
    ));
    lines.join("\n")
}

/// Every command that only looks; gives how many there were.
async fn look(migrator: &Migrator) -> usize {
    let options = MigrateOptions::default();
    let back = RollbackOptions { selection: Selection::Steps(1), use_file: false, consent: None, backup: false };
    let mut looked = 0;
    let mut count = |text: String| {
        assert!(!text.is_empty());
        looked += 1;
    };
    count(format!("{:?}", migrator.plan(&options).await.unwrap()));
    count(migrator.plan_script(&options).await.unwrap());
    count(format!("{:?}", migrator.plan_rollback(&back).await.unwrap()));
    count(format!("{:?}", migrator.rollback_differences(&back).await.unwrap()));
    count(format!("{:?}", migrator.status(StatusOptions { fail_on_pending: true }).await.unwrap()));
    count(format!("{:?}", migrator.validate().await.unwrap()));
    count(format!("{:?}", migrator.history(10).await.unwrap()));
    count(format!("{:?}", migrator.audit_verify(&[]).await.unwrap()));
    count(format!("{:?}", migrator.ready(Some(&version("1"))).await.map_err(|failure| failure.exit)));
    count(format!("{:?}", migrator.health().await));
    count(format!("{:?}", migrator.doctor().await.unwrap()));
    count(format!("{:?}", migrator.repair(&Repair::Explain, false, &quiet, Stop::new()).await.unwrap()));
    count(format!("{:?}", migrator.repair(&Repair::MarkApplied(id("2")), true, &quiet, Stop::new()).await.unwrap()));
    count(format!(
        "{:?}",
        migrator.baseline(&version("2"), true, &quiet, Stop::new()).await.map_err(|failure| failure.exit)
    ));
    count(format!("{:?}", migrator.clean(None, true, &quiet, Stop::new()).await.unwrap()));
    looked
}

#[tokio::test]
async fn looking_writes_nothing() {
    for home in homes() {
        home.file("001_a.sql", &table("a"));
        home.file("002_b.sql", &table("b"));
        if home.is_sqlite() {
            // Where there is no file, looking makes none.
            assert_eq!(look(&home.migrator()).await, 15);
            assert!(!PathBuf::from(home.database()).exists());
        }
        home.execute("create table users_own (n int)");
        let before = snapshot(&home);
        assert_eq!(look(&home.migrator()).await, 15);
        assert_eq!(snapshot(&home), before, "no ledger is made");

        done(home.migrate_with(&crate::answers::to("1")).await);
        let before = snapshot(&home);
        let bytes = home.is_sqlite().then(|| std::fs::read(home.database()).unwrap());
        assert_eq!(look(&home.migrator()).await, 15);
        assert_eq!(snapshot(&home), before);
        if let Some(bytes) = bytes {
            assert!(bytes == std::fs::read(home.database()).unwrap());
            assert_eq!(home.folder.files().iter().filter(|name| name.starts_with("test.db")).count(), 1);
        }
    }
}

#[tokio::test]
async fn looking_needs_no_more_than_reading_rights() {
    for home in all_homes() {
        home.file("001_a.sql", &table("a"));
        home.file("002_b.sql", &table("b"));
        done(home.migrate_with(&crate::answers::to("1")).await);
        let url = match &home.place {
            Place::Sqlite(path) => format!("sqlite:{}?mode=ro", path.display()),
            Place::Postgres(database) => {
                let role = format!("reader_of_{}", database.name());
                home.execute(&format!(
                    "create role {role} login password 'x'; grant usage on schema limosa to {role}; \
                     grant select on all tables in schema limosa to {role}; revoke create on schema public from public"
                ));
                database.url_for(&role, "x")
            }
            Place::Mysql(database) => {
                let role = format!("r_{}", &database.name()[database.name().len().saturating_sub(20)..]);
                let tables = home.rows(
                    "select table_name from information_schema.tables where table_schema = database() and table_name like 'limosa%'",
                );
                home.execute(&format!("create user '{role}'@'%' identified by 'x'"));
                for name in tables {
                    home.execute(&format!("grant select on {name} to '{role}'@'%'"));
                }
                database.url_for(&role, "x")
            }
        };
        let reader = home.with(|it| it.database = limosa::Secret::new(url.clone()));
        assert_eq!(look(&reader).await, 15);
        let exit = match home.is_sqlite() {
            true => refusal(migrate(&reader).await, 3, &["LIM-D006"]),
            false => crate::answers::failed(
                &migrate(&reader).await,
                3,
                if home.is_mysql() { &["command denied", "init --print-ledger-sql"] } else { &["permission denied"] },
            ),
        };
        assert!(!exit.is_empty());
        assert_eq!(home.states().await, ["1 applied", "2 pending"]);
    }
}

#[tokio::test]
async fn looking_works_on_a_standby() {
    let version = postgres::newest().unwrap();
    let (primary, replica) = PostgresServer::start_with_replica(&version, &ServerOptions::new()).unwrap();
    let home = sqlite();
    home.file("001_a.sql", &table("a"));
    home.file("002_b.sql", &table("b"));
    let database = primary.create_database().unwrap();
    let at = |url: String| home.with(|it| it.database = limosa::Secret::new(url));
    let there = at(database.url());
    // Before any ledger, too.
    replica.catch_up(&primary).unwrap();
    let here = at(replica.database(database.name()).url());
    assert_eq!(look(&here).await, 15);
    done(there.migrate(&crate::answers::to("1"), &quiet, Stop::new()).await);
    replica.catch_up(&primary).unwrap();
    assert_eq!(look(&here).await, 15);
    assert_eq!(states(&here.status(StatusOptions::default()).await.unwrap()), ["1 applied", "2 pending"]);
    let doctor = here.doctor().await.unwrap();
    assert_eq!(doctor.exit_code, 1);
    assert!(findings(&doctor).contains("this is a standby"), "{}", findings(&doctor));
    let text = crate::answers::failed(&migrate(&here).await, 3, &["read-only"]);
    assert!(text.contains("primary") || text.contains("standby"), "{text}");
}

/// Files that show how far a script by hand goes.
fn telling_files(home: &Home) {
    home.file(
        "001_start.sql",
        "create table ${name} (id int primary key, word text default 'it''s; ${name}');\ninsert into ${name} (id) values (1), (2);\n\
         -- limosa:rollback\ndrop table ${name};\n",
    );
    home.file("002_elsewhere.sql", "-- Environments: elsewhere\nselect 1;");
    home.file("R__view.sql", "drop view if exists v;\ncreate view v as select id from parent;\n");
    if home.is_sqlite() {
        home.file(
            "003_rebuild.sql",
            "create table child (id int, parent_id int references parent (id) on delete cascade);\n\
             insert into child values (1, 1), (2, 2);\n",
        );
        home.file(
            "004_rebuild.sql",
            "pragma foreign_keys = on;\npragma foreign_keys = off;\n\
             create table new_parent (id int primary key, word text not null default 'x');\n\
             insert into new_parent select id, word from parent;\ndrop table parent;\nalter table new_parent rename to parent;\n\
             pragma foreign_keys = on;\n",
        );
        home.file(
            "005_trigger.sql",
            "create trigger watch after insert on child begin\n  select case when new.id < 0 then raise(abort, 'no; never') end;\nend;\n\
             vacuum;\ncreate table behind (id int);\n",
        );
    } else {
        home.file(
            "003_copy.sql",
            "begin isolation level repeatable read;\ncreate table copied (id int, text text);\ncopy copied from stdin;\n\
             1\ta\\tb\n2\t\\N\n3\t;'$$\n\\.\ncreate table level as select current_setting('transaction_isolation') as level;\ncommit;\n",
        );
        home.file("004_path.sql", "create schema other;\nset search_path = other;\ncreate table inside (id int);\nset statement_timeout = '7s';\n");
        home.file(
            "005_mixed.sql",
            "create table beside (id int);\ncreate index concurrently beside_id on beside (id);\n\
             create table behind as select current_setting('statement_timeout') as limit_of_statements;\n",
        );
        home.file(
            "006_enum.sql",
            "create type mood as enum ('glad');\ncreate function twice(n int) returns int language sql as $$ select n * 2; $$;\n",
        );
        home.file(
            "007_enum.sql",
            "alter type mood add value 'sad';\ncreate table moods as select 'sad'::mood as mood;\n",
        );
        home.file("008_none.sql", "-- Transaction: none\ninsert into parent (id) values (3);\nanalyze parent;\n");
    }
}

fn with_value(home: &Home) -> Migrator {
    home.with(|it| it.values.all = BTreeMap::from([("name".to_owned(), "parent".to_owned())]))
}

/// Runs a script as a person would.
pub(crate) fn by_hand(home: &Home, script: &str) {
    if let Place::Mysql(database) = &home.place {
        by_hand_on_mysql(home, database, script);
        return;
    }
    let Place::Postgres(database) = &home.place else {
        let connection = rusqlite::Connection::open(home.database()).unwrap();
        connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false).unwrap();
        connection.execute_batch(script).unwrap_or_else(|error| panic!("{error}\n{script}"));
        return;
    };
    let program = postgres::versions().unwrap().iter().rev().find_map(|version| version.program("psql"));
    let program = program.expect("a PostgreSQL with psql is needed; run the tests with `cargo xtask test`");
    let file = home.folder.write("by_hand.sql", script);
    let output = Command::new(program)
        .args(["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--file"])
        .arg(file)
        .arg(database.url())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}\n{script}", String::from_utf8_lossy(&output.stderr));
}

fn by_hand_on_mysql(home: &Home, database: &limosa_testkit::mysql::TestDatabase, script: &str) {
    let version = limosa_testkit::mysql::newest().unwrap();
    let program = version.program("mariadb").or_else(|| version.program("mysql")).unwrap();
    let file = home.folder.write("by_hand.sql", script);
    let output = Command::new(program)
        .args(["--no-defaults", "--user=root", "--default-character-set=utf8mb4", "--socket"])
        .arg(database.socket())
        .arg(database.name())
        .stdin(std::fs::File::open(file).unwrap())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}\n{script}", String::from_utf8_lossy(&output.stderr));
}

/// What the ledger says, without times and marks.
fn ledger_rows(home: &Home) -> Vec<String> {
    home.rows(&format!(
        "select identity, version, name, checksum, up_checksum, state, statements_done, statements_total, applied_by, \
         rollback_sql, rollback_values, depends_on from {} where state <> 'skipped' order by rank",
        home.table("schema_migrations")
    ))
}

/// What the user has, without limosa's own.
fn users_part(home: &Home) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for table in home.tables() {
        let name = if table == "inside" { "other.inside".to_owned() } else { table.clone() };
        lines.push(format!("{name}: {:?}", home.rows(&format!("select * from {name} order by 1"))));
    }
    lines.extend(home.rows(match home.is_sqlite() {
        true => "select type, name, tbl_name from sqlite_schema where name not like 'limosa%' order by 1, 2",
        false => {
            "select n.nspname::text, c.relname::text, c.relkind::text from pg_class c join pg_namespace n on n.oid = c.relnamespace \
             where n.nspname in ('public', 'other') order by 1, 2"
        }
    }));
    lines
}

#[tokio::test]
async fn a_script_by_hand_does_the_same_as_a_run() {
    for (run, hand) in all_homes().into_iter().zip(homes()) {
        for home in [&run, &hand] {
            telling_files(home);
        }
        let answer = done(migrate(&with_value(&run)).await);
        let script = with_value(&hand).plan_script(&MigrateOptions::default()).await.unwrap();
        by_hand(&hand, &script);
        assert_eq!(users_part(&run), users_part(&hand), "{script}");
        assert_eq!(ledger_rows(&run), ledger_rows(&hand), "{script}");

        let migrator = with_value(&hand);
        assert_eq!(done(migrate(&migrator).await).outcome, "nothing_to_do");
        let found = migrator.validate().await.unwrap();
        assert_eq!(found.exit_code, 0, "{}", findings(&found));
        assert_eq!(migrator.audit_verify(&[]).await.unwrap().exit_code, 0);
        if !hand.is_sqlite() {
            assert_eq!(migrator.history(100).await.unwrap().operations.len(), answer.steps.len());
            assert_eq!(hand.rows("select level from level"), ["repeatable read"]);
            assert_eq!(hand.rows("select limit_of_statements from behind"), ["0"]);
        }
        let elsewhere = hand.with(|it| {
            it.environment = Some("elsewhere".to_owned());
            it.values = migrator.configuration().values.clone();
        });
        assert_eq!(labels(&done(migrate(&elsewhere).await)), ["002"]);

        // Again, where the ledger stands and a repeatable has changed.
        hand.file("R__view.sql", "drop view if exists v;\ncreate view v as select id as number from parent;\n");
        hand.file("900_more.sql", &table("more"));
        let plan = migrator.plan(&MigrateOptions::default()).await.unwrap();
        let order: Vec<&str> = plan.steps.iter().map(|step| step.identity.as_str()).collect();
        assert_eq!(order, ["900", "R:view"]);
        by_hand(&hand, &migrator.plan_script(&MigrateOptions::default()).await.unwrap());
        assert_eq!(done(migrate(&migrator).await).outcome, "nothing_to_do");
        assert!(!hand.rows("select number from v").is_empty());
        hand.execute("drop view v");
        done(crate::answers::back(&migrator, Selection::One(id("900")), Some(&hand.database())).await);
        assert_eq!(migrator.audit_verify(&[]).await.unwrap().exit_code, 0);
    }
}

/// A run commits the value first; the one transaction of a dry run cannot, and that is no fault of the file.
#[tokio::test]
async fn what_uses_an_enum_value_of_the_same_dry_run_is_not_tried() {
    for home in homes().into_iter().filter(|home| !home.is_sqlite()) {
        home.execute("create type mood as enum ('sad'); create table person (mood mood)");
        home.file("001_value.sql", "alter type mood add value 'happy';");
        home.file("002_no_use.sql", "insert into person values ('sad');");
        home.file("003_use.sql", "insert into person values ('happy');");
        home.file("004_behind.sql", "create table behind (n int);");
        let migrator = home.migrator();
        let answer =
            migrator.dry_run(&MigrateOptions::default(), Some(&home.database()), &quiet, Stop::new()).await.unwrap();
        let executed = answer.executed.unwrap();
        assert!(executed.error.is_none(), "{:?}", executed.error);
        assert_eq!(executed.steps.iter().map(|step| step.identity.as_str()).collect::<Vec<_>>(), ["1", "2", "4"]);
        let not_tried: Vec<(&str, &str)> =
            executed.not_tried.iter().map(|line| (line.identity.as_str(), line.reason.as_str())).collect();
        assert_eq!(not_tried, [("3", "it uses the new enum value 'happy', which must be committed first")]);
        done(home.migrate().await);
    }
}

#[tokio::test]
async fn a_single_transaction_by_hand_is_one_too() {
    for home in homes() {
        home.file("001_a.sql", &table("a"));
        home.file("002_nothing.sql", "-- nothing yet\n");
        home.file("003_b.sql", "begin;\ncreate table b (id int);\ncommit;\n");
        home.file("004_c.sql", &table("c"));
        let single = home.with(|it| it.single_transaction = true);
        let script = single.plan_script(&MigrateOptions::default()).await.unwrap();
        let lines: Vec<&str> = script.lines().collect();
        assert_eq!(lines.iter().filter(|line| line.starts_with("begin")).count(), 1, "{script}");
        assert_eq!(lines.iter().filter(|line| **line == "commit;").count(), 1, "{script}");
        by_hand(&home, &script);
        assert_eq!(done(migrate(&single).await).outcome, "nothing_to_do");
        assert_eq!((home.tables(), home.ledger().len()), (vec!["a".into(), "b".into(), "c".into()], 4));
    }
}

#[tokio::test]
async fn half_a_change_can_be_finished_by_hand() {
    for home in all_homes() {
        home.file(
            "001_half.sql",
            "-- Transaction: none\ncreate table a (id int);\ninsert into a values (1);\ninsert into nowhere values (1);\n\
             create table b (id int);\n",
        );
        crate::answers::failed(&home.migrate().await, 3, &["nowhere"]);
        assert_eq!(home.ledger(), ["1|partial"]);
        home.file(
            "001_half.sql",
            "-- Transaction: none\ncreate table a (id int);\ninsert into a values (1);\ninsert into a values (2);\n\
             create table b (id int);\n",
        );
        let plan = home.migrator().plan(&MigrateOptions::default()).await.unwrap();
        assert_eq!(plan.steps[0].action, "resume");
        let done_already: Vec<bool> = plan.steps[0].statements.iter().map(|one| one.done).collect();
        assert_eq!(done_already, [true, true, false, false]);
        by_hand(&home, &home.migrator().plan_script(&MigrateOptions::default()).await.unwrap());
        assert_eq!(done(home.migrate().await).outcome, "nothing_to_do");
        assert_eq!(home.rows("select id from a order by 1"), ["1", "2"]);
        assert_eq!((home.tables(), home.ledger()), (vec!["a".into(), "b".into()], vec!["1|applied".to_owned()]));
        assert_eq!(home.count(&format!("select count(*) from {}", home.table("journal"))), 0);
        assert_eq!(home.migrator().audit_verify(&[]).await.unwrap().exit_code, 0);
    }
}

#[tokio::test]
async fn a_plan_shows_statements_transactions_and_limits() {
    for home in homes() {
        home.file("001_a.sql", "-- Lock-timeout: 7s\n-- Statement-timeout: 1min\ncreate table a (id int);\n\ninsert into a\n  values (1);\n");
        let outside = if home.is_sqlite() { "vacuum;" } else { "create index concurrently i on a (id);" };
        home.file("002_b.sql", &format!("create table b (id int);\n{outside}\ndrop table b;\n"));
        let plan = home.migrator().plan(&MigrateOptions::default()).await.unwrap();
        assert_eq!((plan.direction, plan.exit_code, plan.executed.is_none()), ("apply", 0, true));
        let first = &plan.steps[0];
        assert_eq!((first.lock_timeout_ms, first.statement_timeout_ms, first.atomic), (7000, 60000, true));
        let told: Vec<(u64, &str, &str, Option<u64>)> = first
            .statements
            .iter()
            .map(|one| (one.line, one.verb.as_str(), one.excerpt.as_str(), one.transaction))
            .collect();
        assert_eq!(
            told,
            [
                (3, "CREATE TABLE", "create table a (id int)", Some(1)),
                (5, "INSERT", "insert into a values (1)", Some(1))
            ]
        );
        let second = &plan.steps[1];
        assert!(!second.atomic);
        assert_eq!(second.losses, ["table b"]);
        let transactions: Vec<Option<u64>> = second.statements.iter().map(|one| one.transaction).collect();
        assert_eq!(transactions, [Some(2), None, Some(3)]);
    }
}

async fn tried(home: &Home, consent: Option<&str>) -> Result<limosa::report::PlanAnswer, limosa::Failure> {
    home.migrator().dry_run(&MigrateOptions::default(), consent, &quiet, Stop::new()).await
}

#[tokio::test]
async fn a_tried_run_leaves_no_trace() {
    for home in homes() {
        home.file("001_a.sql", &table("a"));
        home.file("002_b.sql", "insert into a values (1);\nselect count(*) from a;\n");
        let outside = if home.is_sqlite() { "vacuum;" } else { "create index concurrently i on a (id);" };
        home.file("003_outside.sql", outside);
        home.file("R__v.sql", "drop view if exists v; create view v as select id from a;");
        let name = home.database();
        if home.is_sqlite() {
            let answer = tried(&home, Some(&name)).await.unwrap();
            assert_eq!(answer.executed.unwrap().steps.len(), 3);
            assert!(!PathBuf::from(&name).exists(), "no file is made");
            home.execute("create table users_own (n int)");
        }
        let before = snapshot(&home);
        let answer = tried(&home, Some(&name)).await.unwrap();
        let executed = answer.executed.unwrap();
        assert!(executed.error.is_none(), "{:?}", executed.error);
        let steps: Vec<(&str, &str)> = executed.steps.iter().map(|step| (step.identity.as_str(), step.state)).collect();
        assert_eq!(steps, [("1", "rolled_back"), ("2", "rolled_back"), ("R:v", "rolled_back")]);
        assert_eq!(executed.not_tried.len(), 1);
        assert_eq!(executed.not_tried[0].identity, "3");
        assert_eq!(executed.not_tried[0].reason, "it does not run in one transaction");
        assert_eq!(snapshot(&home), before);
        assert_eq!(home.states().await, ["1 pending", "2 pending", "3 pending", "R:v pending"]);
        done(home.migrate().await);

        // On top of a ledger, with a failure.
        home.file("004_c.sql", &table("c"));
        home.file("005_d.sql", "select 1;\nselect * from nowhere;\n");
        home.file("006_e.sql", &table("e"));
        let before = snapshot(&home);
        let answer = tried(&home, Some(&name)).await.unwrap();
        assert_eq!(answer.exit_code, 3);
        let executed = answer.executed.unwrap();
        let error = executed.error.unwrap();
        assert!(error.message.contains("nowhere") && error.message.contains("statement 2 of 2"), "{error:?}");
        assert_eq!(executed.steps.len(), 2);
        assert_eq!(snapshot(&home), before);
        // A failed try is no failed attempt.
        assert_eq!(home.states().await[4], "5 pending");
    }
}

#[tokio::test]
async fn a_tried_run_needs_consent_and_never_touches_what_is_protected() {
    for home in homes() {
        home.file("001_a.sql", &table("a"));
        home.execute("create table users_own (n int)");
        let before = snapshot(&home);
        let name = home.database();
        refusal(
            tried(&home, None).await,
            4,
            &["LIM-U004", "an executed dry run needs consent that names the database", &name, "--allow-execute"],
        );
        refusal(tried(&home, Some("other")).await, 4, &["(you named 'other')"]);
        let protected = home.with(|it| {
            it.protected = true;
            it.environment = Some("production".to_owned());
        });
        let refused = protected.dry_run(&MigrateOptions::default(), Some(&name), &quiet, Stop::new()).await;
        refusal(refused, 4, &["LIM-U003", "production is protected"]);
        assert_eq!(snapshot(&home), before);
    }
}

#[tokio::test]
async fn a_tried_run_waits_for_no_lock_longer_than_its_limit() {
    for home in all_homes() {
        let Place::Postgres(database) = &home.place else { continue };
        home.execute("create table busy (id int)");
        home.file("001_a.sql", "-- Lock-timeout: 100ms\nalter table busy add column more int;\n");
        let holder = database.session().unwrap();
        holder.execute("begin; lock table busy").unwrap();
        let answer = tried(&home, Some(&home.database())).await.unwrap();
        let error = answer.executed.unwrap().error.unwrap();
        assert_eq!((answer.exit_code, error.code), (3, "LIM-R003"));
        holder.execute("rollback").unwrap();
        assert_eq!(tried(&home, Some(&home.database())).await.unwrap().exit_code, 0);
    }
}
