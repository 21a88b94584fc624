//! Secrets in what vendors send: none comes out, and that one was there is told.

use super::feed::{Feed, samples, told};
use onus::ingest::adapt::{Adapter, Answer, redact_bytes, redact_text};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Everything that an answer says, and everything that is remembered.
fn everything(feed: &Feed, answer: &Answer) -> String {
    let mut all = format!("{answer:?}");
    for event in &answer.events {
        event.write(&mut all);
    }
    for (id, row) in feed.state.rows() {
        all.push_str(&format!("{id} {row:?}"));
    }
    all
}

fn repeated(piece: &str, length: usize) -> String {
    piece.chars().cycle().take(length).collect()
}

/// One secret of each form, with the form. Put together here so that no scanner takes this file for a leak.
fn secrets() -> Vec<(String, &'static str)> {
    let mixed = |length| repeated("aB3dE6gH9jK2mN5pQ8sT1vW4xY7z", length);
    vec![
        (format!("ghp{}{}", "_", mixed(36)), "github-token"),
        (format!("gho{}{}", "_", mixed(36)), "github-token"),
        (format!("github{}{}_{}", "_pat_", mixed(22), mixed(59)), "github-token"),
        (format!("glpat{}{}", "-", mixed(20)), "gitlab-token"),
        (format!("xoxb{}123456789012-{}", "-", mixed(24)), "slack-token"),
        (format!("https://hooks.slack{}/services/T00000000/B00000000/{}", ".com", mixed(24)), "slack-webhook"),
        (format!("sk{}{}", "_live_", mixed(24)), "stripe-key"),
        (format!("AIza{}", mixed(35)), "google-key"),
        (format!("hvs{}CAES{}", ".", mixed(90)), "vault-token"),
        (format!("hvb{}AAAAAQ{}", ".", mixed(130)), "vault-token"),
        (format!("s{}{}", ".", mixed(24)), "vault-token"),
        (format!("00{}", mixed(40)), "okta-token"),
        (format!("xY78Q~{}", mixed(34)), "azure-secret"),
        (format!("eyJhbGciOiJIUzI1NiJ9.eyJ{}.{}", mixed(30), mixed(43)), "jwt"),
        (format!("npm{}{}", "_", mixed(36)), "npm-token"),
        (format!("pypi{}IcHlwaS5vcmc{}", "-AgE", mixed(60)), "pypi-token"),
        (format!("SG{}{}.{}", ".", mixed(22), mixed(43)), "sendgrid-key"),
        (format!("-----BEGIN RSA {0}-----\n{1}\n{1}\n-----END RSA {0}-----", "PRIVATE KEY", mixed(64)), "private-key"),
        (format!("dckr{}{}", "_pat_", mixed(27)), "docker-token"),
        (format!("ATATT3{}", mixed(180)), "atlassian-token"),
    ]
}

/// Ways to say a secret by its name; `{}` is the value.
const SAID: &[(&str, &str)] = &[
    ("password={}", "password"),
    ("Password: {}", "password"),
    ("db_password = \"{}\"", "password"),
    ("PGPASSWORD={}", "password"),
    ("--passphrase='{}'", "password"),
    ("{\"clientSecret\": \"{}\"}", "secret"),
    ("client_secret: {}", "secret"),
    ("aws_secret_access_key = {}", "secret"),
    ("secret: {}", "secret"),
    ("api-key={}", "secret"),
    ("AccountKey={};EndpointSuffix=x", "secret"),
    ("Authorization: Bearer {}", "authorization"),
    ("postgres://app:{}@db.example/app", "url-password"),
];

fn redacted(text: &str) -> String {
    redact_text(text).into_owned()
}

#[test]
fn each_known_form_is_taken_out_and_named() {
    for (secret, form) in secrets() {
        for (front, back) in
            [("", ""), ("see ", "."), ("(", ")"), ("key=", "\n"), ("ł", "ł"), ("„", "”"), ("a: ", ", b")]
        {
            let out = redacted(&format!("{front}{secret}{back}"));
            assert!(out.contains(&format!("[redacted:{form}]")), "{form}: {out}");
            let middle = &secret[secret.len() / 2..secret.len() / 2 + 8];
            assert!(!out.contains(middle), "{form}: {out}");
            assert!(out.ends_with(back.trim_end()) || out.ends_with(back), "{form}: {out}");
        }
    }
}

