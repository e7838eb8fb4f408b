//! limosa-core
