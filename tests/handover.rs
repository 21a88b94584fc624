//! `onus check` of files in which subjects go from one partner to another: by however many threads, the outcome is the same.

use onus::decode::LONGEST;
use onus::ingest::Lines;
use onus::runtime::check::{CheckError, Report, Request, check, check_lines};
use onus_engine::engine::Options;
use onus_engine::time::Moment;
use std::fmt::Write as _;
use std::path::PathBuf;

const CONTRACT: &str = "contract: desk
partner: \"p*\"
customer: acme
effective: 2026-01-01T00:00:00Z
zone: UTC
defaults: {trust: asserted}
obligations: [{id: resolve, clause: \"1\", when: ticket.opened, do: ticket.resolved, within: 4h}]
";

fn request(events: Vec<PathBuf>, threads: usize) -> Request {
    let contract = onus::contract::parse(CONTRACT, "desk.yaml").expect("a contract");
    let at = |text: &str| Moment::parse(text).expect("an instant");
    Request {
        contracts: vec![contract],
        events,
        until: Some(at("2026-03-03T00:00:00Z")),
        wall: at("2026-03-03T00:00:00Z"),
        catalogue: Default::default(),
        options: Options::default(),
        duties: true,
        verbose: false,
        threads,
    }
}

/// Tickets of many partners, each handed on to the next.
fn lines() -> String {
    let mut out = String::new();
    for n in 0..400 {
        let (from, to) = (format!("p{}", n % 20), format!("p{}", (n + 1) % 20));
        let mut event = |id: &str, kind: &str, partner: &str, hour: u32, data: &str| {
            let _ = writeln!(
                out,
                r#"{{"specversion":"1.0","id":"{n}-{id}","source":"urn:d","type":"{kind}","partner":"{partner}","subject":"INC{n}","time":"2026-03-02T{hour:02}:00:00Z","data":{data}}}"#
            );
        };
        event("a", "ticket.opened", &from, 8, "{}");
        event("b", "subject.rehomed", &from, 9 + n % 6, &format!(r#"{{"from":"{from}","to":"{to}"}}"#));
        event("c", "ticket.resolved", if n % 2 == 0 { &from } else { &to }, 14, "{}");
    }
    out
}

fn said(report: &Report) -> Vec<String> {
    let of = |d: &onus::runtime::check::DutyRow| {
        format!("{} {} {} {:?} {:?} {:?}", d.partner, d.subject, d.standing, d.start, d.deadline, d.breached_at)
    };
    report.duties.iter().flat_map(|row| row.earlier.iter().chain([row])).map(of).collect()
}

#[test]
fn what_two_partners_have_to_do_with_is_judged_by_one_thread_however_many_were_asked_for() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("events.jsonl");
    std::fs::write(&file, lines()).expect("it is written");
    let by = |threads| said(&check(request(vec![file.clone()], threads), &mut |_| {}).expect("it is judged"));
    let one = by(1);
    assert!(one.len() > 400 && one.iter().any(|d| d.contains("cancelled")), "{}", one.len());
    assert!(one.iter().any(|d| d.contains("breached")) && one.iter().any(|d| d.contains("met")));
    assert_eq!(by(4), one);
}

#[test]
fn what_cannot_be_read_again_says_what_to_do() {
    let input = vec![Lines::of("-", lines().into_bytes(), LONGEST)];
    let error = check_lines(&request(Vec::new(), 4), input, &mut |_| {}).expect_err("two threads cannot");
    assert!(matches!(error, CheckError::Handover) && error.to_string().contains("--threads 1"), "{error}");
}
