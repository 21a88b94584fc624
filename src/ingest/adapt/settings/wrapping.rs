//! What records are wrapped in, for `onus adapt`, which knows no other settings. A source of `onus run` says it in its own.

use super::keys::Keys;
use crate::ingest::adapt::tree::Tree;
use crate::ingest::wire::Format;
use crate::web::{Login, Target};
use std::path::PathBuf;
use std::time::Duration;

/// What records lie in.
#[derive(Clone, Debug, Default)]
pub struct Wrapping {
    /// How.
    pub format: Format,
    /// Where their schemas are had.
    pub registry: Option<Target>,
}

const KEYS: &[&str] =
    &["url", "ca_file", "cert_file", "key_file", "username", "password_file", "bearer_token_file", "timeout_ms"];

pub(super) fn read(tree: &Tree<'_>, keys: &mut Keys) -> Wrapping {
    keys.map("wire", tree, &["format", "registry"]);
    let said = keys.text("wire.format", tree.at("format")).unwrap_or_else(|| "auto".to_owned());
    let format = Format::named(&said).unwrap_or_else(|| {
        keys.unknown("wire.format", &said, ["auto", "json", "confluent"].into_iter());
        Format::Auto
    });
    let registry = registry(tree.at("registry"), keys);
    if format == Format::Confluent && registry.is_none() {
        let what = "`confluent` needs a registry: write \"registry\": {\"url\": \"https://registry:8081\"} beside it";
        keys.wrong("wire.format", what.to_owned());
    }
    Wrapping { format, registry }
}

fn registry(tree: &Tree<'_>, keys: &mut Keys) -> Option<Target> {
    if matches!(tree, Tree::Null) {
        return None;
    }
    keys.map("wire.registry", tree, KEYS);
    let url = keys.text("wire.registry.url", tree.at("url"));
    let Some(url) = url else {
        keys.wrong("wire.registry.url", "must be said: where the registry listens".to_owned());
        return None;
    };
    let host = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    if host.is_none_or(|host| host.is_empty() || host.contains('@')) {
        let what = "an address that begins with http:// or https://, without a name or password: there are `username` and \
                    `password_file`";
        keys.wrong("wire.registry.url", what.to_owned());
    }
    let mut path = |name: &str| keys.text(&format!("wire.registry.{name}"), tree.at(name)).map(PathBuf::from);
    let (ca, own) = (path("ca_file"), path("cert_file").zip(path("key_file")));
    let (password, bearer) = (path("password_file"), path("bearer_token_file"));
    let username = keys.text("wire.registry.username", tree.at("username"));
    let login = match (username, password, bearer) {
        (None, None, None) => Login::Nobody,
        (Some(username), Some(password), None) => Login::Basic(username, password),
        (None, None, Some(token)) => Login::Bearer(token),
        _ => {
            let what = "who we are is `username` with `password_file`, or `bearer_token_file`, or neither";
            keys.wrong("wire.registry", what.to_owned());
            Login::Nobody
        }
    };
    let timeout = keys.whole("wire.registry.timeout_ms", tree.at("timeout_ms")).unwrap_or(10_000).clamp(100, 300_000);
    let timeout = Duration::from_millis(timeout.unsigned_abs());
    Some(Target { url: url.trim_end_matches('/').to_owned(), ca, own, login, timeout })
}
