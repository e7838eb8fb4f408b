//! How other tools call a change, by the name of its file.

use super::{ForeignRow, ForeignTool};
use crate::{Change, Kind};

/// Files whose names say nothing: their folder is the migration.
const OF_FOLDERS: [&str; 2] = ["up", "migration"];

/// What tools may call a file: its name, its name without endings, and its folder where the name is always the same. Both `/` and
/// `\` separate folders.
pub(super) fn names(path: &str) -> impl Iterator<Item = &str> {
    let (folder, file) = split(path);
    let stem = stem(file);
    let folder = folder.filter(|_| OF_FOLDERS.contains(&stem)).map(|folder| split(folder).1);
    [Some(file), Some(stem), file.strip_suffix(".sql"), folder].into_iter().flatten()
}

fn split(path: &str) -> (Option<&str>, &str) {
    match path.rfind(['/', '\\']) {
        Some(at) => (Some(&path[..at]), &path[at + 1..]),
        None => (None, path),
    }
}

/// The name without `.sql` and `.up`.
fn stem(file: &str) -> &str {
    let stem = file.strip_suffix(".sql").unwrap_or(file);
    stem.strip_suffix(".up").unwrap_or(stem)
}

/// The name without its ending, which for a program is another one.
pub(super) fn stem_of_program(change: &Change) -> Option<&str> {
    split(&change.script.file).1.rsplit_once('.').filter(|_| change.is_program).map(|(stem, _)| stem)
}

/// The row that the tool would have written for a change, with the checksum that it would have made; None where its ledger has
/// no place for such a one.
pub fn spelled(tool: ForeignTool, change: &Change, checksum: Option<String>) -> Option<ForeignRow> {
    let (folder, file) = split(&change.script.file);
    let named = match stem_of_program(change).unwrap_or_else(|| stem(file)) {
        stem if OF_FOLDERS.contains(&stem) => split(folder?).1,
        stem => stem,
    };
    let row = ForeignRow {
        version: Some(change.label.to_string()),
        name: Some(change.name.to_string()),
        file: Some(file.to_owned()),
        checksum,
        ..ForeignRow::default()
    };
    let keyed = |key: &str, row: ForeignRow| Some(ForeignRow { key: key.to_owned(), ..row });
    // The first words of a name are its version.
    let (digits, title) = named.split_once('_').unwrap_or((named, ""));
    match tool {
        ForeignTool::Liquibase => of_liquibase(change, row),
        ForeignTool::Flyway if change.is_baseline || (change.is_code && !change.is_program) => None,
        ForeignTool::Flyway if change.kind == Kind::Repeatable => {
            let row = cut_for_flyway(ForeignRow { version: None, ..row });
            keyed(&format!("R:{}", row.name.as_deref().unwrap_or_default()), row)
        }
        _ if change.kind == Kind::Repeatable || change.is_baseline || (change.is_code && !change.is_program) => None,
        ForeignTool::Flyway => keyed(&change.label, cut_for_flyway(row)),
        ForeignTool::NumberedSql => {
            let rollback = change.rollback.as_ref().map(|rollback| rollback.text.clone());
            let name = if title.is_empty() { change.name.to_string() } else { titled(title) };
            let file = change.script.file.to_string();
            keyed(&change.label, ForeignRow { name: Some(name), file: Some(file), rollback, ..row })
        }
        ForeignTool::GolangMigrate | ForeignTool::Goose | ForeignTool::Sqlx => {
            let number = number(&change.label)?;
            keyed(&number, ForeignRow { version: Some(number.clone()), ..row })
        }
        ForeignTool::Dbmate => {
            let digits: String = named.chars().take_while(char::is_ascii_digit).collect();
            keyed(&digits, ForeignRow { version: Some(digits.clone()), ..row })
        }
        ForeignTool::Diesel => {
            let version = digits.replace('-', "");
            keyed(&version, ForeignRow { version: Some(version.clone()), ..row })
        }
        ForeignTool::Refinery => {
            let number = number(&change.label)?;
            let title = named.split_once("__").map_or(title, |(_, title)| title);
            keyed(&number, ForeignRow { version: Some(number.clone()), name: Some(title.to_owned()), ..row })
        }
        ForeignTool::Prisma | ForeignTool::NodePgMigrate => {
            keyed(named, ForeignRow { name: Some(named.to_owned()), ..row })
        }
        ForeignTool::Drizzle => {
            keyed(named, ForeignRow { name: Some(named.to_owned()), version: milliseconds(digits), ..row })
        }
        ForeignTool::SqlMigrate => keyed(file, row),
        // Its rows say of a plan what no file says.
        ForeignTool::Sqitch => None,
    }
}

