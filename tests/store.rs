//! The store: one suite, held to by both databases; and what each has of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "store/batches.rs"]
mod batches;
#[path = "store/conformance.rs"]
mod conformance;
#[path = "store/copies.rs"]
mod copies;
#[path = "store/damage.rs"]
mod damage;
#[path = "store/migrations.rs"]
mod migrations;
#[path = "support/ports.rs"]
mod ports;
#[path = "store/postgres.rs"]
mod postgres;
#[path = "support/postgres.rs"]
mod server;
#[path = "store/sqlite.rs"]
mod sqlite;
