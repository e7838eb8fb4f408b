//! New versions for files that are there: their names, and what other files call them.

use std::ops::Range;

use limosa_core::{Identity, Version};

use crate::Layout;
use crate::native::{FileRole, split, stem_of};

/// A file that gets another version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPath {
    /// The whole path afterwards.
    pub file: String,
    /// What gets another name: the file, or the folder whose name holds the version.
    pub from: String,
    /// The name that it gets.
    pub to: String,
}

impl Layout {
    /// Where the version stands in the path of a migration or of its way back; None where none stands there.
    fn written_version(&self, path: &str) -> Option<Range<usize>> {
        let (folder, file) = split(path);
        let start = path.len() - file.len();
        // Numbers, and dots or underscores between them.
        let numbers = |from: usize, joints: &[char]| -> Option<Range<usize>> {
            let rest = &path[from..];
            let end = rest.find(|letter: char| !letter.is_ascii_digit() && !joints.contains(&letter));
            let written = rest[..end.unwrap_or(rest.len())].trim_end_matches(joints);
            (!written.is_empty()).then(|| from..from + written.len())
        };
        match self {
            Layout::Native => numbers(start, &['.']),
            Layout::UpDown
            | Layout::Sqlx(_)
            | Layout::Goose
            | Layout::Dbmate
            | Layout::SqlMigrate
            | Layout::NodePgMigrate => numbers(start, &[]),
            Layout::Refinery => numbers(start + 1, &['.']),
            Layout::Flyway(naming) => {
                let prefix = [&naming.versioned, &naming.undo, &naming.baseline].into_iter();
                let longest = prefix.filter(|prefix| file.starts_with(prefix.as_str())).map(String::len).max()?;
                let end = file.find(&naming.separator).or_else(|| file.rfind('.'))?;
                let written = file.get(longest..end)?;
                Version::parse(written).ok().map(|_| start + longest..start + longest + written.len())
            }
            Layout::Diesel | Layout::Prisma => {
                let name = split(folder).1;
                let begin = folder.len() - name.len();
                let length = name.find('_').unwrap_or(name.len());
                let is_version = |letter: char| letter.is_ascii_digit() || letter == '-';
                let written = &name[..length];
                (!written.is_empty() && written.chars().all(is_version)).then(|| begin..begin + length)
            }
            // Their own files say the order.
            Layout::Drizzle(_) | Layout::Sqitch(_) | Layout::Liquibase(_) => None,
            Layout::Pattern(pattern) => pattern.written_version(path),
        }
    }

    /// The path of a migration, or of its way back, with another version in place of its own; that version is written as the old
    /// one was. None where the format has no place for it.
    pub fn renumbered(&self, path: &str, version: &str) -> Option<NewPath> {
        let place = self.written_version(path)?;
        let old = &path[place.clone()];
        let spelled = match self {
            Layout::Diesel if old.contains('-') && version.len() >= 14 && version.is_ascii() => {
                let counter = if version.len() == 14 { "0000" } else { &version[14..] };
                let [year, month, day, time] = [&version[..4], &version[4..6], &version[6..8], &version[8..14]];
                format!("{year}-{month}-{day}-{time}-{counter}")
            }
            _ if old.contains('_') && !old.contains('.') => version.replace('.', "_"),
            _ => version.to_owned(),
        };
        let end = path[place.end..].find(['/', '\\']).map_or(path.len(), |at| place.end + at);
        let to = format!("{}{spelled}{}", &path[..place.start], &path[place.end..end]);
        Some(NewPath { file: format!("{to}{}", &path[end..]), from: path[..end].to_owned(), to })
    }

    /// The words of a name behind its version, by which a migration and its way back are one.
    pub fn words_of(&self, path: &str) -> Option<String> {
        let place = self.written_version(path)?;
        let end = path[place.end..].find(['/', '\\']).map_or(path.len(), |at| place.end + at);
        let words = &path[place.end..end];
        let words = if end < path.len() { words } else { stem_of(words) };
        let bare = [".up", ".down", ".rollback"].iter().find_map(|ending| words.strip_suffix(ending));
        Some(bare.unwrap_or(words).to_owned())
    }

