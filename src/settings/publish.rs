//! The settings for people: those in force, the default file, the reference.

use super::Loaded;
use super::keys::{Absent, Form, Key, SECTIONS, Section, Shape};
use super::reading::{head, literal};
use super::units::{length_text, size_text};
use std::fmt::Write;

/// Where comments begin in what is in force, if the value leaves room.
const COLUMN: usize = 44;
const WIDTH: usize = 116;

/// The settings in force as a settings file; each with its origin.
pub fn toml(loaded: &Loaded) -> String {
    let mut text = String::new();
    let mut before: Option<&str> = None;
    for one in &loaded.in_force {
        // Sections that are written several times are told apart by their path.
        let whose = one.path.strip_suffix(one.key.as_str()).unwrap_or(&one.path);
        if before != Some(whose) {
            let gap = if text.is_empty() { "" } else { "\n" };
            let _ = writeln!(text, "{gap}{}", one.section);
            before = Some(whose);
        }
        let _ = writeln!(text, "{:COLUMN$} # {}", format!("{} = {}", one.key, one.value), one.from);
    }
    text
}

/// The settings in force as JSON.
pub fn json(loaded: &Loaded) -> String {
    let each = |one: &super::InForce| serde_json::json!({ "setting": one.path, "value": one.value, "from": one.from });
    let all: Vec<serde_json::Value> = loaded.in_force.iter().map(each).collect();
    let file = loaded.file.as_ref().map(|file| file.display().to_string());
    format!("{:#}\n", serde_json::json!({ "file": file, "settings": all }))
}

/// A settings file that says what holds without it, and what could be said.
pub fn default_file() -> String {
    let mut text = String::from(
        "# Settings of Onus. What stands here without a `#` is what holds anyway; each line may be taken out.\n\
         # Every setting can be given from outside: ONUS__JUDGE__BATCH=1000, ONUS__SOURCE__TICKETS__TOPIC=tickets.\n\
         # Relative paths count from this file's folder.\n\
         # Written by `onus settings default`; docs/reference/settings.md says more.\n",
    );
    for section in SECTIONS {
        let _ = writeln!(text, "\n# {}", section.words);
        let off = section.form != Form::Once;
        let _ = writeln!(text, "{}{}", if off { "# " } else { "" }, head(section, "main"));
        for key in section.keys {
            let kinds = if key.kinds.is_empty() { String::new() } else { format!("({}) ", key.kinds.join(", ")) };
            for line in wrapped(&format!("{kinds}{}", key.words), WIDTH - 2) {
                let _ = writeln!(text, "{}# {line}", if off { "# " } else { "" });
            }
            let off = off || !matches!(key.absent, Absent::Is(_));
            let _ = writeln!(text, "{}{} = {}", if off { "# " } else { "" }, key.name, sample(key));
        }
    }
    text
}

/// The reference, in Markdown.
pub fn reference() -> String {
    let mut text = String::from(
        "<!-- Written by `ONUS_UPDATE=1 cargo test --test settings` from src/settings/keys. -->\n\n\
         # Settings\n\n\
         One TOML file, `onus.toml` or what `--config` names. Over it stands the environment: `ONUS__SECTION__KEY`, with \
         `_` for `-`, and\nwith the name between them for a cluster or a source (`ONUS__KAFKA__MAIN__GROUP`, \
         `ONUS__SOURCE__TICKETS__TOPIC`). There a list\nis written with commas. What is not known is refused.\n\n\
         Lengths of time are a whole number and a unit (`50ms`, `10s`, `15min`, `24h`, `7 days`), sizes likewise (`1 MiB`). \
         Secrets stand\nin files of their own. Relative paths count from the settings file's folder.\n\n\
         `onus settings show` prints what holds and who said it; `onus settings check` says everything that is wrong;\n\
         `onus settings default` prints a [file to begin with](../../config/onus.toml).\n",
    );
    for section in SECTIONS {
        let _ = writeln!(
            text,
            "\n## `{}`\n\n{}\n\n| setting | value | default | |\n|---|---|---|---|",
            head(section, "NAME"),
            section.words
        );
        for key in section.keys {
            let absent = match key.absent {
                Absent::Is(text) => format!("`{text}`"),
                Absent::Nothing(_) => "none".to_owned(),
                Absent::Refused(_) => "must be said".to_owned(),
            };
            let kinds = if key.kinds.is_empty() { String::new() } else { format!("({}) ", key.kinds.join(", ")) };
            let _ = writeln!(text, "| `{}` | {} | {absent} | {kinds}{} |", key.name, shape(key), key.words);
        }
        if section.name == "kafka" {
            ours(section, &mut text);
        }
    }
    text
}

fn ours(_: &Section, text: &mut String) {
    text.push_str("\nRefused among `properties`:\n\n| librdkafka's setting | why |\n|---|---|\n");
    for (name, why) in super::keys::OURS {
        let star = if name.ends_with('.') { "*" } else { "" };
        let _ = writeln!(text, "| `{name}{star}` | {why} |");
    }
}

fn sample(key: &Key) -> String {
    let (Absent::Is(text) | Absent::Nothing(text) | Absent::Refused(text)) = key.absent;
    debug_assert!(!literal(text).is_datetime());
    text.to_owned()
}

fn shape(key: &Key) -> String {
    match key.shape {
        Shape::Text => "text".to_owned(),
        Shape::Path => "file".to_owned(),
        Shape::Paths => "files or folders".to_owned(),
        Shape::List => "list of texts".to_owned(),
        Shape::Bool => "`true`, `false`".to_owned(),
        Shape::Whole(from, to) => format!("{from} to {to}"),
        Shape::Length(from, to) => format!("{} to {}", length_text(from), length_text(to)),
        Shape::MaybeLength(from, to) => format!("`none`, or {} to {}", length_text(from), length_text(to)),
        Shape::MaybeRate(most) => format!("`none`, or 1 to {most}, then `/s`, `/min` or `/h`"),
        Shape::Size(most) => format!("size, at most {}", size_text(most)),
        Shape::Choice(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
        Shape::Start => "`earliest`, `latest`, instant".to_owned(),
        Shape::Open => "names and texts".to_owned(),
    }
}

fn wrapped(words: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
