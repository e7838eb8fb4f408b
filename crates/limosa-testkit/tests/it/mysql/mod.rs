//! MariaDB and MySQL.

mod proxy;
mod server;
mod session;
