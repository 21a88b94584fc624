//! Who should own what: from who is there and who owns what now, the same answer for everybody who asks.
//!
//! Balanced: of units that nobody has pinned, members have as many as each other, or one more or less. Sticky: whoever owns a unit keeps
//! it unless another has too few. Members that drain have nothing, unless all of them do. Those that cannot take anything, of an older
//! version for the store as it is, keep what they have.

use super::Unit;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// How a unit stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lease {
    /// Who owns it: somebody who is there.
    pub member: Option<String>,
    /// Its owner gives it up, and has not finished yet.
    pub giving: bool,
    /// Who is to own it whenever it is there.
    pub pinned: Option<String>,
    /// It failed a moment ago: nobody takes it yet.
    pub rests: bool,
}

/// What a member takes part in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// It owns its share.
    #[default]
    Shares,
    /// It keeps what it owns, and takes nothing.
    Keeps,
    /// It owns nothing, if it can be helped.
    Drains,
}

/// Who is there, and what is whose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// By name.
    pub members: BTreeMap<String, Part>,
    /// All units.
    pub leases: BTreeMap<Unit, Lease>,
}

/// What a member does now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acts {
    /// Free, and its own.
    pub take: Vec<Unit>,
    /// Its own until now, and another's.
    pub give: Vec<Unit>,
}

impl View {
    /// Who should own each unit. Nobody, where nobody is there.
    pub fn plan(&self) -> BTreeMap<Unit, &str> {
        // Where all drain, none does; where nobody else is there, those that only keep must do.
        let best = self.members.values().copied().min().unwrap_or_default();
        let part = |name: &str| match self.members.get(name) {
            Some(part) if *part == best => Some(Part::Shares),
            Some(Part::Drains) | None => None,
            Some(part) => Some(*part),
        };
        let mut plan = BTreeMap::new();
        // How many each has by pins, is to have besides, and has of those already.
        let mut shares: BTreeMap<&str, Share> = BTreeMap::new();
        for name in self.members.keys() {
            if let Some(part) = part(name) {
                shares.insert(name, Share { keeps: part == Part::Keeps, ..Share::default() });
            }
        }
        let mut free = BTreeSet::new();
        for (unit, lease) in &self.leases {
            let owner = lease.owner().filter(|owner| part(owner).is_some());
            let pin = lease.pinned.as_deref();
            let pin = pin.filter(|pin| part(pin) == Some(Part::Shares) || part(pin).is_some() && owner == Some(*pin));
            match (pin, owner) {
                (Some(pin), _) => {
                    shares.entry(pin).or_default().pinned += 1;
                    plan.insert(*unit, pin);
                }
                (None, Some(owner)) => {
                    shares.entry(owner).or_default().has.push(*unit);
                    free.insert(*unit);
                }
                (None, None) => {
                    free.insert(*unit);
                }
            }
        }
        for _ in 0..free.len() {
            // Whoever is to have least is next; of these whoever would have to give up most.
            let can = shares.iter_mut().filter(|(_, share)| !share.keeps || share.due < share.has.len());
            let next = can.min_by(|(a, one), (b, two)| {
                let over = |share: &Share| share.has.len().saturating_sub(share.due);
                let rank = |share: &Share| (share.pinned + share.due, Reverse(over(share)));
                rank(one).cmp(&rank(two)).then_with(|| a.cmp(b))
            });
            let Some((_, share)) = next else { return plan };
            share.due += 1;
        }
        for (name, share) in &mut shares {
            for unit in share.has.iter().take(share.due) {
                free.remove(unit);
                plan.insert(*unit, name);
            }
            share.due -= share.due.min(share.has.len());
        }
        let lacking = shares.iter().flat_map(|(name, share)| std::iter::repeat_n(*name, share.due));
        plan.extend(free.into_iter().zip(lacking));
        plan
    }

    /// What a member does now: it gives up one after the other, so that the others go on meanwhile; if it drains, all at once.
    pub fn acts(&self, me: &str) -> Acts {
        let mut acts = Acts::default();
        let plan = self.plan();
        let gives = self.leases.values().any(|lease| lease.giving && lease.member.as_deref() == Some(me));
        let at_once = if self.members.get(me) == Some(&Part::Drains) { usize::MAX } else { usize::from(!gives) };
        for (unit, lease) in &self.leases {
            let mine = plan.get(unit) == Some(&me);
            match &lease.member {
                None if mine && !lease.rests => acts.take.push(*unit),
                Some(owner) if owner == me && !mine && !lease.giving && acts.give.len() < at_once => {
                    acts.give.push(*unit)
                }
                _ => {}
            }
        }
        acts
    }
}

#[derive(Debug, Default)]
struct Share {
    keeps: bool,
    pinned: usize,
    due: usize,
    has: Vec<Unit>,
}

