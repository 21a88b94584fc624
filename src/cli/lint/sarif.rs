//! Problems as SARIF 2.1.0, which code hosts and editors show beside the lines.

use crate::contract::{Code, Level, Problem, Survey};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// One run of one tool.
pub(super) fn log(survey: &Survey) -> String {
    // Only rules that were broken: a reader that shows all of them would show eighty.
    let codes: BTreeSet<Code> = survey.problems.iter().map(|problem| problem.code).collect();
    let codes: Vec<Code> = codes.into_iter().collect();
    let rules: Vec<Value> = codes.iter().map(|code| rule(*code)).collect();
    let results: Vec<Value> = survey.problems.iter().map(|problem| result(problem, &codes)).collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "onus",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "invocations": [{"executionSuccessful": true}],
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

fn rule(code: Code) -> Value {
    let explanation = code.explain();
    let (broken, mended) = (explanation.example.broken(), explanation.example.mended());
    let text = format!("{}\n\nBroken:\n\n{broken}\n\nMended:\n\n{mended}", explanation.remedy);
    let markdown =
        format!("{}\n\nBroken:\n\n```yaml\n{broken}\n```\n\nMended:\n\n```yaml\n{mended}\n```", explanation.remedy);
    json!({
        "id": code,
        "name": explanation.name,
        "shortDescription": {"text": code.what()},
        "fullDescription": {"text": explanation.why},
        "help": {"text": text, "markdown": markdown},
        "defaultConfiguration": {"level": level(code)},
    })
}

fn result(problem: &Problem, codes: &[Code]) -> Value {
    let hint = problem.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
    let mut place = json!({
        "artifactLocation": {"uri": uri(&problem.file)},
        "region": {
            "startLine": problem.line,
            "startColumn": problem.column,
            "endLine": problem.line,
            "endColumn": problem.end_column,
        },
    });
    if let Some(excerpt) = &problem.excerpt {
        // The snippet of a region is its own text; the line is around it.
        let piece: String = excerpt.text.chars().skip(excerpt.caret).take(excerpt.width).collect();
        place["region"]["snippet"] = json!({ "text": piece });
        place["contextRegion"] = json!({"startLine": problem.line, "snippet": {"text": excerpt.text}});
    }
    json!({
        "ruleId": problem.code,
        "ruleIndex": codes.binary_search(&problem.code).unwrap_or_default(),
        "level": level(problem.code),
        "message": {"text": format!("{}{}{hint}", problem.message, problem.context())},
        "locations": [{"physicalLocation": place}],
        "properties": {
            "obligation": problem.obligation,
            "clause": problem.clause,
            "nearest": problem.nearest,
            "hint": problem.hint,
        },
    })
}

fn level(code: Code) -> &'static str {
    match code.level() {
        Level::Error => "error",
        Level::Warning => "warning",
    }
}

/// A path as a URI reference: relative paths stay relative, what a URI may not hold is escaped.
fn uri(path: &str) -> String {
    let path = path.strip_prefix("./").unwrap_or(path);
    let mut out = if path.starts_with('/') { "file://".to_owned() } else { String::new() };
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(byte)),
            b'\\' if cfg!(windows) => out.push('/'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_a_uri() {
        assert_eq!(uri("./contracts/acme.yaml"), "contracts/acme.yaml");
        assert_eq!(uri("/srv/über uns.yaml"), "file:///srv/%C3%BCber%20uns.yaml");
    }
}
