//! What vendors really send, read as it is meant: tests/samples holds records in the vendors' shapes, each with what it means,
//! and the tables under which they are read.

#[path = "adapt/aws.rs"]
mod aws;
#[path = "adapt/azure.rs"]
mod azure;
#[path = "adapt/command.rs"]
mod command;
#[path = "adapt/cyberark.rs"]
mod cyberark;
#[path = "adapt/feed.rs"]
mod feed;
#[path = "adapt/jira.rs"]
mod jira;
#[path = "adapt/laws.rs"]
mod laws;
#[path = "adapt/mapper.rs"]
mod mapper;
#[path = "adapt/mapper_laws.rs"]
mod mapper_laws;
#[path = "adapt/mapper_rows.rs"]
mod mapper_rows;
#[path = "adapt/okta.rs"]
mod okta;
#[path = "adapt/pagerduty.rs"]
mod pagerduty;
#[path = "adapt/secrets.rs"]
mod secrets;
#[path = "adapt/servicenow.rs"]
mod servicenow;
#[path = "adapt/servicenow_audit.rs"]
mod servicenow_audit;
#[path = "adapt/settings.rs"]
mod settings;
#[path = "adapt/vault.rs"]
mod vault;

use feed::{Feed, samples, told};
use onus::ingest::adapt::Adapter;

#[test]
fn every_sample_reads_as_it_is_meant() {
    let mut wrong = Vec::new();
    for name in Adapter::names() {
        let mut feed = Feed::new(name);
        for (n, sample) in samples(name).iter().enumerate() {
            let answer = feed.read(sample);
            let (told, meant) = (told(&answer), &sample["means"]);
            if serde_json::json!(told) != *meant || !answer.errors.is_empty() {
                wrong.push(format!(
                    "{name} {}: {told:?}, meant {meant}; {:?} {:?}",
                    n + 1,
                    answer.errors,
                    answer.skips
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_event_of_the_samples_is_one_that_the_decoder_takes() {
    for name in Adapter::names() {
        let mut feed = Feed::new(name);
        for sample in samples(name) {
            for event in feed.read(&sample).events {
                let mut line = String::new();
                event.write(&mut line);
                feed::decoded(&line).unwrap_or_else(|error| panic!("{name}: {error}\n{line}"));
            }
        }
    }
}

#[test]
fn no_event_carries_what_nobody_asked_for() {
    // Texts that only people write, and names that are personal data: copied by allow-list means not copied.
    for name in Adapter::names() {
        let mut feed = Feed::new(name);
        for sample in samples(name) {
            for event in feed.read(&sample).events {
                let mut line = String::new();
                event.write(&mut line);
                for secret in ["Leaked key", "Ben Okafor", "203.0.113.40", "rollback plan", "Customer informed"] {
                    assert!(!line.contains(secret), "{name} lets {secret} through: {line}");
                }
                assert!(!line.contains("hmac-") || line.contains("\"hashed\":true"), "{line}");
            }
        }
    }
}
