//! Random terms and stories: small numbers and few instants, so that clashes are common.

use crate::story::{Event, Further, Limits, PauseTerms, Reopen, Sentence, Span, Story, Terms, Tick, TicketTerms, Unit};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

const LAST: Tick = 24;
const UNITS: [Unit; 3] =
    [Unit { word: "s", seconds: 1 }, Unit { word: "min", seconds: 60 }, Unit { word: "h", seconds: 3600 }];

/// One file of events under one contract.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) unit: Unit,
    pub(crate) terms: Terms,
    pub(crate) stories: Vec<Story>,
    /// After the last event, or at it.
    pub(crate) slack: Tick,
    /// Two orders of arrival.
    pub(crate) seeds: [u64; 2],
}

pub(crate) fn run(stories: usize) -> impl Strategy<Value = Run> {
    (select(UNITS.to_vec()), terms(), vec(story(), stories), 0..=20_i64, any::<[u64; 2]>()).prop_map(
        |(unit, mut terms, stories, slack, seeds)| {
            if unit.word != "h" {
                terms.obligations.iter_mut().for_each(|(_, sentence)| by_day_and_night(sentence));
            }
            Run { unit, terms, stories, slack, seeds }
        },
    )
}

/// Calendars open and close at full hours, so only ticks of an hour meet them.
fn by_day_and_night(sentence: &mut Sentence) {
    if let Sentence::Ticket(terms) = sentence {
        terms.limits.rows.iter_mut().for_each(|(_, span)| span.business = false);
        terms.limits.star.iter_mut().for_each(|span| span.business = false);
        terms.limits.further.iter_mut().for_each(|further| further.span.business = false);
    }
}

fn terms() -> impl Strategy<Value = Terms> {
    let tickets = vec(ticket_terms(), 3).prop_map(|all| all.into_iter().map(Sentence::Ticket).collect::<Vec<_>>());
    let windows = select(vec![vec![(9, 17)], vec![(2, 5), (8, 12), (14, 15)], vec![(0, 24)], vec![(0, 1), (6, 24)]]);
    (windows, tickets, [1..12_i64, 1..12_i64, 1..12_i64, 1..12_i64]).prop_map(|(windows, mut sentences, spans)| {
        let [revoke, evidence, age, review] = spans;
        sentences.extend([
            Sentence::Revoke(revoke),
            Sentence::Evidence(evidence),
            Sentence::Age(age),
            Sentence::Authorised,
            Sentence::FourEyes,
            Sentence::Attributed,
            Sentence::Reviewed(review),
        ]);
        Terms { windows, obligations: (1..).map(|n| format!("D{n}")).zip(sentences).collect() }
    })
}

fn ticket_terms() -> impl Strategy<Value = TicketTerms> {
    let acts = prop_oneof![
        4 => Just(vec!["resolved"]),
        1 => Just(vec!["resolved", "closed"]),
        1 => Just(vec!["acknowledged"]),
        1 => Just(vec!["acknowledged", "resolved"]),
    ];
    let reasons = option::of(prop_oneof![Just(vec!["a"]), Just(vec!["a", "b"])]);
    let by = option::of(select(vec!["customer", "partner"]));
    let pause = option::weighted(0.8, (reasons, by).prop_map(|(reasons, by)| PauseTerms { reasons, by }));
    let reopen = prop_oneof![3 => Just(Reopen::Resume), 1 => Just(Reopen::New), 1 => Just(Reopen::Ignore)];
    let reprioritise = prop_oneof![
        4 => Just((false, None)),
        1 => Just((true, None)),
        1 => (1..5_i64).prop_map(|n| (false, Some(n))),
    ];
    let clocks = (limits(), reprioritise);
    (acts, clocks, pause, reopen, option::of(1..8_i64)).prop_map(|(acts, clocks, pause, reopen, window)| {
        let (mut limits, (restart, min_remaining)) = clocks;
        // Not from the act itself: the rules do not say whether an act that stops the clock begins a limit first.
        if acts.contains(&"acknowledged") {
            limits.further.iter_mut().for_each(|further| further.from.retain(|kind| *kind != "ticket.acknowledged"));
        }
        let reopen = if acts.contains(&"acknowledged") { Reopen::Ignore } else { reopen };
        let window = window.filter(|_| reopen == Reopen::Resume);
        TicketTerms { acts, limits, pause, reopen, window, restart, min_remaining }
    })
}

