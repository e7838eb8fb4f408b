//! PgBouncer in front of a test server.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::guardian;
use crate::port::free_port;
use crate::postgres::{PostgresServer, TestDatabase};

/// Variable that names the program; `cargo xtask test` sets it.
const PROGRAM_VARIABLE: &str = "LIMOSA_TEST_PGBOUNCER";

/// How long it may take to start.
const LIMIT: Duration = Duration::from_secs(60);

/// When a server session goes back to the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolMode {
    /// When the client disconnects.
    Session,
    /// At the end of each transaction: settings and session locks go astray.
    Transaction,
    /// At the end of each statement: transactions are refused.
    Statement,
}

/// A running PgBouncer on a port of 127.0.0.1, for user `postgres` and all databases of one server.
/// Dropping it stops it.
#[derive(Debug)]
pub struct PgBouncer {
    port: u16,
    folder: PathBuf,
    process: Child,
}

impl PgBouncer {
    /// Starts PgBouncer in front of a server that trusts user `postgres` on its socket.
    pub fn start(server: &PostgresServer, mode: PoolMode) -> Result<Self> {
        Self::start_with(server, mode, &[])
    }

    /// Starts PgBouncer with more settings, such as `("default_pool_size", "2")`.
    pub fn start_with(server: &PostgresServer, mode: PoolMode, settings: &[(&str, &str)]) -> Result<Self> {
        let program = program()?;
        let folder = guardian::server_folder("bouncer")?;
        // Somebody else may take the free port before PgBouncer does.
        for _ in 0..5 {
            let port = free_port()?;
            let users = folder.join("users.txt");
            fs::write(&users, "\"postgres\" \"\"\n")?;
            let file = folder.join("pgbouncer.ini");
            fs::write(&file, configuration(server, mode, settings, port, &folder))?;
            let mut command = guardian::server_command(&program)?;
            command.arg(&file);
            guardian::log_to(&mut command, &folder.join("log"))?;
            let process = command.spawn().with_context(|| format!("cannot run {}", program.display()))?;
            let mut bouncer = Self { port, folder: folder.clone(), process };
            if bouncer.wait_until_ready()? {
                return Ok(bouncer);
            }
        }
        bail!("pgbouncer does not start: {}", log(&folder))
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The database's connection URL through PgBouncer.
    pub fn url(&self, database: &TestDatabase) -> String {
        database.url_on_port(self.port)
    }

    /// All that it has logged.
    pub fn log(&self) -> String {
        log(&self.folder)
    }

    /// False if it ended, because it did not get its port.
    fn wait_until_ready(&mut self) -> Result<bool> {
        let begun = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            if self.process.try_wait()?.is_some() {
                return Ok(false);
            }
            if begun.elapsed() > LIMIT {
                bail!("pgbouncer does not get ready: {}", self.log());
            }
            sleep(Duration::from_millis(5));
        }
        Ok(true)
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_file(self.folder.join("pgbouncer.pid"));
    }
}

fn log(folder: &std::path::Path) -> String {
    fs::read_to_string(folder.join("log")).unwrap_or_default()
}

fn configuration(
    server: &PostgresServer,
    mode: PoolMode,
    settings: &[(&str, &str)],
    port: u16,
    folder: &std::path::Path,
) -> String {
    let mode = match mode {
        PoolMode::Session => "session",
        PoolMode::Transaction => "transaction",
        PoolMode::Statement => "statement",
    };
    let (socket, server_port, here) = (server.folder().display(), server.port(), folder.display());
    let mut text = format!(
        "[databases]\n* = host={socket} port={server_port}\n\n[pgbouncer]\n\
         listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
         auth_type = trust\nauth_file = {here}/users.txt\nadmin_users = postgres\n\
         pidfile = {here}/pgbouncer.pid\npool_mode = {mode}\n"
    );
    for (name, value) in settings {
        let _ = writeln!(text, "{name} = {value}");
    }
    text
}

fn program() -> Result<PathBuf> {
    if let Some(named) = env::var_os(PROGRAM_VARIABLE) {
        return Ok(PathBuf::from(named));
    }
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin", "/usr/bin"].map(PathBuf::from))
        .map(|folder| folder.join("pgbouncer"))
        .find(|program| program.is_file())
        .with_context(|| {
            format!(
                "pgbouncer was not found for this test. Run the tests with `cargo xtask test`, \
                 which installs it, or set {PROGRAM_VARIABLE} to the program's path"
            )
        })
}
