//! Somebody who is told over HTTP, of the tests' own: keeps what is posted, and answers as it is told to.
#![allow(dead_code)]

use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// What was posted.
#[derive(Clone, Debug)]
pub(crate) struct Posted {
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
    /// What it was answered.
    pub(crate) status: u16,
}

impl Posted {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }
}

type Answers = Box<dyn FnMut(&Posted) -> u16 + Send>;

pub(crate) struct Hook {
    port: u16,
    all: Arc<Mutex<Vec<Posted>>>,
    answers: Arc<Mutex<Answers>>,
    gone: Arc<AtomicBool>,
}

impl Hook {
    /// One that accepts everything.
    pub(crate) fn new() -> Hook {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("a port").port();
        let (all, gone) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let answers: Arc<Mutex<Answers>> = Arc::new(Mutex::new(Box::new(|_| 200)));
        let shared = (Arc::clone(&all), Arc::clone(&answers), Arc::clone(&gone));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (all, answers, gone) = (Arc::clone(&shared.0), Arc::clone(&shared.1), Arc::clone(&shared.2));
                if gone.load(Ordering::Relaxed) {
                    return;
                }
                std::thread::spawn(move || serve(&stream, &all, &answers));
            }
        });
        Hook { port, all, answers, gone }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn answers(&self, answers: impl FnMut(&Posted) -> u16 + Send + 'static) {
        *self.answers.lock().expect("nobody panicked") = Box::new(answers);
    }

    pub(crate) fn all(&self) -> Vec<Posted> {
        self.all.lock().expect("nobody panicked").clone()
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn serve(stream: &TcpStream, all: &Mutex<Vec<Posted>>, answers: &Mutex<Answers>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let path = line.split(' ').nth(1)?.to_owned();
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let mut posted = Posted { path, headers, body: String::from_utf8(body).ok()?, status: 0 };
        posted.status = answers.lock().ok()?(&posted);
        let status = posted.status;
        all.lock().ok()?.push(posted);
        let mut out = stream;
        write!(out, "HTTP/1.1 {status} Said\r\nContent-Length: 2\r\n\r\n{{}}").ok()?;
    }
}
