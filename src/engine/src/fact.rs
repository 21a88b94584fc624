//! One fact as bytes: what an accepted event says, in the form that a timeline keeps, copies and archives.
//!
//! Layout, little-endian: length u32, type u16, trust and flags u8, event time i64, fact key u64, digest u32, source u16,
//! id length u16, sequence length u8, recorded time as a varint of its lag; then the id, the sequence, and the fields. A
//! field is its id u16, a tag, and a value; constants that a contract names are two bytes.

use crate::terms::Trust;
use crate::time::{Millis, Moment};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// Position of an event type in the book.
pub type TypeId = u16;
/// Position of a data field's name in the book.
pub type FieldId = u16;
/// Position of a constant that some contract names.
pub type Sym = u16;
/// Position of a source in the engine's list.
pub type SourceId = u16;

/// The field that names, on a copy of a linked subject's fact, the subject that it came from.
pub const ORIGIN: FieldId = 0;

/// Type of a [`note`]: the duties of the subject that it names read these facts.
pub const WATCHER: TypeId = TypeId::MAX;
/// Type of a [`note`]: this subject's duties read the facts of the one that it names.
pub const WATCHED: TypeId = TypeId::MAX - 1;

const HEAD: usize = 32;
const TRUST: u8 = 0b0000_0011;
const LINKED: u8 = 0b0000_0100;
const INEXACT: u8 = 0b0000_1000;

const TAG_SYM: u8 = 0;
const TAG_TEXT: u8 = 1;
const TAG_LIST: u8 = 2;

/// One scalar: a constant of some contract, or any other text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Atom<'a> {
    /// A constant.
    Sym(Sym),
    /// Another text.
    Text(&'a str),
}

/// A field's value; absent fields are not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// One scalar.
    One(Atom<'a>),
    /// A list, never empty.
    List(Atoms<'a>),
}

/// The items of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Atoms<'a>(&'a [u8]);

impl<'a> Value<'a> {
    /// Its scalars: one, or a list's items.
    pub fn atoms(self) -> impl Iterator<Item = Atom<'a>> {
        let (one, list) = match self {
            Value::One(atom) => (Some(atom), Atoms(&[])),
            Value::List(list) => (None, list),
        };
        one.into_iter().chain(list)
    }
}

impl<'a> Iterator for Atoms<'a> {
    type Item = Atom<'a>;
    fn next(&mut self) -> Option<Atom<'a>> {
        (!self.0.is_empty()).then(|| take_atom(&mut self.0))
    }
}

/// What is known of an event before it is written as a fact.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    /// Event type.
    pub kind: TypeId,
    /// Id, unique within its source.
    pub id: &'a str,
    /// Source.
    pub source: &'a str,
    /// Event time.
    pub at: Moment,
    /// When Onus first saw it; the event time if not known.
    pub recorded: Moment,
    /// Order within one subject and source.
    pub sequence: &'a str,
    /// Meaning across feeds: copies of one fact share it.
    pub factkey: Option<&'a str>,
    /// False when the source says that the time is an upper bound or the time of receipt.
    pub exact: bool,
}

/// Writes facts into a buffer. Fields are written one by one after the head.
#[derive(Debug)]
pub struct Writer<'b> {
    out: &'b mut Vec<u8>,
    start: usize,
}

impl<'b> Writer<'b> {
    /// Begins a fact at the buffer's end.
    #[inline(always)]
    pub fn begin(out: &'b mut Vec<u8>, draft: &Draft<'_>) -> Writer<'b> {
        let start = out.len();
        let sequence = draft.sequence.as_bytes();
        let sequence = &sequence[..sequence.len().min(255)];
        let id = draft.id.as_bytes();
        let id = &id[..id.len().min(usize::from(u16::MAX))];
        let key = match draft.factkey {
            Some(key) => xxh3_64(key.as_bytes()),
            None => event_key(draft.source, draft.id),
        };
        // Length, digest and source are not known yet.
        let mut head = [0; HEAD];
        head[4..6].copy_from_slice(&draft.kind.to_le_bytes());
        head[6] = Trust::Verified as u8 | if draft.exact { 0 } else { INEXACT };
        head[7..15].copy_from_slice(&draft.at.0.to_le_bytes());
        head[15..23].copy_from_slice(&key.to_le_bytes());
        head[29..31].copy_from_slice(&(id.len() as u16).to_le_bytes());
        head[31] = sequence.len() as u8;
        out.extend_from_slice(&head);
        put_varint(out, draft.recorded - draft.at);
        out.extend_from_slice(id);
        out.extend_from_slice(sequence);
        Writer { out, start }
    }

    /// Adds a scalar.
    #[inline(always)]
    pub fn one(&mut self, field: FieldId, atom: Atom<'_>) {
        self.out.extend_from_slice(&field.to_le_bytes());
        put_atom(self.out, atom);
    }

    /// Adds a list; an empty one is absent and adds nothing.
    pub fn list<'a>(&mut self, field: FieldId, atoms: impl IntoIterator<Item = Atom<'a>>) {
        let at = self.out.len();
        self.out.extend_from_slice(&field.to_le_bytes());
        self.out.extend_from_slice(&[TAG_LIST, 0, 0, 0, 0]);
        for atom in atoms {
            put_atom(self.out, atom);
        }
        let bytes = self.out.len() - at - 7;
        if bytes == 0 {
            self.out.truncate(at);
            return;
        }
        self.out[at + 3..at + 7].copy_from_slice(&(bytes as u32).to_le_bytes());
    }

    /// Closes the fact; gives its bytes' place in the buffer.
    #[inline(always)]
    pub fn end(self) -> std::ops::Range<usize> {
        let end = self.out.len();
        // The recorded time is left out: the same event heard twice is no conflict.
        let tail = self.start + HEAD + varint(&self.out[self.start + HEAD..]).1;
        let head = xxh3_64(&self.out[self.start + 4..self.start + 15]);
        let digest = xxh3_64_with_seed(&self.out[tail..end], head) as u32;
        self.out[self.start + 23..self.start + 27].copy_from_slice(&digest.to_le_bytes());
        self.out[self.start..self.start + 4].copy_from_slice(&((end - self.start) as u32).to_le_bytes());
        self.start..end
    }
}

