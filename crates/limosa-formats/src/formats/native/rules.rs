//! The table of headers: what each one is called, which values it takes, and what it decides. It serves header comments, the
//! configuration, and the documentation.

use limosa_sql::{Engine, Label};

use super::values::{duration, is_word, transaction};
use super::wishes::{Reference, Wishes};

/// One value as written, and where.
pub(crate) struct Item {
    pub(crate) text: String,
    pub(crate) label: Label,
}

/// How many values a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arity {
    /// Free text.
    Prose,
    /// One value out of a few.
    One,
    /// Values joined by commas; the header may repeat.
    List,
}

/// A header, its values and its meaning: the rows of the table in the documentation.
#[derive(Debug, Clone, Copy)]
pub struct HeaderRule {
    /// The header as users write it; capitals, blanks and underscores make no difference.
    pub name: &'static str,
    /// The same key in `migration_config.yaml`; None where it has none.
    pub config_key: Option<&'static str>,
    /// The allowed values, in words.
    pub allowed: &'static str,
    /// What it does, in a line.
    pub meaning: &'static str,
    /// A line as it stands in a file.
    pub example: &'static str,
    /// What else there is to know, in Markdown.
    pub details: &'static str,
    pub(crate) arity: Arity,
    /// True where a rollback file, or the head of a rollback section, may say it too.
    pub in_rollback: bool,
    /// Takes the values over; the error is the index of the first bad one.
    pub(crate) take: fn(&mut Wishes, &[Item]) -> Result<(), usize>,
}

/// All headers, in the order in which the documentation lists them.
pub fn header_rules() -> &'static [HeaderRule] {
    RULES
}

pub(super) const DURATION: &str = "a number with ms, s, min or h (3s, 500ms), or 0 or off";

