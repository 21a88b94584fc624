//! Runs the judge over what comes in. Holds the only loops.

pub mod check;
mod homes;
mod parallel;
pub mod spill;
pub mod story;
mod streams;
