use crate::house::{House, W1, file};
use crate::w1;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// Breaches as `onus check` has them, by duty.
fn checked(house: &House) -> BTreeMap<String, String> {
    let out = house.onus(&["check", "--quiet", "--contracts", "contract.yaml", "w1.jsonl", "--format", "json"]);
    let report: Value = serde_json::from_slice(&out.stdout).expect("a report");
    let breaches = report["breaches"].as_array().expect("a list").iter();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    breaches.map(|breach| (text(&breach["duty"]), text(&breach["breached_at"]))).collect()
}

#[test]
fn killed_again_and_again_it_says_what_it_would_have_said() {
    let settings =
        format!("[judge]\nclock = \"events\"\nbatch = 500\n{}", file("w1").replace("true\ntrust", "false\ntrust"));
    let house = House::new(W1, &settings);
    let (events, expected) = w1::draw(w1::Order { events: 40_000, partners: 20, seed: 7 });
    let mut lines = Vec::new();
    w1::write(&events, &mut lines).expect("into memory");
    house.write("w1.jsonl", &String::from_utf8(lines).expect("text"));
    let run = ["run", "--until-end", "--tell", "told"];
    for pause in [400, 700, 300, 900, 500] {
        let mut child = house.start(&run);
        std::thread::sleep(Duration::from_millis(pause));
        // SIGKILL: no word of farewell.
        child.kill().expect("it runs, or has ended");
        child.wait().expect("it ended");
    }
    let out = house.onus(&run);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let broke: BTreeMap<String, String> =
        house.net().into_iter().filter_map(|(duty, (_, broke))| Some((duty, broke?))).collect();
    assert_eq!(broke, checked(&house));
    let breached: u64 = expected.totals.values().map(|[_, breached, _]| breached).sum();
    assert_eq!(broke.len() as u64, breached, "as it was drawn");
    assert!(house.onus(&["store", "verify", "--store", "sqlite:onus.db"]).status.success(), "the store is whole");
    let again = house.onus(&["replay"]);
    let said = String::from_utf8_lossy(&again.stdout);
    assert!(again.status.success() && said.contains("every duty stands as the ledger says"), "{said}");
}
