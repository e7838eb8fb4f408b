//! PostgreSQL: the ledger's tables come to be with the first run, with their schema or in one that stands.

use limosa::{MigrateOptions, Migrator, Progress, Stop};

use crate::running::{audited, exit, postgres_homes, says, well};

#[tokio::test]
async fn a_schema_that_stands_is_used_by_a_role_that_may_make_none() {
    for home in postgres_homes() {
        let role = format!("{}_least", home.database());
        home.execute(&format!(
            "create role {role} login; create schema limosa authorization {role}; \
             create schema {role} authorization {role}"
        ));
        home.file("0001_a.sql", "create table a (n int);");
        let mut configuration = home.configuration();
        configuration.database = limosa::Secret::new(home.database_handle().url_for(&role, "unused"));
        let run = || async {
            let migrator = Migrator::new(configuration.clone());
            migrator.migrate(&MigrateOptions::default(), &|_: Progress| {}, Stop::new()).await
        };
        assert_eq!(well(&run().await).steps.len(), 1);
        assert_eq!(well(&run().await).outcome, "nothing_to_do");
        audited(&home).await;

        // Where there is none, it is said who may not make one.
        home.execute("drop schema limosa cascade");
        let refused = run().await;
        assert_eq!(exit(&refused), 3);
        says(&refused, &["permission denied for database"]);
        let locks = "select count(*) from pg_locks where locktype = 'advisory' and database = \
                     (select oid from pg_database where datname = current_database())";
        assert_eq!(home.value(locks), "0", "no lock stays behind");
        home.execute(&format!("drop owned by {role} cascade; drop role {role}"));
    }
}
