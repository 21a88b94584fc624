//! What one Kafka message holds, put down as records.

use super::Topic;
use crate::exchange::carried;
use crate::ingest::feed::Records;
use crate::ingest::wire::{self, Came, Taken};
use onus_engine::time::Moment;
use rdkafka::message::{BorrowedMessage, Headers, Message};

/// Puts the records of a message down, all or none.
pub(super) fn take(topic: &Topic, message: &BorrowedMessage<'_>, arrived: Moment, records: &mut Records) -> Taken {
    let offset = u64::try_from(message.offset()).unwrap_or(0);
    if let (Some(_), Some(value)) = (&topic.exchange, message.payload()) {
        let headers = headers(message);
        let header = headers.iter().find(|(name, _)| *name == carried::HEADER).map(|(_, header)| *header);
        records.put(offset, offset + 1, arrived, |bytes| {
            carried::lay(header, &value[..value.len().min(topic.longest)], bytes);
        });
        records.last = Some(wire::digest(value, &headers));
        return Taken::Records(1);
    }
    let (value, next, longest) = (message.payload(), offset + 1, topic.longest);
    // To ask whether there are any costs as much as to copy the record, so it is asked only where they count.
    let asked = !value.is_some_and(|value| topic.wire.is_event(value));
    let headers = if asked { headers(message) } else { Vec::new() };
    let came = Came { value, headers: &headers, offset, next, arrived, longest };
    let place = || format!("topic `{}`, partition {}, offset {offset}", topic.name, message.partition());
    topic.wire.put(&came, place, records)
}

fn headers<'m>(message: &'m BorrowedMessage<'_>) -> Vec<(&'m str, &'m [u8])> {
    let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
    headers.filter_map(|header| Some((header.key, header.value?))).collect()
}

/// What may have been noted of a message that was read: the digest of one of its lines, of all that lies there, or, by versions
/// before, of its value.
pub(super) fn digests(topic: &Topic, message: &BorrowedMessage<'_>) -> Vec<u64> {
    // Through the same hands as when it was read: they make the same lines of it, unless nobody can now.
    let mut records = Records::new(topic.feed, message.partition(), "".into());
    take(topic, message, Moment(0), &mut records);
    let lines = records.list.iter().map(|one| wire::digest(records.record(one), &[]));
    let value = message.payload();
    let lies = value.into_iter().flat_map(|value| [wire::digest(value, &headers(message)), wire::digest(value, &[])]);
    lines.chain(lies).collect()
}
