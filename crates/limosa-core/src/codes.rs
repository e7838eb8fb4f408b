//! The codes of refusals: what the history and the files of a project do not allow.

/// All codes with their meaning, in order.
pub const TABLE: &[(&str, &str)] = &[
    ("LIM-P001", "an applied file was changed in its up part"),
    ("LIM-P002", "a change was applied, and its file is gone"),
    ("LIM-P003", "a change was interrupted, and its file is gone"),
    ("LIM-P004", "a rollback was interrupted and must be finished first"),
    ("LIM-P005", "a version comes late: a later one was applied before it"),
    ("LIM-P006", "a file was changed in statements that ran already"),
    ("LIM-P007", "a change depends on one that does not apply here, or is not part of the run"),
    ("LIM-P008", "a change needs a direct connection, and a pooler stands between"),
    ("LIM-P009", "a change cannot be part of a single transaction"),
    ("LIM-P010", "the single transaction is split"),
    ("LIM-P011", "a change that is to be taken back is not applied"),
    ("LIM-P012", "a change cannot be taken back: another depends on it"),
    ("LIM-P013", "no file holds a way back for a change"),
    ("LIM-P014", "a change was applied without a way back"),
    ("LIM-P015", "a rollback would destroy data in a protected environment"),
    ("LIM-P016", "a rollback would destroy data, and consent that names the database is missing"),
    ("LIM-P017", "a change was interrupted"),
    ("LIM-P018", "a migration destroys data, and its header does not say that it is meant to"),
    ("LIM-P019", "no migration has the version or name that was asked for"),
    ("LIM-P020", "another tool has migrated this database, and limosa does not know of it"),
    ("LIM-P021", "a version that is asked for belongs to several migrations"),
];
