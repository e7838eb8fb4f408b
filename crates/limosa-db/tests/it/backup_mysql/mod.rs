//! Backup and restore of MySQL and MariaDB databases, by the programs of servers that have them.

mod encryption;
mod refusals;
mod round_trip;
mod stopping;
mod user_rights;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use limosa_db::backup::mysql::MysqlTools;
use limosa_db::engines::mysql::{ClientOptions, Flavor};
use limosa_db::{ConnectOptions, Secret};
use limosa_testkit::mysql::{self, TestDatabase};
use limosa_testkit::{MysqlServer, MysqlVersion};

/// Hears of the progress.
fn silent(_: u64) {}

/// What a test gives to the tools.
struct Setting {
    environment: BTreeMap<String, String>,
    connection: ClientOptions,
    flavor: Flavor,
    server_version: u32,
}

impl Setting {
    fn new(version: &MysqlVersion, url: &str) -> Setting {
        let folder = version.program("mariadb").unwrap();
        let path = folder.parent().unwrap().display().to_string();
        let separator = if url.contains('?') { '&' } else { '?' };
        let database = Secret::new(format!("{url}{separator}no-defaults=1"));
        let options = ConnectOptions { database, ..ConnectOptions::default() };
        Setting {
            environment: BTreeMap::from([
                ("PATH".to_owned(), path),
                // What the process's own environment says is not to be heard.
                ("MYSQL_PWD".to_owned(), "wrong".to_owned()),
                ("MYSQL_HOST".to_owned(), "elsewhere.invalid".to_owned()),
            ]),
            connection: ClientOptions::read(&options).unwrap(),
            flavor: if version.is_mariadb() { Flavor::MariaDb } else { Flavor::Mysql },
            server_version: number(version),
        }
    }

    fn tools(&self) -> MysqlTools<'_> {
        MysqlTools {
            folder: None,
            environment: &self.environment,
            connection: &self.connection,
            role: None,
            flavor: self.flavor,
            server_version: self.server_version,
            unfinished: "limosa_unfinished",
            lock_timeout: Duration::from_secs(120),
        }
    }
}

fn number(version: &MysqlVersion) -> u32 {
    version.major() * 10_000 + version.minor() * 100
}

/// The servers here that have the client programs. `cargo xtask test` sees to one.
fn with_tools() -> Vec<MysqlVersion> {
    let mut versions = mysql::tested().unwrap();
    versions.retain(|version| ["mariadb", "mariadb-dump"].iter().all(|name| version.program(name).is_some()));
    assert!(
        !versions.is_empty(),
        "a MariaDB with its client programs is needed; run the tests with `cargo xtask test`"
    );
    versions
}

fn newest() -> MysqlVersion {
    with_tools().pop().unwrap()
}

fn fresh() -> (&'static MysqlServer, TestDatabase, Setting) {
    let version = newest();
    let server = mysql::shared(&version).unwrap();
    let database = server.create_database().unwrap();
    let setting = Setting::new(&version, &database.url());
    (server, database, setting)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn rows(database: &TestDatabase, sql: &str) -> Vec<Vec<Option<String>>> {
    database.query(sql).unwrap()
}

/// Statements one by one: a routine's body has semicolons of its own.
fn execute_all(database: &TestDatabase, statements: &[&str]) {
    let session = database.session().unwrap();
    for sql in statements {
        session.execute(sql).unwrap();
    }
}
