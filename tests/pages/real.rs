//! Two real Alertmanagers that know each other.

use crate::alertmanager::{Alertmanagers, Page};
use crate::house::{House, end, file};
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

/// A desk that answers within four hours, with people.
pub(crate) const DESK: &str = "contract: desk
partner: p1
customer: acme
effective: 2026-01-01T00:00:00Z
zone: UTC
roles:
  customer.iam-lead: mail:iam@acme.example
  partner.desk: tel:+49-30-1234
controls:
  onboarding: {mode: operational, risk-owner: customer.iam-lead, raci: {request: customer.iam-lead, approve: customer.iam-lead, execute: partner.desk, review: customer.iam-lead}}
escalation:
  standard:
    - {at: breach, tell: [partner.desk, customer.iam-lead]}
obligations:
  - id: answer
    clause: \"4.2\"
    control: onboarding
    when: ticket.opened
    do: ticket.acknowledged
    within: 4h
    obligor: partner.desk
    severity: page
    escalate: standard
";

/// A ticket's event, as many hours ago.
pub(crate) fn event(kind: &str, subject: &str, seconds_ago: i64) -> String {
    let time = chrono::Utc::now() - chrono::Duration::seconds(seconds_ago);
    format!(
        "{{\"specversion\":\"1.0\",\"id\":\"{kind}-{subject}\",\"source\":\"desk\",\"type\":\"ticket.{kind}\",\"subject\":\"{subject}\",\
         \"partner\":\"p1\",\"time\":\"{}\",\"data\":{{\"control\":\"onboarding\"}}}}",
        time.format("%Y-%m-%dT%H:%M:%SZ")
    )
}

/// A source that reaches us at once.
pub(crate) fn desk() -> String {
    format!("{}transit = \"0s\"\nmay-claim-time = true\n", file("desk"))
}

/// The file grows to this: it is never seen shorter than it was.
pub(crate) fn grow(house: &House, text: &str) {
    let mut file = std::fs::OpenOptions::new().append(true).open(house.path("desk.jsonl")).expect("the file");
    let there = file.metadata().expect("its length").len() as usize;
    file.write_all(&text.as_bytes()[there..]).expect("it is written");
}

pub(crate) const HOUR: i64 = 3_600;

/// A process that has paged somebody: a ticket was not answered for twelve minutes too long.
pub(crate) struct Paged {
    pub(crate) house: House,
    /// All that the file has.
    pub(crate) text: String,
    pub(crate) child: std::process::Child,
    pub(crate) page: Page,
}

impl Paged {
    /// Under settings beside those of the source, and of what is told.
    pub(crate) fn start(alertmanagers: &Alertmanagers, before: &str, alerting: &str) -> Paged {
        let settings = format!(
            "{before}[alerting]\nresend = \"30s\"\n{alerting}deliveries = \"deliveries.jsonl\"\n{}{}",
            alertmanagers.settings(),
            desk()
        );
        let house = House::new(DESK, &settings);
        let text = event("opened", "INC-1", 4 * HOUR + 720) + "\n";
        house.write("desk.jsonl", &text);
        let child = house.start(&["run"]);
        house.until("it is paged", || alertmanagers.counts().0 == 1);
        let page = alertmanagers.pages().remove(0);
        Paged { house, text, child, page }
    }

    /// It is killed.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ended");
    }

    /// The ticket is answered.
    pub(crate) fn answer(&mut self) {
        let _ = writeln!(self.text, "{}", event("acknowledged", "INC-1", 5));
        grow(&self.house, &self.text);
    }

    /// The pages that went out, a line each.
    pub(crate) fn proof(&self) -> String {
        std::fs::read_to_string(self.house.path("deliveries.jsonl")).unwrap_or_default()
    }
}

// `resend` is 30 s here: an Alertmanager takes what was not sent again for four times as long to be over, and a slow disk may
// keep a process that stops and starts for some seconds.

