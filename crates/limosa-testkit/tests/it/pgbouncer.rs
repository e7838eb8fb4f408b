//! PgBouncer: transactions change hands, sessions do not.

use limosa_testkit::{PgBouncer, PoolMode, postgres};
use tokio_postgres::{Client, NoTls};

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn backend(client: &Client) -> String {
    let rows = client.simple_query("select pg_backend_pid()").await.unwrap();
    rows.iter()
        .find_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        })
        .unwrap()
}

#[tokio::test]
async fn two_clients_share_one_backend_in_transaction_mode_only() {
    let server = postgres::shared(&postgres::newest().unwrap()).unwrap();
    let database = server.create_database().unwrap();
    let one = [("default_pool_size", "1")];
    let bouncer = PgBouncer::start_with(server, PoolMode::Transaction, &one).unwrap();
    let (a, b) = (connect(&bouncer.url(&database)).await, connect(&bouncer.url(&database)).await);
    assert_eq!(backend(&a).await, backend(&b).await);

    let bouncer = PgBouncer::start(server, PoolMode::Session).unwrap();
    let (a, b) = (connect(&bouncer.url(&database)).await, connect(&bouncer.url(&database)).await);
    assert_ne!(backend(&a).await, backend(&b).await);
}

#[tokio::test]
async fn statement_mode_refuses_transactions() {
    let server = postgres::shared(&postgres::newest().unwrap()).unwrap();
    let database = server.create_database().unwrap();
    let bouncer = PgBouncer::start(server, PoolMode::Statement).unwrap();
    let client = connect(&bouncer.url(&database)).await;
    client.simple_query("begin").await.unwrap_err();
    drop(client);
    let url = bouncer.url(&database);
    drop(bouncer);
    assert!(tokio_postgres::connect(&url, NoTls).await.is_err(), "dropped, it is gone");
}