    /// What a migration that comes later than a newer one meets in the tools that read such folders.
    pub fn late_elsewhere(&self) -> &'static str {
        match self {
            Layout::UpDown => {
                "golang-migrate leaves such a file out without a word in every database that has the newer one; sqlx runs it"
            }
            Layout::Flyway(_) => {
                "Flyway refuses to migrate a database that has the newer one, or leaves the file out where its validation is off; \
                 outOfOrder lets it run"
            }
            Layout::Sqlx(_) => "sqlx runs it late without a word",
            Layout::Goose => "goose refuses to migrate a database that has the newer one; -allow-missing lets it run",
            Layout::Dbmate => "dbmate runs it late without a word",
            Layout::SqlMigrate => "sql-migrate runs it late without a word",
            Layout::NodePgMigrate => {
                "node-pg-migrate refuses to migrate a database that has the newer one; --no-check-order lets it run"
            }
            Layout::Refinery => "refinery refuses to migrate a database that has the newer one",
            Layout::Diesel => "diesel runs it late without a word",
            Layout::Prisma => "migrate deploy runs it late without a word, migrate dev asks for a reset",
            Layout::Sqitch(_) => "Sqitch refuses a plan whose deployed changes are not its first ones",
            Layout::Liquibase(_) => "Liquibase runs it late without a word",
            Layout::Drizzle(_) => {
                "drizzle before 1.0 leaves such a migration out without a word in every database that has the newer one"
            }
            Layout::Native | Layout::Pattern(_) => {
                "other tools differ: golang-migrate leaves such a file out without a word, goose refuses it without -allow-missing, \
                 Flyway without outOfOrder, dbmate runs it"
            }
        }
    }
}

/// A migration that is called otherwise from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewName {
    /// What it was known by.
    pub identity: Identity,
    /// Its old path.
    pub old: String,
    /// Its new path.
    pub new: String,
    /// Its new version as written.
    pub label: String,
    /// True where its old version alone does not say that it is meant.
    pub is_shared: bool,
}

impl NewName {
    /// The new text for one that somebody wrote to name this migration; None where it does not name it. An error where it may
    /// name another one as well.
    fn instead_of(&self, written: &str) -> Option<Result<String, ()>> {
        let name = split(written).1;
        let before = &written[..written.len() - name.len()];
        let (old, new) = (split(&self.old), split(&self.new));
        let pairs = [(old.1, new.1), (stem_of(&self.old), stem_of(&self.new)), (split(old.0).1, split(new.0).1)];
        // `up.sql` names nothing.
        if let Some((_, new)) = pairs.iter().find(|(old, new)| old != new && !old.is_empty() && name == *old) {
            return Some(Ok(format!("{before}{new}")));
        }
        let is_version = Version::parse(name).is_ok_and(|version| {
            !name.contains('_') && (Identity::of_version(&version) == self.identity || name == self.identity.as_str())
        }) || name == self.identity.as_str();
        is_version.then(|| if self.is_shared { Err(()) } else { Ok(self.label.clone()) })
    }
}

/// Headers that name migrations.
const NAMING: [&str; 2] = ["migration", "depends-on"];

/// What became of the headers of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Readdressed {
    /// The text with new names in its headers; None where nothing changes.
    pub text: Option<Vec<u8>>,
    /// What may mean one of the migrations or another one, with its line; it stays as it is.
    pub doubtful: Vec<(u64, String)>,
}

/// Gives migrations their new names in the headers of a file, which are the comments that it begins with. `own` is the path of the
/// file before.
pub fn readdress(text: &[u8], own: &str, names: &[NewName]) -> Readdressed {
    let mut answer = Readdressed::default();
    let mut changed = Vec::with_capacity(text.len());
    let mut lines = text.split_inclusive(|byte| *byte == b'\n');
    let mut number = 0;
    for line in lines.by_ref() {
        number += 1;
        let Ok(written) = std::str::from_utf8(line) else {
            changed.extend_from_slice(line);
            break;
        };
        let bare = written.trim_start_matches('\u{feff}').trim();
        if !bare.is_empty() && !bare.starts_with("--") {
            changed.extend_from_slice(line);
            break;
        }
        changed.extend_from_slice(header(written, own, names, number, &mut answer.doubtful).as_bytes());
    }
    lines.for_each(|line| changed.extend_from_slice(line));
    answer.text = (changed != text).then_some(changed);
    answer
}

