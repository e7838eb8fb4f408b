//! Messages in streams of bytes, in one shape for every protocol.

mod mysql;
mod postgres;

/// Who sent a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The client: PostgreSQL's documentation calls it the frontend.
    Client,
    /// The server: PostgreSQL's documentation calls it the backend.
    Server,
}

/// One message that went through the proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Number of the connection, from 1 at each reset of the proxy.
    pub connection: usize,
    /// Who sent it.
    pub side: Side,
    /// What it is; `!` stands for a packet of the start-up.
    ///
    /// PostgreSQL: its type byte. MySQL has none, so the letters are PostgreSQL's where it has such a message.
    ///
    /// | of the client | MySQL | of the server | MySQL |
    /// |---|---|---|---|
    /// | `Q` | query | `C` | OK, or the end of a set of rows |
    /// | `P` | prepare | `1` | a statement is prepared |
    /// | `E` | execute a prepared statement | `T` | a column, or the number of columns |
    /// | `X` | quit | `D` | row |
    /// | `U` | close a prepared statement | `E` | error |
    /// | `d` | data of a local file or a long value | `N` | progress report |
    /// | `I` | use another database | `G` | request for a local file |
    /// | `H` | ping | `+` | the rest of a message of 16 MiB or more |
    /// | `R` | reset the session | | |
    /// | `O` | any other command | | |
    pub kind: char,
    /// PostgreSQL: SQL of Query and Parse, tag of CommandComplete, message of ErrorResponse and NoticeResponse.
    /// MySQL: SQL of query, prepare and execute, and of what answers it: `1` and `C`; message of an error.
    /// Both: kind of a start-up packet; empty for all others.
    pub text: String,
}

/// Which protocol a client and a server speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// PostgreSQL's, version 3.
    Postgres,
    /// That of MySQL and MariaDB, version 10.
    Mysql,
}

/// A message in a stream of bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// Bytes of the whole message, its header included.
    pub(super) length: usize,
    pub(super) kind: char,
    pub(super) text: String,
    /// The client sent it on a session that is ready, and the server will answer.
    pub(super) asks: bool,
}

/// What stands at the front of a buffer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Front {
    Frame(Frame),
    /// Bytes outside of all messages, so many.
    Bare(usize),
    /// More bytes are needed.
    Partial,
    /// Not the protocol: TLS, compression, or nonsense. It is passed on unread, and all that comes after it.
    Opaque,
}

/// What one connection has said so far, as far as it decides what the next bytes mean.
pub(super) trait Conversation: Send {
    /// Reads what stands at the front of the bytes of one side, once: a frame that was returned counts as said.
    fn next(&mut self, side: Side, bytes: &[u8]) -> Front;
}

impl Protocol {
    pub(super) fn conversation(self) -> Box<dyn Conversation> {
        match self {
            Self::Postgres => Box::<postgres::Postgres>::default(),
            Self::Mysql => Box::<mysql::Mysql>::default(),
        }
    }
}
