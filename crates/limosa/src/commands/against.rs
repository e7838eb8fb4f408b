//! `validate --against`: whether the migrations of this branch go together with those of another one.

use std::collections::BTreeSet;

use limosa_core::{Binding, BranchFile, Clash, Comparison, OutOfOrder, equal_but_for_case};
use limosa_sql::{Diagnostic, Label, Severity};

use crate::branches::Branches;
use crate::report::{AgainstLine, CheckLine, FindingsAnswer};
use crate::{Configuration, Exit, Failure, Migrator};

impl Migrator {
    /// Whether the migrations of the working tree go together with those of a branch, tag or commit of git's. Where a database is
    /// configured, whether files and ledger agree as well, as [`Migrator::validate`] says. Writes nothing.
    ///
    /// # Errors
    /// Where git, the files or the ledger cannot be read.
    pub async fn validate_against(&self, reference: &str) -> Result<FindingsAnswer, Failure> {
        let (configuration, named) = (self.configuration.clone(), reference.to_owned());
        let reading = move || Branches::read(&configuration, Some(&named));
        let read = tokio::task::spawn_blocking(reading).await;
        let branches = read.map_err(|_| crate::commands::interrupted())??;
        let mut answer = match has_database(&self.configuration) {
            true => self.validate().await?,
            false => {
                // A folder that is not here may be on the other branch.
                let folders = &self.configuration.directories;
                let present = folders.iter().filter(|folder| folder.exists()).cloned().collect();
                self.look_at_files(present).await?
            }
        };
        let compared = branches.compare();
        let order = self.configuration.out_of_order;
        answer.findings.extend(branches.notices.iter().cloned());
        answer.findings.extend(findings(&branches, &compared, order));
        answer.checks.extend(checks(&branches, &compared, order));
        answer.against = Some(AgainstLine {
            reference: branches.reference.clone(),
            commit: branches.commit.as_str().to_owned(),
            merge_base: branches.merge_base.as_str().to_owned(),
            added: compared.added.len(),
        });
        if answer.findings.iter().any(Diagnostic::is_error) {
            answer.exit_code = Exit::No.into();
        }
        Ok(answer)
    }
}

fn checks(branches: &Branches, compared: &Comparison<'_>, order: OutOfOrder) -> Vec<CheckLine> {
    let mut lines = vec![CheckLine {
        name: format!("added since {}", branches.merge_base),
        result: "ok",
        seen: compared.added.len().to_string(),
    }];
    for name in [
        "added on both sides",
        LATE,
        PASSED_OVER,
        "in another order here",
        "edited here",
        "planned otherwise here",
        "renamed here",
        "deleted here",
    ] {
        let found: Vec<_> = compared.clashes.iter().filter(|clash| title(clash) == name).collect();
        let seen = found.len();
        let gravest = found.iter().filter_map(|clash| finding(branches, clash, order)).map(|one| one.severity).max();
        let result = match gravest {
            Some(Severity::Error) => "error",
            Some(Severity::Warning | Severity::Note) => "warning",
            None => "ok",
        };
        if seen > 0 {
            lines.push(CheckLine { name: name.to_owned(), result, seen: seen.to_string() });
        }
    }
    lines
}

/// The name of the check for files that come late.
const LATE: &str = "late";

/// The name of the check for what the tool passes over.
const PASSED_OVER: &str = "passed over";

