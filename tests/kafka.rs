//! The Kafka source against a real broker: each trap that applies is a test here or a line in docs/kafka.md.
#![cfg(feature = "kafka")]

#[path = "support/ports.rs"]
mod ports;
#[path = "support/kafka.rs"]
mod support;

#[path = "kafka/forms.rs"]
mod forms;
#[path = "kafka/listening.rs"]
mod listening;
#[path = "kafka/login.rs"]
mod login;
#[path = "kafka/order.rs"]
mod order;
#[path = "kafka/outages.rs"]
mod outages;
#[path = "kafka/seams.rs"]
mod seams;
#[path = "kafka/times.rs"]
mod times;
#[path = "kafka/tls.rs"]
mod tls;
