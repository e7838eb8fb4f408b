//! Files that hold both directions: lines of comment say where a section begins that leads up, or back.
//!
//! A [`SectionMask`] gives the sections of one direction as a text of the same length, in which everything else is blank: offsets,
//! lines and columns are those of the file.

mod line_ends;
mod liquibase;
mod marks;

pub use line_ends::LineEnds;
pub use marks::{Mark, Markers};

use limosa_sql::ExecutableCommentMask;

use crate::Direction;

/// A part of a file, as a [`SectionScanner`] comes past it. Parts follow each other without gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'a> {
    /// Bytes within a section of this direction; None above the first marker. They may begin and end within a line.
    Plain(Option<Direction>, &'a [u8]),
    /// A whole line, with its end, that is a marker.
    Marker {
        /// What it says.
        mark: Mark,
        /// The section that it stands in, or that it ends.
        within: Option<Direction>,
        /// The line.
        line: &'a [u8],
    },
}

impl Part<'_> {
    /// The bytes of the file.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Part::Plain(_, bytes) | Part::Marker { line: bytes, .. } => bytes,
        }
    }

    /// True where a statement of this direction that stands above it ends, whether or not a semicolon says so.
    pub fn ends_statement(&self, direction: Direction) -> bool {
        match self {
            Part::Marker { mark: Mark::StatementEnd | Mark::Section { .. }, within, .. } => *within == Some(direction),
            _ => false,
        }
    }
}

/// Tells the sections of a file apart as it streams past; chunks may be cut anywhere.
#[derive(Debug, Clone)]
pub struct SectionScanner {
    markers: Markers,
    section: Option<Direction>,
    /// Directions whose marker was seen.
    seen: Vec<Direction>,
    /// The beginning of a line that may be a marker.
    held: Vec<u8>,
    /// Within a line that is none.
    is_plain: bool,
    is_first_line: bool,
    block: Block,
}

/// Lines that are read together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    /// None.
    Open,
    /// A comment that holds what leads back.
    Back,
    /// So many lines that count for nothing; without a number, up to the marker that ends them.
    Ignored(Option<u64>),
}

impl SectionScanner {
    /// A scanner for a file with these markers.
    pub fn new(markers: Markers) -> SectionScanner {
        let section = markers.first_section();
        SectionScanner {
            markers,
            section,
            seen: Vec::new(),
            held: Vec::new(),
            is_plain: false,
            is_first_line: true,
            block: Block::Open,
        }
    }

    /// Reads the next bytes. The beginning of a line that may be a marker is held back.
    pub fn feed(&mut self, bytes: &[u8], visit: &mut dyn FnMut(Part<'_>)) {
        let (mut told, mut at) = (0, 0);
        while at < bytes.len() {
            let end = bytes[at..].iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |found| at + found + 1);
            let (part, is_ended) = (&bytes[at..end], bytes[end - 1] == b'\n');
            if self.is_plain || (self.held.is_empty() && !self.may_be_marker(part)) {
                self.is_plain = !is_ended;
                self.is_first_line = false;
            } else {
                self.plain(&bytes[told..at], visit);
                told = end;
                self.held.extend_from_slice(part);
                if is_ended {
                    self.line(visit);
                } else if self.held.len() > self.markers.line_limit() || !self.may_be_marker(&self.held) {
                    let held = std::mem::take(&mut self.held);
                    self.plain(&held, visit);
                    (self.is_plain, self.is_first_line) = (true, false);
                }
            }
            at = end;
        }
        self.plain(&bytes[told..], visit);
    }

