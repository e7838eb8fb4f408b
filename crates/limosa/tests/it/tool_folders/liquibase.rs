//! Liquibase's formatted SQL, alone and below changelogs.

use limosa::{MigrateOptions, Selection, StatusOptions};

use crate::answers::{back, done, failed, id, labels, migrate, states, to_name, words};
use crate::place::{Home, all_homes, newest_postgres, sqlite};

const USERS: &str = "--liquibase formatted sql\n\n\
    --changeset ann:1\n--comment: the first\ncreate table users (id integer primary key, note varchar(40));\n\
    --rollback drop table users;\n\n\
    --changeset ann:2\ninsert into users values (1, 'one');\ninsert into users values (2, 'two')\n\
    /* liquibase rollback\ndelete from users where id = 1;\ndelete from users where id = 2;\n*/\n\n\
    --changeset bob:\"3 quoted\"\nupdate users set note = 'three' where id = 1;\n--rollback not required\n";

#[tokio::test]
async fn each_change_of_a_file_goes_up_and_back_alone() {
    for home in all_homes() {
        home.file("app/users.sql", USERS);
        let answer = done(home.migrate_with(&MigrateOptions { steps: Some(2), ..MigrateOptions::default() }).await);
        assert_eq!(labels(&answer), ["0001", "0002"]);
        assert_eq!(labels(&done(home.migrate().await)), ["0003"]);
        let names =
            ["app/users.sql::1::ann|applied", "app/users.sql::2::ann|applied", "app/users.sql::3 quoted::bob|applied"];
        assert_eq!(home.ledger(), names);
        let status = home.migrator().status(StatusOptions::default()).await.unwrap();
        assert_eq!(status.format, "liquibase");
        assert!(status.format_reason.unwrap().starts_with("'--liquibase formatted sql' in "));
        assert!(status.changes.iter().all(|change| change.has_rollback));

        // What is added to a file leaves what ran before as it is; what is put between runs, too.
        let more = USERS
            .replace("--changeset bob", "--changeset ann:2b\ninsert into users values (3, 'late');\n--changeset bob");
        home.file("app/users.sql", &more);
        assert_eq!(labels(&done(home.migrate().await)), ["0003"]);
        assert_eq!(home.rows("select note from users order by id"), ["three", "two", "late"]);
        let consent = home.database();
        done(back(&home.migrator(), Selection::One(id("app/users.sql::3 quoted::bob")), Some(&consent)).await);
        assert_eq!(home.rows("select note from users where id = 1"), ["three"], "nothing is taken back");
        home.file("app/users.sql", &more.replace("'three'", "'four'"));
        done(home.migrate().await);
        assert_eq!(home.rows("select note from users where id = 1"), ["four"]);
        home.file("app/users.sql", &more.replace("'two'", "'changed'"));
        failed(&home.migrate().await, 1, &["LIM-P001", "users.sql"]);
        assert_eq!(home.migrator().audit_verify(&[]).await.unwrap().exit_code, 0);
    }
}

#[tokio::test]
async fn a_failure_names_its_line_and_the_next_run_goes_on() {
    for home in all_homes() {
        let broken = USERS.replace("'two')", "'two', nothing)");
        home.file("users.sql", &broken);
        failed(&home.migrate().await, 3, &["users.sql:10:"]);
        home.file("users.sql", USERS);
        done(home.migrate().await);
        assert_eq!(home.rows("select count(*) from users"), ["2"]);
    }
}

#[tokio::test]
async fn what_a_script_asks_for_outside_of_transactions_goes_on_where_it_broke() {
    let home = newest_postgres();
    let text = "--liquibase formatted sql\n--changeset a:1\nselect 1;\n--changeset a:2 runInTransaction:false\n\
                create table t (n int);\ncreate index concurrently on t (n);\ninsert into t values (nothing);\n";
    home.file("t.sql", text);
    failed(&home.migrate().await, 3, &["t.sql:7:"]);
    home.file("t.sql", &text.replace("nothing", "7"));
    done(home.migrate().await);
    assert_eq!(home.rows("select n from t"), ["7"]);
}

