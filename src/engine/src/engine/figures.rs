//! Figures that are not counted as things are told: what is at risk, what falls due first, whose court the ball is in.
//!
//! They are looked up, a bounded slice of the places at a time, so that neither an event nor a step of time pays for them
//! whatever is in memory: of what has ended only a few bytes are looked at, of what is open its duties alone.

use super::held::{Held, HeldState};
use super::{Engine, History, Tally};
use crate::duty::Duty;
use crate::fold::covers;
use crate::rule::RuleId;
use crate::standing::Standing;
use crate::terms::Side;
use crate::time::Moment;
use crate::vocabulary::KindId;
use std::collections::{BTreeMap, BTreeSet};

/// How many places before its turn comes one is fetched from afar.
const AHEAD: u32 = 16;

/// One look through everything in memory.
#[derive(Clone, Debug)]
pub struct Pass {
    began: Moment,
    next: u32,
    rows: BTreeMap<(u32, RuleId), Minima>,
    partners: BTreeMap<u32, Seen>,
    held: BTreeMap<(u32, KindId), Held>,
    /// Those at risk, by name, if somebody wants them: so many, and whether there were more.
    risks: Vec<Risk>,
    named: usize,
    more: bool,
}

/// An open duty of which little of the limit is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Risk {
    /// Position of the partner.
    pub partner: u32,
    /// The obligation's first version.
    pub rule: RuleId,
    /// The subject's id.
    pub subject: String,
    /// Anchor of the duty.
    pub key: u64,
    /// When it is due, as it is known now.
    pub deadline: Moment,
}

#[derive(Clone, Debug, Default)]
struct Seen {
    partner: u64,
    customer: u64,
    waivers: BTreeSet<String>,
}

/// Of the duties of one obligation that have not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Minima {
    /// Open ones of which little of the limit is left.
    pub at_risk: u64,
    /// The earliest deadline of those that are open or unknown; never: there is none.
    pub next_deadline: Moment,
    /// The earliest breach; never: there is none.
    pub oldest_breach: Moment,
    /// By standing told last.
    pub standings: [i64; Standing::ALL.len()],
    /// Those that are filed otherwise than they stand.
    pub misfiled: u64,
}

impl Default for Minima {
    fn default() -> Minima {
        Minima {
            at_risk: 0,
            next_deadline: Moment::NEVER,
            oldest_breach: Moment::NEVER,
            standings: [0; Standing::ALL.len()],
            misfiled: 0,
        }
    }
}

/// Of one partner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OfPartner {
    /// Duties on which the partner must act next.
    pub partner: u64,
    /// Duties on which the customer must.
    pub customer: u64,
    /// Approved deviations in force.
    pub waivers: u64,
}

/// What was counted of one obligation of one partner.
#[derive(Clone, Copy, Debug)]
pub struct Counted<'a> {
    /// By standing.
    pub tally: &'a Tally,
    /// Beside the standings.
    pub history: &'a History,
}

impl Pass {
    /// The judge's time when it began.
    pub fn began(&self) -> Moment {
        self.began
    }

    /// How many places it has looked at.
    pub fn looked_at(&self) -> u32 {
        self.next
    }

    /// Names those at risk, too, so many at most.
    pub fn name_risks(&mut self, most: usize) {
        self.named = most;
    }

    /// Those at risk, and whether these are all.
    pub fn risks(&self) -> (&[Risk], bool) {
        (&self.risks, !self.more)
    }

    /// Of an obligation, by its first version.
    pub fn row(&self, partner: u32, rule: RuleId) -> Minima {
        self.rows.get(&(partner, rule)).copied().unwrap_or_default()
    }

    /// What a partner holds of a kind.
    pub fn held(&self, partner: u32, kind: KindId) -> Held {
        self.held.get(&(partner, kind)).copied().unwrap_or_default()
    }

    /// Of a partner.
    pub fn partner(&self, partner: u32) -> OfPartner {
        let of = |seen: &Seen| OfPartner {
            partner: seen.partner,
            customer: seen.customer,
            waivers: seen.waivers.len() as u64,
        };
        self.partners.get(&partner).map(of).unwrap_or_default()
    }
}

impl Engine {
    /// Begins a look through everything in memory.
    pub fn begin_pass(&self) -> Pass {
        let mut pass = Pass {
            began: self.now,
            next: 0,
            rows: BTreeMap::new(),
            partners: BTreeMap::new(),
            held: BTreeMap::new(),
            risks: Vec::new(),
            named: 0,
            more: false,
        };
        for (p, partner) in self.partners.iter().enumerate() {
            let Some(sheet) = &partner.sheet else { continue };
            let rules = || sheet.rules.iter().map(|id| self.book.rule(*id));
            let written = rules().flat_map(|rule| &rule.waivers).filter(|w| w.starts <= self.now && self.now < w.ends);
            let approved = partner.waivers.iter().filter(|w| w.span.starts.max(w.span.approved) <= self.now);
            let approved = approved.filter(|w| self.now < w.span.ends && rules().any(|rule| covers(w, rule)));
            let names = written.map(|w| w.id.clone()).chain(approved.map(|w| w.span.name.clone()));
            let seen = Seen { waivers: names.collect(), ..Seen::default() };
            pass.partners.insert(p as u32, seen);
        }
        pass
    }

