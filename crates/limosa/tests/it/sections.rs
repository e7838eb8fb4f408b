//! Folders whose files hold both directions, told apart by comments: goose's and dbmate's, read in place.

use std::time::Duration;

use limosa::{Layout, LayoutChoice, MigrateOptions, NewKind, Numbering, Selection, StatusOptions};

use crate::answers::{back, done, failed, id, labels, migrate, words};
use crate::place::{Home, all_homes, mysql_homes, newest_postgres as postgres, sqlite};

fn goose(home: &Home) {
    home.file(
        "00001_users.sql",
        "\u{feff}-- +goose Up\r\ncreate table users (id integer primary key, note varchar(40));\r\n\r\n\
         -- +goose Down\r\ndrop table users;\r\n",
    );
    home.file("00002_words.sql", "-- +goose Up\n-- nothing but words\n-- +goose Down\n");
    home.file(
        "00010_fill.sql",
        "-- +goose Up\n-- +goose StatementBegin\ninsert into users values (1, 'costs ${price}');\n\
         insert into users values (2, 'x')\n-- +goose StatementEnd\n-- +goose Down\ndelete from users where id < 3\n",
    );
    home.file("README.md", "read me");
}

#[tokio::test]
async fn a_folder_of_goose_goes_up_and_down_as_it_stands() {
    for home in all_homes() {
        goose(&home);
        assert_eq!(labels(&done(home.migrate().await)), ["00001", "00002", "00010"]);
        assert_eq!(home.rows("select note from users order by id"), ["costs ${price}", "x"], "no placeholder");
        let status = home.migrator().status(StatusOptions::default()).await.unwrap();
        assert_eq!(status.format, "goose");
        assert!(status.format_reason.unwrap().starts_with("'-- +goose Up' in "));
        let way_back: Vec<bool> = status.changes.iter().map(|change| change.has_rollback).collect();
        assert_eq!(way_back, [true, false, true]);

        // Another way back, a marker more, other line ends: no change. Then what leads up.
        home.file(
            "00001_users.sql",
            "-- +goose Up\n-- +goose StatementBegin\ncreate table users (id integer primary key, note varchar(40));\n\
             -- +goose StatementEnd\n-- +goose Down\ndrop table if exists users;\n",
        );
        assert_eq!(labels(&done(home.migrate().await)), [] as [&str; 0]);
        let consent = home.database();
        done(back(&home.migrator(), Selection::One(id("10")), Some(&consent)).await);
        assert_eq!(home.rows("select count(*) from users"), ["0"]);
        done(home.migrate().await);
        assert_eq!(home.rows("select count(*) from users"), ["2"]);
        home.file("00010_fill.sql", "-- +goose Up\ninsert into users values (3, 'changed');");
        failed(&home.migrate().await, 1, &["LIM-P001", "00010_fill.sql"]);
    }
}

#[tokio::test]
async fn a_folder_of_dbmate_goes_up_and_down_as_it_stands() {
    for home in all_homes() {
        home.file(
            "20240101000000_users.sql",
            "-- migrate:up\ncreate table users (id integer primary key)\n\n-- migrate:down\ndrop table users\n\
             -- migrate:up\ncreate table notes (id integer primary key, note varchar(40));\n-- migrate:down\ndrop table notes;\n",
        );
        home.file(
            "20240102000000-fill.sql",
            "--migrate:up transaction:false\ninsert into notes values (1, '${x}');\n-- migrate:down transaction:false\ndelete from notes;",
        );
        home.file("schema.sql", "create table schema_dump (id integer);");
        let answer = done(home.migrate().await);
        assert_eq!(labels(&answer), ["20240101000000", "20240102000000"]);
        assert!(answer.notices.is_empty(), "{answer:?}");
        assert_eq!(home.rows("select note from notes"), ["${x}"]);
        let status = home.migrator().status(StatusOptions::default()).await.unwrap();
        assert_eq!(status.format, "dbmate");
        assert_eq!(status.changes[1].name, "fill");
        let consent = home.database();
        done(back(&home.migrator(), Selection::Steps(2), Some(&consent)).await);
        done(home.migrate().await);
        assert_eq!(home.rows("select count(*) from notes"), ["1"]);
        assert_eq!(home.migrator().audit_verify(&[]).await.unwrap().exit_code, 0);
    }
}

