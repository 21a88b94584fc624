//! A process with a loop that only listens, and does with records what it is told to.

use crate::client::{Client, Reply};
use onus::decode::{Batch, Decoder};
use onus::ingest::feed::{self, FeedId, Heard, Receipt, Records, channel};
use onus::ingest::http::{Events, Token, digest, routes};
use onus::serve::{self, Listen, Serving};
use onus::telemetry::{
    self, Access, Figures, Form, Histogram, ObligationReading, PartnerReading, Reading, ReceiverReading, SourceReading,
    SourceState,
};
use onus_engine::book::Book;
use onus_engine::time::Moment;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub(crate) fn clock() -> Moment {
    let since = std::time::UNIX_EPOCH.elapsed().expect("after 1970");
    Moment(since.as_millis() as i64)
}

pub(crate) const NOON: Moment = Moment(1_767_614_400_000);

/// What was read off a loop.
pub(crate) fn reading() -> Reading {
    let name = "sap \"1\"".to_owned();
    let results = [1, 1, 0, 1, 0];
    let heard = Some(NOON + -1_500);
    let sap = SourceReading { name, results, lag: 17, heard, expected: Some(60_000), ..SourceReading::default() };
    let other = SourceReading { name: "other".to_owned(), state: SourceState::Halted, ..SourceReading::default() };
    let about = ["desk", "4.1", "none", "partner", "page"].map(str::to_owned);
    let answer = ObligationReading {
        id: "answer".to_owned(),
        about: vec![about],
        unended: [1, 0, 0, 2, 0, 0],
        ended: [90, 3, 0, 0, 0, 0],
        endings: [91, 3, 0, 0, 0, 0],
        breaches: [6, 1],
        at_risk: 1,
        windows: [[90, 5], [0, 0]],
        window_end: Some(NOON + 1_000),
        target: Some(900_000),
        by_window: true,
        oldest_breach: Some(NOON + -1),
        ..ObligationReading::default()
    };
    let partner = PartnerReading {
        name: "p\\1".to_owned(),
        customers: vec!["northwind".to_owned()],
        holds: [3, 0],
        blind: true,
        obligations: vec![answer],
        ..PartnerReading::default()
    };
    let mut latency = Histogram::new(&[0.5, 1.0]);
    latency.observe(0.25);
    let pager = ReceiverReading {
        name: "pager".to_owned(),
        sent: 1,
        errors: 0,
        dropped: 0,
        queue: 2,
        halted: false,
        last_success: Some(NOON),
        latency,
    };
    Reading {
        sources: vec![sap, other],
        partners: vec![partner],
        receivers: vec![pager],
        firing: vec![("page", 2)],
        letters: BTreeMap::from([("Json".to_owned(), 1)]),
        commits: 2,
        sequence: 42,
        subjects: 12,
        entries: 7,
        now: Some(NOON),
        facts: vec![("placed", 5), ("late", 1)],
        ..Reading::default()
    }
}

/// Pages of that.
pub(crate) struct Shown(pub(crate) Figures);

impl telemetry::Pages for Shown {
    fn all(&self, form: Form) -> String {
        self.0.page(form, &reading())
    }

    fn of_partner(&self, form: Form, partner: &str) -> Option<String> {
        self.0.partner(form, &reading(), partner)
    }

    fn denied(&self, reason: &'static str) {
        self.0.denied(reason);
    }
}

/// What the loop does with records.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Way {
    /// Writes them; those that are no object with an id become dead letters.
    Writes,
    /// Writes them; those that no decoder reads become dead letters.
    Decodes,
    /// Cannot.
    Refuses,
    /// Takes them, and never says so.
    Silent,
    /// Takes nothing.
    Stuck,
}

#[derive(Default)]
pub(crate) struct Told {
    pub(crate) records: Vec<(FeedId, u64, String, Option<u64>)>,
    pub(crate) caught_up: Vec<FeedId>,
    pub(crate) said: Vec<String>,
    pub(crate) kept: Vec<Records>,
}

/// A process with a loop that only listens.
pub(crate) struct Process {
    pub(crate) serving: Option<Serving>,
    pub(crate) told: Arc<Mutex<Told>>,
    pub(crate) way: Arc<Mutex<Way>>,
    pub(crate) thread: Option<(Sender<()>, JoinHandle<()>)>,
    pub(crate) unready: Arc<Mutex<Vec<String>>>,
    pub(crate) figures: Arc<Shown>,
}

impl Process {
    pub(crate) fn new(way: Way) -> Process {
        Process::with(way, |_| {}, |_| {})
    }

