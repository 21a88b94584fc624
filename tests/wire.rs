//! What records are wrapped in: schemas by what a real registry and Confluent's own serializers wrote, registries that are
//! away, wrong or hostile, a real broker, and a real registry.

#[path = "wire/adapted.rs"]
mod adapted;
#[path = "wire/desk.rs"]
mod desk;
#[path = "wire/hostile.rs"]
mod hostile;
#[path = "live/house.rs"]
#[expect(dead_code, reason = "what else the program can do is tried in tests/live")]
mod house;
#[cfg(feature = "kafka")]
#[path = "kafka/listening.rs"]
#[expect(dead_code, reason = "what else a topic can do is tried in tests/kafka")]
mod listening;
#[cfg(feature = "kafka")]
#[path = "wire/live.rs"]
mod live;
#[path = "wire/outages.rs"]
mod outages;
#[path = "support/ports.rs"]
mod ports;
#[path = "wire/real.rs"]
mod real;
#[path = "support/registry.rs"]
mod registry;
#[path = "wire/schemas.rs"]
mod schemas;
#[cfg(feature = "kafka")]
#[path = "support/kafka.rs"]
#[expect(dead_code, reason = "what else a broker can do is tried in tests/kafka")]
mod support;
