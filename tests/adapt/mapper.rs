//! Sources that a mapper describes: the pitfalls of customers' own tables, each by its name.

use super::feed::{HERE, code, decoded, says};
use onus::contract::{Library, load, mapper, mapper_problems, survey};
use onus::ingest::adapt::{Adapter, Answer, Record, State, tried};
use onus::mapper::Mapper;
use onus_engine::time::Moment;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Events that happened, a record each.
const LOG: &str = "
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
const ROWS: &str = "
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

fn read(text: &str) -> Mapper {
    mapper(text, "test.yaml").unwrap_or_else(|problems| panic!("{}", problems[0]))
}

struct Feed {
    adapter: Adapter,
    state: State,
}

impl Feed {
    fn of(text: &str) -> Feed {
        Feed { adapter: Adapter::mapped(&read(text), "urn:onus:test:globex"), state: State::default() }
    }

    fn read(&mut self, value: Value) -> Answer {
        self.text(&value.to_string())
    }

    fn text(&mut self, text: &str) -> Answer {
        self.adapter.read(&mut self.state, &Record { value: Some(text.as_bytes()), ..Record::default() })
    }
}

/// An entry of the log with other fields.
fn entry(with: Value) -> Value {
    merged(
        json!({"id": "e1", "kind": "evidence", "action": "upload", "at": "2026-03-02T08:00:00Z", "control": {"id": "AC-2"},
               "vendors": "A", "by": "mlind"}),
        with,
    )
}

/// A row with other fields.
fn row(n: i64, state: i64, with: Value) -> Value {
    let row = json!({"id": "r1", "n": n, "state": state, "key": "EXC-1", "vendor": "A", "updated": "2026-03-02 08:00:00",
                     "until": "2026-06-01T00:00:00Z"});
    merged(row, with)
}

fn merged(mut value: Value, with: Value) -> Value {
    if let (Some(value), Value::Object(with)) = (value.as_object_mut(), with) {
        value.extend(with);
    }
    value
}

fn log(with: Value) -> Answer {
    Feed::of(LOG).read(entry(with))
}

fn told(answer: &Answer) -> Vec<String> {
    assert!(answer.errors.is_empty(), "{:?}", answer.errors);
    answer.events.iter().map(|event| event.kind.to_string()).collect()
}

