//! Dead letters: records that could not be read or placed, kept with their reason.

use std::fmt;

/// Why a record could not be read. Each names what is wrong and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not JSON, or JSON of the wrong shape.
    #[error("no JSON event: {0}")]
    Json(String),
    /// Not UTF-8.
    #[error("invalid UTF-8 at byte {byte}: send the record as UTF-8")]
    Utf8 {
        /// First bad byte, from 1.
        byte: usize,
    },
    /// Too long.
    #[error(
        "{bytes} bytes long, more than the {} that a record may have: send a reference instead of the text",
        super::LONGEST
    )]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// A NUL character.
    #[error("contains a NUL character (\\u0000): no store keeps it; strip it at the source")]
    Nul,
    /// A required attribute is absent.
    #[error("no CloudEvent: attribute `{0}` is missing")]
    Missing(&'static str),
    /// A required attribute is empty.
    #[error("attribute `{0}` is empty")]
    Empty(&'static str),
    /// Control characters in a name.
    #[error("attribute `{0}` contains a control character")]
    Control(&'static str),
    /// Another version.
    #[error("specversion is `{0}`: only CloudEvents 1.0 is read")]
    Version(String),
    /// A name longer than any name is.
    #[error("attribute `{name}` has {bytes} bytes, more than {most}")]
    LongName {
        /// Which.
        name: &'static str,
        /// Its length.
        bytes: usize,
        /// The limit.
        most: usize,
    },
    /// No instant.
    #[error(
        "attribute `{name}` is no instant: `{text}`; write RFC 3339 with an offset, such as 2026-01-05T09:12:33.120Z"
    )]
    Time {
        /// Which.
        name: &'static str,
        /// What it says.
        text: String,
    },
    /// Before anything that Onus could judge.
    #[error("time {0} lies before 1970: a zero or default value, not when it happened")]
    Ancient(String),
    /// Nobody's.
    #[error("event names no partner: set the `partner` attribute, or let intake resolve it by a contract's scope")]
    NoPartner,
    /// A handover without its two sides.
    #[error(
        "subject.rehomed says not what goes from whom to whom: set `from` and `to` in its data to the names of two partners, or \
         `unowned`, and let its subject be neither"
    )]
    Handover,
    /// No list of partners.
    #[error(
        "`partners`, `from` or `to` in its data name no partners: list at most {most} names of at most 1024 bytes, without control \
         characters"
    )]
    Partners {
        /// So many may be listed.
        most: usize,
    },
    /// Said by a source that may not say it.
    #[error("its source may not say {0}: let its `types` in the settings have it, or find out who sent it")]
    Unauthorised(String),
}

impl DecodeError {
    /// Stable, without the particulars.
    pub fn name(&self) -> &'static str {
        match self {
            DecodeError::Json(_) => "Json",
            DecodeError::Utf8 { .. } => "Utf8",
            DecodeError::TooLong { .. } => "TooLong",
            DecodeError::Nul => "Nul",
            DecodeError::Missing(_) => "Missing",
            DecodeError::Empty(_) => "Empty",
            DecodeError::Control(_) => "Control",
            DecodeError::Version(_) => "Version",
            DecodeError::LongName { .. } => "LongName",
            DecodeError::Time { .. } => "Time",
            DecodeError::Ancient(_) => "Ancient",
            DecodeError::NoPartner => "NoPartner",
            DecodeError::Handover => "Handover",
            DecodeError::Partners { .. } => "Partners",
            DecodeError::Unauthorised(_) => "Unauthorised",
        }
    }
}

/// A record that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Line, from 1.
    pub line: u64,
    /// How it begins, made printable.
    pub excerpt: String,
    /// Why.
    pub error: DecodeError,
}

impl DeadLetter {
    /// Of a line.
    pub fn new(line: u64, bytes: &[u8], error: DecodeError) -> DeadLetter {
        let mut excerpt: String = String::from_utf8_lossy(&bytes[..bytes.len().min(80)])
            .chars()
            .map(|c| if c.is_control() { '\u{fffd}' } else { c })
            .collect();
        if bytes.len() > 80 {
            excerpt.push('…');
        }
        DeadLetter { line, excerpt, error }
    }
}

impl fmt::Display for DeadLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.error)
    }
}
