//! Events that concern several partners: each is told of it as of its own, without the names of the others.
//!
//! Whom an event concerns follows from the event alone: those that it lists (`partners`), and between whom something is
//! handed (`from`, `to`).

use super::{Book, Field};
use crate::fact::FieldId;
use crate::terms::{Contract, PartnerPattern};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// The reserved partner whose clocks cross partners: what concerns several concerns it, too, where a contract names it.
pub const CUSTOMER: &str = "customer";

/// Who is a partner.
#[derive(Clone, Debug, Default)]
pub(crate) struct Concerned {
    /// All partners that contracts name.
    named: BTreeSet<String>,
}

impl Concerned {
    pub(super) fn new(contracts: &[&Contract]) -> Concerned {
        let name = |p: &PartnerPattern| match p {
            PartnerPattern::Exact(name) => Some(name.clone()),
            PartnerPattern::Prefix(_) => None,
        };
        Concerned { named: contracts.iter().flat_map(|c| c.partners.iter().filter_map(name)).collect() }
    }
}

impl Book {
    /// Whether an event may concern others than the partner that it names.
    #[inline]
    pub fn may_concern(&self, fields: &[(FieldId, Field<'_>)]) -> bool {
        let known = self.names.well_known();
        fields.iter().any(|(field, _)| *field == known.partners || *field == known.from || *field == known.to)
    }

    /// Whom an event concerns by its own words, beside the partner that it names.
    pub fn concerned<'f>(&self, fields: &'f [(FieldId, Field<'_>)]) -> BTreeSet<&'f str> {
        let known = self.names.well_known();
        let mut out = BTreeSet::new();
        for (field, value) in fields {
            if *field == known.partners {
                out.extend(super::texts(value));
            } else if *field == known.from || *field == known.to {
                // Other things go from one to another: only names that contracts know are partners.
                out.extend(super::texts(value).into_iter().filter(|text| self.concerned.named.contains(*text)));
            }
        }
        out
    }

    /// Whether an event lists its partners itself.
    pub fn lists_partners(&self, fields: &[(FieldId, Field<'_>)]) -> bool {
        fields.iter().any(|(field, _)| *field == self.names.well_known().partners)
    }

    /// Whether the customer has clocks of its own, which cross partners.
    pub fn has_customer(&self) -> bool {
        self.concerned.named.contains(CUSTOMER)
    }

    /// The fields of one partner's copy of an event that concerns several: without the names of the others.
    pub fn own_fields<'f>(
        &self,
        fields: &[(FieldId, Field<'f>)],
        partner: &str,
        others: &BTreeSet<&str>,
    ) -> Vec<(FieldId, Field<'f>)> {
        let foreign = |text: &str| text != partner && (self.concerned.named.contains(text) || others.contains(text));
        let own = |(field, value): &(FieldId, Field<'f>)| match value {
            Field::One(text) => (!foreign(text)).then(|| (*field, Field::One(text.clone()))),
            Field::List(all) => {
                let rest: Vec<Cow<'f, str>> = all.iter().filter(|text| !foreign(text)).cloned().collect();
                (!rest.is_empty()).then_some((*field, Field::List(rest)))
            }
        };
        fields.iter().filter_map(own).collect()
    }
}
