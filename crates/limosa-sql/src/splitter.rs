//! Cuts a script into pieces without ever holding more of it than one statement.

use crate::{Diagnostic, Engine, Piece};

/// Cuts a script, fed chunk by chunk, into [`Piece`]s. Joined, the pieces are the script byte for byte.
pub struct Splitter {
    engine: Engine,
}

impl Splitter {
    /// A splitter for scripts of one engine. `file` is the name used in diagnostics.
    pub fn new(engine: Engine, file: &str) -> Self {
        let _ = file;
        Splitter { engine }
    }

    /// Adds the next bytes of the script.
    pub fn feed(&mut self, bytes: &[u8]) {
        let _ = (bytes, self.engine);
    }

    /// Says that no more bytes will come.
    pub fn finish(&mut self) {}

    /// The next piece; `Ok(None)` means: feed more, or, after [`Splitter::finish`], the end.
    pub fn next_piece(&mut self) -> Result<Option<Piece>, Box<Diagnostic>> {
        Ok(None)
    }
}
