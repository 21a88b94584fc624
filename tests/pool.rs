//! Judges that share the partitions of the exchange: a real Kafka, a real PostgreSQL, several processes, and what happens to them.
#![cfg(feature = "kafka")]

#[path = "pool/brokers.rs"]
mod brokers;
#[path = "support/http.rs"]
#[expect(dead_code, reason = "clients that are wrong are tried in tests/http")]
mod client;
#[path = "pool/commands.rs"]
mod commands;
#[path = "pool/databases.rs"]
mod databases;
#[path = "pool/faults.rs"]
mod faults;
#[path = "support/hook.rs"]
mod hook;
#[path = "live/house.rs"]
#[expect(dead_code, reason = "what else a house can do is used in tests/live")]
mod house;
#[path = "support/kafka.rs"]
#[expect(dead_code, reason = "what else a broker can do is tried in tests/kafka")]
mod kafka;
#[path = "pool/leases.rs"]
mod leases;
#[path = "support/ledger.rs"]
mod ledger;
#[path = "support/ports.rs"]
mod ports;
#[path = "support/postgres.rs"]
mod postgres;
#[path = "pool/shares.rs"]
mod shares;
#[path = "pool/versions.rs"]
mod versions;
#[path = "support/w1.rs"]
mod w1;
#[path = "pool/world.rs"]
mod world;
#[path = "pool/zombies.rs"]
mod zombies;
