//! A subject as bytes: partner, name, fold, facts. Instants lie near each other, so most take a few bytes as differences;
//! what few subjects have is written only where they have it.

use super::Subject;
use crate::duty::{Clock, ClockState, Duty, Flags};
use crate::fold::Fold;
use crate::standing::Standing;
use crate::time::Moment;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Partner u32, length of the name u16, what else there is u8, then `at` and `wake` i64, counts of open and ended duties and
/// of facts, and place of the last fact, u32 each.
const HEAD: usize = 4 + 2 + 1 + 16 + 16;
const HAS_MEMORY: u8 = 1;
const HAS_RARE: u8 = 1 << 1;

/// Writes a subject.
pub(super) fn pack(subject: &Subject, out: &mut Vec<u8>) {
    let fold = &subject.head;
    let (count, last) = subject.timeline.extent();
    let mut head = [0; HEAD];
    head[..4].copy_from_slice(&subject.partner.to_le_bytes());
    head[4..6].copy_from_slice(&(subject.name.len() as u16).to_le_bytes());
    head[6] = if fold.has_memory() { HAS_MEMORY } else { 0 } | if subject.rare.is_some() { HAS_RARE } else { 0 };
    head[7..15].copy_from_slice(&fold.at.0.to_le_bytes());
    head[15..23].copy_from_slice(&fold.wake.0.to_le_bytes());
    head[23..27].copy_from_slice(&(fold.open.len() as u32).to_le_bytes());
    head[27..31].copy_from_slice(&(fold.ended.len() as u32).to_le_bytes());
    head[31..35].copy_from_slice(&count.to_le_bytes());
    head[35..39].copy_from_slice(&last.to_le_bytes());
    out.extend_from_slice(&head);
    out.extend_from_slice(subject.name.as_bytes());
    for duty in fold.open.iter().chain(&fold.ended) {
        pack_duty(duty, out);
    }
    fold.put_memory(out);
    if let Some(rare) = &subject.rare {
        put(out, &**rare);
    }
    put_part(out, subject.timeline.bytes());
}

/// Reads a subject into the room of another.
pub(super) fn unpack(bytes: &[u8], into: &mut Subject) {
    into.reset(partner(bytes), name(bytes));
    let has = bytes[6];
    let fold = &mut into.head;
    fold.at = Moment(i64::from_le_bytes(array(bytes, 7)));
    fold.wake = Moment(i64::from_le_bytes(array(bytes, 15)));
    let (open, ended) = (u32::from_le_bytes(array(bytes, 23)), u32::from_le_bytes(array(bytes, 27)));
    let mut rest = Reader { bytes, at: HEAD + into.name.len() };
    for _ in 0..open {
        fold.open.push(unpack_duty(&mut rest));
    }
    for _ in 0..ended {
        fold.ended.push(unpack_duty(&mut rest));
    }
    if has & HAS_MEMORY != 0 {
        fold.set_memory(rest.part());
    }
    if has & HAS_RARE != 0 {
        into.rare = read(rest.part()).map(Box::new);
    }
    let extent = (u32::from_le_bytes(array(bytes, 31)), u32::from_le_bytes(array(bytes, 35)));
    into.timeline.set(rest.part(), extent);
}

pub(super) fn partner(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(array(bytes, 0))
}

pub(super) fn has_rare(bytes: &[u8]) -> bool {
    bytes[6] & HAS_RARE != 0
}

pub(super) fn name(bytes: &[u8]) -> &str {
    let len = usize::from(u16::from_le_bytes(array(bytes, 4)));
    std::str::from_utf8(&bytes[HEAD..HEAD + len]).unwrap_or_default()
}

pub(super) fn is(bytes: &[u8], partner: u32, name: &str) -> bool {
    let len = usize::from(u16::from_le_bytes(array(bytes, 4)));
    self::partner(bytes) == partner && &bytes[HEAD..HEAD + len] == name.as_bytes()
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}

/// Numbers of a duty, each as many bytes as it needs; a length of 15 says "never".
const NUMBERS: usize = 6;
const NEVER: u8 = 15;

