//! Where an adapter works on one record: it looks at what is remembered, lays down events, and what it changed is taken back
//! if the item turns out to be unreadable. So an error leaves no trace, and one bad item of many spoils no other.

use super::codes::{Error, No, Skip, quoted};
use super::event::{Event, Quality, Value};
use super::exposure::{self, About};
use super::state::{Row, State};
use super::tree::Tree;
use onus_engine::time::Moment;
use std::borrow::Cow;

/// Names longer than this no record may have (docs/seams.md, section 1).
const LONGEST_NAME: usize = 1024;

/// What came of one record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// What it tells.
    pub events: Vec<Event>,
    /// Items that tell nothing, as it should be.
    pub skips: Vec<(Skip, String)>,
    /// Items that could not be read.
    pub errors: Vec<(Error, String)>,
}

/// What is the same for all events of a record.
#[derive(Clone, Debug)]
pub(super) struct Letterhead {
    pub(super) source: String,
    pub(super) recorded: Option<Moment>,
    pub(super) rawref: Option<String>,
    pub(super) max_text: usize,
}

pub(super) struct Desk<'s> {
    state: &'s mut State,
    head: Letterhead,
    undo: Vec<(String, Option<Row>)>,
    answer: Answer,
    /// Secrets were taken out of the record.
    marked: bool,
    /// The forms of those that are still to be told of.
    forms: Vec<&'static str>,
    about: Option<About>,
}

/// An event in the making: what must be said of each. Its names are our own words; a mapper's are its author's.
#[derive(Clone, Debug)]
pub(super) struct Told<N = &'static str> {
    pub(super) id: String,
    pub(super) kind: N,
    pub(super) at: Moment,
    pub(super) quality: Quality,
    pub(super) subject: String,
    pub(super) partner: String,
    pub(super) factkey: Option<String>,
    pub(super) sequence: Option<String>,
    pub(super) correlation: Option<String>,
    pub(super) data: Vec<(N, Value)>,
}

