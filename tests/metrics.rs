//! Figures: what the reference promises is what stands on the page, for whoever may see it.

#[path = "metrics/bounds.rs"]
mod bounds;
#[path = "support/checked_in.rs"]
mod checked_in;
#[path = "metrics/golden.rs"]
mod golden;
#[path = "metrics/held.rs"]
mod held;
#[path = "live/house.rs"]
#[expect(dead_code, reason = "what other tests of the program need besides")]
mod house;
#[path = "metrics/isolation.rs"]
mod isolation;
#[path = "metrics/minima.rs"]
mod minima;
#[path = "metrics/page.rs"]
mod page;
#[path = "metrics/promtool.rs"]
mod promtool;

use std::collections::BTreeSet;

#[test]
fn the_reference_is_written_from_the_declared_families() {
    checked_in::same("docs/reference/metrics.md", &onus::telemetry::reference());
}

#[test]
fn families_are_named_as_prometheus_wants_them() {
    use onus::telemetry::families::{FAMILIES, Kind};
    let mut seen = BTreeSet::new();
    for family in FAMILIES {
        let name = family.name;
        // In OpenMetrics a counter goes without its end: no other family may be called so.
        assert!(seen.insert(name.trim_end_matches("_total").trim_end_matches("_info")), "{name} stands twice");
        let ours = ["onus_", "process_"].iter().any(|prefix| name.starts_with(prefix));
        assert!(ours && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
        assert_eq!(name.ends_with("_total"), family.kind == Kind::Counter, "{name}");
        assert_eq!(name.ends_with("_info"), family.kind == Kind::Info, "{name}");
        assert!(family.help.ends_with('.') && !family.help.contains('\n'), "{name}: {}", family.help);
        assert!(!family.words.is_empty(), "{name}");
    }
}
