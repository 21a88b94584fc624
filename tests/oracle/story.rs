//! What a random case is made of: terms, events, and how both are written down for the binary.
//!
//! All times are whole ticks from [`DAWN`]; a tick is a second, a minute or an hour, the same for a whole run.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use std::fmt::Write;

pub(crate) type Tick = i64;

const DAWN: &str = "2026-03-02T00:00:00Z";

/// How long a tick lasts, and the contract's word for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unit {
    pub(crate) word: &'static str,
    pub(crate) seconds: i64,
}

impl Unit {
    pub(crate) fn rfc(self, at: Tick) -> String {
        (dawn() + TimeDelta::seconds(at * self.seconds)).format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
    }

    /// None: not a whole tick.
    pub(crate) fn tick(self, text: &str) -> Option<Tick> {
        let since = DateTime::parse_from_rfc3339(text).ok()?.to_utc() - dawn();
        let ms = since.num_milliseconds();
        (ms % (self.seconds * 1000) == 0).then_some(ms / (self.seconds * 1000))
    }
}

fn dawn() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(DAWN).unwrap().to_utc()
}

/// One record. Its type says the kind of its subject.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) subject: String,
    pub(crate) kind: &'static str,
    pub(crate) at: Tick,
    pub(crate) data: Map<String, Value>,
    /// Given only where two contents share an id.
    pub(crate) recorded: Option<Tick>,
    /// The source's own numbering.
    pub(crate) sequence: Option<u16>,
}

impl Event {
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        self.data.get(field).and_then(Value::as_str)
    }

    pub(crate) fn json(&self, partner: &str, unit: Unit) -> String {
        let mut record = json!({
            "specversion": "1.0", "id": self.id, "source": "urn:desk", "type": self.kind, "time": unit.rfc(self.at),
            "subject": self.subject, "partner": partner, "data": self.data,
        });
        if let Some(recorded) = self.recorded {
            record["recordedtime"] = json!(unit.rfc(recorded));
        }
        if let Some(sequence) = self.sequence {
            record["sequence"] = json!(sequence.to_string());
        }
        record.to_string()
    }
}

/// Everything that happens at one partner. Stories do not touch each other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Story {
    pub(crate) events: Vec<Event>,
}

#[derive(Clone, Debug)]
pub(crate) struct Terms {
    /// Open hours of each day, in ticks.
    pub(crate) windows: Vec<(Tick, Tick)>,
    pub(crate) obligations: Vec<(String, Sentence)>,
}

#[derive(Clone, Debug)]
pub(crate) enum Sentence {
    /// Ticket opened, act on the same ticket.
    Ticket(TicketTerms),
    /// Emergency ticket opened, each credential that it names revoked.
    Revoke(Tick),
    /// Change executed, closed with evidence.
    Evidence(Tick),
    /// Credential created or rotated, rotated again or revoked.
    Age(Tick),
    /// Change executed, approved before; by the customer when privileged.
    Authorised,
    /// Change executed, approved before by another than the executor.
    FourEyes,
    /// Credential rotated, by someone.
    Attributed,
    /// Credential created, then again and again a review that names it, each so long after the last.
    Reviewed(Tick),
}

