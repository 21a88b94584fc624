//! What an intake keeps in its store until the brokers have it: a row beside what adapters remember, in the commit that notes
//! its records as read (docs/seams.md, section 16).

use super::NAME;
use crate::store::{Store, StoreError};
use serde::{Deserialize, Serialize};
#[cfg(feature = "kafka")]
use {
    crate::store::{Remembered, zip},
    onus_engine::time::Moment,
    std::io,
};

/// The row's name. There is one: the next commit is written when the brokers have what the one before it kept.
const ROW: &str = "out";
/// The row's first byte. Before there was one, it began as zstd does.
const FORM: u8 = 1;
/// What is packed faster than this still has words standing in it, and PostgreSQL packs it again, which costs more than was spared.
#[cfg(feature = "kafka")]
const LEVEL: i32 = 1;

/// One message for a partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Which.
    pub partition: i32,
    /// What its header says.
    #[serde(with = "serde_bytes")]
    pub header: Vec<u8>,
    /// Its value.
    #[serde(with = "serde_bytes")]
    pub value: Vec<u8>,
}

/// Events, as the records that the brokers are to get.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Made {
    /// How many events.
    pub(crate) events: u64,
    /// Their records.
    pub(crate) messages: Vec<Message>,
}

/// What a store keeps.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// No row.
    Nothing,
    /// These.
    Made(Made),
    /// Another version wrote it, or it is damaged.
    Unreadable,
}

/// Reads the row.
///
/// # Errors
/// The store cannot be read.
pub(crate) fn read(store: &mut dyn Store) -> Result<Kept, StoreError> {
    let mut found = None;
    store.remembered(NAME, &mut |one| {
        if one.id == ROW {
            found = one.row;
        }
    })?;
    let Some(row) = found else { return Ok(Kept::Nothing) };
    let packed = row.split_first().filter(|(form, _)| **form == FORM).map(|(_, packed)| packed);
    let plain = packed.and_then(|packed| zstd::stream::decode_all(packed).ok());
    let made = plain.and_then(|plain| postcard::from_bytes(&plain).ok());
    Ok(made.map_or(Kept::Unreadable, Kept::Made))
}

/// The row that keeps these, for a commit; None: the one that takes it away.
///
/// # Errors
/// They cannot be packed.
#[cfg(feature = "kafka")]
pub(crate) fn row(made: Option<&Made>, at: Moment) -> io::Result<Remembered> {
    let row = match made {
        Some(made) => {
            let plain = postcard::to_allocvec(made).map_err(io::Error::other)?;
            let mut bytes = vec![FORM];
            bytes.append(&mut zip(&plain, LEVEL)?);
            Some(bytes)
        }
        None => None,
    };
    Ok(Remembered { adapter: NAME.to_owned(), id: ROW.to_owned(), row, at })
}

#[cfg(all(test, feature = "kafka"))]
mod tests {
    use super::*;
    use crate::store::{Batch, place};

    #[test]
    fn what_another_version_kept_is_not_guessed_at() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = place::Place::Sqlite(folder.path().join("lane.db"));
        let mut store = place::open(&place, u16::MAX).expect("a store");
        assert_eq!(read(store.as_mut()).expect("read"), Kept::Nothing);
        let epoch = store.claim("test").expect("ours").epoch;
        let (adapter, id, at) = (NAME.to_owned(), ROW.to_owned(), Moment(0));
        let before = zip(&[0], 1).expect("packed");
        for (sequence, row) in (1..).zip([before, Vec::new(), vec![FORM], vec![FORM + 1, 0]]) {
            let remembered = [Remembered { adapter: adapter.clone(), id: id.clone(), row: Some(row), at }];
            let batch = Batch { remembered: &remembered, ..Batch::empty(sequence, at) };
            store.commit(epoch, &batch).expect("written");
            assert_eq!(read(store.as_mut()).expect("read"), Kept::Unreadable);
        }
    }
}
