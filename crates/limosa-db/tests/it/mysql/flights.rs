//! Items and their ends: counts, warnings, places, limits, and statements that commit by themselves.

use limosa_db::{DbErrorKind, FlightError, Item, Row, Session, Value};
use limosa_sql::Dialect;
use limosa_testkit::mysql::{MysqlServer, ServerOptions, TestDatabase};

use super::{Record, Told, connect, databases, failure, fly, rows, script, scripts, servers, text};

async fn record(session: &mut dyn Session, texts: &[&str]) -> Vec<Told> {
    let mut record = Record::default();
    session.flight(&mut scripts(texts).into_iter(), &mut record).await.unwrap();
    record.0
}

fn landed(item: u64, affected: Option<u64>) -> Told {
    Told::Landed(item, affected)
}

#[tokio::test(flavor = "multi_thread")]
async fn warnings_are_notices_before_their_statement_lands() {
    for database in databases() {
        let mut session = connect(&database.url()).await;
        let told = record(
            &mut session,
            &[
                "create table t (n int unique, s varchar(3))",
                "drop table if exists missing",
                "insert ignore into t values (1, 'abcdef')",
                "select 1",
            ],
        )
        .await;
        let name = database.name();
        let unknown = told.iter().find(|told| matches!(told, Told::Notice(severity, _) if severity == "NOTICE"));
        assert!(
            matches!(unknown, Some(Told::Notice(_, text)) if text.contains(&format!("{name}.missing"))),
            "{told:?}"
        );
        let truncated = Told::Notice("WARNING".to_owned(), "Data truncated for column 's' at row 1".to_owned());
        let at = told.iter().position(|told| *told == truncated).unwrap();
        assert_eq!(told[at + 1], landed(2, Some(1)));
        assert_eq!(told.len(), 6, "{told:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_warnings_the_first_are_shown_and_the_others_counted() {
    for database in databases() {
        let mut session = connect(&database.url()).await;
        let values = vec!["('long')"; 70].join(", ");
        let setup = ["set max_error_count = 1000", "create table t (s varchar(3))"];
        fly(&mut session, scripts(&setup)).await.unwrap();
        let told = record(&mut session, &[&format!("insert ignore into t values {values}")]).await;
        assert_eq!(told.len(), 66);
        let more = "the statement gave 6 more warnings, which are not shown";
        assert_eq!(told[64], Told::Notice("WARNING".to_owned(), more.to_owned()));
        assert_eq!(told[65], landed(0, Some(70)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_warnings_does_not_change_what_the_script_counts() {
    for database in databases() {
        let mut session = connect(&database.url()).await;
        let told = record(
            &mut session,
            &[
                "create table t (s varchar(3))",
                "insert ignore into t values ('long'), ('long'), ('l')",
                "create table counted as select row_count() as n",
                "insert ignore into t values ('long')",
                "insert into t values (1)",
                "insert into counted values (row_count())",
            ],
        )
        .await;
        let found = text(&mut session, "select group_concat(n order by n) from counted").await;
        assert_eq!(found.as_deref(), Some("1,3"));
        let unread = "the statement gave 2 warnings; they were not read, because the next one asks for its row count";
        assert_eq!(told[1], Told::Notice("WARNING".to_owned(), unread.to_owned()));
        assert!(
            told.contains(&Told::Notice("WARNING".to_owned(), "Data truncated for column 's' at row 1".to_owned()))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_counts_the_rows_that_it_found() {
    for database in databases() {
        let mut session = connect(&database.url()).await;
        let told = record(
            &mut session,
            &[
                "create table t (n int)",
                "insert into t values (1), (2)",
                "update t set n = 1",
                "update t set n = 1",
                "replace into t values (3)",
                "create table u select * from t",
                "truncate table t",
                "select * from u",
            ],
        )
        .await;
        let expected = [None, Some(2), Some(2), Some(2), Some(1), Some(3), None, None];
        let expected: Vec<Told> = (0..).zip(expected).map(|(item, affected)| landed(item, affected)).collect();
        assert_eq!(told, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn procedures_with_many_results_are_drained() {
    for database in databases() {
        let mut session = connect(&database.url()).await;
        let procedure = "create procedure p() begin select 1; select 2, 'b' union select 3, 'c'; \
             insert into t values (1), (2); select * from t where false; end";
        let setup = ["create table t (n int)", procedure, "call p()", "call p()"];
        fly(&mut session, scripts(&setup)).await.unwrap();
        let items = vec![
            Item::Begin,
            script("call p()"),
            Item::Bound { sql: "call p()".to_owned(), parameters: Vec::new() },
            Item::Commit,
        ];
        let found = (&mut session as &mut dyn Session).send(items).await.unwrap();
        assert_eq!(found[2], [Row(vec![1_i64.into()])], "the first result of limosa's own");
        assert_eq!(text(&mut session, "select count(*) from t").await.as_deref(), Some("8"));
        // An error behind the first result is one.
        let failing = "create procedure q() begin select 1; insert into missing values (1); end";
        fly(&mut session, scripts(&[failing])).await.unwrap();
        let (item, error) = failure(&mut session, scripts(&["select 1", "call q()", "select 2"])).await;
        assert_eq!((item, error.kind), (1, DbErrorKind::UndefinedTable));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_one_statement_whatever_it_holds() {
    for database in databases() {
        let mut session = connect(&database.url()).await;
        fly(&mut session, scripts(&["create table t (n int)"])).await.unwrap();
        for smuggled in [
            "insert into t values (1); insert into t values (2)",
            // Two statements where the backslash is none, one where it escapes the quote.
            r"insert into t select length('\'); insert into t values (2); -- ')",
        ] {
            for modes in ["", "NO_BACKSLASH_ESCAPES"] {
                fly(&mut session, scripts(&[&format!("set sql_mode = '{modes}'")])).await.unwrap();
                let _ = fly(&mut session, scripts(&[smuggled])).await;
                let bound = Item::Bound { sql: smuggled.to_owned(), parameters: Vec::new() };
                let _ = fly(&mut session, vec![bound]).await;
                assert_eq!(text(&mut session, "select count(*) from t where n = 2").await.as_deref(), Some("0"));
            }
        }
        fly(&mut session, scripts(&["insert into t values (3) ; ", "insert into t values (4); -- the end"]))
            .await
            .unwrap();
        assert_eq!(text(&mut session, "select count(*) from t where n in (3, 4)").await.as_deref(), Some("2"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_that_commit_by_themselves_are_found_out() {
    for database in databases() {
        let mut session = connect(&database.url()).await;
        let setup = [
            "create table t (n int)",
            "create procedure commits() begin insert into t values (2); commit; end",
            "create procedure commits_and_fails() begin commit; insert into missing values (1); end",
            "create procedure fails() begin insert into t values (5); insert into missing values (1); end",
        ];
        fly(&mut session, scripts(&setup)).await.unwrap();
        for (statement, stands, code) in [
            ("call commits()", &["1", "2"][..], None),
            ("call commits_and_fails()", &["1"], Some("1146 (42S02)")),
            ("create table t (n int)", &["1"], Some("1050 (42S01)")),
            ("commit", &["1"], None),
            ("begin", &["1"], None),
            ("set autocommit = 1", &[], None),
        ] {
            let items = vec![
                Item::Begin,
                script("insert into t values (1)"),
                script(statement),
                script("insert into t values (9)"),
                Item::Commit,
            ];
            let flown = fly(&mut session, items).await;
            match statement {
                // Where a transaction is open again behind it, only what comes later could tell.
                "begin" | "set autocommit = 1" => flown.unwrap(),
                _ => {
                    let Err(FlightError::Failed { item: 2, error }) = flown else { panic!("{statement}: {flown:?}") };
                    assert_eq!(error.kind, DbErrorKind::ImplicitCommit, "{statement}: {error}");
                    assert_eq!(error.code.as_deref(), code, "{statement}");
                    assert!(error.hint.unwrap().contains("what came before it in this file stands"));
                    let found = rows(&mut session, "select n from t order by n").await;
                    let found: Vec<_> = found.iter().map(|row| row.text(0).unwrap()).collect();
                    assert_eq!(found, stands, "{statement}");
                }
            }
            fly(&mut session, scripts(&["delete from t"])).await.unwrap();
        }
        // A failure that the transaction takes back is just itself.
        let (item, error) =
            failure(&mut session, vec![Item::Begin, script("insert into t values (1)"), script("call fails()")]).await;
        assert_eq!((item, error.kind), (2, DbErrorKind::UndefinedTable));
        assert_eq!(text(&mut session, "select count(*) from t").await.as_deref(), Some("0"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadlock_is_one_and_not_a_commit() {
    for database in databases() {
        database.execute("create table t (n int primary key, m int); insert into t values (1, 0), (2, 0)").unwrap();
        let mut session = connect(&database.url()).await;
        let other = database.session().unwrap();
        // The one that has changed more rows is not the victim.
        let rows: Vec<String> = (10..300).map(|n| format!("({n}, 0)")).collect();
        other.execute(&format!("start transaction; insert into t values {}", rows.join(", "))).unwrap();
        other.execute("update t set m = 1 where n = 2").unwrap();
        fly(&mut session, vec![Item::Begin, script("update t set m = 2 where n = 1")]).await.unwrap();
        let waiting = other.send("update t set m = 1 where n = 1").unwrap();
        limosa_testkit::eventually("the other one waits", || {
            // InnoDB's own list is not renewed while it is read again and again.
            let sql = format!(
                "select 1 from information_schema.processlist where id = {} and state like 'updating%'",
                other.id()
            );
            !database.query(&sql).unwrap().is_empty()
        });
        let (item, error) = failure(&mut session, scripts(&["update t set m = 2 where n = 2"])).await;
        assert_eq!((item, error.kind), (0, DbErrorKind::Deadlock), "{error}");
        assert!(error.is_transient());
        waiting.wait().unwrap();
        other.execute("rollback").unwrap();
        assert_eq!(text(&mut session, "select sum(m) from t").await.as_deref(), Some("0"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lock_waits_end_at_their_limit() {
    for server in servers() {
        // The whole transaction is rolled back with it only where the server is set so.
        for rolls_back in ["OFF", "ON"] {
            let options = ServerOptions::new().setting("innodb_rollback_on_timeout", rolls_back);
            let server = MysqlServer::start_with(server.version(), &options).unwrap();
            let database = server.create_database().unwrap();
            database.execute("create table t (n int); create table u (n int); insert into t values (1)").unwrap();
            let mut session = connect(&database.url()).await;
            fly(&mut session, scripts(&["set innodb_lock_wait_timeout = 1, lock_wait_timeout = 1"])).await.unwrap();
            let other = database.session().unwrap();
            other.execute("start transaction; update t set n = 1").unwrap();
            for (statement, inside, stands) in [
                ("update t set n = 2", DbErrorKind::LockTimeout, "0"),
                // It waits for the table after it has committed what was before: trying again would do that twice.
                ("alter table t add column o int", DbErrorKind::ImplicitCommit, "1"),
            ] {
                let (_, error) = failure(&mut session, scripts(&[statement])).await;
                assert_eq!((error.kind, error.code.as_deref()), (DbErrorKind::LockTimeout, Some("1205 (HY000)")));
                let items = vec![Item::Begin, script("insert into u values (2)"), script(statement)];
                let (item, error) = failure(&mut session, items).await;
                assert_eq!((item, error.kind), (2, inside), "{rolls_back} {statement}: {error}");
                let left = text(&mut session, "select count(*) from u").await;
                assert_eq!(left.as_deref(), Some(stands), "{rolls_back} {statement}");
            }
            other.execute("rollback").unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn places_are_found_in_the_statement() {
    for database in databases() {
        let mut session = connect(&database.url()).await;
        for sql in [
            "create procedure p() begin\n  select 'é€𝄞';\n  update t set OOPS\n  where; end",
            "create table t (\n  a int,\n  b text OOPS,\n  c int\n)",
            "create trigger tr before insert on t for each row begin set new.a = 1; OOPS; end",
            "select 1 /* OOPS */ union OOPS t",
        ] {
            let (_, error) = failure(&mut session, scripts(&[sql])).await;
            assert_eq!(error.code.as_deref(), Some("1064 (42000)"), "{sql}: {error}");
            assert!(error.message.starts_with("syntax error near '"), "{error}");
            let place = error.position.unwrap();
            // The servers differ in which word of a phrase they find fault with.
            let found = &sql[place..];
            let wanted = &sql[sql.rfind("OOPS").unwrap()..];
            assert!(wanted.ends_with(found) && wanted.len() - found.len() <= 8, "{sql}: {found}");
        }
        // A long rest is quoted in part.
        let long = format!("select 'ü' from\n from {} where x", "t, ".repeat(100));
        let (_, error) = failure(&mut session, scripts(&[&long])).await;
        assert_eq!(error.position, Some(long.find(" from t,").unwrap() + 1));
        let (_, error) = failure(&mut session, scripts(&["select (1"])).await;
        assert_eq!((error.position, error.message.as_str()), (Some(9), "syntax error at the end"));
        // What is named is found where it stands once.
        fly(&mut session, scripts(&["create table named (a int)"])).await.unwrap();
        for sql in [
            "select a,\n OOPS from named",
            "insert into OOPS values (1)",
            "alter table named drop column OOPS",
            "call OOPS()",
            "create table named2 (a int) engine = OOPS",
        ] {
            let (_, error) = failure(&mut session, scripts(&[sql])).await;
            assert_eq!(error.position, sql.find("OOPS"), "{sql}: {error}");
        }
        // In limosa's own statements the place is counted in the text as it was written.
        let parameters = vec!["a".into(), "b".into(), Value::Integer(1)];
        for sql in ["select $1, $2, $3 oops oops", "select $3 = $1, '$2' oops oops, $2"] {
            let (_, error) =
                failure(&mut session, vec![Item::Bound { sql: sql.to_owned(), parameters: parameters.clone() }]).await;
            assert_eq!(error.position, sql.rfind("oops"), "{sql}: {error}");
        }
        let sql = "set @a = 1;\n select 'é';\n set @b = oops oops;";
        let (_, error) = failure(&mut session, vec![Item::Control(sql.to_owned())]).await;
        assert_eq!(error.position, sql.rfind("oops"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_knows_beyond_its_message_is_told() {
    for database in databases() {
        let mut session = connect(&database.url()).await;
        let sql = "create table t (a int, constraint f foreign key (a) references missing (b))";
        let (_, error) = failure(&mut session, scripts(&[sql])).await;
        let all = format!("{} {}", error.message, error.detail.unwrap_or_default());
        assert!(all.contains("missing"), "{all}");
    }
}

fn small_packets(version: &limosa_testkit::MysqlVersion) -> (MysqlServer, TestDatabase) {
    let server = MysqlServer::start_with(version, &ServerOptions::new().max_allowed_packet(64 * 1024)).unwrap();
    let database = server.create_database().unwrap();
    (server, database)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_is_too_long_fails_before_it_is_sent() {
    for server in servers() {
        let (_server, database) = small_packets(server.version());
        let mut session = connect(&database.url()).await;
        let sql = |length: usize| {
            let begin = "select length('";
            format!("{begin}{}')", "x".repeat(length - begin.len() - 2))
        };
        fly(&mut session, scripts(&["create table t (n int)"])).await.unwrap();
        // The first byte of the message says what it is, and the limit itself is too long.
        let longest = 64 * 1024 - 2;
        fly(&mut session, scripts(&[&sql(longest)])).await.unwrap();
        let items = vec![Item::Begin, script("insert into t values (1)"), script(&sql(longest + 1)), Item::Commit];
        let (item, error) = failure(&mut session, items).await;
        assert_eq!((item, error.kind), (2, DbErrorKind::Statement));
        assert!(error.message.contains("65535 bytes") && error.message.contains("65536"), "{error}");
        let hint = error.hint.unwrap();
        assert!(hint.contains("SET GLOBAL max_allowed_packet = 1 * 1024 * 1024"), "{hint}");
        let parameters = vec![Value::Text("x".repeat(70_000))];
        let bound = Item::Bound { sql: "select length($1)".to_owned(), parameters };
        let (_, error) = failure(&mut session, vec![bound]).await;
        assert!(error.message.contains("max_allowed_packet"), "{error}");
        // The session is as it was.
        assert_eq!(text(&mut session, "select count(*) from t").await.as_deref(), Some("0"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_of_many_megabytes_arrive_whole() {
    for server in servers() {
        let options = ServerOptions::new().max_allowed_packet(64 << 20);
        let server = MysqlServer::start_with(server.version(), &options).unwrap();
        let database = server.create_database().unwrap();
        let mut session = connect(&database.url()).await;
        // Parts of a packet are full at 16 MiB less one.
        for length in [(1 << 24) - 24, (1 << 24) - 2, (1 << 24) - 1, 40 << 20] {
            let sql = format!("create or replace view v as select length('{}') as n", "é".repeat(length / 2 - 30));
            let sql = sql.replace("create or replace view v as ", "");
            let answer = (&mut session as &mut dyn Session).query(&sql, &[]).await.unwrap();
            assert_eq!(answer[0].integer(0), Some(i64::try_from(2 * (length / 2 - 30)).unwrap()));
            let long = Value::Text("ß".repeat(length / 2 - 30));
            let back =
                (&mut session as &mut dyn Session).query("select $1", std::slice::from_ref(&long)).await.unwrap();
            assert_eq!(back[0].0[0], long);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_all_types_come_back_as_numbers_or_text() {
    for database in databases() {
        let mut session = connect(&database.url()).await;
        let columns = [
            ("tinyint", "-7", Value::Integer(-7)),
            ("smallint unsigned", "65535", Value::Integer(65_535)),
            ("mediumint", "-8388608", Value::Integer(-8_388_608)),
            ("int unsigned", "4294967295", Value::Integer(4_294_967_295)),
            ("bigint", "-9223372036854775808", Value::Integer(i64::MIN)),
            ("bigint unsigned", "18446744073709551615", Value::Text("18446744073709551615".to_owned())),
            ("boolean", "true", Value::Integer(1)),
            ("bit(10)", "b'1000000001'", Value::Integer(513)),
            ("year", "2024", Value::Integer(2024)),
            ("decimal(30, 3)", "-123456789012345678901.250", "-123456789012345678901.250".into()),
            ("double", "2.5", "2.5".into()),
            ("float", "-0.5", "-0.5".into()),
            ("date", "'2024-02-29'", "2024-02-29".into()),
            ("datetime", "'2024-02-29 01:02:03'", "2024-02-29 01:02:03".into()),
            ("datetime(3)", "'2024-02-29 01:02:03.045'", "2024-02-29 01:02:03.045".into()),
            ("timestamp(6)", "'2024-02-29 01:02:03.000004'", "2024-02-29 01:02:03.000004".into()),
            ("time", "'-25:01:02'", "-25:01:02".into()),
            ("time(2)", "'838:59:58.50'", "838:59:58.50".into()),
            ("char(4)", "'é𝄞'", "é𝄞".into()),
            ("longtext", "''", "".into()),
            ("varbinary(9)", "'bytes'", "bytes".into()),
            ("json", "'[1]'", "[1]".into()),
            ("enum('a', 'b')", "'b'", "b".into()),
            ("set('a', 'b')", "'a,b'", "a,b".into()),
            ("varchar(9)", "null", Value::Null),
        ];
        let definitions: Vec<String> =
            columns.iter().enumerate().map(|(number, (kind, _, _))| format!("c{number} {kind}")).collect();
        let values: Vec<&str> = columns.iter().map(|(_, value, _)| *value).collect();
        let setup = [
            format!("create table t ({})", definitions.join(", ")),
            format!("insert into t values ({})", values.join(", ")),
        ];
        fly(&mut session, scripts(&[&setup[0], &setup[1]])).await.unwrap();
        let expected: Vec<&Value> = columns.iter().map(|(_, _, value)| value).collect();
        let session: &mut dyn Session = &mut session;
        // Sent as text, and prepared.
        for parameters in [&[][..], &[Value::Integer(1)]] {
            let sql = if parameters.is_empty() { "select * from t" } else { "select * from t where 1 = $1" };
            let rows = session.query(sql, parameters).await.unwrap();
            assert_eq!(rows[0].0.iter().collect::<Vec<_>>(), expected, "{sql}");
        }
        // What is no text is refused, and the session goes on.
        for parameters in [&[][..], &[Value::Integer(1)]] {
            let sql = if parameters.is_empty() { "select x'ff' as raw, 1" } else { "select x'ff' as raw, $1" };
            let error = session.query(sql, parameters).await.unwrap_err();
            assert!(error.message.contains("column \"raw\" has bytes") && error.hint.unwrap().contains("hex"), "{sql}");
        }
        assert_eq!(session.query("select 1", &[]).await.unwrap().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prepared_statements_survive_changes_and_are_not_kept_for_ever() {
    for database in databases() {
        let mut session = connect(&database.url()).await;
        let session: &mut dyn Session = &mut session;
        session.send(scripts(&["create table t (n int)", "insert into t values (1)"])).await.unwrap();
        for change in ["alter table t add column m int default 2", "alter table t drop column m", "drop table t"] {
            let found = session.query("select * from t where n = $1", &[1_i64.into()]).await.unwrap();
            assert_eq!(found.len(), 1, "{change}");
            session.send(scripts(&[change])).await.unwrap();
        }
        let error = session.query("select * from t where n = $1", &[1_i64.into()]).await.unwrap_err();
        assert_eq!(error.kind, DbErrorKind::UndefinedTable);
        let count = "show session status like 'Prepared_stmt_count'";
        let before = session.query(count, &[]).await.unwrap()[0].integer(1).unwrap();
        for number in 0..300 {
            session.query(&format!("select $1 + {number}"), &[1_i64.into()]).await.unwrap();
        }
        let after = session.query(count, &[]).await.unwrap()[0].integer(1).unwrap();
        // The count is the server's, and other tests have statements too.
        assert!(after - before < 250, "{before} {after}");
        let error = session.query("select $1, $3", &["a".into(), "b".into()]).await.unwrap_err();
        assert!(error.message.contains("$3"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_this_engine_has_not_is_refused_with_what_to_do() {
    for database in databases() {
        let mut session = connect(&database.url()).await;
        let (_, error) = failure(&mut session, vec![Item::CopyStart("copy t from stdin".to_owned())]).await;
        assert!(error.hint.unwrap().contains("INSERT"));
        fly(&mut session, scripts(&["create table t (n int)"])).await.unwrap();
        // No server reads files of this machine, and the session outlives the attempt.
        let (_, error) = failure(&mut session, scripts(&["load data local infile '/etc/passwd' into table t"])).await;
        assert!(error.hint.unwrap().contains("LOCAL"), "{}", error.message);
        assert_eq!(text(&mut session, "select count(*) from t").await.as_deref(), Some("0"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mode_of_the_server_stays_as_it_is() {
    for server in servers() {
        let options = ServerOptions::new().sql_mode("ANSI_QUOTES,PIPES_AS_CONCAT").setting("wait_timeout", "60");
        let server = MysqlServer::start_with(server.version(), &options).unwrap();
        let database = server.create_database().unwrap();
        let mut session = connect(&database.url()).await;
        assert_eq!(session.facts().dialect, Dialect::mysql("PIPES_AS_CONCAT,ANSI_QUOTES"));
        assert_eq!(text(&mut session, "select 'a' || 'b'").await.as_deref(), Some("ab"));
        let settings = "select concat(@@autocommit = 1, ' ', @@wait_timeout, ' ', @@character_set_client, ' ', \
             @@character_set_connection, ' ', @@character_set_results)";
        assert_eq!(text(&mut session, settings).await.as_deref(), Some("1 28800 utf8mb4 utf8mb4 utf8mb4"));
    }
}
