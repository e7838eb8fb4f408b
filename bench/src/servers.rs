//! The private servers that tools are measured on.

use std::env;

use anyhow::Result;
use limosa_testkit::{MysqlServer, PostgresServer, ServerOptions, mysql, postgres};

/// A private server with the memory of a default installation.
pub(crate) fn start_postgres(durable: bool) -> Result<PostgresServer> {
    let word = if durable { "on" } else { "off" };
    let options = ServerOptions::new()
        .setting("shared_buffers", "128MB")
        .setting("fsync", word)
        .setting("full_page_writes", word)
        .setting("shared_preload_libraries", "");
    let version = postgres::newest()?;
    println!("\nPostgreSQL {}, fsync {word}, data below {}", version.major(), env::temp_dir().display());
    PostgresServer::start_with(&version, &options)
}

/// The same for the newest MariaDB, or MySQL where there is no MariaDB.
pub(crate) fn start_mysql(durable: bool) -> Result<MysqlServer> {
    let mut options = mysql::ServerOptions::new().setting("innodb_buffer_pool_size", "128M");
    if durable {
        options = options.durable();
    }
    let version = mysql::newest()?;
    let word = if durable { "on" } else { "off" };
    println!("\n{version}, durable {word}, data below {}", env::temp_dir().display());
    MysqlServer::start_with(&version, &options)
}
