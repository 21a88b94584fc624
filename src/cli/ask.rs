//! `onus due` as a command: one question from flags, or many as JSON lines on standard input.

use super::args::DueArgs;
use super::due;
use super::{CliError, exit, write_out};
use crate::contract;
use onus_engine::calendar::Calendar;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::io::{BufRead, Write};

pub(super) fn run(args: &DueArgs) -> Result<u8, CliError> {
    let (named, sets) = match &args.calendars {
        None => (BTreeMap::new(), BTreeMap::new()),
        Some(path) => {
            let library = contract::Library::new(args.library.clone());
            contract::calendar_file(path, &library).map_err(CliError::Contracts)?
        }
    };
    let list: Vec<(String, Calendar)> = named.iter().map(|(n, c)| (n.clone(), c.clone())).collect();
    let inline = |block: &Value| {
        contract::calendar_block(&block.to_string(), "calendar", &named, &sets, None).map_err(|problems| {
            let texts: Vec<String> = problems
                .iter()
                .map(|p| p.hint.as_ref().map_or(p.message.clone(), |hint| format!("{} ({hint})", p.message)))
                .collect();
            texts.join("; ")
        })
    };
    if let Some(calendar) = &args.calendar {
        let answer = due::answer_line(&question(args, calendar), &list, &inline);
        let failed = answer.get("error").is_some();
        write_out(&format!("{answer}\n"))?;
        return Ok(if failed { exit::BAD_INPUT } else { exit::FINE });
    }
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().split(b'\n') {
        let line = line.map_err(|e| CliError::Other(format!("standard input: {e}")))?;
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let answer = match std::str::from_utf8(&line) {
            Ok(text) => due::answer_line(text, &list, &inline),
            Err(_) => serde_json::json!({ "error": "the question is not UTF-8" }),
        };
        match writeln!(out, "{answer}") {
            Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => return Ok(exit::FINE),
            Err(e) => return Err(CliError::Other(format!("cannot write to standard output: {e}"))),
            Ok(()) => {}
        }
    }
    match out.flush() {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(CliError::Other(format!("cannot write to standard output: {e}")))
        }
        _ => Ok(exit::FINE),
    }
}

/// The flags as a question; a number stays as it was written.
fn question(args: &DueArgs, calendar: &str) -> String {
    let mut map = Map::new();
    map.insert("calendar".to_owned(), calendar.into());
    for (key, value) in [("op", &args.op), ("at", &args.at), ("to", &args.to)] {
        if let Some(value) = value {
            map.insert(key.to_owned(), value.as_str().into());
        }
    }
    let mut text = Value::Object(map).to_string();
    if let Some(seconds) = &args.seconds {
        let number = serde_json::from_str::<serde_json::Number>(seconds).is_ok();
        let seconds = if number { seconds.clone() } else { Value::from(seconds.as_str()).to_string() };
        text.truncate(text.len() - 1);
        text.push_str(&format!(",\"seconds\":{seconds}}}"));
    }
    text
}
