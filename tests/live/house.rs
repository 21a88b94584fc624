//! A folder with settings, contracts, a store; and the program run in it.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub(crate) const W1: &str = include_str!("../../examples/w1/w1.yaml");

/// A ticket is to be answered within four hours.
pub(crate) const DESK: &str = include_str!("../support/desk.yaml");

pub(crate) struct House {
    dir: TempDir,
}

impl House {
    /// With one contract and these settings; a `[http]` port of its own stands there already.
    pub(crate) fn new(contract: &str, settings: &str) -> House {
        let house = House { dir: tempfile::tempdir().expect("a folder") };
        house.write("contract.yaml", contract);
        house.write(
            "onus.toml",
            &format!("[contracts]\npaths = [\"contract.yaml\"]\n[http]\nlisten = \"127.0.0.1:0\"\n{settings}\n"),
        );
        house
    }

    /// It stays when the test ends, for whoever wants to see what went wrong.
    pub(crate) fn keep(self) -> PathBuf {
        self.dir.keep()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("it is written");
    }

    /// Behind what is there: a file that is read meanwhile must never be seen shorter than it was.
    pub(crate) fn append(&self, name: &str, text: &str) {
        let file = fs::OpenOptions::new().create(true).append(true).open(self.path(name));
        file.and_then(|mut file| file.write_all(text.as_bytes())).expect("it is written");
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        // A long soak runs a copy, so that a build meanwhile does not change it.
        let copy = std::env::var_os("ONUS_SOAK_BINARY");
        let mut command = Command::new(copy.unwrap_or_else(|| env!("CARGO_BIN_EXE_onus").into()));
        command.current_dir(self.dir.path()).args(args).stdin(Stdio::null());
        command
    }

    /// Runs to the end.
    pub(crate) fn onus(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("the program runs")
    }

    /// Runs on; what it says goes to `talk`.
    pub(crate) fn start(&self, args: &[&str]) -> Child {
        let talk = fs::OpenOptions::new().create(true).append(true).open(self.path("talk")).expect("a file");
        self.command(args).stdout(Stdio::null()).stderr(talk).spawn().expect("the program runs")
    }

    pub(crate) fn talk(&self) -> String {
        fs::read_to_string(self.path("talk")).unwrap_or_default()
    }

    /// What was told, line by line. One that was cut short, by a kill or because it is being written, is told again whole.
    pub(crate) fn told(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.path("told")).unwrap_or_default();
        let whole = |line: &str| match serde_json::from_str(line) {
            Err(error) if error.is_eof() => None,
            line => Some(line.expect("a line of JSON")),
        };
        text.lines().filter_map(whole).collect()
    }

    /// Of each duty what was told last: standing, and the instant at which it broke.
    pub(crate) fn net(&self) -> BTreeMap<String, (String, Option<String>)> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let told = self.told().into_iter().map(|line| {
            let broke = line["broken"].as_bool().expect("a truth").then(|| text(&line["deadline"])).flatten();
            (text(&line["duty"]).expect("a duty"), (text(&line["to"]).expect("a standing"), broke))
        });
        told.collect::<BTreeMap<_, _>>().into_iter().filter(|(_, (to, _))| to != "withdrawn").collect()
    }

    /// Waits until it is so; says what the program said if it never is.
    pub(crate) fn until(&self, what: &str, so: impl Fn() -> bool) {
        let began = Instant::now();
        while !so() {
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "{what}: never came; the program said:\n{}",
                self.talk()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Asks a process to end, and waits.
pub(crate) fn end(mut child: Child) -> bool {
    let asked = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    asked.expect("kill runs").success() && child.wait().expect("it ends").success()
}

/// Asks a process to read its contracts again.
pub(crate) fn hangup(child: &Child) {
    let asked = Command::new("kill").args(["-HUP", &child.id().to_string()]).status();
    assert!(asked.expect("kill runs").success());
}

pub(crate) fn file(name: &str) -> String {
    format!(
        "[[source]]\nname = \"{name}\"\nkind = \"file\"\npath = \"{name}.jsonl\"\nfollow = true\ntrust = \"system\"\n\
         partners = [\"*\"]\ntypes = [\"*\"]\n"
    )
}

/// Sends a process a signal.
pub(crate) fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status();
    assert!(sent.expect("kill runs").success());
}
