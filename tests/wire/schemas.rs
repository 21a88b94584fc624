//! What Confluent's own serializers wrote is read as it was meant.

use crate::desk::{Desk, found, frame, json, recorded, wrong};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use onus::ingest::wire::Found;
use std::collections::BTreeSet;

/// The recorded records: name, bytes, and what they mean.
pub(crate) fn records() -> Vec<(String, Vec<u8>, serde_json::Value)> {
    let recorded = recorded();
    let all = recorded["records"].as_array().expect("records");
    let text = |one: &serde_json::Value, key: &str| one[key].as_str().expect("a text").to_owned();
    let one = |one: &serde_json::Value| {
        (text(one, "name"), STANDARD.decode(text(one, "value")).expect("base64"), one["means"].clone())
    };
    all.iter().map(one).collect()
}

#[test]
fn every_recorded_record_is_what_it_means() {
    let desk = Desk::new();
    let wire = desk.wire();
    let all = records();
    assert!(all.len() >= 8);
    for (name, value, means) in all {
        assert_eq!(json(found(&wire, &value, &[])), means, "{name}");
    }
}

#[test]
fn a_schema_is_asked_for_once_and_those_that_it_names_with_it() {
    let desk = Desk::new();
    let wire = desk.wire();
    for _ in 0..3 {
        for (_, value, _) in records() {
            found(&wire, &value, &[]);
        }
    }
    let asked = desk.asked();
    let once: BTreeSet<&String> = asked.iter().collect();
    assert_eq!(once.len(), asked.len(), "{asked:?}");
    assert!(asked.iter().any(|path| path == "/subjects/of%2Fperson/versions/1?deleted=true"), "{asked:?}");
}

#[test]
fn a_record_that_was_cut_anywhere_is_damaged_and_never_another_record() {
    let desk = Desk::new();
    let wire = desk.wire();
    for (name, value, _) in
        records().into_iter().filter(|(name, ..)| !["json", "message", "nested"].contains(&name.as_str()))
    {
        let whole = format!("{:?}", found(&wire, &value, &[]));
        for end in 1..value.len() {
            let (reason, why) = wrong(found(&wire, &value[..end], &[]));
            assert_eq!(reason, "BadFrame", "{name} cut at {end}: {why}");
        }
        let (_, why) = wrong(found(&wire, &[&value[..], b"x"].concat(), &[]));
        assert!(why.contains("left over"), "{whole}: {why}");
    }
}

#[test]
fn a_frame_around_an_events_data_and_around_an_event() {
    let desk = Desk::new();
    let wire = desk.wire();
    let (_, value, means) = records().into_iter().find(|(name, ..)| name == "chain").expect("it is there");
    let headers: [(&str, &[u8]); 3] =
        [("ce_specversion", b"1.0"), ("ce_id", b"1"), ("content-type", b"application/avro")];
    let event = json(found(&wire, &value, &headers));
    assert_eq!(
        event,
        serde_json::json!({"specversion": "1.0", "id": "1", "datacontenttype": "application/json", "data": means})
    );
    // As it is kept, it is read again.
    let kept = onus::ingest::wire::kept(&value, &headers);
    assert_eq!(json(wire.again(&kept)), event);
    let (_, value, means) = records().into_iter().find(|(name, ..)| name == "json").expect("it is there");
    let headers: [(&str, &[u8]); 1] = [("content-type", b"application/cloudevents+json")];
    assert_eq!(json(found(&wire, &value, &headers)), means);
    let text = STANDARD.encode(&value);
    assert_eq!(json(found(&wire, text.as_bytes(), &[])), means, "in base64");
}

