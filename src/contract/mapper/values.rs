//! The fields that events carry, by name.

use super::places;
use crate::contract::code::Code;
use crate::contract::fields::{self, Fields};
use crate::contract::keys::mapper::{AS_WORDS, FIELD, LINKS};
use crate::contract::report::{Report, quote};
use crate::contract::words;
use crate::contract::yaml::{Entry, Node, Value};
use crate::mapper::{Clock, Evidence, Field, Place, Shape};

/// What every event of an adapter says by itself.
const TAKEN: &[(&str, &str)] = &[
    ("actor", "say `actor:`"),
    ("actortype", "say `type` under `actor:`"),
    ("rawdigest", "leave it out: it is the digest of the record"),
    ("rawref", "leave it out: it is where the record stood"),
];

/// Fields that name partners, where something goes from one to another or concerns several.
const PARTNERS: &[&str] = &["partners", "from", "to"];

pub(super) fn data(node: &Node, report: &mut Report<'_>) -> Option<Vec<Field>> {
    fields::every(fields::map(node, "`data`", report)?, |entry| {
        let named = name(entry, report);
        let field = field(entry, report);
        named.then_some(field?)
    })
}

/// A name that is free, and that a line of JSON can hold as it is.
fn name(entry: &Entry, report: &mut Report<'_>) -> bool {
    let name = entry.key.as_str();
    if !fields::is_name(name, entry.at, "a field's name", report) {
        return false;
    }
    if name.len() > 100 {
        report.error(Code::BadName, entry.at, format!("a field's name with {} bytes: 100 are the most", name.len()));
        return false;
    }
    let taken = TAKEN.iter().find(|(taken, _)| *taken == name).map(|(_, instead)| *instead);
    let link = LINKS.iter().any(|(kind, _)| *kind == name).then_some("put it under `links:`, with a pattern");
    if let Some(instead) = taken.or(link) {
        report.hinted(Code::Misplaced, entry.at, format!("{} is not said as data", quote(name)), instead);
        return false;
    }
    true
}

fn field(entry: &Entry, report: &mut Report<'_>) -> Option<Field> {
    let (name, node) = (entry.key.clone(), &entry.node);
    let what = format!("the field `{}`", entry.key.chars().take(40).collect::<String>());
    if !matches!(node.value, Value::Map(_)) {
        let place = Place { from: vec![places::path(node, &what, report)?], ..Place::default() };
        return sided(Field { name, required: false, shape: Shape::Text(place) }, entry, report);
    }
    let fields = Fields::of(node, &FIELD, report)?;
    let required = fields::optional(fields.get("required").map(|node| places::flag(node, "`required`", report)));
    let shape = shape(&fields, &what, report);
    let field = Field { name, required: required?.unwrap_or(false), shape: shape? };
    sided(field, entry, report)
}

fn shape(fields: &Fields<'_>, what: &str, report: &mut Report<'_>) -> Option<Shape> {
    let words: Vec<(&'static str, &'static str)> = AS_WORDS.iter().map(|(word, _)| (*word, *word)).collect();
    let said = fields::optional(fields.get("as").map(|node| fields::word(node, "what a field is", &words, report)))?;
    let word = said.unwrap_or("text");
    let may: &[&str] = match word {
        "text" if said.is_none() && fields.has("fixed") => &["fixed"],
        "text" | "list" => &["from", "as", "table", "like", "required"],
        "number" | "truth" => &["from", "as", "required"],
        "evidence" => &["from", "as", "uri", "sha256", "required"],
        // The reader of times speaks of zones.
        _ => &["from", "as", "zone", "required"],
    };
    let mut good = true;
    for key in ["fixed", "zone", "table", "like", "uri", "sha256", "required"] {
        let Some(entry) = fields.entry(key).filter(|_| !may.contains(&key)) else { continue };
        if key == "zone" {
            places::no_zone(fields, report);
        } else {
            let beside = if may == ["fixed"] { "`fixed`".to_owned() } else { format!("`as: {word}`") };
            let hint = match key {
                "uri" | "sha256" => "say `as: evidence`, or take it out",
                _ => "take one of them out",
            };
            report.hinted(Code::Misplaced, entry.at, format!("`{key}` beside {beside}"), hint);
        }
        good = false;
    }
    let from = |report: &mut Report<'_>| {
        let node = fields.need("from", report)?;
        places::paths(node, "`from`", report)
    };
    let shape = match word {
        "text" => Shape::Text(places::of_fields(fields, what, report)?),
        "list" => Shape::List(places::of_fields(fields, what, report)?),
        "number" => Shape::Number(from(report)?),
        "truth" => Shape::Truth(from(report)?),
        "evidence" => {
            let from = from(report);
            let uri = fields.need("uri", report).and_then(|node| places::path(node, "`uri`", report));
            let sha256 = fields::optional(fields.get("sha256").map(|node| places::path(node, "`sha256`", report)));
            Shape::Evidence(Evidence { from: from?, uri: uri?, sha256: sha256? })
        }
        _ => {
            let from = from(report);
            let form = if good { places::form(word, fields, report) } else { None };
            Shape::Time(Clock { from: from?, form: form?, quality: None })
        }
    };
    good.then_some(shape)
}

/// Whom an event concerns, or from whom to whom something goes, decides who owes: it is looked up, and never what a record likes.
fn bounded(field: Field, entry: &Entry, report: &mut Report<'_>) -> Option<Field> {
    let bound = match &field.shape {
        Shape::Text(place) | Shape::List(place) => {
            place.fixed.is_some() || place.table.is_some() || place.like.is_some()
        }
        _ => true,
    };
    if !bound {
        let message = format!("{}: partners that the record names at will", quote(&field.name));
        let hint = "add `table:` from what stands there to partners, `like:`, or `fixed:`";
        report.hinted(Code::Misplaced, entry.at, message, hint);
    }
    bound.then_some(field)
}

/// Which side did it decides who is in breach: it is one of two words, or unknown, and never what a record likes.
fn sided(field: Field, entry: &Entry, report: &mut Report<'_>) -> Option<Field> {
    if PARTNERS.contains(&field.name.as_str()) {
        return bounded(field, entry, report);
    }
    if field.name != "side" {
        return Some(field);
    }
    let known = |word: &&String| word.as_str() == "unknown" || words::SIDES.iter().any(|(side, _)| side == word);
    let said: Vec<&String> = match &field.shape {
        Shape::Text(Place { fixed, table, .. }) => fixed.iter().chain(table.iter().flat_map(|t| t.values())).collect(),
        _ => Vec::new(),
    };
    match said.iter().find(|word| !known(word)) {
        None if !said.is_empty() => Some(field),
        None => {
            let hint = "add `table:` from what stands there to `customer` and `partner`, or `fixed:`";
            report.hinted(Code::Misplaced, entry.at, "a side that the record names at will", hint);
            None
        }
        Some(word) => {
            let message = format!("no side is called {}", quote(word));
            report.misnamed(Code::UnknownWord, entry.node.at, message, word, ["customer", "partner", "unknown"]);
            None
        }
    }
}
