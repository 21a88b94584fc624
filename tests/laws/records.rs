//! Random events: few subjects, coarse instants so that ties are frequent, late and repeated arrivals, conflicting copies.

use proptest::prelude::*;
use serde_json::{Value, json};

pub(crate) const HALF_HOUR: i64 = 30 * 60_000;
/// Monday 2026-03-23 07:00 UTC: the week before the clocks in Europe go forward.
pub(crate) const BASE: i64 = 1_774_249_200_000;

/// One event, and when copies of it arrive.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) source: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) partner: &'static str,
    pub(crate) subject: &'static str,
    pub(crate) at: i64,
    pub(crate) recorded: Option<i64>,
    pub(crate) sequence: Option<u8>,
    pub(crate) factkey: Option<String>,
    pub(crate) data: Vec<(&'static str, Value)>,
    /// So long after `at`, in milliseconds; one arrival each.
    pub(crate) lags: Vec<i64>,
}

impl Record {
    /// As a line of JSON.
    pub(crate) fn line(&self) -> String {
        let mut out = json!({
            "specversion": "1.0", "id": self.id, "source": self.source, "type": self.kind, "partner": self.partner,
            "subject": self.subject, "time": shown(self.at),
        });
        let mut put = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                out[key] = value;
            }
        };
        put("recordedtime", self.recorded.map(|at| json!(shown(at))));
        put("sequence", self.sequence.map(|n| json!(n.to_string())));
        put("factkey", self.factkey.as_ref().map(|key| json!(key)));
        put(
            "data",
            (!self.data.is_empty()).then(|| self.data.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect()),
        );
        out.to_string()
    }
}

pub(crate) fn shown(ms: i64) -> String {
    onus_engine::time::Moment(ms).to_string()
}

/// All arrivals: (instant, line), in order.
pub(crate) fn arrivals(records: &[Record]) -> Vec<(i64, String)> {
    let mut out: Vec<(i64, usize, String)> = Vec::new();
    for (i, record) in records.iter().enumerate() {
        out.extend(record.lags.iter().map(|lag| (record.at + lag, i, record.line())));
    }
    out.sort();
    out.into_iter().map(|(at, _, line)| (at, line)).collect()
}

/// Each once, in order of event time.
pub(crate) fn in_order(records: &[Record]) -> Vec<String> {
    let mut sorted: Vec<&Record> = records.iter().collect();
    sorted.sort_by_key(|r| r.at);
    sorted.into_iter().map(Record::line).collect()
}

/// How records are drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draw {
    pub(crate) most: usize,
    /// Other content under a known id, other sources' copies, sequences.
    pub(crate) tricks: bool,
    /// Such copies may be of another time.
    pub(crate) moved: bool,
    /// Events of a second partner.
    pub(crate) two: bool,
    /// Subjects go from one partner to another.
    pub(crate) handed: bool,
    /// Waivers that the partner as a whole is granted.
    pub(crate) wide: bool,
}

pub(crate) const ALL: Draw = Draw { most: 14, tricks: true, moved: true, two: false, handed: false, wide: true };

/// What an event is drawn from; every part shrinks towards the plainest.
type Seeds = ((usize, usize, i64, u8), [u8; 6], (u8, u8, u8), Vec<i64>);

pub(crate) fn records(draw: Draw) -> impl Strategy<Value = Vec<Record>> {
    let step = prop_oneof![4 => Just(1i64), 2 => Just(4), 1 => Just(24)];
    let kind = prop::sample::select(KINDS.iter().enumerate().flat_map(|(i, k)| vec![i; k.1]).collect::<Vec<_>>());
    let instant = (0i64..26, prop_oneof![12 => Just(0u8), 1 => 1u8..4]);
    let lag = prop_oneof![3 => Just(0i64), 1 => 0i64..30];
    let lags = prop_oneof![4 => prop::collection::vec(lag.clone(), 1), 1 => prop::collection::vec(lag, 2..4)];
    let seed = prop_oneof![1 => Just(0u8), 2 => any::<u8>()];
    let seeds = prop::array::uniform6(seed);
    let one =
        ((kind, 0usize..6, instant).prop_map(|(k, s, (at, j))| (k, s, at, j)), seeds, any::<(u8, u8, u8)>(), lags);
    (step, prop::collection::vec(one, 1..draw.most)).prop_map(move |(step, drawn)| {
        let mut out: Vec<Record> = Vec::new();
        for (i, one) in drawn.into_iter().enumerate() {
            let record = build(i, one, step * HALF_HOUR, draw, &out);
            out.push(record);
        }
        out
    })
}