#[test]
fn a_breach_is_one_page_and_its_recovery_one_resolution_through_kills_of_onus_and_of_an_alertmanager() {
    let mut alertmanagers = Alertmanagers::start(2);
    let mut paged = Paged::start(&alertmanagers, "", "link = \"https://onus.example\"\n");
    let page = paged.page.clone();
    for (name, value) in [
        ("alertname", "OnusDutyBreached"),
        ("partner", "p1"),
        ("obligation", "answer"),
        ("contract", "desk"),
        ("control", "onboarding"),
        ("severity", "critical"),
        ("subject", "INC-1"),
        ("clause", "4.2"),
    ] {
        assert_eq!(page.labels[name], value, "{page:?}");
    }
    let duty = page.labels["duty"].as_str().expect("a duty").to_owned();
    assert_eq!(page.annotations["summary"], "p1 has breached answer on INC-1");
    let said = page.annotations["description"].as_str().expect("a text");
    assert!(said.contains("12 minutes late when this was sent"), "{said}");
    assert!(said.contains("Owed by partner.desk (tel:+49-30-1234)"), "{said}");
    assert!(said.contains("Call partner.desk (tel:+49-30-1234); customer.iam-lead (mail:iam@acme.example)"), "{said}");
    assert!(said.contains("clause 4.2"), "{said}");
    assert_eq!(page.annotations["link"], format!("https://onus.example/duties/{duty}"));

    // Killed, and started again: still one. An Alertmanager goes: still one.
    paged.kill();
    paged.child = paged.house.start(&["run"]);
    std::thread::sleep(Duration::from_secs(4));
    alertmanagers.kill(0);
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(alertmanagers.counts(), (1, 0), "{:?}", alertmanagers.pages());
    paged.kill();
    alertmanagers.go_on(0);
    paged.child = paged.house.start(&["run"]);
    std::thread::sleep(Duration::from_secs(3));

    paged.answer();
    paged.house.until("it is resolved", || alertmanagers.counts().1 == 1);
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(alertmanagers.counts(), (1, 1), "{:?}", alertmanagers.pages());
    let resolved = alertmanagers.pages().pop().expect("it was resolved");
    assert_eq!(resolved.labels["duty"], duty);
    assert_eq!(resolved.annotations["resolution"], "Done, late.");
    let proof = paged.proof();
    assert!(end(paged.child), "{}", paged.house.talk());
    assert!(proof.lines().any(|line| line.contains("\"firing\"") && line.contains(&duty)), "{proof}");
    assert!(proof.lines().any(|line| line.contains("\"resolved\"") && line.contains("\"am1\"")), "{proof}");
}

#[test]
fn what_was_over_when_it_was_learned_pages_nobody_and_a_breach_that_is_taken_back_is_resolved_and_says_why() {
    let alertmanagers = Alertmanagers::start(1);
    let settings = format!("[alerting]\nresend = \"30s\"\n{}{}", alertmanagers.settings(), desk());
    let house = House::new(DESK, &settings);
    let mut text = String::new();
    for line in [
        event("opened", "INC-over", 10 * HOUR),
        event("acknowledged", "INC-over", 5 * HOUR),
        event("opened", "INC-back", 4 * HOUR + 600),
    ] {
        let _ = writeln!(text, "{line}");
    }
    house.write("desk.jsonl", &text);
    let child = house.start(&["run"]);
    house.until("it is paged", || alertmanagers.counts().0 == 1);
    let _ = writeln!(text, "{}", event("acknowledged", "INC-back", 3 * HOUR));
    grow(&house, &text);
    house.until("it is resolved", || alertmanagers.counts().1 == 1);
    std::thread::sleep(Duration::from_secs(3));
    let pages = alertmanagers.pages();
    assert_eq!(pages.len(), 2, "{pages:?}");
    assert!(pages.iter().all(|page| page.labels["subject"] == "INC-back"), "{pages:?}");
    let why = "Taken back: a late record shows that it was done in time. There is no breach.";
    assert_eq!(pages[1].annotations["resolution"], why);
    assert!(end(child), "{}", house.talk());
}

