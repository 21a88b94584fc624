//! One duty: a running obligation on one subject: what has counted so far, and so how it stands.
//! Knows nothing of facts; the fold tells it what happened.

use crate::calendar::Calendar;
use crate::fact::TypeId;
use crate::rule::{CalendarId, RuleId};
use crate::standing::Standing;
use crate::terms::Roll;
use crate::time::{Millis, Moment};
use serde::{Deserialize, Serialize};

/// One running limit: what has been used of it, and on which calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// Counted so far, up to the duty's `since`.
    pub elapsed: Millis,
    /// The limit; of a fixed one the instant, which no pause moves.
    pub target: Millis,
    /// What it counts on.
    pub calendar: CalendarId,
    /// Which limit of the obligation.
    pub limit: u8,
    /// Which row of the limit's table; [`NO_ROW`] where another version's row is to be taken, [`PARKED`] where none applies.
    pub row: u8,
    /// Length, instant, or not begun.
    pub state: ClockState,
}

/// No row of the table in force.
pub const NO_ROW: u8 = u8::MAX;

/// No row applies for now: the limit stands still with what it has used, while others of its list run.
pub const PARKED: u8 = NO_ROW - 1;

impl Clock {
    /// The same with no row that applies.
    pub(crate) fn parked(&self) -> Clock {
        Clock { state: ClockState::Waiting, row: PARKED, ..*self }
    }
}

/// See [`Clock`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClockState {
    /// `target` is a length.
    Counting,
    /// `target` is an instant.
    Fixed,
    /// Begins with an event that has not happened.
    Waiting,
}

/// What has happened to a duty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flags(pub u16);

impl Flags {
    /// An effective pause holds it.
    pub const HELD: Flags = Flags(1);
    /// Held, but the longest pause is used up: it counts again.
    pub const CAPPED: Flags = Flags(1 << 1);
    /// Inside an approved deviation.
    pub const WAIVED: Flags = Flags(1 << 2);
    /// The deadline passed without the act.
    pub const BROKEN: Flags = Flags(1 << 3);
    /// No row applies.
    pub const EXEMPT: Flags = Flags(1 << 4);
    /// Ended without a verdict.
    pub const CANCELLED: Flags = Flags(1 << 5);
    /// Judged at one instant (`requires`).
    pub const FINDING: Flags = Flags(1 << 6);
    /// ... and found wanting.
    pub const FAILED: Flags = Flags(1 << 7);
    /// An act below the contracted trust was seen.
    pub const CLAIMED: Flags = Flags(1 << 8);
    /// A breach was told that no longer stands.
    pub const RETRACTED: Flags = Flags(1 << 9);
    /// What undoes it does not reach it any more: a later cycle goes on where it ended, or it is of a time before the subject
    /// was handed back.
    pub const RENEWED: Flags = Flags(1 << 10);
    /// First period of a recurring duty, before its contract is in force: an act before its start replaces it.
    pub const SCHEDULED: Flags = Flags(1 << 11);
    /// Counted among those that broke.
    pub const COUNTED: Flags = Flags(1 << 12);
    /// Ended, or moved in time, since it was last told: told again though the standing be the same.
    pub const NEWS: Flags = Flags(1 << 13);
    /// Another obligation's duty took its place: its verdict is withdrawn.
    pub const VOID: Flags = Flags(1 << 14);
    /// Reasons were given in time: where it is late, it is late and excused.
    pub const EXCUSED: Flags = Flags(1 << 15);

    /// Has it.
    pub fn has(self, flag: Flags) -> bool {
        self.0 & flag.0 != 0
    }

    /// Sets or clears it.
    pub fn put(&mut self, flag: Flags, on: bool) {
        if on {
            self.0 |= flag.0;
        } else {
            self.0 &= !flag.0;
        }
    }
}

/// Where a duty was counted when it was told last, beside its standing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filed(pub u8);

impl Filed {
    /// Under nothing.
    pub const NOWHERE: Filed = Filed(0);
    const ENDED: u8 = 1 << 7;
    /// So many months have a number of their own: more than ten years, of which two are kept.
    const MONTHS: i32 = 127;

