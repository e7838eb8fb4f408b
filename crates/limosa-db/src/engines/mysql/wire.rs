//! One connection: a command goes out, its answer comes back, packet by packet.
//!
//! Where an answer stands is kept here and not in a future. Whoever dropped a future in the middle of an answer can let the
//! connection read to the end of it ([`Wire::drain`]) and use it again.
//!
//! MySQL documentation, "Client/Server Protocol", "Command Phase".

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use mysql_common::constants::{Command, StatusFlags};
use mysql_common::packets::{Column, StmtPacket};

use super::error;
use super::packets::Packets;
use super::reply::{self, Columns, ServerError, Success};
use crate::DbError;

/// How long a server that no longer takes what is sent is given to say why.
const LAST_WORD: Duration = Duration::from_secs(1);

/// A row can be as long as a packet; the end of rows is shorter than this.
const LONGEST_END: usize = 0xff_ffff;

/// Bodies of COM_SET_OPTION.
const MULTI_STATEMENTS_ON: [u8; 2] = [0, 0];
const MULTI_STATEMENTS_OFF: [u8; 2] = [1, 0];

/// What is expected next.
enum Stage {
    /// Nothing: a command may be sent.
    Idle,
    /// The first packet of an answer.
    Head,
    /// So many columns, after those that came.
    Columns { left: u64, columns: Vec<Column> },
    /// Rows, or their end.
    Rows,
    /// What a prepared statement is.
    Prepared,
    /// So many parameters and columns of a prepared statement.
    Definitions { left: u32, statement: StmtPacket },
    /// That several statements in one message are allowed.
    Allowed,
    /// That they are not any more.
    Forbidden,
}

/// A part of an answer.
pub(super) enum Event {
    /// The columns of a result set.
    Columns(Columns),
    /// A row, as it was sent.
    Row(Bytes),
    /// A statement or a result set ended well; only the last has no more behind it.
    Done { success: Success, more: bool },
    /// A statement was prepared.
    Prepared(StmtPacket),
    /// Several statements in one message are allowed from now on, or not any more.
    Switched,
    /// The server refused; the answer ends with that.
    Failed(ServerError),
}

/// A command that failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server said no.
    Server(ServerError),
    /// The connection is gone, or what was asked cannot be sent.
    Ours(DbError),
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Failure {
        Failure::Ours(error)
    }
}

impl Failure {
    /// The error where no statement of a user is concerned.
    pub(super) fn into_error(self) -> DbError {
        match self {
            Failure::Server(said) => error::of_server(said),
            Failure::Ours(error) => error,
        }
    }
}

/// A connection whose user has logged in.
pub(super) struct Wire {
    packets: Packets,
    stage: Stage,
    /// What is expected behind the answer that comes now: commands that were sent without waiting.
    behind: VecDeque<Stage>,
    status: StatusFlags,
    /// Bytes of the longest command that the server takes, its first byte included.
    pub(super) longest: usize,
    lost: Option<DbError>,
}

impl Wire {
    pub(super) fn new(packets: Packets, status: StatusFlags, longest: usize) -> Wire {
        Wire { packets, stage: Stage::Idle, behind: VecDeque::new(), status, longest, lost: None }
    }

    /// True where a transaction was open after the last answer that was no error.
    pub(super) fn in_transaction(&self) -> bool {
        self.status.contains(StatusFlags::SERVER_STATUS_IN_TRANS)
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost.is_some()
    }

