//! What Onus says, as statements: the last cell of a row parsed, and compared with the judge's JSON.

use crate::clock_text::{Place, say_span, span};
use chrono::{DateTime, Utc};
use serde_json::Value;

/// A duty as the judge lists it.
#[derive(Clone, Debug)]
pub(crate) struct Duty {
    pub(crate) partner: String,
    pub(crate) obligation: String,
    subject: String,
    cycle: i64,
    pub(crate) standing: String,
    start: Option<DateTime<Utc>>,
    deadline: Option<DateTime<Utc>>,
    pub(crate) breached_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    elapsed_ms: Option<i64>,
    retracted: bool,
    claimed: bool,
    excused: bool,
}

/// All duties of the judge's answer, earlier cycles beside the running one, in order of their starts.
pub(crate) fn duties(answer: &Value) -> Vec<Duty> {
    let mut found = Vec::new();
    for duty in answer["duties"].as_array().into_iter().flatten() {
        let last = Duty::read(duty, None);
        for (earlier, n) in duty["earlier_cycles"].as_array().into_iter().flatten().zip(1..) {
            found.push(Duty { cycle: earlier["cycle"].as_i64().unwrap_or(n), ..Duty::read(earlier, Some(&last)) });
        }
        found.push(last);
    }
    found.extend(placed(&answer["placed"]));
    found.sort_by_key(|duty| (duty.start, duty.cycle));
    found
}

