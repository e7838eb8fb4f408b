//! A single transaction splits before a step that uses an enum value which the transaction added: which steps do is read out of
//! their scripts, and only where the question arises.

use std::collections::HashMap;

use limosa_core::{EnumValueReader, EnumValues, Identity, Plan, Work};
use limosa_sql::expand;

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
    opened.configuration.refuse_unknown_placeholders(&plan)?;
    let (_, before) = plan.steps.split_last().unzip();
    let is_asked = before.is_some_and(|steps: &[_]| steps.iter().any(|step| step.outline.adds_enum_value));
    if !opened.configuration.single_transaction || !is_asked {
        return Ok(plan);
    }
    decide(read(opened, &plan)?)
}

/// The enum values that concern each step, placeholders replaced.
fn read(opened: &Opened<'_>, plan: &Plan) -> Result<HashMap<Identity, EnumValues>, Failure> {
    let engine = opened.target.engine;
    let mut reader = EnumValueReader::new(engine);
    let mut found = HashMap::new();
    for step in &plan.steps {
        let mut values = opened.configuration.values.all.clone();
        if let Work::Text { values: recorded, .. } = &step.work {
            values.extend(recorded.clone());
        }
        each_statement(opened, step, u64::MAX, &mut |listed| {
            let Listed::Statement { text, .. } = listed else { return };
            match expand(engine, text, &values) {
                Ok(expanded) if !step.placeholders_off => reader.statement(&expanded.text),
                _ => reader.statement(text),
            }
        })?;
        found.insert(step.identity.clone(), reader.end_step());
    }
    Ok(found)
}
