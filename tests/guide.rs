//! The guides are true: each contract in them loads, and each command prints what stands below it.
//!
//! A block's info string may name a file (```` ```yaml acme.yaml ````): it is written, and later commands find it. A
//! YAML block without a name is part of a contract, or of a mapper, and is loaded with the rest of one around it.
//! `ONUS_UPDATE=1` writes what the commands print.

#[path = "support/example.rs"]
#[allow(dead_code)]
mod example;

use onus::contract::{Problem, mapper, mapper_problems, parse};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What stands around a part of a contract, by its top-level keys.
const AROUND: &[(&str, &str)] = &[
    ("contract", "contract: around\n"),
    ("partner", "partner: partner\n"),
    ("customer", "customer: customer\n"),
    ("effective", "effective: 2026-01-01T00:00:00Z\n"),
    ("zone", "zone: Europe/Amsterdam\n"),
    ("calendar", "calendar: office\n"),
    ("calendars", "calendars: {office: {zone: Europe/Amsterdam, hours: {mon-fri: \"09:00-17:00\"}}}\n"),
    (
        "obligations",
        "obligations: [{id: acknowledge, clause: \"4.1\", when: ticket.opened, do: ticket.acknowledged, within: 15min}]\n",
    ),
];

/// A fenced block of a page.
#[derive(Debug)]
struct Block<'p> {
    /// The line of its opening fence, from 1.
    line: usize,
    kind: &'p str,
    file: Option<&'p str>,
    text: String,
}

fn guides() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide");
    let files = std::fs::read_dir(folder).expect("docs/guide").map(|file| file.expect("a file").path());
    // Others in the folder are held to what they say by tests of their own.
    let mut files: Vec<PathBuf> = files.filter(|file| file.ends_with("contracts.md")).collect();
    files.sort();
    files
}

fn mapper_guide() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/sources/mapper.md")
}

fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let ticks = line.len() - line.trim_start_matches('`').len();
        if ticks < 3 {
            continue;
        }
        let mut info = line[ticks..].split_whitespace();
        let (kind, file) = (info.next().unwrap_or(""), info.next());
        let fence = "`".repeat(ticks);
        let text = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != fence);
        let text = text.map(|line| format!("{line}\n")).collect();
        blocks.push(Block { line: at + 1, kind, file, text });
    }
    blocks
}

/// A part of a contract with the rest of one around it.
fn whole(part: &str) -> String {
    let part = if part.starts_with("- ") {
        let lines: Vec<String> = part.lines().map(|line| format!("  {line}")).collect();
        format!("obligations:\n{}\n", lines.join("\n"))
    } else {
        part.to_owned()
    };
    let has = |key: &str| part.lines().any(|line| line.starts_with(&format!("{key}:")));
    let rest: String = AROUND.iter().filter(|(key, _)| !has(key)).map(|(_, lines)| *lines).collect();
    format!("{rest}{part}")
}

#[test]
fn every_part_of_a_contract_loads() {
    for guide in guides() {
        let page = std::fs::read_to_string(&guide).expect("a guide");
        let parts: Vec<Block<'_>> =
            blocks(&page).into_iter().filter(|block| block.kind == "yaml" && block.file.is_none()).collect();
        assert!(parts.len() >= 15, "{}: only {} parts", guide.display(), parts.len());
        for block in parts {
            let text = whole(&block.text);
            if let Err(problems) = parse(&text, "part.yaml") {
                let told: Vec<String> = problems.iter().map(|problem| format!("{problem}\n")).collect();
                panic!("{}:{}:\n{}\n{text}", guide.display(), block.line, told.join("\n"));
            }
        }
    }
}

#[test]
fn every_part_of_a_mapper_loads_and_every_whole_one_says_what_is_wrong_with_nothing() {
    let page = std::fs::read_to_string(mapper_guide()).expect("a guide");
    let (mut parts, mut wholes) = (0, 0);
    for block in blocks(&page).into_iter().filter(|block| block.kind == "yaml") {
        let whole = block.file.is_some();
        let text = if whole { block.text.clone() } else { example::whole_mapper(block.text.trim_end()) };
        let problems = if whole { mapper_problems(&text, "m") } else { mapper(&text, "m").err().unwrap_or_default() };
        let told: Vec<String> = problems.iter().map(Problem::to_string).collect();
        assert!(problems.is_empty(), "line {}:\n{}\n{text}", block.line, told.join("\n"));
        if whole { wholes += 1 } else { parts += 1 }
    }
    assert!(parts >= 6 && wholes >= 3, "{parts} parts, {wholes} mappers");
}

#[test]
fn every_command_prints_what_stands_below_it() {
    for (n, guide) in guides().into_iter().chain([mapper_guide()]).enumerate() {
        let page = std::fs::read_to_string(&guide).expect("a guide");
        let folder = std::env::temp_dir().join(format!("onus-guide-{n}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let mut want = page.clone();
        for block in blocks(&page) {
            match (block.kind, block.file) {
                ("console", _) => {
                    let printed = console(&block, &folder);
                    want = want.replacen(
                        &format!("```console\n{}```", block.text),
                        &format!("```console\n{printed}```"),
                        1,
                    );
                }
                (_, Some(file)) => std::fs::write(folder.join(file), &block.text).expect("it can be written"),
                (_, None) => {}
            }
        }
        std::fs::remove_dir_all(&folder).expect("the folder goes");
        if std::env::var_os("ONUS_UPDATE").is_some() {
            std::fs::write(&guide, &want).expect("the guide can be written");
        }
        let there = std::fs::read_to_string(&guide).expect("a guide");
        if let Some((line, (there, want))) = there.lines().zip(want.lines()).enumerate().find(|(_, (a, b))| a != b) {
            panic!(
                "{}:{}:\n  there: {there}\n  want:  {want}\nONUS_UPDATE=1 writes it anew",
                guide.display(),
                line + 1
            );
        }
    }
}

/// Whether the binary has a command: a guide may be ahead of it, and is checked once it is there.
fn has_command(name: &str) -> bool {
    let help = Command::new(env!("CARGO_BIN_EXE_onus")).arg("--help").output().expect("onus runs");
    String::from_utf8_lossy(&help.stdout).lines().any(|line| line.split_whitespace().next() == Some(name))
}

/// The commands of a block, each with what it prints: standard output, then standard error.
fn console(block: &Block<'_>, folder: &Path) -> String {
    let mut printed = String::new();
    let commands: Vec<&str> = block.text.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
    assert!(!commands.is_empty(), "line {}: no command", block.line);
    for (n, line) in commands.into_iter().enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let ["onus", args @ ..] = words.as_slice() else { panic!("line {}: not onus: {line}", block.line) };
        if !args.first().is_some_and(|name| has_command(name)) {
            return block.text.clone();
        }
        let (args, input) = match args {
            [args @ .., "<", file] => (args, Stdio::from(File::open(folder.join(file)).expect("a file of the guide"))),
            args => (args, Stdio::null()),
        };
        let run = Command::new(env!("CARGO_BIN_EXE_onus"))
            .args(args)
            .stdin(input)
            .current_dir(folder)
            .env("NO_COLOR", "1")
            .output()
            .expect("onus runs");
        let [out, told] = [run.stdout, run.stderr].map(|bytes| String::from_utf8(bytes).expect("text"));
        let between = if n > 0 { "\n" } else { "" };
        printed.push_str(&format!("{between}$ {line}\n{out}{told}"));
    }
    printed.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}
