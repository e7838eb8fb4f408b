//! Transactions that are committed several at once end as they would one by one.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use limosa_db::engines::sqlite;
use limosa_db::{Abort, DbErrorKind, FlightError, FlightObserver, FlightSource, Item, Landed, Notice, Session};
use proptest::prelude::*;
use tokio::sync::Notify;

use super::{memory, options, text};

/// What was told of a flight: the items that landed with the rows that they changed, and what the session said.
#[derive(Default, Clone, PartialEq, Debug)]
struct Told {
    landed: Vec<(u64, Option<u64>)>,
    notices: Vec<String>,
}

impl FlightObserver for Told {
    fn landed(&mut self, item: u64, landed: Landed) {
        self.landed.push((item, landed.affected));
    }

    fn notice(&mut self, notice: Notice) {
        self.notices.push(notice.message);
    }
}

/// The transactions of one flight, each sent before the one before it is answered.
fn items(transactions: &[Vec<&str>]) -> Vec<Item> {
    let mut items = vec![Item::Begin];
    for (number, transaction) in transactions.iter().enumerate() {
        items.extend(transaction.iter().map(|text| Item::Script((*text).to_owned())));
        items.push(Item::Commit);
        if number + 1 < transactions.len() {
            items.push(Item::BeginAhead);
        }
    }
    items
}

/// How a flight ended, what was told of it, and what stands then.
async fn outcome(
    session: &mut dyn Session,
    items: Vec<Item>,
    together: bool,
) -> (Option<(u64, String)>, Told, Vec<String>) {
    session.many_transactions(true, together).await;
    let mut told = Told::default();
    let ended = session.flight(&mut items.into_iter(), &mut told).await;
    session.many_transactions(false, false).await;
    let failed = ended.err().map(|error| match error {
        FlightError::Failed { item, error } => (item, error.message),
        FlightError::Aborted => (0, "aborted".to_owned()),
    });
    let mut stands = Vec::new();
    let tables = "select name from sqlite_schema where type in ('table', 'trigger') order by name";
    for row in session.query(tables, &[]).await.unwrap() {
        stands.push(row.text(0).unwrap());
    }
    for table in ["parent", "child", "plain"] {
        if stands.iter().any(|name| name == table) {
            for row in
                session.query(&format!("select quote(id) || quote(note) from {table} order by 1"), &[]).await.unwrap()
            {
                stands.push(format!("{table} {}", row.text(0).unwrap()));
            }
        }
    }
    (failed, told, stands)
}

/// Tables with what a commit looks at, and what ends a transaction by itself.
const SCHEMA: [&str; 4] = [
    "create table parent (id integer primary key, note text)",
    "create table child (id integer primary key, note references parent (id))",
    "create table plain (id integer primary key, note text not null)",
    "create trigger stops before insert on plain when new.note = 'stop' begin select raise(rollback, 'stopped'); end",
];

/// Statements that succeed or fail by what stands, at once or at the commit.
const STATEMENTS: [&str; 16] = [
    "insert into plain (note) values ('a')",
    "insert into plain (note) values ('b'), ('c')",
    "insert into plain (id, note) values (3, 'three')",
    "insert or rollback into plain (id, note) values (2, 'two')",
    "insert into plain (note) values ('stop')",
    "insert into plain (note) values (null)",
    "update plain set note = note || 'x'",
    "delete from plain where id = 1",
    "create table extra (id)",
    "drop table extra",
    "insert into parent values (1, 'one')",
    "insert into child values (1, 1)",
    "pragma defer_foreign_keys = on",
    "delete from parent",
    "drop table parent",
    "insert into nowhere values (1)",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn end_as_they_would_one_by_one(
        picked in prop::collection::vec(prop::collection::vec(prop::sample::select(&STATEMENTS[..]), 1..4), 1..9),
        enforced: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut ends = Vec::new();
            for together in [false, true] {
                let mut session = memory().await;
                super::run(&mut session, &SCHEMA).await.unwrap();
                if enforced {
                    super::run(&mut session, &["pragma foreign_keys = on"]).await.unwrap();
                }
                ends.push(outcome(&mut session, items(&picked), together).await);
            }
            let together = ends.pop();
            prop_assert_eq!(ends.pop(), together);
            Ok(())
        })?;
    }
}

/// How often the file was written: its change counter, at byte 24.
fn commits(path: &Path) -> u32 {
    u32::from_be_bytes(std::fs::read(path).unwrap()[24..28].try_into().unwrap())
}

