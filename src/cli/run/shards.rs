//! One port for all shards of a process: readiness, figures of all, figures of a partner. A shard that may not speak any more is not on the
//! page from that moment on.

use super::figures::{partner_reading, reading};
use crate::cli::{CliError, check};
use crate::pool::Unit;
use crate::pool::hold::Hold;
use crate::pool::keeping::Watch;
use crate::publish::told::Told;
use crate::runtime::live::{Proof, Status};
use crate::telemetry::{self, Figures, Form, PoolReading, Reading};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One shard that runs.
pub(super) struct Shard {
    pub(super) status: Arc<Status>,
    pub(super) told: Arc<Told>,
    pub(super) proof: Proof,
    pub(super) hold: Arc<Hold>,
    /// Whether a partner is one of this shard.
    pub(super) owns: Box<dyn Fn(&str) -> bool + Send + Sync>,
}

impl Shard {
    fn reading(&self) -> Reading {
        let mut reading = reading(&self.status.board(), &self.told.all());
        // Contracts name partners of all shards.
        reading.partners.retain(|partner| (self.owns)(&partner.name));
        let proven = self.proof.proven();
        reading.ledger = proven.at.map(|at| (at, proven.wrong.is_none()));
        reading
    }
}

/// All of them.
pub(super) struct Shards {
    all: Mutex<All>,
    watch: Watch,
    /// How many shards there are, among all.
    units: u16,
    figures: Figures,
}

#[derive(Default)]
struct All {
    shards: BTreeMap<Unit, Arc<Shard>>,
    /// Taken, and not judged up to its last commit yet.
    coming: BTreeMap<Unit, Option<String>>,
    /// What those had counted that are another's now.
    gone: Reading,
}

impl Shards {
    pub(super) fn new(watch: Watch, units: u16) -> Result<Arc<Shards>, CliError> {
        let figures = Figures::new(env!("CARGO_PKG_VERSION"), check::wall_clock())
            .map_err(|error| CliError::Other(format!("a family of figures is wrong: {error}")))?;
        Ok(Arc::new(Shards { all: Mutex::default(), watch, units, figures }))
    }

    // A poisoned lock guards plain values: they are as good as they were.
    fn all(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It was taken, or could not be run: why.
    pub(super) fn comes(&self, unit: Unit, trouble: Option<String>) {
        self.all().coming.insert(unit, trouble);
    }

    /// It runs.
    pub(super) fn add(&self, unit: Unit, shard: &Arc<Shard>) {
        let mut all = self.all();
        all.coming.remove(&unit);
        if let Some(old) = all.shards.insert(unit, Arc::clone(shard)) {
            all.gone.count(&old.reading());
        }
    }

    /// It has ended.
    pub(super) fn remove(&self, unit: Unit, shard: &Arc<Shard>) {
        let mut all = self.all();
        if all.shards.get(&unit).is_some_and(|known| Arc::ptr_eq(known, shard)) {
            all.shards.remove(&unit);
            all.gone.count(&shard.reading());
        }
    }

    /// It is another's.
    pub(super) fn forget(&self, unit: Unit) {
        self.all().coming.remove(&unit);
    }

    /// Why the process is not ready; empty: it is, even if it owns nothing.
    pub(super) fn unready(&self) -> Vec<String> {
        let mut why = Vec::new();
        match (self.watch.age(), self.watch.trouble()) {
            (_, Some(trouble)) => why.push(format!("leases: {trouble}")),
            (None, None) => why.push("it is not in the pool yet".to_owned()),
            (Some(_), None) => {}
        }
        let all = self.all();
        for (unit, trouble) in &all.coming {
            why.push(match trouble {
                None => format!("shard {unit} is judged up to its last commit"),
                Some(trouble) => format!("shard {unit}: {trouble}"),
            });
        }
        for (unit, shard) in all.shards.iter().filter(|(_, shard)| shard.hold.may_speak()) {
            why.extend(shard.status.unready().into_iter().map(|what| format!("shard {unit}: {what}")));
        }
        why
    }
}

impl telemetry::Pages for Shards {
    fn all(&self, form: Form) -> String {
        let (mut whole, shards) = {
            let all = self.all();
            let shards: Vec<(Unit, Arc<Shard>)> = all.shards.iter().map(|(n, one)| (*n, Arc::clone(one))).collect();
            (all.gone.clone(), shards)
        };
        whole.shards = Some(Vec::new());
        for (unit, shard) in shards {
            shard.status.commit_seconds().into_iter().for_each(|seconds| self.figures.committed(seconds));
            for one in shard.status.declared() {
                self.figures.detected(&one.duty.to_string(), one.seconds, one.at);
            }
            let one = shard.reading();
            whole.count(&one);
            if shard.hold.may_speak() {
                whole.show(unit, one);
            }
        }
        let held = whole.shards.as_ref().map_or(0, Vec::len) as u64;
        let age = self.watch.age().map(|age| age.as_secs_f64());
        whole.pool = Some(PoolReading { all: u64::from(self.units), held, taken: self.watch.taken(), age });
        whole.system = telemetry::system();
        self.figures.page(form, &whole)
    }

    fn of_partner(&self, form: Form, partner: &str) -> Option<String> {
        let shards: Vec<Arc<Shard>> = self.all().shards.values().cloned().collect();
        shards.into_iter().filter(|shard| shard.hold.may_speak() && (shard.owns)(partner)).find_map(|shard| {
            let board = shard.status.board();
            let at = board.duties.names.partners.iter().position(|named| named.name == partner)?;
            let reading = Reading { partners: vec![partner_reading(&board, at)], ..Reading::default() };
            self.figures.partner(form, &reading, partner)
        })
    }

    fn denied(&self, reason: &'static str) {
        self.figures.denied(reason);
    }
}
