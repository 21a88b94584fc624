//! Prometheus and Alertmanager of the tests' own: on free ports of this machine, with temporary folders, gone with the
//! test program however that ends. Missing binaries fail the test, and say what to install.
#![allow(dead_code)]

use crate::ports;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A program of this machine, or a loud word about the package that has it.
pub(crate) fn program(name: &str, package: &str) -> PathBuf {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&paths).map(|folder| folder.join(name)).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("{name} is not on this machine: apt install {package}"))
}

/// Runs a tool to its end: what it said, and whether it was content.
pub(crate) fn tool(name: &str, package: &str, args: &[&str]) -> (bool, String) {
    let output: Output =
        Command::new(program(name, package)).args(args).stdin(Stdio::null()).output().expect("it runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

/// A server that runs until this is dropped.
pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    pub(crate) folder: TempDir,
    /// Its standard input is a pipe: when this process is gone, however it went, the keeper ends the server.
    keeper: Child,
}

impl Server {
    /// `ready` is what answers 200 once it serves.
    pub(crate) fn start(
        program: &Path,
        ready: &str,
        args: impl Fn(&Path, SocketAddr) -> Vec<String>,
        folder: TempDir,
    ) -> Server {
        let addr = free();
        let log = fs::File::create(folder.path().join("log")).expect("a log");
        let mut keeper = Command::new("sh");
        keeper.arg("-c").arg("\"$@\" </dev/null & server=$!; cat >/dev/null; kill \"$server\"; wait \"$server\"");
        keeper.arg("keeper").arg(program).args(args(folder.path(), addr)).current_dir(folder.path());
        keeper.stdin(Stdio::piped()).stdout(log.try_clone().expect("the log")).stderr(log).process_group(0);
        let server = Server { addr, keeper: keeper.spawn().expect("a keeper"), folder };
        let until = Instant::now() + Duration::from_secs(60);
        while server.get(ready).is_none_or(|(status, _)| status != 200) {
            assert!(Instant::now() < until, "{} does not start:\n{}", program.display(), server.log());
            std::thread::sleep(Duration::from_millis(100));
        }
        server
    }

    /// Prometheus, with this as its configuration.
    pub(crate) fn prometheus(config: &str, more: &[&str]) -> Server {
        let folder = tempfile::Builder::new().prefix("onus-prometheus-").tempdir().expect("a folder");
        fs::write(folder.path().join("prometheus.yml"), config).expect("it is written");
        Server::prometheus_in(folder, more)
    }

    /// The same in a folder that has its `prometheus.yml` already.
    pub(crate) fn prometheus_in(folder: TempDir, more: &[&str]) -> Server {
        let args = |folder: &Path, addr: SocketAddr| {
            let mut args = vec![
                format!("--config.file={}", folder.join("prometheus.yml").display()),
                format!("--storage.tsdb.path={}", folder.join("data").display()),
                format!("--web.listen-address={addr}"),
            ];
            args.extend(more.iter().map(|one| (*one).to_owned()));
            args
        };
        Server::start(&program("prometheus", "prometheus"), "/-/ready", args, folder)
    }

    /// Alertmanager, with this as its configuration.
    pub(crate) fn alertmanager(config: &str) -> Server {
        let folder = tempfile::Builder::new().prefix("onus-alertmanager-").tempdir().expect("a folder");
        fs::write(folder.path().join("alertmanager.yml"), config).expect("it is written");
        let args = |folder: &Path, addr: SocketAddr| {
            vec![
                format!("--config.file={}", folder.join("alertmanager.yml").display()),
                format!("--storage.path={}", folder.join("data").display()),
                format!("--web.listen-address={addr}"),
                "--cluster.listen-address=".to_owned(),
            ]
        };
        Server::start(&program("prometheus-alertmanager", "prometheus-alertmanager"), "/-/ready", args, folder)
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Status and body; None: nobody answers.
    pub(crate) fn get(&self, path: &str) -> Option<(u16, String)> {
        ask(self.addr, "GET", path, "")
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> (u16, String) {
        ask(self.addr, "POST", path, body).expect("an answer")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        self.keeper.wait().ok();
    }
}

/// An address that is free at this moment.
pub(crate) fn free() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], ports::free()))
}

/// One request, one answer.
pub(crate) fn ask(addr: SocketAddr, method: &str, path: &str, body: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(addr).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
    let length = body.len();
    // HTTP/1.0: the answer is not in pieces.
    write!(stream, "{method} {path} HTTP/1.0\r\nhost: {addr}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    let status = text.split(' ').nth(1)?.parse().ok()?;
    Some((status, text.split_once("\r\n\r\n")?.1.to_owned()))
}

/// A text as it stands in a query.
pub(crate) fn escaped(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { (b as char).to_string() } else { format!("%{b:02X}") })
        .collect()
}
