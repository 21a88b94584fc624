//! What an event says of whose it is, of which that alone is looked at.

use serde::Deserialize;
use std::borrow::Cow;

/// As much of an event as is needed to send it on.
#[derive(Debug, Deserialize)]
pub(crate) struct Said<'a> {
    /// Its type.
    #[serde(borrow, default, rename = "type")]
    pub(crate) kind: Option<Cow<'a, str>>,
    /// Its partner.
    #[serde(borrow, default)]
    pub(crate) partner: Option<Cow<'a, str>>,
    /// Its time.
    #[cfg(feature = "kafka")]
    #[serde(borrow, default)]
    pub(crate) time: Option<Cow<'a, str>>,
}
