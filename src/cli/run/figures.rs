//! From the loop's board to the pages that Prometheus reads.

use crate::cli::CliError;
use crate::publish::told::{All, BOUNDS, Count, Told};
use crate::runtime::live::{Board, FeedStatus, NamedObligation, OfObligation, Proof, Status};
use crate::telemetry;
use crate::telemetry::{
    Figures, Form, Histogram, ObligationReading, PartnerReading, Reading, ReceiverReading, SourceReading, SourceState,
};
use onus_engine::time::Moment;
use std::sync::Arc;

/// Makes pages when they are asked for.
pub(in crate::cli) struct Pages {
    status: Arc<Status>,
    told: Arc<Told>,
    proof: Option<Arc<Proof>>,
    figures: Figures,
}

impl Pages {
    /// `since`: when the process began.
    pub(in crate::cli) fn new(
        status: Arc<Status>,
        told: Arc<Told>,
        proof: Option<Arc<Proof>>,
        since: Moment,
    ) -> Result<Arc<Pages>, CliError> {
        let figures = Figures::new(env!("CARGO_PKG_VERSION"), since)
            .map_err(|error| CliError::Other(format!("a family of figures is wrong: {error}")))?;
        Ok(Arc::new(Pages { status, told, proof, figures }))
    }
}

impl crate::telemetry::Pages for Pages {
    fn all(&self, form: Form) -> String {
        for seconds in self.status.commit_seconds() {
            self.figures.committed(seconds);
        }
        for one in self.status.declared() {
            self.figures.detected(&one.duty.to_string(), one.seconds, one.at);
        }
        let mut reading = reading(&self.status.board(), &self.told.all());
        let proven = self.proof.as_ref().map(|proof| proof.proven());
        reading.system = telemetry::system();
        reading.ledger = proven.and_then(|proven| Some((proven.at?, proven.wrong.is_none())));
        self.figures.page(form, &reading)
    }

    fn of_partner(&self, form: Form, partner: &str) -> Option<String> {
        let board = self.status.board();
        let at = board.duties.names.partners.iter().position(|named| named.name == partner)?;
        let reading = Reading { partners: vec![partner_reading(&board, at)], ..Reading::default() };
        self.figures.partner(form, &reading, partner)
    }

    fn denied(&self, reason: &'static str) {
        self.figures.denied(reason);
    }
}

pub(super) fn reading(board: &Board, told: &All) -> Reading {
    let known = |moment: Moment| (moment != Moment::DAWN).then_some(moment);
    let facts = board.facts;
    Reading {
        sources: board.feeds.iter().filter(|feed| !feed.elsewhere).map(source).collect(),
        exchange: board.written.as_ref().map(|written| (written.events, written.waiting, written.last)),
        partners: (0..board.duties.partners.len()).map(|at| partner_reading(board, at)).collect(),
        letters: board.letters.iter().map(|(reason, n)| ((*reason).to_owned(), *n)).collect(),
        commits: board.commits,
        sequence: board.shown.sequence,
        subjects: board.shown.live,
        astray: [board.shown.unowned, board.shown.moved],
        entries: board.shown.entries,
        ledger: None,
        now: known(board.shown.now),
        minima: board.duties.minima,
        facts: vec![
            ("placed", facts.facts),
            ("repeat", facts.repeats),
            ("conflict", facts.conflicts),
            ("late", facts.late),
            ("recalled", facts.recalled),
        ],
        recounted: board.duties.recounted.0,
        recounts_wrong: board.duties.recounted.1,
        system: Vec::new(),
        pool: None,
        shards: None,
        receivers: told.receivers.iter().map(receiver).collect(),
        firing: told.firing.iter().flat_map(|by| ["note", "ticket", "page"].into_iter().zip(*by)).collect(),
    }
}

