//! How a run ended, in words: what became of each step, and what to do next.

use super::{RunAnswer, StepLine};
use crate::{Exit, Failure};

/// What is said of a step of which nobody knows how it ended.
const UNKNOWN: &str = "the server cannot be asked whether it is committed";

impl RunAnswer {
    /// The answer of a run that did all that it should; else why it did not: the help of the error says what stands and what to do, and
    /// behind it comes whatever else is worth knowing.
    ///
    /// # Errors
    /// What stopped the run, with its exit code.
    pub fn into_result(self) -> Result<RunAnswer, Failure> {
        let Some(mut failure) = self.failure() else { return Ok(self) };
        let fates = self.fates().into_iter().map(|(what, words)| format!("{what}: {words}"));
        let next = self.next("the application").map(|next| format!("next: {next}"));
        let more: Vec<String> = fates.chain(next).collect();
        for error in failure.diagnostics.iter_mut().filter(|_| !more.is_empty()) {
            let help: Vec<String> = error.help.take().into_iter().chain([more.join("\n")]).collect();
            error.help = Some(help.join("\n"));
        }
        failure.diagnostics.extend(self.notices);
        Err(failure)
    }

    /// Why it did not do all that it should, and no more.
    pub(crate) fn failure(&self) -> Option<Failure> {
        let exit = if self.exit_code == u8::from(Exit::Person) { Exit::Person } else { Exit::Database };
        self.error.clone().map(|error| Failure::new(exit, error))
    }

    /// The steps that are done, and were not taken back by the same run.
    pub fn standing(&self) -> impl Iterator<Item = &StepLine> {
        let is_back =
            |step: &StepLine| self.taken_back.iter().any(|back| back.identity == step.identity && back.state == "done");
        self.steps.iter().filter(move |step| step.state == "done" && !is_back(step))
    }

    /// What became of each step of a run that stopped, in a word or two and at length.
    pub fn fates(&self) -> Vec<(&'static str, String)> {
        let is_back = self.command == "rollback";
        let stands = if is_back { "taken back" } else { "stands" };
        let standing = self.standing().map(|step| (stands, step.title()));
        let others = self.steps.iter().filter(|step| step.state != "done");
        let others = others.map(|step| if is_back { step.fate_of_way_back() } else { step.fate() });
        let back = self.taken_back.iter().map(|step| match step.state {
            "done" => ("taken back", step.title()),
            "rows_stay" => {
                let words = "its way back failed, and rows without transactions stay changed";
                ("rows stay", format!("{}: {words}", step.title()))
            }
            "unknown" => ("unknown", format!("{} (way back): {UNKNOWN}", step.title())),
            _ => step.fate_of_way_back(),
        });
        standing.chain(others).chain(back).collect()
    }

    /// What to do after a failure; `again` is what is to be run then, such as `limosa migrate`. None where the error itself says it.
    pub fn next(&self, again: &str) -> Option<String> {
        let error = self.error.as_ref().filter(|_| self.outcome != "needs_person")?;
        let file = error.labels.first().map(|label| label.file.as_str());
        let interrupted = matches!(error.code, "LIM-R005" | "LIM-R006");
        if let (Some(event), Some(file), false) = (self.owed_callback, file, interrupted) {
            return Some(format!(
                "mend {file}, and run it by hand for what stands: {event} runs behind other migrations only"
            ));
        }
        if let Some(when) = wanting(error.code) {
            return Some(format!("{when}: run {again} again"));
        }
        let is_back = self.command == "rollback";
        let partial = self.steps.iter().any(|step| step.state == "partial");
        Some(match (interrupted, partial, file) {
            (true, _, _) => format!("{again} goes on from here"),
            (false, true, Some(_)) if is_back => {
                "correct the rollback in the file from the failed statement on, then limosa rollback --use-file goes on from there".to_owned()
            }
            (false, true, Some(file)) => {
                format!("mend {file} from the failed statement on, then {again} goes on from there")
            }
            (false, false, Some(file)) if !is_back || is_callback(file) => format!("mend {file}, then run {again} again"),
            (false, false, Some(_)) => {
                "correct the rollback in the file, then take it with limosa rollback --use-file".to_owned()
            }
            (false, _, None) => format!("mend what the error names, then run {again} again"),
        })
    }
}

/// True for a file whose name is that of a callback.
fn is_callback(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file);
    let event = name.split_once(['.', '_']).map_or(name, |(event, _)| event);
    limosa_core::CallbackEvent::from_name(event).is_some()
}

impl StepLine {
    /// Its version and its name.
    pub fn title(&self) -> String {
        format!("{} {}", self.version, self.name)
    }

    /// What became of a step that did not run; None for one that did.
    pub fn passed_by(&self) -> Option<(&'static str, &'static str)> {
        match self.state {
            "left" => Some(("not run", "its precondition does not hold, it is left for the next run")),
            "counted" => Some(("not run", "its precondition does not hold, it counts as applied")),
            "forgiven" => Some(("not kept", "it failed, as it may, and is left for the next run")),
            _ => None,
        }
    }

    fn fate(&self) -> (&'static str, String) {
        let title = self.title();
        if let Some((what, words)) = self.passed_by() {
            return (what, format!("{title}: {words}"));
        }
        match self.state {
            "partial" => ("half done", format!("{title}: {}", self.parts())),
            "rows_stay" => ("rows stay", format!("{title}: rolled back, but not in tables without transactions")),
            "unknown" => ("unknown", format!("{title}: {UNKNOWN}")),
            _ => ("not kept", format!("{title}: rolled back, nothing of it stands")),
        }
    }

    /// The same of a step back.
    fn fate_of_way_back(&self) -> (&'static str, String) {
        let title = self.title();
        match self.state {
            "partial" => ("half back", format!("{title} (way back): {}", self.parts())),
            "left" | "counted" | "forgiven" | "rows_stay" | "unknown" => self.fate(),
            _ => ("still there", format!("{title}: its way back failed and was rolled back")),
        }
    }

    fn parts(&self) -> String {
        if self.statements_done == 0 {
            return "its first statement failed, and may have left something".to_owned();
        }
        format!("{} of {} statements stand", self.statements_done, self.statements_total)
    }
}

/// What is to be had before the same can be tried again, where no file is to blame.
fn wanting(code: &str) -> Option<&'static str> {
    match code {
        "LIM-R003" => Some("when the lock is free"),
        "LIM-R004" => Some("when it is quieter"),
        "LIM-R042" => Some("when the disk and the server can take it"),
        "LIM-R043" => Some("when the user may do that"),
        _ => None,
    }
}
