//! What `liquibase.properties` says: the schema that changes begin in, contexts, labels and values; and how Liquibase treats the search path.
//! What is expected here was seen with Liquibase 4.33.

use limosa::StatusOptions;

use crate::answers::{done, failed, labels, migrate, states};
use crate::place::{mysql_homes, newest_postgres, sqlite};

const PATH: &str = "current_setting('search_path')";

#[tokio::test]
async fn the_search_path_holds_for_the_changes_behind_it_below_the_default_schema() {
    for (settings, expected) in [
        (
            "",
            [
                "1|public, \"$user\", public",
                "3|public, app",
                "4|public, app, public",
                "6|public, app",
                "8|public",
                "9|public, \"$user\", public",
            ],
        ),
        (
            "defaultSchemaName: APP\n",
            [
                "1|app, \"$user\", public",
                "3|app",
                "4|app, public",
                "6|app, public, app",
                "8|app",
                "9|app, \"$user\", public",
            ],
        ),
    ] {
        let home = newest_postgres();
        home.execute("create schema app; create schema log; create table log.it (n integer, path text)");
        home.file("liquibase.properties", settings);
        let it = |number: u64| format!("--changeset a:{number}\ninsert into log.it values ({number}, {PATH});\n");
        let set = |number: u64, path: &str| format!("--changeset a:{number}\n{path};\n");
        home.file(
            "a.sql",
            &[
                "--liquibase formatted sql\n".to_owned(),
                it(1),
                set(2, "set search_path to app"),
                it(3) + "set search_path to app, public;\n",
                it(4),
                set(5, "set search_path to public, app"),
                it(6),
                set(7, "select set_config('search_path', '', false)"),
                it(8) + "reset search_path;\n",
                it(9),
            ]
            .concat(),
        );
        done(home.migrate().await);
        assert_eq!(home.rows("select n, path from log.it order by n"), expected, "{settings}");
    }
}

#[tokio::test]
async fn tables_stand_in_the_default_schema_where_nothing_else_is_said() {
    let home = newest_postgres();
    home.file("liquibase.properties", "changelog-file: a.sql\ndefaultSchemaName: app\n");
    let text = "--liquibase formatted sql\n--changeset a:1 runInTransaction:false\ncreate table first (n integer);\n\
                create index concurrently on first (n);\n--rollback drop table first;\n--changeset a:2\ncreate table second (n integer);\n";
    home.file("a.sql", text);
    failed(&home.migrate().await, 2, &["LIM-U170", "create schema \"app\""]);
    home.execute("create schema app");
    done(home.migrate().await);
    const TABLES: &str =
        "select schemaname, tablename from pg_tables where tablename in ('first', 'second') order by 2";
    assert_eq!(home.rows(TABLES), ["app|first", "app|second"]);
    // It is asked in each change, whatever those before it did.
    let more = "--changeset a:3\n--preconditions onFail:HALT\n--precondition-table-exists table:first\ncreate table third (n integer);\n";
    home.file("a.sql", &format!("{text}{more}"));
    done(home.migrate().await);
    assert_eq!(home.rows("select schemaname from pg_tables where tablename = 'third'"), ["app"]);
}

#[tokio::test]
async fn contexts_labels_and_values_are_those_of_its_settings() {
    let home = sqlite();
    let text = "--liquibase formatted sql\n--changeset a:1\ncreate table t (n text);\n--changeset a:2 context:prod\ninsert into t values (2);\n\
                --changeset a:3 context:\"test or b\" labels:y\ninsert into t values ('${owner}');\n--changeset a:4 labels:x,y\ninsert into t values (4);\n";
    home.file("a.sql", text);
    home.file("liquibase.properties", "liquibase.command.contexts: test, z\nlabelFilter: !x\nparameter.owner: joe\n");
    assert_eq!(labels(&done(home.migrate().await)), ["0001", "0003"]);
    assert_eq!(home.rows("select n from t"), ["joe"]);
    let shown = states(&home.migrator().status(StatusOptions::default()).await.unwrap());
    assert_eq!(shown[1..], ["a.sql::2::a not applicable", "a.sql::3::a applied", "a.sql::4::a not applicable"]);
    // What is said to limosa goes first.
    let migrator = home.with(|it| {
        it.environment = Some("prod".to_owned());
        it.values.all.insert("owner".to_owned(), "given".to_owned());
    });
    home.file("a.sql", &format!("{text}--changeset a:5\ninsert into t values ('${{owner}}');\n"));
    assert_eq!(labels(&done(migrate(&migrator).await)), ["0002", "0005"]);
    assert_eq!(home.rows("select n from t"), ["joe", "2", "given"]);
}

#[tokio::test]
async fn on_mysql_a_catalog_is_a_database() {
    for home in mysql_homes() {
        let text = "--liquibase formatted sql\n--changeset a:1\ncreate table a (n int);\n";
        home.file("a.sql", text);
        let (own, other) = (home.database(), format!("{}_other", home.database()));
        home.execute(&format!("create database {other}"));
        for name in ["defaultSchemaName", "defaultCatalogName", "liquibase.command.defaultCatalogName"] {
            home.file("liquibase.properties", &format!("{name}: {other}\n"));
            let refused = failed(&home.migrate().await, 2, &["LIM-U181", &other]);
            assert!(refused.contains(&format!("the address names {own}")), "{refused}");
        }
        home.file("liquibase.properties", &format!("defaultCatalogName: {own}\nliquibaseCatalogName: {other}\n"));
        home.execute(&format!(
            "create table {other}.DATABASECHANGELOG (ID varchar(255), AUTHOR varchar(255), FILENAME varchar(255), DATEEXECUTED datetime, \
             ORDEREXECUTED int, EXECTYPE varchar(10), MD5SUM varchar(35)); \
             insert into {other}.DATABASECHANGELOG values ('1', 'a', 'a.sql', now(), 1, 'EXECUTED', null)"
        ));
        failed(&home.migrate().await, 4, &["LIM-P020", &format!("{other}.DATABASECHANGELOG")]);
    }
}
