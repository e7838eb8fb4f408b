//! `ready` and `health` in one line.

use limosa::report::HealthAnswer;

use super::style::{Tone, harmless};
use super::target;

/// One line; a second one says who runs now.
pub(crate) fn render(answer: &HealthAnswer) -> String {
    let mut text = match (&answer.reason, answer.ok) {
        (Some(reason), _) => Tone::Bad.paint(&format!("not {}: {}", good(answer.command), harmless(reason))),
        (None, true) => Tone::Good.paint(good(answer.command)),
        (None, false) => Tone::Bad.paint(&format!("not {}", good(answer.command))),
    };
    if answer.ok {
        match &answer.version {
            Some(version) => text.push_str(&format!(": version {}", harmless(version))),
            None => text.push_str(": no version is applied"),
        }
        if let Some(pending) = answer.pending {
            text.push_str(&format!(", {pending} pending"));
        }
    }
    text.push('\n');
    if let Some(runner) = &answer.runner {
        text.push_str(&target::runner(runner));
        text.push('\n');
    }
    text
}

fn good(command: &str) -> &'static str {
    if command == "ready" { "ready" } else { "healthy" }
}
