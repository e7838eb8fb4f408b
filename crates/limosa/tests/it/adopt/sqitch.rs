//! Sqitch's registry, with ids and hashes that sqitch 1 made of this project.

use limosa::{AdoptOptions, ForeignTool};

use super::{adopt, adopt_with, verdicts};
use crate::answers::{done, failed, labels, refusal, words};
use crate::place::{Home, all_homes, newest_postgres, sqlite};

const PLAN: &str = "%syntax-version=1.0.0\n%project=flipr\n%uri=https://flipr.example/\n\n\
    app/users 2026-11-26T07:00:19Z Ann <ann@example.com> # users\n\
    fill [app/users] 2026-11-26T07:00:20Z Ann <ann@example.com> # why \\\\ not\\nsecond line\n\
    @v1 2026-11-26T07:00:21Z Ann <ann@example.com> # one\n\
    fill [fill@v1] 2026-11-26T07:00:22Z Ann <ann@example.com> # again\n\
    last [fill@v1 !gone flipr:app/users] 2026-11-26T07:00:23Z  Ann B.  <ann@example.com>\n";

const TABLE: &str = "changes (change_id varchar(40) primary key, script_hash varchar(40), change varchar(255) not null, \
    project varchar(255) not null, note text, committed_at timestamp not null, committer_name varchar(255) not null, \
    unique (project, script_hash))";

const ROWS: &str = "changes values \
    ('fa9359b180b35c29d8ff11089332a485f4e82e8b', 'df5dc30995664baaeaad0fc4210309ba9ce169e7', 'app/users', 'flipr', '', '2026-11-26 07:00:23.936', 'Ann'), \
    ('b87927182ec43cfd8590c7e4bef8d8a8baf89d40', 'e8ad3332fb4f48828a35e2cfa5ee1681a3f6491f', 'fill', 'flipr', '', '2026-11-26 07:00:23.995', 'Ann'), \
    ('6795a83f40c35f828c8db4fd0520220262e96c47', 'a21fffffc2da982207f515c0810991f835caff94', 'fill', 'flipr', '', '2026-11-26 07:00:24.051', 'Ann'), \
    ('0000000000000000000000000000000000000000', null, 'fill', 'other', '', '2026-11-26 07:00:22.000', 'Ann')";

/// The project, deployed up to the change before its last.
fn deployed(home: &Home, schema: &str) {
    let engine = match () {
        () if home.is_sqlite() => "sqlite",
        () if home.is_mysql() => "mysql",
        () => "pg",
    };
    home.file("sqitch.conf", &format!("[core]\n\tengine = {engine}\n"));
    home.file("sqitch.plan", PLAN);
    for (name, text) in [
        ("app/users", "create table users (id integer primary key, note varchar(40));\n"),
        ("fill@v1", "insert into users values (1, 'x');\n"),
        ("fill", "insert into users values (2, 'y');\n"),
        ("last", "insert into users values (3, 'y');\n"),
    ] {
        home.file(&format!("deploy/{name}.sql"), text);
        if name != "last" {
            home.execute(text);
        }
    }
    let table = match home.is_mysql() {
        true => TABLE.replace(" change ", " `change` ").replace("timestamp", "datetime(6)"),
        false => TABLE.to_owned(),
    };
    home.execute(&format!("create table {schema}{table}"));
    home.execute(&format!("insert into {schema}{ROWS}"));
}

#[tokio::test]
async fn scripts_and_the_plan_are_verified() {
    let home = newest_postgres();
    home.execute("create schema sqitch");
    deployed(&home, "sqitch.");
    let answer = adopt(&home).await.unwrap();
    let expected = ["verified 0001 app/users", "verified 0002 fill", "verified 0003 fill@v1+", "pending 0004 last"];
    assert_eq!(verdicts(&answer), expected, "rows of another project are not of this one");
    assert_eq!(labels(&done(home.migrate().await)), ["0004"]);
    home.execute("insert into sqitch.changes values ('1', null, 'more', 'other', '', '2026-11-27 07:00:24', 'Ann')");
    assert_eq!(labels(&done(home.migrate().await)), [""; 0], "another project goes its own way");
}

