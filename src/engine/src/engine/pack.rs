//! A subject as bytes: partner, name, fold, facts. Instants lie near each other, so most take a few bytes as differences;
//! what few subjects have is written only where they have it.

use super::Subject;
use crate::duty::{Clock, ClockState, Duty, Filed, Flags};
use crate::fold::Fold;
use crate::standing::Standing;
use crate::time::Moment;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Partner u32, length of the name u16, what else there is u8, then `at` and `wake` i64.
const HEAD: usize = 4 + 2 + 1 + 16;
const HAS_MEMORY: u8 = 1;
const HAS_RARE: u8 = 1 << 1;
const UNREAD: u8 = 1 << 2;
const READ: u8 = 1 << 3;
/// Counts and lengths want four bytes each.
const BIG: u8 = 1 << 4;
const WHOLE: u8 = 1 << 5;

/// How many bytes a subject takes, and into `parts` what of it is of no length that follows from numbers.
#[inline(always)]
pub(super) fn measure(subject: &Subject, parts: &mut Vec<u8>) -> usize {
    let fold = &subject.head;
    parts.clear();
    let mut duties = 0;
    for duty in fold.open.iter().chain(&fold.ended) {
        duties += DUTY + if numbers(duty).1 { NARROW } else { WIDE };
        if let Some(more) = &duty.more {
            put(parts, &**more);
        }
    }
    fold.put_memory(parts);
    if let Some(rare) = &subject.rare {
        put(parts, &**rare);
    }
    let sizes = if counts(subject).1 { SIZES_BIG } else { SIZES };
    HEAD + sizes + subject.name.len() + duties + parts.len() + subject.timeline.bytes().len()
}

/// Counts and lengths, in the order in which they are written, and whether they want four bytes each.
#[inline(always)]
fn counts(subject: &Subject) -> ([u32; 5], bool) {
    let fold = &subject.head;
    let (count, last) = subject.timeline.extent();
    let sizes = [fold.open.len() as u32, fold.ended.len() as u32, count, last, subject.timeline.bytes().len() as u32];
    let big = sizes[..2].iter().any(|n| *n > u32::from(u8::MAX)) || sizes[2..].iter().any(|n| *n > u32::from(u16::MAX));
    (sizes, big)
}

/// Writes a subject where it will lie, which has the room that [`measure`] said: a copy of what was just written in pieces
/// would wait until all of them have come to the cache.
#[inline(always)]
pub(super) fn pack(subject: &Subject, parts: &[u8], out: &mut [u8]) {
    let fold = &subject.head;
    let (sizes, big) = counts(subject);
    let has = [
        (fold.has_memory(), HAS_MEMORY),
        (subject.rare.is_some(), HAS_RARE),
        (subject.unread, UNREAD),
        (subject.read, READ),
        (subject.whole, WHOLE),
        (big, BIG),
    ];
    let mut out = Writer { bytes: out, at: 0 };
    let head = out.next::<HEAD>();
    head[..4].copy_from_slice(&subject.partner.to_le_bytes());
    head[4..6].copy_from_slice(&(subject.name.len() as u16).to_le_bytes());
    head[6] = has.iter().map(|(has, bit)| u8::from(*has) * bit).sum();
    head[7..15].copy_from_slice(&fold.at.0.to_le_bytes());
    head[15..23].copy_from_slice(&fold.wake.0.to_le_bytes());
    if big {
        let bytes = out.next::<SIZES_BIG>();
        for (i, n) in sizes.iter().enumerate() {
            bytes[4 * i..4 * i + 4].copy_from_slice(&n.to_le_bytes());
        }
    } else {
        let bytes = out.next::<SIZES>();
        (bytes[0], bytes[1]) = (sizes[0] as u8, sizes[1] as u8);
        for (i, n) in sizes[2..].iter().enumerate() {
            bytes[2 + 2 * i..4 + 2 * i].copy_from_slice(&(*n as u16).to_le_bytes());
        }
    }
    out.put(subject.name.as_bytes());
    let mut parts = Reader { bytes: parts, at: 0 };
    for duty in fold.open.iter().chain(&fold.ended) {
        pack_duty(duty, &mut out);
        if duty.more.is_some() {
            out.put(parts.whole_part());
        }
    }
    out.put(&parts.bytes[parts.at..]);
    out.put(subject.timeline.bytes());
}

/// The same as bytes of their own.
pub(super) fn packed(subject: &Subject) -> Vec<u8> {
    let mut parts = Vec::new();
    let mut out = vec![0; measure(subject, &mut parts)];
    pack(subject, &parts, &mut out);
    out
}

