//! What a question to an office calendar costs: warm, as the judge asks it, and the first one, which makes a page.
#![allow(clippy::unwrap_used, missing_docs)]

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use onus_engine::calendar::{Calendar, Spec, Window};
use onus_engine::time::{HOUR, MINUTE, Moment};
use std::collections::BTreeMap;
use std::hint::black_box;

fn office() -> Spec {
    let day = vec![Window { from: 9 * 60, to: 17 * 60 }];
    let lunch = vec![Window { from: 12 * 60, to: 13 * 60 }];
    Spec {
        zone: chrono_tz::Europe::Amsterdam,
        hours: [day.clone(), day.clone(), day.clone(), day.clone(), day, Vec::new(), Vec::new()],
        breaks: [lunch.clone(), lunch.clone(), lunch.clone(), lunch.clone(), lunch, Vec::new(), Vec::new()],
        dated_breaks: BTreeMap::new(),
        holidays: (2020..2040).map(|y| (format!("{y}-12-25").parse().unwrap(), "Christmas".to_string())).collect(),
        worked: BTreeMap::new(),
    }
}

fn questions(c: &mut Criterion) {
    let calendar = Calendar::new(office());
    let mut minute = 0;
    let mut some_time = move || {
        minute = (minute + 7_919) % (365 * 24 * 60);
        Moment::parse("2026-01-01T00:00:00Z").unwrap() + minute * MINUTE
    };
    c.bench_function("calendar/instants alone", |b| b.iter(&mut some_time));
    c.bench_function("calendar/add 8 h", |b| b.iter(|| calendar.add(some_time(), black_box(8 * HOUR))));
    c.bench_function("calendar/sub 8 h", |b| b.iter(|| calendar.sub(some_time(), black_box(8 * HOUR))));
    c.bench_function("calendar/between over 30 days", |b| {
        b.iter(|| {
            let t = some_time();
            calendar.between(t, t + 720 * HOUR)
        });
    });
    c.bench_function("calendar/third working day and its close", |b| {
        b.iter(|| calendar.working_day(some_time(), 3).and_then(|day| calendar.close_of(day)));
    });
    let always = Calendar::always(chrono_tz::UTC);
    c.bench_function("calendar/add 8 h around the clock", |b| b.iter(|| always.add(some_time(), black_box(8 * HOUR))));
    let first = |calendar: Calendar| calendar.add(Moment(1_767_225_600_000), 8 * HOUR);
    c.bench_function("calendar/first question of a new calendar", |b| {
        b.iter_batched(|| Calendar::new(office()), first, BatchSize::SmallInput);
    });
}

criterion_group!(benches, questions);
criterion_main!(benches);
