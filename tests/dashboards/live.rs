//! Two real Onus, of which one is blind to a partner, and a real Prometheus that scrapes both and works the rules out.

use super::query::chosen;
use super::servers::{Server, escaped, program};
use onus::telemetry::boards::{self, Kind, Panel};
use onus_engine::time::{DAY, Moment};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

/// Panels that have nothing to say of this story, with the reason.
const SILENT: &[(&str, &str)] = &[
    ("Is the ledger whole?", "it may not have been looked at yet"),
    ("How long does a notice take?", "all were taken before Prometheus first looked"),
    ("Why could records not be used?", "all could"),
    ("How long after it could be known is a breach told?", "all of them were over when Onus began"),
    ("How long does the store take?", "there may be no commit in a minute"),
    ("Which credentials are excused?", "no waiver lasts so long"),
    ("Who judges how many shards?", "each of them judges all"),
    ("Are leases renewed?", "there are none where nobody shares"),
    ("Who gets worse?", "there may be no verdict in one of the windows"),
];

fn now() -> Moment {
    Moment(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as i64)
}

/// The story, moved by whole weeks so that it has just ended; two tickets that are open, and one that was done in time.
fn events(now: Moment) -> String {
    let text = fs::read_to_string(here("examples/demo/events.jsonl")).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let at = |line: &Value, key: &str| line[key].as_str().and_then(Moment::parse);
    let last = lines.iter().filter_map(|line| at(line, "time")).max().unwrap();
    let by = (now - last).div_euclid(7 * DAY) * 7 * DAY;
    let mut out = String::new();
    for mut line in lines {
        for key in ["time", "recordedtime"] {
            if let Some(at) = at(&line, key) {
                line[key] = Moment(at.0 + by).to_string().into();
            }
        }
        out += &format!("{line}\n");
    }
    for (id, ago) in [("INC-9001", 60_000), ("INC-9002", 30_000)] {
        let at = Moment(now.0 - ago);
        out += &format!(
            "{{\"specversion\":\"1.0\",\"id\":\"{id}-o\",\"source\":\"urn:desk:northwind\",\"type\":\"ticket.opened\",\
             \"time\":\"{at}\",\"subject\":\"{id}\",\"partner\":\"halden-pam\",\"data\":{{\"priority\":\"P1\"}}}}\n"
        );
    }
    // In the first weeks of a year all of the story is of the last one: one more is done in this.
    for (id, kind, ago, data) in [
        ("o", "ticket.opened", 20_000, "\"priority\":\"P1\""),
        ("r", "ticket.resolved", 1_000, "\"side\":\"partner\",\"actor\":\"l.haas\""),
    ] {
        let at = Moment(now.0 - ago);
        out += &format!(
            "{{\"specversion\":\"1.0\",\"id\":\"INC-9003-{id}\",\"source\":\"urn:desk:northwind\",\"type\":\"{kind}\",\
             \"time\":\"{at}\",\"subject\":\"INC-9003\",\"partner\":\"halden-pam\",\"data\":{{{data}}}}}\n"
        );
    }
    out
}

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// One of the story's obligations gets a level, by the year, so that it is in the window that runs.
fn contracts(folder: &Path) {
    fs::create_dir(folder.join("contracts")).unwrap();
    for name in ["brightkey", "halden-pam", "tidewater-soc"] {
        let text = fs::read_to_string(here(&format!("examples/demo/contracts/{name}.yaml"))).unwrap();
        let text = text.replace(
            "    reopen: {policy: resume, window: 14 days}\n",
            "    reopen: {policy: resume, window: 14 days}\n    target: {at-least: 90%, each: year}\n",
        );
        assert_eq!(name == "halden-pam", text.contains("target:"));
        fs::write(folder.join(format!("contracts/{name}.yaml")), text).unwrap();
    }
}

