//! Values of keys: how a text, or a value of the configuration file, becomes one.

use std::path::PathBuf;
use std::time::Duration;

use limosa_db::Secret;

use super::keys::{Key, Kind};

/// A value whose form is right. Texts are hidden when it is printed: any of them may be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Text(Secret),
    Path(PathBuf),
    Paths(Vec<PathBuf>),
    Names(Vec<String>),
    Duration(Duration),
    Boolean(bool),
    Integer(u64),
    Choice(&'static str),
}

/// A value as it was given.
#[derive(Clone, Copy)]
pub(super) enum Raw<'a> {
    /// From a variable, which says everything by text.
    Text(&'a str),
    /// A flag's values, in their order.
    Repeated(&'a [String]),
    /// From the configuration file, which has types.
    Typed(Typed<'a>),
}

/// A value of the configuration file.
#[derive(Clone, Copy)]
pub(super) enum Typed<'a> {
    Text(&'a str),
    Integer(i64),
    Boolean(bool),
    Texts(&'a [String]),
    /// Anything else, by the name of its type.
    Other(&'static str),
}

/// Why a value is none: to stand behind "`key` ".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) message: String,
    pub(super) help: String,
}

fn wrong<T>(message: impl Into<String>, help: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong { message: message.into(), help: help.into() })
}

/// Reads a value by the kind of its key. No message holds the value of a secret key.
pub(super) fn parse(key: &Key, raw: &Raw<'_>) -> Result<Value, Wrong> {
    match key.kind {
        Kind::Text | Kind::Secret | Kind::Url => Ok(Value::Text(Secret::new(one_text(key, raw)?))),
        Kind::TextOrNothing => Ok(Value::Text(Secret::new(text_or_nothing(key, raw)?))),
        Kind::Path => Ok(Value::Path(PathBuf::from(one_text(key, raw)?))),
        Kind::Paths => Ok(Value::Paths(texts(key, raw)?.into_iter().map(PathBuf::from).collect())),
        Kind::Names => Ok(Value::Names(texts(key, raw)?)),
        Kind::Duration { least_ms, most_ms } => duration(key, raw, least_ms, most_ms).map(Value::Duration),
        Kind::Boolean => boolean(key, raw).map(Value::Boolean),
        Kind::Integer { least, most } => integer(key, raw, least, most).map(Value::Integer),
        Kind::Choice(words) => choice(key, raw, words).map(Value::Choice),
        Kind::Map => {
            wrong("is a table of names and values", format!("write [{}] and below it name = \"value\"", key.name))
        }
    }
}

/// What the file should hold, for messages.
fn form(key: &Key) -> String {
    match key.kind {
        Kind::Paths | Kind::Names => format!("write {} = [\"one\", \"another\"], or one text", key.name),
        Kind::Duration { .. } => format!("write a time with its unit in quotes, such as {} = \"3s\"", key.name),
        Kind::Boolean => format!("write {} = true or {} = false, without quotes", key.name, key.name),
        Kind::Integer { .. } => format!("write a whole number, such as {} = {}", key.name, key.default.unwrap_or("1")),
        Kind::Choice(words) => format!("it may be {}", words.join(", ")),
        _ => format!("write {} = \"...\"", key.name),
    }
}

fn mistyped<T>(key: &Key, typed: Typed<'_>) -> Result<T, Wrong> {
    let found = match typed {
        Typed::Text(_) => "a text",
        Typed::Integer(_) => "a number",
        Typed::Boolean(_) => "true or false",
        Typed::Texts(_) => "a list",
        Typed::Other(name) => name,
    };
    let wanted = match key.kind {
        Kind::Paths | Kind::Names => "a list of texts",
        Kind::Duration { .. } => "a time",
        Kind::Boolean => "true or false",
        Kind::Integer { .. } => "a whole number",
        Kind::Choice(_) => "a word",
        _ => "a text",
    };
    wrong(format!("must be {wanted}, not {found}"), form(key))
}

/// The one text that was given; an empty one is refused.
fn one_text<'a>(key: &Key, raw: &Raw<'a>) -> Result<&'a str, Wrong> {
    let text = text_or_nothing(key, raw)?;
    if text.trim().is_empty() {
        return wrong("is empty", "give a value, or leave it out");
    }
    Ok(text)
}

/// The one text that was given.
fn text_or_nothing<'a>(key: &Key, raw: &Raw<'a>) -> Result<&'a str, Wrong> {
    match raw {
        Raw::Text(text) | Raw::Typed(Typed::Text(text)) => Ok(text),
        Raw::Repeated([text]) => Ok(text.as_str()),
        Raw::Repeated(_) => wrong("is given more than once", "give it once"),
        Raw::Typed(other) => mistyped(key, *other),
    }
}

