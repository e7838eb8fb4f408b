//! Messages of MySQL and MariaDB, version 10 of the protocol.
//!
//! MariaDB documentation, "Client/Server Protocol". Packets have no type byte: what one means depends on what was said
//! before, so both sides are read by one [`Mysql`].

mod answer;
mod packet;

use std::collections::{HashMap, VecDeque};

use answer::{Answer, Asked, Next};
use packet::{Capabilities, Packet, number};

use super::{Conversation, Frame, Front, Side};

/// Kind of the packets before the first command.
const START_UP: char = '!';

/// One connection.
#[derive(Default)]
pub(super) struct Mysql {
    phase: Phase,
    server: Capabilities,
    /// What client and server both can.
    both: Capabilities,
    /// The packet before was full: the next one of the same side goes on with it. By [`Side`].
    unfinished: [bool; 2],
    /// Commands that the server has not answered to their end, the oldest first.
    pending: VecDeque<Answer>,
    /// SQL of prepared statements, by number.
    prepared: HashMap<u32, String>,
    /// The server waits for a local file.
    wants_file: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// The server speaks first.
    #[default]
    Greeting,
    /// The client answers the greeting.
    Response,
    /// Who the client is gets proven, at the start or after a change of the user.
    Authentication,
    Commands,
    /// Encrypted, compressed or unknown.
    Opaque,
}

impl Conversation for Mysql {
    fn next(&mut self, side: Side, bytes: &[u8]) -> Front {
        if self.phase == Phase::Opaque {
            return Front::Opaque;
        }
        let Some(packet) = Packet::read(bytes) else { return Front::Partial };
        let unfinished = &mut self.unfinished[side as usize];
        let rest = std::mem::replace(unfinished, packet.is_full());
        let seen = match side {
            _ if rest => Some(Seen::new('+', "")),
            Side::Client => self.client(packet.body),
            Side::Server => self.server(packet.body),
        };
        let Some(Seen { kind, text, asks }) = seen else {
            self.phase = Phase::Opaque;
            return Front::Opaque;
        };
        Front::Frame(Frame { length: packet.length, kind, text, asks })
    }
}

/// What a packet is.
struct Seen {
    kind: char,
    text: String,
    asks: bool,
}

impl Seen {
    fn new(kind: char, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), asks: false }
    }
}

impl Mysql {
    /// `None` where it is not the protocol.
    fn client(&mut self, body: &[u8]) -> Option<Seen> {
        match self.phase {
            Phase::Response => {
                let claimed = Capabilities::of_response(body)?;
                self.both = claimed.and(self.server);
                // The packet that only asks for TLS ends where a user's name would begin.
                let text = if claimed.has(Capabilities::TLS) && body.len() <= 32 {
                    self.phase = Phase::Opaque;
                    "SSLRequest"
                } else {
                    self.phase = Phase::Authentication;
                    "HandshakeResponse"
                };
                Some(Seen::new(START_UP, text))
            }
            Phase::Authentication => Some(Seen::new(START_UP, "AuthResponse")),
            Phase::Commands if self.wants_file => {
                self.wants_file = !body.is_empty();
                Some(Seen::new('d', ""))
            }
            Phase::Commands => self.command(body),
            Phase::Greeting | Phase::Opaque => None,
        }
    }

    fn command(&mut self, body: &[u8]) -> Option<Seen> {
        let (code, rest) = body.split_first()?;
        let (kind, text, asked) = match code {
            0x01 => ('X', String::new(), None),
            0x02 => ('I', lossy(rest), Some(Asked::Result)),
            0x03 => ('Q', self.query(rest), Some(Asked::Result)),
            0x04 => ('O', String::new(), Some(Asked::Rows)),
            0x09 => ('O', String::new(), Some(Asked::OnePacket)),
            0x0e => ('H', String::new(), Some(Asked::Result)),
            0x11 => {
                self.phase = Phase::Authentication;
                ('O', String::new(), None)
            }
            // A replica's stream of events has no end.
            0x12 | 0x1e => return None,
            0x16 => ('P', lossy(rest), Some(Asked::Prepare)),
            0x17 | 0xfa => ('E', self.prepared_text(rest), Some(Asked::Result)),
            0x18 => ('d', String::new(), None),
            0x19 => {
                self.prepared.remove(&number(rest, 4)?);
                ('U', String::new(), None)
            }
            0x1c => ('O', String::new(), Some(Asked::Rows)),
            0x1f => ('R', String::new(), Some(Asked::Result)),
            _ => ('O', String::new(), Some(Asked::Result)),
        };
        let mut seen = Seen::new(kind, text);
        seen.asks = asked.is_some() || *code == 0x11;
        if let Some(asked) = asked {
            self.pending.push_back(Answer::new(asked, seen.text.clone()));
        }
        Some(seen)
    }

    /// Attributes of a query stand before its text where both sides know them.
    fn query(&self, body: &[u8]) -> String {
        let without = match body {
            [0, _, sql @ ..] if self.both.has(Capabilities::QUERY_ATTRIBUTES) => sql,
            _ => body,
        };
        lossy(without)
    }

    fn prepared_text(&self, body: &[u8]) -> String {
        number(body, 4).and_then(|id| self.prepared.get(&id)).cloned().unwrap_or_default()
    }

    fn server(&mut self, body: &[u8]) -> Option<Seen> {
        let first = *body.first()?;
        match self.phase {
            Phase::Greeting if first == 0xff => Some(Seen::new('E', packet::error_text(body))),
            Phase::Greeting => {
                self.server = Capabilities::of_greeting(body)?;
                self.phase = Phase::Response;
                Some(Seen::new(START_UP, "Greeting"))
            }
            Phase::Authentication => Some(self.authentication(first, body)),
            Phase::Commands => self.answer(body),
            // A server that shuts down says so whenever it likes.
            Phase::Response if first == 0xff => Some(Seen::new('E', packet::error_text(body))),
            Phase::Response | Phase::Opaque => None,
        }
    }

    fn authentication(&mut self, first: u8, body: &[u8]) -> Seen {
        match first {
            0x00 => {
                self.phase = if self.both.compresses() { Phase::Opaque } else { Phase::Commands };
                Seen::new(START_UP, "AuthOk")
            }
            0xff => Seen::new('E', packet::error_text(body)),
            0xfe => Seen::new(START_UP, "AuthSwitchRequest"),
            _ => Seen::new(START_UP, "AuthMoreData"),
        }
    }

    fn answer(&mut self, body: &[u8]) -> Option<Seen> {
        let Some(answer) = self.pending.front_mut() else {
            // Nobody asked: the session was killed or the server shuts down.
            return (body.first() == Some(&0xff)).then(|| Seen::new('E', packet::error_text(body)));
        };
        let step = answer.step(body, self.both)?;
        let text = match step.kind {
            'C' | '1' => answer.sql.clone(),
            'E' => packet::error_text(body),
            _ => String::new(),
        };
        if let Some(id) = step.prepared {
            self.prepared.insert(id, answer.sql.clone());
        }
        match step.next {
            Next::More => {}
            Next::File => self.wants_file = true,
            Next::Done => drop(self.pending.pop_front()),
        }
        Some(Seen::new(step.kind, text))
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests;
