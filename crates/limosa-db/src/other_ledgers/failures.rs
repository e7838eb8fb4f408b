//! What a tool has on record of its failures beside the table of what is applied.

use limosa_core::ForeignTool;

use super::found::{FoundLedger, named, text_type};
use crate::ledger::Ledger;
use crate::{Item, Session};

impl FoundLedger {
    /// The changes that Sqitch has tried to deploy, which failed, and has not deployed since (`sqitch.events`, where each deploy, revert
    /// and failure has a row); nothing where that table is not to be read.
    pub async fn failed(&self, session: &mut dyn Session, book: &Ledger, project: Option<&str>) -> Vec<String> {
        if self.tool != Some(ForeignTool::Sqitch) {
            return Vec::new();
        }
        let engine = book.names.engine;
        let events = engine.quote_qualified(self.place().0, "events");
        let kind = text_type(engine);
        let sql = format!(
            "select cast(e.{} as {kind}), cast(e.project as {kind}) from {events} e where e.event = 'fail' and not exists \
             (select 1 from {events} l where l.change_id = e.change_id and l.committed_at > e.committed_at) \
             order by e.committed_at",
            named(engine, "[change]")
        );
        let answers = book.transact(session, vec![Item::Bound { sql, parameters: Vec::new() }]).await;
        let rows = answers.ok().and_then(|mut answers| answers.pop()).unwrap_or_default();
        let is_ours = |row: &&crate::Row| project.is_none() || row.text(1).as_deref() == project;
        rows.iter().filter(is_ours).filter_map(|row| row.text(0)).collect()
    }
}
