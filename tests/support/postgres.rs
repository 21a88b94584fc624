//! A PostgreSQL server of the tests' own: made in a temporary folder, on a free port of this machine, gone with the test
//! program however that ends. Missing binaries fail the test, and say what to install.
#![allow(dead_code)]

use crate::ports;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A server with its own data.
pub(crate) struct Cluster {
    bin: PathBuf,
    folder: PathBuf,
    port: u16,
    user: Option<(u32, u32)>,
    options: String,
    databases: AtomicU32,
    /// Its standard input is a pipe: when this process is gone, however it went, the keeper stops the server.
    keeper: std::process::Child,
}

/// How a server is stopped.
#[derive(Clone, Copy)]
pub(crate) enum Stop {
    /// Sessions are ended, and everything is put in order.
    Fast,
    /// As if the machine had stopped.
    Immediate,
    /// SIGKILL to the first process.
    Kill,
}

/// The one that tests of a program share, if they don't stop it.
pub(crate) fn shared() -> &'static Cluster {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    SHARED.get_or_init(|| Cluster::start("-c fsync=off"))
}

impl Cluster {
    /// A new one, with options for the server.
    pub(crate) fn start(options: &str) -> Cluster {
        Cluster::prepared(options, |_| ())
    }

    /// The same; `prepare` may put files into the folder of its data first.
    pub(crate) fn prepared(options: &str, prepare: impl FnOnce(&Path)) -> Cluster {
        let cluster = Cluster::folder(options);
        let data = cluster.data();
        let data = data.to_str().expect("a plain path");
        cluster.tool("initdb", &["-D", data, "-U", "onus", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]);
        prepare(&cluster.data());
        cluster.go_on();
        cluster
    }

    /// A folder and a port, and nothing in it yet.
    fn folder(options: &str) -> Cluster {
        let bin = binaries();
        let user = unprivileged();
        let folder = tempfile::Builder::new().prefix("onus-postgres-").tempdir().expect("a temporary folder").keep();
        if let Some((uid, gid)) = user {
            chown(&folder, Some(uid), Some(gid)).expect("the server's user gets its folder");
        }
        let mut keeper = Command::new("sh");
        keeper.arg("-c").arg("cat >/dev/null; \"$1\" -D \"$2/data\" -m immediate stop; rm -rf \"$2\"").arg("keeper");
        keeper.arg(bin.join("pg_ctl")).arg(&folder).current_dir("/");
        keeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        if let Some((uid, gid)) = user {
            keeper.uid(uid).gid(gid);
        }
        let keeper = keeper.spawn().expect("a keeper");
        let port = ports::free();
        let databases = AtomicU32::new(0);
        Cluster { bin, folder, port, user, options: options.to_owned(), databases, keeper }
    }

    /// A server that follows this one, as of now and from now on, without this one waiting for it.
    pub(crate) fn standby(&self) -> Cluster {
        let standby = Cluster::folder(&self.options);
        let (data, port) = (standby.data(), self.port.to_string());
        let data = data.to_str().expect("a plain path");
        standby.tool(
            "pg_basebackup",
            &["-D", data, "-h", "127.0.0.1", "-p", &port, "-U", "onus", "-X", "stream", "-c", "fast", "-R"],
        );
        standby.go_on();
        standby
    }

