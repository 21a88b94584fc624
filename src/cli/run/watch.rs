//! What people want of a running process: signals, changed contracts, and a changed catalogue.

use super::{plan, wish};
use crate::cli::CliError;
use crate::ingest::feed::{Sender, Wish};
use crate::settings::Settings;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};
use tokio::signal::unix::{SignalKind, signal};

/// How often the contracts' files are looked at.
const LOOK: Duration = Duration::from_secs(2);

/// It watches until the flag is set.
pub(super) struct Watching(Option<JoinHandle<()>>);

impl Watching {
    pub(super) fn stop(mut self) {
        if let Some(thread) = self.0.take() {
            let _ = thread.join();
        }
    }
}

pub(super) fn spawn(settings: &Settings, sender: &Sender, stop: Arc<AtomicBool>) -> Result<Watching, CliError> {
    let failed = |error: std::io::Error| CliError::Other(format!("signals cannot be heard: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let (mut ends, mut interrupts, mut hangups) = {
        let _inside = runtime.enter();
        (
            signal(SignalKind::terminate()).map_err(failed)?,
            signal(SignalKind::interrupt()).map_err(failed)?,
            signal(SignalKind::hangup()).map_err(failed)?,
        )
    };
    let (contracts, catalogue) = (&settings.contracts, &settings.catalogue);
    let paths: Vec<PathBuf> = contracts.paths.iter().chain(&contracts.library).chain(catalogue).cloned().collect();
    let sender = sender.clone();
    let thread = std::thread::Builder::new().name("watch".to_owned()).spawn(move || {
        runtime.block_on(async {
            let mut seen = look(&paths);
            let mut ticks = tokio::time::interval(Duration::from_millis(100));
            let mut next = tokio::time::Instant::now() + LOOK;
            loop {
                let wants = tokio::select! {
                    _ = ends.recv() => Some(Wish::Stop),
                    _ = interrupts.recv() => Some(Wish::Stop),
                    _ = hangups.recv() => Some(Wish::Reload),
                    _ = ticks.tick() => None,
                };
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                match wants {
                    Some(Wish::Stop) => {
                        tracing::info!("asked to stop");
                        stop.store(true, Ordering::Relaxed);
                        return;
                    }
                    Some(wanted) => wish(&sender, wanted),
                    None if tokio::time::Instant::now() >= next => {
                        next = tokio::time::Instant::now() + LOOK;
                        let now = look(&paths);
                        if now != seen {
                            seen = now;
                            wish(&sender, Wish::Reload);
                        }
                    }
                    None => {}
                }
            }
        });
    });
    thread.map(|thread| Watching(Some(thread))).map_err(failed)
}

/// Which files there are, how long, and when they were written.
fn look(paths: &[PathBuf]) -> Vec<(PathBuf, u64, Option<SystemTime>)> {
    let seen = plan::files(paths).into_iter().filter_map(|file| {
        let about = file.metadata().ok()?;
        Some((file, about.len(), about.modified().ok()))
    });
    seen.collect()
}
