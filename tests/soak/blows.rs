//! Who is killed, stopped and brought back, and when: by a seed.

use crate::house::House;
use crate::kafka::Broker;
use crate::postgres::{Cluster, Stop};
use std::collections::BTreeMap;
use std::fmt;
use std::process::{Child, Command};
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

/// Numbers that look like chance.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.roll() % n.max(1)
    }

    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// The program, its surroundings, and what was done to them.
pub(crate) struct Blows<'a> {
    dice: Dice,
    house: &'a House,
    broker: &'a Broker,
    database: Option<&'a Cluster>,
    onus: Option<Child>,
    counts: BTreeMap<&'static str, u64>,
    /// What the program said when it ended though nobody had killed it.
    pub(crate) ends: Vec<String>,
    began: Instant,
}

impl<'a> Blows<'a> {
    pub(crate) fn new(dice: Dice, house: &'a House, broker: &'a Broker, database: Option<&'a Cluster>) -> Blows<'a> {
        let (counts, ends) = (BTreeMap::new(), Vec::new());
        Blows { dice, house, broker, database, onus: None, counts, ends, began: Instant::now() }
    }

    /// What a supervisor does: the program runs, and is started again where it has ended.
    pub(crate) fn supervise(&mut self) {
        if let Some(child) = &mut self.onus {
            let Some(status) = child.try_wait().expect("its status") else { return };
            self.onus = None;
            let talk = self.house.talk();
            let last = talk.lines().last().unwrap_or_default();
            self.ends.push(format!("after {} s: {status}: {last}", self.began.elapsed().as_secs()));
            std::thread::sleep(Duration::from_millis(500));
        }
        self.onus = Some(self.house.start(&["run", "--tell", "told"]));
        *self.counts.entry("starts").or_default() += 1;
    }

    /// One blow, after a while.
    pub(crate) fn strike(&mut self, pause: u64, sending: &ScopedJoinHandle<'_, ()>) {
        let until = Instant::now() + Duration::from_millis(pause / 10 + self.dice.below(pause * 9 / 5));
        while Instant::now() < until && !sending.is_finished() {
            self.supervise();
            std::thread::sleep(Duration::from_millis(50));
        }
        if sending.is_finished() {
            return;
        }
        // The shares of a long soak; the first blows of any are one of each kind, so that a short one has them, too.
        let kinds: &[&'static str] = match self.database {
            Some(_) => &[
                "onus killed",
                "database killed",
                "broker killed",
                "session killed",
                "onus stopped",
                "database stopped",
                "broker stopped",
                "onus ended",
            ],
            None => &["onus killed", "onus stopped", "broker stopped", "onus ended", "broker killed"],
        };
        let struck: u64 = self.counts.iter().filter(|(kind, _)| **kind != "starts").map(|(_, n)| n).sum();
        let kind = match kinds.get(struck as usize) {
            Some(first) => first,
            None if self.dice.one_in(2) => kinds[0],
            None => kinds[1 + self.dice.below(kinds.len() as u64 - 1) as usize],
        };
        *self.counts.entry(kind).or_default() += 1;
        let while_long = Duration::from_millis(100 + self.dice.below(pause / 3));
        match kind {
            "onus killed" => self.kill(),
            "onus ended" => {
                if let Some(mut child) = self.onus.take() {
                    signal(child.id(), "TERM");
                    self.counts_if(child.wait().is_ok_and(|status| !status.success()), "onus ended badly");
                }
            }
            "onus stopped" => {
                if let Some(child) = &self.onus {
                    signal(child.id(), "STOP");
                    std::thread::sleep(while_long);
                    signal(child.id(), "CONT");
                }
            }
            "broker killed" => {
                self.broker.kill();
                self.wait(while_long);
                self.broker.start();
            }
            "broker stopped" => {
                let _frozen = self.broker.freeze();
                self.wait(while_long);
            }
            _ => self.strike_database(kind, while_long),
        }
    }

    fn strike_database(&mut self, kind: &str, while_long: Duration) {
        let Some(database) = self.database else { return };
        match kind {
            "database killed" => {
                database.stop(Stop::Kill);
                self.wait(while_long);
                database.go_on();
            }
            // One of its processes dies in the middle of something: the server ends all others and recovers.
            "session killed" => {
                if let Some(one) = database.sessions().first() {
                    signal(*one, "KILL");
                }
            }
            _ => {
                let all = database.processes();
                all.iter().for_each(|one| signal(*one, "STOP"));
                self.wait(while_long);
                all.iter().for_each(|one| signal(*one, "CONT"));
            }
        }
    }

    /// While something else is away the program must run on; where it does not, that is noted.
    fn wait(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until {
            self.supervise();
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn counts_if(&mut self, so: bool, what: &'static str) {
        if so {
            *self.counts.entry(what).or_default() += 1;
        }
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.onus.take() {
            // SIGKILL: no word of farewell.
            child.kill().ok();
            child.wait().expect("it ended");
        }
    }

    /// Asks the program to end, and says whether it did so in order.
    pub(crate) fn end(&mut self) -> bool {
        self.onus.take().is_some_and(crate::house::end)
    }
}

impl Drop for Blows<'_> {
    fn drop(&mut self) {
        self.kill();
    }
}

impl fmt::Display for Blows<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts: Vec<String> = self.counts.iter().map(|(kind, n)| format!("{kind} {n}")).collect();
        write!(f, "{}; ended by itself {}", counts.join(", "), self.ends.len())?;
        self.ends.iter().try_for_each(|end| write!(f, "\n  {end}"))
    }
}

fn signal(process: u32, name: &str) {
    // It may have ended meanwhile.
    let _ = Command::new("kill").args([&format!("-{name}"), &process.to_string()]).status();
}
