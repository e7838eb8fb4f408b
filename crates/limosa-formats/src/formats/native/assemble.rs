//! Files become changes: paired with their ways back, free of duplicates, in the order in which they run.

#![expect(clippy::vec_box, reason = "candidates are large, and sorted and moved several times")]

use std::sync::Arc;

use limosa_core::{
    Callback, CallbackWork, Change, Headers, Identity, Kind, Rollback, Script, Shared, SharedText, Version,
};
use limosa_sql::{Diagnostic, Engine, Label};
use thin_vec::ThinVec;

use super::config::{Config, ConfigEntry};
use super::dependencies::{Directory, resolve};
use super::facts::{Content, FileFacts};
use super::names::{FileRole, RollbackTarget, Selector, split, spoken, stem_of};
use super::wishes::Reference;
use crate::codes;

/// The changes of a project.
#[derive(Debug, Clone, Default)]
pub struct ChangeSet {
    /// In the order in which they run: versioned ones by version, among them repeatables that have a place there, then the other
    /// repeatables by name; a change always after those that it depends on.
    pub changes: Vec<Change>,
    /// Scripts that run around them, by event and description.
    pub callbacks: Vec<Callback>,
}

impl ChangeSet {
    /// The change with this identity.
    pub fn get(&self, identity: &Identity) -> Option<&Change> {
        self.changes.iter().find(|change| change.identity == *identity)
    }

    /// Pairs (change, what it depends on).
    pub fn edges(&self) -> impl Iterator<Item = (&Identity, &Identity)> {
        self.changes.iter().flat_map(|change| change.depends_on.iter().map(move |needs| (&change.identity, needs)))
    }
}

/// A change on its way into the set.
pub(crate) struct Candidate {
    pub(crate) change: Change,
    pub(crate) references: ThinVec<Reference>,
    /// Files of the same identity for other engines.
    pub(crate) variants: ThinVec<SharedText>,
    wanted: bool,
    /// True where the file's headers or its configuration name engines.
    for_engines: bool,
}

/// A way back in a file of its own.
struct WayBack {
    path: SharedText,
    of: RollbackTarget,
    beside: Option<String>,
    rollback: Option<Arc<Rollback>>,
}

/// Joins what was read of all files of a project. The set is only fit to be run where no diagnostic is an error.
///
/// Several files may share a version where each is meant for other engines; the one for `engine` is taken.
pub fn assemble(
    files: impl IntoIterator<Item = FileFacts>,
    configs: &[Config],
    engine: Engine,
) -> (ChangeSet, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let Sorted { candidates, backs, proofs, callbacks } = sorted(files);
    let entries: Vec<(&Config, &ConfigEntry)> =
        configs.iter().flat_map(|config| config.entries.iter().map(move |entry| (config, entry))).collect();
    let mut candidates = without_duplicates(candidates, engine, &mut diagnostics);
    diagnostics.extend(repeated_callbacks(&callbacks));
    pair(&mut candidates, backs, &mut diagnostics);
    prove(&mut candidates, proofs);
    check_entries(&entries, &candidates, &callbacks, &mut diagnostics);
    let order = resolve(&mut candidates, &mut diagnostics);
    let mut candidates: Vec<Option<Box<Candidate>>> = candidates.into_iter().map(Some).collect();
    let mut changes = Vec::with_capacity(candidates.len());
    let ordered = order.into_iter().filter_map(|index| candidates.get_mut(index).and_then(Option::take));
    changes.extend(ordered.map(|candidate| candidate.change));
    (ChangeSet { changes, callbacks }, diagnostics)
}

/// Files by what they are for. Candidates are large, and moved about.
struct Sorted {
    candidates: Vec<Box<Candidate>>,
    backs: Vec<WayBack>,
    proofs: Vec<(Version, Shared<Script>)>,
    callbacks: Vec<Callback>,
}

