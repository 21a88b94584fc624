//! Contracts made of several files: what is read, from where, and where its problems are told.

use onus::contract::{Library, Problem, load, survey};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

const HEAD: &str = "contract: c
partner: p
customer: k
effective: 2026-01-01T00:00:00Z
zone: Europe/Amsterdam
";
const DUTY: &str = "obligations:
  - {id: a, clause: x, when: ticket.opened, do: ticket.closed, within: 4h}
";

fn folder(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    dir
}

/// What is wrong with `c.yaml` of these files, with the contract's own lines after its head.
fn problems(own: &str, files: &[(&str, &str)]) -> Vec<Problem> {
    let dir = folder(files);
    let main = dir.path().join("c.yaml");
    fs::write(&main, format!("{HEAD}{own}")).expect("a file");
    load(&[main], &Library::default()).err().unwrap_or_default()
}

#[track_caller]
fn says(problems: &[Problem], code: &str, file: &str, line: u32, piece: &str) {
    let told: String = problems.iter().map(|problem| format!("{problem}\n")).collect();
    let [problem] = problems else { panic!("one problem, not {}:\n{told}", problems.len()) };
    assert_eq!((problem.code.as_str(), problem.line), (code, line), "{told}");
    assert!(problem.file.ends_with(file), "{told}");
    assert!(told.contains(piece), "{piece:?} is not in\n{told}");
}

#[test]
fn names_of_included_files_are_names_of_the_contract() {
    let own = format!("include: [holidays/nl, terms/exit.yaml]\n{DUTY}");
    let files = [
        ("holidays/nl.yaml", "holidays: {nl: {2026-04-27: King's Day}}"),
        (
            "terms/exit.yaml",
            "include: office\nobligations:\n  - {id: exit, clause: y, when: {done: a}, do: notice.given, within: 2 business days, calendar: office}",
        ),
        (
            "terms/office.yaml",
            "calendars: {office: {zone: Europe/Amsterdam, hours: {mon-fri: \"09:00-17:00\"}, holidays: [nl]}}",
        ),
    ];
    assert_eq!(problems(&own, &files), []);
}

#[test]
fn a_contract_may_owe_only_what_it_includes() {
    assert_eq!(problems("include: duties\n", &[("duties.yaml", DUTY)]), []);
}

#[test]
fn what_is_wrong_in_an_included_file_is_told_there() {
    let found = problems(
        "include: duties\n",
        &[(
            "duties.yaml",
            "# ours\nobligations:\n  - {id: a, clause: x, when: ticket.opened, do: ticket.closed, within: 4 hours}\n",
        )],
    );
    says(&found, "E201", "duties.yaml", 3, "did you mean `4h`?");
    let found = problems(&format!("include: bad\n{DUTY}"), &[("bad.yaml", "values: {a: [}")]);
    says(&found, "E005", "bad.yaml", 1, "not YAML");
    let found = problems(&format!("include: bad\n{DUTY}"), &[("bad.yaml", "valeus: {a: b}")]);
    says(&found, "E101", "bad.yaml", 1, "did you mean `values`?");
}

#[test]
fn a_name_twice_is_told_with_both_places() {
    let office = "calendars:\n  office: {zone: UTC, hours: {mon-fri: \"09:00-17:00\"}}\n";
    let found = problems(&format!("include: office\n{office}{DUTY}"), &[("office.yaml", office)]);
    says(&found, "E308", "c.yaml", 8, "office.yaml, line 2");
    let found = problems(&format!("include: [one, two]\n{DUTY}"), &[("one.yaml", office), ("two.yaml", office)]);
    says(&found, "E308", "two.yaml", 2, "one.yaml, line 2");
    let found = problems(&format!("include: duties\n{DUTY}"), &[("duties.yaml", DUTY)]);
    says(&found, "E308", "c.yaml", 8, "duties.yaml, line 2");
    let found = problems(&format!("include: [one, one]\n{DUTY}"), &[("one.yaml", office)]);
    says(&found, "E308", "c.yaml", 6, "name it once");
}

#[test]
fn only_values_may_be_given_anew_and_only_by_the_file_that_includes() {
    let terms = "values: {undue: 24h}\nobligations:\n  - {id: t, clause: x, when: ticket.opened, do: ticket.closed, within: $undue}\n";
    let dir = folder(&[("terms.yaml", terms), ("c.yaml", &format!("{HEAD}include: terms\nvalues: {{undue: 12h}}\n"))]);
    let contracts = load(&[dir.path().join("c.yaml")], &Library::default()).expect("it loads");
    let said = format!("{:?}", contracts[0].obligations[0].sentence);
    assert!(said.contains("Elapsed(43200000)"), "{said}");
    let found = problems("include: [terms, more]\n", &[("terms.yaml", terms), ("more.yaml", "values: {undue: 8h}\n")]);
    says(&found, "E308", "more.yaml", 1, "in the file that includes both");
}

#[test]
fn a_file_that_two_others_share_is_read_once() {
    let files = [
        ("one.yaml", "include: shared"),
        ("two.yaml", "include: shared"),
        ("shared.yaml", "calendars: {office: {zone: UTC, hours: {mon-fri: \"09:00-17:00\"}}}"),
    ];
    assert_eq!(problems(&format!("include: [one, two]\n{DUTY}"), &files), []);
}

