//! Bodies that are packed, and what is wrapped in something.

use crate::process::{Process, Way};
use onus::ingest::feed::FeedId;
use onus::ingest::http::Events;
use std::io::Write;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).expect("into memory");
    encoder.finish().expect("into memory")
}

fn request(kind: &str, encoding: &str, body: &[u8]) -> Vec<u8> {
    let encoding = if encoding.is_empty() { String::new() } else { format!("content-encoding: {encoding}\r\n") };
    let head = format!(
        "POST /events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer one\r\n{encoding}content-type: {kind}\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// The source `one` brings a vendor's records.
fn vendor() -> Process {
    Process::with(Way::Writes, |events: &mut Events| events.raw = vec![FeedId(1)], |_| {})
}

#[test]
fn a_packed_body_is_read_as_if_it_were_not_and_no_longer_than_it_may_be() {
    let process = Process::new(Way::Writes);
    let lines = b"{\"id\":\"1\"}\n{\"id\":\"2\"}\n";
    let reply = process.client().raw(&request("application/x-ndjson", "gzip", &gzip(lines)));
    assert_eq!((reply.status, &reply.json()["events"]), (202, &2.into()), "{}", reply.body);
    let packed = zstd::encode_all(&lines[..], 3).expect("into memory");
    assert_eq!(process.client().raw(&request("application/x-ndjson", "zstd", &packed)).status, 202);
    assert_eq!(process.texts(), [r#"{"id":"1"}"#, r#"{"id":"2"}"#, r#"{"id":"1"}"#, r#"{"id":"2"}"#]);
    let bomb = gzip(&vec![b' '; 64 << 20]);
    assert_eq!(process.client().raw(&request("application/x-ndjson", "gzip", &bomb)).status, 413);
    let reply = process.client().raw(&request("application/x-ndjson", "gzip", b"no gzip"));
    assert_eq!(reply.status, 400);
    assert!(reply.body.contains("cut or damaged") && reply.body.contains("nothing is written down"), "{}", reply.body);
}

#[test]
fn records_that_are_posted_are_taken_out_of_what_they_are_wrapped_in() {
    let process = vendor();
    let connect = r#"{"schema":{"type":"struct"},"payload":{"op":"u","source":{},"before":null,"after":{"n":1}}}"#;
    assert_eq!(process.post("application/json", connect).status, 202);
    let many = gzip(b"{\"n\":2}\n{\"n\":3}\n");
    assert_eq!(process.client().raw(&request("application/octet-stream", "", &many)).status, 202);
    assert_eq!(process.texts(), [r#"{"n":1}"#, r#"{"n":2}"#, r#"{"n":3}"#]);
    // What is an event by its form is not looked into.
    let process = Process::new(Way::Writes);
    assert_eq!(process.post("application/cloudevents+json", connect).status, 202);
    assert_eq!(process.texts(), [connect]);
}

#[test]
fn what_tells_nothing_is_answered_and_counted_and_not_waited_for() {
    // A loop that never writes anything down.
    let process = Process::with(Way::Stuck, |events| events.raw = vec![FeedId(1)], |_| {});
    let deleted = r#"{"op":"d","source":{},"before":{},"after":null}"#;
    let reply = process.post("application/x-ndjson", &format!("{deleted}\n{deleted}\n"));
    assert_eq!((reply.status, &reply.json()["events"]), (202, &2.into()), "{}", reply.body);
}

#[test]
fn of_several_records_in_one_line_each_dead_letter_names_the_line() {
    let process = vendor();
    let packed = "H4sIAAAAAAAC/6tWSlSyMqzlqlZKUrIyquUCAMiyzp8QAAAA";
    let reply = process.post("application/x-ndjson", &format!("{{\"n\":1}}\n\n{packed}\n"));
    let letters = reply.json()["dead_letters"].clone();
    let places: Vec<_> =
        letters.as_array().expect("letters").iter().map(|one| (one["item"].clone(), one["line"].clone())).collect();
    assert_eq!(places, [(0.into(), 1.into()), (1.into(), 3.into()), (1.into(), 3.into())], "{letters}");
}