#[test]
fn many_breaches_at_once_are_one_page_that_says_how_many() {
    let alertmanagers = Alertmanagers::start(1);
    let settings = format!("[alerting]\nresend = \"30s\"\nat-risk = false\n{}{}", alertmanagers.settings(), desk());
    let house = House::new(DESK, &settings);
    let mut text = String::new();
    for n in 0..50 {
        let _ = writeln!(text, "{}", event("opened", &format!("INC-{n}"), 4 * HOUR - 4));
    }
    house.write("desk.jsonl", &text);
    let mut child = house.start(&["run"]);
    house.until("it is paged", || alertmanagers.counts().0 == 1);
    let page = alertmanagers.pages().remove(0);
    assert_eq!((&page.labels["alertname"], &page.labels["duty"]), (&"OnusManyBreached".into(), &"many".into()));
    assert_eq!(page.annotations["summary"], "p1 has breached answer on 50 subjects at once");
    child.kill().expect("it runs");
    child.wait().expect("it ended");
    for n in 0..49 {
        let _ = writeln!(text, "{}", event("acknowledged", &format!("INC-{n}"), 0));
    }
    grow(&house, &text);
    let child = house.start(&["run"]);
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(alertmanagers.counts(), (1, 0), "one of them still stands: {:?}", alertmanagers.pages());
    let _ = writeln!(text, "{}", event("acknowledged", "INC-49", 0));
    grow(&house, &text);
    house.until("it is resolved", || alertmanagers.counts().1 == 1);
    std::thread::sleep(Duration::from_secs(3));
    let pages = alertmanagers.pages();
    assert_eq!(pages.len(), 2, "{pages:?}");
    assert_eq!(pages[1].annotations["resolution"], "All 50 have ended. The last one: Done, late.");
    assert!(end(child), "{}", house.talk());
}

#[test]
fn ten_thousand_breaches_at_once_are_accepted_one_by_one_if_that_is_wanted() {
    let alertmanagers = Alertmanagers::quiet();
    let settings = format!(
        "[alerting]\nmass = 1000000\nat-risk = false\ndeliveries = \"deliveries.jsonl\"\n{}{}",
        alertmanagers.settings(),
        desk()
    );
    let house = House::new(DESK, &settings);
    let mut text = String::new();
    for n in 0..10_000 {
        let _ = writeln!(text, "{}", event("opened", &format!("INC-{n}"), 4 * HOUR - 15));
    }
    let due = std::time::Instant::now() + Duration::from_secs(15);
    house.write("desk.jsonl", &text);
    let child = house.start(&["run"]);
    let accepted = || std::fs::read_to_string(house.path("deliveries.jsonl")).unwrap_or_default().lines().count();
    house.until("all are accepted", || accepted() == 10_000);
    eprintln!("10,000 breaches were accepted {:?} after their deadline", due.elapsed());
    assert!(end(child), "{}", house.talk());
}

#[test]
fn a_breach_that_stands_climbs_its_ladder_and_each_rung_is_resolved_with_it() {
    let alertmanagers = Alertmanagers::start(1);
    let settings = format!("[alerting]\nresend = \"30s\"\n{}{}", alertmanagers.settings(), desk());
    let later = "customer.iam-lead]}\n    - {at: 10min after, tell: [customer.iam-lead]}\n    - {at: 3h after, tell: [partner.desk]}\n";
    let house = House::new(&DESK.replace("customer.iam-lead]}\n", later), &settings);
    let mut text = String::new();
    let _ = writeln!(text, "{}", event("opened", "INC-1", 4 * HOUR + 595));
    house.write("desk.jsonl", &text);
    let child = house.start(&["run"]);
    house.until("it climbs", || alertmanagers.counts().0 == 2);
    let pages = alertmanagers.pages();
    assert!(pages[0].labels.get("rung").is_none());
    assert_eq!(pages[1].labels["rung"], "2");
    assert_eq!(pages[1].annotations["call"], "customer.iam-lead (mail:iam@acme.example)");
    let _ = writeln!(text, "{}", event("acknowledged", "INC-1", 0));
    grow(&house, &text);
    house.until("both are resolved", || alertmanagers.counts().1 == 2);
    assert_eq!(alertmanagers.counts(), (2, 2), "{:?}", alertmanagers.pages());
    assert!(end(child), "{}", house.talk());
}

