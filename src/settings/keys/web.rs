//! Whoever is told or asked over HTTP: keys that all of them have.

use super::Absent::{Is, Nothing};
use super::Shape::{Length, Path, Text};
use super::{Key, SECOND, key};

pub(super) const TLS_CA: Key = key(
    "tls.ca-file",
    Path,
    Nothing("\"/etc/onus/ca.pem\""),
    "Authorities that its certificate is held against; without it those of the system.",
);
pub(super) const TLS_CERT: Key =
    key("tls.cert-file", Path, Nothing("\"/etc/onus/client.pem\""), "Our certificate, where it asks for one.");
pub(super) const TLS_KEY: Key = key("tls.key-file", Path, Nothing("\"/etc/onus/client.key\""), "Its key.");
pub(super) const BASIC_NAME: Key =
    key("basic.username", Text, Nothing("\"onus\""), "Who we are, for basic authentication.");
pub(super) const BASIC_PASSWORD: Key = key(
    "basic.password-file",
    Path,
    Nothing("\"/run/secrets/basic\""),
    "File that holds the password. It is read anew for each request.",
);
pub(super) const BEARER: Key = key(
    "bearer-token-file",
    Path,
    Nothing("\"/run/secrets/bearer\""),
    "File that holds a token. It is read anew for each request.",
);
pub(super) const TIMEOUT: Key =
    key("timeout", Length(100, 300 * SECOND), Is("\"10s\""), "How long an answer is waited for.");
