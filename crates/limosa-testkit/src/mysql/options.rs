//! What a dedicated server has that the shared one has not.

/// Settings, passwords and certificates of a server that one test has for itself.
///
/// ```
/// # use limosa_testkit::mysql::ServerOptions;
/// let small = ServerOptions::new().setting("max_connections", "12").sql_mode("ANSI_QUOTES");
/// ```
#[derive(Clone, Debug, Default)]
pub struct ServerOptions {
    pub(super) settings: Vec<(String, String)>,
    pub(super) password: Option<String>,
    pub(super) tls_names: Option<Vec<String>>,
    pub(super) durable: bool,
    pub(super) disk: Option<u64>,
}

impl ServerOptions {
    /// Nothing beyond what every test server has: no durability, no binary log, 200 connections, utf8mb4.
    pub fn new() -> Self {
        Self::default()
    }

    /// A line of the server's option file, such as `innodb_lock_wait_timeout` and `2`. It wins over what every test
    /// server has.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The SQL mode of all sessions, in place of the server's own default.
    #[must_use]
    pub fn sql_mode(self, modes: &str) -> Self {
        self.setting("sql_mode", modes)
    }

    /// Refuses writes of everybody who has not the privilege to write all the same: the user of the URLs has it, a
    /// user of [`MysqlServer::create_user`](super::MysqlServer::create_user) has not.
    #[must_use]
    pub fn read_only(self) -> Self {
        self.setting("read_only", "ON")
    }

    /// The longest packet that the server takes, in bytes: a multiple of 1024.
    #[must_use]
    pub fn max_allowed_packet(self, bytes: u64) -> Self {
        self.setting("max_allowed_packet", &bytes.to_string())
    }

    /// Switches the performance schema on or off. Without this it is as the server has it: off in MariaDB, on in MySQL.
    #[must_use]
    pub fn performance_schema(self, on: bool) -> Self {
        self.setting("performance_schema", if on { "ON" } else { "OFF" })
    }

    /// What is committed outlives a `kill -9` of the server, as in production.
    #[must_use]
    pub fn durable(mut self) -> Self {
        self.durable = true;
        self
    }

    /// The password of the user of the URLs.
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self
    }

    /// Switches TLS on, with a certificate for these host names or addresses that an authority of the server's own has
    /// signed; see [`Certificates`](super::Certificates).
    ///
    /// Connections without TLS stay allowed; the setting `require_secure_transport` = `ON` forbids them.
    #[must_use]
    pub fn tls(mut self, names: &[&str]) -> Self {
        self.tls_names = Some(names.iter().map(|&name| name.to_owned()).collect());
        self
    }

    /// Puts the data folder on a disk of its own of so many bytes, to be filled up. An empty server takes about 50 MB.
    ///
    /// It is a file system in memory, which only root may mount: elsewhere the server does not start, and the error
    /// says so.
    #[must_use]
    pub fn disk(mut self, bytes: u64) -> Self {
        self.disk = Some(bytes);
        self
    }
}
