//! Controls: how far the partner goes by itself on one activity, and who does what.
//!
//! `mode`, `retained` and `guardrails` are sentences said short. They become obligations of the `requires` form, whose
//! ids are made of the control's name and of what they are about, so that waivers and other obligations can name them.

use super::asides;
use super::code::Code;
use super::fields::{self, Fields};
use super::filters;
use super::keys::top;
use super::length::Slip;
use super::limit;
use super::names::{Business, Cx};
use super::obligation::Defaults;
use super::report::quote;
use super::scope;
use super::selector;
use super::since;
use super::table;
use super::yaml::{Entry, Node};
use onus_engine::terms::{
    Act, Anchor, Control, Each, EventMatch, Mode, Obligation, Party, Pick, Raci, Reopen, ReopenPolicy, Reprioritise,
    Requirement, Sentence, Side, Span, Test, Trigger, Unit, Want,
};
use onus_engine::time::DAY;
use std::collections::{BTreeMap, BTreeSet};

const MODES: &[(&str, Mode)] =
    &[("advisory", Mode::Advisory), ("operational", Mode::Operational), ("delegated", Mode::Delegated)];

/// What executing a control is, as far as events tell.
const ACTS: &[&str] = &[
    "change.executed",
    "credential.created",
    "credential.rotated",
    "credential.retired",
    "credential.revoked",
    "credential.disabled",
    "credential.enabled",
    "grant.given",
    "grant.extended",
    "grant.revoked",
];

/// Reads `controls:`; gives the obligations, too, that they say. `defaults` are those of each file.
pub(crate) fn controls(
    node: &Node,
    defaults: &BTreeMap<u16, Defaults>,
    cx: &mut Cx<'_>,
) -> Option<(Vec<Control>, Vec<Obligation>)> {
    let entries = fields::map(node, "`controls`", &mut cx.report)?;
    let mut derived = Vec::new();
    let controls = fields::every(entries, |entry| {
        let (control, said) = control(entry, cx)?;
        if let Some(defaults) = defaults.get(&entry.at.file) {
            let writer = Writer { control: &control, defaults, ids: BTreeSet::new(), out: Vec::new() };
            for mut obligation in writer.write(&said) {
                if !cx.names.obligations.insert(obligation.id.clone()) {
                    let message =
                        format!("{} is what the control {} derives", quote(&obligation.id), quote(&entry.key));
                    let hint = "give the obligation of that id another";
                    cx.report.hinted(Code::DuplicateName, entry.at, message, hint);
                }
                since::bind(&mut obligation, defaults.business(), entry.at, cx)?;
                derived.push(obligation);
            }
        }
        Some(control)
    })?;
    Some((controls, derived))
}

/// Takes out what the contract says of an act in words of its own: they go before the mode of the act's control.
pub(crate) fn without_written(derived: Vec<Obligation>, written: &[Obligation]) -> Vec<Obligation> {
    let says_it = |of: &Obligation, event: &EventMatch| {
        written.iter().filter(|o| o.control == of.control).any(|o| match &o.sentence {
            Sentence::Requires { when, what } => {
                let anchored = |t: &Trigger| matches!(t, Trigger::Event(one) if one.kind == event.kind);
                when.any.iter().any(anchored) && what.rows.iter().any(|row| asks_approval(&row.value))
            }
            Sentence::Within { .. } | Sentence::Every { .. } => false,
        })
    };
    let mut out = Vec::new();
    for mut one in derived {
        let of_mode = one.id.contains(".operational");
        let before = one.clone();
        if let (Sentence::Requires { when, .. }, true) = (&mut one.sentence, of_mode) {
            when.any.retain(|t| !matches!(t, Trigger::Event(event) if says_it(&before, event)));
            if when.any.is_empty() {
                continue;
            }
        }
        out.push(one);
    }
    out
}

fn asks_approval(requirement: &Requirement) -> bool {
    match requirement {
        Requirement::Before(event) | Requirement::Ahead(event, ..) => event.kind == "change.approved",
        Requirement::Any(of) | Requirement::All(of) | Requirement::InOrder(of) => of.iter().any(asks_approval),
        Requirement::Itself(_) | Requirement::Duty(..) | Requirement::During(_) | Requirement::Quota(..) => false,
    }
}

/// What a control says in short.
#[derive(Default)]
struct Said {
    retained: Vec<Anchor>,
    guardrails: Vec<Guardrail>,
}

