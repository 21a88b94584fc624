//! Rules that dashboards of good repute keep, ported from Grafana's own linter, and ours.
//!
//! Left out, with reasons: a variable `instance` (figures of duties are of the owner of a shard, whichever process that
//! is: `partner` stands in its place); `$__rate_interval` for the day's detections (they are tens a week: a rate over less
//! says nothing); aggregation of counters by `rate` where a count since the start is what is asked.

use super::query::{chosen, series};
use onus::telemetry::boards::{self, Board, Colour, Kind, Panel};
use onus::telemetry::families::{FAMILIES, Kind as Figure};
use onus::telemetry::rules::{self, Options, Rule};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn file(board: &Board) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("dashboards/{}.json", board.uid));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn panels() -> Vec<(&'static str, Panel)> {
    let boards = boards::all();
    boards.into_iter().flat_map(|b| b.rows.into_iter().flat_map(|r| r.panels).map(move |p| (b.uid, p))).collect()
}

#[test]
fn a_file_is_what_provisioning_takes() {
    let mut uids = BTreeSet::new();
    for board in boards::all() {
        let json = file(&board);
        assert!(json["id"].is_null() && json["uid"] == board.uid && uids.insert(board.uid));
        assert!(json.get("__inputs").is_none() && json.get("__requires").is_none() && json.get("apiVersion").is_none());
        assert_eq!(json["editable"], false);
        assert!(json["title"].as_str().unwrap().starts_with("Onus: ") && board.uid.len() <= 40);
        assert!(json["schemaVersion"].as_u64().unwrap() >= 36 && json["panels"].is_array());
    }
}

#[test]
fn the_data_source_is_chosen_and_everything_uses_the_choice() {
    for board in boards::all() {
        let json = file(&board);
        let variables = json["templating"]["list"].as_array().unwrap();
        let sources: Vec<&Value> = variables.iter().filter(|one| one["type"] == "datasource").collect();
        assert_eq!(sources.len(), 1);
        assert!(sources[0]["name"] == "datasource" && sources[0]["query"] == "prometheus");
        let job = variables.iter().find(|one| one["name"] == "job").unwrap();
        assert!(job["multi"] == true && job["allValue"] == ".+");
        for one in variables.iter().filter(|one| one["type"] == "query") {
            assert_eq!(one["datasource"]["uid"], "${datasource}");
            assert_eq!(one["refresh"], 2, "{}: it is asked again when the time changes", one["name"]);
        }
        for panel in json["panels"].as_array().unwrap().iter().filter(|one| one["targets"].is_array()) {
            assert_eq!(panel["datasource"]["uid"], "${datasource}");
            for target in panel["targets"].as_array().unwrap() {
                assert_eq!(target["datasource"]["uid"], "${datasource}");
            }
        }
        assert_eq!(json["annotations"]["list"][0]["datasource"]["uid"], "${datasource}");
    }
}

#[test]
fn panels_do_not_lie_upon_each_other() {
    for board in boards::all() {
        let json = file(&board);
        let (mut taken, mut ids) = (BTreeSet::new(), BTreeSet::new());
        for panel in json["panels"].as_array().unwrap() {
            let of = |key: &str| panel["gridPos"][key].as_u64().unwrap();
            assert!(of("x") + of("w") <= 24 && ids.insert(panel["id"].as_u64().unwrap()));
            for x in of("x")..of("x") + of("w") {
                for y in of("y")..of("y") + of("h") {
                    assert!(taken.insert((x, y)), "{}: {} at {x}, {y}", board.uid, panel["title"]);
                }
            }
        }
    }
}

#[test]
fn every_panel_has_title_words_unit_queries_and_a_way_on() {
    const UNITS: [&str; 4] = ["short", "s", "percentunit", "ops"];
    let runbooks = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/runbooks");
    for (uid, panel) in panels() {
        let name = format!("{uid}: {}", panel.title);
        assert!(panel.title.ends_with('?') && panel.words.ends_with(['.', ':']), "{name}");
        assert!(UNITS.contains(&panel.unit), "{name}: {}", panel.unit);
        assert!(panel.kind == Kind::Text || !panel.targets.is_empty(), "{name}");
        for alert in panel.runbooks {
            assert!(runbooks.join(format!("{alert}.md")).exists(), "{name}: {alert}");
        }
        let legends: Vec<&str> = panel.targets.iter().map(|target| target.legend).collect();
        if panel.kind == Kind::Table {
            assert!(panel.sorted.is_some_and(|(column, _)| legends.contains(&column)), "{name}: sorted by no column");
        }
        for column in &panel.columns {
            let known = legends.contains(&column.name) || legends.iter().any(|legend| legend.contains("{{"));
            assert!(known, "{name}: nothing is called {}", column.name);
        }
    }
}

