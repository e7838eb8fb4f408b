//! Which database: the one choice that must never surprise.

use std::path::Path;

use limosa_db::{Secret, engine_of};
use limosa_sql::{Diagnostic, Engine, Severity};

use super::address::decoded;
use super::codes;
use super::destination::Destination;
use super::flyway::address::{database_of, with_database, with_default_schema, with_settings};
use super::keys::FOREIGN_DATABASE_VARIABLE;
use super::layer::{Entry, Layer, LayerKind};
use super::origin::Origin;
use super::resolve::Resolver;
use super::secrets::{Followed, Need};
use super::value::Value;

/// The addresses that were chosen.
#[derive(Default)]
pub(super) struct Addresses {
    pub(super) database: Option<Secret>,
    pub(super) direct_url: Option<Secret>,
}

/// A way in which an address was given; the strongest stands first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Flag,
    /// The section of an environment that a flag or a variable named.
    NamedEnvironment,
    Variable,
    /// The section of the environment that the file itself names.
    OwnEnvironment,
    Top,
}

/// One address that was given.
struct Candidate<'a> {
    way: Way,
    entry: &'a Entry,
    /// `DATABASE_URL` belongs to other tools, and is taken as it stands.
    foreign: bool,
}

pub(super) fn choose(resolver: &mut Resolver<'_>) -> Addresses {
    let databases = candidates(resolver, "database");
    let database = pick(resolver, "database", &databases);
    if let Some(first) = databases.first() {
        contradictions(resolver, first, database.as_ref(), &databases[1..]);
    }
    let direct = candidates(resolver, "direct_url");
    let direct_url = match (databases.first(), direct.first()) {
        // A way past the pooler of another database would lead the writing there.
        (Some(database), Some(direct)) if direct.way > database.way => {
            let place = &database.entry.origin;
            let message =
                format!("`direct_url` ({}) is not used: the database comes from {place}", direct.entry.origin);
            let help = "give the direct URL in the same place as the database, or with --direct-url";
            resolver.diagnostics.push(Diagnostic::warning(codes::DIRECT_URL_UNUSED, message).help(help));
            None
        }
        _ => pick(resolver, "direct_url", &direct),
    };
    let [database, direct_url] = [database, direct_url].map(|address| within_default_schema(resolver, address));
    let [database, direct_url] = [database, direct_url].map(|address| with_session_settings(resolver, address));
    if let (Some(database), Some(direct_url)) = (&database, &direct_url) {
        let differ = names_differ(database, direct_url, resolver.follower.folder);
        resolver.diagnostics.extend(differ);
    }
    if let (Some(first), Some(database)) = (databases.first(), &database) {
        only_on_servers(resolver, first.way, database);
    }
    Addresses { database, direct_url }
}

/// Flyway's default schema holds whatever gives the address, and its table stands there.
fn within_default_schema(resolver: &mut Resolver<'_>, address: Option<Secret>) -> Option<Secret> {
    let schema = resolver.counting.iter().find_map(|layer| layer.default_schema.as_deref());
    let (Some(schema), Some(given)) = (schema, &address) else { return address };
    match database_of(given.expose()) {
        // On MySQL it is the database.
        Some("") => Some(Secret::new(with_database(given.expose(), schema))),
        Some(named) if !schema.contains("${") && decoded(named) != schema => {
            let message = format!(
                "flyway.defaultSchema or flyway.schemas has no effect: the address names the database {}",
                decoded(named)
            );
            let help = format!("where {schema} is meant, name it in the address");
            resolver.diagnostics.push(Diagnostic::warning(codes::FLYWAY_WITHOUT_EFFECT, message).help(help));
            address
        }
        Some(_) => address,
        None => Some(Secret::new(with_default_schema(given.expose().to_owned(), schema))),
    }
}

