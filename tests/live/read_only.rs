//! An intake as people and machines meet it: its port, what is pushed to it, and what people decide about what it could not
//! read.

use crate::client::Client;
use crate::exchange::{answered, append, desk, events, intake, judge, letters, net, settings, shard, ticket};
use crate::house::{House, end};
use crate::kafka::broker;
use crate::postgres;
use crate::pushed::address;
use onus::store::LetterState;
use serde_json::json;
use std::process::{Child, Output};

fn kill(mut child: Child) {
    child.kill().expect("it runs");
    child.wait().expect("it ended");
}

fn said(out: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
}

/// An intake that listens, and where.
fn listening(house: &House) -> (Child, impl Fn() -> Client) {
    let before = house.talk().matches("listening on").count();
    let child = intake(house);
    house.until("it listens", || house.talk().matches("reading sources into").count() > 0);
    house.until("it listens", || house.talk().matches("listening on").count() > before);
    let address = address(house).expect("it listens");
    (child, move || Client::to(address))
}

#[test]
fn what_is_pushed_to_an_intake_is_answered_when_the_brokers_have_it_and_its_places_never_come_again() {
    let broker = broker();
    let topic = broker.topic(2, &[]);
    let server = postgres::shared();
    let url = server.url(&server.database());
    let pushed = "[[source]]\nname = \"push\"\nkind = \"http\"\ntoken-file = \"token\"\ntrust = \"system\"\n\
                  partners = [\"*\"]\ntypes = [\"*\"]\n";
    let house = House::new(&desk(), &(settings(&broker, &topic, 2, &url) + pushed));
    house.write("token", "s3cret");
    append(&house, "");
    let some = |from: usize| (from..from + 6).map(|n| answered(n, &format!("p{n}"))).collect::<String>();
    let ndjson = "application/x-ndjson";
    let mut all = 0;
    for life in 0..3 {
        let (child, client) = listening(&house);
        let reply = client().post("s3cret", ndjson, &some(6 * life));
        assert_eq!((reply.status, reply.json()), (202, json!({"events": 12, "dead_letters": []})), "{}", house.talk());
        all += 12;
        // It has been answered: the brokers have it, whatever becomes of the process.
        kill(child);
    }
    let (child, client) = listening(&house);
    // Who is not sure sends again; and what cannot be used is said.
    assert_eq!(client().post("s3cret", ndjson, &some(0)).status, 202);
    let reply = client().post("s3cret", "application/cloudevents+json", ticket(99, "", "opened", "09:00").trim());
    assert_eq!(reply.status, 202);
    let why = reply.json()["dead_letters"][0]["reason"].to_string();
    assert!(why.contains("NoPartner"), "{why}");
    let judges = [judge(&house, 0), judge(&house, 1)];
    let decided = || net(&house, "told-0").len() + net(&house, "told-1").len();
    house.until("all are decided", || decided() == 18);
    assert!(end(child), "{}", house.talk());
    judges.into_iter().for_each(|child| assert!(end(child), "{}", house.talk()));
    // A repeat that came another way is in the journal, and is no fact.
    assert_eq!(events(&house, 0) + events(&house, 1), all + 12);
    assert!([0, 1].iter().all(|of| letters(&url, *of).is_empty()), "nothing is divergence");
    assert_eq!(letters(&url, u16::MAX).len(), 1);
}

#[test]
fn an_intakes_port_tells_how_it_is_and_people_have_its_halted_partition_go_on() {
    let broker = broker();
    let (feed, topic) = (broker.topic(1, &[]), broker.topic(1, &[]));
    let server = postgres::shared();
    let url = server.url(&server.database());
    let source = format!(
        "[[source]]\nname = \"tickets\"\nkind = \"kafka\"\ncluster = \"main\"\ntopic = \"{feed}\"\ntrust = \"system\"\n\
         partners = [\"*\"]\ntypes = [\"*\"]\n"
    );
    let house = House::new(&desk(), &(settings(&broker, &topic, 1, &url) + &source));
    append(&house, &answered(1, "p1"));
    let produce = |n: usize| broker.produce(&feed, 0, answered(n, "p1").lines().map(str::as_bytes));
    produce(2);
    let (child, client) = listening(&house);
    let judges = judge(&house, 0);
    house.until("both are decided", || net(&house, "told-0").len() == 2);
    let page = || client().get("/metrics").body;
    for line in [
        "onus_source_events_total{source=\"desk\",result=\"taken\"} 2",
        "onus_source_events_total{source=\"tickets\",result=\"taken\"} 2",
        "onus_source_up{source=\"tickets\"} 1",
        "onus_exchange_written_events_total 4",
        "onus_exchange_waiting_events 0",
    ] {
        house.until(line, || page().lines().any(|one| one == line));
    }
    for family in ["onus_source_frontier", "onus_source_last_record", "onus_exchange_last_write"] {
        house.until(family, || page().lines().any(|line| line.starts_with(family)));
    }
    assert_eq!(client().get("/healthz").status, 200);
    assert_eq!(client().get("/readyz").status, 200);
    assert!(end(child), "{}", house.talk());
    broker.delete_topic(&feed);
    broker.topic_named(&feed, 1, &[]);
    let (child, client) = listening(&house);
    house.until("it halts", || letters(&url, u16::MAX).iter().any(|letter| letter.reason == "Halted"));
    house.until("that is told", || {
        let reply = client().get("/readyz");
        reply.status == 503 && reply.body.contains("source tickets is halted")
    });
    let halted = "onus_source_halted{source=\"tickets\"} 1";
    assert!(client().get("/metrics").body.lines().any(|line| line == halted));
    produce(3);
    let out = house.onus(&[
        "sources",
        "resume",
        "tickets",
        "--lane",
        "0",
        "--from",
        "earliest",
        "--reason",
        "made anew: CHG-7",
    ]);
    assert!(out.status.success(), "{}", said(&out));
    house.until("it goes on", || net(&house, "told-0").len() == 3);
    house.until("and is ready", || client().get("/readyz").status == 200);
    let (child, judges) = (end(child), end(judges));
    assert!(child && judges, "{}", house.talk());
    let kept = letters(&url, u16::MAX);
    let kept: Vec<(&str, LetterState)> = kept.iter().map(|one| (one.reason.as_str(), one.state)).collect();
    assert_eq!(kept, [("Halted", LetterState::Dropped), ("Skipped", LetterState::Dropped)]);
    let out = said(&house.onus(&["sources", "list", "--lane", "0"]));
    assert!(out.contains("CHG-7"), "{out}");
    assert_eq!(events(&house, 0), 6);
    // What the new topic has at places that were read in the old one is new, or a repeat by its id; nothing is lost.
    assert!(letters(&url, 0).iter().all(|letter| letter.reason != "Divergence"), "{:?}", letters(&url, 0));
}