#[tokio::test]
async fn files_of_sql_migrate_without_a_number_run_behind_the_others_and_whenever_they_turn_up() {
    for home in all_homes() {
        let file = |name: &str, sql: &str| home.file(name, &format!("-- +migrate Up\n{sql};\n"));
        file("10-b.sql", "insert into t values ('10')");
        file("2-a.sql", "create table t (n varchar(9) not null)");
        file("record.sql", "insert into t values ('record')");
        file("fill.sql", "insert into t values ('fill')");
        let answer = done(home.migrate().await);
        assert_eq!(labels(&answer), ["2", "10", "fill", "record"]);
        assert!(answer.notices.is_empty(), "{:?}", answer.notices);
        file("11-c.sql", "insert into t values ('11')");
        file("again.sql", "insert into t values ('again')");
        assert_eq!(labels(&done(home.migrate().await)), ["11", "again"]);
        file("3-late.sql", "select 1");
        failed(&home.migrate().await, 1, &["LIM-P005", "11-c.sql was applied before it"]);
    }
    // Without any number, too.
    let home = sqlite();
    home.file("b.sql", "-- +migrate Up\ncreate table b (n int);\n");
    done(home.migrate().await);
    home.file("a.sql", "-- +migrate Up\ncreate table a (n int);\n");
    assert_eq!(labels(&done(home.migrate().await)), ["a"]);
}

#[tokio::test]
async fn folders_of_sql_migrate_and_node_pg_migrate_know_their_files_by_name() {
    for home in all_homes() {
        home.file(
            "1-users.sql",
            "-- +migrate Up\ncreate table users (id integer primary key);\n-- +migrate Down\ndrop table users;\n",
        );
        home.file("10-b.sql", "-- +migrate Up\ninsert into users values (2);\n-- +migrate Down notransaction\ndelete from users where id = 2;\n");
        home.file("10-a.sql", "-- +migrate Down\ndelete from users where id = 1;\n-- +migrate Up notransaction\ninsert into users values (1);\n");
        done(home.migrate().await);
        let status = home.migrator().status(StatusOptions::default()).await.unwrap();
        let known: Vec<&str> = status.changes.iter().map(|change| change.identity.as_str()).collect();
        assert_eq!((status.format, known.as_slice()), ("sql_migrate", &["1-users.sql", "10-a.sql", "10-b.sql"][..]));
        let consent = home.database();
        done(back(&home.migrator(), Selection::One(id("10-b.sql")), Some(&consent)).await);
        assert_eq!(home.rows("select id from users"), ["1"]);
        done(home.migrate().await);
        assert_eq!(home.rows("select count(*) from users"), ["2"]);
    }
    let home = postgres();
    home.file(
        "1712345678901_users.sql",
        "-- Up Migration\ncreate table users (id int);\n\n-- Down Migration\ndrop table users;\n",
    );
    home.file("1712345678902_fill.sql", "insert into users values (1);\n");
    done(home.migrate().await);
    let status = home.migrator().status(StatusOptions::default()).await.unwrap();
    let known: Vec<&str> = status.changes.iter().map(|change| change.identity.as_str()).collect();
    assert_eq!(
        (status.format, known.as_slice()),
        ("node_pg_migrate", &["1712345678901_users", "1712345678902_fill"][..])
    );
    assert_eq!(home.rows("select id from users"), ["1"]);
}

#[tokio::test]
async fn what_cannot_be_told_apart_is_refused() {
    let home = sqlite();
    goose(&home);
    home.file("00012_bare.sql", "create table bare (n int);");
    failed(&migrate(&home.migrator()).await, 2, &["LIM-F038", "00012_bare.sql", "-- +goose Up"]);
    home.file("00012_bare.sql", "-- +goose Up\nselect 1;");

    // Read as limosa's own the files would run their ways back, too.
    let native = home.with(|it| it.layout = LayoutChoice::Given(Layout::Native));
    failed(&migrate(&native).await, 2, &["LIM-F041", "00001_users.sql", "--format goose"]);

    home.file("V1__a.sql", "create table a (n int);");
    let answer = done(home.migrate().await);
    assert!(words(&answer.notices).contains("V1__a.sql is none of goose's"), "{answer:?}");
    home.file("V2__b.sql", "create table b (n int);");
    failed(&migrate(&home.migrator()).await, 2, &["LIM-F043", "00001_users.sql", "V1__a.sql", "--format goose"]);
    let told = home.with(|it| it.layout = LayoutChoice::Given(Layout::Goose));
    done(migrate(&told).await);
}

