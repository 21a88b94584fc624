//! Rows in the form in which PostgreSQL copies them in: whole pieces of bytes instead of a statement a row.

use super::database::{Value, without_zeros};
use bytes::Bytes;

/// A piece goes off when it has grown to this.
const PIECE: usize = 256 * 1024;
/// The form's mark, flags (none) and further header (none).
const HEAD: &[u8; 19] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

pub(super) struct Rows {
    bytes: Vec<u8>,
}

impl Rows {
    pub(super) fn new() -> Rows {
        Rows { bytes: HEAD.to_vec() }
    }

    /// A row: how many cells, and of each its length and bytes.
    pub(super) fn put(&mut self, values: &[Value<'_>]) {
        self.bytes.extend_from_slice(&(values.len() as i16).to_be_bytes());
        for value in values {
            match value {
                Value::Int(number) => self.cell(&number.to_be_bytes()),
                Value::Text(text) => self.cell(without_zeros(text).as_bytes()),
                Value::Bytes(bytes) => self.cell(bytes),
                Value::Null => self.bytes.extend_from_slice(&(-1_i32).to_be_bytes()),
            }
        }
    }

    fn cell(&mut self, bytes: &[u8]) {
        // A cell of 2 GiB is refused by the server: its length is then no length.
        self.bytes.extend_from_slice(&i32::try_from(bytes.len()).unwrap_or(i32::MAX).to_be_bytes());
        self.bytes.extend_from_slice(bytes);
    }

    /// What has gathered, once there is enough of it.
    pub(super) fn piece(&mut self) -> Option<Bytes> {
        (self.bytes.len() >= PIECE).then(|| Bytes::from(std::mem::take(&mut self.bytes)))
    }

    /// The rest, and the mark of the end.
    pub(super) fn end(mut self) -> Bytes {
        self.bytes.extend_from_slice(&(-1_i16).to_be_bytes());
        Bytes::from(self.bytes)
    }
}
