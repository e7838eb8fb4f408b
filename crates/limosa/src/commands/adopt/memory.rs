//! What limosa remembers of a database that it took over.

use std::collections::BTreeMap;

use limosa_core::{ForeignTool, LedgerView, Unfiled};
use limosa_db::ledger::statements as sql;
use limosa_db::{Item, NamedTable, Value};
use serde::{Deserialize, Serialize};

use crate::Failure;
use crate::opened::Opened;
use crate::report::AdoptedLine;

/// The key in the application's metadata.
const KEY: &str = "adopted";

/// The key of what says that the ledger is kept; each look at limosa's asks for it.
const KEPT: &str = "kept";

/// The key of the newest version that the tool had applied and that had no file; each look asks for it, too.
const NEWEST_ELSEWHERE: &str = "newest_elsewhere";

/// The key of what the tool had applied and that had no file; each look asks for it, too.
const UNFILED: &str = "unfiled";

/// From which tool a database was taken over, and what of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Adopted {
    /// The word of the tool.
    pub(crate) tool: String,
    /// Its table, `schema.name` where it has a schema.
    pub(crate) table: String,
    /// The project, where its table is of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) project: Option<String>,
    /// What it called its newest migration.
    pub(crate) newest: Option<String>,
    /// Who took it over.
    pub(crate) by: String,
    /// The identities that were taken over, with what the tool knows them by; empty where it has no row of its own for one.
    pub(crate) migrations: BTreeMap<String, String>,
    /// What the tool knows those by that it had applied and that had no file.
    #[serde(default)]
    pub(crate) missing: Vec<String>,
    /// When, by the server's clock.
    #[serde(skip)]
    pub(crate) at: String,
    /// Its table is kept beside limosa's ledger.
    #[serde(skip)]
    pub(crate) is_kept: bool,
}

impl Adopted {
    /// The tool, where this limosa knows it.
    pub(crate) fn tool(&self) -> Option<ForeignTool> {
        ForeignTool::of_word(&self.tool)
    }

    /// The schema of its table, where it has one.
    pub(crate) fn schema(&self) -> Option<String> {
        NamedTable::parse(&self.table).schema
    }

    /// For answers.
    pub(crate) fn line(&self) -> AdoptedLine {
        AdoptedLine {
            tool: self.tool().map_or_else(|| self.tool.clone(), |tool| tool.name().to_owned()),
            table: self.table.clone(),
            newest: self.newest.clone(),
            migrations: self.migrations.len(),
            at: self.at.clone(),
            by: self.by.clone(),
            kept: self.is_kept,
        }
    }

    /// Remembers it.
    pub(super) fn remember(&self, opened: &Opened<'_>) -> Item {
        let value = serde_json::to_string(self).unwrap_or_default();
        opened.ledger.bound(&sql::SET_METADATA, vec![Value::from(KEY), Value::Text(value)])
    }
}

/// Forgets it.
pub(crate) fn forget(opened: &Opened<'_>) -> [Item; 4] {
    [KEY, KEPT, NEWEST_ELSEWHERE, UNFILED].map(|key| opened.ledger.bound(&sql::FORGET_METADATA, vec![Value::from(key)]))
}

/// Remembers what the tool had applied and that had no file.
pub(super) fn remember_unfiled(opened: &Opened<'_>, unfiled: Option<&Unfiled>) -> Item {
    let key = Value::from(UNFILED);
    match unfiled.and_then(|unfiled| serde_json::to_string(unfiled).ok()) {
        Some(text) => opened.ledger.bound(&sql::SET_METADATA, vec![key, Value::Text(text)]),
        None => opened.ledger.bound(&sql::FORGET_METADATA, vec![key]),
    }
}

/// Remembers whether the other tool's ledger is kept beside limosa's.
pub(super) fn remember_kept(opened: &Opened<'_>, tool: Option<ForeignTool>) -> Item {
    match tool {
        Some(tool) => opened.ledger.bound(&sql::SET_METADATA, vec![Value::from(KEPT), Value::from(tool.word())]),
        None => opened.ledger.bound(&sql::FORGET_METADATA, vec![Value::from(KEPT)]),
    }
}

/// Remembers the newest version that the tool had applied and that had no file.
pub(super) fn remember_newest_elsewhere(opened: &Opened<'_>, version: Option<&str>) -> Item {
    let key = Value::from(NEWEST_ELSEWHERE);
    match version {
        Some(version) => opened.ledger.bound(&sql::SET_METADATA, vec![key, Value::Text(version.to_owned())]),
        None => opened.ledger.bound(&sql::FORGET_METADATA, vec![key]),
    }
}

/// From which tool the database was taken over, where it was.
///
/// # Errors
/// What the server says.
pub(crate) async fn remembered(opened: &mut Opened<'_>, view: &LedgerView) -> Result<Option<Adopted>, Failure> {
    if !view.exists {
        return Ok(None);
    }
    let ledger = opened.ledger.clone();
    let question = ledger.bound(&sql::METADATA_OF, vec![Value::from(KEY)]);
    let answers = ledger.transact(opened.session.as_mut(), vec![question]).await?;
    let Some(row) = answers.first().and_then(|rows| rows.first()) else { return Ok(None) };
    let adopted = row.text(0).and_then(|text| serde_json::from_str::<Adopted>(&text).ok());
    Ok(adopted.map(|adopted| Adopted { at: row.text(1).unwrap_or_default(), is_kept: view.keeps_another, ..adopted }))
}
