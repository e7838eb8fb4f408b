//! The tour of the README on MariaDB: what people type, and what they are told.

use limosa_testkit::mysql::{self, MysqlServer};
use limosa_testkit::{Folder, Limosa, eventually};

use super::stage::{limosa, run, sound};

fn server() -> &'static MysqlServer {
    mysql::shared(&mysql::newest().unwrap()).unwrap()
}

fn folder() -> Folder {
    Folder::new()
        .file(
            "migrations/001_users.sql",
            "create table users (id int primary key, name varchar(80));\n\
             -- limosa:rollback\ndrop table users;\n",
        )
        .file(
            "migrations/002_rows.sql",
            "insert into users values (1, 'ann');\n-- limosa:rollback\ndelete from users where id = 1;\n",
        )
        .file("migrations/R__names.sql", "create or replace view names as select name from users;\n")
}

#[test]
fn a_database_that_flyways_settings_say_is_to_be_made_is_made() {
    let (folder, database) = (Folder::new(), server().create_database().unwrap());
    folder.write("sql/V1__a.sql", "create table a (n int);\n");
    let (url, name) = (database.url(), database.name());
    let migrate = |settings: &str, code: i32| {
        folder.write("flyway.conf", format!("flyway.url={url}\nflyway.locations=filesystem:sql\n{settings}\n"));
        Limosa::new(super::LIMOSA).in_folder(folder.path()).args(["migrate"]).run().unwrap().assert_code(code)
    };
    database.execute(&format!("drop database {name}")).unwrap();
    let refused = migrate(&format!("flyway.schemas={name}\nflyway.createSchemas=false"), 3);
    assert!(refused.stderr.contains("LIM-D004"), "{refused}");
    let made = migrate(&format!("flyway.schemas={name}"), 0);
    assert!(made.stderr.contains("made the database"), "{made}");
    assert_eq!(database.query("show tables like 'a'").unwrap().len(), 1);
}

#[test]
fn the_tour() {
    let (folder, database) = (folder(), server().create_database().unwrap());
    let url = database.url();
    let say = |words: &[&str], code: i32, wanted: &[&str]| {
        let output = run(&folder, &url, words, code).to_string();
        for text in wanted {
            assert!(output.contains(text), "{words:?}: '{text}' is not in\n{output}");
        }
        assert!(!output.contains(database.password()), "{output}");
    };
    say(&["status"], 0, &["001", "pending"]);
    say(&["plan"], 0, &["create table users", "001"]);
    say(&["migrate", "--dry-run"], 0, &["001", "002"]);
    assert!(database.query("show tables").unwrap().is_empty(), "looking writes nothing");
    say(&["migrate"], 0, &["001", "002", "names"]);
    say(&["migrate"], 0, &["othing"]);
    say(&["status"], 0, &["applied"]);
    say(&["history"], 0, &["apply"]);
    say(&["validate"], 0, &[]);
    say(&["ready"], 0, &[]);
    say(&["health"], 0, &[]);
    say(&["doctor"], 0, &["MariaDB"]);
    say(&["audit", "verify"], 0, &[]);
    say(&["status", "--output", "json"], 0, &["\"engine\": \"mysql\""]);

    // A half-done file, as a person meets it.
    folder.write(
        "migrations/003_mixed.sql",
        "create table orders (id int);\ninsert into orders values (1);\ninsert into nowhere values (1);\n",
    );
    say(&["migrate"], 3, &["003_mixed.sql", "nowhere", "statements 1 to 1 of 3 are committed"]);
    say(&["status"], 0, &["partial"]);
    say(&["ready"], 1, &["half done"]);
    say(&["repair"], 0, &["3"]);
    folder.write("migrations/003_mixed.sql", "create table orders (id int);\ninsert into orders values (1);\n");
    say(&["migrate"], 0, &["003"]);
    sound(&folder, &url).unwrap();

    say(&["rollback", "--to", "0"], 4, &["LIM-P014", "LIM-P016"]);
    folder.write("migrations/003_mixed.rollback.sql", "drop table orders;\n");
    say(&["rollback", "--to", "0", "--use-file", "--yes", "--allow-data-loss", database.name()], 0, &["001"]);
    say(&["clean", "--yes", "--allow-data-loss", database.name()], 0, &[]);
    say(&["migrate"], 0, &["001", "003"]);
    sound(&folder, &url).unwrap();
}

#[test]
fn an_interrupt_kills_the_query_and_leaves_no_lock() {
    let (folder, database) = (folder(), server().create_database().unwrap());
    folder.write("migrations/001_users.sql", "create table users (id int, name varchar(9));\nselect sleep(600);\n");
    let running = limosa(&folder, &database.url(), &["migrate"]).spawn().unwrap();
    let sleeping = "select id from information_schema.processlist where db = database() and info like 'select sleep%'";
    eventually("it sleeps", || !database.query(sleeping).unwrap().is_empty());
    running.interrupt().unwrap();
    let output = running.wait().unwrap().assert_code(3).to_string();
    assert!(output.contains("interrupted") && output.contains("statements 1 to 1 of 2"), "{output}");
    assert!(database.query(sleeping).unwrap().is_empty());
    folder.write("migrations/001_users.sql", "create table users (id int, name varchar(9));\nselect 1;\n");
    let _ = run(&folder, &database.url(), &["migrate"], 0);
    sound(&folder, &database.url()).unwrap();
}

#[test]
fn a_runner_that_is_paused_for_longer_than_its_lease_begins_nothing_more() {
    let (folder, database) = (folder(), server().create_database().unwrap());
    database.execute("create table busy (n int primary key); insert into busy values (1)").unwrap();
    let holder = database.session().unwrap();
    holder.execute("begin; update busy set n = 2").unwrap();
    folder.write(
        "migrations/001_users.sql",
        "-- Lock-timeout: 600s\ncreate table users (id int, name varchar(9));\nupdate busy set n = 3;\ncreate table never_twice (n int);\n",
    );
    let running = limosa(&folder, &database.url(), &["migrate"]).spawn().unwrap();
    let waits =
        "select id from information_schema.processlist where db = database() and info like 'update busy set n = 3%'";
    eventually("it waits", || !database.query(waits).unwrap().is_empty());
    running.stop().unwrap();
    // Its session is ended by an administrator, and another finishes the file.
    let session: u64 = database.query(waits).unwrap()[0][0].as_deref().unwrap().parse().unwrap();
    server().kill_session(session).unwrap();
    holder.execute("rollback").unwrap();
    let _ = run(&folder, &database.url(), &["migrate"], 0);
    running.cont().unwrap();
    let output = running.wait().unwrap();
    assert_eq!(output.code, Some(3), "{output}");
    assert_eq!(database.query("select n from busy").unwrap(), [[Some("3".to_owned())]]);
    sound(&folder, &database.url()).unwrap();
}
