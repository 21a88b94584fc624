//! `onus explain`: why every duty on a subject stands as it stands.

mod table;

use super::args::{ExplainArgs, Format};
use super::check::{catalogued, terms, wall_clock};
use super::style::{self, plain};
use super::{CliError, exit, write_out};
use crate::runtime::check::{self, Judged, Request};
use onus_engine::explain::{self, Explanation};
use serde_json::{Value, json};
use std::fmt::Write as _;

pub(super) fn run(mut args: ExplainArgs) -> Result<u8, CliError> {
    let (contracts, options, _) = terms(&args.terms)?;
    let catalogue = catalogued(&args.terms.catalogue)?;
    if let Some(identity) = catalogue.find(&args.subject).filter(|identity| identity.id != args.subject) {
        // What a source calls it is found, too.
        args.subject.clone_from(&identity.id);
    }
    let request = Request {
        contracts,
        events: args.events.clone(),
        until: args.until,
        wall: wall_clock(),
        catalogue,
        options,
        duties: true,
        verbose: true,
        threads: 1,
    };
    let judged = check::judged(request, &mut |_| {})?;
    let mut told = tell(&judged, &args)?;
    if let Some(wanted) = &args.obligation {
        only(&mut told, wanted)?;
    }
    if !judged.letters.is_empty() {
        let text = format!("{} lines could not be read; `onus check` says which and why", judged.letters.len());
        anstream::eprintln!("{}note{}: {text}", style::WARN, style::END);
    }
    let text = match args.format {
        Format::Table => told.iter().map(table::page).collect::<Vec<_>>().join("\n"),
        Format::Json => format!("{}\n", json!({ "explanations": told })),
        Format::Jsonl => json_lines(&told),
    };
    write_out(&text)?;
    Ok(exit::FINE)
}

/// The subject's explanation at every partner that has it, or at the one asked for.
fn tell(judged: &Judged, args: &ExplainArgs) -> Result<Vec<Explanation>, CliError> {
    let mut known: Vec<(String, String)> = Vec::new();
    let mut told = Vec::new();
    for engine in &judged.engines {
        let mut here = Vec::new();
        engine.each_subject(&mut |partner, subject| here.push((partner.to_owned(), subject.to_owned())));
        // The duties of a partner as a whole are there before any fact is.
        let own = engine.partners().filter(|p| **p == args.subject).map(|p| (p.to_owned(), p.to_owned()));
        let mut wanted: Vec<_> =
            here.iter().filter(|(_, subject)| *subject == args.subject).cloned().chain(own).collect();
        wanted.retain(|(partner, _)| args.partner.as_ref().is_none_or(|p| p == partner));
        wanted.sort();
        wanted.dedup();
        told.extend(wanted.iter().filter_map(|(partner, subject)| explain::explain(engine, partner, subject)));
        known.append(&mut here);
    }
    told.retain(|t| !t.duties.is_empty() || !t.holders.is_empty());
    if told.is_empty() {
        return Err(CliError::Other(unknown(&known, args)));
    }
    told.sort_by(|a, b| a.partner.cmp(&b.partner));
    Ok(told)
}

/// What to say of a subject that no judged event speaks of.
fn unknown(known: &[(String, String)], args: &ExplainArgs) -> String {
    let subject = plain(&args.subject);
    if let Some(partner) = &args.partner {
        let elsewhere: Vec<String> =
            known.iter().filter(|(p, s)| *s == args.subject && p != partner).map(|(p, _)| plain(p)).collect();
        if !elsewhere.is_empty() {
            let partner = plain(partner);
            return format!(
                "{partner} has no subject {subject}\n  hint: {} has: --partner {}",
                elsewhere.join(", "),
                elsewhere[0]
            );
        }
    }
    let asked = |p: &String| args.partner.as_ref().is_none_or(|want| want == p);
    if known.iter().any(|(p, s)| asked(p) && *s == args.subject) {
        let hint =
            "events speak of it, and none begins an obligation there; `onus check --duties` lists all that was owed";
        return format!("nothing was ever owed on {subject}\n  hint: {hint}");
    }
    let ids = known.iter().filter(|(p, _)| asked(p)).map(|(_, s)| s.as_str());
    let near = nearest(&args.subject, ids);
    let hint = match near.as_slice() {
        [] if known.is_empty() => {
            "no event was taken in: do the contracts name the partner of these events?".to_owned()
        }
        [] => "no id is near; events that no obligation names are not kept".to_owned(),
        near => format!("did you mean {}?", near.join(", ")),
    };
    format!("no event that an obligation names speaks of {subject}\n  hint: {hint}")
}

/// The ids nearest to what was typed, best first.
fn nearest<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Vec<String> {
    let lower = typed.to_lowercase();
    let mut all: Vec<(u64, &str)> = known
        .map(|id| {
            let other = id.to_lowercase();
            let inside = !lower.is_empty() && (other.contains(&lower) || lower.contains(&other));
            let likeness = strsim::normalized_damerau_levenshtein(&lower, &other);
            // In thousandths: an order of numbers, not of fractions.
            ((likeness * 1000.0) as u64 + if inside { 300 } else { 0 }, id)
        })
        .filter(|(likeness, _)| *likeness >= 500)
        .collect();
    all.sort_by_key(|(likeness, id)| (std::cmp::Reverse(*likeness), *id));
    all.dedup_by_key(|(_, id)| *id);
    all.into_iter().take(3).map(|(_, id)| plain(id)).collect()
}

/// Keeps the duties of one obligation.
fn only(told: &mut Vec<Explanation>, wanted: &str) -> Result<(), CliError> {
    let mut ids: Vec<String> = told.iter().flat_map(|t| t.duties.iter().map(|d| d.obligation.clone())).collect();
    for one in told.iter_mut() {
        one.duties.retain(|d| d.obligation == wanted);
    }
    told.retain(|t| !t.duties.is_empty());
    if told.is_empty() {
        ids.sort();
        ids.dedup();
        let has =
            if ids.is_empty() { "it has no duties".to_owned() } else { format!("it has duties of {}", ids.join(", ")) };
        return Err(CliError::Other(format!("no duty of `{}` on this subject\n  hint: {has}", plain(wanted))));
    }
    Ok(())
}

/// One line a duty, holder and note.
fn json_lines(told: &[Explanation]) -> String {
    let mut out = String::new();
    for one in told {
        let mut line = |record: &str, mut value: Value| {
            value["record"] = record.into();
            value["partner"] = one.partner.as_str().into();
            value["subject"] = one.subject.as_str().into();
            value["now"] = one.now.to_string().into();
            let _ = writeln!(out, "{value}");
        };
        one.duties.iter().for_each(|d| line("duty", json!(d)));
        one.holders.iter().for_each(|h| line("holder", json!(h)));
        one.notes.iter().for_each(|n| line("note", json!(n)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_nearest_ids_are_named_best_first() {
        let known = ["INC-2041", "INC-2014", "CHG-7", "INC-2042"];
        assert_eq!(nearest("INC-2041", known.into_iter())[0], "INC-2041");
        assert_eq!(nearest("inc2042", known.into_iter())[0], "INC-2042");
        assert_eq!(nearest("2014", known.into_iter()), ["INC-2014"]);
        assert!(nearest("zebra", known.into_iter()).is_empty());
    }
}
