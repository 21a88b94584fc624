//! Contradictions: of one act one source says that it was done, another only that it failed. Nobody is believed more for it: the
//! duty stands as it stands, and is shown as disputed.
//!
//! It is asked where the act is taken in, of all facts around it, earlier and later ones. What denies an act has the timeline
//! judged again (`reaches_back`), and so has an act of which a denial is known, so it does not matter who spoke first.

use super::{Cx, Fold, Trace};
use crate::duty::Flags;
use crate::fact::Fact;
use crate::time::{DAY, Millis};
use crate::vocabulary::EventType;

/// Words that lie further apart are about two attempts.
const APART: Millis = DAY;

impl Fold {
    /// A fact does, or claims, the act of an open duty: whether another source denies it.
    #[inline(always)]
    pub(super) fn dispute<T: Trace>(&mut self, i: usize, fact: Fact<'_>, about: &EventType, cx: &mut Cx<'_, '_, T>) {
        if about.denied_by.is_some() {
            self.dispute_by(i, fact, about, cx);
        }
    }

    #[inline(never)]
    fn dispute_by<T: Trace>(&mut self, i: usize, fact: Fact<'_>, about: &EventType, cx: &mut Cx<'_, '_, T>) {
        if self.open[i].disputed() {
            return;
        }
        let Some(denial) = denied(fact, about, cx) else { return };
        self.open[i].more_mut().disputed = true;
        self.open[i].flags.put(Flags::NEWS, true);
        cx.trace.note(fact.at(), Some(&self.open[i]), &|| {
            let names = cx.view.book.names();
            let failed = &names.about(denial.kind()).name;
            format!("disputed: {} says that it was done, {} ({failed}) that it failed", fact.id(), denial.id())
        });
    }
}

/// What another source says against an act, which itself says nowhere near it that it was done.
fn denied<'a, T: Trace>(fact: Fact<'_>, about: &EventType, cx: &Cx<'a, '_, T>) -> Option<Fact<'a>> {
    let near = |other: &Fact<'_>| other.origin() == fact.origin() && (other.at() - fact.at()).abs() <= APART;
    let around = || cx.view.timeline.facts().filter(near);
    let denials = around().filter(|f| Some(f.kind()) == about.denied_by && f.source() != fact.source());
    let confirms = |denial: &Fact<'_>| around().any(|f| f.kind() == fact.kind() && f.source() == denial.source());
    denials.into_iter().find(|denial| !confirms(denial))
}
