//! Secrets that only their name betrays: `password=...`, `"clientSecret": "..."`, `Authorization: Bearer ...`. A name alone is
//! weak evidence, and whoever is told of an exposure has something to do: so the value must look like one.

use super::shapes::run;
use std::ops::Range;

/// How sure a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    /// What has this name is a password.
    Password,
    /// What has this name is a secret.
    Secret,
    /// It may be the name of a secret as well: `secret: prod/db`.
    Weak,
}

/// Ways to say who one is.
pub(super) const SCHEMES: &[&str] = &["bearer ", "basic ", "ssws "];

/// Names that end so are a password's.
const PASSWORDS: &[&str] = &["password", "passwd", "passphrase", "passwort", "pwd"];

/// Names that end so are another secret's.
const SECRETS: &[&str] = &[
    "clientsecret",
    "appsecret",
    "sharedsecret",
    "secretkey",
    "secretaccesskey",
    "secretstring",
    "secretbinary",
    "privatekey",
    "apikey",
    "apitoken",
    "accesstoken",
    "refreshtoken",
    "sessiontoken",
    "authtoken",
    "securitytoken",
    "bearertoken",
    "accountkey",
    "sharedaccesskey",
];

/// What the name at a word says: the whole of the identifier that the word stands in.
fn name(identifier: &[u8]) -> Option<Name> {
    const LONGEST: usize = 64;
    let mut plain = [0; LONGEST];
    let mut length = 0;
    for byte in identifier.iter().filter(|byte| byte.is_ascii_alphanumeric()) {
        *plain.get_mut(length)? = byte.to_ascii_lowercase();
        length += 1;
    }
    let plain = &plain[..length];
    let ends = |names: &[&str]| names.iter().any(|name| plain.ends_with(name.as_bytes()));
    if ends(PASSWORDS) {
        return Some(Name::Password);
    }
    if ends(SECRETS) {
        return Some(Name::Secret);
    }
    let weak = plain.ends_with(b"secret") || plain == b"token" || plain == b"idtoken" || plain == b"accesskey";
    weak.then_some(Name::Weak)
}

/// What is given to a name.
struct Given {
    name: Name,
    /// In which quotation marks.
    mark: Option<u8>,
    /// Where it begins.
    from: usize,
    /// It cannot be prose.
    sure: bool,
}

/// What is given to the name at a word.
fn given(text: &[u8], word: Range<usize>) -> Option<Given> {
    let part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let begin = text[..word.start].iter().rposition(|byte| !part(*byte)).map_or(0, |before| before + 1);
    let end = run(text, word.end, part);
    let name = name(&text[begin..end])?;
    let mut at = quote(text, end).1;
    at = blanks(text, at);
    let sign = *text.get(at)?;
    // `arn:aws:...:secret:prod/db`: part of a name.
    if !matches!(sign, b':' | b'=') || (sign == b':' && begin > 0 && text[begin - 1] == b':') {
        return None;
    }
    at = run(text, at, |byte| matches!(byte, b':' | b'=' | b'>')).min(at + 3);
    let spaced = blanks(text, at) > at;
    let (mark, from) = quote(text, blanks(text, at));
    Some(Given { name, mark, from, sure: mark.is_some() || (sign == b'=' && !spaced) })
}

/// Whether what is given to the name at a word stands in quotation marks.
pub(super) fn is_quoted(text: &[u8], word: Range<usize>) -> bool {
    given(text, word).is_some_and(|given| given.mark.is_some())
}

/// The value that is given to the name at a word.
pub(super) fn value(text: &[u8], word: Range<usize>) -> Option<(Range<usize>, &'static str)> {
    let Given { name, mark, from, sure } = given(text, word)?;
    let to = match mark {
        Some(mark) => closing(text, from, mark),
        None => run(text, from, |byte| byte > b' ' && !b"\"'<>\\`".contains(&byte)),
    };
    let told = match name {
        Name::Password | Name::Secret => looks_like_one(&text[from..to], sure),
        Name::Weak => looks_random(&text[from..to]),
    };
    told.then_some((from..to, name.form()))
}

impl Name {
    fn form(self) -> &'static str {
        match self {
            Name::Password => "password",
            Name::Secret | Name::Weak => "secret",
        }
    }
}

