//! A real Kafka broker for tests: its jars from Maven Central, once; one broker a test program, on free loopback ports.
//!
//! Needs `java` (17 or newer) and, the first time, `mvn`. Nothing else may be assumed to run.

use crate::ports;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

const POM: &str = "<project><modelVersion>4.0.0</modelVersion><groupId>onus</groupId><artifactId>kafka</artifactId><version>1</version>
<dependencies>
  <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>4.1.0</version></dependency>
  <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
</dependencies></project>
";

pub(crate) const USER: &str = "onus";
pub(crate) const PASSWORD: &str = "not a secret";

/// Loud, with the remedy: a machine without Java is no reason to be green.
fn need(program: &str) {
    let there = Command::new(program).arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(
        there.is_ok_and(|status| status.success()),
        "tests against a real Kafka need `{program}`: apt-get install openjdk-17-jre-headless maven"
    );
}

/// The broker's jars; fetched once for this source tree.
fn jars() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/kafka");
    let libs = folder.join("libs");
    let done = folder.join("done");
    if done.exists() {
        return libs;
    }
    need("mvn");
    fs::create_dir_all(&folder).expect("a folder for tools");
    fs::write(folder.join("pom.xml"), POM).expect("written");
    let mut maven = Command::new("mvn");
    maven.current_dir(&folder).args(["-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=libs"]);
    let status = maven.status().expect("mvn runs");
    assert!(status.success(), "mvn could not fetch Kafka's jars from Maven Central into {}", libs.display());
    fs::write(done, "").expect("written");
    libs
}

/// An authority of the tests' own, and the broker's certificate for 127.0.0.1 by it; and another authority, which knows
/// nothing of the broker.
fn certify(folder: &Path) {
    let openssl = |args: &[&str]| {
        let output =
            Command::new("openssl").args(args).current_dir(folder).output().expect("openssl is on this machine");
        assert!(output.status.success(), "openssl {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let key = ["-newkey", "rsa:2048", "-nodes"];
    let whole = |name: &str, subject: &str| {
        let (to, out) = (format!("{name}.key"), format!("{name}.pem"));
        let about = ["-keyout", &to, "-out", &out, "-subj", subject, "-days", "30"];
        openssl(&[&["req", "-x509"][..], &key, &about].concat());
    };
    whole("ca", "/CN=Onus tests");
    whole("other", "/CN=Somebody else");
    let wanted = ["-keyout", "own.key", "-out", "own.csr", "-subj", "/CN=broker"];
    openssl(&[&["req", "-new"][..], &key, &wanted].concat());
    fs::write(folder.join("names"), "subjectAltName=IP:127.0.0.1\n").expect("written");
    let by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names", "-days", "30"];
    openssl(&[&["x509", "-req", "-in", "own.csr", "-out", "own.pem"][..], &by].concat());
    let all = ["own.key", "own.pem", "ca.pem"].map(|name| fs::read_to_string(folder.join(name)).expect("it was made"));
    fs::write(folder.join("broker.pem"), all.concat()).expect("written");
}

/// A broker, its data and its ports: it can die and come back.
pub(crate) struct Broker {
    libs: PathBuf,
    folder: PathBuf,
    pub(crate) port: u16,
    pub(crate) sasl_port: u16,
    pub(crate) tls_port: u16,
    pub(crate) sasl_tls_port: u16,
    life: Mutex<Option<Life>>,
}

struct Life {
    pid: u32,
    /// The shell that ends the broker when this program ends, however it ends.
    guard: Child,
    held: Option<ChildStdin>,
}

/// A broker that stands still.
pub(crate) struct Frozen<'b>(&'b Broker);

impl Drop for Frozen<'_> {
    fn drop(&mut self) {
        self.0.signal("CONT");
    }
}

static BROKER: OnceLock<RwLock<Broker>> = OnceLock::new();
static TOPICS: AtomicU32 = AtomicU32::new(0);

fn the_broker() -> &'static RwLock<Broker> {
    BROKER.get_or_init(|| RwLock::new(Broker::new()))
}

