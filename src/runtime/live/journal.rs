//! The journal's form: everything that a judge took in, in its order, so that another judge that takes it in again comes
//! to the same state. One blob a commit.
//!
//! Records are kept as they came, not as facts: facts hold numbers of one run's contracts, and under other contracts other
//! fields matter. What became a dead letter changed nothing and is not here.

use crate::ingest::feed::Records;
use crate::store::zip;
use onus_engine::time::Moment;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::io;

/// Rises when the form changes.
const FORM: u8 = 1;
/// A tenth of all CPU less than 1; what is faster still writes more than it spares (docs/performance.md).
const LEVEL: i32 = -2;
/// The longest blob that is read, before it was compressed: a batch is far less.
const LONGEST: usize = 1 << 30;

/// One thing that the judge took in.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Item<'a> {
    /// Time passed, and feeds had been heard up to these instants.
    Time {
        /// To.
        now: Moment,
        /// By name's place in [`Names`], where it moved.
        heard: Vec<(u16, Moment)>,
    },
    /// Records of one partition.
    #[serde(borrow)]
    Piece(Piece<'a>),
    /// By the events' clock: the events that follow move time no further than to this instant.
    Ceiling(Moment),
}

/// Records of one partition, in order.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Piece<'a> {
    /// The feed's name, by its place.
    pub(crate) feed: u16,
    /// Partition.
    pub(crate) partition: i32,
    /// Positions: each as the distance from the one before, the first from 0.
    pub(crate) offsets: Vec<u64>,
    /// When each came: milliseconds after the one before, the first after 1970.
    pub(crate) arrived: Vec<i64>,
    /// A line each.
    #[serde(with = "serde_bytes", borrow)]
    pub(crate) lines: Cow<'a, [u8]>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Head {
    form: u8,
    /// Names of feeds.
    names: Vec<String>,
}

/// What is taken in until it is committed. Records stay where they lie until a thread makes the blob of them.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    /// Everything but records' lines, one after the other.
    bytes: Vec<u8>,
    /// Lines, and where in `bytes` they belong.
    lines: Vec<(usize, Vec<u8>)>,
    names: Vec<String>,
}

impl Writer {
    /// The place of a feed's name.
    pub(crate) fn name(&mut self, name: &str) -> u16 {
        let at = self.names.iter().position(|known| known == name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        at as u16
    }

    /// Adds one.
    pub(crate) fn put(&mut self, item: Item<'_>) {
        let Item::Piece(piece) = item else { return self.add(&item) };
        // Lines come last, as their length and themselves: an empty run has the length 0, a byte, in place of which theirs is put.
        let lines = piece.lines.into_owned();
        self.add(&Item::Piece(Piece { lines: Cow::Borrowed(&[]), ..piece }));
        self.bytes.pop();
        self.add(&lines.len());
        self.lines.push((self.bytes.len(), lines));
    }

    /// Adds these lines of a feed's records; gives how many bytes they have.
    pub(crate) fn put_lines(&mut self, feed: &str, records: &Records, lines: impl Iterator<Item = usize>) -> usize {
        let (mut offsets, mut arrived, mut all) = (Vec::new(), Vec::new(), Vec::new());
        let (mut place, mut then) = (0, 0);
        for one in lines.filter_map(|line| records.list.get(line)) {
            offsets.push(one.offset.wrapping_sub(place));
            arrived.push(one.arrived.0 - then);
            (place, then) = (one.offset, one.arrived.0);
            all.extend_from_slice(records.record(one));
            all.push(b'\n');
        }
        let bytes = all.len();
        if !offsets.is_empty() {
            let (feed, partition, lines) = (self.name(feed), records.partition, Cow::Owned(all));
            self.put(Item::Piece(Piece { feed, partition, offsets, arrived, lines }));
        }
        bytes
    }

    fn add(&mut self, what: &impl Serialize) {
        let bytes = std::mem::take(&mut self.bytes);
        // Into memory, of plain types: there is nothing that could go wrong.
        self.bytes = postcard::to_extend(what, bytes).unwrap_or_default();
    }

    /// Nothing was taken in.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The blob of all that was put; begins anew only with [`Writer::clear`], once it is written.
    pub(crate) fn blob(&self) -> io::Result<Vec<u8>> {
        let head = Head { form: FORM, names: self.names.clone() };
        let head = postcard::to_allocvec(&head).map_err(io::Error::other)?;
        let size = head.len() + self.bytes.len() + self.lines.iter().map(|(_, lines)| lines.len()).sum::<usize>();
        // In one piece: packed piece by piece it is copied all the same, and each looks back into the copy of the one before.
        let mut whole = Vec::with_capacity(size);
        whole.extend_from_slice(&head);
        let mut from = 0;
        for (place, lines) in &self.lines {
            whole.extend_from_slice(&self.bytes[from..*place]);
            whole.extend_from_slice(lines);
            from = *place;
        }
        whole.extend_from_slice(&self.bytes[from..]);
        zip(&whole, LEVEL)
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.lines.clear();
        self.names.clear();
    }
}

/// One record of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Placed<'a> {
    pub(crate) line: &'a [u8],
    pub(crate) offset: u64,
    pub(crate) arrived: Moment,
}

