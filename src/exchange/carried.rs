//! The form of what travels through the exchange: headers and value of a record, and the one line that a judge's reader makes
//! of both.
//!
//! Headers are the same whenever the same record of a source is read: an intake that starts again writes what it wrote.

use super::lanes::Lane;
use super::repeats::{Item, Reading};
use onus_engine::time::Moment;
use xxhash_rust::xxh3::xxh3_64;

const SOURCE: &str = "onus-source";
const PARTITION: &str = "onus-partition";
const OFFSET: &str = "onus-offset";
const ITEM: &str = "onus-item";
const GENERATION: &str = "onus-generation";
const INCARNATION: &str = "onus-incarnation";
const ARRIVED: &str = "onus-arrived";
const HEARD: &str = "onus-heard";
const LAST: &str = "onus-last";
const LANE: &str = "onus-lane";
const LANE_HEARD: &str = "onus-lane-heard";

const EVENT: [&str; 7] = [SOURCE, PARTITION, OFFSET, ITEM, GENERATION, INCARNATION, ARRIVED];
const TICK: [&str; 3] = [SOURCE, HEARD, LAST];
/// A header of its own for how far: who knows no lanes must not take it for the whole source's.
const OF_LANE: [&str; 4] = [SOURCE, LANE_HEARD, LAST, LANE];

/// A record of the exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carried {
    /// An event of a source.
    Event(Event),
    /// How far a source was heard.
    Tick {
        /// Its name.
        source: String,
        /// Up to then all of it has been written here.
        heard: Moment,
        /// When something of it last came.
        last: Moment,
        /// Whose share of it was heard so far; None: all of it.
        part: Option<Part>,
    },
}

/// A lane's share of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Whose.
    pub lane: Lane,
    /// In how many parts the source comes: with fewer than there are lanes, the last lanes have none.
    pub parts: u32,
}

impl Part {
    fn text(self) -> String {
        format!("{}/{}/{}", self.lane.own, self.lane.of, self.parts)
    }

    fn read(text: &str) -> Option<Part> {
        let mut numbers = text.splitn(3, '/');
        let (own, of) = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
        let parts = numbers.next()?.parse().ok()?;
        (own < of).then_some(Part { lane: Lane { own, of }, parts })
    }
}

/// An event of a source, and where it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Which reading of the source.
    pub reading: Reading,
    /// Position of its record.
    pub offset: u64,
    /// Which of the record's events.
    pub item: u32,
    /// When the record came to where the source keeps it, else to the intake.
    pub arrived: Moment,
    /// The event, as JSON on one line.
    pub value: Vec<u8>,
}

impl Event {
    /// As it is compared with others of its place. When a record was read is not what it says: of a source that has no times of
    /// its own, the same record comes at another time when it is read again.
    pub fn item(&self) -> Item {
        let own = format!(",\"recordedtime\":\"{}\"", self.arrived);
        let digest = match memchr::memmem::find(&self.value, own.as_bytes()) {
            Some(at) => xxh3_64(&[&self.value[..at], &self.value[at + own.len()..]].concat()),
            None => xxh3_64(&self.value),
        };
        Item { offset: self.offset, item: self.item, digest }
    }
}

impl Carried {
    /// Its headers.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let values = match self {
            Carried::Event(event) => {
                let Reading { source, partition, incarnation, generation } = &event.reading;
                let numbers = [partition.to_string(), event.offset.to_string(), event.item.to_string()];
                let rest = [generation.to_string(), incarnation.clone(), event.arrived.0.to_string()];
                return EVENT.into_iter().zip([source.clone()].into_iter().chain(numbers).chain(rest)).collect();
            }
            Carried::Tick { source, heard, last, part } => {
                let values = [source.clone(), heard.0.to_string(), last.0.to_string()];
                match part {
                    None => return TICK.into_iter().zip(values).collect(),
                    Some(part) => values.into_iter().chain([part.text()]),
                }
            }
        };
        OF_LANE.into_iter().zip(values).collect()
    }
}

/// One line of a record: what its headers say, with tabs between, and its value. What has not all headers begins with a tab.
pub fn line(headers: &[(&str, &[u8])], value: &[u8]) -> Vec<u8> {
    let find = |name: &str| headers.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
    let all = |names: &[&str]| names.iter().map(|name| find(name)).collect::<Option<Vec<&[u8]>>>();
    let mut line = Vec::with_capacity(value.len() + 128);
    match all(&EVENT).or_else(|| all(&TICK)).or_else(|| all(&OF_LANE)) {
        Some(fields) => {
            for field in fields {
                // What separates fields is in none of them.
                line.extend(field.iter().map(|byte| if byte.is_ascii_control() { b' ' } else { *byte }));
                line.push(b'\t');
            }
        }
        None => line.push(b'\t'),
    }
    line.extend_from_slice(value);
    line
}