#[tokio::test]
async fn what_was_changed_since_is_told() {
    let home = newest_postgres();
    home.execute("create schema sqitch");
    deployed(&home, "sqitch.");
    home.file("sqitch.plan", &PLAN.replace("# again", "# once more"));
    home.file("deploy/fill@v1.sql", "insert into users values (4, 'z');\n");
    let answer = adopt(&home).await.unwrap();
    assert_eq!(answer.outcome, "refused");
    assert!(words(&answer.errors).contains("deploy/fill@v1.sql"), "{:?}", answer.errors);
    let expected = [
        "verified 0001 app/users",
        "diverged 0002 fill: the file is not the one that Sqitch has applied",
        "verified 0003 fill@v1+: the same but for what the plan says of it, or of one before it",
        "pending 0004 last",
    ];
    assert_eq!(verdicts(&answer), expected);
}

#[tokio::test]
async fn a_registry_elsewhere_is_named() {
    for home in all_homes() {
        deployed(&home, "");
        let options = AdoptOptions {
            from: Some(ForeignTool::Sqitch),
            ledger_table: Some("changes".to_owned()),
            ..AdoptOptions::default()
        };
        let answer = adopt_with(&home, &options).await.unwrap();
        assert_eq!((answer.outcome, answer.counts.verified), ("done", 3), "{answer:?}");
        assert_eq!(labels(&done(home.migrate().await)), ["0004"]);
    }
}

/// On MySQL it is always another database than that of the changes.
#[tokio::test]
async fn a_registry_in_a_database_of_its_own_is_that_of_the_settings() {
    for home in crate::place::mysql_homes() {
        let registry = format!("{}_registry", home.database());
        home.execute(&format!("create database {registry}"));
        deployed(&home, &format!("{registry}."));
        home.file("sqitch.conf", &format!("[core]\n\tengine = mysql\n[engine \"mysql\"]\n\tregistry = {registry}\n"));
        let table = format!("table {registry}.changes");
        failed(&home.migrate().await, 4, &["LIM-P020", "Sqitch has migrated this database", &table, "limosa adopt"]);
        // One that the command line of Sqitch's named is found by its tables.
        home.file("sqitch.conf", "[core]\n\tengine = mysql\n");
        failed(&home.migrate().await, 4, &["LIM-P020", &table]);
        home.file("sqitch.conf", &format!("[core]\n\tengine = mysql\n[engine \"mysql\"]\n\tregistry = {registry}\n"));
        let answer = adopt(&home).await.unwrap();
        assert_eq!((answer.outcome, answer.counts.verified), ("done", 3), "{answer:?}");
        assert_eq!(labels(&done(home.migrate().await)), ["0004"]);
        home.execute(&format!("drop database {registry}"));
    }
}

#[tokio::test]
async fn a_schema_of_the_registry_is_that_of_the_settings() {
    let home = newest_postgres();
    home.execute("create schema \"Meta\"");
    deployed(&home, "\"Meta\".");
    home.file(
        "sqitch.conf",
        "[core]\n\tengine = pg\n[engine \"pg\"]\n\ttarget = live\n[target \"live\"]\n\tregistry = Meta\n",
    );
    failed(&home.migrate().await, 4, &["LIM-P020", "table Meta.changes"]);
    assert_eq!(adopt(&home).await.unwrap().outcome, "done");
    assert_eq!(labels(&done(home.migrate().await)), ["0004"]);
}

