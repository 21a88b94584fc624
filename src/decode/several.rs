//! Events that concern several partners: of each line one event for each of them, as its own, without the names of the others.
//!
//! Three kinds: what lists its partners or hands something from one to another says so itself; what a customer's stack shares;
//! and an act on a credential that lies on another partner's ground, by that one's contract.

use super::raw::Raw;
use super::{Batch, DecodeError, Decoder};
use onus_engine::book::{CUSTOMER, Field};
use onus_engine::fact::{Draft, FieldId, TypeId};
use onus_engine::scope::Seen;
use onus_engine::time::Moment;
use std::collections::BTreeSet;

/// More partners than this are no list of partners.
const MOST: usize = 100;
/// The longest partner name.
const LONGEST_NAME: usize = 1024;
/// What lies on the ground of whose contract it is, whoever acts on it.
const GROUND: [&str; 2] = ["credential.", "grant."];

impl Decoder {
    /// An event may name no partner where something else may say whose it is.
    #[cold]
    pub(super) fn may_name_nobody(&self, raw: &Raw<'_>) -> bool {
        self.book.finds_partners() || self.book.has_stacks() || self.book.may_concern(&raw.fields)
    }

    /// Gives it to each partner whom it concerns, where these are several. False: it is its own partner's, or still to be placed.
    #[inline]
    pub(super) fn gives_to_several(
        &self,
        raw: &Raw<'_>,
        partner: &str,
        times: (Moment, Moment),
        out: &mut Batch,
    ) -> Result<bool, DecodeError> {
        let scoped = self.book.finds_partners();
        if !scoped && !self.book.has_stacks() && !self.book.may_concern(&raw.fields) {
            return Ok(false);
        }
        self.concerning(raw, partner, times, out)
    }

    #[cold]
    fn concerning(
        &self,
        raw: &Raw<'_>,
        partner: &str,
        times: (Moment, Moment),
        out: &mut Batch,
    ) -> Result<bool, DecodeError> {
        let mut all = self.book.concerned(&raw.fields);
        if partner.is_empty() && all.len() < 2 && !self.book.lists_partners(&raw.fields) {
            // Half a handing-over does not say whose it is.
            all.clear();
        }
        if all.len() > MOST || all.iter().any(|name| name.len() > LONGEST_NAME || name.chars().any(char::is_control)) {
            return Err(DecodeError::Partners { most: MOST });
        }
        if !partner.is_empty() {
            all.insert(partner);
        }
        let known = self.book.names().event_type(raw.kind()?);
        let reached = match known.filter(|kind| self.book.is_shared(*kind)) {
            Some(kind) => self.book.reaches(kind, partner, &raw.fields),
            None => BTreeSet::new(),
        };
        let ground = self.ground(raw, partner)?.filter(|owner| !all.contains(owner.as_str()));
        let reached: BTreeSet<&str> = reached.into_iter().filter(|name| !all.contains(name)).collect();
        if all.len() < 2 && reached.is_empty() && ground.is_none() && (all.is_empty() || !partner.is_empty()) {
            return Ok(false);
        }
        // The customer has no contract with itself: what it shares was given to those whom it concerns.
        if all.len() == 1 && !reached.is_empty() && !self.book.binds(partner) {
            all.clear();
        }
        let Some(kind) = known else {
            out.idle += 1;
            return raw.kind().and_then(|kind| self.passed_over(kind)).map(|()| true);
        };
        let several = all.len() + reached.len() + usize::from(ground.is_some()) > 1;
        let first = out.events.len();
        let fields = |one: &str| match one == CUSTOMER {
            // Its clocks cross partners, so it may know them.
            true => raw.fields.clone(),
            false => self.book.own_fields(&raw.fields, one, &all),
        };
        for one in &all {
            self.give(raw, kind, one, fields(one), times, out)?;
        }
        for one in &reached {
            self.give(raw, kind, one, self.book.shared_fields(&raw.fields, one), times, out)?;
        }
        if let Some(owner) = &ground {
            let given = self.give(raw, kind, owner, fields(owner), times, out)?;
            out.grounds.extend(given);
        }
        if several && self.book.has_customer() && !all.contains(CUSTOMER) && !reached.contains(CUSTOMER) {
            let given = self.give(raw, kind, CUSTOMER, fields(CUSTOMER), times, out)?;
            out.customers.extend(given);
        }
        if several {
            out.several.push(out.lines as u32);
        }
        out.idle += u64::from(out.events.len() == first);
        Ok(true)
    }

    /// On whose ground a credential lies that somebody else acts on, by what the event says of the credential.
    fn ground(&self, raw: &Raw<'_>, partner: &str) -> Result<Option<String>, DecodeError> {
        let kind = raw.kind()?;
        if partner.is_empty() || !self.book.finds_partners() || !GROUND.iter().any(|ground| kind.starts_with(ground)) {
            return Ok(None);
        }
        let seen = Seen { kind, source: raw.source()?, subject: raw.subject()?, at: raw.at()?, fields: &raw.fields };
        let owner = self.book.owner(&seen, self.said_control(raw));
        Ok(owner.and_then(|owner| owner.partner.ok()).filter(|owner| owner != partner))
    }

