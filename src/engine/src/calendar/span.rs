//! Lists of half-open intervals, in order, that do not overlap: union, difference, intersection.

use crate::time::Moment;

/// `[from, to)`, never empty.
pub(super) type Span = (Moment, Moment);

/// Any list put in order, with overlaps counted once and neighbours that touch made one.
pub(super) fn join(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    spans.dedup_by(|next, last| {
        let touches = next.0 <= last.1;
        if touches {
            last.1 = last.1.max(next.1);
        }
        touches
    });
    spans
}

/// What of `spans` lies outside `holes`.
pub(super) fn subtract(spans: &[Span], holes: &[Span]) -> Vec<Span> {
    let mut left = Vec::with_capacity(spans.len());
    let mut next = 0;
    for &(mut from, to) in spans {
        next += holes[next..].partition_point(|hole| hole.1 <= from);
        for &(hole_from, hole_to) in holes[next..].iter().take_while(|hole| hole.0 < to) {
            if from < hole_from {
                left.push((from, hole_from));
            }
            from = from.max(hole_to);
        }
        if from < to {
            left.push((from, to));
        }
    }
    left
}

/// What lies in both.
pub(super) fn intersect(a: &[Span], b: &[Span]) -> Vec<Span> {
    let mut both = Vec::new();
    let (mut i, mut j) = (0, 0);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        let (from, to) = (x.0.max(y.0), x.1.min(y.1));
        if from < to {
            both.push((from, to));
        }
        if x.1 < y.1 {
            i += 1;
        } else {
            j += 1;
        }
    }
    both
}

/// What lies in `[from, to)`.
pub(super) fn clip(spans: &[Span], from: Moment, to: Moment) -> Vec<Span> {
    let inside = spans.iter().map(|span| (span.0.max(from), span.1.min(to)));
    inside.filter(|span| span.0 < span.1).collect()
}
