//! A record text by text: each JSON text of it is read without escapes, looked at, and written anew if a secret was in it. What
//! is no JSON is looked at as it stands, and its quoted parts as well.

use super::{assigned, mark, plain};
use crate::ingest::adapt::event::quote;
use serde::de::IgnoredAny;
use std::borrow::Cow;

/// JSON within a text within JSON: so deep it is followed.
pub(super) const DEEPEST: usize = 4;

/// So often it is looked again: what was taken out may have hidden something beside it.
const ROUNDS: usize = 8;

pub(super) fn redact(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut out: Option<Vec<u8>> = None;
    for _ in 0..ROUNDS {
        match once(out.as_deref().unwrap_or(bytes)) {
            Some(clean) => out = Some(clean),
            None => break,
        }
    }
    out.map_or(Cow::Borrowed(bytes), Cow::Owned)
}

/// One look; None if there is nothing.
fn once(bytes: &[u8]) -> Option<Vec<u8>> {
    if is_json(bytes) {
        return quoted(bytes, 0);
    }
    let whole = plain(bytes);
    let inside = quoted(whole.as_deref().unwrap_or(bytes), 0);
    inside.or(whole)
}

pub(super) fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}

/// The texts of a record; None if nothing is in them.
fn quoted(bytes: &[u8], depth: usize) -> Option<Vec<u8>> {
    let mut out: Option<Vec<u8>> = None;
    let (mut written, mut at) = (0, 0);
    // The key whose value comes next.
    let mut key: Option<Cow<'_, [u8]>> = None;
    while let Some(begin) = memchr::memchr(b'"', &bytes[at..]).map(|found| at + found) {
        // Anything but a colon and blanks between a key and a text: the key's value was something else.
        if !bytes[at..begin].iter().all(|byte| byte.is_ascii_whitespace() || *byte == b':') {
            key = None;
        }
        let Some(end) = closing(bytes, begin + 1) else { break };
        let said = unescaped(&bytes[begin..=end]);
        let behind = bytes[end + 1..].iter().find(|byte| !byte.is_ascii_whitespace());
        let is_key = behind == Some(&b':');
        let by_key = key.take().filter(|_| !is_key).and_then(|key| assigned::keyed(&key, &said));
        let instead = match by_key {
            Some(form) => Some(mark(form).into_bytes()),
            None => text(&said, depth),
        };
        if let Some(instead) = instead {
            let out = out.get_or_insert_with(|| Vec::with_capacity(bytes.len()));
            out.extend_from_slice(&bytes[written..begin]);
            let mut line = String::new();
            quote(&mut line, &String::from_utf8_lossy(&instead));
            out.extend_from_slice(line.as_bytes());
            written = end + 1;
        }
        key = is_key.then_some(said);
        at = end + 1;
    }
    if let Some(out) = &mut out {
        out.extend_from_slice(&bytes[written..]);
    }
    out
}

/// One text: JSON that was written into it is read as such.
fn text(said: &[u8], depth: usize) -> Option<Vec<u8>> {
    let begins = said.iter().find(|byte| !byte.is_ascii_whitespace());
    if depth < DEEPEST && matches!(begins, Some(b'{' | b'[' | b'"')) && is_json(said) {
        return quoted(said, depth + 1);
    }
    plain(said)
}

/// Where a text ends that begins here.
fn closing(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

/// A text without its quotation marks and escapes; as it stands if it is none.
fn unescaped(literal: &[u8]) -> Cow<'_, [u8]> {
    let inner = &literal[1..literal.len() - 1];
    if memchr::memchr(b'\\', inner).is_none() {
        return Cow::Borrowed(inner);
    }
    match serde_json::from_slice::<String>(literal) {
        Ok(text) => Cow::Owned(text.into_bytes()),
        Err(_) => Cow::Borrowed(inner),
    }
}
