//! Version numbers as they stand in file names.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A version: one or more numbers of any width, joined by dots (`7`, `20240131120000`, `1.2.10`).
///
/// Leading zeros and the written separator do not matter: `001` equals `1`, `1_2` equals `1.2`. Trailing `.0` parts matter.
///
/// Where a format knows its changes by whole names, the version is the name: it is shown so, and numbers before it, where the
/// format has them, only decide the order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Version {
    /// Joined by dots, without leading zeros. Empty where names are ordered as texts, [`BEHIND`] where they come behind all numbers.
    numbers: Box<str>,
    /// Empty where the numbers alone say it.
    name: Box<str>,
}

/// In the place of numbers.
const BEHIND: &str = "~";

/// A text that is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no version: expected digits, optionally joined by '.' or '_'")]
pub struct BadVersion(pub String);

impl Version {
    /// Reads a version; parts may be joined by `.` or `_`.
    ///
    /// # Errors
    /// [`BadVersion`] where a part is empty or holds anything but ASCII digits.
    pub fn parse(text: &str) -> Result<Version, BadVersion> {
        let mut numbers = String::with_capacity(text.len());
        for part in text.split(['.', '_']) {
            if !is_number(part) {
                return Err(BadVersion(text.to_owned()));
            }
            if !numbers.is_empty() {
                numbers.push('.');
            }
            let bare = part.trim_start_matches('0');
            numbers.push_str(if bare.is_empty() { "0" } else { bare });
        }
        Ok(Version { numbers: numbers.into_boxed_str(), name: Box::default() })
    }

    /// True for a text that [`Version::parse`] reads.
    pub fn is_one(text: &str) -> bool {
        text.split(['.', '_']).all(is_number)
    }

    /// Reads what somebody writes where a version is asked for: a version, else the name of a migration.
    ///
    /// # Errors
    /// [`BadVersion`] where nothing is written.
    pub fn parse_or_name(text: &str) -> Result<Version, BadVersion> {
        let name = text.trim();
        Version::parse(name).or_else(|error| if name.is_empty() { Err(error) } else { Ok(Version::of_name(name)) })
    }

    /// A name, ordered as text before all numbers. The empty one comes before every other.
    pub fn of_name(name: impl Into<Box<str>>) -> Version {
        Version { numbers: Box::default(), name: name.into() }
    }

    /// A name behind all numbers, where a folder has both; between such names their texts decide. It makes no other version late.
    pub fn behind_numbers(name: impl Into<Box<str>>) -> Version {
        Version { numbers: BEHIND.into(), name: name.into() }
    }

    /// True for what [`Version::behind_numbers`] makes.
    pub fn is_behind_numbers(&self) -> bool {
        &*self.numbers == BEHIND
    }

    /// This version of a change that is known by its whole name: names decide between equal numbers.
    #[must_use]
    pub fn named(self, name: impl Into<Box<str>>) -> Version {
        Version { name: name.into(), ..self }
    }

    /// As it is shown: the name, where the change is known by it, else the numbers.
    pub fn as_str(&self) -> &str {
        self.name().unwrap_or(&self.numbers)
    }

    /// The whole name, where the change is known by it.
    pub fn name(&self) -> Option<&str> {
        (!self.name.is_empty()).then_some(&*self.name)
    }

    /// True for `0` and for the empty name: what comes before everything.
    pub fn is_nothing(&self) -> bool {
        self.name.is_empty() && matches!(&*self.numbers, "" | "0")
    }

    /// The version of a ledger's row, in which it stands as `written` beside the identity, where this one is a version of the same
    /// folder: only the format knows whether its names are versions. None where it is none.
    pub fn read_alike(&self, written: &str, identity: &str) -> Option<Version> {
        if self.is_behind_numbers() && !Version::is_one(written) {
            return Some(Version::behind_numbers(identity));
        }
        match (self.numbers.is_empty(), self.name.is_empty()) {
            (true, _) => Some(Version::of_name(identity)),
            (false, true) => Version::parse(written).ok(),
            (false, false) => Version::parse(written).ok().map(|version| version.named(identity)),
        }
    }

