//! How the files of a project are named and configured: one format for all its folders.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use limosa_core::{Agreement, ForeignRow, ForeignTool, Markers, OrderedBy, Version};
use limosa_sql::{Diagnostic, Engine, Label, PlaceholderMarks};

use crate::codes;
use crate::drizzle::{self, Journals};
use crate::flyway::{self, Naming};
use crate::formats::{
    dbmate, diesel, goose, liquibase, node_pg_migrate, pattern, prisma, refinery, sqitch, sql_migrate, sqlx, up_down,
};
use crate::native::{self, Config, Entry, FileRole, split};
use crate::pattern::Pattern;

/// A format with what it needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Layout {
    /// limosa's own.
    #[default]
    Native,
    /// Flyway's.
    Flyway(Naming),
    /// A file up and a file down for each version.
    UpDown,
    /// goose's: sections in one file.
    Goose,
    /// dbmate's: sections in one file.
    Dbmate,
    /// sql-migrate's: sections in one file.
    SqlMigrate,
    /// node-pg-migrate's SQL: sections in one file.
    NodePgMigrate,
    /// sqlx's, with what `sqlx.toml` says.
    Sqlx(sqlx::Settings),
    /// refinery's.
    Refinery,
    /// Diesel's.
    Diesel,
    /// Prisma Migrate's.
    Prisma,
    /// drizzle-kit's, with what its journals say.
    Drizzle(Journals),
    /// Sqitch's, with what its plan says.
    Sqitch(Box<sqitch::Project>),
    /// Liquibase's formatted SQL, with what its changelogs say.
    Liquibase(Box<liquibase::Changelogs>),
    /// One of one's own.
    Pattern(Pattern),
}

/// Which layout is meant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LayoutChoice {
    /// The one that the names of the files speak for, or their first lines; limosa's own where nothing does.
    #[default]
    Auto,
    /// This one.
    Given(Layout),
}

/// Where the way back of a new migration goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewWayBack {
    /// Into a section of the same file.
    Section,
    /// Into a section of the same file, below the marker of its tool; what leads up stands below one, too.
    Marked(Markers),
    /// Into a file of this name.
    File(String),
    /// Nowhere: the format has none.
    Nowhere,
}

impl Layout {
    /// The layout of a format, by its name in [`crate::formats::FORMATS`], as it is where nothing more is known; None for a name
    /// that is none, and for a pattern, which somebody must write.
    pub fn of_format(name: &str) -> Option<Layout> {
        Some(match name {
            _ if name == native::FORMAT.name => Layout::Native,
            _ if name == flyway::FORMAT.name => Layout::Flyway(Naming::default()),
            _ if name == up_down::FORMAT.name => Layout::UpDown,
            _ if name == goose::FORMAT.name => Layout::Goose,
            _ if name == dbmate::FORMAT.name => Layout::Dbmate,
            _ if name == sql_migrate::FORMAT.name => Layout::SqlMigrate,
            _ if name == node_pg_migrate::FORMAT.name => Layout::NodePgMigrate,
            _ if name == sqlx::FORMAT.name => Layout::Sqlx(sqlx::Settings::default()),
            _ if name == refinery::FORMAT.name => Layout::Refinery,
            _ if name == diesel::FORMAT.name => Layout::Diesel,
            _ if name == prisma::FORMAT.name => Layout::Prisma,
            _ if name == drizzle::FORMAT.name => Layout::Drizzle(Journals::default()),
            _ if name == sqitch::FORMAT.name => Layout::Sqitch(Box::default()),
            _ if name == liquibase::FORMAT.name => Layout::Liquibase(Box::default()),
            _ => return None,
        })
    }

