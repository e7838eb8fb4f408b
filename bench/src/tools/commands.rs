//! The command of each tool for each task.

use anyhow::Result;

use super::{Kind, Task, Tool};
use crate::layouts::Layouts;
use crate::place::Place;

impl Tool {
    /// The command for a task, or nothing where the tool has none.
    pub(crate) fn command(&self, task: Task, place: &Place, layouts: &Layouts) -> Option<Vec<String>> {
        let words = match self.kind {
            Kind::ShellOneTransaction | Kind::ShellTransactionPerFile => {
                return self.shell(task, place, layouts);
            }
            Kind::Dbmate => return Some(self.dbmate(task, place, layouts)),
            Kind::Goose => {
                let (dialect, source) = place.dialect_and_source();
                let from = ["-no-color", "-dir", &layouts.at("goose"), dialect, &source].map(str::to_owned);
                let words: Vec<String> = match task {
                    Task::Apply | Task::Nothing => vec!["up".into()],
                    Task::Status => vec!["status".into()],
                    Task::Rollback(count) => {
                        vec!["down-to".into(), place.migrations.saturating_sub(count).to_string()]
                    }
                };
                from.into_iter().chain(words).collect()
            }
            Kind::GolangMigrate => {
                let from = ["-path", &layouts.at("sqlx"), "-database", &place.golang_migrate_url()].map(str::to_owned);
                let words: Vec<String> = match task {
                    Task::Apply | Task::Nothing => vec!["up".into()],
                    Task::Status => vec!["version".into()],
                    Task::Rollback(count) => vec!["down".into(), count.to_string()],
                };
                from.into_iter().chain(words).collect()
            }
            Kind::Flyway => return self.flyway(task, place, layouts),
            Kind::SqlMigrate => {
                let config = format!("-config={}", layouts.at("sql-migrate.yml"));
                match task {
                    Task::Apply | Task::Nothing => vec!["up".into(), config],
                    Task::Status => vec!["status".into(), config],
                    Task::Rollback(count) => vec!["down".into(), config, format!("-limit={count}")],
                }
            }
            Kind::Sqlx => {
                let from = ["--source".into(), layouts.at("sqlx"), "-D".into(), place.sqlx_url()];
                let words: Vec<String> = match task {
                    Task::Apply | Task::Nothing => vec!["migrate".into(), "run".into()],
                    Task::Status => vec!["migrate".into(), "info".into()],
                    Task::Rollback(count) => {
                        let left = place.migrations.saturating_sub(count).to_string();
                        vec!["migrate".into(), "revert".into(), "--target-version".into(), left]
                    }
                };
                words.into_iter().chain(from).collect()
            }
            Kind::Refinery => match task {
                Task::Apply | Task::Nothing => {
                    ["migrate", "-c", &layouts.at("refinery.toml"), "-p", &layouts.at("refinery")]
                        .map(str::to_owned)
                        .to_vec()
                }
                Task::Status | Task::Rollback(_) => return None,
            },
            Kind::Diesel => {
                let mut words: Vec<String> = ["migration", "--migration-dir", &layouts.at("diesel"), "--database-url"]
                    .map(str::to_owned)
                    .to_vec();
                words.push(place.plain_url());
                match task {
                    Task::Apply | Task::Nothing => words.push("run".into()),
                    Task::Status => words.push("list".into()),
                    Task::Rollback(count) => words.extend(["revert".into(), "-n".into(), count.to_string()]),
                }
                words
            }
            Kind::LimosaByNames if matches!(task, Task::Status | Task::Rollback(_)) => return None,
            Kind::Limosa | Kind::LimosaByNames => {
                let mut words: Vec<String> = match task {
                    Task::Apply | Task::Nothing => vec!["migrate".into()],
                    Task::Status => vec!["status".into()],
                    Task::Rollback(count) => {
                        let consent = ["--allow-data-loss".into(), place.consent()];
                        ["rollback".into(), "--steps".into(), count.to_string()].into_iter().chain(consent).collect()
                    }
                };
                words.extend(["--dir".into(), layouts.at("limosa"), "--database".into(), place.url(), "--yes".into()]);
                words
            }
        };
        let by_names = ["env".to_owned(), "LIMOSA_VERIFY_APPLIED=false".to_owned()];
        let before = by_names.into_iter().filter(|_| self.kind == Kind::LimosaByNames);
        Some(before.chain([self.program.clone()]).chain(words).collect())
    }