    pub(crate) fn with(way: Way, change: impl FnOnce(&mut Events), listen: impl FnOnce(&mut Listen)) -> Process {
        let (sender, heard) = channel();
        let tokens = [("one", 1), ("one-new", 1), ("two", 2)];
        let tokens = tokens.map(|(text, feed)| Token { feed: FeedId(feed), sha256: digest(text) });
        let mut events = Events::from(tokens.to_vec(), clock);
        events.beat = Duration::from_millis(20);
        change(&mut events);
        let mut on = Listen::on("127.0.0.1:0".parse().expect("an address"));
        listen(&mut on);
        let unready = Arc::new(Mutex::new(vec!["starting".to_owned()]));
        let figures = Arc::new(Shown(Figures::new("test", NOON).expect("families")));
        let (ready, page) = (unready.clone(), figures.clone());
        let serving = serve::spawn(on, move || {
            let unready = move || ready.lock().expect("reasons").clone();
            routes(events, sender).merge(telemetry::routes(unready, page, Access::default()))
        });
        let told = Arc::new(Mutex::new(Told::default()));
        let way = Arc::new(Mutex::new(way));
        let (stop, stopped) = mpsc::channel();
        let ours = (told.clone(), way.clone());
        let thread = std::thread::spawn(move || listening(&heard, &stopped, &ours.0, &ours.1));
        Process { serving: Some(serving.expect("listens")), told, way, thread: Some((stop, thread)), unready, figures }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.serving.as_ref().expect("serving").addr
    }

    pub(crate) fn client(&self) -> Client {
        Client::to(self.addr())
    }

    pub(crate) fn post(&self, kind: &str, body: &str) -> Reply {
        self.client().post("one", kind, body)
    }

    pub(crate) fn be(&self, way: Way) {
        *self.way.lock().expect("a way") = way;
    }

    pub(crate) fn be_unready(&self, reasons: &[&str]) {
        *self.unready.lock().expect("reasons") = reasons.iter().map(|reason| (*reason).to_owned()).collect();
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.told.lock().expect("told").records.iter().map(|record| record.2.clone()).collect()
    }

    pub(crate) fn until(&self, what: &str, enough: impl Fn(&Told) -> bool) {
        let begin = Instant::now();
        while !enough(&self.told.lock().expect("told")) {
            std::thread::sleep(Duration::from_millis(5));
            assert!(begin.elapsed() < Duration::from_secs(20), "{what}: never");
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.serving.take());
        if let Some((stop, thread)) = self.thread.take() {
            drop(stop);
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking());
        }
    }
}

/// Why an event could not be used.
pub(crate) fn undecoded(text: &str) -> Option<String> {
    let contract = onus::contract::parse(include_str!("../../examples/demo/contracts/halden-pam.yaml"), "halden");
    let book = Book::new(&[contract.expect("the example loads")]);
    let decoder = Decoder::new(Arc::new(book), Moment(4_000_000_000_000));
    decoder.record(text, &mut Batch::default()).err().map(|error| error.to_string())
}

pub(crate) fn listening(heard: &feed::Receiver, stopped: &mpsc::Receiver<()>, told: &Mutex<Told>, way: &Mutex<Way>) {
    loop {
        if stopped.try_recv() == Err(mpsc::TryRecvError::Disconnected) {
            return;
        }
        if *way.lock().expect("a way") == Way::Stuck {
            std::thread::sleep(Duration::from_millis(5));
            continue;
        }
        let Ok(next) = heard.recv_timeout(Duration::from_millis(5)) else { continue };
        // Asked after it came: whoever sent it may have changed the way before.
        let now = *way.lock().expect("a way");
        let mut told = told.lock().expect("told");
        match next {
            Heard::Records(mut records) => {
                let mut letters = Vec::new();
                for (at, one) in records.list.iter().enumerate() {
                    let text = String::from_utf8_lossy(records.record(one)).into_owned();
                    let id = serde_json::from_str::<Value>(&text).ok().and_then(|v| v.get("id").cloned());
                    let plain = || if id.is_none() { Some("no event".to_owned()) } else { None };
                    let why = if now == Way::Decodes { undecoded(&text) } else { plain() };
                    letters.extend(why.map(|why| (at, why)));
                    told.records.push((records.feed, one.offset, text, one.cut()));
                }
                let done = records.done.take().expect("somebody waits");
                match now {
                    // Whoever asked may be gone.
                    Way::Writes | Way::Decodes => drop(done.send(Receipt::Written(letters))),
                    Way::Refuses => drop(done.send(Receipt::Not("the disk is full".to_owned()))),
                    Way::Silent | Way::Stuck => {
                        records.done = Some(done);
                        told.kept.push(records);
                    }
                }
            }
            Heard::CaughtUp { feed, at, .. } => {
                assert!(at <= clock());
                told.caught_up.push(feed);
            }
            Heard::Trouble { why, .. } => told.said.push(why),
            Heard::Fine { .. } => told.said.push("fine".to_owned()),
            other => panic!("{other:?}"),
        }
    }
}
