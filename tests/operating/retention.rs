use crate::postgres::shared;
use crate::shard::{Shard, at, event};
use onus::runtime::live::Feed;
use onus::store::place::{self, Place};
use onus::store::{Query, Store};
use onus_engine::standing::Standing;
use onus_engine::time::{DAY, HOUR, MINUTE, Moment};

fn desk(hours: u32, clause: &str) -> String {
    format!(
        "contract: desk\npartner: p1\ncustomer: acme\neffective: 2026-01-01T00:00:00Z\nzone: UTC\nobligations:\n  - id: answer\n    \
         clause: \"{clause}\"\n    when: ticket.opened\n    do: ticket.acknowledged\n    within: {hours}h\n"
    )
}

fn start() -> Moment {
    at("2026-03-02T09:00:00Z")
}

/// Sixty days with a ticket each, answered within the hour; the first one never, if so wanted. Retention is thirty days.
fn sixty_days(store: Box<dyn Store>, one_open: bool) -> Shard {
    let mut shard = Shard::open(&desk(4, "1"), vec![Feed::named("desk")], store, start());
    for day in 0..60 {
        let opened = start() + day * DAY;
        let ticket = |kind: &str, at: Moment| {
            event(&format!("{kind}{day}"), kind, &format!("INC-{day}"), at, ",\"partner\":\"p1\"")
        };
        shard.set(opened);
        shard.say(0, &[ticket("ticket.opened", opened)]);
        shard.write();
        shard.set(opened + HOUR);
        if day > 0 || !one_open {
            shard.say(0, &[ticket("ticket.acknowledged", opened + HOUR)]);
        }
        shard.caught_up(0);
        shard.write();
        if day % 5 == 4 {
            shard.live.snapshot().expect("a snapshot");
        }
    }
    // A pass a tick, at most one a second.
    for turn in 0..200 {
        shard.set(start() + 59 * DAY + 2 * HOUR + turn * HOUR / 60);
        shard.write();
    }
    shard
}

fn whole(store: &mut dyn Store) {
    let verified = store.verify().expect("it can be read");
    assert_eq!(verified.wrong, Vec::<String>::new(), "every sum and the chain are whole");
}

/// From which day on journal and ledger are there; and how many entries.
fn kept(store: &mut dyn Store) -> (i64, i64, usize) {
    let day = |at: Moment| (at.0 - start().0).div_euclid(DAY);
    let journal = store.journal(0, 64).expect("the journal");
    let first = journal.iter().find(|commit| !commit.journal.is_empty()).expect("a commit with something in it").now;
    let entries = store.entries(&Query::default()).expect("the ledger");
    assert_eq!(entries.last().expect("an entry").number, 60, "the newest stay");
    (day(first), day(entries[0].at), entries.len())
}

fn both(check: impl Fn(&dyn Fn() -> Box<dyn Store>)) {
    let dir = tempfile::tempdir().expect("a folder");
    let file = Place::Sqlite(dir.path().join("onus.db"));
    check(&|| place::open(&file, 0).expect("a store"));
    let server = shared();
    let url = server.url(&server.database());
    check(&|| place::open(&Place::parse(&url).expect("an address"), 0).expect("a store"));
}

#[test]
fn what_is_older_than_retention_goes_and_the_rest_goes_on() {
    both(|open| {
        let mut shard = sixty_days(open(), false);
        whole(shard.live.store().expect("its store"));
        let (journal, ledger, entries) = kept(shard.live.store().expect("its store"));
        assert_eq!((journal, ledger, entries), (30, 30, 30), "thirty days are kept");
        // The chain goes on from what is left, and a restart goes on from there.
        let later = start() + 60 * DAY + 5 * HOUR;
        shard.set(later);
        shard.say(0, &[event("n", "ticket.opened", "INC-N", later, ",\"partner\":\"p1\"")]);
        shard.set(later + MINUTE);
        shard.write();
        let state = shard.live.dump();
        drop(shard);
        let mut again = Shard::open(&desk(4, "1"), vec![Feed::named("desk")], open(), later + MINUTE);
        assert_eq!(again.live.dump(), state);
        whole(again.live.store().expect("its store"));
        drop(again);
        // Under other contracts the rest is judged again; what has gone is not taken back, and is not told anew.
        let mut other = Shard::open(&desk(4, "4.1"), vec![Feed::named("desk")], open(), later + MINUTE);
        let entries = other.live.store().expect("its store").entries(&Query::default()).expect("the ledger");
        let adjusted: Vec<_> = entries.iter().filter(|entry| entry.adjustment).collect();
        assert!(adjusted.is_empty(), "{adjusted:#?}");
        whole(other.live.store().expect("its store"));
    });
}

#[test]
fn the_journal_stays_as_long_as_something_in_memory_rests_on_it() {
    both(|open| {
        let mut shard = sixty_days(open(), true);
        whole(shard.live.store().expect("its store"));
        let (journal, _, ledger) = kept(shard.live.store().expect("its store"));
        assert_eq!((journal, ledger), (0, 30), "the first ticket is still open; the ledger goes by its own time");
        drop(shard);
        let end = start() + 60 * DAY + HOUR;
        let mut other = Shard::open(&desk(3, "1"), vec![Feed::named("desk")], open(), end);
        let entries = other.live.store().expect("its store").entries(&Query::default()).expect("the ledger");
        let mut moved: Vec<&str> = entries.iter().filter(|e| e.adjustment).map(|e| e.subject.as_str()).collect();
        moved.sort_unstable();
        let expected: Vec<String> = (60 - ledger..60).map(|day| format!("INC-{day}")).collect();
        assert_eq!(moved, expected, "their deadlines have moved; those whose entries went are not told anew");
    });
}

/// A store begins with the commit that takes its contracts up: nothing is in it, and it says no time.
#[test]
fn what_began_before_the_service_did_is_told_by_other_contracts_too() {
    both(|open| {
        let noon = start() + 3 * HOUR;
        let mut shard = Shard::open(&desk(4, "1"), vec![Feed::named("desk")], open(), noon);
        let said = |kind: &str, at: Moment| event(kind, kind, "INC-1", at, ",\"partner\":\"p1\"");
        shard.say(0, &[said("ticket.opened", start()), said("ticket.acknowledged", start() + HOUR)]);
        shard.write();
        shard.live.snapshot().expect("a snapshot");
        for turn in 0..5 {
            shard.set(noon + turn * HOUR);
            shard.write();
        }
        drop(shard);
        let end = noon + 5 * HOUR;
        let later = desk(4, "1").replace("2026-01-01", "2026-03-03");
        let told = |contract: &str| -> Vec<(u64, Standing)> {
            let mut shard = Shard::open(contract, vec![Feed::named("desk")], open(), end);
            let entries = shard.live.store().expect("its store").entries(&Query::default()).expect("the ledger");
            entries.iter().map(|entry| (entry.number, entry.to)).collect()
        };
        let (met, withdrawn) = (Standing::Met, Standing::Withdrawn);
        assert_eq!(told(&later), [(1, met), (2, withdrawn)], "nothing was owed before the contract's first day");
        assert_eq!(told(&desk(4, "1")), [(1, met), (2, withdrawn), (3, met)], "and now it was");
    });
}
