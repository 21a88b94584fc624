//! Where things stand: paths, words, times, people.

use crate::contract::code::Code;
use crate::contract::dates;
use crate::contract::fields::{self, Fields};
use crate::contract::keys::mapper::{ACTOR, ACTOR_WORDS, PLACE, QUALITY_WORDS, TIME, TIME_WORDS};
use crate::contract::report::{At, Report, quote};
use crate::contract::yaml::{Entry, Node, Value};
use crate::mapper::{Actor, Clock, Form, Path, Pattern, Place, Quality};
use std::collections::BTreeMap;

/// What `exists` and `required` may be.
const FLAGS: &[(&str, bool)] = &[("true", true), ("false", false)];

pub(super) fn flag(node: &Node, what: &str, report: &mut Report<'_>) -> Option<bool> {
    fields::word(node, what, FLAGS, report)
}

/// A path in a record.
pub(super) fn path(node: &Node, what: &str, report: &mut Report<'_>) -> Option<Path> {
    parsed(fields::text(node, what, report)?, node.at, report)
}

/// A key that is a path.
pub(super) fn key_path(entry: &Entry, report: &mut Report<'_>) -> Option<Path> {
    parsed(&entry.key, entry.at, report)
}

fn parsed(text: &str, at: At, report: &mut Report<'_>) -> Option<Path> {
    match Path::parse(text) {
        Ok(path) => Some(path),
        Err(error) => {
            let hint = "write it like `vendor.name`, `approvals[0].by` or `labels[\"app.name\"]`";
            report.hinted(Code::BadPath, at, format!("{} is no path: {error}", quote(text)), hint);
            None
        }
    }
}

/// One path, or several of which the first that says something counts.
pub(super) fn paths(node: &Node, what: &str, report: &mut Report<'_>) -> Option<Vec<Path>> {
    let items = fields::one_or_more(node, what, report)?;
    fields::every(items, |item| path(item, what, report))
}

/// A word as a record would say it.
pub(super) fn word(node: &Node, what: &str, report: &mut Report<'_>) -> Option<String> {
    let text = fields::text(node, what, report)?;
    let quoted = matches!(node.value, Value::Scalar { quoted: true, .. });
    fields::canonical(text, quoted, node.at, what, report)
}

/// A key that a record would say.
pub(super) fn said(entry: &Entry, what: &str, report: &mut Report<'_>) -> Option<String> {
    fields::canonical(&entry.key, entry.quoted, entry.at, what, report)
}

/// Words by words.
pub(super) fn table(node: &Node, report: &mut Report<'_>) -> Option<BTreeMap<String, String>> {
    let entries = fields::map(node, "`table`", report)?;
    let rows = fields::every(entries, |entry| {
        let said = said(entry, "a row", report);
        let meant = word(&entry.node, "what a row means", report);
        Some((said?, meant?))
    })?;
    Some(rows.into_iter().collect())
}

/// A regular expression.
pub(super) fn pattern(node: &Node, report: &mut Report<'_>) -> Option<Pattern> {
    let text = fields::text(node, "`like`", report)?;
    match Pattern::parse(text) {
        Ok(pattern) => Some(pattern),
        Err(why) => {
            let message = format!("{} is no pattern: {why}", quote(text));
            let hint = "write a regular expression of the whole text, like `INC[0-9]{7}`, in quotes";
            report.hinted(Code::BadPattern, node.at, message, hint);
            None
        }
    }
}

/// Where a word stands.
pub(super) fn place(node: &Node, what: &str, report: &mut Report<'_>) -> Option<Place> {
    if !matches!(node.value, Value::Map(_)) {
        return path(node, what, report).map(|path| Place { from: vec![path], ..Place::default() });
    }
    let fields = Fields::of(node, &PLACE, report)?;
    of_fields(&fields, what, report)
}

/// The same, of a block that may say more.
pub(super) fn of_fields(fields: &Fields<'_>, what: &str, report: &mut Report<'_>) -> Option<Place> {
    let from = fields::optional(fields.get("from").map(|node| paths(node, "`from`", report)));
    let fixed = fields::optional(fields.get("fixed").map(|node| word(node, "`fixed`", report)));
    let table = fields::optional(fields.get("table").map(|node| table(node, report)));
    let like = fields::optional(fields.get("like").map(|node| pattern(node, report)));
    let mut good = true;
    if let (Some(_), Some(entry)) =
        (fields.get("fixed"), ["from", "table", "like"].into_iter().find_map(|key| fields.entry(key)))
    {
        let message = format!("`{}` beside `fixed`, which says always the same", entry.key);
        report.hinted(Code::Misplaced, entry.at, message, "keep one of them");
        good = false;
    }
    if !fields.has("fixed") && !fields.has("from") {
        if !fields.is_meant("from") && !fields.is_meant("fixed") {
            let message = format!("{what} does not say where it stands");
            report.hinted(Code::MissingKey, fields.at, message, "add `from:` with a path, or `fixed:` with a word");
        }
        good = false;
    }
    let place = Place { from: from?.unwrap_or_default(), fixed: fixed?, table: table?, like: like? };
    good.then_some(place)
}

