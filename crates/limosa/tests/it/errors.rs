//! What the server refuses, told by file, line, column and text.

use limosa::Event;

use crate::place::{error_text, homes, newest_postgres};
use crate::running::{exit, postgres_homes, says, well};

#[tokio::test]
async fn a_unique_violation_is_named_by_its_statement_though_the_server_gives_no_position() {
    for home in postgres_homes() {
        let mut text = "create table t (\n  id int primary key,\n  note text\n);\n".to_owned();
        for number in 2..=50 {
            let id = if number == 37 { 12 } else { number };
            text.push_str(&format!("insert into t values ({id}, 'row {number}');\n"));
        }
        home.file("0001_rows.sql", &text);
        let result = home.migrate().await;
        assert_eq!(exit(&result), 3);
        says(
            &result,
            &[
                "23505",
                "statement 37 of 50",
                "0001_rows.sql:40:1",
                "[insert into t values (12, 'row 37');]",
                "detail: Key (id)=(12) already exists.",
                "t_pkey",
            ],
        );
        assert_eq!(home.tables(), Vec::<String>::new());
        assert_eq!(home.ledger(), Vec::<String>::new());
        // What failed stands in the audit log, and the chain holds.
        let logged = home.rows("select outcome, detail from limosa.audit_log where identity = '1'");
        assert!(
            logged[0].starts_with("failed|") && logged[0].contains("\"line\": 40") || logged[0].contains("\"line\":40"),
            "{logged:?}"
        );
        assert_eq!(home.migrator().audit_verify(&[]).await.unwrap().exit_code, 0);
    }
}

#[tokio::test]
async fn a_statement_behind_others_on_its_line_is_shown_with_its_line() {
    for home in homes() {
        home.file("0001_line.sql", "select 1; select 2;\n/* ä */ select 3; select nosuch; select 4;\n");
        let result = home.migrate().await;
        assert_eq!(exit(&result), 3);
        let text = error_text(&result);
        let Some(shown) =
            text.split('[').find_map(|rest| rest.split_once(']').filter(|(line, _)| line.contains("nosuch")))
        else {
            panic!("{text}")
        };
        assert!(text.contains("0001_line.sql:2:19") || text.contains("0001_line.sql:2:26"), "{text}");
        // The columns of the file are those of what is shown.
        assert_eq!(shown.0.chars().take(18).filter(|character| *character != ' ').count(), 0, "{text}");
        assert_eq!(shown.0.chars().skip(18).collect::<String>(), "select nosuch;", "{text}");
    }
}

#[tokio::test]
async fn positions_count_characters_whatever_their_bytes() {
    let home = newest_postgres();
    home.file("0001_wide.sql", "-- Ünïcödé\ncreate table t (n int);\n/* 😀 */ insert into t\n  select 1 where 'äöü€😀' = 'x' and nosuch > 1;\n");
    let result = home.migrate().await;
    says(&result, &["42703", "0001_wide.sql:4:36", "[  select 1 where 'äöü€😀' = 'x' and nosuch > 1;]"]);

    home.file("0001_wide.sql", "\u{feff}select 'ß', 'ß', frmo x;\r\n");
    let result = home.migrate().await;
    says(&result, &["42", "0001_wide.sql:1:"]);
    let text = error_text(&result);
    assert!(text.contains(":1:18") || text.contains(":1:23"), "{text}");
}

#[tokio::test]
async fn positions_lead_through_placeholders_back_to_the_file() {
    let home = newest_postgres();
    home.file("0001_values.sql", "create table ${long} (n int); select\n  '${long}', nosuch;\n");
    let mut configuration = home.configuration();
    configuration.values.all.insert("long".to_owned(), "a_name_that_is_much_longer_than_its_placeholder".to_owned());
    let result = crate::running::Running::migrate(configuration).end().await;
    says(&result, &["42703", "0001_values.sql:2:14"]);
}

#[tokio::test]
async fn an_error_inside_a_function_tells_where() {
    for home in postgres_homes() {
        home.file(
            "0001_function.sql",
            "create function inner_one(n int) returns int language plpgsql as $$\nbegin\n  return n / 0;\nend $$;\n\
             create function outer_one() returns int language plpgsql as $$\nbegin\n  return inner_one(1);\nend $$;\n",
        );
        home.file("0002_call.sql", "select 1;\nselect outer_one();\n");
        let result = home.migrate().await;
        says(
            &result,
            &[
                "22012",
                "0002_call.sql:2:1",
                "context: PL/pgSQL function inner_one(integer) line 3 at RETURN",
                "PL/pgSQL function outer_one() line 3 at RETURN",
            ],
        );
        home.file("0002_call.sql", "do $$\nbegin\n  execute 'select nosuch from pg_class';\nend $$;\n");
        let result = home.migrate().await;
        says(&result, &["42703", "0002_call.sql:1:1", "inside: select nosuch from pg_class", "line 3 at EXECUTE"]);
    }
}