fn header(line: &str, own: &str, names: &[NewName], number: u64, doubtful: &mut Vec<(u64, String)>) -> String {
    let Some((key, value)) = line.split_once(':') else { return line.to_owned() };
    let word = key.trim_start_matches('\u{feff}').trim().trim_start_matches('-').trim().to_ascii_lowercase();
    if !NAMING.contains(&word.as_str()) {
        return line.to_owned();
    }
    let is_own_name = word == NAMING[0];
    let is_part = |letter: char| letter.is_alphanumeric() || "_-./\\".contains(letter);
    let (mut new, mut rest) = (format!("{key}:"), value);
    while !rest.is_empty() {
        let gap = rest.find(is_part).unwrap_or(rest.len());
        new.push_str(&rest[..gap]);
        rest = &rest[gap..];
        let end = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
        let written = &rest[..end];
        rest = &rest[end..];
        // A file's own name is that of its migration, whoever else has the version.
        let meant = names.iter().filter(|name| !is_own_name || name.old == own);
        match meant.filter_map(|name| name.instead_of(written)).next() {
            Some(Ok(text)) => new.push_str(&text),
            Some(Err(())) => {
                doubtful.push((number, written.to_owned()));
                new.push_str(written);
            }
            None => new.push_str(written),
        }
    }
    new
}

/// True where a text that names a migration in a configuration names one of these.
pub fn names_one_of(written: &str, names: &[NewName]) -> bool {
    names.iter().any(|name| name.instead_of(written.trim()).is_some())
}

