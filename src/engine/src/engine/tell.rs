//! Telling: the difference between the standing last told and the standing now. The only place that counts.

use super::figures::Counted;
use super::hearing::Ear;
use super::history::{History, place};
use super::{Engine, Subject};
use crate::duty::{Duty, Filed, Flags};
use crate::region::LINE;
use crate::rule::RuleId;
use crate::standing::Standing;
use crate::time::{Millis, Moment};
use prefetch_index::prefetch_index;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

/// One change of one duty's standing.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// `now` when it was found.
    pub at: Moment,
    /// Position of the partner.
    pub partner: u32,
    /// The subject's id, in the batch's text.
    subject: (u32, u32),
    /// The obligation's first version.
    pub rule: RuleId,
    /// Anchor of the duty.
    pub key: u64,
    /// Told before.
    pub from: Standing,
    /// Told now.
    pub to: Standing,
    /// Start of counting.
    pub start: Moment,
    /// Deadline or breach instant; never if none.
    pub deadline: Moment,
    /// End; never while open.
    pub ended: Moment,
    /// It broke its deadline or its rule, whatever became of it later.
    pub broken: bool,
    /// Late, with reasons that were given in time.
    pub excused: bool,
    /// One source says that its act was done, another only that it failed.
    pub disputed: bool,
    /// Time counted of the limit that binds, once it has ended.
    pub used: Millis,
}

/// Changes in order, and the names that they use.
#[derive(Clone, Debug, Default)]
pub struct Differences {
    list: Vec<Difference>,
    text: String,
}

impl Differences {
    /// Each with its subject's id.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Difference)> {
        self.list.iter().map(|d| (&self.text[d.subject.0 as usize..d.subject.1 as usize], d))
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// None.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Forgets them, keeps the room.
    pub fn clear(&mut self) {
        self.list.clear();
        self.text.clear();
    }
}

/// Counts by obligation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Saved", into = "Saved")]
pub struct Cells {
    /// Beside the rows: they are looked through each time.
    rules: SmallVec<[RuleId; 8]>,
    rows: Vec<Row>,
}

/// What is counted of one obligation: what changes all the time lies together, from the beginning of a cache line on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[repr(C, align(64))]
struct Row {
    tally: Tally,
    history: History,
}

/// The same in snapshots.
#[derive(Clone, Serialize, Deserialize)]
struct Saved {
    rules: Vec<RuleId>,
    tallies: Vec<Tally>,
    histories: Vec<History>,
}

impl From<Saved> for Cells {
    fn from(saved: Saved) -> Cells {
        let rows = saved.tallies.into_iter().zip(saved.histories);
        Cells { rules: saved.rules.into(), rows: rows.map(|(tally, history)| Row { tally, history }).collect() }
    }
}

impl From<Cells> for Saved {
    fn from(cells: Cells) -> Saved {
        let (tallies, histories) = cells.rows.into_iter().map(|row| (row.tally, row.history)).unzip();
        Saved { rules: cells.rules.into_vec(), tallies, histories }
    }
}

/// How many duties of one obligation stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// By standing, in the order of [`Standing::ALL`].
    pub standings: [i64; 11],
    /// Of all of them, those that broke their deadline or their rule.
    pub broken: i64,
}

impl Tally {
    /// How many stand so.
    pub fn of(&self, standing: Standing) -> i64 {
        self.standings[standing as usize]
    }
}

impl Tally {
    /// Adds another's counts: shards of one run know the same partner.
    pub fn add(&mut self, other: &Tally) {
        for (mine, theirs) in self.standings.iter_mut().zip(other.standings) {
            *mine += theirs;
        }
        self.broken += other.broken;
    }
}

impl Cells {
    /// Counts of an obligation, by its first version.
    pub fn get(&self, rule: RuleId) -> Tally {
        self.place(rule).map_or(Tally::default(), |at| self.rows[at].tally)
    }

    /// All that was counted of an obligation, by its first version.
    pub(super) fn counted(&self, rule: RuleId) -> Option<Counted<'_>> {
        self.place(rule).map(|at| Counted { tally: &self.rows[at].tally, history: &self.rows[at].history })
    }

    fn row(&mut self, rule: RuleId) -> (&mut Tally, &mut History) {
        let at = self.place(rule).unwrap_or_else(|| {
            self.rules.push(rule);
            self.rows.push(Row::default());
            self.rules.len() - 1
        });
        let Row { tally, history } = &mut self.rows[at];
        (tally, history)
    }

    /// Has what is counted of an obligation fetched from afar, before it changes.
    #[inline(always)]
    pub(super) fn prefetch(&self, rule: RuleId) {
        if let Some(Row { tally, history }) = self.place(rule).map(|at| &self.rows[at]) {
            prefetch_index(tally.standings.as_slice(), 0);
            prefetch_index(tally.standings.as_slice(), LINE / size_of::<i64>());
            history.prefetch();
        }
    }

    fn place(&self, rule: RuleId) -> Option<usize> {
        self.rules.iter().position(|r| *r == rule)
    }
}