struct Guardrail {
    event: String,
    tests: Vec<Test>,
    calendar: Option<usize>,
    most: Option<(u32, Each)>,
    evidence: Option<String>,
}

fn control(entry: &Entry, cx: &mut Cx<'_>) -> Option<(Control, Said)> {
    let named = fields::is_name(&entry.key, entry.at, "the control", &mut cx.report);
    let fields = Fields::of(&entry.node, &top::CONTROL, &mut cx.report)?;
    let mode = fields.get("mode").map(|node| fields::word(node, "`mode`", MODES, &mut cx.report));
    let raci = fields.get("raci").map(|node| raci(node, cx));
    let scope = fields.get("scope").map(|node| scope::scope(node, cx));
    if let Some(node) = fields.get("maps") {
        asides::maps(node, cx);
    }
    let owner = fields.need("risk-owner", &mut cx.report).and_then(|node| cx.party(node, "`risk-owner`"));
    let retained = fields.get("retained").map(|node| {
        let items = fields::list(node, "`retained`", &mut cx.report)?;
        fields::every(items, |item| retained(item, cx))
    });
    let guardrails = fields.get("guardrails").map(|node| {
        let items = fields::list(node, "`guardrails`", &mut cx.report)?;
        fields::every(items, |item| guardrail(item, cx))
    });
    let mode = fields::optional(mode)?;
    let mut clean = named;
    for key in ["retained", "guardrails"] {
        if let (Some(entry), Some(Mode::Advisory)) = (fields.entry(key), mode) {
            let message = format!("`{key}` beside `mode: advisory`, in which every act of the partner is a finding");
            cx.report.hinted(Code::WrongSentence, entry.at, message, "take it out, or give the control another mode");
            clean = false;
        }
    }
    let control = Control {
        name: entry.key.clone(),
        risk_owner: Some(owner?),
        mode,
        raci: fields::optional(raci)?,
        scope: fields::optional(scope)?,
    };
    let said = Said {
        retained: fields::optional(retained)?.unwrap_or_default(),
        guardrails: fields::optional(guardrails)?.unwrap_or_default(),
    };
    clean.then_some((control, said))
}

fn raci(node: &Node, cx: &mut Cx<'_>) -> Option<Raci> {
    let fields = Fields::of(node, &top::RACI, &mut cx.report)?;
    let mut party = |key: &str| fields.need(key, &mut cx.report).and_then(|node| cx.party(node, key));
    let (request, approve, execute, review) = (party("request"), party("approve"), party("execute"), party("review"));
    Some(Raci { request: request?, approve: approve?, execute: execute?, review: review? })
}

/// An act that is retained is an event: what ends or breaks a duty is nobody's act.
fn retained(node: &Node, cx: &mut Cx<'_>) -> Option<Anchor> {
    let anchor = selector::anchor(node, cx)?;
    if anchor.any.iter().any(|trigger| !matches!(trigger, Trigger::Event(_))) {
        let hint = "name the event, like `grant.given`";
        cx.report.hinted(Code::SelectorHead, node.at, "what is retained is an act, and no end of a duty", hint);
        return None;
    }
    Some(anchor)
}

fn guardrail(node: &Node, cx: &mut Cx<'_>) -> Option<Guardrail> {
    let fields = Fields::of(node, &top::GUARDRAIL, &mut cx.report)?;
    let event = fields.need("event", &mut cx.report).and_then(|node| cx.event(node));
    let tests = fields.get("where").map(|node| {
        let tests = filters::tests(node, cx)?;
        filters::without_anchor(&tests, node, "a guardrail", cx).map(|()| tests)
    });
    let calendar = fields.get("calendar").map(|node| match cx.calendar(node) {
        Business::By(at) => Some(at),
        Business::Unknown | Business::Misnamed => None,
    });
    let most = fields.get("at-most").map(|node| cx.length(node, "`at-most`", quota));
    let evidence = fields.get("evidence").map(|node| fields::name(node, "`evidence`", &mut cx.report));
    Some(Guardrail {
        event: event?,
        tests: fields::optional(tests)?.unwrap_or_default(),
        calendar: fields::optional(calendar)?,
        most: fields::optional(most)?,
        evidence: fields::optional(evidence)?,
    })
}

