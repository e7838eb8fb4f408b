//! What a server is doing for whom.

use anyhow::{Context, Result};

use super::server::MysqlServer;

/// One line of the server's process list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// The connection's number, as in `KILL`.
    pub id: u64,
    /// Who has connected.
    pub user: String,
    /// The database that the session uses.
    pub database: Option<String>,
    /// What the session does, such as `Sleep` or `Query`.
    pub command: String,
    /// What its statement waits for or works at, such as `Waiting for table metadata lock`.
    pub state: Option<String>,
    /// The statement.
    pub sql: Option<String>,
}

impl MysqlServer {
    /// Every session of clients other than the testkit's own request, by its number.
    pub fn processes(&self) -> Result<Vec<Process>> {
        let sql = "select id, user, db, command, state, info from information_schema.processlist \
                   where id <> connection_id() and command <> 'Daemon' order by id";
        let rows = self.query("mysql", sql)?;
        rows.into_iter()
            .map(|row| {
                let [id, user, database, command, state, sql] =
                    <[Option<String>; 6]>::try_from(row).ok().context("the process list has other columns")?;
                let id = id.context("a process without a number")?.parse()?;
                Ok(Process {
                    id,
                    user: user.unwrap_or_default(),
                    database,
                    command: command.unwrap_or_default(),
                    state: state.filter(|text| !text.is_empty()),
                    sql,
                })
            })
            .collect()
    }

    /// The session with this number, if it is still there.
    pub fn process(&self, id: u64) -> Result<Option<Process>> {
        Ok(self.processes()?.into_iter().find(|process| process.id == id))
    }

    /// Ends one session, as an administrator does: `KILL CONNECTION`. Returns when the server has taken note.
    pub fn kill_session(&self, id: u64) -> Result<()> {
        self.execute("mysql", &format!("kill connection {id}"))
    }

    /// Ends the statement that a session runs, and not the session: `KILL QUERY`.
    pub fn kill_query(&self, id: u64) -> Result<()> {
        self.execute("mysql", &format!("kill query {id}"))
    }
}
