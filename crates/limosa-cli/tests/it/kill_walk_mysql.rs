//! `kill -9` at every message to and from MariaDB, whose DDL commits by itself: at each statement, and between a statement and
//! its journal row.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use limosa_testkit::mysql::{self, MysqlServer, TestDatabase};
use limosa_testkit::proxy::Side;
use limosa_testkit::{Folder, Proxy};

use super::kill_walk::{Place, die, finish};
use super::stage::{for_each, number, run, sound};

fn server() -> &'static MysqlServer {
    mysql::shared(&mysql::newest().unwrap()).unwrap()
}

fn value(database: &TestDatabase, query: &str) -> String {
    let rows = database.query(query).unwrap();
    rows.first().and_then(|row| row.first().cloned().flatten()).unwrap_or_default()
}

fn folder() -> Folder {
    Folder::new()
        .file(
            "migrations/001_ten.sql",
            "create table customers (id int primary key auto_increment, name varchar(100) not null);\n\
             create table orders (id int primary key, customer int, note varchar(200), key by_customer (customer));\n\
             insert into customers (id, name) values (1, 'ann'), (2, 'bob');\n\
             alter table customers add column email varchar(200), add unique key by_email (email);\n\
             create index by_note on orders (note);\n\
             create or replace view overview as select count(*) as orders from orders;\n\
             alter table orders add constraint orders_customer foreign key (customer) references customers (id);\n\
             update customers set email = concat(name, '@example.com');\n\
             insert into orders values (9, 1, 'old');\n\
             rename table orders to purchases;\n\
             alter table customers modify name varchar(150) not null, comment = 'people';\n\
             create procedure pay()\nbegin\n  insert into purchases values (7, 2, 'paid');\nend;\n\
             drop index by_note on purchases;\n\
             truncate table purchases;\n\
             insert into purchases values (1, 1, 'first');\n\
             -- limosa:rollback\n\
             drop procedure pay;\ndrop view overview;\ndrop table purchases;\ndrop table customers;\n",
        )
        .file("migrations/002_pay.sql", "call pay();\n-- limosa:rollback\ndelete from purchases where id = 7;\n")
        .file(
            "migrations/003_rows.sql",
            "update purchases set note = concat(note, '!');\ndelete from purchases where id = 99;\n\
             -- limosa:rollback\nupdate purchases set note = replace(note, '!', '');\n",
        )
}

/// What stands after all: rows, columns, indexes, constraints, routines, and the ledger.
const MIGRATED: &str = "select concat_ws(' ', \
    (select group_concat(id, note order by id) from purchases), (select group_concat(email order by id) from customers), \
    (select group_concat(distinct index_name order by index_name) from information_schema.statistics where table_schema = database() \
     and table_name in ('customers', 'purchases')), \
    (select group_concat(column_name, column_type order by ordinal_position) from information_schema.columns \
     where table_schema = database() and table_name = 'customers'), \
    (select table_comment from information_schema.tables where table_schema = database() and table_name = 'customers'), \
    (select count(*) from information_schema.table_constraints where table_schema = database() and constraint_type = 'FOREIGN KEY'), \
    (select group_concat(routine_name) from information_schema.routines where routine_schema = database()), \
    (select group_concat(state, version order by version) from limosa_schema_migrations), \
    (select count(*) from limosa_journal), \
    (select count(*) from limosa_audit_log where operation = 'apply' and outcome = 'done'))";

const OBJECTS: &str = "select concat_ws(' ', \
    (select count(*) from information_schema.tables where table_schema = database() and table_name not like 'limosa%'), \
    (select count(*) from information_schema.routines where routine_schema = database()))";

/// Where the client dies: behind messages of its own, and before answers of the server that it then never hears.
fn places(proxy: &Proxy) -> Vec<Place> {
    let every = number("LIMOSA_TEST_WALK_EVERY", 8);
    let mut asked = 0;
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    let mut places = Vec::new();
    for message in proxy.messages() {
        let count = counts.entry(message.side as usize).or_default();
        *count += 1;
        let chosen = match (message.side, message.kind) {
            // What makes the server do something.
            (Side::Client, 'Q' | 'E') => {
                asked += 1;
                asked % every == 0 || matters(&message.text)
            }
            (Side::Server, 'C') => matters(&message.text),
            _ => false,
        };
        if chosen {
            places.push(Place::new(message.side, *count, format!("{} {}", message.kind, message.text)));
        }
    }
    places
}

