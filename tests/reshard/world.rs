//! A house whose processes judge in one store after the other; and beside it one process that nobody disturbs.

use crate::house::{House, W1, end, file};
use crate::kafka::{Broker, broker};
use crate::{postgres, w1};
use onus::exchange::partition::partition;
use onus::store::place::{Place, open};
use onus::store::{Entry, Query, Store, copies};
use rdkafka::consumer::{BaseConsumer, Consumer};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::process::{Child, Output, Stdio};
use std::sync::RwLockReadGuard;
use std::time::{Duration, Instant};

/// The last word on each duty: standing, and the instant of its breach.
pub(crate) type Net = BTreeMap<String, (String, Option<String>)>;
/// By which receivers know an entry: duty, standing, start.
pub(crate) type Identity = (String, String, String);

/// Where the house is at.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    /// The store.
    pub(crate) url: String,
    /// The database, where there is one.
    pub(crate) database: Option<String>,
    pub(crate) topic: String,
    /// 0: one process, without an exchange.
    pub(crate) partitions: u16,
    pub(crate) settings: String,
}

pub(crate) struct World {
    /// It runs as long as this is held.
    broker: RwLockReadGuard<'static, Broker>,
    pub(crate) house: House,
    alone: House,
    undisturbed: Option<Child>,
    pub(crate) at: Stage,
    lines: Vec<String>,
    /// So many of them are no ticks.
    events: Vec<u64>,
    pub(crate) fed: usize,
    /// Settings of every stage, besides.
    more: String,
    /// Processes of the house, with what they are.
    running: Vec<(String, Child)>,
    lives: usize,
}

impl World {
    /// One that begins with this number of partitions; 0: with one process.
    pub(crate) fn new(partitions: u16, events: usize) -> World {
        World::with(partitions, events, "")
    }

    /// The same, with more settings.
    pub(crate) fn with(partitions: u16, events: usize, more: &str) -> World {
        let (drawn, _) = w1::draw(w1::Order { events, partners: 24, seed: 5 });
        let mut lines = Vec::new();
        w1::write(&drawn, &mut lines).expect("into memory");
        let text = String::from_utf8(lines).expect("text");
        let lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
        let (house, alone) = (House::new(W1, ""), House::new(W1, &file("desk")));
        fs::write(house.path("desk.jsonl"), "").expect("written");
        fs::write(alone.path("desk.jsonl"), "").expect("written");
        let undisturbed = Some(alone.start(&["run", "--tell", "told"]));
        let mut count = 0;
        let events = lines.iter().map(|line| {
            count += u64::from(!line.contains("onus.tick"));
            count
        });
        let (events, broker) = (events.collect(), broker());
        let at =
            Stage { url: String::new(), database: None, topic: String::new(), partitions, settings: String::new() };
        let (fed, more, running, lives) = (0, more.to_owned(), Vec::new(), 0);
        let mut world = World { broker, house, alone, undisturbed, at, lines, events, fed, more, running, lives };
        world.at = if partitions == 0 { world.single() } else { world.stage(partitions) };
        world.settle_at(&world.at.clone());
        world
    }

    fn single(&self) -> Stage {
        let url = "sqlite:onus.db".to_owned();
        Stage { url, database: None, topic: String::new(), partitions: 0, settings: file("desk") }
    }

    /// A new topic and a new database.
    pub(crate) fn stage(&self, partitions: u16) -> Stage {
        let server = postgres::shared();
        let database = server.database();
        let url = server.url(&database);
        let stage = self.stage_at(partitions, &url);
        Stage { database: Some(database), ..stage }
    }

    /// A new topic, and this store.
    pub(crate) fn stage_at(&self, partitions: u16, url: &str) -> Stage {
        let topic = self.broker.topic(i32::from(partitions), &[]);
        self.stage_of(&topic, partitions, url)
    }

    pub(crate) fn stage_of(&self, topic: &str, partitions: u16, url: &str) -> Stage {
        let store = format!("[store]\nurl = \"{url}\"\n");
        let settings = format!(
            "[kafka.main]\nbrokers = [\"{}\"]\n[exchange]\ncluster = \"main\"\ntopic = \"{topic}\"\npartitions = {partitions}\n\
             {store}[run]\nlease = \"1s\"\n{}",
            self.broker.address(),
            file("desk")
        );
        let (url, topic) = (url.to_owned(), topic.to_owned());
        Stage { url, database: None, topic, partitions, settings }
    }

    /// These are the settings from here on.
    pub(crate) fn settle_at(&mut self, stage: &Stage) {
        self.at = stage.clone();
        self.house.write("onus.toml", &self.text(stage));
    }

    /// Settings of a stage, whole.
    fn text(&self, stage: &Stage) -> String {
        let Stage { settings, .. } = stage;
        let own = "[contracts]\npaths = [\"contract.yaml\"]\n[http]\nlisten = \"127.0.0.1:0\"\n";
        format!("{own}{settings}\n{}\n", self.more)
    }

