//! The proof that a page went out: a line in the log, and one in a file, for each that an Alertmanager has accepted.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Where it is written.
pub(super) struct Record(Option<Mutex<File>>);

/// One that was accepted.
pub(super) struct Delivery<'d> {
    pub(super) at: String,
    pub(super) peer: &'d str,
    /// The duty's id, or partner, contract and obligation of many.
    pub(super) alert: String,
    pub(super) entry: u64,
    pub(super) state: &'static str,
}

impl Record {
    pub(super) fn open(path: Option<&Path>) -> Result<Record, String> {
        let open = |path: &Path| {
            let file = OpenOptions::new().create(true).append(true).open(path);
            file.map(Mutex::new).map_err(|error| format!("[alerting] deliveries: {}: {error}", path.display()))
        };
        path.map(open).transpose().map(Record)
    }

    /// Written, and on the disk.
    pub(super) fn write(&self, deliveries: &[Delivery<'_>]) {
        let mut lines = String::new();
        for Delivery { at, peer, alert, entry, state } in deliveries {
            tracing::info!(peer, alert, entry, state, "page accepted");
            let line = serde_json::json!({ "at": at, "peer": peer, "alert": alert, "entry": entry, "state": state });
            lines.push_str(&line.to_string());
            lines.push('\n');
        }
        let Some(file) = &self.0 else { return };
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = file.write_all(lines.as_bytes()).and_then(|()| file.sync_data()) {
            tracing::error!("accepted pages could not be written down: {error}");
        }
    }
}
