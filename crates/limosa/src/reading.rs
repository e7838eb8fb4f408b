//! The files of a command, read as the server of its database reads them.

use std::collections::HashSet;
use std::path::PathBuf;
use std::pin::pin;

use limosa_core::{AuditHead, Identity, LedgerView};
use limosa_db::ledger::Glance;
use limosa_sql::{Dialect, Engine};
use tokio::task::JoinError;

use crate::files::{Listing, Loaded, Wanted, load};
use crate::opened::{Opened, Purpose, is_there, open};
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
        let opened = open(configuration, purpose).await?;
        return both(opened, Ok(loaded)).await;
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
    let opened = match opened {
        Ok(opened) => opened,
        Err(failure) => return Err(read.err().unwrap_or(failure)),
    };
    let read = match opened.dialect() == usual {
        true => read,
        false => load(configuration, folders, opened.dialect()).and_then(checked),
    };
    both(opened, read).await
}

/// What a command that only runs what is pending begins with.
pub(crate) enum Pending {
    /// Nothing is: the files are exactly those that were applied. With the head of the audit log.
    Nothing(Option<AuditHead>),
    /// Something may be among these.
    Something(Box<Loaded>),
}

/// As [`read_and_open`], for a command that only runs what is pending: files that are byte for byte what was applied are not read
/// again, nor are their ways back. Before the ledger is acted upon anew, [`read_again`] must be asked. `may_be_nothing` says that
/// there is nothing to do where all was applied.
pub(crate) async fn read_pending_and_open<'c>(
    configuration: &'c Configuration,
    purpose: Purpose,
    may_be_nothing: bool,
    check: impl Fn(&Loaded) -> Result<(), Failure>,
) -> Result<(Pending, Opened<'c>), Failure> {
    // Bad files must not leave an empty database behind, and are told of at once where a database is waited for.
    if !is_there(configuration) || configuration.wait_for_database.is_some() {
        let (loaded, opened) = read_and_open(configuration, purpose, check).await?;
        return Ok((Pending::Something(Box::new(loaded)), opened));
    }
    let (listed, mut opened, glance) =
        list_and_open(configuration, purpose, list_with_checksums, may_be_nothing, &check).await?;
    if let (Ok(listing), Some(glance)) = (&listed, &glance)
        && listing.is_settled(configuration, glance)
    {
        return Ok((Pending::Nothing(glance.head.clone()), opened));
    }
    if opened.looked.is_none() {
        opened.look_ahead().await;
    }
    let (loaded, opened) = read_listed(opened, listed, |view| Wanted::Unknown(view), &check).await?;
    Ok((Pending::Something(Box::new(loaded)), opened))
}

/// As [`read_and_open`], for a command that tells what is applied and what is not: files that are byte for byte what was applied are not read
/// again. Where the ledger of another tool is kept, what stands in it depends on all of them.
pub(crate) async fn read_unknown_and_open<'c>(
    configuration: &'c Configuration,
    purpose: Purpose,
    check: impl Fn(&Loaded) -> Result<(), Failure>,
) -> Result<(Loaded, Opened<'c>), Failure> {
    // By names alone nobody sees what has changed.
    if !is_there(configuration) || configuration.wait_for_database.is_some() || !configuration.verify_applied {
        return read_and_open(configuration, purpose, check).await;
    }
    let (listed, opened, _) = list_and_open(configuration, purpose, list_with_checksums, false, &check).await?;
    let (mut loaded, mut opened) = read_listed(opened, listed, |view| Wanted::Unknown(view), &check).await?;
    match read_all_where_another_is_kept(&mut opened, &mut loaded) {
        Ok(()) => Ok((loaded, opened)),
        Err(failure) => {
            opened.close().await;
            Err(failure)
        }
    }
}

fn list_with_checksums(configuration: Configuration, engine: Engine) -> Result<Listing, Failure> {
    Listing::of(&configuration, &configuration.directories, engine)?.with_checksums(&configuration)
}

/// As [`read_and_open`], for a command that needs the files of some changes only, which the ledger says.
pub(crate) async fn open_and_read_these<'c>(
    configuration: &'c Configuration,
    purpose: Purpose,
    these: impl Fn(&LedgerView) -> HashSet<Identity> + Send + 'static,
) -> Result<(Loaded, Opened<'c>), Failure> {
    let list = |own: Configuration, engine| Listing::of(&own, &own.directories, engine);
    let check = |_: &Loaded| Ok(());
    let (listed, opened, _) = list_and_open(configuration, purpose, list, false, &check).await?;
    read_listed(opened, listed, move |view| Wanted::These(these(view)), &check).await
}

