//! Sqitch's projects.

use limosa::report::PlanAnswer;
use limosa::{MigrateOptions, Selection, StatusOptions, Stop};

use super::to;
use crate::answers::{back, done, failed, id, labels, quiet, states, words};
use crate::place::{Home, Place, all_homes, newest_postgres, sqlite};

const AT: &str = "2024-01-31T12:00:00Z Ann <ann@example.com>";

fn plan(home: &Home, lines: &[&str]) {
    let lines: Vec<String> = lines.iter().map(|line| format!("{line} {AT} # why\n")).collect();
    home.file("sqitch.plan", &format!("%syntax-version=1.0.0\n%project=flipr\n\n{}", lines.concat()));
    let engine = match home.place {
        Place::Sqlite(_) => "sqlite",
        Place::Postgres(_) => "pg",
        Place::Mysql(_) => "mysql",
    };
    home.file("sqitch.conf", &format!("[core]\n\tengine = {engine}\n\t# top_dir = .\n"));
}

/// The three scripts of a change, as sqitch lays them out.
fn scripts(home: &Home, name: &str, [deploy, revert, verify]: [&str; 3]) {
    for (folder, text, end) in
        [("deploy", deploy, "COMMIT"), ("revert", revert, "COMMIT"), ("verify", verify, "ROLLBACK")]
    {
        let text = format!("-- {folder} flipr:{name} to pg\n-- requires: roles\n\nBEGIN;\n\n{text}\n\n{end};\n");
        home.file(&format!("{folder}/{name}.sql"), &text);
    }
}

const USERS: [&str; 3] = [
    "create table users (id integer primary key, note varchar(40));",
    "drop table users;",
    "select id, note from users where 1 = 0;",
];
const FILL: [&str; 3] = [
    "insert into users values (1, '${text}');",
    "delete from users where id = 1;",
    "update users set note = 'changed by a proof' where id = 1;",
];

#[tokio::test]
async fn a_project_goes_up_and_back_as_it_stands() {
    for home in all_homes() {
        plan(&home, &["app/users", "@v1.0", "fill [app/users]"]);
        scripts(&home, "app/users", USERS);
        scripts(&home, "fill", FILL);
        home.file("deploy/draft.sql", "create table draft (id integer);");
        let answer = done(home.migrate_with(&to("@v1.0")).await);
        assert_eq!(labels(&answer), ["0001"]);
        assert!(words(&answer.notices).contains("draft does not stand in the plan"), "{answer:?}");
        assert_eq!(labels(&done(home.migrate().await)), ["0002"]);
        assert_eq!(home.ledger(), ["app/users|applied", "fill|applied"]);
        assert_eq!(
            home.rows("select note from users"),
            ["${text}"],
            "no placeholder, and what a proof does is taken back"
        );
        let status = home.migrator().status(StatusOptions::default()).await.unwrap();
        assert_eq!((status.format, status.changes[1].has_rollback), ("sqitch", true));
        assert!(status.format_reason.unwrap().contains("sqitch.plan"));
        let consent = home.database();
        done(back(&home.migrator(), Selection::One(id("fill")), Some(&consent)).await);
        assert_eq!(home.rows("select count(*) from users"), ["0"]);
        done(home.migrate().await);
        assert_eq!(home.migrator().audit_verify(&[]).await.unwrap().exit_code, 0);
    }
}

#[tokio::test]
async fn a_proof_that_fails_takes_its_migration_back() {
    for home in all_homes() {
        plan(&home, &["users", "fill"]);
        scripts(&home, "users", USERS);
        scripts(&home, "fill", [FILL[0], FILL[1], "select nothing_of_that_name from users;"]);
        let failure = failed(&home.migrate().await, 3, &["fill.sql:6", "nothing_of_that_name"]);
        assert_eq!(home.rows("select count(*) from users"), ["0"], "{failure}");
        assert_eq!(home.ledger(), ["users|applied"]);
        scripts(&home, "fill", FILL);
        assert_eq!(labels(&done(home.migrate().await)), ["0002"]);

        // One that sqitch itself is told to leave out.
        plan(&home, &["users", "fill", "more"]);
        scripts(
            &home,
            "more",
            ["insert into users values (2, 'x');", "delete from users where id = 2;", "select nope;"],
        );
        home.file("sqitch.conf", "[deploy]\n\tverify = false\n");
        assert_eq!(labels(&done(home.migrate().await)), ["0003"]);
    }
}

