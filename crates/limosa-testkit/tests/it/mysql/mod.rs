//! MariaDB and MySQL.

mod disk;
mod proxy;
mod server;
mod session;
mod tls;
