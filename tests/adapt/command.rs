//! `onus adapt` as people run it.

use super::feed::{HERE, samples};
use onus::ingest::adapt::Adapter;
use serde_json::Value;
use std::io::Write;
use std::process::{Command, Stdio};

fn adapt(args: &[&str], input: &str) -> (i32, String, String) {
    let settings = format!("{HERE}/tests/samples/adapters.config.json");
    let all: Vec<&str> = args.iter().copied().chain(["--settings", &settings]).collect();
    without_settings(&all, input)
}

fn without_settings(args: &[&str], input: &str) -> (i32, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_onus"))
        .arg("adapt")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut stdin = child.stdin.take().expect("its input");
    let input = input.to_owned();
    let writer = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let run = child.wait_with_output().expect("it ends");
    writer.join().expect("written");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (run.status.code().unwrap_or(-1), text(run.stdout), text(run.stderr))
}

fn json(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

#[test]
fn records_are_answered_line_by_line() {
    for name in Adapter::names() {
        let samples = samples(name);
        let input: String = samples.iter().map(|sample| format!("{sample}\n")).collect();
        let (code, out, err) = adapt(&["--source", name, "--record"], &input);
        assert_eq!((code, err.as_str()), (0, ""), "{name}: {out}");
        let answers: Vec<Value> = out.lines().map(json).collect();
        assert_eq!(answers.len(), samples.len(), "{name}");
        for (sample, answer) in samples.iter().zip(answers) {
            let types: Vec<&Value> =
                answer["events"].as_array().into_iter().flatten().map(|event| &event["type"]).collect();
            assert_eq!(serde_json::json!(types), sample["means"], "{name}: {answer}");
            assert_eq!(types.is_empty(), answer["skip"].is_string() && answer["why"].is_string(), "{name}: {answer}");
        }
    }
}

#[test]
fn payloads_become_lines_of_canonical_events() {
    let samples = samples("servicenow");
    let input: String = samples.iter().map(|sample| format!("{}\n", sample["value"])).collect();
    let (code, out, _) = adapt(&["--source", "servicenow"], &input);
    let types: Vec<Value> =
        out.lines().map(json).filter(|line| line["skip"].is_null()).map(|l| l["type"].clone()).collect();
    let meant: Vec<Value> = samples.iter().flat_map(|s| s["means"].as_array().cloned().unwrap_or_default()).collect();
    assert_eq!((code, types), (0, meant));
}

#[test]
fn a_value_comes_as_json_as_text_or_in_base64() {
    let payload = &samples("servicenow")[0]["value"];
    let texts = [
        serde_json::json!({ "key": "k", "headers": {}, "kafka_timestamp": 1_772_438_660_000_i64, "payload": payload }),
        serde_json::json!({ "kafka_timestamp": "2026-03-02T08:04:20Z", "value": payload.to_string() }),
        serde_json::json!({ "headers": {"kafka_timestamp": "2026-03-02T08:04:20Z"}, "value_b64": base64(payload.to_string().as_bytes()) }),
    ];
    for line in texts {
        let (code, out, _) = adapt(&["--source", "servicenow", "--record"], &line.to_string());
        let answer = json(&out);
        assert_eq!(code, 0, "{out}");
        assert_eq!(answer["events"][0]["recordedtime"], "2026-03-02T08:04:20.000Z", "{out}");
        assert_eq!(answer["events"][0]["subject"], "INC0010482");
    }
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let three = |c: &[u8]| c.iter().fold(0u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - c.len()));
    let four = |c: &[u8]| {
        (0..=c.len()).map(|n| char::from(ALPHABET[(three(c) >> (18 - 6 * n) & 63) as usize])).collect::<String>()
    };
    let text: String = bytes.chunks(3).map(four).collect();
    format!("{text}{}", "=".repeat((4 - text.len() % 4) % 4))
}

