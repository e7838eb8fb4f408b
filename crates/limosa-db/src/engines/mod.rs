#[cfg(any(feature = "mysql", feature = "sqlite"))]
mod first_word;
#[cfg(feature = "mysql")]
pub mod mysql;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "sqlite")]
pub mod sqlite;