/// The records of a piece, in order.
pub(crate) fn places<'a>(lines: &'a [u8], offsets: &'a [u64], arrived: &'a [i64]) -> impl Iterator<Item = Placed<'a>> {
    let (mut offset, mut at) = (0u64, 0i64);
    lines.split(|byte| *byte == b'\n').zip(offsets.iter().zip(arrived)).map(move |(line, (further, later))| {
        offset = offset.wrapping_add(*further);
        at += later;
        Placed { line, offset, arrived: Moment(at) }
    })
}

/// Shows what a blob holds, in order, with the names of its feeds.
///
/// # Errors
/// In words, where it is not such a blob.
pub(crate) fn read(blob: &[u8], show: &mut dyn FnMut(&[String], Item<'_>)) -> Result<(), String> {
    let size = zstd::zstd_safe::get_frame_content_size(blob).ok().flatten().unwrap_or(LONGEST as u64);
    let all = zstd::bulk::decompress(blob, (size as usize).min(LONGEST)).map_err(|e| e.to_string())?;
    let (head, mut rest): (Head, &[u8]) = postcard::take_from_bytes(&all).map_err(|e| e.to_string())?;
    if head.form != FORM {
        return Err(format!("the journal has form {}, this version reads form {FORM}", head.form));
    }
    while !rest.is_empty() {
        let (item, after): (Item<'_>, &[u8]) = postcard::take_from_bytes(rest).map_err(|e| e.to_string())?;
        show(&head.names, item);
        rest = after;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_comes_back() {
        let mut writer = Writer::default();
        let feed = writer.name("tickets");
        assert_eq!(writer.name("tickets"), feed);
        writer.put(Item::Time { now: Moment(7), heard: vec![(feed, Moment(5))] });
        let long = b"{}\n".repeat(100_000);
        for lines in [&b"{}\n{}\n"[..], &[], &long] {
            let lines = Cow::Borrowed(lines);
            writer.put(Item::Piece(Piece { feed, partition: 3, offsets: vec![9, 1], arrived: vec![7, 0], lines }));
            writer.put(Item::Ceiling(Moment(8)));
        }
        let blob = writer.blob().expect("a blob");
        writer.clear();
        assert!(writer.is_empty());
        let mut seen = Vec::new();
        let mut sizes = Vec::new();
        let mut show = |names: &[String], item: Item<'_>| {
            if let Item::Piece(piece) = &item {
                sizes.push(piece.lines.len());
            }
            seen.push(format!("{names:?} {item:?}"));
        };
        read(&blob, &mut show).expect("its own blob");
        assert_eq!((seen.len(), sizes), (7, vec![6, 0, long.len()]));
        assert!(seen[0].contains("tickets") && seen[1].contains("partition: 3") && seen[2].contains("Ceiling"));
        assert!(read(&blob[..blob.len() - 1], &mut |_, _| {}).is_err());
    }
}
