//! What fires and what has ended: folded from the ledger's entries, in their order.
//!
//! Everything follows from the entries, and from when they came: two processes that read the same ledger have the same board.

use super::ENDED_FOR;
use super::mass::Group;
use super::risk::{Risk, Risks};
use crate::store::{Entry, Under};
use onus_engine::identity::DutyId;
use onus_engine::standing::Standing;
use onus_engine::time::{Millis, Moment};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

/// A page waits so long for others like it, before it is one of many.
pub(super) const GATHER: Millis = 1_000;
/// A finding that we learn of so long after its instant is over.
const LATE: Millis = 24 * 3_600_000;

/// Which alert.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// Of one duty.
    Duty(DutyId),
    /// Of one duty, told again from this rung of its ladder on.
    Rung(DutyId, usize),
    /// Of many, of one obligation of one partner.
    Many(GroupKey),
    /// Of one duty that is at risk, and of many.
    Risk(DutyId),
    Risks(GroupKey),
}

/// Partner, contract, obligation.
pub(super) type GroupKey = (String, String, String);

pub(super) fn group_of(under: &Under) -> GroupKey {
    (under.partner.clone(), under.contract.clone(), under.obligation.clone())
}

/// How an alert stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Until then, if it has no end of its own.
    Fires(Option<Moment>),
    /// It is over.
    Ended(Ended),
}

/// What is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ended {
    /// Since then.
    pub(super) at: Moment,
    /// When that was decided: it is told for a while from then on.
    pub(super) known: Moment,
    /// Why, for people.
    pub(super) why: String,
}

/// One breach.
#[derive(Clone, Debug)]
pub(super) struct Alert {
    /// The entry by which it began, and the one that it says now.
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) under: Arc<Under>,
    pub(super) subject: String,
    pub(super) duty: DutyId,
    pub(super) starts: Moment,
    pub(super) state: State,
    pub(super) version: u64,
    /// Not told before.
    pub(super) from: Moment,
    pub(super) since: Instant,
    /// It is told as one of many.
    pub(super) many: bool,
    /// Somebody may have been told.
    pub(super) handed: bool,
}

/// What there is to tell.
#[derive(Clone, Debug)]
pub(super) struct Notice<'b> {
    pub(super) key: Key,
    pub(super) version: u64,
    pub(super) entry: u64,
    pub(super) under: &'b Under,
    pub(super) starts: Moment,
    pub(super) ended: Option<&'b Ended>,
    pub(super) from: Moment,
    pub(super) since: Instant,
    pub(super) about: About<'b>,
}

/// What it is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum About<'b> {
    /// One duty.
    Duty(DutyId, &'b str),
    /// So many duties at first, and so many that still stand.
    Many(u64, u64),
    /// One that is due then, and so many that are due soon.
    Risk(DutyId, &'b str, Moment),
    Risks(u64),
}

impl About<'_> {
    /// Nothing is breached yet.
    pub(super) fn is_warning(&self) -> bool {
        matches!(self, About::Risk(..) | About::Risks(_))
    }
}

/// All alerts.
#[derive(Debug)]
pub(super) struct Board {
    mass: usize,
    findings_for: Millis,
    alerts: BTreeMap<DutyId, Alert>,
    groups: BTreeMap<GroupKey, Group>,
    risks: Risks,
    version: u64,
}

impl Board {
    pub(super) fn new(mass: usize, findings_for: Millis) -> Board {
        Board {
            mass,
            findings_for,
            alerts: BTreeMap::new(),
            groups: BTreeMap::new(),
            risks: Risks::default(),
            version: 0,
        }
    }

