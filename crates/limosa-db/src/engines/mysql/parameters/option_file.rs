//! Option files, `my.cnf`, as MySQL's and MariaDB's own programs read them.
//!
//! MySQL documentation, "Using Option Files"; MariaDB documentation, "Configuring MariaDB with Option Files".

use std::io;
use std::path::{Path, PathBuf};

use super::disk::Disk;
use super::{keywords, malformed};
use crate::{DbError, Notice};

/// The groups that are read. Whatever stands last in the files wins, whichever group it stands in.
const GROUPS: &[&str] = &["client", "client-server", "client-mariadb", "limosa"];

/// The group whose options are all ours, so that an unknown one is a mistake.
const OWN_GROUP: &str = "limosa";

/// How deep files may include files.
const DEPTH: usize = 10;

/// A file that is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OptionFile {
    path: PathBuf,
    /// The user named it: it must be there.
    named: bool,
}

/// An option of a group that is read.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct FileOption {
    pub(super) keyword: &'static str,
    pub(super) value: String,
    pub(super) file: PathBuf,
}

/// What the files said.
#[derive(Default)]
pub(super) struct Read {
    /// The options, the ones that count first.
    pub(super) options: Vec<FileOption>,
    pub(super) notices: Vec<Notice>,
}

/// The files in the order in which they are read: a later one wins.
pub(super) fn files(home: Option<&Path>, only: Option<PathBuf>, extra: Option<PathBuf>) -> Vec<OptionFile> {
    if let Some(path) = only {
        return vec![OptionFile { path, named: true }];
    }
    let default = |path: PathBuf| OptionFile { path, named: false };
    let mut files = vec![default("/etc/my.cnf".into()), default("/etc/mysql/my.cnf".into())];
    files.extend(extra.map(|path| OptionFile { path, named: true }));
    files.extend(home.map(|home| default(home.join(".my.cnf"))));
    files
}

/// Reads the files.
pub(super) fn read(files: &[OptionFile], disk: &dyn Disk) -> Result<Read, DbError> {
    let mut read = Read::default();
    for file in files {
        if file.named || disk.exists(&file.path) {
            read_file(&file.path, file.named, DEPTH, disk, &mut read)?;
        }
    }
    read.options.reverse();
    Ok(read)
}

fn read_file(path: &Path, named: bool, depth: usize, disk: &dyn Disk, read: &mut Read) -> Result<(), DbError> {
    if disk.is_open_to_all(path) {
        // As the servers' own programs: anybody could have put a host or a key there.
        read.notices.push(ignored(path, "anybody may write it", Some(format!("chmod o-w {}", path.display()))));
        return Ok(());
    }
    let text = match disk.read(path) {
        Ok(text) => text,
        Err(error) if named => {
            return Err(malformed(&format!("the option file {} cannot be read: {error}", path.display())));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            read.notices.push(ignored(path, &error.to_string(), None));
            return Ok(());
        }
    };
    let mut group = None;
    for (line, number) in text.lines().map(str::trim).zip(1..) {
        let wrong = |what: &str| malformed(&format!("{} line {number}: {what}", path.display()));
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(directive) = line.strip_prefix('!') {
            let (word, target) = directive.split_once(char::is_whitespace).unwrap_or((directive, ""));
            let target = beside(path, target.trim());
            let included = match word {
                "include" => vec![target],
                "includedir" => in_folder(&target, disk).map_err(|error| wrong(&error.to_string()))?,
                _ => return Err(wrong("after ! comes include or includedir")),
            };
            if depth == 0 {
                return Err(wrong("the files include each other too deep"));
            }
            for file in included {
                read_file(&file, false, depth - 1, disk, read)?;
            }
            continue;
        }
        if let Some(rest) = line.strip_prefix('[') {
            let Some((name, _)) = rest.split_once(']') else { return Err(wrong("a [ has no ]")) };
            group = GROUPS.iter().find(|group| **group == name.trim());
            continue;
        }
        let Some(group) = group else { continue };
        let (name, value) = line.split_once('=').unwrap_or((line, ""));
        match option(name.trim(), &plain_value(value)) {
            Some((keyword, value)) => read.options.push(FileOption { keyword, value, file: path.to_owned() }),
            // Other programs have options of their own in the groups that are for all of them.
            None if *group == OWN_GROUP => {
                let error = wrong(&format!("unknown option {:?}", comment_cut(name).trim()));
                return Err(match keywords::advice(comment_cut(name).trim()) {
                    Some(advice) => error.hint(advice),
                    None => error,
                });
            }
            None => {}
        }
    }
    Ok(())
}

