//! Compression and base64, never longer undone than a record may be.

use super::{BAD_FRAME, Fault, LONGEST, Layer, Stop, TOO_LARGE, schema};
use crate::ingest::base64::base64;
use std::io::Read;
use std::ops::Range;

/// Memory that zstd may take to undo something: a window of 8 MiB, as its highest ordinary levels use.
const WINDOW: u32 = 23;

/// How something is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// gzip.
    Gzip,
    /// zstd.
    Zstd,
}

impl Packing {
    /// By its name in `content-encoding`.
    pub fn named(name: &str) -> Option<Packing> {
        match name.to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Some(Packing::Gzip),
            "zstd" => Some(Packing::Zstd),
            _ => None,
        }
    }

    /// What was compressed, if it is no longer than this.
    ///
    /// # Errors
    /// It is longer, or damaged.
    pub fn undone(self, value: &[u8], most: usize) -> Result<Vec<u8>, Fault> {
        match self {
            Packing::Gzip => bounded("gzip", flate2::read::MultiGzDecoder::new(value), most),
            Packing::Zstd => {
                let made = zstd::stream::read::Decoder::with_buffer(value).and_then(|mut decoder| {
                    decoder.window_log_max(WINDOW)?;
                    Ok(decoder)
                });
                match made {
                    Ok(decoder) => bounded("zstd", decoder, most),
                    Err(error) => Err(Fault { reason: BAD_FRAME, why: format!("cannot be undone by zstd: {error}") }),
                }
            }
        }
    }

    /// The same of a record.
    pub(super) fn record(self, value: &[u8]) -> Result<Vec<u8>, Stop> {
        self.undone(value, LONGEST).map_err(Stop::Wrong)
    }
}

fn bounded(how: &str, from: impl Read, most: usize) -> Result<Vec<u8>, Fault> {
    let mut out = Vec::new();
    match from.take(most as u64 + 1).read_to_end(&mut out) {
        Err(error) => {
            let why = format!("cannot be undone by {how}: {error}; it was cut or damaged");
            Err(Fault { reason: BAD_FRAME, why })
        }
        Ok(_) if out.len() > most => {
            let why =
                format!("is more than {most} bytes once {how} is undone: send it in several, or a reference to it");
            Err(Fault { reason: TOO_LARGE, why })
        }
        Ok(_) => Ok(out),
    }
}

/// Blanks and a byte order mark before the text.
pub(super) fn trimmed(value: &[u8]) -> Layer {
    let rest = value.strip_prefix(b"\xef\xbb\xbf").unwrap_or(value);
    let from = value.len() - rest.trim_ascii_start().len();
    // Whether what comes is wrapped is seen there; bare JSON after blanks stays as it is.
    match value.get(from) {
        Some(b'{' | b'[' | b'"') if from > 0 => Layer::Within(from..value.len()),
        _ => Layer::Bare,
    }
}

/// A JSON text: what is in it, if that is wrapped or JSON itself.
pub(super) fn quoted(value: &[u8], registry: bool) -> Layer {
    let Ok(inner) = serde_json::from_slice::<String>(value) else { return Layer::Bare };
    let inner = inner.into_bytes();
    if matches!(inner.trim_ascii_start().first(), Some(b'{' | b'[')) {
        return Layer::Undone(inner);
    }
    text(&inner, registry)
}

/// A text that is base64 as a whole, of JSON or of something that is undone here.
pub(super) fn text(value: &[u8], registry: bool) -> Layer {
    // Eight letters are six bytes: what they begin says whether the rest is looked at.
    let Some(head) = value.get(..8).and_then(|head| std::str::from_utf8(head).ok()).and_then(base64) else {
        return Layer::Bare;
    };
    let worth = match head.as_slice() {
        [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..] => true,
        [0 | 1, ..] => registry,
        // AWS Glue's frame: not read, and that is said.
        [3, 0 | 5, ..] => true,
        head => begins_json(head),
    };
    let whole = if worth { std::str::from_utf8(value).ok().and_then(base64) } else { None };
    let meant = |whole: &Vec<u8>| match whole[0] {
        3 => schema::glue(whole).is_some(),
        0x1f | 0x28 | 0 | 1 => true,
        // An ordinary word may be base64 of a brace and of bytes that are nothing.
        _ => std::str::from_utf8(whole).is_ok(),
    };
    whole.filter(meant).map_or(Layer::Bare, Layer::Undone)
}

/// Whether these first bytes may be those of a JSON object or array.
fn begins_json(head: &[u8]) -> bool {
    match head.trim_ascii_start() {
        [b'{', rest @ ..] => matches!(rest.trim_ascii_start().first(), None | Some(b'"' | b'}')),
        [b'[', rest @ ..] => {
            let value = |byte: &u8| b"{[\"]-tfn".contains(byte) || byte.is_ascii_digit();
            rest.trim_ascii_start().first().is_none_or(value)
        }
        _ => false,
    }
}

/// What was compressed may be many values, one a line: then each is a record. None: it is one.
pub(super) fn lines(value: &[u8]) -> Option<Vec<Range<usize>>> {
    let blank = |line: &[u8]| line.iter().all(u8::is_ascii_whitespace);
    let mut ranges = Vec::new();
    let mut from = 0;
    for line in value.split(|byte| *byte == b'\n') {
        if !blank(line) {
            ranges.push(from..from + line.len());
        }
        from += line.len() + 1;
    }
    // One value may be written over many lines: its first line is none by itself.
    let whole = |range: &Range<usize>| serde_json::from_slice::<serde::de::IgnoredAny>(&value[range.clone()]).is_ok();
    (ranges.len() != 1 && ranges.first().is_none_or(whole)).then_some(ranges)
}
