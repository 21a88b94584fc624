//! Limits, compiled: what they count from, and where their deadlines go on closed days.

use super::compile::Compiler;
use crate::fact::FieldId;
use crate::rule::*;
use crate::terms::{self, Trust};
use crate::vocabulary::KindId;
use std::collections::BTreeSet;

impl Compiler<'_> {
    pub(super) fn limit(
        &mut self,
        l: &terms::Limit,
        trust: Trust,
        first: CalendarId,
        facts: &mut BTreeSet<FieldId>,
        (kinds, anchor, wide): (&[KindId], &Anchor, bool),
    ) -> Limit {
        let must = self.table(&l.must, facts, &mut |_, s| s.clone());
        let (must, roll, rolls) = self.rolled(must, &l.roll, facts);
        let mut from = Vec::new();
        for event in &l.from {
            from.push(if wide {
                let one = self.event(event, trust);
                self.names.about_mut(one.kind).partner_wide = true;
                one
            } else {
                self.elsewhere(event, trust, kinds, anchor)
            });
        }
        Limit {
            must,
            should: l.should.clone(),
            from,
            latest: l.from.iter().any(|f| f.pick == Some(terms::Pick::Latest)),
            calendar: l.calendar.map_or(0, |c| first + c as CalendarId),
            roll,
            rolls,
        }
    }

    /// A table with a roll for each of its rows: where facts say where a deadline goes, each row meets each roll.
    pub(super) fn rolled<T: Clone>(
        &mut self,
        table: Table<T>,
        roll: &terms::Table<terms::Roll>,
        facts: &mut BTreeSet<FieldId>,
    ) -> (Table<T>, terms::Roll, Vec<terms::Roll>) {
        if let ([], [row]) = (&roll.depends_on[..], &roll.rows[..]) {
            return (table, row.value, Vec::new());
        }
        let by = self.table(roll, facts, &mut |_, r| *r);
        let keys = [table.keys, by.keys].concat();
        let mut rolls = Vec::new();
        let mut rows = Vec::new();
        for row in &table.rows {
            for end in &by.rows {
                rolls.push(end.value);
                rows.push(TableRow {
                    cells: [row.cells.clone(), end.cells.clone()].concat(),
                    value: row.value.clone(),
                });
            }
        }
        (Table { keys, rows }, terms::Roll::None, rolls)
    }
}

/// Which member of an anchor an event is: a list under `by` is one member.
pub(super) fn member(when: &terms::Anchor, event: &terms::EventMatch) -> u8 {
    let anyone = |e: &terms::EventMatch| terms::EventMatch { by: None, ..e.clone() };
    let same = |t: &terms::Trigger| matches!(t, terms::Trigger::Event(e) if anyone(e) == anyone(event));
    when.any.iter().position(same).unwrap_or_default() as u8
}
