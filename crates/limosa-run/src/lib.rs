//! The only loop: conducts a plan on a session and records what happened. Deciding is done elsewhere; nothing here chooses
//! what is run, only how it ends up recorded.

mod ahead;
mod atomic;
mod attempt;
mod callbacks;
mod cancelling;
mod code;
pub mod codes;
mod conduct;
mod context;
mod entries;
mod event;
mod feed;
mod guard;
mod implicit_commit;
mod journalled;
mod kept;
mod lock;
mod lost;
mod made;
mod not_taken_back;
mod notices;
mod placeholders;
mod pragmas;
mod problem;
mod proof;
mod put_back;
mod reader;
mod recovery;
mod redact;
mod rehearse;
mod report;
mod starts;
mod upgrade;
mod watch;

pub use cancelling::send_stoppable;
pub use code::{Code, CodeError, CodeFn, CodeFuture, Connection};
pub use conduct::conduct;
pub use context::{Connector, Context, Stop, Values};
pub use event::{Event, Events};
pub use kept::Kept;
pub use lock::{Acquired, Held, LockError, acquire, lock_key, lock_name, release};
pub use placeholders::{file_name_value, unknown_placeholder};
pub use reader::{Files, Masked};
pub use rehearse::{Rehearsed, rehearse};
pub use report::{Outcome, RunReport, StepReport, StepState};
