//! `onus adapt`: a vendor's records on standard input become canonical events on standard output, by an adapter that there
//! is or as a mapper describes it; and a mapper's examples are tried.

mod lines;
pub(super) mod mapper;
mod reader;
mod record;

use super::{CliError, exit};
use crate::ingest::adapt::{Answer, Error, LONGEST, Record};
use crate::ingest::wire::Wire;
use clap::Args;
use lines::{Line, Lines};
use reader::Reader;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

/// A line of a record is longer than the record: it may be in base64, with its key and headers beside it.
const LONGEST_LINE: usize = 4 * LONGEST;

/// So much is written at once.
const ENOUGH: usize = 1 << 16;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  onus adapt --source servicenow --settings sources.json < rows.jsonl > events.jsonl
  kcat -C -t itsm.servicenow.incident -e -J | jq -c '{key, headers: {}, kafka_timestamp: .ts, topic, value: .payload}' |
    onus adapt --source servicenow --settings sources.json --record
  onus adapt --source servicenow --settings sources.json < rows.jsonl | onus check --contracts contracts/ -
  onus adapt --mapper reviews.yaml < rows.jsonl > events.jsonl
  onus adapt --mapper reviews.yaml --test

Each line of the input is one record's value; the answer is its events, a line each, or one line {\"skip\": CODE, \"why\"} or
{\"error\": CODE, \"why\"}. With --record a line is an object with key, headers, kafka_timestamp, topic, and payload, value or
value_b64; headers is an object of texts. The answer is one line: {\"events\": [...]}, {\"skip\": ...} or {\"error\": ...}.

Records are taken out of what they are wrapped in (docs/sources/wire.md): compression, base64, Kafka Connect, Debezium; frames
of a schema registry where the settings name one: \"wire\": {\"format\": \"confluent\", \"registry\": {\"url\": ...}}.

What sources look like, and what the settings say: docs/sources/. With --mapper the source is described in YAML
(docs/sources/mapper.md); with --test nothing is read from standard input: the mapper's own examples are, and what differs from
what they say is printed.

Exit codes: 0 the input was read to its end; 2 the settings or the mapper are bad, or --strict was given and a record could not
be read. With --test: 0 all examples hold, 1 some do not, 2 the mapper is bad or has no examples.")]
pub(in crate::cli) struct AdaptArgs {
    /// Whose records these are
    #[arg(long, value_name = "NAME", requires = "settings", required_unless_present = "mapper")]
    source: Option<String>,
    /// The tables of partners, states and priorities
    #[arg(long, value_name = "FILE", requires = "source", conflicts_with = "mapper")]
    settings: Option<PathBuf>,
    /// A source that no adapter knows, described in YAML
    #[arg(long, value_name = "FILE", conflicts_with = "source")]
    mapper: Option<PathBuf>,
    /// Try the mapper's own examples
    #[arg(long, requires = "mapper", conflicts_with_all = ["record", "strict"])]
    test: bool,
    /// Lines are records with key, headers and times; the answer is one line each
    #[arg(long)]
    record: bool,
    /// Exit code 2 if any record could not be read
    #[arg(long)]
    strict: bool,
}

pub(in crate::cli) fn run(args: &AdaptArgs) -> Result<u8, CliError> {
    let other = |text: String| CliError::Other(text);
    let mut wire = Wire::default();
    let adapter = match (&args.mapper, &args.source, &args.settings) {
        (Some(path), ..) if args.test => return mapper::test(path),
        (Some(path), ..) => mapper::adapter(path)?,
        (None, Some(source), Some(settings)) => {
            if source != "mapper" {
                wire = Reader::wire(super::run::tables(settings).map_err(other)?.wrapping());
            }
            super::run::adapter(source, settings).map_err(other)?
        }
        (None, ..) => return Err(other("say `--source` with `--settings`, or `--mapper`".to_owned())),
    };
    let mut reader = Reader::new(adapter, wire);
    let mut input = Lines::new(std::io::stdin(), LONGEST_LINE);
    let (mut out, mut bad) = (String::new(), false);
    while let Some(line) = input.next().map_err(|error| other(format!("cannot read standard input: {error}")))? {
        let answer = match line {
            Line::Whole(line) if line.iter().all(u8::is_ascii_whitespace) => continue,
            Line::Whole(line) if args.record => record::read(&mut reader, line),
            Line::Whole(line) => reader.read(&Record { value: Some(line), ..Record::default() }, &[]),
            Line::TooLong(bytes) => {
                let why = format!("the line has {bytes} bytes, and none has more than {LONGEST_LINE}");
                Answer { errors: vec![(Error::TooLarge, why)], ..Answer::default() }
            }
        };
        bad |= !answer.errors.is_empty();
        if args.record {
            whole(&answer, &mut out)
        } else {
            apart(&answer, &mut out)
        }
        // Whoever sends one line and waits has its answer; whoever sends many has them in one piece.
        if out.len() >= ENOUGH || input.must_wait() {
            if !told(&out)? {
                return Ok(exit::FINE);
            }
            out.clear();
        }
    }
    told(&out)?;
    Ok(if bad && args.strict { exit::BAD_INPUT } else { exit::FINE })
}

/// False when nobody reads any more.
fn told(text: &str) -> Result<bool, CliError> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(CliError::Other(format!("cannot write to standard output: {error}"))),
    }
}

/// Each event by itself; then what could not be read; a skip only where there is nothing else.
fn apart(answer: &Answer, out: &mut String) {
    for event in &answer.events {
        event.write(out);
        out.push('\n');
    }
    for (code, why) in &answer.errors {
        let _ = writeln!(out, "{}", serde_json::json!({"error": code.word(), "why": why}));
    }
    if answer.events.is_empty() && answer.errors.is_empty() {
        skip(answer, out);
        out.push('\n');
    }
}

/// One line: its events, with errors beside them where only some items could be read; else the first error, else why not.
fn whole(answer: &Answer, out: &mut String) {
    let errors: Vec<serde_json::Value> =
        answer.errors.iter().map(|(code, why)| serde_json::json!({"error": code.word(), "why": why})).collect();
    match (answer.events.is_empty(), errors.first()) {
        (true, None) => skip(answer, out),
        (true, Some(first)) => {
            let _ = write!(out, "{first}");
        }
        (false, first) => {
            out.push_str("{\"events\":[");
            for (n, event) in answer.events.iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                event.write(out);
            }
            out.push(']');
            if first.is_some() {
                let _ = write!(out, ",\"errors\":{}", serde_json::Value::Array(errors));
            }
            out.push('}');
        }
    }
    out.push('\n');
}

fn skip(answer: &Answer, out: &mut String) {
    let (code, why) = answer.skips.first().map_or(("not-relevant", ""), |(code, why)| (code.word(), why.as_str()));
    let _ = write!(out, "{}", serde_json::json!({"skip": code, "why": why}));
}