fn ignored(path: &Path, why: &str, hint: Option<String>) -> Notice {
    Notice {
        severity: "WARNING".to_owned(),
        message: format!("the option file {} is ignored: {why}", path.display()),
        detail: None,
        hint,
        code: None,
    }
}

/// A path as the file that names it sees it.
fn beside(file: &Path, target: &str) -> PathBuf {
    file.parent().map_or_else(|| PathBuf::from(target), |folder| folder.join(target))
}

fn in_folder(folder: &Path, disk: &dyn Disk) -> io::Result<Vec<PathBuf>> {
    if !disk.exists(folder) {
        return Ok(Vec::new());
    }
    let mut files = disk.list(folder)?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "cnf"));
    Ok(files)
}

/// The parameter that an option means, with its value; None where it is none of ours.
fn option(name: &str, value: &str) -> Option<(&'static str, String)> {
    let name = comment_cut(name).trim();
    let plain = name.to_ascii_lowercase().replace('_', "-");
    let plain = plain.strip_prefix("loose-").unwrap_or(&plain);
    let find = |name: &str| keywords::find(name).filter(|keyword| keyword.name != "defaults-file");
    if let Some(keyword) = find(plain) {
        return Some((keyword.name, value.to_owned()));
    }
    // skip-ssl and disable-ssl are ssl=0, and enable-ssl is ssl=1.
    for (prefix, value) in [("skip-", "0"), ("disable-", "0"), ("enable-", "1")] {
        if let Some(keyword) = plain.strip_prefix(prefix).and_then(find) {
            return Some((keyword.name, value.to_owned()));
        }
    }
    None
}

fn comment_cut(text: &str) -> &str {
    text.split_once('#').map_or(text, |(before, _)| before)
}

/// A value without its comment, its quotes and its escapes.
fn plain_value(text: &str) -> String {
    let text = text.trim();
    let quote = text.chars().next().filter(|first| matches!(first, '\'' | '"'));
    let mut escaped = false;
    let mut inside = quote.is_some();
    let end = text
        .char_indices()
        .skip(usize::from(inside))
        .find(|(_, letter)| {
            let ends = *letter == '#' && !inside;
            inside &= escaped || Some(*letter) != quote;
            escaped = *letter == '\\' && !escaped;
            ends
        })
        .map_or(text.len(), |(at, _)| at);
    let text = text[..end].trim_end();
    let bare = match quote {
        Some(quote) if text.len() >= 2 && text.ends_with(quote) => &text[1..text.len() - 1],
        _ => text,
    };
    unescape(bare)
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            plain.push(letter);
            continue;
        }
        match letters.next() {
            Some('b') => plain.push('\u{8}'),
            Some('t') => plain.push('\t'),
            Some('n') => plain.push('\n'),
            Some('r') => plain.push('\r'),
            Some('s') => plain.push(' '),
            Some(quoted @ ('\\' | '"' | '\'')) => plain.push(quoted),
            // Others stand for themselves, the backslash too.
            Some(other) => plain.extend(['\\', other]),
            None => plain.push('\\'),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_lose_quotes_comments_and_escapes() {
        for (text, expected) in [
            ("plain", "plain"),
            (" blanks around ", "blanks around"),
            ("pass # comment", "pass"),
            ("pass#word", "pass"),
            ("\"pass#word\" # comment", "pass#word"),
            ("'it\\'s # in' # out", "it's # in"),
            ("'say \"so\"'", "say \"so\""),
            ("a\\sb\\tc\\\\d\\q", "a b\tc\\d\\q"),
            ("\"open", "\"open"),
            ("", ""),
            ("''", ""),
            ("'", "'"),
        ] {
            assert_eq!(plain_value(text), expected, "{text}");
        }
    }

    #[test]
    fn names_have_prefixes() {
        for (name, expected) in [
            ("ssl_mode", Some(("ssl-mode", "v"))),
            ("loose-ssl-mode", Some(("ssl-mode", "v"))),
            ("skip-ssl", Some(("ssl", "0"))),
            ("disable-ssl-verify-server-cert", Some(("ssl-verify-server-cert", "0"))),
            ("enable-cleartext-plugin", Some(("enable-cleartext-plugin", "v"))),
            ("no-auto-rehash", None),
        ] {
            let found = option(name, "v");
            assert_eq!(found.as_ref().map(|(keyword, value)| (*keyword, value.as_str())), expected, "{name}");
        }
    }
}
