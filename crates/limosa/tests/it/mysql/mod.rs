//! What is special about MariaDB and MySQL: DDL that commits by itself, settings that outlive transactions, many SQL modes.

mod catalogue;
mod ddl_recovery;
mod dumps;
mod lost_connections;
mod mixed;
mod modes;
mod resuming;
mod rights;
mod settings;
mod times;
mod unfinished;
mod waiting;
mod waits;
mod ways_back;

use std::sync::Mutex;

use limosa::{Configuration, Event, MigrateOptions, Migrator, Progress, Secret, Stop};
use limosa_testkit::mysql::{self, MysqlServer, ServerOptions, TestDatabase};
use limosa_testkit::{Folder, Proxy};

use crate::place::{Home, Place};
use crate::running::well;

/// The server of the newest version that all tests share.
pub(crate) fn shared() -> &'static MysqlServer {
    mysql::shared(&mysql::newest().unwrap()).unwrap()
}

/// A server of a test's own.
pub(crate) fn own_server(options: &ServerOptions) -> MysqlServer {
    MysqlServer::start_with(&mysql::newest().unwrap(), options).unwrap()
}

/// A fresh database of this server.
pub(crate) fn home_on(server: &MysqlServer) -> Home {
    home_of(server.create_database().unwrap())
}

pub(crate) fn home_of(database: TestDatabase) -> Home {
    Home::at(Folder::new(), Place::Mysql(database))
}

pub(crate) fn home() -> Home {
    home_on(shared())
}

pub(crate) fn proxy_to(server: &MysqlServer) -> Proxy {
    let proxy = Proxy::start(server).unwrap();
    proxy.set_quiet(std::time::Duration::ZERO);
    proxy
}

impl Home {
    pub(crate) fn mysql(&self) -> &TestDatabase {
        match &self.place {
            Place::Mysql(database) => database,
            Place::Sqlite(_) | Place::Postgres(_) => panic!("this home is not on MySQL"),
        }
    }

    /// The same database by way of a proxy.
    pub(crate) fn through(&self, proxy: &Proxy) -> Configuration {
        let mut configuration = self.configuration();
        configuration.database = Secret::new(proxy.url(self.mysql()));
        configuration
    }

    /// No limosa is connected to the database any more.
    pub(crate) fn wait_until_alone(&self) {
        let sql = format!(
            "select id from information_schema.processlist where db = '{}' and user = '{}'",
            self.mysql().name(),
            self.mysql().user()
        );
        limosa_testkit::eventually("the server has noticed", || self.rows(&sql).is_empty());
    }

    /// Everything that was recorded is sound.
    pub(crate) async fn assert_sound(&self) {
        assert_eq!(self.migrator().audit_verify(&[]).await.unwrap().exit_code, 0);
        assert_eq!(self.rows("select count(*) from limosa_journal"), ["0"]);
    }
}

/// Runs to a good end; gives what was found out about the interrupted statement.
pub(crate) async fn goes_on(configuration: Configuration) -> Vec<String> {
    let found = Mutex::new(Vec::new());
    let listener = |progress| {
        if let Progress::Run(Event::Recovered { finding, .. }) = progress {
            found.lock().unwrap().push(finding);
        }
    };
    well(&Migrator::new(configuration).migrate(&MigrateOptions::default(), &listener, Stop::new()).await);
    found.into_inner().unwrap()
}
