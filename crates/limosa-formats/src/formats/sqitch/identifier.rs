//! The ids that Sqitch gives to changes: SHA-1 over what the plan says of a change, with the id of the one before it, so that each
//! stands for the plan up to there.
//!
//! sqitch 1, `lib/App/Sqitch/Plan/Change.pm` (`info`, `id`), `Plan/Line.pm` (notes), `Plan/Depend.pm`.

use limosa_core::hex;
use sha1::{Digest, Sha1};

use super::plan::{Plan, Planned};

/// What the line of a change says besides its name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Stated {
    /// Dependencies and conflicts as written.
    pub(super) dependencies: Vec<String>,
    /// Time and planner: `2024-01-31T12:00:00Z Ann <ann@example.com>`.
    pub(super) stamp: String,
    /// What stands behind `#`.
    pub(super) note: String,
}

/// The ids of all changes in their order; None from the first on whose id the plan does not tell for certain.
pub(super) fn identifiers(plan: &Plan) -> Vec<Option<String>> {
    let mut found = Vec::with_capacity(plan.changes.len());
    let mut parent = None;
    for (at, change) in plan.changes.iter().enumerate() {
        let told = (at == 0 || parent.is_some()).then(|| information(plan, change, parent.as_deref())).flatten();
        parent = told.map(|text| hex(&Sha1::digest(format!("change {}\0{text}", text.len()))));
        found.push(parent.clone());
    }
    found
}

/// The text that the hash is made of.
fn information(plan: &Plan, change: &Planned, parent: Option<&str>) -> Option<String> {
    let (date, planner) = stamp(&change.stated.stamp)?;
    let mut lines = vec![format!("project {}", plan.project)];
    if !plan.uri.is_empty() {
        lines.push(format!("uri {}", canonical(&plan.uri)?));
    }
    lines.push(format!("change {}", change.name));
    lines.extend(parent.map(|parent| format!("parent {parent}")));
    lines.push(format!("planner {planner}"));
    lines.push(format!("date {date}"));
    for (heading, bullet, conflicts) in [("requires", '+', false), ("conflicts", '-', true)] {
        let of_kind = change.stated.dependencies.iter().filter(|one| one.starts_with('!') == conflicts);
        let named: Vec<&str> = of_kind.map(|one| dependency(plan, one)).collect::<Option<_>>()?;
        if !named.is_empty() {
            lines.push(heading.to_owned());
            lines.extend(named.iter().map(|name| format!("  {bullet} {name}")));
        }
    }
    let note = unescaped(&change.stated.note);
    // Perl takes `0` for nothing.
    if !note.is_empty() && note != "0" {
        lines.extend([String::new(), note]);
    }
    Some(lines.join("\n"))
}

/// The date, and the planner as sqitch writes it: `Ann <ann@example.com>`.
fn stamp(text: &str) -> Option<(&str, &str)> {
    const FORM: &[u8] = b"0000-00-00T00:00:00Z";
    let (date, planner) = text.split_at_checked(FORM.len())?;
    let fits = |(byte, form): (u8, &u8)| if *form == b'0' { byte.is_ascii_digit() } else { byte == *form };
    let planner = planner.trim();
    let is_whole = planner.ends_with('>') && planner.matches('<').count() == 1 && planner.contains(" <");
    (date.bytes().zip(FORM).all(fits) && is_whole).then_some((date, planner))
}

/// A dependency as sqitch writes it: without its own project's name. None for one that is named by an id, which it may write
/// otherwise.
fn dependency<'p>(plan: &Plan, written: &'p str) -> Option<&'p str> {
    let name = written.strip_prefix('!').unwrap_or(written);
    let own = name.strip_prefix(plan.project.as_str()).and_then(|rest| rest.strip_prefix(':')).unwrap_or(name);
    let last = own.rsplit(':').next().unwrap_or(own);
    let is_id = last.len() == 40 && last.bytes().all(|byte| byte.is_ascii_hexdigit());
    (!is_id).then_some(own)
}

/// The URI as Perl's URI.pm writes it; None for one that it might write otherwise.
fn canonical(uri: &str) -> Option<String> {
    let rest = uri.strip_prefix("https://").or_else(|| uri.strip_prefix("http://"))?;
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    let is_path = |byte: u8| byte.is_ascii_alphanumeric() || b"/._~-".contains(&byte);
    let fits = !host.is_empty() && host.bytes().all(is_plain) && path.bytes().all(is_path);
    fits.then(|| if path.is_empty() { format!("{uri}/") } else { uri.to_owned() })
}

/// A note with its ends of lines.
fn unescaped(note: &str) -> String {
    let mut text = String::with_capacity(note.len());
    let mut letters = note.chars().peekable();
    while let Some(letter) = letters.next() {
        let meant = match (letter, letters.peek()) {
            ('\\', Some('n')) => '\n',
            ('\\', Some('r')) => '\r',
            ('\\', Some('\\')) => '\\',
            _ => {
                text.push(letter);
                continue;
            }
        };
        letters.next();
        text.push(meant);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str) -> Vec<Option<String>> {
        let (plan, problems) = Plan::read("sqitch.plan", text);
        assert!(problems.is_empty(), "{problems:?}");
        identifiers(&plan)
    }

    /// With ids by `sqitch plan --format 'format:%H'` of sqitch 1.
    const PLAN: &str = "%syntax-version=1.0.0\n%project=flipr\n%uri=https://flipr.example/\n\n\
        app/users 2026-11-26T07:00:19Z Ann <ann@example.com> # users\n\
        fill [app/users] 2026-11-26T07:00:20Z Ann <ann@example.com> # why \\\\ not\\nsecond line\n\
        @v1 2026-11-26T07:00:21Z Ann <ann@example.com> # one\n\
        fill [fill@v1] 2026-11-26T07:00:22Z Ann <ann@example.com> # again\n\
        last [fill@v1 !gone flipr:app/users] 2026-11-26T07:00:23Z  Ann B.  <ann@example.com>\n";

    #[test]
    fn ids_are_those_of_sqitch() {
        let expected = [
            "fa9359b180b35c29d8ff11089332a485f4e82e8b",
            "b87927182ec43cfd8590c7e4bef8d8a8baf89d40",
            "6795a83f40c35f828c8db4fd0520220262e96c47",
            "84cfb04702f9bd6c2348f95cb1a068e6b77667e9",
        ];
        assert_eq!(ids(PLAN), expected.map(|id| Some(id.to_owned())));
        assert_eq!(ids(&PLAN.replace(".example/", ".example")), expected.map(|id| Some(id.to_owned())));
        let changed = ids(&PLAN.replace("# again", "# once more"));
        assert_eq!(changed[1].as_deref(), Some(expected[1]));
        assert_ne!(changed[3].as_deref(), Some(expected[3]), "each id stands for those before it, too");
    }

    #[test]
    fn what_is_not_certain_has_none() {
        assert_eq!(
            ids(&PLAN.replace("https://flipr.example/", "https://flipr.example:443/a b")),
            [None, None, None, None]
        );
        let with_tab = ids(&PLAN.replace("2026-11-26T07:00:22Z Ann ", "2026-11-26T07:00:22Z Ann\t"));
        assert_eq!(with_tab.iter().map(Option::is_some).collect::<Vec<_>>(), [true, true, false, false]);
    }
}