impl Engine {
    /// Tells what changed of one subject: its open duties, and those that ended since it was last told; with `all`, of
    /// every duty: late news and waivers change what ended long ago.
    #[inline]
    pub(super) fn tell(&mut self, slot: u32, subject: &mut Subject, all: bool) {
        let now = self.now;
        let partner = &mut self.partners[subject.partner as usize];
        let ear = Ear { heard: self.heard, lanes: partner.lanes.as_deref().map(|lanes| (lanes, &self.hearing)) };
        let mut blind = self.hearing.waits_for(slot);
        let mut teller = Teller {
            at: now,
            partner: subject.partner,
            name: None,
            id: &subject.name,
            cells: &mut partner.cells,
            out: &mut self.differences,
            book: &self.book,
        };
        for duty in &mut subject.head.open {
            // A first period that has not begun is nothing to tell.
            if duty.flags.has(Flags::SCHEDULED) && duty.start > now {
                continue;
            }
            let standing = duty.standing(ear.of(duty.rule));
            if standing != duty.told || duty.flags.has(Flags::NEWS) {
                teller.tell(duty, standing);
            }
            blind |= standing == Standing::Unknown;
        }
        // In the order in which they ended: what was not told yet stands last.
        for duty in subject.head.ended.iter_mut().rev() {
            if !all && !duty.flags.has(Flags::NEWS) {
                break;
            }
            if duty.flags.has(Flags::VOID) && duty.told == Standing::Untold {
                // It was gone before anything was told of it.
                duty.flags.put(Flags::NEWS, false);
                continue;
            }
            let standing = duty.standing(ear.of(duty.rule));
            blind |= standing == Standing::Unknown;
            if standing != duty.told || duty.flags.has(Flags::NEWS) {
                teller.tell(duty, standing);
            }
        }
        if blind {
            self.wait_for_news(slot, subject);
        }
    }

    /// Tells of a duty that no longer follows from the facts.
    pub(super) fn tell_withdrawn(&mut self, subject: &Subject, duty: &mut Duty) {
        let mut teller = Teller {
            at: self.now,
            partner: subject.partner,
            name: None,
            id: &subject.name,
            cells: &mut self.partners[subject.partner as usize].cells,
            out: &mut self.differences,
            book: &self.book,
        };
        teller.tell(duty, Standing::Withdrawn);
    }
}

struct Teller<'a> {
    at: Moment,
    partner: u32,
    name: Option<(u32, u32)>,
    id: &'a str,
    cells: &'a mut Cells,
    out: &'a mut Differences,
    book: &'a crate::book::Book,
}

impl Teller<'_> {
    #[inline(always)]
    fn tell(&mut self, duty: &mut Duty, to: Standing) {
        let rule = self.book.rule(duty.rule).family;
        let from = std::mem::replace(&mut duty.told, to);
        duty.flags.put(Flags::NEWS, false);
        let broken = duty.flags.has(Flags::BROKEN) || duty.flags.has(Flags::FAILED);
        let (row, history) = self.cells.row(rule);
        row.standings[from as usize] -= 1;
        row.standings[to as usize] += 1;
        let counted = duty.flags.has(Flags::COUNTED);
        let counts = broken && !matches!(to, Standing::Unknown | Standing::Withdrawn);
        if counts != counted {
            row.broken += if counts { 1 } else { -1 };
            history.withdrawn += u64::from(!counts);
            duty.flags.put(Flags::COUNTED, counts);
        }
        history.dispute(duty, to);
        if duty.filed != Filed::NOWHERE || place(to).is_some() {
            history.file(duty, from, to, self.book);
        }
        if from.is_breach() && !to.is_breach() && to != Standing::Waived {
            duty.flags.put(Flags::RETRACTED, true);
        }
        let name = *self.name.get_or_insert_with(|| {
            let at = self.out.text.len() as u32;
            self.out.text.push_str(self.id);
            (at, self.out.text.len() as u32)
        });
        self.out.list.push(Difference {
            at: self.at,
            partner: self.partner,
            subject: name,
            rule,
            key: duty.key,
            from,
            to,
            start: duty.start,
            deadline: duty.deadline,
            ended: duty.ended,
            broken,
            excused: duty.late_excused(),
            disputed: duty.disputed(),
            used: duty.clock.elapsed,
        });
    }
}