    /// It follows nobody from now on, and listens where the other one did, which must be gone.
    pub(crate) fn takes_over(&mut self, other: &Cluster) {
        fs::remove_file(self.data().join("standby.signal")).expect("it followed somebody");
        self.port = other.port;
        self.go_on();
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Who owns the server's files.
    pub(crate) fn user(&self) -> Option<(u32, u32)> {
        self.user
    }

    /// Starts it again.
    pub(crate) fn go_on(&self) {
        let options = format!("-p {} -h 127.0.0.1 -k {} {}", self.port, self.folder.display(), self.options);
        let (data, log) = (self.data(), self.folder.join("log"));
        let (data, log) = (data.to_str().expect("a plain path"), log.to_str().expect("a plain path"));
        for _ in 0..50 {
            // What a killed server leaves behind takes a moment to go.
            if self.command("pg_ctl", &["-D", data, "-l", log, "-w", "-t", "60", "-o", &options, "start"]).0 {
                return;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        panic!("PostgreSQL does not start:\n{}", fs::read_to_string(log).unwrap_or_default());
    }

    pub(crate) fn stop(&self, how: Stop) {
        let data = self.data();
        let data = data.to_str().expect("a plain path");
        match how {
            Stop::Fast => self.tool("pg_ctl", &["-D", data, "-m", "fast", "stop"]),
            Stop::Immediate => self.tool("pg_ctl", &["-D", data, "-m", "immediate", "stop"]),
            Stop::Kill => {
                let pid = fs::read_to_string(self.data().join("postmaster.pid")).expect("a running server");
                let pid = pid.lines().next().expect("a process").to_owned();
                assert!(Command::new("kill").args(["-KILL", &pid]).status().expect("kill").success());
                String::new()
            }
        };
    }

    /// Its first process and all that this one started.
    pub(crate) fn processes(&self) -> Vec<u32> {
        let file = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        let Some(first) = file.lines().next().and_then(|pid| pid.parse::<u32>().ok()) else { return Vec::new() };
        let parent = |pid: &u32| {
            let about = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            // Behind the name in brackets: its state, and whose child it is.
            about.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1)?.parse::<u32>().ok())
        };
        let all = fs::read_dir("/proc").into_iter().flatten().flatten();
        let all = all.filter_map(|one| one.file_name().to_str()?.parse::<u32>().ok());
        std::iter::once(first).chain(all.filter(|pid| parent(pid) == Some(first))).collect()
    }

    /// Those of them that serve somebody's connection.
    pub(crate) fn sessions(&self) -> Vec<u32> {
        let serves = |pid: &u32| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).starts_with("postgres: onus ")
        };
        self.processes().into_iter().filter(serves).collect()
    }

    pub(crate) fn restart(&self) {
        self.stop(Stop::Fast);
        self.go_on();
    }

    /// A new, empty database.
    pub(crate) fn database(&self) -> String {
        let name = format!("store_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        name
    }

    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://onus@127.0.0.1:{}/{database}", self.port)
    }

    /// Runs statements by `psql`; what it printed.
    pub(crate) fn sql(&self, database: &str, sql: &str) -> String {
        let port = self.port.to_string();
        self.tool(
            "psql",
            &[
                "-X",
                "-q",
                "-A",
                "-t",
                "-v",
                "ON_ERROR_STOP=1",
                "-h",
                "127.0.0.1",
                "-p",
                &port,
                "-U",
                "onus",
                "-d",
                database,
                "-c",
                sql,
            ],
        )
    }

    fn tool(&self, name: &str, arguments: &[&str]) -> String {
        let (fine, said) = self.command(name, arguments);
        assert!(fine, "{name} {arguments:?}: {said}");
        said
    }

    fn command(&self, name: &str, arguments: &[&str]) -> (bool, String) {
        let mut command = Command::new(self.bin.join(name));
        command.args(arguments).current_dir("/").stdin(Stdio::null()).env("LC_ALL", "C");
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        // To a file: a server that is started keeps what it was given, and a pipe would never end.
        let said = self.folder.join(format!("said-{:?}", std::thread::current().id()));
        let file = fs::File::create(&said).expect("a file for what is said");
        command.stdout(file.try_clone().expect("the same file")).stderr(file);
        let status = command.status().unwrap_or_else(|error| panic!("{name}: {error}"));
        (status.success(), fs::read_to_string(&said).unwrap_or_default())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        self.keeper.wait().ok();
    }
}

/// PostgreSQL refuses to run as root.
fn unprivileged() -> Option<(u32, u32)> {
    if fs::metadata("/proc/self").is_ok_and(|own| own.uid() != 0) {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let find = |name: &str| {
        let fields: Vec<&str> = users.lines().find(|line| line.split(':').next() == Some(name))?.split(':').collect();
        Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
    };
    Some(
        find("postgres")
            .or_else(|| find("nobody"))
            .expect("a user `postgres` or `nobody`, since root may not run PostgreSQL"),
    )
}

fn binaries() -> PathBuf {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|version| Some((version.file_name().to_str()?.parse().ok()?, version.path().join("bin"))))
        .filter(|(_, bin): &(u32, PathBuf)| bin.join("initdb").exists())
        .collect();
    found.sort();
    let paths = std::env::var_os("PATH").unwrap_or_default();
    found
        .pop()
        .map(|(_, bin)| bin)
        .or_else(|| std::env::split_paths(&paths).find(|folder| folder.join("initdb").exists()))
        .expect("PostgreSQL's own programs (initdb, pg_ctl, psql) are not on this machine: apt install postgresql")
}
