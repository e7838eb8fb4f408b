//! sqlx's folders as they stand: `20240131120000_create_users.sql`, and with ways back `20240131120000_create_users.up.sql` and
//! `20240131120000_create_users.down.sql`, in one folder even.
//!
//! Names: sqlx, `sqlx-core/src/migrate/source.rs` and `migration_type.rs`. A file whose first bytes are `-- no-transaction` runs
//! outside of a transaction; a byte-order mark or an empty line before them makes them a comment like any other. sqlx has no
//! placeholders: `${...}` is text. Settings: `sqlx-core/src/config/migrate.rs`.

use limosa_core::Version;
use limosa_sql::Diagnostic;

use super::Format;
use super::native::{FileRole, Place, RollbackTarget, is_sql, split, spoken, unclear};
use crate::codes;
use crate::toml_table::TomlTable;

/// The line of the format table.
pub const FORMAT: Format = Format {
    name: "sqlx",
    description: "sqlx's: 20240131120000_name.sql, or name.up.sql and name.down.sql, beside a sqlx.toml or .sqlx",
    votes,
    sign: Some(|_, around| around.iter().any(|name| [SETTINGS, ".sqlx"].contains(name))),
};

/// The file of settings.
pub(crate) const SETTINGS: &str = "sqlx.toml";

/// What a file begins with that is not to run in a transaction.
pub(crate) const NO_TRANSACTION: &str = "-- no-transaction";

fn votes(places: &[Place<'_>]) -> usize {
    places.iter().filter(|place| named(place.file).is_some()).count()
}

/// What `sqlx.toml` says of migrations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// `table-name`: the table in which sqlx keeps its record, as written; may be qualified and quoted.
    pub table_name: Option<String>,
    /// `migrations-dir`, as written.
    pub migrations_dir: Option<String>,
    /// `ignored-chars`: characters that sqlx leaves out of checksums.
    pub ignored_chars: Vec<char>,
    /// New migrations have a file up and a file down; None where the folder decides.
    pub reversible: Option<bool>,
    /// The versions of new migrations go on from the last one; None where the folder decides.
    pub sequential: Option<bool>,
}

impl Settings {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// What is no TOML, or a value of another type, with its place.
    pub fn read(path: &str, bytes: &[u8]) -> Result<Settings, Box<Diagnostic>> {
        let table = TomlTable::read(path, bytes)?;
        let text = |key: &str| table.text(&["migrate", key]).map(|text| text.map(str::to_owned));
        let default = |key: &str| table.text(&["migrate", "defaults", key]);
        let mut ignored_chars = Vec::new();
        if let Some(value) = table.get(&["migrate", "ignored-chars"]) {
            let wrong = || {
                let help = r#"write it as ignored-chars = ["\r"]"#;
                Box::new(table.wrong(value, "migrate.ignored-chars is no list of single characters", help))
            };
            for item in value.get_ref().as_array().ok_or_else(wrong)? {
                let mut characters = item.get_ref().as_str().ok_or_else(wrong)?.chars();
                match (characters.next(), characters.next()) {
                    (Some(one), None) => ignored_chars.push(one),
                    _ => return Err(wrong()),
                }
            }
        }
        let decided = |word: Option<&str>, yes: &str, no: &str| match word {
            Some(word) if word == yes => Some(true),
            Some(word) if word == no => Some(false),
            _ => None,
        };
        Ok(Settings {
            table_name: text("table-name")?,
            migrations_dir: text("migrations-dir")?,
            ignored_chars,
            reversible: decided(default("migration-type")?, "reversible", "simple"),
            sequential: decided(default("migration-versioning")?, "sequential", "timestamp"),
        })
    }

    /// These settings, where the files of the folder decide what they leave open: new migrations are like the newest.
    #[must_use]
    pub fn for_folder(mut self, paths: &[&str]) -> Settings {
        if self.reversible.is_none() {
            let newest = paths
                .iter()
                .filter_map(|path| named(split(path).1))
                .max_by(|one, other| one.version.cmp(&other.version));
            self.reversible = newest.map(|newest| newest.direction.is_some());
        }
        self
    }
}

/// A name of sqlx's.
struct Named<'n> {
    version: Version,
    label: &'n str,
    title: &'n str,
    /// True for up, false for down, None for a file that cannot be taken back.
    direction: Option<bool>,
}

fn named(file: &str) -> Option<Named<'_>> {
    let (label, rest) = file.split_once('_')?;
    let is_number = !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_digit());
    let version = label.parse::<i64>().ok().filter(|_| is_number).and(Version::parse(label).ok())?;
    let endings = [(".up.sql", Some(true)), (".down.sql", Some(false)), (".sql", None)];
    endings.into_iter().find_map(|(ending, direction)| {
        let title = rest.strip_suffix(ending)?;
        Some(Named { version: version.clone(), label, title, direction })
    })
}

