//! Which statements commit together, and what a file may not leave behind.

use limosa::{MigrateOptions, RollbackOptions, Selection, State, StatusOptions};

use crate::place::{Home, newest_postgres};
use crate::running::{exit, postgres_homes, says, well};

async fn atomic(home: &Home) -> Vec<bool> {
    let plan = home.migrator().plan(&MigrateOptions::default()).await.expect("a plan");
    plan.steps.iter().map(|step| step.atomic).collect()
}

#[tokio::test]
async fn an_enum_value_stays_in_the_transaction_unless_it_is_used_there() {
    for home in postgres_homes() {
        home.file("0001_type.sql", "create type mood as enum ('sad'); create table person (name text, mood mood);");
        home.file("0002_add.sql", "alter type mood add value 'calm'; create table other (n int);");
        assert_eq!(atomic(&home).await, [true, true]);
        well(&home.migrate().await);

        home.file(
            "0003_add_and_use.sql",
            "alter type mood add value 'happy';\ninsert into person values ('Ann', 'happy');\ninsert into person values ('Bob', 'happy');",
        );
        assert_eq!(atomic(&home).await, [false]);
        let answer = home.migrate().await;
        let answer = well(&answer);
        assert_eq!((answer.steps[0].statements_done, answer.steps[0].state), (3, "done"));
        assert_eq!(home.rows("select name from person where mood = 'happy' order by 1"), ["Ann", "Bob"]);
        assert_eq!(home.value("select count(*) from limosa.journal"), "0");
    }
}

#[tokio::test]
async fn a_split_file_that_fails_goes_on_behind_its_first_commit() {
    let home = newest_postgres();
    home.file(
        "0001_type.sql",
        "create type mood as enum ('sad'); create table person (name text primary key, mood mood);",
    );
    well(&home.migrate().await);
    home.file(
        "0002_use.sql",
        "alter type mood add value 'happy';\ninsert into person values ('Ann', 'happy'), ('Ann', 'happy');\n",
    );
    let result = home.migrate().await;
    assert_eq!(exit(&result), 3);
    says(&result, &["23505", "0002_use.sql:2:1", "statements 1 to 1 of 2 are committed and recorded"]);
    assert_eq!(result.as_ref().unwrap().steps[0].state, "partial");
    assert_eq!(home.ledger(), ["1|applied", "2|partial"]);

    home.file(
        "0002_use.sql",
        "alter type mood add value 'happy';\ninsert into person values ('Ann', 'happy'), ('Bob', 'happy');\n",
    );
    well(&home.migrate().await);
    assert_eq!(home.ledger(), ["1|applied", "2|applied"]);
    assert_eq!(home.value("select count(*) from person"), "2");
}

/// PostgreSQL before 17 does not let them be used in the transaction that adds them either.
#[tokio::test]
async fn values_added_to_a_type_of_the_same_file_split_it_too() {
    for home in postgres_homes() {
        let body = "create type mood as enum ('sad');\nalter type mood add value 'happy';\n\
                    create table person (mood mood default 'happy');\ninsert into person values ('happy');\n";
        home.file("0001_all.sql", body);
        home.file(
            "0002_whole.sql",
            "create type size as enum ('small', 'large'); create table shirt (size size default 'large');",
        );
        assert_eq!(atomic(&home).await, [false, true]);
        well(&home.migrate().await);
        assert_eq!(home.value("select mood::text from person"), "happy");
    }
}

/// True where the table and its ledger row were written by one transaction.
fn one_transaction(home: &Home, table: &str, identity: &str) -> bool {
    home.value(&format!(
        "select (select xmin::text from {table} limit 1) = \
         (select xmin::text from limosa.schema_migrations where identity = '{identity}')"
    )) == "t"
}