/// Lists files and opens the database at the same time, and looks at its ledger: where `glances`, only shortly if that is enough.
async fn list_and_open<'c>(
    configuration: &'c Configuration,
    purpose: Purpose,
    list: impl FnOnce(Configuration, Engine) -> Result<Listing, Failure> + Send + 'static,
    glances: bool,
    check: &impl Fn(&Loaded) -> Result<(), Failure>,
) -> Result<(Result<Listing, Failure>, Opened<'c>, Option<Glance>), Failure> {
    let usual = Dialect::from(limosa_db::engine_of(configuration.database.expose())?);
    let own = configuration.clone();
    let listing = tokio::task::spawn_blocking(move || list(own, usual.engine()));
    let opened = async {
        let mut opened = open(configuration, purpose).await?;
        let glance = if glances { opened.glance().await } else { None };
        if !glances {
            opened.look_ahead().await;
        }
        Ok::<_, Failure>((opened, glance))
    };
    let opened = opened.await;
    let listed = joined(listing.await);
    match opened {
        Ok((opened, glance)) => Ok((listed, opened, glance)),
        Err(failure) => {
            // What is wrong with the files is told first: it needs no server to be mended.
            let read = listed.and_then(|listing| listing.read(configuration, usual, Wanted::All));
            Err(read.and_then(|loaded| check(&loaded)).err().unwrap_or(failure))
        }
    }
}

/// Reads what is wanted of the files, by the ledger that was looked at.
async fn read_listed<'c>(
    mut opened: Opened<'c>,
    listed: Result<Listing, Failure>,
    wanted: impl for<'v> Fn(&'v LedgerView) -> Wanted<'v> + Send + 'static,
    check: &impl Fn(&Loaded) -> Result<(), Failure>,
) -> Result<(Loaded, Opened<'c>), Failure> {
    let never_ran = opened.never_ran();
    let (own, dialect, looked) = (opened.configuration.clone(), opened.dialect(), opened.looked.take());
    let reading = tokio::task::spawn_blocking(move || {
        let view = looked.as_ref().and_then(|looked| looked.as_ref().ok());
        let read = listed.and_then(|listing| {
            let wanted = view.map_or(Wanted::All, &wanted);
            listing.read(&own, dialect, wanted)
        });
        Ok((read, looked))
    });
    if never_ran {
        opened.look_for_tables().await;
    }
    let read = joined(reading.await).and_then(|(read, looked)| {
        opened.looked = looked;
        read.and_then(|loaded| check(&loaded).map(|()| loaded))
    });
    both(opened, read).await
}

/// The files and the session; where the files are refused, the session ends in order.
async fn both<'c>(mut opened: Opened<'c>, read: Result<Loaded, Failure>) -> Result<(Loaded, Opened<'c>), Failure> {
    match read.and_then(|mut loaded| opened.suit(&mut loaded).map(|()| loaded)) {
        Ok(loaded) => Ok((loaded, opened)),
        Err(failure) => {
            opened.close().await;
            Err(failure)
        }
    }
}

/// Reads all files again where something that was left unread is not applied any more: another runner has taken it back.
pub(crate) fn read_again(opened: &mut Opened<'_>, loaded: &mut Loaded, fresh: &LedgerView) -> Result<(), Failure> {
    if loaded.fits(fresh) {
        return Ok(());
    }
    let configuration = opened.configuration;
    *loaded = load(configuration, &configuration.directories, opened.dialect())?;
    loaded.refuse_errors()?;
    opened.suit(loaded)
}

/// Reads all files where the ledger of another tool is kept: what stands in it depends on all of them.
pub(crate) fn read_all_where_another_is_kept(opened: &mut Opened<'_>, loaded: &mut Loaded) -> Result<(), Failure> {
    if !matches!(&opened.looked, Some(Ok(view)) if view.keeps_another) {
        return Ok(());
    }
    let configuration = opened.configuration;
    *loaded = load(configuration, &configuration.directories, opened.dialect())?;
    opened.suit(loaded)
}

fn joined<T>(read: Result<Result<T, Failure>, JoinError>) -> Result<T, Failure> {
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
