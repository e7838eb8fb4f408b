//! At which message a connection ends.

use super::wire::{Message, Side};

/// One broken connection: which message, before or after it, and how it looks to the client.
///
/// ```
/// # use limosa_testkit::proxy::{Cut, Ending, Side};
/// let lost_answer = Cut::before_completion("COMMIT"); // the server has committed, nobody hears it
/// let fifth = Cut::after(Side::Client, 5).ending(Ending::Reset);
/// ```
///
/// The server sees the client's end as end-of-file, after all that has been forwarded to it.
#[derive(Clone, Debug)]
pub struct Cut {
    at: At,
    pub(super) forward: bool,
    pub(super) ending: Ending,
}

#[derive(Clone, Debug)]
enum At {
    Number(Side, usize),
    Completion(String),
    Text(Side, String),
}

/// How the client's socket ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// End-of-file, as when the server process ends.
    Close,
    /// Reset by peer, as when a router or a firewall drops the connection.
    Reset,
    /// Not yet: all traffic of the proxy stands still, so that the client can be killed at this very message. The
    /// connection ends when the traffic is made to flow again, and nothing more of the client arrives.
    Hang,
}

impl Cut {
    /// Ends the connection instead of forwarding the `number`-th message of one side (from 1, over
    /// all connections, those of start-up and authentication included).
    pub fn before(side: Side, number: usize) -> Self {
        Self { at: At::Number(side, number), forward: false, ending: Ending::Close }
    }

    /// Ends the connection when the `number`-th message of one side has been forwarded.
    pub fn after(side: Side, number: usize) -> Self {
        Self { at: At::Number(side, number), forward: true, ending: Ending::Close }
    }

    /// Ends the connection instead of forwarding what completes a statement, `COMMIT` for example: the work is done
    /// and the client is not told. PostgreSQL: a CommandComplete with this tag. MySQL: the OK, or the end of the rows,
    /// that answers this SQL. Upper and lower case are the same.
    pub fn before_completion(tag: &str) -> Self {
        Self { at: At::Completion(tag.to_owned()), forward: false, ending: Ending::Close }
    }

    /// Ends the connection instead of forwarding the first message of one side whose text contains this.
    pub fn before_text(side: Side, text: &str) -> Self {
        Self { at: At::Text(side, text.to_owned()), forward: false, ending: Ending::Close }
    }

    /// Ends the connection when the first message of one side whose text contains this has been forwarded.
    pub fn after_text(side: Side, text: &str) -> Self {
        Self { at: At::Text(side, text.to_owned()), forward: true, ending: Ending::Close }
    }

    /// How the client sees the end; without this it is [`Ending::Close`].
    #[must_use]
    pub fn ending(mut self, ending: Ending) -> Self {
        self.ending = ending;
        self
    }

    /// `number` counts the messages of the message's side, this one included.
    pub(super) fn is_at(&self, message: &Message, number: usize) -> bool {
        match &self.at {
            At::Number(side, wanted) => *side == message.side && *wanted == number,
            At::Completion(tag) => {
                message.side == Side::Server && message.kind == 'C' && message.text.eq_ignore_ascii_case(tag)
            }
            At::Text(side, text) => *side == message.side && message.text.contains(text.as_str()),
        }
    }
}