/// The check that a clash belongs to.
fn title(clash: &Clash<'_>) -> &'static str {
    match clash {
        Clash::SameIdentity { .. } => "added on both sides",
        Clash::Late { .. } => LATE,
        Clash::PassedOver { .. } => PASSED_OVER,
        Clash::Moved { .. } => "in another order here",
        Clash::Edited { .. } => "edited here",
        Clash::Restated { .. } => "planned otherwise here",
        Clash::Renamed { .. } => "renamed here",
        Clash::Deleted { .. } => "deleted here",
    }
}

/// What does not go together.
fn findings(branches: &Branches, compared: &Comparison<'_>, order: OutOfOrder) -> Vec<Diagnostic> {
    let here: BTreeSet<&str> = branches.here.names.iter().map(String::as_str).collect();
    let in_both = |clash: &&Clash<'_>| match clash {
        // Where both stand in one folder already, its own check tells.
        Clash::SameIdentity { here: mine, there } => mine.path == there.path || !here.contains(there.path.as_str()),
        _ => true,
    };
    let told = compared.clashes.iter().filter(in_both);
    let mut findings: Vec<Diagnostic> = told.filter_map(|clash| finding(branches, clash, order)).collect();
    let known: BTreeSet<&str> = branches.base.names.iter().map(String::as_str).collect();
    let there: BTreeSet<&str> = branches.there.names.iter().map(String::as_str).collect();
    let new_here: BTreeSet<&str> =
        here.iter().copied().filter(|name| !known.contains(name) && !there.contains(name)).collect();
    let taken_away = |name: &&str| known.contains(name) && !here.contains(name);
    let together: BTreeSet<&str> = here.iter().chain(there.iter().filter(|name| !taken_away(name))).copied().collect();
    findings.extend(equal_but_for_case(&new_here, &together).into_iter().map(|(mine, other)| {
        let message = format!("{mine} and {other} differ by capitals alone");
        let help = "rename one of them: file systems that do not tell capitals apart (macOS, Windows) keep only one";
        Diagnostic::error("LIM-P027", message).at(Label::file(mine)).help(help)
    }));
    findings
}

