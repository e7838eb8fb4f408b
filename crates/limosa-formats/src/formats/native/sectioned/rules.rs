//! Where markers may stand: the order that each tool asks for.

use limosa_core::{Direction, Mark, Markers};

/// What is wrong with a marker.
pub(super) struct Fault {
    /// Its line; None where one lacks.
    pub(super) line: Option<u64>,
    /// The line as written.
    pub(super) written: Option<String>,
    pub(super) message: String,
    pub(super) help: String,
}

/// Follows the markers of one file.
pub(super) struct Rules {
    markers: Markers,
    has_up: bool,
    /// A way back follows the last section up.
    has_down: bool,
    /// The line of the first marker of a way back.
    first_down: Option<u64>,
    /// The line of a block that is not closed yet.
    block: Option<u64>,
}

impl Rules {
    pub(super) fn new(markers: Markers) -> Rules {
        Rules { markers, has_up: false, has_down: false, first_down: None, block: None }
    }

    /// True where the markers that the tool asks for were there.
    pub(super) fn is_marked(&self) -> bool {
        self.markers == Markers::NodePgMigrate
            || self.markers.are_liquibases()
            || self.has_up
            || self.first_down.is_some()
    }

    /// Looks at the next marker.
    pub(super) fn marker(&mut self, mark: Mark, written: &str, line: u64) -> Result<(), Fault> {
        let fault = |message: String, help: String| {
            Err(Fault { line: Some(line), written: Some(written.to_owned()), message, help })
        };
        let found = match mark {
            Mark::Section { direction, .. } => self.section(direction, line),
            Mark::StatementBegin
                if self.markers == Markers::Goose && (self.block.is_some() || !self.is_in_section()) =>
            {
                Err((format!("'{}' makes no sense here", written.trim()), self.about_blocks()))
            }
            Mark::StatementBegin => {
                self.block = self.is_in_section().then_some(line);
                Ok(())
            }
            Mark::StatementEnd => match self.block.take() {
                None if self.markers == Markers::Goose => {
                    Err((format!("'{}' ends nothing", written.trim()), self.about_blocks()))
                }
                _ => Ok(()),
            },
            Mark::NoTransaction | Mark::Variables(_) => Ok(()),
            Mark::Change | Mark::Note | Mark::BackLine { .. } | Mark::BackBegin => Ok(()),
            Mark::Ignore(_) | Mark::IgnoreBegin | Mark::IgnoreEnd => Ok(()),
            Mark::Unknown => {
                Err((format!("'{}' is no marker of {}", written.trim(), self.markers.tool()), self.known()))
            }
        };
        found.or_else(|(message, help)| fault(message, help))
    }

    fn section(&mut self, direction: Direction, line: u64) -> Result<(), (String, String)> {
        let (up, down) = (self.markers.of(Direction::Apply), self.markers.of(Direction::Revert));
        if let Some(begun) = self.block.take() {
            return Err((
                format!("a section begins within the statement that begins on line {begun}"),
                self.about_blocks(),
            ));
        }
        let is_goose = self.markers == Markers::Goose;
        let is_paired = is_goose || self.markers == Markers::Dbmate;
        match direction {
            Direction::Apply if is_goose && self.has_up => Err((
                format!("this file has a second '{up}'"),
                "goose takes one section up and one down; join them".to_owned(),
            )),
            Direction::Apply => {
                (self.has_up, self.has_down) = (true, false);
                Ok(())
            }
            Direction::Revert => {
                self.first_down.get_or_insert(line);
                if is_paired && !self.has_up {
                    return Err((
                        format!("'{down}' stands above '{up}'"),
                        format!("{} begins with the section up; put it first", self.markers.tool()),
                    ));
                }
                if is_paired && self.has_down {
                    let message = format!("a second '{down}' follows one section up");
                    return Err((message, "a section up has one way back; join them".to_owned()));
                }
                self.has_down = true;
                Ok(())
            }
        }
    }

    /// What lacks at the end of the file.
    pub(super) fn end(&mut self) -> Option<Fault> {
        if let Some(line) = self.block.take() {
            let message = "this statement is not ended".to_owned();
            return Some(Fault { line: Some(line), written: None, message, help: self.about_blocks() });
        }
        let line = self.first_down.filter(|_| self.markers == Markers::NodePgMigrate && !self.has_up)?;
        let (up, down) = (self.markers.of(Direction::Apply), self.markers.of(Direction::Revert));
        Some(Fault {
            line: Some(line),
            written: None,
            message: format!(
                "this file has '{down}' and no '{up}': node-pg-migrate runs all of it, the way back too, when it goes up"
            ),
            help: format!("write '{up}' above what leads up"),
        })
    }

    fn is_in_section(&self) -> bool {
        self.has_up || self.first_down.is_some()
    }

    fn about_blocks(&self) -> String {
        let mark = if self.markers == Markers::Goose { "goose" } else { "migrate" };
        format!(
            "'-- +{mark} StatementBegin' and '-- +{mark} StatementEnd' stand around one statement, within one section"
        )
    }

    fn known(&self) -> String {
        match self.markers {
            Markers::Goose => {
                "goose knows Up, Down, StatementBegin, StatementEnd, NO TRANSACTION, ENVSUB ON and ENVSUB OFF, \
                               behind '-- +goose' at the start of a line, and takes no other comment with '+goose'"
                    .to_owned()
            }
            Markers::Liquibase | Markers::LiquibaseStripped => {
                "write '--ignoreLines:' with a number, 'start' or 'end'".to_owned()
            }
            _ => "sql-migrate knows Up, Down, StatementBegin and StatementEnd behind '-- +migrate', spelt like this"
                .to_owned(),
        }
    }
}

/// A file without markers, or with the first line of those of another tool.
pub(super) fn missing(markers: Markers, other: Option<(Markers, String)>) -> Fault {
    let up = markers.of(Direction::Apply);
    let or = match other {
        Some((other, line)) => format!(
            "'{line}' is of {}: give its files a folder of their own and name one: --dir; where all are its files: --format {}",
            other.tool(),
            other.format_name()
        ),
        None => format!("where the folder is none of {}'s, say which format it has: --format native", markers.tool()),
    };
    Fault {
        line: None,
        written: None,
        message: format!("this file has no '{up}', so nobody knows what of it leads up"),
        help: format!("write '{up}' above its SQL; {or}"),
    }
}
