//! The formats that limosa reads. A new one is a folder or file beside this one, and its line in [`FORMATS`].

pub mod dbmate;
pub mod flyway;
pub mod goose;
pub mod native;
pub mod up_down;

/// A format of migration folders.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// The name that users write after `--format`.
    pub name: &'static str,
    /// One line for people.
    pub description: &'static str,
    /// How many of a folder's files have a place in it, by their names.
    pub votes: fn(&[&str]) -> usize,
}

/// All formats, the native one first.
pub const FORMATS: &[Format] = &[native::FORMAT, flyway::FORMAT, up_down::FORMAT, goose::FORMAT, dbmate::FORMAT];

/// The format in which most of a folder's files have a place, by their names; the first of the table where several are equal,
/// None where none has one.
pub fn detect(paths: &[&str]) -> Option<&'static Format> {
    let mut best: Option<(&Format, usize)> = None;
    for format in FORMATS {
        let votes = (format.votes)(paths);
        if votes > best.map_or(0, |(_, best)| best) {
            best = Some((format, votes));
        }
    }
    best.map(|(format, _)| format)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "compares the table with the files of this crate")]
    fn table_and_folder_agree() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/formats");
        let beside: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
            .filter(|stem| stem != "mod")
            .collect();
        let named: BTreeSet<String> = FORMATS.iter().map(|format| format.name.to_owned()).collect();
        assert_eq!(beside, named);
        assert!(FORMATS.iter().all(|format| !format.description.is_empty()));
    }

    #[test]
    fn folders_are_recognised() {
        for (paths, expected) in [
            (&["m/001_create.sql"][..], Some("native")),
            (&["m/001_create.sql", "m/001_create.rollback.sql"], Some("native")),
            (&["m/rollbacks/001_rollback.sql"], Some("native")),
            (&["R__a.sql"], Some("native")),
            (&["V1__a.sql", "m/README.md"], Some("flyway")),
            (&["R__a.sql", "V1__a.sql"], Some("flyway")),
            (&["beforeMigrate.sql"], Some("flyway")),
            // A stray file decides nothing.
            (&["001_a.sql", "002_b.sql", "V3__c.sql"], Some("native")),
            (&["V1__a.sql", "V2__b.sql", "003_c.sql"], Some("flyway")),
            (&["001_a.sql", "V2__b.sql"], Some("native")),
            (&["1_a.up.sql", "1_a.down.sql", "README.md"], Some("up_down")),
            (&["1_a.up.sql", "2_b.sql"], Some("native")),
            (&["a.txt"], None),
            (&[], None),
        ] {
            assert_eq!(detect(paths).map(|format| format.name), expected, "{paths:?}");
        }
    }
}