/// The broker, which runs.
pub(crate) fn broker() -> RwLockReadGuard<'static, Broker> {
    the_broker().read().unwrap_or_else(|broken| broken.into_inner())
}

/// The broker, for nobody else: it may be stopped, and must run again at the end.
pub(crate) fn broker_alone() -> RwLockWriteGuard<'static, Broker> {
    the_broker().write().unwrap_or_else(|broken| broken.into_inner())
}

impl Broker {
    fn new() -> Broker {
        need("java");
        let libs = jars();
        let folder = std::env::temp_dir().join(format!("onus-kafka-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        let [port, controller, sasl_port, tls_port, sasl_tls_port] = [(); 5].map(|()| ports::free());
        certify(&folder);
        let properties = format!(
            "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@127.0.0.1:{controller}\n\
             listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller},SASL_PLAINTEXT://127.0.0.1:{sasl_port},\
             SSL://127.0.0.1:{tls_port},SASL_SSL://127.0.0.1:{sasl_tls_port}\n\
             advertised.listeners=PLAINTEXT://127.0.0.1:{port},SASL_PLAINTEXT://127.0.0.1:{sasl_port},\
             SSL://127.0.0.1:{tls_port},SASL_SSL://127.0.0.1:{sasl_tls_port}\n\
             listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,\
             SSL:SSL,SASL_SSL:SASL_SSL\n\
             ssl.keystore.type=PEM\nssl.keystore.location={keystore}\n\
             listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule \
             required user_{USER}=\"{PASSWORD}\";\n\
             listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;\n\
             listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;\n\
             listener.name.sasl_ssl.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512\n\
             controller.listener.names=CONTROLLER\nlog.dirs={data}\nauto.create.topics.enable=false\n\
             offsets.topic.replication.factor=1\noffsets.topic.num.partitions=1\n\
             transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\ntransaction.state.log.num.partitions=1\n\
             group.initial.rebalance.delay.ms=0\nmessage.max.bytes=8388608\nlog.cleaner.backoff.ms=200\n\
             log.cleaner.dedupe.buffer.size=4194304\n\
             sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER\n\
             listener.name.sasl_plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule \
             required user_{USER}=\"{PASSWORD}\";\n\
             listener.name.sasl_plaintext.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;\n\
             listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;\n\
             listener.name.sasl_plaintext.oauthbearer.sasl.jaas.config=\
             org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;\n\
             listener.name.sasl_plaintext.oauthbearer.sasl.server.callback.handler.class=\
             org.apache.kafka.common.security.oauthbearer.internals.unsecured.OAuthBearerUnsecuredValidatorCallbackHandler\n",
            data = folder.join("data").display(),
            keystore = folder.join("broker.pem").display(),
        );
        fs::write(folder.join("server.properties"), properties).expect("written");
        let broker = Broker { libs, folder, port, sasl_port, tls_port, sasl_tls_port, life: Mutex::new(None) };
        let scram = |kind: &str| format!("SCRAM-SHA-{kind}=[name={USER},password={PASSWORD}]");
        let format = broker
            .java("kafka.tools.StorageTool")
            .args(["format", "-t", "b251c2tuYWZrYS10ZXN0cw", "-c", "server.properties"])
            .args(["--add-scram", &scram("256"), "--add-scram", &scram("512")])
            .output()
            .expect("java runs");
        assert!(format.status.success(), "the storage could not be formatted: {format:?}");
        broker.start();
        broker
    }

    fn java(&self, class: &str) -> Command {
        let mut command = Command::new("java");
        command.args(self.java_args(class)).current_dir(&self.folder);
        command
    }

    fn java_args(&self, class: &str) -> Vec<String> {
        let path = format!("{}/*", self.libs.display());
        // One that has no memory left ends and says so; it would stand there and answer nobody otherwise.
        let plain =
            ["-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-XX:+ExitOnOutOfMemoryError"];
        let level = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn";
        let plain = plain.into_iter().chain([level, "-cp", &path, class]);
        plain.map(str::to_owned).collect()
    }

    /// The authority that its certificate is held against.
    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// Starts it on its data and ports, and waits until it answers.
    pub(crate) fn start(&self) {
        let log = fs::File::options().create(true).append(true).open(self.folder.join("log")).expect("a log");
        let script = "d=$1; shift; \"$@\" >>\"$d/log\" 2>&1 </dev/null & p=$!; echo $p; cat >/dev/null; kill -9 $p; wait; \
                      [ -e \"$d/keep\" ] && rm -f \"$d/keep\" || rm -rf \"$d\"";
        let mut command = Command::new("sh");
        command.args(["-c", script, "guard"]).arg(&self.folder).arg("java").args(self.java_args("kafka.Kafka"));
        command.arg("server.properties").current_dir(&self.folder);
        let mut guard = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log).spawn().expect("sh runs");
        let mut line = String::new();
        BufReader::new(guard.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        let pid = line.trim().parse().expect("a process id");
        let held = guard.stdin.take();
        *self.life.lock().expect("nobody failed with it") = Some(Life { pid, guard, held });
        let until = Instant::now() + Duration::from_secs(120);
        let client: BaseConsumer = self.config().create().expect("a client");
        while client.fetch_metadata(None, Duration::from_secs(2)).map_or(true, |about| about.brokers().is_empty()) {
            let log = || fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(Instant::now() < until, "the broker does not answer; its log:\n{}", log());
        }
    }

    fn signal(&self, signal: &str) {
        let pid = self.life.lock().expect("nobody failed with it").as_ref().expect("it runs").pid;
        let status = Command::new("kill").args([&format!("-{signal}"), &pid.to_string()]).status().expect("kill runs");
        assert!(status.success());
    }

    /// Ends it at once, as `kill -9` does; its data stay.
    pub(crate) fn kill(&self) {
        fs::write(self.folder.join("keep"), "").expect("written");
        let mut life = self.life.lock().expect("nobody failed with it").take().expect("it runs");
        drop(life.held.take());
        life.guard.wait().expect("it ends");
    }

    /// Ends it in order; its data stay.
    pub(crate) fn stop(&self) {
        self.signal("TERM");
        let pid = self.life.lock().expect("nobody failed with it").as_ref().expect("it runs").pid;
        let until = Instant::now() + Duration::from_secs(40);
        // The guard has not waited for it yet, so it stays as a zombie.
        let runs = || fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "));
        while runs() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(50));
        }
        self.kill();
    }

