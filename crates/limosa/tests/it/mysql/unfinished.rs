//! What ends in the middle where each DROP commits by itself: nobody takes what is left for a whole database.

use limosa::{Configuration, Failure, MigrateOptions, Migrator, Selection, StatusOptions, Stop};

use super::home;
use crate::answers::{back, done, migrate, quiet, refusal};
use crate::backups::tooled;
use crate::place::Home;

/// Every command that would rest on the ledger.
async fn nothing_is_well(migrator: &Migrator, words: &[&str]) {
    fn failed<T: std::fmt::Debug>(result: Result<T, Failure>, words: &[&str]) {
        let said: Vec<&str> = ["LIM-D011"].iter().chain(words).copied().collect();
        refusal(result, 4, &said);
    }
    failed(migrate(migrator).await, words);
    failed(migrator.status(StatusOptions::default()).await, words);
    failed(migrator.plan(&MigrateOptions::default()).await, words);
    failed(migrator.validate().await, words);
    failed(migrator.ready(None).await, words);
    assert_ne!(migrator.health().await.exit_code, 0);
    failed(migrator.backup(&quiet, Stop::new()).await, words);
    failed(migrator.audit_verify(&[]).await, words);
    failed(back(migrator, Selection::Steps(1), None).await, words);
}

fn impatient(home: &Home) -> Migrator {
    let mut configuration =
        Configuration { lock_wait: std::time::Duration::from_secs(2), ..tooled(home).configuration().clone() };
    configuration.limits.lock_timeout_ms = 1_000;
    configuration.limits.lock_retries = 0;
    Migrator::new(configuration)
}

/// Migrates, and makes a backup of it.
async fn saved(migrator: &Migrator) -> String {
    done(migrate(migrator).await);
    migrator.backup(&quiet, Stop::new()).await.unwrap().done.remove(0)
}

#[tokio::test]
async fn a_restore_that_ends_in_the_middle_leaves_a_mark_until_one_comes_to_its_end() {
    let home = home();
    let migrator = tooled(&home);
    // The tables of the ledger stand between them.
    home.file("001_a.sql", "create table a (n int); create table z (n int); insert into z values (1), (2);");
    let made = saved(&migrator).await;
    let whole = std::fs::read_to_string(&made).unwrap();
    let broken = home.folder.join("broken.sql");
    let at = whole.find("-- Table structure for table `z`").unwrap();
    std::fs::write(&broken, format!("{}SELECT 1 FROM nowhere;\n{}", &whole[..at], &whole[at..])).unwrap();

    let consent = home.database();
    for _ in 0..2 {
        let result = migrator.restore(Some(&broken), Some(&consent), &quiet, Stop::new()).await;
        refusal(result, 4, &["the restore ended in the middle"]);
        assert_eq!(home.rows("select count(*) from limosa_schema_migrations"), ["1"], "the ledger is back");
        nothing_is_well(
            &migrator,
            &["a restore of this database was begun and has not come to its end", "limosa restore"],
        )
        .await;
    }
    // Nobody disturbs one that is still under way.
    let name = limosa_run::lock_name(&consent, "limosa", &migrator.configuration().project);
    let other = home.mysql().session().unwrap();
    assert_eq!(other.query(&format!("select get_lock('{name}', 0)")).unwrap(), [[Some("1".to_owned())]]);
    let restored = migrator.restore(Some(made.as_ref()), Some(&consent), &quiet, Stop::new()).await;
    refusal(restored, 4, &["LIM-R001", "still under way"]);
    refusal(migrator.clean(Some(&consent), false, &quiet, Stop::new()).await, 4, &["LIM-R001", "still under way"]);
    nothing_is_well(&migrator, &["a restore of this database was begun"]).await;
    drop(other);

    migrator.restore(Some(made.as_ref()), Some(&consent), &quiet, Stop::new()).await.unwrap();
    assert_eq!(home.rows("select count(*) from z"), ["2"]);
    assert_eq!(done(migrate(&migrator).await).outcome, "nothing_to_do");
    assert_eq!(home.tables(), ["a", "z"]);
    assert!(home.rows("show tables like 'limosa_unfinished'").is_empty());
}

#[tokio::test]
async fn a_restore_that_meets_a_lock_leaves_no_mark() {
    let home = home();
    let migrator = impatient(&home);
    home.file("001_a.sql", "create table a (n int);");
    let made = saved(&migrator).await;
    let other = home.mysql().session().unwrap();
    other.execute("begin").unwrap();
    other.query("select * from a").unwrap();
    let result = migrator.restore(Some(made.as_ref()), Some(&home.database()), &quiet, Stop::new()).await;
    refusal(result, 3, &["nothing was changed"]);
    assert_eq!(done(migrate(&migrator).await).outcome, "nothing_to_do");
}

#[tokio::test]
async fn a_clean_that_meets_a_lock_drops_nothing_or_says_what_it_has_dropped() {
    let home = home();
    let migrator = impatient(&home);
    home.file(
        "001_a.sql",
        "create table parent (n int); create table child (n int); create view v as select 1; create sequence s;",
    );
    done(migrate(&migrator).await);
    let consent = home.database();
    let other = home.mysql().session().unwrap();
    other.execute("begin").unwrap();
    other.query("select * from parent").unwrap();
    let result = migrator.clean(Some(&consent), false, &quiet, Stop::new()).await;
    refusal(result, 3, &["nothing was changed", "Lock wait timeout"]);
    assert_eq!(home.tables().len(), 4);
    assert_eq!(done(migrate(&migrator).await).outcome, "nothing_to_do");

    other.execute("rollback; begin").unwrap();
    other.query("select nextval(s)").unwrap();
    let result = migrator.clean(Some(&consent), false, &quiet, Stop::new()).await;
    refusal(result, 4, &["LIM-U073", "3 of 4 objects are dropped", "table", "parent", "Lock wait timeout"]);
    nothing_is_well(&migrator, &["a clean of this database was begun and has not come to its end", "limosa clean"])
        .await;

    other.execute("rollback").unwrap();
    refusal(migrator.clean(None, false, &quiet, Stop::new()).await, 4, &["LIM-U004"]);
    nothing_is_well(&migrator, &["a clean of this database was begun and has not come to its end"]).await;
    migrator.clean(Some(&consent), true, &quiet, Stop::new()).await.unwrap();
    migrator.clean(Some(&consent), false, &quiet, Stop::new()).await.unwrap();
    assert_eq!(home.tables(), [""; 0]);
    assert_eq!(done(migrate(&migrator).await).outcome, "done");
}
