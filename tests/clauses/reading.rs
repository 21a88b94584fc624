//! Reads a Markdown file of cases: a claim, the clause as YAML, and a table of what happened and what follows.
//! `README.md` beside this file is the reference of the notation.

use crate::clock_text::Place;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

/// One claim with its contract and its table.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) title: String,
    /// One YAML text a version.
    pub(crate) contracts: Vec<String>,
    pub(crate) place: Place,
    pub(crate) rows: Vec<Row>,
    /// Points that the rules leave open and the case assumes.
    pub(crate) open_points: usize,
}

/// One line of a table.
#[derive(Debug)]
pub(crate) struct Row {
    /// Position in the file, from 1.
    pub(crate) line: usize,
    pub(crate) now: DateTime<Utc>,
    /// What arrives, as JSON lines in order of arrival.
    pub(crate) records: Vec<Value>,
    /// First two cells as written, for rewriting the line.
    pub(crate) left: String,
    /// Last cell.
    pub(crate) says: String,
}

/// All cases of one file; the error names the line.
pub(crate) fn cases(text: &str) -> Result<Vec<Case>, String> {
    let mut found = Vec::new();
    let mut draft: Option<Draft> = None;
    let mut fence: Option<String> = None;
    for (line, at) in text.lines().zip(1..) {
        let step = if let Some(yaml) = &mut fence {
            if line == "```" {
                let yaml = fence.take().unwrap_or_default();
                draft.as_mut().map(|d| d.contracts.push(yaml)).ok_or_else(|| "a clause outside a case".to_owned())
            } else {
                yaml.push_str(line);
                yaml.push('\n');
                Ok(())
            }
        } else if line == "```yaml" {
            fence = Some(String::new());
            Ok(())
        } else if let Some(title) = line.strip_prefix("## ") {
            found.extend(draft.replace(Draft::new(title)).map(Draft::done).transpose()?);
            Ok(())
        } else {
            draft.as_mut().map_or(Ok(()), |d| d.take(line, at))
        };
        step.map_err(|error| format!("line {at}: {error}"))?;
    }
    found.extend(draft.map(Draft::done).transpose()?);
    Ok(found)
}

struct Draft {
    title: String,
    contracts: Vec<String>,
    place: Option<Place>,
    rows: Vec<Row>,
    open_points: usize,
}

impl Draft {
    fn new(title: &str) -> Draft {
        Draft { title: title.to_owned(), contracts: Vec::new(), place: None, rows: Vec::new(), open_points: 0 }
    }

    fn take(&mut self, line: &str, at: usize) -> Result<(), String> {
        if line.starts_with("<!-- open:") {
            self.open_points += 1;
        } else if line.starts_with("Times are ") {
            self.place = Some(Place::read(line)?);
        } else if line.starts_with('|') && !line.starts_with("| when ") && !line.starts_with("|-") {
            let place = self.place.ok_or("a row before the line `Times are ...`")?;
            self.rows.push(row(line, at, &place)?);
        }
        Ok(())
    }

    fn done(self) -> Result<Case, String> {
        let Draft { title, contracts, place, rows, open_points } = self;
        match place {
            Some(place) if !contracts.is_empty() && !rows.is_empty() => {
                Ok(Case { title, contracts, place, rows, open_points })
            }
            _ => Err(format!("case \"{title}\" lacks its clause, its day or its table")),
        }
    }
}

fn row(line: &str, at: usize, place: &Place) -> Result<Row, String> {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [when, what, says] = cells[..] else {
        return Err("a row has three cells".to_owned());
    };
    let now = place.instant(when)?;
    let mut records = Vec::new();
    for (item, n) in what.split("; ").zip(0..) {
        let id = format!("{at:04}-{n}");
        match (item, item.strip_prefix("we learn: ")) {
            ("nothing", _) => records.push(tick(&id, now)),
            (_, Some(news)) => {
                records.push(tick(&format!("{id}-tick"), now));
                records.push(event(news, &id, now, place)?);
            }
            _ => records.push(event(item, &id, now, place)?),
        }
    }
    Ok(Row { line: at, now, records, left: format!("| {when} | {what} |"), says: says.to_owned() })
}

