//! A pattern that a whole word must match.

use regex::bytes::{Regex, RegexBuilder};

/// A regular expression, held at both ends.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    whole: Regex,
}

impl Pattern {
    /// Reads a regular expression.
    ///
    /// # Errors
    /// Why it is none, in one line.
    pub fn parse(text: &str) -> Result<Pattern, String> {
        // By itself first: `a)|(b` would only be one between our brackets.
        let build = |text: &str| RegexBuilder::new(text).unicode(false).size_limit(1 << 20).build();
        match build(text).and_then(|_| build(&format!("^(?:{text})$"))) {
            Ok(whole) => Ok(Pattern { text: text.to_owned(), whole }),
            Err(error) => {
                let told = error.to_string();
                Err(told.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned())
            }
        }
    }

    /// Whether the whole word matches.
    pub fn fits(&self, word: &str) -> bool {
        self.whole.is_match(word.as_bytes())
    }

    /// Whether any text passes: then it guards nothing.
    pub fn is_open(&self) -> bool {
        self.fits("? see A.'s note / 7")
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_word_matches_or_none() {
        let pattern = Pattern::parse("INC[0-9]{7}|REQ.*").expect("a pattern");
        assert!(pattern.fits("INC0010482") && pattern.fits("REQ1"));
        assert!(!pattern.fits("see INC0010482") && !pattern.fits("INC00104821") && !pattern.fits(""));
    }

    #[test]
    fn what_lets_everything_pass_is_open() {
        let open = |text: &str| Pattern::parse(text).expect("a pattern").is_open();
        assert!(open(".*") && open(".+") && open("[^x]*"));
        assert!(!open("[A-Za-z0-9._-]+") && !open("INC.*"));
    }

    #[test]
    fn what_is_only_one_between_brackets_is_none() {
        for text in ["a)|(b", "(", "[z-a]", "x{999999999}"] {
            assert!(Pattern::parse(text).is_err(), "{text}");
        }
    }
}
