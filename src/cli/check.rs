//! `onus check`: judge event files, print how everything stands.

use super::args::{CheckArgs, Format, Terms};
use super::style::{self, paint, plain};
use super::{CliError, exit, json, write_data, write_out};
use crate::catalogue::Catalogue;
use crate::contract::{self, Level};
use crate::decode::DeadLetter;
use crate::runtime::check::{self, Breach, DutyRow, Placed, Report, Request, Row};
use crate::runtime::levels::Measured;
use onus_engine::engine::Options;
use onus_engine::standing::Standing;
use onus_engine::terms::{self, Contract, Trust};
use onus_engine::time::Moment;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub(super) fn run(args: CheckArgs) -> Result<u8, CliError> {
    let (contracts, options, warnings) = terms(&args.terms)?;
    let catalogue = catalogued(&args.terms.catalogue)?;
    if !args.quiet {
        warned(warnings);
    }
    let bar = (!args.quiet).then(progress_bar);
    let mut lines = 0;
    let mut progress = |n: u64| {
        lines += n;
        if let Some(bar) = &bar {
            bar.set_position(lines);
        }
    };
    let threads =
        args.threads.map_or_else(|| std::thread::available_parallelism().map_or(1, |n| n.get().min(2)), usize::from);
    let request = Request {
        contracts,
        events: args.events,
        until: args.until,
        wall: wall_clock(),
        catalogue,
        options,
        duties: args.duties,
        verbose: false,
        threads: if args.duties { 1 } else { threads },
    };
    let report = check::check(request, &mut progress);
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    let report = report?;
    talk(&report, args.quiet);
    match args.format {
        Format::Table => write_out(&table(&report, args.duties))?,
        Format::Json => write_data(|out| json::document(&report, args.duties, out))?,
        Format::Jsonl => write_data(|out| json::lines(&report, args.duties, out))?,
    }
    Ok(match () {
        () if args.strict && !report.letters.is_empty() => exit::BAD_INPUT,
        () if report.has_breaches() => exit::BREACHES,
        () => exit::FINE,
    })
}

/// Loads contracts and trust; says how many warnings the contracts have.
pub(super) fn terms(args: &Terms) -> Result<(Vec<Contract>, Options, usize), CliError> {
    let (contracts, warnings) = surveyed(&args.contracts, &args.library)?;
    let options = Options { settling: Some(args.settling), ..trusted(args.trust.as_deref())? };
    Ok((contracts, options, warnings))
}

/// Loads a catalogue; without paths nothing is known.
pub(super) fn catalogued(paths: &[PathBuf]) -> Result<Arc<Catalogue>, CliError> {
    if paths.iter().any(|path| path.as_os_str() == "-") {
        return Err(CliError::Other("standard input is for events: name the files of the catalogue".to_owned()));
    }
    contract::catalogue(paths).map(Arc::new).map_err(CliError::Contracts)
}

/// Loads contracts; says how many warnings they have.
pub(super) fn surveyed(paths: &[PathBuf], library: &[PathBuf]) -> Result<(Vec<Contract>, usize), CliError> {
    if paths.iter().any(|path| path.as_os_str() == "-") {
        return Err(CliError::Other("standard input is for events: name the files of the contracts".to_owned()));
    }
    let library = contract::Library::new(library.to_vec());
    let contract::Survey { contracts, problems, .. } = contract::survey(paths, &library, today());
    let (mut errors, warnings): (Vec<_>, Vec<_>) = problems.into_iter().partition(|p| p.level() == Level::Error);
    if errors.is_empty() && contracts.is_empty() {
        errors.extend(paths.iter().map(|path| contract::none(path)));
    }
    if errors.is_empty() { Ok((contracts, warnings.len())) } else { Err(CliError::Contracts(errors)) }
}

/// How far sources are believed: by a file, else at their word.
pub(super) fn trusted(file: Option<&Path>) -> Result<Options, CliError> {
    let Some(path) = file else { return Ok(Options { otherwise: Trust::Verified, ..Options::default() }) };
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|e| CliError::Other(format!("{name}: {e}")))?;
    let trust = trust_levels(&contract::text_map(&text, &name).map_err(CliError::Contracts)?, &name)?;
    Ok(Options { trust, otherwise: Trust::Asserted, ..Options::default() })
}

fn trust_levels(map: &[(String, String)], name: &str) -> Result<Vec<(String, Trust)>, CliError> {
    map.iter()
        .map(|(pattern, level)| {
            let level = match level.as_str() {
                "asserted" => Trust::Asserted,
                "shared" => Trust::Shared,
                "system" => Trust::System,
                "verified" => Trust::Verified,
                other => {
                    let known = "asserted, shared, system or verified";
                    return Err(CliError::Other(format!(
                        "{name}: source `{pattern}` has trust `{other}`: write {known}"
                    )));
                }
            };
            Ok((pattern.clone(), level))
        })
        .collect()
}

