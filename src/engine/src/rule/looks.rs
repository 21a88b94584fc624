//! What acts, requirements and rules look at: events, other duties, other subjects.

use super::{Act, Excuse, Form, Match, Named, Population, Requirement, Rule};
use crate::fact::FieldId;
use crate::terms::{Per, Period};
use crate::vocabulary::KindId;

impl Act {
    /// Some part of it counts only with evidence.
    pub fn evidenced(&self) -> bool {
        self.leaves().iter().any(|leaf| leaf.evidenced().is_some())
    }

    fn duties_on(&self) -> Vec<KindId> {
        match self {
            Act::One(_) | Act::Every(_) => Vec::new(),
            Act::Duty(named) => named.on.map(|(_, kind)| kind).into_iter().collect(),
            Act::Any(of) | Act::All(of) | Act::InOrder(of) => of.iter().flat_map(Act::duties_on).collect(),
        }
    }

    /// Other duties whose end or breach is it, or one way to do it.
    pub fn duties(&self) -> Vec<&Named> {
        match self {
            Act::Duty(named) => vec![named],
            Act::Any(of) => of.iter().flat_map(Act::duties).collect(),
            Act::One(_) | Act::All(_) | Act::InOrder(_) | Act::Every(_) => Vec::new(),
        }
    }

    /// How other duties stand is part of it, at any depth.
    pub fn asks_duties(&self) -> bool {
        match self {
            Act::One(_) | Act::Every(_) => false,
            Act::Duty(..) => true,
            Act::Any(of) | Act::All(of) | Act::InOrder(of) => of.iter().any(Act::asks_duties),
        }
    }

    /// The same, all of them, at any depth.
    pub fn all_duties(&mut self) -> Vec<&mut Named> {
        match self {
            Act::One(_) | Act::Every(_) => Vec::new(),
            Act::Duty(named) => vec![named],
            Act::Any(of) | Act::All(of) | Act::InOrder(of) => of.iter_mut().flat_map(Act::all_duties).collect(),
        }
    }

    /// Fields of the anchor that name subjects of other kinds on which it looks.
    pub fn looks_on(&self) -> Vec<FieldId> {
        match self {
            Act::One(leaf) => leaf.on.into_iter().collect(),
            Act::Duty(named) => named.on.map(|(field, _)| field).into_iter().collect(),
            Act::Every(_) => Vec::new(),
            Act::Any(of) | Act::All(of) | Act::InOrder(of) => of.iter().flat_map(Act::looks_on).collect(),
        }
    }

    /// More than one of its parts is needed.
    pub fn of_several(&self) -> bool {
        match self {
            Act::One(_) | Act::Duty(..) | Act::Every(_) => false,
            Act::Any(of) => of.iter().any(Act::of_several),
            Act::All(of) | Act::InOrder(of) => of.len() > 1 || of.iter().any(Act::of_several),
        }
    }

    /// Its single events, in the order written.
    pub fn leaves(&self) -> smallvec::SmallVec<[&Match; 4]> {
        match self {
            Act::One(one) => smallvec::smallvec![one],
            Act::Any(of) | Act::All(of) | Act::InOrder(of) => of.iter().flat_map(Act::leaves).collect(),
            // What a population does is looked up in the partner's register, not among the subject's own facts.
            Act::Duty(..) | Act::Every(_) => smallvec::SmallVec::new(),
        }
    }

    /// The populations that it is about.
    pub fn populations(&self) -> Vec<&Population> {
        match self {
            Act::Every(population) => vec![population],
            Act::Any(of) | Act::All(of) | Act::InOrder(of) => of.iter().flat_map(Act::populations).collect(),
            Act::One(_) | Act::Duty(..) => Vec::new(),
        }
    }

    /// One event on the anchor's own subject suffices: no record of progress is needed.
    pub fn simple(&self) -> bool {
        match self {
            Act::One(one) => one.on.is_none() && one.evidenced().is_none(),
            Act::Any(of) => of.iter().all(Act::simple),
            Act::All(of) | Act::InOrder(of) => of.len() == 1 && of[0].simple(),
            Act::Duty(..) => true,
            Act::Every(_) => false,
        }
    }
}

