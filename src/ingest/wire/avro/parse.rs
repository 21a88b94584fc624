//! An Avro schema, from its text.

use super::logical::Logical;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// A schema: types, which name each other by their place.
#[derive(Debug)]
pub(in crate::ingest::wire) struct Schema {
    pub(super) nodes: Vec<Node>,
    pub(super) root: usize,
}

#[derive(Debug)]
pub(super) enum Node {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Fixed(usize),
    Enum(Vec<String>),
    Union(Vec<usize>),
    Record(Vec<(String, usize)>),
    Array(usize),
    Map(usize),
    /// What is meant by the bytes; how many they are, where that is fixed.
    Logical(Logical, Option<usize>),
}

/// No schema needs more.
const MOST: usize = 50_000;

impl Schema {
    /// Of a text, and of those that it names, which come first.
    pub(in crate::ingest::wire) fn of(text: &str, references: &[(String, String)]) -> Result<Schema, String> {
        let mut parser = Parser::default();
        for (name, text) in references {
            parser.whole(text).map_err(|why| format!("`{name}`, which it names: {why}"))?;
        }
        let root = parser.whole(text)?;
        Ok(Schema { nodes: parser.nodes, root })
    }
}

#[derive(Default)]
struct Parser {
    nodes: Vec<Node>,
    /// By full name.
    named: HashMap<String, usize>,
}

impl Parser {
    fn whole(&mut self, text: &str) -> Result<usize, String> {
        // A type's bare name is a schema, too, and some registries hand it out without its quotes.
        let bare = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._".contains(&byte));
        let value = match serde_json::from_str(text) {
            Ok(value) => value,
            Err(_) if bare(text.trim()) => Value::from(text.trim()),
            Err(error) => return Err(format!("is no Avro schema: {error}")),
        };
        self.any(&value, "")
    }

    fn any(&mut self, value: &Value, space: &str) -> Result<usize, String> {
        match value {
            Value::String(name) => self.by_name(name, space),
            Value::Array(branches) => {
                let branches = branches.iter().map(|one| self.any(one, space)).collect::<Result<Vec<_>, _>>()?;
                self.add(Node::Union(branches))
            }
            Value::Object(object) => self.object(object, space),
            other => Err(format!("`{other}` is no Avro type")),
        }
    }

    fn by_name(&mut self, name: &str, space: &str) -> Result<usize, String> {
        let node = match name {
            "null" => Node::Null,
            "boolean" => Node::Boolean,
            "int" => Node::Int,
            "long" => Node::Long,
            "float" => Node::Float,
            "double" => Node::Double,
            "bytes" => Node::Bytes,
            "string" => Node::String,
            name => {
                let full = full_name(name, space);
                let found = self.named.get(&full).or_else(|| self.named.get(name));
                return found
                    .copied()
                    .ok_or_else(|| format!("the type `{full}` is not there, nor among its references"));
            }
        };
        self.add(node)
    }

    fn object(&mut self, object: &Map<String, Value>, space: &str) -> Result<usize, String> {
        let kind = object.get("type").ok_or("a type has no `type`")?;
        let Value::String(kind) = kind else {
            // A type around a type: what is around it says nothing.
            return self.any(kind, space);
        };
        match kind.as_str() {
            "record" | "error" => {
                let (at, inner) = self.name(object, space)?;
                let fields = object.get("fields").and_then(Value::as_array).ok_or("a record has no `fields`")?;
                let mut all = Vec::with_capacity(fields.len());
                for field in fields {
                    let name = field.get("name").and_then(Value::as_str).ok_or("a field has no `name`")?;
                    let kind = field.get("type").ok_or_else(|| format!("the field `{name}` has no `type`"))?;
                    all.push((name.to_owned(), self.any(kind, &inner)?));
                }
                self.nodes[at] = Node::Record(all);
                Ok(at)
            }
            "enum" => {
                let (at, _) = self.name(object, space)?;
                let symbols = object.get("symbols").and_then(Value::as_array).ok_or("an enum has no `symbols`")?;
                let symbols = symbols.iter().map(|one| one.as_str().map(str::to_owned)).collect::<Option<_>>();
                self.nodes[at] = Node::Enum(symbols.ok_or("a symbol of an enum is no text")?);
                Ok(at)
            }
            "fixed" => {
                let (at, _) = self.name(object, space)?;
                let size = object.get("size").and_then(Value::as_u64).ok_or("a fixed has no `size`")?;
                let size = usize::try_from(size).map_err(|_| "a fixed is too large")?;
                self.nodes[at] = match Logical::of("fixed", Some(size), object) {
                    Some(logical) => Node::Logical(logical, Some(size)),
                    None => Node::Fixed(size),
                };
                Ok(at)
            }
            "array" => {
                let items = self.any(object.get("items").ok_or("an array has no `items`")?, space)?;
                self.add(Node::Array(items))
            }
            "map" => {
                let values = self.any(object.get("values").ok_or("a map has no `values`")?, space)?;
                self.add(Node::Map(values))
            }
            primitive => match Logical::of(primitive, None, object) {
                Some(logical) => self.add(Node::Logical(logical, None)),
                None => self.by_name(primitive, space),
            },
        }
    }

    /// A named type's place, known before what is in it, and the namespace in it.
    fn name(&mut self, object: &Map<String, Value>, space: &str) -> Result<(usize, String), String> {
        let name = object.get("name").and_then(Value::as_str).ok_or("a named type has no `name`")?;
        let own = object.get("namespace").and_then(Value::as_str).unwrap_or(space);
        let full = full_name(name, own);
        let inner = full.rsplit_once('.').map_or("", |(space, _)| space).to_owned();
        let at = self.add(Node::Null)?;
        // Texts that name each other may say the same type again: the first is as good as the second.
        self.named.entry(full).or_insert(at);
        Ok((at, inner))
    }

    fn add(&mut self, node: Node) -> Result<usize, String> {
        if self.nodes.len() >= MOST {
            return Err(format!("it has more than {MOST} types"));
        }
        self.nodes.push(node);
        Ok(self.nodes.len() - 1)
    }
}

fn full_name(name: &str, space: &str) -> String {
    if space.is_empty() || name.contains('.') { name.to_owned() } else { format!("{space}.{name}") }
}
