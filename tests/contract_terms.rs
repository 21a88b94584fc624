//! What a contract says is what the terms say.

use onus::contract::{Library, Problem, calendar_block, calendars, load, parse};
use onus_engine::calendar::Calendar;
use onus_engine::terms::*;
use onus_engine::time::{DAY, HOUR, MINUTE, Moment};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

const FULL: &str = include_str!("contracts/full.yaml");
const W1: &str = include_str!("../examples/w1/w1.yaml");

fn told(problems: Vec<Problem>) -> String {
    problems.iter().map(|p| format!("{p}\n")).collect()
}

fn full() -> Contract {
    parse(FULL, "full.yaml").map_err(told).expect("full.yaml loads")
}

fn find<'c>(contract: &'c Contract, id: &str) -> &'c Obligation {
    contract.obligations.iter().find(|o| o.id == id).expect("that obligation is in the file")
}

fn event(kind: &str) -> EventMatch {
    EventMatch::of(kind)
}

fn is(field: &str, text: &str) -> Test {
    Test { field: field.into(), want: Want::OneOf(vec![text.into()]) }
}

fn on(event: EventMatch) -> Anchor {
    Anchor { any: vec![Trigger::Event(event)], whole: None, time: None, pick: Pick::Each }
}

fn party(text: &str) -> Party {
    let (side, role) = text.split_once('.').map_or((text, None), |(side, role)| (side, Some(role.to_owned())));
    Party { side: if side == "customer" { Side::Customer } else { Side::Partner }, role }
}

fn row<T>(cells: &[&str], value: T) -> Row<T> {
    let cell = |c: &&str| if *c == "*" { Cell::Any } else { Cell::Is((*c).to_owned()) };
    Row { cells: cells.iter().map(cell).collect(), value }
}

fn within(obligation: &Obligation) -> (&Anchor, &Act, &[Limit]) {
    match &obligation.sentence {
        Sentence::Within { when, act, limits } => (when, act, limits),
        other => panic!("not a `within`: {other:?}"),
    }
}

#[test]
fn the_workload_loads_as_it_is_written() {
    let w1 = parse(W1, "w1.yaml").map_err(told).expect("w1.yaml loads");
    assert_eq!((w1.name.as_str(), w1.customer.as_str()), ("w1", "everyone"));
    assert_eq!(w1.partners, [PartnerPattern::Prefix("p".into())]);
    assert_eq!(w1.scope.sources, ["urn:*"]);
    assert_eq!(w1.effective, Moment::parse("2026-01-01T00:00:00Z").expect("an instant"));
    assert!(w1.obligations.iter().all(|o| o.trust == Trust::Asserted && o.obligor == party("partner")));
    assert_eq!(w1.obligations.len(), 7);

    let (when, act, limits) = within(&w1.obligations[0]);
    assert_eq!((when, act), (&on(event("ticket.opened")), &Act::One(event("ticket.acknowledged"))));
    assert_eq!(limits[0].must.depends_on, [Key::Fact("priority".into())]);
    let rows = [("P1", 15 * MINUTE), ("P2", HOUR), ("P3", 8 * HOUR)];
    assert_eq!(limits[0].must.rows, rows.map(|(p, ms)| row(&[p], Span::Elapsed(ms))));
    assert_eq!(w1.obligations[0].reopen.policy, ReopenPolicy::Ignore);

    assert_eq!(w1.obligations[1].pause, Some(Pause { reasons: None, by: None, confirm: None, cap: None }));
    assert_eq!(w1.obligations[1].reopen, Reopen { policy: ReopenPolicy::Resume, window: None });

    let (when, ..) = within(&w1.obligations[2]);
    assert_eq!(when, &on(EventMatch { tests: vec![is("control", "emergency-revocation")], ..event("ticket.opened") }));

    let Sentence::Requires { when, what } = &w1.obligations[3].sentence else { panic!("S4 requires") };
    assert_eq!(when, &on(event("change.executed")));
    assert_eq!(what.depends_on, [Key::Fact("privileged".into())]);
    let by_customer = EventMatch { by: Some(party("customer")), ..event("change.approved") };
    assert_eq!(
        what.rows,
        [
            row(&["true"], Requirement::Before(by_customer)),
            row(&["false"], Requirement::Before(event("change.approved")))
        ]
    );

    let (_, act, _) = within(&w1.obligations[4]);
    let evidence = Test { field: "evidence".into(), want: Want::Present };
    assert_eq!(act, &Act::One(EventMatch { tests: vec![evidence], ..event("change.closed") }));

    let (when, act, limits) = within(&w1.obligations[5]);
    assert_eq!(when.any.len(), 2);
    assert_eq!(act, &Act::Any(vec![Act::One(event("credential.rotated")), Act::One(event("credential.revoked"))]));
    assert_eq!(limits[0].must.rows, [row(&[], Span::Elapsed(90 * DAY))]);

    let Sentence::Requires { what, .. } = &w1.obligations[6].sentence else { panic!("S7 requires") };
    let actor = Test { field: "actor".into(), want: Want::Present };
    assert_eq!(what.rows, [row(&[], Requirement::Itself(vec![actor]))]);
}

