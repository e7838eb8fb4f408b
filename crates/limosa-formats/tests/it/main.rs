//! The native format as the outside sees it: folders in, changes and diagnostics out.

mod chunks;
mod example;
mod folders;
mod mysql;
mod project;
mod rollbacks;
mod scripts;
mod sections;
