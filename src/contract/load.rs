//! Contracts from files and directories, and what must hold between them.

use super::catalogue;
use super::code::{Code, Level};
use super::include;
use super::library::{Library, Place};
use super::lint::{self, Loaded};
use super::mapper;
use super::problem::Problem;
use super::report::{At, Report, nearest};
use super::yaml::{self, MAX_BYTES};
use super::{Reading, Whole};
use chrono::NaiveDate;
use onus_engine::terms::{Contract, PartnerPattern};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Deepest directory that is searched.
const MAX_DEPTH: usize = 32;

/// What standard input is called where a path is wanted, and in problems.
const STDIN: (&str, &str) = ("-", "standard input");

/// Contracts of files and folders, with all that is wrong with them.
#[derive(Debug, Default)]
pub struct Survey {
    /// Those that could be read, in the order of their files. With an error anywhere, not to be judged by.
    pub contracts: Vec<Contract>,
    /// Errors and warnings, file by file.
    pub problems: Vec<Problem>,
    /// Files that were looked at.
    pub files: usize,
}

/// Reads contracts from files, and from directories every `*.yaml` and `*.yml` below them, in the order of their names.
///
/// # Errors
/// Everything that is wrong with any of them. One problem in one file, and nothing is loaded.
pub fn load(paths: &[PathBuf], library: &Library) -> Result<Vec<Contract>, Vec<Problem>> {
    let mut run = Run::of(paths, library, None);
    if run.loaded.is_empty() && run.problems.is_empty() {
        run.problems.extend(paths.iter().map(|path| none(path)));
    }
    if run.problems.is_empty() {
        Ok(run.loaded.into_iter().map(|one| one.contract).collect())
    } else {
        Err(run.problems)
    }
}

/// Reads contracts as [`load`] does, with warnings: of each file without errors, and where all are without, between
/// them. `today` says which holidays should be there. Parts of contracts may stand among them, or alone.
pub fn survey(paths: &[PathBuf], library: &Library, today: NaiveDate) -> Survey {
    survey_against(paths, &[], library, today)
}

/// The same, held against contracts that were agreed before: what would move duties that had ended by `today`, and does
/// not say that it is meant to, is an error. What is wrong with those that were agreed is told, too.
pub fn survey_against(paths: &[PathBuf], agreed: &[PathBuf], library: &Library, today: NaiveDate) -> Survey {
    let Run { loaded, mut problems, parts, files, .. } = Run::of(paths, library, Some(today));
    let before = Run::of(agreed, library, None);
    problems.extend(before.problems);
    if problems.iter().all(|problem| problem.level() == Level::Warning) {
        problems.extend(lint::backdated(&loaded, &before.loaded, today));
        problems.extend(lint::between(&loaded, library));
        // Where there are only parts, they are somebody's library.
        let unused = parts.iter().filter(|_| !loaded.is_empty());
        problems.extend(unused.map(|path| {
            let message = "no contract of this run includes this part: nothing in it is owed";
            of_file(path, Code::UnusedPart, message, Some("include it, or move it out of this folder"))
        }));
    }
    Survey { contracts: loaded.into_iter().map(|one| one.contract).collect(), problems, files }
}

/// Reads contracts of files and folders, and of texts that are in memory already, each with the name by which problems
/// call it; and looks at what must hold between all of them.
///
/// # Errors
/// Everything that is wrong with any of them.
pub(crate) fn together(
    paths: &[PathBuf],
    texts: Vec<(String, String)>,
    library: &Library,
) -> Result<Vec<Contract>, Vec<Problem>> {
    let mut run = Run::of(paths, library, None);
    for (file, text) in texts {
        let Reading { contract, problems } = Whole::read(&text, &file, &Place::Nowhere, library).plain();
        run.problems.extend(problems);
        run.loaded.extend(contract.map(|contract| Loaded { file, text, place: Place::Nowhere, contract }));
    }
    between(&run.loaded, &mut run.problems);
    if run.loaded.is_empty() && run.problems.is_empty() {
        run.problems.extend(paths.iter().map(|path| none(path)));
    }
    let mut seen = BTreeSet::new();
    run.problems.retain(|problem| seen.insert(problem.to_string()));
    if run.problems.is_empty() {
        Ok(run.loaded.into_iter().map(|one| one.contract).collect())
    } else {
        Err(run.problems)
    }
}

/// No contract is there to judge by.
pub fn none(path: &Path) -> Problem {
    let hint = "a contract says `contract`, `partner`, `customer` and `effective`; other files are parts of contracts";
    of_file(path, Code::NoContracts, "no contract here, only parts of contracts", Some(hint))
}

