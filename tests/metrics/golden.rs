//! The demo's story through `onus run`: what its page says is what `onus check` says, from the first scrape on.

use crate::house::House;
use crate::page::Page;
use crate::promtool;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Child;

const CONTRACTS: [(&str, &str); 3] = [
    ("contracts/brightkey.yaml", include_str!("../../examples/demo/contracts/brightkey.yaml")),
    ("contracts/halden-pam.yaml", include_str!("../../examples/demo/contracts/halden-pam.yaml")),
    ("contracts/tidewater-soc.yaml", include_str!("../../examples/demo/contracts/tidewater-soc.yaml")),
];
const STORY: &str = include_str!("../../examples/demo/events.jsonl");

/// The demo's contracts, and a file of events that grows.
pub(crate) fn house(more: &str) -> House {
    let settings = format!(
        "{more}\n[judge]\nclock = \"events\"\n\
         [[source]]\nname = \"story\"\nkind = \"file\"\npath = \"story.jsonl\"\ntrust = \"verified\"\n\
         partners = [\"*\"]\ntypes = [\"*\"]\n"
    );
    let house = House::new("", &settings);
    std::fs::create_dir(house.path("contracts")).expect("a folder");
    CONTRACTS.iter().for_each(|(name, text)| house.write(name, text));
    let settings = std::fs::read_to_string(house.path("onus.toml")).expect("settings");
    house.write("onus.toml", &settings.replace("paths = [\"contract.yaml\"]", "paths = [\"contracts\"]"));
    house.write("story.jsonl", "");
    house
}

/// A process that runs, ended with its test.
pub(crate) struct Running<'h> {
    house: &'h House,
    child: Child,
    before: usize,
}

