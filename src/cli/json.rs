//! The JSON of `onus check`: the shapes that docs/seams.md promises. Instants are RFC 3339 in UTC with milliseconds.

use crate::decode::DeadLetter;
use crate::runtime::check::{Breach, DutyRow, Placed, Read, Report, Row};
use crate::runtime::levels::Measured;
use onus_engine::engine::Tally;
use onus_engine::standing::Standing;
use onus_engine::terms::Level;
use onus_engine::time::Moment;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{self, Write};

/// One document, piece by piece: it may be long.
pub(super) fn document(report: &Report, duties: bool, out: impl Write) -> io::Result<()> {
    let document = Document {
        until: report.until.map(Shown),
        obligations: report.obligations.iter().map(ObligationJson::of).collect(),
        breaches: Each(report.breaches.iter().map(BreachJson::of)),
        levels: report.levels.iter().map(LevelJson::of).collect(),
        duties: duties.then(|| Each(report.duties.iter().map(DutyJson::of))),
        dead_letters: report.letters.iter().map(LetterJson::of).collect(),
        read: ReadJson::of(&report.read),
        placed: (!report.placed.is_empty()).then(|| PlacedJson::of(&report.placed)),
    };
    write(&document, out)
}

/// One object a line, each with its kind.
pub(super) fn lines(report: &Report, duties: bool, mut out: impl Write) -> io::Result<()> {
    let mut line = |record: &Record<'_>| write(record, &mut out);
    line(&Record::Check { until: report.until.map(Shown), read: ReadJson::of(&report.read) })?;
    report.obligations.iter().try_for_each(|r| line(&Record::Obligation(ObligationJson::of(r))))?;
    report.breaches.iter().try_for_each(|b| line(&Record::Breach(BreachJson::of(b))))?;
    report.levels.iter().try_for_each(|l| line(&Record::Level(LevelJson::of(l))))?;
    if duties {
        report.duties.iter().try_for_each(|d| line(&Record::Duty(DutyJson::of(d))))?;
    }
    report.letters.iter().try_for_each(|l| line(&Record::DeadLetter(LetterJson::of(l))))?;
    if !report.placed.is_empty() {
        line(&Record::Placed(PlacedJson::of(&report.placed)))?;
    }
    Ok(())
}

fn write(value: &impl Serialize, mut out: impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut out, value)?;
    out.write_all(b"\n")
}

/// A list of which each element is made when it is written.
struct Each<I>(I);

impl<I: Iterator<Item: Serialize> + Clone> Serialize for Each<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.clone())
    }
}

#[derive(Serialize)]
struct Document<'a, B: Serialize, D: Serialize> {
    until: Option<Shown<Moment>>,
    obligations: Vec<ObligationJson<'a>>,
    breaches: B,
    levels: Vec<LevelJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duties: Option<D>,
    dead_letters: Vec<LetterJson<'a>>,
    read: ReadJson<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    placed: Option<PlacedJson<'a>>,
}

/// What the scopes of contracts said of events that name no partner.
#[derive(Serialize)]
struct PlacedJson<'a> {
    unowned: Vec<UnownedJson<'a>>,
    overlaps: &'a BTreeMap<String, u64>,
    moved: Vec<MovedJson<'a>>,
}

#[derive(Serialize)]
struct UnownedJson<'a> {
    subject: &'a str,
    events: u64,
    why: &'a str,
}

#[derive(Serialize)]
struct MovedJson<'a> {
    subject: &'a str,
    partner: &'a str,
    other: &'a str,
}

impl PlacedJson<'_> {
    fn of(placed: &Placed) -> PlacedJson<'_> {
        let unowned =
            placed.unowned.iter().map(|(subject, (events, why))| UnownedJson { subject, events: *events, why });
        let moved = placed.moved.iter().map(|(subject, (partner, other))| MovedJson { subject, partner, other });
        PlacedJson { unowned: unowned.collect(), overlaps: &placed.overlaps, moved: moved.collect() }
    }
}

#[derive(Serialize)]
#[serde(tag = "record", rename_all = "snake_case")]
enum Record<'a> {
    Check { until: Option<Shown<Moment>>, read: ReadJson<'a> },
    Obligation(ObligationJson<'a>),
    Breach(BreachJson<'a>),
    Level(LevelJson<'a>),
    Duty(DutyJson<'a>),
    DeadLetter(LetterJson<'a>),
    Placed(PlacedJson<'a>),
}

#[derive(Serialize)]
struct ObligationJson<'a> {
    partner: &'a str,
    contract: &'a str,
    obligation: &'a str,
    clause: &'a str,
    met: i64,
    breached: i64,
    met_late: i64,
    waived: i64,
    cancelled: i64,
    exempt: i64,
    unknown: i64,
    open: i64,
}

impl ObligationJson<'_> {
    fn of(row: &Row) -> ObligationJson<'_> {
        let t = &row.tally;
        ObligationJson {
            partner: &row.partner,
            contract: &row.contract,
            obligation: &row.obligation,
            clause: &row.clause,
            met: t.of(Standing::Met),
            breached: t.broken,
            met_late: t.of(Standing::MetLate),
            waived: t.of(Standing::Waived),
            cancelled: t.of(Standing::Cancelled),
            exempt: t.of(Standing::Exempt),
            unknown: t.of(Standing::Unknown),
            open: open(t),
        }
    }
}

/// Running or paused.
pub(super) fn open(tally: &Tally) -> i64 {
    tally.of(Standing::Open) + tally.of(Standing::Paused)
}

#[derive(Serialize)]
struct BreachJson<'a> {
    partner: &'a str,
    obligation: &'a str,
    clause: &'a str,
    subject: &'a str,
    duty: Shown<onus_engine::identity::DutyId>,
    started: Shown<Moment>,
    deadline: Shown<Moment>,
    breached_at: Shown<Moment>,
    ended_at: Option<Shown<Moment>>,
    waived: bool,
    excused: bool,
}

impl BreachJson<'_> {
    fn of(b: &Breach) -> BreachJson<'_> {
        BreachJson {
            partner: &b.partner,
            obligation: &b.obligation,
            clause: &b.clause,
            subject: &b.subject,
            duty: Shown(b.duty),
            started: Shown(b.started),
            // What is broken keeps its deadline as the instant of its breach.
            deadline: Shown(b.breached_at),
            breached_at: Shown(b.breached_at),
            ended_at: b.ended.map(Shown),
            waived: b.waived,
            excused: b.excused,
        }
    }
}