/// A line's record; None: nobody wrote it who writes here.
pub fn read(line: &[u8]) -> Option<Carried> {
    let mut fields = line.splitn(EVENT.len() + 1, |byte| *byte == b'\t');
    let mut text = || std::str::from_utf8(fields.next()?).ok();
    let source = text()?.to_owned();
    if source.is_empty() {
        return None;
    }
    let (first, second) = (text()?, text()?);
    let third = text();
    let Some(item) = third.and_then(|item| item.parse().ok()) else {
        let [heard, last] = [first.parse().ok()?, second.parse().ok()?].map(Moment);
        // A tick of the whole source has its value here: it is JSON.
        let part = third.and_then(Part::read);
        return Some(Carried::Tick { source, heard, last, part });
    };
    let (partition, offset) = (first.parse().ok()?, second.parse().ok()?);
    let generation = text()?.parse().ok()?;
    let incarnation = text()?.to_owned();
    let arrived = Moment(text()?.parse().ok()?);
    let value = fields.next()?.to_owned();
    let reading = Reading { source, partition, incarnation, generation };
    Some(Carried::Event(Event { reading, offset, item, arrived, value }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn through(carried: &Carried, value: &[u8]) -> Option<Carried> {
        let headers = carried.headers();
        let headers: Vec<(&str, &[u8])> = headers.iter().map(|(key, value)| (*key, value.as_bytes())).collect();
        read(&line(&headers, value))
    }

    fn event(value: &str, arrived: Moment) -> Event {
        let incarnation = "cluster/topic@7".to_owned();
        let reading = Reading { source: "desk".to_owned(), partition: 3, incarnation, generation: 0 };
        Event { reading, offset: 9, item: 2, arrived, value: value.as_bytes().to_owned() }
    }

    #[test]
    fn what_is_written_is_read() {
        let event = event("{\"a\":\"x\\ty\"}", Moment(77));
        assert_eq!(through(&Carried::Event(event.clone()), &event.value), Some(Carried::Event(event)));
        let part = Some(Part { lane: Lane { own: 2, of: 3 }, parts: 12 });
        for part in [None, part] {
            let tick = Carried::Tick { source: "desk".to_owned(), heard: Moment(5), last: Moment::DAWN, part };
            assert_eq!(through(&tick, b"{}"), Some(tick));
        }
    }

    #[test]
    fn what_has_not_all_headers_is_nobodys() {
        let all = Carried::Event(event("{}", Moment(77))).headers();
        for left in 0..all.len() {
            let some = all.iter().enumerate().filter(|(at, _)| *at != left);
            let some: Vec<(&str, &[u8])> = some.map(|(_, (key, value))| (*key, value.as_bytes())).collect();
            assert_eq!(read(&line(&some, b"{}")), None, "without {}", all[left].0);
        }
        let odd: &[(&str, &[u8])] = &[(SOURCE, b"desk"), (LANE_HEARD, b"1"), (LAST, b"1")];
        assert_eq!(read(&line(odd, b"{}")), None, "a lane's word is not taken for the whole source's");
        let odd: &[(&str, &[u8])] = &[(SOURCE, b"desk"), (HEARD, b"soon"), (LAST, b"1")];
        assert_eq!(read(&line(odd, b"{}")), None);
        assert_eq!(read(b""), None);
    }

    proptest! {
        /// Whatever lies in the topic is read or refused; and an event that was read is written so that it is read again.
        #[test]
        fn nothing_that_lies_there_is_too_odd(
            fields in prop::collection::vec(prop_oneof![Just(b"1".to_vec()), prop::collection::vec(any::<u8>(), 0..9)], 9),
            value in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let names = EVENT.into_iter().chain([HEARD, LAST]);
            let headers: Vec<(&str, &[u8])> = names.zip(fields.iter().map(Vec::as_slice)).collect();
            let first = read(&line(&headers, &value));
            if let Some(carried @ Carried::Event(event)) = &first {
                prop_assert_eq!(through(carried, &event.value), first.clone());
            }
            read(&value);
        }
    }

    #[test]
    fn when_it_was_read_is_not_what_it_says() {
        let (a, b) = (Moment(1_700_000_000_000), Moment(1_700_000_000_009));
        let say =
            |at: Moment, known: Moment| event(&format!("{{\"id\":\"1\",\"recordedtime\":\"{known}\"}}"), at).item();
        assert_eq!(say(a, a), say(b, b));
        assert_ne!(say(a, a), say(a, b), "a time of its own is a word like others");
    }
}
