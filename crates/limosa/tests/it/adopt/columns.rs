//! Tables of other tools with columns that nobody knows, and without some that they must have.

use limosa::{AdoptOptions, ForeignTool, StatusOptions};

use super::tools::{EVERYWHERE, Tool, migrated, tool};
use super::{adopt, adopt_with, go_back, go_back_all_the_same};
use crate::answers::{done, failed, labels, refusal, words};
use crate::place::{Home, all_homes, sqlite};

fn table(home: &Home, tool: &Tool) -> String {
    match tool.word == "drizzle" && !home.is_sqlite() && !home.is_mysql() {
        true => format!("drizzle.{}", tool.table),
        false => tool.table.to_owned(),
    }
}

/// Adds a column that each row must have a value for.
fn add_must(home: &Home, tool: &Tool) {
    let table = table(home, tool);
    if home.is_sqlite() {
        // It takes no default away.
        home.execute(&format!("alter table {table} rename to before"));
        let (columns, _) = (tool.create)(home)
            .rsplit_once(')')
            .map(|(left, right)| (left.to_owned(), right.to_owned()))
            .expect("a list");
        home.execute(&format!("{columns}, must varchar(20) not null)"));
        home.execute(&format!("insert into {table} select *, 'x' from before; drop table before"));
        return;
    }
    home.execute(&format!("alter table {table} add column must varchar(20) not null default 'x'"));
    home.execute(&format!("alter table {table} alter column must drop default"));
}

fn keeping() -> AdoptOptions {
    AdoptOptions { keep: true, ..AdoptOptions::default() }
}

async fn status(home: &Home) -> String {
    words(&home.migrator().status(StatusOptions::default()).await.expect("a status").notices)
}

#[tokio::test]
async fn columns_of_a_team_are_named_and_hinder_nothing() {
    for tool in EVERYWHERE {
        for home in all_homes() {
            migrated(&home, tool);
            let table = table(&home, tool);
            home.execute(&format!("alter table {table} add column host varchar(20)"));
            home.execute(&format!("alter table {table} add column granted varchar(20) not null default 'yes'"));
            let wanted = ["LIM-U163", "granted, host", "your team has added it"];
            let before = status(&home).await;
            assert!(wanted.iter().all(|wanted| before.contains(wanted)), "{}: {before}", tool.word);
            let answer = adopt_with(&home, &keeping()).await;
            let is_kept = answer.is_ok();
            let answer = match answer {
                Ok(answer) => answer,
                Err(_) => adopt(&home).await.expect("it can be read"),
            };
            let told = words(&answer.notices);
            assert_eq!((answer.outcome, told.matches("LIM-U163").count()), ("done", 1), "{}: {told}", tool.word);
            assert!(wanted.iter().all(|wanted| told.contains(wanted)), "{}: {told}", tool.word);
            assert_eq!(status(&home).await.contains("LIM-U163"), is_kept, "{}", tool.word);
            assert_eq!(labels(&done(home.migrate().await)).len(), 1, "{}", tool.word);
            go_back(&home).await.expect("the columns have values of their own");
            let third = tool.third.0.replace("{schema}__drizzle_migrations", &table);
            assert_eq!(home.rows(&third), [tool.third.1], "{}", tool.word);
        }
    }
}

#[tokio::test]
async fn nothing_is_written_where_a_value_is_missing() {
    for tool in EVERYWHERE {
        for home in all_homes() {
            migrated(&home, tool);
            add_must(&home, tool);
            let kept = adopt_with(&home, &keeping()).await;
            let can_be_kept = ForeignTool::of_word(tool.word).expect("a tool").can_be_kept();
            let wanted =
                if can_be_kept { &["LIM-U164", "a value in must", "let it be NULL"][..] } else { &["LIM-U141"] };
            refusal(kept, 2, wanted);
            let answer = adopt(&home).await.expect("it can be read");
            assert_eq!(answer.outcome, "done", "{}: {}", tool.word, words(&answer.errors));
            done(home.migrate().await);
            let rows = format!("select count(*) from {}", table(&home, tool));
            let before = home.rows(&rows);
            refusal(go_back(&home).await, 4, &["LIM-U117", "a value in must", "--yes"]);
            go_back_all_the_same(&home).await;
            assert_eq!(home.rows(&rows), before, "{}", tool.word);
        }
    }
}

#[tokio::test]
async fn a_kept_table_that_gets_such_a_column_stops_the_run_before_anything_ran() {
    for word in ["flyway", "golang-migrate", "goose", "dbmate", "sqlx"] {
        for home in all_homes() {
            migrated(&home, tool(word));
            adopt_with(&home, &keeping()).await.expect("it is taken over");
            add_must(&home, tool(word));
            failed(&home.migrate().await, 4, &["LIM-U164", "a value in must"]);
            assert!(home.refuses("select n from c"), "{word}");
            let told = status(&home).await;
            assert!(told.contains("LIM-U164") && told.contains("LIM-U163"), "{word}: {told}");
            home.execute(&format!("drop table {}", tool(word).table));
            adopt(&home).await.expect("it is kept no longer");
            assert_eq!(labels(&done(home.migrate().await)).len(), 1, "{word}");
        }
    }
}

/// Each column of each tool in turn under another name: what must be there is missed, and what is new is named.
#[tokio::test]
async fn a_column_that_is_missing_is_never_passed_over() {
    for tool in EVERYWHERE {
        let columns = {
            let home = sqlite();
            migrated(&home, tool);
            home.rows(&format!("select name from pragma_table_info('{}')", tool.table))
        };
        for column in columns {
            let home = sqlite();
            migrated(&home, tool);
            home.execute(&format!("alter table {} rename column {column} to newer_{column}", tool.table));
            let at = format!("{} {column}", tool.word);
            match adopt(&home).await {
                Err(failure) => {
                    let said = words(&failure.diagnostics);
                    assert!(u8::from(failure.exit) == 2 && said.contains("LIM-U110"), "{at}: {said}");
                    assert!(home.refuses("select identity from limosa_schema_migrations"), "{at}");
                }
                Ok(answer) => {
                    let said = words(&answer.notices);
                    assert!(said.contains("LIM-U163") && said.contains(&format!("newer_{column}")), "{at}: {said}");
                }
            }
        }
    }
}

#[tokio::test]
async fn golang_migrates_table_without_its_mark_is_no_list_of_versions() {
    for home in all_homes() {
        migrated(&home, tool("golang-migrate"));
        home.execute("alter table schema_migrations drop column dirty");
        failed(&home.migrate().await, 4, &["LIM-P020", "golang-migrate", "its columns are version"]);
        refusal(adopt(&home).await, 2, &["LIM-U110", "has not the columns of golang-migrate", "--from TOOL"]);
        let options = AdoptOptions { from: Some(ForeignTool::Dbmate), ..AdoptOptions::default() };
        assert_eq!(adopt_with(&home, &options).await.expect("that is said").counts.stamped, 1);
    }
}
