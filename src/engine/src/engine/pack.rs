//! A subject as bytes: partner, name, fold, facts. Instants lie near each other, so most take a few bytes as differences;
//! what few subjects have is written only where they have it. The form of snapshots, too.

use super::Subject;
use crate::duty::{Clock, ClockState, Duty, Flags};
use crate::fact::{put_varint, varint};
use crate::fold::Fold;
use crate::standing::Standing;
use crate::time::Moment;
use serde::Serialize;
use serde::de::DeserializeOwned;

const HAS_MORE: u8 = 1;
const HAS_DEADLINE: u8 = 1 << 1;
const HAS_ENDED: u8 = 1 << 2;
const HAS_ELAPSED: u8 = 1 << 3;
/// The clock is not an ordinary one on the calendar that is always open.
const HAS_CLOCK: u8 = 1 << 4;
const HAS_SINCE: u8 = 1 << 5;
const HAS_FLAGS: u8 = 1 << 6;

/// Writes a subject.
pub(super) fn pack(subject: &Subject, out: &mut Vec<u8>) {
    out.extend_from_slice(&subject.partner.to_le_bytes());
    out.extend_from_slice(&(subject.name.len() as u16).to_le_bytes());
    out.extend_from_slice(subject.name.as_bytes());
    let fold = &subject.head;
    let memory = fold.memory_bytes();
    let rare = subject.rare.as_ref().map(|r| bytes(&**r));
    out.push(u8::from(memory.is_some()) | u8::from(rare.is_some()) << 1);
    put_moment(out, fold.at);
    put_moment(out, fold.wake);
    put_varint(out, fold.open.len() as i64);
    put_varint(out, fold.ended.len() as i64);
    for duty in fold.open.iter().chain(&fold.ended) {
        pack_duty(duty, out);
    }
    for part in [memory, rare].into_iter().flatten() {
        put_varint(out, part.len() as i64);
        out.extend_from_slice(&part);
    }
    put_varint(out, subject.timeline.bytes().len() as i64);
    out.extend_from_slice(subject.timeline.bytes());
}

/// Reads a subject into the room of another.
pub(super) fn unpack(bytes: &[u8], into: &mut Subject) {
    into.reset(partner(bytes), name(bytes));
    let mut rest = Reader(&bytes[6 + into.name.len()..]);
    let has = rest.byte();
    let fold = &mut into.head;
    fold.at = rest.moment();
    fold.wake = rest.moment();
    let (open, ended) = (rest.number() as usize, rest.number() as usize);
    fold.open.reserve_exact(open);
    for _ in 0..open {
        fold.open.push(unpack_duty(&mut rest));
    }
    for _ in 0..ended {
        fold.ended.push(unpack_duty(&mut rest));
    }
    if has & 1 != 0 {
        let part = rest.part();
        fold.set_memory(part);
    }
    if has & 2 != 0 {
        into.rare = read(rest.part()).map(Box::new);
    }
    into.timeline.set(rest.part());
}

