//! What is told besides, to whom it concerns: after the commit that holds it, and never instead of it.

#[cfg(feature = "kafka")]
pub mod letters;
