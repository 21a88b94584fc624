//! One value that was said, held against the shape that its key wants.

use super::keys::Shape;
use super::problem::nearest;
use super::units;
use config::{Map, Value, ValueKind};

/// What and remedy.
pub(super) type Wrong = (String, String);

/// What is said, as the value that its key wants.
pub(super) fn shaped(shape: Shape, said: &Value) -> Result<toml::Value, Wrong> {
    let text = || match &said.kind {
        ValueKind::String(text) if text.is_empty() => {
            Err(("is empty".to_owned(), "say it, or take the line out".to_owned()))
        }
        ValueKind::String(text) => Ok(text.clone()),
        other => Err((format!("{} is no text", kind_word(other)), "write it in quotation marks".to_owned())),
    };
    let between = |milliseconds: i64, from: i64, to: i64| {
        if (from..=to).contains(&milliseconds) {
            return Ok(toml::Value::String(units::length_text(milliseconds)));
        }
        let (from, to) = (units::length_text(from), units::length_text(to));
        Err((format!("{} is out of range", units::length_text(milliseconds)), format!("from {from} to {to}")))
    };
    let length = |text: &str| {
        units::length(text).map_err(|what| (what, "a length of time stands in quotation marks".to_owned()))
    };
    match shape {
        Shape::Text | Shape::Path => Ok(toml::Value::String(text()?)),
        Shape::Paths | Shape::List => {
            Ok(toml::Value::Array(list(said)?.into_iter().map(toml::Value::String).collect()))
        }
        Shape::Bool => match &said.kind {
            ValueKind::Boolean(yes) => Ok(toml::Value::Boolean(*yes)),
            ValueKind::String(text) if text == "true" => Ok(toml::Value::Boolean(true)),
            ValueKind::String(text) if text == "false" => Ok(toml::Value::Boolean(false)),
            other => Err((format!("{} is neither true nor false", kind_word(other)), "write true or false".to_owned())),
        },
        Shape::Whole(from, to) => {
            let number = match &said.kind {
                ValueKind::I64(number) => Some(*number),
                ValueKind::String(text) => text.parse().ok(),
                _ => None,
            };
            match number {
                Some(number) if (from..=to).contains(&number) => Ok(toml::Value::Integer(number)),
                Some(number) => Err((format!("{number} is out of range"), format!("from {from} to {to}"))),
                None => Err((format!("{} is no whole number", kind_word(&said.kind)), format!("from {from} to {to}"))),
            }
        }
        Shape::Length(from, to) => between(length(&text()?)?, from, to),
        Shape::MaybeRate(_) if matches!(&said.kind, ValueKind::String(text) if text == "none") => {
            Ok(toml::Value::String("none".to_owned()))
        }
        Shape::MaybeRate(most) => {
            let rate = units::rate(&text()?).map_err(|what| (what, "a rate stands in quotation marks".to_owned()))?;
            if rate.0 == 0 || rate.0 > most {
                let remedy = format!("from 1 to {most} in a second, a minute or an hour; `none` for no quota");
                return Err((format!("{} is out of range", units::rate_text(rate)), remedy));
            }
            Ok(toml::Value::String(units::rate_text(rate)))
        }
        Shape::MaybeLength(..) if matches!(&said.kind, ValueKind::String(text) if text == "none") => {
            Ok(toml::Value::String("none".to_owned()))
        }
        Shape::MaybeLength(from, to) => between(length(&text()?)?, from, to),
        Shape::Size(most) => {
            let bytes = units::size(&text()?).map_err(|what| (what, "a size stands in quotation marks".to_owned()))?;
            if bytes == 0 || bytes > most {
                return Err((
                    format!("{} is out of range", units::size_text(bytes)),
                    format!("at most {}", units::size_text(most)),
                ));
            }
            Ok(toml::Value::String(units::size_text(bytes)))
        }
        Shape::Choice(words) => {
            let text = text()?;
            if words.contains(&text.as_str()) {
                return Ok(toml::Value::String(text));
            }
            let near = words.iter().find(|word| word.eq_ignore_ascii_case(&text)).copied();
            let remedy = match near.or_else(|| nearest(&text, words.iter().copied())) {
                Some(word) => format!("did you mean \"{word}\"? There are: {}", words.join(", ")),
                None => format!("there are: {}", words.join(", ")),
            };
            Err((format!("there is no `{text}`"), remedy))
        }
        Shape::Start => {
            let text = text()?;
            if text == "earliest" || text == "latest" || onus_engine::time::Moment::parse(&text).is_some() {
                return Ok(toml::Value::String(text));
            }
            let remedy = "write \"earliest\", \"latest\", or an instant with its offset: 2026-01-01T00:00:00Z";
            Err((format!("`{text}` is no place to begin"), remedy.to_owned()))
        }
        Shape::Open => match &said.kind {
            ValueKind::Table(table) => {
                let mut flat = toml::Table::new();
                flatten("", table, &mut flat)?;
                Ok(toml::Value::Table(flat))
            }
            other => Err((format!("{} is no table", kind_word(other)), "write { \"name\" = \"value\" }".to_owned())),
        },
    }
}