    /// The name of the format, as users write it after `--format`.
    pub fn name(&self) -> &'static str {
        match self {
            Layout::Native => native::FORMAT.name,
            Layout::Flyway(_) => flyway::FORMAT.name,
            Layout::UpDown => up_down::FORMAT.name,
            Layout::Goose => goose::FORMAT.name,
            Layout::Dbmate => dbmate::FORMAT.name,
            Layout::SqlMigrate => sql_migrate::FORMAT.name,
            Layout::NodePgMigrate => node_pg_migrate::FORMAT.name,
            Layout::Sqlx(_) => sqlx::FORMAT.name,
            Layout::Refinery => refinery::FORMAT.name,
            Layout::Diesel => diesel::FORMAT.name,
            Layout::Prisma => prisma::FORMAT.name,
            Layout::Drizzle(_) => drizzle::FORMAT.name,
            Layout::Sqitch(_) => sqitch::FORMAT.name,
            Layout::Liquibase(_) => liquibase::FORMAT.name,
            Layout::Pattern(_) => pattern::FORMAT.name,
        }
    }

    /// The markers that tell the sections of a file apart; None where files have no sections of another tool.
    pub fn markers(&self) -> Option<Markers> {
        match self {
            Layout::Goose => Some(Markers::Goose),
            Layout::Dbmate => Some(Markers::Dbmate),
            Layout::SqlMigrate => Some(Markers::SqlMigrate),
            Layout::NodePgMigrate => Some(Markers::NodePgMigrate),
            _ => None,
        }
    }

    /// The tool whose files these are; None where they are limosa's own, or of no tool in particular.
    pub fn tool(&self) -> Option<ForeignTool> {
        Some(match self {
            Layout::Flyway(_) => ForeignTool::Flyway,
            Layout::UpDown => ForeignTool::GolangMigrate,
            Layout::Goose => ForeignTool::Goose,
            Layout::Dbmate => ForeignTool::Dbmate,
            Layout::SqlMigrate => ForeignTool::SqlMigrate,
            Layout::NodePgMigrate => ForeignTool::NodePgMigrate,
            Layout::Sqlx(_) => ForeignTool::Sqlx,
            Layout::Refinery => ForeignTool::Refinery,
            Layout::Diesel => ForeignTool::Diesel,
            Layout::Prisma => ForeignTool::Prisma,
            Layout::Drizzle(_) => ForeignTool::Drizzle,
            Layout::Sqitch(_) => ForeignTool::Sqitch,
            Layout::Liquibase(_) => ForeignTool::Liquibase,
            Layout::Native | Layout::Pattern(_) => return None,
        })
    }

    /// True where the tool's table has the names of migrations besides their hashes: that of drizzle since 1.0.
    pub fn records_names(&self) -> bool {
        matches!(self, Layout::Drizzle(journals) if !journals.are_used())
    }

    /// The project whose rows are meant where the tool keeps several in one table; None where the files do not name it.
    pub fn project(&self) -> Option<&str> {
        match self {
            Layout::Sqitch(project) => project.name(),
            _ => None,
        }
    }

    /// The name of the database that holds the tool's ledger beside the one that is migrated; None where the ledger stands within.
    pub fn registry(&self) -> Option<&str> {
        match self {
            Layout::Sqitch(project) => Some(project.registry()),
            _ => None,
        }
    }

    /// The ids that the tool itself gives to changes, by their identities, where the files tell them.
    pub fn identifiers(&self) -> HashMap<&str, String> {
        match self {
            Layout::Sqitch(project) => project.identifiers(),
            _ => HashMap::new(),
        }
    }

    /// What a list of the tool says of a change, which the tool makes its id of, part by part; nothing where it gives no such ids.
    pub fn stated(&self, identity: &str) -> Vec<(&'static str, String)> {
        match self {
            Layout::Sqitch(project) => project.stated(identity),
            _ => Vec::new(),
        }
    }

    /// Whether a change, of whose file these are the bytes, is the one that a recorded checksum was made of, where the tool's checksums
    /// are of parts of files; None where they are not, or no such change is known.
    pub fn agreement(&self, identity: &str, bytes: &[u8], recorded: &str) -> Option<Agreement> {
        match self {
            Layout::Liquibase(changelogs) => changelogs.agreement(identity, bytes, recorded),
            _ => None,
        }
    }

    /// Fills in what the tool would record of a change, where that is more than the name and the bytes of its file tell.
    pub fn complete(&self, identity: &str, bytes: &[u8], row: &mut ForeignRow) {
        if let Layout::Liquibase(changelogs) = self {
            changelogs.complete(identity, bytes, row);
        }
    }

    /// The identity of the change that the tool may know by this key, too; None where there is none but by its identity.
    pub fn by_other_name(&self, key: &str) -> Option<String> {
        match self {
            Layout::Liquibase(changelogs) => changelogs.by_other_name(key),
            _ => None,
        }
    }

    /// What placeholders stand for where the settings give no value: where files hold values of their own.
    pub fn values(&self) -> Option<&BTreeMap<String, String>> {
        match self {
            Layout::Liquibase(changelogs) => Some(changelogs.values()),
            Layout::Sqitch(project) => Some(project.variables()),
            _ => None,
        }
    }

    /// Says which environment is chosen and what the settings give to placeholders, before anything is learnt.
    pub fn stand_for(&mut self, environment: Option<&str>, given: &BTreeMap<String, String>) {
        if let Layout::Liquibase(changelogs) = self {
            changelogs.stand_for(environment, given);
        }
    }

    /// The file of settings of the tool's, beside the folder or above it, that says what files alone do not.
    pub fn settings_file(&self) -> Option<&'static str> {
        matches!(self, Layout::Liquibase(_)).then_some(liquibase::DEFAULTS_FILE)
    }

    /// Learns what such a file and variables of the process say, behind [`Layout::stand_for`] and before anything else is learnt.
    pub fn stand_by(&mut self, file: Option<&[u8]>, variables: &BTreeMap<String, String>) {
        if let Layout::Liquibase(changelogs) = self {
            changelogs.stand_by(liquibase::Defaults::read(file, variables));
        }
    }

    /// What is to be said of the files together, by their names.
    pub fn check<'a>(&self, files: impl Iterator<Item = (&'a str, &'a FileRole)>) -> Option<Diagnostic> {
        match self {
            Layout::Dbmate => dbmate::other_order(files),
            Layout::Prisma => prisma::other_order(files),
            _ => None,
        }
    }

    /// What a file is for, by its path.
    pub fn classify(&self, path: &str) -> FileRole {
        match self {
            Layout::Native => native::classify(path),
            Layout::Flyway(naming) => naming.classify(path),
            Layout::UpDown => up_down::classify(path),
            Layout::Goose => goose::classify(path),
            Layout::Dbmate => dbmate::classify(path),
            Layout::SqlMigrate => sql_migrate::classify(path),
            Layout::NodePgMigrate => node_pg_migrate::classify(path),
            Layout::Sqlx(_) => sqlx::classify(path),
            Layout::Refinery => refinery::classify(path),
            Layout::Diesel => diesel::classify(path),
            Layout::Prisma => prisma::classify(path),
            Layout::Drizzle(journals) => journals.classify(path),
            Layout::Sqitch(project) => project.classify(path),
            Layout::Liquibase(changelogs) => changelogs.classify(path),
            Layout::Pattern(pattern) => pattern.classify(path),
        }
    }

    /// Changes that stand in no file of their own, by the names of the files that they would be, with what those would hold.
    pub fn made_files(&self) -> BTreeMap<String, Arc<[u8]>> {
        match self {
            Layout::Liquibase(changelogs) => changelogs.modelled().clone(),
            _ => BTreeMap::new(),
        }
    }

    /// The changes of a file of which more is known than its name says; None for others.
    pub fn entries(&self, path: &str) -> Option<Vec<Entry>> {
        match self {
            Layout::Sqitch(project) => project.entries(path),
            Layout::Liquibase(changelogs) => changelogs.entries(path),
            _ => None,
        }
    }

    /// As [`Layout::classify`], for a file of which `depth` says how many folders it stands below that of the migrations: where a
    /// format reads one level alone, a script on another one is left out.
    pub fn classify_at(&self, path: &str, depth: impl Fn() -> usize) -> FileRole {
        let role = self.classify(path);
        let has_place = |depth: usize, expected: usize| match role {
            // `migration_lock.toml` stands beside the folders.
            FileRole::Config => depth <= expected,
            _ => depth == expected || !role.is_script(),
        };
        match self.depth() {
            Some(expected) if !has_place(depth(), expected) => {
                let place = match expected {
                    0 => "in the folder itself".to_owned(),
                    1 => "in a folder of their own".to_owned(),
                    deeper => format!("{deeper} folders below"),
                };
                let message =
                    format!("{} does not stand where migrations of this format do; it is left out", split(path).1);
                let help = format!("they stand {place}; move the file, or name its folder: --dir");
                FileRole::Unclear(Box::new(
                    Diagnostic::warning(codes::UNCLEAR_NAME, message).at(Label::file(path)).help(help),
                ))
            }
            _ => role,
        }
    }

    /// True where at least as many scripts stand where this format reads them as elsewhere. `depth` says how many folders a file
    /// stands below that of the migrations.
    pub fn fits(&self, paths: &[&str], depth: impl Fn(&str) -> usize) -> bool {
        let Some(expected) = self.depth() else { return true };
        let scripts = || paths.iter().filter(|path| self.classify(path).is_script());
        let placed = scripts().filter(|path| depth(path) == expected).count();
        placed * 2 >= scripts().count()
    }

    /// The role of a migration that is code of the application, and no file. Its identity is always its version. Where the order of names
    /// stands in a journal, it comes after them all and is never late.
    pub fn role_of_code(&self, version: &Version, label: &str, name: &str) -> FileRole {
        let (version, label, name) = (version.clone(), label.to_owned(), name.to_owned());
        let are_texts = match self {
            Layout::Diesel | Layout::Prisma => true,
            Layout::Drizzle(journals) => !journals.are_used(),
            _ => false,
        };
        match self {
            _ if are_texts => FileRole::Versioned {
                version: Version::of_name(version.to_string()),
                label: label.into(),
                name: name.into(),
            },
            Layout::Drizzle(_) | Layout::Sqitch(_) | Layout::Liquibase(_) => {
                FileRole::Late { version, label: label.into(), name: name.into() }
            }
            _ => FileRole::Versioned { version, label: label.into(), name: name.into() },
        }
    }

    /// How many folders below that of the migrations their files stand; None where that does not matter.
    fn depth(&self) -> Option<usize> {
        match self {
            Layout::Native | Layout::Flyway(_) | Layout::Refinery => None,
            Layout::Sqitch(_) | Layout::Liquibase(_) => None,
            Layout::Sqlx(_) | Layout::UpDown => Some(0),
            Layout::Goose | Layout::Dbmate | Layout::SqlMigrate | Layout::NodePgMigrate => Some(0),
            Layout::Diesel | Layout::Prisma => Some(1),
            Layout::Drizzle(journals) => Some(usize::from(!journals.are_used())),
            Layout::Pattern(pattern) => Some(pattern.depth()),
        }
    }

    /// True for a file that must be read with [`Layout::learn`] before others are classified. It is one of the folder, or one of
    /// the [`crate::formats::SIGNS`] around it.
    pub fn learns_from(&self, path: &str) -> bool {
        match self {
            Layout::Sqlx(_) => split(path).1 == sqlx::SETTINGS,
            Layout::Drizzle(_) => drizzle::is_journal(path),
            Layout::Sqitch(_) => sqitch::is_told_by(path),
            Layout::Liquibase(_) => liquibase::is_told_by(path),
            _ => false,
        }
    }

    /// Says which folders are meant, before anything is learnt; none where files are compiled in.
    pub fn stand_in(&mut self, folders: &[String]) {
        if let Layout::Liquibase(changelogs) = self {
            changelogs.stand_in(folders);
        }
    }

    /// Reads such a file.
    pub fn learn(&mut self, path: &str, bytes: &[u8], engine: Engine) -> Vec<Diagnostic> {
        match self {
            Layout::Sqlx(settings) => match sqlx::Settings::read(path, bytes) {
                Ok(read) => {
                    *settings = read;
                    Vec::new()
                }
                Err(problem) => vec![*problem],
            },
            Layout::Drizzle(journals) => journals.add(path, bytes, engine),
            Layout::Sqitch(project) => project.add(path, bytes, engine),
            Layout::Liquibase(changelogs) => changelogs.add(path, bytes, engine),
            _ => Vec::new(),
        }
    }

    /// Looks at all paths of the project, once everything was learnt: what the format lacks among them.
    pub fn look_around(&mut self, paths: &[&str]) -> Vec<Diagnostic> {
        match self {
            Layout::Sqlx(settings) => {
                *settings = std::mem::take(settings).for_folder(paths);
                Vec::new()
            }
            Layout::Drizzle(journals) => journals.missing(paths),
            Layout::Sqitch(project) => project.settle(paths),
            Layout::Liquibase(changelogs) => changelogs.settle(),
            _ => Vec::new(),
        }
    }

    /// A version as this format compares it: in Flyway `1` and `1.0` are the same, in Sqitch a tag means the change that it stands behind.
    pub fn compared(&self, version: &Version) -> Version {
        match self {
            Layout::Flyway(_) => version.without_trailing_zeros(),
            Layout::Sqitch(project) => project.meant(version).unwrap_or_else(|| version.clone()),
            Layout::Liquibase(changelogs) => changelogs.meant(version).unwrap_or_else(|| version.clone()),
            _ => version.clone(),
        }
    }

    /// True where `${name}` is a placeholder, and not text; in goose's files where they say so.
    pub fn has_placeholders(&self) -> bool {
        match self {
            Layout::Sqitch(project) => project.is_for_psql(),
            _ => matches!(
                self,
                Layout::Native | Layout::Flyway(_) | Layout::Goose | Layout::Pattern(_) | Layout::Liquibase(_)
            ),
        }
    }

    /// How placeholders are written.
    pub fn placeholder_marks(&self) -> PlaceholderMarks {
        match self {
            Layout::Flyway(naming) => *naming.placeholders,
            Layout::Sqitch(project) if project.is_for_psql() => PlaceholderMarks::psql(),
            _ => PlaceholderMarks::default(),
        }
    }

    /// What stands before and behind the names of placeholders in the variables of callbacks that are programs; None where nobody says.
    pub fn command_marks(&self) -> Option<[String; 2]> {
        match self {
            Layout::Flyway(naming) => Some((*naming.command_marks).clone()),
            _ => None,
        }
    }

    /// True where `${Name}` and `${name}` are one placeholder.
    pub fn folds_placeholders(&self) -> bool {
        matches!(self, Layout::Flyway(_) | Layout::Goose)
    }

    /// True where the tool counts the values of placeholders as a part of a repeatable's text: it runs again where one changed.
    pub fn counts_values(&self) -> bool {
        matches!(self, Layout::Flyway(_))
    }

    /// True where the files were written for a tool that knows none of limosa's headers: what looks like one may be prose.
    pub fn is_foreign(&self) -> bool {
        !matches!(self, Layout::Native | Layout::Pattern(_))
    }

    /// The comment with which a file begins that is not to run in a transaction.
    pub fn no_transaction_mark(&self) -> Option<&'static str> {
        matches!(self, Layout::Sqlx(_)).then_some(sqlx::NO_TRANSACTION)
    }

    /// The name of a new migration's file, from its version and the words that describe it, joined by `_`. It may stand in a folder
    /// of its own.
    pub fn versioned_name(&self, version: &str, words: &str) -> String {
        match self {
            Layout::Native | Layout::Drizzle(_) | Layout::Goose | Layout::Dbmate | Layout::NodePgMigrate => {
                format!("{version}_{words}.sql")
            }
            Layout::SqlMigrate => format!("{version}-{words}.sql"),
            Layout::UpDown => format!("{version}_{words}.up.sql"),
            Layout::Flyway(naming) => {
                format!("{}{version}{}{words}{}", naming.versioned, naming.separator, naming.suffix())
            }
            Layout::Sqlx(settings) if settings.reversible == Some(true) => format!("{version}_{words}.up.sql"),
            Layout::Sqlx(_) => format!("{version}_{words}.sql"),
            Layout::Refinery => format!("V{version}__{words}.sql"),
            Layout::Diesel => diesel::new_name(version, words, "up.sql"),
            Layout::Prisma => format!("{version}_{words}/{}", prisma::MIGRATION),
            Layout::Sqitch(_) => format!("deploy/{words}.sql"),
            Layout::Liquibase(_) => format!("{version}_{words}.sql"),
            Layout::Pattern(pattern) => pattern.filled(version, words, "up"),
        }
    }

    /// Where the way back of a new migration goes.
    pub fn way_back(&self, version: &str, words: &str) -> NewWayBack {
        match self {
            Layout::Flyway(naming) => NewWayBack::File(naming.undo_name(version, words)),
            Layout::Goose => NewWayBack::Marked(Markers::Goose),
            Layout::Dbmate => NewWayBack::Marked(Markers::Dbmate),
            Layout::Liquibase(_) => NewWayBack::Marked(Markers::Liquibase),
            Layout::SqlMigrate => NewWayBack::Marked(Markers::SqlMigrate),
            Layout::NodePgMigrate => NewWayBack::Marked(Markers::NodePgMigrate),
            Layout::UpDown => NewWayBack::File(format!("{version}_{words}.down.sql")),
            Layout::Sqlx(settings) if settings.reversible == Some(true) => {
                NewWayBack::File(format!("{version}_{words}.down.sql"))
            }
            Layout::Sqitch(_) => NewWayBack::File(format!("revert/{words}.sql")),
            Layout::Diesel => NewWayBack::File(diesel::new_name(version, words, "down.sql")),
            Layout::Pattern(pattern) if pattern.has_directions() => {
                NewWayBack::File(pattern.filled(version, words, "down"))
            }
            Layout::Native | Layout::Pattern(_) => NewWayBack::Section,
            // The tool itself would run a section with the rest of the file.
            Layout::Sqlx(_) | Layout::Refinery | Layout::Prisma | Layout::Drizzle(_) => NewWayBack::Nowhere,
        }
    }

    /// Why new migrations are made by the format's own tool alone, and how.
    pub fn made_by_its_tool(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Layout::Drizzle(_) => Some((
                "drizzle keeps a snapshot of the schema with each migration, which only drizzle-kit can write",
                "npx drizzle-kit generate, or, for SQL of your own: npx drizzle-kit generate --custom --name NAME",
            )),
            Layout::Sqitch(_) => Some((
                "a change of sqitch's stands in its plan, with who planned it and when, which sqitch writes",
                "sqitch add NAME --note WHY makes the three scripts and the line of the plan",
            )),
            Layout::Liquibase(changelogs) if changelogs.are_listed() => Some((
                "a changelog lists the files of this folder, and limosa does not write into it",
                "write a file that begins with '--liquibase formatted sql' and '--changeset author:id', and include it in the changelog",
            )),
            _ => None,
        }
    }

    /// What says in which order migrations run. The folders of drizzle 1.0 have no journal, and their times in their names.
    pub fn ordered_by(&self) -> OrderedBy {
        match self {
            Layout::Sqitch(_) | Layout::Liquibase(_) => OrderedBy::Places,
            Layout::Drizzle(journals) if journals.are_used() => OrderedBy::Places,
            _ => OrderedBy::Versions,
        }
    }

    /// When the migration of a file was made, in milliseconds since the Unix epoch, where its tool decides by that what runs.
    pub fn made_at(&self, path: &str) -> Option<i64> {
        match self {
            Layout::Drizzle(journals) => journals.made_at(path),
            _ => None,
        }
    }

    /// True where versions are places in a list, and say nothing of the names of files.
    pub fn counts_changes(&self) -> bool {
        matches!(self, Layout::Liquibase(_))
    }

    /// The name of a new repeatable's file; None where there are no repeatables.
    pub fn repeatable_name(&self, words: &str) -> Option<String> {
        match self {
            Layout::Native => Some(format!("R__{words}.sql")),
            Layout::Flyway(naming) => {
                Some(format!("{}{}{words}{}", naming.repeatable, naming.separator, naming.suffix()))
            }
            _ => None,
        }
    }

    /// How many digits the first version of an empty folder has; None where it is a time.
    pub fn first_width(&self) -> Option<usize> {
        match self {
            Layout::Native | Layout::Pattern(_) => Some(3),
            Layout::Flyway(_) | Layout::Refinery => Some(1),
            Layout::UpDown => Some(6),
            Layout::Goose => Some(5),
            Layout::Sqlx(settings) => (settings.sequential == Some(true)).then_some(4),
            Layout::Diesel | Layout::Prisma | Layout::Drizzle(_) | Layout::Sqitch(_) => None,
            Layout::Liquibase(_) => None,
            Layout::Dbmate | Layout::SqlMigrate | Layout::NodePgMigrate => None,
        }
    }

    /// True where a version that is a time counts the milliseconds since 1970.
    pub fn counts_milliseconds(&self) -> bool {
        matches!(self, Layout::NodePgMigrate)
    }

    /// Reads a file whose role is [`FileRole::Config`]. `value_of` gives the values of placeholders.
    pub fn read_config(
        &self,
        path: &str,
        bytes: &[u8],
        engine: Engine,
        value_of: &dyn Fn(&str) -> Option<String>,
    ) -> (Option<Config>, Vec<Diagnostic>) {
        match self {
            Layout::Flyway(naming) => flyway::read_script_settings(path, bytes, naming, value_of),
            Layout::Diesel => diesel::read_metadata(path, bytes),
            Layout::Prisma => (None, prisma::check_lock(path, bytes, engine)),
            _ => Config::read(path, bytes),
        }
    }
}
