//! One obligation: one of the three sentences, and what qualifies it.

use super::chains::Draft;
use super::code::Code;
use super::evidence::{self, Evidence};
use super::fields::{self, Fields};
use super::keys::duty;
use super::limit::{self, Ground};
use super::names::{Business, Cx};
use super::report::{At, quote};
use super::yaml::{Node, Value};
use super::{asides, every, length, pause, population, selector, since, table, target, words};
use onus_engine::terms::{
    Act, Obligation, Party, Pause, Per, Reopen, ReopenPolicy, Reprioritise, Roll, Sentence, Severity, Side, Table,
    Trigger, Trust,
};
use onus_engine::time::{HOUR, Millis};

/// What obligations say unless they say otherwise: the contract's `defaults`, over the language's.
#[derive(Clone, Debug)]
pub(crate) struct Defaults {
    obligor: Party,
    trust: Trust,
    business: Business,
    roll: Table<Roll>,
    /// With its place, where it is told if the obligation's calendar doesn't do for it.
    pause: Option<(Pause, At)>,
    reopen: Option<Reopen>,
    reprioritise: Reprioritise,
    blind_for: Millis,
    look_back: Option<Millis>,
    severity: Severity,
    escalate: Option<String>,
    evidence: Option<Evidence>,
}

impl Defaults {
    /// The language's own, with the contract's calendar.
    pub(crate) fn new(business: Business) -> Defaults {
        Defaults {
            obligor: Party { side: Side::Partner, role: None },
            trust: Trust::System,
            business,
            roll: Table::single(Roll::None),
            pause: None,
            reopen: None,
            reprioritise: Reprioritise { restart: false, min_remaining: None },
            blind_for: 24 * HOUR,
            look_back: None,
            severity: Severity::default(),
            escalate: None,
            evidence: None,
        }
    }

    /// The least trust that stops a clock.
    pub(crate) fn trust(&self) -> Trust {
        self.trust
    }

    /// How long a silent feed may keep a late duty unknown.
    pub(crate) fn blind_for(&self) -> Millis {
        self.blind_for
    }

    /// How loud a breach is.
    pub(crate) fn severity(&self) -> Severity {
        self.severity
    }

    /// The ladder that duties climb.
    pub(crate) fn ladder(&self) -> Option<String> {
        self.escalate.clone()
    }

    /// What "business" means.
    pub(crate) fn business(&self) -> Business {
        self.business
    }

    /// With another calendar.
    pub(crate) fn on(mut self, business: Business) -> Defaults {
        self.business = business;
        self
    }

    /// Reads `defaults:` over these. What is wrong in it is reported, and the rest still read against what is right.
    pub(crate) fn read(mut self, node: &Node, cx: &mut Cx<'_>) -> Defaults {
        if let Some(fields) = Fields::of(node, &duty::DEFAULTS, &mut cx.report) {
            self.apply(&fields, cx);
        }
        self
    }

    fn apply(&mut self, fields: &Fields<'_>, cx: &mut Cx<'_>) {
        if let Some(severity) = fields.get("severity").and_then(|node| asides::severity(node, cx)) {
            self.severity = severity;
        }
        if let Some(ladder) = fields.get("escalate").and_then(|node| asides::escalate(node, cx)) {
            self.escalate = Some(ladder);
        }
        if let Some(ms) = fields.get("look-back").and_then(|node| cx.length(node, "`look-back`", length::elapsed)) {
            self.look_back = Some(ms);
        }
        if let Some(obligor) = fields.get("obligor").and_then(|node| cx.party(node, "`obligor`")) {
            self.obligor = obligor;
        }
        let trust = fields.get("trust").and_then(|node| fields::word(node, "`trust`", words::TRUST, &mut cx.report));
        self.trust = trust.unwrap_or(self.trust);
        if let Some(node) = fields.get("calendar") {
            self.business = cx.calendar(node);
        }
        if let Some(roll) = fields.get("roll").and_then(|node| limit::roll(node, cx)) {
            self.roll = roll;
        }
        if let Some(node) = fields.get("pause") {
            self.pause = pause::pause(node, cx).map(|pause| (pause, node.at));
        }
        if let Some(reopen) = fields.get("reopen").and_then(|node| pause::reopen(node, cx)) {
            self.reopen = Some(reopen);
        }
        if let Some(change) = fields.get("reprioritise").and_then(|node| pause::reprioritise(node, cx)) {
            self.reprioritise = change;
        }
        if let Some(ms) = fields.get("blind-for").and_then(|node| cx.length(node, "`blind-for`", length::elapsed)) {
            self.blind_for = ms;
        }
        if let Some(evidence) = fields.get("evidence").and_then(|node| evidence::read(node, cx)) {
            self.evidence = Some(evidence);
        }
    }
}

