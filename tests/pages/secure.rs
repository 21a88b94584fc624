//! An Alertmanager behind TLS that wants a certificate and a token; and a token that is changed.

use crate::house::{House, end};
use crate::real::{DESK, HOUR, desk, event};
use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::ssl::{SslAcceptor, SslMethod, SslVerifyMode};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509NameBuilder};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

/// A certificate for this machine that is its own authority.
fn certificate() -> (X509, PKey<Private>) {
    let key = PKey::from_rsa(Rsa::generate(2_048).expect("a key")).expect("a key");
    let mut name = X509NameBuilder::new().expect("a name");
    name.append_entry_by_text("CN", "onus tests").expect("a name");
    let name = name.build();
    let mut builder = X509::builder().expect("a certificate");
    builder.set_version(2).expect("set");
    builder.set_subject_name(&name).expect("set");
    builder.set_issuer_name(&name).expect("set");
    builder.set_pubkey(&key).expect("set");
    builder.set_not_before(&Asn1Time::days_from_now(0).expect("a time")).expect("set");
    builder.set_not_after(&Asn1Time::days_from_now(2).expect("a time")).expect("set");
    builder.append_extension(BasicConstraints::new().ca().build().expect("it")).expect("set");
    let context = builder.x509v3_context(None, None);
    let host = SubjectAlternativeName::new().ip("127.0.0.1").build(&context).expect("a host");
    builder.append_extension(host).expect("set");
    builder.sign(&key, MessageDigest::sha256()).expect("signed");
    (builder.build(), key)
}

#[test]
fn tls_with_a_certificate_of_our_own_and_a_token_that_is_read_anew() {
    let (cert, key) = certificate();
    let (client, client_key) = certificate();
    let mut acceptor = SslAcceptor::mozilla_intermediate(SslMethod::tls()).expect("an acceptor");
    acceptor.set_private_key(&key).expect("set");
    acceptor.set_certificate(&cert).expect("set");
    acceptor.cert_store_mut().add_cert(client.clone()).expect("set");
    acceptor.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
    let acceptor = acceptor.build();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("a port").port();
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let says = Arc::clone(&seen);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let Ok(stream) = acceptor.accept(stream) else { continue };
            let mut reader = BufReader::new(stream);
            let (mut length, mut token, mut line) = (0, String::new(), String::new());
            while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                let lower = line.to_ascii_lowercase();
                if let Some(rest) = lower.strip_prefix("content-length:") {
                    length = rest.trim().parse().expect("a length");
                }
                if lower.starts_with("authorization:") {
                    token = line["authorization:".len()..].trim().to_owned();
                }
                line.clear();
            }
            let mut body = vec![0; length];
            if reader.read_exact(&mut body).is_err() {
                continue;
            }
            let status = if token == "Bearer new" { 200 } else { 401 };
            says.lock().expect("nobody panicked").push(format!("{token} {status}"));
            let _ =
                write!(reader.get_mut(), "HTTP/1.1 {status} Said\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            let _ = reader.get_mut().shutdown();
        }
    });
    let settings = format!(
        "[alertmanager.a]\nurl = \"https://127.0.0.1:{port}\"\ntls.ca-file = \"ca.pem\"\ntls.cert-file = \"own.pem\"\n\
         tls.key-file = \"own.key\"\nbearer-token-file = \"token\"\n{}",
        desk()
    );
    let house = House::new(DESK, &settings);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("PEM");
    house.write("ca.pem", &text(cert.to_pem().expect("PEM")));
    house.write("own.pem", &text(client.to_pem().expect("PEM")));
    house.write("own.key", &text(client_key.private_key_to_pem_pkcs8().expect("PEM")));
    house.write("token", "old\n");
    house.write("desk.jsonl", &format!("{}\n", event("opened", "INC-1", 4 * HOUR + 60)));
    let child = house.start(&["run"]);
    let all = || seen.lock().expect("nobody panicked").clone();
    house.until("the old token is refused", || all().contains(&"Bearer old 401".to_owned()));
    house.write("token", "new\n");
    house.until("the new one is accepted", || all().contains(&"Bearer new 200".to_owned()));
    assert!(!house.talk().contains("Bearer"), "no secret is in the log");
    assert!(end(child), "{}", house.talk());
}
