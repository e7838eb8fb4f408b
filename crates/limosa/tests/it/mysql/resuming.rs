//! Files that go on in another session: settings are set again, and what is lost with a connection is asked about.

use limosa::{Identity, Repair, Selection};
use limosa_testkit::proxy::{Cut, Side};

use super::{home, proxy_to, shared};
use crate::answers::{done, failed, id, refusal};
use crate::place::{Home, error_text};
use crate::running::{Running, exit, says, well};

/// Loses the connection before this statement.
async fn loses_before(home: &Home, statement: &str) {
    let proxy = proxy_to(shared());
    proxy.cut(Cut::before_text(Side::Client, statement));
    let result = Running::migrate(home.through(&proxy)).end().await;
    assert_eq!(proxy.cuts_done(), 1, "{}", error_text(&result));
    says(&result, &["LIM-R006"]);
    home.wait_until_alone();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_are_set_again() {
    let home = home();
    let other = format!("{}_other", home.database());
    home.execute(&format!("create database {other}"));
    home.file(
        "001_settings.sql",
        &format!(
            "set @old_mode = @@sql_mode, sql_mode = 'ANSI_QUOTES';\n\
             set foreign_key_checks = 0, time_zone = '+05:00';\n\
             set names latin1;\n\
             use {other};\n\
             create table \"odd name\" (n int);\n\
             insert into \"odd name\" values (1);\n\
             create table told as select @@sql_mode as mode, @@foreign_key_checks as fk, @@time_zone as zone, \
             @@character_set_client as client, database() as used;\n\
             set sql_mode = '';\n\
             create table last as select @@sql_mode as mode;\n"
        ),
    );
    loses_before(&home, "create table told").await;
    done(home.migrate().await);
    assert_eq!(home.rows(&format!("select * from {other}.told")), [format!("ANSI_QUOTES|0|+05:00|latin1|{other}")]);
    assert_eq!(home.rows(&format!("select * from {other}.last")), [""]);
    assert_eq!(home.rows(&format!("select count(*) from {other}.`odd name`")), ["1"]);
    home.assert_sound().await;
}

/// A file that breaks before `create table breaks`, and then needs what is gone: the two statements, and what the file says
/// once it makes it again.
struct Needs {
    what: &'static str,
    before: &'static str,
    behind: &'static str,
    mended: &'static str,
    seen: (&'static str, &'static str),
}

const NEEDS: &[Needs] = &[
    Needs {
        what: "statement 4 needs the temporary table passing, which statement 1 made",
        before: "create temporary table passing as select 7 as n;\n",
        behind: "insert into kept select n from passing;\n",
        mended: "create temporary table passing as select 7 as n;\ninsert into kept select n from passing;\n",
        seen: ("select n from kept", "7"),
    },
    Needs {
        what: "statement 4 needs the temporary table passing, which statement 1 made",
        before: "create temporary table passing as select 7 as n;\n",
        // Were there a table of that name, it would go.
        behind: "drop table if exists passing;\n",
        mended: "drop temporary table if exists passing;\ninsert into kept values (7);\n",
        seen: ("select n from kept", "7"),
    },
    Needs {
        what: "statement 4 needs the variable @last, which statement 1 made",
        before: "select 7 into @last;\n",
        behind: "insert into kept values (@last);\n",
        mended: "set @last = 7;\ninsert into kept values (@last);\n",
        seen: ("select n from kept", "7"),
    },
    Needs {
        what: "statement 4 needs the prepared statement once, which statement 1 made",
        before: "prepare once from 'insert into kept values (7)';\n",
        behind: "execute once;\n",
        mended: "prepare once from 'insert into kept values (7)';\nexecute once;\n",
        seen: ("select n from kept", "7"),
    },
    Needs {
        what: "statement 4 needs the last automatic number, which statement 1 made",
        before: "insert into numbers (t) values ('a');\n",
        behind: "insert into kept values (last_insert_id());\n",
        mended: "insert into kept select max(id) from numbers;\n",
        seen: ("select n from kept", "7"),
    },
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_went_with_the_connection_is_named_and_may_be_made_again() {
    for needs in NEEDS {
        let home = home();
        home.execute(
            "create table kept (n int); create table numbers (id int primary key auto_increment, t varchar(9)) auto_increment = 7",
        );
        let begin = format!("{}create table early (n int);\ncreate table breaks (n int);\n", needs.before);
        home.file("001_needs.sql", &format!("{begin}{}", needs.behind));
        loses_before(&home, "create table breaks").await;
        let result = home.migrate().await;
        let text = failed(
            &result,
            4,
            &["LIM-R022", needs.what, "001_needs.sql:4:1", "statements 1 to 2 are committed", "from statement 3 on"],
        );
        assert!(text.contains("limosa repair --mark-applied 1"), "{text}");
        assert_eq!(home.tables(), ["early", "kept", "numbers"], "nothing more has run");
        assert_eq!(exit(&home.migrate().await), 4, "as long as the file is as it is");
        home.file("001_needs.sql", &format!("{begin}{}", needs.mended));
        done(home.migrate().await);
        assert_eq!(home.rows(needs.seen.0), [needs.seen.1], "{}", needs.what);
        assert_eq!(home.ledger(), ["1|applied"]);
        home.assert_sound().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_needed_any_more_is_no_reason_to_stop() {
    let home = home();
    home.file(
        "001_needs.sql",
        "create temporary table passing as select 7 as n;\n\
         create table kept as select * from passing;\n\
         drop temporary table passing;\n\
         set @a = 1;\n\
         create table breaks (n int);\n\
         create temporary table passing as select 8 as n;\n\
         insert into kept select * from passing;\n\
         set @a = 2;\n\
         insert into kept values (@a);\n\
         create table end (n int);\n",
    );
    loses_before(&home, "create table breaks").await;
    done(home.migrate().await);
    assert_eq!(home.rows("select n from kept order by n"), ["2", "7", "8"]);
    home.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_went_with_the_connection_may_be_settled_by_hand() {
    let home = home();
    home.file(
        "001_needs.sql",
        "create temporary table passing as select 7 as n;\ncreate table kept (n int);\ninsert into kept select n from passing;\n",
    );
    loses_before(&home, "insert into kept").await;
    failed(&home.migrate().await, 4, &["LIM-R022"]);
    home.execute("insert into kept values (7)");
    home.repair(Repair::MarkApplied(Identity::new("1"))).await.unwrap();
    home.file("002_next.sql", "create table next (n int);\n");
    well(&home.migrate().await);
    assert_eq!(home.tables(), ["kept", "next"]);
    home.assert_sound().await;
}

#[tokio::test]
async fn of_what_failed_at_its_first_statement_nothing_is_taken_back() {
    let home = home();
    home.execute("create table customers (n int); insert into customers values (1)");
    home.file("1_a.sql", "create table a (n int);\n-- limosa:rollback\ndrop table a;\n");
    home.file(
        "2_customers.sql",
        "create table customers (n int);\ncreate table b (n int);\n-- limosa:rollback\ndrop table customers;\n",
    );
    failed(&home.migrate().await, 3, &["already exists"]);
    let told = ["LIM-P038", "none of the 2 statements of 2 (customers) ended", "repair --mark-not-applied 2"];
    failed(&home.back(Selection::Steps(1)).await, 4, &told);
    assert_eq!(home.rows("select n from customers"), ["1"]);
    home.repair(Repair::MarkNotApplied(id("2"))).await.unwrap();
    home.folder.remove("migrations/2_customers.sql");
    assert_eq!(home.states().await, ["1 applied"]);
    assert!(done(home.migrate().await).steps.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_migrate_refuses_repair_says_itself() {
    let home = home();
    home.file("1_a.sql", "create table a (n int);\ninsert into nope values (1);\n");
    failed(&home.migrate().await, 3, &["nope"]);
    home.file("1_a.sql", "create table a (n int, m int);\ncreate table b (n int);\n");
    let told = home.repair(Repair::Explain).await.unwrap().would.join("\n");
    assert!(told.contains("1_a.sql was changed in its first 1 statements"), "{told}");
    assert!(told.contains("limosa repair --accept 1") && !told.contains("limosa migrate"), "{told}");
    refusal(home.repair(Repair::MarkDone(id("1"), 2)).await, 4, &["LIM-P006"]);
    failed(&home.migrate().await, 4, &["LIM-P006"]);
    home.repair(Repair::Accept(id("1"))).await.unwrap();
    done(home.migrate().await);
    assert_eq!(home.tables(), ["a", "b"]);
    home.assert_sound().await;
}
