//! The judge of Onus: facts in, standings out.
//!
//! Pure: time is an argument, iteration order is defined, nothing here reads, writes, waits or draws lots.

pub mod calendar;
pub mod terms;
pub mod time;
