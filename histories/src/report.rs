//! The table of results.

use crate::projects::Project;

/// How the two databases stand to each other.
pub(crate) enum Verdict {
    /// All of it ran, both ways, and they are the same.
    Same,
    /// Both stopped at the same file for a reason of the project's, and they are the same as far as that.
    SameUntil(String),
    /// They differ, or one of them stopped.
    Different(String),
}

/// One history.
pub(crate) struct Line {
    pub(crate) project: &'static str,
    pub(crate) format: &'static str,
    pub(crate) engine: String,
    /// Migrations that limosa applied, of all that the tool would run.
    pub(crate) files: (usize, usize),
    /// Tables of the project, and rows in them.
    pub(crate) tables: usize,
    pub(crate) rows: u64,
    pub(crate) seconds: f64,
    pub(crate) verdict: Verdict,
}

impl Line {
    /// One that could not be compared.
    pub(crate) fn failed(project: &Project, why: String) -> Self {
        Self {
            project: project.name,
            format: project.format.name(),
            engine: project.engine.name().to_owned(),
            files: (0, 0),
            tables: 0,
            rows: 0,
            seconds: 0.0,
            verdict: Verdict::Different(why),
        }
    }

    fn cells(&self) -> [String; 8] {
        let result = match &self.verdict {
            Verdict::Same => "same".to_owned(),
            Verdict::SameUntil(why) => format!("same as far as it goes: {why}"),
            Verdict::Different(why) => format!("DIFFERENT: {}", why.lines().next().unwrap_or_default()),
        };
        let files = match self.files {
            (done, all) if done == all => all.to_string(),
            (done, all) => format!("{done} of {all}"),
        };
        [
            self.project.to_owned(),
            self.format.to_owned(),
            self.engine.clone(),
            files,
            self.tables.to_string(),
            self.rows.to_string(),
            format!("{:.2}", self.seconds),
            result,
        ]
    }
}

const HEADS: [&str; 8] = ["project", "format", "engine", "files", "tables", "rows", "seconds", "result"];

/// For a terminal.
pub(crate) fn table(lines: &[Line]) -> String {
    let mut rows = vec![HEADS.map(str::to_owned)];
    rows.extend(lines.iter().map(Line::cells));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..HEADS.len()).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// For a page.
pub(crate) fn markdown(lines: &[Line]) -> String {
    let row = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut text = row(&HEADS.map(str::to_owned));
    text.push_str(&row(&["--", "--", "--", "--:", "--:", "--:", "--:", "--"].map(str::to_owned)));
    text.extend(lines.iter().map(|line| row(&line.cells())));
    text
}
