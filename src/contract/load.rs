//! Contracts from files and directories, and what must hold between them.

use super::problem::{Code, Problem};
use super::report::{At, Report};
use super::yaml::MAX_BYTES;
use onus_engine::terms::Contract;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Deepest directory that is searched: links that go round end here.
const MAX_DEPTH: usize = 32;

/// Reads contracts from files, and from directories every `*.yaml` and `*.yml` below them, in the order of their names.
///
/// # Errors
/// Everything that is wrong with any of them. One problem in one file, and nothing is loaded.
pub fn load(paths: &[PathBuf]) -> Result<Vec<Contract>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let before = (files.len(), problems.len());
            search(path, 0, &mut files, &mut problems);
            if before == (files.len(), problems.len()) {
                let hint = "contracts are files that end in .yaml or .yml";
                problems.push(of_file(path, Code::NoContracts, "no contracts in this directory", Some(hint)));
            }
        } else {
            files.push(path.clone());
        }
    }
    let mut contracts = Vec::new();
    let mut seen = BTreeSet::new();
    for file in files {
        // A file named twice, or named and found, is one file.
        if !seen.insert(file.canonicalize().unwrap_or_else(|_| file.clone())) {
            continue;
        }
        match read(&file).and_then(|text| super::parse(&text, &shown(&file))) {
            Ok(contract) => contracts.push((file, contract)),
            Err(found) => problems.extend(found),
        }
    }
    between(&contracts, &mut problems);
    if problems.is_empty() { Ok(contracts.into_iter().map(|(_, contract)| contract).collect()) } else { Err(problems) }
}

fn search(directory: &Path, depth: usize, files: &mut Vec<PathBuf>, problems: &mut Vec<Problem>) {
    let entries = std::fs::read_dir(directory).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
    let mut paths: Vec<PathBuf> = match entries {
        Ok(entries) => entries.iter().map(std::fs::DirEntry::path).collect(),
        Err(error) => {
            problems.push(of_file(directory, Code::Unreadable, format!("cannot be read: {error}"), None));
            return;
        }
    };
    paths.sort();
    for path in paths {
        // Hidden files and directories are an editor's, a version control's, or a mounted volume's own.
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
            continue;
        }
        if path.is_dir() {
            if depth < MAX_DEPTH {
                search(&path, depth + 1, files, problems);
            } else {
                problems.push(of_file(&path, Code::Unreadable, "directories nested too deep", None));
            }
        } else if path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
            files.push(path);
        }
    }
}

fn read(path: &Path) -> Result<String, Vec<Problem>> {
    let mut bytes = Vec::new();
    // One byte beyond what is allowed is enough to know, whatever the path turns out to be.
    let limit = MAX_BYTES as u64 + 1;
    if let Err(error) = File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)) {
        return Err(vec![of_file(path, Code::Unreadable, format!("cannot be read: {error}"), None)]);
    }
    if bytes.len() > MAX_BYTES {
        return Err(vec![of_file(path, Code::TooLarge, "larger than 1 MiB", Some("split it"))]);
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.iter().filter(|b| **b == b'\n').count() + 1;
        let before = String::from_utf8_lossy(valid.rsplit(|b| *b == b'\n').next().unwrap_or_default());
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let mut problem = of_file(path, Code::NotUtf8, "not UTF-8 from here on", Some("save the file as UTF-8"));
        (problem.line, problem.column) = (count(line), count(before.chars().count() + 1));
        vec![problem]
    })
}

/// One contract may have many versions, and one partner many contracts; one version cannot be there twice.
fn between(contracts: &[(PathBuf, Contract)], problems: &mut Vec<Problem>) {
    let mut first: BTreeMap<(&str, String, i64), &Path> = BTreeMap::new();
    for (file, contract) in contracts {
        for partner in &contract.partners {
            let key = (contract.name.as_str(), format!("{partner:?}"), contract.effective.0);
            let Some(other) = first.get(&key) else {
                first.insert(key, file);
                continue;
            };
            let message = format!(
                "contract {} with effect from {} stands in {} already",
                contract.name,
                contract.effective,
                shown(other)
            );
            let hint = "a version needs an `effective` of its own; another contract needs another name";
            problems.push(of_file(file, Code::DuplicateVersion, message, Some(hint)));
            break;
        }
    }
}

fn of_file(path: &Path, code: Code, message: impl Into<String>, hint: Option<&str>) -> Problem {
    let mut report = Report::new(&shown(path), "");
    match hint {
        Some(hint) => report.hinted(code, At::TOP, message, hint),
        None => report.error(code, At::TOP, message),
    }
    let mut problem = report.finish().remove(0);
    problem.excerpt = None;
    problem
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