#[tokio::test]
async fn errors_name_their_place_in_the_file() {
    for home in all_homes() {
        home.file(
            "1_a.sql",
            "-- words\n-- +goose Up\ncreate table a (n int);\n\n  insert into nowhere values (1);\n-- +goose Down\ndrop table a;\n",
        );
        failed(&home.migrate().await, 3, &["1_a.sql:5:"]);
    }
}

#[tokio::test]
async fn time_outs_of_one_file_are_not_those_of_the_next() {
    let home = postgres();
    home.file("1_a.sql", "-- +goose Up\nset work_mem to '9MB';\nset statement_timeout to '77s';\n");
    home.file(
        "2_b.sql",
        "-- +goose NO TRANSACTION\n-- +goose Up\nset lock_timeout to '66s';\ncreate table b (n int);\n\
         create index concurrently b_n on b (n);\n-- +goose Down\ndrop index concurrently b_n;\ndrop table b;\n",
    );
    home.file(
        "3_c.sql",
        "-- +goose Up\ncreate table c as select current_setting('work_mem') as memory, current_setting('lock_timeout') as wait,\n\
         current_setting('statement_timeout') as run;\n",
    );
    done(home.migrate().await);
    // What else a file sets reaches them, as with goose.
    let found = home.rows("select concat(memory, ' ', wait, ' ', run) from c");
    assert!(found[0].starts_with("9MB ") && !found[0].contains("66s") && !found[0].contains("77s"), "{found:?}");
    let consent = home.database();
    done(back(&home.migrator(), Selection::One(id("2")), Some(&consent)).await);
    assert_eq!(home.rows("select count(*) from pg_class where relname in ('b', 'b_n')"), ["0"]);
}

#[tokio::test]
async fn what_the_tool_sends_as_one_is_one_transaction() {
    let home = postgres();
    home.file(
        "1_a.sql",
        "-- +goose NO TRANSACTION\n-- +goose Up\n-- +goose StatementBegin\nset local lock_timeout = '7s';\n\
         create table a as select current_setting('lock_timeout') as wait;\n-- +goose StatementEnd\n\
         create table b as select current_setting('lock_timeout') as wait;\n",
    );
    done(home.migrate().await);
    assert_eq!(home.rows("select wait from a"), ["7s"]);
    assert_ne!(home.rows("select wait from b"), ["7s"]);
}

#[tokio::test]
async fn routines_in_blocks_are_made_on_mysql_without_a_delimiter() {
    for home in mysql_homes() {
        home.file(
            "1_a.sql",
            "-- +goose Up\ncreate table a (n int);\n-- +goose StatementBegin\ncreate procedure fill(in most int)\nbegin\n  declare i int default 0;\n\
             again: while i < most do\n    insert into a values (i);\n    set i = i + 1;\n  end while again;\n  if most = 0 then select 1; end if;\nend;\n\
             -- +goose StatementEnd\n-- +goose StatementBegin\ncreate trigger a_insert before insert on a for each row\nbegin\n  set new.n = new.n + 10;\n\
             end\n-- +goose StatementEnd\ncall fill(2);\n-- +goose Down\n-- +goose StatementBegin\ndrop procedure fill;\n-- +goose StatementEnd\ndrop table a;\n",
        );
        done(home.migrate().await);
        assert_eq!(home.rows("select n from a order by n"), ["10", "11"]);
        let consent = home.database();
        done(back(&home.migrator(), Selection::One(id("1")), Some(&consent)).await);
        assert_eq!(
            home.rows(
                "select count(*) from information_schema.tables where table_schema = database() and table_name = 'a'"
            ),
            ["0"]
        );
    }
}

