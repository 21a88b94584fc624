//! An intake, judges that share, and beside them one process that nobody disturbs: all read the same file.

use crate::client::Client;
use crate::house::{House, W1, end, file, signal};
use crate::kafka::{Broker, broker, broker_alone};
use crate::ledger;
use crate::postgres::{self, Cluster};
use crate::w1::{self, Expected};
use onus::store::place::{Place, open};
use onus::store::pool::{Listed, Pool, PoolError};
use onus::store::{Entry, Query, Store, sqlite};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::ops::Deref;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// The last word on each duty: standing, and the instant of its breach.
pub(crate) type Net = BTreeMap<String, (String, Option<String>)>;
/// By which receivers know an entry: duty, standing, start; and its number in the shard's ledger.
pub(crate) type Identity = (String, String, String, u64);

/// It runs as long as this is held, beside other tests or for one alone.
type Held = Box<dyn Deref<Target = Broker>>;

pub(crate) struct World {
    pub(crate) broker: Held,
    database: String,
    pub(crate) url: String,
    pub(crate) house: House,
    pub(crate) partitions: u16,
    alone: House,
    undisturbed: Option<Child>,
    intake: Option<Child>,
    lines: Vec<String>,
    /// Lines that are no ticks.
    events: u64,
    expected: Expected,
    fed: usize,
    /// A store went back to an earlier commit: what was told of later ones need not be in it.
    pub(crate) went_back: bool,
}

/// A process that does not outlive its test.
pub(crate) struct Judge(pub(crate) Child);

impl Judge {
    /// Asks it to end; whether it did in peace.
    pub(crate) fn end(mut self) -> bool {
        signal(&self.0, "TERM");
        self.0.wait().expect("it ends").success()
    }

