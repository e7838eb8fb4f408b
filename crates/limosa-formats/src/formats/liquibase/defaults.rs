//! What `liquibase.properties` and variables of the process say: where the record stands, which schema changes begin in, which of them are
//! chosen, and values for `${name}`.
//!
//! Liquibase 4.33: names in any capitals, with hyphens or without. What an argument of a command is called may have `liquibase.command.`
//! before it, with the name of the command or without: the longer one counts. Variables are written with underscores, and go before the file.

use std::collections::BTreeMap;

use limosa_sql::Engine;

use super::property_file;
use crate::ledger_table::LedgerTable;

/// The file that Liquibase reads where it is given none.
pub(crate) const FILE: &str = "liquibase.properties";

/// What such settings say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Defaults {
    /// The schema that changes begin in.
    pub(super) schema: Option<String>,
    /// The catalog that changes begin in, which on MySQL is the database.
    catalog: Option<String>,
    /// The schema of the table of changes, where that is another one.
    ledger_schema: Option<String>,
    /// Its catalog.
    ledger_catalog: Option<String>,
    /// The table of changes.
    ledger_table: Option<String>,
    /// The contexts that are chosen.
    pub(super) contexts: Vec<String>,
    /// Which labels are chosen, an expression.
    pub(super) labels: Option<String>,
    /// Values for placeholders.
    pub(super) parameters: BTreeMap<String, String>,
    /// What says where the record stands.
    told_by: Option<String>,
}

/// A setting by the place where it stands.
struct Written<'w> {
    /// In small letters, without hyphens.
    key: String,
    value: &'w str,
    by: &'w str,
}

impl Defaults {
    /// Reads the file, where there is one, and the variables.
    pub(crate) fn read(file: Option<&[u8]>, variables: &BTreeMap<String, String>) -> Defaults {
        let pairs = file.map(property_file::read).unwrap_or_default();
        let of_file = pairs.iter().map(|(name, value)| Written {
            key: name.trim().to_ascii_lowercase().replace('-', ""),
            value: value.trim(),
            by: FILE,
        });
        let is_own = |name: &str| name.to_ascii_uppercase().starts_with("LIQUIBASE_");
        let of_variables = variables.iter().filter(|(name, _)| is_own(name)).map(|(name, value)| Written {
            key: with_dots(&name.to_ascii_lowercase()),
            value: value.trim(),
            by: name,
        });
        let written: Vec<Written<'_>> =
            of_variables.chain(of_file).filter(|written| !written.value.is_empty()).collect();
        let argument = |names: &[&str]| {
            let of_command = |name: &str| format!("liquibase.command.update.{name}");
            let shorter = |name: &str| format!("liquibase.command.{name}");
            let longest_first = [of_command as fn(&str) -> String, shorter, str::to_owned];
            longest_first.iter().find_map(|spelled| {
                let keys: Vec<String> = names.iter().map(|name| spelled(name)).collect();
                written.iter().find(|one| keys.contains(&one.key))
            })
        };
        let of_all =
            |name: &str| written.iter().find(|one| one.key.strip_prefix("liquibase.").unwrap_or(&one.key) == name);
        let schema = argument(&["defaultschemaname"]);
        let catalog = argument(&["defaultcatalogname"]);
        let ledger_schema = of_all("liquibaseschemaname");
        let ledger_catalog = of_all("liquibasecatalogname");
        let ledger_table = of_all("databasechangelogtablename");
        let owned = |one: Option<&Written<'_>>| one.map(|one| one.value.to_owned());
        let contexts = argument(&["contexts", "contextfilter"]).map(|one| one.value.split(','));
        let names = contexts.into_iter().flatten().map(|name| name.trim().to_owned());
        // Capitals count in them.
        let parameters = pairs.iter().filter_map(|(name, value)| {
            let name = name.trim();
            let begins = name.get(..PARAMETER.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(PARAMETER));
            begins.then(|| (name[PARAMETER.len()..].to_owned(), value.clone()))
        });
        let told_by = [ledger_table, ledger_schema, ledger_catalog, schema, catalog]
            .into_iter()
            .flatten()
            .next()
            .map(|one| one.by.to_owned());
        Defaults {
            schema: owned(schema),
            catalog: owned(catalog),
            ledger_schema: owned(ledger_schema),
            ledger_catalog: owned(ledger_catalog),
            ledger_table: owned(ledger_table),
            contexts: names.filter(|name| !name.is_empty()).collect(),
            labels: owned(argument(&["labels", "labelfilter"])),
            parameters: parameters.collect(),
            told_by,
        }
    }

