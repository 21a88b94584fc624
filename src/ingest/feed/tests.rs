use super::queue::{Next, Queue};
use super::*;
use proptest::prelude::*;
use std::sync::mpsc::{RecvTimeoutError, TryRecvError, TrySendError};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn a_record_is_one_line_and_no_less_strict_for_it() {
    let mut records = Records::new(FeedId(0), 0, Arc::from("here"));
    records.push(b"{\n  \"a\": \"x \\\" y\",\n  \"b\": 1\n}", 0, 1, Moment(0));
    records.push(b"{\"a\": \"x\ny\"}", 1, 2, Moment(0));
    let lines: Vec<&[u8]> = records.list.iter().map(|one| records.record(one)).collect();
    assert_eq!(lines[0], br#"{   "a": "x \" y",   "b": 1 }"#);
    assert!(serde_json::from_slice::<serde_json::Value>(lines[1]).is_err());
    assert_eq!(records.bytes.iter().filter(|byte| **byte == b'\n').count(), 2);
}

/// So many records of so many bytes; `number` is told by the first one's offset.
fn piece(feed: u16, partition: i32, number: u64, (count, bytes): (usize, usize)) -> Heard {
    let mut records = Records::new(FeedId(feed), partition, Arc::from("here"));
    for at in 0..count as u64 {
        records.push(&vec![b'x'; bytes], number * 100_000 + at, 0, Moment(0));
    }
    Heard::Records(records)
}

fn caught_up(feed: u16, partition: i32, number: u64) -> Heard {
    Heard::CaughtUp { feed: FeedId(feed), partition, partitions: 1, at: Moment(number as i64), lag: 0 }
}

fn trouble(feed: u16, number: u64) -> Heard {
    Heard::Trouble { feed: FeedId(feed), why: number.to_string() }
}

/// Whose it is, where (None: the source as a whole), and its number.
fn label(heard: &Heard) -> (u16, Option<i32>, u64) {
    match heard {
        Heard::Records(records) => (records.feed.0, Some(records.partition), records.list[0].offset / 100_000),
        Heard::CaughtUp { feed, partition, at, .. } => (feed.0, Some(*partition), at.0 as u64),
        Heard::Trouble { feed, why } => (feed.0, None, why.parse().expect("a number")),
        other => panic!("{other:?}"),
    }
}

fn taken(queue: &mut Queue, now: Duration) -> Option<Heard> {
    match queue.take(now) {
        Next::Heard(heard, _) => Some(heard),
        Next::Later(_) | Next::Nothing => None,
    }
}

#[derive(Clone, Debug)]
enum Act {
    Piece(u16, i32, (usize, usize)),
    CaughtUp(u16, i32),
    Trouble(u16),
    Take(u64),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let size = prop_oneof![Just((1, 10)), Just((3, 200_000)), Just((1_200, 20)), Just((1, 1_000_000))];
    let act = prop_oneof![
        6 => (0u16..4, 0i32..3, size).prop_map(|(feed, partition, size)| Act::Piece(feed, partition, size)),
        2 => (0u16..4, 0i32..3).prop_map(|(feed, partition)| Act::CaughtUp(feed, partition)),
        1 => (0u16..4).prop_map(Act::Trouble),
        4 => (0u64..300).prop_map(Act::Take),
    ];
    prop::collection::vec(act, 1..200)
}

fn portions() -> impl Strategy<Value = Vec<Portion>> {
    let quota = (1u64..2_000).prop_map(|records| Quota { records, each: Duration::from_secs(1) });
    let one = (1u16..4, prop::option::weighted(0.3, quota)).prop_map(|(share, quota)| Portion { share, quota });
    prop::collection::vec(one, 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// Whatever is let in comes out once; each partition in its order; what is said of a source as a whole after all that it
    /// said before, and before all that it said later.
    #[test]
    fn nothing_is_lost_and_every_source_is_heard_in_its_order(portions in portions(), acts in acts()) {
        let mut queue = Queue::new(portions);
        let (mut now, mut number) = (Duration::ZERO, 0);
        let (mut put, mut out) = (Vec::new(), Vec::new());
        for act in acts {
            number += 1;
            let heard = match act {
                Act::Piece(feed, partition, size) => piece(feed, partition, number, size),
                Act::CaughtUp(feed, partition) => caught_up(feed, partition, number),
                Act::Trouble(feed) => trouble(feed, number),
                Act::Take(later) => {
                    now += Duration::from_millis(later);
                    out.extend(taken(&mut queue, now).iter().map(label));
                    continue;
                }
            };
            let label = label(&heard);
            match queue.put(heard) {
                Ok(()) => put.push(label),
                // What was turned away comes back as it was.
                Err(back) => prop_assert_eq!(label, self::label(&back)),
            }
        }
        loop {
            match queue.take(now) {
                Next::Heard(heard, _) => out.push(label(&heard)),
                Next::Later(until) => {
                    prop_assert!(until > now, "there is something to wait for");
                    now = until;
                }
                Next::Nothing => break,
            }
        }
        let waits = queue.waits(now);
        prop_assert!(waits.iter().all(|waits| waits.records == 0));
        let mut sorted = out.clone();
        sorted.sort_by_key(|(.., number)| *number);
        prop_assert_eq!(&sorted, &put, "each that was let in, once");
        for (at, (feed, place, number)) in out.iter().enumerate() {
            for (other, elsewhere, earlier) in &out[at..] {
                let ordered = other == feed && (elsewhere == place || elsewhere.is_none() || place.is_none());
                prop_assert!(!ordered || earlier >= number, "{earlier} came before {number}");
            }
        }
    }

    /// What a source says, of which nothing waited, is taken after a slice of each other source at most, for each of its
    /// shares, and what one piece is beyond a slice.
    #[test]
    fn a_flood_keeps_nobody_waiting_for_longer_than_a_slice(
        shares in prop::collection::vec(1u16..4, 2..5), before in 0usize..20, partitions in 1i32..4,
        size in prop_oneof![Just((900usize, 280usize)), Just((1, 1_000_000)), Just((1_000, 10))],
    ) {
        let portions: Vec<Portion> = shares.iter().map(|share| Portion { share: *share, quota: None }).collect();
        let mut queue = Queue::new(portions);
        let flooders = shares.len() as u16 - 1;
        let mut more: Vec<Heard> = Vec::new();
        for feed in 0..flooders {
            more.extend((0..partitions).map(|partition| piece(feed, partition, 1, size)));
        }
        // Each has another piece at hand whenever there is room.
        let mut fill = |queue: &mut Queue| {
            for heard in std::mem::take(&mut more) {
                let (feed, partition, _) = label(&heard);
                let mut heard = heard;
                loop {
                    match queue.put(heard) {
                        Ok(()) => heard = piece(feed, partition.unwrap_or(0), 1, size),
                        Err(back) => break more.push(back),
                    }
                }
            }
        };
        fill(&mut queue);
        for _ in 0..before {
            taken(&mut queue, Duration::ZERO);
            fill(&mut queue);
        }
        prop_assert!(queue.put(piece(flooders, 0, 7, (1, 300))).is_ok(), "it has room, whatever others have");
        let weight = (size.0 * (size.1 + 1)).max(256 * size.0);
        let most: usize = shares[..usize::from(flooders)].iter().map(|share| usize::from(*share) * PIECE + weight).sum();
        let mut between = 0;
        while let Some(heard) = taken(&mut queue, Duration::ZERO) {
            if label(&heard).0 == flooders {
                break;
            }
            between += weight;
            fill(&mut queue);
        }
        prop_assert!(between <= most, "{between} bytes of others came first, and {most} may");
    }

}

/// However many partitions speak, and whatever they say.
#[test]
fn what_waits_is_bounded() {
    for (lanes, bytes) in [(1, 1_000_000), (5, 1_000_000), (100, 1_000_000), (600, 200_000), (600, 100)] {
        let mut queue = Queue::default();
        let mut waiting = 0;
        for feed in 0..lanes {
            while queue.put(piece(feed, 0, 1, (1, bytes))).is_ok() {
                waiting += bytes;
            }
        }
        assert!(waiting <= 64 << 20, "{waiting} bytes wait");
        while taken(&mut queue, Duration::ZERO).is_some() {}
        assert!(queue.put(piece(lanes, 0, 1, (1, bytes))).is_ok());
    }
}

#[test]
fn a_partition_that_is_full_leaves_its_neighbours_room() {
    let mut queue = Queue::default();
    for number in 0..WAITING as u64 {
        queue.put(piece(0, 0, number, (1, 10))).expect("room");
    }
    assert!(queue.put(piece(0, 0, 99, (1, 10))).is_err());
    queue.put(piece(0, 1, 100, (1, 10))).expect("another partition of it has room");
    queue.put(caught_up(1, 0, 101)).expect("and another source");
    // Within a source partitions take turns: the neighbour is not behind all of it.
    let order: Vec<u64> = std::iter::from_fn(|| taken(&mut queue, Duration::ZERO)).map(|one| label(&one).2).collect();
    assert!(order.iter().position(|number| *number == 100) <= Some(2), "{order:?}");
    assert_eq!(order.len(), WAITING + 2);
}

#[test]
fn whoever_was_full_is_let_in_again_when_half_is_taken() {
    let mut queue = Queue::default();
    while queue.put(piece(0, 0, 1, (1, 10))).is_ok() {}
    for left in (0..WAITING).rev() {
        let Next::Heard(_, room) = queue.take(Duration::ZERO) else { panic!("something waits") };
        assert_eq!(room, left == WAITING / 2, "told once");
        if left > WAITING / 2 {
            assert!(queue.put(piece(0, 0, 1, (1, 10))).is_err());
        }
    }
}

#[test]
fn a_share_of_three_is_three_times_as_much() {
    let portions = [1, 3].map(|share| Portion { share, quota: None }).to_vec();
    let mut queue = Queue::new(portions);
    let mut counts = [0i32; 2];
    for _ in 0..4_000 {
        for feed in 0..2 {
            while queue.put(piece(feed, 0, 1, (10, 10_000))).is_ok() {}
        }
        let heard = taken(&mut queue, Duration::ZERO).expect("something waits");
        counts[usize::from(label(&heard).0)] += 1;
    }
    assert!((counts[1] - 3 * counts[0]).abs() <= 12, "{counts:?}");
}

#[test]
fn a_quota_holds_records_back_and_nothing_else() {
    let quota = Some(Quota { records: 10, each: Duration::from_secs(1) });
    let mut queue = Queue::new(vec![Portion { share: 1, quota }]);
    for number in 1..=2 {
        queue.put(piece(0, 0, number, (100, 10))).expect("room");
        queue.put(caught_up(0, 0, 10 + number)).expect("room");
    }
    queue.put(piece(1, 0, 3, (100, 10))).expect("room");
    queue.put(trouble(0, 4)).expect("room");
    let mut order = Vec::new();
    while let Some(heard) = taken(&mut queue, MINUTE) {
        order.push(label(&heard).2);
    }
    // What is said behind records that wait, waits with them: it is not heard further than they are.
    order.sort_unstable();
    assert_eq!(order, [1, 3, 11], "a hundred are taken, and paid for");
    let Next::Later(until) = queue.take(MINUTE) else { panic!("the second hundred waits") };
    assert_eq!(until, MINUTE + Duration::from_secs(9));
    assert_eq!(queue.over(FeedId(0), MINUTE), Some(Duration::from_secs(19)), "who comes now comes behind them");
    assert_eq!(queue.over(FeedId(1), MINUTE), None);
    let waits = queue.waits(until);
    assert_eq!((waits[0].records, waits[0].turned_away, waits[1].held), (100, 1, None));
    assert_eq!(waits[0].held, Some(Duration::from_secs(9)));
    let rest: Vec<u64> = std::iter::from_fn(|| taken(&mut queue, until)).map(|one| label(&one).2).collect();
    assert_eq!(rest, [2, 12, 4]);
}

#[test]
fn a_wish_comes_first_and_once() {
    let (sender, heard) = channel();
    sender.send(caught_up(0, 0, 1)).expect("it listens");
    for _ in 0..1_000 {
        sender.send(Heard::Wish(Wish::Reload)).expect("it listens");
    }
    assert!(matches!(heard.try_recv(), Ok(Heard::Wish(Wish::Reload))));
    assert!(matches!(heard.try_recv(), Ok(Heard::CaughtUp { .. })));
    assert_eq!(heard.try_recv().expect_err("no more"), TryRecvError::Empty);
}

#[test]
fn when_all_have_gone_what_they_said_is_heard_and_then_the_end() {
    let (sender, heard) = channel();
    let other = sender.clone();
    sender.send(piece(0, 0, 1, (1, 10))).expect("it listens");
    drop(sender);
    other.send(Heard::Ended { feed: FeedId(1) }).expect("it listens");
    drop(other);
    assert_eq!(heard.try_iter().count(), 2);
    assert_eq!(heard.recv_timeout(MINUTE).expect_err("nobody is left"), RecvTimeoutError::Disconnected);
}

#[test]
fn when_the_loop_ends_whoever_waits_for_room_or_for_a_receipt_is_told() {
    let (sender, heard) = channel();
    let (done, receipt) = oneshot::channel();
    let mut records = Records::new(FeedId(0), 0, Arc::from("here"));
    records.push(b"{}", 0, 1, Moment(0));
    records.done = Some(done);
    sender.send(Heard::Records(records)).expect("it listens");
    while sender.try_send(piece(0, 0, 1, (1, 10))).is_ok() {}
    let waiting = sender.clone();
    let blocked = std::thread::spawn(move || waiting.send(piece(0, 0, 2, (1, 10))));
    drop(heard);
    assert!(blocked.join().expect("it ends").is_err());
    assert!(receipt.blocking_recv().is_err());
    assert!(matches!(sender.try_send(caught_up(0, 0, 1)), Err(TrySendError::Disconnected(_))));
}

#[test]
fn sources_on_threads_of_their_own_are_heard_whole_and_in_order() {
    const EACH: u64 = 3_000;
    let (sender, heard) = channel();
    let speak = |feed: u16, sender: Sender| {
        std::thread::spawn(move || {
            for number in 0..EACH {
                sender.send(piece(feed, 0, number, (1, 10))).expect("it listens");
            }
            sender.send(Heard::Ended { feed: FeedId(feed) }).expect("it listens");
        })
    };
    let threads: Vec<_> = (0..4).map(|feed| speak(feed, sender.clone())).collect();
    drop(sender);
    let (mut next, mut ended) = ([0; 4], 0);
    loop {
        match heard.recv_timeout(MINUTE) {
            Ok(Heard::Ended { feed }) => {
                assert_eq!(next[usize::from(feed.0)], EACH);
                ended += 1;
            }
            Ok(one) => {
                let (feed, _, number) = label(&one);
                assert_eq!(number, next[usize::from(feed)]);
                next[usize::from(feed)] += 1;
            }
            Err(error) => {
                assert_eq!(error, RecvTimeoutError::Disconnected);
                break;
            }
        }
    }
    assert_eq!(ended, 4);
    threads.into_iter().for_each(|thread| thread.join().expect("it spoke to its end"));
}
