//! A snapshot: everything that cannot be worked out again, as bytes; and the canonical dump, by which two engines are
//! compared whatever the order of their memory.
//!
//! Rebuilt, not stored: the index of names, the timers, the tables of keys, who waits for news.

use super::rehoming::Handing;
use super::{Cells, Counts, Engine, Options, Partner, Subject, pack};
use crate::book::Book;
use crate::duty::Duty;
use crate::fact::{Fact, SourceId};
use crate::fold::{Source, SubjectWaiver, Way};
use crate::register::{Homes, Register, SavedRegister};
use crate::time::Moment;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// Rises when the form changes, and when what was judged before was judged wrongly: the journal says it better.
const FORM: u16 = 10;

#[derive(Serialize, Deserialize)]
struct Saved<'a> {
    form: u16,
    /// Facts use the numbers of this book's names.
    names: u64,
    now: Moment,
    heard: Moment,
    partners: Vec<SavedPartner>,
    sources: Vec<Source>,
    /// By place, since links name places: generation, and the packed subject if one lies there.
    #[serde(borrow)]
    subjects: Vec<(u32, Packed<'a>)>,
    /// Feeds, and how far each was heard.
    feeds: Vec<(String, Moment)>,
    counts: Counts,
    /// Partner, by place, and contract whose end has been taken in.
    told_ended: Vec<(u32, String)>,
    next_sweep: Moment,
    handed: BTreeMap<String, Vec<Handing>>,
}

#[derive(Serialize, Deserialize)]
struct SavedPartner {
    name: String,
    waivers: Vec<SubjectWaiver>,
    own: Option<u32>,
    cells: Cells,
    register: Option<SavedRegister>,
    speakers: BTreeMap<SourceId, Moment>,
}

/// A packed subject: written and read as one run of bytes, not number by number, and read where it lies.
struct Packed<'a>(Cow<'a, [u8]>);

impl Serialize for Packed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Packed<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&'de [u8]>::deserialize(deserializer).map(|bytes| Packed(Cow::Borrowed(bytes)))
    }
}

/// Why a snapshot cannot be taken up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// Not a snapshot, or a damaged one.
    #[error("the snapshot is damaged or no snapshot at all: {0}")]
    Damaged(String),
    /// Of another version of Onus.
    #[error("the snapshot has form {0}, this version reads form {FORM}: replay the journal")]
    Form(u16),
    /// Written under other contracts, whose names have other numbers.
    #[error("the snapshot was written under contracts with other names: replay the journal under these")]
    OtherNames,
}

impl Engine {
    /// Everything that it knows. What was not taken of its differences is not in it: take them first.
    pub fn snapshot(&self) -> Vec<u8> {
        let subjects =
            (0..self.shelf.places() as u32).map(|slot| (self.shelf.generation(slot), Packed(self.shelf.packed(slot))));
        let partners = self.partners.iter().map(|p| SavedPartner {
            name: p.name.clone(),
            waivers: p.waivers.clone(),
            own: p.own,
            cells: p.cells.clone(),
            register: p.register.as_ref().map(|r| r.saved()),
            speakers: p.speakers.clone(),
        });
        pack::bytes(&Saved {
            form: FORM,
            names: names_of(&self.book),
            now: self.now,
            heard: self.heard,
            partners: partners.collect(),
            sources: self.sources.clone(),
            subjects: subjects.collect(),
            feeds: self.hearing.frontiers().map(|(name, heard)| (name.to_owned(), heard)).collect(),
            counts: self.counts,
            told_ended: self.told_ended.iter().cloned().collect(),
            next_sweep: self.next_sweep,
            handed: self.handed.clone(),
        })
    }

    /// An engine that goes on where the snapshot was taken.
    ///
    /// # Errors
    /// When the bytes are no snapshot of this form, or belong to another book.
    pub fn restore(book: Arc<Book>, options: Options, bytes: &[u8]) -> Result<Engine, RestoreError> {
        let saved: Saved<'_> = postcard::from_bytes(bytes).map_err(|e| RestoreError::Damaged(e.to_string()))?;
        if saved.form != FORM {
            return Err(RestoreError::Form(saved.form));
        }
        if saved.names != names_of(&book) {
            return Err(RestoreError::OtherNames);
        }
        let mut engine = Engine::new(book, options);
        (engine.now, engine.heard, engine.counts) = (saved.now, saved.heard, saved.counts);
        engine.told_ended = saved.told_ended.into_iter().collect();
        engine.next_sweep = saved.next_sweep;
        engine.handed = saved.handed;
        engine.wheel.start(saved.now);
        for (name, heard) in &saved.feeds {
            engine.hearing.hear_named(name, *heard);
        }
        for source in saved.sources {
            engine.add_source(source);
        }
        for p in saved.partners {
            let sheet = engine.sheet(&p.name);
            let homes = || homes_of(&p.name, &engine.handed);
            let restored = |saved| Box::new(Register::restored(&p.name, &engine.book, saved, homes()));
            let register = p.register.map(restored);
            let lanes = sheet.as_ref().and_then(|sheet| engine.hearing.lanes(&engine.book, &p.name, sheet, saved.now));
            let (waivers, own, cells, speakers) = (p.waivers, p.own, p.cells, p.speakers);
            engine.add_partner(Partner { name: p.name, sheet, lanes, waivers, own, cells, register, speakers });
        }
        let subjects = saved.subjects.len() as u32;
        engine.shelf.restore(saved.subjects.iter().map(|(generation, packed)| (*generation, &packed.0[..])));
        for slot in (0..subjects).filter(|slot| !engine.shelf.is_empty(*slot)).collect::<Vec<_>>() {
            let subject = engine.shelf.take(slot);
            engine.wait_for_news(slot, &subject);
            engine.put(slot, subject);
        }
        Ok(engine)
    }

