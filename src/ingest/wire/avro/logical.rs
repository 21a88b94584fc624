//! What Avro's bytes and numbers mean, as texts.

use super::Reader;
use chrono::{DateTime, NaiveDateTime, SecondsFormat};
use serde_json::{Map, Value};

/// What is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Logical {
    /// A number with so many digits behind the point.
    Decimal(u32),
    /// A number that says itself how many.
    BigDecimal,
    /// Sixteen bytes.
    Uuid,
    Date,
    TimeMillis,
    TimeMicros,
    /// An instant in a unit of which so many are a second.
    Timestamp(i64),
    /// A time on a clock of which nobody says where it hangs.
    Local(i64),
    Duration,
}

/// A number of more bytes is none.
const DIGITS: usize = 256;

impl Logical {
    /// None: it means what it is. What is not known, or does not fit its type, means nothing, as Avro wants it.
    pub(super) fn of(kind: &str, size: Option<usize>, object: &Map<String, Value>) -> Option<Logical> {
        let said = object.get("logicalType")?.as_str()?;
        let scale = || object.get("scale").map_or(Some(0), |scale| u32::try_from(scale.as_u64()?).ok());
        Some(match (said, kind) {
            ("decimal", "bytes" | "fixed") => Logical::Decimal(scale().filter(|scale| *scale <= 1_000)?),
            ("big-decimal", "bytes") => Logical::BigDecimal,
            // As a string it is its own text.
            ("uuid", "fixed") if size == Some(16) => Logical::Uuid,
            ("date", "int") => Logical::Date,
            ("time-millis", "int") => Logical::TimeMillis,
            ("time-micros", "long") => Logical::TimeMicros,
            ("timestamp-millis", "long") => Logical::Timestamp(1_000),
            ("timestamp-micros", "long") => Logical::Timestamp(1_000_000),
            ("timestamp-nanos", "long") => Logical::Timestamp(1_000_000_000),
            ("local-timestamp-millis", "long") => Logical::Local(1_000),
            ("local-timestamp-micros", "long") => Logical::Local(1_000_000),
            ("local-timestamp-nanos", "long") => Logical::Local(1_000_000_000),
            ("duration", "fixed") if size == Some(12) => Logical::Duration,
            _ => return None,
        })
    }
}

/// What the reader is at.
pub(super) fn text(logical: Logical, size: Option<usize>, reader: &mut Reader<'_>) -> Result<String, String> {
    Ok(match logical {
        Logical::Decimal(scale) => {
            let bytes = match size {
                Some(size) => reader.bytes(size)?,
                None => reader.run()?,
            };
            decimal(bytes, i64::from(scale))?
        }
        Logical::BigDecimal => {
            let whole = reader.run()?;
            let mut inner = Reader { schema: reader.schema, rest: whole, out: Vec::new() };
            let (bytes, scale) = (inner.run()?, inner.int()?);
            if scale.unsigned_abs() > 1_000 {
                return Err(format!("a decimal has {scale} digits behind its point"));
            }
            decimal(bytes, i64::from(scale))?
        }
        Logical::Uuid => {
            let id = u128::from_be_bytes(reader.array()?);
            let hex = format!("{id:032x}");
            format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
        }
        Logical::Date => instant(i64::from(reader.int()?) * 86_400, 1)?.format("%Y-%m-%d").to_string(),
        Logical::TimeMillis => time(i64::from(reader.int()?), 1_000, 3)?,
        Logical::TimeMicros => time(reader.long()?, 1_000_000, 6)?,
        Logical::Timestamp(unit) => {
            instant(reader.long()?, unit)?.and_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true)
        }
        Logical::Local(unit) => instant(reader.long()?, unit)?.format("%Y-%m-%dT%H:%M:%S%.f").to_string(),
        Logical::Duration => {
            let [months, days, millis] =
                [reader.array()?, reader.array()?, reader.array()?].map(|four: [u8; 4]| u32::from_le_bytes(four));
            format!("P{months}M{days}DT{}.{:03}S", millis / 1_000, millis % 1_000)
        }
    })
}

fn instant(count: i64, unit: i64) -> Result<NaiveDateTime, String> {
    let nanos = count.rem_euclid(unit) * (1_000_000_000 / unit);
    let at = DateTime::from_timestamp(count.div_euclid(unit), u32::try_from(nanos).unwrap_or(0));
    // A year of five digits is written by nobody and read by nobody.
    at.map(|at| at.naive_utc())
        .filter(|at| (0..=9999).contains(&chrono::Datelike::year(at)))
        .ok_or_else(|| format!("an instant is {count} of which {unit} are a second: no year of four digits"))
}

fn time(count: i64, unit: i64, digits: usize) -> Result<String, String> {
    if !(0..86_400 * unit).contains(&count) {
        return Err(format!("a time of day is {count} of which {unit} are a second"));
    }
    let (seconds, rest) = (count / unit, count % unit);
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    Ok(format!("{hours:02}:{minutes:02}:{seconds:02}.{rest:0digits$}"))
}

/// Big-endian, in two's complement.
fn decimal(bytes: &[u8], scale: i64) -> Result<String, String> {
    if bytes.len() > DIGITS {
        return Err(format!("a decimal has {} bytes", bytes.len()));
    }
    let negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    let mut number: Vec<u8> = bytes.iter().map(|byte| if negative { !byte } else { *byte }).collect();
    if negative {
        for byte in number.iter_mut().rev() {
            let (sum, over) = byte.overflowing_add(1);
            *byte = sum;
            if !over {
                break;
            }
        }
    }
    // The last digit first.
    let mut digits = String::new();
    while number.iter().any(|byte| *byte != 0) {
        let mut rest = 0u64;
        for byte in &mut number {
            let part = rest << 8 | u64::from(*byte);
            *byte = (part / 10) as u8;
            rest = part % 10;
        }
        digits.insert(0, char::from(b'0' + rest as u8));
    }
    let behind = usize::try_from(scale.max(0)).unwrap_or(0);
    while digits.len() <= behind {
        digits.insert(0, '0');
    }
    // Fewer digits than none behind the point are noughts before it; nought stays nought.
    if digits != "0" {
        digits.extend(std::iter::repeat_n('0', usize::try_from((-scale).max(0)).unwrap_or(0)));
    }
    if behind > 0 {
        digits.insert(digits.len() - behind, '.');
    }
    Ok(if negative { format!("-{digits}") } else { digits })
}
