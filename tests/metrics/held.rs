//! What partners hold, and who answers for acts: by hand, on contracts that ask after them.

use super::minima::{Desk, at};
use onus_engine::engine::{HELD_STATES, Options};

const BODY: &str = "  - id: rotate
    clause: \"2\"
    every: 7 days
    per: credential
    do: credential.rotated
    until: {any: [credential.revoked, credential.expired]}
  - id: offboard
    clause: \"3\"
    when: operator.left
    do: {of: {every: grant}, event: grant.revoked}
    within: 4h
";

impl Desk {
    /// Those that stand somehow, of a kind.
    fn holds(&self, kind: &str) -> Vec<(&'static str, u64)> {
        let mut pass = self.engine.begin_pass();
        while !self.engine.look_on(&mut pass, 1) {}
        let wrong = self.engine.recount();
        assert!(wrong.is_empty(), "{wrong:?}");
        let kinds = self.engine.held_kinds(0);
        let (id, _) = kinds.into_iter().find(|(_, word)| *word == kind).expect("a kind that a contract asks after");
        let held = pass.held(0, id);
        HELD_STATES.iter().zip(held.by_state).filter(|(_, n)| *n > 0).map(|(s, n)| (s.word(), n)).collect()
    }
}

#[test]
fn a_credential_stands_by_the_worst_of_its_duties() {
    let mut desk = Desk::new(&format!("    within: 10h\n{BODY}"));
    assert_eq!(desk.holds("credential"), []);
    desk.hear("2026-03-02T08:00:00Z", "credential.created", "k1", "");
    desk.hear("2026-03-02T08:00:00Z", "credential.created", "k2", "");
    desk.hear("2026-03-02T08:00:00Z", "ticket.opened", "T1", "");
    assert_eq!(desk.holds("credential"), [("open", 2)], "a ticket is none");
    desk.pass("2026-03-08T08:00:00Z");
    assert_eq!(desk.holds("credential"), [("at-risk", 2)]);
    desk.hear("2026-03-08T09:00:00Z", "credential.rotated", "k1", "");
    assert_eq!(desk.holds("credential"), [("open", 1), ("at-risk", 1)]);
    desk.pass("2026-03-09T08:00:01Z");
    assert_eq!(desk.holds("credential"), [("open", 1), ("breached", 1)]);
    desk.hear("2026-03-09T09:00:00Z", "credential.revoked", "k1", "");
    desk.hear("2026-03-09T09:00:00Z", "credential.rotated", "k2", "");
    assert_eq!(desk.holds("credential"), [("open", 1)], "k1 is gone, k2 was late and goes on");
}

#[test]
fn of_a_population_all_that_live_are_counted_in_memory_or_not() {
    let mut desk = Desk::new(&format!("    within: 10h\n{BODY}"));
    for i in 0..5 {
        desk.hear("2026-03-02T08:00:00Z", "grant.given", &format!("g{i}"), "");
    }
    assert_eq!(desk.holds("grant"), [("live", 5)]);
    desk.hear("2026-03-02T09:00:00Z", "grant.revoked", "g0", "");
    assert_eq!(desk.holds("grant"), [("live", 4)]);
    // It was revoked before it was ever heard of, then given anew; and told twice.
    desk.hear("2026-03-02T09:30:00Z", "grant.given", "g0", "");
    desk.hear_late("2026-03-02T08:30:00Z", "grant.revoked", "g1");
    assert_eq!(desk.holds("grant"), [("live", 4)]);
    // A year on, all of them have long left memory, and what does not matter any more the register.
    desk.pass("2027-03-02T09:30:00Z");
    assert_eq!(desk.holds("grant"), [("live", 4)]);
    let book = std::sync::Arc::clone(&desk.book);
    let again = onus_engine::engine::Engine::restore(book, Options::default(), &desk.engine.snapshot());
    desk.engine = again.expect("its own snapshot");
    assert_eq!(desk.holds("grant"), [("live", 4)], "a register that comes back counts anew");
    desk.hear("2027-03-03T09:00:00Z", "grant.revoked", "g2", "");
    assert_eq!(desk.holds("grant"), [("live", 3)]);
    assert!(desk.engine.now() > at("2027-03-03T00:00:00Z"));
}

#[test]
fn what_asks_who_answers_for_an_act_is_told_from_what_asks_something_else() {
    let asks = |requires: &str| {
        let desk = Desk::new(&format!(
            "    within: 10h\n  - id: asks\n    clause: \"2\"\n    when: credential.rotated\n    requires: {requires}\n"
        ));
        let rule = desk.book.rules().iter().position(|rule| rule.id == "asks").expect("it is there");
        desk.book.asks_who(rule as u16)
    };
    assert!(asks("{where: {actor: \"*\"}}"));
    assert!(asks("{where: {actor: \"*\", actortype: human}}"));
    assert!(asks("{any: [{where: {actor: \"*\"}}, {event: credential.rotation-requested}]}"));
    assert!(asks("change.approved"));
    assert!(!asks("{where: {privileged: true}}"));
    assert!(!asks("credential.probed"));
}
