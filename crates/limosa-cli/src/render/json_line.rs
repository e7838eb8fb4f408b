//! One line of a JSON log.

use std::time::Duration;

use serde_json::{Map, Value};

/// The version of all lines. It grows when a field changes its meaning or goes; new events and new fields do not count.
const SCHEMA_VERSION: u32 = 1;

/// An event with its fields, which are an object, at a time since the Unix epoch.
pub(crate) fn render(since_epoch: Duration, event: &str, fields: &Value) -> String {
    let mut line = Map::new();
    line.insert("schema_version".to_owned(), SCHEMA_VERSION.into());
    line.insert("at".to_owned(), limosa::clock::rfc3339(since_epoch).into());
    line.insert("event".to_owned(), event.into());
    if let Value::Object(fields) = fields {
        line.extend(fields.clone());
    }
    format!("{}\n", Value::Object(line))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_event_is_one_line() {
        let line = render(Duration::from_millis(1_700_000_000_007), "message", &json!({"text": "a\nb \"c\" \u{1b}"}));
        let expected =
            r#"{"schema_version":1,"at":"2023-11-14T22:13:20.007Z","event":"message","text":"a\nb \"c\" \u001b"}"#;
        assert_eq!(line, format!("{expected}\n"));
    }
}
