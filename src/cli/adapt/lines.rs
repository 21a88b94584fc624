//! Lines as they come, none held that is longer than any may be.

use std::io::{BufRead, BufReader, ErrorKind, Read, Result};

pub(super) struct Lines<R> {
    input: BufReader<R>,
    line: Vec<u8>,
    longest: usize,
}

pub(super) enum Line<'l> {
    /// Without its end.
    Whole(&'l [u8]),
    /// Not held: so many bytes.
    TooLong(usize),
}

impl<R: Read> Lines<R> {
    pub(super) fn new(input: R, longest: usize) -> Lines<R> {
        Lines { input: BufReader::with_capacity(1 << 17, input), line: Vec::new(), longest }
    }

    /// Whether the next line has not come yet.
    pub(super) fn must_wait(&self) -> bool {
        memchr::memchr(b'\n', self.input.buffer()).is_none()
    }

    /// The next line; None at the end. The last one needs no end.
    pub(super) fn next(&mut self) -> Result<Option<Line<'_>>> {
        self.line.clear();
        let mut length = 0;
        loop {
            let buffer = match self.input.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let end = memchr::memchr(b'\n', buffer);
            let part = &buffer[..end.unwrap_or(buffer.len())];
            let ended = end.is_some() || buffer.is_empty();
            if buffer.is_empty() && length == 0 {
                return Ok(None);
            }
            length += part.len();
            if length <= self.longest {
                self.line.extend_from_slice(part);
            }
            let taken = part.len() + usize::from(end.is_some());
            self.input.consume(taken);
            if ended {
                break;
            }
        }
        if length > self.longest {
            return Ok(Some(Line::TooLong(length)));
        }
        Ok(Some(Line::Whole(self.line.strip_suffix(b"\r").unwrap_or(&self.line))))
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, Lines};

    #[test]
    fn each_line_comes_whole_or_as_its_length() {
        let text = format!("a\r\n\n{}\nlast", "x".repeat(300_000));
        let mut lines = Lines::new(text.as_bytes(), 1000);
        let mut told = Vec::new();
        while let Some(line) = lines.next().expect("read") {
            told.push(match line {
                Line::Whole(line) => String::from_utf8_lossy(line).into_owned(),
                Line::TooLong(bytes) => bytes.to_string(),
            });
        }
        assert_eq!(told, ["a", "", "300000", "last"]);
    }
}