fn texts(key: &Key, raw: &Raw<'_>) -> Result<Vec<String>, Wrong> {
    let list: Vec<String> = match raw {
        Raw::Text(text) => text.split(',').map(|part| part.trim().to_owned()).collect(),
        Raw::Repeated(list) | Raw::Typed(Typed::Texts(list)) => list.to_vec(),
        Raw::Typed(Typed::Text(text)) => vec![(*text).to_owned()],
        Raw::Typed(other) => return mistyped(key, *other),
    };
    if list.is_empty() || list.iter().any(|text| text.trim().is_empty()) {
        return wrong("has an empty part", "give a value, or leave it out");
    }
    Ok(list)
}

/// A value that is no secret, short enough for a message.
fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(60).collect();
    if short.len() < text.len() {
        short.push_str("...");
    }
    format!("{short:?}")
}

fn duration(key: &Key, raw: &Raw<'_>, least_ms: u64, most_ms: u64) -> Result<Duration, Wrong> {
    let (milliseconds, text) = match raw {
        Raw::Typed(Typed::Integer(0)) => (Some(0), "0"),
        Raw::Typed(Typed::Integer(number)) => {
            return wrong("is a number without a unit", format!("write \"{number}s\" or \"{number}ms\""));
        }
        other => {
            let text = one_text(key, other)?;
            (duration_ms(text), text)
        }
    };
    let Some(milliseconds) = milliseconds else {
        let help = "write a number with its unit: 500ms, 3s, 2m, 1h, or off";
        return wrong(format!("is not a time: {}", shown(text)), help);
    };
    if milliseconds < least_ms {
        return wrong("is too short", format!("give at least {}", format_duration(Duration::from_millis(least_ms))));
    }
    if milliseconds > most_ms {
        return wrong("is too long", format!("give at most {}", format_duration(Duration::from_millis(most_ms))));
    }
    Ok(Duration::from_millis(milliseconds))
}

/// Units with their milliseconds; the longer ones first, so that `ms` is not read as `m`. Headers write `min`.
const UNITS: [(&str, u64); 6] =
    [("min", 60_000), ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// `3s`, `500ms`, `1h30m`, `0`, `off` in milliseconds; None where the text is no time.
fn duration_ms(text: &str) -> Option<u64> {
    let text = text.trim();
    if text == "0" || text.eq_ignore_ascii_case("off") {
        return Some(0);
    }
    let mut rest = text;
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        let behind = &rest[digits..];
        let (unit, factor) = UNITS.iter().find(|(unit, _)| behind.starts_with(unit))?;
        total = total.checked_add(number.checked_mul(*factor)?)?;
        rest = behind[unit.len()..].trim_start();
    }
    (!text.is_empty()).then_some(total)
}

/// A time as it is written: `1h30m`, `3s`, `1500ms`, `off`.
pub(super) fn format_duration(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if rest == 0 {
        return "off".to_owned();
    }
    if !rest.is_multiple_of(1000) {
        return format!("{rest}ms");
    }
    let mut text = String::new();
    for (unit, factor) in UNITS.iter().skip(1).rev() {
        if rest / factor > 0 {
            text.push_str(&format!("{}{unit}", rest / factor));
            rest %= factor;
        }
    }
    text
}

fn boolean(key: &Key, raw: &Raw<'_>) -> Result<bool, Wrong> {
    let text = match raw {
        Raw::Typed(Typed::Boolean(value)) => return Ok(*value),
        Raw::Typed(other) => return mistyped(key, *other),
        other => one_text(key, other)?,
    };
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => wrong(format!("is neither true nor false: {}", shown(text)), "write true or false"),
    }
}

fn integer(key: &Key, raw: &Raw<'_>, least: u64, most: u64) -> Result<u64, Wrong> {
    let number = match raw {
        Raw::Typed(Typed::Integer(number)) => Some(*number),
        Raw::Typed(other) => return mistyped(key, *other),
        other => one_text(key, other)?.trim().parse().ok(),
    };
    let number = number.and_then(|number| u64::try_from(number).ok());
    number
        .filter(|number| (least..=most).contains(number))
        .map_or_else(|| wrong(format!("must be a whole number from {least} to {most}"), form(key)), Ok)
}