#[tokio::test]
async fn a_file_that_stopped_half_way_goes_on_where_it_stopped() {
    for home in all_homes() {
        let text = |last: &str| {
            format!(
                "-- words\n-- +goose NO TRANSACTION\n-- +goose Up\ncreate table a (n int);\ninsert into a values (1);\n{last}\n\
                 -- +goose Down\ndrop table a;\n"
            )
        };
        home.file("1_a.sql", &text("insert into nowhere values (2);"));
        failed(&home.migrate().await, 3, &["1_a.sql:6:"]);
        // A word above the sections and the way back may change; what ran may not.
        home.file(
            "1_a.sql",
            &text("insert into a values (2);").replace("words", "other words").replace("drop table", "drop  table"),
        );
        done(home.migrate().await);
        assert_eq!(home.rows("select n from a order by n"), ["1", "2"]);
    }
}

#[tokio::test]
async fn files_that_are_compiled_in_are_read_by_their_sections() {
    let home = sqlite();
    let files = [
        ("00001_a.sql", "-- +goose Up\ncreate table a (n int);\n-- +goose Down\ndrop table a;\n"),
        ("00002_b.sql", "-- +goose Up\ncreate table b (n int);\n-- +goose Down\ndrop table b;\n"),
    ];
    let migrator = home.with(|it| it.embedded = Some(limosa::Embedded::new(files)));
    done(migrate(&migrator).await);
    let consent = home.database();
    done(back(&migrator, Selection::Steps(1), Some(&consent)).await);
    assert_eq!(home.rows("select name from sqlite_master where name in ('a', 'b')"), ["a"]);
}

#[tokio::test]
async fn a_commit_of_the_files_own_stays_one() {
    for home in [postgres(), sqlite()] {
        home.file(
            "1_a.sql",
            "-- +goose NO TRANSACTION\n-- +goose Up\nbegin;\ncreate table a (n int);\ncommit;\ncreate table b (n int);\n-- +goose Down\n\
             begin;\ndrop table a;\ncommit;\ndrop table b;\n",
        );
        done(home.migrate().await);
        let consent = home.database();
        done(back(&home.migrator(), Selection::One(id("1")), Some(&consent)).await);
        // One that ends goose's transaction ends none of limosa's: what follows has a transaction of its own.
        home.file("1_a.sql", "-- +goose Up\ncreate table a (n int);\n");
        home.file("2_b.sql", "-- +goose Up\ncreate table c (n int);\ncommit;\ninsert into c values (1);\nbegin;\ninsert into c values (2);\n");
        assert_eq!(labels(&done(migrate(&home.migrator()).await)), ["1", "2"]);
        assert_eq!(home.rows("select n from c order by n"), ["1", "2"]);
    }
}

#[tokio::test]
async fn variables_have_the_values_of_placeholders() {
    let home = sqlite();
    home.file(
        "1_a.sql",
        "-- +goose Up\n-- +goose ENVSUB ON\ncreate table ${TABLE} (n int);\n-- +goose ENVSUB OFF\n-- +goose Down\n\
         -- +goose ENVSUB ON\ndrop table ${TABLE};\n",
    );
    home.file("2_b.sql", "-- +goose Up\ncreate table b as select '${TABLE}' as text;\n");
    failed(&migrate(&home.migrator()).await, 2, &["LIM-R012", "${TABLE}"]);
    // A variable LIMOSA_PLACEHOLDER_TABLE names it in small letters.
    let valued = home.with(|it| {
        it.values.all.insert("table".to_owned(), "things".to_owned());
    });
    done(migrate(&valued).await);
    assert_eq!(home.rows("select text from b"), ["${TABLE}"]);
    let consent = home.database();
    done(back(&home.migrator(), Selection::One(id("1")), Some(&consent)).await);
    assert_eq!(home.rows("select count(*) from sqlite_master where name = 'things'"), ["0"]);
}

