//! An explanation as a page for people: local times first, UTC beside them.

use crate::cli::style::{BAD, DIM, GOOD, HEAD, WARN, paint, plain};
use onus_engine::explain::words::{length, local, wall_length};
use onus_engine::explain::{DutyStory, Explanation, FactUse, LimitUse, Stretch};
use onus_engine::standing::Standing;
use onus_engine::time::{MINUTE, Moment};
use std::fmt::Write as _;

/// Stretches shown of one duty before the middle is folded away.
const MOST: usize = 40;
const HEADS: usize = 15;

/// One subject of one partner.
pub(super) fn page(of: &Explanation) -> String {
    let clock = Clock { zone: zone(of.duties.first().map_or("UTC", |d| d.zone.as_str())), year: year(of.now) };
    let mut out = String::new();
    let title = format!("{} at {}", plain(&of.subject), plain(&of.partner));
    let now = Clock { year: 0, ..clock }.stamp(of.now);
    let _ = writeln!(out, "{}  as of {now}", paint(HEAD, &title));
    for duty in &of.duties {
        out.push('\n');
        story(&mut out, duty, of.now, 0);
    }
    // A pause without effect is told, with the reason, of each duty that it did not stop.
    let notes: Vec<_> = of.notes.iter().filter(|n| !n.text.ends_with("has no effect")).collect();
    if !notes.is_empty() {
        let _ = writeln!(out, "\n{}", paint(HEAD, "Also"));
        for note in notes {
            let _ = writeln!(out, "  {}  {}", clock.stamp(note.at), plain(&note.text));
        }
    }
    if !of.holders.is_empty() {
        let _ = writeln!(out, "\n{}", paint(HEAD, "Who held the onus"));
        let who = |h: &onus_engine::explain::Holding| plain(&format!("{} ({})", h.holder, h.name));
        let wide = of.holders.iter().map(|h| who(h).chars().count()).max().unwrap_or(0);
        let stamps: Vec<String> = of.holders.iter().map(|h| clock.stamp(h.from)).collect();
        let first = stamps.iter().map(String::len).max().unwrap_or(0);
        for (h, stamp) in of.holders.iter().zip(&stamps) {
            let about = h.obligation.as_ref().map(|o| format!("{o}: ")).unwrap_or_default();
            let held = format!("for {}", wall_length(h.to - h.from));
            let _ = writeln!(
                out,
                "  {stamp:first$}  {:wide$}  {} {}",
                who(h),
                plain(&format!("{about}{}", h.why)),
                paint(DIM, &format!("({held})"))
            );
        }
        let changed =
            |now: &&onus_engine::explain::Holding| of.holders.last().is_none_or(|last| last.holder != now.holder);
        if let Some(now) = of.holder.as_ref().filter(changed) {
            let about = now.obligation.as_ref().map(|o| format!("{o}: ")).unwrap_or_default();
            let _ = writeln!(
                out,
                "  {:first$}  {:wide$}  {}",
                clock.stamp(now.from),
                who(now),
                plain(&format!("{about}{}", now.why))
            );
        }
    }
    out
}

