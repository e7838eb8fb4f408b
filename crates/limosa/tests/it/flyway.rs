//! Folders of Flyway as they stand: names, order, ways back, baselines, callbacks, settings beside a script, placeholders.

use limosa::{FlywayNaming, Layout, LayoutChoice, MigrateOptions, NewKind, Numbering, Selection, StatusOptions, Stop};

use crate::answers::{back, done, failed, id, labels, migrate, quiet, states, to};
use crate::place::{Home, all_homes, homes, newest_postgres, sqlite};

/// A table into which callbacks write, in the order in which they run.
const LOG: &str = "create table log (n integer not null, what varchar(80) not null);\n";

fn note(what: &str) -> String {
    format!("insert into log select coalesce(max(n), 0) + 1, '{what}' from log;\n")
}

fn log(home: &Home) -> Vec<String> {
    home.rows("select what from log order by n")
}

#[tokio::test]
async fn a_folder_runs_as_it_stands() {
    for home in all_homes() {
        home.file("V1__create_users.sql", "create table users (id integer primary key);\n");
        home.file("V1_1__add_age.sql", "alter table users add age integer;\n");
        home.file("U1.1__add_age.sql", "alter table users drop column age;\n");
        home.file("sub/deeper/V2.0__orders.sql", "create table orders (id integer primary key);\n");
        home.file("V10__late.sql", "create table late (n integer);\n");
        home.file("R__b_view.sql", "create view b_view as select id from users;\n");
        home.file("R__a_view.sql", "create view a_view as select id from users;\n");
        let answer = done(home.migrate().await);
        assert_eq!(labels(&answer), ["1", "1.1", "2.0", "10", "R", "R"]);
        assert_eq!(answer.steps[0].name, "create users");
        let names: Vec<&str> = answer.steps.iter().map(|step| step.identity.as_str()).collect();
        assert_eq!(names, ["1", "1.1", "2", "10", "R:a_view", "R:b_view"]);
        assert_eq!(done(home.migrate().await).outcome, "nothing_to_do");
        // A version that is written otherwise is the same.
        home.file("V2__again.sql", "select 1;\n");
        failed(&home.migrate().await, 2, &["LIM-F016", "the version 2"]);
        std::fs::remove_file(home.folder.join("migrations/V2__again.sql")).unwrap();
        let consent = home.database();
        done(back(&home.migrator(), Selection::One(id("1.1")), Some(&consent)).await);
        assert_eq!(home.states().await[1], "1.1 out of order");
    }
}

#[tokio::test]
async fn a_baseline_stands_for_what_came_before_it_in_an_empty_database_only() {
    for home in homes() {
        home.file("V1__a.sql", "create table a (n integer);\n");
        home.file("V2__b.sql", "create table b (n integer);\n");
        home.file("B2__both.sql", "create table a (n integer);\ncreate table b (n integer);\n");
        home.file("V3__c.sql", "create table c (n integer);\n");
        let grown = newest_postgres();
        grown.file("V1__a.sql", "create table a (n integer);\n");
        done(grown.migrate().await);
        for (name, text) in
            [("V2__b.sql", "create table b (n integer);\n"), ("B2__both.sql", "create table a (n integer);\n")]
        {
            grown.file(name, text);
        }
        assert_eq!(labels(&done(grown.migrate().await)), ["2"], "it has versions of its own");
        assert_eq!(grown.states().await, ["1 applied", "B:2 not applicable", "2 applied"]);

        assert_eq!(labels(&done(home.migrate().await)), ["B2", "3"]);
        assert_eq!(home.tables(), ["a", "b", "c"]);
        assert_eq!(done(home.migrate().await).outcome, "nothing_to_do");
        let status = home.migrator().status(StatusOptions::default()).await.unwrap();
        assert_eq!(states(&status), ["1 not applicable", "B:2 applied", "2 not applicable", "3 applied"]);
        assert_eq!(status.changes[0].reason.as_deref(), Some("B2 stands for it"));
        assert_eq!(home.migrator().validate().await.unwrap().exit_code, 0);
        home.file("B5__later.sql", "select 1;\n");
        let status = home.migrator().status(StatusOptions::default()).await.unwrap();
        assert_eq!(status.changes.last().unwrap().reason.as_deref(), Some("the database began with B2"));
    }
    // Below the version of the baseline it is not wanted.
    let home = sqlite();
    home.file("V1__a.sql", "create table a (n integer);\n");
    home.file("V3__b.sql", "create table b (n integer);\n");
    home.file("B5__all.sql", "create table a (n integer);\n");
    assert_eq!(labels(&done(home.migrate_with(&to("3")).await)), ["1", "3"]);
    assert_eq!(home.states().await, ["1 applied", "3 applied", "B:5 not applicable"]);
}

