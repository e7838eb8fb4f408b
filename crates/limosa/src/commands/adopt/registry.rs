//! Sqitch's registry on SQLite: a file of its own beside the database, attached for reading as `sqitch` while it is looked at.

use std::path::{Path, PathBuf};

use limosa_db::Value;
use limosa_formats::Layout;
use limosa_sql::Engine;

use crate::Failure;
use crate::opened::Opened;

/// The name that it has in the session, which is that of the schema on PostgreSQL.
const NAME: &str = "sqitch";

/// The file, where the files are Sqitch's and it is there.
pub(crate) fn registry_of(opened: &Opened<'_>, layout: &Layout) -> Option<PathBuf> {
    let registry = layout.registry().filter(|_| opened.target.engine == Engine::Sqlite)?;
    let file = registry_beside(Path::new(&opened.target.database), registry);
    file.is_file().then_some(file)
}

/// Where Sqitch keeps the registry of a database (`lib/App/Sqitch/Engine/sqlite.pm`, `registry_uri`): beside it, with all that follows
/// the first dot of its name, unless the registry's name has a dot or is a whole path.
fn registry_beside(database: &Path, registry: &str) -> PathBuf {
    if Path::new(registry).is_absolute() {
        return PathBuf::from(registry);
    }
    let name = database.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    match name.split_once('.') {
        Some((_, ending)) if !registry.contains('.') => database.with_file_name(format!("{registry}.{ending}")),
        _ => database.with_file_name(registry),
    }
}

/// Attaches the registry, where there is one; true where there is.
///
/// # Errors
/// A file that cannot be read, or that is no database.
pub(crate) async fn attach_registry(opened: &mut Opened<'_>) -> Result<bool, Failure> {
    let Some(file) = opened.registry.clone() else { return Ok(false) };
    let unreadable = |why: String| {
        Failure::person(
            "LIM-U156",
            format!("the registry of Sqitch cannot be read: {}: {why}", file.display()),
            "mend the file or its rights; where it is no registry of this database's, and nothing of it was deployed: \
             name another one as `registry` below [engine \"sqlite\"] in sqitch.conf",
        )
    };
    let Some(address) = address_of(&file) else {
        return Err(unreadable("its path is not Unicode".to_owned()));
    };
    let attach = format!("attach database ?1 as {NAME}");
    opened.session.query(&attach, &[Value::Text(address)]).await.map_err(|error| unreadable(error.message))?;
    let look = format!("select count(*) from {NAME}.sqlite_schema");
    if let Err(error) = opened.session.query(&look, &[]).await {
        detach_registry(opened, true).await?;
        return Err(unreadable(error.message));
    }
    Ok(true)
}

/// Takes the registry out of the session again.
///
/// # Errors
/// What SQLite says.
pub(crate) async fn detach_registry(opened: &mut Opened<'_>, is_attached: bool) -> Result<(), Failure> {
    if is_attached {
        opened.session.query(&format!("detach database {NAME}"), &[]).await?;
    }
    Ok(())
}

/// As SQLite opens a file for reading only (<https://www.sqlite.org/uri.html>).
fn address_of(file: &Path) -> Option<String> {
    let absolute = std::path::absolute(file).ok()?;
    let path = absolute.to_str()?;
    let written = path.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    Some(format!("file:{written}?mode=ro"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_has_the_ending_of_the_database() {
        for (database, registry, expected) in [
            ("/srv/app.db", "sqitch", "/srv/sqitch.db"),
            ("app.test.sqlite", "sqitch", "sqitch.test.sqlite"),
            ("/srv/app", "sqitch", "/srv/sqitch"),
            ("/srv/app.db", "meta.sq3", "/srv/meta.sq3"),
            ("/srv/app.db", "/var/registry.db", "/var/registry.db"),
        ] {
            assert_eq!(registry_beside(Path::new(database), registry), Path::new(expected));
        }
    }

    #[test]
    fn a_path_is_no_query() {
        assert_eq!(address_of(Path::new("/a?b/100%.db")).as_deref(), Some("file:/a%3fb/100%25.db?mode=ro"));
    }
}