/// What Flyway's `initSql` sets holds whatever gives the address.
fn with_session_settings(resolver: &mut Resolver<'_>, address: Option<Secret>) -> Option<Secret> {
    let settings = resolver.counting.iter().find_map(|layer| layer.session_settings.as_ref());
    let (Some(begins), Some(given)) = (settings, &address) else { return address };
    let is_other = engine_of(given.expose()).is_ok_and(|engine| engine != begins.engine);
    // Only PostgreSQL takes them with the login; SQLite's are settings of limosa's.
    let is_with_login = begins.engine == Engine::Postgres && !begins.settings.is_empty();
    if !is_other && !is_with_login {
        return address;
    }
    if let Some(whole) = with_settings(given.expose(), &begins.settings).filter(|_| !is_other) {
        return Some(Secret::new(whole));
    }
    let (why, help) = match is_other {
        true => {
            (format!("it is for {}", begins.engine.title()), "set it in a callback beforeEachMigrate, or in the server")
        }
        false => ("the address has options of its own".to_owned(), "write them there, or give the address as a URL"),
    };
    let mut problem = Diagnostic::error(
        codes::FLYWAY_UNSUPPORTED,
        format!("flyway.initSql cannot be had here: {why}{}", begins.words),
    );
    problem.labels.extend(begins.label.clone());
    resolver.diagnostics.push(problem.help(help));
    address
}

/// All addresses that were given for a key, the strongest first.
fn candidates<'a>(resolver: &Resolver<'a>, key: &str) -> Vec<Candidate<'a>> {
    let section_way = if resolver.choice.is_explicit() { Way::NamedEnvironment } else { Way::OwnEnvironment };
    let mut found = Vec::new();
    for layer in &resolver.counting {
        let way = match &layer.kind {
            LayerKind::Flags => Way::Flag,
            LayerKind::Process | LayerKind::EnvFile => Way::Variable,
            LayerKind::FileEnvironment(_) => section_way,
            LayerKind::FileTop => Way::Top,
            LayerKind::Defaults => continue,
        };
        found.extend(layer.entries.get(key).map(|entry| Candidate { way, entry, foreign: false }));
    }
    if key == "database" {
        let foreign = resolver.counting.iter().filter_map(|layer: &&Layer| layer.foreign_database.as_ref());
        found.extend(foreign.map(|entry| Candidate { way: Way::Variable, entry, foreign: true }));
    }
    found.sort_by_key(|candidate| (candidate.way, candidate.foreign));
    found
}

fn pick(resolver: &mut Resolver<'_>, key: &str, candidates: &[Candidate<'_>]) -> Option<Secret> {
    let (winner, others) = candidates.split_first()?;
    let followed = follow(resolver, key, winner)?;
    let shadowed = others.iter().map(|candidate| candidate.entry.origin.clone()).collect();
    resolver.provenance.note(key, winner.entry.origin.clone(), followed.reference, shadowed);
    if let Some(source) = resolver.provenance.sources.get_mut(key) {
        source.shown = followed.shown;
    }
    followed.value
}

fn follow(resolver: &mut Resolver<'_>, key: &str, candidate: &Candidate<'_>) -> Option<Followed> {
    let entry = candidate.entry;
    if candidate.foreign {
        let value = Some(Secret::new(entry.text()));
        return Some(Followed { value, reference: None, shown: None, warnings: Vec::new() });
    }
    let followed = resolver.follower.address(entry.text(), &entry.base);
    resolver.take(key, entry, followed)
}

