//! Whose an event is: what a contract's `scope` says against what an event says of itself.
//!
//! Asked where events come in, never by the judge: by then an event has its partner and its control.

use crate::book::Field;
use crate::fact::{Fact, FieldId};
use crate::rule::glob;
use crate::terms::{Contract, PartnerPattern, Scope};
use crate::time::Moment;
use crate::vocabulary::Vocabulary;

/// The fields of events that a scope looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marks {
    group: FieldId,
    account: FieldId,
    mount: FieldId,
    labels: FieldId,
    credential: FieldId,
}

impl Marks {
    pub(crate) fn new(names: &mut Vocabulary) -> Marks {
        Marks {
            group: names.field("group"),
            account: names.field("account"),
            mount: names.field("mount"),
            labels: names.field("labels"),
            credential: names.field("credential"),
        }
    }

    /// Those that a scope asks for.
    pub(crate) fn of(&self, scope: &Scope) -> Vec<FieldId> {
        let own = [
            (&scope.groups, self.group),
            (&scope.accounts, self.account),
            (&scope.mounts, self.mount),
            (&scope.credentials, self.credential),
        ];
        let mut out: Vec<FieldId> =
            own.into_iter().filter(|(patterns, _)| !patterns.is_empty()).map(|(_, field)| field).collect();
        if !scope.labels.is_empty() {
            out.push(self.labels);
        }
        out.extend(scope.except.iter().flat_map(|except| self.of(except)));
        out
    }
}

/// What an event says of itself.
#[derive(Clone, Copy)]
pub struct Seen<'s> {
    /// Event type.
    pub kind: &'s str,
    /// Who says it.
    pub source: &'s str,
    /// What it is about.
    pub subject: &'s str,
    /// When it happened.
    pub at: Moment,
    /// Its data, as far as some contract names it.
    pub fields: &'s [(FieldId, Field<'s>)],
}

/// How far an event fits a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fit {
    /// Left out, or something it says fits nothing that the scope lists.
    Out,
    /// It says nothing that the scope lists.
    Silent,
    /// It does.
    In,
}

/// Asks for each text of a field; gives whether one was there, and whether one fitted.
type Texts<'t> = dyn Fn(FieldId, &mut dyn FnMut(&str) -> bool) -> (bool, bool) + 't;

pub(crate) fn fit(scope: &Scope, marks: &Marks, source: &str, credential: Option<&str>, texts: &Texts<'_>) -> Fit {
    if !scope.sources.is_empty() && !scope.sources.iter().any(|pattern| glob(pattern, source)) {
        return Fit::Out;
    }
    if scope.except.as_ref().is_some_and(|except| fit(except, marks, source, credential, texts) == Fit::In) {
        return Fit::Out;
    }
    if scope.is_bare() {
        return if scope.sources.is_empty() { Fit::Silent } else { Fit::In };
    }
    let (mut said, mut fits) = (false, false);
    let mut look = |patterns: &[String], field: FieldId, own: Option<&str>| {
        if patterns.is_empty() {
            return;
        }
        let one = |text: &str| patterns.iter().any(|pattern| names(pattern, text));
        let (there, good) = match own {
            Some(text) => (true, one(text)),
            None => texts(field, &mut |text| one(text)),
        };
        said |= there;
        fits |= good;
    };
    look(&scope.groups, marks.group, None);
    look(&scope.accounts, marks.account, None);
    look(&scope.mounts, marks.mount, None);
    look(&scope.credentials, marks.credential, credential);
    if !scope.labels.is_empty() {
        // All of them, whatever else it is labelled with.
        let labels = scope.labels.iter().map(|(name, pattern)| {
            texts(marks.labels, &mut |label| {
                label.split_once('=').is_some_and(|(key, value)| key == name && glob(pattern, value))
            })
        });
        let all: Vec<(bool, bool)> = labels.collect();
        said |= all.iter().any(|(there, _)| *there);
        fits |= all.iter().all(|(_, good)| *good);
    }
    match (fits, said) {
        (true, _) => Fit::In,
        (false, true) => Fit::Out,
        (false, false) => Fit::Silent,
    }
}