fn tick(id: &str, at: DateTime<Utc>) -> Value {
    json!({"specversion": "1.0", "id": id, "source": "urn:clock", "type": "onus.tick", "time": rfc(at), "subject": "clock", "partner": ""})
}

/// Reads `INC1 opened P1 by customer because no-access key=value at 11:58`.
fn event(text: &str, id: &str, now: DateTime<Utc>, place: &Place) -> Result<Value, String> {
    let words = words(text);
    let mut words = words.iter().map(String::as_str);
    let (Some(subject), Some(verb)) = (words.next(), words.next()) else {
        return Err(format!("not an event: {text}"));
    };
    let mut data = Map::new();
    let mut time = now;
    let mut envelope = Map::from_iter(
        [("specversion", "1.0"), ("id", id), ("source", "urn:desk"), ("subject", subject), ("partner", "halden")]
            .map(|(key, value)| (key.to_owned(), json!(value))),
    );
    envelope.insert("type".to_owned(), json!(kind(subject, verb)?));
    while let Some(word) = words.next() {
        let mut next = || words.next().ok_or_else(|| format!("nothing after `{word}`"));
        match word {
            "at" => {
                let rest: Vec<&str> = words.by_ref().collect();
                time = place.instant(&rest.join(" "))?;
            }
            "by" => {
                let who = next()?;
                let field = if matches!(who, "customer" | "partner" | "unknown") { "side" } else { "actor" };
                data.insert(field.to_owned(), json!(who));
            }
            "because" => {
                data.insert("reason".to_owned(), json!(next()?));
            }
            _ if word.len() == 2 && word.starts_with('P') => {
                data.insert("priority".to_owned(), json!(word));
            }
            _ => {
                let (key, value) = word.split_once('=').ok_or_else(|| format!("`{word}` is no field"))?;
                match key {
                    "id" | "source" | "partner" | "factkey" | "sequence" => {
                        envelope.insert(key.to_owned(), json!(value));
                    }
                    "recorded" => {
                        let at = place.instant(&value.replace('_', " "))?;
                        envelope.insert("recordedtime".to_owned(), json!(rfc(at)));
                    }
                    "starts" | "ends" | "planned_start" => {
                        data.insert(key.to_owned(), json!(rfc(place.instant(&value.replace('_', " "))?)));
                    }
                    _ if key.ends_with("_at") => {
                        data.insert(key.to_owned(), json!(rfc(place.instant(&value.replace('_', " "))?)));
                    }
                    _ => {
                        data.insert(key.to_owned(), value_of(value));
                    }
                }
            }
        }
    }
    envelope.insert("time".to_owned(), json!(rfc(time)));
    envelope.insert("data".to_owned(), Value::Object(data));
    Ok(Value::Object(envelope))
}

/// The kind is told by how the subject is written, unless the verb carries its own.
fn kind(subject: &str, verb: &str) -> Result<String, String> {
    if verb.contains('.') {
        return Ok(verb.to_owned());
    }
    let kinds = [
        ("INC", "ticket"),
        ("CHG", "change"),
        ("svc-", "credential"),
        ("GR", "grant"),
        ("IR", "incident"),
        ("EV", "evidence"),
    ];
    let (_, kind) = kinds
        .iter()
        .find(|(prefix, _)| subject.starts_with(prefix))
        .ok_or_else(|| format!("what kind of subject is {subject}?"))?;
    Ok(format!("{kind}.{verb}"))
}

/// Blanks part words, but not inside brackets.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut depth = 0;
    for c in text.chars() {
        depth += i32::from(c == '[') - i32::from(c == ']');
        match words.last_mut() {
            Some(word) if c != ' ' || depth > 0 => word.push(c),
            _ => words.push(String::new()),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn value_of(text: &str) -> Value {
    match text {
        "null" => Value::Null,
        "true" => json!(true),
        "false" => json!(false),
        _ => match text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some("") => json!([]),
            Some(items) => items.split(", ").map(value_of).collect(),
            None => json!(text),
        },
    }
}

pub(crate) fn rfc(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
