//! Documents that are made from tables say what the tables say. `LIMOSA_UPDATE_DOCS=1` writes them anew.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use limosa_testkit::documents::{check, check_pages, root};

#[test]
fn error_codes() {
    let mut text = "# Error codes\n\nEach message of limosa's about something wrong has a code that stays. \
                    `limosa explain CODE` says what stands on its page. Made from the tables in the code.\n"
        .to_owned();
    let mut pages = Vec::new();
    let mut group = "";
    for found in limosa::codes::explanations() {
        if group != found.group {
            group = found.group;
            let _ = write!(text, "\n## {group}\n\n| code | meaning |\n|---|---|\n");
        }
        let _ = writeln!(text, "| [`{code}`](errors/{code}.md) | {} |", found.meaning, code = found.code);
        let page = format!(
            "# {code}: {}\n\n## Cause\n\n{}\n\n## What to do\n\n{}\n\n[All codes](../errors.md). Without a browser: \
             `limosa explain {code}`\n",
            found.meaning,
            linked(found.cause),
            linked(found.remedy),
            code = found.code
        );
        pages.push((format!("{}.md", found.code), found.code.to_owned(), page));
    }
    check("docs/errors.md", &text);
    check_pages("docs/errors", "errors.md", &pages);
}

/// Codes and names of pages in a text lead to their pages.
fn linked(text: &str) -> String {
    let mut linked = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("LIM-") {
        let (before, code) = (&rest[..at], &rest[at..(at + 8).min(rest.len())]);
        let _ = write!(linked, "{before}[{code}]({code}.md)");
        rest = &rest[at + code.len()..];
    }
    linked.push_str(rest);
    for (words, page) in [
        ("the page of settings", "../settings.md"),
        ("the page of migration files", "../migrations.md"),
        ("The page of headers", "../headers.md"),
        ("the page of headers", "../headers.md"),
        ("the how-to about PgBouncer", "../how-to/pgbouncer.md"),
    ] {
        linked = linked.replace(words, &format!("[{words}]({page})"));
    }
    linked
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
    let mut pages = Vec::new();
    for rule in limosa::header_rules() {
        let key = rule.config_key.map(|key| format!("`{key}`")).unwrap_or_default();
        let back = if rule.in_rollback { "yes" } else { "" };
        let page = format!("{}.md", rule.name);
        let _ = writeln!(
            text,
            "| [`{}`](headers/{page}) | {key} | {back} | {} | {} |",
            rule.name, rule.allowed, rule.meaning
        );
        pages.push((page, rule.name.to_owned(), header_page(rule)));
    }
    check_pages("docs/headers", "headers.md", &pages);
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

fn header_page(rule: &limosa::HeaderRule) -> String {
    let key = match rule.config_key {
        Some(key) => format!("The key in `migration_config.yaml` is `{key}`."),
        None => "It has no key in `migration_config.yaml`.".to_owned(),
    };
    let back = if rule.in_rollback { "It may stand in a way back, too." } else { "In a way back it has no effect." };
    format!(
        "# {}\n\n```sql\n{}\n```\n\nMeaning: {}.\n\n{}\n\nAllowed: {}. {key} {back}\n\n[All headers](../headers.md)\n",
        rule.name,
        rule.example,
        rule.meaning,
        linked(rule.details).replace("](LIM-", "](../errors/LIM-"),
        rule.allowed
    )
}
