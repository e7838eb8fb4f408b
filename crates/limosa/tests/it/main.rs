//! The library against real databases.

mod place;
mod warehouse;
