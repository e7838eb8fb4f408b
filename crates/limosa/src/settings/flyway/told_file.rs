//! The variable by which Flyway is told which files hold its settings.

use std::collections::BTreeMap;
use std::path::PathBuf;

use limosa_sql::Diagnostic;

use crate::settings::codes;

/// The variable in which Flyway is told its files.
pub(in crate::settings) const CONFIG_FILES: &str = "FLYWAY_CONFIG_FILES";

/// The file that [`CONFIG_FILES`] names; None where it names none.
///
/// # Errors
/// It names several: Flyway reads one over the other.
pub(in crate::settings) fn told_file(variables: &BTreeMap<String, String>) -> Option<Result<PathBuf, Box<Diagnostic>>> {
    let told = variables.get(CONFIG_FILES)?.trim();
    Some(match told.split_once(',') {
        _ if told.is_empty() => return None,
        None => Ok(PathBuf::from(told)),
        Some(_) => {
            let message = format!("{CONFIG_FILES} names several files: {told}");
            let help = "write them into one; with --config FILE limosa takes that one";
            Err(Box::new(Diagnostic::error(codes::FLYWAY_UNSUPPORTED, message).help(help)))
        }
    })
}
