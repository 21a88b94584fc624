//! One Alertmanager: told the newest state of each alert, at once and then again and again. Waits for no other.

use super::board::{About, Key, Notice};
use super::deliveries::Delivery;
use super::directory::{Step, Words};
use super::{GRACE, LOOK, Shared, alert};
use crate::web::{Client, Target};
use onus_engine::identity::DutyId;
use onus_engine::time::Moment;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// Alerts in one request.
const TOGETHER: usize = 256;
/// Pauses where it is away: the first, and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// How often what is over is looked for.
const TIDY: Duration = Duration::from_secs(1);

pub(super) struct Peer {
    name: String,
    receiver: String,
    client: Client,
    shared: Arc<Shared>,
    sent: BTreeMap<Key, Sent>,
    /// When the rungs of a breach at that instant are reached.
    rungs: BTreeMap<DutyId, (Moment, Reached)>,
    pause: Duration,
    /// What was said of it last, so that it is said once.
    trouble: Option<String>,
}

/// Rungs, and when each is reached.
type Reached = Vec<(Moment, Step)>;

/// What it was told of an alert.
#[derive(Clone, Copy, Debug)]
struct Sent {
    version: u64,
    at: Moment,
    /// It refused this version: the same is not told again.
    refused: bool,
}

/// One alert that is to be told.
struct Due {
    key: Key,
    version: u64,
    entry: u64,
    ended: bool,
    news: bool,
    since: Instant,
    body: Value,
}

impl Peer {
    pub(super) fn new(name: &str, target: Target, shared: Arc<Shared>) -> Result<Peer, String> {
        let client = Client::new(target, "/api/v2/alerts")?;
        let receiver = format!("alertmanager/{name}");
        shared.told.add(&receiver);
        let (sent, rungs) = (BTreeMap::new(), BTreeMap::new());
        Ok(Peer { name: name.to_owned(), receiver, client, shared, sent, rungs, pause: PAUSE.0, trouble: None })
    }

    pub(super) fn run(mut self) {
        let mut tidied = Instant::now();
        let mut ends = None;
        loop {
            let stop = self.shared.stop.load(Ordering::Acquire);
            let ends = stop.then(|| *ends.get_or_insert_with(|| Instant::now() + GRACE));
            if tidied.elapsed() >= TIDY {
                tidied = Instant::now();
                self.tidy();
            }
            let due = self.due(stop);
            if due.is_empty() || ends.is_some_and(|ends| Instant::now() >= ends) {
                if stop {
                    return;
                }
                self.wait(LOOK);
                continue;
            }
            for some in due.chunks(TOGETHER) {
                // What is due was asked a moment ago, and that may have been long.
                if !self.shared.may_speak() {
                    break;
                }
                if let Err(why) = self.tell(some) {
                    self.shared.told.failed(&self.receiver);
                    if self.trouble.as_ref() != Some(&why) {
                        tracing::warn!(peer = self.name, "pages cannot be told, and are tried again: {why}");
                        self.trouble = Some(why);
                    }
                    let pause = if stop { LOOK } else { self.pause };
                    self.rest(pause);
                    self.pause = (self.pause * 2).min(PAUSE.1);
                    break;
                }
                self.pause = PAUSE.0;
                if self.trouble.take().is_some() {
                    tracing::info!(peer = self.name, "pages are told again");
                }
            }
        }
    }

    /// Until there are news, at most so long.
    fn wait(&self, within: Duration) {
        let board = self.shared.board();
        drop(self.shared.news.wait_timeout(board, within).unwrap_or_else(PoisonError::into_inner));
    }

    /// So long, unless it is to end.
    fn rest(&self, within: Duration) {
        let until = Instant::now() + within;
        let begun = self.shared.stop.load(Ordering::Acquire);
        while Instant::now() < until && (begun || !self.shared.stop.load(Ordering::Acquire)) {
            std::thread::sleep(LOOK.min(until.saturating_duration_since(Instant::now())));
        }
    }

    fn tidy(&mut self) {
        let mut board = self.shared.board();
        self.shared.tidy(&mut board, (self.shared.clock)());
        let there: BTreeSet<Key> = board.notices().map(|notice| notice.key).collect();
        drop(board);
        self.rungs.retain(|duty, _| there.contains(&Key::Duty(*duty)));
        self.sent.retain(|key, _| match key {
            Key::Rung(duty, _) => there.contains(&Key::Duty(*duty)),
            key => there.contains(key),
        });
    }

