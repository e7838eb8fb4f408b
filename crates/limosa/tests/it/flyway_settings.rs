//! What Flyway's settings do to a run: schemas, its own table, databases without a ledger, files with settings of their own.

use limosa::{Configuration, MigrateOptions, Migrator, Selection, Stop, Version};

use crate::answers::{done, failed, id, labels, quiet, refusal};
use crate::dry_run::by_hand;
use crate::place::{Home, all_homes, newest_postgres, sqlite};

async fn run(configuration: Configuration) -> Result<limosa::report::RunAnswer, limosa::Failure> {
    Migrator::new(configuration).migrate(&MigrateOptions::default(), &quiet, Stop::new()).await
}

/// The settings as `flyway.conf` gives them where it names schemas.
fn in_schema(home: &Home, schema: &str) -> Configuration {
    let mut configuration = home.configuration();
    let sign = if home.url().contains('?') { '&' } else { '?' };
    let address = format!("{}{sign}options=-csearch_path%3D%22{schema}%22,%22%24user%22,public", home.url());
    configuration.database = limosa::Secret::new(address);
    configuration.create_schemas = vec![schema.to_owned()];
    configuration.tool_table = Some(format!("{schema}.ran"));
    configuration
}

#[tokio::test]
async fn placeholders_name_the_default_schema_and_flyways_own_table() {
    let home = newest_postgres();
    home.file(
        "V1__a.sql",
        "create table \"${flyway:defaultSchema}\".a (n integer);\ncreate table b as select '${flyway:table}'::text as t;\n",
    );
    done(run(in_schema(&home, "Ops")).await);
    let tables = "select schemaname || '.' || tablename from pg_tables where tablename in ('a', 'b') order by 1";
    assert_eq!(home.rows(tables), ["Ops.a", "Ops.b"]);
    assert_eq!(home.rows("select t from \"Ops\".b"), ["ran"]);
    // What stands in public is in sight behind it.
    home.execute("create table public.seen (n integer)");
    home.file("V2__c.sql", "insert into seen values (1);\n");
    done(run(in_schema(&home, "Ops")).await);
    let script = Migrator::new(in_schema(&home, "Ops")).plan_script(&MigrateOptions::default()).await.unwrap();
    assert!(!script.contains("create schema if not exists \"Ops\""), "{script}");
    // Whoever may make no schema needs no right where it stands.
    home.file("V3__d.sql", "create table d (n integer);\n");
    done(run(in_schema(&home, "Ops")).await);
    let plain = newest_postgres();
    plain.file("V1__a.sql", "create table a as select '${flyway:defaultSchema} ${flyway:table}'::text as t;\n");
    done(plain.migrate().await);
    assert_eq!(plain.rows("select t from a"), ["public flyway_schema_history"]);
}

#[tokio::test]
async fn a_plan_as_sql_makes_the_schemas_and_works_in_them() {
    let home = newest_postgres();
    home.file("V1__a.sql", "create table a (n integer);\n");
    home.file("V2__b.sql", "insert into a values (1);\n");
    home.file("V3__c.sql", "create index concurrently a_n on a (n);\n");
    let migrator = Migrator::new(in_schema(&home, "ops"));
    let script = migrator.plan_script(&MigrateOptions::default()).await.unwrap();
    let again = newest_postgres();
    by_hand(&again, &script);
    let tables = "select schemaname || '.' || tablename from pg_tables where tablename = 'a'";
    assert_eq!(again.rows(tables), ["ops.a"]);
    assert_eq!(again.rows("select n from ops.a"), ["1"]);
}

#[tokio::test]
async fn a_default_schema_that_nobody_makes_stops_the_run() {
    let home = newest_postgres();
    home.file("V1__a.sql", "create table a (n integer);\n");
    let mut configuration = in_schema(&home, "App");
    configuration.create_schemas = Vec::new();
    failed(&run(configuration.clone()).await, 2, &["LIM-U170", "create schema \"App\"", "create_schemas = [\"App\"]"]);
    let plan = Migrator::new(configuration.clone()).plan(&MigrateOptions::default()).await;
    assert!(format!("{plan:?}").contains("LIM-U170"), "{plan:?}");
    assert!(home.rows("select 1 from pg_tables where tablename = 'a'").is_empty());
    home.execute("create schema \"App\"");
    done(run(configuration).await);
    assert_eq!(home.rows("select schemaname from pg_tables where tablename = 'a'"), ["App"]);
    // Where the database says it, the first file may make it.
    let home = newest_postgres();
    home.execute(&format!("alter database \"{}\" set search_path = later, public", home.database()));
    home.file("V1__a.sql", "create schema later;\ncreate table later.a (n integer);\n");
    done(home.migrate().await);
}

#[tokio::test]
async fn an_executed_dry_run_works_in_schemas_that_are_not_there_yet() {
    let home = newest_postgres();
    home.file("V1__a.sql", "create table a (n integer);\ncreate table ops.b (n integer);\n");
    let migrator = Migrator::new(in_schema(&home, "ops"));
    let consent = home.database();
    let options = MigrateOptions::default();
    let answer = migrator.dry_run(&options, Some(&consent), &quiet, Stop::new()).await.unwrap();
    assert_eq!(answer.exit_code, 0, "{answer:?}");
    assert!(home.rows("select nspname from pg_namespace where nspname = 'ops'").is_empty());
}

