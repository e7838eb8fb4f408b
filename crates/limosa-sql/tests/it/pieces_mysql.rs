//! Where statements of MySQL and MariaDB begin and end.

use limosa_sql::Engine;

use crate::show::{self, cut_all_ways};

fn statements(text: &str, expected: &[&str]) {
    let (pieces, error) = cut_all_ways(Engine::Mysql, text.as_bytes());
    assert_eq!(error, None, "{text}");
    let found: Vec<_> = pieces.iter().map(|piece| piece.statement()).filter(|text| !text.is_empty()).collect();
    assert_eq!(found, expected, "{text}");
}

/// Requires that a text is one statement, whatever follows it.
fn one(text: &str) {
    statements(text, &[text]);
    statements(&format!("{text};\nselect 'next';"), &[text, "select 'next'"]);
}

#[test]
fn quotes() {
    one("select ';', \";\", `;`, x'3b', b'1', n'a;', N';', _utf8mb4';', _latin1 ';'");
    one(r#"select 'it''s;', 'it\'s;', '\\', "a"";", "\";", `b``;\`"#);
    one("select ';' ';' ';'");
    one("select 'a\n;\r\n'");
    one("select @';', @\";\", @`;`, @@`a;b`, @a.b, @@global.max_connections, @@session.x, @v := 1");
    one("select e'\\';', u&'\\';', 1e5, 1.5e-3, .5, 1e, 0x1F, 0b01, t.1a, 2020_orders.x, a$b, $x, `$$`");
    one("select \\N, 'a'");
    statements("select a[1;2]; select 3", &["select a[1", "2]", "select 3"]);
    statements("select $$;$$", &["select $$", "$$"]);
}

#[test]
fn comments() {
    statements("select 1 -- ;\n+ 1; # ;\nselect 2 # ;", &["select 1 -- ;\n+ 1", "select 2"]);
    statements("select 1--1; select 2 --;\n", &["select 1--1", "select 2 --"]);
    statements("select 1 --\t;\n; select 2 --\x01;\n; select 3 --", &["select 1", "select 2", "select 3"]);
    statements("select 5/*;*/+/* ' */6; /* a /* b */ select 7", &["select 5/*;*/+/* ' */6", "select 7"]);
    // Nothing that begins with -- is a statement, and the client takes it for a comment.
    show::check(Engine::Mysql, b"--a;\nselect 1;--b;\n", &["select 1", "BLANK --b;\n"]);
    statements(
        "select /*+ max_execution_time(1) ; */ 1; select 2",
        &["select /*+ max_execution_time(1) ; */ 1", "select 2"],
    );
    statements("select a#b;\n; select 2", &["select a", "select 2"]);
    show::check(Engine::Mysql, b"-- a\n# b\n/* c */\n", &["BLANK -- a\n# b\n/* c */\n"]);
    show::check(Engine::Mysql, b"; ;\n-- x\n;", &["BLANK ;", "BLANK  ;", "BLANK \n-- x\n;"]);
    show::check(Engine::Mysql, "\u{feff}select 1;\r\n\r\n".as_bytes(), &["select 1", "BLANK \r\n\r\n"]);
    show::check(Engine::Mysql, b"", &[]);
}

#[test]
fn comments_that_are_executed() {
    one("/*!40101 SET NAMES utf8 */");
    one("/*!40101 SET @a='*/', b=1 */");
    one("/*!50003 SET a = 1; */");
    one("/*! select 1 */ /*! + 1 */");
    one("/*M!100100 select 1 */");
    one("/*M! select ';*/' */");
    one("create table t (a int) /*!50100 partition by hash(a) /* plain ; */ */ engine=innodb");
    one("select 1 /*!99999 + 1 */");
    one(
        "/*!50001 CREATE ALGORITHM=UNDEFINED */\n/*!50013 DEFINER=`root`@`localhost` SQL SECURITY DEFINER */\n/*!50001 VIEW `v` AS select 1 AS `a` */",
    );
    // Such a mark speaks to the client alone, and a comment for no server holds nothing.
    show::check(
        Engine::Mysql,
        b"/*M!999999\\- enable the sandbox mode */ \n-- dump\nselect 1;/*!999999 ; */",
        &["select 1", "BLANK /*!999999 ; */"],
    );
    show::check(Engine::Mysql, b"/*! */;\n/*!40101 */ ;", &["BLANK /*! */;", "BLANK \n/*!40101 */ ;"]);
    // The end mark counts only where one is open.
    statements("select 2*/*!3*/; select 1 */ 2", &["select 2*/*!3*/", "select 1 */ 2"]);
}

/// Bodies, each a statement of a stored program.
const BODIES: &[&str] = &[
    "select 1",
    "begin end",
    "begin select 1; end",
    "BEGIN\nSELECT 1;\nSELECT 2;\nEND",
    "main: begin select 1; leave main; end main",
    "`begin`: begin select 1; end `begin`",
    "begin declare x int default 5; set x = case when x > 1 then 2 else 3 end; end",
    "begin if a then select 1; end if; end",
    "begin if a then select 1; elseif b then select 2; else select 3; end if; end",
    "begin if a then begin select 1; end; end if; select 2; end",
    "if a then select 1; end if",
    "if case when a then b else c end = 1 then select 1; end if",
    "if (select case x when 1 then 2 end from t) then begin end; end if",
    "begin select if(a, 'x;', b), repeat('a', 3), case a when 1 then 2 end from t; end",
    "begin case a when 1 then select 1; when 2 then begin end; else select 3; end case; end",
    "case when a = (case b when 1 then 2 else 3 end) then select 1; else begin end; end case",
    "begin l: loop set x = x + 1; if x > 5 then leave l; end if; iterate l; end loop l; end",
    "begin while x < 5 do set x = x + 1; end while; end",
    "while case when a then b end do select 1; do sleep(1); end while",
    "begin repeat set x = x + 1; until x > 5 end repeat; select 1; end",
    "repeat select 1; until case when a then b end end repeat",
    "begin repeat select 1; until done end repeat; end",
    "begin for i in 1..10 do select i; end for; for r in (select case a when 1 then 2 end from t) do select r.a; end for; end",
    "begin declare continue handler for not found set done = 1; select 1; end",
    "begin declare exit handler for sqlexception, sqlwarning begin rollback; resignal; end; select 1; end",
    "begin declare exit handler for sqlstate value '23000' begin end; declare undo handler for 1062, duplicate if a then select 1; end if; end",
    "begin declare c cursor for select a, if(b, 1, 2) from t; open c; fetch c into x; close c; end",
    "begin select t.end, t.begin, t.case, new.if, `end`, `if` from t; select a as end, b as begin from t; end",
    "begin insert into t (begin, end) values (1, 2); update t set end = 3; delete from t where end > begin; end",
    "begin select case when end > 1 then end else end end end from t; end",
    "begin begin begin end; end; end",
    "begin start transaction; select 1; commit; end",
    "begin /* end; */ select 1; -- end;\n # end;\n end",
    "begin select 'end;', \"end;\"; end",
    "begin create temporary table x (a int); drop table if exists x; alter table y add column if not exists a int; end",
    "begin prepare s from 'select 1;'; execute s; deallocate prepare s; end",
    "begin set @a = 1, @b := (select 2); signal sqlstate '45000' set message_text = 'no;'; end",
    "begin ; end",
];

#[test]
fn stored_programs_need_no_delimiter() {
    for head in [
        "create procedure p()",
        "CREATE OR REPLACE PROCEDURE IF NOT EXISTS a.p (in x int, out y decimal(5, 2), z enum('a;', 'b')) ",
        "create definer = root@localhost procedure `begin`()\n",
        "create definer='a'@'%' procedure p() comment 'it; is' language sql not deterministic modifies sql data sql security invoker ",
        "create definer=current_user() procedure p() deterministic",
        "set statement sql_mode = '', max_statement_time = 1 for create procedure p() ",
        "create function f() returns int ",
        "create function f(a int) returns varchar(10) character set utf8mb4 collate utf8mb4_bin deterministic no sql ",
        "create aggregate function f(a int) returns int unsigned reads sql data ",
        "create function if not exists f() returns enum('a', 'b') charset latin1 ",
        "create function f() returns national char varying(10) ",
        "create function f() returns type of t.c ",
        "create trigger g before insert on t for each row ",
        "create definer=`a`@`b` trigger if not exists s.g after update on `t` for each row follows `other` ",
        "create trigger g after delete on t for each row precedes s.other ",
        "create event e on schedule every 1 day starts now() + interval 1 hour on completion preserve enable comment 'do;' do ",
        "create event if not exists s.e on schedule at '2030-01-01' do ",
        "alter event e rename to f do ",
        "alter definer=root@localhost event e on schedule every 1 week do ",
        "/*!50003 create*/ /*!50020 definer=`root`@`localhost`*/ /*!50003 procedure p() */",
    ] {
        for body in BODIES {
            one(&format!("{head} {body}"));
        }
    }
    for text in [
        "begin not atomic select 1; end",
        "BEGIN NOT ATOMIC DECLARE x INT; IF x THEN SELECT 1; END IF; END",
        "if 1 then select 1; end if",
        "while 0 do select 1; end while",
        "l: loop leave l; end loop",
        "create function f returns string soname 'f.so'",
        "create function f(a int) returns int return case a when 1 then 2 end",
    ] {
        one(text);
    }
}

#[test]
fn words_of_blocks_elsewhere_are_only_words() {
    statements("begin; select 1; commit; select 2", &["begin", "select 1", "commit", "select 2"]);
    statements(
        "BEGIN WORK; insert into t values (1); end; select 2",
        &["BEGIN WORK", "insert into t values (1)", "end", "select 2"],
    );
    statements("xa begin 'x'; select 1; xa end 'x'; select 2", &["xa begin 'x'", "select 1", "xa end 'x'", "select 2"]);
    statements(
        "create table begin (case_ int); select if(1, 2, 3); select 4",
        &["create table begin (case_ int)", "select if(1, 2, 3)", "select 4"],
    );
    statements(
        "drop procedure p; drop trigger if exists begin; select 1",
        &["drop procedure p", "drop trigger if exists begin", "select 1"],
    );
    statements(
        "create table if not exists t (a int); alter table t add trigger_ int; select 1",
        &["create table if not exists t (a int)", "alter table t add trigger_ int", "select 1"],
    );
    statements(
        "create view procedure_ as select case 1 when 1 then 2 end; select 1",
        &["create view procedure_ as select case 1 when 1 then 2 end", "select 1"],
    );
    statements(
        "create event e on schedule every 1 day do select 1; select 2",
        &["create event e on schedule every 1 day do select 1", "select 2"],
    );
    statements("select (1; select 2)", &["select (1", "select 2)"]);
}

#[test]
fn delimiters() {
    for (sign, text) in [
        ("//", "create procedure p() begin select 1; end"),
        ("$$", "create procedure p() begin select 'a$$'; end"),
        (";;", "create procedure p() begin select 1; end"),
        ("|", "create procedure p() begin select 1; end"),
        ("go", "create procedure p() begin select 1; end"),
        ("#", "create procedure p() begin select 1; end"),
        ("END_OF_IT", "create procedure p() begin select 1; end"),
    ] {
        let script = format!("select 0;\nDELIMITER {sign}\n{text}\n{sign}\ndelimiter ;\nselect 2;");
        show::check(
            Engine::Mysql,
            script.as_bytes(),
            &["select 0", &format!("META \nDELIMITER {sign}\n"), text, "META \ndelimiter ;\n", "select 2"],
        );
        let script = format!("DELIMITER {sign}\r\n{text}{sign}\r\nselect 1 {sign} select 2");
        let (pieces, error) = cut_all_ways(Engine::Mysql, script.as_bytes());
        assert_eq!(error, None);
        let found: Vec<_> = pieces.iter().map(|piece| piece.statement()).filter(|text| !text.is_empty()).collect();
        assert_eq!(found, [text, "select 1", "select 2"], "{script}");
    }
    // As the client sends them: one after the other, and the ; behind END is no statement.
    statements(
        "delimiter //\ndrop procedure if exists p;\ncreate procedure p() begin select 1; end;\n//\nselect 1 // ; //",
        &["drop procedure if exists p", "create procedure p() begin select 1; end", "select 1"],
    );
    // Not in strings, names and comments.
    statements(
        "delimiter //\nselect '//', \"//\", `//` /* // */ -- //\n+ 1 //",
        &["select '//', \"//\", `//` /* // */ -- //\n+ 1"],
    );
    statements("delimiter $$\nselect a$b, @a$$select 2$$", &["select a$b, @a", "select 2"]);
    statements("DELIMITER '//'\nselect 1 // DELIMITER ;\nselect 2;", &["select 1", "select 2"]);
    statements("select 1; Delimiter $$ -- from here on\nselect 2$$", &["select 1", "select 2"]);
    statements("/* x */ delimiter // # c\nselect 2;select 3//", &["select 2", "select 3"]);
    statements(
        "create table t (\ndelimiter char(1),\n`delimiter` int)",
        &["create table t (\ndelimiter char(1),\n`delimiter` int)"],
    );
    statements("select a from t order by\ndelimiter;select 2", &["select a from t order by\ndelimiter", "select 2"]);
    // Languages that are not followed end at the delimiter alone.
    statements(
        "delimiter //\ncreate package x as procedure p; end; //\ncreate package body x as procedure p as begin null; end; end //\nselect 1; select 2 //",
        &[
            "create package x as procedure p; end;",
            "create package body x as procedure p as begin null; end; end",
            "select 1",
            "select 2",
        ],
    );
    statements(
        "set sql_mode = oracle; delimiter //\ncreate procedure p as x int; begin x := 1; end; //\ndeclare y int; begin y := 2; end //",
        &[
            "set sql_mode = oracle",
            "create procedure p as x int; begin x := 1; end;",
            "declare y int; begin y := 2; end",
        ],
    );
}

#[test]
fn delimiters_inside_executed_comments_do_not_count() {
    statements(
        "DELIMITER ;;\n/*!50003 CREATE*/ /*!50017 DEFINER=`r`@`h`*/ /*!50003 trigger g before insert on t for each row begin set new.a = ';;'; end \n*/;;\nDELIMITER ;\nselect 1;",
        &[
            "/*!50003 CREATE*/ /*!50017 DEFINER=`r`@`h`*/ /*!50003 trigger g before insert on t for each row begin set new.a = ';;'; end \n*/",
            "select 1",
        ],
    );
}

#[test]
fn sql_mode_decides_what_quotes_mean() {
    for (set, escapes, ansi) in [
        ("set sql_mode = ''", true, false),
        ("set sql_mode = 'NO_BACKSLASH_ESCAPES'", false, false),
        ("SET SESSION sql_mode = \"no_backslash_escapes,ansi_quotes\"", false, true),
        ("set @@sql_mode := 'ansi'", true, true),
        ("set @@session.sql_mode = concat(@@sql_mode, ',NO_BACKSLASH_ESCAPES')", false, false),
        ("set local sql_mode = ANSI_QUOTES", true, true),
        ("set sql_mode = 1048580", false, true),
        ("set @a = 1, sql_mode = 'ANSI_QUOTES', names utf8", true, true),
        ("/*!40101 SET SQL_MODE='ANSI_QUOTES' */", true, true),
        ("set sql_mode = 'ANSI_QUOTES'; set sql_mode = default", true, false),
        ("set sql_mode = 'ANSI_QUOTES'; set sql_mode = (select replace(@@sql_mode, 'ANSI_QUOTES', ''))", true, false),
        ("set sql_mode = 'ANSI'; set sql_mode = sys.list_drop(@@sql_mode, 'ANSI_QUOTES')", true, false),
        (
            "set sql_mode = 'ANSI_QUOTES'; set sql_mode = concat_ws(',', @@sql_mode, 'NO_BACKSLASH_ESCAPES')",
            false,
            true,
        ),
        ("set @old = @@sql_mode, sql_mode = 'ANSI_QUOTES'; set sql_mode = @old", true, false),
        ("set sql_mode = 'ANSI_QUOTES'; SET @`OLD`=@@SQL_MODE, SQL_MODE=''; SET SQL_MODE=@old", true, true),
        ("set sql_mode = 'ANSI_QUOTES'; set sql_mode = 'TRADITIONAL'", true, false),
        ("set global sql_mode = 'ANSI_QUOTES'", true, false),
        ("set sql_mode = f(x)", true, false),
        ("set sql_mode = 'ANSI_QUOTES'; set sql_mode = (select x from t)", true, true),
        ("create procedure p() set sql_mode = 'ANSI_QUOTES'", true, false),
    ] {
        let plain = if escapes { r"select 'a\';', 'b'" } else { r"select 'a\', 'b'" };
        let double = if ansi {
            r#"select "a\", "b""#
        } else if escapes {
            r#"select "a\";", "b""#
        } else {
            r#"select "a\", "b""#
        };
        let (pieces, error) = cut_all_ways(Engine::Mysql, format!("{set};\n{plain};\n{double}; select 3").as_bytes());
        assert_eq!(error, None, "{set}");
        let found: Vec<_> = pieces.iter().map(|piece| piece.statement()).collect();
        assert_eq!(found[found.len() - 3..], [plain, double, "select 3"], "{set}");
    }
}

#[test]
fn autocommit_is_for_limosa_to_decide() {
    for text in [
        "set autocommit = 0;",
        "SET AUTOCOMMIT=1;",
        "set session autocommit = off;",
        "set @@autocommit := 0;",
        "SET @@SESSION.autocommit=0;",
        "/*!40101 SET AUTOCOMMIT=0 */;",
        "SET @OLD_AUTOCOMMIT=@@AUTOCOMMIT, @@AUTOCOMMIT=0;",
        "SET AUTOCOMMIT=@OLD_AUTOCOMMIT;",
    ] {
        show::check(Engine::Mysql, text.as_bytes(), &[&format!("META {text}")]);
    }
    one("set global autocommit = 0");
    one("set @autocommit = 0");
}

#[test]
fn unicode_and_numbers_are_names_too() {
    one("select größe, ÿx, 表, 1a, 2_b from 3c where 4d.5e = 6");
    statements("select 1é; select 2", &["select 1é", "select 2"]);
}
