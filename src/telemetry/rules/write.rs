//! The rules as YAML: in the table's order, each text in one way only, so that two versions can be compared line by line.

use super::{Alert, Group, Options, Rule};
use std::fmt::Write as _;

const HEAD: &str = "# Recording and alerting rules for Onus. Written by `onus rules`, which has flags for thresholds and selectors.\n\
                    # docs/runbooks has a page for each alert; dashboards/README.md says how these rules go with pushed pages.\n";

pub(super) fn text(groups: &[Group], options: &Options) -> String {
    let mut out = format!("{HEAD}groups:\n");
    for group in groups {
        let _ = writeln!(out, "  # {}\n  - name: {}\n    rules:", group.words, group.name);
        for rule in &group.rules {
            match rule {
                Rule::Record { name, expr } => {
                    let _ = writeln!(out, "      - record: {name}");
                    self::expr(&mut out, expr);
                    labels(&mut out, &[], options);
                }
                Rule::Alert(alert) => self::alert(&mut out, alert, options),
            }
        }
    }
    out
}

fn alert(out: &mut String, alert: &Alert, options: &Options) {
    let _ = writeln!(out, "      - alert: {}", alert.name);
    expr(out, &alert.expr);
    if alert.lasts != "0s" {
        let _ = writeln!(out, "        for: {}", alert.lasts);
    }
    if !alert.keeps.is_empty() {
        let _ = writeln!(out, "        keep_firing_for: {}", alert.keeps);
    }
    let mut own = vec![("severity", alert.severity.word()), ("concern", alert.concern.word())];
    own.extend(
        ["partner", "obligation"].into_iter().filter(|name| !alert.has.contains(name)).map(|name| (name, "none")),
    );
    labels(out, &own, options);
    let runbook = format!("{}{}.md", options.runbooks, alert.name);
    out.push_str("        annotations:\n");
    for (name, value) in
        [("summary", alert.summary), ("description", &alert.description), ("runbook_url", runbook.as_str())]
    {
        let _ = writeln!(out, "          {name}: {}", quoted(value));
    }
}

fn labels(out: &mut String, own: &[(&str, &str)], options: &Options) {
    let given = options.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let all: Vec<(&str, &str)> = own.iter().copied().chain(given).collect();
    if all.is_empty() {
        return;
    }
    out.push_str("        labels:\n");
    for (name, value) in all {
        let _ = writeln!(out, "          {name}: {}", quoted(value));
    }
}

fn expr(out: &mut String, expr: &str) {
    out.push_str("        expr: |-\n");
    for line in expr.lines() {
        let _ = writeln!(out, "          {line}");
    }
}

/// In double quotes: nothing in it means anything else than itself.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
