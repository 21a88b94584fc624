//! What it costs to look at ten thousand obligations: read strictly, with warnings; and to format them.

use chrono::NaiveDate;
use criterion::{Criterion, criterion_group, criterion_main};
use onus::contract;
use std::fmt::Write as _;
use std::hint::black_box;

const HEAD: &str = "contract: acme
partner: halden
customer: bank
effective: 2026-01-01T00:00:00Z
zone: Europe/Amsterdam
calendar: office
calendars: {office: {zone: Europe/Amsterdam, hours: {mon-fri: \"09:00-17:00\"}, holidays: [2026-12-25]}}
obligations:
";

/// Obligations as people write them, in files of a few hundred; each has something to warn of.
fn files(obligations: usize, each: usize) -> Vec<String> {
    (0..obligations / each)
        .map(|file| {
            let mut text = HEAD.replace("acme", &format!("acme-{file}"));
            for n in 0..each {
                let _ = write!(
                    text,
                    "  - id: restore-{n}
    clause: \"4.{n}\"
    says: The Provider resolves each ticket in the time of its priority.
    when: {{event: ticket.opened, where: {{group: \"NW {n} *\"}}}}
    do: {{any: [ticket.resolved, ticket.closed], by: partner}}
    within: {{P1: 4h, P2: 8 business hours, P3: 3 business days}}
    pause: {{reasons: [waiting-customer], by: customer}}  # as agreed
    reopen: {{policy: resume, window: 14 days}}

"
                );
            }
            text
        })
        .collect()
}

/// As many as one file may hold, each waiting for the one before.
fn chain(obligations: usize) -> String {
    let mut text = HEAD.to_owned();
    for n in 0..obligations {
        let when = if n == 0 { "ticket.opened".to_owned() } else { format!("{{done: o{}}}", n - 1) };
        let _ = writeln!(text, "  - {{id: o{n}, clause: \"1\", when: {when}, do: ticket.closed, within: 4h}}");
    }
    text
}

fn lint(c: &mut Criterion) {
    let today = NaiveDate::from_ymd_opt(2026, 6, 1).unwrap_or_default();
    let mut group = c.benchmark_group("10,000 obligations");
    group.sample_size(10);
    let files = files(10_000, 400);
    group.bench_function("linted, in 25 files", |b| {
        b.iter(|| files.iter().map(|text| contract::lint(text, "a.yaml", today).problems.len()).sum::<usize>());
    });
    group.bench_function("formatted, in 25 files", |b| {
        b.iter(|| files.iter().map(|text| contract::format(text, "a.yaml").map_or(0, |out| out.len())).sum::<usize>());
    });
    let chain = chain(10_000);
    group.bench_function("linted, in one chain", |b| {
        b.iter(|| black_box(contract::lint(&chain, "a.yaml", today)).problems.len());
    });
    group.finish();
}

criterion_group!(benches, lint);
criterion_main!(benches);
