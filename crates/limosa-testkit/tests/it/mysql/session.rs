//! Sessions that stay open, and the server's list of them.

use limosa_testkit::{eventually, mysql};

#[test]
fn a_session_holds_its_lock_until_it_is_dropped() {
    for version in mysql::tested().unwrap() {
        let server = mysql::shared(&version).unwrap();
        let database = server.create_database().unwrap();
        database.execute("create table t (n int)").unwrap();
        let holder = database.session().unwrap();
        holder.execute("begin; select * from t").unwrap();

        let other = database.session().unwrap();
        assert_ne!(holder.id(), other.id());
        let blocked = other.send("alter table t add m int; select 'in'").unwrap();
        eventually("the change waits for the lock", || {
            let process = server.process(other.id()).unwrap().unwrap();
            process.state.as_deref() == Some("Waiting for table metadata lock")
        });
        let process = server.process(other.id()).unwrap().unwrap();
        assert_eq!((process.user.as_str(), process.command.as_str()), ("root", "Query"));
        assert_eq!(process.database.as_deref(), Some(database.name()));
        assert_eq!(process.sql.as_deref(), Some("alter table t add m int"));

        drop(holder);
        assert_eq!(blocked.wait().unwrap(), [[Some("in".to_owned())]]);
    }
}

#[test]
fn a_statement_and_a_session_can_be_killed() {
    for version in mysql::tested().unwrap() {
        let server = mysql::shared(&version).unwrap();
        let database = server.create_database().unwrap();
        let session = database.session().unwrap();
        let sleeping = session.send("select sleep(600) from (select 1) one").unwrap();
        let command = || server.process(session.id()).unwrap().map(|process| process.command);
        eventually("it sleeps", || command().as_deref() == Some("Query"));
        server.kill_query(session.id()).unwrap();
        // A sleep that is cut short is no error on every server; it ends.
        let _ = sleeping.wait();
        session.execute("select 1").unwrap();

        server.kill_session(session.id()).unwrap();
        session.execute("select 1").unwrap_err();
        eventually("it is gone", || command().is_none());
        server.database("no_such_database").session().unwrap_err();
    }
}
