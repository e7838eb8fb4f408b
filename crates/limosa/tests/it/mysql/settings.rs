//! Settings that a file changes: the ledger is written rightly while they hold, and they never reach the next file.

use limosa_testkit::mysql;

use super::{home, home_on, shared};
use crate::place::{Home, error_text};
use crate::running::{exit, well};

/// What a session tells of itself, into a table of the file's own.
fn tell(number: usize) -> String {
    let variables = match mysql::newest().unwrap().is_mariadb() {
        true => {
            "variable_name as name, session_value as value from information_schema.system_variables \
             where session_value is not null"
        }
        false => "variable_name as name, variable_value as value from performance_schema.session_variables where true",
    };
    format!(
        "create table told_{number} as select {variables} and variable_name not in ('timestamp', 'rand_seed1', 'rand_seed2', \
         'pseudo_thread_id', 'identity', 'last_insert_id', 'error_count', 'warning_count', 'last_gtid', 'in_transaction') \
         union all select '@mine', @mine union all select 'database', database();\n"
    )
}

/// What one file sets, in DDL and in rows.
const SETTINGS: &[&str] = &[
    "set sql_mode = ''",
    "set sql_mode = 'ANSI,NO_BACKSLASH_ESCAPES'",
    "set session sql_mode = 'ORACLE'",
    "set foreign_key_checks = 0, unique_checks = 0, sql_notes = 0",
    "set names latin1",
    "set names utf8mb3 collate utf8mb3_bin",
    "set character set latin1",
    "set character_set_results = null",
    "set time_zone = '+09:00'",
    "set timestamp = 1000000000",
    "set session transaction read only",
    "set session transaction isolation level serializable",
    "set sql_select_limit = 0",
    "select 'yours' into @mine",
    "select @mine := 'yours'",
    "create temporary table told_1 (name int, value int)",
    "set session transaction read only, isolation level serializable",
    "set sql_select_limit = 1",
    "set autocommit = 0",
    "set @mine = 'yours'",
    "use {other}",
    "set sql_safe_updates = 1",
    "set sql_auto_is_null = 1",
    "set max_statement_time = 100",
    "set completion_type = 1",
    "set completion_type = 2",
    "set group_concat_max_len = 4",
    "set sql_big_selects = 0, max_join_size = 1",
    "set insert_id = 77",
    "set lock_wait_timeout = 3",
    "set innodb_lock_wait_timeout = 4",
    "set default_storage_engine = MyISAM",
    "set sql_quote_show_create = 0",
    "set collation_connection = utf8mb4_bin",
    "set div_precision_increment = 0",
    "set old_mode = ''",
    "set lc_time_names = 'de_DE'",
    "set low_priority_updates = 1",
    "set tmp_table_size = 1024, max_heap_table_size = 16384",
    "set optimizer_switch = 'index_merge=off'",
    "set character_set_client = latin1, character_set_connection = latin1",
    "set character_set_database = latin1",
    "set max_sort_length = 8",
    "set sql_warnings = 1",
];

/// Rows that each file changes: the text is what a file of its own can say in plain letters.
fn rows(home: &Home, number: usize) -> String {
    format!("insert into {0}.kept values ({number}, 'row {number}');\n", home.mysql().name())
}

async fn differences(setting: &str, with_ddl: bool) -> Result<(), String> {
    let home = home();
    let other = format!("{}_other", home.mysql().name());
    home.execute(&format!("create database {other}"));
    home.file("001_kept.sql", "create table kept (n int primary key, text varchar(40));\n");
    home.file("002_before.sql", &tell(1));
    let setting = setting.replace("{other}", &other);
    let ddl = if with_ddl { "create table made_here (n int);\ninsert into made_here values (1), (2);\n" } else { "" };
    home.file(
        "003_setting.sql",
        &format!("-- Größe 🐦\n{}{setting};\n{ddl}{}{}", rows(&home, 1), rows(&home, 2), rows(&home, 3)),
    );
    home.file("004_after.sql", &tell(2));
    home.file("005_rows.sql", &format!("{}insert into kept values (5, 'Größe 🐦');\n", rows(&home, 4)));
    let result = home.migrate().await;
    if exit(&result) != 0 {
        return Err(format!("exit {}: {}", exit(&result), error_text(&result)));
    }
    let leaked = home.rows(
        "select concat(name, ': ', one.value, ' became ', two.value) from told_1 one join told_2 two using (name) \
         where not (one.value <=> two.value)",
    );
    if !leaked.is_empty() {
        return Err(format!("it leaks: {leaked:?}"));
    }
    let kept = home.rows("select n, text from kept order by n");
    if kept != ["1|row 1", "2|row 2", "3|row 3", "4|row 4", "5|Größe 🐦"] {
        return Err(format!("rows: {kept:?}"));
    }
    if home.ledger() != ["1|applied", "2|applied", "3|applied", "4|applied", "5|applied"] {
        return Err(format!("ledger: {:?}", home.ledger()));
    }
    home.assert_sound().await;
    if home.migrator().validate().await.map_err(|failure| format!("{failure:?}"))?.exit_code != 0 {
        return Err("validate".to_owned());
    }
    Ok(())
}

async fn all(with_ddl: bool, but: &[&str]) {
    let mut wrong = Vec::new();
    for setting in SETTINGS.iter().filter(|setting| !but.contains(setting)) {
        if let Err(what) = differences(setting, with_ddl).await {
            wrong.push(format!("{setting}: {what}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n\n"));
}

#[tokio::test]
async fn a_file_of_rows_keeps_its_settings_for_itself() {
    all(false, &[]).await;
}

#[tokio::test]
async fn a_file_of_ddl_and_rows_keeps_its_settings_for_itself() {
    all(true, &[]).await;
}

#[tokio::test]
async fn what_a_file_leaves_in_the_session_is_gone_behind_it() {
    let home = home_on(shared());
    home.file(
        "001_leaves.sql",
        "create table t (id int primary key auto_increment, n int);\n\
         create temporary table passing (n int);\n\
         insert into passing values (1);\n\
         prepare once from 'select 1';\n\
         insert into t (n) values (5);\n\
         set @kept = 9;\n\
         handler t open;\n",
    );
    home.file("002_finds_none.sql", "create table passing (n int);\ncreate table seen as select @kept as kept;\n");
    well(&home.migrate().await);
    assert_eq!(home.rows("select kept from seen"), ["-"]);
    assert_eq!(home.tables(), ["passing", "seen", "t"]);
    home.assert_sound().await;
}
