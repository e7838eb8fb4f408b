//! Changes of Liquibase's changelogs that hold SQL alone. What is expected here was seen with Liquibase 4.33.

use limosa::{Repair, Selection, StatusOptions};

use crate::answers::{back, done, failed, id, labels, states, to_name, words};
use crate::place::{all_homes, sqlite};

const YAML: &str = "databaseChangeLog:
- property: {name: nine, value: '9'}
- include: {file: a.sql}
- changeSet:
    id: y1
    author: yam
    comment: why
    changes:
    - sql: {sql: \"INSERT INTO s VALUES (1); INSERT INTO s VALUES (2)\"}
    - sqlFile: {path: sub/f.sql, relativeToChangelogFile: true}
    - sql: {sql: \"INSERT INTO nothing VALUES (1)\", dbms: oracle}
    - sql: {sql: \"INSERT INTO s VALUES (${nine})\"}
    rollback:
    - sql: {sql: DELETE FROM s WHERE a < 9}
    - sql: {sql: DELETE FROM s WHERE a = 9}
- changeSet:
    id: y2
    author: yam
    runOnChange: true
    changes:
    - sql: INSERT INTO s VALUES (20)
- include: {file: b.sql}
";

const XML: &str = "<databaseChangeLog>
<property name='nine' value='9'/>
<include file='a.sql'/>
<changeSet id='y1' author='yam'><comment>why</comment>
<sql>INSERT INTO s VALUES (1); INSERT INTO s VALUES (2)</sql>
<sqlFile path='sub/f.sql' relativeToChangelogFile='true'/>
<sql dbms='oracle'><![CDATA[INSERT INTO nothing VALUES (1)]]></sql>
<sql><![CDATA[INSERT INTO s SELECT ${nine} WHERE 1 < 2]]></sql>
<rollback>DELETE FROM s WHERE a &lt; 9; DELETE FROM s WHERE a = 9</rollback></changeSet>
<changeSet id='y2' author='yam' runOnChange='true'><sql>INSERT INTO s VALUES (20)</sql></changeSet>
<include file='b.sql'/>
</databaseChangeLog>
";

#[tokio::test]
async fn changes_of_sql_run_at_their_place() {
    for (file, text) in [("changelog.yaml", YAML), ("changelog.xml", XML)] {
        for home in all_homes() {
            home.file(file, text);
            home.file("a.sql", "--liquibase formatted sql\n--changeset a:1\nCREATE TABLE s(a int);\n");
            home.file("b.sql", "--liquibase formatted sql\n--changeset b:1\nUPDATE s SET a = a * 100 WHERE a < 4;\n");
            home.file("sub/f.sql", "INSERT INTO s VALUES (3);\n-- the end");
            let answer = done(home.migrate().await);
            assert_eq!(labels(&answer), ["0001", "0002", "R", "0004"]);
            assert!(answer.notices.is_empty(), "{}", words(&answer.notices));
            assert_eq!(home.rows("select a from s order by a"), ["9", "20", "100", "200", "300"]);
            let status = home.migrator().status(StatusOptions::default()).await.unwrap();
            let (one, other) = (format!("{file}::y1::yam applied"), format!("R:{file}::y2::yam applied"));
            assert_eq!(states(&status)[1..3], [one, other]);
            assert!(done(home.migrate().await).steps.is_empty());

            home.file(file, &text.replace("(20)", "(30)"));
            assert_eq!(labels(&done(home.migrate().await)), ["R"]);
            assert_eq!(home.rows("select count(*) from s where a = 30"), ["1"]);
            let consent = home.database();
            done(back(&home.migrator(), Selection::One(id(&format!("{file}::y1::yam"))), Some(&consent)).await);
            assert_eq!(home.rows("select count(*) from s where a = 9"), ["0"]);
            // What they name counts for them: where it changed, they did.
            done(home.migrate().await);
            home.file("sub/f.sql", "INSERT INTO s VALUES (4);");
            failed(&home.migrate().await, 1, &["LIM-P001", "y1::yam"]);
        }
    }
}

#[tokio::test]
async fn a_name_that_no_line_can_hold_is_told_with_its_place() {
    let home = sqlite();
    home.file(
        "changelog.xml",
        "<databaseChangeLog>\n<changeSet id='1' author='a'><sql>create table t (n integer)</sql></changeSet>\n\
         <changeSet id='2' author='a' labels='x\"y'><dropTable tableName='t'/></changeSet>\n</databaseChangeLog>\n",
    );
    failed(
        &home.migrate().await,
        2,
        &["LIM-F035", "changelog.xml:3", "the change 2 of a cannot be read", "double quotes"],
    );
    assert!(home.tables().is_empty());
}

#[tokio::test]
async fn what_is_no_sql_stops_what_is_behind_it() {
    for home in all_homes() {
        home.file(
            "changelog.xml",
            "<databaseChangeLog>\n<changeSet id='1' author='a'><sql>create table t (n integer)</sql></changeSet>\n\
             <changeSet id='0' author='a' dbms='oracle' runAlways='true'><dropTable tableName='t'/></changeSet>\n\
             <changeSet id='2' author='a'>\n<sql>select 1</sql><dropTable tableName='t'/></changeSet>\n\
             <changeSet id='3' author='a'><sqlFile path='none.sql'/></changeSet>\n\
             <changeSet id='4' author='a'><sql>create table u (n integer)</sql></changeSet>\n</databaseChangeLog>\n",
        );
        let first = "the change 2 of a is no SQL (it has dropTable)";
        failed(
            &home.migrate().await,
            4,
            &["LIM-F034", "changelog.xml:4", first, "--mark-applied 'changelog.xml::2::a'"],
        );
        assert!(!home.tables().contains(&"t".to_owned()), "nothing ran");
        done(home.migrate_with(&to_name("changelog.xml::1::a")).await);
        assert!(home.tables().contains(&"t".to_owned()));
        home.repair(Repair::MarkApplied(id("changelog.xml::2::a"))).await.unwrap();
        let second = "3 of a is no SQL (there is no none.sql among the .sql files here)";
        failed(&home.migrate().await, 4, &["LIM-F034", "changelog.xml:6", second]);
        home.file("none.sql", "insert into t values (3);");
        done(home.migrate().await);
        assert_eq!(home.rows("select n from t"), ["3"]);
        assert!(home.tables().contains(&"u".to_owned()));
        let status = home.migrator().status(StatusOptions::default()).await.unwrap();
        assert!(states(&status).contains(&"changelog.xml::2::a baseline".to_owned()), "{:?}", states(&status));
    }
}

/// Names of databases stand in attributes here, with blanks between them, and not in a line of formatted SQL.
#[tokio::test]
async fn a_change_runs_on_the_databases_that_it_names() {
    let on = |dbms: &str, table: &str| {
        format!(
            "<changeSet id='{table}' author='a' dbms='{dbms}'><sql>create table {table} (n integer)</sql></changeSet>\n"
        )
    };
    for home in all_homes() {
        let (here, alike) = match (home.is_sqlite(), home.is_mysql()) {
            (true, _) => ("sqlite", "sqlite"),
            (_, true) => ("mariadb", "mysql"),
            _ => ("postgresql", "postgresql"),
        };
        let changes: String = [
            on(here, "t1"),
            on(&format!("{here}, oracle"), "t2"),
            on(&format!("oracle,{alike}"), "t3"),
            on("all", "t4"),
            on("!oracle", "t5"),
            on("${named}", "t6"),
            on("oracle", "u1"),
            on(&format!("!{here}"), "u2"),
            on("h2, oracle", "u3"),
        ]
        .concat();
        let property = format!("<property name='named' value='{here}'/>");
        home.file("changelog.xml", &format!("<databaseChangeLog>\n{property}\n{changes}</databaseChangeLog>\n"));
        done(home.migrate().await);
        assert_eq!(home.tables(), ["t1", "t2", "t3", "t4", "t5", "t6"]);
        let status = home.migrator().status(StatusOptions::default()).await.unwrap();
        let reasons: Vec<_> = status.changes.iter().filter_map(|line| line.reason.as_deref()).collect();
        assert_eq!(reasons.len(), 3, "{reasons:?}");
        assert!(reasons.contains(&"for dbms oracle only"), "{reasons:?}");
    }
}

/// What is written for another database need make no sense here.
#[tokio::test]
async fn what_does_not_apply_here_is_not_judged() {
    let of_postgres = "--changeset ann:2 dbms:postgresql\nCREATE FUNCTION f1(x int) RETURNS int AS $$ BEGIN RETURN 1; END $$ LANGUAGE plpgsql;\n--rollback drop function f1;\n";
    let of_mysql = "--changeset ann:3 dbms:mariadb,mysql endDelimiter://\nCREATE PROCEDURE p() BEGIN select 1; END//\n--rollback DROP PROCEDURE p//\n";
    for home in all_homes() {
        let text = format!(
            "--liquibase formatted sql\n--changeset ann:1\ncreate table a (n integer);\n{of_postgres}{of_mysql}"
        );
        home.file("a.sql", &text);
        let expected: &[&str] = if home.is_sqlite() {
            &["0001"]
        } else if home.is_mysql() {
            &["0001", "0003"]
        } else {
            &["0001", "0002"]
        };
        let answer = done(home.migrate().await);
        assert_eq!(labels(&answer), expected);
        assert!(answer.notices.is_empty(), "{}", words(&answer.notices));
        let answer = home.migrator().validate().await.unwrap();
        assert_eq!(answer.exit_code, 0);
    }
}

/// Nobody is told that all is done while a changelog lies there unread.
#[tokio::test]
async fn a_changelog_of_another_name_is_told_of() {
    let home = sqlite();
    let text = "<databaseChangeLog>\n<changeSet id='1' author='a'><sql>create table t (n integer)</sql></changeSet>\n</databaseChangeLog>\n";
    home.file("root.xml", text);
    home.file("other.json", "{}");
    failed(&home.migrate().await, 2, &["LIM-F033", "root.xml is a changelog of Liquibase's", "--format liquibase"]);
    let layout = limosa::LayoutChoice::Given(limosa::Layout::of_format("liquibase").unwrap());
    let migrator = home.with(move |it| it.layout = layout);
    assert_eq!(labels(&done(crate::answers::migrate(&migrator).await)), ["0001"]);
}
