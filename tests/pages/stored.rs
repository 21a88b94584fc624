//! Pages where PostgreSQL is the store: a breach, a process and a server that are killed, a recovery.

use crate::alertmanager::Alertmanagers;
use crate::house::end;
use crate::postgres::{Cluster, Stop};
use crate::real::Paged;
use std::time::Duration;

#[test]
fn with_postgresql_a_breach_is_one_page_and_its_recovery_one_resolution_through_kills_of_onus_and_of_the_server() {
    let alertmanagers = Alertmanagers::start(1);
    let cluster = Cluster::start("-c fsync=off");
    let store = format!("[store]\nurl = \"{}\"\n", cluster.url(&cluster.database()));
    let mut paged = Paged::start(&alertmanagers, &store, "");
    let page = paged.page.clone();
    assert_eq!((&page.labels["subject"], &page.labels["severity"]), (&"INC-1".into(), &"critical".into()));

    // Killed, and started again while the server is away: what fires is what fired before.
    paged.kill();
    cluster.stop(Stop::Kill);
    paged.child = paged.house.start(&["run"]);
    std::thread::sleep(Duration::from_secs(2));
    cluster.go_on();
    paged.house.until("the page is told again by the new process", || paged.proof().lines().count() >= 2);
    assert_eq!(alertmanagers.counts(), (1, 0), "{:?}", alertmanagers.pages());

    // The server is killed under it as the recovery comes.
    cluster.stop(Stop::Kill);
    paged.answer();
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(alertmanagers.counts(), (1, 0), "nothing is told that is not written");
    assert!(paged.child.try_wait().expect("its status").is_none(), "{}", paged.house.talk());
    cluster.go_on();
    paged.house.until("it is resolved", || alertmanagers.counts().1 == 1);
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(alertmanagers.counts(), (1, 1), "{:?}", alertmanagers.pages());
    let resolved = alertmanagers.pages().pop().expect("it was resolved");
    assert_eq!(resolved.labels["duty"], page.labels["duty"]);
    assert_eq!(resolved.starts, page.starts, "one identity");
    assert_eq!(resolved.annotations["resolution"], "Done, late.");
    assert!(end(paged.child), "{}", paged.house.talk());
}
