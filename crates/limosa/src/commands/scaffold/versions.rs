//! The versions of new migrations: how they go on from those that are there.

use std::time::Duration;

use jiff::civil::DateTime;
use limosa_core::{Change, Kind};
use limosa_formats::Layout;

use super::Numbering;
use crate::clock::stamp;

/// How many digits the first version has where somebody asks for numbers and the format has times.
const FIRST_WIDTH: usize = 4;

/// The versions that follow those of the folder.
#[derive(Debug)]
pub(super) enum Versions {
    /// Times: the next one, how many digits they have, and how many seconds lie between them.
    Times(Duration, usize, u64),
    /// Milliseconds since 1970, a second apart: the next one.
    Milliseconds(Duration),
    /// Times and the milliseconds behind them, a second apart: the next one.
    DatesWithMilliseconds(Duration),
    /// Numbers: what stands before the last part, that part of the next one, and how many digits it has.
    Numbers(String, u128, usize),
}

/// Digits of a time: year to second, and year to minute.
const TO_SECOND: usize = 14;
const TO_MINUTE: usize = 12;

impl Versions {
    /// Those of a new migration beside others.
    pub(super) fn new(changes: &[Change], layout: &Layout, numbering: Numbering, now: Duration) -> Versions {
        let newest = changes
            .iter()
            .filter_map(|change| match &change.kind {
                Kind::Versioned(version) if !version.is_behind_numbers() => Some((version, change.label.as_str())),
                Kind::Versioned(_) | Kind::Repeatable => None,
            })
            .max_by(|one, other| one.0.cmp(other.0));
        let by_time = match numbering {
            Numbering::Timestamp => true,
            Numbering::Auto if layout.counts_changes() => true,
            Numbering::Sequential => false,
            Numbering::Auto => newest.map_or(layout.first_width().is_none(), |(_, label)| label.len() >= TO_MINUTE),
        };
        if by_time {
            // node-pg-migrate has two forms of times, and dates with milliseconds come behind plain milliseconds.
            return match layout.counts_milliseconds() && newest.is_none_or(|(_, label)| label.len() < 17) {
                true => Versions::Milliseconds(now),
                false if layout.counts_milliseconds() => Versions::DatesWithMilliseconds(now),
                false => Versions::Times(now, TO_SECOND, 1),
            };
        }
        match newest {
            Some((_, label)) => {
                let label = bare(label);
                let first = label.split(['.', '_']).next().unwrap_or_default();
                Versions::Numbers(String::new(), first.parse().unwrap_or(0) + 1, first.len().max(1))
            }
            None => Versions::Numbers(String::new(), 1, layout.first_width().unwrap_or(FIRST_WIDTH)),
        }
    }

    /// Those that come after the newest one, written as it is. None where nobody can count on from it.
    pub(super) fn behind(newest: &str, numbering: Numbering, now: Duration) -> Option<Versions> {
        let newest = bare(newest);
        let time = time_of(newest);
        let by_time = match numbering {
            Numbering::Timestamp => true,
            Numbering::Sequential => false,
            Numbering::Auto => time.is_some(),
        };
        if by_time {
            let width = time.map_or(TO_SECOND, |_| newest.len());
            let step = if width == TO_MINUTE { 60 } else { 1 };
            // A clock that is behind the newest version, or one that was ahead, must not make an older one.
            let after = time.map(|time| time + Duration::from_secs(step));
            return Some(Versions::Times(after.map_or(now, |after| after.max(now)), width, step));
        }
        let (before, last) = newest.rsplit_once(['.', '_']).map_or((0, newest), |(head, last)| (head.len() + 1, last));
        let number = last.parse::<u128>().ok()?.checked_add(1)?;
        Some(Versions::Numbers(newest[..before].to_owned(), number, last.len()))
    }

    /// The next one.
    pub(super) fn next(&mut self) -> String {
        match self {
            Versions::Times(time, width, step) => {
                let version = format!("{:0<width$}", stamp(*time), width = *width);
                *time += Duration::from_secs(*step);
                version[..*width].to_owned()
            }
            Versions::Milliseconds(time) => {
                let version = time.as_millis().to_string();
                *time += Duration::from_secs(1);
                version
            }
            Versions::DatesWithMilliseconds(time) => {
                let version = format!("{}{:03}", stamp(*time), time.subsec_millis());
                *time += Duration::from_secs(1);
                version
            }
            Versions::Numbers(before, number, width) => {
                let version = format!("{before}{number:0width$}", width = *width);
                *number += 1;
                version
            }
        }
    }
}

/// A baseline is labelled with its prefix.
fn bare(label: &str) -> &str {
    label.trim_start_matches(|letter: char| !letter.is_ascii_digit())
}

/// The time that a version is, since the Unix epoch: to the minute, to the second, or with more digits behind it.
fn time_of(version: &str) -> Option<Duration> {
    let (to, format) = match version.len() {
        TO_MINUTE => (TO_MINUTE, "%Y%m%d%H%M"),
        TO_SECOND.. => (TO_SECOND, "%Y%m%d%H%M%S"),
        _ => return None,
    };
    if !version.bytes().all(|letter| letter.is_ascii_digit()) {
        return None;
    }
    let time = DateTime::strptime(format, &version[..to]).ok()?.in_tz("UTC").ok()?;
    u64::try_from(time.timestamp().as_second()).ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_go_on_as_the_newest_one_is_written() {
        let now = Duration::from_secs(1_700_000_000);
        for (newest, numbering, expected) in [
            ("005", Numbering::Auto, Some("006 007")),
            ("999", Numbering::Auto, Some("1000 1001")),
            ("1.9", Numbering::Auto, Some("1.10 1.11")),
            ("2024_01", Numbering::Auto, Some("2024_02 2024_03")),
            ("B10", Numbering::Auto, Some("11 12")),
            ("1700000001", Numbering::Auto, Some("1700000002 1700000003")),
            ("20231114221319", Numbering::Auto, Some("20231114221320 20231114221321")),
            ("20991231235959", Numbering::Auto, Some("21000101000000 21000101000001")),
            ("202311142213", Numbering::Auto, Some("202311142214 202311142215")),
            ("202401010000000007", Numbering::Auto, Some("202401010000010000 202401010000020000")),
            ("99999999999999", Numbering::Auto, Some("100000000000000 100000000000001")),
            ("007", Numbering::Timestamp, Some("20231114221320 20231114221321")),
            ("20240101000000", Numbering::Sequential, Some("20240101000001 20240101000002")),
            ("words", Numbering::Auto, None),
            ("999999999999999999999999999999999999999999", Numbering::Auto, None),
        ] {
            let found = Versions::behind(newest, numbering, now)
                .map(|mut versions| format!("{} {}", versions.next(), versions.next()));
            assert_eq!(found.as_deref(), expected, "{newest}");
        }
    }
}
