//! The same migrations in the form of each tool, as a folder each.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::workload::{Engine, Migration};

/// The folder that holds the forms for one engine and one number of migrations.
pub(crate) struct Layouts {
    root: PathBuf,
}

impl Layouts {
    /// Writes all forms into an emptied folder. `undone` migrations stand in the shell's rollback script.
    pub(crate) fn write(root: &Path, engine: Engine, all: &[Migration], undone: usize) -> Result<Self> {
        if root.exists() {
            fs::remove_dir_all(root).with_context(|| format!("cannot empty {}", root.display()))?;
        }
        let layouts = Self { root: root.to_owned() };
        for migration in all {
            layouts.write_one(migration)?;
        }
        layouts.write_scripts(engine, all, undone)?;
        Ok(layouts)
    }

    /// The folder or file of a form: `limosa`, `dbmate`, `one_transaction.sql`, ...
    pub(crate) fn at(&self, form: &str) -> String {
        self.root.join(form).display().to_string()
    }

    /// Writes a file beside the forms, such as a tool's settings.
    pub(crate) fn put(&self, name: &str, text: &str) -> Result<()> {
        let file = self.root.join(name);
        let folder = file.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
    }

    fn write_one(&self, migration: &Migration) -> Result<()> {
        let Migration { number, name, up, down, .. } = migration;
        let version = migration.version();
        self.put(&format!("files/{version}_{name}.sql"), up)?;
        self.put(&format!("limosa/{version}_{name}.sql"), &format!("{up}\n-- limosa:rollback\n{down}"))?;
        self.put(&format!("dbmate/{version}_{name}.sql"), &format!("-- migrate:up\n{up}\n-- migrate:down\n{down}"))?;
        let whole = match migration.is_function {
            true => format!("-- +migrate StatementBegin\n{up}-- +migrate StatementEnd\n"),
            false => up.clone(),
        };
        self.put(
            &format!("sql-migrate/{version}_{name}.sql"),
            &format!("-- +migrate Up\n{whole}\n-- +migrate Down\n{down}"),
        )?;
        let whole = match migration.is_function {
            true => format!("-- +goose StatementBegin\n{up}-- +goose StatementEnd\n"),
            false => up.clone(),
        };
        self.put(&format!("goose/{version}_{name}.sql"), &format!("-- +goose Up\n{whole}\n-- +goose Down\n{down}"))?;
        // golang-migrate reads these as well, and Flyway those of refinery.
        self.put(&format!("sqlx/{version}_{name}.up.sql"), up)?;
        self.put(&format!("sqlx/{version}_{name}.down.sql"), down)?;
        self.put(&format!("refinery/V{number}__{name}.sql"), up)?;
        self.put(&format!("diesel/{version}_{name}/up.sql"), up)?;
        self.put(&format!("diesel/{version}_{name}/down.sql"), down)
    }

    /// Scripts for the engine's own shell: the floors. Where DDL commits by itself a transaction around it says nothing, so
    /// that there is one script without any.
    fn write_scripts(&self, engine: Engine, all: &[Migration], undone: usize) -> Result<()> {
        let downs: String = all.iter().rev().take(undone).map(|migration| migration.down.as_str()).collect();
        let include = match engine {
            Engine::Postgres => "\\i",
            Engine::Sqlite => ".read",
            Engine::Mysql => {
                let ups: String = all.iter().map(for_mysql).collect();
                self.put("one_transaction.sql", &ups)?;
                return self.put("rollback.sql", &downs);
            }
        };
        let (mut whole, mut each) = (String::from("BEGIN;\n"), String::new());
        for migration in all {
            let file = self.at(&format!("files/{}_{}.sql", migration.version(), migration.name));
            whole.push_str(&migration.up);
            each.push_str(&format!("BEGIN;\n{include} {file}\nCOMMIT;\n"));
        }
        whole.push_str("COMMIT;\n");
        self.put("one_transaction.sql", &whole)?;
        self.put("transaction_per_file.sql", &each)?;
        self.put("rollback.sql", &format!("BEGIN;\n{downs}COMMIT;\n"))
    }
}

/// The shell of MariaDB must be told where a function ends.
fn for_mysql(migration: &Migration) -> String {
    match (migration.is_function, migration.up.trim_end().strip_suffix(';')) {
        (true, Some(function)) => format!("DELIMITER $$\n{function}$$\nDELIMITER ;\n"),
        _ => migration.up.clone(),
    }
}
