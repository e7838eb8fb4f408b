//! A bug of limosa's own: one line that asks for a report, and exit code 70.

use std::backtrace::Backtrace;
use std::io::Write;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};

use limosa::Exit;

/// From now on a panic says one line; with `RUST_BACKTRACE` it says where it came from too.
pub(crate) fn install() {
    panic::set_hook(Box::new(|about| {
        let mut text = line(about);
        if std::env::var("RUST_BACKTRACE").is_ok_and(|value| !value.is_empty() && value != "0") {
            text.push_str(&format!("{}\n", Backtrace::force_capture()));
        }
        // Where standard error is gone, there is nobody to tell.
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }));
}

fn line(about: &PanicHookInfo<'_>) -> String {
    let message =
        about.payload_as_str().unwrap_or("an unknown failure").split_whitespace().collect::<Vec<_>>().join(" ");
    let place = about.location().map(|place| format!(" ({}:{})", place.file(), place.line())).unwrap_or_default();
    let version = env!("CARGO_PKG_VERSION");
    format!("limosa {version} has a bug: {message}{place}; please report this line and the command that you ran\n")
}

/// The exit code of some work; 70 where it panicked.
pub(crate) fn guard(work: impl FnOnce() -> u8) -> u8 {
    // What the work borrowed is not used again: the process ends.
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or(Exit::Bug.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_exit_code_70() {
        assert_eq!(guard(|| 3), 3);
        assert_eq!(guard(|| panic!("on purpose, by a test")), 70);
    }
}