#[test]
fn defaults_and_calendar_of_a_part_hold_for_its_own_duties() {
    let terms = "calendar: office\ndefaults: {trust: verified}\nobligations:\n  - {id: t, clause: x, when: ticket.opened, do: ticket.closed, within: 1 business day}\n";
    let own = format!(
        "{HEAD}include: terms\ndefaults: {{trust: asserted, obligor: customer}}\ncalendars: {{office: {{zone: UTC, hours: {{mon-fri: \"09:00-17:00\"}}}}}}\n{DUTY}"
    );
    let dir = folder(&[("terms.yaml", terms), ("c.yaml", &own)]);
    let contracts = load(&[dir.path().join("c.yaml")], &Library::default()).expect("it loads");
    let [a, t] = contracts[0].obligations.as_slice() else { panic!("two duties") };
    let said = |o: &onus_engine::terms::Obligation| format!("{:?} {}", o.trust, o.obligor);
    assert_eq!((said(a), said(t)), ("Asserted customer".to_owned(), "Verified customer".to_owned()));
    let found = problems(
        "include: terms\ncalendars: {office: {zone: UTC, hours: {mon-fri: \"09:00-17:00\"}}}\nobligations:\n  - {id: a, clause: x, when: ticket.opened, do: ticket.closed, within: 1 business day}\n",
        &[("terms.yaml", terms)],
    );
    says(&found, "E311", "c.yaml", 9, "no calendar says");
}

#[test]
fn cycles_are_told_by_their_files() {
    let files = [("one.yaml", "include: two"), ("two.yaml", "include: one")];
    let found = problems(&format!("include: one\n{DUTY}"), &files);
    says(&found, "E505", "two.yaml", 1, "one.yaml includes");
    let found = problems(&format!("include: c\n{DUTY}"), &[]);
    says(&found, "E505", "c.yaml", 6, "each other");
}

#[test]
fn nothing_outside_the_folder_is_read() {
    for name in ["../x", "/etc/passwd", "a/../../x.yaml"] {
        let found = problems(&format!("include: {name}\n{DUTY}"), &[]);
        says(&found, "E504", "c.yaml", 6, "--library");
    }
    let outside = folder(&[("secret.yaml", "values: {a: b}")]);
    let dir = folder(&[("c.yaml", &format!("{HEAD}include: link\n{DUTY}"))]);
    std::os::unix::fs::symlink(outside.path().join("secret.yaml"), dir.path().join("link.yaml")).expect("a link");
    let found = load(&[dir.path().join("c.yaml")], &Library::default()).expect_err("it leads out");
    says(&found, "E504", "c.yaml", 6, "leads out");
    let library = Library::new(vec![outside.path().to_owned()]);
    fs::write(dir.path().join("c.yaml"), format!("{HEAD}include: secret\n{DUTY}")).expect("a file");
    assert!(load(&[dir.path().join("c.yaml")], &library).is_ok());
}

#[test]
fn a_missing_part_is_the_only_thing_that_is_told_of_its_names() {
    let own = "include: office\ncalendar: office\nobligations:\n  - {id: a, clause: x, when: ticket.opened, do: ticket.closed, within: 1 business day}\n";
    says(&problems(own, &[]), "E503", "c.yaml", 6, "office.yaml");
}

#[test]
fn who_is_bound_is_said_in_the_contract_itself() {
    let found = problems(&format!("include: more\n{DUTY}"), &[("more.yaml", "zone: UTC\nvalues: {a: b}")]);
    says(&found, "E506", "more.yaml", 1, "`zone`");
}

fn today() -> chrono::NaiveDate {
    chrono::NaiveDate::from_ymd_opt(2026, 6, 1).expect("a date")
}

fn codes(paths: &[PathBuf]) -> Vec<String> {
    survey(paths, &Library::default(), today()).problems.iter().map(|problem| problem.code.to_string()).collect()
}

#[test]
fn parts_among_contracts_are_no_contracts() {
    let main = format!("{HEAD}include: part\n{DUTY}");
    let dir = folder(&[("c.yaml", &main), ("part.yaml", "values: {}")]);
    let all = [dir.path().to_owned()];
    assert_eq!(codes(&all), ["E105"]);
    fs::write(dir.path().join("part.yaml"), "events: [badge.returned]").expect("a file");
    assert_eq!(codes(&all), ["W205"]);
    fs::write(dir.path().join("more.yaml"), "events: [badge.lost]").expect("a file");
    assert_eq!(codes(&all), ["W205", "W503"]);
    let alone = [dir.path().join("more.yaml")];
    assert_eq!(codes(&alone), [""; 0]);
    assert_eq!(load(&alone, &Library::default()).expect_err("no contract")[0].code.to_string(), "E502");
}

#[test]
fn a_part_alone_is_read_as_far_as_it_goes() {
    let part = |text: &str| codes(&[folder(&[("part.yaml", text)]).keep().join("part.yaml")]);
    let duty = "obligations:\n  - {id: a, clause: x, control: rotation, when: {done: other}, do: ticket.closed, within: 2 business days}\n";
    assert_eq!(part(duty), [""; 0]);
    assert_eq!(part(&duty.replace("2 business days", "$undue")), [""; 0]);
    assert_eq!(part(&duty.replace("2 business days", "2 bussiness days")), ["E201"]);
    assert_eq!(part("calendars: {o: {hours: {mon: \"9-17\"}}}"), ["E406", "E207"]);
}