    /// Under a calendar month (months since the year 0), and as ended.
    #[inline(always)]
    pub fn new(month: Option<i32>, ended: bool) -> Filed {
        let month = month.map_or(0, |index| index.rem_euclid(Filed::MONTHS) as u8 + 1);
        Filed(month | if ended { Filed::ENDED } else { 0 })
    }

    /// It was counted as ended.
    pub fn ended(self) -> bool {
        self.0 & Filed::ENDED != 0
    }

    /// Its verdict was counted in this month.
    pub fn is_of(self, month: i32) -> bool {
        i32::from(self.0 & !Filed::ENDED) == month.rem_euclid(Filed::MONTHS) + 1
    }
}

/// A waiver as one duty sees it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WaiverSpan {
    /// First covered instant, as the waiver says.
    pub starts: Moment,
    /// First instant no longer covered.
    pub ends: Moment,
    /// Approved at; before this it changes no clock.
    pub approved: Moment,
    /// Its name, for the explanation.
    pub name: String,
}

/// What few duties need.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct More {
    /// Further limits that run together with the first.
    pub clocks: Vec<Clock>,
    /// Acts count from here, where this is not the start.
    pub acts_from: Option<Moment>,
    /// Cycle, from 1.
    pub cycle: u16,
    /// Key of the first cycle's anchor.
    pub root: u64,
    /// Held since.
    pub held_since: Option<Moment>,
    /// Held time used up before that, measured by `cap_calendar`.
    pub held: Millis,
    /// Longest held time; None: unlimited.
    pub cap: Option<Millis>,
    /// What the longest held time counts on.
    pub cap_calendar: CalendarId,
    /// Deviations that cover it.
    pub waivers: Vec<WaiverSpan>,
    /// Of an act with several parts: how many are done, and how many there are.
    pub progress: (u32, u32),
    /// The chained anchor: the duty (by key) that it follows.
    pub follows: Option<u64>,
    /// The period that it is about ends here.
    pub period_end: Option<Moment>,
    /// Key of the fact that opened it, where another duty of its obligation has that as its own key.
    pub anchor: Option<u64>,
    /// One source says that its act was done, another only that it failed.
    pub disputed: bool,
    /// It was counted as disputed when it was told last.
    pub told_disputed: bool,
}

/// Limits that run together: nearly always one.
pub type Clocks = smallvec::SmallVec<[Clock; 1]>;

/// One duty.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Duty {
    /// Key of the fact that opened it, or a hash of the period's start or of the breach that it follows.
    pub key: u64,
    /// Counting from.
    pub start: Moment,
    /// `clock` is right up to here.
    pub since: Moment,
    /// While counting, when it falls due; once broken, the breach; else never.
    pub deadline: Moment,
    /// When it ended; never while open.
    pub ended: Moment,
    /// Its first limit.
    pub clock: Clock,
    /// What few duties need.
    pub more: Option<Box<More>>,
    /// The obligation, in the version that rules it.
    pub rule: RuleId,
    /// Type of the act that ended it.
    pub ended_by: TypeId,
    /// What has happened to it.
    pub flags: Flags,
    /// What was last told of it.
    pub told: Standing,
    /// Where it was counted then.
    pub filed: Filed,
}

impl Duty {
    /// A duty that counts from `start` and has no limit yet.
    pub fn new(rule: RuleId, key: u64, start: Moment) -> Duty {
        Duty {
            key,
            start,
            since: start,
            deadline: Moment::NEVER,
            ended: Moment::NEVER,
            clock: Clock { elapsed: 0, target: 0, calendar: 0, limit: 0, row: NO_ROW, state: ClockState::Waiting },
            more: None,
            rule,
            ended_by: 0,
            flags: Flags::default(),
            told: Standing::Untold,
            filed: Filed::NOWHERE,
        }
    }

    /// What few duties need; made on first use.
    pub fn more_mut(&mut self) -> &mut More {
        let key = self.key;
        self.more.get_or_insert_with(|| Box::new(More { cycle: 1, root: key, ..More::default() }))
    }

    /// Not ended.
    pub fn is_open(&self) -> bool {
        self.ended == Moment::NEVER
    }

    /// Time counts.
    pub fn counting(&self) -> bool {
        let held = self.flags.has(Flags::HELD) && !self.flags.has(Flags::CAPPED);
        self.is_open() && !held && !self.flags.has(Flags::WAIVED) && !self.flags.has(Flags::EXEMPT)
    }

