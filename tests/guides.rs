//! What the guides show is what the program prints: every command in a block of `console` is run, and compared.
//!
//! `ONUS_UPDATE=1 cargo test --test guides` writes the blocks anew.

#[path = "support/checked_in.rs"]
mod checked_in;

use std::process::Command;

const HERE: &str = env!("CARGO_MANIFEST_DIR");

/// The text with what each command of its `console` blocks prints, standard output first.
fn told(text: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for line in text.lines() {
        match line {
            "```console" => inside = true,
            "```" if inside => inside = false,
            _ if !inside => {}
            _ => match line.strip_prefix("$ onus ") {
                Some(command) => {
                    out += &format!("{line}\n{}", printed(command));
                    continue;
                }
                // What was printed before.
                None => continue,
            },
        }
        out += &format!("{line}\n");
    }
    out
}

fn printed(command: &str) -> String {
    let args: Vec<&str> = command.split(' ').collect();
    let run = Command::new(env!("CARGO_BIN_EXE_onus")).args(&args).current_dir(HERE).output().expect("the binary runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    let both = [text(&run.stdout), text(&run.stderr)];
    both.iter().filter(|text| !text.is_empty()).map(|text| format!("{text}\n")).collect()
}

#[test]
fn the_guides_show_what_the_program_prints() {
    for guide in ["README.md", "docs/guide/clauses.md", "docs/guide/whatif.md"] {
        let text = std::fs::read_to_string(format!("{HERE}/{guide}")).expect("a guide");
        checked_in::same(guide, &told(&text));
    }
}