/// `200 each day`.
fn quota(text: &str) -> Result<(u32, Each), Slip> {
    let each = |word: &str| match word {
        "hour" => Some(Each::Hour),
        "day" => Some(Each::Unit(Unit::Day)),
        "week" => Some(Each::Unit(Unit::Week)),
        "month" => Some(Each::Unit(Unit::Month)),
        _ => None,
    };
    let plain = |digits: &str| !digits.starts_with(['0', '+']) && digits.len() < 10;
    let read = text.split_once(" each ").filter(|(most, _)| plain(most));
    let read = read.and_then(|(most, unit)| Some((most.parse().ok()?, each(unit)?)));
    read.ok_or_else(|| Slip {
        message: format!("{} does not say how many in which time", quote(text)),
        hint: Some("write it like `200 each day`; hour, day, week and month are known".into()),
    })
}

/// Writes the obligations of one control.
struct Writer<'w> {
    control: &'w Control,
    defaults: &'w Defaults,
    ids: BTreeSet<String>,
    out: Vec<Obligation>,
}

impl Writer<'_> {
    fn write(mut self, said: &Said) -> Vec<Obligation> {
        for anchor in &said.retained {
            self.requires("retained", kind_of(anchor), anchor.clone(), self.approved(&self.customer()));
        }
        match self.control.mode {
            Some(Mode::Advisory) => {
                let tests = vec![test("side", Want::OneOf(vec!["customer".to_owned()]))];
                self.requires("advisory", "", acts(ACTS.iter().copied()), Requirement::Itself(tests));
            }
            Some(Mode::Operational) => self.operational(said),
            Some(Mode::Delegated) | None => {
                let events: BTreeSet<&str> = said.guardrails.iter().map(|rail| rail.event.as_str()).collect();
                events.into_iter().for_each(|event| self.bounded(event, said));
            }
        }
        for rail in &said.guardrails {
            self.quota(rail);
            self.evidence(rail);
        }
        self.out
    }

    /// Every act needs approval, but for what a guardrail or another finding already speaks of.
    fn operational(&mut self, said: &Said) {
        let special = |event: &&str| {
            said.guardrails.iter().any(|rail| rail.event == **event) || !self::retained_tests(said, event).is_empty()
        };
        let (special, plain): (Vec<&str>, Vec<&str>) = ACTS.iter().copied().partition(special);
        self.requires("operational", "", acts(plain.into_iter()), self.approved(&self.approver()));
        let others = said.guardrails.iter().map(|rail| rail.event.as_str()).filter(|event| !ACTS.contains(event));
        let all: BTreeSet<&str> = special.into_iter().chain(others).collect();
        all.into_iter().for_each(|event| self.bounded(event, said));
    }

    /// Inside the guardrails, or approved; what is retained has a finding of its own.
    fn bounded(&mut self, event: &str, said: &Said) {
        let mut ways: Vec<Requirement> = Vec::new();
        for tests in retained_tests(said, event) {
            if tests.is_empty() {
                return;
            }
            ways.push(Requirement::Itself(tests));
        }
        let rails: Vec<&Guardrail> = said.guardrails.iter().filter(|rail| rail.event == event).collect();
        for rail in &rails {
            let mut all = Vec::new();
            if !rail.tests.is_empty() {
                all.push(Requirement::Itself(rail.tests.clone()));
            }
            all.extend(rail.calendar.map(Requirement::During));
            if all.is_empty() {
                return;
            }
            ways.push(Requirement::All(all));
        }
        ways.push(self.approved(&self.approver()));
        let what = if rails.is_empty() { "operational" } else { "guardrails" };
        self.requires(what, event, acts(std::iter::once(event)), Requirement::Any(ways));
    }

    /// One too many is a finding, whoever approved it.
    fn quota(&mut self, rail: &Guardrail) {
        let Some((most, each)) = rail.most else { return };
        let mut anchor = acts(std::iter::once(rail.event.as_str()));
        add_tests(&mut anchor, &rail.tests);
        let what = format!("at-most.{}", rail.event);
        self.requires("guardrails", &what, anchor, Requirement::Quota(most, each));
    }

    /// What was done without asking is shown afterwards.
    fn evidence(&mut self, rail: &Guardrail) {
        let Some(kind) = &rail.evidence else { return };
        let mut anchor = acts(std::iter::once(rail.event.as_str()));
        add_tests(&mut anchor, &rail.tests);
        let tests = vec![test("kind", Want::OneOf(vec![kind.clone()]))];
        let submitted = EventMatch { tests, ..EventMatch::of("evidence.submitted") };
        let limits = vec![limit::plain(table::single(Span::Elapsed(DAY)))];
        let sentence = Sentence::Within { when: anchor, act: Act::One(submitted), limits };
        self.push("guardrails", &format!("evidence.{}", rail.event), sentence);
    }

    fn requires(&mut self, what: &str, about: &str, when: Anchor, requirement: Requirement) {
        self.push(what, about, Sentence::Requires { when, what: table::single(requirement) });
    }

    fn push(&mut self, what: &str, about: &str, sentence: Sentence) {
        let name = &self.control.name;
        let stem = if about.is_empty() { format!("{name}.{what}") } else { format!("{name}.{what}.{about}") };
        let again = (2..).map(|n| format!("{stem}-{n}"));
        let id = std::iter::once(stem.clone()).chain(again).find(|id| !self.ids.contains(id)).unwrap_or(stem);
        self.ids.insert(id.clone());
        let executes = self.control.raci.as_ref().map(|raci| raci.execute.clone());
        let partner = executes.filter(|party| party.side == Side::Partner);
        self.out.push(Obligation {
            id,
            clause: format!("control {name}: {what}"),
            says: None,
            control: Some(name.clone()),
            obligor: partner.unwrap_or(Party { side: Side::Partner, role: None }),
            sentence,
            until: None,
            trust: self.defaults.trust(),
            pause: None,
            reopen: Reopen { policy: ReopenPolicy::Resume, window: None },
            reprioritise: Reprioritise { restart: false, min_remaining: None },
            rebase_open: false,
            blind_for: self.defaults.blind_for(),
            look_back: None,
            severity: self.defaults.severity(),
            escalate: self.defaults.ladder(),
            supersedes: Vec::new(),
            excused_by: None,
            target: None,
        });
    }

    /// An approval that came before, by another than who acts.
    fn approved(&self, by: &Party) -> Requirement {
        let another = Want::Not(Box::new(Want::SameAs("actor".to_owned())));
        let approved = EventMatch::of("change.approved");
        Requirement::Before(EventMatch { tests: vec![test("actor", another)], by: Some(by.clone()), ..approved })
    }

    fn approver(&self) -> Party {
        let party = self.control.raci.as_ref().map(|raci| raci.approve.clone());
        party.unwrap_or(Party { side: Side::Customer, role: None })
    }

    /// What is retained is the customer's, whoever approves the rest.
    fn customer(&self) -> Party {
        let party = self.approver();
        if party.side == Side::Customer { party } else { Party { side: Side::Customer, role: None } }
    }
}

