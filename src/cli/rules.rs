//! `onus rules`: recording and alerting rules for Prometheus.

use super::args::length;
use super::{CliError, exit, write_out};
use crate::telemetry::rules::{self, Options};
use clap::Args;
use onus_engine::time::{DAY, HOUR, MINUTE};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  onus rules > onus.rules.yaml
  onus rules --selector 'job=\"onus\",env=\"prod\"' --label env=prod --runbook-base https://wiki.example/onus/
  promtool check rules onus.rules.yaml

The pages that name a duty are pushed by Onus itself. These rules are the backstop for
them, and the watch over Onus; dashboards/rules/onus.rules.yaml is the same text.")]
pub(in crate::cli) struct RulesArgs {
    /// Matchers that every series must have, as PromQL writes them between braces
    #[arg(long, value_name = "MATCHERS", default_value = "", hide_default_value = true, value_parser = matchers)]
    selector: String,
    /// A label that every rule's series and alerts get (repeatable)
    #[arg(long, value_name = "NAME=VALUE", value_parser = label)]
    label: Vec<(String, String)>,
    /// What stands before `OnusBreached.md` in links to runbooks
    #[arg(long, value_name = "URL", default_value = "docs/runbooks/")]
    runbook_base: String,
    /// A source is silent after so many of its own intervals
    #[arg(long, value_name = "N", default_value = "3", value_parser = clap::value_parser!(u32).range(1..))]
    silent_after: u32,
    /// Records that may wait without a word
    #[arg(long, value_name = "N", default_value = "1000")]
    lag_records: u64,
    /// How long ago a source may have been heard last without a word
    #[arg(long, value_name = "LENGTH", default_value = "15min", value_parser = length)]
    behind: i64,
    /// How far the judge's clock may be behind
    #[arg(long, value_name = "LENGTH", default_value = "2min", value_parser = length)]
    clock_held: i64,
    /// How old the last check of the ledger may be
    #[arg(long, value_name = "LENGTH", default_value = "3h", value_parser = length)]
    ledger_age: i64,
    /// Warn when so few further breaches are allowed
    #[arg(long, value_name = "N", default_value = "1")]
    allowance: u32,
    /// Warn of them only while more of the window than this is to come
    #[arg(long, value_name = "LENGTH", default_value = "7d", value_parser = length)]
    allowance_ahead: i64,
}

pub(in crate::cli) fn run(args: &RulesArgs) -> Result<u8, CliError> {
    for (name, value, least) in [
        ("behind", args.behind, MINUTE),
        ("clock-held", args.clock_held, MINUTE),
        ("ledger-age", args.ledger_age, HOUR),
        ("allowance-ahead", args.allowance_ahead, 0),
    ] {
        if value < least || value > 366 * DAY || value % 1_000 != 0 {
            return Err(CliError::Other(format!(
                "--{name}: whole seconds, no shorter than a look from Prometheus takes"
            )));
        }
    }
    let slash = if args.runbook_base.ends_with('/') { "" } else { "/" };
    let options = Options {
        selector: args.selector.clone(),
        labels: args.label.clone(),
        runbooks: format!("{}{slash}", args.runbook_base),
        silence: args.silent_after,
        lag: args.lag_records,
        behind: args.behind,
        clock: args.clock_held,
        ledger: args.ledger_age,
        allowance: args.allowance,
        ahead: args.allowance_ahead,
    };
    write_out(&rules::text(&options))?;
    Ok(exit::FINE)
}

/// Enough of the form that what is printed can be read by Prometheus: `name="value"`, with commas between.
fn matchers(text: &str) -> Result<String, String> {
    const FORM: &str = "write matchers as in PromQL: job=\"onus\",env=~\"prod|test\"";
    let mut rest = text.trim().trim_end_matches(',');
    let whole = rest.to_owned();
    while !rest.is_empty() {
        let end = rest.find(['=', '!']).ok_or(FORM)?;
        if !is_name(rest[..end].trim()) {
            return Err(FORM.to_owned());
        }
        let operator = ["=~", "!~", "!=", "="].into_iter().find(|one| rest[end..].starts_with(one)).ok_or(FORM)?;
        let value = rest[end + operator.len()..].trim_start().strip_prefix('"').ok_or(FORM)?;
        // A quote or a sign of ours inside would be read as something else.
        let close = value.find(['"', '\\', '@', '%', '\n']).filter(|at| value[*at..].starts_with('"')).ok_or(FORM)?;
        rest = value[close + 1..].trim_start();
        match rest.strip_prefix(',') {
            Some(more) => rest = more.trim_start(),
            None if rest.is_empty() => {}
            None => return Err(FORM.to_owned()),
        }
    }
    Ok(whole)
}

fn label(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    let taken = [
        "severity",
        "concern",
        "partner",
        "obligation",
        "alertname",
        "source",
        "receiver",
        "family",
        "standing",
        "window",
    ];
    if !is_name(name) || taken.contains(&name) || name.starts_with("__") {
        return Err(format!("{name:?} is no name for a label of yours"));
    }
    // A template would be carried out, and an empty value is no label.
    if value.is_empty() || value.contains(['"', '\\', '@', '%', '{', '\n']) {
        return Err(format!("{value:?} is no value for a label: nothing, or signs that mean something in rules"));
    }
    Ok((name.to_owned(), value.to_owned()))
}

fn is_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !text.is_empty() && text.chars().all(fits) && !text.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matchers_are_taken_as_promql_has_them_and_nothing_else() {
        for fine in ["", "job=\"onus\"", "job=\"onus\", env=~\"a|b\"", "a!=\"\",b!~\"x\","] {
            assert!(matchers(fine).is_ok(), "{fine}");
        }
        for wrong in ["job", "job=onus", "job=\"onus", "1a=\"b\"", "a=\"b\"c=\"d\"", "a=\"b\\\"\"", "{a=\"b\"}"] {
            assert!(matchers(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn labels_that_rules_have_themselves_are_refused() {
        assert_eq!(label("env=prod"), Ok(("env".to_owned(), "prod".to_owned())));
        for wrong in ["env", "partner=x", "__a=b", "a=", "a={{ $value }}", "1=2"] {
            assert!(label(wrong).is_err(), "{wrong}");
        }
    }
}