    pub(crate) fn kill(&mut self) {
        self.0.kill().expect("it runs");
        self.0.wait().expect("it ended");
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl World {
    /// So many partitions and events; `more`: settings of the judges.
    pub(crate) fn new(partitions: u16, events: usize, more: &str) -> World {
        World::at(postgres::shared(), partitions, events, more)
    }

    /// The same, with a database of this server.
    pub(crate) fn at(server: &Cluster, partitions: u16, events: usize, more: &str) -> World {
        World::with(Box::new(broker()), server, partitions, events, more)
    }

    /// The same, with a broker that nobody else needs meanwhile.
    pub(crate) fn alone(partitions: u16, events: usize, more: &str) -> World {
        World::with(Box::new(broker_alone()), postgres::shared(), partitions, events, more)
    }

    fn with(broker: Held, server: &Cluster, partitions: u16, events: usize, more: &str) -> World {
        let topic = broker.topic(i32::from(partitions), &[]);
        let database = server.database();
        let url = server.url(&database);
        let settings = format!(
            "[kafka.main]\nbrokers = [\"{}\"]\n[exchange]\ncluster = \"main\"\ntopic = \"{topic}\"\npartitions = {partitions}\n\
             [store]\nurl = \"{url}\"\n{more}\n{}",
            broker.address(),
            file("desk")
        );
        let (drawn, expected) = w1::draw(w1::Order { events, partners: 24, seed: 5 });
        let mut lines = Vec::new();
        w1::write(&drawn, &mut lines).expect("into memory");
        let text = String::from_utf8(lines).expect("text");
        let lines = text.split_inclusive('\n').map(str::to_owned).collect();
        let (house, alone) = (House::new(W1, &settings), House::new(W1, &file("desk")));
        let undisturbed = Some(alone.start(&["run", "--tell", "told"]));
        let intake = Some(house.start(&["run", "--role", "intake"]));
        World {
            broker,
            database,
            url,
            house,
            partitions,
            alone,
            undisturbed,
            intake,
            lines,
            events: events as u64,
            expected,
            fed: 0,
            went_back: false,
        }
    }

    /// The next so many events happen.
    pub(crate) fn feed(&mut self, events: usize) {
        let to = (self.fed + events).min(self.lines.len());
        for house in [&self.house, &self.alone] {
            let file = fs::OpenOptions::new().create(true).append(true).open(house.path("desk.jsonl"));
            file.and_then(|mut file| file.write_all(self.lines[self.fed..to].concat().as_bytes()))
                .expect("it is written");
        }
        self.fed = to;
    }

    /// One more event, which is none of the workload's.
    pub(crate) fn say(&mut self, line: &str) {
        for house in [&self.house, &self.alone] {
            let file = fs::OpenOptions::new().append(true).open(house.path("desk.jsonl"));
            file.and_then(|mut file| file.write_all(line.as_bytes())).expect("it is written");
        }
        self.events += 1;
    }

    /// All that is left, a little at a time, while something is done.
    pub(crate) fn feed_while(&mut self, mut work: impl FnMut(&World)) {
        let each = (self.lines.len() - self.fed) / 8 + 1;
        while self.fed < self.lines.len() {
            self.feed(each);
            work(self);
        }
    }

    /// The intake, when it has ended by itself; and another one in its place.
    pub(crate) fn intake_again(&mut self) {
        let mut ended = self.intake.take().expect("it ran");
        self.until("the intake ends", || ended.try_wait().expect("its status").is_some());
        self.intake = Some(self.house.start(&["run", "--role", "intake"]));
    }

    /// A judge that shares, called so.
    pub(crate) fn judge(&self, name: &str) -> Judge {
        self.judge_with(name, &[])
    }

    pub(crate) fn judge_with(&self, name: &str, variables: &[(&str, &str)]) -> Judge {
        let mut command = self.house.command(&["run", "--role", "judge", "--tell", &format!("told-{name}")]);
        command.env("ONUS__RUN__NAME", name).envs(variables.iter().copied());
        let talk = fs::OpenOptions::new().create(true).append(true).open(self.house.path(&format!("talk-{name}")));
        Judge(command.stdout(Stdio::null()).stderr(talk.expect("a file")).spawn().expect("the program runs"))
    }

    pub(crate) fn talk(&self, name: &str) -> String {
        fs::read_to_string(self.house.path(&format!("talk-{name}"))).unwrap_or_default()
    }

    /// What an operator would rather not do to the shared server's database.
    pub(crate) fn sql(&self, sql: &str) {
        postgres::shared().sql(&self.database, sql);
    }

    pub(crate) fn pool(&self) -> Pool {
        let Place::Postgres(server) = Place::parse(&self.url).expect("an address") else { panic!("no server") };
        Pool::open(&server, "judge").expect("a pool")
    }

    pub(crate) fn list(&self) -> Listed {
        // Who stands still for a lease in the middle of a question loses its connection: on a busy machine that is this test, too.
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            match self.pool().list() {
                Err(PoolError::Store(error)) if error.may_pass() && Instant::now() < until => {}
                listed => return listed.expect("a list"),
            }
        }
    }

    /// Which database of its server it is.
    pub(crate) fn database(&self) -> &str {
        &self.database
    }

    /// Of each shard.
    pub(crate) fn epochs(&self) -> Vec<Option<u64>> {
        self.list().units.iter().map(|unit| unit.shard.map(|shard| shard.0)).collect()
    }

    /// The last of each shard.
    pub(crate) fn commits(&self) -> Vec<u64> {
        self.list().units.iter().map(|unit| unit.shard.map_or(0, |shard| shard.1)).collect()
    }

    /// Which units are whose.
    pub(crate) fn owned(&self) -> BTreeMap<String, Vec<u16>> {
        let mut owned = BTreeMap::<String, Vec<u16>>::new();
        let units = self.list().units.into_iter().filter(|unit| !unit.giving);
        units.for_each(|one| owned.entry(one.member.unwrap_or_default()).or_default().push(one.unit));
        owned
    }

    /// Waits until each has so many, and they are judged.
    pub(crate) fn until_owned(&self, wanted: &[(&str, usize)]) {
        let wanted: BTreeMap<String, usize> = wanted.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect();
        self.until(&format!("owners are {wanted:?}"), || {
            self.owned().into_iter().map(|(name, units)| (name, units.len())).collect::<BTreeMap<_, _>>() == wanted
        });
    }

    pub(crate) fn until(&self, what: &str, mut so: impl FnMut() -> bool) {
        let began = Instant::now();
        while !so() {
            if began.elapsed() > Duration::from_secs(90) {
                let talks = fs::read_dir(self.house.path(".")).expect("a folder").flatten();
                let talks = talks.filter(|one| one.file_name().to_string_lossy().starts_with("talk"));
                let said: String = talks
                    .map(|one| {
                        format!("--- {:?}\n{}", one.file_name(), fs::read_to_string(one.path()).unwrap_or_default())
                    })
                    .collect();
                panic!("{what}: never came; {:?}\n{said}", self.owned());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn shard(&self, shard: u16) -> Box<dyn Store> {
        open(&Place::parse(&self.url).expect("an address"), shard).expect("a store")
    }

    /// Everything that was decided, shard by shard.
    pub(crate) fn ledgers(&self) -> Vec<Vec<Entry>> {
        (0..self.partitions).map(|n| self.shard(n).entries(&Query::default()).expect("a ledger")).collect()
    }

    pub(crate) fn ledger(&self) -> Vec<Entry> {
        self.ledgers().concat()
    }

    /// The last word on each duty by the ledger of all shards.
    pub(crate) fn net(&self) -> Net {
        let mut net = Net::new();
        for entry in self.ledger() {
            let broke = entry.deadline.filter(|_| entry.broken).map(|at| at.to_string());
            net.insert(entry.duty().to_string(), (entry.to.word().to_owned(), broke));
        }
        said(net)
    }

    /// What a member told, in its order.
    pub(crate) fn told(&self, name: &str) -> Vec<Identity> {
        let text = fs::read_to_string(self.house.path(&format!("told-{name}"))).unwrap_or_default();
        let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let identity = |line: &str| {
            let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            let text = |name: &str| line[name].as_str().expect("a text").to_owned();
            (text("duty"), text("to"), text("start"), line["number"].as_u64().expect("a number"))
        };
        whole.map(identity).collect()
    }

    /// The figures of a member.
    pub(crate) fn figures(&self, name: &str) -> String {
        self.ask(name, "/metrics").1
    }

    /// A page of a member: its status, and its text.
    pub(crate) fn ask(&self, name: &str, path: &str) -> (u16, String) {
        let talk = self.talk(name);
        let Some((_, rest)) = talk.rsplit_once("listening on http://") else { return (0, String::new()) };
        let address = rest.split(|c: char| c.is_whitespace() || c == '\u{1b}').next().expect("an address");
        let reply = Client::to(address.parse().expect("an address")).get(path);
        (reply.status, reply.body)
    }

    /// Ends everything but the judges, and says whether all of it is as it would have been: net, ledgers, totals and digest as drawn, each event
    /// once, nothing refused, and everything that was decided was told by these under its identity, and nothing else.
    pub(crate) fn ends_as_undisturbed(mut self, judges: &[&str]) {
        assert_eq!(self.fed, self.lines.len(), "all was fed");
        let mut last = (Net::new(), Instant::now());
        self.until("what one process decides", || {
            let one = said(self.alone.net());
            if one != last.0 {
                last = (one, Instant::now());
            }
            // All deadlines lie in the past, so it comes to rest.
            let ours = self.net();
            let same = last.1.elapsed() > Duration::from_secs(2) && !last.0.is_empty() && ours == last.0;
            if !same && last.1.elapsed() > Duration::from_secs(20) {
                let lack: Vec<_> =
                    last.0.iter().filter(|(duty, stands)| ours.get(*duty) != Some(*stands)).take(5).collect();
                let more: Vec<_> =
                    ours.iter().filter(|(duty, stands)| last.0.get(*duty) != Some(*stands)).take(5).collect();
                panic!("{} and {}; not so here: {lack:?}; and here: {more:?}", last.0.len(), ours.len());
            }
            same
        });
        let decided: BTreeSet<Identity> = (self.ledger().iter())
            .map(|e| (e.duty().to_string(), e.to.word().to_owned(), e.start.to_string(), e.number))
            .collect();
        self.until("everything is told", || {
            let told: BTreeSet<Identity> = judges.iter().flat_map(|name| self.told(name)).collect();
            assert!(self.went_back || told.is_subset(&decided), "nobody told what is not written");
            decided.is_subset(&told)
        });
        for n in 0..self.partitions {
            assert_eq!(self.shard(n).verify().expect("it can be read").wrong, Vec::<String>::new());
            assert_eq!(self.shard(n).letters(&Query::default()).expect("letters"), [], "nothing was refused");
        }
        for child in [self.undisturbed.take(), self.intake.take()].into_iter().flatten() {
            assert!(end(child), "{}\n{}", self.house.talk(), self.alone.talk());
        }
        let mut alone = sqlite::open(&self.alone.path("onus.db"), 0).expect("a store");
        let alone = alone.entries(&Query::default()).expect("a ledger");
        ledger::same(&self.ledgers(), &[alone], &self.expected);
        assert_eq!((0..self.partitions).map(|n| self.judged(n)).sum::<u64>(), self.events, "each event once");
    }

    /// Events that a shard has in its journal, judged again.
    fn judged(&self, shard: u16) -> u64 {
        let mut command = self.house.command(&["replay"]);
        command.envs([("ONUS__RUN__ROLE", "judge"), ("ONUS__RUN__SHARD", &shard.to_string())]);
        let out = command.output().expect("the program runs");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let said = String::from_utf8_lossy(&out.stdout).into_owned();
        said.split(' ').next().and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("{said}"))
    }
}

/// What took a word back says no more than silence: whether a breach was declared before the news that takes it back hangs on when what was
/// heard.
fn said(mut net: Net) -> Net {
    net.retain(|_, (to, _)| !["withdrawn", "open", "paused", "unknown"].contains(&to.as_str()));
    net
}

impl Drop for World {
    fn drop(&mut self) {
        for child in [self.undisturbed.take(), self.intake.take()].iter_mut().flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
