//! The folder is run in a database of its own, and what it makes is compared.

use limosa::report::AdoptAnswer;
use std::sync::Mutex;

use limosa::{AdoptOptions, Failure, Progress, ProveOn, Secret, Stop};

use super::tools::{EVERYWHERE, migrated};
use super::verdicts;
use crate::answers::{done, labels, quiet, refusal, words};
use crate::backups::{tooled, with_tools};
use crate::place::Home;

type Told = Mutex<Vec<String>>;

async fn prove(home: &Home, options: AdoptOptions) -> Result<AdoptAnswer, Failure> {
    prove_telling(home, options, &Told::default()).await
}

async fn prove_telling(home: &Home, options: AdoptOptions, told: &Told) -> Result<AdoptAnswer, Failure> {
    let listener = |progress: Progress| {
        if let Progress::Note(note) = progress {
            told.lock().expect("notes").push(note);
        }
    };
    let prove = Some(options.prove.clone().unwrap_or(ProveOn::ThisServer));
    tooled(home).adopt(&AdoptOptions { prove, ..options }, &listener, Stop::new()).await
}

fn postgres() -> Home {
    with_tools().into_iter().find(|home| !home.is_sqlite() && !home.is_mysql()).expect("a PostgreSQL")
}

/// The databases of proofs that were told of and are still there.
fn left_over(home: &Home, told: &Told) -> Vec<String> {
    let all = match (home.is_sqlite(), home.is_mysql()) {
        (true, _) => Vec::new(),
        (_, true) => home.rows("show databases"),
        _ => home.rows("select datname::text from pg_database"),
    };
    let notes = told.lock().expect("notes");
    assert!(!notes.is_empty(), "no proof was told of");
    let names = notes.iter().filter_map(|note| note.split([' ', ',']).find(|word| word.contains("scratch")));
    names
        .filter(|name| all.contains(&(*name).to_owned()) || std::path::Path::new(name).exists())
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn a_database_that_is_what_its_files_make_is_proven() {
    for tool in EVERYWHERE {
        for home in with_tools() {
            migrated(&home, tool);
            let answer = prove(&home, AdoptOptions::default()).await.unwrap();
            let proof = answer.proof.as_ref().expect("a proof");
            assert_eq!((proof.migrations, proof.differences.len()), (2, 0), "{} {:?}", tool.word, proof.differences);
            assert_eq!(answer.outcome, "done", "{}", words(&answer.errors));
            assert_eq!(labels(&done(home.migrate().await)).len(), 1);
        }
    }
}

#[tokio::test]
async fn what_liquibase_makes_for_itself_and_the_character_set_of_the_database_are_no_difference() {
    for home in with_tools() {
        if home.is_mysql() {
            home.execute("alter database character set latin1 collate latin1_german1_ci");
        }
        home.file("a.sql", "--liquibase formatted sql\n--changeset ann:1\ncreate table a (t varchar(20));\n");
        home.execute("create table a (t varchar(20))");
        let loud = |name: &str| if home.is_mysql() { name.to_uppercase() } else { name.to_owned() };
        let (log, lock) = (loud("databasechangelog"), loud("databasechangeloglock"));
        home.execute(&format!(
            "create table {log} (id varchar(255) not null, author varchar(255) not null, filename varchar(255) not null, \
             dateexecuted timestamp not null, orderexecuted int not null, exectype varchar(10) not null, md5sum varchar(35), \
             description varchar(255), comments varchar(255), tag varchar(255), liquibase varchar(20), contexts varchar(255), \
             labels varchar(255), deployment_id varchar(10))"
        ));
        home.execute(&format!(
            "insert into {log} (id, author, filename, dateexecuted, orderexecuted, exectype) \
             values ('1', 'ann', 'a.sql', current_timestamp, 1, 'EXECUTED')"
        ));
        home.execute(&format!("create table {lock} (id int not null primary key, locked boolean not null)"));
        let answer = prove(&home, AdoptOptions::default()).await.unwrap();
        let proof = answer.proof.as_ref().expect("a proof");
        assert_eq!((proof.migrations, proof.differences.len()), (1, 0), "{:?}", proof.differences);
    }
}

#[tokio::test]
async fn what_was_changed_by_hand_is_named() {
    for home in with_tools() {
        migrated(&home, &EVERYWHERE[0]);
        home.execute("alter table a add column extra int");
        home.execute("create index by_hand on b (n)");
        home.execute("create table theirs (n int)");
        let dry = AdoptOptions { dry_run: true, ..AdoptOptions::default() };
        let answer = prove(&home, dry).await.unwrap();
        assert_eq!((answer.outcome, answer.exit_code), ("refused", 4));
        let told = words(&answer.errors);
        assert!(told.contains("LIM-U122") && told.contains("theirs") && told.contains("stands here only"), "{told}");
        let differences = &answer.proof.as_ref().expect("a proof").differences;
        let of_a = differences.iter().find(|line| line.here.as_ref().is_some_and(|text| text.contains("extra")));
        let of_a = of_a.expect("the column");
        assert!(of_a.from_files.as_ref().is_some_and(|text| !text.contains("extra")), "{of_a:?}");
        assert!(differences.iter().any(|line| line.here.as_ref().is_some_and(|text| text.contains("by_hand"))));
        assert!(!home.tables().iter().any(|table| table.contains("lease")), "nothing is written");
        assert_eq!(verdicts(&answer).len(), 3);

        let accepting = AdoptOptions { accept_diverged: true, ..AdoptOptions::default() };
        let told = Told::default();
        assert_eq!(prove_telling(&home, accepting, &told).await.unwrap().outcome, "done");
        assert_eq!(left_over(&home, &told), Vec::<String>::new());
    }
}

#[tokio::test]
async fn lines_of_comment_that_sql_migrate_does_not_send_are_no_difference() {
    let body = |comment: &str| {
        format!(
            "create function one() returns int language plpgsql as $$\nbegin\n{comment}return 1;\nend $$;\n\
             create table texts (t text default 'a\n{comment}b');\n"
        )
    };
    for (comment, differences) in [("-- One; by and by.\n", 0), ("  -- It sends this one.\n", 2)] {
        let home = postgres();
        let blocks = "-- +migrate Up\n-- +migrate StatementBegin\n";
        home.file("001_a.sql", &format!("{blocks}{}-- +migrate StatementEnd\n", body(comment)));
        home.execute(&body(""));
        home.execute("create table gorp_migrations (id text not null primary key, applied_at timestamptz)");
        home.execute("insert into gorp_migrations values ('001_a.sql', now())");
        let answer = prove(&home, AdoptOptions::default()).await.unwrap();
        let proof = answer.proof.as_ref().expect("a proof");
        assert_eq!(proof.differences.len(), differences, "{comment}: {:?}", proof.differences);
    }
}

#[tokio::test]
async fn files_that_do_not_run_are_no_proof() {
    let home = postgres();
    migrated(&home, &EVERYWHERE[0]);
    home.file("000002_b.up.sql", "select * from nowhere;");
    let told = Told::default();
    let result = prove_telling(&home, AdoptOptions::default(), &told).await;
    let text = refusal(result, 3, &["there is no proof", "nowhere"]);
    assert!(text.contains("000002"), "{text}");
    assert_eq!(left_over(&home, &told), Vec::<String>::new());
    assert!(!home.tables().iter().any(|table| table.contains("lease")), "nothing is written");
}

#[tokio::test]
async fn who_may_not_make_databases_is_told() {
    let home = postgres();
    migrated(&home, &EVERYWHERE[0]);
    let role = format!("nobody_{}", home.database());
    home.execute(&format!("create role {role} login password 'x'; grant all on all tables in schema public to {role}"));
    let mut configuration = tooled(&home).configuration().clone();
    configuration.database = limosa::Secret::new(home.database_handle().url_for(&role, "x"));
    let options = AdoptOptions { prove: Some(ProveOn::ThisServer), dry_run: true, ..AdoptOptions::default() };
    let result = limosa::Migrator::new(configuration).adopt(&options, &quiet, Stop::new()).await;
    refusal(result, 3, &["the database for the proof cannot be made", "createdb"]);
    home.execute(&format!("drop owned by {role}; drop role {role}"));
}

#[tokio::test]
async fn what_reaches_beyond_its_database_runs_on_another_server_only() {
    let home = postgres();
    migrated(&home, &EVERYWHERE[0]);
    home.file(
        "000002_b.up.sql",
        "create table b (n int);\n-- of the server\nalter role postgres set work_mem = '4MB';\n",
    );
    let dry = || AdoptOptions { dry_run: true, ..AdoptOptions::default() };
    let text = refusal(prove(&home, dry()).await, 2, &["LIM-U123", "ALTER ROLE", "--prove=ADDRESS"]);
    assert!(text.contains("000002_b.up.sql"), "{text}");
    // The same server by its address counts as another: whoever names it answers for it.
    let elsewhere = AdoptOptions { prove: Some(ProveOn::Server(Secret::new(home.url()))), ..dry() };
    assert_eq!(prove(&home, elsewhere).await.unwrap().outcome, "would");
    let wrong = AdoptOptions { prove: Some(ProveOn::Server(Secret::new("sqlite:elsewhere.db"))), ..dry() };
    refusal(prove(&home, wrong).await, 2, &["LIM-U123", "PostgreSQL"]);
}

#[tokio::test]
async fn a_proof_that_is_stopped_takes_away_what_it_made() {
    for home in with_tools() {
        migrated(&home, &EVERYWHERE[0]);
        let (told, stop) = (Told::default(), Stop::new());
        let listener = |progress: Progress| {
            if let Progress::Note(note) = progress {
                // The second note is told once the database is there.
                if note.contains("running") {
                    stop.ask();
                }
                told.lock().expect("notes").push(note);
            }
        };
        let options = AdoptOptions { prove: Some(ProveOn::ThisServer), ..AdoptOptions::default() };
        refusal(tooled(&home).adopt(&options, &listener, stop.clone()).await, 3, &["LIM-R005"]);
        assert_eq!(left_over(&home, &told), Vec::<String>::new());
        assert!(!home.tables().iter().any(|table| table.contains("lease")), "nothing is written");
    }
}
