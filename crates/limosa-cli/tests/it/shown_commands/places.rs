//! The databases that stand for the addresses of a document.

use std::collections::BTreeMap;

use limosa_testkit::{PgBouncer, PoolMode, TestDatabase, mysql, postgres};

/// What the port of an address says about the way to its database.
const POOLER: &str = ":6432/";

/// Databases by the names that the document gives them.
#[derive(Default)]
pub(super) struct Places {
    postgres: BTreeMap<String, TestDatabase>,
    mysql: BTreeMap<String, mysql::TestDatabase>,
    pooler: Option<PgBouncer>,
    /// The real names of those that the document spoke of last.
    names: BTreeMap<String, String>,
}

impl Places {
    /// The text with real addresses in place of those that it shows.
    pub(super) fn real(&mut self, text: &str) -> String {
        let mut real = String::new();
        let mut rest = text;
        let schemes = ["postgres://", "mysql://"];
        while let Some(at) = schemes.iter().filter_map(|scheme| rest.find(scheme)).min() {
            let length = rest[at..].find(|letter: char| letter.is_whitespace() || "\"')".contains(letter));
            let end = length.map_or(rest.len(), |length| at + length);
            real.push_str(&rest[..at]);
            real.push_str(&self.address(&rest[at..end]));
            rest = &rest[end..];
        }
        real.push_str(rest);
        real
    }

    /// A command with real names of databases in place of those that it shows.
    pub(super) fn named(&self, line: &str) -> String {
        let words = line.split(' ').map(|word| self.names.get(word).map_or(word, String::as_str));
        words.collect::<Vec<_>>().join(" ")
    }

    /// An output with the names that the document shows in place of the real ones.
    pub(super) fn shown(&self, output: &str) -> String {
        self.names.iter().fold(output.to_owned(), |output, (shown, real)| output.replace(real, shown))
    }

    /// Gives a database of PostgreSQL, by its real address, what a dump holds.
    pub(super) fn fill(&self, url: &str, dump: &str) {
        let database = self.postgres.values().find(|database| database.url() == url);
        let database =
            database.unwrap_or_else(|| panic!("{url} is no database of PostgreSQL's that the document names"));
        database.execute(dump).unwrap();
    }

    fn address(&mut self, shown: &str) -> String {
        let name = shown.rsplit('/').next().unwrap().split('?').next().unwrap().to_owned();
        if shown.starts_with("mysql://") {
            let make = || mysql::shared(&mysql::newest().unwrap()).unwrap().create_database().unwrap();
            let database = self.mysql.entry(name.clone()).or_insert_with(make);
            self.names.insert(name, database.name().to_owned());
            return database.url();
        }
        let server = postgres::shared(&postgres::newest().unwrap()).unwrap();
        let database = self.postgres.entry(name.clone()).or_insert_with(|| server.create_database().unwrap());
        self.names.insert(name, database.name().to_owned());
        if !shown.contains(POOLER) {
            return database.url();
        }
        let start = || PgBouncer::start(server, PoolMode::Transaction).unwrap();
        self.pooler.get_or_insert_with(start).url(database)
    }
}
