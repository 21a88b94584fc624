//! `onus check`, `explain`, `test` and `whatif` with a catalogue: what they say is what `onus run` says with one.

use std::fs;
use std::path::Path;
use std::process::Command;

const TERMS: &str = "contract: pam
partner: halden
customer: northwind
effective: 2026-01-01T00:00:00Z
zone: UTC
defaults: {trust: asserted}
obligations:
  - {id: rotate, clause: \"7.1\", when: credential.created, do: credential.rotated, within: 30 days}
  - id: approved
    clause: \"7.2\"
    when: {event: change.executed, where: {privileged: true}}
    requires: change.approved
";

const CATALOGUE: &str = "catalogue: all
identities:
  - id: svc-payments
    names: [\"aws:210987654321:payments\", \"cyberark:NW:payments\"]
    partner: halden
    privileged: true
";

/// Created in CyberArk, rotated in AWS, by events that name nobody; and a change of it that nobody approved.
const EVENTS: &str = r#"{"specversion":"1.0","id":"1","source":"cyberark","type":"credential.created","subject":"cyberark:NW:payments","time":"2026-03-02T09:00:00Z"}
{"specversion":"1.0","id":"2","source":"aws","type":"credential.rotated","subject":"aws:210987654321:payments","time":"2026-03-09T09:00:00Z"}
{"specversion":"1.0","id":"3","source":"desk","type":"change.executed","subject":"CHG1","partner":"halden","time":"2026-03-09T10:00:00Z","data":{"credential":"cyberark:NW:payments"}}
{"specversion":"1.0","id":"4","source":"desk","type":"ticket.opened","subject":"INC1","partner":"tidewater","time":"2026-05-09T10:00:00Z","data":{"credential":"svc-payments"}}
"#;

/// Exit code, standard output, standard error.
fn onus(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_onus")).args(args).current_dir(folder).output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (out.status.code().expect("it ends"), text(out.stdout), text(out.stderr))
}

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    let put = |name: &str, text: &str| fs::write(dir.path().join(name), text).expect("written");
    put("terms.yaml", TERMS);
    put("catalogue.yaml", CATALOGUE);
    put("events.jsonl", EVENTS);
    dir
}

#[test]
fn a_rotation_under_another_name_stops_the_clock_of_the_identity() {
    let dir = folder();
    let check = ["check", "--contracts", "terms.yaml", "--duties", "--format", "jsonl", "events.jsonl"];
    let (code, out, talk) = onus(dir.path(), &check);
    assert_eq!(code, 0, "nobody knows whose they are: {out}{talk}");
    assert!(talk.contains("2 dead letters") && !out.contains("svc-payments"), "{talk}");
    let (code, out, talk) = onus(dir.path(), &[&check[..], &["--catalogue", "catalogue.yaml"]].concat());
    assert_eq!(code, 1, "an unapproved change of what is privileged: {out}{talk}");
    let duties: Vec<serde_json::Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .filter(|one: &serde_json::Value| one["record"] == "duty")
        .collect();
    let said =
        |n: usize| (duties[n]["obligation"].clone(), duties[n]["subject"].clone(), duties[n]["standing"].clone());
    assert_eq!(said(0), ("approved".into(), "CHG1".into(), "breached".into()), "{out}");
    assert_eq!(said(1), ("rotate".into(), "svc-payments".into(), "met".into()), "{out}");
    assert!(talk.contains("1 of another partner than the catalogue has"), "{talk}");
}

#[test]
fn any_number_of_threads_says_the_same_with_a_catalogue() {
    let dir = folder();
    let said = |threads: &str| {
        let args = [
            "check",
            "--contracts",
            "terms.yaml",
            "--catalogue",
            "catalogue.yaml",
            "events.jsonl",
            "--threads",
            threads,
        ];
        onus(dir.path(), &args)
    };
    assert_eq!(said("1"), said("4"));
}

#[test]
fn explain_finds_an_identity_by_any_of_its_names() {
    let dir = folder();
    let told = |subject: &str| {
        let args = ["explain", subject, "--contracts", "terms.yaml", "--catalogue", "catalogue.yaml", "events.jsonl"];
        onus(dir.path(), &args)
    };
    let (code, out, talk) = told("svc-payments");
    assert!(code == 0 && out.contains("credential.rotated"), "{out}{talk}");
    assert_eq!(told("aws:210987654321:payments").1, out);
}

#[test]
fn clause_files_and_what_if_know_a_catalogue() {
    let dir = folder();
    let clauses = format!(
        "# Names\n\n## One credential by two names\n\n```yaml\n{TERMS}```\n\nTimes are UTC; the day is Monday 2 March 2026.\n\n\
         | when | what happened | what Onus says |\n|---|---|---|\n\
         | 09:00 | cyberark:NW:payments credential.created | rotate of svc-payments: open, due Wed 1 Apr 09:00 |\n\
         | 10:00 | aws:210987654321:payments credential.rotated | rotate of svc-payments: met at 10:00 |\n"
    );
    fs::write(dir.path().join("names.md"), clauses).expect("written");
    let (code, out, talk) = onus(dir.path(), &["test", "names.md", "--catalogue", "catalogue.yaml"]);
    assert_eq!(code, 0, "{out}{talk}");
    assert_eq!(onus(dir.path(), &["test", "names.md"]).0, 1, "without it they are two");

    let strict = TERMS.replace("30 days", "5 days");
    fs::write(dir.path().join("new.yaml"), strict).expect("written");
    let args = [
        "whatif",
        "--against",
        "terms.yaml",
        "--contracts",
        "new.yaml",
        "--catalogue",
        "catalogue.yaml",
        "events.jsonl",
    ];
    let (code, out, talk) = onus(dir.path(), &args);
    assert!(code == 1 && out.contains("svc-payments"), "{code} {out}{talk}");
}

#[test]
fn a_catalogue_with_an_error_stops_the_run_and_says_where() {
    let dir = folder();
    fs::write(dir.path().join("catalogue.yaml"), "catalogue: all\nidentities: [{id: a, nmes: [b]}]\n")
        .expect("written");
    let args = ["check", "--contracts", "terms.yaml", "--catalogue", "catalogue.yaml", "events.jsonl"];
    let (code, out, talk) = onus(dir.path(), &args);
    assert_eq!((code, out.as_str()), (2, ""), "{talk}");
    assert!(talk.contains("catalogue.yaml:2:") && talk.contains("`names`"), "{talk}");
    let args = ["check", "--contracts", "terms.yaml", "--catalogue", "-", "events.jsonl"];
    let (code, _, talk) = onus(dir.path(), &args);
    assert!(code == 2 && talk.contains("name the files of the catalogue"), "{talk}");
}
