//! Answers that say what was done, line by line.

use limosa::AuditHead;
use limosa::report::DoneAnswer;

use super::style::{Tone, harmless_lines};

/// The head of the audit log, as `audit verify --head` takes it.
pub(crate) fn audit_head(head: &AuditHead) -> String {
    Tone::Faint.paint(&format!("audit head {} {}", head.sequence, head.hash)) + "\n"
}

/// What was done; what would be done stands behind `would`.
pub(crate) fn render(answer: &DoneAnswer, would: &str) -> String {
    let mut text = String::new();
    for line in &answer.done {
        text.push_str(&harmless_lines(line));
        text.push('\n');
    }
    for line in &answer.would {
        text.push_str(would);
        text.push_str(&harmless_lines(line));
        text.push('\n');
    }
    if let Some(head) = &answer.audit_head {
        text.push_str(&audit_head(head));
    }
    text
}
