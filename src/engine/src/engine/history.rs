//! What is counted beside the standings: of duties that have ended, by standing; how often it was told that one had; and
//! verdicts by calendar month. Only [`super::tell`] counts here, by what a duty was filed under when it was told last.

use crate::book::Book;
use crate::duty::{Duty, Filed};
use crate::limits::period;
use crate::rule::RuleId;
use crate::standing::Standing;
use crate::terms::Unit;
use crate::time::Moment;
use chrono::Datelike;
use prefetch_index::prefetch_index;
use serde::{Deserialize, Serialize};

/// So many months are kept: this year's, and last year's.
const MONTHS: i32 = 24;

/// Standings of duties that have ended, in this order.
pub const ENDED: [Standing; 6] =
    [Standing::Met, Standing::MetLate, Standing::Breached, Standing::Waived, Standing::Cancelled, Standing::Exempt];

/// Of one obligation of one partner.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Saved", into = "Saved")]
pub struct History {
    /// The newest month with verdicts: nearly every verdict falls into it, and none has to look elsewhere for it.
    newest: Option<Month>,
    /// Those before it, the oldest first.
    older: Vec<Month>,
    /// Of those that stand so, how many have ended; of those that always have, nothing.
    ended: [i64; ENDED.len()],
    /// How often one that had ended so was told otherwise.
    left: [u64; ENDED.len()],
    /// Breaches taken back.
    pub(super) withdrawn: u64,
    /// Duties that stand and are disputed.
    disputed: i64,
}

/// The same in snapshots.
#[derive(Clone, Serialize, Deserialize)]
struct Saved {
    ended: [i64; ENDED.len()],
    left: [u64; ENDED.len()],
    withdrawn: u64,
    /// The newest last.
    months: Vec<Month>,
    disputed: i64,
}

impl From<Saved> for History {
    fn from(Saved { ended, left, withdrawn, months: mut older, disputed }: Saved) -> History {
        History { newest: older.pop(), older, ended, left, withdrawn, disputed }
    }
}

impl From<History> for Saved {
    fn from(history: History) -> Saved {
        let months = history.months().copied().collect();
        let History { ended, left, withdrawn, disputed, .. } = history;
        Saved { ended, left, withdrawn, months, disputed }
    }
}

/// Verdicts of one calendar month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Month {
    /// Months since the year 0.
    pub index: i32,
    /// First instant inside.
    pub from: Moment,
    /// First instant outside.
    pub to: Moment,
    /// Duties met in time, by the instant of their end.
    pub met: i64,
    /// Breaches that stand, by their deadline.
    pub broken: i64,
}

impl History {
    /// How many stand so and have ended.
    pub fn ended(&self, standing: Standing, all: i64) -> i64 {
        match place(standing) {
            None => 0,
            Some(_) if always_ended(standing) => all,
            Some(at) => self.ended[at],
        }
    }

    /// How often it was told that one had ended so.
    pub fn endings(&self, standing: Standing, all: i64) -> u64 {
        let left = place(standing).map_or(0, |at| self.left[at]);
        left.saturating_add_signed(self.ended(standing, all))
    }

    /// Breaches that were told and taken back.
    pub fn withdrawn(&self) -> u64 {
        self.withdrawn
    }

    /// Duties, open or ended, of whose act sources contradict each other.
    pub fn disputed(&self) -> i64 {
        self.disputed
    }

    /// Has what changes most fetched from afar.
    #[inline(always)]
    pub(super) fn prefetch(&self) {
        prefetch_index(std::slice::from_ref(&self.newest), 0);
        prefetch_index(self.ended.as_slice(), 0);
    }

    /// A duty is told: it is disputed, or no more.
    #[inline(always)]
    pub(super) fn dispute(&mut self, duty: &mut Duty, to: Standing) {
        let Some(more) = &mut duty.more else { return };
        let disputed = more.disputed && to != Standing::Withdrawn;
        if disputed != std::mem::replace(&mut more.told_disputed, disputed) {
            self.disputed += if disputed { 1 } else { -1 };
        }
    }

    /// Months in which something was decided, the oldest first.
    pub fn months(&self) -> impl Iterator<Item = &Month> {
        self.older.iter().chain(&self.newest)
    }

    fn month_mut(&mut self, is: impl Fn(&Month) -> bool) -> Option<&mut Month> {
        if self.newest.as_ref().is_some_and(&is) {
            return self.newest.as_mut();
        }
        self.older.iter_mut().rev().find(|month| is(month))
    }

