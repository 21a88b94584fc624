//! From bytes as they come to whole lines, however they were cut when they came.

/// One whole line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'b> {
    /// Its bytes, without the newline: at most as many as a record may have.
    pub bytes: &'b [u8],
    /// Byte at which it begins.
    pub offset: u64,
    /// Byte after its newline.
    pub next: u64,
    /// It was longer, and was cut: its whole length.
    pub cut: Option<u64>,
}

/// Holds the beginning of a line until its end comes.
#[derive(Debug)]
pub struct Cutter {
    longest: usize,
    /// Where the line in hand begins.
    begin: u64,
    /// Of the line in hand, as much as is kept.
    hand: Vec<u8>,
    /// Its bytes beyond that.
    beyond: u64,
}

impl Cutter {
    /// Of a stream whose next byte is number `at`; of a line, `longest` bytes are kept.
    pub fn new(at: u64, longest: usize) -> Cutter {
        Cutter { longest, begin: at, hand: Vec::new(), beyond: 0 }
    }

    /// Position of the next byte to be taken.
    pub fn position(&self) -> u64 {
        self.begin + self.torn()
    }

    /// Bytes in hand of a line that has not ended.
    pub fn torn(&self) -> u64 {
        self.hand.len() as u64 + self.beyond
    }

    /// Takes what came, and shows each line that ended. Lines with nothing on them are passed over, as everywhere.
    pub fn take(&mut self, mut bytes: &[u8], mut show: impl FnMut(Line<'_>)) {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            if self.torn() == 0 && end <= self.longest {
                // The usual case: not copied.
                let next = self.begin + end as u64 + 1;
                shown(Line { bytes: &bytes[..end], offset: self.begin, next, cut: None }, &mut show);
                self.begin = next;
            } else {
                self.keep(&bytes[..end]);
                self.end(1, &mut show);
            }
            bytes = &bytes[end + 1..];
        }
        self.keep(bytes);
    }

    /// Nothing more will come: the last line has no newline, and is a line all the same.
    pub fn finish(&mut self, mut show: impl FnMut(Line<'_>)) {
        if self.torn() > 0 {
            self.end(0, &mut show);
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = self.longest.saturating_sub(self.hand.len()).min(bytes.len());
        self.hand.extend_from_slice(&bytes[..room]);
        self.beyond += (bytes.len() - room) as u64;
    }

    fn end(&mut self, newline: u64, show: &mut impl FnMut(Line<'_>)) {
        let length = self.torn();
        let next = self.begin + length + newline;
        let cut = (self.beyond > 0).then_some(length);
        shown(Line { bytes: &self.hand, offset: self.begin, next, cut }, show);
        self.begin = next;
        self.beyond = 0;
        self.hand.clear();
        // One long line is no reason to hold so much room for ever.
        self.hand.shrink_to(64 << 10);
    }
}

fn shown(line: Line<'_>, show: &mut impl FnMut(Line<'_>)) {
    if line.cut.is_some() || !line.bytes.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r')) {
        show(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Kept = (Vec<u8>, u64, u64, Option<u64>);

    fn lines(pieces: &[&[u8]], longest: usize) -> Vec<Kept> {
        let mut cutter = Cutter::new(7, longest);
        let mut out = Vec::new();
        let mut show = |line: Line<'_>| out.push((line.bytes.to_vec(), line.offset, line.next, line.cut));
        for piece in pieces {
            cutter.take(piece, &mut show);
        }
        cutter.finish(&mut show);
        assert_eq!(cutter.torn(), 0);
        out
    }

    #[test]
    fn a_line_waits_for_its_end_and_a_long_one_is_cut() {
        let mut cutter = Cutter::new(0, 4);
        cutter.take(b"ab", |_| panic!("not a whole line"));
        assert_eq!((cutter.torn(), cutter.position()), (2, 2));
        let all = lines(&[b"ab", b"cd\n\n \r\nabcdefg", b"hi\nx"], 4);
        let want: Vec<Kept> =
            vec![(b"abcd".to_vec(), 7, 12, None), (b"abcd".to_vec(), 16, 26, Some(9)), (b"x".to_vec(), 26, 27, None)];
        assert_eq!(all, want);
    }

    proptest! {
        #[test]
        fn however_the_bytes_come_the_lines_are_the_same(
            text in "([a-c ]{0,9}\r?\n?){0,12}",
            cuts in prop::collection::vec(0usize..120, 0..12),
        ) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            prop_assert_eq!(lines(&pieces, 6), lines(&[bytes], 6));
        }
    }
}
