//! Answers that are scripts: SQL, completions, pages.

use limosa::report::SCHEMA_VERSION;
use serde::Serialize;

use crate::console::Console;

#[derive(Debug, Serialize)]
struct ScriptAnswer<'a> {
    schema_version: u32,
    command: &'a str,
    exit_code: u8,
    script: &'a str,
}

/// Writes a script as it stands, or as one field of a JSON document.
pub(super) fn write(console: &Console, command: &str, script: &str) {
    if console.is_json() {
        console.json(&ScriptAnswer { schema_version: SCHEMA_VERSION, command, exit_code: 0, script });
    } else {
        console.data(script.as_bytes());
    }
}
