//! What vendors really send, and how it becomes canonical events.
//!
//! An adapter is a small deterministic machine: `(state, record) -> (state, events | skip | error)`. Many sources send rows
//! as they are now, so what happened is the difference from the row before; the state is that row. It is pure: no clock, no
//! files, no Kafka. The same feed from the same state gives the same events and the same state, byte for byte.
//!
//! Differences are read, transitions are never invented: what one poll missed is not made up, and a time that is only known
//! to have come by then says so. An error leaves the state as it was.
//!
//! Before anything is made of a record, secrets are taken out of it (redact/); that one was found is told (desk.rs).

mod aws;
mod azure;
mod codes;
mod cyberark;
mod desk;
mod event;
mod exposure;
mod jira;
mod mapped;
mod okta;
mod pagerduty;
mod partners;
mod principals;
mod redact;
mod servicenow;
mod settings;
mod state;
mod time;
mod tree;
mod vault;

pub use codes::{Error, Skip};
pub use desk::Answer;
pub use event::{Event, Evidence, Quality, Value};
pub use mapped::{Difference, tried};
pub use redact::{redact_bytes, redact_text};
pub use settings::{Settings, SettingsError, Wrapping};
pub use state::{Row, State, StateError};

use crate::mapper::Mapper;
use codes::No;
use desk::{Desk, Letterhead};
use onus_engine::time::Moment;
use principals::Principals;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use tree::Tree;

/// The version of what adapters make of records. Raised whenever the same record would give other events or another state:
/// what was read by an older one is read anew, or the new one takes effect at a committed position.
pub const VERSION: u32 = 3;

/// No record is longer (docs/seams.md, section 1).
pub const LONGEST: usize = 1 << 20;

/// A record as it came.
#[derive(Clone, Copy, Debug, Default)]
pub struct Record<'a> {
    /// Its bytes; None is a tombstone.
    pub value: Option<&'a [u8]>,
    /// When the broker took it.
    pub recorded: Option<Moment>,
    /// Its topic.
    pub topic: Option<&'a str>,
    /// Where it stands: topic, partition and offset.
    pub place: Option<&'a str>,
}

/// What a vendor's adapter is given of a record.
struct Page<'a> {
    text: &'a str,
    topic: Option<&'a str>,
}

/// How one vendor's records are read. The vendor lays events down on the desk; what it returns instead of them is why not.
trait Vendor: std::fmt::Debug + Send + Sync {
    fn read(&self, page: &Page<'_>, desk: &mut Desk<'_>) -> Result<(), No>;

    /// Whether what a row is remembered for is over: nothing more is to come, and nothing waits for it. It may come all the
    /// same: what is then told of it has the ids that it had.
    fn is_over(&self, _state: &State, _id: &str, _row: &Row) -> bool {
        false
    }

    /// The row without which this one is not needed any more, if there is such a row: when that goes, it is asked again whether
    /// this one is over.
    fn rests_on(&self, _id: &str, _row: &Row) -> Option<String> {
        None
    }
}

type Build = fn(&Settings) -> Box<dyn Vendor>;

/// The adapters that there are, by name.
const VENDORS: &[(&str, Build)] = &[
    ("servicenow", |s| Box::new(servicenow::ServiceNow::new(s))),
    ("aws", |s| Box::new(aws::Aws::new(s))),
    ("jira", |s| Box::new(jira::Jira::new(s))),
    ("vault", |s| Box::new(vault::Vault::new(s))),
    ("azure", |s| Box::new(azure::Azure::new(s))),
    ("cyberark", |s| Box::new(cyberark::CyberArk::new(s))),
    ("okta", |s| Box::new(okta::Okta::new(s))),
    ("pagerduty", |s| Box::new(pagerduty::PagerDuty::new(s))),
];

/// One source's adapter under its settings.
#[derive(Debug)]
pub struct Adapter {
    vendor: Box<dyn Vendor>,
    source: String,
    max_text: usize,
    principals: Principals,
    config: [u8; 32],
}

