//! What is decided, a JSON line each, to a file or standard output: after it is written down, at least once.

use crate::cli::CliError;
use crate::store::Message;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Where it is told.
pub(super) enum Teller {
    Out,
    File(File),
}

impl Teller {
    pub(super) fn open(path: &Path) -> Result<Teller, CliError> {
        if path.as_os_str() == "-" {
            return Ok(Teller::Out);
        }
        let file = OpenOptions::new().create(true).append(true).open(path);
        file.map(Teller::File).map_err(|error| CliError::Other(format!("--tell {}: {error}", path.display())))
    }

    /// Tells; gives the numbers of what was taken.
    pub(super) fn tell(&mut self, messages: &[Message]) -> Vec<u64> {
        let mut lines = String::new();
        for message in messages {
            lines.push_str(&message.body);
            lines.push('\n');
        }
        let told = match self {
            Teller::Out => {
                let mut out = io::stdout().lock();
                out.write_all(lines.as_bytes()).and_then(|()| out.flush())
            }
            Teller::File(file) => file.write_all(lines.as_bytes()).and_then(|()| file.sync_data()),
        };
        match told {
            Ok(()) => messages.iter().map(|message| message.number).collect(),
            Err(error) => {
                tracing::error!("what was decided could not be told, and is told at the next start: {error}");
                Vec::new()
            }
        }
    }
}
