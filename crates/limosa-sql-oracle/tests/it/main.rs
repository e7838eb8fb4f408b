//! `limosa-sql` against the grammars of the servers.

#[cfg(feature = "oracle")]
mod postgres_classes;
#[cfg(feature = "oracle")]
mod postgres_split;
mod scripts;
mod sqlite_pragmas;
mod sqlite_split;
