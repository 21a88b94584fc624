//! An adapter's table is corrected where there is an exchange: the intake reads anew, and judges that run judge by it.

use crate::adapters::source;
use crate::exchange::{Kept, Net, all, desk, intake, judge, letters, net};
use crate::house::{House, end};
use crate::kafka::{Broker, broker};
use crate::postgres;
use onus::exchange::carried::{self, Carried};
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::process::{Command, Output};

const FILE: &str = "[[source]]\nname = \"snow\"\nkind = \"file\"\npath = \"snow.jsonl\"\nfollow = true\nadapter = \"servicenow\"\n\
    adapter-settings = \"sources.json\"\ntrust = \"system\"\npartners = [\"*\"]\ntypes = [\"*\"]\n";

/// More than are written at once, so that a reading that ends too early has written some.
const TICKETS: usize = 4_100;

fn row(number: usize, count: usize, state: &str, time: &str) -> String {
    json!({"sys_id": number.to_string(), "number": format!("INC-{number}"), "sys_class_name": "incident", "state": state,
           "assignment_group": format!("d{}", number % 4 + 1), "opened_at": "2026-03-02 09:00:00",
           "sys_updated_on": format!("2026-03-02 {time}:00"), "sys_mod_count": count.to_string()})
    .to_string()
}

/// State 18 is the instance's own: somebody took it for work that has begun.
fn tables(meaning: &str) -> String {
    let group = |n: usize| (format!("p{n}"), json!({"servicenow": {"assignment_group": [format!("d{n}")]}}));
    let partners: serde_json::Map<_, _> = (1..5).map(group).collect();
    json!({"partners": partners, "servicenow": {"incident": {"state": {"1": "new", "2": "in-progress", "18": meaning}}}})
        .to_string()
}

fn append(house: &House, rows: &[String]) {
    let mut file = fs::OpenOptions::new().create(true).append(true).open(house.path("snow.jsonl")).expect("a file");
    rows.iter().for_each(|row| writeln!(file, "{row}").expect("it is written"));
}

fn both(house: &House) -> Net {
    net(house, "told-0").into_iter().chain(net(house, "told-1")).collect()
}

fn said(out: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
}

fn as_intake(mut command: Command) -> Command {
    command.env("ONUS__RUN__ROLE", "intake");
    command
}

/// How often each partition has the word that records were read anew.
fn words(broker: &Broker, topic: &str) -> BTreeMap<i32, usize> {
    let is_word = |one: &Kept| {
        let mut record = Vec::new();
        carried::lay(one.header.as_deref(), &one.value, &mut record);
        matches!(carried::read(&record), Some(Carried::Regenerated(_)))
    };
    let mut words = BTreeMap::new();
    for one in all(broker, topic, 2).iter().filter(|one| is_word(one)) {
        *words.entry(one.partition).or_default() += 1;
    }
    words
}

