//! How time goes on for the judge, by the wall's clock or by that of the events; and what is done when it does.

use super::frontiers::Frontier;
use super::journal::Item;
use super::judge::Clock;
use super::{Live, LiveError, SHOWN, WISHES};
use onus_engine::time::{Millis, Moment};

/// Longest time without a commit while only time passes. Nothing that was told rests on it: what is decided is committed
/// at once, and positions with their records. It is for those who look into the store, who see by the shard's `now` that
/// somebody is at work and as of when; and it bounds what a crash makes the next owner pass through again.
const IDLE: Millis = 60_000;
/// After so long without a commit, what was told is noted by one of its own.
const QUIET: Millis = 1_000;
/// After so long without a commit the loop has nothing else to do.
const REST: Millis = 50;

impl Live {
    /// Before events of a partition are taken in: time goes on.
    pub(super) fn time_for(&mut self, partition: (u16, i32)) -> Result<(), LiveError> {
        match self.plan.clock {
            Clock::Wall => self.pass_time(),
            Clock::Events => {
                // Who was not heard of yet may be behind all others.
                let behind = self.frontiers.iter().any(Frontier::may_be_behind);
                let ceiling = if behind { Moment::DAWN } else { self.ceiling(Some(partition)) };
                // Time goes on with the events only: this partition, too, may be behind all others.
                if ceiling != self.judge.ceiling {
                    self.hand.journal.put(Item::Ceiling(ceiling));
                    self.judge.ceiling = ceiling;
                }
                Ok(())
            }
        }
    }

    /// By the events' clock: no partition that has more to say has come further than this.
    fn ceiling(&self, but: Option<(u16, i32)>) -> Moment {
        let others = self.peaks.iter().filter(|(key, (_, waits))| Some(**key) != but && !waits);
        others.map(|(_, (peak, _))| peak.unwrap_or(Moment::DAWN)).min().unwrap_or(Moment::NEVER)
    }

    /// By the wall clock: now, and how far each feed has been heard by now.
    fn pass_time(&mut self) -> Result<(), LiveError> {
        let now = self.now.now();
        let mut news = Vec::new();
        for (feed, frontier) in self.frontiers.iter_mut().enumerate() {
            let heard = frontier.heard(now);
            if heard > self.heard[feed] {
                self.heard[feed] = heard;
                news.push((feed, heard));
            }
        }
        self.tell_time(now, news)
    }

    fn tell_time(&mut self, now: Moment, news: Vec<(usize, Moment)>) -> Result<(), LiveError> {
        let unchanged = match self.plan.clock {
            Clock::Wall => now <= self.judge.engine.now(),
            Clock::Events => now == self.judge.ceiling && !self.judge.lags(),
        };
        if unchanged && news.is_empty() {
            return Ok(());
        }
        let names = &self.plan.feeds;
        let heard = news.iter().map(|(feed, at)| (self.hand.journal.name(&names[*feed].name), *at)).collect();
        self.hand.journal.put(Item::Time { now, heard });
        let mut trouble = None;
        self.with_shelves(|judge, shelves| {
            judge.time(now, &news, shelves);
            trouble = shelves.trouble.take();
        });
        trouble.map_or(Ok(()), |trouble| Err(trouble.into()))
    }

    /// Time passes, and operators may have wishes.
    pub fn tick(&mut self) -> Result<(), LiveError> {
        match self.plan.clock {
            Clock::Wall => self.pass_time()?,
            // Who held time back may have come to its end without another record; who was not heard of may hold it back.
            Clock::Events if self.frontiers.iter().all(Frontier::is_known) => {
                self.tell_time(self.ceiling(None), Vec::new())?;
            }
            Clock::Events => {}
        }
        self.ledger.take(&mut self.judge.engine);
        let steady = self.now.steady();
        // Between two batches there is always a moment in which nothing is in hand: that is no rest.
        let free = self.hand.events == 0 && !self.keeper.is_busy() && steady - self.idle_since >= REST;
        self.looking.on(&self.judge.engine, steady, free);
        if !self.ledger.entries.is_empty() {
            self.since.get_or_insert(self.now.steady());
        }
        let steady = self.now.steady();
        if steady - self.letters_asked >= WISHES {
            self.letters_asked = steady;
            self.read_letters_again()?;
        }
        self.strays();
        self.followers.tell(&mut self.keeper)?;
        self.letters_told.tell(&mut self.keeper)?;
        // Up to where it was told is written soon, though nothing else is to be written.
        let told = || self.followers.positions().chain(self.letters_told.positions()).next().is_some();
        if self.since.is_none() && steady - self.idle_since >= QUIET && told() {
            self.since = Some(steady);
        }
        self.retire()?;
        self.status.jumped(self.now.jumped);
        // Where nothing is written, nothing has changed but the time and how far was heard.
        let idle = self.hand.events == 0 && self.ledger.entries.is_empty() && !self.keeper.is_busy();
        if idle && steady - self.shown >= SHOWN {
            self.shown = steady;
            self.status.show(self.snap(self.sequence, true));
        }
        Ok(())
    }

    /// There is something to commit, and it has waited long enough.
    pub fn is_due(&mut self) -> bool {
        let steady = self.now.steady();
        self.hand.events >= self.plan.batch
            || self.since.is_some_and(|since| steady - since >= self.plan.commit_every)
            || !self.hand.journal.is_empty() && steady - self.idle_since >= IDLE
    }
}