impl<'s> Desk<'s> {
    pub(super) fn new(state: &'s mut State, head: Letterhead) -> Desk<'s> {
        let (undo, answer, forms) = (Vec::new(), Answer::default(), Vec::new());
        Desk { state, head, undo, answer, marked: false, forms, about: None }
    }

    /// What is remembered of a record of the source.
    pub(super) fn known(&self, id: &str) -> Option<&Row> {
        self.state.get(id)
    }

    /// Remembers.
    pub(super) fn remember(&mut self, id: &str, row: Row) {
        let before = self.state.put(id, Some(row));
        self.undo.push((id.to_owned(), before));
    }

    /// Forgets.
    pub(super) fn forget(&mut self, id: &str) {
        let before = self.state.put(id, None);
        self.undo.push((id.to_owned(), before));
    }

    /// When the record was received, if that is known.
    pub(super) fn received(&self) -> Option<Moment> {
        self.head.recorded
    }

    /// Secrets of these forms were taken out of the record.
    pub(super) fn exposed(&mut self, forms: Vec<&'static str>) {
        self.marked = !forms.is_empty();
        self.forms = forms;
    }

    /// Which ticket or change the record speaks of, and when it was so: known even where nothing is told of it.
    pub(super) fn about(&mut self, subject: &str, partner: &str, at: Moment) {
        if self.marked {
            self.about = Some(About { subject: subject.to_owned(), partner: partner.to_owned(), at });
        }
    }

    /// Lays down an event.
    pub(super) fn tell<N: Into<Cow<'static, str>>>(&mut self, told: Told<N>) -> Result<(), No> {
        let Told { id, kind, at, quality, subject, partner, factkey, sequence, correlation, data } = told;
        let kind = kind.into();
        let mut data: Vec<(Cow<'static, str>, Value)> =
            data.into_iter().map(|(name, value)| (name.into(), value)).collect();
        for (what, name, code) in [
            ("its id", &id, Error::MissingId),
            ("its subject", &subject, Error::MissingSubject),
            ("its partner", &partner, Error::UnknownPartner),
        ] {
            fits(what, name, code)?;
        }
        for (_, value) in &mut data {
            shorten(value, self.head.max_text);
        }
        if let Some(place) = &self.head.rawref {
            data.push(("rawref".into(), Value::Text(place.clone())));
        }
        let Letterhead { source, recorded, .. } = self.head.clone();
        let event =
            Event { id, source, kind, at, quality, subject, partner, factkey, recorded, sequence, correlation, data };
        self.answer.events.push(event);
        Ok(())
    }

    /// Works on one of the items that a record is made of.
    pub(super) fn item_of(&mut self, tree: &Tree<'_>, work: impl FnOnce(&mut Self) -> Result<(), No>) {
        if self.marked {
            // A secret is exposed with what its own item tells, and not with its neighbours'.
            self.forms = exposure::forms(tree);
            self.about = None;
        }
        self.item(work);
    }

    /// Works on one item. An error takes back what the item has changed.
    pub(super) fn item(&mut self, work: impl FnOnce(&mut Self) -> Result<(), No>) {
        let (events, changes) = (self.answer.events.len(), self.undo.len());
        match work(self) {
            Ok(()) => self.tell_exposure(events, changes),
            Err(No::Skip(code, why)) => {
                self.answer.events.truncate(events);
                self.answer.skips.push((code, why));
                self.tell_exposure(events, changes);
            }
            Err(No::Error(code, why)) => {
                self.answer.events.truncate(events);
                for (id, before) in self.undo.drain(changes..).rev() {
                    self.state.put(&id, before);
                }
                self.answer.errors.push((code, why));
                // A dead letter; when it is read again, this is told, too.
                self.forms.clear();
            }
        }
    }

    /// Tells that secrets stood in the item whose events and changes begin there, if it says what they are of.
    fn tell_exposure(&mut self, from: usize, changes: usize) {
        let forms = std::mem::take(&mut self.forms);
        if forms.is_empty() {
            return;
        }
        let of = self.undo[changes..].first().map(|(id, _)| id.as_str());
        let told = exposure::told(&self.answer.events[from..], self.about.take(), forms, of, |id| self.state.get(id));
        for (told, row) in told {
            if let Some((id, row)) = row {
                self.remember(&id, row);
            }
            // Its names are those of an event that was told, or of a ticket's row, which fit.
            let _ = self.tell(told);
        }
    }

    /// What came of it.
    pub(super) fn answer(self) -> Answer {
        let mut answer = self.answer;
        if answer.events.is_empty() && answer.skips.is_empty() && answer.errors.is_empty() {
            answer.skips.push((Skip::NotRelevant, "there is nothing in it".to_owned()));
        }
        answer
    }
}

/// As much of a text as is kept: nobody's description of hundreds of kilobytes becomes part of a fact.
fn shorten(value: &mut Value, most: usize) {
    let cut = |text: &mut String| {
        let mut end = text.len().min(most);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    };
    match value {
        Value::Text(text) => cut(text),
        Value::List(items) => items.iter_mut().for_each(cut),
        // A reference that was cut leads elsewhere: whoever makes one sees to its length.
        Value::Null | Value::Bool(_) | Value::Whole(_) | Value::At(_) | Value::Evidence(_) => {}
    }
}

/// A name that an event may have.
fn fits(what: &str, name: &str, missing: Error) -> Result<(), No> {
    if name.is_empty() {
        return No::error(missing, format!("{what} is empty"));
    }
    if name.len() > LONGEST_NAME {
        let why =
            format!("{what} has {} bytes, and no name has more than {LONGEST_NAME}: {}", name.len(), quoted(name));
        return No::error(Error::TooLarge, why);
    }
    if name.chars().any(char::is_control) {
        return No::error(missing, format!("{what} holds a control character: {}", quoted(name)));
    }
    Ok(())
}

/// Of who did it: a person, a program, or nobody that the source would name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ActorType {
    Human,
    App,
    Service,
    Unknown,
}

impl ActorType {
    pub(super) fn word(self) -> &'static str {
        match self {
            ActorType::Human => "human",
            ActorType::App => "app",
            ActorType::Service => "service",
            ActorType::Unknown => "unknown",
        }
    }
}

/// The two fields that say who did it. Null is said, not left out: nobody is known is news, too.
pub(super) fn actor(who: Option<&str>, kind: ActorType) -> [(&'static str, Value); 2] {
    let who = who.map_or(Value::Null, Value::from);
    [("actor", who), ("actortype", Value::from(kind.word()))]
}
