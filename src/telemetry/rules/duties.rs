//! Alerts about a contract's duties.

use super::{Alert, Concern, Group, Options, Rule, Severity, length, seconds};

const BOTH: &[&str] = &["partner", "obligation"];

pub(super) fn group(options: &Options) -> Group {
    let alert = |name, expr: &str, lasts, severity, summary, description: &str| {
        let (expr, description, concern) = (options.fill(expr), description.to_owned(), Concern::Duties);
        // Of what stands for hours and is not to be told as over while Onus starts again.
        let keeps = if matches!(name, "OnusBreached" | "OnusVerdictUnknown") { "10m" } else { "" };
        Rule::Alert(Alert { name, expr, lasts, keeps, severity, concern, has: BOTH, summary, description })
    };
    // As bad as the pushed page: what the contract calls a ticket or a note wakes nobody. What it calls nothing, does.
    let breached = |joined, severity| {
        let expr = format!(
            "max by (partner, obligation) (onus_duties{{standing=\"breached\"@}}) > 0\n\
             {joined} on (partner, obligation) onus_obligation_info{{severity=~\"ticket|note\"@}}"
        );
        alert(
            "OnusBreached",
            &expr,
            "2m",
            severity,
            "{{ $labels.partner }} is in breach of {{ $labels.obligation }}",
            "{{ $value }} duties of {{ $labels.partner }} under {{ $labels.obligation }} are past their deadline and still \
             not done. This is the backstop of the page that names the duty: if it reaches you, that page did not go out.",
        )
    };
    let exhausting = format!(
        "max by (partner, obligation) (onus_allowance_remaining{{@}}) >= 0\n\
         and on (partner, obligation) max by (partner, obligation) (onus_allowance_remaining{{@}}) <= {}\n\
         and on (partner, obligation) max by (partner, obligation) (onus_compliance_ratio{{window=\"current\"@}}) < 1\n\
         and on (partner, obligation)\n  max by (partner, obligation) (onus_window_end_timestamp_seconds{{@}})\n  \
         - scalar(max(onus_clock_timestamp_seconds{{@}})) > {}",
        options.allowance,
        seconds(options.ahead),
    );
    let ahead = length(options.ahead);
    Group {
        name: "onus-duties",
        words: "Contracted duties: the backstop of the pushed pages, and what only a look over many duties can say.",
        rules: vec![
            breached("unless", Severity::Critical),
            breached("and", Severity::Warning),
            alert(
                "OnusAtRisk",
                "partner_obligation:onus_duties_at_risk:max{%} > 0",
                "5m",
                Severity::Warning,
                "{{ $labels.partner }} is about to break {{ $labels.obligation }}",
                "{{ $value }} duties of {{ $labels.partner }} under {{ $labels.obligation }} are past their warning \
                 instant and not done yet.",
            ),
            alert(
                "OnusFindingNew",
                "partner_obligation:onus_findings_open:max{%}\n\
                 > min_over_time(partner_obligation:onus_findings_open:max{%}[1d])",
                "0s",
                Severity::Warning,
                "A new finding against {{ $labels.partner }} under {{ $labels.obligation }}",
                "{{ $labels.partner }} did something that {{ $labels.obligation }} forbids, within the last day; \
                 {{ $value }} findings stand. A finding cannot be mended by being quick, only explained or waived.",
            ),
            alert(
                "OnusVerdictUnknown",
                "max by (partner, obligation) (onus_duties{standing=\"unknown\"@}) > 0",
                "15m",
                Severity::Warning,
                "It is not known whether {{ $labels.partner }} keeps {{ $labels.obligation }}",
                "The deadline of {{ $value }} duties of {{ $labels.partner }} under {{ $labels.obligation }} has passed, \
                 but a source that could show the act has not been heard up to then. They are neither met nor breached.",
            ),
            alert(
                "OnusComplianceBelowTarget",
                "partner_obligation:onus_compliance_margin:ratio{%} < 0",
                "15m",
                Severity::Warning,
                "{{ $labels.partner }} is below the contracted target of {{ $labels.obligation }}",
                "In this window {{ $labels.partner }} is {{ $value | humanizePercentage }} away from the target that the \
                 contract sets for {{ $labels.obligation }}.",
            ),
            alert(
                "OnusAllowanceExhausting",
                &exhausting,
                "15m",
                Severity::Warning,
                "{{ $labels.partner }} may break {{ $labels.obligation }} only {{ $value }} more times in this window",
                &format!(
                    "{{{{ $labels.partner }}}} has broken {{{{ $labels.obligation }}}} before in this window, may do so \
                     {{{{ $value }}}} more times and still reach the target, and the window goes on for more than {ahead}."
                ),
            ),
        ],
    }
}
