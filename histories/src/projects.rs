//! The projects: where their migrations are, what reads them, and what they need.

/// How a folder is named and written, as limosa calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Dbmate,
    Diesel,
    Drizzle,
    Flyway,
    Goose,
    Prisma,
    Refinery,
    SqlMigrate,
    Sqlx,
    UpDown,
}

impl Format {
    /// The name that `limosa status` gives it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Format::Dbmate => "dbmate",
            Format::Diesel => "diesel",
            Format::Drizzle => "drizzle",
            Format::Flyway => "flyway",
            Format::Goose => "goose",
            Format::Prisma => "prisma",
            Format::Refinery => "refinery",
            Format::SqlMigrate => "sql_migrate",
            Format::Sqlx => "sqlx",
            Format::UpDown => "up_down",
        }
    }
}

/// What the migrations are written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Postgres,
    Mariadb,
    Sqlite,
}

impl Engine {
    /// For the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Engine::Postgres => "PostgreSQL",
            Engine::Mariadb => "MariaDB",
            Engine::Sqlite => "SQLite",
        }
    }
}

/// One folder of one project, as it stood in one commit.
#[derive(Debug)]
pub(crate) struct Project {
    /// What it is called here.
    pub(crate) name: &'static str,
    /// Owner and name on github.com.
    pub(crate) repository: &'static str,
    pub(crate) commit: &'static str,
    /// The folder of migrations, from the root of the repository.
    pub(crate) folder: &'static str,
    pub(crate) format: Format,
    /// The format that limosa takes it for; empty where it is the same. Names of sqlx are limosa's own, too.
    pub(crate) taken_for: &'static str,
    pub(crate) engine: Engine,
    /// What stands behind the address of the database.
    pub(crate) address: &'static str,
    /// SQL that the project's operators or its application run ahead of the migrations: roles, schemas, settings.
    pub(crate) ahead: &'static str,
    /// Why it cannot run to its end here, whoever runs it; empty where it can.
    pub(crate) stops: &'static str,
}

const PLAIN: Project = Project {
    name: "",
    repository: "",
    commit: "",
    folder: "",
    format: Format::UpDown,
    taken_for: "",
    engine: Engine::Postgres,
    address: "",
    ahead: "",
    stops: "",
};

const VAULTWARDEN: Project = Project {
    repository: "dani-garcia/vaultwarden",
    commit: "46d71107f5094460dd5ecbe1dbac6e6c71e5189a",
    format: Format::Diesel,
    ..PLAIN
};

const ATUIN: Project = Project {
    repository: "atuinsh/atuin",
    commit: "824c8716d82bed774ee6a83c683087ae77715814",
    format: Format::Sqlx,
    // No sqlx.toml and no .sqlx stands beside it.
    taken_for: "native",
    ..PLAIN
};

const FIREFLY: Project =
    Project { repository: "hyperledger/firefly", commit: "e3c9b8d8904cfeee1f39ba407afac23f7a49074f", ..PLAIN };

const POCKET_ID: Project =
    Project { repository: "pocket-id/pocket-id", commit: "d258d952b1573300860aff369e300a76f6fb5f09", ..PLAIN };

const HOMARR: Project = Project {
    repository: "homarr-labs/homarr",
    commit: "464d98e124726f30c5f92ccf18a5ebff71e0cdd9",
    format: Format::Drizzle,
    ..PLAIN
};

const CONDUCTOR: Project = Project {
    repository: "conductor-oss/conductor",
    commit: "b54f0d4ee546c1053367e1c14405c5396c17bfb1",
    format: Format::Flyway,
    ..PLAIN
};

const UAA: Project = Project {
    repository: "cloudfoundry/uaa",
    commit: "13dc87a60ea2d4f3fc37f6b74fea5c9b86606474",
    format: Format::Flyway,
    ..PLAIN
};

const OPENFGA: Project = Project {
    repository: "openfga/openfga",
    commit: "da9354f7e6704cef47e620ffa2e08212c08d5ad3",
    format: Format::Goose,
    ..PLAIN
};

const KESTRA: Project = Project {
    repository: "kestra-io/kestra",
    commit: "58c1ca2d0589c888328bacc3ee65e65dc4ba0a6a",
    format: Format::Flyway,
    ..PLAIN
};

const TRAILBASE: Project = Project {
    repository: "trailbaseio/trailbase",
    commit: "f4e8677244dadd2fad2a2d547c053144f60e081d",
    format: Format::Refinery,
    ..PLAIN
};