fn listed(home: &Home) {
    home.file(
        "db.changelog-master.xml",
        "<?xml version=\"1.0\"?>\n<databaseChangeLog xmlns=\"http://www.liquibase.org/xml/ns/dbchangelog\">\n\
         <include file=\"second.sql\" relativeToChangelogFile=\"true\"/>\n<includeAll path=\"all\" relativeToChangelogFile=\"true\"/>\n\
         <changeSet id=\"m\" author=\"ann\"><dropTable tableName=\"t\"/></changeSet>\n</databaseChangeLog>\n",
    );
    home.file("second.sql", "--liquibase formatted sql\n--changeset ann:1\ncreate table t (n integer);\n");
    home.file("all/b.sql", "--liquibase formatted sql\n--changeset ann:1\ninsert into t values (2);\n");
    home.file("all/a.sql", "insert into t values (1);");
    home.file("lost.sql", "--liquibase formatted sql\n--changeset ann:1\ninsert into t values (3);\n");
}

#[tokio::test]
async fn a_changelog_says_what_there_is_and_in_which_order() {
    for home in all_homes() {
        listed(&home);
        failed(
            &home.migrate().await,
            4,
            &["LIM-F034", "db.changelog-master.xml:5", "the change m of ann is no SQL (it has dropTable)"],
        );
        let answer = done(home.migrate_with(&to_name("all/b.sql::1::ann")).await);
        assert_eq!(
            home.ledger(),
            ["second.sql::1::ann|applied", "all/a.sql::raw::includeAll|applied", "all/b.sql::1::ann|applied"]
        );
        let notices = words(&answer.notices);
        assert!(notices.contains("no changelog includes lost.sql"), "{notices}");
        assert_eq!(home.rows("select n from t order by n"), ["1", "2"]);
        let refused = home.new_files("more").unwrap_err();
        assert!(words(&refused.diagnostics).contains("a changelog lists the files"), "{refused:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_had_stops_before_it_would_run() {
    let home = sqlite();
    let of = |line: &str| {
        format!(
            "--liquibase formatted sql\n--changeset a:1\ncreate table t (n integer);\n--changeset a:2{line}\ninsert into t values (1);\n"
        )
    };
    for (line, wanted) in [
        ("\n--preconditions onFail:MARK_RAN\n--precondition-index-exists index:i", "a.sql:6"),
        (" endDelimiter:(;|/)+", "a.sql:4"),
        (" context:\"(prod\"", "a.sql:4"),
    ] {
        home.file("a.sql", &of(line));
        failed(&home.migrate().await, 2, &["LIM-F045", wanted]);
        assert!(home.tables().is_empty());
    }
    // One that ran elsewhere is no obstacle.
    home.baseline("a.sql::2::a").await.unwrap();
    done(home.migrate().await);
    assert_eq!(
        states(&home.migrator().status(StatusOptions::default()).await.unwrap()),
        ["a.sql::1::a baseline", "a.sql::2::a baseline"]
    );
}

#[tokio::test]
async fn contexts_are_environments_and_placeholders_are_given() {
    let home = sqlite();
    home.file(
        "a.sql",
        "--liquibase formatted sql\n--changeset a:1\ncreate table t (n text);\n--changeset a:2 context:\"test or staging\"\n\
         insert into t values ('${word}');\n--changeset a:3 dbms:oracle\ninsert into t values ('no');\n",
    );
    let migrator = home.with(|it| {
        it.environment = Some("test".to_owned());
        it.values.all.insert("word".to_owned(), "given".to_owned());
    });
    done(migrate(&migrator).await);
    assert_eq!(home.rows("select n from t"), ["given"]);
    let other = sqlite();
    other.file("a.sql", &std::fs::read_to_string(home.folder.join("migrations/a.sql")).unwrap());
    done(other.migrate().await);
    assert_eq!(other.rows("select count(*) from t"), ["0"]);
}

#[tokio::test]
async fn expressions_of_contexts_hold_for_the_environment() {
    for (environment, expected) in [(Some("test"), "1,2"), (Some("prod"), "3"), (None, "2")] {
        let home = sqlite();
        home.file(
            "a.sql",
            "--liquibase formatted sql\n--changeset a:0\ncreate table t (n integer);\n\
             --changeset a:1 context:\"test and !prod\"\ninsert into t values (1);\n\
             --changeset a:2 contextFilter:!prod\ninsert into t values (2);\n\
             --changeset a:3 context:\"(prod or staging) and not test\"\ninsert into t values (3);\n",
        );
        let migrator = home.with(|it| it.environment = environment.map(str::to_owned));
        done(migrate(&migrator).await);
        assert_eq!(home.rows("select group_concat(n) from t"), [expected], "{environment:?}");
    }
}

#[tokio::test]
async fn properties_are_values_and_what_has_none_stays() {
    for home in all_homes() {
        home.file(
            "changelog.xml",
            "<databaseChangeLog>\n<property name=\"table\" value=\"things\"/>\n<property name=\"word\" value=\"elsewhere\" dbms=\"oracle\"/>\n\
             <include file=\"a.sql\"/>\n</databaseChangeLog>\n",
        );
        let text = "--liquibase formatted sql\n--property name:word value:of_${table}\n--property name:given value:lost\n\
                    --changeset a:1\ncreate table ${table} (n varchar(40));\n\
                    --changeset a:2\ninsert into ${Table} values ('${word}'), ('${given}'), ('${none}');\n--rollback delete from ${table} where n <> '${back}';\n";
        home.file("a.sql", text);
        let migrator = home.with(|it| drop(it.values.all.insert("given".to_owned(), "by limosa".to_owned())));
        let answer = done(migrate(&migrator).await);
        assert!(words(&answer.notices).contains("${back} has no value"), "{}", words(&answer.notices));
        assert!(words(&answer.notices).contains("${none} has no value"), "{}", words(&answer.notices));
        assert_eq!(home.rows("select n from things order by n"), ["${none}", "by limosa", "of_things"]);
        // A value for some changes and another one for others is refused before anything runs.
        home.file(
            "a.sql",
            &format!(
                "{text}--changeset a:3\n--property name:none value:some\ninsert into things values ('${{none}}');\n"
            ),
        );
        failed(&migrate(&migrator).await, 2, &["LIM-F050", "a.sql:9"]);
    }
}

#[tokio::test]
async fn new_migrations_are_changes_of_liquibase() {
    let home = sqlite();
    home.file("001.sql", "--liquibase formatted sql\n--changeset a:1\ncreate table t (n integer);\n");
    let files = home.new_files("Add names").unwrap();
    assert_eq!(files, ["20240131120000_add_names.sql"]);
    let text = std::fs::read_to_string(home.folder.join("migrations/20240131120000_add_names.sql")).unwrap();
    assert!(text.starts_with("--liquibase formatted sql\n\n--changeset limosa:20240131120000_add_names\n"), "{text}");
    home.file(
        &files[0],
        &format!("{text}\nalter table t add column name text;\n--rollback alter table t drop column name;\n"),
    );
    assert_eq!(labels(&done(home.migrate().await)), ["0001", "0002"]);
    assert!(home.migrator().status(StatusOptions::default()).await.unwrap().changes[1].has_rollback);
}

#[tokio::test]
async fn a_database_that_liquibase_migrated_is_taken_over() {
    for home in all_homes() {
        home.file("users.sql", USERS);
        let columns =
            "id varchar(255), author varchar(255), filename varchar(255), orderexecuted integer, md5sum varchar(35)";
        home.execute(&format!("create table databasechangelog ({columns})"));
        home.execute("insert into databasechangelog values ('1', 'ann', 'db/users.sql', 1, 'x'), ('2', 'ann', 'db/users.sql', 2, 'x')");
        home.execute("create table users (id integer primary key, note varchar(40))");
        failed(&home.migrate().await, 4, &["LIM-P020", "newest: db/users.sql::2::ann", "--to VERSION counts"]);
        home.baseline("db/users.sql::2::ann").await.unwrap();
        assert_eq!(labels(&done(home.migrate().await)), ["0003"]);
    }
}

#[tokio::test]
async fn liquibases_own_values_and_files_of_properties_are_put_in() {
    for (home, engine, now) in [(sqlite(), "sqlite", "CURRENT_TIMESTAMP"), (newest_postgres(), "postgresql", "NOW()")] {
        let changelog = "databaseChangeLog:\n- include: {file: a.sql}\n- property: {file: sub/x.properties, relativeToChangelogFile: true}\n\
                         - property: {file: none.properties, errorIfMissing: false}\n- property: {name: local, value: l, global: false}\n";
        home.file("changelog.yaml", changelog);
        home.file("sub/x.properties", "# words\nword = a \\\n  b\nlocal=file\n");
        let values = "${word} ${local} ${database.typeName} ${database.currentDateTimeFunction}";
        let text = |values: &str| {
            format!(
                "--liquibase formatted sql\n--property name:database.typeName value:no\n--property name:w value:\"x\n\
                 --changeset a:1\ncreate table t (n varchar(90));\ninsert into t values ('{values} ${{w}}');\n"
            )
        };
        for (values, wanted) in [
            ("${database.defaultSchemaName}", "what liquibase knows of its connection"),
            ("${ word }", "${ word } has a value with liquibase"),
        ] {
            home.file("a.sql", &text(values));
            failed(&home.migrate().await, 2, &["LIM-F045", "a.sql:4", wanted]);
        }
        home.file("a.sql", &text(values));
        done(home.migrate().await);
        assert_eq!(home.rows("select n from t"), [format!("a b file {engine} {now} \"x")]);
        home.file("changelog.yaml", &changelog.replace(", errorIfMissing: false", ""));
        failed(&home.migrate().await, 2, &["LIM-F037", "changelog.yaml:4", "none.properties"]);
    }
}

#[tokio::test]
async fn a_way_back_may_be_what_another_change_does() {
    for home in all_homes() {
        let text = |named: &str| {
            format!(
                "--liquibase formatted sql\n--property name:x value:7\n--changeset a:1 endDelimiter://\n--comment: one\n\
                 create table t (n integer)//\ninsert into t values (${{x}})//\n--rollback drop table t;\n\
                 --changeset a:2\ndrop table t;\n--rollback {named}\n"
            )
        };
        for named in ["changesetId:3 changesetAuthor:a", "changesetId:1"] {
            home.file("a.sql", &text(named));
            failed(&home.migrate().await, 2, &["LIM-F045", "a.sql:8"]);
        }
        home.file("a.sql", &text("changesetId:1 changesetAuthor:a\n--rollback changesetPath:a.sql"));
        done(home.migrate().await);
        assert!(!home.tables().contains(&"t".to_owned()));
        done(back(&home.migrator(), Selection::One(id("a.sql::2::a")), None).await);
        assert_eq!(home.rows("select n from t"), ["7"]);
    }
}

#[tokio::test]
async fn a_way_back_may_be_what_a_change_of_another_file_does() {
    for home in all_homes() {
        home.file(
            "changelog.yaml",
            "databaseChangeLog:\n- include: {file: first/a.sql, logicalFilePath: inc/a.sql}\n- include: {file: raw.sql}\n\
             - include: {file: b.sql}\n- include: {file: c.sql}\n",
        );
        const HEAD: &str = "--liquibase formatted sql\n";
        home.file(
            "first/a.sql",
            &format!("{HEAD}--property name:x value:7\n--changeset a:0\nselect 1;\n--changeset a:1 endDelimiter://\n--comment: one\n\
                 create table t (n integer)//\ninsert into t values (${{x}})//\n--rollback drop table t;\n"),
        );
        home.file("raw.sql", "create table r (n integer);\n");
        let b = |named: &str| {
            format!(
                "{HEAD}--changeset a:2\ndrop table t;\n--rollback changesetId:1 changesetAuthor:a {named}\n\
                     --changeset a:3\ndrop table r;\n--rollback changesetId:raw changesetAuthor:includeAll changesetPath:raw.sql\n"
            )
        };
        home.file("c.sql", &format!("{HEAD}--changeset a:1\nselect 1;\n"));
        for named in ["changesetPath:c.sql", "changesetPath:nowhere.sql"] {
            home.file("b.sql", &b(named));
            failed(&home.migrate().await, 2, &["LIM-F045", "b.sql:2", "which does not stand above it"]);
        }
        home.file("b.sql", &b("changesetPath:inc/a.sql"));
        done(home.migrate().await);
        assert!(!home.tables().iter().any(|table| table == "t" || table == "r"));
        let consent = home.database();
        done(back(&home.migrator(), Selection::One(id("b.sql::3::a")), None).await);
        home.execute("create table t (m integer)");
        // What is wrong with it stands in the file of the other change.
        failed(
            &back(&home.migrator(), Selection::One(id("b.sql::2::a")), Some(&consent)).await,
            3,
            &["first/a.sql):7:"],
        );
        home.execute("drop table t");
        done(back(&home.migrator(), Selection::One(id("b.sql::2::a")), None).await);
        assert_eq!(
            (home.rows("select n from t"), home.rows("select count(*) from r")),
            (vec!["7".to_owned()], vec!["0".to_owned()])
        );
    }
}

#[tokio::test]
async fn changes_that_run_again_may_stand_in_folders() {
    let home = sqlite();
    for file in ["inc/a.sql", "inc/b.sql"] {
        home.file(file, "--liquibase formatted sql\n--changeset a:v runOnChange:true\nselect 1;\n");
    }
    assert_eq!(labels(&done(home.migrate().await)), ["R", "R"]);
}

#[tokio::test]
async fn contexts_of_includes_must_hold_too() {
    let change = |id: &str, context: &str| format!("--changeset a:{id} {context}\ninsert into o values ('{id}');\n");
    let home = sqlite();
    home.execute("create table o (n varchar(9))");
    home.file(
        "changelog.yaml",
        "databaseChangeLog:\n- include: {file: a.sql, context: test, labels: l}\n- include: {file: more.yaml, contextFilter: '!prod'}\n\
         - includeAll: {path: all, context: prod}\n",
    );
    const HEAD: &str = "--liquibase formatted sql\n";
    home.file("a.sql", &format!("{HEAD}{}{}", change("a", ""), change("b", "context:\"!test\"")));
    home.file("more.yaml", "databaseChangeLog:\n- include: {file: c.sql, context: test or prod}\n");
    home.file("c.sql", &format!("{HEAD}{}{}", change("c", ""), change("d", "context:prod")));
    home.file("all/e.sql", &format!("{HEAD}{}", change("e", "")));
    home.file("all/f.sql", "insert into o values ('f');");
    for (environment, expected) in [("test", &["a", "c"][..]), ("prod", &["a", "c", "e", "f"])] {
        let migrator = home.with(|it| it.environment = Some(environment.to_owned()));
        done(migrate(&migrator).await);
        assert_eq!(home.rows("select n from o order by n"), expected, "{environment}");
    }
}

#[tokio::test]
async fn logical_paths_are_what_changes_are_known_by() {
    let home = sqlite();
    const HEAD: &str = "--liquibase formatted sql";
    home.file(
        "changelog.xml",
        "<databaseChangeLog>\n<include file=\"a.sql\" logicalFilePath=\"inc/${x}.sql\"/>\n\
         <include file=\"b.sql\" logicalFilePath=\"inc/b.sql\"/>\n<include file=\"sub/more.json\" logicalFilePath=\"inc/more\"/>\n\
         <property name=\"x\" value=\"a\"/>\n</databaseChangeLog>\n",
    );
    let two = "--changeset ann:1\nselect 1;\n--changeset ann:2 logicalFilePath:own/x.sql\nselect 2;\n";
    home.file("a.sql", &format!("{HEAD}\n{two}"));
    home.file("b.sql", &format!("{HEAD} logicalFilePath:file/b.sql\n{two}"));
    home.file(
        "sub/more.json",
        r#"{"databaseChangeLog": [{"include": {"file": "c.sql", "relativeToChangelogFile": true}}]}"#,
    );
    home.file("sub/c.sql", &format!("{HEAD}\n--changeset ann:1\nselect 1;\n"));
    let answer = done(home.migrate().await);
    assert_eq!(
        home.ledger(),
        [
            "inc/a.sql::1::ann|applied",
            "inc/a.sql::2::ann|applied",
            "file/b.sql::1::ann|applied",
            "file/b.sql::2::ann|applied",
            "inc/more::1::ann|applied"
        ]
    );
    let notices = words(&answer.notices);
    let told = "Liquibase 4.33 knows the changes of sub/c.sql as inc/more, and Liquibase 5 as the path of their file";
    assert!(notices.contains(told) && notices.matches("LIM-F045").count() == 1, "{notices}");
}

#[tokio::test]
async fn the_context_of_a_changelog_must_hold_too() {
    let home = sqlite();
    let log = |context: &str| {
        home.file(
            "changelog.xml",
            &format!("<databaseChangeLog context=\"{context}\">\n<include file=\"a.sql\"/>\n</databaseChangeLog>\n"),
        );
    };
    home.file("a.sql", "--liquibase formatted sql\n--changeset a:1\ncreate table t (n integer);\n");
    log("test and !prod");
    assert!(done(home.migrate().await).steps.is_empty());
    log("!prod");
    assert_eq!(labels(&done(home.migrate().await)), ["0001"]);
}

#[tokio::test]
async fn white_space_is_no_change() {
    for home in all_homes() {
        let of = |one: &str, other: &str| {
            format!("--liquibase formatted sql\n--changeset a:1\n{one}--changeset a:2\n{other}")
        };
        home.file(
            "a.sql",
            &of("create table t (n int);   \ninsert into t values (1);\n", "insert into t\nselect 2;\n"),
        );
        done(home.migrate().await);
        home.file("a.sql", &of("create table t (n int);\n\ninsert into t values (1);\n", "insert into t\n  select 2;"));
        assert!(done(home.migrate().await).steps.is_empty());
        home.file("a.sql", &of("create table t (n int);\ninsert into t values (7);\n", "insert into t select 2;"));
        failed(&home.migrate().await, 1, &["LIM-P001", "a.sql::1::a"]);
    }
}
