//! Recording and alerting rules for Prometheus: a table, and the text that Prometheus reads.
//!
//! The pages that name a duty are pushed. What stands here is their backstop, what only a look over many duties can say,
//! and the watch over Onus itself. All of it rests on gauges: a counter that is first seen at 1 has never increased.

mod detection;
mod duties;
mod records;
mod watch;
mod write;

use onus_engine::time::{DAY, HOUR, MINUTE, Millis};

/// What users change.
#[derive(Clone, Debug)]
pub struct Options {
    /// Matchers that every series must have, such as `job="onus"`; empty: any series.
    pub selector: String,
    /// Labels that every rule gets, so that the rules of two installations can stand in one Prometheus.
    pub labels: Vec<(String, String)>,
    /// What stands before a runbook's name and `.md`.
    pub runbooks: String,
    /// Longer than so many of its own intervals, and a source is silent.
    pub silence: u32,
    /// More records than these wait, and it does not get better: lag.
    pub lag: u64,
    /// A source that is heard only up to this long ago holds verdicts back.
    pub behind: Millis,
    /// The judge's clock may be so far behind Prometheus's.
    pub clock: Millis,
    /// The ledger is to have been verified in this time.
    pub ledger: Millis,
    /// So few further breaches are allowed in the window.
    pub allowance: u32,
    /// With more of the window to come than this, a small allowance is worth a word.
    pub ahead: Millis,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            selector: String::new(),
            labels: Vec::new(),
            runbooks: "docs/runbooks/".to_owned(),
            silence: 3,
            lag: 1_000,
            behind: 15 * MINUTE,
            clock: 2 * MINUTE,
            ledger: 3 * HOUR,
            allowance: 1,
            ahead: 7 * DAY,
        }
    }
}

/// Rules that are worked out together, in this order.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub words: &'static str,
    /// In this order.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Clone, Debug)]
pub enum Rule {
    /// A series of its own.
    Record {
        /// `level:metric:operation`
        name: &'static str,
        /// PromQL.
        expr: String,
    },
    /// An alert.
    Alert(Alert),
}

/// One alert.
#[derive(Clone, Debug)]
pub struct Alert {
    /// Its name; its runbook has the same.
    pub name: &'static str,
    /// PromQL.
    pub expr: String,
    /// How long it must hold, as Prometheus writes it.
    pub lasts: &'static str,
    /// How long it goes on after it no longer holds, likewise; empty: not at all. A restart is no recovery.
    pub keeps: &'static str,
    /// How bad.
    pub severity: Severity,
    /// Whose work it is.
    pub concern: Concern,
    /// `partner` and `obligation` as the expression has them; where it has not, the label says `none`.
    pub has: &'static [&'static str],
    /// One line.
    pub summary: &'static str,
    /// What it means.
    pub description: String,
}

/// How bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Somebody is woken.
    Critical,
    /// Somebody looks in working hours.
    Warning,
    /// Always there: its absence is the alarm.
    None,
}

/// Whose work it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concern {
    /// A contract's duties.
    Duties,
    /// Onus itself.
    Onus,
}

impl Severity {
    /// As the label says it.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Critical => "critical",
            Severity::Warning => "warning",
            Severity::None => "none",
        }
    }
}

impl Concern {
    /// As the label says it.
    pub fn word(self) -> &'static str {
        match self {
            Concern::Duties => "duties",
            Concern::Onus => "onus",
        }
    }
}

/// All of them.
pub fn groups(options: &Options) -> Vec<Group> {
    vec![records::group(options), duties::group(options), watch::group(options), detection::group(options)]
}

/// The file that Prometheus reads.
pub fn text(options: &Options) -> String {
    write::text(&groups(options), options)
}

impl Options {
    /// `@` becomes the matchers of every series as it is scraped, `%` those of series that rules have made.
    fn fill(&self, expr: &str) -> String {
        let own: Vec<String> = self.labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        put(&put(expr, '@', &self.selector), '%', &own.join(","))
    }
}

/// `{a="b"@}` with what stands for the sign, or with nothing.
fn put(expr: &str, sign: char, matchers: &str) -> String {
    let alone = format!("{{{sign}}}");
    if matchers.is_empty() {
        return expr.replace(&alone, "").replace(sign, "");
    }
    expr.replace(&alone, &format!("{{{matchers}}}")).replace(sign, &format!(",{matchers}"))
}

/// A length as Prometheus writes it.
fn length(millis: Millis) -> String {
    match millis {
        m if m % DAY == 0 => format!("{}d", m / DAY),
        m if m % HOUR == 0 => format!("{}h", m / HOUR),
        m if m % MINUTE == 0 => format!("{}m", m / MINUTE),
        m => format!("{}s", m / 1_000),
    }
}

/// Whole seconds.
fn seconds(millis: Millis) -> i64 {
    millis / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matchers_are_put_where_they_belong_and_leave_nothing_where_there_are_none() {
        let mut options = Options::default();
        assert_eq!(options.fill(r#"a{@} - b{x="y"@} > c{%}"#), r#"a - b{x="y"} > c"#);
        options.selector = r#"job="onus""#.to_owned();
        options.labels = vec![("site".to_owned(), "north".to_owned())];
        let want = r#"a{job="onus"} - b{x="y",job="onus"} > c{site="north"}"#;
        assert_eq!(options.fill(r#"a{@} - b{x="y"@} > c{%}"#), want);
    }

    #[test]
    fn a_word_for_every_alert_and_none_twice_but_where_it_is_of_two_severities() {
        let mut names = Vec::new();
        for group in groups(&Options::default()) {
            for rule in group.rules {
                let Rule::Alert(alert) = rule else { continue };
                assert!(alert.name.starts_with("Onus") && !alert.summary.is_empty() && alert.description.len() > 40);
                assert!(!names.contains(&(alert.name, alert.severity.word())), "{} twice", alert.name);
                names.push((alert.name, alert.severity.word()));
            }
        }
    }
}
