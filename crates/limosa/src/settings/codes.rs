//! The codes of everything that can be wrong with the settings.

/// The configuration file is not TOML.
pub const NOT_TOML: &str = "LIM-C001";
/// The configuration file has a key that limosa does not know.
pub const UNKNOWN_KEY: &str = "LIM-C002";
/// A key stands where it cannot stand.
pub const KEY_OUT_OF_PLACE: &str = "LIM-C003";
/// A value has the wrong type or cannot be understood.
pub const WRONG_VALUE: &str = "LIM-C004";
/// The configuration file is missing or cannot be read.
pub const NO_CONFIGURATION_FILE: &str = "LIM-C005";
/// The env file is missing or cannot be read.
pub const NO_ENV_FILE: &str = "LIM-C006";
/// A line of the env file is not understood.
pub const ENV_FILE_LINE: &str = "LIM-C007";
/// The environment is not one of the configuration file.
pub const UNKNOWN_ENVIRONMENT: &str = "LIM-C008";
/// The chosen environment and a variable lead to different databases.
pub const TWO_DATABASES: &str = "LIM-C009";
/// A reference to a secret leads nowhere.
pub const BROKEN_REFERENCE: &str = "LIM-C010";
/// The program of a `cmd:` reference failed.
pub const COMMAND_FAILED: &str = "LIM-C011";
/// Every user of the machine can read the file of a secret.
pub const READABLE_BY_ALL: &str = "LIM-C012";
/// A placeholder is not written as `NAME=VALUE`, or its name is not one.
pub const WRONG_PLACEHOLDER: &str = "LIM-C013";
/// A variable looks like a misspelt one of limosa's.
pub const UNKNOWN_VARIABLE: &str = "LIM-C014";
/// `direct_url` belongs to another database than the one that was chosen.
pub const DIRECT_URL_UNUSED: &str = "LIM-C015";
/// `database` and `direct_url` name different databases.
pub const DIRECT_URL_DIFFERS: &str = "LIM-C016";
/// `secret_placeholders` names a placeholder that does not exist.
pub const NO_SUCH_PLACEHOLDER: &str = "LIM-C017";
/// A placeholder of a flag or variable looks like a reference and is taken as text.
pub const TAKEN_AS_TEXT: &str = "LIM-C018";
/// The env file of an environment's section is not read.
pub const ENV_FILE_UNREAD: &str = "LIM-C019";
/// A setting has no effect on the engine of the database.
pub const NOT_ON_THIS_ENGINE: &str = "LIM-C020";

/// A setting of Flyway's, or its value, cannot be had.
pub const FLYWAY_UNSUPPORTED: &str = "LIM-C021";
/// A setting of Flyway's has no effect, because something else does what it asks for.
pub const FLYWAY_WITHOUT_EFFECT: &str = "LIM-C022";
/// A configuration file of Flyway's is not read, because one of ours stands beside it.
pub const FLYWAY_UNREAD: &str = "LIM-C023";

/// All codes with their meaning, in order.
pub const TABLE: &[(&str, &str)] = &[
    (NOT_TOML, "the configuration file is not TOML"),
    (UNKNOWN_KEY, "the configuration file has a key that limosa does not know"),
    (KEY_OUT_OF_PLACE, "a key stands where it cannot stand"),
    (WRONG_VALUE, "a value has the wrong type or cannot be understood"),
    (NO_CONFIGURATION_FILE, "the configuration file is missing or cannot be read"),
    (NO_ENV_FILE, "the env file is missing or cannot be read"),
    (ENV_FILE_LINE, "a line of the env file is not understood"),
    (UNKNOWN_ENVIRONMENT, "the environment is not one of the configuration file"),
    (TWO_DATABASES, "the chosen environment and a variable lead to different databases"),
    (BROKEN_REFERENCE, "a reference to a secret leads nowhere"),
    (COMMAND_FAILED, "the program of a cmd: reference failed, printed nothing, or took too long"),
    (READABLE_BY_ALL, "every user of the machine can read the file of a secret"),
    (WRONG_PLACEHOLDER, "a placeholder is not written as NAME=VALUE, or its name is not one"),
    (UNKNOWN_VARIABLE, "a variable looks like a misspelt one of limosa's"),
    (DIRECT_URL_UNUSED, "direct_url belongs to another database than the one that was chosen, and is not used"),
    (DIRECT_URL_DIFFERS, "database and direct_url name different databases"),
    (NO_SUCH_PLACEHOLDER, "secret_placeholders names a placeholder that does not exist"),
    (TAKEN_AS_TEXT, "a placeholder of a flag or variable looks like a reference and is taken as text"),
    (ENV_FILE_UNREAD, "the env file of an environment's section is not read"),
    (NOT_ON_THIS_ENGINE, "a setting has no effect on the engine of the database"),
    (FLYWAY_UNSUPPORTED, "a setting in Flyway's configuration, or its value, cannot be had here"),
    (
        FLYWAY_WITHOUT_EFFECT,
        "a setting in Flyway's configuration has no effect, because something else does what it asks for",
    ),
    (FLYWAY_UNREAD, "a configuration file of Flyway's is not read, because limosa.toml stands beside it"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_numbered_without_gaps() {
        for (index, (code, meaning)) in TABLE.iter().enumerate() {
            assert_eq!(*code, format!("LIM-C{:03}", index + 1));
            assert!(!meaning.is_empty());
        }
    }
}
