//! A report's rows, read off an engine: counts by obligation, and every duty with its cycles.

use super::check::{DutyRow, Row};
use onus_engine::book::Book;
use onus_engine::duty::Duty;
use onus_engine::engine::{Engine, Tally};
use onus_engine::identity::DutyId;
use onus_engine::rule::RuleId;
use onus_engine::standing::Standing;
use onus_engine::time::Moment;
use std::collections::BTreeMap;

/// Counts of every obligation that binds a partner.
pub fn standings(engine: &Engine) -> Vec<Row> {
    counted(engine, &|partner, rule| engine.tally(partner, rule))
}

/// The same with counts of somebody else's.
pub(super) fn counted(engine: &Engine, tally: &dyn Fn(&str, RuleId) -> Tally) -> Vec<Row> {
    let book = engine.book();
    let mut out = Vec::new();
    for (partner, rules) in engine.bound() {
        for id in rules {
            let rule = book.rule(id);
            out.push(Row {
                partner: partner.to_owned(),
                contract: rule.contract.clone(),
                obligation: rule.id.clone(),
                clause: rule.clause.clone(),
                tally: tally(partner, id),
            });
        }
    }
    out
}

/// Partner, subject, obligation, key of the first cycle's anchor, withdrawn.
type Chain = (String, String, RuleId, u64, bool);

/// Every duty, later cycles with the earlier ones in them.
pub(super) fn rows(engine: &Engine, book: &Book, until: Moment, out: &mut Vec<DutyRow>) {
    let mut chains: BTreeMap<Chain, Vec<(Duty, Standing)>> = BTreeMap::new();
    engine.each_duty(&mut |partner, subject, duty, standing| {
        // What no longer follows stands by itself: it is no cycle of what does.
        let root = if standing == Standing::Withdrawn { duty.key } else { duty.root() };
        let key = (
            partner.to_owned(),
            subject.to_owned(),
            book.rule(duty.rule).family,
            root,
            standing == Standing::Withdrawn,
        );
        chains.entry(key).or_default().push((duty.clone(), standing));
    });
    for ((partner, subject, family, _, _), mut cycles) in chains {
        cycles.sort_by_key(|(d, _)| d.cycle());
        let rule = book.rule(family);
        let mut earlier: Vec<DutyRow> = Vec::new();
        for (duty, standing) in cycles {
            let row = DutyRow {
                partner: partner.clone(),
                obligation: rule.id.clone(),
                subject: subject.clone(),
                duty: DutyId::of(&partner, &rule.contract, &rule.id, &subject, duty.key),
                cycle: duty.cycle(),
                standing,
                start: duty.start,
                deadline: duty.shown_deadline(),
                breached_at: duty.breached_at().filter(|_| standing != Standing::Withdrawn),
                ended_at: duty.ended.known(),
                elapsed: duty.elapsed(until, book.calendars()),
                retracted: duty.flags.has(onus_engine::duty::Flags::RETRACTED),
                claimed: duty.claimed(),
                excused: duty.late_excused(),
                disputed: duty.disputed(),
                earlier: Vec::new(),
            };
            earlier.push(row);
        }
        if let Some(mut last) = earlier.pop() {
            last.earlier = earlier;
            out.push(last);
        }
    }
}