impl Lease {
    /// Who will own it still when nothing else is done.
    fn owner(&self) -> Option<&str> {
        self.member.as_deref().filter(|_| !self.giving)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(member: u8) -> String {
        format!("m{member}")
    }

    /// What happens to a pool.
    #[derive(Clone, Debug)]
    enum Step {
        Joins(u8),
        Dies(u8),
        Becomes(u8, Part),
        Pins(Unit, Option<u8>),
        Round(u8),
        Given(Unit),
        Failed(Unit),
        Rested(Unit),
    }

    fn step(units: Unit) -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..6u8).prop_map(Step::Joins),
            (0..6u8).prop_map(Step::Dies),
            (0..6u8, prop_oneof![Just(Part::Shares), Just(Part::Keeps), Just(Part::Drains)])
                .prop_map(|(member, part)| Step::Becomes(member, part)),
            (0..units, proptest::option::of(0..6u8)).prop_map(|(unit, pin)| Step::Pins(unit, pin)),
            (0..6u8).prop_map(Step::Round),
            (0..6u8).prop_map(Step::Round),
            (0..units).prop_map(Step::Given),
            (0..units).prop_map(Step::Failed),
            (0..units).prop_map(Step::Rested),
        ]
    }

    fn pool(units: Unit) -> View {
        View { leases: (0..units).map(|unit| (unit, Lease::default())).collect(), ..View::default() }
    }

    fn free(lease: &mut Lease) {
        (lease.member, lease.giving) = (None, false);
    }

    /// One member's turn; how many units it took or began to give up.
    fn round(view: &mut View, me: &str) -> usize {
        if !view.members.contains_key(me) {
            return 0;
        }
        let acts = view.acts(me);
        let takes = view.members[me] == view.members.values().copied().min().expect("a member");
        assert!(takes || acts.take.is_empty(), "who only keeps, or drains, takes nothing while others are there");
        for unit in &acts.take {
            let lease = view.leases.get_mut(unit).expect("a unit");
            assert_eq!(lease.member, None, "what is somebody's is not taken");
            lease.member = Some(me.to_owned());
        }
        for unit in &acts.give {
            let lease = view.leases.get_mut(unit).expect("a unit");
            assert_eq!(lease.member.as_deref(), Some(me), "nobody gives what is not its own");
            lease.giving = true;
        }
        acts.take.len() + acts.give.len()
    }

    fn act(view: &mut View, step: &Step) {
        match step {
            Step::Joins(member) => {
                view.members.entry(name(*member)).or_default();
            }
            Step::Dies(member) => {
                view.members.remove(&name(*member));
                let gone = Some(name(*member));
                view.leases.values_mut().filter(|lease| lease.member == gone).for_each(free);
            }
            Step::Becomes(member, part) => {
                if let Some(known) = view.members.get_mut(&name(*member)) {
                    *known = *part;
                }
            }
            Step::Pins(unit, pin) => view.leases.get_mut(unit).expect("a unit").pinned = pin.map(name),
            Step::Round(member) => {
                round(view, &name(*member));
            }
            Step::Given(unit) => {
                let lease = view.leases.get_mut(unit).expect("a unit");
                if lease.giving {
                    free(lease);
                }
            }
            Step::Failed(unit) => {
                let lease = view.leases.get_mut(unit).expect("a unit");
                free(lease);
                lease.rests = true;
            }
            Step::Rested(unit) => view.leases.get_mut(unit).expect("a unit").rests = false,
        }
    }

    /// Everybody has its turn, and finishes what it gives up, until nothing changes; how many turns changed something.
    fn settle(view: &mut View) -> usize {
        view.leases.values_mut().for_each(|lease| lease.rests = false);
        let names: Vec<String> = view.members.keys().cloned().collect();
        for turn in 0..10_000 {
            let given = view.leases.values_mut().filter(|lease| lease.giving).map(free).count();
            if given + names.iter().map(|me| round(view, me)).sum::<usize>() == 0 {
                return turn;
            }
        }
        panic!("it never comes to rest: {view:?}");
    }

    fn counts(view: &View) -> BTreeMap<&str, usize> {
        let mut counts: BTreeMap<&str, usize> = view.members.keys().map(|name| (name.as_str(), 0)).collect();
        view.leases.values().filter_map(|l| l.member.as_deref()).for_each(|m| *counts.entry(m).or_default() += 1);
        counts
    }

    proptest! {
        #[test]
        fn whatever_happens_it_comes_to_rest_whole_and_balanced(
            units in 1..24u16, steps in proptest::collection::vec(step(24), 0..80),
        ) {
            let mut view = pool(24);
            view.leases.retain(|unit, _| *unit < units);
            let of = |step: &Step| match step {
                Step::Pins(unit, _) | Step::Given(unit) | Step::Failed(unit) | Step::Rested(unit) => *unit,
                _ => 0,
            };
            steps.iter().filter(|step| of(step) < units).for_each(|step| act(&mut view, step));
            settle(&mut view);
            if view.members.is_empty() {
                prop_assert!(view.leases.values().all(|lease| lease.member.is_none()));
                return Ok(());
            }
            let best = view.members.values().copied().min().expect("a member");
            let part = |name: &str| view.members[name];
            for (unit, lease) in &view.leases {
                let owner = lease.member.as_deref().expect("every unit is owned");
                prop_assert!(part(owner) != Part::Drains || best == Part::Drains, "{unit} is with {owner}, who drains");
                let pin = lease.pinned.as_deref().filter(|pin| view.members.get(*pin) == Some(&best));
                prop_assert!(pin.is_none_or(|pin| owner == pin), "{unit} is with {owner}, and pinned to {pin:?}");
            }
            if view.leases.values().all(|lease| lease.pinned.is_none()) {
                let counts = counts(&view);
                let of = |wanted: Part| counts.iter().filter(move |(name, _)| part(name) == wanted).map(|(_, n)| *n);
                let (most, least) = (of(best).max().unwrap_or(0), of(best).min().unwrap_or(0));
                prop_assert!(most - least <= 1, "{:?}", counts);
                prop_assert!(of(Part::Keeps).all(|n| n <= least + 1), "who keeps has no more than its share: {:?}", counts);
            }
        }

        #[test]
        fn nothing_moves_without_need(units in 1..40u16, members in 1..8u8, newcomer in 0..9u8, dies in 0..8u8) {
            let mut view = pool(units);
            (0..members).for_each(|member| act(&mut view, &Step::Joins(2 * member)));
            settle(&mut view);
            let before = view.clone();
            let moved = |view: &View, before: &View| {
                view.leases.iter().filter(|(unit, lease)| before.leases[*unit].member != lease.member).count()
            };
            // Somebody more: it gets its share, and nothing else moves.
            act(&mut view, &Step::Joins(2 * newcomer.min(members) + 1));
            settle(&mut view);
            prop_assert_eq!(moved(&view, &before), usize::from(units) / (usize::from(members) + 1));
            // Somebody less: what it had moves, and nothing else.
            let (before, gone) = (view.clone(), 2 * (dies % members));
            let had = counts(&before)[name(gone).as_str()];
            act(&mut view, &Step::Dies(gone));
            settle(&mut view);
            prop_assert_eq!(moved(&view, &before), had);
            prop_assert_eq!(settle(&mut view), 0, "at rest it stays at rest");
        }
    }

    #[test]
    fn one_after_the_other_is_given_up_and_all_at_once_by_whoever_drains() {
        let mut view = pool(6);
        act(&mut view, &Step::Joins(0));
        settle(&mut view);
        act(&mut view, &Step::Joins(1));
        assert_eq!(view.acts("m0").give.len(), 1);
        assert_eq!(round(&mut view, "m0"), 1);
        assert_eq!(view.acts("m0"), Acts::default(), "the next when this one has been given up");
        assert_eq!(view.acts("m1"), Acts::default(), "nobody takes what is somebody's");
        act(&mut view, &Step::Becomes(0, Part::Drains));
        assert_eq!(view.acts("m0").give.len(), 5);
    }

    #[test]
    fn a_pin_moves_what_is_pinned_and_what_makes_room_for_it() {
        let mut view = pool(3);
        act(&mut view, &Step::Joins(1));
        settle(&mut view);
        act(&mut view, &Step::Joins(0));
        settle(&mut view);
        let of = |view: &View, name: &str| -> Vec<Unit> {
            view.leases.iter().filter(|(_, l)| l.member.as_deref() == Some(name)).map(|(unit, _)| *unit).collect()
        };
        assert_eq!((of(&view, "m1"), of(&view, "m0")), (vec![0, 1], vec![2]));
        act(&mut view, &Step::Pins(2, Some(1)));
        settle(&mut view);
        assert_eq!((of(&view, "m1"), of(&view, "m0")), (vec![0, 2], vec![1]));
    }

    #[test]
    fn a_pool_of_which_all_drain_goes_on() {
        let mut view = pool(2);
        act(&mut view, &Step::Joins(0));
        act(&mut view, &Step::Becomes(0, Part::Drains));
        assert_eq!(view.acts("m0").take, [0, 1]);
    }

    #[test]
    fn what_rests_is_taken_by_nobody_yet() {
        let mut view = pool(1);
        act(&mut view, &Step::Joins(0));
        act(&mut view, &Step::Failed(0));
        assert_eq!(view.acts("m0"), Acts::default());
        act(&mut view, &Step::Rested(0));
        assert_eq!(view.acts("m0").take, [0]);
    }
}
