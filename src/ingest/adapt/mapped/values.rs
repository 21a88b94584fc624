//! What stands where in a record, as a mapper says it.

use crate::ingest::adapt::codes::{Error, No, quoted};
use crate::ingest::adapt::event::{Evidence, Quality, Value};
use crate::ingest::adapt::time::{EARLIEST_MS, day, epoch_ms, local, rfc3339};
use crate::ingest::adapt::tree::Tree;
use crate::mapper::{self, Clock, Field, Form, Path, Place, Shape, Step};
use onus_engine::time::Moment;
use std::borrow::Cow;

/// What holds nothing.
static NOTHING: Tree<'static> = Tree::Null;

/// A longer reference is none that anybody follows.
const LONGEST_URI: usize = 2048;

/// What stands at a path; null where nothing stands.
pub(super) fn item_at<'t, 'a>(tree: &'t Tree<'a>, path: &Path) -> &'t Tree<'a> {
    path.steps().iter().fold(tree, |tree, step| match step {
        Step::Key(key) => tree.at(key),
        Step::Item(n) => tree.list().get(*n).unwrap_or(nothing()),
    })
}

fn nothing<'b, 'a>() -> &'b Tree<'a> {
    let nothing: &'static Tree<'static> = &NOTHING;
    nothing
}

/// Null, a text of blanks and an empty list say nothing.
pub(super) fn is_there(tree: &Tree<'_>) -> bool {
    match tree {
        Tree::Null => false,
        Tree::Text(text) => !text.trim().is_empty(),
        Tree::List(items) => !items.is_empty(),
        _ => true,
    }
}

/// The first of the places that says something.
pub(super) fn first<'t, 'a, 'p>(tree: &'t Tree<'a>, from: &'p [Path]) -> Option<(&'p Path, &'t Tree<'a>)> {
    from.iter().map(|path| (path, item_at(tree, path))).find(|(_, found)| is_there(found))
}

/// A word that can be compared: a text, a whole number, or a truth.
pub(super) fn said<'t>(tree: &'t Tree<'_>) -> Option<Cow<'t, str>> {
    match tree {
        Tree::Bool(true) => Some(Cow::Borrowed("true")),
        Tree::Bool(false) => Some(Cow::Borrowed("false")),
        _ => tree.word(),
    }
}

/// What something is, for people: short where it is a word, its kind where it is none.
pub(super) fn shown(tree: &Tree<'_>) -> String {
    match tree {
        Tree::Null => "nothing".to_owned(),
        Tree::Broken => "a number that is no whole one".to_owned(),
        Tree::List(_) => "a list".to_owned(),
        Tree::Map(_) => "an object".to_owned(),
        _ => said(tree).map_or_else(|| "an empty text".to_owned(), |word| quoted(&word)),
    }
}

/// Places, for people.
pub(super) fn list(from: &[Path]) -> String {
    from.iter().map(Path::to_string).collect::<Vec<_>>().join(", ")
}

/// What a word at a place means. None: nothing stands there.
pub(super) fn word(tree: &Tree<'_>, place: &Place, what: &str, wrong: Error) -> Result<Option<String>, No> {
    if let Some(fixed) = &place.fixed {
        return Ok(Some(fixed.clone()));
    }
    match first(tree, &place.from) {
        Some((path, found)) => meant(found, path, place, what, wrong).map(Some),
        None => Ok(None),
    }
}

/// The same, where several may stand.
pub(super) fn words(tree: &Tree<'_>, place: &Place, what: &str, wrong: Error) -> Result<Vec<String>, No> {
    match (&place.fixed, first(tree, &place.from)) {
        (Some(fixed), _) => Ok(vec![fixed.clone()]),
        (None, Some((path, Tree::List(items)))) => {
            items.iter().filter(|item| is_there(item)).map(|item| meant(item, path, place, what, wrong)).collect()
        }
        (None, Some((path, found))) => Ok(vec![meant(found, path, place, what, wrong)?]),
        (None, None) => Ok(Vec::new()),
    }
}

fn meant(found: &Tree<'_>, path: &Path, place: &Place, what: &str, wrong: Error) -> Result<String, No> {
    // Only where a table says what a truth means is it a word.
    let word = if place.table.is_some() { said(found) } else { found.word() };
    let Some(word) = word else {
        return No::error(wrong, format!("{what}: {path} is {}, and no text", shown(found)));
    };
    if place.like.as_ref().is_some_and(|like| !like.fits(&word)) {
        return No::error(wrong, format!("{what}: {path} is {}, and not like the pattern", quoted(&word)));
    }
    match &place.table {
        None => Ok(word.into_owned()),
        Some(table) => match table.get(word.as_ref()) {
            Some(meant) => Ok(meant.clone()),
            None => No::error(wrong, format!("{what}: {path} is {}, and the table has no such row", quoted(&word))),
        },
    }
}

/// A time, and how exact it is. None: nothing stands there, or zero, which is written for nothing.
pub(super) fn time(tree: &Tree<'_>, clock: &Clock) -> Result<Option<(Moment, Quality)>, No> {
    Ok(instant(tree, clock)?.map(|(at, twice)| {
        let said = match clock.quality {
            // What could be two instants is not exact, whoever says so.
            Some(mapper::Quality::Exact) | None if twice => Quality::UpperBound,
            Some(mapper::Quality::Exact) | None => Quality::Exact,
            Some(mapper::Quality::UpperBound) => Quality::UpperBound,
            Some(mapper::Quality::Received) => Quality::Received,
        };
        (at, said)
    }))
}

