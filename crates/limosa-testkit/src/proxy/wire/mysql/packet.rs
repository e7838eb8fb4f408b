//! Packets, numbers, and what both sides say they can.

/// One packet: three bytes of length, one of sequence, then its body.
pub(super) struct Packet<'a> {
    /// Bytes of header and body.
    pub(super) length: usize,
    pub(super) body: &'a [u8],
}

/// The length of a body that goes on in the next packet.
const FULL: usize = 0xff_ffff;

impl<'a> Packet<'a> {
    /// `None` where more bytes are needed.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let length = number(bytes, 3)? as usize + 4;
        let body = bytes.get(4..length)?;
        Some(Self { length, body })
    }

    /// True where the message goes on in the next packet.
    pub(super) fn is_full(&self) -> bool {
        self.body.len() == FULL
    }
}

/// A number of up to four bytes, the lowest first.
pub(super) fn number(bytes: &[u8], width: usize) -> Option<u32> {
    let digits = bytes.get(..width)?;
    Some(digits.iter().rev().fold(0, |sum, byte| sum << 8 | u32::from(*byte)))
}

/// A number that says its own width, and the bytes that it takes.
pub(super) fn counted(bytes: &[u8]) -> Option<(u64, usize)> {
    let wide = |width: usize| {
        let digits = bytes.get(1..=width)?;
        Some((digits.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte)), width + 1))
    };
    match bytes.first()? {
        0xfc => wide(2),
        0xfd => wide(3),
        0xfe => wide(8),
        0xfb | 0xff => None,
        small => Some((u64::from(*small), 1)),
    }
}

/// The message of an error packet.
pub(super) fn error_text(body: &[u8]) -> String {
    let text = body.get(3..).unwrap_or_default();
    // `#` and five characters of SQLSTATE.
    let text = if text.first() == Some(&b'#') { text.get(6..).unwrap_or_default() } else { text };
    String::from_utf8_lossy(text).into_owned()
}

/// A set of flags that the two sides exchange.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Capabilities(u64);

impl Capabilities {
    /// Compressed packets.
    const COMPRESS: u64 = 1 << 5;
    /// TLS.
    pub(super) const TLS: u64 = 1 << 11;
    /// Rows end with an OK packet and columns without any.
    pub(super) const NO_EOF: u64 = 1 << 24;
    /// Compression by Zstandard.
    const COMPRESS_ZSTD: u64 = 1 << 26;
    /// Attributes of a query before its text.
    pub(super) const QUERY_ATTRIBUTES: u64 = 1 << 27;
    /// MariaDB: columns that the client knows already are left out.
    pub(super) const CACHED_COLUMNS: u64 = 1 << 36;
    /// Not set by a server of MariaDB.
    const CLIENT_MYSQL: u64 = 1;

    pub(super) fn has(self, flag: u64) -> bool {
        self.0 & flag != 0
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) fn compresses(self) -> bool {
        self.has(Self::COMPRESS | Self::COMPRESS_ZSTD)
    }

    /// After the version's text: number of the connection, 8 bytes and a zero, flags in two halves with four bytes
    /// between, and MariaDB's own at the end of ten reserved bytes.
    pub(super) fn of_greeting(body: &[u8]) -> Option<Self> {
        if body.first() != Some(&10) {
            return None;
        }
        let end = body.iter().position(|byte| *byte == 0)?;
        let rest = body.get(end + 1 + 4 + 8 + 1..)?;
        let (low, high) = (number(rest, 2)?, number(rest.get(5..)?, 2)?);
        let flags = u64::from(low) | u64::from(high) << 16;
        let own = number(rest.get(14..)?, 4)?;
        Some(Self(flags).with_mariadb(own))
    }

    /// Flags, longest packet, character set, 19 reserved bytes, and MariaDB's own flags.
    pub(super) fn of_response(body: &[u8]) -> Option<Self> {
        let flags = Self(u64::from(number(body, 4)?));
        Some(flags.with_mariadb(number(body.get(28..)?, 4)?))
    }

    fn with_mariadb(self, own: u32) -> Self {
        if self.has(Self::CLIENT_MYSQL) { self } else { Self(self.0 | u64::from(own) << 32) }
    }
}
