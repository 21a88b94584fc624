//! How the process is: whether it lives, whether it is ready, and its figures.
//!
//! Whoever runs the loop says where to look; nothing here asks the loop itself, so that a loop that hangs is seen.

mod figures;
mod routes;

pub use figures::{Figures, Reading, SourceReading, SourceState};
pub use routes::routes;