fn build(
    i: usize,
    ((kind, subject, at, jitter), seeds, (trick, which, order), lags): Seeds,
    step: i64,
    draw: Draw,
    before: &[Record],
) -> Record {
    let (kind, _, subjects) = KINDS[kind];
    let subjects = if draw.wide || !kind.starts_with("waiver") { subjects } else { &subjects[..2] };
    let at = BASE + at * step + [0, 1, -1, 7 * 60_000][usize::from(jitter)];
    let mut record = Record {
        id: format!("e{i}"),
        source: ["urn:desk", "urn:desk", "urn:low", "urn:other"][usize::from(seeds[5] % 4)],
        kind,
        partner: if draw.two && order % 3 == 1 { "bb" } else { "aa" },
        subject: subjects[subject % subjects.len()],
        at,
        recorded: None,
        sequence: None,
        factkey: None,
        data: fields(kind, seeds, step, at),
        lags: lags.into_iter().map(|lag| lag * step).collect(),
    };
    if draw.handed && order % 5 == 4 && record.subject != "aa" {
        // Of whatever it is.
        let sides = [("aa", "bb"), ("bb", "aa"), ("aa", "unowned"), ("unowned", "bb"), ("bb", "unowned"), ("aa", "bb")];
        let (from, to) = sides[usize::from(order / 5) % sides.len()];
        record.kind = "subject.rehomed";
        record.data = vec![("from", json!(from)), ("to", json!(to))];
    }
    if !draw.tricks {
        return record;
    }
    if order.is_multiple_of(7) && order > 0 {
        record.sequence = Some(order / 7);
    }
    if let (190..200, Some(other)) = (trick, before.get(usize::from(which) % before.len().max(1))) {
        // The same again, heard of earlier or later.
        let recorded = Some(other.at + (i64::from(order) - 60) * 60_000);
        return Record { recorded, lags: record.lags, ..other.clone() };
    }
    if let (200.., Some(other)) = (trick, before.get(usize::from(which) % before.len().max(1))) {
        match trick {
            // Another content, or another time, under a known id.
            200..=227 => {
                // A handover without its two sides is no event.
                let blank = other.kind == "subject.rehomed" && record.kind != other.kind;
                let (data, lags) = (if blank { other.data.clone() } else { record.data }, record.lags);
                record =
                    Record { at: if trick < 214 || !draw.moved { other.at } else { at }, data, lags, ..other.clone() };
                record.recorded = (order % 2 == 0).then_some(record.at + i64::from(order) * 1000);
            }
            // Another source's copy of one fact.
            228.. => {
                let key = format!("k-{}", other.id);
                let (id, source) = (if trick < 240 { other.id.clone() } else { record.id }, "urn:copy");
                let at = if draw.moved { at } else { other.at };
                record = Record { id, source, at, lags: record.lags, factkey: Some(key), ..other.clone() };
            }
            _ => {}
        }
    }
    record
}

