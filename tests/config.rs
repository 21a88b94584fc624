//! Everything in config/ loads, alone and together, in its canonical form, and warns of nothing but what is meant.

#[path = "support/waiting.rs"]
mod waiting;

use chrono::NaiveDate;
use onus::contract::{Code, Library, Problem, Survey, format, survey};
use std::path::{Path, PathBuf};

/// Warnings that stand: file, code, obligation, and why it is meant.
const MEANT: &[(&str, &str, &str)] = &[
    // The law itself counts in business days.
    ("templates/us-notices.yaml", "W111", "sec-8k"),
    ("templates/us-notices.yaml", "W111", "sec-8k-amended"),
    ("templates/fedramp.yaml", "W111", "fedramp-initial"),
    ("templates/fedramp.yaml", "W111", "fedramp-final"),
    // Sets to choose from, which none of the contracts here needs.
    ("holidays/de.yaml", "W503", ""),
    ("holidays/es.yaml", "W503", ""),
    ("holidays/eu-target.yaml", "W503", ""),
    ("holidays/gb-eaw.yaml", "W503", ""),
    ("holidays/in-central.yaml", "W503", ""),
    ("holidays/pl.yaml", "W503", ""),
    ("holidays/sg.yaml", "W503", ""),
    ("holidays/us-co.yaml", "W503", ""),
];

/// A day in the years that the tables of holidays cover.
fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 6, 1).expect("a date")
}

fn config() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config")
}

fn read(path: &Path) -> Survey {
    survey(&[path.to_owned()], &Library::new(vec![config()]), today())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        match () {
            () if path.is_dir() => found.extend(files(&path)),
            () if path.extension().is_some_and(|end| end == "yaml") => found.push(path),
            () => {}
        }
    }
    found.sort();
    found
}

/// What a template says that is not judged yet.
fn waits(problem: &Problem) -> bool {
    let of = |template: &str| problem.file.ends_with(&format!("templates/{template}.yaml"));
    problem.code == Code::Unsupported && waiting::TEMPLATES.iter().any(|template| of(template))
}

fn short(problem: &Problem) -> (String, String, String) {
    let file = problem.file.rsplit_once("config/").map_or(problem.file.as_str(), |(_, file)| file);
    (file.to_owned(), problem.code.to_string(), problem.obligation.clone().unwrap_or_default())
}

#[test]
fn the_folder_as_a_whole_warns_of_what_is_meant_and_of_nothing_else() {
    let survey = read(&config());
    let mut found: Vec<_> = survey.problems.iter().filter(|problem| !waits(problem)).map(short).collect();
    found.sort();
    found.dedup();
    let mut meant: Vec<_> = MEANT.iter().map(|(a, b, c)| (a.to_string(), b.to_string(), c.to_string())).collect();
    meant.sort();
    let told: Vec<String> = survey.problems.iter().map(|problem| format!("{problem}\n")).collect();
    assert_eq!(found, meant, "{}", told.join("\n"));
    assert!(survey.files >= 45, "{} files", survey.files);
}

#[test]
fn each_file_by_itself_has_no_error() {
    for file in files(&config()) {
        let problems = read(&file).problems;
        let errors: Vec<&Problem> = problems.iter().filter(|p| p.code.as_str().starts_with('E') && !waits(p)).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", file.display());
    }
}

#[test]
fn each_file_is_in_its_canonical_form() {
    for file in files(&config()) {
        let text = std::fs::read_to_string(&file).expect("text");
        assert_eq!(format(&text, "config").ok().as_deref(), Some(text.as_str()), "onus fmt {}", file.display());
    }
}

#[test]
fn each_template_is_included_by_a_contract() {
    let texts: String = files(&config())
        .iter()
        .filter(|file| file.parent() == Some(&config()))
        .map(|file| std::fs::read_to_string(file).expect("text"))
        .collect();
    for template in files(&config().join("templates")) {
        let name = format!("templates/{}", template.file_stem().expect("a name").display());
        assert!(texts.contains(&name), "no contract in config includes {name}");
    }
}

#[test]
fn the_readme_names_every_file() {
    let readme = std::fs::read_to_string(config().join("README.md")).expect("config/README.md");
    for file in files(&config()) {
        let name = file.strip_prefix(config()).expect("in config").display().to_string();
        let stem = name.trim_end_matches(".yaml");
        let stem = stem.rsplit('/').next().unwrap_or(stem);
        assert!(readme.contains(&format!("`{stem}`")), "config/README.md says nothing of {name}");
    }
}
