//! docs/reference/obligations.md: what says each row.

use super::rows::{Row, obligation_text, template_text, templates};
use std::fmt::Write as _;

const INTRO: &str = "\
<!-- Written by `ONUS_UPDATE=1 cargo test --test obligations` from docs/obligations/rows.csv and config/templates. -->

# Obligations, and how a contract says them

Duties that laws, standards and published contracts are known to ask for, each with its limit, its source and how sure we
are: **A** the official text was read, **B** a secondary page was read, **C** general knowledge, **T** market habit, or
ours. Where the source has no number the figure is ours; it stands under `values` of the template, and your contract sets
its own. This is no legal advice: read the source that binds you.

Limits are written as in [the list](../obligations/README.md): `PT4H` four hours, `P90D` ninety days, `BD5` five business
days, `BH4` four business hours; a minus is due before the event; `|` parts what a table chooses among; `GRANT_END` is the
instant that the grant names.
";

pub(crate) fn page(rows: &[Row], waiting: &[&str]) -> String {
    let mut out = INTRO.to_owned();
    if !waiting.is_empty() {
        let _ = write!(
            out,
            "\nThese templates hold a construct that is not judged yet, so the loader refuses them (E900): {}.\n",
            waiting.join(", ")
        );
    }
    let _ = write!(
        out,
        "\n## All of them\n\n| row | duty | limit | source | grade | said by |\n|---|---|---|---|---|---|\n"
    );
    for row in rows {
        let mut said: Vec<String> = Vec::new();
        for reference in &row.said_by {
            let link = format!("[{0}](#{0})", reference.obligation);
            if !said.contains(&link) {
                said.push(link);
            }
        }
        let said = if said.is_empty() { "[without a number](#without-a-number)".to_owned() } else { said.join(", ") };
        let limit = row.limit_code.replace('|', "\\|");
        let _ = writeln!(
            out,
            "| {} | {} | `{limit}` | {} | {} | {said} |",
            row.id, row.name, row.reference, row.confidence
        );
    }
    let _ = write!(
        out,
        "\n## Without a number\n\nRows that are terms of a contract, or whose source has no figure, and what Onus makes of them.\n\n\
         | row | duty | limit | what Onus makes of it |\n|---|---|---|---|\n"
    );
    for row in rows.iter().filter(|row| !row.remark.is_empty()) {
        let _ = writeln!(out, "| {} | {} | `{}` | {} |", row.id, row.name, row.limit_code, row.remark);
    }
    for template in templates() {
        section(&mut out, &template, rows);
    }
    out
}

fn section(out: &mut String, template: &str, rows: &[Row]) {
    let text = template_text(template);
    let _ = write!(out, "\n## Template {template}\n\n`include: [templates/{template}]`\n");
    let values: Vec<&str> = text
        .lines()
        .skip_while(|line| !line.starts_with("values:"))
        .take_while(|line| line.starts_with("values:") || line.starts_with("  "))
        .collect();
    if !values.is_empty() {
        let _ = write!(out, "\n```yaml\n{}\n```\n", values.join("\n"));
    }
    for id in text.lines().filter_map(|line| line.strip_prefix("  - id: ")) {
        let said = |row: &&Row| row.said_by.iter().any(|r| r.template == template && r.obligation == id);
        let of: Vec<String> = rows
            .iter()
            .filter(said)
            .map(|row| format!("{} (`{}`, {})", row.id, row.limit_code.replace('|', " or "), row.confidence))
            .collect();
        let of = if of.is_empty() { "Ours; no row.".to_owned() } else { format!("{}.", of.join(", ")) };
        let _ = write!(out, "\n### {id}\n\n{of}\n\n```yaml\n{}```\n", obligation_text(&text, id));
    }
}
