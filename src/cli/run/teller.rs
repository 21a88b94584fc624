//! What is decided, a JSON line each, to a file or standard output: after it is written down, at least once.

use crate::cli::CliError;
use crate::store::Message;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
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
        let opened = OpenOptions::new().create(true).read(true).append(true).open(path).and_then(|file| {
            end_line(&file)?;
            Ok(Teller::File(file))
        });
        opened.map_err(|error| CliError::Other(format!("--tell {}: {error}", path.display())))
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
            Teller::File(file) => {
                end_line(file).and_then(|()| file.write_all(lines.as_bytes())).and_then(|()| file.sync_data())
            }
        };
        match told {
            Ok(()) => messages.iter().map(|message| message.number).collect(),
            Err(error) => {
                tracing::error!("what was decided could not be told, and is tried again: {error}");
                Vec::new()
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
