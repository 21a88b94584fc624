//! Which events and fields are kept: what no rule reads, now or later, is not.

use super::WAIVER_FIELDS;
use super::compile::Compiler;
use crate::fact::FieldId;
use crate::rule::*;
use crate::vocabulary::{Effect, KindId};
use std::collections::BTreeSet;

impl Compiler<'_> {
    /// A fact of the subject that some table, control or link depends on: kept on every event of that kind.
    pub(super) fn subject_fact(&mut self, kinds: &[KindId], field: FieldId) {
        for kind in kinds {
            let other = format!("{}.*", self.names.kind_name(*kind));
            self.names.declare(&other);
            for t in self.names.of_kind(*kind) {
                self.names.want(t, field);
            }
        }
    }

    /// The types that pause, cancel and undo, for the kinds that have duties they can touch.
    pub(super) fn clock_types(&mut self) {
        let anchored: BTreeSet<KindId> = self.rules.iter().flat_map(|r| r.anchor.kinds.clone()).collect();
        let known = *self.names.well_known();
        let ticket = self.names.kind_id("ticket");
        if ticket.is_some_and(|t| anchored.contains(&t)) {
            self.names.declare("ticket.cancelled");
            let merged = self.names.declare("ticket.merged");
            self.names.want(merged, known.into);
            if self.rules.iter().any(|r| r.pause.is_some()) {
                for name in ["ticket.paused", "ticket.resumed", "ticket.pause-confirmed", "ticket.pause-voided"] {
                    let t = self.names.declare(name);
                    for field in [known.reason, known.side, known.role] {
                        self.names.want(t, field);
                    }
                }
            }
        }
        for (act, undo) in crate::vocabulary::UNDONE_BY {
            let rules: Vec<&Rule> = self.rules.iter().filter(|r| r.act().is_some_and(|a| self.uses(a, act))).collect();
            if rules.is_empty() {
                continue;
            }
            // Where the act is read from elsewhere, so is what undoes it.
            let wide = rules.iter().any(|r| r.partner_wide());
            let reads_elsewhere = wide || rules.iter().any(|r| r.act().is_some_and(|a| !a.looks_on().is_empty()));
            let elsewhere = |leaf: &&Match| leaf.on.is_some() && self.names.about(leaf.kind).name == act;
            let linked = rules.iter().any(|r| r.act().is_some_and(|a| a.leaves().iter().any(elsewhere)));
            let act = self.names.declare(act);
            let undo = self.names.declare(undo);
            let about = self.names.about_mut(undo);
            about.undoes.push(act);
            about.undoes_elsewhere |= reads_elsewhere;
            about.linked |= linked;
            about.partner_wide |= wide;
        }
        for (act, denial) in crate::vocabulary::DENIED_BY {
            let rules: Vec<&Rule> = self.rules.iter().filter(|r| r.act().is_some_and(|a| self.uses(a, act))).collect();
            if rules.is_empty() {
                continue;
            }
            let wide = rules.iter().any(|r| r.partner_wide());
            let elsewhere = |leaf: &&Match| leaf.on.is_some() && self.names.about(leaf.kind).name == act;
            let linked = rules.iter().any(|r| r.act().is_some_and(|a| a.leaves().iter().any(elsewhere)));
            let act = self.names.declare(act);
            let denial = self.names.declare(denial);
            self.names.about_mut(act).denied_by = Some(denial);
            let about = self.names.about_mut(denial);
            // It concerns an act that may have been told before.
            about.reaches_back = true;
            about.linked |= linked;
            about.partner_wide |= wide;
        }
        for (said, withdrawal) in crate::vocabulary::WITHDRAWN_BY {
            if self.rules.iter().any(|r| self.requires(r, said)) {
                let said = self.names.declare(said);
                let withdrawal = self.names.declare(withdrawal);
                self.names.about_mut(withdrawal).withdraws.push(said);
            }
        }
        if self.rules.iter().any(|r| r.waived_by.is_some()) {
            let fields: Vec<FieldId> =
                WAIVER_FIELDS.iter().map(|f| self.names.field(f)).chain([known.side, known.role]).collect();
            for name in ["waiver.approved", "waiver.ended"] {
                let t = self.names.declare(name);
                for field in &fields {
                    self.names.want(t, *field);
                }
            }
            for rule in &self.rules {
                let id = rule.id.clone();
                self.names.constant(&id);
            }
        }
        for name in crate::vocabulary::RANKED.iter().chain(&crate::vocabulary::OPENING) {
            let kind = name.split_once('.').and_then(|(kind, _)| self.names.kind_id(kind));
            if kind.is_some_and(|k| self.names.has_collective(k)) {
                self.names.declare_by_fields(name);
            }
        }
        // Types declared late keep the facts of their kind, too.
        for rule in 0..self.rules.len() {
            let (kinds, facts) = (self.rules[rule].anchor.kinds.clone(), self.rules[rule].facts.clone());
            let among: Vec<FieldId> = self.rules[rule].among.iter().map(|test| test.field).collect();
            for field in facts.into_iter().chain(among) {
                self.subject_fact(&kinds, field);
            }
        }
    }

    /// What hands a subject over is always kept: no obligation names it, and it decides whose each of them is.
    pub(super) fn rehomings(&mut self) {
        let known = *self.names.well_known();
        let rehomed = self.names.declare(crate::vocabulary::REHOMED);
        self.names.want(rehomed, known.from);
        self.names.want(rehomed, known.to);
    }

    fn requires(&self, rule: &Rule, name: &str) -> bool {
        let Form::Requires(table) = &rule.form else { return false };
        let mut leaves = table.rows.iter().flat_map(|r| r.value.leaves());
        leaves.any(|leaf| self.names.about(leaf.kind).name == name)
    }

    fn uses(&self, act: &Act, name: &str) -> bool {
        act.leaves().iter().any(|leaf| self.names.about(leaf.kind).name == name)
    }

    /// Which fields of which events name subjects whose duties read those events.
    pub(super) fn linked_types(&mut self) {
        let mut wanted = Vec::new();
        for kind in std::mem::take(&mut self.all_linked) {
            for t in self.names.of_kind(kind) {
                let about = self.names.about_mut(t);
                // A copy of a merger or a waiver would say it of who reads it.
                about.linked |= !matches!(
                    about.effect,
                    Effect::Merged | Effect::Rehomed | Effect::WaiverApproved | Effect::WaiverEnded
                );
            }
        }
        for rule in &self.rules {
            let mut leaves: Vec<&Match> = rule.act().map(Act::leaves).into_iter().flatten().collect();
            leaves.extend(rule.until.iter().flat_map(Act::leaves));
            let mut copy = rule.clone();
            for (_, abroad) in named_in(&mut copy).into_iter().filter_map(|named| named.on) {
                for kind in &rule.anchor.kinds {
                    wanted.push((abroad, self.names.kind_name(*kind).to_owned()));
                }
            }
            if let Form::Requires(table) = &rule.form {
                leaves.extend(table.rows.iter().flat_map(|r| r.value.leaves()));
            }
            leaves.extend(crate::fold::limits(rule).iter().flat_map(|l| &l.from));
            leaves.extend(rule.anchor.events.iter().filter_map(|e| Some(&e.since()?.event)));
            if let Some(Excuse::Event(act)) = rule.excuse.as_deref() {
                leaves.extend(act.leaves());
            }
            let evidence = self.names.kind_id("evidence");
            for leaf in leaves {
                // Evidence names what it shows.
                let shown = evidence.filter(|e| leaf.evidenced().is_some() && !rule.anchor.kinds.contains(e));
                for subject in leaf.on.map(|_| leaf.subject).into_iter().chain(shown) {
                    for kind in &rule.anchor.kinds {
                        wanted.push((subject, self.names.kind_name(*kind).to_owned()));
                    }
                }
            }
        }
        for (kind, field) in wanted {
            let field = self.names.field(&field);
            self.subject_fact(&[kind], field);
            for t in self.names.of_kind(kind) {
                let names = &mut self.names.about_mut(t).names;
                if !names.contains(&field) {
                    names.push(field);
                }
            }
        }
    }
}

/// Other duties that a rule's duties look at.
pub(super) fn named_in(rule: &mut Rule) -> Vec<&mut Named> {
    let mut all: Vec<&mut Named> = rule.until.iter_mut().flat_map(Act::all_duties).collect();
    match &mut rule.form {
        Form::Within { act, .. } | Form::Every { act, .. } => all.extend(act.all_duties()),
        Form::Requires(table) => all.extend(table.rows.iter_mut().flat_map(|r| r.value.all_duties())),
    }
    all
}

pub(crate) fn innermost(want: &Want) -> &Want {
    match want {
        Want::Not(inner) => innermost(inner),
        other => other,
    }
}
