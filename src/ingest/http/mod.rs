//! Events that are sent to us: `POST /events`.
//!
//! Answered when the loop says that they are written down, and not before: who gets no 202 sends again, and what was
//! written twice is a repeat. Whoever sends must have a token, and the token says which source it is. Nothing here waits
//! for the loop but the request that asked: what has no room is turned away.

mod answer;
mod binary;
mod body;
mod line;
mod split;
mod tokens;

pub use tokens::{Token, digest};

use crate::ingest::feed::{FeedId, Receipt, Sender};
use crate::ingest::wire::Wire;
use answer::{Answer, Problem};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::Response;
use axum::routing::post;
use line::{Line, Sent};
use onus_engine::time::Moment;
use split::Mode;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// What is taken, and from whom.
#[derive(Clone, Debug)]
pub struct Events {
    /// Who may send: a source may have several tokens, so that one can be exchanged for another.
    pub tokens: Vec<Token>,
    /// Sources of which a body is a vendor's record and no event of ours: an adapter reads it.
    pub raw: Vec<FeedId>,
    /// What takes off what a source's records are wrapped in; of a source that is not named: as each record shows.
    pub wires: Vec<(FeedId, Arc<Wire>)>,
    /// Bytes that one request may have.
    pub body: usize,
    /// Events that one request may have.
    pub most: usize,
    /// The longest event that is handed over whole, in bytes.
    pub longest: usize,
    /// Bytes of all requests that are being read or wait.
    pub waiting: usize,
    /// How long a body may take to come.
    pub body_within: Duration,
    /// How long a request waits until its events are written down.
    pub written_within: Duration,
    /// How often it is said that everything is handed over.
    pub beat: Duration,
    /// The wall clock.
    pub clock: fn() -> Moment,
}

impl Events {
    /// From these, with the usual bounds.
    pub fn from(tokens: Vec<Token>, clock: fn() -> Moment) -> Events {
        Events {
            tokens,
            raw: Vec::new(),
            wires: Vec::new(),
            body: 4 << 20,
            most: 10_000,
            longest: 1 << 20,
            waiting: 64 << 20,
            body_within: Duration::from_secs(30),
            written_within: Duration::from_secs(15),
            beat: Duration::from_secs(1),
            clock,
        }
    }
}

/// Bytes are counted in such pieces: a semaphore's numbers are no larger than an u32.
const UNIT: usize = 1 << 10;

struct Door {
    events: Events,
    lines: Vec<Line>,
    room: Arc<Semaphore>,
}

/// The route. To be called where tasks can be spawned: one says regularly that all has been handed over.
pub fn routes(events: Events, heard: Sender) -> Router {
    let mut feeds: Vec<FeedId> = events.tokens.iter().map(|token| token.feed).collect();
    feeds.sort_unstable();
    feeds.dedup();
    let since = (events.clock)();
    let wire = |feed: FeedId| events.wires.iter().find(|(whose, _)| *whose == feed).map(|(_, wire)| Arc::clone(wire));
    let line = |feed: FeedId| Line::new(feed, wire(feed).unwrap_or_default(), since, heard.clone());
    let lines = feeds.into_iter().map(line).collect();
    let room = Arc::new(Semaphore::new(events.waiting.div_ceil(UNIT)));
    let door = Arc::new(Door { events, lines, room });
    tokio::spawn(beat(Arc::downgrade(&door), door.events.beat));
    Router::new().route("/events", post(take)).with_state(door)
}

/// Says of each source that all it has sent is handed over, as long as the route exists.
async fn beat(door: Weak<Door>, every: Duration) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(door) = door.upgrade() else { return };
        for line in &door.lines {
            line.beat(door.events.clock);
        }
    }
}

async fn take(State(door): State<Arc<Door>>, request: Request) -> Response {
    let answer = match door.taken(request).await {
        Ok(answer) | Err(answer) => answer,
    };
    answer.response()
}

impl Door {
    async fn taken(&self, request: Request) -> Result<Answer, Answer> {
        let (head, body) = request.into_parts();
        let feed = tokens::whose(&self.events.tokens, &head.headers).ok_or_else(Answer::stranger)?;
        let line = self.lines.iter().find(|line| line.feed == feed).ok_or_else(Answer::stranger)?;
        let mode = match self.events.raw.contains(&feed) {
            true => Mode::of_records(&head.headers)?,
            false => Mode::of(&head.headers)?,
        };
        let length = body::length(&head.headers, self.events.body)?;
        let packing = body::packing(&head.headers)?;
        // Before its body is read: a flood that is turned away is to cost as little as may be.
        if let Some(wait) = line.over_quota() {
            return Err(Answer::over_quota(wait));
        }
        // What is packed may be as long as any.
        let room = length.filter(|_| packing.is_none()).unwrap_or(self.events.body).div_ceil(UNIT).max(1) as u32;
        let Ok(place) = self.room.clone().try_acquire_many_owned(room) else {
            line.turned_away();
            return Err(Answer::busy("as much as may wait is waiting already"));
        };
        let bytes = match timeout(self.events.body_within, body::read(body, self.events.body)).await {
            Ok(bytes) => bytes?,
            Err(_) => return Err(Answer::slow(self.events.body_within)),
        };
        let bytes = body::unpacked(packing, bytes, self.events.body)?;
        let items = split::split(mode, &head.headers, &bytes, self.events.most)?;
        if items.is_empty() {
            return Ok(Answer::written(0, Vec::new()));
        }
        let count = items.len();
        // Lines are told by their numbers, too.
        let numbers: Vec<Option<u64>> = items.iter().map(|item| item.line).collect();
        // Of others it was said that they are events.
        let wrapped = matches!(mode, Mode::Lines | Mode::Whole);
        let (receipt, of) = match line.send(&items, wrapped, self.events.longest, (self.events.clock)()) {
            Sent::Handed(receipt, of) => (receipt, of),
            Sent::Nothing => return Ok(Answer::written(count, Vec::new())),
            Sent::OverQuota(wait) => return Err(Answer::over_quota(wait)),
            Sent::Full => return Err(Answer::busy("what came before is not written down yet")),
            Sent::Over => return Err(Answer::later("this process is stopping")),
        };
        drop(items);
        let answer = match timeout(self.events.written_within, receipt).await {
            Ok(Ok(Receipt::Written(letters))) => {
                line.written();
                let problem = |(record, reason): (usize, String)| {
                    let item = of.get(record).copied().unwrap_or(record);
                    Problem { item: Some(item), line: numbers.get(item).copied().flatten(), reason }
                };
                Ok(Answer::written(count, letters.into_iter().map(problem).collect()))
            }
            Ok(Ok(Receipt::Not(why))) => {
                line.turned_away();
                Err(Answer::later(&why))
            }
            // The loop ended with them in hand.
            Ok(Err(_)) => Err(Answer::later("this process is stopping")),
            Err(_) => Err(Answer::later("it takes long to write them down, and they may be written yet")),
        };
        drop(place);
        answer
    }
}

/// A header that may stand once.
fn only<'h>(headers: &'h axum::http::HeaderMap, name: &header::HeaderName) -> Result<Option<&'h [u8]>, Answer> {
    let mut all = headers.get_all(name).iter();
    match (all.next(), all.next()) {
        (None, _) => Ok(None),
        (Some(one), None) => Ok(Some(one.as_bytes())),
        (Some(_), Some(_)) => Err(Answer::refused(&format!("the header `{name}` stands twice"), Vec::new())),
    }
}
