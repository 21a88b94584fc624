//! From settings to what takes off what records are wrapped in.

use crate::ingest::wire::{self, Registry, Wire};
use crate::settings::{Format, Origin, SourceSettings};
use std::sync::Arc;

/// What takes off what a source's records are wrapped in.
pub fn wire(source: &SourceSettings, registry: Option<Arc<Registry>>) -> Wire {
    let kafka = matches!(source.origin, Origin::Kafka { .. });
    let format = match source.format {
        Format::Auto => wire::Format::Auto,
        Format::Json => wire::Format::Json,
        Format::Confluent => wire::Format::Confluent,
    };
    if kafka { Wire::new(format, registry) } else { Wire::frameless(format) }
}