/// Scripts that have run need not be such that limosa could run them: they are compared by their hashes.
#[tokio::test]
async fn scripts_with_commands_of_psql_are_taken_over() {
    let home = newest_postgres();
    home.execute("create schema sqitch");
    deployed(&home, "sqitch.");
    for (text, hash) in [
        ("\\set ON_ERROR_STOP on\n\\timing\nselect 1;\n", "83e57fa8ccf1c14b81690836fcc07e5fe400d188"),
        ("\\i other.sql\n", "290cf2ff41dfaf3e8fbe98fbbad92fa6660bbc96"),
    ] {
        home.file("deploy/fill@v1.sql", text);
        home.execute(&format!("update sqitch.changes set script_hash = '{hash}' where change_id like 'b87927%'"));
        let answer = adopt_with(&home, &AdoptOptions { dry_run: true, ..AdoptOptions::default() }).await.unwrap();
        assert_eq!(verdicts(&answer)[1], "verified 0002 fill", "{text}");
    }
    assert_eq!(adopt(&home).await.unwrap().outcome, "done");
    assert_eq!(labels(&done(home.migrate().await)), ["0004"]);
}

#[tokio::test]
async fn a_registry_that_is_not_in_sight_is_explained() {
    let home = sqlite();
    home.file("001_a.sql", "select 1;\n");
    home.execute("create table users (id integer)");
    let options = AdoptOptions { from: Some(ForeignTool::Sqitch), ..AdoptOptions::default() };
    let refused = adopt_with(&home, &options).await.unwrap_err();
    assert!(words(&refused.diagnostics).contains("sqitch.db"), "{refused:?}");
}

/// The registry of Sqitch's as it stands on SQLite: a file beside the database, with the ending of its name.
fn registry_beside(home: &Home, database: &std::path::Path) -> std::path::PathBuf {
    deployed(home, "");
    home.execute("drop table changes");
    let registry = database.with_file_name(match database.extension() {
        Some(ending) => format!("sqitch.{}", ending.to_string_lossy()),
        None => "sqitch".to_owned(),
    });
    let connection = rusqlite::Connection::open(&registry).unwrap();
    connection.execute_batch(&format!("create table {TABLE}; insert into {ROWS};")).unwrap();
    registry
}

#[tokio::test]
async fn a_registry_in_a_file_beside_is_found_and_only_read() {
    let home = sqlite();
    let registry = registry_beside(&home, std::path::Path::new(&home.database()));
    let before = std::fs::read(&registry).unwrap();
    failed(&home.migrate().await, 4, &["LIM-P020", "Sqitch has migrated this database (table sqitch.changes"]);
    let answer = adopt(&home).await.unwrap();
    let expected = ["verified 0001 app/users", "verified 0002 fill", "verified 0003 fill@v1+", "pending 0004 last"];
    assert_eq!((verdicts(&answer), answer.table.as_str()), (expected.map(str::to_owned).to_vec(), "sqitch.changes"));
    assert_eq!(std::fs::read(&registry).unwrap(), before, "the registry was changed");

    let tell_registry = |sql: &str| rusqlite::Connection::open(&registry).unwrap().execute_batch(sql).unwrap();
    tell_registry("insert into changes values ('9', null, 'more', 'flipr', '', '2026-11-27 07:00:24', 'Ann')");
    failed(&home.migrate().await, 4, &["LIM-P020", "Sqitch has applied more since"]);
    tell_registry("delete from changes where change = 'more'");
    assert_eq!(labels(&done(home.migrate().await)), ["0004"]);
}

#[tokio::test]
async fn a_registry_that_is_no_database_is_named() {
    let home = sqlite();
    let registry = registry_beside(&home, std::path::Path::new(&home.database()));
    std::fs::write(&registry, "this is no database, though it is long enough to be taken for one".repeat(20)).unwrap();
    let refused = adopt(&home).await.unwrap_err();
    assert_eq!(refused.diagnostics[0].code, "LIM-U156", "{refused:?}");
}

