//! limosa-formats