    /// The table of changes, where something is said of it; `usual` is what it is called else.
    pub(crate) fn ledger(&self, engine: Engine, usual: &str) -> Option<LedgerTable> {
        let told_by = self.told_by.clone()?;
        // It quotes names of mixed capitals alone, and PostgreSQL makes the others small.
        let folded = |name: &String| match engine == Engine::Postgres && !name.contains(char::is_lowercase) {
            true => name.to_lowercase(),
            false => name.clone(),
        };
        let schema = match engine {
            // A schema is a database there, and so is a catalog.
            Engine::Mysql => self.ledger_schema.as_ref().or(self.ledger_catalog.as_ref()).or(self.first_database()),
            _ => self.ledger_schema.as_ref().or(self.schema.as_ref()),
        };
        let (schema, is_told) = (schema.map(folded), self.ledger_table.is_some());
        if schema.is_none() && !is_told {
            return None;
        }
        let table = self.ledger_table.as_ref().map_or_else(|| usual.to_owned(), folded);
        Some(LedgerTable { schema, table, told_by: Some(told_by) })
    }

    /// Its record stands in another schema.
    pub(crate) fn keeps_record_elsewhere(&self) -> bool {
        self.ledger_schema.is_some()
    }

    /// MySQL: the database that changes begin in.
    pub(crate) fn first_database(&self) -> Option<&String> {
        self.schema.as_ref().or(self.catalog.as_ref())
    }

    /// PostgreSQL: the schema that each change begins in. Liquibase writes it without quotes.
    pub(crate) fn first_schema(&self) -> Option<String> {
        self.schema.as_ref().map(|name| name.to_lowercase())
    }
}

/// What a value for a placeholder begins with.
const PARAMETER: &str = "parameter.";

/// `LIQUIBASE_COMMAND_DEFAULT_SCHEMA_NAME` as a key.
fn with_dots(name: &str) -> String {
    const BEFORE: [&str; 3] = ["liquibase_command_update_", "liquibase_command_", "liquibase_"];
    let begin = BEFORE.iter().find(|begin| name.starts_with(*begin)).copied().unwrap_or_default();
    format!("{}{}", begin.replace('_', "."), name[begin.len()..].replace('_', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Liquibase 4.33 was seen to take them.
    #[test]
    fn settings_by_their_names() {
        for (text, variables, expected) in [
            ("defaultSchemaName: APP\nliquibaseSchemaName=LIB\n", &[][..], "app lib.databasechangelog - -"),
            ("liquibase.command.default-schema-name: app\n", &[], "app app.databasechangelog - -"),
            ("liquibase.command.update.contexts: test\ncontexts: prod\n", &[], "- - test -"),
            ("contexts: prod, b\nliquibase.contexts=no\n", &[], "- - prod+b -"),
            ("labelFilter=y\nlabels:\n", &[], "- - - y"),
            (
                "contexts: prod\ndefaultSchemaName: no\n",
                &[("LIQUIBASE_COMMAND_DEFAULT_SCHEMA_NAME", "app"), ("LIQUIBASE_COMMAND_CONTEXTS", "test")],
                "app app.databasechangelog test -",
            ),
            ("", &[("LIQUIBASE_LIQUIBASE_SCHEMA_NAME", "lib")], "- lib.databasechangelog - -"),
            ("databaseChangelogTableName: MINE\n#contexts: no\n", &[], "- mine - -"),
        ] {
            let variables: BTreeMap<String, String> =
                variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let defaults = Defaults::read(Some(text.as_bytes()), &variables);
            let or_none = |text: Option<String>| text.filter(|text| !text.is_empty()).unwrap_or_else(|| "-".to_owned());
            let ledger = defaults.ledger(Engine::Postgres, "databasechangelog").map(|table| table.written());
            let found = [
                or_none(defaults.first_schema()),
                or_none(ledger),
                or_none(Some(defaults.contexts.join("+"))),
                or_none(defaults.labels.clone()),
            ];
            assert_eq!(found.join(" "), expected, "{text}");
        }
        let defaults = Defaults::read(
            Some(b"parameter.owner: joe\nPARAMETER.Two=2\nliquibase.command.parameter.no=3\n"),
            &BTreeMap::new(),
        );
        let found: Vec<String> = defaults.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(found, ["Two=2", "owner=joe"]);
    }
}