#[test]
fn a_schema_may_be_named_in_a_header_and_by_what_it_is_called_everywhere() {
    let desk = Desk::new();
    let guid = [0x89, 0x79, 0x1d, 0x54, 0xee, 0x37, 0x43, 0x9c, 0x97, 0x53, 0x19, 0xc2, 0x1a, 0xa0, 0x5d, 0x2c];
    let known = recorded()["answers"]["/schemas/ids/3"].to_string();
    desk.answers("/schemas/guids/89791d54-ee37-439c-9753-19c21aa05d2c", 200, &known);
    let wire = desk.wire();
    let (_, value, means) = records().into_iter().find(|(name, ..)| name == "chain").expect("it is there");
    let head = [&[1][..], &guid].concat();
    let headers: [(&str, &[u8]); 1] = [("__value_schema_id", &head)];
    let bare = &value[5..];
    assert_eq!(json(found(&wire, bare, &headers)), means);
    assert_eq!(json(found(&wire, &[&head[..], bare].concat(), &[])), means, "or before the value");
    assert_eq!(json(found(&wire, bare, &[("__value_schema_id", &value[..5])])), means, "or its number in the header");
    assert_eq!(json(wire.again(&onus::ingest::wire::kept(bare, &headers))), means, "as it is kept");
    let event: [(&str, &[u8]); 2] = [("ce_specversion", b"1.0"), headers[0]];
    assert_eq!(json(found(&wire, bare, &event))["data"], means);
    let (reason, why) = wrong(found(&onus::ingest::wire::Wire::default(), bare, &headers));
    assert!(reason == "BadFrame" && why.contains("[registry.NAME]"), "{why}");
}

#[test]
fn messages_are_found_by_the_way_to_them() {
    let desk = Desk::new();
    desk.schema(
        50,
        "PROTOBUF",
        "syntax = \"proto2\"; message A { optional string a = 1; message B { optional int32 b = 1; message C { optional bool c = 1; } } } \
         message D { map<string, A> m = 1; message E { required string e = 1; } optional group G = 2 { optional int32 g = 3; } }",
    );
    let wire = desk.wire();
    let read = |bytes: &[u8]| found(&wire, &frame(50, bytes), &[]);
    assert_eq!(json(read(b"\x00\x0a\x01x")), serde_json::json!({"a": "x"}));
    assert_eq!(json(read(b"\x02\x00\x0a\x01x")), serde_json::json!({"a": "x"}));
    assert_eq!(json(read(b"\x04\x00\x00\x08\x07")), serde_json::json!({"b": 7}));
    assert_eq!(json(read(b"\x06\x00\x00\x00\x08\x01")), serde_json::json!({"c": true}));
    assert_eq!(
        json(read(b"\x04\x02\x00\x0a\x01x")),
        serde_json::json!({"e": "x"}),
        "the map's entries are not counted"
    );
    for damaged in [&b""[..], b"\x01", b"\x80", b"\x08\x00", b"\x02\x0a", b"\x04\x00\x0a\x00", b"\x00\x0a\x05x"] {
        assert_eq!(wrong(read(damaged)).0, "BadFrame", "{damaged:?}");
    }
}

#[test]
fn what_confluents_serializers_know_needs_no_reference() {
    let desk = Desk::new();
    desk.schema(
        70,
        "PROTOBUF",
        "syntax = \"proto3\"; package p; import \"confluent/meta.proto\"; import \"confluent/type/decimal.proto\"; \
         message A { option (confluent.message_meta) = { doc: \"d\" }; string a = 1 [(confluent.field_meta) = { tags: \"PII\" }]; \
         confluent.type.Decimal d = 2; }",
    );
    let read = found(&desk.wire(), &frame(70, b"\x00\x0a\x01x\x12\x05\x0a\x01\x07\x18\x02"), &[]);
    assert_eq!(json(read), serde_json::json!({"a": "x", "d": {"value": "Bw==", "scale": 2}}));
}

#[test]
fn a_schema_that_cannot_be_used_says_why() {
    let desk = Desk::new();
    desk.schema(
        60,
        "AVRO",
        "{\"type\":\"record\",\"name\":\"A\",\"fields\":[{\"name\":\"b\",\"type\":\"com.example.B\"}]}",
    );
    desk.schema(61, "AVRO", "nonsense {");
    desk.schema(62, "PROTOBUF", "syntax = \"proto3\"; import \"other.proto\"; message M { Other o = 1; }");
    desk.schema(63, "PROTOBUF", "message {");
    desk.schema(64, "THRIFT", "struct");
    let wire = desk.wire();
    for (id, words) in
        [(60, "com.example.B"), (61, "no Avro schema"), (62, "other.proto"), (63, "no Protobuf"), (64, "THRIFT")]
    {
        let (reason, why) = wrong(found(&wire, &frame(id, b"\0\0"), &[]));
        assert_eq!(reason, "BadSchema", "{why}");
        assert!(why.contains(words) && why.contains(&format!("schema {id} of http://")), "{why}");
    }
    assert!(matches!(found(&wire, &frame(9, b"{}"), &[]), Found::One(_)), "another one is read as before");
}
