//! One pass over a text: an automaton stops at what may begin a secret, and only there it is looked at closely.

use super::assigned::{self, WORDS};
use super::formats::FORMATS;
use super::shapes;
use aho_corasick::{AhoCorasick, MatchKind};
use std::ops::Range;
use std::sync::LazyLock;

/// Where a secret stands, and of which form it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) place: Range<usize>,
    pub(super) form: &'static str,
}

/// What the automaton stopped at.
#[derive(Clone, Copy, Debug)]
enum Sign {
    Prefix(usize),
    Word,
    Scheme,
    Shape(&'static str, fn(&[u8], usize) -> Option<Range<usize>>),
    /// The same, with one byte before it that is not part of it.
    After(&'static str, fn(&[u8], usize) -> Option<Range<usize>>),
}

struct Signs {
    automaton: AhoCorasick,
    signs: Vec<Sign>,
}

/// Before short prefixes stands one of these, or the end of a character beyond ASCII, or nothing.
const BEFORE: &[u8] = b" \"'=/,([{`>|;\n\t\r";

static SIGNS: LazyLock<Signs> = LazyLock::new(|| {
    let mut all: Vec<(Vec<u8>, Sign)> = Vec::new();
    all.extend(FORMATS.iter().enumerate().map(|(n, format)| (format.prefix.into(), Sign::Prefix(n))));
    all.extend(WORDS.iter().map(|word| ((*word).into(), Sign::Word)));
    all.extend(["bearer ", "basic ", "ssws "].map(|scheme| (scheme.into(), Sign::Scheme)));
    all.push((b"SG.".to_vec(), Sign::Shape("sendgrid-key", shapes::sendgrid)));
    all.push((b"Q~".to_vec(), Sign::Shape("azure-secret", shapes::azure)));
    all.push((b"eyJ".to_vec(), Sign::Shape("jwt", shapes::jwt)));
    all.push((b"-----BEGIN ".to_vec(), Sign::Shape("private-key", shapes::private_key)));
    all.push((b"://".to_vec(), Sign::Shape("url-password", shapes::url_password)));
    for before in BEFORE.iter().copied().chain(0x80..=0xbf) {
        all.push((vec![before, b's', b'.'], Sign::After("vault-token", shapes::old_vault)));
        all.push((vec![before, b'0', b'0'], Sign::After("okta-token", shapes::okta)));
    }
    let automaton = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::Standard)
        .build(all.iter().map(|(sign, _)| sign))
        .expect("a few dozen short patterns make an automaton");
    Signs { automaton, signs: all.into_iter().map(|(_, sign)| sign).collect() }
});

/// All secrets of a text, in order, none within another.
pub(super) fn find(text: &[u8]) -> Vec<Found> {
    let mut all = Vec::new();
    let Signs { automaton, signs } = &*SIGNS;
    let mut told = |form: &'static str, place: Option<Range<usize>>| {
        let Some(mut place) = place else { return };
        // The point is the sentence's.
        while text[place.clone()].ends_with(b".") {
            place.end -= 1;
        }
        if !place.is_empty() {
            all.push(Found { place, form });
        }
    };
    // What stands at the very beginning has nothing before it.
    told("vault-token", shapes::old_vault(text, 0));
    told("okta-token", shapes::okta(text, 0));
    for hit in automaton.find_overlapping_iter(text) {
        match signs[hit.pattern()] {
            Sign::Prefix(n) => told(FORMATS[n].form, prefixed(text, hit.start(), n)),
            Sign::Word => {
                if let Some((place, form)) = assigned::value(text, hit.range()) {
                    told(form, Some(place));
                }
            }
            Sign::Scheme => told("authorization", assigned::authorization(text, hit.start()..hit.end() - 1)),
            Sign::Shape(form, shape) => told(form, shape(text, hit.start())),
            Sign::After(form, shape) => told(form, shape(text, hit.start() + 1)),
        }
    }
    if all.len() > 1 {
        // Of two that overlap the one that says more of what it is begins later: it is within the value of a name.
        all.sort_by(|a, b| (a.place.start, b.place.end).cmp(&(b.place.start, a.place.end)));
        let mut apart: Vec<Found> = Vec::with_capacity(all.len());
        for found in all {
            match apart.last_mut().filter(|last| found.place.start < last.place.end) {
                Some(last) => {
                    last.place.end = last.place.end.max(found.place.end);
                    if matches!(last.form, "password" | "secret" | "authorization" | "url-password") {
                        last.form = found.form;
                    }
                }
                None => apart.push(found),
            }
        }
        all = apart;
    }
    all
}

/// A prefix with enough of what follows it.
fn prefixed(text: &[u8], at: usize, n: usize) -> Option<Range<usize>> {
    let format = &FORMATS[n];
    let from = at + format.prefix.len();
    if &text[at..from] != format.prefix.as_bytes() || (format.alone && !shapes::begins(text, at)) {
        return None;
    }
    let end = shapes::run(text, from, |byte| format.made.takes(byte));
    (end - from >= format.least).then_some(at..end)
}

/// Whether there is anything at all to stop at: where there is not, nothing can be found in any reading of the text.
pub(super) fn nothing_to_stop_at(text: &[u8]) -> bool {
    !text.starts_with(b"00") && !text.starts_with(b"s.") && !SIGNS.automaton.is_match(text)
}