    /// Says that no more bytes will come.
    pub fn finish(&mut self, visit: &mut dyn FnMut(Part<'_>)) {
        self.line(visit);
    }

    fn plain(&self, bytes: &[u8], visit: &mut dyn FnMut(Part<'_>)) {
        if !bytes.is_empty() {
            visit(Part::Plain(self.section, bytes));
        }
    }

    /// The line that was held back is whole.
    fn line(&mut self, visit: &mut dyn FnMut(Part<'_>)) {
        let held = std::mem::take(&mut self.held);
        let mark =
            std::str::from_utf8(&held).ok().and_then(|line| self.markers.read(without_mark(line, self.is_first_line)));
        self.is_first_line = false;
        if self.block != Block::Open {
            self.line_of_block(&held, mark, visit);
            return;
        }
        match mark.filter(|mark| self.counts(*mark)) {
            None => self.plain(&held, visit),
            Some(mark @ Mark::BackLine { start }) => {
                let within = self.section;
                visit(Part::Marker { mark, within, line: &held[..start] });
                visit(Part::Plain(Some(Direction::Revert), &held[start..]));
            }
            Some(mark) => {
                let within = self.section;
                self.block = match mark {
                    Mark::BackBegin => Block::Back,
                    Mark::IgnoreBegin => Block::Ignored(None),
                    Mark::Ignore(count @ 1..) => Block::Ignored(Some(count)),
                    _ => Block::Open,
                };
                visit(Part::Marker { mark, within, line: &held });
                if let Mark::Section { direction, .. } = mark {
                    self.section = Some(direction);
                    self.seen.retain(|seen| *seen != direction);
                    self.seen.push(direction);
                }
            }
        }
    }

    /// A line that belongs to those before it, whatever it says itself.
    fn line_of_block(&mut self, line: &[u8], mark: Option<Mark>, visit: &mut dyn FnMut(Part<'_>)) {
        if line.is_empty() {
            return;
        }
        let within = self.section;
        match self.block {
            Block::Back => {
                let end = liquibase::comment_end(line).unwrap_or(line.len());
                if end > 0 {
                    visit(Part::Plain(Some(Direction::Revert), &line[..end]));
                }
                if end < line.len() {
                    visit(Part::Marker { mark: Mark::Note, within, line: &line[end..] });
                    self.block = Block::Open;
                }
            }
            Block::Ignored(left) => {
                visit(Part::Marker { mark: Mark::Note, within, line });
                self.block = match left {
                    None if mark == Some(Mark::IgnoreEnd) => Block::Open,
                    None => Block::Ignored(None),
                    Some(left @ 2..) => Block::Ignored(Some(left - 1)),
                    Some(_) => Block::Open,
                };
            }
            Block::Open => {}
        }
    }

    /// Where only the first marker of a direction is one, others are comments.
    fn counts(&self, mark: Mark) -> bool {
        match mark {
            Mark::Section { direction, .. } => !self.markers.are_single() || !self.seen.contains(&direction),
            _ => true,
        }
    }

    /// True where a line that begins like this may be a marker: with `--`, behind blanks.
    fn may_be_marker(&self, start: &[u8]) -> bool {
        const MARK: &[u8] = "\u{feff}".as_bytes();
        if self.block != Block::Open {
            return true;
        }
        let bare = match self.is_first_line {
            true if start.len() < MARK.len() && MARK.starts_with(start) => return true,
            true => start.strip_prefix(MARK).unwrap_or(start),
            false => start,
        };
        let bare = bare.trim_ascii_start();
        let begins = |mark: &[u8]| bare.starts_with(mark) || (bare.len() < mark.len() && mark.starts_with(bare));
        begins(b"--") || (self.markers.have_blocks() && begins(b"/*"))
    }
}

fn without_mark(line: &str, is_first: bool) -> &str {
    if is_first { line.trim_start_matches('\u{feff}') } else { line }
}

/// Gives the sections of one direction, everything else as blanks; chunks may be cut anywhere. Line ends stay where they are. Where a
/// statement ends without a semicolon because its section does, one stands at the start of the line that says so.
#[derive(Debug, Clone)]
pub struct SectionMask {
    scanner: SectionScanner,
    direction: Direction,
    /// What it goes through besides, and the bytes on the way there.
    strips: Option<(ExecutableCommentMask, Vec<u8>)>,
    line_ends: Option<LineEnds>,
}

impl SectionMask {
    /// A mask for a file with these markers.
    pub fn new(markers: Markers, direction: Direction) -> SectionMask {
        let strips = markers.strips().map(|mask| (mask, Vec::new()));
        let line_ends = markers.joins_lines().then(LineEnds::default);
        SectionMask { scanner: SectionScanner::new(markers), direction, strips, line_ends }
    }

    /// Adds the next bytes of the file to `masked`, as far as they are decided.
    pub fn feed(&mut self, bytes: &[u8], masked: &mut Vec<u8>) {
        let (direction, from) = (self.direction, masked.len());
        match &mut self.strips {
            None => self.scanner.feed(bytes, &mut |part| mask(part, direction, masked)),
            Some((strips, between)) => {
                self.scanner.feed(bytes, &mut |part| mask(part, direction, between));
                strips.feed(between, masked);
                between.clear();
            }
        }
        if let Some(line_ends) = &mut self.line_ends {
            line_ends.join(masked, from, false);
        }
    }

    /// Says that no more bytes will come; adds what was held back.
    pub fn finish(&mut self, masked: &mut Vec<u8>) {
        let (direction, from) = (self.direction, masked.len());
        match &mut self.strips {
            None => self.scanner.finish(&mut |part| mask(part, direction, masked)),
            Some((strips, between)) => {
                self.scanner.finish(&mut |part| mask(part, direction, between));
                strips.feed(between, masked);
                strips.finish(masked);
                between.clear();
            }
        }
        if let Some(line_ends) = &mut self.line_ends {
            line_ends.join(masked, from, true);
        }
    }
}

/// Adds a part as the mask of a direction shows it.
pub fn mask(part: Part<'_>, direction: Direction, masked: &mut Vec<u8>) {
    match part {
        Part::Plain(Some(section), bytes) if section == direction => masked.extend_from_slice(bytes),
        _ => {
            let start = masked.len();
            masked.extend(part.bytes().iter().map(|&byte| if matches!(byte, b'\n' | b'\r') { byte } else { b' ' }));
            if let Some(first) = masked.get_mut(start).filter(|_| part.ends_statement(direction)) {
                *first = b';';
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(markers: Markers, direction: Direction, text: &str, chunk: usize) -> String {
        let mut mask = SectionMask::new(markers, direction);
        let mut masked = Vec::new();
        for part in text.as_bytes().chunks(chunk) {
            mask.feed(part, &mut masked);
        }
        mask.finish(&mut masked);
        String::from_utf8(masked).unwrap()
    }

    /// Lines without the blanks at their ends.
    fn lines(text: &str) -> Vec<&str> {
        text.lines().map(str::trim_end).collect()
    }

    #[test]
    fn other_sections_are_blank() {
        let goose = "\u{feff}-- note\r\n-- +goose Up\r\ncreate é;\r\n-- +goose StatementBegin\r\nfunction\r\n-- +goose StatementEnd\r\n\
                     -- a\r\n-- +goose Down\r\ndrop é\r\n";
        let dbmate = "-- migrate:up\na\n-- migrate:down transaction:false\nb;\n--migrate:up\nc;\n-- migrate:down\nd\n-- migrate:upper";
        let single = "-- note\nx;\n-- Down Migration\ny;\n--- UP  migration, too\nz;\n-- down migration\nz2;";
        for (markers, text, up, back) in [
            (
                Markers::Goose,
                goose,
                vec!["", "", "create é;", "", "function", ";", "-- a", ";", ""],
                vec!["", "", "", "", "", "", "", "", "drop é"],
            ),
            (
                Markers::Dbmate,
                dbmate,
                vec!["", "a", ";", "", "", "c;", ";", "", ""],
                vec!["", "", "", "b;", ";", "", "", "d", "-- migrate:upper"],
            ),
            (
                Markers::NodePgMigrate,
                single,
                vec!["-- note", "x;", ";", "", "", "z;", "-- down migration", "z2;"],
                vec!["", "", "", "y;", ";", "", "", ""],
            ),
            (Markers::NodePgMigrate, "a;\nb;", vec!["a;", "b;"], vec!["", ""]),
            (
                Markers::SqlMigrate,
                "x\n-- +migrate Down\na;\n-- +migrate Up notransaction\nb;",
                vec!["", "", "", "", "b;"],
                vec!["", "", "a;", ";", ""],
            ),
            (
                Markers::Liquibase,
                "--comment x\na;\n --rollback drop\n-- note\n--rollback a;\n/* liquibase rollback\n b;\n c; */\n--ignoreLines:1\n--rollback no\nd;",
                vec!["", "a;", "", "-- note", "", "", "", "", "", "", "d;"],
                vec!["", "", "            drop", "", "           a;", "", " b;", " c;", "", "", ""],
            ),
            (
                Markers::Liquibase,
                "a;\n--ignoreLines:start\nb;\n--rollback b\n--ignoreLines:end\nc;",
                vec!["a;", "", "", "", "", "c;"],
                vec!["", "", "", "", "", ""],
            ),
        ] {
            for chunk in [1, 2, 3, 7, 1000] {
                for (direction, expected) in [(Direction::Apply, &up), (Direction::Revert, &back)] {
                    let masked = masked(markers, direction, text, chunk);
                    let gone = if markers.joins_lines() { text.matches("\r\n").count() } else { 0 };
                    assert_eq!(masked.len(), text.len() - gone);
                    assert_eq!(&lines(&masked), expected, "{markers:?} {direction:?} in chunks of {chunk}");
                }
            }
        }
    }

    #[test]
    fn long_lines_are_no_markers() {
        let text = format!("-- +goose Up\n--{}\n-- +goose Down\n", " ".repeat(3 * Markers::Goose.line_limit()));
        for chunk in [1000, 100_000] {
            assert!(masked(Markers::Goose, Direction::Apply, &text, chunk).contains("\n--   "), "{chunk}");
        }
    }
}
