//! The boards that ship: what the command writes, Grafana's lint rules as far as they apply, families that exist, and each
//! query asked of a real Prometheus that scrapes a real Onus.

#![allow(clippy::unwrap_used)]

#[path = "support/checked_in.rs"]
mod checked_in;
#[path = "dashboards/examples.rs"]
mod examples;
#[path = "dashboards/lint.rs"]
mod lint;
#[path = "dashboards/live.rs"]
mod live;
#[path = "support/ports.rs"]
mod ports;
#[path = "dashboards/query.rs"]
mod query;
#[path = "support/servers.rs"]
mod servers;
#[path = "support/tree.rs"]
mod tree;

use checked_in::same;
use onus::telemetry::boards;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn the_boards_that_ship_are_what_the_command_writes() {
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().to_str().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_onus")).args(["dashboards", "--into", into]).output().unwrap();
    assert!(output.status.success());
    let mut written = BTreeSet::new();
    for file in fs::read_dir(folder.path()).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let text = fs::read_to_string(folder.path().join(&name)).unwrap();
        same(&format!("dashboards/{name}"), &text);
        written.insert(name);
    }
    assert_eq!(written.len(), boards::all().len());
    let there = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboards")).unwrap();
    let there = there.map(|file| file.unwrap().file_name().into_string().unwrap());
    let there: BTreeSet<String> = there.filter(|name| name.ends_with(".json")).collect();
    assert_eq!(there, written, "no board that nobody writes");
}

#[test]
fn one_board_is_printed_by_its_name_and_a_wrong_name_is_told_the_right_ones() {
    let onus = |args: &[&str]| Command::new(env!("CARGO_BIN_EXE_onus")).args(args).output().unwrap();
    let printed = onus(&["dashboards", "onus-partner", "--runbook-base", "https://wiki.example/x"]);
    let text = String::from_utf8(printed.stdout).unwrap();
    assert!(text.contains("\"https://wiki.example/x/OnusBreached.md\""));
    let wrong = onus(&["dashboards", "partner"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8(wrong.stderr).unwrap().contains("onus-partner"));
}