impl<'h> Running<'h> {
    pub(crate) fn new(house: &'h House) -> Running<'h> {
        let before = house.talk().matches("listening on http://").count();
        let running = Running { house, child: house.start(&["run"]), before };
        house.until("it listens", || running.address().is_some());
        running
    }

    fn address(&self) -> Option<String> {
        let talk = self.house.talk();
        let line = talk.split("listening on http://").nth(self.before + 1)?;
        line.split_once('\n').map(|(address, _)| address.trim().to_owned())
    }

    /// Head and body of an answer.
    pub(crate) fn ask(&self, path: &str, headers: &[(&str, &str)]) -> (String, String) {
        let mut stream = TcpStream::connect(self.address().expect("it listens")).expect("connected");
        let mut request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n");
        headers.iter().for_each(|(name, value)| request.push_str(&format!("{name}: {value}\r\n")));
        stream.write_all(format!("{request}\r\n").as_bytes()).expect("asked");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("answered");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        // The time of day is nobody's secret.
        let head = head.lines().filter(|line| !line.starts_with("date: ")).collect::<Vec<_>>().join("\n");
        (head, body.to_owned())
    }

    pub(crate) fn page(&self) -> Page {
        Page::text(&self.ask("/metrics", &[]).1)
    }

    /// In order, as an operator stops it.
    pub(crate) fn stop(mut self) {
        let id = self.child.id().to_string();
        let told = std::process::Command::new("kill").args(["-TERM", &id]).status().expect("kill");
        assert!(told.success());
        assert!(self.child.wait().expect("it ends").success(), "{}", self.house.talk());
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What `onus check` says of the same events.
fn checked(house: &House) -> Value {
    let said = house.onus(&["check", "--contracts", "contracts", "--format", "json", "--duties", "story.jsonl"]);
    serde_json::from_slice(&said.stdout).expect("JSON")
}

/// The story is judged: the last of its events has been taken in, and what is looked up is of then.
fn judged(running: &Running<'_>, until: f64) {
    running.house.until("the story is judged", || {
        let page = running.page();
        let at = |name: &str| page.value(name, &[]);
        at("onus_clock_timestamp_seconds") == Some(until) && at("onus_minima_timestamp_seconds") == Some(until)
    });
}

fn seconds(value: &Value) -> f64 {
    let at = onus_engine::time::Moment::parse(value.as_str().expect("an instant")).expect("RFC 3339");
    at.0 as f64 / 1e3
}

#[test]
fn a_page_says_what_check_says_of_the_same_events_and_goes_on_after_a_restart() {
    let house = house("");
    let running = Running::new(&house);
    let first = running.page();
    nothing_is_missing_at_first(&first, &checked_nothing(&house));
    house.write("story.jsonl", STORY);
    let want = checked(&house);
    judged(&running, seconds(&want["until"]));
    let (head, text) = running.ask("/metrics", &[]);
    assert!(head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{head}");
    promtool::check(&text);
    let page = Page::text(&text);
    compare(&page, &want);
    assert_eq!(page.value("onus_recounts_wrong_total", &[]), Some(0.0));
    as_declared(&page);
    // No series of the first page is gone.
    for (name, series) in &first.samples {
        let gone: Vec<_> = series.keys().filter(|labels| !page.samples[name].contains_key(*labels)).collect();
        assert!(gone.is_empty(), "{name}: {gone:?}");
    }
    let accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    let (head, open) = running.ask("/metrics", &[("accept", accept)]);
    assert!(head.contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8"), "{head}");
    let open = Page::open(&open);
    assert!(open.examples > 0, "a breach that was detected is shown");
    assert_eq!(open.samples["onus_duties"], page.samples["onus_duties"], "both forms say the same");
    assert_eq!(open.samples["onus_breaches_total"], page.samples["onus_breaches_total"]);
    running.stop();

    let again = Running::new(&house);
    judged(&again, seconds(&want["until"]));
    let after = again.page();
    compare(&after, &want);
    let of_partners = |page: &Page| -> BTreeMap<String, _> {
        let own = |name: &&String| page.samples[*name].keys().any(|labels| labels.contains_key("partner"));
        page.samples.keys().filter(own).map(|name| (name.clone(), page.samples[name].clone())).collect()
    };
    for (name, series) in of_partners(&page) {
        assert_eq!(of_partners(&after)[&name], series, "{name} goes on from where it was");
    }
}

/// Every family of the reference is on the page, in its order, and no label is on it that the reference does not name.
fn as_declared(page: &Page) {
    use onus::telemetry::families::{FAMILIES, Kind};
    let declared: Vec<&str> = FAMILIES.iter().map(|family| family.name).collect();
    let mut there: Vec<&str> = page.families.keys().map(String::as_str).collect();
    there.sort_by_key(|name| declared.iter().position(|known| known == name));
    assert_eq!(there, declared);
    for family in FAMILIES {
        // One process has one shard, and says nothing of it.
        let labels = family.labels.iter().map(|label| label.name).filter(|name| *name != "shard");
        let mut labels: Vec<&str> = labels.collect();
        let name = if family.kind == Kind::Histogram {
            labels.push("le");
            format!("{}_bucket", family.name)
        } else {
            family.name.to_owned()
        };
        labels.sort_unstable();
        for (series, _) in page.all(&name) {
            assert_eq!(series.keys().map(String::as_str).collect::<Vec<_>>(), labels, "{name}");
        }
    }
}

/// What contracts owe, before anything came.
fn checked_nothing(house: &House) -> Value {
    let said = house.onus(&["check", "--contracts", "contracts", "--format", "json", "/dev/null"]);
    serde_json::from_slice(&said.stdout).expect("JSON")
}

fn nothing_is_missing_at_first(page: &Page, want: &Value) {
    let obligations = want["obligations"].as_array().expect("a list");
    assert!(obligations.len() > 10);
    for one in obligations {
        let [partner, obligation] = ["partner", "obligation"].map(|key| one[key].as_str().expect("text"));
        let of = |name: &str, more: &[(&str, &str)]| {
            let labels = [&[("partner", partner), ("obligation", obligation)], more].concat();
            assert_eq!(page.value(name, &labels), Some(0.0), "{name} {labels:?}");
        };
        for standing in ["open", "paused", "unknown", "breached", "waived", "exempt"] {
            of("onus_duties", &[("standing", standing)]);
        }
        for standing in ["met", "met-late", "breached", "waived", "cancelled", "exempt"] {
            of("onus_verdicts", &[("standing", standing)]);
            of("onus_duties_ended_total", &[("standing", standing)]);
        }
        for name in
            ["onus_duties_at_risk", "onus_breaches_total", "onus_breaches_withdrawn_total", "onus_findings_open"]
        {
            of(name, &[]);
        }
        for (window, verdict) in
            [("current", "met"), ("current", "breached"), ("previous", "met"), ("previous", "breached")]
        {
            of("onus_window_verdicts", &[("window", window), ("verdict", verdict)]);
        }
    }
    assert_eq!(page.all("onus_compliance_ratio").count(), 0, "nothing is 100 % of nothing");
}

fn compare(page: &Page, want: &Value) {
    let mut asked = 0;
    for one in want["obligations"].as_array().expect("a list") {
        let [partner, obligation] = ["partner", "obligation"].map(|key| one[key].as_str().expect("text"));
        let labels = [("partner", partner), ("obligation", obligation)];
        let of = |name: &str, standing: &str| {
            let labels = [&labels[..], &[("standing", standing)]].concat();
            page.value(name, &labels).unwrap_or_else(|| panic!("no {name} {labels:?}"))
        };
        let sum = |standing: &str| of("onus_duties", standing) + of("onus_verdicts", standing);
        let count = |key: &str| one[key].as_f64().expect("a number");
        for (key, standing) in [("met", "met"), ("met_late", "met-late"), ("cancelled", "cancelled")] {
            assert_eq!(of("onus_verdicts", standing), count(key), "{labels:?} {key}");
        }
        assert_eq!(sum("waived"), count("waived"), "{labels:?}");
        assert_eq!(sum("exempt"), count("exempt"), "{labels:?}");
        assert_eq!(of("onus_duties", "unknown"), count("unknown"), "{labels:?}");
        assert_eq!(of("onus_duties", "open") + of("onus_duties", "paused"), count("open"), "{labels:?}");
        let value = |name: &str| page.value(name, &labels);
        let broken = value("onus_breaches_total").expect("it") - value("onus_breaches_withdrawn_total").expect("it");
        assert_eq!(broken, count("breached"), "{labels:?}");
        // Nothing of the story is told otherwise later: history and the net are one.
        for (key, word) in [("met", "true"), ("breached", "false")] {
            let acts = page
                .all("onus_actions_total")
                .find(|(series, _)| {
                    series["partner"] == partner && series["obligation"] == obligation && series["attributed"] == word
                })
                .map(|(_, n)| n);
            assert!(acts.is_none_or(|n| n == count(key)), "{labels:?} {word} {acts:?}");
            asked += usize::from(acts.is_some_and(|n| n > 0.0));
        }
        let duties = || {
            let all = want["duties"].as_array().expect("a list").iter();
            all.filter(|duty| duty["partner"] == partner && duty["obligation"] == obligation)
        };
        let earliest = |key: &str, standing: &str| {
            let of = duties().filter(|d| d["standing"] == standing && d["ended_at"].is_null() && !d[key].is_null());
            of.map(|d| seconds(&d[key])).min_by(f64::total_cmp)
        };
        assert_eq!(value("onus_next_deadline_timestamp_seconds"), earliest("deadline", "open"), "{labels:?}");
        assert_eq!(value("onus_oldest_breach_timestamp_seconds"), earliest("breached_at", "breached"), "{labels:?}");
    }
    assert!(asked > 1, "somebody answers for some acts, and nobody for others");
    let held: f64 = page.all("onus_credentials").map(|(_, n)| n).sum();
    assert!(held > 0.0, "tokens are rotated");
    // Levels of the month in which the story ends.
    let until = seconds(&want["until"]);
    let mut levels = 0;
    for level in want["levels"].as_array().expect("a list") {
        if seconds(&level["to"]) < until || level["at_least"].is_null() {
            continue;
        }
        levels += 1;
        let labels = ["partner", "obligation"].map(|key| (key, level[key].as_str().expect("text")));
        let of = |verdict: &str| {
            let labels = [&labels[..], &[("window", "current"), ("verdict", verdict)]].concat();
            page.value("onus_window_verdicts", &labels).expect("a count")
        };
        assert_eq!(of("met"), level["met"].as_f64().expect("a number"), "{labels:?}");
        assert_eq!(of("met") + of("breached"), level["counted"].as_f64().expect("a number"), "{labels:?}");
        let target = page.value("onus_target_ratio", &labels).expect("a target");
        assert!((target * 100.0 - level["at_least"].as_f64().expect("percent")).abs() < 1e-9, "{labels:?}");
        assert_eq!(page.value("onus_window_end_timestamp_seconds", &labels), Some(seconds(&level["to"])), "{labels:?}");
    }
    assert!(
        levels > 0 || want["levels"].as_array().expect("a list").is_empty(),
        "some level is of the month at the end"
    );
}
