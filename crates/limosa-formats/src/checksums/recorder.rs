//! Checksums of files that are read part by part.

use limosa_core::{ForeignTool, hex};
use sha2::{Digest, Sha384};

/// What a tool would record of a file, made while the file is read.
pub struct Recorder(Kind);

enum Kind {
    Flyway {
        hasher: crc32fast::Hasher,
        head: Vec<u8>,
    },
    /// Characters that are left out, and the beginning of one that is not whole yet.
    Sqlx {
        hasher: Box<Sha384>,
        ignored: Vec<char>,
        held: Vec<u8>,
    },
    None,
}

/// U+FEFF in UTF-8.
const MARK: &[u8] = &[0xEF, 0xBB, 0xBF];

impl Recorder {
    /// For the tools that can be kept; of the others nothing is made. `ignored` are the characters that `ignored-chars` of
    /// `sqlx.toml` names.
    pub fn new(tool: ForeignTool, ignored: &[char]) -> Recorder {
        Recorder(match tool {
            ForeignTool::Flyway => Kind::Flyway { hasher: crc32fast::Hasher::new(), head: Vec::new() },
            ForeignTool::Sqlx => {
                Kind::Sqlx { hasher: Box::new(Sha384::new()), ignored: ignored.to_vec(), held: Vec::new() }
            }
            _ => Kind::None,
        })
    }

    /// False where the file need not be read.
    pub fn is_needed(&self) -> bool {
        !matches!(self.0, Kind::None)
    }

    /// Takes the next bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Kind::Flyway { hasher, head } if head.len() < MARK.len() => {
                // A mark may be cut in two.
                let (first, rest) = bytes.split_at(bytes.len().min(MARK.len() - head.len()));
                head.extend_from_slice(first);
                if head.len() == MARK.len() && head != MARK {
                    lines(hasher, &head.clone());
                }
                lines(hasher, rest);
            }
            Kind::Flyway { hasher, .. } => lines(hasher, bytes),
            Kind::Sqlx { hasher, ignored, .. } if ignored.is_empty() => hasher.update(bytes),
            Kind::Sqlx { hasher, ignored, held } => {
                held.extend_from_slice(bytes);
                let whole = match std::str::from_utf8(held) {
                    Ok(text) => text.len(),
                    Err(error) => error.valid_up_to(),
                };
                let rest = held.split_off(whole);
                hasher.update(String::from_utf8_lossy(held).replace(ignored.as_slice(), ""));
                *held = rest;
            }
            Kind::None => {}
        }
    }

    /// The checksum, as the tool's ledger has it as text.
    pub fn finish(self) -> Option<String> {
        match self.0 {
            Kind::Flyway { mut hasher, head } => {
                if head.len() < MARK.len() {
                    lines(&mut hasher, &head);
                }
                Some(hasher.finalize().cast_signed().to_string())
            }
            Kind::Sqlx { mut hasher, held, .. } => {
                hasher.update(held);
                Some(hex(&hasher.finalize()))
            }
            Kind::None => None,
        }
    }
}

/// Lines without their ends.
fn lines(hasher: &mut crc32fast::Hasher, bytes: &[u8]) {
    bytes.split(|byte| matches!(byte, b'\r' | b'\n')).for_each(|line| hasher.update(line));
}

#[cfg(test)]
mod tests {
    use limosa_core::ForeignRow;

    use super::*;
    use crate::checksums::record;

    #[test]
    fn parts_make_what_the_whole_makes() {
        let files: [&[u8]; 6] = [
            b"",
            b"a",
            b"\xEF\xBB",
            b"\xEF\xBB\xBFselect 1;\r\nselect 2;",
            b"select 1;\n\n\nselect 2;\r",
            "select 'ö';\n".as_bytes(),
        ];
        for tool in [ForeignTool::Flyway, ForeignTool::Sqlx, ForeignTool::Goose] {
            for bytes in files {
                for size in 1..=bytes.len().max(1) {
                    let mut recorder = Recorder::new(tool, &[]);
                    bytes.chunks(size).for_each(|part| recorder.feed(part));
                    let whole = record(tool, bytes, &ForeignRow::default());
                    assert_eq!(recorder.finish(), whole, "{tool:?} {bytes:?} in parts of {size}");
                }
            }
        }
    }

    #[test]
    fn characters_that_sqlx_ignores_are_left_out() {
        let text = "\u{feff}select 'ö';\r\n";
        for size in 1..=text.len() {
            let mut recorder = Recorder::new(ForeignTool::Sqlx, &['\r', '\u{feff}']);
            text.as_bytes().chunks(size).for_each(|part| recorder.feed(part));
            let bare = record(ForeignTool::Sqlx, "select 'ö';\n".as_bytes(), &ForeignRow::default());
            assert_eq!(recorder.finish(), bare, "in parts of {size}");
        }
    }
}
