//! Two branches of a project beside each other: what was added here and there since they parted, and where that clashes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use limosa_sql::Engine;

use crate::{Checksum, Identity, Version};

/// How the order of versions binds a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// It runs once, in order.
    InOrder,
    /// It runs once, and may come late or stand for others.
    Free,
    /// It runs whenever it changes, and has no version.
    Repeatable,
}

/// A migration file as one side has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchFile {
    /// Its path, alike on all sides.
    pub path: String,
    /// What it is called, alike on all sides: its path, or what a list of its tool, or a part of a file, calls it.
    pub name: String,
    /// When it was made, in milliseconds since the Unix epoch, where its tool decides by that what runs.
    pub made_at: Option<i64>,
    /// What it is known by.
    pub identity: Identity,
    /// Its version; None for repeatables.
    pub version: Option<Version>,
    /// The version as written.
    pub label: String,
    /// How order binds it.
    pub binding: Binding,
    /// The engines that it is meant for; empty means all.
    pub engines: Vec<Engine>,
    /// The checksum of its up part, once for each engine as which it may be read, in one order on all sides; None where it cannot be
    /// read so.
    pub up_checksums: Vec<Option<Checksum>>,
    /// The checksum of its whole text, line endings made equal.
    pub text_checksum: Checksum,
    /// What a list of its tool says of it besides, which the tool makes its id of: what each part is called, and what it says.
    pub stated: Vec<(&'static str, String)>,
}

impl BranchFile {
    /// True where both do the same for all engines as which both can be read; where there is none, where their texts are equal.
    fn does_as(&self, other: &BranchFile) -> bool {
        let both = self.up_checksums.iter().zip(&other.up_checksums);
        let mut read = both.filter_map(|(mine, theirs)| Some(mine.as_ref()? == theirs.as_ref()?)).peekable();
        self.text_checksum == other.text_checksum || (read.peek().is_some() && read.all(|is_equal| is_equal))
    }

    /// The parts of which the list says something else of the other one; what it says of one alone does not count.
    pub fn restated(&self, other: &BranchFile) -> Vec<&'static str> {
        let pairs = self.stated.iter().zip(&other.stated);
        pairs.filter(|(mine, theirs)| mine != theirs).map(|((part, _), _)| *part).collect()
    }

    /// True where some engine may be meant by both.
    pub fn meets(&self, other: &BranchFile) -> bool {
        let (mine, theirs) = (&self.engines, &other.engines);
        mine.is_empty() || theirs.is_empty() || mine.iter().any(|engine| theirs.contains(engine))
    }
}

/// What says in which order migrations run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderedBy {
    /// Their versions.
    Versions,
    /// A list, in which the version is the place: it may be another one on each side.
    Places,
}

/// Something that two branches do not agree on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clash<'f> {
    /// Both have a migration of one identity, and it is not the same one.
    SameIdentity {
        /// The one that was added here.
        here: &'f BranchFile,
        /// The other one.
        there: &'f BranchFile,
    },
    /// A migration that was added here is older than the newest one there.
    Late {
        /// The one that was added here.
        here: &'f BranchFile,
        /// The newest one there.
        newest: &'f BranchFile,
    },
    /// The tool passes a migration over that was added here, without a word: by its time it is not newer than the newest one there.
    PassedOver {
        /// The one that was added here.
        here: &'f BranchFile,
        /// The newest one there, by its time.
        newest: &'f BranchFile,
    },
    /// Two migrations that both have stand in another order here.
    Moved {
        /// The one that comes later here.
        here: &'f BranchFile,
        /// The one that comes later there, as it stands here.
        before: &'f BranchFile,
    },
    /// A migration that both had does something else here.
    Edited {
        /// As it stands here; under another name, perhaps.
        here: &'f BranchFile,
        /// As it stood.
        before: &'f BranchFile,
    },
    /// The list of its tool says something else here of a migration that both have.
    Restated {
        /// As it stands here.
        here: &'f BranchFile,
        /// As it stood where they parted, or as it stands there where it was added on both sides.
        other: &'f BranchFile,
        /// How many of the list stand behind it here.
        behind: usize,
    },
    /// A migration that both had stands here under another name.
    Renamed {
        /// As it stands here.
        here: &'f BranchFile,
        /// As it stood.
        before: &'f BranchFile,
    },
    /// A migration that both had is gone here.
    Deleted {
        /// As it stood.
        before: &'f BranchFile,
    },
}

