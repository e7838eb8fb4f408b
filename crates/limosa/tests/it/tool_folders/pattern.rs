//! Folders that are named by a pattern of one's own.

use limosa::{Configuration, Layout, LayoutChoice, Migrator, NewKind, Numbering, Pattern, Selection};

use crate::answers::{back, done, failed, id, labels, migrate, words};
use crate::place::{Home, all_homes, sqlite};

fn named(home: &Home, pattern: &str) -> Migrator {
    let pattern = Pattern::parse(pattern).unwrap();
    home.with(|it: &mut Configuration| it.layout = LayoutChoice::Given(Layout::Pattern(pattern)))
}

#[tokio::test]
async fn files_and_folders_are_read_by_the_pattern() {
    for pattern in
        ["V{version}.{name}.{direction}.sql", "{version}_{name}/{direction}.sql", "{version}/{direction}.sql"]
    {
        for home in all_homes() {
            let name = |version: &str, direction: &str| {
                pattern.replace("{version}", version).replace("{name}", "x").replace("{direction}", direction)
            };
            home.file(&name("9", "up"), "create table users (id integer, note varchar(40));\r\n");
            home.file(&name("9", "down"), "drop table users;");
            home.file(&name("010", "up"), "insert into users values (1, '${word}');");
            home.file(&name("010", "down"), "delete from users;");
            home.file("README.md", "read me");
            let migrator = named(&home, pattern);
            failed(&migrate(&migrator).await, 2, &["word"]);
            let migrator = home.with(|it| {
                it.layout = LayoutChoice::Given(Layout::Pattern(Pattern::parse(pattern).unwrap()));
                it.values.all.insert("word".to_owned(), "hello".to_owned());
            });
            assert_eq!(labels(&done(migrate(&migrator).await)), ["9", "010"]);
            assert_eq!(home.rows("select note from users"), ["hello"]);
            let consent = home.database();
            done(back(&migrator, Selection::One(id("10")), Some(&consent)).await);
            done(back(&migrator, Selection::One(id("9")), Some(&consent)).await);
            assert_eq!(home.tables(), [""; 0]);
        }
    }
}

#[tokio::test]
async fn what_does_not_fit_is_named() {
    let home = sqlite();
    home.file("1-a.sql", "create table a (n integer);");
    home.file("2_b.sql", "create table b (n integer);");
    home.file("sub/3-c.sql", "create table c (n integer);");
    let told = words(&done(migrate(&named(&home, "{version}-{name}.sql")).await).notices);
    assert!(told.contains("the name 2_b.sql does not fit the pattern {version}-{name}.sql"), "{told}");
    assert!(told.contains("3-c.sql does not stand where migrations of this format do"), "{told}");
    assert_eq!(home.tables(), ["a"]);
}

#[test]
fn new_migrations_are_named_by_it() {
    for (pattern, expected) in [
        ("V{version}.{name}.{direction}.sql", &["V8.add_x.up.sql", "V8.add_x.down.sql"][..]),
        ("{version}/{direction}.sql", &["8/up.sql", "8/down.sql"]),
        ("{version}-{name}.sql", &["8-add_x.sql"]),
    ] {
        let home = sqlite();
        let pattern_read = Pattern::parse(pattern).unwrap();
        home.file(&pattern.replace("{version}", "7").replace("{name}", "a").replace("{direction}", "up"), "select 1;");
        let migrator = home.with(|it| it.layout = LayoutChoice::Given(Layout::Pattern(pattern_read.clone())));
        let answer = migrator.new_migration("add x", NewKind::Versioned, Numbering::Auto, super::NOW).unwrap();
        assert_eq!(answer.done.len(), expected.len());
        assert!(answer.done.iter().zip(expected).all(|(file, name)| file.ends_with(name)), "{:?}", answer.done);
    }
}