#[test]
fn what_an_intake_could_not_read_is_read_again_when_somebody_asks_and_goes_to_its_judge_once() {
    let broker = broker();
    let topic = broker.topic(2, &[]);
    let server = postgres::shared();
    let url = server.url(&server.database());
    let adapter = "adapter = \"servicenow\"\nadapter-settings = \"sources.json\"\n";
    let house = House::new(&desk(), &(settings(&broker, &topic, 2, &url) + adapter));
    let tables = |states: serde_json::Value| {
        json!({"partners": {"p1": {"servicenow": {"assignment_group": ["desk"]}}},
               "servicenow": {"incident": {"state": states}, "priority": {"1": "P1"}}})
        .to_string()
    };
    let row = |number: &str, count: u32, state: &str| {
        json!({"table_name": "incident", "operation": "update", "record": {
            "sys_id": number, "number": number, "state": state, "priority": "1", "assignment_group": "desk",
            "opened_at": "2026-03-02 09:00:00", "sys_updated_on": format!("2026-03-02 {:02}:00:00", 9 + count),
            "sys_mod_count": count.to_string(),
        }})
        .to_string()
            + "\n"
    };
    house.write("sources.json", &tables(json!({"1": "new", "2": "in-progress"})));
    append(&house, &(row("INC-1", 0, "1") + &row("INC-1", 1, "18") + &row("INC-2", 0, "1") + &row("INC-2", 1, "99")));
    let judges = [judge(&house, 0), judge(&house, 1)];
    let child = intake(&house);
    let own = |state: LetterState| letters(&url, u16::MAX).iter().filter(|letter| letter.state == state).count();
    house.until("both are dead letters", || own(LetterState::Waiting) == 2);
    assert!(end(child), "{}", house.talk());
    // Somebody mends the tables, for one of them.
    house.write("sources.json", &tables(json!({"1": "new", "2": "in-progress", "18": "in-progress"})));
    let child = intake(&house);
    let ask = || assert!(house.onus(&["dead-letters", "replay", "--all", "--lane", "0"]).status.success());
    ask();
    house.until("one was read", || own(LetterState::Replayed) == 1 && own(LetterState::Waiting) == 1);
    let told = |subject: &str| {
        let text = |of: &str| std::fs::read_to_string(house.path(of)).unwrap_or_default();
        let told = text("told-0") + &text("told-1");
        told.lines().any(|line| line.contains(subject) && line.contains("\"to\":\"met\""))
    };
    house.until("it is a fact", || told("INC-1"));
    // Another time, and what could not be read still cannot.
    ask();
    house.until("it was tried", || house.talk().matches("it is a dead letter still").count() >= 2);
    house.until("and waits", || own(LetterState::Waiting) == 1);
    let number =
        letters(&url, u16::MAX).iter().find(|one| one.state == LetterState::Waiting).expect("one").number.to_string();
    let out = house.onus(&["dead-letters", "drop", &number, "--lane", "0", "--reason", "a test"]);
    assert!(out.status.success(), "{}", said(&out));
    kill(child);
    // What was written last is written again, and counts once.
    let before = events(&house, 0) + events(&house, 1);
    let child = intake(&house);
    append(&house, &row("INC-3", 0, "1"));
    house.until("it goes on", || {
        shard(&url, u16::MAX).positions().is_ok_and(|all| all.iter().any(|one| one.next > 1_000))
    });
    house.until("the next one comes", || events(&house, 0) + events(&house, 1) > before);
    assert!(end(child), "{}", house.talk());
    judges.into_iter().for_each(|child| assert!(end(child), "{}", house.talk()));
    assert_eq!(events(&house, 0) + events(&house, 1), before + 1);
    assert!([0, 1].iter().all(|of| letters(&url, *of).is_empty()), "judges hold nothing against it");
}
