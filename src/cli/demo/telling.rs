//! From what the engine says to plain words, in the order in which it says it.

use crate::cli::style::{BAD, DIM, GOOD, HEAD, WARN, paint, plain};
use crate::runtime::story::Beat;
use onus_engine::engine::Difference;
use onus_engine::explain::explain;
use onus_engine::explain::words::{local, wall_length};
use onus_engine::rule::{Form, Rule};
use onus_engine::standing::Standing;
use onus_engine::terms::Side;
use onus_engine::time::{MINUTE, Moment};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Where consequences stand, under the record that they follow from.
const INDENT: &str = "           ";

/// What was told so far.
#[derive(Debug, Default)]
pub(super) struct Telling {
    day: String,
    records: u64,
    breaches: BTreeSet<(String, String, u64)>,
    taken_back: u64,
    /// Who held each subject last, while something was open.
    holders: BTreeMap<String, String>,
    /// Subjects, with what makes each worth a look.
    notable: BTreeMap<&'static str, String>,
}

impl Telling {
    /// One beat of the story; `line` is the record that is being read.
    pub(super) fn beat(&mut self, line: &str, beat: &Beat<'_>, out: &mut String) {
        let mut changes: Vec<(&str, &Difference)> = beat.changes.iter().collect();
        let book = beat.engine.book();
        let zone = book.rules().first().map_or(chrono_tz::UTC, |rule| rule.zone);
        let record: Value = serde_json::from_str(line).unwrap_or_default();
        let about = record["subject"].as_str().unwrap_or_default();
        if beat.record {
            self.records += 1;
            self.said_day(beat.now, zone, out);
            let _ = writeln!(out, "{}", record_line(&record, beat.now, zone));
            if changes.is_empty() {
                self.nothing_changed(&record, beat, out);
            }
        }
        // What ends comes before what begins.
        changes.sort_by_key(|(subject, change)| (*subject, begins(change)));
        for (i, (subject, change)) in changes.iter().enumerate() {
            let rule = book.rule(change.rule);
            let words = Words { rule, partner: beat.engine.partner_name(change.partner), subject, change, zone };
            self.note(&words);
            let twin = |(other, c): &&(&str, &Difference)| other == subject && c.rule == change.rule;
            if begins(change) && changes[..i].iter().any(|c| twin(&c)) {
                continue;
            }
            let next = changes[i + 1..].iter().find(twin).map(|(_, next)| *next);
            if beat.record {
                // A record may change what stands of another subject: a waiver, the act on a linked one.
                let about = if *subject == about { String::new() } else { format!("{}: ", plain(subject)) };
                let _ = writeln!(out, "{INDENT}{about}{}{}", words.say(beat.now), words.and_next(next, beat.now));
            } else {
                // What happens by itself is told at its own instant.
                let at = if change.to == Standing::Breached { change.deadline } else { beat.now };
                self.said_day(at, zone, out);
                let _ =
                    writeln!(out, "  {}  {:<14} {}: {}", clock(at, zone), words.partner, plain(subject), words.say(at));
            }
            if let Some(says) = words.quoted() {
                let _ = writeln!(out, "{INDENT}{says}");
            }
        }
        if beat.record {
            self.said_holder(&record, beat, out);
        }
    }

    /// Who holds the onus now, where it passed from one side to the other.
    fn said_holder(&mut self, record: &Value, beat: &Beat<'_>, out: &mut String) {
        let (partner, subject) =
            (record["partner"].as_str().unwrap_or_default(), record["subject"].as_str().unwrap_or_default());
        let Some(holder) = explain(beat.engine, partner, subject).and_then(|told| told.holder) else { return };
        // Where nothing is open, it goes back to the risk owner: every subject ends so.
        let Some(obligation) = holder.obligation else { return };
        let before = self.holders.insert(subject.to_owned(), holder.name.clone());
        if before.is_some_and(|before| before != holder.name) {
            let said = format!("the onus passes to {} ({}): {obligation}: {}", holder.name, holder.holder, holder.why);
            let _ = writeln!(out, "{INDENT}{}", paint(HEAD, &plain(&said)));
        }
    }

    fn said_day(&mut self, at: Moment, zone: chrono_tz::Tz, out: &mut String) {
        let Some(utc) = at.utc() else { return };
        let day = utc.with_timezone(&zone).format("%A %-d %B %Y").to_string();
        if day != self.day {
            let _ = writeln!(out, "\n{}", paint(HEAD, &day));
            self.day = day;
        }
    }

