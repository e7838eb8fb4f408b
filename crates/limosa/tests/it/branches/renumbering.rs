//! `new --renumber`.
