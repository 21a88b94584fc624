//! What is told when a record held a secret. Whose it is only the record can say: of a credential's event it is taken for that
//! credential's, and `credential.exposed` begins the duty to replace or revoke it. In a ticket nobody knows which credential it opens:
//! the ticket becomes an incident, `incident.classified` as `secret-leak`, with the credentials that the ticket names.

use super::desk::{ActorType, Told, actor};
use super::event::{Event, Quality, Value};
use super::redact;
use super::state::{Row, State};
use super::tree::Tree;
use onus_engine::time::Moment;

/// A ticket or change, and when its record was written.
#[derive(Clone, Debug)]
pub(super) struct About {
    pub(super) subject: String,
    pub(super) partner: String,
    pub(super) at: Moment,
}

/// What begins the id of a row that remembers what was told.
const EXPOSED: &str = "exposed:";
/// Its word for the row of the ticket that it is about.
const OF: &str = "of";

/// The row on which one rests that remembers exposures: as long as that is there, so is this.
pub(super) fn rests_on<'r>(id: &str, row: &'r Row) -> Option<&'r str> {
    row.get(OF).filter(|_| id.starts_with(EXPOSED))
}

/// Whether a row that remembers exposures is over; None: it is another kind of row. Told anew, they must have the ids that they
/// had, which name all forms that were seen together: so only those are over of which all were.
pub(super) fn is_over(state: &State, id: &str, row: &Row) -> Option<bool> {
    id.strip_prefix(EXPOSED)?;
    let mut told = row.words().filter(|(name, _)| *name != OF).map(|(_, told)| told);
    let first = told.next();
    // "told" is what an older version wrote, which did not note with what.
    let together = first.is_some_and(|first| first != "told") && told.all(|told| Some(told) == first);
    Some(together && row.get(OF).is_none_or(|of| state.get(of).is_none()))
}

/// An event to tell, and what to remember so that rows which are read again and again tell it once.
type Exposure = (Told, Option<(String, Row)>);

/// The forms of the secrets that were taken out of a tree.
pub(super) fn forms(tree: &Tree<'_>) -> Vec<&'static str> {
    let mut all = Vec::new();
    tree.texts(&mut |text| all.extend(redact::forms(text)));
    all.sort_unstable();
    all.dedup();
    all
}

pub(super) fn told<'s>(
    events: &[Event],
    about: Option<About>,
    forms: Vec<&'static str>,
    of: Option<&str>,
    known: impl Fn(&str) -> Option<&'s Row>,
) -> Vec<Exposure> {
    // What speaks of several partners says of none whose secret it was.
    let first = events.first().filter(|first| events.iter().all(|event| event.partner == first.partner));
    if !events.is_empty() && first.is_none() {
        return Vec::new();
    }
    let at = events.iter().map(|event| event.at).chain(about.as_ref().map(|about| about.at)).max();
    let (Some(partner), Some(at)) =
        (first.map(|event| &event.partner).or(about.as_ref().map(|about| &about.partner)), at)
    else {
        return Vec::new();
    };
    let tell = |id: String, kind: &'static str, subject: String, fields: Vec<(&'static str, Value)>, forms: &[&str]| {
        let mut data = Vec::from(actor(None, ActorType::Unknown));
        data.extend(fields);
        data.push(("forms", Value::List(forms.iter().map(|form| (*form).to_owned()).collect())));
        let (partner, quality) = (partner.clone(), Quality::UpperBound);
        let (factkey, sequence, correlation) = (None, None, None);
        Told { id, kind, at, quality, subject, partner, factkey, sequence, correlation, data }
    };
    if let Some(event) = first.filter(|event| event.kind.starts_with("credential.")) {
        let same = ["kind", "parent", "version"].iter();
        let fields = same.filter_map(|name| event.field(name).map(|value| (*name, value.clone()))).collect();
        let id = format!("{}:exposed", event.id);
        return vec![(tell(id, "credential.exposed", event.subject.clone(), fields, &forms), None)];
    }
    let Some(subject) = about.as_ref().map(|about| &about.subject).or(first.map(|event| &event.subject)) else {
        return Vec::new();
    };
    let place = format!("{EXPOSED}{subject}");
    let mut row = known(&place).cloned().unwrap_or_default();
    let new: Vec<&'static str> = forms.into_iter().filter(|form| row.get(form).is_none()).collect();
    if new.is_empty() {
        return Vec::new();
    }
    let all = new.join("+");
    for form in &new {
        row.set(form, Some(&all));
    }
    // A ticket that is not remembered itself rests on itself: what is known of it is never over.
    row.set(OF, of.or(about.as_ref().map(|_| place.as_str())));
    let id = format!("{place}:{all}");
    let mut fields = vec![("kind", Value::from("secret-leak"))];
    let credential = first.and_then(|event| event.field("credential"));
    fields.extend(credential.map(|credential| ("credential", credential.clone())));
    vec![(tell(id, "incident.classified", subject.clone(), fields, &new), Some((place, row)))]
}
