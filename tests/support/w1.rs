//! The performance workload: whole lives of tickets, changes and credentials, drawn together with the verdicts that the
//! seven rules of `examples/w1/w1.yaml` must come to. What is expected follows from how a life was drawn, not from a
//! replay of the events, so that the judge and this file cannot share a mistake about order.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// 2026-01-05T00:00:00Z, a Monday.
const START: i64 = 1_767_571_200_000;
/// Longer than the longest limit, so that every rule has every outcome.
const DAYS: i64 = 120;

/// What to draw.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order {
    /// Lines, but for the last: the clock.
    pub(crate) events: usize,
    /// Partners, `p0000` and so on.
    pub(crate) partners: usize,
    /// Equal seeds, equal files.
    pub(crate) seed: u64,
}

/// What the rules must come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Expected {
    /// Met, breached, open, by rule.
    pub(crate) totals: BTreeMap<String, [u64; 3]>,
    /// Sum of the digests of all breaches.
    pub(crate) digest: u64,
}

impl Expected {
    /// Counts a duty or a finding that is as it should be.
    pub(crate) fn met(&mut self, rule: &str) {
        self.row(rule)[0] += 1;
    }

    /// Counts a breach or a violation, with its digest.
    pub(crate) fn breached(&mut self, rule: &str, partner: &str, subject: &str, at: i64, started: i64) {
        self.row(rule)[1] += 1;
        self.digest = self.digest.wrapping_add(fnv(&format!("{rule}|{partner}|{subject}|{at}|{started}")));
    }

    /// Counts a duty that runs on.
    pub(crate) fn open(&mut self, rule: &str) {
        self.row(rule)[2] += 1;
    }

    fn row(&mut self, rule: &str) -> &mut [u64; 3] {
        if !self.totals.contains_key(rule) {
            self.totals.insert(rule.to_owned(), [0; 3]);
        }
        self.totals.get_mut(rule).expect("it was just put there")
    }

    /// As JSON, for other tools.
    #[cfg_attr(test, expect(dead_code))]
    pub(crate) fn json(&self) -> String {
        let mut out = String::from("{\"totals\":{");
        for (i, (rule, [met, breached, open])) in self.totals.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            let _ = write!(out, "{comma}\"{rule}\":{{\"met\":{met},\"breached\":{breached},\"open\":{open}}}");
        }
        let _ = write!(out, "}},\"digest\":\"{:016x}\"}}", self.digest);
        out
    }
}

fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

/// Draws the events and what is expected of them.
pub(crate) fn draw(order: Order) -> (Vec<Event>, Expected) {
    let mut hand = Hand {
        dice: Dice(order.seed ^ 0x5eed_0f0a_75a1),
        events: Vec::new(),
        expected: Expected::default(),
        counts: [0; 3],
    };
    for rule in ["S1", "S2", "S3", "S4", "S5", "S6", "S7"] {
        hand.expected.row(rule);
    }
    while hand.events.len() < order.events {
        let partner = hand.dice.below(order.partners as i64) as u32;
        let from = hand.events.len();
        let (expected, counts) = (hand.expected.clone(), hand.counts);
        match hand.dice.below(100) {
            0..=54 => hand.ticket(partner),
            55..=81 => hand.change(partner),
            82..=95 => hand.credential(partner),
            _ => hand.emergency(partner),
        }
        if hand.events.len() > order.events {
            // A life that does not fit is not begun: the rest is filled with the shortest one.
            hand.events.truncate(from);
            (hand.expected, hand.counts) = (expected, counts);
            while hand.events.len() < order.events {
                hand.newborn(partner);
            }
        }
    }
    let mut events = hand.events;
    // Stable: of one instant, as drawn.
    events.sort_by_key(|e| e.at);
    (events, hand.expected)
}

/// The last instant: what is due before it and not done is broken.
pub(crate) fn end() -> i64 {
    START + DAYS * DAY
}

/// Writes events as lines of JSON, and the clock's last word.
pub(crate) fn write(events: &[Event], out: &mut impl Write) -> io::Result<()> {
    let mut line = String::new();
    for (n, event) in events.iter().enumerate() {
        line.clear();
        event.line(n + 1, &mut line);
        out.write_all(line.as_bytes())?;
    }
    let end = instant(end());
    writeln!(
        out,
        "{{\"specversion\":\"1.0\",\"id\":\"e-tick\",\"source\":\"urn:clock\",\"type\":\"onus.tick\",\"time\":\"{end}\",\
         \"subject\":\"clock\",\"partner\":\"\",\"data\":{{}}}}"
    )?;
    out.flush()
}

