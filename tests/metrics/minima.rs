//! What depends on the time alone: at risk, next deadline, oldest breach, holders, waivers; and verdicts by month.

use onus::decode::{Batch, Decoder};
use onus_engine::book::Book;
use onus_engine::engine::{Engine, History, Incoming, Minima, NoArchive, OfPartner, Options};
use onus_engine::rule::RuleId;
use onus_engine::time::Moment;
use std::sync::Arc;

const HEAD: &str = "contract: desk
partner: p1
customer: acme
effective: 2026-01-01T00:00:00Z
zone: Europe/Amsterdam
calendar: office
roles: {customer.lead: \"mail:lead@acme.example\", partner.desk: \"mail:desk@p1.example\"}
calendars:
  office: {zone: Europe/Amsterdam, hours: {mon-fri: \"09:00-17:00\"}}
waivers: {approve: customer.lead, longest: 90 days}
escalation:
  late: [{at: breach, tell: customer.lead}]
  early: [{at: 50%, tell: partner.desk}, {at: 10min before, tell: customer.lead}, {at: breach, tell: customer.lead}]
  hours: [{at: 2 business hours before, tell: partner.desk}]
obligations:
";

/// One obligation.
pub(crate) struct Desk {
    pub(crate) book: Arc<Book>,
    decoder: Decoder,
    pub(crate) engine: Engine,
    heard: u32,
}

impl Desk {
    pub(crate) fn new(rest: &str) -> Desk {
        let text = format!(
            "{HEAD}  - id: answer\n    clause: \"1\"\n    when: ticket.opened\n    do: ticket.acknowledged\n{rest}"
        );
        let contract = onus::contract::parse(&text, "desk.yaml").unwrap_or_else(|problems| {
            panic!("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        });
        let book = Arc::new(Book::new(&[contract]));
        let mut engine = Engine::new(Arc::clone(&book), Options::default());
        engine.begin("p1");
        let decoder = Decoder::new(Arc::clone(&book), Moment::NEVER);
        Desk { book, decoder, engine, heard: 0 }
    }

    /// An event, which comes when it happens.
    pub(crate) fn hear(&mut self, at: &str, kind: &str, subject: &str, data: &str) {
        self.heard += 1;
        let line = format!(
            "{{\"specversion\":\"1.0\",\"id\":\"{}\",\"source\":\"urn:desk\",\"type\":\"{kind}\",\"time\":\"{at}\",\
             \"subject\":\"{subject}\",\"partner\":\"p1\",\"data\":{{{data}}}}}",
            self.heard
        );
        let mut batch = Batch::default();
        self.decoder.record(&line, &mut batch).expect("a good event");
        self.pass(at);
        let Batch { events, facts, names, .. } = &mut batch;
        for event in events.iter() {
            let name = |place: &std::ops::Range<u32>| &names[place.start as usize..place.end as usize];
            let fact = &mut facts[event.fact.start as usize..event.fact.end as usize];
            let (partner, subject, source) = (name(&event.partner), name(&event.subject), name(&event.source));
            self.engine.apply(Incoming { partner, subject, source, fact, trust: None }, &mut NoArchive);
        }
    }

    pub(crate) fn pass(&mut self, to: &str) {
        let to = at(to);
        self.engine.advance(to, to, &mut NoArchive);
    }

    fn seen(&self) -> (Minima, OfPartner) {
        let mut pass = self.engine.begin_pass();
        // A slice at a time ends where one look does.
        while !self.engine.look_on(&mut pass, 1) {}
        let mut whole = self.engine.begin_pass();
        assert!(self.engine.look_on(&mut whole, usize::MAX));
        assert_eq!((pass.row(0, self.rule()), pass.partner(0)), (whole.row(0, self.rule()), whole.partner(0)));
        assert!(self.engine.recount().is_empty(), "{:?}", self.engine.recount());
        (pass.row(0, self.rule()), pass.partner(0))
    }

    fn rule(&self) -> RuleId {
        self.book.rules().iter().position(|rule| rule.id == "answer").expect("it is there") as RuleId
    }

    fn at_risk(&mut self, at: &str) -> u64 {
        self.pass(at);
        self.seen().0.at_risk
    }

    /// Month, met, broken.
    fn months(&self) -> Vec<(i32, i64, i64)> {
        let counted = self.engine.counted(0, self.rule());
        let months = counted.map(|c| c.history.months().copied().collect::<Vec<_>>()).unwrap_or_default();
        months.iter().map(|m| (m.index % 12 + 1, m.met, m.broken)).collect()
    }
}

pub(crate) fn at(text: &str) -> Moment {
    Moment::parse(text).expect("an instant")
}

#[test]
fn a_duty_is_at_risk_when_four_fifths_of_its_limit_are_used() {
    let mut desk = Desk::new("    within: 10h\n");
    desk.hear("2026-03-02T08:00:00Z", "ticket.opened", "T1", "");
    assert_eq!(desk.at_risk("2026-03-02T15:59:59.999Z"), 0);
    assert_eq!(desk.at_risk("2026-03-02T16:00:00Z"), 1);
    assert_eq!(desk.at_risk("2026-03-02T18:00:00Z"), 1, "the deadline itself is in time");
    assert_eq!(desk.at_risk("2026-03-02T18:00:00.001Z"), 0, "what is broken is not at risk any more");
    assert_eq!(desk.seen().0.oldest_breach, at("2026-03-02T18:00:00Z"));
}

#[test]
fn a_ladder_that_warns_before_the_breach_says_when() {
    let mut desk = Desk::new("    within: 10h\n    escalate: early\n");
    desk.hear("2026-03-02T08:00:00Z", "ticket.opened", "T1", "");
    assert_eq!(desk.at_risk("2026-03-02T12:59:59Z"), 0);
    assert_eq!(desk.at_risk("2026-03-02T13:00:00Z"), 1, "half of it is used");
    let mut desk = Desk::new("    within: 10h\n    escalate: late\n");
    desk.hear("2026-03-02T08:00:00Z", "ticket.opened", "T1", "");
    assert_eq!(desk.at_risk("2026-03-02T15:59:59Z"), 0, "a ladder that begins at the breach warns of nothing");
    assert_eq!(desk.at_risk("2026-03-02T16:00:00Z"), 1);
    let mut desk = Desk::new("    within: 10 business hours\n    escalate: hours\n");
    // From Friday 15:00 local: two hours that day, eight on Monday. Two business hours before 17:00.
    desk.hear("2026-03-06T14:00:00Z", "ticket.opened", "T1", "");
    assert_eq!(desk.at_risk("2026-03-09T13:59:59Z"), 0);
    assert_eq!(desk.at_risk("2026-03-09T14:00:00Z"), 1);
}

#[test]
fn the_share_is_of_the_time_that_counts() {
    let mut desk = Desk::new("    within: 10 business hours\n");
    desk.hear("2026-03-06T14:00:00Z", "ticket.opened", "T1", "");
    // Two hours on Friday, six on Monday until 15:00 local.
    assert_eq!(desk.at_risk("2026-03-08T23:00:00Z"), 0, "a weekend uses nothing");
    assert_eq!(desk.at_risk("2026-03-09T13:59:59Z"), 0);
    assert_eq!(desk.at_risk("2026-03-09T14:00:00Z"), 1);
}

#[test]
fn what_is_paused_is_not_at_risk_and_the_other_side_holds_it() {
    let mut desk = Desk::new("    within: 10h\n    pause: {reasons: [waiting-customer], by: partner}\n");
    desk.hear("2026-03-02T08:00:00Z", "ticket.opened", "T1", "");
    desk.hear("2026-03-02T08:00:00Z", "ticket.opened", "T2", "");
    assert_eq!(desk.at_risk("2026-03-02T16:30:00Z"), 2);
    assert_eq!((desk.seen().1.partner, desk.seen().1.customer), (2, 0));
    desk.hear("2026-03-02T16:30:00Z", "ticket.paused", "T1", "\"reason\":\"waiting-customer\",\"side\":\"partner\"");
    let (row, partner) = desk.seen();
    assert_eq!((row.at_risk, partner.partner, partner.customer), (1, 1, 1));
    assert_eq!(row.next_deadline, at("2026-03-02T18:00:00Z"), "of the other one");
    desk.hear("2026-03-02T17:00:00Z", "ticket.acknowledged", "T2", "\"side\":\"partner\"");
    let (row, partner) = desk.seen();
    assert_eq!((row.next_deadline, row.at_risk, partner.partner), (Moment::NEVER, 0, 0), "nothing runs");
}

#[test]
fn a_waiver_is_active_while_it_is_in_force() {
    let mut desk = Desk::new("    within: 10h\n");
    let approved = "\"side\":\"customer\",\"role\":\"customer.lead\",\"ends\":\"2026-03-05T00:00:00Z\"";
    desk.hear("2026-03-02T08:00:00Z", "ticket.opened", "T1", "");
    assert_eq!(desk.seen().1.waivers, 0);
    desk.hear("2026-03-02T09:00:00Z", "waiver.approved", "p1", approved);
    let (row, partner) = desk.seen();
    assert_eq!((partner.waivers, partner.customer), (1, 1), "the customer holds the risk");
    assert_eq!((row.at_risk, row.next_deadline), (0, Moment::NEVER));
    desk.hear("2026-03-02T09:30:00Z", "waiver.approved", "T9", "\"side\":\"partner\",\"role\":\"partner.desk\"");
    desk.pass("2026-03-04T23:59:59Z");
    assert_eq!(desk.seen().1.waivers, 1, "the obligor approves nothing");
    desk.pass("2026-03-05T00:00:00Z");
    assert_eq!(desk.seen().1.waivers, 0, "at its end the duty is back");
}

#[test]
fn verdicts_count_in_their_month_of_the_contracts_zone_and_move_with_later_news() {
    let mut desk = Desk::new("    within: 10h\n");
    desk.hear("2026-03-31T08:00:00Z", "ticket.opened", "T1", "");
    desk.hear("2026-03-31T12:00:00Z", "ticket.opened", "T2", "");
    desk.hear("2026-03-31T20:00:00Z", "ticket.opened", "T3", "");
    // In Amsterdam it is April from 22:00 UTC on.
    desk.hear("2026-03-31T21:59:59Z", "ticket.acknowledged", "T2", "");
    desk.hear("2026-03-31T22:00:00Z", "ticket.acknowledged", "T3", "");
    assert_eq!(desk.months(), [(3, 1, 1), (4, 1, 0)], "T1 broke at 18:00");
    desk.hear("2026-04-02T00:00:00Z", "ticket.acknowledged", "T1", "");
    assert_eq!(desk.months(), [(3, 1, 1), (4, 1, 0)], "done late: it broke when it broke");
    // A record that was slow: in time after all.
    let (now, withdrawn) = ("2026-04-03T00:00:00Z", |desk: &Desk| {
        desk.engine.counted(0, desk.rule()).map_or(0, |c| History::withdrawn(c.history))
    });
    desk.pass(now);
    assert_eq!(withdrawn(&desk), 0);
    let before = desk.heard;
    desk.hear_late("2026-03-31T09:00:00Z", "ticket.acknowledged", "T1");
    assert_eq!(desk.heard, before + 1);
    assert_eq!(desk.months(), [(3, 2, 0), (4, 1, 0)]);
    assert_eq!(withdrawn(&desk), 1);
}

impl Desk {
    /// An event from the past: time stays.
    pub(crate) fn hear_late(&mut self, at: &str, kind: &str, subject: &str) {
        let now = self.engine.now();
        self.hear(at, kind, subject, "");
        assert_eq!(self.engine.now(), now);
    }
}
