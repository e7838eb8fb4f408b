//! Who is told how a run goes on: one file each, and a line in the table. What they do decides nothing.

mod json_lines;
mod lines;
mod metrics_file;
#[cfg(feature = "otel")]
mod spans;
mod terminal;

use std::sync::Arc;

use limosa::settings::Settings;
use limosa::{Diagnostic, Progress};

use crate::console::Console;

/// Reads the one stream of what happens.
pub(crate) trait Consumer: Send {
    /// Takes one thing; must not block.
    fn take(&mut self, progress: &Progress);

    /// True where the start of each statement is wanted, too.
    fn wants_starts(&self) -> bool {
        false
    }

    /// True where [`Consumer::tick`] is to be called every few seconds.
    fn ticks(&self) -> bool {
        false
    }

    /// Time has passed.
    fn tick(&mut self) {}

    /// An answer is about to be written: what moves on the terminal goes away. May come more than once.
    fn clear(&mut self) {}

    /// The command is over; called once, after its answer was written. Gives a warning where the work could not be done.
    fn finish(&mut self) -> Option<Diagnostic> {
        None
    }
}

/// What consumers are made from.
pub(crate) struct Given<'a> {
    /// Where talk goes.
    pub(crate) console: &'a Arc<Console>,
    /// What the settings are.
    pub(crate) settings: &'a Settings,
}

/// Makes a consumer; None where nobody asked for it.
type Make = fn(&Given<'_>) -> Option<Box<dyn Consumer>>;

/// All consumers, by the names of their files.
const CONSUMERS: &[(&str, Make)] = &[
    ("terminal", terminal::make),
    ("lines", lines::make),
    ("json_lines", json_lines::make),
    ("metrics_file", metrics_file::make),
    #[cfg(feature = "otel")]
    ("spans", spans::make),
];

/// The consumers of this call.
pub(crate) fn of(given: &Given<'_>) -> Vec<Box<dyn Consumer>> {
    CONSUMERS.iter().filter_map(|(_, make)| make(given)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_table_names_the_files_of_the_folder() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/consumers");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut found: BTreeSet<String> =
            files.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
        assert!(found.remove("mod"));
        if !cfg!(feature = "otel") {
            assert!(found.remove("spans"));
        }
        let table: BTreeSet<String> = CONSUMERS.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(table, found);
        assert_eq!(table.len(), CONSUMERS.len());
    }
}
