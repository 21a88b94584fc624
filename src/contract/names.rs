//! What a contract declares, gathered before anything is read, so that a name may be used before it is defined.

use super::code::Code;
use super::fields;
use super::include::Parts;
use super::length::{self, Slip};
use super::report::{At, Hint, Report, nearest, quote};
use super::words;
use super::yaml::{Node, Value};
use onus_engine::terms::{Party, Side, Span};
use std::collections::{BTreeMap, BTreeSet};

/// Longest value: a `$name` of eight letters must not become a megabyte each time it is used.
pub(crate) const MAX_VALUE: usize = 200;

/// What every reader needs beside the node it reads.
pub(crate) struct Cx<'t> {
    pub(crate) names: Names,
    /// What stands in files that the contract includes.
    pub(crate) parts: Parts,
    pub(crate) report: Report<'t>,
}

/// The names that a contract declares.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// Calendars, in the order written: terms refer to them by position.
    pub(crate) calendars: Vec<String>,
    pub(crate) controls: Vec<String>,
    pub(crate) obligations: BTreeSet<String>,
    pub(crate) ladders: Vec<String>,
    /// None: the contract lists no roles, so any may be used.
    roles: Option<Vec<String>>,
    /// With whether it was quoted: "1.10" stays text where it is used.
    values: BTreeMap<String, (String, bool)>,
    /// Values that something refers to.
    used: BTreeSet<String>,
    events: Vec<String>,
    /// Obligations that stand for one of each control.
    per_control: BTreeSet<String>,
    /// The contract names a stack.
    pub(crate) stack: bool,
    /// Names may be defined in a file that is not there, which has been reported, or in the contracts that include this
    /// part: a missing one isn't reported.
    pub(crate) open: bool,
}

/// What "business" means where it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Business {
    /// Nothing: no calendar is in force.
    Unknown,
    /// The calendar that is named does not exist; it has been reported.
    Misnamed,
    /// The calendar at this position.
    By(usize),
}

impl Business {
    /// As terms say it.
    pub(crate) fn position(self) -> Option<usize> {
        match self {
            Business::By(at) => Some(at),
            Business::Unknown | Business::Misnamed => None,
        }
    }
}

impl Names {
    /// Gathers the names of a contract; whatever is misshapen is left to the reader of that part.
    pub(crate) fn of(root: &Node) -> Names {
        let keys = |key: &str| match root.get(key).map(|n| &n.value) {
            Some(Value::Map(entries)) => entries.iter().map(|e| e.key.clone()).collect(),
            _ => Vec::new(),
        };
        let values = match root.get("values").map(|n| &n.value) {
            Some(Value::Map(entries)) => {
                let value = |node: &Node| match &node.value {
                    Value::Scalar { text, quoted } if text.len() <= MAX_VALUE => Some((text.clone(), *quoted)),
                    Value::Scalar { .. } | Value::List(_) | Value::Map(_) => None,
                };
                entries.iter().filter_map(|e| Some((e.key.clone(), value(&e.node)?))).collect()
            }
            _ => BTreeMap::new(),
        };
        Names {
            calendars: keys("calendars"),
            controls: keys("controls"),
            obligations: items(root.get("obligations")).flat_map(|o| ids(o, root.get("defaults"))).collect(),
            ladders: keys("escalation"),
            roles: root.get("roles").map(|_| keys("roles")),
            values,
            used: BTreeSet::new(),
            events: items(root.get("events")).filter_map(|e| scalar(e).map(str::to_owned)).collect(),
            per_control: items(root.get("obligations"))
                .filter(|o| is_per_control(o))
                .filter_map(|o| o.get("id").and_then(scalar).map(str::to_owned))
                .collect(),
            stack: root.get("stack").is_some(),
            open: false,
        }
    }

    /// The value of `$name`, without the dollar.
    pub(crate) fn value(&mut self, name: &str) -> Option<&(String, bool)> {
        let value = self.values.get(name)?;
        self.used.insert(name.to_owned());
        Some(value)
    }

    /// Event types that the contract declares.
    pub(crate) fn events(&self) -> &[String] {
        &self.events
    }

    /// Whether something refers to a value.
    pub(crate) fn uses(&self, name: &str) -> bool {
        self.used.contains(name)
    }
}

