//! A file, read from a position on; followed where it goes when it is put aside.

use super::cutter::{Cutter, Line};
use super::hand::Hand;
use super::place::{self, Aside, Identity, Mark, aside, rest_of, stands};
use super::{Left, Stop, Tail};
use onus_engine::time::Moment;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant, SystemTime};
use xxhash_rust::xxh3::xxh3_64;

/// What is read at once.
const ROOM: usize = 64 << 10;
/// After trouble it is looked again as often as this many looks.
const CALM: u32 = 5;
/// A file that was put aside counts as finished when it has not grown for so many looks, and the new one has something.
const LINGER: u32 = 3;
/// So long a line may be without its end before somebody is told.
const TORN: Duration = Duration::from_secs(10);
/// While there is much to read, how often it is said how much.
const TELL: Duration = Duration::from_secs(2);

/// Why it does not simply go on.
enum Stuck {
    /// Nobody listens, or it was told to stop.
    Left,
    /// The world's fault; it is tried again.
    Passing(String),
    /// Somebody has to decide.
    Halted(String),
}

impl From<Left> for Stuck {
    fn from(_: Left) -> Stuck {
        Stuck::Left
    }
}

/// The file that is being read.
struct Open {
    file: File,
    identity: Identity,
    cutter: Cutter,
    mark: Mark,
    /// Looks in a row that found nothing more in it.
    quiet: u32,
    torn_since: Option<Instant>,
}

impl Open {
    fn new(file: File, identity: Identity, mark: Mark, longest: usize) -> Open {
        let cutter = Cutter::new(mark.next, longest);
        Open { file, identity, cutter, mark, quiet: 0, torn_since: None }
    }
}

struct Follow<'t> {
    tail: &'t Tail,
    hand: Hand,
    stop: &'t Stop,
    /// How far it was read, in the life before or until trouble came.
    from: Option<(Identity, Mark)>,
}

pub(super) fn run(tail: &Tail, mut hand: Hand, stop: &Stop) -> Result<(), Left> {
    let from = match &tail.from {
        None => None,
        Some(from) => match Identity::parse(&from.incarnation) {
            Some(identity) => Some((identity, Mark { next: from.next, last: from.last })),
            None => {
                return hand.halted(format!(
                    "{}: what was read before under this name was no file ({}): give this source another name in the \
                     settings, and it is read from its beginning",
                    tail.path.display(),
                    from.incarnation
                ));
            }
        },
    };
    let mut follow = Follow { tail, hand, stop, from };
    loop {
        match follow.read() {
            Ok(()) => return Ok(()),
            Err(Stuck::Left) => return Err(Left),
            Err(Stuck::Halted(why)) => return follow.hand.halted(format!("{}: {why}", tail.path.display())),
            Err(Stuck::Passing(why)) => {
                follow.hand.trouble(format!("{}: {why}; it is tried again", tail.path.display()))?;
                stop.wait(tail.poll * CALM)?;
            }
        }
    }
}

