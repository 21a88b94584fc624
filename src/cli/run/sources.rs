//! The sources of the settings, each begun where it was read to.

use crate::cli::{CliError, check};
use crate::decode::LONGEST;
use crate::exchange::lanes::{Lane, Share};
use crate::ingest::feed::{FeedId, Portion, Quota, Sender};
use crate::ingest::http::{Token, digest};
use crate::ingest::tail::{self, Tail, Tailing};
use crate::ingest::wire::Wire;
use crate::runtime::live::Unwrap;
use crate::runtime::live::halts::Decide;
#[cfg(feature = "kafka")]
use crate::runtime::live::halts::Whence;
use crate::runtime::wires;
use crate::settings::{Origin, Role, Settings, SourceSettings};
use crate::store::Position;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How often a file is looked at.
const POLL: Duration = Duration::from_millis(200);

/// How each source is taken in while others wait, in the order of the settings. A judge reads none of them: what comes
/// through an exchange was shared out where it was read.
pub(super) fn portions(settings: &Settings) -> Vec<Portion> {
    let reads = matches!(settings.role, Role::All | Role::Intake);
    let quota = |(records, each): (u64, i64)| Quota { records, each: Duration::from_millis(each.unsigned_abs()) };
    let one = |source: &SourceSettings| Portion { share: source.share, quota: source.quota.map(quota) };
    settings.sources.iter().filter(|_| reads).map(one).collect()
}

/// Sources that run.
pub(super) struct Sources {
    files: Vec<Tailing>,
    /// What takes off what records of a source are wrapped in.
    wires: Vec<(FeedId, Arc<Wire>)>,
    #[cfg(feature = "kafka")]
    topics: Vec<(String, crate::ingest::kafka::Handle)>,
}

impl Sources {
    /// Begins all of them.
    pub(super) fn spawn(
        settings: &Settings,
        known: &dyn Fn(FeedId) -> Vec<Position>,
        sender: &Sender,
    ) -> Result<Sources, CliError> {
        let all = vec![Share::Whole; settings.sources.len()];
        Sources::share(settings, (Lane::ONLY, &all), known, sender)
    }

    /// Begins a lane's share of each.
    pub(super) fn share(
        settings: &Settings,
        (lane, shares): (Lane, &[Share]),
        known: &dyn Fn(FeedId) -> Vec<Position>,
        sender: &Sender,
    ) -> Result<Sources, CliError> {
        let mut sources = Sources {
            files: Vec::new(),
            wires: Vec::new(),
            #[cfg(feature = "kafka")]
            topics: Vec::new(),
        };
        #[cfg(feature = "kafka")]
        let registries = kafka::registries(settings);
        for (at, (source, share)) in settings.sources.iter().zip(shares).enumerate() {
            let own = match share {
                Share::Nothing => continue,
                Share::Partitions => lane,
                Share::Whole | Share::Pushed => Lane::ONLY,
            };
            let feed = FeedId(at as u16);
            let known = known(feed);
            match &source.origin {
                Origin::File { path, follow } => {
                    let wire = sources.wire(feed, source);
                    sources.files.push(file(feed, path.clone(), *follow, &known, wire, sender)?);
                }
                Origin::Stdin => {
                    let wire = sources.wire(feed, source);
                    sources.files.push(file(feed, PathBuf::from("-"), false, &[], wire, sender)?);
                }
                Origin::Http { .. } => {
                    sources.wire(feed, source);
                }
                #[cfg(feature = "kafka")]
                Origin::Kafka { cluster, .. } => {
                    let wire = kafka::wire(settings, source, cluster, &registries);
                    sources.wires.push((feed, Arc::clone(&wire)));
                    let handle = kafka::topic(settings, (source, own), feed, cluster, wire, &known, sender)?;
                    sources.topics.push((source.name.clone(), handle));
                }
                #[cfg(not(feature = "kafka"))]
                Origin::Kafka { .. } => {
                    let _ = own;
                    return Err(CliError::Other(format!(
                        "the source `{}` is a Kafka topic, and this Onus was built without Kafka: build it with the feature `kafka`",
                        source.name
                    )));
                }
            }
        }
        Ok(sources)
    }

    /// What takes off what records are wrapped in that come without a registry.
    fn wire(&mut self, feed: FeedId, source: &SourceSettings) -> Arc<Wire> {
        let wire = Arc::new(wires::wire(source, None));
        self.wires.push((feed, Arc::clone(&wire)));
        wire
    }

    /// What takes off what records of each source are wrapped in.
    pub(super) fn wires(&self) -> &[(FeedId, Arc<Wire>)] {
        &self.wires
    }

    /// Begins to read a partition of the exchange, and nothing else.
    #[cfg(feature = "kafka")]
    pub(super) fn exchange(name: &str, handle: crate::ingest::kafka::Handle) -> Sources {
        Sources { files: Vec::new(), wires: Vec::new(), topics: vec![(name.to_owned(), handle)] }
    }

    /// Carries out what is decided about halted partitions.
    pub(super) fn decide(&self) -> Decide {
        #[cfg(feature = "kafka")]
        {
            use crate::ingest::kafka::{Decider, GoOn};
            let topics: Vec<(String, Decider)> =
                self.topics.iter().map(|(name, handle)| (name.clone(), handle.decider())).collect();
            Box::new(move |decision| {
                let go_on = match decision.from {
                    Whence::Earliest => GoOn::Earliest,
                    Whence::Latest => GoOn::Latest,
                    Whence::Offset(offset) => GoOn::At(offset),
                    Whence::At(at) => GoOn::Since(at),
                };
                for (_, decider) in topics.iter().filter(|(name, _)| *name == decision.source) {
                    decider.resume_after_halt(decision.partition, go_on);
                }
            })
        }
        #[cfg(not(feature = "kafka"))]
        Box::new(|_| {})
    }

