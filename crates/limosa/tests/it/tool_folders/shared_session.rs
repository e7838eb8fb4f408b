//! What a file sets for its session: the files behind it see it where their tool lets it reach them, in the same run and no further.

use limosa::Selection;

use crate::answers::{done, said};
use crate::place::{Home, mysql_homes, newest_postgres, sqlite};
use crate::pooler::{bouncer, pooled};

/// A file of a folder of golang-migrate's.
fn up(home: &Home, number: u8, sql: &str) {
    home.file(&format!("{number}_m.up.sql"), sql);
}

fn down(home: &Home, number: u8, sql: &str) {
    home.file(&format!("{number}_m.down.sql"), sql);
}

/// What a session on PostgreSQL shows of itself.
const SEEN: &str = "select current_setting('search_path') as path, current_setting('default_statistics_target') as target, \
    current_setting('statement_timeout') as patience, current_user::text as who";

const FRESH: &str = "\"$user\", public|100|0|postgres";

async fn settles(home: &Home) {
    home.file("9_end.up.sql", &format!("create table public.seen9 as {SEEN};"));
    done(home.migrate().await);
    assert_eq!(home.rows("select * from seen9"), [FRESH], "it ended with the run");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_reaches_all_files_behind_it_on_postgresql() {
    let home = newest_postgres();
    up(&home, 1, &format!("create table public.seen1 as {SEEN};"));
    up(
        &home,
        2,
        "create schema other; set search_path = other, public; set default_statistics_target = 77; set statement_timeout = '77s';",
    );
    // Sent ahead of the answers of those before them.
    for number in 3..=5 {
        up(&home, number, &format!("create table t{number} (n int); create table public.seen{number} as {SEEN};"));
    }
    // In pieces, and behind them in one transaction again.
    up(&home, 6, &format!("create index concurrently i on t3 (n); create table public.seen6 as {SEEN};"));
    up(&home, 7, &format!("reset default_statistics_target; create table public.seen7 as {SEEN};"));
    down(&home, 9, "drop table seen9;");
    down(&home, 7, "set search_path = other;");
    down(&home, 6, "drop index i;");
    done(home.migrate().await);
    assert_eq!(home.rows("select * from seen1"), [FRESH]);
    for number in [3, 4, 5, 6] {
        assert_eq!(home.rows(&format!("select * from seen{number}")), ["other, public|77|0|postgres"], "{number}");
    }
    assert_eq!(home.rows("select * from seen7"), ["other, public|100|0|postgres"]);
    assert_eq!(home.rows("select schemaname::text from pg_tables where tablename like 't_' order by 1"), ["other"; 3]);
    settles(&home).await;
    // The way back is a run as well.
    done(home.rollback(Selection::Steps(3)).await);
    assert_eq!(home.rows("select indexname::text from pg_indexes where indexname = 'i'"), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_reaches_them_and_the_ledger_is_still_ours() {
    let home = newest_postgres();
    let role = format!("{}_owner", home.database());
    up(&home, 1, &format!("create role {role}; grant create on schema public to {role}; set role {role};"));
    up(&home, 2, &format!("create table seen2 as {SEEN};"));
    up(&home, 3, &format!("create table seen3 as {SEEN};"));
    up(&home, 4, "create index concurrently i on seen3 (path);");
    up(&home, 5, "select 1 / 0;");
    let (code, words) = said(&home.migrate().await);
    assert!(code == 3 && words.contains("division by zero"), "{code} {words}");
    for number in [2, 3] {
        let seen = format!("\"$user\", public|100|0|{role}");
        assert_eq!(home.rows(&format!("select * from seen{number}")), [seen]);
    }
    assert_eq!(home.ledger(), ["1|applied", "2|applied", "3|applied", "4|applied"]);
    assert_eq!(home.rows("select outcome from limosa.audit_log where identity = '5'"), ["failed"]);
    up(&home, 5, "select 1;");
    settles(&home).await;
    home.execute(&format!("drop table seen2, seen3; drop owned by {role}; drop role {role}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_reaches_them_on_mariadb_and_mysql() {
    for home in mysql_homes() {
        let seen =
            "select @@foreign_key_checks as keys_checked, @@sql_mode like '%ANSI_QUOTES%' as ansi, @mine as mine";
        up(
            &home,
            1,
            "set foreign_key_checks = 0, @mine = 7; set session sql_mode = 'ANSI_QUOTES'; set lock_wait_timeout = 77;",
        );
        up(
            &home,
            2,
            &format!("create table child (n int, foreign key (n) references later (n)); create table seen2 as {seen};"),
        );
        up(&home, 3, "create table later (n int primary key); insert into later values (1);");
        // In one transaction with its row in the ledger.
        up(&home, 4, "insert into child values (2);");
        up(&home, 5, "update child set n = 3; set foreign_key_checks = 1; update child set n = 1;");
        up(&home, 6, &format!("create table seen6 as {seen}, @@lock_wait_timeout as patience;"));
        done(home.migrate().await);
        assert_eq!(home.rows("select * from seen2"), ["0|1|7"]);
        let patience = home.configuration().limits.lock_timeout_ms.div_ceil(1000);
        assert_eq!(home.rows("select * from seen6"), [format!("1|1|7|{patience}")]);
        up(&home, 7, &format!("create table seen7 as {seen};"));
        done(home.migrate().await);
        assert_eq!(home.rows("select * from seen7"), ["1|0|-"], "it ended with the run");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_reaches_them_on_sqlite() {
    let home = sqlite();
    let seen = "select (select recursive_triggers from pragma_recursive_triggers) as recursive, \
        (select foreign_keys from pragma_foreign_keys) as foreign_keys";
    up(&home, 1, "pragma recursive_triggers = on; pragma foreign_keys = on; create table a (n integer);");
    up(&home, 2, &format!("create table seen2 as {seen};"));
    up(&home, 3, &format!("create table seen3 as {seen};"));
    done(home.migrate().await);
    // Within the transaction of a tool a pragma does not switch foreign keys.
    for number in [2, 3] {
        assert_eq!(home.rows(&format!("select * from seen{number}")), ["1|0"]);
    }
    up(&home, 4, &format!("create table seen4 as {seen};"));
    done(home.migrate().await);
    assert_eq!(home.rows("select * from seen4"), ["0|0"], "it ended with the run");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_block_sets_reaches_them_as_well() {
    let home = newest_postgres();
    up(&home, 1, "create schema other; do $$ begin perform set_config('search_path', 'other, public', false); end $$;");
    for number in 2..=4 {
        up(&home, number, &format!("create table t{number} (n int);"));
    }
    done(home.migrate().await);
    assert_eq!(home.rows("select schemaname::text from pg_tables where tablename like 't_'"), ["other"; 3]);
    settles(&home).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_set_for_a_transaction_ends_with_the_file() {
    for single_transaction in [false, true] {
        let home = newest_postgres();
        up(&home, 1, "create schema other; set local search_path = other; create table a (n int);");
        up(&home, 2, "create table b (n int);");
        let mut configuration = home.configuration();
        configuration.single_transaction = single_transaction;
        done(crate::answers::migrate(&limosa::Migrator::new(configuration)).await);
        let placed = "select schemaname::text from pg_tables where tablename in ('a', 'b') order by tablename";
        assert_eq!(home.rows(placed), ["other", "public"], "{single_transaction}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_does_not_go_on_without_what_its_first_half_had() {
    let other = "set search_path = other, public;";
    let postgres = (
        newest_postgres(),
        format!("create schema other; {other}"),
        "create index concurrently i on public.x (n);",
        other,
        "search_path",
    );
    let variable = "set @mine = 7;";
    let mysql = mysql_homes().into_iter().map(|home| (home, variable.to_owned(), "", variable, "@mine"));
    for (home, sets, alone, again, name) in mysql.chain([postgres]) {
        up(&home, 1, "create table x (n int);");
        up(&home, 2, &sets);
        let file = |anew: &str, third: &str| {
            format!("create table b (n int); {alone} {anew} create table c (n int); {third} create table d (n int);")
        };
        up(&home, 3, &file("", "insert into nowhere values (1);"));
        assert_eq!(said(&home.migrate().await).0, 3);
        // Too late in the second.
        for third in ["select 1;", if home.is_mysql() { "select 1;" } else { again }] {
            up(&home, 3, &file("", third));
            let (code, words) = said(&home.migrate().await);
            assert!(code == 4 && words.contains("LIM-P031") && words.contains(name), "{code} {words}");
        }
        // PostgreSQL has taken back what stood in one transaction with the statement that failed.
        up(&home, 3, &if home.is_mysql() { file("", again) } else { file(again, "select 1;") });
        done(home.migrate().await);
        if !home.is_mysql() {
            let placed = "select schemaname::text from pg_tables where tablename in ('b', 'c', 'd')";
            assert_eq!(home.rows(placed), ["other"; 3]);
        }
        assert_eq!(home.ledger(), ["1|applied", "2|applied", "3|applied"]);
    }
}

#[tokio::test]
async fn liquibase_lets_all_of_it_reach_those_behind_below_its_schema() {
    let home = newest_postgres();
    let seen = "(select current_setting('search_path') as path, current_setting('timezone') as zone)";
    home.file(
        "a.sql",
        &format!(
            "--liquibase formatted sql\n--changeset a:1\ncreate schema other;\nset search_path = other;\nset timezone = 'Asia/Tokyo';\n\
             --changeset a:2\ncreate table seen2 as {seen};\n--changeset a:3\ncreate table seen3 as {seen};\n\
             --changeset a:4 runInTransaction:false\ncreate index concurrently i on seen3 (path);\ncreate table seen4 as {seen};\n"
        ),
    );
    done(home.migrate().await);
    for number in 2..=4 {
        assert_eq!(home.rows(&format!("select * from public.seen{number}")), ["public, other|Asia/Tokyo"], "{number}");
    }
}

#[tokio::test]
async fn it_ends_with_the_file_elsewhere() {
    let home = newest_postgres();
    home.file("1_a.sql", "create schema other; set search_path = other;");
    home.file("2_b.sql", "create table b (n integer);");
    done(home.migrate().await);
    assert_eq!(home.rows("select schemaname::text from pg_tables where tablename = 'b'"), ["public"]);
    for home in mysql_homes() {
        home.file("1_a.sql", "set @mine = 7;");
        home.file("2_b.sql", "set @mine = 8;");
        home.file("3_c.sql", "create table seen as select @mine as mine;");
        done(home.migrate().await);
        assert_eq!(home.rows("select * from seen"), ["-"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_a_pooler_it_cannot_and_that_is_said() {
    let home = newest_postgres();
    let bouncer = bouncer(&home, "2");
    up(&home, 1, "create schema other; set search_path = other; set statement_timeout = 77;");
    up(&home, 2, "create table b (n integer);");
    let migrator = limosa::Migrator::new(pooled(&home, &bouncer));
    let answer = done(crate::answers::migrate(&migrator).await);
    assert_eq!(home.rows("select schemaname::text from pg_tables where tablename = 'b'"), ["public"]);
    let told: Vec<_> = answer.notices.iter().filter(|notice| notice.code == "LIM-P030").collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0]
            .message
            .ends_with("1_m.up.sql sets search_path for its session, which ends with the file behind a pooler"),
        "{told:?}"
    );
}
