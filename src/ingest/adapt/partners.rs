//! Which partner a record speaks of, by the lists that the settings give of one source.

use super::codes::{Error, No, quoted};
use std::collections::{BTreeMap, BTreeSet};

/// One source's lists: list, value, partners.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Partners(BTreeMap<String, BTreeMap<String, BTreeSet<String>>>);

impl Partners {
    pub(super) fn bind(&mut self, list: &str, value: &str, partner: &str) {
        let values = self.0.entry(list.to_owned()).or_default();
        values.entry(value.to_owned()).or_default().insert(partner.to_owned());
    }

    /// The partner of exactly this value.
    pub(super) fn exact(&self, list: &str, value: &str) -> Result<Option<&str>, No> {
        match self.0.get(list).and_then(|values| values.get(value)) {
            Some(partners) => one(list, value, partners),
            None => Ok(None),
        }
    }

    /// The partner of the only value that a list has.
    pub(super) fn only(&self, list: &str) -> Option<&str> {
        let values = self.0.get(list).filter(|values| values.len() == 1)?;
        let partners = values.values().next().filter(|partners| partners.len() == 1)?;
        partners.iter().next().map(String::as_str)
    }

    /// The partner of this value, whatever its letters' case.
    pub(super) fn caseless(&self, list: &str, value: &str) -> Result<Option<&str>, No> {
        let Some(values) = self.0.get(list) else { return Ok(None) };
        match values.iter().find(|(known, _)| known.eq_ignore_ascii_case(value)) {
            Some((_, partners)) => one(list, value, partners),
            None => Ok(None),
        }
    }

    /// The partner of the longest value that this one begins with.
    pub(super) fn prefix(&self, list: &str, value: &str) -> Result<Option<&str>, No> {
        let Some(values) = self.0.get(list) else { return Ok(None) };
        let longest = values.iter().filter(|(known, _)| value.starts_with(known.as_str())).max_by_key(|(k, _)| k.len());
        match longest {
            Some((_, partners)) => one(list, value, partners),
            None => Ok(None),
        }
    }
}

fn one<'p>(list: &str, value: &str, partners: &'p BTreeSet<String>) -> Result<Option<&'p str>, No> {
    let mut all = partners.iter();
    match (all.next(), all.next()) {
        (Some(only), None) => Ok(Some(only)),
        (Some(a), Some(b)) => No::error(
            Error::AmbiguousPartner,
            format!("{list} {} is {}'s and {}'s", quoted(value), quoted(a), quoted(b)),
        ),
        _ => Ok(None),
    }
}

/// None of the settings' lists names it.
pub(super) fn unknown<T>(looked_at: &str) -> Result<T, No> {
    No::error(Error::UnknownPartner, format!("no partner's lists name {looked_at}"))
}
