//! Which database a command speaks with.

use limosa::report::{RunnerLine, Target};

use super::style::{Tone, harmless};

/// `database shop at db:5432 as app (PostgreSQL 17.2), environment production, protected`.
pub(crate) fn words(target: &Target) -> String {
    let mut text = format!("database {}", harmless(&target.database));
    if !target.host.is_empty() {
        text.push_str(&format!(" at {}", harmless(&target.host)));
    }
    if !target.user.is_empty() {
        text.push_str(&format!(" as {}", harmless(&target.user)));
    }
    text.push_str(&format!(
        " ({} {})",
        target.engine.product(&target.server_version),
        harmless(&target.server_version)
    ));
    match &target.environment {
        Some(name) => text.push_str(&format!(", environment {}", harmless(name))),
        None => text.push_str(", no environment"),
    }
    if target.protected {
        text.push_str(", protected");
    }
    if target.project != "default" {
        text.push_str(&format!(", project {}", harmless(&target.project)));
    }
    text
}

/// The line that stands before everything that writes.
pub(crate) fn line(target: &Target) -> String {
    let tone = if target.protected { Tone::Doubtful } else { Tone::Strong };
    format!("target: {}", tone.paint(&words(target)))
}

/// Who runs now.
pub(crate) fn runner(runner: &RunnerLine) -> String {
    let since = runner.since.as_deref().map(|since| format!(" since {}", harmless(since))).unwrap_or_default();
    let silent =
        runner.silent_seconds.map(|seconds| format!(", last sign of life {seconds} s ago")).unwrap_or_default();
    let (what, more) = match runner.may_be_gone {
        true => {
            ("began and was not heard of any more", "; it may have ended without a word, which the next run finds out")
        }
        false => ("running now", ""),
    };
    format!("{what}: {}{since}{silent}{more}", harmless(&runner.holder))
}

#[cfg(test)]
mod tests {
    use limosa::Engine;

    use super::*;

    #[test]
    fn environment_host_database_and_user_are_named() {
        let mut target = Target {
            engine: Engine::Postgres,
            host: "db.example:5432".to_owned(),
            database: "shop".to_owned(),
            user: "app".to_owned(),
            server_version: "17.2".to_owned(),
            environment: Some("production".to_owned()),
            protected: true,
            project: "orders".to_owned(),
        };
        let expected = "database shop at db.example:5432 as app (PostgreSQL 17.2), environment production, protected, project orders";
        assert_eq!(words(&target), expected);
        target = Target {
            engine: Engine::Sqlite,
            host: String::new(),
            user: String::new(),
            environment: None,
            protected: false,
            project: "default".to_owned(),
            ..target
        };
        assert_eq!(words(&target), "database shop (SQLite 17.2), no environment");
    }
}
