//! Migrations that are written in Rust.

use std::fmt;
use std::sync::Arc;

use limosa_core::{BadVersion, Callback, CallbackEvent, CallbackWork, Identity, Version};
use limosa_formats::Layout;
use limosa_formats::native::{FileFacts, FileRole};
use limosa_run::{Code, CodeFn, CodeFuture, Connection};
use limosa_sql::{Diagnostic, Dialect};

/// A migration that is code of the application. It has a version among those of the files, runs in one transaction with its row
/// in the ledger, and counts as changed when the version that it declares changes, whatever its code does.
///
/// ```
/// use limosa::{CodeError, Connection, Embedded, Migrator, RustMigration};
///
/// async fn slugs(mut connection: Connection<'_>) -> Result<(), CodeError> {
///     for row in connection.query("select id, title from posts", &[]).await? {
///         let slug = row.text(1).unwrap_or_default().to_lowercase().replace(' ', "-");
///         connection.query("update posts set slug = ?1 where id = ?2", &[slug.into(), row.0[0].clone()]).await?;
///     }
///     Ok(())
/// }
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let address = format!("sqlite:{}", folder.path().join("app.db").display());
/// let migrator = Migrator::builder(address)
///     .embedded(Embedded::new([
///         ("001_posts.sql", "create table posts (id integer primary key, title text); insert into posts values (1, 'A B');"),
///         ("002_slug.sql", "alter table posts add column slug text;"),
///     ]))
///     .code(RustMigration::from_fn("003", "fill slugs", "1", |connection| Box::pin(slugs(connection)))?)
///     .build()?;
/// assert_eq!(migrator.run_at_startup().await?.applied, 3);
/// # Ok(())
/// # }
/// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
/// ```
#[derive(Clone)]
pub struct RustMigration {
    pub(crate) version: Version,
    label: String,
    name: String,
    declared: String,
    rollback: Option<String>,
    pub(crate) code: Arc<dyn Code>,
}

impl fmt::Debug for RustMigration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RustMigration")
            .field("version", &self.label)
            .field("name", &self.name)
            .field("declared", &self.declared)
            .finish_non_exhaustive()
    }
}

impl RustMigration {
    /// A migration with a version such as `005`, a description, and the version of its code: give it another one when the code
    /// means something else, and limosa says that an applied migration was changed.
    ///
    /// # Errors
    /// [`BadVersion`] where the version is none.
    pub fn new(
        version: &str,
        name: impl Into<String>,
        declared: impl Into<String>,
        code: impl Code + 'static,
    ) -> Result<RustMigration, BadVersion> {
        Ok(RustMigration {
            version: Version::parse(version)?,
            label: version.to_owned(),
            name: name.into(),
            declared: declared.into(),
            rollback: None,
            code: Arc::new(code),
        })
    }

    /// As [`RustMigration::new`], from a closure.
    ///
    /// # Errors
    /// As there.
    pub fn from_fn<F>(
        version: &str,
        name: impl Into<String>,
        declared: impl Into<String>,
        code: F,
    ) -> Result<RustMigration, BadVersion>
    where
        F: for<'a> Fn(Connection<'a>) -> CodeFuture<'a> + Send + Sync + 'static,
    {
        RustMigration::new(version, name, declared, CodeFn(code))
    }

    /// SQL that takes it back; it is kept in the ledger when the migration runs.
    #[must_use]
    pub fn with_rollback(mut self, sql: impl Into<String>) -> RustMigration {
        self.rollback = Some(sql.into());
        self
    }

    /// As a file of the project.
    fn role(&self, layout: &Layout) -> FileRole {
        layout.role_of_code(&self.version, &self.label, &self.name)
    }

    /// Its identity in a folder of this format.
    pub(crate) fn identity_in(&self, layout: &Layout) -> Option<Identity> {
        self.role(layout).identity()
    }

    pub(crate) fn facts(&self, dialect: Dialect, layout: &Layout) -> (FileFacts, Vec<Diagnostic>) {
        let role = self.role(layout);
        let origin = format!("code {} {}", self.label, self.name);
        FileFacts::of_code(dialect, &origin, role, &self.declared, self.rollback.as_deref())
    }
}

/// A callback that is code of the application: it runs at its event, in a transaction of its own, with a row in the audit log.
#[derive(Clone)]
pub struct RustCallback {
    pub(crate) event: CallbackEvent,
    pub(crate) name: String,
    pub(crate) code: Arc<dyn Code>,
}

impl fmt::Debug for RustCallback {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RustCallback")
            .field("event", &self.event)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl RustCallback {
    /// A callback with a description, by which several of one event are told apart; they run in its order.
    pub fn new(event: CallbackEvent, name: impl Into<String>, code: impl Code + 'static) -> RustCallback {
        RustCallback { event, name: name.into(), code: Arc::new(code) }
    }

    /// As [`RustCallback::new`], from a closure.
    pub fn from_fn<F>(event: CallbackEvent, name: impl Into<String>, code: F) -> RustCallback
    where
        F: for<'a> Fn(Connection<'a>) -> CodeFuture<'a> + Send + Sync + 'static,
    {
        RustCallback::new(event, name, CodeFn(code))
    }

    pub(crate) fn identity(&self) -> Identity {
        Identity::of_callback(self.event, &self.name)
    }

    /// As a callback of the project.
    pub(crate) fn callback(&self) -> Callback {
        let origin = format!("code {} {}", self.event, self.name);
        let work = CallbackWork::Code(origin.trim_end().to_owned());
        Callback { event: self.event, name: self.name.clone(), work, headers: Default::default() }
    }
}
