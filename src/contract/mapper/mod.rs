//! Mappers as people write them, read strictly into what the adapters work by ([`Mapper`]), as contracts are: all problems
//! of a file at once, and with one problem no mapper.

mod examples;
mod lint;
mod places;
mod states;
mod values;

use super::code::Code;
use super::fields::{self, Fields};
use super::keys::mapper::{LINK, LINKS, MAPPER, PLACE, TAKES, TELLING, TEST, TYPE};
use super::names::{Cx, Names};
use super::problem::Problem;
use super::report::{Report, quote};
use super::yaml::{self, Entry, Node, Value};
use super::{asides, finish, include, load};
use crate::mapper::{Kind, Mapper, Order, Pattern, Place, Reading, Takes, Telling, Test};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;

/// Reads one mapper from its text; `origin` is how problems name it.
///
/// # Errors
/// Everything that is wrong with it, in the order of its lines.
pub fn mapper(text: &str, origin: &str) -> Result<Mapper, Vec<Problem>> {
    let mut report = Report::new(origin, text);
    let root = yaml::tree(text, &mut report);
    let (mapper, report) = whole(root, report);
    finish(mapper, report)
}

/// The same from a file; `-` is standard input.
///
/// # Errors
/// It cannot be read, or everything that is wrong with it.
pub fn mapper_file(path: &Path) -> Result<Mapper, Vec<Problem>> {
    mapper(&load::read(path)?, &path.display().to_string())
}

/// Everything that is wrong with a mapper; where there are no errors, what it may say and rarely means.
pub fn mapper_problems(text: &str, origin: &str) -> Vec<Problem> {
    let mut report = Report::new(origin, text);
    let root = yaml::tree(text, &mut report);
    linted(root, report)
}

/// Whether a file is a mapper.
pub(super) fn is_mapper(root: &Node) -> bool {
    root.get("mapper").is_some() && root.get("contract").is_none()
}

/// The same of a file that has been taken apart already.
pub(super) fn linted(root: Option<Node>, report: Report<'_>) -> Vec<Problem> {
    let again = root.clone();
    let (mapper, mut report) = whole(root, report);
    if let (Some(root), Some(mapper), true) = (&again, &mapper, report.is_clean()) {
        lint::run(root, mapper, &mut report);
    }
    match mapper {
        Some(_) => report.finish(),
        None => finish(mapper, report).err().unwrap_or_default(),
    }
}

fn whole<'t>(root: Option<Node>, report: Report<'t>) -> (Option<Mapper>, Report<'t>) {
    let Some(root) = root else { return (None, report) };
    let mut cx = Cx { names: Names::of(&root), parts: include::Parts::default(), report };
    let mapper = read(&root, &mut cx);
    (mapper, cx.report)
}

