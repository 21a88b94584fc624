//! The cases of `tests/clauses`, run as anybody runs theirs: `onus test`. And `onus test` itself, as people and build
//! servers see it.
//!
//! `onus test tests/clauses --update` rewrites the last column, to be read as a diff.

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const HERE: &str = env!("CARGO_MANIFEST_DIR");

fn onus(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_onus")).args(args).current_dir(folder).output().expect("the binary runs")
}

/// Exit code, standard output, standard error.
fn test(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let all: Vec<&str> = ["test"].iter().chain(args).copied().collect();
    let out = onus(folder, &all);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (out.status.code().unwrap_or(-1), text(out.stdout), text(out.stderr))
}

/// `ONUS_CLAUSES=pauses` runs only the files and cases whose name contains that word.
#[test]
fn every_row_of_every_case_is_what_onus_says() {
    let only = std::env::var("ONUS_CLAUSES").unwrap_or_default();
    let mut args = vec!["tests/clauses", "--quiet"];
    if !only.is_empty() {
        args.extend(["--only", &only]);
    }
    let (code, out, talk) = test(Path::new(HERE), &args);
    assert_eq!(code, 0, "{out}{talk}");
}

/// A table in the README of the cases says which case stands for which situation: every title in it is a case.
#[test]
fn every_situation_that_is_named_has_its_case() {
    let (_, out, _) = test(Path::new(HERE), &["tests/clauses", "--format", "json"]);
    let told: Value = serde_json::from_str(&out).expect("JSON");
    let title = |case: &Value| case["title"].as_str().unwrap_or_default().to_owned();
    let titles: Vec<String> = told["cases"].as_array().expect("a list").iter().map(title).collect();
    let readme = fs::read_to_string(Path::new(HERE).join("tests/clauses/README.md")).expect("a README");
    let rows = readme.lines().filter(|line| line.starts_with("| ") && line.contains(".md | "));
    let mut named = 0;
    for row in rows {
        let case = row.trim_matches('|').rsplit('|').next().unwrap_or_default().trim();
        assert!(titles.iter().any(|title| title == case), "no case is named \"{case}\"");
        named += 1;
    }
    assert!(named >= 80, "only {named} situations are named");
}

const CASES: &str = "\
# Office hours

contract: terms.yaml
Times are Europe/Amsterdam; the day is Monday 2 March 2026.

## Resolved in time

| when | what happened | what Onus says |
|---|---|---|
| 09:00 | INC1 opened | resolve: open, due 13:00 |
| 12:00 | INC1 resolved | resolve: met |

## A pause that nobody agreed on

| when | what happened | what Onus says |
|:-----|:-----|:-----|
| 09:00 | INC1 opened | resolve: open, due 13:00 |
| 10:00 | INC1 paused by partner because lunch | resolve: paused |
| 11:00 | INC1 resumed by partner because lunch | |
";

