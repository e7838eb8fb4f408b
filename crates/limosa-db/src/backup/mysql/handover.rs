//! How the option file, with the password in it, reaches a program: through a pipe that the program inherits, so that it
//! stands neither in a list of processes nor on a disk, however limosa ends. Where there are no such pipes, in a file.

use std::io;

use crate::{DbError, DbErrorKind, Secret};

#[cfg(unix)]
mod way {
    use std::io::{self, PipeReader, Write};
    use std::os::fd::AsRawFd;

    /// The pipe's end that is read.
    pub(super) struct Way(PipeReader);

    impl Way {
        pub(super) fn new(text: &str) -> io::Result<Way> {
            let (reader, mut writer) = io::pipe()?;
            writer.write_all(text.as_bytes())?;
            // Only this end outlives the start of the program.
            rustix::io::fcntl_setfd(&reader, rustix::io::FdFlags::empty())?;
            Ok(Way(reader))
        }

        pub(super) fn path(&self) -> String {
            format!("/dev/fd/{}", self.0.as_raw_fd())
        }
    }
}

#[cfg(not(unix))]
mod way {
    use std::io::{self, Write};
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU64, Ordering};

    static COUNT: AtomicU64 = AtomicU64::new(0);

    /// A file in the user's own folder for temporary files.
    pub(super) struct Way(PathBuf);

    impl Way {
        pub(super) fn new(text: &str) -> io::Result<Way> {
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = std::env::temp_dir().join(format!("limosa-{}-{number}.cnf", std::process::id()));
            let mut file = std::fs::File::create_new(&path)?;
            let way = Way(path);
            file.write_all(text.as_bytes())?;
            Ok(way)
        }

        pub(super) fn path(&self) -> String {
            self.0.display().to_string()
        }
    }

    impl Drop for Way {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }
}

/// An option file on its way to one program. It must live until the program has read it.
pub(super) struct Handover(way::Way);

impl Handover {
    pub(super) fn new(text: &Secret) -> Result<Handover, DbError> {
        way::Way::new(text.expose()).map(Handover).map_err(|error: io::Error| {
            let message = format!("the server's own programs cannot be told how to connect: {error}");
            DbError::new(DbErrorKind::Resources, message)
        })
    }

    /// The argument that makes it the only option file; it must come first.
    pub(super) fn argument(&self) -> String {
        format!("--defaults-file={}", self.0.path())
    }
}
