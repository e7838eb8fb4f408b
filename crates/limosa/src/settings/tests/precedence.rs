//! Which layer counts.

use std::path::PathBuf;
use std::time::Duration;

use super::*;
use crate::OutOfOrder;

const TOML: &str = "lock_timeout = \"10s\"\nrole = \"top\"\nenvironment = \"dev\"\n\
    [environments.dev]\nlock_timeout = \"20s\"\n\
    [environments.staging]\nlock_timeout = \"30s\"\nrole = \"staging\"\n";

#[test]
fn each_layer_beats_those_below() {
    type Layers = [(&'static str, fn(Case) -> Case, u64, &'static str); 6];
    let layers: Layers = [
        ("defaults", |case| case, 3, "default"),
        ("top", |case| case.toml("lock_timeout = \"10s\"\n"), 10, "limosa.toml:1"),
        ("section", |case| case.toml(TOML), 20, "limosa.toml:5 [environments.dev]"),
        (
            "env file",
            |case| case.file("/home/me/shop/.env", "\nLIMOSA_LOCK_TIMEOUT=40s\n").flag("env_file", ".env"),
            40,
            ".env:2 LIMOSA_LOCK_TIMEOUT",
        ),
        ("variable", |case| case.variable("LIMOSA_LOCK_TIMEOUT", "50s"), 50, "variable LIMOSA_LOCK_TIMEOUT"),
        ("flag", |case| case.flag("lock_timeout", "60s"), 60, "flag --lock-timeout"),
    ];
    let mut all = case();
    for (name, add, seconds, from) in layers {
        all = add(all);
        let loaded = all.loaded();
        assert_eq!(loaded.settings.lock_timeout, Duration::from_secs(seconds), "{name}");
        assert_eq!(origin(&loaded, "lock_timeout"), from);
    }
    let loaded = all.loaded();
    let shadowed = &loaded.provenance.of("lock_timeout").unwrap().shadowed;
    let shadowed: Vec<String> = shadowed.iter().map(ToString::to_string).collect();
    assert_eq!(
        shadowed,
        [
            "variable LIMOSA_LOCK_TIMEOUT",
            ".env:2 LIMOSA_LOCK_TIMEOUT",
            "limosa.toml:5 [environments.dev]",
            "limosa.toml:1"
        ]
    );
}

#[test]
fn the_environment_is_named_by_flag_then_variable_then_env_file_then_the_file() {
    let staging_file =
        |case: Case| case.file("/home/me/shop/.env", "LIMOSA_ENVIRONMENT=staging").flag("env_file", ".env");
    for (case, environment, role) in [
        (case().toml(TOML), "dev", "top"),
        (staging_file(case().toml(TOML)), "staging", "staging"),
        (staging_file(case().toml(TOML)).variable("LIMOSA_ENVIRONMENT", "dev"), "dev", "top"),
        (case().toml(TOML).variable("LIMOSA_ENVIRONMENT", "dev").flag("environment", "staging"), "staging", "staging"),
    ] {
        let loaded = case.loaded();
        assert_eq!(loaded.settings.environment.as_deref(), Some(environment));
        assert_eq!(loaded.settings.role.as_deref(), Some(role));
        assert_eq!(loaded.environments, ["dev", "staging"]);
    }
}

