//! Sources that no adapter knows, read as a mapper describes them: logs, whose records are events, and rows, whose
//! differences are.

mod rows;
mod trial;
mod values;

pub use trial::{Difference, tried};

use super::codes::{Error, No, Skip, quoted};
use super::desk::{ActorType, Desk, Told, actor};
use super::event::{Quality, Value};
use super::state::{Row, State};
use super::tree::Tree;
use super::{Page, Vendor};
use crate::mapper::{Actor, Field, Kind, Mapper, Order, Reading, Test};
use onus_engine::time::Moment;
use std::borrow::Cow;
use values::{first, item_at, said, shown};

/// So much of a text is kept.
pub(super) const MAX_TEXT: usize = 4096;

/// A mapper at work.
#[derive(Debug)]
pub(super) struct Mapped {
    mapper: Mapper,
}

/// A name of an event that its author chose.
type Name = Cow<'static, str>;

/// What an event is, before what is the same for all events of a record.
struct Deed<'m> {
    id: String,
    kind: &'m str,
    at: Moment,
    quality: Quality,
    subject: String,
    partner: String,
    sequence: Option<String>,
}

impl Vendor for Mapped {
    fn read(&self, page: &Page<'_>, desk: &mut Desk<'_>) -> Result<(), No> {
        self.topic(page.topic)?;
        let tree = page.json()?;
        let Some(each) = &self.mapper.each else { return self.record(&tree, desk) };
        match item_at(&tree, each) {
            Tree::List(items) => {
                items.iter().for_each(|item| desk.item(|desk| self.record(item, desk)));
                Ok(())
            }
            Tree::Null => No::skip(Skip::NotRelevant, format!("there is nothing at {each}")),
            other => No::error(Error::UnknownEnvelope, format!("{each} is {}, and no list of records", shown(other))),
        }
    }

    /// Its author says so, and all that a first sight of it would tell has been proven, so that it would have the same ids.
    fn is_over(&self, _: &State, _: &str, row: &Row) -> bool {
        let (Reading::Rows(states), Some(state)) = (&self.mapper.reading, row.get("state")) else { return false };
        let told = states.first.get(state).map_or(&[][..], Vec::as_slice);
        states.over.contains(state) && told.iter().all(|kind| row.get(&rows::proven(kind)).is_some())
    }
}

impl Mapped {
    pub(super) fn new(mapper: &Mapper) -> Mapped {
        Mapped { mapper: Mapper { examples: Vec::new(), ..mapper.clone() } }
    }

    /// Whether records of a topic are read; where none is known, it is not asked.
    fn topic(&self, topic: Option<&str>) -> Result<(), No> {
        let topics = &self.mapper.takes.topics;
        let is = |known: &str, topic: &str| match known.strip_suffix('*') {
            Some(front) => topic.starts_with(front),
            None => topic == known,
        };
        match topic {
            Some(topic) if !topics.is_empty() && !topics.iter().any(|known| is(known, topic)) => {
                No::skip(Skip::NotRelevant, format!("the mapper takes nothing from topic {}", quoted(topic)))
            }
            _ => Ok(()),
        }
    }

    /// One record, or one item of a record.
    fn record(&self, tree: &Tree<'_>, desk: &mut Desk<'_>) -> Result<(), No> {
        if !matches!(tree, Tree::Map(_) | Tree::List(_)) {
            return No::error(Error::UnknownEnvelope, format!("the record is {}, and no object", shown(tree)));
        }
        for (path, test) in &self.mapper.takes.tests {
            let word = said(item_at(tree, path));
            let holds = match test {
                Test::OneOf(words) => word.as_ref().is_some_and(|word| words.contains(word.as_ref())),
                Test::Exists(there) => values::is_there(item_at(tree, path)) == *there,
            };
            if !holds {
                let found = word.map_or_else(|| shown(item_at(tree, path)), |word| quoted(&word));
                return No::skip(Skip::NotRelevant, format!("{path} is {found}, and the mapper takes no such records"));
            }
        }
        match &self.mapper.reading {
            Reading::Log(kind) => self.log(tree, kind, desk),
            Reading::Rows(states) => self.row(tree, states, desk),
        }
    }

    /// A record that is an event.
    fn log(&self, tree: &Tree<'_>, kind: &Kind, desk: &mut Desk<'_>) -> Result<(), No> {
        let kind = match kind {
            Kind::Fixed(kind) => kind,
            Kind::Table(from, table) => {
                let Some((path, word)) = first(tree, from) else {
                    return No::error(Error::UnmappedState, format!("there is nothing at {}", values::list(from)));
                };
                let Some(word) = said(word) else {
                    return No::error(Error::UnmappedState, format!("{path} is {}, and no word", shown(word)));
                };
                match table.get(word.as_ref()) {
                    Some(Some(kind)) => kind,
                    Some(None) => {
                        return No::skip(Skip::NotRelevant, format!("{path} {} tells nothing", quoted(&word)));
                    }
                    None => {
                        let why = format!("{path} is {}, and the table under `type` has no such row", quoted(&word));
                        return No::error(Error::UnmappedState, why);
                    }
                }
            }
        };
        let id = self.id(tree)?;
        let sequence = match &self.mapper.order {
            Some(order) => Some(self.order(tree, order)?.to_string()),
            None => None,
        };
        let telling = self.mapper.events.get(kind);
        let clock = telling.and_then(|telling| telling.time.as_ref()).or(self.mapper.time.as_ref());
        let time = match clock {
            Some(clock) => values::time(tree, clock)?,
            None => None,
        };
        let Some((at, quality)) = time else {
            let at =
                clock.map_or_else(String::new, |clock| format!(": there is nothing at {}", values::list(&clock.from)));
            return No::error(Error::MissingTime, format!("the record does not say when it happened{at}"));
        };
        let (subject, partner) = (self.subject(tree)?, self.partner(tree)?);
        self.tell(tree, Deed { id, kind, at, quality, subject, partner, sequence }, desk)
    }

