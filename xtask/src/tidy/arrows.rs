//! Who may depend on whom.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Every crate of the workspace with the crates that it may depend on. The arrows of the design:
/// decisions are pure and know nothing of the world; the world knows the decisions.
const ARROWS: [(&str, &[&str]); 12] = [
    ("limosa-sql", &[]),
    ("limosa-core", &["limosa-sql"]),
    ("limosa-formats", &["limosa-sql", "limosa-core"]),
    ("limosa-db", &["limosa-sql", "limosa-core"]),
    ("limosa-run", &["limosa-sql", "limosa-core", "limosa-db"]),
    ("limosa", &["limosa-sql", "limosa-core", "limosa-formats", "limosa-db", "limosa-run"]),
    ("limosa-cli", &["limosa"]),
    ("limosa-testkit", &[]),
    ("limosa-sql-oracle", &["limosa-sql"]),
    ("bench", &["limosa-testkit"]),
    ("histories", &["limosa-testkit"]),
    ("xtask", &[]),
];

/// Crates for tests, which every crate may use in its tests and none otherwise.
const FOR_TESTS: [&str; 2] = ["limosa-testkit", "limosa-sql-oracle"];

/// Crates without files, sockets, environment, clock, randomness and async.
pub(super) const PURE: [&str; 3] = ["limosa-sql", "limosa-core", "limosa-formats"];

/// Packages that bring the world in; no pure crate may reach one over any number of steps.
const WORLD: [&str; 15] = [
    "async-trait",
    "chrono",
    "futures-core",
    "futures-util",
    "getrandom",
    "libsqlite3-sys",
    "mio",
    "mysql_async",
    "rand",
    "reqwest",
    "rusqlite",
    "rustls",
    "socket2",
    "tokio",
    "tokio-postgres",
];

/// Packages that nothing here may use: OpenSSL spoils a static binary, and a second provider of
/// cryptography beside `ring` fails at run time.
const BANNED: [&str; 4] = ["aws-lc-rs", "native-tls", "openssl", "openssl-sys"];

/// What is wrong in the answer of `cargo metadata`.
pub(super) fn problems(metadata: &Value) -> Vec<String> {
    let graph = Graph::read(metadata);
    let mut problems = Vec::new();
    for package in graph.members() {
        check_member(package, &mut problems);
    }
    for pure in PURE {
        for found in graph.reachable_from(pure).intersection(&BTreeSet::from(WORLD)) {
            problems.push(format!("{pure} is pure and must not reach {found}"));
        }
    }
    for banned in BANNED.iter().filter(|name| graph.names.values().any(|other| other == *name)) {
        problems.push(format!("the lock file holds {banned}, which nothing here may use"));
    }
    problems
}

fn check_member(package: &Value, problems: &mut Vec<String>) {
    let name = text(&package["name"]);
    let Some((_, allowed)) = ARROWS.iter().find(|arrow| arrow.0 == name) else {
        problems.push(format!("{name} has no line in the table of arrows (xtask, tidy/arrows.rs)"));
        return;
    };
    for dependency in list(&package["dependencies"]) {
        let to = text(&dependency["name"]);
        let ours = ARROWS.iter().any(|arrow| arrow.0 == to) && dependency["path"].is_string();
        let for_tests = dependency["kind"] == "dev" && FOR_TESTS.contains(&to);
        if ours && !for_tests && !allowed.contains(&to) {
            let kind = dependency["kind"].as_str().unwrap_or("normal");
            problems.push(format!("{name} must not depend on {to} ({kind} dependency)"));
        }
    }
}

/// Packages and what they are built with; dependencies of tests are left out.
struct Graph<'a> {
    metadata: &'a Value,
    names: BTreeMap<&'a str, &'a str>,
    edges: BTreeMap<&'a str, Vec<&'a str>>,
}

impl<'a> Graph<'a> {
    fn read(metadata: &'a Value) -> Self {
        let packages = list(&metadata["packages"]);
        let names = packages.iter().map(|p| (text(&p["id"]), text(&p["name"]))).collect();
        let mut edges: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for node in list(&metadata["resolve"]["nodes"]) {
            let targets = list(&node["deps"])
                .iter()
                .filter(|edge| list(&edge["dep_kinds"]).iter().any(|kind| kind["kind"].is_null()));
            edges.insert(text(&node["id"]), targets.map(|edge| text(&edge["pkg"])).collect());
        }
        Self { metadata, names, edges }
    }

