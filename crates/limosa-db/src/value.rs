//! Values of limosa's own statements. User data never passes through here.

use limosa_sql::Engine;

/// A parameter or a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// NULL.
    Null,
    /// Text (PostgreSQL: text, varchar, name, and anything cast to text).
    Text(String),
    /// A whole number (PostgreSQL: int2, int4, int8, oid).
    Integer(i64),
    /// True or false (SQLite gives integers).
    Boolean(bool),
}

impl Value {
    /// Some text, or NULL.
    pub fn optional(text: Option<impl Into<String>>) -> Value {
        text.map_or(Value::Null, |text| Value::Text(text.into()))
    }

    /// The value as a constant in the text of a statement, where nothing around it need tell its type.
    pub fn constant(&self, engine: Engine) -> String {
        let cast = if engine == Engine::Postgres { "::text" } else { "" };
        match self {
            Value::Text(text) => engine.quote_literal(text) + cast,
            Value::Integer(number) => number.to_string(),
            Value::Boolean(truth) => truth.to_string(),
            Value::Null => format!("null{cast}"),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Integer(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Value {
        Value::Boolean(truth)
    }
}

/// A row, column by column.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row(pub Vec<Value>);

impl Row {
    /// The text of a column; None for NULL.
    pub fn text(&self, column: usize) -> Option<String> {
        match self.0.get(column)? {
            Value::Null => None,
            Value::Text(text) => Some(text.clone()),
            Value::Integer(number) => Some(number.to_string()),
            Value::Boolean(truth) => Some(truth.to_string()),
        }
    }

    /// The number in a column; None for NULL and for text that is no number.
    pub fn integer(&self, column: usize) -> Option<i64> {
        match self.0.get(column)? {
            Value::Integer(number) => Some(*number),
            Value::Boolean(truth) => Some(i64::from(*truth)),
            Value::Text(text) => text.parse().ok(),
            Value::Null => None,
        }
    }

    /// The truth in a column; NULL is false.
    pub fn boolean(&self, column: usize) -> bool {
        match self.0.get(column) {
            Some(Value::Boolean(truth)) => *truth,
            Some(Value::Integer(number)) => *number != 0,
            Some(Value::Text(text)) => text == "t" || text == "true",
            Some(Value::Null) | None => false,
        }
    }
}