#[test]
fn the_header_says_who_and_when() {
    let full = full();
    assert_eq!(full.partners, [PartnerPattern::Exact("quay-ops".into()), PartnerPattern::Prefix("berth-".into())]);
    assert_eq!(full.effective, Moment::parse("2025-12-31T23:00:00Z").expect("an instant"));
    assert!(full.ends.is_some());
    assert_eq!(full.calendars.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["office", "yard", "desk"]);
    let raci = Raci {
        request: party("partner.desk"),
        approve: party("customer.lead"),
        execute: party("partner.desk"),
        review: party("customer.owner"),
    };
    let rotation = Control {
        name: "rotation".into(),
        risk_owner: Some(party("customer.owner")),
        mode: Some(Mode::Delegated),
        raci: Some(raci),
        scope: None,
    };
    assert_eq!(full.controls, [rotation]);
    let waivers = full.waivers.expect("there are waivers");
    assert_eq!((waivers.approve, waivers.longest), (party("customer.owner"), Some(90 * DAY)));
    assert_eq!(waivers.granted[0].tests, [is("credential", "svc-crane-*")]);
}

#[test]
fn filters_beside_any_hold_for_each_member() {
    let full = full();
    let acknowledge = find(&full, "acknowledge");
    let (when, act, limits) = within(acknowledge);
    assert_eq!(when.pick, Pick::First);
    let each = |kind| {
        Act::One(EventMatch { by: Some(party("partner")), tests: vec![is("actortype", "human")], ..event(kind) })
    };
    assert_eq!(act, &Act::Any(vec![each("ticket.acknowledged"), each("ticket.resolved")]));
    assert_eq!(limits[0].calendar, Some(2));
    let spans = [("P1", Span::Elapsed(15 * MINUTE)), ("P2", Span::Open(4 * HOUR)), ("*", Span::WorkingDays(1))];
    assert_eq!(limits[0].must.rows, spans.map(|(p, span)| row(&[p], span)));
    assert_eq!((acknowledge.trust, acknowledge.blind_for), (Trust::Shared, 4 * HOUR));
    assert_eq!(acknowledge.reopen.policy, ReopenPolicy::Ignore);
}

#[test]
fn several_limits_run_with_what_each_of_them_says() {
    let full = full();
    let restore = find(&full, "restore");
    let (_, _, limits) = within(restore);
    let one = Limit {
        must: Table { depends_on: vec![], rows: vec![row(&[], Span::WorkingDays(3))] },
        should: Some(Span::WorkingDays(1)),
        from: Vec::new(),
        calendar: Some(0),
        roll: Table::single(Roll::NextAt(720)),
    };
    let two = Limit {
        must: Table { depends_on: vec![], rows: vec![row(&[], Span::Elapsed(DAY))] },
        should: None,
        from: vec![event("ticket.assigned")],
        calendar: Some(1),
        roll: Table::single(Roll::None),
    };
    assert_eq!(limits, [one, two]);
    let confirm = Confirm { by: party("customer.owner"), within: Span::WorkingDays(1), calendar: Some(0) };
    let pause = Pause {
        reasons: Some(vec!["waiting-customer".into()]),
        by: Some(vec![party("partner"), party("customer.lead")]),
        confirm: Some(confirm),
        cap: Some(Cap::Percent(50)),
    };
    assert_eq!(restore.pause, Some(pause));
    assert_eq!(restore.reopen, Reopen { policy: ReopenPolicy::Resume, window: Some(14 * DAY) });
    assert_eq!(restore.reprioritise, Reprioritise { restart: true, min_remaining: Some(15 * MINUTE) });
    assert!(restore.rebase_open);
}

