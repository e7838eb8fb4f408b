//! Changes of Liquibase's whose statements end with something else than `;`.

use limosa::Selection;

use crate::answers::{back, done, failed, id, labels};
use crate::place::{all_homes, newest_postgres};

#[tokio::test]
async fn statements_end_with_what_the_change_says() {
    for home in all_homes() {
        // Something with semicolons within.
        let body = match (home.is_mysql(), home.is_sqlite()) {
            (true, _) => {
                "create trigger r before insert on t for each row begin set new.n = new.n + 1; set @x = 1; end;\n//"
            }
            (_, true) => {
                "create trigger r after insert on t begin update t set n = n + 1 where s = new.s; select 1; end;\n//"
            }
            _ => {
                "create function f() returns trigger language plpgsql as '\nbegin new.n := new.n + 1; return new; end;'\n//\n\
                 create trigger r before insert on t for each row execute procedure f()\n//"
            }
        };
        home.file(
            "a.sql",
            &format!(
                "--liquibase formatted sql\n--changeset a:1 endDelimiter:// rollbackEndDelimiter:\\nGO\n\
                 create table t (n integer, s varchar(40))\n//\n{body}\n\
                 --rollback drop table t\n--rollback GO\n\
                 --changeset a:2 endDelimiter:\\nGO\ninsert into t values (1, 'a // b; GO') -- GO\nGO\ninsert into t values (4 / 2, 'go')\ngo\n\
                 --changeset a:3 endDelimiter:/\ninsert into t values (8 / 2,\n'\n/\n')\n/\n--changeset a:4\ninsert into t values (6, 'x'); insert into t values (7, 'y');\n"
            ),
        );
        assert_eq!(labels(&done(home.migrate().await)), ["0001", "0002", "0003", "0004"]);
        let rows: Vec<i64> =
            home.rows("select n from t order by n").iter().map(|n| n.parse::<f64>().unwrap() as i64).collect();
        assert_eq!(rows, [2, 3, 5, 7, 8]);
        assert_eq!(home.rows("select s from t order by n")[..2], ["a // b; GO", "go"]);
        let consent = home.database();
        done(back(&home.migrator(), Selection::One(id("a.sql::1::a")), Some(&consent)).await);
        assert!(!home.tables().contains(&"t".to_owned()));
    }
}

#[tokio::test]
async fn errors_keep_their_place_and_a_run_goes_on_behind_a_delimiter() {
    let home = newest_postgres();
    let text = "--liquibase formatted sql\n--changeset a:1 endDelimiter:/ runInTransaction:false\ncreate table t (n int)\n/\n\
                create index concurrently on t (n)\n/\ninsert into t\nvalues (nothing)\n/\n";
    home.file("a.sql", text);
    failed(&home.migrate().await, 3, &["a.sql:8:"]);
    home.file("a.sql", &text.replace("nothing", "7"));
    done(home.migrate().await);
    assert_eq!(home.rows("select n from t"), ["7"]);
}

#[tokio::test]
async fn lines_end_statements_where_nothing_is_said_and_expressions_do() {
    for home in all_homes() {
        home.file(
            "a.sql",
            "--liquibase formatted sql\n--changeset a:1\ncreate table t (n integer, s varchar(40))\nGO\n\
             insert into t values (1, 'x\nGO\n')\n/\n-- two\ngo\ninsert into t values (2, 'y')\r\nGO\r\n\
             --rollback drop table t\n--rollback GO\n\
             --changeset a:2 endDelimiter:\\n(GO|/)\ninsert into t values (6 / 2, 'a GO')\nGO\ninsert into t values (4, 'b')\n/\n\
             --changeset a:3 splitStatements:false\ninsert into t values (10\n/ 2, 'c')\n\
             --changeset a:4 endDelimiter:;|GO\ninsert into t values (6, 'd'); insert into t values (7, 'e')\n",
        );
        assert_eq!(labels(&done(home.migrate().await)), ["0001", "0002", "0003", "0004"]);
        let rows: Vec<i64> =
            home.rows("select n from t order by n").iter().map(|n| n.parse::<f64>().unwrap() as i64).collect();
        assert_eq!(rows, [1, 2, 3, 4, 5, 6, 7]);
        let consent = home.database();
        done(back(&home.migrator(), Selection::One(id("a.sql::1::a")), Some(&consent)).await);
        assert!(!home.tables().contains(&"t".to_owned()));
    }
}
