//! One pass over a text: an automaton stops at what may begin a secret, and only there it is looked at closely.

use super::assigned;
use super::formats::{FORMATS, Format};
use super::shapes;
use aho_corasick::{AhoCorasick, Input, MatchKind};
use memchr::memmem::Finder;
use std::ops::Range;
use std::sync::LazyLock;

/// Where a secret stands, and of which form it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) place: Range<usize>,
    pub(super) form: &'static str,
}

type Shape = fn(&[u8], usize) -> Option<Range<usize>>;

/// What a stop may be the beginning of. It is looked for in small letters, and in no case.
#[derive(Clone, Copy, Debug)]
enum Sign {
    /// One of the formats whose prefixes begin so.
    Prefix,
    Word,
    Scheme,
    Shape(&'static str, Shape),
}

/// The signs: four letters of a prefix are enough to stop at. None begins with another, and there are few enough that many bytes
/// are looked at at once.
const SIGNS: &[(&str, Sign)] = &[
    ("secr", Sign::Word),
    ("passw", Sign::Word),
    ("passp", Sign::Word),
    ("pwd", Sign::Word),
    ("token", Sign::Word),
    ("key", Sign::Word),
    ("bearer ", Sign::Scheme),
    ("basic ", Sign::Scheme),
    ("ssws ", Sign::Scheme),
    ("sg.", Sign::Shape("sendgrid-key", shapes::sendgrid)),
    ("eyj", Sign::Shape("jwt", shapes::jwt)),
    ("-----b", Sign::Shape("private-key", shapes::private_key)),
    ("://", Sign::Shape("url-password", shapes::url_password)),
];

/// Signs of two bytes would stop it too often; they are looked for by themselves, in any text.
const SHORT: &[(&str, &str, Shape)] = &[
    ("00", "okta-token", shapes::okta),
    ("s.", "vault-token", shapes::old_vault),
    ("Q~", "azure-secret", shapes::azure),
];

struct Signs {
    automaton: AhoCorasick,
    signs: Vec<Sign>,
    short: Vec<Finder<'static>>,
}

static ALL: LazyLock<Signs> = LazyLock::new(|| {
    let mut all: Vec<(String, Sign)> = SIGNS.iter().map(|(text, sign)| ((*text).to_owned(), *sign)).collect();
    for format in FORMATS {
        let begins: String = format.prefix.to_lowercase().chars().take(4).collect();
        if all.iter().all(|(known, _)| !begins.starts_with(known.as_str()) && !known.starts_with(&begins)) {
            all.push((begins, Sign::Prefix));
        }
    }
    let automaton = AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostFirst)
        .build(all.iter().map(|(text, _)| text))
        .expect("a few dozen short patterns make an automaton");
    let short = SHORT.iter().map(|(text, ..)| Finder::new(text)).collect();
    Signs { automaton, signs: all.into_iter().map(|(_, sign)| sign).collect(), short }
});

/// All secrets of a text, in order, none within another.
pub(super) fn find(text: &[u8]) -> Vec<Found> {
    let mut all = Vec::new();
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
    stops(text, |sign, at, end| match sign {
        Sign::Prefix => FORMATS.iter().for_each(|format| told(format.form, prefixed(text, at, format))),
        Sign::Word => {
            if let Some((place, form)) = assigned::value(text, at..end) {
                told(form, Some(place));
            }
        }
        Sign::Scheme => told("authorization", assigned::authorization(text, at..end - 1)),
        Sign::Shape(form, shape) => told(form, shape(text, at)),
    });
    for ((_, form, shape), finder) in SHORT.iter().zip(&ALL.short) {
        finder.find_iter(text).for_each(|at| told(form, shape(text, at)));
    }
    if all.len() > 1 {
        all = apart(all);
    }
    all
}

/// Whether something quoted is given to a name that may be a secret's, whatever it is.
pub(super) fn names_a_quoted(text: &[u8]) -> bool {
    let mut any = false;
    stops(text, |sign, at, end| any |= matches!(sign, Sign::Word) && assigned::is_quoted(text, at..end));
    any
}

/// Stops wherever a sign stands in a text, one that begins within another, too.
fn stops(text: &[u8], mut stop: impl FnMut(Sign, usize, usize)) {
    let small = text.to_ascii_lowercase();
    let mut at = 0;
    while let Some(hit) = ALL.automaton.find(Input::new(&small).range(at..)) {
        stop(ALL.signs[hit.pattern()], hit.start(), hit.end());
        at = hit.start() + 1;
    }
}

/// Of two that overlap the one that says more of what it is: a token is more than the value of a name.
fn apart(mut all: Vec<Found>) -> Vec<Found> {
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
    apart
}

/// A prefix with enough of what follows it.
fn prefixed(text: &[u8], at: usize, format: &Format) -> Option<Range<usize>> {
    let from = at + format.prefix.len();
    if !text[at..].starts_with(format.prefix.as_bytes()) || (format.alone && !shapes::begins(text, at)) {
        return None;
    }
    let end = shapes::run(text, from, |byte| format.made.takes(byte));
    (end - from >= format.least).then_some(at..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_prefix_is_stopped_at_and_no_sign_hides_another() {
        for format in FORMATS {
            let mut at = Vec::new();
            stops(format.prefix.as_bytes(), |sign, start, _| at.extend(matches!(sign, Sign::Prefix).then_some(start)));
            assert_eq!(at.first(), Some(&0), "{}", format.prefix);
        }
    }
}