    /// `1.2` for `1.2.0.0`, and `0` for zeros alone: for formats in which they are the same.
    #[must_use]
    pub fn without_trailing_zeros(&self) -> Version {
        let mut numbers = &*self.numbers;
        while let Some(shorter) = numbers.strip_suffix(".0") {
            numbers = shorter;
        }
        Version { numbers: numbers.into(), name: self.name.clone() }
    }
}

/// True for a part of a version.
fn is_number(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.numbers == other.numbers {
            return self.name.cmp(&other.name);
        }
        match self.is_behind_numbers().cmp(&other.is_behind_numbers()) {
            Ordering::Equal => {}
            order => return order,
        }
        let (mut mine, mut theirs) = (self.numbers.split('.'), other.numbers.split('.'));
        loop {
            // Without leading zeros, the longer text of digits is the larger number.
            let order = match (mine.next(), theirs.next()) {
                (Some(mine), Some(theirs)) => mine.len().cmp(&theirs.len()).then_with(|| mine.cmp(theirs)),
                (mine, theirs) => {
                    return mine.is_some().cmp(&theirs.is_some()).then_with(|| self.name.cmp(&other.name));
                }
            };
            if order != Ordering::Equal {
                return order;
            }
        }
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl From<Version> for String {
    fn from(version: Version) -> String {
        version.to_string()
    }
}

impl TryFrom<String> for Version {
    type Error = BadVersion;
    fn try_from(text: String) -> Result<Version, BadVersion> {
        Version::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_order_as_numbers_whatever_their_width() {
        let ordered = ["0", "001", "1.0", "1.2", "1_10", "2", "10", "099", "20240131120000", "99999999999999999999999"];
        let versions: Vec<Version> = ordered.iter().map(|text| Version::parse(text).unwrap()).collect();
        for pair in versions.windows(2) {
            assert!(pair[0] < pair[1], "{} < {}", pair[0], pair[1]);
        }
        assert_eq!(Version::parse("0007").unwrap(), Version::parse("7").unwrap());
    }

    #[test]
    fn names_decide_where_a_format_knows_changes_by_them() {
        let number = |text: &str| Version::parse(text).unwrap();
        let ordered = [
            Version::of_name(""),
            Version::of_name("20240101_b"),
            Version::of_name("2024_a"),
            number("1"),
            number("1").named("1_a"),
            number("01").named("1_b"),
            number("2").named("02_a"),
            number("99999999999999999999").named("99999999999999999999_a"),
            Version::behind_numbers("a"),
            Version::behind_numbers("b"),
        ];
        for pair in ordered.windows(2) {
            assert!(pair[0] < pair[1], "{} < {}", pair[0], pair[1]);
        }
        assert_eq!(number("1").named("1_a").to_string(), "1_a");
        assert!(number("0").is_nothing() && Version::of_name("").is_nothing());
        assert!(!number("0.0").is_nothing() && !number("0").named("0_init").is_nothing());
        // Rows of a ledger are read as the files of the folder are.
        assert_eq!(number("7").read_alike("010", "10"), Some(number("10")));
        assert_eq!(number("7").read_alike("B10", "B:10"), None);
        assert_eq!(number("7").named("7_x").read_alike("010", "010_y"), Some(number("10").named("010_y")));
        assert_eq!(Version::behind_numbers("x").read_alike("010", "010_y"), Some(number("10").named("010_y")));
        assert_eq!(Version::behind_numbers("x").read_alike("y", "y.sql"), Some(Version::behind_numbers("y.sql")));
        assert_eq!(Version::of_name("x").read_alike("2024", "2024_y"), Some(Version::of_name("2024_y")));
        assert_eq!(Version::of_name("x").without_trailing_zeros(), Version::of_name("x"));
    }

    #[test]
    fn words_are_no_versions() {
        for text in ["", "a", "1.", ".1", "1..2", "1-2", "١"] {
            assert!(Version::parse(text).is_err() && !Version::is_one(text), "{text}");
        }
    }
}
