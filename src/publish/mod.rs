//! What is told besides, to whom it concerns: after the commit that holds it, and never instead of it.

#[cfg(feature = "kafka")]
pub mod breaches;
pub mod decided;
pub mod events;
#[cfg(feature = "kafka")]
pub mod letters;
pub mod pages;
pub mod told;
pub mod webhook;
