//! A schema registry of the tests' own: answers what a real one was recorded to answer, or otherwise, or not at all.

use onus::ingest::wire::{Format, Found, Registry, Wire};
use onus::web::{Login, Target};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// What was recorded: see recorded.py.
pub(crate) fn recorded() -> Value {
    serde_json::from_str(include_str!("recorded.json")).expect("JSON")
}

#[derive(Default)]
struct State {
    answers: BTreeMap<String, (u16, String)>,
    /// This instead of all of them.
    instead: Option<(u16, String)>,
    /// Nothing is answered.
    silent: bool,
    asked: Vec<String>,
    gone: bool,
}

pub(crate) struct Desk {
    port: u16,
    state: Arc<(Mutex<State>, Condvar)>,
}

impl Desk {
    pub(crate) fn new() -> Desk {
        let answers = recorded()["answers"].as_object().expect("answers").clone();
        let answers = answers.into_iter().map(|(path, body)| (path, (200, body.to_string()))).collect();
        let state = State { answers, ..State::default() };
        let desk = Desk { port: 0, state: Arc::new((Mutex::new(state), Condvar::new())) };
        desk.listening(TcpListener::bind("127.0.0.1:0").expect("a free port"))
    }

    fn listening(self, listener: TcpListener) -> Desk {
        let port = listener.local_addr().expect("a port").port();
        let state = Arc::clone(&self.state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if state.0.lock().expect("nobody panicked").gone {
                    return;
                }
                let state = Arc::clone(&state);
                std::thread::spawn(move || serve(&stream, &state));
            }
        });
        Desk { port, state: Arc::clone(&self.state) }
    }

    /// An address at which nobody listens, until [`Desk::open`].
    pub(crate) fn closed() -> (Desk, u16) {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("a port").port();
        let answers = recorded()["answers"].as_object().expect("answers").clone();
        let answers = answers.into_iter().map(|(path, body)| (path, (200, body.to_string()))).collect();
        let state = State { answers, ..State::default() };
        (Desk { port, state: Arc::new((Mutex::new(state), Condvar::new())) }, port)
    }

    /// Listens at its address.
    pub(crate) fn open(self) -> Desk {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).expect("its port is free still");
        self.listening(listener)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.0.lock().expect("nobody panicked"));
        self.state.1.notify_all();
    }

    pub(crate) fn answers(&self, path: &str, status: u16, body: &str) {
        self.change(|state| {
            state.answers.insert(path.to_owned(), (status, body.to_owned()));
        });
    }

    /// This schema, under an id.
    pub(crate) fn schema(&self, id: u32, kind: &str, schema: &str) {
        let body = serde_json::json!({ "schema": schema, "schemaType": kind });
        self.answers(&format!("/schemas/ids/{id}"), 200, &body.to_string());
    }

    pub(crate) fn instead(&self, instead: Option<(u16, &str)>) {
        self.change(|state| state.instead = instead.map(|(status, body)| (status, body.to_owned())));
    }

    pub(crate) fn silent(&self, silent: bool) {
        self.change(|state| state.silent = silent);
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.state.0.lock().expect("nobody panicked").asked.clone()
    }

    pub(crate) fn target(&self) -> Target {
        let timeout = Duration::from_secs(5);
        Target { url: self.url(), ca: None, own: None, login: Login::Nobody, timeout }
    }

    pub(crate) fn wire(&self) -> Wire {
        Wire::new(Format::Auto, Some(Arc::new(Registry::new(self.target()))))
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        // The one that goes on listening holds the state, too.
        if Arc::strong_count(&self.state) <= 2 {
            self.change(|state| state.gone = true);
            let _ = TcpStream::connect(("127.0.0.1", self.port));
        }
    }
}

fn serve(stream: &TcpStream, state: &(Mutex<State>, Condvar)) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let path = line.split(' ').nth(1)?.to_owned();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            if line.trim_end().is_empty() {
                break;
            }
        }
        let mut now = state.0.lock().ok()?;
        now.asked.push(path.clone());
        while now.silent {
            now = state.1.wait(now).ok()?;
        }
        let none = || (404, "{\"error_code\":40403,\"message\":\"Schema not found\"}".to_owned());
        let answer = now.instead.clone().or_else(|| now.answers.get(&path).cloned());
        drop(now);
        let (status, body) = answer.unwrap_or_else(none);
        let mut out = stream;
        write!(out, "HTTP/1.1 {status} Said\r\nContent-Length: {}\r\n\r\n{body}", body.len()).ok()?;
    }
}

/// What is found once the registry has answered.
#[track_caller]
pub(crate) fn found(wire: &Wire, value: &[u8], headers: &[(&str, &[u8])]) -> Found<'static> {
    let until = Instant::now() + Duration::from_secs(40);
    loop {
        match wire.read(Some(value), headers) {
            Found::Waits(need) => {
                assert!(Instant::now() < until, "never answered: {:?}", wire.trouble());
                if !wire.wait(need, Duration::from_secs(1)) {
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
            Found::One(line) => return Found::One(line.into_owned().into()),
            Found::Many(lines) => return Found::Many(lines.into_iter().map(|one| one.into_owned().into()).collect()),
            Found::Skip(skip) => return Found::Skip(skip),
            Found::Wrong(fault) => return Found::Wrong(fault),
        }
    }
}

#[track_caller]
pub(crate) fn json(found: Found<'_>) -> Value {
    match found {
        Found::One(line) => serde_json::from_slice(&line).unwrap_or_else(|error| {
            panic!("{error}: {}", String::from_utf8_lossy(&line));
        }),
        other => panic!("{other:?}"),
    }
}

/// Why it can never be read.
#[track_caller]
pub(crate) fn wrong(found: Found<'_>) -> (&'static str, String) {
    match found {
        Found::Wrong(fault) => (fault.reason, fault.why),
        other => panic!("{other:?}"),
    }
}

/// A frame of a schema around bytes.
pub(crate) fn frame(id: u32, bytes: &[u8]) -> Vec<u8> {
    [&[0][..], &id.to_be_bytes(), bytes].concat()
}