    /// limosa's look at what sqlx has migrated.
    pub(crate) fn adoption(&self, place: &Place, layouts: &Layouts) -> Vec<String> {
        let words = ["adopt", "--dry-run", "--dir", &layouts.at("sqlx"), "--database", &place.url()].map(str::to_owned);
        [self.program.clone()].into_iter().chain(words).collect()
    }

    /// One of limosa's commands that only look: `plan`, `validate`.
    pub(crate) fn look(&self, verb: &str, place: &Place, layouts: &Layouts) -> Vec<String> {
        let words = [verb, "--dir", &layouts.at("limosa"), "--database", &place.url()].map(str::to_owned);
        [self.program.clone()].into_iter().chain(words).collect()
    }

    fn shell(&self, task: Task, place: &Place, layouts: &Layouts) -> Option<Vec<String>> {
        let script = match (task, self.kind) {
            (Task::Apply, Kind::ShellOneTransaction) => layouts.at("one_transaction.sql"),
            (Task::Apply, _) => layouts.at("transaction_per_file.sql"),
            (Task::Rollback(_), Kind::ShellOneTransaction) => layouts.at("rollback.sql"),
            (Task::Nothing, Kind::ShellOneTransaction) => return Some(place.shell(&self.program, Err("SELECT 1"))),
            _ => return None,
        };
        Some(place.shell(&self.program, Ok(&script)))
    }

    /// Its way back is not in the free edition.
    fn flyway(&self, task: Task, place: &Place, layouts: &Layouts) -> Option<Vec<String>> {
        let verb = match task {
            Task::Apply | Task::Nothing => "migrate",
            Task::Status => "info",
            Task::Rollback(_) => return None,
        };
        let [url, user, password] = place.flyway()?;
        let classes = format!("{}/*", self.program);
        let locations = format!("-locations=filesystem:{}", layouts.at("refinery"));
        let java = ["env", "REDGATE_DISABLE_TELEMETRY=true", "java", "-cp", &classes];
        let words = ["org.flywaydb.commandline.Main", &url, &user, &password, &locations, verb];
        Some(java.into_iter().chain(words).map(str::to_owned).collect())
    }

    /// Takes back one migration a call, so a rollback of several is a loop, as its users write it.
    fn dbmate(&self, task: Task, place: &Place, layouts: &Layouts) -> Vec<String> {
        let base = ["--no-dump-schema", "-d", &layouts.at("dbmate"), "-u", &place.url()].map(str::to_owned);
        let mut words: Vec<String> = [self.program.clone()].into_iter().chain(base).collect();
        match task {
            Task::Apply | Task::Nothing => words.push("migrate".into()),
            Task::Status => words.push("status".into()),
            Task::Rollback(count) => {
                words.push("rollback".into());
                let script = format!("i=0; while [ $i -lt {count} ]; do \"$@\" || exit 1; i=$((i + 1)); done");
                words = ["sh".into(), "-c".into(), script, "sh".into()].into_iter().chain(words).collect();
            }
        }
        words
    }

    /// Writes the settings of tools that take the database from a file only.
    pub(crate) fn prepare(&self, place: &Place, layouts: &Layouts) -> Result<()> {
        match self.kind {
            Kind::SqlMigrate => {
                let (dialect, source) = place.dialect_and_source();
                let text = format!(
                    "development:\n  dialect: {dialect}\n  datasource: {source}\n  dir: {}\n  table: migrations\n",
                    layouts.at("sql-migrate")
                );
                layouts.put("sql-migrate.yml", &text)
            }
            Kind::Refinery => {
                place.make()?;
                layouts.put("refinery.toml", &place.refinery_settings())
            }
            _ => Ok(()),
        }
    }
}