    /// Looks at up to so many places; true: that was all. What moves meanwhile is seen as it then is, or at the next look.
    pub fn look_on(&self, pass: &mut Pass, most: usize) -> bool {
        let places = self.shelf.places() as u32;
        let to = places.min(pass.next.saturating_add(u32::try_from(most).unwrap_or(u32::MAX)));
        for slot in pass.next..to {
            if slot + AHEAD < to {
                self.shelf.prefetch(slot + AHEAD);
            }
            let partner = self.shelf.partner(slot);
            let mut held = None;
            self.shelf.each_open(slot, &mut |duty| {
                let one = self.note(pass, partner, slot, duty);
                held = held.max(one);
            });
            if let Some((state, kind)) = held {
                self.note_held(pass.held.entry((partner, kind)).or_default(), (partner, kind, slot), state);
            }
        }
        pass.next = to;
        if to == places {
            self.note_living(&mut pass.held);
        }
        to == places
    }

    /// Gives the held kind that it is about, and how it stands.
    fn note(&self, pass: &mut Pass, partner: u32, slot: u32, duty: &Duty) -> Option<(HeldState, KindId)> {
        if duty.told == Standing::Untold {
            return None;
        }
        let rule = self.book.rule(duty.rule);
        let row = pass.rows.entry((partner, rule.family)).or_default();
        row.standings[duty.told as usize] += 1;
        let filed = super::history::place(duty.told).is_some();
        row.misfiled += u64::from(match filed {
            true => super::history::filed(&self.book, duty, duty.told) != duty.filed,
            false => duty.filed != crate::duty::Filed::NOWHERE,
        });
        let other = if rule.obligor.side == Side::Partner { Side::Customer } else { Side::Partner };
        let holder = match duty.told {
            Standing::Open | Standing::Breached | Standing::Unknown => rule.obligor.side,
            Standing::Paused => other,
            Standing::Untold
            | Standing::Met
            | Standing::MetLate
            | Standing::Waived
            | Standing::Cancelled
            | Standing::Exempt
            | Standing::Withdrawn => Side::Customer,
        };
        match duty.told {
            Standing::Open | Standing::Unknown => row.next_deadline = row.next_deadline.min(duty.deadline),
            Standing::Breached => row.oldest_breach = row.oldest_breach.min(duty.deadline),
            Standing::Untold
            | Standing::Paused
            | Standing::Met
            | Standing::MetLate
            | Standing::Waived
            | Standing::Cancelled
            | Standing::Exempt
            | Standing::Withdrawn => {}
        }
        let at_risk = duty.told == Standing::Open && rule.at_risk(duty, self.now, self.book.calendars());
        row.at_risk += u64::from(at_risk);
        if at_risk && pass.named > 0 {
            if pass.risks.len() < pass.named {
                let (subject, deadline) = (self.shelf.name(slot).to_owned(), duty.deadline);
                pass.risks.push(Risk { partner, rule: rule.family, subject, key: duty.key, deadline });
            } else {
                pass.more = true;
            }
        }
        let seen = pass.partners.entry(partner).or_default();
        match holder {
            Side::Partner => seen.partner += 1,
            Side::Customer => seen.customer += 1,
        }
        if let Some(more) = &duty.more {
            let now = self.now;
            let in_force = more.waivers.iter().filter(|w| w.starts.max(w.approved) <= now && now < w.ends);
            seen.waivers.extend(in_force.map(|w| w.name.clone()));
        }
        let kind = self.book.held(duty.rule)?;
        HeldState::of(duty.told, at_risk).map(|state| (state, kind))
    }

    /// Holds what was counted against the duties in memory that have not ended, all at once: where they differ, in words.
    pub fn recount(&self) -> Vec<String> {
        let mut pass = self.begin_pass();
        self.look_on(&mut pass, usize::MAX);
        let mut wrong = Vec::new();
        for (p, partner, rules) in self.bound_at() {
            wrong.extend(self.miscounted(p).into_iter().map(|words| format!("{partner}: {words}")));
            for rule in rules {
                let (seen, name) = (pass.row(p, rule), &self.book.rule(rule).id);
                if seen.misfiled > 0 {
                    wrong.push(format!(
                        "{partner} {name}: {} duties are filed otherwise than they stand",
                        seen.misfiled
                    ));
                }
                let none = (Tally::default(), History::default());
                let counted = self.counted(p, rule);
                let (tally, history) = counted.map_or((&none.0, &none.1), |c| (c.tally, c.history));
                for standing in
                    [Standing::Open, Standing::Paused, Standing::Breached, Standing::Waived, Standing::Exempt]
                {
                    let all = tally.of(standing);
                    let (here, told) = (seen.standings[standing as usize], all - history.ended(standing, all));
                    if here != told {
                        wrong.push(format!("{partner} {name}: {told} duties were told {standing}, {here} stand so"));
                    }
                }
            }
        }
        wrong
    }

    /// Partners by position, with the obligations (first versions) that bind them.
    pub fn bound_at(&self) -> impl Iterator<Item = (u32, &str, Vec<RuleId>)> {
        self.partners.iter().enumerate().filter_map(|(p, partner)| {
            let sheet = partner.sheet.as_ref()?;
            let families: BTreeSet<RuleId> = sheet.rules.iter().map(|r| self.book.rule(*r).family).collect();
            Some((p as u32, partner.name.as_str(), families.into_iter().collect()))
        })
    }

    /// How many partners there are: their positions are below it.
    pub fn partner_count(&self) -> usize {
        self.partners.len()
    }

    /// What was counted of a partner's obligation, by its first version; None: nothing was told.
    pub fn counted(&self, partner: u32, rule: RuleId) -> Option<Counted<'_>> {
        self.partners.get(partner as usize)?.cells.counted(rule)
    }

    /// The feeds on which a partner's duties rest, a bit each.
    pub fn rests_on_feeds(&self, partner: u32) -> u64 {
        let Some(partner) = self.partners.get(partner as usize) else { return 0 };
        let (Some(lanes), Some(sheet)) = (partner.lanes.as_deref(), &partner.sheet) else { return 0 };
        sheet.rules.iter().fold(0, |all, rule| all | self.hearing.feeds(lanes, *rule))
    }
}