fn test(field: &str, want: Want) -> Test {
    Test { field: field.to_owned(), want }
}

/// Acts of the partner: those that are not known to be the customer's.
fn acts<'e>(events: impl Iterator<Item = &'e str>) -> Anchor {
    let others = Want::Not(Box::new(Want::OneOf(vec!["customer".to_owned()])));
    let any = events.map(|event| {
        let tests = vec![test("side", others.clone())];
        Trigger::Event(EventMatch { tests, ..EventMatch::of(event) })
    });
    Anchor { any: any.collect(), whole: None, time: None, pick: Pick::Each }
}

fn add_tests(anchor: &mut Anchor, tests: &[Test]) {
    for trigger in &mut anchor.any {
        if let Trigger::Event(event) = trigger {
            event.tests.extend(tests.iter().cloned());
        }
    }
}

/// The event that a retained act is named by.
fn kind_of(anchor: &Anchor) -> &str {
    match anchor.any.first() {
        Some(Trigger::Event(event)) => &event.kind,
        Some(Trigger::Done(_) | Trigger::Breached(_)) | None => "",
    }
}

/// Which acts of that type are retained, where tests alone say it.
fn retained_tests(said: &Said, event: &str) -> Vec<Vec<Test>> {
    let triggers = said.retained.iter().flat_map(|anchor| &anchor.any);
    let matches = triggers.filter_map(|trigger| match trigger {
        Trigger::Event(one) => {
            let plain = EventMatch { tests: one.tests.clone(), ..EventMatch::of(event) };
            (plain == *one).then_some(plain.tests)
        }
        Trigger::Done(_) | Trigger::Breached(_) => None,
    });
    matches.collect()
}
