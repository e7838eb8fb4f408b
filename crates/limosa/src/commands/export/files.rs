//! The project's files in the form of the other tool.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Read;

use limosa_core::{
    Change, Direction, ForeignTool, Identity, Kind, LedgerView, Outline, RowState, Script, SectionMask, Surroundings,
    not_applicable,
};
use limosa_formats::export::{Way, Written, named, slug, written};
use limosa_run::{Files, file_name_value};
use limosa_sql::{Dialect, Label, in_usual_marks};

use crate::files::Loaded;
use crate::opened::Opened;
use crate::{Exit, Failure};

/// What is exported.
#[derive(Clone, Copy)]
pub(super) struct Project<'p> {
    pub(super) opened: &'p Opened<'p>,
    pub(super) loaded: &'p Loaded,
    pub(super) view: &'p LedgerView,
    pub(super) around: &'p Surroundings,
    /// Ways back as the ledger has recorded them.
    pub(super) recorded: &'p HashMap<Identity, String>,
    pub(super) tool: ForeignTool,
}

/// A migration that has files there.
pub(super) struct OneOfMany {
    pub(super) identity: Identity,
    /// Its version there.
    pub(super) version: String,
    pub(super) name: String,
    /// Its name as a part of the names of files.
    pub(super) title: String,
    pub(super) files: Vec<String>,
    /// What the file up holds.
    pub(super) up: String,
    pub(super) is_applied: bool,
    /// The order in which it was applied.
    pub(super) rank: i64,
}

/// Something that the tool cannot hold.
pub(super) struct Left {
    pub(super) what: String,
    pub(super) why: String,
}

/// What is written.
#[derive(Default)]
pub(super) struct Exported {
    pub(super) migrations: Vec<OneOfMany>,
    pub(super) files: Vec<Written>,
    pub(super) left: Vec<Left>,
    /// Values that were put in, or that the tool has to be given.
    pub(super) placeholders: BTreeMap<String, String>,
}

/// Writes all migrations that the tool can hold.
///
/// # Errors
/// A file that cannot be read; a secret, data for COPY, or a marker of the tool's in a script.
pub(super) fn exported(project: &Project<'_>) -> Result<Exported, Failure> {
    let mut exported = Exported::default();
    let tool = project.tool.name();
    let mut chosen: Vec<&Change> = Vec::new();
    for change in &project.loaded.changes {
        let what = || format!("{} {}", change.label, change.name);
        let why = match () {
            () if change.kind == Kind::Repeatable && project.tool != ForeignTool::Flyway => {
                format!("it is repeatable, and {tool} runs nothing again when it changes")
            }
            () if change.is_baseline => "it stands for all versions before it, whose files are exported".to_owned(),
            () if change.is_code => "it is a program, and no SQL".to_owned(),
            () if change.headers.guard.as_ref().is_some_and(|guard| guard.checks.is_empty()) => {
                format!("it may fail, and {tool} would stop there")
            }
            () if change.headers.guard.is_some() => {
                format!("it has a precondition, and {tool} would run it whether or not that holds")
            }
            () => match not_applicable(change, project.around) {
                Some(reason) => format!("it does not apply here ({reason}), and {tool} would run it everywhere"),
                None => {
                    chosen.push(change);
                    continue;
                }
            },
        };
        exported.left.push(Left { what: what(), why });
    }
    let versions = versions(project, &chosen, &mut exported);
    let known: HashMap<&Identity, &str> =
        chosen.iter().map(|change| &change.identity).zip(versions.iter().map(String::as_str)).collect();
    for (change, version) in chosen.iter().zip(&versions) {
        one(project, change, version.clone(), &known, &mut exported)?;
    }
    around_them(project, &mut exported)?;
    Ok(exported)
}