/// A path that ends in a slash stands for everything below it.
fn names(pattern: &str, text: &str) -> bool {
    glob(pattern, text) || pattern.ends_with('/') && text.starts_with(pattern)
}

/// Scopes of all contracts, where one of them can say whose an event is, or of which control.
#[derive(Clone, Debug)]
pub(crate) struct Homes {
    marks: Marks,
    homes: Vec<Home>,
    /// Some contract says whose an event is that doesn't say it itself.
    pub(crate) finds_partners: bool,
}

#[derive(Clone, Debug)]
struct Home {
    contract: String,
    partners: Vec<PartnerPattern>,
    from: Moment,
    to: Moment,
    scope: Scope,
    controls: Vec<(String, Option<Scope>)>,
    yields_to: Vec<String>,
}

/// Whose an event is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The partner; None: nobody's, and why.
    pub partner: Result<String, Unowned>,
    /// The control, where the scope of one says it and the event does not.
    pub control: Option<String>,
    /// Contracts that match it too and give way, with the one that goes first.
    pub overlap: Option<String>,
}

/// Why an event is nobody's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Unowned {
    /// It says nothing that a scope lists.
    Silent,
    /// It fits no scope.
    NoScope,
    /// It is of a control that no contract lists whose scope it fits.
    NoControl(String),
    /// It fits several, and none gives way: their names.
    Several(String),
}

impl Homes {
    /// None: no contract has more to say than which sources it listens to.
    pub(crate) fn new(contracts: &[&Contract], marks: Option<Marks>) -> Option<Homes> {
        let marks = marks?;
        let mut homes = Vec::new();
        for contract in contracts {
            let next = contracts.iter().filter(|other| {
                other.name == contract.name
                    && other.partners == contract.partners
                    && other.effective > contract.effective
            });
            let to = next.map(|other| other.effective).min().unwrap_or(Moment::NEVER);
            homes.push(Home {
                contract: contract.name.clone(),
                partners: contract.partners.clone(),
                from: contract.effective,
                to: to.min(contract.ends.unwrap_or(Moment::NEVER)),
                scope: contract.scope.clone(),
                controls: contract.controls.iter().map(|c| (c.name.clone(), c.scope.clone())).collect(),
                yields_to: contract.yields_to.clone(),
            });
        }
        let finds_partners = homes.iter().any(|home| home.partner().is_some() && !home.scope.is_empty());
        Some(Homes { marks, homes, finds_partners })
    }

    pub(crate) fn finds_controls(&self) -> bool {
        self.homes.iter().any(|home| home.controls.iter().any(|(_, scope)| scope.is_some()))
    }

    fn fit(&self, scope: &Scope, seen: &Seen<'_>) -> Fit {
        let credential = seen.kind.starts_with("credential.").then_some(seen.subject);
        let texts = |field: FieldId, test: &mut dyn FnMut(&str) -> bool| {
            let found = seen.fields.iter().find(|(id, _)| *id == field).map(|(_, value)| value);
            match found {
                None => (false, false),
                Some(Field::One(text)) => (true, test(text)),
                Some(Field::List(all)) => (!all.is_empty(), all.iter().any(|text| test(text))),
            }
        };
        fit(scope, &self.marks, seen.source, credential, &texts)
    }

    /// The control of an event whose partner is known: of that whose scope it fits, if it is one.
    pub(crate) fn control(&self, partner: &str, seen: &Seen<'_>) -> Option<String> {
        let homes = self.homes.iter().filter(|home| home.is_of(partner) && home.holds(seen.at));
        let mut all: Vec<&String> = homes.flat_map(|home| self.controls(home, seen)).collect();
        all.dedup();
        match all.as_slice() {
            [one] => Some((*one).clone()),
            _ => None,
        }
    }

    fn controls<'h>(&self, home: &'h Home, seen: &Seen<'_>) -> Vec<&'h String> {
        let fits = |scope: &Option<Scope>| scope.as_ref().is_some_and(|scope| self.fit(scope, seen) == Fit::In);
        home.controls.iter().filter(|(_, scope)| fits(scope)).map(|(name, _)| name).collect()
    }

