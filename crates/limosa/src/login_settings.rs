//! PostgreSQL: what the address sets for its sessions with the login (`options=-c...`, `PGOPTIONS`), which a client that is run by hand may not
//! have.

use limosa_sql::Engine;

use crate::Failure;
use crate::opened::Opened;

/// What the session began with, but for what limosa says by other means. Values are those of `RESET`, in base units. The server does not list
/// settings of an application's own (`app.key`), which may be secrets.
const GIVEN: &str = "select name, reset_val from pg_catalog.pg_settings where source = 'client' \
    and context in ('user', 'superuser') and name not in ('application_name', 'client_encoding', 'search_path') order by name";

/// Those of this session, as statements that set them in another one.
///
/// # Errors
/// What the server says.
pub(crate) async fn of(opened: &mut Opened<'_>) -> Result<Vec<String>, Failure> {
    if opened.target.engine != Engine::Postgres {
        return Ok(Vec::new());
    }
    let rows = opened.session.query(GIVEN, &[]).await?;
    let statement = |row: &limosa_db::Row| {
        let [name, value] = [row.text(0)?, row.text(1)?].map(|text| Engine::Postgres.quote_literal(&text));
        Some(format!("select set_config({name}, {value}, false)"))
    };
    Ok(rows.iter().filter_map(statement).collect())
}