    /// Acts at or after this instant stop it.
    pub fn acts_from(&self) -> Moment {
        self.more.as_ref().and_then(|m| m.acts_from).unwrap_or(self.start)
    }

    /// Cycle, from 1.
    pub fn cycle(&self) -> u16 {
        self.more.as_ref().map_or(1, |m| m.cycle.max(1))
    }

    /// Key of the first cycle's anchor.
    pub fn root(&self) -> u64 {
        self.more.as_ref().map_or(self.key, |m| m.root)
    }

    /// Key of the fact that opened it, if a fact did.
    pub fn anchor(&self) -> u64 {
        self.more.as_ref().and_then(|m| m.anchor).unwrap_or(self.key)
    }

    /// All limits.
    pub fn clocks(&self) -> impl Iterator<Item = &Clock> {
        std::iter::once(&self.clock).chain(self.more.iter().flat_map(|m| &m.clocks))
    }

    fn clocks_mut(&mut self) -> impl Iterator<Item = &mut Clock> {
        std::iter::once(&mut self.clock).chain(self.more.iter_mut().flat_map(|m| &mut m.clocks))
    }

    /// Replaces all limits.
    #[inline(always)]
    pub fn set_clocks(&mut self, clocks: Clocks) {
        let Some((first, rest)) = clocks.split_first() else { return };
        self.clock = *first;
        if !rest.is_empty() {
            self.more_mut().clocks = rest.to_vec();
        } else if let Some(more) = &mut self.more {
            more.clocks = Vec::new();
        }
    }

    /// Counts up to `to`.
    #[inline]
    pub fn settle(&mut self, to: Moment, calendars: &[Calendar]) {
        if to <= self.since {
            return;
        }
        if self.counting() {
            let since = self.since;
            for clock in self.clocks_mut().filter(|c| c.state != ClockState::Waiting) {
                clock.elapsed += open_time(calendars, clock.calendar, since, to);
            }
        }
        self.since = to;
    }

    /// Counted time of the limit that binds, up to `to`.
    pub fn elapsed(&self, to: Moment, calendars: &[Calendar]) -> Millis {
        let so_far = self.clock.elapsed;
        if self.counting() && to > self.since && self.clock.state != ClockState::Waiting {
            so_far + open_time(calendars, self.clock.calendar, self.since, to)
        } else {
            so_far
        }
    }

    /// When it falls due if nothing more happens; the limit that binds goes first.
    pub fn find_deadline(&mut self, calendars: &[Calendar], roll: impl Fn((u8, u8), Moment) -> Moment) {
        if self.flags.has(Flags::BROKEN) {
            return;
        }
        let exempt = self.flags.has(Flags::EXEMPT) || !self.is_open();
        let counting = self.counting();
        let due = |clock: &Clock| match clock.state {
            ClockState::Fixed if !exempt => Moment(clock.target),
            ClockState::Counting if counting => {
                let left = clock.target - clock.elapsed;
                let at =
                    later(calendars, clock.calendar, self.since, left).map(|at| roll((clock.limit, clock.row), at));
                // Used up before: by a change of the target, which breaks no promise before it; or the roll gave more.
                if left < 0 { at.map_or(self.since, |at| at.max(self.since)) } else { at.unwrap_or(Moment::NEVER) }
            }
            ClockState::Fixed | ClockState::Counting | ClockState::Waiting => Moment::NEVER,
        };
        // Where none binds, or two do, the one that the contract has first.
        let order = |clock: &Clock| {
            (
                due(clock),
                clock.state == ClockState::Waiting,
                clock.row == PARKED,
                clock.limit,
                clock.target,
                clock.calendar,
            )
        };
        let mut best = (order(&self.clock), None);
        if let Some(more) = &self.more {
            for (i, clock) in more.clocks.iter().enumerate() {
                let at = order(clock);
                if at < best.0 {
                    best = (at, Some(i));
                }
            }
        }
        self.deadline = best.0.0;
        if let (Some(i), Some(more)) = (best.1, &mut self.more) {
            std::mem::swap(&mut self.clock, &mut more.clocks[i]);
        }
    }