/// What two branches have made of what they had in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison<'f> {
    /// What was added here, in the order in which it runs.
    pub added: Vec<&'f BranchFile>,
    /// What they do not agree on, in the order of paths here, then what is gone.
    pub clashes: Vec<Clash<'f>>,
}

/// Compares the files of this branch with those of another one and with those that both had where they parted.
pub fn compare_branches<'f>(
    base: &'f [BranchFile],
    there: &'f [BranchFile],
    here: &'f [BranchFile],
    order: OrderedBy,
) -> Comparison<'f> {
    let by_name = |files: &'f [BranchFile]| -> HashMap<&'f str, &'f BranchFile> {
        files.iter().map(|file| (file.name.as_str(), file)).collect()
    };
    let (at_base, at_there, at_here) = (by_name(base), by_name(there), by_name(here));
    let mut clashes = Vec::new();
    let mut added: Vec<&BranchFile> = Vec::new();
    for file in here {
        let (before, other) = (at_base.get(file.name.as_str()), at_there.get(file.name.as_str()));
        clashes.extend(restated(file, before.copied(), other.copied(), here));
        let runs_once = file.binding != Binding::Repeatable;
        match (before, other) {
            (None, None) => added.push(file),
            (Some(before), _) if before.does_as(file) => {}
            (_, Some(other)) if other.does_as(file) => {}
            (Some(before), _) if runs_once => clashes.push(Clash::Edited { here: file, before }),
            (None, Some(other)) => clashes.push(Clash::SameIdentity { here: file, there: other }),
            (Some(_), _) => {}
        }
    }
    let gone = base.iter().filter(|file| !at_here.contains_key(file.name.as_str()));
    // What was taken away on both sides is nobody's loss here.
    for before in gone.filter(|file| at_there.contains_key(file.name.as_str())) {
        let heir = |same: &dyn Fn(&BranchFile) -> bool| added.iter().position(|file| same(file));
        let heir = heir(&|file| file.identity == before.identity && file.meets(before) && file.does_as(before))
            .or_else(|| heir(&|file| file.identity == before.identity && file.meets(before)))
            .or_else(|| heir(&|file| file.binding == before.binding && file.does_as(before)));
        let Some(heir) = heir else {
            clashes.push(Clash::Deleted { before });
            continue;
        };
        let here = added.remove(heir);
        match here.does_as(before) || before.binding == Binding::Repeatable {
            true => clashes.push(Clash::Renamed { here, before }),
            false => clashes.push(Clash::Edited { here, before }),
        }
    }
    added.sort_by(|one, other| (&one.version, &one.path).cmp(&(&other.version, &other.path)));
    let mut identities: HashMap<&Identity, Vec<&BranchFile>> = HashMap::new();
    there.iter().for_each(|file| identities.entry(&file.identity).or_default().push(file));
    // By places only what both sides have can be behind one that is new here.
    let shared = || here.iter().filter(|file| at_there.contains_key(file.name.as_str()));
    let newest_for = |here: &BranchFile| match order {
        OrderedBy::Versions => newest_of(there.iter().filter(|other| other.meets(here))),
        OrderedBy::Places => newest_of(shared().filter(|other| other.meets(here))),
    };
    let newest_made = there.iter().filter(|file| file.made_at.is_some()).max_by_key(|file| file.made_at);
    for &here in &added {
        let twins = identities.get(&here.identity).into_iter().flatten();
        if let Some(there) = twins.copied().find(|other| other.meets(here)) {
            clashes.push(Clash::SameIdentity { here, there });
        } else if let Some(newest) = newest_for(here)
            && here.binding == Binding::InOrder
            && here.version < newest.version
        {
            clashes.push(Clash::Late { here, newest });
        } else if let Some(newest) = newest_made
            && here.made_at.is_some_and(|made| Some(made) <= newest.made_at)
        {
            clashes.push(Clash::PassedOver { here, newest });
        }
    }
    if order == OrderedBy::Places {
        clashes.extend(moved(shared().collect(), &at_there));
    }
    Comparison { added, clashes }
}

