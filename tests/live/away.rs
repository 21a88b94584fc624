//! The whole process while its database is away, under load.

use crate::house::{DESK, House, end, file};
use crate::postgres::{Cluster, Stop};
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::time::{Duration, Instant};

/// Some hours of tickets: each is opened, most are answered; and now and then news of one that has settled long ago.
fn lines(hour: u32) -> String {
    let time = |minutes: u32| {
        let (day, rest) = (minutes / 1440, minutes % 1440);
        format!("2026-{:02}-{:02}T{:02}:{:02}:00Z", 1 + day / 28, 1 + day % 28, rest / 60, rest % 60)
    };
    let mut out = String::new();
    let mut put = |id: String, kind: &str, subject: String, at: u32| {
        let _ = writeln!(
            out,
            "{{\"specversion\":\"1.0\",\"id\":\"{id}\",\"source\":\"desk\",\"type\":\"{kind}\",\"subject\":\"{subject}\",\
             \"time\":\"{}\",\"partner\":\"p1\"}}",
            time(at)
        );
    };
    for ticket in 0..10 {
        let (name, at) = (format!("INC-{hour}-{ticket}"), hour * 60 + ticket);
        put(format!("o{hour}-{ticket}"), "ticket.opened", name.clone(), at);
        // Some in time, some late, some never.
        match ticket {
            0..=6 => put(format!("a{hour}-{ticket}"), "ticket.acknowledged", name, at + 30),
            7 => put(format!("a{hour}-{ticket}"), "ticket.acknowledged", name, at + 300),
            _ => {}
        }
        // Of three days ago: it was answered earlier than we knew. That is looked up in the store.
        if hour > 72 && ticket == 3 {
            let old = hour - 72;
            put(format!("l{hour}"), "ticket.acknowledged", format!("INC-{old}-7"), old * 60 + 100);
        }
    }
    out
}

fn settings(store: &str) -> String {
    format!(
        "[store]\nurl = \"{store}\"\n[judge]\nclock = \"events\"\nsettling = \"1 day\"\nbatch = 200\ncommit-every = \"200ms\"\n\
         snapshot-every = \"1s\"\n{}",
        file("desk")
    )
}

#[test]
fn a_database_that_is_away_under_load_costs_nothing_but_time() {
    let away = std::env::var("ONUS_AWAY_SECONDS").ok().map_or(5, |text| text.parse().expect("seconds"));
    let server = Cluster::start("");
    let database = server.database();
    let house = House::new(DESK, &settings(&server.url(&database)));
    house.write("desk.jsonl", "");
    let append = |text: &str| {
        let mut file = OpenOptions::new().append(true).open(house.path("desk.jsonl")).expect("the file");
        file.write_all(text.as_bytes()).expect("it is written");
    };
    let child = house.start(&["run", "--tell", "told"]);
    let mut hour = 0;
    let mut load = |house: &House, seconds: u64| {
        let until = Instant::now() + Duration::from_secs(seconds);
        while Instant::now() < until && house.path("desk.jsonl").exists() {
            append(&lines(hour));
            hour += 1;
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    load(&house, 4);
    house.until("something is told", || !house.told().is_empty());
    server.stop(Stop::Immediate);
    load(&house, away);
    house.until("it says that the store is away", || house.talk().contains("ERROR"));
    server.go_on();
    load(&house, 2);
    // And once more, in the middle of whatever it does then.
    server.stop(Stop::Fast);
    load(&house, 1);
    server.go_on();
    load(&house, 2);
    let expected = {
        let other = House::new(DESK, &settings("sqlite:onus.db").replace("follow = true", "follow = false"));
        other.write("desk.jsonl", &std::fs::read_to_string(house.path("desk.jsonl")).expect("the file"));
        let output = other.onus(&["run", "--until-end", "--tell", "told"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        other.net()
    };
    assert!(expected.len() > 100, "{} duties", expected.len());
    house.until("everything is told", || house.net() == expected);
    assert!(end(child), "it ends in order, and never ended before: {}", house.talk());
    let verified = house.onus(&["store", "verify", "--store", &server.url(&database)]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    let replayed = house.onus(&["replay"]);
    assert!(replayed.status.success(), "{}", String::from_utf8_lossy(&replayed.stdout));
}
