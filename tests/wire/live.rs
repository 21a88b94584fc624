//! Records in frames on a real topic: through a registry that is away, through kills, and read again when asked for.

use crate::desk::{Desk, frame};
use crate::house::{DESK, House, end};
use crate::listening::{Listening, access, topic_with};
use crate::schemas::records;
use crate::support::broker;
use onus::ingest::feed::Wrong;
use serde_json::Value;

/// The recorded event's frame, with another subject: both names have as many letters.
fn event(subject: &str) -> Vec<u8> {
    let (_, value, _) = records().into_iter().find(|(name, ..)| name == "event").expect("it is there");
    let at = value.windows(5).position(|five| five == b"INC-1").expect("its subject");
    assert_eq!(subject.len(), 5);
    let id = value.windows(2).position(|two| two == b"\x021").expect("its id");
    let mut value = value;
    value[at..at + 5].copy_from_slice(subject.as_bytes());
    value[id + 1] = subject.as_bytes()[4];
    value
}

#[test]
fn a_registry_that_is_away_holds_its_record_back_and_no_other_partition() {
    let broker = broker();
    let name = broker.topic(2, &[]);
    let (desk, _) = Desk::closed();
    broker.produce(&name, 0, [&b"a0"[..], &frame(9, b"{\"n\":1}"), b"a2"]);
    broker.produce(&name, 1, [&b"b0"[..], b"b1"]);
    let mut all = Listening::with(topic_with(&name, desk.wire()), access(&broker), &[]);
    all.until("trouble", |all| !all.trouble.is_empty());
    all.until_count(3);
    let why = all.trouble.join("\n");
    assert!(why.contains("schema registry http://127.0.0.1") && why.contains("offset 1 of partition 0"), "{why}");
    // It goes on polling: what comes to the other partition is read.
    broker.produce(&name, 1, [&b"b2"[..]]);
    all.until_count(4);
    assert_eq!(all.texts(0), ["a0"], "nothing behind it is read");
    assert!(all.caught.is_empty() && all.halted.is_empty(), "and nobody says that all was heard");
    let _open = desk.open();
    all.until_count(6);
    all.until("fine", |all| all.fine > 0);
    all.until("caught up", |all| all.caught.iter().any(|(partition, _)| *partition == 0));
    assert_eq!((all.texts(0), all.texts(1)), (owned(&["a0", "{\"n\":1}", "a2"]), owned(&["b0", "b1", "b2"])));
    assert_eq!(all.got[&0].iter().map(|one| one.offset).collect::<Vec<_>>(), [0, 1, 2]);
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn a_restart_behind_a_record_in_a_frame_needs_no_registry_to_know_it() {
    let broker = broker();
    let name = broker.topic(1, &[]);
    let desk = Desk::new();
    broker.produce(&name, 0, [&event("INC-1")[..]]);
    let mut all = Listening::with(topic_with(&name, desk.wire()), access(&broker), &[]);
    all.until_count(1);
    let known = all.known(1);
    assert_ne!(known[0].last, onus::ingest::kafka::digest(&all.got[&0][0].bytes), "it is known by what lies there");
    drop(all);
    broker.produce(&name, 0, [&b"next"[..]]);
    let (away, _) = Desk::closed();
    let mut again = Listening::with(topic_with(&name, away.wire()), access(&broker), &known);
    again.until_count(1);
    assert_eq!(again.texts(0), ["next"]);
    assert!(again.halted.is_empty(), "{:?}", again.halted);
    // Another record in its place is found out, still.
    let other = vec![onus::ingest::kafka::Known { last: 7, ..known[0].clone() }];
    Listening::with(topic_with(&name, away.wire()), access(&broker), &other).until_halted("not the one");
}

#[test]
fn what_can_never_be_read_is_a_dead_letter_with_its_place_and_the_rest_is_read() {
    let broker = broker();
    let name = broker.topic(1, &[]);
    let desk = Desk::new();
    broker.produce(&name, 0, [&frame(4711, b"\xff")[..], b"{\"a\":1}", b"\x1f\x8bno gzip"]);
    let mut all = Listening::with(topic_with(&name, desk.wire()), access(&broker), &[]);
    all.until_count(3);
    assert!(all.trouble.is_empty(), "{:?}", all.trouble);
    let got = &all.got[&0];
    let wrong = |at: usize| match got[at].wrong.as_deref() {
        Some(Wrong::Wire { reason, detail }) => (*reason, detail.clone()),
        other => panic!("{other:?}"),
    };
    let (reason, detail) = wrong(0);
    assert_eq!(reason, "UnknownSchema");
    assert!(detail.starts_with(&format!("topic `{name}`, partition 0, offset 0: ")), "{detail}");
    assert_eq!(got[0].bytes, b"AAAAEmf/", "the bytes in base64");
    assert_eq!((got[1].wrong.clone(), got[1].bytes.as_slice()), (None, &b"{\"a\":1}"[..]));
    assert_eq!(wrong(2).0, "BadFrame");
}

fn settings(broker: &crate::support::Broker, topic: &str, registry: &str) -> String {
    format!(
        "[registry.main]\nurl = \"{registry}\"\ntimeout = \"2s\"\n[kafka.main]\nbrokers = [\"{}\"]\nregistry = \"main\"\n\
         [[source]]\nname = \"tickets\"\nkind = \"kafka\"\ncluster = \"main\"\ntopic = \"{topic}\"\ntrust = \"system\"\n\
         partners = [\"*\"]\ntypes = [\"*\"]\n",
        broker.address()
    )
}

fn letters(house: &House) -> Vec<Value> {
    let out = house.onus(&["dead-letters", "list", "--state", "all", "--format", "jsonl"]);
    let lines = String::from_utf8(out.stdout).expect("text");
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    lines.filter(|line| line.get("reason").is_some()).collect()
}

#[test]
fn a_registry_that_comes_late_loses_nothing_and_an_unknown_schema_is_read_again_once_it_is_known() {
    let broker = broker();
    let topic = broker.topic(1, &[("message.timestamp.type", "LogAppendTime")]);
    let (desk, _) = Desk::closed();
    let mut unknown = event("INC-2");
    unknown[1..5].copy_from_slice(&4711u32.to_be_bytes());
    broker.produce(&topic, 0, [&event("INC-1")[..], &unknown, &event("INC-3")]);
    let house = House::new(DESK, &settings(&broker, &topic, &desk.url()));
    let told = |subject: &str| house.told().iter().any(|line| line["subject"] == *subject && line["to"] == "breached");
    let child = house.start(&["run", "--tell", "told"]);
    house.until("the trouble is said", || house.talk().contains("waits for schema"));
    assert!(letters(&house).is_empty(), "what may pass is no dead letter");
    let doctor = house.onus(&["doctor"]);
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(said.contains("wrong  registry main: ") && !doctor.status.success(), "{said}");
    // Killed while it waits, the next one waits at the same record.
    assert!(end(child), "{}", house.talk());
    let child = house.start(&["run", "--tell", "told"]);
    house.until("it is said again", || house.talk().matches("waits for schema").count() >= 2);
    let desk = desk.open();
    desk.answers("/schemas/types", 200, "[\"AVRO\"]");
    house.until("both are judged", || told("INC-1") && told("INC-3"));
    house.until("the other is a dead letter", || letters(&house).len() == 1);
    let letter = &letters(&house)[0];
    assert_eq!((letter["reason"].as_str(), letter["offset"].as_u64()), (Some("UnknownSchema"), Some(1)));
    assert!(letter["detail"].as_str().is_some_and(|why| why.contains(&topic)), "{letter}");
    assert!(!told("INC-2"));
    let said = String::from_utf8_lossy(&house.onus(&["doctor"]).stdout).into_owned();
    assert!(said.contains("fine   registry main: ") && said.contains("AVRO"), "{said}");
    assert!(end(child), "{}", house.talk());
    // Somebody registers it, and asks for the letter.
    let known = crate::desk::recorded()["answers"]["/schemas/ids/1"].to_string();
    desk.answers("/schemas/ids/4711", 200, &known);
    assert!(house.onus(&["dead-letters", "replay", "1"]).status.success());
    let child = house.start(&["run", "--tell", "told"]);
    house.until("it is read again", || letters(&house)[0]["state"] == "replayed");
    house.until("it is judged", || told("INC-2"));
    assert!(end(child), "{}", house.talk());
    assert!(house.onus(&["replay"]).status.success(), "and the journal says the same");
}

#[test]
fn where_all_have_frames_those_without_are_dead_letters_and_spoil_no_other() {
    let broker = broker();
    let topic = broker.topic(1, &[("message.timestamp.type", "LogAppendTime")]);
    let desk = Desk::new();
    broker.produce(&topic, 0, [&event("INC-1")[..], b"", &event("INC-2"), b"{\"a\":1}", &event("INC-3")]);
    let all = settings(&broker, &topic, &desk.url()).replace("trust =", "format = \"confluent\"\ntrust =");
    let house = House::new(DESK, &all);
    let child = house.start(&["run", "--tell", "told"]);
    house.until("three are judged", || house.told().iter().filter(|line| line["to"] == "breached").count() >= 3);
    let found: Vec<(Value, Value)> =
        letters(&house).into_iter().map(|letter| (letter["reason"].clone(), letter["offset"].clone())).collect();
    assert_eq!(found, [("BadFrame".into(), 1.into()), ("BadFrame".into(), 3.into())]);
    assert!(end(child), "{}", house.talk());
}

#[test]
fn an_event_is_judged_alike_whatever_it_is_wrapped_in() {
    use base64::Engine;
    let broker = broker();
    let topic = broker.topic(1, &[("message.timestamp.type", "LogAppendTime")]);
    let event = |n: usize| {
        format!(
            "{{\"specversion\":\"1.0\",\"id\":\"{n}\",\"source\":\"desk\",\"type\":\"ticket.opened\",\"subject\":\"INC-{n}\",\
             \"partner\":\"p1\",\"time\":\"2026-03-02T09:00:00Z\"}}"
        )
    };
    let gzip = |text: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, text.as_bytes()).expect("into memory");
        encoder.finish().expect("into memory")
    };
    let base64 = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes).into_bytes();
    let change = |op: &str, after: &str| {
        format!("{{\"before\":null,\"after\":{after},\"source\":{{\"table\":\"t\"}},\"op\":\"{op}\",\"ts_ms\":1}}")
    };
    let connect = |payload: &str| format!("{{\"schema\":{{\"type\":\"struct\"}},\"payload\":{payload}}}");
    let wrapped: Vec<Vec<u8>> = vec![
        event(1).into_bytes(),
        gzip(&event(2)),
        zstd::encode_all(event(3).as_bytes(), 3).expect("into memory"),
        base64(event(4).as_bytes()),
        base64(&gzip(&event(5))),
        serde_json::to_vec(&event(6)).expect("a text"),
        connect(&event(7)).into_bytes(),
        change("r", &event(8)).into_bytes(),
        connect(&change("c", &event(9))).into_bytes(),
        change("d", "null").into_bytes(),
        format!("[{},{}]", event(10), event(11)).into_bytes(),
        gzip(&format!("{}\n{}\n", event(12), event(13))),
    ];
    broker.produce(&topic, 0, wrapped.iter().map(Vec::as_slice));
    let house = House::new(DESK, &settings(&broker, &topic, "http://127.0.0.1:1"));
    let child = house.start(&["run", "--tell", "told"]);
    house.until("all are judged", || house.told().iter().filter(|line| line["to"] == "breached").count() >= 13);
    assert!(end(child), "{}", house.talk());
    let told = house.told();
    for n in 1..=13 {
        let subject = format!("INC-{n}");
        assert!(told.iter().any(|line| line["subject"] == *subject && line["to"] == "breached"), "{subject}");
    }
    assert!(letters(&house).is_empty(), "{:?}", letters(&house));
}

