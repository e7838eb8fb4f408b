//! MariaDB and MySQL.

mod server;
mod session;