const TERMS: &str = "\
contract: halden
partner: halden
customer: northwind
effective: 2026-01-01T00:00:00Z
zone: Europe/Amsterdam
defaults: {trust: asserted}
obligations:
  - id: resolve
    clause: \"4.2\"
    when: ticket.opened
    do: ticket.resolved
    within: 4h
    pause: {reasons: [\"*\"], by: customer}
";

fn folder(cases: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("office.md"), cases).expect("written");
    fs::write(folder.path().join("terms.yaml"), TERMS).expect("written");
    folder
}

#[test]
fn a_row_that_differs_is_told_with_its_place_and_the_reason() {
    let folder = folder(CASES);
    let (code, out, talk) = test(folder.path(), &["office.md"]);
    let want = "\
office.md
  fine       Resolved in time (2 rows)
  different  A pause that nobody agreed on (3 rows)
    office.md:18
      row       | 10:00 | INC1 paused by partner because lunch |
      expected  resolve: paused
      Onus says resolve: open, due 13:00
      because   resolve of INC1 (clause 4.2): began Mon 2 Mar 09:00; due Mon 2 Mar 13:00 = Mon 2 Mar 09:00 + 4h; 1h used; Mon 2 Mar 10:00: the pause 0018-0 (lunch) by partner does not stop this clock: only the customer may pause it
    office.md:19
      row       | 11:00 | INC1 resumed by partner because lunch |
      expected  (nothing written)
      Onus says resolve: open, due 13:00
      because   resolve of INC1 (clause 4.2): began Mon 2 Mar 09:00; due Mon 2 Mar 13:00 = Mon 2 Mar 09:00 + 4h; 2h used; Mon 2 Mar 10:00: the pause 0018-0 (lunch) by partner does not stop this clock: only the customer may pause it

";
    assert_eq!((code, out.as_str()), (1, want));
    assert_eq!(talk, "different: 2 cases, 5 rows in 1 file, 2 rows not as expected\n");
}

#[test]
fn an_update_writes_the_last_column_and_nothing_else() {
    for (line_end, last) in [("\n", ""), ("\r\n", ""), ("\n", "no line end after this")] {
        let before = format!("{CASES}{last}").replace('\n', line_end);
        let folder = folder(&before);
        let (code, _, talk) = test(folder.path(), &["office.md", "--update"]);
        assert_eq!(code, 0, "{talk}");
        let after = fs::read_to_string(folder.path().join("office.md")).expect("read");
        let want = before
            .replace("lunch | resolve: paused |", "lunch | resolve: open, due 13:00 |")
            .replace("lunch | |", "lunch | resolve: open, due 13:00 |");
        assert_eq!(after, want);
        assert_eq!(test(folder.path(), &["office.md"]).0, 0);
        let left: Vec<_> = fs::read_dir(folder.path()).expect("a folder").collect();
        assert_eq!(left.len(), 2, "a file was left behind");
    }
}

#[test]
fn only_some_cases_may_be_asked_for() {
    let folder = folder(CASES);
    assert_eq!(test(folder.path(), &["office.md", "--only", "RESOLVED IN"]).0, 0);
    assert_eq!(test(folder.path(), &["office.md", "--only", "office"]).0, 1);
    let (code, _, talk) = test(folder.path(), &["office.md", "--only", "zebra"]);
    assert_eq!((code, talk.as_str()), (2, "error: no case or file has `zebra` in its name\n"));
}

#[test]
fn what_cannot_be_read_is_told_with_line_and_remedy_and_stays_as_it_is() {
    let broken = CASES
        .replace("INC1 resolved |", "INC1 resolvd |")
        .replace("by partner because lunch | |", "by partner | | x |");
    let folder = folder(&broken);
    let (code, out, _) = test(folder.path(), &["office.md", "--update"]);
    assert_eq!(code, 2);
    assert!(out.contains("office.md:11: no event is of the type `ticket.resolvd`"), "{out}");
    assert!(out.contains("= did you mean `ticket.resolved`?"), "{out}");
    assert!(out.contains("office.md:19: a row has three cells, this one has 4"), "{out}");
    assert_eq!(fs::read_to_string(folder.path().join("office.md")).expect("read"), broken);
}

#[test]
fn problems_of_a_contract_name_the_lines_of_the_file_that_they_stand_in() {
    let inline = CASES.replace("contract: terms.yaml", &format!("```yaml\n{}```", TERMS.replace("within", "witin")));
    let (code, out, _) = test(folder(&inline).path(), &["office.md"]);
    assert_eq!(code, 2);
    assert!(out.contains("office.md:15: E101: an obligation has no key `witin`"), "{out}");
    assert_eq!(out.matches("E101").count(), 1, "{out}");
    let missing = CASES.replace("terms.yaml", "../nowhere.yaml");
    let (code, out, _) = test(folder(&missing).path(), &["office.md"]);
    assert_eq!(code, 2);
    assert!(out.contains("office.md:3: the contract ../nowhere.yaml: cannot be read"), "{out}");
}

#[test]
fn files_without_cases_and_folders_without_files_are_told() {
    let empty = folder("# Nothing here\n");
    assert_eq!(test(empty.path(), &["office.md"]).0, 2);
    assert_eq!(test(empty.path(), &["."]).0, 2);
    assert_eq!(test(empty.path(), &["missing.md"]).0, 2);
    fs::write(empty.path().join("office.md"), b"## A\n\xff").expect("written");
    let (code, out, _) = test(empty.path(), &["office.md"]);
    assert_eq!(code, 2);
    assert!(out.contains("office.md:2: not UTF-8"), "{out}");
}

#[test]
fn json_and_junit_say_the_same() {
    let folder = folder(CASES);
    let (code, out, _) = test(folder.path(), &["office.md", "--format", "json"]);
    let told: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(code, 1);
    assert_eq!(told["summary"]["mismatches"], 2);
    assert_eq!(told["cases"][0]["outcome"], "fine");
    assert_eq!(told["cases"][1]["mismatches"][0]["line"], 18);
    let (_, lines, _) = test(folder.path(), &["office.md", "--format", "jsonl"]);
    let records: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(records.len(), 3);
    let (_, xml, _) = test(folder.path(), &["office.md", "--format", "junit"]);
    assert!(xml.contains("<testsuites name=\"onus test\" tests=\"2\" failures=\"1\" errors=\"0\">"), "{xml}");
    assert!(
        xml.contains("<testcase name=\"Resolved in time\" classname=\"office.md\" file=\"office.md\" line=\"6\"/>")
    );
}

/// What `onus test` judges in one go is what `onus check` says of the same events in files.
#[test]
fn a_case_says_what_onus_check_says() {
    let folder = folder(CASES);
    let events = r#"{"specversion":"1.0","id":"1","source":"urn:desk","type":"ticket.opened","subject":"INC1","partner":"halden","time":"2026-03-02T08:00:00Z"}
{"specversion":"1.0","id":"2","source":"urn:desk","type":"ticket.resolved","subject":"INC1","partner":"halden","time":"2026-03-02T12:30:00Z"}
"#;
    fs::write(folder.path().join("events.jsonl"), events).expect("written");
    let args = ["check", "--contracts", "terms.yaml", "events.jsonl", "--duties", "--format", "json", "--quiet"];
    let told: Value = serde_json::from_slice(&onus(folder.path(), &args).stdout).expect("JSON");
    let duty = &told["duties"][0];
    assert_eq!(duty["standing"], "met-late");
    let case = "## Late\n\ncontract: terms.yaml\nTimes are UTC; the day is Monday 2 March 2026.\n\n| when | what happened | what Onus says |\n|---|---|---|\n| 08:00 | INC1 opened | - |\n| 12:30 | INC1 resolved | resolve: met-late at 12:30, breached at 12:00, used 4h 30min |\n";
    fs::write(folder.path().join("late.md"), case).expect("written");
    assert_eq!(test(folder.path(), &["late.md"]).0, 0);
    assert_eq!(duty["breached_at"], "2026-03-02T12:00:00.000Z");
    assert_eq!(duty["elapsed_seconds"], 16200);
}