/// Counts of open and ended duties u8, of facts u16, place of the last fact and bytes of all facts u16.
const SIZES: usize = 2 + 3 * 2;
/// The same, u32 each.
const SIZES_BIG: usize = 5 * 4;

#[inline(always)]
fn sizes(bytes: &[u8]) -> [u32; 5] {
    if bytes[6] & BIG != 0 {
        return std::array::from_fn(|i| u32::from_le_bytes(array(bytes, HEAD + 4 * i)));
    }
    let short = |i: usize| u32::from(u16::from_le_bytes(array(bytes, HEAD + 2 + 2 * i)));
    [bytes[HEAD].into(), bytes[HEAD + 1].into(), short(0), short(1), short(2)]
}

/// Where the name stands.
fn name_at(bytes: &[u8]) -> usize {
    HEAD + if bytes[6] & BIG != 0 { SIZES_BIG } else { SIZES }
}

/// Reads a subject into the room of another.
#[inline(always)]
pub(super) fn unpack(bytes: &[u8], into: &mut Subject) {
    into.reset(partner(bytes), name(bytes));
    let has = bytes[6];
    (into.unread, into.read, into.whole) = (has & UNREAD != 0, has & READ != 0, has & WHOLE != 0);
    let fold = &mut into.head;
    fold.at = Moment(i64::from_le_bytes(array(bytes, 7)));
    fold.wake = Moment(i64::from_le_bytes(array(bytes, 15)));
    let [open, ended, count, last, facts] = sizes(bytes);
    let mut rest = Reader { bytes, at: name_at(bytes) + into.name.len() };
    fold.open.extend((0..open).map(|_| unpack_duty(&mut rest)));
    fold.ended.extend((0..ended).map(|_| unpack_duty(&mut rest)));
    if has & HAS_MEMORY != 0 {
        fold.set_memory(rest.part());
    }
    if has & HAS_RARE != 0 {
        into.rare = read(rest.part()).map(Box::new);
    }
    into.timeline.set(&bytes[rest.at..rest.at + facts as usize], (count, last));
}

/// The facts of a subject in which nothing changes by itself before `now`, and of which nothing rare is known.
pub(super) fn quiet_facts(bytes: &[u8], now: Moment) -> Option<&[u8]> {
    let wake = Moment(i64::from_le_bytes(array(bytes, 15)));
    let [open, ended, _, _, facts] = sizes(bytes);
    if bytes[6] & (HAS_MEMORY | HAS_RARE) != 0 || open > 0 || wake < now {
        return None;
    }
    let mut rest = Reader { bytes, at: name_at(bytes) + name_bytes(bytes).len() };
    (0..ended).for_each(|_| skip_duty(&mut rest));
    Some(&bytes[rest.at..rest.at + facts as usize])
}

/// Shows the duties that have not ended.
pub(super) fn each_open(bytes: &[u8], show: &mut dyn FnMut(&Duty)) {
    let [open, ..] = sizes(bytes);
    if open > 0 {
        let mut rest = Reader { bytes, at: name_at(bytes) + name_bytes(bytes).len() };
        (0..open).for_each(|_| show(&unpack_duty(&mut rest)));
    }
}

pub(super) fn partner(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(array(bytes, 0))
}

pub(super) fn is_unseen(bytes: &[u8]) -> bool {
    sizes(bytes)[2] == 0
}

pub(super) fn has_rare(bytes: &[u8]) -> bool {
    bytes[6] & HAS_RARE != 0
}

pub(super) fn is_whole(bytes: &[u8]) -> bool {
    bytes[6] & WHOLE != 0
}

pub(super) fn is_partial(bytes: &[u8]) -> bool {
    bytes[6] & (HAS_RARE | UNREAD) != 0
}

pub(super) fn name(bytes: &[u8]) -> &str {
    std::str::from_utf8(name_bytes(bytes)).unwrap_or_default()
}

pub(super) fn is(bytes: &[u8], partner: u32, name: &str) -> bool {
    self::partner(bytes) == partner && name_bytes(bytes) == name.as_bytes()
}

#[inline(always)]
fn name_bytes(bytes: &[u8]) -> &[u8] {
    let (at, len) = (name_at(bytes), usize::from(u16::from_le_bytes(array(bytes, 4))));
    &bytes[at..at + len]
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}

#[inline(always)]
fn part_of<const N: usize>(bytes: &[u8], at: usize) -> &[u8; N] {
    bytes[at..].first_chunk().expect("a subject's bytes are as they were written")
}

