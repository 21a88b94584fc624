//! The ledger as it lies in a store: the entries of a commit together, packed and compressed, some hundreds to a row. A
//! row for each of them costs a database ten times as much.
//!
//! Digests are not kept but for the one before the first and the last: whoever reads a row works the others out, and so
//! finds whatever was changed.

use super::zip::zip;
use super::{Entry, Under, digest};
use hashbrown::HashMap;
use onus_engine::identity::DutyId;
use onus_engine::standing::Standing;
use onus_engine::time::Moment;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Most entries of one row: what somebody who wants one of them has to read.
const MOST: usize = 1_024;
/// A third less CPU than 1, for 7 % more on disk: most of an entry is a digest, which nothing packs.
const LEVEL: i32 = -2;
/// Bytes that an entry takes, before it is compressed, mostly.
const ROOM: usize = 80;
/// No row is larger than this when it is unpacked.
const LARGEST: usize = 1 << 30;

/// One row of table `ledger`.
#[derive(Debug)]
pub(super) struct Segment {
    /// Numbers of its first and last entry.
    pub(super) first: u64,
    pub(super) last: u64,
    /// Digest of the entry before the first.
    pub(super) before: [u8; 32],
    /// Digest of its last entry.
    pub(super) digest: [u8; 32],
    /// When the entry was decided that was decided last.
    pub(super) latest: Moment,
    pub(super) bytes: Vec<u8>,
}

/// Texts that come again and again, once; an entry names their places.
#[derive(Serialize, Deserialize)]
struct Packed<'a> {
    #[serde(borrow)]
    words: Vec<&'a str>,
    #[serde(borrow)]
    entries: Vec<Lean<'a>>,
}

/// An entry without number and digest; instants as the distance from the one before.
#[derive(Serialize, Deserialize)]
struct Lean<'a> {
    /// Partner, contract, obligation, clause, standing before and now.
    words: [u32; 6],
    subject: &'a str,
    duty: [u8; 16],
    flags: u8,
    at: i64,
    start: i64,
    deadline: Option<i64>,
    ended: Option<i64>,
    used: i64,
    heard: i64,
}

/// Packs the entries of a commit; `before` is the digest of the entry before them.
pub(super) fn pack(before: [u8; 32], entries: &[Entry]) -> Result<Vec<Segment>, String> {
    let mut before = before;
    let mut segments = Vec::with_capacity(entries.len().div_ceil(MOST));
    for some in entries.chunks(MOST) {
        let (Some(first), Some(last)) = (some.first(), some.last()) else { continue };
        let latest = some.iter().map(|entry| entry.at).max().unwrap_or(first.at);
        let bytes = zip(&packed(some)?, LEVEL).map_err(|error| error.to_string())?;
        let (first, last, digest) = (first.number, last.number, last.digest);
        segments.push(Segment { first, last, before, digest, latest, bytes });
        before = digest;
    }
    Ok(segments)
}

fn packed(entries: &[Entry]) -> Result<Vec<u8>, String> {
    let mut words = Words::default();
    // Neighbours are of the same few: what one of them is under is looked up once.
    let mut under: HashMap<*const Under, [u32; 4]> = HashMap::new();
    let mut standings: [Option<u32>; Standing::ALL.len()] = [None; _];
    let mut last = 0_i64;
    let mut lean = Vec::with_capacity(entries.len());
    for entry in entries {
        let [partner, contract, obligation, clause] =
            *under.entry(Arc::as_ptr(&entry.under)).or_insert_with(|| words.places(&entry.under));
        let [from, to] = [entry.from, entry.to]
            .map(|standing| *standings[standing as usize].get_or_insert_with(|| words.place(standing.word())));
        let flags = [entry.broken, entry.excused, entry.adjustment, entry.disputed];
        lean.push(Lean {
            words: [partner, contract, obligation, clause, from, to],
            subject: &entry.subject,
            duty: entry.duty.0,
            flags: flags.iter().zip(0..).fold(0, |all, (flag, bit)| all | u8::from(*flag) << bit),
            at: entry.at.0.wrapping_sub(last),
            start: entry.start.0.wrapping_sub(entry.at.0),
            deadline: entry.deadline.map(|at| at.0.wrapping_sub(entry.at.0)),
            ended: entry.ended.map(|at| at.0.wrapping_sub(entry.at.0)),
            used: entry.used,
            heard: entry.heard.0.wrapping_sub(entry.at.0),
        });
        last = entry.at.0;
    }
    let room = Vec::with_capacity(entries.len() * ROOM);
    postcard::to_extend(&Packed { words: words.list, entries: lean }, room).map_err(|error| error.to_string())
}