impl Cx<'_> {
    /// Whether something of that name is declared; if not, it is reported with the nearest.
    pub(crate) fn known(&mut self, code: Code, what: &str, name: &str, at: At) -> bool {
        let listed = match code {
            Code::NoCalendar => Some(&self.names.calendars),
            Code::NoControl => Some(&self.names.controls),
            Code::NoLadder => Some(&self.names.ladders),
            _ => None,
        };
        let known = match listed {
            Some(listed) => listed.iter().any(|declared| declared == name),
            None => self.names.obligations.contains(name),
        };
        if !known && !self.names.open {
            let message = format!("no {what} is named {}", quote(name));
            let others = if listed.is_some() { &BTreeSet::new() } else { &self.names.obligations };
            let declared = listed.into_iter().flatten().chain(others).map(String::as_str);
            self.report.misnamed(code, at, message, name, declared);
        }
        known
    }

    /// Obligation ids: one, or a list.
    pub(crate) fn obligations(&mut self, node: &Node, what: &str) -> Option<Vec<String>> {
        let items = fields::one_or_more(node, what, &mut self.report)?;
        fields::every(items, |item| {
            let id = fields::text(item, what, &mut self.report)?;
            self.known(Code::NoObligation, "obligation", id, item.at).then(|| id.to_owned())
        })
        .map(|ids: Vec<String>| ids.into_iter().flat_map(|id| self.of_each_control(id)).collect())
    }

    /// The obligations that one stands for.
    fn of_each_control(&self, id: String) -> Vec<String> {
        if !self.names.per_control.contains(&id) {
            return vec![id];
        }
        self.names.controls.iter().map(|control| of_control(&id, control)).collect()
    }

    /// The calendar that a key names.
    pub(crate) fn calendar(&mut self, node: &Node) -> Business {
        let Some(name) = fields::text(node, "calendar", &mut self.report) else { return Business::Misnamed };
        let position = self.names.calendars.iter().position(|c| c == name);
        match position {
            Some(at) => Business::By(at),
            None => {
                self.known(Code::NoCalendar, "calendar", name, node.at);
                Business::Misnamed
            }
        }
    }

    /// Reports business time where no calendar says what that is.
    pub(crate) fn business(&mut self, needed: bool, business: Business, at: At, what: &str) -> Option<()> {
        if needed && business == Business::Unknown && self.names.open {
            return None;
        }
        if needed && business == Business::Unknown {
            let message = format!("{what}, and no calendar says what that means");
            let hint = match self.names.calendars.as_slice() {
                [only] => format!("add `calendar: {only}` to the obligation, `defaults` or the contract"),
                _ => "add `calendar:` to the obligation, `defaults` or the contract".to_owned(),
            };
            self.report.hinted(Code::NoBusiness, at, message, hint);
            return None;
        }
        Some(())
    }

    /// A side, or a role of it.
    pub(crate) fn party(&mut self, node: &Node, what: &str) -> Option<Party> {
        let text = fields::text(node, what, &mut self.report)?;
        let party = read_party(text);
        let Some(party) = party else {
            let message = format!("{what} {} is neither a side nor a role of one", quote(text));
            let hint = "write `customer`, `partner`, or a role like `customer.iam-lead`";
            self.report.hinted(Code::BadParty, node.at, message, hint);
            return None;
        };
        let listed = |roles: &Vec<String>| self.names.open || roles.iter().any(|r| r == text);
        if let (Some(roles), true) = (self.names.roles.as_ref().filter(|r| !listed(r)), party.role.is_some()) {
            let message = format!("`roles` does not list {}", quote(text));
            self.report.misnamed(Code::NoRole, node.at, message, text, roles.iter().map(String::as_str));
            return None;
        }
        Some(party)
    }

    /// One party or a list of them.
    pub(crate) fn parties(&mut self, node: &Node, what: &str) -> Option<Vec<Party>> {
        let items = fields::one_or_more(node, what, &mut self.report)?;
        fields::every(items, |item| self.party(item, what))
    }

    /// An event type that is built in or declared under `events`.
    pub(crate) fn event(&mut self, node: &Node) -> Option<String> {
        let kind = fields::text(node, "event type", &mut self.report)?;
        if words::is_event(kind) || self.names.events.iter().any(|e| e == kind) {
            return Some(kind.to_owned());
        }
        let message = format!("unknown event type {}", quote(kind));
        let built_in: Vec<String> = words::events().collect();
        let possible = built_in.iter().chain(&self.names.events).map(String::as_str);
        let hint = match nearest(kind, possible) {
            Some(near) => Hint::Meant(near.to_owned()),
            None => "declare types of your own under `events:`".into(),
        };
        self.report.hinted(Code::UnknownEvent, node.at, message, hint);
        None
    }

    /// A text that is read as a length of some kind.
    pub(crate) fn length<T>(&mut self, node: &Node, what: &str, read: fn(&str) -> Result<T, Slip>) -> Option<T> {
        let text = fields::text(node, what, &mut self.report)?;
        // A `$name` that is left has no value, which has been reported.
        if value_name(text).is_some() {
            return None;
        }
        match read(text) {
            Ok(length) => Some(length),
            Err(slip) => {
                let message = format!("{what}: {}", slip.message);
                match slip.hint {
                    Some(hint) => self.report.hinted(Code::BadLength, node.at, message, hint),
                    None => self.report.error(Code::BadLength, node.at, message),
                }
                None
            }
        }
    }

    /// A limit whose business time, if it has any, is that of `business`.
    pub(crate) fn limit(&mut self, node: &Node, what: &str, business: Business) -> Option<Span> {
        let span = self.length(node, what, length::limit)?;
        self.business(length::is_business(&span), business, node.at, &format!("{what} is in business time"))?;
        Some(span)
    }
}

