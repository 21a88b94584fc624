//! How the process is: whether it lives, whether it is ready, and its figures.
//!
//! The loop writes here as it goes; whoever asks reads. Nothing here asks the loop, so that a loop that hangs is seen.

mod figures;
mod routes;

pub use figures::{Figures, SourceState};
pub use routes::routes;

use std::sync::{PoisonError, RwLock};

/// Whether the process can do its work, and if not, why.
#[derive(Debug)]
pub struct Readiness(RwLock<Vec<String>>);

impl Default for Readiness {
    /// Not ready: it has just begun.
    fn default() -> Readiness {
        Readiness(RwLock::new(vec!["starting".to_owned()]))
    }
}

impl Readiness {
    /// Ready if there is no reason why not.
    pub fn set(&self, reasons: Vec<String>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = reasons;
    }

    /// Why it is not ready; empty: it is.
    pub fn reasons(&self) -> Vec<String> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