/// What was read of some paths.
struct Run {
    loaded: Vec<Loaded>,
    problems: Vec<Problem>,
    /// Parts that no contract includes.
    parts: Vec<PathBuf>,
    files: usize,
    /// Names in catalogues.
    catalogued: catalogue::Seen,
}

impl Run {
    /// With warnings, if a day is given.
    fn of(paths: &[PathBuf], library: &Library, today: Option<NaiveDate>) -> Run {
        let (files, problems) = files(paths);
        let mut run = Run {
            loaded: Vec::new(),
            problems,
            parts: Vec::new(),
            files: files.len(),
            catalogued: catalogue::Seen::default(),
        };
        let mut included = BTreeSet::new();
        let mut parts = Vec::new();
        for path in files {
            match read(&path) {
                Ok(text) => {
                    if let Some(text) = run.contract(&path, text, library, today, &mut included) {
                        parts.push((path, text));
                    }
                }
                Err(found) => run.problems.extend(found),
            }
        }
        for (path, text) in parts {
            let place = Place::of(&path);
            if place.identity().is_none_or(|identity| !included.contains(&identity)) {
                let found = super::part(&text, &shown(&path), &place, library);
                run.problems.extend(found.unwrap_or_default());
                run.parts.push(path);
            }
        }
        let mut seen = BTreeSet::new();
        // What is wrong in a file that several include is told once.
        run.problems.retain(|problem| seen.insert(problem.to_string()));
        between(&run.loaded, &mut run.problems);
        run
    }

    /// Reads a contract. If the file is a part of contracts, its text is given back.
    fn contract(
        &mut self,
        path: &Path,
        text: String,
        library: &Library,
        today: Option<NaiveDate>,
        included: &mut BTreeSet<String>,
    ) -> Option<String> {
        let (file, place) = (shown(path), Place::of(path));
        let mut report = Report::new(&file, &text);
        let root = yaml::tree(&text, &mut report);
        // What is no contract's business: who judges passes it over, who lints looks at it.
        if root.as_ref().is_some_and(mapper::is_mapper) {
            if today.is_some() {
                self.problems.extend(mapper::linted(root, report));
            }
            return None;
        }
        if root.as_ref().is_some_and(catalogue::is_catalogue) {
            if today.is_some() {
                self.problems.extend(catalogue::linted(root.as_ref(), report, &mut self.catalogued));
            }
            return None;
        }
        if root.as_ref().is_some_and(include::is_part) {
            return Some(text);
        }
        let whole = Whole::of(root, report, &place, library);
        included.extend(whole.cx.parts.read.iter().cloned());
        let Reading { contract, problems } = match today {
            Some(today) => whole.linted(today),
            None => whole.plain(),
        };
        self.problems.extend(problems);
        self.loaded.extend(contract.map(|contract| Loaded { file, text, place, contract }));
        None
    }
}

/// The contract files among files and below directories, each once; and what cannot be looked into.
pub fn files(paths: &[PathBuf]) -> (Vec<PathBuf>, Vec<Problem>) {
    let (mut files, mut problems) = (Vec::new(), Vec::new());
    for path in paths {
        if path.is_dir() {
            let before = (files.len(), problems.len());
            search(path, 0, &mut BTreeSet::new(), &mut files, &mut problems);
            if before == (files.len(), problems.len()) {
                let hint = "contracts are files that end in .yaml or .yml";
                problems.push(of_file(path, Code::NoContracts, "no contracts in this directory", Some(hint)));
            }
        } else {
            files.push(path.clone());
        }
    }
    // A file named twice, or named and found, is one file.
    let mut seen = BTreeSet::new();
    files.retain(|file| seen.insert(file.canonicalize().unwrap_or_else(|_| file.clone())));
    (files, problems)
}

fn search(
    directory: &Path,
    depth: usize,
    seen: &mut BTreeSet<PathBuf>,
    files: &mut Vec<PathBuf>,
    problems: &mut Vec<Problem>,
) {
    // A link that goes round leads to what was searched already.
    if !directory.canonicalize().map_or(true, |real| seen.insert(real)) {
        return;
    }
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
                search(&path, depth + 1, seen, files, problems);
            } else {
                problems.push(of_file(&path, Code::Unreadable, "directories nested too deep", None));
            }
        } else if is_contract(&path) {
            // A pipe or a device in a folder would be waited for, perhaps for ever; who means one names it.
            match path.metadata() {
                Ok(about) if !about.is_file() => {
                    let hint = "name it on the command line if it is meant";
                    problems.push(of_file(&path, Code::Unreadable, "is no regular file", Some(hint)));
                }
                Ok(_) | Err(_) => files.push(path),
            }
        }
    }
}

