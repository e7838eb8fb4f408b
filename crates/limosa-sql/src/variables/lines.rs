//! Where in a script variables are replaced.

use serde::{Deserialize, Serialize};

/// Lines of a script in which `$` begins a variable as goose reads it, counted from the script's own first line, 1. Where there are
/// any, `$` is text in all others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VariableLines(Vec<(u64, u64)>);

impl VariableLines {
    /// True where there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True for one of the lines.
    pub fn contains(&self, line: u64) -> bool {
        self.0.iter().any(|(first, last)| (*first..=*last).contains(&line))
    }

    /// From this line on there are such lines, as far as is known up to the end.
    pub fn begin(&mut self, line: u64) {
        if self.0.last().is_none_or(|(_, last)| *last < line) {
            self.0.push((line, u64::MAX));
        }
    }

    /// The last of them ends above this line.
    pub fn end(&mut self, line: u64) {
        if let Some((first, last)) = self.0.last_mut()
            && *last >= line
        {
            *last = line.saturating_sub(1);
            if last < first {
                self.0.pop();
            }
        }
    }

    /// The same lines in a text that leaves out so many lines of this one at its start.
    #[must_use]
    pub fn above(&self, lines: u64) -> VariableLines {
        let shifted = self.0.iter().map(|(first, last)| {
            let last = if *last == u64::MAX { u64::MAX } else { last.saturating_sub(lines) };
            (first.saturating_sub(lines).max(1), last)
        });
        VariableLines(shifted.filter(|(first, last)| first <= last).collect())
    }
}
