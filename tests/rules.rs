//! The rules that ship: what Prometheus's own tool says of them, that each alert was seen to fire and not to fire, that each
//! has a runbook, and where Alertmanager sends it.

#![allow(clippy::unwrap_used)]

#[path = "support/checked_in.rs"]
mod checked_in;
#[path = "support/ports.rs"]
mod ports;
#[path = "support/servers.rs"]
mod servers;
#[path = "support/tree.rs"]
mod tree;

use checked_in::same;
use onus::telemetry::rules::{self, Alert, Options, Rule};
use serde_json::{Value, json};
use servers::{Server, tool};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const FILE: &str = "dashboards/rules/onus.rules.yaml";
const CASES: [&str; 2] = ["tests/rules/duties.yaml", "tests/rules/watch.yaml"];
const ROUTES: &str = "dashboards/alertmanager.example.yml";

fn here(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path).to_str().unwrap().to_owned()
}

fn alerts() -> Vec<Alert> {
    let groups = rules::groups(&Options::default());
    let all = groups.into_iter().flat_map(|group| group.rules);
    all.filter_map(|rule| if let Rule::Alert(alert) = rule { Some(alert) } else { None }).collect()
}

#[test]
fn the_file_that_ships_is_what_the_command_prints() {
    let output = Command::new(env!("CARGO_BIN_EXE_onus")).arg("rules").output().unwrap();
    assert!(output.status.success());
    same(FILE, &String::from_utf8(output.stdout).unwrap());
}

#[test]
fn prometheus_reads_the_rules_with_any_flags() {
    let folder = tempfile::tempdir().unwrap();
    let flags =
        ["--selector", "job=\"onus\",env=~\"a|b\"", "--label", "env=prod", "--silent-after", "5", "--behind", "1h"];
    let output = Command::new(env!("CARGO_BIN_EXE_onus")).arg("rules").args(flags).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("onus_source_up{job=\"onus\",env=~\"a|b\"}")
            && text.contains("behind:seconds{env=\"prod\"} > 3600")
    );
    let other = folder.path().join("rules.yaml");
    fs::write(&other, text).unwrap();
    for file in [here(FILE).as_str(), other.to_str().unwrap()] {
        let (fine, said) = tool("promtool", "prometheus", &["check", "rules", "--lint=all", "--lint-fatal", file]);
        assert!(fine, "{said}");
    }
}

#[test]
fn every_alert_fires_where_it_must_and_nowhere_else() {
    let mut args = vec!["test".to_owned(), "rules".to_owned()];
    args.extend(CASES.iter().map(|path| here(path)));
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (fine, said) = tool("promtool", "prometheus", &args);
    assert!(fine, "{said}");

    // Of each alert one moment at which it fires, and one at which it does not.
    let (mut fires, mut quiet) = (BTreeSet::new(), BTreeSet::new());
    for path in CASES {
        let text = fs::read_to_string(here(path)).unwrap();
        for case in tree::json(&text).unwrap()["tests"].as_array().unwrap() {
            for moment in case["promql_expr_test"].as_array().unwrap() {
                let asked = moment["expr"].as_str().unwrap().to_owned();
                let samples = moment["exp_samples"].as_array().unwrap();
                let seen: Vec<String> = samples.iter().map(|s| s["labels"].as_str().unwrap().to_owned()).collect();
                for alert in alerts() {
                    let exact = format!("alertname=\"{}\"", alert.name);
                    let about = asked.contains(alert.name) || asked == "ALERTS{alertstate=\"firing\"}";
                    if seen.iter().any(|labels| labels.contains(&exact)) {
                        fires.insert(alert.name);
                    } else if about {
                        quiet.insert(alert.name);
                    }
                }
            }
        }
    }
    for alert in alerts() {
        assert!(fires.contains(alert.name), "{} was never seen to fire", alert.name);
        let always = ["OnusWatchdog"].contains(&alert.name);
        assert!(
            always || quiet.contains(alert.name) || alert.name == "OnusLedgerUnverifiable",
            "{} always fires",
            alert.name
        );
    }
}

