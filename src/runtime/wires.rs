//! From settings to what takes off what records are wrapped in.

use crate::ingest::wire::{self, Registry, Wire};
use crate::settings::{Format, SourceSettings};
use std::sync::Arc;

/// What takes off what a source's records are wrapped in.
pub fn wire(source: &SourceSettings, registry: Option<Arc<Registry>>) -> Wire {
    let format = match source.format {
        Format::Auto => wire::Format::Auto,
        Format::Json => wire::Format::Json,
        Format::Confluent => wire::Format::Confluent,
    };
    Wire::new(format, registry)
}
