//! What a configuration means for decisions.

use limosa_core::{Plan, PlannedCallback, Policy, Work};
use limosa_run::unknown_placeholder;
use limosa_sql::{Diagnostic, Label};

use crate::opened::Opened;
use crate::{Configuration, Exit, Failure, builtins};

impl Opened<'_> {
    /// The policy for decisions.
    pub(crate) fn policy(&self) -> Policy {
        let configuration = self.configuration;
        Policy {
            project: configuration.project.clone(),
            out_of_order: configuration.out_of_order,
            single_transaction: configuration.single_transaction,
            limits: configuration.limits,
            protected: configuration.protected,
            values: self
                .values
                .all
                .iter()
                .map(|(name, value)| {
                    // A plan that is made again means the same, at whatever time that is.
                    let is_told = !self.values.secret.contains(name) && name != builtins::TIMESTAMP;
                    (name.clone(), is_told.then(|| value.clone()))
                })
                .collect(),
        }
    }

    /// Refuses a plan that uses placeholders without values, before anything of it is run.
    pub(crate) fn refuse_unknown_placeholders(&self, plan: &Plan) -> Result<(), Failure> {
        let named = self.values.all.keys().filter(|name| !name.starts_with(builtins::PREFIX));
        let known: Vec<String> = named.cloned().collect();
        let mut problems: Vec<Diagnostic> = Vec::new();
        let around = plan.callbacks.iter().filter_map(PlannedCallback::step);
        for step in plan.steps.iter().chain(around).filter(|step| !step.placeholders_off) {
            let nothing = std::collections::BTreeMap::new();
            let (file, recorded) = match &step.work {
                Work::Text { origin, values, .. } => (origin.as_str(), values),
                other => (other.origin(), &nothing),
            };
            for (name, position) in &step.outline.placeholders {
                if !self.values.all.contains_key(name) && !recorded.contains_key(name) {
                    problems.push(unknown_placeholder(name, Label::place(file, *position), &known));
                }
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(Failure { exit: Exit::Usage, diagnostics: problems }) }
    }
}

impl Configuration {
    /// Refuses where the environment is protected.
    pub(crate) fn refuse_protected(&self, what: &str) -> Result<(), Failure> {
        if !self.protected {
            return Ok(());
        }
        let here = self.environment.as_deref().unwrap_or("this environment");
        Err(Failure::person(
            "LIM-U003",
            format!("{what} is refused: {here} is protected"),
            "no flag lifts this; it is set as 'protected = true' in limosa.toml",
        ))
    }

    /// Refuses without consent that names the database.
    pub(crate) fn refuse_without_consent(
        &self,
        what: &str,
        flag: &str,
        database: &str,
        consent: Option<&str>,
    ) -> Result<(), Failure> {
        if consent == Some(database) {
            return Ok(());
        }
        let named = consent.map(|named| format!(" (you named '{named}')")).unwrap_or_default();
        Err(Failure::person(
            "LIM-U004",
            format!("{what} needs consent that names the database '{database}'{named}"),
            format!("to go on: {flag} {database}"),
        ))
    }
}