    /// It stands still: connections stay, nothing is answered, until what this gives is dropped. A test that fails meanwhile
    /// takes no other with it.
    #[must_use]
    pub(crate) fn freeze(&self) -> Frozen<'_> {
        self.signal("STOP");
        Frozen(self)
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.address()).set("group.id", "tests").set("log_level", "0");
        config
    }

    fn admin<R>(&self, act: impl AsyncFnOnce(&AdminClient<DefaultClientContext>, &AdminOptions) -> R) -> R {
        let admin: AdminClient<DefaultClientContext> = self.config().create().expect("a client");
        let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(20)));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(act(&admin, &options))
    }

    /// A new topic, with settings; its name is new, too.
    pub(crate) fn topic(&self, partitions: i32, settings: &[(&str, &str)]) -> String {
        let name = format!("topic-{}", TOPICS.fetch_add(1, Ordering::Relaxed));
        self.topic_named(&name, partitions, settings);
        name
    }

    pub(crate) fn topic_named(&self, name: &str, partitions: i32, settings: &[(&str, &str)]) {
        let mut topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
        for (key, value) in settings {
            topic = topic.set(key, value);
        }
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let made = self.admin(async |admin, options| admin.create_topics([&topic], options).await);
            match made.expect("an answer").into_iter().next() {
                Some(Ok(_)) => break,
                // One of that name is being deleted.
                Some(Err((_, error))) if Instant::now() > until => panic!("no topic {name}: {error}"),
                _ => std::thread::sleep(Duration::from_millis(200)),
            }
        }
        self.wait_for(name, |count| count == partitions as usize);
    }

    pub(crate) fn delete_topic(&self, name: &str) {
        let done = self.admin(async |admin, options| admin.delete_topics(&[name], options).await);
        done.expect("an answer").into_iter().for_each(|one| drop(one.expect("it is deleted")));
        self.wait_for(name, |count| count == 0);
    }

    pub(crate) fn grow_topic(&self, name: &str, partitions: usize) {
        let more = NewPartitions::new(name, partitions);
        let done = self.admin(async |admin, options| admin.create_partitions([&more], options).await);
        done.expect("an answer").into_iter().for_each(|one| drop(one.expect("it has grown")));
        self.wait_for(name, |count| count == partitions);
    }

    fn wait_for(&self, name: &str, enough: impl Fn(usize) -> bool) {
        let client: BaseConsumer = self.config().create().expect("a client");
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let about = client.fetch_metadata(Some(name), Duration::from_secs(5)).expect("an answer");
            let led = |topic: &rdkafka::metadata::MetadataTopic| {
                topic.partitions().iter().filter(|one| one.leader() >= 0).count()
            };
            if enough(about.topics().first().map_or(0, led)) {
                return;
            }
            assert!(Instant::now() < until, "the topic {name} does not become what it should");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Deletes what lies before an offset.
    pub(crate) fn delete_before(&self, topic: &str, partition: i32, offset: i64) {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition, Offset::Offset(offset)).expect("an offset");
        self.admin(async |admin, options| admin.delete_records(&list, options).await.map(drop)).expect("deleted");
    }

    /// What a group has told of a partition.
    pub(crate) fn group_offset(&self, group: &str, topic: &str, partition: i32) -> Option<i64> {
        let client: BaseConsumer = self.config().set("group.id", group).create().expect("a client");
        let mut list = TopicPartitionList::new();
        list.add_partition(topic, partition);
        let told = client.committed_offsets(list, Duration::from_secs(10)).expect("an answer");
        told.elements().first().and_then(|one| one.offset().to_raw()).filter(|offset| *offset >= 0)
    }

    /// Writes values to a partition, and waits until the broker has them.
    pub(crate) fn produce<'v>(&self, topic: &str, partition: i32, values: impl IntoIterator<Item = &'v [u8]>) {
        let producer = self.producer(&[]);
        for value in values {
            send(&producer, BaseRecord::to(topic).partition(partition).payload(value).key("k"));
        }
        producer.flush(Duration::from_secs(60)).expect("all is written");
    }

    /// Writes one message with headers; None: a tombstone.
    pub(crate) fn produce_one(&self, topic: &str, value: Option<&[u8]>, headers: &[(&str, &str)]) {
        let producer = self.producer(&[]);
        let mut owned = OwnedHeaders::new();
        for (key, value) in headers {
            owned = owned.insert(Header { key, value: Some(*value) });
        }
        let mut record: BaseRecord<'_, str, [u8]> = BaseRecord::to(topic).partition(0).key("k").headers(owned);
        record.payload = value;
        send(&producer, record);
        producer.flush(Duration::from_secs(60)).expect("it is written");
    }

    pub(crate) fn producer(&self, settings: &[(&str, &str)]) -> BaseProducer {
        let mut config = self.config();
        config.remove("group.id");
        config.set("linger.ms", "0").set("message.max.bytes", "8388608").set("queue.buffering.max.kbytes", "131072");
        for (key, value) in settings {
            config.set(*key, *value);
        }
        config.create().expect("a producer")
    }
}

/// Sends, waiting where the producer's own queue is full.
pub(crate) fn send(producer: &BaseProducer, mut record: BaseRecord<'_, str, [u8]>) {
    while let Err((_, back)) = producer.send(record) {
        record = back;
        producer.poll(Duration::from_millis(10));
    }
    producer.poll(Duration::ZERO);
}
