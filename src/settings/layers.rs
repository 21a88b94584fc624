//! What is said, and by whom: the file, and over it the environment, joined by the crate `config`.

use super::keys::{self, Form};
use super::problem::Problem;
use config::{Config, ConfigError, Map, Source, Value, ValueKind};
use std::collections::HashMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Everything that was said.
#[derive(Debug)]
pub(super) struct Layers {
    pub(super) tree: Value,
    /// Where tables begin, by dotted path: joining keeps only the places of values.
    pub(super) places: HashMap<String, String>,
    /// Names of the sources in their order.
    pub(super) sources: Vec<String>,
}

/// One layer, read.
#[derive(Clone, Debug, Default)]
struct Layer(Map<String, Value>);

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.0.clone())
    }
}

/// Joins a file's text with the environment.
pub(super) fn join(
    file: Option<(&str, &str)>,
    environment: &[(String, String)],
    problems: &mut Vec<Problem>,
) -> Option<Layers> {
    let mut reading = Reading { places: HashMap::new(), sources: Vec::new(), problems };
    let below = file.map(|(name, text)| reading.file(name, text)).unwrap_or_default();
    let above = reading.environment(environment);
    let Reading { places, sources, .. } = reading;
    match Config::builder().add_source(below).add_source(above).build() {
        Ok(config) => Some(Layers { tree: config.cache, places, sources }),
        Err(error) => {
            problems.push(Problem { place: None, key: String::new(), what: error.to_string(), remedy: None });
            None
        }
    }
}

struct Reading<'p> {
    places: HashMap<String, String>,
    sources: Vec<String>,
    problems: &'p mut Vec<Problem>,
}

/// A file's name and text: from a byte to a line.
#[derive(Clone, Copy)]
struct Text<'t>(&'t str, &'t str);

impl Text<'_> {
    fn place(self, byte: usize) -> String {
        let before = &self.1.as_bytes()[..byte.min(self.1.len())];
        format!("{}:{}", self.0, memchr::memchr_iter(b'\n', before).count() + 1)
    }
}