#[test]
fn what_only_its_name_betrays_is_taken_out_and_its_surroundings_stay() {
    for (said, form) in SAID {
        let value = "wJalrXUtnFEMI7MDENGbPxRfiCYKEY42";
        let out = redacted(&format!("before {} after", said.replace("{}", value)));
        assert!(out.starts_with("before ") && out.ends_with(" after"), "{said}: {out}");
        assert!(out.contains(&format!("[redacted:{form}]")) && !out.contains("wJalr"), "{said}: {out}");
    }
    assert_eq!(redacted("postgres://app:hunter2@db/app"), "postgres://app:[redacted:url-password]@db/app");
    assert_eq!(redacted("password=hunter2"), "password=[redacted:password]");
}

#[test]
fn names_and_ordinary_words_stay_whole() {
    for text in [
        "a23d0b951f84067341fb74fed0f4e4ad",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "9ac9c952-3a17-4bf4-948a-a7135bb60117",
        "arn:aws:secretsmanager:eu-west-1:210987654321:secret:prod/payments-rw-AbCd12",
        "aws:secretsmanager:210987654321:eu-west-1:prod/payments-rw",
        "okta:secret:ocs2",
        "azure:keyvault:kv-northwind-prod:secret:payments-rw-2026",
        "AKIAIOSFODNN7EXAMPLE",
        "\"accessKeyId\": \"AKIAIOSFODNN7EXAMPLE\"",
        "\"clientRequestToken\": \"9ac9c952-3a17-4bf4-948a-a7135bb60117\"",
        "\"client_token\": \"hmac-sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"",
        "\"password\": \"HIDDEN_DUE_TO_SECURITY_REASONS\"",
        "\"password\": \"hmac-sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"",
        "\"password\": \"********\"",
        "\"password\": null, \"next\": \"a1b2c3\"",
        "00u1a2b3c4d5e6f7g8h9",
        "2026-03-02T08:00:00.000Z",
        "Password: reset by the service desk",
        "the secret: rotate svc-payments-rw",
        "secret: prod/payments/db-01",
        "token: a23d0b951f84067341fb74fed0f4e4ad",
        "user.account.update_password",
        "CPM Change Password",
        "password policy 2026: 14 characters",
        "https://globex.service-now.com/api/now/table/sys_user/b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2",
        "https://globex.okta.com:443/api/v1?after=x@y",
        "mailto://ben.okafor@northwind.example",
        "Basic authentication is switched off; the bearer of bad news",
        "Reset password=${VAULT_PASSWORD} in the pipeline",
        "INC0010482 CHG0030077 PSVCNW1 https://s.example/x ghp_ hvs. SG. eyJ AIza npm_install",
    ] {
        assert_eq!(redacted(text), text);
    }
}

#[test]
fn no_record_of_the_samples_has_a_secret() {
    for name in Adapter::names() {
        for sample in samples(name) {
            let text = sample["value"].to_string();
            assert!(
                matches!(redact_bytes(text.as_bytes()), std::borrow::Cow::Borrowed(_)),
                "{name}: {}",
                redacted(&text)
            );
        }
    }
}

#[test]
fn json_stays_json_and_all_else_stays_as_it_was() {
    let record = json!({
        "n": 1.5e300, "big": 123_456_789_012_345_678_u64, "text": "ł\u{1}\"\\ password=hunter2 \"x\"",
        "password": "hunter2", "nested": {"client_secret": "s3cr3t", "list": ["a", secrets()[0].0]},
        "within": json!({"password": "hunter2", "keep": [1, 2]}).to_string(),
        secrets()[3].0.clone(): 1,
    });
    for text in [record.to_string(), serde_json::to_string_pretty(&record).expect("JSON")] {
        let out = String::from_utf8(redact_bytes(text.as_bytes()).into_owned()).expect("UTF-8");
        let read: Value = serde_json::from_str(&out).expect("JSON stays JSON");
        assert_eq!((&read["n"], &read["big"]), (&record["n"], &record["big"]));
        assert_eq!(read["text"], "ł\u{1}\"\\ password=[redacted:password] \"x\"");
        assert_eq!(
            (&read["password"], &read["nested"]["client_secret"]),
            (&json!("[redacted:password]"), &json!("[redacted:secret]"))
        );
        let within: Value = serde_json::from_str(read["within"].as_str().expect("a text")).expect("JSON in it");
        assert_eq!(within, json!({"password": "[redacted:password]", "keep": [1, 2]}));
        assert!(!out.contains("hunter2") && !out.contains(&secrets()[3].0) && !out.contains(&secrets()[0].0), "{out}");
    }
    // What stands twice is kept twice, and what is no JSON is looked at as it stands.
    assert_eq!(
        redacted("{\"a\": 1, \"a\": 2, \"pwd\": \"hunter2\"}"),
        "{\"a\": 1, \"a\": 2, \"pwd\": \"[redacted:password]\"}"
    );
    assert_eq!(
        redacted("<13>1 - {\"password\": \"hunter2\", \"x"),
        "<13>1 - {\"password\": \"[redacted:password]\", \"x"
    );
    assert_eq!(&*redact_bytes(b"\xff password=hunter2"), b"\xff password=[redacted:password]");
}

