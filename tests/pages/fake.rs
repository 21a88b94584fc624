//! An Alertmanager that refuses, is slow, or is away.

use crate::hook::{Hook, Posted};
use crate::house::{House, end};
use crate::real::{DESK, HOUR, desk, event};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::time::Duration;

fn subjects(posted: &Posted) -> Vec<String> {
    let alerts = posted.json();
    let subject = |alert: &Value| alert["labels"]["subject"].as_str().expect("a subject").to_owned();
    alerts.as_array().expect("alerts").iter().map(subject).collect()
}

fn events(subjects: &[&str]) -> String {
    let mut text = String::new();
    for subject in subjects {
        let _ = writeln!(text, "{}", event("opened", subject, 4 * HOUR + 60));
    }
    text
}

#[test]
fn what_is_refused_is_found_and_not_sent_again_and_takes_nothing_else_with_it() {
    let hook = Hook::new();
    // Either answer: a 400 has taken the others, a 422 nothing.
    hook.answers(|posted| match subjects(posted) {
        all if all.iter().any(|subject| subject == "BAD-1") => 422,
        all if all.iter().any(|subject| subject == "BAD-2") => 400,
        _ => 200,
    });
    let settings = format!("[alerting]\nresend = \"1s\"\n[alertmanager.fake]\nurl = \"{}\"\n{}", hook.url(), desk());
    let house = House::new(DESK, &settings);
    house.write("desk.jsonl", &events(&["A", "B", "BAD-1", "C", "D", "BAD-2", "E"]));
    let child = house.start(&["run"]);
    let accepted = || {
        let mut times: BTreeMap<String, usize> = BTreeMap::new();
        for posted in hook.all().iter().filter(|posted| posted.status == 200) {
            subjects(posted).into_iter().for_each(|subject| *times.entry(subject).or_default() += 1);
        }
        times
    };
    house.until("the others are told again and again", || accepted().values().filter(|n| **n >= 3).count() == 5);
    for bad in ["BAD-1", "BAD-2"] {
        let alone = hook.all().iter().filter(|posted| subjects(posted) == [bad]).count();
        assert_eq!(alone, 1, "{bad} was found once, and not sent again");
    }
    let refused = house.talk().lines().filter(|line| line.contains("a page was refused")).count();
    assert_eq!(refused, 2, "{}", house.talk());
    for posted in hook.all() {
        assert_eq!(posted.path, "/api/v2/alerts");
        for alert in posted.json().as_array().expect("alerts") {
            let empty = |value: &Value| value.as_str().is_none_or(str::is_empty);
            assert!(!alert["labels"].as_object().expect("labels").values().any(empty), "{alert}");
            assert!(alert["labels"].get("instance").is_none());
        }
    }
    assert!(end(child), "{}", house.talk());
}

#[test]
fn one_that_is_slow_or_away_keeps_no_other_waiting_and_is_told_how_things_stand_when_it_is_back() {
    let (slow, busy, good) = (Hook::new(), Hook::new(), Hook::new());
    slow.answers(|_| {
        std::thread::sleep(Duration::from_secs(5));
        200
    });
    let mut times = 0;
    busy.answers(move |_| {
        times += 1;
        if times <= 3 { 503 } else { 200 }
    });
    let mut settings = desk();
    for (name, hook) in [("slow", &slow), ("busy", &busy), ("good", &good)] {
        let _ = write!(settings, "[alertmanager.{name}]\nurl = \"{}\"\ntimeout = \"1s\"\n", hook.url());
    }
    settings.push_str("[alertmanager.nobody]\nurl = \"http://127.0.0.1:9\"\n");
    let house = House::new(DESK, &format!("{settings}\n"));
    house.write("desk.jsonl", &events(&["A"]));
    let child = house.start(&["run"]);
    let told = |hook: &Hook| hook.all().iter().any(|posted| posted.status == 200 && subjects(posted) == ["A"]);
    house.until("the good one is told", || told(&good));
    house.until("the busy one is told", || told(&busy));
    let figures = house.talk();
    let port = figures.split("listening on http://").nth(1).and_then(|rest| rest.lines().next()).expect("an address");
    let mut stream = std::net::TcpStream::connect(port.trim()).expect("it listens");
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").expect("asked");
    let mut page = String::new();
    stream.read_to_string(&mut page).expect("a page");
    assert!(page.contains("onus_notifications_sent_total{receiver=\"alertmanager/good\"} 1\n"), "{page}");
    assert!(page.contains("onus_notifications_sent_total{receiver=\"alertmanager/nobody\"} 0\n"), "{page}");
    assert!(page.contains("onus_alerts_firing{severity=\"page\"} 1\n"), "{page}");
    assert!(end(child), "{}", house.talk());
}
