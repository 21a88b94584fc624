//! Patterns of names.

/// `*` stands for any run of characters, everything else for itself.
#[inline]
pub fn glob(pattern: &str, text: &str) -> bool {
    // Nearly all are a name, or the beginning of one.
    match pattern.bytes().position(|b| b == b'*') {
        None => return pattern == text,
        Some(star) if star + 1 == pattern.len() => return text.starts_with(&pattern[..star]),
        Some(_) => {}
    }
    let mut parts = pattern.split('*');
    let Some(first) = parts.next() else { return text.is_empty() };
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut last = None;
    for part in parts {
        if let Some(middle) = last.replace(part) {
            match rest.find(middle) {
                Some(at) => rest = &rest[at + middle.len()..],
                None => return false,
            }
        }
    }
    match last {
        None => rest.is_empty(),
        Some(end) => rest.ends_with(end),
    }
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn a_star_stands_for_any_run() {
        for (pattern, text, want) in [
            ("urn:*", "urn:desk:p1", true),
            ("urn:*", "uri:desk", false),
            ("*", "", true),
            ("a*c", "abc", true),
            ("a*c", "ac", true),
            ("a*c", "a", false),
            ("a*b*c", "a-b-c", true),
            ("a*b*c", "acb", false),
            ("exact", "exact", true),
            ("exact", "exactly", false),
        ] {
            assert_eq!(glob(pattern, text), want, "{pattern} {text}");
        }
    }
}
