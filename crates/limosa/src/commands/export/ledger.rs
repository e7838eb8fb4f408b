//! The ledger of the other tool, with the rows of what is applied.

use limosa_core::{ForeignRow, ForeignTool, cut_for_flyway};
use limosa_db::{DbError, FoundLedger, Item, NamedTable, Spent, ledgers_to_adopt};
use limosa_formats::checksums;
use limosa_sql::Engine;

use super::files::{Exported, OneOfMany, Project};
use crate::by_hand::inlined;
use crate::opened::Opened;
use crate::{Failure, by_hand};

/// The file that makes it.
pub(super) const FILE: &str = "ledger.sql";

/// The statements.
pub(super) struct Rows {
    ledger: FoundLedger,
    create: Vec<String>,
    rows: Vec<Item>,
    count: usize,
}

/// Where the tool would make its table: the first schema in sight on PostgreSQL.
///
/// # Errors
/// What the server says.
pub(super) async fn schema(opened: &mut Opened<'_>) -> Result<Option<String>, Failure> {
    if opened.target.engine != Engine::Postgres {
        return Ok(None);
    }
    let rows = opened.session.query("select current_schema()::text", &[]).await?;
    Ok(rows.first().and_then(|row| row.text(0)))
}

/// Refuses where the table is there already.
///
/// # Errors
/// That, and what the server says.
pub(super) async fn refuse_existing(opened: &mut Opened<'_>, tool: ForeignTool) -> Result<(), Failure> {
    let Some(planned) = FoundLedger::planned(tool, None) else { return Ok(()) };
    let named = NamedTable { schema: None, table: planned.table() };
    match ledgers_to_adopt(opened.session.as_mut(), Some(&named), None, None).await {
        Err(DbError { kind: limosa_db::DbErrorKind::UndefinedTable, .. }) => Ok(()),
        Err(error) if error.kind != limosa_db::DbErrorKind::Configuration => Err(error.into()),
        _ => Err(Failure::person(
            "LIM-U145",
            format!("the table {} is there already", planned.table()),
            format!(
                "where it is {}'s own: limosa adopt --keep-foreign-ledger keeps it up to date, and limosa adopt --undo gives \
                 the database back; else look at {FILE} and run what is right by hand",
                tool.name()
            ),
        )),
    }
}

impl Rows {
    /// The rows for what is applied.
    ///
    /// # Errors
    /// A tool that has no such ledger.
    pub(super) fn of(project: &Project<'_>, exported: &Exported, schema: Option<&str>) -> Result<Rows, Failure> {
        let (engine, tool) = (project.opened.target.engine, project.tool);
        let refused = |why: &str| {
            Failure::usage("LIM-U143", why.to_owned(), "see which tools can be exported to: limosa export --help")
        };
        let ledger =
            FoundLedger::planned(tool, schema).ok_or_else(|| refused("limosa makes no ledger of this tool"))?;
        let mut applied: Vec<&OneOfMany> = exported.migrations.iter().filter(|one| one.is_applied).collect();
        if ledger.is_one_row() {
            // It stands for all versions before it: no further than the first that is not applied.
            let whole = exported.migrations.iter().take_while(|one| one.is_applied);
            applied = whole.last().into_iter().collect();
        } else {
            applied.sort_by_key(|one| one.rank);
        }
        let mut rows = Vec::new();
        for one in &applied {
            rows.extend(ledger.write(engine, &row(project, one), Spent::Unknown).map_err(refused)?);
        }
        Ok(Rows { create: ledger.create(engine), ledger, rows, count: applied.len() })
    }

    /// The table as people name it.
    pub(super) fn table(&self) -> String {
        self.ledger.table()
    }

    /// How many rows stand for migrations.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// What is sent.
    pub(super) fn items(&self, _: Engine) -> Vec<Item> {
        self.create.iter().cloned().map(Item::Control).chain(self.rows.iter().cloned()).collect()
    }

    /// The same for a person.
    pub(super) fn script(&self, engine: Engine) -> String {
        let (begin, end) = if engine == Engine::Mysql { ("start transaction", "commit") } else { ("begin", "commit") };
        let rows = self.rows.iter().map(|item| inlined(engine, item));
        let all = std::iter::once(begin.to_owned()).chain(self.create.iter().cloned()).chain(rows);
        let mut text = format!("-- The table of {}, which knows what limosa has applied.\n", self.ledger.name);
        all.chain([end.to_owned()]).for_each(|statement| text.push_str(&format!("{statement};\n")));
        text
    }
}

fn row(project: &Project<'_>, one: &OneOfMany) -> ForeignRow {
    let version = match project.tool {
        ForeignTool::Flyway | ForeignTool::Dbmate => one.version.clone(),
        // Numbers, which have no zeros before them.
        _ => one.version.parse::<u64>().map_or_else(|_| one.version.clone(), |number| number.to_string()),
    };
    let mut row = ForeignRow {
        key: version.clone(),
        version: Some(version),
        name: Some(one.title.replace('_', " ")),
        file: one.files.first().cloned(),
        applied_by: Some(by_hand::user_of(project.opened)),
        ..ForeignRow::default()
    };
    if project.tool == ForeignTool::Flyway {
        row = cut_for_flyway(row);
    }
    row.checksum = checksums::record(project.tool, one.up.as_bytes(), &row);
    row
}
