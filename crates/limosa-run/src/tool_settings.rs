//! What the tool of the files sets for its session before it runs any of them.

use limosa_db::{DbError, Item, Session, SettingsMark};
use limosa_sql::Engine;

use crate::Context;

/// One of them: its name, and its value as SQL.
pub type ToolSetting = (std::borrow::Cow<'static, str>, std::borrow::Cow<'static, str>);

/// The statement that sets them all; None where there are none.
pub fn set_all(engine: Engine, pooled: bool, settings: &[ToolSetting]) -> Option<String> {
    if settings.is_empty() {
        return None;
    }
    let all: Vec<String> = settings.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    Some(match (engine, pooled) {
        // Behind a pooler the session is not ours behind the transaction.
        (Engine::Postgres, true) => all.iter().map(|one| format!("set local {one}")).collect::<Vec<_>>().join("; "),
        (Engine::Postgres, false) => all.iter().map(|one| format!("set {one}")).collect::<Vec<_>>().join("; "),
        _ => format!("set {}", all.join(", ")),
    })
}

/// MySQL: sets them for the whole run, for between scripts the session is put back to this. On PostgreSQL each script begins with them,
/// behind the settings of a fresh session.
pub(crate) async fn begin(
    context: &Context<'_>,
    engine: Engine,
    session: &mut dyn Session,
) -> Result<Option<SettingsMark>, DbError> {
    let Some(statement) = set_all(engine, context.pooled, context.tool_settings).filter(|_| engine == Engine::Mysql)
    else {
        return Ok(None);
    };
    let mark = session.remember_settings().await?;
    session.send(vec![Item::Control(statement)]).await?;
    Ok(Some(mark))
}

/// The session as it was, however the run ended.
pub(crate) async fn end(session: &mut dyn Session, mark: SettingsMark) -> Result<(), DbError> {
    session.settle().await?;
    session.restore_settings(mark).await
}
