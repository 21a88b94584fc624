//! What an event does not say of an identity is said for it where it comes in.

use super::line::{Edits, Line, Said};
use super::{Catalogue, Identity, UNOWNED};

/// An event's line, with what the catalogue adds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pinned {
    /// The line; None: nothing is to be added.
    pub line: Option<String>,
    /// It names another partner than the catalogue does: its own word, and the catalogue's.
    pub against: Option<(String, String)>,
}

impl Catalogue {
    /// What an event does not say and the catalogue knows: whose it is, and what its subject is. What it says stands.
    pub fn pin(&self, text: &str) -> Pinned {
        let mut out = Pinned::default();
        let Some(line) = Line::read(text) else { return out };
        let subject = match line.attribute("subject") {
            Said::Text(name) => self.find(&name),
            Said::Nothing | Said::Other => None,
        };
        let links: Vec<Option<&Identity>> = line.links().iter().map(|name| self.find(name)).collect();
        let linked: Vec<&Identity> = links.iter().copied().flatten().collect();
        if subject.is_none() && linked.is_empty() {
            return out;
        }
        let mut edits = Edits::default();
        let about = subject.as_ref().map_or(&linked[..], std::slice::from_ref);
        match (line.attribute("partner"), partner(about)) {
            (Said::Nothing, Some(partner)) => edits.attribute("partner", partner),
            (Said::Text(said), Some(partner)) if said != partner => {
                out.against = Some((said.into_owned(), partner.to_owned()));
            }
            _ => {}
        }
        let unsaid = |name: &str| matches!(line.field(name), Said::Nothing);
        if let Some(identity) = subject {
            for (name, value) in [("kind", &identity.kind), ("owner", &identity.owner)] {
                if let Some(value) = value.as_ref().filter(|_| unsaid(name)) {
                    edits.field(name, value);
                }
            }
        }
        let whole = subject.is_some() || links.iter().all(Option::is_some);
        if let Some(truth) = privileged(about, whole).filter(|_| unsaid("privileged")) {
            edits.truth("privileged", truth);
        }
        out.line = (!edits.is_empty()).then(|| line.with(edits));
        out
    }
}

/// The one partner of all of them; those that have none say nothing. Nobody's name is no partner's: who had it before hears it.
fn partner<'i>(of: &[&'i Identity]) -> Option<&'i str> {
    let mut partners: Vec<&str> =
        of.iter().filter_map(|one| one.partner.as_deref()).filter(|name| *name != UNOWNED).collect();
    partners.sort_unstable();
    partners.dedup();
    match partners[..] {
        [one] => Some(one),
        _ => None,
    }
}

/// One privileged identity makes it so; it is not only where all are known and none is. `whole`: these are all.
fn privileged(of: &[&Identity], whole: bool) -> Option<bool> {
    let known = of.iter().map(|one| one.privileged);
    match () {
        () if known.clone().any(|one| one == Some(true)) => Some(true),
        () if whole && known.clone().all(|one| one == Some(false)) => Some(false),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue() -> Catalogue {
        let of = |id: &str, partner: Option<&str>, privileged, names: &[&str]| Identity {
            id: id.to_owned(),
            kind: Some("service-account".to_owned()),
            owner: Some("payments".to_owned()),
            privileged,
            partner: partner.map(str::to_owned),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
        };
        Catalogue::new(vec![
            of("svc-1", Some("p1"), Some(true), &["aws:1"]),
            of("svc-2", Some("p2"), Some(false), &["aws:2"]),
            of("svc-3", None, None, &["aws:3"]),
        ])
    }

    fn pinned(text: &str) -> String {
        catalogue().pin(text).line.unwrap_or_else(|| "as it was".to_owned())
    }

    #[test]
    fn what_an_event_does_not_say_is_said_and_what_it_says_stands() {
        for (text, wanted) in [
            (
                r#"{"subject":"aws:1","data":{}}"#,
                r#"{"partner":"p1","subject":"aws:1","data":{"kind":"service-account","owner":"payments","privileged":true}}"#,
            ),
            (
                r#"{"subject":"svc-1","partner":"p1","data":{"kind":"secret","owner":"x","privileged":false}}"#,
                "as it was",
            ),
            (
                r#"{"subject":"CHG1","data":{"credential":"aws:2"}}"#,
                r#"{"partner":"p2","subject":"CHG1","data":{"privileged":false,"credential":"aws:2"}}"#,
            ),
            // Of two partners' credentials at once it is neither's by this; and one that is not catalogued may be privileged.
            (
                r#"{"subject":"CHG1","data":{"credential":["aws:1","aws:2"]}}"#,
                r#"{"subject":"CHG1","data":{"privileged":true,"credential":["aws:1","aws:2"]}}"#,
            ),
            (r#"{"subject":"CHG1","partner":"p2","data":{"credential":["aws:2","other"]}}"#, "as it was"),
            (r#"{"subject":"other"}"#, "as it was"),
            ("no event", "as it was"),
        ] {
            assert_eq!(pinned(text), wanted, "{text}");
        }
    }

    #[test]
    fn another_partner_than_the_catalogues_is_noted_and_stands() {
        let out =
            catalogue().pin(r#"{"subject":"aws:1","partner":"p2","data":{"kind":"k","owner":"o","privileged":true}}"#);
        assert_eq!(out, Pinned { line: None, against: Some(("p2".to_owned(), "p1".to_owned())) });
        let fine = catalogue().pin(r#"{"subject":"CHG1","partner":"p2","data":{"credential":["aws:1","aws:2"]}}"#);
        assert_eq!(fine.against, None, "it concerns both");
    }
}