fn pack_duty(d: &Duty, out: &mut Vec<u8>) {
    let since = |at: Moment| at.0.wrapping_sub(d.start.0);
    let numbers =
        [d.start.0, d.clock.target, since(d.since), since(d.deadline), since(d.ended), d.clock.elapsed].map(zigzag);
    // Told (4 bits), limit's state (2), further parts (1): then rule, calendar, limit, flags, ended by.
    let mut buffer = [0u8; 24 + 8 * NUMBERS];
    buffer[0] = d.told as u8 | (d.clock.state as u8) << 4 | u8::from(d.more.is_some()) << 6;
    buffer[1] = d.clock.limit;
    buffer[18] = d.clock.row;
    buffer[2..4].copy_from_slice(&d.rule.to_le_bytes());
    buffer[4..6].copy_from_slice(&d.clock.calendar.to_le_bytes());
    buffer[6..8].copy_from_slice(&d.flags.0.to_le_bytes());
    buffer[8..10].copy_from_slice(&d.ended_by.to_le_bytes());
    buffer[10..18].copy_from_slice(&d.key.to_le_bytes());
    let mut at = 19 + NUMBERS / 2;
    for (i, number) in numbers.into_iter().enumerate() {
        let never = i == 3 && d.deadline == Moment::NEVER || i == 4 && d.ended == Moment::NEVER;
        let len = if never { NEVER } else { (8 - number.leading_zeros() / 8) as u8 };
        buffer[19 + i / 2] |= len << (4 * (i % 2));
        if !never {
            buffer[at..at + 8].copy_from_slice(&number.to_le_bytes());
            at += usize::from(len);
        }
    }
    out.extend_from_slice(&buffer[..at]);
    if let Some(more) = &d.more {
        put(out, &**more);
    }
}

fn unpack_duty(rest: &mut Reader<'_>) -> Duty {
    let head: [u8; 19 + NUMBERS / 2] = array(rest.bytes, rest.at);
    rest.at += head.len();
    let mut number = |i: usize| {
        let len = head[19 + i / 2] >> (4 * (i % 2)) & 15;
        (len != NEVER).then(|| rest.number(usize::from(len)))
    };
    let start = number(0).unwrap_or(0);
    let target = number(1).unwrap_or(0);
    let since = Moment(start.wrapping_add(number(2).unwrap_or(0)));
    let deadline = number(3).map_or(Moment::NEVER, |n| Moment(start.wrapping_add(n)));
    let ended = number(4).map_or(Moment::NEVER, |n| Moment(start.wrapping_add(n)));
    let elapsed = number(5).unwrap_or(0);
    let state = match head[0] >> 4 & 3 {
        0 => ClockState::Counting,
        1 => ClockState::Fixed,
        _ => ClockState::Waiting,
    };
    let more = (head[0] & 1 << 6 != 0).then(|| rest.part()).and_then(read).map(Box::new);
    Duty {
        key: u64::from_le_bytes(array(&head, 10)),
        start: Moment(start),
        since,
        deadline,
        ended,
        clock: Clock {
            elapsed,
            target,
            calendar: u16::from_le_bytes(array(&head, 4)),
            limit: head[1],
            row: head[18],
            state,
        },
        more,
        rule: u16::from_le_bytes(array(&head, 2)),
        ended_by: u16::from_le_bytes(array(&head, 8)),
        flags: Flags(u16::from_le_bytes(array(&head, 6))),
        told: Standing::ALL[usize::from(head[0] & 15).min(Standing::ALL.len() - 1)],
    }
}

fn zigzag(n: i64) -> u64 {
    (n << 1 ^ n >> 63) as u64
}

/// What is rare is written plainly.
pub(crate) fn bytes<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_allocvec(value).expect("plain data in memory is always written")
}

pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    postcard::from_bytes(bytes).ok()
}

/// The same as a part of something else: with its length before it.
pub(crate) fn put<T: Serialize>(out: &mut Vec<u8>, value: &T) {
    let from = out.len();
    out.extend_from_slice(&[0; 4]);
    *out = postcard::to_extend(value, std::mem::take(out)).expect("plain data in memory is always written");
    let len = (out.len() - from - 4) as u32;
    out[from..from + 4].copy_from_slice(&len.to_le_bytes());
}

fn put_part(out: &mut Vec<u8>, part: &[u8]) {
    out.extend_from_slice(&(part.len() as u32).to_le_bytes());
    out.extend_from_slice(part);
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// A number of so many bytes. What follows a duty is never shorter than the part's length that comes after it, and
    /// the shelf pads its bytes, so that eight can nearly always be read at once.
    fn number(&mut self, len: usize) -> i64 {
        let mut word = [0; 8];
        if let Some(eight) = self.bytes.get(self.at..self.at + 8) {
            word.copy_from_slice(eight);
        } else {
            word[..len].copy_from_slice(&self.bytes[self.at..self.at + len]);
        }
        self.at += len;
        let mask = if len >= 8 { u64::MAX } else { (1 << (8 * len)) - 1 };
        let z = u64::from_le_bytes(word) & mask;
        (z >> 1) as i64 ^ -((z & 1) as i64)
    }

    fn part(&mut self) -> &'a [u8] {
        let len = u32::from_le_bytes(array(self.bytes, self.at)) as usize;
        let from = self.at + 4;
        self.at = from + len;
        &self.bytes[from..self.at]
    }
}

/// The head of an empty fold.
impl Fold {
    /// Forgets everything, keeps the room.
    pub(super) fn clear(&mut self) {
        self.at = Moment::DAWN;
        self.wake = Moment::NEVER;
        self.open.clear();
        self.ended.clear();
        self.set_memory(&[]);
    }
}
