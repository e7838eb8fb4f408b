//! PostgreSQL's messages, version 3 of the protocol.

/// Who sent a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The client: the documentation's frontend.
    Client,
    /// The server: the documentation's backend.
    Server,
}

/// One message that went through the proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Number of the connection, from 1 at each reset of the proxy.
    pub connection: usize,
    /// Who sent it.
    pub side: Side,
    /// Its type byte, or `!` for a packet of the start-up, which has none.
    pub kind: char,
    /// SQL of Query and Parse, tag of CommandComplete, message of ErrorResponse and NoticeResponse,
    /// kind of a start-up packet; empty for all others.
    pub text: String,
}

/// A message in a stream of bytes: its length, its type and its text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// Bytes of the whole message, type byte and length included.
    pub(super) length: usize,
    pub(super) kind: char,
    pub(super) text: String,
}

/// Type of packets without a type byte: the first ones of a connection.
pub(super) const START_UP: char = '!';

const SSL_REQUEST: u32 = 80_877_103;
const CANCEL_REQUEST: u32 = 80_877_102;
const GSS_REQUEST: u32 = 80_877_104;

/// What stands at the front of a buffer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Front {
    Frame(Frame),
    /// More bytes are needed.
    Partial,
    /// Not the protocol: TLS, or nonsense. It is passed on unread.
    Opaque,
}

/// Reads a packet without a type byte.
pub(super) fn start_up(bytes: &[u8]) -> Front {
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
    Front::Frame(Frame { length, kind: START_UP, text: text.to_owned() })
}

/// Reads a packet with a type byte.
pub(super) fn typed(side: Side, bytes: &[u8]) -> Front {
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
    Front::Frame(Frame { length, kind, text: text(side, kind, body) })
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
        let expected = Frame { length: bytes.len(), kind, text: text.to_owned() };
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
            let expected = Frame { length: 8, kind: START_UP, text: text.to_owned() };
            assert_eq!(start_up(&bytes), Front::Frame(expected));
            assert_eq!(start_up(&bytes[..7]), Front::Partial);
        }
        assert_eq!(start_up(&[0x16, 3, 1, 0]), Front::Opaque);
    }
}
