//! What limosa decides: changes and their order, the state of a database against its files, plans, what to do after a
//! death, and the chain of the audit log. Pure: no files, sockets, clock or environment.

mod adopt;
mod assess;
mod audit;
mod branch;
mod callback;
mod change;
mod checksum;
pub mod codes;
mod counted_values;
mod decide;
mod enum_values;
mod graph;
mod guard;
mod inherited;
mod ledger;
mod outline;
mod outliner;
mod plan;
mod pragmas;
mod recover;
mod sections;
mod shared;
mod shared_text;
mod statements;
mod structure;
mod target;
mod version;

pub use adopt::{
    Agreement, Compared, Disagreement, ForeignRow, ForeignState, ForeignTool, Keeping, KnownBy, Told, Trouble, Unfiled,
    Verdict, compare, cut_for_flyway, newest_missing, repathed, settled, spelled, troubles, under_way,
};
pub use assess::{Assessed, State, Surroundings, assess, assess_up_to, newest_version, not_applicable};
pub use audit::{ChainCheck, ChainError, hashed_around, row_hash};
pub use branch::{Binding, BranchFile, Clash, Comparison, OrderedBy, compare_branches, equal_but_for_case, newest_of};
pub use callback::{Callback, CallbackEvent, CallbackWork, RunEvents};
pub use change::{Change, Headers, Identity, Kind, Rollback, Script, TimeOuts, TransactionWish};
pub use checksum::{Checksum, FileHasher, TextHasher, hex};
pub use counted_values::CountedValues;
pub use decide::{
    MigrateAsk, MissingLedger, OutOfOrder, Policy, RollbackAsk, Selection, SharedSession, StoredRollback,
    decide_migrate, decide_rollback, other_first_part, selected,
};
pub use enum_values::{EnumValueReader, EnumValues, Uncommitted};
pub use graph::{Cycle, order};
pub use guard::{Check, Guard, Otherwise, Question};
pub use inherited::{Inherited, PutsBack};
pub use ledger::{
    AppliedRow, AuditHead, AuditRow, Direction, Failure, JournalRow, JournalStatement, LEDGER_VERSION, LeaseRow,
    LedgerView, RowState, SEED_PREFIX,
};
pub use outline::{
    Expression, Group, GroupMode, LeftOut, LeftOutReason, Lifted, Outline, OutlineError, Remark, SessionBound, Shape,
    Shares, Touched,
};
pub use outliner::{Outliner, ToolTransaction};
pub use plan::{
    Action, Limits, MadeTable, PLAN_FORMAT, Plan, PlannedCallback, PlannedText, PlannedWork, Skipped, Step, Undo, Work,
};
pub use recover::{After, Before, Image, IndexState, ObjectState, Recovery, recover};
pub use sections::{LineEnds, Mark, Markers, Part, SectionMask, SectionScanner, mask};
pub use shared::{Alike, Shared};
pub use shared_text::SharedText;
pub use statements::{FirstPart, StatementHasher, hash_with_values, statement_hash};
pub use structure::{Difference, differences};
pub use target::{find_identity, find_version};
pub use version::{BadVersion, Version};