fn choice(key: &Key, raw: &Raw<'_>, words: &'static [&'static str]) -> Result<&'static str, Wrong> {
    let text = match raw {
        // `pooled = true` says what it means.
        Raw::Typed(Typed::Boolean(value)) if words.contains(&"yes") => {
            if *value {
                "yes"
            } else {
                "no"
            }
        }
        other => one_text(key, other)?,
    };
    let lower = text.trim().to_ascii_lowercase();
    words.iter().find(|word| **word == lower).copied().map_or_else(
        || {
            let near = super::keys::nearest_name(&lower, words.iter().copied());
            let near = near.map(|word| format!("; did you mean {word}?")).unwrap_or_default();
            wrong(format!("cannot be {}", shown(text)), format!("it may be {}{near}", words.join(", ")))
        },
        Ok,
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::settings::keys::find;

    #[test]
    fn durations() {
        for (text, milliseconds) in [
            ("3s", Some(3000)),
            ("500ms", Some(500)),
            ("2m", Some(120_000)),
            ("10min", Some(600_000)),
            ("1h5min", Some(3_900_000)),
            ("2mi", None),
            ("1h", Some(3_600_000)),
            ("1h30m", Some(5_400_000)),
            ("1m 30s", Some(90_000)),
            ("1d", Some(86_400_000)),
            ("0", Some(0)),
            ("0s", Some(0)),
            ("off", Some(0)),
            ("OFF", Some(0)),
            ("3", None),
            ("s", None),
            ("3 s", None),
            ("-3s", None),
            ("1.5s", None),
            ("3sec", None),
            ("", None),
            ("99999999999999999999s", None),
            ("18446744073709551615h", None),
        ] {
            assert_eq!(duration_ms(text), milliseconds, "{text:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_duration_is_read_as_it_is_written(milliseconds in 0_u64..100_000_000_000) {
            let written = format_duration(Duration::from_millis(milliseconds));
            prop_assert_eq!(duration_ms(&written), Some(milliseconds));
        }

        #[test]
        fn no_text_is_too_odd(text in any::<String>()) {
            for key in super::super::keys::KEYS {
                let _ = parse(key, &Raw::Text(&text));
            }
        }
    }

    fn check(key: &str, raw: Raw<'_>, expected: Result<Value, &str>) {
        let found = parse(find(key).unwrap(), &raw);
        match (found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{key}"),
            (Err(found), Err(expected)) => {
                let text = format!("{} / {}", found.message, found.help);
                assert!(text.contains(expected), "{key}: {text}");
            }
            (found, _) => panic!("{key}: {found:?}"),
        }
    }

    #[test]
    fn values_by_kind() {
        use Raw::{Repeated, Text, Typed as File};
        check("lock_timeout", Text("3s"), Ok(Value::Duration(Duration::from_secs(3))));
        check("lock_timeout", File(Typed::Integer(0)), Ok(Value::Duration(Duration::ZERO)));
        check("lock_timeout", File(Typed::Integer(3)), Err("write \"3s\" or \"3ms\""));
        check("lock_timeout", Text("5 apples"), Err("\"5 apples\""));
        check("lock_timeout", Text("25d"), Err("too long"));
        check("lease", Text("off"), Err("at least 1s"));
        check("lock_retries", File(Typed::Integer(4)), Ok(Value::Integer(4)));
        check("lock_retries", Text("-1"), Err("from 0 to 1000"));
        check("lock_retries", File(Typed::Text("4")), Err("not a text"));
        check("single_transaction", Text("YES"), Ok(Value::Boolean(true)));
        check("single_transaction", File(Typed::Text("true")), Err("without quotes"));
        check("out_of_order", Text("Warn"), Ok(Value::Choice("warn")));
        check("out_of_order", Text("alow"), Err("did you mean allow?"));
        check("out_of_order", File(Typed::Boolean(true)), Err("refuse, warn, allow"));
        check("pooled", File(Typed::Boolean(false)), Ok(Value::Choice("no")));
        check("dir", Text("a, b"), Ok(Value::Paths(vec!["a".into(), "b".into()])));
        check("dir", File(Typed::Text("a,b")), Ok(Value::Paths(vec!["a,b".into()])));
        check("dir", Repeated(&["a".into(), "b".into()]), Ok(Value::Paths(vec!["a".into(), "b".into()])));
        check("dir", Text("a,,b"), Err("empty part"));
        check("role", Text(" "), Err("is empty"));
        check("role", Repeated(&["a".into(), "b".into()]), Err("more than once"));
        check("database", File(Typed::Integer(5)), Err("not a number"));
        check("audit.hmac_key", File(Typed::Texts(&["canary".into()])), Err("not a list"));
    }
}
