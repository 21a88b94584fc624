//! Which native name is which identity, as events are judged.

use super::line::{Edits, Line, Said};
use super::{Catalogue, UNOWNED};
use onus_engine::time::Moment;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What a native name stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// The identity.
    pub identity: String,
    /// Whose it was as the first that is known. What was told under the name before, by events that name nobody, is theirs;
    /// who has it later does not change that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partner: Option<String>,
    /// To whom it was handed since, and when: what is told of it goes to them as well (decision 0137). Under its own id only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub handed: Vec<Handed>,
}

/// The catalogue moved an identity to this partner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handed {
    /// When that was first seen.
    pub at: Moment,
    /// The partner that has it from then on.
    pub to: String,
}

/// An identity went from one partner to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Handover {
    /// When.
    pub at: Moment,
    /// The identity.
    pub identity: String,
    /// From whom.
    pub from: String,
    /// To whom.
    pub to: String,
}

/// Native names by which identities are known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Names(BTreeMap<String, Named>);

impl Names {
    /// Those of a catalogue, read at `now`; what was known `before` of a name that still stands for the same identity is kept.
    /// Where it has another partner than before, it is handed over now.
    #[must_use]
    pub fn of(catalogue: &Catalogue, before: &Names, now: Moment) -> Names {
        let mut all = BTreeMap::new();
        for one in catalogue.identities() {
            // Its own id is a name, too: of events that call it so and name nobody.
            for name in std::iter::once(&one.id).chain(&one.names) {
                let named = one.partner.as_ref();
                let known = before.0.get(name).filter(|known| known.identity == one.id);
                let partner = known.and_then(|known| known.partner.as_ref()).or(named.filter(|name| *name != UNOWNED));
                let mut handed = known.map(|known| known.handed.clone()).unwrap_or_default();
                let last = handed.last().map(|last| (last.at, &last.to)).or(partner.map(|first| (Moment::DAWN, first)));
                if let (Some((before, has)), Some(new)) = (last, &one.partner)
                    && *name == one.id
                    && has != new
                {
                    // One after the other, whatever the clock says.
                    let at = if before == Moment::DAWN { now } else { now.max(before + 1) };
                    handed.push(Handed { at, to: new.clone() });
                }
                let named = Named { identity: one.id.clone(), partner: partner.cloned(), handed };
                all.entry(name.clone()).or_insert(named);
            }
        }
        // Whose an identity was does not change when the catalogue forgets it.
        for (name, known) in before.0.iter().filter(|(_, known)| !known.handed.is_empty()) {
            all.entry(name.clone()).or_insert_with(|| known.clone());
        }
        Names(all)
    }

    /// All that the catalogue ever moved, in order.
    pub fn handovers(&self) -> Vec<Handover> {
        let mut out = Vec::new();
        for named in self.0.values() {
            let mut from = named.partner.as_ref();
            for Handed { at, to } in &named.handed {
                if let Some(from) = from {
                    let (from, to) = (from.clone(), to.clone());
                    out.push(Handover { at: *at, identity: named.identity.clone(), from, to });
                }
                from = Some(to);
            }
        }
        out.sort();
        out
    }

    /// Adds those that others know besides.
    pub(crate) fn join(&mut self, others: Names) {
        others.0.into_iter().for_each(|(name, named)| {
            self.0.entry(name).or_insert(named);
        });
    }