/// The text of a contract file, if it is one that can be read; `-` is standard input.
///
/// # Errors
/// It cannot be read, is too large, or is not UTF-8.
pub fn read(path: &Path) -> Result<String, Vec<Problem>> {
    let mut bytes = Vec::new();
    // One byte beyond what is allowed is enough to know, whatever the path turns out to be.
    let limit = MAX_BYTES as u64 + 1;
    let read = if path.as_os_str() == STDIN.0 {
        io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    if let Err(error) = read {
        let hint = match error.kind() {
            io::ErrorKind::NotFound => not_there(path),
            io::ErrorKind::PermissionDenied => "let this user read it".to_owned(),
            _ => "see to the file, or name another".to_owned(),
        };
        return Err(vec![of_file(path, Code::Unreadable, format!("cannot be read: {error}"), Some(&hint))]);
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

/// What may have been meant by the path of a file that is not there.
fn not_there(path: &Path) -> String {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let Ok(entries) = std::fs::read_dir(folder.unwrap_or(Path::new("."))) else {
        let folder = folder.map_or(String::new(), |folder| format!(": there is no folder {}", folder.display()));
        return format!("check the path{folder}");
    };
    let text = |name: std::ffi::OsString| name.into_string().ok().filter(|name| !name.starts_with('.'));
    let mut names: Vec<String> = entries.flatten().filter_map(|entry| text(entry.file_name())).collect();
    names.sort();
    let wanted = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = |name: &str| name.rsplit_once('.').map_or(name.to_owned(), |(stem, _)| stem.to_owned());
    let other_end = names.iter().find(|name| stem(name) == stem(&wanted) && is_contract(Path::new(name)));
    let near = other_end.map(String::as_str).or_else(|| nearest(&wanted, names.iter().map(String::as_str)));
    match near {
        Some(near) => format!("did you mean `{}`?", path.with_file_name(near).display()),
        None => "check the path: no file of that folder has a name like it".to_owned(),
    }
}

/// By its name.
fn is_contract(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "yaml" || e == "yml")
}

/// One contract may have many versions, and one partner many contracts; one version cannot be there twice.
fn between(loaded: &[Loaded], problems: &mut Vec<Problem>) {
    for (one, other) in loaded.iter().enumerate().flat_map(|(n, one)| loaded[..n].iter().map(move |o| (one, o))) {
        let (mine, theirs) = (&one.contract.partners, &other.contract.partners);
        let same = |a: &[PartnerPattern], b: &[PartnerPattern]| a.iter().all(|p| b.contains(p));
        let equal = same(mine, theirs) && same(theirs, mine);
        let meet = mine.iter().any(|a| theirs.iter().any(|b| overlap(a, b)));
        if one.contract.name == other.contract.name && meet && !(equal && mine == theirs) {
            let message = format!(
                "contract {} binds other partners here than in {}, and some in both",
                one.contract.name, other.file
            );
            let hint = "versions of one contract bind the same partners; give a contract for others another name";
            problems.extend(one.problem("partner", Code::PartnersDiffer, message, hint));
        }
    }
    let mut first: BTreeMap<(&str, String, i64), &str> = BTreeMap::new();
    for one in loaded {
        let contract = &one.contract;
        for partner in &contract.partners {
            let key = (contract.name.as_str(), format!("{partner:?}"), contract.effective.0);
            let Some(other) = first.get(&key) else {
                first.insert(key, &one.file);
                continue;
            };
            let message =
                format!("contract {} with effect from {} stands in {other} already", contract.name, contract.effective);
            let hint = "a version needs an `effective` of its own; another contract needs another name";
            problems.extend(one.problem("effective", Code::DuplicateVersion, message, hint));
            break;
        }
    }
}

/// Some partner may be meant by both.
fn overlap(a: &PartnerPattern, b: &PartnerPattern) -> bool {
    match (a, b) {
        (PartnerPattern::Exact(a), PartnerPattern::Exact(b)) => a == b,
        (PartnerPattern::Prefix(stem), PartnerPattern::Exact(name))
        | (PartnerPattern::Exact(name), PartnerPattern::Prefix(stem)) => name.starts_with(stem.as_str()),
        (PartnerPattern::Prefix(a), PartnerPattern::Prefix(b)) => {
            a.starts_with(b.as_str()) || b.starts_with(a.as_str())
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
    if path.as_os_str() == STDIN.0 { STDIN.1.to_owned() } else { path.display().to_string() }
}
