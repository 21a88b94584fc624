//! Catalogues: what is wrong with one is told as of contracts, all at once; and what it does to events is a law.

#[path = "support/checked_in.rs"]
mod checked_in;
#[path = "support/tree.rs"]
mod tree;

use onus::catalogue::{Catalogue, Names};
use onus::contract::{Problem, catalogue, catalogue_schema, catalogue_text, format};
use proptest::prelude::*;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

const GUIDE: &str = include_str!("../docs/guide/catalogue.md");

/// The example of the guide.
fn example() -> &'static str {
    GUIDE.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example")
}

fn told(problems: &[Problem]) -> Vec<String> {
    let one = |p: &Problem| format!("{} {}:{} {}", p.code.as_str(), p.line, p.column, p.message);
    problems.iter().map(one).collect()
}

fn wrong(text: &str) -> Vec<String> {
    told(&catalogue_text(text, "catalogue.yaml").expect_err("it is refused"))
}

#[test]
fn the_example_of_the_guide_reads_and_is_in_its_form() {
    let read = catalogue_text(example(), "guide").expect("it reads");
    let one = read.find("cyberark:NW-PAY-PRD:db-payments-rw").expect("a native name");
    assert_eq!(
        (one.id.as_str(), one.privileged, one.partner.as_deref()),
        ("svc-payments-rw", Some(true), Some("northwind-msp"))
    );
    assert_eq!(read.find("svc-reports-ro").and_then(|one| one.privileged), Some(false));
    assert_eq!(read.identities().len(), 2);
    assert_eq!(format(example(), "guide").expect("its form"), example());
}

#[test]
fn all_that_is_wrong_is_told_at_once_with_its_place_and_the_nearest_key() {
    let text = "catalogue: all\nidentities:\n  - id: svc 1\n    name: [\"a\"]\n  - id: svc-2\n    privileged: maybe\n    names: [\"aws:*\", \"b\", \"b\"]\n  - owner: x\n";
    let problems = catalogue_text(text, "catalogue.yaml").expect_err("it is refused");
    assert_eq!(
        told(&problems),
        [
            "E108 3:9 an identity's id `svc 1` is no name",
            "E101 4:5 an identity has no key `name`",
            "E107 6:17 `privileged` cannot be `maybe`",
            "E108 7:13 `aws:*` looks like a pattern",
            "E308 7:27 `b` stands for `svc-2` already (line 7)",
            "E102 8:5 an identity has no `id`",
        ]
    );
    let hints: String = problems.iter().map(ToString::to_string).collect();
    assert!(hints.contains("did you mean `names`?") && hints.contains("letter for letter"), "{hints}");
}

#[test]
fn what_is_no_catalogue_is_refused_and_says_why() {
    assert_eq!(wrong("catalogue: all\n"), ["E102 1:1 a catalogue has no `identities`"]);
    assert_eq!(
        wrong("identities: []\n"),
        ["E102 1:1 a catalogue has no `catalogue`", "E105 1:13 `identities` is empty"]
    );
    assert_eq!(wrong("- a\n").len(), 1);
    assert_eq!(wrong("").len(), 1);
    let twice = "catalogue: a\nidentities:\n  - {id: x, names: [y]}\n  - {id: y}\n";
    assert_eq!(wrong(twice), ["E308 4:10 `y` stands for `x` already (line 3)"]);
}

/// A folder with a contract and these catalogues.
struct Folder(tempfile::TempDir);

impl Folder {
    fn of(files: &[(&str, &str)]) -> Folder {
        let folder = Folder(tempfile::tempdir().expect("a folder"));
        fs::create_dir(folder.path("catalogue")).expect("a folder");
        fs::write(folder.path("contract.yaml"), include_str!("support/desk.yaml")).expect("written");
        fs::write(
            folder.path("onus.toml"),
            "[contracts]\npaths = [\"contract.yaml\"]\n[catalogue]\npaths = [\"catalogue\"]\n[http]\nlisten = \"127.0.0.1:0\"\n",
        )
        .expect("written");
        for (name, text) in files {
            fs::write(folder.path(name), text).expect("written");
        }
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// What the program prints, and with what code it ends.
    fn onus(&self, args: &[&str]) -> (String, Option<i32>) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onus"));
        let out = command.current_dir(self.0.path()).args(args).output().expect("it runs");
        (String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr), out.status.code())
    }
}

const A: &str = "catalogue: a\nidentities:\n  - {id: x, names: [aws-1]}\n";
const B: &str = "catalogue: b\nidentities:\n  - {id: z, names: [aws-1]}\n";

#[test]
fn a_name_in_two_files_is_refused_with_both_places() {
    let folder = Folder::of(&[("catalogue/a.yaml", A), ("catalogue/b.yaml", B)]);
    let problems = catalogue(&[folder.path("catalogue")]).expect_err("refused");
    assert_eq!(problems.len(), 1);
    assert!(problems[0].file.ends_with("b.yaml") && problems[0].message.contains("a.yaml, line 3"), "{}", problems[0]);
    let (lint, code) = folder.onus(&["lint", "contract.yaml", "catalogue"]);
    assert!(lint.contains("E308") && lint.contains("a.yaml, line 3"), "{lint}");
    assert_eq!(code, Some(2), "{lint}");
    let (doctor, code) = folder.onus(&["doctor"]);
    assert!(doctor.contains("catalogue: 1 problems: `onus lint` tells them"), "{doctor}");
    assert_eq!(code, Some(2));
}

