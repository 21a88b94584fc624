//! Where events come in: files, plain or compressed, read in chunks of whole lines; and the sources of a process that runs
//! on, each of which speaks [`feed`].

pub mod adapt;
pub(crate) mod base64;
pub mod feed;
pub mod http;
#[cfg(feature = "kafka")]
pub mod kafka;
pub mod tail;
pub mod wire;

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

/// What is read at once: with what is made of it, it stays in a core's own cache until it has been judged.
const CHUNK: usize = 1 << 17;

/// A file that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{name}: {what}: {error}")]
pub struct ReadError {
    /// The file.
    pub name: String,
    /// What was being done, and what to do.
    pub what: &'static str,
    /// The system's word.
    pub error: io::Error,
}

/// Lines of one file.
pub struct Lines {
    name: String,
    input: Box<dyn Read + Send>,
    /// Read, but not yet given out: the beginning of a line.
    rest: Vec<u8>,
    line: u64,
    done: bool,
    /// The longest line that is held whole.
    longest: usize,
    /// Inside a line that is too long: dropped up to its end.
    dropping: Option<u64>,
    /// Bytes of the file taken from the system, for a progress bar; None where that cannot be known.
    pub size: Option<u64>,
}

/// Some whole lines.
#[derive(Debug, Default)]
pub struct Chunk {
    /// Room, used again and again.
    room: Vec<u8>,
    /// How much of it is filled.
    len: usize,
    /// Number of the first line, from 1.
    pub first: u64,
    /// Lines that are longer than any record may be: number, and length.
    pub too_long: Vec<(u64, usize)>,
}

impl Chunk {
    /// The bytes, newlines included.
    pub fn bytes(&self) -> &[u8] {
        &self.room[..self.len]
    }

    fn clear(&mut self) {
        self.len = 0;
        self.too_long.clear();
    }

    fn append(&mut self, bytes: &[u8]) {
        self.space(bytes.len()).copy_from_slice(bytes);
        self.len += bytes.len();
    }

    /// Room behind what is filled.
    fn space(&mut self, bytes: usize) -> &mut [u8] {
        let end = self.len + bytes;
        if self.room.len() < end {
            self.room.resize(end, 0);
        }
        &mut self.room[self.len..end]
    }

    fn drop_first(&mut self, bytes: usize) {
        self.room.copy_within(bytes..self.len, 0);
        self.len -= bytes;
    }
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lines").field("name", &self.name).field("line", &self.line).finish_non_exhaustive()
    }
}

impl Lines {
    /// Opens a file; `-` is standard input. Compression is told by the first bytes, not by the name.
    /// Lines longer than `longest` bytes are told, not held.
    pub fn open(path: &Path, longest: usize) -> Result<Lines, ReadError> {
        let stdin = path == Path::new("-");
        let name = if stdin { "(standard input)".to_owned() } else { path.display().to_string() };
        let fail = |what| {
            let name = name.clone();
            move |error| ReadError { name, what, error }
        };
        let (raw, size): (Box<dyn Read + Send>, Option<u64>) = if stdin {
            (Box::new(io::stdin()), None)
        } else {
            let file = File::open(path).map_err(fail("cannot open; check the path"))?;
            let about = file.metadata().map_err(fail("cannot look at"))?;
            if about.is_dir() {
                let error = io::Error::new(io::ErrorKind::IsADirectory, "is a directory");
                return Err(fail("cannot read; name the files in it")(error));
            }
            (Box::new(file), about.is_file().then_some(about.len()))
        };
        let (input, packed) = expand(raw).map_err(fail("cannot read"))?;
        let size = size.filter(|_| !packed);
        Ok(Lines { name, input, rest: Vec::new(), line: 1, done: false, longest, dropping: None, size })
    }

    /// Lines that are in memory already, by this name.
    pub fn of(name: &str, bytes: Vec<u8>, longest: usize) -> Lines {
        let size = Some(bytes.len() as u64);
        let input = Box::new(io::Cursor::new(bytes));
        Lines { name: name.to_owned(), input, rest: Vec::new(), line: 1, done: false, longest, dropping: None, size }
    }

    /// The same lines by another name.
    pub fn named(self, name: &str) -> Lines {
        Lines { name: name.to_owned(), ..self }
    }

    /// Its name, for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The next lines, in `chunk`, whose room is used again; false at the end.
    pub fn next(&mut self, chunk: &mut Chunk) -> Result<bool, ReadError> {
        chunk.clear();
        chunk.first = self.line;
        if self.done {
            return Ok(false);
        }
        chunk.append(&self.rest);
        self.rest.clear();
        loop {
            self.done = self.fill(chunk)? < CHUNK;
            if self.dropping.is_some() {
                self.drop_line(chunk);
                if self.dropping.is_some() && !self.done {
                    continue;
                }
            }
            if self.done {
                break;
            }
            if let Some(end) = memchr::memrchr(b'\n', chunk.bytes()) {
                self.rest.extend_from_slice(&chunk.bytes()[end + 1..]);
                chunk.len = end + 1;
                break;
            }
            if chunk.len > self.longest {
                // Not even one line end: never held whole, however long it is.
                self.dropping = Some(chunk.len as u64);
                chunk.len = 0;
            }
        }
        if let Some(bytes) = self.dropping.take() {
            chunk.too_long.push((self.line, bytes as usize));
            self.line += 1;
        }
        self.line += memchr::memchr_iter(b'\n', chunk.bytes()).count() as u64;
        Ok(true)
    }

    /// Goes on dropping a line that is too long, up to its end.
    fn drop_line(&mut self, chunk: &mut Chunk) {
        let Some(so_far) = self.dropping else { return };
        match memchr::memchr(b'\n', chunk.bytes()) {
            Some(end) => {
                chunk.too_long.push((self.line, so_far as usize + end));
                chunk.drop_first(end + 1);
                self.line += 1;
                chunk.first = self.line;
                self.dropping = None;
            }
            None => {
                self.dropping = Some(so_far + chunk.len as u64);
                chunk.len = 0;
            }
        }
    }

    /// Appends what is read at once; less than a chunk only at the end.
    fn fill(&mut self, chunk: &mut Chunk) -> Result<usize, ReadError> {
        let space = chunk.space(CHUNK);
        let mut read = 0;
        while read < CHUNK {
            match self.input.read(&mut space[read..]) {
                Ok(0) => break,
                Ok(more) => read += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let what = "cannot be read to its end; it may be cut off or damaged";
                    return Err(ReadError { name: self.name.clone(), what, error });
                }
            }
        }
        chunk.len += read;
        Ok(read)
    }
}

/// What a stream says, and whether it was compressed: told by the first bytes, not by the name.
fn expand(mut raw: Box<dyn Read + Send>) -> io::Result<(Box<dyn Read + Send>, bool)> {
    let mut magic = [0; 4];
    let mut have = 0;
    while have < magic.len() {
        match raw.read(&mut magic[have..]) {
            Ok(0) => break,
            Ok(n) => have += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let whole = io::Cursor::new(magic[..have].to_vec()).chain(raw);
    Ok(match magic {
        [0x1f, 0x8b, ..] => (Box::new(flate2::read::MultiGzDecoder::new(BufReader::new(whole))), true),
        [0x28, 0xb5, 0x2f, 0xfd] => (Box::new(zstd::stream::read::Decoder::new(whole)?), true),
        _ => (Box::new(whole), false),
    })
}

/// All files in the order given; the same file twice is read twice.
pub fn open_all(paths: &[PathBuf], longest: usize) -> Result<Vec<Lines>, ReadError> {
    paths.iter().map(|path| Lines::open(path, longest)).collect()
}
