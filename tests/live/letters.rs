use crate::house::{DESK, House, end, file};
use serde_json::Value;

fn opened(id: &str, time: &str) -> String {
    format!(
        "{{\"specversion\":\"1.0\",\"id\":\"{id}\",\"source\":\"desk\",\"type\":\"ticket.opened\",\"subject\":\"{id}\",\
         \"partner\":\"p1\",\"time\":\"{time}\",\"data\":{{\"priority\":\"P1\"}}}}\n"
    )
}

fn letters(house: &House) -> Vec<(String, String)> {
    let out = house.onus(&["dead-letters", "list", "--state", "all", "--format", "jsonl"]);
    let lines = String::from_utf8(out.stdout).expect("text");
    let text = |line: &Value, key: &str| line[key].as_str().unwrap_or_default().to_owned();
    lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .filter(|line| line.get("reason").is_some())
        .map(|line| (text(&line, "reason"), text(&line, "state")))
        .collect()
}

#[test]
fn what_cannot_be_used_is_kept_with_its_reason_and_read_again_when_asked_for() {
    let settings = file("desk").replace("partners = [\"*\"]", "partners = [\"p1\"]");
    let house = House::new(&DESK.replace("partner: p1", "partner: \"p*\""), &settings);
    let mut events = opened("INC-1", "2026-01-05T09:00:00Z");
    events.push_str("no JSON\n");
    events.push_str(&opened("INC-2", "2126-01-05T09:00:00Z"));
    events.push_str(&opened("INC-3", "2026-01-05T09:00:00Z").replace("\"p1\"", "\"p2\""));
    // An event, but for a megabyte of blanks behind it: what is left of it when it was cut is not to be judged.
    events.push_str(opened("INC-4", "2026-01-05T09:00:00Z").trim_end());
    events.push_str(&" ".repeat(1_200_000));
    events.push('\n');
    house.write("desk.jsonl", &events);
    let child = house.start(&["run", "--tell", "told"]);
    house.until("four dead letters", || letters(&house).len() == 4);
    let reasons: Vec<String> = letters(&house).into_iter().map(|(reason, _)| reason).collect();
    assert_eq!(reasons, ["Json", "Future", "Unauthorised", "TooLong"]);
    assert!(end(child), "it ends in order: {}", house.talk());
    // The source may speak of p2 now, and the letter is asked for.
    house.write(
        "onus.toml",
        &std::fs::read_to_string(house.path("onus.toml")).expect("settings").replace("\"p1\"", "\"p*\""),
    );
    assert!(house.onus(&["dead-letters", "replay", "3"]).status.success());
    assert!(house.onus(&["dead-letters", "drop", "1", "--reason", "a test"]).status.success());
    let child = house.start(&["run", "--tell", "told"]);
    house.until("the letter is read again", || letters(&house).get(2).is_some_and(|(_, state)| state == "replayed"));
    assert_eq!(letters(&house)[0].1, "dropped");
    house.until("its breach is told", || house.told().iter().any(|line| line["partner"] == "p2"));
    assert!(end(child));
    assert!(house.told().iter().all(|line| line["subject"] != "INC-4"), "what was cut is no event");
    assert!(house.onus(&["replay"]).status.success(), "and the journal says the same");
}
