//! What runs around migrations, as plans show it.

use serde::Serialize;

/// What runs around steps.
#[derive(Debug, Clone, Serialize)]
pub struct CallbackLine {
    /// When: `beforeMigrate` and its like.
    pub event: String,
    /// Path of the file as the user gave it.
    pub file: String,
    /// It is a program, and no SQL.
    pub command: bool,
    /// It runs in the transaction of each step that has one.
    pub shares: bool,
    /// What must hold right before it, in words; left out where nothing must.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub preconditions: Vec<String>,
}