    /// Divides what is where the house is, for that stage; its settings are those of the stage already.
    pub(crate) fn reshard(&self, from: &Stage, to: &Stage, more: &[&str]) -> Output {
        self.house.write("next.toml", &self.text(to));
        let args = ["store", "reshard", "--config", "next.toml", "--from", &from.url];
        self.house.onus(&[&args[..], more].concat())
    }

    /// The same, and nobody waits for it.
    pub(crate) fn reshards(&self, from: &Stage, to: &Stage) -> Child {
        self.house.write("next.toml", &self.text(to));
        self.house.start(&["store", "reshard", "--config", "next.toml", "--from", &from.url])
    }

    /// The same, which must be done; and the house goes on there.
    pub(crate) fn divides(&mut self, to: &Stage) {
        let out = self.reshard(&self.at, to, &[]);
        assert!(out.status.success(), "{}", said(&out));
        self.settle_at(to);
    }

    /// Everybody who is needed.
    pub(crate) fn begin(&mut self) {
        if self.at.partitions == 0 {
            return self.start("all", &[]);
        }
        self.start("intake", &["--role", "intake"]);
        self.begin_judges();
    }

    pub(crate) fn begin_judges(&mut self) {
        if self.at.url.starts_with("sqlite:") {
            for shard in 0..self.at.partitions {
                self.start(&format!("judge-{shard}"), &["--role", "judge", "--shard", &shard.to_string()]);
            }
            return;
        }
        self.start("judge-a", &["--role", "judge"]);
        self.start("judge-b", &["--role", "judge"]);
    }

    fn start(&mut self, name: &str, args: &[&str]) {
        self.lives += 1;
        let told = format!("told-{:03}-{name}", self.lives);
        let mut command = self.house.command(&["run"]);
        command.args(args).env("ONUS__RUN__NAME", name);
        if name != "intake" {
            command.args(["--tell", &told]);
        }
        let talk = fs::OpenOptions::new().create(true).append(true).open(self.house.path("talk")).expect("a file");
        let child = command.stdout(Stdio::null()).stderr(talk).spawn().expect("the program runs");
        self.running.push((name.to_owned(), child));
    }

    /// Ends those whose name begins so, in good order.
    pub(crate) fn end(&mut self, name: &str) {
        let (ends, stay) = self.running.drain(..).partition(|(known, _)| known.starts_with(name));
        self.running = stay;
        for (name, child) in ends {
            let child: Child = child;
            assert!(end(child), "{name}: {}", self.house.talk());
        }
    }

    /// Kills them.
    pub(crate) fn kill(&mut self, name: &str) {
        for (_, child) in self.running.iter_mut().filter(|(known, _)| known.starts_with(name)) {
            child.kill().expect("it runs");
            child.wait().expect("it ended");
        }
        self.running.retain(|(known, _)| !known.starts_with(name));
    }

    /// As an operator does it: the intake, and the judges when they have taken everything.
    pub(crate) fn stop(&mut self) {
        if self.at.partitions == 0 {
            return self.end("all");
        }
        self.end("intake");
        self.until("judges have taken everything", |world| world.left() == 0);
        self.end("judge");
    }

    /// Records of the topic that were not taken yet.
    pub(crate) fn left(&self) -> u64 {
        let client: BaseConsumer = self.broker.config().set("group.id", "looks").create().expect("a client");
        (0..self.at.partitions)
            .map(|n| {
                let (_, high) =
                    client.fetch_watermarks(&self.at.topic, i32::from(n), Duration::from_secs(10)).expect("an answer");
                let positions = self.shard(n).positions().expect("positions");
                let taken = positions.iter().find(|one| one.source == "@exchange").map_or(0, |one| one.next);
                (high as u64).saturating_sub(taken)
            })
            .sum()
    }

    /// The next so many events happen.
    pub(crate) fn feed(&mut self, events: usize) {
        let to = (self.fed + events).min(self.lines.len());
        for house in [&self.house, &self.alone] {
            let file = fs::OpenOptions::new().append(true).open(house.path("desk.jsonl"));
            file.and_then(|mut file| file.write_all(self.lines[self.fed..to].concat().as_bytes()))
                .expect("it is written");
        }
        self.fed = to;
    }

    /// All that are left.
    pub(crate) fn feed_all(&mut self) {
        self.feed(self.lines.len());
    }

