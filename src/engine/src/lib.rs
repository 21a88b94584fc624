//! The judge of Onus: facts in, standings out.
//!
//! Pure: time is an argument, iteration order is defined, nothing here reads, writes, waits or draws lots.

pub mod book;
pub mod calendar;
pub mod duty;
pub mod engine;
pub mod explain;
pub mod fact;
pub mod fold;
pub mod identity;
pub mod limits;
pub mod region;
pub mod register;
pub mod rule;
pub mod scope;
pub mod select;
pub mod standing;
pub mod terms;
pub mod time;
pub mod timeline;
pub mod vocabulary;
pub mod wheel;