    /// Everything that it knows, in words and in a defined order: equal dumps are equal states.
    pub fn dump(&self) -> String {
        let mut out = String::new();
        let _ = writeln!(out, "now {} heard {}", self.now, self.heard);
        let mut partners: Vec<&Partner> = self.partners.iter().collect();
        partners.sort_by_key(|p| &p.name);
        for partner in partners {
            let _ = writeln!(out, "partner {:?}", partner.name);
            for waiver in &partner.waivers {
                let _ = writeln!(out, "  waiver {waiver:?}");
            }
            if let Some(register) = &partner.register {
                register.dump(&self.book, &|fact| self.fact_in_words(fact), &mut out);
            }
        }
        for (subject, all) in &self.handed {
            for Handing { at, from, to } in all {
                let _ = writeln!(out, "handed {subject:?} at {at} from {from:?} to {to:?}");
            }
        }
        let mut subjects: Vec<Subject> = self.shelf.slots().map(|slot| self.shelf.copy(slot)).collect();
        subjects.sort_by(|a, b| (self.partner_name(a.partner), &a.name).cmp(&(self.partner_name(b.partner), &b.name)));
        for s in &subjects {
            self.dump_subject(s, &mut out);
        }
        out
    }

    fn dump_subject(&self, s: &Subject, out: &mut String) {
        let _ = writeln!(out, "subject {:?} of {:?}", s.name, self.partner_name(s.partner));
        for fact in s.timeline.facts() {
            let _ = writeln!(out, "  fact {}", self.fact_in_words(fact));
        }
        let partner = &self.partners[s.partner as usize];
        let mut duties: Vec<String> =
            s.head.open.iter().chain(&s.head.ended).map(|d| self.duty_in_words(partner, d)).collect();
        duties.sort();
        for duty in duties {
            let _ = writeln!(out, "  duty {duty}");
        }
        let Some(rare) = &s.rare else { return };
        if rare.settled != Moment::DAWN {
            let _ = writeln!(out, "  settled {}", rare.settled);
        }
        let mut watchers: Vec<&str> = rare
            .watchers
            .iter()
            .filter(|(slot, generation)| self.shelf.generation(*slot) == *generation)
            .map(|(slot, _)| self.shelf.name(*slot))
            .collect();
        watchers.sort_unstable();
        for watcher in watchers {
            let _ = writeln!(out, "  read by {watcher:?}");
        }
    }

    fn fact_in_words(&self, fact: Fact<'_>) -> String {
        let names = self.book.names();
        let source = &self.sources[usize::from(fact.source())].name;
        let mut text = format!(
            "{} {} {:?} from {source:?} recorded {}",
            fact.at(),
            names.about(fact.kind()).name,
            fact.id(),
            fact.recorded()
        );
        let mut fields: Vec<String> = fact
            .fields()
            .map(|(field, value)| match field {
                crate::fact::ORIGIN => format!("on {:?}", names.show(value)),
                field => format!("{}={:?}", names.field_name(field), names.show(value)),
            })
            .collect();
        fields.sort();
        for field in fields {
            let _ = write!(text, " {field}");
        }
        text
    }

    fn duty_in_words(&self, partner: &Partner, d: &Duty) -> String {
        let rule = self.book.rule(d.rule);
        let (deadline, ended) = (d.deadline, d.ended);
        let used: Vec<i64> = d.clocks().map(|c| c.elapsed).collect();
        format!(
            "{} {} key {:016x} cycle {} {} told {} from {} counted {used:?} to {} due {deadline} ended {ended}",
            rule.contract,
            rule.id,
            d.key,
            d.cycle(),
            d.standing(self.ear(partner).of(d.rule)),
            d.told,
            d.start,
            d.since,
        )
    }
}

/// When subjects came to a partner, and went.
fn homes_of(partner: &str, handed: &BTreeMap<String, Vec<Handing>>) -> Homes {
    let mut homes = Homes::default();
    for (subject, all) in handed {
        for Handing { at, from, to } in all {
            let way = [(from, Way::Out), (to, Way::In)].into_iter().find(|(name, _)| *name == partner);
            if let Some((_, way)) = way {
                homes.add(subject, *at, way);
            }
        }
    }
    homes
}

/// One number for all names and their numbers.
fn names_of(book: &Book) -> u64 {
    let names = book.names();
    let mut all = 0;
    let types = names.types().iter().map(|t| t.name.as_str());
    let texts =
        types.chain(names.field_names().iter().map(String::as_str)).chain(names.constants().iter().map(String::as_str));
    for text in texts {
        all = xxh3_64_with_seed(text.as_bytes(), all);
    }
    for rule in book.rules() {
        all = xxh3_64_with_seed(
            &all.to_le_bytes(),
            xxh3_64(format!("{} {} {}", rule.contract, rule.id, rule.from).as_bytes()),
        );
    }
    all
}
