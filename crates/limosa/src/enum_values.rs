//! A transaction cannot use an enum value that it added: which steps add and use some is read out of their scripts, and only where
//! the question arises.

use std::collections::HashMap;

use limosa_core::{EnumValueReader, EnumValues, Identity, Plan, Work};

use crate::Failure;
use crate::commands::plan::{Listed, each_statement};
use crate::opened::Opened;

/// Decides without looking into the scripts, and again with what they say where a single transaction adds enum values.
///
/// # Errors
/// What `decide` refuses; placeholders without a value; a script that cannot be read.
pub(crate) fn decide_knowing<F>(opened: &Opened<'_>, mut decide: F) -> Result<Plan, Failure>
where
    F: FnMut(HashMap<Identity, EnumValues>) -> Result<Plan, Failure>,
{
    let plan = decide(HashMap::new())?;
    opened.refuse_unknown_placeholders(&plan)?;
    if !opened.configuration.single_transaction {
        return Ok(plan);
    }
    match of(opened, &plan)? {
        values if values.is_empty() => Ok(plan),
        values => decide(values),
    }
}

/// The enum values that concern the steps of a plan that are to share a transaction; none where no step adds one before
/// another. The scripts are read only where one does.
///
/// # Errors
/// A script that cannot be read.
pub(crate) fn of(opened: &Opened<'_>, plan: &Plan) -> Result<HashMap<Identity, EnumValues>, Failure> {
    match plan.steps.split_last() {
        Some((_, before)) if before.iter().any(|step| step.outline.adds_enum_value) => read(opened, plan),
        _ => Ok(HashMap::new()),
    }
}

/// The enum values that concern each step, placeholders replaced.
fn read(opened: &Opened<'_>, plan: &Plan) -> Result<HashMap<Identity, EnumValues>, Failure> {
    let engine = opened.target.engine;
    let mut reader = EnumValueReader::new(engine);
    let mut found = HashMap::new();
    for step in &plan.steps {
        let mut values = opened.values.all.clone();
        if let Work::Text(text) = &step.work {
            values.extend(text.values.clone());
        }
        each_statement(opened, step, u64::MAX, &mut |listed| {
            let Listed::Statement { text, line, .. } = listed else { return };
            match step.outline.expand(engine, text, line, &values) {
                Ok(expanded) if !step.placeholders_off => reader.statement(&expanded.text),
                _ => reader.statement(text),
            }
        })?;
        found.insert(step.identity.clone(), reader.end_step());
    }
    Ok(found)
}
