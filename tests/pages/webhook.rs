//! Somebody who checks signatures, is away, refuses, and comes back.

use crate::hook::{Hook, Posted};
use crate::house::{House, end};
use crate::real::{DESK, HOUR, desk, event, grow};
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use std::fmt::Write as _;

const SECRET: &str = "a secret of the tests";

/// As docs/alerting.md says it is checked.
fn is_ours(posted: &Posted) -> bool {
    let stamp = &posted.headers["onus-timestamp"];
    let age = chrono::Utc::now().timestamp() - stamp.parse::<i64>().expect("seconds");
    let key = PKey::hmac(SECRET.as_bytes()).expect("a key");
    let mut signer = Signer::new(MessageDigest::sha256(), &key).expect("a signer");
    let signed = signer.sign_oneshot_to_vec(format!("{stamp}.{}", posted.body).as_bytes()).expect("signed");
    let text: String = signed.iter().map(|byte| format!("{byte:02x}")).collect();
    age.abs() <= 300 && posted.headers["onus-signature"] == format!("v1={text}")
}

fn accepted(hook: &Hook) -> Vec<String> {
    let mut all = Vec::new();
    for posted in hook.all().iter().filter(|posted| posted.status == 200) {
        for event in posted.json().as_array().expect("a batch") {
            let text = |name: &str| event[name].as_str().expect("a text").to_owned();
            all.push(format!("{} {} {}", text("partner"), text("subject"), text("type")));
        }
    }
    all
}

#[test]
fn a_webhook_is_told_of_its_partner_alone_in_order_and_nothing_is_passed_over_when_it_refuses() {
    let (p1, all) = (Hook::new(), Hook::new());
    let mut times = 0;
    p1.answers(move |posted| {
        times += 1;
        match times {
            1 | 2 => 503,
            _ if is_ours(posted) => 200,
            _ => 401,
        }
    });
    all.answers(|_| 410);
    let hook = |name: &str, hook: &Hook, partners: &str| {
        let url = hook.url();
        format!("[webhook.{name}]\nurl = \"{url}/in\"\nsecret-file = \"secret\"\npartners = [\"{partners}\"]\n")
    };
    let settings = format!("{}{}{}", hook("p1", &p1, "p1"), hook("all", &all, "*"), desk());
    let contract = DESK.replace("partner: p1", "partner: [p1, p2]");
    let house = House::new(&contract, &settings);
    house.write("secret", SECRET);
    let mut text = String::new();
    for n in 0..3 {
        let _ = writeln!(text, "{}", event("opened", &format!("INC-{n}"), 4 * HOUR + 60 - n));
    }
    let other = event("opened", "INC-other", 4 * HOUR + 60).replace("\"p1\"", "\"p2\"");
    let _ = writeln!(text, "{other}");
    house.write("desk.jsonl", &text);
    let child = house.start(&["run"]);
    house.until("it is told", || accepted(&p1).len() == 3);
    house.until("the other halts", || house.talk().contains("HALTED"));
    let breached = |n: usize| format!("p1 INC-{n} onus.duty.breached");
    assert_eq!(accepted(&p1), [breached(0), breached(1), breached(2)], "in the ledger's order, and of no other");
    assert!(end(child), "{}", house.talk());
    all.answers(|posted| if is_ours(posted) { 200 } else { 401 });
    let _ = writeln!(text, "{}", event("acknowledged", "INC-0", 0));
    grow(&house, &text);
    let child = house.start(&["run"]);
    house.until("what was refused is told", || accepted(&all).len() == 5);
    house.until("what is new is told", || accepted(&p1).len() == 4);
    assert_eq!(accepted(&p1)[3], "p1 INC-0 onus.duty.met-late");
    assert!(accepted(&all).iter().any(|line| line == "p2 INC-other onus.duty.breached"));
    assert!(end(child), "{}", house.talk());
}
