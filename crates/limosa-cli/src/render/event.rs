//! What happens during a run, as lines for a log.

use limosa::{Blocker, Event, Notice};

use super::style::{Tone, harmless, harmless_lines, short};
use super::time::duration;

/// The lines for an event; None where it moves the progress only.
pub(crate) fn line(event: &Event) -> Option<String> {
    match event {
        Event::LockHeld { holder, since } => {
            let who = holder.as_deref().map_or("another runner".to_owned(), harmless);
            let since = since.as_deref().map(|since| format!(" since {}", harmless(since))).unwrap_or_default();
            Some(Tone::Doubtful.paint(&format!("waiting: {who} holds the lock{since}")))
        }
        Event::Notice { label, notice } => Some(said(label, notice)),
        Event::Waiting { label, statement, elapsed, blockers } => {
            let head =
                format!("{}: statement {statement} has waited {} for locks", harmless(label), duration(*elapsed));
            let mut text = Tone::Doubtful.paint(&head);
            for blocker in blockers {
                text.push_str(&stands_in_the_way(blocker));
            }
            Some(text)
        }
        Event::Retrying { label, attempt, of, reason, pause } => {
            let words =
                format!("{}: attempt {attempt} of {of} in {}: {}", harmless(label), duration(*pause), harmless(reason));
            Some(Tone::Doubtful.paint(&words))
        }
        Event::Recovered { label, statement, finding } => {
            Some(format!("{}: statement {statement} of the interrupted run: {}", harmless(label), harmless(finding)))
        }
        Event::Callback { event, file } => Some(format!("{event}: {}", harmless(file))),
        _ => None,
    }
}

/// What the server said.
fn said(label: &str, notice: &Notice) -> String {
    let message = harmless_lines(&notice.message).replace('\n', "\n  ");
    let mut text = format!("{}: {}: {message}", harmless(label), harmless(&notice.severity));
    for (name, more) in [("detail", &notice.detail), ("hint", &notice.hint)] {
        if let Some(more) = more {
            text.push_str(&format!("\n  {name}: {}", harmless_lines(more).replace('\n', "\n    ")));
        }
    }
    text
}

fn stands_in_the_way(blocker: &Blocker) -> String {
    let mut words = vec![format!("process {}", blocker.pid)];
    let mut add = |name: &str, value: &Option<String>| {
        if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
            words.push(format!("{name}{}", harmless(value)));
        }
    };
    add("user ", &blocker.user);
    add("application ", &blocker.application);
    add("from ", &blocker.client);
    add("", &blocker.state);
    add("on ", &blocker.relation);
    if let Some(seconds) = blocker.transaction_seconds {
        let age = duration(std::time::Duration::from_secs(u64::try_from(seconds).unwrap_or(0)));
        words.push(format!("its transaction is {age} old"));
    }
    let mut text = format!("\n  in the way: {}", words.join(", "));
    match (&blocker.query, &blocker.grant) {
        (Some(query), _) => text.push_str(&format!("\n    its statement: {}", short(query, 200))),
        (None, Some(grant)) => {
            text.push_str(&format!("\n    its statement is hidden; to see it: {}", harmless(grant)));
        }
        (None, None) => {}
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::style::bare;
    use super::*;

    fn check(event: &Event, expected: &str) {
        let text = line(event).map(|line| bare(&line)).unwrap_or_default();
        assert_eq!(text, expected.trim_start_matches('\n'), "\n{text}");
    }

    #[test]
    fn who_stands_in_the_way_is_named() {
        let known = Blocker {
            pid: 4711,
            user: Some("app".to_owned()),
            application: Some("web".to_owned()),
            client: Some("10.0.0.3".to_owned()),
            state: Some("idle in transaction".to_owned()),
            transaction_seconds: Some(312),
            query: Some("select *\nfrom orders".to_owned()),
            relation: Some("orders".to_owned()),
            grant: None,
        };
        let hidden =
            Blocker { pid: 12, grant: Some("GRANT pg_read_all_stats TO app".to_owned()), ..Blocker::default() };
        let event = Event::Waiting {
            label: "002".into(),
            statement: 3,
            elapsed: Duration::from_secs(2),
            blockers: vec![known, hidden],
        };
        check(
            &event,
            "
002: statement 3 has waited 2.0 s for locks
  in the way: process 4711, user app, application web, from 10.0.0.3, idle in transaction, on orders, its transaction is 5 min 12 s old
    its statement: select * from orders
  in the way: process 12
    its statement is hidden; to see it: GRANT pg_read_all_stats TO app",
        );
    }

    #[test]
    fn the_other_events() {
        let notice = Notice {
            severity: "NOTICE".to_owned(),
            message: "table \u{1b}[1mx".to_owned(),
            detail: Some("more".to_owned()),
            hint: None,
            code: None,
        };
        check(&Event::Notice { label: "001".into(), notice }, "001: NOTICE: table \\u{1b}[1mx\n  detail: more");
        let retry = Event::Retrying {
            label: "001".into(),
            attempt: 2,
            of: 10,
            reason: "lock time-out".to_owned(),
            pause: Duration::from_millis(230),
        };
        check(&retry, "001: attempt 2 of 10 in 230 ms: lock time-out");
        let held = Event::LockHeld { holder: Some("ci@host".to_owned()), since: Some("10:00".to_owned()) };
        check(&held, "waiting: ci@host holds the lock since 10:00");
        let done = Event::StepDone { number: 1, label: "1".into(), name: "x".into(), elapsed: Duration::ZERO };
        check(&done, "");
    }
}