#[tokio::test]
async fn an_error_in_the_data_of_copy_names_its_line() {
    for home in postgres_homes() {
        home.file(
            "0001_copy.sql",
            "create table t (id int primary key, note text);\ncopy t (id, note)\n  from stdin;\n1\tone\n2\ttwo\nthree\tthree\n4\tfour\n\\.\ninsert into t values (9, 'nine');\n",
        );
        let result = home.migrate().await;
        assert_eq!(exit(&result), 3);
        says(&result, &["22P02", "statement 2 of 3", "0001_copy.sql:6:1", "COPY t, line 3, column id: \"three\""]);
        assert_eq!(home.tables(), Vec::<String>::new());
        home.file(
            "0001_copy.sql",
            "create table t (id int primary key, note text);\ncopy t (id, note)\n  from stdin;\n1\tone\n2\ttwo\n1\tagain\n\\.\n",
        );
        let result = home.migrate().await;
        says(&result, &["23505", "0001_copy.sql:6:1", "COPY t, line 3"]);
        home.file(
            "0001_copy.sql",
            "create table t (id int primary key, note text);\ncopy t (id, note)\n  from stdin;\n1\tone\n2\ttwo\n\\.\nselect 1/0;\n",
        );
        says(&home.migrate().await, &["22012", "statement 3 of 3", "0001_copy.sql:7:1"]);
        home.file(
            "0001_copy.sql",
            "create table t (id int primary key, note text);\ncopy t (id, note)\n  from stdin;\n1\tone\n2\ttwo\n\\.\ncopy t from stdin with (format csv);\n7,\"a, b\"\n\\.\n",
        );
        well(&home.migrate().await);
        assert_eq!(home.rows("select id, note from t order by id"), ["1|one", "2|two", "7|a, b"]);
    }
}

#[tokio::test]
async fn a_table_that_copy_does_not_find_is_named() {
    let home = newest_postgres();
    home.file("0001_copy.sql", "select 1;\ncopy nosuch (id) from stdin;\n1\n2\n\\.\nselect 2;\n");
    says(&home.migrate().await, &["42P01", "0001_copy.sql:2:", "statement 2 of 3"]);
    home.file("0001_copy.sql", "create table t (id int);\ncopy t (id) from stdin;\n1\n2\n\\.\n");
    well(&home.migrate().await);
}

#[tokio::test]
async fn notices_and_warnings_reach_the_report_and_the_events() {
    for home in postgres_homes() {
        home.file("0001_quiet.sql", "create table t (n int);");
        home.file(
            "0002_talks.sql",
            "do $$ begin raise notice 'about to begin'; end $$;\ndrop table if exists nosuch;\ndo $$ begin raise warning 'careful'; raise info 'for your information'; end $$;\n",
        );
        home.file("0003_none.sql", "-- Transaction: none\ndo $$ begin raise notice 'outside'; end $$;");
        let result = home.migrate().await;
        let answer = well(&result);
        let said: Vec<Vec<(&str, &str)>> = answer
            .steps
            .iter()
            .map(|step| step.notices.iter().map(|notice| (notice.severity.as_str(), notice.message.as_str())).collect())
            .collect();
        assert_eq!(said[0], []);
        assert_eq!(
            said[1],
            [
                ("NOTICE", "about to begin"),
                ("NOTICE", "table \"nosuch\" does not exist, skipping"),
                ("WARNING", "careful"),
                ("INFO", "for your information"),
            ]
        );
        assert_eq!(said[2], [("NOTICE", "outside")]);
        let events = home.events.lock().unwrap();
        let heard: Vec<String> = events
            .iter()
            .filter_map(|progress| match progress {
                limosa::Progress::Run(Event::Notice { label, notice }) => Some(format!("{label} {}", notice.message)),
                _ => None,
            })
            .collect();
        assert_eq!(heard.len(), 5);
        assert_eq!((heard[2].as_str(), heard[4].as_str()), ("0002 careful", "0003 outside"));
    }
}