#[tokio::test]
async fn a_version_is_named_with_or_without_its_zeros() {
    for home in homes() {
        home.file("V1__a.sql", "create table a (n integer);\n");
        home.file("V2.0__b.sql", "create table b (n integer);\n");
        home.file("U2.0__b.sql", "drop table b;\n");
        home.file("V3__c.sql", "create table c (n integer);\n");
        assert_eq!(labels(&done(home.migrate_with(&to("2.0")).await)), ["1", "2.0"]);
        let consent = home.database();
        done(back(&home.migrator(), Selection::One(id("2.0")), Some(&consent)).await);
        assert_eq!(labels(&done(home.migrate_with(&to("2")).await)), ["2.0"]);
        done(back(&home.migrator(), Selection::To(limosa::Version::parse("1.0").unwrap()), Some(&consent)).await);
        assert_eq!(home.states().await, ["1 applied", "2 pending", "3 pending"]);
    }
}

#[tokio::test]
async fn callbacks_run_around_migrations() {
    for home in all_homes() {
        home.holds(LOG);
        for event in [
            "beforeMigrate",
            "beforeEachMigrate",
            "afterEachMigrate",
            "afterMigrate",
            "afterMigrateApplied",
            "afterMigrateError",
        ] {
            home.file(&format!("{event}.sql"), &note(event));
        }
        home.file("afterMigrate__second.sql", &note("second"));
        home.file("V1__ddl.sql", "create table t (n integer primary key);\n");
        home.file("V2__rows.sql", &note("V2"));
        assert_eq!(labels(&done(home.migrate().await)), ["1", "2"]);
        let first = [
            "beforeMigrate",
            "beforeEachMigrate",
            "afterEachMigrate",
            "beforeEachMigrate",
            "V2",
            "afterEachMigrate",
            "afterMigrateApplied",
            "afterMigrate",
            "second",
        ];
        assert_eq!(log(&home), first);
        let answer = done(home.migrate().await);
        assert_eq!((answer.outcome, answer.steps.len()), ("nothing_to_do", 0));
        assert_eq!(log(&home)[first.len()..], ["beforeMigrate", "afterMigrate", "second"]);
        home.execute("delete from log");
        home.file("V3__bad.sql", &format!("{}insert into nosuch values (1);\n", note("V3")));
        failed(&home.migrate().await, 3, &["V3__bad.sql:2"]);
        // What shared the transaction went with it.
        assert_eq!(log(&home), ["beforeMigrate", "afterMigrateError"]);
        assert_eq!(home.migrator().audit_verify(&[]).await.unwrap().exit_code, 0);
    }
}

/// Versions with ways back that can be followed, and callbacks that can, too.
fn with_ways_back(home: &Home) {
    home.holds(LOG);
    for number in 1..=3 {
        home.file(&format!("V{number}__rows.sql"), &note(&format!("V{number}")));
        home.file(&format!("U{number}__rows.sql"), &note(&format!("U{number}")));
    }
    for event in ["beforeUndo", "beforeEachUndo", "afterEachUndo", "afterUndo", "afterUndoError"] {
        home.file(&format!("{event}.sql"), &note(event));
    }
}

