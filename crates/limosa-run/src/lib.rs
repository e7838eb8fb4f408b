//! limosa-run
