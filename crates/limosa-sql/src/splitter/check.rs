//! What makes a script impossible to cut: bytes that are no text, and what is never closed.

use super::Splitter;
use super::fault::{Fault, Mark};
use crate::boundary::Hanging;
use crate::classify::{behind_use, sets_autocommit};
use crate::encoding::{Flaw, Foreign, check};
use crate::lexer::{Open, Reading};
use crate::words::Words;
use crate::{Class, Engine, codes};

impl Splitter {
    /// Reports `fault`, unless a flaw of the encoding comes before it.
    pub(super) fn refuse<T>(&mut self, fault: Fault, until: usize) -> Result<T, Box<Fault>> {
        self.verify(until, false)?;
        Err(Box::new(fault))
    }

    /// Reports a fault that shows only at the end of the script.
    pub(super) fn refuse_at_end<T>(&mut self, fault: Fault) -> Result<T, Box<Fault>> {
        self.verify(self.buffer.len(), true)?;
        Err(Box::new(fault))
    }

    /// Checks the encoding up to `until`, which is the end of a piece if `last` says so.
    pub(super) fn verify(&mut self, until: usize, last: bool) -> Result<(), Box<Fault>> {
        if until <= self.checked {
            return Ok(());
        }
        match check(&self.buffer[self.checked..until], last) {
            Ok(good) => {
                self.checked += good;
                Ok(())
            }
            Err(Flaw::Nul(at)) => Err(Box::new(
                Fault::at(self.checked + at, codes::NUL_BYTE, "a NUL byte (0x00) stands in the script")
                    .help("remove it; if the whole file looks like this, save it as UTF-8 text"),
            )),
            Err(Flaw::Invalid(at)) => {
                let at = self.checked + at;
                let message =
                    format!("the byte 0x{:02X} is no UTF-8 here; migration files must be UTF-8", self.buffer[at]);
                let help = match self.engine {
                    Engine::Mysql => {
                        "save the file as UTF-8, for example: iconv -f LATIN1 -t UTF-8 FILE; a dump of binary data is \
                         made with --hex-blob"
                    }
                    _ => "save the file as UTF-8, for example: iconv -f LATIN1 -t UTF-8 FILE",
                };
                Err(Box::new(Fault::at(at, codes::NOT_UTF8, message).help(help)))
            }
        }
    }

    /// The fault of a script that ends inside of something.
    pub(super) fn unclosed(&self, open: Open, at: usize) -> Fault {
        let (code, what, help, length) = match open {
            Open::Text if self.engine == Engine::Mysql => (
                codes::OPEN_STRING,
                "this string constant is never closed",
                "close it with the same quote; a backslash before a quote escapes it, unless sql_mode holds \
                 NO_BACKSLASH_ESCAPES",
                1,
            ),
            Open::Text => (codes::OPEN_STRING, "this string constant is never closed", "close it with '", 1),
            Open::Name if self.buffer[at] == b'[' => {
                (codes::OPEN_IDENTIFIER, "this quoted identifier is never closed", "close it with ]", 1)
            }
            Open::Name => {
                (codes::OPEN_IDENTIFIER, "this quoted identifier is never closed", "close it with the same quote", 1)
            }
            Open::Dollar(length) => {
                let tag = String::from_utf8_lossy(&self.buffer[at..at + length]).into_owned();
                let message = format!("the dollar-quoted string that {tag} opens is never closed");
                return Fault::at(at, codes::OPEN_DOLLAR_QUOTE, message)
                    .length(length)
                    .help(format!("close it with {tag}, in the same letters"));
            }
            Open::Comment if self.engine == Engine::Mysql => {
                (codes::OPEN_COMMENT, "this comment is never closed", "close it with */", 2)
            }
            Open::Executable => {
                (codes::OPEN_COMMENT, "this comment, whose SQL is run, is never closed", "close it with */", 3)
            }
            Open::Comment => (
                codes::OPEN_COMMENT,
                "this comment is never closed",
                "close it with */; PostgreSQL nests comments, so that each /* inside needs its own */",
                2,
            ),
        };
        let fault = Fault::at(at, code, what).length(length).help(help);
        match (&self.comment, open) {
            (Some(mark), Open::Comment) => fault.marked(mark.clone()),
            _ => fault,
        }
    }
}