#[test]
fn every_alert_has_a_runbook_and_every_runbook_an_alert() {
    let names: BTreeSet<String> = alerts().iter().map(|alert| alert.name.to_owned()).collect();
    let files =
        fs::read_dir(here("docs/runbooks")).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let pages: BTreeSet<String> = files.filter(|name| name != "README.md").map(|n| n.replace(".md", "")).collect();
    assert_eq!(names, pages);
    for name in names {
        let text = fs::read_to_string(here(&format!("docs/runbooks/{name}.md"))).unwrap();
        assert!(text.starts_with(&format!("# {name}\n")), "{name}");
        let mut at = 0;
        for head in ["## What it means", "## What to look at", "## What to do", "## How to know that it is over"] {
            at += text[at..].find(head).unwrap_or_else(|| panic!("{name} does not say {head:?} there"));
        }
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            assert!(Path::new(&here("docs/runbooks")).join(link).exists(), "{name}: {link}");
        }
    }
}

#[test]
fn every_alert_says_whose_it_is_and_what_to_do() {
    let text = tree::json(&fs::read_to_string(here(FILE)).unwrap()).unwrap();
    let groups = text["groups"].as_array().unwrap();
    let rules = groups.iter().flat_map(|group| group["rules"].as_array().unwrap());
    for rule in rules.filter(|rule| rule["alert"].is_string()) {
        let name = &rule["alert"];
        for key in ["summary", "description", "runbook_url"] {
            assert!(rule["annotations"][key].as_str().is_some_and(|text| text.len() > 10), "{name}: {key}");
        }
        for label in ["partner", "obligation"] {
            let expr = rule["expr"].as_str().unwrap();
            let own = expr.contains(&format!("{label},"))
                || expr.contains(&format!("{label})"))
                || expr.contains(&format!("{label}:"))
                || expr.contains("partner_obligation:");
            assert!(own != (rule["labels"][label] == "none"), "{name}: {label}");
        }
    }
}

#[test]
fn alertmanager_sends_each_alert_to_those_whom_it_concerns() {
    let file = here(ROUTES);
    let (fine, said) = tool("amtool", "prometheus-alertmanager", &["check-config", &file]);
    assert!(fine, "{said}");
    let option = format!("--config.file={file}");
    for (labels, want) in [
        (
            "alertname=OnusDutyBreached partner=halden-pam obligation=restore severity=critical duty=1",
            "leadership,partner-halden-pam,duties-oncall",
        ),
        (
            "alertname=OnusDutyBreached partner=brightkey obligation=rotate severity=warning duty=1",
            "partner-brightkey,duties-desk",
        ),
        ("alertname=OnusDutyBreached partner=other obligation=rotate severity=info duty=1", "duties-desk"),
        (
            "alertname=OnusDutyAtRisk partner=halden-pam obligation=restore severity=warning duty=1",
            "partner-halden-pam,duties-desk",
        ),
        (
            "alertname=OnusBreached partner=tidewater-soc obligation=contain severity=critical concern=duties",
            "leadership,partner-tidewater-soc,duties-oncall",
        ),
        // Of a partner that has no route of its own nobody else hears.
        (
            "alertname=OnusBreached partner=other obligation=contain severity=critical concern=duties",
            "leadership,duties-oncall",
        ),
        (
            "alertname=OnusComplianceBelowTarget partner=halden-pam obligation=restore severity=warning concern=duties",
            "leadership,partner-halden-pam,duties-desk",
        ),
        (
            "alertname=OnusAllowanceExhausting partner=halden-pam obligation=restore severity=warning concern=duties",
            "leadership,duties-desk",
        ),
        (
            "alertname=OnusVerdictUnknown partner=halden-pam obligation=restore severity=warning concern=duties",
            "duties-desk",
        ),
        // That we are blind is our own matter first.
        ("alertname=OnusPartnerBlind partner=halden-pam obligation=none severity=critical concern=onus", "onus-oncall"),
        (
            "alertname=OnusLag partner=none obligation=none severity=warning concern=onus source=tickets",
            "onus-platform",
        ),
        ("alertname=OnusDown partner=none obligation=none severity=critical concern=onus", "onus-oncall"),
        ("alertname=OnusWatchdog partner=none obligation=none severity=none concern=onus", "dead-mans-switch"),
        ("alertname=NodeDown severity=critical", "unrouted"),
    ] {
        let mut args = vec!["config", "routes", "test", option.as_str()];
        args.extend(labels.split(' '));
        let (fine, said) = tool("amtool", "prometheus-alertmanager", &args);
        assert!(fine, "{said}");
        assert_eq!(said.lines().next(), Some(want), "{labels}");
    }
}

