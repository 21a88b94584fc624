//! `evidence`: what is owed once an act is done, to show that it was. It is an obligation of its own.

use super::fields::{self, Fields};
use super::keys::duty;
use super::length;
use super::limit;
use super::names::{Business, Cx};
use super::report::At;
use super::yaml::Node;
use onus_engine::terms::{
    Act, Anchor, EventMatch, Evidenced, Limit, Obligation, Party, Pick, Reopen, ReopenPolicy, Reprioritise, Sentence,
    Span, Table, Test, Trigger, Want,
};

/// What the ids of such obligations end with.
pub(crate) const SUFFIX: &str = "-evidence";

/// What a contract says of evidence.
#[derive(Clone, Debug)]
pub(crate) struct Evidence {
    at: At,
    kind: String,
    within: Span,
    accept: Option<Party>,
}

/// Reads `evidence:`.
pub(crate) fn read(node: &Node, cx: &mut Cx<'_>) -> Option<Evidence> {
    let fields = Fields::of(node, &duty::EVIDENCE_BLOCK, &mut cx.report)?;
    let kind = fields.need("kind", &mut cx.report).and_then(|node| fields::text(node, "`kind`", &mut cx.report));
    let within = fields.need("within", &mut cx.report);
    let within = within.and_then(|node| cx.length(node, "`within`", length::limit));
    let accept = fields.get("accept").map(|node| cx.party(node, "`accept`"));
    Some(Evidence { at: node.at, kind: kind?.to_owned(), within: within?, accept: fields::optional(accept)? })
}

impl Evidence {
    /// The obligation to hand it in, once the act of `after` is done.
    pub(crate) fn owed_after(self, after: &Obligation, business: Business, cx: &mut Cx<'_>) -> Option<Obligation> {
        let needed = length::is_business(&self.within);
        cx.business(needed, business, self.at, "`within` of `evidence` is in business time")?;
        let kind = Test { field: "kind".to_owned(), want: Want::OneOf(vec![self.kind]) };
        let event = EventMatch {
            tests: vec![kind],
            evidenced: Some(Evidenced { accepted: self.accept.is_some(), by: self.accept }),
            ..EventMatch::of("evidence.submitted")
        };
        let limit = Limit { calendar: business.position(), ..limit::plain(Table::single(self.within)) };
        let when =
            Anchor { any: vec![Trigger::Done(vec![after.id.clone()])], whole: None, time: None, pick: Pick::Each };
        Some(Obligation {
            id: format!("{}{SUFFIX}", after.id),
            clause: after.clause.clone(),
            says: None,
            control: None,
            obligor: after.obligor.clone(),
            sentence: Sentence::Within { when, act: Act::One(event), limits: vec![limit] },
            until: None,
            trust: after.trust,
            pause: None,
            reopen: Reopen { policy: ReopenPolicy::Resume, window: None },
            reprioritise: Reprioritise { restart: false, min_remaining: None },
            rebase_open: after.rebase_open,
            blind_for: after.blind_for,
            look_back: after.look_back,
            severity: after.severity,
            escalate: after.escalate.clone(),
            supersedes: Vec::new(),
            excused_by: None,
            target: None,
        })
    }
}
