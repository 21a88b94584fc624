//! Secrets: files of their own, never shown.

use std::fmt;
use std::path::{Path, PathBuf};

/// A secret's file. It is read when the secret is needed, so that a new one is found.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    file: PathBuf,
}

impl Secret {
    /// The one in this file.
    pub fn new(file: PathBuf) -> Secret {
        Secret { file }
    }

    /// Its file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// What the file holds, without the line end at its end.
    pub fn read(&self) -> Result<String, String> {
        let text = std::fs::read_to_string(&self.file).map_err(|error| format!("{}: {error}", self.file.display()))?;
        let secret = text.trim_end_matches(['\n', '\r']);
        if secret.is_empty() {
            return Err(format!("{}: is empty; it should hold the secret, and nothing else", self.file.display()));
        }
        Ok(secret.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret(in {})", self.file.display())
    }
}