    pub(crate) fn until(&self, what: &str, mut so: impl FnMut(&World) -> bool) {
        let began = Instant::now();
        while !so(self) {
            assert!(began.elapsed() < Duration::from_secs(90), "{what}: never came:\n{}", self.house.talk());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The store, as a place of ours: paths are the house's.
    pub(crate) fn place(&self, url: &str) -> Place {
        match url.strip_prefix("sqlite:") {
            Some(path) => Place::Sqlite(self.house.path(path)),
            None => Place::parse(url).expect("an address"),
        }
    }

    pub(crate) fn shard(&self, shard: u16) -> Box<dyn Store> {
        open(&self.place(&self.at.url), shard).expect("a store")
    }

    /// Everything that was decided, shard by shard.
    pub(crate) fn ledger(&self) -> Vec<Entry> {
        (0..self.at.partitions.max(1))
            .flat_map(|n| self.shard(n).entries(&Query::default()).expect("a ledger"))
            .collect()
    }

    /// The last word on each duty by the ledger of all shards.
    pub(crate) fn net(&self) -> Net {
        let mut net = Net::new();
        for entry in self.ledger() {
            let broke = entry.deadline.filter(|_| entry.broken).map(|at| at.to_string());
            net.insert(entry.duty().to_string(), (entry.to.word().to_owned(), broke));
        }
        firm(net)
    }

    /// What was told by anybody of the house, each time it was.
    pub(crate) fn told(&self) -> BTreeMap<Identity, usize> {
        let files = fs::read_dir(self.house.path(".")).expect("a folder").flatten();
        let files = files.filter(|one| one.file_name().to_string_lossy().starts_with("told-"));
        let mut told = BTreeMap::new();
        for file in files {
            let text = fs::read_to_string(file.path()).expect("it can be read");
            for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
                let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
                let text = |name: &str| line[name].as_str().expect("a text").to_owned();
                *told.entry((text("duty"), text("to"), text("start"))).or_default() += 1;
            }
        }
        told
    }

    /// What the ledger says, each time it does.
    pub(crate) fn decided(&self) -> BTreeMap<Identity, usize> {
        let mut decided = BTreeMap::new();
        for entry in self.ledger() {
            let identity = (entry.duty().to_string(), entry.to.word().to_owned(), entry.start.to_string());
            *decided.entry(identity).or_default() += 1;
        }
        decided
    }

    /// Waits until all that was fed is decided as by the process that nobody disturbs, and told.
    pub(crate) fn until_decided(&self) {
        let mut last = (Net::new(), Instant::now());
        self.until("what one process decides", |world| {
            let one = firm(world.alone.net());
            if one != last.0 {
                last = (one, Instant::now());
            }
            // All deadlines lie in the past, so it comes to rest.
            let ours = world.net();
            let same = last.1.elapsed() > Duration::from_secs(2) && !last.0.is_empty() && ours == last.0;
            if !same && last.1.elapsed() > Duration::from_secs(25) {
                let lack: Vec<_> =
                    last.0.iter().filter(|(duty, stands)| ours.get(*duty) != Some(*stands)).take(5).collect();
                let more: Vec<_> =
                    ours.iter().filter(|(duty, stands)| last.0.get(*duty) != Some(*stands)).take(5).collect();
                panic!(
                    "{} and {}; not so here: {lack:?}; and here: {more:?}\n{}",
                    last.0.len(),
                    ours.len(),
                    world.house.talk()
                );
            }
            same
        });
        self.until("everything is told", |world| world.told() == world.decided());
    }

    /// Everything is whole; each event is in the journals once, at its partner's, and judging it again says what the ledgers
    /// say.
    pub(crate) fn holds(&self) {
        let found = copies::verify(&self.place(&self.at.url)).expect("it can be read");
        assert!(found.values().all(|found| found.wrong.is_empty()), "{found:?}");
        let judged: u64 = (0..self.at.partitions.max(1)).map(|n| self.judged(n)).sum();
        assert_eq!(judged, self.fed.checked_sub(1).map_or(0, |last| self.events[last]), "each event once");
        for n in 0..self.at.partitions {
            let entries = self.shard(n).entries(&Query::default()).expect("a ledger");
            let of = |entry: &Entry| partition(&entry.under.partner, self.at.partitions);
            assert!(entries.iter().all(|entry| of(entry) == i32::from(n)), "entries are with their partners");
        }
    }

    /// Events of a shard's journal, judged again: everything stands as the ledger says.
    fn judged(&self, shard: u16) -> u64 {
        let mut command = self.house.command(&["replay"]);
        if self.at.partitions > 0 {
            command.envs([("ONUS__RUN__ROLE", "judge"), ("ONUS__RUN__SHARD", &shard.to_string())]);
        }
        let out = command.output().expect("the program runs");
        assert!(out.status.success(), "{}", said(&out));
        let said = String::from_utf8_lossy(&out.stdout).into_owned();
        said.split(' ').next().and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("{said}"))
    }

    /// No dead letter anywhere.
    pub(crate) fn nothing_was_refused(&self) {
        for n in (0..self.at.partitions.max(1)).chain([u16::MAX]) {
            assert_eq!(self.shard(n).letters(&Query::default()).expect("letters"), [], "shard {n}");
        }
    }
}

pub(crate) fn said(out: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
}

/// What took a word back says no more than silence: whether a breach was declared before the news that takes it back hangs on when what was
/// heard.
fn firm(mut net: Net) -> Net {
    net.retain(|_, (to, _)| !["withdrawn", "open", "paused", "unknown"].contains(&to.as_str()));
    net
}

impl Drop for World {
    fn drop(&mut self) {
        for child in self.running.iter_mut().map(|(_, child)| child).chain(&mut self.undisturbed) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