fn read(root: &Node, cx: &mut Cx<'_>) -> Option<Mapper> {
    let fields = Fields::of(root, &MAPPER, &mut cx.report)?;
    let report = &mut cx.report;
    let name = fields.need("mapper", report).and_then(|node| fields::name(node, "a mapper's name", report));
    let says = fields::optional(fields.get("says").map(|node| fields::text(node, "`says`", report)));
    if let Some(node) = fields.get("events") {
        asides::events(node, cx);
    }
    let report = &mut cx.report;
    let takes = fields::optional(fields.get("takes").map(|node| takes(node, report)));
    let each = fields::optional(fields.get("each").map(|node| places::path(node, "`each`", report)));
    let id = fields.need("id", report).and_then(|node| places::path(node, "`id`", report));
    let order = fields::optional(fields.get("order").map(|node| order(node, report)));
    let reading = reading(&fields, cx);
    let report = &mut cx.report;
    let rows = fields.has("state") && !fields.has("type");
    let time = fields::optional(fields.get("time").map(|node| places::clock(node, "`time`", report)));
    let subject = fields.need("subject", report).and_then(|node| places::place(node, "`subject`", report));
    let partner = fields.need("partner", report).and_then(|node| partner(node, report));
    let factkey = fields::optional(fields.get("factkey").map(|node| places::place(node, "`factkey`", report)));
    let actor = fields::optional(fields.entry("actor").map(|entry| {
        if rows {
            let hint = "put it under `tells`, where the field names who did just that, like `approved_by`";
            let message = "whoever wrote a row last need not have done what it shows";
            report.hinted(Code::Misplaced, entry.at, message, hint);
            return None;
        }
        places::actor(&entry.node, report)
    }));
    let links = fields::optional(fields.get("links").map(|node| links(node, report)));
    let data = fields::optional(fields.get("data").map(|node| values::data(node, report)));
    let tells = fields::optional(fields.get("tells").map(|node| tells(node, cx)));
    let examples = fields::optional(fields.get("examples").map(|node| examples::read(node, cx)));
    says?;
    let mapper = Mapper {
        name: name?,
        takes: takes?.unwrap_or_default(),
        each: each?,
        id: id?,
        order: order?,
        reading: reading?,
        time: time?,
        subject: subject?,
        partner: partner?,
        factkey: factkey?,
        actor: actor?,
        links: links?.unwrap_or_default(),
        data: data?.unwrap_or_default(),
        events: tells?.unwrap_or_default(),
        examples: examples?.unwrap_or_default(),
        digest: digest(root),
    };
    let good = timed(&mapper, &fields, &mut cx.report) && proven(&mapper, &fields, &mut cx.report);
    good.then_some(mapper)
}

/// An event of a log has a time, or none could be told.
fn timed(mapper: &Mapper, fields: &Fields<'_>, report: &mut Report<'_>) -> bool {
    if mapper.time.is_some() || matches!(mapper.reading, Reading::Rows(_)) {
        return true;
    }
    let timed = |kind: &&str| mapper.events.get(*kind).is_some_and(|telling| telling.time.is_some());
    match mapper.types().into_iter().find(|kind| !timed(kind)) {
        Some(kind) => {
            let message = format!("a mapper of a log without a `time`: when {kind} happened could not be said");
            report.hinted(Code::MissingKey, fields.at, message, "add `time:`, or one for each type under `tells`");
            false
        }
        None => true,
    }
}

/// What a row tells that was forgotten and is seen again must have the ids that it had: made of what proves it.
fn proven(mapper: &Mapper, fields: &Fields<'_>, report: &mut Report<'_>) -> bool {
    let (Reading::Rows(states), Some(entry)) = (&mapper.reading, fields.entry("over")) else { return true };
    let timed = |kind: &&String| mapper.events.get(*kind).is_some_and(|telling| telling.time.is_some());
    let told = states.over.iter().filter_map(|state| Some((state, states.first.get(state)?)));
    let unproven = told.filter_map(|(state, kinds)| Some((state, kinds.iter().find(|kind| !timed(kind))?))).next();
    let Some((state, kind)) = unproven else { return true };
    let message = format!(
        "a row that is {} is forgotten, and if it came again, {kind} would be told under another id: nothing proves when it was",
        quote(state)
    );
    let hint = format!("add `time` to `{kind}` under `tells`, or take the state out of `over`");
    report.hinted(Code::MissingKey, entry.at, message, hint);
    false
}

/// A log, or rows.
fn reading(fields: &Fields<'_>, cx: &mut Cx<'_>) -> Option<Reading> {
    let report = &mut cx.report;
    match (fields.entry("type"), fields.entry("state")) {
        (Some(entry), None) => {
            let mut good = true;
            for key in ["first-sight", "changes", "over"] {
                if let Some(entry) = fields.entry(key) {
                    let message = format!("`{key}` speaks of rows, and `type` of a log");
                    report.hinted(Code::Misplaced, entry.at, message, "take it out, or say `state` instead of `type`");
                    good = false;
                }
            }
            let kind = kind(&entry.node, cx);
            good.then_some(Reading::Log(kind?))
        }
        (None, Some(entry)) => states::read(&entry.node, fields, cx).map(Reading::Rows),
        (Some(_), Some(entry)) => {
            let message = "a mapper with both `type` and `state`: a record is an event, or a row as it is now";
            report.hinted(Code::NoReading, entry.at, message, "keep `type` for a log, `state` for rows");
            None
        }
        (None, None) => {
            if !fields.is_meant("type") && !fields.is_meant("state") {
                let hint =
                    "add `type:` if each record is something that happened, `state:` if it is a row as it is now";
                report.hinted(Code::NoReading, fields.at, "a mapper that does not say what its records are", hint);
            }
            None
        }
    }
}

