//! What Onus says, as statements: the last cell of a row parsed, and compared with how the duties stand.

use super::cells::items;
use super::place::{Place, say_span, span};
use crate::runtime::check::{DutyRow, Placed};
use onus_engine::standing::Standing;
use onus_engine::time::Moment;

/// What one part of a cell says.
#[derive(Clone, Debug)]
pub(super) enum Statement {
    /// Of a duty.
    Duty(Duty),
    /// Of events that name no partner, whole: `unowned: INC9`, `overlap: A before B`, `moved: INC1`.
    Placed(String),
}

/// `resolve of INC1: met at 11:58, used 3h`.
#[derive(Clone, Debug)]
pub(super) struct Duty {
    obligation: String,
    of: Option<String>,
    standing: Standing,
    details: Vec<(Detail, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Detail {
    /// `at`: when it ended; of a breach, when it broke.
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
    Disputed,
}

/// What stands before what the scopes said of events.
const PLACED: [&str; 3] = ["unowned", "overlap", "moved"];

const DETAILS: [(&str, Detail); 10] = [
    ("due ", Detail::Due),
    ("no deadline", Detail::NoDeadline),
    ("breached at ", Detail::BreachedAt),
    ("used ", Detail::Used),
    ("since ", Detail::Since),
    ("cycle ", Detail::Cycle),
    ("taken back", Detail::TakenBack),
    ("claimed", Detail::Claimed),
    ("excused", Detail::Excused),
    ("disputed", Detail::Disputed),
];

/// A duty, or an earlier cycle of one.
pub(super) type Cycle<'r> = &'r DutyRow;

/// All duties, earlier cycles beside the running one, in order of their starts; without what no longer follows.
pub(super) fn cycles(rows: &[DutyRow]) -> Vec<Cycle<'_>> {
    let mut found: Vec<Cycle<'_>> = rows.iter().flat_map(|row| row.earlier.iter().chain([row])).collect();
    found.retain(|duty| duty.standing != Standing::Withdrawn);
    // Rows come sorted by name; of two that start together the names decide.
    found.sort_by_key(|duty| (duty.start, duty.cycle));
    found
}

/// What the scopes of contracts said of events that name no partner, as a cell says it.
pub(super) fn placed(placed: &Placed) -> Vec<String> {
    let unowned = placed.unowned.keys().map(|subject| format!("unowned: {subject}"));
    let overlaps = placed.overlaps.keys().map(|contracts| format!("overlap: {contracts}"));
    let moved = placed.moved.keys().map(|subject| format!("moved: {subject}"));
    unowned.chain(overlaps).chain(moved).collect()
}

/// What a cell and the duties have to say to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Compared {
    /// What the cell would have to say.
    pub(super) said: String,
    /// What it says, its times in their shortest form.
    pub(super) wanted: String,
    /// Positions of the duties of which something else is said, or nothing.
    pub(super) differ: Vec<usize>,
}

impl Compared {
    pub(super) fn agree(&self) -> bool {
        self.said == self.wanted
    }
}

