//! Reads a dump before anything is dropped for it: whether it is whole, what made it, and what it will ask of a server.
//!
//! `mysqldump` and `mariadb-dump` write a comment at the head with the server's version, one line for each row or statement
//! (a line break in a value is escaped), and at the end, when all went well, `-- Dump completed`.

use std::collections::BTreeSet;
use std::io::{self, BufRead};

use super::programs::number_of;
use crate::engines::mysql::Flavor;

/// Lines of the head, where the makers write who they are.
const HEAD: u64 = 40;

/// Bytes of a line that are looked at. Definers stand near the beginning.
const LOOK: usize = 4_096;

/// What a dump is and holds.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Contents {
    /// Whose program made it; None where it is no dump.
    pub(super) maker: Option<Flavor>,
    /// The server it was made from, comparable as its version.
    pub(super) server: Option<(Flavor, u32)>,
    /// True where its last line says that it is whole.
    pub(super) completed: bool,
    /// Another database that its statements name, as it is written there.
    pub(super) other_database: Option<String>,
    /// Bytes of its longest statement, or a little more.
    pub(super) longest: u64,
    pub(super) lines: u64,
    /// The accounts with whose rights its views, triggers, events and routines run: `root@localhost`.
    pub(super) definers: BTreeSet<String>,
    pub(super) has_views: bool,
    pub(super) has_triggers: bool,
    pub(super) has_events: bool,
    pub(super) has_routines: bool,
    pub(super) has_functions: bool,
    /// There is one that says neither DETERMINISTIC nor NO SQL nor READS SQL DATA.
    pub(super) has_undeclared_function: bool,
    pub(super) has_foreign_keys: bool,
}

/// Reads the whole dump. `database` is the one it is for. Gives None where `stopped` says so.
pub(super) fn read(mut from: impl BufRead, database: &str, stopped: &dyn Fn() -> bool) -> io::Result<Option<Contents>> {
    let mut reader = Reader { contents: Contents::default(), statement: 0, function: None };
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = read_line(&mut from, &mut line)?;
        if length == 0 {
            break;
        }
        if stopped() {
            return Ok(None);
        }
        reader.line(&line, length, database);
    }
    reader.end_function();
    Ok(Some(reader.contents))
}

/// Reads a line and keeps its beginning and its last byte before the line break. Gives its length with the break.
fn read_line(from: &mut impl BufRead, kept: &mut Vec<u8>) -> io::Result<u64> {
    let (mut length, mut last) = (0, None);
    loop {
        let buffer = from.fill_buf()?;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let text = &buffer[..end.unwrap_or(buffer.len())];
        kept.extend_from_slice(&text[..text.len().min(LOOK.saturating_sub(kept.len()))]);
        last = text.iter().rev().find(|byte| **byte != b'\r').copied().or(last);
        let (used, ended) = (end.map_or(buffer.len(), |end| end + 1), end.is_some() || buffer.is_empty());
        length += used as u64;
        from.consume(used);
        if ended {
            // What ends the statement may stand behind what was kept.
            if kept.len() >= LOOK {
                kept.extend(last);
            }
            return Ok(length);
        }
    }
}

struct Reader {
    contents: Contents,
    /// Bytes of the statement so far.
    statement: u64,
    /// While the lines that describe a function go by: whether they say what it does.
    function: Option<bool>,
}

impl Reader {
    fn line(&mut self, line: &[u8], length: u64, database: &str) {
        let contents = &mut self.contents;
        contents.lines += 1;
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end();
        if contents.lines <= HEAD {
            head(contents, text);
        }
        self.statement += length;
        contents.longest = contents.longest.max(self.statement);
        if text.ends_with(';') || text.starts_with("--") || text.is_empty() {
            self.statement = 0;
        }
        if !text.is_empty() {
            contents.completed = text.starts_with("-- Dump completed");
        }
        self.describe(text, database);
    }

