//! `Depends-on`: references found, checked, and brought into an order.

use std::collections::HashMap;

use limosa_core::{Cycle, Identity, Kind, Version, order};
use limosa_sql::{Diagnostic, Label};

use super::assemble::Candidate;
use super::headers::as_prose;
use super::names::{Selector, split, stem_of};
use crate::codes;

/// Finds changes by what users write.
pub(crate) struct Directory {
    versions: HashMap<Version, usize>,
    repeatables: HashMap<String, usize>,
    /// By the names of files without `.sql`, and by names that are identities.
    files: HashMap<String, usize>,
    /// By names that are identities, which may hold anything.
    names: HashMap<String, usize>,
}

impl Directory {
    pub(crate) fn new(candidates: &[Box<Candidate>]) -> Directory {
        let mut directory = Directory {
            versions: HashMap::new(),
            repeatables: HashMap::new(),
            files: HashMap::new(),
            names: HashMap::new(),
        };
        for (index, candidate) in candidates.iter().enumerate() {
            match &candidate.change.kind {
                Kind::Versioned(version) => {
                    directory.versions.insert(version.clone(), index);
                }
                Kind::Repeatable => {
                    let name = candidate.change.identity.as_str().trim_start_matches("R:");
                    directory.repeatables.insert(name.to_owned(), index);
                    // A name may hold what looks like a folder.
                    directory.names.insert(candidate.change.identity.to_string(), index);
                }
            }
            for file in std::iter::once(&candidate.change.script.file).chain(&candidate.variants) {
                directory.files.insert(stem_of(file).to_owned(), index);
            }
        }
        for (index, candidate) in candidates.iter().enumerate() {
            if let Kind::Versioned(version) = &candidate.change.kind
                && let Some(name) = version.name()
            {
                directory.files.insert(name.to_owned(), index);
                directory.names.insert(name.to_owned(), index);
                // A migration that has a folder of its own is named by it, too.
                let file = &candidate.change.script.file;
                if !name.starts_with(stem_of(file)) {
                    directory.files.entry(split(split(file).0).1.to_owned()).or_insert(index);
                }
            }
        }
        directory
    }

    pub(crate) fn find(&self, selector: &Selector) -> Option<usize> {
        match selector {
            Selector::Version(version) => {
                self.versions.get(version).or_else(|| self.files.get(version.to_string().as_str()))
            }
            Selector::Repeatable(name) => self.repeatables.get(name),
            Selector::File(stem) => self.files.get(stem),
        }
        .copied()
    }

    /// The one that somebody means by this text.
    pub(crate) fn meant(&self, text: &str) -> Option<usize> {
        self.names.get(text).copied().or_else(|| self.find(&Selector::parse(text)))
    }

    /// The file name most like a text that was not found.
    pub(crate) fn nearest(&self, text: &str) -> Option<&str> {
        let stem = stem_of(text);
        let limit = (stem.chars().count() / 4).max(1);
        self.files
            .keys()
            .map(|known| (strsim::osa_distance(stem, known), known.as_str()))
            .filter(|&(distance, _)| distance <= limit)
            .min()
            .map(|(_, known)| known)
    }
}

/// Resolves the references of all candidates, which stand in their natural order, and gives the order in which they
/// run. Where something is wrong the natural order is given.
pub(crate) fn resolve(candidates: &mut [Box<Candidate>], diagnostics: &mut Vec<Diagnostic>) -> Vec<usize> {
    if candidates.iter().all(|candidate| candidate.references.is_empty()) {
        return (0..candidates.len()).collect();
    }
    let directory = Directory::new(candidates);
    let mut edges = Vec::new();
    for index in 0..candidates.len() {
        for target in targets(candidates, &directory, index, diagnostics) {
            edges.push((index, target));
            let identity = candidates[target].change.identity.clone();
            let depends_on = &mut candidates[index].change.depends_on;
            if !depends_on.contains(&identity) {
                depends_on.push(identity);
            }
        }
    }
    order(candidates.len(), &edges).unwrap_or_else(|cycle| {
        diagnostics.push(named(&cycle, candidates));
        (0..candidates.len()).collect()
    })
}

fn targets(
    candidates: &[Box<Candidate>],
    directory: &Directory,
    index: usize,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<usize> {
    let candidate = &candidates[index];
    let file = &candidate.change.script.file;
    let mut found = Vec::new();
    for reference in &candidate.references {
        let Some(target) = directory.meant(&reference.text) else {
            let message = format!("{file} depends on {}, which does not exist", reference.text);
            let help = match directory.nearest(&reference.text) {
                Some(known) => format!("did you mean {known}?"),
                None => "add the migration, or correct the name".to_owned(),
            };
            let mut problem =
                Diagnostic::error(codes::MISSING_DEPENDENCY, message).at(reference.label.clone()).help(help);
            if reference.may_be_prose {
                as_prose(&mut problem);
            }
            diagnostics.push(problem);
            continue;
        };
        let versioned = matches!(candidate.change.kind, Kind::Versioned(_));
        if versioned && candidates[target].change.kind == Kind::Repeatable {
            let other = &candidates[target].change.script.file;
            let message = format!("{file} runs once and depends on {other}, which runs after all of its kind");
            diagnostics.push(
                Diagnostic::error(codes::DEPENDS_ON_REPEATABLE, message)
                    .at(reference.label.clone())
                    .help("let the repeatable one depend on this one, or make it a versioned migration"),
            );
            continue;
        }
        found.push(target);
    }
    found
}

fn named(cycle: &Cycle, candidates: &[Box<Candidate>]) -> Diagnostic {
    let files: Vec<&str> = cycle.0.iter().map(|&index| candidates[index].change.script.file.as_str()).collect();
    let message = match files.as_slice() {
        [alone] => format!("{alone} depends on itself"),
        _ => format!("these migrations depend on each other: {}, {}", files.join(", "), files[0]),
    };
    let mut diagnostic = Diagnostic::error(codes::DEPENDENCY_CYCLE, message).help("take one of these dependencies out");
    for (at, &index) in cycle.0.iter().enumerate() {
        let next = &candidates[cycle.0[(at + 1) % cycle.0.len()]].change.identity;
        diagnostic.labels.push(label_of(&candidates[index], next, candidates));
    }
    diagnostic
}

/// Where `candidate` says that it depends on `target`.
fn label_of(candidate: &Candidate, target: &Identity, candidates: &[Box<Candidate>]) -> Label {
    let directory = Directory::new(candidates);
    candidate
        .references
        .iter()
        .find(|reference| {
            let found = directory.meant(&reference.text);
            found.is_some_and(|index| candidates[index].change.identity == *target)
        })
        .map_or_else(|| Label::file(&candidate.change.script.file), |reference| reference.label.clone())
}