#[tokio::test]
async fn callbacks_run_around_ways_back() {
    const BAD: &str = "insert into nosuch values (1);\n";
    for home in all_homes() {
        with_ways_back(&home);
        home.file("afterMigrate.sql", &note("afterMigrate"));
        done(home.migrate().await);
        assert_eq!(log(&home), ["V1", "V2", "V3", "afterMigrate"], "those of a rollback are none of a migrate");
        home.execute("delete from log");
        done(home.back(Selection::Steps(2)).await);
        let around = |what| ["beforeEachUndo", what, "afterEachUndo"];
        let expected = [&["beforeUndo"][..], &around("U3"), &around("U2"), &["afterUndo"]].concat();
        assert_eq!(log(&home), expected);
        assert_eq!(home.states().await, ["1 applied", "2 pending", "3 pending"]);
        // Nothing is taken back, and nothing runs around it.
        home.execute("delete from log");
        home.file("beforeUndo.sql", BAD);
        let text = failed(&home.back(Selection::Steps(1)).await, 3, &["beforeUndo.sql:1", "none was taken back"]);
        assert!(!text.contains("afterUndoError"), "{text}");
        home.file("beforeUndo.sql", &note("beforeUndo"));
        // What shares its transaction goes with it.
        home.file("afterEachUndo.sql", BAD);
        failed(&home.back(Selection::Steps(1)).await, 3, &["afterEachUndo.sql:1"]);
        assert_eq!(log(&home), ["beforeUndo", "afterUndoError"]);
        assert_eq!(home.states().await[0], "1 applied");
        home.file("afterEachUndo.sql", &note("afterEachUndo"));
        home.file("afterUndo.sql", BAD);
        failed(&home.back(Selection::Steps(1)).await, 3, &["afterUndo.sql:1", "are taken back, and that stands"]);
        assert_eq!(home.states().await[0], "1 pending");
        assert_eq!(home.migrator().audit_verify(&[]).await.unwrap().exit_code, 0);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_rollback_does_not_leave_out_what_should_run_around_it() {
    let home = sqlite();
    with_ways_back(&home);
    done(home.migrate().await);
    home.file("beforeUndo__tell.sh", "exit 0\n");
    failed(&home.back(Selection::Steps(1)).await, 2, &["LIM-F032", "beforeUndo__tell.sh", "--allow-commands"]);
    std::fs::remove_file(home.folder.join("migrations/beforeUndo__tell.sh")).unwrap();
    home.file("afterUndo.sql", "select 'never closed;\n");
    failed(&home.back(Selection::Steps(1)).await, 2, &["LIM-S005", "afterUndo.sql:1"]);
    home.file("afterUndo.sql", "select '${nope}';\n");
    failed(&home.back(Selection::Steps(1)).await, 2, &["LIM-R012", "afterUndo.sql:1"]);
    assert_eq!(home.states().await[2], "3 applied");
    // Other files that cannot be read stop no rollback.
    home.file("afterUndo.sql", &note("afterUndo"));
    home.file("V4__bad.sql", "select 'never closed;\n");
    done(home.back(Selection::Steps(1)).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_of_callbacks_are_not_told_as_the_migrations() {
    for home in all_homes() {
        home.holds(LOG);
        home.file("V1__rows.sql", &note("V1"));
        home.file("beforeEachMigrate.sql", &format!("{}{}", note("a"), note("b")));
        home.file("afterEachMigrate.sql", &note("c"));
        let running = crate::running::Running::migrate(home.configuration());
        running.wait_for("its end", |event| matches!(event, limosa::Event::StepDone { .. }));
        let told: Vec<(usize, u64, u64)> = running
            .events()
            .iter()
            .filter_map(|event| match event {
                limosa::Event::StatementDone { step, number, of, .. } => Some((*step, *number, *of)),
                _ => None,
            })
            .collect();
        assert_eq!(told, [(0, 1, 2), (0, 2, 2), (1, 1, 1), (0, 1, 1)]);
        done(running.end().await);
    }
}

#[tokio::test]
async fn a_callback_that_fails_says_what_stands() {
    for home in all_homes() {
        home.holds(LOG);
        home.file("V1__rows.sql", &note("V1"));
        home.file("V2__rows.sql", &note("V2"));
        let bad = "insert into nosuch values (1);\n";
        home.file("beforeMigrate.sql", bad);
        failed(&home.migrate().await, 3, &["beforeMigrate.sql:1", "statement 1 of 1", "no migration was begun"]);
        assert_eq!(log(&home), [] as [&str; 0]);
        let failures = format!("select count(*) from {} where outcome = 'failed'", home.table("audit_log"));
        assert_eq!(home.rows(&failures), ["1"], "it is in the audit log");
        home.file("beforeMigrate.sql", "select 1;\n");

        home.file("afterEachMigrate.sql", bad);
        failed(&home.migrate().await, 3, &["afterEachMigrate.sql:1"]);
        assert_eq!(log(&home), [] as [&str; 0], "it is part of the migration");
        assert_eq!(home.states().await, ["1 failed", "2 pending"]);
        home.file("afterEachMigrate.sql", "select 1;\n");

        home.file("afterMigrate.sql", bad);
        let result = home.migrate().await;
        failed(&result, 3, &["afterMigrate.sql:1", "all migrations of this run are applied, and stand"]);
        assert_eq!(labels(&result.unwrap()), ["1", "2"]);
        assert_eq!(log(&home), ["V1", "V2"]);
        assert_eq!(home.states().await, ["1 applied", "2 applied"]);
        home.file("afterMigrate.sql", "select 1;\n");

        home.file("V3__bad.sql", bad);
        home.file("afterMigrateError.sql", bad);
        let text = failed(&home.migrate().await, 3, &["V3__bad.sql:1"]);
        assert!(!text.contains("afterMigrateError"), "the first error is what counts: {text}");
    }
}

#[tokio::test]
async fn settings_of_a_callback_around_the_run_do_not_reach_the_migration() {
    for home in all_homes() {
        let set = match (home.is_mysql(), home.is_sqlite()) {
            (true, _) => "set sql_mode = 'ANSI_QUOTES';\n",
            (_, true) => "pragma recursive_triggers = on;\n",
            _ => "set statement_timeout = '7s';\n",
        };
        let shown = match (home.is_mysql(), home.is_sqlite()) {
            (true, _) => "create table seen as select cast(@@sql_mode like '%ANSI_QUOTES%' as char) as it;\n",
            (_, true) => "create table seen as select recursive_triggers as it from pragma_recursive_triggers;\n",
            _ => "create table seen as select (current_setting('statement_timeout') = '7s')::int as it;\n",
        };
        home.file("beforeMigrate.sql", set);
        home.file("V1__seen.sql", shown);
        done(home.migrate().await);
        assert_eq!(home.rows("select it from seen"), ["0"]);
    }
}

#[tokio::test]
async fn callbacks_may_hold_what_no_transaction_takes() {
    let home = newest_postgres();
    home.file("V1__t.sql", "create table t (n integer);\n");
    home.file(
        "afterMigrate__tidy.sql",
        "vacuum analyze t;\ninsert into t values (1);\ncreate index concurrently if not exists i on t (n);\n",
    );
    home.file("afterEachMigrate__tidy.sql", "vacuum;\n");
    done(home.migrate().await);
    assert_eq!(home.rows("select count(*) from pg_indexes where indexname = 'i'"), ["1"]);
    assert_eq!(home.rows("select n from t"), ["1"]);
    let together = home.with(|it| it.single_transaction = true);
    failed(&migrate(&together).await, 2, &["LIM-P009", "afterEachMigrate__tidy.sql"]);
    home.file("beforeMigrate.sql", "create table half (n integer);\nvacuum;\ninsert into nosuch values (1);\n");
    failed(&home.migrate().await, 3, &["beforeMigrate.sql:3", "those before the failed one may stand"]);
}

#[tokio::test]
async fn all_in_one_transaction_with_their_callbacks() {
    for home in homes() {
        home.holds(LOG);
        home.file("beforeEachMigrate.sql", &note("before"));
        home.file("V1__a.sql", &note("V1"));
        home.file("V2__b.sql", &note("V2"));
        home.file("V3__c.sql", "insert into nosuch values (1);\n");
        let together = home.with(|it| it.single_transaction = true);
        failed(&migrate(&together).await, 3, &["V3__c.sql:1"]);
        assert_eq!(log(&home), [] as [&str; 0]);
        home.file("V3__c.sql", &note("V3"));
        done(migrate(&together).await);
        assert_eq!(log(&home), ["before", "V1", "before", "V2", "before", "V3"]);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn commands_run_only_where_they_are_allowed() {
    let home = sqlite();
    home.file("V1__a.sql", "create table a (n integer);\n");
    let seen = home.folder.join("seen");
    home.file(
        "afterMigrate__tell.sh",
        &format!("echo \"$FP__owner__ of $FP__flyway_user__\" > {}\necho hello\n", seen.display()),
    );
    failed(&home.migrate().await, 2, &["LIM-F032", "afterMigrate__tell.sh", "--allow-commands"]);
    assert_eq!(home.tables(), [] as [&str; 0]);
    let allowed = || {
        home.with(|it| {
            it.allow_commands = true;
            it.values.all.insert("owner".to_owned(), "app".to_owned());
        })
    };
    done(migrate(&allowed()).await);
    assert_eq!(std::fs::read_to_string(&seen).unwrap(), "app of \n");
    // What is no text must not break the pipe that the rest goes through.
    home.file("afterMigrate__tell.sh", "printf 'caf\\351\\n'; sleep 0.2; seq 1 20000\n");
    done(migrate(&allowed()).await);
    home.file("afterMigrate__tell.sh", "echo about to fail; exit 7\n");
    failed(&migrate(&allowed()).await, 3, &["LIM-R014", "exit status: 7", "afterMigrate"]);
    home.file("afterMigrate__tell.sh", "sleep 600\n");
    let stop = Stop::new();
    let asked = stop.clone();
    let migrator = allowed();
    let options = MigrateOptions::default();
    let run = migrator.migrate(&options, &quiet, stop);
    let (result, ()) = tokio::join!(run, async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        asked.ask();
    });
    failed(&result, 3, &["LIM-R005"]);
}

#[tokio::test]
async fn settings_beside_a_script() {
    let home = newest_postgres();
    home.file(
        "V1__outside.sql",
        "create table a (n integer);\ninsert into a values (1);\ninsert into nosuch values (1);\n",
    );
    home.file("V1__outside.sql.conf", "# why\nexecuteInTransaction=false\n");
    failed(&home.migrate().await, 3, &["statements 1 to 2 of 3 are committed"]);
    home.execute("create table nosuch (n integer)");
    done(home.migrate().await);

    home.file("V2__text.sql", "create table b as select '${not a placeholder} ${nor.this}' as text;\n");
    failed(&home.migrate().await, 2, &["LIM-R012", "nor.this"]);
    home.file("V2__text.sql.conf", "placeholderReplacement=false");
    done(home.migrate().await);
    assert_eq!(home.rows("select text from b"), ["${not a placeholder} ${nor.this}"]);

    home.file("V3__there.sql", "create table c (n integer);\n");
    home.file("V3__there.sql.conf", "shouldExecute=${place}==there && true\n");
    failed(&home.migrate().await, 2, &["LIM-F031", "${place} has no value"]);
    let here = home.with(|it| _ = it.values.all.insert("place".to_owned(), "here".to_owned()));
    assert_eq!(done(migrate(&here).await).outcome, "nothing_to_do");
    let there = home.with(|it| _ = it.values.all.insert("place".to_owned(), "there".to_owned()));
    assert_eq!(labels(&done(migrate(&there).await)), ["3"]);

    for (text, wanted) in [
        ("executeInTransactoin=false", "did you mean executeInTransaction?"),
        ("executeInTransaction=perhaps", "it may be true or false"),
        ("encoding=ISO-8859-1", "save the script as UTF-8"),
        ("shouldExecute=maybe", "write true, false"),
        ("what=ever", "the settings of a script are"),
    ] {
        home.file("V3__there.sql.conf", text);
        failed(&migrate(&there).await, 2, &["LIM-F031", "V3__there.sql.conf:1:1", wanted]);
    }
    // The message shows what is written, never what it stands for.
    home.file("V3__there.sql.conf", "shouldExecute=${place}");
    let text = failed(&migrate(&there).await, 2, &["shouldExecute is no expression: ${place}"]);
    assert!(!text.contains("expression: there"), "{text}");
}

#[tokio::test]
async fn names_may_begin_and_end_otherwise() {
    let home = sqlite();
    home.file("up-1-first.ddl", "create table a (n integer);\n");
    home.file("again-views.ddl", "create view v as select * from a;\n");
    home.file("notes.sql", "not read\n");
    let naming = FlywayNaming {
        versioned: "up-".to_owned(),
        repeatable: "again".to_owned(),
        separator: "-".to_owned(),
        suffixes: vec![".ddl".to_owned()],
        ..FlywayNaming::default()
    };
    let migrator = home.with(|it| it.layout = LayoutChoice::Given(Layout::Flyway(naming)));
    assert_eq!(labels(&done(migrate(&migrator).await)), ["1", "R"]);
}

#[tokio::test]
async fn placeholders_that_are_always_there() {
    for home in all_homes() {
        home.file(
            "V1__p.sql",
            "create table p as select '${flyway:filename}' as f, '${flyway:database}' as d, '${flyway:defaultSchema}' as s, \
             '${flyway:environment}' as e, '${flyway:timestamp}' as t, '${flyway:table}' as h;\n",
        );
        done(home.migrate().await);
        let schema = match (home.is_mysql(), home.is_sqlite()) {
            (true, _) => home.database(),
            (_, true) => "main".to_owned(),
            _ => "public".to_owned(),
        };
        let found = home.rows("select f, d, s, e from p");
        assert_eq!(found, [format!("V1__p.sql|{}|{schema}|default", home.database())]);
        assert_eq!(home.rows("select t from p")[0].len(), "2026-11-25 23:00:00".len());
    }
    let home = sqlite();
    home.file("V1__p.sql", "select '${flyway:nonsense}';\n");
    failed(&home.migrate().await, 2, &["LIM-R012"]);
}

#[tokio::test]
async fn names_of_placeholders_are_the_same_in_any_case() {
    for home in all_homes() {
        home.file("V1__p.sql", "create table ${TABLE_name} as select '${Owner}' as o, '${FLYWAY:database}' as d;\n");
        home.file("U1__p.sql", "drop table ${Table_Name};\n");
        home.file("afterMigrate.sql", "insert into ${table_NAME} values ('${OWNER}', 'called');\n");
        let with = |owner: &str| {
            home.with(|it| {
                it.values.all.insert("table_name".to_owned(), "p".to_owned());
                it.values.all.insert("owner".to_owned(), owner.to_owned());
                it.values.secret.insert("owner".to_owned());
            })
        };
        done(migrate(&with("x".repeat(9).as_str())).await);
        assert_eq!(home.rows("select o from p"), ["xxxxxxxxx", "xxxxxxxxx"]);
        assert_eq!(home.rows("select d from p where d <> 'called'"), [home.database()]);
        let consent = home.database();
        done(back(&with("x"), Selection::Steps(1), Some(&consent)).await);
        assert!(home.tables().is_empty());
    }
    // In limosa's own folders a name is as it is written.
    let home = sqlite();
    home.file("001_p.sql", "select '${Owner}';\n");
    let migrator = home.with(|it| _ = it.values.all.insert("owner".to_owned(), "x".to_owned()));
    failed(&migrate(&migrator).await, 2, &["LIM-R012", "Owner"]);
}

#[tokio::test]
async fn plans_show_callbacks_and_dry_runs_leave_them_out() {
    let home = newest_postgres();
    home.file("V1__a.sql", "create table a (n integer);\n");
    home.file("beforeMigrate.sql", "create table never (n integer);\n");
    let migrator = home.migrator();
    let plan = migrator.plan(&MigrateOptions::default()).await.unwrap();
    assert_eq!(plan.callbacks.len(), 1);
    assert_eq!(plan.callbacks[0].event, "beforeMigrate");
    let script = migrator.plan_script(&MigrateOptions::default()).await.unwrap();
    assert!(script.contains("--   beforeMigrate: ") && !script.contains("never"), "{script}");
    let consent = home.database();
    let tried = migrator.dry_run(&MigrateOptions::default(), Some(&consent), &quiet, Stop::new()).await.unwrap();
    assert!(tried.notices.iter().any(|notice| notice.code == "LIM-U007"), "{tried:?}");
    assert_eq!(home.tables(), [] as [&str; 0]);
    let digest = plan.digest.clone();
    home.file("beforeMigrate.sql", "create table other (n integer);\n");
    let changed = MigrateOptions { expected_plan: Some(digest), ..MigrateOptions::default() };
    failed(&home.migrate_with(&changed).await, 4, &["LIM-U001"]);
    // Nobody runs what a folder of another format holds.
    let native = home.with(|it| it.layout = LayoutChoice::Given(Layout::Native));
    crate::answers::refusal(
        native.plan(&MigrateOptions::default()).await,
        2,
        &["LIM-F033", "looks like a file of Flyway"],
    );
}

#[tokio::test]
async fn new_files_are_named_as_the_others() {
    let home = sqlite();
    home.file("V1__a.sql", "select 1;\n");
    home.file("V2.5__b.sql", "select 1;\n");
    let at = std::time::Duration::from_secs(1_700_000_000);
    let make =
        |kind, numbering| home.migrator().new_migration("add users", kind, numbering, at).unwrap().done.remove(0);
    let name = |path: String| path.rsplit('/').next().unwrap().to_owned();
    assert_eq!(name(make(NewKind::Versioned, Numbering::Auto)), "V3__add_users.sql");
    assert_eq!(name(make(NewKind::Versioned, Numbering::Timestamp)), "V20231114221320__add_users.sql");
    assert_eq!(name(make(NewKind::Repeatable, Numbering::Auto)), "R__add_users.sql");
    let empty = sqlite();
    std::fs::create_dir_all(empty.folder.join("migrations")).unwrap();
    let first = empty.with(|it| it.layout = LayoutChoice::Given(Layout::Flyway(FlywayNaming::default())));
    let made = first.new_migration("first", NewKind::Versioned, Numbering::Auto, at).unwrap().done.remove(0);
    assert_eq!(name(made), "V1__first.sql");
    // Flyway would run a section for the way back right behind the migration.
    let read = |file: &str| std::fs::read_to_string(empty.folder.join("migrations").join(file)).unwrap();
    assert!(!read("V1__first.sql").contains("limosa:rollback"));
    assert!(read("U1__first.sql").starts_with("-- The way back of V1__first.sql\n"));
}

#[tokio::test]
async fn a_callback_that_stands_in_two_folders_is_none_of_them() {
    for home in all_homes() {
        home.file("V1__a.sql", "create table a (n integer);\n");
        for file in
            ["one/beforeMigrate.sql", "two/beforeMigrate.sql", "one/afterMigrate__x.sql", "two/afterMigrate__y.sql"]
        {
            home.file(file, "select 1;\n");
        }
        failed(
            &home.migrate().await,
            2,
            &["LIM-F016", "are the same callback: beforeMigrate", "beforeMigrate__name.sql"],
        );
        std::fs::remove_file(home.folder.join("migrations/two/beforeMigrate.sql")).unwrap();
        done(home.migrate().await);
    }
}
