//! The reference of all families, written from where they are declared.

use super::families::{About, FAMILIES, Family, Kind};
use std::fmt::Write as _;

const HEAD: &str = "# Metrics

Written from `src/telemetry/families.rs`: `ONUS_UPDATE=1 cargo test --test metrics` writes it anew.
[The guide](../guide/metrics.md) says how to scrape, and how a partner gets at its own figures.

- `/metrics` has every family. `/partners/PARTNER/metrics` has those of partners, of this partner alone.
- Text format 0.0.4, or OpenMetrics 1.0 where `Accept` asks for `application/openmetrics-text`. In OpenMetrics a counter's
  family is named without `_total`, and exemplars stand at the buckets.
- Words are those of the [glossary](../glossary.md); standings have hyphens.
- Every series of a partner and an obligation is there from the first page on, at 0 where nothing was told: what contracts
  name is known before anything comes. Where a figure cannot be said, its series is absent, and this page says when.
- Gauges of partners are of the owner of the shard. Over several processes take `max by (...)`, never `sum`: two may show one
  partner while one takes over from the other. Rules look at gauges; counters are history.
- Two contracts of one partner that have an obligation of the same id share its series: counts add up, instants are the
  earliest, the target is that of the contract that is last by name.
- No label has a value that an event brought: values are partners and obligations of contracts, sources and receivers of the
  settings, and words. A partner is seen that a contract names by a pattern; so there is a bound: of each family at most
  50,000 series are of partners; what lies beyond, by the names of partners in order, adds up under `partner=\"_other\"`
  (`obligation=\"_other\"`; instants are the earliest; nothing is said of targets), and `onus_metrics_truncated_total`
  counts it.
";

const TAIL: &str = "
## Left out, since it is not known

| | why |
|---|---|
| how many credentials there are, and how old | Onus keeps no inventory: `onus_credentials` counts those of which contracts owe something |
| acts that no obligation asks about | whether somebody answers for an act is known where an obligation asks: `onus_actions_total` |
| facts that are late or repeated, by source | the engine counts them for the shard: `onus_facts_total` |
";

/// docs/reference/metrics.md.
pub fn reference() -> String {
    let mut text = HEAD.to_owned();
    for (about, title) in [
        (About::Partners, "Of partners"),
        (About::Sources, "Of sources"),
        (About::Receivers, "Of receivers of notices"),
        (About::Process, "Of the process and its shard"),
    ] {
        let _ = writeln!(text, "\n## {title}\n\n| family | type | labels | what it says |\n|---|---|---|---|");
        for family in FAMILIES.iter().filter(|family| family.about == about) {
            let names: Vec<String> = family.labels.iter().map(|label| format!("`{}`", label.name)).collect();
            let _ = writeln!(
                text,
                "| `{}` | {} | {} | {} {} |",
                family.name,
                word(family),
                names.join(", "),
                family.help,
                family.words
            );
        }
    }
    text.push_str("\n## Labels\n\n| label | of | values |\n|---|---|---|\n");
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for label in FAMILIES.iter().flat_map(|family| family.labels) {
        if seen.contains(&(label.name, label.words)) {
            continue;
        }
        seen.push((label.name, label.words));
        let of: Vec<&str> = FAMILIES.iter().filter(|f| f.labels.contains(label)).map(|f| f.name).collect();
        let of = if of.len() > 4 { format!("{} families", of.len()) } else { format!("`{}`", of.join("`, `")) };
        let _ = writeln!(text, "| `{}` | {of} | {} |", label.name, label.words);
    }
    text.push_str(TAIL);
    text
}

fn word(family: &Family) -> &'static str {
    match family.kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
        Kind::Info => "gauge (info)",
    }
}