fn story(out: &mut String, duty: &DutyStory, now: Moment, depth: usize) {
    let clock = Clock { zone: zone(&duty.zone), year: year(now) };
    let cycle = if duty.cycle > 1 || depth > 0 { format!(", cycle {}", duty.cycle) } else { String::new() };
    let title = format!("{} (clause {}{cycle})", duty.obligation, duty.clause);
    let flags = duty.flags.iter().map(|f| format!("  {}", flag(f))).collect::<String>();
    let verdict = paint(colour(duty.standing), &verdict(duty));
    let _ = writeln!(out, "{}  {verdict}{}", paint(HEAD, &plain(&title)), paint(WARN, &flags));
    if let Some(says) = &duty.says {
        let _ = writeln!(out, "  \u{201c}{}\u{201d}", plain(says.trim()));
    }
    let mut line = |name: &str, text: &str| {
        let _ = writeln!(out, "  {:<7} {}", name, plain(text));
    };
    line("owed", &format!("by {} ({}): {}", duty.obligor, duty.obligor_name, duty.owed));
    for limit in &duty.limits {
        line("within", &limit_words(limit, &duty.zone, duty.limits.len()));
    }
    match (&duty.due, duty.deadline) {
        (Some(due), _) => {
            let passed = if duty.breached_at.is_some() { ", and passed: the breach" } else { "" };
            line("due", &format!("{}{passed}", clock.stamp(due.deadline)));
            line("", due.words.find('=').map_or(due.words.as_str(), |at| &due.words[at..]));
        }
        (None, None) if duty.standing == Standing::Paused => line("due", "no deadline while it is paused"),
        (None, None | Some(_)) => {}
    }
    match (duty.ended_at, &duty.ended_by) {
        (Some(at), Some(by)) => line("ended", &format!("{} by {by}", clock.stamp(at))),
        (Some(at), None) => line("judged", &clock.stamp(at)),
        (None, _) => {}
    }
    if let Some(late) = duty.late {
        let so_far = if duty.ended_at.is_some() { "" } else { " so far" };
        let calendar = duty.limits.first().and_then(|l| l.calendar.as_deref());
        let measure =
            calendar.map_or(String::new(), |name| format!("; {} on calendar {name}", length(late.calendar_ms)));
        line("late by", &format!("{}{so_far}{measure}", wall_length(late.elapsed_ms)));
    }
    rows(out, duty, &clock, now);
    let stamps: Vec<String> = duty.facts.iter().map(|f| clock.stamp(f.at)).collect();
    let wide = stamps.iter().map(|s| s.chars().count()).max().unwrap_or(0);
    for (i, fact) in duty.facts.iter().enumerate() {
        let name = if i == 0 { "facts" } else { "" };
        let _ = writeln!(out, "  {name:<7} {:wide$}  {}", stamps[i], fact_line(fact));
    }
    // What the facts and the verdict say already is not said again.
    let said = |text: &str| {
        ["begins", "done by", "the deadline passes", "what is required"].iter().any(|s| text.starts_with(s))
    };
    for (i, note) in duty.notes.iter().filter(|n| !said(&n.text)).enumerate() {
        let name = if i == 0 { "notes" } else { "" };
        let _ = writeln!(out, "  {name:<7} {}  {}", clock.stamp(note.at), plain(&note.text));
    }
    let _ = writeln!(
        out,
        "  {:<7} {}",
        "duty",
        paint(DIM, &format!("{} of contract {}", duty.duty, plain(&duty.contract)))
    );
    for earlier in &duty.earlier_cycles {
        let _ = writeln!(out, "  {}", paint(DIM, "before that:"));
        story(out, earlier, now, depth + 1);
    }
}

/// A row a stretch: they touch, so the next row's beginning is the end of this one.
fn rows(out: &mut String, duty: &DutyStory, clock: &Clock, now: Moment) {
    let Some(last) = duty.stretches.last() else { return };
    let stamps: Vec<String> = duty.stretches.iter().map(|s| clock.stamp(s.from)).collect();
    let end = clock.stamp(last.to);
    let wide = stamps.iter().chain([&end]).map(|s| s.chars().count()).max().unwrap_or(0);
    let lengths: Vec<String> = duty.stretches.iter().map(|s| wall_length(s.to - s.from)).collect();
    let long = lengths.iter().map(String::len).max().unwrap_or(0);
    let limit = duty.limits.first().and_then(|l| l.limit_ms);
    let counted = measure(duty);
    let fold = duty.stretches.len() > MOST;
    let mut hidden: Vec<&Stretch> = Vec::new();
    for (i, stretch) in duty.stretches.iter().enumerate() {
        let name = if i == 0 { "time" } else { "" };
        if fold && i >= HEADS && i + HEADS < duty.stretches.len() {
            hidden.push(stretch);
            continue;
        }
        if !hidden.is_empty() {
            let sum = hidden.iter().map(|s| s.counted_ms).sum();
            let text = format!("... {} more, {} counted in them (all with --format json)", hidden.len(), counted(sum));
            let _ = writeln!(out, "          {}", paint(DIM, &text));
            hidden.clear();
        }
        let used = counted(stretch.used_ms);
        let text = plain(&stretch.text);
        let row = if stretch.counted {
            let sign = paint(GOOD, "+");
            format!("{sign} {:>long$}  {text}, {used} used", lengths[i])
        } else {
            paint(DIM, &format!("  {:>long$}  {text}", lengths[i]))
        };
        let _ = writeln!(out, "  {name:<7} {:wide$}  {row}", stamps[i]);
        if let Some(at) = duty.breached_at.filter(|at| stretch.from <= *at && *at < stretch.to) {
            let spent = limit.map_or(String::new(), |l| format!(": {} used up", counted(l)));
            let _ = writeln!(out, "  {:<7} {:wide$}  {}", "", clock.stamp(at), paint(BAD, &format!("! breach{spent}")));
        }
    }
    let what = match duty.ended_at {
        Some(_) => "the end",
        None if last.to == now => "now",
        None => "",
    };
    let of = limit.map_or(String::new(), |l| format!(" of {}", counted(l)));
    let sum = format!("{what}: {}{of} used", counted(duty.elapsed_ms));
    let _ = writeln!(out, "  {:<7} {end:wide$}  {}", "", paint(HEAD, &sum));
}

