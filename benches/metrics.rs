//! What a page of figures costs: some 50,000 series of partners, as text and as OpenMetrics, and one partner's page.
//!
//!     cargo bench --bench metrics
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use onus::telemetry::{Figures, Form, ObligationReading, PartnerReading, Reading};
use onus_engine::time::Moment;
use std::time::Instant;

const PARTNERS: usize = 100;
const OBLIGATIONS: usize = 16;
const ROUNDS: usize = 50;

fn main() {
    let reading = reading();
    let figures = Figures::new("bench", Moment(0)).expect("families");
    println!("{:<24}{:>10}{:>12}{:>10}{:>10}", "page", "series", "bytes", "p50 ms", "max ms");
    timed("all, text", || figures.page(Form::Text, &reading));
    timed("all, OpenMetrics", || figures.page(Form::OpenMetrics, &reading));
    timed("one partner's", || figures.partner(Form::Text, &reading, "partner-050").unwrap());
}

fn timed(what: &str, page: impl Fn() -> String) {
    let mut times = Vec::new();
    let mut last = String::new();
    for _ in 0..ROUNDS {
        let began = Instant::now();
        last = page();
        times.push(began.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    let series = last.lines().filter(|line| !line.starts_with('#')).count();
    println!("{what:<24}{series:>10}{:>12}{:>10.2}{:>10.2}", last.len(), times[ROUNDS / 2], times[ROUNDS - 1]);
}

fn reading() -> Reading {
    let obligation = |p: usize, i: usize| ObligationReading {
        id: format!("restore-service-{i:02}"),
        about: vec![
            ["managed-identity-services", "4.2.1", "privileged-access", "partner.duty-manager", "page"]
                .map(str::to_owned),
        ],
        unended: [17, 3, 0, i as i64 % 3, 1, 0],
        ended: [90_123 + p as i64, 311, 2, 14, 77, 5],
        endings: [90_200, 311, 2, 14, 77, 5],
        breaches: [340, 3],
        acts: i.is_multiple_of(4).then_some([i as u64 * 70, p as u64]),
        at_risk: 2,
        windows: [[1_417, 3], [1_520, 7]],
        window_end: Some(Moment(1_798_000_000_000)),
        target: Some(985_000),
        by_window: true,
        next_deadline: Some(Moment(1_797_000_123_456)),
        oldest_breach: Some(Moment(1_796_000_000_001)),
        ..ObligationReading::default()
    };
    let partner = |p: usize| PartnerReading {
        name: format!("partner-{p:03}"),
        customers: vec!["northwind".to_owned()],
        holds: [210, 33],
        held: vec![("credential".to_owned(), [p as u64, 0, 1, 20, 3, 0, 2])],
        waivers: 4,
        blind: false,
        obligations: (0..OBLIGATIONS).map(|i| obligation(p, i)).collect(),
    };
    Reading { partners: (0..PARTNERS).map(partner).collect(), ..Reading::default() }
}