#[tokio::test]
async fn a_change_that_is_reworked_runs_a_second_time() {
    for home in all_homes() {
        plan(&home, &["users", "fill", "@v1"]);
        scripts(&home, "users", USERS);
        scripts(&home, "fill", FILL);
        done(home.migrate().await);
        plan(&home, &["users", "fill", "@v1", "fill [fill@v1]"]);
        for folder in ["deploy", "revert", "verify"] {
            let path = |name: &str| home.folder.join(&format!("migrations/{folder}/{name}.sql"));
            std::fs::copy(path("fill"), path("fill@v1")).unwrap();
        }
        scripts(&home, "fill", ["update users set note = 'again';", "update users set note = '${text}';", "select 1;"]);
        assert_eq!(labels(&done(home.migrate().await)), ["0003"]);
        assert_eq!(home.ledger(), ["users|applied", "fill|applied", "fill@v1+|applied"]);
        let consent = home.database();
        done(back(&home.migrator(), Selection::One(id("fill@v1+")), Some(&consent)).await);
        assert_eq!(home.rows("select note from users"), ["${text}"]);
        let status = home.migrator().status(StatusOptions::default()).await.unwrap();
        assert_eq!(states(&status), ["users applied", "fill applied", "fill@v1+ pending"]);
    }
}

#[tokio::test]
async fn a_plan_that_does_not_fit_runs_nothing() {
    let home = sqlite();
    scripts(&home, "users", USERS);
    scripts(&home, "fill", FILL);
    for (lines, code, message) in [
        (&["users", "fill [!users]"][..], "LIM-F046", "sqitch.plan:5:7"),
        (&["users", "lost"], "LIM-F037", "there is no deploy/lost.sql"),
        (&["users", "fill [roles]"], "LIM-F020", "fill needs roles"),
        (&["users", "users"], "LIM-F035", "no tag stands between"),
    ] {
        plan(&home, lines);
        failed(&home.migrate().await, 2, &[code, message]);
    }
    plan(&home, &["users"]);
    home.file("sqitch.conf", "[core]\nengine = oracle\n");
    failed(&home.migrate().await, 2, &["LIM-F036", "for oracle"]);
    assert!(home.tables().is_empty());
    let refused = home.new_files("more").unwrap_err();
    assert!(words(&refused.diagnostics).contains("sqitch add NAME"), "{refused:?}");
}

#[tokio::test]
async fn a_proof_can_divide_by_nothing() {
    let home = newest_postgres();
    plan(&home, &["users"]);
    scripts(&home, "users", [USERS[0], USERS[1], "select 1/count(*) from pg_class where relname = 'other';"]);
    failed(&home.migrate().await, 3, &["division by zero", "users.sql:6"]);
    assert!(home.tables().is_empty());
    // A migration that no transaction takes is proven behind it.
    home.file("deploy/users.sql", "create table users (id int);\ncreate index concurrently on users (id);\n");
    failed(&home.migrate().await, 3, &["division by zero", "applied, and stands"]);
    assert_eq!(home.ledger(), ["users|applied"]);
}

async fn rehearsed(home: &Home) -> PlanAnswer {
    let consent = home.database();
    home.migrator().dry_run(&MigrateOptions::default(), Some(&consent), &quiet, Stop::new()).await.unwrap()
}

#[tokio::test]
async fn a_plan_and_a_dry_run_have_the_proofs() {
    for home in all_homes() {
        plan(&home, &["users"]);
        scripts(&home, "users", USERS);
        done(home.migrate().await);
        plan(&home, &["users", "fill"]);
        scripts(&home, "fill", [FILL[0], FILL[1], "select nope from users;"]);
        let answer = home.migrator().plan(&MigrateOptions::default()).await.unwrap();
        assert!(answer.steps[0].proof.as_ref().is_some_and(|file| file.ends_with("verify/fill.sql")));
        let answer = rehearsed(&home).await;
        let error = answer.executed.and_then(|executed| executed.error);
        assert!(error.is_some_and(|error| words([&error]).contains("nope")));
        scripts(&home, "fill", FILL);
        let answer = rehearsed(&home).await;
        assert!(answer.executed.is_some_and(|executed| executed.error.is_none()));
        assert_eq!(home.rows("select count(*) from users"), ["0"]);
    }
}