    /// None.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Named)> {
        self.0.iter().map(|(name, named)| (name.as_str(), named))
    }

    /// Lines with identities in the place of native names; as many lines as before. Borrowed: none names one.
    pub fn resolved<'l>(&self, lines: &'l [u8]) -> Cow<'l, [u8]> {
        if self.is_empty() {
            return Cow::Borrowed(lines);
        }
        let mut out = Vec::new();
        let mut done = 0;
        let mut from = 0;
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            let end = from + line.len();
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            if let Some(new) = std::str::from_utf8(text).ok().and_then(|text| self.line(text)) {
                out.extend_from_slice(&lines[done..from]);
                out.extend_from_slice(new.as_bytes());
                done = from + text.len();
            }
            from = end;
        }
        if done == 0 {
            return Cow::Borrowed(lines);
        }
        out.extend_from_slice(&lines[done..]);
        Cow::Owned(out)
    }

    /// One line; None: it names no such name.
    fn line(&self, text: &str) -> Option<String> {
        let line = Line::read(text)?;
        let mut edits = Edits::default();
        let mut whose: Vec<&Named> = Vec::new();
        for (name, place) in line.linked() {
            if let Some(named) = self.0.get(name.as_ref()) {
                if named.identity != name {
                    edits.replace(place, &named.identity);
                }
                whose.push(named);
            }
        }
        if let (Said::Text(subject), Some(place)) = (line.attribute("subject"), line.attribute_place("subject"))
            && let Some(named) = self.0.get(subject.as_ref())
        {
            if named.identity != subject {
                edits.replace(place, &named.identity);
                edits.field("native", &subject);
            }
            whose = vec![named];
        }
        if matches!(line.attribute("partner"), Said::Nothing) {
            let mut partners: Vec<&str> = whose.iter().filter_map(|named| named.partner.as_deref()).collect();
            partners.sort_unstable();
            partners.dedup();
            if let [partner] = partners[..] {
                edits.attribute("partner", partner);
            }
        }
        (!edits.is_empty()).then(|| line.with(edits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Identity;

    fn catalogue(partner: &str) -> Catalogue {
        let names = vec!["aws:s".to_owned(), "cyberark:c".to_owned()];
        Catalogue::new(vec![Identity {
            id: "svc-1".to_owned(),
            partner: Some(partner.to_owned()),
            names,
            ..Identity::default()
        }])
    }

    #[test]
    fn a_native_name_is_the_identity_wherever_it_stands_and_stays_to_be_seen() {
        let names = Names::of(&catalogue("p1"), &Names::default(), Moment::DAWN);
        let lines = b"{\"subject\":\"other\"}\n{\"subject\":\"aws:s\",\"partner\":\"p2\"}\nnot json\n\
                      {\"subject\":\"CHG1\",\"data\":{\"credential\":[\"x\",\"cyberark:c\"]}}\n";
        let new = names.resolved(lines);
        let wanted = "{\"subject\":\"other\"}\n{\"data\":{\"native\":\"aws:s\"},\"subject\":\"svc-1\",\"partner\":\"p2\"}\n\
                      not json\n{\"partner\":\"p1\",\"subject\":\"CHG1\",\"data\":{\"credential\":[\"x\",\"svc-1\"]}}\n";
        assert_eq!(String::from_utf8_lossy(&new), wanted);
        assert_eq!(names.resolved(&new), new, "again changes nothing");
    }

    #[test]
    fn lines_that_name_nothing_are_not_copied() {
        let names = Names::of(&catalogue("p1"), &Names::default(), Moment::DAWN);
        assert!(matches!(names.resolved(b"{\"subject\":\"svc-1\",\"partner\":\"p2\"}\n"), Cow::Borrowed(_)));
        assert!(matches!(names.resolved(b"{\"subject\":\"other\"}\n"), Cow::Borrowed(_)));
        assert!(matches!(Names::default().resolved(b"{\"subject\":\"aws:s\"}\n"), Cow::Borrowed(_)));
    }

    #[test]
    fn what_names_nobody_is_whose_the_identity_is() {
        let names = Names::of(&catalogue("p1"), &Names::default(), Moment::DAWN);
        let new = names.resolved(b"{\"subject\":\"svc-1\"}\n");
        assert_eq!(String::from_utf8_lossy(&new), "{\"partner\":\"p1\",\"subject\":\"svc-1\"}\n");
        let nobodys = Catalogue::new(vec![Identity { id: "svc-1".to_owned(), ..Identity::default() }]);
        let before = Names::of(&nobodys, &Names::default(), Moment::DAWN);
        assert_eq!(Names::of(&catalogue("p1"), &before, Moment::DAWN), names, "who is known first counts");
    }

    #[test]
    fn whose_it_was_when_its_name_was_entered_stays() {
        let first = Names::of(&catalogue("p1"), &Names::default(), Moment::DAWN);
        let before = Names::of(&catalogue("p2"), &first, Moment(7));
        assert!(before.iter().all(|(_, named)| named.partner.as_deref() == Some("p1")));
        let handed = |from: &str, to: &str, at| Handover {
            at: Moment(at),
            identity: "svc-1".to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
        };
        assert_eq!(before.handovers(), [handed("p1", "p2", 7)], "it is handed over when that is seen");
        assert_eq!(Names::of(&catalogue("p2"), &before, Moment(8)), before, "and once");
        let back = Names::of(&catalogue("p1"), &before, Moment(7));
        assert_eq!(back.handovers(), [handed("p1", "p2", 7), handed("p2", "p1", 8)], "one after the other");
        let nobodys = Names::of(&catalogue("unowned"), &first, Moment(7));
        assert_eq!(nobodys.handovers(), [handed("p1", "unowned", 7)]);
        let forgotten = Names::of(&Catalogue::default(), &back, Moment(9));
        assert_eq!(forgotten.handovers(), back.handovers(), "what was handed over stays so");
        let read: Names = serde_json::from_str(&serde_json::to_string(&before).expect("JSON")).expect("it reads");
        assert_eq!(read, before);
    }
}
