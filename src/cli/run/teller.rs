//! What is decided, a JSON line each, to a file or standard output: after it is written down, at least once.

use super::notices::gated;
use crate::cli::CliError;
use crate::publish::decided::Decided;
use crate::publish::pages::May;
use crate::runtime::live::Receiver;
use crate::store::Entry;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

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
        let opened = OpenOptions::new().create(true).read(true).append(true).open(path).and_then(|file| {
            end_line(&file)?;
            Ok(Teller::File(file))
        });
        opened.map_err(|error| CliError::Other(format!("--tell {}: {error}", path.display())))
    }

    /// From here on it is told. Shards of one process may share it: each line is whole.
    pub(super) fn receiver(teller: &Arc<Mutex<Teller>>, may: Option<&May>) -> Receiver {
        let teller = Arc::clone(teller);
        // A poisoned lock guards a file: the next line begins with a new one.
        let takes = move |entries: &[Entry]| teller.lock().unwrap_or_else(PoisonError::into_inner).tell(entries);
        // What was decided while nobody asked to be told is in the ledger.
        let takes = gated(may, Box::new(takes));
        Receiver { name: "tell".to_owned(), from_the_beginning: false, takes, again_from: None }
    }

    /// Tells; says how many were taken.
    fn tell(&mut self, entries: &[Entry]) -> usize {
        let mut lines = Vec::with_capacity(512 * entries.len());
        for entry in entries {
            // Into memory, and of plain values: it cannot fail.
            let _ = serde_json::to_writer(&mut lines, &Decided(entry));
            lines.push(b'\n');
        }
        let told = match self {
            Teller::Out => {
                let mut out = io::stdout().lock();
                out.write_all(&lines).and_then(|()| out.flush())
            }
            Teller::File(file) => end_line(file).and_then(|()| file.write_all(&lines)).and_then(|()| file.sync_data()),
        };
        match told {
            Ok(()) => entries.len(),
            Err(error) => {
                tracing::error!("what was decided could not be told, and is tried again: {error}");
                0
            }
        }
    }
}

/// A line that a crash or a full disk cut short is ended, so that what is told next is whole.
fn end_line(mut file: &File) -> io::Result<()> {
    let length = file.metadata()?.len();
    let mut last = [b'\n'];
    if length > 0 && file.metadata()?.is_file() {
        file.read_exact_at(&mut last, length - 1)?;
    }
    if last != [b'\n'] {
        file.write_all(b"\n")?;
    }
    Ok(())
}
