//! Reads many files at once: each of a few threads takes a share.

use std::panic::resume_unwind;
use std::sync::Mutex;

use limosa_formats::Layout;
use limosa_formats::native::{Config, Entry, FileFacts, FileReader, FileRole, Kinds};
use limosa_sql::{Diagnostic, Dialect};

use crate::Failure;
use crate::scripts::{Scripts, each_part, part_of};

/// What decides how files are read.
pub(crate) struct Reading<'r> {
    pub(crate) dialect: Dialect,
    pub(crate) configs: &'r [Config],
    pub(crate) layout: &'r Layout,
    /// The table in which the tool of the files keeps its record, where another one than the layout knows may be meant.
    pub(crate) ledger_table: Option<&'r str>,
}

/// Files that are worth a thread of their own to read.
const SHARE: usize = 32;

/// Files of which what is known is held in one piece, for whoever takes it on gives it back piece by piece.
const READ_AT_ONCE: usize = 256;

/// Bytes that are read of a file at once.
pub(crate) const BUFFER: usize = 64 * 1024;

/// Threads that read at once, at most: more only wait for each other in the kernel.
const READERS: usize = 4;

/// Does something to each share of some files, of which many are shared out to all processors; gives what came of each share,
/// in order.
pub(crate) fn on_all_processors<T: Send, R: Send>(
    files: &mut [T],
    work: impl Fn(&mut [T]) -> Result<R, Failure> + Sync,
) -> Result<Vec<R>, Failure> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let readers = (files.len() / SHARE).clamp(1, processors.min(READERS));
    let mut shares = files.chunks_mut(files.len().div_ceil(readers).max(1));
    let first = shares.next().unwrap_or_default();
    let others: Vec<Mutex<Option<&mut [T]>>> = shares.map(|share| Mutex::new(Some(share))).collect();
    let work = &work;
    // Whoever comes first takes the share: its thread, or where none can be had, this one.
    let taken = |share: &Mutex<Option<&mut [T]>>| share.lock().ok().and_then(|mut share| share.take()).map(work);
    std::thread::scope(|scope| {
        let begin = |share| std::thread::Builder::new().spawn_scoped(scope, move || taken(share));
        let begun: Vec<_> = others.iter().map(|share| (share, begin(share))).collect();
        let first = work(first);
        let rest = begun.into_iter().filter_map(|(share, thread)| match thread {
            Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            Err(_) => taken(share),
        });
        std::iter::once(first).chain(rest).collect()
    })
}

/// What is known of each file, and what is to be said of them, in order.
type Facts = (Vec<FileFacts>, Vec<Diagnostic>);

/// A file to be read: its name, its role, and what else is known of it.
pub(crate) type ToRead = (String, FileRole, Option<Box<Entry>>);

/// Reads files of known roles; gives what is known of them share by share, for it is much.
pub(crate) fn read_all(
    scripts: &Scripts,
    mut files: Vec<ToRead>,
    how: &Reading<'_>,
) -> Result<(Vec<Vec<FileFacts>>, Vec<Diagnostic>), Failure> {
    let read = on_all_processors(&mut files, |files| {
        let shares = files.chunks_mut(READ_AT_ONCE).map(|files| read_files(scripts, files, how));
        shares.collect::<Result<Vec<Facts>, Failure>>()
    })?;
    let (files, found): (Vec<_>, Vec<_>) = read.into_iter().flatten().unzip();
    Ok((files, found.into_iter().flatten().collect()))
}

fn read_files(scripts: &Scripts, files: &mut [ToRead], how: &Reading<'_>) -> Result<Facts, Failure> {
    let (mut facts, mut diagnostics) = (Vec::with_capacity(files.len()), Vec::new());
    let (mut buffer, mut kinds) = (vec![0; BUFFER], Kinds::default());
    // The changes of one file follow each other.
    let mut whole = (String::new(), Vec::new());
    for (name, role, entry) in files {
        let (name, role, entry) = (std::mem::take(name), std::mem::replace(role, FileRole::Ignored), entry.take());
        let is_script = role.is_script();
        let part = entry.as_ref().and_then(|entry| entry.part.clone());
        let reader = match entry {
            Some(entry) => FileReader::of_entry(how.dialect, &name, *entry, how.configs),
            None => FileReader::of_role(how.dialect, &name, role, how.configs),
        };
        let mut reader = reader
            .of_tool(how.layout)
            .no_transaction_mark(how.layout.no_transaction_mark())
            .with_markers(how.layout.markers());
        if let Some(table) = how.ledger_table {
            reader = reader.with_ledger_table(table);
        }
        match part {
            Some(part) => reader.feed(part_of(scripts, &name, &part, &mut whole)?),
            None if is_script => each_part(scripts, &name, &mut buffer, |bytes| reader.feed(bytes))?,
            None => {}
        }
        let (read, found) = reader.finish();
        facts.extend(read.map(|mut read| {
            kinds.share(&mut read);
            read
        }));
        diagnostics.extend(found);
    }
    Ok((facts, diagnostics))
}
