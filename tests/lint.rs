//! `onus lint`: what people, scripts and editors are told of contracts, to the letter.

#[path = "support/checked_in.rs"]
mod checked_in;

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const BROKEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/contracts/broken");

/// In the folder of broken contracts, on a day of 2026.
fn onus(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_onus")).args(args).current_dir(BROKEN).output().expect("the binary runs")
}

fn lint(args: &[&str]) -> (i32, String, String) {
    let all: Vec<&str> = ["lint", "--as-of", "2026-06-01"].iter().chain(args).copied().collect();
    let out = onus(&all);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (out.status.code().unwrap_or(-1), text(out.stdout), text(out.stderr))
}

fn broken() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(BROKEN).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "yaml")).collect();
    files.sort();
    files
}

fn name(path: &Path) -> String {
    path.file_name().expect("a name").to_string_lossy().into_owned()
}

/// Each was read by a person, and is the error that one would want at two in the morning.
#[test]
fn broken_contracts_are_told_to_the_letter() {
    let files = broken();
    assert!(files.len() >= 25, "only {} files", files.len());
    for path in files {
        let file = name(&path);
        let (code, out, talk) = lint(&[&file]);
        let want = format!("{out}{talk}exit {code}\n");
        checked_in::same(&format!("tests/contracts/broken/{}", file.replace(".yaml", ".txt")), &want);
    }
}

#[test]
fn a_sound_contract_has_nothing_on_standard_output() {
    assert_eq!(lint(&["sound.yaml"]), (0, String::new(), "fine: 0 errors, 0 warnings in 1 file\n".to_owned()));
}

#[test]
fn the_exit_code_says_how_bad_it_is() {
    assert_eq!(lint(&["misspelt-keys.yaml"]).0, 2);
    assert_eq!(lint(&["warnings-about-clocks.yaml"]).0, 0);
    assert_eq!(lint(&["warnings-about-clocks.yaml", "--strict"]).0, 1);
    assert_eq!(lint(&["sound.yaml", "--strict"]).0, 0);
    assert_eq!(lint(&["missing.yaml"]).0, 2);
}

#[test]
fn warnings_can_be_left_out_and_errors_cannot() {
    let (_, before, _) = lint(&["warnings-about-clocks.yaml"]);
    let (_, after, _) = lint(&["warnings-about-clocks.yaml", "--allow", "w103", "--allow", "W201"]);
    assert!(before.contains("W103") && before.contains("W201") && before.contains("W202"));
    assert!(!after.contains("W103") && !after.contains("W201") && after.contains("W202"), "{after}");
    let (code, _, talk) = lint(&["sound.yaml", "--allow", "E101"]);
    assert!(code == 2 && talk.contains("E101 is an error"), "{talk}");
}

#[test]
fn json_has_every_problem_with_its_place_and_the_nearest_word() {
    let (code, out, _) = lint(&["misspelt-keys.yaml", "--format", "json"]);
    let json: Value = serde_json::from_str(&out).expect("JSON");
    let problems = json["problems"].as_array().expect("a list");
    let first = problems.iter().find(|p| p["nearest"] == "customer").expect("the misspelt customer");
    assert_eq!(first["code"], "E101");
    assert_eq!(first["name"], "unknown-key");
    assert_eq!(first["level"], "error");
    assert_eq!((&first["line"], &first["column"], &first["end_column"]), (&4.into(), &1.into(), &9.into()));
    assert_eq!(first["excerpt"]["text"], "costumer: northwind");
    assert_eq!((code, &json["summary"]["errors"]), (2, &problems.len().into()));
    let (_, out, _) = lint(&["misspelt-keys.yaml", "--format", "jsonl"]);
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), problems.len() + 1);
    assert!(lines[..problems.len()].iter().all(|line| line["record"] == "problem"));
    assert_eq!(lines[problems.len()]["record"], "summary");
}