/// Always one type, or one by a table.
fn kind(node: &Node, cx: &mut Cx<'_>) -> Option<Kind> {
    if !matches!(node.value, Value::Map(_)) {
        return cx.event(node).map(Kind::Fixed);
    }
    let fields = Fields::of(node, &TYPE, &mut cx.report)?;
    let report = &mut cx.report;
    let from = fields.need("from", report).and_then(|node| places::paths(node, "`from`", report));
    let table = fields.need("table", report).and_then(|node| fields::map(node, "`table`", report));
    let table = table.and_then(|entries| {
        fields::every(entries, |entry| {
            let said = places::said(entry, "a row", &mut cx.report);
            let kind = match &entry.node.value {
                Value::Scalar { text, .. } if text == states::NOTHING => Some(None),
                _ => cx.event(&entry.node).map(Some),
            };
            Some((said?, kind?))
        })
    });
    Some(Kind::Table(from?, table?.into_iter().collect()))
}

fn takes(node: &Node, report: &mut Report<'_>) -> Option<Takes> {
    let fields = Fields::of(node, &TAKES, report)?;
    let topics = fields::optional(fields.get("topics").map(|node| {
        let items = fields::one_or_more(node, "`topics`", report)?;
        fields::every(items, |item| {
            let topic = fields::text(item, "a topic", report)?;
            let rest = topic.strip_suffix('*').unwrap_or(topic);
            if rest.contains('*') {
                let message = format!("{} is neither a topic nor the beginning of one", quote(topic));
                report.hinted(Code::BadName, item.at, message, "a `*` stands at the end, for any rest");
                return None;
            }
            Some(topic.to_owned())
        })
    }));
    let tests = fields::optional(fields.get("where").map(|node| {
        fields::every(fields::map(node, "`where`", report)?, |entry| {
            let path = places::key_path(entry, report);
            let test = test(&entry.node, report);
            Some((path?, test?))
        })
    }));
    Some(Takes { topics: topics?.unwrap_or_default(), tests: tests?.unwrap_or_default() })
}

fn test(node: &Node, report: &mut Report<'_>) -> Option<Test> {
    if matches!(node.value, Value::Map(_)) {
        let fields = Fields::of(node, &TEST, report)?;
        let flag = fields.need("exists", report)?;
        return places::flag(flag, "`exists`", report).map(Test::Exists);
    }
    let items = fields::one_or_more(node, "what a field says", report)?;
    let words = fields::every(items, |item| places::word(item, "what a field says", report))?;
    Some(Test::OneOf(words.into_iter().collect()))
}

/// A path to a number that grows, or a time.
fn order(node: &Node, report: &mut Report<'_>) -> Option<Order> {
    match node.value {
        Value::Map(_) => places::clock(node, "`order`", report).map(Order::Time),
        _ => places::path(node, "`order`", report).map(Order::Count),
    }
}

/// A record must not be able to name whom it likes.
fn partner(node: &Node, report: &mut Report<'_>) -> Option<Place> {
    let place = places::place(node, "`partner`", report)?;
    let mut names = place.fixed.iter().chain(place.table.iter().flat_map(|table| table.values()));
    if let Some(name) = names.find(|name| name.len() > 1024) {
        let message = format!("{} has {} bytes, and no partner's name has more than 1,024", quote(name), name.len());
        report.error(Code::BadName, node.at, message);
        return None;
    }
    // A key that is misspelt has been reported, and may have been the one that is missed.
    let misspelt = matches!(&node.value, Value::Map(entries) if entries.iter().any(|e| PLACE.key(&e.key).is_none()));
    if misspelt {
        return None;
    }
    if place.fixed.is_none() && place.table.is_none() && place.like.is_none() {
        let message = "a partner that the record names at will";
        let hint = "add `table:` from what stands there to the partners' names, or `like:` with a pattern of them";
        report.hinted(Code::FreePartner, node.at, message, hint);
        return None;
    }
    if place.table.is_none() && place.like.as_ref().is_some_and(Pattern::is_open) {
        let message = "a partner that the record names at will: the pattern lets any name pass";
        report.hinted(
            Code::FreePartner,
            node.at,
            message,
            "say what the partners' names have in common, or add `table:`",
        );
        return None;
    }
    Some(place)
}

