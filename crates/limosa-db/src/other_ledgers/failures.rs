//! What a tool has on record beside the table of what is applied: its failures, and of which form its tables are.

use limosa_core::ForeignTool;

use super::found::{FoundLedger, named, text_type};
use crate::ledger::Ledger;
use crate::{Item, Session};

/// The version of Sqitch's registry that is known (sqitch 1, `lib/App/Sqitch/Engine.pm`, `registry_release`).
const REGISTRY: f32 = 1.1;

impl FoundLedger {
    /// The version of Sqitch's registry and the newest that is known, where it is newer (`sqitch.releases`); None where it is not, and
    /// where that table is not to be read.
    pub async fn newer_registry(&self, session: &mut dyn Session, book: &Ledger) -> Option<(String, String)> {
        if self.tool != Some(ForeignTool::Sqitch) {
            return None;
        }
        let engine = book.names.engine;
        let releases = engine.quote_qualified(self.place().0, "releases");
        let sql = format!("select cast(max(r.version) as {}) from {releases} r", text_type(engine));
        let answers = book.transact(session, vec![Item::Bound { sql, parameters: Vec::new() }]).await.ok()?;
        let version = answers.first()?.first()?.text(0)?;
        let is_newer = version.trim().parse::<f32>().is_ok_and(|version| version > REGISTRY);
        is_newer.then(|| (version, REGISTRY.to_string()))
    }

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