/// `more`: settings beside the story's own source.
fn onus(events: &str, more: &str) -> Server {
    let folder = tempfile::Builder::new().prefix("onus-boards-").tempdir().unwrap();
    contracts(folder.path());
    fs::write(folder.path().join("events.jsonl"), events).unwrap();
    fs::write(folder.path().join("vault.jsonl"), tick(now())).unwrap();
    let more = more.to_owned();
    let args = move |folder: &Path, addr| {
        let settings = format!(
            "[contracts]\npaths = [\"contracts\"]\n[http]\nlisten = \"{addr}\"\n[[source]]\nname = \"story\"\nkind = \"file\"\n\
             path = \"events.jsonl\"\nfollow = true\ntrust = \"verified\"\npartners = [\"*\"]\ntypes = [\"*\"]\n\
             transit = \"1s\"\nmay-claim-time = true\n{more}"
        );
        fs::write(folder.join("onus.toml"), settings).unwrap();
        vec!["run".to_owned(), "--config".to_owned(), folder.join("onus.toml").display().to_string()]
    };
    Server::start(Path::new(env!("CARGO_BIN_EXE_onus")), "/readyz", args, folder)
}

fn tick(at: Moment) -> String {
    format!(
        "{{\"specversion\":\"1.0\",\"id\":\"t1\",\"source\":\"urn:vault:northwind\",\"type\":\"onus.tick\",\"time\":\"{at}\"}}\n"
    )
}

struct Scene {
    pager: Server,
    seen: Server,
    prometheus: Server,
    _blind: Server,
}

