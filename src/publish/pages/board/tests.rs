use super::*;
use crate::store::Which;
use proptest::prelude::*;

const MINUTE: i64 = 60_000;

fn under(obligation: &str) -> Arc<Under> {
    let text = str::to_owned;
    Arc::new(Under { partner: text("p1"), contract: text("desk"), obligation: text(obligation), clause: text("4.2") })
}

/// A duty that was due at minute 0.
fn entry(number: u64, duty: u8, from: Standing, to: Standing, at: i64, ended: Option<i64>) -> Entry {
    Entry {
        number,
        under: under("answer"),
        subject: format!("INC-{duty}"),
        which: Which::Id(DutyId([duty; 16])),
        from,
        to,
        start: Moment(-60 * MINUTE),
        deadline: Some(Moment(0)),
        ended: ended.map(Moment),
        broken: true,
        excused: false,
        disputed: false,
        adjustment: false,
        used: 0,
        at: Moment(at),
        heard: Moment(at),
        digest: [0; 32],
    }
}

fn fires(board: &Board) -> Vec<Key> {
    board.notices().filter(|notice| notice.ended.is_none()).map(|notice| notice.key).collect()
}

fn board() -> Board {
    Board::new(3, 60 * MINUTE)
}

/// Taken as they are decided, and told at once.
fn told(board: &mut Board, entries: &[Entry]) {
    for entry in entries {
        board.take(entry, entry.at, true);
        let keys: Vec<Key> = board.notices().map(|notice| notice.key).collect();
        keys.iter().for_each(|key| board.handed(key));
    }
}

#[test]
fn an_adjustment_and_what_was_over_when_we_learned_of_it_page_nobody() {
    use Standing::{Breached, MetLate, Open};
    let mut adjusted = entry(1, 1, Open, Breached, MINUTE, None);
    adjusted.adjustment = true;
    let over = entry(2, 2, Open, MetLate, MINUTE, Some(MINUTE / 2));
    let cancelled = entry(3, 3, Open, Breached, MINUTE, Some(MINUTE / 2));
    let found_late = entry(4, 4, Standing::Untold, Breached, 25 * 60 * MINUTE, Some(0));
    let mut board = board();
    for entry in [adjusted, over, cancelled, found_late] {
        board.take(&entry, entry.at, true);
    }
    assert_eq!(board.notices().count(), 0);
    assert_eq!(board.oldest(), 0);
}

#[test]
fn a_finding_fires_for_its_time_and_then_says_that_its_breach_stands() {
    let mut board = board();
    told(&mut board, &[entry(1, 1, Standing::Untold, Standing::Breached, MINUTE, Some(0))]);
    board.tidy(Moment(60 * MINUTE));
    assert_eq!(fires(&board), [Key::Duty(DutyId([1; 16]))]);
    board.tidy(Moment(61 * MINUTE));
    let notice = board.notices().next().expect("it is told to have ended");
    assert!(notice.ended.expect("it has ended").why.contains("The breach stands"));
    board.tidy(Moment(76 * MINUTE));
    assert_eq!((board.notices().count(), board.oldest()), (0, 0));
}

#[test]
fn an_end_is_never_before_the_beginning_and_says_why() {
    use Standing::{Breached, Met, MetLate, Open, Waived, Withdrawn};
    for (to, ended, at, word) in [
        (MetLate, Some(MINUTE), MINUTE, "Done, late."),
        (Met, Some(-MINUTE), 5 * MINUTE, "Taken back: a late record"),
        (Withdrawn, None, 5 * MINUTE, "Taken back: the duty no longer"),
        (Open, None, 5 * MINUTE, "not due yet. It is open."),
        (Waived, None, 5 * MINUTE, "Waived"),
    ] {
        let mut board = board();
        told(
            &mut board,
            &[entry(1, 1, Open, Breached, 2 * MINUTE, None), entry(2, 1, Breached, to, 5 * MINUTE, ended)],
        );
        let notice = board.notices().next().expect("it is told to have ended");
        let over = notice.ended.expect("it has ended");
        assert_eq!((over.at, over.why.contains(word)), (Moment(at), true), "{over:?}");
    }
}

#[test]
fn the_fourth_within_a_minute_is_one_of_many_and_what_was_told_stays() {
    let breach = |n: u8, at: i64| entry(u64::from(n), n, Standing::Open, Standing::Breached, at, None);
    let mut board = board();
    told(&mut board, &[breach(1, 0), breach(2, 20_000), breach(3, 40_000), breach(4, 50_000), breach(5, 55_000)]);
    let many = || Key::Many(("p1".to_owned(), "desk".to_owned(), "answer".to_owned()));
    let single = |n: u8| Key::Duty(DutyId([n; 16]));
    assert_eq!(fires(&board), [single(1), single(2), single(3), many()]);
    // At one instant: all of them.
    let mut board = Board::new(3, 60 * MINUTE);
    (1..=5).for_each(|n| board.take(&breach(n, 0), Moment(0), true));
    assert_eq!(fires(&board), [many()]);
    assert!(matches!(board.notices().next().expect("one").about, About::Many(5, 5)));
}

fn stories() -> impl Strategy<Value = Vec<(u8, bool, i64)>> {
    // Duty, whether it breaks, and how much later than the one before: at once, within a minute, later.
    let step = prop_oneof![Just(0), 1_000..20_000_i64, 60_000..600_000_i64];
    prop::collection::vec((0..12_u8, prop::bool::weighted(0.6), step), 0..60)
}

proptest! {
    /// Whoever starts reads on from where something rests that fires, and has the same board.
    #[test]
    fn a_board_that_is_read_again_from_its_oldest_entry_fires_the_same(story in stories()) {
        use Standing::{Breached, MetLate, Open};
        let mut at = 0;
        let mut stands = [false; 12];
        let mut entries = Vec::new();
        for (duty, breaks, later) in story {
            at += later;
            let was = std::mem::replace(&mut stands[usize::from(duty)], breaks);
            let number = entries.len() as u64 + 1;
            match (was, breaks) {
                (false, true) => entries.push(entry(number, duty, Open, Breached, at, None)),
                (true, false) => entries.push(entry(number, duty, Breached, MetLate, at, Some(at))),
                _ => {}
            }
        }
        let now = Moment(at + 1);
        let mut whole = board();
        for entry in &entries {
            whole.take(entry, entry.at, false);
            whole.tidy(entry.at);
        }
        whole.tidy(now);
        let mut again = board();
        let oldest = whole.oldest();
        for entry in entries.iter().filter(|entry| oldest > 0 && entry.number >= oldest) {
            again.take(entry, now, false);
        }
        again.tidy(now);
        let mut firing: Vec<DutyId> = Vec::new();
        for (duty, stands) in stands.iter().enumerate() {
            if *stands {
                firing.push(DutyId([duty as u8; 16]));
            }
        }
        prop_assert_eq!(whole.alerts.values().filter(|a| matches!(a.state, State::Fires(_))).count(), firing.len());
        prop_assert_eq!(fires(&whole), fires(&again));
    }
}
