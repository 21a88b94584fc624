//! `onus adapt` takes records out of what they are wrapped in, as a source does.

use crate::desk::Desk;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};

/// The samples' tables, with this `wire`.
fn tables(wire: Value) -> tempfile::NamedTempFile {
    let mut all: Value = serde_json::from_str(include_str!("../samples/adapters.config.json")).expect("tables");
    all["wire"] = wire;
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), all.to_string()).expect("written");
    file
}

fn row() -> Value {
    let first = include_str!("../samples/servicenow.jsonl").lines().next().expect("a sample");
    serde_json::from_str::<Value>(first).expect("JSON")["value"].clone()
}

/// What is answered to these lines; what is said of settings, where they are wrong.
fn adapt(wire: Value, more: &[&str], lines: &[String]) -> Result<Vec<Value>, String> {
    let tables = tables(wire);
    let mut child = Command::new(env!("CARGO_BIN_EXE_onus"))
        .args(["adapt", "--source", "servicenow", "--settings", tables.path().to_str().expect("a path")])
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut stdin = child.stdin.take().expect("its input");
    // One that does not like its settings reads nothing.
    let _ = stdin.write_all(lines.iter().map(|line| format!("{line}\n")).collect::<String>().as_bytes());
    drop(stdin);
    let run = child.wait_with_output().expect("it ends");
    if !run.status.success() {
        return Err(String::from_utf8(run.stderr).expect("UTF-8"));
    }
    let out = String::from_utf8(run.stdout).expect("UTF-8");
    Ok(out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect())
}

fn framed(id: u32, value: &[u8]) -> String {
    STANDARD.encode([&[0][..], &id.to_be_bytes(), value].concat())
}

#[test]
fn a_frame_is_read_by_the_registry_that_the_settings_name() {
    let desk = Desk::new();
    desk.schema(501, "JSON", "{}");
    desk.schema(502, "AVRO", "{\"type\":\"map\",\"values\":\"string\"}");
    let wire = json!({ "format": "confluent", "registry": { "url": desk.url() } });
    let row = row().to_string();
    let lines = [
        json!({ "value_b64": framed(501, row.as_bytes()) }),
        json!({ "value_b64": framed(501, b"{\"op\":\"d\",\"source\":{},\"before\":{},\"after\":null}") }),
        json!({ "value_b64": framed(502, b"\x02") }),
        json!({ "value_b64": null }),
        json!({ "value": row }),
    ]
    .map(|line| line.to_string());
    let answers = adapt(wire, &["--record"], &lines).expect("the settings are fine");
    assert_eq!(answers[0]["events"][0]["subject"], "INC0010482", "{answers:?}");
    let codes: Vec<_> = answers[1..].iter().map(|one| one["skip"].as_str().or(one["error"].as_str())).collect();
    assert_eq!(codes, [Some("deleted-row"), Some("bad-frame"), Some("tombstone"), Some("bad-frame")], "{answers:?}");
    assert!(answers[2]["why"].as_str().is_some_and(|why| why.contains("schema 502")), "{answers:?}");
}

#[test]
fn lines_are_taken_out_of_what_shows_itself_and_records_heed_their_headers() {
    let row = row();
    let change = json!({ "before": null, "after": row, "source": {"table": "incident"}, "op": "c", "ts_ms": 1 });
    let plain = adapt(json!({}), &[], &[row.to_string()]).expect("fine");
    for wrapped in
        [change.to_string(), json!({"schema": null, "payload": change}).to_string(), STANDARD.encode(row.to_string())]
    {
        let told = adapt(json!({}), &[], &[wrapped]).expect("fine");
        let ids = |all: &[Value]| all.iter().map(|event| event["id"].clone()).collect::<Vec<_>>();
        assert_eq!(ids(&told), ids(&plain));
    }
    // As JSON nothing is looked for.
    let told = adapt(json!({ "format": "json" }), &[], &[change.to_string()]).expect("fine");
    assert_ne!(told[0]["type"], "ticket.opened", "{told:?}");
    let record = json!({ "headers": {"content-type": "application/cloudevents-batch+json"}, "payload": [row] });
    let told = adapt(json!({}), &["--record"], &[record.to_string()]).expect("fine");
    assert_eq!(told[0]["events"][0]["type"], "ticket.opened", "{told:?}");
    let glue = STANDARD.encode([&[3, 0][..], &[7; 16], b"x"].concat());
    let told = adapt(json!({}), &[], std::slice::from_ref(&glue)).expect("fine");
    assert_eq!(told[0]["error"], "glue-frame", "{told:?}");
}

#[test]
fn settings_that_cannot_be_meant_say_what_to_do() {
    for (wire, says) in [
        (json!({ "format": "confluent" }), "needs a registry"),
        (json!({ "format": "avro" }), "wire.format"),
        (json!({ "registry": {} }), "where the registry listens"),
        (json!({ "registry": {"url": "https://a:b@registry"} }), "without a name or password"),
        (json!({ "registry": {"url": "https://registry", "username": "x"} }), "`username` with `password_file`"),
        (json!({ "registry": {"uri": "https://registry"} }), "did you mean `url`?"),
    ] {
        let said = adapt(wire.clone(), &[], &[]).expect_err("it cannot be used");
        assert!(said.contains(says), "{wire}: {said}");
    }
}