#[tokio::test]
async fn a_file_in_begin_and_commit_runs_in_our_transaction() {
    for home in postgres_homes() {
        home.file("0001_plain.sql", "BEGIN;\ncreate table a (how text);\ninsert into a values (current_setting('transaction_isolation'));\nCOMMIT;\n");
        home.file(
            "0002_options.sql",
            "-- all or nothing\nSTART TRANSACTION /* as strict as can be */ ISOLATION LEVEL SERIALIZABLE, READ WRITE;\ncreate table b (how text);\n\
             insert into b values (current_setting('transaction_isolation'));\nEND;\n",
        );
        home.file(
            "0003_set_first.sql",
            "set transaction isolation level repeatable read;\ncreate table c (how text);\n\
             insert into c values (current_setting('transaction_isolation'));\n",
        );
        home.file(
            "0004_begin_then_set.sql",
            "begin;\nset transaction isolation level repeatable read;\nset transaction not deferrable;\ncreate table d (how text);\n\
             insert into d values (current_setting('transaction_isolation'));\ncommit;\n",
        );
        assert_eq!(atomic(&home).await, [true; 4]);
        well(&home.migrate().await);
        for (number, table, how) in [
            (1, "a", "read committed"),
            (2, "b", "serializable"),
            (3, "c", "repeatable read"),
            (4, "d", "repeatable read"),
        ] {
            assert_eq!(home.value(&format!("select how from {table}")), how);
            assert!(one_transaction(&home, table, &number.to_string()), "{table}");
        }
    }
}

#[tokio::test]
async fn a_wrapped_file_that_fails_leaves_nothing() {
    let home = newest_postgres();
    home.file("0001_wrapped.sql", "begin;\ncreate table a (n int);\nselect 1/0;\ncommit;\n");
    let result = home.migrate().await;
    says(&result, &["division by zero", "0001_wrapped.sql:3:1", "statement 3 of 4"]);
    assert_eq!(home.tables(), Vec::<String>::new());
    assert_eq!(home.ledger(), Vec::<String>::new());
}

#[tokio::test]
async fn other_transaction_control_is_journalled_as_not_atomic() {
    for home in postgres_homes() {
        let first = "create table log (n int);\nbegin;\ninsert into log values (1);\ncommit;\n\
                     begin isolation level serializable;\ninsert into log values (2);\nrollback;\n";
        home.file(
            "0001_blocks.sql",
            &format!("{first}begin;\ninsert into log values (3);\nselect 1/0;\ncommit;\ninsert into log values (4);"),
        );
        let plan = home.migrator().plan(&MigrateOptions::default()).await.expect("a plan");
        assert!(!plan.steps[0].atomic);
        let result = home.migrate().await;
        assert_eq!(exit(&result), 3);
        says(&result, &["division by zero", "0001_blocks.sql:10:1"]);
        assert_eq!(home.rows("select n from log order by n"), ["1"]);
        assert_eq!(home.ledger(), ["1|partial"]);
        let status = home.migrator().status(StatusOptions::default()).await.unwrap();
        assert_eq!(status.changes[0].state, State::Partial);

        home.file(
            "0001_blocks.sql",
            &format!("{first}begin;\ninsert into log values (3);\ncommit;\ninsert into log values (4);"),
        );
        well(&home.migrate().await);
        assert_eq!(home.rows("select n from log order by n"), ["1", "3", "4"]);
        assert_eq!(home.ledger(), ["1|applied"]);
        assert_eq!(home.value("select count(*) from limosa.journal"), "0");
    }
}

#[tokio::test]
async fn a_file_that_leaves_a_transaction_open_is_refused() {
    for (text, words) in [
        ("create table a (n int);\nbegin;\ncreate table b (n int);\n", "still open at the end of the file"),
        ("create table a (n int);\ncommit;\n", "COMMIT ends a transaction that this file did not begin"),
        ("begin;\ncreate table a (n int);\nbegin;\ncommit;\ncommit;", "BEGIN inside a transaction"),
        ("begin;\ncreate table a (n int);\ncommit and chain;\n", "COMMIT AND CHAIN leaves a transaction behind"),
        ("create table a (n int);\nprepare transaction 'x';\n", "PREPARE TRANSACTION leaves a transaction behind"),
        ("begin;\nvacuum;\ncommit;", "VACUUM cannot run inside a transaction"),
    ] {
        let home = newest_postgres();
        home.file("0001_open.sql", text);
        let result = home.migrate().await;
        assert_eq!(exit(&result), 2, "{text}");
        says(&result, &[words, "0001_open.sql:"]);
        assert_eq!(home.tables(), Vec::<String>::new());
    }
}

