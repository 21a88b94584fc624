//! Several intakes, each a lane: with a real Kafka, and one PostgreSQL for all.

use crate::client::Client;
use crate::exchange::{Net, answered, desk, events, judge, ledgers, letters, net, shard, ticket};
use crate::house::{House, W1, end};
use crate::kafka::{Broker, broker};
use crate::pushed::address;
use crate::w1::Expected;
use crate::{ledger, postgres, w1};
use onus::exchange::partition::partition;
use onus_engine::time::{HOUR, Moment};
use std::collections::BTreeMap;
use std::process::Child;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A source that is a topic.
fn topic(name: &str, topic: &str) -> String {
    format!(
        "[[source]]\nname = \"{name}\"\nkind = \"kafka\"\ncluster = \"main\"\ntopic = \"{topic}\"\ntrust = \"system\"\n\
         partners = [\"*\"]\ntypes = [\"*\"]\ntransit = \"0 s\"\n"
    )
}

fn divided(broker: &Broker, exchange: &str, lanes: usize, store: &str) -> String {
    format!(
        "[kafka.main]\nbrokers = [\"{}\"]\n[exchange]\ncluster = \"main\"\ntopic = \"{exchange}\"\npartitions = 2\n\
         lanes = {lanes}\n[store]\nurl = \"{store}\"\n",
        broker.address()
    )
}

fn lane(house: &House, own: usize) -> Child {
    house.start(&["run", "--role", "intake", "--lane", &own.to_string()])
}

fn kill(mut child: Child) {
    child.kill().expect("it runs");
    child.wait().expect("it ended");
}

/// W1's events, by the partition of a topic: those of a subject are in one. And what they must come to.
fn drawn(count: usize, partitions: usize) -> (Vec<Vec<String>>, Expected) {
    let (drawn, expected) = w1::draw(w1::Order { events: count, partners: 20, seed: 7 });
    let mut lines = Vec::new();
    w1::write(&drawn, &mut lines).expect("into memory");
    let mut all = vec![Vec::new(); partitions];
    for line in String::from_utf8(lines).expect("text").lines() {
        let event: serde_json::Value = serde_json::from_str(line).expect("an event");
        let subject = event["subject"].as_str().unwrap_or_default();
        let at = subject.bytes().fold(0, |sum, byte| sum * 31 + usize::from(byte)) % partitions;
        all[at].push(line.to_owned());
    }
    (all, expected)
}

fn produce(broker: &Broker, topic: &str, by_partition: &[Vec<String>], from: f64, to: f64) {
    for (partition, lines) in by_partition.iter().enumerate() {
        let place = |share: f64| (lines.len() as f64 * share) as usize;
        let lines = &lines[place(from)..place(to)];
        broker.produce(topic, partition as i32, lines.iter().map(String::as_bytes));
    }
}

