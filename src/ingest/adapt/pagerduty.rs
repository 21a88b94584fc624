//! PagerDuty's webhooks, version 3. What only refers to an incident is placed by the incident that was seen before.

use super::codes::{Error, No, Skip, quoted};
use super::desk::{ActorType, Desk, Told, actor};
use super::event::{Quality, Value};
use super::partners::{Partners, unknown};
use super::settings::Settings;
use super::state::Row;
use super::time::rfc3339;
use super::tree::Tree;
use super::{Page, Vendor};
use std::collections::BTreeSet;

#[derive(Debug)]
pub(super) struct PagerDuty {
    security: BTreeSet<String>,
    partners: Partners,
}

impl PagerDuty {
    pub(super) fn new(settings: &Settings) -> PagerDuty {
        PagerDuty { security: settings.pagerduty_security.clone(), partners: settings.partners("pagerduty") }
    }

    /// The teams' partner, else the service's.
    fn partner(&self, data: &Tree<'_>) -> Result<String, No> {
        let mut found = BTreeSet::new();
        for team in data.at("teams").list() {
            if let Some(id) = team.at("id").text() {
                found.extend(self.partners.exact("teams", id)?);
            }
        }
        let mut found = found.into_iter();
        match (found.next(), found.next()) {
            (Some(only), None) => return Ok(only.to_owned()),
            (Some(a), Some(b)) => {
                let why = format!("the incident's teams are {}'s and {}'s", quoted(a), quoted(b));
                return No::error(Error::AmbiguousPartner, why);
            }
            _ => {}
        }
        let service = data.path(&["service", "id"]).text().unwrap_or_default();
        match self.partners.exact("services", service)? {
            Some(partner) => Ok(partner.to_owned()),
            None => unknown(&format!("its teams or service {}", quoted(service))),
        }
    }
}

/// What an event type says: of a ticket, and of an incident of a security service.
fn meaning(word: &str, security: bool, merged: bool) -> Option<&'static str> {
    Some(match (word, security) {
        ("triggered", false) => "ticket.opened",
        ("triggered", true) => "incident.detected",
        ("acknowledged", false) => "ticket.acknowledged",
        ("delegated", true) => "incident.handed-off",
        ("escalated" | "reassigned" | "delegated", false) => "ticket.assigned",
        ("priority_updated", false) => "ticket.reprioritised",
        ("resolved", false) if merged => "ticket.cancelled",
        ("resolved", false) => "ticket.resolved",
        // Merged into another: this one is over, and nothing says that it was dealt with.
        ("resolved", true) if !merged => "incident.closed",
        ("reopened", false) => "ticket.reopened",
        ("status_update_published", true) => "incident.notified",
        _ => return None,
    })
}

impl Vendor for PagerDuty {
    fn read(&self, page: &Page<'_>, desk: &mut Desk<'_>) -> Result<(), No> {
        let tree = page.json()?;
        let event = tree.at("event");
        let Some(kind) = event.at("event_type").text() else {
            return No::error(Error::UnknownEnvelope, "no webhook of version 3: event.event_type is missing");
        };
        let Some(word) = kind.strip_prefix("incident.") else {
            return No::skip(Skip::NotRelevant, format!("{} tells nothing", quoted(kind)));
        };
        let data = event.at("data");
        let reference = data.at("incident");
        let whole = !reference.is_map();
        let Some(incident) = if whole { data.at("id") } else { reference.at("id") }.text() else {
            return No::error(Error::MissingSubject, "the event names no incident");
        };
        let place = format!("incident:{incident}");
        let known = desk.known(&place).cloned();
        let was = known.as_ref().and_then(|row| row.get("security"));
        let service = data.path(&["service", "id"]).text();
        // As it was first seen: whoever takes it over later makes it no other incident.
        let security = match was {
            Some(was) => was == "yes",
            None => service.is_some_and(|service| self.security.contains(service)),
        };
        let reason = data.path(&["resolve_reason", "type"]).text().or_else(|| data.at("resolve_reason").text());
        let merged = reason.is_some_and(|reason| reason.starts_with("merge"));
        let priority = data.path(&["priority", "summary"]).text();
        let priority = priority.filter(|word| matches!(*word, "P1" | "P2" | "P3" | "P4" | "P5"));
        let partner = match known.as_ref().and_then(|row| row.get("partner")) {
            Some(partner) => Ok(partner.to_owned()),
            None => self.partner(data),
        };
        let before = known.as_ref().and_then(|row| row.get("priority")).map(str::to_owned);
        if let (true, Ok(partner)) = (whole, &partner) {
            let row = Row::default()
                .with("partner", Some(partner))
                .with("security", Some(if security { "yes" } else { "no" }))
                .with("priority", priority);
            desk.remember(&place, row);
        }
        if !whole && known.is_none() && meaning(word, true, merged).is_some() {
            // Of a security service it would tell something, and whether it is of one the event does not say.
            return unknown(&format!("incident {}, which was never seen whole", quoted(incident)));
        }
        let time = event.at("occurred_at").text();
        if let (Ok(partner), Some(at)) = (&partner, time.and_then(|time| rfc3339("occurred_at", time).ok())) {
            desk.about(incident, partner, at);
        }
        let Some(told) = meaning(word, security, merged) else {
            let code = if word == "unacknowledged" || merged { Skip::NoCanonicalType } else { Skip::NotRelevant };
            return No::skip(code, format!("{} tells nothing", quoted(kind)));
        };
        let Some(id) = event.at("id").text() else {
            return No::error(Error::MissingId, "the event has no id");
        };
        let Some(time) = time else {
            return No::error(Error::MissingTime, "the event has no occurred_at");
        };
        let at = rfc3339("occurred_at", time)?;
        let mut fields = Vec::from(who(event.at("agent")));
        fields.extend(priority.map(|priority| ("priority", Value::from(priority))));
        if told == "ticket.reprioritised" {
            fields.push(("previous", before.as_deref().map_or(Value::Null, Value::from)));
        }
        if matches!(told, "ticket.assigned" | "incident.handed-off") {
            let to: Vec<String> =
                data.at("assignees").list().iter().filter_map(|one| one.at("id").text()).map(str::to_owned).collect();
            fields.push(("assignee", Value::List(to)));
            let policy = data.path(&["escalation_policy", "id"]).text();
            fields.extend(policy.map(|policy| ("group", Value::from(policy))));
            if let (Ok(from), Some(policy), "incident.handed-off") = (&partner, policy, told)
                && let Some(to) = self.partners.exact("escalation_policies", policy)?
                && to != from
            {
                // From one partner to another: both are told of it.
                fields.extend([("from", Value::from(from.as_str())), ("to", Value::from(to))]);
            }
        }
        if merged {
            fields.push(("reason", Value::from("merged")));
        }
        desk.tell(Told {
            id: id.to_owned(),
            kind: told,
            at,
            quality: Quality::Exact,
            subject: incident.to_owned(),
            partner: partner?,
            factkey: None,
            sequence: None,
            correlation: None,
            data: fields,
        })
    }
}

/// Who did it. An integration is no operator, and nobody is nobody.
fn who(agent: &Tree<'_>) -> [(&'static str, Value); 2] {
    match agent.at("type").text() {
        Some(kind) if kind.starts_with("user") => actor(agent.at("id").text(), ActorType::Human),
        Some(_) => actor(None, ActorType::Service),
        None => actor(None, ActorType::Unknown),
    }
}
