//! PostgreSQL: the conformance suite, and what is PostgreSQL's own.

mod certificates;
mod connecting;
mod copying;
mod faults;
mod flights;
mod keeping_statements;
mod pooler;
mod standing_in_the_way;

use std::collections::BTreeMap;

use async_trait::async_trait;
use limosa_db::engines::postgres::{self, PostgresSession};
use limosa_db::{
    Collector, ConnectOptions, DbError, FlightError, FlightObserver, Item, Landed, Notice, Secret, Session,
};
use limosa_sql::Engine;
use limosa_testkit::{PostgresServer, PostgresVersion, Proxy, TestDatabase};

use crate::conformance::{Database, conformance};

#[async_trait]
impl Database for TestDatabase {
    fn engine(&self) -> Engine {
        Engine::Postgres
    }
    async fn session(&self) -> Box<dyn Session> {
        Box::new(postgres::connect(&options(&self.url())).await.unwrap())
    }
    async fn reader(&self) -> Option<Box<dyn Session>> {
        let options = ConnectOptions { read_only: true, ..options(&self.url()) };
        Some(Box::new(postgres::connect(&options).await.unwrap()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn conforms() {
    for version in limosa_testkit::postgres::tested().unwrap() {
        let server = limosa_testkit::postgres::shared(&version).unwrap();
        conformance(async || server.create_database().unwrap()).await;
    }
}

/// Options that know nothing of the machine.
fn options(url: &str) -> ConnectOptions {
    ConnectOptions {
        database: Secret::new(url),
        environment: BTreeMap::new(),
        application_name: "limosa-test".to_owned(),
        ..ConnectOptions::default()
    }
}

fn newest() -> PostgresVersion {
    limosa_testkit::postgres::newest().unwrap()
}

/// A server for one test alone.
fn own_server(options: &limosa_testkit::ServerOptions) -> PostgresServer {
    PostgresServer::start_with(&newest(), options).unwrap()
}

/// A fresh database on the newest shared server.
fn database() -> TestDatabase {
    limosa_testkit::postgres::shared(&newest()).unwrap().create_database().unwrap()
}

async fn connect(url: &str) -> PostgresSession {
    postgres::connect(&options(url)).await.unwrap()
}

async fn refused(options: &ConnectOptions) -> DbError {
    match postgres::connect(options).await {
        Ok(_) => panic!("a session was opened"),
        Err(error) => error,
    }
}

fn script(text: &str) -> Item {
    Item::Script(text.to_owned())
}

/// What a flight told, in order.
#[derive(Debug, PartialEq)]
enum Told {
    Landed(u64, Option<u64>),
    Notice(String),
}

#[derive(Default)]
struct Record(Vec<Told>);

impl FlightObserver for Record {
    fn landed(&mut self, item: u64, landed: Landed) {
        self.0.push(Told::Landed(item, landed.affected));
    }
    fn notice(&mut self, notice: Notice) {
        self.0.push(Told::Notice(notice.message));
    }
}

async fn fly(session: &mut dyn Session, items: Vec<Item>) -> Result<(), FlightError> {
    session.flight(&mut items.into_iter(), &mut Collector::default()).await
}

async fn failure(session: &mut dyn Session, items: Vec<Item>) -> (u64, DbError) {
    match fly(session, items).await {
        Err(FlightError::Failed { item, error }) => (item, *error),
        other => panic!("no failure but {other:?}"),
    }
}

/// A proxy in front of the newest shared server.
fn proxy() -> Proxy {
    Proxy::start(limosa_testkit::postgres::shared(&newest()).unwrap()).unwrap()
}