impl Reading<'_> {
    fn file(&mut self, name: &str, text: &str) -> Layer {
        let at = Text(name, text);
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let place = error.span().map_or_else(|| name.to_owned(), |span| at.place(span.start));
            let remedy = Some("this is no TOML; see https://toml.io".to_owned());
            self.problems.push(Problem {
                place: Some(place),
                key: String::new(),
                what: error.message().to_owned(),
                remedy,
            });
        }
        let mut layer = Map::new();
        for (key, value) in table.get_ref() {
            let made = match (key.get_ref().as_ref(), value.get_ref()) {
                ("source", DeValue::Array(list)) => self.listed(at, list),
                ("source", _) => {
                    self.problems.push(Problem {
                        place: Some(at.place(key.span().start)),
                        key: "source".to_owned(),
                        what: "is no list of tables".to_owned(),
                        remedy: Some("write [[source]], its name = \"..\" and its settings below".to_owned()),
                    });
                    continue;
                }
                _ => self.value(at, key.get_ref(), key.span().start, value),
            };
            layer.insert(key.get_ref().to_string(), made);
        }
        Layer(layer)
    }

    /// Sources are found by their names, so that the environment can speak of them.
    fn listed(&mut self, at: Text<'_>, list: &[Spanned<DeValue<'_>>]) -> Value {
        let mut named = Map::new();
        for one in list {
            let place = at.place(one.span().start);
            let mut wrong = |key: &str, what: String, remedy: &str| {
                self.problems.push(Problem {
                    place: Some(place.clone()),
                    key: key.to_owned(),
                    what,
                    remedy: Some(remedy.to_owned()),
                });
            };
            let DeValue::Table(table) = one.get_ref() else {
                wrong("source", "is no table".to_owned(), "write [[source]] and its settings below");
                continue;
            };
            let Some(name) = table.get("name").and_then(|name| name.get_ref().as_str()) else {
                wrong("source", "has no `name`".to_owned(), "write name = \"tickets\", or another name of your own");
                continue;
            };
            if named.contains_key(name) {
                wrong(
                    "source.name",
                    format!("there is another source `{name}`"),
                    "positions are stored by name: give each its own",
                );
                continue;
            }
            let made = self.value(at, &format!("source.{name}"), one.span().start, one);
            self.sources.push(name.to_owned());
            named.insert(name.to_owned(), made);
        }
        Value::new(None, ValueKind::Table(named))
    }

    fn value(&mut self, at: Text<'_>, path: &str, begins: usize, value: &Spanned<DeValue<'_>>) -> Value {
        let place = at.place(begins);
        let kind = match value.get_ref() {
            DeValue::String(text) => ValueKind::String(text.to_string()),
            DeValue::Integer(number) => {
                let digits = number.as_str();
                match i64::from_str_radix(digits, number.radix()) {
                    Ok(number) => ValueKind::I64(number),
                    // Told as a text that is no number.
                    Err(_) => ValueKind::String(digits.to_owned()),
                }
            }
            DeValue::Float(number) => ValueKind::String(number.as_str().to_owned()),
            DeValue::Boolean(yes) => ValueKind::Boolean(*yes),
            DeValue::Datetime(instant) => ValueKind::String(instant.to_string()),
            DeValue::Array(list) => {
                let each = |one: &Spanned<DeValue<'_>>| self.value(at, path, one.span().start, one);
                ValueKind::Array(list.iter().map(each).collect())
            }
            DeValue::Table(table) => {
                self.places.insert(path.to_owned(), place.clone());
                let mut made = Map::new();
                for (key, value) in table {
                    let below = format!("{path}.{}", key.get_ref());
                    made.insert(key.get_ref().to_string(), self.value(at, &below, key.span().start, value));
                }
                ValueKind::Table(made)
            }
        };
        Value::new(Some(&place), kind)
    }

    /// `ONUS__SECTION__KEY`, and with a name between them for sections that have one.
    fn environment(&mut self, variables: &[(String, String)]) -> Layer {
        let mut layer = Map::new();
        for (variable, said) in variables {
            let Some(rest) = variable.strip_prefix("ONUS__") else { continue };
            let mut path: Vec<String> = rest.split("__").map(|part| part.to_lowercase().replace('_', "-")).collect();
            let section = keys::section(&path[0]);
            let named = section.is_some_and(|section| section.form != Form::Once);
            if path.len() < if named { 3 } else { 2 } || path.iter().any(String::is_empty) {
                self.problems.push(Problem {
                    place: Some(variable.clone()),
                    key: String::new(),
                    what: "names no setting".to_owned(),
                    remedy: Some(
                        "write ONUS__JUDGE__SETTLING, ONUS__KAFKA__NAME__GROUP or ONUS__SOURCE__NAME__TOPIC".to_owned(),
                    ),
                });
                continue;
            }
            // librdkafka's own names have dots where ours have hyphens.
            if path[0] == "kafka" && path.get(2).is_some_and(|part| part == "properties") && path.len() > 3 {
                let name = path.split_off(3).join(".").replace('-', ".");
                path.push(name);
            }
            if path[0] == "source" && !self.sources.contains(&path[1]) {
                self.sources.push(path[1].clone());
            }
            for upto in 1..path.len() {
                self.places.entry(path[..upto].join(".")).or_insert_with(|| variable.clone());
            }
            put(&mut layer, &path, Value::new(Some(variable), ValueKind::String(said.clone())));
        }
        // A source has its name from the variable if from nowhere else.
        if let Some(Value { kind: ValueKind::Table(sources), .. }) = layer.get_mut("source") {
            for (name, source) in sources {
                if let ValueKind::Table(table) = &mut source.kind {
                    table.entry("name".to_owned()).or_insert_with(|| Value::new(None, name.clone()));
                }
            }
        }
        Layer(layer)
    }
}

fn put(table: &mut Map<String, Value>, path: &[String], value: Value) {
    match path {
        [] => {}
        [last] => {
            table.insert(last.clone(), value);
        }
        [first, rest @ ..] => {
            let below = table.entry(first.clone()).or_insert_with(|| Value::new(None, Map::<String, Value>::new()));
            if !matches!(below.kind, ValueKind::Table(_)) {
                *below = Value::new(None, Map::<String, Value>::new());
            }
            if let ValueKind::Table(below) = &mut below.kind {
                put(below, rest, value);
            }
        }
    }
}