#[test]
fn every_key_reaches_its_setting() {
    let toml = "\
        database = \"sqlite:a.db\"\n\
        direct_url = \"sqlite:a.db\"\n\
        pooled = true\n\
        role = \"owner\"\n\
        wait_for_database = \"1m\"\n\
        dir = [\"one\", \"/two\"]\n\
        format = \"flyway\"\n\
        pattern = \"{version}.sql\"\n\
        create_schemas = [\"s1\", \"s2\"]\n\
        allow_commands = true\nignore_other_ledgers = true\ntool_table = \"ops.mine\"\n\
        replace_placeholders = false\n\
        verify_applied = false\n\
        project = \"shop\"\n\
        protected = true\n\
        clean_disabled = true\n\
        out_of_order = \"warn\"\n\
        single_transaction = true\n\
        share_transactions = false\n\
        auto_rollback = true\n\
        backup = true\n\
        backup_dir = \"saved\"\n\
        lock_timeout = \"1s\"\n\
        lock_retries = 2\n\
        statement_timeout = \"3s\"\n\
        lock_wait = \"4s\"\n\
        lease = \"5s\"\n\
        secret_placeholders = [\"b\"]\n\
        actor = \"ci\"\n\
        output = \"JSON\"\n\
        log_format = \"json\"\n\
        metrics_file = \"m.prom\"\n\
        color = \"never\"\n\
        environment = \"x\"\n\
        env_file = \"e.env\"\n\
        [ledger]\nschema = \"own\"\n\
        [sqlite]\nforeign_keys = \"on\"\n\
        [flyway]\nsql_migration_prefix = \"M\"\nundo_sql_migration_prefix = \"N\"\nrepeatable_sql_migration_prefix = \"O\"\n\
        baseline_migration_prefix = \"P\"\nsql_migration_separator = \"-\"\nsql_migration_suffixes = [\".a\", \".b\"]\n\
        placeholder_prefix = \"#[\"\nplaceholder_suffix = \"]\"\nplaceholder_separator = \".\"\n\
        script_placeholder_prefix = \"Q_\"\nscript_placeholder_suffix = \"_Q\"\nbaseline_on_migrate = \"3\"\n\
        [audit]\nanchor_file = \"anchors\"\nhmac_key = \"kkk\"\n\
        [placeholders]\na = \"1\"\nb = 2\nc.d = true\n\
        [environments.x]\n";
    let loaded = case().toml(toml).file("/home/me/shop/e.env", "").flag("yes", "true").loaded();
    let settings = &loaded.settings;
    assert_eq!(settings.config, Some(PathBuf::from("limosa.toml")));
    assert_eq!(settings.environment.as_deref(), Some("x"));
    assert_eq!(settings.env_file, Some(PathBuf::from("e.env")));
    assert_eq!(settings.database.as_ref().unwrap().expose(), "sqlite:a.db");
    assert_eq!(settings.direct_url.as_ref().unwrap().expose(), "sqlite:a.db");
    assert_eq!(settings.pooled, Some(true));
    assert_eq!(settings.role.as_deref(), Some("owner"));
    assert_eq!(settings.foreign_keys, Some(limosa_sql::ForeignKeys::Enforced));
    assert_eq!(settings.wait_for_database, Some(Duration::from_secs(60)));
    assert_eq!(settings.directories, [PathBuf::from("one"), PathBuf::from("/two")]);
    assert_eq!(settings.create_schemas, ["s1", "s2"]);
    assert!(
        settings.allow_commands
            && settings.ignore_other_ledgers
            && settings.tool_table.as_deref() == Some("ops.mine")
            && !settings.replace_placeholders
            && !settings.verify_applied
            && !settings.share_transactions
    );
    let naming = limosa_formats::flyway::Naming {
        versioned: "M".to_owned(),
        undo: "N".to_owned(),
        repeatable: "O".to_owned(),
        baseline: "P".to_owned(),
        separator: "-".to_owned(),
        suffixes: vec![".a".to_owned(), ".b".to_owned()],
        placeholders: Box::new(limosa_sql::PlaceholderMarks::new("#[", "]", ".").unwrap()),
        command_marks: Box::new(["Q_", "_Q"].map(str::to_owned)),
    };
    let layout = limosa_formats::LayoutChoice::Given(limosa_formats::Layout::Flyway(naming));
    assert_eq!(settings.layout(), layout);
    assert_eq!(settings.pattern.as_ref().unwrap().as_str(), "{version}.sql");
    assert_eq!(settings.project, "shop");
    assert!(settings.clean_disabled && settings.baseline_on_migrate.as_deref() == Some("3"));
    assert!(settings.protected && settings.single_transaction && settings.auto_rollback && settings.backup);
    assert_eq!(settings.out_of_order, OutOfOrder::Warn);
    assert_eq!(settings.backup_directory, PathBuf::from("saved"));
    assert_eq!(settings.lock_timeout, Duration::from_secs(1));
    assert_eq!(settings.lock_retries, 2);
    assert_eq!(settings.statement_timeout, Duration::from_secs(3));
    assert_eq!(settings.lock_wait, Duration::from_secs(4));
    assert_eq!(settings.lease, Duration::from_secs(5));
    assert_eq!(settings.ledger_schema, "own");
    assert_eq!(settings.anchor_file, Some(PathBuf::from("anchors")));
    assert_eq!(settings.hmac_key.as_ref().unwrap().expose(), "kkk");
    assert_eq!(settings.actor.as_deref(), Some("ci"));
    assert_eq!(settings.output, "json");
    assert_eq!(settings.log_format, LogFormat::Json);
    assert_eq!(settings.metrics_file, Some(PathBuf::from("m.prom")));
    assert_eq!(settings.color, Color::Never);
    assert!(settings.yes);
    let placeholders: Vec<_> = settings
        .placeholders
        .iter()
        .map(|(name, placeholder)| (name.as_str(), placeholder.value.expose(), placeholder.secret))
        .collect();
    assert_eq!(placeholders, [("a", "1", false), ("b", "2", true), ("c.d", "true", false)]);

    let explained = explain(settings, &loaded.provenance);
    for key in keys::KEYS.iter().filter(|key| key.kind != keys::Kind::Map) {
        let line = explained.iter().find(|line| line.key == key.name).unwrap();
        assert!(line.value.is_some() && line.origin.is_some(), "{line:?}");
        assert_ne!(line.origin.as_deref(), Some("default"), "{line:?}");
    }
}

