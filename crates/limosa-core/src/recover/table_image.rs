//! The parts of a table, from the text of SHOW CREATE TABLE.

use std::collections::BTreeMap;

use limosa_sql::TablePart;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What SHOW CREATE showed of an object, short enough for the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// SHA-256 over the text, in hexadecimal; what changes with each row (AUTO_INCREMENT) is left out.
    pub digest: String,
    /// For tables: each part with a digest of its definition.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parts: BTreeMap<String, String>,
}

impl Image {
    /// The image of a table.
    pub fn of_table(show_create: &str) -> Image {
        let text = without_counter(show_create);
        let parts = parts(&text).into_iter().map(|(key, definition)| (key, short(&definition))).collect();
        Image { digest: digest(&text), parts }
    }

    /// The image of anything else.
    pub fn of_text(show_create: &str) -> Image {
        Image { digest: digest(show_create), parts: BTreeMap::new() }
    }

    /// The definitions of a part, where there are any: a constraint, and the index of its name.
    pub(super) fn part(&self, part: TablePart, name: Option<&str>) -> [Option<&String>; 2] {
        let name = name.unwrap_or_default();
        // DROP CONSTRAINT may mean a unique index. That of a foreign key stays behind when the key is dropped.
        let index = self.parts.get(&key(TablePart::Index, name)).filter(|_| part == TablePart::Constraint);
        [self.parts.get(&key(part, name)), index]
    }

    /// Names of the parts of a kind.
    pub(super) fn names(&self, part: TablePart) -> impl Iterator<Item = &String> {
        let prefix = key(part, "");
        self.parts.keys().filter(move |name| name.starts_with(&prefix))
    }
}

fn digest(text: &str) -> String {
    crate::hex(&Sha256::digest(text.as_bytes()))
}

/// Enough to tell two definitions of one part apart.
fn short(text: &str) -> String {
    digest(text).split_at(16).0.to_owned()
}

/// Names of columns, indexes and constraints differ not by their capitals.
fn key(part: TablePart, name: &str) -> String {
    let kind = match part {
        TablePart::Column => "column ",
        TablePart::Index => "index ",
        TablePart::Constraint => "constraint ",
        TablePart::Partition => "partition ",
        TablePart::PrimaryKey => return "primary key".to_owned(),
        TablePart::Partitioning => return "partitioning".to_owned(),
        TablePart::Period => "period ",
        TablePart::Versioning => return "versioning".to_owned(),
        // The server writes all of them on one line.
        _ => return "options".to_owned(),
    };
    format!("{kind}{}", name.to_lowercase())
}

/// The server writes the next number of AUTO_INCREMENT among the options; the word elsewhere stands for itself.
fn without_counter(text: &str) -> String {
    let Some(tail) = text.rfind("\n)") else { return text.to_owned() };
    let (body, options) = text.split_at(tail);
    let Some(at) = options.find(" AUTO_INCREMENT=") else { return text.to_owned() };
    let rest = options[at + 1..].find(' ').map_or("", |space| &options[at + 1 + space..]);
    // A partitioned table has lines behind the options.
    let rest = match (rest, options[at + 1..].find('\n'), options[at + 1..].find(' ')) {
        (_, Some(line), space) if space.is_none_or(|space| line < space) => &options[at + 1 + line..],
        (rest, ..) => rest,
    };
    format!("{body}{}{rest}", &options[..at])
}

/// How SHOW CREATE TABLE says that the history of rows is kept (MariaDB).
const VERSIONED: &str = " WITH SYSTEM VERSIONING";

/// Each definition stands on a line of its own, in two blanks; line ends within texts are escaped.
fn parts(text: &str) -> Vec<(String, String)> {
    let mut parts = Vec::new();
    let mut lines = text.lines().skip(1);
    for line in lines.by_ref() {
        let Some(definition) = line.strip_prefix("  ") else {
            // The words stand behind all options; a comment would end with a quote.
            let options = line.strip_suffix(VERSIONED).unwrap_or(line);
            if options.len() < line.len() {
                parts.push((key(TablePart::Versioning, ""), VERSIONED.to_owned()));
            }
            parts.push((key(TablePart::Option, ""), options.to_owned()));
            break;
        };
        let definition = definition.strip_suffix(',').unwrap_or(definition);
        parts.push((key_of(definition), definition.to_owned()));
    }
    let mut partitioning = String::new();
    for line in lines {
        match line.trim_start_matches([' ', '(']).strip_prefix("PARTITION ") {
            Some(rest) if rest.starts_with(['`', '"']) => {
                let name = quoted(rest).map(|(name, _)| name).unwrap_or_default();
                // The last one closes the list.
                parts.push((key(TablePart::Partition, &name), rest.trim_end_matches([',', ')']).to_owned()));
            }
            _ => partitioning.push_str(line.trim()),
        }
    }
    if !partitioning.is_empty() {
        parts.push((key(TablePart::Partitioning, ""), partitioning));
    }
    parts
}

fn key_of(definition: &str) -> String {
    if let Some((name, _)) = quoted(definition) {
        return key(TablePart::Column, &name);
    }
    if definition.starts_with("PRIMARY KEY") {
        return key(TablePart::PrimaryKey, "");
    }
    if let Some(period) = definition.strip_prefix("PERIOD FOR ") {
        let name = period.split([' ', '(']).next().unwrap_or_default();
        return key(TablePart::Period, name.trim_matches(['`', '"']));
    }
    let part = if definition.starts_with("CONSTRAINT ") { TablePart::Constraint } else { TablePart::Index };
    let first = definition.find(['`', '"']).map_or("", |at| &definition[at..]);
    key(part, &quoted(first).map(|(name, _)| name).unwrap_or_default())
}

