//! Which format a folder has: by the names of its files, and where these could be of several, by their first lines.

use limosa_core::Markers;
use limosa_sql::{Choice, Diagnostic, Label};

use crate::codes;
use crate::formats::{FORMATS, Format, Votes, liquibase};
use crate::layout::{Layout, LayoutChoice};
use crate::native::{FileRole, Place, split};

/// So many bytes of a file are looked at.
pub const HEAD_BYTES: usize = 4096;

/// So many files are looked into, at most.
const HEADS: usize = 8;

/// The layout of some folders, and how it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognised {
    /// The layout.
    pub layout: Layout,
    /// Why it was taken, in words that follow "for"; None where somebody asked for it, or where nothing speaks for another.
    pub reason: Option<String>,
}

impl LayoutChoice {
    /// The layout for files with these paths. `around` are the names of [`crate::formats::SIGNS`] that stand beside their folders or
    /// above them. `head_of` gives the first [`HEAD_BYTES`] of a file, or None where it cannot be read; it is asked for a few files
    /// only, and only where their names could be of several formats.
    ///
    /// # Errors
    /// Where two formats have several files each, or no format has more than half of a few.
    pub fn settle(
        &self,
        paths: &[&str],
        around: &[&str],
        head_of: &mut dyn FnMut(&str) -> Option<Vec<u8>>,
    ) -> Result<Recognised, Box<Diagnostic>> {
        if let LayoutChoice::Given(layout) = self {
            return Ok(Recognised { layout: layout.clone(), reason: None });
        }
        let places: Vec<Place<'_>> = paths.iter().map(|path| Place::of(path)).collect();
        let votes = Votes::count(&places, around);
        let by_names = votes.winner().and_then(|format| Some((Layout::of_format(format.name)?, format)));
        let recognised = match by_names.filter(|(layout, _)| *layout != Layout::Native) {
            Some((layout, format)) => {
                let signs = if format.sign.is_some() { around } else { &[] };
                let reason = ["their names"].iter().chain(signs).copied().collect::<Vec<_>>().join(", ");
                Recognised { layout, reason: Some(reason) }
            }
            None => marked(paths, head_of)?.unwrap_or(Recognised { layout: Layout::Native, reason: None }),
        };
        match mixed(paths, &votes, &recognised.layout).or_else(|| outnumbered(paths, &votes, &recognised.layout)) {
            None => Ok(recognised),
            Some(diagnostic) => Err(Box::new(diagnostic)),
        }
    }
}

/// The format that the first lines of a few files speak for: of the first of them that speak for one.
///
/// # Errors
/// Where as many others speak for another one.
fn marked(
    paths: &[&str],
    head_of: &mut dyn FnMut(&str) -> Option<Vec<u8>>,
) -> Result<Option<Recognised>, Box<Diagnostic>> {
    let mut spoken: Vec<(&str, &str, String)> = Vec::new();
    let scripts = || paths.iter().filter(|path| split(path).1.ends_with(".sql"));
    for path in scripts().take(HEADS) {
        if let Some((format, line)) = head_of(path).and_then(|head| marks(&head)) {
            spoken.push((path, format, line));
        }
    }
    let Some((first, format, line)) = spoken.first() else { return Ok(None) };
    let others: Vec<&(&str, &str, String)> = spoken.iter().filter(|(_, other, _)| other != format).collect();
    if let Some((path, other, _)) = others.first().filter(|_| others.len() * 2 >= spoken.len()) {
        // Who is to choose wants to know how many there are of each.
        let marked: Vec<&str> = scripts().filter_map(|path| Some(marks(&head_of(path)?)?.0)).collect();
        let files = |format: &str| marked.iter().filter(|marked| **marked == format).count();
        let samples =
            [Sample { path: first, format, files: files(format) }, Sample { path, format: other, files: files(other) }];
        return Err(Box::new(of_several(&samples, None)));
    }
    let reason = Some(format!("'{line}' in {first}"));
    Ok(Layout::of_format(format).map(|layout| Recognised { layout, reason }))
}

/// The format that the head of a file speaks for, and the line that does.
fn marks(head: &[u8]) -> Option<(&'static str, String)> {
    if liquibase::is_formatted(head) {
        return Some((liquibase::FORMAT.name, "--liquibase formatted sql".to_owned()));
    }
    spoken_for(head).map(|(markers, line)| (markers.format_name(), line))
}

