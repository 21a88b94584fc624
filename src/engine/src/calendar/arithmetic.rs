//! Adding, subtracting and measuring open time. Every step moves on by a page or ends, so no search runs for ever.

use super::{Calendar, SEARCH, page};
use crate::time::{Millis, Moment};

/// See [`Calendar::between`].
pub(super) fn between(calendar: &Calendar, a: Moment, b: Moment) -> Millis {
    if calendar.is_always() {
        return b - a;
    }
    if b < a {
        return -between(calendar, b, a);
    }
    let (first, last) = (page::number(a), page::number(b));
    if first == last {
        let page = calendar.page(first);
        return page.before(b) - page.before(a);
    }
    let mut open = 0;
    for number in page::numbers(a, b) {
        let page = calendar.page(number);
        open += if number == last { page.before(b) } else { page.total() };
        open -= if number == first { page.before(a) } else { 0 };
    }
    open
}

/// See [`Calendar::add`].
pub(super) fn add(calendar: &Calendar, t: Moment, d: Millis) -> Option<Moment> {
    if d < 0 {
        return sub(calendar, t, d.checked_neg()?);
    }
    if calendar.is_always() {
        return t.0.checked_add(d).map(Moment);
    }
    // Open time is never longer than time: what reaches past the last page needs no search.
    if t < page::bounds(page::FIRST).0 || t + d > page::bounds(page::LAST).1 {
        return None;
    }
    // The last instant known to be worth the search: where it began, or the last open one.
    let mut since = t;
    let mut left = d;
    for number in page::number(t)..=page::LAST {
        let page = calendar.page(number);
        let first = page.opens.partition_point(|open| open.to <= t);
        if let Some(open) = page.opens.get(first) {
            let start = open.from.max(t);
            if start - since > SEARCH {
                return None;
            }
            if left == 0 {
                return Some(start);
            }
            let passed = open.before + (start - open.from);
            let goal = passed.saturating_add(left);
            // `<`, not `<=`: work that ends with the day is due at the close, not at the next opening.
            let hit = first + page.opens[first..].partition_point(|open| open.after() < goal);
            if page.parched(first, hit.min(page.opens.len() - 1)) {
                return None;
            }
            if let Some(open) = page.opens.get(hit) {
                return Some(open.from + (goal - open.before));
            }
            left -= page.total() - passed;
            since = page.opens[page.opens.len() - 1].to;
        }
        if page::bounds(number).1 - since > SEARCH {
            return None;
        }
    }
    None
}

/// See [`Calendar::sub`].
pub(super) fn sub(calendar: &Calendar, t: Moment, d: Millis) -> Option<Moment> {
    if d < 0 {
        return add(calendar, t, d.checked_neg()?);
    }
    if calendar.is_always() {
        return t.0.checked_sub(d).map(Moment);
    }
    if t > page::bounds(page::LAST).1 || t + d.saturating_neg() < page::bounds(page::FIRST).0 {
        return None;
    }
    let mut since = t;
    let mut left = d;
    for number in (page::FIRST..=page::number(t)).rev() {
        let page = calendar.page(number);
        // Of no length, an opening that starts at `t` holds `t`; else it holds nothing before `t`.
        let started = page.opens.partition_point(|open| if d == 0 { open.from <= t } else { open.from < t });
        if let Some(open) = page.opens[..started].last() {
            let stop = open.to.min(t);
            if since - stop > SEARCH {
                return None;
            }
            if left == 0 {
                return Some(stop);
            }
            let passed = open.before + (stop - open.from);
            let goal = passed.saturating_sub(left).max(0);
            // `<=`, not `<`: an opening just used up is the answer, not the close before it.
            let hit = page.opens[..started].partition_point(|open| open.before <= goal).saturating_sub(1);
            if page.parched(hit, started - 1) {
                return None;
            }
            if left <= passed {
                let open = &page.opens[hit];
                return Some(open.from + (goal - open.before));
            }
            left -= passed;
            since = page.opens[0].from;
        }
        if since - page::bounds(number).0 > SEARCH {
            return None;
        }
    }
    None
}
