//! The journal of drizzle 0.x, `meta/_journal.json` beside its files: it holds the time that a row of its ledger is known by.

use serde::Deserialize;

use crate::scripts::Scripts;

#[derive(Deserialize)]
struct Journal {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    /// The name of the file without its ending.
    tag: String,
    /// Milliseconds since 1970.
    when: i64,
}

/// The time of a file, in milliseconds since 1970; None where there is no journal, or it does not name the file.
pub(super) fn time_of(scripts: &Scripts, file: &str) -> Option<String> {
    let (folder, name) = file.rsplit_once('/').map_or(("", file), |(folder, name)| (folder, name));
    let journal =
        if folder.is_empty() { "meta/_journal.json".to_owned() } else { format!("{folder}/meta/_journal.json") };
    time_in(&scripts.read(&journal).ok()?, name.strip_suffix(".sql")?)
}

fn time_in(journal: &[u8], tag: &str) -> Option<String> {
    let journal: Journal = serde_json::from_slice(journal).ok()?;
    journal.entries.into_iter().find(|entry| entry.tag == tag).map(|entry| entry.when.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_the_time_of_its_entry() {
        let text = br#"{"version":"7","dialect":"postgresql","entries":[{"idx":0,"when":17,"tag":"0000_a","breakpoints":true}]}"#;
        assert_eq!(time_in(text, "0000_a").as_deref(), Some("17"));
        assert_eq!(time_in(text, "0001_b"), None);
        assert_eq!(time_in(b"{", "0000_a"), None);
    }
}
