//! The codes of everything that can be wrong with a folder of migrations.

/// The name of an SQL file is not understood.
pub const UNCLEAR_NAME: &str = "LIM-F001";
/// The name of an SQL file belongs to another tool.
pub const FOREIGN_NAME: &str = "LIM-F002";
/// A header comment looks like a known one, misspelt.
pub const MISSPELT_HEADER: &str = "LIM-F003";
/// The value of a header is not allowed.
pub const BAD_HEADER_VALUE: &str = "LIM-F004";
/// A header that takes one value is given twice.
pub const REPEATED_HEADER: &str = "LIM-F005";
/// The `Migration` header names another file.
pub const OTHER_FILE_NAMED: &str = "LIM-F006";
/// A header that does nothing in a rollback file.
pub const HEADER_WITHOUT_EFFECT: &str = "LIM-F007";
/// A file without a statement.
pub const NO_STATEMENT: &str = "LIM-F008";
/// A `-- limosa:` comment that is not known.
pub const UNKNOWN_DIRECTIVE: &str = "LIM-F009";
/// A rollback written as comments that is not made of whole statements.
pub const BROKEN_COMMENT_ROLLBACK: &str = "LIM-F010";
/// SQL stands uncommented below a ROLLBACK heading.
pub const SQL_BELOW_HEADING: &str = "LIM-F011";
/// Comments below a ROLLBACK heading look like SQL and are not read as such.
pub const UNREAD_COMMENT_ROLLBACK: &str = "LIM-F012";
/// A rollback section stands inside a statement.
pub const SECTION_INSIDE_STATEMENT: &str = "LIM-F013";
/// A rollback is too large to be kept.
pub const ROLLBACK_TOO_LARGE: &str = "LIM-F014";
/// The file's own transactions cannot be run.
pub const TRANSACTION_MISUSE: &str = "LIM-F015";
/// Two migrations have the same identity.
pub const DUPLICATE_IDENTITY: &str = "LIM-F016";
/// A migration has two ways back.
pub const TWO_WAYS_BACK: &str = "LIM-F017";
/// A rollback has no migration.
pub const ROLLBACK_WITHOUT_MIGRATION: &str = "LIM-F018";
/// A rollback's description differs from its migration's.
pub const ROLLBACK_NAME_DIFFERS: &str = "LIM-F019";
/// A dependency that does not exist.
pub const MISSING_DEPENDENCY: &str = "LIM-F020";
/// Dependencies that go round in a circle.
pub const DEPENDENCY_CYCLE: &str = "LIM-F021";
/// A versioned migration depends on a repeatable one.
pub const DEPENDS_ON_REPEATABLE: &str = "LIM-F022";
/// The configuration is not YAML that limosa reads.
pub const BAD_YAML: &str = "LIM-F023";
/// A key of the configuration is not known.
pub const UNKNOWN_KEY: &str = "LIM-F024";
/// A value of the configuration is not allowed.
pub const BAD_CONFIG_VALUE: &str = "LIM-F025";
/// An entry of the configuration names no migration.
pub const ENTRY_WITHOUT_FILE: &str = "LIM-F026";
/// A key or entry of the configuration stands there twice.
pub const REPEATED_KEY: &str = "LIM-F027";
/// A key of the configuration that other tools read and limosa does not.
pub const UNUSED_KEY: &str = "LIM-F028";
/// The configuration promises a rollback that does not exist.
pub const PROMISED_ROLLBACK: &str = "LIM-F029";

/// A callback of an event that limosa does not have.
pub const UNKNOWN_EVENT: &str = "LIM-F030";
/// A setting beside a script is not known, or its value makes no sense.
pub const BAD_SCRIPT_SETTING: &str = "LIM-F031";
/// A callback is a command, and commands are not allowed.
pub const COMMAND_NOT_ALLOWED: &str = "LIM-F032";
/// A folder holds SQL files, and none of their names is understood.
pub const NO_NAME_UNDERSTOOD: &str = "LIM-F033";
/// A migration is a program of the other tool.
pub const CODE_MIGRATION: &str = "LIM-F034";
/// A file of settings that belongs to another tool's folder cannot be read.
pub const BROKEN_TOOL_FILE: &str = "LIM-F035";
/// A folder says that it is for another kind of database.
pub const OTHER_ENGINE: &str = "LIM-F036";
/// A folder's list of migrations names a file that is not there.
pub const LISTED_FILE_MISSING: &str = "LIM-F037";
/// A file has no marker of the sections that its format has.
pub const MISSING_MARKER: &str = "LIM-F038";
/// A marker of a section is not known, or makes no sense where it stands.
pub const MISPLACED_MARKER: &str = "LIM-F039";
/// SQL stands above the first section.
pub const SQL_ABOVE_SECTIONS: &str = "LIM-F040";
/// A file is read as a whole and has the markers of a tool that does not.
pub const FOREIGN_MARKER: &str = "LIM-F041";
/// A variable of the environment is none that can be replaced where it stands.
pub const VARIABLE_FORM: &str = "LIM-F042";
/// The files of a folder are of two formats.
pub const MIXED_FORMATS: &str = "LIM-F043";
/// The other tool runs files in another order.
pub const OTHER_ORDER: &str = "LIM-F044";