/// The one error's code and words.
fn why(answer: &Answer) -> (&'static str, &str) {
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
fn of_an_hour_that_came_twice_nothing_is_made_that_could_not_say_so() {
    let local =
        |time: &str| ROWS.replace("order: n\n", &format!("order: {{from: {time}, as: local, zone: Europe/Warsaw}}\n"));
    let answer = Feed::of(&local("updated")).read(row(1, 2, json!({"updated": "2026-10-25 02:30:00"})));
    assert!(
        why(&answer).0 == "bad-time" && why(&answer).1.contains("updated is of an hour that the clocks showed twice")
    );
    let ends = ROWS.replace("{from: until, as: rfc3339,", "{from: until, as: local, zone: Europe/Warsaw,");
    let answer = Feed::of(&ends).read(row(1, 3, json!({"until": "2026-10-25 02:30:00"})));
    assert!(why(&answer).0 == "bad-time" && why(&answer).1.contains("could be two instants"));
    assert_eq!(told(&Feed::of(&ends).read(row(1, 3, json!({"until": "2026-10-25 03:30:00"})))).len(), 2);
}

#[test]
fn a_proof_says_when_and_without_one_it_had_happened_by_the_time_of_the_row() {
    let mut feed = Feed::of(ROWS);
    let answer = feed.read(row(1, 2, json!({"asked": 1_772_400_000})));
    let event = &answer.events[0];
    assert_eq!((event.id.as_str(), event.quality.word()), ("r1:waiver.requested:1772400000000", "exact"));
    let answer = feed.read(row(4, 3, json!({"approved": 0, "approver": "iberg"})));
    let event = &answer.events[0];
    assert_eq!((event.id.as_str(), event.quality.word()), ("r1:4:waiver.approved", "upper-bound"));
    assert_eq!(event.at.to_string(), "2026-03-02T08:00:00.000Z");
    assert_eq!((says(&answer, "actor"), says(&answer, "sequence")), (json!("iberg"), json!("4")));
}

#[test]
fn a_proof_that_was_told_proves_nothing_new() {
    let mut feed = Feed::of(ROWS);
    let proof = json!({"asked": 1_772_400_000, "approved": "2026-03-01 09:00:00"});
    assert_eq!(told(&feed.read(row(1, 3, proof.clone()))), ["waiver.requested", "waiver.approved"]);
    assert_eq!(code(&feed.read(row(2, 2, proof.clone()))), "no-change");
    let again = feed.read(row(3, 3, merged(proof, json!({"updated": "2026-03-09 08:00:00"}))));
    let event = &again.events[0];
    assert_eq!(
        (event.id.as_str(), event.at.to_string().as_str()),
        ("r1:3:waiver.approved", "2026-03-09T08:00:00.000Z")
    );
}

#[test]
fn a_row_that_is_forgotten_and_seen_again_gives_the_ids_that_its_proofs_gave() {
    let proof = json!({"asked": 1_772_400_000, "approved": "2026-03-01 09:00:00"});
    let ids = |answer: Answer| answer.events.iter().map(|event| event.id.clone()).collect::<Vec<_>>();
    let mut feed = Feed::of(ROWS);
    let first = ids(feed.read(row(1, 3, proof.clone())));
    feed.state.forget("r1");
    assert_eq!(ids(feed.read(row(9, 3, proof))), first);
}

#[test]
fn a_row_that_is_not_newer_is_passed_over() {
    let mut feed = Feed::of(ROWS);
    feed.read(row(5, 2, json!({})));
    let before = feed.state.to_bytes();
    assert_eq!(code(&feed.read(row(5, 2, json!({"approver": "x"})))), "duplicate");
    assert_eq!(code(&feed.read(row(4, 3, json!({})))), "stale");
    assert_eq!(code(&feed.read(row(-1, 1, json!({})))), "stale");
    // One number, two states: nobody can tell which was first.
    let answer = feed.read(row(5, 3, json!({})));
    let (code, text) = why(&answer);
    assert!(code == "missing-id" && text.contains("`asked` and `approved` under one and the same number"), "{text}");
    assert_eq!(feed.state.to_bytes(), before);
}

#[test]
fn a_time_may_be_the_order() {
    let text = ROWS.replace("order: n\n", "order: {from: updated, as: local, zone: UTC}\n");
    let mut feed = Feed::of(&text);
    let at = |updated: &str, state: i64| row(0, state, json!({ "updated": updated }));
    assert_eq!(told(&feed.read(at("2026-03-02 08:00:00", 2))), ["waiver.requested"]);
    assert_eq!(code(&feed.read(at("2026-03-02 07:59:59", 3))), "stale");
    assert_eq!(code(&feed.read(at("2026-03-02 08:00:00", 2))), "duplicate");
    assert!(why(&feed.read(at("2026-03-02 08:00:00", 3))).1.contains("order by a counter"));
    assert_eq!(code(&feed.read(at("", 3))), "missing-time");
    assert_eq!(told(&feed.read(at("2026-03-02 08:00:01", 3))), ["waiver.approved"]);
}

#[test]
fn a_state_that_is_not_in_the_table_and_a_change_of_which_no_line_speaks_are_errors() {
    let mut feed = Feed::of(ROWS);
    assert_eq!(why(&feed.read(row(1, 9, json!({})))).0, "unmapped-state");
    assert!(feed.state.is_empty());
    feed.read(row(1, 4, json!({})));
    let answer = feed.read(row(2, 1, json!({})));
    assert_eq!(
        why(&answer),
        ("unmapped-state", "the row of `r1` went from `ended` to `draft`, and no line of `changes` speaks of that")
    );
    // It is read again when the line is there: nothing of it was remembered.
    assert_eq!(feed.state.get("r1").and_then(|row| row.get("order")), Some("1"));
}

#[test]
fn whose_it_is_and_what_it_is_about_stays_as_it_was_first_seen() {
    let mut feed = Feed::of(ROWS);
    feed.read(row(1, 1, json!({})));
    let moved = feed.read(row(2, 2, json!({"vendor": "B", "key": "EXC-9"})));
    assert_eq!((says(&moved, "partner"), says(&moved, "subject")), (json!("halden-pam"), json!("EXC-1")));
    let gone = feed.read(row(3, 4, json!({"vendor": null, "key": null})));
    assert_eq!(told(&gone), ["waiver.ended"]);
}

#[test]
fn a_field_that_must_be_there_holds_its_event_back_as_an_error_that_leaves_no_trace() {
    let mut feed = Feed::of(ROWS);
    feed.read(row(1, 2, json!({})));
    let before = feed.state.to_bytes();
    let answer = feed.read(row(2, 3, json!({"until": null})));
    assert_eq!(why(&answer), ("bad-field", "the field `ends` must be there, and nothing says it"));
    assert_eq!(feed.state.to_bytes(), before);
    assert_eq!(told(&feed.read(row(2, 3, json!({})))), ["waiver.approved"]);
}

#[test]
fn where_no_time_stands_the_time_of_receipt_says_so() {
    let mut feed = Feed::of(ROWS);
    let bytes = row(1, 2, json!({"updated": ""})).to_string();
    assert_eq!(code(&feed.text(&bytes)), "missing-time");
    let recorded = Some(Moment(1_772_500_000_000));
    let answer =
        feed.adapter.read(&mut feed.state, &Record { value: Some(bytes.as_bytes()), recorded, ..Record::default() });
    assert_eq!((answer.events[0].at, answer.events[0].quality.word()), (Moment(1_772_500_000_000), "received"));
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

#[test]
fn a_stamp_is_of_what_is_told_and_not_of_remarks() {
    let stamp = |text: &str| Adapter::mapped(&read(text), "urn:x").stamp();
    let remarks = format!(
        "# why\n{}says: what it is\nexamples: [{{name: a, records: [{{value: null, skips: tombstone}}]}}]\n",
        LOG.trim_start()
    );
    assert_eq!(stamp(LOG), stamp(&remarks));
    // `onus fmt` puts keys in order.
    assert_eq!(stamp(LOG), stamp(&onus::contract::format(LOG, "log").expect("a form")));
    assert_ne!(stamp(LOG), stamp(&LOG.replace("B2: berth-iam", "B2: halden-pam")));
}

fn shipped() -> Vec<(String, String)> {
    let folder = format!("{HERE}/config/mappers");
    let mut all: Vec<_> = std::fs::read_dir(folder)
        .expect("config/mappers")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| (path.display().to_string(), std::fs::read_to_string(&path).expect("text")))
        .collect();
    all.sort();
    all
}

#[test]
fn each_mapper_that_ships_has_nothing_wrong_with_it_and_its_examples_hold() {
    let all = shipped();
    assert!(all.len() >= 3, "only {} mappers", all.len());
    for (name, text) in all {
        let problems = mapper_problems(&text, &name);
        assert!(problems.is_empty(), "{}", problems[0]);
        let (count, differences) = tried(&read(&text));
        assert!(count >= 5 && differences.is_empty(), "{name}: {count} records, {differences:?}");
    }
}

#[test]
fn a_mapper_among_contracts_is_linted_and_judges_nobody() {
    let library = Library::default();
    let paths = [format!("{HERE}/config/mappers"), format!("{HERE}/examples/w1/w1.yaml")].map(PathBuf::from);
    assert_eq!(load(&paths, &library).expect("they load").len(), 1);
    let none = load(&paths[..1], &library).expect_err("no contract");
    assert_eq!(none[0].code.as_str(), "E502");
    let broken = PathBuf::from(format!("{HERE}/tests/contracts/broken/mapper-of-nothing.yaml"));
    assert!(load(&[broken.clone(), paths[1].clone()], &library).is_ok());
    let today = chrono::NaiveDate::from_ymd_opt(2026, 6, 1).expect("a date");
    let found = survey(&[broken], &library, today);
    assert_eq!((found.problems.len(), found.contracts.len(), found.files), (2, 0, 1));
}

#[test]
fn an_example_that_does_not_hold_says_what_came() {
    let text = format!(
        "{}examples:\n  - name: wrong\n    records:\n      - {{value: {}, tells: {{type: evidence.submitted, partner: berth-iam, data: {{note: x, reason: null}}}}}}\n      - {{value: null, skips: tombston}}\n      - {{value: 4, tells: evidence.submitted}}\n",
        LOG.trim_start(),
        entry(json!({}))
    );
    let (count, differences) = tried(&read(&text));
    assert_eq!((count, differences.len()), (3, 3));
    let what = differences[0].what.join("\n");
    assert_eq!(
        what,
        "wanted: evidence.submitted, partner \"berth-iam\"\ncame:   evidence.submitted, partner \"halden-pam\"\nwanted: evidence.submitted, data.note \"x\"\ncame:   evidence.submitted, data.note null"
    );
    assert!(
        differences[1].what[0] == "wanted: skips tombston"
            && differences[1].what[2].starts_with("there is no such code")
    );
    assert_eq!(
        differences[2].what,
        ["wanted: tells evidence.submitted", "came:   fails unknown-envelope: the record is `4`, and no object"]
    );
}

/// Rows and entries, some bent, in some order.
fn records() -> impl Strategy<Value = (&'static str, Vec<Value>, usize)> {
    let bent = prop::sample::select(vec![
        json!({}),
        json!({"key": null, "control": 4}),
        json!({"vendor": ["A", "B"], "vendors": ["A", "B"]}),
        json!({"until": "soon", "files": [4]}),
        json!({"approved": "2026-03-29 02:30:00", "due": "x"}),
        json!({"updated": "", "at": 0}),
    ]);
    let record = (0i64..3, 0i64..6, 0i64..6, bent).prop_map(|(id, n, state, bent)| {
        let one = json!({"id": id, "n": n, "state": state, "asked": 1_772_400_000 + n, "action": state.to_string()});
        merged(merged(merged(entry(json!({})), row(n, state, json!({}))), one), bent)
    });
    (prop::sample::select(vec![LOG, ROWS]), prop::collection::vec(record, 1..30), any::<prop::sample::Index>())
        .prop_map(|(text, records, cut)| (text, records.clone(), cut.index(records.len())))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn replaying_from_any_earlier_position_with_its_state_changes_nothing((text, records, cut) in records()) {
        let mut feed = Feed::of(text);
        let read = |records: &[Value], feed: &mut Feed| records.iter().map(|r| feed.read(r.clone())).collect::<Vec<_>>();
        let mut answers = read(&records[..cut], &mut feed);
        let then = feed.state.to_bytes();
        answers.extend(read(&records[cut..], &mut feed));
        let mut again = Feed::of(text);
        again.state = State::from_bytes(&then).expect("what was written is read");
        prop_assert_eq!(&read(&records[cut..], &mut again), &answers[cut..]);
        prop_assert_eq!(again.state.to_bytes(), feed.state.to_bytes());
    }

    #[test]
    fn an_error_leaves_no_trace_and_what_is_told_is_an_event((text, records, _) in records()) {
        let mut feed = Feed::of(text);
        let mut ids = std::collections::BTreeMap::new();
        for record in records {
            let before = feed.state.to_bytes();
            let answer = feed.read(record);
            prop_assert!(!(answer.events.is_empty() && answer.skips.is_empty() && answer.errors.is_empty()));
            if !answer.errors.is_empty() {
                prop_assert!(answer.events.is_empty());
                prop_assert_eq!(feed.state.to_bytes(), before);
            }
            for event in &answer.events {
                let mut line = String::new();
                event.write(&mut line);
                prop_assert!(decoded(&line).is_ok(), "{}", line);
                // Of rows an id is one event; a log's ids are its own.
                if text == ROWS {
                    prop_assert!(ids.insert(event.id.clone(), line).is_none(), "{} twice", event.id);
                }
            }
        }
    }
}
