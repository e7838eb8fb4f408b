//! Which database, and what contradicts.

use super::*;

const TOML: &str = "database = \"postgres://top/shop\"\nenvironment = \"dev\"\n\
    [environments.dev]\ndatabase = \"postgres://dev/shop\"\n\
    [environments.staging]\ndatabase = \"postgres://app:pw@staging/shop\"\n\
    [environments.bare]\n";

fn database(loaded: &Loaded) -> &str {
    loaded.settings.database.as_ref().map_or("none", |database| database.expose())
}

#[test]
fn the_order_of_the_ways() {
    for (name, case, address, from) in [
        ("own environment", case().toml(TOML), "postgres://dev/shop", "limosa.toml:4 [environments.dev]"),
        ("top", case().toml(TOML).flag("environment", "bare"), "postgres://top/shop", "limosa.toml:1"),
        (
            "DATABASE_URL",
            case().toml(TOML).variable("DATABASE_URL", "postgres://url/x"),
            "postgres://url/x",
            "variable DATABASE_URL",
        ),
        (
            "LIMOSA_DATABASE",
            case()
                .toml(TOML)
                .variable("DATABASE_URL", "postgres://url/x")
                .variable("LIMOSA_DATABASE", "postgres://own/x"),
            "postgres://own/x",
            "variable LIMOSA_DATABASE",
        ),
        (
            "named environment without a database",
            case().toml(TOML).variable("DATABASE_URL", "postgres://url/x").flag("environment", "bare"),
            "postgres://url/x",
            "variable DATABASE_URL",
        ),
        (
            "named environment that agrees with the variable",
            case()
                .toml(TOML)
                .variable("DATABASE_URL", "postgresql://other:password@STAGING:5432/shop")
                .flag("environment", "staging"),
            "postgres://app:pw@staging/shop",
            "limosa.toml:6 [environments.staging]",
        ),
        (
            "flag",
            case()
                .toml(TOML)
                .variable("DATABASE_URL", "postgres://url/x")
                .variable("LIMOSA_ENVIRONMENT", "staging")
                .flag("database", "postgres://flag/x"),
            "postgres://flag/x",
            "flag --database",
        ),
        (
            "variable of the process before the same of the env file",
            case()
                .file("/home/me/shop/.env", "DATABASE_URL=postgres://file/x")
                .flag("env_file", ".env")
                .variable("DATABASE_URL", "postgres://process/x"),
            "postgres://process/x",
            "variable DATABASE_URL",
        ),
        (
            "env file",
            case().file("/home/me/shop/.env", "A=1\nDATABASE_URL='postgres://file/x'").flag("env_file", ".env"),
            "postgres://file/x",
            ".env:2 DATABASE_URL",
        ),
    ] {
        let loaded = case.loaded();
        assert_eq!(database(&loaded), address, "{name}");
        assert_eq!(origin(&loaded, "database"), from, "{name}");
    }
}

#[test]
fn an_environment_and_a_variable_that_differ_are_refused() {
    for (variable, address, there) in [
        ("DATABASE_URL", "postgres://u:canary@prod:6000/shop", "database shop on prod:6000 (postgres)"),
        ("DATABASE_URL", "postgres://u:canary@staging/other", "database other on staging:5432 (postgres)"),
        ("LIMOSA_DATABASE", "host=prod dbname=shop password=canary", "database shop on prod:5432 (postgres)"),
        ("DATABASE_URL", "sqlite:x.db", "the SQLite file /home/me/shop/x.db"),
        ("DATABASE_URL", "postgres://u:c@nary@staging/shop", "the address postgres://***"),
    ] {
        for named_by_flag in [true, false] {
            let given = case().toml(TOML).variable(variable, address);
            let given = match named_by_flag {
                true => given.flag("environment", "staging"),
                false => given.variable("LIMOSA_ENVIRONMENT", "staging"),
            };
            let text = told(&given.error());
            assert!(text.starts_with("LIM-C009 limosa.toml:6:12 "), "{text}");
            let here = "leads to database shop on staging:5432 (postgres)";
            for part in [here, there, &format!("unset {variable}"), "--database"] {
                assert!(text.contains(part), "{part} in {text}");
            }
            assert!(!text.contains("canary") && !text.contains("nary@") && !text.contains("pw@"), "{text}");
        }
    }
    // Named by the file itself, the environment is only a default.
    assert_eq!(database(&case().toml(TOML).variable("DATABASE_URL", "postgres://url/x").loaded()), "postgres://url/x");
}

#[test]
fn commands_that_speak_with_no_database_are_only_warned() {
    let given = case().toml(TOML).variable("DATABASE_URL", "postgres://prod/x").flag("environment", "staging");
    let loaded = given.load_in(HERE, Need::NoSecrets).unwrap();
    assert_eq!(loaded.notices.iter().map(|notice| notice.code).collect::<Vec<_>>(), ["LIM-C009"]);
}

#[test]
fn a_contradiction_behind_references_is_seen() {
    let toml = "[environments.staging]\ndatabase = \"env:STAGING\"\n";
    let given = case().toml(toml).flag("environment", "staging").variable("STAGING", "postgres://staging/shop");
    assert_eq!(given.variable("DATABASE_URL", "postgres://prod/shop").error().code, "LIM-C009");
}

