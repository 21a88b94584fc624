//! What vendors really send, through real topics, to standings.

use crate::exchange::{Kept, all, ends, events, letters, shard};
use crate::house::{House, end};
use crate::kafka::{Broker, broker};
use crate::postgres;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// What Northwind owes on tickets, changes and credentials, whichever tool shows it.
const CONTRACT: &str = "\
contract: northwind
partner: northwind-msp
customer: globex
effective: 2026-01-01T00:00:00Z
zone: UTC
obligations:
  - id: acknowledge
    clause: \"3.1\"
    when: ticket.opened
    do: ticket.acknowledged
    within: 30min
  - id: resolve
    clause: \"3.2\"
    when: ticket.opened
    do: ticket.resolved
    within: {P1: 4h, \"*\": 24h}
    pause: {reasons: [awaiting-caller, awaiting-change], by: partner}
    reopen: {policy: resume, window: 14 days}
  - id: approved
    clause: \"4.1\"
    when: change.executed
    requires: change.approved
  - id: rotate
    clause: \"5.1\"
    when: credential.created
    do: {any: [credential.rotated, credential.revoked]}
    within: 36h
";

pub(crate) fn source(name: &str, adapter: &str, topic: &str) -> String {
    format!(
        "[[source]]\nname = \"{name}\"\nkind = \"kafka\"\ncluster = \"main\"\ntopic = \"{topic}\"\nadapter = \"{adapter}\"\n\
         adapter-settings = \"sources.json\"\ntrust = \"system\"\npartners = [\"*\"]\ntypes = [\"*\"]\n"
    )
}

/// Records of a vendor's samples, as they are sent; each with its own topic's name in `topic`.
fn samples(text: &str) -> Vec<(String, Vec<u8>)> {
    let record = |line: &str| {
        let record: Value = serde_json::from_str(line).expect("a sample");
        let value = match &record["value"] {
            Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        (record["topic"].as_str().expect("a topic").to_owned(), value.into_bytes())
    };
    text.lines().map(record).collect()
}

/// A house with ServiceNow in three topics, Vault and AWS in one each.
struct Fed {
    house: House,
    /// By the sample's topic.
    topics: BTreeMap<String, String>,
}

fn fed(broker: &Broker) -> Fed {
    fed_with(broker, "")
}

/// With these settings besides.
fn fed_with(broker: &Broker, besides: &str) -> Fed {
    let mut topics = BTreeMap::new();
    let mut settings = format!("{besides}[kafka.main]\nbrokers = [\"{}\"]\n", broker.address());
    for (adapter, topic) in [
        ("servicenow", "itsm.servicenow.incident"),
        ("servicenow", "itsm.servicenow.change_request"),
        ("servicenow", "itsm.servicenow.sysapproval_approver"),
        ("servicenow", "itsm.servicenow.sc_task"),
        ("vault", "secrets.vault.audit"),
        ("vault", "secrets.vault.events"),
        ("aws", "cloud.aws.eventbridge"),
    ] {
        // As a connector names topics: the table is the last part.
        let own = format!("{}.{topic}", broker.topic(1, &[]));
        broker.topic_named(&own, 1, &[]);
        settings += &source(&topic.replace(['.', '_'], "-"), adapter, &own);
        topics.insert(topic.to_owned(), own);
    }
    let house = House::new(CONTRACT, &settings);
    house.write("sources.json", &tables());
    Fed { house, topics }
}

/// The samples' tables, and on whose side the people in them are.
fn tables() -> String {
    let mut tables: Value = serde_json::from_str(include_str!("../samples/adapters.config.json")).expect("JSON");
    tables["principals"] = json!({"customer": ["ana.ruiz", "cho.lin"], "partner": ["ben.okafor", "*NorthwindMSP-*"]});
    tables.to_string()
}

const VENDORS: [&str; 3] = [
    include_str!("../samples/servicenow.jsonl"),
    include_str!("../samples/vault.jsonl"),
    include_str!("../samples/aws.jsonl"),
];

fn send(broker: &Broker, fed: &Fed, records: &[(String, Vec<u8>)]) {
    for (topic, own) in &fed.topics {
        let here = records.iter().filter(|(of, _)| of == topic).map(|(_, value)| &value[..]);
        broker.produce(own, 0, here);
    }
}

/// Of each duty, by obligation and subject: how it stood last.
fn stands(house: &House) -> BTreeMap<(String, String), String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    house.told().iter().map(|line| ((text(&line["obligation"]), text(&line["subject"])), text(&line["to"]))).collect()
}

fn stands_as(house: &House, obligation: &str, subject: &str, standing: &str) -> bool {
    stands(house).get(&(obligation.to_owned(), subject.to_owned())).is_some_and(|to| to == standing)
}

/// A subject, an obligation on it, and how it stands in the end.
const EXPECTED: &[(&str, &str, &str)] = &[
    ("acknowledge", "INC0010482", "met"),
    ("resolve", "INC0010482", "met"),
    ("acknowledge", "INC0010483", "cancelled"),
    ("acknowledge", "INC0010501", "met"),
    ("acknowledge", "SCTASK0020011", "met"),
    ("resolve", "SCTASK0020011", "met"),
    ("acknowledge", "INC0010502", "breached"),
    ("rotate", "aws:secretsmanager:210987654321:eu-west-1:prod/payments/db", "met"),
    ("rotate", "aws:iam:210987654321:AKIAEXAMPLE000000A02", "breached"),
    ("rotate", "vault:partners/northwind/secret/prod/payments/api", "met"),
];

#[test]
fn what_vendors_send_goes_through_the_exchange_as_events_and_through_kills_of_the_intake() {
    let broker = broker();
    let server = postgres::shared();
    let exchange = broker.topic(1, &[]);
    let database = server.database();
    let url = server.url(&database);
    let fed = fed_with(
        &broker,
        &format!("[store]\nurl = \"{url}\"\n[exchange]\ncluster = \"main\"\ntopic = \"{exchange}\"\npartitions = 1\n"),
    );
    let house = &fed.house;
    let records: Vec<_> = VENDORS.iter().flat_map(|text| samples(text)).collect();
    let judge = house.start(&["run", "--role", "judge", "--shard", "0", "--tell", "told"]);
    for part in records.chunks(records.len().div_ceil(3)) {
        send(&broker, &fed, part);
        let (before, began) = (stands(house).len(), Instant::now());
        let mut intake = house.start(&["run", "--role", "intake"]);
        // Wherever it is by then.
        house.until("more is decided", || stands(house).len() > before || began.elapsed() > Duration::from_secs(3));
        intake.kill().expect("it runs");
        intake.wait().expect("it ended");
    }
    let began = || house.talk().matches("reading sources into the exchange").count();
    let before = began();
    let intake = house.start(&["run", "--role", "intake"]);
    // Perhaps all was decided already.
    house.until("it reads", || began() > before);
    house.until("all stands as it should", || {
        EXPECTED.iter().all(|(obligation, subject, standing)| stands_as(house, obligation, subject, standing))
    });
    let read = || shard(&url, u16::MAX).positions().expect("positions").iter().map(|one| one.next).sum::<u64>();
    let taken_in = || {
        let (written, positions) = (ends(&broker, &exchange, 0), shard(&url, 0).positions().expect("positions"));
        positions.iter().any(|one| one.source == "@exchange" && one.next >= written)
    };
    // Not everything that is sent is expected of.
    house.until("all is read", || read() >= records.len() as u64);
    assert!(end(intake), "{}", house.talk());
    house.until("and taken in", taken_in);
    assert!(end(judge), "{}", house.talk());
    // Topics that share an adapter are read in another order by each life; what a life made is written as it made it.
    for role in ["intake", "judge"] {
        let mut list = house.command(&["dead-letters", "list", "--state", "all", "--format", "jsonl"]);
        let said =
            list.envs([("ONUS__RUN__ROLE", role), ("ONUS__RUN__SHARD", "0")]).output().expect("the program runs");
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        assert!(!said.contains("Divergence"), "{said}");
    }
    // Everything that adapters remember is lost, and how far was read: all is made again, in whatever order. What comes out as it did is a
    // repeat; what does not is said, and is no fact.
    let (before, taken, lane) = (stands(house), events(house, 0), u16::MAX);
    let far = read();
    let tables = ["shard", "journal", "letter", "source_position", "terms", "remembered", "stamp", "regenerated"];
    tables
        .iter()
        .for_each(|table| _ = server.sql(&database, &format!("DELETE FROM onus.{table} WHERE shard = {lane}")));
    assert_eq!(read(), 0);
    let judge = house.start(&["run", "--role", "judge", "--shard", "0", "--tell", "told"]);
    let intake = house.start(&["run", "--role", "intake"]);
    house.until("all is read again", || read() >= far);
    assert!(end(intake), "{}", house.talk());
    house.until("and taken in", taken_in);
    assert!(end(judge), "{}", house.talk());
    assert_eq!(stands(house), before);
    // What lies behind all that was taken of a reading is new: another order may have an adapter say more of its last records.
    let (mut last, mut due) = (BTreeMap::new(), 0);
    for (reading, place, _) in all(&broker, &exchange, 1).iter().flat_map(Kept::events) {
        let place = (place.offset, place.item);
        let behind = last.get(&reading).is_none_or(|last| place > *last);
        if behind {
            last.insert(reading, place);
            due += 1;
        }
    }
    assert_eq!(events(house, 0), due, "each once");
    assert!(due >= taken, "{due}, {taken}");
    let odd: Vec<String> =
        letters(&url, 0).into_iter().map(|one| one.reason).filter(|one| one != "Divergence").collect();
    assert!(odd.is_empty(), "{odd:?}");
}

#[test]
fn what_servicenow_vault_and_aws_send_ends_in_standings_through_kills_of_the_program() {
    let broker = broker();
    let fed = fed(&broker);
    let house = &fed.house;
    let records: Vec<_> = VENDORS.iter().flat_map(|text| samples(text)).collect();
    // In three parts, killed after each: what is remembered of a row comes back with the facts that were told of it.
    for part in [0..11, 11..30, 30..records.len()] {
        let child = house.start(&["run", "--tell", "told"]);
        send(&broker, &fed, &records[part.clone()]);
        house.until("it is written", || written(house) >= part.end as u64);
        let mut child = child;
        child.kill().expect("it runs");
        child.wait().expect("it ended");
    }
    let child = house.start(&["run", "--tell", "told"]);
    for (obligation, subject, standing) in EXPECTED {
        house.until(&format!("{obligation} of {subject} is {standing}"), || {
            stands_as(house, obligation, subject, standing)
        });
    }
    // The same records once more, as an at-least-once collector sends them: nothing moves.
    let before = stands(house);
    send(&broker, &fed, &records);
    house.until("all are read again", || written(house) >= 2 * records.len() as u64);
    assert!(end(child), "{}", house.talk());
    assert_eq!(stands(house), before);
    let letters = house.onus(&["dead-letters", "list", "--format", "jsonl"]);
    assert_eq!(String::from_utf8_lossy(&letters.stdout), "", "every sample is read");
    let replay = house.onus(&["replay"]);
    assert!(replay.status.success(), "{}", String::from_utf8_lossy(&replay.stdout));
    told_by_explain(house);
}

#[test]
fn records_are_read_anew_by_mended_tables_and_what_was_made_of_them_is_void() {
    let broker = broker();
    let topic = format!("{}.incident", broker.topic(1, &[]));
    broker.topic_named(&topic, 2, &[]);
    let row = |number: u32, count: u32, state: &str| {
        json!({"sys_id": number.to_string(), "number": format!("INC-{number}"), "state": state, "assignment_group": "desk",
               "opened_at": "2026-03-02 09:00:00", "sys_updated_on": format!("2026-03-02 09:0{count}:00"),
               "sys_mod_count": count.to_string()})
        .to_string()
    };
    // State 18 is the instance's own: somebody took it for work that has begun.
    let send =
        |number: u32, rows: &[String]| broker.produce(&topic, number as i32 % 2, rows.iter().map(String::as_bytes));
    send(1, &[row(1, 0, "1"), row(1, 1, "18")]);
    send(2, &[row(2, 0, "1"), row(2, 1, "2"), row(2, 2, "99")]);
    let tables = |meaning: &str| {
        json!({"partners": {"northwind-msp": {"servicenow": {"assignment_group": ["desk"]}}},
               "servicenow": {"incident": {"state": {"1": "new", "2": "in-progress", "18": meaning}}}})
        .to_string()
    };
    let cluster = format!("[kafka.main]\nbrokers = [\"{}\"]\n", broker.address());
    let house = House::new(CONTRACT, &(cluster + &source("snow", "servicenow", &topic)));
    house.write("sources.json", &tables("in-progress"));
    let child = house.start(&["run", "--tell", "told"]);
    house.until("both are acknowledged", || {
        (1..3).all(|n| stands_as(&house, "acknowledge", &format!("INC-{n}"), "met"))
    });
    assert!(end(child), "{}", house.talk());

    house.write("sources.json", &tables("new"));
    let said = |out: &std::process::Output| {
        format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
    };
    let out = house.onus(&["sources", "regenerate", "snow", "--reason", "18 is not begun"]);
    assert!(out.status.success(), "{}", said(&out));
    assert!(
        said(&out).contains("5 records were read anew: 3 events, 1 dead letters; 1 dead letters of before"),
        "{}",
        said(&out)
    );
    // What that changes is there to be read before anybody acts by it.
    let replay = said(&house.onus(&["replay"]));
    assert!(replay.contains("INC-1") && replay.contains("breached") && !replay.contains("INC-2"), "{replay}");
    let child = house.start(&["run", "--tell", "told"]);
    house.until("the first is breached", || stands_as(&house, "acknowledge", "INC-1", "breached"));
    send(1, &[row(1, 2, "2").replace("09:02:00", "11:00:00")]);
    house.until("it goes on where the new reading ends", || stands_as(&house, "acknowledge", "INC-1", "met-late"));
    assert!(end(child), "{}", house.talk());
    assert!(stands_as(&house, "acknowledge", "INC-2", "met"));
    let replay = house.onus(&["replay"]);
    assert!(replay.status.success(), "{}", said(&replay));
}

/// Records that are behind all positions.
fn written(house: &House) -> u64 {
    let list = house.onus(&["sources", "list", "--format", "jsonl"]);
    let text = String::from_utf8_lossy(&list.stdout).into_owned();
    let positions = |line: &str| serde_json::from_str::<Value>(line).ok()?["positions"].as_array().cloned();
    let next = text.lines().filter_map(positions).flatten().filter_map(|one| one["next"].as_u64());
    next.sum()
}

/// The story of one ticket, from what was taken in.
fn told_by_explain(house: &House) {
    let events = house.onus(&["store", "events", "--store", "sqlite:onus.db"]);
    assert!(events.status.success(), "{}", String::from_utf8_lossy(&events.stderr));
    let mut explain = house
        .command(&["explain", "INC0010482", "--contracts", "contract.yaml", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    std::io::Write::write_all(&mut explain.stdin.take().expect("its input"), &events.stdout).expect("it reads");
    let said = explain.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    for words in ["3.2", "paused", "awaiting", "reopened", "met"] {
        assert!(said.contains(words), "{words}: {said}");
    }
}
