//! What memory rests on: whoever keeps events so that they can be judged again must keep these.

use super::Engine;
use crate::fact::Fact;
use crate::time::Moment;

impl Engine {
    /// The earliest instant on which anything in memory rests: a fact that is held, a duty's start, a life in a register.
    /// `NEVER`: nothing is in memory. Looks at everything there is: not to be asked often.
    pub fn rests_on(&self) -> Moment {
        let mut oldest = Moment::NEVER;
        for slot in self.shelf.slots() {
            let subject = self.shelf.copy(slot);
            let first = subject.timeline.facts().next().map(|fact: Fact<'_>| fact.at());
            let duties = subject.head.open.iter().chain(&subject.head.ended).map(|duty| duty.start);
            oldest = duties.chain(first).fold(oldest, Moment::min);
        }
        let registers = self.partners.iter().filter_map(|partner| partner.register.as_deref());
        registers.fold(oldest, |oldest, register| oldest.min(register.rests_on()))
    }
}