    /// What is to be told now; at the end only what is news.
    fn due(&mut self, stop: bool) -> Vec<Due> {
        if !self.shared.is_ready() || !self.shared.may_speak() {
            return Vec::new();
        }
        let shared = Arc::clone(&self.shared);
        let now = (shared.clock)();
        let mut board = shared.board();
        let (mut due, mut queue) = (Vec::new(), 0);
        let mut known = std::mem::take(&mut self.rungs);
        for notice in board.notices() {
            let words = shared.directory.words(notice.under, now);
            if let (About::Duty(duty, _), false) = (notice.about, words.rungs.is_empty()) {
                let until = notice.ended.map_or(now, |ended| ended.known);
                for (at, step) in rungs(&mut known, duty, notice.starts, &words) {
                    if *at <= until {
                        let higher = Notice { key: Key::Rung(duty, step.number), ..notice.clone() };
                        queue += self.consider(&higher, &words, Some(step), now, stop, &mut due);
                    }
                }
            }
            queue += self.consider(&notice, &words, None, now, stop, &mut due);
        }
        self.rungs = known;
        for one in &due {
            board.handed(&one.key);
        }
        shared.told.queue(&self.receiver, queue);
        due
    }

    /// Adds it, if it is to be told; 1: it is news.
    fn consider(
        &self,
        notice: &Notice<'_>,
        words: &Words,
        step: Option<&Step>,
        now: Moment,
        stop: bool,
        due: &mut Vec<Due>,
    ) -> u64 {
        let manner = &self.shared.manner;
        let sent = self.sent.get(&notice.key).filter(|sent| sent.version == notice.version);
        let wanted = match sent {
            Some(sent) => !sent.refused && !stop && now.0 - sent.at.0 >= manner.resend,
            None => stop || now >= notice.from,
        };
        if wanted {
            due.push(Due {
                body: alert::json(notice, words, step, manner, now),
                version: notice.version,
                entry: notice.entry,
                ended: notice.ended.is_some(),
                news: sent.is_none(),
                since: notice.since,
                key: notice.key.clone(),
            });
        }
        u64::from(sent.is_none())
    }

    /// Tells these; where some are refused, finds them.
    ///
    /// # Errors
    /// It is away, or has no ear for us.
    fn tell(&mut self, some: &[Due]) -> Result<(), String> {
        let bodies: Vec<&Value> = some.iter().map(|due| &due.body).collect();
        let body = serde_json::to_vec(&bodies).map_err(|error| error.to_string())?;
        let answer = self.client.post("application/json", &[], &body)?;
        let said = || answer.body.trim().chars().take(300).collect::<String>();
        match answer.status {
            200..=299 => self.accepted(some),
            // Who we are, where it is, and how busy: nothing that another alert would change.
            300..=399 | 401 | 403 | 404 | 405 | 407 | 408 | 425 | 429 | 500.. => {
                return Err(format!("it answered {}: {}", answer.status, said()));
            }
            // One of them is wrong, and others may have been refused with it.
            status => match some {
                [] => {}
                [one] => self.refused(one, &format!("{status}: {}", said())),
                some => {
                    let (one, other) = some.split_at(some.len() / 2);
                    self.tell(one)?;
                    self.tell(other)?;
                }
            },
        }
        Ok(())
    }

    fn accepted(&mut self, some: &[Due]) {
        let now = (self.shared.clock)();
        let mut took = Vec::new();
        let mut deliveries = Vec::new();
        for due in some {
            self.sent.insert(due.key.clone(), Sent { version: due.version, at: now, refused: false });
            if due.news {
                took.push(due.since.elapsed());
                let alert = match &due.key {
                    Key::Duty(duty) => duty.to_string(),
                    Key::Rung(duty, rung) => format!("{duty}, rung {rung}"),
                    Key::Risk(duty) => format!("{duty}, at risk"),
                    Key::Many((partner, contract, obligation)) => format!("{partner}/{contract}/{obligation}"),
                    Key::Risks((partner, contract, obligation)) => {
                        format!("{partner}/{contract}/{obligation}, at risk")
                    }
                };
                let state = if due.ended { "resolved" } else { "firing" };
                deliveries.push(Delivery { at: now.to_string(), peer: &self.name, alert, entry: due.entry, state });
            }
        }
        self.shared.told.sent(&self.receiver, some.len() as u64, &took);
        self.shared.record.write(&deliveries);
    }

    fn refused(&mut self, one: &Due, why: &str) {
        tracing::error!(peer = self.name, entry = one.entry, alert = %one.body, "a page was refused, and is not sent again: {why}");
        self.shared.told.dropped(&self.receiver);
        let sent = Sent { version: one.version, at: (self.shared.clock)(), refused: true };
        self.sent.insert(one.key.clone(), sent);
    }
}

/// Worked out once for each breach: calendars are asked.
fn rungs<'r>(
    known: &'r mut BTreeMap<DutyId, (Moment, Reached)>,
    duty: DutyId,
    breach: Moment,
    words: &Words,
) -> &'r [(Moment, Step)] {
    let reached = || words.rungs.iter().filter_map(|step| Some((step.reached(breach)?, step.clone()))).collect();
    let kept = known.entry(duty).or_insert_with(|| (breach, reached()));
    if kept.0 != breach {
        *kept = (breach, reached());
    }
    &kept.1
}
