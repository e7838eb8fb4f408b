//! limosa-db