fn limits() -> impl Strategy<Value = Limits> {
    let rows = (subsequence(vec!["P1", "P2", "P3"], 2..=3), vec(span(), 3), option::weighted(0.3, span()));
    let table = prop_oneof![
        1 => span().prop_map(|span| (Vec::new(), Some(span))),
        4 => rows.prop_map(|(names, spans, star)| (names.into_iter().zip(spans).collect(), star)),
    ];
    (table, option::weighted(0.35, further())).prop_map(|((rows, star), further)| Limits { rows, star, further })
}

fn span() -> impl Strategy<Value = Span> {
    (1..24_i64, prop::bool::weighted(0.3)).prop_map(|(ticks, business)| Span { ticks, business })
}

fn further() -> impl Strategy<Value = Further> {
    let from = subsequence(vec!["ticket.acknowledged", "ticket.assigned"], 0..=2);
    (span(), from, any::<bool>()).prop_map(|(span, from, latest)| Further { span, from, latest })
}

/// Before it has an id.
type Draft = (String, &'static str, Tick, Map<String, Value>);

fn story() -> impl Strategy<Value = Story> {
    let drafts = prop_oneof![4 => ticket(), 1 => emergency(), 2 => change(), 2 => credential()];
    let numbers = option::weighted(0.2, Just((0..24_u16).collect::<Vec<_>>()).prop_shuffle());
    (drafts, numbers, vec(any::<u16>(), 24), vec(0..12_u8, 24), vec((0..=LAST, 0..3_i64), 24)).prop_map(
        |(drafts, numbers, ties, luck, others)| {
            let mut events = Vec::new();
            for (n, (subject, kind, at, data)) in drafts.into_iter().enumerate() {
                let id = format!("{:04x}-{n}", ties[n]);
                let event =
                    Event { id, subject, kind, at, data, recorded: None, sequence: numbers.as_ref().map(|all| all[n]) };
                match luck[n] {
                    0 => events.extend([event.clone(), event]),
                    // Two contents under one id: which counts is a matter of when they were recorded.
                    1 => {
                        let (at, later) = others[n];
                        let twin = Event { at, recorded: Some(2 * LAST + 1), ..event.clone() };
                        events.extend([Event { recorded: Some(2 * LAST + 2 * later), ..event }, twin]);
                    }
                    _ => events.push(event),
                }
            }
            Story { events }
        },
    )
}

fn data(fields: &[(&str, Option<Value>)]) -> Map<String, Value> {
    fields.iter().filter_map(|(key, value)| value.clone().map(|value| ((*key).to_owned(), value))).collect()
}

fn texts(values: &'static [&'static str]) -> impl Strategy<Value = Option<Value>> {
    option::weighted(0.8, select(values).prop_map(|text| json!(text)))
}

fn ticket() -> BoxedStrategy<Vec<Draft>> {
    let kind = prop_oneof![
        2 => Just("ticket.acknowledged"),
        2 => Just("ticket.assigned"),
        4 => Just("ticket.paused"),
        4 => Just("ticket.resumed"),
        3 => Just("ticket.reprioritised"),
        5 => Just("ticket.resolved"),
        1 => Just("ticket.closed"),
        4 => Just("ticket.reopened"),
        1 => Just("ticket.cancelled"),
    ];
    let side = texts(&["customer", "customer", "partner", "unknown"]);
    let act = (kind, 0..=LAST, texts(&["a", "b", "c"]), side, select(vec!["P1", "P2", "P3", "P1", "P2", "P3", "P4"]))
        .prop_map(|(kind, at, reason, side, priority)| {
            let fields = match kind {
                "ticket.paused" => data(&[("reason", reason), ("side", side)]),
                "ticket.resumed" => data(&[("reason", reason)]),
                "ticket.reprioritised" => data(&[("priority", Some(json!(priority)))]),
                _ => Map::new(),
            };
            ("INC1".to_owned(), kind, at, fields)
        });
    let opened = option::weighted(0.95, (0..8_i64, texts(&["P1", "P2", "P3", "P1", "P2", "P3", "P4"])));
    (opened, vec(act, 0..10))
        .prop_map(|(opened, mut drafts)| {
            let opened =
                opened.map(|(at, priority)| ("INC1".to_owned(), "ticket.opened", at, data(&[("priority", priority)])));
            drafts.extend(opened);
            drafts
        })
        .boxed()
}

