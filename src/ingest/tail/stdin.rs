//! Standard input. Its positions are counts, and mean nothing to the next process.

use super::cutter::Cutter;
use super::hand::Hand;
use super::{Left, Stop, Tail};
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};

/// What its records say of where they were read.
const INCARNATION: &str = "stdin";

/// Reads in a thread of its own, since a read cannot be ended from outside.
fn reader(room: usize) -> io::Result<Receiver<io::Result<Vec<u8>>>> {
    let (sender, receiver) = sync_channel(1);
    std::thread::Builder::new().name("stdin".to_owned()).spawn(move || {
        let mut stdin = io::stdin().lock();
        let mut bytes = vec![0; room];
        loop {
            let read = match stdin.read(&mut bytes) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read,
            };
            let over = !matches!(read, Ok(1..));
            if sender.send(read.map(|read| bytes[..read].to_vec())).is_err() || over {
                return;
            }
        }
    })?;
    Ok(receiver)
}

pub(super) fn run(tail: &Tail, mut hand: Hand, stop: &Stop) -> Result<(), Left> {
    hand.reads(INCARNATION)?;
    let chunks = match reader(64 << 10) {
        Ok(chunks) => chunks,
        Err(error) => return hand.halted(format!("standard input cannot be read: {error}")),
    };
    let mut cutter = Cutter::new(0, tail.longest);
    let mut count = 0;
    loop {
        stop.look()?;
        let before = (tail.clock)();
        match chunks.recv_timeout(tail.poll) {
            Ok(Ok(bytes)) if bytes.is_empty() => {
                cutter.finish(|line| {
                    hand.record(&line, count, count + 1, before);
                    count += 1;
                });
                return hand.ended(before);
            }
            Ok(Ok(bytes)) => {
                let arrived = (tail.clock)();
                cutter.take(&bytes, |line| {
                    hand.record(&line, count, count + 1, arrived);
                    count += 1;
                });
                hand.flush()?;
            }
            // Nothing came for as long as it would have taken to come: it is all here.
            Err(RecvTimeoutError::Timeout) if cutter.torn() == 0 => hand.caught_up(before)?,
            Err(RecvTimeoutError::Timeout) => hand.flush()?,
            Ok(Err(error)) => return hand.halted(format!("standard input cannot be read any more: {error}")),
            Err(RecvTimeoutError::Disconnected) => {
                return hand.halted("standard input is not read any more".to_owned());
            }
        }
    }
}