/// The statements of the files, and what is committed around them; of all else, one of several is enough. limosa's own
/// statements may come several in one message, each with an answer of its own.
fn matters(text: &str) -> bool {
    text.to_ascii_lowercase().split(";\n").any(is_of_files)
}

fn is_of_files(text: &str) -> bool {
    let files = [
        "create",
        "alter",
        "drop",
        "rename",
        "truncate",
        "call",
        "insert into customers",
        "insert into orders",
        "update",
    ];
    text.starts_with("commit")
        || text.contains("_journal`")
        || (files.iter().any(|word| text.starts_with(word)) && !text.contains("limosa_"))
}

/// Whether the effect of a statement that nothing in the catalogue proves stands.
fn took_effect(database: &TestDatabase, statement: &str) -> bool {
    let query = match statement {
        "1:14" => "select count(*) = 0 from purchases where id = 9",
        "2:1" => "select count(*) > 0 from purchases where id = 7",
        other => panic!("nobody should be asked about {other}"),
    };
    value(database, query) == "1"
}

#[test]
fn migrate_on_mariadb_dies_at_every_message() {
    let folder = folder();
    let server = server();
    let database = server.create_database().unwrap();
    let proxy = Proxy::start(server).unwrap();
    proxy.set_quiet(std::time::Duration::ZERO);
    let _ = run(&folder, &proxy.url(&database), &["migrate"], 0);
    let expected = value(&database, MIGRATED);
    assert_eq!(
        expected,
        "1first!,7paid! ann@example.com,bob@example.com by_customer,by_email,PRIMARY \
         idint(11),namevarchar(150),emailvarchar(200) people 1 pay applied001,applied002,applied003 0 3"
    );
    let places = places(&proxy);
    let asked = Mutex::new(BTreeMap::<String, usize>::new());
    for_each(&places, |place| {
        let database = server.create_database().unwrap();
        let proxy = Proxy::start(server).unwrap();
        die(&folder, &proxy.url(&database), &proxy, &["migrate"], place)?;
        let took_effect = |statement: &str| {
            *asked.lock().unwrap().entry(statement.to_owned()).or_default() += 1;
            took_effect(&database, statement)
        };
        finish(&folder, &database.url(), &["migrate"], &took_effect)?;
        let found = value(&database, MIGRATED);
        if found != expected {
            return Err(format!("{found}, not {expected}"));
        }
        sound(&folder, &database.url())
    });
    let asked = asked.into_inner().unwrap();
    println!("{} places; a person was asked about {asked:?}", places.len());
    assert!(places.len() > 100, "{}", places.len());
    assert_eq!(asked.keys().map(String::as_str).collect::<Vec<_>>(), ["1:14", "2:1"]);
}

#[test]
fn rollback_on_mariadb_dies_at_every_message() {
    let folder = folder();
    let server = server();
    let count = AtomicUsize::new(0);
    let migrated = || {
        count.fetch_add(1, Ordering::Relaxed);
        let database = server.create_database().unwrap();
        let _ = run(&folder, &database.url(), &["migrate"], 0);
        database
    };
    let database = migrated();
    let proxy = Proxy::start(server).unwrap();
    proxy.set_quiet(std::time::Duration::ZERO);
    let back =
        |database: &TestDatabase| ["rollback", "--to", "0", "--allow-data-loss", database.name()].map(str::to_owned);
    let words = back(&database);
    let _ = run(&folder, &proxy.url(&database), &words.each_ref().map(String::as_str), 0);
    assert_eq!(value(&database, OBJECTS), "0 0");
    let places = places(&proxy);
    for_each(&places, |place| {
        let database = migrated();
        let proxy = Proxy::start(server).unwrap();
        let words = back(&database);
        let words = words.each_ref().map(String::as_str);
        die(&folder, &proxy.url(&database), &proxy, &words, place)?;
        finish(&folder, &database.url(), &words, &|statement| panic!("asked about {statement}"))?;
        let found = value(&database, OBJECTS);
        let ledger = value(
            &database,
            "select concat_ws(' ', (select count(*) from limosa_schema_migrations), (select count(*) from limosa_journal), \
             (select count(*) from limosa_audit_log where operation = 'revert' and outcome = 'done'))",
        );
        if (found.as_str(), ledger.as_str()) != ("0 0", "0 0 3") {
            return Err(format!("objects {found}; rows, journal and reverts {ledger}"));
        }
        sound(&folder, &database.url())
    });
    println!("{} places", places.len());
    assert!(places.len() > 40, "{}", places.len());
}
