//! Secrets that are told by their shape, and not by a prefix alone. Each function is given where its sign was found, and says
//! from where to where the secret goes.

use super::formats::Made;
use std::ops::Range;

/// Letters or digits before it would make it a piece of something else.
pub(super) fn begins(text: &[u8], at: usize) -> bool {
    at.checked_sub(1).and_then(|before| text.get(before)).is_none_or(|byte| !byte.is_ascii_alphanumeric())
}

/// How far a run of such bytes goes.
pub(super) fn run(text: &[u8], from: usize, takes: impl Fn(u8) -> bool) -> usize {
    text.get(from..)
        .unwrap_or_default()
        .iter()
        .position(|byte| !takes(*byte))
        .map_or(text.len(), |length| from + length)
}

fn mixed(text: &[u8]) -> bool {
    text.iter().any(u8::is_ascii_uppercase)
        && text.iter().any(u8::is_ascii_lowercase)
        && text.iter().any(u8::is_ascii_digit)
}

/// SendGrid (docs.sendgrid.com, "API keys"; gitleaks `sendgrid-api-token`): `SG.` and two parts with a point between.
pub(super) fn sendgrid(text: &[u8], at: usize) -> Option<Range<usize>> {
    let (first, second) = two_parts(text, at, b"SG.", 3)?;
    (begins(text, at) && first >= at + 3 + 16 && second > first + 16).then_some(at..second)
}

/// Two runs with a point between, behind a sign of which so much is not part of the first: where they end.
fn two_parts(text: &[u8], at: usize, sign: &[u8], skip: usize) -> Option<(usize, usize)> {
    if !text[at..].starts_with(sign) {
        return None;
    }
    let first = run(text, at + skip, |byte| Made::Dash.takes(byte));
    (text.get(first) == Some(&b'.')).then(|| (first, run(text, first + 1, |byte| Made::Dash.takes(byte))))
}

/// Vault's tokens before 1.10: `s.` and 24 letters and digits (developer.hashicorp.com/vault, "Tokens").
pub(super) fn old_vault(text: &[u8], at: usize) -> Option<Range<usize>> {
    if !text[at..].starts_with(b"s.") || !begins(text, at) {
        return None;
    }
    let end = run(text, at + 2, |byte| byte.is_ascii_alphanumeric());
    let token = &text[at + 2..end];
    // A point may be the sentence's.
    let after = text.get(end + usize::from(text.get(end) == Some(&b'.')));
    let whole = after.is_none_or(|byte| !Made::Dot.takes(*byte));
    (whole && token.len() == 24 && mixed(token)).then_some(at..end)
}

/// Okta's API tokens: `00` and 40 more (gitleaks `okta-access-token`); ids of Okta's objects have 20 in all.
pub(super) fn okta(text: &[u8], at: usize) -> Option<Range<usize>> {
    if !begins(text, at) || matches!(text.get(at.wrapping_sub(1)), Some(b'_' | b'-' | b'.' | b':')) {
        return None;
    }
    let end = run(text, at, |byte| Made::Dash.takes(byte));
    (text[at..].starts_with(b"00") && end - at == 42 && mixed(&text[at..end])).then_some(at..end)
}

/// Entra ID's client secrets: three, a digit, `Q~`, and 31 to 34 more (gitleaks `azure-ad-client-secret`). Found by `Q~`.
pub(super) fn azure(text: &[u8], sign: usize) -> Option<Range<usize>> {
    let takes = |byte: u8| Made::Dot.takes(byte) || byte == b'~';
    let at = sign.checked_sub(4)?;
    let front = &text[at..sign];
    if !text[sign..].starts_with(b"Q~") || !front.iter().all(|byte| takes(*byte)) || !front[3].is_ascii_digit() {
        return None;
    }
    let end = run(text, sign + 2, takes);
    (begins(text, at) && end - sign > 24).then_some(at..end)
}

/// A signed or encrypted token (RFC 7519): parts of base64url, the first an object.
pub(super) fn jwt(text: &[u8], at: usize) -> Option<Range<usize>> {
    let (first, second) = two_parts(text, at, b"eyJ", 0)?;
    let end = run(text, at, |byte| Made::Dot.takes(byte) || byte == b'=');
    (begins(text, at) && first >= at + 10 && second > first + 10).then_some(at..end)
}

/// A private key in PEM (RFC 7468), or what is left of one: to its last line, else as far as it looks like base64. Line ends may
/// stand there as a backslash and a letter.
pub(super) fn private_key(text: &[u8], at: usize) -> Option<Range<usize>> {
    const LAST: &[u8] = b"-----END ";
    let capital = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' ';
    let label = run(text, at + 11, capital);
    if !text[at..].starts_with(b"-----BEGIN ") || !text[at + 11..label].ends_with(b"PRIVATE KEY") {
        return None;
    }
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || b"+/= \t\r\n\\:,-".contains(&byte);
    let mut end = run(text, label, inside);
    if let Some(last) = memchr::memmem::find(&text[label..end], LAST) {
        let name = run(text, label + last + LAST.len(), capital);
        end = run(text, name, |byte| byte == b'-');
    }
    // A backslash at the end is the next character's.
    while end > label && matches!(text[end - 1], b'\\' | b' ' | b'\n' | b'\r') {
        end -= 1;
    }
    Some(at..end)
}

/// The password of `scheme://user:password@host`, found by `://`.
pub(super) fn url_password(text: &[u8], sign: usize) -> Option<Range<usize>> {
    let from = sign + 3;
    let end = run(text, from, |byte| byte > b' ' && !b"/\"'<>\\`@".contains(&byte));
    let colon = text[from..end].iter().position(|byte| *byte == b':')? + from + 1;
    let scheme = sign.checked_sub(1).is_some_and(|before| text[before].is_ascii_alphanumeric());
    let told = scheme && text.get(end) == Some(&b'@') && end > colon;
    // In the whole, and not in the password alone: what was taken out may stand across the colon.
    (told && !super::assigned::marked(&text[from..end]) && !super::assigned::placeholder(&text[colon..end]))
        .then_some(colon..end)
}
