//! PostgreSQL does not let a transaction use an enum value that it added. Which steps of a plan add values, and which use
//! them, is read out of their statements, so that a single transaction splits where it must and nowhere else.

use std::collections::BTreeSet;

use limosa_sql::{Effect, Engine, classify, mentions_literal};

/// The enum values that concern one step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EnumValues {
    /// Values that its statements add to a type.
    pub added: BTreeSet<String>,
    /// Values added by steps before it that its statements use, or may use.
    pub used: BTreeSet<String>,
}

/// Reads the statements of a plan's steps in their order. Holds the values, and no statement.
#[derive(Debug)]
pub struct EnumValueReader {
    engine: Engine,
    /// Added by steps that have ended.
    known: BTreeSet<String>,
    step: EnumValues,
}

impl EnumValueReader {
    /// A reader before the first step.
    pub fn new(engine: Engine) -> Self {
        EnumValueReader { engine, known: BTreeSet::new(), step: EnumValues::default() }
    }

    /// Adds the next statement of the step, as it is sent: placeholders replaced.
    pub fn statement(&mut self, text: &str) {
        // To name a value as the neighbour of a new one is allowed.
        if let Effect::AddsEnumValue { value, .. } = classify(self.engine, text).effect {
            self.step.added.insert(value.into());
            return;
        }
        for value in &self.known {
            if !self.step.used.contains(value) && mentions_literal(self.engine, text, value) {
                self.step.used.insert(value.clone());
            }
        }
    }

    /// Ends the step: what concerns it.
    pub fn end_step(&mut self) -> EnumValues {
        let step = std::mem::take(&mut self.step);
        self.known.extend(step.added.iter().cloned());
        step
    }
}

/// The values that an open transaction has added.
#[derive(Debug, Default)]
pub struct Uncommitted<'a> {
    values: BTreeSet<&'a str>,
    /// Some step adds values and was not read: they may be any.
    unread: bool,
}

impl<'a> Uncommitted<'a> {
    /// A step joins. `adds` is what its outline says, `values` what was read of it.
    pub fn add(&mut self, adds: bool, values: Option<&'a EnumValues>) {
        match values {
            Some(values) => self.values.extend(values.added.iter().map(String::as_str)),
            None => self.unread |= adds,
        }
    }

    /// Why a step cannot join; None where it can.
    pub fn kept_out(&self, values: Option<&EnumValues>) -> Option<String> {
        match values {
            Some(values) if !self.unread => {
                let value = values.used.iter().find(|value| self.values.contains(value.as_str()))?;
                Some(format!("it uses the new enum value '{value}', which must be committed first"))
            }
            _ if self.unread || !self.values.is_empty() => Some("a new enum value must be committed first".to_owned()),
            _ => None,
        }
    }

    /// The transaction ends before the next step.
    pub(crate) fn commit(&mut self) {
        *self = Uncommitted::default();
    }
}
