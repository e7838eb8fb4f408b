//! Where the fault tests play: databases, calls of the binary, numbers from the environment, and what they prove at the end.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use limosa_testkit::binary::Output;
use limosa_testkit::{Folder, Limosa};
use rusqlite::Connection;

/// A number that may be set from outside, to look closer or to be done sooner.
pub(crate) fn number(variable: &str, default: usize) -> usize {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

pub(crate) fn limosa(folder: &Folder, url: &str, words: &[&str]) -> Limosa {
    Limosa::new(super::LIMOSA).in_folder(folder.path()).env("LIMOSA_DATABASE", url).args(words)
}

#[track_caller]
pub(crate) fn run(folder: &Folder, url: &str, words: &[&str], code: i32) -> Output {
    limosa(folder, url, words).run().unwrap().assert_code(code)
}

/// Nothing is missing, changed or half done, and nobody has touched the audit log.
pub(crate) fn sound(folder: &Folder, url: &str) -> Result<(), String> {
    for words in [&["validate"][..], &["audit", "verify"]] {
        let output = limosa(folder, url, words).run().map_err(|error| error.to_string())?;
        if output.code != Some(0) {
            return Err(format!("{words:?}\n{output}"));
        }
    }
    Ok(())
}

pub(crate) fn sqlite(path: &Path) -> Connection {
    Connection::open(path).unwrap()
}

/// The values of a query's first column, as text, joined by blanks.
#[track_caller]
pub(crate) fn seen(connection: &Connection, query: &str) -> String {
    let mut statement = connection.prepare(query).unwrap();
    let rows = statement.query_map([], |row| row.get::<_, rusqlite::types::Value>(0)).unwrap();
    let texts = rows.map(|value| match value.unwrap() {
        rusqlite::types::Value::Integer(number) => number.to_string(),
        rusqlite::types::Value::Text(text) => text,
        other => format!("{other:?}"),
    });
    texts.collect::<Vec<_>>().join(" ")
}

/// Does the work for each item, on two threads. What is wrong at any of them fails the test and names the item.
pub(crate) fn for_each<T: Sync + std::fmt::Debug>(items: &[T], work: impl Fn(&T) -> Result<(), String> + Sync) {
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(what) = work(item) {
                        wrong.lock().unwrap().push(format!("{item:?}: {what}"));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(
        wrong.is_empty(),
        "{} of {} failed; the first:\n{}",
        wrong.len(),
        items.len(),
        wrong[..wrong.len().min(3)].join("\n")
    );
}

#[cfg(feature = "postgres")]
pub(crate) mod server {
    use limosa_testkit::{PostgresServer, TestDatabase, postgres};

    /// The server of the newest version.
    pub(crate) fn newest() -> &'static PostgresServer {
        let newest = postgres::tested().unwrap().into_iter().next_back().unwrap();
        postgres::shared(&newest).unwrap()
    }

    /// The one value that a query gives; nothing where it is NULL or gives no row.
    #[track_caller]
    pub(crate) fn value(database: &TestDatabase, query: &str) -> String {
        let rows = database.query(query).unwrap();
        rows.first().and_then(|row| row.first().cloned().flatten()).unwrap_or_default()
    }
}