impl Scene {
    fn new() -> Scene {
        program("prometheus", "prometheus");
        let events = events(now());
        let routes = fs::read_to_string(here("dashboards/alertmanager.example.yml")).unwrap();
        let pager = Server::alertmanager(&routes.replace("group_wait: 30s", "group_wait: 1s"));
        let seen = onus(&events, &format!("[alertmanager.one]\nurl = \"http://{}\"\n", pager.addr));
        let blind = onus(
            &events,
            "[[source]]\nname = \"vault\"\nkind = \"file\"\npath = \"vault.jsonl\"\nfollow = true\ntrust = \"verified\"\n\
             partners = [\"brightkey\"]\ntypes = [\"credential.*\"]\ntransit = \"1s\"\nheartbeat = \"1s\"\n",
        );
        let folder = tempfile::Builder::new().prefix("onus-prometheus-").tempdir().unwrap();
        let config = format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: ['{}']\nscrape_configs:\n\
             - {{job_name: onus, static_configs: [{{targets: ['{}']}}]}}\n\
             - {{job_name: blind, static_configs: [{{targets: ['{}']}}]}}\n",
            here("dashboards/rules/onus.rules.yaml").display(),
            seen.addr,
            blind.addr
        );
        fs::write(folder.path().join("prometheus.yml"), config).unwrap();
        let prometheus = Server::prometheus_in(folder, &[]);
        let scene = Scene { pager, seen, prometheus, _blind: blind };
        // Everything was read, and long enough ago that rates have something to go on.
        scene.until("count_over_time(onus_build_info{job=\"onus\"}[1m]) > 8 and on () max(onus_partner_blind{job=\"blind\"}) == 1");
        scene.until("sum(onus_source_events_total{job=\"onus\"}) >= 50");
        // What was pushed was taken, and that is on the page.
        scene.until("sum(onus_alerts_firing{job=\"onus\"}) > 0");
        scene.until("sum(rate(onus_notifications_sent_total{job=\"onus\"}[1m])) >= 0");
        scene
    }

    fn until(&self, expr: &str) {
        let until = Instant::now() + Duration::from_secs(60);
        while self.ask(expr).is_empty() {
            assert!(Instant::now() < until, "never: {expr}\n{}\n{}", self.seen.log(), self.prometheus.log());
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    /// Labels and value of each series.
    #[track_caller]
    fn ask(&self, expr: &str) -> Vec<(BTreeMap<String, String>, f64)> {
        let (status, body) = self.prometheus.get(&format!("/api/v1/query?query={}", escaped(expr))).unwrap();
        let answer: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(status, 200, "{expr}: {}", answer["error"]);
        let sample = |one: &Value| {
            let labels = serde_json::from_value(one["metric"].clone()).unwrap();
            (labels, one["value"][1].as_str().unwrap().parse().unwrap())
        };
        assert_eq!(answer["data"]["resultType"], "vector", "{expr}");
        answer["data"]["result"].as_array().unwrap().iter().map(sample).collect()
    }

    /// What a panel's target of this name answers, by partner; under "" where there is none.
    fn panel(&self, job: &str, board: &str, title: &str, legend: &str) -> BTreeMap<String, f64> {
        let boards = boards::all();
        let board = boards.iter().find(|one| one.uid == board).unwrap();
        let panel = board.rows.iter().flat_map(|row| &row.panels).find(|panel| panel.title == title).unwrap();
        let target = panel.targets.iter().find(|target| target.legend == legend).unwrap();
        let expr = chosen(&target.expr.replace("$job", job));
        self.ask(&expr).into_iter().map(|(labels, v)| (labels.get("partner").cloned().unwrap_or_default(), v)).collect()
    }

    fn one(&self, job: &str, board: &str, title: &str, legend: &str) -> f64 {
        self.panel(job, board, title, legend).get("").copied().unwrap_or(f64::NAN)
    }
}

/// One scene for all: it takes a while to set up.
#[test]
fn the_boards_answer_from_a_real_prometheus_what_onus_check_says_of_the_same_events() {
    let scene = Scene::new();
    every_query_of_every_panel_answers(&scene);
    every_rule_is_worked_out(&scene);
    the_numbers_are_those_of_check(&scene);
    nothing_is_green_of_a_partner_that_cannot_be_seen(&scene);
    the_silence_of_onus_is_no_answer(&scene);
    what_is_pushed_goes_where_the_example_says_and_keeps_its_backstop_back(&scene);
}

fn every_query_of_every_panel_answers(scene: &Scene) {
    for board in boards::all() {
        for panel in board.rows.iter().flat_map(|row| &row.panels) {
            let mut answered = 0;
            for target in &panel.targets {
                let name = format!("{}: {}: {}", board.uid, panel.title, target.legend);
                let all = scene.ask(&chosen(&target.expr.replace("$job", "onus")));
                let known: Vec<_> = all.iter().filter(|(_, value)| !value.is_nan()).collect();
                assert!(known.iter().all(|(_, value)| value.is_finite()), "{name}: {all:?}");
                for (labels, _) in &known {
                    let labels: BTreeSet<&str> = labels.keys().map(String::as_str).collect();
                    assert!(labels.is_subset(&expected(panel, target.legend)), "{name}: {labels:?}");
                }
                answered += known.len();
                over_time(scene, &name, &target.expr);
            }
            let silent = SILENT.iter().any(|(title, _)| *title == panel.title);
            assert!(silent || answered > 0 || panel.kind == Kind::Text, "{}: {}", board.uid, panel.title);
        }
    }
}

/// A table shows its labels as columns; of a curve they are in its name, or nobody sees which is which.
fn expected(panel: &Panel, legend: &str) -> BTreeSet<&'static str> {
    const ALL: [&str; 13] = [
        "kind",
        "control",
        "partner",
        "obligation",
        "clause",
        "side",
        "source",
        "standing",
        "reason",
        "result",
        "severity",
        "receiver",
        "version",
    ];
    if panel.kind == Kind::Table {
        return ALL.into_iter().chain(["instance"]).collect();
    }
    ALL.into_iter().filter(|label| legend.contains(&format!("{{{{{label}}}}}"))).collect()
}

fn over_time(scene: &Scene, name: &str, expr: &str) {
    let now = now().0 / 1_000;
    let expr = escaped(&chosen(expr));
    let path = format!("/api/v1/query_range?query={expr}&start={}&end={now}&step=5", now - 60);
    let (status, body) = scene.prometheus.get(&path).unwrap();
    assert_eq!(status, 200, "{name}: {body}");
}