fn links(node: &Node, report: &mut Report<'_>) -> Option<Vec<(String, Place)>> {
    let kinds: Vec<&str> = LINKS.iter().map(|(kind, _)| *kind).collect();
    Fields::among(node, "`links`", &kinds, report)?;
    fields::every(fields::map(node, "`links`", report)?, |entry| {
        // It has been reported.
        kinds.contains(&entry.key.as_str()).then_some(())?;
        let fields = Fields::of(&entry.node, &LINK, report)?;
        let from = fields.need("from", report).and_then(|node| places::paths(node, "`from`", report));
        let like = fields.need("like", report).and_then(|node| {
            let like = places::pattern(node, report)?;
            if like.is_open() {
                let message = format!("{} lets any remark pass for a link", quote(like.text()));
                report.hinted(
                    Code::BadPattern,
                    node.at,
                    message,
                    "say what the names have in common, like `INC[0-9]{7}`",
                );
                return None;
            }
            Some(like)
        });
        Some((entry.key.clone(), Place { from: from?, like: Some(like?), ..Place::default() }))
    })
}

fn tells(node: &Node, cx: &mut Cx<'_>) -> Option<BTreeMap<String, Telling>> {
    let entries = fields::map(node, "`tells`", &mut cx.report)?;
    let all = fields::every(entries, |entry| {
        let kind = cx.event(&key_of(entry));
        let report = &mut cx.report;
        let fields = Fields::of(&entry.node, &TELLING, report)?;
        let time = fields::optional(fields.get("time").map(|node| places::clock(node, "`time`", report)));
        let actor = fields::optional(fields.get("actor").map(|node| places::actor(node, report)));
        let data = fields::optional(fields.get("data").map(|node| values::data(node, report)));
        Some((kind?, Telling { time: time?, actor: actor?, data: data?.unwrap_or_default() }))
    })?;
    Some(all.into_iter().collect())
}

/// A key as if it were a value, for readers of values.
fn key_of(entry: &Entry) -> Node {
    Node { at: entry.at, value: Value::Scalar { text: entry.key.clone(), quoted: entry.quoted } }
}

/// Of the whole tree without what changes nothing: comments, places, remarks, examples, and the order of keys.
fn digest(root: &Node) -> [u8; 32] {
    let mut text = String::new();
    if let Value::Map(entries) = &root.value {
        sorted(entries, |entry| !["says", "examples"].contains(&entry.key.as_str()), &mut text);
    }
    Sha256::digest(text.as_bytes()).into()
}

fn sorted(entries: &[Entry], counts: impl Fn(&Entry) -> bool, out: &mut String) {
    let mut entries: Vec<&Entry> = entries.iter().filter(|entry| counts(entry)).collect();
    entries.sort_by(|a, b| a.key.cmp(&b.key));
    for entry in entries {
        *out += &format!("{:?}:", entry.key);
        canonical(&entry.node, out);
    }
}

fn canonical(node: &Node, out: &mut String) {
    match &node.value {
        Value::Scalar { .. } if node.is_null() => out.push('~'),
        Value::Scalar { text, .. } => *out += &format!("{text:?}"),
        Value::List(items) => {
            out.push('[');
            items.iter().for_each(|item| canonical(item, out));
            out.push(']');
        }
        Value::Map(entries) => {
            out.push('{');
            sorted(entries, |_| true, out);
            out.push('}');
        }
    }
    out.push(',');
}