    /// Reads letters again that could not be unwrapped.
    pub(super) fn unwrap(&self) -> Unwrap {
        let wires = self.wires.clone();
        Box::new(move |feed, kept| wires.iter().find(|(whose, _)| *whose == feed).map(|(_, wire)| wire.again(kept)))
    }

    /// These positions are written down.
    pub(super) fn committed(&self, positions: &[Position]) {
        #[cfg(feature = "kafka")]
        for (name, handle) in &self.topics {
            let own = positions.iter().filter(|position| position.source == *name);
            let own: Vec<(i32, u64)> = own.map(|position| (position.partition, position.next)).collect();
            if !own.is_empty() {
                handle.committed(&own);
            }
        }
        #[cfg(not(feature = "kafka"))]
        let _ = positions;
    }

    /// Ends them, within this time each.
    pub(super) fn stop(self, within: Duration) {
        for file in self.files {
            file.stop();
        }
        #[cfg(feature = "kafka")]
        for (_, handle) in self.topics {
            if let Err(stuck) = handle.stop(within) {
                tracing::warn!("{stuck}");
            }
        }
        #[cfg(not(feature = "kafka"))]
        let _ = within;
    }
}

fn file(
    feed: FeedId,
    path: PathBuf,
    follow: bool,
    known: &[Position],
    wire: Arc<Wire>,
    sender: &Sender,
) -> Result<Tailing, CliError> {
    let from = known.first().map(|position| tail::Start {
        incarnation: position.incarnation.clone(),
        next: position.next,
        last: position.last,
    });
    let tail = Tail { feed, path, follow, from, longest: LONGEST, wire, poll: POLL, clock: check::wall_clock };
    tail::spawn(tail, sender.clone()).map_err(|error| CliError::Other(format!("no thread for a source: {error}")))
}

/// Who may send events; None: no source is pushed to.
pub(super) fn tokens(settings: &Settings) -> Result<Option<Vec<Token>>, CliError> {
    let mut tokens = Vec::new();
    let mut pushed = false;
    for (at, source) in settings.sources.iter().enumerate() {
        let Origin::Http { token } = &source.origin else { continue };
        pushed = true;
        if let Some(secret) = token {
            let text = secret.read().map_err(CliError::Other)?;
            tokens.push(Token { feed: FeedId(at as u16), sha256: digest(&text) });
        }
    }
    if let Some(path) = settings.http.tokens.as_ref().filter(|_| pushed) {
        let name = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| CliError::Other(format!("{name}: {error}")))?;
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let wrong = |what: &str| CliError::Other(format!("{name}, line {}: {what}", number + 1));
            let (source, hash) = line.trim().split_once(char::is_whitespace).ok_or_else(|| {
                wrong("a line is the name of a source, a blank, and the SHA-256 of its token in hexadecimal")
            })?;
            let http = |s: &crate::settings::SourceSettings| matches!(s.origin, Origin::Http { .. });
            let feed = settings.sources.iter().position(|s| s.name == source && http(s));
            let feed = feed.ok_or_else(|| wrong(&format!("`{source}` is no source of kind http in the settings")))?;
            let sha256 = hex(hash.trim()).ok_or_else(|| wrong("the hash has 64 hexadecimal digits"))?;
            tokens.push(Token { feed: FeedId(feed as u16), sha256 });
        }
    }
    Ok(pushed.then_some(tokens))
}

fn hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(feature = "kafka")]
mod kafka {
    use super::*;
    use crate::ingest::kafka::Handle;
    use crate::ingest::wire::Registry;
    use crate::runtime::feeds;
    use std::collections::BTreeMap;

    /// Each of them is asked once, whatever the number of sources that need it.
    pub(super) type Registries = BTreeMap<String, Arc<Registry>>;

    pub(super) fn registries(settings: &Settings) -> Registries {
        let one = |(name, web): (&String, &crate::settings::Web)| {
            (name.clone(), Arc::new(Registry::new(crate::cli::run::target(web))))
        };
        settings.registries.iter().map(one).collect()
    }

    pub(super) fn wire(
        settings: &Settings,
        source: &SourceSettings,
        cluster: &str,
        registries: &Registries,
    ) -> Arc<Wire> {
        let name = settings.clusters.get(cluster).and_then(|cluster| cluster.registry.as_ref());
        let registry = name.and_then(|name| registries.get(name)).cloned();
        Arc::new(wires::wire(source, registry))
    }

    pub(super) fn topic(
        settings: &Settings,
        (source, lane): (&SourceSettings, Lane),
        feed: FeedId,
        cluster: &str,
        wire: Arc<Wire>,
        known: &[Position],
        sender: &Sender,
    ) -> Result<Handle, CliError> {
        let name = &source.name;
        let Some(cluster) = settings.clusters.get(cluster) else {
            return Err(CliError::Other(format!("the source `{name}` names no cluster of the settings")));
        };
        match feeds::kafka(feed, (source, lane), cluster, wire, known, check::wall_clock, sender.clone()) {
            Some(begun) => {
                begun.map_err(|error| CliError::Other(format!("no thread for the source `{name}`: {error}")))
            }
            None => Err(CliError::Other(format!("the source `{name}` is no Kafka topic"))),
        }
    }
}
