//! Warnings that need several contracts: versions that leave a gap, promises to another contract.

use super::serves;
use crate::contract::code::Code;
use crate::contract::library::{Library, Place};
use crate::contract::problem::Problem;
use crate::contract::report::{At, Report};
use crate::contract::yaml;
use onus_engine::terms::Contract;
use std::collections::BTreeMap;

/// A contract with the text it was read from.
pub(crate) struct Loaded {
    /// As problems name it.
    pub(crate) file: String,
    pub(crate) text: String,
    pub(crate) place: Place,
    pub(crate) contract: Contract,
}

impl Loaded {
    /// A problem of the whole contract, told at one of its keys.
    pub(crate) fn problem(&self, key: &str, code: Code, message: String, hint: &str) -> Vec<Problem> {
        let mut report = Report::new(&self.file, &self.text);
        let at = yaml::tree(&self.text, &mut report).and_then(|root| root.get(key).map(|node| node.at));
        report.hinted(code, at.unwrap_or(At::TOP), message, hint);
        report.finish()
    }
}

/// Warnings between the contracts of one run.
pub(crate) fn between(loaded: &[Loaded], library: &Library) -> Vec<Problem> {
    let mut problems = versions(loaded);
    let others: Vec<&Contract> = loaded.iter().map(|one| &one.contract).collect();
    for one in loaded {
        let (root, mut report) = crate::contract::tree_of(&one.text, &one.file, &one.place, library);
        if let Some(root) = root {
            serves::across(&root, &one.contract, &others, &mut report);
        }
        problems.extend(report.finish());
    }
    problems
}

fn versions(loaded: &[Loaded]) -> Vec<Problem> {
    let mut by_name: BTreeMap<(&str, String), Vec<&Loaded>> = BTreeMap::new();
    for one in loaded {
        for partner in &one.contract.partners {
            by_name.entry((one.contract.name.as_str(), format!("{partner:?}"))).or_default().push(one);
        }
    }
    let mut problems: Vec<Problem> = Vec::new();
    for versions in by_name.values_mut() {
        versions.sort_by_key(|one| one.contract.effective);
        for pair in versions.windows(2) {
            let found = meet(pair[0], pair[1]);
            // Of several partners in one file, each has the same gap.
            problems.extend(found.into_iter().filter(|problem| !problems.contains(problem)).collect::<Vec<_>>());
        }
    }
    problems
}

fn meet(earlier: &Loaded, later: &Loaded) -> Vec<Problem> {
    let next = later.contract.effective;
    let (code, message) = match earlier.contract.ends {
        Some(ends) if ends < next => {
            (Code::VersionGap, format!("nothing is in force from here until {next}, when {} takes effect", later.file))
        }
        Some(ends) if ends > next => (
            Code::VersionOverlap,
            format!("{} takes effect at {next}: from then on this version is not in force", later.file),
        ),
        Some(_) | None => return Vec::new(),
    };
    earlier.problem("ends", code, message, "let the earlier version end when the next takes effect")
}
