//! Commands of the shells psql, sqlite3 and mysql: few are accepted, the others refused by name.

use super::fault::Fault;
use super::{Mode, Splitter};
use crate::command::{
    DelimiterFault, instead_of_mysql, instead_of_psql, instead_of_sqlite, is_idle, mysql_name, new_delimiter,
    psql_name, sqlite_name,
};
use crate::search::find_either;
use crate::{Engine, Piece, PieceKind, codes};

/// A shell command is looked at up to this length, in bytes.
const COMMAND_LIMIT: usize = 4096;

impl Splitter {
    /// A command of a shell, whose first character stands at `at`.
    pub(super) fn command(&mut self, at: usize) -> Result<Option<Piece>, Box<Fault>> {
        let rest = &self.buffer[at..];
        let line = find_either(rest, 0, b'\n', b'\r');
        if line.is_none() && !self.finished && rest.len() < COMMAND_LIMIT {
            return Ok(None);
        }
        match self.engine {
            Engine::Postgres => self.psql_command(at, line),
            Engine::Sqlite => {
                let name = sqlite_name(&rest[1..]);
                let message = format!("`.{name}` is a command of the sqlite3 shell, not SQL");
                let fault =
                    Fault::at(at, codes::SQLITE_COMMAND, message).length(name.len() + 1).help(instead_of_sqlite(name));
                self.refuse(fault, at)
            }
            Engine::Mysql => self.mysql_command(at, line),
        }
    }

    /// Where the line ends whose end mark stands `line` bytes behind `at`; None where that is not known yet.
    fn behind_line(&self, at: usize, line: Option<usize>) -> Option<usize> {
        let rest = &self.buffer[at..];
        match line {
            Some(line) if rest[line] == b'\r' && rest.len() == line + 1 && !self.finished => None,
            Some(line) if rest[line..].starts_with(b"\r\n") => Some(at + line + 2),
            Some(line) => Some(at + line + 1),
            None => self.finished.then_some(self.buffer.len()),
        }
    }

    /// A line that is accepted and not sent.
    fn meta(&mut self, at: usize, end: usize) -> Result<Option<Piece>, Box<Fault>> {
        self.verify(end, true)?;
        self.lexer.jump(end);
        self.mode = Mode::Statements;
        Ok(Some(self.emit(PieceKind::Meta, end, Some((at, at)))))
    }

    fn psql_command(&mut self, at: usize, line: Option<usize>) -> Result<Option<Piece>, Box<Fault>> {
        let after = &self.buffer[at + 1..];
        let name = psql_name(after);
        let written = &after[name.len()..line.map_or(after.len(), |line| line.saturating_sub(1))];
        let is_idle = self.dialect.marks().are_psql() && is_idle(name, written);
        let accepted = matches!(name, "restrict" | "unrestrict") || is_idle;
        if accepted && self.body.is_none() {
            return match self.behind_line(at, line) {
                Some(end) => self.meta(at, end),
                None => Ok(None),
            };
        }
        let fault = match (name, after.first()) {
            _ if accepted => Fault::at(at, codes::PSQL_COMMAND, format!("`\\{name}` stands inside a statement"))
                .help("put it on a line of its own, behind the ; that ends the statement"),
            ("", Some(b'.')) => Fault::at(
                at,
                codes::STRAY_BACKSLASH,
                "`\\.` ends COPY data, but no COPY ... FROM stdin comes before it",
            )
            .help("remove it, or write the COPY statement before its data and end it with ;"),
            ("", _) => Fault::at(at, codes::STRAY_BACKSLASH, "a backslash stands outside strings and comments")
                .help("remove it, or put the text into quotes"),
            _ => Fault::at(at, codes::PSQL_COMMAND, format!("`\\{name}` is a command of psql, not SQL"))
                .help(instead_of_psql(name)),
        };
        let length = name.len() + 1;
        self.refuse(fault.length(length), at)
    }

    fn mysql_command(&mut self, at: usize, line: Option<usize>) -> Result<Option<Piece>, Box<Fault>> {
        let rest = &self.buffer[at..];
        let name = mysql_name(rest);
        if name.eq_ignore_ascii_case("delimiter") {
            let written = &rest[name.len()..line.unwrap_or(rest.len())];
            let delimiter = match new_delimiter(written) {
                Ok(delimiter) => delimiter,
                Err(fault) => return self.refuse(delimiter_fault(at, fault), self.lexer.at()),
            };
            let Some(end) = self.behind_line(at, line) else { return Ok(None) };
            self.lexer.set_delimiter(if delimiter == b";" { b"" } else { &delimiter });
            return self.meta(at, end);
        }
        let fault = match name {
            "\\" => Fault::at(at, codes::STRAY_BACKSLASH, "a backslash stands outside strings and comments")
                .help("remove it, or put the text into quotes"),
            _ => Fault::at(at, codes::MYSQL_COMMAND, format!("`{name}` is a command of the mysql client, not SQL"))
                .help(instead_of_mysql(name)),
        };
        let length = name.len();
        self.refuse(fault.length(length), self.lexer.at())
    }
}

fn delimiter_fault(at: usize, fault: DelimiterFault) -> Fault {
    let (message, help) = match fault {
        DelimiterFault::Missing => ("DELIMITER is followed by no delimiter", "write for example: DELIMITER //"),
        DelimiterFault::TooLong => ("this delimiter is longer than 15 bytes", "take a short one, such as //"),
        DelimiterFault::Character => {
            ("a delimiter cannot hold blanks, quotes or a backslash", "take another one, such as //")
        }
        DelimiterFault::Trailing => (
            "something follows the delimiter on this line, which the mysql client would leave out without a word",
            "put it on the next line",
        ),
    };
    Fault::at(at, codes::BAD_DELIMITER, message).length("delimiter".len()).help(help)
}
