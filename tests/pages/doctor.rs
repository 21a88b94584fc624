//! `onus doctor` tries those who are told, and says what to do where they cannot be.

use crate::alertmanager::Alertmanagers;
use crate::hook::Hook;
use crate::house::House;
use crate::real::{DESK, desk};

/// What it says, and its exit code.
fn doctor(more: &str) -> (String, Option<i32>) {
    let house = House::new(DESK, &format!("{more}{}", desk()));
    house.write("desk.jsonl", "");
    house.write("secret", "a secret of more than thirty-two letters, since it signs\n");
    house.write("password", "wrong\n");
    let said = house.onus(&["doctor"]);
    (String::from_utf8(said.stdout).expect("text") + &String::from_utf8_lossy(&said.stderr), said.status.code())
}

#[test]
fn those_who_are_told_are_tried_and_a_webhook_is_told_nothing() {
    let alertmanagers = Alertmanagers::quiet();
    let hook = Hook::new();
    let webhook =
        format!("[webhook.acme]\nurl = \"{}/onus\"\nsecret-file = \"secret\"\npartners = [\"p1\"]\n", hook.url());
    let (said, code) = doctor(&format!("{}{webhook}", alertmanagers.settings()));
    assert_eq!(code, Some(0), "{said}");
    let line = |what: &str| said.lines().find(|line| line.contains(what)).unwrap_or_default().to_owned();
    assert!(line("alertmanager am0: ").contains(": Alertmanager 0."), "{said}");
    assert!(line("webhook acme: ").contains("it can be reached"), "{said}");
    assert!(hook.all().is_empty(), "{:?}", hook.all());
}

#[test]
fn what_is_wrong_with_them_is_said_with_what_to_do() {
    let hook = Hook::new();
    let url = hook.url();
    let alertmanager = |url: &str| format!("[alertmanager.a]\nurl = \"{url}\"\n");
    hook.answers(|posted| match posted.headers.get("authorization") {
        Some(_) => 401,
        None if posted.path.starts_with("/there") => 404,
        None => 200,
    });
    let gone = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        format!("http://{}", listener.local_addr().expect("an address"))
    };
    let login = "basic.username = \"onus\"\nbasic.password-file = \"password\"\n";
    let webhook = |url: &str| format!("[webhook.w]\nurl = \"{url}\"\nsecret-file = \"secret\"\npartners = [\"p1\"]\n");
    for (settings, words) in [
        (alertmanager(&gone), "look whether it runs"),
        (alertmanager(&url.replace("http:", "https:")), "look at tls.ca-file"),
        (alertmanager(&url) + login, "it answered 401; it does not take us for who we are"),
        (alertmanager(&format!("{url}/there")), "it answered 404; no Alertmanager answers there"),
        (alertmanager(&url), "something answers there that is no Alertmanager"),
        (webhook(&gone), "look whether it runs"),
        (webhook(&url.replace("http:", "https:")), "look at tls.ca-file"),
    ] {
        let (said, code) = doctor(&settings);
        assert_eq!(code, Some(2), "{settings}\n{said}");
        assert!(said.lines().any(|line| line.starts_with("wrong") && line.contains(words)), "{settings}\n{said}");
        assert!(!said.contains("Basic"), "no secret is shown: {said}");
    }
}