#[test]
fn every_query_is_of_the_chosen_jobs_and_of_families_that_exist_with_labels_that_they_have() {
    for (uid, panel) in panels() {
        for target in &panel.targets {
            let name = format!("{uid}: {}: {}", panel.title, target.expr);
            let found = series(&target.expr);
            assert!(!found.is_empty(), "{name}");
            for (series, labels) in found {
                assert!(labels.contains("job"), "{name}: {series} of any job");
                has(&series, &labels, &name);
            }
            let rated = target.expr.contains("rate(") && !target.expr.contains("[1d]");
            assert!(!rated || target.expr.contains("[$__rate_interval]"), "{name}");
        }
    }
}

#[test]
fn every_rule_is_of_families_that_exist_with_labels_that_they_have() {
    let groups = rules::groups(&Options::default());
    let mut made = BTreeSet::new();
    for rule in groups.iter().flat_map(|group| &group.rules) {
        let (name, expr) = match rule {
            Rule::Record { name, expr } => {
                made.insert((*name).to_owned());
                (*name, expr)
            }
            Rule::Alert(alert) => (alert.name, &alert.expr),
        };
        for (series, labels) in series(expr) {
            if series.contains(':') {
                assert!(made.contains(&series), "{name}: nothing makes {series} before it");
            } else {
                has(&series, &labels, name);
            }
            // A counter has not increased when it is first seen. Where one is used, it is by its value or by a rate of
            // what comes often, never by the increase of breaches.
            assert!(!series.contains("breaches"), "{name}: {series}");
        }
    }
}

#[track_caller]
fn has(series: &str, labels: &BTreeSet<String>, name: &str) {
    let plain = |family: Figure| if family == Figure::Histogram { &["_bucket", "_count", "_sum"][..] } else { &[""] };
    let family = FAMILIES.iter().find(|f| plain(f.kind).iter().any(|end| format!("{}{end}", f.name) == series));
    let family = family.unwrap_or_else(|| panic!("{name}: there is no {series}"));
    for label in labels.iter().filter(|label| !["job", "instance"].contains(&label.as_str())) {
        let known = family.labels.iter().any(|one| one.name == label);
        let bucket = family.kind == Figure::Histogram && label == "le";
        assert!(known || bucket, "{name}: {series} has no {label}");
    }
}

#[test]
fn nothing_is_green_where_nothing_answers() {
    for board in boards::all() {
        for panel in file(&board)["panels"].as_array().unwrap().iter().filter(|one| one["targets"].is_array()) {
            let defaults = &panel["fieldConfig"]["defaults"];
            let mappings = defaults["mappings"].as_array().unwrap();
            let last = mappings.last().unwrap();
            assert!(last["options"]["match"] == "null+nan", "{}", panel["title"]);
            assert_eq!(last["options"]["result"]["color"], Colour::Unknown.name(), "{}", panel["title"]);
            assert!(!defaults["noValue"].as_str().unwrap().is_empty());
        }
    }
    // Whatever answers "fine" says so of a number that Onus gives, never of an absence that was filled in.
    for (uid, panel) in panels() {
        for target in &panel.targets {
            assert!(!target.expr.contains("vector(") && !target.expr.contains("absent("), "{uid}: {}", panel.title);
        }
    }
}

#[test]
fn what_runbooks_call_panels_are_panels() {
    let boards = boards::all();
    let rows = boards.iter().flat_map(|board| &board.rows);
    let titles: BTreeSet<&str> = rows.flat_map(|row| row.panels.iter().map(|p| p.title).chain([row.title])).collect();
    for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/runbooks")).unwrap() {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap().replace("\n  ", " ").replace('\n', " ");
        for name in text.split('*').skip(1).step_by(2).filter(|name| name.ends_with('?')) {
            assert!(titles.contains(name), "{}: there is no panel {name:?}", path.display());
        }
    }
}

#[test]
fn colours_mean_one_thing_and_words_stand_beside_them() {
    for (uid, panel) in panels() {
        let says = panel.says.iter().chain(panel.columns.iter().flat_map(|column| &column.says));
        for say in says {
            let (boards::Say::Value(_, text, _) | boards::Say::Range(_, _, text, _)) = say;
            assert!(!text.is_empty(), "{uid}: {}: a colour without a word", panel.title);
        }
        let names: BTreeSet<&str> = panel.columns.iter().map(|column| column.name).collect();
        if names.contains("unknown") && names.contains("open") {
            let at = |word: &str| panel.targets.iter().position(|t| t.expr.contains(&format!("standing=\"{word}\"")));
            assert_eq!(at("unknown"), Some(0), "{uid}: {}: unknown comes first", panel.title);
        }
        let shown = panel.targets.iter().map(|target| chosen(&target.expr));
        assert!(
            shown.into_iter().all(|expr| !expr.contains('$')),
            "{uid}: {}: a choice that nobody offers",
            panel.title
        );
    }
}