/// Changes in their natural order, ways back by path, callbacks by event and description.
fn sorted(files: impl IntoIterator<Item = FileFacts>) -> Sorted {
    let (mut candidates, mut backs, mut proofs, mut callbacks) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for facts in files {
        let FileFacts { path, role, headers, references, wanted, content, refusals, is_code, is_unread } = facts;
        match (role, content) {
            (FileRole::Rollback { of, beside }, Content::WayBack(rollback)) if wanted => {
                backs.push(WayBack { path, of, beside, rollback });
            }
            (FileRole::Callback { event, name, .. }, Content::Change { script, .. }) => {
                let name = name.to_string();
                callbacks.push(Callback { event, name, work: CallbackWork::Script(script), headers });
            }
            (FileRole::Proof { of }, Content::Change { script, .. }) => proofs.push((of, script)),
            (role, Content::Change { script, rollback }) => {
                let for_engines = !headers.engines.is_empty();
                let Some(mut change) = change(&role, script, rollback, headers) else { continue };
                change.is_code = is_code;
                change.refusals = refusals;
                change.is_unread = is_unread;
                let candidate = Candidate { change, references, variants: ThinVec::new(), wanted, for_engines };
                candidates.push(Box::new(candidate));
            }
            _ => {}
        }
    }
    candidates.sort_by(|one, other| key(one).cmp(&key(other)));
    backs.sort_by(|one, other| one.path.cmp(&other.path));
    let place = |callback: &Callback| (callback.event, callback.name.clone(), callback.file().to_owned());
    callbacks.sort_by_cached_key(place);
    Sorted { candidates, backs, proofs, callbacks }
}

/// Versions come before names, which are compared as they are spoken: `R__1_base` before `R__10_dep`, as Flyway runs them. What runs again
/// at a place among versions stands there. The path decides between equals.
fn key(candidate: &Candidate) -> (bool, Option<&limosa_core::Version>, &str, &str) {
    let change = &candidate.change;
    match &change.kind {
        Kind::Versioned(version) => (false, Some(version), "", &change.script.file),
        Kind::Repeatable => match &change.headers.place {
            Some(place) => (false, Some(place), "", &change.script.file),
            None => (true, None, &change.name, &change.script.file),
        },
    }
}

fn change(
    role: &FileRole,
    script: Shared<Script>,
    rollback: Option<Arc<Rollback>>,
    mut headers: Shared<Headers>,
) -> Option<Change> {
    let (kind, label, name) = match role {
        FileRole::Versioned { version, label, name }
        | FileRole::Late { version, label, name }
        | FileRole::Program { version, label, name, .. } => {
            (Kind::Versioned(version.clone()), label.clone(), name.clone())
        }
        FileRole::Baseline { version, label, name } => (Kind::Versioned(version.clone()), label.clone(), name.clone()),
        // A blank in front is how a name gets ahead of all others in Flyway.
        FileRole::Repeatable { name } => (Kind::Repeatable, "R".into(), name.replace('_', " ").into()),
        FileRole::Again { name, .. } => (Kind::Repeatable, "R".into(), spoken(name).into()),
        _ => return None,
    };
    let is_baseline = matches!(role, FileRole::Baseline { .. });
    if matches!(role, FileRole::Late { .. }) {
        headers.may_come_late = true;
    }
    if let FileRole::Again { place, always, .. } = role {
        (headers.place, headers.runs_always) = (Some(place.clone()), *always);
    }
    let identity = role.identity()?;
    Some(Change {
        identity,
        kind,
        is_baseline,
        is_code: false,
        is_program: matches!(role, FileRole::Program { .. }),
        is_unread: false,
        label,
        name,
        script,
        rollback,
        proof: None,
        refusals: Default::default(),
        headers,
        depends_on: Default::default(),
    })
}