    /// True where nothing is under way.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.stage, Stage::Idle)
    }

    /// Sends a command whose answer is that of a statement.
    pub(super) async fn send(&mut self, command: Command, body: Bytes) -> Result<(), DbError> {
        self.push(command, body, Stage::Head)?;
        self.flush().await
    }

    /// Sends several statements, separated by `;`, in one message. The server stops at the first that fails.
    ///
    /// That is allowed for this one message only, by commands that go out with it: a script of a user's is one statement
    /// whatever it holds. Where the server would not allow it, the message is a syntax error and nothing of it runs.
    /// First comes [`Event::Switched`], then the results, then [`Event::Switched`] again.
    pub(super) async fn send_several(&mut self, sql: Bytes) -> Result<(), DbError> {
        self.push(Command::COM_SET_OPTION, Bytes::from_static(&MULTI_STATEMENTS_ON), Stage::Allowed)?;
        for (command, body, stage) in [
            (Command::COM_QUERY, sql, Stage::Head),
            (Command::COM_SET_OPTION, Bytes::from_static(&MULTI_STATEMENTS_OFF), Stage::Forbidden),
        ] {
            self.packets.begin();
            self.packets.push(&[command as u8], body);
            self.behind.push_back(stage);
        }
        self.flush().await
    }

    /// True where a message of so many bytes is taken.
    pub(super) fn takes(&self, length: usize) -> bool {
        length + 1 < self.longest
    }

    /// Sends a statement to be prepared.
    pub(super) async fn send_prepare(&mut self, sql: Bytes) -> Result<(), DbError> {
        self.push(Command::COM_STMT_PREPARE, sql, Stage::Prepared)?;
        self.flush().await
    }

    /// Sends a command that has no answer.
    pub(super) async fn tell(&mut self, command: Command, body: Bytes) -> Result<(), DbError> {
        self.push(command, body, Stage::Idle)?;
        self.flush().await
    }

    fn push(&mut self, command: Command, body: Bytes, stage: Stage) -> Result<(), DbError> {
        if let Some(error) = &self.lost {
            return Err(error.clone());
        }
        if !self.takes(body.len()) {
            return Err(error::too_long(body.len(), self.longest));
        }
        self.packets.begin();
        self.packets.push(&[command as u8], body);
        self.stage = stage;
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), DbError> {
        let Err(failure) = self.packets.flush().await else { return Ok(()) };
        // A server that ended the session said why before it closed the connection.
        let last_word = tokio::time::timeout(LAST_WORD, self.packets.next()).await;
        let said = match last_word {
            Ok(Ok(packet)) if packet.first() == Some(&reply::ERROR) => reply::error(&packet).ok(),
            _ => None,
        };
        Err(self.lose(said.map_or_else(|| error::broken(&failure), error::of_server)))
    }

    /// The connection cannot be used any more.
    fn lose(&mut self, error: DbError) -> DbError {
        let error = error::lost(error);
        self.stage = Stage::Idle;
        self.behind.clear();
        self.status = StatusFlags::empty();
        self.lost.get_or_insert(error).clone()
    }

    /// The next part of the answer.
    pub(super) async fn event(&mut self) -> Result<Event, DbError> {
        loop {
            if let Some(error) = &self.lost {
                return Err(error.clone());
            }
            let in_several = matches!(self.behind.front(), Some(Stage::Forbidden));
            self.packets.may_end_early = in_several && matches!(self.stage, Stage::Head);
            let packet = match self.packets.next().await {
                Ok(packet) => packet,
                Err(failure) => return Err(self.lose(error::broken(&failure))),
            };
            if std::mem::take(&mut self.packets.ended_early) {
                return self.interrupted(&packet);
            }
            // A session in which a script could be several statements is not used any further.
            let must_succeed = matches!(self.stage, Stage::Forbidden);
            let taken = self.take(&packet);
            if self.is_idle()
                && let Some(next) = self.behind.pop_front()
            {
                self.stage = next;
                self.packets.expect_answer();
            }
            match taken {
                Ok(Some(Event::Failed(said))) if must_succeed || error::ends_session(said.number) => {
                    return Err(self.lose(error::of_server(said)));
                }
                Ok(Some(event)) => return Ok(event),
                Ok(None) => {}
                Err(failure) => return Err(self.lose(error::broken(&failure))),
            }
        }
    }

    /// A KILL QUERY that comes between two statements of one message ends it there, and the server says nothing of it: the
    /// answer to the next command follows.
    fn interrupted(&mut self, packet: &Bytes) -> Result<Event, DbError> {
        self.stage = self.behind.pop_front().unwrap_or(Stage::Idle);
        match self.take(packet) {
            Ok(Some(Event::Switched)) => Ok(Event::Failed(ServerError {
                number: 1317,
                state: Some("70100".to_owned()),
                message: "Query execution was interrupted".to_owned(),
            })),
            Ok(_) => Err(self.lose(error::broken(&reply::malformed("answer to an option")))),
            Err(failure) => Err(self.lose(error::broken(&failure))),
        }
    }

    /// Takes one packet; None where nothing is to be told of it.
    fn take(&mut self, packet: &Bytes) -> io::Result<Option<Event>> {
        let first = packet.first().copied().ok_or_else(|| reply::malformed("empty packet"))?;
        let stage = std::mem::replace(&mut self.stage, Stage::Idle);
        if first == reply::ERROR {
            return reply::error(packet).map(|said| Some(Event::Failed(said)));
        }
        match stage {
            Stage::Idle => Err(reply::malformed("packet that nobody asked for")),
            Stage::Allowed | Stage::Forbidden if matches!(first, reply::OK | reply::END) => Ok(Some(Event::Switched)),
            Stage::Allowed | Stage::Forbidden => Err(reply::malformed("answer to an option")),
            Stage::Head if first == reply::OK => self.done(packet).map(Some),
            Stage::Head if first == reply::LOCAL_FILE => Err(reply::malformed("request for a local file")),
            Stage::Head => {
                let left = reply::count(packet)?;
                self.stage = Stage::Columns { left, columns: Vec::new() };
                Ok(None)
            }
            Stage::Columns { left, mut columns } => {
                columns.push(reply::column(packet)?);
                if left > 1 {
                    self.stage = Stage::Columns { left: left - 1, columns };
                    return Ok(None);
                }
                self.stage = Stage::Rows;
                Ok(Some(Event::Columns(columns.into())))
            }
            Stage::Rows if first == reply::END && packet.len() < LONGEST_END => self.done(packet).map(Some),
            Stage::Rows => {
                self.stage = Stage::Rows;
                Ok(Some(Event::Row(packet.clone())))
            }
            Stage::Prepared => {
                let statement = reply::prepared(packet)?;
                let left = u32::from(statement.num_params()) + u32::from(statement.num_columns());
                Ok(self.defined(left, statement))
            }
            Stage::Definitions { left, statement } => Ok(self.defined(left - 1, statement)),
        }
    }

    fn defined(&mut self, left: u32, statement: StmtPacket) -> Option<Event> {
        if left == 0 {
            return Some(Event::Prepared(statement));
        }
        self.stage = Stage::Definitions { left, statement };
        None
    }

    fn done(&mut self, packet: &Bytes) -> io::Result<Event> {
        let success = reply::success(packet)?;
        self.status = success.status;
        let more = success.status.contains(StatusFlags::SERVER_MORE_RESULTS_EXISTS);
        self.stage = if more { Stage::Head } else { Stage::Idle };
        Ok(Event::Done { success, more })
    }

    /// Sends what is still to be sent, and reads to the end of the answer.
    pub(super) async fn drain(&mut self) -> Result<(), DbError> {
        self.flush().await?;
        while !self.is_idle() {
            self.event().await?;
        }
        Ok(())
    }

    /// Reads to the end of the answer; rows are dropped as they come.
    pub(super) async fn finish(&mut self) -> Result<Success, Failure> {
        loop {
            match self.event().await? {
                Event::Done { success, more: false } => return Ok(success),
                Event::Failed(said) => return Err(Failure::Server(said)),
                _ => {}
            }
        }
    }

    /// Runs one statement and drops its rows.
    pub(super) async fn run(&mut self, sql: Bytes) -> Result<Success, Failure> {
        self.send(Command::COM_QUERY, sql).await?;
        self.finish().await
    }

    /// Runs one statement of the session's own.
    pub(super) async fn command(&mut self, sql: impl Into<String>) -> Result<Success, DbError> {
        self.run(Bytes::from(sql.into())).await.map_err(Failure::into_error)
    }

    /// Asks for a sign of life, which also says whether a transaction is open.
    pub(super) async fn ping(&mut self) -> Result<Success, DbError> {
        self.send(Command::COM_PING, Bytes::new()).await?;
        self.finish().await.map_err(Failure::into_error)
    }

    /// Ends the session in order.
    pub(super) async fn close(mut self) {
        if self.lost.is_none() && self.is_idle() && self.tell(Command::COM_QUIT, Bytes::new()).await.is_ok() {
            // The server closes first, so that it has let go of everything when this returns.
            let _ = self.packets.next().await;
        }
        let _ = self.packets.shutdown().await;
    }
}