type Kind = (&'static str, usize, &'static [&'static str]);

const T: &[&str] = &["T1", "T1", "T2"];
const H: &[&str] = &["H1", "H1", "H2"];
const C: &[&str] = &["C1", "C1", "C2"];
const E: &[&str] = &["E1", "E1", "E2"];

/// Type, weight, subjects.
const KINDS: &[Kind] = &[
    ("ticket.opened", 8, T),
    ("ticket.resolved", 6, T),
    ("ticket.acknowledged", 4, T),
    ("ticket.unacknowledged", 1, T),
    ("ticket.assigned", 4, T),
    ("ticket.paused", 5, T),
    ("ticket.resumed", 4, T),
    ("ticket.pause-confirmed", 2, T),
    ("ticket.pause-voided", 1, T),
    ("ticket.reprioritised", 3, T),
    ("ticket.reopened", 4, T),
    ("ticket.closed", 2, T),
    ("ticket.cancelled", 1, T),
    ("ticket.merged", 2, T),
    ("ticket.noted", 1, T),
    ("change.requested", 2, H),
    ("change.approved", 4, H),
    ("change.executed", 4, H),
    ("change.failed", 2, H),
    ("change.rolled-back", 2, H),
    ("change.closed", 2, H),
    ("credential.created", 4, C),
    ("credential.rotated", 5, C),
    ("credential.rotation-failed", 3, C),
    ("credential.revoked", 4, C),
    ("credential.disabled", 3, C),
    ("credential.enabled", 3, C),
    ("review.completed", 2, &["R1", "aa"]),
    ("attestation.submitted", 2, &["A1", "aa"]),
    ("evidence.submitted", 3, E),
    ("evidence.accepted", 3, E),
    ("evidence.rejected", 2, E),
    ("waiver.approved", 2, &["W1", "T1", "aa"]),
    ("waiver.ended", 1, &["W1", "T1", "aa"]),
];

fn fields(kind: &str, [a, b, c, d, e, _]: [u8; 6], step: i64, at: i64) -> Vec<(&'static str, Value)> {
    let mut out: Vec<(&'static str, Value)> = Vec::new();
    let pick = |seed: u8, of: &[Value]| of[usize::from(seed) % of.len()].clone();
    let none = Value::Null;
    let mut put = |name: &'static str, value: Value| {
        if !value.is_null() {
            out.push((name, value));
        }
    };
    let priority = [none.clone(), json!("P1"), json!("P2"), json!("P3")];
    let side = [none.clone(), json!("customer"), json!("partner")];
    let role = [none.clone(), none.clone(), json!("owner"), json!("customer.owner"), json!("desk")];
    let actor = [none.clone(), json!("ann"), json!("bob")];
    let credential = [none.clone(), none.clone(), json!("C1"), json!(["C1", "C2"]), json!("C2")];
    let ticket = [none.clone(), none.clone(), json!("T1"), json!("T2")];
    let change = [none.clone(), none.clone(), json!("H1"), json!("H2")];
    let privileged = [none.clone(), json!(true), json!(false)];
    match kind {
        "ticket.opened" | "ticket.assigned" | "ticket.reprioritised" => {
            put("priority", pick(a, &priority));
            put("control", pick(b, &[none.clone(), json!("revocation"), json!("revocation"), json!("other")]));
            put("credential", pick(c, &credential));
            put("change", pick(d, &change));
            put("privileged", pick(e / 16, &privileged));
            if e % 4 == 1 {
                put("occurred_at", json!(shown(at - i64::from(e / 4) % 8 * step)));
            }
            if d % 3 == 1 {
                put("due_at", json!(shown(at + (i64::from(d / 3) % 10 - 2) * step)));
            }
            put("actor", pick(e / 64, &actor));
        }
        "ticket.paused" | "ticket.resumed" | "ticket.pause-confirmed" | "ticket.pause-voided" => {
            put("reason", pick(a, &[none.clone(), json!("waiting"), json!("parts"), json!("waiting")]));
            put("side", pick(b, &side));
            put("role", pick(c, &role));
        }
        "ticket.merged" => put("into", pick(a, &[none.clone(), json!("T1"), json!("T2"), json!("T3")])),
        "waiver.approved" | "waiver.ended" => {
            put("side", pick(a, &[json!("customer"), json!("customer"), json!("partner"), none.clone()]));
            put("role", pick(b, &[json!("owner"), none.clone(), json!("desk")]));
            put("obligations", pick(c, &[none.clone(), json!(["o1"]), json!(["o2", "o1"])]));
            put("ticket", pick(d, &ticket));
            put("credential", pick(d / 4, &credential));
            if e % 4 == 1 {
                put("starts", json!(shown(at + (i64::from(e / 4) % 8 - 4) * step)));
            }
            if e % 4 > 1 {
                put("ends", json!(shown(at + i64::from(e / 4) % 8 * step)));
            }
        }
        _ => {
            put("side", pick(a, &side));
            put("role", pick(a / 4, &role));
            put("actor", pick(b, &actor));
            if b % 3 == 1 {
                put("due_at", json!(shown(at + (i64::from(b / 3) % 10 - 2) * step)));
            }
            put("ticket", pick(c, &ticket));
            put("change", pick(d, &change));
            put("privileged", pick(e, &privileged));
            put("evidence", pick(e / 8, &[none.clone(), json!(["uri:1"]), none.clone(), json!("E1")]));
            put("kind", pick(e / 32, &[json!("log"), json!("log"), json!("other")]));
            put("credential", pick(e / 16, &credential));
        }
    }
    out
}
