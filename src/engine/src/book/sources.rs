//! *Every P* of each source: it begins when the source is first heard of, and again with each act that it tells.

use super::compile::{Compiler, act_leaves};
use crate::rule::Anchor;
use crate::terms::{self, Trust};

/// Says that a source speaks of a partner: made by the engine, about the source.
pub(crate) const SEEN: &str = "source.seen";

impl Compiler<'_> {
    /// What opens a duty of a source. With tests it is one of them from the first act on that passes.
    pub(super) fn of_source(&mut self, out: &mut Anchor, tests: &[terms::Test], act: &terms::Act) {
        if tests.is_empty() {
            let seen = self.event(&terms::EventMatch::of(SEEN), Trust::Asserted);
            self.names.about_mut(seen.kind).opening = true;
            out.events.push(seen);
        }
        for leaf in act_leaves(act) {
            let tests = leaf.tests.iter().chain(tests).cloned().collect();
            let event = self.event(&terms::EventMatch { tests, ..leaf.clone() }, Trust::Asserted);
            self.names.about_mut(event.kind).of_source = true;
            out.events.push(event);
        }
    }
}