#[test]
fn records_are_read_anew_through_the_exchange_and_judges_that_run_come_to_what_one_process_has() {
    let broker = broker();
    let (exchange, tools) = (broker.topic(2, &[]), format!("{}.incident", broker.topic(1, &[])));
    broker.topic_named(&tools, 1, &[]);
    let server = postgres::shared();
    let url = server.url(&server.database());
    let here = broker.address();
    let clusters = format!("[kafka.main]\nbrokers = [\"{here}\"]\n[kafka.tools]\nbrokers = [\"{here}\"]\n");
    let shared = source("more", "servicenow", &tools).replace("\"main\"", "\"tools\"");
    let between =
        format!("[exchange]\ncluster = \"main\"\ntopic = \"{exchange}\"\npartitions = 2\n[store]\nurl = \"{url}\"\n");
    let divided = House::new(&desk(), &format!("{clusters}{between}{FILE}{shared}"));
    let alone = House::new(&desk(), &format!("{clusters}{FILE}{shared}"));
    divided.write("sources.json", &tables("in-progress"));
    alone.write("sources.json", &tables("new"));

    let mut rows: Vec<String> = (0..TICKETS).map(|n| row(n, 0, "1", "09:00")).collect();
    // Of the first eight the even ones are answered, and one of them has a state that nobody knows then.
    rows.extend((0..8).map(|n| row(n, 1, if n % 2 == 0 { "2" } else { "18" }, "09:10")));
    rows.push(row(2, 2, "99", "09:20"));
    let more = [row(TICKETS, 0, "1", "09:00"), row(TICKETS, 1, "18", "09:10")];
    [&divided, &alone].iter().for_each(|house| append(house, &rows));
    broker.produce(&tools, 0, more.iter().map(String::as_bytes));
    let mut judges = [judge(&divided, 0), judge(&divided, 1)];
    let child = intake(&divided);
    let of = |net: &Net, to: &str| net.values().filter(|(standing, _)| standing == to).count();
    divided.until("all stands as the wrong table has it", || {
        let net = both(&divided);
        of(&net, "met") == 9 && of(&net, "breached") == TICKETS - 8
    });
    assert!(end(child), "{}", divided.talk());
    divided.write("sources.json", &tables("new"));

    // The second source does not answer: what was written by then counts nowhere.
    let (all_here, broken) = (clusters.clone(), format!("[kafka.tools]\nbrokers = [\"{here}\"]"));
    let settings = fs::read_to_string(divided.path("onus.toml")).expect("settings");
    assert!(settings.contains(&all_here));
    divided.write("away.toml", &settings.replace(&broken, "[kafka.tools]\nbrokers = [\"127.0.0.1:1\"]"));
    let args = ["sources", "regenerate", "snow", "--reason", "18 is not begun", "--config", "away.toml"];
    let mut begun = as_intake(divided.command(&args)).spawn().expect("the program runs");
    divided.until("some is written", || {
        all(&broker, &exchange, 2).iter().flat_map(Kept::events).any(|(reading, ..)| reading.generation > 0)
    });
    begun.kill().expect("it runs");
    begun.wait().expect("it ended");
    let child = intake(&divided);
    append(&divided, &[row(TICKETS + 1, 0, "1", "09:00"), row(TICKETS + 1, 1, "2", "09:10")]);
    append(&alone, &[row(TICKETS + 1, 0, "1", "09:00"), row(TICKETS + 1, 1, "2", "09:10")]);
    divided.until("what is behind it counts", || of(&both(&divided), "met") == 10);
    assert_eq!(of(&both(&divided), "breached"), TICKETS - 8);
    assert!(end(child), "{}", divided.talk());

    let judged =
        divided.command(&["sources", "regenerate", "snow", "--reason", "x"]).output().expect("the program runs");
    assert!(!judged.status.success() && said(&judged).contains("ONUS__RUN__ROLE=intake"), "{}", said(&judged));
    let args = ["sources", "regenerate", "snow", "--reason", "18 is not begun"];
    let out = as_intake(divided.command(&args)).output().expect("the program runs");
    let counts = format!("{} records were read anew", rows.len() + 4);
    assert!(out.status.success() && said(&out).contains(&counts), "{}", said(&out));
    assert!(said(&out).contains("1 dead letters; 1 dead letters of before"), "{}", said(&out));
    let child = alone.start(&["run", "--tell", "told"]);
    let same = || !net(&alone, "told").is_empty() && both(&divided) == net(&alone, "told");
    divided.until("both stand the same", || same() && of(&both(&divided), "breached") == TICKETS - 3);
    assert_eq!(words(&broker, &exchange), BTreeMap::from([(0, 1), (1, 1)]));

    // Whoever goes on cannot know that the brokers have the word; and reads on behind what was read anew.
    let others = intake(&divided);
    let late = row(1, 2, "2", "14:00");
    [&divided, &alone].iter().for_each(|house| append(house, std::slice::from_ref(&late)));
    divided.until("the word is written again", || words(&broker, &exchange) == BTreeMap::from([(0, 2), (1, 2)]));
    divided.until("the new reading is gone on with", || same() && of(&both(&divided), "met-late") == 1);
    for (shard, one) in judges.iter_mut().enumerate() {
        one.kill().expect("it runs");
        one.wait().expect("it ended");
        *one = judge(&divided, shard);
    }
    let late = row(3, 2, "2", "15:00");
    [&divided, &alone].iter().for_each(|house| append(house, std::slice::from_ref(&late)));
    divided.until("judges that were killed go on", || same() && of(&both(&divided), "met-late") == 2);
    assert!(end(others) && end(child), "{}\n{}", divided.talk(), alone.talk());
    judges.into_iter().for_each(|child| assert!(end(child), "{}", divided.talk()));
    assert!([0, 1].iter().all(|of| letters(&url, *of).is_empty()), "nothing is held against anybody");
    for shard in 0..2 {
        crate::exchange::events(&divided, shard);
    }
}
