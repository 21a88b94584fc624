//! Who we are: SASL.

use crate::listening::{Listening, access, bytes, numbered, topic};
use crate::support::{Broker, PASSWORD, USER, broker};
use onus::ingest::kafka::{Access, Login, look};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

fn secured(broker: &Broker, login: Login) -> Access {
    Access { brokers: vec![format!("127.0.0.1:{}", broker.sasl_port)], login: Some(login), ..access(broker) }
}

fn by_password(mechanism: &str, file: &Path) -> Login {
    Login::Password { mechanism: mechanism.to_owned(), username: USER.to_owned(), password: file.to_owned() }
}

#[test]
fn plain_and_scram_log_in_with_a_password_from_a_file() {
    let broker = broker();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("password");
    std::fs::write(&file, format!("{PASSWORD}\n")).expect("written");
    let name = broker.topic(1, &[]);
    broker.produce(&name, 0, bytes(&numbered("a", 20)));
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let mut all = Listening::with(topic(&name), secured(&broker, by_password(mechanism, &file)), &[]);
        all.until_count(20);
        assert_eq!(all.texts(0), numbered("a", 20));
    }
}

#[test]
fn a_wrong_password_is_trouble_that_says_so() {
    let broker = broker();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("password");
    std::fs::write(&file, "something else").expect("written");
    let name = broker.topic(1, &[]);
    let mut all = Listening::with(topic(&name), secured(&broker, by_password("SCRAM-SHA-256", &file)), &[]);
    all.until("trouble", |all| all.trouble.iter().any(|why| why.to_lowercase().contains("authentication")));
    assert!(!all.trouble.iter().any(|why| why.contains("something else")), "{:?}", all.trouble);
    let mut none =
        Listening::with(topic(&name), secured(&broker, by_password("PLAIN", &folder.path().join("no"))), &[]);
    none.until("trouble", |all| all.trouble.iter().any(|why| why.contains("No such file")));
}

fn base64url(text: &str) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::new();
    for three in text.as_bytes().chunks(3) {
        let bits = three.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..=three.len() {
            out.push(char::from(SIGNS[(bits >> (18 - 6 * place) & 63) as usize]));
        }
    }
    out
}

#[test]
fn a_token_is_read_from_its_file_and_read_again_before_it_ends() {
    let broker = broker();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    let put = |seconds: u64| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let claims = format!("{{\"sub\":\"{USER}\",\"iat\":{now},\"exp\":{}}}", now + seconds);
        let token = format!("{}.{}.", base64url("{\"alg\":\"none\"}"), base64url(&claims));
        let beside = folder.path().join("beside");
        std::fs::write(&beside, token).expect("written");
        std::fs::rename(&beside, &file).expect("renamed");
    };
    put(10);
    let name = broker.topic(1, &[]);
    broker.produce(&name, 0, bytes(&numbered("a", 5)));
    let login = Login::Token { file: file.clone() };
    let mut all = Listening::with(topic(&name), secured(&broker, login.clone()), &[]);
    all.until_count(5);
    put(3_600);
    // Longer than the first token lives.
    all.during(Duration::from_secs(12));
    broker.produce(&name, 0, bytes(&numbered("b", 5)));
    all.until_count(10);
    assert!(all.trouble.is_empty(), "{:?}", all.trouble);
    let seen = look(&topic(&name), &secured(&broker, login), Duration::from_secs(20)).expect("a look");
    assert_eq!(seen.partitions[0].high, 10);
}