/// One event, in few bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    /// When.
    pub(crate) at: i64,
    partner: u32,
    subject: u32,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Opened { priority: usize, emergency: bool, credential: u32 },
    Acknowledged,
    Paused,
    Resumed,
    Resolved,
    Requested { ticket: Option<u32>, credential: u32, privileged: bool },
    Approved { customer: bool },
    Executed,
    Closed { evidence: u32 },
    Created,
    Rotated { change: Option<u32>, known: bool },
    Revoked { ticket: Option<u32> },
}

impl Event {
    fn line(&self, n: usize, out: &mut String) {
        let Event { at, partner, subject, what } = *self;
        let (kind, source, id) = match what {
            What::Opened { .. } => ("ticket.opened", "desk", ticket(subject)),
            What::Acknowledged => ("ticket.acknowledged", "desk", ticket(subject)),
            What::Paused => ("ticket.paused", "desk", ticket(subject)),
            What::Resumed => ("ticket.resumed", "desk", ticket(subject)),
            What::Resolved => ("ticket.resolved", "desk", ticket(subject)),
            What::Requested { .. } => ("change.requested", "changes", change(subject)),
            What::Approved { .. } => ("change.approved", "changes", change(subject)),
            What::Executed => ("change.executed", "changes", change(subject)),
            What::Closed { .. } => ("change.closed", "changes", change(subject)),
            What::Created => ("credential.created", "vault", credential(subject)),
            What::Rotated { .. } => ("credential.rotated", "vault", credential(subject)),
            What::Revoked { .. } => ("credential.revoked", "vault", credential(subject)),
        };
        let _ = write!(
            out,
            "{{\"specversion\":\"1.0\",\"id\":\"e-{n:09}\",\"source\":\"urn:{source}:{p}\",\"type\":\"{kind}\",\"time\":\"{}\",\
             \"subject\":\"{id}\",\"partner\":\"{p}\",\"datacontenttype\":\"application/json\",\"data\":",
            instant(at),
            p = partner_name(partner),
        );
        self.data(out);
        out.push_str("}\n");
    }

    fn data(&self, out: &mut String) {
        let quoted = |name: Option<String>| name.map_or("null".to_owned(), |n| format!("\"{n}\""));
        let _ = match self.what {
            What::Opened { priority, emergency, credential: c } => write!(
                out,
                "{{\"priority\":\"P{}\",\"control\":\"{}\",\"credential\":\"{}\",\"summary\":\"{}\"}}",
                priority + 1,
                if emergency { "emergency-revocation" } else { CONTROLS[self.subject as usize % CONTROLS.len()] },
                credential(c),
                SUMMARIES[self.subject as usize % SUMMARIES.len()]
            ),
            What::Acknowledged | What::Paused | What::Resumed | What::Resolved | What::Executed => {
                write!(out, "{{\"actor\":\"op-{:03}\"}}", self.subject % 500)
            }
            What::Requested { ticket: t, credential: c, privileged } => write!(
                out,
                "{{\"ticket\":{},\"credential\":\"{}\",\"privileged\":{privileged}}}",
                quoted(t.map(ticket)),
                credential(c)
            ),
            What::Approved { customer } => {
                let side = if customer { "customer" } else { "partner" };
                write!(out, "{{\"actor\":\"lead-{:02}\",\"side\":\"{side}\"}}", self.subject % 60)
            }
            What::Closed { evidence } => {
                let list: Vec<String> =
                    (0..evidence).map(|i| format!("\"ev://{}/{i}\"", change(self.subject))).collect();
                write!(out, "{{\"evidence\":[{}]}}", list.join(","))
            }
            What::Created => {
                write!(out, "{{\"kind\":\"{}\"}}", ["secret", "key", "certificate"][self.subject as usize % 3])
            }
            What::Rotated { change: c, known } => {
                let actor = known.then(|| format!("op-{:03}", self.subject % 500));
                write!(out, "{{\"change\":{},\"actor\":{}}}", quoted(c.map(change)), quoted(actor))
            }
            What::Revoked { ticket: t } => {
                write!(out, "{{\"ticket\":{},\"actor\":\"op-{:03}\"}}", quoted(t.map(ticket)), self.subject % 500)
            }
        };
    }
}

