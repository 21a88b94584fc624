//! The workload on its way into a topic: at a bounded rate, with repeats and late ones, through deaths of the broker.

use crate::kafka::{Broker, send};
use crate::w1::{self, Expected};
use rdkafka::producer::{BaseRecord, Producer};
use std::collections::HashMap;
use std::time::{Duration, Instant};

pub(crate) const PARTITIONS: i32 = 4;

/// What is sent, in this order, and what must come of it.
pub(crate) struct Stream {
    lines: Vec<(i32, String)>,
    tick: String,
    pub(crate) expected: Expected,
    pub(crate) events: usize,
    pub(crate) late: usize,
    pub(crate) twice: usize,
}

impl Stream {
    pub(crate) fn drawn(seed: u64, events: usize) -> Stream {
        let (drawn, expected) = w1::draw(w1::Order { events, partners: 40, seed });
        let mut lines = Vec::new();
        w1::write(&drawn, &mut lines).expect("into memory");
        let text = String::from_utf8(lines).expect("text");
        let mut lines: Vec<&str> = text.lines().collect();
        let tick = lines.pop().expect("the clock is last").to_owned();
        // Of one partner and instant the file says which came first: those keep their places.
        let mut at: HashMap<(i64, i32), u32> = HashMap::new();
        for (event, line) in drawn.iter().zip(&lines) {
            *at.entry((event.at, partner(line))).or_default() += 1;
        }
        let mut dice = crate::blows::Dice::new(seed ^ 0x57ae);
        let (mut late, mut twice) = (0, 0);
        // By place: where it goes in, then its old place.
        let mut order: Vec<(usize, usize)> = Vec::with_capacity(lines.len() + lines.len() / 50);
        for (n, (event, line)) in drawn.iter().zip(&lines).enumerate() {
            let alone = at[&(event.at, partner(line))] == 1;
            let moved = if alone && dice.one_in(150) { 1 + dice.below(lines.len() as u64 / 8 + 2) as usize } else { 0 };
            late += usize::from(moved > 0);
            order.push((n + moved, n));
            if dice.one_in(60) {
                twice += 1;
                order.push((n + moved + dice.below(lines.len() as u64 / 8 + 2) as usize, n));
            }
        }
        order.sort_unstable();
        let lines = order.into_iter().map(|(_, n)| (partner(lines[n]) % PARTITIONS, lines[n].to_owned())).collect();
        Stream { lines, tick, expected, events, late, twice }
    }

    /// Sends all of it within this time, and then the clock's last word.
    pub(crate) fn send(&self, broker: &Broker, topic: &str, within: Duration) {
        // One request at a time, tried again for ever: the order stays, and what was tried twice may be there twice.
        let producer = broker.producer(&[
            ("acks", "all"),
            ("max.in.flight.requests.per.connection", "1"),
            ("message.timeout.ms", "0"),
            ("linger.ms", "20"),
            ("reconnect.backoff.max.ms", "1000"),
        ]);
        let began = Instant::now();
        let step = within / self.lines.len() as u32;
        for (n, (partition, line)) in self.lines.iter().enumerate() {
            while began.elapsed() < step * n as u32 {
                producer.poll(Duration::from_millis(10));
                std::thread::sleep(Duration::from_millis(10));
            }
            send(&producer, BaseRecord::to(topic).partition(*partition).payload(line.as_bytes()).key("k"));
        }
        for partition in 0..PARTITIONS {
            send(&producer, BaseRecord::to(topic).partition(partition).payload(self.tick.as_bytes()).key("k"));
        }
        let until = Instant::now() + Duration::from_secs(180);
        while producer.in_flight_count() > 0 {
            assert!(Instant::now() < until, "the broker does not take what is sent");
            producer.flush(Duration::from_secs(5)).ok();
        }
    }
}

fn partner(line: &str) -> i32 {
    let number = line.split("\"partner\":\"p").nth(1).and_then(|rest| rest.get(..4)).expect("a partner");
    number.parse().expect("its number")
}
