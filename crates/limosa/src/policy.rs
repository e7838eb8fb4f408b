//! What a configuration means for decisions.

use std::collections::{BTreeMap, BTreeSet};

use limosa_core::{Change, Outline, Plan, PlannedCallback, Policy, Step, Work};
use limosa_formats::codes;
use limosa_run::unknown_placeholder;
use limosa_sql::{Diagnostic, Label, UnknownPlaceholder, variable_value};

use crate::opened::Opened;
use crate::{Configuration, Exit, Failure};

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
                    let is_told = !self.values.secret.contains(name) && !self.is_timestamp(name);
                    (name.clone(), is_told.then(|| value.clone()))
                })
                .collect(),
        }
    }

    /// Refuses a plan that uses placeholders without values, before anything of it is run.
    pub(crate) fn refuse_unknown_placeholders(&self, plan: &Plan) -> Result<(), Failure> {
        let known = self.named_values();
        let mut problems: Vec<Diagnostic> = Vec::new();
        let around = plan.callbacks.iter().filter_map(PlannedCallback::step);
        for step in plan.steps.iter().chain(around).filter(|step| !step.placeholders_off) {
            let nothing = BTreeMap::new();
            let (file, recorded) = match &step.work {
                Work::Text(text) => (&text.origin, &text.values),
                other => (other.origin(), &nothing),
            };
            if !step.outline.variables.is_empty() {
                problems.extend(self.refused_variables(step, recorded, &known));
                continue;
            }
            problems.extend(self.without_value(file, &step.outline, recorded, &known));
            // It is recorded with the values of today.
            if let Some(undo) = &step.undo {
                problems.extend(self.without_value(&undo.file, &undo.outline, &nothing, &known));
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(Failure { exit: Exit::Usage, diagnostics: problems }) }
    }

    /// The same for changes that a command looks at and does not run.
    pub(crate) fn unknown_placeholders<'c>(&self, changes: impl IntoIterator<Item = &'c Change>) -> Vec<Diagnostic> {
        let (known, nothing) = (self.named_values(), BTreeMap::new());
        let changes = changes.into_iter().filter(|change| !change.headers.placeholders_off);
        let mut problems = Vec::new();
        for change in changes {
            let rollback = change.rollback.as_deref().map(|rollback| (&rollback.file, &rollback.outline));
            let of_change = [(&change.script.file, &change.script.outline)].into_iter().chain(rollback);
            for (file, outline) in of_change.filter(|(_, outline)| outline.variables.is_empty()) {
                problems.extend(self.without_value(file, outline, &nothing, &known));
            }
        }
        problems
    }

    /// The names of placeholders that somebody gives values.
    fn named_values(&self) -> Vec<String> {
        self.values.all.keys().filter(|name| !self.is_built_in(name)).cloned().collect()
    }

    /// Placeholders of a script that have no value.
    fn without_value(
        &self,
        file: &str,
        outline: &Outline,
        recorded: &BTreeMap<String, String>,
        known: &[String],
    ) -> Vec<Diagnostic> {
        let has_value = |name: &str| self.values.all.contains_key(name) || recorded.contains_key(name);
        let missing = outline.placeholders.iter().filter(|(name, _)| !has_value(name));
        let told = missing.map(|(name, position)| {
            let unknown = UnknownPlaceholder { name: name.clone(), offset: 0, message: None };
            let mut problem = unknown_placeholder(&unknown, outline.marks(), Label::place(file, *position), known);
            if name.starts_with("flyway:") {
                let written = outline.marks().written(name);
                let built_in = self.values.all.keys().filter(|name| name.starts_with("flyway:"));
                problem.message = format!("Flyway gives no value to {written}");
                problem.help = Some(format!("known: {}", built_in.cloned().collect::<Vec<_>>().join(", ")));
            }
            problem
        });
        told.collect()
    }

    /// Variables of a step that need a value and have none, and those that would show a part of a secret.
    fn refused_variables(&self, step: &Step, recorded: &BTreeMap<String, String>, known: &[String]) -> Vec<Diagnostic> {
        let mut values = self.values.all.clone();
        values.extend(recorded.clone());
        let (mut problems, mut missing) = (Vec::new(), BTreeSet::new());
        for expression in &step.outline.expressions {
            let label =
                || Label::place(step.work.origin(), expression.position).length(expression.written.len() as u64);
            if let Err(unknown) = variable_value(self.target.engine, &expression.written, &values) {
                // One that is missing is told once.
                if unknown.message.is_some() || !missing.contains(&unknown.name) {
                    let mut problem = unknown_placeholder(&unknown, step.outline.marks(), label(), known);
                    if let (None, Some(help)) = (&unknown.message, &mut problem.help) {
                        help.push_str(&format!(
                            "; or write ${{{}-}} where nothing may stand in its place",
                            unknown.name
                        ));
                    }
                    problems.push(problem);
                    missing.insert(unknown.name);
                }
            } else if expression.is_cut
                && !recorded.contains_key(&expression.written)
                && let Some(secret) = expression.names.iter().find(|name| self.values.secret.contains(*name))
            {
                let message =
                    format!("{} is a part of the secret {secret}, which nothing could hide", expression.written);
                problems.push(
                    Diagnostic::error(codes::PART_OF_SECRET, message)
                        .at(label())
                        .help("keep that part as a secret placeholder of its own, and write its name in the file"),
                );
            }
        }
        problems
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

    /// Refuses what empties the database where the environment is protected, or the settings say that nothing may.
    pub(crate) fn refuse_cleaning(&self, what: &str) -> Result<(), Failure> {
        self.refuse_protected(what)?;
        if !self.clean_disabled {
            return Ok(());
        }
        Err(Failure::person(
            "LIM-U003",
            format!("{what} is refused: the settings say that this database is never emptied"),
            "no flag lifts this; it is set as 'clean_disabled = true', or flyway.cleanDisabled",
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
