//! What one Kafka message holds, put down as records.

use super::{Topic, digest};
use crate::exchange::carried;
use crate::ingest::feed::{Records, Wrong};
use crate::ingest::wire::{Found, Need, Wire, is_same, kept};
use onus_engine::time::Moment;
use rdkafka::message::{BorrowedMessage, Headers, Message};

/// What became of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// Its records are put down: how many.
    Records(usize),
    /// It cannot be read yet; nothing is put down.
    Waits(Need),
}

/// Puts the records of a message down, all or none. Those of a batch share its offset, and only the last goes on behind it:
/// what is written down in part is read again as a whole.
pub(super) fn take(topic: &Topic, message: &BorrowedMessage<'_>, arrived: Moment, records: &mut Records) -> Taken {
    // Most come without headers.
    let headers: Vec<(&str, &[u8])> = match message.headers() {
        Some(headers) => headers.iter().filter_map(|header| Some((header.key, header.value?))).collect(),
        None => Vec::new(),
    };
    let offset = u64::try_from(message.offset()).unwrap_or(0);
    let before = records.list.len();
    let Some(value) = message.payload() else { return Taken::Records(0) };
    if topic.exchange.is_some() {
        let line = carried::line(&headers, &value[..value.len().min(topic.longest)]);
        records.push(&line, offset, offset + 1, arrived);
        records.last = Some(digest(value));
        return Taken::Records(1);
    }
    let mut one = |line: &[u8], last: bool| {
        let next = if last { offset + 1 } else { offset };
        records.push(&line[..line.len().min(topic.longest)], offset, next, arrived);
        if line.len() > topic.longest {
            records.is_wrong(Wrong::Cut(line.len() as u64));
        }
    };
    let found = read(&topic.wire, value, &headers, topic.longest);
    let mut same = false;
    match found {
        Found::One(line) => {
            one(&line, true);
            same = is_same(&line, value);
        }
        Found::Many(lines) => {
            let last = lines.len().wrapping_sub(1);
            lines.iter().enumerate().for_each(|(at, line)| one(line, at == last));
        }
        Found::Skip(skip) => {
            tracing::debug!(source = topic.source, offset, "passed over: {}", skip.word());
            return Taken::Records(0);
        }
        Found::Waits(need) => return Taken::Waits(need),
        Found::Wrong(fault) => {
            one(&kept(value, &headers), true);
            let place = format!("topic `{}`, partition {}, offset {offset}", topic.name, message.partition());
            // What is too long even so is cut, and told of that.
            if records.list.last().is_some_and(|last| last.wrong.is_none()) {
                records.is_wrong(Wrong::Wire { reason: fault.reason, detail: format!("{place}: {}", fault.why) });
            }
        }
    }
    records.last = if same { None } else { Some(digest(value)) };
    Taken::Records(records.list.len() - before)
}

fn read<'m>(wire: &Wire, value: &'m [u8], headers: &[(&str, &[u8])], longest: usize) -> Found<'m> {
    // What is longer than any record may be is not looked into.
    if value.len() > longest { Found::One(value.into()) } else { wire.read(Some(value), headers) }
}