fn every_rule_is_worked_out(scene: &Scene) {
    let (_, body) = scene.prometheus.get("/api/v1/rules").unwrap();
    let answer: Value = serde_json::from_str(&body).unwrap();
    let mut alerts = BTreeMap::new();
    for rule in answer["data"]["groups"].as_array().unwrap().iter().flat_map(|group| group["rules"].as_array().unwrap())
    {
        assert_eq!(rule["health"], "ok", "{rule}");
        if rule["type"] == "alerting" {
            // Of two severities, the one that holds.
            let (name, state) = (rule["name"].as_str().unwrap().to_owned(), rule["state"].as_str().unwrap());
            let known = alerts.entry(name).or_insert_with(|| state.to_owned());
            if known == "inactive" {
                state.clone_into(known);
            }
        }
    }
    // `for` has not passed: what holds is pending.
    for (name, state) in [
        ("OnusWatchdog", "firing"),
        ("OnusBreached", "pending"),
        ("OnusPartnerBlind", "pending"),
        ("OnusDown", "inactive"),
        ("OnusClockHeld", "inactive"),
        ("OnusBreachNotPushed", "inactive"),
        ("OnusPushFailing", "inactive"),
    ] {
        assert_eq!(alerts[name], state, "{name}");
    }
    for record in [
        "partner:onus_duties_breached:sum",
        "partner_obligation_standing:onus_duties:max",
        "source:onus_source_behind:seconds",
        "onus:onus_clock_behind:seconds",
    ] {
        assert!(!scene.ask(record).is_empty(), "{record}");
    }
}

