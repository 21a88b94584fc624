use super::*;
use crate::ingest::feed::Wrong;
use flate2::write::GzEncoder;
use std::io::Write;

fn texts(value: &str, headers: &[(&str, &str)]) -> Vec<String> {
    let headers: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    lines(Wire::default().read(Some(value.as_bytes()), &headers))
}

fn lines(found: Found<'_>) -> Vec<String> {
    let text = |line: &Cow<'_, [u8]>| String::from_utf8_lossy(line).into_owned();
    match &found {
        Found::One(line) => vec![text(line)],
        Found::Many(lines) => lines.iter().map(text).collect(),
        other => vec![format!("{other:?}")],
    }
}

fn auto(value: &[u8]) -> Found<'_> {
    Wire::default().read(Some(value), &[])
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).expect("into memory");
    encoder.finish().expect("into memory")
}

fn reason(found: &Found<'_>) -> &'static str {
    match found {
        Found::Wrong(fault) => fault.reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_record_that_needs_nothing_lies_where_it_lay() {
    let plain: &[&[u8]] = &[
        b"{\"specversion\":\"1.0\",\"id\":\"1\"}",
        b"{\"source\":\"itsm\",\"op\":\"u\",\"specversion\":\"1.0\"}",
        b"{\"op\":\"u\",\"after\":{},\"source\":{},\"specversion\":\"1.0\"}",
        b"{\"schema\":1,\"payload\":{},\"more\":1}",
        b"{\"schema\":1}",
        b"{",
        b"",
        b"[{\"eventType\":\"x\"}]",
        b"<14>1 2026 CEF:0|a|b",
        b"eyJhbGciOi.J9",
        b"abcdefgh",
        b"\"only a text\"",
        b"\xff\xfe",
        b" \n",
    ];
    for value in plain {
        match auto(value) {
            Found::One(line) => assert!(is_same(&line, value), "{}", String::from_utf8_lossy(value)),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(Wire::default().read(None, &[]), Found::Skip(Skip::Tombstone));
}

#[test]
fn a_structured_event_is_taken_as_it_is() {
    assert_eq!(texts("{\"id\":1}", &[]), ["{\"id\":1}"]);
    let headers = [("content-type", "application/cloudevents+json; charset=UTF-8"), ("ce_specversion", "1.0")];
    assert_eq!(texts("{\"id\":1}", &headers), ["{\"id\":1}"]);
    assert_eq!(texts("{\"id\":1}", &[("Content-Type", "Application/CloudEvents")]), ["{\"id\":1}"]);
}

#[test]
fn an_event_in_a_format_that_is_not_read_says_so() {
    let headers: [(&str, &[u8]); 1] = [("content-type", b"application/cloudevents+avro")];
    let found = Wire::default().read(Some(b"\x02a"), &headers);
    assert_eq!(reason(&found), BAD_FRAME);
}

#[test]
fn a_binary_event_becomes_a_structured_one() {
    let headers = [("ce_specversion", "1.0"), ("ce_id", "a\"b"), ("other", "x"), ("content-type", "application/json")];
    let want =
        "{\"specversion\":\"1.0\",\"id\":\"a\\\"b\",\"datacontenttype\":\"application/json\",\"data\":{\"n\": 1}}";
    assert_eq!(texts(" {\"n\": 1}\n", &headers), [want]);
}

#[test]
fn data_that_is_no_json_is_a_text_and_no_data_is_none() {
    let headers = [("ce_specversion", "1.0"), ("Content-Type", "text/plain")];
    assert_eq!(texts("12", &headers), ["{\"specversion\":\"1.0\",\"datacontenttype\":\"text/plain\",\"data\":\"12\"}"]);
    assert_eq!(texts("", &headers[..1]), ["{\"specversion\":\"1.0\"}"]);
    assert_eq!(texts("{", &headers[..1]), ["{\"specversion\":\"1.0\",\"data\":\"{\"}"]);
    // A text that looks like base64 of something is a text.
    assert_eq!(texts("eyJhIjoxfQ==", &headers[..1]), ["{\"specversion\":\"1.0\",\"data\":\"eyJhIjoxfQ==\"}"]);
}

#[test]
fn what_is_a_whole_event_by_its_first_bytes_is_that_event_whatever_its_headers_say() {
    let event = "{\"specversion\":\"1.0\",\"id\":\"1\"}";
    for headers in [
        &[][..],
        &[("content-type", "application/cloudevents+json; charset=UTF-8")],
        &[("content-type", "application/json"), ("ce_specversion", "1.0"), ("ce_id", "2")],
        &[("trace", "abc")],
    ] {
        assert_eq!(texts(event, headers), [event], "{headers:?}");
    }
    let framed = Wire::new(Format::Confluent, None);
    assert_eq!(reason(&framed.read(Some(event.as_bytes()), &[])), BAD_FRAME, "each has a frame there");
}

#[test]
fn compressed_data_of_a_binary_event_is_json_then() {
    let headers: [(&str, &[u8]); 2] = [("ce_specversion", b"1.0"), ("content-type", b"application/gzip")];
    let found = lines(Wire::default().read(Some(&gzip(b"{\"a\":1}")), &headers));
    assert_eq!(found, ["{\"specversion\":\"1.0\",\"datacontenttype\":\"application/json\",\"data\":{\"a\":1}}"]);
}

#[test]
fn a_batch_is_parted_and_what_is_no_batch_stays_whole() {
    let headers = [("content-type", "application/cloudevents-batch+json")];
    assert_eq!(texts("[{\"a\": [1]}, {\"b\":2}]", &headers), ["{\"a\": [1]}", "{\"b\":2}"]);
    assert_eq!(texts("[{\"a\": 1}, ", &headers), ["[{\"a\": 1}, "]);
    assert_eq!(
        Wire::default().read(Some(b"[]"), &[("content-type", b"application/cloudevents-batch")]),
        Found::Skip(Skip::Empty)
    );
    // Headers are lost on the way: all in it show that they are events, or none of it is touched.
    assert_eq!(texts("[{\"specversion\":\"1.0\"} ,{\"id\":1,\"specversion\":\"1.0\"}]", &[]).len(), 2);
    assert_eq!(texts("[{\"specversion\":\"1.0\"},{\"id\":1}]", &[]).len(), 1);
}

#[test]
fn connects_schema_is_left_and_its_payload_read() {
    assert_eq!(texts("{\"schema\":{\"type\":\"struct\"},\"payload\":{\"a\":1}}", &[]), ["{\"a\":1}"]);
    assert_eq!(texts("{ \"payload\" : [1] , \"schema\" : null }", &[]), ["[1]"]);
    assert_eq!(auto(b"{\"schema\":{},\"payload\":null}"), Found::Skip(Skip::Tombstone));
    // A text in it is what was meant; who says something twice means nothing.
    assert_eq!(texts("{\"schema\":{},\"payload\":\"{\\\"a\\\":1}\"}", &[]), ["{\"a\":1}"]);
    let twice = "{\"payload\":{\"a\":1},\"payload\":{\"a\":2}}";
    assert_eq!(texts(twice, &[]), [twice]);
}

#[test]
fn of_a_change_of_a_row_the_row_is_read_and_a_deleted_one_is_passed_over() {
    let change = |op: &str, before: &str, after: &str| {
        format!(
            "{{\"before\":{before},\"after\":{after},\"source\":{{\"table\":\"t\"}},\"op\":\"{op}\",\"ts_ms\":1,\"transaction\":null}}"
        )
    };
    for op in ["c", "u", "r"] {
        let change = change(op, "null", "{\"id\": 1}");
        assert_eq!(texts(&change, &[]), ["{\"id\": 1}"]);
        assert_eq!(texts(&format!("{{\"schema\":{{}},\"payload\":{change}}}"), &[]), ["{\"id\": 1}"]);
    }
    assert_eq!(auto(change("d", "{\"id\":1}", "null").as_bytes()), Found::Skip(Skip::DeletedRow));
    assert_eq!(reason(&auto(change("u", "{\"id\":1}", "null").as_bytes())), BAD_FRAME);
    // What its outbox router sends is what stands in it: no change, and an event as it is.
    let event = "{\"after\":1,\"op\":\"c\",\"source\":\"itsm\",\"specversion\":\"1.0\"}";
    assert_eq!(texts(event, &[]), [event]);
    // A message beside the rows is none.
    let message = change("m", "null", "null");
    assert_eq!(texts(&message, &[]), [message]);
}

#[test]
fn lines_of_a_log_are_records_of_their_own() {
    let log = "{\"messageType\":\"DATA_MESSAGE\",\"owner\":\"1\",\"logGroup\":\"g\",\"logEvents\":[{\"id\":\"1\",\"message\":\"{\\\"a\\\":1}\"},\
               {\"id\":\"2\",\"message\":\"two\\nlines\"}]}";
    assert_eq!(lines(auto(&gzip(log.as_bytes()))), ["{\"a\":1}", "two\nlines"]);
    let control = log.replace("DATA", "CONTROL");
    assert_eq!(auto(control.as_bytes()), Found::Skip(Skip::Empty));
}

#[test]
fn what_was_compressed_is_one_value_or_one_a_line() {
    let zipped = zstd::encode_all(&b"{\"a\":1}"[..], 3).expect("into memory");
    assert_eq!(lines(auto(&zipped)), ["{\"a\":1}"]);
    assert_eq!(lines(auto(&gzip(b"{\"a\":1}\n\n{\"b\":2}\r\n"))), ["{\"a\":1}", "{\"b\":2}\r"]);
    assert_eq!(lines(auto(&gzip(b"{\n\"a\":1\n}\n"))), ["{\n\"a\":1\n}\n"]);
    assert_eq!(auto(&gzip(b"\n")), Found::Skip(Skip::Empty));
    // A line that is damaged is a record of its own.
    assert_eq!(lines(auto(&gzip(b"{\"a\":1}\n{\"b\":"))), ["{\"a\":1}", "{\"b\":"]);
}

#[test]
fn base64_is_undone_where_something_is_in_it() {
    assert_eq!(texts("eyJhIjoxfQ==", &[]), ["{\"a\":1}"]);
    assert_eq!(texts("\"eyJhIjoxfQ\"", &[]), ["{\"a\":1}"]);
    assert_eq!(texts("\"{\\\"a\\\":1}\"", &[]), ["{\"a\":1}"]);
    let packed = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, gzip(b"{\"a\":1}"));
    assert_eq!(texts(&packed, &[]), ["{\"a\":1}"]);
    assert_eq!(texts("\u{feff} {\"a\":1}", &[]), ["{\"a\":1}"]);
    // Blanks within it, and one that was cut: still what it was meant to be.
    assert_eq!(texts("ewogICAiYSI6MX0=", &[]), ["{\n   \"a\":1}"]);
    assert_eq!(texts("WyAidCJd", &[]), ["[ \"t\"]"]);
    assert_eq!(texts("eyJhIjox", &[]), ["{\"a\":1"]);
    // Words that are base64 of a brace or a bracket and of nothing else: found by a property, and by hand.
    for word in ["ewaaaaaa", "W0aaaaaa", "ewkiaaaaaaaa"] {
        assert_eq!(texts(word, &[]), [word]);
    }
}

#[test]
fn a_bomb_is_refused_and_held_nowhere() {
    let bomb = gzip(&vec![b' '; 64 << 20]);
    assert!(bomb.len() < 1 << 20);
    assert_eq!(reason(&auto(&bomb)), TOO_LARGE);
    let bomb = zstd::encode_all(&vec![b' '; 64 << 20][..], 3).expect("into memory");
    assert_eq!(reason(&auto(&bomb)), TOO_LARGE);
    assert_eq!(lines(auto(&gzip(&vec![b'1'; LONGEST])))[0].len(), LONGEST);
    let mut deep = gzip(b"{}");
    (0..LAYERS).for_each(|_| deep = gzip(&deep));
    assert_eq!(reason(&auto(&deep)), BAD_FRAME);
}

#[test]
fn what_is_damaged_says_how() {
    let mut cut = gzip(b"{\"a\":1}");
    cut.truncate(12);
    assert_eq!(reason(&auto(&cut)), BAD_FRAME);
    assert_eq!(reason(&auto(b"\x28\xb5\x2f\xfd\xff")), BAD_FRAME);
    // Without a registry it is said what is needed.
    let Found::Wrong(fault) = auto(b"\0\0\0\0\x01x") else { panic!("it cannot be read") };
    assert!(fault.why.contains("[registry.NAME]"), "{fault:?}");
}

#[test]
fn a_frame_of_aws_glue_is_named_and_says_what_to_do() {
    let id = *b"\x0b\xad\xca\xfe\x0b\xad\x4c\xaf\x8b\xad\x0b\xad\xca\xfe\x0b\xad";
    for packing in [0, 5] {
        let frame = [&[3, packing][..], &id, b"\x02a"].concat();
        let text = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &frame);
        for (wire, value) in [
            (Wire::default(), frame.as_slice()),
            (Wire::default(), text.as_bytes()),
            (Wire::new(Format::Confluent, None), frame.as_slice()),
        ] {
            let Found::Wrong(fault) = wire.read(Some(value), &[]) else { panic!("it is not read") };
            assert_eq!(fault.reason, GLUE_FRAME);
            assert!(
                fault.why.contains("0badcafe-0bad-4caf-8bad-0badcafe0bad") && fault.why.contains("JSON"),
                "{fault:?}"
            );
            assert_eq!(reason(&wire.again(&kept(value, &[]))), GLUE_FRAME, "kept, it is still one");
        }
        assert_eq!(reason(&Wire::default().read(Some(&frame), &[("ce_specversion", b"1.0")])), GLUE_FRAME);
    }
    // What only begins so is none.
    for value in [&b"\x03"[..], b"\x03\x00cut", b"\x03\x01abcdefghijklmnopqrstuvw"] {
        assert!(matches!(auto(value), Found::One(line) if is_same(&line, value)));
    }
}

#[test]
fn what_is_put_down_has_its_place_and_what_is_passed_over_is_counted() {
    use crate::ingest::feed::{FeedId, Records};
    use onus_engine::time::Moment;
    let mut records = Records::new(FeedId(0), 0, std::sync::Arc::from("here"));
    let deleted = b"{\"op\":\"d\",\"source\":{},\"before\":{},\"after\":null}";
    let many = gzip(b"{\"a\":1}\n{\"b\":2}\n");
    let values: [Option<&[u8]>; 6] = [Some(b"{}"), None, Some(&many), Some(deleted), Some(deleted), Some(b"\x1f\x8bx")];
    for (value, offset) in values.into_iter().zip(0..) {
        let came = Came { value, headers: &[], offset, next: offset + 1, arrived: Moment(0), longest: LONGEST };
        Wire::default().put(&came, || format!("place {offset}"), &mut records);
    }
    let places: Vec<(u64, u64)> = records.list.iter().map(|one| (one.offset, one.next)).collect();
    assert_eq!(places, [(0, 1), (2, 2), (2, 3), (5, 6)], "only the last of several goes on");
    let passed: Vec<_> = (*records.passed).into_iter().collect();
    assert_eq!(passed, [("deleted-row", 2), ("tombstone", 1)]);
    let wrong = records.list[3].wrong.as_deref();
    assert!(
        matches!(wrong, Some(Wrong::Wire { reason: BAD_FRAME, detail }) if detail.starts_with("place 5: ")),
        "{wrong:?}"
    );
}

#[test]
fn as_json_nothing_is_looked_for() {
    let wire = Wire::new(Format::Json, None);
    for value in [&b"{\"schema\":{},\"payload\":{}}"[..], b"eyJhIjoxfQ==", b"\0\0\0\0\x01x", &gzip(b"{}")] {
        assert_eq!(wire.read(Some(value), &[]), Found::One(Cow::Borrowed(value)));
    }
    let headers: [(&str, &[u8]); 1] = [("content-type", b"application/cloudevents-batch+json")];
    assert_eq!(lines(wire.read(Some(b"[1,2]"), &headers)), ["1", "2"]);
}

#[test]
fn where_all_have_frames_one_without_is_wrong() {
    let wire = Wire::new(Format::Confluent, None);
    assert_eq!(reason(&wire.read(Some(b"{}"), &[])), BAD_FRAME);
    assert_eq!(reason(&wire.read(Some(b""), &[])), BAD_FRAME);
}

#[test]
fn what_is_kept_of_a_record_is_a_text_and_is_read_again() {
    let wire = Wire::default();
    let zipped = gzip(b"{\"a\":1}");
    for (value, text) in [(&zipped[..], None), (b"{\"a\":1}", Some("{\"a\":1}"))] {
        let kept = kept(value, &[]);
        assert!(std::str::from_utf8(&kept).is_ok());
        text.inspect(|text| assert_eq!(text.as_bytes(), &*kept));
        assert_eq!(lines(wire.again(&kept)), ["{\"a\":1}"]);
    }
    let headers: [(&str, &[u8]); 2] = [("ce_specversion", b"1.0"), ("ce_id", b"7")];
    let kept = kept(&zipped, &headers);
    let want = "{\"specversion\":\"1.0\",\"id\":\"7\",\"datacontenttype\":\"application/json\",\"data\":{\"a\":1}}";
    assert_eq!(lines(wire.again(&kept)), [want]);
}

proptest::proptest! {
    /// Whatever bytes come, and whatever is kept of them, nothing panics and nothing is longer than a record.
    #[test]
    fn nothing_that_comes_is_a_panic(
        bytes in proptest::collection::vec(proptest::arbitrary::any::<u8>(), 0..200),
        head in proptest::sample::select(vec![&b""[..], b"\0\0\0\0\x01", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"{\"before\":", b"\"", b"[{"]),
    ) {
        let value = [head, &bytes].concat();
        let wire = Wire::default();
        let headers: [(&str, &[u8]); 1] = [("ce_specversion", b"1.0")];
        for headers in [&headers[..], &[]] {
            let found = lines(wire.read(Some(&value), headers));
            proptest::prop_assert!(found.iter().all(|line| line.len() <= 2 * LONGEST));
            wire.again(&kept(&value, headers));
        }
    }
}