fn receiver((name, count): (&String, &Count)) -> ReceiverReading {
    ReceiverReading {
        name: name.clone(),
        sent: count.sent,
        errors: count.errors,
        dropped: count.dropped,
        queue: count.queue,
        halted: count.halted,
        last_success: count.last.map(|seconds| Moment((seconds * 1e3) as i64)),
        latency: Histogram::of(&BOUNDS, &count.latency, count.seconds),
    }
}

fn source(feed: &FeedStatus) -> SourceReading {
    let (idle, unbound) = (feed.taken.idle, feed.taken.unbound);
    let nothing = feed.refused + idle + unbound + feed.skipped;
    let taken = feed.records.saturating_sub(nothing);
    SourceReading {
        name: feed.name.clone(),
        results: [taken, idle, unbound, feed.refused, feed.skipped],
        skipped: feed.passed.iter().map(|(why, records)| (*why, *records)).collect(),
        violations: [feed.unauthorised, feed.contradicted],
        violated: feed.violated,
        lag: feed.lag.values().sum(),
        heard: feed.heard,
        last: feed.last,
        expected: feed.heartbeat,
        waiting: feed.waiting,
        quota: feed.held.map(|held| (u64::try_from(held.as_millis()).unwrap_or(u64::MAX), feed.turned_away)),
        state: match (&feed.halted, &feed.trouble) {
            (Some(_), _) => SourceState::Halted,
            (None, Some(_)) => SourceState::Trouble,
            (None, None) => SourceState::Up,
        },
    }
}

/// What is shown of one partner: nothing of another is looked at.
pub(super) fn partner_reading(board: &Board, at: usize) -> PartnerReading {
    let duties = &board.duties;
    let (named, figures) = (&duties.names.partners[at], &duties.partners[at]);
    let stopped = |feed: &FeedStatus| feed.silent || feed.halted.is_some() || feed.trouble.is_some();
    let mut feeds = board.feeds.iter().enumerate();
    let mut partner = PartnerReading {
        name: named.name.clone(),
        customers: named.customers.clone(),
        holds: [figures.seen.partner, figures.seen.customer],
        waivers: figures.seen.waivers,
        held: named.holds.iter().zip(&figures.held).map(|((_, kind), held)| (kind.clone(), held.by_state)).collect(),
        blind: feeds.any(|(i, feed)| figures.feeds.checked_shr(i as u32).unwrap_or(0) & 1 == 1 && stopped(feed)),
        obligations: Vec::new(),
    };
    for at in duties.names.obligations_of(at) {
        let (named, figures) = (&duties.names.obligations[at], &duties.obligations[at]);
        let one = obligation(named, figures);
        // Two contracts may have one of its name.
        match partner.obligations.iter_mut().find(|known| known.id == one.id) {
            None => partner.obligations.push(one),
            Some(known) => {
                known.add(&one);
                known.about.extend(one.about);
                (known.target, known.by_window) = (one.target, one.by_window);
            }
        }
    }
    partner
}

fn obligation(named: &NamedObligation, figures: &OfObligation) -> ObligationReading {
    let control = named.control.clone().unwrap_or_else(|| "none".to_owned());
    let about = [&named.contract, &named.clause, &control, &named.obligor].map(String::clone);
    let [contract, clause, control, obligor] = about;
    let withdrawn = figures.withdrawn;
    ObligationReading {
        id: named.id.clone(),
        about: vec![[contract, clause, control, obligor, named.severity.to_owned()]],
        unended: figures.unended,
        ended: figures.ended,
        endings: figures.endings,
        breaches: [withdrawn.saturating_add_signed(figures.tally.broken), withdrawn],
        findings: if named.finds { figures.tally.of(onus_engine::standing::Standing::Breached) } else { 0 },
        acts: named.asks_who.then(|| [figures.endings[0], withdrawn.saturating_add_signed(figures.tally.broken)]),
        at_risk: figures.seen.at_risk,
        disputed: figures.disputed,
        windows: figures.windows,
        window_end: figures.window_end,
        target: named.target,
        by_window: named.by_window,
        next_deadline: figures.seen.next_deadline.known(),
        oldest_breach: figures.seen.oldest_breach.known(),
    }
}