/// The versions there: as they are where the tool takes them and goes by them in the same order, else numbers from 1.
fn versions(project: &Project<'_>, chosen: &[&Change], exported: &mut Exported) -> Vec<String> {
    let versioned: Vec<&Change> = chosen.iter().copied().filter(|change| change.kind != Kind::Repeatable).collect();
    let number = |change: &&Change| change.label.parse::<i64>().ok().filter(|number| *number > 0);
    let numbers: Vec<Option<i64>> = versioned.iter().map(number).collect();
    let is_rising = numbers.iter().all(Option::is_some) && numbers.windows(2).all(|pair| pair[0] < pair[1]);
    let is_dotted = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let of_kinds: Vec<_> = versioned
        .iter()
        .filter_map(|change| match &change.kind {
            Kind::Versioned(version) => Some(version),
            Kind::Repeatable => None,
        })
        .collect();
    let fits_flyway = project.tool == ForeignTool::Flyway
        && versioned.iter().all(|change| is_dotted(&change.label))
        && of_kinds.windows(2).all(|pair| pair[0] < pair[1]);
    let stay = is_rising || fits_flyway;
    let width = match stay {
        true => versioned.iter().map(|change| change.label.len()).max().unwrap_or(0),
        false => versioned.len().to_string().len().max(4),
    };
    // dbmate goes by the names of files, so that numbers need one width.
    let pads = project.tool == ForeignTool::Dbmate && stay;
    if !stay && !versioned.is_empty() {
        exported.left.push(Left {
            what: "versions".to_owned(),
            why: format!(
                "{} goes by whole numbers in their order, which these are not: all migrations are numbered anew",
                project.tool.name()
            ),
        });
    }
    let mut next = 0;
    chosen
        .iter()
        .map(|change| {
            if change.kind == Kind::Repeatable {
                return String::new();
            }
            next += 1;
            match stay {
                true if pads => format!("{:0>width$}", change.label),
                true => change.label.to_string(),
                false => format!("{next:0width$}"),
            }
        })
        .collect()
}

fn one(
    project: &Project<'_>,
    change: &Change,
    version: String,
    known: &HashMap<&Identity, &str>,
    exported: &mut Exported,
) -> Result<(), Failure> {
    let what = format!("{} {}", change.label, change.name);
    let off = change.headers.placeholders_off;
    let raw = with_new_names(&text_of(project, &change.script)?, change, known);
    let up = filled(project, &change.script.file, &raw, &change.script.outline, off, exported)?;
    let down = match &change.rollback {
        Some(rollback) => Some(filled(project, &rollback.file, &rollback.text, &rollback.outline, off, exported)?),
        None => None,
    };
    let is_repeatable = change.kind == Kind::Repeatable;
    let mut names = named(project.tool, &version, &change.name, down.is_some() && !is_repeatable);
    if is_repeatable {
        names.up = format!("R__{}.sql", slug(&change.name));
        names.down = None;
    }
    let way = |text, outline: &Outline| Way { text, is_outside: !outline.is_atomic() || outline.wrapped };
    let up_way = way(&up, &change.script.outline);
    let down_way = change
        .rollback
        .as_ref()
        .zip(down.as_deref())
        .filter(|_| !is_repeatable)
        .map(|(rollback, text)| way(text, &rollback.outline));
    let files = written(project.tool, project.opened.dialect(), &names, up_way, down_way).map_err(|unfit| {
        let message = format!("{} cannot be given to {}: {}", change.script.file, project.tool.name(), unfit.words());
        let help = "export to Flyway, which takes data for COPY; or write that migration in another way first";
        let diagnostic = limosa_sql::Diagnostic::error("LIM-U143", message);
        Failure::new(crate::Exit::Usage, diagnostic.at(Label::file(change.script.file.as_str())).help(help))
    })?;
    remark(project, change, &what, exported);
    let row = project.view.row(&change.identity);
    let is_applied = row.is_some_and(|row| matches!(row.state, RowState::Applied | RowState::Baseline));
    // What goose leaves as it stands is no placeholder of Flyway's either.
    let off = off || !change.script.outline.variables.is_empty();
    exported.files.extend(script_settings(project, change, &names.up, up_way.is_outside, off));
    exported.migrations.push(OneOfMany {
        identity: change.identity.clone(),
        version,
        name: change.name.to_string(),
        title: slug(&change.name),
        files: files.iter().map(|file| file.name.clone()).collect(),
        up: files.first().map(|file| file.text.clone()).unwrap_or_default(),
        is_applied,
        rank: row.map_or(0, |row| row.rank),
    });
    exported.files.extend(files);
    Ok(())
}

/// The text with the dependencies in its head called by the versions there: the names of the files are others now. A comment to that
/// tool, and right where limosa reads the files again.
fn with_new_names(text: &str, change: &Change, known: &HashMap<&Identity, &str>) -> String {
    if change.headers.depends_on.is_empty() {
        return text.to_owned();
    }
    let versions: Option<Vec<&str>> = change
        .depends_on
        .iter()
        .map(|needed| known.get(needed).copied().filter(|version| !version.is_empty()))
        .collect();
    let mut is_head = true;
    let renamed = text.split_inclusive('\n').map(|line| {
        is_head &= line.trim().is_empty() || line.trim_start_matches('\u{feff}').starts_with("--");
        let header = line.trim_start_matches(['\u{feff}', '-', ' ', '\t']);
        let is_header = header.get(..11).is_some_and(|start| start.eq_ignore_ascii_case("depends-on:"));
        match &versions {
            _ if !is_head || !is_header => line.to_owned(),
            Some(versions) => format!("-- Depends-on: {}\n", versions.join(", ")),
            None => format!("-- needed {}", &header[11..].trim_start()),
        }
    });
    renamed.collect()
}

