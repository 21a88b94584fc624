//! What would have been different, for people.

use crate::cli::json::open;
use crate::cli::style::{BAD, DIM, GOOD, HEAD, WARN, paint, plain};
use crate::runtime::whatif::{Change, Line, Shift, State, WhatIf};
use onus_engine::engine::Tally;
use onus_engine::standing::Standing;
use std::collections::BTreeMap;
use std::fmt::Write as _;

pub(super) fn page(told: &WhatIf, examples: usize) -> String {
    let until = told.until.map_or("the beginning".to_owned(), |at| at.to_string());
    let since = told.since.map_or(String::new(), |at| format!(", of duties that began at or after {at}"));
    let mut out = format!("{} as of {until}{since}\n\n", paint(HEAD, "Under the new terms"));
    let different: Vec<&Line> = told.obligations.iter().filter(|line| line.differs()).collect();
    if different.is_empty() {
        out.push_str("Nothing would have been different.\n");
    } else {
        counts(&mut out, &different);
    }
    let same = told.obligations.len() - different.len();
    let _ = writeln!(out, "\n{}", summary(told, same));
    for (change, title) in [
        (Change::Vanishes, "Breaches that would be gone"),
        (Change::Appears, "Breaches that would be new"),
        (Change::Moves, "Breaches that would be at another instant"),
    ] {
        let of: Vec<&Shift> = told.breaches.iter().filter(|b| b.change == change).collect();
        if !of.is_empty() {
            shifts(&mut out, title, &of, examples);
        }
    }
    out
}

fn summary(told: &WhatIf, same: usize) -> String {
    let of = |change: Change| told.breaches.iter().filter(|b| b.change == change).count();
    let obligations =
        if same == 1 { "1 obligation as it is".to_owned() } else { format!("{same} obligations as they are") };
    format!(
        "Breaches: {} gone, {} new, {} at another instant, {} the same; {obligations}",
        of(Change::Vanishes),
        of(Change::Appears),
        of(Change::Moves),
        told.same
    )
}

/// A line for each obligation that differs: `9 -> 11`, or one number where both are the same.
fn counts(out: &mut String, lines: &[&Line]) {
    const HEADS: [&str; 9] =
        ["duties", "met", "breached", "(late)", "waived", "cancelled", "exempt", "unknown", "open"];
    let cells = |line: &Line| -> [String; 9] {
        let of = |count: &dyn Fn(&Tally) -> i64| {
            let [before, after] = line.counts.each_ref().map(count);
            if before == after { before.to_string() } else { format!("{before} -> {after}") }
        };
        let [before, after] = line.duties();
        [
            if before == after { before.to_string() } else { format!("{before} -> {after}") },
            of(&|t| t.of(Standing::Met)),
            of(&|t| t.broken),
            of(&|t| t.of(Standing::MetLate)),
            of(&|t| t.of(Standing::Waived)),
            of(&|t| t.of(Standing::Cancelled)),
            of(&|t| t.of(Standing::Exempt)),
            of(&|t| t.of(Standing::Unknown)),
            of(&open),
        ]
    };
    let rows: Vec<[String; 9]> = lines.iter().map(|line| cells(line)).collect();
    let wide: Vec<usize> =
        (0..9).map(|i| rows.iter().map(|row| row[i].len()).max().unwrap_or(0).max(HEADS[i].len())).collect();
    let name = |line: &Line| match line.change {
        Change::Appears => format!("{} (new)", line.obligation),
        Change::Vanishes => format!("{} (gone)", line.obligation),
        Change::Same | Change::Moves => line.obligation.clone(),
    };
    let p = lines.iter().map(|line| plain(&line.partner).chars().count()).max().unwrap_or(0).max(7);
    let o = lines.iter().map(|line| name(line).chars().count()).max().unwrap_or(0).max(10);
    let _ = write!(out, "{:p$}  {:o$}", "partner", "obligation");
    for (head, wide) in HEADS.iter().zip(&wide) {
        let _ = write!(out, "  {head:>wide$}");
    }
    out.push('\n');
    for (line, row) in lines.iter().zip(&rows) {
        let _ = write!(out, "{:p$}  {:o$}", plain(&line.partner), name(line));
        for (i, (cell, wide)) in row.iter().zip(&wide).enumerate() {
            let cell = format!("{cell:>wide$}");
            let [before, after] = line.counts.map(|t| t.broken);
            let cell = match i {
                2 if after > before => paint(BAD, &cell),
                2 if after < before => paint(GOOD, &cell),
                _ if cell.contains("->") => paint(WARN, &cell),
                _ => cell,
            };
            let _ = write!(out, "  {cell}");
        }
        out.push('\n');
    }
}

fn shifts(out: &mut String, title: &str, all: &[&Shift], examples: usize) {
    let _ = writeln!(out, "\n{}", paint(HEAD, &format!("{title} ({})", all.len())));
    let mut shown: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    for b in all {
        let n = shown.entry((&b.partner, &b.contract, &b.obligation)).or_default();
        *n += 1;
        if *n > examples {
            continue;
        }
        let start = b.states[0].or(b.states[1]).map_or(String::new(), |s| format!("  since {}", s.start));
        let _ = writeln!(
            out,
            "{}  {} (clause {})  {}{start}  {}",
            plain(&b.partner),
            b.obligation,
            b.clause,
            plain(&b.subject),
            paint(DIM, &format!("({})", b.reason))
        );
        let _ = writeln!(out, "    today  {}", side(b.states[0]));
        let _ = writeln!(out, "    new    {}", side(b.states[1]));
    }
    for ((partner, _, obligation), n) in shown {
        if n > examples {
            let more = n - examples;
            let _ = writeln!(out, "... and {more} more of {} of {}: --examples {n}", obligation, plain(partner));
        }
    }
}

fn side(state: Option<State>) -> String {
    let Some(State { standing, deadline, ended, start }) = state else { return "no such duty".to_owned() };
    let colour = if standing.is_breach() { BAD } else { GOOD };
    let mut text = paint(colour, standing.word());
    match deadline {
        Some(at) if at == start && ended == Some(at) => text.push_str(&format!(", judged {at}")),
        Some(at) => text.push_str(&format!(", due {at}")),
        None => text.push_str(", no deadline"),
    }
    match ended {
        Some(at) if deadline != Some(at) || at != start => text.push_str(&format!(", ended {at}")),
        Some(_) | None => {}
    }
    text
}