/// The clock on the wall; asked once, at the edge.
pub(super) fn wall_clock() -> Moment {
    Moment(chrono::Utc::now().timestamp_millis())
}

/// The day of the wall clock, in UTC.
pub(super) fn today() -> chrono::NaiveDate {
    wall_clock().utc().map(|now| now.date_naive()).unwrap_or_default()
}

/// Contracts are judged as they are written; that they may mean something else is said in a line.
fn warned(warnings: usize) {
    if warnings > 0 {
        let many = if warnings == 1 { "1 warning" } else { &format!("{warnings} warnings") };
        anstream::eprintln!("{}note{}: the contracts have {many}; `onus lint` tells them", style::WARN, style::END);
    }
}

pub(super) fn progress_bar() -> indicatif::ProgressBar {
    let bar = indicatif::ProgressBar::new_spinner();
    if let Ok(style) = indicatif::ProgressStyle::with_template("{spinner} {human_pos} lines, {elapsed}, {per_sec}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// What could not be read, for people, on standard error.
pub(super) fn letters(all: &[(String, DeadLetter)]) {
    for (file, letter) in all.iter().take(20) {
        anstream::eprintln!("{}dead letter{}: {file}:{letter}", style::WARN, style::END);
        if !letter.excerpt.is_empty() {
            anstream::eprintln!("    {}", letter.excerpt);
        }
    }
    if all.len() > 20 {
        anstream::eprintln!("... and {} more dead letters", all.len() - 20);
    }
}

/// What was noticed, for people, on standard error.
fn talk(report: &Report, quiet: bool) {
    letters(&report.letters);
    if quiet {
        return;
    }
    let read = &report.read;
    let mut text = format!("{} lines, {} events", read.lines, read.events);
    let mut also = |n: u64, what: &str| {
        if n > 0 {
            let _ = write!(text, ", {n} {what}");
        }
    };
    also(report.letters.len() as u64, "dead letters");
    also(read.repeats, "repeats");
    also(read.conflicts, "conflicts (another content under a known id)");
    also(read.late, "late or out of order");
    also(read.against, "of another partner than the catalogue has (their own word counts)");
    also(read.held.0, "held aside (later than the run's end, or in the far future)");
    for (partner, n) in read.unbound.iter().take(5) {
        also(*n, &format!("of {}, whom no contract names", plain(partner)));
    }
    anstream::eprintln!("{text}");
}

fn table(report: &Report, duties: bool) -> String {
    let until = report.until.map_or("the beginning".to_owned(), |at| at.to_string());
    let mut out = format!("{} as of {until}\n\n", paint(style::HEAD, "Standings"));
    out.push_str(&standings(&report.obligations));
    if !report.breaches.is_empty() {
        let _ =
            writeln!(out, "\n{}", paint(style::HEAD, &format!("Breaches and findings ({})", report.breaches.len())));
        for b in &report.breaches {
            let _ = writeln!(out, "{}", breach_line(b));
        }
    }
    if !report.levels.is_empty() {
        let _ = writeln!(out, "\n{}", paint(style::HEAD, "Levels"));
        report.levels.iter().for_each(|level| {
            let _ = writeln!(out, "{}", level_line(level));
        });
    }
    placed(&mut out, &report.placed);
    if duties {
        let _ = writeln!(out, "\n{}", paint(style::HEAD, &format!("Duties ({})", report.duties.len())));
        for d in &report.duties {
            duty_lines(&mut out, d, 0);
        }
    }
    out
}

/// Whose events are that name no partner, where that is in doubt.
fn placed(out: &mut String, placed: &Placed) {
    if !placed.unowned.is_empty() {
        let _ = writeln!(out, "\n{}", paint(style::HEAD, &format!("Nobody's ({})", placed.unowned.len())));
        for (subject, (events, why)) in placed.unowned.iter().take(SHOWN) {
            let _ = writeln!(out, "{}  {events} event{}: {why}", plain(subject), if *events == 1 { "" } else { "s" });
        }
        more(out, placed.unowned.len());
    }
    if !placed.overlaps.is_empty() || !placed.moved.is_empty() {
        let _ = writeln!(out, "\n{}", paint(style::HEAD, "Of several contracts"));
        for (contracts, events) in &placed.overlaps {
            let _ = writeln!(out, "{contracts}: {events} event{}", if *events == 1 { "" } else { "s" });
        }
        for (subject, (partner, other)) in placed.moved.iter().take(SHOWN) {
            let _ = writeln!(
                out,
                "{} stays with {}; a later event would be of {}",
                plain(subject),
                plain(partner),
                plain(other)
            );
        }
        more(out, placed.moved.len());
    }
}

/// Most subjects that are listed for people; `--format json` has all.
const SHOWN: usize = 20;

fn more(out: &mut String, all: usize) {
    if all > SHOWN {
        let _ = writeln!(out, "... and {} more", all - SHOWN);
    }
}

/// Counts a line for each partner and obligation.
pub(super) fn standings(rows: &[Row]) -> String {
    let mut out = String::new();
    let wide = |of: &dyn Fn(&Row) -> usize, least: usize| rows.iter().map(of).max().unwrap_or(0).max(least);
    let (p, o) = (wide(&|r| r.partner.chars().count(), 7), wide(&|r| r.obligation.chars().count(), 10));
    let _ = writeln!(
        out,
        "{:p$}  {:o$} {:>9} {:>9} {:>9} {:>7} {:>9} {:>7} {:>7} {:>7}",
        "partner", "obligation", "met", "breached", "(late)", "waived", "cancelled", "exempt", "unknown", "open"
    );
    for row in rows {
        let t = &row.tally;
        let breached = format!("{:>9}", t.broken);
        let breached = if t.broken > 0 { paint(style::BAD, &breached) } else { breached };
        let met = paint(style::GOOD, &format!("{:>9}", t.of(Standing::Met)));
        let _ = writeln!(
            out,
            "{:p$}  {:o$} {met} {breached} {:>9} {:>7} {:>9} {:>7} {:>7} {:>7}",
            plain(&row.partner),
            row.obligation,
            t.of(Standing::MetLate),
            t.of(Standing::Waived),
            t.of(Standing::Cancelled),
            t.of(Standing::Exempt),
            t.of(Standing::Unknown),
            json::open(t),
        );
    }
    out
}

fn breach_line(b: &Breach) -> String {
    let done = match b.ended {
        _ if b.waived => paint(style::WARN, "waived"),
        Some(at) if at == b.breached_at && at == b.started => paint(style::BAD, "finding"),
        Some(at) if b.excused => paint(style::WARN, &format!("done late {at}, excused")),
        Some(at) => paint(style::WARN, &format!("done late {at}")),
        None if b.excused => paint(style::BAD, "not done, excused"),
        None => paint(style::BAD, "not done"),
    };
    format!(
        "{}  {}  {} (clause {})  {}  since {}  {done}",
        b.breached_at,
        plain(&b.partner),
        b.obligation,
        b.clause,
        plain(&b.subject),
        b.started,
    )
}

fn level_line(m: &Measured) -> String {
    let each = |ms: i64| onus_engine::explain::words::length(ms);
    let said = match &m.target.level {
        terms::Level::Share(least) => format!(
            "{}% of {} met, at least {}%",
            json::percent(m.met, m.counted),
            m.counted,
            f64::from(*least) / 10_000.0
        ),
        terms::Level::Average(_) | terms::Level::AverageOf(_) => format!(
            "{} on average of {}, at most {}; the longest {}",
            each(m.used / (m.counted.max(1) as i64)),
            m.counted,
            each(m.allowed / (m.counted.max(1) as i64)),
            each(m.worst)
        ),
    };
    let verdict = match (m.missed(), &m.target.credit) {
        (false, _) => paint(style::GOOD, "reached"),
        (true, Some(credit)) => paint(style::BAD, &format!("missed, credit {credit}")),
        (true, None) => paint(style::BAD, "missed"),
    };
    let so_far = if m.over { "" } else { " so far" };
    format!("{}  {}  {} (clause {})  {said}  {verdict}{so_far}", m.from, plain(&m.partner), m.obligation, m.clause)
}

fn duty_lines(out: &mut String, d: &DutyRow, depth: usize) {
    let deadline = d.deadline.map_or(String::new(), |at| format!("  due {at}"));
    let ended = d.ended_at.map_or(String::new(), |at| format!("  ended {at}"));
    let cycle = if d.cycle > 1 || depth > 0 { format!(" cycle {}", d.cycle) } else { String::new() };
    let mut flags = String::new();
    for (on, text) in [
        (d.retracted, "a breach was taken back"),
        (d.claimed, "an act is claimed"),
        (d.disputed, "sources contradict each other on its act"),
        (d.excused, "late and excused"),
    ] {
        if on {
            let _ = write!(flags, "  ({text})");
        }
    }
    let _ = writeln!(
        out,
        "{:depth$}{}  {}  {}{cycle}  {}  from {}{deadline}{ended}{flags}",
        "",
        plain(&d.partner),
        d.obligation,
        plain(&d.subject),
        d.standing,
        d.start,
        depth = depth * 4,
    );
    for earlier in &d.earlier {
        duty_lines(out, earlier, depth + 1);
    }
}