#[test]
fn a_direct_url_follows_its_database() {
    let toml = "database = \"postgres://pooler/shop\"\ndirect_url = \"postgres://direct/shop\"\n\
        [environments.a]\ndatabase = \"postgres://pooler-a/shop\"\n\
        [environments.b]\ndatabase = \"postgres://pooler-b/shop\"\ndirect_url = \"postgres://direct-b/shop\"\n";
    let base = || case().toml(toml);
    for (given, direct, notices) in [
        (base(), Some("postgres://direct/shop"), &[][..]),
        (base().flag("environment", "a"), None, &["LIM-C015"]),
        (base().flag("environment", "b"), Some("postgres://direct-b/shop"), &[]),
        (base().flag("database", "postgres://elsewhere/x"), None, &["LIM-C015"]),
        (base().variable("DATABASE_URL", "postgres://elsewhere/x"), None, &["LIM-C015"]),
        (base().flag("direct_url", "postgres://d/shop"), Some("postgres://d/shop"), &[]),
        (base().variable("LIMOSA_DIRECT_URL", "postgres://d/shop"), Some("postgres://d/shop"), &[]),
        (base().variable("LIMOSA_DIRECT_URL", "postgres://d/shop").flag("environment", "a"), None, &["LIM-C015"]),
        (base().flag("direct_url", "postgres://d/other"), Some("postgres://d/other"), &["LIM-C016"]),
        (base().flag("direct_url", "sqlite:a.db"), Some("sqlite:a.db"), &["LIM-C016"]),
    ] {
        let loaded = given.loaded();
        assert_eq!(loaded.settings.direct_url.as_ref().map(|url| url.expose()), direct, "{:?}", given.flags);
        assert_eq!(loaded.notices.iter().map(|notice| notice.code).collect::<Vec<_>>(), notices, "{:?}", given.flags);
        assert_eq!(loaded.provenance.of("direct_url").is_some(), direct.is_some());
    }
}

#[test]
fn what_sqlite_does_not_know_is_not_ignored_in_silence() {
    let toml = "role = \"owner\"\n[environments.dev]\ndatabase = \"sqlite:a.db\"\n\
        [environments.own]\ndatabase = \"sqlite:a.db\"\nrole = \"owner\"\n";
    let base = || case().toml(toml);
    let none: [&str; 0] = [];
    for (given, words) in [
        (case().flag("database", "sqlite:a.db").flag("role", "owner"), &["`role`", "SQLite", "flag --role"][..]),
        (case().flag("database", "sqlite::memory:").flag("pooled", "yes"), &["`pooled`", "SQLite"]),
        (case().flag("database", "sqlite:a.db").flag("pooled", "no"), &none),
        (case().flag("database", "postgres://h/d").flag("role", "owner").flag("pooled", "yes"), &none),
        (base().flag("environment", "own"), &["`role`"]),
        // Written for all environments, it is no mistake in one of them.
        (base().flag("environment", "dev"), &none),
        (case().toml("database = \"sqlite:a.db\"\nrole = \"owner\"\n"), &["`role`"]),
    ] {
        let notices = given.loaded().notices;
        assert_eq!(notices.len(), usize::from(!words.is_empty()), "{words:?} {notices:?}");
        for word in words {
            assert!(notices[0].code == "LIM-C020" && notices[0].message.contains(word), "{notices:?}");
        }
    }
}

#[test]
fn protection_belongs_to_the_database_not_to_the_way_to_it() {
    let toml = "environment = \"dev\"\n\
        [environments.dev]\ndatabase = \"postgres://dev/shop\"\nprotected = false\n\
        [environments.production]\ndatabase = \"postgres://app:${env:PW}@prod/shop\"\nprotected = true\n\
        direct_url = \"postgres://direct/shop\"\n\
        [environments.vault]\ndatabase = \"cmd:vault prod\"\nprotected = true\n";
    let base = || case().toml(toml).variable("PW", "secret");
    let from = "limosa.toml:7 [environments.production]";
    for (given, protected, origin_text) in [
        (base(), false, "limosa.toml:4 [environments.dev]".to_owned()),
        (base().flag("environment", "production"), true, from.to_owned()),
        (
            base().flag("database", "postgres://me@PROD:5432/shop"),
            true,
            format!("{from}: it is the database of the environment production"),
        ),
        (
            base().variable("DATABASE_URL", "host=prod dbname=shop"),
            true,
            format!("{from}: it is the database of the environment production"),
        ),
        (
            base().flag("database", "postgres://direct/shop"),
            true,
            format!("{from}: it is the database of the environment production"),
        ),
        (base().flag("database", "postgres://prod/scratch"), false, "limosa.toml:4 [environments.dev]".to_owned()),
    ] {
        let loaded = given.loaded();
        assert_eq!(loaded.settings.protected, protected, "{:?} {:?}", given.flags, given.variables);
        assert_eq!(origin(&loaded, "protected"), origin_text);
        assert!(given.outside.ran.lock().unwrap().is_empty(), "nothing is run to learn of a protection");
    }
}

#[test]
fn protection_of_the_top_covers_the_environments_below() {
    let toml = "protected = true\n[environments.a]\n[environments.b]\nprotected = false\n";
    for (environment, protected) in [("a", true), ("b", false)] {
        assert_eq!(case().toml(toml).flag("environment", environment).loaded().settings.protected, protected);
    }
}
