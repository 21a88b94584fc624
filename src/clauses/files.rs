//! Clause files among files and folders, and the contracts that their cases name.

use super::Fault;
use super::reading::{Case, Clause};
use crate::contract::{self, Library};
use onus_engine::terms::Contract;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Largest clause file that is read.
const MOST: u64 = 16 << 20;

/// Deepest folder that is searched.
const DEEPEST: usize = 32;

/// Clause files, and what could not be looked into.
#[derive(Debug, Default)]
pub struct Found {
    /// Files, each once, those of a folder in the order of their names.
    pub files: Vec<PathBuf>,
    /// Faults.
    pub faults: Vec<Fault>,
}

/// The clause files among these files and below these folders: there, every `*.md` but READMEs and what is hidden.
pub fn find(paths: &[PathBuf]) -> Found {
    let mut found = Found::default();
    for path in paths {
        if !path.is_dir() {
            found.files.push(path.clone());
            continue;
        }
        let before = (found.files.len(), found.faults.len());
        search(path, 0, &mut BTreeSet::new(), &mut found);
        if before == (found.files.len(), found.faults.len()) {
            let hint = "clause files end in .md; a README is none";
            found.faults.push(Fault::new(&shown(path), 1, "no clause files in this folder", hint));
        }
    }
    let mut seen = BTreeSet::new();
    found.files.retain(|file| seen.insert(file.canonicalize().unwrap_or_else(|_| file.clone())));
    found
}

fn search(folder: &Path, depth: usize, seen: &mut BTreeSet<PathBuf>, found: &mut Found) {
    // A link that goes round leads to what was searched already.
    if !folder.canonicalize().map_or(true, |real| seen.insert(real)) {
        return;
    }
    let entries = std::fs::read_dir(folder).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
    let mut paths: Vec<PathBuf> = match entries {
        Ok(entries) => entries.iter().map(std::fs::DirEntry::path).collect(),
        Err(error) => {
            found.faults.push(Fault::new(
                &shown(folder),
                1,
                format!("cannot be read: {error}"),
                "check its permissions",
            ));
            return;
        }
    };
    paths.sort();
    for path in paths {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            if depth < DEEPEST {
                search(&path, depth + 1, seen, found);
            } else {
                found.faults.push(Fault::new(&shown(&path), 1, "folders nested too deep", "name the inner one"));
            }
        } else if path.extension().is_some_and(|end| end.eq_ignore_ascii_case("md"))
            && !name.to_lowercase().starts_with("readme")
        {
            // A pipe in a folder would be waited for, perhaps for ever; who means one names it.
            match path.metadata() {
                Ok(about) if !about.is_file() => {
                    let hint = "name it on the command line if it is meant";
                    found.faults.push(Fault::new(&shown(&path), 1, "is no regular file", hint));
                }
                Ok(_) | Err(_) => found.files.push(path),
            }
        }
    }
}

/// The text of a clause file.
///
/// # Errors
/// It cannot be read, is too large, or is not UTF-8.
pub fn load(path: &Path) -> Result<String, Fault> {
    let file = shown(path);
    let mut bytes = Vec::new();
    if let Err(error) = File::open(path).and_then(|file| file.take(MOST + 1).read_to_end(&mut bytes)) {
        return Err(Fault::new(&file, 1, format!("cannot be read: {error}"), "check the path and its permissions"));
    }
    if bytes.len() as u64 > MOST {
        return Err(Fault::new(&file, 1, "larger than 16 MiB", "split it"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.iter().filter(|b| **b == b'\n').count() + 1;
        Fault::new(&file, line, "not UTF-8 from here on", "save the file as UTF-8")
    })
}

/// The contracts of a case, problems told with their places in this file or in the files that it names. A block that
/// begins with `# file: NAME` is one that the others may include.
pub(super) fn contracts(case: &Case, file: &str, library: &Library) -> Result<Vec<Contract>, Vec<Fault>> {
    let (mut texts, mut given, mut paths, mut faults) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for clause in &case.clauses {
        match clause {
            Clause::Inline { line, yaml } => {
                // The lines above it, so that problems name lines of this file.
                let text = "\n".repeat(*line) + yaml;
                match yaml.lines().next().and_then(|first| first.strip_prefix("# file: ")) {
                    Some(name) => given.push((name.trim().to_owned(), file.to_owned(), text)),
                    None => texts.push((file.to_owned(), text)),
                }
            }
            Clause::Named { line, path } => {
                let path = Path::new(file).parent().unwrap_or(Path::new("")).join(path);
                let (files, mut problems) = contract::files(std::slice::from_ref(&path));
                problems.extend(files.iter().filter_map(|path| contract::read(path).err()).flatten());
                faults.extend(problems.iter().map(|problem| missing(problem, file, *line)));
                paths.push(path);
            }
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    contract::together(&paths, texts, &library.with(given)).map_err(|problems| problems.iter().map(Fault::of).collect())
}

/// A contract file that is not there is a fault of the line that names it.
fn missing(problem: &contract::Problem, file: &str, line: usize) -> Fault {
    let hint = "the path is relative to this file";
    Fault::new(file, line, format!("the contract {}: {}", problem.file, problem.message), hint)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
