//! Holds `limosa-sql` against the grammars of the servers themselves. There is no code here, only tests:
//!
//! * PostgreSQL, by the server's own scanner and grammar (`pg_query`), where statements end and what they are. Building
//!   it needs libclang, so that it is behind a feature: `cargo test -p limosa-sql-oracle --features oracle`.
//! * SQLite, by the library itself: what it prepares of a script, and what is left.
