//! What each setting is and where it came from, for `limosa config explain`; and the page about all of them.

use std::path::{Path, PathBuf};

use limosa_core::OutOfOrder;
use limosa_db::Secret;
use serde::Serialize;

use super::address::redact;
use super::keys::{KEYS, Key, Kind, Place};
use super::typed::{Color, LogFormat, Placeholder, Provenance, Settings, Source};
use super::value::format_duration;

/// One setting, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// The key; placeholders are called `placeholders.NAME`.
    pub key: String,
    /// Its value without secrets; None where there is none.
    pub value: Option<String>,
    /// Where it came from, such as `limosa.toml:12 [environments.staging]`; None where there is no value.
    pub origin: Option<String>,
    /// Other places that gave a value and lost, the strongest first.
    pub shadowed: Vec<String>,
    /// What it decides.
    pub doc: &'static str,
}

/// All settings in the order of the table, placeholders one by one. Holds no secret.
pub fn explain(settings: &Settings, provenance: &Provenance) -> Vec<Explained> {
    let mut explained = Vec::new();
    for key in KEYS {
        if key.kind == Kind::Map {
            for (name, placeholder) in &settings.placeholders {
                let full = format!("{}.{name}", key.name);
                let source = provenance.of(&full);
                explained.push(line(full, Some(placeholder_text(placeholder)), source, key));
            }
            continue;
        }
        let source = provenance.of(key.name);
        // A value that was not fetched is known by its reference.
        let unfetched = || source.and_then(|source| source.reference.as_ref()).map(|_| "***".to_owned());
        let shown = source.and_then(|source| source.shown.clone());
        let value = shown.or_else(|| value(key.name, settings)).or_else(unfetched);
        explained.push(line(key.name.to_owned(), value, source, key));
    }
    explained
}

fn line(key: String, value: Option<String>, source: Option<&Source>, about: &Key) -> Explained {
    let origin = source.filter(|_| value.is_some()).map(|source| match &source.reference {
        Some(reference) => format!("{}, by {reference}", source.origin),
        None => source.origin.to_string(),
    });
    let shadowed = source.map(|source| source.shadowed.iter().map(ToString::to_string).collect()).unwrap_or_default();
    Explained { key, value, origin, shadowed, doc: about.doc }
}

fn placeholder_text(placeholder: &Placeholder) -> String {
    let value = placeholder.value.expose();
    match placeholder.secret {
        true => "***".to_owned(),
        // An address may hold a password that nobody marked.
        false if value.contains("://") => redact(value),
        false => value.to_owned(),
    }
}

fn path(path: &Path) -> String {
    path.display().to_string()
}

fn address(address: Option<&Secret>) -> Option<String> {
    address.map(|address| redact(address.expose()))
}