/// Refuses where a named environment and a variable lead to different databases: one of them is a mistake, and nobody can
/// know which.
fn contradictions(
    resolver: &mut Resolver<'_>,
    winner: &Candidate<'_>,
    chosen: Option<&Secret>,
    others: &[Candidate<'_>],
) {
    if winner.way != Way::NamedEnvironment {
        return;
    }
    let (Some(chosen), Some(environment)) = (chosen, resolver.choice.name.clone()) else { return };
    let here = Destination::of(chosen.expose(), resolver.follower.folder);
    let mut seen = Vec::new();
    for rival in others.iter().filter(|candidate| candidate.way == Way::Variable) {
        let name = if rival.foreign { FOREIGN_DATABASE_VARIABLE } else { "LIMOSA_DATABASE" };
        // The process hides the same variable of the env file.
        if seen.contains(&name) {
            continue;
        }
        seen.push(name);
        let Some(value) = follow(resolver, "database", rival).and_then(|followed| followed.value) else { continue };
        let there = Destination::of(value.expose(), resolver.follower.folder);
        if here == there {
            continue;
        }
        let message = format!(
            "the environment {environment} ({}) leads to {here}, but {name} ({}) leads to {there}",
            resolver.choice.origin, rival.entry.origin
        );
        // A command that speaks with no database can do no harm.
        let severity = if resolver.follower.need == Need::Secrets { Severity::Error } else { Severity::Warning };
        let help = format!("unset {name}, or leave the environment out, or say which database with --database");
        let problem = Diagnostic::new(codes::TWO_DATABASES, severity, message).help(help);
        resolver.diagnostics.push(winner.entry.located(problem));
    }
}

/// SQLite knows no roles and has no pooler. What the top of the file says for all environments is no mistake in one of them.
fn only_on_servers(resolver: &mut Resolver<'_>, way: Way, database: &Secret) {
    let destination = Destination::of(database.expose(), resolver.follower.folder);
    if !matches!(destination, Destination::File(_) | Destination::Memory) {
        return;
    }
    for key in ["role", "pooled"] {
        let given = candidates(resolver, key);
        let Some(given) = given.first().filter(|given| given.way != Way::Top || way == Way::Top) else { continue };
        if key == "pooled" && !matches!(given.entry.value, Value::Choice("yes")) {
            continue;
        }
        let what = if key == "role" { "roles" } else { "pooler" };
        let message = format!("`{key}` has no effect: SQLite has no {what}{}", given.entry.place());
        let mut warning = Diagnostic::warning(codes::NOT_ON_THIS_ENGINE, message)
            .help("leave it out here, or give it in the environment of a PostgreSQL database");
        warning.labels.extend(given.entry.label.clone());
        resolver.diagnostics.push(warning);
    }
}

/// Says where the two lead to different databases. A pooler may give a database another name, so this is a warning.
pub(crate) fn names_differ(database: &Secret, direct_url: &Secret, folder: &Path) -> Option<Diagnostic> {
    let (database, direct) = (Destination::of(database.expose(), folder), Destination::of(direct_url.expose(), folder));
    let same = match (&database, &direct) {
        (Destination::Server { .. }, Destination::Server { .. }) => database.database() == direct.database(),
        _ => database == direct,
    };
    let message = format!("`database` leads to {database}, and `direct_url` to {direct}");
    let help = "both must be one database; write the same name in both, unless the pooler renames it";
    (!same).then(|| Diagnostic::warning(codes::DIRECT_URL_DIFFERS, message).help(help))
}

/// The protected environment, other than the chosen one, whose database this is. A flag or a variable that leads to it
/// takes nothing of its protection away. References to programs are not followed for this.
pub(super) fn protecting(resolver: &Resolver<'_>, addresses: &Addresses) -> Option<(String, Origin)> {
    let folder = resolver.follower.folder;
    let chosen: Vec<Destination> = [&addresses.database, &addresses.direct_url]
        .into_iter()
        .flatten()
        .map(|address| Destination::of(address.expose(), folder))
        .filter(|destination| *destination != Destination::Memory)
        .collect();
    let top = super::resolve::entry(resolver.layers, &LayerKind::FileTop, "protected");
    resolver.layers.iter().find_map(|layer| {
        let LayerKind::FileEnvironment(name) = &layer.kind else { return None };
        let protection = layer.entries.get("protected").or(top)?;
        if protection.value != Value::Boolean(true) || resolver.choice.name.as_ref() == Some(name) {
            return None;
        }
        let addresses = ["database", "direct_url"].into_iter().filter_map(|key| layer.entries.get(key));
        let same = addresses.filter(|entry| !entry.text().contains("cmd:")).any(|entry| {
            let followed = resolver.follower.address(entry.text(), &entry.base);
            let value = followed.ok().and_then(|followed| followed.value);
            value.is_some_and(|value| chosen.contains(&Destination::of(value.expose(), folder)))
        });
        same.then(|| (name.clone(), protection.origin.clone()))
    })
}
