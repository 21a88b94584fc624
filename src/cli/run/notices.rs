//! From settings to whoever is told of what was decided.

use crate::cli::{CliError, check};
use crate::publish::pages::{Directory, Manner, May, Pages, Risk};
use crate::publish::told::Told;
use crate::publish::webhook::{Wants, Webhook};
use crate::runtime::live::{Live, Plan, Receiver, Takes, Threatened};
use crate::settings::{Settings, Web, WebLogin};
use crate::store::Entry;
#[cfg(feature = "kafka")]
use crate::store::Letter;
use crate::web::{Login, Target};
use std::sync::Arc;
use std::time::Duration;

/// All of them.
pub(super) struct Notices {
    pages: Option<Pages>,
}

impl Notices {
    /// What is under way is told, if that is soon.
    pub(super) fn stop(self) {
        if let Some(pages) = self.pages {
            pages.stop();
        }
    }
}

/// The directory learns of contracts whenever they are read.
pub(super) fn informed(plan: Plan, directory: &Arc<Directory>) -> Plan {
    let directory = Arc::clone(directory);
    let Plan { mut contracts, .. } = plan;
    let contracts = Box::new(move || {
        let read = contracts()?;
        directory.set(&read.list);
        Ok(read)
    });
    Plan { contracts, ..plan }
}

/// Everybody of the settings is told from here on; `may`: only while it is so, if it is said.
pub(super) fn spawn(
    settings: &Settings,
    live: &mut Live,
    directory: &Arc<Directory>,
    told: &Arc<Told>,
    may: Option<&May>,
) -> Result<Notices, CliError> {
    letters(settings, live, may)?;
    breaches(settings, live, told, may)?;
    webhooks(settings, live, told, may)?;
    let pages = pages(settings, live, directory, told)?;
    if let (Some(pages), Some(may)) = (&pages, may) {
        pages.only_while(Arc::clone(may));
    }
    Ok(Notices { pages })
}

/// Whoever may not speak takes nothing: it is kept for whoever may.
pub(super) fn gated<T: 'static>(may: Option<&May>, mut takes: Takes<T>) -> Takes<T> {
    let Some(may) = may.cloned() else { return takes };
    Box::new(move |some| if may() { takes(some) } else { 0 })
}

#[cfg(feature = "kafka")]
fn letters(settings: &Settings, live: &mut Live, may: Option<&May>) -> Result<(), CliError> {
    use crate::publish::letters::Letters;
    use crate::runtime::feeds;

    let Some(wanted) = &settings.dead_letters else { return Ok(()) };
    let Some(cluster) = settings.clusters.get(&wanted.cluster) else {
        return Err(CliError::Other(format!("[dead-letters] names no cluster of the settings: {}", wanted.cluster)));
    };
    let mut letters = Letters::new(feeds::access(cluster), wanted.topic.clone());
    // Another topic knows nothing yet.
    let name = format!("{}/{}", wanted.cluster, wanted.topic);
    let takes = gated(may, Box::new(move |some: &[Letter]| letters.take(some)));
    let receiver = Receiver { name, from_the_beginning: true, takes, again_from: None };
    live.tell_letters(receiver).map(|_| ()).map_err(|error| CliError::Other(error.to_string()))
}

#[cfg(not(feature = "kafka"))]
fn letters(settings: &Settings, _: &mut Live, _: Option<&May>) -> Result<(), CliError> {
    if settings.dead_letters.is_some() {
        let what = "[dead-letters] names a Kafka topic, and this Onus was built without Kafka";
        return Err(CliError::Other(what.to_owned()));
    }
    Ok(())
}

