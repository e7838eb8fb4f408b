//! Runs the migration histories of public projects with limosa and with the engines' own shells, and compares; see README.md.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "its tables are for a terminal")]

mod checkout;
mod database;
mod fixtures;
mod order;
mod projects;
mod report;
mod run;
mod scripts;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Parser;

use crate::checkout::Source;
use crate::database::Servers;
use crate::projects::{PROJECTS, Project};
use crate::report::{Line, Verdict};

/// Runs the migration histories of public projects with limosa and with the engines' own shells, and compares.
#[derive(Parser)]
#[command(name = "histories")]
struct Arguments {
    /// Only projects whose names begin so, or only tools; all where none is named
    #[arg(value_name = "NAME")]
    names: Vec<String>,

    /// Small folders that the real tools have migrated, in place of the projects
    #[arg(long)]
    fixtures: bool,

    /// What the real tools leave for the pages about coming from them, written anew
    #[arg(long)]
    pages: bool,

    /// Take the repositories from this folder, as OWNER/NAME, in place of github.com
    #[arg(long, value_name = "FOLDER", env = "LIMOSA_HISTORIES_MIRROR")]
    mirror: Option<PathBuf>,

    /// Where working copies are kept
    #[arg(long, value_name = "FOLDER", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/histories"))]
    into: PathBuf,

    /// The program to run [default: the one beside this program]
    #[arg(long, value_name = "PATH")]
    limosa: Option<PathBuf>,

    /// Print the table in Markdown
    #[arg(long)]
    markdown: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// True where every history is the same both ways.
fn run(arguments: &Arguments) -> Result<bool> {
    let target = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../target"));
    if arguments.pages {
        return fixtures::pages::make(&arguments.names, target);
    }
    if arguments.fixtures {
        return fixtures::run(&arguments.names, target, &arguments.limosa()?);
    }
    let chosen: Vec<&Project> = PROJECTS.iter().filter(|project| arguments.chooses(project.name)).collect();
    if chosen.is_empty() {
        let names: Vec<&str> = PROJECTS.iter().map(|project| project.name).collect();
        bail!("no project has such a name; there are: {}", names.join(", "));
    }
    let limosa = arguments.limosa()?;
    let source = Source::new(arguments.mirror.as_deref(), &arguments.into)?;
    let mut servers = Servers::default();
    let mut lines = Vec::new();
    for project in chosen {
        eprintln!("{} ...", project.name);
        let line = run::compare(project, &source, &mut servers, &limosa)
            .unwrap_or_else(|error| Line::failed(project, format!("{error:#}")));
        if let Verdict::Different(why) = &line.verdict {
            eprintln!("{}: {why}", project.name);
        }
        lines.push(line);
    }
    print!("{}", if arguments.markdown { report::markdown(&lines) } else { report::table(&lines) });
    Ok(lines.iter().all(|line| !matches!(line.verdict, Verdict::Different(_))))
}

impl Arguments {
    fn chooses(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|begin| name.starts_with(begin.as_str()))
    }

    fn limosa(&self) -> Result<PathBuf> {
        let program = match &self.limosa {
            Some(program) => program.clone(),
            None => std::env::current_exe()?.with_file_name("limosa"),
        };
        program.canonicalize().with_context(|| format!("{} is not there: cargo build -p limosa-cli", program.display()))
    }
}
