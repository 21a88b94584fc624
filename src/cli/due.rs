//! `onus due`: one question of working time, one answer. Both are JSON.
//!
//! A question is `{"calendar": name or block, "op": .., "at": .., "to": .., "seconds": ..}`; the answer `{"result": ..}`,
//! or `{"error": sentence}`. A question in error is answered, never skipped, so answers stand in the order of questions.

mod question;
mod seconds;

use onus_engine::calendar::Calendar;
use onus_engine::time::{DAY, Moment};
use question::{Fields, among};
use serde_json::{Value, json};

/// Answers one question, given as its JSON text: numbers are read as written, not as the nearest double.
///
/// `named` are the calendars that a question may name; `24x7` is known without being among them. `inline` reads a
/// calendar written out in the question.
pub fn answer_line(line: &str, named: &[(String, Calendar)], inline: &Inline) -> Value {
    match Fields::read(line).and_then(|fields| result(&fields, named, inline)) {
        Ok(result) => json!({ "result": result }),
        Err(error) => json!({ "error": error }),
    }
}

/// The same for a question that has been read already, with numbers of at most 15 digits then.
pub fn answer(question: &Value, named: &[(String, Calendar)], inline: &Inline) -> Value {
    answer_line(&question.to_string(), named, inline)
}

/// Reads a calendar block; the error says what is wrong with it and what would be right.
pub type Inline<'a> = dyn Fn(&Value) -> Result<Calendar, String> + 'a;

/// The calendar that needs no definition.
const ALWAYS: &str = "24x7";

/// Longer lists of intervals are of no use to anyone, and cost memory.
const LONGEST: i64 = 3_660 * DAY;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Add,
    Sub,
    Between,
    IsOpen,
    Intervals,
}

const OPS: [(&str, Op); 5] = [
    ("add", Op::Add),
    ("sub", Op::Sub),
    ("between", Op::Between),
    ("is_open", Op::IsOpen),
    ("intervals", Op::Intervals),
];

impl Op {
    fn keys(self) -> &'static [&'static str] {
        match self {
            Op::Add | Op::Sub => &["calendar", "op", "at", "seconds"],
            Op::Between | Op::Intervals => &["calendar", "op", "at", "to"],
            Op::IsOpen => &["calendar", "op", "at"],
        }
    }
}

fn result(fields: &Fields, named: &[(String, Calendar)], inline: &Inline) -> Result<Value, String> {
    let said = fields.text("op")?;
    let names: Vec<&str> = OPS.iter().map(|(name, _)| *name).collect();
    let op = OPS.iter().find(|(name, _)| *name == said).map(|(_, op)| *op);
    let op = op.ok_or_else(|| format!("there is no op `{said}`: {}", among(&said, &names)))?;
    fields.only(&said, op.keys())?;
    let at = fields.instant("at")?;
    let calendar = calendar(fields, named, inline)?;
    match op {
        Op::Add => moment(calendar.add(at, seconds::millis(fields.number("seconds")?)?)),
        Op::Sub => moment(calendar.sub(at, seconds::millis(fields.number("seconds")?)?)),
        Op::Between => Ok(seconds::shown(calendar.between(at, fields.instant("to")?))),
        Op::IsOpen => Ok(Value::Bool(calendar.is_open(at))),
        Op::Intervals => intervals(&calendar, at, fields.instant("to")?),
    }
}

fn calendar(fields: &Fields, named: &[(String, Calendar)], inline: &Inline) -> Result<Calendar, String> {
    let name = match fields.value("calendar")? {
        Value::String(name) => name,
        block @ Value::Object(_) => return inline(&block).map_err(|error| format!("in `calendar`: {error}")),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            return Err("`calendar` must be a name, or a block with `zone` and `hours`".into());
        }
    };
    match named.iter().find(|(known, _)| *known == name) {
        Some((_, calendar)) => Ok(calendar.clone()),
        None if name == ALWAYS => Ok(Calendar::always(chrono_tz::UTC)),
        None => {
            let names: Vec<&str> = named.iter().map(|(name, _)| name.as_str()).chain([ALWAYS]).collect();
            Err(format!("there is no calendar `{name}`: {}", among(&name, &names)))
        }
    }
}

fn intervals(calendar: &Calendar, from: Moment, to: Moment) -> Result<Value, String> {
    if to < from {
        return Err("`to` lies before `at`: exchange them".into());
    }
    if to - from > LONGEST {
        return Err("`at` and `to` lie more than ten years apart: ask for the intervals in parts".into());
    }
    let pairs = calendar.intervals(from, to).into_iter().map(|(from, to)| json!([from.to_string(), to.to_string()]));
    Ok(pairs.collect())
}

/// RFC 3339 ends with the year 9999.
fn moment(at: Option<Moment>) -> Result<Value, String> {
    let Some(at) = at else { return Ok(Value::Null) };
    let text = at.to_string();
    if Moment::parse(&text) == Some(at) {
        return Ok(Value::String(text));
    }
    Err("the answer lies outside the years 0 to 9999, which RFC 3339 can write: ask for fewer `seconds`".into())
}

#[cfg(test)]
mod tests;