/// What SARIF 2.1.0 requires of a log, and what code hosts need to show it.
#[test]
fn sarif_has_what_the_standard_asks_for() {
    let (_, out, _) = lint(&[".", "--format", "sarif"]);
    let log: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(log["version"], "2.1.0");
    assert!(log["$schema"].as_str().is_some_and(|schema| schema.ends_with("sarif-2.1.0.json")));
    let [run] = log["runs"].as_array().expect("runs").as_slice() else { panic!("one run") };
    let driver = &run["tool"]["driver"];
    assert_eq!((driver["name"].as_str(), driver["version"].as_str()), (Some("onus"), Some(env!("CARGO_PKG_VERSION"))));
    let rules = driver["rules"].as_array().expect("rules");
    for rule in rules {
        for text in ["shortDescription", "fullDescription", "help"] {
            assert!(rule[text]["text"].as_str().is_some_and(|text| !text.is_empty()), "{rule}");
        }
        let level = if rule["id"].as_str().is_some_and(|id| id.starts_with('E')) { "error" } else { "warning" };
        assert_eq!(rule["defaultConfiguration"]["level"], level);
    }
    let results = run["results"].as_array().expect("results");
    assert!(results.len() > 50, "only {} results", results.len());
    for result in results {
        let index = result["ruleIndex"].as_u64().expect("an index");
        assert_eq!(result["ruleId"], rules[usize::try_from(index).expect("small")]["id"]);
        assert!(matches!(result["level"].as_str(), Some("error" | "warning")));
        assert!(result["message"]["text"].as_str().is_some_and(|text| !text.is_empty()));
        let [location] = result["locations"].as_array().expect("locations").as_slice() else { panic!("one location") };
        let place = &location["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().expect("a URI");
        assert!(!uri.contains([' ', '\\']) && uri.ends_with(".yaml"), "{uri}");
        let number = |key: &str| place["region"][key].as_u64().expect("a number");
        assert!(number("startLine") >= 1 && number("startColumn") >= 1);
        assert!(number("endColumn") > number("startColumn"));
        assert!(place["region"]["snippet"]["text"].is_string(), "{result}");
        assert!(place["contextRegion"]["snippet"]["text"].is_string(), "{result}");
    }
}

#[test]
fn a_code_is_explained_with_both_examples() {
    let (code, out, _) = explain(&["E201"]);
    assert_eq!(code, 0);
    assert!(out.contains("Broken:") && out.contains("within: 4 hours}") && out.contains("within: 4h}"), "{out}");
    let (code, out, _) = explain(&["e201", "--format", "json"]);
    let json: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, &json["codes"][0]["name"]), (0, &"bad-length".into()));
    let (code, _, talk) = explain(&["E299"]);
    assert!(code == 2 && talk.contains("there are E201, E202"), "{talk}");
}

fn explain(args: &[&str]) -> (i32, String, String) {
    let all: Vec<&str> = ["--explain"].iter().chain(args).copied().collect();
    lint(&all)
}

#[test]
fn explaining_all_prints_the_page_that_is_checked_in() {
    checked_in::same("docs/reference/contract-errors.md", &explain(&["all"]).1);
}

#[test]
fn check_says_in_one_line_that_there_are_warnings_and_judges_all_the_same() {
    let out = onus(&["check", "--contracts", "warnings-about-clocks.yaml", "/dev/null"]);
    let talk = String::from_utf8(out.stderr).expect("UTF-8");
    assert_eq!(talk.matches("warnings; `onus lint` tells them").count(), 1, "{talk}");
    assert_eq!(out.status.code(), Some(0));
    let quiet = onus(&["check", "--quiet", "--contracts", "warnings-about-clocks.yaml", "/dev/null"]);
    assert!(!String::from_utf8_lossy(&quiet.stderr).contains("warnings"));
}