/// Says what a file is for. Both `/` and `\` separate folders.
pub fn classify(path: &str) -> FileRole {
    let file = split(path).1;
    if file.starts_with('.') || !is_sql(file) {
        return FileRole::Ignored;
    }
    match named(file) {
        Some(Named { version, direction: Some(false), .. }) => {
            FileRole::Rollback { of: RollbackTarget::Version(version), beside: None }
        }
        Some(Named { version, label, title, .. }) => {
            let name = if title.is_empty() { label.to_owned() } else { spoken(title) };
            FileRole::Versioned { version, label: label.into(), name: name.into() }
        }
        None => {
            let message = format!("the name {file} is not one of a migration of sqlx; the file is left out");
            let help = "expected VERSION_title.sql, or VERSION_title.up.sql and VERSION_title.down.sql, where VERSION is a \
                        number of at most 63 bits; rename the file, or move it elsewhere";
            unclear(codes::UNCLEAR_NAME, path, message, help)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_files_are_for() {
        let said = |path: &str| match classify(path) {
            FileRole::Versioned { version, label, name } => format!("up {version} {label} '{name}'"),
            FileRole::Rollback { of: RollbackTarget::Version(version), beside: None } => format!("down {version}"),
            FileRole::Unclear(problem) => problem.code.to_owned(),
            FileRole::Ignored => "ignored".to_owned(),
            role => format!("{role:?}"),
        };
        for (path, expected) in [
            ("m/20240131120000_create_users.sql", "up 20240131120000 20240131120000 'create users'"),
            ("m/0001_a.sql", "up 1 0001 'a'"),
            ("1_a.up.sql", "up 1 1 'a'"),
            ("1_a.down.sql", "down 1"),
            ("1_a.b.sql", "up 1 1 'a.b'"),
            ("1_.sql", "up 1 1 '1'"),
            ("9223372036854775807_a.sql", "up 9223372036854775807 9223372036854775807 'a'"),
            ("9223372036854775808_a.sql", "LIM-F001"),
            ("1_a.rollback.sql", "up 1 1 'a.rollback'"),
            ("R__views.sql", "LIM-F001"),
            ("V1__a.sql", "LIM-F001"),
            ("1.2_a.sql", "LIM-F001"),
            ("schema.sql", "LIM-F001"),
            ("1_a.SQL", "LIM-F001"),
            ("1_a.txt", "ignored"),
            ("README.md", "ignored"),
            (".1_a.sql", "ignored"),
        ] {
            assert_eq!(said(path), expected, "{path}");
        }
    }

    #[test]
    fn settings_are_read() {
        let text = "[common]\ndatabase-url-var = \"X\"\n[migrate]\r\ntable-name = 'app.\"_m\"'\nmigrations-dir = \"db\"\n\
                    ignored-chars = [\"\\r\", \" \"]\n[migrate.defaults]\nmigration-type = \"reversible\"\n\
                    migration-versioning = \"sequential\"\n";
        let settings = Settings::read("sqlx.toml", text.as_bytes()).unwrap();
        assert_eq!(settings.table_name.as_deref(), Some("app.\"_m\""));
        assert_eq!(settings.migrations_dir.as_deref(), Some("db"));
        assert_eq!(settings.ignored_chars, ['\r', ' ']);
        assert_eq!((settings.reversible, settings.sequential), (Some(true), Some(true)));
        assert_eq!(Settings::read("sqlx.toml", b"").unwrap(), Settings::default());
        for (text, line) in [
            ("[migrate]\ntable-name = 1", 2),
            ("[migrate]\nignored-chars = \"ab\"", 2),
            ("[migrate]\nignored-chars = [\"ab\"]", 2),
            ("\n[migrate", 2),
        ] {
            let problem = Settings::read("sqlx.toml", text.as_bytes()).unwrap_err();
            assert_eq!(
                (problem.code, problem.labels[0].position.unwrap().line),
                (codes::BROKEN_TOOL_FILE, line),
                "{text}"
            );
        }
    }

    #[test]
    fn new_files_are_like_the_newest() {
        let of = |paths: &[&str]| Settings::default().for_folder(paths).reversible;
        assert_eq!(of(&[]), None);
        assert_eq!(of(&["1_a.sql", "2_b.up.sql", "2_b.down.sql"]), Some(true));
        assert_eq!(of(&["10_a.sql", "2_b.up.sql"]), Some(false));
        let given = Settings { reversible: Some(false), ..Settings::default() };
        assert_eq!(given.for_folder(&["1_a.up.sql"]).reversible, Some(false));
    }
}