#[test]
fn records_of_one_message_are_judged_all_or_none_through_kills() {
    let broker = broker();
    let topic = broker.topic(1, &[("message.timestamp.type", "LogAppendTime")]);
    // Each message is compressed, and holds many events: more in all than one commit.
    let (messages, each) = (40, 250);
    let line = |n: usize| {
        format!(
            "{{\"specversion\":\"1.0\",\"id\":\"{n}\",\"source\":\"desk\",\"type\":\"ticket.opened\",\"subject\":\"INC-{n}\",\
             \"partner\":\"p1\",\"time\":\"2026-03-02T09:00:00Z\"}}\n"
        )
    };
    let message = |at: usize| {
        let lines: String = (at * each..(at + 1) * each).map(line).collect();
        zstd::encode_all(lines.as_bytes(), 3).expect("into memory")
    };
    let all: Vec<Vec<u8>> = (0..messages).map(message).collect();
    broker.produce(&topic, 0, all.iter().map(Vec::as_slice));
    let source = settings(&broker, &topic, "http://127.0.0.1:1");
    let house = House::new(DESK, &format!("[judge]\nbatch = 100\n{source}"));
    let count = || {
        let out = house.onus(&["replay"]);
        let said = String::from_utf8_lossy(&out.stdout).into_owned();
        said.split(' ').next().and_then(|count| count.parse::<usize>().ok()).unwrap_or(0)
    };
    let commits = || house.told().len();
    for so_far in [1, 3_000] {
        let mut child = house.start(&["run", "--tell", "told"]);
        house.until("some are judged", || commits() >= so_far);
        child.kill().expect("it runs");
        child.wait().expect("it ended");
        let count = count();
        assert!(
            count > 0 && count % each == 0,
            "{count} events are written down: a message is there whole or not at all"
        );
    }
    let child = house.start(&["run", "--tell", "told"]);
    house.until("all are judged", || commits() >= messages * each);
    assert!(end(child), "{}", house.talk());
    assert_eq!(count(), messages * each, "each event was read once");
    assert!(letters(&house).is_empty());
}