/// Where this side says of a migration what neither the other one says nor both said.
fn restated<'f>(
    file: &'f BranchFile,
    before: Option<&'f BranchFile>,
    there: Option<&'f BranchFile>,
    here: &[BranchFile],
) -> Option<Clash<'f>> {
    let there = there?;
    let other = before.unwrap_or(there);
    let says_else = |other: &BranchFile| !file.restated(other).is_empty();
    // One that was added on both sides and does not do the same is told of as that.
    if !says_else(other) || !says_else(there) || (before.is_none() && !file.does_as(there)) {
        return None;
    }
    let behind = here.iter().filter(|one| one.binding == Binding::InOrder && one.version > file.version).count();
    Some(Clash::Restated { here: file, other, behind })
}

/// The first pair that stands in another order here.
fn moved<'f>(mut shared: Vec<&'f BranchFile>, there: &HashMap<&str, &BranchFile>) -> Option<Clash<'f>> {
    shared.retain(|file| file.binding == Binding::InOrder);
    shared.sort_by(|one, other| one.version.cmp(&other.version));
    let place = |file: &BranchFile| there.get(file.name.as_str()).and_then(|other| other.version.as_ref());
    let pair = shared.windows(2).find(|pair| place(pair[0]) > place(pair[1]))?;
    Some(Clash::Moved { here: pair[1], before: pair[0] })
}

/// The file with the highest version that makes others late; None where none has one.
pub fn newest_of<'f>(files: impl IntoIterator<Item = &'f BranchFile>) -> Option<&'f BranchFile> {
    let counts = |version: &Version| !version.is_behind_numbers();
    let versioned = files.into_iter().filter(|file| file.version.as_ref().is_some_and(counts));
    versioned.max_by(|one, other| (&one.version, &one.path).cmp(&(&other.version, &other.path)))
}

impl<'f> Comparison<'f> {
    /// What must get a newer version for these branches to go together: each that clashes by its version, and all that were added
    /// here after the first of them, so that their order stays. In the order in which they run.
    pub fn to_renumber(&self) -> Vec<&'f BranchFile> {
        let clashing: Vec<&BranchFile> = self
            .clashes
            .iter()
            .filter_map(|clash| match clash {
                Clash::SameIdentity { here, .. } | Clash::Late { here, .. } => Some(*here),
                _ => None,
            })
            .collect();
        let movable = self.added.iter().copied().filter(|file| file.binding == Binding::InOrder);
        movable.skip_while(|file| !clashing.iter().any(|other| other.path == file.path)).collect()
    }
}

