//! What was written in Avro, as JSON: by the schema that it was written by, value by value, with nothing in between.
//!
//! Bytes come from anybody who may write to a topic. So nothing is believed of them: what ends early is damaged and not
//! empty, nests no deeper than JSON may, and never becomes longer than a record may be, whatever lengths it claims.
//!
//! | Avro | JSON |
//! |---|---|
//! | union | the value, without its branch |
//! | bytes, fixed | a text in base64 |
//! | enum | its symbol |
//! | decimal, big-decimal | a text: a number would lose digits where it is read |
//! | date, time, timestamp | texts as ISO 8601 and RFC 3339 have them; without a zone where Avro has none |
//! | duration | a text as ISO 8601 has it |
//! | NaN and infinities | texts, as in Protobuf's JSON |

mod logical;
mod parse;

pub(super) use parse::Schema;

use super::LONGEST;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use parse::Node;

/// JSON that nests deeper is read by nobody.
const DEEP: usize = 100;

impl Schema {
    /// The one value that these bytes are.
    pub(super) fn json(&self, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let mut reader = Reader { schema: self, rest: bytes, out: Vec::with_capacity(2 * bytes.len()) };
        reader.value(self.root, 0)?;
        match reader.rest.len() {
            0 => Ok(reader.out),
            left => Err(format!("{left} bytes are left over")),
        }
    }
}

struct Reader<'a> {
    schema: &'a Schema,
    rest: &'a [u8],
    out: Vec<u8>,
}

impl<'a> Reader<'a> {
    fn value(&mut self, node: usize, depth: usize) -> Result<(), String> {
        if depth > DEEP {
            return Err(format!("it nests deeper than {DEEP} levels"));
        }
        if self.out.len() > LONGEST {
            return Err(format!("it is longer than {LONGEST} bytes as JSON"));
        }
        let schema = self.schema;
        match &schema.nodes[node] {
            Node::Null => self.say("null"),
            Node::Boolean => match self.bytes(1)?[0] {
                0 => self.say("false"),
                1 => self.say("true"),
                other => return Err(format!("a boolean is {other}")),
            },
            Node::Int => {
                let number = self.int()?;
                self.say(&number.to_string());
            }
            Node::Long => {
                let number = self.long()?;
                self.say(&number.to_string());
            }
            Node::Float => {
                let number = f32::from_le_bytes(self.array()?);
                // The shortest digits that mean this float, not this float as a double.
                self.float(f64::from(number), &number.to_string());
            }
            Node::Double => {
                let number = f64::from_le_bytes(self.array()?);
                self.float(number, &number.to_string());
            }
            Node::Bytes => {
                let bytes = self.run()?;
                self.base64(bytes);
            }
            Node::Fixed(size) => {
                let bytes = self.bytes(*size)?;
                self.base64(bytes);
            }
            Node::String => {
                let text = self.text()?;
                self.quote(text);
            }
            Node::Enum(symbols) => {
                let at = self.int()?;
                let symbol = usize::try_from(at).ok().and_then(|at| symbols.get(at));
                let symbol = symbol.ok_or_else(|| format!("an enum of {} symbols is {at}", symbols.len()))?;
                self.quote(symbol);
            }
            Node::Union(branches) => {
                let at = self.long()?;
                let branch = usize::try_from(at).ok().and_then(|at| branches.get(at));
                let branch = branch.ok_or_else(|| format!("a union of {} branches is {at}", branches.len()))?;
                return self.value(*branch, depth + 1);
            }
            Node::Record(fields) => {
                self.out.push(b'{');
                for (at, (name, field)) in fields.iter().enumerate() {
                    self.comma(at > 0);
                    self.quote(name);
                    self.out.push(b':');
                    self.value(*field, depth + 1).map_err(|why| within(name, why))?;
                }
                self.out.push(b'}');
            }
            Node::Array(items) => {
                self.out.push(b'[');
                self.blocks(|reader, first| {
                    reader.comma(!first);
                    reader.value(*items, depth + 1)
                })?;
                self.out.push(b']');
            }
            Node::Map(values) => {
                self.out.push(b'{');
                self.blocks(|reader, first| {
                    reader.comma(!first);
                    let name = reader.text()?;
                    reader.quote(name);
                    reader.out.push(b':');
                    reader.value(*values, depth + 1).map_err(|why| within(name, why))
                })?;
                self.out.push(b'}');
            }
            Node::Logical(logical, size) => {
                let text = logical::text(*logical, *size, self)?;
                self.quote(&text);
            }
        }
        Ok(())
    }

    /// Items in blocks, each with its count; a count below zero is followed by the block's length, which nobody needs.
    fn blocks(&mut self, mut item: impl FnMut(&mut Self, bool) -> Result<(), String>) -> Result<(), String> {
        let mut first = true;
        loop {
            let count = self.long()?;
            if count == 0 {
                return Ok(());
            }
            if count < 0 {
                self.long()?;
            }
            for _ in 0..count.unsigned_abs() {
                item(self, first)?;
                first = false;
            }
        }
    }

    fn bytes(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (these, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or_else(|| format!("it ends {} bytes too early", count - self.rest.len()))?;
        self.rest = rest;
        Ok(these)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(N)?);
        Ok(array)
    }

    /// Bytes with their length before them.
    fn run(&mut self) -> Result<&'a [u8], String> {
        let length = self.long()?;
        let length = usize::try_from(length).map_err(|_| format!("a length is {length}"))?;
        self.bytes(length)
    }

    fn text(&mut self) -> Result<&'a str, String> {
        std::str::from_utf8(self.run()?).map_err(|_| "a string is no UTF-8".to_owned())
    }

    fn long(&mut self) -> Result<i64, String> {
        let mut number = 0u64;
        for shift in (0..70).step_by(7) {
            let byte = self.bytes(1)?[0];
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                // The sign is the lowest bit.
                return Ok((number >> 1) as i64 ^ -((number & 1) as i64));
            }
        }
        Err("a number has more than 64 bits".to_owned())
    }

    fn int(&mut self) -> Result<i32, String> {
        let number = self.long()?;
        i32::try_from(number).map_err(|_| format!("an int is {number}"))
    }

    fn say(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn comma(&mut self, needed: bool) {
        if needed {
            self.out.push(b',');
        }
    }

    fn float(&mut self, number: f64, digits: &str) {
        match number {
            _ if number.is_finite() => self.say(digits),
            _ if number.is_nan() => self.say("\"NaN\""),
            _ if number > 0.0 => self.say("\"Infinity\""),
            _ => self.say("\"-Infinity\""),
        }
    }

    fn base64(&mut self, bytes: &[u8]) {
        let text = STANDARD.encode(bytes);
        self.quote(&text);
    }

    fn quote(&mut self, text: &str) {
        // Into memory, a text: there is nothing that could go wrong.
        let _ = serde_json::to_writer(&mut self.out, text);
    }
}

/// Where in it something is wrong.
fn within(name: &str, why: String) -> String {
    if why.len() > 300 { why } else { format!("{name}: {why}") }
}