#[test]
fn what_cannot_be_read_is_one_line_and_the_exit_code() {
    for (line, wanted) in [
        ("{\"value\": null}", "\"skip\":\"tombstone\""),
        ("{\"val\\u0075e\": null, \"value_b64\": null}", "\"error\":\"unknown-envelope\""),
        ("{\"value_b64\": null}", "\"skip\":\"tombstone\""),
        ("{\"value\": 1, \"value\": 2}", "\"error\":\"not-json\""),
        ("{\"key\": \"k\"}", "\"error\":\"unknown-envelope\""),
        ("{\"value\": {}, \"payload\": {}}", "\"error\":\"unknown-envelope\""),
        ("{\"value_b64\": \"!\"}", "\"error\":\"bad-frame\""),
        ("{\"value\": {}, \"kafka_timestamp\": \"soon\"}", "\"error\":\"bad-time\""),
        ("not json", "\"error\":\"not-json\""),
    ] {
        let (code, out, _) = adapt(&["--source", "servicenow", "--record", "--strict"], line);
        assert!(out.contains(wanted) && out.lines().count() == 1, "{line}: {out}");
        assert_eq!(code == 0, wanted.contains("skip"), "{line}");
        assert_eq!(adapt(&["--source", "servicenow", "--record"], line).0, 0, "{line}");
    }
}

/// Onus with a mapper of these words, on this input.
fn mapped(name: &str, text: &str, args: &[&str], input: &str) -> (i32, String, String) {
    let path = std::env::temp_dir().join(format!("onus-mapper-{}-{name}.yaml", std::process::id()));
    std::fs::write(&path, text).expect("it can be written");
    let said = path.display().to_string();
    let all: Vec<&str> = ["--mapper", &said].into_iter().chain(args.iter().copied()).collect();
    let (code, out, err) = without_settings(&all, input);
    std::fs::remove_file(&path).expect("it goes");
    (code, out.replace(&said, "m.yaml"), err.replace(&said, "m.yaml"))
}

const REVIEWS: &str = "mapper: reviews
id: id
type: review.completed
time: done_at
subject: key
partner: {fixed: halden-pam}
examples:
  - name: a review
    records:
      - {value: {id: 1, key: REV-1, done_at: 2026-03-02T08:00:00Z}, tells: {type: review.completed, subject: REV-1}}
";

#[test]
fn a_mapper_s_records_become_lines_of_canonical_events() {
    let (code, out, err) =
        mapped("reads", REVIEWS, &[], "{\"id\": 1, \"key\": \"REV-1\", \"done_at\": \"2026-03-02T08:00:00Z\"}\n4\n");
    assert_eq!((code, err.as_str()), (0, ""));
    let lines: Vec<Value> = out.lines().map(json).collect();
    assert_eq!((&lines[0]["type"], &lines[0]["source"]), (&"review.completed".into(), &"urn:onus:reviews".into()));
    assert_eq!(lines[1]["error"], "unknown-envelope");
    assert_eq!(mapped("strict", REVIEWS, &["--strict"], "4").0, 2);
}

#[test]
fn a_mapper_s_examples_hold_or_differ_or_are_not_there() {
    let fine = "fine: 1 example with 1 record hold\n";
    assert_eq!(mapped("fine", REVIEWS, &["--test"], ""), (0, String::new(), fine.to_owned()));
    let other = REVIEWS.replace("subject: REV-1", "subject: REV-2");
    let differs = "m.yaml:10: a review, record 1\n    wanted: review.completed, subject \"REV-2\"\n    came:   review.completed, subject \"REV-1\"\n\n";
    let talk = "differs: of 1 record in 1 example 1 is read otherwise\n";
    assert_eq!(mapped("differs", &other, &["--test"], ""), (1, differs.to_owned(), talk.to_owned()));
    let without = REVIEWS.split("examples").next().expect("what is before");
    let (code, out, err) = mapped("without", without, &["--test"], "");
    assert!(code == 2 && out.is_empty() && err.contains("the mapper has no examples"), "{err}");
    let (code, _, err) = mapped("bad", &REVIEWS.replace("subject: key", "subjct: key"), &["--test"], "");
    assert!(code == 2 && err.contains("m.yaml:5:1: E101") && err.contains("did you mean `subject`?"), "{err}");
}

