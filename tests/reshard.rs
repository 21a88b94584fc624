//! `onus store reshard`: real processes judge, everything stops, the store is divided anew, and they go on. With a real Kafka and real
//! stores; what an undisturbed process decides beside them is what they must have decided.
#![cfg(feature = "kafka")]

#[path = "reshard/carried.rs"]
mod carried;
#[path = "reshard/faults.rs"]
mod faults;
#[path = "support/hook.rs"]
mod hook;
#[path = "live/house.rs"]
#[expect(dead_code, reason = "what else a house can do is used in tests/live")]
mod house;
#[path = "support/kafka.rs"]
#[expect(dead_code, reason = "what else a broker can do is tried in tests/kafka")]
mod kafka;
#[path = "support/ports.rs"]
mod ports;
#[path = "support/postgres.rs"]
mod postgres;
#[path = "reshard/refused.rs"]
mod refused;
#[path = "reshard/runs.rs"]
mod runs;
#[path = "support/w1.rs"]
mod w1;
#[path = "reshard/world.rs"]
mod world;
