//! Runs the cases of `tests/clauses/*.md` against the built binary: every row is a statement that must hold.
//!
//! `ONUS_REVIEW=1` rewrites the last column from what the binary says, to be read as a diff.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "clauses/clock_text.rs"]
mod clock_text;
#[path = "clauses/reading.rs"]
mod reading;
#[path = "clauses/saying.rs"]
mod saying;

use reading::{Case, rfc};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, thread};

#[test]
fn every_row_of_every_case_is_what_onus_says() {
    let review = env::var_os("ONUS_REVIEW").is_some();
    let files = case_files();
    let mut wrong = Vec::new();
    let (mut cases, mut rows, mut open_points) = (0, 0, 0);
    for file in &files {
        let text = fs::read_to_string(file).unwrap();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let found = reading::cases(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        cases += found.len();
        rows += found.iter().map(|case| case.rows.len()).sum::<usize>();
        open_points += found.iter().map(|case| case.open_points).sum::<usize>();
        let mismatches = judged(&found);
        if review {
            rewrite(file, &text, &found, &mismatches);
        }
        wrong.extend(mismatches.into_iter().map(|mismatch| mismatch.told(&name)));
    }
    println!("{cases} cases, {rows} rows, {open_points} open points, {} mismatches", wrong.len());
    assert!(review || wrong.is_empty(), "{} of {rows} rows differ:\n\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_clause_is_a_contract_that_loads() {
    let mut wrong = Vec::new();
    for file in case_files() {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let found = reading::cases(&fs::read_to_string(&file).unwrap()).unwrap_or_else(|e| panic!("{name}: {e}"));
        for case in &found {
            let dir = tempfile::tempdir().unwrap();
            write_contracts(case, dir.path());
            let problems = onus::contract::load(&[dir.path().to_owned()], &onus::contract::Library::default());
            let problems = problems.err().into_iter().flatten();
            wrong.extend(problems.map(|problem| format!("{name}: \"{}\"\n{problem}", case.title)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn case_files() -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clauses");
    let only = env::var("ONUS_CLAUSES").unwrap_or_default();
    let mut files: Vec<PathBuf> = fs::read_dir(here)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "md"))
        .filter(|path| path.file_name().is_some_and(|name| name != "README.md"))
        .filter(|path| path.to_string_lossy().contains(&only))
        .collect();
    files.sort();
    files
}

/// A row whose last cell is not what the binary says.
struct Mismatch {
    line: usize,
    title: String,
    left: String,
    wanted: String,
    got: Got,
}

enum Got {
    /// What the cell would have to say.
    Said(String),
    /// The binary gave no answer, or one at odds with itself.
    Broken(String),
}

impl Mismatch {
    fn told(&self, file: &str) -> String {
        let Mismatch { line, title, left, wanted, got } = self;
        let got = match got {
            Got::Said(said) => format!("onus says {said}"),
            Got::Broken(why) => format!("onus fails {why}"),
        };
        format!("{file}:{line} \"{title}\"\n    row       {left}\n    expected  {wanted}\n    {got}\n")
    }
}

fn judged(cases: &[Case]) -> Vec<Mismatch> {
    let half = cases.len().div_ceil(2).max(1);
    let mut all: Vec<Mismatch> = thread::scope(|scope| {
        let parts: Vec<_> =
            cases.chunks(half).map(|part| scope.spawn(|| part.iter().flat_map(judge).collect::<Vec<_>>())).collect();
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    });
    all.sort_by_key(|mismatch| mismatch.line);
    all
}

fn judge(case: &Case) -> Vec<Mismatch> {
    let dir = tempfile::tempdir().unwrap();
    let contracts = dir.path().join("contracts");
    fs::create_dir(&contracts).unwrap();
    write_contracts(case, &contracts);
    let events = dir.path().join("events.jsonl");
    let mut lines = String::new();
    let mut wrong = Vec::new();
    for row in &case.rows {
        for record in &row.records {
            lines += &format!("{record}\n");
        }
        fs::write(&events, &lines).unwrap();
        let got = match ask(&contracts, &events, &rfc(row.now)) {
            Err(why) => Got::Broken(why),
            Ok(answer) => match saying::compare(&row.says, &saying::duties(&answer), &case.place) {
                Ok(()) => continue,
                Err(said) => Got::Said(said),
            },
        };
        let (line, title) = (row.line, case.title.clone());
        wrong.push(Mismatch { line, title, left: row.left.clone(), wanted: row.says.clone(), got });
    }
    wrong
}

/// A clause that begins with `# file: NAME` is a file of that name, the others are contracts.
fn write_contracts(case: &Case, folder: &Path) {
    for (yaml, n) in case.contracts.iter().zip(1..) {
        let name = yaml.lines().next().and_then(|line| line.strip_prefix("# file: "));
        let path = folder.join(name.map_or_else(|| format!("version-{n}.yaml"), str::to_owned));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, yaml).unwrap();
    }
}

fn ask(contracts: &Path, events: &Path, until: &str) -> Result<Value, String> {
    let output = Command::new(env!("CARGO_BIN_EXE_onus"))
        .args(["check", "--contracts"])
        .arg(contracts)
        .arg(events)
        .args(["--until", until, "--format", "json", "--duties"])
        .output()
        .map_err(|error| error.to_string())?;
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    let answer: Value = serde_json::from_slice(&output.stdout).map_err(|error| format!("{error}; {complaint}"))?;
    at_odds(&answer, output.status.code()).map_or(Ok(answer), |why| Err(format!("{why}; {complaint}")))
}

/// The tallies, the list of breaches and the exit code must tell the same story as the duties.
fn at_odds(answer: &Value, code: Option<i32>) -> Option<String> {
    let listed = answer["breaches"].as_array()?;
    let breaches = listed.len();
    if code != Some(i32::from(breaches > 0)) {
        return Some(format!("{breaches} breaches, yet exit code {code:?}"));
    }
    let mut listed: Vec<_> = listed.iter().map(saying::Broken::listed).collect();
    let mut broken: Vec<_> = saying::duties(answer).iter().filter_map(saying::Broken::of).collect();
    listed.sort();
    broken.sort();
    if listed != broken {
        return Some(format!("its list of breaches is not that of its duties: {listed:?}, {broken:?}"));
    }
    let mut counted: BTreeMap<(String, String), BTreeMap<&str, u64>> = BTreeMap::new();
    for duty in saying::duties(answer).into_iter().filter(|duty| !duty.is_of_events()) {
        let tally = counted.entry((duty.partner, duty.obligation)).or_default();
        let broke = duty.breached_at.is_some() && duty.standing != "withdrawn";
        *tally.entry("breached").or_default() += u64::from(broke);
        match duty.standing.as_str() {
            "open" | "paused" => *tally.entry("open").or_default() += 1,
            "met" => *tally.entry("met").or_default() += 1,
            "met-late" => *tally.entry("met_late").or_default() += 1,
            "waived" => *tally.entry("waived").or_default() += 1,
            "cancelled" => *tally.entry("cancelled").or_default() += 1,
            "exempt" => *tally.entry("exempt").or_default() += 1,
            _ => {}
        }
    }
    for told in answer["obligations"].as_array().into_iter().flatten() {
        let text = |key: &str| told[key].as_str().unwrap_or_default().to_owned();
        let tally = counted.remove(&(text("partner"), text("obligation"))).unwrap_or_default();
        for key in ["met", "breached", "met_late", "waived", "cancelled", "exempt", "open"] {
            let (listed, shown) = (tally.get(key).copied().unwrap_or_default(), told[key].as_u64());
            if shown != Some(listed) {
                return Some(format!("{} tells {shown:?} {key}, its duties {listed}", text("obligation")));
            }
        }
    }
    (!counted.is_empty()).then(|| format!("duties without a tally: {counted:?}"))
}

fn rewrite(file: &Path, text: &str, cases: &[Case], mismatches: &[Mismatch]) {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for row in cases.iter().flat_map(|case| &case.rows) {
        let said = mismatches.iter().find(|mismatch| mismatch.line == row.line).map(|mismatch| &mismatch.got);
        if let Some(Got::Said(said)) = said {
            lines[row.line - 1] = format!("{} {said} |", row.left);
        }
    }
    fs::write(file, lines.join("\n") + "\n").unwrap();
}
