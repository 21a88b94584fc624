//! A catalogue that changes under the program, with what AWS and CyberArk really send: who answers for a rotation.

use crate::house::{House, end, hangup};
use serde_json::Value;
use std::collections::BTreeMap;

const CONTRACT: &str = "\
contract: northwind
partner: northwind-msp
customer: globex
effective: 2026-01-01T00:00:00Z
zone: UTC
obligations:
  - id: attributed
    clause: \"7.2\"
    when: credential.rotated
    requires: {any: [{where: {actor: \"*\"}}, credential.rotation-requested, change.approved]}
";

fn file(name: &str, adapter: Option<&str>) -> String {
    let adapter = adapter.map(|name| format!("adapter = \"{name}\"\nadapter-settings = \"sources.json\"\n"));
    format!(
        "[[source]]\nname = \"{name}\"\nkind = \"file\"\npath = \"{name}.jsonl\"\nfollow = true\ntrust = \"system\"\n\
         partners = [\"*\"]\ntypes = [\"*\"]\n{}",
        adapter.unwrap_or_default()
    )
}

/// A vendor's samples, a record a line.
fn records(samples: &str) -> String {
    let value = |line: &str| serde_json::from_str::<Value>(line).expect("a sample")["value"].clone();
    let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    samples.lines().map(|line| text(value(line)) + "\n").collect()
}

/// Findings that stand: subject, and when.
fn findings(house: &House) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut last: BTreeMap<String, (String, String, String)> = BTreeMap::new();
    for line in house.told() {
        last.insert(text(&line["duty"]), (text(&line["subject"]), text(&line["ended"]), text(&line["to"])));
    }
    let stand = last.into_values().filter(|(.., to)| to == "breached");
    let mut all: Vec<(String, String)> = stand.map(|(subject, at, _)| (subject, at)).collect();
    all.sort();
    all
}

#[test]
fn vendors_rotations_are_attributed_by_request_by_change_and_through_the_catalogue() {
    let settings = "[catalogue]\npaths = [\"catalogue.yaml\"]\n".to_owned()
        + &file("aws", Some("aws"))
        + &file("pam", Some("cyberark"))
        + &file("desk", None);
    let house = House::new(CONTRACT, &settings);
    let mut tables: Value = serde_json::from_str(include_str!("../samples/adapters.config.json")).expect("JSON");
    tables["aws"]["rotation_requests"] = true.into();
    house.write("sources.json", &tables.to_string());
    house.write("aws.jsonl", &records(include_str!("../samples/aws.jsonl")));
    // As one of its forms; the same audit as CEF leaves the ticket out.
    let pam: String = records(include_str!("../samples/cyberark.jsonl")).split_inclusive('\n').take(12).collect();
    house.write("pam.jsonl", &pam);
    let approved = |change: &str, data: &str| {
        format!(
            "{{\"specversion\":\"1.0\",\"id\":\"{change}\",\"source\":\"desk\",\"type\":\"change.approved\",\
             \"subject\":\"{change}\",\"partner\":\"northwind-msp\",\"time\":\"2026-03-02T08:31:44Z\",\"data\":{{{data}}}}}\n"
        )
    };
    // It names an identity, which no vendor knows.
    let linked = approved("CHG0030090", "\"credential\":\"svc-signing\"");
    house.write("desk.jsonl", &linked);
    house.write("catalogue.yaml", "catalogue: all\nidentities:\n  - id: svc-signing\n");

    let child = house.start(&["run", "--tell", "told"]);
    let kms = || findings(&house).into_iter().find(|(subject, _)| subject.starts_with("aws:kms:"));
    house.until("nobody answers for the key's rotation", || kms().is_some());
    let (key, _) = kms().expect("its finding");
    let of = |what: &str| findings(&house).into_iter().filter(|(subject, _)| subject.contains(what)).count();
    // RotateSecret asked for what RotationSucceeded did. CyberArk's manager acted for a ticket, of which nothing was heard.
    house.until("CyberArk's are findings", || of("cyberark:") == 2);
    assert_eq!(of("aws:secretsmanager:"), 0, "{:?}", findings(&house));
    house.append("desk.jsonl", &approved("CHG0030077", ""));
    house.until("the ticket's change was approved", || of("cyberark:") == 0);

    house.write("catalogue.yaml", "catalogue: all\nidentities:\n  - id: svc-signing\n    name: x\n");
    hangup(&child);
    house.until("a bad catalogue is refused", || house.talk().contains("did you mean `names`?"));
    assert!(kms().is_some());
    house.write(
        "catalogue.yaml",
        &format!("catalogue: all\nidentities:\n  - id: svc-signing\n    names: [\"{key}\"]\n"),
    );
    hangup(&child);
    house.until("the change that names the identity answers for it", || kms().is_none());
    assert!(!findings(&house).iter().any(|(subject, _)| subject == "svc-signing"), "{:?}", findings(&house));
    let withdrawn = house.told().into_iter().find(|line| line["to"] == "withdrawn").expect("it is taken back");
    assert_eq!((&withdrawn["subject"], &withdrawn["adjustment"]), (&key.clone().into(), &true.into()));
    assert!(end(child), "{}", house.talk());
    assert!(house.onus(&["store", "verify", "--store", "sqlite:onus.db"]).status.success());
    let again = house.onus(&["replay"]);
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stdout));
    let events = house.onus(&["store", "events", "--store", "sqlite:onus.db", "--subject", "svc-signing"]);
    let events = String::from_utf8_lossy(&events.stdout).into_owned();
    assert!(events.contains(&format!("\"native\":\"{key}\"")), "{events}");
}