/// What a folder holds of a format: one of its files, and how many there are.
struct Sample<'s> {
    path: &'s str,
    format: &'s str,
    files: usize,
}

impl Sample<'_> {
    fn choice(&self) -> Choice {
        let text = match self.files {
            1 => format!("1 file, {}", self.path),
            files => format!("{files} files, such as {}", self.path),
        };
        Choice { value: self.format.to_owned(), text }
    }
}

/// The problem of a folder with files of several formats, of which one is meant; `both` is a format that has the files of all.
fn of_several(samples: &[Sample<'_>], both: Option<&Sample<'_>>) -> Diagnostic {
    let list: Vec<String> =
        samples.iter().map(|Sample { path, format, .. }| format!("{path} one of {format}")).collect();
    let count = if samples.len() == 2 { "two".to_owned() } else { samples.len().to_string() };
    let list = list.join(", ").replacen(" one of ", " is one of ", 1);
    let which: Vec<String> = samples.iter().map(|sample| format!("--format {}", sample.format)).collect();
    let has_both = both.map(|both| format!("; --format {} has both", both.format)).unwrap_or_default();
    let which = which.join(" or ");
    let help = format!("say which are meant, {which}; or give each a folder of its own and name one: --dir{has_both}");
    let problem = Diagnostic::error(codes::MIXED_FORMATS, format!("the folder holds files of {count} formats: {list}"));
    let mut labelled = samples.iter().enumerate().fold(problem, |problem, (at, Sample { path, .. })| match at {
        0 => problem.at(Label::file(*path)),
        _ => problem.at(Label::file(*path).text("the other one")),
    });
    labelled.choices = samples.iter().chain(both).map(Sample::choice).collect();
    labelled.help(help)
}

/// A few files of limosa's own, or with the markers of a tool, beside as many and more that are of other formats by their names: to run
/// the few and leave out the rest could be wrong either way.
fn outnumbered(paths: &[&str], votes: &Votes, layout: &Layout) -> Option<Diagnostic> {
    const SEVERAL: usize = 2;
    if *layout != Layout::Native && !Markers::ALL.iter().any(|markers| markers.format_name() == layout.name()) {
        return None;
    }
    let roles: Vec<(&str, FileRole)> = paths.iter().map(|path| (*path, layout.classify(path))).collect();
    let own: Vec<&str> = roles.iter().filter(|(_, role)| role.is_script()).map(|(path, _)| *path).collect();
    let left = roles.iter().filter(|(_, role)| matches!(role, FileRole::Unclear(_) | FileRole::Ignored));
    let formats: Vec<&Format> = votes.each().map(|(format, _)| format).filter(|it| it.name != layout.name()).collect();
    let of_other = |path: &str| formats.iter().find(|format| (format.votes)(&[Place::of(path)]) > 0);
    let others: Vec<(&str, &str)> = left.filter_map(|(path, _)| Some((*path, of_other(path)?.name))).collect();
    if own.is_empty() || others.len() < own.len().max(SEVERAL) {
        return None;
    }
    let mut samples = vec![Sample { path: own[0], format: layout.name(), files: own.len() }];
    for (path, format) in others {
        match samples.iter_mut().find(|known| known.format == format) {
            Some(known) => known.files += 1,
            None => samples.push(Sample { path, format, files: 1 }),
        }
    }
    Some(of_several(&samples, None))
}

/// Whose markers stand in the head of a file; the first of them as written.
pub(crate) fn spoken_for(head: &[u8]) -> Option<(Markers, String)> {
    let head = String::from_utf8_lossy(head);
    head.trim_start_matches('\u{feff}').lines().find_map(|line| {
        let is_marker = |markers: &Markers| match markers {
            // Others take this for prose: it must be the whole comment.
            Markers::NodePgMigrate => {
                let text = line.trim_start().trim_start_matches('-').trim();
                markers.read(line).is_some() && text.to_ascii_lowercase().ends_with("migration")
            }
            _ => markers.read(line).is_some_and(|mark| mark != limosa_core::Mark::Unknown),
        };
        let markers = Markers::ALL.into_iter().find(is_marker)?;
        Some((markers, line.trim().to_owned()))
    })
}

/// Files of one format beside files of another: nobody knows which are meant. A stray file decides nothing, nor do a few among
/// many: a tool passes over what it does not know, and histories of years hold some such.
fn mixed<'p>(paths: &[&'p str], votes: &Votes, layout: &Layout) -> Option<Diagnostic> {
    const SEVERAL: usize = 2;
    const MANY: usize = 20;
    let has_place = |path: &str| !matches!(layout.classify(path), FileRole::Unclear(_) | FileRole::Ignored);
    let of_other = |format: &Format, path: &str| (format.votes)(&[Place::of(path)]) > 0;
    let rivals = votes.each().filter(|(format, votes)| format.name != layout.name() && *votes >= SEVERAL);
    rivals.map(|(format, _)| format).find_map(|format| {
        let others: Vec<&&str> = paths.iter().filter(|path| of_other(format, path) && !has_place(path)).collect();
        let own: Vec<&&str> = paths.iter().filter(|path| has_place(path) && !of_other(format, path)).collect();
        if *layout != Layout::Native && others.len() * MANY <= own.len() {
            return None;
        }
        if others.len() < SEVERAL || own.len() < SEVERAL {
            return None;
        }
        // sqlx, for instance, has files up and down beside files that only lead up.
        let has_both = |format: &&Format| of_other(format, own[0]) && of_other(format, others[0]);
        let both = FORMATS.iter().find(has_both).map(|format| {
            let files = paths.iter().filter(|path| of_other(format, path)).count();
            Sample { path: own[0], format: format.name, files }
        });
        let sample = |files: &[&&'p str], format| Sample { path: files[0], format, files: files.len() };
        Some(of_several(&[sample(&own, layout.name()), sample(&others, format.name)], both.as_ref()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(files: &[(&str, &str)]) -> Result<(&'static str, Option<String>), String> {
        let paths: Vec<&str> = files.iter().map(|(path, _)| *path).collect();
        let mut head_of =
            |path: &str| files.iter().find(|(name, _)| *name == path).map(|(_, text)| text.as_bytes().to_vec());
        match LayoutChoice::Auto.settle(&paths, &[], &mut head_of) {
            Ok(recognised) => Ok((recognised.layout.name(), recognised.reason)),
            Err(diagnostic) => Err(format!("{} / {}", diagnostic.message, diagnostic.help.unwrap_or_default())),
        }
    }

    #[test]
    fn first_lines_speak_where_names_do_not() {
        const SQL: &str = "create table a (id int);";
        for (files, expected) in [
            (&[("m/1_a.sql", SQL), ("m/2_b.sql", "\u{feff}-- note\r\n-- +goose Up\r\n")][..], "goose"),
            (&[("m/1_a.sql", "-- +goose NO TRANSACTION\n-- +goose Up")], "goose"),
            (&[("m/001-a.sql", "--migrate:up\n")], "dbmate"),
            (&[("m/a.sql", "\n-- Liquibase formatted SQL\n--changeset a:1\n")], "liquibase"),
            (&[("m/1_a.sql", "-- talks of migrate:up and +goose\n")], "native"),
            (&[("m/1_a.sql", SQL), ("m/README.md", "-- +goose Up")], "native"),
            (&[("V1__a.sql", "-- +goose Up")], "flyway"),
            (&[("1_a.up.sql", "-- migrate:up")], "up_down"),
            (&[], "native"),
        ] {
            assert_eq!(settled(files).map(|(name, _)| name), Ok(expected), "{files:?}");
        }
        let (_, reason) = settled(&[("m/1_a.sql", "-- +goose Up\nselect 1;")]).unwrap();
        assert_eq!(reason.as_deref(), Some("'-- +goose Up' in m/1_a.sql"));
        let (_, reason) = settled(&[("V1__a.sql", "")]).unwrap();
        assert_eq!(reason.as_deref(), Some("their names"));
    }

    #[test]
    fn only_a_few_files_are_looked_into() {
        let paths: Vec<String> = (1..100).map(|number| format!("m/{number:03}_a.sql")).collect();
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let mut asked = 0;
        let mut head_of = |_: &str| {
            asked += 1;
            None
        };
        assert!(LayoutChoice::Auto.settle(&paths, &[], &mut head_of).is_ok());
        assert_eq!(asked, HEADS);
    }

    #[test]
    fn a_few_among_many_are_passed_over_as_the_tool_does() {
        let many: Vec<String> = (1..=40).map(|number| format!("m/{number:04}_a.up.sql")).collect();
        let few = ["m/0021_b_up.sql".to_owned(), "m/0021_b_down.sql".to_owned()];
        let settled = |paths: Vec<&str>| {
            let found = LayoutChoice::Auto.settle(&paths, &[], &mut |_| None);
            found.map(|recognised| recognised.layout.name()).map_err(|problem| problem.code)
        };
        assert_eq!(settled(many.iter().chain(&few).map(String::as_str).collect()), Ok("up_down"));
        assert_eq!(settled(many[..39].iter().chain(&few).map(String::as_str).collect()), Err(codes::MIXED_FORMATS));
    }

    #[test]
    fn who_is_to_choose_sees_how_many_there_are_of_each() {
        let choices = |paths: &[&str], head: &str| {
            let mut head_of = |path: &str| {
                let text = if path.contains("_goose") { "-- +goose Up" } else { head };
                Some(text.as_bytes().to_vec())
            };
            let problem = LayoutChoice::Auto.settle(paths, &[], &mut head_of).unwrap_err();
            problem.choices.iter().map(|choice| format!("{}: {}", choice.value, choice.text)).collect::<Vec<_>>()
        };
        assert_eq!(
            choices(&["1_a.sql", "2_b.sql", "3_c.up.sql", "3_c.down.sql"], ""),
            [
                "native: 2 files, such as 1_a.sql",
                "up_down: 2 files, such as 3_c.up.sql",
                "sqlx: 4 files, such as 1_a.sql"
            ]
        );
        assert_eq!(
            choices(&["V1__x.sql", "002_b.up.sql", "20240101000000_c.sql"], ""),
            ["native: 1 file, 20240101000000_c.sql", "flyway: 1 file, V1__x.sql", "up_down: 1 file, 002_b.up.sql"]
        );
        // Those are counted, too, that were not looked into before.
        let paths: Vec<String> =
            (1..=30).map(|number| format!("{number:02}_{}.sql", ["a", "goose"][number % 2])).collect();
        assert_eq!(
            choices(&paths.iter().map(String::as_str).collect::<Vec<_>>(), "-- migrate:up"),
            ["goose: 15 files, such as 01_goose.sql", "dbmate: 15 files, such as 02_a.sql"]
        );
    }

    #[test]
    fn two_formats_are_refused() {
        let goose = "-- +goose Up\n";
        for (files, own, other) in [
            (
                &[("m/1_a.sql", goose), ("m/2_b.sql", goose), ("m/V1__a.sql", ""), ("m/V2__b.sql", "")][..],
                "goose",
                "flyway",
            ),
            (
                &[("m/1_a.sql", ""), ("m/2_b.sql", ""), ("m/3_c.up.sql", ""), ("m/3_c.down.sql", "")],
                "native",
                "up_down",
            ),
        ] {
            let message = settled(files).unwrap_err();
            assert!(
                message.contains(&format!("of {own},")) && message.contains(&format!("one of {other} /")),
                "{message}"
            );
            assert_eq!(message.contains("--format sqlx has both"), other == "up_down", "{message}");
        }
        // By their markers.
        let dbmate = "-- migrate:up\n";
        let message =
            settled(&[("m/1_a.sql", goose), ("m/2_b.sql", goose), ("m/3_c.sql", dbmate), ("m/4_d.sql", dbmate)])
                .unwrap_err();
        assert!(message.contains("m/1_a.sql is one of goose, m/3_c.sql one of dbmate / "), "{message}");
        assert!(message.contains("--format goose or --format dbmate"), "{message}");
        assert!(settled(&[("m/1_a.sql", goose), ("m/2_b.sql", goose), ("m/3_c.sql", dbmate)]).is_ok());
        // Few files, none of whose formats has most of them.
        let message = settled(&[("V1__x.sql", ""), ("002_b.up.sql", ""), ("20240101000000_c.sql", "")]).unwrap_err();
        assert!(
            message.contains(
                "20240101000000_c.sql is one of native, V1__x.sql one of flyway, 002_b.up.sql one of up_down / "
            ),
            "{message}"
        );
        // What both have, and what stands alone, is no other format.
        for files in [
            &[("V1__a.sql", ""), ("V2__b.sql", ""), ("R__c.sql", ""), ("R__d.sql", ""), ("1_e.sql", "")][..],
            &[("1_a.sql", ""), ("2_b.sql", ""), ("V3__c.sql", "")],
        ] {
            assert!(settled(files).is_ok(), "{files:?}");
        }
    }
}
