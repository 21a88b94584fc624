//! Characters that nobody sees: a text with one in it reads as another, to people and to whoever compares it.

/// Whether a character leaves no mark, or moves those around it.
///
/// That some scripts need joiners, and pictures their variants, is no exception: what is compared with an event's field
/// must be what was reviewed.
pub(crate) fn is_hidden(c: char) -> bool {
    if c.is_ascii() {
        return c.is_control() && !matches!(c, '\t' | '\n' | '\r');
    }
    c.is_control() || is_mark_of_direction(c) || is_line_end(c) || is_of_no_width(c)
}

/// The code point, and what kind it is of.
pub(crate) fn named(c: char) -> String {
    let kind = match c {
        _ if c.is_control() => "control character",
        _ if is_mark_of_direction(c) => "character that changes the direction of writing",
        _ if is_line_end(c) => "line end that is none to YAML",
        _ => "character that is not seen",
    };
    format!("{kind}, U+{:04X}", c as u32)
}

/// Marks, embeddings, overrides and isolates of the bidirectional algorithm: they show a text in another order than it
/// is read in.
fn is_mark_of_direction(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Ends of lines and paragraphs to some readers, and text to others.
fn is_line_end(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// Without width: joiners, fillers, variants of the character before, tags, and what is deprecated.
fn is_of_no_width(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_signs_and_blanks_are_seen() {
        for c in "aé漢ش𝄞€—–“”…·\u{a0}\u{3000}\t\n\r👍".chars() {
            assert!(!is_hidden(c), "{c:?}");
        }
    }

    #[test]
    fn what_is_not_seen_is_named_by_its_code_point() {
        for (c, name) in [
            ('\0', "control character, U+0000"),
            ('\u{85}', "control character, U+0085"),
            ('\u{202e}', "character that changes the direction of writing, U+202E"),
            ('\u{200b}', "character that is not seen, U+200B"),
            ('\u{2028}', "line end that is none to YAML, U+2028"),
            ('\u{e0041}', "character that is not seen, U+E0041"),
        ] {
            assert!(is_hidden(c));
            assert_eq!(named(c), name);
        }
    }
}