#[cfg(feature = "kafka")]
fn breaches(settings: &Settings, live: &mut Live, told: &Arc<Told>, may: Option<&May>) -> Result<(), CliError> {
    use crate::publish::breaches::{Breaches, NAME};
    use crate::runtime::feeds;

    let Some(wanted) = &settings.breaches else { return Ok(()) };
    let Some(cluster) = settings.clusters.get(&wanted.cluster) else {
        return Err(CliError::Other(format!("[breaches] names no cluster of the settings: {}", wanted.cluster)));
    };
    let mut breaches = Breaches::new(feeds::access(cluster), wanted.topic.clone(), Arc::clone(told));
    // Another topic knows nothing yet.
    let name = format!("{NAME} {}/{}", wanted.cluster, wanted.topic);
    let takes = gated(may, Box::new(move |entries: &[Entry]| breaches.take(entries)));
    tell(live, Receiver { name, from_the_beginning: true, takes, again_from: None })
}

#[cfg(not(feature = "kafka"))]
fn breaches(settings: &Settings, _: &mut Live, _: &Arc<Told>, _: Option<&May>) -> Result<(), CliError> {
    if settings.breaches.is_some() {
        let what = "[breaches] names a Kafka topic, and this Onus was built without Kafka";
        return Err(CliError::Other(what.to_owned()));
    }
    Ok(())
}

fn webhooks(settings: &Settings, live: &mut Live, told: &Arc<Told>, may: Option<&May>) -> Result<(), CliError> {
    for one in &settings.webhooks {
        let wants = Wants {
            name: one.name.clone(),
            target: target(&one.web),
            secret: one.secret.file().to_owned(),
            partners: one.partners.clone(),
            standings: one.standings.clone(),
        };
        let mut webhook = Webhook::new(wants, Arc::clone(told), check::wall_clock).map_err(CliError::Other)?;
        let (name, from_the_beginning) = (webhook.name().to_owned(), one.from_the_beginning);
        let takes = gated(may, Box::new(move |entries: &[Entry]| webhook.take(entries)));
        tell(live, Receiver { name, from_the_beginning, takes, again_from: None })?;
    }
    Ok(())
}

fn tell(live: &mut Live, receiver: Receiver) -> Result<(), CliError> {
    live.tell(receiver).map(|_| ()).map_err(|error| CliError::Other(error.to_string()))
}

fn pages(
    settings: &Settings,
    live: &mut Live,
    directory: &Arc<Directory>,
    told: &Arc<Told>,
) -> Result<Option<Pages>, CliError> {
    if settings.alertmanagers.is_empty() {
        return Ok(None);
    }
    let alerting = &settings.alerting;
    let manner = Manner {
        resend: alerting.resend,
        mass: alerting.mass,
        findings_for: alerting.findings_for,
        link: alerting.link.clone(),
        labels: alerting.labels.clone(),
        deliveries: alerting.deliveries.clone(),
    };
    let peers = settings.alertmanagers.iter().map(|one| (one.name.clone(), target(&one.web))).collect();
    let (directory, told) = (Arc::clone(directory), Arc::clone(told));
    let pages =
        Pages::spawn(peers, manner, directory, told, live.entries(), check::wall_clock).map_err(CliError::Other)?;
    let receiver = Receiver {
        name: "pages".to_owned(),
        from_the_beginning: true,
        takes: Box::new(pages.takes()),
        again_from: Some(pages.again_from()),
    };
    pages.reached(live.tell(receiver).map_err(|error| CliError::Other(error.to_string()))?);
    if alerting.at_risk {
        let mut takes = pages.takes_risks();
        let risk =
            |one: Threatened| Risk { duty: one.duty, under: one.under, subject: one.subject, deadline: one.deadline };
        live.tell_threatened(Box::new(move |all, whole| takes(all.into_iter().map(risk).collect(), whole)));
    }
    Ok(Some(pages))
}

/// How somebody is reached.
pub(in crate::cli) fn target(web: &Web) -> Target {
    Target {
        url: web.url.clone(),
        ca: web.ca.clone(),
        own: web.own.clone(),
        login: match &web.login {
            None => Login::Nobody,
            Some(WebLogin::Basic { username, password }) => Login::Basic(username.clone(), password.file().to_owned()),
            Some(WebLogin::Bearer(token)) => Login::Bearer(token.file().to_owned()),
        },
        timeout: Duration::from_millis(web.timeout.unsigned_abs()),
    }
}
