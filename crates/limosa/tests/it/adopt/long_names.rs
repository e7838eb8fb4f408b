//! Flyway's columns hold 200 letters of a description: it cuts what is longer, and so must whoever writes beside it.

use limosa::{AdoptOptions, StatusOptions};

use super::tools::{migrated, tool};
use super::{adopt, adopt_with, go_back};
use crate::answers::{done, labels, words};
use crate::place::all_homes;

#[tokio::test]
async fn descriptions_that_flyway_cuts_are_cut() {
    let long = "long_".repeat(44) + "name";
    for home in all_homes() {
        migrated(&home, tool("flyway"));
        home.file("V3__c.sql", "create table c (n int);");
        home.file(&format!("V4__{long}.sql"), "create table d (n int);");
        home.file(&format!("R__{long}.sql"), "create view v as select n from c;");
        let kept = adopt_with(&home, &AdoptOptions { keep: true, ..AdoptOptions::default() }).await.unwrap();
        assert_eq!(kept.outcome, "done", "{}", words(&kept.errors));
        assert_eq!(labels(&done(home.migrate().await)).len(), 3);
        let written = home.rows("select description from flyway_schema_history where script like '%long%'");
        assert_eq!(written.len(), 2);
        assert!(written.iter().all(|name| name.len() == 200 && name.ends_with("long lo...")), "{written:?}");
        assert_eq!(done(home.migrate().await).outcome, "nothing_to_do");
        home.file(&format!("R__{long}.sql"), "drop view v;\ncreate view v as select n + 1 as n from c;");
        assert_eq!(labels(&done(home.migrate().await)).len(), 1);
        let status = home.migrator().status(StatusOptions::default()).await.unwrap();
        assert_eq!(words(&status.notices), "");
        go_back(&home).await.expect("Flyway knows all of it");
        assert_eq!(adopt(&home).await.unwrap().outcome, "done");
    }
}