#[tokio::test]
async fn a_database_that_flyway_would_count_as_migrated_is_not_migrated_anew() {
    for home in all_homes() {
        home.execute("create table account (balance integer)");
        home.execute("insert into account values (200)");
        home.file("V1__account.sql", "create table if not exists account (balance integer);\n");
        home.file("V2__double.sql", "update account set balance = balance * 2;\n");
        home.file("V3__more.sql", "create table more (n integer);\n");
        let with = |version: &str| {
            let mut configuration = home.configuration();
            configuration.baseline_on_migrate = Some(version.to_owned());
            configuration
        };
        let refused = run(with("2")).await;
        failed(&refused, 4, &["LIM-P040", "up to version 2", "limosa baseline --to 2"]);
        // Without that setting Flyway would refuse, too.
        failed(&home.migrate().await, 4, &["LIM-P040", "Flyway would not migrate it", "limosa baseline --to VERSION"]);
        let status = format!("{:?}", Migrator::new(home.configuration()).status(Default::default()).await);
        assert!(status.contains("LIM-P040"), "{status}");
        assert_eq!(home.rows("select balance from account"), ["200"]);
        let version = Version::parse("2").unwrap();
        Migrator::new(with("2")).baseline(&version, false, &quiet, Stop::new()).await.unwrap();
        assert_eq!(labels(&done(run(with("2")).await)), ["3"]);
        assert_eq!(home.rows("select balance from account"), ["200"]);
        assert_eq!(done(run(with("2")).await).outcome, "nothing_to_do");
    }
    // Tables of limosa's own are none of the database's, wherever they stand and whatever they are called.
    for home in all_homes() {
        home.file("V1__a.sql", "create table a (n integer);\n");
        let mut configuration = home.configuration();
        configuration.baseline_on_migrate = Some("2".to_owned());
        let is_postgres = !home.is_sqlite() && !home.is_mysql();
        configuration.ledger_schema = if is_postgres { "public" } else { "own" }.to_owned();
        assert_eq!(labels(&done(run(configuration).await)), ["1"]);
    }
    // An empty database gets everything, and so does one that is to be counted up to nothing.
    for (version, is_empty) in [("2", true), ("0", false)] {
        let home = sqlite();
        home.file("V1__account.sql", "create table if not exists account (balance integer);\n");
        if !is_empty {
            home.execute("create table other (n integer)");
        }
        let mut configuration = home.configuration();
        configuration.baseline_on_migrate = Some(version.to_owned());
        assert_eq!(labels(&done(run(configuration).await)), ["1"]);
    }
}

#[tokio::test]
async fn a_database_in_which_limosa_has_run_is_none_that_flyway_would_count() {
    let home = sqlite();
    home.file("V1__a.sql", "create table a (n integer);\n");
    home.file("U1__a.sql", "drop table a;\n");
    done(home.migrate().await);
    home.execute("create table other (n integer)");
    done(home.rollback(Selection::One(id("1"))).await);
    let mut configuration = home.configuration();
    configuration.baseline_on_migrate = Some("2".to_owned());
    assert_eq!(labels(&done(run(configuration).await)), ["1"]);
}

#[tokio::test]
async fn a_database_that_is_never_emptied() {
    let home = sqlite();
    home.file("V1__a.sql", "create table a (n integer);\n");
    done(home.migrate().await);
    let mut configuration = home.configuration();
    configuration.clean_disabled = true;
    let migrator = Migrator::new(configuration);
    let name = home.database();
    refusal(migrator.clean(Some(&name), false, &quiet, Stop::new()).await, 4, &["LIM-U003", "flyway.cleanDisabled"]);
    let options = MigrateOptions::default();
    let reset = migrator.reset(Some(&name), &options, &quiet, Stop::new()).await;
    failed(&reset, 4, &["LIM-U003", "reset is refused"]);
    assert_eq!(home.tables(), ["a"]);
}

#[tokio::test]
async fn repeatables_run_in_the_order_of_what_they_are_called() {
    let home = sqlite();
    home.file("R__1_base.sql", "create table if not exists base (n integer);\n");
    home.file("R__10_dep.sql", "create view if not exists dep as select n from base;\n");
    home.file("R__.sql", "create table if not exists nameless (n integer);\n");
    let names: Vec<String> = done(home.migrate().await).steps.into_iter().map(|step| step.name.into()).collect();
    assert_eq!(names, ["", "1 base", "10 dep"]);
}

#[tokio::test]
async fn settings_beside_a_script_know_flyways_placeholders() {
    let home = sqlite();
    home.file("V1__dev.sql", "create table dev (n integer);\n");
    home.file("V1__dev.sql.conf", "shouldExecute=${flyway:Environment}==dev\n");
    home.file("V2__main.sql", "create table main_only (n integer);\n");
    home.file("V2__main.sql.conf", "shouldExecute=${flyway:table}==flyway_schema_history && true\n");
    home.file("V3__value.sql", "create table filled as select '${p}' as t;\n");
    home.file("V3__value.sql.conf", "placeholderReplacement=true\n");
    home.file("V4__text.sql", "create table kept as select '${p}' as t;\n");
    let mut configuration = home.configuration();
    configuration.replace_placeholders = false;
    configuration.values.all.insert("p".to_owned(), "value".to_owned());
    assert_eq!(labels(&done(run(configuration).await)), ["2", "3", "4"]);
    assert_eq!(home.rows("select t from filled union all select t from kept"), ["value", "${p}"]);
}
