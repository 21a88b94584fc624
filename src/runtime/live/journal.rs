//! The journal's form: everything that a judge took in, in its order, so that another judge that takes it in again comes
//! to the same state. One blob a commit.
//!
//! Records are kept as they came, not as facts: facts hold numbers of one run's contracts, and under other contracts other
//! fields matter. What became a dead letter changed nothing and is not here.

use crate::ingest::feed::Records;
use crate::store::{Effort, zip_onto};
use onus_engine::time::Moment;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::io;

/// Rises when the form changes.
const FORM: u8 = 1;
/// A tenth of all CPU less than level 1; what is faster still writes more than it spares (docs/performance.md).
const EFFORT: Effort = Effort { level: -2, least: 7, table: 14 };
/// Lines of a piece that are so long are packed by themselves, ...
const ALONE: usize = 64 << 10;
/// ... and others together, until they are: what is short packs badly.
const TOGETHER: usize = 256 << 10;
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
        let mut some = postcard::to_allocvec(&head).map_err(io::Error::other)?;
        let (mut blob, mut from) = (Vec::new(), 0);
        let runs = self.lines.iter().map(|(place, lines)| (*place, lines.as_slice()));
        for (place, lines) in runs.chain([(self.bytes.len(), &[][..])]) {
            some.extend_from_slice(&self.bytes[from..place]);
            from = place;
            if lines.len() < ALONE {
                some.extend_from_slice(lines);
                if some.len() < TOGETHER {
                    continue;
                }
            }
            zip_onto(&some, EFFORT, &mut blob)?;
            some.clear();
            // Where they lie: a copy of all lines would cost a third of what packing them does.
            if lines.len() >= ALONE {
                zip_onto(lines, EFFORT, &mut blob)?;
            }
        }
        if !some.is_empty() {
            zip_onto(&some, EFFORT, &mut blob)?;
        }
        Ok(blob)
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
    let all = unpacked(blob)?;
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

/// What a blob's frames hold, one behind the other.
fn unpacked(blob: &[u8]) -> Result<Vec<u8>, String> {
    let (mut all, mut rest) = (Vec::new(), blob);
    while !rest.is_empty() {
        let length = zstd::zstd_safe::find_frame_compressed_size(rest).map_err(zstd::zstd_safe::get_error_name)?;
        let (frame, after) = rest.split_at_checked(length).ok_or("a frame of it is cut")?;
        let size = zstd::zstd_safe::get_frame_content_size(frame).ok().flatten().unwrap_or(LONGEST as u64);
        let room = (size as usize).min(LONGEST - all.len());
        let mut part = zstd::bulk::decompress(frame, room).map_err(|e| e.to_string())?;
        if all.is_empty() {
            all = part;
        } else {
            all.append(&mut part);
        }
        rest = after;
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::zip;
    use proptest::prelude::*;

    /// What a blob holds, as it is read; and the lengths of its lines.
    fn shown(blob: &[u8]) -> Result<(Vec<String>, Vec<usize>), String> {
        let (mut seen, mut sizes) = (Vec::new(), Vec::new());
        let mut show = |names: &[String], item: Item<'_>| {
            if let Item::Piece(piece) = &item {
                sizes.push(piece.lines.len());
            }
            seen.push(format!("{names:?} {item:?}"));
        };
        read(blob, &mut show)?;
        Ok((seen, sizes))
    }

    fn written(runs: &[Vec<u8>]) -> Writer {
        let mut writer = Writer::default();
        let feed = writer.name("tickets");
        assert_eq!(writer.name("tickets"), feed);
        writer.put(Item::Time { now: Moment(7), heard: vec![(feed, Moment(5))] });
        for lines in runs {
            let lines = Cow::Borrowed(&lines[..]);
            writer.put(Item::Piece(Piece { feed, partition: 3, offsets: vec![9, 1], arrived: vec![7, 0], lines }));
            writer.put(Item::Ceiling(Moment(8)));
        }
        writer
    }

    #[test]
    fn what_was_put_comes_back() {
        let runs = [b"{}\n{}\n".to_vec(), Vec::new(), b"{}\n".repeat(100_000)];
        let mut writer = written(&runs);
        let blob = writer.blob().expect("a blob");
        assert_eq!(blob, writer.blob().expect("the same blob"));
        writer.clear();
        assert!(writer.is_empty());
        let (seen, sizes) = shown(&blob).expect("its own blob");
        assert_eq!((seen.len(), sizes), (7, runs.iter().map(Vec::len).collect()));
        assert!(seen[0].contains("tickets") && seen[1].contains("partition: 3") && seen[2].contains("Ceiling"));
        assert!(shown(&blob[..blob.len() - 1]).is_err());
        assert!(shown(&[]).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// However it is divided into frames, it says what it said as one frame, as blobs were before.
        #[test]
        fn frames_say_what_one_says(lengths in prop::collection::vec(prop_oneof![0..200usize, 0..2 * ALONE, ALONE - 2..ALONE + 2], 0..12)) {
            let runs: Vec<Vec<u8>> = lengths.iter().map(|length| b"{\"id\": 1}\n".repeat(length / 10 + 1)[..*length].to_vec()).collect();
            let blob = written(&runs).blob().expect("a blob");
            let whole = unpacked(&blob).expect("its own blob");
            let one = zip(&whole, 1).expect("packed");
            let found = shown(&blob).expect("its own blob");
            prop_assert_eq!(&found.1, &lengths);
            prop_assert_eq!(found, shown(&one).expect("one frame"));
        }
    }
}