/// Reads one obligation. Its problems carry its id and clause.
pub(crate) fn obligation(node: &Node, defaults: &Defaults, cx: &mut Cx<'_>) -> Option<Draft> {
    let said = |key: &str| match node.get(key).map(|n| &n.value) {
        Some(Value::Scalar { text, .. }) if !text.is_empty() => Some(text.clone()),
        _ => None,
    };
    cx.report.within(said("id"), said("clause"));
    let draft = read(node, defaults, cx);
    cx.report.within(None, None);
    draft
}

fn read(node: &Node, defaults: &Defaults, cx: &mut Cx<'_>) -> Option<Draft> {
    let fields = Fields::of(node, &duty::OBLIGATION, &mut cx.report)?;
    let id = fields.need("id", &mut cx.report).and_then(|node| fields::name(node, "`id`", &mut cx.report));
    let clause = fields.need("clause", &mut cx.report).and_then(|node| clause(node, cx));
    let says = fields.get("says").map(|node| fields::text(node, "`says`", &mut cx.report).map(str::to_owned));
    let control = fields.get("control").map(|node| {
        let name = fields::text(node, "`control`", &mut cx.report)?;
        cx.known(Code::NoControl, "control", name, node.at).then(|| name.to_owned())
    });
    asides(&fields, cx);

    // What the obligation says over the defaults, read by the same reader.
    let mut own = defaults.clone();
    own.apply(&fields, cx);
    let rebase_open = fields.get("open-duties").map(|node| {
        let only = &[("rebase", true)];
        fields::word(node, "`open-duties`", only, &mut cx.report)
    });
    let until = fields.get("until").map(|node| selector::act(node, "until", cx));
    let Said { sentence, per_anchor, per_control } = sentence(&fields, &own, cx)?;
    let do_at = fields.entry("do").map_or(fields.at, |e| e.at);
    population::can_be_kept(&sentence, do_at, cx)?;
    let reopen = own.reopen.unwrap_or_else(|| default_reopen(&sentence));
    let pause = pause(&sentence, own.pause, own.business, cx);
    let supersedes = fields.get("supersedes").map(|node| cx.obligations(node, "`supersedes`"));
    let target = fields.get("target").map(|node| target::target(node, cx));
    let excused_by = fields.get("excused-by").map(|node| selector::excuse(node, cx));
    let mut obligation = Obligation {
        id: id?,
        clause: clause?,
        says: fields::optional(says)?,
        control: fields::optional(control)?,
        obligor: own.obligor,
        sentence,
        until: fields::optional(until)?,
        trust: own.trust,
        pause: pause?,
        reopen,
        reprioritise: own.reprioritise,
        rebase_open: fields::optional(rebase_open)?.unwrap_or(false),
        blind_for: own.blind_for,
        look_back: own.look_back,
        severity: own.severity,
        escalate: own.escalate,
        supersedes: fields::optional(supersedes)?.unwrap_or_default(),
        excused_by: fields::optional(excused_by)?,
        target: fields::optional(target)?,
    };
    since::bind(&mut obligation, own.business, node.at, cx)?;
    let owes = !matches!(obligation.sentence, Sentence::Requires { .. });
    let evidence = match own.evidence.filter(|_| owes) {
        Some(evidence) => Some(evidence.owed_after(&obligation, own.business, cx)?),
        None => None,
    };
    if per_control && obligation.control.is_some() {
        let at = fields.entry("control").map_or(node.at, |e| e.at);
        let hint = "`control` is one of them: take one of the two out";
        cx.report.hinted(Code::WrongSentence, at, "`control` beside `per: control`", hint);
        return None;
    }
    Some(Draft { at: node.at, obligation, per_anchor, per_control, evidence })
}

