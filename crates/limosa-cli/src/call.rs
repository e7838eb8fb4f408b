//! One call of a command: its settings, its console, and how it ends.

use std::sync::Arc;

use clap::ArgMatches;
use limosa::settings::{self, Loaded, Need, World};
use limosa::{Diagnostic, Exit, Failure, Layout, Migrator};
use serde::Serialize;

use crate::args::{self, Limosa};
use crate::ask::{self, Person};
use crate::configuration;
use crate::console::{Color, Console, Form, Log, Manner};
use crate::consumers::Given;
use crate::interrupt::Interrupt;
use crate::progress::Reporter;
use crate::render::diagnostic_json;

/// What a command works with.
pub(crate) struct Call {
    /// Where it writes.
    pub(crate) console: Arc<Console>,
    /// What the settings are.
    pub(crate) loaded: Loaded,
    /// Who can be asked.
    pub(crate) person: Person,
    /// How it is interrupted.
    pub(crate) interrupt: Interrupt,
    /// Tells how a run goes on.
    pub(crate) reporter: Arc<Reporter>,
}

impl Call {
    /// Reads the settings and makes the console that they ask for. `before` is how to talk until then.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub(crate) fn prepare(
        limosa: &Limosa,
        matches: &ArgMatches,
        before: Manner,
        need: Need,
        interrupt: Interrupt,
    ) -> Result<Call, Failure> {
        let world = World::of_process().map_err(|error| {
            Failure::usage("LIM-C005", format!("the current folder cannot be used: {error}"), "go to one that exists")
        })?;
        let loaded = settings::load(&world, args::layer(matches), need)
            .map_err(|diagnostics| Failure { exit: Exit::Usage, diagnostics })?;
        let manner = manner(limosa, &loaded, before)?;
        let console = Arc::new(Console::new(manner));
        interrupt.listen(Arc::clone(&console)).map_err(|error| {
            Failure::new(Exit::Bug, Diagnostic::error("LIM-U093", format!("signals cannot be listened to: {error}")))
        })?;
        loaded.notices.iter().for_each(|notice| console.problem(notice));
        let given = Given { console: &console, settings: &loaded.settings };
        let reporter = Reporter::start(&given, interrupt.clone());
        Ok(Call { person: Person::of_process(loaded.settings.yes), console, loaded, interrupt, reporter })
    }

    /// A migrator for the database that was named.
    ///
    /// # Errors
    /// Where none was named.
    pub(crate) fn migrator(&self) -> Result<Migrator, Failure> {
        if self.loaded.settings.database.is_none() {
            let help = configuration::how_to_name(&self.loaded);
            return Err(Failure::usage("LIM-U094", "no database is named", help));
        }
        Ok(self.migrator_without_database())
    }

    /// A migrator for work on files.
    pub(crate) fn migrator_without_database(&self) -> Migrator {
        Migrator::new(configuration::of(&self.loaded))
    }

    /// A migrator for work on files that speaks with no database, though one is named.
    pub(crate) fn migrator_of_files(&self) -> Migrator {
        self.migrator_without_database().of_files()
    }

    /// Refuses folders of several formats where somebody can say which is meant: for commands that answer whatever they find.
    ///
    /// # Errors
    /// Where they are.
    pub(crate) fn refuse_mixed_formats(&self, migrator: &Migrator) -> Result<(), Failure> {
        let problem = if self.can_ask() { migrator.mixed_formats() } else { None };
        problem.map_or(Ok(()), |problem| Err(Failure::new(Exit::Usage, problem)))
    }

    /// Where a command failed because its folders hold files of several formats: asks which is meant, and goes by that from now on.
    /// False where nobody can be asked, nothing was typed, or something else is wrong.
    pub(crate) fn chose_format(&mut self, failure: &Failure) -> bool {
        let [problem] = failure.diagnostics.as_slice() else { return false };
        if problem.choices.is_empty() || !self.can_ask() {
            return false;
        }
        self.reporter.end();
        let chosen = ask::choice(&self.console, &self.interrupt, problem, "format");
        let Some(layout) = chosen.and_then(|choice| Layout::of_format(&choice.value)) else { return false };
        self.loaded.settings.format = layout.name();
        self.console.say(&format!("to be asked no more: --format {}, or format in limosa.toml", layout.name()));
        true
    }

    /// True where a person reads questions of this call, and its answer is for people.
    fn can_ask(&self) -> bool {
        self.person == Person::There && !self.console.is_json()
    }

    /// Writes an answer in the form that was asked for.
    pub(crate) fn answer<T: Serialize>(&self, answer: &T, text: impl FnOnce(&T) -> String) {
        self.reporter.end();
        match self.console.is_json() {
            true => self.console.json(answer),
            false => self.console.answer(&text(answer)),
        }
    }

    /// Shows notices of an answer; in JSON they stand in the answer itself.
    pub(crate) fn notices(&self, notices: &[Diagnostic]) {
        self.reporter.end();
        if !self.console.is_json() {
            notices.iter().for_each(|notice| self.console.problem(notice));
        }
    }
}

fn manner(limosa: &Limosa, loaded: &Loaded, before: Manner) -> Result<Manner, Failure> {
    let form = match loaded.settings.output.as_str() {
        "text" => Form::Text,
        "json" => Form::Json,
        other => {
            let message = format!("there is no output '{other}'");
            return Err(Failure::usage("LIM-C004", message, "output may be text or json"));
        }
    };
    let color = match loaded.settings.color {
        settings::Color::Always => Color::Always,
        settings::Color::Never => Color::Never,
        settings::Color::Auto => Color::Auto,
    };
    let log = match loaded.settings.log_format {
        settings::LogFormat::Text => Log::Text,
        settings::LogFormat::Json => Log::Json,
    };
    Ok(Manner { form, log, color, quiet: limosa.quiet, verbose: limosa.verbose, plain_asked: before.plain_asked })
}

/// A comparison of files needs no database, and one that is named may be out of reach where branches are checked.
pub(crate) fn or_files_only(mut failure: Failure) -> Failure {
    let is_unnamed = |failure: &Failure| failure.diagnostics.iter().any(|problem| problem.code == "LIM-U094");
    if failure.exit == Exit::Database || is_unnamed(&failure) {
        for diagnostic in &mut failure.diagnostics {
            let help = diagnostic.help.take().map(|help| help + "; or ").unwrap_or_default();
            diagnostic.help = Some(format!("{help}look at files alone: --files-only"));
        }
    }
    failure
}

/// Shows why a command could not answer; gives its exit code.
pub(crate) fn fail(console: &Console, command: &str, failure: &Failure) -> u8 {
    let exit = failure.exit.into();
    if console.is_json() {
        console.json(&diagnostic_json::answer(command, exit, &failure.diagnostics));
    } else {
        for problem in &failure.diagnostics {
            console.problem(problem);
        }
    }
    exit
}
