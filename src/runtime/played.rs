//! A story as a source of the loop: its records come in their order, and the clock goes as fast as the story is told.
//!
//! The loop cannot tell it from a service that has run for weeks: it asks the clock, hears records as they arrive, and
//! hears up to when everything has come. Only the hours between two records are shorter.

use crate::ingest::feed::{FeedId, Heard, Records, Sender};
use crate::runtime::live::Time;
use onus_engine::time::{HOUR, Millis, Moment};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::SendError;
use std::thread::JoinHandle;
use std::time::Duration;

/// How long the clock stands between two steps.
const STEP: Duration = Duration::from_millis(40);
/// A night counts no more than this when the story's length is shared out.
const NIGHT: Millis = 12 * HOUR;

/// What time it is in the story.
#[derive(Clone, Debug)]
pub struct Clock(Arc<AtomicI64>);

impl Clock {
    /// One that stands at an instant.
    pub fn at(start: Moment) -> Clock {
        Clock(Arc::new(AtomicI64::new(start.0)))
    }

    /// The instant at which it stands.
    pub fn now(&self) -> Moment {
        Moment(self.0.load(Ordering::Acquire))
    }

    fn set(&self, to: Moment) {
        self.0.store(to.0, Ordering::Release);
    }

    /// The loop's view of it.
    pub fn hands(&self) -> Hands {
        Hands { clock: self.clone(), seen: self.now() }
    }
}

/// The story's clock as the loop's. Wall and monotonic clock are the same one, read at the same moment: they never part.
#[derive(Debug)]
pub struct Hands {
    clock: Clock,
    seen: Moment,
}

impl Time for Hands {
    fn wall(&mut self) -> Moment {
        self.seen = self.clock.now();
        self.seen
    }

    fn steady(&mut self) -> Millis {
        self.seen.0
    }
}

/// One record, and when it came: what is told late came late.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The instant.
    pub at: Moment,
    /// The record.
    pub text: String,
}

/// How a story is played.
#[derive(Debug)]
pub struct Playing {
    /// Whose records they are.
    pub feed: FeedId,
    /// In order; no instant lies before the one before it.
    pub lines: Vec<Line>,
    /// How long it takes, about.
    pub within: Duration,
    /// Ends it early.
    pub stop: Arc<AtomicBool>,
}

/// Plays it in a thread of its own; `say` hears each record as it is handed over.
pub fn spawn(
    playing: Playing,
    clock: Clock,
    sender: Sender,
    say: impl FnMut(&Line) + Send + 'static,
) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name("story".to_owned()).spawn(move || {
        // Whoever listened has ended: so does the story.
        let _ = play(&playing, &clock, &sender, say);
    })
}

fn play(playing: &Playing, clock: &Clock, sender: &Sender, mut say: impl FnMut(&Line)) -> Result<(), SendError<Heard>> {
    let feed = playing.feed;
    let caught_up = |at: Moment| Heard::CaughtUp { feed, partition: 0, partitions: 1, at, lag: 0 };
    let incarnation: Arc<str> = Arc::from("story");
    let whole: f64 = gaps(&playing.lines).map(weight).sum();
    for (count, (line, gap)) in playing.lines.iter().zip(gaps(&playing.lines)).enumerate() {
        let share = playing.within.mul_f64(if whole > 0.0 { weight(gap) / whole } else { 0.0 });
        let steps = (share.as_millis() / STEP.as_millis()).max(1) as i64;
        let from = clock.now();
        for step in 1..=steps {
            if playing.stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            std::thread::sleep(share / steps as u32);
            let at = Moment(from.0 + gap * step / steps);
            clock.set(at);
            // What comes at this very instant has not come yet.
            sender.send(caught_up(at + -1))?;
        }
        say(line);
        let mut records = Records::new(feed, 0, Arc::clone(&incarnation));
        records.push(line.text.as_bytes(), count as u64, count as u64 + 1, line.at);
        sender.send(Heard::Records(records))?;
    }
    sender.send(caught_up(clock.now()))?;
    sender.send(Heard::Ended { feed })
}

/// From each record's predecessor to it.
fn gaps(lines: &[Line]) -> impl Iterator<Item = Millis> {
    let first = lines.first().map_or(0, |line| line.at.0);
    let before = std::iter::once(first).chain(lines.iter().map(|line| line.at.0));
    lines.iter().zip(before).map(|(line, before)| line.at.0 - before)
}

/// Each record takes a moment to be read; hours take longer than minutes, and nights are cut short.
fn weight(gap: Millis) -> f64 {
    1.0 + gap.clamp(0, NIGHT) as f64 / (4 * HOUR) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::feed::channel;

    #[test]
    fn every_record_comes_at_its_instant_and_after_all_before_it() {
        let start = Moment(1000 * HOUR);
        let line = |hours: i64| Line { at: start + hours * HOUR, text: format!("{{\"at\":{hours}}}") };
        let lines = vec![line(0), line(1), line(1), line(40)];
        let stop = Arc::new(AtomicBool::new(false));
        let playing = Playing { feed: FeedId(0), lines: lines.clone(), within: Duration::from_millis(200), stop };
        let (sender, heard) = channel();
        let clock = Clock::at(start);
        let told = clock.clone();
        let playing = std::thread::spawn(move || {
            let mut said = Vec::new();
            play(&playing, &told, &sender, |line| said.push(line.clone())).expect("somebody listens");
            said
        });
        let (mut caught, mut came, mut ended) = (start + -1, 0, false);
        while let Ok(heard) = heard.recv_timeout(Duration::from_secs(60)) {
            match heard {
                Heard::CaughtUp { at, .. } => {
                    assert!(at >= caught, "time goes on");
                    caught = at;
                }
                Heard::Records(records) => {
                    assert_eq!(records.list[0].arrived, lines[came].at);
                    assert_eq!(caught + 1, lines[came].at, "all before it has come, and it has not");
                    came += 1;
                }
                Heard::Ended { .. } => ended = true,
                other => panic!("{other:?}"),
            }
        }
        assert!(ended);
        assert_eq!(came, 4);
        assert_eq!(playing.join().expect("it plays to the end"), lines);
        assert_eq!(clock.now(), start + 40 * HOUR);
    }
}