    /// Writes one partner's event; gives its position, unless no contract cares for it.
    fn give(
        &self,
        raw: &Raw<'_>,
        kind: TypeId,
        partner: &str,
        mut fields: Vec<(FieldId, Field<'_>)>,
        (peak, recorded): (Moment, Moment),
        out: &mut Batch,
    ) -> Result<Option<usize>, DecodeError> {
        let (id, source, subject, at) = (raw.id()?, raw.source()?, raw.subject()?, raw.at()?);
        let about = self.book.names().about(kind);
        if about.by_fields && !fields.iter().any(|(field, _)| about.keeps(*field)) {
            return Ok(None);
        }
        let placed = match self.scoped {
            true => self.placed(raw, raw.kind()?, source, subject, partner, at),
            false => None,
        };
        if let Some(control) = placed.and_then(|owner| owner.control) {
            fields.push((self.book.names().well_known().control, Field::One(control.into())));
        }
        let draft = Draft {
            kind,
            id,
            source,
            at,
            recorded,
            sequence: raw.sequence(),
            factkey: raw.factkey(),
            exact: raw.exact(),
        };
        let fact = self.book.write(&draft, &fields, &mut out.facts);
        out.push(peak, [partner, subject, source], fact);
        Ok(Some(out.events.len() - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onus_engine::book::Book;
    use onus_engine::fact::Fact;
    use std::sync::Arc;

    const TERMS: &str = "contract: soc
partner: [p1, p2, customer]
customer: acme
effective: 2026-01-01T00:00:00Z
zone: UTC
obligations:
  - {id: a, clause: \"1\", when: {event: incident.detected, where: {partners: x, from: x, to: x, group: x}}, do: incident.closed, within: 1h}
";

    /// Of each partner's event: the partner, and the fields that it carries.
    fn told(data: &str) -> Vec<(String, Vec<String>)> {
        let contract = crate::contract::parse(TERMS, "terms.yaml").expect("a good contract");
        let book = Arc::new(Book::new(std::slice::from_ref(&contract)));
        let line = format!(
            "{{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"incident.detected\",\"subject\":\"IR1\",\
             \"time\":\"2026-03-02T09:00:00Z\",\"data\":{data}}}"
        );
        let mut batch = Batch::default();
        Decoder::new(Arc::clone(&book), Moment::NEVER).record(&line, &mut batch).expect("a good event");
        let one = |event: &super::super::Event| {
            let bytes = &batch.facts[event.fact.start as usize..event.fact.end as usize];
            let (fact, _) = Fact::split(bytes).expect("a fact");
            let field = |name: &str| {
                let value = book.names().field_id(name).and_then(|id| fact.field(id))?;
                Some(format!("{name}={}", book.names().show(value)))
            };
            let fields = ["partners", "from", "to", "group"].iter().filter_map(|name| field(name)).collect();
            (batch.name(&event.partner).to_owned(), fields)
        };
        batch.events.iter().map(one).collect()
    }

    #[test]
    fn each_partner_reads_its_own_name_and_the_customer_all() {
        let all = told(r#"{"partners":["p1","p2","stranger"],"group":"p2"}"#);
        let of = |name: &str| all.iter().find(|(partner, _)| partner == name).map(|(_, fields)| fields.clone());
        assert_eq!(of("p1").expect("told"), ["partners=p1"]);
        assert_eq!(of("p2").expect("told"), ["partners=p2", "group=p2"]);
        assert_eq!(of("stranger").expect("told"), ["partners=stranger"]);
        assert_eq!(of("customer").expect("told"), ["partners=p1, p2, stranger", "group=p2"]);
    }

    #[test]
    fn who_hands_over_reads_from_and_who_gets_it_to() {
        let all = told(r#"{"from":"p1","to":"p2","group":"desk"}"#);
        assert_eq!(all[0], ("p1".to_owned(), vec!["from=p1".to_owned(), "group=desk".to_owned()]));
        assert_eq!(all[1], ("p2".to_owned(), vec!["to=p2".to_owned(), "group=desk".to_owned()]));
        assert_eq!(all.len(), 3, "and the customer");
    }

    #[test]
    fn what_goes_from_one_thing_to_another_is_nobodys_list() {
        let contract = crate::contract::parse(TERMS, "terms.yaml").expect("a good contract");
        let decoder = Decoder::new(Arc::new(Book::new(&[contract])), Moment::NEVER);
        for data in [r#"{"from":"P3","to":"P1"}"#, r#"{"to":"p1"}"#, r#"{"partners":[]}"#, r#"{"partners":null}"#] {
            let line = format!(
                "{{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"incident.detected\",\"subject\":\"IR1\",\
                 \"time\":\"2026-03-02T09:00:00Z\",\"data\":{data}}}"
            );
            assert_eq!(decoder.record(&line, &mut Batch::default()), Err(DecodeError::NoPartner), "{data}");
        }
    }
}