const COMMITTING: &str = "create table log (n int);\n\
    create procedure halves() language plpgsql as $$ begin insert into log values (1); commit; insert into log values (2); end $$;\n";

#[tokio::test]
async fn a_hidden_commit_is_an_error_with_a_hint_in_a_transaction_and_runs_outside_of_one() {
    for home in postgres_homes() {
        home.file("0001_procedure.sql", COMMITTING);
        well(&home.migrate().await);
        home.file("0002_call.sql", "call halves();");
        let result = home.migrate().await;
        assert_eq!(exit(&result), 3);
        says(&result, &["2D000", "Transaction: none", "0002_call.sql:1:1"]);
        assert_eq!(home.value("select count(*) from log"), "0");
        assert_eq!(home.ledger(), ["1|applied"]);
        home.file(
            "0002_call.sql",
            "-- Transaction: none\ncall halves();\ndo $$ begin insert into log values (3); commit; end $$;",
        );
        well(&home.migrate().await);
        assert_eq!(home.rows("select n from log order by n"), ["1", "2", "3"]);
        assert_eq!(home.ledger(), ["1|applied", "2|applied"]);
    }
}

#[tokio::test]
async fn a_block_that_commits_runs_outside_of_a_transaction() {
    for home in postgres_homes() {
        let block = "do $$ begin for n in 1..3 loop insert into log values (n); commit; end loop; end $$;\n";
        home.file("0001_block.sql", &format!("create table log (n int);\n{block}insert into log values (4);"));
        well(&home.migrate().await);
        assert_eq!(home.rows("select n from log order by n"), ["1", "2", "3", "4"]);
        assert_eq!(home.ledger(), ["1|applied"]);
        home.file("0002_always.sql", &format!("-- Transaction: always\n{block}"));
        let result = home.migrate().await;
        assert_eq!(exit(&result), 2);
        says(&result, &["DO cannot run inside a transaction", "0002_always.sql:2:1"]);
    }
}

#[tokio::test]
async fn a_procedure_that_golang_migrate_calls_by_itself_may_commit() {
    for home in postgres_homes() {
        home.file("0001_procedure.up.sql", COMMITTING);
        home.file("0001_procedure.down.sql", "drop table log; drop procedure halves;");
        home.file("0002_call.up.sql", "-- In halves.\ncall halves();\n");
        home.file("0002_call.down.sql", "delete from log;");
        well(&home.migrate().await);
        assert_eq!(home.rows("select n from log order by n"), ["1", "2"]);
        assert_eq!(home.ledger(), ["1|applied", "2|applied"]);
    }
}

/// What a session sees of its settings.
const SEEN: &str = "select current_setting('search_path') || ',' || current_user || ',' || session_user || ',' || \
    current_setting('lock_timeout') || ',' || current_setting('standard_conforming_strings') || ',' || \
    current_setting('default_transaction_isolation') || ',' || current_setting('transaction_isolation') || ',' || \
    current_setting('work_mem') || ',' || current_setting('datestyle') || ',' || \
    coalesce(current_setting('my.own', true), '')";

fn leaving(role: &str) -> String {
    format!(
        "create schema elsewhere;\ngrant all on schema elsewhere to {role};\n\
         set search_path = elsewhere;\nset lock_timeout = '7s';\nset work_mem = '9MB';\nset datestyle = 'German';\n\
         set my.own = 'x';\nset session characteristics as transaction isolation level serializable;\n\
         select set_config('extra_float_digits', '0', false);\n\
         set standard_conforming_strings = off;\n\
         set session authorization {role};\ncreate table elsewhere.mine (n text);\n\
         insert into mine values ('it\\'s; a \\'backslash');\n"
    )
}