const CONTROLS: [&str; 4] = ["rotation", "onboarding", "privileged-access", "access-review"];
const SUMMARIES: [&str; 4] = [
    "the connector of the nightly batch refuses its new password",
    "please take this account over into the vault before Friday",
    "the owner of this service has left, who answers for it now?",
    "access for the auditors, read only, until the end of March",
];

fn ticket(n: u32) -> String {
    format!("INC{n:07}")
}

fn change(n: u32) -> String {
    format!("CHG{n:07}")
}

fn credential(n: u32) -> String {
    format!("svc-{n:06}")
}

fn partner_name(n: u32) -> String {
    format!("p{n:04}")
}

fn instant(ms: i64) -> String {
    onus_engine::time::Moment(ms).to_string()
}

/// The hand that draws: chance, what was drawn, and what must come of it.
struct Hand {
    dice: Dice,
    events: Vec<Event>,
    expected: Expected,
    /// Tickets, changes, credentials so far.
    counts: [u32; 3],
}

/// How an act lies to its limit.
#[derive(Clone, Copy, Debug)]
struct Act {
    deadline: i64,
    done: Option<i64>,
}

impl Hand {
    fn next(&mut self, kind: usize) -> u32 {
        self.counts[kind] += 1;
        self.counts[kind]
    }

    fn begin(&mut self) -> i64 {
        START + self.dice.below(DAYS * DAY - HOUR)
    }

    /// What lies after the end never happened.
    fn put(&mut self, at: i64, partner: u32, subject: u32, what: What) {
        if at <= end() {
            self.events.push(Event { at, partner, subject, what });
        }
    }

    /// Mostly in time; also to the millisecond, a millisecond late, much later, never.
    fn act(&mut self, start: i64, limit: i64) -> Act {
        let deadline = start + limit;
        let done = match self.dice.below(100) {
            0..=77 => Some(start + self.dice.below(limit)),
            78..=79 => Some(deadline),
            80..=81 => Some(deadline + 1),
            82..=92 => Some(deadline + 1 + self.dice.below(2 * limit)),
            _ => None,
        };
        Act { deadline, done }
    }

    /// The verdict on an act at the end of all time.
    fn verdict(&mut self, rule: &str, partner: u32, subject: &str, start: i64, act: Act) {
        match act.done {
            Some(at) if at <= act.deadline && at <= end() => self.expected.met(rule),
            _ if act.deadline < end() => {
                self.expected.breached(rule, &partner_name(partner), subject, act.deadline, start);
            }
            _ => self.expected.open(rule),
        }
    }

    fn ticket(&mut self, partner: u32) {
        let (n, at) = (self.next(0), self.begin());
        // Most name a credential that nobody else does; that it exists does not matter.
        let credential = 900_000 + self.dice.below(1_000) as u32;
        self.opened(partner, n, at, false, credential);
    }

    /// A ticket's life under S1 and S2.
    fn opened(&mut self, partner: u32, n: u32, at: i64, emergency: bool, credential: u32) {
        let priority = [0, 1, 1, 2, 2, 2][self.dice.below(6) as usize];
        self.put(at, partner, n, What::Opened { priority, emergency, credential });
        let acknowledge = self.act(at, [15 * MINUTE, HOUR, 8 * HOUR][priority]);
        if let Some(done) = acknowledge.done {
            self.put(done, partner, n, What::Acknowledged);
        }
        self.verdict("S1", partner, &ticket(n), at, acknowledge);
        self.resolved(partner, n, at, [4 * HOUR, 24 * HOUR, 72 * HOUR][priority]);
    }

