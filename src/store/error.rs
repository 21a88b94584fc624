//! What may go wrong with a store, by what to do about it.

/// Why the store did not do what it was asked. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process owns the shard now: stop, write nothing more, tell nothing more.
    #[error(
        "another process has taken over (epoch {held} is no longer the newest): stop this one, or find out which else runs with this store"
    )]
    Fenced {
        /// The epoch that this process held.
        held: u64,
    },
    /// It is older than what this process wrote to it: a backup, or a standby that had not heard the last commits, stands
    /// in its place.
    #[error(
        "{target} has gone back to commit {has}, and this process wrote commit {wrote}: a backup, or a standby that had not \
         heard the last commits, has taken its place. Nothing more was written. Start again: what is missing is read and \
         decided anew, and told again under the same identity"
    )]
    WentBack {
        /// Which store.
        target: String,
        /// Its last commit.
        has: u64,
        /// The last one of this process.
        wrote: u64,
    },
    /// The world's fault, and it may pass: try again.
    #[error("{target}: {why}; it is tried again")]
    Unavailable {
        /// Which store, without secrets.
        target: String,
        /// What it said.
        why: String,
    },
    /// No room: nothing goes on until there is some.
    #[error("{target}: no space left: make room, nothing is lost and nothing is judged until then")]
    Full {
        /// Which store.
        target: String,
    },
    /// Written by a newer Onus.
    #[error(
        "{target} has schema {found}, this version of Onus knows {known}: run the version that wrote it, or a newer one"
    )]
    Newer {
        /// Which store.
        target: String,
        /// Its schema.
        found: u32,
        /// The newest that this program knows.
        known: u32,
    },
    /// It is not as it was written.
    #[error(
        "{target} is damaged: {what}; `onus store verify` tells how far it is whole, `onus store restore` brings a backup back"
    )]
    Damaged {
        /// Which store.
        target: String,
        /// What was found.
        what: String,
    },
    /// Anything else: a wrong password, a folder that may not be written. Trying again does not help.
    #[error("{target}: {why}")]
    Refused {
        /// Which store.
        target: String,
        /// What it said, and what to do.
        why: String,
    },
}

impl StoreError {
    /// Trying again later may help without anybody's doing.
    pub fn may_pass(&self) -> bool {
        matches!(self, StoreError::Unavailable { .. } | StoreError::Full { .. })
    }
}
