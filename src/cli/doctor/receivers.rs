//! Whether those who are told of breaches can be reached, and take us for who we are.

use super::Finding;
use crate::cli::run::target;
use crate::settings::{Alertmanager, Settings, Webhook};
use crate::web::Client;

pub(super) fn looked_at(settings: &Settings) -> Vec<(String, Finding)> {
    let alertmanagers =
        settings.alertmanagers.iter().map(|one| (format!("alertmanager {}", one.name), alertmanager(one)));
    let webhooks = settings.webhooks.iter().map(|one| (format!("webhook {}", one.name), webhook(one)));
    alertmanagers.chain(webhooks).collect()
}

fn alertmanager(one: &Alertmanager) -> Finding {
    let url = &one.web.url;
    let answer = Client::new(target(&one.web), "/api/v2/status").and_then(|mut client| client.get());
    let (status, body) = match answer {
        Ok(answer) => (answer.status, answer.body),
        Err(why) => return Finding::Bad(unreached(url, &why)),
    };
    let remedy = match status {
        200..=299 => return told_its_version(url, &body),
        401 | 403 | 407 => {
            "it does not take us for who we are: look at bearer-token-file, or basic.username and basic.password-file, and at the \
             certificate that it wants (tls.cert-file)"
        }
        300..=399 | 404 | 405 => {
            "no Alertmanager answers there: `url` is its address and the prefix of --web.route-prefix, without /api/v2"
        }
        _ => "it does not work at the moment; its own log says why",
    };
    Finding::Bad(format!("{url}: it answered {status}; {remedy}"))
}

fn told_its_version(url: &str, body: &str) -> Finding {
    let said: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    match said["versionInfo"]["version"].as_str() {
        Some(version) => Finding::Fine(format!("{url}: Alertmanager {version}")),
        // What it says of itself may be longer than what is read of an answer.
        None if body.contains("\"versionInfo\"") || body.contains("\"cluster\"") => Finding::Fine(url.to_owned()),
        None => Finding::Bad(format!("{url}: something answers there that is no Alertmanager; look at `url`")),
    }
}

fn webhook(one: &Webhook) -> Finding {
    let url = &one.web.url;
    match Client::new(target(&one.web), "").and_then(|mut client| client.reach()) {
        Ok(()) => Finding::Fine(format!("{url}: it can be reached; whether it takes what we sign was not asked")),
        Err(why) => Finding::Bad(unreached(url, &why)),
    }
}

pub(super) fn unreached(url: &str, why: &str) -> String {
    let remedy = if why.contains("TLS") {
        "look at tls.ca-file, and whether the certificate is for this host"
    } else {
        "look whether it runs, whether `url` is its address, and whether a firewall lets us through"
    };
    format!("{url}: {why}; {remedy}")
}