/// The quoted name at the beginning, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|first| ['`', '"'].contains(first))?;
    let mut name = String::new();
    let mut rest = text[1..].char_indices().peekable();
    while let Some((at, letter)) = rest.next() {
        if letter != quote {
            name.push(letter);
        } else if rest.next_if(|(_, next)| *next == quote).is_some() {
            name.push(quote);
        } else {
            return Some((name, &text[1 + at + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "CREATE TABLE `t` (\n  `id` int(10) unsigned NOT NULL AUTO_INCREMENT,\n  \
        `Odd``name` varchar(10) DEFAULT 'a,b(' COMMENT 'x, KEY `z` AUTO_INCREMENT=9 y',\n  PRIMARY KEY (`id`),\n  \
        UNIQUE KEY `u` (`n`),\n  KEY `k` (`odd``name`(3) DESC),\n  FULLTEXT KEY `f` (`odd``name`),\n  \
        CONSTRAINT `fk1` FOREIGN KEY (`n`) REFERENCES `ref` (`id`),\n  CONSTRAINT `ck` CHECK (`n` < 5)\n\
        ) ENGINE=InnoDB AUTO_INCREMENT=2 DEFAULT CHARSET=latin1 COMMENT='hello'";

    #[test]
    fn parts_are_found_by_name() {
        let image = Image::of_table(TABLE);
        let keys: Vec<&str> = image.parts.keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            [
                "column id",
                "column odd`name",
                "constraint ck",
                "constraint fk1",
                "index f",
                "index k",
                "index u",
                "options",
                "primary key"
            ]
        );
        assert!(image.part(TablePart::Column, Some("ODD`NAME"))[0].is_some());
        assert_eq!(image.names(TablePart::Index).count(), 3);
    }

    #[test]
    fn new_rows_are_no_change_and_all_else_is() {
        let image = Image::of_table(TABLE);
        assert_eq!(image, Image::of_table(&TABLE.replace("AUTO_INCREMENT=2 ", "AUTO_INCREMENT=1977 ")));
        assert_eq!(image, Image::of_table(&TABLE.replace("AUTO_INCREMENT=2 ", "")));
        assert_ne!(image.digest, Image::of_table(&TABLE.replace("AUTO_INCREMENT=9 y", "AUTO_INCREMENT=8 y")).digest);
        assert_ne!(image.digest, Image::of_table(&TABLE.replace("hello", "bye")).digest);
        let other = Image::of_table(&TABLE.replace("varchar(10)", "varchar(11)"));
        let changed: Vec<&String> = image.parts.keys().filter(|key| image.parts[*key] != other.parts[*key]).collect();
        assert_eq!(changed, ["column odd`name"]);
    }

    #[test]
    fn versioning_is_a_part_of_its_own() {
        let plain = Image::of_table(TABLE);
        let partitions = "\n PARTITION BY SYSTEM_TIME \n(PARTITION `p` CURRENT ENGINE = InnoDB)";
        for behind in ["", partitions] {
            let image = Image::of_table(&format!("{TABLE} WITH SYSTEM VERSIONING{behind}"));
            assert!(image.part(TablePart::Versioning, None)[0].is_some(), "{behind}");
            assert_eq!(image.part(TablePart::Option, None), plain.part(TablePart::Option, None));
            assert_ne!(image.digest, plain.digest);
        }
        let told = Image::of_table(&TABLE.replace("hello", "hello WITH SYSTEM VERSIONING"));
        assert_eq!(told.part(TablePart::Versioning, None), [None, None]);
    }

    #[test]
    fn each_option_shows() {
        let plain = Image::of_table(TABLE);
        for option in [" ROW_FORMAT=COMPRESSED", " `PAGE_COMPRESSED`=1", " `ENCRYPTED`=yes", " STATS_PERSISTENT=1"] {
            let image = Image::of_table(&format!("{TABLE}{option}"));
            assert_ne!(image.part(TablePart::Option, None), plain.part(TablePart::Option, None), "{option}");
        }
    }

    #[test]
    fn partitions_have_their_names() {
        let text = "CREATE TABLE `p` (\n  `id` int(11) NOT NULL\n) ENGINE=InnoDB AUTO_INCREMENT=5\n PARTITION BY RANGE (`id`)\n\
                    (PARTITION `a` VALUES LESS THAN (10) ENGINE = InnoDB,\n PARTITION `b` VALUES LESS THAN MAXVALUE ENGINE = InnoDB)";
        let image = Image::of_table(text);
        for name in ["a", "b"] {
            assert!(image.part(TablePart::Partition, Some(name))[0].is_some(), "{name}");
        }
        assert!(image.part(TablePart::Partitioning, None)[0].is_some());
        assert_eq!(image, Image::of_table(&text.replace(" AUTO_INCREMENT=5", "")));
        let without = Image::of_table(&text.replace(",\n PARTITION `b` VALUES LESS THAN MAXVALUE ENGINE = InnoDB", ""));
        assert_eq!(image.part(TablePart::Partition, Some("A")), without.part(TablePart::Partition, Some("a")));
        assert!(without.part(TablePart::Partition, Some("b"))[0].is_none());
    }
}
