//! Bytes that claim more than they are, by schemas that allow it.

use crate::desk::{Desk, found, frame, wrong};

/// A number as Avro writes it.
fn long(number: i64) -> Vec<u8> {
    let mut rest = ((number << 1) ^ (number >> 63)) as u64;
    let mut out = Vec::new();
    while rest > 0x7f {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
    out
}

#[test]
fn lengths_are_not_believed() {
    let desk = Desk::new();
    desk.schema(1, "AVRO", "{\"type\":\"array\",\"items\":\"null\"}");
    desk.schema(2, "AVRO", "\"bytes\"");
    desk.schema(3, "AVRO", "{\"type\":\"record\",\"name\":\"A\",\"fields\":[{\"name\":\"a\",\"type\":\"A\"}]}");
    desk.schema(
        4,
        "AVRO",
        "{\"type\":\"record\",\"name\":\"A\",\"fields\":[{\"name\":\"a\",\"type\":[\"null\",\"A\"]}]}",
    );
    desk.schema(5, "AVRO", "{\"type\":\"map\",\"values\":{\"type\":\"fixed\",\"name\":\"F\",\"size\":4294967295}}");
    desk.schema(6, "AVRO", "{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"E\",\"fields\":[]}}");
    let wire = desk.wire();
    let longest = i64::MAX;
    let cases: [(u32, Vec<u8>, &str); 9] = [
        (1, long(longest), "longer than"),
        (1, [long(i64::MIN), long(0)].concat(), "longer than"),
        (6, long(longest), "longer than"),
        (2, long(longest), "too early"),
        (2, long(-1), "a length is -1"),
        (3, Vec::new(), "nests deeper"),
        (4, vec![2; 1 << 20], "nests deeper"),
        (5, [long(1), long(1), b"x".to_vec()].concat(), "too early"),
        (2, vec![0xff; 20], "more than 64 bits"),
    ];
    for (id, bytes, words) in cases {
        let (reason, why) = wrong(found(&wire, &frame(id, &bytes), &[]));
        assert!(reason == "BadFrame" && why.contains(words) && why.len() < 800, "{id}: {why}");
    }
}

#[test]
fn values_that_are_none_are_refused() {
    let desk = Desk::new();
    let logical = |kind: &str, name: &str| format!("{{\"type\":\"{kind}\",\"logicalType\":\"{name}\"}}");
    desk.schema(1, "AVRO", &logical("int", "time-millis"));
    desk.schema(2, "AVRO", &logical("long", "timestamp-nanos"));
    desk.schema(3, "AVRO", &logical("long", "timestamp-millis"));
    desk.schema(4, "AVRO", "\"string\"");
    desk.schema(5, "AVRO", "\"boolean\"");
    desk.schema(6, "AVRO", "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"a\"]}");
    desk.schema(7, "AVRO", &logical("bytes", "decimal"));
    let wire = desk.wire();
    let cases: [(u32, Vec<u8>, Option<&str>); 9] = [
        (1, long(86_400_000), None),
        (2, long(i64::MIN), Some("\"1677-09-21T00:12:43.145224192Z\"")),
        (3, long(i64::MAX), None),
        (3, long(253_402_300_800_000), None),
        (4, vec![2, 0xff], None),
        (5, vec![2], None),
        (6, long(1), None),
        (6, long(-1), None),
        (7, vec![0], Some("\"0\"")),
    ];
    for (id, bytes, means) in cases {
        let found = found(&wire, &frame(id, &bytes), &[]);
        match means {
            None => assert_eq!(wrong(found).0, "BadFrame", "{id}"),
            Some(means) => assert_eq!(crate::desk::json(found).to_string(), means, "{id}"),
        }
    }
}

#[test]
fn a_registry_that_answers_without_end_is_trouble() {
    let desk = Desk::new();
    desk.schema(1, "AVRO", &" ".repeat(5 << 20));
    let wire = desk.wire();
    let onus::ingest::wire::Found::Waits(need) = wire.read(Some(&frame(1, b"")), &[]) else { panic!("it is asked") };
    assert!(!wire.wait(need, std::time::Duration::from_secs(20)));
    assert!(wire.trouble().expect("it is said").contains("longer than"), "{:?}", wire.trouble());
}

#[test]
fn a_schema_that_is_too_deep_or_too_large_is_refused_and_ends_nothing() {
    let desk = Desk::new();
    let nested = |open: &str, close: &str, depth: usize| format!("{}{}", open.repeat(depth), close.repeat(depth));
    let schemas = [
        ("AVRO", nested("[", "]", 200_000)),
        ("AVRO", nested("{\"type\":", "}", 100_000)),
        ("PROTOBUF", nested("message A {", "}", 60_000)),
        ("PROTOBUF", format!("message A {{ oneof x {{ {} }} }}", nested("group G = 1 {", "}", 50_000))),
        ("PROTOBUF", format!("syntax = \"proto3\"; message {} {{}}", "A".repeat(900_000)).replacen("{}", "{", 1)),
        (
            "PROTOBUF",
            format!(
                "syntax = \"proto3\"; enum E {{ {} }}",
                (0..30_000).map(|n| format!("V{n} = {n};")).collect::<String>()
            ),
        ),
        (
            "PROTOBUF",
            format!(
                "syntax = \"proto3\"; message A {{ reserved {}; }}",
                (1..30_000).map(|n| format!("{n}, ")).collect::<String>() + "40000"
            ),
        ),
        ("PROTOBUF", " ".repeat((1 << 20) + 1)),
    ];
    for (id, (kind, text)) in (1..).zip(&schemas) {
        desk.schema(id, kind, text);
        let (reason, why) = wrong(found(&desk.wire(), &frame(id, &[0]), &[]));
        assert!(reason == "BadSchema" && why.len() < 2_000, "{id}: {reason} {why}");
    }
    // What is no part of how values lie is not even looked at.
    let deep = nested("a {", "}", 100_000);
    let text = format!(
        "syntax = \"proto3\"; import \"google/protobuf/descriptor.proto\"; message A {{ A a = 1; int32 n = 2 [packed = true]; }} \
         extend google.protobuf.FileOptions {{ A x = 50001; }} option (x) = {{ {deep} }}; \
         enum E {{ option allow_alias = true; X = 0; Y = 0; }} service S {{ rpc R (A) returns (A) {{ option (x) = {{ {deep} }}; }} }}"
    );
    desk.schema(90, "PROTOBUF", &text.replace(" [packed = true]", ""));
    let means = crate::desk::json(found(&desk.wire(), &frame(90, &[0, 0x10, 7]), &[]));
    assert_eq!(means, serde_json::json!({"n": 7}));
}

#[test]
fn schemas_that_name_each_other_in_a_ring_come_to_an_end() {
    let desk = Desk::new();
    let body = |name: &str| {
        let reference = serde_json::json!([{"name": name, "subject": name, "version": 1}]);
        serde_json::json!({"schema": "{\"type\":\"record\",\"name\":\"R\",\"fields\":[]}", "references": reference})
            .to_string()
    };
    desk.answers("/schemas/ids/1", 200, &body("a"));
    desk.answers("/subjects/a/versions/1?deleted=true", 200, &body("b"));
    desk.answers("/subjects/b/versions/1?deleted=true", 200, &body("a"));
    assert_eq!(crate::desk::json(found(&desk.wire(), &frame(1, b""), &[])), serde_json::json!({}));
    for name in 0..250 {
        desk.answers(&format!("/subjects/{name}/versions/1?deleted=true"), 200, &body(&(name + 1).to_string()));
    }
    desk.answers("/schemas/ids/2", 200, &body("0"));
    let (reason, why) = wrong(found(&desk.wire(), &frame(2, b""), &[]));
    assert!(reason == "BadSchema" && why.contains("more than 200"), "{why}");
}

/// One registry for all cases.
fn known() -> &'static onus::ingest::wire::Wire {
    static WIRE: std::sync::OnceLock<(Desk, onus::ingest::wire::Wire)> = std::sync::OnceLock::new();
    &WIRE
        .get_or_init(|| {
            let desk = Desk::new();
            let wire = desk.wire();
            (desk, wire)
        })
        .1
}

