//! The catalogue in a shard that runs: names of one identity, what it says for events, edits.

use crate::shard::{ROTATE, Shard, at, contracts, event, kept};
use onus::catalogue::Catalogue;
use onus::contract::catalogue_text;
use onus::runtime::live::{Clock, Contracts, Feed};
use onus::store::{Query, sqlite};
use onus_engine::time::{HOUR, Moment};
use proptest::prelude::*;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// What is owed besides.
const MORE: &str = "  - id: attributed
    clause: \"2\"
    when: credential.rotated
    requires: {any: [{where: {actor: \"*\"}}, change.approved]}
  - id: watched
    clause: \"3\"
    when: {event: change.requested, where: {privileged: true}}
    do: change.approved
    within: 2h
";

fn contract() -> String {
    format!("{ROTATE}{MORE}")
}

/// One that says whose an event is by a list that no event here fits.
fn scoped() -> String {
    ROTATE.replace("obligations:", "scope: {assignment-groups: [\"PAM *\"]}\nobligations:")
}

const ONE: &str = "catalogue: all
identities:
  - id: svc-1
    partner: p1
    names: [\"aws:1\", \"cyberark:1\"]
";

const NOW: &str = "2026-03-02T09:00:00Z";

/// What is read when contracts are read: text of a catalogue, or why there is none.
#[derive(Clone, Default)]
struct Shelf(Arc<Mutex<String>>);

impl Shelf {
    fn put(&self, text: &str) {
        *self.0.lock().expect("a lock") = text.to_owned();
    }

    /// Reads a contract and the catalogue that lies here.
    fn reader(&self, contract: &str) -> Box<dyn FnMut() -> Result<Contracts, String> + Send> {
        let (text, known) = (Arc::clone(&self.0), contracts(contract));
        Box::new(move || {
            let text = text.lock().expect("a lock");
            let read = if text.is_empty() { Ok(Catalogue::default()) } else { catalogue_text(&text, "catalogue.yaml") };
            let catalogue = Arc::new(read.map_err(|problems| problems[0].to_string())?);
            Ok(Contracts { catalogue, ..known.clone() })
        })
    }

    fn open(&self, dir: &Path, feeds: Vec<Feed>, now: Moment) -> Shard {
        let read = self.reader(&contract());
        let store = kept(dir);
        Shard::read_by(Clock::Wall, read, feeds, Vec::new(), store, now).expect("it opens")
    }
}

/// Of each duty what the ledger says last.
fn net(shard: &mut Shard) -> Vec<String> {
    shard.write();
    let entries = shard.live.store().expect("its store").entries(&Query::default()).expect("the ledger");
    let mut last = std::collections::BTreeMap::new();
    for e in entries {
        last.insert(e.duty(), format!("{} of {} {}: {}", e.under.obligation, e.under.partner, e.subject, e.to.word()));
    }
    let mut all: Vec<String> = last.into_values().filter(|line| !line.ends_with("withdrawn")).collect();
    all.sort();
    all
}

const P1: &str = ",\"partner\":\"p1\"";

#[test]
fn names_of_one_identity_are_one_subject_and_a_change_that_links_it_attributes_its_rotation() {
    let dir = tempfile::tempdir().expect("a folder");
    let shelf = Shelf::default();
    shelf.put(ONE);
    let mut shard = shelf.open(dir.path(), vec![Feed::named("desk")], at(NOW));
    let now = at(NOW);
    let link = ",\"partner\":\"p1\",\"data\":{\"credential\":\"cyberark:1\"}";
    let by = ",\"partner\":\"p1\",\"data\":{\"change\":\"CHG-1\"}";
    shard.say(
        0,
        &[
            event(
                "1",
                "credential.created",
                "aws:1",
                now + -2 * HOUR,
                ",\"partner\":\"p1\",\"data\":{\"actor\":\"ann\"}",
            ),
            event("2", "change.approved", "CHG-1", now + -HOUR, link),
            event("3", "credential.rotated", "cyberark:1", now, by),
        ],
    );
    assert_eq!(net(&mut shard), ["rotate of p1 svc-1: met"], "one that is attributed is no entry");
}

#[test]
fn a_name_that_is_entered_late_counts_for_all_that_was_told_under_it_and_can_be_taken_out_again() {
    let dir = tempfile::tempdir().expect("a folder");
    let shelf = Shelf::default();
    let mut shard = shelf.open(dir.path(), vec![Feed::named("desk")], at(NOW));
    let now = at(NOW);
    shard.say(0, &[event("1", "credential.created", "aws:1", now + -8 * HOUR, P1)]);
    let actor = ",\"partner\":\"p1\",\"data\":{\"actor\":\"ann\"}";
    shard.say(0, &[event("2", "credential.rotated", "cyberark:1", now + -6 * HOUR, actor)]);
    shard.caught_up(0);
    assert_eq!(net(&mut shard), ["rotate of p1 aws:1: breached"]);
    shelf.put(ONE);
    shard.live.reload().expect("it is read");
    assert_eq!(net(&mut shard), ["rotate of p1 svc-1: met"], "what was said of the name is taken back");
    // What comes under either name from here on is the identity's.
    shard.say(0, &[event("3", "credential.rotated", "aws:1", now, P1)]);
    assert_eq!(net(&mut shard), ["attributed of p1 svc-1: breached", "rotate of p1 svc-1: met"]);
    let state = shard.live.dump();
    drop(shard);
    let mut shard = shelf.open(dir.path(), vec![Feed::named("desk")], now);
    assert_eq!(shard.live.dump(), state, "a restart knows the same");
    // It was a mistake.
    shelf.put(&ONE.replace(", \"cyberark:1\"", ""));
    shard.live.reload().expect("it is read");
    assert_eq!(net(&mut shard), ["attributed of p1 svc-1: breached", "rotate of p1 svc-1: met-late"]);
}

#[test]
fn a_bad_edit_is_refused_and_the_old_catalogue_stays() {
    let dir = tempfile::tempdir().expect("a folder");
    let shelf = Shelf::default();
    shelf.put(ONE);
    let mut shard = shelf.open(dir.path(), vec![Feed::named("desk")], at(NOW));
    shelf.put(&(ONE.to_owned() + "    owners: payments\n"));
    shard.live.reload().expect("it is refused");
    shard.say(0, &[event("1", "credential.created", "aws:1", at(NOW), P1)]);
    shard.say(
        0,
        &[event("2", "credential.rotated", "cyberark:1", at(NOW), ",\"partner\":\"p1\",\"data\":{\"actor\":\"ann\"}")],
    );
    assert_eq!(net(&mut shard), ["rotate of p1 svc-1: met"]);
}

#[test]
fn what_an_event_does_not_say_holds_as_it_was_known_when_it_came() {
    let dir = tempfile::tempdir().expect("a folder");
    let shelf = Shelf::default();
    let privileged = ONE.to_owned() + "    privileged: true\n";
    shelf.put(ONE);
    let mut shard = shelf.open(dir.path(), vec![Feed::named("desk")], at(NOW));
    let link = ",\"data\":{\"credential\":\"aws:1\",\"privileged\":null}";
    // It names no partner: the catalogue does.
    shard.say(0, &[event("1", "change.requested", "CHG-1", at(NOW), link)]);
    shelf.put(&privileged);
    shard.live.reload().expect("it is read");
    shard.say(0, &[event("2", "change.requested", "CHG-2", at(NOW), link)]);
    shard.set(at(NOW) + 3 * HOUR);
    shard.caught_up(0);
    assert_eq!(net(&mut shard), ["watched of p1 CHG-2: breached"]);
    // Judged again from the beginning, the first is not privileged after all.
    let state = shard.live.dump();
    drop(shard);
    shelf.put(&(privileged + "  - id: svc-2\n    names: \"aws:2\"\n"));
    let mut shard = shelf.open(dir.path(), vec![Feed::named("desk")], at(NOW) + 3 * HOUR);
    assert_eq!(shard.live.dump(), state);
    assert_eq!(net(&mut shard), ["watched of p1 CHG-2: breached"]);
}

#[test]
fn what_was_nobodys_is_a_partners_once_the_catalogue_says_so() {
    let dir = tempfile::tempdir().expect("a folder");
    let shelf = Shelf::default();
    shelf.put("catalogue: all\nidentities:\n  - {id: svc-1, names: [aws:1]}\n");
    let mut shard = Shard::read_by(
        Clock::Wall,
        shelf.reader(&scoped()),
        vec![Feed::named("desk")],
        Vec::new(),
        kept(dir.path()),
        at(NOW),
    )
    .expect("it opens");
    shard.say(0, &[event("1", "credential.created", "aws:1", at(NOW) + -5 * HOUR, "")]);
    shard.caught_up(0);
    shard.write();
    let shown = shard.live.status().board().shown;
    assert_eq!((shown.unowned, net(&mut shard)), (1, Vec::new()));
    shelf.put(ONE);
    shard.live.reload().expect("it is read");
    assert_eq!(net(&mut shard), ["rotate of p1 svc-1: breached"]);
    shard.set(at(NOW) + HOUR);
    shard.caught_up(0);
    shard.write();
    assert_eq!(shard.live.status().board().shown.unowned, 0);
}

#[test]
fn the_catalogue_gives_nobody_the_right_to_speak_of_a_partner_and_overrides_none() {
    let dir = tempfile::tempdir().expect("a folder");
    let shelf = Shelf::default();
    shelf.put(ONE);
    let own = Feed { partners: vec!["p2".to_owned()], ..Feed::named("theirs") };
    let mut shard = shelf.open(dir.path(), vec![own], at(NOW));
    shard.say(0, &[event("1", "credential.created", "aws:1", at(NOW), "")]);
    shard.say(0, &[event("2", "credential.created", "aws:1", at(NOW), ",\"partner\":\"p2\"")]);
    shard.set(at(NOW) + 5 * HOUR);
    shard.caught_up(0);
    assert_eq!(net(&mut shard), [""; 0]);
    let letters = shard.letters();
    let why: Vec<(&str, bool)> =
        letters.iter().map(|l| (l.reason.as_str(), l.record.ends_with(b"00:00.000Z\"}"))).collect();
    assert_eq!(why, [("Unauthorised", true)], "and it is kept as it was told: {letters:?}");
    assert_eq!(shard.live.status().board().feeds[0].contradicted, 1);
}

/// A shard that judges two partners by one contract.
fn of_two(shelf: &Shelf, dir: &Path, now: Moment) -> Shard {
    let read = shelf.reader(&contract().replace("partner: p1", "partner: [p1, p2]"));
    let store = Box::new(sqlite::open(&dir.join("onus.db"), 0).expect("a store"));
    Shard::read_by(Clock::Wall, read, vec![Feed::named("desk")], Vec::new(), store, now).expect("it opens")
}

#[test]
fn an_identity_that_the_catalogue_moves_is_handed_over_when_it_is_read() {
    let dir = tempfile::tempdir().expect("a folder");
    let shelf = Shelf::default();
    shelf.put(ONE);
    let mut shard = of_two(&shelf, dir.path(), at(NOW));
    let now = at(NOW);
    shard.say(0, &[event("1", "credential.created", "aws:1", now + -HOUR, "")]);
    shelf.put(&ONE.replace("partner: p1", "partner: p2"));
    shard.live.reload().expect("it is read");
    shard.set(now + HOUR);
    shard.caught_up(0);
    assert_eq!(net(&mut shard), ["rotate of p1 svc-1: cancelled"]);
    // The new partner has the whole of its four hours.
    shard.set(now + 4 * HOUR);
    shard.caught_up(0);
    assert_eq!(net(&mut shard), ["rotate of p1 svc-1: cancelled"]);
    shard.set(now + 5 * HOUR);
    shard.caught_up(0);
    assert_eq!(net(&mut shard), ["rotate of p1 svc-1: cancelled", "rotate of p2 svc-1: breached"]);
    let state = shard.live.dump();
    drop(shard);
    let mut shard = of_two(&shelf, dir.path(), now + 5 * HOUR);
    assert_eq!(shard.live.dump(), state, "a restart hands nothing over again");
    // Late news: it was done while the first had it. By now the catalogue says that events that name nobody are the other's.
    shard.say(0, &[event("2", "credential.rotated", "cyberark:1", now + -HOUR / 2, ",\"data\":{\"actor\":\"ann\"}")]);
    shard.caught_up(0);
    assert_eq!(net(&mut shard), ["rotate of p1 svc-1: met"]);
    // Back, and forgotten by the catalogue: it stays where it was last. Its names are apart again: what was done under one is
    // not done under the other.
    shelf.put(ONE);
    shard.live.reload().expect("it is read");
    shelf.put("catalogue: all\nidentities:\n  - {id: svc-2, names: [aws:2]}\n");
    shard.live.reload().expect("it is read");
    shard.set(now + 6 * HOUR);
    shard.caught_up(0);
    shard.write();
    let state = shard.live.dump();
    assert_eq!(net(&mut shard), ["rotate of p1 aws:1: breached"]);
    assert_eq!(state.matches("handed \"svc-1\"").count(), 2, "{state}");
    drop(shard);
    assert_eq!(of_two(&shelf, dir.path(), now + 6 * HOUR).live.dump(), state);
}

#[test]
fn what_the_catalogue_leaves_to_nobody_is_owed_by_nobody_until_somebody_has_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let shelf = Shelf::default();
    shelf.put(ONE);
    let mut shard = of_two(&shelf, dir.path(), at(NOW));
    let now = at(NOW);
    shelf.put(&ONE.replace("partner: p1", "partner: unowned"));
    shard.live.reload().expect("it is read");
    shard.set(now + HOUR);
    // Told while nobody has it: whoever gets it knows of it.
    shard.say(0, &[event("1", "credential.created", "aws:1", now + HOUR, "")]);
    shard.set(now + 9 * HOUR);
    shard.caught_up(0);
    assert_eq!(net(&mut shard), [""; 0]);
    shelf.put(&ONE.replace("partner: p1", "partner: p2"));
    shard.live.reload().expect("it is read");
    shard.set(now + 12 * HOUR);
    shard.caught_up(0);
    assert_eq!(net(&mut shard), [""; 0]);
    shard.set(now + 14 * HOUR);
    shard.caught_up(0);
    assert_eq!(net(&mut shard), ["rotate of p2 svc-1: breached"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whether a name was in the catalogue from the beginning, came in between, or at the end: what stands is the same.
    #[test]
    fn it_does_not_matter_when_a_name_was_entered(
        told in proptest::collection::vec((0..4usize, 0..3usize, -8..1i64, any::<bool>()), 1..12),
        when in any::<prop::sample::Index>(),
    ) {
        let events: Vec<String> = told.iter().enumerate().map(|(n, (kind, name, hours, linked))| {
            let subject = ["aws:1", "cyberark:1", "svc-1"][*name];
            let (kind, subject, more) = match kind {
                0 => ("credential.created", subject, P1.to_owned()),
                1 => ("credential.rotated", subject, ",\"partner\":\"p1\",\"data\":{\"change\":\"CHG-1\"}".to_owned()),
                2 => ("change.approved", "CHG-1", format!(",\"partner\":\"p1\",\"data\":{{\"credential\":\"{subject}\"}}")),
                _ => ("change.requested", "CHG-1", P1.to_owned()),
            };
            let more = if *linked { more } else { P1.to_owned() };
            event(&n.to_string(), kind, subject, at(NOW) + *hours * HOUR, &more)
        }).collect();
        let run = |entered: usize| {
            let (dir, shelf) = (tempfile::tempdir().expect("a folder"), Shelf::default());
            let mut shard = shelf.open(dir.path(), vec![Feed::named("desk")], at(NOW));
            for (n, one) in events.iter().enumerate() {
                if n == entered {
                    shelf.put(ONE);
                    shard.live.reload().expect("it is read");
                }
                shard.say(0, std::slice::from_ref(one));
            }
            if entered >= events.len() {
                shelf.put(ONE);
                shard.live.reload().expect("it is read");
            }
            shard.caught_up(0);
            net(&mut shard)
        };
        let (first, amid, last) = (run(0), run(when.index(events.len())), run(events.len()));
        prop_assert_eq!(&first, &last);
        prop_assert_eq!(&first, &amid);
    }
}