/// Compares statements with duties and with what was said of events; `partner` is the one that need not be named.
pub(super) fn compare(
    statements: &[Statement],
    duties: &[Cycle<'_>],
    mut placed: Vec<String>,
    partner: &str,
    place: &Place,
) -> Compared {
    let mut left: Vec<usize> = (0..duties.len()).collect();
    let (mut said, mut differ) = (Vec::new(), Vec::new());
    for statement in statements {
        let statement = match statement {
            Statement::Duty(statement) => statement,
            Statement::Placed(text) => {
                if let Some(found) = placed.iter().position(|one| one == text) {
                    said.push(placed.remove(found));
                }
                continue;
            }
        };
        let fits = |at: &usize| {
            let duty = duties[*at];
            let is = |of: &String| *of == name(duty, partner) || *of == whole_name(duty);
            duty.obligation == statement.obligation && statement.of.as_ref().is_none_or(is)
        };
        if let Some(found) = left.iter().position(fits) {
            let at = left.remove(found);
            let told = statement.told_of(duties[at], place);
            if told != statement.canonical() {
                differ.push(at);
            }
            said.push(told);
        }
    }
    let many = left.len() > 1 || !said.is_empty();
    said.extend(left.iter().map(|at| Duty::plain(duties[*at], many, partner).told_of(duties[*at], place)));
    differ.extend(left);
    said.extend(placed);
    let joined = |texts: Vec<String>| if texts.is_empty() { "nothing is owed".to_owned() } else { texts.join("; ") };
    Compared { said: joined(said), wanted: joined(statements.iter().map(Statement::canonical).collect()), differ }
}

/// `INC1`, with the partner before it where it is not the case's own.
fn name(duty: &DutyRow, partner: &str) -> String {
    if duty.partner == partner { duty.subject.clone() } else { whole_name(duty) }
}

/// `halden/INC1`, which is right of every duty.
fn whole_name(duty: &DutyRow) -> String {
    format!("{}/{}", duty.partner, duty.subject)
}

/// Reads a cell; times are put into their shortest form.
pub(super) fn parse(cell: &str, place: &Place) -> Result<Vec<Statement>, (String, String)> {
    items(cell).into_iter().map(|text| Statement::parse(text, place)).collect()
}

impl Statement {
    /// The obligation that it speaks of.
    pub(super) fn obligation(&self) -> Option<&str> {
        match self {
            Statement::Duty(duty) => Some(&duty.obligation),
            Statement::Placed(_) => None,
        }
    }

    fn parse(text: &str, place: &Place) -> Result<Statement, (String, String)> {
        match text.split_once(": ") {
            Some((word, _)) if PLACED.contains(&word) => Ok(Statement::Placed(text.to_owned())),
            _ => Duty::parse(text, place).map(Statement::Duty),
        }
    }

    fn canonical(&self) -> String {
        match self {
            Statement::Duty(duty) => duty.canonical(),
            Statement::Placed(text) => text.clone(),
        }
    }
}

impl Duty {
    fn parse(text: &str, place: &Place) -> Result<Duty, (String, String)> {
        let wrong = |what: String, hint: &str| (what, hint.to_owned());
        let (name, rest) = text.split_once(": ").ok_or_else(|| {
            wrong(format!("`{text}` is no statement"), "write `OBLIGATION: STANDING` and what matters of it, like `resolve: open, due 13:00`; `nothing is owed`; or `-` to claim nothing")
        })?;
        let (obligation, of) = match name.split_once(" of ") {
            Some((obligation, of)) => (obligation, Some(of.to_owned())),
            None => (name, None),
        };
        let mut parts = rest.split(", ");
        let head = parts.next().unwrap_or_default();
        let (word, at) = head.split_once(" at ").map_or((head, None), |(standing, at)| (standing, Some(at)));
        let standing = standing(word)?;
        let mut details: Vec<(Detail, String)> = Vec::new();
        let given = at.map(|at| (Detail::At, at));
        let rest = parts.map(|part| {
            let known = DETAILS.iter().find_map(|(name, detail)| part.strip_prefix(name).map(|value| (*detail, value)));
            known.ok_or_else(|| {
                let names: Vec<&str> = DETAILS.iter().map(|(name, _)| name.trim_end()).collect();
                wrong(
                    format!("`{part}` says nothing that is known of a duty"),
                    &format!("one may say {}", names.join(", ")),
                )
            })
        });
        for detail in given.map(Ok).into_iter().chain(rest) {
            let (detail, value) = detail?;
            if details.iter().any(|(known, _)| *known == detail) {
                return Err(wrong(format!("`{text}` says one thing twice"), "say it once"));
            }
            details.push((detail, shortest(detail, value, place).map_err(|why| (why, String::new()))?));
        }
        let has = |wanted| details.iter().any(|(detail, _)| *detail == wanted);
        match standing {
            Standing::Open if !has(Detail::Due) && !has(Detail::NoDeadline) => Err(wrong(
                format!("`{text}` says not until when"),
                "an open duty always says its deadline: `open, due 13:00`, or `no deadline`",
            )),
            Standing::Breached if !has(Detail::At) => {
                Err(wrong(format!("`{text}` says not when it broke"), "a breach says its instant: `breached at 13:00`"))
            }
            _ => Ok(Duty { obligation: obligation.to_owned(), of, standing, details }),
        }
    }

    /// What one would say of a duty that the cell does not name.
    fn plain(duty: &DutyRow, named: bool, partner: &str) -> Duty {
        let details = match duty.standing {
            Standing::Open => vec![(Detail::Due, String::new())],
            Standing::Breached => vec![(Detail::At, String::new())],
            Standing::MetLate => vec![(Detail::BreachedAt, String::new())],
            Standing::Untold
            | Standing::Paused
            | Standing::Met
            | Standing::Waived
            | Standing::Cancelled
            | Standing::Exempt
            | Standing::Withdrawn
            | Standing::Unknown => Vec::new(),
        };
        let of = named.then(|| name(duty, partner));
        Duty { obligation: duty.obligation.clone(), of, standing: duty.standing, details }
    }

    /// The statement with its times in their shortest form.
    fn canonical(&self) -> String {
        let details = self.details.iter().map(|(detail, value)| phrase(*detail, value));
        format!("{}{}{}", self.head(), self.standing, details.collect::<String>())
    }

    /// The statement as this duty would have it, with the same details where they still make sense.
    fn told_of(&self, duty: &DutyRow, place: &Place) -> String {
        let mut text = format!("{}{}", self.head(), duty.standing);
        let breached = duty.standing == Standing::Breached;
        let mut details: Vec<Detail> = self.details.iter().map(|(detail, _)| *detail).collect();
        if breached && !details.contains(&Detail::At) {
            details.insert(0, Detail::At);
        }
        if duty.standing == Standing::Open && !details.iter().any(|d| matches!(d, Detail::Due | Detail::NoDeadline)) {
            details.push(Detail::Due);
        }
        let time = |at: Option<Moment>| at.map_or("never".to_owned(), |at| place.say(at));
        for detail in details {
            text += &match detail {
                Detail::At if breached => phrase(detail, &time(duty.breached_at)),
                // What goes on has no end to tell.
                Detail::At => duty.ended_at.map_or(String::new(), |at| phrase(detail, &place.say(at))),
                Detail::Due | Detail::NoDeadline => match duty.deadline {
                    Some(at) => phrase(Detail::Due, &place.say(at)),
                    None => phrase(Detail::NoDeadline, ""),
                },
                Detail::BreachedAt => phrase(detail, &time(duty.breached_at)),
                Detail::Used => phrase(detail, &say_span(duty.elapsed)),
                Detail::Since => phrase(detail, &place.say(duty.start)),
                Detail::Cycle => phrase(detail, &duty.cycle.to_string()),
                Detail::TakenBack if duty.retracted => phrase(detail, ""),
                Detail::Claimed if duty.claimed => phrase(detail, ""),
                Detail::Excused if duty.excused => phrase(detail, ""),
                Detail::Disputed if duty.disputed => phrase(detail, ""),
                Detail::TakenBack | Detail::Claimed | Detail::Excused | Detail::Disputed => String::new(),
            };
        }
        // Holds of every such standing, so the cases need not repeat it.
        if duty.standing == Standing::Paused && duty.deadline.is_some() {
            text += &phrase(Detail::Due, &time(duty.deadline));
        }
        let flags =
            [(Detail::Claimed, duty.claimed), (Detail::Excused, duty.excused), (Detail::Disputed, duty.disputed)];
        for (flag, on) in flags {
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

fn standing(word: &str) -> Result<Standing, (String, String)> {
    let known = || Standing::ALL.into_iter().filter(|s| !matches!(s, Standing::Untold | Standing::Withdrawn));
    known().find(|standing| standing.word() == word).ok_or_else(|| {
        let near = crate::contract::nearest(word, known().map(Standing::word));
        let hint = near.map_or_else(
            || format!("a duty is {}", known().map(Standing::word).collect::<Vec<_>>().join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        (format!("`{word}` is no standing"), hint)
    })
}

/// A value as it would be written, or why it cannot be read.
fn shortest(detail: Detail, value: &str, place: &Place) -> Result<String, String> {
    match detail {
        Detail::NoDeadline | Detail::TakenBack | Detail::Claimed | Detail::Excused | Detail::Disputed
            if value.is_empty() =>
        {
            Ok(String::new())
        }
        Detail::NoDeadline | Detail::TakenBack | Detail::Claimed | Detail::Excused | Detail::Disputed => {
            Err(format!("`{value}` stands where nothing is expected"))
        }
        Detail::Cycle => value.parse::<u16>().map(|n| n.to_string()).map_err(|_| format!("`{value}` is no number")),
        Detail::Used => span(value).map(say_span),
        Detail::At | Detail::Due | Detail::BreachedAt | Detail::Since => place.instant(value).map(|at| place.say(at)),
    }
}

fn phrase(detail: Detail, value: &str) -> String {
    match DETAILS.iter().find(|(_, d)| *d == detail) {
        Some((name, _)) => format!(", {name}{value}"),
        None => format!(" at {value}"),
    }
}
