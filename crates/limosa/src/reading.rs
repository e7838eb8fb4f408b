//! The files of a command, read as the server of its database reads them.

use std::path::PathBuf;

use limosa_sql::{Dialect, Engine};

use crate::files::{Loaded, load};
use crate::opened::{Opened, Purpose, open};
use crate::{Configuration, Failure};

/// Reads the migrations and opens the database, as [`read_these_and_open`] does.
pub(crate) async fn read_and_open<'c>(
    configuration: &'c Configuration,
    purpose: Purpose,
    check: impl Fn(&Loaded) -> Result<(), Failure>,
) -> Result<(Loaded, Opened<'c>), Failure> {
    read_these_and_open(configuration, &configuration.directories, purpose, check).await
}

/// Reads the files of some folders and opens the database, in this order: where `check` refuses the files, no database is made
/// and none need be at hand. Only a server of MySQL may read them otherwise than usual, and is asked even so.
pub(crate) async fn read_these_and_open<'c>(
    configuration: &'c Configuration,
    folders: &[PathBuf],
    purpose: Purpose,
    check: impl Fn(&Loaded) -> Result<(), Failure>,
) -> Result<(Loaded, Opened<'c>), Failure> {
    let usual = Dialect::from(limosa_db::engine_of(configuration.database.expose())?);
    let loaded = load(configuration, folders, usual)?;
    let checked = check(&loaded);
    if usual.engine() != Engine::Mysql {
        checked?;
        return Ok((loaded, open(configuration, purpose).await?));
    }
    let opened = match open(configuration, purpose).await {
        Ok(opened) => opened,
        Err(failure) => return Err(checked.err().unwrap_or(failure)),
    };
    let read = if opened.dialect() == usual {
        checked.map(|()| loaded)
    } else {
        load(configuration, folders, opened.dialect()).and_then(|loaded| check(&loaded).map(|()| loaded))
    };
    match read {
        Ok(loaded) => Ok((loaded, opened)),
        Err(failure) => {
            opened.close().await;
            Err(failure)
        }
    }
}