    /// A waiver covers its breach.
    #[cold]
    pub fn excused(&self) -> bool {
        let Some(more) = &self.more else { return false };
        more.waivers.iter().any(|w| w.starts <= self.deadline && self.deadline < w.ends)
    }

    /// How it stands. `heard`: up to where all feeds that could tell of the act have been heard.
    #[inline]
    pub fn standing(&self, heard: Moment) -> Standing {
        if self.flags.has(Flags::VOID) {
            return Standing::Withdrawn;
        }
        if self.flags.has(Flags::FINDING) {
            return match () {
                () if self.flags.has(Flags::EXEMPT) => Standing::Exempt,
                () if !self.flags.has(Flags::FAILED) => Standing::Met,
                () if self.excused() => Standing::Waived,
                () if heard < self.deadline => Standing::Unknown,
                () => Standing::Breached,
            };
        }
        let broken = self.flags.has(Flags::BROKEN);
        if !self.is_open() {
            return match () {
                () if broken && self.excused() => Standing::Waived,
                () if broken && self.flags.has(Flags::CANCELLED) => Standing::Breached,
                () if broken => Standing::MetLate,
                () if self.flags.has(Flags::CANCELLED) => Standing::Cancelled,
                () if self.flags.has(Flags::EXEMPT) => Standing::Exempt,
                () => Standing::Met,
            };
        }
        match () {
            () if broken && self.excused() => Standing::Waived,
            () if broken && heard <= self.deadline => Standing::Unknown,
            () if broken => Standing::Breached,
            () if self.flags.has(Flags::WAIVED) => Standing::Waived,
            () if self.flags.has(Flags::EXEMPT) => Standing::Exempt,
            () if self.flags.has(Flags::HELD) && !self.flags.has(Flags::CAPPED) => Standing::Paused,
            () => Standing::Open,
        }
    }

    /// Late, with reasons that were given in time.
    pub fn late_excused(&self) -> bool {
        self.flags.has(Flags::BROKEN) && self.flags.has(Flags::EXCUSED)
    }

    /// An act was seen that does not count yet: for want of trust, or of evidence.
    pub fn claimed(&self) -> bool {
        self.is_open() && self.flags.has(Flags::CLAIMED)
    }

    /// One source says that its act was done, another only that it failed. It stands as it stands all the same.
    pub fn disputed(&self) -> bool {
        self.more.as_ref().is_some_and(|more| more.disputed)
    }

    /// The deadline to show: none while paused or exempt, none of what ended while paused.
    pub fn shown_deadline(&self) -> Option<Moment> {
        self.deadline.known()
    }

    /// The instant of its breach.
    pub fn breached_at(&self) -> Option<Moment> {
        let broke = self.flags.has(Flags::BROKEN) || self.flags.has(Flags::FAILED);
        broke.then_some(self.deadline)
    }
}

fn open_time(calendars: &[Calendar], id: CalendarId, from: Moment, to: Moment) -> Millis {
    if id == 0 { to - from } else { calendars[usize::from(id)].between(from, to) }
}

fn later(calendars: &[Calendar], id: CalendarId, from: Moment, by: Millis) -> Option<Moment> {
    if id == 0 { Some(from + by) } else { calendars[usize::from(id)].add(from, by) }
}

/// Moves a deadline that falls on a closed day.
#[cold]
pub fn rolled(roll: Roll, calendar: &Calendar, at: Moment) -> Moment {
    let zone = calendar.zone();
    let local = crate::calendar::local(zone, at);
    if matches!(roll, Roll::None) || calendar.close_of(local.date()).is_some() {
        return at;
    }
    let minute = |t: chrono::NaiveTime| (chrono::Timelike::hour(&t) * 60 + chrono::Timelike::minute(&t)) as u16;
    let (days, minute) = match roll {
        Roll::None => return at,
        Roll::Previous => (-1, minute(local.time())),
        Roll::Next => (1, minute(local.time())),
        Roll::NextAt(minute) => (1, minute),
    };
    // The same local time has the same seconds.
    let rest = if matches!(roll, Roll::NextAt(_)) { 0 } else { at.0.rem_euclid(crate::time::MINUTE) };
    calendar.working_day(at, days).map_or(at, |day| crate::calendar::instant(zone, day, minute) + rest)
}