/// The inner None: not pausable.
fn pause(sentence: &Sentence, own: Option<(Pause, At)>, business: Business, cx: &mut Cx<'_>) -> Option<Option<Pause>> {
    if matches!(sentence, Sentence::Requires { .. }) {
        return Some(None);
    }
    let Some((pause, at)) = own else { return Some(None) };
    pause::bound(pause, at, business, cx).map(Some)
}

/// Keys that say something to people only.
fn asides(fields: &Fields<'_>, cx: &mut Cx<'_>) {
    if let Some(node) = fields.get("maps") {
        asides::maps(node, cx);
    }
    if let Some(node) = fields.get("serves") {
        asides::serves(node, cx);
    }
}

/// A clause is text: 4.10 is not 4.1.
fn clause(node: &Node, cx: &mut Cx<'_>) -> Option<String> {
    let text = fields::text(node, "`clause`", &mut cx.report)?;
    let quoted = matches!(&node.value, Value::Scalar { quoted: true, .. });
    if !quoted && fields::plain_value(text).is_some() {
        let message = format!("the clause {} is a number to YAML", quote(text));
        cx.report.hinted(Code::MustQuote, node.at, message, format!("quote it, \"{text}\": 4.10 is not 4.1"));
        return None;
    }
    Some(text.to_owned())
}

/// A sentence, as it stands.
struct Said {
    sentence: Sentence,
    /// Its duties are about the anchor's subject, for want of `per`.
    per_anchor: bool,
    /// It stands for one of each control.
    per_control: bool,
}

impl From<Sentence> for Said {
    fn from(sentence: Sentence) -> Said {
        Said { sentence, per_anchor: false, per_control: false }
    }
}

fn sentence(fields: &Fields<'_>, own: &Defaults, cx: &mut Cx<'_>) -> Option<Said> {
    let at = fields.at;
    match (fields.has("do"), fields.has("requires")) {
        (true, true) => {
            let at = fields.entry("requires").map_or(at, |e| e.at);
            let hint = "`do` is owed after the anchor, `requires` came before it: make two obligations";
            cx.report.hinted(Code::NoSentence, at, "an obligation has `do` or `requires`, not both", hint);
            None
        }
        // The sentence is there, and misspelt.
        (false, false) if fields.is_meant("do") || fields.is_meant("requires") => None,
        (false, false) => {
            let hint = "say `when`, `do`, `within`; or `every`, `do`; or `when`, `requires`";
            cx.report.hinted(Code::NoSentence, at, "an obligation without `do` or `requires` owes nothing", hint);
            None
        }
        (false, true) => requires(fields, own, cx).map(Said::from),
        (true, false) if fields.has("every") => every_sentence(fields, own, cx),
        (true, false) => within(fields, own, cx).map(Said::from),
    }
}

fn requires(fields: &Fields<'_>, own: &Defaults, cx: &mut Cx<'_>) -> Option<Sentence> {
    let without = ["within", "every", "per", "until", "pause", "reopen", "reprioritise", "evidence", "excused-by"];
    let clean = refuse(fields, &without, "`requires` is judged at its anchor, at once", cx);
    let when = fields.need("when", &mut cx.report).and_then(|node| selector::anchor(node, cx));
    let what = fields.get("requires").and_then(|node| {
        if table::is_table(node) {
            return table::read(node, cx, &mut |node, cx| selector::requirement(node, cx));
        }
        selector::requirement(node, cx).map(table::single)
    });
    let mut what = what?;
    let at = fields.entry("requires").map_or(fields.at, |e| e.at);
    for row in &mut what.rows {
        if !selector::in_business(&mut row.value, own.business, at, cx) {
            return None;
        }
    }
    let sentence = Sentence::Requires { when: when?, what };
    clean.then_some(sentence)
}

fn within(fields: &Fields<'_>, own: &Defaults, cx: &mut Cx<'_>) -> Option<Sentence> {
    let clean = refuse(fields, &["per"], "`per` belongs to `every`", cx);
    let when = fields.need("when", &mut cx.report).and_then(|node| selector::anchor(node, cx));
    let act = act(fields, cx);
    let ground = Ground { business: own.business, roll: &own.roll };
    let limits = fields.need("within", &mut cx.report).and_then(|node| limit::limits(node, ground, cx));
    let sentence = Sentence::Within { when: when?, act: act?, limits: limits? };
    clean.then_some(sentence)
}