#[derive(Serialize)]
struct LevelJson<'a> {
    partner: &'a str,
    contract: &'a str,
    obligation: &'a str,
    clause: &'a str,
    from: Shown<Moment>,
    to: Shown<Moment>,
    over: bool,
    at_least: Option<f64>,
    average_seconds: Option<Seconds>,
    counted: u64,
    met: u64,
    share: Option<f64>,
    used_seconds: Option<Seconds>,
    worst_seconds: Option<Seconds>,
    missed: bool,
    credit: Option<&'a str>,
}

impl LevelJson<'_> {
    fn of(m: &Measured) -> LevelJson<'_> {
        let (share, average) = match m.target.level {
            Level::Share(least) => (Some(least), None),
            Level::Average(_) | Level::AverageOf(_) => (None, Some(m.allowed / (m.counted.max(1) as i64))),
        };
        let averaged = average.is_some();
        LevelJson {
            partner: &m.partner,
            contract: &m.contract,
            obligation: &m.obligation,
            clause: &m.clause,
            from: Shown(m.from),
            to: Shown(m.to),
            over: m.over,
            at_least: share.map(|s| f64::from(s) / 10_000.0),
            average_seconds: average.map(Seconds),
            counted: m.counted,
            met: m.met,
            share: share.map(|_| percent(m.met, m.counted)),
            used_seconds: averaged.then(|| Seconds(m.used / (m.counted.max(1) as i64))),
            worst_seconds: averaged.then_some(Seconds(m.worst)),
            missed: m.missed(),
            credit: m.target.credit.as_deref(),
        }
    }
}

/// With two digits, cut off: 94.999% is not 95%.
pub(super) fn percent(part: u64, of: u64) -> f64 {
    (u128::from(part) * 10_000 / u128::from(of.max(1))) as f64 / 100.0
}

#[derive(Serialize)]
struct DutyJson<'a> {
    partner: &'a str,
    obligation: &'a str,
    subject: &'a str,
    duty: Shown<onus_engine::identity::DutyId>,
    cycle: u16,
    standing: &'static str,
    start: Shown<Moment>,
    deadline: Option<Shown<Moment>>,
    breached_at: Option<Shown<Moment>>,
    ended_at: Option<Shown<Moment>>,
    elapsed_seconds: Seconds,
    retracted: bool,
    claimed: bool,
    disputed: bool,
    excused: bool,
    earlier_cycles: Vec<DutyJson<'a>>,
}

impl DutyJson<'_> {
    fn of(d: &DutyRow) -> DutyJson<'_> {
        DutyJson {
            partner: &d.partner,
            obligation: &d.obligation,
            subject: &d.subject,
            duty: Shown(d.duty),
            cycle: d.cycle,
            standing: d.standing.word(),
            start: Shown(d.start),
            deadline: d.deadline.map(Shown),
            breached_at: d.breached_at.map(Shown),
            ended_at: d.ended_at.map(Shown),
            elapsed_seconds: Seconds(d.elapsed),
            retracted: d.retracted,
            claimed: d.claimed,
            disputed: d.disputed,
            excused: d.excused,
            earlier_cycles: d.earlier.iter().map(DutyJson::of).collect(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct LetterJson<'a> {
    file: &'a str,
    line: u64,
    reason: String,
    excerpt: &'a str,
}

impl LetterJson<'_> {
    pub(super) fn of((file, letter): &(String, DeadLetter)) -> LetterJson<'_> {
        LetterJson { file, line: letter.line, reason: letter.error.to_string(), excerpt: &letter.excerpt }
    }
}

#[derive(Serialize)]
pub(super) struct ReadJson<'a> {
    lines: u64,
    events: u64,
    idle: u64,
    held: u64,
    repeats: u64,
    conflicts: u64,
    late: u64,
    unbound: &'a BTreeMap<String, u64>,
}

impl ReadJson<'_> {
    pub(super) fn of(read: &Read) -> ReadJson<'_> {
        ReadJson {
            lines: read.lines,
            events: read.events,
            idle: read.idle,
            held: read.held.0,
            repeats: read.repeats,
            conflicts: read.conflicts,
            late: read.late,
            unbound: &read.unbound,
        }
    }
}

/// As it is shown to people.
struct Shown<T>(T);

impl<T: Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(&self.0)
    }
}

/// Whole seconds as an integer, else with milliseconds.
struct Seconds(i64);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if self.0 % 1000 == 0 { s.serialize_i64(self.0 / 1000) } else { s.serialize_f64(self.0 as f64 / 1000.0) }
    }
}