#[test]
fn two_lanes_decide_what_one_process_does_through_kills_and_a_topic_that_grows() {
    let broker = broker();
    let server = postgres::shared();
    let (feed, exchange) = (broker.topic(3, &[]), broker.topic(2, &[]));
    let url = server.url(&server.database());
    let cluster = format!("[kafka.main]\nbrokers = [\"{}\"]\n", broker.address());
    let alone = House::new(W1, &(cluster + &topic("desk", &feed)));
    let house = House::new(W1, &(divided(&broker, &exchange, 2, &url) + &topic("desk", &feed)));
    let judges = [judge(&house, 0), judge(&house, 1)];
    let (all, expected) = drawn(4_000, 5);
    let lanes = [lane(&house, 0), lane(&house, 1)];
    let read = |own: u16| {
        let positions = shard(&url, u16::MAX - own).positions().expect("positions");
        positions.iter().filter(|one| one.source == "desk").map(|one| one.next).sum::<u64>()
    };
    produce(&broker, &feed, &all[..3], 0.0, 0.4);
    house.until("both lanes read", || read(0) > 0 && read(1) > 0);
    let [first, second] = lanes;
    kill(second);
    produce(&broker, &feed, &all[..3], 0.4, 1.0);
    // The topic grows while one lane is away.
    broker.grow_topic(&feed, 5);
    produce(&broker, &feed, &[&[Vec::new(), Vec::new(), Vec::new()], &all[3..]].concat(), 0.0, 0.5);
    let before = read(0);
    house.until("the other one goes on", || read(0) > before);
    kill(first);
    let lanes = [lane(&house, 0), lane(&house, 1)];
    produce(&broker, &feed, &[&[Vec::new(), Vec::new(), Vec::new()], &all[3..]].concat(), 0.5, 1.0);
    // A tick is among them: it is no event.
    let whole: usize = all.iter().map(Vec::len).sum();
    house.until("all is read", || read(0) + read(1) == whole as u64);
    // One process reads the same at once; all deadlines lie in the past, so it comes to rest.
    let child = alone.start(&["run", "--tell", "told"]);
    // What is open or paused is told only where something else was told before.
    let ends = |net: Net| -> Net { net.into_iter().filter(|(_, (to, _))| to != "open" && to != "paused").collect() };
    let both = || ends(net(&house, "told-0").into_iter().chain(net(&house, "told-1")).collect());
    let (mut last, began) = ((Net::new(), Instant::now()), Instant::now());
    let rest = Duration::from_secs(2);
    while last.0.is_empty() || last.1.elapsed() < rest || both() != last.0 {
        let one = ends(net(&alone, "told"));
        if one != last.0 {
            last = (one, Instant::now());
        }
        let talk = || format!("{} and {}:\n{}", last.0.len(), both().len(), house.talk());
        assert!(began.elapsed() < Duration::from_secs(90), "{}", talk());
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(last.0.values().any(|(_, broke)| broke.is_some()), "some are broken");
    assert!(end(child), "{}", alone.talk());
    lanes.into_iter().chain(judges).for_each(|child| assert!(end(child), "{}", house.talk()));
    let [ours, one] = ledgers(&url, 2, &alone);
    ledger::same(&ours, &one, &expected);
    assert_eq!(events(&house, 0) + events(&house, 1), whole as u64 - 1, "each event once");
    assert!([0, 1, u16::MAX, u16::MAX - 1].iter().all(|of| letters(&url, *of).is_empty()), "nothing was refused");
    // Each has read its own partitions, and no other.
    for own in 0..2_u16 {
        let positions = shard(&url, u16::MAX - own).positions().expect("positions");
        let mine = positions.iter().filter(|one| one.source == "desk");
        let mine: Vec<i32> = mine.map(|one| one.partition).collect();
        assert_eq!(mine, if own == 0 { vec![0, 2, 4] } else { vec![1, 3] });
    }
    let listed = house.command(&["sources", "list", "--format", "json"]).env("ONUS__RUN__ROLE", "intake").output();
    let listed: serde_json::Value = serde_json::from_slice(&listed.expect("the program runs").stdout).expect("JSON");
    assert_eq!(listed["sources"][0]["positions"].as_array().map(Vec::len), Some(5), "people see all lanes: {listed}");
}

#[test]
fn a_lane_that_is_gone_leaves_duties_unknown_and_breaches_nobody() {
    let broker = broker();
    let server = postgres::shared();
    let (feed, exchange) = (broker.topic(2, &[]), broker.topic(2, &[]));
    let url = server.url(&server.database());
    let house = House::new(&desk(), &(divided(&broker, &exchange, 2, &url) + &topic("desk", &feed)));
    let judges = judge(&house, partition("p1", 2) as usize);
    house.until("it listens", || address(&house).is_some());
    let port = address(&house).expect("it listens");
    let unknown = || {
        let page = Client::to(port).get("/metrics").body;
        let lines = page.lines().filter(|line| line.starts_with("onus_duties{") && line.contains("\"unknown\""));
        lines.filter_map(|line| line.rsplit(' ').next()).any(|count| count == "1")
    };
    let told =
        || net(&house, &format!("told-{}", partition("p1", 2))).into_values().map(|(to, _)| to).collect::<Vec<_>>();
    let first = lane(&house, 0);
    // It was to be answered long ago, and perhaps it was: in the partition that nobody reads.
    broker.produce(&feed, 0, [ticket(1, "p1", "opened", "09:00").trim().as_bytes()]);
    house.until("nobody knows", || unknown() && told().is_empty());
    let second = lane(&house, 1);
    house.until("then it is known", || told() == ["breached"] && !unknown());
    // One that is due soon, while the lane is away that could tell of its answer.
    kill(second);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as i64;
    let say =
        |kind: &str, ms: i64| ticket(2, "p1", kind, "09:00").replace("2026-03-02T09:00:00Z", &Moment(ms).to_string());
    let opened = now - 4 * HOUR + 4_000;
    broker.produce(&feed, 0, [say("opened", opened).trim().as_bytes()]);
    house.until("again nobody knows", unknown);
    assert_eq!(told(), ["breached"], "and nobody else is breached");
    broker.produce(&feed, 1, [say("acknowledged", opened + HOUR).trim().as_bytes()]);
    let second = lane(&house, 1);
    house.until("it was answered in time", || told().iter().any(|to| to == "met"));
    [first, second, judges].into_iter().for_each(|child| assert!(end(child), "{}", house.talk()));
    let all = std::fs::read_to_string(house.path(&format!("told-{}", partition("p1", 2)))).expect("a file");
    assert!(!all.lines().any(|line| line.contains("INC-2") && line.contains("\"breached\"")), "{all}");
}

#[test]
fn a_lane_whose_store_is_lost_or_put_back_takes_nothing_twice() {
    let broker = broker();
    let server = postgres::shared();
    let (feed, exchange) = (broker.topic(2, &[]), broker.topic(2, &[]));
    let database = server.database();
    let url = server.url(&database);
    let house = House::new(&desk(), &(divided(&broker, &exchange, 2, &url) + &topic("desk", &feed)));
    let judges = [judge(&house, 0), judge(&house, 1)];
    let lanes = [lane(&house, 0), lane(&house, 1)];
    let some = |from: usize| {
        for partition in 0..2 {
            let own = (from..from + 20).filter(|n| n % 2 == partition);
            let lines: String = own.map(|n| answered(n, &format!("p{}", n % 5))).collect();
            broker.produce(&feed, partition as i32, lines.lines().map(str::as_bytes));
        }
    };
    let decided = || net(&house, "told-0").len() + net(&house, "told-1").len();
    some(0);
    house.until("the first are decided", || decided() == 20);
    lanes.into_iter().for_each(|child| assert!(end(child), "{}", house.talk()));
    let tables = ["shard", "journal", "letter", "source_position", "terms", "remembered", "stamp", "regenerated"];
    let own = |own: u16| format!("shard = {}", u16::MAX - own);
    // A backup of lane 0.
    for table in tables {
        server.sql(&database, &format!("CREATE TABLE kept_{table} AS SELECT * FROM onus.{table} WHERE {}", own(0)));
    }
    let lanes = [lane(&house, 0), lane(&house, 1)];
    some(20);
    house.until("more are decided", || decided() == 40);
    lanes.into_iter().for_each(|child| assert!(end(child), "{}", house.talk()));
    for table in tables {
        for lane in 0..2 {
            server.sql(&database, &format!("DELETE FROM onus.{table} WHERE {}", own(lane)));
        }
        // Lane 0 is put back to it, and lane 1 has lost all.
        server.sql(&database, &format!("INSERT INTO onus.{table} SELECT * FROM kept_{table}"));
    }
    let lanes = [lane(&house, 0), lane(&house, 1)];
    some(40);
    house.until("the rest is decided", || decided() == 60);
    lanes.into_iter().chain(judges).for_each(|child| assert!(end(child), "{}", house.talk()));
    assert_eq!(events(&house, 0) + events(&house, 1), 120, "each event once");
    assert!([0, 1].iter().all(|of| letters(&url, *of).is_empty()), "and nothing was held against anybody");
    let nets: Net = net(&house, "told-0").into_iter().chain(net(&house, "told-1")).collect();
    assert!(nets.values().all(|(to, _)| to == "met"), "{nets:?}");
}

#[test]
fn a_lane_must_be_named_where_there_are_several_and_their_number_is_for_good() {
    let broker = broker();
    let server = postgres::shared();
    let (feed, exchange) = (broker.topic(2, &[]), broker.topic(2, &[]));
    let url = server.url(&server.database());
    let said = divided(&broker, &exchange, 2, &url) + &topic("desk", &feed);
    let house = House::new(&desk(), &said);
    let refused = |house: &House, args: &[&str]| {
        let out = house.onus(args);
        assert_eq!(out.status.code(), Some(2));
        String::from_utf8_lossy(&out.stderr).into_owned()
    };
    let run = ["run", "--role", "intake"];
    let why = refused(&house, &run);
    assert!(why.contains("--lane, 0 to 1"), "{why}");
    let why = refused(&house, &[&run[..], &["--lane", "2"]].concat());
    assert!(why.contains("no lane 2") && why.contains("0 to 1"), "{why}");
    let child = lane(&house, 1);
    house.until("it remembers", || !shard(&url, u16::MAX - 1).positions().expect("positions").is_empty());
    assert!(end(child), "{}", house.talk());
    let other = House::new(&desk(), &said.replace("lanes = 2", "lanes = 3"));
    let why = refused(&other, &[&run[..], &["--lane", "1"]].concat());
    assert!(why.contains("2 lanes") && why.contains("lanes says 3"), "{why}");
    // One that has never run is told by what the others remember.
    let why = refused(&other, &[&run[..], &["--lane", "2"]].concat());
    assert!(why.contains("lane 1") && why.contains("2 lanes") && why.contains("lanes says 3"), "{why}");
    let letters: BTreeMap<&str, i32> = BTreeMap::from([("list", 2)]);
    for (what, code) in letters {
        let out = house.command(&["dead-letters", what]).env("ONUS__RUN__ROLE", "intake").output().expect("it runs");
        assert_eq!(out.status.code(), Some(code), "whose? {}", String::from_utf8_lossy(&out.stderr));
        assert!(house.onus(&["dead-letters", what, "--lane", "1"]).status.success());
    }
}