#[test]
fn defaults_stand_where_nothing_is_given() {
    let loaded = case().loaded();
    let settings = &loaded.settings;
    assert_eq!(settings.database, None);
    assert_eq!(settings.directories, [PathBuf::from("migrations")]);
    assert_eq!(settings.lock_timeout, Duration::from_secs(3));
    assert_eq!(settings.statement_timeout, Duration::ZERO);
    assert_eq!(settings.wait_for_database, None);
    assert_eq!(settings.pooled, None);
    assert!(!settings.protected && !settings.yes);
    for line in explain(settings, &loaded.provenance) {
        let default = keys::find(&line.key).unwrap().default;
        // `protected` is false without a default: nobody said anything.
        if line.key != "protected" {
            assert_eq!(
                line.value.as_deref(),
                default.map(|text| if text == "60s" { "1m" } else { text }),
                "{}",
                line.key
            );
        }
    }
}

#[test]
fn every_key_with_a_variable_or_flag_is_read_from_it() {
    for key in keys::KEYS.iter().filter(|key| key.kind != keys::Kind::Map && key.name != "environment") {
        let text = match key.kind {
            keys::Kind::Choice(words) => words[words.len() - 1],
            keys::Kind::Boolean => "true",
            keys::Kind::Duration { .. } => "7s",
            keys::Kind::Integer { .. } => "7",
            keys::Kind::Url => "sqlite:x.db",
            _ if key.name == "pattern" => "{version}.sql",
            _ => "some",
        };
        let files = |case: Case| case.file("/home/me/shop/some", "");
        if let Some(variable) = key.variable {
            let loaded = files(case()).variable(variable, text).loaded();
            assert_eq!(origin(&loaded, key.name), format!("variable {variable}"));
        }
        if let Some(flag) = key.flag {
            let loaded = files(case()).flag(key.name, text).loaded();
            assert_eq!(origin(&loaded, key.name), format!("flag {flag}"));
        }
    }
}

#[test]
fn a_pattern_counts_where_no_other_format_was_asked_for() {
    use limosa_formats::{Layout, LayoutChoice};
    let loaded = |format: &str| case().toml(&format!("pattern = \"{{version}}.sql\"\n{format}")).loaded();
    for format in ["", "format = \"auto\"", "format = \"pattern\""] {
        let loaded = loaded(format);
        assert!(matches!(loaded.settings.layout(), LayoutChoice::Given(Layout::Pattern(_))), "{format}");
        assert!(loaded.notices.is_empty(), "{:?}", loaded.notices);
    }
    let loaded = loaded("format = \"diesel\"");
    assert_eq!(loaded.settings.layout(), LayoutChoice::Given(Layout::Diesel));
    assert_eq!(loaded.notices[0].message, "`pattern` has no effect beside `format`");
}

#[test]
fn empty_variables_count_as_not_set() {
    let loaded = case().variable("LIMOSA_ROLE", "").variable("DATABASE_URL", " ").variable("LIMOSA_LEASE", "").loaded();
    assert_eq!((loaded.settings.role, loaded.settings.database), (None, None));
}

#[test]
fn placeholders_are_merged_by_name() {
    let toml = "[placeholders]\na = \"top\"\nb = \"top\"\nc = \"top\"\nd = \"top\"\n\
        [environments.x.placeholders]\nb = \"section\"\nc = \"section\"\nd = \"section\"\n";
    let loaded = case()
        .toml(toml)
        .flag("environment", "x")
        .flag("placeholders", "d=flag=1")
        .flag("placeholders", "E=")
        .variable("LIMOSA_PLACEHOLDER_C", "variable")
        .variable("LIMOSA_PLACEHOLDER_appUser", "kept")
        .loaded();
    let found: Vec<_> =
        loaded.settings.placeholders.iter().map(|(name, value)| format!("{name}={}", value.value.expose())).collect();
    assert_eq!(found, ["E=", "a=top", "appUser=kept", "b=section", "c=variable", "d=flag=1"]);
    assert_eq!(origin(&loaded, "placeholders.b"), "limosa.toml:7 [environments.x]");
    assert_eq!(origin(&loaded, "placeholders.c"), "variable LIMOSA_PLACEHOLDER_C");
}

#[test]
fn the_page_about_all_keys_names_each() {
    let page = settings_reference();
    for key in keys::KEYS {
        assert!(page.contains(&format!("| `{}`", key.name)) && page.contains(key.doc), "{}", key.name);
    }
    let columns = |line: &str| line.replace("\\|", "").matches('|').count();
    assert!(page.lines().all(|line| columns(line) == 8), "{page}");
}