#[test]
fn a_value_of_the_contract_chooses_its_rows_and_leaves_the_table() {
    let full = full();
    let (when, act, limits) = within(find(&full, "report"));
    assert_eq!((when.time.as_deref(), when.pick), (Some("aware_at"), Pick::Latest));
    let Act::InOrder(steps) = act else { panic!("in order") };
    assert_eq!(steps.len(), 2);
    assert_eq!(limits[0].must.depends_on, [Key::Fact("rating".into())]);
    assert_eq!(limits[0].must.rows, [row(&["1"], Span::Months(1)), row(&["2"], Span::Elapsed(DAY))]);
    assert_eq!(limits[0].roll, Table::single(Roll::Previous));

    let (_, _, limits) = within(find(&full, "certificate-age"));
    assert_eq!(limits[0].must.depends_on, [Key::Date]);
    assert!(matches!(limits[0].must.rows[1].cells[0], Cell::From(day) if day.to_string() == "2026-03-15"));
}

#[test]
fn duties_that_begin_at_another_s_end_are_about_its_subject() {
    let full = full();
    let (when, _, limits) = within(find(&full, "after"));
    assert_eq!(when.any, [Trigger::Done(vec!["report".into()])]);
    assert_eq!(limits[0].must.rows[0].value, Span::DayOfYear { month: 4, day: 15 });
    let Sentence::Every { per, when: Some(when), period, limits, .. } = &find(&full, "until-closed").sentence else {
        panic!("every, when")
    };
    assert_eq!(per, &Per::Subject { kind: "incident".into(), tests: vec![] });
    assert_eq!(when.any, [Trigger::Breached(vec!["report".into(), "after".into()])]);
    assert_eq!(period.rows, [row(&[], Period::Calendar(Unit::Day))]);
    assert!(limits.is_empty());
}

#[test]
fn periods_slide_or_are_of_the_calendar() {
    let full = full();
    let every = |id| match &find(&full, id).sentence {
        Sentence::Every { period, per, limits, .. } => (period.clone(), per.clone(), limits.len()),
        other => panic!("not an `every`: {other:?}"),
    };
    let (period, per, _) = every("rotate");
    let sliding = [("true", Span::Elapsed(30 * DAY)), ("false", Span::Months(6))];
    assert_eq!(period.rows, sliding.map(|(cell, span)| row(&[cell], Period::Sliding(span))));
    let kinds = Test { field: "kind".into(), want: Want::OneOf(vec!["secret".into(), "key".into()]) };
    assert_eq!(per, Per::Subject { kind: "credential".into(), tests: vec![kinds] });
    let (period, per, limits) = every("attest");
    assert_eq!((period.rows, per, limits), (vec![row(&[], Period::Calendar(Unit::Quarter))], Per::Partner, 1));
    assert_eq!(every("reviewed").0.rows, [row(&[], Period::Sliding(Span::Months(6)))]);
}

#[test]
fn what_came_before_and_what_is_true_of_the_anchor() {
    let full = full();
    let what = |id| match &find(&full, id).sentence {
        Sentence::Requires { what, .. } => what.rows[0].value.clone(),
        other => panic!("not a `requires`: {other:?}"),
    };
    let other = Want::Not(Box::new(Want::SameAs("actor".into())));
    let approval = EventMatch {
        by: Some(party("customer")),
        tests: vec![Test { field: "actor".into(), want: other }],
        ..event("change.approved")
    };
    assert_eq!(what("approved"), Requirement::Ahead(approval, Span::Elapsed(2 * HOUR), None));
    let named = vec![
        Test { field: "actor".into(), want: Want::Present },
        Test { field: "person".into(), want: Want::Not(Box::new(Want::Absent)) },
    ];
    let any = vec![Requirement::Itself(named), Requirement::Before(event("change.approved"))];
    assert_eq!(what("approved-or-named"), Requirement::Any(any));
}