    /// A pause that stopped no clock says why; another record that changed nothing needs no words.
    fn nothing_changed(&mut self, record: &Value, beat: &Beat<'_>, out: &mut String) {
        let text = |key: &str| record[key].as_str().unwrap_or_default();
        if text("type") != "ticket.paused" {
            return;
        }
        let Some(told) = explain(beat.engine, text("partner"), text("subject")) else { return };
        for duty in &told.duties {
            let pausable = beat.engine.book().rules().iter().any(|r| r.id == duty.obligation && r.pause.is_some());
            let about = duty.notes.iter().find(|note| pausable && note.text.contains(text("id")));
            if let Some((_, why)) = about.and_then(|note| note.text.split_once("does not stop this clock: ")) {
                let said = format!("the clock of {} ({}) goes on: {why}", duty.obligation, duty.clause);
                let _ = writeln!(out, "{INDENT}{}", paint(WARN, &plain(&said)));
                self.notable.entry("a pause that does not count").or_insert_with(|| text("subject").to_owned());
            }
        }
    }

    fn note(&mut self, words: &Words<'_>) {
        let Difference { from, to, key, .. } = *words.change;
        let one = (words.rule.id.clone(), words.subject.to_owned(), key);
        let subject = || words.subject.to_owned();
        if to.is_breach() {
            self.breaches.insert(one.clone());
            if matches!(words.rule.form, Form::Requires(_)) {
                self.notable.entry("a finding").or_insert_with(subject);
            }
        } else if from.is_breach() && to != Standing::Waived {
            self.breaches.remove(&one);
            self.taken_back += 1;
            self.notable.entry("a breach that was taken back").or_insert_with(subject);
        }
        if to == Standing::Waived {
            self.notable.entry("a waiver").or_insert_with(subject);
        }
    }

    /// The story in one line.
    pub(super) fn sum(&self) -> String {
        let taken = match self.taken_back {
            0 => String::new(),
            1 => "; 1 more was told and taken back".to_owned(),
            n => format!("; {n} more were told and taken back"),
        };
        format!("{} records, {} breaches and findings that stand{taken}.", self.records, self.breaches.len())
    }

    /// Subjects worth a look, with the reason.
    pub(super) fn worth_explaining(&self) -> Vec<(String, &'static str)> {
        self.notable.iter().map(|(why, subject)| (plain(subject), *why)).collect()
    }
}

struct Words<'a> {
    rule: &'a Rule,
    partner: &'a str,
    subject: &'a str,
    change: &'a Difference,
    zone: chrono_tz::Tz,
}