/// Where a time stands.
pub(super) fn clock(node: &Node, what: &str, report: &mut Report<'_>) -> Option<Clock> {
    if !matches!(node.value, Value::Map(_)) {
        let from = vec![path(node, what, report)?];
        return Some(Clock { from, form: Form::Rfc3339, quality: None });
    }
    let fields = Fields::of(node, &TIME, report)?;
    let from = fields.need("from", report).and_then(|node| paths(node, "`from`", report));
    let form = match fields.get("as") {
        Some(node) => {
            let words: Vec<(&str, &str)> = TIME_WORDS.iter().map(|(word, _)| (*word, *word)).collect();
            fields::word(node, "how a time is written", &words, report).and_then(|word| form(word, &fields, report))
        }
        None => form("rfc3339", &fields, report),
    };
    let qualities: Vec<(&str, Quality)> = QUALITY_WORDS
        .iter()
        .map(|(word, _)| *word)
        .zip([Quality::Exact, Quality::UpperBound, Quality::Received])
        .collect();
    let quality =
        fields::optional(fields.get("timequality").map(|node| fields::word(node, "`timequality`", &qualities, report)));
    Some(Clock { from: from?, form: form?, quality: quality? })
}

/// How a time is written. A local one means nothing without a zone, and a zone nothing beside an instant.
pub(super) fn form(word: &str, fields: &Fields<'_>, report: &mut Report<'_>) -> Option<Form> {
    let zone = fields::optional(fields.get("zone").map(|node| dates::zone(node, report)))?;
    let local: Option<fn(chrono_tz::Tz) -> Form> = match word {
        "local" => Some(Form::Local),
        "start-of-day" => Some(Form::StartOfDay),
        "end-of-day" => Some(Form::EndOfDay),
        _ => None,
    };
    match (local, zone) {
        (Some(local), Some(zone)) => Some(local(zone)),
        (Some(_), None) => {
            let at = fields.get("as").map_or(fields.at, |node| node.at);
            if !fields.is_meant("zone") {
                let hint = "add `zone:`, like UTC or Europe/Warsaw: the zone of whoever the source is read as";
                report.hinted(
                    Code::MissingKey,
                    at,
                    format!("`{word}` without a `zone` could be several instants"),
                    hint,
                );
            }
            None
        }
        (None, Some(_)) => {
            no_zone(fields, report);
            None
        }
        (None, None) => match word {
            "epoch-seconds" => Some(Form::EpochSeconds),
            "epoch-ms" => Some(Form::EpochMs),
            _ => Some(Form::Rfc3339),
        },
    }
}

/// A zone where no local time is.
pub(super) fn no_zone(fields: &Fields<'_>, report: &mut Report<'_>) {
    if let Some(entry) = fields.entry("zone") {
        let hint = "take it out, or say `as: local`";
        report.hinted(Code::Misplaced, entry.at, "a zone of something that is no local time", hint);
    }
}

/// Who did it.
pub(super) fn actor(node: &Node, report: &mut Report<'_>) -> Option<Actor> {
    if !matches!(node.value, Value::Map(_)) {
        let from = vec![path(node, "`actor`", report)?];
        return Some(Actor { from, nobody: Default::default(), kind: "unknown" });
    }
    let fields = Fields::of(node, &ACTOR, report)?;
    let from = fields.need("from", report).and_then(|node| paths(node, "`from`", report));
    let nobody = fields::optional(fields.get("nobody").map(|node| {
        let items = fields::one_or_more(node, "`nobody`", report)?;
        fields::every(items, |item| word(item, "a name", report))
    }));
    let kinds: Vec<(&'static str, &'static str)> = ACTOR_WORDS.iter().map(|(word, _)| (*word, *word)).collect();
    let kind = fields::optional(fields.get("type").map(|node| fields::word(node, "an actor's type", &kinds, report)));
    Some(Actor {
        from: from?,
        nobody: nobody?.unwrap_or_default().into_iter().collect(),
        kind: kind?.unwrap_or("unknown"),
    })
}
