//! A pool: members that share units among themselves, by leases in the store.
//!
//! ```text
//! round, each third of a lease, in one transaction:
//!     I am here -> who is not? -> what is whose (assign) -> I take what is free and mine, I give up what is another's
//! ```
//!
//! A lease says who *should* own. What makes one owner is the epoch that every commit checks: two who believe in a lease at once cost work,
//! and never a wrong word. What a unit is, a pool does not know: it says take and give.

pub mod assign;
pub mod hold;
#[cfg(feature = "kafka")]
pub(crate) mod keeping;

/// What is shared: a partition of something, by its number.
pub type Unit = u16;