impl Words<'_> {
    fn say(&self, now: Moment) -> String {
        let Difference { from, to, start, deadline, ended, .. } = *self.change;
        let duty = format!("{} ({})", self.rule.id, self.rule.clause);
        let when = |at: Moment| self.when(at, now);
        let due = deadline.known().map_or("has no deadline".to_owned(), |at| format!("is due {}", when(at)));
        let finding = matches!(self.rule.form, Form::Requires(_));
        match to {
            Standing::Open => match from {
                Standing::Untold if self.rule.obligor.side == Side::Customer => {
                    paint(DIM, &format!("{duty} begins: {} owes it, it {due}", self.rule.obligor))
                }
                Standing::Untold => paint(DIM, &format!("{duty} begins: it {due}")),
                Standing::Waived => paint(WARN, &format!("the waiver is over: {duty} {due}")),
                Standing::Breached => paint(GOOD, &format!("the breach of {duty} is taken back: it {due}")),
                Standing::Open
                | Standing::Paused
                | Standing::Met
                | Standing::MetLate
                | Standing::Cancelled
                | Standing::Exempt
                | Standing::Withdrawn
                | Standing::Unknown => paint(WARN, &format!("the clock of {duty} runs again: it {due}")),
            },
            Standing::Paused => paint(WARN, &format!("the clock of {duty} stops")),
            Standing::Breached if finding => paint(BAD, &format!("FINDING: {} broke {duty}", self.who())),
            Standing::Breached => {
                paint(BAD, &format!("BREACH: {} broke {duty}, running since {}", self.who(), when(start)))
            }
            Standing::MetLate => paint(WARN, &format!("{duty} is done, {} late", wall_length(ended - deadline))),
            Standing::Met if from.is_breach() => {
                let spare =
                    deadline.known().map_or(String::new(), |at| format!(", {} in time", wall_length(at - ended)));
                paint(GOOD, &format!("the breach of {duty} is taken back: it was done {}{spare}", when(ended)))
            }
            Standing::Met if finding => paint(GOOD, &format!("{duty}: in order")),
            Standing::Met => match deadline.known() {
                Some(at) if at > ended => {
                    paint(GOOD, &format!("{duty} is met, {} before it was due", wall_length(at - ended)))
                }
                Some(_) | None => paint(GOOD, &format!("{duty} is met")),
            },
            Standing::Waived => paint(WARN, &format!("{duty} is waived: its clock stops")),
            Standing::Cancelled => paint(DIM, &format!("{duty} ends without a verdict")),
            Standing::Exempt | Standing::Withdrawn | Standing::Unknown | Standing::Untold => {
                paint(DIM, &format!("{duty} is now {to}"))
            }
        }
    }

    /// Who broke it: a slow customer is the customer's breach.
    fn who(&self) -> String {
        match self.rule.obligor.side {
            Side::Partner => self.partner.to_owned(),
            Side::Customer => format!("{} ({})", self.rule.customer, self.rule.obligor),
        }
    }

    /// The clause's own words, where it was broken.
    fn quoted(&self) -> Option<String> {
        let says = self.rule.says.as_ref().filter(|_| self.change.to == Standing::Breached)?;
        Some(paint(DIM, &format!("\u{201c}{}\u{201d}", plain(says.trim()))))
    }

    /// The next period of a duty that recurs.
    fn and_next(&self, next: Option<&Difference>, now: Moment) -> String {
        match next.map(|n| (n.to, n.deadline.known())) {
            Some((Standing::Waived, _)) => paint(DIM, "; the next one begins under the waiver"),
            Some((_, Some(due))) => paint(DIM, &format!("; the next one is due {}", self.when(due, now))),
            Some((_, None)) | None => String::new(),
        }
    }

    /// The time alone where it is the same day.
    fn when(&self, at: Moment, now: Moment) -> String {
        let day = |at: Moment| at.utc().map(|utc| utc.with_timezone(&self.zone).date_naive());
        if day(at) == day(now) { clock(at, self.zone) } else { local(at, self.zone) }
    }
}

/// A duty that was not there before, and runs.
fn begins(change: &Difference) -> bool {
    change.from == Standing::Untold && matches!(change.to, Standing::Open | Standing::Waived | Standing::Paused)
}

pub(super) fn clock(at: Moment, zone: chrono_tz::Tz) -> String {
    at.utc().map_or(String::new(), |utc| utc.with_timezone(&zone).format("%H:%M").to_string())
}

/// `09:20  halden-pam     INC-2041 opened, P2, by j.devries (customer)`.
pub(super) fn record_line(record: &Value, now: Moment, zone: chrono_tz::Tz) -> String {
    let text = |key: &str| record[key].as_str().unwrap_or_default();
    let data = |key: &str| record["data"][key].as_str();
    let kind = text("type");
    let verb = kind.split_once('.').map_or(kind, |(_, verb)| verb).replace('-', " ");
    let noun = if kind.starts_with("waiver.") { "waiver " } else { "" };
    let mut said = format!("{noun}{} {verb}", text("subject"));
    if let Some(priority) = data("priority") {
        let _ = write!(said, ", {priority}");
    }
    if let Some(reason) = data("reason") {
        let _ = write!(said, ", {reason}");
    }
    match (data("actor"), data("side")) {
        (Some(actor), Some(side)) => {
            let _ = write!(said, ", by {actor} ({side})");
        }
        (Some(who), None) => {
            let _ = write!(said, ", by {who}");
        }
        (None, Some(side)) => {
            let _ = write!(said, ", by the {side}, nobody named");
        }
        (None, None) => {}
    }
    let at = Moment::parse(text("time")).unwrap_or(now);
    let mut line = format!("  {}  {:<14} ", clock(now, zone), plain(text("partner")));
    if now - at >= MINUTE {
        let late =
            format!("we learn only now, {} later: {}, on {}", wall_length(now - at), plain(&said), local(at, zone));
        line.push_str(&paint(WARN, &late));
    } else {
        line.push_str(&plain(&said));
    }
    line
}
