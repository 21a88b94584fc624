//! Explanations in words: one for a terminal, all as the reference page.

use super::Example;
use crate::contract::code::{Code, Level};
use std::fmt::Write as _;

/// Headings by the first two characters of a code, in the order of the page.
const GROUPS: &[(&str, &str)] = &[
    ("E0", "Files and YAML"),
    ("E1", "Shape"),
    ("E2", "Values"),
    ("E3", "Names"),
    ("E4", "Sense"),
    ("E5", "Several files"),
    ("E6", "Mappers"),
    ("E9", "Not yet"),
    ("W0", "Too many"),
    ("W1", "Clocks and limits"),
    ("W2", "Calendars and names"),
    ("W3", "Gaps"),
    ("W5", "Several versions"),
    ("W6", "Mappers' gaps"),
];

const INTRO: &str = "\
<!-- Written by `onus lint --explain all`. The words are in src/contract/explain. -->

# What can be wrong with a contract

Every problem of every file is told at once, with its file, line, column, the line itself, the obligation and clause it
is in, and what to do. Codes are stable: scripts may rely on them. `onus lint --explain E201` tells one of them.

    partner.yaml:14:13: E201: the limit: `4 hours` is no length (obligation restore, clause 4.2)
       14 |     within: 4 hours
          |             ^^^^^^^
          = did you mean `4h`?

`E` is an error: one in one file, and no contract is loaded. `W` is a warning: the contract is judged as it is written,
and may say other than what was meant. Warnings are looked for in files without errors. `onus lint --allow W102` leaves
a kind out; `--strict` makes the exit code 1 where there is any.

The first digit says where to look. Errors: 0 file and YAML, 1 shape, 2 values, 3 names, 4 sense, 5 several files, 6 mappers,
9 not supported yet. Warnings: 1 clocks and limits, 2 calendars and names, 3 what the contract leaves out, 5 several versions,
6 what a mapper leaves out. The codes of shape, values and names are those of [mappers](mapper.md), too.
Most gaps are looked for in contracts that list `controls:`; those of rotation, grants and waivers in all.
";

/// What a key that is refused as not supported yet would have said, where the key reference cannot show it.
const NOT_YET: &str = "\
The keys that are refused as not supported yet are marked so in the [key reference](contract.md). Beside these:

| where | what |
|---|---|
| `every` | `per: control` and `per: source` |
";

/// docs/reference/contract-errors.md.
pub fn page() -> String {
    let mut out = INTRO.to_owned();
    for (prefix, title) in GROUPS {
        let codes = || Code::ALL.iter().filter(|code| code.as_str().starts_with(prefix));
        let _ = writeln!(out, "\n## {title}\n\n| code | what is wrong | remedy |\n|---|---|---|");
        for code in codes() {
            let _ = writeln!(out, "| [{code}](#{}) | {} | {} |", anchor(*code), code.what(), code.explain().remedy);
        }
        if *prefix == "E9" {
            let _ = write!(out, "\n{NOT_YET}");
        }
        codes().for_each(|code| section(*code, &mut out));
    }
    out
}

/// One code, for a terminal.
pub fn text(code: Code) -> String {
    let explanation = code.explain();
    let kind = match code.level() {
        Level::Error => "error",
        Level::Warning => "warning",
    };
    let (broken, mended) = titles(&explanation.example);
    format!(
        "{code} {} ({kind})\n\n{}\n\n{why}\n\n{remedy}\n\n{broken}:\n\n{}\n\n{mended}:\n\n{}\n",
        explanation.name,
        code.what(),
        indented(explanation.example.broken()),
        indented(explanation.example.mended()),
        why = wrapped("Why: ", explanation.why),
        remedy = wrapped("What to do: ", explanation.remedy),
    )
}

fn section(code: Code, out: &mut String) {
    let explanation = code.explain();
    let (broken, mended) = titles(&explanation.example);
    let kind = match explanation.example {
        Example::Contract { .. } | Example::Mapper { .. } => "yaml",
        Example::Around { .. } => "text",
    };
    let _ = write!(
        out,
        "\n### {code} {}\n\n{}\n\n{}\n\n{broken}:\n\n```{kind}\n{}\n```\n\n{mended}:\n\n```{kind}\n{}\n```\n",
        explanation.name,
        code.what(),
        explanation.why,
        explanation.example.broken(),
        explanation.example.mended(),
    );
}

fn titles(example: &Example) -> (&'static str, &'static str) {
    match example {
        Example::Contract { .. } | Example::Mapper { .. } => ("Broken", "Mended"),
        Example::Around { .. } => ("Instead of", "Write or do"),
    }
}

/// The anchor that a heading of the page has.
fn anchor(code: Code) -> String {
    format!("{}-{}", code.as_str().to_lowercase(), code.explain().name)
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

/// Words in lines that a terminal of eighty columns shows whole.
fn wrapped(lead: &str, text: &str) -> String {
    let mut lines = vec![lead.trim_end().to_owned()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= 78 => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_in_a_group() {
        for code in Code::ALL {
            assert!(GROUPS.iter().any(|(prefix, _)| code.as_str().starts_with(prefix)), "{code}");
        }
    }

    #[test]
    fn a_code_is_told_with_both_examples() {
        let told = text(Code::BadLength);
        assert!(told.starts_with("E201 bad-length (error)\n\n"), "{told}");
        assert!(told.contains("within: 4 hours}") && told.contains("within: 4h}"), "{told}");
    }
}