/// Description and script as Flyway cuts them to what its columns hold, counting as Java does (Flyway, `AbbreviationUtils.java`). A letter
/// that Java would cut in two is left out.
pub fn cut_for_flyway(row: ForeignRow) -> ForeignRow {
    const DESCRIPTION: usize = 200;
    const SCRIPT: usize = 1000;
    const DOTS: &str = "...";
    let is_longer = |text: &str, most: usize| text.len() > most && text.encode_utf16().count() > most;
    let first = |text: &str, most: usize| {
        let mut length = 0;
        text.chars().take_while(|letter| (length += letter.len_utf16(), length <= most).1).collect::<String>()
    };
    let name = row.name.map(|name| match is_longer(&name, DESCRIPTION) {
        true => first(&name, DESCRIPTION - DOTS.len()) + DOTS,
        false => name,
    });
    let file = row.file.map(|file| match is_longer(&file, SCRIPT) {
        true => DOTS.chars().chain(first(&file, SCRIPT).chars().skip(DOTS.len())).collect(),
        false => file,
    });
    ForeignRow { name, file, ..row }
}

/// What a service with numbered files calls `initial_schema`: "Initial Schema", by Python's `str.title` over what stands behind the
/// first underscore, in which a letter behind anything but a letter begins a word.
///
/// The service whose decision record names these tables (NVIDIA, "Multi-Agent Intelligent Warehouse", its
/// `src/api/services/migration.py`); the record itself is silent about names.
fn titled(title: &str) -> String {
    let mut behind_letter = false;
    let mut words = String::with_capacity(title.len());
    for letter in title.replace('_', " ").chars() {
        if behind_letter {
            words.extend(letter.to_lowercase());
        } else {
            let mut capital = letter.to_uppercase();
            words.extend(capital.next());
            words.extend(capital.flat_map(char::to_lowercase));
        }
        behind_letter = letter.is_lowercase() || letter.is_uppercase();
    }
    words
}

/// The row of a change that is called `path::id::author`.
fn of_liquibase(change: &Change, row: ForeignRow) -> Option<ForeignRow> {
    let identity = change.identity.as_str();
    let key = identity.strip_prefix("R:").unwrap_or(identity);
    let (path, rest) = key.split_once("::")?;
    let (id, author) = rest.rsplit_once("::")?;
    let more = [("author", author.to_owned())].into();
    Some(ForeignRow {
        key: key.to_owned(),
        version: None,
        name: Some(id.to_owned()),
        file: Some(path.to_owned()),
        more,
        ..row
    })
}

/// The path as a tool writes it for whom paths count from another folder, as it does in `pairs` of what limosa calls a change and
/// what the tool calls it: `path::id::author` each.
pub fn repathed<'p>(path: &str, pairs: impl Iterator<Item = (&'p str, &'p str)>) -> String {
    for (own, theirs) in pairs {
        let own = own.strip_prefix("R:").unwrap_or(own);
        let (Some((own, _)), Some((theirs, _))) = (own.split_once("::"), theirs.split_once("::")) else { continue };
        if let Some(before) = theirs.strip_suffix(own) {
            return format!("{before}{path}");
        }
        let before = own.strip_suffix(theirs).filter(|before| before.ends_with('/'));
        if let Some(path) = before.and_then(|before| path.strip_prefix(before)) {
            return path.to_owned();
        }
    }
    path.to_owned()
}