/// What a real Alertmanager holds back, by alert and partner.
#[test]
fn a_named_page_keeps_its_backstop_back_and_nothing_of_others() {
    let config = fs::read_to_string(here(ROUTES)).unwrap();
    let server = Server::alertmanager(
        &config.replace("group_wait: 30s", "group_wait: 1s").replace("group_interval: 5m", "group_interval: 1s"),
    );
    let alert = |name: &str, partner: &str, obligation: &str, more: Value| {
        let mut labels =
            json!({"alertname": name, "partner": partner, "obligation": obligation, "severity": "critical"});
        labels.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"labels": labels})
    };
    let none = json!({});
    let first = json!([
        alert("OnusDutyBreached", "halden-pam", "restore", json!({"duty": "d1", "subject": "INC-1"})),
        alert("OnusBreached", "halden-pam", "restore", none.clone()),
        alert("OnusBreached", "halden-pam", "acknowledge", none.clone()),
        alert("OnusManyBreached", "tidewater-soc", "contain", none.clone()),
        alert("OnusBreached", "tidewater-soc", "contain", none.clone()),
        alert("OnusBreached", "brightkey", "restore", none.clone()),
        alert("OnusDutyAtRisk", "halden-pam", "restore", json!({"duty": "d1", "subject": "INC-1"})),
        alert("OnusDutyAtRisk", "halden-pam", "restore", json!({"duty": "d2", "subject": "INC-2"})),
        alert("OnusAtRisk", "halden-pam", "acknowledge", none.clone()),
        alert("OnusPartnerBlind", "brightkey", "none", none.clone()),
        alert("OnusVerdictUnknown", "brightkey", "rotate", none.clone()),
        alert("OnusVerdictUnknown", "halden-pam", "restore", none.clone()),
        alert("OnusSourceSilent", "none", "none", json!({"source": "tickets"})),
        alert("OnusLag", "none", "none", json!({"source": "tickets"})),
        alert("OnusLag", "none", "none", json!({"source": "vault"})),
        alert("OnusWatchdog", "none", "none", none.clone()),
    ]);
    assert_eq!(server.post("/api/v2/alerts", &first.to_string()).0, 200);
    let held = [
        "OnusAtRisk halden-pam acknowledge ",
        "OnusBreached halden-pam restore ",
        "OnusBreached tidewater-soc contain ",
        "OnusDutyAtRisk halden-pam restore d1",
        "OnusLag none none tickets",
        "OnusVerdictUnknown brightkey rotate ",
    ];
    await_held(&server, &held);
    // Everything but what was pushed, the watchdog, and itself.
    let down = json!([alert("OnusDown", "none", "none", none)]);
    assert_eq!(server.post("/api/v2/alerts", &down.to_string()).0, 200);
    await_held(
        &server,
        &[
            "OnusAtRisk halden-pam acknowledge ",
            "OnusBreached brightkey restore ",
            "OnusBreached halden-pam acknowledge ",
            "OnusBreached halden-pam restore ",
            "OnusBreached tidewater-soc contain ",
            "OnusDutyAtRisk halden-pam restore d1",
            "OnusLag none none tickets",
            "OnusLag none none vault",
            "OnusPartnerBlind brightkey none ",
            "OnusSourceSilent none none tickets",
            "OnusVerdictUnknown brightkey rotate ",
            "OnusVerdictUnknown halden-pam restore ",
        ],
    );
}

#[track_caller]
fn await_held(server: &Server, want: &[&str]) {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        // What is held back is known once its group was to be notified: not at once.
        let (_, body) = server.get("/api/v2/alerts?inhibited=true").unwrap();
        let all: Vec<Value> = serde_json::from_str(&body).unwrap();
        let mut held: Vec<String> = Vec::new();
        for alert in all.iter().filter(|alert| alert["status"]["state"] == "suppressed") {
            let of = |name: &str| alert["labels"][name].as_str().unwrap_or_default().to_owned();
            let which = of("duty") + &of("source");
            held.push(format!("{} {} {} {which}", of("alertname"), of("partner"), of("obligation")));
        }
        held.sort();
        if held == want {
            return;
        }
        assert!(Instant::now() < until, "held back:\n{held:#?}\nand not:\n{want:#?}");
        std::thread::sleep(Duration::from_millis(250));
    }
}