/// A note beside archived facts, in the form of one: it names another subject ([`WATCHER`], [`WATCHED`]).
pub fn note(kind: TypeId, name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let at = Moment(0);
    let draft = Draft { kind, id: name, source: "", at, recorded: at, sequence: "", factkey: None, exact: true };
    Writer::begin(&mut out, &draft).end();
    out
}

/// Identity of an event that has no fact key: its source and its id.
#[inline(always)]
pub fn event_key(source: &str, id: &str) -> u64 {
    xxh3_64_with_seed(id.as_bytes(), xxh3_64(source.as_bytes()))
}

/// A fact's bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fact<'a>(&'a [u8]);

impl<'a> Fact<'a> {
    /// The first fact in the bytes, and what follows it. None at the end, or where no whole fact stands.
    pub fn split(bytes: &'a [u8]) -> Option<(Fact<'a>, &'a [u8])> {
        let len = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
        if len <= HEAD || len > bytes.len() {
            return None;
        }
        let (one, rest) = bytes.split_at(len);
        Some((Fact(one), rest))
    }

    /// All its bytes.
    pub fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// Event type.
    #[inline(always)]
    pub fn kind(self) -> TypeId {
        u16::from_le_bytes([self.0[4], self.0[5]])
    }

    /// Event time.
    pub fn at(self) -> Moment {
        Moment(i64::from_le_bytes(self.array(7)))
    }

    /// Hash of the fact key, or of source and id.
    pub fn key(self) -> u64 {
        u64::from_le_bytes(self.array(15))
    }

    /// Digest of the content.
    pub fn digest(self) -> u32 {
        u32::from_le_bytes(self.array(23))
    }

    /// Where it came from.
    pub fn source(self) -> SourceId {
        u16::from_le_bytes(self.array(27))
    }

    /// How far its source is believed.
    pub fn trust(self) -> Trust {
        match self.0[6] & TRUST {
            0 => Trust::Asserted,
            1 => Trust::Shared,
            2 => Trust::System,
            _ => Trust::Verified,
        }
    }

    /// False when its time is an upper bound or the time of receipt.
    pub fn exact(self) -> bool {
        self.0[6] & INEXACT == 0
    }

    /// A copy of a linked subject's fact.
    pub fn linked(self) -> bool {
        self.0[6] & LINKED != 0
    }

    /// When Onus first saw it.
    pub fn recorded(self) -> Moment {
        self.at() + varint(&self.0[HEAD..]).0
    }

