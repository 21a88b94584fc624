//! What one message, line or body holds, put down as records: the same way for every kind of source.

use super::{Found, Need, Wire, is_same, kept};
use crate::ingest::feed::{Records, Wrong};
use onus_engine::time::Moment;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// What came, and where it lay.
#[derive(Clone, Copy, Debug)]
pub struct Came<'m> {
    /// Its bytes; None: a key without a value.
    pub value: Option<&'m [u8]>,
    /// What its headers say; none where there are no headers.
    pub headers: &'m [(&'m str, &'m [u8])],
    /// Its position, and the one after it.
    pub offset: u64,
    /// The position after it.
    pub next: u64,
    /// When it came.
    pub arrived: Moment,
    /// The longest that is handed over whole.
    pub longest: usize,
}

/// What became of it.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    /// Its records are put down: how many. None: it tells nothing, and that is counted.
    Records(usize),
    /// It cannot be read yet; nothing is put down.
    Waits(Need),
}

/// What tells one message from another, as it lies there. Headers count: many say nothing but in them, with one value for all.
pub fn digest(value: &[u8], headers: &[(&str, &[u8])]) -> u64 {
    if headers.is_empty() {
        return xxh3_64(value);
    }
    let mut hash = Xxh3::new();
    for (name, text) in headers {
        for part in [name.as_bytes(), text] {
            hash.update(&(part.len() as u64).to_le_bytes());
            hash.update(part);
        }
    }
    hash.update(value);
    hash.digest()
}

impl Wire {
    /// Puts the records down, all or none. Those of one message share its position, and only the last goes on behind it: what
    /// is written down in part is read again as a whole. `place` says where it lay, if it cannot be read.
    pub fn put(&self, came: &Came<'_>, place: impl FnOnce() -> String, records: &mut Records) -> Taken {
        let before = records.list.len();
        let mut one = |line: &[u8], last: bool| {
            let next = if last { came.next } else { came.offset };
            records.push(&line[..line.len().min(came.longest)], came.offset, next, came.arrived);
            if line.len() > came.longest {
                records.is_wrong(Wrong::Cut(line.len() as u64));
            }
        };
        let mut same = false;
        match (came.value, self.looked(came)) {
            (value, Found::One(line)) => {
                one(&line, true);
                same = value.is_some_and(|value| is_same(&line, value));
            }
            (_, Found::Many(lines)) => {
                let last = lines.len().wrapping_sub(1);
                lines.iter().enumerate().for_each(|(at, line)| one(line, at == last));
            }
            (_, Found::Skip(skip)) => {
                records.passes_over(skip.word());
                return Taken::Records(0);
            }
            (_, Found::Waits(need)) => return Taken::Waits(need),
            (value, Found::Wrong(fault)) => {
                one(&kept(value.unwrap_or_default(), came.headers), true);
                // What is too long even so is cut, and told of that.
                if records.list.last().is_some_and(|last| last.wrong.is_none()) {
                    let detail = format!("{}: {}", place(), fault.why);
                    records.is_wrong(Wrong::Wire { reason: fault.reason, detail });
                }
            }
        }
        records.last = if same { None } else { came.value.map(|value| digest(value, came.headers)) };
        Taken::Records(records.list.len() - before)
    }

    fn looked<'m>(&self, came: &Came<'m>) -> Found<'m> {
        match came.value {
            // What is longer than any record may be is not looked into.
            Some(value) if value.len() > came.longest => Found::One(value.into()),
            value => self.read(value, came.headers),
        }
    }
}
