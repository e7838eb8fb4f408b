//! Sessions that stay open.

use limosa_testkit::{eventually, postgres};

#[test]
fn a_session_holds_its_lock_until_it_is_dropped() {
    let server = postgres::shared(&postgres::newest().unwrap()).unwrap();
    let database = server.create_database().unwrap();
    database.execute("create table t ()").unwrap();
    let holder = database.session().unwrap();
    holder.execute("begin; lock table t").unwrap();

    let other = database.session().unwrap();
    assert_ne!(holder.pid(), other.pid());
    let blocked = other.send("insert into t default values; select 'in'").unwrap();
    let blockers = format!("select unnest(pg_blocking_pids({}))", other.pid());
    let expected = [[Some(holder.pid().to_string())]];
    eventually("the insert waits for the lock", || database.query(&blockers).unwrap() == expected);

    drop(holder);
    assert_eq!(blocked.wait().unwrap(), [[Some("in".to_owned())]]);
}

#[test]
fn a_terminated_session_says_so() {
    let server = postgres::shared(&postgres::newest().unwrap()).unwrap();
    let database = server.create_database().unwrap();
    let session = database.session().unwrap();
    server.terminate_backend(session.pid()).unwrap();
    session.execute("select 1").unwrap_err();
    server.database("no_such_database").session().unwrap_err();
}
