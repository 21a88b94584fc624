//! Sources that a mapper describes: two mappers, and the pitfalls of logs, of values and of times.

use super::feed::{code, decoded, says};
use onus::contract::mapper;
use onus::ingest::adapt::{Adapter, Answer, Record, State};
use onus::mapper::Mapper;
use onus_engine::time::Moment;
use serde_json::{Value, json};

/// Events that happened, a record each.
pub(crate) const LOG: &str = "
mapper: evidence
events: [badge.returned]
takes: {topics: [grc.evidence, grc.eu.*], where: {kind: [evidence, badge], deleted: {exists: false}}}
id: id
type: {from: action, table: {upload: evidence.submitted, badge: badge.returned, view: nothing, \"1\": evidence.accepted}}
time: {from: [at, logged], as: rfc3339}
subject: {from: [control.id, key]}
partner: {from: vendors, table: {A: halden-pam, B: berth-iam, B2: berth-iam}}
actor: {from: by, nobody: [system], type: human}
links: {ticket: {from: ticket, like: \"INC[0-9]{7}\"}}
data:
  reason: {from: why, table: {\"1\": stale, true: asked}}
  note: note
  count: {from: n, as: number}
  final: {from: final, as: truth}
  groups: {from: groups, as: list}
  due: {from: due, as: end-of-day, zone: Europe/Warsaw}
  evidence: {from: files, as: evidence, uri: href, sha256: digest}
";

/// Rows as they are now.
pub(crate) const ROWS: &str = "
mapper: exceptions
id: id
order: n
state: {from: state, table: {\"1\": draft, \"2\": asked, \"3\": approved, \"4\": ended}}
first-sight: {draft: nothing, asked: waiver.requested, approved: [waiver.requested, waiver.approved], ended: nothing}
changes:
  - {from: draft, to: asked, tells: waiver.requested}
  - {from: [draft, asked], to: approved, tells: waiver.approved}
  - {from: approved, to: asked, tells: nothing}
  - {from: any, to: ended, tells: waiver.ended}
time: {from: updated, as: local, zone: UTC}
subject: key
partner: {from: vendor, table: {A: halden-pam, B: berth-iam}}
tells:
  waiver.requested: {time: {from: asked, as: epoch-seconds}}
  waiver.approved: {time: {from: approved, as: local, zone: Europe/Warsaw}, actor: approver, data: {ends: {from: until, as: rfc3339, required: true}}}
";

pub(crate) fn read(text: &str) -> Mapper {
    mapper(text, "test.yaml").unwrap_or_else(|problems| panic!("{}", problems[0]))
}

pub(crate) struct Feed {
    pub(crate) adapter: Adapter,
    pub(crate) state: State,
}

impl Feed {
    pub(crate) fn of(text: &str) -> Feed {
        Feed { adapter: Adapter::mapped(&read(text), "urn:onus:test:globex"), state: State::default() }
    }

    pub(crate) fn read(&mut self, value: Value) -> Answer {
        self.text(&value.to_string())
    }

    pub(crate) fn text(&mut self, text: &str) -> Answer {
        self.adapter.read(&mut self.state, &Record { value: Some(text.as_bytes()), ..Record::default() })
    }
}

/// An entry of the log with other fields.
pub(crate) fn entry(with: Value) -> Value {
    merged(
        json!({"id": "e1", "kind": "evidence", "action": "upload", "at": "2026-03-02T08:00:00Z", "control": {"id": "AC-2"},
               "vendors": "A", "by": "mlind"}),
        with,
    )
}

/// A row with other fields.
pub(crate) fn row(n: i64, state: i64, with: Value) -> Value {
    let row = json!({"id": "r1", "n": n, "state": state, "key": "EXC-1", "vendor": "A", "updated": "2026-03-02 08:00:00",
                     "until": "2026-06-01T00:00:00Z"});
    merged(row, with)
}

pub(crate) fn merged(mut value: Value, with: Value) -> Value {
    if let (Some(value), Value::Object(with)) = (value.as_object_mut(), with) {
        value.extend(with);
    }
    value
}

pub(crate) fn log(with: Value) -> Answer {
    Feed::of(LOG).read(entry(with))
}

pub(crate) fn told(answer: &Answer) -> Vec<String> {
    assert!(answer.errors.is_empty(), "{:?}", answer.errors);
    answer.events.iter().map(|event| event.kind.to_string()).collect()
}

/// The one error's code and words.
pub(crate) fn why(answer: &Answer) -> (&'static str, &str) {
    assert!(answer.events.is_empty(), "{answer:?}");
    (code(answer), &answer.errors.first().expect("an error").1)
}

#[test]
fn an_entry_is_an_event_with_what_is_named_and_nothing_else() {
    let answer = log(json!({"ticket": "INC0010482", "note": "short", "n": "7", "final": true, "groups": ["a", "b"],
        "comment": "Leaked key", "why": 1, "due": "2026-03-29",
        "files": [{"href": "https://f/1", "digest": "AB".repeat(32), "name": "Ben Okafor.xlsx"}]}));
    let mut line = String::new();
    answer.events[0].write(&mut line);
    let event: Value = serde_json::from_str(&line).expect("JSON");
    let digest = event["data"]["rawdigest"].clone();
    let wanted = json!({
        "specversion": "1.0", "id": "e1", "source": "urn:onus:test:globex", "type": "evidence.submitted",
        "time": "2026-03-02T08:00:00.000Z", "subject": "AC-2", "partner": "halden-pam", "partitionkey": "halden-pam",
        "correlationid": "INC0010482", "timequality": "exact", "onusschema": 1,
        "data": {"actor": "mlind", "actortype": "human", "ticket": "INC0010482", "reason": "stale", "note": "short", "count": 7,
                 "final": true, "groups": ["a", "b"], "due": "2026-03-29T22:00:00.000Z",
                 "evidence": [{"uri": "https://f/1", "sha256": "ab".repeat(32)}], "rawdigest": digest},
    });
    assert_eq!(event, wanted);
    decoded(&line).expect("the decoder takes it");
}

#[test]
fn null_missing_and_blank_are_nothing() {
    for nothing in [json!(null), json!(""), json!("  "), json!([])] {
        let with = json!({"by": nothing, "note": nothing, "n": nothing, "final": nothing, "groups": nothing, "files": nothing,
            "ticket": nothing, "why": nothing, "due": nothing});
        let answer = log(with);
        let names: Vec<&str> = answer.events[0].data.iter().map(|(name, _)| name.as_ref()).collect();
        assert_eq!(names, ["actor", "actortype", "rawdigest"], "{nothing}");
        assert_eq!(says(&answer, "actor"), Value::Null);
        let codes = ["id", "at", "vendors", "action"].map(|key| code(&log(json!({ key: nothing }))));
        assert_eq!(codes, ["missing-id", "missing-time", "unknown-partner", "unmapped-state"], "{nothing}");
        assert_eq!(code(&log(json!({"control": {"id": nothing}}))), "missing-subject", "{nothing}");
    }
}

#[test]
fn what_is_of_another_kind_is_an_error_that_names_its_place() {
    for (with, code, piece) in [
        (json!({"id": ["e1"]}), "missing-id", "id is a list, and no id"),
        (json!({"id": 4.5}), "missing-id", "no whole one"),
        (json!({"control": {"id": {"value": 1}}}), "missing-subject", "control.id is an object, and no text"),
        (json!({"vendors": {"name": "A"}}), "unknown-partner", "vendors is an object"),
        (json!({"vendors": "C"}), "unknown-partner", "vendors is `C`, and the table has no such row"),
        (json!({"at": true}), "bad-time", "at is `true`, and no text of a time"),
        (json!({"by": {"id": 1}}), "bad-field", "the actor: by is an object, and no name"),
        (json!({"note": true}), "bad-field", "the field `note`: note is `true`, and no text"),
        (json!({"n": "many"}), "bad-field", "n is `many`, and no whole number"),
        (json!({"final": "yes"}), "bad-field", "final is `yes`, and no truth"),
        (json!({"groups": [{"a": 1}]}), "bad-field", "groups is an object, and no text"),
        (json!({"why": "2"}), "unmapped-state", "the field `reason`: why is `2`"),
        (json!({"files": "https://f/1"}), "bad-field", "href is nothing, and no reference"),
        (json!({"files": [{"href": "https://f/1", "digest": "abc"}]}), "bad-field", "digest is `abc`, and no SHA-256"),
        (
            json!({"action": "download"}),
            "unmapped-state",
            "action is `download`, and the table under `type` has no such row",
        ),
        (json!({"action": {"x": 1}}), "unmapped-state", "no word"),
    ] {
        let answer = log(with);
        let (found, text) = why(&answer);
        assert!(found == code && text.contains(piece), "{piece}: {found} {text}");
    }
    assert_eq!(code(&Feed::of(LOG).text("[1]")), "not-relevant");
    assert_eq!(code(&Feed::of(LOG).text("4")), "unknown-envelope");
    assert_eq!(code(&Feed::of(LOG).text("{\"id\": 1, \"id\": 2}")), "not-json");
}

#[test]
fn a_huge_text_is_cut_and_a_huge_name_refused() {
    let answer = log(json!({"note": "ł".repeat(200_000)}));
    assert_eq!(says(&answer, "note").as_str().map(str::len), Some(4096));
    assert_eq!(code(&log(json!({"id": "x".repeat(2000)}))), "too-large");
    assert_eq!(code(&log(json!({"control": {"id": "x".repeat(2000)}}))), "too-large");
    assert_eq!(code(&log(json!({"files": {"href": format!("https://{}", "x".repeat(3000))}}))), "bad-field");
    assert_eq!(code(&log(json!({"id": "a\u{0}b"}))), "missing-id");
}

#[test]
fn a_record_that_does_not_fit_is_passed_over_by_name() {
    let mut feed = Feed::of(LOG);
    for with in [json!({"kind": "mail"}), json!({"kind": null}), json!({"deleted": "2026"}), json!({"action": "view"})]
    {
        assert_eq!(code(&feed.read(entry(with))), "not-relevant");
    }
    let bytes = entry(json!({})).to_string();
    let mut of = |topic| {
        code(&feed.adapter.read(&mut feed.state, &Record { value: Some(bytes.as_bytes()), topic, ..Record::default() }))
    };
    assert_eq!(
        ["grc.evidence", "grc.eu.x", "grc.evidence.x", "grc"].map(|topic| of(Some(topic))),
        ["", "", "not-relevant", "not-relevant"]
    );
    assert_eq!(of(None), "");
}

#[test]
fn two_partners_are_an_error_and_two_names_of_one_are_not() {
    assert_eq!(says(&log(json!({"vendors": ["B", "B2", ""]})), "partner"), "berth-iam");
    let answer = log(json!({"vendors": ["A", "B"]}));
    assert_eq!(why(&answer), ("ambiguous-partner", "vendors names `halden-pam` and `berth-iam`"));
    assert_eq!(code(&log(json!({"vendors": ["A", "C"]}))), "unknown-partner");
}

#[test]
fn types_of_its_own_are_told_and_values_are_compared_as_words() {
    assert_eq!(told(&log(json!({"action": "badge"}))), ["badge.returned"]);
    assert_eq!(told(&log(json!({"action": 1}))), ["evidence.accepted"]);
    assert_eq!(says(&log(json!({"why": true})), "reason"), "asked");
}

#[test]
fn a_fact_of_which_other_feeds_tell_copies_has_their_key() {
    let mut feed = Feed::of(&format!("{LOG}factkey: version\n"));
    assert_eq!(says(&feed.read(entry(json!({"version": 7}))), "factkey"), "evidence.submitted|AC-2|7");
    assert_eq!(says(&feed.read(entry(json!({"version": null}))), "factkey"), Value::Null);
    assert_eq!(code(&feed.read(entry(json!({"version": [7]})))), "bad-field");
}

#[test]
fn nobody_is_nobody_and_a_remark_is_no_link() {
    let answer = log(json!({"by": "system", "ticket": "see INC0010482"}));
    assert_eq!((says(&answer, "actor"), says(&answer, "actortype")), (Value::Null, json!("service")));
    assert_eq!(says(&answer, "ticket"), Value::Null);
    assert_eq!(says(&log(json!({"by": null})), "actortype"), "unknown");
    assert_eq!(says(&log(json!({"by": 44})), "actor"), "44");
}

#[test]
fn a_time_without_a_zone_in_a_gap_or_of_zero_is_no_time() {
    for at in ["2026-03-02T08:00:00", "2026-03-02 08:00:00", "02/03/2026", "1970-01-01T00:00:00Z"] {
        assert_eq!(code(&log(json!({ "at": at }))), "bad-time", "{at}");
    }
    // Zero is written for nothing, in whatever form.
    for zero in [json!(0), json!("")] {
        assert_eq!(code(&log(json!({ "at": zero }))), "missing-time");
    }
    let approved = |at: &str| Feed::of(ROWS).read(row(1, 3, json!({"asked": 1_772_000_000, "approved": at})));
    let gap = approved("2026-03-29 02:30:00");
    let (code, text) = why(&gap);
    assert!(code == "bad-time" && text.contains("no clock of Europe/Warsaw has shown"), "{text}");
    let twice = approved("2026-10-25 02:30:00");
    let event = &twice.events[1];
    assert_eq!((event.at, event.quality.word()), (Moment(1_792_891_800_000), "upper-bound"));
    let exact = approved("2026-03-02 09:00:00");
    assert_eq!(
        (exact.events[1].at.to_string(), exact.events[1].quality.word()),
        ("2026-03-02T08:00:00.000Z".into(), "exact")
    );
    for ms in [json!(1_772_000_000_000_i64), json!(-5), json!("soon"), json!([1])] {
        assert_eq!(super::feed::code(&Feed::of(ROWS).read(row(1, 2, json!({ "asked": ms })))), "bad-time", "{ms}");
    }
    let day = |day: &str| log(json!({ "due": day }));
    assert_eq!(super::feed::code(&day("29.03.2026")), "bad-time");
    assert_eq!(super::feed::code(&day("2026-02-30")), "bad-time");
    assert_eq!(says(&day("2026-12-31"), "due"), "2026-12-31T23:00:00.000Z");
}

#[test]
fn one_bad_item_spoils_no_other() {
    let mut feed = Feed::of(&LOG.replace("id: id\ntype", "each: batch.items\nid: id\ntype"));
    let items =
        json!([entry(json!({})), entry(json!({"id": "e2", "at": "soon"})), entry(json!({"id": "e3", "kind": "mail"}))]);
    let answer = feed.read(json!({"batch": { "items": items }}));
    assert_eq!((answer.events.len(), answer.errors.len(), answer.skips.len()), (1, 1, 1));
    assert_eq!(code(&feed.read(json!({"batch": {}}))), "not-relevant");
    assert_eq!(code(&feed.read(json!({"batch": {"items": []}}))), "not-relevant");
    assert_eq!(code(&feed.read(json!({"batch": {"items": {}}}))), "unknown-envelope");
}

#[test]
fn connect_s_envelope_and_tombstones_are_read_as_of_every_source() {
    let mut feed = Feed::of(LOG);
    assert_eq!(told(&feed.read(json!({"schema": {}, "payload": entry(json!({}))}))), ["evidence.submitted"]);
    assert_eq!(code(&feed.text("null")), "tombstone");
    assert_eq!(told(&feed.read(json!(entry(json!({})).to_string()))), ["evidence.submitted"]);
}