    /// S2: time between pause and resume does not count, a pause after the deadline is too late.
    fn resolved(&mut self, partner: u32, n: u32, start: i64, limit: i64) {
        let mut deadline = start + limit;
        let mut now = start;
        for _ in 0..[0, 0, 0, 1, 1, 2, 3][self.dice.below(7) as usize] {
            if deadline < now + 2 {
                break;
            }
            // Never in the millisecond of what came before: a pause and a resume of one instant cancel out.
            let paused = match self.dice.below(20) {
                // Nothing left; or a pause that comes too late and changes nothing.
                0 => deadline,
                1 => deadline + 1 + self.dice.below(HOUR),
                _ => now + 1 + self.dice.below(deadline - now - 1),
            };
            let resumed = paused + if self.dice.below(12) == 0 { 0 } else { self.dice.below(limit) };
            self.put(paused, partner, n, What::Paused);
            let inside = resumed > paused + 2 && paused <= deadline;
            if inside && self.dice.below(10) == 0 {
                self.put(paused + 1, partner, n, What::Paused);
            }
            if inside && self.dice.below(8) == 0 {
                // Resolved while it waits: met, for the limit was not used up. Or it waits for ever.
                let done = (self.dice.below(3) > 0).then_some(paused + 1 + self.dice.below(resumed - paused));
                if let Some(done) = done {
                    self.put(done, partner, n, What::Resolved);
                }
                match done.filter(|at| *at <= end()) {
                    Some(_) => self.expected.met("S2"),
                    // Even the pause may lie beyond the end.
                    None if paused > end() => {
                        self.verdict("S2", partner, &ticket(n), start, Act { deadline, done: None })
                    }
                    None => self.expected.open("S2"),
                }
                return;
            }
            self.put(resumed, partner, n, What::Resumed);
            if paused > end() || resumed > end() && paused <= deadline {
                let waits = paused <= end();
                if waits {
                    self.expected.open("S2");
                } else {
                    self.verdict("S2", partner, &ticket(n), start, Act { deadline, done: None });
                }
                return;
            }
            if paused <= deadline {
                deadline += resumed - paused;
            }
            now = resumed.max(now);
            if self.dice.below(12) == 0 && now < deadline {
                // It runs already.
                self.put(now + 1, partner, n, What::Resumed);
                now += 1;
            }
        }
        let rest = (deadline - now).max(0);
        let done = match self.dice.below(100) {
            0..=77 if rest > 0 => Some(now + self.dice.below(rest)),
            78..=79 => Some(deadline.max(now)),
            80..=81 => Some(deadline.max(now) + 1),
            82..=92 => Some(deadline.max(now) + 1 + self.dice.below(limit)),
            _ => None,
        };
        if let Some(done) = done {
            self.put(done, partner, n, What::Resolved);
        }
        self.verdict("S2", partner, &ticket(n), start, Act { deadline, done });
    }

    /// A leaked credential: some tickets, perhaps one revocation, which stops the clocks of all.
    fn emergency(&mut self, partner: u32) {
        let (c, at) = (self.next(2), self.begin());
        let born = at - self.dice.below(80 * DAY);
        let known = born >= START && self.dice.below(3) > 0;
        if known {
            self.put(born, partner, c, What::Created);
        }
        let mut opened = Vec::new();
        for _ in 0..1 + self.dice.below(3) {
            // Never after the end: what is not written is not expected either.
            let (n, at) = (self.next(0), (at + self.dice.below(90 * MINUTE)).min(end()));
            self.opened(partner, n, at, true, c);
            opened.push((n, at));
        }
        let first = opened.iter().map(|(_, at)| *at).min().unwrap_or(at);
        let revoked = match self.dice.below(10) {
            0..=5 => Some(first + self.dice.below(HOUR)),
            6 => Some(first + HOUR),
            7 => Some(first + HOUR + 1 + self.dice.below(6 * HOUR)),
            8 => Some(first - 1 - self.dice.below(HOUR)).filter(|at| *at > born && *at >= START),
            _ => None,
        };
        if let Some(revoked) = revoked {
            let named = (self.dice.below(4) > 0).then_some(opened[0].0);
            self.put(revoked, partner, c, What::Revoked { ticket: named });
        }
        for (n, at) in opened.into_iter().filter(|(_, at)| *at <= end()) {
            // What was revoked before the ticket is not what the ticket asks for. At one instant, the file says which.
            let done = revoked.filter(|done| *done >= at);
            self.verdict("S3", partner, &ticket(n), at, Act { deadline: at + HOUR, done });
        }
        if known {
            self.verdict("S6", partner, &credential(c), born, Act { deadline: born + 90 * DAY, done: revoked });
        }
    }