/// Told (4 bits), limit's state (2), further parts (1), wide (1); limit, rule, calendar, flags, ended by, key, row, filed.
const DUTY: usize = 20;
/// A duty's instants and lengths: the start, then since, limit, deadline, end as differences from it, then time used.
const NUMBERS: usize = 6;
/// In a narrow duty the start has six bytes, the differences five each: 17 years.
const NARROW: usize = 6 + 5 * (NUMBERS - 1);
/// In a wide one all have eight.
const WIDE: usize = 8 * NUMBERS;
/// Stands for "never", and where nothing else is as far away.
const NEVER: i64 = -1 << 39;

/// What follows a duty's start, and whether all of it fits a narrow one.
#[inline(always)]
fn numbers(d: &Duty) -> ([i64; NUMBERS - 1], bool) {
    let start = d.start.0;
    let since = |at: Moment| if at == Moment::NEVER { NEVER } else { at.0.wrapping_sub(start) };
    let limit = match d.clock.state {
        ClockState::Fixed => d.clock.target.wrapping_sub(start),
        ClockState::Counting | ClockState::Waiting => d.clock.target,
    };
    let numbers = [since(d.since), limit, since(d.deadline), since(d.ended), d.clock.elapsed];
    let narrow = (0..1 << 47).contains(&start)
        && numbers.iter().enumerate().all(|(i, n)| {
            let never = i == 2 && d.deadline == Moment::NEVER || i == 3 && d.ended == Moment::NEVER;
            never || *n > NEVER && *n < -NEVER
        });
    (numbers, narrow)
}

#[inline(always)]
fn pack_duty(d: &Duty, out: &mut Writer<'_>) {
    let (numbers, narrow) = numbers(d);
    let bytes = out.next::<DUTY>();
    bytes[0] = d.told as u8 | (d.clock.state as u8) << 4 | u8::from(d.more.is_some()) << 6 | u8::from(!narrow) << 7;
    bytes[1] = d.clock.limit;
    bytes[2..4].copy_from_slice(&d.rule.to_le_bytes());
    bytes[4..6].copy_from_slice(&d.clock.calendar.to_le_bytes());
    bytes[6..8].copy_from_slice(&d.flags.0.to_le_bytes());
    bytes[8..10].copy_from_slice(&d.ended_by.to_le_bytes());
    bytes[10..18].copy_from_slice(&d.key.to_le_bytes());
    bytes[18] = d.clock.row;
    bytes[19] = d.filed.0;
    if narrow {
        let bytes = out.next::<NARROW>();
        bytes[..8].copy_from_slice(&d.start.0.to_le_bytes());
        let [most @ .., last] = numbers;
        for (i, n) in most.iter().enumerate() {
            // Eight bytes are written, and the next number lies over the last three.
            bytes[6 + 5 * i..14 + 5 * i].copy_from_slice(&n.to_le_bytes());
        }
        bytes[NARROW - 5..].copy_from_slice(&last.to_le_bytes()[..5]);
    } else {
        let bytes = out.next::<WIDE>();
        let plain = [d.start.0, d.since.0, d.clock.target, d.deadline.0, d.ended.0, d.clock.elapsed];
        for (i, n) in plain.iter().enumerate() {
            bytes[8 * i..8 * i + 8].copy_from_slice(&n.to_le_bytes());
        }
    }
}

struct Writer<'a> {
    bytes: &'a mut [u8],
    at: usize,
}

impl Writer<'_> {
    #[inline(always)]
    fn next<const N: usize>(&mut self) -> &mut [u8; N] {
        let from = self.at;
        self.at += N;
        self.bytes[from..].first_chunk_mut().expect("as much room as was measured")
    }

    #[inline(always)]
    fn put(&mut self, bytes: &[u8]) {
        let from = self.at;
        self.at += bytes.len();
        self.bytes[from..self.at].copy_from_slice(bytes);
    }
}

fn skip_duty(rest: &mut Reader<'_>) {
    let head = rest.bytes[rest.at];
    rest.at += DUTY + if head & 1 << 7 == 0 { NARROW } else { WIDE };
    if head & 1 << 6 != 0 {
        rest.part();
    }
}