fn every_sentence(fields: &Fields<'_>, own: &Defaults, cx: &mut Cx<'_>) -> Option<Said> {
    let period = fields.get("every").and_then(|node| every::periods(node, cx));
    let per = fields.get("per").map(|node| every::per(node, cx));
    let when = fields.get("when").map(|node| selector::anchor(node, cx));
    let act = act(fields, cx);
    let ground = Ground { business: own.business, roll: &own.roll };
    let limits = match fields.get("within") {
        Some(node) => {
            let limits = limit::limits(node, ground, cx);
            if let Some(period) = &period {
                every::no_limit_beside_sliding(period, node, cx)?;
            }
            limits
        }
        None => {
            let at = fields.entry("roll").map_or(fields.at, |e| e.at);
            period.as_ref().map_or(Some(()), |period| every::rolls_back(period, &own.roll, at, cx))?;
            Some(Vec::new())
        }
    };
    let at = fields.entry("every").map_or(fields.at, |e| e.at);
    let business = period.as_ref().is_some_and(every::is_business) || limit::rolls(&own.roll) && !fields.has("within");
    cx.business(business, own.business, at, "the period is in business time, or rolls off closed days")?;
    let (calendar, roll) = (own.business.position(), own.roll.clone());
    let when = fields::optional(when)?;
    let own = |t: &Trigger| matches!(t, Trigger::Event(event) if event.pick.is_some());
    if when.as_ref().is_some_and(|when| when.any.iter().any(own)) {
        let at = fields.entry("when").map_or(fields.at, |e| e.at);
        let hint = "say `pick` once, or make an obligation of each: of one that recurs, one period is open at a time";
        cx.report.hinted(Code::WrongFilter, at, "`every` from members with `pick` of their own", hint);
        return None;
    }
    let per = fields::optional(per)?;
    let per_anchor = when.is_some() && per.is_none();
    let per_control = per == Some(every::Each::Control);
    let per = match per {
        Some(every::Each::Of(per)) => per,
        Some(every::Each::Control) | None => Per::Partner,
    };
    let period = period?;
    if let Per::Source { tests } = &per
        && !source_can_be_kept(&period, tests.is_empty(), when.is_some(), fields, cx)
    {
        return None;
    }
    let sentence = Sentence::Every { period, per, when, act: act?, limits: limits?, calendar, roll };
    Some(Said { sentence, per_anchor, per_control })
}

/// Sources are there from when they are first heard; what is told of them is told by their own acts.
fn source_can_be_kept(
    period: &onus_engine::terms::Table<onus_engine::terms::Period>,
    all: bool,
    when: bool,
    fields: &Fields<'_>,
    cx: &mut Cx<'_>,
) -> bool {
    let at = fields.entry("per").map_or(fields.at, |e| e.at);
    if when {
        cx.report.unsupported(at, "`per: source` with `when`");
    } else if !all && !every::slides(period) {
        cx.report.unsupported(at, "tests of the source in a calendar period");
    }
    !when && (all || every::slides(period))
}

fn act(fields: &Fields<'_>, cx: &mut Cx<'_>) -> Option<Act> {
    fields.get("do").and_then(|node| selector::act(node, "do", cx))
}

/// Reports keys that cannot stand in this sentence.
fn refuse(fields: &Fields<'_>, keys: &[&str], why: &str, cx: &mut Cx<'_>) -> bool {
    let mut clean = true;
    for key in keys {
        if let Some(entry) = fields.entry(key) {
            let at: At = entry.at;
            cx.report.hinted(Code::WrongSentence, at, format!("`{key}` cannot stand here: {why}"), "take it out");
            clean = false;
        }
    }
    clean
}

/// An acknowledgement that is taken back is still one that was given in time.
fn default_reopen(sentence: &Sentence) -> Reopen {
    let acknowledges = match sentence {
        Sentence::Within { act, .. } | Sentence::Every { act, .. } => has(act, "ticket.acknowledged"),
        Sentence::Requires { .. } => false,
    };
    let policy = if acknowledges { ReopenPolicy::Ignore } else { ReopenPolicy::Resume };
    Reopen { policy, window: None }
}

fn has(act: &Act, kind: &str) -> bool {
    match act {
        Act::One(event) => event.kind == kind,
        Act::Any(acts) | Act::All(acts) | Act::InOrder(acts) => acts.iter().any(|act| has(act, kind)),
        Act::Duty(..) => false,
    }
}
