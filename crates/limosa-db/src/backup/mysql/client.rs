//! How the programs are started, and what the client is asked.

use std::process::Stdio;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use super::MysqlTools;
use super::failure;
use super::handover::Handover;
use super::programs::Program;
use super::survey::{self, Survey};
use crate::DbError;
use crate::backup::tool::{Bell, Ended, Listening, Tool};

impl MysqlTools<'_> {
    /// A program on its way to the server.
    pub(super) fn connecting(&self, program: &Program) -> Result<(Command, Handover), DbError> {
        let handover = Handover::new(&self.connection.option_file(self.flavor)?)?;
        let mut command = self.command(&program.path);
        command.arg(handover.argument()).args(["--default-character-set=utf8mb4", "--max-allowed-packet=1G"]);
        Ok((command, handover))
    }

    /// The client, which reads statements. In binary mode it understands no commands of its own but DELIMITER, and leaves line
    /// breaks alone; comments belong to the texts of routines.
    pub(super) fn client(&self, program: &Program) -> Result<(Tool, Handover), DbError> {
        let (mut command, handover) = self.connecting(program)?;
        command.args(["--batch", "--raw", "--skip-column-names", "--binary-mode", "--comments", "--"]);
        command.arg(self.connection.database()).stdin(Stdio::piped()).stdout(Stdio::piped());
        Ok((Tool::start(command, program.name)?, handover))
    }

    /// Runs statements and gives what the client wrote.
    pub(super) async fn ask(&self, program: &Program, sql: &str, bell: Listening) -> Result<(Ended, String), DbError> {
        let (mut tool, _handover) = self.client(program)?;
        let (input, output) = (tool.stdin(), tool.stdout());
        let send = async {
            // Where the client has gone, its own words say why.
            let Some(mut input) = input else { return };
            let _ = input.write_all(sql.as_bytes()).await;
            let _ = input.shutdown().await;
        };
        let listen = async {
            let mut text = Vec::new();
            if let Some(mut output) = output {
                let _ = output.read_to_end(&mut text).await;
            }
            String::from_utf8_lossy(&text).into_owned()
        };
        let ((), text, ended) = tokio::join!(send, listen, tool.end(bell));
        Ok((ended, text))
    }

    /// Asks what stands, and what the user may do.
    pub(super) async fn survey(&self, client: &Program, role: Option<&str>, bell: &Bell) -> Result<Survey, DbError> {
        let (ended, text) = self.ask(client, &survey::questions(self.flavor, role), bell.listen()).await?;
        failure::success(&ended)?;
        Ok(Survey::read(&text)?.without_mark(self.unfinished))
    }
}
