//! Tests of the text layer from outside: pieces, errors, classes, placeholders, string constants.

mod carried;
mod classes;
mod classes_mysql;
mod errors;
mod literals;
mod marks;
mod pieces_mysql;
mod pieces_postgres;
mod pieces_sqlite;
mod placeholders;
mod properties;
mod schema_changes;
mod show;
mod variables;