#[test]
fn the_same_events_read_once_more_from_their_beginning_page_nobody_again() {
    let alertmanagers = Alertmanagers::start(1);
    let settings = |source: &str| {
        format!(
            "[alerting]\nresend = \"30s\"\n{}{}",
            alertmanagers.settings(),
            desk().replace("name = \"desk\"", source)
        )
    };
    let house = House::new(DESK, &settings("name = \"desk\""));
    let mut text = String::new();
    for n in 0..3 {
        let _ = writeln!(text, "{}", event("opened", &format!("INC-{n}"), 4 * HOUR + 60));
    }
    house.write("desk.jsonl", &text);
    let child = house.start(&["run"]);
    house.until("they are paged", || alertmanagers.counts().0 == 3);
    assert!(end(child), "{}", house.talk());
    // Another name is another source: its file is read from its beginning.
    let head = "[contracts]\npaths = [\"contract.yaml\"]\n[http]\nlisten = \"127.0.0.1:0\"\n";
    house.write("onus.toml", &format!("{head}{}\n", settings("name = \"again\"")));
    let child = house.start(&["run"]);
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(alertmanagers.counts(), (3, 0), "{:?}", alertmanagers.pages());
    let _ = writeln!(text, "{}", event("acknowledged", "INC-1", 0));
    grow(&house, &text);
    house.until("one is resolved", || alertmanagers.counts().1 == 1);
    assert_eq!(alertmanagers.counts(), (3, 1), "{:?}", alertmanagers.pages());
    assert!(end(child), "{}", house.talk());
}

#[test]
fn what_is_at_risk_is_warned_of_and_the_warning_ends_with_the_act_or_with_the_breach() {
    let alertmanagers = Alertmanagers::start(1);
    let settings = format!("[alerting]\nresend = \"30s\"\n{}{}", alertmanagers.settings(), desk());
    let ladder = "  standard:\n    - {at: 1h before, tell: [partner.desk]}\n";
    let house = House::new(&DESK.replace("  standard:\n", ladder), &settings);
    let mut text = String::new();
    for (subject, ago) in [("INC-early", 2 * HOUR), ("INC-done", 3 * HOUR + 1_800), ("INC-late", 4 * HOUR - 12)] {
        let _ = writeln!(text, "{}", event("opened", subject, ago));
    }
    house.write("desk.jsonl", &text);
    let child = house.start(&["run"]);
    let paged = |name: &str, subject: &str, status: &str| {
        let found = |page: &&crate::alertmanager::Page| {
            page.labels["alertname"] == name && page.labels["subject"] == subject && page.status == status
        };
        alertmanagers.pages().iter().filter(found).count()
    };
    house.until("both are warned of", || {
        ["INC-done", "INC-late"].iter().all(|subject| paged("OnusDutyAtRisk", subject, "firing") == 1)
    });
    let page = alertmanagers.pages().into_iter().find(|page| page.labels["subject"] == "INC-done").expect("it");
    assert_eq!(page.labels["severity"], "warning");
    assert_eq!(page.annotations["call"], "partner.desk (tel:+49-30-1234)");
    let said = page.annotations["description"].as_str().expect("a text");
    assert!(said.contains("29 minutes left when this was sent"), "{said}");
    let _ = writeln!(text, "{}", event("acknowledged", "INC-done", 0));
    grow(&house, &text);
    house.until("the warning ends", || paged("OnusDutyAtRisk", "INC-done", "resolved") == 1);
    house.until("it is breached", || paged("OnusDutyBreached", "INC-late", "firing") == 1);
    house.until("that warning ends", || paged("OnusDutyAtRisk", "INC-late", "resolved") == 1);
    assert!(alertmanagers.pages().iter().all(|page| page.labels["subject"] != "INC-early"));
    assert_eq!(alertmanagers.counts(), (3, 2), "{:?}", alertmanagers.pages());
    assert!(end(child), "{}", house.talk());
}
