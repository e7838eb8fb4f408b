//! A clock that jumps, for one process: libfaketime (github.com/wolfcw/libfaketime).

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::{Folder, Limosa};

/// Variable that names the library; `cargo xtask test` sets it.
const LIBRARY_VARIABLE: &str = "LIMOSA_TEST_FAKETIME";

/// The clock that the calls see which it was given to. It begins as that of the machine; [`set`](Self::set) makes it jump,
/// also while they run. What measures durations (`CLOCK_MONOTONIC`) stays true, as on a machine whose clock is set.
#[derive(Debug)]
pub struct FakeClock {
    library: PathBuf,
    folder: Folder,
}

impl FakeClock {
    /// A clock that shows the true time.
    ///
    /// # Errors
    /// Where the library is not to be had.
    pub fn new() -> Result<FakeClock> {
        let Some(library) = env::var_os(LIBRARY_VARIABLE).map(PathBuf::from) else {
            bail!(
                "{LIBRARY_VARIABLE} is not set; run the tests with `cargo xtask test`, which finds libfaketime or installs it"
            );
        };
        if !library.is_file() {
            bail!("{LIBRARY_VARIABLE} names {}, which is no file", library.display());
        }
        let clock = FakeClock { library, folder: Folder::new() };
        clock.set("+0")?;
        Ok(clock)
    }

    /// Makes it jump so far from the machine's: `+10d`, `-3h`.
    ///
    /// # Errors
    /// Where the file cannot be written that the library reads.
    pub fn set(&self, offset: &str) -> Result<()> {
        let (file, new) = (self.file(), self.folder.join("new"));
        fs::write(&new, format!("{offset}\n"))?;
        // Whole at once: a process may read it at any moment.
        fs::rename(&new, &file).with_context(|| format!("cannot write {}", file.display()))
    }

    /// Gives it to a call.
    #[must_use]
    pub fn give_to(&self, call: Limosa) -> Limosa {
        call.env("LD_PRELOAD", OsString::from(&self.library))
            .env("FAKETIME_TIMESTAMP_FILE", self.file())
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("FAKETIME_DISABLE_SHM", "1")
    }

    fn file(&self) -> PathBuf {
        self.folder.join("offset")
    }
}