#[tokio::test]
async fn settings_never_leak_from_one_file_into_the_next() {
    for home in postgres_homes() {
        let role = format!("{}_worker", home.database());
        home.execute(&format!(
            "create role {role}; create table public.seen (number int, how text); grant all on public.seen to {role};"
        ));
        home.file("0001_fresh.sql", &format!("insert into public.seen {};", SEEN.replace("select ", "select 1, ")));
        home.file("0002_leaves.sql", &leaving(&role));
        home.file("0003_after.sql", &format!("insert into public.seen {};", SEEN.replace("select ", "select 3, ")));
        home.file(
            "0004_role.sql",
            &format!("set role {role};\ncreate table elsewhere.his (n int);\nset local search_path = elsewhere;\n"),
        );
        home.file("0005_after.sql", &format!("insert into public.seen {};", SEEN.replace("select ", "select 5, ")));
        well(&home.migrate().await);
        let seen = home.rows("select how from seen order by number");
        assert_eq!(seen[1], seen[0]);
        assert_eq!(seen[2], seen[0]);
        assert_eq!(home.value("select n from elsewhere.mine"), "it's; a 'backslash");
        assert_eq!(
            home.rows("select tableowner::text from pg_tables where schemaname = 'elsewhere'"),
            [role.clone(), role]
        );
        assert_eq!(home.ledger().len(), 5);
    }
}

#[tokio::test]
async fn settings_of_a_file_without_a_transaction_hold_within_it_and_end_with_it() {
    for home in postgres_homes() {
        let role = format!("{}_worker", home.database());
        home.execute(&format!(
            "create role {role}; create table public.seen (number int, how text); grant all on public.seen to {role};"
        ));
        home.file("0001_fresh.sql", &format!("insert into public.seen {};", SEEN.replace("select ", "select 1, ")));
        home.file(
            "0002_leaves.sql",
            &format!("-- Transaction: none\n{}insert into public.seen select 2, current_setting('search_path') || current_user || current_setting('lock_timeout');", leaving(&role)),
        );
        home.file("0003_after.sql", &format!("insert into public.seen {};", SEEN.replace("select ", "select 3, ")));
        well(&home.migrate().await);
        let seen = home.rows("select how from seen order by number");
        assert_eq!(seen[1], format!("elsewhere{role}7s"));
        assert_eq!(seen[2], seen[0]);
        assert_eq!(home.value("select n from elsewhere.mine"), "it's; a 'backslash");
    }
}

#[tokio::test]
async fn settings_are_set_again_when_a_file_goes_on() {
    for home in postgres_homes() {
        let role = format!("{}_worker", home.database());
        home.execute(&format!("create role {role}; create schema elsewhere; grant all on schema elsewhere to {role};"));
        let head = format!(
            "-- Transaction: none\nset search_path = elsewhere;\nset role {role};\nset lock_timeout = '8s';\ncreate table first (n int);\n"
        );
        home.file("0001_on.sql", &format!("{head}insert into first values (1/0);\n"));
        let result = home.migrate().await;
        says(&result, &["division by zero", "statements 1 to 4 of 5"]);
        home.file(
            "0001_on.sql",
            &format!("{head}insert into first values (1);\ncreate table second as select current_setting('lock_timeout') as limits;\n"),
        );
        well(&home.migrate().await);
        assert_eq!(home.value("select limits from elsewhere.second"), "8s");
        assert_eq!(home.value("select tableowner::text from pg_tables where tablename = 'second'"), role);
    }
}

#[tokio::test]
async fn a_deferred_constraint_that_fails_at_the_commit_names_the_file() {
    let home = newest_postgres();
    home.file(
        "0001_tables.sql",
        "create table parent (id int primary key);\n\
         create table child (parent int references parent deferrable initially deferred);\n",
    );
    home.file("0002_orphan.sql", "insert into child values (7);\ncreate table third (n int);\n");
    let result = home.migrate().await;
    assert_eq!(exit(&result), 3);
    says(&result, &["LIM-R009", "0002_orphan.sql", "failed at its commit", "23503", "Key (parent)=(7)"]);
    assert_eq!(home.tables(), ["child", "parent"]);
    assert_eq!(home.ledger(), ["1|applied"]);
}