#[test]
fn escapes_hide_nothing() {
    let token = &secrets()[0].0;
    let escaped: String = token.chars().map(|c| format!("\\u{:04x}", c as u32)).collect();
    assert_eq!(redacted(&format!("{{\"a\":\"{escaped}\"}}")), "{\"a\":\"[redacted:github-token]\"}");
    assert_eq!(redacted(r#"{"a":"https:\/\/u:hunter2@h"}"#), r#"{"a":"https://u:[redacted:url-password]@h"}"#);
    assert_eq!(redacted(r#"{"a":"line\ntoken: 8sT1vW4xY7zaB3dE6gH9"}"#), r#"{"a":"line\ntoken: [redacted:secret]"}"#);
    assert_eq!(redacted(r#"{"pass\u0077ord":"hunter2"}"#), r#"{"pass\u0077ord":"[redacted:password]"}"#);
    let packed = |text: &str| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text);
    let record = format!("[{{\"a\": \"{token}\"}}]");
    assert_eq!(redacted(&packed(&record)), packed("[{\"a\": \"[redacted:github-token]\"}]"));
}

#[test]
fn a_secret_that_was_cut_on_its_way_is_still_nobodys_to_read() {
    for (secret, form) in
        secrets().into_iter().filter(|(_, form)| !["okta-token", "vault-token", "atlassian-token"].contains(form))
    {
        let cut: String = secret.chars().take(secret.chars().count() - 4).collect();
        let out = redacted(&format!("see {cut}"));
        assert!(out.contains("[redacted:"), "{form}: {out}");
    }
    let key = &secrets()[17].0;
    assert_eq!(redacted(&key[..100]), "[redacted:private-key]");
}

/// Okta's sample with a new secret in its detail.
fn okta() -> (Value, String) {
    let secret = "Zx8-aB3dE6gH9jK2mN5pQ8sT1vW4xY7zaB3dE6gH".to_owned();
    let mut entry = samples("okta")[0]["value"].clone();
    entry["target"][1]["detailEntry"] = json!({"clientSecret": secret, "clientId": "0oaPAY"});
    (entry, secret)
}

#[test]
fn a_secret_in_oktas_detail_goes_nowhere_and_is_told() {
    let (entry, secret) = okta();
    let mut feed = Feed::new("okta");
    let answer = feed.value(&entry);
    assert!(!everything(&feed, &answer).contains(&secret[4..12]));
    assert_eq!(told(&answer), ["credential.created", "credential.exposed"]);
    let (made, exposed) = (&answer.events[0], &answer.events[1]);
    assert_eq!((&exposed.subject, &exposed.partner), (&made.subject, &made.partner));
    assert_eq!(exposed.id, format!("{}:exposed", made.id));
    assert_eq!(exposed.field("forms"), Some(&onus::ingest::adapt::Value::List(vec!["secret".to_owned()])));
    assert_eq!(Feed::new("okta").value(&entry), answer);
}

#[test]
fn in_a_batch_it_is_told_of_the_entry_that_held_it() {
    let (with, _) = okta();
    let (mut one, mut two) = (samples("okta")[3]["value"].clone(), samples("okta")[1]["value"].clone());
    one["uuid"] = json!("one");
    two["uuid"] = json!("two");
    let answer = Feed::new("okta").value(&json!([one, with, two]));
    let exposed: Vec<_> = answer.events.iter().filter(|event| event.kind == "credential.exposed").collect();
    assert_eq!(exposed.len(), 1);
    assert_eq!(exposed[0].subject, "okta:secret:ocs2");
    // An entry that tells nothing says of nothing whose secret it was.
    let mut person = with;
    person["eventType"] = json!("user.account.update_password");
    assert!(told(&Feed::new("okta").value(&json!([person, one]))).iter().all(|kind| !kind.ends_with("exposed")));
}

/// ServiceNow's first incident with a text.
fn incident(count: u32, text: &str) -> Value {
    let mut row = samples("servicenow")[0]["value"].clone();
    row["description"] = json!(text);
    row["sys_mod_count"] = json!(count.to_string());
    row["sys_updated_on"] = json!(format!("2026-03-02 08:{:02}:00", 10 + count));
    row
}

#[test]
fn a_secret_in_a_tickets_text_goes_nowhere_and_makes_the_ticket_an_incident_once() {
    let (token, password) = (&secrets()[0].0, "password: hunter2!");
    let mut feed = Feed::new("servicenow");
    assert_eq!(told(&feed.value(&incident(0, "nothing yet"))), ["ticket.opened"]);
    let answer = feed.value(&incident(1, &format!("the token is {token}")));
    assert!(!everything(&feed, &answer).contains(&token[8..16]));
    // Nothing else is told of this state of the row.
    assert_eq!(told(&answer), ["incident.classified"]);
    let leak = &answer.events[0];
    assert_eq!((leak.subject.as_str(), leak.partner.as_str()), ("INC0010482", "northwind-msp"));
    assert_eq!((leak.at.to_string().as_str(), leak.quality.word()), ("2026-03-02T08:11:00.000Z", "upper-bound"));
    assert_eq!(leak.field("kind"), Some(&"secret-leak".into()));
    assert_eq!(leak.id, "exposed:INC0010482:github-token");
    // The text stays in the row, and is told once; another secret is another leak.
    assert!(told(&feed.value(&incident(2, &format!("the token is {token}")))).is_empty());
    let other = feed.value(&incident(3, &format!("the token is {token}, the {password}")));
    assert_eq!(
        (told(&other), other.events[0].id.as_str()),
        (vec!["incident.classified"], "exposed:INC0010482:password")
    );
    assert!(!everything(&feed, &other).contains("hunter2"));
}

#[test]
fn a_secret_in_jiras_and_pagerdutys_texts_is_told_of_their_ticket() {
    for (name, place) in [("jira", "/value/issue/fields/summary"), ("pagerduty", "/value/event/data/title")] {
        let mut sample = samples(name).into_iter().find(|sample| sample.pointer(place).is_some()).expect("a text");
        *sample.pointer_mut(place).expect("a text") = json!(format!("leaked: {}", secrets()[1].0));
        let mut feed = Feed::new(name);
        let answer = feed.read(&sample);
        assert!(told(&answer).contains(&"incident.classified"), "{name}: {answer:?}");
        assert!(!everything(&feed, &answer).contains(&secrets()[1].0[8..16]), "{name}");
    }
}

#[test]
fn a_reason_why_not_quotes_no_secret_and_a_refused_record_tells_its_exposure_when_it_is_read() {
    let token = &secrets()[0].0;
    let mut row = incident(0, token);
    row["priority"] = json!(token);
    let mut feed = Feed::new("servicenow");
    let answer = feed.value(&row);
    assert!(answer.events.is_empty() && answer.errors[0].1.contains("[redacted:github-token]"), "{answer:?}");
    assert!(!everything(&feed, &answer).contains(&token[8..16]) && feed.state.is_empty());
    // The dead letter, without the secret, mended and read again.
    row["priority"] = json!("3");
    let letter = String::from_utf8(redact_bytes(row.to_string().as_bytes()).into_owned()).expect("UTF-8");
    assert!(!letter.contains(token.as_str()));
    assert_eq!(feed.text(&letter), Feed::new("servicenow").value(&row));
    for name in Adapter::names() {
        let answer = Feed::new(name).text(&format!("{{\"{token}\": 1, \"{token}\": 2}}"));
        assert!(!format!("{answer:?}").contains(&token[8..16]), "{name}: {answer:?}");
    }
}

#[test]
fn a_digest_of_the_record_tells_nothing_of_the_secret() {
    let digest = |text: &str| Feed::new("servicenow").value(&incident(0, text)).events[0].field("rawdigest").cloned();
    assert_eq!(digest("password=hunter2"), digest("password=hunter3"));
    assert_ne!(digest("password=hunter2"), digest("nothing"));
}

#[test]
fn a_shipped_templates_duty_starts_with_it() {
    let (okta, _) = okta();
    let mut lines = String::new();
    for answer in [Feed::new("okta").value(&okta), Feed::new("servicenow").value(&incident(0, "password=hunter2"))] {
        for event in answer.events {
            event.write(&mut lines);
            lines.push('\n');
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let contract = "contract: northwind\ncustomer: globex\npartner: northwind-msp\neffective: 2026-01-01T00:00:00Z\nzone: UTC\ncalendar: office\ninclude: [templates/pci-dss, templates/nhi-lifecycle]\ncalendars:\n  office: {zone: UTC, hours: {mon-fri: \"09:00-17:00\"}}\n";
    std::fs::write(folder.path().join("northwind.yaml"), contract).expect("written");
    std::fs::write(folder.path().join("events.jsonl"), lines).expect("written");
    let run = std::process::Command::new(env!("CARGO_BIN_EXE_onus"))
        .args(["check", "--contracts"])
        .arg(folder.path().join("northwind.yaml"))
        .arg(folder.path().join("events.jsonl"))
        .args(["--until", "2026-06-01T00:00:00Z", "--duties", "--format", "json"])
        .output()
        .expect("it runs");
    let out: Value = serde_json::from_slice(&run.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&run.stderr)));
    let open: Vec<(String, String)> = out["duties"]
        .as_array()
        .expect("duties")
        .iter()
        .map(|duty| (duty["obligation"].to_string(), duty["subject"].to_string()))
        .collect();
    let has = |duty: &str, subject: &str| open.iter().any(|(o, s)| o.contains(duty) && s.contains(subject));
    assert!(has("pci-compromise", "okta:secret:ocs2") && has("nhi-leaked", "INC0010482"), "{open:?}");
}

/// A secret, and eight characters from its middle that must not be found anywhere.
fn planted() -> impl Strategy<Value = (String, String)> {
    let known = proptest::sample::select(secrets()).prop_map(|(secret, _)| {
        let middle: Vec<char> = secret.chars().collect();
        let middle = middle[middle.len() / 2..middle.len() / 2 + 8].iter().collect();
        (secret, middle)
    });
    let named = (proptest::sample::select(SAID), "[A-Za-z]{8}[0-9]{2}[A-Za-z0-9]{12}")
        .prop_map(|((said, _), value)| (said.replace("{}", &value), value[4..16].to_owned()));
    prop_oneof![known, named]
}

fn texts(value: &Value, at: String, into: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                texts(value, format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), into);
            }
        }
        Value::Array(items) => {
            for (n, value) in items.iter().enumerate() {
                texts(value, format!("{at}/{n}"), into);
            }
        }
        Value::String(_) => into.push(at),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_planted_secret_survives_in_any_output_of_any_adapter(
        name in proptest::sample::select(Adapter::names().collect::<Vec<_>>()),
        pick in any::<proptest::sample::Index>(),
        place in any::<proptest::sample::Index>(),
        (secret, middle) in planted(),
        front in proptest::sample::select(vec!["", "see ", "ł", "\n", "\"", "x: ", "„"]),
        keep in any::<bool>(),
    ) {
        let all = samples(name);
        let n = pick.index(all.len());
        let mut feed = Feed::new(name);
        let mut letters = Feed::new(name);
        for sample in &all[..n] {
            feed.read(sample);
            letters.read(sample);
        }
        let mut bent = all[n].clone();
        let mut places = Vec::new();
        texts(&bent["value"], "/value".to_owned(), &mut places);
        prop_assume!(!places.is_empty());
        let place = bent.pointer_mut(&places[place.index(places.len())]).expect("a place");
        let before = place.as_str().expect("a text").to_owned();
        *place = json!(if keep { format!("{before} {front}{secret}") } else { format!("{front}{secret} {before}") });
        let answer = feed.read(&bent);
        let all = everything(&feed, &answer);
        prop_assert!(!all.contains(&middle), "{name}: {secret}: {all}");
        let letter = match &bent["value"] { Value::String(text) => text.clone(), value => value.to_string() };
        let clean = redact_bytes(letter.as_bytes()).into_owned();
        prop_assert!(!String::from_utf8_lossy(&clean).contains(&middle));
        prop_assert_eq!(&*redact_bytes(&clean), &clean[..]);
        // A dead letter that is read again says what it would have said.
        let mut letter = bent.clone();
        letter["value"] = json!(String::from_utf8(clean).expect("UTF-8"));
        prop_assert_eq!(letters.read(&letter), answer);
        prop_assert_eq!(letters.state.to_bytes(), feed.state.to_bytes());
    }

    #[test]
    fn taking_out_twice_is_taking_out_once_and_json_stays_json(
        text in "(password|secret|token|[:=\"' {}\\\\/@.~_-]|[a-zA-Z0-9]{1,30}|://|eyJ|ghp_|-----BEGIN PRIVATE KEY-----|[łż\n]){0,24}",
    ) {
        let once = redact_text(&text).into_owned();
        prop_assert_eq!(&redact_text(&once), &once);
        let json = json!({"a": text, "b": [text], "c": json!({"d": text}).to_string()}).to_string();
        let clean = redact_text(&json).into_owned();
        prop_assert!(serde_json::from_str::<Value>(&clean).is_ok(), "{}", clean);
        prop_assert_eq!(&redact_text(&clean), &clean);
    }
}