#[test]
fn lint_doctor_and_fmt_know_a_catalogue() {
    let folder = Folder::of(&[("catalogue/a.yaml", A)]);
    let (lint, code) = folder.onus(&["lint", "contract.yaml", "catalogue"]);
    assert_eq!(code, Some(0), "{lint}");
    let (doctor, _) = folder.onus(&["doctor"]);
    assert!(doctor.contains("catalogue: 1 identities"), "{doctor}");
    fs::write(folder.path("catalogue/a.yaml"), "identities: [{names: aws-1, id: x}]\ncatalogue: a\n").expect("written");
    let (fmt, code) = folder.onus(&["fmt", "catalogue/a.yaml"]);
    assert_eq!(code, Some(0), "{fmt}");
    let text = fs::read_to_string(folder.path("catalogue/a.yaml")).expect("read");
    assert!(text.starts_with("catalogue: a\n") && text.find("id: x") < text.find("names:"), "{text}");
}

#[test]
fn the_schema_is_that_checked_in_and_takes_what_reads() {
    checked_in::same("docs/reference/catalogue.schema.json", &format!("{:#}\n", catalogue_schema()));
    let validator = jsonschema::draft202012::new(&catalogue_schema()).expect("a schema");
    assert!(validator.is_valid(&tree::json(example()).expect("YAML")));
    for broken in ["catalogue: all\n", "catalogue: a\nidentities: [{id: x, owners: y}]\n"] {
        assert!(!validator.is_valid(&tree::json(broken).expect("YAML")), "{broken}");
        assert!(catalogue_text(broken, "x").is_err());
    }
}

fn small() -> Catalogue {
    catalogue_text("catalogue: a\nidentities:\n  - {id: x, names: [n1, n2], partner: p, privileged: true}\n  - {id: y, names: n3}\n", "x")
        .expect("it reads")
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof!["n[1-4]", "[xyp]", any::<String>()]
}

fn line() -> impl Strategy<Value = String> {
    let data = proptest::collection::vec(
        (prop_oneof![Just("credential"), Just("parent"), Just("kind"), Just("privileged")], word()),
        0..3,
    );
    let event =
        (proptest::option::of(word()), proptest::option::of(word()), data).prop_map(|(subject, partner, data)| {
            let data: serde_json::Map<String, serde_json::Value> =
                data.into_iter().map(|(k, v)| (k.to_owned(), v.into())).collect();
            serde_json::json!({"subject": subject, "partner": partner, "data": data}).to_string()
        });
    prop_oneof![3 => event, 1 => any::<String>().prop_map(|text| text.replace('\n', " "))]
}

proptest! {
    /// As many lines as before; again changes nothing; no native name is left where it counts; and no line is made bad.
    #[test]
    fn resolving_is_done_once_and_for_all(lines in proptest::collection::vec(line(), 1..6)) {
        let names = Names::of(&small(), &Names::default(), onus_engine::time::Moment::DAWN);
        let text = lines.join("\n") + "\n";
        let new = names.resolved(text.as_bytes()).into_owned();
        prop_assert_eq!(new.iter().filter(|b| **b == b'\n').count(), lines.len());
        prop_assert_eq!(names.resolved(&new).into_owned(), new.clone());
        for (old, new) in lines.iter().zip(String::from_utf8(new).expect("UTF-8").split('\n')) {
            let (Ok(old), Ok(new)) = (serde_json::from_str::<serde_json::Value>(old), serde_json::from_str::<serde_json::Value>(new)) else {
                prop_assert_eq!(old, new);
                continue;
            };
            let native = ["n1", "n2", "n3"];
            prop_assert!(new["subject"].as_str().is_none_or(|name| !native.contains(&name)));
            prop_assert!(new["data"]["credential"].as_str().is_none_or(|name| !native.contains(&name)));
            if old["partner"].as_str().is_some_and(|partner| !partner.is_empty()) {
                prop_assert_eq!(&old["partner"], &new["partner"]);
            }
        }
    }

    /// What is said for an event is said once, and what it says itself stays.
    #[test]
    fn pinning_adds_and_changes_nothing(text in line()) {
        let catalogue = small();
        let Some(new) = catalogue.pin(&text).line else { return Ok(()) };
        prop_assert_eq!(catalogue.pin(&new).line, None);
        let (old, new): (serde_json::Value, serde_json::Value) = (serde_json::from_str(&text).expect("JSON"), serde_json::from_str(&new).expect("JSON"));
        let empty = |value: &serde_json::Value| value.is_null() || value.as_str() == Some("");
        for (name, value) in old.as_object().expect("an object").iter().filter(|(name, value)| *name != "data" && !empty(value)) {
            prop_assert_eq!(value, &new[name]);
        }
        for (name, value) in old["data"].as_object().into_iter().flatten().filter(|(_, value)| !empty(value)) {
            prop_assert_eq!(value, &new["data"][name]);
        }
    }
}
