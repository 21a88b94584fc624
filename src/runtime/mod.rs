//! Runs the judge over what comes in. Holds the only loops.

pub mod check;
mod parallel;
mod rows;
pub mod spill;
pub mod story;
mod streams;
mod watch;
pub mod whatif;
