//! The option file of a server.

use std::fmt::Write as _;
use std::path::Path;

use super::options::ServerOptions;
use super::template::REDO_LOG;
use super::version::MysqlVersion;
use crate::certificates::Certificates;

/// What every test server has: small, in UTC, and nothing that depends on the machine. A name with `loose_` is passed
/// over by a server that does not know it.
const SETTINGS: [(&str, &str); 17] = [
    ("bind_address", "127.0.0.1"),
    ("skip_name_resolve", "ON"),
    ("max_connections", "200"),
    ("character_set_server", "utf8mb4"),
    ("default_time_zone", "+00:00"),
    ("innodb_buffer_pool_size", "32M"),
    ("innodb_log_buffer_size", "2M"),
    // Servers of many test processes would use up the machine's places for asynchronous requests.
    ("innodb_use_native_aio", "OFF"),
    ("innodb_buffer_pool_dump_at_shutdown", "OFF"),
    ("innodb_buffer_pool_load_at_startup", "OFF"),
    ("key_buffer_size", "1M"),
    ("table_open_cache", "400"),
    ("loose_aria_pagecache_buffer_size", "1M"),
    ("loose_innodb_log_file_size", REDO_LOG),
    ("loose_innodb_redo_log_capacity", REDO_LOG),
    ("loose_mysqlx", "OFF"),
    ("loose_log_warnings", "1"),
];

/// Speed instead of durability.
const FAST: [(&str, &str); 4] = [
    ("innodb_flush_log_at_trx_commit", "0"),
    ("innodb_flush_method", "nosync"),
    ("innodb_doublewrite", "OFF"),
    ("loose_sync_frm", "OFF"),
];

/// What stands where.
pub(super) struct Places<'a> {
    pub(super) data: &'a Path,
    pub(super) socket: &'a Path,
    pub(super) port: u16,
    pub(super) certificates: Option<&'a Certificates>,
}

/// The text of the option file.
pub(super) fn text(version: &MysqlVersion, places: &Places<'_>, options: &ServerOptions) -> String {
    let mut text = String::from("[mysqld]\nskip_log_bin\n");
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "{name} = {value}");
    };
    if let Some(base) = version.base() {
        line("basedir", &base.to_string_lossy());
    }
    line("datadir", &places.data.to_string_lossy());
    line("socket", &places.socket.to_string_lossy());
    // A server that starts takes away the temporary tables that it finds there, also those of its neighbours.
    if let Some(folder) = places.socket.parent() {
        line("tmpdir", &folder.to_string_lossy());
    }
    line("port", &places.port.to_string());
    for (name, value) in SETTINGS {
        line(name, value);
    }
    if !options.durable {
        for (name, value) in FAST {
            line(name, value);
        }
    }
    match places.certificates {
        Some(certificates) => {
            line("ssl_cert", &certificates.server_certificate().to_string_lossy());
            line("ssl_key", &certificates.server_key().to_string_lossy());
            line("ssl_ca", &certificates.authority().to_string_lossy());
        }
        // Newer servers make certificates of their own.
        None if version.is_mariadb() => line("ssl", "OFF"),
        None => line("tls_version", ""),
    }
    for (name, value) in &options.settings {
        line(name, value);
    }
    text
}
