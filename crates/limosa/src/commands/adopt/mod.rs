//! `adopt`: takes over what another tool has migrated, and gives it back.

mod another;
mod back;
mod files;
mod finding;
mod format;
mod journal;
mod keeping;
mod memory;
mod proof;
mod registry;
mod taking;
mod turned_up;

pub use back::GoBackOptions;
pub(crate) use finding::{applied_since, left_half_done};
pub(crate) use format::{formats_alike, read_otherwise};
pub(crate) use keeping::{
    Beside, disagreement, look_beside, look_there, prepare, refuse_disagreement, refuse_disagreement_at_rest,
    told_by_hand, told_of_accepted, told_of_late,
};
pub(crate) use memory::{forget, remembered};
pub use proof::ProveOn;
pub(crate) use registry::{attach_registry, detach_registry, registry_of};
pub use taking::AdoptOptions;
pub(crate) use turned_up::{count_turned_up, counted_by_hand, refuse_turned_up_as_others, turned_up_as_others};
