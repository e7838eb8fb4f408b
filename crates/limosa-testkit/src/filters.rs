//! Replaces what differs from run to run, so that output can be compared as text.

use std::path::Path;

use anyhow::{Context, Result};
use regex::Regex;

use crate::folder::Folder;
use crate::postgres::TestDatabase;

/// Pairs of pattern and marker, applied in order: the test's own first, then the general ones.
///
/// ```
/// # use limosa_testkit::Filters;
/// let text = "applied 001 in 1.25 ms at 2026-11-21T10:00:00Z";
/// assert_eq!(Filters::new().apply(text), "applied 001 in [duration] at [time]");
/// ```
#[derive(Clone, Debug)]
pub struct Filters {
    own: Vec<(Regex, String)>,
    general: Vec<(Regex, String)>,
}

/// What is replaced everywhere. Longer forms stand before shorter ones that they contain.
const GENERAL: [(&str, &str); 9] = [
    (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?( ?(Z|UTC|[+-]\d\d(:?\d\d)?))?", "[time]"),
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "[uuid]"),
    (r"\b(sha256:)?[0-9a-f]{64}\b", "[hash]"),
    (r"\bsha256:[0-9a-f]{6,63}\b", "[hash]"),
    (r"\b\d+ min \d+ s\b", "[duration]"),
    (r"\b\d+(\.\d+)? ?(ns|µs|ms|s|seconds?)\b", "[duration]"),
    (r"\b(127\.0\.0\.1|localhost):\d+", "$1:[port]"),
    (r"\b(pid|process) \d+\b", "$1 [pid]"),
    (r"\btest_\d+_\d+\b", "[database]"),
];

impl Default for Filters {
    fn default() -> Self {
        Self::new()
    }
}

impl Filters {
    /// The general filters: times, durations, hashes, UUIDs, ports and process numbers.
    pub fn new() -> Self {
        let general = GENERAL
            .iter()
            .filter_map(|(pattern, marker)| Some((Regex::new(pattern).ok()?, (*marker).to_owned())))
            .collect();
        Self { own: Vec::new(), general }
    }

    /// Replaces what a regular expression finds; `$1` in the marker is its first group.
    pub fn rule(mut self, pattern: &str, marker: &str) -> Result<Self> {
        let regex = Regex::new(pattern).with_context(|| format!("bad pattern {pattern}"))?;
        self.own.push((regex, marker.to_owned()));
        Ok(self)
    }

    /// Replaces one fixed text.
    #[must_use]
    pub fn text(mut self, text: &str, marker: &str) -> Self {
        if let Ok(regex) = Regex::new(&regex::escape(text)) {
            self.own.push((regex, marker.replace('$', "$$")));
        }
        self
    }

    /// Replaces a path, as it is given and as it is without symbolic links, by `[folder]`.
    #[must_use]
    pub fn path(self, path: &Path) -> Self {
        let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        self.text(&real.to_string_lossy(), "[folder]").text(&path.to_string_lossy(), "[folder]")
    }

    /// Replaces the folder's path by `[folder]`.
    #[must_use]
    pub fn folder(self, folder: &Folder) -> Self {
        self.path(folder.path())
    }

    /// Replaces the database's name, its server's port and its socket's folder by markers.
    #[must_use]
    pub fn database(self, database: &TestDatabase) -> Self {
        self.text(database.name(), "[database]")
            .text(&database.socket_folder().to_string_lossy(), "[socket]")
            .text(&database.port().to_string(), "[port]")
    }

    /// The text with markers.
    pub fn apply(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (regex, marker) in self.own.iter().chain(&self.general) {
            text = regex.replace_all(&text, marker).into_owned();
        }
        text
    }

    /// Pattern and marker of each filter, for the settings of a snapshot library.
    pub fn pairs(&self) -> Vec<(&str, &str)> {
        self.own.iter().chain(&self.general).map(|(regex, marker)| (regex.as_str(), marker.as_str())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_general_pattern_compiles() {
        assert_eq!(Filters::new().general.len(), GENERAL.len());
    }

    #[test]
    fn what_differs_gets_a_marker_and_what_does_not_stays() {
        let hash = "0123456789abcdef".repeat(4);
        for (text, expected) in [
            ("at 2026-11-21 10:00:00.123+00, done", "at [time], done"),
            ("at 2026-11-21 10:00 UTC", "at [time]"),
            ("took 12ms and 1.5 s", "took [duration] and [duration]"),
            ("3 statements, 2 steps", "3 statements, 2 steps"),
            (&hash, "[hash]"),
            ("sha256:0123456789ab", "[hash]"),
            ("postgres://127.0.0.1:5432/db", "postgres://127.0.0.1:[port]/db"),
            ("held by pid 4711", "held by pid [pid]"),
            ("0193a0c2-7b1e-7000-8000-0123456789ab", "[uuid]"),
            ("2 min 5 s", "[duration]"),
        ] {
            assert_eq!(Filters::new().apply(text), expected, "{text}");
        }
    }

    #[test]
    fn own_filters_come_first() {
        let folder = Folder::new();
        let filters = Filters::new().folder(&folder).rule(r"(took) \w+", "$1 no time").unwrap();
        let text = format!("{}/001.sql took 5ms", folder.path().display());
        assert_eq!(filters.apply(&text), "[folder]/001.sql took no time");
        assert_eq!(filters.pairs().len(), GENERAL.len() + 3);
    }
}