const RULES: &[HeaderRule] = &[
    HeaderRule {
        name: "Migration",
        config_key: None,
        allowed: "the name of the file, or a title",
        meaning: "says which migration this is; a file name that differs from the file's own is warned of",
        example: "-- Migration: 002_add_index.sql",
        details: "A file that was copied from another one still says that one's name: limosa warns (LIM-F006). The name and \
                  the version of a migration come from its file name, never from here.",
        arity: Arity::Prose,
        in_rollback: true,
        take: |_, _| Ok(()),
    },
    HeaderRule {
        name: "Purpose",
        config_key: Some("description"),
        allowed: "text",
        meaning: "why the migration exists, for its readers",
        example: "-- Purpose: Orders are looked up by customer, which takes seconds without an index",
        details: "For the people who read the file. limosa decides nothing by it.",
        arity: Arity::Prose,
        in_rollback: true,
        take: |wishes, items| prose(&mut wishes.purpose, items),
    },
    HeaderRule {
        name: "Phase",
        config_key: Some("phase"),
        allowed: "text",
        meaning: "the phase of the project that it belongs to, for its readers",
        example: "-- Phase: 2",
        details: "For the people who read the file. limosa decides nothing by it.",
        arity: Arity::Prose,
        in_rollback: true,
        take: |wishes, items| prose(&mut wishes.phase, items),
    },
    HeaderRule {
        name: "Checklist",
        config_key: Some("checklist"),
        allowed: "text",
        meaning: "where its checklist stands, for its readers",
        example: "-- Checklist: wiki/releases/2024-06",
        details: "For the people who read the file. limosa decides nothing by it.",
        arity: Arity::Prose,
        in_rollback: true,
        take: |wishes, items| prose(&mut wishes.checklist, items),
    },
    HeaderRule {
        name: "Depends-on",
        config_key: Some("depends_on"),
        allowed: "versions (001), identities (R:views) or file names (001_create_jobs.sql), joined by commas",
        meaning: "migrations that must run before this one",
        example: "-- Depends-on: 002, R:views",
        details: "The order of versions is kept anyway; the header is for what they do not say: a repeatable that needs \
                  another one, or a file that must never run without another one. A rollback of a migration that others depend \
                  on is refused (LIM-P012). A circle or a name that does not exist is an error. `none` means nothing.",
        arity: Arity::List,
        in_rollback: false,
        take: |wishes, items| {
            let references = items.iter().filter(|item| !item.text.eq_ignore_ascii_case("none"));
            wishes.depends_on.extend(references.map(|item| Reference {
                text: item.text.clone(),
                label: item.label.clone(),
                may_be_prose: false,
            }));
            Ok(())
        },
    },
    HeaderRule {
        name: "Transaction",
        config_key: Some("transaction"),
        allowed: "auto, always or none",
        meaning: "auto: the statements decide; always: one transaction or an error; none: each statement by itself",
        example: "-- Transaction: none",
        details: "Without it a file is one transaction wherever its statements allow that; see Transactions on the page of \
                  migration files. `always` makes sure of it: a statement that cannot run inside is an error, before anything \
                  runs. `none` runs and journals each statement by itself, for a file that must commit in between, such as one \
                  that changes millions of rows in parts.",
        arity: Arity::One,
        in_rollback: true,
        take: |wishes, items| one(&mut wishes.transaction, items, transaction),
    },
    HeaderRule {
        name: "Lock-timeout",
        config_key: Some("lock_timeout"),
        allowed: DURATION,
        meaning: "how long a statement waits for a lock before the migration is rolled back and tried again",
        example: "-- Lock-timeout: 500ms",
        details: "In place of the setting `lock_timeout` (3 s). While a statement waits for a lock, all later ones on that \
                  table wait behind it; so keep it short and let limosa try again. `0` or `off` waits for ever. On MariaDB and \
                  MySQL it counts in whole seconds, at least one.",
        arity: Arity::One,
        in_rollback: true,
        take: |wishes, items| one(&mut wishes.lock_timeout, items, duration),
    },
    HeaderRule {
        name: "Statement-timeout",
        config_key: Some("statement_timeout"),
        allowed: DURATION,
        meaning: "how long a statement may run; on SQLite and MySQL limosa stops it",
        example: "-- Statement-timeout: 30min",
        details: "In place of the setting `statement_timeout`, which is off. A statement that runs longer is stopped and its \
                  transaction rolled back. `0` or `off` means no limit.",
        arity: Arity::One,
        in_rollback: true,
        take: |wishes, items| one(&mut wishes.statement_timeout, items, duration),
    },
    HeaderRule {
        name: "Environments",
        config_key: Some("environments"),
        allowed: "names of environments, joined by commas",
        meaning: "runs there only; elsewhere the migration is not applicable",
        example: "-- Environments: staging, production",
        details: "The environment is the one of `--environment`, `LIMOSA_ENVIRONMENT` or the key `environment`. Elsewhere the \
                  file is shown as not applicable, with the reason; when it applies later, it is not out of order.",
        arity: Arity::List,
        in_rollback: false,
        take: |wishes, items| words(&mut wishes.environments, items),
    },
    HeaderRule {
        name: "Engines",
        config_key: Some("engines"),
        allowed: "postgres, sqlite, mysql; joined by commas",
        meaning: "runs there only; elsewhere the migration is not applicable",
        example: "-- Engines: postgres",
        details: "For folders that serve several engines. Two files may share a version if no engine runs both. MariaDB and \
                  MySQL are both `mysql`. In a way back it says on which engines that way back counts.",
        arity: Arity::List,
        in_rollback: true,
        take: |wishes, items| {
            let engines = wishes.engines.get_or_insert_with(Vec::new);
            for (index, item) in items.iter().enumerate() {
                let engine = Engine::from_name(&item.text).ok_or(index)?;
                if !engines.contains(&engine) {
                    engines.push(engine);
                }
            }
            Ok(())
        },
    },
    HeaderRule {
        name: "Requires-extension",
        config_key: Some("requires_extension"),
        allowed: "names of PostgreSQL extensions, joined by commas",
        meaning: "where the server does not offer them, the migration is not applicable",
        example: "-- Requires-extension: pg_trgm, postgis",
        details: "PostgreSQL only. The question is whether the server offers the extension (`pg_available_extensions`), not \
                  whether it was created; create it in the file, with `CREATE EXTENSION IF NOT EXISTS`.",
        arity: Arity::List,
        in_rollback: false,
        take: |wishes, items| words(&mut wishes.requires_extension, items),
    },
    HeaderRule {
        name: "Tags",
        config_key: Some("tags"),
        allowed: "words, joined by commas",
        meaning: "words to group it by, for its readers",
        example: "-- Tags: orders, slow",
        details: "For the people who read the file. limosa decides nothing by it.",
        arity: Arity::List,
        in_rollback: false,
        take: |wishes, items| words(&mut wishes.tags, items),
    },
    HeaderRule {
        name: "Data-loss",
        config_key: Some("data_loss"),
        allowed: "allowed",
        meaning: "the migration is meant to destroy data",
        example: "-- Data-loss: allowed",
        details: "Without it a file that drops or deletes something is warned of in each plan and run (LIM-P018). It gives no \
                  consent to a rollback: that always names the database.",
        arity: Arity::One,
        in_rollback: false,
        take: |wishes, items| {
            one(&mut wishes.data_loss_allowed, items, |text| text.eq_ignore_ascii_case("allowed").then_some(true))
        },
    },
    HeaderRule {
        name: "Placeholders",
        config_key: Some("placeholders"),
        allowed: "on or off",
        meaning: "off leaves ${...} in the SQL alone",
        example: "-- Placeholders: off",
        details: "For files that hold `${...}` as text, such as templates. Elsewhere a placeholder without a value is an error \
                  before anything runs (LIM-R012).",
        arity: Arity::One,
        in_rollback: false,
        take: |wishes, items| {
            one(&mut wishes.placeholders_off, items, |text| match text.to_ascii_lowercase().as_str() {
                "on" => Some(false),
                "off" => Some(true),
                _ => None,
            })
        },
    },
];

/// Words of other tools for the same thing.
pub(super) const SYNONYMS: &[(&str, &str)] = &[
    ("dependencies", "Depends-on"),
    ("depends", "Depends-on"),
    ("requires-extensions", "Requires-extension"),
    ("extensions", "Requires-extension"),
    ("transactions", "Transaction"),
    ("environment", "Environments"),
    ("engine", "Engines"),
];

fn prose(slot: &mut Option<String>, items: &[Item]) -> Result<(), usize> {
    let text = items.first().map(|item| item.text.clone()).filter(|text| !text.is_empty());
    if slot.is_none() {
        *slot = text;
    }
    Ok(())
}

fn one<T>(slot: &mut Option<T>, items: &[Item], read: impl Fn(&str) -> Option<T>) -> Result<(), usize> {
    let value = items.first().and_then(|item| read(&item.text)).ok_or(0_usize)?;
    *slot = Some(value);
    Ok(())
}

fn words(slot: &mut Option<Vec<String>>, items: &[Item]) -> Result<(), usize> {
    let list = slot.get_or_insert_with(Vec::new);
    for (index, item) in items.iter().enumerate() {
        if !is_word(&item.text) {
            return Err(index);
        }
        if !list.contains(&item.text) {
            list.push(item.text.clone());
        }
    }
    Ok(())
}
