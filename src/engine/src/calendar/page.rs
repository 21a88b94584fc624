//! Open intervals worked out page by page, some four years each, with running totals to search in.
//!
//! Pages of the years 1970 to 2109 are kept once made. They are a function of the calendar alone, so which call made
//! them changes nothing.

use super::span::{self, Span};
use super::{Calendar, Kind, SEARCH};
use crate::time::{Millis, Moment};
use std::borrow::Cow;
use std::iter;
use std::ops::RangeInclusive;
use std::sync::OnceLock;

/// A page holds 2^37 ms: longer than a search may go without an opening, short enough to be made in passing.
const BITS: u32 = 37;
/// The pages on which anything can be open: from some years before the year 0 to some after 9999.
pub(super) const FIRST: i64 = -453;
/// See [`FIRST`].
pub(super) const LAST: i64 = 1844;
const KEPT: usize = 32;

/// The pages of one calendar that are kept.
pub(super) struct Shelf([OnceLock<Page>; KEPT]);

impl Default for Shelf {
    fn default() -> Shelf {
        Shelf([const { OnceLock::new() }; KEPT])
    }
}

/// The open intervals within one page.
#[derive(Clone, Debug, Default)]
pub(super) struct Page {
    pub(super) opens: Box<[Open]>,
    /// Positions of openings that follow a closed stretch longer than a search may cross.
    droughts: Box<[usize]>,
}

/// One open interval, clipped to its page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    pub(super) from: Moment,
    pub(super) to: Moment,
    /// Open time of the page up to `from`.
    pub(super) before: Millis,
}

impl Open {
    /// Open time of the page up to `to`.
    pub(super) fn after(&self) -> Millis {
        self.before + (self.to - self.from)
    }
}

impl Page {
    fn new(spans: Vec<Span>) -> Page {
        let droughts = spans.windows(2).enumerate().filter(|(_, pair)| pair[1].0 - pair[0].1 > SEARCH);
        let droughts = droughts.map(|(i, _)| i + 1).collect();
        let mut total = 0;
        let opens = spans.into_iter().map(|(from, to)| {
            let before = total;
            total += to - from;
            Open { from, to, before }
        });
        Page { opens: opens.collect(), droughts }
    }

    pub(super) fn spans(&self) -> Vec<Span> {
        self.opens.iter().map(|open| (open.from, open.to)).collect()
    }

    /// What is open within `[from, to)`.
    pub(super) fn within(&self, from: Moment, to: Moment) -> impl Iterator<Item = Span> {
        let first = self.opens.partition_point(|open| open.to <= from);
        let inside = self.opens[first..].iter().take_while(move |open| open.from < to);
        inside.map(move |open| (open.from.max(from), open.to.min(to))).filter(|(from, to)| from < to)
    }

    pub(super) fn is_open(&self, at: Moment) -> bool {
        let started = self.opens.partition_point(|open| open.from <= at);
        started > 0 && at < self.opens[started - 1].to
    }

    /// Open time of the whole page.
    pub(super) fn total(&self) -> Millis {
        self.opens.last().map_or(0, Open::after)
    }

    /// Open time of the page before `at`.
    pub(super) fn before(&self, at: Moment) -> Millis {
        let started = self.opens.partition_point(|open| open.from < at);
        self.opens[..started].last().map_or(0, |open| open.before + (open.to.min(at) - open.from))
    }

    /// Whether going from one opening to a later one crosses a closed stretch too long to search.
    pub(super) fn parched(&self, from: usize, to: usize) -> bool {
        self.droughts.iter().any(|drought| from < *drought && *drought <= to)
    }
}

/// The page in which an instant lies.
pub(super) fn number(at: Moment) -> i64 {
    at.0 >> BITS
}

/// The pages that `[from, to)` touches, of those on which anything can be open.
pub(super) fn numbers(from: Moment, to: Moment) -> RangeInclusive<i64> {
    number(from).max(FIRST)..=number(to).min(LAST)
}

/// Where a page begins and ends.
pub(super) fn bounds(number: i64) -> Span {
    (Moment(number << BITS), Moment((number + 1) << BITS))
}

impl Calendar {
    pub(super) fn page(&self, number: i64) -> Cow<'_, Page> {
        let kept = usize::try_from(number).ok().and_then(|number| self.0.pages.0.get(number));
        match kept {
            Some(page) => Cow::Borrowed(page.get_or_init(|| self.make(number))),
            None if (FIRST..=LAST).contains(&number) => Cow::Owned(self.make(number)),
            None => Cow::Owned(Page::default()),
        }
    }

    fn make(&self, number: i64) -> Page {
        let (from, to) = bounds(number);
        let open = match &self.0.kind {
            Kind::Always(_) => vec![(from, to)],
            Kind::Hours(spec) => span::clip(&spec.layers(from, to).open(), from, to),
            Kind::Any(_, members) => {
                span::join(members.iter().flat_map(|member| member.page(number).spans()).collect())
            }
            Kind::All(_, members) => members
                .iter()
                .fold(vec![(from, to)], |open, member| span::intersect(&open, &member.page(number).spans())),
            Kind::Versions(of) => {
                let reigns = reigns(of).flat_map(|(begin, end, version)| {
                    let (begin, end) = (begin.max(from), end.min(to));
                    if begin < end { version.page(number).within(begin, end).collect() } else { Vec::new() }
                });
                span::join(reigns.collect())
            }
        };
        Page::new(open)
    }
}

/// Each version with the first instant it rules and the first it no longer does.
pub(super) fn reigns(of: &[(Moment, Calendar)]) -> impl Iterator<Item = (Moment, Moment, &Calendar)> {
    let ends = of.iter().skip(1).map(|(from, _)| *from).chain(iter::once(Moment::NEVER));
    of.iter().zip(ends).enumerate().map(|(i, ((from, version), end))| {
        let begin = if i == 0 { Moment::DAWN } else { *from };
        (begin, end, version)
    })
}
