//! What a law is tried on: contracts and events, printed so that a failure can be read and replayed.

use crate::contracts;
use crate::records::{self, Draw, Record};
use onus_engine::terms::Contract;
use onus_engine::time::Moment;
use proptest::prelude::*;
use std::fmt;

#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) yaml: Vec<String>,
    pub(crate) records: Vec<Record>,
    /// The last word: everything up to here has happened.
    pub(crate) until: i64,
}

impl Scene {
    pub(crate) fn contracts(&self) -> Vec<Contract> {
        let load = |yaml: &String| {
            onus::contract::parse(yaml, "drawn.yaml").unwrap_or_else(|problems| {
                let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
                panic!("a drawn contract does not load:\n{yaml}\n{}", told.join("\n"))
            })
        };
        self.yaml.iter().map(load).collect()
    }

    /// In order of arrival.
    pub(crate) fn arrivals(&self) -> Vec<String> {
        records::arrivals(&self.records).into_iter().map(|(_, line)| line).collect()
    }

    /// Each once, in order of event time.
    pub(crate) fn in_order(&self) -> Vec<String> {
        records::in_order(&self.records)
    }

    pub(crate) fn until(&self) -> Moment {
        Moment(self.until)
    }
}

impl fmt::Debug for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for yaml in &self.yaml {
            writeln!(f, "\n---\n{}", yaml.trim_end())?;
        }
        writeln!(f, "--- in order of arrival")?;
        for line in self.arrivals() {
            writeln!(f, "{line}")?;
        }
        write!(f, "--- until {}", self.until())
    }
}

pub(crate) fn scenes(draw: Draw) -> impl Strategy<Value = Scene> {
    scenes_of(contracts::any_pieces().boxed(), draw)
}

pub(crate) fn scenes_of(pieces: BoxedStrategy<Vec<contracts::Piece>>, draw: Draw) -> impl Strategy<Value = Scene> {
    let tail = prop_oneof![2 => Just(0i64), 3 => 0i64..200];
    (contracts::contracts(pieces), records::records(draw), tail).prop_map(|(yaml, records, tail)| {
        let last = records.iter().map(|r| r.at).max().unwrap_or(records::BASE);
        Scene { yaml, records, until: last + tail * records::HALF_HOUR }
    })
}