impl Rule {
    /// Of the subjects of a kind, from act to act.
    pub(crate) fn slides(&self) -> bool {
        let Form::Every { period, per: Per::Subject { .. }, .. } = &self.form else { return false };
        period.rows.iter().all(|row| matches!(row.value, Period::Sliding(_)))
    }

    /// The same, where some act is on another subject, or counts only with evidence.
    pub(crate) fn slides_elsewhere(&self) -> bool {
        let rare =
            |act: &Act| !act.asks_duties() && act.leaves().iter().any(|l| l.on.is_some() || l.evidenced().is_some());
        self.slides() && self.act().is_some_and(rare)
    }
}

impl Requirement {
    fn duties_on(&self) -> Vec<KindId> {
        match self {
            Requirement::Duty(named) => named.on.map(|(_, kind)| kind).into_iter().collect(),
            Requirement::Any(of) | Requirement::All(of) | Requirement::InOrder(of) => {
                of.iter().flat_map(Requirement::duties_on).collect()
            }
            Requirement::Before(..) | Requirement::Itself(_) | Requirement::During(_) | Requirement::Quota(..) => {
                Vec::new()
            }
        }
    }

    /// Other duties that it asks for.
    pub fn all_duties(&mut self) -> Vec<&mut Named> {
        match self {
            Requirement::Duty(named) => vec![named],
            Requirement::Any(of) | Requirement::All(of) | Requirement::InOrder(of) => {
                of.iter_mut().flat_map(Requirement::all_duties).collect()
            }
            Requirement::Before(..) | Requirement::Itself(_) | Requirement::During(_) | Requirement::Quota(..) => {
                Vec::new()
            }
        }
    }

    /// Fields of the anchor that name subjects of other kinds on which it looks.
    pub fn looks_on(&self) -> Vec<FieldId> {
        match self {
            Requirement::Before(leaf, _) => leaf.on.into_iter().collect(),
            Requirement::Duty(named) => named.on.map(|(field, _)| field).into_iter().collect(),
            Requirement::Any(of) | Requirement::All(of) | Requirement::InOrder(of) => {
                of.iter().flat_map(Requirement::looks_on).collect()
            }
            Requirement::Itself(_) | Requirement::During(_) | Requirement::Quota(..) => Vec::new(),
        }
    }

    /// Some part of it asks for an order.
    pub fn in_order(&self) -> bool {
        match self {
            Requirement::InOrder(_) => true,
            Requirement::Any(of) | Requirement::All(of) => of.iter().any(Requirement::in_order),
            Requirement::Before(..)
            | Requirement::Duty(..)
            | Requirement::Itself(_)
            | Requirement::During(_)
            | Requirement::Quota(..) => false,
        }
    }

    /// Its events.
    pub fn leaves(&self) -> Vec<&Match> {
        match self {
            Requirement::Before(one, _) => vec![one],
            Requirement::Itself(_) | Requirement::Duty(..) | Requirement::During(_) | Requirement::Quota(..) => {
                Vec::new()
            }
            Requirement::Any(of) | Requirement::All(of) | Requirement::InOrder(of) => {
                of.iter().flat_map(Requirement::leaves).collect()
            }
        }
    }
}

impl Rule {
    /// Fields of the anchor that name subjects of other kinds on which its duties look.
    pub fn looks_on(&self) -> Vec<FieldId> {
        let mut out = self.act().map(Act::looks_on).unwrap_or_default();
        out.extend(self.until.iter().flat_map(Act::looks_on));
        out.extend(crate::fold::limits(self).iter().flat_map(|l| &l.from).filter_map(|from| from.on));
        if let Some(Excuse::Event(act)) = self.excuse.as_deref() {
            out.extend(act.looks_on());
        }
        if let Form::Requires(table) = &self.form {
            out.extend(table.rows.iter().flat_map(|r| r.value.looks_on()));
        }
        out
    }

    /// Kinds of subject on which it looks at duties.
    pub fn duties_on(&self) -> Vec<KindId> {
        let acts = self.act().into_iter().chain(&self.until);
        let mut out: Vec<KindId> = acts.flat_map(Act::duties_on).collect();
        if let Form::Requires(table) = &self.form {
            out.extend(table.rows.iter().flat_map(|r| r.value.duties_on()));
        }
        out
    }

    /// It looks at duties on subjects of another kind.
    pub fn looks_abroad(&self) -> bool {
        !self.duties_on().is_empty()
    }
}
