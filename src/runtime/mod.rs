//! Runs the judge over what comes in. Holds the only loops.

pub mod ahead;
mod breaches;
pub mod check;
#[cfg(feature = "kafka")]
pub mod feeds;
mod homes;
pub mod levels;
pub mod live;
mod parallel;
pub mod played;
mod reading;
mod report;
mod rows;
pub mod spill;
pub mod story;
mod streams;
mod watch;
pub mod whatif;
pub mod wires;