/// Flyway says beside a script what holds for it alone.
fn script_settings(project: &Project<'_>, change: &Change, name: &str, is_outside: bool, off: bool) -> Option<Written> {
    let outside = is_outside && !change.script.outline.is_atomic();
    if project.tool != ForeignTool::Flyway || !(outside || off) {
        return None;
    }
    let mut text = String::new();
    if outside {
        text.push_str("executeInTransaction=false\n");
    }
    if off {
        text.push_str("placeholderReplacement=false\n");
    }
    Some(Written { name: format!("{name}.conf"), text })
}

/// What of a migration the tool does not know, a line each.
fn remark(project: &Project<'_>, change: &Change, what: &str, exported: &mut Exported) {
    let tool = project.tool.name();
    let headers = &change.headers;
    let outline = &change.script.outline;
    let mut left = |is_there: bool, why: String| {
        if is_there {
            exported.left.push(Left { what: what.to_owned(), why });
        }
    };
    let needed: Vec<&str> = change.depends_on.iter().map(Identity::as_str).collect();
    left(!needed.is_empty(), format!("{tool} knows no dependencies: {}", needed.join(", ")));
    left(
        !headers.environments.is_empty(),
        format!("{tool} runs it everywhere, not only in {}", headers.environments.join(", ")),
    );
    left(!headers.engines.is_empty(), format!("{tool} runs it on every engine"));
    left(
        !headers.requires_extension.is_empty(),
        format!("{tool} runs it though an extension is missing: {}", headers.requires_extension.join(", ")),
    );
    left(
        headers.lock_timeout.is_some() || headers.statement_timeout.is_some(),
        format!("{tool} sets no time-outs of a single migration"),
    );
    left(!headers.tags.is_empty(), format!("{tool} knows no tags: {}", headers.tags.join(", ")));
    let whole_file = matches!(project.tool, ForeignTool::GolangMigrate | ForeignTool::Sqlx);
    left(
        whole_file
            && !outline.is_atomic()
            && outline.statements > 1
            && project.opened.target.engine == limosa_sql::Engine::Postgres,
        format!(
            "{tool} sends it as one message, which PostgreSQL runs in one transaction: put what needs none into a file of its own"
        ),
    );
    left(
        !outline.lifted.is_empty(),
        format!("{tool} runs its pragmas within the transaction, where they have no effect"),
    );
    let of_file = change.rollback.as_ref().map(|rollback| rollback.text.as_str());
    let recorded = project.recorded.get(&change.identity).map(String::as_str);
    left(
        recorded.is_some() && recorded != of_file,
        "the way back that was recorded when it ran is not the one of the file, which is exported".to_owned(),
    );
    left(
        change.kind == Kind::Repeatable && change.rollback.is_some(),
        format!("{tool} has no way back for a repeatable"),
    );
}

/// Callbacks, and what belongs to the project as a whole.
fn around_them(project: &Project<'_>, exported: &mut Exported) -> Result<(), Failure> {
    let tool = project.tool.name();
    for callback in &project.loaded.callbacks {
        let is_flyway = project.tool == ForeignTool::Flyway;
        match &callback.work {
            limosa_core::CallbackWork::Script(script) if is_flyway => {
                let text = text_of(project, script)?;
                let title =
                    if callback.name.is_empty() { String::new() } else { format!("__{}", slug(&callback.name)) };
                exported.files.push(Written { name: format!("{}{title}.sql", callback.event.name()), text });
            }
            _ => exported.left.push(Left {
                what: format!("callback {}", callback.event.name()),
                why: format!("{tool} runs nothing around migrations: {}", callback.file()),
            }),
        }
    }
    if project.view.head.is_some() {
        exported.left.push(Left {
            what: "audit log".to_owned(),
            why: format!("{tool} has none; limosa's stays in the database as it is"),
        });
    }
    if !exported.placeholders.is_empty() {
        let names: Vec<&str> = exported.placeholders.keys().map(String::as_str).collect();
        let why = match project.tool {
            ForeignTool::Flyway => "they stay in the files; give Flyway the values: flyway.placeholders",
            _ => "their values of now stand in the files, the tool has no placeholders",
        };
        exported.left.push(Left { what: format!("placeholders {}", names.join(", ")), why: why.to_owned() });
    }
    Ok(())
}

