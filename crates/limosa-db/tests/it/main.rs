//! Tests of the sessions against real databases.

#![expect(clippy::unwrap_used, reason = "a test's own functions fail the test as the test does")]

#[cfg(feature = "mysql")]
mod backup_mysql;
#[cfg(feature = "postgres")]
mod backup_postgres;
#[cfg(feature = "sqlite")]
mod backup_sqlite;
mod conformance;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