/// A version that is one number, without leading zeros.
fn number(label: &str) -> Option<String> {
    label.parse::<u64>().ok().map(|number| number.to_string())
}

/// Milliseconds since 1970 of fourteen digits that are a time in UTC.
fn milliseconds(digits: &str) -> Option<String> {
    if digits.len() != 14 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| digits[from..to].parse::<i64>().ok();
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    // Days from civil: Howard Hinnant, chrono-compatible low-level date algorithms.
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    let seconds = days * 86_400 + part(8, 10)? * 3600 + part(10, 12)? * 60 + part(12, 14)?;
    Some((seconds * 1000).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_several_names() {
        for (path, expected) in [
            ("m/001_a.sql", &["001_a.sql", "001_a", "001_a"][..]),
            ("m/1_a.up.sql", &["1_a.up.sql", "1_a", "1_a.up"]),
            ("m\\20240101_a\\up.sql", &["up.sql", "up", "up", "20240101_a"]),
            ("m/20240101_a/migration.sql", &["migration.sql", "migration", "migration", "20240101_a"]),
        ] {
            assert_eq!(names(path).collect::<Vec<_>>(), expected, "{path}");
        }
    }

    #[test]
    fn paths_count_from_where_the_tool_counts() {
        for (path, own, theirs, expected) in [
            ("b.sql", "a.sql::1::ann", "db/a.sql::1::ann", "db/b.sql"),
            ("b.sql", "R:a.sql::1::ann", "a.sql::1::ann", "b.sql"),
            ("m/b.sql", "m/a.sql::1::ann", "a.sql::1::ann", "b.sql"),
            ("b.sql", "m/a.sql::1::ann", "a.sql::1::ann", "b.sql"),
            ("b.sql", "7", "7", "b.sql"),
            ("b.sql", "a.sql::1::ann", "classpath:a.sql::1::ann", "classpath:b.sql"),
        ] {
            assert_eq!(repathed(path, [(own, theirs)].into_iter()), expected, "{path} {own} {theirs}");
        }
    }

    #[test]
    fn titles_are_those_of_python() {
        for (title, expected) in [
            ("initial_schema", "Initial Schema"),
            ("add_index_on_USERS", "Add Index On Users"),
            ("2nd_index", "2Nd Index"),
            ("v2_names", "V2 Names"),
            ("o'brien-x__y", "O'Brien-X  Y"),
            ("straße_ÄRGER", "Straße Ärger"),
            ("ß", "Ss"),
        ] {
            assert_eq!(titled(title), expected);
        }
    }

    #[test]
    fn flyway_cuts_what_its_columns_do_not_hold() {
        let cut = |name: &str, file: &str| {
            let row = ForeignRow { name: Some(name.to_owned()), file: Some(file.to_owned()), ..ForeignRow::default() };
            let row = cut_for_flyway(row);
            (row.name.unwrap_or_default(), row.file.unwrap_or_default())
        };
        let (long, dots) = (|count: usize| "ä".repeat(count), "...");
        assert_eq!(cut(&long(200), &long(1000)), (long(200), long(1000)));
        assert_eq!(cut(&long(201), &long(1001)), (long(197) + dots, dots.to_owned() + &long(997)));
        assert_eq!(cut(&"🐦".repeat(101), "").0, "🐦".repeat(98) + dots);
    }

    #[test]
    fn times_are_counted_from_1970() {
        assert_eq!(milliseconds("19700101000001").as_deref(), Some("1000"));
        assert_eq!(milliseconds("20240229120000").as_deref(), Some("1709208000000"));
        assert_eq!(milliseconds("0001"), None);
    }
}
