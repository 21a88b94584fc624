//! The ledger as it lies in a store: the entries of a commit together, packed and compressed, some hundreds to a row. A
//! row for each of them costs a database ten times as much.
//!
//! Digests are not kept but for the one before the first and the last: whoever reads a row works the others out, and so
//! finds whatever was changed.

use super::zip::zip;
use super::{Entry, Under, Which, digest};
use hashbrown::HashMap;
use onus_engine::identity::DutyId;
use onus_engine::standing::Standing;
use onus_engine::time::Moment;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Most entries of one row: what somebody who wants one of them has to read.
const MOST: usize = 1_024;
/// A third less CPU than 1, for 7 % more on disk: much of an entry is its key, which nothing packs.
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

/// What a row begins with. Those that were written before there were forms begin with how many texts there are: never none.
const FORM: [u8; 2] = [0, 2];

/// Texts that come again and again, once; an entry names their places. `W`: how it is said which duty it is.
#[derive(Serialize, Deserialize)]
struct Packed<'a, W> {
    #[serde(borrow)]
    words: Vec<&'a str>,
    #[serde(borrow)]
    entries: Vec<Lean<'a, W>>,
}

/// An entry without number and digest; instants as the distance from the one before.
#[derive(Serialize, Deserialize)]
struct Lean<'a, W> {
    /// Partner, contract, obligation, clause, standing before and now.
    words: [u32; 6],
    subject: &'a str,
    which: W,
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
            which: entry.which,
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
    let mut room = Vec::with_capacity(entries.len() * ROOM);
    room.extend_from_slice(&FORM);
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
        match bytes.strip_prefix(&FORM) {
            Some(bytes) => self.unpacked(bytes, |which: Which| which),
            None => self.unpacked(&bytes, |id: [u8; 16]| Which::Id(DutyId(id))),
        }
    }

    fn unpacked<'b, W: Copy + Deserialize<'b>>(
        &self,
        bytes: &'b [u8],
        which: impl Fn(W) -> Which,
    ) -> Result<Vec<Entry>, String> {
        let packed: Packed<'_, W> = postcard::from_bytes(bytes).map_err(|error| self.wrong(&error.to_string()))?;
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
                which: which(lean.which),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows that were written before keys were: named duties, and no form.
    #[test]
    fn rows_of_before_are_read_as_they_were_written() {
        let words = vec!["p1", "desk", "resolve", "4.2", "open", "met"];
        let lean = |subject, at| Lean {
            words: [0, 1, 2, 3, 4, 5],
            subject,
            which: [7_u8; 16],
            flags: 0,
            at,
            start: -5,
            deadline: Some(5),
            ended: None,
            used: 5,
            heard: 0,
        };
        let packed = Packed { words, entries: vec![lean("INC-1", 1_000), lean("INC-2", 10)] };
        let packed = postcard::to_allocvec(&packed).expect("plain data");
        let bytes = zip(&packed, LEVEL).expect("packed");
        let under = ["p1", "desk", "resolve", "4.2"].map(str::to_owned);
        let [partner, contract, obligation, clause] = under;
        let under = Arc::new(Under { partner, contract, obligation, clause });
        let mut before = [3; 32];
        let entry = |number: u64, subject: &str, at| Entry {
            number,
            under: Arc::clone(&under),
            subject: subject.to_owned(),
            which: Which::Id(DutyId([7; 16])),
            from: Standing::Open,
            to: Standing::Met,
            start: Moment(at - 5),
            deadline: Some(Moment(at + 5)),
            ended: None,
            broken: false,
            excused: false,
            disputed: false,
            adjustment: false,
            used: 5,
            at: Moment(at),
            heard: Moment(at),
            digest: [0; 32],
        };
        let mut entries = [entry(8, "INC-1", 1_000), entry(9, "INC-2", 1_010)];
        for one in &mut entries {
            one.digest = digest(&before, one);
            before = one.digest;
        }
        // By another's hand, as entry.rs said before keys were.
        assert_eq!(before[..8], [50, 233, 119, 119, 85, 212, 1, 169]);
        let segment = Segment { first: 8, last: 9, before: [3; 32], digest: before, latest: Moment(1_010), bytes };
        assert_eq!(segment.entries().expect("whole"), entries);
        // And so is what is written now.
        let keyed = Entry { which: Which::Key(77), ..entry(8, "INC-1", 1_000) };
        assert_eq!(digest(&[3; 32], &keyed)[..8], [138, 46, 135, 22, 139, 71, 136, 219]);
        let again = pack([3; 32], &entries).expect("packed again");
        assert_eq!(again[0].entries().expect("whole"), entries);
    }
}