#[tokio::test]
async fn deferred_triggers_run_with_the_settings_of_their_file() {
    let home = newest_postgres();
    home.file(
        "0001_trigger.sql",
        "create schema app;\nset search_path = app;\ncreate table a (n int);\ncreate table log (who text);\n\
         create function note() returns trigger language plpgsql as $$ begin insert into log values (current_setting('search_path')); return null; end $$;\n\
         create constraint trigger late after insert on a deferrable initially deferred for each row execute function note();\n\
         insert into a values (1);\n",
    );
    well(&home.migrate().await);
    assert_eq!(home.value("select who from app.log"), "app");
}

#[tokio::test]
async fn one_transaction_for_all_is_taken_back_wholly() {
    for home in postgres_homes() {
        home.file("0001_a.sql", "create table a (n int); set search_path = pg_catalog;");
        home.file("0002_b.sql", "begin; create table b (n int); commit;");
        home.file("0003_c.sql", "create table c (n int);\ncreate table c (n int);");
        let mut configuration = home.configuration();
        configuration.single_transaction = true;
        let result = crate::running::Running::migrate(configuration.clone()).end().await;
        assert_eq!(exit(&result), 3);
        says(&result, &["0003_c.sql:2:1", "already exists"]);
        assert_eq!(
            result.as_ref().unwrap().steps.iter().map(|step| step.state).collect::<Vec<_>>(),
            ["rolled_back"; 3]
        );
        assert_eq!(home.tables(), Vec::<String>::new());
        assert_eq!(home.ledger(), Vec::<String>::new());

        home.file("0003_c.sql", "create table c (n int);");
        let result = crate::running::Running::migrate(configuration).end().await;
        well(&result);
        assert_eq!(home.tables(), ["a", "b", "c"]);
        assert_eq!(home.value("select count(distinct xmin::text) from limosa.schema_migrations"), "1");
    }
}

/// Which changes were committed together, in the order of their transactions.
fn transactions(home: &Home) -> Vec<String> {
    home.rows(
        "select string_agg(identity, ' ' order by rank) from limosa.schema_migrations where identity <> '1' \
         group by xmin::text order by min(rank)",
    )
}

#[tokio::test]
async fn one_transaction_for_all_is_split_only_before_the_use_of_a_new_enum_value() {
    for home in postgres_homes() {
        home.file("0001_type.sql", "create type mood as enum ('sad'); create table person (mood mood);");
        well(&home.migrate().await);
        home.file("0002_value.sql", "alter type mood add value 'happy';");
        home.file("0003_no_use.sql", "create table other (n int); insert into person values ('sad'); -- 'happy'");
        home.file("0004_use.sql", "insert into person values ('happy');");
        home.file("0005_use_again.sql", "insert into person values ('happy');");
        home.file("0006_value.sql", "begin; alter type mood add value ${calm:literal}; commit;");
        home.file("0007_no_use.sql", "create table more (n int);");
        home.file("0008_use.sql", "insert into person values ('ca${lm}');");
        let mut configuration = home.configuration();
        configuration.single_transaction = true;
        for (name, value) in [("calm", "calm"), ("lm", "lm")] {
            configuration.values.all.insert(name.to_owned(), value.to_owned());
        }
        let result = crate::running::Running::migrate(configuration).end().await;
        let answer = well(&result);
        assert_eq!(transactions(&home), ["2 3", "4 5 6 7", "8"]);
        let said: Vec<&str> = answer.notices.iter().map(|notice| notice.message.as_str()).collect();
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].contains("split before 0004: it uses the new enum value 'happy'"), "{said:?}");
        assert!(said[1].contains("split before 0008: it uses the new enum value 'calm'"), "{said:?}");
    }
}

