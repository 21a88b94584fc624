//! Why a record told nothing: a skip is as it should be, an error goes to the dead letters.

use std::fmt;

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$one:meta])* $variant:ident = $word:literal : $means:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $(#[doc = $means] $variant,)+ }

        impl $name {
            /// All, in the order in which they are listed.
            pub const ALL: &[$name] = &[$($name::$variant,)+];

            /// As it is written.
            pub fn word(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }

            /// By its word.
            pub fn named(word: &str) -> Option<$name> {
                $name::ALL.iter().copied().find(|code| code.word() == word)
            }

            /// What it means, for people.
            pub fn means(self) -> &'static str {
                match self { $($name::$variant => $means,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

codes! {
    /// Why a record tells nothing, as it should be.
    Skip {
        Duplicate = "duplicate": "this state of the record was read already",
        Stale = "stale": "a newer state of the record was read already",
        NoChange = "no-change": "nothing that is told has changed",
        NotFinal = "not-final": "asked, begun or tried, but not done",
        NotRelevant = "not-relevant": "nothing that any contract could name: a read, a check, a note",
        Refused = "refused": "it was refused or failed, so nothing happened",
        NoCanonicalType = "no-canonical-type": "it happened, but no event of ours says it",
        Tombstone = "tombstone": "the record has no value: its key was deleted from the topic",
        DeletedRow = "deleted-row": "the row was deleted at its source; what was told of it stands",
    }
}

codes! {
    /// Why a record cannot be read.
    Error {
        NotJson = "not-json": "no JSON, or text that is neither JSON nor a shape that the source is known for",
        UnknownEnvelope = "unknown-envelope": "JSON, but none of the shapes that the source is known for",
        UnknownTable = "unknown-table": "a table that the settings do not describe",
        MissingId = "missing-id": "the record does not say which it is",
        MissingTime = "missing-time": "the record does not say when it happened",
        BadTime = "bad-time": "a time that is none, or that could be several",
        MissingSubject = "missing-subject": "the record does not say what it is about",
        UnknownPartner = "unknown-partner": "the settings name no partner for it",
        AmbiguousPartner = "ambiguous-partner": "the settings name several partners for it",
        UnmappedState = "unmapped-state": "a state or priority that the settings do not translate",
        BadField = "bad-field": "a field is missing that must be there, or holds something else than the mapper says",
        SchemaUnavailable = "schema-unavailable": "the schema that the record was written by cannot be had now; it is tried again",
        BadFrame = "bad-frame": "the bytes around the record are damaged or of an unknown kind",
        UnknownSchema = "unknown-schema": "the schema registry knows no schema of the id that the record names",
        BadSchema = "bad-schema": "the schema that the record was written by cannot be used",
        GlueFrame = "glue-frame": "the record is in a frame of AWS Glue's schema registry, which is not read",
        TooLarge = "too-large": "the record, or a name in it, is longer than any may be",
    }
}

/// Why there is no event, and what of the record says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum No {
    /// As it should be.
    Skip(Skip, String),
    /// For the dead letters.
    Error(Error, String),
}

impl No {
    pub(super) fn skip<T>(code: Skip, why: impl Into<String>) -> Result<T, No> {
        Err(No::Skip(code, why.into()))
    }

    pub(super) fn error<T>(code: Error, why: impl Into<String>) -> Result<T, No> {
        Err(No::Error(code, why.into()))
    }
}

/// What somebody else wrote, short and without what moves a terminal's cursor.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut short: String = text.chars().take(LONGEST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    format!("`{short}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_one_code() {
        let skips = Skip::ALL.iter().map(|c| c.word());
        let mut all: Vec<&str> = skips.chain(Error::ALL.iter().map(|c| c.word())).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
