//! What a dedicated server has that the shared one has not.

/// Settings, passwords and certificates of a server that one test has for itself.
///
/// ```
/// # use limosa_testkit::ServerOptions;
/// let small = ServerOptions::new().setting("max_connections", "12").scram_password("secret");
/// ```
#[derive(Clone, Debug, Default)]
pub struct ServerOptions {
    pub(crate) settings: Vec<(String, String)>,
    pub(crate) access: Vec<String>,
    pub(crate) password: Option<String>,
    pub(crate) tls_names: Option<Vec<String>>,
    pub(crate) drops_databases: bool,
}

impl ServerOptions {
    /// Nothing beyond what every test server has: no durability, 200 connections, everybody trusted.
    pub fn new() -> Self {
        Self::default()
    }

    /// A line of `postgresql.conf`; the value is quoted for you.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A line of `pg_hba.conf` that stands before the others, such as
    /// `host all reader 127.0.0.1/32 scram-sha-256`.
    ///
    /// Leave user `postgres` trusted on the socket: the testkit uses it.
    #[must_use]
    pub fn access(mut self, line: &str) -> Self {
        self.access.push(line.to_owned());
        self
    }

    /// Gives user `postgres` a password, which TCP connections then must show by SCRAM-SHA-256.
    #[must_use]
    pub fn scram_password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self
    }

    /// Drops each database of a test behind its last handle, however much room the disk has.
    #[must_use]
    pub fn drops_databases(mut self) -> Self {
        self.drops_databases = true;
        self
    }

    /// Switches TLS on, with a certificate for these host names or addresses that an authority of
    /// the server's own has signed; see [`Certificates`](super::Certificates).
    ///
    /// Connections without TLS stay allowed; an access line `hostnossl all all all reject` forbids
    /// them.
    #[must_use]
    pub fn tls(mut self, names: &[&str]) -> Self {
        self.tls_names = Some(names.iter().map(|&name| name.to_owned()).collect());
        self
    }
}