    fn members(&self) -> impl Iterator<Item = &'a Value> {
        let ids = list(&self.metadata["workspace_members"]);
        list(&self.metadata["packages"]).iter().filter(move |package| ids.contains(&package["id"]))
    }

    /// The names of all packages that a package is built with, over any number of steps.
    fn reachable_from(&self, name: &str) -> BTreeSet<&'a str> {
        let start = self.names.iter().filter(|entry| *entry.1 == name).map(|entry| *entry.0);
        let mut open: Vec<&str> = start.collect();
        let mut seen: BTreeSet<&str> = open.iter().copied().collect();
        while let Some(id) = open.pop() {
            for next in self.edges.get(id).into_iter().flatten() {
                if seen.insert(next) {
                    open.push(next);
                }
            }
        }
        seen.iter().filter_map(|id| self.names.get(id).copied()).collect()
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A workspace of two crates, the first of which depends on the second.
    fn two(from: &str, to: &str, kind: Option<&str>) -> Vec<String> {
        let dependency = json!({ "name": to, "kind": kind, "path": "/somewhere" });
        problems(&json!({
            "packages": [
                { "id": "a", "name": from, "dependencies": [dependency] },
                { "id": "b", "name": to, "dependencies": [] },
            ],
            "workspace_members": ["a", "b"],
            "resolve": { "nodes": [
                { "id": "a", "deps": [{ "pkg": "b", "dep_kinds": [{ "kind": kind }] }] },
                { "id": "b", "deps": [] },
            ] },
        }))
    }

    #[test]
    fn arrows_of_the_table_pass_and_others_do_not() {
        for (from, to, kind) in [
            ("limosa-core", "limosa-sql", None),
            ("limosa-cli", "limosa", None),
            ("limosa-sql", "limosa-sql-oracle", Some("dev")),
            ("limosa-db", "limosa-testkit", Some("dev")),
        ] {
            assert_eq!(two(from, to, kind), [""; 0], "{from} -> {to}");
        }
        for (from, to, kind) in [
            ("limosa-sql", "limosa-core", None),
            ("limosa-formats", "limosa-db", None),
            ("limosa-formats", "limosa-db", Some("dev")),
            ("limosa-cli", "limosa-db", None),
            ("limosa-db", "limosa-testkit", None),
            ("limosa-run", "limosa", Some("build")),
        ] {
            let found = two(from, to, kind);
            assert_eq!(found.len(), 1, "{from} -> {to}: {found:?}");
            assert!(found[0].contains(from) && found[0].contains(to), "{found:?}");
        }
    }

    #[test]
    fn a_crate_without_a_line_is_named() {
        let found = two("limosa-new", "limosa-sql", None);
        assert!(found.iter().any(|line| line.starts_with("limosa-new has no line")), "{found:?}");
    }

    #[test]
    fn a_pure_crate_does_not_reach_the_world_over_others() {
        let metadata = |kind: Option<&str>| {
            json!({
                "packages": [
                    { "id": "a", "name": "limosa-core", "dependencies": [] },
                    { "id": "b", "name": "innocent", "dependencies": [] },
                    { "id": "c", "name": "tokio", "dependencies": [] },
                ],
                "workspace_members": ["a"],
                "resolve": { "nodes": [
                    { "id": "a", "deps": [{ "pkg": "b", "dep_kinds": [{ "kind": kind }] }] },
                    { "id": "b", "deps": [{ "pkg": "c", "dep_kinds": [{ "kind": null }] }] },
                    { "id": "c", "deps": [] },
                ] },
            })
        };
        assert_eq!(problems(&metadata(None)), ["limosa-core is pure and must not reach tokio"]);
        assert_eq!(problems(&metadata(Some("dev"))), [""; 0]);
    }

    #[test]
    fn a_banned_package_is_found_anywhere() {
        let metadata = json!({ "packages": [{ "id": "x", "name": "openssl" }] });
        assert_eq!(problems(&metadata).len(), 1);
    }
}