#[test]
fn versions_and_other_contracts_are_looked_at_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, effective: &str, rest: &str, duty: &str| {
        let text = format!(
            "contract: {name}\npartner: p\ncustomer: k\neffective: {effective}\n{rest}zone: UTC\nobligations:\n  - {{id: a, clause: x, when: incident.detected, do: incident.notified, {duty}}}\n"
        );
        std::fs::write(folder.path().join(format!("{name}-{}.yaml", &effective[..4])), text).expect("written");
    };
    write("sla", "2026-01-01T00:00:00Z", "ends: 2026-06-01T00:00:00Z\n", "within: 24h, serves: [law/a]");
    write("sla", "2027-01-01T00:00:00Z", "", "within: 4h, serves: [law/a]");
    write("law", "2026-01-01T00:00:00Z", "ends: 2028-06-01T00:00:00Z\n", "within: 24h");
    write("law", "2028-01-01T00:00:00Z", "", "within: 24h");
    let (code, out, _) = lint(&[folder.path().to_str().expect("UTF-8")]);
    let found: Vec<&str> =
        out.lines().filter_map(|line| line.split(": ").nth(1)).filter(|c| c.starts_with('W')).collect();
    assert_eq!((code, found), (0, vec!["W502", "W501", "W108"]), "{out}");
}

#[test]
fn what_a_terminal_would_obey_is_not_sent_to_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.yaml");
    std::fs::write(&path, "contract: a\u{1b}[31mb\n").expect("written");
    let (_, out, _) = lint(&[path.to_str().expect("UTF-8")]);
    assert!(out.contains("E004") && !out.contains('\u{1b}'), "{out:?}");
}

#[cfg(unix)]
#[test]
fn links_that_go_round_and_pipes_hold_nothing_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let inner = folder.path().join("contracts/inner");
    std::fs::create_dir_all(&inner).expect("made");
    std::os::unix::fs::symlink("../../contracts", inner.join("up")).expect("linked");
    std::fs::copy(Path::new(BROKEN).join("sound.yaml"), folder.path().join("contracts/sound.yaml")).expect("copied");
    let at = folder.path().join("contracts").display().to_string();
    assert_eq!(lint(&[&at]), (0, String::new(), "fine: 0 errors, 0 warnings in 1 file\n".to_owned()));
    let pipe = inner.join("pipe.yaml");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
    let (code, out, _) = lint(&[&at]);
    assert_eq!(code, 2);
    assert!(out.contains("pipe.yaml:1:1: E001: is no regular file"), "{out}");
}