impl Adapter {
    /// The sources that there are adapters for.
    pub fn names() -> impl Iterator<Item = &'static str> {
        VENDORS.iter().map(|(name, _)| *name)
    }

    /// The adapter of that name; None if there is none.
    pub fn new(name: &str, settings: &Settings) -> Option<Adapter> {
        let (_, build) = VENDORS.iter().find(|(known, _)| *known == name)?;
        Some(Adapter {
            vendor: build(settings),
            source: settings.source(name),
            max_text: settings.max_text,
            principals: settings.principals.clone(),
            config: settings.digest(),
        })
    }

    /// The `source` of its events. What it remembers is kept under this name.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether a row may be forgotten once its settling time is over.
    pub fn is_over(&self, state: &State, id: &str) -> bool {
        state
            .get(id)
            .is_none_or(|row| exposure::is_over(state, id, row).unwrap_or_else(|| self.vendor.is_over(state, id, row)))
    }

    /// The row on which a row rests: when that one is forgotten, this one may be over.
    pub fn rests_on(&self, state: &State, id: &str) -> Option<String> {
        let row = state.get(id)?;
        exposure::rests_on(id, row).map(str::to_owned).or_else(|| self.vendor.rests_on(id, row))
    }

    /// The adapter that a mapper describes; `source` is what its events name as theirs.
    pub fn mapped(mapper: &Mapper, source: &str) -> Adapter {
        let vendor = Box::new(mapped::Mapped::new(mapper));
        let (max_text, principals) = (mapped::MAX_TEXT, Principals::default());
        Adapter { vendor, source: source.to_owned(), max_text, principals, config: mapper.digest }
    }

    /// What a state belongs to: the settings' digest and the code's version. A state of another one is not gone on with.
    pub fn stamp(&self) -> ([u8; 32], u32) {
        (self.config, VERSION)
    }

    /// Reads one record. Never fails: what cannot be read is an error in the answer, and leaves the state as it was.
    pub fn read(&self, state: &mut State, record: &Record<'_>) -> Answer {
        // What is longer than any may be is not looked at, and nothing is told of it.
        let readable = record.value.filter(|value| value.len() <= LONGEST).unwrap_or_default();
        let value = redact_bytes(readable);
        let head = Letterhead {
            source: self.source.clone(),
            recorded: record.recorded,
            rawref: record.place.map(str::to_owned),
            max_text: self.max_text,
        };
        let mut desk = Desk::new(state, head);
        desk.item(|desk| {
            let Some(came) = record.value else {
                return No::skip(Skip::Tombstone, "the record has no value");
            };
            if came.len() > LONGEST {
                let why = format!("the record has {} bytes, and none has more than {LONGEST}", came.len());
                return No::error(Error::TooLarge, why);
            }
            let text = text(&value)?;
            if text.trim() == "null" {
                return No::skip(Skip::Tombstone, "the record's value is null");
            }
            if redact::marked(&text) {
                desk.exposed(redact::forms(&text));
            }
            self.vendor.read(&Page { text: &text, topic: record.topic }, desk)
        });
        let mut answer = desk.answer();
        if !answer.events.is_empty() {
            // Of the record without its secrets: a digest of the whole would let them be tried out.
            let digest = hex(&Sha256::digest(&value));
            for event in &mut answer.events {
                self.principals.mark(event);
                event.data.push(("rawdigest".into(), Value::Text(digest.clone())));
            }
        }
        answer
    }
}

/// The record's text. A producer that wrote a text as a JSON string is undone once.
fn text(value: &[u8]) -> Result<Cow<'_, str>, No> {
    let value = value.strip_prefix(b"\xef\xbb\xbf").unwrap_or(value);
    let Ok(text) = simdutf8::compat::from_utf8(value) else {
        return No::error(Error::NotJson, "the record is no UTF-8");
    };
    if text.trim_start().starts_with('"') {
        return match serde_json::from_str::<String>(text) {
            Ok(inner) => Ok(Cow::Owned(inner)),
            Err(error) => No::error(Error::NotJson, error.to_string()),
        };
    }
    Ok(Cow::Borrowed(text))
}

impl<'a> Page<'a> {
    /// The record as JSON, out of Kafka Connect's `{schema, payload}` if it is in one.
    fn json(&self) -> Result<Tree<'a>, No> {
        let tree = match Tree::parse(self.text) {
            Ok(tree) => tree,
            Err(error) => return No::error(Error::NotJson, error.to_string()),
        };
        let Tree::Map(members) = tree else { return Ok(tree) };
        let connect = members.len() == 2
            && members.iter().any(|(key, _)| key == "schema")
            && members.iter().any(|(key, _)| key == "payload");
        if !connect {
            return Ok(Tree::Map(members));
        }
        match members.into_iter().find(|(key, _)| key == "payload") {
            Some((_, Tree::Null)) | None => No::skip(Skip::Tombstone, "the payload is null"),
            Some((_, payload)) => Ok(payload),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]]).map(char::from).collect()
}