#[tokio::test]
async fn share_commits_where_nobody_has_to_see_each() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let mut session = sqlite::connect(&options(&path)).await.unwrap();
    super::run(&mut session, &SCHEMA).await.unwrap();
    let transactions = vec![vec!["insert into plain (note) values ('a')"]; 300];
    for (together, fewer) in [(false, false), (true, true)] {
        let before = commits(&path);
        let (failed, told, _) = outcome(&mut session, items(&transactions), together).await;
        assert_eq!(failed, None);
        assert_eq!(told.landed.len(), 300 * 3);
        assert_eq!(commits(&path) - before < 300, fewer, "{} commits", commits(&path) - before);
    }
    assert_eq!(text(&mut session, "select count(*) from plain").await.as_deref(), Some("600"));
}

#[tokio::test]
async fn share_none_in_a_large_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let mut session = sqlite::connect(&options(&path)).await.unwrap();
    super::run(&mut session, &["create table plain (id integer primary key, note text)"]).await.unwrap();
    super::run(&mut session, &["insert into plain (note) values (zeroblob(70000000))"]).await.unwrap();
    let before = commits(&path);
    let transactions = vec![vec!["insert into plain (note) values ('a')"]; 20];
    let (failed, _, _) = outcome(&mut session, items(&transactions), true).await;
    assert_eq!((failed, commits(&path) - before), (None, 20));
}

#[tokio::test]
async fn end_alike_with_more_text_than_is_held() {
    let large = format!("insert into plain (note) values ('{}')", "x".repeat(600_000));
    let small = "insert into plain (note) values ('a')";
    let mut transactions = vec![vec![small], vec![small, &large, &large, &large, small], vec![small]];
    for last in [small, "insert into nowhere values (1)"] {
        transactions.push(vec![last]);
        let mut ends = Vec::new();
        for together in [false, true] {
            let mut session = memory().await;
            super::run(&mut session, &SCHEMA).await.unwrap();
            ends.push(outcome(&mut session, items(&transactions), together).await);
        }
        assert!(ends[0] == ends[1], "{:?}, {:?}", ends[0].0, ends[1].0);
    }
}

/// Gives up behind its items.
struct GivesUp(std::vec::IntoIter<Item>);

impl FlightSource for GivesUp {
    fn next(&mut self) -> Result<Option<Item>, Abort> {
        Iterator::next(&mut self.0).map(Some).ok_or(Abort)
    }
}

#[tokio::test]
async fn stand_where_the_source_gives_up_behind_them() {
    let mut session = memory().await;
    super::run(&mut session, &SCHEMA).await.unwrap();
    let mut all = items(&vec![vec!["insert into plain (note) values ('a')"]; 5]);
    all.truncate(all.len() - 2);
    all.push(Item::Script("insert into plain (note) values ('b')".to_owned()));
    let session: &mut dyn Session = &mut session;
    session.many_transactions(true, true).await;
    let mut told = Told::default();
    let ended = session.flight(&mut GivesUp(all.into_iter()), &mut told).await;
    assert!(matches!(ended, Err(FlightError::Aborted)));
    let count = session.query("select count(*) from plain", &[]).await.unwrap();
    assert_eq!(count[0].integer(0), Some(4));
    let last = told.landed.last().map(|(item, _)| *item);
    assert!(last >= Some(11), "the commit of the fourth was told: {told:?}");
}

/// Says when a transaction was begun behind so many items.
struct Begun(Told, u64, Arc<Notify>);

impl FlightObserver for Begun {
    fn landed(&mut self, item: u64, landed: Landed) {
        self.0.landed(item, landed);
        if item == self.1 {
            self.2.notify_one();
        }
    }

    fn notice(&mut self, notice: Notice) {
        self.0.notice(notice);
    }
}

/// What ran before a statement that takes long is told while it runs, and stands where it is cancelled.
#[tokio::test(flavor = "multi_thread")]
async fn are_told_while_a_long_statement_runs_behind_them() {
    let mut session = memory().await;
    super::run(&mut session, &SCHEMA).await.unwrap();
    let endless =
        "with recursive n (i) as (select 1 union all select i + 1 from n) insert into plain (note) select i from n";
    let mut transactions = vec![vec!["insert into plain (note) values ('a')"]; 5];
    transactions.push(vec![endless]);
    let session: &mut dyn Session = &mut session;
    session.many_transactions(true, true).await;
    let (canceller, told) = (session.canceller(), Arc::new(Notify::new()));
    let begun = Arc::clone(&told);
    let cancelling = tokio::spawn(async move {
        begun.notified().await;
        // A request that comes right before the statement hits nothing.
        loop {
            canceller.cancel().await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let mut observer = Begun(Told::default(), 15, told);
    let ended = session.flight(&mut items(&transactions).into_iter(), &mut observer).await;
    cancelling.abort();
    let Err(FlightError::Failed { item, error }) = ended else { panic!("{ended:?}") };
    assert_eq!((item, error.kind), (16, DbErrorKind::Cancelled), "{error}");
    assert_eq!(observer.0.landed.len(), 16);
    session.settle().await.unwrap();
    let count = session.query("select count(*) from plain", &[]).await.unwrap();
    assert_eq!(count[0].integer(0), Some(5));
}