/// A time that must be one instant, because nothing could say of it that it is an upper bound.
pub(super) fn one_instant(tree: &Tree<'_>, clock: &Clock) -> Result<Option<Moment>, No> {
    match instant(tree, clock)? {
        Some((_, true)) => {
            let why =
                format!("{} is of an hour that the clocks showed twice, and could be two instants", list(&clock.from));
            No::error(Error::BadTime, why)
        }
        time => Ok(time.map(|(at, _)| at)),
    }
}

/// A time, of two instants the later, and whether there were two.
fn instant(tree: &Tree<'_>, clock: &Clock) -> Result<Option<(Moment, bool)>, No> {
    let Some((path, found)) = first(tree, &clock.from) else { return Ok(None) };
    let field = path.to_string();
    let (at, quality) = match clock.form {
        Form::EpochSeconds | Form::EpochMs => {
            let Some(count) = found.whole() else {
                let why = format!("{field} is {}, and no whole number since 1970", shown(found));
                return No::error(Error::BadTime, why);
            };
            if count == 0 {
                return Ok(None);
            }
            let each = if clock.form == Form::EpochSeconds { 1000 } else { 1 };
            (epoch_ms(&field, count.saturating_mul(each), EARLIEST_MS)?, Quality::Exact)
        }
        form => {
            let Tree::Text(text) = found else {
                if matches!(found, Tree::Whole(0)) {
                    return Ok(None);
                }
                return No::error(Error::BadTime, format!("{field} is {}, and no text of a time", shown(found)));
            };
            match form {
                Form::Local(zone) => local(&field, text, zone)?,
                Form::StartOfDay(zone) => day(&field, text, zone, false)?,
                Form::EndOfDay(zone) => day(&field, text, zone, true)?,
                Form::Rfc3339 | Form::EpochSeconds | Form::EpochMs => (rfc3339(&field, text)?, Quality::Exact),
            }
        }
    };
    Ok(Some((at, quality == Quality::UpperBound)))
}

/// What an event carries of a field. None: nothing stands there.
pub(super) fn value(tree: &Tree<'_>, field: &Field) -> Result<Option<Value>, No> {
    let what = format!("the field `{}`", field.name);
    let found = |from: &[Path]| first(tree, from).map(|(path, found)| (path.to_string(), found));
    let wrong = |path: &str, found: &Tree<'_>, wanted: &str| {
        No::error(Error::BadField, format!("{what}: {path} is {}, and no {wanted}", shown(found)))
    };
    let value = match &field.shape {
        Shape::Text(place) => word(tree, place, &what, of(place))?.map(Value::Text),
        Shape::List(place) => {
            let words = words(tree, place, &what, of(place))?;
            (!words.is_empty()).then_some(Value::List(words))
        }
        Shape::Number(from) => match found(from) {
            Some((path, tree)) => match tree.whole() {
                Some(number) => Some(Value::Whole(number)),
                None => return wrong(&path, tree, "whole number"),
            },
            None => None,
        },
        Shape::Truth(from) => match found(from) {
            Some((path, tree)) => match tree.truth() {
                Some(truth) => Some(Value::Bool(truth)),
                None => return wrong(&path, tree, "truth"),
            },
            None => None,
        },
        Shape::Time(clock) => one_instant(tree, clock)?.map(Value::At),
        Shape::Evidence(evidence) => match found(&evidence.from) {
            Some((path, tree)) => Some(Value::Evidence(references(tree, &path, evidence, &what)?)),
            None => None,
        },
    };
    match value {
        None if field.required => No::error(Error::BadField, format!("{what} must be there, and nothing says it")),
        value => Ok(value),
    }
}

/// What a word that has no meaning is: a table's gap is the settings' to close, anything else the record's.
fn of(place: &Place) -> Error {
    if place.table.is_some() { Error::UnmappedState } else { Error::BadField }
}

/// References to evidence: of each object two members, and nothing else.
fn references(found: &Tree<'_>, path: &str, evidence: &mapper::Evidence, what: &str) -> Result<Vec<Evidence>, No> {
    let items = match found {
        Tree::List(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let one = |item: &Tree<'_>| {
        let wrong = |why: String| No::error(Error::BadField, format!("{what}: at {path}, {why}"));
        let uri = item_at(item, &evidence.uri);
        let Some(text) = uri.text() else {
            return wrong(format!("{} is {}, and no reference", evidence.uri, shown(uri)));
        };
        if text.len() > LONGEST_URI || text.chars().any(char::is_control) {
            return wrong(format!("{} is {}, and no reference", evidence.uri, quoted(text)));
        }
        let digest = evidence.sha256.as_ref().map(|path| (path, item_at(item, path))).filter(|(_, d)| is_there(d));
        let sha256 = match digest {
            None => None,
            Some((path, digest)) => {
                let text = digest.text().unwrap_or_default().trim();
                let text = text.strip_prefix("sha256:").unwrap_or(text);
                if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
                    return wrong(format!("{path} is {}, and no SHA-256", shown(digest)));
                }
                Some(text.to_ascii_lowercase())
            }
        };
        Ok(Evidence { uri: text.to_owned(), sha256 })
    };
    items.iter().map(one).collect()
}
