//! Lines that are read by their shape are read as the parser would.

use super::{EAGER, FORKS, MANY, SELDOM, Shapes};
use crate::contract;
use crate::decode::{Batch, Decoder};
use onus_engine::book::Book;
use onus_engine::time::Moment;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::sync::Arc;

fn decoder() -> Decoder {
    let contract = contract::parse(include_str!("../../../examples/w1/w1.yaml"), "w1").expect("the contract loads");
    Decoder::new(Arc::new(Book::new(&[contract])), Moment(4_000_000_000_000))
}

/// What is read of some lines, and how many of them the parser had to read.
fn read(decoder: &mut Decoder, lines: &[u8]) -> (String, u64) {
    let before = decoder.shapes.departed;
    let mut batch = Batch::default();
    decoder.lines(lines, 1, &mut batch);
    (format!("{batch:?}"), decoder.shapes.departed - before)
}

fn event(data: &str) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"e-1","source":"urn:desk","type":"change.closed","time":"2026-01-05T09:12:33.120Z","subject":"CHG1","partner":"p0001","sequence":"7","data":{{{data}}}}}"#
    )
}

/// A decoder that has read one event with these data fields.
fn taught(data: &str) -> Decoder {
    let mut decoder = decoder();
    assert_eq!(read(&mut decoder, event(data).as_bytes()).1, 1, "the first is never known");
    decoder
}

