//! Pages as people get them: the program itself, real Alertmanagers, and one whom they page. Beside them one that is not
//! real, and answers as no healthy one would.

#[path = "support/alertmanager.rs"]
mod alertmanager;
#[path = "pages/doctor.rs"]
mod doctor;
#[path = "pages/fake.rs"]
mod fake;
#[path = "support/hook.rs"]
mod hook;
#[path = "live/house.rs"]
#[expect(dead_code, reason = "what else a house can do is tried in tests/live")]
mod house;
#[cfg(feature = "kafka")]
#[path = "support/kafka.rs"]
#[expect(dead_code, reason = "what else a broker can do is tried in tests/kafka")]
mod kafka;
#[path = "support/ports.rs"]
mod ports;
#[path = "support/postgres.rs"]
mod postgres;
#[path = "pages/real.rs"]
mod real;
#[path = "pages/secure.rs"]
mod secure;
#[path = "pages/stored.rs"]
mod stored;
#[cfg(feature = "kafka")]
#[path = "pages/topic.rs"]
mod topic;
#[path = "pages/webhook.rs"]
mod webhook;