fn finding(branches: &Branches, clash: &Clash<'_>, order: OutOfOrder) -> Option<Diagnostic> {
    let reference = &branches.reference;
    let put_back = |file: &BranchFile| {
        format!("git restore --source={} -- {}", branches.merge_base.short(), shell_word(&file.path))
    };
    Some(match clash {
        Clash::SameIdentity { here, there } if here.name == there.name => {
            let message = format!("{} was added here and in {reference}, and does not do the same", here.name);
            Diagnostic::error("LIM-P022", message).at(Label::file(&here.path)).help(match here.name == here.path {
                true => format!("give this one another name: git mv, then {}", renumber(branches)),
                false => "give this one another name".to_owned(),
            })
        }
        Clash::SameIdentity { here, there } => {
            let (what, help) = match &here.version {
                None => (format!("the name {}", here.identity), "rename one of them".to_owned()),
                Some(version) => (
                    version.name().map_or_else(|| format!("the version {version}"), |name| format!("the name {name}")),
                    format!("give this one a newer version: {}", renumber(branches)),
                ),
            };
            let message = format!("{} has {what}, and so has {} in {reference}", here.path, there.path);
            Diagnostic::error("LIM-P022", message).at(Label::file(&here.path)).help(help)
        }
        Clash::Late { .. } if order == OutOfOrder::Allow => return None,
        Clash::Late { here, newest } => {
            let (severity, limosa) = match order {
                OutOfOrder::Refuse => (
                    Severity::Error,
                    "limosa refuses to migrate a database that has the newer one (out_of_order = \"refuse\")",
                ),
                _ => (Severity::Warning, "limosa runs it with a warning (out_of_order = \"warn\")"),
            };
            let message = format!("{} comes late: {reference} has {} already", here.name, newest.name);
            let elsewhere = branches.layout.late_elsewhere();
            Diagnostic::new("LIM-P023", severity, message)
                .at(Label::file(&here.path))
                .help(format!("{limosa}; {elsewhere}. Give it a newer version: {}", renumber(branches)))
        }
        Clash::PassedOver { here, newest } => {
            let message =
                format!("{} is no newer than {} in {reference}, by the time in the journal", here.name, newest.name);
            Diagnostic::warning("LIM-P023", message).at(Label::file(&here.path)).help(format!(
                "limosa runs it all the same; {}. Merge {reference}, then take it away and make it again: {}",
                branches.layout.late_elsewhere(),
                branches.layout.made_by_its_tool().map_or("", |(_, help)| help)
            ))
        }
        Clash::Moved { here, before } => {
            let message = format!("{} stands before {} here, and behind it in {reference}", before.name, here.name);
            Diagnostic::error("LIM-P023", message)
                .at(Label::file(&before.path))
                .help("where both ran they ran in the other order; give the list the order that it has there")
        }
        Clash::Edited { here, before } => {
            let what = match here.name == before.name {
                true => format!("{} was edited here", here.name),
                false => format!("{} was edited here and renamed to {}", before.name, here.name),
            };
            Diagnostic::error("LIM-P024", format!("{what}, and {reference} has it: where it ran it does not run again"))
                .at(Label::file(&here.path))
                .help(format!("put it back ({}) and write a new migration for what is to change", put_back(before)))
        }
        Clash::Restated { here, other, behind } => {
            let what = listed(&here.restated(other));
            let others = match behind {
                0 => "it".to_owned(),
                1 => "it and the change behind it".to_owned(),
                _ => format!("it and the {behind} changes behind it"),
            };
            let message = format!("the plan says otherwise of {} than that of {reference}: {what}", here.name);
            let help = format!(
                "limosa knows changes by their names, and runs none again; Sqitch gives {others} other ids, and refuses a database that has \
                 the old ones. Give the line back what it says there; what is to change goes into a new change, or sqitch rework {}",
                here.identity
            );
            Diagnostic::warning("LIM-P029", message).at(Label::file(&here.path)).help(help)
        }
        Clash::Renamed { here, before } if here.identity == before.identity => {
            let message = format!("{} is called {} here, which {reference} does not know", before.name, here.name);
            Diagnostic::warning("LIM-P026", message).at(Label::file(&here.path)).help(
                "limosa knows it by its version still, but tools that compare descriptions, as Flyway does, refuse it. Give it its old name",
            )
        }
        Clash::Renamed { here, before } => {
            let message = format!(
                "{} is called {} here: where it ran it would run again, as another migration",
                before.name, here.name
            );
            let help = match here.name == here.path {
                true => {
                    format!("give it its old name: git mv {} {}", shell_word(&here.path), shell_word(&before.path))
                }
                false => "give it its old name".to_owned(),
            };
            Diagnostic::error("LIM-P026", message).at(Label::file(&here.path)).help(help)
        }
        Clash::Deleted { before } => {
            let severity = match before.binding {
                Binding::Repeatable => Severity::Warning,
                Binding::InOrder | Binding::Free => Severity::Error,
            };
            let message = format!("{} is gone here, and {reference} has it: it may have run", before.name);
            Diagnostic::new("LIM-P025", severity, message)
                .at(Label::file(&before.path))
                .help(format!("put it back: {}; undo it by a new migration", put_back(before)))
        }
    })
}

/// `one`, `one and other`, `one, two and other`.
fn listed(words: &[&str]) -> String {
    match words {
        [before @ .., last] if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        words => words.concat(),
    }
}

/// The command that gives newer versions.
fn renumber(branches: &Branches) -> String {
    match branches.layout.made_by_its_tool() {
        Some((_, help)) => format!("take it away and make it again: {help}"),
        None => format!("limosa new --renumber --against {}", shell_word(&branches.reference)),
    }
}

/// A word as a shell reads it back: names of branches may hold what means something there.
pub(crate) fn shell_word(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-@^~+=,:".contains(letter);
    match word.chars().all(is_plain) && !word.is_empty() {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// True where a database is configured.
pub(crate) fn has_database(configuration: &Configuration) -> bool {
    !configuration.database.expose().is_empty()
}

#[cfg(test)]
mod tests {
    use super::shell_word;

    #[test]
    fn names_are_quoted_for_a_shell_where_they_must_be() {
        for (word, expected) in [
            ("origin/main", "origin/main"),
            ("v1.0~2", "v1.0~2"),
            ("a b", "'a b'"),
            ("x;$(y)'", r"'x;$(y)'\'''"),
            ("", "''"),
        ] {
            assert_eq!(shell_word(word), expected);
        }
    }
}