/// The form of what stands under this key of an object, if it is a secret.
pub(super) fn keyed(key: &[u8], value: &[u8]) -> Option<&'static str> {
    if key.eq_ignore_ascii_case(b"authorization") {
        let scheme = value.iter().position(|byte| *byte == b' ').map_or(0, |blank| blank + 1);
        let known = SCHEMES.iter().any(|known| value[..scheme].eq_ignore_ascii_case(known.as_bytes()));
        let from = blanks(value, scheme);
        return (known && credentials(value, from) >= from + 6).then_some("authorization");
    }
    let name = name(key)?;
    let told = match name {
        Name::Password | Name::Secret => looks_like_one(value, true),
        Name::Weak => looks_random(value),
    };
    told.then_some(name.form())
}

/// `Authorization: Bearer ...`, found by its name; or the scheme alone, with enough behind it.
pub(super) fn authorization(text: &[u8], scheme: Range<usize>) -> Option<Range<usize>> {
    let from = blanks(text, scheme.end);
    let end = credentials(text, from);
    let value = &text[from..end];
    let before = &text[scheme.start.saturating_sub(24)..scheme.start];
    let headed = before.to_ascii_lowercase().windows(13).any(|window| window == b"authorization");
    let digits = value.iter().any(u8::is_ascii_digit) && value.iter().any(u8::is_ascii_alphabetic);
    (from > scheme.end && ((headed && value.len() >= 6) || (digits && value.len() >= 20))).then_some(from..end)
}

/// How far what stands behind a scheme goes.
fn credentials(text: &[u8], from: usize) -> usize {
    run(text, from, |byte| byte.is_ascii_alphanumeric() || b"._~+/=-".contains(&byte))
}

/// A quotation mark, however often it is escaped, and what comes behind it.
fn quote(text: &[u8], at: usize) -> (Option<u8>, usize) {
    let mark = run(text, at, |byte| byte == b'\\');
    match text.get(mark) {
        Some(byte @ (b'"' | b'\'' | b'`')) => (Some(*byte), mark + 1),
        _ => (None, at),
    }
}

fn blanks(text: &[u8], at: usize) -> usize {
    run(text, at, |byte| byte.is_ascii_whitespace())
}

/// Where a quoted value ends: before its mark and the backslashes that escape the mark; else with the line.
fn closing(text: &[u8], from: usize, mark: u8) -> usize {
    let mut end = run(text, from, |byte| byte != mark && byte != b'\n');
    while end > from && text[end - 1] == b'\\' {
        end -= 1;
    }
    end
}

/// Whether something of it was taken out already.
pub(super) fn marked(value: &[u8]) -> bool {
    memchr::memmem::find(value, super::MARK.as_bytes()).is_some()
}

/// What stands where a secret was, or would be.
pub(super) fn placeholder(value: &[u8]) -> bool {
    const WORDS: &[&str] = &[
        "null",
        "none",
        "true",
        "false",
        "undefined",
        "redacted",
        "hidden",
        "masked",
        "unknown",
        "empty",
        "example",
        "required",
        "changed",
        "expired",
        "sensitive",
        "hidden_due_to_security_reasons",
    ];
    const FRONTS: &[&[u8]] =
        &[b"<", b"${", b"$(", b"{{", b"{", b"[", b"%", b"hmac-sha256:", b"arn:", b"AKIA", b"ASIA", b"/"];
    let same = value.first().is_none_or(|first| value.iter().all(|byte| byte == first));
    // Bullets, which are three bytes each.
    let bullets = value.chunks(3).all(|three| three == "•".as_bytes());
    same || marked(value)
        || bullets
        || FRONTS.iter().any(|front| value.starts_with(front))
        || WORDS.iter().any(|word| value.eq_ignore_ascii_case(word.as_bytes()))
}

/// Of a sure name. Where it stands in prose (`password: reset by Monday`) it must not be a word.
fn looks_like_one(value: &[u8], sure_of_it: bool) -> bool {
    let odd = |byte: &u8| byte.is_ascii_digit() || (byte.is_ascii_punctuation() && !b"-_./:,;()'".contains(byte));
    let letters = value.iter().any(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii());
    let told = if sure_of_it { value.len() >= 4 } else { value.len() >= 6 && letters && value.iter().any(odd) };
    told && !placeholder(value) && !value.starts_with(b"http")
}

/// Of a weak name: one piece is long and of letters and digits, and no hexadecimal number: names of secrets, sys_ids and UUIDs are
/// not like that.
fn looks_random(value: &[u8]) -> bool {
    let mut pieces = value.split(|byte| !byte.is_ascii_alphanumeric());
    let random = |piece: &[u8]| {
        piece.len() >= 12
            && piece.iter().any(u8::is_ascii_digit)
            && piece.iter().any(u8::is_ascii_alphabetic)
            && !piece.iter().all(u8::is_ascii_hexdigit)
    };
    value.len() >= 16 && !placeholder(value) && !value.starts_with(b"http") && pieces.any(random)
}
