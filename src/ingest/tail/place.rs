//! Which file it is, what stands before a position in it, and where a file has gone that was put aside.

use super::cutter::Cutter;
use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use xxhash_rust::xxh3::xxh3_64;

/// A file by what stays when it is renamed, and how often it was cut back to nothing and filled anew since we know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) device: u64,
    pub(super) inode: u64,
    pub(super) filling: u32,
}

impl Identity {
    pub(super) fn of(about: &Metadata) -> Identity {
        Identity { device: about.dev(), inode: about.ino(), filling: 0 }
    }

    /// As it was written down.
    pub(super) fn parse(text: &str) -> Option<Identity> {
        let (file, filling) = text.split_once('#').unwrap_or((text, "0"));
        let (device, inode) = file.strip_prefix("file ")?.split_once(':')?;
        Some(Identity { device: device.parse().ok()?, inode: inode.parse().ok()?, filling: filling.parse().ok()? })
    }

    /// The same file, however often it was filled.
    pub(super) fn same_file(&self, other: &Identity) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "file {}:{}", self.device, self.inode)?;
        if self.filling > 0 { write!(f, "#{}", self.filling) } else { Ok(()) }
    }
}

/// A file that begins so is compressed.
pub(super) fn packed(magic: &[u8; 4]) -> bool {
    matches!(magic, [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd])
}

/// How far a file was read, and what was read last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// Byte after the last record.
    pub(super) next: u64,
    /// xxh3 of its bytes; 0: none was read.
    pub(super) last: u64,
}

impl Mark {
    pub(super) const NONE: Mark = Mark { next: 0, last: 0 };
}

/// Does the file still have, before the mark, the record that was read last?
pub(super) fn stands(file: &File, mark: Mark, longest: usize) -> io::Result<bool> {
    if file.metadata()?.len() < mark.next {
        return Ok(false);
    }
    if mark.next == 0 || mark.last == 0 {
        return Ok(true);
    }
    let mut byte = [0; 1];
    file.read_exact_at(&mut byte, mark.next - 1)?;
    let end = mark.next - u64::from(byte == *b"\n");
    let begin = line_begin(file, end)?;
    let mut record = vec![0; (end - begin).min(longest as u64) as usize];
    file.read_exact_at(&mut record, begin)?;
    Ok(xxh3_64(&record) == mark.last)
}

/// Where the line begins that has no newline between its beginning and `end`.
fn line_begin(file: &File, end: u64) -> io::Result<u64> {
    let mut room = vec![0; 64 << 10];
    let mut to = end;
    while to > 0 {
        let size = (room.len() as u64).min(to) as usize;
        file.read_exact_at(&mut room[..size], to - size as u64)?;
        if let Some(at) = memchr::memrchr(b'\n', &room[..size]) {
            return Ok(to - size as u64 + at as u64 + 1);
        }
        to -= size as u64;
    }
    Ok(0)
}

/// A reader of what comes after the mark in a file that does not change any more, compressed or not; None where something
/// else stands before the mark.
pub(super) fn rest_of(path: &Path, mark: Mark, longest: usize) -> io::Result<Option<Box<dyn Read + Send>>> {
    let (mut input, _) = crate::ingest::expand(Box::new(File::open(path)?))?;
    let mut cutter = Cutter::new(0, longest);
    let mut last = 0;
    let mut room = vec![0; 64 << 10];
    while cutter.position() < mark.next {
        let size = (room.len() as u64).min(mark.next - cutter.position()) as usize;
        match input.read(&mut room[..size]) {
            Ok(0) => return Ok(None),
            Ok(read) => cutter.take(&room[..read], |line| last = xxh3_64(line.bytes)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    cutter.finish(|line| last = xxh3_64(line.bytes));
    Ok((mark.last == 0 || last == mark.last).then_some(input))
}

/// A file beside the one that is read, named as files are that were put aside.
#[derive(Clone, Debug)]
pub(super) struct Aside {
    pub(super) path: PathBuf,
    pub(super) identity: Identity,
    pub(super) changed: SystemTime,
}

/// Files put aside: the name with a number or a date behind it, compressed or not. In the order in which they were
/// written last.
pub(super) fn aside(path: &Path) -> io::Result<Vec<Aside>> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let other = entry.file_name().to_string_lossy().into_owned();
        if !put_aside(&name, &other) {
            continue;
        }
        // It may be gone by now, or be compressed at this moment.
        let Ok(about) = fs::metadata(entry.path()) else { continue };
        if about.is_file() {
            found.push(Aside { path: entry.path(), identity: Identity::of(&about), changed: about.modified()? });
        }
    }
    found.sort_by(|a, b| (a.changed, &a.path).cmp(&(b.changed, &b.path)));
    Ok(found)
}

/// `events.jsonl` becomes `events.jsonl.1`, `events.jsonl-20260301.gz`, or `events-2026-03-01.jsonl`.
fn put_aside(name: &str, other: &str) -> bool {
    let other = other.strip_suffix(".gz").or_else(|| other.strip_suffix(".zst")).unwrap_or(other);
    let mark = |rest: &str| {
        let date = |c: char| c.is_ascii_digit() || matches!(c, '-' | '_' | 'T' | 'Z' | ':' | '.');
        rest.starts_with(['.', '-', '_']) && rest.len() > 1 && rest.chars().all(date)
    };
    let between = || {
        let (stem, ending) = name.rsplit_once('.')?;
        other.strip_prefix(stem)?.strip_suffix(ending)?.strip_suffix('.').map(mark)
    };
    other.strip_prefix(name).is_some_and(mark) || between().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_put_aside() {
        for other in
            ["e.jsonl.1", "e.jsonl.12.gz", "e.jsonl-20260301", "e.jsonl-2026-03-01T10:00:00Z.zst", "e-20260301.jsonl"]
        {
            assert!(put_aside("e.jsonl", other), "{other}");
        }
        for other in ["e.jsonl", "e.jsonl.lock", "e.jsonl.bak", "e.jsonl.", "f.jsonl.1", "e.jsonlx", "e2.jsonl", "e.gz"]
        {
            assert!(!put_aside("e.jsonl", other), "{other}");
        }
    }

    #[test]
    fn an_identity_is_read_as_it_was_written() {
        for identity in [Identity { device: 8, inode: 42, filling: 0 }, Identity { device: 8, inode: 42, filling: 3 }] {
            assert_eq!(Identity::parse(&identity.to_string()), Some(identity));
        }
        assert_eq!(Identity::parse("stdin"), None);
    }
}
