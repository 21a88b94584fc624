//! How the process is: whether it lives, whether it is ready, and its figures; those of each partner for that partner.
//!
//! Whoever runs the loop says where to look; nothing here asks the loop itself, so that a loop that hangs is seen.

pub mod boards;
pub mod families;
mod figures;
mod histogram;
mod merged;
mod page;
mod process;
mod reading;
mod reference;
mod routes;
pub mod rules;
pub mod tokens;

pub use figures::{Figures, MOST};
pub use histogram::{Example, Histogram};
pub use page::{Form, labels};
pub use process::system;
pub use reading::{
    ObligationReading, PartnerReading, PoolReading, Reading, ReceiverReading, SourceReading, SourceState,
};
pub use reference::reference;
pub use routes::{Access, Pages, routes};
