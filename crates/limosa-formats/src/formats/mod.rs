//! The formats that limosa reads. A new one is a folder or file beside this one, and its line in [`FORMATS`].

pub mod flyway;
pub mod native;

/// A format of migration folders.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// The name that users write after `--format`.
    pub name: &'static str,
    /// One line for people.
    pub description: &'static str,
    /// How sure the names of a folder's files make us that it is of this format.
    pub detect: fn(&[&str]) -> Confidence,
}

/// How sure a guess is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// Nothing speaks for it.
    No,
    /// The names allow it, and other formats too.
    Possible,
    /// A name speaks for it.
    Likely,
    /// A name that only this format knows.
    Certain,
}

/// All formats, the native one first.
pub const FORMATS: &[Format] = &[native::FORMAT, flyway::FORMAT];

/// The format that the names of a folder's files speak for most; the first of the table where several are equal, None
/// where nothing speaks for any.
pub fn detect(paths: &[&str]) -> Option<&'static Format> {
    let mut best: Option<(&Format, Confidence)> = None;
    for format in FORMATS {
        let confidence = (format.detect)(paths);
        if confidence > best.map_or(Confidence::No, |(_, best)| best) {
            best = Some((format, confidence));
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
    fn native_folders_are_recognised() {
        for (paths, expected) in [
            (&["m/001_create.sql"][..], Confidence::Possible),
            (&["m/001_create.sql", "m/001_create.rollback.sql"], Confidence::Likely),
            (&["m/rollbacks/001_rollback.sql"], Confidence::Likely),
            (&["m/001_create.sql", "m/migration_config.yaml"], Confidence::Certain),
            (&["m/V1__create.sql", "m/README.md"], Confidence::No),
            (&[], Confidence::No),
        ] {
            assert_eq!((native::FORMAT.detect)(paths), expected, "{paths:?}");
        }
        assert_eq!(detect(&["001_a.sql"]).map(|format| format.name), Some("native"));
        for flyway in [&["V1__a.sql"][..], &["R__a.sql", "V1__a.sql"], &["001_a.sql", "U1.sql"], &["beforeMigrate.sql"]]
        {
            assert_eq!(detect(flyway).map(|format| format.name), Some("flyway"), "{flyway:?}");
        }
        assert_eq!(detect(&["R__a.sql"]).map(|format| format.name), Some("native"));
        assert!(detect(&["a.txt"]).is_none());
    }
}
