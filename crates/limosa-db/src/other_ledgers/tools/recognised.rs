//! Tools whose migrations are code, or are known by hashes of code: recognised, and no more.

use super::{PLAIN, Tool};

pub(super) const TOOLS: [Tool; 3] = [
    Tool {
        name: "Knex",
        table: "knex_migrations",
        has: &["id", "name", "batch"],
        shape: &["migration_time", "id", "name", "batch"],
        newest: ("name", "id desc"),
        ..PLAIN
    },
    Tool {
        name: "Alembic",
        table: "alembic_version",
        has: &["version_num"],
        newest: ("version_num", "version_num desc"),
        ..PLAIN
    },
    Tool {
        name: "Django",
        table: "django_migrations",
        has: &["id", "app", "name"],
        newest: ("name", "id desc"),
        ..PLAIN
    },
];
