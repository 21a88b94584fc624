//! The JSON Schemas (draft 2020-12) of what the loader accepts today, with the words that editors show.
//!
//! It cannot say all that the loader checks: names that must be defined, dates that must exist, cycles. Whatever it
//! refuses the loader refuses too, and whatever loads passes it; a test holds both to that.

use crate::contract::keys::{Block, Effect, Form, Key, Shape, Way, catalogue, duty, forms, mapper, top};
use crate::contract::words;
use serde_json::{Map, Value, json};

/// What stands for a value of the contract.
const VALUE: &str = "\\$[a-z][a-z0-9-]*";

/// The schema of a contract.
pub fn schema() -> Value {
    whole(&top::CONTRACT, "urn:onus:contract", "An Onus contract")
}

/// The schema of a file that contracts include.
pub fn part_schema() -> Value {
    whole(&top::PART, "urn:onus:part", "Part of Onus contracts")
}

/// The schema of a mapper.
pub fn mapper_schema() -> Value {
    whole(&mapper::MAPPER, "urn:onus:mapper", "An Onus mapper")
}

/// The schema of a catalogue.
pub fn catalogue_schema() -> Value {
    whole(&catalogue::CATALOGUE, "urn:onus:catalogue", "An Onus catalogue")
}

fn whole(block: &'static Block, id: &str, title: &str) -> Value {
    let mut writer = Writer { definitions: Map::new() };
    let body = writer.block(block);
    let mut root = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": id,
        "title": title,
    });
    merge(&mut root, body);
    merge(&mut root, json!({"$defs": writer.definitions}));
    root
}

struct Writer {
    /// By name; null while one is being written, for shapes that hold themselves.
    definitions: Map<String, Value>,
}

impl Writer {
    fn block(&mut self, block: &'static Block) -> Value {
        let mut properties = Map::new();
        for key in block.keys {
            properties.insert(key.name.to_owned(), self.key(key));
        }
        let needed: Vec<&str> = block.keys.iter().filter(|key| key.needed).map(|key| key.name).collect();
        let mut schema = json!({
            "description": block.says,
            "type": "object",
            "additionalProperties": false,
            "minProperties": 1,
            "properties": properties,
        });
        if !needed.is_empty() {
            merge(&mut schema, json!({"required": needed}));
        }
        if !block.ways.is_empty() {
            let ways: Vec<Value> = block.ways.iter().map(way).collect();
            merge(&mut schema, json!({"oneOf": ways}));
        }
        schema
    }

    /// A key's own words go before those of what stands under it.
    fn key(&mut self, key: &Key) -> Value {
        let mut schema = self.shape(key.shape);
        let told = if key.effect == Effect::Told { " (Checked; changes no standing.)" } else { "" };
        merge(&mut schema, json!({"title": key.name, "description": format!("{}{told}", key.says)}));
        schema
    }

    fn shape(&mut self, shape: &'static Shape) -> Value {
        match shape {
            Shape::Text(form) => self.define(form.name, |_| text(form)),
            Shape::Word(words) => word(words),
            Shape::Null => json!({"type": "null"}),
            Shape::Any => json!({}),
            Shape::Block(block) => self.define(block.name, |writer| writer.block(block)),
            Shape::List(item) => json!({"type": "array", "minItems": 1, "items": self.shape(item)}),
            Shape::OneOrMore(item) => {
                let one = self.shape(item);
                json!({"anyOf": [one, {"type": "array", "minItems": 1, "items": one}]})
            }
            Shape::Map(names, value) => json!({
                "type": "object",
                "minProperties": 1,
                "propertyNames": self.define(names.name, |_| text(names)),
                "additionalProperties": self.shape(value),
            }),
            Shape::Rows(row) => self.table(row),
            Shape::Either(shapes) => {
                let either: Vec<Value> = shapes.iter().map(|shape| self.shape(shape)).collect();
                json!({"anyOf": either})
            }
            Shape::Named(named) => self.define(named.name, |writer| {
                let mut schema = writer.shape(&named.shape);
                merge(&mut schema, json!({"description": named.says}));
                schema
            }),
        }
    }

    /// A table of any depth: rows of rows, down to what a row holds.
    fn table(&mut self, row: &'static Shape) -> Value {
        let row = self.shape(row);
        let level = |below: Value| json!({"type": "object", "minProperties": 1, "additionalProperties": below});
        let two = level(json!({"anyOf": [row, level(json!({"anyOf": [row, level(row.clone())]}))]}));
        let mut schema = self.block(&duty::TABLE);
        let table = duty::TABLE.key("table").map_or("", |key| key.says);
        if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            let mut rows = two;
            merge(&mut rows, json!({"title": "table", "description": table}));
            properties.insert("table".to_owned(), rows);
        }
        schema
    }

    fn define(&mut self, name: &str, write: impl FnOnce(&mut Writer) -> Value) -> Value {
        if !self.definitions.contains_key(name) {
            self.definitions.insert(name.to_owned(), Value::Null);
            let schema = write(self);
            self.definitions.insert(name.to_owned(), schema);
        }
        json!({"$ref": format!("#/$defs/{name}")})
    }
}

fn text(form: &'static Form) -> Value {
    let kinds = if form.unquoted { json!(["string", "number", "boolean"]) } else { json!("string") };
    let mut schema = json!({"type": kinds, "description": form.says});
    match form.pattern {
        Some(pattern) if form.literal => merge(&mut schema, json!({"pattern": format!("^({pattern})$")})),
        Some(pattern) => merge(&mut schema, json!({"pattern": format!("^({pattern}|{VALUE})$")})),
        None => merge(&mut schema, json!({"minLength": 1})),
    }
    if !form.examples.is_empty() {
        merge(&mut schema, json!({"examples": form.examples}));
    }
    if std::ptr::eq(form, &forms::EVENT) {
        // Editors complete from the list; types of the contract's own pass by the pattern.
        let known: Vec<String> = words::events().collect();
        return json!({"description": form.says, "anyOf": [{"enum": known}, schema]});
    }
    schema
}

/// Each word with its meaning, which editors show beside it.
fn word(words: &[(&str, &str)]) -> Value {
    let each = words.iter().map(|(word, says)| json!({"const": word, "description": says}));
    let all: Vec<Value> = each.chain([json!({"type": "string", "pattern": format!("^{VALUE}$")})]).collect();
    json!({"anyOf": all})
}

fn way(way: &Way) -> Value {
    if way.without.is_empty() {
        return json!({"required": way.with});
    }
    let without: Vec<Value> = way.without.iter().map(|key| json!({"required": [key]})).collect();
    json!({"required": way.with, "not": {"anyOf": without}})
}

fn merge(into: &mut Value, from: Value) {
    if let (Some(into), Value::Object(from)) = (into.as_object_mut(), from) {
        into.extend(from);
    }
}