/// In the environment a list is written with commas, or as in TOML.
fn list(said: &Value) -> Result<Vec<String>, Wrong> {
    let wrong = |what: String| (what, "write a list: [\"a\", \"b\"]".to_owned());
    match &said.kind {
        ValueKind::Array(all) => all
            .iter()
            .map(|one| match &one.kind {
                ValueKind::String(text) if !text.is_empty() => Ok(text.clone()),
                other => Err(wrong(format!("{} in it is no text, or empty", kind_word(other)))),
            })
            .collect(),
        ValueKind::String(text) if text.starts_with('[') => {
            let table: toml::Table =
                toml::from_str(&format!("it = {text}")).map_err(|error| wrong(error.message().to_owned()))?;
            let all = table.get("it").and_then(toml::Value::as_array).cloned().unwrap_or_default();
            let text = |one: &toml::Value| {
                one.as_str().map(str::to_owned).ok_or_else(|| wrong(format!("{one} in it is no text")))
            };
            all.iter().map(text).collect()
        }
        ValueKind::String(text) if said.origin().is_some_and(|from| from.starts_with("ONUS__")) => {
            Ok(text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect())
        }
        other => Err(wrong(format!("{} is no list", kind_word(other)))),
    }
}

fn flatten(before: &str, table: &Map<String, Value>, into: &mut toml::Table) -> Result<(), Wrong> {
    for (name, value) in table {
        let name = format!("{before}{name}");
        let text = match &value.kind {
            ValueKind::Table(table) => {
                flatten(&format!("{name}."), table, into)?;
                continue;
            }
            ValueKind::String(text) => text.clone(),
            ValueKind::I64(number) => number.to_string(),
            ValueKind::Boolean(yes) => yes.to_string(),
            other => {
                return Err((format!("{name}: {} cannot stand here", kind_word(other)), "write a text".to_owned()));
            }
        };
        into.insert(name, toml::Value::String(text));
    }
    Ok(())
}

fn kind_word(kind: &ValueKind) -> String {
    match kind {
        ValueKind::Nil => "nothing".to_owned(),
        ValueKind::Boolean(yes) => format!("`{yes}`"),
        ValueKind::I64(number) => format!("`{number}`"),
        ValueKind::I128(number) => format!("`{number}`"),
        ValueKind::U64(number) => format!("`{number}`"),
        ValueKind::U128(number) => format!("`{number}`"),
        ValueKind::Float(number) => format!("`{number}`"),
        ValueKind::String(text) => format!("`{text}`"),
        ValueKind::Table(_) => "a table".to_owned(),
        ValueKind::Array(_) => "a list".to_owned(),
    }
}