/// What goose 3.30 makes of the same file with the same variables, where it takes it.
#[tokio::test]
async fn variables_have_defaults_and_what_else_goose_gives_them() {
    let home = sqlite();
    home.file(
        "1_a.sql",
        "-- +goose Up\n-- +goose ENVSUB ON\ncreate table ${TABLE:-things} (word text);\n\
         insert into $TABLE_NAME values ('${NO:-a;b}'), ('${NO-${OTHER}}'), ('${OTHER:1:3}'), ('$$5'), ('\\$5'), ('$OTHER');\n\
         -- +goose ENVSUB OFF\ninsert into things values ('${NO:-x} $$5');\n\
         -- +goose Down\n-- +goose ENVSUB ON\ndrop table ${TABLE:-things};\n",
    );
    failed(
        &migrate(&home.migrator()).await,
        2,
        &["LIM-R012", "1_a.sql:4:13", "${TABLE_NAME}", "1_a.sql:4:50", "write ${OTHER-}"],
    );
    let with = |values: &[(&str, &str)]| {
        home.with(|it| {
            let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            it.values.all.extend(values);
        })
    };
    let valued = with(&[("TABLE_NAME", "things"), ("OTHER", "second")]);
    done(migrate(&valued).await);
    let words = home.rows("select word from things order by rowid");
    assert_eq!(words, ["a;b", "second", "eco", "$5", "$5", "second", "${NO:-x} $$5"]);
    assert_eq!(home.rows("select rollback_values from limosa_schema_migrations"), [r#"{"${TABLE:-things}":"things"}"#]);
    // The way back does what it would have done then, whatever has a value by now.
    let consent = home.database();
    done(back(&with(&[("TABLE", "others")]), Selection::One(id("1")), Some(&consent)).await);
    assert_eq!(home.rows("select count(*) from sqlite_master where name = 'things'"), ["0"]);
}

#[tokio::test]
async fn a_body_in_dollar_signs_may_hold_variables() {
    let home = postgres();
    home.file(
        "1_a.sql",
        "-- +goose Up\n-- +goose ENVSUB ON\ncreate function one() returns text language sql as \\$\\$ select '${WORD:-a;b}'; \\$\\$;\n\
         -- +goose ENVSUB OFF\ncreate function two() returns text language sql as $$\n-- +goose ENVSUB ON\n\
         select '${WORD:-a;b}' || '$$';\n-- +goose ENVSUB OFF\n$$;\n",
    );
    // The one dollar sign of two would be the end of the body.
    failed(&migrate(&home.migrator()).await, 2, &["LIM-S005", "1_a.sql:7:29", "write \\$ for a dollar sign"]);
    home.file(
        "1_a.sql",
        "-- +goose Up\n-- +goose ENVSUB ON\ncreate function one() returns text language sql as \\$\\$ select '${WORD:-a;b}'; \\$\\$;\n\
         -- +goose ENVSUB OFF\ncreate function two() returns text language sql as $$\n-- +goose ENVSUB ON\n\
         select '${WORD:-a;b}' || '\\$';\n-- +goose ENVSUB OFF\n$$;\n",
    );
    let script = home.migrator().plan_script(&MigrateOptions::default()).await.unwrap();
    assert!(script.contains("as $$ select 'a;b'; $$;"), "{script}");
    done(migrate(&home.migrator()).await);
    assert_eq!(home.rows("select one() || two()"), ["a;ba;b$"]);
    home.file(
        "2_b.sql",
        "-- +goose Up\n-- +goose ENVSUB ON\nselect '\\$\\$${WORD:-a longer text}',\n '$$', nothing;\n",
    );
    failed(&migrate(&home.migrator()).await, 3, &["nothing", "2_b.sql:4:8"]);
}

#[tokio::test]
async fn variables_say_what_they_need() {
    let home = sqlite();
    home.file(
        "1_a.sql",
        "-- +goose Up\n-- +goose ENVSUB ON\nselect 1;\nselect '${REGION?set it to eu or us}',\n  '${OTHER:?}';\n",
    );
    let other = "the variable OTHER has no value that fits: not set";
    let region = "the variable REGION has no value that fits: set it to eu or us";
    failed(&migrate(&home.migrator()).await, 2, &["LIM-R012", "1_a.sql:4:9", region, "1_a.sql:5:4", other]);
    home.file("1_a.sql", "-- +goose Up\n-- +goose ENVSUB ON\ncreate table ${TOKEN:0:4} (n int);\n");
    let secret = home.with(|it| {
        it.values.all.insert("TOKEN".to_owned(), "hunter2".to_owned());
        it.values.secret.insert("TOKEN".to_owned());
    });
    failed(&migrate(&secret).await, 2, &["LIM-F056", "1_a.sql:3:14", "a part of the secret TOKEN"]);
    // What the server refuses is told where it stands in the file.
    home.file(
        "1_a.sql",
        "-- +goose Up\n-- +goose ENVSUB ON\nselect '${A:-a longer text}', '$$$$$$',\n  ${A:-1}, nothing;\n",
    );
    failed(&migrate(&home.migrator()).await, 3, &["nothing", "1_a.sql:4:12"]);
}

#[tokio::test]
async fn the_plan_and_a_script_show_what_leads_up() {
    let home = postgres();
    goose(&home);
    let script = home.migrator().plan_script(&MigrateOptions::default()).await.unwrap();
    assert!(script.contains("create table users") && script.contains("values (2, 'x')"), "{script}");
    assert!(!script.lines().any(|line| line.starts_with("drop table users")), "{script}");
}

#[test]
fn new_migrations_have_both_sections() {
    for (format, layout, name, up, down) in [
        ("goose", Layout::Goose, "00001_add_orders.sql", "-- +goose Up\n", "\n-- +goose Down\n"),
        ("dbmate", Layout::Dbmate, "19700101000000_add_orders.sql", "-- migrate:up\n", "\n-- migrate:down\n"),
        (
            "sql_migrate",
            Layout::SqlMigrate,
            "19700101000000-add_orders.sql",
            "-- +migrate Up\n",
            "\n-- +migrate Down\n",
        ),
        ("node_pg_migrate", Layout::NodePgMigrate, "0_add_orders.sql", "-- Up Migration\n", "\n-- Down Migration\n"),
    ] {
        let home = sqlite();
        let migrator = home.with(|it| it.layout = LayoutChoice::Given(layout));
        let new = |kind| migrator.new_migration("add orders", kind, Numbering::Auto, Duration::ZERO);
        let answer = new(NewKind::Versioned).unwrap();
        assert!(answer.done[0].ends_with(name), "{format}: {:?}", answer.done);
        let text = std::fs::read_to_string(&answer.done[0]).unwrap();
        assert!(text.starts_with(up) && text.contains(down) && !text.contains("limosa:rollback"), "{text}");
        let refused = new(NewKind::Repeatable).unwrap_err();
        assert!(refused.to_string().contains("have no repeatable migrations"), "{refused}");
    }
}

#[tokio::test]
async fn carriage_returns_do_not_reach_the_server_where_the_tool_joins_lines() {
    for (up, down, joins) in [
        ("-- +goose Up", "-- +goose Down", true),
        ("-- +migrate Up", "-- +migrate Down", true),
        ("-- migrate:up", "-- migrate:down", false),
    ] {
        for home in all_homes() {
            let insert = "insert into t values ('a\r\nb\rc');\r\n";
            home.file("1_a.sql", &format!("{up}\r\ncreate table t (n varchar(40));\r\n{insert}{down}\r\n{insert}"));
            done(home.migrate().await);
            let hex = if !home.is_sqlite() && !home.is_mysql() { "encode(n::bytea, 'hex')" } else { "lower(hex(n))" };
            let wanted = if joins { "610a620d63" } else { "610d0a620d63" };
            assert_eq!(home.rows(&format!("select {hex} from t")), [wanted], "{up}");
            done(back(&home.migrator(), Selection::One(id("1")), Some(&home.database())).await);
            assert_eq!(home.rows(&format!("select {hex} from t")), [wanted; 2], "{down}");
        }
    }
    let home = postgres();
    let body = "$$\r\nbegin\r\n  return 1;\r\nend\r\n$$";
    home.file(
        "1_f.sql",
        &format!(
            "-- +goose Up\r\n-- +goose StatementBegin\r\ncreate function f() returns int language plpgsql as {body};\r\n\
             -- +goose StatementEnd\r\n"
        ),
    );
    done(home.migrate().await);
    assert_eq!(home.rows("select position(e'\\r' in prosrc) from pg_proc where proname = 'f'"), ["0"]);
}
