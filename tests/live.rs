//! `onus run` as people run it: the program itself, killed, fed by files and by a real Kafka, with contracts that change
//! under it.

#[cfg(feature = "kafka")]
#[path = "live/adapters.rs"]
mod adapters;
#[cfg(feature = "kafka")]
#[path = "live/anew.rs"]
mod anew;
#[path = "live/away.rs"]
mod away;
#[path = "live/backwards.rs"]
mod backwards;
#[path = "live/catalogue.rs"]
mod catalogue;
#[path = "support/http.rs"]
#[expect(dead_code, reason = "clients that are wrong are tried in tests/http")]
mod client;
#[path = "live/contracts.rs"]
mod contracts;
#[cfg(feature = "kafka")]
#[path = "live/exchange.rs"]
mod exchange;
#[path = "live/fair.rs"]
mod fair;
#[cfg(feature = "kafka")]
#[path = "live/halted.rs"]
mod halted;
#[path = "live/house.rs"]
#[expect(dead_code, reason = "what a soak needs besides is used in tests/soak")]
mod house;
#[cfg(feature = "kafka")]
#[path = "support/kafka.rs"]
#[expect(dead_code, reason = "what else a broker can do is tried in tests/kafka")]
mod kafka;
#[path = "live/killed.rs"]
mod killed;
#[cfg(feature = "kafka")]
#[path = "live/lanes.rs"]
mod lanes;
#[cfg(feature = "kafka")]
#[path = "support/ledger.rs"]
mod ledger;
#[path = "live/letters.rs"]
mod letters;
#[path = "live/named.rs"]
mod named;
#[path = "live/outages.rs"]
mod outages;
#[path = "live/owners.rs"]
mod owners;
#[path = "live/poison.rs"]
mod poison;
#[path = "support/ports.rs"]
mod ports;
#[path = "support/postgres.rs"]
mod postgres;
#[path = "live/pushed.rs"]
mod pushed;
#[cfg(feature = "kafka")]
#[path = "live/read_only.rs"]
mod read_only;
#[path = "live/renamed.rs"]
mod renamed;
#[cfg(feature = "kafka")]
#[path = "live/told.rs"]
mod told;
#[cfg(feature = "kafka")]
#[path = "live/topic.rs"]
mod topic;
#[path = "support/w1.rs"]
mod w1;
