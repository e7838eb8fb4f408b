//! The formats that limosa reads. A new one is a folder or file beside this one, and its line in [`FORMATS`].

pub mod dbmate;
pub mod diesel;
pub mod drizzle;
pub mod flyway;
pub mod goose;
pub mod liquibase;
pub mod native;
pub mod node_pg_migrate;
pub mod pattern;
pub mod prisma;
pub mod refinery;
pub mod sqitch;
pub mod sql_migrate;
pub mod sqlx;
pub mod up_down;

use native::Place;

/// A format of migration folders.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// The name that users write after `--format`.
    pub name: &'static str,
    /// One line for people.
    pub description: &'static str,
    /// How many of a folder's files have a place in it, by their names.
    pub(crate) votes: fn(&[Place<'_>]) -> usize,
    /// Where names are like those of another format: whether the paths of the folder, or the names of what stands around it
    /// ([`SIGNS`]), speak for this one. It then goes before the other.
    pub(crate) sign: Option<Sign>,
}

/// Whether paths of a folder, or names of what stands around it, speak for a format.
pub(crate) type Sign = fn(places: &[Place<'_>], around: &[&str]) -> bool;

/// All formats, the native one first.
pub const FORMATS: &[Format] = &[
    native::FORMAT,
    flyway::FORMAT,
    up_down::FORMAT,
    goose::FORMAT,
    dbmate::FORMAT,
    sql_migrate::FORMAT,
    node_pg_migrate::FORMAT,
    sqlx::FORMAT,
    refinery::FORMAT,
    diesel::FORMAT,
    prisma::FORMAT,
    drizzle::FORMAT,
    sqitch::FORMAT,
    liquibase::FORMAT,
    pattern::FORMAT,
];

/// Files and folders that say, beside a folder of migrations or above it, whose it is.
pub const SIGNS: &[&str] = &["sqlx.toml", ".sqlx", "refinery.toml", "sqitch.conf", sqitch::PLAN];

/// How many of a folder's files have a place in each format.
pub(crate) struct Votes {
    /// In the order of [`FORMATS`]; None where the names are like those of another format, and nothing speaks for this one.
    counts: Vec<Option<usize>>,
}

impl Votes {
    /// Counts. `around` are the names of [`SIGNS`] that stand beside the folder or above it.
    pub(crate) fn count(places: &[Place<'_>], around: &[&str]) -> Votes {
        let is_meant = |format: &Format| format.sign.is_none_or(|sign| sign(places, around));
        Votes { counts: FORMATS.iter().map(|format| is_meant(format).then(|| (format.votes)(places))).collect() }
    }

    /// Formats that may be meant, with their votes.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&'static Format, usize)> {
        FORMATS.iter().zip(&self.counts).filter_map(|(format, votes)| Some((format, (*votes)?)))
    }

    /// The format in which most files have a place, by their names; the first of the table where several are equal, but for one that
    /// has its sign. None where no file has a place.
    pub(crate) fn winner(&self) -> Option<&'static Format> {
        let mut best: Option<(&Format, usize)> = None;
        for (format, votes) in self.each() {
            let most = best.map_or(0, |(_, best)| best);
            if votes > most || (format.sign.is_some() && votes > 0 && votes == most) {
                best = Some((format, votes));
            }
        }
        best.map(|(format, _)| format)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn places<'p>(paths: &[&'p str]) -> Vec<Place<'p>> {
        paths.iter().map(|path| Place::of(path)).collect()
    }

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
            (&["m/20240101_a/up.sql", "m/20240101_a/down.sql"], Some("diesel")),
            (&["m/2024-01-01-000000_a/up.sql"], Some("diesel")),
            (&["m/20240101000000_a/migration.sql", "m/migration_lock.toml"], Some("prisma")),
            (&["m/20240101000000_a/migration.sql", "m/20240101000000_a/snapshot.json"], Some("drizzle")),
            (&["m/0000_a.sql", "m/meta/_journal.json", "m/meta/0000_snapshot.json"], Some("drizzle")),
            (&["m/0000_a.sql", "m/meta/0000_snapshot.json"], Some("native")),
            (&["V1__a.sql", "V2__b.rs"], Some("refinery")),
            (&["V1__a.sql", "U2__b.sql", "U3__c.sql"], Some("refinery")),
            (&["U1__a.sql"], Some("refinery")),
            (&["V1__a.sql", "V2__b.sql", "U2__b.sql"], Some("flyway")),
            (&["V1__a.sql", "U2__b.sql", "R__c.sql"], Some("flyway")),
            (&["V1__a.sql", "R__b.sql", "R__c.sql", "V2__b.rs"], Some("flyway")),
            (&["deploy/1_a.sql", "revert/1_a.sql", "sqitch.plan"], Some("sqitch")),
            (&["deploy/1_a.sql"], Some("native")),
            (&["m/1_a.sql", "m/db.changelog-master.yaml"], Some("liquibase")),
            (&["a.txt"], None),
            (&[], None),
        ] {
            assert_eq!(Votes::count(&places(paths), &[]).winner().map(|format| format.name), expected, "{paths:?}");
        }
    }
    #[test]
    fn what_stands_around_a_folder_decides_between_equal_names() {
        for (paths, around, expected) in [
            (&["1_a.sql"][..], &["sqlx.toml"][..], "sqlx"),
            (&["1_a.sql"], &[".sqlx"], "sqlx"),
            (&["1_a.sql", "2_b.up.sql", "2_b.down.sql"], &[".sqlx"], "sqlx"),
            (&["1_a.sql", "1_a.rollback.sql", "R__b.sql"], &[".sqlx"], "native"),
            (&["V1__a.sql", "U2__b.sql"], &["refinery.toml"], "refinery"),
            (&["V1__a.sql", "R__b.sql"], &["refinery.toml"], "flyway"),
            (&["V1__a.sql"], &["sqlx.toml"], "flyway"),
        ] {
            assert_eq!(
                Votes::count(&places(paths), around).winner().map(|format| format.name),
                Some(expected),
                "{paths:?} {around:?}"
            );
        }
    }
}
