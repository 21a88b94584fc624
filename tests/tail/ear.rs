//! Who listens to a tail, and the place where its file grows.

use onus::ingest::feed::{FeedId, Heard, Receiver, Wrong, channel};
use onus::ingest::tail::{Start, Tail, Tailing, spawn};
use onus_engine::time::Moment;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};
use xxhash_rust::xxh3::xxh3_64;

pub(crate) const LONGEST: usize = 1 << 20;
/// However slow the machine is.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn clock() -> Moment {
    let since = std::time::UNIX_EPOCH.elapsed().expect("after 1970");
    Moment(since.as_millis() as i64)
}

/// A record as it was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Got {
    pub(crate) text: String,
    pub(crate) incarnation: String,
    pub(crate) offset: u64,
    pub(crate) next: u64,
    pub(crate) cut: Option<u64>,
    pub(crate) last: u64,
}

/// Listens to a tail.
pub(crate) struct Ear {
    pub(crate) heard: Receiver,
    pub(crate) tailing: Option<Tailing>,
    pub(crate) got: Vec<Got>,
    pub(crate) passed: BTreeMap<&'static str, u64>,
    pub(crate) wrong: Vec<String>,
    pub(crate) caught_up: u64,
    pub(crate) said: Vec<String>,
}

impl Ear {
    pub(crate) fn on(path: &Path, follow: bool, from: Option<Start>) -> Ear {
        let (sender, heard) = channel();
        let poll = Duration::from_millis(5);
        let tail = Tail {
            feed: FeedId(3),
            path: path.to_owned(),
            follow,
            from,
            longest: LONGEST,
            wire: Arc::default(),
            poll,
            clock,
        };
        let tailing = Some(spawn(tail, sender).expect("a thread"));
        Ear {
            heard,
            tailing,
            got: Vec::new(),
            passed: BTreeMap::new(),
            wrong: Vec::new(),
            caught_up: 0,
            said: Vec::new(),
        }
    }

    pub(crate) fn hear(&mut self, wait: Duration) -> bool {
        match self.heard.recv_timeout(wait) {
            Ok(Heard::Records(piece)) => {
                assert_eq!((piece.feed, piece.partition), (FeedId(3), 0));
                assert!(!piece.stamped, "a backlog is no news");
                for (why, n) in piece.passed.iter() {
                    *self.passed.entry(why).or_default() += n;
                }
                for (at, record) in piece.list.iter().enumerate() {
                    let bytes = piece.record(record);
                    if let Some(Wrong::Wire { reason, detail }) = record.wrong.as_deref() {
                        self.wrong.push(format!("{reason}: {detail}"));
                    }
                    self.got.push(Got {
                        text: String::from_utf8_lossy(bytes).into_owned(),
                        incarnation: piece.incarnation.to_string(),
                        offset: record.offset,
                        next: record.next,
                        cut: record.cut(),
                        last: piece.last.filter(|_| at + 1 == piece.list.len()).unwrap_or_else(|| xxh3_64(bytes)),
                    });
                }
            }
            Ok(Heard::CaughtUp { lag, partitions, at, .. }) => {
                assert_eq!((lag, partitions), (0, 1));
                assert!(at <= clock());
                self.caught_up += 1;
            }
            Ok(Heard::Behind { .. }) => {}
            Ok(Heard::Trouble { why, .. }) => self.said.push(format!("trouble: {why}")),
            Ok(Heard::Halted { why, .. }) => self.said.push(format!("halted: {why}")),
            Ok(Heard::Fine { .. }) => self.said.push("fine".to_owned()),
            Ok(Heard::Ended { .. }) => self.said.push("ended".to_owned()),
            Ok(Heard::Began { .. }) => panic!("what a file says begins with a record"),
            Ok(Heard::Wish(_)) => panic!("a file wishes nothing"),
            Err(RecvTimeoutError::Timeout) => return false,
            Err(RecvTimeoutError::Disconnected) => {
                std::thread::sleep(Duration::from_millis(1));
                return false;
            }
        }
        true
    }

    pub(crate) fn until(&mut self, what: &str, enough: impl Fn(&Ear) -> bool) {
        let begin = Instant::now();
        while !enough(self) {
            self.hear(Duration::from_millis(20));
            assert!(begin.elapsed() < PATIENCE, "{what}: never; heard {:?}, {:?}", self.texts(), self.said);
        }
    }

    pub(crate) fn until_texts(&mut self, want: &[&str]) {
        self.until("records", |ear| ear.got.len() >= want.len());
        assert_eq!(self.texts(), want);
    }

    pub(crate) fn until_said(&mut self, begin: &str) -> String {
        self.until(begin, |ear| ear.said.iter().any(|said| said.starts_with(begin)));
        self.said.iter().find(|said| said.starts_with(begin)).expect("just seen").clone()
    }

    pub(crate) fn until_caught_up(&mut self) {
        let before = self.caught_up;
        self.until("caught up", |ear| ear.caught_up > before);
    }

    /// Nothing more comes.
    pub(crate) fn quiet(&mut self) {
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_millis(60) {
            self.hear(Duration::from_millis(10));
        }
    }

    pub(crate) fn texts(&self) -> Vec<&str> {
        self.got.iter().map(|got| got.text.as_str()).collect()
    }

    /// Ends, and says where another life would go on.
    pub(crate) fn stop(mut self) -> Start {
        // Whoever stops goes on listening, or does not listen any more.
        let tailing = self.tailing.take().expect("not stopped twice");
        drop(std::mem::replace(&mut self.heard, channel().1));
        tailing.stop();
        let last = self.got.last().expect("some record");
        Start { incarnation: last.incarnation.clone(), next: last.next, last: last.last }
    }
}

pub(crate) struct Place {
    pub(crate) _folder: tempfile::TempDir,
    pub(crate) path: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Place {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("events.jsonl");
        Place { _folder: folder, path }
    }

    pub(crate) fn of(text: &str) -> Place {
        let place = Place::new();
        fs::write(&place.path, text).expect("written");
        place
    }

    pub(crate) fn add(&self, text: &str) {
        let mut file = OpenOptions::new().append(true).create(true).open(&self.path).expect("open");
        file.write_all(text.as_bytes()).expect("written");
    }

    pub(crate) fn beside(&self, ending: &str) -> PathBuf {
        PathBuf::from(format!("{}{ending}", self.path.display()))
    }

    pub(crate) fn rename(&self, ending: &str) {
        fs::rename(&self.path, self.beside(ending)).expect("renamed");
    }

    /// As logrotate does it with `copytruncate`.
    pub(crate) fn copy_truncate(&self, ending: &str) {
        fs::copy(&self.path, self.beside(ending)).expect("copied");
        File::options().write(true).open(&self.path).expect("open").set_len(0).expect("cut");
    }

    pub(crate) fn pack(&self, from: &str, to: &str) {
        let bytes = fs::read(self.beside(from)).expect("read");
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(&bytes).expect("packed");
        fs::write(self.beside(to), out.finish().expect("packed")).expect("written");
        fs::remove_file(self.beside(from)).expect("removed");
    }
}
