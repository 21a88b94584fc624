//! What is kept is packed: one context a thread, for making one costs as much as packing a page.

use std::cell::RefCell;
use std::io;
use zstd::bulk::Compressor;
use zstd::zstd_safe::{CParameter, compress_bound};

thread_local! {
    static CONTEXT: RefCell<Option<Packer>> = const { RefCell::new(None) };
}

struct Packer {
    compressor: Compressor<'static>,
    /// What is packed now, before it is copied to where it belongs: room of its own for each would be worst-case room, and
    /// the kernel clears it again and again.
    room: Vec<u8>,
}

/// How hard it is tried.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// As zstd counts; the lower, the faster.
    pub(crate) level: i32,
    /// The shortest repetition that is looked for, and bits of the table of them; 0: as the level has it.
    pub(crate) least: u32,
    pub(crate) table: u32,
}

impl Effort {
    /// As the level has it.
    pub(crate) const fn level(level: i32) -> Effort {
        Effort { level, least: 0, table: 0 }
    }
}

/// Packed in one piece, with its length. `level`: as zstd counts.
///
/// # Errors
/// zstd has no memory.
pub(crate) fn zip(bytes: &[u8], level: i32) -> io::Result<Vec<u8>> {
    let mut packed = Vec::new();
    zip_onto(bytes, Effort::level(level), &mut packed)?;
    Ok(packed)
}

/// The same, behind what is packed already: a frame of its own.
///
/// # Errors
/// zstd has no memory.
pub(crate) fn zip_onto(bytes: &[u8], effort: Effort, packed: &mut Vec<u8>) -> io::Result<()> {
    CONTEXT.with_borrow_mut(|context| {
        let Packer { compressor, room } = match context {
            Some(context) => context,
            None => context.insert(Packer { compressor: Compressor::new(effort.level)?, room: Vec::new() }),
        };
        compressor.set_compression_level(effort.level)?;
        compressor.set_parameter(CParameter::MinMatch(effort.least))?;
        compressor.set_parameter(CParameter::HashLog(effort.table))?;
        room.clear();
        room.reserve(compress_bound(bytes.len()));
        compressor.compress_to_buffer(bytes, room)?;
        packed.extend_from_slice(room);
        Ok(())
    })
}
