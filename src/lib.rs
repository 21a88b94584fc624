//! Onus: who holds the onus, until when, on what evidence.

pub mod contract;