    /// Which record it is.
    fn id(&self, tree: &Tree<'_>) -> Result<String, No> {
        let path = &self.mapper.id;
        match item_at(tree, path) {
            Tree::Null => No::error(Error::MissingId, format!("there is nothing at {path}")),
            other => match other.word() {
                Some(id) => Ok(id.into_owned()),
                None => No::error(Error::MissingId, format!("{path} is {}, and no id", shown(other))),
            },
        }
    }

    /// Which state of it.
    fn order(&self, tree: &Tree<'_>, order: &Order) -> Result<i64, No> {
        match order {
            Order::Count(path) => match item_at(tree, path).whole() {
                Some(count) => Ok(count),
                None => {
                    let why =
                        format!("{path} is {}, and no number that tells its states apart", shown(item_at(tree, path)));
                    No::error(Error::MissingId, why)
                }
            },
            Order::Time(clock) => match values::one_instant(tree, clock)? {
                Some(at) => Ok(at.0),
                None => No::error(
                    Error::MissingTime,
                    format!("there is nothing at {}, which tells the record's states apart", values::list(&clock.from)),
                ),
            },
        }
    }

    fn subject(&self, tree: &Tree<'_>) -> Result<String, No> {
        match values::word(tree, &self.mapper.subject, "the subject", Error::MissingSubject)? {
            Some(subject) => Ok(subject),
            None => {
                let at = values::list(&self.mapper.subject.from);
                No::error(Error::MissingSubject, format!("there is nothing at {at}"))
            }
        }
    }

    /// Whose it is. Of a list all must mean the same.
    fn partner(&self, tree: &Tree<'_>) -> Result<String, No> {
        let place = &self.mapper.partner;
        let found = values::words(tree, place, "the partner", Error::UnknownPartner)?;
        let mut names = found.into_iter();
        let Some(name) = names.next() else {
            return No::error(Error::UnknownPartner, format!("there is nothing at {}", values::list(&place.from)));
        };
        match names.find(|other| *other != name) {
            Some(other) => {
                let at = values::list(&place.from);
                No::error(Error::AmbiguousPartner, format!("{at} names {} and {}", quoted(&name), quoted(&other)))
            }
            None => Ok(name),
        }
    }

    /// Lays down an event, with who did it, its links and its data.
    fn tell(&self, tree: &Tree<'_>, deed: Deed<'_>, desk: &mut Desk<'_>) -> Result<(), No> {
        let telling = self.mapper.events.get(deed.kind);
        let mut data: Vec<(Name, Value)> = Vec::new();
        let who = telling.and_then(|telling| telling.actor.as_ref()).or(self.mapper.actor.as_ref());
        data.extend(who_did(tree, who)?.map(|(name, value)| (Name::Borrowed(name), value)));
        let mut correlation = None;
        for (kind, place) in &self.mapper.links {
            let like = |name: &String| place.like.as_ref().is_some_and(|like| like.fits(name));
            let found = first(tree, &place.from).and_then(|(_, tree)| tree.word());
            if let Some(name) = found.map(Cow::into_owned).filter(like) {
                if correlation.is_none() && ["ticket", "change"].contains(&kind.as_str()) {
                    correlation = Some(name.clone());
                }
                data.push((Name::Owned(kind.clone()), Value::Text(name)));
            }
        }
        let own: &[Field] = telling.map_or(&[], |telling| &telling.data);
        let common = self.mapper.data.iter().filter(|field| !own.iter().any(|other| other.name == field.name));
        for field in own.iter().chain(common) {
            if let Some(value) = values::value(tree, field)? {
                data.push((Name::Owned(field.name.clone()), value));
            }
        }
        let Deed { id, kind, at, quality, subject, partner, sequence } = deed;
        let version = match &self.mapper.factkey {
            Some(place) => values::word(tree, place, "the fact key", Error::BadField)?,
            None => None,
        };
        let factkey = version.map(|version| format!("{kind}|{subject}|{version}"));
        let kind = Name::Owned(kind.to_owned());
        desk.tell(Told { id, kind, at, quality, subject, partner, factkey, sequence, correlation, data })
    }
}

/// Who did it, and of what kind that is.
fn who_did(tree: &Tree<'_>, who: Option<&Actor>) -> Result<[(&'static str, Value); 2], No> {
    let Some(who) = who else { return Ok(actor(None, ActorType::Unknown)) };
    let Some((path, found)) = first(tree, &who.from) else { return Ok(actor(None, ActorType::Unknown)) };
    let Some(name) = found.word() else {
        return No::error(Error::BadField, format!("the actor: {path} is {}, and no name", shown(found)));
    };
    if who.nobody.contains(name.as_ref()) {
        return Ok(actor(None, ActorType::Service));
    }
    let kind = match who.kind {
        "human" => ActorType::Human,
        "app" => ActorType::App,
        "service" => ActorType::Service,
        _ => ActorType::Unknown,
    };
    Ok(actor(Some(&name), kind))
}