/// The fault of a file that is no script.
pub(super) fn foreign_file(foreign: Foreign) -> Fault {
    match foreign {
        Foreign::Wide(name) => {
            Fault::file(codes::WIDE_ENCODING, format!("the file is {name}; migration files must be UTF-8"))
                .help("convert it: iconv -f UTF-16 -t UTF-8 FILE > NEW (UTF-32: -f UTF-32)")
        }
        Foreign::Binary(name, advice) => {
            Fault::file(codes::NOT_A_SCRIPT, format!("the file is {name}, not an SQL script")).help(advice)
        }
    }
}

/// The fault of a statement that is not whole at the end of the script.
pub(super) fn hanging_fault(hanging: Hanging) -> Fault {
    match hanging {
        Hanging::Parenthesis(at) => {
            Fault::at(at, codes::OPEN_PARENTHESIS, "this parenthesis is never closed, so that the statement has no end")
                .help("close it with ) before the ; of its statement")
        }
        Hanging::Routine(at) => {
            Fault::at(at, codes::OPEN_BODY, "the routine body that BEGIN ATOMIC opens here is never closed")
                .length(5)
                .help("end each statement of the body with ; and the body with END;")
        }
        Hanging::Block(at, opens, closes) => {
            Fault::at(at, codes::OPEN_BODY, format!("the block that {opens} opens here is never closed with {closes}"))
                .length(opens.len())
                .help(format!("end each statement of the block with ; and the block with {closes};"))
        }
        Hanging::Trigger(at) => {
            Fault::at(at, codes::OPEN_BODY, "the trigger body that BEGIN opens here is never closed")
                .length(5)
                .help("end each statement of the body with ; and the body with END;")
        }
    }
}

/// The fault of data without its end.
pub(super) fn no_copy_end(mark: Mark) -> Fault {
    Fault::file(codes::OPEN_COPY_DATA, "the data of this COPY ... FROM stdin has no end: the line \\. is missing")
        .marked(mark)
        .length(4)
        .help("write the rows on the lines after the statement, then a line that holds only \\.")
}

/// The fault of a stored program whose end only a delimiter can show.
pub(super) fn needs_delimiter(at: usize) -> Fault {
    let message =
        "where this statement ends cannot be seen: packages, and programs in Oracle's language, need a DELIMITER";
    Fault::at(at, codes::NEEDS_DELIMITER, message)
        .help("write a line 'DELIMITER //' before it, // behind it, and a line 'DELIMITER ;' after that")
}

/// What is wrong with a statement of MySQL that the server would take, or refuse in other words. `from` is where it begins.
pub(super) fn unfit(class: &Class, text: &str, from: usize, reading: Reading) -> Option<Fault> {
    let verb = class.verb.as_str();
    if let "LOAD DATA LOCAL" | "LOAD XML LOCAL" = verb {
        let message =
            format!("{verb} reads a file on the machine of the client, and a migration never reads other files");
        let help = "put the rows into INSERT statements, or load them with the client, apart from migrations";
        return Some(Fault::at(from, codes::LOCAL_FILE, message).length(verb.len()).help(help));
    }
    if class.effect.session_settings().iter().any(|name| name == "autocommit") && !sets_autocommit(class) {
        let message =
            "autocommit is set together with other things, and limosa never sets it: it decides about transactions";
        let help = "give the other assignments a SET of their own; one of autocommit alone is accepted and not sent";
        return Some(Fault::at(from, codes::AUTOCOMMIT_WITH_OTHERS, message).length(3).help(help));
    }
    if verb == "USE" {
        let mut words = Words::new(Engine::Mysql, text, reading);
        let at = behind_use(&mut words)?;
        let object = class.object.as_deref().unwrap_or_default();
        let fault = Fault::at(from + at, codes::MYSQL_COMMAND, format!("USE {object} is not ended before this"));
        return Some(fault.help("end it with ; because only the mysql client takes the end of the line for its end"));
    }
    None
}

/// The fault of a DELIMITER command in a statement that was never ended: it shows as the last line of that statement, where the
/// blank before its `;` tells it from a name. `rest` is what follows the statement.
pub(super) fn swallowed_delimiter(text: &str, from: usize, rest: &[u8]) -> Option<Fault> {
    let last = text.lines().next_back().filter(|line| line.len() < text.len())?;
    if !last.trim().eq_ignore_ascii_case("delimiter") || !matches!(rest.first(), Some(b' ' | b'\t')) {
        return None;
    }
    let at = from + text.len() - last.trim_start().len();
    let message = "DELIMITER stands inside a statement: the one before it is not ended";
    let fault = Fault::at(at, codes::BAD_DELIMITER, message).length("delimiter".len());
    Some(fault.help("write the delimiter that holds here behind that statement"))
}