/// A change asks for something that is done otherwise here, or not at all.
pub const OTHER_BEHAVIOUR: &str = "LIM-F045";
/// A change conflicts with one that runs before it.
pub const CONFLICTING_CHANGES: &str = "LIM-F046";
/// A property has one value for a change and another one for a change above it.
pub const TWO_VALUES: &str = "LIM-F050";
/// A placeholder of another tool's has no value and stays as it stands.
pub const NO_VALUE: &str = "LIM-F051";
/// A variable stands for a part of a secret.
pub const PART_OF_SECRET: &str = "LIM-F056";
/// A changelog asks something before anything runs that cannot be asked here.
pub const UNKNOWN_CONDITION: &str = "LIM-F063";
/// A variable that is to have several values.
pub const OTHER_VALUES: &str = "LIM-F070";

/// All codes with their meaning, in order.
pub const TABLE: &[(&str, &str)] = &[
    (UNCLEAR_NAME, "the name of an SQL file is not understood, so the file is left out"),
    (FOREIGN_NAME, "the name of an SQL file belongs to another tool, so the file is left out"),
    (MISSPELT_HEADER, "a header comment looks like a known one, misspelt"),
    (BAD_HEADER_VALUE, "the value of a header comment is not allowed"),
    (REPEATED_HEADER, "a header that takes one value is given twice"),
    (OTHER_FILE_NAMED, "the Migration header names another file"),
    (HEADER_WITHOUT_EFFECT, "a header has no effect in a way back"),
    (NO_STATEMENT, "a file holds no statement"),
    (UNKNOWN_DIRECTIVE, "a '-- limosa:' comment is not known"),
    (BROKEN_COMMENT_ROLLBACK, "a rollback written as comments is not made of whole statements"),
    (SQL_BELOW_HEADING, "SQL stands uncommented below a ROLLBACK heading"),
    (UNREAD_COMMENT_ROLLBACK, "comments below a ROLLBACK heading look like SQL and are not read as such"),
    (SECTION_INSIDE_STATEMENT, "a rollback section begins inside a statement"),
    (ROLLBACK_TOO_LARGE, "a rollback is too large to be kept in the ledger"),
    (TRANSACTION_MISUSE, "the statements of a file cannot be run in transactions as they stand"),
    (DUPLICATE_IDENTITY, "two migrations have the same identity"),
    (TWO_WAYS_BACK, "a migration has two ways back"),
    (ROLLBACK_WITHOUT_MIGRATION, "a rollback has no migration"),
    (ROLLBACK_NAME_DIFFERS, "a rollback is named otherwise than its migration"),
    (MISSING_DEPENDENCY, "a migration depends on one that does not exist"),
    (DEPENDENCY_CYCLE, "migrations depend on each other in a circle"),
    (DEPENDS_ON_REPEATABLE, "a versioned migration depends on a repeatable one"),
    (BAD_YAML, "migration_config.yaml is not YAML that limosa reads"),
    (UNKNOWN_KEY, "a key of migration_config.yaml is not known"),
    (BAD_CONFIG_VALUE, "a value of migration_config.yaml is not allowed"),
    (ENTRY_WITHOUT_FILE, "settings name a migration that is not in their folder (migration_config.yaml, a file .conf)"),
    (REPEATED_KEY, "a key or entry of migration_config.yaml stands there twice"),
    (UNUSED_KEY, "a key of migration_config.yaml that other tools read and limosa does not"),
    (PROMISED_ROLLBACK, "migration_config.yaml promises a rollback that does not exist"),
    (UNKNOWN_EVENT, "a callback is named after an event that limosa does not have, so the file is left out"),
    (BAD_SCRIPT_SETTING, "a setting beside a script (.conf) is not known, or its value makes no sense"),
    (COMMAND_NOT_ALLOWED, "a callback is a command, and commands run only where they are allowed"),
    (NO_NAME_UNDERSTOOD, "a folder holds SQL files, and the name of none is understood, so there is nothing to run"),
    (CODE_MIGRATION, "a migration is a program of the other tool, which cannot be run here"),
    (BROKEN_TOOL_FILE, "a file of another tool's settings or list of migrations cannot be read"),
    (OTHER_ENGINE, "a folder is for another kind of database"),
    (LISTED_FILE_MISSING, "a folder's list of migrations names a file that is not there"),
    (MISSING_MARKER, "a file has no marker of the sections that its format has, so nobody knows what leads up"),
    (MISPLACED_MARKER, "a marker of a section is not known, or makes no sense where it stands"),
    (SQL_ABOVE_SECTIONS, "SQL stands above the first section of a file, where nothing is run"),
    (FOREIGN_MARKER, "a file has sections up and down and would be run as a whole"),
    (VARIABLE_FORM, "a variable of the environment is none that can be replaced where it stands"),
    (MIXED_FORMATS, "the files of the folders are of two formats"),
    (OTHER_ORDER, "the other tool runs the files in another order, because it goes by their names"),
    (OTHER_BEHAVIOUR, "a change asks for something that its tool does, and limosa does otherwise or not at all"),
    (CONFLICTING_CHANGES, "a change conflicts with one that runs before it"),
    (TWO_VALUES, "a property has one value for a change and another one for a change above it"),
    (NO_VALUE, "a placeholder of another tool's has no value and stays as it stands"),
    (PART_OF_SECRET, "a variable stands for a part of a secret"),
    (UNKNOWN_CONDITION, "a changelog asks something before anything runs that cannot be asked here"),
    (OTHER_VALUES, "a variable of psql has another value for revert or verify than for deploy"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_numbered_in_order() {
        assert!(TABLE.is_sorted_by(|(one, _), (other, _)| one < other));
        for (code, meaning) in TABLE {
            let number = code.strip_prefix("LIM-F").unwrap();
            assert!(number.len() == 3 && number.parse::<u32>().is_ok() && !meaning.is_empty(), "{code}");
        }
    }
}