/// Each text once.
#[derive(Default)]
struct Words<'a> {
    list: Vec<&'a str>,
    places: HashMap<&'a str, u32>,
}

impl<'a> Words<'a> {
    fn place(&mut self, word: &'a str) -> u32 {
        *self.places.entry(word).or_insert_with(|| {
            self.list.push(word);
            self.list.len() as u32 - 1
        })
    }

    fn places(&mut self, under: &'a Under) -> [u32; 4] {
        [&under.partner, &under.contract, &under.obligation, &under.clause].map(|word| self.place(word))
    }
}

impl Segment {
    /// Its entries, as they were written; else what is wrong.
    pub(super) fn entries(&self) -> Result<Vec<Entry>, String> {
        let bytes = zstd::bulk::decompress(&self.bytes, LARGEST).map_err(|error| self.wrong(&error.to_string()))?;
        let packed: Packed<'_> = postcard::from_bytes(&bytes).map_err(|error| self.wrong(&error.to_string()))?;
        let mut known: HashMap<[u32; 4], Arc<Under>> = HashMap::new();
        let mut before = self.before;
        let mut last = 0_i64;
        let mut entries = Vec::with_capacity(packed.entries.len());
        for (lean, number) in packed.entries.iter().zip(self.first..) {
            let word = |at: usize| packed.words.get(lean.words[at] as usize).copied();
            let text = |at: usize| word(at).map(str::to_owned).ok_or_else(|| self.wrong("a text is missing"));
            let standing = |at: usize| {
                let known = |standing: &Standing| Some(standing.word()) == word(at);
                Standing::ALL.into_iter().find(known).ok_or_else(|| self.wrong("a word is no standing"))
            };
            last = last.wrapping_add(lean.at);
            let instant = |distance: i64| Moment(last.wrapping_add(distance));
            let flag = |bit: u8| lean.flags >> bit & 1 == 1;
            let of = [0, 1, 2, 3].map(|at| lean.words[at]);
            let under = match known.get(&of) {
                Some(under) => Arc::clone(under),
                None => {
                    let [partner, contract, obligation, clause] = [text(0)?, text(1)?, text(2)?, text(3)?];
                    let under = Arc::new(Under { partner, contract, obligation, clause });
                    known.insert(of, Arc::clone(&under));
                    under
                }
            };
            let mut entry = Entry {
                number,
                under,
                subject: lean.subject.to_owned(),
                duty: DutyId(lean.duty),
                from: standing(4)?,
                to: standing(5)?,
                start: instant(lean.start),
                deadline: lean.deadline.map(instant),
                ended: lean.ended.map(instant),
                broken: flag(0),
                excused: flag(1),
                adjustment: flag(2),
                disputed: flag(3),
                used: lean.used,
                at: Moment(last),
                heard: instant(lean.heard),
                digest: [0; 32],
            };
            entry.digest = digest(&before, &entry);
            before = entry.digest;
            entries.push(entry);
        }
        if entries.last().map(|entry| (entry.number, entry.digest)) == Some((self.last, self.digest)) {
            Ok(entries)
        } else {
            Err(self.wrong("their digests do not lead to the last one"))
        }
    }

    fn wrong(&self, why: &str) -> String {
        format!("entries {} to {} are not as they were written: {why}", self.first, self.last)
    }
}
