//! What every code means, at length: the one source of `onus lint --explain`, of the rules in SARIF, and of
//! docs/reference/contract-errors.md.

pub(crate) mod clocks;
pub(crate) mod files;
pub(crate) mod gaps;
pub(crate) mod mappers;
pub(crate) mod names;
mod page;
pub(crate) mod sense;
pub(crate) mod several;
pub(crate) mod shape;
pub(crate) mod values;

pub use page::{page, text};

/// A code at length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// A name for it, `unknown-key`.
    pub name: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
    /// Why it is refused, or warned of.
    pub why: &'static str,
    /// A wrong one and a right one.
    pub example: Example,
}

/// What an explanation shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Example {
    /// Part of a contract, or a whole one; what begins with a dash is an obligation. Both are read by a test.
    Contract {
        /// With the problem.
        broken: &'static str,
        /// Without it.
        mended: &'static str,
    },
    /// Part of a mapper. Both are read by a test.
    Mapper {
        /// With the problem.
        broken: &'static str,
        /// Without it.
        mended: &'static str,
    },
    /// What no contract by itself can show: files, bytes, commands.
    Around {
        /// With the problem.
        broken: &'static str,
        /// Without it.
        mended: &'static str,
    },
}

impl Example {
    /// The wrong one.
    pub fn broken(&self) -> &'static str {
        match self {
            Example::Contract { broken, .. } | Example::Mapper { broken, .. } | Example::Around { broken, .. } => {
                broken
            }
        }
    }

    /// The right one.
    pub fn mended(&self) -> &'static str {
        match self {
            Example::Contract { mended, .. } | Example::Mapper { mended, .. } | Example::Around { mended, .. } => {
                mended
            }
        }
    }
}
