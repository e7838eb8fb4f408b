//! Taking over what another tool has migrated: its rows against our changes.
//!
//! What each tool writes, and what its checksums are made of, is told by the tools' own sources; see [`ForeignTool`].

mod compare;
mod keeping;
mod rows;
mod spelling;
mod tool;
mod trouble;
mod unfiled;

pub use compare::{Agreement, Compared, Verdict, compare, newest_missing};
pub use keeping::{Disagreement, Keeping, Told};
pub use rows::{ForeignRow, ForeignState, settled};
pub use spelling::{cut_for_flyway, repathed, spelled};
pub use tool::{ForeignTool, KnownBy};
pub use trouble::{Trouble, troubles, under_way};
pub use unfiled::Unfiled;
