//! What is kept is packed: one context a thread, for making one costs as much as packing a page.

use std::cell::RefCell;
use std::io;
use zstd::bulk::Compressor;

thread_local! {
    static CONTEXT: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
}

/// Packed in one piece, with its length. `level`: as zstd counts; the lower, the faster.
///
/// # Errors
/// zstd has no memory.
pub(crate) fn zip(bytes: &[u8], level: i32) -> io::Result<Vec<u8>> {
    CONTEXT.with_borrow_mut(|context| {
        let context = match context {
            Some(context) => context,
            None => context.insert(Compressor::new(level)?),
        };
        context.set_compression_level(level)?;
        context.compress(bytes)
    })
}
