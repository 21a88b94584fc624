//! What one Kafka message holds, put down as records.

use super::{Topic, digest};
use crate::exchange::carried;
use crate::ingest::feed::Records;
use crate::ingest::wire::{Came, Taken};
use onus_engine::time::Moment;
use rdkafka::message::{BorrowedMessage, Headers, Message};

/// Puts the records of a message down, all or none.
pub(super) fn take(topic: &Topic, message: &BorrowedMessage<'_>, arrived: Moment, records: &mut Records) -> Taken {
    let offset = u64::try_from(message.offset()).unwrap_or(0);
    if let (Some(_), Some(value)) = (&topic.exchange, message.payload()) {
        let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
        let header = headers.filter(|header| header.key == carried::HEADER).find_map(|header| header.value);
        records.put(offset, offset + 1, arrived, |bytes| {
            carried::lay(header, &value[..value.len().min(topic.longest)], bytes);
        });
        records.last = Some(digest(value));
        return Taken::Records(1);
    }
    let (value, next, longest) = (message.payload(), offset + 1, topic.longest);
    // To ask whether there are any costs as much as to copy the record, so it is asked only where they count.
    let asked = !value.is_some_and(|value| topic.wire.is_event(value));
    let headers: Vec<(&str, &[u8])> = match asked.then(|| message.headers()).flatten() {
        Some(headers) => headers.iter().filter_map(|header| Some((header.key, header.value?))).collect(),
        None => Vec::new(),
    };
    let came = Came { value, headers: &headers, offset, next, arrived, longest };
    let place = || format!("topic `{}`, partition {}, offset {offset}", topic.name, message.partition());
    topic.wire.put(&came, place, records)
}
