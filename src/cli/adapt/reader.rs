//! A record taken out of what it is wrapped in, and read: as a source of `onus run` does it.

use crate::ingest::adapt::{Adapter, Answer, Error, Record, Skip, State};
use crate::ingest::wire::{Fault, Found, Need, Registry, Wire};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// So long a schema registry that is away is waited for; then the record cannot be read, and the next one is.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(250);

pub(super) struct Reader {
    adapter: Adapter,
    wire: Wire,
    state: State,
    /// The registry was waited for in vain: no other record waits as long.
    away: bool,
}

impl Reader {
    pub(super) fn new(adapter: Adapter, wire: Wire) -> Reader {
        Reader { adapter, wire, state: State::default(), away: false }
    }

    /// Of a settings file's `wire`.
    pub(super) fn wire(said: &crate::ingest::adapt::Wrapping) -> Wire {
        Wire::new(said.format, said.registry.clone().map(|target| Arc::new(Registry::new(target))))
    }

    /// What a record tells; of one that holds several, what all of them tell.
    pub(super) fn read(&mut self, record: &Record<'_>, headers: &[(&str, &[u8])]) -> Answer {
        let mut found = self.wire.read(record.value, headers);
        while let Found::Waits(need) = found {
            if !self.waited(need) {
                return self.unavailable(need);
            }
            found = self.wire.read(record.value, headers);
        }
        let mut answer = Answer::default();
        match found {
            Found::One(line) => answer = self.adapted(record, &line),
            Found::Many(lines) => {
                for line in &lines {
                    let one = self.adapted(record, line);
                    answer.events.extend(one.events);
                    answer.skips.extend(one.skips);
                    answer.errors.extend(one.errors);
                }
            }
            Found::Skip(skip) => {
                let code = Skip::named(skip.word()).unwrap_or(Skip::NotRelevant);
                answer.skips.push((code, code.means().to_owned()));
            }
            Found::Wrong(fault) => answer.errors.push(code(fault)),
            Found::Waits(need) => return self.unavailable(need),
        }
        answer
    }

    fn adapted(&mut self, record: &Record<'_>, line: &[u8]) -> Answer {
        self.adapter.read(&mut self.state, &Record { value: Some(line), ..*record })
    }

    /// The registry has answered.
    fn waited(&mut self, need: Need) -> bool {
        let until = Instant::now() + if self.away { LOOK } else { PATIENCE };
        while !self.wire.wait(need, LOOK) {
            if Instant::now() >= until {
                self.away = true;
                return false;
            }
            if self.wire.trouble().is_some() {
                std::thread::sleep(LOOK);
            }
        }
        self.away = false;
        true
    }

    fn unavailable(&self, need: Need) -> Answer {
        let trouble = self.wire.trouble().unwrap_or_else(|| "the registry has not answered".to_owned());
        let why = format!("schema {need}: {trouble}; put these records in again once it answers");
        Answer { errors: vec![(Error::SchemaUnavailable, why)], ..Answer::default() }
    }
}

/// A fault by the code that adapters have for it.
fn code(fault: Fault) -> (Error, String) {
    let code = match fault.reason {
        "UnknownSchema" => Error::UnknownSchema,
        "BadSchema" => Error::BadSchema,
        "GlueFrame" => Error::GlueFrame,
        "TooLarge" => Error::TooLarge,
        _ => Error::BadFrame,
    };
    (code, fault.why)
}
