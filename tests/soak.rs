//! The soak: the performance workload goes through a real topic into `onus run`, while Onus, the broker and the database
//! are killed and stopped at random. At the end everything stands as it was drawn, and as a run says that nobody disturbed.
//!
//!     cargo test --test soak                                                   a minute's worth, as CI runs it
//!     ONUS_SOAK_SECONDS=3600 cargo test --test soak -- --nocapture postgres    an hour
//!
//! | variable | default | |
//! |---|---|---|
//! | `ONUS_SOAK_SECONDS` | 8, with SQLite 4 | how long events come and things are killed |
//! | `ONUS_SOAK_SEED` | 1 | what is drawn, and who is killed when |
//! | `ONUS_SOAK_RATE` | 250, or 30 where it takes longer than two minutes | events a second |
//! | `ONUS_SOAK_PAUSE` | 1000, or 12000 likewise | milliseconds between blows, on average |
//! | `ONUS_SOAK_BINARY` | the one that cargo built | the program; a long soak should have its own copy |
//!
//! A failure keeps its folder and names it.
#![cfg(feature = "kafka")]

#[path = "soak/blows.rs"]
mod blows;
#[path = "live/house.rs"]
#[expect(dead_code, reason = "what else can be done in a house is done in tests/live")]
mod house;
#[path = "support/kafka.rs"]
#[expect(dead_code, reason = "what else a broker can do is tried in tests/kafka")]
mod kafka;
#[path = "support/ports.rs"]
mod ports;
#[path = "support/postgres.rs"]
mod postgres;
#[path = "soak/stream.rs"]
mod stream;
#[path = "soak/verdict.rs"]
mod verdict;
#[path = "support/w1.rs"]
mod w1;

use blows::{Blows, Dice};
use house::{House, W1};
use std::fmt::Write as _;
use std::time::{Duration, Instant};
use stream::Stream;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
struct Order {
    seconds: u64,
    seed: u64,
    rate: u64,
    pause: u64,
}

impl Order {
    fn asked(seconds: u64) -> Order {
        let named = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
        let seconds = named("ONUS_SOAK_SECONDS").unwrap_or(seconds);
        let long = seconds > 120;
        Order {
            seconds,
            seed: named("ONUS_SOAK_SEED").unwrap_or(1),
            rate: named("ONUS_SOAK_RATE").unwrap_or(if long { 30 } else { 250 }),
            pause: named("ONUS_SOAK_PAUSE").unwrap_or(if long { 12_000 } else { 1_000 }),
        }
    }
}

fn settings(broker: &str, topic: &str, store: &str) -> String {
    format!(
        "[store]\nurl = \"{store}\"\n[judge]\nclock = \"events\"\nbatch = 500\ncommit-every = \"100ms\"\nsnapshot-every = \"20s\"\n\
         [kafka.main]\nbrokers = [\"{broker}\"]\n[[source]]\nname = \"w1\"\nkind = \"kafka\"\ncluster = \"main\"\n\
         topic = \"{topic}\"\ntrust = \"system\"\npartners = [\"*\"]\ntypes = [\"*\"]\n"
    )
}

/// All of it, with this store.
fn soak(order: Order, database: Option<&postgres::Cluster>) {
    let broker = kafka::broker_alone();
    let began = Instant::now();
    // Small segments: what is on the disk is what was sent, and not more.
    let stamped = [("message.timestamp.type", "LogAppendTime"), ("segment.bytes", "16777216"), ("retention.ms", "-1")];
    let topic = broker.topic(stream::PARTITIONS, &stamped);
    let stream = Stream::drawn(order.seed, (order.seconds * order.rate) as usize);
    let store = database.map_or("sqlite:onus.db".to_owned(), |cluster| cluster.url(&cluster.database()));
    let house = House::new(W1, &settings(&broker.address(), &topic, &store));
    let mut log = String::new();
    let _ = writeln!(log, "{order:?}, store {store}");

    let mut blows = Blows::new(Dice::new(order.seed), &house, &broker, database);
    std::thread::scope(|scope| {
        let sending = scope.spawn(|| stream.send(&broker, &topic, Duration::from_secs(order.seconds)));
        while !sending.is_finished() {
            blows.strike(order.pause, &sending);
        }
        sending.join().expect("all is sent");
    });
    let sent = began.elapsed();
    let disturbed = verdict::of(&house, &store, &mut blows, &stream);
    let _ = writeln!(log, "{blows}");
    drop(blows);

    // The same topic, and nothing happens.
    let quiet = House::new(W1, &settings(&broker.address(), &topic, "sqlite:onus.db"));
    let mut nothing = Blows::new(Dice::new(0), &quiet, &broker, None);
    let undisturbed = verdict::of(&quiet, "sqlite:onus.db", &mut nothing, &stream);
    drop(nothing);

    let _ = writeln!(
        log,
        "{} events, {} of them late, {} sent twice; {} s of blows, {} s in all; {disturbed}; undisturbed: {undisturbed}",
        stream.events,
        stream.late,
        stream.twice,
        sent.as_secs(),
        began.elapsed().as_secs()
    );
    eprintln!("{log}");
    let wrong = verdict::compared(&disturbed, &undisturbed, &stream);
    if wrong.is_empty() {
        broker.delete_topic(&topic);
    } else {
        let (house, quiet) = (house.keep(), quiet.keep());
        panic!("{wrong}\n{log}\nkept: {} and, undisturbed, {}", house.display(), quiet.display());
    }
}

#[test]
fn postgres_and_broker_and_onus_are_killed_at_random_and_all_stands_as_drawn() {
    let cluster = postgres::Cluster::start("-c shared_buffers=16MB -c max_wal_size=128MB -c min_wal_size=32MB");
    soak(Order::asked(8), Some(&cluster));
}

#[test]
fn sqlite_and_broker_and_onus_are_killed_at_random_and_all_stands_as_drawn() {
    // A long one is asked for by name, and one at a time; beside PostgreSQL's a few seconds are enough.
    soak(Order::asked(4), None);
}
