//! What answers a command: which packet is a column, which a row, and which the end.

use super::packet::{Capabilities, counted, number};

/// More results follow this one.
const MORE_RESULTS: u32 = 0x08;

/// The rows stay with the server and are fetched by commands of their own.
const CURSOR: u32 = 0x40;

/// The answer to one command, as far as it has come.
#[derive(Debug)]
pub(super) struct Answer {
    /// The command's SQL, or that of the prepared statement that it runs.
    pub(super) sql: String,
    state: State,
}

/// What a command is answered by.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asked {
    /// OK, an error, or columns and rows; more than once, where the statements are more than one.
    Result,
    /// A number, then parameters and columns.
    Prepare,
    /// Rows, or columns that come like rows, to their end.
    Rows,
    /// One packet without a form.
    OnePacket,
}

#[derive(Clone, Copy, Debug)]
enum State {
    First,
    Prepare,
    /// So many columns are still to come, and then rows.
    Columns(u64),
    EndOfColumns,
    Rows,
    /// So many packets of a prepared statement are still to come.
    Prepared(u64),
    OnePacket,
}

/// What one packet of an answer is.
pub(super) struct Step {
    pub(super) kind: char,
    pub(super) next: Next,
    /// The number of the statement that was prepared.
    pub(super) prepared: Option<u32>,
}

pub(super) enum Next {
    More,
    /// The client sends a file, then more comes.
    File,
    Done,
}

impl Answer {
    pub(super) fn new(asked: Asked, sql: String) -> Self {
        let state = match asked {
            Asked::Result => State::First,
            Asked::Prepare => State::Prepare,
            Asked::Rows => State::Rows,
            Asked::OnePacket => State::OnePacket,
        };
        Self { sql, state }
    }

    /// Reads the next packet of this answer. `None` where it is not the protocol.
    pub(super) fn step(&mut self, body: &[u8], both: Capabilities) -> Option<Step> {
        let first = *body.first()?;
        if first == 0xff && !matches!(self.state, State::OnePacket) {
            // MariaDB reports progress by an error without a number.
            let report = number(body.get(1..)?, 2)? == 0xffff;
            return Some(if report { step('N', Next::More) } else { step('E', Next::Done) });
        }
        match self.state {
            State::First => self.first(first, body, both),
            State::Columns(left) => {
                self.state = match left {
                    1 if both.has(Capabilities::NO_EOF) => State::Rows,
                    1 => State::EndOfColumns,
                    more => State::Columns(more - 1),
                };
                Some(step('T', Next::More))
            }
            State::EndOfColumns => {
                self.state = State::Rows;
                let status = number(body.get(3..)?, 2)?;
                Some(if status & CURSOR != 0 { step('C', Next::Done) } else { step('T', Next::More) })
            }
            State::Rows if first == 0xfe && body.len() < 0xff_ffff && is_end(body, both) => {
                let status =
                    if both.has(Capabilities::NO_EOF) { status_of_ok(body)? } else { number(body.get(3..)?, 2)? };
                Some(self.end(status))
            }
            State::Rows => Some(step('D', Next::More)),
            State::Prepare => self.prepare(body, both),
            State::Prepared(left) => {
                self.state = State::Prepared(left - 1);
                Some(step('T', if left == 1 { Next::Done } else { Next::More }))
            }
            State::OnePacket => Some(step('C', Next::Done)),
        }
    }

    fn first(&mut self, first: u8, body: &[u8], both: Capabilities) -> Option<Step> {
        match first {
            0x00 => Some(self.end(status_of_ok(body)?)),
            0xfb => Some(step('G', Next::File)),
            // Old commands end with this.
            0xfe if body.len() < 9 => Some(step('C', Next::Done)),
            _ => {
                let (columns, width) = counted(body)?;
                let known = both.has(Capabilities::CACHED_COLUMNS) && body.get(width) == Some(&0);
                self.state = match (known, both.has(Capabilities::NO_EOF)) {
                    (false, _) => State::Columns(columns),
                    (true, true) => State::Rows,
                    (true, false) => State::EndOfColumns,
                };
                Some(step('T', Next::More))
            }
        }
    }

    /// A status without a number of columns, of parameters.
    fn prepare(&mut self, body: &[u8], both: Capabilities) -> Option<Step> {
        let id = number(body.get(1..)?, 4)?;
        let counts = [number(body.get(5..)?, 2)?, number(body.get(7..)?, 2)?];
        let end = u64::from(!both.has(Capabilities::NO_EOF));
        let left: u64 = counts.iter().filter(|count| **count > 0).map(|count| u64::from(*count) + end).sum();
        self.state = State::Prepared(left);
        let next = if left == 0 { Next::Done } else { Next::More };
        Some(Step { prepared: Some(id), ..step('1', next) })
    }

    fn end(&mut self, status: u32) -> Step {
        self.state = State::First;
        step('C', if status & MORE_RESULTS == 0 { Next::Done } else { Next::More })
    }
}

/// Without the flag an end has five bytes, and a row that begins alike has at least nine.
fn is_end(body: &[u8], both: Capabilities) -> bool {
    both.has(Capabilities::NO_EOF) || body.len() < 9
}

/// Two numbers stand before it: of rows that were changed, and of the row that was inserted last.
fn status_of_ok(body: &[u8]) -> Option<u32> {
    let (_, first) = counted(body.get(1..)?)?;
    let (_, second) = counted(body.get(1 + first..)?)?;
    number(body.get(1 + first + second..)?, 2)
}

fn step(kind: char, next: Next) -> Step {
    Step { kind, next, prepared: None }
}