    /// Only lines that cannot be rows of data: those begin with a parenthesis or INSERT.
    fn describe(&mut self, text: &str, database: &str) {
        if text.starts_with("INSERT ") || text.starts_with('(') {
            return;
        }
        if self.function.is_some() {
            match text.starts_with("    ") {
                true => {
                    let says = ["DETERMINISTIC", "NO SQL", "READS SQL DATA"];
                    let said = says.iter().any(|words| text.trim() == *words);
                    self.function = self.function.map(|before| before || said);
                }
                false => self.end_function(),
            }
        }
        let contents = &mut self.contents;
        if contents.other_database.is_none() {
            contents.other_database = other_database(text, database);
        }
        contents.has_foreign_keys |= text.starts_with("  CONSTRAINT ") && text.contains(" FOREIGN KEY ");
        let (mut is_object, begins) = (false, |words: &str| text.starts_with(words));
        if begins("/*!50001 CREATE VIEW") || begins("/*!50001 VIEW") || begins("/*!50013 DEFINER") {
            (contents.has_views, is_object) = (true, true);
        } else if begins("/*!50003 CREATE*/ /*!50017 DEFINER") {
            (contents.has_triggers, is_object) = (true, true);
        } else if begins("/*!50106 CREATE*/ /*!50117 DEFINER") {
            (contents.has_events, is_object) = (true, true);
        } else if begins("CREATE DEFINER=") {
            (contents.has_routines, is_object) = (true, true);
            let function = words_after_definer(text)
                .is_some_and(|rest| rest.starts_with("FUNCTION ") || rest.starts_with("AGGREGATE FUNCTION "));
            if function {
                contents.has_functions = true;
                self.function = Some(false);
            }
        }
        if is_object && let Some(definer) = definer_in(text) {
            contents.definers.insert(definer);
        }
    }

    fn end_function(&mut self) {
        if self.function.take() == Some(false) {
            self.contents.has_undeclared_function = true;
        }
    }
}

fn head(contents: &mut Contents, text: &str) {
    if text.starts_with("-- MariaDB dump ") {
        contents.maker = contents.maker.or(Some(Flavor::MariaDb));
    } else if text.starts_with("-- MySQL dump ") {
        contents.maker = contents.maker.or(Some(Flavor::Mysql));
    } else if let Some(version) = text.strip_prefix("-- Server version\t")
        && contents.server.is_none()
    {
        let flavor = if version.contains("MariaDB") { Flavor::MariaDb } else { Flavor::Mysql };
        contents.server = number_of(version).map(|number| (flavor, number));
    }
}

/// A dump of several databases says which one comes; so does one whose routines have another collation than their database.
fn other_database(text: &str, database: &str) -> Option<String> {
    let rest =
        ["-- Current Database: `", "USE `", "ALTER DATABASE `"].iter().find_map(|words| text.strip_prefix(words))?;
    let name = rest.split_once('`')?.0;
    // In a dump of several databases each of them is too much, whatever its name.
    (name != database || text.starts_with("-- ")).then(|| name.to_owned())
}

/// What follows the definer in `` CREATE DEFINER=`u`@`h` FUNCTION ... ``.
fn words_after_definer(text: &str) -> Option<&str> {
    after_account(text.split_once("DEFINER=")?.1).map(|(_, rest)| rest.trim_start())
}

/// The definer as the server writes it elsewhere: `root@localhost`.
fn definer_in(text: &str) -> Option<String> {
    after_account(text.split_once("DEFINER=")?.1).map(|(account, _)| account)
}

/// Reads `` `u`@`h` `` (in ORACLE mode with double quotes), or a role without a host.
fn after_account(text: &str) -> Option<(String, &str)> {
    let (user, rest) = quoted(text)?;
    match rest.strip_prefix('@').and_then(quoted) {
        Some((host, rest)) => Some((format!("{user}@{host}"), rest)),
        None => Some((user, rest)),
    }
}

