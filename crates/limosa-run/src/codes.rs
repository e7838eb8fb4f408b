//! The codes of what can go wrong while a plan is conducted.

/// All codes with their meaning, in order.
pub const TABLE: &[(&str, &str)] = &[
    ("LIM-R001", "another runner holds the lock"),
    ("LIM-R002", "the database refused a statement"),
    ("LIM-R003", "a lock was not to be had in time, after all retries"),
    ("LIM-R004", "a deadlock or serialization failure, after all retries"),
    ("LIM-R005", "the run was interrupted, or a statement cancelled"),
    ("LIM-R006", "the connection was lost"),
    ("LIM-R007", "a file ended the transaction that limosa had opened for it"),
    ("LIM-R008", "the lease was lost: another runner has taken over"),
    ("LIM-R009", "a migration failed at its commit"),
    ("LIM-R010", "a file was changed while it ran"),
    ("LIM-R011", "a file cannot be read"),
    ("LIM-R012", "a placeholder has no value"),
    ("LIM-R013", "a dry run changed rows of tables that know no transactions"),
    ("LIM-R014", "a callback that is a command failed, or could not be run"),
    ("LIM-R015", "a migration that is code failed, panicked, or is not part of this application"),
    ("LIM-R020", "a statement of a run that is gone still runs on the server"),
    ("LIM-R021", "nothing proves whether a statement took effect; a person decides"),
    ("LIM-R022", "a file that was interrupted needs what went with its connection; a person decides"),
    ("LIM-R040", "a precondition of a change does not hold"),
    ("LIM-R041", "a precondition of a change cannot be asked"),
    ("LIM-R042", "the server, or the disk, has no room for a statement"),
    ("LIM-R043", "the user may not run a statement"),
];