#[derive(Clone, Debug)]
pub(crate) struct TicketTerms {
    pub(crate) acts: Vec<&'static str>,
    pub(crate) limits: Limits,
    pub(crate) pause: Option<PauseTerms>,
    pub(crate) reopen: Reopen,
    pub(crate) window: Option<Tick>,
    pub(crate) restart: bool,
    pub(crate) min_remaining: Option<Tick>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Span {
    pub(crate) ticks: Tick,
    /// Counted on the calendar.
    pub(crate) business: bool,
}

impl Span {
    fn text(self, unit: &str) -> String {
        if self.business { format!("{} business hours", self.ticks) } else { format!("{}{unit}", self.ticks) }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// By priority; empty: the star row alone.
    pub(crate) rows: Vec<(&'static str, Span)>,
    pub(crate) star: Option<Span>,
    pub(crate) further: Option<Further>,
}

/// A limit beside that by priority. It has no table: it holds for every priority.
#[derive(Clone, Debug)]
pub(crate) struct Further {
    pub(crate) span: Span,
    /// Counted from any of these; empty: from the opening.
    pub(crate) from: Vec<&'static str>,
    /// Counted anew from each, and not from the first alone.
    pub(crate) latest: bool,
}

impl Further {
    fn text(&self, unit: &str) -> String {
        let from = match &self.from[..] {
            [] => return self.span.text(unit),
            [one] if !self.latest => (*one).to_owned(),
            [one] => format!("{{event: {one}, pick: latest}}"),
            many if !self.latest => format!("{{any: [{}]}}", many.join(", ")),
            many => format!("{{any: [{}], pick: latest}}", many.join(", ")),
        };
        format!("{{must: {}, from: {from}}}", self.span.text(unit))
    }
}

#[derive(Clone, Debug)]
pub(crate) struct PauseTerms {
    /// None: any reason, and none given.
    pub(crate) reasons: Option<Vec<&'static str>>,
    /// None: anyone.
    pub(crate) by: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Reopen {
    Resume,
    New,
    Ignore,
}

impl Terms {
    pub(crate) fn yaml(&self, unit: Unit) -> String {
        let windows: Vec<String> =
            self.windows.iter().map(|(from, to)| format!("\"{from:02}:00-{to:02}:00\"")).collect();
        let mut text = "contract: oracle\npartner: \"p*\"\ncustomer: everyone\neffective: 2026-01-01T00:00:00Z\n\
                        zone: UTC\ndefaults: {trust: asserted}\ncalendar: office\ncalendars:\n"
            .to_owned();
        writeln!(text, "  office: {{zone: UTC, hours: {{mon-sun: [{}]}}}}", windows.join(", ")).unwrap();
        text += "obligations:\n";
        for (id, sentence) in &self.obligations {
            write!(text, "  - id: {id}\n    clause: \"{id}\"\n{}", sentence.yaml(unit.word)).unwrap();
        }
        text
    }
}

impl Sentence {
    fn yaml(&self, unit: &str) -> String {
        match self {
            Sentence::Ticket(terms) => terms.yaml(unit),
            Sentence::Revoke(limit) => format!(
                "    when: {{event: ticket.opened, where: {{control: emergency-revocation}}}}\n    do: credential.revoked\n    within: {limit}{unit}\n"
            ),
            Sentence::Evidence(limit) => format!(
                "    when: change.executed\n    do: {{event: change.closed, where: {{evidence: \"*\"}}}}\n    within: {limit}{unit}\n"
            ),
            Sentence::Age(limit) => format!(
                "    when: {{any: [credential.created, credential.rotated]}}\n    do: {{any: [credential.rotated, credential.revoked]}}\n    within: {limit}{unit}\n"
            ),
            Sentence::Authorised => "    when: change.executed\n    requires:\n      depends-on: privileged\n      table:\n        \
                                     true: {event: change.approved, by: customer}\n        false: change.approved\n"
                .to_owned(),
            Sentence::FourEyes => "    when: change.executed\n    requires: {event: change.approved, where: {actor: {not: {same-as: actor}}}}\n"
                .to_owned(),
            Sentence::Reviewed(limit) => {
                format!("    every: {limit}{unit}\n    per: credential\n    do: review.completed\n")
            }
            Sentence::Attributed => {
                "    when: credential.rotated\n    requires: {where: {actor: \"*\"}}\n".to_owned()
            }
        }
    }
}

impl TicketTerms {
    fn yaml(&self, unit: &str) -> String {
        let acts = match &self.acts[..] {
            [one] => format!("ticket.{one}"),
            many => format!("{{any: [{}]}}", many.iter().map(|a| format!("ticket.{a}")).collect::<Vec<_>>().join(", ")),
        };
        let rows = |star: Option<Span>| {
            let mut rows: Vec<String> =
                self.limits.rows.iter().map(|(p, span)| format!("{p}: {}", span.text(unit))).collect();
            rows.extend(star.map(|span| format!("\"*\": {}", span.text(unit))));
            format!("{{{}}}", rows.join(", "))
        };
        let mut within = match (&self.limits.rows[..], self.limits.star) {
            ([], Some(span)) => span.text(unit),
            (_, None) => rows(None),
            (_, star) => format!("{{depends-on: priority, table: {}}}", rows(star)),
        };
        if let Some(further) = &self.limits.further {
            within = format!("[{within}, {}]", further.text(unit));
        }
        let mut text = format!("    when: ticket.opened\n    do: {acts}\n    within: {within}\n");
        if let Some(pause) = &self.pause {
            let reasons = pause.reasons.as_ref().map_or("\"*\"".to_owned(), |r| r.join(", "));
            let by = pause.by.unwrap_or("anyone");
            writeln!(text, "    pause: {{reasons: [{reasons}], by: {by}}}").unwrap();
        }
        match (self.restart, self.min_remaining) {
            (true, _) => text += "    reprioritise: restart\n",
            (false, Some(n)) => {
                writeln!(text, "    reprioritise: {{policy: rebase, min-remaining: {n}{unit}}}").unwrap();
            }
            (false, None) => {}
        }
        // What the acknowledgement does by default is left to the default.
        let policy = match self.reopen {
            Reopen::Resume => "resume",
            Reopen::New => "new",
            Reopen::Ignore => "ignore",
        };
        match self.window {
            _ if self.acts.contains(&"acknowledged") => {}
            Some(window) => {
                writeln!(text, "    reopen: {{policy: {policy}, window: {window}{unit}}}").unwrap();
            }
            None => writeln!(text, "    reopen: {policy}").unwrap(),
        }
        text
    }
}