fn check(scene: &Scene, until: Moment) -> Value {
    let folder = scene.seen.folder.path();
    let output = Command::new(env!("CARGO_BIN_EXE_onus"))
        .args([
            "check",
            "--contracts",
            "contracts",
            "events.jsonl",
            "--duties",
            "--format",
            "json",
            "--quiet",
            "--until",
        ])
        .arg(until.to_string())
        .current_dir(folder)
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

fn the_numbers_are_those_of_check(scene: &Scene) {
    // A deadline may pass between the question here and the question there: then it is asked again.
    let mut last = String::new();
    for _ in 0..5 {
        let clock = scene.ask("max(onus_clock_timestamp_seconds{job=\"onus\"})")[0].1;
        let checked = check(scene, Moment((clock * 1e3) as i64));
        match compared(scene, &checked, Moment((clock * 1e3) as i64)) {
            Ok(()) => return,
            Err(what) => last = what,
        }
        std::thread::sleep(Duration::from_secs(2));
    }
    panic!("{last}");
}

fn compared(scene: &Scene, checked: &Value, until: Moment) -> Result<(), String> {
    const BOARD: &str = "onus-leadership";
    const WORST: &str = "Who fails us now, and how badly?";
    const WITHIN: &str = "Are we within contract?";
    let mut broken: BTreeMap<String, f64> = BTreeMap::new();
    let (mut findings, mut open, mut outside) = (broken.clone(), broken.clone(), BTreeSet::new());
    for duty in checked["duties"].as_array().unwrap() {
        let (partner, obligation) = (duty["partner"].as_str().unwrap(), duty["obligation"].as_str().unwrap());
        let counts = match (duty["standing"].as_str().unwrap(), obligation) {
            ("breached", "approved-first" | "attributed") => {
                outside.insert((partner.to_owned(), obligation.to_owned()));
                &mut findings
            }
            ("breached", _) if duty["ended_at"].is_null() => {
                outside.insert((partner.to_owned(), obligation.to_owned()));
                &mut broken
            }
            ("unknown", _) => &mut open,
            _ => continue,
        };
        *counts.entry(partner.to_owned()).or_default() += 1.0;
    }
    let rows = checked["obligations"].as_array().unwrap();
    for row in rows {
        let number = |key: &str| row[key].as_f64().unwrap();
        let (partner, obligation) = (row["partner"].as_str().unwrap(), row["obligation"].as_str().unwrap());
        let sum = |family: &str, standings: &str| {
            let expr = format!(
                "sum({family}{{job=\"onus\",partner=\"{partner}\",obligation=\"{obligation}\",standing=~\"{standings}\"}})"
            );
            scene.ask(&expr).first().map_or(0.0, |(_, value)| *value)
        };
        for (key, there) in [
            ("met", sum("onus_verdicts", "met")),
            ("breached", sum("onus_duties", "breached") + sum("onus_verdicts", "breached|met-late")),
            ("met_late", sum("onus_verdicts", "met-late")),
            ("waived", sum("onus_duties", "waived") + sum("onus_verdicts", "waived")),
            ("cancelled", sum("onus_verdicts", "cancelled")),
            ("exempt", sum("onus_duties", "exempt") + sum("onus_verdicts", "exempt")),
            ("unknown", sum("onus_duties", "unknown")),
            ("open", sum("onus_duties", "open|paused")),
        ] {
            if number(key) != there {
                return Err(format!("{partner} {obligation} {key}: check {} and Prometheus {there}", number(key)));
            }
        }
        let levels = checked["levels"].as_array().unwrap().iter();
        let missed =
            levels.filter(|level| level["partner"] == partner && level["obligation"] == obligation).any(|level| {
                let runs = Moment::parse(level["to"].as_str().unwrap()).unwrap() > until;
                runs && level["met"].as_f64().unwrap() < 0.9 * level["counted"].as_f64().unwrap()
            });
        if missed {
            outside.insert((partner.to_owned(), obligation.to_owned()));
        }
    }
    for (legend, want) in [("Broken", &broken), ("Findings", &findings), ("Verdict open", &open)] {
        let mut shown = scene.panel("onus", BOARD, WORST, legend);
        shown.retain(|_, value| *value != 0.0);
        if shown != *want {
            return Err(format!("{legend}: shown {shown:?} and check {want:?}"));
        }
    }
    let (total, out) = (rows.len() as f64, outside.len() as f64);
    for (legend, want) in [("Not known", 0.0), ("Outside", out), ("Within", total - out)] {
        let shown = scene.one("onus", BOARD, WITHIN, legend);
        if shown != want {
            return Err(format!("{legend}: shown {shown} and check {want}: {outside:?} of {total}"));
        }
    }
    let standing = scene.panel("onus", BOARD, WORST, "Standing");
    for (partner, value) in standing {
        let want = if outside.iter().any(|(one, _)| *one == partner) { 3.0 } else { 1.0 };
        if value != want && value != 2.0 {
            return Err(format!("{partner} stands as {value}, not {want}"));
        }
    }
    assert!(!broken.is_empty() && !findings.is_empty() && out > 0.0, "the story has something of each");
    Ok(())
}

fn nothing_is_green_of_a_partner_that_cannot_be_seen(scene: &Scene) {
    const TRUST: &str = "Can I trust this page?";
    for board in boards::all() {
        assert_eq!(scene.one("onus", board.uid, TRUST, "Trust"), 0.0, "{}", board.uid);
        let trust = scene.one("blind", board.uid, TRUST, "Trust");
        assert!((2.0..4.0).contains(&trust), "{}: {trust}", board.uid);
    }
    let standing = scene.panel("blind", "onus-leadership", "Who fails us now, and how badly?", "Standing");
    assert_eq!(standing["brightkey"], 4.0, "not known comes before everything");
    assert!(standing["halden-pam"] < 4.0, "what rests on other sources is known: {standing:?}");
    let within = |job, legend| scene.one(job, "onus-leadership", "Are we within contract?", legend);
    assert!(within("blind", "Not known") > 0.0);
    let all = |job| ["Not known", "Outside", "Within"].map(|legend| within(job, legend)).iter().sum::<f64>();
    assert_eq!(all("blind"), all("onus"), "each obligation counts once");
    let margins = scene.panel(
        "blind",
        "onus-leadership",
        "Which contracted levels are missed, or nearly?",
        "{{partner}} {{obligation}}",
    );
    assert!(!margins.contains_key("brightkey"));
    // On the partner's own board there is no number at all.
    let boards = boards::all();
    let panels =
        boards.iter().find(|board| board.uid == "onus-partner").unwrap().rows.iter().flat_map(|row| &row.panels);
    for panel in panels.filter(|panel| ["What stands broken?", "What is at risk?"].contains(&panel.title)) {
        let expr = panel.targets[0].expr.replace("$job", "blind").replace("$partner", "brightkey");
        assert!(scene.ask(&chosen(&expr)).is_empty(), "{}", panel.title);
    }
}

/// Of a job that nobody scrapes no panel of the first row says anything, and so shows what it shows of nothing.
fn the_silence_of_onus_is_no_answer(scene: &Scene) {
    for board in boards::all() {
        for panel in board.rows.iter().flat_map(|row| &row.panels).filter(|panel| panel.kind == Kind::Stat) {
            for target in panel.targets.iter() {
                let answer = scene.ask(&chosen(&target.expr.replace("$job", "nobody")));
                assert!(answer.is_empty(), "{}: {}: {answer:?}", board.uid, panel.title);
            }
        }
    }
}

/// The labels of real pages, and of rules, at a real Alertmanager that has the example's routes.
fn what_is_pushed_goes_where_the_example_says_and_keeps_its_backstop_back(scene: &Scene) {
    let alerts = || -> Vec<Value> { serde_json::from_str(&scene.pager.get("/api/v2/alerts").unwrap().1).unwrap() };
    let pushed = alerts();
    assert!(!pushed.is_empty());
    let mut pairs = BTreeSet::new();
    for alert in &pushed {
        let of = |name: &str| alert["labels"][name].as_str().unwrap_or_default().to_owned();
        assert!(
            ["OnusDutyBreached", "OnusDutyAtRisk", "OnusManyBreached", "OnusManyAtRisk"]
                .contains(&of("alertname").as_str()),
            "{alert}"
        );
        assert!(!of("partner").is_empty() && !of("obligation").is_empty() && !of("duty").is_empty(), "{alert}");
        assert!(["critical", "warning", "info"].contains(&of("severity").as_str()), "{alert}");
        let receivers = alert["receivers"].as_array().unwrap();
        let told = |name: &str| receivers.iter().any(|one| one["name"] == name);
        assert!(told(&format!("partner-{}", of("partner"))), "{alert}");
        assert!(told(if of("severity") == "critical" { "duties-oncall" } else { "duties-desk" }), "{alert}");
        assert!(!told("onus-platform") && !told("onus-oncall"), "{alert}");
        pairs.insert((of("partner"), of("obligation")));
    }
    let rule = |partner: &str, obligation: &str| {
        let labels = json!({
            "alertname": "OnusBreached", "partner": partner, "obligation": obligation, "severity": "warning",
            "concern": "duties",
        });
        json!({"labels": labels})
    };
    let (partner, obligation) = pairs.first().unwrap();
    let sent = json!([rule(partner, obligation), rule(partner, "no-such-obligation")]);
    assert_eq!(scene.pager.post("/api/v2/alerts", &sent.to_string()).0, 200);
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let mut backstops = alerts();
        backstops.retain(|one| one["labels"]["alertname"] == "OnusBreached");
        let held = backstops.iter().filter(|one| one["status"]["state"] == "suppressed");
        if held.map(|one| &one["labels"]["obligation"]).collect::<Vec<_>>() == [obligation] {
            return;
        }
        assert!(Instant::now() < until, "{backstops:?}");
        std::thread::sleep(Duration::from_millis(250));
    }
}