    /// One entry more. `live`: it was decided just now; else it is read again, and its own time counts.
    pub(super) fn take(&mut self, entry: &Entry, now: Moment, live: bool) {
        let known = if live { now } else { entry.at };
        let duty = entry.duty();
        if entry.to != Standing::Breached {
            if entry.from == Standing::Breached || self.alerts.contains_key(&duty) {
                self.end(entry, duty, known, now, live, why(entry));
            }
            return;
        }
        let deadline = entry.deadline.unwrap_or(entry.at);
        match entry.ended {
            // It is reported, and wakes nobody.
            _ if entry.adjustment => {}
            None => self.fire(entry, duty, deadline, None, now, live),
            Some(ended) if ended <= deadline => {
                if entry.at.0 - deadline.0 <= LATE {
                    self.fire(entry, duty, deadline, Some(Moment(known.0 + self.findings_for)), now, live);
                }
            }
            // What was over when we learned of it pages nobody, either.
            Some(_) => {
                if self.alerts.contains_key(&duty) {
                    let why = "The duty has ended without its act. The breach stands.".to_owned();
                    self.end(entry, duty, known, now, live, why);
                }
            }
        }
    }

    /// These are at risk; `whole`: and no others.
    pub(super) fn at_risk(&mut self, risks: Vec<Risk>, whole: bool, now: Moment) {
        let Board { risks: known, alerts, mass, .. } = self;
        let breached = |duty| alerts.get(&duty).is_some_and(|alert| matches!(alert.state, State::Fires(_)));
        known.take(risks, whole, *mass, now, breached);
    }

    fn fire(&mut self, entry: &Entry, duty: DutyId, starts: Moment, until: Option<Moment>, now: Moment, live: bool) {
        self.version += 1;
        let fires = |alert: &&mut Alert| matches!(alert.state, State::Fires(_));
        if let Some(alert) = self.alerts.get_mut(&duty).filter(fires) {
            alert.last = entry.number;
            if alert.starts != starts {
                (alert.starts, alert.version, alert.since) = (starts, self.version, Instant::now());
            }
            return;
        }
        let mut alert = Alert {
            first: entry.number,
            last: entry.number,
            under: Arc::clone(&entry.under),
            subject: entry.subject.clone(),
            duty,
            starts,
            state: State::Fires(until),
            version: self.version,
            from: if live { Moment(now.0 + GATHER) } else { now },
            since: Instant::now(),
            many: false,
            // In an earlier life of this process.
            handed: !live,
        };
        let group = self.groups.entry(group_of(&entry.under)).or_insert_with(|| Group::new(Arc::clone(&entry.under)));
        let joined = group.breach(entry, duty, self.mass);
        alert.many = joined.is_some();
        // Those of the same moment that wait are part of it.
        for one in joined.into_iter().flatten() {
            if let Some(other) = self.alerts.get_mut(&one).filter(|other| !(other.many || live && other.handed)) {
                other.many = true;
                if matches!(other.state, State::Fires(_)) {
                    group.join(other, self.version, now);
                }
            }
        }
        if alert.many {
            group.join(&alert, self.version, now);
        }
        self.alerts.insert(duty, alert);
    }

    fn end(&mut self, entry: &Entry, duty: DutyId, known: Moment, now: Moment, live: bool, why: String) {
        self.version += 1;
        let Some(alert) = self.alerts.get_mut(&duty) else {
            // It fired in an earlier life of this process, perhaps, and is told to have ended as long as the others are.
            if known.0 + ENDED_FOR > now.0 {
                let starts = entry.deadline.unwrap_or(entry.at).min(entry.at);
                let at = end_of(entry, starts);
                let alert = Alert {
                    first: entry.number,
                    last: entry.number,
                    under: Arc::clone(&entry.under),
                    subject: entry.subject.clone(),
                    duty,
                    starts,
                    state: State::Ended(Ended { at, known, why }),
                    version: self.version,
                    from: now,
                    since: Instant::now(),
                    many: false,
                    handed: true,
                };
                self.alerts.insert(duty, alert);
            }
            return;
        };
        if matches!(alert.state, State::Ended(_)) {
            return;
        }
        let at = end_of(entry, alert.starts);
        if alert.many {
            if let Some(group) = self.groups.get_mut(&group_of(&alert.under)) {
                group.leave(entry.number, Ended { at, known, why: why.clone() }, self.version);
            }
        } else if live && !alert.handed {
            // Nobody was told that it fires.
            self.alerts.remove(&duty);
            return;
        }
        alert.last = entry.number;
        alert.state = State::Ended(Ended { at, known, why });
        (alert.version, alert.since, alert.from) = (self.version, Instant::now(), now);
    }

