//! Documents that are made from tables say what the tables say. `LIMOSA_UPDATE_DOCS=1` writes them anew.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn check(name: &str, expected: &str) {
    let path = root().join(name);
    if std::env::var("LIMOSA_UPDATE_DOCS").is_ok() {
        std::fs::write(&path, expected).expect("the document is written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == expected, "{name} is out of date; run again with LIMOSA_UPDATE_DOCS=1");
}

#[test]
fn error_codes() {
    let mut text = "# Error codes\n\nEach message of limosa's about something wrong has a code that stays. Made from the tables in the code.\n".to_owned();
    for (title, codes) in limosa::codes::groups() {
        let _ = write!(text, "\n## {title}\n\n| code | meaning |\n|---|---|\n");
        for (code, meaning) in codes {
            let _ = writeln!(text, "| `{code}` | {meaning} |");
        }
    }
    check("docs/errors.md", &text);
}

#[test]
fn every_code_in_the_sources_is_documented() {
    let known: BTreeSet<String> =
        limosa::codes::groups().into_iter().flat_map(|(_, codes)| codes).map(|(code, _)| code.to_owned()).collect();
    let mut used = BTreeSet::new();
    collect(&root().join("crates"), &mut used);
    assert!(used.len() > 80, "the search finds codes: {}", used.len());
    let unknown: Vec<&String> = used.difference(&known).collect();
    assert!(unknown.is_empty(), "without a meaning: {unknown:?}");
}

fn collect(folder: &Path, used: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && !path.ends_with("tests") && !path.ends_with("target") {
            collect(&path, used);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = std::fs::read_to_string(&path).expect("a source");
            for (at, _) in text.match_indices("\"LIM-") {
                let code = &text[at + 1..(at + 9).min(text.len())];
                // X stands in tests beside the code.
                if code.len() == 8 && !code.starts_with("LIM-X") && code[5..].bytes().all(|byte| byte.is_ascii_digit())
                {
                    used.insert(code.to_owned());
                }
            }
        }
    }
}

#[test]
fn settings() {
    let text = format!(
        "# Settings\n\nFrom `limosa.toml`, its `[environments.NAME]` tables, variables and flags; later ones win. Where a value came \
         from: `limosa config explain`. Made from the table in the code.\n\n{}",
        limosa::settings::settings_reference()
    );
    check("docs/settings.md", &text);
}

#[test]
fn headers() {
    let mut text = "# Headers\n\nComments `-- Key: value` above the first statement of a migration (for MySQL `# Key: value` too), or the same keys in `migration_config.yaml`. \
         The file's own header wins. Made from the table in the code.\n\nIn a rollback file above the first statement, and directly behind \
         `-- limosa:rollback`, the headers hold for the way back that are marked so; the others have no effect there.\n\n| header | key in the configuration | for a way back | allowed | meaning |\n|---|---|---|---|---|\n"
        .to_owned();
    for rule in limosa::header_rules() {
        let key = rule.config_key.map(|key| format!("`{key}`")).unwrap_or_default();
        let back = if rule.in_rollback { "yes" } else { "" };
        let _ = writeln!(text, "| `{}` | {key} | {back} | {} | {} |", rule.name, rule.allowed, rule.meaning);
    }
    check("docs/headers.md", &text);
}

#[test]
fn settings_of_flyway() {
    let text = format!(
        "# What becomes of Flyway's settings\n\n`flyway.conf` and `flyway.toml` are read where there is no `limosa.toml`, or where \
         `--config` names one. Made from the table in the code; how to come from Flyway: [flyway.md](flyway.md).\n\n{}",
        limosa::settings::flyway_settings_reference()
    );
    check("docs/coming-from/flyway-settings.md", &text);
}
