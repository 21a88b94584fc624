//! What the laws have caught, each as small as it became.

use crate::world::{Name, Stands, Told, World, unlike};
use onus_engine::standing::Standing;
use onus_engine::time::{HOUR, Millis, Moment};

const HEAD: &str = "contract: halden
partner: [aa, bb]
customer: northwind
effective: 2026-01-01T00:00:00Z
zone: Europe/Amsterdam
calendar: office
roles: {customer.owner: \"mail:owner@northwind.example\"}
calendars:
  office: {zone: Europe/Amsterdam, hours: {mon-fri: \"09:00-17:00\"}, holidays: [2026-03-25]}
defaults: {trust: asserted}
";

/// A case: obligations, events, and the last word. Instants are days of March 2026 and times of day, UTC.
struct Case {
    yaml: String,
    until: Moment,
    settling: Option<Millis>,
}

impl Case {
    fn new(obligations: &str, until: &str) -> Case {
        Case { yaml: format!("{HEAD}obligations:\n{obligations}"), until: at(until), settling: None }
    }

    fn settling(self, hours: i64) -> Case {
        Case { settling: Some(hours * HOUR), ..self }
    }

    /// Hears the events in this order.
    fn after(&self, events: &[String]) -> World {
        let contract = onus::contract::parse(&self.yaml, "found.yaml").expect("it loads");
        let mut world = World::of(&[contract], self.settling);
        for line in events {
            world.hear(line);
        }
        world.finish(self.until);
        world
    }

    fn stands(&self, events: &[String], obligation: &str, subject: &str) -> Vec<Stands> {
        let outcome = self.after(events).outcome();
        let of =
            outcome.stands.into_iter().filter(|(name, _)| (name.1.as_str(), name.2.as_str()) == (obligation, subject));
        of.map(|(_, stands)| stands).collect()
    }

    fn standing(&self, events: &[String], obligation: &str, subject: &str) -> Vec<Standing> {
        self.stands(events, obligation, subject).into_iter().map(|s| s.standing).collect()
    }
}

fn at(text: &str) -> Moment {
    let (day, time) = text.split_once(' ').expect("a day and a time");
    Moment::parse(&format!("2026-03-{day}T{time}:00Z")).expect("an instant")
}

/// `23 07:00 T1 opened change=H1`
fn event(n: usize, text: &str) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let [day, time, subject, verb, fields @ ..] = &words[..] else { panic!("no event: {text}") };
    let kind = match subject.as_bytes()[0] {
        b'T' => "ticket",
        b'H' => "change",
        b'C' => "credential",
        b'R' => "review",
        _ => "waiver",
    };
    let mut line = serde_json::json!({
        "specversion": "1.0", "id": format!("e{n}"), "source": "urn:desk", "type": format!("{kind}.{verb}"),
        "subject": subject, "partner": "aa", "time": at(&format!("{day} {time}")).to_string(), "data": {},
    });
    for (key, value) in fields.iter().map(|f| f.split_once('=').expect("a field")) {
        match key {
            "id" | "source" | "factkey" => line[key] = value.into(),
            "recordedtime" => line[key] = at(&value.replace('_', " ")).to_string().into(),
            "occurred_at" | "starts" | "ends" => line["data"][key] = at(&value.replace('_', " ")).to_string().into(),
            _ => line["data"][key] = value.into(),
        }
    }
    line.to_string()
}

fn events(all: &[&str]) -> Vec<String> {
    all.iter().enumerate().map(|(n, text)| event(n, text)).collect()
}

#[test]
fn what_is_linked_only_after_it_happened_and_settled_still_counts() {
    let case = Case::new("- {id: o1, clause: a, when: ticket.assigned, do: change.executed, within: 4h}", "30 07:00");
    let told = ["23 07:00 T2 assigned", "23 19:00 H1 executed", "30 07:00 H1 approved ticket=T2"];
    assert_eq!(case.standing(&events(&told), "o1", "T2"), [Standing::MetLate]);
    let settling = case.settling(0).after(&events(&told)).outcome();
    assert_eq!(settling.ledger.values().map(|t| t.standing).collect::<Vec<_>>(), [Standing::MetLate]);
}

/// Between a member's fact and the copy of an earlier one that comes long after, everybody has left memory.
#[test]
fn the_copy_of_a_member_s_fact_that_comes_late_changes_only_what_it_changes() {
    let duty = "- {id: o1, clause: a, when: ticket.opened, within: 4h, do: {any: [credential.rotated, credential.revoked], \
                of: {every: credential, where: {ticket: {same-as: ticket}}}}}";
    let case = Case::new(duty, "24 19:00");
    let told = [
        "23 07:00 C2 rotated ticket=T2 id=e1",
        "23 07:00 T1 opened",
        "23 09:00 T2 opened",
        "23 15:00 C2 revoked",
        "24 19:00 T1 resolved",
        "23 07:00 C2 rotated ticket=T2 id=e1 source=urn:copy factkey=k-e1",
    ];
    let kept = case.after(&events(&told)).outcome();
    let settling = case.settling(0).after(&events(&told));
    assert_eq!(settling.breaks, Vec::<String>::new());
    assert_eq!(settling.outcome().ledger, kept.ledger);
}

/// Whoever comes back from the archive comes back as it was told: before the news that brings it back.
#[test]
fn who_joins_a_population_late_is_owed_the_act_by_those_who_have_left_memory() {
    let duty = "- {id: o1, clause: a, when: ticket.assigned, within: 4h, do: {in-order: [credential.rotated, \
                credential.revoked], of: {every: credential, where: {actor: [ann, bob]}}}}";
    let case = Case::new(duty, "24 01:00");
    let told = ["23 07:00 C2 rotated", "23 07:00 T1 assigned", "24 01:00 T2 opened", "23 07:00 C2 created actor=ann"];
    let kept = case.after(&events(&told)).outcome();
    assert_eq!(kept.ledger.values().map(|t| t.standing).collect::<Vec<_>>(), [Standing::Breached]);
    let settling = case.settling(0).after(&events(&told));
    assert_eq!(settling.breaks, Vec::<String>::new());
    assert_eq!(settling.outcome().ledger, kept.ledger);
}

/// That an account is off is kept as long as it lives, and the latest word on it is what counts.
#[test]
fn who_was_turned_off_long_before_is_off_when_everybody_has_left_memory() {
    let duty = "- {id: o1, clause: a, when: ticket.assigned, within: 4h, do: {any: [credential.disabled, \
                credential.revoked], of: {every: credential, where: {actor: [ann, bob]}}}}";
    let off = [
        "23 07:00 C1 created actor=ann",
        "23 07:10 C2 created actor=ann",
        "23 07:20 C1 disabled",
        "23 07:30 C2 disabled",
        "23 07:40 C2 enabled",
        "23 07:50 C2 disabled",
        "24 07:00 T1 assigned",
    ];
    let on = [&off[..], &["24 08:00 T2 opened", "23 07:55 C1 enabled"]].concat();
    // What chooses it was told as it was turned off, and is kept longer.
    let again =
        ["23 07:00 C1 created", "23 07:20 C1 disabled actor=ann", "23 07:40 C1 enabled", "24 07:00 T1 assigned"];
    let all = [(&off[..], Standing::Met), (&on[..], Standing::Breached), (&again[..], Standing::Breached)];
    for (told, standing) in all {
        let case = Case::new(duty, "24 15:00");
        let kept = case.after(&events(told)).outcome();
        assert_eq!(kept.ledger.values().map(|t| t.standing).collect::<Vec<_>>(), [standing]);
        let settling = case.settling(0).after(&events(told));
        assert_eq!(settling.breaks, Vec::<String>::new());
        assert_eq!(settling.outcome().ledger, kept.ledger);
    }
}

/// What was merged stays as long as what it was merged into: news about it is news about that duty.
#[test]
fn what_is_linked_to_a_merged_ticket_reaches_the_one_it_was_merged_into() {
    let duty = "- {id: o1, clause: a, when: ticket.opened, do: ticket.closed, within: [{must: 8h}, {must: 2h, from: \
                change.approved}]}";
    let case = Case::new(duty, "23 17:00");
    let told = ["23 08:30 T1 opened", "23 10:00 T1 merged into=T2", "23 16:30 H1 approved ticket=T1"];
    let kept = case.after(&events(&told)).outcome();
    let settling = case.settling(0).after(&events(&told)).outcome();
    assert_eq!(settling.ledger, kept.ledger);
}

/// A merged ticket that has left memory begins nothing when it is heard of again.
#[test]
fn a_merged_ticket_begins_nothing_after_it_has_left_memory() {
    let duty = "- {id: o1, clause: a, when: {any: [{event: ticket.opened, time: occurred_at}, ticket.assigned]}, \
                do: ticket.resolved, within: 3 business hours}";
    let case = Case::new(duty, "24 03:00");
    let told = ["23 07:00 T2 merged into=T1", "24 03:00 T2 assigned"];
    let kept = case.after(&events(&told)).outcome();
    let settling = case.settling(0).after(&events(&told)).outcome();
    assert_eq!(settling.ledger, kept.ledger);
}

/// A duty that begins before its anchor's event was told reads what was done elsewhere since, settled or not.
#[test]
fn a_back_dated_duty_reads_the_past_of_what_it_links_to() {
    let duty = "- {id: o1, clause: a, when: {event: ticket.opened, time: occurred_at}, do: change.executed, within: 3 \
                business hours}";
    let case = Case::new(duty, "24 13:00");
    let told =
        ["23 11:00 H1 executed", "24 13:00 T1 opened id=e9 change=H1", "24 13:00 T1 opened id=e9 occurred_at=23_11:00"];
    let kept = case.after(&events(&told)).outcome();
    let settling = case.settling(0).after(&events(&told)).outcome();
    assert_eq!(settling.ledger, kept.ledger);
}

/// Everybody has left memory when an act is undone on the subject on which a duty had found it.
#[test]
fn an_act_that_is_undone_elsewhere_long_after_takes_the_verdict_back() {
    let duty = "- {id: o1, clause: a, when: ticket.opened, do: change.executed, within: 4h}";
    let case = Case::new(duty, "30 09:00");
    let told = ["23 07:00 T1 opened", "23 08:00 H1 executed ticket=T1", "30 07:00 H1 rolled-back"];
    let kept = case.after(&events(&told)).outcome();
    assert_eq!(kept.ledger.values().map(|t| t.standing).collect::<Vec<_>>(), [Standing::Open]);
    let settling = case.settling(0).after(&events(&told)).outcome();
    assert_eq!(settling.ledger, kept.ledger);
}

/// The part of a day in which a chain begins anew is not that day's duty a second time.
#[test]
fn a_day_has_one_duty_whatever_begins_in_it() {
    let obligations = "  - {id: o1, clause: a, when: {event: ticket.opened, time: occurred_at}, do: ticket.resolved, within: 3 business hours}
  - {id: o2, clause: b, when: {breached: o1}, every: day, do: {any: [evidence.submitted, review.completed]}, until: ticket.assigned}
";
    let line = |id: &str, kind: &str, time: &str, data: &str| {
        format!(
            r#"{{"specversion":"1.0","id":"{id}","source":"urn:desk","type":"{kind}","time":"{}","subject":"T1","partner":"aa","data":{data}}}"#,
            at(time)
        )
    };
    let paused = |id: &str, kind: &str, time: &str| line(id, kind, time, r#"{"reason":"waiting"}"#);
    let first = paused("e0", "ticket.paused", "23 07:00");
    let opened = line("e2", "ticket.opened", "23 07:00", "{}");
    let again = line("e1", "ticket.opened", "30 19:00", r#"{"occurred_at":"2026-03-30T07:00:00.000Z"}"#);
    let parts = [paused("x1", "ticket.resumed", "23 07:30"), paused("x2", "ticket.paused", "23 07:30")];
    let case = Case::new(obligations, "30 19:00");
    for events in [
        vec![first.clone(), opened.clone(), again.clone()],
        vec![first.clone(), opened.clone(), parts[0].clone(), parts[1].clone(), again.clone()],
        vec![first.clone(), again.clone()],
        vec![opened.clone(), again.clone()],
    ] {
        let mut days: Vec<_> = case.stands(&events, "o2", "T1").into_iter().map(|s| s.start).collect();
        let many = days.len();
        days.sort();
        days.dedup();
        assert_eq!(days.len(), many);
    }
    // What begins with a duty that began before its news goes on like any other.
    let case = Case::new(obligations, "31 19:00");
    let days: Vec<_> = case.stands(&[first, again], "o2", "T1").into_iter().map(|s| s.start).collect();
    assert_eq!(days.len(), 2, "{days:?}");
}

/// A guardrail was broken before anybody had heard that far: once they have, it is told, whoever has left memory meanwhile.
#[test]
fn a_quota_that_was_broken_before_it_was_heard_is_told_when_it_is() {
    let contract = "contract: halden
partner: [aa, bb]
customer: northwind
effective: 2026-01-01T00:00:00Z
zone: Europe/Amsterdam
calendar: office
roles: {customer.owner: \"mail:owner@northwind.example\", partner.desk: \"mail:desk@halden.example\"}
calendars:
  office: {zone: Europe/Amsterdam, hours: {mon-fri: \"09:00-17:00\"}, holidays: [2026-03-25]}
defaults: {trust: asserted}
controls: {revocation: {risk-owner: customer.owner, scope: {credentials: [\"C*\"]}, guardrails: [{event: credential.rotated, at-most: 1 each day}]}}
obligations:
  - id: o1
    clause: \"1\"
    when: ticket.opened
    do: ticket.resolved
    within: 4h
  - id: o2
    clause: \"2\"
    every: day
    do: evidence.submitted
";
    let contract = onus::contract::parse(contract, "found.yaml").expect("it loads");
    let told = [
        r#"{"data":{"kind":"log"},"id":"e0","partner":"aa","source":"urn:desk","specversion":"1.0","subject":"C1","time":"2026-03-23T07:00:00.000Z","type":"credential.rotated"}"#,
        r#"{"data":{"kind":"log"},"factkey":"k-e0","id":"e0","partner":"aa","source":"urn:copy","specversion":"1.0","subject":"C1","time":"2026-03-23T07:00:00.000Z","type":"credential.rotated"}"#,
        r#"{"data":{"kind":"log"},"id":"e1","partner":"aa","source":"urn:desk","specversion":"1.0","subject":"E1","time":"2026-03-23T12:00:00.001Z","type":"evidence.submitted"}"#,
    ];
    for settling in [None, Some(0)] {
        let mut world = World::of(std::slice::from_ref(&contract), settling);
        told.iter().for_each(|line| world.hear_behind(line, 6 * HOUR));
        world.finish(at("23 12:00") + 1);
        let quota = |(name, told): (Name, Told)| name.1.contains("guardrails").then_some(told.standing);
        assert_eq!(
            world.outcome().ledger.into_iter().filter_map(quota).collect::<Vec<_>>(),
            [Standing::Breached],
            "{settling:?}"
        );
    }
}

/// What a limit counts from was here by a link that is none any more; then a fact names its subject again.
#[test]
fn what_is_named_later_changes_nothing_of_what_was_seen_before() {
    let duty = "  - {id: o1, clause: \"1\", when: change.executed, do: change.closed, within: {must: 4h, from: ticket.acknowledged}}\n";
    let told = events(&[
        "23 07:00 H1 executed ticket=T1 id=e4",
        "23 07:00 H1 executed id=e4",
        "23 07:00 T1 acknowledged",
        "23 09:00 H1 executed ticket=T1 id=e4 source=urn:copy factkey=k-e4",
    ]);
    let heard = Case::new(duty, "23 09:00").after(&told);
    assert_eq!(unlike("standing of", &heard.outcome().stands, &heard.judged_anew()), None);
    // A waiver that names the credential, long after it was revoked.
    let duty = "  - {id: o1, clause: \"1\", when: ticket.opened, do: credential.revoked, within: 4h}\n";
    let told = events(&[
        "23 07:00 T1 opened",
        "23 07:00 C2 revoked",
        "23 07:00 C2 created ticket=T1",
        "23 14:00 T1 updated credential=C2",
    ]);
    let heard = Case::new(duty, "23 15:00").after(&told);
    assert_eq!(unlike("standing of", &heard.outcome().stands, &heard.judged_anew()), None);
}

/// A credential becomes known only after the ticket whose duty is about all of them was merged: where it goes on, it counts too.
#[test]
fn a_member_that_is_heard_of_after_the_merger_counts_where_the_duty_went_on() {
    let duty = "  - {id: o1, clause: \"1\", when: ticket.assigned, do: {event: credential.revoked, of: {every: credential}}, \
                within: 2h}\n";
    let case = Case::new(duty, "23 17:30");
    let told =
        events(&["23 07:00 T1 opened", "23 17:30 T1 assigned", "23 17:30 T1 merged into=T2", "23 14:00 C1 created"]);
    for order in [[0, 1, 2, 3], [3, 0, 1, 2], [0, 3, 1, 2], [0, 1, 3, 2]] {
        let heard: Vec<String> = order.iter().map(|i| told[*i].clone()).collect();
        assert_eq!(case.standing(&heard, "o1", "T2"), [Standing::Open], "{order:?}");
    }
}

/// Two openings at one instant, of which the second names the change: whichever was heard first, its execution is looked for.
#[test]
fn a_change_that_another_opening_names_is_looked_for_whichever_was_heard_first() {
    let case =
        Case::new("  - {id: o1, clause: \"1\", when: ticket.opened, every: 6h, do: change.executed}\n", "23 07:00");
    let told = events(&["23 07:00 T1 opened", "23 07:00 T1 opened change=H1", "23 07:00 H1 executed"]);
    for order in [[0, 1, 2], [1, 0, 2], [1, 2, 0], [2, 1, 0], [2, 0, 1], [0, 2, 1]] {
        let heard: Vec<String> = order.iter().map(|i| told[*i].clone()).collect();
        assert_eq!(case.standing(&heard, "o1", "T1"), [Standing::Met, Standing::Open], "{order:?}");
    }
    // The change itself says for which ticket it is: then it counts, in any order.
    let told = events(&["23 07:00 T1 opened", "23 07:00 T1 opened change=H1", "23 07:00 H1 executed ticket=T1"]);
    for order in [[0, 1, 2], [1, 0, 2], [1, 2, 0], [2, 1, 0]] {
        let heard: Vec<String> = order.iter().map(|i| told[*i].clone()).collect();
        assert!(case.standing(&heard, "o1", "T1").contains(&Standing::Met), "{order:?}");
    }
}

/// A duty that a breach begins has no anchor that names a change: its ticket does, as it then stands. Which change it names later
/// is not known when the breach comes, whatever has been heard by then.
#[test]
fn what_is_named_later_says_nothing_of_what_a_breach_begins() {
    let case = Case::new(
        "  - {id: o1, clause: \"1\", when: ticket.opened, do: ticket.closed, within: 4h}\n  \
           - {id: o2, clause: \"2\", when: {breached: o1}, do: ticket.closed, within: [{must: 8h}, {must: 2h, from: change.approved}]}\n",
        "24 18:00",
    );
    let told = [
        "23 07:00 H1 approved ticket=T1",
        "23 07:30 T1 noted",
        "24 07:00 T1 opened change=H2",
        "24 17:00 T1 noted change=H1",
    ];
    for without in [Some(1), None] {
        let told = events(&told);
        let told: Vec<&String> = told.iter().enumerate().filter(|(n, _)| Some(*n) != without).map(|(_, e)| e).collect();
        for first in 0..told.len() {
            for last in 0..told.len() {
                let mut heard: Vec<String> = told.iter().map(|e| (*e).clone()).collect();
                let moved = heard.remove(first);
                heard.insert(last, moved);
                assert_eq!(case.standing(&heard, "o2", "T1"), [Standing::Open], "{heard:#?}");
            }
        }
    }
}
