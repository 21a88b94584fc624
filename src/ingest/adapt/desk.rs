//! Where an adapter works on one record: it looks at what is remembered, lays down events, and what it changed is taken back
//! if the item turns out to be unreadable. So an error leaves no trace, and one bad item of many spoils no other.

use super::codes::{Error, No, Skip, quoted};
use super::event::{Event, Quality, Value};
use super::state::{Row, State};
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
        Desk { state, head, undo: Vec::new(), answer: Answer::default() }
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

    /// Works on one item. An error takes back what the item has changed.
    pub(super) fn item(&mut self, work: impl FnOnce(&mut Self) -> Result<(), No>) {
        let (events, changes) = (self.answer.events.len(), self.undo.len());
        match work(self) {
            Ok(()) => {}
            Err(No::Skip(code, why)) => {
                self.answer.events.truncate(events);
                self.answer.skips.push((code, why));
            }
            Err(No::Error(code, why)) => {
                self.answer.events.truncate(events);
                for (id, before) in self.undo.drain(changes..).rev() {
                    self.state.put(&id, before);
                }
                self.answer.errors.push((code, why));
            }
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
