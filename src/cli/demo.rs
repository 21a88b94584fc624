//! `onus demo`: judges a bundled story and tells it as it goes. The words are here; what happened is the engine's to say.

mod live;
mod telling;

use super::args::DemoArgs;
use super::style::{HEAD, paint};
use super::{CliError, exit, write_out};
use crate::contract;
use crate::runtime::check;
use crate::runtime::story::Story;
use onus_engine::terms::{Contract, PartnerPattern, Side};
use onus_engine::time::{DAY, Moment};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use telling::Telling;

/// The story's contracts and records, as they stand in `examples/demo`.
const CONTRACTS: [(&str, &str); 3] = [
    ("brightkey.yaml", include_str!("../../examples/demo/contracts/brightkey.yaml")),
    ("halden-pam.yaml", include_str!("../../examples/demo/contracts/halden-pam.yaml")),
    ("tidewater-soc.yaml", include_str!("../../examples/demo/contracts/tidewater-soc.yaml")),
];
const EVENTS: &str = include_str!("../../examples/demo/events.jsonl");

pub(super) fn run(args: &DemoArgs) -> Result<u8, CliError> {
    if let Some(folder) = &args.into {
        unpack(folder, args.recent)?;
    }
    let contracts = contracts()?;
    if args.live {
        return live::run(contracts, args);
    }
    let mut story = Story::new(&contracts);
    let mut telling = Telling::default();
    let mut out = opening(&contracts);
    for line in EVENTS.lines() {
        story
            .record(line, &mut |beat| telling.beat(line, beat, &mut out))
            .map_err(|error| CliError::Other(format!("the story's own record cannot be read: {error}: {line}")))?;
    }
    closing(&mut out, &story, &telling, args.into.as_deref());
    write_out(&out)?;
    Ok(exit::FINE)
}

fn contracts() -> Result<Vec<Contract>, CliError> {
    CONTRACTS
        .iter()
        .map(|(name, text)| contract::parse(text, name))
        .collect::<Result<_, _>>()
        .map_err(CliError::Contracts)
}

fn opening(contracts: &[Contract]) -> String {
    let mut out = String::new();
    let customer = contracts.first().map_or("", |c| c.customer.as_str());
    let zone = contracts.first().map_or("UTC", |c| c.zone.name());
    let _ = writeln!(out, "{}", paint(HEAD, &format!("Three partners run parts of {customer}'s identity operations.")));
    for contract in contracts {
        let owes = |side: Side| {
            let ids: Vec<String> = contract
                .obligations
                .iter()
                .filter(|o| o.obligor.side == side)
                .map(|o| format!("{} ({})", o.id, o.clause))
                .collect();
            ids.join(", ")
        };
        let name = contract.partners.iter().map(|p| match p {
            PartnerPattern::Exact(name) => name.clone(),
            PartnerPattern::Prefix(stem) => format!("{stem}*"),
        });
        let _ = write!(out, "  {:<14} owes {}", name.collect::<Vec<_>>().join(", "), owes(Side::Partner));
        match owes(Side::Customer).as_str() {
            "" => out.push('\n'),
            back => {
                let _ = writeln!(out, "; {customer} owes it {back}");
            }
        }
    }
    let _ = writeln!(out, "What follows is what Onus says as the records arrive, in {zone} time.");
    out
}

fn closing(out: &mut String, story: &Story, telling: &Telling, folder: Option<&Path>) {
    let _ = writeln!(out, "\n{}", paint(HEAD, "How everything stands"));
    let mut rows = check::standings(story.engine());
    rows.sort_by(|a, b| (&a.partner, &a.obligation).cmp(&(&b.partner, &b.obligation)));
    out.push_str(&super::check::standings(&rows));
    let _ = writeln!(out, "\n{}", telling.sum());
    let _ = writeln!(out, "\n{}", paint(HEAD, "Try next"));
    let base = folder.map_or("examples/demo".to_owned(), |f| f.display().to_string());
    let files = format!("--contracts {base}/contracts {base}/events.jsonl");
    for (subject, why) in telling.worth_explaining() {
        let _ = writeln!(out, "  onus explain {subject} {files}   # {why}");
    }
    let _ = writeln!(out, "  onus check {files}");
    if folder.is_none() {
        let _ = writeln!(
            out,
            "  onus demo --into FOLDER   # writes these contracts and records there, to change and judge again"
        );
    }
}

/// The story, later or earlier by whole weeks, so that it ended within the last of them. Working hours stay what they are;
/// holidays do not move along, and where clocks are set meanwhile it is an hour earlier or later for the people in it.
fn moved(events: &str, now: Moment) -> String {
    let when = |line: &str, key: &str| {
        let record: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
        let text = record[key].as_str()?.to_owned();
        Moment::parse(&text).map(|at| (text, at))
    };
    let last = events.lines().filter_map(|line| when(line, "time")).map(|(_, at)| at).max().unwrap_or(now);
    let by = (now - last).div_euclid(7 * DAY) * 7 * DAY;
    let mut out = String::with_capacity(events.len());
    for line in events.lines() {
        let mut line = line.to_owned();
        for key in ["time", "recordedtime"] {
            if let Some((text, at)) = when(&line, key) {
                line =
                    line.replace(&format!("\"{key}\": \"{text}\""), &format!("\"{key}\": \"{}\"", Moment(at.0 + by)));
            }
        }
        out.push_str(&line);
        out.push('\n');
    }
    out
}

/// Writes the story's files where they can be played with; never over others.
fn unpack(folder: &Path, recent: bool) -> Result<(), CliError> {
    let fail = |path: &Path, error: std::io::Error| CliError::Other(format!("{}: {error}", path.display()));
    let contracts = folder.join("contracts");
    fs::create_dir_all(&contracts).map_err(|e| fail(&contracts, e))?;
    let events = if recent { moved(EVENTS, super::check::wall_clock()) } else { EVENTS.to_owned() };
    let mut files: Vec<_> = CONTRACTS.iter().map(|(name, text)| (contracts.join(name), *text)).collect();
    files.push((folder.join("events.jsonl"), &events));
    if let Some((path, _)) = files.iter().find(|(path, _)| path.exists()) {
        return Err(CliError::Other(format!("{} is there already: name an empty folder", path.display())));
    }
    files.iter().try_for_each(|(path, text)| fs::write(path, text).map_err(|e| fail(path, e)))
}
