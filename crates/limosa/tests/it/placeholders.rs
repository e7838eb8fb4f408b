//! `${name}` in files: where it is replaced, how, and what happens without a value.

use limosa::{MigrateOptions, Migrator, Selection};

use crate::answers::{back, done, failed, labels, migrate, refusal};
use crate::place::{Home, all_homes, homes};

fn with(home: &Home, values: &[(&str, &str)]) -> Migrator {
    home.with(|it| {
        it.values.all = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    })
}

#[tokio::test]
async fn values_stand_where_names_stood() {
    for home in homes() {
        home.file(
            "001_a.sql",
            "-- ${comment} is left alone\ncreate table ${table} (word text, ${column:identifier} text);\n\
             /* ${comment} */ insert into ${table} values ('${word}', ${word:literal}); -- ${comment}\n\
             insert into ${table} values (${word:literal}, '$${word}');\n",
        );
        let word = if home.is_sqlite() { "it is" } else { "it is \\" };
        let migrator = with(&home, &[("table", "a"), ("column", "odd \"name"), ("word", word)]);
        done(migrate(&migrator).await);
        let rows = home.rows("select word, \"odd \"\"name\" from a");
        assert_eq!(rows, [format!("{word}|{word}"), format!("{word}|${word}")]);
        // Another value is no change of the file.
        let other = with(&home, &[("table", "b"), ("column", "c"), ("word", "d")]);
        assert_eq!(done(migrate(&other).await).outcome, "nothing_to_do");
        assert_eq!(done(migrate(&home.migrator()).await).outcome, "nothing_to_do");
        assert_eq!(home.migrator().validate().await.unwrap().exit_code, 0);
    }
}

#[tokio::test]
async fn quotes_in_values_cannot_break_out_where_a_form_is_named() {
    for home in all_homes() {
        home.file("001_a.sql", "create table a (word text);\ninsert into a values (${word:literal});\n");
        let evil = "x'); drop table a; --";
        done(migrate(&with(&home, &[("word", evil)])).await);
        assert_eq!(home.rows("select word from a"), [evil]);
    }
}

#[tokio::test]
async fn a_form_that_is_not_known_is_named_before_anything_runs() {
    for home in homes() {
        home.file("001_a.sql", "create table a (id int);\n");
        home.file("002_b.sql", "select ${one:ident};\n");
        let migrator = with(&home, &[("one", "1")]);
        failed(
            &migrate(&migrator).await,
            2,
            &["${one:ident}", "not known: ident", "${one:identifier}", "002_b.sql:1:8"],
        );
        assert_eq!(home.tables(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn all_missing_values_are_named_before_anything_runs() {
    for home in homes() {
        home.file("001_a.sql", "create table a (id int);\n");
        home.file("002_b.sql", "select '${one}';\nselect ${two}, '${one}';\n");
        home.file("003_c.sql", "select 1;\n  select '${thre:literal}';\n");
        let migrator = with(&home, &[("three", "3"), ("four", "4")]);
        let text =
            failed(&migrate(&migrator).await, 2, &["known: four, three", "--placeholder one=", "Placeholders: off"]);
        for (place, name) in [("002_b.sql:1:9", "one"), ("002_b.sql:2:8", "two"), ("003_c.sql:2:11", "thre")] {
            assert!(text.contains(&format!("the placeholder ${{{name}}} has no value\n[{place}]")), "{name}: {text}");
        }
        assert_eq!(text.matches("LIM-R012").count(), 3, "{text}");
        refusal(migrator.plan(&MigrateOptions::default()).await, 2, &["LIM-R012"]);
        refusal(migrator.plan_script(&MigrateOptions::default()).await, 2, &["LIM-R012"]);
        if !home.is_sqlite() {
            assert_eq!(
                home.count("select count(*) from pg_namespace where nspname = 'limosa'"),
                0,
                "no ledger is made"
            );
        }
        // What is not part of the run needs no value.
        assert_eq!(
            labels(&done(
                migrator.migrate(&crate::answers::to("1"), &crate::answers::quiet, limosa::Stop::new()).await
            )),
            ["001"]
        );
        assert_eq!(home.tables(), ["a"]);
    }
}

#[tokio::test]
async fn a_file_may_keep_its_dollars() {
    for home in homes() {
        home.file(
            "001_a.sql",
            "-- Placeholders: off\ncreate table a (word text);\ninsert into a values ('${kept}');\n",
        );
        home.file(
            "002_b.sql",
            "insert into a values ('$' || '{kept}'), ('{}'), ('${}'), ('${ x }'), ('$x'), ('${1}');\n",
        );
        done(migrate(&with(&home, &[("kept", "gone"), ("x", "gone")])).await);
        assert_eq!(home.rows("select word from a order by 1").iter().filter(|word| word.contains("gone")).count(), 0);
        assert_eq!(home.count("select count(*) from a"), 7);
    }
}

#[tokio::test]
async fn a_value_may_be_a_whole_statement_and_errors_point_at_its_name() {
    for home in homes() {
        home.file("001_a.sql", "create table a (id int);\ninsert into a\n  values (1), (${rows});\n");
        failed(&migrate(&with(&home, &[("rows", "2), (nowhere")])).await, 3, &["nowhere", "001_a.sql:3:16"]);
        assert!(home.tables().is_empty());
        done(migrate(&with(&home, &[("rows", "2), (3")])).await);
        assert_eq!(home.count("select count(*) from a"), 3);
    }
}

#[tokio::test]
async fn bodies_of_functions_are_replaced_within() {
    for home in homes().into_iter().filter(|home| !home.is_sqlite()) {
        home.file(
            "001_f.sql",
            "create function f() returns text language plpgsql as $$ begin return '${word}'; end $$;\n\
             create function g() returns text language sql as $body$ select '${word}'::text $body$;\n\
             -- limosa:rollback\ndrop function f; drop function g;\n",
        );
        let migrator = with(&home, &[("word", "hello")]);
        done(migrate(&migrator).await);
        assert_eq!(home.rows("select f(), g()"), ["hello|hello"]);
        done(back(&migrator, Selection::Steps(1), None).await);
    }
}
