//! `limosa new`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::PossibleValuesParser;
use limosa::settings::Need;
use limosa::{Engine, Failure, NewKind, Numbering, RenumberOptions, Template, TemplateDetails};

use crate::call::{Call, or_files_only};
use crate::render::done;

/// Write the next migration as an empty file with its headers, or the files of a change in steps.
///
/// It goes into the first folder of migrations. Its version continues what stands there: the next number, or the time
/// where the newest version is a time.
///
/// A template writes a change that old and new code survive, as a file for each step, with its way back. Between the steps
/// code is deployed: stop with limosa migrate --to. The SQL is for the engine of the database that is named, or of --engine; it
/// runs as it stands, and may be edited.
///
///   add-column: add it empty, fill it, make it NOT NULL.
///
///   remove-column: let writers leave it out, drop it.
///
///   rename-table: a view by the new name, swap table and view, drop the old name.
///
/// --renumber writes nothing new: migrations that were added on this branch of git's, and have the version of another one on the
/// branch it is meant for or are older than the newest one there, get versions at the end, in their order. Files and folders are
/// renamed with their ways back, and headers follow; git is told nothing.
#[derive(Debug, Args)]
pub(crate) struct New {
    /// What it does, in a few words.
    #[arg(required_unless_present = "renumber")]
    title: Option<String>,
    /// Make a repeatable one, which runs again whenever it changes.
    #[arg(long, conflicts_with_all = ["timestamp", "sequential", "template"])]
    repeatable: bool,
    /// Take the time in UTC as the version.
    #[arg(long, conflicts_with = "sequential")]
    timestamp: bool,
    /// Take the next number as the version.
    #[arg(long)]
    sequential: bool,
    #[command(flatten)]
    steps: Steps,
    #[command(flatten)]
    branch: Branch,
}

/// The options of newer versions.
#[derive(Debug, Args)]
struct Branch {
    /// Give migrations of this branch versions that come after those of another one: these files, or all that must have them.
    #[arg(long, value_name = "FILE", num_args = 0.., conflicts_with_all = ["title", "repeatable", "template"])]
    renumber: Option<Vec<PathBuf>>,
    /// The other branch; without it, the one that this branch follows, else origin/main or origin/master.
    #[arg(long, value_name = "REF", requires = "renumber")]
    against: Option<String>,
    /// Show the new names and rename nothing.
    #[arg(long, requires = "renumber")]
    dry_run: bool,
    /// Do not ask the named database what it has applied.
    #[arg(long, requires = "renumber")]
    files_only: bool,
}

/// The options of a change in steps.
#[derive(Debug, Args)]
struct Steps {
    /// Write the files of a change in steps.
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(Template::ALL.iter().map(|template| template.name())))]
    template: Option<String>,
    /// The table, as the database spells it: NAME or SCHEMA.NAME.
    #[arg(long, value_name = "NAME", requires = "template")]
    table: Option<String>,
    /// The column that comes or goes.
    #[arg(long, value_name = "NAME", requires = "template")]
    column: Option<String>,
    /// The type of the column, without NULL or NOT NULL.
    #[arg(long = "type", value_name = "TYPE", requires = "template")]
    data_type: Option<String>,
    /// The value of rows that have none, as an SQL expression; for remove-column: where the column is NOT NULL, for the way
    /// back.
    #[arg(long, value_name = "EXPRESSION", requires = "template")]
    value: Option<String>,
    /// The new name of the table.
    #[arg(long, value_name = "NAME", requires = "template")]
    to: Option<String>,
    /// All columns of the table that gets another name, joined by commas; needed on SQLite.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', requires = "template")]
    columns: Vec<String>,
    /// The engine to write for; without it, that of the database that was named.
    #[arg(long, requires = "template", value_parser = PossibleValuesParser::new(Engine::ALL.iter().map(|engine| engine.name())))]
    engine: Option<String>,
}

impl New {
    /// The engine of a database is known by its address only, which may be a secret.
    pub(super) fn need(&self) -> Need {
        let by_engine = self.steps.template.is_some() && self.steps.engine.is_none();
        let asks = self.branch.renumber.is_some() && !self.branch.files_only;
        if by_engine || asks { Need::Secrets } else { Need::NoSecrets }
    }

    pub(super) async fn run(&self, call: &Call) -> Result<u8, Failure> {
        let kind = if self.repeatable { NewKind::Repeatable } else { NewKind::Versioned };
        let numbering = match (self.timestamp, self.sequential) {
            (true, _) => Numbering::Timestamp,
            (_, true) => Numbering::Sequential,
            _ => Numbering::Auto,
        };
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let title = self.title.as_deref().unwrap_or_default();
        let answer = match (&self.branch.renumber, self.steps.template.as_deref().and_then(Template::from_name)) {
            (Some(files), _) => return self.branch.run(call, files, numbering, now).await,
            (None, None) => call.migrator_without_database().new_migration(title, kind, numbering, now)?,
            (None, Some(template)) => {
                let engine = self.steps.engine.as_deref().and_then(Engine::from_name);
                let migrator = match engine {
                    Some(_) => call.migrator_without_database(),
                    None => call.migrator().map_err(or_engine)?,
                };
                migrator.new_from_template(title, template, &self.steps.details(), engine, numbering, now)?
            }
        };
        call.answer(&answer, |answer| done::render(answer, ""));
        Ok(answer.exit_code)
    }
}

impl Branch {
    async fn run(&self, call: &Call, files: &[PathBuf], numbering: Numbering, now: Duration) -> Result<u8, Failure> {
        let migrator = if self.files_only { call.migrator_of_files() } else { call.migrator_without_database() };
        let (files, reference, dry_run) = (files.to_vec(), self.against.clone(), self.dry_run);
        let options = RenumberOptions { files, reference, numbering, now, dry_run };
        let answer = migrator.renumber(&options).await.map_err(or_files_only)?;
        call.answer(&answer, |answer| done::render(answer, "would rename: "));
        call.notices(&answer.notices);
        Ok(answer.exit_code)
    }
}

/// A template needs no database, only to know which kind it writes for.
fn or_engine(mut failure: Failure) -> Failure {
    for diagnostic in &mut failure.diagnostics {
        let help = diagnostic.help.take().unwrap_or_default();
        diagnostic.help = Some(format!("{help}; or name the engine only: --engine sqlite"));
    }
    failure
}

impl Steps {
    fn details(&self) -> TemplateDetails {
        TemplateDetails {
            table: self.table.clone(),
            column: self.column.clone(),
            data_type: self.data_type.clone(),
            value: self.value.clone(),
            to: self.to.clone(),
            columns: self.columns.iter().map(|column| column.trim().to_owned()).collect(),
        }
    }
}
