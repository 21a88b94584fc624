//! Events over HTTP, from clients that are right, slow, wrong or hostile; and what the process says of itself.

#[path = "support/checked_in.rs"]
mod checked_in;
#[path = "support/http.rs"]
mod client;
#[path = "http/process.rs"]
mod process;
#[path = "http/wrapped.rs"]
mod wrapped;

use client::Client;
use onus::ingest::feed::{FeedId, Receipt};
use onus::ingest::http::{Events, Token, digest};
use process::{Process, Way};
use serde_json::json;
use std::net::SocketAddr;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const ONE: &str = "application/cloudevents+json";
const BATCH: &str = "application/cloudevents-batch+json";
const LINES: &str = "application/x-ndjson";

#[test]
fn one_event_is_taken_as_it_was_written() {
    let process = Process::new(Way::Writes);
    let reply = process.post("Application/CloudEvents+JSON; charset=UTF-8", "\n {\"id\": \"1\",\n \"n\": 1.50}\n");
    assert_eq!((reply.status, reply.json()), (202, json!({"events": 1, "dead_letters": []})));
    assert_eq!(process.texts(), ["{\"id\": \"1\",  \"n\": 1.50}"]);
}

#[test]
fn a_batch_tells_which_of_its_events_are_dead_letters() {
    let process = Process::new(Way::Writes);
    let reply = process.post(BATCH, r#"[{"id":"1"}, 7, {"id":"2"}, {}]"#);
    let letters = json!([{"item": 1, "reason": "no event"}, {"item": 3, "reason": "no event"}]);
    assert_eq!((reply.status, reply.json()), (202, json!({"events": 4, "dead_letters": letters})));
    assert_eq!(process.texts(), [r#"{"id":"1"}"#, "7", r#"{"id":"2"}"#, "{}"]);
    // An empty one is sound, and there is nothing to write down.
    process.be(Way::Stuck);
    assert_eq!(process.post(BATCH, "[]").json(), json!({"events": 0, "dead_letters": []}));
}

#[test]
fn lines_are_events_each_by_itself() {
    let process = Process::new(Way::Writes);
    let reply = process.post(LINES, "{\"id\":\"1\"}\r\n\n  \n{broken\n{\"id\":\"2\"}");
    let letters = json!([{"item": 1, "line": 4, "reason": "no event"}]);
    assert_eq!((reply.status, reply.json()), (202, json!({"events": 3, "dead_letters": letters})));
    let offsets: Vec<u64> = process.told.lock().expect("told").records.iter().map(|record| record.1).collect();
    assert_eq!(offsets, [0, 1, 2]);
}

#[test]
fn attributes_in_headers_become_an_event() {
    let process = Process::new(Way::Writes);
    let head = "ce-specversion: 1.0\r\nce-id: 7\r\nCE-Subject: Z%C3%BCrich\r\nce-type: \"ticket.opened\"\r\n";
    let send = |kind: &str, extra: &str, body: &str| {
        let text = format!(
            "POST /events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer one\r\n{kind}{head}{extra}content-length: {}\r\n\r\n{body}",
            body.len()
        );
        process.client().raw(text.as_bytes())
    };
    assert_eq!(send("content-type: application/json\r\n", "", "{\"priority\": \"P1\"}").status, 202);
    assert_eq!(send("", "", "").status, 202);
    let want = r#"{"specversion":"1.0","id":"7","subject":"Zürich","type":"ticket.opened""#;
    assert_eq!(process.texts(), [format!("{want},\"data\":{{\"priority\": \"P1\"}}}}"), format!("{want}}}")]);
    let wrong = |extra: &str, body: &str, says: &str| {
        let reply = send("content-type: application/json\r\n", extra, body);
        assert_eq!(reply.status, 400, "{}", reply.body);
        assert!(reply.body.contains(says), "{} does not say {says}", reply.body);
    };
    wrong("ce-id: 8\r\n", "{}", "`ce-id` stands twice");
    wrong("ce-data: 8\r\n", "{}", "`ce-data`");
    wrong("ce-a_b: 8\r\n", "{}", "`ce-a_b`");
    wrong("ce-source: %FF\r\n", "{}", "`ce-source`");
    wrong("", "{\"a\":", "no JSON");
    assert_eq!(send("content-type: text/plain\r\n", "", "hello").status, 415);
}

#[test]
fn what_cannot_be_split_is_refused_and_says_why() {
    let process = Process::new(Way::Stuck);
    for (kind, body, says) in [
        (ONE, "", "no JSON: EOF"),
        (ONE, "{\"id\": \"1\"", "line 1 column 10"),
        (ONE, "{} {}", "trailing characters"),
        (ONE, "[{}]", "cloudevents-batch+json"),
        (ONE, "7", "no JSON object"),
        (BATCH, "{}", "application/cloudevents+json"),
        (BATCH, "[{},", "no JSON: EOF"),
        (BATCH, "[{} {}]", "no JSON"),
    ] {
        let reply = process.post(kind, body);
        assert_eq!(reply.status, 400, "{body}");
        let told = reply.json();
        assert!(told["problems"][0]["reason"].as_str().is_some_and(|why| why.contains(says)), "{body}: {told}");
        assert_eq!(told["problems"][0]["item"], 0);
    }
    let reply = process.client().post_bytes("one", ONE, b"{\"id\": \"\xff\"}");
    assert!(reply.body.contains("invalid UTF-8 at byte 9"), "{}", reply.body);
    // Deep, but not too deep for anybody's stack.
    let deep = format!("{}{}", "[".repeat(400_000), "]".repeat(400_000));
    assert_eq!(process.post(ONE, &deep).status, 400);
    assert!(process.texts().is_empty());
}

#[test]
fn a_form_that_is_not_read_is_refused_with_those_that_are() {
    let process = Process::new(Way::Stuck);
    for kind in ["application/json", "text/plain", "application/cloudevents+json; charset=latin1", ""] {
        let reply = process.post(kind, "{}");
        assert_eq!(reply.status, 415, "{kind}");
    }
    assert!(process.post("application/json", "{}").body.contains("application/x-ndjson"));
    let packed = "POST /events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer one\r\ncontent-encoding: br\r\n\
                  content-type: application/x-ndjson\r\ncontent-length: 2\r\n\r\n{}";
    assert_eq!(process.client().raw(packed.as_bytes()).status, 415);
}

#[test]
fn without_a_token_nothing_is_looked_at() {
    let process = Process::new(Way::Stuck);
    for token in ["", "wrong", "on", "one2"] {
        let reply = process.client().post(token, "text/plain", "not even looked at");
        assert_eq!(reply.status, 401, "{token}");
        assert_eq!(reply.header("www-authenticate"), Some("Bearer realm=\"onus\""));
    }
    // The head is enough: a body that is promised is not waited for.
    let head = "POST /events HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\n";
    assert_eq!(process.client().raw(head.as_bytes()).status, 401);
}

#[test]
fn a_token_says_which_source_it_is_and_each_has_its_own_count() {
    let process = Process::new(Way::Writes);
    for token in ["one", "two", "one-new"] {
        assert_eq!(process.client().post(token, ONE, r#"{"id":"1"}"#).status, 202);
    }
    let told = process.told.lock().expect("told");
    let whose: Vec<(u16, u64)> = told.records.iter().map(|record| (record.0.0, record.1)).collect();
    assert_eq!(whose, [(1, 0), (2, 0), (1, 1)]);
}

#[test]
fn what_is_too_large_is_refused() {
    let process =
        Process::with(Way::Writes, |events| (events.body, events.most, events.longest) = (3000, 5, 20), |_| {});
    let long = format!("{{\"id\":\"{}\"}}", "x".repeat(3000));
    assert_eq!(process.post(ONE, &long).status, 413);
    assert_eq!(process.client().chunked("one", ONE, &[long.as_bytes()]).status, 413);
    assert_eq!(process.post(LINES, &"{}\n".repeat(6)).status, 413);
    assert_eq!(process.post(LINES, &"{}\n".repeat(5)).status, 202);
    // A record that is longer than a record may be is cut, and its length told.
    let event = format!("{{\"id\":\"{}\"}}", "x".repeat(40));
    let reply = process.post(ONE, &event);
    assert_eq!(reply.json()["dead_letters"][0]["item"], 0);
    let told = process.told.lock().expect("told");
    let last = told.records.last().expect("a record");
    assert_eq!((last.2.as_str(), last.3), (&event[..20], Some(event.len() as u64)));
}

#[test]
fn chunks_are_put_together_and_requests_answered_in_their_order() {
    let process = Process::new(Way::Writes);
    let body: [&[u8]; 3] = [b"{\"id\":", b"\"1\"", b"}"];
    assert_eq!(process.client().chunked("one", ONE, &body).status, 202);
    assert_eq!(process.texts(), [r#"{"id":"1"}"#]);
    let mut client = process.client();
    let mut sent = Vec::new();
    for (kind, body) in [(ONE, r#"{"id":"2"}"#), (ONE, "{"), (BATCH, "[]"), (ONE, r#"{"id":"3"}"#)] {
        sent.extend(Client::request("one", kind, body.as_bytes()));
    }
    client.send(&sent);
    let replies: Vec<u16> = (0..4).map(|_| client.reply().status).collect();
    assert_eq!(replies, [202, 400, 202, 202]);
    assert_eq!(process.texts(), [r#"{"id":"1"}"#, r#"{"id":"2"}"#, r#"{"id":"3"}"#]);
}

#[test]
fn nothing_is_answered_before_it_is_written_down() {
    let process = Process::with(Way::Silent, |events| events.written_within = Duration::from_millis(200), |_| {});
    let reply = process.post(ONE, r#"{"id":"1"}"#);
    assert_eq!((reply.status, reply.header("retry-after")), (503, Some("5")));
    assert!(reply.body.contains("send these events again"), "{}", reply.body);
    // Taken, then written late: answered then.
    let slow = Process::new(Way::Silent);
    let mut client = slow.client();
    client.send(&Client::request("one", ONE, br#"{"id":"2"}"#));
    slow.until("taken", |told| told.kept.len() == 1);
    client.nothing(Duration::from_millis(100));
    let done = slow.told.lock().expect("told").kept[0].done.take().expect("somebody waits");
    done.send(Receipt::Written(Vec::new())).expect("it waits");
    assert_eq!(client.reply().status, 202);
    slow.be(Way::Refuses);
    let reply = slow.post(ONE, r#"{"id":"3"}"#);
    assert_eq!(reply.status, 503);
    assert!(reply.body.contains("the disk is full"), "{}", reply.body);
}

#[test]
fn who_is_turned_away_is_told_when_to_come_back_and_is_not_heard_until_then() {
    let process = Process::with(Way::Stuck, |events| events.beat = Duration::from_secs(600), |_| {});
    let mut waiting = Vec::new();
    // The first beat may have gone into the channel.
    for _ in 0..onus::ingest::feed::WAITING {
        let mut client = process.client();
        client.send(&Client::request("one", ONE, br#"{"id":"1"}"#));
        waiting.push(client);
    }
    let begin = Instant::now();
    let reply = loop {
        let mut client = process.client();
        client.send(&Client::request("one", ONE, br#"{"id":"1"}"#));
        match client.reply_within(Duration::from_millis(300)) {
            Some(reply) => break reply,
            None => waiting.push(client),
        }
        assert!(begin.elapsed() < Duration::from_secs(20), "never full");
    };
    assert_eq!((reply.status, reply.header("retry-after")), (429, Some("1")));
    // It is answered at once, though the loop stands; and so is everything else.
    assert_eq!(process.client().get("/healthz").status, 200);
    process.be(Way::Writes);
    for client in &mut waiting {
        let status = client.reply().status;
        assert!(status == 202 || status == 429, "{status}");
    }
}

#[test]
fn all_is_said_to_be_heard_only_of_those_that_were_not_turned_away() {
    let process = Process::new(Way::Writes);
    process.until("both heard", |told| told.caught_up.contains(&FeedId(1)) && told.caught_up.contains(&FeedId(2)));
    process.be(Way::Refuses);
    assert_eq!(process.post(ONE, r#"{"id":"1"}"#).status, 503);
    process.until("trouble", |told| told.said.len() == 1);
    process.told.lock().expect("told").caught_up.clear();
    process.until("the other", |told| told.caught_up.len() >= 3);
    assert!(!process.told.lock().expect("told").caught_up.contains(&FeedId(1)));
    process.be(Way::Writes);
    assert_eq!(process.post(ONE, r#"{"id":"1"}"#).status, 202);
    process.until("fine", |told| told.said.last().is_some_and(|said| said == "fine"));
    process.until("heard again", |told| told.caught_up.contains(&FeedId(1)));
}

#[test]
fn bodies_that_wait_have_a_bound_together() {
    let process = Process::with(Way::Writes, |events| (events.body, events.waiting) = (8 << 10, 10 << 10), |_| {});
    let mut slow = process.client();
    slow.send(
        b"POST /events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer one\r\ncontent-type: application/x-ndjson\r\n",
    );
    slow.send(b"content-length: 8000\r\n\r\n{");
    let begin = Instant::now();
    let large = format!("{{\"id\":\"{}\"}}", "x".repeat(4000));
    while process.post(ONE, &large).status != 429 {
        assert!(begin.elapsed() < Duration::from_secs(20), "never full");
    }
    assert_eq!(process.post(ONE, r#"{"id":"1"}"#).status, 202);
    drop(slow);
    while process.post(ONE, &large).status != 202 {
        assert!(begin.elapsed() < Duration::from_secs(20), "never free again");
    }
}

#[test]
fn a_slow_body_and_a_slow_head_are_not_waited_for() {
    let body = |events: &mut Events| events.body_within = Duration::from_millis(200);
    let process = Process::with(Way::Writes, body, |listen| listen.head_within = Duration::from_millis(300));
    let mut slow = process.client();
    slow.send(
        b"POST /events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer one\r\ncontent-type: application/x-ndjson\r\n",
    );
    slow.send(b"content-length: 80\r\n\r\n{");
    assert_eq!(slow.reply().status, 408);
    let mut head = process.client();
    head.send(b"POST /events HTTP/1.1\r\nhost:");
    head.closed();
    // Neither is one that says nothing at all, or nothing more.
    process.client().closed();
    let mut idle = process.client();
    idle.send(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n");
    assert_eq!(idle.reply().status, 200);
    idle.closed();
}

#[test]
fn heads_that_are_huge_or_no_http_are_refused() {
    let process = Process::new(Way::Writes);
    let huge = format!("GET /healthz HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "y".repeat(100_000));
    // Whoever is refused while still writing may see the connection reset before the answer.
    let status = process.client().refused(huge.as_bytes());
    assert!(matches!(status, None | Some(431)), "{status:?}");
    let many = format!("GET /healthz HTTP/1.1\r\nhost: x\r\n{}\r\n", "x: y\r\n".repeat(500));
    assert_eq!(process.client().raw(many.as_bytes()).status, 431);
    assert_eq!(process.client().raw(b"\x16\x03\x01 hello\r\n\r\n").status, 400);
    let lengths = "POST /events HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}";
    assert_eq!(process.client().raw(lengths.as_bytes()).status, 400);
    let negative = "POST /events HTTP/1.1\r\nhost: x\r\ncontent-length: -2\r\n\r\n{}";
    assert_eq!(process.client().raw(negative.as_bytes()).status, 400);
    assert_eq!(process.client().get("/events").status, 405);
    assert_eq!(process.client().get("/elsewhere").status, 404);
    assert_eq!(process.post(ONE, r#"{"id":"1"}"#).status, 202);
}

#[test]
fn a_body_that_breaks_off_is_not_taken() {
    let process = Process::new(Way::Writes);
    let mut client = process.client();
    let mut request = Client::request("one", LINES, b"{\"id\":\"1\"}\n{\"id\":\"2\"}\n");
    request.truncate(request.len() - 3);
    client.send(&request);
    drop(client);
    let mut client = process.client();
    client.send(
        b"POST /events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer one\r\ncontent-type: application/x-ndjson\r\n",
    );
    client.send(b"transfer-encoding: chunked\r\n\r\n5\r\n{\"id\"\r\nzz\r\n");
    assert_eq!(client.reply().status, 400);
    // One whose body is longer than it says: the rest is no request.
    let mut client = process.client();
    let mut longer = Client::request("one", ONE, br#"{"id":"9"}"#);
    longer.extend_from_slice(b"garbage\r\n\r\n");
    client.send(&longer);
    assert_eq!(client.reply().status, 202);
    assert_eq!(client.reply().status, 400);
    assert_eq!(process.texts(), [r#"{"id":"9"}"#]);
}

#[test]
fn more_connections_than_there_is_room_for_wait_and_are_served() {
    let process = Process::with(Way::Writes, |_| {}, |listen| listen.connections = 4);
    let held: Vec<Client> = (0..4).map(|_| process.client()).collect();
    let mut fifth = process.client();
    fifth.send(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n");
    fifth.nothing(Duration::from_millis(100));
    drop(held);
    assert_eq!(fifth.reply().status, 200);
}

#[test]
fn many_at_once_lose_nothing_and_keep_their_order() {
    let process = Process::new(Way::Writes);
    let addr = process.addr();
    let threads: Vec<JoinHandle<()>> = (0..8)
        .map(|thread| {
            std::thread::spawn(move || {
                let mut client = Client::to(addr);
                for number in 0..50 {
                    let body = format!("{{\"id\":\"{thread}-{number}\"}}");
                    loop {
                        client.send(&Client::request("one", ONE, body.as_bytes()));
                        match client.reply().status {
                            202 => break,
                            429 => std::thread::sleep(Duration::from_millis(5)),
                            other => panic!("{other}"),
                        }
                    }
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
    let told = process.told.lock().expect("told");
    assert!(told.records.iter().enumerate().all(|(at, record)| record.1 == at as u64));
    assert_eq!(told.records.len(), 400);
}

#[test]
fn stopping_answers_what_has_begun() {
    let mut process = Process::new(Way::Silent);
    let mut client = process.client();
    client.send(&Client::request("one", ONE, br#"{"id":"1"}"#));
    process.until("taken", |told| told.kept.len() == 1);
    let serving = process.serving.take().expect("serving");
    let addr = serving.addr;
    let idle = Client::to(addr);
    serving.close();
    let stopping = std::thread::spawn(move || serving.stop());
    let done = process.told.lock().expect("told").kept[0].done.take().expect("somebody waits");
    done.send(Receipt::Written(Vec::new())).expect("it waits");
    assert_eq!(client.reply().status, 202);
    stopping.join().expect("stopped");
    assert!(std::net::TcpStream::connect(addr).is_err());
    drop(idle);
}

#[test]
fn the_process_says_how_it_is() {
    let process = Process::new(Way::Writes);
    assert_eq!(process.client().get("/healthz").body, "alive\n");
    let reply = process.client().get("/readyz");
    assert_eq!((reply.status, reply.body.as_str()), (503, "starting\n"));
    process.be_unready(&["source halted", "two\nlines"]);
    assert_eq!(process.client().get("/readyz").body, "source halted\ntwo lines\n");
    process.be_unready(&[]);
    let reply = process.client().get("/readyz");
    assert_eq!((reply.status, reply.body.as_str()), (200, "ready\n"));
}

#[test]
fn figures_are_as_prometheus_reads_them() {
    let process = Process::new(Way::Writes);
    process.figures.0.committed(0.004);
    process.figures.0.committed(0.3);
    process.figures.0.detected("00ff", 1.5, process::NOON);
    let reply = process.client().get("/metrics");
    assert_eq!(reply.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    checked_in::same("tests/support/metrics.txt", &reply.body);
}

/// Commands of a guide's `console` blocks, each with what it prints. A command goes on as long as lines are indented.
fn told(page: &str, addr: SocketAddr) -> String {
    let mut out = String::new();
    let mut lines = page.lines().peekable();
    let mut inside = false;
    while let Some(line) = lines.next() {
        match line {
            "```console" => inside = true,
            "```" => inside = false,
            _ => {}
        }
        let Some(first) = line.strip_prefix("$ ").filter(|_| inside) else {
            // What was printed before is written anew.
            if !inside || line == "```console" {
                out += &format!("{line}\n");
            }
            continue;
        };
        let mut command = first.to_owned();
        while let Some(more) = lines.next_if(|next| next.starts_with("    ")) {
            command += &format!("\n{more}");
        }
        let here = command.replace("localhost:9464", &addr.to_string());
        let mut shell = std::process::Command::new("sh");
        let run = shell.args(["-c", &here]).current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("a shell");
        out += &format!("$ {command}\n{}", String::from_utf8_lossy(&run.stdout));
    }
    out
}

#[test]
fn the_guide_shows_what_is_answered() {
    let curl = std::process::Command::new("curl").arg("--version").output();
    if !curl.is_ok_and(|run| run.status.success()) {
        eprintln!("no curl here: the guide is not compared");
        return;
    }
    let process = Process::with(
        Way::Decodes,
        |events| events.tokens = vec![Token { feed: FeedId(1), sha256: digest("s3cret") }],
        |_| {},
    );
    process.be_unready(&["source tickets: cannot be read"]);
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/guide/http.md")).expect("the guide");
    checked_in::same("docs/guide/http.md", &told(&page, process.addr()));
}
