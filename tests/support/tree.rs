//! YAML as other tools see it: the core schema's types, in JSON. An independent reading of what the loader reads.

use saphyr_parser::{Event, Parser, ScalarStyle, StrInput};
use serde_json::{Map, Value};

/// None: no YAML, or more than one document.
pub(crate) fn json(text: &str) -> Option<Value> {
    let mut events = Parser::new_from_str(text);
    let value = loop {
        match events.next_event()?.ok()?.0 {
            Event::StreamStart | Event::DocumentStart(_) => {}
            event => break node(event, &mut events)?,
        }
    };
    Some(value)
}

fn node<'t>(event: Event<'t>, events: &mut Parser<'t, StrInput<'t>>) -> Option<Value> {
    match event {
        Event::Scalar(text, style, ..) => Some(scalar(&text, style)),
        Event::SequenceStart(..) => {
            let mut items = Vec::new();
            loop {
                match events.next_event()?.ok()?.0 {
                    Event::SequenceEnd => return Some(Value::Array(items)),
                    event => items.push(node(event, events)?),
                }
            }
        }
        Event::MappingStart(..) => {
            let mut map = Map::new();
            loop {
                let Event::Scalar(key, ..) = (match events.next_event()?.ok()?.0 {
                    Event::MappingEnd => return Some(Value::Object(map)),
                    event => event,
                }) else {
                    return None;
                };
                let value = events.next_event()?.ok()?.0;
                map.insert(key.into_owned(), node(value, events)?);
            }
        }
        _ => None,
    }
}

fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return text.into();
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => true.into(),
        "false" | "False" | "FALSE" => false.into(),
        _ => {
            let numeric = text.bytes().any(|b| b.is_ascii_digit())
                && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'-' | b'+'));
            match text.parse::<f64>() {
                Ok(number) if numeric => number.into(),
                _ => text.into(),
            }
        }
    }
}
