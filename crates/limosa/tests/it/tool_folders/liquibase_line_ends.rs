//! Ends of lines: Liquibase 4.33 sends LF where a file has CRLF, in strings and in bodies of functions as well.

use crate::answers::done;
use crate::place::{all_homes, newest_postgres};

#[tokio::test]
async fn crlf_reaches_the_server_as_lf() {
    for home in all_homes() {
        home.file("changelog.yaml", "databaseChangeLog:\r\n- include: {file: a.sql}\r\n- include: {file: raw.sql}\r\n- changeSet: {id: 1, author: a, changes: [{sqlFile: {path: f.sql}}]}\r\n");
        let insert = |word: &str| format!("insert into t values ('{word}\r\nb');\r\n");
        home.file(
            "a.sql",
            &format!(
                "--liquibase formatted sql\r\n--changeset a:1\r\ncreate table t (a varchar(40));\r\n{}",
                insert("one")
            ),
        );
        home.file("raw.sql", &insert("raw"));
        home.file("f.sql", &insert("file"));
        done(home.migrate().await);
        assert_eq!(home.rows("select count(*) from t where a in ('one\nb', 'raw\nb', 'file\nb')"), ["3"]);
    }
    let home = newest_postgres();
    home.file(
        "a.sql",
        "--liquibase formatted sql\r\n--changeset a:1 splitStatements:false\r\ncreate function f() returns int language plpgsql as $$\r\nbegin\r\n  return 1;\r\nend $$;\r\n",
    );
    done(home.migrate().await);
    assert_eq!(
        home.rows("select position(e'\\r' in prosrc), length(prosrc) > 0 from pg_proc where proname = 'f'"),
        ["0|t"]
    );
}