#[tokio::test]
async fn ways_back_in_one_transaction_are_split_before_the_use_of_a_new_enum_value_too() {
    let home = newest_postgres();
    home.file("0001_type.sql", "create type mood as enum ('sad'); create table person (mood mood);");
    home.file("0002_a.sql", "create table a (n int);\n-- limosa:rollback\ninsert into person values ('happy');\n");
    home.file("0003_b.sql", "create table b (n int);\n-- limosa:rollback\ndrop table b;\n");
    home.file("0004_c.sql", "select 1;\n-- limosa:rollback\nalter type mood add value 'happy';\n");
    well(&home.migrate().await);
    let mut configuration = home.configuration();
    configuration.single_transaction = true;
    let options = RollbackOptions {
        selection: Selection::Steps(3),
        use_file: false,
        consent: Some(home.database()),
        backup: false,
    };
    let result = crate::running::Running::rollback(configuration, options).end().await;
    let answer = well(&result);
    assert_eq!(home.ledger(), ["1|applied"]);
    assert_eq!(answer.notices.len(), 1, "{:?}", answer.notices);
    assert!(answer.notices[0].message.contains("split before 0002"), "{:?}", answer.notices);
}

#[tokio::test]
async fn statements_without_a_transaction_commit_one_by_one() {
    let home = newest_postgres();
    home.file("0001_none.sql", "-- Transaction: none\ncreate table a (n int primary key);\ninsert into a values (1);\ninsert into a values (1);\ninsert into a values (2);\n");
    let result = home.migrate().await;
    assert_eq!(exit(&result), 3);
    says(&result, &["23505", "0001_none.sql:4:1", "statements 1 to 2 of 4 are committed and recorded"]);
    assert_eq!(home.rows("select n from a"), ["1"]);
    // The server took the failed statement back: nothing is in doubt, and nobody is asked.
    home.file("0001_none.sql", "-- Transaction: none\ncreate table a (n int primary key);\ninsert into a values (1);\ninsert into a values (3);\ninsert into a values (2);\n");
    well(&home.migrate().await);
    assert_eq!(home.rows("select n from a order by 1"), ["1", "2", "3"]);
}

#[tokio::test]
async fn a_file_whose_failed_part_was_taken_out_becomes_atomic_and_settles_its_journal() {
    let home = newest_postgres();
    home.file("0001_table.sql", "create table a (n int); insert into a values (1), (1);");
    home.file("0002_index.sql", "create unique index concurrently a_n on a (n);");
    assert_eq!(exit(&home.migrate().await), 3);
    home.file("0002_index.sql", "create index a_n on a (n);");
    well(&home.migrate().await);
    assert_eq!(
        home.value("select indisvalid and not indisunique from pg_index where indexrelid = 'a_n'::regclass"),
        "t"
    );
    assert_eq!(home.value("select count(*) from limosa.journal"), "0");
    assert_eq!(home.ledger(), ["1|applied", "2|applied"]);
}

/// A run of all files at once does what running them one by one does, each in a session of its own.
#[tokio::test]
async fn no_file_finds_what_another_left_in_the_session() {
    for home in postgres_homes() {
        let works = |number: u8| {
            format!(
                "create temp table ids (n int);\ninsert into ids values ({number});\n\
                 declare c cursor with hold for select 1;\nlisten events;\n\
                 insert into seen select n from ids;\n-- limosa:rollback\ncreate temp table ids (n int);\ndelete from seen where n = {number};\n"
            )
        };
        home.file("0001_seen.sql", "create table seen (n int);\n-- limosa:rollback\ndrop table seen;\n");
        home.file("0002_a.sql", &works(2));
        home.file("0003_b.sql", &works(3));
        home.file(
            "0004_c.sql",
            "do $$ begin assert to_regclass('pg_temp.ids') is null; end $$;\n-- limosa:rollback\nselect 1;\n",
        );
        well(&home.migrate().await);
        assert_eq!(home.rows("select n from seen order by n"), ["2", "3"]);
        well(&home.rollback(Selection::Steps(4)).await);
        home.file(
            "0002_a.sql",
            &works(2).replace("-- limosa:rollback", "create table last (n int);\n-- limosa:rollback"),
        );
        let all = MigrateOptions::default();
        let together = home.with(|it| it.single_transaction = true);
        well(&together.migrate(&all, &crate::answers::quiet, limosa::Stop::new()).await);
    }
}
