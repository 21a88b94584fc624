//! The whole program, while its store is away or full.

use crate::house::{DESK, House, end, file};
use crate::postgres::{Cluster, Stop};
use onus_engine::time::Moment;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

fn now() -> Moment {
    Moment(chrono::Utc::now().timestamp_millis())
}

fn ticket(n: usize, kind: &str, time: Moment) -> String {
    format!(
        "{{\"specversion\":\"1.0\",\"id\":\"{kind}-{n}\",\"source\":\"desk\",\"type\":\"ticket.{kind}\",\"subject\":\"INC-{n}\",\
         \"partner\":\"p1\",\"time\":\"{time}\"}}\n"
    )
}

/// Status and body of a page of the program that was started last.
fn page(house: &House, path: &str) -> Option<(u16, String)> {
    let talk = house.talk();
    let address = talk.lines().rev().find_map(|line| line.split("listening on http://").nth(1))?.trim().parse().ok()?;
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    Some((text.split(' ').nth(1)?.parse().ok()?, text))
}

fn runs(child: &mut Child) -> bool {
    child.try_wait().expect("its status").is_none()
}

fn append(house: &House, text: &str) {
    let mut file =
        std::fs::OpenOptions::new().create(true).append(true).open(house.path("desk.jsonl")).expect("a file");
    file.write_all(text.as_bytes()).expect("it is written");
}

/// `ONUS_OUTAGE_SECONDS=600` keeps it away for ten minutes.
#[test]
fn a_database_that_is_away_breaches_nobody_and_ends_nothing() {
    let away = std::env::var("ONUS_OUTAGE_SECONDS").map_or(6, |text| text.parse().expect("a number"));
    let cluster = Cluster::start("-c fsync=off");
    let url = cluster.url(&cluster.database());
    let source = file("desk") + "transit = \"1s\"\n";
    // The deadlines lie in the middle of the outage.
    let within = 3 + away / 3;
    let house = House::new(
        &DESK.replace("within: 4h", &format!("within: {within}s")),
        &format!("[store]\nurl = \"{url}\"\n{source}"),
    );
    append(&house, "");
    let mut child = house.start(&["run", "--tell", "told"]);
    house.until("it listens", || page(&house, "/readyz").is_some_and(|(status, _)| status == 200));
    let opened = now();
    append(&house, &(ticket(1, "opened", opened) + &ticket(2, "opened", opened)));
    std::thread::sleep(Duration::from_millis(1_500));
    cluster.stop(Stop::Kill);
    // The proof comes while nothing can be written, and in time.
    append(&house, &ticket(1, "acknowledged", now()));
    let began = Instant::now();
    house.until("it says that the store is away", || {
        page(&house, "/readyz").is_some_and(|(status, text)| status == 503 && text.contains("store"))
    });
    while began.elapsed() < Duration::from_secs(away) {
        assert!(runs(&mut child), "it waits: {}", house.talk());
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(now() > Moment(opened.0 + within as i64 * 1_000), "the deadlines have passed");
    assert_eq!(house.told().len(), 0, "nothing is told that is not written");
    assert!(page(&house, "/metrics").is_some_and(|(status, _)| status == 200), "it can be asked meanwhile");
    cluster.go_on();
    let said = |subject: &str| -> Vec<String> {
        let told = house.told();
        let lines = told.iter().filter(|line| line["subject"] == subject);
        lines.map(|line| line["to"].as_str().unwrap_or_default().to_owned()).collect()
    };
    house.until("both are decided", || !said("INC-1").is_empty() && !said("INC-2").is_empty());
    assert_eq!((said("INC-1"), said("INC-2")), (vec!["met".to_owned()], vec!["breached".to_owned()]));
    let due = Moment(opened.0 + within as i64 * 1_000).to_string();
    let breach = house.told().into_iter().find(|line| line["subject"] == "INC-2").expect("its line");
    assert_eq!(breach["deadline"], due, "at its deadline, whenever that was seen");
    house.until("it is ready again", || page(&house, "/readyz").is_some_and(|(status, _)| status == 200));
    assert!(runs(&mut child), "the same process");
    assert!(end(child), "{}", house.talk());
    assert!(house.onus(&["replay"]).status.success());
    assert!(house.onus(&["store", "verify", "--store", &url]).status.success());
    // Whoever starts both need not start them in order.
    cluster.stop(Stop::Fast);
    let listening = || house.talk().matches("listening on").count();
    let mut child = house.start(&["run", "--tell", "told"]);
    std::thread::sleep(Duration::from_millis(1_500));
    assert!(runs(&mut child) && listening() == 1, "{}", house.talk());
    cluster.go_on();
    house.until("it begins", || listening() == 2);
    assert!(end(child), "{}", house.talk());
}

/// A disk of its own for a folder; false: this user may not make one.
fn small_disk(folder: &std::path::Path) -> bool {
    std::fs::create_dir(folder).expect("a folder");
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=4m", "onus-test"]).arg(folder).status();
    mounted.is_ok_and(|status| status.success())
}

/// It goes with the test, however that ends.
struct Disk(std::path::PathBuf);

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_stops_everything_until_there_is_room_and_then_all_is_told() {
    let house = House::new(DESK, &format!("[store]\nurl = \"sqlite:disk/onus.db\"\n{}", file("desk")));
    if !small_disk(&house.path("disk")) {
        eprintln!(
            "NOT RUN: this user may not make a small disk (mount -t tmpfs); tests/store sees a full one by `max_page_count`"
        );
        return;
    }
    let disk = Disk(house.path("disk"));
    std::os::unix::fs::symlink("disk/told", house.path("told")).expect("a link");
    let at = |n: usize| Moment(1_772_442_000_000 + n as i64 * 1_000);
    let pair = |n: usize| ticket(n, "opened", at(n)) + &ticket(n, "acknowledged", at(n + 60));
    append(&house, &(0..100).map(pair).collect::<String>());
    let mut child = house.start(&["run", "--tell", "told"]);
    house.until("the first are told", || house.told().len() == 100);
    // Some room stays, so that it ends in the middle of something.
    let filler = house.path("disk/filler");
    let mut room = std::fs::File::create(&filler).expect("a file");
    while room.write_all(&[0; 4096]).is_ok() {}
    let length = room.metadata().expect("its length").len();
    room.set_len(length.saturating_sub(100_000)).expect("a little is let go");
    append(&house, &(100..1_500).map(pair).collect::<String>());
    house.until("it says so", || {
        page(&house, "/readyz").is_some_and(|(status, text)| status == 503 && text.contains("store"))
    });
    std::thread::sleep(Duration::from_secs(1));
    assert!(runs(&mut child), "it waits: {}", house.talk());
    assert!(page(&house, "/metrics").is_some_and(|(status, _)| status == 200), "it can be asked meanwhile");
    std::fs::remove_file(&filler).expect("there is room");
    drop(room);
    let subjects = || {
        let text = std::fs::read_to_string(house.path("told")).unwrap_or_default();
        let lines = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        lines.map(|line| line["subject"].to_string()).collect::<std::collections::BTreeSet<_>>().len()
    };
    house.until("all are told", || subjects() == 1_500);
    assert!(runs(&mut child), "the same process");
    assert!(end(child), "{}", house.talk());
    let verified = house.onus(&["store", "verify", "--store", "sqlite:disk/onus.db"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    assert!(house.onus(&["replay"]).status.success());
    drop(disk);
}
