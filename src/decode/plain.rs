//! JSON values that mean what they say byte for byte: texts without escapes, true, false, null, whole numbers, and lists
//! of such texts. Whatever else stands there is left to a real parser.

use std::borrow::Cow;

/// Digits that any reader takes for the same whole number.
const DIGITS: usize = 18;

/// What is left of a line, and what follows it; read from left to right.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plain<'a>(&'a str);

/// A plain value that is no text.
#[derive(Debug)]
pub(super) enum Other<'a> {
    Null,
    /// True, false or a number, as it stands.
    Bare(&'a str),
    List(Vec<Cow<'a, str>>),
}

impl<'a> Plain<'a> {
    pub(super) fn new(ahead: &'a str) -> Plain<'a> {
        Plain(ahead)
    }

    /// What is left.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.0.as_bytes()
    }

    /// Takes bytes that were looked at.
    #[inline(always)]
    pub(super) fn take(&mut self, bytes: usize) -> Option<&'a str> {
        let (taken, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(taken)
    }

    /// Passes over a byte.
    pub(super) fn byte(&mut self, byte: u8) -> Option<()> {
        if self.rest().first() == Some(&byte) { self.take(1).map(drop) } else { None }
    }

    /// Passes over a sign and the white space on both sides of it.
    pub(super) fn sign(&mut self, sign: u8) -> Option<()> {
        self.space();
        self.byte(sign)?;
        self.space();
        Some(())
    }

    /// What stands of a text from here on, up to its quote, or to what is not plain.
    #[inline(always)]
    pub(super) fn inside(&mut self) -> Option<&'a str> {
        self.take(plain(self.rest()))
    }

    /// A text, from quote to quote.
    pub(super) fn text(&mut self) -> Option<&'a str> {
        self.byte(b'"')?;
        let text = self.inside()?;
        self.byte(b'"')?;
        Some(text)
    }

    /// On to the quote of a text that nobody asks for. Of its escapes only the short ones are known to be good.
    pub(super) fn past_escapes(mut self) -> Option<Plain<'a>> {
        while let [b'\\', escaped, ..] = self.rest() {
            if !matches!(escaped, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') {
                return None;
            }
            self.take(2)?;
            self.inside()?;
        }
        Some(self)
    }

    /// A value that is no text, and what follows.
    pub(super) fn other(mut self) -> Option<(Other<'a>, Plain<'a>)> {
        let value = match self.rest() {
            [b'n', b'u', b'l', b'l', ..] => self.take(4).map(|_| Other::Null)?,
            [b't', b'r', b'u', b'e', ..] => Other::Bare(self.take(4)?),
            [b'f', b'a', b'l', b's', b'e', ..] => Other::Bare(self.take(5)?),
            [b'[', ..] => Other::List(self.list()?),
            digits => match digits.iter().take_while(|b| b.is_ascii_digit()).count() {
                // Not JSON.
                2.. if digits[0] == b'0' => return None,
                // A fraction or an exponent is left standing, and is nothing that may follow a value.
                n @ 1..=DIGITS => Other::Bare(self.take(n)?),
                _ => return None,
            },
        };
        Some((value, self))
    }

    /// A list of texts; empty ones are absent.
    fn list(&mut self) -> Option<Vec<Cow<'a, str>>> {
        let mut items = Vec::new();
        self.sign(b'[')?;
        while *self.rest().first()? != b']' {
            if !items.is_empty() {
                self.sign(b',')?;
            }
            items.push(Cow::Borrowed(self.text()?));
            self.space();
        }
        self.take(1)?;
        items.retain(|item| !item.is_empty());
        Some(items)
    }

    /// The end of the line, if it ends here; a carriage return belongs to it.
    pub(super) fn end(mut self) -> Option<Plain<'a>> {
        if self.rest().first() == Some(&b'\r') {
            self.take(1)?;
        }
        matches!(self.rest(), [] | [b'\n', ..]).then_some(self)
    }

    // Not the end of the line: what is ahead of that is another.
    fn space(&mut self) {
        self.0 = self.0.trim_start_matches([' ', '\t']);
    }
}

/// How many bytes stand before the first quote, backslash or control character: eight at a time.
#[inline(always)]
fn plain(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const TOPS: u64 = ONES << 7;
    const TWOS: u64 = ONES * 2;
    const BACKSLASHES: u64 = ONES * b'\\' as u64;
    let mut at = 0;
    while let Some(word) = bytes[at..].first_chunk() {
        let word = u64::from_le_bytes(*word);
        // With this bit turned a quote is where a space was: next to the control characters.
        let quotes_and_controls = (word ^ TWOS).wrapping_sub(ONES * 0x21);
        let backslashes = (word ^ BACKSLASHES).wrapping_sub(ONES);
        // What fell below zero has its top bit set. What it borrowed spoils only bytes behind it.
        let ends = (quotes_and_controls | backslashes) & !word & TOPS;
        if ends != 0 {
            return at + ends.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    at + plain_end(&bytes[at..])
}

/// The same one at a time, for the last bytes of a line.
#[cold]
fn plain_end(bytes: &[u8]) -> usize {
    bytes.iter().position(|b| matches!(b, b'"' | b'\\' | ..0x20)).unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn eight_bytes_at_a_time_end_where_one_at_a_time_would(
            bytes in proptest::collection::vec(prop_oneof![0x1eu8..0x25, 0x5au8..0x5e, 0x7eu8..0x82, any::<u8>()], 0..40),
        ) {
            let first = bytes.iter().position(|b| *b == b'"' || *b == b'\\' || *b < 0x20).unwrap_or(bytes.len());
            prop_assert_eq!(plain(&bytes), first);
        }
    }
}
