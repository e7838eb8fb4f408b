//! Settings that the address asks the server to begin a session with. A pooler can be told to drop them in silence, and a search path with
//! them: what runs then works in another schema.

use super::answer::{self, Answer};
use super::wire::{Event, Wire};
use crate::{DbError, DbErrorKind, Value};

/// Names of the settings in `options`, which is written as `postgres` takes its command line (`-c name=value`, `--name=value`), and as libpq
/// passes it on: a backslash stands before a blank that separates nothing.
fn names(options: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut signs = options.chars();
    while let Some(sign) = signs.next() {
        match sign {
            '\\' => words.last_mut().map(|word| word.extend(signs.next())).unwrap_or_default(),
            sign if sign.is_whitespace() => words.push(String::new()),
            sign => words.last_mut().map(|word| word.push(sign)).unwrap_or_default(),
        }
    }
    let mut words = words.iter().filter(|word| !word.is_empty());
    let mut found = Vec::new();
    while let Some(word) = words.next() {
        let setting = match (word.strip_prefix("-c"), word.strip_prefix("--")) {
            (Some(""), _) => words.next().map(String::as_str),
            (Some(setting), _) | (None, Some(setting)) => Some(setting),
            (None, None) => None,
        };
        let name = setting.and_then(|setting| setting.split_once('=')).map(|(name, _)| name);
        found.extend(name.map(|name| name.replace('-', "_").to_ascii_lowercase()));
    }
    found
}

/// Refuses a session behind a pooler that has dropped settings of the address.
///
/// # Errors
/// [`Configuration`](DbErrorKind::Configuration), with the first of them, or what the server says.
pub(super) async fn refuse_dropped(wire: &mut Wire, options: &str) -> Result<(), DbError> {
    let names = names(options).join(",");
    if names.is_empty() {
        return Ok(());
    }
    // A pooler may set them by a statement. What the server does not tell of is passed over.
    let ask = "select name from pg_catalog.pg_settings where name = any (string_to_array($1, ',')) \
               and source not in ('client', 'session') order by name";
    wire.send(answer::bound(wire.client(), 0, ask.to_owned(), vec![Value::Text(names)])).await;
    let mut dropped = None;
    while let Some(event) = wire.next().await {
        if let Event::Answer(Answer { outcome, .. }) = event {
            let reply = outcome.map_err(|error| wire.explain(error))?;
            dropped = reply.rows.first().and_then(|row| row.text(0));
        }
    }
    let Some(name) = dropped else { return Ok(()) };
    let message =
        format!("the pooler has dropped the option {name} of the address, and each session has another value");
    Err(DbError::new(DbErrorKind::Configuration, message)
        .hint("give the address of the server itself as direct_url, or set it for the role: ALTER ROLE ... SET"))
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn settings_are_read_as_the_server_reads_them() {
        for (options, expected) in [
            ("-csearch_path=tenant", &["search_path"][..]),
            ("-c search_path=a,b  -c geqo=off", &["search_path", "geqo"]),
            ("--work-mem=1MB -c Lock_Timeout=1s", &["work_mem", "lock_timeout"]),
            ("-c search_path=a\\ b\\ --c=d -d 3", &["search_path"]),
            ("", &[]),
        ] {
            assert_eq!(names(options), expected, "{options}");
        }
    }
}
