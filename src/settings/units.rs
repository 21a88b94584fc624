//! Lengths of time and sizes as people write them.

/// Units of time, the one that a length is shown in first among those that divide it.
const TIMES: [(&str, i64); 6] =
    [("days", 86_400_000), ("day", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000), ("ms", 1)];
const SIZES: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// Milliseconds.
pub(super) fn length(text: &str) -> Result<i64, String> {
    let wrong =
        || format!("`{text}` is no length of time; write a whole number and a unit: 50ms, 10s, 15min, 24h, 7 days");
    let (number, unit) = parted(text).ok_or_else(wrong)?;
    let (_, size) = TIMES.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
    i64::try_from(number).ok().and_then(|n| n.checked_mul(*size)).ok_or_else(|| format!("`{text}` is too long"))
}

/// A length as it is written.
pub(super) fn length_text(milliseconds: i64) -> String {
    let fits = |(_, size): &&(&str, i64)| milliseconds != 0 && milliseconds % size == 0;
    match TIMES.iter().find(fits) {
        Some(("days", size)) if milliseconds == *size => "1 day".to_owned(),
        Some((unit @ "days", size)) => format!("{} {unit}", milliseconds / size),
        Some((unit, size)) => format!("{}{unit}", milliseconds / size),
        None => "0s".to_owned(),
    }
}

/// Bytes.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no size; write a whole number and a unit: 64 KiB, 1 MiB");
    let (number, unit) = parted(text).ok_or_else(wrong)?;
    let (_, size) = SIZES.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
    number.checked_mul(*size).ok_or_else(|| format!("`{text}` is too large"))
}

/// A size as it is written.
pub(super) fn size_text(bytes: u64) -> String {
    let fits = |(_, size): &&(&str, u64)| bytes != 0 && bytes.is_multiple_of(*size);
    let (unit, size) = SIZES.iter().find(fits).copied().unwrap_or(("B", 1));
    format!("{} {unit}", bytes / size)
}

/// So many in so many milliseconds.
pub(super) fn rate(text: &str) -> Result<(u64, i64), String> {
    let wrong = || format!("`{text}` is no rate; write a whole number and a time: 1000/s, 60/min, 5000/h");
    let (number, unit) = text.split_once('/').ok_or_else(wrong)?;
    let each = match unit.trim() {
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong()),
    };
    let number = number.trim();
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    number.parse().map(|number| (number, each)).map_err(|_| format!("`{text}` is too much"))
}

/// A rate as it is written.
pub(super) fn rate_text((number, each): (u64, i64)) -> String {
    let unit = match each {
        3_600_000 => "h",
        60_000 => "min",
        _ => "s",
    };
    format!("{number}/{unit}")
}

fn parted(text: &str) -> Option<(u64, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    Some((text[..digits].parse().ok()?, text[digits..].trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rates_are_read_as_they_are_written() {
        assert_eq!(rate("1000/s"), Ok((1_000, 1_000)));
        assert_eq!(rate("60 / min"), Ok((60, 60_000)));
        assert_eq!(rate("5/h"), Ok((5, 3_600_000)));
        for wrong in
            ["", "/s", "1000", "1000/", "1000/day", "+5/s", "-5/s", "1.5/s", "1/s/s", "1e3/s", "99999999999999999999/s"]
        {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_rate_comes_back_and_any_text_is_harmless(number: u64, each in 0usize..3, text in ".{0,20}") {
            let each = [1_000, 60_000, 3_600_000][each];
            prop_assert_eq!(rate(&rate_text((number, each))), Ok((number, each)));
            let _ = rate(&text);
        }
    }
}