    /// Event id.
    pub fn id(self) -> &'a str {
        let from = self.tail();
        text(&self.0[from..from + self.id_len()])
    }

    /// Order within one subject and source; empty if none.
    pub fn sequence(self) -> &'a str {
        let from = self.tail() + self.id_len();
        text(&self.0[from..from + usize::from(self.0[31])])
    }

    /// The value of a field.
    #[inline(always)]
    pub fn field(self, field: FieldId) -> Option<Value<'a>> {
        let mut rest = &self.0[self.fields_at()..];
        while let Some((head, value)) = rest.split_first_chunk() {
            if FieldId::from_le_bytes(*head) == field {
                let mut value = value;
                return Some(take_value(&mut value));
            }
            rest = &value[value_len(value)..];
        }
        None
    }

    /// All fields.
    pub fn fields(self) -> impl Iterator<Item = (FieldId, Value<'a>)> {
        let mut rest = &self.0[self.fields_at()..];
        std::iter::from_fn(move || {
            let (head, after) = rest.split_first_chunk()?;
            rest = after;
            Some((FieldId::from_le_bytes(*head), take_value(&mut rest)))
        })
    }

    /// The subject that a linked copy came from.
    pub fn origin(self) -> Option<Atom<'a>> {
        if !self.linked() {
            return None;
        }
        match self.field(ORIGIN)? {
            Value::One(atom) => Some(atom),
            Value::List(_) => None,
        }
    }

    /// Appends a copy that says it came from another subject's timeline.
    pub fn copy_linked(self, origin: Atom<'_>, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(self.0);
        out[start + 6] |= LINKED;
        out.extend_from_slice(&ORIGIN.to_le_bytes());
        put_atom(out, origin);
        let len = (out.len() - start) as u32;
        out[start..start + 4].copy_from_slice(&len.to_le_bytes());
    }

    /// Appends a copy without the mark that it came from elsewhere.
    pub fn own_again(self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.0[..self.fields_at()]);
        let mut rest = &self.0[self.fields_at()..];
        while let Some((head, value)) = rest.split_first_chunk::<2>() {
            let len = value_len(value);
            if FieldId::from_le_bytes(*head) != ORIGIN {
                out.extend_from_slice(&rest[..2 + len]);
            }
            rest = &value[len..];
        }
        out[start + 6] &= !LINKED;
        let len = (out.len() - start) as u32;
        out[start..start + 4].copy_from_slice(&len.to_le_bytes());
    }

    /// Type, trust and fields: what a test can see of it.
    pub fn content(self) -> Vec<u8> {
        [&self.0[4..7], &self.0[self.fields_at()..]].concat()
    }

    fn fields_at(self) -> usize {
        self.tail() + self.id_len() + usize::from(self.0[31])
    }

    fn id_len(self) -> usize {
        usize::from(u16::from_le_bytes(self.array(29)))
    }

    fn tail(self) -> usize {
        HEAD + varint(&self.0[HEAD..]).1
    }

    fn array<const N: usize>(self, from: usize) -> [u8; N] {
        let mut out = [0; N];
        out.copy_from_slice(&self.0[from..from + N]);
        out
    }
}

/// Stamps a written fact with what only the engine knows: its source's place and trust. What is there already is not written
/// again: a copy of bytes that were written just now waits for them.
pub fn stamp(fact: &mut [u8], source: SourceId, trust: Trust) {
    let (seventh, source) = (fact[6] & !TRUST | trust as u8, source.to_le_bytes());
    if fact[6] != seventh || fact[27..29] != source {
        fact[6] = seventh;
        fact[27..29].copy_from_slice(&source);
    }
}

#[inline(always)]
fn put_atom(out: &mut Vec<u8>, atom: Atom<'_>) {
    match atom {
        Atom::Sym(sym) => {
            out.push(TAG_SYM);
            out.extend_from_slice(&sym.to_le_bytes());
        }
        Atom::Text(text) => {
            out.push(TAG_TEXT);
            put_varint(out, text.len() as i64);
            out.extend_from_slice(text.as_bytes());
        }
    }
}

/// Bytes of the value that the bytes begin with.
#[inline(always)]
fn value_len(bytes: &[u8]) -> usize {
    match bytes[0] {
        TAG_SYM => 3,
        TAG_LIST => 5 + u32::from_le_bytes([bytes[1], bytes[2], bytes[3], bytes[4]]) as usize,
        _ => {
            let (len, used) = varint(&bytes[1..]);
            1 + used + len as usize
        }
    }
}

#[inline(always)]
fn take_value<'a>(rest: &mut &'a [u8]) -> Value<'a> {
    if rest[0] != TAG_LIST {
        return Value::One(take_atom(rest));
    }
    let (list, after) = rest.split_at(value_len(rest));
    *rest = after;
    Value::List(Atoms(&list[5..]))
}

#[inline(always)]
fn take_atom<'a>(rest: &mut &'a [u8]) -> Atom<'a> {
    if rest[0] == TAG_SYM {
        let sym = Sym::from_le_bytes([rest[1], rest[2]]);
        *rest = &rest[3..];
        return Atom::Sym(sym);
    }
    let (len, used) = varint(&rest[1..]);
    let (one, after) = rest[1 + used..].split_at(len as usize);
    *rest = after;
    Atom::Text(text(one))
}

/// Facts are written from `str`s only, and archives are checked when read.
fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// Zigzag, seven bits a byte.
#[inline(always)]
pub(crate) fn put_varint(out: &mut Vec<u8>, n: i64) {
    let mut z = ((n << 1) ^ (n >> 63)) as u64;
    while z >= 0x80 {
        out.push(z as u8 | 0x80);
        z >>= 7;
    }
    out.push(z as u8);
}

#[inline(always)]
pub(crate) fn varint(bytes: &[u8]) -> (i64, usize) {
    // Nearly all fit in one byte.
    if let Some(&b) = bytes.first()
        && b < 0x80
    {
        return (i64::from(b >> 1) ^ -i64::from(b & 1), 1);
    }
    let mut z = 0u64;
    for (i, b) in bytes.iter().enumerate().take(10) {
        z |= u64::from(b & 0x7f) << (7 * i);
        if b & 0x80 == 0 {
            return ((z >> 1) as i64 ^ -((z & 1) as i64), i + 1);
        }
    }
    (0, bytes.len())
}

/// Milliseconds between event time and first sight, for displays.
pub fn lag(fact: Fact<'_>) -> Millis {
    fact.recorded() - fact.at()
}
