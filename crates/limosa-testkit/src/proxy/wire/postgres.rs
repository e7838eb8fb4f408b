//! PostgreSQL's messages, version 3 of the protocol.
//!
//! PostgreSQL documentation, chapter "Frontend/Backend Protocol", "Message Formats".

use super::{Conversation, Frame, Front, Side};

/// Type of packets without a type byte: the first ones of a connection.
const START_UP: char = '!';

const SSL_REQUEST: u32 = 80_877_103;
const CANCEL_REQUEST: u32 = 80_877_102;
const GSS_REQUEST: u32 = 80_877_104;

/// One connection.
#[derive(Default)]
pub(super) struct Postgres {
    /// The packets with type bytes have begun.
    started: bool,
    /// The stream is encrypted or unknown: nothing can be read in it.
    opaque: bool,
    /// The client's requests for encryption that the server has not answered.
    bare_answers: usize,
    /// The first ReadyForQuery has passed.
    ready: bool,
}

impl Conversation for Postgres {
    fn next(&mut self, side: Side, bytes: &[u8]) -> Front {
        if self.opaque {
            return Front::Opaque;
        }
        let front = match side {
            Side::Client if !self.started => self.start(bytes),
            Side::Server if self.bare_answers > 0 => self.bare_answer(bytes),
            _ => self.typed(side, bytes),
        };
        self.opaque |= front == Front::Opaque;
        front
    }
}

impl Postgres {
    fn start(&mut self, bytes: &[u8]) -> Front {
        let front = start_up(bytes);
        if let Front::Frame(frame) = &front {
            match frame.text.as_str() {
                "SSLRequest" | "GSSENCRequest" => self.bare_answers += 1,
                "CancelRequest" => self.opaque = true,
                _ => self.started = true,
            }
        }
        front
    }

    /// The answer to a request for encryption is one byte without a frame.
    fn bare_answer(&mut self, bytes: &[u8]) -> Front {
        let Some(byte) = bytes.first() else { return Front::Partial };
        self.bare_answers -= 1;
        self.opaque = matches!(byte, b'S' | b'G');
        Front::Bare(1)
    }

    fn typed(&mut self, side: Side, bytes: &[u8]) -> Front {
        let mut front = typed(side, bytes);
        if let Front::Frame(frame) = &mut front {
            match side {
                Side::Client => frame.asks = self.ready && frame.kind != 'X',
                Side::Server => self.ready |= frame.kind == 'Z',
            }
        }
        front
    }
}

/// Reads a packet without a type byte.
fn start_up(bytes: &[u8]) -> Front {
    if bytes.first() == Some(&0x16) {
        return Front::Opaque;
    }
    let (Some(length), Some(code)) = (number(bytes, 0), number(bytes, 4)) else {
        return Front::Partial;
    };
    let length = length as usize;
    if !(8..=1 << 20).contains(&length) {
        return Front::Opaque;
    }
    if bytes.len() < length {
        return Front::Partial;
    }
    let text = match code {
        SSL_REQUEST => "SSLRequest",
        GSS_REQUEST => "GSSENCRequest",
        CANCEL_REQUEST => "CancelRequest",
        _ => "StartupMessage",
    };
    Front::Frame(Frame { length, kind: START_UP, text: text.to_owned(), asks: false })
}

/// Reads a packet with a type byte.
fn typed(side: Side, bytes: &[u8]) -> Front {
    let (Some(kind), Some(length)) = (bytes.first(), number(bytes, 1)) else {
        return Front::Partial;
    };
    let length = length as usize + 1;
    if length < 5 || !kind.is_ascii_graphic() {
        return Front::Opaque;
    }
    let Some(body) = bytes.get(5..length) else {
        return Front::Partial;
    };
    let kind = char::from(*kind);
    Front::Frame(Frame { length, kind, text: text(side, kind, body), asks: false })
}

fn text(side: Side, kind: char, body: &[u8]) -> String {
    let mut strings = body.split(|byte| *byte == 0);
    let chosen = match (side, kind) {
        (Side::Client, 'Q') | (Side::Server, 'C') => strings.next(),
        (Side::Client, 'P') => strings.nth(1),
        (Side::Server, 'E' | 'N') => {
            strings.find_map(|field| field.split_first().filter(|f| *f.0 == b'M').map(|f| f.1))
        }
        _ => None,
    };
    String::from_utf8_lossy(chosen.unwrap_or_default()).into_owned()
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let four: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_be_bytes(four))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap();
        [&[kind], &length.to_be_bytes()[..], body].concat()
    }

    fn check(side: Side, bytes: &[u8], kind: char, text: &str) {
        let expected = Frame { length: bytes.len(), kind, text: text.to_owned(), asks: false };
        let more = [bytes, b"rest"].concat();
        assert_eq!(typed(side, &more), Front::Frame(expected));
        for end in 0..bytes.len() {
            assert_eq!(typed(side, &bytes[..end]), Front::Partial, "{end} bytes");
        }
    }

    #[test]
    fn messages_show_kind_length_and_text() {
        check(Side::Client, &message(b'Q', b"select 1\0"), 'Q', "select 1");
        check(Side::Client, &message(b'P', b"name\0select $1\0\0\0"), 'P', "select $1");
        check(Side::Client, &message(b'S', b""), 'S', "");
        check(Side::Server, &message(b'C', b"INSERT 0 5\0"), 'C', "INSERT 0 5");
        check(Side::Server, &message(b'E', b"SERROR\0C42601\0Mbad\0\0"), 'E', "bad");
        check(Side::Server, &message(b'Z', b"I"), 'Z', "");
    }

    #[test]
    fn start_up_packets_are_told_apart() {
        for (code, text) in [
            (SSL_REQUEST, "SSLRequest"),
            (GSS_REQUEST, "GSSENCRequest"),
            (CANCEL_REQUEST, "CancelRequest"),
            (196_608, "StartupMessage"),
        ] {
            let bytes = [8_u32.to_be_bytes(), code.to_be_bytes()].concat();
            let expected = Frame { length: 8, kind: START_UP, text: text.to_owned(), asks: false };
            assert_eq!(start_up(&bytes), Front::Frame(expected));
            assert_eq!(start_up(&bytes[..7]), Front::Partial);
        }
        assert_eq!(start_up(&[0x16, 3, 1, 0]), Front::Opaque);
    }

    #[test]
    fn a_client_asks_once_the_session_is_ready_and_encryption_hides_the_rest() {
        let start = [8_u32.to_be_bytes(), 196_608_u32.to_be_bytes()].concat();
        let asks = |talk: &mut Postgres, bytes: &[u8]| match talk.next(Side::Client, bytes) {
            Front::Frame(frame) => frame.asks,
            other => panic!("{other:?}"),
        };
        let mut talk = Postgres::default();
        assert!(!asks(&mut talk, &start));
        assert!(!asks(&mut talk, &message(b'Q', b"select 1\0")));
        talk.next(Side::Server, &message(b'Z', b"I"));
        assert!(asks(&mut talk, &message(b'Q', b"select 1\0")));
        assert!(!asks(&mut talk, &message(b'X', b"")));

        let request = [8_u32.to_be_bytes(), SSL_REQUEST.to_be_bytes()].concat();
        for (answer, after) in [(b"N", false), (b"S", true)] {
            let mut talk = Postgres::default();
            assert!(!asks(&mut talk, &request));
            assert_eq!(talk.next(Side::Server, answer), Front::Bare(1));
            assert_eq!(talk.next(Side::Client, &start) == Front::Opaque, after);
        }
    }
}
