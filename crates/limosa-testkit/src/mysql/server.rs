//! One private server: its folder, its process, its databases.

use std::fs;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use super::database::{PASSWORD, TestDatabase, USER};
use super::options::ServerOptions;
use super::version::MysqlVersion;
use super::{configuration, disk, template};
use crate::certificates::Certificates;
use crate::guardian;
use crate::port::free_port;
use crate::rows::Rows;
use crate::signal::signal;

/// How long a server may take to start or to stop before that is an error.
const LIMIT: Duration = Duration::from_secs(90);

/// A running MariaDB or MySQL server with a unix socket and a port on 127.0.0.1.
///
/// Dropping it stops it and removes its folder. The test process's end does so too, in whatever way it ends.
#[derive(Debug)]
pub struct MysqlServer {
    version: MysqlVersion,
    folder: PathBuf,
    port: u16,
    password: String,
    certificates: Option<Certificates>,
    has_disk: bool,
    process: Mutex<Option<Child>>,
    databases: AtomicU32,
}

impl MysqlServer {
    /// Starts a server of this version with an empty data folder.
    pub fn start(version: &MysqlVersion) -> Result<Self> {
        Self::start_with(version, &ServerOptions::new())
    }

    /// Starts a server with settings, a password, certificates or a disk of its own.
    pub fn start_with(version: &MysqlVersion, options: &ServerOptions) -> Result<Self> {
        let folder = guardian::server_folder("my")?;
        let certificates = match &options.tls_names {
            Some(names) => Some(Certificates::create(names, USER, &folder)?),
            None => None,
        };
        if let Some(bytes) = options.disk {
            disk::mount(&folder.join("data"), bytes)?;
        }
        let mut server = Self {
            version: version.clone(),
            folder,
            port: 0,
            password: options.password.as_deref().unwrap_or(PASSWORD).to_owned(),
            certificates,
            has_disk: options.disk.is_some(),
            process: Mutex::new(None),
            databases: AtomicU32::new(0),
        };
        template::create_data_folder(version, &server.data())?;
        // Somebody else may take the free port before the server does.
        for attempt in 1.. {
            server.port = free_port()?;
            server.configure(options)?;
            match server.start_again() {
                Ok(()) => break,
                Err(error) if attempt == 5 || !error.to_string().contains("in use") => return Err(error),
                Err(_) => {}
            }
        }
        server.create_user(USER, &server.password, &["all privileges on *.* with grant option"])?;
        Ok(server)
    }

    /// Its version.
    pub fn version(&self) -> &MysqlVersion {
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

    /// The folder that holds its unix socket, its data and its log.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of its data.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The path of its unix socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.join("socket")
    }

    /// What a client needs to trust this server and to show who it is; `None` without [`ServerOptions::tls`].
    pub fn certificates(&self) -> Option<&Certificates> {
        self.certificates.as_ref()
    }

    /// All that it has logged.
    pub fn log(&self) -> String {
        fs::read(self.log_path()).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// The number of its process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.slot().ok()?.as_ref().map(Child::id)
    }

    /// Creates an empty database for one test.
    pub fn create_database(&self) -> Result<TestDatabase> {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{number}", std::process::id());
        self.execute("mysql", &format!("create database {name}"))?;
        Ok(self.database(&name))
    }

    /// A handle to a database that exists.
    pub fn database(&self, name: &str) -> TestDatabase {
        TestDatabase { name: name.to_owned(), port: self.port, socket: self.socket(), password: self.password.clone() }
    }

    /// Creates a user who may come from everywhere, with these rights and no others, such as
    /// `select, insert on app.*`. For [`TestDatabase::url_for`].
    pub fn create_user(&self, user: &str, password: &str, rights: &[&str]) -> Result<()> {
        let quoted = password.replace('\\', "\\\\").replace('\'', "\\'");
        self.execute("mysql", &format!("create user '{user}'@'%' identified by '{quoted}'"))?;
        for right in rights {
            let (right, option) = match right.strip_suffix(" with grant option") {
                Some(right) => (right, " with grant option"),
                None => (*right, ""),
            };
            self.execute("mysql", &format!("grant {right} to '{user}'@'%'{option}"))?;
        }
        Ok(())
    }

    /// Runs statements in a database, as one string, as `root`.
    pub fn execute(&self, database: &str, sql: &str) -> Result<()> {
        self.database(database).execute(sql)
    }

    /// Runs statements in a database and returns their rows.
    pub fn query(&self, database: &str, sql: &str) -> Result<Rows> {
        self.database(database).query(sql)
    }

    /// Stops the server politely: it rolls open transactions back and writes its pages.
    pub fn stop(&self) -> Result<()> {
        self.stop_by("TERM")
    }

    /// Kills the server by `kill -9`; the next start recovers. Only a [durable](ServerOptions::durable) server keeps
    /// all that was committed.
    pub fn kill_hard(&self) -> Result<()> {
        self.stop_by("KILL")
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
        let _ = fs::remove_file(self.socket());
        let mut command = guardian::server_command(self.version.server_program())?;
        command.arg(format!("--defaults-file={}", self.option_file().display()));
        guardian::log_to(&mut command, &self.log_path())?;
        let mut child =
            command.spawn().with_context(|| format!("cannot run {}", self.version.server_program().display()))?;
        let written = fs::write(self.folder.join(guardian::PID_FILE), format!("{}\n", child.id()));
        let begun = Instant::now();
        while !self.greets() {
            if let Some(status) = child.try_wait()? {
                bail!("{} ended while starting ({status}): {}", self.version, self.log());
            }
            if begun.elapsed() > LIMIT {
                child.kill()?;
                child.wait()?;
                bail!("{} does not get ready: {}", self.version, self.log());
            }
            sleep(Duration::from_millis(5));
        }
        *slot = Some(child);
        Ok(written?)
    }

    /// Changes the size of the disk of [`ServerOptions::disk`]; never below what stands on it.
    pub fn resize_disk(&self, bytes: u64) -> Result<()> {
        if !self.has_disk {
            bail!("this server has no disk of its own");
        }
        disk::resize(&self.data(), bytes)
    }

    fn option_file(&self) -> PathBuf {
        self.folder.join("my.cnf")
    }

    fn log_path(&self) -> PathBuf {
        self.folder.join("log")
    }

    fn slot(&self) -> Result<MutexGuard<'_, Option<Child>>> {
        self.process.lock().map_err(|_| anyhow!("a test panicked while it used this server"))
    }

    /// A server that takes connections says so first, whoever comes.
    fn greets(&self) -> bool {
        let Ok(mut stream) = UnixStream::connect(self.socket()) else { return false };
        let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
        stream.read_exact(&mut [0; 5]).is_ok()
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
                bail!("{} did not stop: {}", self.version, self.log());
            }
            sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    fn configure(&self, options: &ServerOptions) -> Result<()> {
        let (data, socket) = (self.data(), self.socket());
        let places = configuration::Places {
            data: &data,
            socket: &socket,
            port: self.port,
            certificates: self.certificates.as_ref(),
        };
        fs::write(self.option_file(), configuration::text(&self.version, &places, options))
            .context("cannot write my.cnf")
    }
}

impl Drop for MysqlServer {
    fn drop(&mut self) {
        let _ = self.kill_hard();
        if self.has_disk {
            let _ = disk::unmount(&self.data());
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}
