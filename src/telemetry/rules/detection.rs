//! How soon a breach is declared, which is Onus's own promise: within a minute of the instant from which it can be known,
//! in 99 of 100 cases. Burn rates are for this and for nothing else here: duties come in tens a week, and a rate of so
//! few says nothing.

use super::{Alert, Concern, Group, Options, Rule, Severity};

/// Of a hundred declarations one may take longer than a minute.
const BUDGET: f64 = 0.01;

/// The names of the series by how far they look back.
const WINDOWS: [(&str, &str); 4] = [
    ("5m", "onus:onus_detection_delay_slow:ratio_rate5m"),
    ("30m", "onus:onus_detection_delay_slow:ratio_rate30m"),
    ("1h", "onus:onus_detection_delay_slow:ratio_rate1h"),
    ("6h", "onus:onus_detection_delay_slow:ratio_rate6h"),
];

pub(super) fn group(options: &Options) -> Group {
    let mut rules: Vec<Rule> = WINDOWS.iter().map(|(window, name)| record(options, window, name)).collect();
    // So much of a month's budget in so short a time: 2 % in an hour, 5 % in six.
    rules.push(burn(options, 14.4, ["1h", "5m"], Severity::Critical));
    rules.push(burn(options, 6.0, ["6h", "30m"], Severity::Warning));
    Group { name: "onus-detection", words: "How soon breaches are declared: Onus's own promise.", rules }
}

fn record(options: &Options, window: &str, name: &'static str) -> Rule {
    // A bound is written `60` in the plain format and `60.0` in OpenMetrics.
    let expr = format!(
        "1 - sum(rate(onus_detection_delay_seconds_bucket{{le=~\"60|60[.]0\"@}}[{window}]))\n\
         / sum(rate(onus_detection_delay_seconds_count{{@}}[{window}]))"
    );
    Rule::Record { name, expr: options.fill(&expr) }
}

fn burn(options: &Options, speed: f64, windows: [&str; 2], severity: Severity) -> Rule {
    let series = |window: &str| WINDOWS.iter().find(|(w, _)| *w == window).map_or("", |(_, name)| *name);
    let [long, short] = windows.map(series);
    let bound = speed * BUDGET;
    let mut expr = format!("{long}{{%}} > {bound:.3} and {short}{{%}} > {bound:.3}");
    if severity == Severity::Critical {
        // One slow declaration of a few is no reason to wake anybody.
        expr.push_str("\nand on () sum(increase(onus_detection_delay_seconds_count{@}[1h])) > 5");
    }
    Rule::Alert(Alert {
        name: "OnusDetectionSlow",
        expr: options.fill(&expr),
        lasts: "2m",
        keeps: "",
        severity,
        concern: Concern::Onus,
        has: &[],
        summary: "Breaches are declared too late",
        description: format!(
            "{{{{ $value | humanizePercentage }}}} of the breaches of the last {} were declared more than a minute after \
             they could be known; 1 % may be. The pages are right, and late.",
            windows[0]
        ),
    })
}
