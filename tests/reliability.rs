//! docs/reliability.md names tests that are there: what nobody runs shows nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder that end so.
fn files(folder: &Path, ends: &str, into: &mut Vec<PathBuf>) {
    for one in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = one.path();
        if path.is_dir() {
            files(&path, ends, into);
        } else if path.to_string_lossy().ends_with(ends) {
            into.push(path);
        }
    }
}

/// Functions that are tests: behind `#[test]`, or named to the macro that makes tests of them.
fn tests() -> BTreeSet<String> {
    let mut sources = Vec::new();
    for folder in ["tests", "src"] {
        files(&root().join(folder), ".rs", &mut sources);
    }
    let mut names = BTreeSet::new();
    for source in sources {
        let text = fs::read_to_string(&source).expect("a source");
        let suite = text.contains("macro_rules! conforms");
        let mut is_test = false;
        for line in text.lines().map(str::trim) {
            if let Some(rest) = line.strip_prefix("fn ")
                && is_test
            {
                names.insert(rest.split('(').next().unwrap_or_default().to_owned());
            }
            is_test = line == "#[test]" || is_test && (line.starts_with('#') || line.starts_with("//"));
            if suite && !line.is_empty() && line.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
                names.insert(line.to_owned());
            }
        }
    }
    names
}

#[test]
fn every_scenario_has_its_row_and_every_test_that_it_names_is_there() {
    let text = fs::read_to_string(root().join("docs/reliability.md")).expect("the page");
    let tests = tests();
    assert!(tests.len() > 100, "{} tests were found", tests.len());
    let mut scenarios = BTreeSet::new();
    for row in text.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let Ok(number) = cells[0].parse::<u32>() else { continue };
        assert_eq!(cells.len(), 4, "{row}");
        scenarios.insert(number);
        let last = cells[3];
        if last.trim().is_empty() {
            assert!(row.contains("later"), "nothing shows it, and nothing says when: {row}");
        }
        for name in last.split('`').skip(1).step_by(2) {
            let room = Path::new("src/engine/tests").join(name);
            let there = tests.contains(name) || name == "damage" || root().join(room).exists();
            assert!(there, "scenario {number}: no test is called `{name}`");
        }
        for word in last.split([' ', ',', ';', ':']).filter(|word| word.ends_with(".md")) {
            let word = word.trim_start_matches("tests/clauses/");
            assert!(root().join("tests/clauses").join(word).exists(), "scenario {number}: no cases in {word}");
        }
    }
    assert_eq!(scenarios, (1..=30).collect(), "each of the thirty");
}
