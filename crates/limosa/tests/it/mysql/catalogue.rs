//! What is asked of the catalogue costs what this database holds, not what all databases of the server hold.

use limosa::{AdoptOptions, StatusOptions};
use limosa_testkit::mysql::ServerOptions;

use super::{home_on, own_server};
use crate::adopt::{adopt, adopt_with, go_back};
use crate::answers::{done, migrate};
use crate::place::Home;

/// The queries of the views that MariaDB makes anew for each of them: those that it would open the tables of all databases for.
fn looks_into_all_databases(home: &Home) -> Vec<String> {
    let asked = "select distinct argument from mysql.general_log \
        where command_type in ('Query', 'Execute') and argument like 'select%information_schema%' and argument not like '%general_log%'";
    let asked = home.rows(asked);
    assert!(asked.iter().any(|query| query.contains("information_schema.columns")), "{asked:#?}");
    let everywhere = |query: &String| home.rows(&format!("explain {query}")).concat().contains("Scanned all databases");
    asked.into_iter().filter(everywhere).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_query_opens_the_tables_of_other_databases() {
    let server = own_server(&ServerOptions::new().setting("log_output", "TABLE").setting("general_log", "ON"));
    let home = home_on(&server);
    let everywhere = "select c.table_name from information_schema.tables t \
        join information_schema.columns c on c.table_schema = t.table_schema where t.table_schema = database()";
    home.rows(everywhere);
    assert_eq!(looks_into_all_databases(&home), [everywhere], "one that does is known by its plan");
    home.execute("truncate mysql.general_log");

    home.file("1_a.sql", "-- migrate:up\ncreate table a (n int);\n-- migrate:down\ndrop table a;\n");
    home.execute(
        "create table a (n int); create table schema_migrations (version varchar(128) primary key); \
         insert into schema_migrations values ('1')",
    );
    home.migrator().status(StatusOptions::default()).await.unwrap();
    adopt(&home).await.unwrap();
    home.migrator().status(StatusOptions::default()).await.unwrap();
    home.file("2_b.sql", "-- migrate:up\ncreate table b (n int);\n-- migrate:down\ndrop table b;\n");
    done(migrate(&home.migrator()).await);
    go_back(&home).await.unwrap();
    let named = AdoptOptions { ledger_table: Some("schema_migrations".to_owned()), ..AdoptOptions::default() };
    adopt_with(&home, &named).await.unwrap();
    assert_eq!(looks_into_all_databases(&home), [] as [&str; 0]);
}