#[inline(always)]
fn unpack_duty(rest: &mut Reader<'_>) -> Duty {
    // Read where it lies: a copy would wait for what was just written, and be waited for.
    let head = part_of::<DUTY>(rest.bytes, rest.at);
    let state = match head[0] >> 4 & 3 {
        0 => ClockState::Counting,
        1 => ClockState::Fixed,
        _ => ClockState::Waiting,
    };
    let body = rest.at + DUTY;
    let (start, since, target, deadline, ended, elapsed);
    if head[0] & 1 << 7 == 0 {
        let five = part_of::<NARROW>(rest.bytes, body);
        start = (u64::from_le_bytes(array(five, 0)) & ((1 << 48) - 1)) as i64;
        // The eight bytes that end with the number: its sign comes down with it.
        let n = |i: usize| i64::from_le_bytes(array(five, 6 + 5 * i - 3)) >> 24;
        let from_start = |n: i64| if n == NEVER { i64::MAX } else { start.wrapping_add(n) };
        since = start.wrapping_add(n(0));
        target = if state == ClockState::Fixed { start.wrapping_add(n(1)) } else { n(1) };
        (deadline, ended, elapsed) = (from_start(n(2)), from_start(n(3)), n(4));
        rest.at = body + NARROW;
    } else {
        let plain: [i64; NUMBERS] = std::array::from_fn(|i| i64::from_le_bytes(array(rest.bytes, body + 8 * i)));
        [start, since, target, deadline, ended, elapsed] = plain;
        rest.at = body + WIDE;
    }
    let more = (head[0] & 1 << 6 != 0).then(|| rest.part()).and_then(read).map(Box::new);
    Duty {
        key: u64::from_le_bytes(array(head, 10)),
        start: Moment(start),
        since: Moment(since),
        deadline: Moment(deadline),
        ended: Moment(ended),
        clock: Clock {
            elapsed,
            target,
            calendar: u16::from_le_bytes(array(head, 4)),
            limit: head[1],
            row: head[18],
            state,
        },
        more,
        rule: u16::from_le_bytes(array(head, 2)),
        ended_by: u16::from_le_bytes(array(head, 8)),
        flags: Flags(u16::from_le_bytes(array(head, 6))),
        told: Standing::ALL[usize::from(head[0] & 15).min(Standing::ALL.len() - 1)],
        filed: Filed(head[19]),
    }
}

/// What is rare is written plainly.
pub(crate) fn bytes<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_allocvec(value).expect("plain data in memory is always written")
}

pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    postcard::from_bytes(bytes).ok()
}

/// The same after other bytes.
pub(crate) fn put_onto<T: Serialize>(out: &mut Vec<u8>, value: &T) {
    *out = postcard::to_extend(value, std::mem::take(out)).expect("plain data in memory is always written");
}

/// A part of something else: with its length before it.
#[inline(always)]
pub(crate) fn part(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let from = out.len();
    out.extend_from_slice(&[0; 4]);
    write(out);
    let len = (out.len() - from - 4) as u32;
    out[from..from + 4].copy_from_slice(&len.to_le_bytes());
}

fn put<T: Serialize>(out: &mut Vec<u8>, value: &T) {
    part(out, |out| put_onto(out, value));
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn part(&mut self) -> &'a [u8] {
        let len = u32::from_le_bytes(array(self.bytes, self.at)) as usize;
        let from = self.at + 4;
        self.at = from + len;
        &self.bytes[from..self.at]
    }

    /// With the length before it.
    fn whole_part(&mut self) -> &'a [u8] {
        let from = self.at;
        self.part();
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn instant() -> impl Strategy<Value = i64> {
        prop_oneof![
            5 => 1_700_000_000_000i64..1_900_000_000_000,
            1 => Just(i64::MAX),
            1 => any::<i64>(),
            1 => Just(1_800_000_000_000 + NEVER),
        ]
    }

    proptest! {
        #[test]
        fn a_duty_comes_back_as_it_was(
            start in prop_oneof![5 => Just(1_800_000_000_000i64), 1 => any::<i64>()],
            instants in prop::array::uniform3(instant()),
            lengths in prop::array::uniform2(prop_oneof![4 => 0i64..40_000_000_000, 1 => any::<i64>()]),
            state in prop_oneof![Just(ClockState::Counting), Just(ClockState::Fixed), Just(ClockState::Waiting)],
            held in prop::option::of(any::<i64>()),
        ) {
            let mut duty = Duty::new(7, 9, Moment(start));
            [duty.since, duty.deadline, duty.ended] = instants.map(Moment);
            [duty.clock.target, duty.clock.elapsed] = lengths;
            if state == ClockState::Fixed {
                duty.clock.target = instants[0];
            }
            (duty.clock.state, duty.clock.row, duty.told) = (state, 3, Standing::Paused);
            duty.filed = Filed::new(Some(24_000), true);
            if let Some(held) = held {
                duty.more_mut().held = held;
            }
            let mut subject = Subject::default();
            subject.reset(3, "INC1");
            subject.head.ended.push(duty.clone());
            subject.head.open.push(duty);
            let bytes = packed(&subject);
            let mut back = Subject::default();
            unpack(&bytes, &mut back);
            prop_assert_eq!(&back.head, &subject.head);
            prop_assert_eq!(&back.name, &subject.name);
            prop_assert_eq!(packed(&subject), bytes);
        }
    }
}
