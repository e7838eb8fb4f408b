//! One private server: its folder, its process, its databases.

use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use super::database::TestDatabase;
use super::lease::Lease;
use super::options::ServerOptions;
use super::template;
use super::version::PostgresVersion;
use crate::certificates::Certificates;
use crate::guardian;
use crate::port::free_port;
use crate::rows::Rows;
use crate::signal::signal;

/// How long a server may take to start or to stop before that is an error.
const LIMIT: Duration = Duration::from_secs(90);

/// What every test server has: speed instead of durability, and quiet, so that no background work
/// takes a lock in the middle of a test.
const SETTINGS: [(&str, &str); 12] = [
    ("fsync", "off"),
    ("full_page_writes", "off"),
    ("shared_buffers", "32MB"),
    ("max_connections", "200"),
    ("max_wal_size", "512MB"),
    ("autovacuum", "off"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
    ("lc_messages", "C"),
    ("max_prepared_transactions", "10"),
    ("log_min_messages", "warning"),
    ("jit", "off"),
];

/// A running PostgreSQL server with a unix socket and a port on 127.0.0.1.
///
/// Dropping it stops it and removes its folder. The test process's end does so too, in whatever way
/// it ends.
#[derive(Debug)]
pub struct PostgresServer {
    version: PostgresVersion,
    folder: PathBuf,
    port: u16,
    password: Option<String>,
    certificates: Option<Certificates>,
    process: Mutex<Option<Child>>,
    databases: AtomicU32,
    drops_databases: bool,
}

impl PostgresServer {
    /// Starts a server of this version with an empty data folder.
    pub fn start(version: &PostgresVersion) -> Result<Self> {
        Self::start_with(version, &ServerOptions::new())
    }

    /// Starts a server with settings, access lines or a password of its own.
    pub fn start_with(version: &PostgresVersion, options: &ServerOptions) -> Result<Self> {
        let folder = guardian::server_folder("pg")?;
        template::create_data_folder(version, &folder.join("data"))?;
        let server = Self::start_in(version, options, folder)?;
        if let Some(password) = &options.password {
            let quoted = password.replace('\'', "''");
            server.execute("postgres", &format!("alter role postgres password '{quoted}'"))?;
        }
        Ok(server)
    }

    /// Starts a server and a hot standby that streams from it: (primary, replica).
    ///
    /// The replica's folder is a copy of the primary's, made while that is stopped, for not every
    /// installation has `pg_basebackup`.
    pub fn start_with_replica(version: &PostgresVersion, options: &ServerOptions) -> Result<(Self, Self)> {
        let primary = Self::start_with(version, options)?;
        let folder = guardian::server_folder("pg")?;
        primary.stop()?;
        crate::template::copy(&primary.data(), &folder.join("data"))?;
        primary.start_again()?;
        let signal = folder.join("data/standby.signal");
        fs::write(&signal, "")?;
        guardian::give_to_server(&signal)?;
        let source = format!("host={} port={} user=postgres", primary.folder.display(), primary.port);
        let options = options.clone().setting("primary_conninfo", &source);
        let replica = Self::start_in(version, &options, folder)?;
        Ok((primary, replica))
    }

    /// Waits until this replica shows all that `primary` has written so far.
    pub fn catch_up(&self, primary: &Self) -> Result<()> {
        let rows = primary.query("postgres", "select pg_current_wal_lsn()")?;
        let Some(Some(position)) = rows.first().and_then(|row| row.first()) else {
            bail!("the primary does not say its position");
        };
        let reached = format!("select pg_last_wal_replay_lsn() >= '{position}'");
        let begun = Instant::now();
        while self.query("postgres", &reached)? != [[Some("t".to_owned())]] {
            if begun.elapsed() > LIMIT {
                bail!("the replica does not reach {position}: {}", self.log());
            }
            sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Starts a server on a data folder that stands in `folder` already.
    fn start_in(version: &PostgresVersion, options: &ServerOptions, folder: PathBuf) -> Result<Self> {
        let mut server = Self {
            version: version.clone(),
            folder,
            port: 0,
            password: options.password.clone(),
            certificates: None,
            process: Mutex::new(None),
            databases: AtomicU32::new(0),
            drops_databases: options.drops_databases,
        };
        if let Some(names) = &options.tls_names {
            server.certificates = Some(Certificates::create(names, "postgres", &server.folder)?);
        }
        // Somebody else may take the free port before the server does.
        for attempt in 1.. {
            server.port = free_port()?;
            server.configure(options)?;
            match server.start_again() {
                Ok(()) => break,
                Err(error) if attempt == 5 || !error.to_string().contains("in use") => {
                    return Err(error);
                }
                Err(_) => {}
            }
        }
        Ok(server)
    }

    /// Its version.
    pub fn version(&self) -> &PostgresVersion {
        &self.version
    }

    /// Its port on 127.0.0.1. It stays the same when the server starts again.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its address, as a [`Proxy`](crate::Proxy) needs it.
    pub fn tcp_address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// The folder that holds its unix socket and its log.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The path of its unix socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.join(format!(".s.PGSQL.{}", self.port))
    }

    /// What a client needs to trust this server and to show who it is; `None` without
    /// [`ServerOptions::tls`].
    pub fn certificates(&self) -> Option<&Certificates> {
        self.certificates.as_ref()
    }

    /// All that it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    /// Creates an empty database for one test, which may be dropped when its last handle goes.
    pub fn create_database(&self) -> Result<TestDatabase> {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{number}", std::process::id());
        // Copying files takes half of what writing each page to the log does; older servers do nothing else.
        let strategy = if self.version.major() >= 15 { "strategy file_copy" } else { "" };
        self.execute("postgres", &format!("create database {name} template template0 {strategy}"))?;
        let folder = (!self.drops_databases).then(|| self.folder.clone());
        let lease = Lease::new(&name, self.version.major(), folder, self.database("postgres").config());
        Ok(TestDatabase { lease: Some(Arc::new(lease)), ..self.database(&name) })
    }

    /// A handle to a database that exists and stays when the handle goes.
    pub fn database(&self, name: &str) -> TestDatabase {
        TestDatabase {
            name: name.to_owned(),
            port: self.port,
            socket_folder: self.folder.clone(),
            password: self.password.clone(),
            lease: None,
        }
    }

    /// Runs statements in a database, as one string, as user `postgres`.
    pub fn execute(&self, database: &str, sql: &str) -> Result<()> {
        self.database(database).execute(sql)
    }

    /// Runs statements in a database and returns their rows.
    pub fn query(&self, database: &str, sql: &str) -> Result<Rows> {
        self.database(database).query(sql)
    }

    /// Stops the server politely for clients that wait: it ends their sessions and writes a
    /// checkpoint (`pg_ctl stop -m fast`).
    pub fn stop(&self) -> Result<()> {
        self.stop_by("INT")
    }

    /// Stops the server at once, without a checkpoint; the next start recovers
    /// (`pg_ctl stop -m immediate`).
    pub fn stop_immediate(&self) -> Result<()> {
        self.stop_by("QUIT")
    }

    /// Stops the server politely and starts it again on the same port.
    pub fn restart(&self) -> Result<()> {
        self.stop()?;
        self.start_again()
    }

    /// Starts the server after a stop, on the same port, and waits until it takes connections.
    pub fn start_again(&self) -> Result<()> {
        let mut slot = self.slot()?;
        if slot.is_some() {
            bail!("this server runs already");
        }
        let mut command = guardian::server_command(&self.version.bin().join("postgres"))?;
        command.arg("-D").arg(self.data());
        guardian::log_to(&mut command, &self.log_path())?;
        let mut child =
            command.spawn().with_context(|| format!("cannot run postgres in {}", self.version.bin().display()))?;
        let begun = Instant::now();
        while !self.says_ready(child.id()) {
            if let Some(status) = child.try_wait()? {
                bail!("postgres {} ended while starting ({status}): {}", self.version, self.log());
            }
            if begun.elapsed() > LIMIT {
                child.kill()?;
                child.wait()?;
                bail!("postgres {} does not get ready: {}", self.version, self.log());
            }
            sleep(Duration::from_millis(5));
        }
        *slot = Some(child);
        Ok(())
    }

    /// Ends one server process by `kill -9`. PostgreSQL then ends all other sessions too and
    /// recovers, as it does after a crash.
    pub fn kill_backend(&self, pid: i32) -> Result<()> {
        signal("KILL", u32::try_from(pid)?)
    }

    /// Ends one session politely, as an administrator does: `pg_terminate_backend`.
    pub fn terminate_backend(&self, pid: i32) -> Result<()> {
        self.execute("postgres", &format!("select pg_terminate_backend({pid})"))
    }

    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn log_path(&self) -> PathBuf {
        self.folder.join("log")
    }

    fn slot(&self) -> Result<std::sync::MutexGuard<'_, Option<Child>>> {
        self.process.lock().map_err(|_| anyhow!("a test panicked while it used this server"))
    }

    /// The eighth line of the pid file says `ready` once connections are taken (PostgreSQL 10 on;
    /// `src/include/utils/pidfile.h`).
    fn says_ready(&self, pid: u32) -> bool {
        let text = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        let mut lines = text.lines();
        lines.next() == Some(&pid.to_string()) && lines.nth(6).is_some_and(|s| s.trim() == "ready")
    }

    fn stop_by(&self, name: &str) -> Result<()> {
        let mut slot = self.slot()?;
        let Some(mut child) = slot.take() else {
            return Ok(());
        };
        signal(name, child.id())?;
        let begun = Instant::now();
        while child.try_wait()?.is_none() {
            if begun.elapsed() > LIMIT {
                child.kill()?;
                child.wait()?;
                bail!("postgres {} did not stop: {}", self.version, self.log());
            }
            sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    fn configure(&self, options: &ServerOptions) -> Result<()> {
        let mut text = String::from("\n");
        for (name, value) in SETTINGS {
            line(&mut text, name, value);
        }
        line(&mut text, "listen_addresses", "127.0.0.1");
        line(&mut text, "port", &self.port.to_string());
        line(&mut text, "unix_socket_directories", &self.folder.to_string_lossy());
        if let Some(certificates) = &self.certificates {
            line(&mut text, "ssl", "on");
            line(&mut text, "ssl_cert_file", &certificates.server_certificate().to_string_lossy());
            line(&mut text, "ssl_key_file", &certificates.server_key().to_string_lossy());
            line(&mut text, "ssl_ca_file", &certificates.authority().to_string_lossy());
        }
        for (name, value) in &options.settings {
            line(&mut text, name, value);
        }
        // The file of initdb stays as it is; a later line of the same name wins.
        fs::write(self.data().join("limosa.conf"), text)?;
        guardian::give_to_server(&self.data().join("limosa.conf"))?;
        let main = self.data().join("postgresql.conf");
        let mut old = fs::read_to_string(&main)?;
        if !old.contains("limosa.conf") {
            old.push_str("\ninclude = 'limosa.conf'\n");
            fs::write(&main, old)?;
        }
        fs::write(self.data().join("pg_hba.conf"), access(options)).context("cannot write pg_hba.conf")
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        let _ = self.stop_immediate();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn line(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "{name} = '{}'", value.replace('\'', "''"));
}

fn access(options: &ServerOptions) -> String {
    let method = if options.password.is_some() { "scram-sha-256" } else { "trust" };
    let mut text = String::new();
    for own in &options.access {
        let _ = writeln!(text, "{own}");
    }
    let _ = writeln!(
        text,
        "local all all trust\nlocal replication all trust\n\
         host all all 127.0.0.1/32 {method}\nhost replication all 127.0.0.1/32 {method}"
    );
    text
}
