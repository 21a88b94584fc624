//! The catalogue: which native names are one identity, and what the customer knows of it. No source knows that an AWS
//! secret, an IAM key and a CyberArk account are one service account.
//!
//! It acts in two places. What an event does not say (partner, owner, kind, privileged) is said for it where it comes in,
//! before the journal ([`Catalogue::pin`]): it holds as it was known then. Which name is which identity ([`Names`]) is asked
//! where events are judged, today's and those of the journal alike: a name that was entered late, or wrongly, is mended
//! for all that was ever told under it. [`crate::contract`] reads the file; this room knows no file.

mod line;
mod names;
mod pin;

pub use names::{Handed, Handover, Named, Names};
pub use pin::Pinned;

use std::collections::HashMap;

/// The partner of what is nobody's.
pub(crate) const UNOWNED: &str = "unowned";

/// One identity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// What it is called everywhere.
    pub id: String,
    /// What it is: `service-account`, `api-key`.
    pub kind: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Whether it opens more than others; None: not known.
    pub privileged: Option<bool>,
    /// Who operates it.
    pub partner: Option<String>,
    /// What sources call it.
    pub names: Vec<String>,
}

/// All identities.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    identities: Vec<Identity>,
    /// By id, and by each native name: position.
    by_name: HashMap<String, usize>,
}

impl Catalogue {
    /// Of a name that stands twice the first counts; whoever reads files has refused the second.
    pub fn new(identities: Vec<Identity>) -> Catalogue {
        let mut by_name = HashMap::new();
        for (at, one) in identities.iter().enumerate() {
            for name in std::iter::once(&one.id).chain(&one.names) {
                by_name.entry(name.clone()).or_insert(at);
            }
        }
        Catalogue { identities, by_name }
    }

    /// In the order of the files.
    pub fn identities(&self) -> &[Identity] {
        &self.identities
    }

    /// Nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.identities.is_empty()
    }

    /// Which identity has this id or native name.
    pub fn find(&self, name: &str) -> Option<&Identity> {
        self.by_name.get(name).map(|at| &self.identities[*at])
    }
}