#[tokio::test]
async fn a_deploy_that_failed_is_told() {
    let home = newest_postgres();
    home.execute("create schema sqitch");
    deployed(&home, "sqitch.");
    home.execute(
        "create table sqitch.events (event text, change_id text, change text, project text, committed_at timestamp)",
    );
    home.execute(
        "insert into sqitch.events values ('fail', '1', 'fill', 'flipr', '2026-11-26 07:00:21'), \
         ('deploy', '1', 'fill', 'flipr', '2026-11-26 07:00:22'), ('fail', '2', 'last', 'flipr', '2026-11-26 07:00:25'), \
         ('fail', '3', 'elsewhere', 'other', '2026-11-26 07:00:26')",
    );
    let answer = adopt(&home).await.unwrap();
    let told: Vec<&str> =
        answer.notices.iter().filter(|it| it.code == "LIM-U157").map(|it| it.message.as_str()).collect();
    assert_eq!(told, ["Sqitch has tried to deploy last, which failed, and has not deployed it since"]);
}

#[tokio::test]
async fn a_registry_of_other_projects_is_not_taken_over() {
    let home = newest_postgres();
    home.execute("create schema sqitch");
    deployed(&home, "sqitch.");
    home.file("sqitch.plan", &PLAN.replace("%project=flipr", "%project=third").replace("flipr:app/users", "app/users"));
    for dry_run in [true, false] {
        let answer = adopt_with(&home, &AdoptOptions { dry_run, ..AdoptOptions::default() }).await.unwrap();
        assert_eq!((answer.outcome, answer.exit_code), ("refused", 2), "{answer:?}");
        let said = words(&answer.errors);
        assert!(said.contains("LIM-U115") && said.contains("flipr, other") && said.contains("third"), "{said}");
    }
    failed(&home.migrate().await, 4, &["LIM-P020", "Sqitch has migrated this database"]);
}

/// A registry in this schema, or in the database itself, and how it is found.
fn registry(home: &Home, schema: &str) -> AdoptOptions {
    let options = match schema {
        "" => AdoptOptions {
            from: Some(ForeignTool::Sqitch),
            ledger_table: Some("changes".to_owned()),
            ..AdoptOptions::default()
        },
        _ => {
            home.execute("create schema sqitch");
            AdoptOptions::default()
        }
    };
    deployed(home, schema);
    options
}

#[tokio::test]
async fn a_registry_of_a_newer_sqitch_is_not_taken_over() {
    for (home, schema) in [(newest_postgres(), "sqitch."), (sqlite(), "")] {
        let options = registry(&home, schema);
        home.execute(&format!("create table {schema}releases (version real primary key)"));
        home.execute(&format!("insert into {schema}releases values (1.0), (1.1), (9.9)"));
        refusal(adopt_with(&home, &options).await, 2, &["LIM-U110", "version 9.9", "1.1"]);
        home.execute(&format!("delete from {schema}releases where version > 9"));
        assert_eq!(adopt_with(&home, &options).await.unwrap().outcome, "done");
    }
}

#[tokio::test]
async fn a_registry_of_an_old_sqitch_has_no_hashes() {
    for (home, schema) in [(newest_postgres(), "sqitch."), (sqlite(), "")] {
        let options = registry(&home, schema);
        // As before sqitch 0.998: neither `releases` nor a column for hashes.
        home.execute(&format!(
            "create table {schema}old as select change_id, change, project, note, committed_at, committer_name from {schema}changes"
        ));
        home.execute(&format!("drop table {schema}changes"));
        home.execute(&format!("alter table {schema}old rename to changes"));
        let answer = adopt_with(&home, &options).await.unwrap();
        let note = "it was deployed by a sqitch that kept no hash of its script";
        let expected = [
            format!("stamped 0001 app/users: {note}"),
            format!("stamped 0002 fill: {note}"),
            format!("stamped 0003 fill@v1+: {note}"),
            "pending 0004 last".to_owned(),
        ];
        assert_eq!(verdicts(&answer), expected);
    }
}