#[test]
fn a_line_like_one_before_is_read_without_the_parser() {
    let fields =
        r#""summary":"a \"b\" \\ c","control":"firewall","n":1,"evidence":["a"],"caller":{"name":"x","of":null}"#;
    let mut decoder = taught(fields);
    let other = r#""summary":null,"control":"","n":[ "a" , "" ],"evidence":[],"caller":{"name":"É\n","of":true}"#;
    for other in [fields, other] {
        let line = event(other).replace("e-1", "e-another").replace(r#""7""#, "12").replace(r#""p0001""#, "null");
        for line in [line.clone(), format!("{line}\r\n")] {
            // A number is another form than a text, and learned by itself.
            read(&mut decoder, line.as_bytes());
            let fresh = read(&mut self::decoder(), line.as_bytes()).0;
            assert_eq!(read(&mut decoder, line.as_bytes()), (fresh, 0), "{line}");
        }
    }
}

#[test]
fn what_a_shape_cannot_say_is_left_to_the_parser() {
    let odd = [
        r#""control":"a\"b""#,
        r#""control":"\u0041""#,
        r#""control":"\u0000""#,
        "\"control\":\"\t\"",
        r#""control":-1"#,
        r#""control":1.5"#,
        r#""control":1e3"#,
        r#""control":012"#,
        r#""control":1234567890123456789012"#,
        r#""control":{"uri":"x"}"#,
        r#""control":[1]"#,
        r#""control":["a",]"#,
        r#""control":["a" "b"]"#,
        r#""control":[["a"]]"#,
        r#""control":truefalse"#,
        r#""control":nul"#,
        r#""control":"a","control":"b""#,
        r#""control":null,"control":"b""#,
        r#""summary":"\u0041""#,
        r#""summary":"\q""#,
        r#""summary":"\"#,
        r#""control":"#,
    ];
    for data in odd {
        let mut decoder = taught(r#""control":"a""#);
        read(&mut decoder, event(r#""control":1"#).as_bytes());
        read(&mut decoder, event(r#""summary":"a""#).as_bytes());
        let known = decoder.shapes.places.len();
        let line = event(data);
        for line in [line.as_str(), &format!("{line}x"), &line[..line.len() - 1]] {
            assert_eq!(read(&mut decoder, line.as_bytes()).0, read(&mut self::decoder(), line.as_bytes()).0, "{line}");
            assert_eq!(decoder.shapes.places.len(), known, "{line}");
        }
    }
}

#[test]
fn sources_without_a_shape_cost_a_bounded_memory_and_do_not_keep_others_from_being_known() {
    let mut decoder = decoder();
    let odd = |n: usize| event(&format!(r#""k{n}":1,"l{n}":[],"m{n}":"","n{n}":null"#));
    let mut most = 0;
    for n in 0..40 * FORKS {
        read(&mut decoder, odd(n).as_bytes());
        most = most.max(decoder.shapes.places.len());
    }
    assert!((FORKS..=MANY).contains(&most), "{most}");
    let usual = event(r#""control":"a""#);
    let learned = (0..SELDOM).map(|_| read(&mut decoder, usual.as_bytes()).1).sum::<u64>();
    assert!(decoder.shapes.departed > EAGER && learned <= SELDOM);
    assert_eq!(read(&mut decoder, usual.as_bytes()).1, 0);
}

/// Members of an event, each with values that it may have, the usual ones first.
const MEMBERS: [(&str, &[&str]); 13] = [
    ("specversion", &[r#""1.0""#, r#""1.0""#, r#""1.0""#, r#""0.3""#, "null"]),
    ("id", &[r#""e-1""#, r#""e-22222222""#, r#""É""#, r#""a\u0041""#, r#""""#, "null", "5"]),
    ("source", &[r#""urn:desk""#, r#""urn:vault:p0001""#, r#""\\u0000""#, r#""\u0000""#]),
    ("type", &[r#""change.closed""#, r#""ticket.opened""#, r#""onus.tick""#, r#""no.such""#]),
    (
        "time",
        &[r#""2026-01-05T09:12:33.120Z""#, r#""2026-01-05T10:12:33+01:00""#, r#""today""#, r#""2126-01-05T09:12:33Z""#],
    ),
    ("subject", &[r#""CHG0000001""#, r#""INC1""#, r#""a\nb""#]),
    ("partner", &[r#""p0001""#, r#""p0002""#, r#""""#, "null", "true"]),
    ("recordedtime", &[r#""2026-01-05T09:12:34Z""#, "null", "[]"]),
    ("sequence", &[r#""1""#, "7", "1.0", "true", "null", r#""""#, "[]", r#"["1"]"#, r#""\t""#]),
    ("factkey", &[r#""k""#, r#""""#, "null"]),
    ("timequality", &[r#""exact""#, r#""received""#]),
    ("datacontenttype", &[r#""application/json""#, r#""text/plain""#, r#""a\/b""#, "null"]),
    ("extra", &[r#""a""#, r#""a\"b\\""#, r#""\u00e9""#, "1", "-0.5e3", "[1,[2]]", "{}", r#"{"a":{"b":"c"},"d":null}"#]),
];

const FIELDS: [&str; 6] = ["priority", "control", "credential", "evidence", "summary", "caller"];

const VALUES: [&str; 22] = [
    r#""P1""#,
    r#""onboarding""#,
    r#""svc-000001, of one kind or another""#,
    "null",
    "true",
    "false",
    "12",
    "[]",
    r#"["https://example.org/1"]"#,
    r#"["a","b"]"#,
    r#"[ "a" , "" ]"#,
    r#""""#,
    r#""a\"b""#,
    "0",
    "-0",
    "01",
    "4.0",
    "[1]",
    r#"{"uri":"x"}"#,
    r#"{"a":"b","c":{}}"#,
    r#"["a",]"#,
    "\"\u{7f}\u{1}\"",
];

prop_compose! {
    /// Lines whose members stand in the same order, with the same white space between them.
    fn alike()(
        order in Just((0..MEMBERS.len()).collect::<Vec<_>>()).prop_shuffle(),
        present in 0..MEMBERS.len(),
        fields in proptest::collection::vec(select(&FIELDS[..]), 0..4),
        data_at in any::<Index>(),
        twice in proptest::option::weighted(0.1, any::<Index>()),
        space in select(&["", "", " ", "\t", "  "][..]),
        fillings in proptest::collection::vec(
            (proptest::collection::vec(prop_oneof![5 => Just(0usize), 1 => 0..9usize], 14), proptest::collection::vec(0..VALUES.len(), 4)),
            1..6,
        ),
    ) -> Vec<String> {
        // Most events have all that they must have: what may be absent is what comes last.
        let mut order: Vec<usize> = order.into_iter().filter(|member| *member < 7 || *member <= present).collect();
        if let Some(twice) = twice {
            order.push(*twice.get(&order.clone()));
        }
        let data_at = data_at.index(order.len() + 1);
        fillings.into_iter().map(|(values, data)| {
            let member = |name: &str, value: &str| format!("\"{name}\":{space}{value}");
            let mut members: Vec<String> = order.iter().zip(&values).map(|(which, value)| {
                let (name, known) = MEMBERS[*which];
                member(name, known[value % known.len()])
            }).collect();
            let data: Vec<String> = fields.iter().zip(data).map(|(name, value)| member(name, VALUES[value])).collect();
            members.insert(data_at, format!("\"data\":{space}{{{}}}", data.join(&format!(",{space}"))));
            format!("{{{}}}", members.join(&format!(",{space}")))
        }).collect()
    }
}

proptest! {
    #[test]
    fn a_line_says_the_same_whatever_stood_before_it(
        sources in proptest::collection::vec(alike(), 1..4),
        edits in proptest::collection::vec((any::<Index>(), any::<Index>(), proptest::option::of(any::<u8>()), any::<bool>()), 0..6),
    ) {
        let mut lines: Vec<Vec<u8>> = sources.into_iter().flatten().map(String::into_bytes).collect();
        for (which, at, byte, insert) in edits {
            let mut edited = lines[which.index(lines.len())].clone();
            let at = at.index(edited.len());
            edited.splice(at..if insert { at } else { at + 1 }, byte.filter(|b| *b != b'\n'));
            lines.push(edited);
        }
        let mut decoder = decoder();
        for round in 0..3 {
            for line in &lines {
                let alone = read(&mut self::decoder(), line).0;
                prop_assert_eq!(read(&mut decoder, line).0, alone, "round {}: {}", round, String::from_utf8_lossy(line));
            }
        }
        let all = lines.join(&b'\n');
        let (known, _) = read(&mut decoder, &all);
        let (mut batch, mut unshaped) = (Batch::default(), self::decoder());
        for line in &lines {
            unshaped.shapes = Shapes::default();
            unshaped.lines(line, batch.lines + 1, &mut batch);
        }
        prop_assert_eq!(known, format!("{batch:?}"));
    }
}
