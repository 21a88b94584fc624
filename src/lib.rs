//! Onus: who holds the onus, until when, on what evidence.
//!
//! The rooms in the order in which the data travels: [`ingest`] reads files, [`decode`] makes facts of events,
//! [`runtime`] runs the judge (the package `onus_engine`) over them by the [`contract`]s, [`cli`] shows the outcome.
//! A [`mapper`] is what people say of a source that no adapter knows, a [`catalogue`] which names are one identity. [`settings`] say
//! how a process runs that goes on; [`store`] keeps what must outlive it; [`serve`] listens for HTTP, and [`telemetry`] says there how the
//! process is; [`web`] asks and tells others over HTTP. [`clauses`] has people's own cases judged in the same way.

pub mod catalogue;
pub mod clauses;
pub mod cli;
pub mod contract;
pub mod decode;
pub mod exchange;
pub mod ingest;
pub mod mapper;
pub mod pool;
pub mod publish;
pub mod runtime;
pub mod serve;
pub mod settings;
pub mod store;
pub mod telemetry;
pub mod web;