/// A plan names its project: changes of the same names in another plan are others.
#[tokio::test]
async fn two_plans_in_one_database_are_two_projects() {
    for home in all_homes() {
        plan(&home, &["register"]);
        scripts(&home, "register", ["create table one (id integer);", "drop table one;", "select 1;"]);
        done(home.migrate().await);
        assert_eq!(home.migrator().configuration().project, "flipr");
        let plan = format!("%syntax-version=1.0.0\n%project=other\n\nregister {AT} # why\n");
        home.file("sqitch.plan", &plan);
        scripts(&home, "register", ["create table two (id integer);", "drop table two;", "select 1;"]);
        assert_eq!(labels(&done(home.migrate().await)), ["0001"]);
        assert_eq!(home.rows("select count(*) from two"), ["0"]);
        // What somebody says goes before the plan.
        let given = home.with(|it| (it.project, it.project_is_given) = ("default".to_owned(), true));
        assert_eq!(given.configuration().project, "default");
    }
}

/// As a limosa has left it that did not go by the plan.
#[tokio::test]
async fn what_stands_under_the_default_project_does_not_run_again() {
    for home in all_homes() {
        plan(&home, &["users"]);
        scripts(&home, "users", USERS);
        let before = home.with(|it| it.project_is_given = true);
        done(crate::answers::migrate(&before).await);
        failed(&home.migrate().await, 4, &["LIM-P045", "users", "project flipr", "project = \"default\""]);
        let status = home.migrator().status(StatusOptions::default()).await.unwrap();
        assert!(words(&status.notices).contains("LIM-P045"), "{status:?}");
        plan(&home, &["users", "fill"]);
        scripts(&home, "fill", FILL);
        assert_eq!(labels(&done(crate::answers::migrate(&before).await)), ["0002"]);
        plan(&home, &["more"]);
        scripts(&home, "more", ["create table more (id integer);", "drop table more;", "select 1;"]);
        assert_eq!(labels(&done(home.migrate().await)), ["0001"], "none of these is on record there");
    }
}

/// As psql replaces them: outside of quotes, and only those that have a value.
#[tokio::test]
async fn variables_of_psql_have_the_values_of_the_settings() {
    let home = newest_postgres();
    plan(&home, &["app"]);
    home.file(
        "sqitch.conf",
        "[core]\n\tengine = pg\n[core \"variables\"]\n\tschema = no\n[deploy \"variables\"]\n\tschema = App\n\ttitle = it's\n\tn = 2\n",
    );
    let up = "\\set ON_ERROR_STOP on\n\\echo begun\ncreate schema :\"schema\";\ncreate table :\"schema\".t as select :'title'::text as a, ':n' as b, (array[1, 2, 3])[1: :n]::text as c, :n as d, $$:n :title$$ as e, (array[1, 2, 3])[2:m]::text as f from (select 3 as m) of_m;\n\\timing off";
    scripts(&home, "app", [up, "drop schema :\"schema\" cascade;", "select a, b from :\"schema\".t where false;"]);
    assert_eq!(labels(&done(home.migrate().await)), ["0001"]);
    let row = home.rows("select concat_ws('|', a, b, c, d, e, f) from \"App\".t");
    assert_eq!(row, ["it's|:n|{1,2}|2|:n :title|{2,3}"]);
    let consent = home.database();
    done(back(&home.migrator(), Selection::One(id("app")), Some(&consent)).await);
    assert!(home.refuses("select * from \"App\".t"));
    // What somebody gives goes before the settings; what has no value is told before anything runs.
    scripts(&home, "app", ["create table :name (id integer);", "drop table :name;", "select 1;"]);
    failed(&home.migrate().await, 2, &["name"]);
    let given = home.with(|it| drop(it.values.all.insert("name".to_owned(), "given".to_owned())));
    done(crate::answers::migrate(&given).await);
    assert_eq!(home.rows("select count(*) from given"), ["0"]);
}

#[tokio::test]
async fn variables_that_mean_something_else_on_the_way_back_are_refused() {
    let home = newest_postgres();
    plan(&home, &["app"]);
    scripts(&home, "app", ["create table t (id integer);", "drop table t;", "select 1;"]);
    home.file(
        "sqitch.conf",
        "[core]\n\tengine = pg\n[deploy \"variables\"]\n\tschema = a\n[revert \"variables\"]\n\tschema = b\n",
    );
    failed(&home.migrate().await, 2, &["LIM-F070", "schema"]);
}