impl Follow<'_> {
    /// Reads until there is no more to read for ever.
    fn read(&mut self) -> Result<(), Stuck> {
        let mut open = match self.begin()? {
            Some(open) => open,
            None => return Ok(()),
        };
        loop {
            let at = (self.tail.clock)();
            let size = open.file.metadata().map_err(passing("cannot be looked at"))?.len();
            let have = open.cutter.position();
            let grown = size > have;
            if size < have || (grown && !self.stands(&open)?) {
                open = self.filled_anew(&open)?;
                continue;
            }
            self.read_to(&mut open, size)?;
            open.quiet = if grown { 0 } else { open.quiet.saturating_add(1) };
            let there = self.there(&open)?;
            let over = match &there {
                There::Itself => !self.tail.follow,
                There::Nothing => !self.tail.follow,
                There::Another(about) => about.len() > 0 && open.quiet >= LINGER || !self.tail.follow,
            };
            if over {
                self.finish(&mut open)?;
                if let There::Another(_) = there {
                    open = self.next(&open)?;
                    continue;
                }
                return Ok(self.hand.ended(at)?);
            }
            self.say_how_far(&mut open, &there, at)?;
            self.stop.wait(self.tail.poll)?;
        }
    }

    /// Opens what is to be read first: the file, or the one that was read before and has been put aside. None: a
    /// compressed file, which was read to its end.
    fn begin(&mut self) -> Result<Option<Open>, Stuck> {
        let (file, about) = self.open()?;
        let identity = Identity::of(&about);
        if packed(&file).map_err(passing("cannot be read"))? {
            self.packed(identity)?;
            return Ok(None);
        }
        let Some((before, mark)) = self.from else { return Ok(Some(self.enter(file, identity, Mark::NONE)?)) };
        if before.same_file(&identity) {
            if stands(&file, mark, self.tail.longest).map_err(passing("cannot be read"))? {
                return Ok(Some(self.enter(file, before, mark)?));
            }
            let open = Open::new(file, before, mark, self.tail.longest);
            return Ok(Some(self.filled_anew(&open)?));
        }
        // Put aside while nobody looked: under its own number, or as a compressed copy.
        let others = self.aside()?;
        if let Some(old) = others.iter().find(|other| other.identity.same_file(&before)) {
            let file = File::open(&old.path).map_err(passing("was put aside, and cannot be opened"))?;
            let whole = !packed(&file).map_err(passing("was put aside, and cannot be read"))?;
            if whole && stands(&file, mark, self.tail.longest).map_err(passing("was put aside, and cannot be read"))? {
                return Ok(Some(self.enter(file, before, mark)?));
            }
        }
        let changed = self.copy(&others, before, mark)?;
        Ok(Some(self.after(changed, before, 0)?))
    }

    /// The file has less than was read of it, or something else: it was copied and cut back to nothing, or written anew.
    fn filled_anew(&mut self, open: &Open) -> Result<Open, Stuck> {
        let others = self.aside()?;
        let changed = self.copy(&others, open.identity, open.mark)?;
        self.after(changed, open.identity, open.identity.filling + 1)
    }

    /// Finds what was read last among files put aside, by its content, and reads what follows there. Says when that file
    /// was written last; None where nothing was read that could be found.
    fn copy(&mut self, others: &[Aside], before: Identity, mark: Mark) -> Result<Option<SystemTime>, Stuck> {
        if mark == Mark::NONE {
            return Ok(None);
        }
        for other in others.iter().rev() {
            // One that is being compressed or deleted at this moment isn't it, or is looked at again.
            let Ok(Some(rest)) = rest_of(&other.path, mark, self.tail.longest) else { continue };
            self.drain(rest, &before.to_string(), mark)?;
            return Ok(Some(other.changed));
        }
        Err(Stuck::Halted(format!(
            "what was read of it up to byte {} is not there any more, neither in it nor in a file put aside next to it \
             ({} followed by a number or a date): records may be missing. Put the old file there again; or, to go on \
             with what there is, give this source another name in the settings, and it is read from its beginning",
            mark.next,
            self.tail.path.display()
        )))
    }

    /// The old file is read to its end: what was put aside after it, then the file itself from its beginning.
    fn next(&mut self, open: &Open) -> Result<Open, Stuck> {
        let about = open.file.metadata().map_err(passing("cannot be looked at"))?;
        let changed = about.modified().map_err(passing("cannot be looked at"))?;
        self.after(Some(changed), open.identity, 0)
    }

    /// What comes after a file that is read to its end, `read`, which was written last at `changed`.
    fn after(&mut self, changed: Option<SystemTime>, read: Identity, filling: u32) -> Result<Open, Stuck> {
        let (file, about) = self.open()?;
        let own = Identity { filling, ..Identity::of(&about) };
        let mark = self.from.map_or(Mark::NONE, |(_, mark)| mark);
        let seen = |other: &Aside| other.identity.same_file(&read) || other.identity.same_file(&own);
        let between = self.aside()?.into_iter().filter(|other| changed.is_some_and(|at| other.changed > at));
        for other in between.filter(|other| !seen(other)) {
            let cannot = passing("was put aside several times, and one of them cannot be read");
            // What has been read, copied or compressed: also while it is being compressed, which is an error here.
            if mark != Mark::NONE && rest_of(&other.path, mark, self.tail.longest).map_err(&cannot)?.is_some() {
                continue;
            }
            if let Some(rest) = rest_of(&other.path, Mark::NONE, self.tail.longest).map_err(&cannot)? {
                self.drain(rest, &other.identity.to_string(), Mark::NONE)?;
            }
        }
        self.enter(file, own, Mark::NONE)
    }

    /// From here on it is read from this file.
    fn enter(&mut self, file: File, identity: Identity, mark: Mark) -> Result<Open, Stuck> {
        self.hand.reads(&identity.to_string())?;
        self.from = Some((identity, mark));
        self.hand.fine()?;
        Ok(Open::new(file, identity, mark, self.tail.longest))
    }

    fn open(&self) -> Result<(File, Metadata), Stuck> {
        // Looked at before it is opened: to open a pipe would wait until somebody writes to it.
        let about = fs::metadata(&self.tail.path).map_err(passing("cannot be looked at"))?;
        if about.is_dir() {
            return Err(Stuck::Halted("is a folder: name the files in it, each as a source".to_owned()));
        }
        if !about.is_file() {
            return Err(Stuck::Halted("is no regular file: give it to standard input, and name that `-`".to_owned()));
        }
        let file = File::open(&self.tail.path).map_err(passing("cannot be opened"))?;
        let about = file.metadata().map_err(passing("cannot be looked at"))?;
        Ok((file, about))
    }

    fn aside(&self) -> Result<Vec<Aside>, Stuck> {
        aside(&self.tail.path).map_err(passing("has been put aside, and its folder cannot be read"))
    }

    fn stands(&self, open: &Open) -> Result<bool, Stuck> {
        stands(&open.file, open.mark, self.tail.longest).map_err(passing("cannot be read"))
    }

    /// Reads what the file has up to `size`.
    fn read_to(&mut self, open: &mut Open, size: u64) -> Result<(), Stuck> {
        let mut room = vec![0; ROOM];
        let mut told = Instant::now();
        while open.cutter.position() < size {
            let want = (size - open.cutter.position()).min(ROOM as u64) as usize;
            let read = match open.file.read_at(&mut room[..want], open.cutter.position()) {
                // Cut back at this very moment: seen at the next look.
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => {
                    self.hand.flush()?;
                    return Err(passing("cannot be read")(error));
                }
            };
            let arrived = (self.tail.clock)();
            open.cutter.take(&room[..read], |line| open.mark = taken(&mut self.hand, &line, arrived));
            self.from = Some((open.identity, open.mark));
            self.hand.flush_full()?;
            if told.elapsed() >= TELL {
                told = Instant::now();
                self.hand.behind(size - open.cutter.position())?;
            }
            self.stop.look()?;
        }
        Ok(self.hand.flush()?)
    }

    /// The file will not grow: what it has of a last line is a line.
    fn finish(&mut self, open: &mut Open) -> Result<(), Stuck> {
        let arrived = (self.tail.clock)();
        open.cutter.finish(|line| open.mark = taken(&mut self.hand, &line, arrived));
        self.from = Some((open.identity, open.mark));
        Ok(self.hand.flush()?)
    }

    /// Reads a file that does not change any more to its end.
    fn drain(&mut self, mut rest: Box<dyn Read + Send>, incarnation: &str, mark: Mark) -> Result<(), Stuck> {
        self.hand.reads(incarnation)?;
        let mut cutter = Cutter::new(mark.next, self.tail.longest);
        let mut mark = mark;
        let mut room = vec![0; ROOM];
        loop {
            let read = match rest.read(&mut room) {
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => {
                    self.hand.flush()?;
                    return Err(Stuck::Passing(format!(
                        "after byte {} it cannot be read to its end; it may be cut off or damaged: {error}",
                        cutter.position()
                    )));
                }
            };
            let arrived = (self.tail.clock)();
            let mut show = |line: Line<'_>| mark = taken(&mut self.hand, &line, arrived);
            if read == 0 {
                cutter.finish(&mut show);
            } else {
                cutter.take(&room[..read], &mut show);
            }
            if let Some(identity) = Identity::parse(incarnation) {
                self.from = Some((identity, mark));
            }
            if read == 0 {
                return Ok(self.hand.flush()?);
            }
            self.hand.flush_full()?;
            self.stop.look()?;
        }
    }

    /// A compressed file: does not grow, and is read once.
    fn packed(&mut self, identity: Identity) -> Result<(), Stuck> {
        if self.tail.follow {
            return Err(Stuck::Halted("is compressed, so it cannot grow: write `follow = false`".to_owned()));
        }
        let at = (self.tail.clock)();
        let mark = match self.from {
            Some((before, mark)) if before.same_file(&identity) => mark,
            None => Mark::NONE,
            Some((_, mark)) => {
                return Err(Stuck::Halted(format!(
                    "is another file than the one of which {} bytes were read: give it as a source of its own, with \
                     another name in the settings",
                    mark.next
                )));
            }
        };
        self.hand.fine()?;
        let rest = rest_of(&self.tail.path, mark, self.tail.longest).map_err(passing("cannot be read"))?;
        let Some(rest) = rest else {
            return Err(Stuck::Halted(format!(
                "is not what it was when {} bytes of it were read: give it another name in the settings, and it is \
                 read from its beginning",
                mark.next
            )));
        };
        self.drain(rest, &identity.to_string(), mark).map_err(|stuck| match stuck {
            // It does not grow, so it does not heal.
            Stuck::Passing(why) => Stuck::Halted(why),
            other => other,
        })?;
        Ok(self.hand.ended(at)?)
    }

    fn there(&self, open: &Open) -> Result<There, Stuck> {
        match fs::metadata(&self.tail.path) {
            Ok(about) if Identity::of(&about).same_file(&open.identity) => Ok(There::Itself),
            Ok(about) => Ok(There::Another(about)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(There::Nothing),
            Err(error) => Err(passing("cannot be looked at")(error)),
        }
    }

    fn say_how_far(&mut self, open: &mut Open, there: &There, at: Moment) -> Result<(), Left> {
        let torn = open.cutter.torn();
        match there {
            // What the new file has is not read yet.
            There::Another(about) if about.len() > 0 => self.hand.behind(torn + about.len())?,
            _ if torn == 0 => self.hand.caught_up(at)?,
            // Half a record was written by then, and half is not heard.
            _ if open.quiet == 0 => self.hand.behind(torn)?,
            _ => {}
        }
        if torn == 0 || open.quiet == 0 {
            open.torn_since = None;
        }
        let name = self.tail.path.display();
        if torn > 0 && open.torn_since.get_or_insert_with(Instant::now).elapsed() > TORN {
            return self.hand.trouble(format!(
                "{name}: the line that begins at byte {} has no newline at its end, so it waits, and so does the time up \
                 to which this source is heard: whoever writes the file must end each record with a newline",
                open.cutter.position() - torn
            ));
        }
        match there {
            There::Nothing => self.hand.trouble(format!(
                "{name}: was put aside, and there is no new file yet; what is written to the old one is read"
            )),
            There::Itself | There::Another(_) => self.hand.fine(),
        }
    }
}

/// What stands under the name.
enum There {
    /// The file that is read.
    Itself,
    /// It was put aside, and this took its place.
    Another(Metadata),
    /// It was put aside.
    Nothing,
}

fn taken(hand: &mut Hand, line: &Line<'_>, arrived: Moment) -> Mark {
    hand.record(line, line.offset, line.next, arrived);
    Mark { next: line.next, last: xxh3_64(line.bytes) }
}

fn passing(what: &'static str) -> impl Fn(io::Error) -> Stuck {
    move |error| Stuck::Passing(format!("{what}: {error}"))
}

/// Told by the first bytes.
fn packed(file: &File) -> io::Result<bool> {
    let mut magic = [0; 4];
    let mut have = 0;
    while have < magic.len() {
        match file.read_at(&mut magic[have..], have as u64) {
            Ok(0) => break,
            Ok(read) => have += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(place::packed(&magic))
}
