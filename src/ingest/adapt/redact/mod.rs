//! Known secrets, taken out of a record before anything is made of it, so that none can stand in an event, a reason, a state or a
//! dead letter: in its place stands `[redacted:FORM]`. No digest of it: whoever has one can try out what a password may be.
//!
//! A record of JSON stays JSON: its texts are read without their escapes, and written anew only where one was changed; all
//! else stays byte for byte. What a record that was redacted before says is read like the first time: `[redacted:FORM]` counts.

mod assigned;
mod find;
mod formats;
mod shapes;
mod texts;

use crate::ingest::base64::base64;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use find::{find, names_a_quoted};
use formats::{FORMATS, OTHERS};
use std::borrow::Cow;

const MARK: &str = "[redacted:";

/// A record or any other text without the secrets that are known by their form, or by the name that they stand under. What has
/// none is given back as it is; JSON stays JSON, and doing it twice changes nothing.
pub fn redact_bytes(bytes: &[u8]) -> Cow<'_, [u8]> {
    if let Some((inner, quoted)) = packed(bytes) {
        match redact_bytes(&inner) {
            Cow::Owned(clean) => {
                let text = STANDARD.encode(clean);
                return Cow::Owned(if quoted { format!("\"{text}\"") } else { text }.into_bytes());
            }
            Cow::Borrowed(inner) if texts::is_json(inner) => return Cow::Borrowed(bytes),
            // Letters that are base64 of something with a brace in front, and nobody put it there.
            Cow::Borrowed(_) => {}
        }
    }
    if has_nothing(bytes) {
        return Cow::Borrowed(bytes);
    }
    texts::redact(bytes)
}

/// One look at the whole: nearly all records have nothing, and are done with it. True only where a look at each text finds nothing.
fn has_nothing(bytes: &[u8]) -> bool {
    let escapes = |bytes: &[u8]| memchr::memchr(b'\\', bytes).is_some();
    if !escapes(bytes) {
        return find(bytes).is_empty();
    }
    // As it stands, and as JSON reads it: texts may be JSON again. Where the value of a sure name ends, marks and backslashes do not
    // say then: they may be its own.
    let mut soft = Cow::Borrowed(bytes);
    for _ in 0..texts::DEEPEST + 2 {
        if names_a_quoted(&soft) || !find(&soft).is_empty() {
            return false;
        }
        if !escapes(&soft) {
            return true;
        }
        // Letters may be written as escapes (`\u0067hp_`), and what those spell cannot be seen so.
        let Some(softer) = softened(&soft) else { return false };
        soft = Cow::Owned(softer);
    }
    false
}

/// What a record holds that was put into base64 as a whole, as storage queues do, and whether quotation marks stand around it.
fn packed(bytes: &[u8]) -> Option<(Vec<u8>, bool)> {
    let bare = bytes.trim_ascii();
    let inner = bare.strip_prefix(b"\"").and_then(|bare| bare.strip_suffix(b"\""));
    let text = inner.unwrap_or(bare);
    let may_be = text.len() >= 8 && text[..8].iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(byte));
    let unpacked = may_be.then(|| std::str::from_utf8(text).ok().and_then(base64)).flatten()?;
    matches!(unpacked.trim_ascii_start(), [b'{' | b'[', ..]).then_some((unpacked, inner.is_some()))
}