proptest::proptest! {
    #[test]
    fn whatever_bytes_a_frame_has_they_are_json_then_or_a_damaged_frame(
        record in 0usize..9, cut in 0usize..200, bytes in proptest::collection::vec(proptest::arbitrary::any::<u8>(), 0..40),
    ) {
        let records = crate::schemas::records();
        let (name, value, _) = &records[record % records.len()];
        // The beginning of what is right, and anything behind it.
        let value = [&value[..(5 + cut).min(value.len())], &bytes].concat();
        match found(known(), &value, &[]) {
            // What is said to be JSON may be another frame.
            onus::ingest::wire::Found::Wrong(fault) => {
                proptest::prop_assert!(fault.reason == "BadFrame" || name == "json", "{}: {:?}", name, fault);
            }
            onus::ingest::wire::Found::One(line) if !["json", "text", "debezium"].contains(&name.as_str()) => {
                let json = serde_json::from_slice::<serde_json::Value>(&line);
                proptest::prop_assert!(json.is_ok(), "{}: {}", name, String::from_utf8_lossy(&line));
            }
            _ => {}
        }
    }
}

/// Protobuf's types that have a JSON of their own, by a registry that is never asked.
fn own_json() -> &'static onus::ingest::wire::Wire {
    static WIRE: std::sync::OnceLock<onus::ingest::wire::Wire> = std::sync::OnceLock::new();
    WIRE.get_or_init(|| {
        let (desk, _) = Desk::closed();
        let registry = onus::ingest::wire::Registry::new(desk.target());
        let names = ["any", "duration", "field_mask", "struct", "timestamp", "wrappers"];
        let imports: String = names.iter().map(|name| format!("import \"google/protobuf/{name}.proto\"; ")).collect();
        let text = format!(
            "syntax = \"proto3\"; {imports} message A {{ map<string, A> m = 1; repeated sint64 n = 2; google.protobuf.Timestamp t = 3; \
             google.protobuf.Value v = 4; bytes b = 5; E e = 6; google.protobuf.Any a = 7; google.protobuf.Duration d = 8; \
             google.protobuf.FieldMask f = 9; float x = 10; google.protobuf.Struct s = 11; google.protobuf.Int64Value i = 12; \
             map<int64, double> k = 13; google.protobuf.ListValue l = 14; }} enum E {{ X = 0; }}"
        );
        registry.know(1, "PROTOBUF", &text).expect("a schema");
        onus::ingest::wire::Wire::new(onus::ingest::wire::Format::Confluent, Some(std::sync::Arc::new(registry)))
    })
}

proptest::proptest! {
    #[test]
    fn whatever_message_comes_it_is_json_then_or_a_damaged_frame(
        fields in proptest::collection::vec((1u8..15, 0u8..6, proptest::collection::vec(proptest::arbitrary::any::<u8>(), 0..14)), 0..5),
    ) {
        let mut bytes = vec![0];
        for (number, kind, content) in fields {
            bytes.push(number << 3 | kind);
            if kind == 2 {
                bytes.push(content.len() as u8);
            }
            bytes.extend(content);
        }
        match found(own_json(), &frame(1, &bytes), &[]) {
            onus::ingest::wire::Found::One(line) => {
                proptest::prop_assert!(serde_json::from_slice::<serde_json::Value>(&line).is_ok());
            }
            other => proptest::prop_assert_eq!(wrong(other).0, "BadFrame"),
        }
    }
}
