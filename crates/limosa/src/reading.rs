//! The files of a command, read as the server of its database reads them.

use std::path::PathBuf;
use std::pin::pin;

use limosa_sql::{Dialect, Engine};
use tokio::task::JoinError;

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

/// Reads the files of some folders and opens the database. Where `check` refuses the files, that is what is told, no database is
/// made and none need be at hand: SQLite, where opening may make a file, is opened afterwards. A server is spoken to meanwhile;
/// one of MySQL may read the files otherwise than usual.
pub(crate) async fn read_these_and_open<'c>(
    configuration: &'c Configuration,
    folders: &[PathBuf],
    purpose: Purpose,
    check: impl Fn(&Loaded) -> Result<(), Failure>,
) -> Result<(Loaded, Opened<'c>), Failure> {
    let usual = Dialect::from(limosa_db::engine_of(configuration.database.expose())?);
    let checked = |loaded: Loaded| check(&loaded).map(|()| loaded);
    if usual.engine() == Engine::Sqlite {
        let loaded = load(configuration, folders, usual).and_then(checked)?;
        let mut opened = open(configuration, purpose).await?;
        opened.fold_placeholders(&loaded);
        return Ok((loaded, opened));
    }
    let (own, places) = (configuration.clone(), folders.to_vec());
    let mut reading = tokio::task::spawn_blocking(move || load(&own, &places, usual));
    let mut opening = pin!(async {
        let mut opened = open(configuration, purpose).await?;
        // Whoever reads files wants to know next what of them is applied.
        opened.look_ahead().await;
        Ok::<_, Failure>(opened)
    });
    let (read, opened) = tokio::select! {
        read = &mut reading => (joined(read).and_then(checked), None),
        opened = &mut opening => (joined(reading.await).and_then(checked), Some(opened)),
    };
    let opened = match (&read, opened) {
        (_, Some(opened)) => opened,
        // How a server reads them may be what they lack.
        (Err(_), None) if usual.engine() != Engine::Mysql => return Err(read.err().unwrap_or_else(stopped)),
        (_, None) => opening.await,
    };
    let mut opened = match opened {
        Ok(opened) => opened,
        Err(failure) => return Err(read.err().unwrap_or(failure)),
    };
    let read = match opened.dialect() == usual {
        true => read,
        false => load(configuration, folders, opened.dialect()).and_then(checked),
    };
    match read {
        Ok(loaded) => {
            opened.fold_placeholders(&loaded);
            Ok((loaded, opened))
        }
        Err(failure) => {
            opened.close().await;
            Err(failure)
        }
    }
}

fn joined(read: Result<Result<Loaded, Failure>, JoinError>) -> Result<Loaded, Failure> {
    match read {
        Ok(read) => read,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(stopped()),
        },
    }
}

/// The runtime ends while it reads.
fn stopped() -> Failure {
    crate::commands::interrupted()
}