/// The same of a text.
pub fn redact_text(text: &str) -> Cow<'_, str> {
    match redact_bytes(text.as_bytes()) {
        Cow::Borrowed(_) => Cow::Borrowed(text),
        // Whole characters were taken out, and letters put in.
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

/// The forms of what was taken out of a text, each once, in order.
pub(super) fn forms(text: &str) -> Vec<&'static str> {
    let mut forms = Vec::new();
    for (at, _) in text.match_indices(MARK) {
        let rest = &text[at + MARK.len()..];
        let Some((word, _)) = rest.split_once(']') else { continue };
        let known = FORMATS.iter().map(|format| format.form).chain(OTHERS.iter().copied());
        forms.extend(known.filter(|form| *form == word).take(1));
    }
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// Whether a record may hold the sign of what was taken out.
pub(super) fn marked(text: &str) -> bool {
    memchr::memmem::find(text.as_bytes(), MARK.as_bytes()).is_some()
}

/// The bytes with what escapes stand for, so that what stands beside them is seen: quotation marks as others, so that those of the
/// record still hold its texts together. None where characters are written as numbers.
fn softened(bytes: &[u8]) -> Option<Vec<u8>> {
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(next) = memchr::memchr(b'\\', &bytes[at..]).map(|found| at + found) {
        out.extend_from_slice(&bytes[at..next]);
        out.push(match bytes.get(next + 1) {
            Some(b'u') => return None,
            Some(b'"' | b'\'') => b'\'',
            Some(byte @ (b'\\' | b'/')) => *byte,
            _ => b' ',
        });
        at = (next + 2).min(bytes.len());
    }
    out.extend_from_slice(&bytes[at..]);
    Some(out)
}

/// A text without its secrets, None if it has none.
fn plain(text: &[u8]) -> Option<Vec<u8>> {
    let found = find(text);
    if found.is_empty() {
        return None;
    }
    let (mut out, mut at) = (Vec::with_capacity(text.len()), 0);
    for one in found {
        out.extend_from_slice(&text[at..one.place.start]);
        out.extend_from_slice(mark(one.form).as_bytes());
        at = one.place.end;
    }
    out.extend_from_slice(&text[at..]);
    Some(out)
}

fn mark(form: &str) -> String {
    format!("{MARK}{form}]")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a password begins or ends with is no mark of the record, and escapes none, however deep in texts it stands.
    #[test]
    fn a_password_with_marks_and_backslashes_of_its_own_is_found() {
        for password in [r"ab:\", "\"ab:c", "a'\"b"] {
            let mut record = serde_json::json!({ "password": password }).to_string();
            for _ in 0..3 {
                let clean = redact_bytes(record.as_bytes());
                assert!(String::from_utf8_lossy(&clean).contains("[redacted:password]"), "{record}");
                record = serde_json::json!({ "message": record }).to_string();
            }
        }
    }

    /// A text that could be base64 of `{` and of no record is looked at as it stands.
    #[test]
    fn what_only_looks_packed_is_read_as_it_is() {
        let text = "e0AaA0AAA0AAAaAa0A0AA0a0A0AAaghp_aB3dE6gH9jK2mN5pQ8sT1secret";
        assert_eq!(redact_text(text), "e0AaA0AAA0AAAaAa0A0AA0a0A0AAa[redacted:github-token]");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

        /// What one look at the whole lets pass has nothing in any of its texts.
        #[test]
        fn the_short_way_finds_what_the_long_way_finds(
            texts in proptest::collection::vec(
                "(password|pwd|client_secret|token|secret|[:=\"'{}\\\\/@.~_ -]|[a-zA-Z0-9]{1,24}|://|[łż„\n\t\u{1}]|00aB3dE6gH9jK2mN5pQ8sT1vW4xY7zaB3dE6gH9jK2m|ghp_aB3dE6gH9jK2mN5pQ8sT1){0,12}",
                1..4,
            ),
            key in "(password|clientSecret|x|authorization)",
        ) {
            let members: Vec<serde_json::Value> = texts.iter().map(|text| serde_json::json!({ &key: text })).collect();
            let json = serde_json::json!({"all": members, "in": serde_json::json!(texts).to_string()}).to_string();
            let inner = serde_json::json!({ &key: texts[0] }).to_string();
            let inside = serde_json::json!({"in": inner, "deeper": serde_json::json!({ "in": inner }).to_string()}).to_string();
            for text in [json.as_str(), texts[0].as_str(), inside.as_str()] {
                prop_assert_eq!(redact_bytes(text.as_bytes()), texts::redact(text.as_bytes()), "{}", text);
            }
        }
    }
}