/// Pairs of paths that differ by capitals alone, where at least one of the pair is new here: a file system that does not tell
/// capitals apart keeps one of the two. `there` are the paths of the other branch that were not taken away here.
pub fn equal_but_for_case<'p>(new_here: &BTreeSet<&'p str>, all: &BTreeSet<&'p str>) -> Vec<(&'p str, &'p str)> {
    let mut folded: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for &path in all.union(new_here) {
        folded.entry(path.to_lowercase()).or_default().push(path);
    }
    let mut pairs = Vec::new();
    for alike in folded.into_values().filter(|alike| alike.len() > 1) {
        let Some(&mine) = alike.iter().find(|path| new_here.contains(*path)) else { continue };
        pairs.extend(alike.iter().filter(|path| **path != mine).map(|&other| (mine, other)));
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `004_a=text`: a versioned file, its version what stands before `_`; `R_a` is a repeatable, `L4_a` may come late. Behind `@`
    /// stands an engine, behind `#` what a list says of it.
    fn files(written: &str) -> Vec<BranchFile> {
        let file = |word: &str| {
            let (word, said) = word.split_once('#').map_or((word, None), |(word, said)| (word, Some(said)));
            let (word, engine) = word.split_once('@').unwrap_or((word, ""));
            let (path, text) = word.split_once('=').unwrap_or((word, ""));
            let label = path.split('_').next().unwrap();
            let (binding, number) = match label.split_at(1) {
                ("R", _) => (Binding::Repeatable, None),
                ("L", number) => (Binding::Free, Some(number)),
                _ => (Binding::InOrder, Some(label)),
            };
            let version = number.map(|number| Version::parse(number).unwrap());
            BranchFile {
                path: path.to_owned(),
                name: path.to_owned(),
                made_at: None,
                identity: version.as_ref().map_or_else(|| Identity::new(path), Identity::of_version),
                version,
                label: label.to_owned(),
                binding,
                engines: Engine::from_name(engine).into_iter().collect(),
                up_checksums: vec![Some(Checksum::of(text.as_bytes()))],
                text_checksum: Checksum::of(text.as_bytes()),
                stated: said.map(|said| ("note", said.to_owned())).into_iter().collect(),
            }
        };
        written.split_whitespace().map(file).collect()
    }

    fn said(clash: &Clash<'_>) -> String {
        match clash {
            Clash::SameIdentity { here, there } => format!("same {} {}", here.path, there.path),
            Clash::Late { here, newest } => format!("late {} {}", here.path, newest.path),
            Clash::Edited { here, before } => format!("edited {} {}", here.path, before.path),
            Clash::Renamed { here, before } => format!("renamed {} {}", here.path, before.path),
            Clash::Restated { here, behind, .. } => format!("restated {} before {behind}", here.path),
            Clash::PassedOver { here, newest } => format!("passed over {} behind {}", here.path, newest.path),
            Clash::Moved { here, before } => format!("moved {} before {}", before.path, here.path),
            Clash::Deleted { before } => format!("deleted {}", before.path),
        }
    }

    #[test]
    fn what_clashes_and_what_must_move() {
        for (base, there, here, expected, moved) in [
            ("1_a", "1_a", "1_a", "", ""),
            ("1_a", "1_a", "1_a 2_b", "", ""),
            ("1_a", "1_a 2_c", "1_a 2_b", "same 2_b 2_c", "2_b"),
            ("1_a", "1_a 3_c", "1_a 2_b 4_d", "late 2_b 3_c", "2_b 4_d"),
            ("1_a", "1_a 3_c", "1_a 4_b 5_d", "", ""),
            // What came after one that moves, moves behind it; what came before it stays.
            ("1_a", "1_a 5_c", "1_a 5_b 6_d", "same 5_b 5_c", "5_b 6_d"),
            // Merged already.
            ("1_a 2_c", "1_a 2_c", "1_a 2_b 2_c", "same 2_b 2_c", "2_b"),
            ("1_a", "1_a 2_c", "1_a 2_c", "", ""),
            ("1_a", "1_a 2_c=x", "1_a 2_c=y", "same 2_c 2_c", ""),
            ("1_a=x", "1_a=x", "1_a=y", "edited 1_a 1_a", ""),
            ("1_a=x", "1_a=y", "1_a=x", "", ""),
            ("1_a=x", "1_a=y", "1_a=y", "", ""),
            ("1_a 2_b=x", "1_a 2_b=x", "1_a", "deleted 2_b", ""),
            ("1_a 2_b=x", "1_a", "1_a", "", ""),
            ("1_a=x", "1_a=x", "1_b=x", "renamed 1_b 1_a", ""),
            ("1_a=x", "1_a=x", "3_b=x", "renamed 3_b 1_a", ""),
            ("1_a=x", "1_a=x", "1_b=y", "edited 1_b 1_a", ""),
            ("1_a#x 2_b#x", "1_a#x 2_b#x", "1_a#y 2_b#x", "restated 1_a before 1", ""),
            ("1_a#x", "1_a#y", "1_a#x", "", ""),
            ("1_a#x", "1_a#y", "1_a#y", "", ""),
            ("", "1_a#x", "1_a#y", "restated 1_a before 0", ""),
            ("", "1_a=x#x", "1_a=y#y", "same 1_a 1_a", ""),
            ("1_a=x#x", "1_a=x#x", "1_a=y#y", "restated 1_a before 0, edited 1_a 1_a", ""),
            ("1_a#x", "", "1_a#y", "", ""),
            ("R_a=x", "R_a=x", "R_a=y", "", ""),
            ("R_a=x", "R_a=x", "R_b=x", "renamed R_b R_a", ""),
            ("1_a", "1_a 3_b", "1_a L2_c R_x", "", ""),
            ("1_a", "1_a 2_b@postgres", "1_a 2_b2@sqlite", "", ""),
            ("1_a", "1_a 3_b@postgres", "1_a 2_c@sqlite", "", ""),
            ("1_a", "1_a 3_b@postgres", "1_a 2_c", "late 2_c 3_b", "2_c"),
            ("", "1_a", "2_b", "", ""),
        ] {
            let (base, there, here) = (files(base), files(there), files(here));
            let compared = compare_branches(&base, &there, &here, OrderedBy::Versions);
            let found: Vec<String> = compared.clashes.iter().map(said).collect();
            assert_eq!(found.join(", "), expected, "{here:?}");
            let paths: Vec<&str> = compared.to_renumber().iter().map(|file| file.path.as_str()).collect();
            assert_eq!(paths.join(" "), moved, "{here:?}");
        }
    }

    #[test]
    fn engines_that_can_read_a_file_say_whether_it_changed() {
        // A checksum for each engine, `-` where it cannot read the file, and that of the whole text.
        let file = |written: &str| {
            let (engines, text) = written.split_once('/').unwrap();
            let sum = |letter: char| (letter != '-').then(|| Checksum::of(letter.to_string().as_bytes()));
            let read = files("1_a").pop().unwrap();
            let (up_checksums, text_checksum) = (engines.chars().map(sum).collect(), Checksum::of(text.as_bytes()));
            vec![BranchFile { up_checksums, text_checksum, ..read }]
        };
        for (before, after, is_edited) in [
            ("aaa/x", "aaa/y", false),
            ("aaa/x", "aab/y", true),
            ("a--/x", "a--/y", false),
            ("ab-/x", "a-c/y", false),
            ("---/x", "---/y", true),
            ("---/x", "---/x", false),
            ("abc/x", "ccc/x", false),
        ] {
            let (before, after) = (file(before), file(after));
            let found = compare_branches(&before, &before, &after, OrderedBy::Versions);
            assert_eq!(!found.clashes.is_empty(), is_edited, "{before:?} {after:?}");
        }
    }

    #[test]
    fn names_that_differ_by_capitals_are_told_where_one_is_new() {
        let set = |written: &'static str| written.split_whitespace().collect::<BTreeSet<&str>>();
        let all = set("m/1_A m/1_a m/2_b/up m/2_B/up m/3_c");
        assert_eq!(equal_but_for_case(&set("m/1_a m/3_c"), &all), [("m/1_a", "m/1_A")]);
        assert_eq!(equal_but_for_case(&set("m/2_b/up"), &all), [("m/2_b/up", "m/2_B/up")]);
        assert_eq!(equal_but_for_case(&set(""), &all), []);
        assert_eq!(equal_but_for_case(&set("m/1_É m/1_é"), &set("m/1_é")), [("m/1_É", "m/1_é")]);
    }

    #[test]
    fn lists_are_compared_by_what_both_have() {
        /// `a b:40 c`: names in the order of a list, some with the time at which they were made.
        fn listed(written: &str) -> Vec<BranchFile> {
            let file = |(at, word): (usize, &str)| {
                let (name, made) = word.split_once(':').unwrap_or((word, ""));
                let version = Version::parse(&(at + 1).to_string()).unwrap().named(name);
                BranchFile {
                    identity: Identity::of_version(&version),
                    version: Some(version),
                    made_at: made.parse().ok(),
                    ..files(&format!("1_{name}={name}")).remove(0)
                }
            };
            let renamed = |file: BranchFile| BranchFile { name: file.identity.to_string(), ..file };
            written.split_whitespace().enumerate().map(file).map(renamed).collect()
        }
        for (base, there, here, expected) in [
            ("a b", "a b c", "a b d", vec![]),
            ("a b", "a b c d", "a b e", vec![]),
            ("a b", "a b", "a c b", vec!["late 1_c 1_b"]),
            ("a b c", "a b c", "a c b", vec!["moved 1_c before 1_b"]),
            ("a:1", "a:1 b:5", "a:1 c:9", vec![]),
            ("a:1", "a:1 b:5", "a:1 c:5", vec!["passed over 1_c behind 1_b"]),
        ] {
            let (base, there, here) = (listed(base), listed(there), listed(here));
            let compared = compare_branches(&base, &there, &here, OrderedBy::Places);
            let told: Vec<String> = compared.clashes.iter().map(said).collect();
            assert_eq!(told, expected, "{here:?}");
        }
    }
}