/// The text with values put in, where the tool has no placeholders.
fn filled(
    project: &Project<'_>,
    file: &str,
    text: &str,
    outline: &Outline,
    off: bool,
    exported: &mut Exported,
) -> Result<String, Failure> {
    let has_variables = !outline.variables.is_empty();
    if off || (outline.placeholders.is_empty() && !has_variables) {
        return Ok(text.to_owned());
    }
    let values = &project.opened.values;
    let mut all = values.all.clone();
    all.extend(file_name_value(file, outline.marks()));
    let used: BTreeSet<&str> = outline.placeholders.iter().map(|(name, _)| name.as_str()).collect();
    // Variables of goose's are read by no other tool.
    let keeps = project.tool == ForeignTool::Flyway && !has_variables;
    if let Some(secret) = used.iter().find(|name| values.secret.contains(**name)).filter(|_| !keeps) {
        let missing = if has_variables { "reads no variables of goose's" } else { "has no placeholders" };
        let message = format!("{file} uses the secret ${{{secret}}}, and {} {missing}", project.tool.name());
        let help = "a secret is written into no file: take it out of the migration first, or export to Flyway, for which a \
                    placeholder is written outside of ENVSUB";
        let diagnostic = limosa_sql::Diagnostic::error("LIM-U143", message);
        return Err(Failure::new(crate::Exit::Usage, diagnostic.at(Label::file(file)).help(help)));
    }
    let is_told = keeps || project.tool != ForeignTool::Flyway;
    for name in used.iter().filter(|name| is_told && !values.secret.contains(**name)) {
        if let Some(value) = all.get(*name) {
            exported.placeholders.insert((*name).to_owned(), value.clone());
        }
    }
    if keeps {
        // What is exported comes with no settings but those that are told.
        let dialect = Dialect::from(project.opened.target.engine).with_marks(outline.marks());
        return Ok(in_usual_marks(dialect, text).into_owned());
    }
    let expanded = outline.expand(project.opened.target.engine, text, 1, &all).map_err(|unknown| {
        let message = format!("{file}: the placeholder {} has no value", outline.marks().written(&unknown.name));
        Failure::usage("LIM-U143", message, "give it one: --placeholder NAME=VALUE")
    })?;
    Ok(match has_variables {
        true => expanded.text.trim_start_matches('\n').to_owned(),
        false => expanded.text,
    })
}

/// The SQL of a script: what leads up, without the markers of the tool that it comes from.
///
/// # Errors
/// A file that cannot be read, or is not UTF-8.
pub(super) fn text_of(project: &Project<'_>, script: &Script) -> Result<String, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::usage("LIM-F900", format!("{} cannot be read: {error}", script.file), "look at the file")
    };
    let mut bytes = Vec::new();
    let mut input = Files::open(project.opened.scripts(), &script.file).map_err(unreadable)?;
    input.read_to_end(&mut bytes).map_err(unreadable)?;
    if let Some(markers) = script.outline.markers {
        let (mut mask, mut masked) = (SectionMask::new(markers, Direction::Apply), Vec::with_capacity(bytes.len()));
        mask.feed(&bytes, &mut masked);
        mask.finish(&mut masked);
        bytes = masked;
    }
    let end = usize::try_from(script.span.end).unwrap_or(bytes.len()).min(bytes.len());
    let start = usize::try_from(script.span.start).unwrap_or(0).min(end);
    let text = std::str::from_utf8(&bytes[start..end]).map_err(|_| {
        let message = format!("{} is not UTF-8, which the files of other tools have to be", script.file);
        Failure::usage("LIM-U143", message, "convert it first")
    })?;
    let ended_by_semicolons = script.outline.end_delimiter.as_deref().map(|delimiter| {
        let replaced = delimiter.replaced(project.opened.dialect(), &script.file, text);
        replaced.map_err(|problem| Failure::new(Exit::Usage, *problem))
    });
    let ended_by_semicolons = ended_by_semicolons.transpose()?;
    let text = ended_by_semicolons.as_deref().unwrap_or(text);
    // Where markers stood, blanks stand now. Where variables are replaced, its lines keep their numbers until they are.
    Ok(match script.outline.markers {
        Some(_) => {
            let text = text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
            let text = text.trim_end_matches(['\n', ';']);
            let above = if script.outline.variables.is_empty() { text.trim_start_matches(['\n', ';']) } else { text };
            above.to_owned() + "\n"
        }
        None => text.to_owned(),
    })
}