    /// A change under S4 and S5.
    fn change(&mut self, partner: u32) {
        let (n, requested) = (self.next(1), self.begin());
        let asked = self.dice.below(40) > 0;
        let privileged = self.dice.below(3) == 0;
        if asked {
            let ticket = (self.dice.below(3) > 0).then(|| 1 + self.dice.below(1_000) as u32);
            let credential = 1 + self.dice.below(1_000) as u32;
            self.put(requested, partner, n, What::Requested { ticket, credential, privileged });
        }
        let executed = requested + MINUTE + self.dice.below(2 * DAY);
        let mut approvals = [false; 2];
        for customer in [false, true] {
            let at = match self.dice.below(10) {
                0..=6 if asked => requested + 1 + self.dice.below(executed - requested - 1),
                7 if asked => executed,
                8 if asked => executed + 1 + self.dice.below(HOUR),
                _ => continue,
            };
            self.put(at, partner, n, What::Approved { customer });
            approvals[usize::from(customer)] = at <= executed;
        }
        if self.dice.below(12) == 0 || executed > end() {
            return;
        }
        self.put(executed, partner, n, What::Executed);
        if approvals[1] || approvals[0] && !(asked && privileged) {
            self.expected.met("S4");
        } else {
            self.expected.breached("S4", &partner_name(partner), &change(n), executed, executed);
        }
        let close = self.act(executed, DAY);
        for _ in 0..self.dice.below(3) {
            let at = executed + self.dice.below(2 * DAY);
            self.put(at, partner, n, What::Closed { evidence: 0 });
        }
        if let Some(done) = close.done {
            let evidence = 1 + self.dice.below(3) as u32;
            self.put(done, partner, n, What::Closed { evidence });
        }
        self.verdict("S5", partner, &change(n), executed, close);
    }

    /// A credential under S6 and S7.
    fn credential(&mut self, partner: u32) {
        let (n, mut at) = (self.next(2), self.begin());
        if self.dice.below(30) == 0 {
            // Never seen before: nothing to revoke.
            self.put(at, partner, n, What::Revoked { ticket: None });
            return;
        }
        if self.dice.below(20) == 0 {
            self.rotated(partner, n, at);
        } else {
            self.put(at, partner, n, What::Created);
        }
        let start = loop {
            let age = match self.dice.below(20) {
                0..=11 => 1 + self.dice.below(30 * DAY),
                12..=14 => 1 + self.dice.below(90 * DAY),
                15 => 90 * DAY,
                16 => 90 * DAY + 1,
                17 => 90 * DAY + 1 + self.dice.below(10 * DAY),
                _ => break at,
            };
            let next = at + age;
            let act = Act { deadline: at + 90 * DAY, done: Some(next) };
            self.verdict("S6", partner, &credential(n), at, act);
            if next > end() {
                return;
            }
            if self.dice.below(8) == 0 {
                self.put(next, partner, n, What::Revoked { ticket: None });
                return;
            }
            self.rotated(partner, n, next);
            at = next;
        };
        self.verdict("S6", partner, &credential(n), start, Act { deadline: start + 90 * DAY, done: None });
    }

    fn rotated(&mut self, partner: u32, n: u32, at: i64) {
        let known = self.dice.below(15) > 0;
        let change = (self.dice.below(3) > 0).then(|| 1 + self.dice.below(1_000) as u32);
        self.put(at, partner, n, What::Rotated { change, known });
        if known {
            self.expected.met("S7");
        } else {
            self.expected.breached("S7", &partner_name(partner), &credential(n), at, at);
        }
    }

    /// One event: created, and no more.
    fn newborn(&mut self, partner: u32) {
        let (n, at) = (self.next(2), self.begin());
        self.put(at, partner, n, What::Created);
        self.verdict("S6", partner, &credential(n), at, Act { deadline: at + 90 * DAY, done: None });
    }
}

/// SplitMix64: small, good enough, the same everywhere.
struct Dice(u64);

impl Dice {
    /// From 0 to below `n`.
    fn below(&mut self, n: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        let z = z ^ z >> 31;
        ((u128::from(z) * n.max(1) as u128) >> 64) as i64
    }
}
