//! What happened, as a phrase: `INC1 opened P1 by customer because no-access key=value at 11:58`, made an event.

use super::place::Place;
use onus_engine::time::Moment;
use serde_json::{Map, Value, json};

/// How a subject's spelling tells its kind.
const KINDS: [(&str, &str); 6] = [
    ("INC", "ticket"),
    ("CHG", "change"),
    ("svc-", "credential"),
    ("GR", "grant"),
    ("IR", "incident"),
    ("EV", "evidence"),
];

/// One event.
#[derive(Clone, Debug)]
pub(super) struct Happening {
    /// Its type.
    pub kind: String,
    /// When it happened.
    pub at: Moment,
    /// A CloudEvent; its partner only where the phrase says it.
    event: Map<String, Value>,
}

impl Happening {
    /// The event as a line of JSON. None: it does not say whose it is, and `partner` does not either.
    pub(super) fn record(&self, partner: Option<&str>) -> Option<String> {
        let mut event = self.event.clone();
        if !event.contains_key("partner") {
            event.insert("partner".to_owned(), json!(partner?));
        }
        Some(Value::Object(event).to_string())
    }
}

/// That the clock moved on.
pub(super) fn tick(id: &str, at: Moment) -> String {
    json!({"specversion": "1.0", "id": id, "source": "urn:clock", "type": "onus.tick", "time": at.to_string(), "subject": "clock", "partner": ""})
        .to_string()
}

/// Reads a phrase; `now` is when it happened unless it says otherwise.
pub(super) fn read(text: &str, id: &str, now: Moment, place: &Place) -> Result<Happening, String> {
    let words = words(text)?;
    let mut words = words.iter().map(String::as_str);
    let (Some(subject), Some(verb)) = (words.next(), words.next()) else {
        return Err(format!("`{text}` says not what happened: write a subject and a verb, like INC1 opened"));
    };
    let kind = kind(subject, verb)?;
    let mut draft = Draft { envelope: Map::new(), data: Map::new() };
    for (key, value) in [("specversion", "1.0"), ("id", id), ("source", "urn:desk"), ("subject", subject)] {
        draft.envelope.insert(key.to_owned(), json!(value));
    }
    draft.envelope.insert("type".to_owned(), json!(kind));
    let mut at = now;
    while let Some(word) = words.next() {
        let mut next = || words.next().ok_or_else(|| format!("nothing stands after `{word}`"));
        match word {
            "at" => at = place.instant(&words.by_ref().collect::<Vec<_>>().join(" "))?,
            "by" => {
                let who = next()?;
                let field = if matches!(who, "customer" | "partner" | "unknown") { "side" } else { "actor" };
                draft.field(field, json!(who))?;
            }
            "because" => draft.field("reason", json!(next()?))?,
            _ if word.len() == 2 && word.starts_with('P') => draft.field("priority", json!(word))?,
            _ => {
                let (key, value) = word.split_once('=').ok_or_else(|| {
                    format!(
                        "`{word}` means nothing here: a field is written `key=value`, a text with blanks `key=\"..\"`"
                    )
                })?;
                draft.named(key, value, place)?;
            }
        }
    }
    draft.envelope.insert("time".to_owned(), json!(at.to_string()));
    draft.envelope.insert("data".to_owned(), Value::Object(draft.data));
    Ok(Happening { kind, at, event: draft.envelope })
}

struct Draft {
    envelope: Map<String, Value>,
    data: Map<String, Value>,
}

impl Draft {
    fn field(&mut self, key: &str, value: Value) -> Result<(), String> {
        match self.data.insert(key.to_owned(), value) {
            Some(_) => Err(format!("`{key}` is given twice")),
            None => Ok(()),
        }
    }

    fn named(&mut self, key: &str, value: &str, place: &Place) -> Result<(), String> {
        let instant = || place.instant(&value.replace('_', " ")).map(|at| json!(at.to_string()));
        match key {
            "" => Err(format!("`={value}` names no field")),
            "id" | "source" | "partner" | "factkey" | "sequence" => {
                self.envelope.insert(key.to_owned(), json!(value.trim_matches('"')));
                Ok(())
            }
            "recorded" => {
                self.envelope.insert("recordedtime".to_owned(), instant()?);
                Ok(())
            }
            "starts" | "ends" | "planned_start" => self.field(key, instant()?),
            _ if key.ends_with("_at") => self.field(key, instant()?),
            _ => self.field(key, value_of(value)),
        }
    }
}

/// The kind is told by how the subject is written, unless the verb carries its own.
fn kind(subject: &str, verb: &str) -> Result<String, String> {
    if verb.contains('.') {
        return Ok(verb.to_owned());
    }
    let known = KINDS.iter().find(|(prefix, _)| subject.starts_with(prefix));
    known.map(|(_, kind)| format!("{kind}.{verb}")).ok_or_else(|| {
        let kinds: Vec<String> = KINDS.iter().map(|(prefix, kind)| format!("{prefix}.. is a {kind}")).collect();
        format!(
            "what is `{subject}`? {}; of anything else write the whole type, like `{subject} review.completed`",
            kinds.join(", ")
        )
    })
}

/// Blanks part words, but not inside brackets or quotes.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = vec![String::new()];
    let (mut depth, mut quoted) = (0i32, false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth -= 1,
            _ => {}
        }
        match words.last_mut() {
            Some(word) if !c.is_whitespace() || depth > 0 || quoted => word.push(c),
            _ => words.push(String::new()),
        }
    }
    if quoted || depth != 0 {
        return Err(format!("`{text}` opens a quote or a bracket that it does not close"));
    }
    words.retain(|word| !word.is_empty());
    Ok(words)
}

fn value_of(text: &str) -> Value {
    let inside = |open: char, close: char| text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    match text {
        "null" => Value::Null,
        "true" => json!(true),
        "false" => json!(false),
        _ => match (inside('[', ']'), inside('"', '"')) {
            (Some(""), _) => json!([]),
            (Some(items), _) => items.split(',').map(|item| value_of(item.trim())).collect(),
            (None, Some(text)) => json!(text),
            (None, None) => json!(text.replace("\\|", "|")),
        },
    }
}