fn quoted(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|letter| matches!(letter, '`' | '"'))?;
    let (mut name, mut rest) = (String::new(), &text[1..]);
    loop {
        let end = rest.find(quote)?;
        name.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix(quote) {
            Some(more) => {
                name.push(quote);
                rest = more;
            }
            None => return Some((name, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(text: &str) -> Contents {
        read(text.as_bytes(), "shop", &|| false).unwrap().unwrap()
    }

    #[test]
    fn who_made_it_and_whether_it_is_whole() {
        let mariadb = "/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19  Distrib 10.11.19-MariaDB, for x (y)\n--\n\
             -- Server version\t10.11.19-MariaDB-0+deb12u1\n\nINSERT INTO `t` VALUES\n(1);\n\n-- Dump completed on 2026-01-01\n";
        let read = contents(mariadb);
        assert_eq!((read.maker, read.server), (Some(Flavor::MariaDb), Some((Flavor::MariaDb, 101_119))));
        assert!(read.completed);
        assert!(!contents(&mariadb.replace("-- Dump completed", "-- Dumped")).completed);
        assert!(!contents(&format!("{mariadb}\nINSERT INTO `t` VALUES (1);")).completed);
        let mysql =
            "-- MySQL dump 10.13  Distrib 8.0.31, for Linux (x86_64)\n-- Server version\t8.0.31\n-- Dump completed";
        let read = contents(mysql);
        assert_eq!((read.maker, read.server), (Some(Flavor::Mysql), Some((Flavor::Mysql, 80_031))));
        assert!(read.completed);
        assert_eq!((contents("select 1;\n").maker, contents("").completed), (None, false));
    }

    #[test]
    fn the_longest_statement_is_counted_over_its_lines() {
        let row = format!("({}),\n", "x".repeat(10_000));
        let text = format!("SELECT 1;\nINSERT INTO `t` VALUES\n{row}{row}(2);\n\n-- a comment\nSELECT 2;\n");
        let expected = "INSERT INTO `t` VALUES\n".len() + 2 * row.len() + "(2);\n".len();
        assert_eq!(contents(&text).longest, expected as u64);
        assert_eq!(contents(&text).lines, 8);
        let long = format!("INSERT INTO `t` VALUES ({});\nSELECT 1;\n", "x".repeat(9_000));
        assert_eq!(contents(&long).longest, 9_027);
    }

    #[test]
    fn definers_and_kinds() {
        let text = "/*!50013 DEFINER=`ro``ot`@`localhost` SQL SECURITY DEFINER */\n\
             /*!50003 CREATE*/ /*!50017 DEFINER=`t`@`%`*/ /*!50003 trigger tr after insert on a for each row begin end */;;\n\
             /*!50106 CREATE*/ /*!50117 DEFINER=`e`@`%`*/ /*!50106 EVENT `ev` ON SCHEDULE EVERY 1 DAY DO select 1 */ ;;\n\
             CREATE DEFINER=\"k\"@\"%\" PACKAGE \"pk\" as function one return int; end\n\
             CREATE DEFINER=`r` PROCEDURE `p`()\nselect 1\n\
             \u{20} CONSTRAINT `fk` FOREIGN KEY (`a`) REFERENCES `b` (`id`)\n";
        let read = contents(text);
        assert_eq!(Vec::from_iter(&read.definers), ["e@%", "k@%", "r", "ro`ot@localhost", "t@%"]);
        assert!(read.has_views && read.has_triggers && read.has_events && read.has_routines && read.has_foreign_keys);
        assert!(!read.has_functions && !read.has_undeclared_function);
        let data = contents("INSERT INTO `t` VALUES ('\\nCREATE DEFINER=`x`@`y` FUNCTION `f`');\n('USE `x`');\n");
        assert_eq!((data.definers.len(), data.other_database), (0, None));
    }

    #[test]
    fn functions_that_do_not_say_what_they_do() {
        let function = |lines: &str| {
            contents(&format!("CREATE DEFINER=`u`@`%` FUNCTION `f`() RETURNS int(11)\n{lines}return 1\n;;\n"))
        };
        for (lines, undeclared) in [
            ("", true),
            ("    DETERMINISTIC\n", false),
            ("    COMMENT 'x'\n    NO SQL\n", false),
            ("    READS SQL DATA\n    SQL SECURITY INVOKER\n", false),
            ("    SQL SECURITY INVOKER\n", true),
            ("    COMMENT 'DETERMINISTIC'\n", true),
        ] {
            let read = function(lines);
            assert_eq!((read.has_functions, read.has_undeclared_function), (true, undeclared), "{lines}");
        }
    }

    #[test]
    fn other_databases_are_seen() {
        for (line, other) in [
            ("-- Current Database: `shop`", Some("shop")),
            ("USE `other`;", Some("other")),
            ("USE `shop`;", None),
            ("ALTER DATABASE `other` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ;", Some("other")),
            ("ALTER DATABASE `shop` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ;", None),
            ("ALTER DATABASE CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;", None),
        ] {
            assert_eq!(contents(line).other_database.as_deref(), other, "{line}");
        }
    }

    #[test]
    fn it_can_be_stopped() {
        assert_eq!(read("a\n".as_bytes(), "d", &|| true).unwrap(), None);
    }
}