/// One candidate per identity. Equal ones stand beside each other.
fn without_duplicates(
    candidates: Vec<Box<Candidate>>,
    engine: Engine,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Box<Candidate>> {
    let mut kept: Vec<Box<Candidate>> = Vec::with_capacity(candidates.len());
    let mut group: Vec<Box<Candidate>> = Vec::new();
    for candidate in candidates {
        if group.first().is_some_and(|first| first.change.identity != candidate.change.identity) {
            kept.push(one_of(std::mem::take(&mut group), engine, diagnostics));
        }
        group.push(candidate);
    }
    if !group.is_empty() {
        kept.push(one_of(group, engine, diagnostics));
    }
    kept
}

/// The candidate that counts among those of one identity (at least one).
fn one_of(mut group: Vec<Box<Candidate>>, engine: Engine, diagnostics: &mut Vec<Diagnostic>) -> Box<Candidate> {
    let chosen = group.iter().position(|candidate| candidate.wanted).unwrap_or(0);
    for at in 1..group.len() {
        let clash = group[..at].iter().find(|other| overlap(other, &group[at]));
        if let Some(other) = clash {
            diagnostics.push(duplicate(&other.change, &group[at].change, engine));
        }
    }
    let mut taken = group.swap_remove(chosen);
    taken.variants = group.into_iter().map(|other| other.change.script.file.clone()).collect();
    taken
}

/// True where two files of one identity may both be meant for one engine.
fn overlap(one: &Candidate, other: &Candidate) -> bool {
    !one.for_engines
        || !other.for_engines
        || one.change.headers.engines.iter().any(|engine| other.change.headers.engines.contains(engine))
}

fn duplicate(first: &Change, second: &Change, engine: Engine) -> Diagnostic {
    let (what, help) = match &first.kind {
        Kind::Versioned(version) => (
            version.name().map_or_else(|| format!("the version {version}"), |name| format!("the name {name}")),
            format!(
                "give one of them another version, or, where they are meant for different engines, say so in both: \
                 '-- Engines: {}'",
                engine.name()
            ),
        ),
        Kind::Repeatable => (format!("the name {}", first.identity), "rename one of them".to_owned()),
    };
    let message = format!("{} and {} both have {what}", first.script.file, second.script.file);
    Diagnostic::error(codes::DUPLICATE_IDENTITY, message)
        .at(Label::file(&second.script.file))
        .at(Label::file(&first.script.file).text("the other one"))
        .help(help)
}

/// Callbacks of one event and one description: nobody says which of them runs first, and Flyway takes none of them.
fn repeated_callbacks(callbacks: &[Callback]) -> impl Iterator<Item = Diagnostic> {
    let is_repeated = |pair: &&[Callback]| {
        let [one, other] = pair else { return false };
        let (engines, others) = (&one.headers.engines, &other.headers.engines);
        let overlap = engines.is_empty() || others.is_empty() || engines.iter().any(|engine| others.contains(engine));
        one.event == other.event && one.name == other.name && overlap
    };
    callbacks.windows(2).filter(is_repeated).map(|pair| {
        let (first, second) = (pair[0].file(), pair[1].file());
        let message = format!("{first} and {second} are the same callback: {}", pair[0].event);
        Diagnostic::error(codes::DUPLICATE_IDENTITY, message)
            .at(Label::file(second))
            .at(Label::file(first).text("the other one"))
            .help(format!(
                "give them descriptions, by which they are ordered, such as {}__name.sql; or take one of them away",
                pair[0].event
            ))
    })
}

/// Gives each change its way back.
fn pair(candidates: &mut [Box<Candidate>], backs: Vec<WayBack>, diagnostics: &mut Vec<Diagnostic>) {
    let directory = Directory::new(candidates);
    let mut taken: Vec<Option<SharedText>> = candidates
        .iter()
        .map(|candidate| candidate.change.rollback.as_ref().map(|rollback| rollback.file.clone()))
        .collect();
    for back in backs {
        let selector = match &back.of {
            RollbackTarget::Version(version) => Selector::Version(version.clone()),
            RollbackTarget::Repeatable(name) => Selector::Repeatable(name.clone()),
        };
        let Some(index) = directory.find(&selector) else {
            diagnostics.push(without_migration(&back, &directory));
            continue;
        };
        let candidate = &mut candidates[index];
        if let Some(beside) = &back.beside {
            if candidate.variants.iter().any(|variant| stem_of(variant) == beside) {
                continue;
            }
            if stem_of(&candidate.change.script.file) != beside {
                diagnostics.push(named_otherwise(&back, &candidate.change));
            }
        }
        if let Some(first) = &taken[index] {
            diagnostics.push(two_ways(&candidate.change, first, &back.path));
            continue;
        }
        taken[index] = Some(back.path);
        candidate.change.rollback = back.rollback;
    }
}

/// Gives each change what proves it.
fn prove(candidates: &mut [Box<Candidate>], proofs: Vec<(Version, Shared<Script>)>) {
    if proofs.is_empty() {
        return;
    }
    let directory = Directory::new(candidates);
    for (version, script) in proofs {
        if let Some(index) = directory.find(&Selector::Version(version)) {
            candidates[index].change.proof = Some(script);
        }
    }
}

fn without_migration(back: &WayBack, directory: &Directory) -> Diagnostic {
    let what = match &back.of {
        RollbackTarget::Version(version) => format!("a migration with the version {version}"),
        RollbackTarget::Repeatable(name) => format!("a repeatable migration R__{name}.sql"),
    };
    let near = back.beside.as_deref().and_then(|stem| directory.nearest(stem));
    let help = match near {
        Some(near) => format!("did you mean {near}.rollback.sql?"),
        None => "rename it after its migration, or remove it".to_owned(),
    };
    Diagnostic::warning(
        codes::ROLLBACK_WITHOUT_MIGRATION,
        format!("{} takes back {what}, and there is none", back.path),
    )
    .at(Label::file(&back.path))
    .help(help)
}

fn named_otherwise(back: &WayBack, change: &Change) -> Diagnostic {
    let file = &change.script.file;
    Diagnostic::warning(codes::ROLLBACK_NAME_DIFFERS, format!("{} is taken as the way back of {file}", back.path))
        .at(Label::file(&back.path))
        .help(format!("rename it to {}.rollback.sql", stem_of(file)))
}

fn two_ways(change: &Change, first: &str, second: &str) -> Diagnostic {
    let file = &change.script.file;
    let message = match file == first {
        true => format!("{file} has two ways back: its own rollback section, and {second}"),
        false => format!("{file} has two ways back: {first} and {second}"),
    };
    Diagnostic::error(codes::TWO_WAYS_BACK, message)
        .at(Label::file(second))
        .at(Label::file(first).text("the other one"))
        .help("keep one of the two")
}

/// Entries must name a migration of their folder, and what they promise must hold.
fn check_entries(
    entries: &[(&Config, &ConfigEntry)],
    candidates: &[Box<Candidate>],
    callbacks: &[Callback],
    diagnostics: &mut Vec<Diagnostic>,
) {
    if entries.is_empty() {
        return;
    }
    let directory = Directory::new(candidates);
    for &(config, entry) in entries.iter().filter(|(config, _)| config.script().is_none()) {
        let named = directory.find(&entry.selector).map(|index| &candidates[index]);
        let beside = named.filter(|candidate| {
            std::iter::once(&candidate.change.script.file).chain(&candidate.variants).any(|file| config.is_beside(file))
        });
        let of_callback = |callback: &Callback| {
            let file = callback.file();
            config.is_beside(file) && matches!(&entry.selector, Selector::File(wanted) if wanted == stem_of(file))
        };
        if beside.is_none() && callbacks.iter().any(of_callback) {
            continue;
        }
        let Some(candidate) = beside else {
            let folder = split(config.path()).0;
            let place = if folder.is_empty() { "here".to_owned() } else { format!("in {folder}") };
            let help = match directory.nearest(&entry.text) {
                Some(near) => format!("did you mean {near}?"),
                None => "correct the name, or remove the entry".to_owned(),
            };
            diagnostics.push(
                Diagnostic::error(codes::ENTRY_WITHOUT_FILE, format!("no migration {} stands {place}", entry.text))
                    .at(entry.label.clone())
                    .help(help),
            );
            continue;
        };
        if let (Some(label), None, false) =
            (&entry.rollback_supported, &candidate.change.rollback, candidate.change.is_unread)
        {
            let file = &candidate.change.script.file;
            diagnostics.push(
                Diagnostic::warning(
                    codes::PROMISED_ROLLBACK,
                    format!("{file} has no way back, which is promised here"),
                )
                .at(label.clone())
                .help(format!("write {}.rollback.sql, or a '-- limosa:rollback' section", stem_of(file))),
            );
        }
    }
}
