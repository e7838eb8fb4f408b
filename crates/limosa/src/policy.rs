//! What a configuration means for decisions.

use limosa_core::{Plan, Policy, Work};
use limosa_run::unknown_placeholder;
use limosa_sql::{Diagnostic, Label};

use crate::{Configuration, Exit, Failure};

impl Configuration {
    /// The policy for decisions.
    pub(crate) fn policy(&self) -> Policy {
        Policy {
            project: self.project.clone(),
            out_of_order: self.out_of_order,
            single_transaction: self.single_transaction,
            limits: self.limits,
            protected: self.protected,
            values: self
                .values
                .all
                .iter()
                .map(|(name, value)| (name.clone(), (!self.values.secret.contains(name)).then(|| value.clone())))
                .collect(),
        }
    }

    /// Refuses a plan that uses placeholders without values, before anything of it is run.
    pub(crate) fn refuse_unknown_placeholders(&self, plan: &Plan) -> Result<(), Failure> {
        let known: Vec<String> = self.values.all.keys().cloned().collect();
        let mut problems: Vec<Diagnostic> = Vec::new();
        for step in plan.steps.iter().filter(|step| !step.placeholders_off) {
            let nothing = std::collections::BTreeMap::new();
            let (file, recorded) = match &step.work {
                Work::File { file, .. } => (file, &nothing),
                Work::Text { origin, values, .. } => (origin, values),
            };
            for (name, position) in &step.outline.placeholders {
                if !self.values.all.contains_key(name) && !recorded.contains_key(name) {
                    problems.push(unknown_placeholder(name, Label::place(file.as_str(), *position), &known));
                }
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(Failure { exit: Exit::Usage, diagnostics: problems }) }
    }

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
