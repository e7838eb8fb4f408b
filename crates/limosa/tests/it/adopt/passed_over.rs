//! What the tool would never have run, for it is older by its journal than what it had run.

use limosa::{AdoptOptions, Stop};
use limosa_core::Checksum;

use crate::answers::{done, failed, labels, migrate, quiet, words};
use crate::place::sqlite;

#[tokio::test]
async fn what_drizzle_passes_over_does_not_run_by_itself() {
    let home = sqlite();
    let first = "create table t (n integer);\n";
    home.file("0000_init.sql", first);
    home.file("0001_seed.sql", "insert into t values (1);\n");
    home.file("0002_more.sql", "insert into t values (2);\n");
    let journal = |entries: &[(&str, i64)]| {
        let entry = |(at, (tag, when)): (usize, &(&str, i64))| {
            format!(r#"{{"idx":{at},"version":"6","when":{when},"tag":"{tag}"}}"#)
        };
        let entries: Vec<String> = entries.iter().enumerate().map(entry).collect();
        let text = format!(r#"{{"version":"7","dialect":"sqlite","entries":[{}]}}"#, entries.join(","));
        home.file("meta/_journal.json", &text);
    };
    let entries =
        [("0000_init", 1_706_702_400_000), ("0001_seed", 1_706_600_000_000), ("0002_more", 1_706_800_000_000)];
    journal(&entries);
    home.execute(first);
    home.execute("create table __drizzle_migrations (id integer primary key, hash text not null, created_at numeric)");
    let hash = Checksum::of(first.as_bytes()).digits();
    home.execute(&format!("insert into __drizzle_migrations (hash, created_at) values ('{hash}', 1706702400000)"));
    let answer = home.migrator().adopt(&AdoptOptions::default(), &quiet, Stop::new()).await.unwrap();
    assert_eq!(answer.outcome, "done", "{}", words(&answer.errors));
    assert_eq!(home.states().await, ["0000_init baseline", "0001_seed out of order", "0002_more pending"]);
    failed(&home.migrate().await, 1, &["LIM-P005", "0001_seed.sql comes late", "\"when\" in the journal", "0000_init"]);
    // With a later one drizzle would run it, too.
    journal(&[entries[0], ("0001_seed", 1_706_750_000_000), entries[2]]);
    assert_eq!(labels(&done(migrate(&home.migrator()).await)), ["0001", "0002"]);
    assert_eq!(home.rows("select n from t order by n"), ["1", "2"]);
}