fn verdict(duty: &DutyStory) -> String {
    let finding = duty.limits.is_empty() && duty.stretches.is_empty();
    match duty.standing {
        Standing::Breached if finding => "BREACHED: a finding".to_owned(),
        Standing::Breached if duty.ended_at.is_some() => "BREACHED, then ended without the act".to_owned(),
        Standing::Breached => "BREACHED, not done".to_owned(),
        Standing::MetLate => {
            format!("BREACHED, done {} late", duty.late.map_or(String::new(), |l| wall_length(l.elapsed_ms)))
        }
        Standing::Met if finding => "met: what is required was there".to_owned(),
        Standing::Met => {
            let limit = duty.limits.first();
            let calendar =
                limit.and_then(|l| l.calendar.as_deref()).map_or(String::new(), |c| format!(" on calendar {c}"));
            match limit.and_then(|l| l.limit_ms).map(|limit| limit - duty.elapsed_ms).filter(|left| *left > 0) {
                Some(left) => format!("met with {}{calendar} to spare", measure(duty)(left)),
                None => "met".to_owned(),
            }
        }
        Standing::Open => "open".to_owned(),
        Standing::Paused => "paused".to_owned(),
        Standing::Waived if duty.breached_at.is_some() => "breached, waived".to_owned(),
        Standing::Waived
        | Standing::Cancelled
        | Standing::Exempt
        | Standing::Withdrawn
        | Standing::Unknown
        | Standing::Untold => duty.standing.word().to_owned(),
    }
}

/// How counted time is said: working time knows no days.
fn measure(duty: &DutyStory) -> fn(i64) -> String {
    let clock = duty.limits.first().is_none_or(|l| l.calendar.is_none());
    if clock { wall_length } else { length }
}

fn colour(standing: Standing) -> anstyle::Style {
    match standing {
        Standing::Breached | Standing::MetLate => BAD,
        Standing::Met => GOOD,
        Standing::Open | Standing::Paused | Standing::Waived | Standing::Unknown => WARN,
        Standing::Cancelled | Standing::Exempt | Standing::Withdrawn | Standing::Untold => DIM,
    }
}

fn flag(flag: &str) -> &str {
    match flag {
        "claimed" => "claimed: an act was seen at too little trust, or without its evidence",
        "disputed" => "disputed: one source says that the act was done, another only that it failed",
        "excused" => "late, with reasons that were given in time: excused",
        "retracted" => "a breach that was told was taken back",
        "capped" => "the longest pause is used up",
        other => other,
    }
}

fn limit_words(limit: &LimitUse, zone: &str, all: usize) -> String {
    let mut text = limit.says.clone();
    if let Some(row) = &limit.row {
        text = format!("{row}: {text}");
    }
    if let Some(from) = &limit.counts_from {
        let _ = write!(text, " from {from}");
    }
    match (&limit.calendar, limit.fixed) {
        (Some(name), _) => {
            let _ = write!(text, " on calendar {name} ({zone})");
        }
        (None, None) => text.push_str(", around the clock"),
        (None, Some(_)) => {}
    }
    if all > 1 && limit.binds {
        text.push_str(" (this one binds)");
    }
    text
}

fn fact_line(fact: &FactUse) -> String {
    let mut text = format!("{} {}", plain(&fact.event), plain(&fact.id));
    if let Some(on) = &fact.on {
        let _ = write!(text, " on {}", plain(on));
    }
    match (&fact.actor, &fact.side) {
        (Some(actor), Some(side)) => {
            let _ = write!(text, " by {} ({})", plain(actor), plain(side));
        }
        (Some(who), None) | (None, Some(who)) => {
            let _ = write!(text, " by {}", plain(who));
        }
        (None, None) => {}
    }
    if let Some(reason) = &fact.reason {
        let _ = write!(text, ", {}", plain(reason));
    }
    let late = fact.recorded - fact.at;
    let learnt = if late >= MINUTE { format!(", heard {} later", wall_length(late)) } else { String::new() };
    let trust = format!("{:?}", fact.trust).to_lowercase();
    let source = format!("({}, {trust}{learnt})", plain(&fact.source));
    format!("{text}: {} {}", plain(&fact.part), paint(DIM, &source))
}

/// How instants are shown.
#[derive(Clone, Copy)]
struct Clock {
    zone: chrono_tz::Tz,
    year: i32,
}

impl Clock {
    /// `Fri 6 Mar 15:50 (14:50Z)`; the year and the UTC day only where they are not the same.
    fn stamp(&self, at: Moment) -> String {
        let mut text = local(at, self.zone);
        if year(at) != self.year {
            let _ = write!(text, " {}", year(at));
        }
        let Some(utc) = at.utc() else { return text };
        let here = utc.with_timezone(&self.zone);
        if here.naive_local() == utc.naive_utc() {
            return text + "Z";
        }
        let format = if here.date_naive() == utc.date_naive() { "%H:%MZ" } else { "%-d %b %H:%MZ" };
        let _ = write!(text, " ({})", utc.format(format));
        text
    }
}

fn year(at: Moment) -> i32 {
    at.utc().map_or(0, |utc| chrono::Datelike::year(&utc))
}

fn zone(name: &str) -> chrono_tz::Tz {
    name.parse().unwrap_or(chrono_tz::UTC)
}
