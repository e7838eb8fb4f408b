//! How long a migration took, as the ledger has it.

use super::home;
use crate::answers::done;

/// Rows that take a while, of which the server makes so many that no machine is done at once.
const ROWS: &str = "insert into t with recursive n (i) as (select 1 union all select i + 1 from n where i < 900) \
    select count(*) from n a, n b, (select i from n where i <= 10) c where (a.i * b.i) % 7 = c.i;\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_at_the_end_of_a_file_count() {
    let home = home();
    home.file("001_first.sql", "create table t (n int);\n");
    home.file("002_rows.sql", ROWS);
    home.file("003_mixed.sql", &format!("create table u (n int);\n{ROWS}"));
    home.file("004_between.sql", &format!("{ROWS}create table v (n int);\n"));
    let answer = done(home.migrate().await);
    let recorded = home.rows("select execution_ms from limosa_schema_migrations order by version");
    for (step, recorded) in answer.steps.iter().zip(recorded).skip(1) {
        let recorded: u64 = recorded.parse().unwrap();
        assert!(step.elapsed_ms > 100, "{} was too quick to tell: {} ms", step.name, step.elapsed_ms);
        assert!(
            recorded <= step.elapsed_ms && recorded > step.elapsed_ms / 2,
            "{}: {recorded} ms of {}",
            step.name,
            step.elapsed_ms
        );
    }
}

/// A file that moves the clock of its session, or its time zone, takes no longer for that.
#[tokio::test]
async fn what_a_file_says_of_the_time_does_not_count() {
    let home = home();
    home.file("001_first.sql", "create table t (n int);\n");
    for (number, sets) in
        ["set time_zone = '+10:00'", "set time_zone = '-10:00'", "set timestamp = 1000000000"].iter().enumerate()
    {
        home.file(&format!("{:03}_sets.sql", number + 2), &format!("insert into t values ({number});\n{sets};\n"));
    }
    let answer = done(home.migrate().await);
    let recorded = home.rows("select execution_ms from limosa_schema_migrations order by version");
    for (step, recorded) in answer.steps.iter().zip(recorded).skip(1) {
        let recorded: u64 = recorded.parse().unwrap();
        assert!(recorded <= step.elapsed_ms + 1, "{}: {recorded} ms of {}", step.identity, step.elapsed_ms);
    }
    // West of what it was before: less than nothing, were it counted.
    home.file("005_west.sql", &format!("{ROWS}set time_zone = '-10:00';\n"));
    let answer = done(home.migrate().await);
    let newest = "select execution_ms from limosa_schema_migrations where version = '005'";
    let recorded: u64 = home.rows(newest)[0].parse().unwrap();
    let elapsed = answer.steps[0].elapsed_ms;
    assert!(elapsed > 100, "it was too quick to tell: {elapsed} ms");
    assert!(recorded > elapsed / 2, "{recorded} ms of {elapsed}");
}