#[test]
fn what_nobody_said_is_the_strict_side() {
    let text = "contract: c\npartner: p\ncustomer: k\neffective: 2026-01-01T00:00:00Z\nzone: UTC\nobligations: [{id: a, clause: x, when: ticket.opened, do: ticket.resolved, within: 4h}]\n";
    let contract = parse(text, "c.yaml").map_err(told).expect("it loads");
    let one = &contract.obligations[0];
    assert_eq!((&one.obligor, one.trust, one.blind_for), (&party("partner"), Trust::System, 24 * HOUR));
    assert_eq!((&one.pause, one.reopen.policy, one.rebase_open), (&None, ReopenPolicy::Resume, false));
    assert_eq!(one.reprioritise, Reprioritise { restart: false, min_remaining: None });
    assert!(contract.waivers.is_none() && contract.scope.is_empty());
}

#[test]
fn a_default_speaks_in_the_calendar_of_the_obligation_it_falls_to() {
    let text = "contract: c
partner: p
customer: k
effective: 2026-01-01T00:00:00Z
zone: UTC
values: {release: \"1.10\"}
calendars: {one: {zone: UTC, hours: {mon: \"09:00-17:00\"}}, two: {zone: UTC, hours: {tue: \"09:00-17:00\"}}}
calendar: one
defaults: {pause: {reasons: [x], by: partner, confirm: {by: customer, within: 1 business day}}}
obligations:
  - {id: a, clause: x, when: {event: ticket.opened, where: {release: $release}}, do: ticket.resolved, within: 4h}
  - {id: b, clause: x, when: ticket.opened, do: ticket.resolved, within: 1 business day, calendar: two}
";
    let contract = parse(text, "c.yaml").map_err(told).expect("it loads");
    let confirmed = |id| find(&contract, id).pause.as_ref().and_then(|p| p.confirm.as_ref()).and_then(|c| c.calendar);
    assert_eq!((confirmed("a"), confirmed("b")), (Some(0), Some(1)));
    let (when, ..) = within(find(&contract, "a"));
    let released = EventMatch { tests: vec![is("release", "1.10")], ..event("ticket.opened") };
    assert_eq!(when, &on(released), "a quoted value stays text");
}

fn open(calendar: &Calendar, at: &str) -> bool {
    calendar.is_open(Moment::parse(at).expect("an instant"))
}

#[test]
fn calendars_are_read_from_contracts_calendar_files_and_plain_maps() {
    let of_contract = calendars(FULL, "full.yaml").map_err(told).expect("a contract has calendars");
    assert_eq!(of_contract.keys().collect::<Vec<_>>(), ["desk", "office", "yard"]);
    assert!(open(&of_contract["office"], "2026-12-19T10:00:00Z"), "a worked Saturday");
    assert!(!open(&of_contract["office"], "2026-12-25T10:00:00Z"), "Christmas");
    assert!(!open(&of_contract["office"], "2026-12-28T10:00:00Z"), "closed by date");
    assert!(open(&of_contract["desk"], "2026-12-25T10:00:00Z"), "somebody is there");
    let file = "zone: Asia/Tokyo\nholidays: {jp: {2026-01-01: New Year}}\ncalendars: {tokyo: {hours: {mon-fri: \"09:00-18:00\"}, holidays: [jp]}}\n";
    let of_file = calendars(file, "tokyo.yaml").map_err(told).expect("a calendar file");
    assert!(open(&of_file["tokyo"], "2026-01-02T00:00:00Z") && !open(&of_file["tokyo"], "2026-01-01T00:00:00Z"));
    let plain = "{\"day\": {\"zone\": \"UTC\", \"hours\": {\"mon-sun\": \"00:00-24:00\"}, \"breaks\": {}, \"worked\": {\"2026-01-01\": []}}}";
    assert!(calendars(plain, "-").map_err(told).expect("a plain map").contains_key("day"));
}

#[test]
fn one_calendar_may_stand_by_itself() {
    let named = calendars(FULL, "full.yaml").map_err(told).expect("calendars");
    let block = |text: &str| calendar_block(text, "-", &named, &BTreeMap::new(), None);
    let json = "{\"zone\":\"UTC\",\"hours\":{\"mon-fri\":[\"09:00-17:00\"]},\"holidays\":{\"2026-01-05\":\"Day off\"}}";
    let own = block(json).map_err(told).expect("a block");
    assert!(open(&own, "2026-01-06T09:00:00Z") && !open(&own, "2026-01-05T09:00:00Z"));
    let joined = block("{all: [office, yard], zone: UTC}").map_err(told).expect("a joined block");
    assert!(open(&joined, "2026-01-06T09:00:00Z") && !open(&joined, "2026-01-06T03:00:00Z"));
    assert!(block("office").is_ok());
    assert_eq!(block("ofice").map_err(|p| p[0].code.to_string()).err().as_deref(), Some("E301"));
    assert_eq!(
        block("{hours: {mon: \"09:00-17:00\"}}").map_err(|p| p[0].code.to_string()).err().as_deref(),
        Some("E406")
    );
}

#[test]
fn files_and_directories_are_loaded_in_the_order_of_their_names() {
    let dir = tempfile::tempdir().expect("a directory");
    let put = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(&path, text).expect("a file");
        path
    };
    put("b/full.yml", FULL);
    let w1 = put("a.yaml", W1);
    put("notes.txt", "not a contract");
    put(".git/x.yaml", "not: one");
    let names = |paths: &[PathBuf]| {
        load(paths, &Library::default()).map(|all| all.into_iter().map(|c| c.name).collect::<Vec<_>>()).map_err(told)
    };
    assert_eq!(names(&[dir.path().to_owned()]), Ok(vec!["w1".into(), "harbour-keys".into()]));
    assert_eq!(names(&[w1.clone(), dir.path().to_owned()]).map(|n| n.len()), Ok(2), "a file named twice is one file");

    put("again.yaml", W1);
    let problems = load(&[dir.path().to_owned()], &Library::default()).expect_err("one version twice");
    assert_eq!(problems.iter().map(|p| p.code.as_str()).collect::<Vec<_>>(), ["E501"]);
    put("again.yaml", &W1.replace("2026-01-01", "2027-01-01"));
    assert_eq!(names(&[dir.path().to_owned()]).map(|n| n.len()), Ok(3), "another version of it");

    fs::write(dir.path().join("bad.yaml"), b"contract: w\xff1\n").expect("a file");
    let problems = load(&[dir.path().to_owned()], &Library::default()).expect_err("not UTF-8");
    assert_eq!((problems[0].code.as_str(), problems[0].line, problems[0].column), ("E002", 1, 12));
}

#[test]
fn what_cannot_be_found_is_said() {
    let dir = tempfile::tempdir().expect("a directory");
    let codes = |path: PathBuf| load(&[path], &Library::default()).expect_err("nothing there")[0].code.to_string();
    assert_eq!(codes(dir.path().to_owned()), "E502");
    assert_eq!(codes(dir.path().join("none.yaml")), "E001");
    assert!(load(&[], &Library::default()).is_ok_and(|all| all.is_empty()));
}

#[test]
fn what_is_said_for_people_is_kept() {
    let full = full();
    assert_eq!((full.stack.as_deref(), &full.retention), (Some("port"), &Some(Span::Months(84))));
    assert_eq!(full.restates, None);
    let role = |party: &str, address: &str| Role { party: self::party(party), address: address.into() };
    let roles = [
        role("customer.lead", "mail:lead@harbour.example"),
        role("customer.owner", "mail:owner@harbour.example"),
        role("partner.desk", "webhook:desk"),
    ];
    assert_eq!(full.roles, roles);
    let lighter =
        Subcontractor { name: "lighter-ops".into(), controls: vec!["rotation".into()], flow_down: "12.4".into() };
    assert_eq!(full.subcontractors, [lighter]);
    let yard = full.calendars.iter().position(|(name, _)| name == "yard");
    let rung = |at, tell: &[&str], severity| {
        let calendar = if matches!(at, RungAt::After(Span::Open(_))) { yard } else { None };
        Rung { at, tell: tell.iter().map(|p| party(p)).collect(), severity, calendar }
    };
    let urgent = Ladder {
        name: "urgent".into(),
        rungs: vec![
            rung(RungAt::Share(80), &["partner.desk"], Some(Severity::Ticket)),
            rung(RungAt::Breach, &["partner.desk", "customer.lead"], Some(Severity::Page)),
            rung(RungAt::After(Span::Elapsed(HOUR)), &["customer.owner"], None),
            rung(RungAt::After(Span::Open(2 * HOUR)), &["customer"], None),
        ],
    };
    assert_eq!(full.escalation, [urgent]);
    for obligation in full.obligations.iter().filter(|o| o.id != "restore") {
        assert_eq!(obligation.escalate.as_deref(), Some("urgent"), "{}", obligation.id);
    }
    assert_eq!(find(&full, "acknowledge").severity, Severity::Ticket);
}

#[test]
fn what_new_forms_say_is_what_the_terms_say() {
    let text = "contract: c\npartner: p\ncustomer: k\neffective: 2026-01-01T00:00:00Z\nrestates: misprint in 4.2\nzone: UTC\ncalendar: office\n\
        calendars: {office: {zone: UTC, hours: {mon-fri: \"09:00-17:00\"}}}\nobligations:\n\
        - {id: a, clause: x, when: {any: [{event: ticket.opened, pick: first}, ticket.assigned]}, do: ticket.closed, look-back: 30 days, severity: page,\n   \
          within: {must: 4h, from: {event: ticket.assigned, by: [customer, partner], time: agreed_at, pick: latest},\n           \
          roll: {depends-on: entity, table: {bank: none, \"*\": next business day}}}, target: {average: 2 business days, each: month}}\n\
        - {id: b, clause: x, when: {event: change.executed, since: {event: ticket.opened, more-than: 3 business hours}},\n   \
          requires: {in-order: [change.requested, change.approved]}}\n";
    let contract = parse(text, "c.yaml").map_err(told).expect("it loads");
    assert_eq!(contract.restates.as_deref(), Some("misprint in 4.2"));
    let a = find(&contract, "a");
    assert_eq!((a.look_back, a.severity, &a.escalate), (Some(30 * DAY), Severity::Page, &None));
    let (when, _, limits) = within(a);
    let each = EventMatch { pick: Some(Pick::Each), ..event("ticket.assigned") };
    assert_eq!((when.pick, &when.any[1]), (Pick::First, &Trigger::Event(each)));
    let from = |by: &str| EventMatch {
        by: Some(party(by)),
        time: Some("agreed_at".into()),
        pick: Some(Pick::Latest),
        ..event("ticket.assigned")
    };
    assert_eq!(limits[0].from, [from("customer"), from("partner")]);
    assert_eq!(limits[0].roll.depends_on, [Key::Fact("entity".into())]);
    assert_eq!(limits[0].roll.rows, [row(&["bank"], Roll::None), row(&["*"], Roll::Next)]);
    assert_eq!(a.target.as_ref().map(|t| &t.level), Some(&Level::AverageOf(Span::WorkingDays(2))));
    let Sentence::Requires { when, what } = &find(&contract, "b").sentence else { panic!("b requires") };
    let Trigger::Event(executed) = &when.any[0] else { panic!("an event") };
    let since = executed.since.as_deref().expect("since");
    assert_eq!((since.calendar, &since.span, since.more), (Some(0), &Span::Open(3 * HOUR), true));
    let steps = ["change.requested", "change.approved"].map(|kind| Requirement::Before(event(kind)));
    assert_eq!(what.rows, [row(&[], Requirement::InOrder(steps.to_vec()))]);
}