/// True for a file that is a way back of the migration with this identity.
pub fn is_way_back_of(role: &FileRole, identity: &Identity) -> bool {
    matches!(role, FileRole::Rollback { of, .. } if of.identity() == *identity)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{flyway, pattern::Pattern};

    #[test]
    fn versions_are_replaced_where_they_stand() {
        let native = Layout::Native;
        let up_down = Layout::UpDown;
        let flyway = Layout::Flyway(flyway::Naming::default());
        let pattern = |text: &str| Layout::Pattern(Pattern::parse(text).unwrap());
        for (layout, path, version, expected) in [
            (&native, "m/004_a.sql", "006", "m/006_a.sql"),
            (&native, "m/004_a.rollback.sql", "006", "m/006_a.rollback.sql"),
            (&native, "m/rollbacks/004_rollback.sql", "006", "m/rollbacks/006_rollback.sql"),
            (&native, "m/rollbacks/004.sql", "006", "m/rollbacks/006.sql"),
            (&native, "m/1.2_a.sql", "1.3", "m/1.3_a.sql"),
            (&native, "m/R__a.sql", "6", "-"),
            (&up_down, "m\\000004_a.down.sql", "000006", "m\\000006_a.down.sql"),
            (&flyway, "m/V1_2__a.sql", "1.3", "m/V1_3__a.sql"),
            (&flyway, "m/U1.2__a.sql", "1.3", "m/U1.3__a.sql"),
            (&flyway, "m/V7.sql", "8", "m/V8.sql"),
            (&flyway, "m/V1__a.sql.conf", "2", "m/V2__a.sql.conf"),
            (&flyway, "m/R__a.sql", "8", "-"),
            (&Layout::Refinery, "m/V4__a.sql", "6", "m/V6__a.sql"),
            (&Layout::Goose, "m/00004_a.sql", "00006", "m/00006_a.sql"),
            (&Layout::NodePgMigrate, "m/1700000000000_a-b.sql", "1800000000000", "m/1800000000000_a-b.sql"),
            (
                &Layout::Diesel,
                "m/2024-01-31-120000-0000_a/up.sql",
                "20250203040506",
                "m/2025-02-03-040506-0000_a/up.sql",
            ),
            (
                &Layout::Diesel,
                "m/2024-01-31-120000_a/up.sql",
                "202502030405060007",
                "m/2025-02-03-040506-0007_a/up.sql",
            ),
            (&Layout::Diesel, "m/20240131120000_a/down.sql", "20250203040506", "m/20250203040506_a/down.sql"),
            (&Layout::Diesel, "m/words_a/up.sql", "20250203040506", "-"),
            (&Layout::Prisma, "m/20240131120000_a/migration.sql", "20250203040506", "m/20250203040506_a/migration.sql"),
            (&pattern("V{version}.{name}.{direction}.sql"), "m/V4.a.down.sql", "6", "m/V6.a.down.sql"),
            (&pattern("{version}/{direction}.sql"), "m/004/up.sql", "006", "m/006/up.sql"),
            (&pattern("{name}-{version}.sql"), "m/1-4.sql", "6", "m/1-6.sql"),
        ] {
            let found = layout.renumbered(path, version).map_or_else(|| "-".to_owned(), |new| new.file);
            assert_eq!(found, expected, "{path}");
        }
        let folder = Layout::Diesel.renumbered("m/2024-01-31-120000-0000_a/up.sql", "20250203040506").unwrap();
        assert_eq!(
            (folder.from.as_str(), folder.to.as_str()),
            ("m/2024-01-31-120000-0000_a", "m/2025-02-03-040506-0000_a")
        );
    }

    #[test]
    fn a_way_back_has_the_words_of_its_migration() {
        for (layout, one, other) in [
            (Layout::Native, "m/004_a_b.sql", "m/004_a_b.rollback.sql"),
            (Layout::UpDown, "m/004_a.up.sql", "m/004_a.down.sql"),
            (Layout::Flyway(flyway::Naming::default()), "m/V4__a.sql", "m/U4__a.sql"),
            (Layout::Diesel, "m/20240131120000_a/up.sql", "m/20240131120000_a/down.sql"),
        ] {
            assert_eq!(layout.words_of(one), layout.words_of(other));
            assert!(layout.words_of(one).is_some());
        }
    }

    fn name(old: &str, new: &str, identity: &str, label: &str, is_shared: bool) -> NewName {
        let [old, new, label] = [old, new, label].map(str::to_owned);
        NewName { identity: Identity::new(identity), old, new, label, is_shared }
    }

    #[test]
    fn headers_follow_new_names() {
        let alone = [name("m/004_a.sql", "m/006_a.sql", "4", "006", false)];
        let shared = [name("m/004_a.sql", "m/006_a.sql", "4", "006", true)];
        let folder =
            [name("m/20240101000000_a/up.sql", "m/20250101000000_a/up.sql", "20240101000000", "20250101000000", false)];
        for (names, text, expected, doubtful) in [
            (
                &alone,
                "-- Migration: 004_a.sql\nselect 4;\n-- Depends-on: 004\n",
                "-- Migration: 006_a.sql\nselect 4;\n-- Depends-on: 004\n",
                "",
            ),
            (
                &alone,
                "\u{feff}-- depends-on : 3, 004,m/004_a.sql 004_a\r\n\r\nselect 1",
                "\u{feff}-- depends-on : 3, 006,m/006_a.sql 006_a\r\n\r\nselect 1",
                "",
            ),
            (&alone, "-- Purpose: 004\n-- Depends-on: 4\n", "-- Purpose: 004\n-- Depends-on: 006\n", ""),
            (&alone, "-- Depends-on: 14, 004_ab, 40\nselect 1", "=", ""),
            (&shared, "-- Depends-on: 004, 004_a\n", "-- Depends-on: 004, 006_a\n", "1 004"),
            (
                &folder,
                "-- Depends-on: 20240101000000_a, 20240101000000\n",
                "-- Depends-on: 20250101000000_a, 20250101000000\n",
                "",
            ),
            (&alone, "", "=", ""),
        ] {
            let answer = readdress(text.as_bytes(), "m/004_a.sql", names);
            let expected = (expected != "=").then(|| expected.as_bytes().to_vec());
            assert_eq!(answer.text, expected, "{text}");
            let found: Vec<String> = answer.doubtful.iter().map(|(line, word)| format!("{line} {word}")).collect();
            assert_eq!(found.join(", "), doubtful, "{text}");
        }
        assert!(readdress(b"-- Depends-on: 004\n\xff", "", &alone).text.is_some());
        assert!(readdress(b"-- Depends-on: \xff 004\n", "", &alone).text.is_none());
        assert!(names_one_of(" 004_a.sql", &alone) && !names_one_of("5", &alone));
    }
}