    /// Findings end, and what has ended long enough goes.
    pub(super) fn tidy(&mut self, now: Moment) {
        self.version += 1;
        let version = self.version;
        for alert in self.alerts.values_mut() {
            let State::Fires(Some(until)) = alert.state else { continue };
            if now < until {
                continue;
            }
            let why = "A finding has no end of its own: it was shown long enough. The breach stands.".to_owned();
            let ended = Ended { at: until.max(alert.starts), known: until, why };
            if alert.many
                && let Some(group) = self.groups.get_mut(&group_of(&alert.under))
            {
                group.leave(alert.last, ended.clone(), version);
            }
            (alert.state, alert.version, alert.since) = (State::Ended(ended), version, Instant::now());
        }
        self.alerts.retain(|_, alert| match &alert.state {
            State::Fires(_) => true,
            State::Ended(ended) => now.0 < ended.known.0 + ENDED_FOR,
        });
        self.groups.retain(|_, group| group.tidy(now));
        self.risks.tidy(now);
    }

    /// The first entry on which something rests that fires, or has just ended; 0: nothing does.
    pub(super) fn oldest(&self) -> u64 {
        let alerts = self.alerts.values().map(|alert| alert.first);
        alerts.chain(self.groups.values().filter_map(Group::first)).min().unwrap_or(0)
    }

    /// All that there is to tell.
    pub(super) fn notices(&self) -> impl Iterator<Item = Notice<'_>> {
        let single = self.alerts.values().filter(|alert| !alert.many).map(|alert| Notice {
            key: Key::Duty(alert.duty),
            version: alert.version,
            entry: alert.last,
            under: &alert.under,
            starts: alert.starts,
            ended: match &alert.state {
                State::Fires(_) => None,
                State::Ended(ended) => Some(ended),
            },
            from: alert.from,
            since: alert.since,
            about: About::Duty(alert.duty, &alert.subject),
        });
        let many = self.groups.iter().filter_map(|(key, group)| group.notice(key));
        single.chain(many).chain(self.risks.notices())
    }

    /// Somebody may have been told of it.
    pub(super) fn handed(&mut self, key: &Key) {
        if let Key::Duty(duty) = key
            && let Some(alert) = self.alerts.get_mut(duty)
        {
            alert.handed = true;
        }
    }
}

/// Since when it is over: not before it began, whatever a late record says.
fn end_of(entry: &Entry, starts: Moment) -> Moment {
    entry.ended.filter(|ended| *ended > starts).unwrap_or(entry.at).max(starts)
}

/// Why it fires no more.
fn why(entry: &Entry) -> String {
    let taken_back = "Taken back:";
    match entry.to {
        Standing::MetLate if entry.excused => "Done, late, with reasons given in time.".to_owned(),
        Standing::MetLate => "Done, late.".to_owned(),
        Standing::Met => format!("{taken_back} a late record shows that it was done in time. There is no breach."),
        Standing::Withdrawn => {
            format!("{taken_back} the duty no longer follows from what is known. There is no breach.")
        }
        Standing::Waived => "Waived: the customer has approved the deviation.".to_owned(),
        Standing::Cancelled => "The duty was cancelled.".to_owned(),
        Standing::Exempt => "The duty is exempt.".to_owned(),
        Standing::Open | Standing::Paused | Standing::Unknown | Standing::Untold | Standing::Breached => {
            format!("{taken_back} by what is known now it was not due yet. It is {}.", entry.to.word())
        }
    }
}

#[cfg(test)]
mod tests;
