//! Version numbers as they stand in file names.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A version: one or more numbers of any width, joined by dots (`7`, `20240131120000`, `1.2.10`).
///
/// Leading zeros and the written separator do not matter: `001` equals `1`, `1_2` equals `1.2`. Trailing `.0` parts matter.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Version {
    parts: Vec<String>,
}

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
        let parts: Vec<String> = text
            .split(['.', '_'])
            .map(|part| {
                if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
                    return Err(BadVersion(text.to_owned()));
                }
                let bare = part.trim_start_matches('0');
                Ok(if bare.is_empty() { "0".to_owned() } else { bare.to_owned() })
            })
            .collect::<Result<_, _>>()?;
        Ok(Version { parts })
    }

    /// `1.2` for `1.2.0.0`, and `0` for zeros alone: for formats in which they are the same.
    #[must_use]
    pub fn without_trailing_zeros(&self) -> Version {
        let count = self.parts.iter().rposition(|part| part != "0").map_or(1, |last| last + 1);
        Version { parts: self.parts[..count].to_vec() }
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        for (mine, theirs) in self.parts.iter().zip(&other.parts) {
            // Without leading zeros, the longer text of digits is the larger number.
            let order = mine.len().cmp(&theirs.len()).then_with(|| mine.cmp(theirs));
            if order != Ordering::Equal {
                return order;
            }
        }
        self.parts.len().cmp(&other.parts.len())
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.parts.join("."))
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
    fn words_are_no_versions() {
        for text in ["", "a", "1.", ".1", "1..2", "1-2", "١"] {
            assert!(Version::parse(text).is_err(), "{text}");
        }
    }
}