fn emergency() -> BoxedStrategy<Vec<Draft>> {
    let names = || subsequence(vec!["svc-a", "svc-b", "svc-c"], 0..=3);
    let opened = (select(vec!["INC1", "INC2"]), 0..12_i64, names(), 0..5_u8).prop_map(|(ticket, at, names, other)| {
        let control = if other == 0 { "onboarding" } else { "emergency-revocation" };
        let named = (!names.is_empty()).then(|| json!(names));
        (ticket.to_owned(), "ticket.opened", at, data(&[("control", Some(json!(control))), ("credential", named)]))
    });
    let revoked = (select(vec!["svc-a", "svc-b", "svc-c"]), 0..=LAST, texts(&["INC1", "INC2"]));
    let revoked =
        revoked.prop_map(|(name, at, ticket)| (name.to_owned(), "credential.revoked", at, data(&[("ticket", ticket)])));
    let ended = (select(vec!["ticket.cancelled", "ticket.resolved"]), 0..=LAST)
        .prop_map(|(kind, at)| ("INC1".to_owned(), kind, at, Map::new()));
    (vec(opened, 1..=2), vec(revoked, 0..6), vec(ended, 0..2))
        .prop_map(|(mut opened, revoked, ended)| {
            // A second opening of one ticket is another story.
            opened.dedup_by(|a, b| a.0 == b.0);
            [opened, revoked, ended].concat()
        })
        .boxed()
}

fn change() -> BoxedStrategy<Vec<Draft>> {
    let privileged = || select(vec![None, Some(Value::Null), Some(json!(true)), Some(json!(false))]);
    let actor = || texts(&["ann", "bob"]);
    let requested = (0..16_i64, privileged())
        .prop_map(|(at, p)| ("CHG1".to_owned(), "change.requested", at, data(&[("privileged", p)])));
    let approved = (0..=LAST, texts(&["customer", "partner"]), actor()).prop_map(|(at, side, actor)| {
        ("CHG1".to_owned(), "change.approved", at, data(&[("side", side), ("actor", actor)]))
    });
    let executed = (0..=LAST, actor())
        .prop_map(|(at, actor)| ("CHG1".to_owned(), "change.executed", at, data(&[("actor", actor)])));
    let evidence =
        select(vec![None, Some(json!([])), Some(json!(["s3://e/1"])), Some(json!(["s3://e/1", "s3://e/2"]))]);
    let closed =
        (0..=LAST, evidence).prop_map(|(at, e)| ("CHG1".to_owned(), "change.closed", at, data(&[("evidence", e)])));
    (option::of(requested), vec(approved, 0..3), vec(executed, 0..=2), vec(closed, 0..4))
        .prop_map(|(requested, approved, executed, closed)| {
            [requested.into_iter().collect(), approved, executed, closed].concat()
        })
        .boxed()
}

fn credential() -> BoxedStrategy<Vec<Draft>> {
    let kind = prop_oneof![3 => Just("credential.rotated"), 1 => Just("credential.revoked")];
    let actor = select(vec![None, Some(Value::Null), Some(json!("ann")), Some(json!("bob"))]);
    let act =
        (kind, 0..=LAST, actor).prop_map(|(kind, at, actor)| ("svc-a".to_owned(), kind, at, data(&[("actor", actor)])));
    let names = select(vec![json!("svc-a"), json!(["svc-b", "svc-a"]), json!(["svc-b"])]);
    let review = (select(vec!["REV1", "REV2"]), 0..=LAST, names)
        .prop_map(|(name, at, names)| (name.to_owned(), "review.completed", at, data(&[("credential", Some(names))])));
    let created = option::of(0..12_i64);
    (created, vec(act, 0..6), vec(review, 0..6))
        .prop_map(|(created, mut drafts, reviews)| {
            drafts.extend(reviews);
            drafts.extend(created.map(|at| ("svc-a".to_owned(), "credential.created", at, Map::new())));
            drafts
        })
        .boxed()
}
