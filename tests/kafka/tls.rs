//! TLS: by an authority of our own, with and without a password.

use crate::listening::{Listening, access, bytes, numbered, topic};
use crate::support::{Broker, PASSWORD, USER, broker};
use onus::ingest::kafka::{Access, Login, Tls, look};
use std::path::PathBuf;
use std::time::Duration;

fn over_tls(broker: &Broker, ca: PathBuf) -> Access {
    let tls = Some(Tls { ca: Some(ca), own: None, verify: true });
    Access { brokers: vec![format!("127.0.0.1:{}", broker.tls_port)], tls, ..access(broker) }
}

#[test]
fn records_come_over_tls() {
    let broker = broker();
    let name = broker.topic(1, &[]);
    broker.produce(&name, 0, bytes(&numbered("a", 20)));
    let mut all = Listening::with(topic(&name), over_tls(&broker, broker.authority()), &[]);
    all.until_count(20);
    assert_eq!(all.texts(0), numbered("a", 20));
    assert!(all.trouble.is_empty(), "{:?}", all.trouble);
    let seen = look(&topic(&name), &over_tls(&broker, broker.authority()), Duration::from_secs(20)).expect("a look");
    assert_eq!(seen.partitions[0].high, 20);
}

#[test]
fn plain_and_scram_log_in_over_tls() {
    let broker = broker();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("password");
    std::fs::write(&file, format!("{PASSWORD}\n")).expect("written");
    let name = broker.topic(1, &[]);
    broker.produce(&name, 0, bytes(&numbered("a", 20)));
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let login =
            Login::Password { mechanism: mechanism.to_owned(), username: USER.to_owned(), password: file.clone() };
        let brokers = vec![format!("127.0.0.1:{}", broker.sasl_tls_port)];
        let access = Access { brokers, login: Some(login), ..over_tls(&broker, broker.authority()) };
        let mut all = Listening::with(topic(&name), access, &[]);
        all.until_count(20);
        assert_eq!(all.texts(0), numbered("a", 20));
    }
}

#[test]
fn a_wrong_authority_is_trouble_that_says_so() {
    let broker = broker();
    let name = broker.topic(1, &[]);
    broker.produce(&name, 0, bytes(&numbered("a", 5)));
    let mut all = Listening::with(topic(&name), over_tls(&broker, broker.authority().with_file_name("other.pem")), &[]);
    all.until("trouble", |all| all.trouble.iter().any(|why| why.contains("certificate verify failed")));
    assert_eq!(all.texts(0), Vec::<String>::new(), "nothing is read from whom we do not know");
    assert!(all.trouble.iter().all(|why| why.contains("`tls`")), "and where to look: {:?}", all.trouble);
    let missing = over_tls(&broker, broker.authority().with_file_name("none.pem"));
    let mut none = Listening::with(topic(&name), missing, &[]);
    none.until("trouble", |all| all.trouble.iter().any(|why| why.contains("none.pem")));
}

#[test]
fn the_name_must_be_the_one_in_the_certificate_unless_settings_say_otherwise() {
    let broker = broker();
    let name = broker.topic(1, &[]);
    broker.produce(&name, 0, bytes(&numbered("a", 5)));
    let access = |verify: bool| Access {
        brokers: vec![format!("localhost:{}", broker.tls_port)],
        tls: Some(Tls { ca: Some(broker.authority()), own: None, verify }),
        ..access(&broker)
    };
    let mut strict = Listening::with(topic(&name), access(true), &[]);
    strict.until("trouble", |all| all.trouble.iter().any(|why| why.contains("verify failed")));
    let mut lenient = Listening::with(topic(&name), access(false), &[]);
    lenient.until_count(5);
}