#[test]
fn a_contract_may_come_on_standard_input() {
    use std::io::Write;
    use std::process::Stdio;
    let mut child = Command::new(env!("CARGO_BIN_EXE_onus"))
        .args(["lint", "-", "--format", "jsonl"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    child.stdin.take().expect("a pipe").write_all(b"contract: acme\npartnr: x\n").expect("written");
    let out = child.wait_with_output().expect("it ends");
    let text = String::from_utf8(out.stdout).expect("UTF-8");
    assert_eq!(out.status.code(), Some(2));
    assert!(text.contains(r#""file":"standard input""#) && text.contains("partnr"), "{text}");
    // Events have standard input to themselves.
    let out = onus(&["check", "--contracts", "-", "/dev/null"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("standard input is for events"));
}

#[test]
fn what_is_nested_too_deep_and_tabs_say_what_they_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let told = |text: &str| {
        let file = folder.path().join("a.yaml");
        std::fs::write(&file, text).expect("written");
        lint(&[&file.display().to_string()]).1
    };
    for text in
        [format!("contract: {}", "[".repeat(5000)), format!("contract: {}1{}", "{a: ".repeat(3000), "}".repeat(3000))]
    {
        let out = told(&text);
        assert!(out.contains("E011: nested deeper than 64"), "{out}");
    }
    let out = told("contract:\tacme\n");
    assert!(out.contains("E005: not YAML: a tab stands after the colon") && out.contains("write a blank"), "{out}");
}

/// A folder with contracts of one obligation each: file, effective, limit, more lines of the head.
fn folder(versions: &[(&str, &str, &str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for (file, effective, limit, more) in versions {
        let text = format!(
            "contract: acme\npartner: acme\ncustomer: northwind\neffective: {effective}\nzone: Europe/Amsterdam\n{more}obligations:\n  \
             - {{id: resolve, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: {limit}}}\n"
        );
        std::fs::write(dir.path().join(file), text).expect("written");
    }
    dir
}

fn against(new: &[(&str, &str, &str, &str)], old: &[(&str, &str, &str, &str)]) -> (i32, Vec<(String, String)>) {
    let (new, old) = (folder(new), folder(old));
    let path = |dir: &tempfile::TempDir| dir.path().to_string_lossy().into_owned();
    let (code, out, _) = lint(&[&path(&new), "--against", &path(&old), "--format", "json"]);
    let json: Value = serde_json::from_str(&out).expect("JSON");
    let text = |problem: &Value, key: &str| problem[key].as_str().unwrap_or_default().to_owned();
    let problems = json["problems"].as_array().expect("a list");
    (code, problems.iter().map(|p| (text(p, "code"), text(p, "message"))).collect())
}

const JANUARY: &str = "2026-01-01T00:00:00+01:00";
const JULY: &str = "2026-07-01T00:00:00+02:00";

#[test]
fn a_change_from_now_on_reaches_into_no_past() {
    let agreed = [("a.yaml", JANUARY, "4h", "")];
    assert_eq!(against(&agreed, &agreed), (0, vec![]));
    assert_eq!(against(&[agreed[0], ("b.yaml", JULY, "8h", "")], &agreed), (0, vec![]));
    // What changes only what is to come, or says something to people, moves nothing that has ended.
    let told = "ends: 2027-01-01T00:00:00Z\nstack: port\nroles: {customer.lead: \"mail:a@b.example\"}\n";
    assert_eq!(against(&[("a.yaml", JANUARY, "4h", told)], &agreed), (0, vec![]));
    // Of a contract that is new nothing has ended.
    assert_eq!(against(&agreed, &[("a.yaml", JANUARY, "4h", "")][..0]).0, 2, "a folder without contracts");
}

#[test]
fn a_change_that_reaches_into_the_past_is_refused_unless_it_is_meant() {
    let agreed = [("a.yaml", JANUARY, "4h", ""), ("b.yaml", JULY, "6h", "")];
    let codes = |new: &[(&str, &str, &str, &str)]| {
        let (code, problems) = against(new, &agreed);
        (code, problems.into_iter().map(|(code, _)| code).collect::<Vec<_>>())
    };
    let one = |code: &str| vec![code.to_owned()];
    // The text in force says other than was agreed.
    assert_eq!(codes(&[("a.yaml", JANUARY, "8h", ""), agreed[1]]), (2, one("E520")));
    assert_eq!(codes(&[("a.yaml", JANUARY, "8h", "restates: misprint in 4.2\n"), agreed[1]]), (0, one("W520")));
    // A version that takes effect in the past, or is gone.
    assert_eq!(codes(&[agreed[0], ("c.yaml", "2026-03-01T00:00:00+01:00", "8h", ""), agreed[1]]), (2, one("E520")));
    assert_eq!(codes(&[("b.yaml", JULY, "6h", "")]), (2, one("E520")));
    // What has not taken effect may still be changed, and taken back.
    assert_eq!(codes(&[agreed[0], ("b.yaml", JULY, "9h", "")]), (0, vec![]));
    assert_eq!(codes(&[agreed[0]]), (0, vec![]));
    let (_, problems) = against(&[("a.yaml", JANUARY, "8h", "restates: misprint in 4.2\n"), agreed[1]], &agreed);
    assert!(problems[0].1.contains("it says other than"), "{problems:?}");
}

#[test]
fn a_gap_between_versions_is_told_beside() {
    let agreed = [("a.yaml", JANUARY, "4h", "")];
    let ends = "ends: 2026-06-15T00:00:00Z\n";
    let (code, problems) = against(&[("a.yaml", JANUARY, "4h", ends), ("b.yaml", JULY, "6h", "")], &agreed);
    assert_eq!((code, problems.iter().map(|(code, _)| code.as_str()).collect::<Vec<_>>()), (0, vec!["W501"]));
}

/// Warnings of a contract with one control and these obligations, of these codes only.
fn gaps(obligations: &str, codes: &[&str]) -> Vec<String> {
    let dir = tempfile::tempdir().expect("a folder");
    let text = format!(
        "contract: acme\npartner: acme\ncustomer: northwind\neffective: {JANUARY}\nzone: UTC\ncalendar: office\n\
         calendars: {{office: {{zone: UTC, hours: {{mon-fri: \"09:00-17:00\"}}}}}}\n\
         controls:\n  rotation: {{mode: operational, risk-owner: customer.ciso-office}}\nobligations:\n{obligations}"
    );
    std::fs::write(dir.path().join("a.yaml"), text).expect("written");
    let (_, out, _) = lint(&[&dir.path().to_string_lossy(), "--format", "json"]);
    let json: Value = serde_json::from_str(&out).expect("JSON");
    let all = json["problems"].as_array().expect("a list").iter();
    all.filter_map(|p| p["code"].as_str()).filter(|code| codes.contains(code)).map(str::to_owned).collect()
}

/// GOVERNANCE, section 5, rule 13: what the customer can force, at any hour.
#[test]
fn a_contract_in_which_the_customer_can_force_nothing_is_warned_of() {
    let forced = |when: &str, act: &str, within: &str, more: &str| {
        let line = format!("  - {{id: a, clause: x, when: {when}, do: {act}, within: {within}{more}}}\n");
        gaps(&line, &["W320"]).is_empty()
    };
    assert!(forced("{event: ticket.opened, by: customer}", "credential.revoked", "1h", ""));
    assert!(forced("credential.exposed", "{all: [credential.rotated, credential.retired]}", "4h", ""));
    assert!(forced("incident.detected", "grant.revoked", "at once", ""));
    assert!(!forced("ticket.opened", "ticket.resolved", "1h", ""), "no act on access");
    assert!(!forced("operator.left", "credential.revoked", "1h", ""), "no demand");
    assert!(!forced("ticket.opened", "credential.revoked", "4 business hours", ""), "not at night");
    assert!(!forced("ticket.opened", "credential.revoked", "1h", ", obligor: customer"), "not the partner's");
}

/// GOVERNANCE, section 5, rule 16.
#[test]
fn a_level_that_is_only_an_average_is_warned_of() {
    let line = |id: &str, act: &str, target: &str| {
        format!(
            "  - {{id: {id}, clause: x, when: ticket.opened, do: {act}, within: 8h, target: {{{target}, each: month}}}}\n"
        )
    };
    let average = line("a", "ticket.resolved", "average: 4h");
    let told = |obligations: &str| gaps(obligations, &["W321"]).len();
    assert_eq!(told(&average), 1);
    assert_eq!(told(&line("a", "ticket.resolved", "average: 1 business day")), 1);
    assert_eq!(told(&line("a", "ticket.resolved", "at-least: 95%")), 0);
    assert_eq!(told(&format!("{average}{}", line("b", "ticket.resolved", "at-least: 95%"))), 0);
    assert_eq!(told(&format!("{average}{}", line("b", "ticket.closed", "at-least: 95%"))), 1);
}

/// What is warned of in a contract with these obligations and lines of the head, of one code, as `message = hint`.
fn warned(code: &str, head: &str, obligations: &str) -> Vec<String> {
    let dir = tempfile::tempdir().expect("a folder");
    let effective = if head.contains("effective:") { "" } else { "effective: 2026-01-01T00:00:00Z\n" };
    let text = format!("contract: t\npartner: p\ncustomer: c\n{effective}zone: UTC\n{head}obligations:\n{obligations}");
    std::fs::write(dir.path().join("a.yaml"), &text).expect("written");
    let (_, out, _) = lint(&[&dir.path().to_string_lossy(), "--format", "json"]);
    let json: Value = serde_json::from_str(&out).expect("JSON");
    let all = json["problems"].as_array().expect("a list");
    assert!(all.iter().all(|p| p["level"] == "warning"), "{out}\n{text}");
    let told = |p: &Value| format!("{} = {}", p["message"].as_str().unwrap_or(""), p["hint"].as_str().unwrap_or(""));
    all.iter().filter(|p| p["code"] == code).map(told).collect()
}

/// The law's 72 hours go on over Christmas: a partner whose deadline waits for the next working day is too late.
#[test]
fn a_deadline_that_closed_days_carry_beyond_the_law_is_warned_of() {
    let calendar = |days: &str, holidays: &str| {
        format!("calendars: {{o: {{zone: UTC, hours: {{{days}: \"09:00-17:00\"}}, holidays: [{holidays}]}}}}\n")
    };
    let serves = |head: &str, law: &str, limit: &str| {
        let law = format!(
            "  - {{id: law, clause: a, obligor: customer, when: incident.detected, do: incident.reported, {law}}}\n"
        );
        let own = format!(
            "  - {{id: own, clause: b, when: incident.detected, do: incident.notified, {limit}, serves: [law]}}\n"
        );
        warned("W108", head, &format!("{law}{own}"))
    };
    let (law, rolled) = ("within: 72h", "within: 4h, roll: next business day, calendar: o");
    let christmas = calendar("mon-fri", "2026-12-25");
    let told = serves(&christmas, law, rolled);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("its calendar is closed for the 3 days from 2026-12-25 on"), "{told:?}");
    // A weekend alone, a calendar that closes on one day, no roll, or one back: in time.
    assert!(serves(&calendar("mon-fri", "2026-12-24"), "within: 100h", rolled).is_empty());
    assert!(serves(&calendar("mon-sat", "2026-12-23"), law, rolled).is_empty());
    assert!(serves(&christmas, law, "within: 4h").is_empty());
    assert!(serves(&christmas, law, "within: 4h, roll: previous business day, calendar: o").is_empty());
    // What moves by the same rule stays in its order.
    assert!(serves(&christmas, &format!("{law}, roll: next business day, calendar: o"), rolled).is_empty());
    // By the hour of the next working day, and in working time over a long closure.
    assert_eq!(serves(&christmas, law, "within: by 12:00 next business day, calendar: o").len(), 1);
    assert_eq!(serves(&christmas, law, "within: 4h, roll: by 12:00 next business day, calendar: o").len(), 1);
    let closure =
        calendar("mon-fri", "2026-12-24, 2026-12-25, 2026-12-28, 2026-12-29, 2026-12-30, 2026-12-31, 2027-01-01");
    assert_eq!(serves(&closure, "within: 7 days", "within: 1 business day, calendar: o").len(), 1);
    assert!(serves(&christmas, "within: 7 days", "within: 1 business day, calendar: o").is_empty());
}

#[test]
fn a_field_one_slip_from_a_known_one_is_warned_of() {
    let when = |test: &str| {
        warned(
            "W112",
            "",
            &format!(
                "  - {{id: a, clause: x, when: {{event: ticket.opened, where: {{{test}}}}}, do: ticket.closed, within: 4h}}\n"
            ),
        )
    };
    assert_eq!(when("prioritty: P1"), ["no event is known to have a field `prioritty` = did you mean `priority`?"]);
    for fine in ["priority: P1", "floor: 3", "reasons: x", "amount: 4", "waived: true", "u_prio: 1"] {
        assert!(when(fine).is_empty(), "{fine}");
    }
    // What the contract itself says again and again.
    let line = |id: &str, field: &str| {
        format!(
            "  - {{id: {id}, clause: x, when: {{event: ticket.opened, where: {{{field}: x}}}}, do: ticket.closed, within: 4h}}\n"
        )
    };
    let own = format!("{}{}{}", line("a", "tenancy"), line("b", "tenancy"), line("c", "tennancy"));
    assert_eq!(warned("W112", "", &own), ["no event is known to have a field `tennancy` = did you mean `tenancy`?"]);
    let table = "  - {id: a, clause: x, when: ticket.opened, do: ticket.closed, within: {depends-on: severty, table: {high: 4h, \"*\": 8h}}}\n";
    assert_eq!(warned("W112", "", table).len(), 1);
}

#[test]
fn an_act_that_has_come_already_is_warned_of() {
    let owed = |when: &str, act: &str| {
        warned("W113", "", &format!("  - {{id: a, clause: x, when: {when}, do: {act}, within: 4h}}\n")).len()
    };
    assert_eq!(owed("ticket.opened", "ticket.opened"), 1);
    assert_eq!(owed("ticket.reopened", "{all: [ticket.resolved, ticket.opened]}"), 1);
    assert_eq!(owed("change.requested", "{any: [change.requested]}"), 1);
    assert_eq!(owed("ticket.opened", "{any: [ticket.opened, ticket.closed]}"), 0, "the other is possible");
    assert_eq!(owed("incident.detected", "ticket.opened"), 0, "on another subject");
    assert_eq!(owed("change.rejected", "change.requested"), 0, "asked for anew");
    assert_eq!(owed("grant.given", "grant.given"), 0, "given again");
}

#[test]
fn a_year_that_is_a_slip_is_warned_of() {
    let told = |effective: &str, period: &str| {
        let line = format!("  - {{id: beat, clause: x, every: {period}, do: feed.heartbeat}}\n");
        warned("W114", &format!("effective: {effective}\n"), &line)
    };
    let day = told("0001-01-01T00:00:00Z", "day");
    assert!(
        day[0].contains("a period of `beat` has begun 739767 times by 2026-06-01")
            && day[0].ends_with("is the year right?"),
        "{day:?}"
    );
    assert_eq!(told("1926-01-01T00:00:00Z", "year"), ["effective since 1926-01-01, before 1990 = is the year right?"]);
    assert!(told("1990-01-01T00:00:00Z", "day").is_empty());
    assert!(told("2026-01-01T00:00:00Z", "day").is_empty());
}

#[test]
fn names_that_differ_in_capitals_only_are_warned_of() {
    let line = |id: &str| format!("  - {{id: {id}, clause: x, when: ticket.opened, do: ticket.closed, within: 4h}}\n");
    let told = warned("W207", "", &format!("{}{}", line("a"), line("A")));
    assert_eq!(told, ["two obligations differ in capital letters only: `a` and `A` = give one of them another name"]);
    assert!(warned("W207", "", &format!("{}{}", line("a"), line("b"))).is_empty());
    let calendars =
        "calendars: {o: {zone: UTC, hours: {mon: \"09:00-17:00\"}}, O: {zone: UTC, hours: {mon: \"09:00-17:00\"}}}\n";
    assert_eq!(warned("W207", calendars, &line("a")).len(), 1);
}

#[test]
fn a_file_that_is_not_there_may_be_another_one() {
    assert!(lint(&["sond.yaml"]).1.contains("= did you mean `sound.yaml`?"));
    assert!(lint(&["sound.yml"]).1.contains("= did you mean `sound.yaml`?"));
    assert!(lint(&["nowhere/sound.yaml"]).1.contains("there is no folder nowhere"));
}
