//! Series that rules make: one value where several processes say it, and what alerts and long memories need.

use super::{Group, Options, Rule};

/// Each by its name and its expression. `max by`, never `sum`, over processes: an owner that has just changed may be
/// seen twice for a moment. Sums are over what is distinct.
const RECORDS: &[(&str, &str)] = &[
    ("partner_obligation_standing:onus_duties:max", "max by (partner, obligation, standing) (onus_duties{@})"),
    ("partner_obligation:onus_duties_at_risk:max", "max by (partner, obligation) (onus_duties_at_risk{@})"),
    ("partner_obligation:onus_findings_open:max", "max by (partner, obligation) (onus_findings_open{@})"),
    (
        "partner_obligation_window:onus_compliance_ratio:max",
        "max by (partner, obligation, window) (onus_compliance_ratio{@})",
    ),
    (
        "partner_obligation:onus_compliance_margin:ratio",
        "max by (partner, obligation) (onus_compliance_ratio{window=\"current\"@})\n\
         - on (partner, obligation) max by (partner, obligation) (onus_target_ratio{@})",
    ),
    (
        "partner:onus_duties_breached:sum",
        "sum by (partner) (max by (partner, obligation) (onus_duties{standing=\"breached\"@}))",
    ),
    ("partner:onus_partner_blind:max", "max by (partner) (onus_partner_blind{@})"),
    (
        "source:onus_source_silence:seconds",
        // By the wall clock, as records arrive. One that has not spoken since the process began is silent since then.
        "time() - (max by (source) (onus_source_last_record_timestamp_seconds{@})\n  or on (source) max by (source) (\n    \
         onus_source_expected_interval_seconds{@} * 0\n    + on (job, instance) group_left () onus_start_time_seconds{@}))",
    ),
    (
        "source:onus_source_behind:seconds",
        "scalar(max(onus_clock_timestamp_seconds{@}))\n- max by (source) (onus_source_frontier_timestamp_seconds{@})",
    ),
    ("source:onus_source_lag_records:sum", "sum by (source) (max by (source, partition) (onus_source_lag_records{@}))"),
    ("onus:onus_clock_behind:seconds", "time() - min(onus_clock_timestamp_seconds{@})"),
];

pub(super) fn group(options: &Options) -> Group {
    let record = |(name, expr): &(&'static str, &str)| Rule::Record { name, expr: options.fill(expr) };
    Group {
        name: "onus-records",
        words: "One value for each thing, whichever process says it.",
        rules: RECORDS.iter().map(record).collect(),
    }
}