    /// A duty is told to stand so: it leaves where it was filed, and is filed anew.
    #[inline(always)]
    pub(super) fn file(&mut self, duty: &mut Duty, from: Standing, to: Standing, book: &Book) {
        let before = std::mem::take(&mut duty.filed);
        let ended = ends(duty, to);
        if before != Filed::NOWHERE {
            self.take_off(before, from, from == to && ended);
        }
        let mut month = None;
        if let Some(at) = decided(duty, to) {
            month = self.month(at, duty.rule, book);
            if let Some(month) = month.and_then(|index| self.month_mut(|m| m.index == index)) {
                *if to == Standing::Met { &mut month.met } else { &mut month.broken } += 1;
            }
        }
        if ended
            && !always_ended(to)
            && let Some(at) = place(to)
        {
            self.ended[at] += 1;
        }
        duty.filed = Filed::new(month, ended);
    }

    #[cold]
    fn take_off(&mut self, before: Filed, from: Standing, stays: bool) {
        if before.ended()
            && let Some(at) = place(from)
        {
            if !always_ended(from) {
                self.ended[at] -= 1;
            }
            self.left[at] += u64::from(!stays);
        }
        if let Some(month) = self.month_mut(|m| before.is_of(m.index)) {
            *if from == Standing::Met { &mut month.met } else { &mut month.broken } -= 1;
        }
    }

    /// The month of an instant, which has a place from then on, if it is not too long ago.
    #[inline(always)]
    fn month(&mut self, at: Moment, rule: RuleId, book: &Book) -> Option<i32> {
        match &self.newest {
            Some(last) if last.from <= at && at < last.to => Some(last.index),
            _ => self.month_anew(at, rule, book),
        }
    }

    #[cold]
    fn month_anew(&mut self, at: Moment, rule: RuleId, book: &Book) -> Option<i32> {
        let (index, from, to) = month_of(book, rule, at)?;
        let mut months: Vec<Month> = self.months().copied().collect();
        if let Err(place) = months.binary_search_by_key(&index, |m| m.index) {
            months.insert(place, Month { index, from, to, met: 0, broken: 0 });
            let newest = months.last().map_or(index, |m| m.index);
            months.retain(|m| m.index > newest - MONTHS);
            (self.newest, self.older) = (months.pop(), months);
        }
        Some(index)
    }
}

/// What a duty that is told to stand so is filed under.
pub(super) fn filed(book: &Book, duty: &Duty, told: Standing) -> Filed {
    let month = decided(duty, told).and_then(|at| month_of(book, duty.rule, at)).map(|(index, ..)| index);
    Filed::new(month, ends(duty, told))
}

/// The calendar month of an instant where the obligation's newest version counts: its index, and where it begins and ends.
pub fn month_of(book: &Book, rule: RuleId, at: Moment) -> Option<(i32, Moment, Moment)> {
    let mut rule = book.rule(book.rule(rule).family);
    while let Some((_, next)) = rule.next {
        rule = book.rule(next);
    }
    let (from, to) = period(Unit::Month, rule.zone, at)?;
    let day = crate::calendar::local(rule.zone, at).date();
    Some((day.year() * 12 + day.month0() as i32, from, to))
}

/// The instant that a verdict counts at; none: it is none.
fn decided(duty: &Duty, to: Standing) -> Option<Moment> {
    match to {
        Standing::Met => duty.ended.known(),
        Standing::MetLate | Standing::Breached => duty.deadline.known(),
        Standing::Untold
        | Standing::Open
        | Standing::Paused
        | Standing::Waived
        | Standing::Cancelled
        | Standing::Exempt
        | Standing::Withdrawn
        | Standing::Unknown => None,
    }
}

/// It has ended, and that is certain.
fn ends(duty: &Duty, to: Standing) -> bool {
    !duty.is_open() && place(to).is_some()
}

fn always_ended(standing: Standing) -> bool {
    matches!(standing, Standing::Met | Standing::MetLate | Standing::Cancelled)
}

/// Where a standing is among those that a duty may end with.
#[inline(always)]
pub(super) fn place(standing: Standing) -> Option<usize> {
    match standing {
        Standing::Met => Some(0),
        Standing::MetLate => Some(1),
        Standing::Breached => Some(2),
        Standing::Waived => Some(3),
        Standing::Cancelled => Some(4),
        Standing::Exempt => Some(5),
        Standing::Untold | Standing::Open | Standing::Paused | Standing::Withdrawn | Standing::Unknown => None,
    }
}
