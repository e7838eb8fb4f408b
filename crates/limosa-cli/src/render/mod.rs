//! Answers as text: one file per form, pure functions that return what the console then writes.

pub(crate) mod adopt;
pub(crate) mod diagnostic_json;
pub(crate) mod diagnostic_text;
pub(crate) mod difference;
pub(crate) mod done;
pub(crate) mod event;
pub(crate) mod explanation;
pub(crate) mod export;
pub(crate) mod findings;
pub(crate) mod health;
pub(crate) mod history;
pub(crate) mod json_line;
pub(crate) mod plan;
pub(crate) mod run;
pub(crate) mod settings;
pub(crate) mod standing;
pub(crate) mod status;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod target;
pub(crate) mod time;
