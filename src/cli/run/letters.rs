//! From settings to the topic on which dead letters are told besides.

use crate::cli::CliError;
use crate::runtime::live::Live;
use crate::settings::Settings;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Who tells them, if anybody does.
pub(super) struct Telling(Option<JoinHandle<()>>);

impl Telling {
    /// What is under way is told, if that is soon; the rest is told at the next start.
    pub(super) fn wait(self, within: Duration) {
        let Some(thread) = self.0 else { return };
        let until = Instant::now() + within;
        while !thread.is_finished() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[cfg(feature = "kafka")]
pub(super) fn outlet(settings: &Settings, live: &mut Live) -> Result<Telling, CliError> {
    use crate::publish::letters;
    use crate::runtime::feeds;
    use crate::runtime::live::Outlet;
    use std::sync::Arc;
    use std::sync::atomic::AtomicU64;
    use std::sync::mpsc::sync_channel;

    let Some(wanted) = &settings.dead_letters else { return Ok(Telling(None)) };
    let Some(cluster) = settings.clusters.get(&wanted.cluster) else {
        return Err(CliError::Other(format!("[dead-letters] names no cluster of the settings: {}", wanted.cluster)));
    };
    let (sender, receiver) = sync_channel(16);
    let done = Arc::new(AtomicU64::new(0));
    let name = format!("{}/{}", wanted.cluster, wanted.topic);
    live.tell_letters_to(Outlet { name, letters: sender, done: Arc::clone(&done) });
    let thread = letters::spawn(feeds::access(cluster), wanted.topic.clone(), receiver, done);
    thread
        .map(|thread| Telling(Some(thread)))
        .map_err(|error| CliError::Other(format!("no thread for dead letters: {error}")))
}

#[cfg(not(feature = "kafka"))]
pub(super) fn outlet(settings: &Settings, _: &mut Live) -> Result<Telling, CliError> {
    if settings.dead_letters.is_some() {
        let what = "[dead-letters] names a Kafka topic, and this Onus was built without Kafka";
        return Err(CliError::Other(what.to_owned()));
    }
    Ok(Telling(None))
}