    /// Whose an event is that names no partner.
    pub(crate) fn owner(&self, seen: &Seen<'_>, control: Option<&str>) -> Owner {
        let nobody = |why| Owner { partner: Err(why), control: None, overlap: None };
        let mut silent = true;
        let mut fits: Vec<(&Home, Option<String>)> = Vec::new();
        for home in self.homes.iter().filter(|home| home.holds(seen.at) && !home.scope.is_empty()) {
            let Some(_) = home.partner() else { continue };
            // A control's scope is narrower than its contract's; it may still say more than the event says of that.
            let narrow = self.controls(home, seen);
            let wide = self.fit(&home.scope, seen);
            silent &= wide == Fit::Silent && narrow.is_empty();
            if wide == Fit::In || wide == Fit::Silent && !narrow.is_empty() {
                let one = if let [one] = narrow.as_slice() { Some((*one).clone()) } else { None };
                fits.push((home, one));
            }
        }
        if fits.is_empty() {
            return nobody(if silent { Unowned::Silent } else { Unowned::NoScope });
        }
        if let Some(control) = control {
            let lists = |home: &Home| home.controls.iter().any(|(name, _)| name == control);
            // A contract without controls leaves none of them out, and goes behind one that names it.
            if fits.iter().any(|(home, _)| lists(home)) {
                fits.retain(|(home, _)| lists(home));
            } else {
                fits.retain(|(home, _)| home.controls.is_empty());
            }
            if fits.is_empty() {
                return nobody(Unowned::NoControl(control.to_owned()));
            }
        } else if fits.iter().any(|(_, narrow)| narrow.is_some()) {
            fits.retain(|(_, narrow)| narrow.is_some());
        }
        let all: Vec<&str> = fits.iter().map(|(home, _)| home.contract.as_str()).collect();
        let gives_way = |home: &Home| home.yields_to.iter().any(|other| all.contains(&other.as_str()));
        let mut first: Vec<&(&Home, Option<String>)> = fits.iter().filter(|(home, _)| !gives_way(home)).collect();
        first.dedup_by_key(|(home, _)| home.partner());
        match first.as_slice() {
            [(home, narrow)] => {
                let others: Vec<&str> =
                    all.iter().copied().filter(|name| *name != home.contract && differs(&fits, name, home)).collect();
                let overlap = (!others.is_empty()).then(|| format!("{} before {}", home.contract, others.join(", ")));
                let partner = home.partner().map(str::to_owned).ok_or(Unowned::NoScope);
                Owner { partner, control: narrow.clone().filter(|_| control.is_none()), overlap }
            }
            _ => nobody(Unowned::Several(all.join(", "))),
        }
    }
}

/// Two contracts of one partner are no conflict.
fn differs(fits: &[(&Home, Option<String>)], name: &str, home: &Home) -> bool {
    fits.iter().any(|(other, _)| other.contract == name && other.partner() != home.partner())
}

impl Home {
    /// The one partner that it binds.
    fn partner(&self) -> Option<&str> {
        match self.partners.as_slice() {
            [PartnerPattern::Exact(name)] => Some(name),
            _ => None,
        }
    }

    fn is_of(&self, partner: &str) -> bool {
        self.partners.iter().any(|pattern| match pattern {
            PartnerPattern::Exact(name) => name == partner,
            PartnerPattern::Prefix(stem) => partner.starts_with(stem.as_str()),
        })
    }

    fn holds(&self, at: Moment) -> bool {
        self.from <= at && at < self.to
    }
}

/// A contract's scope for the judge: what a fact of a known partner may not say.
#[derive(Clone, Debug)]
pub struct Bounds {
    pub(crate) scope: Scope,
    pub(crate) marks: Marks,
}

impl Bounds {
    /// Whether what a fact says of itself leads out of the scope. What it does not say is not held against it.
    pub(crate) fn leave_out(
        &self,
        names: &Vocabulary,
        kind: &str,
        source: &str,
        subject: &str,
        fact: Fact<'_>,
    ) -> bool {
        let credential = (kind == "credential").then_some(subject);
        let texts = |field: FieldId, test: &mut dyn FnMut(&str) -> bool| match fact.field(field) {
            None => (false, false),
            Some(value) => (true, value.atoms().any(|atom| test(names.text(atom)))),
        };
        fit(&self.scope, &self.marks, source, credential, &texts) == Fit::Out
    }
}
