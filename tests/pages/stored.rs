//! Pages where PostgreSQL is the store: a breach, a process and a server that are killed, a recovery.

use crate::alertmanager::Alertmanagers;
use crate::house::{House, end};
use crate::postgres::{Cluster, Stop};
use crate::real::{DESK, HOUR, desk, event, grow};
use std::fmt::Write as _;
use std::time::Duration;

#[test]
fn with_postgresql_a_breach_is_one_page_and_its_recovery_one_resolution_through_kills_of_onus_and_of_the_server() {
    let alertmanagers = Alertmanagers::start(1);
    let cluster = Cluster::start("-c fsync=off");
    let settings = format!(
        "[store]\nurl = \"{}\"\n[alerting]\nresend = \"30s\"\ndeliveries = \"deliveries.jsonl\"\n{}{}",
        cluster.url(&cluster.database()),
        alertmanagers.settings(),
        desk()
    );
    let house = House::new(DESK, &settings);
    let mut text = String::new();
    let _ = writeln!(text, "{}", event("opened", "INC-1", 4 * HOUR + 720));
    house.write("desk.jsonl", &text);
    let mut child = house.start(&["run"]);
    house.until("it is paged", || alertmanagers.counts().0 == 1);
    let page = alertmanagers.pages().remove(0);
    assert_eq!((&page.labels["subject"], &page.labels["severity"]), (&"INC-1".into(), &"critical".into()));

    // Killed, and started again while the server is away: what fires is what fired before.
    child.kill().expect("it runs");
    child.wait().expect("it ended");
    cluster.stop(Stop::Kill);
    let mut child = house.start(&["run"]);
    std::thread::sleep(Duration::from_secs(2));
    cluster.go_on();
    let proof = || std::fs::read_to_string(house.path("deliveries.jsonl")).unwrap_or_default();
    house.until("the page is told again by the new process", || proof().lines().count() >= 2);
    assert_eq!(alertmanagers.counts(), (1, 0), "{:?}", alertmanagers.pages());

    // The server is killed under it as the recovery comes.
    cluster.stop(Stop::Kill);
    let _ = writeln!(text, "{}", event("acknowledged", "INC-1", 5));
    grow(&house, &text);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(alertmanagers.counts(), (1, 0), "nothing is told that is not written");
    assert!(child.try_wait().expect("its status").is_none(), "{}", house.talk());
    cluster.go_on();
    house.until("it is resolved", || alertmanagers.counts().1 == 1);
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(alertmanagers.counts(), (1, 1), "{:?}", alertmanagers.pages());
    let resolved = alertmanagers.pages().pop().expect("it was resolved");
    assert_eq!(resolved.labels["duty"], page.labels["duty"]);
    assert_eq!(resolved.starts, page.starts, "one identity");
    assert_eq!(resolved.annotations["resolution"], "Done, late.");
    assert!(end(child), "{}", house.talk());
}
