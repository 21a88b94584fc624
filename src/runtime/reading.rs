//! Lines of event files as events, with what a catalogue knows: names become identities, and what an event does not say is
//! said for it, as in a process that runs on.

use crate::catalogue::{Catalogue, Names};
use crate::decode::{Batch, Decoder};
use onus_engine::time::Moment;
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A decoder, and the catalogue before it. Each thread that reads has its own.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    decoder: Decoder,
    known: Option<Arc<Known>>,
}

#[derive(Debug)]
struct Known {
    catalogue: Arc<Catalogue>,
    names: Names,
    /// Events that name another partner than the catalogue, of all threads.
    against: AtomicU64,
}

impl Reading {
    pub(super) fn new(decoder: Decoder, catalogue: &Arc<Catalogue>) -> Reading {
        let known = (!catalogue.is_empty()).then(|| {
            // Read once, it moves nothing: who has an identity has had it all along.
            let names = Names::of(catalogue, &Names::default(), Moment::DAWN);
            Arc::new(Known { catalogue: Arc::clone(catalogue), names, against: AtomicU64::new(0) })
        });
        Reading { decoder, known }
    }

    /// As [`Decoder::lines`].
    pub(super) fn lines(&mut self, bytes: &[u8], first: u64, batch: &mut Batch) {
        match &self.known {
            None => self.decoder.lines(bytes, first, batch),
            Some(known) => {
                let pinned = known.pinned(bytes);
                self.decoder.lines(&known.names.resolved(&pinned), first, batch);
            }
        }
    }

    /// Events that named another partner than the catalogue.
    pub(super) fn against(&self) -> u64 {
        self.known.as_ref().map_or(0, |known| known.against.load(Ordering::Relaxed))
    }
}

impl Known {
    /// Lines with what is known of them; as many as before.
    fn pinned<'l>(&self, lines: &'l [u8]) -> Cow<'l, [u8]> {
        let mut out = Vec::new();
        let (mut done, mut from) = (0, 0);
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            if let Ok(text) = std::str::from_utf8(text) {
                let pinned = self.catalogue.pin(text);
                self.against.fetch_add(u64::from(pinned.against.is_some()), Ordering::Relaxed);
                if let Some(new) = pinned.line {
                    out.extend_from_slice(&lines[done..from]);
                    out.extend_from_slice(new.as_bytes());
                    done = from + text.len();
                }
            }
            from += line.len();
        }
        if done == 0 {
            return Cow::Borrowed(lines);
        }
        out.extend_from_slice(&lines[done..]);
        Cow::Owned(out)
    }
}
