//! Alertmanagers of the tests' own, on free ports of this machine, gone with the test program however that ends; and what
//! they send to whoever is paged.
#![allow(dead_code)]

use crate::hook::Hook;
use crate::ports;
use serde_json::Value;
use std::fs;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Some that know each other, and one whom they page.
pub(crate) struct Alertmanagers {
    folder: TempDir,
    ports: Vec<(u16, u16)>,
    running: Vec<Option<Child>>,
    pub(crate) hook: Hook,
}

/// One notification: firing or resolved, and its alert.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) status: String,
    pub(crate) labels: Value,
    pub(crate) annotations: Value,
    pub(crate) starts: String,
    pub(crate) ends: String,
}

impl Alertmanagers {
    pub(crate) fn start(number: usize) -> Alertmanagers {
        Alertmanagers::configured(number, true)
    }

    /// One that pages nobody.
    pub(crate) fn quiet() -> Alertmanagers {
        Alertmanagers::configured(1, false)
    }

    fn configured(number: usize, pages: bool) -> Alertmanagers {
        let folder = tempfile::tempdir().expect("a folder");
        let hook = Hook::new();
        let webhook = format!("  webhook_configs:\n  - url: {}/page\n    send_resolved: true\n", hook.url());
        let config = format!(
            "route:\n  receiver: hook\n  group_by: ['...']\n  group_wait: 100ms\n  group_interval: 2s\n  repeat_interval: 4h\n\
             receivers:\n- name: hook\n{}",
            if pages { &webhook } else { "" }
        );
        fs::write(folder.path().join("config.yml"), config).expect("it is written");
        let ports = (0..number).map(|_| (ports::free(), ports::free())).collect();
        let running = (0..number).map(|_| None).collect();
        let mut all = Alertmanagers { folder, ports, running, hook };
        (0..number).for_each(|one| all.go_on(one));
        all
    }

    /// Starts one again.
    pub(crate) fn go_on(&mut self, one: usize) {
        let (port, gossip) = self.ports[one];
        let program = ["prometheus-alertmanager", "alertmanager"].into_iter().find(|name| {
            let paths = std::env::var_os("PATH").unwrap_or_default();
            std::env::split_paths(&paths).any(|folder| folder.join(name).exists())
        });
        let program = program
            .expect("Alertmanager is not on this machine: apt install prometheus-alertmanager, and stop its service");
        // When this process is gone, however it went, its standard input ends, and so does the server.
        let mut command = Command::new("sh");
        command.arg("-c").arg("\"$@\" & cat >/dev/null; kill -9 $!").arg("keeper").arg(program);
        command.arg(format!("--config.file={}", self.folder.path().join("config.yml").display()));
        command.arg(format!("--storage.path={}", self.folder.path().join(format!("data-{one}")).display()));
        command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
        command.arg(format!("--cluster.listen-address=127.0.0.1:{gossip}"));
        command.args(["--cluster.peer-timeout=150ms", "--cluster.gossip-interval=50ms", "--cluster.settle-timeout=2s"]);
        command.args(["--cluster.pushpull-interval=1s", "--log.level=warn"]);
        for (_, other) in self.ports.iter().filter(|(other, _)| *other != port) {
            command.arg(format!("--cluster.peer=127.0.0.1:{other}"));
        }
        let log = fs::OpenOptions::new().create(true).append(true).open(self.folder.path().join("log")).expect("a log");
        let other = log.try_clone().expect("the same log");
        let child = command.stdin(Stdio::piped()).stdout(log).stderr(other).spawn().expect("a shell");
        self.running[one] = Some(child);
        let until = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let log = || fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(Instant::now() < until, "Alertmanager does not start:\n{}", log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self, one: usize) {
        if let Some(mut child) = self.running[one].take() {
            drop(child.stdin.take());
            child.wait().expect("the keeper ends");
        }
    }

    pub(crate) fn url(&self, one: usize) -> String {
        format!("http://127.0.0.1:{}", self.ports[one].0)
    }

    /// Settings that name all of them.
    pub(crate) fn settings(&self) -> String {
        (0..self.ports.len()).map(|one| format!("[alertmanager.am{one}]\nurl = \"{}\"\n", self.url(one))).collect()
    }

    /// All that was paged, in its order.
    pub(crate) fn pages(&self) -> Vec<Page> {
        let mut pages = Vec::new();
        for posted in self.hook.all() {
            for alert in posted.json()["alerts"].as_array().expect("alerts") {
                let text = |name: &str| alert[name].as_str().expect("a text").to_owned();
                pages.push(Page {
                    status: text("status"),
                    labels: alert["labels"].clone(),
                    annotations: alert["annotations"].clone(),
                    starts: text("startsAt"),
                    ends: text("endsAt"),
                });
            }
        }
        pages
    }

    /// So many firing and resolved.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let pages = self.pages();
        let firing = pages.iter().filter(|page| page.status == "firing").count();
        (firing, pages.len() - firing)
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Alertmanagers {
    fn drop(&mut self) {
        (0..self.running.len()).for_each(|one| self.kill(one));
    }
}