/// `customer`, `partner.desk`.
pub(crate) fn read_party(text: &str) -> Option<Party> {
    let (side, role) = match text.split_once('.') {
        Some((side, role)) => (side, Some(role)),
        None => (text, None),
    };
    let side: Side = words::SIDES.iter().find(|(word, _)| *word == side).map(|(_, side)| *side)?;
    let good = |r: &str| !r.is_empty() && r.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    match role {
        Some(role) if !good(role) => None,
        Some(role) => Some(Party { side, role: Some(role.to_owned()) }),
        None => Some(Party { side, role: None }),
    }
}

/// Puts the contract's values in the place of each `$name`.
///
/// Left alone: quoted words of the clause and reasons, which are for people, and `depends-on`, where a value chooses
/// rows instead of standing for itself.
pub(crate) fn substitute(node: &mut Node, cx: &mut Cx<'_>) {
    match &mut node.value {
        Value::Scalar { text, quoted } => {
            let Some(name) = value_name(text) else { return };
            match cx.names.value(name).cloned() {
                Some(value) => (*text, *quoted) = value,
                None if cx.names.open => {}
                None => no_value(name, node.at, cx),
            }
        }
        Value::List(items) => items.iter_mut().for_each(|item| substitute(item, cx)),
        Value::Map(entries) => {
            for entry in entries {
                let literal =
                    matches!(entry.key.as_str(), "values" | "says" | "reason" | "clause" | "roles" | "depends-on");
                if !literal {
                    substitute(&mut entry.node, cx);
                }
            }
        }
    }
}

/// Reports a value that is used and not defined.
pub(crate) fn no_value(name: &str, at: At, cx: &mut Cx<'_>) {
    let message = format!("no value is named {}", quote(name));
    let possible: Vec<&str> = cx.names.values.keys().map(String::as_str).collect();
    match nearest(name, possible.iter().copied()) {
        Some(near) => cx.report.hinted(Code::NoValue, at, message, Hint::Meant(format!("${near}"))),
        None => cx.report.hinted(Code::NoValue, at, message, format!("define it: `values: {{{name}: ...}}`")),
    }
}

/// `undue` of `$undue`; None for anything else, such as a price in dollars.
pub(crate) fn value_name(text: &str) -> Option<&str> {
    let name = text.strip_prefix('$')?;
    let good = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    good.then_some(name)
}

/// An obligation's id, and that of the evidence that it asks for.
fn ids(obligation: &Node, defaults: Option<&Node>) -> Vec<String> {
    let Some(id) = obligation.get("id").and_then(scalar) else { return Vec::new() };
    let mut out = vec![id.to_owned()];
    if obligation.get("evidence").is_some() || defaults.is_some_and(|d| d.get("evidence").is_some()) {
        out.push(format!("{id}{}", super::evidence::SUFFIX));
    }
    out
}

fn is_per_control(obligation: &Node) -> bool {
    let Some(per) = obligation.get("per") else { return false };
    per.get("every").or(Some(per)).and_then(scalar) == Some("control")
}

/// The name of the obligation that stands for one control.
pub(crate) fn of_control(id: &str, control: &str) -> String {
    format!("{id}-{control}")
}

fn scalar(node: &Node) -> Option<&str> {
    match &node.value {
        Value::Scalar { text, .. } => Some(text),
        Value::List(_) | Value::Map(_) => None,
    }
}

fn items(node: Option<&Node>) -> impl Iterator<Item = &Node> {
    match node.map(|n| &n.value) {
        Some(Value::List(items)) => items.iter(),
        _ => [].iter(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_party_is_a_side_or_a_role_of_it() {
        assert_eq!(read_party("customer").map(|p| p.to_string()).as_deref(), Some("customer"));
        assert_eq!(read_party("partner.desk-2").map(|p| p.to_string()).as_deref(), Some("partner.desk-2"));
        for text in ["", "nobody", "customer.", "customer.IAM", "customer.a.b", "Customer"] {
            assert_eq!(read_party(text), None, "{text}");
        }
    }

    #[test]
    fn only_lower_case_names_are_values() {
        assert_eq!(value_name("$undue"), Some("undue"));
        assert_eq!(value_name("$5"), None);
        assert_eq!(value_name("undue"), None);
    }
}
