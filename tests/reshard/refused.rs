//! What is refused, and that nothing has changed then.

use crate::house::{DESK, House, file};
use crate::kafka::broker;
use crate::world::{World, said};
use onus::exchange::carried::{Bundle, Place};
use onus::exchange::repeats::Reading;
use onus::store::{Batch, Remembered};
use onus_engine::time::Moment;
use std::fs;
use std::process::Output;
use std::sync::Arc;

fn refused(out: &Output, due: &str) {
    assert_eq!(out.status.code(), Some(2), "{}", said(out));
    assert!(said(out).contains(due), "{due}: {}", said(out));
}

#[test]
fn while_somebody_judges_or_the_topic_has_what_nobody_took_it_is_refused_and_they_go_on() {
    let mut world = World::new(2, 1_000);
    world.begin();
    world.feed(300);
    world.until_decided();
    let at = world.at.clone();
    let new = world.stage(3);
    refused(&world.reshard(&at, &new, &[]), "judge-a, judge-b judges there");
    world.feed(200);
    world.until_decided();
    // The judges are gone before they had everything.
    world.kill("judge");
    world.feed(200);
    let bytes = fs::metadata(world.house.path("desk.jsonl")).expect("a file").len();
    world.until("it is noted as read", |world| {
        let positions = world.shard(u16::MAX).positions().expect("positions");
        positions.iter().any(|one| one.source == "desk" && one.next == bytes)
    });
    // What is noted is written before it ends.
    world.end("intake");
    assert!(world.left() > 0);
    // Whoever was killed is believed to be there for the length of its lease.
    let mut out = world.reshard(&at, &new, &[]);
    world.until("their leases are over", |world| {
        out = world.reshard(&at, &new, &[]);
        !said(&out).contains("judges there")
    });
    refused(&out, "were not judged yet");
    // Another topic than a new one, another number than it has, and a store that is used.
    let same = world.stage_of(&at.topic, 2, &new.url);
    refused(&world.reshard(&at, &same, &[]), "of which the store was filled");
    let wrong = world.stage_of(&new.topic, 4, &new.url);
    refused(&world.reshard(&at, &wrong, &[]), "has 3 partitions, and [exchange] partitions says 4");
    world.begin_judges();
    world.until("judges have taken everything", |world| world.left() == 0);
    world.until_decided();
    world.end("judge");
    let used = world.stage_at(3, &at.url);
    refused(&world.reshard(&at, &used, &[]), "there is a store in it");
    let out = world.reshard(&at, &new, &["--dry-run", "--format", "json"]);
    assert!(out.status.success(), "{}", said(&out));
    let said: serde_json::Value = serde_json::from_slice(&out.stdout).expect("JSON");
    let shards = said["shards"].as_array().expect("shards");
    let sum = |key: &str| shards.iter().map(|shard| shard[key].as_u64().expect("a number")).sum::<u64>();
    assert_eq!((shards.len(), sum("events"), sum("dead_letters")), (3, 700, 0));
    assert_eq!(sum("entries") as usize, world.ledger().len());
    world.divides(&new);
    world.holds();
    world.begin();
    world.feed_all();
    world.until_decided();
    world.stop();
    world.nothing_was_refused();
}

#[test]
fn what_an_intake_has_noted_and_no_judge_has_taken_is_not_left_behind() {
    let mut world = World::new(2, 300);
    world.begin();
    world.feed_all();
    world.until_decided();
    world.stop();
    // As of an intake that was killed between its commit and the brokers' word.
    let (source, incarnation) = ("desk".to_owned(), "file 1:1".to_owned());
    let reading = Arc::new(Reading { source, partition: 0, incarnation, generation: 0 });
    let mut bundle = Bundle::default();
    bundle.put(&reading, Place { offset: 1_000_000, item: 0, arrived: Moment(1) }, b"{}");
    let (header, value) = bundle.record().expect("an event");
    let plain = postcard::to_allocvec(&(1_u64, vec![(0_i32, header, value)])).expect("plain data");
    let mut row = vec![1];
    row.append(&mut zstd::stream::encode_all(plain.as_slice(), 1).expect("into memory"));
    let mut lane = world.shard(u16::MAX);
    let claim = lane.claim("intake").expect("ours");
    let id = "out".to_owned();
    let kept = [Remembered { adapter: "@exchange".to_owned(), id, row: Some(row), at: Moment(0) }];
    let batch = Batch { remembered: &kept, ..Batch::empty(claim.sequence + 1, Moment(0)) };
    lane.commit(claim.epoch, &batch).expect("written");
    drop(lane);
    let new = world.stage(3);
    refused(&world.reshard(&world.at, &new, &[]), "lane 0 has read what no judge has taken yet");
    let held = onus::store::reshard::held(&world.place(&new.url));
    assert!(held.is_err() || held.is_ok_and(|held| held.is_empty()), "nothing was begun");
}

/// One process has read these lines, under these settings besides; and then it is to be divided.
fn divided(lines: &str, more: &str, lanes: u16) -> Output {
    let broker = broker();
    let topic = broker.topic(2, &[]);
    let desk = DESK.replace("partner: p1", "partner: \"p*\"");
    let source = file("desk").replace("follow = true", "follow = false");
    let house = House::new(&desk, &format!("{more}{source}"));
    fs::write(house.path("desk.jsonl"), lines).expect("written");
    let out = house.onus(&["run", "--until-end"]);
    assert!(out.status.success(), "{}", said(&out));
    house.write(
        "next.toml",
        &format!(
            "[contracts]\npaths = [\"contract.yaml\"]\n[store]\nurl = \"sqlite:new.db\"\n[kafka.main]\nbrokers = [\"{}\"]\n\
             [exchange]\ncluster = \"main\"\ntopic = \"{topic}\"\npartitions = 2\nlanes = {lanes}\n{source}",
            broker.address()
        ),
    );
    let out = house.onus(&["store", "reshard", "--config", "next.toml", "--from", "sqlite:onus.db"]);
    assert!(out.status.success() || !house.path("new.db").exists(), "nothing was begun");
    out
}

fn event(id: usize, kind: &str, more: &str) -> String {
    format!(
        "{{\"specversion\":\"1.0\",\"id\":\"{id}\",\"source\":\"desk\",\"type\":\"{kind}\",\"subject\":\"INC-1\",\
         \"partner\":\"p1\",\"time\":\"2026-03-02T09:00:00Z\"{more}}}\n"
    )
}

#[test]
fn what_cannot_be_divided_is_refused_and_named() {
    let opened = event(1, "ticket.opened", "");
    let out = divided(&opened, "", 1);
    assert!(out.status.success(), "{}", said(&out));
    refused(&divided(&opened, "", 2), "cannot be divided among lanes; write 1");
    refused(&divided(&opened, "[judge]\nclock = \"events\"\n", 1), "by the events' clock");
    let handed = event(2, "subject.rehomed", ",\"data\":{\"from\":\"p1\",\"to\":\"p2\"}");
    refused(
        &divided(&format!("{opened}{handed}"), "", 1),
        "hands a subject over from partner to partner (desk, partition 0",
    );
    let several = event(2, "ticket.opened", ",\"data\":{\"partners\":[\"p2\",\"p3\"]}").replace("INC-1", "INC-2");
    refused(&divided(&format!("{opened}{several}"), "", 1), "concerns several partners (desk, partition 0");
}
