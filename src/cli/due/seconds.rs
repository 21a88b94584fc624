//! Seconds as people write them, to whole milliseconds and back, without a rounding on the way.

use onus_engine::time::Millis;
use serde_json::{Value, json};

/// Digits of the largest length in milliseconds: 10^13 ms, some three centuries.
const DIGITS: i64 = 13;

/// Reads a JSON number, exactly.
pub(super) fn millis(number: &str) -> Result<Millis, String> {
    let (negative, unsigned) = number.strip_prefix('-').map_or((false, number), |rest| (true, rest));
    let (digits, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let written = format!("{whole}{fraction}");
    let leading = written.trim_start_matches('0');
    let digits = leading.trim_end_matches('0');
    if digits.is_empty() {
        return Ok(0);
    }
    // An exponent too long for 64 bits is as absurd as the largest that fits.
    let huge = if exponent.starts_with('-') { i64::MIN / 2 } else { i64::MAX / 2 };
    let exponent = exponent.parse::<i64>().unwrap_or(huge).clamp(i64::MIN / 2, i64::MAX / 2);
    // The number in milliseconds is `digits` with so many zeros.
    let zeros = exponent + 3 - length(fraction) + length(leading) - length(digits);
    if length(digits) + zeros > DIGITS {
        return Err("`seconds` is too large: at most 10,000,000,000, some three centuries, can be asked".into());
    }
    let zeros = u32::try_from(zeros)
        .map_err(|_| "`seconds` is too fine: at most three digits after the point count, as 0.001")?;
    let value = digits.parse::<i64>().ok().and_then(|value| value.checked_mul(10i64.pow(zeros)));
    let value = value.ok_or("`seconds` is no number: write it as 5400 or 0.5")?;
    Ok(if negative { -value } else { value })
}

/// Whole seconds as an integer, else with three digits after the point.
pub(super) fn shown(ms: Millis) -> Value {
    if ms % 1_000 == 0 {
        return json!(ms / 1_000);
    }
    // Exact as shown: between the years 0 and 9999 lie fewer than 10^15 ms, and a double keeps 15 digits.
    #[expect(clippy::cast_precision_loss, reason = "see above")]
    let seconds = ms as f64 / 1_000.0;
    json!(seconds)
}

fn length(digits: &str) -> i64 {
    i64::try_from(digits.len()).unwrap_or(i64::MAX / 4)
}