pub(super) fn partner(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

pub(super) fn name(bytes: &[u8]) -> &str {
    let len = usize::from(u16::from_le_bytes([bytes[4], bytes[5]]));
    std::str::from_utf8(&bytes[6..6 + len]).unwrap_or_default()
}

pub(super) fn is(bytes: &[u8], partner: u32, name: &str) -> bool {
    let len = usize::from(u16::from_le_bytes([bytes[4], bytes[5]]));
    self::partner(bytes) == partner && &bytes[6..6 + len] == name.as_bytes()
}

fn pack_duty(d: &Duty, out: &mut Vec<u8>) {
    let plain = d.clock.calendar == 0 && d.clock.limit == 0 && d.clock.state == ClockState::Counting;
    let mut has = 0;
    has |= if d.more.is_some() { HAS_MORE } else { 0 };
    has |= if d.deadline != Moment::NEVER { HAS_DEADLINE } else { 0 };
    has |= if d.ended != Moment::NEVER { HAS_ENDED } else { 0 };
    has |= if d.clock.elapsed != 0 { HAS_ELAPSED } else { 0 };
    has |= if plain { 0 } else { HAS_CLOCK };
    has |= if d.since != d.start { HAS_SINCE } else { 0 };
    has |= if d.flags.0 != 0 { HAS_FLAGS } else { 0 };
    out.extend_from_slice(&[has, d.told as u8]);
    out.extend_from_slice(&d.key.to_le_bytes());
    put_varint(out, i64::from(d.rule));
    put_varint(out, d.start.0);
    put_varint(out, d.clock.target);
    if has & HAS_SINCE != 0 {
        put_varint(out, d.since.0.wrapping_sub(d.start.0));
    }
    if has & HAS_DEADLINE != 0 {
        put_varint(out, d.deadline.0.wrapping_sub(d.start.0));
    }
    if has & HAS_ENDED != 0 {
        put_varint(out, d.ended.0.wrapping_sub(d.start.0));
        put_varint(out, i64::from(d.ended_by));
    }
    if has & HAS_ELAPSED != 0 {
        put_varint(out, d.clock.elapsed);
    }
    if has & HAS_CLOCK != 0 {
        put_varint(out, i64::from(d.clock.calendar));
        out.extend_from_slice(&[d.clock.limit, d.clock.state as u8]);
    }
    if has & HAS_FLAGS != 0 {
        out.extend_from_slice(&d.flags.0.to_le_bytes());
    }
    if let Some(more) = &d.more {
        let part = bytes(&**more);
        put_varint(out, part.len() as i64);
        out.extend_from_slice(&part);
    }
}

fn unpack_duty(rest: &mut Reader<'_>) -> Duty {
    let has = rest.byte();
    let told = Standing::ALL[usize::from(rest.byte()).min(Standing::ALL.len() - 1)];
    let key = rest.word();
    let rule = rest.number() as u16;
    let start = rest.number();
    let target = rest.number();
    let next = |flag: u8, rest: &mut Reader<'_>| (has & flag != 0).then(|| rest.number());
    let since = next(HAS_SINCE, rest).map_or(start, |n| start.wrapping_add(n));
    let deadline = next(HAS_DEADLINE, rest).map_or(Moment::NEVER, |n| Moment(start.wrapping_add(n)));
    let ended = next(HAS_ENDED, rest).map_or(Moment::NEVER, |n| Moment(start.wrapping_add(n)));
    let ended_by = next(HAS_ENDED, rest).unwrap_or(0) as u16;
    let elapsed = next(HAS_ELAPSED, rest).unwrap_or(0);
    let mut clock = Clock { elapsed, target, calendar: 0, limit: 0, state: ClockState::Counting };
    if has & HAS_CLOCK != 0 {
        clock.calendar = rest.number() as u16;
        clock.limit = rest.byte();
        clock.state = match rest.byte() {
            0 => ClockState::Counting,
            1 => ClockState::Fixed,
            _ => ClockState::Waiting,
        };
    }
    let flags = if has & HAS_FLAGS != 0 { Flags(u16::from_le_bytes([rest.byte(), rest.byte()])) } else { Flags::default() };
    let more = (has & HAS_MORE != 0).then(|| rest.part()).and_then(read).map(Box::new);
    Duty { key, start: Moment(start), since: Moment(since), deadline, ended, clock, more, rule, ended_by, flags, told }
}

/// What is rare is written plainly.
pub(crate) fn bytes<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_allocvec(value).expect("plain data in memory is always written")
}

pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    postcard::from_bytes(bytes).ok()
}

fn put_moment(out: &mut Vec<u8>, at: Moment) {
    put_varint(out, at.0);
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().map_or((0, self.0), |(b, r)| (*b, r));
        self.0 = rest;
        first
    }

    fn word(&mut self) -> u64 {
        let mut word = [0; 8];
        word.copy_from_slice(&self.0[..8]);
        self.0 = &self.0[8..];
        u64::from_le_bytes(word)
    }

    fn number(&mut self) -> i64 {
        let (n, used) = varint(self.0);
        self.0 = &self.0[used..];
        n
    }

    fn moment(&mut self) -> Moment {
        Moment(self.number())
    }

    fn part(&mut self) -> &'a [u8] {
        let len = self.number() as usize;
        let (part, rest) = self.0.split_at(len);
        self.0 = rest;
        part
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