#[test]
fn an_exception_that_a_mapper_tells_waives_what_it_names() {
    const CONTRACT: &str = "contract: halden\npartner: halden-pam\ncustomer: bank\neffective: 2026-01-01T00:00:00Z\nzone: Europe/Zurich\n\
        waivers: {approve: customer.ciso-office}\nobligations:\n  - {id: rotate, clause: \"7.3\", when: credential.expiring, do: credential.rotated, within: 1h}\n";
    const SECRET: &str = "aws:secretsmanager:4711:eu-central-1:pay/db";
    let row = serde_json::json!({"third_parties": "Halden PAM AG", "exception": {"id": 81, "key": "EXC-81", "status": "Approved",
        "updated": 1_772_611_200_000_i64, "submitted": 1_772_437_500_000_i64, "clauses": "7.3 Rotate", "asset": SECRET, "valid_from": "2026-03-03",
        "valid_to": "2026-03-29", "approval": {"at": 1_772_524_800_000_i64, "by": "iberg", "role": "CISO"}}});
    let mapper = format!("{HERE}/config/mappers/grc-exceptions.yaml");
    let (code, told, _) = without_settings(&["--mapper", &mapper, "--strict"], &row.to_string());
    assert_eq!((code, told.lines().count()), (0, 2));
    let expiring = format!(
        "{{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"credential.expiring\",\"time\":\"2026-03-10T08:00:00Z\",\"subject\":\"{SECRET}\",\"partner\":\"halden-pam\"}}\n"
    );
    let folder = std::env::temp_dir().join(format!("onus-waived-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let stands = |events: &str| {
        std::fs::write(folder.join("c.yaml"), CONTRACT).expect("written");
        std::fs::write(folder.join("e.jsonl"), events).expect("written");
        let args = [
            "check",
            "--contracts",
            "c.yaml",
            "--until",
            "2026-03-20T00:00:00Z",
            "--format",
            "json",
            "--duties",
            "e.jsonl",
        ];
        let run = Command::new(env!("CARGO_BIN_EXE_onus")).args(args).current_dir(&folder).output().expect("it runs");
        let report: Value = serde_json::from_slice(&run.stdout).expect("JSON");
        report["duties"][0]["standing"].clone()
    };
    let (without, with) = (stands(&expiring), stands(&format!("{told}{expiring}")));
    std::fs::remove_dir_all(&folder).expect("it goes");
    assert_eq!((without, with), ("breached".into(), "waived".into()));
}

#[test]
fn a_mapper_or_a_source_is_said_and_not_both() {
    for args in [
        &["--mapper", "m.yaml", "--source", "aws"][..],
        &["--mapper", "m.yaml", "--settings", "s.json"],
        &["--test", "--source", "aws", "--settings", "s.json"],
        &["--source", "aws"],
        &[],
    ] {
        assert_eq!(without_settings(args, "").0, 2, "{args:?}");
    }
    assert_eq!(without_settings(&["--mapper", "nowhere.yaml"], "").0, 2);
}

#[test]
fn whoever_sends_one_line_and_waits_has_its_answer() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_onus"))
        .args(["adapt", "--source", "aws", "--settings", &format!("{HERE}/tests/samples/adapters.config.json")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut stdin = child.stdin.take().expect("its input");
    let mut answers = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().expect("its output")));
    for sample in &samples("aws")[..3] {
        writeln!(stdin, "{}", sample["value"]).expect("sent");
        json(&answers.next().expect("an answer").expect("read"));
    }
    drop(stdin);
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn a_source_that_is_not_there_is_named_with_the_nearest() {
    let (code, _, err) = adapt(&["--source", "service-now"], "");
    assert!(code == 2 && err.contains("did you mean `servicenow`?"), "{err}");
}