/// What Supabase has in a new database, as far as migrations ask for it.
const SUPABASE: &str = "
do $$ declare name text; begin
  foreach name in array array['anon', 'authenticated', 'service_role', 'supabase_auth_admin'] loop
    if not exists (select from pg_roles where rolname = name) then execute format('create role %I nologin', name); end if;
  end loop;
end $$;
create schema extensions;
create extension pgcrypto schema extensions;
create extension \"uuid-ossp\" schema extensions;
create schema auth;
create table auth.users (id uuid primary key, email text, raw_user_meta_data jsonb, created_at timestamptz);
create table auth.identities (id uuid primary key, user_id uuid references auth.users, provider text, identity_data jsonb);
create function auth.uid() returns uuid language sql stable as 'select null::uuid';
create function auth.role() returns text language sql stable as 'select null::text';
";

pub(crate) const PROJECTS: &[Project] = &[
    Project { name: "firefly-postgres", folder: "db/migrations/postgres", ..FIREFLY },
    Project {
        name: "firefly-sqlite",
        folder: "db/migrations/sqlite",
        engine: Engine::Sqlite,
        address: "?double_quoted_strings=on",
        ..FIREFLY
    },
    Project { name: "pocket-id-postgres", folder: "backend/resources/migrations/postgres", ..POCKET_ID },
    Project {
        name: "pocket-id-sqlite",
        folder: "backend/resources/migrations/sqlite",
        engine: Engine::Sqlite,
        stops: "calls normalize(), which its application adds to SQLite",
        ..POCKET_ID
    },
    Project {
        name: "hatchet",
        repository: "hatchet-dev/hatchet",
        commit: "89d130f303c9561442804c9c32b8748e699d5139",
        folder: "cmd/hatchet-migrate/migrate/migrations",
        format: Format::Goose,
        stops: "a table is made by a migration in Go",
        ..PLAIN
    },
    Project { name: "openfga-postgres", folder: "assets/migrations/postgres", ..OPENFGA },
    Project {
        name: "openfga-mysql",
        folder: "assets/migrations/mysql",
        engine: Engine::Mariadb,
        stops: "DROP INDEX with LOCK, which MariaDB does not know",
        ..OPENFGA
    },
    Project { name: "openfga-sqlite", folder: "assets/migrations/sqlite", engine: Engine::Sqlite, ..OPENFGA },
    Project {
        name: "kbve",
        repository: "KBVE/kbve",
        commit: "52f02ea74fbf3d39fa43d099b5b580f7ef5f7908",
        folder: "packages/data/sql/dbmate/migrations",
        format: Format::Dbmate,
        ahead: SUPABASE,
        stops: "a schema that none of its migrations makes",
        ..PLAIN
    },
    Project {
        name: "subway",
        repository: "UPchieve/subway",
        commit: "3a5f8fa85999144cdb3e04076257e83783f18dcf",
        folder: "database/migrations",
        format: Format::Dbmate,
        stops: "the mark of a way down is indented, so that dbmate reads what follows as part of the way up",
        ..PLAIN
    },
    Project {
        name: "goalert",
        repository: "target/goalert",
        commit: "2458b9d749e7bb9cb5b0d34dcb7edb034b407baa",
        folder: "migrate/migrations",
        format: Format::SqlMigrate,
        ..PLAIN
    },
    Project {
        name: "horizon",
        repository: "stellar/stellar-horizon",
        commit: "2abda012313e162d822fda44076893054a3b27a2",
        folder: "internal/db2/schema/migrations",
        format: Format::SqlMigrate,
        ..PLAIN
    },
    Project { name: "atuin-postgres", folder: "crates/atuin-server-postgres/migrations", ..ATUIN },
    Project { name: "atuin-sqlite", folder: "crates/atuin-client/migrations", engine: Engine::Sqlite, ..ATUIN },
    Project {
        name: "mas",
        repository: "element-hq/matrix-authentication-service",
        commit: "682b8d26d3b3666b6652490f66618ab3d640fa5d",
        folder: "crates/storage-pg/migrations",
        format: Format::Sqlx,
        // One of the files deletes from it. limosa's message says this statement.
        ahead: "create table public._sqlx_migrations (version bigint primary key, description text not null, installed_on \
                timestamptz not null default now(), success boolean not null, checksum bytea not null, execution_time \
                bigint not null)",
        ..PLAIN
    },
    Project {
        name: "modrinth",
        repository: "modrinth/code",
        commit: "fe9ae94a5d9ac1e9d37c3088c9cdca1f55b5a61f",
        folder: "apps/labrinth/migrations",
        format: Format::Sqlx,
        ..PLAIN
    },
    Project {
        name: "docs.rs",
        repository: "rust-lang/docs.rs",
        commit: "ad3fc7932dccb6269ea893c3ca5681056a95e1f3",
        folder: "crates/lib/docs_rs_database/migrations",
        format: Format::Sqlx,
        ..PLAIN
    },
    Project {
        name: "lemmy",
        repository: "LemmyNet/lemmy",
        commit: "439734dd638a2c06a2f907beab7dcf4646e88f86",
        folder: "migrations",
        format: Format::Diesel,
        stops: "subqueries without an alias, which PostgreSQL knows from 16 on",
        ..PLAIN
    },
    Project {
        name: "crates.io",
        repository: "rust-lang/crates.io",
        commit: "57fa000662f511321daa61e6769f190ea0e80771",
        folder: "migrations",
        format: Format::Diesel,
        ..PLAIN
    },
    Project { name: "vaultwarden-postgres", folder: "migrations/postgresql", ..VAULTWARDEN },
    Project {
        name: "vaultwarden-mysql",
        folder: "migrations/mysql",
        engine: Engine::Mariadb,
        // As its application does.
        ahead: "set global foreign_key_checks = 0",
        ..VAULTWARDEN
    },
    Project { name: "vaultwarden-sqlite", folder: "migrations/sqlite", engine: Engine::Sqlite, ..VAULTWARDEN },
    Project {
        name: "trailbase-sqlite",
        folder: "crates/core/migrations/main",
        engine: Engine::Sqlite,
        stops: "calls is_uuid_v7(), which its application adds to SQLite",
        ..TRAILBASE
    },
    Project { name: "trailbase-postgres", folder: "crates/core/migrations/pg_main", ..TRAILBASE },
    Project {
        name: "documenso",
        repository: "documenso/documenso",
        commit: "75330166cc00b29c14399bc2e391e4b4d8080c00",
        folder: "packages/prisma/migrations",
        format: Format::Prisma,
        ..PLAIN
    },
    Project {
        name: "linkwarden",
        repository: "linkwarden/linkwarden",
        commit: "7550ebb8907e0cd22e8b3e0785bf3da03ab96e3a",
        folder: "packages/prisma/migrations",
        format: Format::Prisma,
        ..PLAIN
    },
    Project {
        name: "umami",
        repository: "umami-software/umami",
        commit: "c0ea3aefbee7a3429ee2f824b06dc4a9dbe0b7e1",
        folder: "prisma/migrations",
        format: Format::Prisma,
        ..PLAIN
    },
    Project {
        name: "langfuse",
        repository: "langfuse/langfuse",
        commit: "62751446149b702b419a9292ddfc2280cdf74b8c",
        folder: "packages/shared/prisma/migrations",
        format: Format::Prisma,
        ..PLAIN
    },
    Project { name: "homarr-postgres", folder: "packages/db/migrations/postgresql", ..HOMARR },
    Project { name: "homarr-mysql", folder: "packages/db/migrations/mysql", engine: Engine::Mariadb, ..HOMARR },
    Project { name: "homarr-sqlite", folder: "packages/db/migrations/sqlite", engine: Engine::Sqlite, ..HOMARR },
    Project {
        name: "alf.io",
        repository: "alfio-event/alf.io",
        commit: "61ee4309768bf0b72b4ac8b8fe0786ce6e5c546c",
        folder: "src/main/resources/alfio/db/PGSQL",
        format: Format::Flyway,
        ..PLAIN
    },
    Project {
        name: "conductor-postgres",
        folder: "postgres-persistence/src/main/resources/db/migration_postgres",
        ..CONDUCTOR
    },
    Project {
        name: "conductor-mysql",
        folder: "mysql-persistence/src/main/resources/db/migration",
        engine: Engine::Mariadb,
        ..CONDUCTOR
    },
    Project {
        name: "uaa-postgres",
        folder: "server/src/main/resources/org/cloudfoundry/identity/uaa/db/postgresql",
        ..UAA
    },
    Project {
        name: "uaa-mysql",
        folder: "server/src/main/resources/org/cloudfoundry/identity/uaa/db/mysql",
        engine: Engine::Mariadb,
        stops: "changes a column that a foreign key uses, which MariaDB refuses",
        ..UAA
    },
    Project { name: "kestra-postgres", folder: "jdbc-postgres/src/main/resources/migrations/postgres", ..KESTRA },
    Project {
        name: "kestra-mysql",
        folder: "jdbc-mysql/src/main/resources/migrations/mysql",
        engine: Engine::Mariadb,
        stops: "a column named offset, which MariaDB reserves",
        ..KESTRA
    },
];
