//! A real schema registry for tests: Apicurio (Apache-2.0) from Maven Central, once; it keeps everything in memory, needs no
//! Kafka, and speaks Confluent's interface below `/apis/ccompat/v7`.

use crate::ports;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The last one that runs on Java 17.
const VERSION: &str = "3.0.9";

/// The registry's folder; fetched once for this source tree.
fn fetched() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/registry");
    let (home, done) = (folder.join("app"), folder.join(format!("done-{VERSION}")));
    if done.exists() {
        return home;
    }
    fs::create_dir_all(&home).expect("a folder for tools");
    // The archive alone, by a plugin that asks for nothing beside it: the descriptors that it was built by are not kept
    // everywhere.
    let artifact = format!("-Dartifact=io.apicurio:apicurio-registry-app:{VERSION}:tar.gz:all");
    let goal = "org.apache.maven.plugins:maven-dependency-plugin:2.8:get";
    let mut maven = Command::new("mvn");
    maven.current_dir(&folder).args(["-q", "-B", goal, &artifact, "-Dtransitive=false", "-Dmaven.repo.local=jars"]);
    let archive =
        format!("jars/io/apicurio/apicurio-registry-app/{VERSION}/apicurio-registry-app-{VERSION}-all.tar.gz");
    let mut tar = Command::new("tar");
    tar.current_dir(&folder).args(["xzf", &archive, "-C", "app"]);
    for step in [&mut maven, &mut tar] {
        assert!(
            step.status().is_ok_and(|status| status.success()),
            "NOT TESTED AGAINST A REAL REGISTRY: {artifact} could not be had from Maven Central; apt-get install maven"
        );
    }
    let _ = fs::remove_dir_all(folder.join("jars"));
    fs::write(done, "").expect("written");
    home
}

/// One that runs.
pub(crate) struct Real {
    port: u16,
    process: Child,
    folder: tempfile::TempDir,
}

impl Real {
    pub(crate) fn new() -> Real {
        let home = fetched();
        let port = ports::free();
        let jar = home.join(format!("apicurio-registry-app-{VERSION}-runner.jar"));
        let folder = tempfile::tempdir().expect("a folder");
        let log = fs::File::create(folder.path().join("log")).expect("a log");
        let mut command = Command::new("java");
        command.args(["-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-jar"]).arg(jar);
        command.env("QUARKUS_HTTP_HOST", "127.0.0.1").env("QUARKUS_HTTP_PORT", port.to_string());
        command.current_dir(folder.path()).stdin(Stdio::null());
        command.stdout(log.try_clone().expect("the same log")).stderr(log);
        let process = command.spawn().expect("java runs: apt-get install openjdk-17-jre-headless");
        let mut real = Real { port, process, folder };
        let until = Instant::now() + Duration::from_secs(120);
        while onus::ingest::wire::types(&real.target()).is_err() {
            let log = || fs::read_to_string(real.folder.path().join("log")).unwrap_or_default();
            assert!(Instant::now() < until, "the registry does not answer; its log:\n{}", log());
            assert!(real.process.try_wait().expect("a process").is_none(), "the registry ended; its log:\n{}", log());
            std::thread::sleep(Duration::from_millis(100));
        }
        real
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/apis/ccompat/v7", self.port)
    }

    pub(crate) fn target(&self) -> onus::web::Target {
        let (login, timeout) = (onus::web::Login::Nobody, Duration::from_secs(10));
        onus::web::Target { url: self.url(), ca: None, own: None, login, timeout }
    }

    /// Registers a schema; its id.
    pub(crate) fn register(&self, subject: &str, body: &serde_json::Value) -> u32 {
        let path = format!("/subjects/{subject}/versions");
        let mut client = onus::web::Client::new(self.target(), &path).expect("a client");
        let kind = "application/vnd.schemaregistry.v1+json";
        let answer = client.post(kind, &[], body.to_string().as_bytes()).expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.body);
        let said: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
        u32::try_from(said["id"].as_u64().expect("an id")).expect("32 bits")
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