/// The value of a key as it would be written in a variable; None where there is none.
fn value(key: &str, settings: &Settings) -> Option<String> {
    match key {
        "config" => settings.config.as_deref().map(path),
        "environment" => settings.environment.clone(),
        "env_file" => settings.env_file.as_deref().map(path),
        "database" => address(settings.database.as_ref()),
        "direct_url" => address(settings.direct_url.as_ref()),
        "pooled" => Some(settings.pooled.map_or("auto", |pooled| if pooled { "yes" } else { "no" }).to_owned()),
        "role" => settings.role.clone(),
        "wait_for_database" => Some(format_duration(settings.wait_for_database.unwrap_or_default())),
        "dir" => Some(settings.directories.iter().map(PathBuf::as_path).map(path).collect::<Vec<_>>().join(",")),
        "format" => Some(settings.format.to_owned()),
        "pattern" => settings.pattern.as_ref().map(|pattern| pattern.as_str().to_owned()),
        "create_schemas" => (!settings.create_schemas.is_empty()).then(|| settings.create_schemas.join(",")),
        "allow_commands" => Some(settings.allow_commands.to_string()),
        "ignore_other_ledgers" => Some(settings.ignore_other_ledgers.to_string()),
        "tool_table" => settings.tool_table.clone(),
        "verify_applied" => Some(settings.verify_applied.to_string()),
        "share_transactions" => Some(settings.share_transactions.to_string()),
        "sqlite.foreign_keys" => Some(match settings.foreign_keys {
            None => "auto".to_owned(),
            Some(given) => given.word().to_lowercase(),
        }),
        "replace_placeholders" => Some(settings.replace_placeholders.to_string()),
        "flyway.sql_migration_prefix" => Some(settings.flyway.versioned.clone()),
        "flyway.undo_sql_migration_prefix" => Some(settings.flyway.undo.clone()),
        "flyway.repeatable_sql_migration_prefix" => Some(settings.flyway.repeatable.clone()),
        "flyway.baseline_migration_prefix" => Some(settings.flyway.baseline.clone()),
        "flyway.sql_migration_separator" => Some(settings.flyway.separator.clone()),
        "flyway.sql_migration_suffixes" => Some(settings.flyway.suffixes.join(",")),
        "flyway.placeholder_prefix" => Some(settings.flyway.placeholders.prefix().to_owned()),
        "flyway.placeholder_suffix" => Some(settings.flyway.placeholders.suffix().to_owned()),
        "flyway.placeholder_separator" => Some(settings.flyway.placeholders.separator().to_owned()),
        "flyway.script_placeholder_prefix" => Some(settings.flyway.command_marks[0].clone()),
        "flyway.script_placeholder_suffix" => Some(settings.flyway.command_marks[1].clone()),
        "project" => Some(settings.project.clone()),
        "protected" => Some(settings.protected.to_string()),
        "clean_disabled" => Some(settings.clean_disabled.to_string()),
        "flyway.baseline_on_migrate" => settings.baseline_on_migrate.clone(),
        "out_of_order" => Some(match settings.out_of_order {
            OutOfOrder::Refuse => "refuse".to_owned(),
            OutOfOrder::Warn => "warn".to_owned(),
            OutOfOrder::Allow => "allow".to_owned(),
        }),
        "single_transaction" => Some(settings.single_transaction.to_string()),
        "auto_rollback" => Some(settings.auto_rollback.to_string()),
        "backup" => Some(settings.backup.to_string()),
        "backup_dir" => Some(path(&settings.backup_directory)),
        "lock_timeout" => Some(format_duration(settings.lock_timeout)),
        "lock_retries" => Some(settings.lock_retries.to_string()),
        "statement_timeout" => Some(format_duration(settings.statement_timeout)),
        "lock_wait" => Some(format_duration(settings.lock_wait)),
        "lease" => Some(format_duration(settings.lease)),
        "secret_placeholders" => {
            let secret = settings.placeholders.iter().filter(|(_, placeholder)| placeholder.secret);
            let names: Vec<&str> = secret.map(|(name, _)| name.as_str()).collect();
            (!names.is_empty()).then(|| names.join(","))
        }
        "ledger.schema" => Some(settings.ledger_schema.clone()),
        "audit.anchor_file" => settings.anchor_file.as_deref().map(path),
        "audit.hmac_key" => settings.hmac_key.as_ref().map(|_| "***".to_owned()),
        "actor" => settings.actor.clone(),
        "output" => Some(settings.output.clone()),
        "log_format" => Some(match settings.log_format {
            LogFormat::Text => "text".to_owned(),
            LogFormat::Json => "json".to_owned(),
        }),
        "metrics_file" => settings.metrics_file.as_deref().map(path),
        "color" => Some(match settings.color {
            Color::Auto => "auto".to_owned(),
            Color::Always => "always".to_owned(),
            Color::Never => "never".to_owned(),
        }),
        "yes" => Some(settings.yes.to_string()),
        _ => None,
    }
}

/// The page about all keys, as a Markdown table.
pub fn settings_reference() -> String {
    let mut page = String::from(
        "| Key | Type | Default | Variable | Flag | Flyway | Meaning |\n| --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for key in KEYS {
        let code = |text: Option<&str>| text.map(|text| format!("`{text}`")).unwrap_or_default();
        let variable = key.variable.map(|name| match key.kind {
            Kind::Map => format!("`{name}NAME`"),
            _ => format!("`{name}`"),
        });
        let flag = key.flag.map(|flag| match key.kind {
            Kind::Map => format!("`{flag} NAME=VALUE`"),
            Kind::Boolean => format!("`{flag}`"),
            _ => format!("`{flag} {}`", value_name(key)),
        });
        let place = match key.place {
            Place::TopAndEnvironments => "",
            Place::Top => " (top of the file only)",
            Place::Outside => " (not in the file)",
        };
        let cells = [
            format!("`{}`{place}", key.name),
            type_name(key),
            code(key.default),
            variable.unwrap_or_default(),
            flag.unwrap_or_default(),
            code(key.flyway),
            key.doc.to_owned(),
        ];
        let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        page.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    page
}

/// What stands behind a flag in its help: `URL`, `PATH`, `TIME`.
pub fn value_name(key: &Key) -> &'static str {
    match key.kind {
        Kind::Url => "URL",
        Kind::Path | Kind::Paths => "PATH",
        Kind::Duration { .. } => "TIME",
        Kind::Integer { .. } => "NUMBER",
        Kind::Map => "NAME=VALUE",
        Kind::Boolean => "true|false",
        Kind::Choice(_) => "WORD",
        Kind::Secret => "SECRET",
        Kind::Text | Kind::TextOrNothing | Kind::Names => "NAME",
    }
}

fn type_name(key: &Key) -> String {
    match key.kind {
        Kind::Text | Kind::TextOrNothing => "text".to_owned(),
        Kind::Secret => "secret or reference".to_owned(),
        Kind::Url => "address or reference".to_owned(),
        Kind::Path => "path".to_owned(),
        Kind::Paths => "list of paths".to_owned(),
        Kind::Names => "list of names".to_owned(),
        Kind::Duration { .. } => "time".to_owned(),
        Kind::Boolean => "true or false".to_owned(),
        Kind::Integer { least, most } => format!("number, {least} to {most}"),
        Kind::Choice(words) => words.join(", "),
        Kind::Map => "table of texts or references".to_owned(),
    }
}
