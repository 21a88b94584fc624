//! The journal's form: everything that a judge took in, in its order, so that another judge that takes it in again comes
//! to the same state. One blob a commit.
//!
//! Records are kept as they came, not as facts: facts hold numbers of one run's contracts, and under other contracts other
//! fields matter. What became a dead letter changed nothing and is not here.

use onus_engine::time::Moment;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::io;

/// Rises when the form changes.
const FORM: u8 = 1;
/// zstd's fastest but for the negative ones.
const LEVEL: i32 = 1;
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

/// What is taken in until it is committed.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
    names: Vec<String>,
    /// Room for the next blob, uncompressed.
    whole: Vec<u8>,
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
    pub(crate) fn put(&mut self, item: &Item<'_>) {
        let bytes = std::mem::take(&mut self.bytes);
        // Into memory, of plain types: there is nothing that could go wrong.
        self.bytes = postcard::to_extend(item, bytes).unwrap_or_default();
    }

    /// Nothing was taken in.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The blob of all that was put; begins anew only with [`Writer::clear`], once it is written.
    pub(crate) fn blob(&mut self) -> io::Result<Vec<u8>> {
        let head = Head { form: FORM, names: self.names.clone() };
        let mut all = std::mem::take(&mut self.whole);
        all.clear();
        let mut all = postcard::to_extend(&head, all).map_err(io::Error::other)?;
        all.extend_from_slice(&self.bytes);
        let blob = zstd::bulk::compress(&all, LEVEL)?;
        self.whole = all;
        Ok(blob)
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.names.clear();
    }
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
        writer.put(&Item::Time { now: Moment(7), heard: vec![(feed, Moment(5))] });
        let lines = Cow::Borrowed(&b"{}\n{}\n"[..]);
        writer.put(&Item::Piece(Piece { feed, partition: 3, offsets: vec![9, 1], arrived: vec![7, 0], lines }));
        let blob = writer.blob().expect("a blob");
        writer.clear();
        assert!(writer.is_empty());
        let mut seen = Vec::new();
        read(&blob, &mut |names, item| seen.push(format!("{names:?} {item:?}"))).expect("its own blob");
        assert_eq!(seen.len(), 2);
        assert!(seen[0].contains("tickets") && seen[1].contains("partition: 3"), "{seen:?}");
        assert!(read(&blob[..blob.len() - 1], &mut |_, _| {}).is_err());
    }
}