/// What the scopes said of events without a partner, as if it were duties: `unowned: INC9`, `overlap: a before b`.
fn placed(placed: &Value) -> Vec<Duty> {
    let subjects = |key: &str| {
        let all = placed[key].as_array().into_iter().flatten();
        all.map(|one| one["subject"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let overlaps = placed["overlaps"].as_object().into_iter().flatten().map(|(contracts, _)| contracts.clone());
    let said =
        |what: &str, standing: String| Duty { obligation: what.to_owned(), standing, ..Duty::read(&Value::Null, None) };
    let unowned = subjects("unowned").into_iter().map(|subject| said("unowned", subject));
    let moved = subjects("moved").into_iter().map(|subject| said("moved", subject));
    unowned.chain(overlaps.map(|contracts| said("overlap", contracts))).chain(moved).collect()
}

impl Duty {
    /// Said of events, not of a duty.
    pub(crate) fn is_of_events(&self) -> bool {
        self.partner.is_empty()
    }
}

impl Duty {
    /// `of`: the duty that an earlier cycle belongs to; it need not repeat what both share.
    fn read(duty: &Value, of: Option<&Duty>) -> Duty {
        let text = |key: &str, shared: Option<&String>| {
            duty[key].as_str().map(str::to_owned).or(shared.cloned()).unwrap_or_default()
        };
        let instant = |key: &str| instant(duty, key);
        Duty {
            partner: text("partner", of.map(|d| &d.partner)),
            obligation: text("obligation", of.map(|d| &d.obligation)),
            subject: text("subject", of.map(|d| &d.subject)),
            cycle: duty["cycle"].as_i64().unwrap_or(1),
            standing: text("standing", None),
            start: instant("start"),
            deadline: instant("deadline"),
            breached_at: instant("breached_at"),
            ended_at: instant("ended_at"),
            elapsed_ms: duty["elapsed_seconds"].as_f64().map(|s| (s * 1000.0).round() as i64),
            retracted: duty["retracted"].as_bool().unwrap_or_default(),
            claimed: duty["claimed"].as_bool().unwrap_or_default(),
            excused: duty["excused"].as_bool().unwrap_or_default(),
        }
    }

    /// `INC1`, with the partner before it where it is not the cases' usual one.
    fn of(&self) -> String {
        match self.partner.as_str() {
            "halden" => self.subject.clone(),
            partner => format!("{partner}/{}", self.subject),
        }
    }
}

/// A breach, from the list of breaches or from a duty.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Broken {
    of: [String; 3],
    start: Option<DateTime<Utc>>,
    at: Option<DateTime<Utc>>,
    ended: Option<DateTime<Utc>>,
}

impl Broken {
    pub(crate) fn listed(breach: &Value) -> Broken {
        let of = ["partner", "obligation", "subject"].map(|key| breach[key].as_str().unwrap_or_default().to_owned());
        let [start, at, ended] = ["started", "breached_at", "ended_at"].map(|key| instant(breach, key));
        Broken { of, start, at, ended }
    }

    /// None: not broken, or no longer.
    pub(crate) fn of(duty: &Duty) -> Option<Broken> {
        let of = [&duty.partner, &duty.obligation, &duty.subject].map(String::clone);
        let broken = duty.breached_at.is_some() && duty.standing != "withdrawn";
        broken.then_some(Broken { of, start: duty.start, at: duty.breached_at, ended: duty.ended_at })
    }
}

fn instant(value: &Value, key: &str) -> Option<DateTime<Utc>> {
    value[key].as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok()).map(|at| at.to_utc())
}

/// `resolve of INC1: met at 11:58, used 3h`.
#[derive(Debug)]
struct Statement {
    obligation: String,
    of: Option<String>,
    standing: String,
    details: Vec<(Detail, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Detail {
    /// `at`: when it ended; of a breach that goes on, when it broke.
    At,
    Due,
    NoDeadline,
    BreachedAt,
    Used,
    Since,
    Cycle,
    TakenBack,
    Claimed,
    Excused,
}

const DETAILS: [(&str, Detail); 9] = [
    ("due ", Detail::Due),
    ("no deadline", Detail::NoDeadline),
    ("breached at ", Detail::BreachedAt),
    ("used ", Detail::Used),
    ("since ", Detail::Since),
    ("cycle ", Detail::Cycle),
    ("taken back", Detail::TakenBack),
    ("claimed", Detail::Claimed),
    ("excused", Detail::Excused),
];

/// Compares a cell with the judge's duties. Ok: they agree. Err: what the cell would have to say.
pub(crate) fn compare(cell: &str, duties: &[Duty], place: &Place) -> Result<(), String> {
    if cell == "-" {
        return Ok(());
    }
    let statements = if cell == "nothing is owed" { Vec::new() } else { parse(cell)? };
    let mut left: Vec<&Duty> = duties.iter().filter(|duty| duty.standing != "withdrawn").collect();
    let mut said = Vec::new();
    for statement in &statements {
        let fits = |duty: &&Duty| {
            duty.obligation == statement.obligation && statement.of.as_ref().is_none_or(|of| *of == duty.of())
        };
        if let Some(at) = left.iter().position(fits) {
            said.push(statement.told_of(left.remove(at), place));
        }
    }
    let many = left.len() > 1 || !said.is_empty();
    said.extend(left.iter().map(|duty| Statement::plain(duty, many).told_of(duty, place)));
    let said = if said.is_empty() { "nothing is owed".to_owned() } else { said.join("; ") };
    let wanted: Vec<String> = statements.iter().map(|s| s.canonical(place)).collect::<Result<_, _>>()?;
    let wanted = if wanted.is_empty() { "nothing is owed".to_owned() } else { wanted.join("; ") };
    if said == wanted { Ok(()) } else { Err(said) }
}

fn parse(cell: &str) -> Result<Vec<Statement>, String> {
    cell.split("; ").map(Statement::parse).collect()
}

impl Statement {
    fn parse(text: &str) -> Result<Statement, String> {
        let (name, rest) = text.split_once(": ").ok_or_else(|| format!("not a statement: {text}"))?;
        let (obligation, of) = match name.split_once(" of ") {
            Some((obligation, of)) => (obligation, Some(of.to_owned())),
            None => (name, None),
        };
        let mut parts = rest.split(", ");
        let head = parts.next().unwrap_or_default();
        let (standing, at) = head.split_once(" at ").map_or((head, None), |(standing, at)| (standing, Some(at)));
        let mut details: Vec<_> = at.map(|at| (Detail::At, at.to_owned())).into_iter().collect();
        for part in parts {
            let (value, detail) = DETAILS
                .iter()
                .find_map(|(name, detail)| part.strip_prefix(name).map(|value| (value, *detail)))
                .ok_or_else(|| format!("unknown detail: {part}"))?;
            details.push((detail, value.to_owned()));
        }
        let has = |wanted| details.iter().any(|(detail, _)| *detail == wanted);
        match standing {
            "open" if !has(Detail::Due) && !has(Detail::NoDeadline) => {
                Err(format!("an open duty needs its deadline: {text}"))
            }
            "breached" if !has(Detail::At) => Err(format!("a breach needs its instant: {text}")),
            _ => Ok(Statement { obligation: obligation.to_owned(), of, standing: standing.to_owned(), details }),
        }
    }

    /// What one would say of a duty that the cell does not name.
    fn plain(duty: &Duty, named: bool) -> Statement {
        let details = match duty.standing.as_str() {
            "open" => vec![(Detail::Due, String::new())],
            "breached" => vec![(Detail::At, String::new())],
            "met-late" => vec![(Detail::BreachedAt, String::new())],
            _ => Vec::new(),
        };
        let of = named.then(|| duty.of());
        Statement { obligation: duty.obligation.clone(), of, standing: String::new(), details }
    }

    /// The same statement with its times in their shortest form.
    fn canonical(&self, place: &Place) -> Result<String, String> {
        let mut text = format!("{}{}", self.head(), self.standing);
        for (detail, value) in &self.details {
            text += &match detail {
                Detail::NoDeadline | Detail::TakenBack | Detail::Claimed | Detail::Excused | Detail::Cycle => {
                    phrase(*detail, value)
                }
                Detail::Used => phrase(*detail, &say_span(span(value)?)),
                _ => phrase(*detail, &place.say(place.instant(value)?)),
            };
        }
        Ok(text)
    }

    /// The statement as this duty would have it, with the same details where they still make sense.
    fn told_of(&self, duty: &Duty, place: &Place) -> String {
        let mut text = format!("{}{}", self.head(), duty.standing);
        let breached = duty.standing == "breached";
        let mut details: Vec<Detail> = self.details.iter().map(|(detail, _)| *detail).collect();
        if breached && !details.contains(&Detail::At) {
            details.insert(0, Detail::At);
        }
        if duty.standing == "open" && !details.iter().any(|d| matches!(d, Detail::Due | Detail::NoDeadline)) {
            details.push(Detail::Due);
        }
        let time = |at: Option<DateTime<Utc>>| at.map_or("never".to_owned(), |at| place.say(at));
        for detail in details {
            text += &match detail {
                Detail::At => phrase(detail, &time(if breached { duty.breached_at } else { duty.ended_at })),
                Detail::Due | Detail::NoDeadline => match duty.deadline {
                    Some(at) => phrase(Detail::Due, &place.say(at)),
                    None => phrase(Detail::NoDeadline, ""),
                },
                Detail::BreachedAt => phrase(detail, &time(duty.breached_at)),
                Detail::Used => phrase(detail, &duty.elapsed_ms.map_or("unknown".to_owned(), say_span)),
                Detail::Since => phrase(detail, &time(duty.start)),
                Detail::Cycle => phrase(detail, &duty.cycle.to_string()),
                Detail::TakenBack if duty.retracted => phrase(detail, ""),
                Detail::Claimed if duty.claimed => phrase(detail, ""),
                Detail::Excused if duty.excused => phrase(detail, ""),
                Detail::TakenBack | Detail::Claimed | Detail::Excused => String::new(),
            };
        }
        // Holds of every such standing, so the cases need not repeat it.
        if duty.standing == "paused" && duty.deadline.is_some() {
            text += &phrase(Detail::Due, &time(duty.deadline));
        }
        for (flag, on) in [(Detail::Claimed, duty.claimed), (Detail::Excused, duty.excused)] {
            if on && !self.details.iter().any(|(detail, _)| *detail == flag) {
                text += &phrase(flag, "");
            }
        }
        if breached && duty.deadline != duty.breached_at {
            text += &phrase(Detail::Due, &time(duty.deadline));
        }
        text
    }

    fn head(&self) -> String {
        match &self.of {
            Some(of) => format!("{} of {of}: ", self.obligation),
            None => format!("{}: ", self.obligation),
        }
    }
}

fn phrase(detail: Detail, value: &str) -> String {
    match DETAILS.iter().find(|(_, d)| *d == detail) {
        Some((name, _)) => format!(", {name}{value}"),
        None => format!(" at {value}"),
    }
}
